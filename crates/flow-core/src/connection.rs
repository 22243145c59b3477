//! Connections: where another system is, and how to log in to it. Read from a URI or JSON and written as them, in
//! Airflow's forms.

use serde_json::{Map, Value, json};

use crate::secret::{self, Secret};

/// Where another system is, and how to log in to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    pub id: String,
    /// `postgres`, `http`, …
    pub conn_type: String,
    pub description: Option<String>,
    pub host: Option<String>,
    pub login: Option<String>,
    pub schema: Option<String>,
    pub port: Option<u16>,
    pub password: Option<Secret>,
    /// A JSON object.
    pub extra: Option<Secret>,
}

/// Parts of a connection, by their names in JSON.
const FIELDS: [&str; 8] = ["conn_type", "description", "host", "login", "schema", "port", "password", "extra"];

const NO_URI: &str = "is neither a URI such as `http://user:password@host:80/path` nor a JSON object; in a URI, write \
     %25 for a `%`";
const CUT_BY_SLASH: &str = "has an `@` behind the first `/`, and none before it: write %2F for a `/` in a login or \
     password, and %40 for an `@` behind the host";
const CUT_BY_QUESTION_MARK: &str = "has an `@` behind the `?`, in the name of a setting: write %3F for a `?` in a login \
     or password";
const BAD_PORT: &str = "has, behind the `:` of its host, what is no port from 0 to 65535: write %2F for a `/` in a login \
     or password, %3F for a `?`, and an address of IPv6 in brackets";

/// Longest id.
pub const ID_MAX: usize = 200;

/// Says what is wrong with an id; Airflow's rule.
pub fn check_id(id: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if id.is_empty() || id.chars().count() > ID_MAX || !id.chars().all(fits) {
        return Err(format!(
            "the id of a connection must have 1 to {ID_MAX} characters, each a letter, a digit, `_`, `-` or `.`"
        ));
    }
    Ok(())
}

/// Reads `extra`, which must be a JSON object; an empty text is an empty one.
///
/// # Errors
///
/// A sentence.
pub fn check_extra(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) | Err(_) => Err("`extra` must be a JSON object such as {\"key\": \"value\"}".to_owned()),
    }
}

impl Connection {
    /// Reads a URI or a JSON object.
    ///
    /// # Errors
    ///
    /// A sentence that does not hold the text.
    pub fn parse(id: &str, text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('{') {
            let value = serde_json::from_str(text)
                .map_err(|error| format!("connection `{id}` is not JSON: line {}", error.line()))?;
            return Self::from_json(id, &value);
        }
        Self::from_uri(id, text).map_err(|problem| format!("connection `{id}` {problem}"))
    }

