//! Saying how task instances ended, and giving them notes: one, those of a group, or many at once.

use axum::extract::State;
use flow_core::TaskState;
use flow_store::{ActionError, EditedRun, NoteFor, Page, RunsAsked, TaskChange, TaskEdit, TaskFilter, TaskLine};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    EDIT_TIME, LISTED_FIELDS_BYTES_MAX, MapIndex, TaskInstanceCollectionResponse, TaskInstanceState, delete, no_such,
    responses,
};
use crate::{
    ApiError, App,
    access::Who,
    api::{
        Refusals,
        bulk::{
            self, BulkAction, BulkActionNotOnExistence, BulkActionResponse, BulkBody, BulkDone, BulkResponse, Named,
        },
        find,
    },
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    said::{Words, count, said},
};

/// Most task instances that an answer shows; it counts them all.
const SHOWN_MAX: u32 = 1_000;

/// What a task instance is to become
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchTaskInstanceBody {
    /// `success`, `failed` or `skipped`
    #[serde(default)]
    new_state: Option<TaskInstanceState>,
    /// Null takes it away, when `update_mask` names it
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    note: Option<Option<String>>,
    #[serde(default)]
    include_upstream: bool,
    #[serde(default)]
    include_downstream: bool,
    #[serde(default)]
    include_future: bool,
    #[serde(default)]
    include_past: bool,
}

/// What one of many task instances is to become
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkTaskInstanceBody {
    task_id: String,
    /// Without it all of the task
    #[serde(default)]
    #[schema(minimum = -1)]
    map_index: Option<i32>,
    /// Needed where the path says `~`
    #[serde(default)]
    dag_id: Option<String>,
    /// Needed where the path says `~`
    #[serde(default)]
    dag_run_id: Option<String>,
    /// `success`, `failed` or `skipped`
    #[serde(default)]
    new_state: Option<TaskInstanceState>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    note: Option<Option<String>>,
    #[serde(default)]
    include_upstream: bool,
    #[serde(default)]
    include_downstream: bool,
    #[serde(default)]
    include_future: bool,
    #[serde(default)]
    include_past: bool,
}

/// Which fields of the body count
#[derive(Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Mask {
    #[serde(default)]
    update_mask: Vec<String>,
}

/// What is to be done with task instances of a run.
struct Patch<'a> {
    dag_id: &'a str,
    run_id: &'a str,
    target: Target<'a>,
    state: Option<TaskState>,
    /// `Some(None)`: it is taken away.
    note: Option<Option<String>>,
    body: &'a PatchTaskInstanceBody,
}

