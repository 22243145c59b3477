//! What a DAG's text says beyond what lists show: details, tasks.

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use axum::{Json, extract::State};
use flow_core::dag::{Dag, Param, Task};
use flow_store::DagLine;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, dags};
use crate::{
    ApiError, App,
    access::Who,
    error::ErrorBody,
    extract::{Path, Query},
    page,
    wire::{DagVersionResponse, TimeDelta, When},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TaskOrder {
    /// A field, with a `-` before it for the other direction
    #[param(default = "task_id")]
    order_by: Option<String>,
}

/// A [`dags::DAGResponse`], and what the version's text says.
#[derive(Serialize, ToSchema)]
struct DAGDetailsResponse {
    #[serde(flatten)]
    #[schema(inline)]
    line: dags::DAGResponse,
    #[serde(flatten)]
    #[schema(inline)]
    more: Details,
}

#[derive(Serialize, ToSchema)]
struct Details {
    catchup: bool,
    /// ISO 8601
    #[schema(format = Duration)]
    dag_run_timeout: Option<String>,
    asset_expression: Option<BTreeMap<String, Value>>,
    doc_md: Option<String>,
    start_date: Option<When>,
    end_date: Option<When>,
    is_paused_upon_creation: Option<bool>,
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    params: Option<Map<String, Value>>,
    render_template_as_native_obj: bool,
    template_search_path: Option<Vec<String>>,
    timezone: Option<String>,
    last_parsed: Option<When>,
    /// Always null: they are part of each task
    default_args: Option<BTreeMap<String, Value>>,
    rerun_with_latest_version: Option<bool>,
    owner_links: Option<BTreeMap<String, String>>,
    is_favorite: bool,
    active_runs_count: u64,
    concurrency: i64,
    latest_dag_version: Option<DagVersionResponse>,
}

#[derive(Serialize, ToSchema)]
struct TaskCollectionResponse {
    tasks: Vec<TaskResponse>,
    total_entries: u64,
}

#[derive(Serialize, ToSchema)]
struct TaskResponse {
    task_id: Option<String>,
    task_display_name: Option<String>,
    owner: Option<String>,
    start_date: Option<When>,
    end_date: Option<When>,
    trigger_rule: Option<&'static str>,
    depends_on_past: bool,
    wait_for_downstream: bool,
    retries: Option<u32>,
    queue: Option<String>,
    pool: Option<String>,
    pool_slots: Option<u32>,
    execution_timeout: Option<TimeDelta>,
    retry_delay: Option<TimeDelta>,
    /// The factor; 0 = the delay stays the same
    retry_exponential_backoff: f64,
    /// What slots are handed out by: the rule has been applied
    priority_weight: Option<i64>,
    weight_rule: Option<&'static str>,
    ui_color: Option<&'static str>,
    ui_fgcolor: Option<&'static str>,
    template_fields: Option<Vec<&'static str>>,
    downstream_task_ids: Option<Vec<String>>,
    doc_md: Option<String>,
    operator_name: Option<String>,
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    params: Option<Map<String, Value>>,
    class_ref: Option<BTreeMap<&'static str, String>>,
    is_mapped: Option<bool>,
    extra_links: Vec<String>,
}

impl TaskResponse {
    fn new(app: &App, dag: &Dag, task: &Task) -> Self {
        let spec = app.dags.catalog().by_name(&task.operator);
        let class = spec.map_or("", |spec| spec.class);
        let (module, name) = class.rsplit_once('.').unwrap_or(("", class));
        let name = if name.is_empty() { task.operator.clone() } else { name.to_owned() };
        let downstream = task.downstream.iter().map(|ix| dag.task(*ix).id.to_string());
        Self {
            task_id: Some(task.id.to_string()),
            task_display_name: Some(task.display_name.clone().unwrap_or_else(|| task.id.to_string())),
            owner: Some(task.owner.clone()),
            start_date: task.start_date.or(dag.start_date).map(When),
            end_date: task.end_date.or(dag.end_date).map(When),
            trigger_rule: Some(task.trigger_rule.as_str()),
            depends_on_past: task.depends_on_past,
            wait_for_downstream: task.wait_for_downstream,
            retries: Some(task.retry.retries),
            queue: Some(task.queue.clone()),
            pool: Some(task.pool.clone()),
            pool_slots: Some(task.pool_slots),
            execution_timeout: task.execution_timeout.map(TimeDelta::from),
            retry_delay: Some(task.retry.delay.into()),
            retry_exponential_backoff: task.retry.backoff.unwrap_or(0.0),
            priority_weight: Some(task.priority_weight),
            weight_rule: Some("absolute"),
            ui_color: Some(match task.operator.as_str() {
                "bash" => "#f0ede4",
                "python" => "#ffefeb",
                "empty" => "#e8f7e4",
                "trigger_dag" => "#ffefeb",
                _ if spec.is_some_and(|spec| spec.is_sensor) => "#e6f1f2",
                _ => "#fff",
            }),
            ui_fgcolor: Some("#000"),
            template_fields: spec.map(|spec| spec.templated.to_vec()),
            downstream_task_ids: Some(downstream.collect()),
            doc_md: task.doc_md.clone(),
            operator_name: Some(name.clone()),
            params: Some(params(&task.params)),
            class_ref: Some(BTreeMap::from([("module_path", module.to_owned()), ("class_name", name)])),
            is_mapped: Some(false),
            extra_links: Vec::new(),
        }
    }
}

/// Parameters as Airflow writes them, in the order of the document.
fn params(params: &BTreeMap<String, Param>) -> Map<String, Value> {
    let one = |param: &Param| {
        json!({
            "__class": "airflow.sdk.definitions.param.Param",
            "value": param.value(),
            "description": param.description,
            "schema": param.schema,
            "source": null,
        })
    };
    let mut in_order: Vec<_> = params.iter().collect();
    in_order.sort_by_key(|(_, param)| param.place);
    in_order.into_iter().map(|(name, param)| (name.clone(), one(param))).collect()
}

/// Writes a span as ISO 8601 does: `P1DT2H3M4.5S`.
fn iso(span: Duration) -> String {
    let (days, hours, minutes) = (span.as_secs() / 86_400, span.as_secs() / 3_600 % 24, span.as_secs() / 60 % 60);
    let part = |number: u64, unit: &str| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let seconds = match (span.as_secs() % 60, span.subsec_micros()) {
        (0, 0) if span.as_secs() > 0 => String::new(),
        (seconds, 0) => format!("{seconds}S"),
        (seconds, micros) => format!("{seconds}.{}S", format!("{micros:06}").trim_end_matches('0')),
    };
    let time = format!("{}{}{seconds}", part(hours, "H"), part(minutes, "M"));
    format!("P{}{}{time}", part(days, "D"), if time.is_empty() { "" } else { "T" })
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_dag_details)).routes(routes!(get_tasks)).routes(routes!(get_task))
}

