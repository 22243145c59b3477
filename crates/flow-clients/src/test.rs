//! Does a connection work? Really connects, logs in where there is a login, and says what failed.

use std::time::Duration;

use flow_core::{connection::Connection, mask::Masker};

use crate::{Result, http, kafka, mail, reach::reach, sql};

/// Longest that a test may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Says whether a connection works, and what was tried. The words hold none of its secrets.
pub async fn test(connection: &Connection) -> (bool, String) {
    let tried = tokio::time::timeout(LONGEST, of_its_kind(connection)).await;
    let (works, words) = match tried {
        Ok(Some(Ok(words))) => (true, words),
        Ok(Some(Err(error))) => (false, error.message),
        Ok(None) => reach(connection).await,
        Err(_) => (false, format!("no answer within {} seconds", LONGEST.as_secs())),
    };
    (works, Masker::new(connection.secrets()).mask(&words).into_owned())
}

/// Tests it as what it is; `None`: Flow has no client of this type.
async fn of_its_kind(connection: &Connection) -> Option<Result<String>> {
    match connection.conn_type.as_str() {
        "http" | "https" => Some(http::test(connection).await),
        "postgres" | "mysql" | "sqlite" => Some(sql::test(connection).await),
        "kafka" => Some(kafka::test(connection).await),
        "slack" | "slackwebhook" => Some(http::slack::test(connection).await),
        "smtp" => Some(mail::test(connection).await),
        _ => None,
    }
}
