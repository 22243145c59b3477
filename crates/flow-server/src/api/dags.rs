//! DAGs: lists, one, pausing, deleting, favourites.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use flow_core::{DagId, RunState};
use flow_store::{DagFilter, DagLine, DagOrder, Listed, Order, Signal};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, find};
use crate::{
    ApiError, App,
    access::{By, Who},
    auth,
    error::ErrorBody,
    extract::{Json as Body, Path, Query},
    logs::{LogsOf, forget},
    page::{self, Paging},
    wire::When,
};

/// Runs deleted in one transaction.
const RUNS_A_STEP: u32 = 500;
/// Time after which a request begins no further step; a request has twice as long.
const DELETE_TIME: Duration = Duration::from_secs(15);
/// Most values of a parameter that may be repeated.
const VALUES_MAX: usize = 1_000;
/// What Airflow gives a DAG that does not say; for rows that an older Flow wrote.
const TASKS_DEFAULT: i64 = 16;

/// Filters that changing many DAGs has, too.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    #[serde(default)]
    tags: Vec<String>,
    /// Whether a DAG must have one of the tags or all of them
    #[param(inline)]
    tags_match_mode: Option<TagsMatchMode>,
    #[serde(default)]
    owners: Vec<String>,
    dag_id_pattern: Option<String>,
    dag_id_prefix_pattern: Option<String>,
    /// Leave out DAGs whose files are gone
    #[param(default = true)]
    exclude_stale: Option<bool>,
    paused: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListFilter {
    dag_display_name_pattern: Option<String>,
    dag_display_name_prefix_pattern: Option<String>,
    has_import_errors: Option<bool>,
    last_dag_run_state: Option<DagRunState>,
    /// There is one bundle: `dags-folder`
    bundle_name: Option<String>,
    bundle_version: Option<String>,
    /// Flow has no assets
    has_asset_schedule: Option<bool>,
    asset_dependency: Option<String>,
    /// Of the latest run, as the next seven
    dag_run_start_date_gte: Option<When>,
    dag_run_start_date_gt: Option<When>,
    dag_run_start_date_lte: Option<When>,
    dag_run_start_date_lt: Option<When>,
    dag_run_end_date_gte: Option<When>,
    dag_run_end_date_gt: Option<When>,
    dag_run_end_date_lte: Option<When>,
    dag_run_end_date_lt: Option<When>,
    #[serde(default)]
    dag_run_state: Vec<String>,
    #[serde(default)]
    order_by: Vec<String>,
    is_favorite: Option<bool>,
    /// Names of Airflow's classes: `airflow.timetables.trigger.CronTriggerTimetable`
    #[serde(default)]
    timetable_type: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum TagsMatchMode {
    Any,
    All,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum DagRunState {
    Queued,
    Running,
    Success,
    Failed,
}

impl From<DagRunState> for RunState {
    fn from(state: DagRunState) -> Self {
        match state {
            DagRunState::Queued => Self::Queued,
            DagRunState::Running => Self::Running,
            DagRunState::Success => Self::Success,
            DagRunState::Failed => Self::Failed,
        }
    }
}

/// Which fields of a body count.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Mask {
    #[serde(default)]
    update_mask: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DAGPatchBody {
    is_paused: bool,
}

#[derive(Serialize, ToSchema)]
struct DAGCollectionResponse {
    dags: Vec<DAGResponse>,
    total_entries: u64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct DAGResponse {
    pub(super) dag_id: String,
    dag_display_name: String,
    is_paused: bool,
    is_stale: bool,
    last_parsed_time: Option<When>,
    /// Always null: it is a matter of microseconds
    last_parse_duration: Option<f64>,
    last_expired: Option<When>,
    bundle_name: Option<&'static str>,
    bundle_version: Option<String>,
    relative_fileloc: Option<String>,
    fileloc: String,
    description: Option<String>,
    timetable_summary: Option<String>,
    timetable_description: Option<String>,
    timetable_partitioned: bool,
    timetable_periodic: bool,
    tags: Vec<DagTagResponse>,
    pub(super) max_active_tasks: i64,
    max_active_runs: Option<i64>,
    max_consecutive_failed_dag_runs: i64,
    has_task_concurrency_limits: bool,
    has_import_errors: bool,
    next_dagrun_logical_date: Option<When>,
    next_dagrun_data_interval_start: Option<When>,
    next_dagrun_data_interval_end: Option<When>,
    next_dagrun_run_after: Option<When>,
    allowed_run_types: Option<Vec<String>>,
    owners: Vec<String>,
    is_backfillable: bool,
    /// For `parseDagFile`
    file_token: String,
}

#[derive(Serialize, ToSchema)]
struct DagTagResponse {
    name: String,
    dag_id: String,
    dag_display_name: String,
}

impl DAGResponse {
    pub(super) fn new(app: &App, line: DagLine) -> Self {
        let (tags, owners) = (tags_of(&line), owners_of(&line));
        let name = line.display_name.unwrap_or_else(|| line.dag_id.clone());
        let tag = |tag| DagTagResponse { name: tag, dag_id: line.dag_id.clone(), dag_display_name: name.clone() };
        let when = |micros: Option<i64>| micros.map(When::of_micros);
        let is_periodic = line.is_periodic.unwrap_or(false);
        Self {
            tags: tags.into_iter().map(tag).collect(),
            dag_display_name: name.clone(),
            is_paused: line.is_paused,
            is_stale: line.is_stale,
            last_parsed_time: Some(When::of_micros(line.parsed_at)),
            last_parse_duration: None,
            last_expired: None,
            bundle_name: Some(super::BUNDLE),
            bundle_version: None,
            fileloc: app.about.file(&line.file),
            file_token: token_of(&line.file),
            relative_fileloc: Some(line.file),
            description: line.description,
            timetable_summary: line.timetable_summary,
            timetable_description: Some(line.schedule),
            timetable_partitioned: false,
            timetable_periodic: is_periodic,
            max_active_tasks: line.max_active_tasks.unwrap_or(TASKS_DEFAULT),
            max_active_runs: Some(line.max_active_runs),
            max_consecutive_failed_dag_runs: line.max_failed_runs.unwrap_or(0),
            has_task_concurrency_limits: line.has_task_limits.unwrap_or(false),
            has_import_errors: line.has_import_errors,
            next_dagrun_logical_date: when(line.next_logical_date),
            next_dagrun_data_interval_start: when(line.next_interval_start),
            next_dagrun_data_interval_end: when(line.next_interval_end),
            next_dagrun_run_after: when(line.next_run_after),
            allowed_run_types: None,
            owners,
            is_backfillable: is_periodic,
            dag_id: line.dag_id,
        }
    }
}

pub(super) fn tags_of(line: &DagLine) -> Vec<String> {
    serde_json::from_str(&line.tags).unwrap_or_default()
}

pub(super) fn owners_of(line: &DagLine) -> Vec<String> {
    line.owners.split(", ").filter(|owner| !owner.is_empty()).map(str::to_owned).collect()
}

/// Names a file without saying which; [`file_of`] reads it.
fn token_of(file: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(file)
}

/// Reads a token. What it says is no more than a text until the database knows such a file.
pub(super) fn file_of(token: &str) -> Option<String> {
    // No path holds NUL, and Postgres would not take it.
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok().filter(|file| !file.contains('\0'))
}

/// Reads a DAG, or says that there is none.
pub(super) async fn find(app: &App, dag_id: &str) -> Result<DagLine, ApiError> {
    app.store.dag_line(dag_id).await?.ok_or_else(|| ApiError::not_found("dag", dag_id))
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_dags))
        .routes(routes!(patch_dags))
        .routes(routes!(get_dag))
        .routes(routes!(patch_dag))
        .routes(routes!(delete_dag))
        .routes(routes!(favorite_dag))
        .routes(routes!(unfavorite_dag))
}

const ORDERS: [(&str, DagOrder); 12] = [
    ("dag_id", DagOrder::Id),
    ("dag_display_name", DagOrder::DisplayName),
    ("is_paused", DagOrder::IsPaused),
    ("next_dagrun", DagOrder::NextLogicalDate),
    ("next_dagrun_logical_date", DagOrder::NextLogicalDate),
    ("next_dagrun_run_after", DagOrder::NextRunAfter),
    ("next_dagrun_create_after", DagOrder::NextRunAfter),
    ("state", DagOrder::LatestState),
    ("last_run_state", DagOrder::LatestState),
    ("last_dag_run_state", DagOrder::LatestState),
    ("start_date", DagOrder::LatestStart),
    ("last_run_start_date", DagOrder::LatestStart),
];

impl Filter {
    async fn wanted(self, app: &App, who: &Who) -> Result<DagFilter, ApiError> {
        for (name, values) in [("tags", &self.tags), ("owners", &self.owners)] {
            at_most(name, values)?;
        }
        Ok(DagFilter {
            dag_ids: page::patterns(self.dag_id_pattern.as_deref(), self.dag_id_prefix_pattern.as_deref()),
            tags: self.tags,
            all_tags: matches!(self.tags_match_mode, Some(TagsMatchMode::All)),
            owners: self.owners,
            is_paused: self.paused,
            with_stale: self.exclude_stale == Some(false),
            hidden: auth::hidden_dags(app, who).await?,
            ..DagFilter::default()
        })
    }
}

impl ListFilter {
    /// Adds what it asks for; `None` = there is no such DAG.
    fn add(self, mut wanted: DagFilter, who: &Who) -> Result<Option<DagFilter>, ApiError> {
        if self.bundle_name.is_some_and(|name| name != super::BUNDLE)
            || self.bundle_version.is_some()
            || self.has_asset_schedule == Some(true)
            || self.asset_dependency.is_some_and(|asset| !asset.is_empty())
        {
            return Ok(None);
        }
        at_most("timetable_type", &self.timetable_type)?;
        wanted.display_names =
            page::patterns(self.dag_display_name_pattern.as_deref(), self.dag_display_name_prefix_pattern.as_deref());
        wanted.has_import_errors = self.has_import_errors;
        wanted.latest_states = self.last_dag_run_state.map(RunState::from).into_iter().collect();
        if !self.dag_run_state.is_empty() {
            let states = read_states(&self.dag_run_state)?;
            wanted.latest_states = match self.last_dag_run_state.map(RunState::from) {
                Some(state) if !states.contains(&state) => return Ok(None),
                Some(state) => vec![state],
                None => states,
            };
        }
        wanted.latest_start = page::between(
            self.dag_run_start_date_gte,
            self.dag_run_start_date_gt,
            self.dag_run_start_date_lte,
            self.dag_run_start_date_lt,
        );
        wanted.latest_end = page::between(
            self.dag_run_end_date_gte,
            self.dag_run_end_date_gt,
            self.dag_run_end_date_lte,
            self.dag_run_end_date_lt,
        );
        wanted.favorite = self.is_favorite.map(|is_favorite| (who.user.clone(), is_favorite));
        wanted.timetables = self.timetable_type;
        Ok(Some(wanted))
    }
}

/// Reads what a list of DAGs is asked for; `None` = there is no such DAG.
pub(super) async fn asked_for(
    app: &App,
    who: &Who,
    filter: Filter,
    more: ListFilter,
) -> Result<(Option<DagFilter>, Vec<Order<DagOrder>>), ApiError> {
    let orders = page::order(&more.order_by, &ORDERS)?;
    let wanted = filter.wanted(app, who).await?;
    Ok((more.add(wanted, who)?, orders))
}

fn at_most(name: &str, values: &[String]) -> Result<(), ApiError> {
    if values.len() > VALUES_MAX {
        return Err(ApiError::invalid(&["query", name], format!("at most {VALUES_MAX} of them")));
    }
    Ok(())
}

fn read_states(words: &[String]) -> Result<Vec<RunState>, ApiError> {
    let one = |word: &String| {
        word.parse().map_err(|_| {
            let words = "queued, running, success, failed";
            ApiError::invalid(&["query", "dag_run_state"], format!("there is no state `{word}` (there are: {words})"))
        })
    };
    let distinct: BTreeMap<&str, &String> = words.iter().map(|word| (word.as_str(), word)).collect();
    distinct.into_values().map(one).collect()
}

fn answer(app: &App, listed: Listed<DagLine>) -> Json<DAGCollectionResponse> {
    Json(DAGCollectionResponse {
        dags: listed.rows.into_iter().map(|line| DAGResponse::new(app, line)).collect(),
        total_entries: listed.total,
    })
}

/// DAGs
#[utoipa::path(get, path = "/api/v2/dags", tag = "DAG", params(Paging, Filter, ListFilter),
    responses((status = 200, body = DAGCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_dags(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    Query(more): Query<ListFilter>,
) -> Result<Json<DAGCollectionResponse>, ApiError> {
    let (wanted, orders) = asked_for(&app, &who, filter, more).await?;
    let listed = match wanted {
        Some(wanted) => app.store.list_dags(&wanted, &orders, paging.page()?).await?,
        None => Listed { rows: Vec::new(), total: 0, is_counted: true },
    };
    Ok(answer(&app, listed))
}

/// Pause DAGs, or let them go on: those of a page of the list
#[utoipa::path(patch, path = "/api/v2/dags", tag = "DAG", params(Mask, Paging, Filter), request_body = DAGPatchBody,
    responses((status = 200, body = DAGCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn patch_dags(
    State(app): State<App>,
    who: Who,
    Query(mask): Query<Mask>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    Body(body): Body<DAGPatchBody>,
) -> Result<Json<DAGCollectionResponse>, ApiError> {
    mask.check()?;
    let wanted = filter.wanted(&app, &who).await?;
    let mut listed = app.store.list_dags(&wanted, &[], paging.page()?).await?;
    let mut ids = Vec::with_capacity(listed.rows.len());
    for line in &listed.rows {
        if auth::check_dag(&app, &who, &line.dag_id, true).await.is_ok() {
            ids.push(line.dag_id.clone());
        }
    }
    listed.rows.retain(|line| ids.contains(&line.dag_id));
    set_paused(&app, &who, &ids, body.is_paused).await?;
    for line in &mut listed.rows {
        line.is_paused = body.is_paused;
    }
    Ok(answer(&app, listed))
}

/// A DAG
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}", tag = "DAG", params(("dag_id" = String, Path)),
    responses((status = 200, body = DAGResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn get_dag(State(app): State<App>, Path(dag_id): Path<String>) -> Result<Json<DAGResponse>, ApiError> {
    Ok(Json(DAGResponse::new(&app, find(&app, &dag_id).await?)))
}

/// Pause a DAG, or let it go on
#[utoipa::path(patch, path = "/api/v2/dags/{dag_id}", tag = "DAG", params(("dag_id" = String, Path), Mask),
    request_body = DAGPatchBody,
    responses((status = 200, body = DAGResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn patch_dag(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    Query(mask): Query<Mask>,
    Body(body): Body<DAGPatchBody>,
) -> Result<Json<DAGResponse>, ApiError> {
    mask.check()?;
    find(&app, &dag_id).await?;
    set_paused(&app, &who, std::slice::from_ref(&dag_id), body.is_paused).await?;
    Ok(Json(DAGResponse::new(&app, find(&app, &dag_id).await?)))
}

impl Mask {
    fn check(&self) -> Result<(), ApiError> {
        if self.update_mask.iter().any(|field| field != "is_paused") {
            return Err(ApiError::bad_request("only `is_paused` can be changed"));
        }
        Ok(())
    }
}

async fn set_paused(app: &App, who: &Who, ids: &[String], is_paused: bool) -> Result<(), ApiError> {
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    for dag_id in ids {
        if is_paused {
            tx.pause_dag(dag_id, "", Some(&who.user), now).await?;
        } else {
            tx.unpause_dag(dag_id, Some(&who.user), now).await?;
        }
    }
    tx.announce(Signal::Look).await?;
    Ok(tx.commit().await?)
}

/// Delete a DAG, its history and its logs; its file, if it is still there, makes a new one when it changes
///
/// A long history goes in several requests: 409 with `Retry-After` = a part of it is gone, ask again for the rest.
#[utoipa::path(delete, path = "/api/v2/dags/{dag_id}", tag = "DAG", params(("dag_id" = String, Path)),
    responses((status = 200, body = Option<String>, description = "Always null"), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
async fn delete_dag(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
) -> Result<Json<Option<String>>, ApiError> {
    let dag = find::dag(&app, &dag_id).await?;
    let began = (app.now)();
    let mut runs: u64 = 0;
    loop {
        let now = (app.now)();
        if runs > 0 && now.since(began) >= DELETE_TIME {
            return Err(ApiError::again(format!("{runs} runs of `{dag_id}` are deleted, and it has more; ask again")));
        }
        let mut tx = app.store.begin().await?;
        let is_gone = tx.delete_dag(&dag_id, RUNS_A_STEP, Some(&who.user), now).await?;
        tx.commit().await?;
        if is_gone {
            forget(&app.logs, LogsOf::Dag(DagId::new(dag.dag_id))).await;
            return Ok(Json(None));
        }
        runs += u64::from(RUNS_A_STEP);
    }
}

/// Make a DAG a favourite of the one who asks
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/favorite", tag = "DAG", params(("dag_id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), Refusals))]
async fn favorite_dag(State(app): State<App>, who: Who, Path(dag_id): Path<String>) -> Result<StatusCode, ApiError> {
    set_favorite(&app, &who, &dag_id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make it no favourite any more
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/unfavorite", tag = "DAG", params(("dag_id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
async fn unfavorite_dag(State(app): State<App>, who: Who, Path(dag_id): Path<String>) -> Result<StatusCode, ApiError> {
    if !set_favorite(&app, &who, &dag_id, false).await? {
        return Err(ApiError::conflict(format!("dag `{dag_id}` is not a favourite of yours")));
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn set_favorite(app: &App, who: &Who, dag_id: &str, is_favorite: bool) -> Result<bool, ApiError> {
    if who.by == By::Nothing {
        return Err(ApiError::forbidden("a favourite is someone's; log in first"));
    }
    find(app, dag_id).await?;
    let mut tx = app.store.begin().await?;
    let has_changed = tx.set_favorite(&who.user, dag_id, is_favorite).await?;
    tx.commit().await?;
    Ok(has_changed)
}