/// A DAG, with what its text says
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/details", tag = "DAG", params(("dag_id" = String, Path)),
    responses((status = 200, body = DAGDetailsResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_details(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
) -> Result<Json<DAGDetailsResponse>, ApiError> {
    let line = dags::find(&app, &dag_id).await?;
    let (version, parsed) = (line.version_id, line.parsed_at);
    let dag = app.dags.read(&app.store, version).await?.dag.clone();
    let versions = app.store.version_lines(&[version]).await?;
    let line = dags::DAGResponse::new(&app, line);
    let more = Details {
        catchup: dag.catchup,
        dag_run_timeout: dag.dagrun_timeout.map(iso),
        asset_expression: None,
        doc_md: dag.doc_md.clone(),
        start_date: dag.start_date.map(When),
        end_date: dag.end_date.map(When),
        is_paused_upon_creation: dag.is_paused_upon_creation,
        params: Some(params(&dag.params)),
        render_template_as_native_obj: dag.render_template_as_native_obj,
        template_search_path: None,
        timezone: Some(dag.timezone.clone()),
        last_parsed: Some(When::of_micros(parsed)),
        default_args: None,
        rerun_with_latest_version: None,
        owner_links: Some(dag.owner_links.clone()),
        is_favorite: app.store.is_favorite(&who.user, &dag_id).await?,
        active_runs_count: app.store.count_active(&dag_id).await?,
        concurrency: line.max_active_tasks,
        latest_dag_version: versions.get(&version).map(Into::into),
    };
    Ok(Json(DAGDetailsResponse { line, more }))
}

/// The tasks of a DAG, as it is now
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/tasks", tag = "Task", params(("dag_id" = String, Path), TaskOrder),
    responses((status = 200, body = TaskCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_tasks(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(order): Query<TaskOrder>,
) -> Result<Json<TaskCollectionResponse>, ApiError> {
    let names = order.order_by.map(|name| vec![name]).unwrap_or_default();
    let orders = page::order(&names, &ORDERS)?;
    let DagLine { version_id, .. } = dags::find(&app, &dag_id).await?;
    let dag = app.dags.read(&app.store, version_id).await?.dag.clone();
    let mut tasks: Vec<&Task> = dag.tasks.iter().collect();
    tasks.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    for order in orders {
        tasks.sort_by(|a, b| if order.is_descending { (order.by)(b, a) } else { (order.by)(a, b) });
    }
    let tasks: Vec<TaskResponse> = tasks.into_iter().map(|task| TaskResponse::new(&app, &dag, task)).collect();
    Ok(Json(TaskCollectionResponse { total_entries: u64::try_from(tasks.len()).unwrap_or(u64::MAX), tasks }))
}

type Compare = fn(&Task, &Task) -> Ordering;

const ORDERS: [(&str, Compare); 15] = [
    ("task_id", |a, b| a.id.as_str().cmp(b.id.as_str())),
    ("task_display_name", |a, b| a.display_name.cmp(&b.display_name)),
    ("owner", |a, b| a.owner.cmp(&b.owner)),
    ("start_date", |a, b| a.start_date.cmp(&b.start_date)),
    ("end_date", |a, b| a.end_date.cmp(&b.end_date)),
    ("trigger_rule", |a, b| a.trigger_rule.as_str().cmp(b.trigger_rule.as_str())),
    ("depends_on_past", |a, b| a.depends_on_past.cmp(&b.depends_on_past)),
    ("wait_for_downstream", |a, b| a.wait_for_downstream.cmp(&b.wait_for_downstream)),
    ("retries", |a, b| a.retry.retries.cmp(&b.retry.retries)),
    ("queue", |a, b| a.queue.cmp(&b.queue)),
    ("pool", |a, b| a.pool.cmp(&b.pool)),
    ("pool_slots", |a, b| a.pool_slots.cmp(&b.pool_slots)),
    ("execution_timeout", |a, b| a.execution_timeout.cmp(&b.execution_timeout)),
    ("priority_weight", |a, b| a.priority_weight.cmp(&b.priority_weight)),
    ("operator_name", |a, b| a.operator.cmp(&b.operator)),
];

/// A task of a DAG, as it is now
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/tasks/{task_id}", tag = "Task",
    params(("dag_id" = String, Path), ("task_id" = String, Path)),
    responses((status = 200, body = TaskResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn get_task(
    State(app): State<App>,
    Path((dag_id, task_id)): Path<(String, String)>,
) -> Result<Json<TaskResponse>, ApiError> {
    let DagLine { version_id, .. } = dags::find(&app, &dag_id).await?;
    let cached = app.dags.read(&app.store, version_id).await?;
    let ix = cached.task_ix(&task_id).ok_or_else(|| ApiError::not_found("task", &task_id))?;
    Ok(Json(TaskResponse::new(&app, &cached.dag, cached.dag.task(ix))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_iso_does() {
        let micros = Duration::from_micros;
        assert_eq!(iso(micros(0)), "PT0S");
        assert_eq!(iso(micros(3_600_000_000)), "PT1H");
        assert_eq!(iso(micros(86_400_000_000)), "P1D");
        assert_eq!(iso(micros(93_784_500_000)), "P1DT2H3M4.5S");
    }
}
