//! The web server: the REST API and the web UI. The whole router is on this screen.
//!
//! Knows the store and nothing of the loops; a process without a scheduler serves it just as well.

mod access;
mod api;
mod auth;
mod away;
mod dag_files;
mod error;
mod extract;
mod graphs;
mod live;
mod logs;
mod openapi;
mod page;
mod said;
mod serve;
mod ui;
mod wire;
pub mod worker_logs;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    routing::get,
};
use flow_core::{Timestamp, connection::Connection};
use flow_metrics::Metrics;
use flow_store::{DagCache, RunRow, Store, TaskRow};
use serde_json::Value;
use tower_http::{
    compression::CompressionLayer,
    limit::RequestBodyLimitLayer,
    set_header::SetResponseHeaderLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};

pub use access::{By, Role, Who, rules};
pub use api::metrics::serve_metrics;
pub use auth::{
    Auth, AuthConfig, Network, check_new_password, check_user_name, hash_password, make_first_admin, random_password,
    token_secret,
};
pub use dag_files::{DagFile, DagFileError, DagFileLine, DagFileList, DagFiles, NamedFiles};
pub use error::ApiError;
pub use graphs::Graphs;
pub use live::Live;
pub use logs::{Later, LogName, LogPart, Logs, LogsOf, LogsSent};
pub use openapi::document as openapi_document;
pub use serve::{Limits, serve};
pub use ui::Ui;

/// Longest that a request may take; streams take as long as they like once they have begun.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest between two parts of a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest body of a request, if its route says nothing else.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Largest body with an XCom: one of the largest size, written with escapes.
pub(crate) const XCOM_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest body with the text of a DAG file: 1 MiB, whose quotes and ends of lines are written with escapes.
pub(crate) const DAG_TEXT_BODY_BYTES_MAX: usize = 1280 * 1024;
/// Largest body of any request.
const ANY_BODY_BYTES_MAX: usize = DAG_TEXT_BODY_BYTES_MAX;
/// Smaller answers are not compressed.
const COMPRESSED_BYTES_MIN: u64 = 1024;

/// What every handler is given.
#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub dags: DagCache,
    pub about: Arc<About>,
    /// Logins.
    pub auth: Auth,
    pub live: Live,
    pub logs: Arc<dyn Logs>,
    pub ui: Ui,
    pub dag_files: Arc<dyn DagFiles>,
    /// The setting `web.edit_dags`.
    pub edit_dags: bool,
    /// The JSON schema of DAG files.
    pub dag_schema: Arc<Value>,
    /// Pictures of DAGs that were asked for lately.
    pub graphs: Graphs,
    /// Flow's version.
    pub version: &'static str,
    /// Reads the clock.
    pub now: fn() -> Timestamp,
    /// The setting `core.max_infrastructure_retries`.
    pub max_infrastructure_retries: u32,
    /// Fills in the arguments of a task that has not run yet.
    pub renderer: Renderer,
    /// Returns a connection that the environment sets.
    pub environment: fn(&str) -> Result<Option<Connection>, String>,
    /// What is measured of this process.
    pub metrics: Metrics,
    /// The setting `metrics.anonymous_scrape`.
    pub anonymous_scrape: bool,
}

/// What the binary tells of itself.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The DAG folder, as its path is shown.
    pub dag_folder: String,
    /// By section; secrets are masked.
    pub settings: Vec<Setting>,
}

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub section: String,
    pub key: String,
    /// As it would be written.
    pub value: String,
    /// `default`, `file`, `env` or `flag`.
    pub source: &'static str,
    /// The file and line, variable or flag.
    pub place: Option<String>,
}

impl About {
    /// Returns the path of a DAG file.
    pub(crate) fn file(&self, path: &str) -> String {
        format!("{}/{path}", self.dag_folder.trim_end_matches('/'))
    }
}

/// Fills in a task's arguments as its next attempt would see them, secrets masked; an error is a sentence.
pub type Renderer =
    Arc<dyn Fn(RunRow, TaskRow) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send>> + Send + Sync>;
type Compressible = fn(StatusCode, axum::http::Version, &axum::http::HeaderMap, &axum::http::Extensions) -> bool;

/// Returns every route.
pub fn router(app: App) -> Router {
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Most answers are for those who asked only.
        (header::CACHE_CONTROL, "no-store"),
    ];
    let (api, _) = api::routes().split_for_parts();
    let mut router = Router::new()
        .merge(
            api.route_layer(middleware::from_fn_with_state(app.clone(), access::guard))
                .route_layer(middleware::from_fn_with_state(app.clone(), api::metrics::measure)),
        )
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(openapi::read))
        .fallback(ui::show)
        .with_state(app.clone())
        .layer(middleware::from_fn_with_state(app, access::welcome))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(RequestBodyLimitLayer::new(ANY_BODY_BYTES_MAX))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(CompressionLayer::new().compress_when(may_compress as Compressible))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT));
    for (name, value) in headers {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    router
}

/// Says whether an answer may be compressed: one that others may keep, of a kind that gets smaller. What holds a secret
/// is `no-store` or sets a cookie, and stays as it is: the length of what is compressed would tell about it.
fn may_compress(
    status: StatusCode,
    _version: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _extensions: &axum::http::Extensions,
) -> bool {
    let word = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let kind = word(header::CONTENT_TYPE);
    let is_known =
        ["application/json", "application/x-ndjson", "text/plain"].iter().any(|known| kind.starts_with(known));
    let is_small = word(header::CONTENT_LENGTH).parse().is_ok_and(|length: u64| length < COMPRESSED_BYTES_MIN);
    let is_secret = word(header::CACHE_CONTROL).contains("no-store") || headers.contains_key(header::SET_COOKIE);
    status == StatusCode::OK && is_known && !is_small && !is_secret
}
