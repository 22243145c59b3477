//! Checks the text of a DAG file that is being written: what `flow dags check` says, and what it would look like.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{DefaultBodyLimit, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use flow_core::{
    Dag,
    dag::{self, Diagnostic, Severity, Source},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Refusals,
    dag_files::refusal,
    graph::{GraphDirection, GraphResponse},
};
use crate::{
    ApiError, App,
    access::{Role, Who},
    auth,
    extract::Json,
    graphs::busy,
};

/// Tasks of all graphs in one answer; the DAGs after that come without one.
const TASKS_MAX: usize = 10_000;
/// Arrows of all graphs in one answer.
const ARROWS_MAX: usize = 100_000;
/// DAGs of a text for which is looked whether another file has one of that name.
const NAMES_MAX: usize = 100;
/// What a text is called that has no path yet.
const UNNAMED: &str = "untitled";
/// All that some are told of a file that a text names.
const CANNOT_BE_READ: &str = "is not there or cannot be read";

/// A text that is to be a DAG file
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DagTextBody {
    /// Where it is to be, below the DAG folder: files that it names with `$f` are looked for beside it
    path: Option<String>,
    /// At most 1 MiB
    text: String,
}

/// What was understood of a text, and what is wrong with it
#[derive(Serialize, ToSchema)]
struct DagTextResponse {
    /// Those without an error
    dags: Vec<CheckedDag>,
    diagnostics: Vec<DagDiagnostic>,
}

#[derive(Serialize, ToSchema)]
struct CheckedDag {
    dag_id: String,
    /// Null when all graphs together would have more than 10,000 tasks or 100,000 arrows
    graph: Option<GraphResponse>,
}

/// A complaint about a place in a text. Lines and columns count from 1, columns in characters
#[derive(Serialize, ToSchema)]
struct DagDiagnostic {
    severity: DagSeverity,
    /// Always null
    code: Option<String>,
    message: String,
    /// What may have been meant, or another way out
    help: Option<String>,
    /// Null when it is about the whole text
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DagSeverity {
    /// The DAG cannot be used
    Error,
    /// It can, but look here
    Warning,
}

impl DagDiagnostic {
    /// `text`: what the complaint is about.
    fn new(found: Diagnostic, text: &str) -> Self {
        let place = |number: usize| (found.line > 0).then_some(number);
        // A complaint never reaches over the end of its line.
        let width = text.get(found.span.clone()).map_or(0, |part| part.chars().count());
        Self {
            severity: match found.severity {
                Severity::Error => DagSeverity::Error,
                Severity::Warning | Severity::Note => DagSeverity::Warning,
            },
            code: None,
            line: place(found.line),
            column: place(found.column),
            end_line: place(found.line),
            end_column: place(found.column + width),
            message: found.message,
            help: found.help,
        }
    }
}

/// What a text holds. As long as it is at hand, no other text is checked.
pub(super) struct Checked<'a> {
    pub(super) dags: Vec<Dag>,
    pub(super) diagnostics: Vec<Diagnostic>,
    turn: Arc<OwnedSemaphorePermit>,
    place: SemaphorePermit<'a>,
}

impl Checked<'_> {
    /// Returns the first error, and how many there are.
    pub(super) fn errors(&self) -> Option<(&Diagnostic, usize)> {
        let mut errors = self.diagnostics.iter().filter(|found| found.is_error());
        errors.next().map(|first| (first, 1 + errors.count()))
    }
}

/// What is told about the files that a text names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Complaints may quote them.
    All,
    /// Only whether they can be read.
    None,
}

