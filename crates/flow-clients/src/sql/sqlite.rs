//! SQLite: parameters, and its values. A value has a type, a column has none.

use sqlx::{
    Row as _, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::Cell;

/// Adds the values of a statement.
pub(crate) fn arguments(values: Vec<Cell>) -> sqlx::Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Cell::Null => sqlx::Arguments::add(&mut arguments, None::<String>),
            Cell::Bool(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Int(value) => sqlx::Arguments::add(&mut arguments, value),
            Cell::Float(value) => sqlx::Arguments::add(&mut arguments, value),
            // SQLite makes a number of digits where the column wants one.
            Cell::Unsigned(value) => sqlx::Arguments::add(&mut arguments, value.to_string()),
            Cell::Decimal(text) | Cell::Text(text) => sqlx::Arguments::add(&mut arguments, text),
            Cell::Json(value) => sqlx::Arguments::add(&mut arguments, value.to_string()),
            Cell::Bytes(bytes) => sqlx::Arguments::add(&mut arguments, bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Reads a row.
pub(crate) fn row(row: &SqliteRow) -> sqlx::Result<Vec<Cell>> {
    (0..row.columns().len()).map(|at| value(row, at)).collect()
}

fn value(row: &SqliteRow, at: usize) -> sqlx::Result<Cell> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let info = raw.type_info();
    Ok(match info.name() {
        "INTEGER" | "BOOLEAN" | "INT8" => Cell::Int(row.try_get_unchecked(at)?),
        "REAL" | "NUMERIC" => Cell::Float(row.try_get_unchecked(at)?),
        "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
        // Times are text to SQLite.
        _ => Cell::Text(row.try_get_unchecked(at)?),
    })
}
