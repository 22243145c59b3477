//! Finds places from top to bottom: layers in their order, frames around what they hold, everything near its neighbours.
//!
//! What must be kept is a list of "this is at least so far below that". What is wished for is that every arrow is
//! straight. Layer by layer, with the rest held still, the best compromise is known exactly: things that press against
//! each other become a block that goes where it is best for all of them. Frames reach over many layers: they give way
//! while what they hold moves, close again, and move as a whole.

use super::{Draft, Item, Metrics};

/// Rounds, and where items look in them: first all to one side, then all to the other; at last to where they have more
/// neighbours, so that a parent stands in the middle of its children.
const ROUNDS: [(usize, Look); 3] = [(4, Look::ThereAndBack), (3, Look::Around), (4, Look::ToMost)];

/// Stands for "no limit".
const FAR: f64 = 1e9;

/// How much an arrow wants to be straight, by the number of its ends that are bends: the longer, the more.
const STRAIGHT: [f64; 3] = [1.0, 2.0, 8.0];

/// How much more so when neither end has another arrow on its side.
const ALONE: f64 = 6.0;

/// How much an item that has no neighbours wants to stay where it is.
const LAZY: f64 = 0.01;

/// Returns the top of each item, then top and bottom of each frame in turn.
pub(super) fn settle(draft: &Draft, metrics: &Metrics) -> Vec<i32> {
    let mut column = Column::new(draft, metrics);
    column.push_down();
    let rounds = ROUNDS.iter().flat_map(|(count, look)| std::iter::repeat_n(*look, *count));
    for look in rounds {
        for is_rightward in [true, false] {
            let sides = match (look, is_rightward) {
                (Look::ThereAndBack, true) => Sides::Left,
                (Look::ThereAndBack, false) => Sides::Right,
                (Look::Around, _) => Sides::Both,
                (Look::ToMost, _) => Sides::Most,
            };
            column.open_frames();
            let count = draft.layers.len();
            for step in 0..count {
                column.move_layer(if is_rightward { step } else { count - 1 - step }, sides);
            }
            column.close_frames();
            column.move_frames();
        }
    }
    column.straighten();
    column.straighten_bends();
    column.rounded()
}

/// Where items look in a round.
#[derive(Clone, Copy, Debug)]
enum Look {
    ThereAndBack,
    Around,
    ToMost,
}

/// Which neighbours of an item count.
#[derive(Clone, Copy, Debug)]
enum Sides {
    Left,
    Right,
    Both,
    /// Those of the side that has more; both when there are as many.
    Most,
}

/// A variable of a layer's chain, and how far at least it is below the one before it.
#[derive(Clone, Copy, Debug)]
struct Link {
    var: usize,
    room: f64,
}

impl Link {
    fn new(var: usize, room: i32) -> Self {
        Self { var, room: f64::from(room) }
    }
}

struct Column<'a> {
    draft: &'a Draft,
    /// Half the height of each item.
    half: Vec<f64>,
    snap: f64,
    /// Of each layer: items, and tops and bottoms of frames, from top to bottom.
    chains: Vec<Vec<Link>>,
    /// Of each variable: what is above it, and how far; and the same below.
    above: Vec<Vec<(usize, f64)>>,
    below: Vec<Vec<(usize, f64)>>,
    /// The variables, so that what is above comes first.
    order: Vec<usize>,
    /// Of each frame: the variables in it, its own included.
    members: Vec<Vec<usize>>,
    /// Of each frame: arrows that lead out of it, as item inside, item outside, weight.
    ties: Vec<Vec<(usize, usize, f64)>>,
    at: Vec<f64>,
}

impl<'a> Column<'a> {
    fn new(draft: &'a Draft, metrics: &Metrics) -> Self {
        let count = draft.items.len() + 2 * draft.paths.len();
        let mut column = Self {
            half: (0..draft.items.len()).map(|item| f64::from(draft.height(item, metrics)) / 2.0).collect(),
            snap: f64::from(metrics.snap),
            chains: Vec::with_capacity(draft.layers.len()),
            above: vec![Vec::new(); count],
            below: vec![Vec::new(); count],
            order: Vec::new(),
            members: vec![Vec::new(); draft.paths.len()],
            ties: vec![Vec::new(); draft.paths.len()],
            at: vec![0.0; count],
            draft,
        };
        for layer in &draft.layers {
            let chain = column.chain(layer, metrics);
            chain.windows(2).for_each(|pair| column.bind(pair[0].var, pair[1].var, pair[1].room));
            column.chains.push(chain);
        }
        for (frame, room) in metrics.frames.iter().enumerate() {
            if draft.spans.get(frame).is_some_and(Option::is_some) {
                let top = column.top_of(frame);
                column.bind(top, top + 1, f64::from(*room));
            }
        }
        column.order = column.sorted();
        column.find_members();
        column
    }

