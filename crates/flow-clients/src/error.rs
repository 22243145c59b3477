//! What can go wrong with another system, and whether another try may help.

use std::{fmt, time::Duration};

/// What a client's question comes to.
pub type Result<T> = std::result::Result<T, ClientError>;

/// Something went wrong with another system. Its words say what a person can do, and hold no password.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    pub message: String,
    pub kind: Kind,
    /// The server asks not to be tried again earlier (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// What kind of error it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The settings are wrong; another try cannot help.
    Settings,
    /// The other side cannot be reached, or broke off.
    Unavailable,
    /// An HTTP server answered with this status.
    Status(u16),
    /// A database answered with this SQLSTATE.
    SqlState(String),
    /// The other side answered, and refuses: unknown topic, no such table.
    Refused,
    /// Somebody else has taken over: another producer of this name, another member of the group.
    Fenced,
}

impl ClientError {
    /// Makes an error of this kind.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), kind, retry_after: None }
    }

    /// The settings are wrong; another try cannot help.
    pub fn settings(message: impl fmt::Display) -> Self {
        Self::new(Kind::Settings, message)
    }

    /// The other side cannot be reached, or broke off.
    pub fn unavailable(message: impl fmt::Display) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// The other side refuses.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Says whether a database refused a value, so that another row might pass: not a lock, a missing table, a full disk.
    pub fn is_about_a_row(&self) -> bool {
        // MySQL says HY000 about values too, and about much else; these are its numbers for them: no default, too long,
        // truncated, incorrect, a CHECK of MySQL, no partition for it.
        const VALUES: [&str; 6] = ["1364", "1406", "1265", "1366", "3819", "1526"];
        let Kind::SqlState(state) = &self.kind else { return false };
        let is_of_values = || VALUES.iter().any(|number| self.message.contains(&format!("(error {number})")));
        state.starts_with("22") || state.starts_with("23") || is_of_values()
    }

    /// Says whether another try may go better.
    pub fn may_retry(&self) -> bool {
        !matches!(self.kind, Kind::Settings)
    }
}