#[derive(Clone, Copy)]
enum Target<'a> {
    /// Without a map index all of the task.
    Task(&'a str, Option<i32>),
    Group(&'a str),
}

impl<'a> Patch<'a> {
    fn new(
        (dag_id, run_id): (&'a str, &'a str),
        target: Target<'a>,
        body: &'a PatchTaskInstanceBody,
        mask: &[String],
    ) -> Result<Self, ApiError> {
        let counts = |name: &str| mask.is_empty() || mask.iter().any(|field| field == name);
        let state = body.new_state.filter(|_| counts("new_state")).map(TaskState::from);
        if let Some(state) = state
            && !matches!(state, TaskState::Success | TaskState::Failed | TaskState::Skipped)
        {
            return Err(ApiError::invalid(
                &["body", "new_state"],
                format!("'{state}' is not one of ['success', 'failed', 'skipped']"),
            ));
        }
        // Clients write null for what they do not say.
        let note = body.note.clone().filter(|note| counts("note") && (note.is_some() || !mask.is_empty()));
        bulk::check_note(&["body", "note"], note.as_ref().and_then(Option::as_deref))?;
        Ok(Self { dag_id, run_id, target, state, note, body })
    }

    /// Returns the task instances that it is about.
    async fn lines(&self, app: &App) -> Result<Vec<TaskLine>, ApiError> {
        let run = find::run(app, self.dag_id, self.run_id).await?;
        let mut filter = TaskFilter { run: Some(run.run.key), ..TaskFilter::default() };
        match self.target {
            Target::Task(task_id, map_index) => {
                filter.tasks = Some(vec![task_id.to_owned()]);
                filter.map_indexes = map_index.map(|index| vec![i64::from(index)]);
            }
            Target::Group(group) => {
                let dag = app.dags.read(&app.store, run.version_id).await?;
                let tasks = dag.tasks_of_group(group).ok_or_else(|| ApiError::not_found("task group", group))?;
                filter.tasks = Some(tasks.into_iter().map(|id| id.to_string()).collect());
            }
        }
        let lines = list(app, &filter).await?;
        match self.target {
            Target::Task(task_id, map_index) if lines.is_empty() => {
                Err(no_such(task_id, map_index.unwrap_or(-1), self.run_id))
            }
            Target::Task(..) | Target::Group(_) => Ok(lines),
        }
    }

    /// Says how they ended, or would; run by run.
    async fn mark(
        &self,
        app: &App,
        who: &Who,
        state: TaskState,
        note_for: Option<NoteFor<'_>>,
        dry_run: bool,
    ) -> Result<Vec<EditedRun>, ApiError> {
        let (tasks, group) = match self.target {
            Target::Task(task_id, map_index) => (Some(vec![(task_id.into(), map_index)]), None),
            Target::Group(group) => (None, Some(group)),
        };
        let edit = TaskEdit {
            dag_id: self.dag_id,
            runs: RunsAsked::Of { run_id: self.run_id, past: self.body.include_past, future: self.body.include_future },
            tasks,
            group,
            upstream: self.body.include_upstream,
            downstream: self.body.include_downstream,
            change: TaskChange::Mark(state),
            note: None,
            note_for,
            dry_run,
            time: EDIT_TIME,
            who: Some(&who.user),
        };
        app.store.edit_tasks(&app.dags, &edit, (app.now)()).await.map_err(refused)
    }

    /// Does it all, in one transaction for a run. Returns what was changed.
    async fn apply(&self, app: &App, who: &Who) -> Result<Vec<EditedRun>, ApiError> {
        let lines = self.lines(app).await?;
        let tasks: Vec<_> = lines
            .iter()
            .map(|line| {
                let index = i32::try_from(line.map_index).unwrap_or(-1);
                (flow_core::RunKey(line.run), line.task_id.as_str(), index)
            })
            .collect();
        let note_for = self.note.as_ref().map(|note| NoteFor { tasks: &tasks, note: note.as_deref() });
        let Some(state) = self.state else {
            if let Some(NoteFor { tasks, note }) = note_for {
                app.store.set_task_notes(self.dag_id, tasks, note).await?;
            }
            return Ok(Vec::new());
        };
        let edited = self.mark(app, who, state, note_for, false).await?;
        if edited.iter().all(|run| run.edited.is_empty()) {
            let name = match self.target {
                Target::Task(task_id, _) => format!("task `{task_id}`"),
                Target::Group(group) => format!("task group `{group}`"),
            };
            return Err(ApiError::conflict(format!("{name} is already in state {state}")));
        }
        Ok(edited)
    }

    /// Does it, and shows the task instances that it was about.
    async fn done(&self, app: &App, who: &Who) -> Result<Done, ApiError> {
        let words = self.words(&self.apply(app, who).await?);
        let lines = self.lines(app).await?;
        let total = lines.len() as u64;
        let shown =
            TaskInstanceCollectionResponse::whole(responses(app, &lines, LISTED_FIELDS_BYTES_MAX).await?, total);
        Ok((said(words), shown))
    }

    /// Says what it came to.
    fn words(&self, edited: &[EditedRun]) -> String {
        match self.state {
            Some(state) => format!("marked {} as {state}", number_of(edited)),
            None => "changed the note of a task instance".to_owned(),
        }
    }

    /// Shows what it would change.
    async fn dry(&self, app: &App, who: &Who) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
        let lines = self.lines(app).await?;
        match self.state {
            Some(state) => touched(app, &self.mark(app, who, state, None, true).await?).await,
            None => {
                let total = lines.len() as u64;
                Ok(TaskInstanceCollectionResponse::whole(responses(app, &lines, LISTED_FIELDS_BYTES_MAX).await?, total))
            }
        }
    }
}

/// A task that is not there is what was not found.
pub(super) fn refused(error: ActionError) -> ApiError {
    use flow_core::engine::Refused;
    match error {
        ActionError::Refused(refused @ (Refused::NoSuchTask(_) | Refused::NoSuchMapIndex(..))) => {
            ApiError::new(axum::http::StatusCode::NOT_FOUND, refused.to_string())
        }
        other @ (ActionError::Store(_)
        | ActionError::Refused(_)
        | ActionError::Invalid(_)
        | ActionError::Conflict(_)
        | ActionError::Stopped(_)) => other.into(),
    }
}

async fn list(app: &App, filter: &TaskFilter) -> Result<Vec<TaskLine>, ApiError> {
    Ok(app.store.list_task_instances(filter, &[], Page { limit: SHOWN_MAX, offset: 0 }).await?.rows)
}

/// What was changed, and what the audit log says of it.
type Done = (Words, axum::Json<TaskInstanceCollectionResponse>);

