//! What a request came to, in the words of users: "cleared 3 task instances".
//!
//! The audit log has a request before its handler sees it, so that nothing is changed unseen. What it came to is known
//! only afterwards: a handler hands it over with its answer, and it is added to the event.

use axum::{extract::Extension, http::StatusCode, response::Response};
use flow_core::Timestamp;
use flow_store::Event;
use tracing::warn;

use crate::App;

/// Longest that is kept: names may be long.
const MOST: usize = 500;

/// Goes with an answer.
#[derive(Clone, Debug)]
pub(crate) struct Said(String);

/// The part of an answer that it is.
pub(crate) type Words = Extension<Said>;

/// Makes it a part of an answer.
pub(crate) fn said(words: impl Into<String>) -> Words {
    Extension(Said(words.into()))
}

/// "1 run", "3 runs"
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// An event as it was kept before the handler.
pub(crate) struct Asked {
    pub(crate) event: Event,
    pub(crate) at: Timestamp,
    /// The number of an event before it.
    pub(crate) after: i64,
}

impl Asked {
    /// Adds what it came to. Without it the event says what was asked for, which is true as well.
    pub(crate) async fn add(self, app: &App, words: String) {
        if let Err(error) = app.store.add_words(&self.event, &words, self.at, self.after).await {
            warn!(%error, event = self.event.kind, "the audit log does not say what a request came to");
        }
    }
}

/// Returns what an answer says of it, if anything.
pub(crate) fn words_of(response: &Response) -> Option<String> {
    let status = response.status();
    match response.extensions().get::<Said>() {
        Some(Said(words)) => Some(words.chars().take(MOST).collect()),
        None => (status.is_client_error() || status.is_server_error()).then(|| refusal(status)),
    }
}

fn refusal(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default().to_lowercase();
    format!("refused ({} {reason})", status.as_u16())
}
