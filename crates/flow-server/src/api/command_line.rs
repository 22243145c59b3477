//! What `flow … --server` shows and Airflow's API has no words for: tasks in the order of their DAG, what an edit
//! changes from which state to which, why a task waits, what is due when a DAG is unpaused.
//!
//! Bodies hold what the command prints from the database, under the same names.

use std::collections::BTreeMap;

use axum::extract::State;
use flow_core::{
    RunState, TaskState,
    engine::{Edit, Refused, Selection},
};
use flow_store::{ActionError, EditOptions, RunRow, TaskRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, find};
use crate::{
    ApiError, App,
    access::Who,
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    said::{Words, count, said},
    wire::When,
};

/// What is to be done to a run or to one of its tasks
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditBody {
    action: EditAction,
    /// Of a mark
    state: Option<EditMark>,
    /// Null = the whole run
    task_id: Option<String>,
    /// Null = all of a mapped task's instances
    map_index: Option<i32>,
    /// Also what the task depends on
    #[serde(default)]
    upstream: bool,
    /// Also what depends on the task
    #[serde(default)]
    downstream: bool,
    /// Of a clear: only what failed, and what was not started because of it
    #[serde(default)]
    only_failed: bool,
    /// Of a clear: on the newest version of the DAG instead of the run's own
    #[serde(default)]
    latest_version: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EditAction {
    /// Run it again
    Clear,
    /// Set its state
    Mark,
    /// End the run: running tasks are stopped, the rest are not started
    Cancel,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EditMark {
    Success,
    Failed,
}

impl EditBody {
    /// Says what it came to.
    fn words(&self, edited: usize) -> String {
        let tasks = count(edited, "task instance");
        let version = if self.latest_version { ", with the newest version" } else { "" };
        match (self.action, self.state) {
            (EditAction::Clear, _) => format!("cleared {tasks}{version}"),
            (EditAction::Mark, Some(EditMark::Failed)) => format!("marked {tasks} as failed"),
            (EditAction::Mark, _) => format!("marked {tasks} as success"),
            (EditAction::Cancel, _) => format!("cancelled the run, {tasks}"),
        }
    }

    fn edit(&self) -> Result<Edit, ApiError> {
        let tasks = || Selection {
            tasks: self.task_id.as_deref().map(|task| vec![(task.into(), self.map_index)]),
            upstream: self.upstream,
            downstream: self.downstream,
        };
        let mark =
            || self.state.ok_or_else(|| ApiError::invalid(&["body", "state"], "a mark is `success` or `failed`"));
        match (self.action, &self.task_id) {
            (EditAction::Clear, _) => Ok(Edit::Clear { tasks: tasks(), only_failed: self.only_failed }),
            (EditAction::Mark, None) => Ok(Edit::MarkRun {
                state: match mark()? {
                    EditMark::Success => RunState::Success,
                    EditMark::Failed => RunState::Failed,
                },
            }),
            (EditAction::Mark, Some(_)) => Ok(Edit::MarkTasks {
                tasks: tasks(),
                state: match mark()? {
                    EditMark::Success => TaskState::Success,
                    EditMark::Failed => TaskState::Failed,
                },
            }),
            (EditAction::Cancel, None) => Ok(Edit::Cancel),
            (EditAction::Cancel, Some(_)) => {
                Err(ApiError::invalid(&["body", "task_id"], "only a run is cancelled; mark the task instead"))
            }
        }
    }
}

/// A change of a task instance that was made, or would be
#[derive(Serialize, ToSchema)]
struct EditedTask {
    task_id: String,
    map_index: i32,
    from: &'static str,
    to: &'static str,
}

/// A task instance in a few words
#[derive(Serialize, ToSchema)]
struct TaskOfRun {
    task_id: String,
    map_index: i32,
    /// Null = nothing has been decided yet
    state: Option<&'static str>,
    try_number: u32,
    max_tries: u32,
    operator: String,
    pool: String,
    queue: String,
    hostname: Option<String>,
    queued_when: Option<When>,
    start_date: Option<When>,
    end_date: Option<When>,
    duration: Option<f64>,
}

impl From<TaskRow> for TaskOfRun {
    fn from(row: TaskRow) -> Self {
        Self {
            state: Some(row.state).filter(|state| *state != TaskState::NoStatus).map(TaskState::as_str),
            map_index: row.map_index,
            try_number: row.try_number,
            max_tries: row.max_tries,
            duration: row.started_at.zip(row.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
            queued_when: row.queued_at.map(When),
            start_date: row.started_at.map(When),
            end_date: row.ended_at.map(When),
            task_id: row.task_id,
            operator: row.operator,
            pool: row.pool,
            queue: row.queue,
            hostname: row.hostname,
        }
    }
}

/// Why a task instance is where it is
#[derive(Serialize, ToSchema)]
struct WaitReason {
    /// A word for programs: `trigger_rule`, `pool`, `retry`, …
    kind: &'static str,
    /// A sentence
    text: String,
}

/// Runs that are due as soon as a DAG is unpaused
#[derive(Serialize, ToSchema)]
struct DagBacklog {
    /// The DAG makes up for the past
    has_catchup: bool,
    /// How many; 10,001 when there are more than 10,000
    due: usize,
    /// The ids of the first four
    first: Vec<String>,
    /// The id of the last, when all were counted
    last: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfRun {
    /// The version that this run is pinned to, instead of the newest
    dag_run_id: Option<String>,
}

/// A version of a DAG with all that it takes to read it again
#[derive(Serialize, ToSchema)]
struct DagDocument {
    version_number: i64,
    /// The DAG file, relative to the DAG folder
    file: String,
    /// The place of the DAG among the file's documents, from 0
    document: usize,
    text: String,
    /// What the DAG file names with `$f`
    files: BTreeMap<String, DocumentFile>,
}

/// A file, or why it could not be read
#[derive(Serialize, ToSchema)]
struct DocumentFile {
    text: Option<String>,
    problem: Option<String>,
}

impl From<Result<String, String>> for DocumentFile {
    fn from(read: Result<String, String>) -> Self {
        match read {
            Ok(text) => Self { text: Some(text), problem: None },
            Err(problem) => Self { text: None, problem: Some(problem) },
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_last_run_states))
        .routes(routes!(get_backlog))
        .routes(routes!(get_document))
        .routes(routes!(edit_dag_run))
        .routes(routes!(preview_edit))
        .routes(routes!(get_tasks_of_run))
        .routes(routes!(explain_task))
        .routes(routes!(render_task))
}

/// The state of the latest run of each DAG that has one
#[utoipa::path(get, path = "/ui/dags/lastRunStates", tag = "Command line",
    responses((status = 200, body = BTreeMap<String, String>), Refusals))]
async fn get_last_run_states(
    State(app): State<App>,
    who: Who,
) -> Result<axum::Json<BTreeMap<String, &'static str>>, ApiError> {
    let hidden = auth::hidden_dags(&app, &who).await?;
    let mut states = app.store.latest_run_states().await?;
    states.retain(|dag_id, _| !hidden.contains(dag_id));
    Ok(axum::Json(states.into_iter().map(|(dag_id, state)| (dag_id, state.as_str())).collect()))
}

/// The runs that are due as soon as a DAG is unpaused; none when it is not paused
#[utoipa::path(get, path = "/ui/dags/{dag_id}/backlog", tag = "Command line", params(("dag_id" = String, Path)),
    responses((status = 200, body = DagBacklog), (status = 404, body = ErrorBody), Refusals))]
