//! XComs: small results that tasks hand on.

use axum::{
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
};
use flow_core::RunKey;
use flow_store::{XComFilter, XComKey, XComLine, XComOrder, XComWritten};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    access::Who,
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
    wire::When,
};

/// Largest value, as for those that tasks write.
const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Longest key.
const KEY_CHARS_MAX: usize = 512;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    xcom_key: Option<String>,
    #[param(minimum = -1)]
    map_index: Option<i64>,
    xcom_key_pattern: Option<String>,
    xcom_key_prefix_pattern: Option<String>,
    dag_display_name_pattern: Option<String>,
    dag_display_name_prefix_pattern: Option<String>,
    run_id_pattern: Option<String>,
    run_id_prefix_pattern: Option<String>,
    task_id_pattern: Option<String>,
    task_id_prefix_pattern: Option<String>,
    map_index_filter: Option<i64>,
    logical_date_gte: Option<When>,
    logical_date_gt: Option<When>,
    logical_date_lte: Option<When>,
    logical_date_lt: Option<When>,
    run_after_gte: Option<When>,
    run_after_gt: Option<When>,
    run_after_lte: Option<When>,
    run_after_lt: Option<When>,
    #[serde(default)]
    order_by: Vec<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Form {
    #[param(minimum = -1, default = -1)]
    map_index: Option<i32>,
    /// Values are JSON: there is nothing to do
    #[serde(default, rename = "deserialize")]
    #[expect(dead_code, reason = "clients may say it")]
    is_deserialized: bool,
    /// The value as a text
    #[serde(default)]
    stringify: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MapIndex {
    #[param(minimum = -1, default = -1)]
    map_index: Option<i32>,
}

/// An XCom to be made
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct XComCreateBody {
    #[schema(min_length = 1, max_length = 512)]
    key: String,
    /// Any JSON, at most 256 KiB
    value: Value,
    #[serde(default = "unmapped")]
    #[schema(minimum = -1, default = -1)]
    map_index: i32,
}

/// An XCom's new value
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct XComUpdateBody {
    /// Any JSON, at most 256 KiB
    value: Value,
    #[serde(default = "unmapped")]
    #[schema(minimum = -1, default = -1)]
    map_index: i32,
}

fn unmapped() -> i32 {
    -1
}

#[derive(Serialize, ToSchema)]
struct XComResponse {
    key: String,
    timestamp: When,
    logical_date: Option<When>,
    map_index: i64,
    task_id: String,
    dag_id: String,
    run_id: String,
    dag_display_name: String,
    task_display_name: String,
    run_after: When,
}

/// With its value, a text when `stringify` is asked for
#[derive(Serialize, ToSchema)]
struct XComResponseNative {
    #[serde(flatten)]
    #[schema(inline)]
    entry: XComResponse,
    value: Value,
}

#[derive(Serialize, ToSchema)]
struct XComCollectionResponse {
    xcom_entries: Vec<XComResponse>,
    total_entries: u64,
}

/// Names of columns that the list may be sorted by.
const ORDERS: [(&str, XComOrder); 8] = [
    ("key", XComOrder::Key),
    ("dag_id", XComOrder::Dag),
    ("run_id", XComOrder::RunId),
    ("task_id", XComOrder::Task),
    ("map_index", XComOrder::MapIndex),
    ("timestamp", XComOrder::At),
    ("logical_date", XComOrder::LogicalDate),
    ("run_after", XComOrder::RunAfter),
];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_xcom_entries, create_xcom_entry))
        .routes(routes!(get_xcom_entry, update_xcom_entry, delete_xcom_entry))
        .layer(DefaultBodyLimit::max(crate::XCOM_BODY_BYTES_MAX))
}

fn named(text: Option<String>) -> Option<String> {
    text.filter(|text| text != "~")
}

