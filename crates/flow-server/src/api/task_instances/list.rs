//! Lists of task instances: pages by offset, or by a cursor.

use axum::extract::State;
use flow_core::{RunKey, TaskState};
use flow_store::{COUNTED_MAX, Key, Order, Place, TaskFilter, TaskLine, TaskOrder, with_task_key};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{LISTED_FIELDS_BYTES_MAX, TaskInstanceCollectionResponse, TaskInstanceState, responses};
use crate::{
    ApiError, App,
    access::Who,
    api::{
        Refusals, find,
        ranges::{Bounds, Ranges, with_ranges},
    },
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
};

/// What it is
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Kinds {
    /// Also `none`: nothing has been decided yet
    #[serde(default)]
    state: Vec<String>,
    #[serde(default)]
    pool: Vec<String>,
    pool_name_pattern: Option<String>,
    pool_name_prefix_pattern: Option<String>,
    #[serde(default)]
    queue: Vec<String>,
    queue_name_pattern: Option<String>,
    queue_name_prefix_pattern: Option<String>,
    /// Flow has no executors: what is asked for by one is not there
    #[serde(default)]
    executor: Vec<String>,
    #[serde(default)]
    version_number: Vec<i64>,
    #[serde(default)]
    try_number: Vec<i64>,
    #[serde(default)]
    operator: Vec<String>,
    operator_name_pattern: Option<String>,
    operator_name_prefix_pattern: Option<String>,
    #[serde(default)]
    map_index: Vec<i64>,
    rendered_map_index_pattern: Option<String>,
    rendered_map_index_prefix_pattern: Option<String>,
    #[serde(default)]
    order_by: Vec<String>,
}

/// Whose it is
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Names {
    /// The place from which to go on: empty for the first page, then `next_cursor` of the answer
    // A list, because an empty `Option` is read as none.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Vec<String>,
    task_id: Option<String>,
    task_display_name_pattern: Option<String>,
    task_display_name_prefix_pattern: Option<String>,
    task_group_id: Option<String>,
    dag_id_pattern: Option<String>,
    dag_id_prefix_pattern: Option<String>,
    run_id_pattern: Option<String>,
    run_id_prefix_pattern: Option<String>,
}

with_ranges! {
    /// Which task instances are wanted
    #[derive(Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub(super) struct TaskInstancesBatchBody {
        dag_ids: Option<Vec<String>>,
        dag_run_ids: Option<Vec<String>>,
        task_ids: Option<Vec<String>>,
        state: Option<Vec<Option<TaskInstanceState>>>,
        pool: Option<Vec<String>>,
        queue: Option<Vec<String>>,
        executor: Option<Vec<String>>,
        #[schema(minimum = 0)]
        page_offset: Option<u32>,
        #[schema(minimum = 0, default = 100)]
        page_limit: Option<u32>,
        order_by: Option<String>,
    }
}

/// Entries of a page of [`get_task_instances_batch`] when nothing is said.
const BATCH_LIMIT: u32 = 100;

/// Names of columns that lists may be sorted by.
const ORDERS: [(&str, TaskOrder); 14] = [
    ("id", TaskOrder::Run),
    ("task_id", TaskOrder::TaskId),
    ("state", TaskOrder::State),
    ("duration", TaskOrder::Duration),
    ("start_date", TaskOrder::StartedAt),
    ("end_date", TaskOrder::EndedAt),
    ("map_index", TaskOrder::MapIndex),
    ("try_number", TaskOrder::TryNumber),
    ("logical_date", TaskOrder::LogicalDate),
    ("run_after", TaskOrder::RunAfter),
    ("data_interval_start", TaskOrder::IntervalStart),
    ("data_interval_end", TaskOrder::IntervalEnd),
    ("rendered_map_index", TaskOrder::MapIndex),
    ("operator", TaskOrder::Operator),
];

/// Reads the words of states. `none` is one.
fn states(words: &[String]) -> Result<Option<Vec<TaskState>>, ApiError> {
    let one = |word: &String| match word.as_str() {
        "none" | "null" | "no_status" => Ok(TaskState::NoStatus),
        word => word
            .parse()
            .map_err(|error: flow_core::state::UnknownWord| ApiError::invalid(&["query", "state"], error.to_string())),
    };
    if words.is_empty() { Ok(None) } else { words.iter().map(one).collect::<Result<_, _>>().map(Some) }
}

/// What is empty does not filter.
fn some<T>(values: Vec<T>) -> Option<Vec<T>> {
    Some(values).filter(|values| !values.is_empty())
}

/// A filter that says when task instances were, and how long they took.
fn within(filter: TaskFilter, ranges: Ranges) -> TaskFilter {
    let Ranges { run_after, logical_date, started_at, ended_at, duration } = ranges;
    TaskFilter { run_after, logical_date, started_at, ended_at, duration, ..filter }
}

