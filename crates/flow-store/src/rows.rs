//! Between rows and the core's types.

use std::str::FromStr;

use flow_core::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::StoreError;

/// Reads a word of a column, naming the row when it is none of the known ones.
pub(crate) fn word<T: FromStr<Err: ToString>>(
    table: &'static str,
    column: &'static str,
    row: impl ToString,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Inconsistent {
        table,
        column,
        row: row.to_string(),
        problem: error.to_string(),
    })
}

/// Reads a JSON column.
pub(crate) fn json<'a, T: Deserialize<'a>>(
    table: &'static str,
    column: &'static str,
    row: impl ToString,
    text: &'a str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent {
        table,
        column,
        row: row.to_string(),
        problem: error.to_string(),
    })
}

/// Writes a value whose serialisation cannot fail: strings as keys, no foreign types.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

/// Writes rows for a statement that takes them apart again. Postgres cannot keep NUL in a text, and refuses the whole
/// statement for one: it becomes U+FFFD.
pub(crate) fn to_list(value: &impl serde::Serialize) -> String {
    let text = to_json(value);
    if !text.contains(NUL) {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        // JSON escapes only with a character after the backslash, and that is ASCII.
        let taken = if escape.starts_with(NUL) { NUL.len() } else { 2 };
        clean.push_str(if taken == 2 { &escape[..2] } else { "\u{fffd}" });
        rest = &escape[taken..];
    }
    clean + rest
}

/// Writes names for a statement: a list of a list each, so that both databases take them out alike.
pub(crate) fn list_of(names: &[&str]) -> String {
    to_list(&names.iter().map(|name| [name]).collect::<Vec<_>>())
}

const NUL: &str = "\\u0000";

/// The deepest value that is kept: what is deeper could be written, and then not read again.
const DEEPEST: usize = 100;

/// Says whether a value can be read again once it is written.
pub fn can_be_kept(value: &Value) -> bool {
    fn fits(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(items) => left > 0 && items.iter().all(|item| fits(item, left - 1)),
            Value::Object(fields) => left > 0 && fields.values().all(|item| fits(item, left - 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
    fits(value, DEEPEST)
}

pub(crate) fn moment(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

pub(crate) fn micros(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::as_micros)
}

/// Takes a count that the schema keeps from being negative.
pub(crate) fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_list(value: &str, expected: &str) {
        let back: Value = serde_json::from_str(&to_list(&json!([value]))).unwrap();
        assert_eq!(back, json!([expected]));
    }

    #[test]
    fn nul_is_the_only_thing_that_a_list_changes() {
        check_list("a\0b", "a\u{fffd}b");
        check_list("\0\0", "\u{fffd}\u{fffd}");
        check_list("\\u0000", "\\u0000");
        check_list("\\\0\\u0000\0", "\\\u{fffd}\\u0000\u{fffd}");
        check_list("\"\0\n\u{1}é", "\"\u{fffd}\n\u{1}é");
    }

    #[test]
    fn what_can_be_kept_can_be_read_again() {
        let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert!(can_be_kept(&nested(DEEPEST)));
        assert!(serde_json::from_str::<Value>(&to_json(&json!({ "a": nested(DEEPEST) }))).is_ok());
        assert!(!can_be_kept(&nested(DEEPEST + 1)));
    }
}
