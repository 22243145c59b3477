//! Rules that every drawing keeps, over many graphs, in both directions.

use super::*;
use crate::{
    graph::picture::{Arrow, Box, Frame, Member},
    id::TaskIx,
};

/// A small generator: the same seed gives the same graph.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn one(label: String, frame: Option<usize>) -> Box {
    Box { label, kind: "bash".to_owned(), frame, stands_for: Member::Task(TaskIx(0)), tasks: 1 }
}

fn random(seed: u64) -> Picture {
    let mut dice = Dice(seed);
    let frames: Vec<Frame> = (0..dice.below(6))
        .map(|at| Frame {
            label: "group ".repeat(1 + dice.below(6)),
            parent: (at > 0 && dice.below(2) == 0).then(|| dice.below(at)),
        })
        .collect();
    let count = 1 + dice.below(16);
    let boxes = (0..count).map(|at| {
        let frame = (!frames.is_empty() && dice.below(3) > 0).then(|| dice.below(frames.len()));
        one(format!("{}{at}", "task".repeat(1 + dice.below(5))), frame)
    });
    let boxes = boxes.collect();
    let mut arrows = Vec::new();
    for to in 1..count {
        for from in 0..to {
            if dice.below(count) < 2 {
                let label = (dice.below(8) == 0).then(|| "true".to_owned());
                arrows.push(Arrow { from, to, label, is_back: dice.below(10) == 0 });
            }
        }
    }
    Picture { boxes, arrows, frames }
}

fn each(check: impl Fn(&str, &Picture, &Drawing, Direction)) {
    for seed in 0..400 {
        let picture = random(seed);
        for direction in [Direction::Right, Direction::Down] {
            let name = format!("seed {seed}, {direction:?}");
            check(&name, &picture, &draw(&picture, direction), direction);
        }
    }
}

fn meet(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.x + inner.width <= outer.x + outer.width
        && inner.y + inner.height <= outer.y + outer.height
}

/// Where a frame's title stands.
fn title(frame: &Rect) -> Rect {
    Rect { height: TITLE_HEIGHT, ..*frame }
}

#[test]
fn boxes_are_apart_and_on_the_page() {
    each(|name, _, drawing, _| {
        let page = Rect { x: 0, y: 0, width: drawing.width, height: drawing.height };
        for (at, one) in drawing.boxes.iter().enumerate() {
            assert!(holds(&page, one), "{name}: box {at} {one:?}");
            for (other, two) in drawing.boxes.iter().enumerate().skip(at + 1) {
                assert!(!meet(one, two), "{name}: boxes {at} and {other}");
            }
        }
        for frame in drawing.frames.iter().flatten() {
            assert!(holds(&page, frame), "{name}: {frame:?}");
        }
    });
}

#[test]
fn frames_hold_what_is_theirs_and_nothing_else_and_their_titles_fit() {
    each(|name, picture, drawing, _| {
        for (at, frame) in drawing.frames.iter().enumerate() {
            let Some(frame) = frame else { continue };
            assert!(frame.width >= title_width(&picture.frames[at].label), "{name}: the title of {at}");
            for (inner, one) in drawing.boxes.iter().enumerate() {
                match picture.path(picture.boxes[inner].frame).contains(&at) {
                    true => assert!(holds(frame, one) && !meet(&title(frame), one), "{name}: {at} {inner}"),
                    false => assert!(!meet(frame, one), "{name}: box {inner} is in {at}"),
                }
            }
            for (other, second) in drawing.frames.iter().enumerate() {
                let Some(second) = second.filter(|_| other != at) else { continue };
                let is_inside = picture.path(Some(other)).contains(&at);
                if is_inside {
                    assert!(holds(frame, &second) && !meet(&title(frame), &second), "{name}: {other} in {at}");
                } else if !picture.path(Some(at)).contains(&other) {
                    assert!(!meet(frame, &second), "{name}: frames {at} and {other}");
                }
            }
        }
    });
}

