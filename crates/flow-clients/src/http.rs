//! HTTP servers: one client a connection, with its login, its headers and its trust.
//!
//! Redirects are followed here and not by the library below: what a connection holds (login, headers) goes to the
//! host of the connection and to no other, whoever asks for it.

mod answer;
mod settings;
pub mod slack;
mod trouble;

use std::{sync::Arc, time::Duration};

use flow_core::connection::Connection;
use reqwest::{
    Certificate, Client, ClientBuilder, Identity, Method, Proxy, Url,
    header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT},
    redirect::Policy,
};

use self::settings::{Login, Settings, Trust};
use crate::{ClientError, Clients, Result};

pub use self::{answer::Answer, settings::TIMEOUT};
pub use reqwest::StatusCode;

/// Open connections to one host that wait for the next request.
const IDLE_MAX: usize = 8;

/// Longest that they wait.
const IDLE: Duration = Duration::from_secs(90);

/// Largest file with certificates.
const PEM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Headers of a task that may go to another host; all others may hold a secret.
const HARMLESS: [reqwest::header::HeaderName; 4] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT];

/// A client for the server of one connection.
#[derive(Debug)]
pub struct Http {
    client: Client,
    settings: Settings,
    connection: String,
}

/// What to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    method: Method,
    /// Behind the connection's host, or a whole address.
    endpoint: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Makes a request without a body.
    ///
    /// # Errors
    ///
    /// When there is no such method.
    pub fn new(method: &str, endpoint: &str) -> Result<Self> {
        let made = Method::from_bytes(method.to_uppercase().as_bytes());
        let method = made.map_err(|_| ClientError::settings(format!("`{method}` is no method of HTTP")))?;
        let endpoint = endpoint.to_owned();
        Ok(Self { method, endpoint, query: Vec::new(), headers: HeaderMap::new(), body: None })
    }

    /// The same at another address, or behind the same host.
    #[must_use]
    pub fn at(&self, endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), query: Vec::new(), ..self.clone() }
    }

    /// Adds parameters to the address.
    #[must_use]
    pub fn query(mut self, pairs: Vec<(String, String)>) -> Self {
        self.query.extend(pairs);
        self
    }

    /// Sets a header.
    ///
    /// # Errors
    ///
    /// When it is none. The words do not hold the value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let wrong = |why| ClientError::settings(format!("header `{name}` {why}"));
        let (name, value) = settings::header(name, value).map_err(wrong)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sends this, of this type unless a header says something else.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>, content_type: Option<&'static str>) -> Self {
        if let Some(content_type) = content_type {
            self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        self.body = Some(body);
        self
    }
}

/// Returns the client for a connection, which is kept.
///
/// # Errors
///
/// When the connection makes no sense, or a file that it names cannot be read.
pub async fn client(clients: &Clients, connection: &Connection) -> Result<Arc<Http>> {
    clients.keep("http", connection, Http::new(connection)).await
}

