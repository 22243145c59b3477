//! Pictures for tests.

use flow_core::{
    TaskIx,
    graph::{Arrow, Box, Frame, Member, Picture},
};

/// Makes a picture of boxes by label and frame, arrows, and frames by label and the one around them.
pub(crate) fn picture(
    boxes: &[(&str, Option<usize>)],
    arrows: &[(usize, usize)],
    frames: &[(&str, Option<usize>)],
) -> Picture {
    let one = |(label, frame): &(&str, Option<usize>)| Box {
        label: (*label).to_owned(),
        kind: "bash".to_owned(),
        frame: *frame,
        stands_for: Member::Task(TaskIx(0)),
        tasks: 1,
    };
    let frame = |(label, parent): &(&str, Option<usize>)| Frame { label: (*label).to_owned(), parent: *parent };
    Picture {
        boxes: boxes.iter().map(one).collect(),
        arrows: arrows.iter().map(|ends| Arrow::from(*ends)).collect(),
        frames: frames.iter().map(frame).collect(),
    }
}
