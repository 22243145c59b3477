//! A picture as SVG, for light and dark pages.

use std::fmt::Write;

use flow_core::graph::{Direction, Drawing, Picture, Rect, draw as drawing};

/// How round the turns of an arrow are.
const ROUND: i32 = 7;

const STYLE: &str = "svg{font-family:system-ui,sans-serif;background:#fff}\
.box{fill:#f6f8fa;stroke:#8c959f}.name{fill:#1f2328;font-size:13px;font-weight:600}.kind{fill:#59636e;font-size:10.5px}\
.arrow{fill:none;stroke:#8c959f;stroke-width:1.4}.head{fill:#8c959f}\
.frame{fill:#54aeff;fill-opacity:.08;stroke:#54aeff;stroke-opacity:.6}.title{fill:#0969da;font-size:12px;font-weight:600}\
.way{fill:#59636e;font-size:11px;text-anchor:end}\
@media(prefers-color-scheme:dark){svg{background:#0d1117}.box{fill:#161b22;stroke:#6e7681}.name{fill:#e6edf3}\
.kind{fill:#9198a1}.arrow{stroke:#6e7681}.head{fill:#6e7681}.title{fill:#58a6ff}.way{fill:#9198a1}}";

/// Colours of the bar at a box's side, by operator.
const HUES: [&str; 8] = ["#0969da", "#1a7f37", "#9a6700", "#bc4c00", "#8250df", "#bf3989", "#1b7c83", "#57606a"];

/// Draws the picture.
pub(crate) fn draw(picture: &Picture, name: &str) -> String {
    let places = drawing(picture, Direction::Right);
    let (width, height) = (places.width, places.height);
    let mut out = String::new();
    // Writing to a string does not fail, here and below.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>",
        escaped(name)
    );
    out.push_str(
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
    );
    write_frames(&mut out, picture, &places);
    for (arrow, corners) in picture.arrows.iter().zip(&places.arrows) {
        let _ = writeln!(out, "<path class=\"arrow\" marker-end=\"url(#head)\" d=\"{}\"/>", path(corners));
        if let (Some(label), Some((x, y))) = (&arrow.label, corners.last()) {
            let _ = writeln!(out, "<text class=\"way\" x=\"{}\" y=\"{}\">{}</text>", x - 12, y - 4, escaped(label));
        }
    }
    write_boxes(&mut out, picture, &places);
    out.push_str("</svg>\n");
    out
}

fn write_frames(out: &mut String, picture: &Picture, places: &Drawing) {
    let mut order: Vec<usize> = (0..picture.frames.len()).collect();
    order.sort_by_key(|frame| picture.path(Some(*frame)).len());
    for frame in order {
        let Some(Rect { x, y, width, height }) = places.frames[frame] else { continue };
        let _ = writeln!(
            out,
            "<g><rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\
             <text class=\"title\" x=\"{}\" y=\"{}\">{}</text></g>",
            x + 12,
            y + 19,
            escaped(&picture.frames[frame].label)
        );
    }
}

fn write_boxes(out: &mut String, picture: &Picture, places: &Drawing) {
    for (one, Rect { x, y, width, height }) in picture.boxes.iter().zip(&places.boxes) {
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>\
             <rect x=\"{}\" y=\"{}\" width=\"3\" height=\"{}\" rx=\"1.5\" fill=\"{}\"/>\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text><text class=\"kind\" x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(&format!("{} ({})", one.label, one.kind)),
            x + 6,
            y + 9,
            height - 18,
            hue(&one.kind),
            x + 16,
            y + 19,
            escaped(&shortened(&one.label)),
            x + 16,
            y + 34,
            escaped(&one.kind)
        );
    }
}

/// Cuts a label that is wider than any box.
fn shortened(label: &str) -> String {
    const LETTERS_MAX: usize = 36;
    match label.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &label[..end]),
        None => label.to_owned(),
    }
}

/// The same operator always has the same colour.
fn hue(kind: &str) -> &'static str {
    let sum = kind.bytes().fold(5_381_usize, |sum, byte| sum.wrapping_mul(33) ^ usize::from(byte));
    HUES[sum % HUES.len()]
}

/// A line with round turns.
fn path(corners: &[(i32, i32)]) -> String {
    let mut path = String::new();
    let Some((x, y)) = corners.first() else { return path };
    let _ = write!(path, "M{x} {y}");
    for turn in corners.windows(3) {
        let [before, (x, y), after] = [turn[0], turn[1], turn[2]];
        // From the corner towards a neighbour, at most to the middle between them.
        let near = |other: (i32, i32)| {
            let (across, down) = (other.0 - x, other.1 - y);
            let step = ROUND.min(across.abs().max(down.abs()) / 2);
            (x + step * across.signum(), y + step * down.signum())
        };
        let (start, end) = (near(before), near(after));
        let _ = write!(path, "L{} {}Q{x} {y} {} {}", start.0, start.1, end.0, end.1);
    }
    if let [.., (x, y)] = corners {
        let _ = write!(path, "L{x} {y}");
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing;

    fn sample() -> Picture {
        let boxes = [("a<b", None), ("inner", Some(1)), ("end", None)];
        testing::picture(&boxes, &[(0, 1), (1, 2), (0, 2)], &[("out & about", None), ("in", Some(0))])
    }

    #[test]
    fn every_box_arrow_and_frame_is_drawn_and_names_are_escaped() {
        let mut picture = sample();
        picture.arrows[0].label = Some("<true>".to_owned());
        let svg = draw(&picture, "my_dag");
        assert_eq!(svg.matches("class=\"box\"").count(), 3);
        assert_eq!(svg.matches("class=\"arrow\"").count(), 3);
        assert_eq!(svg.matches("class=\"frame\"").count(), 2);
        assert!(svg.contains("a&lt;b") && svg.contains("out &amp; about") && svg.contains("&lt;true&gt;"));
        assert!(svg.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn an_outer_frame_is_drawn_before_the_one_inside_it() {
        let svg = draw(&sample(), "my_dag");
        assert!(svg.find("out &amp; about") < svg.find(">in<"));
    }

    #[test]
    fn a_turn_is_round_and_no_rounder_than_there_is_room() {
        assert_eq!(path(&[(0, 0), (20, 0), (20, 6), (40, 6)]), "M0 0L13 0Q20 0 20 3L20 3Q20 6 27 6L40 6");
        assert_eq!(path(&[(0, 0), (20, 0)]), "M0 0L20 0");
    }
}