async fn shown(app: &App, lines: Vec<XComLine>) -> Result<Vec<XComResponse>, ApiError> {
    let names = super::task_instances::Names::of(app, lines.iter().map(|line| line.version_id)).await?;
    let entry = |line: XComLine| XComResponse {
        dag_display_name: names.dag(line.version_id, &line.dag_id),
        task_display_name: names.task(line.version_id, &line.task_id),
        key: line.key,
        timestamp: When::of_micros(line.at),
        logical_date: line.logical_date.map(When::of_micros),
        map_index: line.map_index,
        task_id: line.task_id,
        dag_id: line.dag_id,
        run_id: line.run_id,
        run_after: When::of_micros(line.run_after),
    };
    Ok(lines.into_iter().map(entry).collect())
}

/// XComs of a task; `~` stands for all DAGs, all runs, all tasks
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries", tag = "XCom",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), Paging, Filter),
    responses((status = 200, body = XComCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_xcom_entries(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(paging): Query<Paging>,
    Query(query): Query<Filter>,
) -> Result<axum::Json<XComCollectionResponse>, ApiError> {
    let orders = page::order(&query.order_by, &ORDERS)?;
    let like = |like: &Option<String>, prefix: &Option<String>| page::patterns(like.as_deref(), prefix.as_deref());
    let mut filter = XComFilter {
        keys_like: like(&query.xcom_key_pattern, &query.xcom_key_prefix_pattern),
        dag_names_like: like(&query.dag_display_name_pattern, &query.dag_display_name_prefix_pattern),
        runs_like: like(&query.run_id_pattern, &query.run_id_prefix_pattern),
        tasks_like: like(&query.task_id_pattern, &query.task_id_prefix_pattern),
        logical_date: page::between(
            query.logical_date_gte,
            query.logical_date_gt,
            query.logical_date_lte,
            query.logical_date_lt,
        ),
        run_after: page::between(query.run_after_gte, query.run_after_gt, query.run_after_lte, query.run_after_lt),
        key: query.xcom_key,
        map_index: query.map_index.or(query.map_index_filter),
        task: named(Some(task_id)),
        ..XComFilter::default()
    };
    if query.map_index.zip(query.map_index_filter).is_some_and(|(one, other)| one != other) {
        return Ok(axum::Json(XComCollectionResponse { xcom_entries: Vec::new(), total_entries: 0 }));
    }
    if dag_id != "~" && run_id != "~" {
        filter.run = Some(super::find::run(&app, &dag_id, &run_id).await?.run.key);
    } else {
        filter.run_id = named(Some(run_id));
    }
    match named(Some(dag_id)) {
        Some(dag_id) => {
            app.store.dag(&dag_id).await?.ok_or_else(|| ApiError::not_found("dag", &dag_id))?;
            filter.dag = Some(dag_id);
        }
        None => filter.hidden_dags = auth::hidden_dags(&app, &who).await?,
    }
    let listed = app.store.list_xcoms(&filter, &orders, paging.page()?).await?;
    Ok(axum::Json(XComCollectionResponse {
        total_entries: listed.total,
        xcom_entries: shown(&app, listed.rows).await?,
    }))
}

async fn entry(app: &App, name: XComKey<'_>) -> Result<XComResponseNative, ApiError> {
    let missing = || ApiError::new(StatusCode::NOT_FOUND, format!("XCom entry with key: `{}` not found", name.key));
    let (line, value) = app.store.xcom_entry(name).await?.ok_or_else(missing)?;
    let entry = shown(app, vec![line]).await?.pop().ok_or_else(missing)?;
    Ok(XComResponseNative { entry, value })
}

async fn run_of(app: &App, dag_id: &str, run_id: &str) -> Result<RunKey, ApiError> {
    Ok(super::find::run(app, dag_id, run_id).await?.run.key)
}

/// An XCom with its value
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", tag = "XCom",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("xcom_key" = String, Path), Form),
    responses((status = 200, body = XComResponseNative), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_xcom_entry(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, key)): Path<(String, String, String, String)>,
    Query(form): Query<Form>,
) -> Result<axum::Json<XComResponseNative>, ApiError> {
    let run = run_of(&app, &dag_id, &run_id).await?;
    let map_index = form.map_index.unwrap_or_else(unmapped);
    let mut found = entry(&app, XComKey { run, task_id: &task_id, map_index, key: &key }).await?;
    if form.stringify && !found.value.is_null() && !found.value.is_string() {
        found.value = Value::String(found.value.to_string());
    }
    Ok(axum::Json(found))
}

fn check_value(value: &Value) -> Result<(), ApiError> {
    if value.to_string().len() > VALUE_BYTES_MAX {
        return Err(ApiError::invalid(&["body", "value"], format!("a value has at most {VALUE_BYTES_MAX} bytes")));
    }
    Ok(())
}

fn too_deep() -> ApiError {
    ApiError::invalid(&["body", "value"], "the value has lists or objects nested too deeply")
}

/// Make an XCom
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries", tag = "XCom",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path)), request_body = XComCreateBody,
    responses((status = 201, body = XComResponseNative), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 413, body = ErrorBody), Refusals))]
