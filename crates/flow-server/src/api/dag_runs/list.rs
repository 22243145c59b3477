//! Lists of runs, with filters in the query or in a body.

use axum::extract::State;
use flow_core::{RunState, RunType};
use flow_store::{COUNTED_MAX, DagRunFilter, DagRunOrder, Order, Page, with_run_id};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{DAGRunCollectionResponse, DagRunState, DagRunType, all_shown};
use crate::{
    ApiError, App, Who,
    api::{
        Refusals, find,
        ranges::{Bounds, Ranges, with_ranges},
    },
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
};

/// Most values of a filter that takes many.
const VALUES_MAX: usize = 1_000;
/// Rows of a page when a body says nothing, as in Airflow.
const BATCH_LIMIT: u32 = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// A place in the list, from `next_cursor` or `previous_cursor` of a page; empty = the first page. `offset` is
    /// then left aside
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Vec<String>,
    #[serde(default)]
    order_by: Vec<String>,
    #[serde(default)]
    run_type: Vec<String>,
    #[serde(default)]
    state: Vec<String>,
    #[serde(default)]
    dag_version: Vec<i64>,
    /// A text in the configuration
    conf_contains: Option<String>,
    run_id_pattern: Option<String>,
    run_id_prefix_pattern: Option<String>,
    triggering_user_name_pattern: Option<String>,
    triggering_user_name_prefix_pattern: Option<String>,
    dag_id_pattern: Option<String>,
    dag_id_prefix_pattern: Option<String>,
    /// Bundles have no versions: finds nothing
    bundle_version: Option<String>,
    /// Runs have no partitions: finds nothing
    partition_key_pattern: Option<String>,
    /// Runs have no partitions: finds nothing
    partition_key_prefix_pattern: Option<String>,
    /// Runs have no partitions: finds nothing
    partition_date_gte: Option<String>,
    /// Runs have no partitions: finds nothing
    partition_date_lte: Option<String>,
    /// Runs consume no assets: finds nothing
    consuming_asset_pattern: Option<String>,
}

with_ranges! {
    #[derive(Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub(super) struct DAGRunsBatchBody {
        order_by: Option<String>,
        #[serde(default)]
        #[schema(minimum = 0, maximum = 1_000_000)]
        page_offset: Option<u32>,
        /// More than 1,000 are never returned at once
        #[serde(default)]
        #[schema(minimum = 0)]
        page_limit: Option<u32>,
        dag_ids: Option<Vec<String>>,
        states: Option<Vec<Option<DagRunState>>>,
        conf_contains: Option<String>,
    }
}

/// Names that the list may be sorted by.
const ORDERS: [(&str, DagRunOrder); 17] = [
    ("id", DagRunOrder::Id),
    ("dag_id", DagRunOrder::DagId),
    ("dag_run_id", DagRunOrder::RunId),
    ("run_id", DagRunOrder::RunId),
    ("run_type", DagRunOrder::RunType),
    ("state", DagRunOrder::State),
    ("logical_date", DagRunOrder::LogicalDate),
    ("data_interval_start", DagRunOrder::IntervalStart),
    ("data_interval_end", DagRunOrder::IntervalEnd),
    ("run_after", DagRunOrder::RunAfter),
    ("queued_at", DagRunOrder::QueuedAt),
    ("start_date", DagRunOrder::StartedAt),
    ("end_date", DagRunOrder::EndedAt),
    ("updated_at", DagRunOrder::UpdatedAt),
    ("duration", DagRunOrder::Duration),
    ("conf", DagRunOrder::Conf),
    ("triggering_user_name", DagRunOrder::User),
];