async fn get_backlog(State(app): State<App>, Path(dag_id): Path<String>) -> Result<axum::Json<DagBacklog>, ApiError> {
    let row = app.store.dag(&dag_id).await?.ok_or_else(|| ApiError::not_found("dag", &dag_id))?;
    let backlog = app.store.backlog(&app.dags, &row, (app.now)()).await?;
    Ok(axum::Json(DagBacklog {
        has_catchup: backlog.has_catchup,
        due: backlog.due,
        first: backlog.first.iter().map(ToString::to_string).collect(),
        last: backlog.last.map(|id| id.to_string()),
    }))
}

/// The text of a DAG and of the files that it names
#[utoipa::path(get, path = "/ui/dags/{dag_id}/document", tag = "Command line",
    params(("dag_id" = String, Path), OfRun),
    responses((status = 200, body = DagDocument), (status = 404, body = ErrorBody), Refusals))]
async fn get_document(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(of): Query<OfRun>,
) -> Result<axum::Json<DagDocument>, ApiError> {
    let version_id = match &of.dag_run_id {
        Some(run_id) => find::run(&app, &dag_id, run_id).await?.version_id,
        None => app.store.dag(&dag_id).await?.ok_or_else(|| ApiError::not_found("dag", &dag_id))?.version_id,
    };
    let version = app.store.version(version_id).await?;
    Ok(axum::Json(DagDocument {
        version_number: version.number,
        file: version.file,
        document: version.document,
        text: version.text,
        files: version.files.into_iter().map(|(name, read)| (name, read.into())).collect(),
    }))
}

