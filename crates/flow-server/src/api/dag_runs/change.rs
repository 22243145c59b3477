//! Changing a run: its state, its note, deleting it.

use axum::{extract::State, http::StatusCode};
use flow_core::{
    RunState,
    engine::{Edit, Selection},
};
use flow_store::{EditOptions, RunChange, RunRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{DAGRunResponse, DagRunMutableStates, note, shown};
use crate::{
    ApiError, App, Who,
    api::{Refusals, bulk, find},
    error::ErrorBody,
    extract::{Json, Path, Query},
    logs::{LogsOf, forget},
    said::{Words, said},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Mask {
    /// Fields of the body that count; none = all
    #[serde(default)]
    update_mask: Vec<String>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DAGRunPatchBody {
    /// `queued` = cleared
    state: Option<DagRunMutableStates>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    note: Option<Option<String>>,
}

/// What is to become of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub state: Option<DagRunMutableStates>,
    /// `Some(None)` = none.
    pub note: Option<Option<String>>,
}

/// Changes the state or the note of a run
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", tag = "DagRun",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), Mask), request_body = DAGRunPatchBody,
    responses((status = 200, body = DAGRunResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn patch_dag_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Query(mask): Query<Mask>,
    Json(body): Json<DAGRunPatchBody>,
) -> Result<(Words, axum::Json<DAGRunResponse>), ApiError> {
    let counts = |name: &str| mask.update_mask.is_empty() || mask.update_mask.iter().any(|field| field == name);
    let mut changes = Changes { state: body.state.filter(|_| counts("state")), note: None };
    if let Some(text) = body.note.filter(|_| counts("note")) {
        changes.note = Some(match text {
            Some(text) => note(&["body", "note"], &text)?,
            None => None,
        });
    }
    let row = change(&app, &who, (&dag_id, &run_id), &changes).await?;
    Ok((said(changes.words()), axum::Json(shown(&app, row).await?)))
}

impl Changes {
    /// Says what they came to.
    fn words(&self) -> &'static str {
        match self.state {
            Some(DagRunMutableStates::Queued) => "cleared the run",
            Some(DagRunMutableStates::Success) => "marked the run as success",
            Some(DagRunMutableStates::Failed) => "marked the run as failed",
            None => "changed the note of the run",
        }
    }
}

/// Deletes a run that is not running, with everything that belongs to it
#[utoipa::path(delete, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", tag = "DagRun",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn delete_dag_run(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    delete(&app, &who, (&dag_id, &run_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a run another state or note, and returns it as it is then.
pub(super) async fn change(
    app: &App,
    who: &Who,
    (dag_id, run_id): (&str, &str),
    changes: &Changes,
) -> Result<RunRow, ApiError> {
    find::run(app, dag_id, run_id).await?;
    let edit = changes.state.map(|state| match state {
        DagRunMutableStates::Queued => Edit::Clear { tasks: Selection::default(), only_failed: false },
        DagRunMutableStates::Success => Edit::MarkRun { state: RunState::Success },
        DagRunMutableStates::Failed => Edit::MarkRun { state: RunState::Failed },
    });
    let options = EditOptions { who: Some(&who.user), ..EditOptions::default() };
    let note = changes.note.as_ref().map(Option::as_deref);
    let change = RunChange { edit: edit.as_ref(), note };
    Ok(app.store.change_run(&app.dags, (dag_id, run_id), &change, options, (app.now)()).await?)
}

/// Deletes a run. One that waits for its start is cancelled first, as Airflow lets it go too.
pub(super) async fn delete(app: &App, who: &Who, (dag_id, run_id): (&str, &str)) -> Result<(), ApiError> {
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    let row = tx.run_by_id(dag_id, run_id).await?.ok_or_else(|| find::no_such_run(dag_id, run_id))?;
    match row.run.state {
        RunState::Running => {
            return Err(ApiError::conflict(format!(
                "The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` cannot be deleted in running state"
            )));
        }
        RunState::Queued => {
            let options = EditOptions { who: Some(&who.user), ..EditOptions::default() };
            tx.edit_run(&app.dags, (dag_id, run_id), &Edit::Cancel, options, now).await?;
        }
        RunState::Success | RunState::Failed => {}
    }
    tx.delete_run(&row.run, Some(&who.user), now).await?;
    tx.commit().await?;
    forget(&app.logs, LogsOf::Run(row.run.dag_id, row.run.run_id)).await;
    Ok(())
}
