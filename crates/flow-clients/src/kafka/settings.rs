//! A connection as librdkafka's settings.
//!
//! Airflow keeps them in `extra` as they are; host, port, login and password are understood too.

use std::{collections::BTreeMap, path::Path};

use flow_core::{
    connection::{Connection, check_extra},
    secret::Secret,
};
use serde_json::Value;

use crate::{ClientError, Result, fit};

/// Kafka's usual port.
const PORT: u16 = 9092;

/// Settings that load code or start programs; a connection is no place for that.
const REFUSED: [&str; 4] =
    ["plugin.library.paths", "sasl.kerberos.kinit.cmd", "ssl.engine.location", "ssl.provider.path"];

/// Airflow's callbacks, written as paths of Python functions: there is no Python here.
const PYTHON: [&str; 6] = ["error_cb", "stats_cb", "throttle_cb", "oauth_cb", "logger", "on_delivery"];

/// Settings that are paths.
const FILES: [&str; 4] = ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location"];

/// librdkafka's settings by name.
#[derive(Clone, Debug)]
pub struct Settings {
    fields: BTreeMap<String, Secret>,
}

impl Settings {
    /// Reads a connection.
    ///
    /// # Errors
    ///
    /// When there is no broker in it, or a value that is no setting.
    pub fn of(connection: &Connection) -> Result<Self> {
        fit::check(connection, &fit::KAFKA)?;
        let extra = connection.extra.as_ref().map(Secret::expose).unwrap_or_default();
        let extra = check_extra(extra).map_err(ClientError::settings)?;
        let mut fields = BTreeMap::new();
        for (name, value) in extra {
            if REFUSED.contains(&name.as_str()) {
                return Err(ClientError::settings(format!("connection `{}` must not set `{name}`", connection.id)));
            }
            if PYTHON.contains(&name.as_str()) {
                continue;
            }
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(truth) => truth.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(ClientError::settings(format!(
                        "`{name}` in `extra` of connection `{}` must be a text or a number",
                        connection.id
                    )));
                }
            };
            let name = if name == "sasl.mechanism" { "sasl.mechanisms".to_owned() } else { name };
            fields.insert(name, Secret::from(text));
        }
        let mut settings = Self { fields };
        settings.check_files(connection)?;
        settings.find_brokers(connection)?;
        settings.find_login(connection);
        Ok(settings)
    }

    /// Sets one, unless the connection has it.
    pub fn default(&mut self, name: &str, value: impl ToString) {
        self.fields.entry(name.to_owned()).or_insert_with(|| Secret::from(value.to_string()));
    }

    /// Sets one, whatever the connection says.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.fields.insert(name.to_owned(), Secret::from(value.to_string()));
    }

    /// Takes one away.
    pub fn remove(&mut self, name: &str) {
        self.fields.remove(name);
    }

    /// Returns one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(Secret::expose)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.expose()))
    }

    /// Where the brokers are.
    pub fn servers(&self) -> &str {
        self.get("bootstrap.servers").unwrap_or_default()
    }

    /// Who logs in.
    pub fn login(&self) -> Option<&str> {
        self.get("sasl.username").filter(|_| self.is_sasl())
    }

    fn is_sasl(&self) -> bool {
        self.get("security.protocol").is_some_and(|protocol| protocol.to_lowercase().starts_with("sasl_"))
    }

    /// The library does not say that a file is not there.
    fn check_files(&self, connection: &Connection) -> Result<()> {
        for name in FILES {
            let path = self.get(name).filter(|path| !path.is_empty() && *path != "probe");
            if let Some(path) = path.filter(|path| !Path::new(path).exists()) {
                return Err(ClientError::settings(format!(
                    "`{name}` in `extra` of connection `{}`: there is no `{path}` on this host",
                    connection.id
                )));
            }
        }
        Ok(())
    }

    fn find_brokers(&mut self, connection: &Connection) -> Result<()> {
        if let Some(list) = self.fields.remove("metadata.broker.list") {
            self.fields.entry("bootstrap.servers".to_owned()).or_insert(list);
        }
        if self.servers().trim().is_empty() {
            let host = connection.host.as_deref().map(str::trim).filter(|host| !host.is_empty()).ok_or_else(|| {
                ClientError::settings(format!(
                    "connection `{0}` has no broker: set host and port, or `bootstrap.servers` in `extra`: \
                     `flow connections set {0} kafka://localhost:9092`",
                    connection.id
                ))
            })?;
            let port = connection.port.filter(|port| *port > 0).unwrap_or(PORT);
            let servers = if host.contains([',', ':']) && !is_ipv6(host) {
                host.to_owned()
            } else if is_ipv6(host) {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            };
            self.set("bootstrap.servers", servers);
        }
        Ok(())
    }

    fn find_login(&mut self, connection: &Connection) {
        if let Some(login) = connection.login.as_deref().filter(|login| !login.is_empty()) {
            self.default("sasl.username", login);
            if let Some(password) = &connection.password {
                self.default("sasl.password", password.expose());
            }
            // A login goes over an open line only when that is asked for.
            self.default("security.protocol", "sasl_ssl");
        }
        if self.is_sasl() {
            self.default("sasl.mechanisms", "PLAIN");
        }
        // Written in capitals by many.
        if let Some(protocol) = self.get("security.protocol").map(str::to_lowercase) {
            self.set("security.protocol", protocol);
        }
    }
}

