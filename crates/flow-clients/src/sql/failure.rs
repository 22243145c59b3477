//! What a database's error says to a person.

use std::io;

use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError};

use super::tls;
use crate::{ClientError, Kind as ErrorKind};

/// Longest piece of a statement that an error shows.
const SHOWN_MAX: usize = 200;

/// Longest texts that MySQL repeats, by the kind of error; it does not show that there was more.
const MYSQL_CUTS: [usize; 5] = [64, 80, 128, 192, 256];

/// Longest name in Postgres.
const POSTGRES_CUTS: [usize; 1] = [63];

/// Longest message of a server: some hold a whole value.
const MESSAGE_MAX: usize = 1_000;

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
    let advice = Late::of(&state, 0, found.message()).map(|late| late.advice("statement_timeout")).unwrap_or_default();
    let words = format!("{}{detail} (SQLSTATE {state}){advice}", cut(found.message()));
    ClientError::new(ErrorKind::SqlState(state), words)
}

/// Why a statement came to no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// The server lets none run so long, or somebody stopped it.
    Itself,
    /// Another transaction held what it needed.
    Lock,
}

impl Late {
    /// `number` is MySQL's, else 0.
    fn of(state: &str, number: u16, message: &str) -> Option<Self> {
        match (state, number) {
            // Asked for with NOWAIT, it did not wait at all.
            ("55P03", _) if message.contains("NOWAIT") || message.contains("could not obtain lock") => None,
            ("55P03", _) | (_, 1205) => Some(Self::Lock),
            ("57014", _) | (_, 1969 | 3024) => Some(Self::Itself),
            _ => None,
        }
    }

    /// What to do about it. `limit` is the server's setting.
    fn advice(self, limit: &str) -> String {
        match self {
            Self::Itself => format!("; if it took too long, let it do less, or raise the server's `{limit}`"),
            Self::Lock => "; another transaction holds what it needs: end that one, or try again later".to_owned(),
        }
    }
}

fn of_database(error: &dyn DatabaseError, sql: &str) -> ClientError {
    let mut words = cut_at(error.message(), MESSAGE_MAX);
    let mut state = error.code().map(|code| code.into_owned());
    let (mut number, mut limit) = (0, "statement_timeout");
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
        words = with_cuts_marked(&words, '"', &POSTGRES_CUTS);
    } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        number = error.number();
        limit = if number == 1969 { "max_statement_time" } else { "max_execution_time" };
        words = format!("{} (error {})", with_cuts_marked(&words, '\'', &MYSQL_CUTS), error.number());
    } else {
        state = sqlite_state(error);
    }
    let late = Late::of(state.as_deref().unwrap_or_default(), number, error.message());
    let late = late.map(|late| format!("{}; the statement: {}", late.advice(limit), first_words(sql)));
    let kind = state.clone().map_or(ErrorKind::Refused, ErrorKind::SqlState);
    let state = state.map(|state| format!(" (SQLSTATE {state})")).unwrap_or_default();
    ClientError::new(kind, format!("{words}{state}{}", late.unwrap_or_default()))
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

/// Puts `…` where a server has cut what it quotes: half a secret is then known for one.
fn with_cuts_marked(words: &str, quote: char, cuts: &[usize]) -> String {
    // A letter of four bytes may not have had room.
    let is_cut = |text: &str| {
        cuts.iter().any(|cut| text.chars().count() == *cut || (cut - 3..=*cut).contains(&text.len()))
            && !text.ends_with("...")
    };
    let mut marked = String::with_capacity(words.len());
    // The statement that MySQL repeats may hold quotes itself.
    let near = words.split_once(" near '").and_then(|(_, rest)| rest.rsplit_once("' at line "));
    let end_of_near = near.filter(|(text, _)| is_cut(text)).map(|(text, _)| text.as_ptr().addr() + text.len());
    for piece in words.split_inclusive(quote) {
        let text = piece.strip_suffix(quote).unwrap_or(piece);
        marked.push_str(text);
        if text.len() < piece.len() {
            if is_cut(text) || end_of_near == Some(text.as_ptr().addr() + text.len()) {
                marked.push('…');
            }
            marked.push(quote);
        }
    }
    marked
}

/// Returns the words for a question about a table, which may not be there.
pub(crate) fn about_table(error: ClientError, table: &str) -> ClientError {
    let Some(state) = state_of(&error, &["42P01", "42S02"]) else { return error };
    ClientError { message: format!("there is no table `{table}` (SQLSTATE {state})"), ..error }
}

/// Returns the words for columns of a file that a table does not have.
pub(crate) fn about_columns(error: ClientError, table: &str, file: &std::path::Path) -> ClientError {
    if state_of(&error, &["42703", "42S22"]).is_none() {
        return error;
    }
    let file = file.display();
    let message = format!("the columns of `{file}` are not those of table `{table}`: {}", error.message);
    ClientError { message, ..error }
}

