//! Finds places for the boxes of a picture, from left to right.
//!
//! Boxes stand in layers: a box is right of everything it depends on. A long arrow has a bend in every layer it
//! passes, so that it has room of its own. Frames stay closed: within a layer the members of a frame are
//! neighbours, and frames have the same order in all layers, so that no frame ever overlaps a stranger.
//! Columns are left to the caller, who knows how much room arrows need between two layers.

use std::{cmp::Ordering, collections::BTreeMap};

use super::picture::Picture;

/// More bends than this are not worth it; the arrows that are left go straight.
const BENDS_MAX: usize = 200_000;

/// Rounds of putting neighbours next to each other.
const ROUNDS: usize = 12;

/// Stands for "no limit"; far enough from the ends of `i32` to be added to.
const FAR: std::ops::Range<i32> = i32::MIN / 4..i32::MAX / 4;

/// How large things are, in units of the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metrics {
    /// Height of a box.
    pub(crate) height: i32,
    /// Height that a bend takes.
    pub(crate) bend: i32,
    /// Between two things in a layer.
    pub(crate) gap: i32,
    /// Between the top of a frame and what is in it: its title stands there.
    pub(crate) frame_top: i32,
    /// Between what is in a frame and its bottom.
    pub(crate) frame_bottom: i32,
}

/// Something that has a place in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// By index.
    Box(usize),
    /// Of an arrow, by index: the first of those that share it.
    Bend(usize),
    /// Keeps a frame open in a layer where it has no box.
    Hold(usize),
}

/// Places from top to bottom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) items: Vec<Item>,
    /// Of each item.
    pub(crate) layer: Vec<usize>,
    /// Of each item.
    pub(crate) top: Vec<i32>,
    /// Items of each layer, from top to bottom.
    pub(crate) layers: Vec<Vec<usize>>,
    /// Items along each arrow, from its start to its end.
    pub(crate) routes: Vec<Vec<usize>>,
    /// Of each frame with something in it: top, bottom, first and last layer.
    pub(crate) frames: Vec<Option<Extent>>,
    pub(crate) height: i32,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) top: i32,
    pub(crate) bottom: i32,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// Finds the places.
pub(crate) fn layout(picture: &Picture, metrics: &Metrics) -> Layout {
    let mut draft = Draft::new(picture);
    for round in 0..ROUNDS {
        draft.order(round % 2 == 0);
    }
    let top = draft.settle(metrics);
    draft.finish(top, metrics)
}

/// Returns the layer of each box: as far left as its upstream allows; sources next to what they feed.
fn layers_of(picture: &Picture) -> Vec<usize> {
    let mut layer = vec![0; picture.boxes.len()];
    let mut feeds = vec![usize::MAX; picture.boxes.len()];
    let mut is_source = vec![true; picture.boxes.len()];
    let mut arrows = picture.arrows.clone();
    arrows.sort_unstable_by_key(|(from, to)| (*to, *from));
    for &(from, to) in &arrows {
        layer[to] = layer[to].max(layer[from] + 1);
        is_source[to] = false;
    }
    for &(from, to) in &arrows {
        feeds[from] = feeds[from].min(layer[to]);
    }
    for at in 0..layer.len() {
        if is_source[at] && feeds[at] != usize::MAX {
            layer[at] = feeds[at] - 1;
        }
    }
    layer
}

struct Draft<'a> {
    picture: &'a Picture,
    items: Vec<Item>,
    layer: Vec<usize>,
    /// Frames around each item, the outermost first.
    paths: Vec<Vec<usize>>,
    layers: Vec<Vec<usize>>,
    routes: Vec<Vec<usize>>,
    /// Neighbours of each item in the layers left and right of it.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    spans: Vec<Option<(usize, usize)>>,
}

