//! A picture in letters and lines, for a terminal.

use flow_core::graph::{
    Picture,
    layout::{Item, Layout, Metrics, layout},
};

/// More cells than this are no picture for a terminal.
const CELLS_MAX: usize = 20_000_000;

/// Longer labels are cut.
const LABEL_MAX: usize = 40;

/// Draws the picture.
pub(crate) fn draw(picture: &Picture) -> String {
    let metrics = Metrics {
        boxes: vec![3; picture.boxes.len()],
        bend: 1,
        frame_top: 1,
        frame_bottom: 1,
        snap: 1,
        ..Metrics::default()
    };
    let places = layout(picture, &metrics);
    let labels: Vec<Vec<char>> = picture.boxes.iter().map(|one| shortened(&one.label)).collect();
    let tracks = Tracks::new(&places);
    let columns = Columns::new(picture, &places, &labels, &tracks);
    let (width, height) = (columns.width, size(places.height));
    if width.saturating_mul(height) > CELLS_MAX {
        return "The DAG is too large to draw with letters; try --format svg\n".to_owned();
    }
    let mut canvas = Canvas { width, cells: vec![' '; width * height], lines: vec![0; width * height] };
    draw_frames(&mut canvas, picture, &places, &columns);
    draw_arrows(&mut canvas, &places, &columns, &tracks);
    for (item, kind) in places.items.iter().enumerate() {
        if let Item::Box(at) = *kind {
            draw_box(&mut canvas, columns.left[places.layer[item]], size(places.top[item]), &labels[at]);
        }
    }
    canvas.into_text()
}

fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn shortened(label: &str) -> Vec<char> {
    let mut letters: Vec<char> = label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if letters.len() > LABEL_MAX {
        letters.truncate(LABEL_MAX - 1);
        letters.push('…');
    }
    letters
}

/// The row on which arrows reach an item.
fn row(places: &Layout, item: usize) -> usize {
    size(places.top[item]) + if matches!(places.items[item], Item::Box(_)) { 1 } else { 0 }
}

/// Columns right of each layer in which arrows go up and down; arrows of one start share a column.
struct Tracks {
    /// Of each item that has an arrow which changes its row.
    of: Vec<Option<usize>>,
    /// Number of them, of each layer.
    count: Vec<usize>,
    /// Items that each item leads to in the next layer.
    next: Vec<Vec<usize>>,
}

impl Tracks {
    fn new(places: &Layout) -> Self {
        let mut next = vec![Vec::new(); places.items.len()];
        for step in places.routes.iter().flat_map(|route| route.windows(2)) {
            if !next[step[0]].contains(&step[1]) {
                next[step[0]].push(step[1]);
            }
        }
        let mut of = vec![None; places.items.len()];
        let mut count = vec![0; places.layers.len()];
        for (layer, items) in places.layers.iter().enumerate() {
            let mut wanted: Vec<(bool, isize, usize, usize, usize)> = Vec::new();
            for item in items {
                let at = row(places, *item);
                let rows = next[*item].iter().map(|other| row(places, *other)).chain([at]);
                let (first, last) = rows.fold((at, at), |(first, last), row| (first.min(row), last.max(row)));
                if first != last {
                    // What goes down turns the sooner the lower it starts, what goes up the higher: fewer crossings.
                    let goes_up = at - first > last - at;
                    let order = isize::try_from(at).unwrap_or(0);
                    wanted.push((goes_up, if goes_up { order } else { -order }, first, last, *item));
                }
            }
            wanted.sort_unstable();
            let mut taken: Vec<Vec<(usize, usize, usize)>> = Vec::new();
            for (_, _, first, last, item) in wanted {
                // Arrows that all end at one box may join on their way.
                let joins = |other: usize| next[item].len() == 1 && next[item] == next[other];
                let is_free = |track: &Vec<(usize, usize, usize)>| {
                    track.iter().all(|(a, b, other)| last < *a || *b < first || joins(*other))
                };
                let track = taken.iter().position(is_free).unwrap_or(taken.len());
                if track == taken.len() {
                    taken.push(Vec::new());
                }
                taken[track].push((first, last, item));
                of[item] = Some(track);
            }
            count[layer] = taken.len();
        }
        Self { of, count, next }
    }
}

/// Where the layers are, from left to right.
struct Columns {
    left: Vec<usize>,
    room: Vec<usize>,
    /// First column of the tracks right of each layer.
    tracks: Vec<usize>,
    width: usize,
    depth: Vec<usize>,
}

