//! From a connection as people write it to what the drivers take. Names are those of Airflow's hooks.

use std::{fs::File, io::Read as _, path::PathBuf, str::FromStr as _, time::Duration};

use flow_core::connection::{self, Connection};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Map, Value};
use sqlx::{
    mysql::{MySqlConnectOptions, MySqlSslMode},
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::SqliteConnectOptions,
};

use super::DatabaseKind;
use crate::{ClientError, Result};

/// How long it may take to connect, unless `connect_timeout` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long SQLite waits for another writer: what Airflow's hook waits.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Most that is read of a file of certificates: one with all the authorities of the world has 300 KB.
const PEM_MAX: u64 = 4 << 20;

/// What is needed to connect.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) options: Options,
    /// For messages: no password.
    pub(crate) address: String,
    pub(crate) id: String,
    pub(crate) timeout: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Options {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Target {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let extra = connection.extra.as_ref().map(|text| connection::check_extra(text.expose())).transpose();
        let extra = Extra {
            id: &connection.id,
            place: "`extra`",
            fields: extra.map_err(ClientError::settings)?.unwrap_or_default(),
        };
        let kind = DatabaseKind::of(&connection.conn_type).ok_or_else(|| {
            ClientError::settings(format!(
                "connection `{}` is of the type `{}`, which is no SQL database (there are: postgres, mysql, sqlite)",
                connection.id, connection.conn_type
            ))
        })?;
        let (options, address) = match kind {
            DatabaseKind::Postgres => postgres(connection, &extra)?,
            DatabaseKind::MySql => mysql(connection, &extra)?,
            DatabaseKind::Sqlite => sqlite(connection, &extra)?,
        };
        let timeout = extra.seconds("connect_timeout")?.unwrap_or(CONNECT_TIMEOUT);
        Ok(Self { options, address, id: connection.id.clone(), timeout })
    }

    pub(crate) fn kind(&self) -> DatabaseKind {
        match self.options {
            Options::Postgres(_) => DatabaseKind::Postgres,
            Options::MySql(_) => DatabaseKind::MySql,
            Options::Sqlite(_) => DatabaseKind::Sqlite,
        }
    }
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).map(str::trim).filter(|text| !text.is_empty())
}

fn postgres(connection: &Connection, extra: &Extra<'_>) -> Result<(Options, String)> {
    let host = given(connection.host.as_ref()).unwrap_or("localhost");
    let port = connection.port.filter(|port| *port > 0).unwrap_or(5432);
    let mut options = PgConnectOptions::new_without_pgpass().host(host).port(port);
    options = options.application_name(extra.text("application_name").unwrap_or("flow"));
    if let Some(login) = given(connection.login.as_ref()) {
        options = options.username(login);
    }
    if let Some(password) = &connection.password {
        options = options.password(password.expose());
    }
    if let Some(database) = given(connection.schema.as_ref()) {
        options = options.database(database);
    }
    if let Some(mode) = extra.text("sslmode") {
        let mode = PgSslMode::from_str(mode).map_err(|_| {
            extra.wrong("sslmode", "one of `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`")
        })?;
        options = options.ssl_mode(mode);
    }
    let is_checked = matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    if let Some(file) = extra.authorities("sslrootcert", is_checked)? {
        options = options.ssl_root_cert(file);
    }
    if let Some((certificate, key)) = extra.pair("sslcert", "sslkey")? {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    // As libpq has it: `-c name=value -c name=value`.
    let settings = extra.text("options").unwrap_or_default();
    let settings = settings.split_whitespace().filter_map(|word| word.trim_start_matches("-c").split_once('='));
    options = options.options(settings);
    Ok((Options::Postgres(Box::new(options)), format!("Postgres at {host}:{port}")))
}

fn mysql(connection: &Connection, extra: &Extra<'_>) -> Result<(Options, String)> {
    let host = given(connection.host.as_ref()).unwrap_or("localhost");
    let port = connection.port.filter(|port| *port > 0).unwrap_or(3306);
    // The server's own modes hold: what people wrote for their server means the same here.
    let mut options =
        MySqlConnectOptions::new().host(host).port(port).pipes_as_concat(false).no_engine_substitution(false);
    if let Some(login) = given(connection.login.as_ref()) {
        options = options.username(login);
    }
    if let Some(password) = &connection.password {
        options = options.password(password.expose());
    }
    if let Some(database) = given(connection.schema.as_ref()) {
        options = options.database(database);
    }
    if let Some(charset) = extra.text("charset") {
        if !charset.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(extra.wrong("charset", "a name such as `utf8mb4`"));
        }
        options = options.charset(charset);
    }
    if let Some(socket) = extra.text("unix_socket") {
        options = options.socket(socket);
    }
    let mode = match extra.text("ssl_mode").or_else(|| extra.text("sslmode")) {
        Some(words) => Some(mysql_mode(words).ok_or_else(|| {
            extra.wrong("ssl_mode", "one of `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY`")
        })?),
        None => None,
    };
    let ssl = extra.object("ssl")?;
    let is_checked = matches!(mode, None | Some(MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity));
    let authorities = match ssl.authorities("ca", is_checked)? {
        Some(file) => Some(file),
        None => extra.authorities("sslrootcert", is_checked)?,
    };
    if let Some(file) = authorities {
        // Who names an authority and no mode wants the certificate checked.
        options = options.ssl_ca(file).ssl_mode(MySqlSslMode::VerifyCa);
    }
    if let Some((certificate, key)) = ssl.pair("cert", "key")? {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    if let Some(mode) = mode {
        options = options.ssl_mode(mode);
    }
    Ok((Options::MySql(Box::new(options)), format!("MySQL at {host}:{port}")))
}

/// Reads a mode as the server's own programs call it, or as those of Postgres do.
fn mysql_mode(words: &str) -> Option<MySqlSslMode> {
    Some(match words.to_lowercase().replace('-', "_").as_str() {
        "disabled" | "disable" => MySqlSslMode::Disabled,
        "preferred" | "prefer" | "allow" => MySqlSslMode::Preferred,
        "required" | "require" => MySqlSslMode::Required,
        "verify_ca" => MySqlSslMode::VerifyCa,
        "verify_identity" | "verify_full" => MySqlSslMode::VerifyIdentity,
        _ => return None,
    })
}

fn sqlite(connection: &Connection, extra: &Extra<'_>) -> Result<(Options, String)> {
    let host = given(connection.host.as_ref());
    let schema = given(connection.schema.as_ref());
    let path = match (host, schema) {
        // `sqlite:///path/to.db`: the path is behind the empty host, without its slash.
        (None, Some(schema)) if schema != ":memory:" && !schema.starts_with('/') => format!("/{schema}"),
        (Some(path), _) | (None, Some(path)) => path.to_owned(),
        (None, None) => {
            return Err(ClientError::settings(format!(
                "connection `{}` names no file: `host` is the path of a SQLite database",
                connection.id
            )));
        }
    };
    if path == ":memory:" {
        let words = "connection `{}` is a SQLite database in memory, which nobody else could see: name a file";
        return Err(ClientError::settings(words.replace("{}", &connection.id)));
    }
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(extra.bool("create")?.unwrap_or(false))
        .foreign_keys(extra.bool("foreign_keys")?.unwrap_or(false))
        .busy_timeout(extra.seconds("timeout")?.unwrap_or(BUSY_TIMEOUT));
    Ok((Options::Sqlite(Box::new(options)), format!("SQLite file {path}")))
}

/// `extra` of a connection, or an object in it. Numbers and truths may be texts: a URI has no others.
struct Extra<'a> {
    id: &'a str,
    /// Where it is written, in words.
    place: &'static str,
    fields: Map<String, Value>,
}