impl<'a> Draft<'a> {
    fn new(picture: &'a Picture) -> Self {
        let mut layer = layers_of(picture);
        let mut items: Vec<Item> = (0..picture.boxes.len()).map(Item::Box).collect();
        let mut paths: Vec<Vec<usize>> = picture.boxes.iter().map(|one| picture.path(one.frame)).collect();
        let mut routes = Vec::with_capacity(picture.arrows.len());
        // Arrows of one start go together until they must part.
        let mut shared_bends: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
        for (arrow, &(from, to)) in picture.arrows.iter().enumerate() {
            let mut route = vec![from];
            if items.len() + layer[to] - layer[from] < BENDS_MAX {
                let shared = paths[from].iter().zip(&paths[to]).take_while(|(a, b)| a == b).count();
                for between in layer[from] + 1..layer[to] {
                    let bend = *shared_bends.entry((from, between, shared)).or_insert_with(|| {
                        items.push(Item::Bend(arrow));
                        layer.push(between);
                        paths.push(paths[from][..shared].to_vec());
                        items.len() - 1
                    });
                    route.push(bend);
                }
            }
            route.push(to);
            routes.push(route);
        }
        let mut spans: Vec<Option<(usize, usize)>> = vec![None; picture.frames.len()];
        for (path, at) in paths.iter().zip(&layer) {
            for frame in path {
                let (first, last) = spans[*frame].unwrap_or((*at, *at));
                spans[*frame] = Some((first.min(*at), last.max(*at)));
            }
        }
        for (frame, span) in spans.iter().enumerate() {
            let Some((first, last)) = *span else { continue };
            let mut is_there = vec![false; last - first + 1];
            for (path, at) in paths.iter().zip(&layer) {
                if path.contains(&frame) {
                    is_there[at - first] = true;
                }
            }
            for at in (first..=last).filter(|at| !is_there[at - first]) {
                items.push(Item::Hold(frame));
                layer.push(at);
                paths.push(picture.path(Some(frame)));
            }
        }
        let mut layers = vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)];
        for (item, at) in layer.iter().enumerate() {
            layers[*at].push(item);
        }
        let (mut left, mut right) = (vec![Vec::new(); items.len()], vec![Vec::new(); items.len()]);
        for step in routes.iter().flat_map(|route| route.windows(2)) {
            if !right[step[0]].contains(&step[1]) {
                right[step[0]].push(step[1]);
                left[step[1]].push(step[0]);
            }
        }
        Self { picture, items, layer, paths, layers, routes, left, right, spans }
    }

    /// Puts items near their neighbours, one layer after the other.
    fn order(&mut self, is_rightward: bool) {
        let mut place = vec![0.0; self.items.len()];
        for layer in &self.layers {
            for (at, item) in layer.iter().enumerate() {
                place[*item] = (at as f64 + 0.5) / layer.len() as f64;
            }
        }
        let middle = |neighbours: &[usize], place: &[f64]| {
            let sum: f64 = neighbours.iter().map(|item| place[*item]).sum();
            (!neighbours.is_empty()).then(|| sum / neighbours.len() as f64)
        };
        let count = self.layers.len();
        for step in 0..count {
            let at = if is_rightward { step } else { count - 1 - step };
            let neighbours = if is_rightward { &self.left } else { &self.right };
            for item in &self.layers[at] {
                if let Some(wish) = middle(&neighbours[*item], &place) {
                    place[*item] = wish;
                }
            }
        }
        // One key for a frame in all layers keeps frames in the same order everywhere.
        let mut sums = vec![(0.0, 0.0); self.picture.frames.len()];
        for (item, path) in self.paths.iter().enumerate() {
            for frame in path {
                sums[*frame].0 += place[item];
                sums[*frame].1 += 1.0;
            }
        }
        let frame_key: Vec<f64> = sums.iter().map(|(sum, count)| sum / f64::max(*count, 1.0)).collect();
        let paths = &self.paths;
        for layer in &mut self.layers {
            layer.sort_by(|a, b| compare(*a, *b, paths, &place, &frame_key));
        }
    }

    /// Finds the tops: items of a layer in their order, frames around theirs, everything near its neighbours.
    fn settle(&self, metrics: &Metrics) -> Vec<i32> {
        let mut column = Constraints::new(self.items.len() + 2 * self.picture.frames.len());
        let height = |item: usize| self.height(item, metrics);
        for layer in &self.layers {
            // What stands above, with the room it takes; and the frames that are open.
            let mut above: Option<(usize, i32)> = None;
            let mut open: &[usize] = &[];
            for item in layer {
                let path = &self.paths[*item];
                let shared = open.iter().zip(path).take_while(|(a, b)| a == b).count();
                above = self.close(&mut column, above, &open[shared..], metrics);
                for frame in &path[shared..] {
                    let var = self.frame_top(*frame);
                    column.add(above, var);
                    above = Some((var, metrics.frame_top));
                }
                column.add(above, *item);
                above = Some((*item, height(*item) + metrics.gap));
                open = path;
            }
            self.close(&mut column, above, open, metrics);
        }
        let centre = |item: usize, top: &[i32]| top[item] * 2 + height(item);
        column.solve(self.items.len(), |item, top| {
            let near = self.left[item].iter().chain(&self.right[item]);
            let (sum, count) =
                near.fold((0_i64, 0_i64), |(sum, n), other| (sum + i64::from(centre(*other, top)), n + 1));
            let wish = if count == 0 { return top[item] } else { sum / count };
            i32::try_from((wish - i64::from(height(item))).div_euclid(2)).unwrap_or(top[item])
        })
    }

    /// Closes frames, the innermost first.
    fn close(
        &self,
        column: &mut Constraints,
        mut above: Option<(usize, i32)>,
        frames: &[usize],
        metrics: &Metrics,
    ) -> Option<(usize, i32)> {
        for frame in frames.iter().rev() {
            let var = self.frame_top(*frame) + 1;
            column.add(above.map(|(var, room)| (var, room - metrics.gap + metrics.frame_bottom)), var);
            above = Some((var, metrics.gap));
        }
        above
    }

    fn frame_top(&self, frame: usize) -> usize {
        self.items.len() + 2 * frame
    }

    fn height(&self, item: usize, metrics: &Metrics) -> i32 {
        match self.items[item] {
            Item::Box(_) => metrics.height,
            Item::Bend(_) => metrics.bend,
            Item::Hold(_) => 0,
        }
    }

    fn finish(self, top: Vec<i32>, metrics: &Metrics) -> Layout {
        let shift = top.iter().copied().min().unwrap_or(0);
        let top: Vec<i32> = top.into_iter().map(|at| at - shift).collect();
        let frames: Vec<Option<Extent>> = self
            .spans
            .iter()
            .enumerate()
            .map(|(frame, span)| {
                let var = self.frame_top(frame);
                span.map(|(first, last)| Extent { top: top[var], bottom: top[var + 1], first, last })
            })
            .collect();
        let items = (0..self.items.len()).map(|item| top[item] + self.height(item, metrics));
        let height = items.chain(frames.iter().flatten().map(|extent| extent.bottom)).max().unwrap_or(0);
        let top = top[..self.items.len()].to_vec();
        Layout { items: self.items, layer: self.layer, top, layers: self.layers, routes: self.routes, frames, height }
    }
}

