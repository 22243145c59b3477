//! JSON values as YAML, for `-o yaml`.
//!
//! Writes block style; every text that YAML might take for something else is quoted as in JSON, which YAML
//! understands.

use serde_json::Value;

/// Returns the value as a YAML document.
pub(crate) fn document(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, false);
    out
}

/// Writes a value. `inline`: the line so far ends in `-` or `key:`.
fn write(out: &mut String, value: &Value, depth: usize, inline: bool) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            if inline {
                out.push('\n');
            }
            for item in items {
                indent(out, depth);
                out.push('-');
                write_item(out, item, depth);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            if inline {
                out.push('\n');
            }
            for (key, field) in fields {
                indent(out, depth);
                write_field(out, key, field, depth);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            if inline {
                out.push(' ');
            }
            out.push_str(&scalar(value));
            out.push('\n');
        }
    }
}

/// Writes what follows a `-`; the first field of a map stands on the same line.
fn write_item(out: &mut String, item: &Value, depth: usize) {
    match item {
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (key, field)) in fields.iter().enumerate() {
                if at == 0 {
                    out.push(' ');
                } else {
                    indent(out, depth + 1);
                }
                write_field(out, key, field, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            write(out, item, depth + 1, true);
        }
    }
}

fn write_field(out: &mut String, key: &str, field: &Value, depth: usize) {
    out.push_str(&text(key));
    out.push(':');
    write(out, field, depth + 1, true);
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(plain) => text(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Leaves a text unquoted only when it cannot be anything else, in YAML 1.1 either.
fn text(plain: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    let is_plain = plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && plain.chars().all(word)
        && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&plain.to_lowercase().as_str());
    if is_plain { plain.to_owned() } else { Value::from(plain).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(document(value), expected);
        let back: Value = serde_saphyr::from_str(&document(value)).unwrap();
        assert_eq!(&back, value);
    }

    #[test]
    fn maps_and_lists_are_blocks() {
        check(
            &json!([{"a": 1, "b": [true, null]}, {"c": {"d": "x y"}}]),
            "- a: 1\n  b:\n    - true\n    - null\n- c:\n    d: \"x y\"\n",
        );
        check(&json!([[1], [[2]]]), "-\n  - 1\n-\n  -\n    - 2\n");
    }

    #[test]
    fn what_is_empty_stays_on_its_line() {
        check(&json!({"a": [], "b": {}, "c": ""}), "a: []\nb: {}\nc: \"\"\n");
        check(&json!([]), "[]\n");
        check(&json!("x"), "x\n");
    }

    #[test]
    fn a_text_that_looks_like_something_else_is_quoted() {
        for word in ["no", "True", "1e3", "0x1f", "~", "-", "a: b", "2026-01-01", "#x", "a\nb", "é", ".5", "null"] {
            check(&json!({ "k": word }), &format!("k: {}\n", json!(word)));
        }
    }
}
