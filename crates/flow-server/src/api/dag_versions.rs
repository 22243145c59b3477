//! Texts and versions of DAGs, and reading a file again.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use flow_store::{Page, VersionLine, VersionOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, dags};
use crate::{
    ApiError, App,
    access::Who,
    auth,
    error::ErrorBody,
    extract::{Form, Path, Query},
    page::{self, Paging},
    wire::DagVersionResponse,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Version {
    /// The latest one when nothing is said
    version_number: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct VersionFilter {
    version_number: Option<i64>,
    /// There is one bundle: `dags-folder`
    bundle_name: Option<String>,
    bundle_version: Option<String>,
    #[serde(default)]
    order_by: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct DAGSourceResponse {
    content: Option<String>,
    dag_id: String,
    version_number: Option<i64>,
    dag_display_name: String,
}

#[derive(Serialize, ToSchema)]
struct DAGVersionCollectionResponse {
    dag_versions: Vec<DagVersionResponse>,
    total_entries: u64,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_dag_source))
        .routes(routes!(get_dag_versions))
        .routes(routes!(get_dag_version))
        .routes(routes!(reparse_dag_file))
}

/// The text of a DAG, as JSON or as it is
#[utoipa::path(get, path = "/api/v2/dagSources/{dag_id}", tag = "DagSource",
    params(("dag_id" = String, Path), Version),
    responses((status = 200, content((DAGSourceResponse = "application/json"), (String = "text/plain"))),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 406, body = ErrorBody), Refusals))]
async fn get_dag_source(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(wanted): Query<Version>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = Form::of(&headers)?;
    let line = dags::find(&app, &dag_id).await?;
    let version_id = match wanted.version_number {
        Some(number) => version(&app, &dag_id, number).await?.id,
        None => line.version_id,
    };
    let version = app.store.version(version_id).await?;
    Ok(match form {
        Form::Text => version.text.into_response(),
        Form::Json => Json(DAGSourceResponse {
            content: Some(version.text),
            dag_display_name: line.display_name.unwrap_or_else(|| dag_id.clone()),
            dag_id,
            version_number: Some(version.number),
        })
        .into_response(),
    })
}

/// Finds a version of a DAG, or says that there is none.
pub(super) async fn version(app: &App, dag_id: &str, number: i64) -> Result<VersionLine, ApiError> {
    let found = app.store.list_versions(Some(dag_id), Some(number), &[], &[], Page { limit: 1, offset: 0 }).await?;
    let missing = || ApiError::not_found("dag version", format!("{dag_id}/{number}"));
    found.rows.into_iter().next().ok_or_else(missing)
}

const ORDERS: [(&str, VersionOrder); 5] = [
    ("id", VersionOrder::Id),
    ("version_number", VersionOrder::Number),
    ("created_at", VersionOrder::CreatedAt),
    ("bundle_name", VersionOrder::Id),
    ("bundle_version", VersionOrder::Id),
];

/// The versions of a DAG; `~` = of all
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagVersions", tag = "DagVersion",
    params(("dag_id" = String, Path), Paging, VersionFilter),
    responses((status = 200, body = DAGVersionCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_versions(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Query(paging): Query<Paging>,
    Query(filter): Query<VersionFilter>,
) -> Result<Json<DAGVersionCollectionResponse>, ApiError> {
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let of_one = (dag_id != "~").then_some(dag_id.as_str());
    if let Some(dag_id) = of_one {
        dags::find(&app, dag_id).await?;
    }
    if filter.bundle_name.is_some_and(|name| name != super::BUNDLE) || filter.bundle_version.is_some() {
        return Ok(Json(DAGVersionCollectionResponse { dag_versions: Vec::new(), total_entries: 0 }));
    }
    let hidden = if of_one.is_some() { Vec::new() } else { auth::hidden_dags(&app, &who).await? };
    let listed = app.store.list_versions(of_one, filter.version_number, &hidden, &orders, paging.page()?).await?;
    Ok(Json(DAGVersionCollectionResponse {
        dag_versions: listed.rows.iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagVersions/{version_number}", tag = "DagVersion",
    params(("dag_id" = String, Path), ("version_number" = i64, Path)),
    responses((status = 200, body = DagVersionResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_version(
    State(app): State<App>,
    Path((dag_id, number)): Path<(String, i64)>,
) -> Result<Json<DagVersionResponse>, ApiError> {
    Ok(Json((&version(&app, &dag_id, number).await?).into()))
}

/// Read a DAG file again soon, though it has not changed
#[utoipa::path(put, path = "/api/v2/parseDagFile/{file_token}", tag = "DAG Parsing",
    params(("file_token" = String, Path, description = "From a DAG")),
    responses((status = 201, body = Option<String>, description = "Always null"), (status = 404, body = ErrorBody),
        Refusals))]
async fn reparse_dag_file(
    State(app): State<App>,
    who: Who,
    Path(token): Path<String>,
) -> Result<(StatusCode, Json<Option<String>>), ApiError> {
    let missing = || ApiError::new(StatusCode::NOT_FOUND, "no DAG file has this token");
    let file = dags::file_of(&token).ok_or_else(missing)?;
    for dag_id in app.store.dags_of_file(&file).await? {
        // The words for a DAG that is not there would tell the name of one that is hidden.
        let hide = |error: ApiError| if error.status() == StatusCode::NOT_FOUND { missing() } else { error };
        auth::check_dag(&app, &who, &dag_id, true).await.map_err(hide)?;
    }
    let mut tx = app.store.begin().await?;
    // Nothing is done with the path but to compare it with those of files that the folder's watcher has read.
    if !tx.read_file_again(&file).await? {
        return Err(missing());
    }
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(None)))
}
