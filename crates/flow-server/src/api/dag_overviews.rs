//! What is asked of many DAGs at once: tags, counts of runs, warnings.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use flow_store::{DagFilter, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, dags::DagRunState};
use crate::{
    ApiError, App,
    access::Who,
    auth,
    error::ErrorBody,
    extract::Query,
    page::{self, Paging},
    wire::When,
};

/// DAGs whose runs are counted at once.
const DAGS_MAX: u32 = 1_000;
/// Ended runs that are looked at for one answer, shared by its DAGs.
const RUNS_MAX: u32 = 5_000;
/// Tags that are told apart.
const TAGS_MAX: u32 = 10_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TagFilter {
    /// `name`, or `-name`
    #[serde(default)]
    order_by: Vec<String>,
    tag_name_pattern: Option<String>,
    tag_name_prefix_pattern: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatsFilter {
    /// All DAGs when nothing is said
    #[serde(default)]
    dag_ids: Vec<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WarningFilter {
    dag_id: Option<String>,
    warning_type: Option<DagWarningType>,
    #[serde(default)]
    order_by: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum DagWarningType {
    #[serde(rename = "asset conflict")]
    AssetConflict,
    #[serde(rename = "non-existent pool")]
    NonExistentPool,
    #[serde(rename = "runtime varying value")]
    RuntimeVaryingValue,
}

#[derive(Serialize, ToSchema)]
struct DAGTagCollectionResponse {
    tags: Vec<String>,
    total_entries: usize,
}

#[derive(Serialize, ToSchema)]
struct DagStatsCollectionResponse {
    dags: Vec<DagStatsResponse>,
    total_entries: usize,
}

#[derive(Serialize, ToSchema)]
struct DagStatsResponse {
    dag_id: String,
    dag_display_name: String,
    stats: Vec<DagStatsStateResponse>,
}

#[derive(Serialize, ToSchema)]
struct DagStatsStateResponse {
    state: DagRunState,
    count: i64,
}

#[derive(Serialize, ToSchema)]
struct DAGWarningCollectionResponse {
    dag_warnings: Vec<DAGWarningResponse>,
    total_entries: u64,
}

#[derive(Serialize, ToSchema)]
struct DAGWarningResponse {
    dag_id: String,
    warning_type: DagWarningType,
    message: String,
    timestamp: When,
    dag_display_name: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_dag_tags)).routes(routes!(get_dag_stats)).routes(routes!(list_dag_warnings))
}

/// The tags of all DAGs
#[utoipa::path(get, path = "/api/v2/dagTags", tag = "DAG", params(Paging, TagFilter),
    responses((status = 200, body = DAGTagCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_dag_tags(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<TagFilter>,
) -> Result<Json<DAGTagCollectionResponse>, ApiError> {
    let orders = page::order(&filter.order_by, &[("name", ())])?;
    let Page { limit, offset } = paging.page()?;
    let names = page::patterns(filter.tag_name_pattern.as_deref(), filter.tag_name_prefix_pattern.as_deref());
    let hidden = auth::hidden_dags(&app, &who).await?;
    let mut tags = app.store.tags(&names, &hidden, TAGS_MAX).await?;
    if orders.first().is_some_and(|order| order.is_descending) {
        tags.reverse();
    }
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let total_entries = tags.len();
    let tags = tags.into_iter().skip(size(offset)).take(size(limit)).collect();
    Ok(Json(DAGTagCollectionResponse { tags, total_entries }))
}

/// How many runs are in which state. Of those that have ended, the latest 5,000 of all DAGs asked for count, in equal
/// shares, and at most 500 of a DAG
#[utoipa::path(get, path = "/api/v2/dagStats", tag = "DagStats", params(StatsFilter),
    responses((status = 200, body = DagStatsCollectionResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_stats(
    State(app): State<App>,
    who: Who,
    Query(filter): Query<StatsFilter>,
) -> Result<Json<DagStatsCollectionResponse>, ApiError> {
    let wanted = DagFilter {
        some_ids: (!filter.dag_ids.is_empty()).then_some(filter.dag_ids),
        hidden: auth::hidden_dags(&app, &who).await?,
        ..DagFilter::default()
    };
    if wanted.some_ids.as_ref().is_some_and(|ids| ids.len() > usize::try_from(DAGS_MAX).unwrap_or(usize::MAX)) {
        return Err(ApiError::invalid(&["query", "dag_ids"], format!("at most {DAGS_MAX} of them")));
    }
    let lines = app.store.list_dags(&wanted, &[], Page { limit: DAGS_MAX, offset: 0 }).await?.rows;
    let ids: Vec<&str> = lines.iter().map(|line| line.dag_id.as_str()).collect();
    let share = RUNS_MAX / u32::try_from(ids.len()).unwrap_or(u32::MAX).max(10);
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for count in app.store.count_runs(&ids, share).await? {
        counts.insert((count.dag_id, count.state), count.runs);
    }
    const STATES: [(DagRunState, &str); 4] = [
        (DagRunState::Queued, "queued"),
        (DagRunState::Running, "running"),
        (DagRunState::Success, "success"),
        (DagRunState::Failed, "failed"),
    ];
    let dags: Vec<DagStatsResponse> = lines
        .into_iter()
        .map(|line| DagStatsResponse {
            stats: STATES
                .map(|(state, word)| DagStatsStateResponse {
                    state,
                    count: counts.get(&(line.dag_id.clone(), word.to_owned())).copied().unwrap_or(0),
                })
                .into(),
            dag_display_name: line.display_name.unwrap_or_else(|| line.dag_id.clone()),
            dag_id: line.dag_id,
        })
        .collect();
    Ok(Json(DagStatsCollectionResponse { total_entries: dags.len(), dags }))
}

/// What is odd about DAGs: tasks that name a pool that is not there
#[utoipa::path(get, path = "/api/v2/dagWarnings", tag = "DagWarning", params(Paging, WarningFilter),
    responses((status = 200, body = DAGWarningCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn list_dag_warnings(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<WarningFilter>,
) -> Result<Json<DAGWarningCollectionResponse>, ApiError> {
    let known = ["dag_id", "warning_type", "message", "timestamp"].map(|name| (name, ()));
    let orders = page::order(&filter.order_by, &known)?;
    let page = paging.page()?;
    if filter.warning_type.is_some_and(|kind| kind != DagWarningType::NonExistentPool) {
        return Ok(Json(DAGWarningCollectionResponse { dag_warnings: Vec::new(), total_entries: 0 }));
    }
    let hidden = auth::hidden_dags(&app, &who).await?;
    let is_descending = orders.first().is_some_and(|order| order.is_descending);
    let listed = app.store.list_missing_pools(filter.dag_id.as_deref(), &hidden, is_descending, page).await?;
    let warning = |missing: flow_store::MissingPool| DAGWarningResponse {
        warning_type: DagWarningType::NonExistentPool,
        message: format!("dag `{}` has tasks in the pool `{}`, which does not exist", missing.dag_id, missing.pool),
        timestamp: When::of_micros(missing.parsed_at),
        dag_display_name: missing.display_name.unwrap_or_else(|| missing.dag_id.clone()),
        dag_id: missing.dag_id,
    };
    Ok(Json(DAGWarningCollectionResponse {
        dag_warnings: listed.rows.into_iter().map(warning).collect(),
        total_entries: listed.total,
    }))
}
