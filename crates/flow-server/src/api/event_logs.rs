//! Events as an audit log.
//!
//! What is about no DAG (logins, users, connections) is for Op and Admin.

use axum::extract::State;
use flow_store::{EventFilter, EventLine, EventOrder, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App, Role,
    access::Who,
    auth,
    error::ErrorBody,
    extract::{Path, Query},
    page::{self, Paging},
    wire::When,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    dag_id: Option<String>,
    task_id: Option<String>,
    run_id: Option<String>,
    map_index: Option<i64>,
    try_number: Option<i64>,
    /// The user
    owner: Option<String>,
    event: Option<String>,
    #[serde(default)]
    excluded_events: Vec<String>,
    #[serde(default)]
    included_events: Vec<String>,
    before: Option<When>,
    after: Option<When>,
    dag_id_pattern: Option<String>,
    dag_id_prefix_pattern: Option<String>,
    task_id_pattern: Option<String>,
    task_id_prefix_pattern: Option<String>,
    run_id_pattern: Option<String>,
    run_id_prefix_pattern: Option<String>,
    owner_pattern: Option<String>,
    owner_prefix_pattern: Option<String>,
    event_pattern: Option<String>,
    event_prefix_pattern: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct EventLogResponse {
    event_log_id: i64,
    when: When,
    dag_id: Option<String>,
    task_id: Option<String>,
    run_id: Option<String>,
    map_index: Option<i64>,
    try_number: Option<i64>,
    /// What happened: `task_state`, `run_state`, or what a person asked for
    event: String,
    logical_date: Option<When>,
    /// The user; null when Flow did it by itself
    owner: Option<String>,
    /// The state, and why
    extra: Option<String>,
    dag_display_name: Option<String>,
    task_display_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct EventLogCollectionResponse {
    event_logs: Vec<EventLogResponse>,
    total_entries: u64,
}

impl From<EventLine> for EventLogResponse {
    fn from(line: EventLine) -> Self {
        Self {
            event_log_id: line.id,
            when: When::of_micros(line.at),
            map_index: line.map_index,
            try_number: line.try_number,
            event: line.kind,
            logical_date: line.logical_date.map(When::of_micros),
            owner: line.who,
            extra: match (line.state, line.detail) {
                (Some(state), Some(detail)) => Some(format!("{state}: {detail}")),
                (state, detail) => state.or(detail),
            },
            dag_display_name: line.dag_name.or_else(|| line.dag_id.clone()),
            task_display_name: line.task_id.clone(),
            dag_id: line.dag_id,
            task_id: line.task_id,
            run_id: line.run_id,
        }
    }
}

/// Names of columns that the list may be sorted by.
const ORDERS: [(&str, EventOrder); 11] = [
    ("id", EventOrder::Id),
    ("event_log_id", EventOrder::Id),
    ("dttm", EventOrder::Id),
    ("when", EventOrder::Id),
    ("dag_id", EventOrder::Dag),
    ("task_id", EventOrder::Task),
    ("run_id", EventOrder::Run),
    ("event", EventOrder::Kind),
    ("logical_date", EventOrder::LogicalDate),
    ("owner", EventOrder::Who),
    ("extra", EventOrder::Detail),
];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_event_logs)).routes(routes!(get_event_log))
}

/// Says what someone may see.
async fn visible(app: &App, who: &Who) -> Result<EventFilter, ApiError> {
    Ok(EventFilter {
        of_dags: who.role < Role::Op,
        hidden_dags: auth::hidden_dags(app, who).await?,
        ..EventFilter::default()
    })
}

/// What happened, the oldest first
#[utoipa::path(get, path = "/api/v2/eventLogs", tag = "Event Log", params(Paging, Filter),
    responses((status = 200, body = EventLogCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_event_logs(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(query): Query<Filter>,
) -> Result<axum::Json<EventLogCollectionResponse>, ApiError> {
    let orders = page::order(&query.order_by, &ORDERS)?;
    let like = |like: &Option<String>, prefix: &Option<String>| page::patterns(like.as_deref(), prefix.as_deref());
    let filter = EventFilter {
        dags_like: like(&query.dag_id_pattern, &query.dag_id_prefix_pattern),
        tasks_like: like(&query.task_id_pattern, &query.task_id_prefix_pattern),
        runs_like: like(&query.run_id_pattern, &query.run_id_prefix_pattern),
        who_like: like(&query.owner_pattern, &query.owner_prefix_pattern),
        kinds_like: like(&query.event_pattern, &query.event_prefix_pattern),
        dag_id: query.dag_id,
        task_id: query.task_id,
        run_id: query.run_id,
        map_index: query.map_index,
        try_number: query.try_number,
        who: query.owner,
        kind: query.event,
        included_kinds: query.included_events,
        excluded_kinds: query.excluded_events,
        before: query.before.map(|when| when.0),
        after: query.after.map(|when| when.0),
        ..visible(&app, &who).await?
    };
    let listed = app.store.list_events(&filter, &orders, paging.page()?).await?;
    Ok(axum::Json(EventLogCollectionResponse {
        event_logs: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// One event
#[utoipa::path(get, path = "/api/v2/eventLogs/{event_log_id}", tag = "Event Log", params(("event_log_id" = i64, Path)),
    responses((status = 200, body = EventLogResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_event_log(
    State(app): State<App>,
    who: Who,
    Path(id): Path<i64>,
) -> Result<axum::Json<EventLogResponse>, ApiError> {
    let filter = EventFilter { id: Some(id), ..visible(&app, &who).await? };
    let found = app.store.list_events(&filter, &[], Page { limit: 1, offset: 0 }).await?.rows.pop();
    found.map(|line| axum::Json(line.into())).ok_or_else(|| ApiError::not_found("event log", id))
}
