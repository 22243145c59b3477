//! A Flow server, asked over its REST API.
//!
//! Every request has an end, every answer a largest size. GETs are tried again when the network or a proxy fails;
//! changes only when the server was never reached, so that nothing is done twice. Redirects are not followed: a
//! token goes to the server that it is meant for and nowhere else.

use std::{borrow::Cow, time::Duration};

use flow_traces::Parent;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{config::remote::Remote, node::VERSION, output::Refusal};

mod trouble;

pub(crate) use trouble::Declined;

/// Longest that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest that a request may take; the server's own limit is below it.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest silence within an answer that has no end of its own.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// Largest answer that is read whole.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Pauses before further tries.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// Most entries of a page.
const PAGE: u32 = 1_000;

/// A server and how to talk to it.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    has_token: bool,
}

/// Parts of a path; each is encoded.
pub(crate) type Path<'a> = &'a [&'a str];

/// Names and values after the `?`.
pub(crate) type Query<'a> = &'a [(&'a str, Cow<'a, str>)];

impl Client {
    /// Prepares to talk to a server; nothing is sent yet. Returns also what a person should know.
    ///
    /// # Errors
    ///
    /// When the address or the token is none.
    pub(crate) fn new(remote: &Remote) -> anyhow::Result<(Self, Option<String>)> {
        let base = address(remote)?;
        let mut headers = HeaderMap::new();
        let token = remote.token()?;
        if let Some(token) = &token {
            let value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                .map_err(|_| Refusal::usage("the token has characters that no token has"))?;
            headers.insert(AUTHORIZATION, sensitive(value));
        }
        // The server may tell who asked in its traces.
        if let Some(caller) = Parent::of_process() {
            headers.insert("traceparent", HeaderValue::try_from(caller.to_string())?);
        }
        let http = reqwest::Client::builder()
            .user_agent(format!("flow/{VERSION}"))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        let is_open = base.scheme() == "http" && !is_loopback(&base) && token.is_some();
        let warning = is_open.then(|| {
            format!("warning: the token goes to {} in the clear; use https:// where others can listen", remote.shown())
        });
        Ok((Self { http, base, has_token: token.is_some() }, warning))
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: Path<'_>, query: Query<'_>) -> anyhow::Result<T> {
        let response = self.ask(|http, url| http.get(url).timeout(TIMEOUT), path, query, true).await?;
        self.read(response).await
    }

    /// Asks for something that may not be there.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: Path<'_>) -> anyhow::Result<Option<T>> {
        match self.get(path, &[]).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if Declined::is(&error, StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for the first `limit` entries of a list, page by page. `field`: where they are in the answer.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: Path<'_>,
        query: Query<'_>,
        field: &str,
        limit: u32,
    ) -> anyhow::Result<Vec<T>> {
        let mut found = Vec::new();
        loop {
            let have = u32::try_from(found.len()).unwrap_or(u32::MAX);
            let wanted = limit.saturating_sub(have).min(PAGE);
            if wanted == 0 {
                return Ok(found);
            }
            let mut query = query.to_vec();
            query.extend([("limit", wanted.to_string().into()), ("offset", have.to_string().into())]);
            let mut page: Value = self.get(path, &query).await?;
            let entries: Vec<T> = match serde_json::from_value(page[field].take()) {
                Ok(entries) => entries,
                Err(error) => return Err(self.not_understood(&error.to_string()).await),
            };
            let is_last = entries.len() < wanted as usize;
            found.extend(entries);
            if is_last {
                return Ok(found);
            }
        }
    }

    /// Asks for a change. An answer without a body is null.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: Path<'_>,
        query: Query<'_>,
        body: &Value,
    ) -> anyhow::Result<T> {
        let make = |http: &reqwest::Client, url: Url| {
            let request = http.request(method.clone(), url).timeout(TIMEOUT);
            if body.is_null() { request } else { request.json(body) }
        };
        let response = self.ask(make, path, query, false).await?;
        self.read(response).await
    }

    /// Asks for something that comes in pieces, and may take as long as it likes while it does not fall silent.
    pub(crate) async fn stream(
        &self,
        path: Path<'_>,
        query: Query<'_>,
        accept: &'static str,
    ) -> anyhow::Result<Pieces<'_>> {
        let make = |http: &reqwest::Client, url: Url| {
            http.get(url).header(reqwest::header::ACCEPT, HeaderValue::from_static(accept))
        };
        let asked = tokio::time::timeout(TIMEOUT, self.ask(make, path, query, true)).await;
        Ok(Pieces { client: self, response: asked.map_err(|_| self.too_slow())?? })
    }

    /// Sends a request, again if that may help, and turns away what is no success.
    async fn ask(
        &self,
        make: impl Fn(&reqwest::Client, Url) -> RequestBuilder,
        path: Path<'_>,
        query: Query<'_>,
        is_safe: bool,
    ) -> anyhow::Result<Response> {
        let url = self.url(path, query)?;
        let mut pauses = PAUSES.iter();
        loop {
            let asked = make(&self.http, url.clone()).send().await;
            let may_help = match &asked {
                Ok(response) => {
                    is_safe && matches!(response.status(), StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE)
                }
                Err(error) => trouble::may_pass(error, is_safe),
            };
            if may_help && let Some(pause) = pauses.next() {
                tokio::time::sleep(*pause).await;
                continue;
            }
            let response = asked.map_err(|error| self.not_reached(&error))?;
            return if response.status().is_success() { Ok(response) } else { Err(self.declined(response).await) };
        }
    }

    /// Reads an answer whole.
    async fn read<T: DeserializeOwned>(&self, response: Response) -> anyhow::Result<T> {
        let bytes = self.bytes(response).await?;
        let text = if bytes.is_empty() { b"null" } else { bytes.as_slice() };
        match serde_json::from_slice(text) {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.not_understood(&error.to_string()).await),
        }
    }

    async fn bytes(&self, mut response: Response) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.not_reached(&error))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(Refusal::failed("the server's answer is larger than 64 MiB").into());
            }
        }
        Ok(bytes)
    }

    /// Puts an address together.
    fn url(&self, path: Path<'_>, query: Query<'_>) -> anyhow::Result<Url> {
        // An address cannot hold these as parts of its path; no name of anything is one of them.
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(Declined::not_found("nothing has such a name").into());
        }
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

/// An answer that comes in pieces.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    client: &'a Client,
    response: Response,
}

impl Pieces<'_> {
    /// Returns a header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Waits for the next piece; `None` = that was all.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let piece = tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await;
        let piece = piece.map_err(|_| self.client.too_slow())?.map_err(|error| self.client.not_reached(&error))?;
        Ok(piece.map(|piece| piece.to_vec()))
    }
}

/// Reads the address of a server.
fn address(remote: &Remote) -> Result<Url, Refusal> {
    let refused = |why: &str| {
        Refusal::usage(format!("{}: `{}` {why}", remote.origin, remote.shown()))
            .help("it looks like `https://flow.example.org` or `http://127.0.0.1:8080`")
    };
    let url = Url::parse(&remote.url).map_err(|_| refused("is not the address of a server"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("is not the address of a server"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("has a login in it; a token goes into FLOW_TOKEN"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has more than a host, a port and a path"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests;
