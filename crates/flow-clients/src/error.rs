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

    /// Says whether another try may go better.
    pub fn may_retry(&self) -> bool {
        !matches!(self.kind, Kind::Settings)
    }
}
