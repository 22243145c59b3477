//! A picture as SVG, for light and dark pages.

use std::fmt::Write;

use super::{
    layout::{Item, Layout, Metrics, layout},
    picture::Picture,
};

const METRICS: Metrics = Metrics { height: 44, bend: 6, gap: 18, frame_top: 34, frame_bottom: 14 };

/// Between two layers, without frames.
const LAYER_GAP: i32 = 56;
/// Between a frame's side and what is in it.
const FRAME_SIDE: i32 = 14;
const MARGIN: i32 = 16;

const STYLE: &str = "svg{font-family:system-ui,sans-serif;background:#fff}\
.box{fill:#f6f8fa;stroke:#8c959f}.name{fill:#1f2328;font-size:13px;font-weight:600}.kind{fill:#59636e;font-size:10.5px}\
.arrow{fill:none;stroke:#8c959f;stroke-width:1.4}.head{fill:#8c959f}\
.frame{fill:#54aeff;fill-opacity:.08;stroke:#54aeff;stroke-opacity:.6}.title{fill:#0969da;font-size:12px;font-weight:600}\
@media(prefers-color-scheme:dark){svg{background:#0d1117}.box{fill:#161b22;stroke:#6e7681}.name{fill:#e6edf3}\
.kind{fill:#9198a1}.arrow{stroke:#6e7681}.head{fill:#6e7681}.title{fill:#58a6ff}}";

/// Colours of the bar at a box's side, by operator.
const HUES: [&str; 8] = ["#0969da", "#1a7f37", "#9a6700", "#bc4c00", "#8250df", "#bf3989", "#1b7c83", "#57606a"];

/// Draws the picture.
pub(crate) fn draw(picture: &Picture, name: &str) -> String {
    let places = layout(picture, &METRICS);
    let columns = Columns::new(picture, &places);
    let (width, height) = (columns.width + 2 * MARGIN, places.height + 2 * MARGIN);
    let mut out = String::new();
    // Writing to a string does not fail, here and below.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"{} {} {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>",
        -MARGIN,
        -MARGIN,
        escaped(name)
    );
    out.push_str(
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
    );
    write_frames(&mut out, picture, &places, &columns);
    for route in &places.routes {
        let path = path(route, &places, &columns);
        let _ = writeln!(out, "<path class=\"arrow\" marker-end=\"url(#head)\" d=\"{path}\"/>");
    }
    write_boxes(&mut out, picture, &places, &columns);
    out.push_str("</svg>\n");
    out
}

/// Where the layers are, from left to right.
struct Columns {
    left: Vec<i32>,
    /// Width of each layer.
    room: Vec<i32>,
    /// Width of each box.
    boxes: Vec<i32>,
    width: i32,
}

impl Columns {
    fn new(picture: &Picture, places: &Layout) -> Self {
        let boxes: Vec<i32> =
            picture.boxes.iter().map(|one| text_width(&one.label, 8).max(text_width(&one.kind, 7)) + 28).collect();
        let mut room = vec![0; places.layers.len()];
        let mut depth = vec![0; places.layers.len()];
        for (item, kind) in places.items.iter().enumerate() {
            if let Item::Box(at) = *kind {
                let layer = places.layer[item];
                room[layer] = room[layer].max(boxes[at]);
                depth[layer] = depth[layer].max(picture.path(picture.boxes[at].frame).len());
            }
        }
        for (frame, extent) in places.frames.iter().enumerate() {
            if let Some(extent) = extent.filter(|extent| extent.first == extent.last) {
                // The title stands in the frame, above what it holds.
                room[extent.first] = room[extent.first].max(text_width(&picture.frames[frame].label, 7));
            }
        }
        let side = |layer: usize| FRAME_SIDE * i32::try_from(depth[layer]).unwrap_or(0);
        let mut left = Vec::with_capacity(room.len());
        let mut x = 0;
        for (layer, width) in room.iter().enumerate() {
            x += side(layer);
            left.push(x);
            x += width + side(layer) + LAYER_GAP;
        }
        Self { left, room, boxes, width: (x - LAYER_GAP).max(0) }
    }
}

/// Estimates how wide a text is; `unit` is the width of a letter.
fn text_width(text: &str, unit: i32) -> i32 {
    i32::try_from(text.chars().count().min(10_000)).unwrap_or(0) * unit
}

