//! Checks the text of a DAG file that is being written: what `flow dags check` says, and what it would look like.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::{DefaultBodyLimit, State};
use flow_core::{
    Dag,
    dag::{self, Diagnostic, Severity, Source},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Refusals,
    dag_files::refusal,
    graph::{GraphDirection, GraphResponse},
};
use crate::{ApiError, App, access::Who, auth, extract::Json, graphs::busy};

/// Tasks of all graphs in one answer; the DAGs after that come without one.
const TASKS_MAX: usize = 10_000;
/// DAGs of a text for which is looked whether another file has one of that name.
const NAMES_MAX: usize = 100;
/// What a text is called that has no path yet.
const UNNAMED: &str = "untitled";

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
    /// Null when all graphs together would have more than 10,000 tasks
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

/// What a text holds.
pub(super) struct Checked {
    pub(super) dags: Vec<Dag>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Returns the first error, and how many there are.
    pub(super) fn errors(&self) -> Option<(&Diagnostic, usize)> {
        let mut errors = self.diagnostics.iter().filter(|found| found.is_error());
        errors.next().map(|first| (first, 1 + errors.count()))
    }
}

/// Checks a text as the file that it is to be.
///
/// # Errors
///
/// When no DAG file can have this path, or too many texts are being checked.
pub(super) async fn check(app: &App, who: &Who, path: Option<&str>, text: Arc<str>) -> Result<Checked, ApiError> {
    let _place = app.graphs.place_in_line()?;
    let stem = path.map_or(UNNAMED, stem).to_owned();
    let (reader, dags) = (text.clone(), app.dags.clone());
    let names = busy(app.graphs.turn().await?, move || dag::file_references(&reader)).await?;
    let mut files = app.dag_files.named(path, names).await.map_err(|error| refusal(&["body", "path"], error))?;
    let hidden = auth::hidden_dags(app, who).await?;
    if !hidden.is_empty() {
        // A file may belong to a DAG that is hidden, and a complaint may quote it: only whether it is there is told.
        files.values_mut().flatten().for_each(String::clear);
    }
    let mut parsed =
        busy(app.graphs.turn().await?, move || dag::parse(&Source { text: &text, stem: &stem, files }, dags.catalog()))
            .await?;
    if let Some(path) = path {
        for found in parsed.dags.iter().take(NAMES_MAX) {
            let other = app.store.dag(found.dag.id.as_str()).await?;
            let other = other.filter(|other| !other.is_stale && other.file != path && !hidden.contains(&other.dag_id));
            if let Some(other) = other {
                let message = format!("DAG `{}` is in `{}` already", found.dag.id, other.file);
                let place = Diagnostic { line: found.line, column: 1, ..Diagnostic::whole_file(message) };
                parsed.diagnostics.push(place);
            }
        }
    }
    Ok(Checked { dags: parsed.dags.into_iter().map(|found| found.dag).collect(), diagnostics: parsed.diagnostics })
}

/// A file's name without folder and ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Draws the DAGs, as many as there is room for.
fn drawn(dags: Vec<Dag>) -> Vec<CheckedDag> {
    let mut room = TASKS_MAX;
    let one = |dag: Dag| {
        let graph = room.checked_sub(dag.tasks.len()).map(|left| {
            room = left;
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
async fn check_dag_text(
    State(app): State<App>,
    who: Who,
    Json(body): Json<DagTextBody>,
) -> Result<axum::Json<DagTextResponse>, ApiError> {
    let text: Arc<str> = body.text.into();
    let Checked { dags, diagnostics } = check(&app, &who, body.path.as_deref(), text.clone()).await?;
    let dags = busy(app.graphs.turn().await?, move || drawn(dags)).await?;
    let diagnostics = diagnostics.into_iter().map(|found| DagDiagnostic::new(found, &text)).collect();
    Ok(axum::Json(DagTextResponse { dags, diagnostics }))
}

/// The JSON schema of DAG files, with every operator: for editors
#[utoipa::path(get, path = "/ui/schema/dag", tag = "User interface",
    responses((status = 200, body = Object), Refusals))]
async fn get_dag_schema(State(app): State<App>) -> axum::Json<Arc<Value>> {
    std::future::ready(axum::Json(app.dag_schema.clone())).await
}