/// Runs of a DAG, or of all: `~`
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns", tag = "DagRun",
    params(("dag_id" = String, Path), Paging, Filter, Bounds),
    responses((status = 200, body = DAGRunCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_dag_runs(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    Query(bounds): Query<Bounds>,
) -> Result<axum::Json<DAGRunCollectionResponse>, ApiError> {
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let page = paging.page()?;
    // An empty `Option` would be none.
    let cursor = filter.cursor.first().cloned();
    let mut wanted = DagRunFilter { updated_at: bounds.updated_at(), ..within(bounds.ranges()?) };
    let matches_something = filter.fill(&mut wanted)?;
    if dag_id == "~" {
        wanted.hidden_dags = auth::hidden_dags(&app, &who).await?;
    } else {
        find::dag(&app, &dag_id).await?;
        wanted.dags = Some(vec![dag_id]);
    }
    if !matches_something {
        wanted.dags = Some(Vec::new());
    }
    match cursor {
        Some(cursor) => listed_from(&app, &wanted, &orders, &cursor, page.limit).await,
        None => listed(&app, &wanted, &orders, page).await,
    }
}

/// Runs of all DAGs, with the filters in a body
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/dagRuns/list", tag = "DagRun",
    params(("dag_id" = String, Path, description = "Always `~`")), request_body = DAGRunsBatchBody,
    responses((status = 200, body = DAGRunCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
pub(super) async fn get_list_dag_runs_batch(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Json(body): Json<DAGRunsBatchBody>,
) -> Result<axum::Json<DAGRunCollectionResponse>, ApiError> {
    if dag_id != "~" {
        return Err(ApiError::invalid(&["path", "dag_id"], "must be `~`; name DAGs in `dag_ids`"));
    }
    let orders = page::order(body.order_by.as_slice(), &ORDERS)?;
    let page = Paging::of(Some(body.page_limit.unwrap_or(BATCH_LIMIT)), body.page_offset).page()?;
    let mut wanted = DagRunFilter {
        hidden_dags: auth::hidden_dags(&app, &who).await?,
        conf_contains: conf_texts(body.conf_contains.as_deref()),
        ..within(body.ranges()?)
    };
    // An empty list filters nothing, as in Airflow.
    if let Some(dags) = body.dag_ids.filter(|dags| !dags.is_empty()) {
        at_most(&["body", "dag_ids"], dags.len())?;
        wanted.dags = Some(dags);
    }
    if let Some(states) = body.states.filter(|states| !states.is_empty()) {
        at_most(&["body", "states"], states.len())?;
        wanted.states = distinct(states.into_iter().flatten().map(RunState::from));
        if wanted.states.is_empty() {
            // No run is without a state.
            wanted.dags = Some(Vec::new());
        }
    }
    listed(&app, &wanted, &orders, page).await
}

async fn listed(
    app: &App,
    wanted: &DagRunFilter,
    orders: &[Order<DagRunOrder>],
    page: Page,
) -> Result<axum::Json<DAGRunCollectionResponse>, ApiError> {
    let listed = app.store.list_dag_runs(wanted, orders, page).await?;
    Ok(axum::Json(DAGRunCollectionResponse {
        dag_runs: all_shown(app, listed.rows).await?,
        total_entries: listed.is_counted.then_some(listed.total),
        total_entries_limit: (listed.total >= COUNTED_MAX).then_some(COUNTED_MAX),
        next_cursor: None,
        previous_cursor: None,
    }))
}

async fn listed_from(
    app: &App,
    wanted: &DagRunFilter,
    orders: &[Order<DagRunOrder>],
    cursor: &str,
    limit: u32,
) -> Result<axum::Json<DAGRunCollectionResponse>, ApiError> {
    let orders = with_run_id(orders);
    if orders.iter().any(|order| order.by == DagRunOrder::Conf) {
        return Err(ApiError::bad_request("a list that is sorted by `conf` has no cursors; use `offset`"));
    }
    let shape = shape(&orders);
    let place = page::place(cursor, &shape, |keys| {
        keys.len() == orders.len() && orders.iter().zip(keys).all(|(order, key)| order.by.fits(key))
    })?;
    let found = app.store.list_dag_runs_from(wanted, &orders, place.as_ref(), limit).await?;
    let is_backward = place.as_ref().is_some_and(|place| place.is_backward);
    let (has_previous, has_next) = if is_backward { (found.has_more, true) } else { (place.is_some(), found.has_more) };
    let beside = |row: Option<&flow_store::RunRow>, is_backward: bool| {
        let keys = orders.iter().map(|order| order.by.key(row?)).collect::<Option<Vec<_>>>()?;
        Some(page::cursor(&shape, &keys, is_backward))
    };
    Ok(axum::Json(DAGRunCollectionResponse {
        next_cursor: has_next.then(|| beside(found.rows.last(), false)).flatten(),
        previous_cursor: has_previous.then(|| beside(found.rows.first(), true)).flatten(),
        dag_runs: all_shown(app, found.rows).await?,
        total_entries: found.total,
        total_entries_limit: found.total.map(|_| COUNTED_MAX),
    }))
}

/// Names an order, so that a cursor of one list is not used in another.
fn shape(orders: &[Order<DagRunOrder>]) -> String {
    let names: Vec<String> = orders
        .iter()
        .map(|order| {
            let name = ORDERS.iter().find(|(_, by)| *by == order.by).map_or("", |(name, _)| name);
            format!("{}{name}", if order.is_descending { "-" } else { "" })
        })
        .collect();
    names.join(",")
}

/// A filter that only says when runs were, and how long they took.
fn within(ranges: Ranges) -> DagRunFilter {
    let Ranges { run_after, logical_date, started_at, ended_at, duration } = ranges;
    DagRunFilter { run_after, logical_date, started_at, ended_at, duration, ..DagRunFilter::default() }
}

impl Filter {
    /// Adds what it says to a filter. Returns `false` when nothing can be found.
    fn fill(self, wanted: &mut DagRunFilter) -> Result<bool, ApiError> {
        wanted.states = states(&self.state)?;
        let types = types(&self.run_type)?;
        let has_types = types.as_ref().is_none_or(|types| !types.is_empty());
        wanted.types = types.unwrap_or_default();
        at_most(&["query", "dag_version"], self.dag_version.len())?;
        wanted.versions = self.dag_version;
        wanted.run_ids = page::patterns(self.run_id_pattern.as_deref(), self.run_id_prefix_pattern.as_deref());
        wanted.dag_ids = page::patterns(self.dag_id_pattern.as_deref(), self.dag_id_prefix_pattern.as_deref());
        wanted.users = page::patterns(
            self.triggering_user_name_pattern.as_deref(),
            self.triggering_user_name_prefix_pattern.as_deref(),
        );
        wanted.conf_contains = conf_texts(self.conf_contains.as_deref());
        let is_partitioned = [
            self.bundle_version,
            self.partition_key_pattern,
            self.partition_key_prefix_pattern,
            self.partition_date_gte,
            self.partition_date_lte,
            self.consuming_asset_pattern,
        ]
        .into_iter()
        .flatten()
        .any(|text| !text.is_empty() && text != "~");
        Ok(has_types && !is_partitioned)
    }
}

/// Reads words for states in the query.
pub(in crate::api) fn states(words: &[String]) -> Result<Vec<RunState>, ApiError> {
    let one = |word: &String| {
        word.parse()
            .map_err(|error: flow_core::state::UnknownWord| ApiError::invalid(&["query", "state"], error.to_string()))
    };
    let states = words.iter().filter(|word| !word.is_empty()).map(one);
    Ok(distinct(states.collect::<Result<Vec<_>, _>>()?))
}

/// Reads words for types in the query; `None` = any. Of Airflow's, Flow does not make all.
pub(in crate::api) fn types(words: &[String]) -> Result<Option<Vec<RunType>>, ApiError> {
    let one = |word: &String| {
        DagRunType::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let known: Vec<&str> = DagRunType::ALL.into_iter().map(DagRunType::as_str).collect();
            ApiError::invalid(&["query", "run_type"], format!("`{word}` is none of {}", known.join(", ")))
        })
    };
    let types: Vec<DagRunType> = words.iter().filter(|word| !word.is_empty()).map(one).collect::<Result<_, _>>()?;
    Ok((!types.is_empty()).then(|| distinct(types.into_iter().filter_map(DagRunType::ours))))
}

/// Returns how a text may stand in a configuration: Airflow's clients write JSON with spaces, Flow keeps it without.
fn conf_texts(text: Option<&str>) -> Vec<String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Vec::new() };
    let tight = text.replace("\": ", "\":").replace(", \"", ",\"");
    if tight == text { vec![tight] } else { vec![text.to_owned(), tight] }
}

fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn at_most(place: &[&str], number: usize) -> Result<(), ApiError> {
    if number > VALUES_MAX {
        return Err(ApiError::invalid(place, format!("at most {VALUES_MAX} of them")));
    }
    Ok(())
}
