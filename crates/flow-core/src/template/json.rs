//! Values to JSON and back, as Python's `json` module writes it.

use minijinja::{Error, Value, value::ValueKind};
use serde_json::{Map, Value as Json};

use super::{args::bad, limits::DEPTH_MAX, moment::Moment, python, scope::Record};

/// Makes a template value of JSON.
pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(yes) => Value::from(*yes),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (None, Some(number), _) => Value::from(number),
            (None, None, number) => Value::from(number.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(map) => object(map),
    }
}

/// Makes a template value of a JSON object.
pub(super) fn object(map: &Map<String, Json>) -> Value {
    Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), from_json(value))))
}

/// Makes JSON of a template value; times become ISO 8601, objects become text.
pub(super) fn to_json(value: &Value) -> Result<Json, Error> {
    convert(value, 0)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are another crate's, and open")]
fn convert(value: &Value, depth: usize) -> Result<Json, Error> {
    if depth > DEPTH_MAX {
        return Err(bad(format!("value is nested more than {DEPTH_MAX} deep")));
    }
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return Ok(Json::from(moment.isoformat('T')));
    }
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(super::args::undefined(value)),
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::from(value.is_true()),
        ValueKind::Number if value.is_integer() => match value.as_i64() {
            Some(number) => Json::from(number),
            None => u64::try_from(value.clone()).map_or_else(|_| Json::from(value.to_string()), Json::from),
        },
        ValueKind::Number => Json::from(f64::try_from(value.clone())?),
        ValueKind::String => Json::from(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.checked().map(|item| convert(&item?, depth + 1));
            Json::Array(items.collect::<Result<_, Error>>()?)
        }
        ValueKind::Map if value.downcast_object_ref::<Record>().is_none() => {
            let mut map = Map::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                map.insert(python::str(&key)?, convert(&value.get_item(&key)?, depth + 1)?);
            }
            Json::Object(map)
        }
        _ => Json::from(value.to_string()),
    })
}

/// How to write JSON.
#[derive(Clone, Copy, Default)]
pub(super) struct Style {
    pub(super) sort_keys: bool,
    pub(super) indent: Option<usize>,
    /// Everything beyond ASCII as `\u…`.
    pub(super) ascii: bool,
}

/// Writes JSON with Python's spaces: `{"a": 1, "b": [2]}`.
pub(super) fn dumps(json: &Json, style: Style) -> String {
    let mut out = String::new();
    write(&mut out, json, style, 0);
    out
}

fn write(out: &mut String, json: &Json, style: Style, depth: usize) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => {
                let _ = python::write_float(out, float);
            }
            None => out.push_str(&number.to_string()),
        },
        Json::String(text) => write_text(out, text, style.ascii),
        Json::Array(items) if items.is_empty() => out.push_str("[]"),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index, style, depth + 1);
                write(out, item, style, depth + 1);
            }
            close(out, ']', style, depth);
        }
        Json::Object(map) if map.is_empty() => out.push_str("{}"),
        Json::Object(map) => {
            out.push('{');
            let mut pairs: Vec<(&String, &Json)> = map.iter().collect();
            if style.sort_keys {
                pairs.sort_by_key(|(key, _)| *key);
            }
            for (index, (key, value)) in pairs.into_iter().enumerate() {
                separate(out, index, style, depth + 1);
                write_text(out, key, style.ascii);
                out.push_str(": ");
                write(out, value, style, depth + 1);
            }
            close(out, '}', style, depth);
        }
    }
}

fn separate(out: &mut String, index: usize, style: Style, depth: usize) {
    match (index, style.indent) {
        (0, None) => {}
        (_, None) => out.push_str(", "),
        (index, Some(indent)) => {
            if index > 0 {
                out.push(',');
            }
            out.push('\n');
            out.push_str(&" ".repeat(indent * depth));
        }
    }
}

fn close(out: &mut String, bracket: char, style: Style, depth: usize) {
    if let Some(indent) = style.indent {
        out.push('\n');
        out.push_str(&" ".repeat(indent * depth));
    }
    out.push(bracket);
}

fn write_text(out: &mut String, text: &str, ascii: bool) {
    let quoted = Json::from(text).to_string();
    if !ascii || quoted.is_ascii() {
        out.push_str(&quoted);
        return;
    }
    for c in quoted.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}
