//! Running tasks of runs again.

use std::collections::BTreeSet;

use axum::extract::State;
use flow_core::{
    TaskId, TaskState,
    engine::{Edit, Selection},
};
use flow_store::{EditOptions, Page, RunChange, RunRow, TaskFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    DAGRunCollectionResponse, DAGRunResponse, all_shown,
    bulk::{BulkDAGRunBody, named},
    note, shown,
};
use crate::{
    ApiError, App, Who,
    api::{
        Refusals, find,
        task_instances::{self, TaskInstanceResponse},
    },
    auth,
    error::ErrorBody,
    extract::{Json, Path},
    said::{Words, count, said},
    wire::When,
};

/// Most runs that are cleared at once.
const RUNS_MAX: usize = 500;
/// Most tasks that are shown, of a run or of several.
const TASKS_MAX: u32 = 10_000;

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

/// A task that the run does not have yet. No more fields than these: it is told from a task instance by that.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTaskResponse {
    task_id: String,
    task_display_name: String,
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
) -> Result<(Words, axum::Json<Cleared>), ApiError> {
    let wish = Wish::new(body.only_failed, body.only_new, body.run_on_latest_version, body.note.as_deref())?;
    let row = find::run(&app, &dag_id, &run_id).await?;
    Ok(if body.dry_run {
        let task_instances = wish.touches(&app, row).await?;
        let total_entries = task_instances.len();
        let words = format!("looked at what a clear would change: {}", count(total_entries, "task instance"));
        (said(words), axum::Json(Cleared::Tasks(ClearTaskInstanceCollectionResponse { task_instances, total_entries })))
    } else {
        let row = wish.clear(&app, &who, row).await?;
        (said("cleared the run"), axum::Json(Cleared::Run(Box::new(shown(&app, row).await?))))
    })
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
) -> Result<(Words, axum::Json<BulkCleared>), ApiError> {
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
        let (mut task_instances, mut total_entries) = (Vec::new(), 0);
        for row in rows {
            let touched = wish.touches(&app, row).await?;
            total_entries += touched.len();
            // The rest is counted.
            let room = (TASKS_MAX as usize).saturating_sub(task_instances.len());
            task_instances.extend(touched.into_iter().take(room));
        }
        let words = format!("looked at what a clear would change: {}", count(total_entries, "task instance"));
        let found = ClearTaskInstanceCollectionResponse { task_instances, total_entries };
        return Ok((said(words), axum::Json(BulkCleared::Tasks(found))));
    }
    let mut cleared = Vec::with_capacity(rows.len());
    for row in rows {
        cleared.push(wish.clear(&app, &who, row).await?);
    }
    let words = format!("cleared {}", count(cleared.len(), "run"));
    let runs = DAGRunCollectionResponse {
        total_entries: Some(cleared.len() as u64),
        dag_runs: all_shown(&app, cleared).await?,
        total_entries_limit: None,
        next_cursor: None,
        previous_cursor: None,
    };
    Ok((said(words), axum::Json(BulkCleared::Runs(runs))))
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
    async fn new_tasks(&self, app: &App, row: &RunRow) -> Result<Vec<TaskId>, ApiError> {
        let tasks = app.store.tasks(row.run.key).await?;
        let dag = find::dag(app, row.run.dag_id.as_str()).await?;
        let latest = app.dags.read(&app.store, dag.version_id).await?;
        let there: BTreeSet<&str> =
            tasks.iter().filter(|task| task.state != TaskState::Removed).map(|task| task.task_id.as_str()).collect();
        Ok(latest.dag.tasks.iter().map(|task| task.id.clone()).filter(|id| !there.contains(id.as_str())).collect())
    }

    /// Says what is to be done with the tasks of a run; `None` = it has none of those.
    fn edit(&self, new: &[TaskId]) -> Option<Edit> {
        let mut tasks = Selection::default();
        if self.only_new {
            tasks.tasks = Some(new.iter().map(|id| (id.clone(), None)).collect());
        }
        (!self.only_new || !new.is_empty()).then_some(Edit::Clear { tasks, only_failed: self.only_failed })
    }

    /// Returns what would be cleared: by the same edit, which is not kept, and what is new to the run.
    async fn touches(&self, app: &App, row: RunRow) -> Result<Vec<ClearedTask>, ApiError> {
        let new = if self.on_latest { self.new_tasks(app, &row).await? } else { Vec::new() };
        let Some(edit) = self.edit(&new) else { return Ok(Vec::new()) };
        let options = EditOptions { dry_run: true, pin_latest: self.on_latest, who: None };
        let name = (row.run.dag_id.as_str(), row.run.run_id.as_str());
        let edited = app.store.edit_run(&app.dags, name, &edit, options, (app.now)()).await?;
        let is_new = |task_id: &str| new.iter().any(|id| id.as_str() == task_id);
        let cleared: BTreeSet<(&str, i64)> = edited
            .iter()
            .filter(|edited| edited.to != TaskState::Removed && !is_new(&edited.task_id))
            .map(|edited| (edited.task_id.as_str(), i64::from(edited.map_index)))
            .collect();
        let filter = TaskFilter { run: Some(row.run.key), ..TaskFilter::default() };
        let page = Page { limit: TASKS_MAX, offset: 0 };
        let mut lines = app.store.list_task_instances(&filter, &[], page).await?.rows;
        lines.retain(|line| cleared.contains(&(line.task_id.as_str(), line.map_index)));
        let shown = task_instances::responses(app, &lines, 0).await?;
        let old = shown.into_iter().map(|task| ClearedTask::Old(Box::new(task)));
        let show = |id: TaskId| NewTaskResponse { task_id: id.to_string(), task_display_name: id.to_string() };
        // They join the run in any case, and run if anything does.
        let new = new.into_iter().filter(|_| !self.only_failed || !cleared.is_empty());
        Ok(old.chain(new.map(|id| ClearedTask::New(show(id)))).collect())
    }

    /// Clears a run, and returns it as it is then.
    async fn clear(&self, app: &App, who: &Who, row: RunRow) -> Result<RunRow, ApiError> {
        let new = if self.only_new { self.new_tasks(app, &row).await? } else { Vec::new() };
        let edit = self.edit(&new);
        let options = EditOptions { pin_latest: self.on_latest, who: Some(&who.user), ..EditOptions::default() };
        let change = RunChange { edit: edit.as_ref(), note: self.note.as_ref().map(Option::as_deref) };
        let name = (row.run.dag_id.as_str(), row.run.run_id.as_str());
        Ok(app.store.change_run(&app.dags, name, &change, options, (app.now)()).await?)
    }
}
