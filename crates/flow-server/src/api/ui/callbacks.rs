//! Callbacks: what DAGs ask to be done, and what has become of it.

use axum::extract::State;
use flow_store::{CallbackFilter, CallbackLine, Key, Place};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    access::Who,
    api::Refusals,
    auth,
    error::ErrorBody,
    extract::{Path, Query},
    said::{Words, said},
    wire::When,
};

/// Rows of a page when nothing is said, and at most.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 500;

/// States that a callback may be in. What is `failing` is pending, and the last try did not work.
const STATES: [&str; 4] = ["pending", "failing", "delivered", "failed"];

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    dag_id: Option<String>,
    dag_run_id: Option<String>,
    task_id: Option<String>,
    map_index: Option<i64>,
    /// `pending`, `delivered`, `failed`, or `failing`: those of the pending whose last try did not work
    state: Option<String>,
    /// Most callbacks to return; never more than 500
    #[param(minimum = 0, default = 50)]
    limit: Option<u32>,
    /// Those older than the callback with this id: `next` of the page before
    before: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct CallbackResponse {
    callback_id: i64,
    dag_id: String,
    dag_run_id: String,
    /// Null when it is the run's
    task_id: Option<String>,
    map_index: i64,
    /// The try of the task; of a run, how often it was cleared
    number: i64,
    /// `execute`, `success`, `failure`, `retry` or `skipped`
    event: String,
    operator: String,
    /// `pending`, `delivered` or `failed`
    state: String,
    /// Tries to deliver it that have begun
    tries: i64,
    /// When it is tried next; null when it is not
    next_try_at: Option<When>,
    /// What went wrong at the last try
    error: Option<String>,
    /// The end of what the last try said
    log: Option<String>,
    created_at: When,
    /// When it was delivered, or given up
    ended_at: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct CallbackCollectionResponse {
    callbacks: Vec<CallbackResponse>,
    /// For `before` of the next page; null when this is the last
    next: Option<i64>,
    /// All that there are, at most 10,000; null when counting them would take too long
    total_entries: Option<u64>,
}

impl From<CallbackLine> for CallbackResponse {
    fn from(line: CallbackLine) -> Self {
        Self {
            callback_id: line.id,
            dag_id: line.dag_id,
            dag_run_id: line.run_id,
            task_id: Some(line.task_id).filter(|id| !id.is_empty()),
            map_index: line.map_index,
            number: line.number,
            event: line.event,
            operator: line.operator,
            next_try_at: (line.state == "pending").then(|| When::of_micros(line.due.max(line.created_at))),
            state: line.state,
            tries: line.tries,
            error: line.error,
            log: line.log.filter(|log| !log.is_empty()),
            created_at: When::of_micros(line.created_at),
            ended_at: line.ended_at.map(When::of_micros),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_callbacks)).routes(routes!(retry_callback))
}

/// Callbacks, the latest first
#[utoipa::path(get, path = "/ui/callbacks", tag = "Callback", params(Filter),
    responses((status = 200, body = CallbackCollectionResponse), Refusals))]
async fn get_callbacks(
    State(app): State<App>,
    who: Who,
    Query(query): Query<Filter>,
) -> Result<axum::Json<CallbackCollectionResponse>, ApiError> {
    if let Some(state) = query.state.as_deref().filter(|state| !STATES.contains(state)) {
        let words = format!("there is no state `{state}` (there are: {})", STATES.join(", "));
        return Err(ApiError::invalid(&["query", "state"], words));
    }
    let filter = CallbackFilter {
        id: None,
        dag_id: query.dag_id,
        run_id: query.dag_run_id,
        task_id: query.task_id,
        map_index: query.map_index,
        state: query.state,
        hidden_dags: auth::hidden_dags(&app, &who).await?,
    };
    let place = query.before.map(|id| Place { keys: vec![Key::Int(id)], is_backward: false });
    let limit = query.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let found = app.store.list_callbacks(&filter, limit, place.as_ref()).await?;
    let next = found.rows.last().filter(|_| found.has_more).map(|line| line.id);
    Ok(axum::Json(CallbackCollectionResponse {
        callbacks: found.rows.into_iter().map(Into::into).collect(),
        next,
        total_entries: found.total,
    }))
}

/// Tries a callback again: one that failed from its first try on, one that waits at once
#[utoipa::path(post, path = "/ui/callbacks/{callback_id}/retry", tag = "Callback", params(("callback_id" = i64, Path)),
    responses((status = 200, body = CallbackResponse), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
async fn retry_callback(
    State(app): State<App>,
    who: Who,
    Path(id): Path<i64>,
) -> Result<(Words, axum::Json<CallbackResponse>), ApiError> {
    let hidden_dags = auth::hidden_dags(&app, &who).await?;
    let filter = CallbackFilter { id: Some(id), hidden_dags, ..CallbackFilter::default() };
    let found = app.store.callback(&filter).await?.ok_or_else(|| ApiError::not_found("callback", id))?;
    if !app.store.retry_callback(id, (app.now)()).await? {
        let why = if found.state == "delivered" { "was delivered" } else { "is being tried" };
        return Err(ApiError::conflict(format!("callback {id} {why}: there is nothing to try again")));
    }
    let found = app.store.callback(&filter).await?.ok_or_else(|| ApiError::not_found("callback", id))?;
    let words = said(format!("tried {} → {} of {} again", found.event, found.operator, found.dag_id));
    Ok((words, axum::Json(found.into())))
}
