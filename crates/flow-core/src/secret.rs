//! What is secret, by its name: the words that Airflow looks for. Finding secrets, and hiding them in an answer.

use serde_json::Value;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A shorter part of a secret address is no secret by itself: `services`, `T0`.
const PART_MIN: usize = 8;

/// Keys that hold one of these words are secret, as in Airflow, and more.
const SECRET_WORDS: [&str; 13] = [
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
    // A setting of Kafka's client.
    "ssl.key.pem",
];

/// A text that holds this is secret, whatever its key.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// A text that its holder must not print by mistake.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text, and lets go of it.
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// Says whether a key looks like that of a secret.
pub fn is_secret(key: &str) -> bool {
    // Names of headers have dashes.
    let key = key.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Lists the secrets of a value: all below a key that looks secret, and passwords of addresses. `name`: its own key.
pub fn secrets_of(name: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, is_secret(name), &mut found);
    found
}

/// Lists the secrets of a variable, which may hold JSON.
pub fn secrets_of_variable(key: &str, text: &str) -> Vec<String> {
    let is_whole = is_secret(key) && !text.is_empty();
    let mut found = if is_whole { vec![text.to_owned()] } else { Vec::new() };
    match structure(text) {
        Some(value) => collect(&value, is_secret(key), &mut found),
        None if text.contains(PRIVATE_KEY) && !is_whole => found.push(text.to_owned()),
        None if is_whole => {
            found.extend(password_of_address(text));
            found.extend(parts_of_address(text));
        }
        None => found.extend(password_of_address(text)),
    }
    found
}

