//! Says what stands in which layer: boxes, the bends of long arrows, and what keeps a frame open.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Draft, Item};
use crate::graph::picture::Picture;

/// More bends, or more that keeps frames open, is not worth its time: arrows that are left go straight.
const EXTRA_MAX: usize = 60_000;

/// More steps of all arrows together are not followed.
const STEPS_MAX: usize = 400_000;

/// Makes a draft of a picture; the layers are in no order yet.
pub(super) fn draft(picture: &Picture) -> Draft {
    let layer = layers_of(picture);
    let mut draft = Draft {
        items: (0..picture.boxes.len()).map(Item::Box).collect(),
        frame: picture.boxes.iter().map(|one| one.frame).collect(),
        paths: (0..picture.frames.len()).map(|frame| picture.path(Some(frame))).collect(),
        layers: vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)],
        routes: Vec::with_capacity(picture.arrows.len()),
        left: Vec::new(),
        right: Vec::new(),
        spans: vec![None; picture.frames.len()],
        layer,
    };
    draft.measure_frames();
    draft.add_bends(picture);
    draft.add_holds();
    for (item, at) in draft.layer.iter().enumerate() {
        draft.layers[*at].push(item);
    }
    draft.connect();
    draft
}

/// Returns the layer of each box: as far left as its upstream allows. What feeds more than it is fed by stands next to
/// what it feeds, so that arrows are short.
fn layers_of(picture: &Picture) -> Vec<usize> {
    let count = picture.boxes.len();
    let mut layer = vec![0; count];
    let (mut fed_by, mut next) = (vec![0_usize; count], vec![Vec::new(); count]);
    let mut arrows: Vec<(usize, usize)> = picture.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
    arrows.sort_unstable_by_key(|(from, to)| (*to, *from));
    for &(from, to) in &arrows {
        layer[to] = layer[to].max(layer[from] + 1);
        fed_by[to] += 1;
        next[from].push(to);
    }
    for at in (0..count).rev() {
        if next[at].len() > fed_by[at]
            && let Some(nearest) = next[at].iter().map(|to| layer[*to]).min()
        {
            layer[at] = nearest - 1;
        }
    }
    layer
}

impl Draft {
    fn add(&mut self, item: Item, layer: usize, frame: Option<usize>) -> usize {
        self.items.push(item);
        self.layer.push(layer);
        self.frame.push(frame);
        self.items.len() - 1
    }

    /// Arrows of one start go together until they must part. An arrow stays in the frames around its start as far as
    /// they reach, and then enters those around its end.
    fn add_bends(&mut self, picture: &Picture) {
        let mut shared: BTreeMap<(usize, Option<usize>, usize), usize> = BTreeMap::new();
        let most = self.items.len() + EXTRA_MAX;
        let mut steps = 0;
        for (at, arrow) in picture.arrows.iter().enumerate() {
            let (from, to) = (arrow.from, arrow.to);
            let between = self.layer[from] + 1..self.layer[to];
            let mut route = vec![from];
            if self.items.len() + between.len() <= most && steps + between.len() <= STEPS_MAX {
                steps += between.len();
                for layer in between {
                    let around = self.around(from, to, layer);
                    let bend = match shared.get(&(from, around, layer)) {
                        Some(bend) => *bend,
                        None => self.add(Item::Bend(at), layer, around),
                    };
                    shared.insert((from, around, layer), bend);
                    route.push(bend);
                }
            }
            route.push(to);
            self.routes.push(route);
        }
    }

    /// The innermost frame that an arrow is in when it passes a layer.
    fn around(&self, from: usize, to: usize, layer: usize) -> Option<usize> {
        let reaches = |frame: &&usize| self.spans[**frame].is_some_and(|(first, last)| (first..=last).contains(&layer));
        let (start, end) = (self.path(from), self.path(to));
        let shared = start.iter().zip(end).take_while(|(a, b)| a == b).count();
        let inner = |path: &[usize]| path[shared..].iter().take_while(reaches).last().copied();
        inner(start).or_else(|| inner(end)).or_else(|| start[..shared].last().copied())
    }

    /// Finds the first and last layer of each frame.
    fn measure_frames(&mut self) {
        for item in 0..self.items.len() {
            let at = self.layer[item];
            let Some(frame) = self.frame[item] else { continue };
            for around in &self.paths[frame] {
                let (first, last) = self.spans[*around].unwrap_or((at, at));
                self.spans[*around] = Some((first.min(at), last.max(at)));
            }
        }
    }

    /// Keeps frames open in layers where they hold nothing.
    fn add_holds(&mut self) {
        let width = |span: &Option<(usize, usize)>| span.map_or(0, |(first, last)| last - first + 1);
        if self.spans.iter().map(width).sum::<usize>() > EXTRA_MAX {
            return;
        }
        let mut is_there: Vec<Vec<bool>> = self.spans.iter().map(|span| vec![false; width(span)]).collect();
        let start = |frame: usize, spans: &[Option<(usize, usize)>]| spans[frame].map_or(0, |(first, _)| first);
        for item in 0..self.items.len() {
            for frame in self.path(item) {
                is_there[*frame][self.layer[item] - start(*frame, &self.spans)] = true;
            }
        }
        let mut innermost_first: Vec<usize> = (0..self.spans.len()).collect();
        innermost_first.sort_by_key(|frame| Reverse(self.paths[*frame].len()));
        for frame in innermost_first {
            for step in 0..is_there[frame].len() {
                let layer = start(frame, &self.spans) + step;
                if !is_there[frame][step] {
                    self.add(Item::Hold(frame), layer, Some(frame));
                    // It holds the frames around it, too.
                    for outer in &self.paths[frame] {
                        is_there[*outer][layer - start(*outer, &self.spans)] = true;
                    }
                }
            }
        }
    }

    fn connect(&mut self) {
        self.left = vec![Vec::new(); self.items.len()];
        self.right = vec![Vec::new(); self.items.len()];
        let mut steps: Vec<(usize, usize)> =
            self.routes.iter().flat_map(|route| route.windows(2)).map(|step| (step[0], step[1])).collect();
        steps.sort_unstable();
        steps.dedup();
        for (from, to) in steps {
            self.right[from].push(to);
            self.left[to].push(from);
        }
    }
}