/// The same, and when they were changed.
fn within_bounds(filter: TaskFilter, bounds: &Bounds) -> Result<TaskFilter, ApiError> {
    Ok(within(TaskFilter { updated_at: bounds.updated_at(), ..filter }, bounds.ranges()?))
}

impl Kinds {
    /// Says what is asked for; `None` = nothing can be that.
    fn filter(self) -> Result<Option<TaskFilter>, ApiError> {
        if !self.executor.is_empty() {
            return Ok(None);
        }
        let like = |like: &Option<String>, prefix: &Option<String>| page::patterns(like.as_deref(), prefix.as_deref());
        Ok(Some(TaskFilter {
            states: states(&self.state)?,
            pools_like: like(&self.pool_name_pattern, &self.pool_name_prefix_pattern),
            queues_like: like(&self.queue_name_pattern, &self.queue_name_prefix_pattern),
            operators_like: like(&self.operator_name_pattern, &self.operator_name_prefix_pattern),
            map_indexes_like: like(&self.rendered_map_index_pattern, &self.rendered_map_index_prefix_pattern),
            pools: some(self.pool),
            queues: some(self.queue),
            versions: some(self.version_number),
            tries: some(self.try_number),
            operators: some(self.operator),
            map_indexes: some(self.map_index),
            ..TaskFilter::default()
        }))
    }
}

fn empty() -> axum::Json<TaskInstanceCollectionResponse> {
    TaskInstanceCollectionResponse::whole(Vec::new(), 0)
}

async fn page_of(
    app: &App,
    filter: &TaskFilter,
    orders: &[Order<TaskOrder>],
    paging: Paging,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let listed = app.store.list_task_instances(filter, orders, paging.page()?).await?;
    Ok(axum::Json(TaskInstanceCollectionResponse {
        task_instances: responses(app, &listed.rows, LISTED_FIELDS_BYTES_MAX).await?,
        total_entries: listed.is_counted.then_some(listed.total),
        total_entries_limit: Some(COUNTED_MAX),
        next_cursor: None,
        previous_cursor: None,
    }))
}

async fn stretch_of(
    app: &App,
    filter: &TaskFilter,
    orders: &[Order<TaskOrder>],
    cursor: &str,
    limit: u32,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let all = with_task_key(orders);
    let shape: Vec<String> =
        all.iter().map(|order| format!("{}{:?}", if order.is_descending { "-" } else { "" }, order.by)).collect();
    let shape = shape.join(",");
    let place: Option<Place> = page::place(cursor, &shape, |keys| {
        keys.len() == all.len() && keys.iter().zip(&all).all(|(key, order)| order.by.fits(key))
    })?;
    let is_backward = place.as_ref().is_some_and(|place| place.is_backward);
    let found = app.store.list_task_instances_from(filter, orders, place.as_ref(), limit).await?;
    let at = |line: Option<&TaskLine>, is_backward: bool| {
        line.map(|line| {
            let keys: Vec<Key> = all.iter().map(|order| order.by.key(line)).collect();
            page::cursor(&shape, &keys, is_backward)
        })
    };
    let (has_next, has_previous) = if is_backward { (true, found.has_more) } else { (found.has_more, place.is_some()) };
    Ok(axum::Json(TaskInstanceCollectionResponse {
        next_cursor: at(found.rows.last().filter(|_| has_next), false),
        previous_cursor: at(found.rows.first().filter(|_| has_previous), true),
        task_instances: responses(app, &found.rows, LISTED_FIELDS_BYTES_MAX).await?,
        total_entries: found.total,
        total_entries_limit: Some(COUNTED_MAX),
    }))
}

/// Task instances of a run; `~` stands for all DAGs, and for all runs
///
/// Pages by `limit` and `offset`, or by `cursor`: empty for the first page, then `next_cursor` until that is null. Without
/// `order_by` the newest run comes first.
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), Names, Bounds, Kinds, Paging),
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_task_instances(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Query(names): Query<Names>,
    Query(bounds): Query<Bounds>,
    Query(kinds): Query<Kinds>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let orders = page::order(&kinds.order_by, &ORDERS)?;
    let page = paging.page()?;
    let filter = kinds.filter()?;
    let (run, dag) = of_path(&app, &dag_id, &run_id).await?;
    let Some(filter) = filter else { return Ok(empty()) };
    let mut filter = within_bounds(filter, &bounds)?;
    filter.run = run;
    match &dag {
        Some(_) => filter.dags = Some(vec![dag_id]),
        None => filter.hidden_dags = auth::hidden_dags(&app, &who).await?,
    }
    let like = |like: &Option<String>, prefix: &Option<String>| page::patterns(like.as_deref(), prefix.as_deref());
    filter.dags_like = like(&names.dag_id_pattern, &names.dag_id_prefix_pattern);
    filter.runs_like = like(&names.run_id_pattern, &names.run_id_prefix_pattern);
    // Names for people are in the DAG's text: a list of all DAGs goes by ids.
    filter.tasks_like = like(&names.task_display_name_pattern, &names.task_display_name_prefix_pattern);
    filter.tasks = names.task_id.map(|task_id| vec![task_id]);
    if let Some(group) = &names.task_group_id {
        // Airflow, too, knows groups only of a DAG.
        if let Some(version) = dag {
            let dag = app.dags.read(&app.store, version).await?;
            let tasks = dag.tasks_of_group(group).unwrap_or_default();
            let ids = tasks.into_iter().map(|id| id.to_string());
            filter.tasks = Some(match filter.tasks {
                Some(wanted) => ids.filter(|id| wanted.contains(id)).collect(),
                None => ids.collect(),
            });
        }
    }
    match names.cursor.first() {
        Some(cursor) => stretch_of(&app, &filter, &orders, cursor, page.limit).await,
        None => page_of(&app, &filter, &orders, paging).await,
    }
}

