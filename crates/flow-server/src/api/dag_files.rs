//! The files of the DAG folder: a list, one, writing and removing one.
//!
//! A file with a DAG that is hidden from someone is not there for them. Of a file of which no DAG is known, nobody can say
//! who may read it: its name is shown, and its text to Op and Admin only.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Refusals,
    check::{self, Quotes},
};
use crate::{
    ApiError, App,
    access::{Role, Who},
    auth,
    dag_files::DagFileError,
    error::ErrorBody,
    extract::{Json, Path, Query},
    wire::When,
};

/// Most files in a list.
const FILES_MAX: usize = 10_000;

/// Why nobody may write.
const IS_OFF: &str = "DAG files are not edited here: to allow it, set `edit_dags = true` below `[web]` in \
                      `$FLOW_HOME/flow.toml` (`web.edit_dags`), or `FLOW__WEB__EDIT_DAGS=true`, and start Flow again";

#[derive(Serialize, ToSchema)]
struct DagFilesResponse {
    can_edit: bool,
    /// A sentence, when not
    why_not: Option<String>,
    /// By path; at most 10,000
    files: Vec<DagFileInList>,
}

#[derive(Serialize, ToSchema)]
struct DagFileInList {
    /// Below the DAG folder, with `/`
    path: String,
    /// In bytes
    size: u64,
    modified: When,
    /// Of the DAGs that it held when it was last read
    dag_ids: Vec<String>,
    has_errors: bool,
}

#[derive(Serialize, ToSchema)]
struct DagFileResponse {
    path: String,
    text: String,
    /// To be sent back with a change: it tells whether the file is still as it was read
    etag: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DagFileBody {
    /// At most 1 MiB
    text: String,
    /// Of the text that it takes the place of; null = the file is new
    etag: Option<String>,
    /// Save it though it has errors
    #[serde(default)]
    force: bool,
}

#[derive(Serialize, ToSchema)]
struct DagFileSaved {
    /// Of what was saved
    etag: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Expected {
    /// Of the text that the file must hold
    etag: Option<String>,
}

/// Turns what the folder says into an answer; `place`: where the path was given.
pub(super) fn refusal(place: &[&str], error: DagFileError) -> ApiError {
    match error {
        DagFileError::Missing(sentence) => ApiError::missing(sentence),
        DagFileError::Changed(sentence) => ApiError::conflict(sentence),
        DagFileError::Refused(sentence) => ApiError::invalid(place, sentence),
        DagFileError::Failed(sentence) => ApiError::bad_request(sentence),
    }
}

fn of_path(error: DagFileError) -> ApiError {
    refusal(&["path", "path"], error)
}

/// What the database knows of the files.
struct Known {
    /// The DAGs of each file.
    dags: BTreeMap<String, Vec<String>>,
    hidden: BTreeSet<String>,
}

impl Known {
    async fn to(app: &App, who: &Who) -> Result<Self, ApiError> {
        let hidden_dags: BTreeSet<String> = auth::hidden_dags(app, who).await?.into_iter().collect();
        let mut known = Self { dags: BTreeMap::new(), hidden: BTreeSet::new() };
        for row in app.store.dags().await?.into_iter().filter(|row| !row.is_stale) {
            if hidden_dags.contains(&row.dag_id) {
                known.hidden.insert(row.file.clone());
            }
            known.dags.entry(row.file).or_default().push(row.dag_id);
        }
        Ok(known)
    }

    /// Finds out whether someone may see a file.
    fn check(&self, path: &str) -> Result<(), ApiError> {
        // The words for one that is not there.
        if self.hidden.contains(path) { Err(no_such_file()) } else { Ok(()) }
    }
}

fn no_such_file() -> ApiError {
    ApiError::missing("the file does not exist")
}

/// Says why someone may change nothing, if so.
fn why_not(app: &App, who: &Who, obstacle: Option<String>) -> Option<String> {
    if who.role < Role::Op {
        return Some(format!("this needs the role {}; you are {}", Role::Op.as_str(), who.role.as_str()));
    }
    if app.edit_dags { obstacle } else { Some(IS_OFF.to_owned()) }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_dag_files))
        .routes(routes!(get_dag_file, put_dag_file, delete_dag_file))
        .layer(DefaultBodyLimit::max(crate::DAG_TEXT_BODY_BYTES_MAX))
}

/// The files of the DAG folder, but those with a DAG that is hidden from who asks
#[utoipa::path(get, path = "/ui/files", tag = "User interface",
    responses((status = 200, body = DagFilesResponse), Refusals))]
