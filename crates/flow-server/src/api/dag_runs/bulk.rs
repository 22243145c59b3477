//! Changing and deleting several runs with one request: what could not be done is told for each, the rest is done.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    DagRunMutableStates,
    change::{Changes, change, delete},
    note,
};
use crate::{
    ApiError, App, Who,
    api::{
        Refusals,
        bulk::{BulkAction, BulkActionNotOnExistence, BulkActionResponse, BulkBody, BulkDone, BulkResponse, Named},
    },
    auth,
    extract::{Json, Path},
};

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkDAGRunBody {
    dag_run_id: String,
    /// Left out = the one in the path
    dag_id: Option<String>,
    state: Option<DagRunMutableStates>,
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// Changes and deletes runs
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns", tag = "DagRun", params(("dag_id" = String, Path)),
    request_body = BulkBody<BulkDAGRunBody>, responses((status = 200, body = BulkResponse), (status = 404, body = crate::error::ErrorBody), Refusals))]
pub(super) async fn bulk_dag_runs(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Json(body): Json<BulkBody<BulkDAGRunBody>>,
) -> Result<BulkDone, ApiError> {
    body.check_size()?;
    let mut response = BulkResponse::default();
    for action in body.actions {
        match action {
            BulkAction::Create { .. } => {
                let text = "Dag Runs bulk create is not supported. Use the trigger Dag Run endpoint instead.";
                let refusal = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, text);
                response.create.get_or_insert_default().refused(refusal)?;
            }
            BulkAction::Update { entities, update_mask, action_on_non_existence } => {
                let results = response.update.get_or_insert_default();
                let entities = entities.into_iter().map(Named::Whole).collect();
                let found = find(results, &app, &who, &dag_id, entities, action_on_non_existence).await?;
                for ((dag_id, run_id), entity) in found {
                    let Named::Whole(body) = entity else { continue };
                    let outcome = match body.changes(update_mask.as_deref()) {
                        Ok(changes) => change(&app, &who, (&dag_id, &run_id), &changes).await.map(|_| ()),
                        Err(error) => Err(error),
                    };
                    settle(results, &dag_id, &run_id, outcome)?;
                }
            }
            BulkAction::Delete { entities, action_on_non_existence } => {
                let results = response.delete.get_or_insert_default();
                let found = find(results, &app, &who, &dag_id, entities, action_on_non_existence).await?;
                for (dag_id, run_id) in found.into_keys() {
                    let outcome = delete(&app, &who, (&dag_id, &run_id)).await;
                    settle(results, &dag_id, &run_id, outcome)?;
                }
            }
        }
    }
    Ok(response.done("run"))
}

impl BulkDAGRunBody {
    fn changes(&self, mask: Option<&[String]>) -> Result<Changes, ApiError> {
        let counts = |name: &str| mask.is_none_or(|mask| mask.is_empty() || mask.iter().any(|field| field == name));
        let text = self.note.as_deref().filter(|_| counts("note"));
        Ok(Changes {
            state: self.state.filter(|_| counts("state")),
            note: text.map(|text| note(&["body", "note"], text)).transpose()?,
        })
    }
}

/// Returns the DAG and the run that an entity names, in a path of this DAG.
///
/// # Errors
///
/// A sentence, when the DAG is not said.
pub(super) fn named(dag_id: &str, run: &BulkDAGRunBody) -> Result<(String, String), String> {
    let dag_id = run.dag_id.as_deref().unwrap_or(dag_id);
    if dag_id == "~" || run.dag_run_id == "~" {
        return Err(format!(
            "When using wildcard in path, dag_id must be specified in request body for dag_run_id: {}",
            run.dag_run_id
        ));
    }
    Ok((dag_id.to_owned(), run.dag_run_id.clone()))
}

fn settle(
    results: &mut BulkActionResponse,
    dag_id: &str,
    run_id: &str,
    outcome: Result<(), ApiError>,
) -> Result<(), ApiError> {
    match outcome {
        Ok(()) => results.success.push(format!("{dag_id}.{run_id}")),
        Err(error) => results.refused(error)?,
    }
    Ok(())
}

/// Returns the runs that are there, and notes what is wrong with the others.
async fn find(
    results: &mut BulkActionResponse,
    app: &App,
    who: &Who,
    dag_id: &str,
    entities: Vec<Named<BulkDAGRunBody>>,
    missing: BulkActionNotOnExistence,
) -> Result<BTreeMap<(String, String), Named<BulkDAGRunBody>>, ApiError> {
    let mut found = BTreeMap::new();
    let mut not_found = Vec::new();
    for entity in entities {
        let name = match &entity {
            Named::Whole(run) => named(dag_id, run),
            Named::Name(run_id) if dag_id == "~" || run_id == "~" => Err(format!(
                "When using wildcard in path, dag_id must be specified in BulkDAGRunBody object, not as string for dag_run_id: {run_id}"
            )),
            Named::Name(run_id) => Ok((dag_id.to_owned(), run_id.clone())),
        };
        let name = match name {
            Ok(name) => name,
            Err(text) => {
                results.refused(ApiError::bad_request(text))?;
                continue;
            }
        };
        if let Err(error) = auth::check_dag(app, who, &name.0, true).await {
            results.refused(error)?;
            continue;
        }
        match app.store.run(&name.0, &name.1).await? {
            Some(_) => {
                found.insert(name, entity);
            }
            None => not_found.push(name),
        }
    }
    if missing == BulkActionNotOnExistence::Fail && !not_found.is_empty() {
        not_found.sort();
        not_found.dedup();
        let names: Vec<String> = not_found.iter().map(|(dag, run)| format!("('{dag}', '{run}')")).collect();
        let text = format!("The DagRuns with these identifiers: [{}] were not found", names.join(", "));
        results.refused(ApiError::missing(text))?;
        found.clear();
    }
    Ok(found)
}