/// "3 task instances", or "3 task instances of 2 runs"
pub(super) fn number_of(runs: &[EditedRun]) -> String {
    let touched = runs.iter().filter(|run| !run.edited.is_empty()).count();
    let tasks = count(runs.iter().map(|run| run.edited.len()).sum(), "task instance");
    if touched > 1 { format!("{tasks} of {}", count(touched, "run")) } else { tasks }
}

/// Shows what was changed, or would be.
pub(super) async fn touched(
    app: &App,
    runs: &[EditedRun],
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let total = runs.iter().map(|run| run.edited.len() as u64).sum();
    let mut lines: Vec<TaskLine> = Vec::new();
    for run in runs.iter().filter(|run| !run.edited.is_empty()) {
        if lines.len() >= SHOWN_MAX as usize {
            break;
        }
        let tasks = run.edited.iter().map(|edited| edited.task_id.clone()).collect();
        let filter = TaskFilter { run: Some(run.run), tasks: Some(tasks), ..TaskFilter::default() };
        let is_edited = |line: &TaskLine| {
            run.edited
                .iter()
                .any(|edited| edited.task_id == line.task_id && i64::from(edited.map_index) == line.map_index)
        };
        lines.extend(list(app, &filter).await?.into_iter().filter(is_edited));
    }
    lines.truncate(SHOWN_MAX as usize);
    Ok(TaskInstanceCollectionResponse::whole(responses(app, &lines, LISTED_FIELDS_BYTES_MAX).await?, total))
}

/// Say how a task ended, or give it a note
///
/// With `include_past` and `include_future` other runs are changed too, some at a time: what was changed before an
/// interruption stays so. What takes too long ends with 409, and the same may be asked again for the rest.
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), MapIndex, Mask),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_task_instance(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(index): Query<MapIndex>,
    Query(mask): Query<Mask>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<Done, ApiError> {
    let target = Target::Task(&task_id, index.map_index);
    Patch::new((&dag_id, &run_id), target, &body, &mask.update_mask)?.done(&app, &who).await
}

/// The same for one of a mapped task
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path), Mask),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_mapped_task_instance(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id, index)): Path<(String, String, String, i32)>,
    Query(mask): Query<Mask>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<Done, ApiError> {
    let target = Target::Task(&task_id, Some(index));
    Patch::new((&dag_id, &run_id), target, &body, &mask.update_mask)?.done(&app, &who).await
}

/// What saying how a task ended would change
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), MapIndex, Mask),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_task_instance_dry_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(index): Query<MapIndex>,
    Query(mask): Query<Mask>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let target = Target::Task(&task_id, index.map_index);
    Patch::new((&dag_id, &run_id), target, &body, &mask.update_mask)?.dry(&app, &who).await
}

/// The same for one of a mapped task
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dry_run", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("map_index" = i32, Path), Mask),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_mapped_task_instance_dry_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id, index)): Path<(String, String, String, i32)>,
    Query(mask): Query<Mask>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let target = Target::Task(&task_id, Some(index));
    Patch::new((&dag_id, &run_id), target, &body, &mask.update_mask)?.dry(&app, &who).await
}

/// Say how the tasks of a group ended, or give them a note
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("group_id" = String, Path), Mask),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_task_group_instances(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, group_id)): Path<(String, String, String)>,
    Query(mask): Query<Mask>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<Done, ApiError> {
    let patch = Patch::new((&dag_id, &run_id), Target::Group(&group_id), &body, &mask.update_mask)?;
    if patch.state.is_none() {
        return patch.done(&app, &who).await;
    }
    let edited = patch.apply(&app, &who).await?;
    Ok((said(patch.words(&edited)), touched(&app, &edited).await?))
}

/// What saying how the tasks of a group ended would change
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}/dry_run", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("group_id" = String, Path)),
    request_body = PatchTaskInstanceBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_task_group_instances_dry_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, group_id)): Path<(String, String, String)>,
    Json(body): Json<PatchTaskInstanceBody>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    Patch::new((&dag_id, &run_id), Target::Group(&group_id), &body, &[])?.dry(&app, &who).await
}