async fn create_xcom_entry(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Json(body): Json<XComCreateBody>,
) -> Result<(StatusCode, axum::Json<XComResponseNative>), ApiError> {
    if body.key.trim().is_empty() || body.key.chars().count() > KEY_CHARS_MAX || body.key.contains('\0') {
        return Err(ApiError::invalid(&["body", "key"], format!("a key has 1 to {KEY_CHARS_MAX} characters")));
    }
    check_value(&body.value)?;
    let names = (dag_id.as_str(), run_id.as_str(), task_id.as_str());
    let (run, _) = super::task_instances::find(&app, names, body.map_index).await?;
    let name = XComKey { run: run.run.key, task_id: &task_id, map_index: body.map_index, key: &body.key };
    match app.store.create_xcom(name, &body.value, (app.now)()).await? {
        XComWritten::Done => Ok((StatusCode::CREATED, axum::Json(entry(&app, name).await?))),
        XComWritten::NotSo => Err(ApiError::conflict(format!(
            "The XCom with key: `{}` with mentioned task instance already exists.",
            body.key
        ))),
        XComWritten::TooDeep => Err(too_deep()),
    }
}

/// Give an XCom another value
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", tag = "XCom",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("xcom_key" = String, Path)),
    request_body = XComUpdateBody,
    responses((status = 200, body = XComResponseNative), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 413, body = ErrorBody), Refusals))]
async fn update_xcom_entry(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, key)): Path<(String, String, String, String)>,
    Json(body): Json<XComUpdateBody>,
) -> Result<axum::Json<XComResponseNative>, ApiError> {
    check_value(&body.value)?;
    let run = run_of(&app, &dag_id, &run_id).await?;
    let name = XComKey { run, task_id: &task_id, map_index: body.map_index, key: &key };
    match app.store.update_xcom(name, &body.value, (app.now)()).await? {
        XComWritten::Done => Ok(axum::Json(entry(&app, name).await?)),
        XComWritten::NotSo => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            format!("The XCom with key: `{key}` with mentioned task instance doesn't exist."),
        )),
        XComWritten::TooDeep => Err(too_deep()),
    }
}

/// Delete an XCom
#[utoipa::path(delete, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", tag = "XCom",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), ("xcom_key" = String, Path), MapIndex),
    responses((status = 204, description = "It is gone"), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn delete_xcom_entry(
    State(app): State<App>,
    Path((dag_id, run_id, task_id, key)): Path<(String, String, String, String)>,
    Query(index): Query<MapIndex>,
) -> Result<StatusCode, ApiError> {
    let run = run_of(&app, &dag_id, &run_id).await?;
    let map_index = index.map_index.unwrap_or_else(unmapped);
    if app.store.delete_xcom(XComKey { run, task_id: &task_id, map_index, key: &key }).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(StatusCode::NOT_FOUND, format!("XCom entry with key: `{key}` not found")))
    }
}
