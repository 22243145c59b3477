//! Between rows and the core's types.

use std::str::FromStr;

use flow_core::Timestamp;
use serde::Deserialize;

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
