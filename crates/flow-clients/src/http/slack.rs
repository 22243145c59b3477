//! Slack's incoming webhooks. The address of one is its secret: it stands in no error.

use std::sync::Arc;

use flow_core::connection::Connection;
use serde_json::Value;

use super::{Http, Request, client};
use crate::{ClientError, Clients, Kind, Result, fit};

/// Where webhooks are, unless the connection has a host.
const HOST: &str = "https://hooks.slack.com/services";

/// So much of an answer is read; Slack's are words.
const ANSWER_BYTES_MAX: usize = 1024;

/// A webhook.
#[derive(Debug)]
pub struct Webhook {
    http: Arc<Http>,
    /// The secret part of its address.
    path: String,
}

/// Returns the webhook of a connection, whose client is kept.
///
/// # Errors
///
/// When the connection has no webhook.
pub async fn webhook(clients: &Clients, connection: &Connection) -> Result<Webhook> {
    let (server, path) = address(connection)?;
    Ok(Webhook { http: client(clients, &server).await?, path })
}

impl Webhook {
    /// Posts a message.
    ///
    /// # Errors
    ///
    /// What Slack says of it.
    pub async fn post(&self, message: &Value) -> Result<()> {
        let (status, retry_after, words) = self.ask(message).await?;
        if status < 300 {
            return Ok(());
        }
        let hint = match words.as_str() {
            "invalid_token" | "no_service" | "no_service_id" | "no_team" | "team_disabled" => {
                "the webhook is not there any more: make one and put it into the connection's password"
            }
            "channel_not_found" | "channel_is_archived" => "look at `channel`; most webhooks only know their own",
            "invalid_payload" | "invalid_blocks" | "invalid_attachments" | "no_text" => {
                "look at `message`, `blocks` and `attachments`"
            }
            _ => "",
        };
        let hint = if hint.is_empty() { String::new() } else { format!("; {hint}") };
        let words = format!("Slack answered {status}: {words}{hint}");
        Err(ClientError { retry_after, ..ClientError::new(Kind::Status(status), words) })
    }

    async fn ask(&self, message: &Value) -> Result<(u16, Option<std::time::Duration>, String)> {
        let body = message.to_string().into_bytes();
        let request = Request::new("POST", &self.path)?.body(body, Some("application/json"));
        let mut answer = self.http.send(&request).await?;
        let status = answer.status().as_u16();
        let retry_after = super::answer::retry_after_of(&answer);
        let words = answer.bytes_at_most(ANSWER_BYTES_MAX).await?.unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        // A page of HTML is no word.
        let word = words.lines().next().unwrap_or_default().trim();
        let word = if word.is_empty() || word.starts_with('<') { "no reason" } else { word };
        Ok((status, retry_after, word.to_owned()))
    }
}

/// The server of a connection, and the webhook's part of the address: as in Airflow the password, which may also be
/// the whole address.
fn address(connection: &Connection) -> Result<(Connection, String)> {
    fit::check(connection, &fit::SLACK)?;
    let missing = || {
        ClientError::settings(format!(
            "connection `{}` has no webhook: its password is the address of one, such as `{HOST}/T000/B000/XXXX`, or that without `{HOST}/`",
            connection.id
        ))
    };
    let password = connection.password.as_ref().map(|password| password.expose().trim()).unwrap_or_default();
    let mut server = Connection { password: None, login: None, conn_type: "http".to_owned(), ..connection.clone() };
    if let Some((protocol, rest)) = password.split_once("://") {
        let (host, path) = rest.split_once('/').ok_or_else(missing)?;
        server.host = Some(format!("{protocol}://{host}"));
        (server.port, server.schema) = (None, None);
        return Ok((server, path.to_owned()));
    }
    if password.is_empty() {
        return Err(missing());
    }
    if server.host.as_deref().is_none_or(|host| host.trim().is_empty()) {
        server.host = Some(HOST.to_owned());
        (server.port, server.schema) = (None, None);
    } else if server.schema.is_none() {
        server.schema = Some("https".to_owned());
    }
    Ok((server, password.to_owned()))
}

/// Posts a message that is none: Slack then says whether it knows the webhook, and shows nothing to anybody.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    let hook = webhook(&Clients::default(), connection).await?;
    match hook.ask(&serde_json::json!({})).await? {
        (status, _, words) if status < 300 || words == "no_text" || words == "invalid_payload" => {
            Ok("Slack knows this webhook; no message was posted".to_owned())
        }
        (status, _, words) => Err(ClientError::refused(format!("Slack answered {status}: {words}"))),
    }
}
