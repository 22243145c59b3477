//! One value of one row, as exactly as the database has it, and what it is in JSON and as text.

use serde_json::{Number, Value};

/// One value of a row, or of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    /// A decimal number of any length, as digits.
    Decimal(String),
    /// Text, and everything that is written as text: times in ISO 8601, UUIDs, addresses.
    Text(String),
    /// A JSON document, or an array.
    Json(Value),
    Bytes(Vec<u8>),
}

impl Cell {
    /// Returns it as JSON: a decimal is a number where that loses nothing and text elsewhere, bytes are `\x` and
    /// hexadecimal digits.
    pub fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Unsigned(value) => value.into(),
            Self::Float(value) => Number::from_f64(value).map_or_else(|| float(value).into(), Value::Number),
            Self::Decimal(digits) => exact(&digits).map_or(Value::String(digits), Value::Number),
            Self::Text(text) => text.into(),
            Self::Json(value) => value,
            Self::Bytes(bytes) => hex(&bytes).into(),
        }
    }

    /// Returns it as text, `None` for null. What Postgres reads as a literal of the type.
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Unsigned(value) => Some(value.to_string()),
            Self::Float(value) => Some(float(value)),
            Self::Decimal(text) | Self::Text(text) => Some(text),
            Self::Json(value) => Some(value.to_string()),
            Self::Bytes(bytes) => Some(hex(&bytes)),
        }
    }

    /// Says how many bytes it takes, about.
    pub fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Unsigned(_) | Self::Float(_) => 8,
            Self::Decimal(text) | Self::Text(text) => text.len(),
            Self::Json(value) => value.to_string().len(),
            Self::Bytes(bytes) => bytes.len() * 2,
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => number
                .as_i64()
                .map(Self::Int)
                .or_else(|| number.as_u64().map(Self::Unsigned))
                .or_else(|| number.as_f64().map(Self::Float))
                .unwrap_or_else(|| Self::Decimal(number.to_string())),
            Value::String(text) => Self::Text(text),
            value @ (Value::Array(_) | Value::Object(_)) => Self::Json(value),
        }
    }
}

fn float(value: f64) -> String {
    match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => value.to_string(),
    }
}

/// The digits as a JSON number, where it is the same number.
fn exact(digits: &str) -> Option<Number> {
    if let Ok(value) = digits.parse::<i64>() {
        return Some(value.into());
    }
    let value: f64 = digits.parse().ok()?;
    let plain = |digits: &str| match digits.split_once('.') {
        Some((whole, part)) => match part.trim_end_matches('0') {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        },
        None => digits.to_owned(),
    };
    if plain(&value.to_string()) == plain(digits) { Number::from_f64(value) } else { None }
}

/// `\x` and two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_decimal_is_a_number_where_nothing_is_lost() {
        for (digits, expected) in [
            ("12", json!(12)),
            ("12.50", json!(12.5)),
            ("100.00", json!(100.0)),
            ("0.1", json!(0.1)),
            ("-3.25", json!(-3.25)),
            ("3.33333333333333333333", json!("3.33333333333333333333")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("NaN", json!("NaN")),
        ] {
            assert_eq!(Cell::Decimal(digits.into()).into_json(), expected, "{digits}");
        }
    }

    #[test]
    fn values_are_json_and_text() {
        for (cell, json, text) in [
            (Cell::Null, json!(null), None),
            (Cell::Bytes(vec![0, 255]), json!("\\x00ff"), Some("\\x00ff")),
            (Cell::Float(f64::INFINITY), json!("Infinity"), Some("Infinity")),
            (Cell::Float(1.5), json!(1.5), Some("1.5")),
            (Cell::Unsigned(u64::MAX), json!(u64::MAX), Some("18446744073709551615")),
            (Cell::Json(json!([1])), json!([1]), Some("[1]")),
        ] {
            assert_eq!(cell.clone().into_json(), json);
            assert_eq!(cell.into_text().as_deref(), text);
        }
    }
}