impl Columns {
    fn new(picture: &Picture, places: &Layout, labels: &[Vec<char>], tracks: &Tracks) -> Self {
        let count = places.layers.len();
        let (mut room, mut depth) = (vec![1; count], vec![0; count]);
        for (item, kind) in places.items.iter().enumerate() {
            if let Item::Box(at) = *kind {
                let layer = places.layer[item];
                room[layer] = room[layer].max(labels[at].len() + 4);
                depth[layer] = depth[layer].max(2 * picture.path(picture.boxes[at].frame).len());
            }
        }
        // A title must fit over what its frame holds.
        for (frame, extent) in places.frames.iter().enumerate() {
            let Some(extent) = extent.filter(|extent| extent.first == extent.last) else { continue };
            let side = (depth[extent.first] + 2).saturating_sub(2 * picture.path(Some(frame)).len());
            let title = shortened(&picture.frames[frame].label).len() + 6;
            room[extent.first] = room[extent.first].max(title.saturating_sub(2 * side));
        }
        let (mut left, mut first_track) = (Vec::new(), Vec::new());
        let mut x = 0;
        for layer in 0..count {
            x += depth[layer];
            left.push(x);
            x += room[layer] + depth[layer] + 1;
            first_track.push(x);
            x += tracks.count[layer] + 2;
        }
        let width = count.checked_sub(1).map_or(0, |last| left[last] + room[last] + depth[last]);
        // Titles may be longer than what they stand over.
        let titles = places.frames.iter().enumerate().filter_map(|(frame, extent)| {
            extent.map(|extent| left[extent.first] + shortened(&picture.frames[frame].label).len() + 6)
        });
        let width = titles.max().unwrap_or(0).max(width);
        Self { left, room, tracks: first_track, width, depth }
    }
}

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

struct Canvas {
    width: usize,
    cells: Vec<char>,
    /// Directions in which a line leaves a cell.
    lines: Vec<u8>,
}

impl Canvas {
    fn set(&mut self, x: usize, y: usize, letter: char) {
        if let Some(cell) = self.cells.get_mut(y * self.width + x).filter(|_| x < self.width) {
            *cell = letter;
        }
    }

    fn line(&mut self, x: usize, y: usize, directions: u8) {
        if let Some(cell) = self.lines.get_mut(y * self.width + x).filter(|_| x < self.width) {
            *cell |= directions;
        }
    }

    fn horizontal(&mut self, y: usize, from: usize, to: usize) {
        for x in from..to {
            self.line(x, y, RIGHT);
            self.line(x + 1, y, LEFT);
        }
    }

    fn vertical(&mut self, x: usize, from: usize, to: usize) {
        for y in from.min(to)..from.max(to) {
            self.line(x, y, DOWN);
            self.line(x, y + 1, UP);
        }
    }