/// Change or delete many task instances
///
/// Each action says what became of its entities, and one that is refused does not keep the others from being done.
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)), request_body = BulkBody<BulkTaskInstanceBody>,
    responses((status = 200, body = BulkResponse), (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn bulk_task_instances(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Json(body): Json<BulkBody<BulkTaskInstanceBody>>,
) -> Result<BulkDone, ApiError> {
    body.check_size()?;
    let mut response = BulkResponse::default();
    for action in &body.actions {
        match action {
            BulkAction::Create { .. } => {
                let refusal = ApiError::new(
                    axum::http::StatusCode::METHOD_NOT_ALLOWED,
                    "Task instances bulk create is not supported",
                );
                response.create.get_or_insert_default().refused(refusal)?;
            }
            BulkAction::Update { entities, update_mask, action_on_non_existence } => {
                let done = response.update.get_or_insert_default();
                let mask = update_mask.as_deref().unwrap_or_default();
                for entity in entities {
                    let outcome = update_one(&app, &who, (&dag_id, &run_id), entity, mask).await;
                    add(done, *action_on_non_existence, outcome)?;
                }
            }
            BulkAction::Delete { entities, action_on_non_existence } => {
                let done = response.delete.get_or_insert_default();
                for entity in entities {
                    let (task_id, index, names) = match entity {
                        Named::Name(task_id) => (task_id, None, (None, None)),
                        Named::Whole(body) => {
                            let names = (body.dag_id.as_deref(), body.dag_run_id.as_deref());
                            (&body.task_id, body.map_index, names)
                        }
                    };
                    let outcome = delete_all(&app, &who, (&dag_id, &run_id), names, (task_id, index)).await;
                    match outcome {
                        Ok(names) => done.success.extend(names),
                        Err(error) => add(done, *action_on_non_existence, Err(error))?,
                    }
                }
            }
        }
    }
    Ok(response.done("task instance"))
}

/// Adds what came of one; what is not there may be passed over.
fn add(
    done: &mut BulkActionResponse,
    missing: BulkActionNotOnExistence,
    outcome: Result<String, ApiError>,
) -> Result<(), ApiError> {
    match outcome {
        Ok(name) => done.success.push(name),
        Err(error)
            if error.status() == axum::http::StatusCode::NOT_FOUND && missing == BulkActionNotOnExistence::Skip => {}
        Err(error) => done.refused(error)?,
    }
    Ok(())
}

/// Finds the DAG and the run of an entity: its own, else those of the path; and whether they may be changed.
async fn place<'a>(
    app: &App,
    who: &Who,
    path: (&'a str, &'a str),
    (dag_id, run_id): (Option<&'a str>, Option<&'a str>),
    task_id: &str,
) -> Result<(&'a str, &'a str), ApiError> {
    let (dag_id, run_id) = (dag_id.unwrap_or(path.0), run_id.unwrap_or(path.1));
    if dag_id == "~" || run_id == "~" {
        return Err(ApiError::bad_request(format!(
            "When using wildcard in path, dag_id and dag_run_id must be specified in request body for task_id: {task_id}"
        )));
    }
    if dag_id != path.0 {
        auth::check_dag(app, who, dag_id, true).await?;
    }
    Ok((dag_id, run_id))
}

async fn update_one(
    app: &App,
    who: &Who,
    path: (&str, &str),
    entity: &BulkTaskInstanceBody,
    mask: &[String],
) -> Result<String, ApiError> {
    let names = (entity.dag_id.as_deref(), entity.dag_run_id.as_deref());
    let (dag_id, run_id) = place(app, who, path, names, &entity.task_id).await?;
    let body = PatchTaskInstanceBody {
        new_state: entity.new_state,
        note: entity.note.clone(),
        include_upstream: entity.include_upstream,
        include_downstream: entity.include_downstream,
        include_future: entity.include_future,
        include_past: entity.include_past,
    };
    let target = Target::Task(&entity.task_id, entity.map_index);
    Patch::new((dag_id, run_id), target, &body, mask)?.apply(app, who).await?;
    Ok(format!("{dag_id}.{run_id}.{}[{}]", entity.task_id, entity.map_index.unwrap_or(-1)))
}

async fn delete_all(
    app: &App,
    who: &Who,
    path: (&str, &str),
    names: (Option<&str>, Option<&str>),
    (task_id, index): (&str, Option<i32>),
) -> Result<Vec<String>, ApiError> {
    let (dag_id, run_id) = place(app, who, path, names, task_id).await?;
    let run = find::run(app, dag_id, run_id).await?;
    let filter = TaskFilter {
        run: Some(run.run.key),
        tasks: Some(vec![task_id.to_owned()]),
        map_indexes: index.map(|index| vec![i64::from(index)]),
        ..TaskFilter::default()
    };
    let lines = list(app, &filter).await?;
    if lines.is_empty() {
        return Err(no_such(task_id, index.unwrap_or(-1), run_id));
    }
    let mut deleted = Vec::with_capacity(lines.len());
    for line in lines {
        let index = i32::try_from(line.map_index).unwrap_or(-1);
        delete(app, who, (dag_id, run_id), (task_id, index)).await?;
        deleted.push(format!("{dag_id}.{run_id}.{task_id}[{index}]"));
    }
    Ok(deleted)
}
