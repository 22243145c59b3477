//! Changing and deleting several runs with one request: what could not be done is told for each, the rest is done.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    DagRunMutableStates,
    change::{Changes, change, delete},
    note,
};
use crate::{
    ApiError, App, Who,
    api::Refusals,
    auth,
    extract::{Json, Path},
};

/// Most runs of a request.
const ENTITIES_MAX: usize = 1_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkBody_BulkDAGRunBody_)]
pub(super) struct BulkBody {
    actions: Vec<Action>,
}

#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "lowercase")]
#[schema(as = BulkAction_BulkDAGRunBody_)]
enum Action {
    /// Not supported: runs are made one by one
    Create {
        entities: Vec<BulkDAGRunBody>,
        #[serde(default)]
        #[expect(dead_code, reason = "nothing is created")]
        action_on_existence: OnExistence,
    },
    Update {
        entities: Vec<BulkDAGRunBody>,
        update_mask: Option<Vec<String>>,
        #[serde(default)]
        action_on_non_existence: NotOnExistence,
    },
    Delete {
        entities: Vec<Entity>,
        #[serde(default)]
        action_on_non_existence: NotOnExistence,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BulkActionOnExistence)]
enum OnExistence {
    #[default]
    Fail,
    Skip,
    Overwrite,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BulkActionNotOnExistence)]
enum NotOnExistence {
    /// Nothing is done
    #[default]
    Fail,
    Skip,
}

/// A run, by its id or with its DAG.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Entity {
    Id(String),
    Run(BulkDAGRunBody),
}

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

#[derive(Serialize, ToSchema)]
pub(super) struct BulkResponse {
    create: Option<BulkActionResponse>,
    update: Option<BulkActionResponse>,
    delete: Option<BulkActionResponse>,
}

#[derive(Debug, Default, Serialize, ToSchema)]
struct BulkActionResponse {
    /// `DAG.RUN`
    success: Vec<String>,
    /// Each with `error` and `status_code`
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
}

/// Changes and deletes runs
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns", tag = "DagRun", params(("dag_id" = String, Path)),
    request_body = BulkBody, responses((status = 200, body = BulkResponse), Refusals))]
pub(super) async fn bulk_dag_runs(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Json(body): Json<BulkBody>,
) -> Result<axum::Json<BulkResponse>, ApiError> {
    let number: usize = body.actions.iter().map(Action::len).sum();
    if number > ENTITIES_MAX || body.actions.len() > ENTITIES_MAX {
        return Err(ApiError::invalid(&["body", "actions"], format!("at most {ENTITIES_MAX} runs at once")));
    }
    let mut response = BulkResponse { create: None, update: None, delete: None };
    for action in body.actions {
        match action {
            Action::Create { .. } => {
                let text = "Dag Runs bulk create is not supported. Use the trigger Dag Run endpoint instead.";
                response.create.get_or_insert_default().refuse(text, 405);
            }
            Action::Update { entities, update_mask, action_on_non_existence } => {
                let results = response.update.get_or_insert_default();
                let entities = entities.into_iter().map(Entity::Run).collect();
                let found = results.find(&app, &who, &dag_id, entities, action_on_non_existence).await?;
                for ((dag_id, run_id), entity) in found {
                    let Entity::Run(body) = entity else { continue };
                    let outcome = match body.changes(update_mask.as_deref()) {
                        Ok(changes) => change(&app, &who, (&dag_id, &run_id), &changes).await.map(|_| ()),
                        Err(error) => Err(error),
                    };
                    results.settle(&dag_id, &run_id, outcome);
                }
            }
            Action::Delete { entities, action_on_non_existence } => {
                let results = response.delete.get_or_insert_default();
                let found = results.find(&app, &who, &dag_id, entities, action_on_non_existence).await?;
                for (dag_id, run_id) in found.into_keys() {
                    let outcome = delete(&app, &who, (&dag_id, &run_id)).await;
                    results.settle(&dag_id, &run_id, outcome);
                }
            }
        }
    }
    Ok(axum::Json(response))
}

impl Action {
    fn len(&self) -> usize {
        match self {
            Self::Create { entities, action_on_existence: _ } | Self::Update { entities, .. } => entities.len(),
            Self::Delete { entities, .. } => entities.len(),
        }
    }
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

impl BulkActionResponse {
    fn refuse(&mut self, text: impl Into<String>, status: u16) {
        self.errors.push(json!({ "error": text.into(), "status_code": status }));
    }

    fn settle(&mut self, dag_id: &str, run_id: &str, outcome: Result<(), ApiError>) {
        match outcome {
            Ok(()) => self.success.push(format!("{dag_id}.{run_id}")),
            Err(error) => self.refuse(error.sentence(), error.status().as_u16()),
        }
    }

    /// Returns the runs that are there, and notes what is wrong with the others.
    async fn find(
        &mut self,
        app: &App,
        who: &Who,
        dag_id: &str,
        entities: Vec<Entity>,
        missing: NotOnExistence,
    ) -> Result<BTreeMap<(String, String), Entity>, ApiError> {
        let mut found = BTreeMap::new();
        let mut not_found = Vec::new();
        for entity in entities {
            let name = match &entity {
                Entity::Run(run) => named(dag_id, run),
                Entity::Id(run_id) if dag_id == "~" || run_id == "~" => Err(format!(
                    "When using wildcard in path, dag_id must be specified in BulkDAGRunBody object, not as string for dag_run_id: {run_id}"
                )),
                Entity::Id(run_id) => Ok((dag_id.to_owned(), run_id.clone())),
            };
            let name = match name {
                Ok(name) => name,
                Err(text) => {
                    self.refuse(text, 400);
                    continue;
                }
            };
            if let Err(error) = auth::check_dag(app, who, &name.0, true).await {
                self.refuse(error.sentence(), error.status().as_u16());
                continue;
            }
            match app.store.run(&name.0, &name.1).await? {
                Some(_) => {
                    found.insert(name, entity);
                }
                None => not_found.push(name),
            }
        }
        if missing == NotOnExistence::Fail && !not_found.is_empty() {
            not_found.sort();
            not_found.dedup();
            let names: Vec<String> = not_found.iter().map(|(dag, run)| format!("('{dag}', '{run}')")).collect();
            self.refuse(format!("The DagRuns with these identifiers: [{}] were not found", names.join(", ")), 404);
            found.clear();
        }
        Ok(found)
    }
}
