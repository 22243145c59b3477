//! What a database's error says to a person.

use std::io;

use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError};

use crate::{ClientError, Kind as ErrorKind};

/// Longest piece of a statement that an error shows.
const SHOWN_MAX: usize = 200;

/// Returns the words for an error of a statement; `sql` is what was sent, for the line that the server points at.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may have others; they speak for themselves")]
pub(crate) fn of_statement(error: sqlx::Error, sql: &str) -> ClientError {
    match error {
        sqlx::Error::Database(error) => of_database(&*error, sql),
        sqlx::Error::Io(error) => ClientError::unavailable(format!("the connection to the database broke: {error}")),
        sqlx::Error::ColumnDecode { index, source } => {
            ClientError::refused(format!("the value of column {index} cannot be read: {source}; cast it to text"))
        }
        sqlx::Error::Protocol(words) => ClientError::refused(format!("the database's answer cannot be read: {words}")),
        sqlx::Error::WorkerCrashed => ClientError::unavailable("the database's thread ended"),
        error => ClientError::refused(error),
    }
}

/// Returns the words for a row that Postgres refuses; where it stands is told elsewhere.
pub(crate) fn of_row(error: sqlx::Error) -> ClientError {
    let Some(found) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return of_statement(error, "");
    };
    let detail = found.detail().map(|detail| format!("; detail: {}", cut(detail))).unwrap_or_default();
    let state = found.code().to_owned();
    let words = format!("{}{detail} (SQLSTATE {state})", cut(found.message()));
    ClientError::new(ErrorKind::SqlState(state), words)
}

fn of_database(error: &dyn DatabaseError, sql: &str) -> ClientError {
    let mut words = error.message().to_owned();
    let mut state = error.code().map(|code| code.into_owned());
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        if let Some(sqlx::postgres::PgErrorPosition::Original(at)) = error.position()
            && let Some(line) = line_at(sql, at)
        {
            words.push_str(&line);
        }
        for (name, text) in [("detail", error.detail()), ("hint", error.hint()), ("where", error.r#where())] {
            if let Some(text) = text {
                words.push_str(&format!("; {name}: {}", cut(text)));
            }
        }
    } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        words = format!("{words} (error {})", error.number());
    } else {
        state = sqlite_state(error);
    }
    let kind = state.clone().map_or(ErrorKind::Refused, ErrorKind::SqlState);
    let state = state.map(|state| format!(" (SQLSTATE {state})")).unwrap_or_default();
    ClientError::new(kind, format!("{words}{state}"))
}

/// SQLite has no SQLSTATE; the classes that people decide upon are the same everywhere.
fn sqlite_state(error: &dyn DatabaseError) -> Option<String> {
    let code: i32 = error.code()?.parse().ok()?;
    let state = match code {
        1555 | 2067 => "23505",
        787 => "23503",
        1299 => "23502",
        275 => "23514",
        _ => match code & 0xff {
            5 | 6 => "55P03",
            8 => "25006",
            9 => "57014",
            13 => "53100",
            18 => "22001",
            19 => "23000",
            20 => "42804",
            26 => "58030",
            1 if error.message().starts_with("no such table") => "42P01",
            1 if error.message().starts_with("no such column") => "42703",
            1 => "42601",
            _ => "HY000",
        },
    };
    Some(state.to_owned())
}

/// The line of a statement that has the character `at`, from 1 on.
fn line_at(sql: &str, at: usize) -> Option<String> {
    let offset = sql.char_indices().nth(at.checked_sub(1)?).map_or(sql.len(), |(offset, _)| offset);
    let number = sql[..offset].matches('\n').count() + 1;
    let line = sql.lines().nth(number - 1)?.trim();
    Some(format!("; line {number}: {}", cut(line)))
}

fn cut(text: &str) -> String {
    let text = text.replace('\n', " ");
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the words for a connection that could not be made. `address` and `id` name it, without its password.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may have others; they speak for themselves")]
pub(crate) fn of_connecting(error: sqlx::Error, address: &str, id: &str) -> ClientError {
    match error {
        sqlx::Error::Database(error) => {
            let state = error.code().map(|code| code.into_owned()).unwrap_or_default();
            let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
            let advice = match (state.as_str(), number) {
                ("28P01" | "28000", _) | (_, 1045) => "; check `login` and `password` of the connection",
                ("3D000", _) | (_, 1049) => "; `schema` of the connection is the name of the database",
                ("53300", _) | (_, 1040 | 1203) => "; the server has no connection left",
                ("14", _) => "; a SQLite file must exist, unless `extra` has `\"create\": true`",
                _ => "",
            };
            let words = format!("connection `{id}`: {address} refused: {}{advice}", error.message());
            // Codes of SQLite are no SQLSTATE.
            if state.len() == 5 {
                ClientError::new(ErrorKind::SqlState(state), words)
            } else {
                ClientError::refused(words)
            }
        }
        sqlx::Error::Tls(error) => ClientError::unavailable(format!(
            "connection `{id}`: TLS with {address} failed: {error}; see `sslmode`, `sslrootcert` and `ssl` of its `extra`"
        )),
        sqlx::Error::Configuration(error) => ClientError::settings(format!("connection `{id}`: {error}")),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => ClientError::unavailable(format!(
            "connection `{id}`: {address} does not speak as a database does: {error}; is the port right?"
        )),
        sqlx::Error::Io(error) => {
            ClientError::unavailable(format!("connection `{id}`: could not reach {address}: {error}"))
        }
        error => ClientError::unavailable(format!("connection `{id}`: {address}: {error}")),
    }
}