    fn into_text(self) -> String {
        let letter = |(cell, lines): (&char, &u8)| match (*cell, *lines) {
            (' ' | '╌' | '╎', lines) if lines != 0 => drawn(lines),
            (cell, _) => cell,
        };
        let mut text = String::new();
        for (cells, lines) in self.cells.chunks(self.width.max(1)).zip(self.lines.chunks(self.width.max(1))) {
            let line: String = cells.iter().zip(lines).map(letter).collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn drawn(lines: u8) -> char {
    const LETTERS: [char; 16] = [' ', '│', '│', '│', '─', '┘', '┐', '┤', '─', '└', '┌', '├', '─', '┴', '┬', '┼'];
    LETTERS[usize::from(lines & 15)]
}

fn draw_arrows(canvas: &mut Canvas, places: &Layout, columns: &Columns, tracks: &Tracks) {
    for (item, next) in tracks.next.iter().enumerate() {
        let (layer, y) = (places.layer[item], row(places, item));
        let start = columns.left[layer];
        for other in next {
            let (to, target) = (row(places, *other), columns.left[places.layer[*other]]);
            let is_box = matches!(places.items[*other], Item::Box(_));
            let end = if is_box { target.saturating_sub(1) } else { target };
            match tracks.of[item].map(|track| columns.tracks[layer] + track) {
                Some(x) => {
                    canvas.horizontal(y, start, x);
                    canvas.vertical(x, y, to);
                    canvas.horizontal(to, x, end);
                }
                None => canvas.horizontal(y, start, end),
            }
            if is_box {
                canvas.set(end, to, '▶');
            } else {
                canvas.horizontal(to, target, target + columns.room[places.layer[*other]]);
            }
        }
    }
}

fn draw_box(canvas: &mut Canvas, x: usize, y: usize, label: &[char]) {
    let right = x + label.len() + 3;
    for (row, (first, middle, last)) in [('┌', '─', '┐'), ('│', ' ', '│'), ('└', '─', '┘')].into_iter().enumerate()
    {
        canvas.set(x, y + row, first);
        (x + 1..right).for_each(|x| canvas.set_over(x, y + row, middle));
        canvas.set(right, y + row, last);
    }
    for (at, letter) in label.iter().enumerate() {
        canvas.set_over(x + 2 + at, y + 1, *letter);
    }
}

impl Canvas {
    /// Sets a letter and takes away the lines below it.
    fn set_over(&mut self, x: usize, y: usize, letter: char) {
        if let Some(lines) = self.lines.get_mut(y * self.width + x).filter(|_| x < self.width) {
            *lines = 0;
        }
        self.set(x, y, letter);
    }
}

fn draw_frames(canvas: &mut Canvas, picture: &Picture, places: &Layout, columns: &Columns) {
    for (frame, extent) in places.frames.iter().enumerate() {
        let Some(extent) = extent else { continue };
        // The deeper a frame, the nearer to what is in it.
        let depth = 2 * (picture.path(Some(frame)).len() - 1);
        let side = |layer: usize| columns.depth[layer].saturating_sub(depth);
        let left = columns.left[extent.first] - side(extent.first);
        let right = columns.left[extent.last] + columns.room[extent.last] - 1 + side(extent.last);
        let (top, bottom) = (size(extent.top), size(extent.bottom) - 1);
        let title = shortened(&picture.frames[frame].label);
        let right = right.max(left + title.len() + 5).min(canvas.width.saturating_sub(1));
        for x in left..=right {
            canvas.set(x, top, '╌');
            canvas.set(x, bottom, '╌');
        }
        for y in top..=bottom {
            canvas.set(left, y, '╎');
            canvas.set(right, y, '╎');
        }
        for (x, y, corner) in [(left, top, '╭'), (right, top, '╮'), (left, bottom, '╰'), (right, bottom, '╯')] {
            canvas.set(x, y, corner);
        }
        for (at, letter) in [' '].iter().chain(&title).chain(&[' ']).enumerate() {
            canvas.set(left + 2 + at, top, *letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing;

    #[track_caller]
    fn check(
        boxes: &[(&str, Option<usize>)],
        arrows: &[(usize, usize)],
        frames: &[(&str, Option<usize>)],
        expected: &str,
    ) {
        let picture = testing::picture(boxes, arrows, frames);
        let drawn = draw(&picture);
        assert_eq!(format!("\n{drawn}"), expected, "\n{drawn}");
    }

    #[test]
    fn a_chain() {
        check(
            &[("a", None), ("bcd", None)],
            &[(0, 1)],
            &[],
            "
┌───┐   ┌─────┐
│ a │──▶│ bcd │
└───┘   └─────┘
",
        );
    }

    #[test]
    fn a_diamond_with_a_shortcut() {
        check(
            &[("extract", None), ("left", None), ("right", None), ("load", None)],
            &[(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)],
            &[],
            "
               ┌──────┐
            ┌─▶│ left │──┐
            │  └──────┘  │
┌─────────┐ │  ┌───────┐ │  ┌──────┐
│ extract │─┼─▶│ right │─┼─▶│ load │
└─────────┘ │  └───────┘ │  └──────┘
            └────────────┘
",
        );
    }

    #[test]
    fn groups_have_frames() {
        check(
            &[("start", None), ("a", Some(0)), ("b", Some(1)), ("end", None)],
            &[(0, 1), (1, 2), (2, 3), (0, 3)],
            &[("stage", None), ("inner", Some(0))],
            "
             ╭╌ stage ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╮
             ╎             ╭╌ inner ╌╮ ╎
             ╎ ┌───┐       ╎ ┌───┐   ╎ ╎
          ┌───▶│ a │────────▶│ b │───────┐
          │  ╎ └───┘       ╎ └───┘   ╎ ╎ │
┌───────┐ │  ╎             ╰╌╌╌╌╌╌╌╌╌╯ ╎ │  ┌─────┐
│ start │─┤  ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╯ ├─▶│ end │
└───────┘ └──────────────────────────────┘  └─────┘
",
        );
    }
}
