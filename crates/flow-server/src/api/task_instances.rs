//! Task instances.

mod change;
mod clear;
mod list;
mod tries;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::extract::State;
use flow_core::{RunKey, TaskState};
use flow_store::{CachedDag, RunRow, StoreError, TaskLine, VersionLine};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Refusals, find};
use crate::{
    ApiError, App,
    access::Who,
    error::ErrorBody,
    extract::{Path, Query},
    logs::{LogsOf, forget},
    wire::{DagVersionResponse, When, task_instance_uuid},
};

/// Longest arguments of a task instance in a list; one by itself shows all of them.
const LISTED_FIELDS_BYTES_MAX: i64 = 16 * 1024;
/// No run is begun after so long: well before the server gives up on a request, and nobody is told what was done.
const EDIT_TIME: Duration = Duration::from_secs(20);
/// Versions of DAGs whose tasks' display names a list looks up.
const VERSIONS_READ_MAX: usize = 50;

/// Where a task instance stands
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TaskInstanceState {
    Removed,
    Scheduled,
    Queued,
    Running,
    Success,
    Restarting,
    Failed,
    UpForRetry,
    UpForReschedule,
    UpstreamFailed,
    Skipped,
    Deferred,
    AwaitingInput,
}

/// The state of what nothing has been decided about is null.
fn state_of(state: TaskState) -> Option<TaskInstanceState> {
    Some(match state {
        TaskState::NoStatus => return None,
        TaskState::Scheduled => TaskInstanceState::Scheduled,
        TaskState::Queued => TaskInstanceState::Queued,
        TaskState::Running => TaskInstanceState::Running,
        TaskState::Success => TaskInstanceState::Success,
        TaskState::Failed => TaskInstanceState::Failed,
        TaskState::Skipped => TaskInstanceState::Skipped,
        TaskState::UpstreamFailed => TaskInstanceState::UpstreamFailed,
        TaskState::UpForRetry => TaskInstanceState::UpForRetry,
        TaskState::UpForReschedule => TaskInstanceState::UpForReschedule,
        TaskState::Deferred => TaskInstanceState::Deferred,
        TaskState::AwaitingInput => TaskInstanceState::AwaitingInput,
        TaskState::Restarting => TaskInstanceState::Restarting,
        TaskState::Removed => TaskInstanceState::Removed,
    })
}