/// Clear, mark or cancel a run, or a task of it
#[utoipa::path(post, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit", tag = "Command line",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)), request_body = EditBody,
    responses((status = 200, body = Vec<EditedTask>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn edit_dag_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Json(body): Json<EditBody>,
) -> Result<(Words, axum::Json<Vec<EditedTask>>), ApiError> {
    let options = EditOptions { dry_run: false, pin_latest: body.latest_version, who: Some(&who.user) };
    let edited = edit(&app, (&dag_id, &run_id), &body, options).await?;
    Ok((said(body.words(edited.len())), edited))
}

/// Say what an edit would change
#[utoipa::path(post, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit/preview", tag = "Command line",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)), request_body = EditBody,
    responses((status = 200, body = Vec<EditedTask>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn preview_edit(
    State(app): State<App>,
    Path((dag_id, run_id)): Path<(String, String)>,
    Json(body): Json<EditBody>,
) -> Result<axum::Json<Vec<EditedTask>>, ApiError> {
    let options = EditOptions { dry_run: true, pin_latest: body.latest_version, who: None };
    edit(&app, (&dag_id, &run_id), &body, options).await
}

async fn edit(
    app: &App,
    run: (&str, &str),
    body: &EditBody,
    options: EditOptions<'_>,
) -> Result<axum::Json<Vec<EditedTask>>, ApiError> {
    let edited = app.store.edit_run(&app.dags, run, &body.edit()?, options, (app.now)()).await;
    let edited = edited.map_err(|error| match error {
        ActionError::Refused(refused @ (Refused::NoSuchTask(_) | Refused::NoSuchMapIndex(..))) => {
            ApiError::new(axum::http::StatusCode::NOT_FOUND, refused.to_string())
        }
        other @ (ActionError::Store(_)
        | ActionError::Refused(_)
        | ActionError::Invalid(_)
        | ActionError::Conflict(_)
        | ActionError::Stopped(_)) => other.into(),
    })?;
    let change = |edited: flow_store::Edited| EditedTask {
        task_id: edited.task_id,
        map_index: edited.map_index,
        from: edited.from.as_str(),
        to: edited.to.as_str(),
    };
    Ok(axum::Json(edited.into_iter().map(change).collect()))
}

/// The task instances of a run, all of them, in the order of its DAG
#[utoipa::path(get, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks", tag = "Command line",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)),
    responses((status = 200, body = Vec<TaskOfRun>), (status = 404, body = ErrorBody), Refusals))]
async fn get_tasks_of_run(
    State(app): State<App>,
    Path((dag_id, run_id)): Path<(String, String)>,
) -> Result<axum::Json<Vec<TaskOfRun>>, ApiError> {
    let row = find::run(&app, &dag_id, &run_id).await?;
    let tasks = app.store.tasks_in_order(&app.dags, &row).await?;
    Ok(axum::Json(tasks.into_iter().map(Into::into).collect()))
}

/// Why a task instance runs, waits or does not run
#[utoipa::path(get, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/explain",
    tag = "Command line", params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path),
        ("map_index" = i32, Path)),
    responses((status = 200, body = Vec<WaitReason>), (status = 404, body = ErrorBody), Refusals))]
async fn explain_task(
    State(app): State<App>,
    Path(place): Path<(String, String, String, i32)>,
) -> Result<axum::Json<Vec<WaitReason>>, ApiError> {
    let (row, task) = find_task(&app, &place).await?;
    let reasons = app.store.explain(&app.dags, &row, &task, app.max_infrastructure_retries, (app.now)()).await?;
    Ok(axum::Json(reasons.into_iter().map(|reason| WaitReason { kind: reason.kind, text: reason.text }).collect()))
}

/// A task's arguments as they are for a run: those of the last attempt, else those that the next one would see
#[utoipa::path(get, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/rendered",
    tag = "Command line", params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path),
        ("map_index" = i32, Path)),
    responses((status = 200, body = Object), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn render_task(
    State(app): State<App>,
    Path(place): Path<(String, String, String, i32)>,
) -> Result<axum::Json<Value>, ApiError> {
    let (row, task) = find_task(&app, &place).await?;
    if let Some(fields) = app.store.rendered(row.run.key, &task.task_id, task.map_index).await? {
        return Ok(axum::Json(fields));
    }
    (app.renderer)(row, task).await.map(axum::Json).map_err(ApiError::bad_request)
}

async fn find_task(
    app: &App,
    (dag_id, run_id, task_id, map_index): &(String, String, String, i32),
) -> Result<(RunRow, TaskRow), ApiError> {
    let row = find::run(app, dag_id, run_id).await?;
    let tasks = app.store.tasks(row.run.key).await?;
    let found = tasks.into_iter().find(|task| task.task_id == *task_id && task.map_index == *map_index);
    found.map(|task| (row, task)).ok_or_else(|| ApiError::not_found("task instance", task_id))
}