async fn get_dag_files(State(app): State<App>, who: Who) -> Result<axum::Json<DagFilesResponse>, ApiError> {
    let list = app.dag_files.list(FILES_MAX).await;
    let known = Known::to(&app, &who).await?;
    let broken: BTreeSet<String> = app.store.files_with_errors().await?.into_iter().collect();
    let line = |file: crate::DagFileLine| DagFileInList {
        size: file.bytes,
        modified: When(file.modified),
        dag_ids: known.dags.get(&file.path).cloned().unwrap_or_default(),
        has_errors: broken.contains(&file.path),
        path: file.path,
    };
    let why_not = why_not(&app, &who, list.obstacle);
    let files = list.files.into_iter().filter(|file| !known.hidden.contains(&file.path)).map(line).collect();
    Ok(axum::Json(DagFilesResponse { can_edit: why_not.is_none(), why_not, files }))
}

/// The text of a DAG file
#[utoipa::path(get, path = "/ui/files/{path}", tag = "User interface",
    params(("path" = String, Path, description = "Below the DAG folder, percent-encoded as one part of the address")),
    responses((status = 200, body = DagFileResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_file(
    State(app): State<App>,
    who: Who,
    Path(path): Path<String>,
) -> Result<axum::Json<DagFileResponse>, ApiError> {
    let known = Known::to(&app, &who).await?;
    known.check(&path)?;
    let file = app.dag_files.read(&path).await.map_err(of_path)?;
    let text: Arc<str> = file.text.into();
    if who.role < Role::Op {
        if !known.dags.contains_key(&path) {
            return Err(ApiError::forbidden("no DAG of this file is known yet, so only Op and Admin may read it"));
        }
        // What the file says about who may see it may be newer than what the database knows.
        // Complaints are not told, so that they may quote anything.
        let checked = check::check(&app, &who, Some(&path), text.clone(), Quotes::All).await?;
        if !checked.dags.iter().all(|dag| auth::may_read(dag.access_control.as_ref(), &who)) {
            return Err(no_such_file());
        }
        // A DAG with an error is none of those, and may be hidden.
        if checked.errors().is_some() {
            return Err(ApiError::forbidden("the file has errors, so only Op and Admin may read it"));
        }
    }
    Ok(axum::Json(DagFileResponse { path, text: text.to_string(), etag: file.etag }))
}

/// Save the text of a DAG file, or add one
#[utoipa::path(put, path = "/ui/files/{path}", tag = "User interface", request_body = DagFileBody,
    params(("path" = String, Path, description = "Below the DAG folder, percent-encoded as one part of the address")),
    responses((status = 200, body = DagFileSaved), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is not as it was read, or there is one already"), Refusals))]
async fn put_dag_file(
    State(app): State<App>,
    who: Who,
    Path(path): Path<String>,
    Json(body): Json<DagFileBody>,
) -> Result<axum::Json<DagFileSaved>, ApiError> {
    check_may_edit(&app, &who, &path).await?;
    let text: Arc<str> = body.text.into();
    if !body.force {
        let checked = check::check(&app, &who, Some(&path), text.clone(), Quotes::All).await?;
        if let Some((first, count)) = checked.errors() {
            let all = if count == 1 { "an error".to_owned() } else { format!("{count} errors, the first") };
            let place = if first.line > 0 { format!(" on line {}", first.line) } else { String::new() };
            let sentence = format!("the text has {all}{place}: {}; `force` saves it nevertheless", first.message);
            return Err(ApiError::bad_request(sentence));
        }
    }
    let etag = app.dag_files.write(&path, &text, body.etag.as_deref()).await.map_err(of_path)?;
    Ok(axum::Json(DagFileSaved { etag }))
}

/// Remove a DAG file: its DAGs run no more, and keep their history
#[utoipa::path(delete, path = "/ui/files/{path}", tag = "User interface",
    params(("path" = String, Path, description = "Below the DAG folder, percent-encoded as one part of the address"),
        Expected),
    responses((status = 204, description = "It is gone"), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is not as it was read"), Refusals))]
async fn delete_dag_file(
    State(app): State<App>,
    who: Who,
    Path(path): Path<String>,
    Query(expected): Query<Expected>,
) -> Result<StatusCode, ApiError> {
    check_may_edit(&app, &who, &path).await?;
    app.dag_files.remove(&path, expected.etag.as_deref()).await.map_err(of_path)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses changes where there may be none.
async fn check_may_edit(app: &App, who: &Who, path: &str) -> Result<(), ApiError> {
    if !app.edit_dags {
        return Err(ApiError::forbidden(IS_OFF));
    }
    Known::to(app, who).await?.check(path)
}
