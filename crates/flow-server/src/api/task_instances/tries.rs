//! What became of each try of a task instance, and why it does not go on.

use axum::extract::State;
use flow_core::{Outcome, RunKey, TaskState};
use flow_store::{TaskLine, Try};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MapIndex, Names, TaskInstanceState, find, moment, no_such, seconds};
use crate::{
    ApiError, App,
    api::Refusals,
    error::ErrorBody,
    extract::{Path, Query},
    wire::{DagVersionResponse, When},
};

#[derive(Serialize, ToSchema)]
pub(super) struct TaskInstanceHistoryResponse {
    task_id: String,
    dag_id: String,
    dag_run_id: String,
    map_index: i64,
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
    dag_version: Option<DagVersionResponse>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct TaskInstanceHistoryCollectionResponse {
    task_instances: Vec<TaskInstanceHistoryResponse>,
    total_entries: u64,
}

/// Why a task instance does not start
#[derive(Serialize, ToSchema)]
pub(super) struct TaskDependencyResponse {
    /// A word for programs: `trigger_rule`, `pool`, `retry`, …
    name: String,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct TaskDependencyCollectionResponse {
    dependencies: Vec<TaskDependencyResponse>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ExternalLogUrlResponse {
    url: String,
}

/// How an earlier try ended.
fn state_of_try(outcome: Option<&Outcome>) -> Option<TaskInstanceState> {
    Some(match outcome? {
        Outcome::Success | Outcome::Branch { .. } | Outcome::ShortCircuit { .. } => TaskInstanceState::Success,
        Outcome::Skipped => TaskInstanceState::Skipped,
        Outcome::Reschedule { .. } => TaskInstanceState::UpForReschedule,
        Outcome::Failed { .. } | Outcome::Cancelled | Outcome::Lost { .. } => TaskInstanceState::Failed,
    })
}

/// Puts the tries in order; the latest is the task instance as it is.
fn history(line: &TaskLine, tries: &[Try], names: &Names) -> Result<Vec<TaskInstanceHistoryResponse>, ApiError> {
    let now = super::response(line, None, names)?;
    // What was cleared has not begun again: its latest try is one of the past.
    let is_cleared = line.state == TaskState::NoStatus.as_str();
    let mut all = Vec::with_capacity(tries.len() + 1);
    let entry = |attempt: Option<&Try>| {
        let (started, ended, queued) = match attempt {
            Some(attempt) => (
                attempt.started_at.map(|at| at.as_micros()),
                attempt.ended_at.map(|at| at.as_micros()),
                Some(attempt.queued_at.as_micros()),
            ),
            None => (line.started_at, line.ended_at, line.queued_at),
        };
        TaskInstanceHistoryResponse {
            task_id: line.task_id.clone(),
            dag_id: line.dag_id.clone(),
            dag_run_id: line.run_id.clone(),
            map_index: line.map_index,
            start_date: moment(started),
            end_date: moment(ended),
            duration: seconds(started, ended),
            state: match attempt {
                Some(attempt) => state_of_try(attempt.outcome.as_ref()),
                None => now.state,
            },
            try_number: attempt.map_or(line.try_number, |attempt| i64::from(attempt.try_number)),
            max_tries: line.max_tries,
            task_display_name: now.task_display_name.clone(),
            dag_display_name: now.dag_display_name.clone(),
            hostname: match attempt {
                Some(attempt) => attempt.hostname.clone(),
                None => line.hostname.clone(),
            },
            unixname: None,
            pool: line.pool.clone(),
            pool_slots: line.pool_slots,
            queue: Some(line.queue.clone()),
            priority_weight: Some(line.priority_weight),
            operator: Some(line.operator.clone()),
            operator_name: Some(line.operator.clone()),
            queued_when: moment(queued),
            scheduled_when: if attempt.is_none() { moment(line.scheduled_at) } else { None },
            pid: None,
            executor: None,
            executor_config: "{}",
            dag_version: now.dag_version.clone(),
        }
    };
    for attempt in tries {
        if i64::from(attempt.try_number) != line.try_number || is_cleared {
            all.push(entry(Some(attempt)));
        }
    }
    if !all.iter().any(|before| before.try_number == line.try_number) {
        all.push(entry(None));
    }
    all.sort_by_key(|one| one.try_number);
    Ok(all)
}

async fn tries(
    app: &App,
    names: (&str, &str, &str),
    map_index: i32,
) -> Result<Vec<TaskInstanceHistoryResponse>, ApiError> {
    let (_, line) = find(app, names, map_index).await?;
    let tries = app.store.tries(RunKey(line.run), &line.task_id, map_index).await?;
    history(&line, &tries, &Names::of(app, [line.version_id]).await?)
}

async fn all(
    app: &App,
    names: (&str, &str, &str),
    map_index: i32,
) -> Result<axum::Json<TaskInstanceHistoryCollectionResponse>, ApiError> {
    let task_instances = tries(app, names, map_index).await?;
    let total_entries = task_instances.len() as u64;
    Ok(axum::Json(TaskInstanceHistoryCollectionResponse { task_instances, total_entries }))
}

async fn one(
    app: &App,
    names: (&str, &str, &str),
    map_index: i32,
    number: i64,
) -> Result<axum::Json<TaskInstanceHistoryResponse>, ApiError> {
    let found = tries(app, names, map_index).await?.into_iter().find(|one| one.try_number == number);
    let missing = || ApiError::not_found("try", format!("{number} of {}", names.2));
    found.map(axum::Json).ok_or_else(missing)
}

/// The tries of a task instance, the latest last
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), MapIndex),
    responses((status = 200, body = TaskInstanceHistoryCollectionResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_task_instance_tries(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(index): Query<MapIndex>,
) -> Result<axum::Json<TaskInstanceHistoryCollectionResponse>, ApiError> {
    all(&app, (&dag_id, &run_id, &task_id), index.or_none()).await
}

/// The same for one of a mapped task
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path)),
    responses((status = 200, body = TaskInstanceHistoryCollectionResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_mapped_task_instance_tries(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, index)): Path<(String, String, String, i32)>,
) -> Result<axum::Json<TaskInstanceHistoryCollectionResponse>, ApiError> {
    all(&app, (&dag_id, &run_id, &task_id), index).await
}

/// One try
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries/{task_try_number}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("task_try_number" = i64, Path), MapIndex),
    responses((status = 200, body = TaskInstanceHistoryResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_task_instance_try_details(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, number)): Path<(String, String, String, i64)>,
    Query(index): Query<MapIndex>,
) -> Result<axum::Json<TaskInstanceHistoryResponse>, ApiError> {
    one(&app, (&dag_id, &run_id, &task_id), index.or_none(), number).await
}

