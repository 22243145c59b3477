//! Where everything is, in pixels: boxes, frames, and ways of arrows that turn at right angles.
//!
//! A box is as wide as its label; a frame has room for its title; the last part of an arrow has room for its label.

use super::{
    layout::{Extent, Item, Layout, Metrics, layout},
    picture::Picture,
    tracks::{self, Tracks},
};

/// Height of a box: a label of 13 pixels, and a smaller line below it.
pub const BOX_HEIGHT: i32 = 44;
/// Width of a box, at least and at most; a longer label is cut by whoever draws it.
pub const BOX_WIDTH: (i32, i32) = (112, 304);
/// Height of a frame's title.
pub const TITLE_HEIGHT: i32 = 22;

/// Left and right of a label, for a mark of the state and the border.
const BOX_PADDING: i32 = 44;
/// Widths are multiples of this, so that columns look alike.
const BOX_STEP: i32 = 8;
/// Between a frame's side and what is in it.
const FRAME_SIDE: i32 = 16;
/// Around the whole.
const MARGIN: i32 = 16;
/// Between the layers when all arrows go straight.
const LAYER_GAP: i32 = 52;
/// From a box to the first track.
const LEAD_OUT: i32 = 18;
/// From the last track to a box: room for the head of the arrow.
const LEAD_IN: i32 = 24;
/// Between two tracks, if there are not too many.
const TRACK_GAP: i32 = 10;
/// Parallel lines nearer than this look like one.
const APART: i32 = 6;
/// So far from the middle of a box an arrow may begin or end, when it is straight then.
const OFF_CENTRE: i32 = 10;
/// Widest that the tracks between two layers become.
const TRACKS_WIDTH: i32 = 480;

/// The way that the arrows go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From left to right.
    #[default]
    Right,
    /// From top to bottom.
    Down,
}

/// A rectangle, from its top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    pub width: i32,
    pub height: i32,
    /// Of each box.
    pub boxes: Vec<Rect>,
    /// Of each frame with something in it.
    pub frames: Vec<Option<Rect>>,
    /// The corners of each arrow, from its start to its end.
    pub arrows: Vec<Vec<(i32, i32)>>,
}

/// Finds out where everything is.
pub fn draw(picture: &Picture, direction: Direction) -> Drawing {
    let widths: Vec<i32> = picture.boxes.iter().map(|one| box_width(&one.label, &one.kind)).collect();
    let heights = vec![BOX_HEIGHT; widths.len()];
    let titles: Vec<i32> = picture.frames.iter().map(|frame| title_width(&frame.label)).collect();
    let (across, along, frame_heights) = match direction {
        Direction::Right => (heights, widths, Vec::new()),
        Direction::Down => (widths, heights, titles.clone()),
    };
    let metrics = Metrics {
        boxes: across,
        frames: frame_heights,
        bend: 4,
        gap: if direction == Direction::Right { 18 } else { 28 },
        bend_gap: 14,
        frame_top: if direction == Direction::Right { TITLE_HEIGHT + FRAME_SIDE } else { FRAME_SIDE },
        frame_bottom: FRAME_SIDE,
        snap: 20,
    };
    let places = layout(picture, &metrics);
    let ports = Ports::new(&places, &metrics);
    let page = Page { picture, direction, along: &along, metrics: &metrics, places: &places, ports: &ports };
    page.draw(&titles)
}

/// Returns the width of a box.
fn box_width(label: &str, kind: &str) -> i32 {
    let text = text_width(label, 13).max(text_width(kind, 11));
    let wide = (text + BOX_PADDING).div_euclid(BOX_STEP) * BOX_STEP + BOX_STEP;
    wide.clamp(BOX_WIDTH.0, BOX_WIDTH.1)
}

fn title_width(title: &str) -> i32 {
    (text_width(title, 12) + 48).min(BOX_WIDTH.1)
}

