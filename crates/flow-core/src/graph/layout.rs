//! Puts a picture into layers, from left to right, and finds places from top to bottom.
//!
//! A box is right of everything it depends on. A long arrow has a bend in every layer it passes, so that it has room of
//! its own. Frames stay closed: within a layer the members of a frame are neighbours, and frames have the same order in
//! all layers, so that no frame ever overlaps a stranger. Three steps: [`layers`] says what stands in which layer,
//! [`order`] sorts the layers so that few arrows cross, [`place`] finds places.
//!
//! Columns are left to the caller, who knows how much room arrows need between two layers.

use super::picture::Picture;

mod layers;
mod order;
mod place;

/// How large things are, in units of the caller.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Height of each box.
    pub boxes: Vec<i32>,
    /// Least height of each frame: its title may need it.
    pub frames: Vec<i32>,
    /// Height that a bend takes.
    pub bend: i32,
    /// Between two boxes or frames in a layer.
    pub gap: i32,
    /// Between two things of which one is a bend.
    pub bend_gap: i32,
    /// Between the top of a frame and what is in it.
    pub frame_top: i32,
    /// Between what is in a frame and its bottom.
    pub frame_bottom: i32,
    /// Boxes that are beside each other but for so much are put in a line.
    pub snap: i32,
}

/// Something that has a place in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// By index.
    Box(usize),
    /// Of an arrow, by index: the first of those that share it.
    Bend(usize),
    /// Keeps a frame open in a layer where it has no box.
    Hold(usize),
}

/// Places from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub items: Vec<Item>,
    /// Of each item.
    pub layer: Vec<usize>,
    /// Of each item.
    pub top: Vec<i32>,
    /// Items of each layer, from top to bottom.
    pub layers: Vec<Vec<usize>>,
    /// Items along each arrow, from its start to its end.
    pub routes: Vec<Vec<usize>>,
    /// Of each frame with something in it: top, bottom, first and last layer.
    pub frames: Vec<Option<Extent>>,
    pub height: i32,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub top: i32,
    pub bottom: i32,
    pub first: usize,
    pub last: usize,
}

/// What stands in which layer, and what it is connected with.
struct Draft {
    items: Vec<Item>,
    /// Of each item.
    layer: Vec<usize>,
    /// The innermost frame around each item.
    frame: Vec<Option<usize>>,
    /// Each frame and those around it, the outermost first.
    paths: Vec<Vec<usize>>,
    /// Items of each layer, from top to bottom.
    layers: Vec<Vec<usize>>,
    routes: Vec<Vec<usize>>,
    /// Neighbours of each item in the layers left and right of it.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    /// First and last layer of each frame with something in it.
    spans: Vec<Option<(usize, usize)>>,
}

impl Draft {
    /// Returns the frames around an item, the outermost first.
    fn path(&self, item: usize) -> &[usize] {
        self.frame[item].map_or(&[], |frame| &self.paths[frame])
    }

    fn height(&self, item: usize, metrics: &Metrics) -> i32 {
        match self.items[item] {
            Item::Box(at) => metrics.boxes[at],
            Item::Bend(_) => metrics.bend,
            Item::Hold(_) => 0,
        }
    }
}

/// Finds the places.
pub fn layout(picture: &Picture, metrics: &Metrics) -> Layout {
    let mut draft = layers::draft(picture);
    order::order(&mut draft);
    let top = place::settle(&draft, metrics);
    finish(draft, top, metrics)
}

fn finish(draft: Draft, top: Vec<i32>, metrics: &Metrics) -> Layout {
    let shift = top.iter().copied().min().unwrap_or(0);
    let top: Vec<i32> = top.into_iter().map(|at| at - shift).collect();
    let count = draft.items.len();
    let extent = |(frame, span): (usize, &Option<(usize, usize)>)| {
        let at = count + 2 * frame;
        span.map(|(first, last)| Extent { top: top[at], bottom: top[at + 1], first, last })
    };
    let frames: Vec<Option<Extent>> = draft.spans.iter().enumerate().map(extent).collect();
    let items = (0..count).map(|item| top[item] + draft.height(item, metrics));
    let height = items.chain(frames.iter().flatten().map(|extent| extent.bottom)).max().unwrap_or(0);
    let Draft { items, layer, layers, routes, .. } = draft;
    Layout { items, layer, top: top[..count].to_vec(), layers, routes, frames, height }
}

#[cfg(test)]
mod tests;