/// Returns the SQLSTATE of an error if it is one of these.
fn state_of<'e>(error: &'e ClientError, states: &[&str]) -> Option<&'e str> {
    let ErrorKind::SqlState(state) = &error.kind else { return None };
    states.contains(&state.as_str()).then_some(state)
}

/// The beginning of a statement, in one line, up to the first text in it: errors go further than logs. Its parameters
/// are not in it either.
fn first_words(sql: &str) -> String {
    let line = match sql.find(['\'', '"', '$']) {
        Some(end) => format!("{}…", &sql[..end]),
        None => sql.to_owned(),
    };
    let line = line.split_whitespace().take(SHOWN_MAX).collect::<Vec<_>>().join(" ");
    cut_at(&line, SHOWN_MAX)
}

fn cut(text: &str) -> String {
    cut_at(&text.replace('\n', " "), SHOWN_MAX)
}

fn cut_at(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the words for a connection that could not be made. `address` and `id` name it, without its password.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may have others; they speak for themselves")]
pub(crate) fn of_connecting(error: sqlx::Error, address: &str, id: &str) -> ClientError {
    let is_mysql = address.starts_with("MySQL");
    let tls = |words| ClientError::unavailable(format!("connection `{id}`: TLS with {address} failed: {words}"));
    match error {
        sqlx::Error::Database(error) => {
            let state = error.code().map(|code| code.into_owned()).unwrap_or_default();
            let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
            let advice = match (state.as_str(), number) {
                ("28000", 0) if error.message().contains("certificate") => {
                    "; it wants one for this login: `sslcert` and `sslkey` in `extra` of the connection"
                }
                ("28000", 0) if ["no encryption", "SSL off"].iter().any(|end| error.message().ends_with(end)) => {
                    "; if it wants TLS, set `sslmode` in `extra` of the connection"
                }
                (_, 1045) => "; check `login` and `password` of the connection, and `ssl` if its user needs TLS",
                ("28P01" | "28000", _) => "; check `login` and `password` of the connection",
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
        sqlx::Error::Tls(error) => tls(tls::of_driver(error.as_ref(), is_mysql)),
        // The driver's words name its own source.
        sqlx::Error::Protocol(_) => ClientError::unavailable(format!(
            "connection `{id}`: what answers does not speak as {address} would; are type, host and port right?"
        )),
        sqlx::Error::Configuration(error) => ClientError::settings(format!("connection `{id}`: {error}")),
        sqlx::Error::Io(error) => match tls::of_io(&error, is_mysql) {
            Some(words) => tls(words),
            None if error.kind() == io::ErrorKind::InvalidData => ClientError::unavailable(format!(
                "connection `{id}`: {address} does not speak as a database does: {error}; is the port right?"
            )),
            None => ClientError::unavailable(format!("connection `{id}`: could not reach {address}: {error}")),
        },
        error => ClientError::unavailable(format!("connection `{id}`: {address}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_was_late_is_told_from_one_that_would_not_wait() {
        let late = |state, number| Late::of(state, number, "canceling statement due to …");
        assert_eq!([late("57014", 0), late("70100", 1969), late("HY000", 3024)], [Some(Late::Itself); 3]);
        assert_eq!((late("55P03", 0), late("HY000", 1205)), (Some(Late::Lock), Some(Late::Lock)));
        assert_eq!(late("HY000", 1364), None);
        assert_eq!(Late::of("55P03", 0, "could not obtain lock on row in relation \"t\""), None);
        assert_eq!(first_words("SELECT\n  1"), "SELECT 1");
        assert_eq!(first_words(&"x".repeat(300)).chars().count(), SHOWN_MAX + 1);
    }

    #[test]
    fn what_a_server_has_cut_is_marked() {
        let check = |words: &str, quote, cuts: &[usize], expected: &str| {
            assert_eq!(with_cuts_marked(words, quote, cuts), expected);
        };
        let (x, y) = ("x".repeat(64), "y".repeat(74));
        let near = |mark: &str| format!("near 'a 'b' {y}{mark}' at line 1");
        check(&format!("it is {}", near("")), '\'', &MYSQL_CUTS, &format!("it is {}", near("…")));
        check(&near("..."), '\'', &MYSQL_CUTS, &near("..."));
        check(&format!("entry '{x}' for 'k'"), '\'', &MYSQL_CUTS, &format!("entry '{x}…' for 'k'"));
        check(&format!("relation \"{}\" not", &x[1..]), '"', &POSTGRES_CUTS, &format!("relation \"{}…\" not", &x[1..]));
        check("no 'quote' for it's", '\'', &MYSQL_CUTS, "no 'quote' for it's");
    }
}