/// Orders two items of a layer: by the outermost frames that differ, then by place.
fn compare(a: usize, b: usize, paths: &[Vec<usize>], place: &[f64], frame_key: &[f64]) -> Ordering {
    let shared = paths[a].iter().zip(&paths[b]).take_while(|(x, y)| x == y).count();
    let key = |item: usize| match paths[item].get(shared) {
        Some(frame) => (frame_key[*frame], 0, *frame),
        None => (place[item], 1, item),
    };
    let (a, b) = (key(a), key(b));
    a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))
}

/// "This is at least so far below that", for many; solved by pushing down, then by pulling together.
struct Constraints {
    /// Of each variable: what is above it, and how far.
    above: Vec<Vec<(usize, i32)>>,
    below: Vec<Vec<(usize, i32)>>,
}

impl Constraints {
    fn new(count: usize) -> Self {
        Self { above: vec![Vec::new(); count], below: vec![Vec::new(); count] }
    }

    fn add(&mut self, above: Option<(usize, i32)>, var: usize) {
        if let Some((other, room)) = above {
            self.above[var].push((other, room));
            self.below[other].push((var, room));
        }
    }

    /// Returns the place of every variable. The first `items` wish for places; then come the tops and bottoms of
    /// frames in turn, which close around their items.
    fn solve(&self, items: usize, wish: impl Fn(usize, &[i32]) -> i32) -> Vec<i32> {
        let order = self.order();
        let is_top = |var: usize| var >= items && (var - items).is_multiple_of(2);
        let is_bottom = |var: usize| var >= items && !(var - items).is_multiple_of(2);
        let lowest = |var: usize, at: &[i32]| self.below[var].iter().map(|(other, room)| at[*other] - room).min();
        let highest = |var: usize, at: &[i32]| self.above[var].iter().map(|(other, room)| at[*other] + room).max();
        let mut at = vec![0; self.above.len()];
        for var in &order {
            at[*var] = highest(*var, &at).unwrap_or(0);
        }
        for round in 0..2 * ROUNDS {
            // Frames give way as far as they can, items move, frames close again.
            for var in order.iter().copied().filter(|var| is_top(*var)) {
                at[var] = highest(var, &at).unwrap_or(FAR.start);
            }
            for var in order.iter().rev().copied().filter(|var| is_bottom(*var)) {
                at[var] = lowest(var, &at).unwrap_or(FAR.end);
            }
            let mut step = |var: usize| {
                if var < items {
                    let high = lowest(var, &at).unwrap_or(FAR.end);
                    let low = highest(var, &at).unwrap_or(FAR.start);
                    at[var] = wish(var, &at).min(high).max(low);
                }
            };
            if round % 2 == 0 {
                order.iter().for_each(|var| step(*var));
            } else {
                order.iter().rev().for_each(|var| step(*var));
            }
            for var in order.iter().rev().copied().filter(|var| is_top(*var)) {
                at[var] = lowest(var, &at).unwrap_or(0);
            }
            for var in order.iter().copied().filter(|var| is_bottom(*var)) {
                at[var] = highest(var, &at).unwrap_or(0);
            }
        }
        at
    }

    /// Returns the variables so that what is above comes first.
    fn order(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.above.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..waiting.len()).filter(|var| waiting[*var] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            for (other, _) in &self.below[order[next]] {
                waiting[*other] -= 1;
                if waiting[*other] == 0 {
                    order.push(*other);
                }
            }
            next += 1;
        }
        assert_eq!(order.len(), waiting.len(), "frames have one order in all layers, so nothing is above itself");
        order
    }
}

#[cfg(test)]
mod tests;
