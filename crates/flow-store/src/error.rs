//! What can go wrong with the store.

use crate::db::Sql;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The thing asked for does not exist.
    #[error("{what} `{name}` does not exist")]
    NotFound {
        /// "dag", "run", …
        what: &'static str,
        name: String,
    },
    /// Someone else was faster, or the thing exists already. The transaction must be dropped.
    #[error("{0}")]
    Conflict(String),
    /// A row that cannot be understood.
    #[error("cannot understand `{column}` of {table} {row}: {problem}")]
    Inconsistent { table: &'static str, column: &'static str, row: String, problem: String },
    /// A list would have to look at too much of history.
    #[error(
        "this looks at too much of history; narrow it by a DAG, a state or dates, or search for the beginning of a name"
    )]
    TooMuch,
    /// The database cannot be used as it is: locked, read-only, newer than this program.
    #[error("{0}")]
    Unusable(String),
    /// A key is missing, or does not fit.
    #[error("{0}")]
    Key(String),
    /// The database answered with an error, or not at all.
    #[error("database: {}", first_line(.0))]
    Database(#[from] sqlx::Error),
}

fn first_line(error: &sqlx::Error) -> String {
    // A connection URL may hold a password; sqlx does not print it, but a driver's message could.
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

impl StoreError {
    /// Says whether the same call may succeed later without anyone mending anything here: the database was
    /// away or busy, or another process was faster.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Database(error) =>
            {
                #[expect(
                    clippy::wildcard_enum_match_arm,
                    reason = "sqlx may add errors; a new one is not passing until someone says so"
                )]
                match error {
                    sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::Tls(_) => true,
                    sqlx::Error::Database(inner) => inner.code().is_some_and(|code| is_passing_code(&code)),
                    _ => false,
                }
            }
            Self::NotFound { .. } | Self::Inconsistent { .. } | Self::Key(_) | Self::TooMuch | Self::Unusable(_) => {
                false
            }
        }
    }

    /// Says whether the database refused what it was to keep: another text or number might be taken at this moment.
    /// Not so when it is away, starting, read-only or full, or lets nobody in.
    pub fn is_about_data(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Encode(_)) => true,
            Self::Database(sqlx::Error::Database(inner)) => inner.code().is_some_and(|code| is_data_code(&code)),
            Self::Database(_)
            | Self::NotFound { .. }
            | Self::Conflict(_)
            | Self::Inconsistent { .. }
            | Self::TooMuch
            | Self::Unusable(_)
            | Self::Key(_) => false,
        }
    }

    pub(crate) fn no_such(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound { what, name: name.to_string() }
    }
}

fn is_passing_code(code: &str) -> bool {
    if code.len() == SQLSTATE {
        // Connection exceptions, serialization, deadlock, resources, not in a state to do it, shutdown; unique and
        // foreign keys: another process made, or deleted, the same thing.
        ["08", "40", "53", "55", "57P", "23505", "23503"].iter().any(|start| code.starts_with(start))
    } else {
        // SQLite: busy, locked, I/O, full.
        code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13))
    }
}

fn is_data_code(code: &str) -> bool {
    if code.len() == SQLSTATE {
        // Data exceptions, limits of the program; NULLs and checks.
        ["22", "54", "23502", "23514"].iter().any(|start| code.starts_with(start))
    } else {
        // SQLite: what its JSON functions say, too big, mismatch, out of range; checks, NULLs, types.
        code.parse::<u32>()
            .is_ok_and(|code| matches!(code & 0xff, 1 | 18 | 20 | 25) || matches!(code, 275 | 1299 | 3091))
    }
}

/// The length of a Postgres code; SQLite's are shorter.
const SQLSTATE: usize = 5;

/// A statement did not touch as many rows as it should have.
pub(crate) fn conflict(statement: Sql, expected: usize, touched: u64) -> StoreError {
    StoreError::Conflict(format!(
        "someone else was faster: {touched} of {expected} rows were as expected ({})",
        statement.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_known_by_the_code_of_its_own_database() {
        for code in ["5", "6", "517", "13", "40001", "40P01", "57P01", "08006", "53300", "55000", "23505"] {
            assert!(is_passing_code(code), "{code}");
        }
        // The last byte of 22021 (a NUL in a text) is the one of SQLite's "busy".
        for code in ["1", "8", "19", "2067", "22021", "42P01", "23514", "25006"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }
    #[test]
    fn a_database_that_is_not_itself_says_nothing_about_data() {
        for code in ["22P05", "22021", "54000", "23514", "1", "18", "275"] {
            assert!(is_data_code(code), "{code}");
        }
        // Not accepting connections, a standby, no rights, no password, no such database; read-only, full, I/O, no file.
        for code in
            ["55000", "25006", "42501", "28P01", "3D000", "57P03", "53100", "23503", "8", "13", "10", "14", "2067"]
        {
            assert!(!is_data_code(code), "{code}");
        }
    }
}