impl Extra<'_> {
    fn wrong(&self, name: &str, expected: &str) -> ClientError {
        ClientError::settings(format!("`{name}` in {} of connection `{}` must be {expected}", self.place, self.id))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    fn bool(&self, name: &str) -> Result<Option<bool>> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if ["true", "True", "1"].contains(&text.as_str()) => Ok(Some(true)),
            Some(Value::String(text)) if ["false", "False", "0", ""].contains(&text.as_str()) => Ok(Some(false)),
            Some(_) => Err(self.wrong(name, "`true` or `false`")),
        }
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>> {
        let Some(value) = self.fields.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        match seconds {
            Some(seconds) if (0.001..=3600.0).contains(&seconds) => Ok(Some(Duration::from_secs_f64(seconds))),
            _ => Err(self.wrong(name, "seconds, at most 3600")),
        }
    }

    /// The path of a file that must be there: the drivers' own words do not name it.
    fn file(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let path = PathBuf::from(text);
        if path.is_file() {
            return Ok(Some(path));
        }
        // It may be a key, which is nobody's to read here.
        if text.contains("-----BEGIN") {
            return Err(self.wrong(name, "the path of a file, not what is in it"));
        }
        Err(self.wrong(name, &format!("the path of a file; there is none at `{}`", path.display())))
    }

    /// A file in which there must be what `is_there` looks for; the driver passes over whatever else is in it.
    fn pem(&self, name: &str, what: &str, is_there: fn(&[u8]) -> bool) -> Result<Option<PathBuf>> {
        let Some(path) = self.file(name)? else { return Ok(None) };
        let mut text = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(PEM_MAX).read_to_end(&mut text));
        read.map_err(|error| self.wrong(name, &format!("a file that can be read; `{}`: {error}", path.display())))?;
        if is_there(&text) {
            return Ok(Some(path));
        }
        Err(self.wrong(name, &format!("a file with {what}; there is none in `{}`", path.display())))
    }

    fn certificates(&self, name: &str) -> Result<Option<PathBuf>> {
        self.pem(name, "certificates (PEM, `BEGIN CERTIFICATE`)", |text| {
            CertificateDer::pem_slice_iter(text).next().is_some_and(|found| found.is_ok())
        })
    }

    /// The certificates of authorities; what is in the file counts where the server's certificate is checked.
    fn authorities(&self, name: &str, is_checked: bool) -> Result<Option<PathBuf>> {
        if is_checked { self.certificates(name) } else { self.file(name) }
    }

    /// A certificate and its key: neither is of use alone.
    fn pair(&self, certificate: &str, key: &str) -> Result<Option<(PathBuf, PathBuf)>> {
        let found = self.pem(key, "a key that is not encrypted (PEM, `BEGIN PRIVATE KEY`)", |text| {
            PrivateKeyDer::from_pem_slice(text).is_ok()
        });
        match (self.certificates(certificate)?, found?) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.wrong(key, &format!("there too, beside `{certificate}`: the path of its key"))),
            (None, Some(_)) => {
                Err(self.wrong(certificate, &format!("there too, beside `{key}`: the path of its certificate")))
            }
        }
    }

    /// An object, or a text that holds one.
    fn object(&self, name: &str) -> Result<Self> {
        let fields = match self.fields.get(name) {
            Some(Value::Object(fields)) => fields.clone(),
            Some(Value::String(text)) => {
                connection::check_extra(text).map_err(|_| self.wrong(name, "an object such as {\"ca\": \"path\"}"))?
            }
            Some(_) | None => Map::new(),
        };
        Ok(Self { id: self.id, place: "`ssl` of `extra`", fields })
    }
}
