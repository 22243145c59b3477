//! The processes that work on the database, and how busy they are.

use axum::extract::State;
use flow_store::{Order, Page, Process, ProcessFilter, ProcessKind, ProcessOrder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{Refusals, jobs::SILENT},
    wire::When,
};

/// Most processes that are shown.
const MOST: u32 = 1_000;

#[derive(Serialize, ToSchema)]
struct ProcessesResponse {
    /// Those that have not said that they ended, the oldest first
    processes: Vec<ProcessResponse>,
}

#[derive(Serialize, ToSchema)]
struct ProcessResponse {
    id: String,
    kind: ProcessWord,
    hostname: String,
    pid: i64,
    started_at: When,
    heartbeat_at: When,
    /// It was heard of within the last 30 seconds
    is_alive: bool,
    version: String,
    /// Null: it runs no tasks, as the next two
    queues: Option<Vec<String>>,
    /// Most task instances that it runs at once
    slots: Option<i64>,
    /// Task instances that it is at
    running: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ProcessWord {
    /// Does everything
    Standalone,
    Scheduler,
    Worker,
}

impl ProcessWord {
    fn of(process: &Process) -> Self {
        match process.kind.as_str() {
            word if word == ProcessKind::Worker.as_str() => Self::Worker,
            word if word == ProcessKind::Scheduler.as_str() => Self::Scheduler,
            _ => Self::Standalone,
        }
    }
}

impl ProcessResponse {
    fn new(process: Process, running: Option<u32>, is_alive: bool) -> Self {
        let kind = ProcessWord::of(&process);
        let runs_tasks = kind != ProcessWord::Scheduler;
        Self {
            kind,
            pid: process.pid,
            started_at: When::of_micros(process.started_at),
            heartbeat_at: When::of_micros(process.heartbeat_at),
            is_alive,
            queues: runs_tasks.then(|| serde_json::from_str(&process.queues).unwrap_or_default()),
            slots: runs_tasks.then_some(process.slots),
            running: runs_tasks.then_some(running.unwrap_or(0)),
            id: process.id,
            hostname: process.hostname,
            version: process.version,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_processes))
}

/// Schedulers and workers that are there, or have fallen silent
#[utoipa::path(get, path = "/ui/processes", tag = "User interface",
    responses((status = 200, body = ProcessesResponse), Refusals))]
async fn get_processes(State(app): State<App>) -> Result<axum::Json<ProcessesResponse>, ApiError> {
    let wanted = ProcessFilter { has_ended: Some(false), ..ProcessFilter::default() };
    let oldest = [Order { by: ProcessOrder::Started, is_descending: false }];
    let listed = app.store.list_processes(&wanted, &oldest, Page { limit: MOST, offset: 0 }).await?;
    let mut running = app.store.count_running().await?;
    let silent_since = ((app.now)() - SILENT).as_micros();
    let shown = |process: Process| {
        let is_alive = process.heartbeat_at >= silent_since;
        let running = running.remove(&process.id);
        ProcessResponse::new(process, running, is_alive)
    };
    Ok(axum::Json(ProcessesResponse { processes: listed.rows.into_iter().map(shown).collect() }))
}
