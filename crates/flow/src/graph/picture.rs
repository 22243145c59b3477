//! What is drawn of a DAG: boxes, arrows and the frames around groups.

use flow_core::Dag;

/// A graph to draw. Arrows go from a lower index to a higher one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub(crate) boxes: Vec<Box>,
    pub(crate) arrows: Vec<(usize, usize)>,
    pub(crate) frames: Vec<Frame>,
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Box {
    pub(crate) label: String,
    /// The operator's name.
    pub(crate) kind: String,
    /// Index into [`Picture::frames`].
    pub(crate) frame: Option<usize>,
}

/// A task group.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) label: String,
    /// Index into [`Picture::frames`].
    pub(crate) parent: Option<usize>,
}

/// Takes from a DAG what is drawn.
pub(crate) fn of(dag: &Dag) -> Picture {
    let boxes = dag.tasks.iter().map(|task| Box {
        label: task.display_name.clone().unwrap_or_else(|| task.id.to_string()),
        kind: task.operator.clone(),
        frame: task.group,
    });
    let arrows =
        dag.tasks.iter().enumerate().flat_map(|(to, task)| task.upstream.iter().map(move |from| (from.index(), to)));
    let frames = dag.groups.iter().map(|group| Frame {
        label: group.display_name.clone().unwrap_or_else(|| group.id.clone()),
        parent: group.parent,
    });
    Picture { boxes: boxes.collect(), arrows: arrows.collect(), frames: frames.collect() }
}

impl Picture {
    /// Returns a frame and the frames around it, the outermost first.
    pub(crate) fn path(&self, frame: Option<usize>) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = frame;
        while let Some(at) = next.filter(|at| *at < self.frames.len() && path.len() <= self.frames.len()) {
            path.push(at);
            next = self.frames[at].parent;
        }
        path.reverse();
        path
    }
}