/// Estimates how wide a text is in a usual font of this size, half bold.
pub fn text_width(text: &str, size: i32) -> i32 {
    let hundredths = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' => 31,
        'f' | 't' | 'r' | ' ' | '-' | '/' => 40,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 92,
        'A'..='Z' | '_' | '&' => 68,
        // Scripts of East Asia, and pictures.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{ffff}' | '\u{1f000}'.. => 105,
        _ => 59,
    };
    let sum: i32 = text.chars().take(1_000).map(hundredths).sum();
    (sum * size + 99) / 100
}

/// What a page is put together from.
struct Page<'a> {
    picture: &'a Picture,
    direction: Direction,
    /// Size of each box along the layers.
    along: &'a [i32],
    metrics: &'a Metrics,
    places: &'a Layout,
    ports: &'a Ports,
}

/// Where arrows reach and leave items, across.
struct Ports {
    into: Vec<i32>,
    out: Vec<i32>,
}

impl Ports {
    /// In the middle; a little beside it where the only arrow on that side is straight then.
    fn new(places: &Layout, metrics: &Metrics) -> Self {
        let centre = |(item, kind): (usize, &Item)| {
            let height = match *kind {
                Item::Box(at) => metrics.boxes[at],
                Item::Bend(_) => metrics.bend,
                Item::Hold(_) => 0,
            };
            places.top[item] + height / 2
        };
        let into: Vec<i32> = places.items.iter().enumerate().map(centre).collect();
        let mut ports = Self { out: into.clone(), into };
        let mut steps: Vec<(usize, usize)> =
            places.routes.iter().flat_map(|route| route.windows(2)).map(|step| (step[0], step[1])).collect();
        steps.sort_unstable();
        steps.dedup();
        let (mut leave, mut arrive) = (vec![0_u32; places.items.len()], vec![0_u32; places.items.len()]);
        for (from, to) in &steps {
            leave[*from] += 1;
            arrive[*to] += 1;
        }
        let is_box = |item: usize| matches!(places.items[item], Item::Box(_));
        let is_near = |a: i32, b: i32| (a - b).abs() <= OFF_CENTRE;
        for (from, to) in &steps {
            if leave[*from] == 1 && is_box(*from) && is_near(ports.out[*from], ports.into[*to]) {
                ports.out[*from] = ports.into[*to];
            }
        }
        for (from, to) in &steps {
            if arrive[*to] == 1 && is_box(*to) && is_near(ports.out[*from], ports.into[*to]) {
                ports.into[*to] = ports.out[*from];
            }
        }
        ports
    }
}

/// Where the layers are, along.
struct Columns {
    start: Vec<i32>,
    room: Vec<i32>,
    /// First track behind each layer.
    track: Vec<i32>,
    tracks: Vec<Tracks>,
    /// Of each frame, from where to where.
    frames: Vec<(i32, i32)>,
    end: i32,
}