    fn top_of(&self, frame: usize) -> usize {
        self.draft.items.len() + 2 * frame
    }

    fn bind(&mut self, above: usize, below: usize, room: f64) {
        self.above[below].push((above, room));
        self.below[above].push((below, room));
    }

    /// Puts a layer's items and its frames in line, with the room between them.
    fn chain(&self, layer: &[usize], metrics: &Metrics) -> Vec<Link> {
        let draft = self.draft;
        let mut chain: Vec<Link> = Vec::with_capacity(layer.len());
        // What stands above: how high it is, and whether it is a bend.
        let mut last: Option<(i32, bool)> = None;
        let mut open: &[usize] = &[];
        for item in layer {
            let path = draft.path(*item);
            let shared = open.iter().zip(path).take_while(|(a, b)| a == b).count();
            self.close(&mut chain, &mut last, &open[shared..], metrics);
            for (step, frame) in path[shared..].iter().enumerate() {
                let room = match (step, last) {
                    (0, Some((height, _))) => height + metrics.gap,
                    (0, None) => 0,
                    _ => metrics.frame_top,
                };
                chain.push(Link::new(self.top_of(*frame), room));
            }
            let is_bend = !matches!(draft.items[*item], Item::Box(_));
            let room = match last {
                _ if path.len() > shared => metrics.frame_top,
                Some((height, was_bend)) => height + if is_bend || was_bend { metrics.bend_gap } else { metrics.gap },
                None => 0,
            };
            chain.push(Link::new(*item, room));
            last = Some((draft.height(*item, metrics), is_bend));
            open = path;
        }
        self.close(&mut chain, &mut last, open, metrics);
        chain
    }

    /// Closes frames, the innermost first.
    fn close(&self, chain: &mut Vec<Link>, last: &mut Option<(i32, bool)>, frames: &[usize], metrics: &Metrics) {
        for frame in frames.iter().rev() {
            let height = last.map_or(0, |(height, _)| height);
            chain.push(Link::new(self.top_of(*frame) + 1, height + metrics.frame_bottom));
            *last = Some((0, false));
        }
    }