    /// Reads a JSON object, or a text that holds what [`Connection::parse`] reads.
    ///
    /// # Errors
    ///
    /// A sentence that does not hold the values.
    pub fn from_json(id: &str, value: &Value) -> Result<Self, String> {
        if let Value::String(text) = value {
            return Self::parse(id, text);
        }
        let Value::Object(fields) = value else {
            return Err(format!("connection `{id}` must be a URI or a JSON object"));
        };
        let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let wrong = |name: &str, expected: &str| format!("`{name}` of connection `{id}` must be {expected}");
        for name in fields.keys() {
            let is_id =
                ["conn_id", "connection_id", "id", "is_encrypted", "is_extra_encrypted"].contains(&name.as_str());
            if !FIELDS.contains(&name.as_str()) && !is_id {
                return Err(format!("connection `{id}` has no `{name}` (there are: {})", FIELDS.join(", ")));
            }
        }
        let text = |name: &str| match given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(wrong(name, "a text")),
        };
        let port = match given("port") {
            None => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(value) => {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                Some(
                    number
                        .and_then(|number| u16::try_from(number).ok())
                        .ok_or_else(|| wrong("port", "from 0 to 65535"))?,
                )
            }
        };
        let extra = match given("extra") {
            None => None,
            Some(Value::String(text)) => {
                check_extra(text).map_err(|_| wrong("extra", "a JSON object"))?;
                Some(text.clone()).filter(|text| !text.trim().is_empty())
            }
            Some(Value::Object(fields)) => Some(Value::Object(fields.clone()).to_string()),
            Some(_) => return Err(wrong("extra", "a JSON object")),
        };
        Ok(Self {
            id: id.to_owned(),
            conn_type: match given("conn_type") {
                Some(Value::Number(_)) => return Err(wrong("conn_type", "a text")),
                _ => text("conn_type")?.unwrap_or_default(),
            },
            description: text("description")?,
            host: text("host")?,
            login: text("login")?,
            schema: text("schema")?,
            port,
            password: text("password")?.map(Secret::from),
            extra: extra.map(Secret::from),
        })
    }

    /// Reads `type://login:password@host:port/schema?key=value`, percent-encoded. Says what is wrong, and nothing of the
    /// text.
    fn from_uri(id: &str, text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| !scheme.is_empty()).ok_or(NO_URI)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // `http://https://host`: the first is the kind of connection, the second belongs to the host.
        let (protocol, rest) = match rest.split_once("://") {
            Some((protocol, rest)) if !protocol.contains(['@', ':', '/']) => (Some(protocol), rest),
            Some(_) | None => (None, rest),
        };
        let (authority, schema) = rest.split_once('/').unwrap_or((rest, ""));
        // Else a part of the password would be kept in the clear, as host or schema.
        if !authority.is_empty() && !authority.contains('@') && schema.contains('@') {
            return Err(CUT_BY_SLASH);
        }
        if query.split('&').any(|pair| pair.split('=').next().unwrap_or_default().contains('@')) {
            return Err(CUT_BY_QUESTION_MARK);
        }
        let (user, address) =
            authority.rsplit_once('@').map_or((None, authority), |(user, address)| (Some(user), address));
        let conn_type = if scheme == "postgresql" { "postgres" } else { scheme };
        let mut made = Self { id: id.to_owned(), conn_type: conn_type.replace('-', "_"), ..Self::default() };
        if let Some(user) = user {
            let (login, password) = user.split_once(':').unwrap_or((user, ""));
            made.login = part(login)?;
            made.password = part(password)?.map(Secret::from);
        }
        let host;
        (host, made.port) = host_and_port(address)?;
        made.host = part(host)?;
        if let (Some(protocol), Some(host)) = (protocol, &made.host) {
            made.host = Some(format!("{protocol}://{host}"));
        }
        made.schema = part(schema)?;
        let mut extra = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decode(&text.replace('+', " ")).ok_or(NO_URI);
            extra.insert(plain(key)?, Value::String(plain(value)?));
        }
        made.extra = match extra.get("__extra__").and_then(Value::as_str) {
            Some(text) => {
                check_extra(text).map_err(|_| "has an `__extra__` that is no JSON object")?;
                Some(text.into())
            }
            None if extra.is_empty() => None,
            None => Some(Value::Object(extra).to_string().into()),
        };
        Ok(made)
    }

    /// Writes it as JSON, secrets and all, `extra` as an object: what templates and operators see.
    pub fn to_json(&self) -> Value {
        let extra = self.extra.as_ref().map(|text| serde_json::from_str(text.expose()).unwrap_or(Value::Null));
        json!({
            "conn_id": self.id,
            "conn_type": self.conn_type,
            "description": self.description,
            "host": self.host,
            "login": self.login,
            "password": self.password.as_ref().map(Secret::expose),
            "port": self.port,
            "schema": self.schema,
            "extra": extra,
        })
    }

    /// Writes it as a URI, secrets and all.
    pub fn to_uri(&self) -> String {
        let mut uri = format!("{}://", self.conn_type.to_lowercase().replace('_', "-"));
        let host = self.host.as_deref().unwrap_or_default();
        let (protocol, host) = host.split_once("://").map_or((None, host), |(protocol, host)| (Some(protocol), host));
        if let Some(protocol) = protocol {
            uri.push_str(&format!("{protocol}://"));
        }
        if let Some(login) = &self.login {
            uri.push_str(&encode(login));
        }
        if let Some(password) = &self.password {
            uri.push_str(&format!(":{}", encode(password.expose())));
        }
        let has_user = self.login.is_some() || self.password.is_some();
        if has_user {
            uri.push('@');
        }
        uri.push_str(&encode(host));
        if let Some(port) = self.port {
            uri.push_str(&if host.is_empty() && !has_user { format!("@:{port}") } else { format!(":{port}") });
        }
        if let Some(schema) = &self.schema {
            uri.push_str(&format!("/{}", encode(schema)));
        }
        if let Some(extra) = &self.extra {
            let fields = check_extra(extra.expose()).unwrap_or_default();
            let is_plain = !fields.is_empty() && fields.values().all(Value::is_string);
            let query = if is_plain {
                let pairs = fields
                    .iter()
                    .map(|(key, value)| format!("{}={}", encode(key), encode(value.as_str().unwrap_or_default())));
                pairs.collect::<Vec<_>>().join("&")
            } else {
                format!("__extra__={}", encode(extra.expose()))
            };
            uri.push_str(if self.schema.is_some() { "?" } else { "/?" });
            uri.push_str(&query);
        }
        uri
    }

    /// Lists its secrets.
    pub fn secrets(&self) -> Vec<String> {
        let mut found = secret::secrets_of("", &self.to_json());
        if let Some(path) = self.password.as_ref().filter(|path| self.is_webhook() && !path.expose().contains("://")) {
            found.extend(secret::parts_of_path(path.expose()));
        }
        if let (Some(login), Some(password)) = (&self.login, &self.password)
            && !password.expose().is_empty()
        {
            // What a header for basic authentication holds, encoded.
            found.push(format!("{login}:{}", password.expose()));
        }
        found
    }

    /// Its password is an address, or the path of one.
    fn is_webhook(&self) -> bool {
        self.conn_type.to_lowercase().starts_with("slack")
    }

    /// Hides the secrets of `extra`; `None` when there is none.
    pub fn redacted_extra(&self) -> Option<String> {
        let fields = check_extra(self.extra.as_ref()?.expose()).unwrap_or_default();
        Some(secret::redact("", &Value::Object(fields)).to_string())
    }
}

