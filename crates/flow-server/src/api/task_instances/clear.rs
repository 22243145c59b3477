//! Clearing task instances: they run again.

use axum::extract::State;
use flow_store::{RunsAsked, TaskChange, TaskEdit};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    EDIT_TIME, TaskInstanceCollectionResponse,
    change::{number_of, refused, touched},
};
use crate::{
    ApiError, App,
    access::Who,
    api::{Refusals, bulk},
    error::ErrorBody,
    extract::{Json, Path},
    said::{Words, said},
    wire::When,
};

/// Most tasks that a request names.
const TASKS_MAX: usize = 10_000;

/// Which task instances are to run again
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearTaskInstancesBody {
    /// Only say what would be cleared
    #[serde(default = "yes")]
    #[schema(default = true)]
    dry_run: bool,
    #[serde(default)]
    start_date: Option<When>,
    #[serde(default)]
    end_date: Option<When>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    only_failed: bool,
    #[serde(default)]
    only_running: bool,
    /// False: runs that have ended stay so, and nothing of them starts before they are cleared themselves
    #[serde(default = "yes")]
    #[schema(default = true)]
    reset_dag_runs: bool,
    /// Ids of tasks, or pairs of an id and a map index; without it all tasks
    #[serde(default)]
    #[schema(value_type = Option<Vec<serde_json::Value>>)]
    task_ids: Option<Vec<Pick>>,
    /// Without it all runs between the dates
    #[serde(default)]
    dag_run_id: Option<String>,
    #[serde(default)]
    include_upstream: bool,
    #[serde(default)]
    include_downstream: bool,
    #[serde(default)]
    include_future: bool,
    #[serde(default)]
    include_past: bool,
    /// With the DAG's current version, instead of the one the run was made with
    #[serde(default)]
    run_on_latest_version: Option<bool>,
    /// A conflict when one of them is running
    #[serde(default)]
    prevent_running_task: bool,
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// A task, or one of a mapped task.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pick {
    Task(String),
    Instance(String, i32),
}

impl Pick {
    fn task(&self) -> &str {
        match self {
            Self::Task(id) | Self::Instance(id, _) => id,
        }
    }
}

fn yes() -> bool {
    true
}

impl ClearTaskInstancesBody {
    fn check(&self) -> Result<(), ApiError> {
        let wrong = |text: &str| Err(ApiError::invalid(&["body"], text));
        if self.start_date.zip(self.end_date).is_some_and(|(start, end)| start.0 > end.0) {
            return wrong("end_date is sooner than start_date");
        }
        if self.dag_run_id.is_some() && (self.start_date.is_some() || self.end_date.is_some()) {
            return wrong("Exactly one of dag_run_id or (start_date and end_date) must be provided");
        }
        match self.task_ids.as_ref().map(Vec::len) {
            Some(0) => wrong("task_ids list should have at least 1 element."),
            Some(many) if many > TASKS_MAX => wrong("too many task_ids"),
            Some(_) | None => bulk::check_note(&["body", "note"], self.note.as_deref()),
        }
    }

    fn runs(&self) -> RunsAsked<'_> {
        match &self.dag_run_id {
            Some(run_id) => RunsAsked::Of { run_id, past: self.include_past, future: self.include_future },
            None => RunsAsked::Between {
                from: self.start_date.filter(|_| !self.include_past).map(|when| when.0),
                to: self.end_date.filter(|_| !self.include_future).map(|when| when.0),
            },
        }
    }
}

/// Run task instances again
///
/// Answers with what was cleared, or with `dry_run` what would be. Many runs are cleared some at a time, by date: what was
/// cleared before an interruption stays so. What takes too long ends with 409, which says how many runs were cleared, up
/// to which date, and the dates to go on with; to ask the same again clears what was done once more.
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/clearTaskInstances", tag = "Task Instance",
    params(("dag_id" = String, Path)), request_body = ClearTaskInstancesBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn post_clear_task_instances(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Json(body): Json<ClearTaskInstancesBody>,
) -> Result<(Words, axum::Json<TaskInstanceCollectionResponse>), ApiError> {
    body.check()?;
    let dag = app.store.dag(&dag_id).await?.ok_or_else(|| ApiError::not_found("dag", &dag_id))?;
    if let (None, Some(picks)) = (&body.dag_run_id, &body.task_ids) {
        // Runs of other versions are passed over where they do not have a task: a mistake would say nothing at all.
        let current = app.dags.read(&app.store, dag.version_id).await?;
        let unknown = picks.iter().map(Pick::task).find(|id| current.task_ix(id).is_none());
        if let Some(id) = unknown {
            return Err(ApiError::not_found("task", id));
        }
    }
    let pick = |pick: &Pick| match pick {
        Pick::Task(id) => (id.as_str().into(), None),
        Pick::Instance(id, index) => (id.as_str().into(), Some(*index)),
    };
    let edit = TaskEdit {
        dag_id: &dag_id,
        runs: body.runs(),
        tasks: body.task_ids.as_ref().map(|picks| picks.iter().map(pick).collect()),
        group: None,
        upstream: body.include_upstream,
        downstream: body.include_downstream,
        change: TaskChange::Clear {
            only_failed: body.only_failed,
            only_running: body.only_running,
            keep_runs: !body.reset_dag_runs,
            pin_latest: body.run_on_latest_version == Some(true),
            not_running: body.prevent_running_task && !body.dry_run,
        },
        note: body.note.as_deref(),
        note_for: None,
        dry_run: body.dry_run,
        time: EDIT_TIME,
        who: Some(&who.user),
    };
    let edited = app.store.edit_tasks(&app.dags, &edit, (app.now)()).await.map_err(refused)?;
    let done = if body.dry_run { "looked at what a clear would change:" } else { "cleared" };
    Ok((said(format!("{done} {}", number_of(&edited))), touched(&app, &edited).await?))
}
