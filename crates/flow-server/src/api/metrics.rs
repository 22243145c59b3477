//! `/metrics`, for Prometheus; and how long requests take.

use std::{future::Future, io};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use flow_metrics::{
    Metrics,
    declared::{HTTP_DURATION, HTTP_REQUESTS},
};
use tokio::{net::TcpListener, time::Instant};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{Refusals, monitor::get_liveness},
    error::ErrorBody,
};

/// The text format that every Prometheus reads.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_metrics))
}

/// What this process has measured, in the text format of Prometheus
///
/// For everyone with `metrics.anonymous_scrape`. See docs/reference/metrics.md.
#[utoipa::path(get, path = "/metrics", tag = "Monitor",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = ErrorBody), Refusals))]
async fn get_metrics(State(app): State<App>) -> Response {
    show(app.metrics).await
}

async fn show(metrics: Metrics) -> Response {
    // Many series take a while to write.
    match tokio::task::spawn_blocking(move || metrics.render()).await {
        Ok(Some(text)) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Ok(None) => ApiError::new(StatusCode::NOT_FOUND, "nothing is kept for Prometheus: `metrics.prometheus` is off")
            .into_response(),
        Err(_) => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "could not write the metrics").into_response(),
    }
}

/// Serves `/metrics` and `/livez`, and nothing else, to whoever asks, until `stop` is ready.
///
/// # Errors
///
/// When the listener does.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Metrics,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(|State(metrics): State<Metrics>| show(metrics)))
        .route("/livez", get(get_liveness))
        .with_state(metrics);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Tells how long a request took and how it was answered.
pub(crate) async fn measure(State(app): State<App>, path: MatchedPath, request: Request, next: Next) -> Response {
    if !app.metrics.is_on() {
        return next.run(request).await;
    }
    let (began, method) = (Instant::now(), request.method().clone());
    let response = next.run(request).await;
    app.metrics.took(&HTTP_DURATION, &[path.as_str()], began.elapsed());
    let status = response.status();
    app.metrics.add(&HTTP_REQUESTS, &[known(&method), path.as_str(), status.as_str()], 1);
    response
}

/// Anybody may invent methods; each would be a series.
fn known(method: &Method) -> &str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}