fn write_frames(out: &mut String, picture: &Picture, places: &Layout, columns: &Columns) {
    // How many frames are inside: outer ones are drawn wider, and first.
    let mut inside = vec![0; picture.frames.len()];
    for frame in 0..picture.frames.len() {
        let path = picture.path(Some(frame));
        for (above, outer) in path.iter().rev().enumerate() {
            inside[*outer] = inside[*outer].max(i32::try_from(above).unwrap_or(0));
        }
    }
    let mut order: Vec<usize> = (0..picture.frames.len()).collect();
    order.sort_by_key(|frame| picture.path(Some(*frame)).len());
    for frame in order {
        let Some(extent) = places.frames[frame] else { continue };
        let side = FRAME_SIDE * (inside[frame] + 1);
        let left = columns.left[extent.first] - side;
        let right = columns.left[extent.last] + columns.room[extent.last] + side;
        let _ = writeln!(
            out,
            "<g><rect class=\"frame\" x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"10\"/>\
             <text class=\"title\" x=\"{}\" y=\"{}\">{}</text></g>",
            extent.top,
            right - left,
            extent.bottom - extent.top,
            left + 12,
            extent.top + 20,
            escaped(&picture.frames[frame].label)
        );
    }
}

fn write_boxes(out: &mut String, picture: &Picture, places: &Layout, columns: &Columns) {
    for (item, kind) in places.items.iter().enumerate() {
        let Item::Box(at) = *kind else { continue };
        let (one, x, y) = (&picture.boxes[at], columns.left[places.layer[item]], places.top[item]);
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"7\"/>\
             <rect x=\"{}\" y=\"{}\" width=\"3\" height=\"{}\" rx=\"1.5\" fill=\"{}\"/>\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text><text class=\"kind\" x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(&format!("{} ({})", one.label, one.kind)),
            columns.boxes[at],
            METRICS.height,
            x + 6,
            y + 9,
            METRICS.height - 18,
            hue(&one.kind),
            x + 16,
            y + 19,
            escaped(&one.label),
            x + 16,
            y + 34,
            escaped(&one.kind)
        );
    }
}

/// The same operator always has the same colour.
fn hue(kind: &str) -> &'static str {
    let sum = kind.bytes().fold(5_381_usize, |sum, byte| sum.wrapping_mul(33) ^ usize::from(byte));
    HUES[sum % HUES.len()]
}

/// A curve from the right side of a box through the bends to the left side of another.
fn path(route: &[usize], places: &Layout, columns: &Columns) -> String {
    let mut path = String::new();
    let mut from = (0, 0);
    for (step, item) in route.iter().enumerate() {
        let layer = places.layer[*item];
        let left = columns.left[layer];
        let (right, y) = match places.items[*item] {
            Item::Box(at) => (left + columns.boxes[at], places.top[*item] + METRICS.height / 2),
            Item::Bend(_) | Item::Hold(_) => (left + columns.room[layer], places.top[*item] + METRICS.bend / 2),
        };
        let is_last = step + 1 == route.len();
        if step == 0 {
            let _ = write!(path, "M{right} {y}");
        } else {
            let middle = (from.0 + left) / 2;
            let _ = write!(path, "C{middle} {} {middle} {y} {left} {y}", from.1);
            if !is_last {
                let _ = write!(path, "H{right}");
            }
        }
        from = (right, y);
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::picture::{Box, Frame};

    fn sample() -> Picture {
        let one = |label: &str, frame| Box { label: label.to_owned(), kind: "bash".to_owned(), frame };
        Picture {
            boxes: vec![one("a<b", None), one("inner", Some(1)), one("end", None)],
            arrows: vec![(0, 1), (1, 2), (0, 2)],
            frames: vec![
                Frame { label: "out & about".to_owned(), parent: None },
                Frame { label: "in".to_owned(), parent: Some(0) },
            ],
        }
    }

    #[test]
    fn every_box_arrow_and_frame_is_drawn_and_names_are_escaped() {
        let svg = draw(&sample(), "my_dag");
        assert_eq!(svg.matches("class=\"box\"").count(), 3);
        assert_eq!(svg.matches("class=\"arrow\"").count(), 3);
        assert_eq!(svg.matches("class=\"frame\"").count(), 2);
        assert!(svg.contains("a&lt;b") && svg.contains("out &amp; about") && svg.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn an_outer_frame_is_drawn_before_the_one_inside_it() {
        let svg = draw(&sample(), "my_dag");
        assert!(svg.find("out &amp; about") < svg.find(">in<"));
    }
}
