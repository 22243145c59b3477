//! What can go wrong between a command and a server: one sentence each, and a way out.

use reqwest::{Response, StatusCode, header::LOCATION};
use serde_json::Value;

use super::Client;
use crate::{node::VERSION, output::Refusal};

/// The detail that a server answers with when it has no such route.
const NO_ROUTE: &str = "there is nothing at this address";

/// Longest sentence of a server that is shown.
const DETAIL_CHARS_MAX: usize = 2_000;

/// The server understood and said no, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Declined {
    status: StatusCode,
    detail: String,
    /// It has done a part, and asks for the same request again.
    again: bool,
}

impl Declined {
    /// What was asked for is not there.
    pub(super) fn not_found(detail: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: detail.to_owned(), again: false }
    }

    /// Says whether an error asks for the same request again, because only a part of it could be done at once.
    pub(crate) fn says_again(error: &anyhow::Error) -> bool {
        error.downcast_ref::<Self>().is_some_and(|declined| declined.again)
    }

    /// Says whether an error is a no with this status.
    pub(crate) fn is(error: &anyhow::Error, status: StatusCode) -> bool {
        error.downcast_ref::<Self>().is_some_and(|declined| declined.status == status)
    }
}

/// Says whether trying again may help. `is_safe`: the request changes nothing.
pub(super) fn may_pass(error: &reqwest::Error, is_safe: bool) -> bool {
    if error.is_timeout() || error.is_builder() || is_tls(&cause(error)) {
        return false;
    }
    // A request whose connection broke may have been served.
    error.is_connect() || is_safe
}

/// Returns the innermost words of an error.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn is_tls(cause: &str) -> bool {
    ["certificate", "tls", "handshake", "corrupt message"].iter().any(|word| cause.to_lowercase().contains(word))
}

impl Client {
    /// The server, as it is shown.
    fn name(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Says why no answer came.
    pub(super) fn not_reached(&self, error: &reqwest::Error) -> anyhow::Error {
        let cause = cause(error);
        let name = self.name();
        if error.is_timeout() {
            return self.too_slow();
        }
        if is_tls(&cause) {
            return Refusal::failed(format!("no safe connection to `{name}`: {cause}"))
                .help("a certificate of your own: name it in SSL_CERT_FILE; a server without TLS: http://")
                .into();
        }
        let refusal = if error.is_connect() {
            Refusal::failed(format!("cannot reach the server `{name}`: {cause}"))
        } else {
            Refusal::failed(format!("the connection to the server `{name}` broke: {cause}"))
        };
        refusal.help("is it running, and is that its address? (--server, FLOW_SERVER)").into()
    }

    pub(super) fn too_slow(&self) -> anyhow::Error {
        Refusal::failed(format!("the server `{}` did not answer in time", self.name()))
            .help("what was asked for may be done all the same: look before you ask again")
            .into()
    }

    /// Says why the server did not do it.
    pub(super) async fn declined(&self, response: Response) -> anyhow::Error {
        let (status, name) = (response.status(), self.name());
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        let retry = response.headers().get("retry-after").and_then(|at| at.to_str().ok()).map(str::to_owned);
        let bytes = match self.bytes(response).await {
            Ok(bytes) => bytes,
            Err(error) => return error,
        };
        let detail = serde_json::from_slice::<Value>(&bytes).ok().and_then(|body| sentence(&body["detail"]));
        let refusal = match (status, detail) {
            (StatusCode::UNAUTHORIZED, _) if self.has_token => {
                Refusal::failed(format!("the server `{name}` does not know this token"))
                    .help("it may have ended or been deleted; make one on that host: flow tokens create")
            }
            (StatusCode::UNAUTHORIZED, _) => Refusal::failed(format!("the server `{name}` asks who you are"))
                .help("make a token on that host (flow tokens create), and give it in FLOW_TOKEN or with --token-file"),
            (StatusCode::FORBIDDEN, Some(detail)) => {
                Refusal::failed(detail).help("the token is known, but may not do this; an Admin can change that")
            }
            (StatusCode::TOO_MANY_REQUESTS, _) => {
                let wait = retry.map_or_else(|| "in a moment".to_owned(), |seconds| format!("in {seconds} s"));
                Refusal::failed(format!("the server `{name}` has had too many requests"))
                    .help(format!("try again {wait}"))
            }
            (StatusCode::NOT_FOUND, Some(detail)) if detail == NO_ROUTE => {
                return self.not_understood("it does not have what this command asks for").await;
            }
            (status, Some(detail)) if status.is_client_error() => {
                let again = status == StatusCode::CONFLICT && retry.is_some();
                return Declined { status, detail, again }.into();
            }
            (status, Some(detail)) if status.is_server_error() => {
                Refusal::failed(format!("the server `{name}` could not do it: {detail}"))
                    .help("its own messages say more; try again in a moment")
            }
            (status, _) if status.is_redirection() && !to.is_empty() => {
                Refusal::failed(format!("the server `{name}` sends on to `{to}`"))
                    .help("if you trust that address, give its beginning as --server or FLOW_SERVER")
            }
            (status, _) if status.is_server_error() => {
                Refusal::failed(format!("the server `{name}` could not do it: {status}"))
                    .help("a proxy in front of it may have answered; try again in a moment")
            }
            (..) => return self.not_understood(&format!("{status}")).await,
        };
        refusal.into()
    }

    /// Says why an answer is none: another version, or no Flow at all.
    pub(super) async fn not_understood(&self, what: &str) -> anyhow::Error {
        let name = self.name();
        match self.version().await {
            Some(version) if version == VERSION => {
                Refusal::failed(format!("the answer of the server `{name}` makes no sense: {what}")).into()
            }
            Some(version) => Refusal::failed(format!(
                "the server `{name}` has version {version}, this is flow {VERSION}, and they do not fit together: {what}"
            ))
            .help("use the same version on both sides")
            .into(),
            None => Refusal::failed(format!("`{name}` answers, but not as Flow does"))
                .help("is that its address? (--server, FLOW_SERVER; without /api/v2)")
                .into(),
        }
    }

    async fn version(&self) -> Option<String> {
        let url = self.url(&["api", "v2", "version"], &[]).ok()?;
        let response = self.http.get(url).timeout(super::CONNECT_TIMEOUT).send().await.ok()?;
        let body: Value = serde_json::from_slice(&self.bytes(response).await.ok()?).ok()?;
        // Its words are the server's: they end up on a terminal.
        let version: String = body["version"].as_str()?.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
        Some(version)
    }
}

/// Returns what a server said, as a sentence: a text, or the places of a request that make no sense.
fn sentence(detail: &Value) -> Option<String> {
    let text = match detail {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let part = |part: &Value| {
                let place = part["loc"].as_array().and_then(|place| place.last()).and_then(Value::as_str);
                let message = part["msg"].as_str().unwrap_or_default();
                place.map_or_else(|| message.to_owned(), |place| format!("`{place}`: {message}"))
            };
            parts.iter().take(8).map(part).collect::<Vec<_>>().join("; ")
        }
        Value::Null => return None,
        // Airflow's shape of a conflict.
        Value::Object(parts) if parts.get("message").is_some_and(Value::is_string) => {
            parts["message"].as_str().unwrap_or_default().to_owned()
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
    };
    Some(text.chars().filter(|c| !c.is_control() || *c == '\n').take(DETAIL_CHARS_MAX).collect())
}