    fn sorted(&self) -> Vec<usize> {
        let mut waits_for: Vec<usize> = self.above.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..waits_for.len()).filter(|var| waits_for[*var] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            for (other, _) in &self.below[order[next]] {
                waits_for[*other] -= 1;
                if waits_for[*other] == 0 {
                    order.push(*other);
                }
            }
            next += 1;
        }
        debug_assert_eq!(order.len(), waits_for.len(), "frames have one order, so nothing is above itself");
        order
    }

    fn find_members(&mut self) {
        let draft = self.draft;
        for item in 0..draft.items.len() {
            for frame in draft.path(item) {
                self.members[*frame].push(item);
            }
            for other in &draft.right[item] {
                let weight = self.weight(item, *other);
                let (from, to) = (draft.path(item), draft.path(*other));
                let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
                from[shared..].iter().for_each(|frame| self.ties[*frame].push((item, *other, weight)));
                to[shared..].iter().for_each(|frame| self.ties[*frame].push((*other, item, weight)));
            }
        }
        for (frame, path) in draft.paths.iter().enumerate() {
            let top = self.top_of(frame);
            for outer in path {
                self.members[*outer].extend([top, top + 1]);
            }
        }
    }

    fn weight(&self, a: usize, b: usize) -> f64 {
        let is_bend = |item: usize| usize::from(matches!(self.draft.items[item], Item::Bend(_)));
        let (left, right) = if self.draft.layer[a] < self.draft.layer[b] { (a, b) } else { (b, a) };
        let is_alone = self.draft.right[left].len() == 1 && self.draft.left[right].len() == 1;
        STRAIGHT[is_bend(a) + is_bend(b)] * if is_alone { ALONE } else { 1.0 }
    }

    fn centre(&self, item: usize) -> f64 {
        self.at[item] + self.half[item]
    }

    /// Returns the highest place that what is above leaves to a variable.
    fn highest(&self, var: usize) -> Option<f64> {
        self.above[var].iter().map(|(other, room)| self.at[*other] + room).reduce(f64::max)
    }

    fn lowest(&self, var: usize) -> Option<f64> {
        self.below[var].iter().map(|(other, room)| self.at[*other] - room).reduce(f64::min)
    }

    fn push_down(&mut self) {
        for step in 0..self.order.len() {
            let var = self.order[step];
            self.at[var] = self.highest(var).unwrap_or(0.0);
        }
    }

    fn is_top(&self, var: usize) -> bool {
        var >= self.draft.items.len() && (var - self.draft.items.len()).is_multiple_of(2)
    }

    fn is_bottom(&self, var: usize) -> bool {
        var >= self.draft.items.len() && !self.is_top(var)
    }

    /// Makes frames as large as what is around them allows.
    fn open_frames(&mut self) {
        for step in 0..self.order.len() {
            let var = self.order[step];
            if self.is_top(var) {
                self.at[var] = self.highest(var).unwrap_or(-FAR);
            }
        }
        for step in (0..self.order.len()).rev() {
            let var = self.order[step];
            if self.is_bottom(var) {
                self.at[var] = self.lowest(var).unwrap_or(FAR);
            }
        }
    }

    /// Makes frames as small as what is in them allows.
    fn close_frames(&mut self) {
        for step in (0..self.order.len()).rev() {
            let var = self.order[step];
            if self.is_top(var) {
                self.at[var] = self.lowest(var).unwrap_or(0.0);
            }
        }
        for step in 0..self.order.len() {
            let var = self.order[step];
            if self.is_bottom(var) {
                self.at[var] = self.highest(var).unwrap_or(0.0);
            }
        }
    }

    /// Where an item wants its top to be, and how much.
    fn wish(&self, item: usize, sides: Sides) -> (f64, f64) {
        let (left, right) = (&self.draft.left[item], &self.draft.right[item]);
        let (uses_left, uses_right) = match sides {
            Sides::Left => (true, left.is_empty()),
            Sides::Right => (right.is_empty(), true),
            Sides::Both => (true, true),
            Sides::Most => (left.len() >= right.len(), right.len() >= left.len()),
        };
        let (mut sum, mut total) = (0.0, 0.0);
        for (others, is_used) in [(left, uses_left), (right, uses_right)] {
            for other in others.iter().filter(|_| is_used) {
                let weight = self.weight(item, *other);
                sum += weight * self.centre(*other);
                total += weight;
            }
        }
        if total > 0.0 { (sum / total - self.half[item], total) } else { (self.at[item], LAZY) }
    }

    /// Moves the items of a layer to where it is best for all of them together.
    fn move_layer(&mut self, layer: usize, sides: Sides) {
        let chain = &self.chains[layer];
        // Measured from the place that each would have if the layer were packed, the items must only not pass each other.
        let mut packed = 0.0;
        let mut top = -f64::INFINITY;
        let mut items: Vec<(usize, f64, f64)> = Vec::with_capacity(chain.len());
        let mut blocks: Vec<Block> = Vec::with_capacity(chain.len());
        for link in chain {
            packed += link.room;
            if link.var >= self.draft.items.len() {
                top = top.max(self.at[link.var] - packed);
                continue;
            }
            let (wish, weight) = self.wish(link.var, sides);
            items.push((link.var, packed, top));
            let mut block = Block { sum: weight * (wish - packed), weight, count: 1 };
            while let Some(last) = blocks.pop_if(|last| last.place() >= block.place()) {
                block = Block {
                    sum: last.sum + block.sum,
                    weight: last.weight + block.weight,
                    count: last.count + block.count,
                };
            }
            blocks.push(block);
        }
        let places = blocks.iter().flat_map(|block| std::iter::repeat_n(block.place(), block.count));
        let mut moved: Vec<(usize, f64, f64)> =
            items.iter().zip(places).map(|((item, packed, top), place)| (*item, *packed, place.max(*top))).collect();
        let mut bottom = f64::INFINITY;
        for link in chain.iter().rev() {
            if link.var >= self.draft.items.len() {
                bottom = bottom.min(self.at[link.var] - packed);
            } else if let Some((item, packed, place)) = moved.pop() {
                self.at[item] = place.min(bottom) + packed;
            }
            packed -= link.room;
        }
    }

    /// Moves whole frames to where most of their arrows are straight.
    fn move_frames(&mut self) {
        for frame in 0..self.ties.len() {
            let ties = self.ties[frame].iter();
            let pulls = ties.map(|(inside, outside, weight)| (self.centre(*outside) - self.centre(*inside), *weight));
            let Some(wish) = middle(pulls.collect()) else { continue };
            let top = self.top_of(frame);
            let up = self.highest(top).map_or(-FAR, |limit| (limit - self.at[top]).min(0.0));
            let down = self.lowest(top + 1).map_or(FAR, |limit| (limit - self.at[top + 1]).max(0.0));
            let step = wish.clamp(up, down);
            for member in 0..self.members[frame].len() {
                let var = self.members[frame][member];
                self.at[var] += step;
            }
        }
    }

    /// Puts the bends of an arrow into as few lines as there is room for.
    fn straighten_bends(&mut self) {
        let draft = self.draft;
        let is_bend = |item: usize| matches!(draft.items[item], Item::Bend(_));
        let mut is_done = vec![false; draft.items.len()];
        for start in draft.layers.iter().flatten().copied().filter(|item| is_bend(*item)) {
            if is_done[start] {
                continue;
            }
            let before = draft.left[start].first().copied();
            let mut line = vec![start];
            let (mut high, mut low) = self.room_of(start);
            let mut last = start;
            while let Some(next) = draft.right[last].iter().copied().find(|next| is_bend(*next) && !is_done[*next]) {
                let (higher, lower) = self.room_of(next);
                if f64::max(high, higher) > f64::min(low, lower) {
                    break;
                }
                (high, low) = (high.max(higher), low.min(lower));
                line.push(next);
                last = next;
            }
            // Best in a line with where it comes from, or else with where it goes.
            let own = self.half[start];
            let ends = before.into_iter().chain(draft.right[last].iter().copied());
            let places = ends.map(|end| self.centre(end) - own).find(|place| (high..=low).contains(place));
            let sum: f64 = line.iter().map(|item| self.at[*item]).sum();
            let place = places.unwrap_or_else(|| (sum / line.len() as f64).clamp(high, low));
            for item in line {
                self.at[item] = place;
                is_done[item] = true;
            }
        }
    }

    /// Returns the highest and the lowest place that is free for an item.
    fn room_of(&self, item: usize) -> (f64, f64) {
        let high = self.highest(item).unwrap_or(-FAR);
        (high, self.lowest(item).unwrap_or(FAR).max(high))
    }

    /// Puts what is nearly in a line with its only neighbour into that line.
    fn straighten(&mut self) {
        for is_rightward in [true, false] {
            let count = self.chains.len();
            for step in 0..count {
                let layer = if is_rightward { step } else { count - 1 - step };
                for at in 0..self.chains[layer].len() {
                    let var = self.chains[layer][at].var;
                    if var < self.draft.items.len() {
                        self.snap(var, is_rightward);
                    }
                }
            }
        }
    }

    fn snap(&mut self, item: usize, is_rightward: bool) {
        let (near, far) = match is_rightward {
            true => (&self.draft.left[item], &self.draft.right[item]),
            false => (&self.draft.right[item], &self.draft.left[item]),
        };
        let [only] = near.as_slice() else { return };
        let step = self.centre(*only) - self.centre(item);
        // What is straight on its other side stays so.
        let is_straight = far.len() == 1 && (self.centre(far[0]) - self.centre(item)).abs() < 0.5;
        if step.abs() > self.snap || step == 0.0 || is_straight && !is_rightward {
            return;
        }
        let place = self.at[item] + step;
        let fits = self.highest(item).is_none_or(|limit| limit <= place)
            && self.lowest(item).is_none_or(|limit| place <= limit);
        if fits {
            self.at[item] = place;
        }
    }

    /// Returns whole numbers that keep what must be kept.
    fn rounded(mut self) -> Vec<i32> {
        for step in 0..self.order.len() {
            let var = self.order[step];
            let place = self.at[var].round();
            self.at[var] = self.highest(var).map_or(place, |limit| place.max(limit));
        }
        self.close_frames();
        #[expect(clippy::cast_possible_truncation, reason = "a picture is smaller than two thousand million units")]
        self.at.iter().map(|place| place.clamp(-FAR, FAR) as i32).collect()
    }
}

/// Returns the number in the middle, by weight.
fn middle(mut numbers: Vec<(f64, f64)>) -> Option<f64> {
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = numbers.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let past = numbers.iter().find(|(_, weight)| {
        sum += weight;
        sum >= half
    });
    past.map(|(number, _)| *number)
}

/// Items that press against each other.
struct Block {
    /// Of their wishes, by weight.
    sum: f64,
    weight: f64,
    count: usize,
}

impl Block {
    fn place(&self) -> f64 {
        self.sum / self.weight
    }
}
