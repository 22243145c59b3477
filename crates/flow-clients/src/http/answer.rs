//! An answer: read piece by piece, or whole up to a bound; and what its status means.

use std::time::{Duration, SystemTime};

use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER},
};

use super::trouble;
use crate::{ClientError, Kind, Result};

/// So much of a body is shown when its status means failure.
const SHOWN_BYTES: usize = 1024;

/// Longest that a server may take for such a body.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// The answer to one request.
#[derive(Debug)]
pub struct Answer {
    pub(super) inner: reqwest::Response,
    pub(super) method: Method,
    pub(super) timeout: Duration,
}

impl Answer {
    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns the address that answered, after redirects.
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    /// Returns the type of the body.
    pub fn content_type(&self) -> &str {
        self.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Waits for the next piece of the body; `None`: that was all.
    ///
    /// # Errors
    ///
    /// When the server breaks off, or is silent for too long.
    pub async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + Send + use<>>> {
        let piece = tokio::time::timeout(self.timeout, self.inner.chunk()).await;
        let piece = piece.map_err(|_| silent(self.inner.url(), self.timeout))?;
        piece.map_err(|error| trouble::told(&error, self.inner.url()))
    }

    /// Returns the method that was asked with last: a redirect may have changed it.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Reads the body; `None`: it is larger than that.
    ///
    /// # Errors
    ///
    /// As [`Answer::piece`].
    pub async fn bytes_at_most(&mut self, most: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            let piece = piece.as_ref();
            if bytes.len() + piece.len() > most {
                return Ok(None);
            }
            bytes.extend_from_slice(piece);
        }
        Ok(Some(bytes))
    }

    /// Says how it was asked for, and what was answered.
    pub fn words(&self) -> String {
        format!("{} {} answered {}", self.method, address(self.url()), status_words(self.status()))
    }

    /// Makes an error of an answer whose status means failure: with the start of its body, and what may help.
    pub async fn into_error(mut self, connection: &str) -> ClientError {
        let status = self.status();
        let shown = tokio::time::timeout(SHOWN_WITHIN, self.start_of_body()).await.unwrap_or_default();
        let retry_after = retry_after_of(&self);
        let mut words = self.words();
        if !shown.is_empty() {
            words.push_str(&format!(": {shown}"));
        }
        if let Some(hint) = hint(status, connection) {
            words.push_str(&format!("; {hint}"));
        }
        if let Some(wait) = retry_after {
            words.push_str(&format!("; it asks to be left alone for {} s", wait.as_secs()));
        }
        ClientError { retry_after, ..ClientError::new(Kind::Status(status.as_u16()), words) }
    }

    /// The start of a body that is text, on one line.
    async fn start_of_body(&mut self) -> String {
        let mut bytes = Vec::new();
        while bytes.len() <= SHOWN_BYTES {
            match self.piece().await {
                Ok(Some(piece)) => bytes.extend(piece.as_ref().iter().take(SHOWN_BYTES + 1)),
                Ok(None) | Err(_) => break,
            }
        }
        let is_cut = bytes.len() > SHOWN_BYTES;
        bytes.truncate(SHOWN_BYTES);
        let text = String::from_utf8_lossy(&bytes);
        if text.contains('\0') {
            return String::new();
        }
        // A character that is cut in two would stand between what is shown and the mark.
        let text = if is_cut { text.trim_end_matches('\u{fffd}') } else { text.as_ref() };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_cut { format!("{text}…") } else { text }
    }
}

/// An address as it may be shown: without what may hold a secret.
pub(super) fn address(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// The server takes too long.
pub(super) fn silent(url: &Url, timeout: Duration) -> ClientError {
    ClientError::unavailable(format!(
        "{} was silent for {} s: if it is only slow, give a longer `timeout` in `extra_options` of the task or `extra` of the connection",
        trouble::place(url),
        timeout.as_secs_f64()
    ))
}

/// The status in words.
pub(super) fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

fn hint(status: StatusCode, connection: &str) -> Option<String> {
    match status.as_u16() {
        401 => Some(format!("look at login, password and `extra` of connection `{connection}`")),
        403 => Some(format!("the login of connection `{connection}` may not do this")),
        404 | 410 => Some("look at `endpoint` and at the host of the connection".to_owned()),
        405 => Some("look at `method`".to_owned()),
        415 => Some("look at the header `Content-Type`; `json` sets it, `data` does not".to_owned()),
        _ => None,
    }
}

/// How long the server asks to be left alone, when its status means that it may ask so.
pub(super) fn retry_after_of(answer: &Answer) -> Option<Duration> {
    if matches!(answer.status().as_u16(), 429 | 503) { retry_after(answer.headers()) } else { None }
}

/// How long the server asks to be left alone: seconds or a moment, by the server's own clock where it tells it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    Some(moment.duration_since(date.unwrap_or_else(SystemTime::now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_or_a_moment() {
        let wait = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            headers.insert(DATE, "Sun, 22 Nov 2026 00:00:00 GMT".parse().unwrap());
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait(" 0 "), Some(0));
        assert_eq!(wait("Sun, 22 Nov 2026 00:01:30 GMT"), Some(90));
        assert_eq!(wait("Sat, 21 Nov 2026 00:00:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-5"), None);
        assert_eq!(wait("99999999999999999999"), None);
    }

    #[test]
    fn an_address_is_shown_without_secrets() {
        let url = Url::parse("https://me:word@api/v1?key=k77#part").unwrap();
        assert_eq!(address(&url), "https://api/v1");
    }
}