/// Finds the run of a path, and the version of its DAG. `~` is none.
async fn of_path(app: &App, dag_id: &str, run_id: &str) -> Result<(Option<RunKey>, Option<i64>), ApiError> {
    if run_id != "~" {
        if dag_id == "~" {
            return Err(ApiError::bad_request("dag_id is required when dag_run_id is specified"));
        }
        let run = find::run(app, dag_id, run_id).await?;
        return Ok((Some(run.run.key), Some(run.version_id)));
    }
    if dag_id == "~" {
        return Ok((None, None));
    }
    let dag = app.store.dag(dag_id).await?.ok_or_else(|| ApiError::not_found("dag", dag_id))?;
    Ok((None, Some(dag.version_id)))
}

/// Task instances of many DAGs and runs
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list", tag = "Task Instance",
    params(("dag_id" = String, Path, description = "`~`"), ("dag_run_id" = String, Path, description = "`~`")),
    request_body = TaskInstancesBatchBody,
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_task_instances_batch(
    State(app): State<App>,
    who: Who,
    Path((dag_id, run_id)): Path<(String, String)>,
    Json(body): Json<TaskInstancesBatchBody>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    if dag_id != "~" || run_id != "~" {
        return Err(ApiError::invalid(&["path"], "the DAG and the run must be `~` here"));
    }
    const MOST: usize = 1_000;
    let lists = [&body.dag_ids, &body.dag_run_ids, &body.task_ids, &body.pool, &body.queue, &body.executor];
    if lists.into_iter().flatten().any(|list| list.len() > MOST)
        || body.state.as_ref().is_some_and(|list| list.len() > MOST)
    {
        return Err(ApiError::invalid(&["body"], format!("a list has at most {MOST} entries")));
    }
    let paging = Paging::of(Some(body.page_limit.unwrap_or(BATCH_LIMIT)), body.page_offset);
    let orders = page::order(body.order_by.as_slice(), &ORDERS)?;
    let ranges = body.ranges()?;
    let filter = TaskFilter {
        hidden_dags: auth::hidden_dags(&app, &who).await?,
        dags: body.dag_ids,
        run_ids: body.dag_run_ids,
        tasks: body.task_ids,
        states: body
            .state
            .and_then(some)
            .map(|states| states.into_iter().map(|state| state.map_or(TaskState::NoStatus, TaskState::from)).collect()),
        pools: body.pool.and_then(some),
        queues: body.queue.and_then(some),
        ..TaskFilter::default()
    };
    if body.executor.is_some_and(|executors| !executors.is_empty()) {
        return Ok(empty());
    }
    page_of(&app, &within(filter, ranges), &orders, paging).await
}

/// The task instances of a mapped task
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/listMapped", tag = "Task Instance",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path), Bounds, Kinds, Paging),
    responses((status = 200, body = TaskInstanceCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_mapped_task_instances(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    Query(bounds): Query<Bounds>,
    Query(kinds): Query<Kinds>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<TaskInstanceCollectionResponse>, ApiError> {
    let orders = page::order(&kinds.order_by, &ORDERS)?;
    paging.page()?;
    let filter = kinds.filter()?;
    let run = find::run(&app, &dag_id, &run_id).await?.run.key;
    let all = TaskFilter { run: Some(run), tasks: Some(vec![task_id.clone()]), ..TaskFilter::default() };
    let mapped = TaskFilter { is_mapped: true, ..all.clone() };
    let one = Paging::of(Some(1), None).page()?;
    if app.store.list_task_instances(&mapped, &[], one).await?.rows.is_empty() {
        let is_there = !app.store.list_task_instances(&all, &[], one).await?.rows.is_empty();
        let why = if is_there { "is not mapped" } else { "does not exist" };
        return Err(ApiError::new(axum::http::StatusCode::NOT_FOUND, format!("task `{task_id}` {why}")));
    }
    let Some(filter) = filter else { return Ok(empty()) };
    let filter = within_bounds(filter, &bounds)?;
    let filter = TaskFilter { run: Some(run), tasks: mapped.tasks, is_mapped: true, ..filter };
    page_of(&app, &filter, &orders, paging).await
}
