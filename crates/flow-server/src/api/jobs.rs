//! Airflow's jobs: the processes that work on the database.

use std::time::Duration;

use axum::{Json, extract::State};
use flow_store::{Process, ProcessFilter, ProcessKind, ProcessOrder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::Query,
    page::{self, Paging},
    wire::When,
};

/// A process that is silent for longer is not alive, as in Airflow.
pub(super) const SILENT: Duration = Duration::from_secs(30);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    is_alive: Option<bool>,
    start_date_gte: Option<When>,
    start_date_gt: Option<When>,
    start_date_lte: Option<When>,
    start_date_lt: Option<When>,
    end_date_gte: Option<When>,
    end_date_gt: Option<When>,
    end_date_lte: Option<When>,
    end_date_lt: Option<When>,
    #[serde(default)]
    order_by: Vec<String>,
    /// `running` or `success`
    job_state: Option<String>,
    /// `SchedulerJob` or `WorkerJob`
    job_type: Option<String>,
    hostname: Option<String>,
    /// Flow has no executors
    executor_class: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct JobCollectionResponse {
    jobs: Vec<JobResponse>,
    total_entries: u64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct JobResponse {
    id: i64,
    dag_id: Option<String>,
    state: Option<&'static str>,
    job_type: Option<&'static str>,
    start_date: Option<When>,
    end_date: Option<When>,
    latest_heartbeat: Option<When>,
    executor_class: Option<String>,
    hostname: Option<String>,
    unixname: Option<String>,
    dag_display_name: Option<String>,
}

impl From<Process> for JobResponse {
    fn from(process: Process) -> Self {
        // Airflow's ids are numbers; so many bits fit into those of JavaScript.
        let digest = Sha256::digest(&process.id);
        let id = digest.iter().take(6).fold(0, |id, byte| id << 8 | i64::from(*byte));
        Self {
            id,
            dag_id: None,
            state: Some(if process.ended_at.is_some() { "success" } else { "running" }),
            job_type: Some(if process.kind == ProcessKind::Worker.as_str() { "WorkerJob" } else { "SchedulerJob" }),
            start_date: Some(When::of_micros(process.started_at)),
            end_date: process.ended_at.map(When::of_micros),
            latest_heartbeat: Some(When::of_micros(process.heartbeat_at)),
            executor_class: None,
            hostname: Some(process.hostname),
            unixname: None,
            dag_display_name: None,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_jobs))
}

const ORDERS: [(&str, ProcessOrder); 9] = [
    ("id", ProcessOrder::Id),
    ("dag_id", ProcessOrder::Id),
    ("state", ProcessOrder::Ended),
    ("job_type", ProcessOrder::Kind),
    ("start_date", ProcessOrder::Started),
    ("end_date", ProcessOrder::Ended),
    ("latest_heartbeat", ProcessOrder::Heartbeat),
    ("executor_class", ProcessOrder::Id),
    ("hostname", ProcessOrder::Hostname),
];

/// Schedulers and workers, those that have ended too
#[utoipa::path(get, path = "/api/v2/jobs", tag = "Job", params(Paging, Filter),
    responses((status = 200, body = JobCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_jobs(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<JobCollectionResponse>, ApiError> {
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let mut wanted = ProcessFilter {
        hostname: filter.hostname,
        is_alive: filter.is_alive.map(|is_alive| (is_alive, (app.now)() - SILENT)),
        started: page::between(
            filter.start_date_gte,
            filter.start_date_gt,
            filter.start_date_lte,
            filter.start_date_lt,
        ),
        ended: page::between(filter.end_date_gte, filter.end_date_gt, filter.end_date_lte, filter.end_date_lt),
        ..ProcessFilter::default()
    };
    wanted.kinds = filter.job_type.map(|kind| match kind.as_str() {
        "SchedulerJob" => vec![ProcessKind::Standalone, ProcessKind::Scheduler],
        "WorkerJob" => vec![ProcessKind::Worker],
        _ => Vec::new(),
    });
    match filter.job_state.as_deref() {
        Some("running") => wanted.has_ended = Some(false),
        Some("success") => wanted.has_ended = Some(true),
        Some(_) => wanted.kinds = Some(Vec::new()),
        None => {}
    }
    if filter.executor_class.is_some() {
        wanted.kinds = Some(Vec::new());
    }
    let listed = app.store.list_processes(&wanted, &orders, paging.page()?).await?;
    Ok(Json(JobCollectionResponse {
        jobs: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}