impl From<TaskInstanceState> for TaskState {
    fn from(state: TaskInstanceState) -> Self {
        match state {
            TaskInstanceState::Removed => Self::Removed,
            TaskInstanceState::Scheduled => Self::Scheduled,
            TaskInstanceState::Queued => Self::Queued,
            TaskInstanceState::Running => Self::Running,
            TaskInstanceState::Success => Self::Success,
            TaskInstanceState::Restarting => Self::Restarting,
            TaskInstanceState::Failed => Self::Failed,
            TaskInstanceState::UpForRetry => Self::UpForRetry,
            TaskInstanceState::UpForReschedule => Self::UpForReschedule,
            TaskInstanceState::UpstreamFailed => Self::UpstreamFailed,
            TaskInstanceState::Skipped => Self::Skipped,
            TaskInstanceState::Deferred => Self::Deferred,
            TaskInstanceState::AwaitingInput => Self::AwaitingInput,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct TaskInstanceResponse {
    id: Uuid,
    task_id: String,
    dag_id: String,
    dag_run_id: String,
    /// -1 = not mapped
    map_index: i64,
    logical_date: Option<When>,
    run_after: When,
    start_date: Option<When>,
    end_date: Option<When>,
    /// In seconds
    duration: Option<f64>,
    state: Option<TaskInstanceState>,
    try_number: i64,
    max_tries: i64,
    task_display_name: String,
    dag_display_name: String,
    hostname: Option<String>,
    unixname: Option<String>,
    pool: String,
    pool_slots: i64,
    queue: Option<String>,
    priority_weight: Option<i64>,
    operator: Option<String>,
    operator_name: Option<String>,
    queued_when: Option<When>,
    scheduled_when: Option<When>,
    pid: Option<i64>,
    executor: Option<String>,
    executor_config: &'static str,
    note: Option<String>,
    rendered_map_index: Option<String>,
    /// The arguments as the latest attempt saw them, secrets masked
    #[schema(value_type = Object)]
    rendered_fields: Map<String, Value>,
    /// Flow has no triggerer
    #[schema(value_type = Option<Object>)]
    trigger: Option<Value>,
    #[schema(value_type = Option<Object>)]
    triggerer_job: Option<Value>,
    dag_version: Option<DagVersionResponse>,
}

#[derive(Serialize, ToSchema)]
struct TaskInstanceCollectionResponse {
    task_instances: Vec<TaskInstanceResponse>,
    /// How many there are, counted up to `total_entries_limit`; null when counting would take too long
    total_entries: Option<u64>,
    total_entries_limit: Option<u64>,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
}

impl TaskInstanceCollectionResponse {
    /// Makes one of all that there is.
    fn whole(task_instances: Vec<TaskInstanceResponse>, total: u64) -> axum::Json<Self> {
        axum::Json(Self {
            task_instances,
            total_entries: Some(total),
            total_entries_limit: None,
            next_cursor: None,
            previous_cursor: None,
        })
    }
}

fn moment(micros: Option<i64>) -> Option<When> {
    micros.map(When::of_micros)
}

/// Microseconds in seconds, as a number that is exact enough for any time a task may take.
#[expect(clippy::cast_precision_loss, reason = "285 years are exact to the microsecond")]
fn seconds(start: Option<i64>, end: Option<i64>) -> Option<f64> {
    start.zip(end).map(|(start, end)| (end - start).max(0) as f64 / 1e6)
}

/// What task instances show of their DAGs.
pub(super) struct Names {
    versions: BTreeMap<i64, VersionLine>,
    dags: BTreeMap<i64, Arc<CachedDag>>,
}

impl Names {
    pub(super) async fn of(app: &App, versions: impl IntoIterator<Item = i64>) -> Result<Self, ApiError> {
        let ids: Vec<i64> = versions.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let lines = app.store.version_lines(&ids).await?;
        let mut dags = BTreeMap::new();
        for id in ids.iter().take(VERSIONS_READ_MAX) {
            match app.dags.read(&app.store, *id).await {
                Ok(dag) => drop(dags.insert(*id, dag)),
                // A version that this program cannot read has names all the same.
                Err(StoreError::Inconsistent { .. } | StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { versions: lines, dags })
    }

    pub(super) fn task(&self, version: i64, task_id: &str) -> String {
        let dag = self.dags.get(&version);
        let task = dag.and_then(|dag| dag.task_ix(task_id).map(|ix| dag.dag.task(ix)));
        task.and_then(|task| task.display_name.clone()).unwrap_or_else(|| task_id.to_owned())
    }

    pub(super) fn dag(&self, version: i64, dag_id: &str) -> String {
        let line = self.versions.get(&version);
        line.and_then(|line| line.display_name.clone()).unwrap_or_else(|| dag_id.to_owned())
    }

    fn version(&self, version: i64) -> Option<DagVersionResponse> {
        self.versions.get(&version).map(Into::into)
    }
}

/// Makes answers of rows. `bytes_max`: longest arguments that are shown.
pub(super) async fn responses(
    app: &App,
    lines: &[TaskLine],
    bytes_max: i64,
) -> Result<Vec<TaskInstanceResponse>, ApiError> {
    let names = Names::of(app, lines.iter().map(|line| line.version_id)).await?;
    let keys: Vec<(i64, &str, i64)> =
        lines.iter().map(|line| (line.run, line.task_id.as_str(), line.map_index)).collect();
    let mut rendered: BTreeMap<(i64, String, i64), String> =
        app.store.rendered_of(&keys, bytes_max).await?.into_iter().collect();
    lines
        .iter()
        .map(|line| {
            let fields = rendered.remove(&(line.run, line.task_id.clone(), line.map_index));
            response(line, fields.as_deref(), &names)
        })
        .collect()
}

fn response(line: &TaskLine, fields: Option<&str>, names: &Names) -> Result<TaskInstanceResponse, ApiError> {
    let state: TaskState =
        line.state.parse().map_err(|error: flow_core::state::UnknownWord| StoreError::Inconsistent {
            table: "task_instance",
            column: "state",
            row: format!("{}/{}/{}", line.dag_id, line.run_id, line.task_id),
            problem: error.to_string(),
        })?;
    let map_index = i32::try_from(line.map_index).unwrap_or(-1);
    Ok(TaskInstanceResponse {
        id: task_instance_uuid(RunKey(line.run), &line.task_id, map_index),
        dag_display_name: names.dag(line.version_id, &line.dag_id),
        task_display_name: names.task(line.version_id, &line.task_id),
        task_id: line.task_id.clone(),
        dag_id: line.dag_id.clone(),
        dag_run_id: line.run_id.clone(),
        map_index: line.map_index,
        logical_date: moment(line.logical_date),
        run_after: When::of_micros(line.run_after),
        start_date: moment(line.started_at),
        end_date: moment(line.ended_at),
        duration: seconds(line.started_at, line.ended_at),
        state: state_of(state),
        try_number: line.try_number,
        max_tries: line.max_tries,
        hostname: line.hostname.clone(),
        unixname: None,
        pool: line.pool.clone(),
        pool_slots: line.pool_slots,
        queue: Some(line.queue.clone()),
        priority_weight: Some(line.priority_weight),
        operator: Some(line.operator.clone()),
        operator_name: Some(line.operator.clone()),
        queued_when: moment(line.queued_at),
        scheduled_when: moment(line.scheduled_at),
        pid: None,
        executor: None,
        executor_config: "{}",
        note: line.note.clone(),
        rendered_map_index: (line.map_index >= 0).then(|| line.map_index.to_string()),
        rendered_fields: fields.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        trigger: None,
        triggerer_job: None,
        dag_version: names.version(line.version_id),
    })
}

/// Finds a task instance by its names.
pub(super) async fn find(
    app: &App,
    (dag_id, run_id, task_id): (&str, &str, &str),
    map_index: i32,
) -> Result<(RunRow, TaskLine), ApiError> {
    let run = find::run(app, dag_id, run_id).await?;
    let line = app.store.task_instance(run.run.key, task_id, i64::from(map_index)).await?;
    let line = line.ok_or_else(|| no_such(task_id, map_index, run_id))?;
    Ok((run, line))
}

fn no_such(task_id: &str, map_index: i32, run_id: &str) -> ApiError {
    let name = if map_index < 0 { format!("`{task_id}`") } else { format!("`{task_id}` with map index {map_index}") };
    ApiError::new(
        axum::http::StatusCode::NOT_FOUND,
        format!("task instance {name} of dag run `{run_id}` does not exist"),
    )
}

/// Which one, of a mapped task
#[derive(Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MapIndex {
    /// Without it the one that is not mapped
    #[param(minimum = -1)]
    map_index: Option<i32>,
}

impl MapIndex {
    fn or_none(self) -> i32 {
        self.map_index.unwrap_or(-1)
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::get_task_instances, change::bulk_task_instances))
        .routes(routes!(list::get_task_instances_batch))
        .routes(routes!(list::get_mapped_task_instances))
        .routes(routes!(get_task_instance, change::patch_task_instance, delete_task_instance))
        .routes(routes!(get_mapped_task_instance, change::patch_mapped_task_instance))
        .routes(routes!(change::patch_task_instance_dry_run))
        .routes(routes!(change::patch_mapped_task_instance_dry_run))
        .routes(routes!(change::patch_task_group_instances))
        .routes(routes!(change::patch_task_group_instances_dry_run))
        .routes(routes!(clear::post_clear_task_instances))
        .routes(routes!(tries::get_task_instance_tries))
        .routes(routes!(tries::get_mapped_task_instance_tries))
        .routes(routes!(tries::get_task_instance_try_details))
        .routes(routes!(tries::get_mapped_task_instance_try_details))
        .routes(routes!(tries::get_task_instance_dependencies))
        .routes(routes!(tries::get_mapped_task_instance_dependencies))
        .routes(routes!(tries::get_external_log_url))
}

/// A task instance that is not mapped
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path)),
    responses((status = 200, body = TaskInstanceResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_task_instance(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
) -> Result<axum::Json<TaskInstanceResponse>, ApiError> {
    one(&app, (&dag_id, &run_id, &task_id), -1).await
}

/// One of a mapped task
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path)),
    responses((status = 200, body = TaskInstanceResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_mapped_task_instance(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, map_index)): Path<(String, String, String, i32)>,
) -> Result<axum::Json<TaskInstanceResponse>, ApiError> {
    one(&app, (&dag_id, &run_id, &task_id), map_index).await
}

async fn one(
    app: &App,
    names: (&str, &str, &str),
    map_index: i32,
) -> Result<axum::Json<TaskInstanceResponse>, ApiError> {
    let (_, line) = find(app, names, map_index).await?;
    let shown = responses(app, std::slice::from_ref(&line), i64::MAX).await?.pop();
    shown.map(axum::Json).ok_or_else(|| no_such(names.2, map_index, names.1))
}

/// Delete a task instance of a run that has ended
#[utoipa::path(delete, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), MapIndex),
    responses((status = 200, body = Option<String>, description = "It is gone"), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
async fn delete_task_instance(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(query): Query<MapIndex>,
) -> Result<axum::Json<Option<String>>, ApiError> {
    let task = (task_id.as_str(), query.or_none());
    delete(&app, &who, (&dag_id, &run_id), task).await?;
    Ok(axum::Json(None))
}

/// Deletes a task instance and its logs.
async fn delete(
    app: &App,
    who: &Who,
    (dag_id, run_id): (&str, &str),
    (task_id, map_index): (&str, i32),
) -> Result<(), StoreError> {
    let names = (dag_id, run_id);
    let gone = app.store.delete_task_instance(names, (task_id, map_index), Some(&who.user), (app.now)()).await?;
    let (run, task) = (gone.0.run, gone.1);
    let (dag_id, run_id, task_id) = (run.dag_id, run.run_id, task.task_id.into());
    forget(&app.logs, LogsOf::Task { dag_id, run_id, task_id, map_index: task.map_index }).await;
    Ok(())
}
