//! A picture in Graphviz's language.

use std::fmt::Write;

use super::picture::Picture;

/// Writes the picture for `dot`.
pub(crate) fn draw(picture: &Picture, name: &str) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "digraph {} {{", quoted(name));
    let _ = writeln!(out, "  rankdir = LR\n  node [shape = box, style = rounded, fontname = \"sans-serif\"]");
    write_frame(&mut out, picture, None, 1);
    for (from, to) in &picture.arrows {
        let _ = writeln!(out, "  t{from} -> t{to}");
    }
    out.push_str("}\n");
    out
}

fn write_frame(out: &mut String, picture: &Picture, frame: Option<usize>, depth: usize) {
    let indent = "  ".repeat(depth);
    for (at, inner) in picture.frames.iter().enumerate().filter(|(_, inner)| inner.parent == frame) {
        let _ = writeln!(out, "{indent}subgraph cluster_{at} {{\n{indent}  label = {}", quoted(&inner.label));
        write_frame(out, picture, Some(at), depth + 1);
        let _ = writeln!(out, "{indent}}}");
    }
    for (at, one) in picture.boxes.iter().enumerate().filter(|(_, one)| one.frame == frame) {
        let _ = writeln!(out, "{indent}t{at} [label = {}, tooltip = {}]", quoted(&one.label), quoted(&one.kind));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::picture::{Box, Frame};

    #[test]
    fn groups_are_clusters_and_names_are_quoted() {
        let one = |label: &str, frame| Box { label: label.to_owned(), kind: "bash".to_owned(), frame };
        let picture = Picture {
            boxes: vec![one("a\"b", None), one("c", Some(0))],
            arrows: vec![(0, 1)],
            frames: vec![Frame { label: "g".to_owned(), parent: None }],
        };
        let expected = r#"digraph "my.dag" {
  rankdir = LR
  node [shape = box, style = rounded, fontname = "sans-serif"]
  subgraph cluster_0 {
    label = "g"
    t1 [label = "c", tooltip = "bash"]
  }
  t0 [label = "a\"b", tooltip = "bash"]
  t0 -> t1
}
"#;
        assert_eq!(draw(&picture, "my.dag"), expected);
    }
}