fn collect(value: &Value, is_hidden: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if (is_hidden && !text.is_empty()) || text.contains(PRIVATE_KEY) => {
            found.push(text.clone());
            found.extend(password_of_address(text));
            found.extend(parts_of_address(text));
        }
        Value::String(text) => found.extend(password_of_address(text)),
        Value::Number(number) if is_hidden => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_hidden, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| collect(item, is_hidden || is_secret(key), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Hides the secrets of a value, for an answer. `name`: its own key.
pub fn redact(name: &str, value: &Value) -> Value {
    hide(value, is_secret(name))
}

/// Hides the secrets of a variable, which may hold JSON.
pub fn redact_variable(key: &str, text: &str) -> String {
    match structure(text) {
        Some(value) => redact(key, &value).to_string(),
        None if is_secret(key) || text.contains(PRIVATE_KEY) => MASK.to_owned(),
        None => without_password(text),
    }
}

/// Puts back what was hidden: where `new` is as [`redact`] shows `old`, `old` is meant.
pub fn restore(name: &str, new: Value, old: &Value) -> Value {
    if new == redact(name, old) {
        return old.clone();
    }
    let is_hidden = is_secret(name);
    match (new, old) {
        (Value::Object(fields), Value::Object(before)) => {
            let each = fields.into_iter().map(|(key, item)| {
                let inner = if is_hidden { name } else { key.as_str() };
                let item = match before.get(&key) {
                    Some(old) => restore(inner, item, old),
                    None => item,
                };
                (key, item)
            });
            Value::Object(each.collect())
        }
        (Value::Array(items), Value::Array(before)) => {
            let each = items.into_iter().enumerate().map(|(at, item)| match before.get(at) {
                Some(old) => restore(name, item, old),
                None => item,
            });
            Value::Array(each.collect())
        }
        (new, _) => new,
    }
}

/// The same for a variable.
pub fn restore_variable(key: &str, new: &str, old: &str) -> String {
    if new == redact_variable(key, old) {
        return old.to_owned();
    }
    match (structure(new), structure(old)) {
        (Some(value), Some(before)) => {
            let restored = restore(key, value.clone(), &before);
            // As it was written, when nothing was put back.
            if restored == value { new.to_owned() } else { restored.to_string() }
        }
        (_, _) => new.to_owned(),
    }
}

fn hide(value: &Value, is_hidden: bool) -> Value {
    match value {
        Value::String(_) | Value::Number(_) if is_hidden => Value::from(MASK),
        Value::String(text) if text.contains(PRIVATE_KEY) => Value::from(MASK),
        Value::String(text) => Value::String(without_password(text)),
        Value::Array(items) => Value::Array(items.iter().map(|item| hide(item, is_hidden)).collect()),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, item)| (key.clone(), hide(item, is_hidden || is_secret(key)))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Reads a text that is a JSON object or list.
fn structure(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Finds the password of an address such as `http://user:password@host/`: from and to.
fn place_of_password(text: &str) -> Option<(usize, usize)> {
    let start = text.find("://")? + 3;
    let rest = &text[start..];
    let authority = &rest[..rest.find(['/', '?', '#', ' ', '\n']).unwrap_or(rest.len())];
    let end = authority.rfind('@')?;
    let colon = authority[..end].find(':')?;
    (colon + 1 < end).then_some((start + colon + 1, start + end))
}

fn password_of_address(text: &str) -> Vec<String> {
    let Some((from, to)) = place_of_password(text) else { return Vec::new() };
    let written = &text[from..to];
    let plain = crate::connection::decode(written).filter(|plain| plain != written);
    std::iter::once(written.to_owned()).chain(plain).collect()
}

/// Lists what is secret of an address that is a secret, such as that of a webhook: servers and proxies repeat what
/// stands behind the host, and not the host.
fn parts_of_address(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("://") else { return Vec::new() };
    rest.find(['/', '?']).map(|at| parts_of_path(&rest[at..])).unwrap_or_default()
}

/// Lists the same of a path with its query: the whole, what ends it, and values, those that are long enough to be secrets;
/// `token` and `data` are not.
pub(crate) fn parts_of_path(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('/');
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = path.trim_end_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    let mut found: Vec<String> = [text, path].into_iter().chain(ends).map(str::to_owned).collect();
    // Words of it are no secrets.
    let has_digit = |part: &&str| part.bytes().any(|byte| byte.is_ascii_digit());
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    let parts = path.split('/').filter(has_digit).chain(values);
    found.extend(parts.map(str::to_owned));
    found.retain(|part| part.len() >= PART_MIN);
    let plain: Vec<_> = found.iter().filter_map(|part| crate::connection::decode(part)).collect();
    found.extend(plain);
    found.sort_unstable();
    found.dedup();
    found
}

/// Hides the password of an address.
pub fn without_password(text: &str) -> String {
    match place_of_password(text) {
        Some((from, to)) => format!("{}{MASK}{}", &text[..from], &text[to..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_look_secret_are_secret() {
        for (key, expected) in [("DB_PASSWORD", true), ("github_token", true), ("X-Api-Key", true), ("region", false)] {
            assert_eq!(is_secret(key), expected, "{key}");
        }
    }

    #[test]
    fn the_secrets_of_a_value_are_found_at_any_depth() {
        let value = json!({"login": "me", "password": "a", "port": 7,
            "extra": {"auth": {"api_key": ["b", 7]}, "region": "eu", "proxy": "http://u:p%40ss@proxy:80/"}});
        assert_eq!(secrets_of("", &value), ["a", "b", "7", "p%40ss", "p@ss"]);
        assert_eq!(secrets_of_variable("pin_token", "77"), ["77"]);
        assert_eq!(secrets_of_variable("x", r#"{"token": "t"}"#), ["t"]);
        assert_eq!(secrets_of_variable("x", "eu"), [] as [&str; 0]);
    }

    #[test]
    fn an_answer_hides_what_is_secret() {
        assert_eq!(
            redact("", &json!({"token": {"a": ["x", 1, null]}, "b": "y"})),
            json!({"token": {"a": ["***", "***", null]}, "b": "y"})
        );
        assert_eq!(redact_variable("api_key", "x"), "***");
        assert_eq!(redact_variable("region", "eu"), "eu");
        assert_eq!(redact_variable("db", "postgres://u:p@h/d"), "postgres://u:***@h/d");
        assert_eq!(redact_variable("db", r#"{"password":"p"}"#), r#"{"password":"***"}"#);
    }

    #[test]
    fn a_private_key_is_secret_under_any_name() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        let extra = json!({"ssl.key.pem": "k", "tls": {"client": pem}, "ssl.ca.pem": "c"});
        assert_eq!(redact("", &extra), json!({"ssl.key.pem": "***", "tls": {"client": "***"}, "ssl.ca.pem": "c"}));
        assert_eq!(restore("", redact("", &extra), &extra), extra);
        assert_eq!(secrets_of("", &extra), ["k", pem]);
        assert_eq!(
            (redact_variable("mine", pem), secrets_of_variable("mine", pem)),
            (MASK.to_owned(), vec![pem.into()])
        );
        assert_eq!(restore_variable("mine", MASK, pem), pem);
    }

    #[test]
    fn what_comes_back_hidden_keeps_its_old_value() {
        let old = json!({"password": "p", "a": [{"token": "t"}], "b": 1});
        let new = json!({"password": "***", "a": [{"token": "***"}], "b": 2});
        assert_eq!(restore("", new, &old), json!({"password": "p", "a": [{"token": "t"}], "b": 2}));
        assert_eq!(restore("", json!({"b": "***"}), &old), json!({"b": "***"}));
        assert_eq!(restore_variable("api_key", "***", "old"), "old");
        assert_eq!(restore_variable("api_key", "new", "old"), "new");
        assert_eq!(restore_variable("region", "***", "eu"), "***");
        assert_eq!(restore_variable("x", r#"{"token":"***","a":1}"#, r#"{"token":"t"}"#), r#"{"token":"t","a":1}"#);
    }

    #[test]
    fn of_an_address_that_is_secret_each_secret_part_is() {
        let found = |text: &str| {
            let mut found = secrets_of("", &json!({ "password": text }));
            found.remove(0);
            found
        };
        assert_eq!(
            found("https://hooks.example/services/T0/B0/SLACKsecret123"),
            ["B0/SLACKsecret123", "SLACKsecret123", "T0/B0/SLACKsecret123", "services/T0/B0/SLACKsecret123"]
        );
        assert_eq!(
            found("https://me:w%2Frd@h/a%20b?code=q7%2Bq7q7q7&n=1"),
            ["w%2Frd", "w/rd", "a b?code=q7+q7q7q7&n=1", "a%20b?code=q7%2Bq7q7q7&n=1", "q7%2Bq7q7q7", "q7+q7q7q7"]
        );
        assert_eq!(found("https://h"), [""; 0]);
        assert_eq!(secrets_of_variable("hook_token", "https://h/hook"), ["https://h/hook"]);
        assert_eq!(secrets_of_variable("hook", "https://h/hook"), [""; 0]);
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "***");
    }
}
