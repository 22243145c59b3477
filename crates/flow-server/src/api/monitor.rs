//! Is everything there, and which version is it? Airflow's health body.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use flow_core::Timestamp;
use flow_store::Process;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiError, App, error::ErrorBody, wire::When};

/// A scheduler that is silent for longer is unhealthy, as in Airflow.
const SILENT: Duration = Duration::from_secs(30);
/// A database that does not answer for so long is not there.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize, ToSchema)]
struct HealthInfoResponse {
    metadatabase: BaseInfoResponse,
    scheduler: SchedulerInfoResponse,
    triggerer: TriggererInfoResponse,
    dag_processor: DagProcessorInfoResponse,
    /// Null where logs are not copied to a second place.
    remote_logs: Option<RemoteLogsInfoResponse>,
}

#[derive(Serialize, ToSchema)]
struct RemoteLogsInfoResponse {
    status: Option<&'static str>,
    /// Logs that wait to be copied, those of running attempts among them
    waiting: u64,
    failing_since: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct BaseInfoResponse {
    /// `healthy` or `unhealthy`
    status: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct SchedulerInfoResponse {
    status: Option<&'static str>,
    latest_scheduler_heartbeat: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct TriggererInfoResponse {
    /// Always null: nothing in Flow needs a triggerer.
    status: Option<&'static str>,
    latest_triggerer_heartbeat: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct DagProcessorInfoResponse {
    status: Option<&'static str>,
    latest_dag_processor_heartbeat: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct VersionInfo {
    version: &'static str,
    git_version: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_liveness))
        .routes(routes!(get_readiness))
        .routes(routes!(get_version))
}

/// Does this process answer? Whoever starts processes may start it anew when it does not
#[utoipa::path(get, path = "/livez", tag = "Monitor", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn get_liveness() -> &'static str {
    std::future::ready("ok\n").await
}

/// Can this server do its work now? 503 while its database does not answer: send requests to another
#[utoipa::path(get, path = "/readyz", tag = "Monitor", security(()),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = ErrorBody)))]
async fn get_readiness(State(app): State<App>) -> Result<&'static str, ApiError> {
    match tokio::time::timeout(PATIENCE, app.store.processes()).await {
        Ok(Ok(_)) => Ok("ok\n"),
        Ok(Err(_)) | Err(_) => {
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again in a moment"))
        }
    }
}

/// The states of the parts; always 200
#[utoipa::path(get, path = "/api/v2/monitor/health", tag = "Monitor", security(()),
    responses((status = 200, body = HealthInfoResponse)))]
async fn get_health(State(app): State<App>) -> Json<HealthInfoResponse> {
    let processes = app.store.processes().await;
    let is_there = processes.is_ok();
    let heartbeat = latest_heartbeat(processes.as_deref().unwrap_or_default());
    let now = (app.now)();
    let is_alive = heartbeat.is_some_and(|at| now.since(at) <= SILENT);
    let word = |is_healthy: bool| Some(if is_healthy { "healthy" } else { "unhealthy" });
    let heartbeat = heartbeat.map(When);
    Json(HealthInfoResponse {
        metadatabase: BaseInfoResponse { status: word(is_there) },
        scheduler: SchedulerInfoResponse { status: word(is_there && is_alive), latest_scheduler_heartbeat: heartbeat },
        triggerer: TriggererInfoResponse { status: None, latest_triggerer_heartbeat: None },
        dag_processor: DagProcessorInfoResponse {
            status: word(is_there && is_alive),
            latest_dag_processor_heartbeat: heartbeat,
        },
        remote_logs: app.logs.sent().map(|sent| RemoteLogsInfoResponse {
            status: word(sent.failing_since.is_none()),
            waiting: sent.waiting,
            failing_since: sent.failing_since.map(|at| When(Timestamp::from_micros(at))),
        }),
    })
}

/// The version of Flow
#[utoipa::path(get, path = "/api/v2/version", tag = "Version", security(()),
    responses((status = 200, body = VersionInfo)))]
async fn get_version(State(app): State<App>) -> Json<VersionInfo> {
    std::future::ready(()).await;
    Json(VersionInfo { version: app.version, git_version: None })
}

/// Returns when a scheduler was last heard of.
fn latest_heartbeat(processes: &[Process]) -> Option<Timestamp> {
    let schedulers = processes.iter().filter(|process| process.kind != "worker");
    schedulers.map(|process| Timestamp::from_micros(process.heartbeat_at)).max()
}