#[test]
fn arrows_go_from_box_to_box_at_right_angles_and_through_no_other() {
    each(|name, picture, drawing, direction| {
        for (arrow, corners) in picture.arrows.iter().zip(&drawing.arrows) {
            let (from, to) = if arrow.is_back { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
            let is_at = |one: &Rect, corner: &(i32, i32), is_end: bool| match direction {
                Direction::Right => {
                    corner.0 == one.x + if is_end { 0 } else { one.width }
                        && (corner.1 - one.y - one.height / 2).abs() <= OFF_CENTRE
                }
                Direction::Down => {
                    corner.1 == one.y + if is_end { 0 } else { one.height }
                        && (corner.0 - one.x - one.width / 2).abs() <= OFF_CENTRE
                }
            };
            let (first, last) = (corners.first().unwrap(), corners.last().unwrap());
            assert!(is_at(&drawing.boxes[from], first, arrow.is_back), "{name}: {corners:?} from {from}");
            assert!(is_at(&drawing.boxes[to], last, !arrow.is_back), "{name}: {corners:?} to {to}");
            for pair in corners.windows(2) {
                assert!(pair[0].0 == pair[1].0 || pair[0].1 == pair[1].1, "{name}: {corners:?}");
                let part = Rect {
                    x: pair[0].0.min(pair[1].0),
                    y: pair[0].1.min(pair[1].1),
                    width: (pair[0].0 - pair[1].0).abs(),
                    height: (pair[0].1 - pair[1].1).abs(),
                };
                let others = drawing.boxes.iter().enumerate().filter(|(at, _)| *at != from && *at != to);
                for (at, one) in others {
                    assert!(!meet(&part, one), "{name}: {from} to {to} goes through {at}");
                }
            }
            if arrow.label.is_some() && direction == Direction::Right && !arrow.is_back {
                let before = corners[corners.len() - 2];
                assert!(last.0 - before.0 >= text_width("true", 11), "{name}: no room for a label, {corners:?}");
            }
        }
    });
}

/// Says whether two parts of ways lie on each other for a while.
fn is_on_top(a: &[(i32, i32)], b: &[(i32, i32)]) -> bool {
    let along = |pair: &[(i32, i32)], is_upright: bool| match is_upright {
        true => (pair[0].0 == pair[1].0).then(|| (pair[0].0, pair[0].1.min(pair[1].1), pair[0].1.max(pair[1].1))),
        false => (pair[0].1 == pair[1].1).then(|| (pair[0].1, pair[0].0.min(pair[1].0), pair[0].0.max(pair[1].0))),
    };
    [true, false].into_iter().any(|is_upright| match (along(a, is_upright), along(b, is_upright)) {
        (Some((a, a1, a2)), Some((b, b1, b2))) => a == b && a1.max(b1) < a2.min(b2),
        _ => false,
    })
}

#[test]
fn hardly_an_arrow_runs_on_top_of_one_it_has_nothing_to_do_with() {
    let (mut pairs, mut on_top) = (0, 0);
    for seed in 0..200 {
        let picture = random(seed);
        let drawing = draw(&picture, Direction::Right);
        for (a, one) in picture.arrows.iter().enumerate() {
            for (b, two) in picture.arrows.iter().enumerate().skip(a + 1) {
                if one.from == two.from || one.to == two.to {
                    continue;
                }
                pairs += 1;
                let parts =
                    drawing.arrows[a].windows(2).flat_map(|x| drawing.arrows[b].windows(2).map(move |y| (x, y)));
                // Starts with the same ends share their way on purpose.
                let ends = |at: usize| -> Vec<usize> {
                    picture.arrows.iter().filter(|arrow| arrow.from == at).map(|arrow| arrow.to).collect()
                };
                let is_shared = ends(one.from).iter().any(|end| ends(two.from).contains(end));
                on_top += usize::from(!is_shared && parts.into_iter().any(|(x, y)| is_on_top(x, y)));
            }
        }
    }
    assert!(on_top * 500 < pairs, "{on_top} of {pairs}");
}

#[test]
fn boxes_are_as_wide_as_their_labels() {
    assert_eq!(box_width("a", "bash"), BOX_WIDTH.0);
    assert_eq!(box_width(&"long ".repeat(100), "bash"), BOX_WIDTH.1);
    assert!(box_width("extract_customers", "bash") > BOX_WIDTH.0);
    assert!(text_width("日本語", 13) > text_width("abc", 13));
}

#[test]
fn an_empty_picture_is_a_margin() {
    let drawing = draw(&Picture::default(), Direction::Down);
    assert_eq!((drawing.width, drawing.height), (2 * MARGIN, 2 * MARGIN));
}

#[test]
fn many_tracks_become_narrow() {
    assert_eq!(track_place(3, 4), 30);
    assert_eq!(track_place(999, 1_000), TRACKS_WIDTH);
    assert_eq!(track_place(usize::MAX, usize::MAX), TRACKS_WIDTH);
}
