//! A worker serves the logs that it wrote: one address, ranges of files, for whoever knows the worker's secret.
//!
//! The secret is in the database and never on the wire: a request carries the time until which it is good, and a
//! signature over that and over what it asks for.

use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Limits, LogName, LogPart, Logs, serve::serve_router};

/// The path of the only address.
pub const PATH: &str = "/worker/log";
/// Most bytes of an answer.
pub const PART_MAX: usize = 1024 * 1024;
/// Position of the first byte, and length of the log.
pub const OFFSET: &str = "flow-log-offset";
pub const SIZE: &str = "flow-log-size";
/// How long a request is good for: clocks differ.
const GOOD: Duration = Duration::from_secs(120);
/// Before the signature in the header `Authorization`.
const SCHEME: &str = "Flow-Log ";
/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;
const CONNECTIONS: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct WorkerLogQuery {
    pub dag_id: String,
    pub run_id: String,
    pub task_id: String,
    pub map_index: i32,
    pub try_number: u32,
    pub offset: u64,
    pub max: usize,
}

impl WorkerLogQuery {
    /// Asks for a part of a log.
    pub fn new(log: &LogName, offset: u64, max: usize) -> Self {
        Self {
            dag_id: log.dag_id.to_string(),
            run_id: log.run_id.to_string(),
            task_id: log.task_id.to_string(),
            map_index: log.map_index,
            try_number: log.try_number,
            offset,
            max: max.min(PART_MAX),
        }
    }
}

#[derive(Clone)]
struct Worker {
    logs: Arc<dyn Logs>,
    secret: Arc<str>,
}

/// Serves the logs of this host until `stop` is ready.
pub async fn serve_worker_logs(
    listener: TcpListener,
    logs: Arc<dyn Logs>,
    secret: &str,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new().route(PATH, get(read)).with_state(Worker { logs, secret: secret.into() });
    let limits = Limits { connections: CONNECTIONS, per_address: CONNECTIONS };
    serve_router(listener, router, limits, CancellationToken::new(), stop).await;
}

/// Returns what goes into `Authorization` for a path with its query.
pub fn authorization(secret: &str, asked: &str, now: SystemTime) -> String {
    let until = seconds(now) + GOOD.as_secs();
    format!("{SCHEME}{until}:{}", signature(secret, until, asked))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn signature(secret: &str, until: u64, asked: &str) -> String {
    let mac = hmac(secret.as_bytes(), format!("GET {until} {asked}").as_bytes());
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA-256, RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    match key.len() > BLOCK {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let keyed = |mark: u8| Sha256::new().chain_update(block.map(|byte| byte ^ mark));
    let inner = keyed(0x36).chain_update(message).finalize();
    keyed(0x5c).chain_update(inner).finalize().into()
}

/// Says whether a request was signed with the secret, and not long ago. Takes the same time whatever is wrong.
fn is_signed(secret: &str, asked: &str, header: &str, now: SystemTime) -> bool {
    let Some((until, given)) = header.strip_prefix(SCHEME).and_then(|rest| rest.split_once(':')) else { return false };
    let Ok(until) = until.parse::<u64>() else { return false };
    let (now, expected) = (seconds(now), signature(secret, until, asked));
    let differs = expected.len() != given.len()
        || expected.bytes().zip(given.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other)) != 0;
    !differs && until >= now && until <= now + 2 * GOOD.as_secs()
}

async fn read(State(worker): State<Worker>, request: Request) -> Response {
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_signed(&worker.secret, asked, header, SystemTime::now()) {
        return (StatusCode::UNAUTHORIZED, "not signed, or too long ago: do the clocks agree?").into_response();
    }
    let Ok(axum::extract::Query(query)) = axum::extract::Query::<WorkerLogQuery>::try_from_uri(request.uri()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let name = LogName {
        dag_id: query.dag_id.as_str().into(),
        run_id: query.run_id.as_str().into(),
        task_id: query.task_id.as_str().into(),
        map_index: query.map_index,
        try_number: query.try_number,
        worker: None,
    };
    match worker.logs.read(&name, query.offset, query.max.min(PART_MAX)).await {
        Ok(Some(LogPart { bytes, offset, size })) => {
            ([(OFFSET, offset.to_string()), (SIZE, size.to_string())], bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(%error, "a log could not be read");
            unreadable(&error).into_response()
        }
    }
}

fn unreadable(error: &io::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_standard_one() {
        // RFC 4231, cases 2 and 6.
        let hex = |mac: [u8; 32]| mac.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn only_what_was_signed_is_answered_and_not_for_long() {
        let now = SystemTime::now();
        let header = authorization("secret", "/worker/log?a=1", now);
        assert!(is_signed("secret", "/worker/log?a=1", &header, now));
        assert!(is_signed("secret", "/worker/log?a=1", &header, now + GOOD));
        assert!(!is_signed("secret", "/worker/log?a=1", &header, now + GOOD + Duration::from_secs(2)));
        assert!(!is_signed("secret", "/worker/log?a=1", &header, now - 2 * GOOD));
        assert!(!is_signed("secret", "/worker/log?a=2", &header, now));
        assert!(!is_signed("other", "/worker/log?a=1", &header, now));
        for wrong in ["", "Flow-Log", "Flow-Log x:y", "Flow-Log 99999999999999999999:0", "Bearer secret"] {
            assert!(!is_signed("secret", "/worker/log?a=1", wrong, now), "{wrong}");
        }
    }
}
