//! What is around a task instance: the tasks before and after it, and the runs before and after its own.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use flow_core::dag::{Dag, Task};
use flow_store::{DagRunFilter, DagRunOrder, Order, Page, Place, RunRow, TaskFilter, with_run_id};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{Refusals, find},
    error::ErrorBody,
    extract::Path,
};

/// Most tasks that are named on each side.
const NAMED_MAX: usize = 50;
/// Most task instances whose states are read: one of each that is named, and some that are mapped.
const STATES_MAX: u32 = 1_000;

#[derive(Serialize, ToSchema)]
struct NeighboursResponse {
    /// What it waits for, in the version of its run
    upstream: NeighbourTasks,
    /// What waits for it
    downstream: NeighbourTasks,
    /// The run of the same DAG that was due before this one
    previous_run: Option<NeighbourRun>,
    next_run: Option<NeighbourRun>,
}

#[derive(Default, Serialize, ToSchema)]
struct NeighbourTasks {
    /// The first 50, in the order of the DAG
    tasks: Vec<NeighbourTask>,
    /// How many there are
    total: usize,
}

#[derive(Serialize, ToSchema)]
struct NeighbourTask {
    task_id: String,
    /// Those of its task instances in this run, each once: several when it is mapped, none when it was added later
    states: BTreeSet<String>,
}

#[derive(Serialize, ToSchema)]
struct NeighbourRun {
    dag_run_id: String,
    #[schema(value_type = String)]
    state: &'static str,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_neighbours))
}

/// The tasks before and after a task with their states, and the runs before and after its own
#[utoipa::path(get, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/neighbours", tag = "User interface",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), ("task_id" = String, Path)),
    responses((status = 200, body = NeighboursResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_neighbours(
    State(app): State<App>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
) -> Result<axum::Json<NeighboursResponse>, ApiError> {
    let row = find::run(&app, &dag_id, &run_id).await?;
    let version = app.dags.read(&app.store, row.version_id).await?;
    let around = version.task_ix(&task_id).map(|ix| Around::new(&version.dag, version.dag.task(ix)));
    let Around { upstream, downstream } = around.unwrap_or_default();
    let wanted = || named(&upstream).chain(named(&downstream)).chain([task_id.as_str()]);
    let states = states(&app, &row, wanted().map(str::to_owned).collect()).await?;
    if version.task_ix(&task_id).is_none() && !states.contains_key(&task_id) {
        return Err(ApiError::not_found("task instance", &task_id));
    }
    Ok(axum::Json(NeighboursResponse {
        upstream: NeighbourTasks::new(&upstream, &states),
        downstream: NeighbourTasks::new(&downstream, &states),
        previous_run: beside(&app, &row, true).await?,
        next_run: beside(&app, &row, false).await?,
    }))
}

/// Ids of the tasks on both sides of one.
#[derive(Default)]
struct Around {
    upstream: Vec<String>,
    downstream: Vec<String>,
}

impl Around {
    fn new(dag: &Dag, task: &Task) -> Self {
        let ids = |places: &[flow_core::TaskIx]| places.iter().map(|ix| dag.task(*ix).id.to_string()).collect();
        Self { upstream: ids(&task.upstream), downstream: ids(&task.downstream) }
    }
}

fn named(ids: &[String]) -> impl Iterator<Item = &str> {
    ids.iter().take(NAMED_MAX).map(String::as_str)
}

impl NeighbourTasks {
    fn new(ids: &[String], states: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let one =
            |id: &str| NeighbourTask { task_id: id.to_owned(), states: states.get(id).cloned().unwrap_or_default() };
        Self { tasks: named(ids).map(one).collect(), total: ids.len() }
    }
}

/// Returns the states of some tasks of a run.
async fn states(app: &App, row: &RunRow, tasks: Vec<String>) -> Result<BTreeMap<String, BTreeSet<String>>, ApiError> {
    let filter = TaskFilter { run: Some(row.run.key), tasks: Some(tasks), ..TaskFilter::default() };
    let found = app.store.list_task_instances(&filter, &[], Page { limit: STATES_MAX, offset: 0 }).await?;
    let mut states: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in found.rows {
        states.entry(line.task_id).or_default().insert(line.state);
    }
    Ok(states)
}

/// Returns the run that was due before or after this one.
async fn beside(app: &App, row: &RunRow, is_before: bool) -> Result<Option<NeighbourRun>, ApiError> {
    let filter = DagRunFilter { dags: Some(vec![row.run.dag_id.to_string()]), ..DagRunFilter::default() };
    let orders = with_run_id(&[Order { by: DagRunOrder::RunAfter, is_descending: is_before }]);
    let keys = orders.iter().filter_map(|order| order.by.key(row)).collect();
    let place = Place { keys, is_backward: false };
    let found = app.store.list_dag_runs_from(&filter, &orders, Some(&place), 1).await?;
    Ok(found
        .rows
        .into_iter()
        .next()
        .map(|row| NeighbourRun { dag_run_id: row.run.run_id.to_string(), state: row.run.state.as_str() }))
}
