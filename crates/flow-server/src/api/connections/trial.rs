//! Tests of connections: which secrets may be tried where.
//!
//! Who may test a connection may not read its secrets. So what is kept is tried as it is kept: when the request asks
//! for anything else, another host or another authority to trust, its secrets must come with it. Otherwise a test
//! would carry a password to whoever asks for it.

use flow_core::{
    connection::{Connection, check_extra},
    secret::{MASK, secrets_of},
};
use flow_store::ConnectionRow;
use serde_json::Value;

use super::ConnectionBody;
use crate::{ApiError, App};

/// What a test comes to: either is a sentence.
pub(super) enum Trial {
    Tried { works: bool, words: String },
    Refused(String),
}

/// Tests what a request describes.
pub(super) async fn run(app: &App, body: &ConnectionBody) -> Result<Trial, ApiError> {
    let from_environment = match (app.environment)(&body.connection_id) {
        Ok(found) => found,
        Err(words) => return Ok(Trial::Refused(words)),
    };
    let note = match &from_environment {
        Some(_) => "; the environment of the web server sets this connection, before what is stored",
        None => "",
    };
    let kept = match from_environment {
        Some(connection) => Some(ConnectionRow {
            has_password: connection.password.is_some(),
            has_extra: connection.extra.is_some(),
            connection,
            unreadable: None,
        }),
        None => app.store.connection(&body.connection_id).await?,
    };
    let asked = match kept {
        Some(row) if is_bare(body) => row.whole()?,
        kept => {
            let before = kept.as_ref().map(|row| row.connection.clone());
            let asked = body.onto(kept, &[])?;
            if let Some(before) = before.filter(|before| !is_same(before, &asked))
                && let Some(borrowed) = borrowed(body, &before, &asked)
            {
                return Ok(Trial::Refused(format!(
                    "this is not what is stored, and a secret that is stored is only tried with that: give `{borrowed}` again, or save first{note}"
                )));
            }
            asked
        }
    };
    let (works, words) = flow_clients::test(&asked).await;
    Ok(Trial::Tried { works, words: format!("{words}{note}") })
}

/// Nothing is given but the name and the type: what is stored is meant.
fn is_bare(body: &ConnectionBody) -> bool {
    let ConnectionBody { description: _, host, login, schema, port, password, extra, .. } = body;
    host.is_none() && login.is_none() && schema.is_none() && port.is_none() && password.is_none() && extra.is_none()
}

/// All that decides where a connection goes and who is there: everything but its description and its password.
fn is_same(a: &Connection, b: &Connection) -> bool {
    let plain = |text: &Option<String>| text.clone().unwrap_or_default();
    a.conn_type == b.conn_type
        && plain(&a.host) == plain(&b.host)
        && plain(&a.login) == plain(&b.login)
        && plain(&a.schema) == plain(&b.schema)
        && a.port == b.port
        && fields(a) == fields(b)
}

fn fields(connection: &Connection) -> serde_json::Map<String, Value> {
    connection.extra.as_ref().and_then(|extra| check_extra(extra.expose()).ok()).unwrap_or_default()
}

/// Names a field whose secret the request did not bring itself.
fn borrowed(body: &ConnectionBody, before: &Connection, asked: &Connection) -> Option<&'static str> {
    let is_own = |given: &Option<Option<String>>| matches!(given, Some(Some(text)) if !text.contains(MASK));
    let has_secret = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| !secrets_of("", &Value::from(text.clone())).is_empty())
    };
    if asked.password.is_some() && !is_own(&body.password) {
        return Some("password");
    }
    let fields = Value::Object(fields(before));
    if asked.extra.is_some() && !is_own(&body.extra) && !secrets_of("", &fields).is_empty() {
        return Some("extra");
    }
    (has_secret(&asked.host) && !is_own(&body.host)).then_some("host")
}