impl Http {
    async fn new(connection: &Connection) -> Result<Self> {
        let settings = settings::read(connection)?;
        // What was installed before stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(trouble::CONNECT)
            .pool_max_idle_per_host(IDLE_MAX)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(Duration::from_secs(60))
            .user_agent(concat!("flow/", env!("CARGO_PKG_VERSION")));
        builder = trusting(builder, &settings).await?;
        if let Some(proxies) = &settings.proxies {
            builder = builder.no_proxy();
            for (protocol, url) in proxies {
                let made = match protocol.as_str() {
                    "http" => Proxy::http(url.expose()),
                    "https" => Proxy::https(url.expose()),
                    _ => Proxy::all(url.expose()),
                };
                let wrong =
                    |_| ClientError::settings("`proxies` of the connection holds what is no address of a proxy");
                builder = builder.proxy(made.map_err(wrong)?);
            }
        }
        let client = builder.build().map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            ClientError::settings(format!("no client for connection `{}` can be made: {why}", connection.id))
        })?;
        Ok(Self { client, settings, connection: connection.id.clone() })
    }

    /// Returns the connection's id.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Says whether an answer with a status that means failure is one, which the connection's `check_response` may
    /// deny.
    pub fn checks_status(&self) -> bool {
        self.settings.check_response
    }

    /// Asks, follows redirects, and returns the answer once its headers are there, whatever its status.
    ///
    /// # Errors
    ///
    /// When no answer comes, or it leads round in circles.
    pub async fn send(&self, request: &Request) -> Result<Answer> {
        let mut url = self.address(request)?;
        let (mut method, mut body, mut headers) =
            (request.method.clone(), request.body.clone(), request.headers.clone());
        let home = url.clone();
        let mut is_home = true;
        for _ in 0..=self.settings.redirects_max {
            let answer = self.ask(&method, &url, &headers, body.clone(), is_home).await?;
            let Some(next) = self.redirected(&answer)? else { return Ok(answer) };
            let status = answer.status().as_u16();
            let becomes_get =
                status == 303 && method != Method::HEAD || matches!(status, 301 | 302) && method == Method::POST;
            if becomes_get {
                (method, body) = (Method::GET, None);
                headers.remove(CONTENT_TYPE);
            }
            if !is_same_place(&home, &next) {
                is_home = false;
                headers = harmless(&headers);
            }
            url = next;
        }
        Err(ClientError::refused(format!(
            "{} leads from one address to the next, more than {} times: the last was {}",
            trouble::place(&self.address(request)?),
            self.settings.redirects_max,
            answer::address(&url)
        )))
    }

    /// The same request with some parameters of its address set anew.
    ///
    /// # Errors
    ///
    /// When it has no address.
    pub fn with_parameters(&self, request: &Request, set: &[(String, String)]) -> Result<Request> {
        let mut url = self.address(request)?;
        let is_set = |name: &str| set.iter().any(|(known, _)| known == name);
        let old = url.query_pairs().filter(|(name, _)| !is_set(name));
        let mut pairs: Vec<(String, String)> = old.map(|(name, value)| (name.into(), value.into())).collect();
        pairs.extend_from_slice(set);
        url.set_query(None);
        Ok(request.at(url.as_str()).query(pairs))
    }

    async fn ask(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Vec<u8>>,
        is_home: bool,
    ) -> Result<Answer> {
        let mut asked = self.client.request(method.clone(), url.clone());
        if is_home {
            asked = match &self.settings.login {
                Login::Nobody => asked,
                Login::Basic(login, password) => asked.basic_auth(login, Some(password.expose())),
                Login::Bearer(token) => asked.bearer_auth(token.expose()),
            };
            asked = asked.headers(self.settings.headers.clone());
        }
        asked = asked.headers(headers.clone());
        if let Some(body) = body {
            asked = asked.body(body);
        }
        let timeout = self.settings.timeout;
        let answered = tokio::time::timeout(timeout, asked.send()).await;
        let inner = answered.map_err(|_| answer::silent(url, timeout))?.map_err(|error| trouble::told(&error, url))?;
        Ok(Answer { inner, method: method.clone(), timeout })
    }

    /// Where a redirect leads to.
    fn redirected(&self, answer: &Answer) -> Result<Option<Url>> {
        let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = answer.headers().get(LOCATION).filter(|_| is_redirect && self.settings.allow_redirects)
        else {
            return Ok(None);
        };
        let next = location.to_str().ok().and_then(|location| answer.url().join(location).ok());
        match next.filter(|next| ["http", "https"].contains(&next.scheme()) && next.has_host()) {
            Some(mut next) => {
                // A login in an address is the other side's, not ours to send.
                let _ = next.set_username("");
                let _ = next.set_password(None);
                Ok(Some(next))
            }
            None => Err(ClientError::refused(format!("{} leads to what is no address", answer::address(answer.url())))),
        }
    }

    /// The whole address of a request, as Airflow puts it together: the host's, a slash, the endpoint.
    fn address(&self, request: &Request) -> Result<Url> {
        let endpoint = request.endpoint.trim();
        let is_whole = ["http://", "https://"]
            .iter()
            .any(|protocol| endpoint.get(..protocol.len()).is_some_and(|start| start.eq_ignore_ascii_case(protocol)));
        let wrong = |why: &str| ClientError::settings(format!("the address {why}"));
        let text = match (&self.settings.base, is_whole) {
            (_, true) => endpoint.to_owned(),
            (Some(base), false) if endpoint.is_empty() => base.to_string(),
            (Some(base), false) => {
                format!("{}/{}", base.as_str().trim_end_matches('/'), endpoint.trim_start_matches('/'))
            }
            (None, false) => {
                return Err(ClientError::settings(format!(
                    "connection `{}` has no host: set one, or write the whole address into `endpoint`",
                    self.connection
                )));
            }
        };
        let mut url = Url::parse(&text).map_err(|error| wrong(&format!("that `endpoint` makes is none ({error})")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a login: put it into a connection, where it is kept secret"));
        }
        if let Some(base) = self.settings.base.as_ref().filter(|base| base.origin() != url.origin()) {
            return Err(wrong(&format!(
                "is at {}, and connection `{}` leads to {}: what a connection holds goes nowhere else",
                trouble::place(&url),
                self.connection,
                trouble::place(base)
            )));
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// Says whether a redirect stays with the server: also from `http://` to `https://`, at their usual ports.
fn is_same_place(from: &Url, to: &Url) -> bool {
    let is_upgrade = (from.scheme(), to.scheme()) == ("http", "https")
        && (from.port_or_known_default(), to.port_or_known_default()) == (Some(80), Some(443))
        && from.host() == to.host();
    from.origin() == to.origin() || is_upgrade
}

/// Headers of a task without those that may hold a secret.
fn harmless(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| HARMLESS.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Sets whom the client trusts, and who it is itself.
async fn trusting(mut builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder> {
    match &settings.trust {
        Trust::System => {}
        Trust::Anybody => builder = builder.tls_danger_accept_invalid_certs(true),
        Trust::File(path) => {
            let pem = pem(path, "ca_file").await?;
            let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if found.is_empty() {
                return Err(ClientError::settings(format!("`{}` holds no certificate in PEM form", path.display())));
            }
            builder = builder.tls_certs_only(found);
        }
    }
    if let Some((certificate, key)) = &settings.certificate {
        let mut both = pem(certificate, "cert_file").await?;
        if let Some(key) = key {
            both.push(b'\n');
            both.extend(pem(key, "key_file").await?);
        }
        let identity = Identity::from_pem(&both).map_err(|_| {
            ClientError::settings(
                "`cert_file` and `key_file` of the connection hold no certificate with its key in PEM form",
            )
        })?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

async fn pem(path: &std::path::Path, name: &str) -> Result<Vec<u8>> {
    let wrong = |why: String| ClientError::settings(format!("`{name}` of the connection, `{}`: {why}", path.display()));
    let size = tokio::fs::metadata(path).await.map_err(|error| wrong(error.to_string()))?.len();
    if size > PEM_BYTES_MAX {
        return Err(wrong("it is too large to be a certificate".to_owned()));
    }
    tokio::fs::read(path).await.map_err(|error| wrong(error.to_string()))
}

/// Asks the server once, as a task would, and says what it answered.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    let http = Http::new(connection).await?;
    let request = Request::new("GET", &http.settings.test_endpoint)?;
    let answer = http.send(&request).await?;
    let status = answer.status();
    let words = answer.words();
    match status.as_u16() {
        401 | 407 => Err(ClientError::refused(format!("{words}: the login is wrong, or there is none"))),
        403 => Err(ClientError::refused(format!("{words}: this login may not look there"))),
        500.. => Err(ClientError::refused(words)),
        400..500 => Ok(format!(
            "{words}: the server is there; with `test_endpoint` in `extra`, an address that answers, the login is tried too"
        )),
        _ => Ok(words),
    }
}
