//! Running tasks of runs again.

use std::collections::BTreeSet;

use axum::extract::State;
use flow_core::{
    TaskId, TaskState,
    engine::{Edit, Selection},
};
use flow_store::{EditOptions, RunRow, TaskRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    DAGRunCollectionResponse, DAGRunResponse, all_shown,
    bulk::{BulkDAGRunBody, named},
    change::Plan,
    note, shown,
};
use crate::{
    ApiError, App, Who,
    api::{Refusals, find},
    auth,
    error::ErrorBody,
    extract::{Json, Path},
    wire::{DagVersionResponse, When, task_instance_uuid},
};

/// Most runs that are cleared at once.
const RUNS_MAX: usize = 500;

fn yes() -> bool {
    true
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DAGRunClearBody {
    /// Only says what would be cleared
    #[serde(default = "yes")]
    #[schema(default = true)]
    dry_run: bool,
    #[serde(default)]
    only_failed: bool,
    /// Only tasks that the DAG's latest version has and the run has not
    #[serde(default)]
    only_new: bool,
    /// What is cleared runs with the DAG's latest version
    run_on_latest_version: Option<bool>,
    #[schema(max_length = 1000)]
    note: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkDAGRunClearBody {
    /// Runs have no partitions: must be null
    partition_key: Option<String>,
    /// Runs have no partitions: must be null
    partition_date_start: Option<When>,
    /// Runs have no partitions: must be null
    partition_date_end: Option<When>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    dry_run: bool,
    #[serde(default)]
    only_failed: bool,
    #[serde(default)]
    only_new: bool,
    run_on_latest_version: Option<bool>,
    #[schema(max_length = 1000)]
    note: Option<String>,
    #[schema(max_items = 500)]
    dag_runs: Option<Vec<BulkDAGRunBody>>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Cleared {
    Tasks(ClearTaskInstanceCollectionResponse),
    Run(Box<DAGRunResponse>),
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum BulkCleared {
    Tasks(ClearTaskInstanceCollectionResponse),
    Runs(DAGRunCollectionResponse),
}

#[derive(Serialize, ToSchema)]
pub(super) struct ClearTaskInstanceCollectionResponse {
    task_instances: Vec<ClearedTask>,
    total_entries: usize,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ClearedTask {
    Old(Box<TaskInstanceResponse>),
    New(NewTaskResponse),
}

/// A task that the run does not have yet.
#[derive(Serialize, ToSchema)]
struct NewTaskResponse {
    task_id: String,
    task_display_name: String,
}

#[derive(Serialize, ToSchema)]
struct TaskInstanceResponse {
    id: Uuid,
    task_id: String,
    dag_id: String,
    dag_run_id: String,
    map_index: i32,
    logical_date: Option<When>,
    run_after: When,
    start_date: Option<When>,
    end_date: Option<When>,
    duration: Option<f64>,
    state: Option<&'static str>,
    try_number: u32,
    max_tries: u32,
    task_display_name: String,
    dag_display_name: String,
    hostname: Option<String>,
    unixname: Option<String>,
    pool: String,
    pool_slots: u32,
    queue: Option<String>,
    priority_weight: Option<i64>,
    operator: Option<String>,
    operator_name: Option<String>,
    queued_when: Option<When>,
    scheduled_when: Option<When>,
    pid: Option<i64>,
    executor: Option<String>,
    executor_config: String,
    note: Option<String>,
    rendered_map_index: Option<String>,
    #[schema(value_type = Object)]
    rendered_fields: serde_json::Map<String, serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    trigger: Option<()>,
    #[schema(value_type = Option<Object>)]
    triggerer_job: Option<()>,
    dag_version: Option<DagVersionResponse>,
}

/// What is to be cleared of a run.
struct Wish {
    only_failed: bool,
    only_new: bool,
    on_latest: bool,
    /// `Some(None)` = takes the note away.
    note: Option<Option<String>>,
}

/// Clears a run
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/clear", tag = "DagRun",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)), request_body = DAGRunClearBody,
    responses((status = 200, body = Cleared), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn clear_dag_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Json(body): Json<DAGRunClearBody>,
) -> Result<axum::Json<Cleared>, ApiError> {
    let wish = Wish::new(body.only_failed, body.only_new, body.run_on_latest_version, body.note.as_deref())?;
    let row = find::run(&app, &dag_id, &run_id).await?;
    Ok(axum::Json(if body.dry_run {
        let task_instances = wish.touches(&app, row).await?;
        Cleared::Tasks(ClearTaskInstanceCollectionResponse { total_entries: task_instances.len(), task_instances })
    } else {
        let row = wish.clear(&app, &who, row).await?;
        Cleared::Run(Box::new(shown(&app, row).await?))
    }))
}

/// Clears several runs
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/clearDagRuns", tag = "DagRun", params(("dag_id" = String, Path)),
    request_body = BulkDAGRunClearBody,
    responses((status = 200, body = BulkCleared), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn clear_dag_runs(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Json(body): Json<BulkDAGRunClearBody>,
) -> Result<axum::Json<BulkCleared>, ApiError> {
    if body.partition_key.is_some() || body.partition_date_start.is_some() || body.partition_date_end.is_some() {
        return Err(ApiError::bad_request("runs have no partitions; name them in `dag_runs`"));
    }
    let wish = Wish::new(body.only_failed, body.only_new, body.run_on_latest_version, body.note.as_deref())?;
    let asked = body.dag_runs.unwrap_or_default();
    if asked.is_empty() || asked.len() > RUNS_MAX {
        return Err(ApiError::invalid(&["body", "dag_runs"], format!("name 1 to {RUNS_MAX} runs")));
    }
    let names: BTreeSet<(String, String)> =
        asked.iter().map(|run| named(&dag_id, run).map_err(ApiError::bad_request)).collect::<Result<_, _>>()?;
    // All are found before the first one is changed.
    let mut rows = Vec::with_capacity(names.len());
    for (dag_id, run_id) in &names {
        auth::check_dag(&app, &who, dag_id, true).await?;
        rows.push(find::run(&app, dag_id, run_id).await?);
    }
    if body.dry_run {
        let mut task_instances = Vec::new();
        for row in rows {
            task_instances.extend(wish.touches(&app, row).await?);
        }
        let total_entries = task_instances.len();
        return Ok(axum::Json(BulkCleared::Tasks(ClearTaskInstanceCollectionResponse {
            task_instances,
            total_entries,
        })));
    }
    let mut cleared = Vec::with_capacity(rows.len());
    for row in rows {
        cleared.push(wish.clear(&app, &who, row).await?);
    }
    Ok(axum::Json(BulkCleared::Runs(DAGRunCollectionResponse {
        total_entries: Some(cleared.len() as u64),
        dag_runs: all_shown(&app, cleared).await?,
        total_entries_limit: None,
        next_cursor: None,
        previous_cursor: None,
    })))
}

impl Wish {
    fn new(
        only_failed: bool,
        only_new: bool,
        run_on_latest_version: Option<bool>,
        text: Option<&str>,
    ) -> Result<Self, ApiError> {
        let on_latest = run_on_latest_version.unwrap_or(only_new);
        if only_new && (only_failed || !on_latest) {
            return Err(ApiError::invalid(
                &["body", "only_new"],
                "goes neither with `only_failed` nor with `run_on_latest_version: false`",
            ));
        }
        let note = text.map(|text| note(&["body", "note"], text)).transpose()?;
        Ok(Self { only_failed, only_new, on_latest, note })
    }

    /// Returns the tasks of the DAG's latest version that a run does not have.
    async fn new_tasks(&self, app: &App, row: &RunRow, tasks: &[TaskRow]) -> Result<Vec<TaskId>, ApiError> {
        let dag = find::dag(app, row.run.dag_id.as_str()).await?;
        let latest = app.dags.read(&app.store, dag.version_id).await?;
        let there: BTreeSet<&str> =
            tasks.iter().filter(|task| task.state != TaskState::Removed).map(|task| task.task_id.as_str()).collect();
        Ok(latest.dag.tasks.iter().map(|task| task.id.clone()).filter(|id| !there.contains(id.as_str())).collect())
    }

    /// Returns what would be cleared.
    async fn touches(&self, app: &App, row: RunRow) -> Result<Vec<ClearedTask>, ApiError> {
        let tasks = app.store.tasks(row.run.key).await?;
        if self.only_new {
            let new = self.new_tasks(app, &row, &tasks).await?;
            let show = |id: TaskId| NewTaskResponse { task_id: id.to_string(), task_display_name: id.to_string() };
            return Ok(new.into_iter().map(|id| ClearedTask::New(show(id))).collect());
        }
        let versions = app.store.version_lines(&[row.version_id]).await?;
        let version = versions.get(&row.version_id).map(DagVersionResponse::from);
        let display_name = versions.get(&row.version_id).and_then(|line| line.display_name.clone());
        let display_name = display_name.unwrap_or_else(|| row.run.dag_id.to_string());
        let show = |task: TaskRow| TaskInstanceResponse {
            id: task_instance_uuid(row.run.key, &task.task_id, task.map_index),
            dag_id: row.run.dag_id.to_string(),
            dag_run_id: row.run.run_id.to_string(),
            map_index: task.map_index,
            logical_date: row.run.logical_date.map(When),
            run_after: When(row.run.run_after),
            start_date: task.started_at.map(When),
            end_date: task.ended_at.map(When),
            duration: task.started_at.zip(task.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
            state: Some(task.state).filter(|state| *state != TaskState::NoStatus).map(TaskState::as_str),
            try_number: task.try_number,
            max_tries: task.max_tries,
            task_display_name: task.task_id.clone(),
            task_id: task.task_id,
            dag_display_name: display_name.clone(),
            hostname: task.hostname,
            unixname: None,
            pool: task.pool,
            pool_slots: task.pool_slots,
            queue: Some(task.queue),
            priority_weight: Some(task.priority_weight),
            operator: Some(task.operator.clone()),
            operator_name: Some(task.operator),
            queued_when: task.queued_at.map(When),
            scheduled_when: task.scheduled_at.map(When),
            pid: None,
            executor: None,
            executor_config: "{}".to_owned(),
            note: None,
            rendered_map_index: None,
            rendered_fields: serde_json::Map::new(),
            trigger: None,
            triggerer_job: None,
            dag_version: version.clone(),
        };
        let is_touched =
            |task: &TaskRow| task.state != TaskState::Removed && (!self.only_failed || task.state.is_failure());
        Ok(tasks.into_iter().filter(is_touched).map(|task| ClearedTask::Old(Box::new(show(task)))).collect())
    }

    /// Clears a run, and returns it as it is then.
    async fn clear(&self, app: &App, who: &Who, row: RunRow) -> Result<RunRow, ApiError> {
        let mut tasks = Selection::default();
        let mut has_work = true;
        if self.only_new {
            let new = self.new_tasks(app, &row, &app.store.tasks(row.run.key).await?).await?;
            has_work = !new.is_empty();
            tasks.tasks = Some(new.into_iter().map(|id| (id, None)).collect());
        }
        let edit = Edit::Clear { tasks, only_failed: self.only_failed };
        let plan = Plan {
            edit: has_work.then_some(edit),
            options: EditOptions { pin_latest: self.on_latest, who: Some(&who.user), ..EditOptions::default() },
            note: self.note.clone(),
        };
        plan.carry_out(app, (row.run.dag_id.as_str(), row.run.run_id.as_str())).await
    }
}
