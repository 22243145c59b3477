//! A picture in Graphviz's language.

use std::fmt::Write;

use flow_core::graph::Picture;

/// Writes the picture for `dot`.
pub(crate) fn draw(picture: &Picture, name: &str) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "digraph {} {{", quoted(name));
    let _ = writeln!(out, "  rankdir = LR\n  node [shape = box, style = rounded, fontname = \"sans-serif\"]");
    write_frame(&mut out, picture, None, 1);
    for arrow in &picture.arrows {
        let label = arrow.label.as_ref().map(|label| format!(" [label = {}]", quoted(label))).unwrap_or_default();
        let _ = writeln!(out, "  t{} -> t{}{label}", arrow.from, arrow.to);
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
    use crate::graph::testing;

    #[test]
    fn groups_are_clusters_and_names_are_quoted() {
        let mut picture = testing::picture(&[("a\"b", None), ("c", Some(0))], &[(0, 1)], &[("g", None)]);
        picture.arrows[0].label = Some("true".to_owned());
        let expected = r#"digraph "my.dag" {
  rankdir = LR
  node [shape = box, style = rounded, fontname = "sans-serif"]
  subgraph cluster_0 {
    label = "g"
    t1 [label = "c", tooltip = "bash"]
  }
  t0 [label = "a\"b", tooltip = "bash"]
  t0 -> t1 [label = "true"]
}
"#;
        assert_eq!(draw(&picture, "my.dag"), expected);
    }
}
