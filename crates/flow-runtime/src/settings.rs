//! Variables and connections from the environment, under Flow's names and Airflow's.
//!
//! Knows which of them are secret, by Airflow's list of words. Values are handed to templates; secrets also to the
//! masker of the attempt's log, before anything is written.

use serde_json::{Map, Value, json};

/// Keys that hold one of these words are secret, as in Airflow.
const SECRET_WORDS: [&str; 12] = [
    "access_token",
    "api_key",
    "apikey",
    "authorization",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "secret",
    "token",
    "keyfile_dict",
    "service_account",
];

/// Says whether a key looks like that of a secret.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Returns a variable from the environment: `FLOW_VAR_<KEY>`, then `AIRFLOW_VAR_<KEY>`.
pub fn variable(key: &str) -> Option<String> {
    from_environment("VAR", key)
}

/// Returns a connection from the environment: `FLOW_CONN_<ID>`, then `AIRFLOW_CONN_<ID>`; a URI or JSON.
///
/// # Errors
///
/// A sentence that names the variable but not its value.
pub fn connection(id: &str) -> Result<Option<Value>, String> {
    let Some(text) = from_environment("CONN", id) else { return Ok(None) };
    let parsed = if text.trim_start().starts_with('{') { parse_json(&text) } else { parse_uri(&text) };
    let mut fields = parsed.ok_or_else(|| {
        format!("connection `{id}` is neither a URI such as `http://user:password@host:80/path` nor a JSON object")
    })?;
    fields.insert("conn_id".to_owned(), json!(id));
    Ok(Some(Value::Object(fields)))
}

/// Lists the secrets of a connection.
pub fn secrets_of(connection: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(connection, false, &mut found);
    found
}

fn collect(value: &Value, is_hidden: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_hidden && !text.is_empty() => found.push(text.clone()),
        Value::Number(number) if is_hidden => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_hidden, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| collect(item, is_hidden || is_secret(key), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn from_environment(kind: &str, key: &str) -> Option<String> {
    let key = key.to_uppercase();
    ["FLOW", "AIRFLOW"].iter().find_map(|prefix| std::env::var(format!("{prefix}_{kind}_{key}")).ok())
}

fn parse_json(text: &str) -> Option<Map<String, Value>> {
    let Value::Object(mut fields) = serde_json::from_str(text).ok()? else { return None };
    // Airflow allows the extra as text too.
    if let Some(Value::String(extra)) = fields.get("extra")
        && let Ok(parsed) = serde_json::from_str::<Value>(extra)
    {
        fields.insert("extra".to_owned(), parsed);
    }
    Some(fields)
}

/// `type://login:password@host:port/schema?key=value`, percent-encoded.
fn parse_uri(text: &str) -> Option<Map<String, Value>> {
    let (scheme, rest) = text.split_once("://")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, schema) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, address) = authority.rsplit_once('@').map_or((None, authority), |(user, address)| (Some(user), address));
    let mut fields = Map::new();
    let conn_type = if scheme == "postgresql" { "postgres" } else { scheme };
    fields.insert("conn_type".to_owned(), json!(conn_type.replace('-', "_")));
    if let Some(user) = user {
        let (login, password) = user.split_once(':').unwrap_or((user, ""));
        put(&mut fields, "login", login)?;
        put(&mut fields, "password", password)?;
    }
    let host = match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            fields.insert("port".to_owned(), json!(port.parse::<u16>().ok()?));
            host
        }
        _ => address,
    };
    put(&mut fields, "host", host)?;
    put(&mut fields, "schema", schema)?;
    let mut extra = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        extra.insert(decode(key)?, Value::String(decode(value)?));
    }
    if let Some(Value::String(text)) = extra.get("__extra__")
        && let Ok(parsed) = serde_json::from_str(text)
    {
        fields.insert("extra".to_owned(), parsed);
    } else if !extra.is_empty() {
        fields.insert("extra".to_owned(), Value::Object(extra));
    }
    Some(fields)
}

fn put(fields: &mut Map<String, Value>, name: &str, text: &str) -> Option<()> {
    if !text.is_empty() {
        fields.insert(name.to_owned(), Value::String(decode(text)?));
    }
    Some(())
}

fn decode(text: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_becomes_a_connection() {
        let fields = parse_uri("postgresql://me:p%40ss@db.example:5432/sales?sslmode=require").unwrap();
        assert_eq!(
            Value::Object(fields),
            json!({"conn_type": "postgres", "login": "me", "password": "p@ss", "port": 5432, "host": "db.example",
                   "schema": "sales", "extra": {"sslmode": "require"}})
        );
    }

    #[test]
    fn half_an_escape_is_no_uri() {
        assert_eq!(parse_uri("http://a%4@b/"), None);
        assert_eq!(parse_uri("no uri"), None);
    }

    #[test]
    fn the_secrets_of_a_connection_are_found_at_any_depth() {
        let found =
            secrets_of(&json!({"login": "me", "password": "a", "extra": {"auth": {"api_key": "b"}, "region": "eu"}}));
        assert_eq!(found, ["a", "b"]);
    }

    #[test]
    fn keys_that_look_secret_are_secret() {
        for (key, expected) in [("DB_PASSWORD", true), ("github_token", true), ("region", false)] {
            assert_eq!(is_secret(key), expected, "{key}");
        }
    }
}
