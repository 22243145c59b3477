//! DAG runs: lists, triggering, changing, waiting.

use std::collections::BTreeMap;

use axum::extract::State;
use flow_core::{RunState, RunType};
use flow_store::{RunRow, VersionLine};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Refusals, bulk::check_note, find};
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::Path,
    wire::{DagVersionResponse, When},
};

mod bulk;
mod change;
mod clear;
pub(super) mod list;
mod trigger;
mod wait;

#[derive(Serialize, ToSchema)]
struct DAGRunResponse {
    dag_run_id: String,
    dag_id: String,
    logical_date: Option<When>,
    queued_at: Option<When>,
    start_date: Option<When>,
    end_date: Option<When>,
    /// Seconds, once it has ended
    duration: Option<f64>,
    data_interval_start: Option<When>,
    data_interval_end: Option<When>,
    run_after: When,
    /// When the scheduler last changed its state
    last_scheduling_decision: Option<When>,
    run_type: DagRunType,
    state: DagRunState,
    triggered_by: Option<DagRunTriggeredByType>,
    triggering_user_name: Option<String>,
    #[schema(value_type = Option<Object>)]
    conf: Option<Value>,
    note: Option<String>,
    /// The one that it is pinned to
    dag_versions: Vec<DagVersionResponse>,
    bundle_version: Option<String>,
    dag_display_name: String,
    partition_key: Option<String>,
    partition_date: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct DAGRunCollectionResponse {
    dag_runs: Vec<DAGRunResponse>,
    /// At most 10,000, which then means "so many or more"; null when counting would take too long
    total_entries: Option<u64>,
    /// How far entries are counted, when that may matter
    total_entries_limit: Option<u64>,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
}

/// Airflow's types of runs; Flow makes no `operator_triggered` and `asset_materialization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DagRunType {
    Backfill,
    Scheduled,
    Manual,
    OperatorTriggered,
    AssetTriggered,
    AssetMaterialization,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DagRunState {
    Queued,
    Running,
    Success,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DagRunTriggeredByType {
    Cli,
    Operator,
    RestApi,
    Ui,
    Test,
    Timetable,
    Asset,
    Backfill,
}

/// States that someone may give to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DagRunMutableStates {
    Queued,
    Success,
    Failed,
}

impl From<RunType> for DagRunType {
    fn from(kind: RunType) -> Self {
        match kind {
            RunType::Scheduled => Self::Scheduled,
            RunType::Manual => Self::Manual,
            RunType::Backfill => Self::Backfill,
            RunType::AssetTriggered => Self::AssetTriggered,
        }
    }
}

impl DagRunType {
    const ALL: [Self; 6] = [
        Self::Backfill,
        Self::Scheduled,
        Self::Manual,
        Self::OperatorTriggered,
        Self::AssetTriggered,
        Self::AssetMaterialization,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
            Self::OperatorTriggered => "operator_triggered",
            Self::AssetTriggered => "asset_triggered",
            Self::AssetMaterialization => "asset_materialization",
        }
    }

    /// Returns ours; `None` = Flow makes no such runs.
    fn ours(self) -> Option<RunType> {
        match self {
            Self::Scheduled => Some(RunType::Scheduled),
            Self::Manual => Some(RunType::Manual),
            Self::Backfill => Some(RunType::Backfill),
            Self::AssetTriggered => Some(RunType::AssetTriggered),
            Self::OperatorTriggered | Self::AssetMaterialization => None,
        }
    }
}

impl From<RunState> for DagRunState {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::Queued,
            RunState::Running => Self::Running,
            RunState::Success => Self::Success,
            RunState::Failed => Self::Failed,
        }
    }
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

impl DagRunTriggeredByType {
    /// Reads our word; what Airflow has no word for is null.
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "cli" => Self::Cli,
            "operator" => Self::Operator,
            "rest_api" => Self::RestApi,
            "ui" => Self::Ui,
            "test" => Self::Test,
            "timetable" => Self::Timetable,
            "asset" => Self::Asset,
            "backfill" => Self::Backfill,
            _ => return None,
        })
    }
}

impl DAGRunResponse {
    fn new(row: RunRow, versions: &BTreeMap<i64, VersionLine>) -> Self {
        let version = versions.get(&row.version_id);
        let run = row.run;
        let display_name = version.and_then(|version| version.display_name.clone());
        Self {
            dag_run_id: run.run_id.to_string(),
            dag_id: run.dag_id.to_string(),
            logical_date: run.logical_date.map(When),
            queued_at: Some(When(run.queued_at)),
            start_date: run.started_at.map(When),
            end_date: run.ended_at.map(When),
            duration: run.started_at.zip(run.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
            data_interval_start: run.data_interval.map(|interval| When(interval.start)),
            data_interval_end: run.data_interval.map(|interval| When(interval.end)),
            run_after: When(run.run_after),
            last_scheduling_decision: run.ended_at.or(run.started_at).map(When),
            run_type: run.run_type.into(),
            state: run.state.into(),
            triggered_by: DagRunTriggeredByType::of(&row.triggered_by),
            triggering_user_name: row.user,
            conf: Some(run.conf).filter(Value::is_object),
            note: row.note,
            dag_versions: version.map(DagVersionResponse::from).into_iter().collect(),
            bundle_version: None,
            dag_display_name: display_name.unwrap_or_else(|| run.dag_id.to_string()),
            partition_key: None,
            partition_date: None,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::get_dag_runs, trigger::trigger_dag_run, bulk::bulk_dag_runs))
        .routes(routes!(list::get_list_dag_runs_batch))
        .routes(routes!(get_dag_run, change::patch_dag_run, change::delete_dag_run))
        .routes(routes!(clear::clear_dag_run))
        .routes(routes!(clear::clear_dag_runs))
        .routes(routes!(wait::wait_dag_run_until_finished))
}

/// One run
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", tag = "DagRun",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)),
    responses((status = 200, body = DAGRunResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_dag_run(
    State(app): State<App>,
    Path((dag_id, run_id)): Path<(String, String)>,
) -> Result<axum::Json<DAGRunResponse>, ApiError> {
    let row = find::run(&app, &dag_id, &run_id).await?;
    Ok(axum::Json(shown(&app, row).await?))
}

/// Returns a run as it is shown.
async fn shown(app: &App, row: RunRow) -> Result<DAGRunResponse, ApiError> {
    let versions = app.store.version_lines(&[row.version_id]).await?;
    Ok(DAGRunResponse::new(row, &versions))
}

/// Returns runs as they are shown.
async fn all_shown(app: &App, rows: Vec<RunRow>) -> Result<Vec<DAGRunResponse>, ApiError> {
    let mut ids: Vec<i64> = rows.iter().map(|row| row.version_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let versions = app.store.version_lines(&ids).await?;
    Ok(rows.into_iter().map(|row| DAGRunResponse::new(row, &versions)).collect())
}

/// Reads a note: an empty one takes away what was there.
fn note(place: &[&str], text: &str) -> Result<Option<String>, ApiError> {
    check_note(place, Some(text))?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}
