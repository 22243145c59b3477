//! MySQL and MariaDB: parameters, and their values.

use serde_json::Value;
use sqlx::{
    MySql, Row as _, TypeInfo as _, ValueRef as _,
    mysql::{MySqlArguments, MySqlRow, types::MySqlTime},
    types::chrono::{NaiveDate, NaiveDateTime},
};

use super::Cell;

/// Adds the values of a statement.
pub(crate) fn arguments(values: Vec<Cell>) -> sqlx::Result<MySqlArguments> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        let added = match value {
            Cell::Null => sqlx::Arguments::add(&mut arguments, None::<String>),
            Cell::Bool(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Int(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Unsigned(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Float(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Decimal(text) | Cell::Text(text) => sqlx::Arguments::add(&mut arguments, text),
            Cell::Json(value) => sqlx::Arguments::add(&mut arguments, value.to_string()),
            Cell::Bytes(bytes) => sqlx::Arguments::add(&mut arguments, bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Reads a row.
pub(crate) fn row(row: &MySqlRow) -> sqlx::Result<Vec<Cell>> {
    (0..row.columns().len()).map(|at| value(row, at)).collect()
}

fn value(row: &MySqlRow, at: usize) -> sqlx::Result<Cell> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let info = raw.type_info();
    Ok(match info.name() {
        // A truth is a small number here.
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Cell::Int(row.try_get_unchecked(at)?),
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED"
        | "BIT" => {
            let value: u64 = row.try_get_unchecked(at)?;
            i64::try_from(value).map_or(Cell::Unsigned(value), Cell::Int)
        }
        "YEAR" => Cell::Int(row.try_get_unchecked::<u16, _>(at)?.into()),
        "FLOAT" => Cell::Float(row.try_get_unchecked::<f32, _>(at)?.to_string().parse().unwrap_or(f64::NAN)),
        "DOUBLE" => Cell::Float(row.try_get_unchecked(at)?),
        "DECIMAL" => Cell::Decimal(row.try_get_unchecked(at)?),
        // A date of zeros is no date to the driver.
        "DATE" => {
            Cell::Text(row.try_get_unchecked::<NaiveDate, _>(at).map_or("0000-00-00".into(), |date| date.to_string()))
        }
        "DATETIME" => time_text(row, at, ""),
        // The driver's session is in UTC.
        "TIMESTAMP" => time_text(row, at, "+00:00"),
        "TIME" => Cell::Text(clock(&row.try_get_unchecked(at)?)),
        "JSON" => Cell::Json(
            serde_json::from_slice(row.try_get_unchecked(at)?).unwrap_or_else(|error| Value::String(error.to_string())),
        ),
        // Text with a binary collation has the name of bytes; its character set tells.
        _ if <str as sqlx::Type<MySql>>::compatible(&info) => Cell::Text(row.try_get_unchecked(at)?),
        "ENUM" | "SET" => Cell::Text(row.try_get_unchecked(at)?),
        _ => Cell::Bytes(row.try_get_unchecked(at)?),
    })
}

/// Hours may be more than a day has, or less than none.
fn clock(time: &MySqlTime) -> String {
    // The driver's own `is_negative` of a time says the contrary.
    let sign = if time.sign().is_negative() { "-" } else { "" };
    let text = format!("{sign}{:02}:{:02}:{:02}", time.hours(), time.minutes(), time.seconds());
    if time.microseconds() == 0 { text } else { format!("{text}.{:06}", time.microseconds()) }
}

fn time_text(row: &MySqlRow, at: usize, zone: &str) -> Cell {
    match row.try_get_unchecked::<NaiveDateTime, _>(at) {
        Ok(time) => Cell::Text(format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S%.f"))),
        Err(_) => Cell::Text("0000-00-00T00:00:00".into()),
    }
}
