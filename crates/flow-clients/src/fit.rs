//! Is a connection one of the kind that is asked for? Looked at before a byte is sent: a login goes to no server of
//! another kind.

use flow_core::connection::Connection;

use crate::{ClientError, Result};

/// A type that says nothing, and so fits everywhere.
const ANY: [&str; 2] = ["", "generic"];

/// What a client accepts.
#[derive(Debug)]
pub(crate) struct Kinds {
    /// What the other side is: `HTTP server`.
    pub(crate) noun: &'static str,
    /// Types, the usual one first.
    pub(crate) types: &'static [&'static str],
}

pub(crate) const HTTP: Kinds = Kinds { noun: "HTTP server", types: &["http", "https"] };
/// Airflow's older hook took the webhook from a connection of the type `http`.
pub(crate) const SLACK: Kinds =
    Kinds { noun: "webhook of Slack", types: &["slackwebhook", "slack", "slack_incoming_webhook", "http", "https"] };
pub(crate) const KAFKA: Kinds = Kinds { noun: "Kafka", types: &["kafka"] };
pub(crate) const MAIL: Kinds = Kinds { noun: "mail server", types: &["smtp", "email"] };

/// Refuses a connection of another kind.
///
/// # Errors
///
/// When its type is not one of these.
pub(crate) fn check(connection: &Connection, kinds: &Kinds) -> Result<()> {
    let kind = connection.conn_type.trim().to_lowercase();
    if ANY.contains(&kind.as_str()) || kinds.types.contains(&kind.as_str()) {
        return Ok(());
    }
    let Kinds { noun, types } = kinds;
    Err(ClientError::settings(format!(
        "connection `{id}` is of the type `{}`, which is no {noun}: name another; or, if it is one, \
         `flow connections set {id} --conn-type {}`",
        connection.conn_type,
        types[0],
        id = connection.id,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_of_another_kind_is_refused() {
        let of = |conn_type: &str| Connection {
            id: "web".to_owned(),
            conn_type: conn_type.to_owned(),
            ..Connection::default()
        };
        for (conn_type, kinds) in
            [("http", &HTTP), ("HTTPS", &HTTP), ("", &KAFKA), ("generic", &MAIL), ("http", &SLACK), ("email", &MAIL)]
        {
            assert_eq!(check(&of(conn_type), kinds), Ok(()), "{conn_type}");
        }
        for (conn_type, kinds) in [("postgres", &HTTP), ("http", &KAFKA), ("smtp", &SLACK), ("kafka", &MAIL)] {
            let error = check(&of(conn_type), kinds).unwrap_err();
            let words = format!("connection `web` is of the type `{conn_type}`, which is no {}", kinds.noun);
            assert!(error.message.starts_with(&words) && !error.may_retry(), "{error}");
        }
    }
}
