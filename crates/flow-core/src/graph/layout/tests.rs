//! Rules that every layout keeps, over many graphs.

use super::*;
use crate::{
    graph::picture::{Arrow, Box, Frame, Member},
    id::TaskIx,
};

fn metrics(picture: &Picture) -> Metrics {
    Metrics {
        boxes: (0..picture.boxes.len()).map(|at| 3 + i32::try_from(at % 3).unwrap()).collect(),
        frames: vec![5; picture.frames.len()],
        bend: 1,
        gap: 1,
        bend_gap: 1,
        frame_top: 2,
        frame_bottom: 1,
        snap: 1,
    }
}

fn one(label: String, frame: Option<usize>) -> Box {
    Box { label, kind: "bash".to_owned(), frame, stands_for: Member::Task(TaskIx(0)), tasks: 1 }
}

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
            one(format!("t{at}"), frame)
        })
        .collect();
    let mut arrows = Vec::new();
    for to in 1..count {
        for from in 0..to {
            if dice.below(count) < 2 {
                arrows.push(Arrow::from((from, to)));
            }
        }
    }
    Picture { boxes, arrows, frames }
}

fn each_random(check: impl Fn(u64, &Picture, &Layout)) {
    for seed in 0..600 {
        let picture = random(seed);
        check(seed, &picture, &layout(&picture, &metrics(&picture)));
    }
}

#[test]
fn every_arrow_goes_right_layer_by_layer() {
    each_random(|seed, picture, layout| {
        for (arrow, route) in picture.arrows.iter().zip(&layout.routes) {
            assert_eq!((route.first(), route.last()), (Some(&arrow.from), Some(&arrow.to)), "seed {seed}");
            for step in route.windows(2) {
                assert_eq!(layout.layer[step[0]] + 1, layout.layer[step[1]], "seed {seed}");
            }
        }
    });
}

#[test]
fn nothing_overlaps_in_a_layer() {
    each_random(|seed, picture, layout| {
        let metrics = metrics(picture);
        for layer in &layout.layers {
            for pair in layer.windows(2) {
                let height = match layout.items[pair[0]] {
                    Item::Box(at) => metrics.boxes[at],
                    Item::Bend(_) => metrics.bend,
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
                let (top, bottom) = (layout.top[item], layout.top[item] + metrics(picture).boxes[at]);
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

/// Lays out boxes of one size.
fn plain(count: usize, arrows: &[(usize, usize)]) -> Layout {
    let picture = Picture {
        boxes: (0..count).map(|at| one(at.to_string(), None)).collect(),
        arrows: arrows.iter().map(|ends| Arrow::from(*ends)).collect(),
        frames: Vec::new(),
    };
    layout(&picture, &Metrics { boxes: vec![4; count], ..metrics(&picture) })
}

#[test]
fn a_chain_is_a_straight_line() {
    let layout = plain(5, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
    assert_eq!(layout.top, [0; 5]);
    assert_eq!(layout.layer, [0, 1, 2, 3, 4]);
}

#[test]
fn the_middle_of_a_diamond_is_beside_its_ends() {
    let layout = plain(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    assert_eq!(layout.top[0], layout.top[3]);
    assert!(layout.top[1] < layout.top[0] && layout.top[0] < layout.top[2], "{:?}", layout.top);
}

#[test]
fn a_parent_is_in_the_middle_of_its_children() {
    // Three children of the first child, two of the second.
    let layout = plain(8, &[(0, 1), (0, 2), (1, 3), (1, 4), (1, 5), (2, 6), (2, 7)]);
    let near = |found: i32, wanted: i32| (found - wanted).abs() <= 1;
    assert!(near(layout.top[1], layout.top[4]), "{:?}", layout.top);
    assert!(near(2 * layout.top[2], layout.top[6] + layout.top[7]), "{:?}", layout.top);
    assert!(near(2 * layout.top[0], layout.top[1] + layout.top[2]), "{:?}", layout.top);
}

#[test]
fn arrows_that_need_not_cross_do_not() {
    // Two ladders, told in an order that crosses.
    let arrows = [(0, 3), (1, 2), (2, 5), (3, 4), (4, 7), (5, 6)];
    let layout = plain(8, &arrows);
    let is_first_above = layout.top[0] < layout.top[1];
    for (up, down) in [(3, 2), (4, 5), (7, 6)] {
        assert_eq!(layout.top[up] < layout.top[down], is_first_above, "{:?}", layout.top);
    }
}

#[test]
fn a_long_arrow_is_straight_beside_what_it_passes() {
    let layout = plain(5, &[(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]);
    let bends: Vec<i32> = layout.routes[4][1..4].iter().map(|item| layout.top[*item]).collect();
    assert!(bends.iter().all(|top| *top == bends[0]), "{bends:?}");
    assert_eq!(layout.top[1..4], [layout.top[1]; 3]);
}

#[test]
fn an_empty_picture_is_nothing() {
    assert_eq!(layout(&Picture::default(), &Metrics::default()).height, 0);
}

#[test]
fn a_large_graph_is_laid_out() {
    let mut dice = Dice(1);
    let arrows: Vec<(usize, usize)> = (1..5_000).map(|to| (to - 1 - dice.below(to.min(60)), to)).collect();
    let layout = plain(5_000, &arrows);
    let boxes = layout.layers.iter().flatten().filter(|item| matches!(layout.items[**item], Item::Box(_)));
    assert_eq!(boxes.count(), 5_000);
}

#[test]
fn what_would_take_too_many_bends_goes_straight() {
    // A chain, whose first task everything depends on.
    let chain = (1..3_000).map(|to| (to - 1, to));
    let arrows: Vec<(usize, usize)> = chain.chain((2..3_000).map(|to| (0, to))).collect();
    let layout = plain(3_000, &arrows);
    assert!(layout.items.len() < 3_000 + 100_000);
    assert!(layout.routes.iter().map(Vec::len).sum::<usize>() < 500_000);
}
