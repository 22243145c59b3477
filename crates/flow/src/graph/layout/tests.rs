//! Rules that every layout keeps, over many graphs.

use super::*;
use crate::graph::picture::{Box, Frame};

const METRICS: Metrics = Metrics { height: 3, bend: 1, gap: 1, frame_top: 2, frame_bottom: 1 };

/// A small generator: the same seed gives the same graph.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn random(seed: u64) -> Picture {
    let mut dice = Dice(seed);
    let frames = dice.below(5);
    let frames: Vec<Frame> = (0..frames)
        .map(|at| Frame { label: format!("g{at}"), parent: (at > 0 && dice.below(2) == 0).then(|| dice.below(at)) })
        .collect();
    let count = 1 + dice.below(14);
    let boxes = (0..count)
        .map(|at| {
            let frame = (!frames.is_empty() && dice.below(3) > 0).then(|| dice.below(frames.len()));
            Box { label: format!("t{at}"), kind: "bash".to_owned(), frame }
        })
        .collect();
    let mut arrows = Vec::new();
    for to in 1..count {
        for from in 0..to {
            if dice.below(count) < 2 {
                arrows.push((from, to));
            }
        }
    }
    Picture { boxes, arrows, frames }
}

fn each_random(check: impl Fn(u64, &Picture, &Layout)) {
    for seed in 0..600 {
        let picture = random(seed);
        check(seed, &picture, &layout(&picture, &METRICS));
    }
}

#[test]
fn every_arrow_goes_right_layer_by_layer() {
    each_random(|seed, picture, layout| {
        for ((from, to), route) in picture.arrows.iter().zip(&layout.routes) {
            assert_eq!((route.first(), route.last()), (Some(from), Some(to)), "seed {seed}");
            for step in route.windows(2) {
                assert_eq!(layout.layer[step[0]] + 1, layout.layer[step[1]], "seed {seed}");
            }
        }
    });
}

#[test]
fn nothing_overlaps_in_a_layer() {
    each_random(|seed, _, layout| {
        for layer in &layout.layers {
            for pair in layer.windows(2) {
                let height = match layout.items[pair[0]] {
                    Item::Box(_) => METRICS.height,
                    Item::Bend(_) => METRICS.bend,
                    Item::Hold(_) => 0,
                };
                assert!(layout.top[pair[0]] + height <= layout.top[pair[1]], "seed {seed}");
            }
        }
    });
}

#[test]
fn a_frame_holds_its_boxes_and_no_stranger() {
    each_random(|seed, picture, layout| {
        for (frame, extent) in layout.frames.iter().enumerate() {
            let Some(extent) = extent else { continue };
            for (item, kind) in layout.items.iter().enumerate() {
                let Item::Box(at) = *kind else { continue };
                let (top, bottom) = (layout.top[item], layout.top[item] + METRICS.height);
                let is_beside = !(extent.first..=extent.last).contains(&layout.layer[item]);
                if picture.path(picture.boxes[at].frame).contains(&frame) {
                    assert!(!is_beside && extent.top < top && bottom < extent.bottom + 1, "seed {seed}: {frame} {at}");
                } else {
                    assert!(is_beside || bottom <= extent.top || extent.bottom <= top, "seed {seed}: {frame} {at}");
                }
            }
        }
    });
}

#[test]
fn frames_are_inside_one_another_or_apart() {
    each_random(|seed, picture, layout| {
        for (a, first) in layout.frames.iter().enumerate() {
            for (b, second) in layout.frames.iter().enumerate().skip(a + 1) {
                let (Some(first), Some(second)) = (first, second) else { continue };
                let is_nested = picture.path(Some(a)).contains(&b) || picture.path(Some(b)).contains(&a);
                let is_apart = first.bottom <= second.top
                    || second.bottom <= first.top
                    || first.last < second.first
                    || second.last < first.first;
                assert!(is_nested || is_apart, "seed {seed}: {a} {first:?} and {b} {second:?}");
            }
        }
    });
}

#[test]
fn a_chain_is_a_straight_line() {
    let boxes = (0..5).map(|at| Box { label: at.to_string(), kind: String::new(), frame: None }).collect();
    let picture = Picture { boxes, arrows: vec![(0, 1), (1, 2), (2, 3), (3, 4)], frames: Vec::new() };
    let layout = layout(&picture, &METRICS);
    assert_eq!(layout.top, [0; 5]);
    assert_eq!(layout.layer, [0, 1, 2, 3, 4]);
}

#[test]
fn the_middle_of_a_diamond_is_beside_its_ends() {
    let boxes = (0..4).map(|at| Box { label: at.to_string(), kind: String::new(), frame: None }).collect();
    let picture = Picture { boxes, arrows: vec![(0, 1), (0, 2), (1, 3), (2, 3)], frames: Vec::new() };
    let layout = layout(&picture, &METRICS);
    assert_eq!(layout.top[0], layout.top[3]);
    assert!(layout.top[1] < layout.top[0] && layout.top[0] < layout.top[2], "{:?}", layout.top);
}

#[test]
fn an_empty_picture_is_nothing() {
    assert_eq!(layout(&Picture::default(), &METRICS).height, 0);
}

#[test]
fn a_large_graph_is_laid_out() {
    let mut dice = Dice(1);
    let boxes: Vec<Box> =
        (0..5_000).map(|at| Box { label: at.to_string(), kind: String::new(), frame: None }).collect();
    let arrows = (1..5_000).map(|to| (to - 1 - dice.below(to.min(60)), to)).collect();
    let layout = layout(&Picture { boxes, arrows, frames: Vec::new() }, &METRICS);
    assert_eq!(
        layout.layers.iter().flatten().filter(|item| matches!(layout.items[**item], Item::Box(_))).count(),
        5_000
    );
}
