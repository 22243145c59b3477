//! What a connection says about an HTTP server: Airflow's fields, and a few of ours. Reads them; sends nothing.

use std::{path::PathBuf, time::Duration};

use flow_core::{
    connection::{Connection, check_extra},
    secret::Secret,
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Map, Value};

use crate::{ClientError, Result, fit};

/// Longest silence of a server, unless the connection says something else.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Redirects that are followed, as many as Airflow follows.
const REDIRECTS_MAX: u32 = 30;

/// Keys of `extra` that mean nothing here: Flow always streams, and keeps connections alive.
const IGNORED: [&str; 5] =
    ["stream", "tcp_keep_alive", "tcp_keep_alive_idle", "tcp_keep_alive_count", "tcp_keep_alive_interval"];

/// How to ask one server.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where addresses of requests begin; `None`: the request has a whole one.
    pub(super) base: Option<Url>,
    pub(super) login: Login,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) allow_redirects: bool,
    pub(super) redirects_max: u32,
    pub(super) check_response: bool,
    pub(super) trust: Trust,
    /// Files with the client's own certificate and its key.
    pub(super) certificate: Option<(PathBuf, Option<PathBuf>)>,
    /// Proxies by protocol; `None`: those of the environment.
    pub(super) proxies: Option<Vec<(String, Secret)>>,
    pub(super) test_endpoint: String,
}

/// How to log in.
#[derive(Debug)]
pub(super) enum Login {
    Nobody,
    Basic(String, Secret),
    Bearer(Secret),
}

/// Whose certificates are good.
#[derive(Debug)]
pub(super) enum Trust {
    /// Those that the operating system trusts.
    System,
    /// Those of a file.
    File(PathBuf),
    Anybody,
}

/// Reads a connection.
///
/// # Errors
///
/// When it makes no sense.
pub(super) fn read(connection: &Connection) -> Result<Settings> {
    fit::check(connection, &fit::HTTP)?;
    let extra = connection.extra.as_ref().map(|extra| check_extra(extra.expose())).transpose();
    let mut extra = Extra { id: &connection.id, fields: extra.map_err(ClientError::settings)?.unwrap_or_default() };
    let mut base = base(connection)?;
    let login = login(connection, base.as_mut(), &mut extra)?;
    let verify = extra.take("verify").or(extra.take("verify_ssl"));
    let ca_file = extra.text("ca_file")?.map(PathBuf::from);
    let trust = match (verify, ca_file) {
        (Some(verify), _) if as_flag(&verify) == Some(false) => Trust::Anybody,
        (_, Some(file)) => Trust::File(file),
        (Some(Value::String(path)), None) if as_flag(&Value::String(path.clone())).is_none() => {
            Trust::File(path.into())
        }
        (Some(_) | None, None) => Trust::System,
    };
    let trusts_environment = extra.flag("trust_env")?.unwrap_or(true);
    let proxies = proxies(&mut extra)?.or((!trusts_environment).then(Vec::new));
    for name in IGNORED {
        extra.take(name);
    }
    Ok(Settings {
        base,
        login,
        timeout: extra.seconds("timeout")?.unwrap_or(TIMEOUT),
        allow_redirects: extra.flag("allow_redirects")?.unwrap_or(true),
        redirects_max: extra.count("max_redirects")?.unwrap_or(REDIRECTS_MAX),
        check_response: extra.flag("check_response")?.unwrap_or(true),
        trust,
        certificate: certificate(&mut extra)?,
        proxies,
        test_endpoint: extra.text("test_endpoint")?.unwrap_or_default(),
        headers: extra.headers()?,
    })
}

/// Puts the start of addresses together: the host with or without a protocol, else `schema` is the protocol.
fn base(connection: &Connection) -> Result<Option<Url>> {
    let Some(host) = connection.host.as_deref().map(str::trim).filter(|host| !host.is_empty()) else {
        return Ok(None);
    };
    let schema = connection.schema.as_deref().map(str::trim).unwrap_or_default();
    let is_protocol = ["http", "https"].contains(&schema.to_lowercase().as_str());
    let protocol = match (host.contains("://"), is_protocol) {
        (true, _) => String::new(),
        (false, true) => format!("{}://", schema.to_lowercase()),
        (false, false) if connection.conn_type == "https" => "https://".to_owned(),
        (false, false) => "http://".to_owned(),
    };
    // An address of IPv6 is kept without its brackets.
    let host = if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
    let wrong = |why: &str| {
        ClientError::settings(format!(
            "the host of connection `{}` {why}: write it as `api.example.com`, or with its protocol, `https://api.example.com`",
            connection.id
        ))
    };
    let mut url =
        Url::parse(&format!("{protocol}{host}")).map_err(|error| wrong(&format!("is no address ({error})")))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err(wrong("is no address of an HTTP server"));
    }
    if let Some(port) = connection.port.filter(|port| *port > 0 && url.port().is_none()) {
        url.set_port(Some(port)).map_err(|()| wrong("takes no port"))?;
    }
    // What stands behind the host in a URI is the protocol in Airflow; anything else can only be a path.
    if !is_protocol && !schema.is_empty() {
        let path = format!("{}/{}", url.path().trim_end_matches('/'), schema.trim_start_matches('/'));
        url.set_path(&path);
    }
    Ok(Some(url))
}

