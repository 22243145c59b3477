//! Mail servers: SMTP with TLS from the start, STARTTLS, and logins.
//!
//! A mail gets a session of its own, which ends with it: servers close idle ones, and a mail is rare. The dialogue is
//! ours, in [`smtp`]: every answer is bounded in bytes and time, and every error says at which step it happened.

use std::{path::PathBuf, time::Duration};

use flow_core::{
    connection::{Connection, check_extra},
    secret::Secret,
};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{ClientError, Kind, Result, fit};

pub mod letter;
mod smtp;
mod tls;

pub use letter::{Attachment, Letter};

/// Longest wait for an answer, when the connection does not say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait that a connection may ask for.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// Tries to connect, when the connection does not say.
const TRIES: u32 = 5;

const TRIES_MAX: u32 = 20;

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// How a mail server is reached.
#[derive(Clone, Debug)]
struct Settings {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, Login)>,
    /// The sender when a letter has none.
    from: Option<String>,
    timeout: Duration,
    tries: u32,
    ca_file: Option<PathBuf>,
    checks_certificate: bool,
}

/// How the line to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// From the first byte.
    Tls,
    /// After a greeting in the clear.
    StartTls,
    None,
}

#[derive(Clone, Debug)]
enum Login {
    Password(Secret),
    /// OAuth 2.
    Token(Secret),
}

/// Connects and logs in; says what was tried.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    let settings = Settings::of(connection)?;
    let session = smtp::Session::open(&settings).await?;
    let words = format!(
        "reached {}:{} {}; {}",
        settings.host,
        settings.port,
        match settings.security {
            Security::Tls => "with TLS",
            Security::StartTls => "with STARTTLS",
            Security::None => "without encryption",
        },
        match &settings.login {
            Some((login, _)) => format!("logged in as `{login}`"),
            None => "the connection has no login, and none was tried".to_owned(),
        }
    );
    session.quit().await;
    Ok(words)
}

/// The address that mails come from when they do not say: `from_email` in the connection's `extra`, else its login.
///
/// # Errors
///
/// When its settings are wrong.
pub fn sender(connection: &Connection) -> Result<Option<String>> {
    let settings = Settings::of(connection)?;
    let login = settings.login.map(|(login, _)| login).filter(|login| login.contains('@'));
    Ok(settings.from.or(login))
}

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What the server said.
    pub answer: String,
    /// Who does not get it, and why: a sentence each.
    pub refused: Vec<String>,
}

/// Sends a letter to all whom the server takes it for.
///
/// # Errors
///
/// When the settings or all addresses are wrong, when the server cannot be reached, or refuses. Nobody gets the letter
/// then, unless the line broke in the moment of the last answer.
pub async fn send(connection: &Connection, letter: &Letter) -> Result<Sent> {
    let settings = Settings::of(connection)?;
    let from = match &letter.from {
        Some(from) => from.clone(),
        None => sender(connection)?.ok_or_else(|| {
            ClientError::settings(format!(
                "who sends this mail? set `from_email` in the task, or in `extra` of connection `{}`",
                connection.id
            ))
        })?,
    };
    let sealed = letter.seal(&from)?;
    let mut session = open(&settings).await?;
    let sent = session.deliver(&sealed).await?;
    session.quit().await;
    Ok(sent)
}

/// Connects, several times when that fails; begins no other try when the time for one is over.
async fn open(settings: &Settings) -> Result<smtp::Session> {
    let begun = Instant::now();
    let mut tries = 1;
    loop {
        match smtp::Session::open(settings).await {
            Err(error) if error.kind == Kind::Unavailable && tries < settings.tries => {
                tokio::time::sleep(PAUSE).await;
                if begun.elapsed() >= settings.timeout {
                    return Err(error);
                }
                tries += 1;
            }
            ended => return ended,
        }
    }
}

impl Settings {
    fn of(connection: &Connection) -> Result<Self> {
        fit::check(connection, &fit::MAIL)?;
        let wrong = |what: String| ClientError::settings(format!("connection `{}`: {what}", connection.id));
        let host = connection.host.as_deref().map(str::trim).filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("it has no host; set the name of the mail server".to_owned()))?;
        let text = connection.extra.as_ref().map_or("", Secret::expose);
        let extra = Extra(check_extra(text).map_err(&wrong)?);
        let given = connection.port.filter(|port| *port > 0);
        let security = match (extra.flag("disable_ssl").map_err(&wrong)?, extra.flag("disable_tls").map_err(&wrong)?) {
            (Some(true), Some(true)) => Security::None,
            (Some(true), _) => Security::StartTls,
            (Some(false), _) => Security::Tls,
            // Airflow would speak TLS from the start to any port; few servers do beside 465.
            (None, Some(true)) if given.is_some_and(|port| port != 465) => Security::None,
            (None, _) if given.is_some_and(|port| port != 465) => Security::StartTls,
            (None, _) => Security::Tls,
        };
        let usual = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        };
        let timeout = extra.number("timeout").map_err(&wrong)?.map_or(TIMEOUT, Duration::from_secs_f64);
        let tries = extra.number("retry_limit").map_err(&wrong)?.map_or(TRIES, |number| number as u32);
        let checks_certificate = match extra.text("ssl_context").as_deref() {
            None | Some("default") => true,
            Some("none") => false,
            Some(other) => return Err(wrong(format!("`ssl_context` is `default` or `none`, not `{other}`"))),
        };
        Ok(Self {
            host: host.to_owned(),
            port: given.unwrap_or(usual),
            security,
            login: login(connection, &extra).map_err(&wrong)?,
            from: extra.text("from_email"),
            timeout: timeout.clamp(Duration::from_secs(1), TIMEOUT_MAX),
            tries: tries.clamp(1, TRIES_MAX),
            ca_file: extra.text("ca_file").map(PathBuf::from),
            checks_certificate,
        })
    }
}

fn login(connection: &Connection, extra: &Extra) -> std::result::Result<Option<(String, Login)>, String> {
    let name = connection.login.clone().filter(|login| !login.is_empty());
    let Some(name) = name else { return Ok(None) };
    match extra.text("auth_type").as_deref() {
        None | Some("basic") => Ok(connection
            .password
            .clone()
            .filter(|password| !password.expose().is_empty())
            .map(|p| (name, Login::Password(p)))),
        Some("oauth2") => match extra.text("access_token") {
            Some(token) => Ok(Some((name, Login::Token(token.into())))),
            None => Err("`auth_type` is `oauth2`, and `extra` has no `access_token`".to_owned()),
        },
        Some(other) => Err(format!("`auth_type` is `basic` or `oauth2`, not `{other}`")),
    }
}

/// The connection's `extra`: a URI has only texts there.
struct Extra(Map<String, Value>);

impl Extra {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn flag(&self, name: &str) -> std::result::Result<Option<bool>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) => match text.trim().to_lowercase().as_str() {
                "" => Ok(None),
                "true" | "1" | "yes" => Ok(Some(true)),
                "false" | "0" | "no" => Ok(Some(false)),
                _ => Err(format!("`{name}` is true or false, not `{text}`")),
            },
            Some(_) => Err(format!("`{name}` is true or false")),
        }
    }

    fn number(&self, name: &str) -> std::result::Result<Option<f64>, String> {
        let number = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_f64(),
        };
        match number.filter(|number| (0.0..=1e6).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("`{name}` is a number, 0 or more")),
        }
    }
}