fn part(text: &str) -> Result<Option<String>, &'static str> {
    if text.is_empty() { Ok(None) } else { decode(text).map(Some).ok_or(NO_URI) }
}

/// Takes `host:port` apart. A list of addresses, as brokers have it, is a host.
fn host_and_port(address: &str) -> Result<(&str, Option<u16>), &'static str> {
    let is_list = address.contains(',');
    for address in address.split(',') {
        let (host, port) = match address.rsplit_once(':') {
            // `[::1]`
            Some((_, rest)) if rest.contains(']') => (address, ""),
            Some(both) => both,
            None => (address, ""),
        };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) || host.contains(':') && !host.ends_with(']') {
            return Err(BAD_PORT);
        }
        let port = if port.is_empty() { None } else { Some(port.parse().map_err(|_| BAD_PORT)?) };
        if !is_list {
            let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            return Ok((inner.unwrap_or(host), port));
        }
    }
    Ok((address, None))
}

/// Undoes percent-encoding; `None` when half of one stands there, or no UTF-8 comes out.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (rest.next()?, rest.next()?);
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Writes a text as a part of a URI.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        let mut read = Connection::parse("x", text).unwrap().to_json();
        let fields = read.as_object_mut().unwrap();
        fields.retain(|key, value| key != "conn_id" && !value.is_null());
        assert_eq!(read, expected);
    }

    #[test]
    fn a_uri_becomes_a_connection() {
        check(
            "postgresql://me:p%40ss@db.example:5432/sales?sslmode=require",
            json!({"conn_type": "postgres", "host": "db.example", "login": "me", "password": "p@ss", "port": 5432,
                   "schema": "sales", "extra": {"sslmode": "require"}}),
        );
        check("http://https://api:80/", json!({"conn_type": "http", "host": "https://api", "port": 80}));
        check(
            "google-cloud-platform://?__extra__=%7B%22a%22%3A1%7D",
            json!({"conn_type": "google_cloud_platform", "extra": {"a": 1}}),
        );
        check("redis://[::1]:6379", json!({"conn_type": "redis", "host": "::1", "port": 6379}));
        check("fs://?path=a+b", json!({"conn_type": "fs", "extra": {"path": "a b"}}));
    }

    #[test]
    fn json_becomes_a_connection() {
        check(
            r#" {"conn_type": "http", "port": "80", "extra": "{\"a\": 1}"}"#,
            json!({"conn_type": "http", "port": 80, "extra": {"a": 1}}),
        );
        for (text, expected) in [
            (r#"{"hots": "x"}"#, "connection `x` has no `hots`"),
            (r#"{"port": 70000}"#, "`port` of connection `x` must be"),
            (r#"{"extra": "no"}"#, "`extra` of connection `x` must be a JSON object"),
            ("{", "is not JSON"),
            ("http://a%4@b/", "is neither a URI"),
            ("no uri", "is neither a URI"),
            (r#"{"conn_type": 5}"#, "`conn_type` of connection `x` must be a text"),
        ] {
            let problem = Connection::parse("x", text).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn a_uri_whose_password_would_end_up_elsewhere_is_refused() {
        for (text, expected) in [
            ("postgres://u:hun/ter2@h:99/db", "write %2F for a `/`"),
            ("postgres://u:99/hunter2@h/db", "write %2F for a `/`"),
            ("slackwebhook://:T0/B0/hunter2@hooks.example/services", "write %2F for a `/`"),
            ("http://https://u:hun/ter2@h", "write %2F for a `/`"),
            ("postgres://u:hunter2?x@h/db", "write %3F for a `?`"),
            ("postgres://u:hun/ter2", "is no port"),
            ("postgres://u:hunter2?x=@h", "is no port"),
            ("http://h:99999/", "is no port"),
            ("kafka://a:1,b:hunter2", "is no port"),
            ("redis://::1", "in brackets"),
        ] {
            let problem = Connection::parse("x", text).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("ter2"), "{text}: {problem}");
        }
        check("smtp://h?from_email=a@b", json!({"conn_type": "smtp", "host": "h", "extra": {"from_email": "a@b"}}));
        check("sqlite:///data@home/x.db", json!({"conn_type": "sqlite", "schema": "data@home/x.db"}));
        check("kafka://a:1,b:2", json!({"conn_type": "kafka", "host": "a:1,b:2"}));
        check(
            "http://u:p@h:/@x",
            json!({"conn_type": "http", "host": "h", "login": "u", "password": "p", "schema": "@x"}),
        );
        check("redis://[::1]", json!({"conn_type": "redis", "host": "::1"}));
    }

    #[test]
    fn a_uri_written_is_read_again() {
        for text in [
            "postgres://me:p%40ss%2F@db.example:5432/sales?sslmode=require",
            "http://https://api:80",
            "http://:word@",
            "fs://@:7",
            "aws://?__extra__=%7B%22a%22%3A1%7D",
            "my-sql://h/a%2Fb",
            "kafka://a:1,b:2",
            "sqlite:///a@b",
        ] {
            let read = Connection::parse("x", text).unwrap();
            assert_eq!(Connection::parse("x", &read.to_uri()).unwrap(), read, "{}", read.to_uri());
        }
    }

    #[test]
    fn its_secrets_are_known_and_never_printed() {
        let read = Connection::parse("x", "http://me:hunter2@h/?api_key=k77&region=eu").unwrap();
        assert_eq!(read.secrets(), ["hunter2", "k77", "me:hunter2"]);
        assert!(!format!("{read:?}").contains("hunter2") && !format!("{read:?}").contains("k77"));
        let slack = Connection::parse("x", "slackwebhook://:T0%2FB0%2FSLACKsecret123@h").unwrap();
        assert!(slack.secrets().contains(&"SLACKsecret123".to_owned()), "{:?}", slack.secrets());
        assert_eq!(read.redacted_extra().unwrap(), r#"{"api_key":"***","region":"eu"}"#);
    }
}