fn login(connection: &Connection, base: Option<&mut Url>, extra: &mut Extra<'_>) -> Result<Login> {
    let mut login = connection.login.clone().filter(|login| !login.is_empty());
    let mut password = connection.password.clone().filter(|password| !password.expose().is_empty());
    if let Some(url) = base.filter(|url| !url.username().is_empty() || url.password().is_some()) {
        // Out of the address, lest it is shown with it.
        let plain = |text: &str| percent_decoded(text);
        login = login.or_else(|| Some(plain(url.username())));
        password = password.or_else(|| url.password().map(|password| plain(password).into()));
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let token = extra.text("bearer_token")?;
    let kind = extra.text("auth_type")?.map(|kind| kind.to_lowercase());
    match (kind.as_deref(), token) {
        (None | Some("bearer"), Some(token)) => Ok(Login::Bearer(token.into())),
        (Some("bearer"), None) => password
            .map(Login::Bearer)
            .ok_or_else(|| extra.wrong("auth_type", "`bearer` needs a token: as the password, or as `bearer_token`")),
        (None | Some("basic"), None) => Ok(match (login, password) {
            (None, None) => Login::Nobody,
            (login, password) => Login::Basic(login.unwrap_or_default(), password.unwrap_or_default()),
        }),
        (Some(_), _) => Err(extra.wrong("auth_type", "must be `basic`, or `bearer` without a login")),
    }
}

fn proxies(extra: &mut Extra<'_>) -> Result<Option<Vec<(String, Secret)>>> {
    let given = extra.take("proxies").or(extra.take("proxy")).filter(|given| !given.is_null());
    let found: Vec<(String, Secret)> = match given {
        None => return Ok(None),
        Some(Value::String(url)) if !url.trim_start().starts_with('{') => vec![("all".to_owned(), url.into())],
        Some(given) => {
            // What came in a URI is a text.
            let read = given.as_str().map(|text| serde_json::from_str(text).unwrap_or_default());
            let given = read.unwrap_or(given);
            let wrong = || extra.wrong("proxies", "must be like {\"https\": \"http://proxy:3128\"}");
            let pairs = given.as_object().ok_or_else(wrong)?;
            let pair = |(name, url): (&String, &Value)| Some((name.to_lowercase(), url.as_str()?.into()));
            pairs.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?
        }
    };
    if found.iter().all(|(name, _)| ["http", "https", "all"].contains(&name.as_str())) {
        return Ok(Some(found));
    }
    Err(extra.wrong("proxies", "has proxies for `http`, `https` or `all`, and nothing else"))
}

/// The client's own certificate: `cert_file` and `key_file`, or Airflow's `cert`, a path or two.
fn certificate(extra: &mut Extra<'_>) -> Result<Option<(PathBuf, Option<PathBuf>)>> {
    let (cert, key) = (extra.text("cert_file")?, extra.text("key_file")?);
    let given = extra.take("cert");
    let (cert, key) = match (cert, given) {
        (Some(cert), _) => (cert, key),
        (None, None | Some(Value::Null)) => return Ok(None),
        (None, Some(Value::String(cert))) => (cert, key),
        (None, Some(Value::Array(both))) => match both.as_slice() {
            [Value::String(cert), Value::String(key)] => (cert.clone(), Some(key.clone())),
            _ => return Err(extra.wrong("cert", "must be the path of a file, or those of a certificate and its key")),
        },
        (None, Some(_)) => return Err(extra.wrong("cert", "must be the path of a file")),
    };
    Ok(Some((cert.into(), key.map(Into::into))))
}

/// What is left of `extra`.
struct Extra<'a> {
    id: &'a str,
    fields: Map<String, Value>,
}

impl Extra<'_> {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.shift_remove(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, why: &str) -> ClientError {
        ClientError::settings(format!("`{name}` in `extra` of connection `{}`: {why}", self.id))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(name, "must be a text")),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        as_flag(&value).map(Some).ok_or_else(|| self.wrong(name, "must be true or false"))
    }

    fn count(&mut self, name: &str) -> Result<Option<u32>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.wrong(name, "must be a whole number"))
    }

    fn seconds(&mut self, name: &str) -> Result<Option<Duration>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        // A week; what takes longer is a task with a sensor.
        let number = number.filter(|seconds| *seconds > 0.0 && *seconds <= 604_800.0);
        let number = number.map(|seconds| Some(Duration::from_secs_f64(seconds)));
        number.ok_or_else(|| self.wrong(name, "must be a number of seconds, more than 0 and at most a week"))
    }

    /// What no setting has taken is sent with every request, as in Airflow.
    fn headers(mut self) -> Result<HeaderMap> {
        let mut given = match self.take("headers") {
            None => Map::new(),
            Some(Value::Object(given)) => given,
            Some(_) => return Err(self.wrong("headers", "must be an object of names and values")),
        };
        given.append(&mut self.fields);
        let mut headers = HeaderMap::new();
        for (name, value) in &given {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(
                        self.wrong(name, "is no setting that Flow knows, and no header: a header's value is a text")
                    );
                }
            };
            let (name, value) = header(name, &text).map_err(|why| self.wrong(name, &why))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