/// The same for one of a mapped task
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries/{task_try_number}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path),
        ("task_try_number" = i64, Path)),
    responses((status = 200, body = TaskInstanceHistoryResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_mapped_task_instance_try_details(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, index, number)): Path<(String, String, String, i32, i64)>,
) -> Result<axum::Json<TaskInstanceHistoryResponse>, ApiError> {
    one(&app, (&dag_id, &run_id, &task_id), index, number).await
}

async fn dependencies(
    app: &App,
    names: (&str, &str, &str),
    map_index: i32,
) -> Result<axum::Json<TaskDependencyCollectionResponse>, ApiError> {
    let run = find::run(app, names.0, names.1).await?;
    let rows = app.store.tasks(run.run.key).await?;
    let task = rows.iter().find(|task| task.task_id == names.2 && task.map_index == map_index);
    let task = task.ok_or_else(|| no_such(names.2, map_index, names.1))?;
    if task.state.is_finished() || task.state == TaskState::Running {
        return Ok(axum::Json(TaskDependencyCollectionResponse { dependencies: Vec::new() }));
    }
    let reasons = app.store.explain(&app.dags, &run, task, app.max_infrastructure_retries, (app.now)()).await?;
    let shown = |reason: flow_core::engine::Reason| TaskDependencyResponse {
        name: reason.kind.to_owned(),
        reason: reason.text,
    };
    Ok(axum::Json(TaskDependencyCollectionResponse { dependencies: reasons.into_iter().map(shown).collect() }))
}

/// Why a task instance does not start; nothing when it has
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), MapIndex),
    responses((status = 200, body = TaskDependencyCollectionResponse), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn get_task_instance_dependencies(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(index): Query<MapIndex>,
) -> Result<axum::Json<TaskDependencyCollectionResponse>, ApiError> {
    dependencies(&app, (&dag_id, &run_id, &task_id), index.or_none()).await
}

/// The same for one of a mapped task
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dependencies", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path)),
    responses((status = 200, body = TaskDependencyCollectionResponse), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn get_mapped_task_instance_dependencies(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, index)): Path<(String, String, String, i32)>,
) -> Result<axum::Json<TaskDependencyCollectionResponse>, ApiError> {
    dependencies(&app, (&dag_id, &run_id, &task_id), index).await
}

/// Where a log is kept elsewhere: nowhere
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/externalLogUrl/{try_number}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("try_number" = i64, Path), MapIndex),
    responses((status = 200, body = ExternalLogUrlResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_external_log_url(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, _try_number)): Path<(String, String, String, i64)>,
    Query(index): Query<MapIndex>,
) -> Result<axum::Json<ExternalLogUrlResponse>, ApiError> {
    find(&app, (&dag_id, &run_id, &task_id), index.or_none()).await?;
    Err(ApiError::new(
        axum::http::StatusCode::NOT_FOUND,
        "logs are kept by Flow itself: there is no other store of logs",
    ))
}