/// Checks a text as the file that it is to be.
///
/// # Errors
///
/// When no DAG file can have this path, or too many texts are being checked.
pub(super) async fn check<'a>(
    app: &'a App,
    who: &Who,
    path: Option<&str>,
    text: Arc<str>,
    quotes: Quotes,
) -> Result<Checked<'a>, ApiError> {
    let place = app.graphs.place_in_line()?;
    let turn = Arc::new(app.graphs.check_turn().await?);
    let stem = path.map_or(UNNAMED, stem).to_owned();
    let (reader, dags) = (text.clone(), app.dags.clone());
    let names = busy(turn.clone(), move || dag::file_references(&reader)).await?;
    let mut files = app.dag_files.named(path, names).await.map_err(|error| refusal(&["body", "path"], error))?;
    let hidden = auth::hidden_dags(app, who).await?;
    if quotes == Quotes::None {
        for content in files.values_mut() {
            match content {
                Ok(text) => text.clear(),
                Err(why) => CANNOT_BE_READ.clone_into(why),
            }
        }
    }
    let parse = move || dag::parse(&Source { text: &text, stem: &stem, files }, dags.catalog());
    let mut parsed = busy(turn.clone(), parse).await?;
    if let Some(path) = path {
        for found in parsed.dags.iter().take(NAMES_MAX) {
            let other = app.store.dag(found.dag.id.as_str()).await?;
            let other = other.filter(|other| !other.is_stale && other.file != path && !hidden.contains(&other.dag_id));
            if let Some(other) = other {
                let message = format!("DAG `{}` is in `{}` already", found.dag.id, other.file);
                let found = Diagnostic { line: found.line, column: 1, ..Diagnostic::whole_file(message) };
                parsed.diagnostics.push(found);
            }
        }
    }
    let dags = parsed.dags.into_iter().map(|found| found.dag).collect();
    Ok(Checked { dags, diagnostics: parsed.diagnostics, turn, place })
}

/// A file's name without folder and ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Draws the DAGs, as many as there is room for.
fn drawn(dags: Vec<Dag>) -> Vec<CheckedDag> {
    let (mut tasks, mut arrows) = (TASKS_MAX, ARROWS_MAX);
    let one = |dag: Dag| {
        let needed: usize = dag.tasks.iter().map(|task| task.downstream.len()).sum();
        let left = tasks.checked_sub(dag.tasks.len()).zip(arrows.checked_sub(needed));
        let graph = left.map(|left| {
            (tasks, arrows) = left;
            GraphResponse::of(&dag, None, GraphDirection::LeftToRight, &BTreeSet::new())
        });
        CheckedDag { dag_id: dag.id.to_string(), graph }
    };
    dags.into_iter().map(one).collect()
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(check_dag_text))
        .routes(routes!(get_dag_schema))
        .layer(DefaultBodyLimit::max(crate::DAG_TEXT_BODY_BYTES_MAX))
}

/// Say what is wrong with the text of a DAG file, and what its DAGs look like
#[utoipa::path(post, path = "/ui/dags/check", tag = "User interface", request_body = DagTextBody,
    responses((status = 200, body = DagTextResponse), Refusals))]
async fn check_dag_text(State(app): State<App>, who: Who, Json(body): Json<DagTextBody>) -> Result<Response, ApiError> {
    let text: Arc<str> = body.text.into();
    // Anybody's file may be named.
    let quotes = if who.role < Role::Op { Quotes::None } else { Quotes::All };
    let checked = check(&app, &who, body.path.as_deref(), text.clone(), quotes).await?;
    let Checked { dags, diagnostics, turn, place: _place } = checked;
    let answer = move || {
        let diagnostics = diagnostics.into_iter().map(|found| DagDiagnostic::new(found, &text)).collect();
        serde_json::to_string(&DagTextResponse { dags: drawn(dags), diagnostics })
    };
    let answer = busy(turn, answer).await?.map_err(|error| ApiError::unavailable(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

/// The JSON schema of DAG files, with every operator: for editors
#[utoipa::path(get, path = "/ui/schema/dag", tag = "User interface",
    responses((status = 200, body = Object), Refusals))]
async fn get_dag_schema(State(app): State<App>) -> axum::Json<Arc<Value>> {
    std::future::ready(axum::Json(app.dag_schema.clone())).await
}