/// Makes a header; the complaint does not hold its value.
pub(super) fn header(name: &str, value: &str) -> std::result::Result<(HeaderName, HeaderValue), String> {
    let made = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is no name of a header".to_owned())?;
    let value = HeaderValue::from_bytes(value.as_bytes());
    let mut value = value.map_err(|_| "has a value that no header can hold, such as a line break".to_owned())?;
    value.set_sensitive(true);
    Ok((made, value))
}

fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        Value::Number(number) => number.as_u64().and_then(|number| (number <= 1).then_some(number == 1)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn percent_decoded(text: &str) -> String {
    flow_core::connection::decode(text).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings> {
        read(&Connection::parse("api", text).unwrap())
    }

    #[track_caller]
    fn check_base(text: &str, expected: &str) {
        assert_eq!(settings(text).unwrap().base.unwrap().as_str(), expected, "{text}");
    }

    #[test]
    fn the_host_is_where_airflow_finds_it() {
        check_base("http://api", "http://api/");
        check_base("http://api:8080/https", "https://api:8080/");
        check_base("http://https://api:8443/", "https://api:8443/");
        check_base("http://https://api/v1", "https://api/v1");
        check_base("https://api", "https://api/");
        check_base("http://[::1]:80/", "http://[::1]/");
        check_base(r#"{"conn_type": "http", "host": "https://api/v1/", "schema": "http"}"#, "https://api/v1/");
        check_base(r#"{"conn_type": "http", "host": "https://api:1/", "port": 2}"#, "https://api:1/");
        check_base(r#"{"conn_type": "http", "host": "https://me:word@api/"}"#, "https://api/");
        assert!(settings("http://").unwrap().base.is_none());
        let wrong = settings(r#"{"conn_type": "http", "host": "ftp://api"}"#).unwrap_err();
        assert!(wrong.message.contains("no address of an HTTP server") && !wrong.may_retry(), "{wrong}");
    }

    #[test]
    fn extra_has_settings_and_headers() {
        let read = settings(
            "http://me:word@api/?timeout=7.5&verify=false&allow_redirects=False&max_redirects=3&X-Team=data&trust_env=no",
        )
        .unwrap();
        assert_eq!(read.timeout, Duration::from_millis(7500));
        assert!(!read.allow_redirects && read.redirects_max == 3 && matches!(read.trust, Trust::Anybody));
        assert_eq!(read.headers.get("x-team").unwrap(), "data");
        assert_eq!(read.headers.len(), 1);
        assert_eq!(read.proxies.unwrap().len(), 0);
        assert!(matches!(read.login, Login::Basic(login, word) if login == "me" && word.expose() == "word"));
        let read = settings(
            r#"{"conn_type": "http", "extra": {"headers": {"a": 1}, "verify": "/ca.pem", "cert": ["c", "k"],
                "proxies": {"https": "http://p:1"}, "b": true}}"#,
        )
        .unwrap();
        assert_eq!(read.headers.len(), 2);
        assert!(matches!(read.trust, Trust::File(path) if path.ends_with("ca.pem")));
        assert_eq!(read.certificate, Some(("c".into(), Some("k".into()))));
        assert_eq!(read.proxies.unwrap()[0].0, "https");
    }

    #[test]
    fn a_token_is_the_password_or_has_a_name_of_its_own() {
        for text in ["http://:t0k@api/?auth_type=bearer", "http://api/?bearer_token=t0k"] {
            assert!(matches!(settings(text).unwrap().login, Login::Bearer(token) if token.expose() == "t0k"), "{text}");
        }
        let error = |text| settings(text).unwrap_err().message;
        assert!(error("http://api/?auth_type=bearer").contains("needs a token"));
        assert!(error("http://api/?auth_type=requests.auth.HTTPDigestAuth").contains("must be `basic`"));
    }

    #[test]
    fn wrong_settings_are_told_without_their_values() {
        for (extra, expected) in [
            (r#"{"timeout": "soon"}"#, "`timeout` in `extra` of connection `api`: must be a number of seconds"),
            (r#"{"max_redirects": -1}"#, "must be a whole number"),
            (r#"{"verify_it": {}}"#, "no setting that Flow knows"),
            (r#"{"X-Key": "a\nhunter2"}"#, "no header can hold"),
            (r#"{"a b": "x"}"#, "no name of a header"),
            (r#"{"proxies": {"ftp": "x"}}"#, "for `http`, `https` or `all`"),
        ] {
            let text = format!(r#"{{"conn_type": "http", "extra": {extra}}}"#);
            let error = settings(&text).unwrap_err();
            assert!(error.message.contains(expected) && !error.message.contains("hunter2"), "{error}");
        }
    }
}