fn is_ipv6(host: &str) -> bool {
    host.parse::<std::net::Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let settings = Settings::of(&Connection::parse("k", text).unwrap()).unwrap();
        assert_eq!(settings.iter().collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_connection_becomes_settings() {
        check("kafka://h", &[("bootstrap.servers", "h:9092")]);
        check("kafka://h:1", &[("bootstrap.servers", "h:1")]);
        check("kafka://[::1]:1", &[("bootstrap.servers", "[::1]:1")]);
        check(r#"{"conn_type": "kafka", "host": "a:1,b:2"}"#, &[("bootstrap.servers", "a:1,b:2")]);
        check(
            r#"{"extra": {"bootstrap.servers": "a:1", "socket.timeout.ms": 10, "enable.idempotence": true, "error_cb": "x.y"}}"#,
            &[("bootstrap.servers", "a:1"), ("enable.idempotence", "true"), ("socket.timeout.ms", "10")],
        );
        check(
            "kafka://me:word@h",
            &[
                ("bootstrap.servers", "h:9092"),
                ("sasl.mechanisms", "PLAIN"),
                ("sasl.password", "word"),
                ("sasl.username", "me"),
                ("security.protocol", "sasl_ssl"),
            ],
        );
        check(
            "kafka://me:word@h?security.protocol=SASL_PLAINTEXT&sasl.mechanism=SCRAM-SHA-256",
            &[
                ("bootstrap.servers", "h:9092"),
                ("sasl.mechanisms", "SCRAM-SHA-256"),
                ("sasl.password", "word"),
                ("sasl.username", "me"),
                ("security.protocol", "sasl_plaintext"),
            ],
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, words) in [
            ("kafka://", "has no broker"),
            ("postgres://me:word@h", "is of the type `postgres`, which is no Kafka"),
            ("kafka://h?ssl.ca.location=/nowhere/ca.pem", "`k`: there is no `/nowhere/ca.pem` on this host"),
            (r#"{"host": "h", "extra": {"a": []}}"#, "`a` in `extra` of connection `k` must be a text"),
            (r#"{"host": "h", "extra": {"plugin.library.paths": "x"}}"#, "must not set `plugin.library.paths`"),
        ] {
            let error = Settings::of(&Connection::parse("k", text).unwrap()).unwrap_err();
            assert!(error.message.contains(words) && !error.may_retry(), "{error}");
        }
    }

    #[test]
    fn secrets_are_never_printed() {
        let settings = Settings::of(&Connection::parse("k", "kafka://me:hunter2@h").unwrap()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
