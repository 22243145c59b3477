//! What the SQL operators share: a session that ends with its attempt, and values as the checks see them.

use std::{fmt::Write as _, future::Future};

use anyhow::anyhow;
use flow_clients::sql::{Cell, Database, Parameters, Session};
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    operator::OperatorError,
};

/// Longest piece of a statement that the log shows.
const SHOWN_MAX: usize = 200;

/// Connects, unless the attempt is cancelled first. `database` takes the place of the connection's `schema`.
pub(crate) async fn open(cx: &TaskContext, conn_id: &str, database: Option<&str>) -> Result<Session, OperatorError> {
    let database = database_of(cx, conn_id, database).await?;
    or_cancelled(cx, async { Ok(database.session().await?) }).await
}

/// Connects to two databases at once, which may be the same one, unless the attempt is cancelled first.
pub(crate) async fn open_both(cx: &TaskContext, one: &str, other: &str) -> Result<(Session, Session), OperatorError> {
    let one = database_of(cx, one, None).await?;
    let other = database_of(cx, other, None).await?;
    or_cancelled(cx, async { Ok(one.pair(&other).await?) }).await
}

async fn database_of(cx: &TaskContext, conn_id: &str, database: Option<&str>) -> Result<Database, OperatorError> {
    let mut connection = cx.connection(conn_id).await?;
    if let Some(name) = database {
        connection.schema = Some(name.to_owned());
    }
    Ok(Database::of(&cx.clients, &connection).await?)
}

/// Waits for an end, or for the attempt to be cancelled.
pub(crate) async fn or_cancelled<T>(
    cx: &TaskContext,
    work: impl Future<Output = Result<T, OperatorError>>,
) -> Result<T, OperatorError> {
    tokio::select! {
        biased;
        () = cx.cancel.cancelled() => Err(OperatorError::cancelled()),
        done = work => done,
    }
}

/// Ends a session: after a cancelled statement the server is told before the attempt ends.
pub(crate) async fn close<T>(session: Session, done: Result<T, OperatorError>) -> Result<T, OperatorError> {
    if done.as_ref().is_err_and(OperatorError::is_cancelled) {
        session.abandon().await;
    }
    done
}

/// Reads the parameters of a statement.
pub(crate) fn parameters(given: Option<Value>) -> Result<Parameters, OperatorError> {
    Ok(Parameters::of(given.unwrap_or_default())?)
}

/// Asks for the first row.
pub(crate) async fn first(
    cx: &TaskContext,
    conn_id: &str,
    database: Option<&str>,
    sql: &str,
    parameters: &Parameters,
) -> Result<Option<Vec<Cell>>, OperatorError> {
    say_statement(cx, sql);
    let mut session = open(cx, conn_id, database).await?;
    let done = or_cancelled(cx, async { Ok(session.first(sql, parameters).await?) }).await;
    close(session, done).await
}

/// Says in the log what is asked.
pub(crate) fn say_statement(cx: &TaskContext, sql: &str) {
    let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    cx.say(Stream::Info, &format!("asking: {shown}"));
}

/// Returns a value as a number, also where it is one in text.
pub(crate) fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Bool(value) => Some(f64::from(u8::from(*value))),
        Cell::Int(value) => Some(*value as f64),
        Cell::Unsigned(value) => Some(*value as f64),
        Cell::Float(value) => Some(*value),
        Cell::Decimal(text) | Cell::Text(text) => text.trim().parse().ok(),
        Cell::Null | Cell::Json(_) | Cell::Bytes(_) => None,
    }
}

/// Says whether Python would take a value for true: not null, not zero, not empty.
pub(crate) fn is_true(cell: &Cell) -> bool {
    match cell {
        Cell::Null => false,
        Cell::Bool(value) => *value,
        Cell::Int(value) => *value != 0,
        Cell::Unsigned(value) => *value != 0,
        Cell::Float(value) => *value != 0.0,
        Cell::Decimal(text) => text.parse::<f64>().is_ok_and(|value| value != 0.0),
        Cell::Text(text) => !text.is_empty(),
        Cell::Json(value) => match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        },
        Cell::Bytes(bytes) => !bytes.is_empty(),
    }
}

/// Writes a row for a message, cut short.
pub(crate) fn show(row: &[Cell]) -> String {
    let mut text = String::from("(");
    for (at, cell) in row.iter().enumerate() {
        let value = cell.clone().into_json().to_string();
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{value}", if at > 0 { ", " } else { "" });
    }
    text.push(')');
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A check that did not hold; another try is worth it unless `retry_on_failure` says no.
pub(crate) fn does_not_hold(sentence: impl std::fmt::Display, may_retry: bool) -> OperatorError {
    let source = anyhow!("{sentence}");
    if may_retry { OperatorError::retry(source) } else { OperatorError::fatal(source) }
}

#[cfg(test)]
mod tests;
