//! The web server: health, version and a plain page. The whole router is on this screen.
//!
//! Knows the store and nothing of the loops; a process without a scheduler serves it just as well.

mod health;
mod page;

use std::{future::Future, io, time::Duration};

use axum::{
    Json, Router,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use flow_core::Timestamp;
use flow_store::Store;
use serde_json::json;
use tokio::net::TcpListener;
use tower_http::{limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};

/// Longest that a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest body of a request.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What every handler is given.
#[derive(Clone)]
pub struct App {
    pub store: Store,
    /// Flow's version.
    pub version: &'static str,
    /// Reads the clock.
    pub now: fn() -> Timestamp,
}

/// Returns every route.
pub fn router(app: App) -> Router {
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut router = Router::new()
        .route("/", get(page::show))
        .route("/api/v2/monitor/health", get(health::show))
        .route("/api/v2/version", get(version))
        .fallback(missing)
        .with_state(app)
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT));
    for (name, value) in headers {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    router
}

/// Serves until `stop` is ready, then finishes the requests at hand.
///
/// # Errors
///
/// When the listener breaks.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    axum::serve(listener, router(app)).with_graceful_shutdown(stop).await
}

async fn version(axum::extract::State(app): axum::extract::State<App>) -> Json<serde_json::Value> {
    std::future::ready(()).await;
    Json(json!({ "version": app.version, "git_version": null }))
}

async fn missing() -> impl IntoResponse {
    std::future::ready(()).await;
    (StatusCode::NOT_FOUND, Json(json!({ "detail": "there is nothing at this address" })))
}