impl Page<'_> {
    fn draw(&self, titles: &[i32]) -> Drawing {
        let columns = self.columns(titles);
        let rect = |along: i32, across: i32, length: i32, height: i32| {
            let (x, y, width, height) = match self.direction {
                Direction::Right => (along, across, length, height),
                Direction::Down => (across, along, height, length),
            };
            Rect { x: x + MARGIN, y: y + MARGIN, width, height }
        };
        let mut boxes = vec![Rect::default(); self.picture.boxes.len()];
        for (item, kind) in self.places.items.iter().enumerate() {
            if let Item::Box(at) = *kind {
                let start = columns.start[self.places.layer[item]];
                boxes[at] = rect(start, self.places.top[item], self.along[at], self.metrics.boxes[at]);
            }
        }
        let frame = |(at, extent): (usize, &Option<Extent>)| {
            let (start, end) = columns.frames[at];
            extent.map(|extent| rect(start, extent.top, end - start, extent.bottom - extent.top))
        };
        let frames: Vec<Option<Rect>> = self.places.frames.iter().enumerate().map(frame).collect();
        let whole = rect(0, 0, columns.end, self.places.height);
        let turned = |corner: (i32, i32)| match self.direction {
            Direction::Right => (corner.0 + MARGIN, corner.1 + MARGIN),
            Direction::Down => (corner.1 + MARGIN, corner.0 + MARGIN),
        };
        let arrows = self.places.routes.iter().zip(&self.picture.arrows).map(|(route, arrow)| {
            let mut corners: Vec<(i32, i32)> = self.corners(route, &columns).into_iter().map(turned).collect();
            if arrow.is_back {
                corners.reverse();
            }
            corners
        });
        Drawing {
            width: whole.width + 2 * MARGIN,
            height: whole.height + 2 * MARGIN,
            arrows: arrows.collect(),
            boxes,
            frames,
        }
    }

    fn columns(&self, titles: &[i32]) -> Columns {
        let count = self.places.layers.len();
        let mut room = vec![0; count];
        for (item, kind) in self.places.items.iter().enumerate() {
            if let Item::Box(at) = *kind {
                let layer = self.places.layer[item];
                room[layer] = room[layer].max(self.along[at]);
            }
        }
        let sides = self.sides();
        let tracks = self.tracks();
        let labels = self.label_rooms();
        let gap = |layer: usize| {
            let ways = match tracks[layer].count {
                0 => 0,
                count => LEAD_OUT + track_place(count - 1, count) + LEAD_IN,
            };
            let before = sides.before.get(layer + 1).copied().unwrap_or(0);
            sides.after[layer] + (ways + labels[layer]).max(LAYER_GAP) + before
        };
        let gaps: Vec<i32> = (0..count).map(gap).collect();
        if self.direction == Direction::Right {
            self.make_room_for_titles(&mut room, &gaps, &sides, titles);
        }
        let (mut start, mut track) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut at = sides.before.first().copied().unwrap_or(0);
        let mut end = 0;
        for layer in 0..count {
            start.push(at);
            end = at + room[layer] + sides.after[layer];
            // Tracks keep off the frames that end before them.
            track.push(end + LEAD_OUT);
            at += room[layer] + gaps[layer];
        }
        let frames = self.places.frames.iter().enumerate().map(|(frame, extent)| {
            extent.map_or((0, 0), |extent| {
                let (before, after) = sides.of[frame];
                (start[extent.first] - before, start[extent.last] + room[extent.last] + after)
            })
        });
        Columns { frames: frames.collect(), start, room, track, tracks, end }
    }

    /// What the longest label needs of the arrows that end right of each layer.
    fn label_rooms(&self) -> Vec<i32> {
        let mut rooms = vec![0; self.places.layers.len()];
        for (route, arrow) in self.places.routes.iter().zip(&self.picture.arrows) {
            let (Some(label), Some(end)) = (&arrow.label, route.last()) else { continue };
            let room = match self.direction {
                Direction::Right => text_width(label, 11) + 20,
                Direction::Down => 18,
            };
            let before = self.places.layer[*end].saturating_sub(1);
            rooms[before] = room.max(rooms[before]);
        }
        rooms
    }

    fn tracks(&self) -> Vec<Tracks> {
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.places.items.len()];
        for step in self.places.routes.iter().flat_map(|route| route.windows(2)) {
            // What jumps over layers has no way of its own.
            if self.places.layer[step[0]] + 1 == self.places.layer[step[1]] {
                next[step[0]].push(step[1]);
            }
        }
        let start = |item: &usize| {
            let ends = next[*item].iter().map(|end| self.ports.into[*end]).collect();
            (*item, self.ports.out[*item], ends)
        };
        self.places.layers.iter().map(|layer| tracks::find(layer.iter().map(start), APART)).collect()
    }

    /// The title of a frame must fit into it.
    fn make_room_for_titles(&self, room: &mut [i32], gaps: &[i32], sides: &Sides, titles: &[i32]) {
        for (frame, extent) in self.places.frames.iter().enumerate() {
            let Some(extent) = extent else { continue };
            // Three boxes in a row are wider than any title.
            if extent.last - extent.first > 2 {
                continue;
            }
            let (before, after) = sides.of[frame];
            let inner: i32 = gaps[extent.first..extent.last].iter().sum();
            let width = before + room[extent.first..=extent.last].iter().sum::<i32>() + inner + after;
            room[extent.last] += (titles[frame] - width).max(0);
        }
    }

    /// Finds how far frames reach over what they hold.
    fn sides(&self) -> Sides {
        let frames = &self.places.frames;
        let (start, end) = match self.direction {
            Direction::Right => (FRAME_SIDE, FRAME_SIDE),
            Direction::Down => (TITLE_HEIGHT + FRAME_SIDE, FRAME_SIDE),
        };
        let depth: Vec<usize> = (0..frames.len()).map(|frame| self.picture.path(Some(frame)).len()).collect();
        let mut order: Vec<usize> = (0..frames.len()).filter(|frame| frames[*frame].is_some()).collect();
        order.sort_by_key(|frame| std::cmp::Reverse(depth[*frame]));
        let count = self.places.layers.len();
        let mut sides = Sides { before: vec![0; count], after: vec![0; count], of: vec![(start, end); frames.len()] };
        for frame in order {
            let Some(extent) = frames[frame] else { continue };
            let (before, after) = sides.of[frame];
            sides.before[extent.first] = sides.before[extent.first].max(before);
            sides.after[extent.last] = sides.after[extent.last].max(after);
            let Some((parent, outer)) =
                self.picture.frames[frame].parent.and_then(|at| Some((at, frames.get(at).copied()??)))
            else {
                continue;
            };
            if outer.first == extent.first {
                sides.of[parent].0 = sides.of[parent].0.max(before + start);
            }
            if outer.last == extent.last {
                sides.of[parent].1 = sides.of[parent].1.max(after + end);
            }
        }
        sides
    }

    /// The corners of an arrow's way, along and across.
    fn corners(&self, route: &[usize], columns: &Columns) -> Vec<(i32, i32)> {
        let mut corners: Vec<(i32, i32)> = Vec::with_capacity(4);
        for (step, item) in route.iter().enumerate() {
            let layer = self.places.layer[*item];
            let start = columns.start[layer];
            let end = start
                + match self.places.items[*item] {
                    Item::Box(at) => self.along[at],
                    Item::Bend(_) | Item::Hold(_) => columns.room[layer],
                };
            let is_last = step + 1 == route.len();
            if step > 0 {
                corners.push((start, self.ports.into[*item]));
            }
            if !is_last {
                let row = self.ports.out[*item];
                corners.push((end, row));
                let tracks = &columns.tracks[layer];
                let next = route[step + 1];
                let is_next = self.places.layer[next] == layer + 1;
                if let Some(track) = tracks.of.get(item).filter(|_| is_next) {
                    let at = columns.track[layer] + track_place(*track, tracks.count);
                    corners.push((at, row));
                    corners.push((at, self.ports.into[next]));
                }
            }
        }
        simplified(&corners)
    }
}

/// How much room frames take before and after layers, and each of them.
struct Sides {
    before: Vec<i32>,
    after: Vec<i32>,
    of: Vec<(i32, i32)>,
}

/// Returns where a track is, from the first one on.
fn track_place(track: usize, count: usize) -> i32 {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX / TRACKS_WIDTH);
    match number(count.saturating_sub(1)) {
        gaps if gaps * TRACK_GAP > TRACKS_WIDTH => number(track) * TRACKS_WIDTH / gaps,
        _ => number(track) * TRACK_GAP,
    }
}

/// Leaves out corners at which nothing turns.
fn simplified(corners: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let mut kept: Vec<(i32, i32)> = Vec::with_capacity(corners.len());
    for corner in corners {
        if kept.last() == Some(corner) {
            continue;
        }
        while let [.., before, last] = kept.as_slice() {
            let is_straight = before.0 == last.0 && last.0 == corner.0 || before.1 == last.1 && last.1 == corner.1;
            if !is_straight {
                break;
            }
            kept.pop();
        }
        kept.push(*corner);
    }
    kept
}

#[cfg(test)]
mod tests;
