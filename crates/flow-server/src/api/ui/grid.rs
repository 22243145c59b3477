//! The grid: tasks down, runs across.

use std::collections::{BTreeSet, HashMap};

use axum::{extract::State, response::Response};
use flow_core::{Dag, RunKey, TaskState};
use flow_store::{DagRunFilter, GridCell, GridColumn, GridRun as RunRow, Range, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{
        Refusals,
        dag_runs::{DagRunState, DagRunType, list},
        find,
    },
    away,
    error::ErrorBody,
    extract::{Path, Query},
    wire::When,
};

/// Runs when nothing is said.
const RUNS: u32 = 25;
/// Most of them.
const RUNS_MAX: u32 = 365;
/// Most cells: of a DAG with very many tasks, or whose tasks have other ids from version to version, fewer runs are shown.
const CELLS_MAX: usize = 250_000;
/// Runs whose task instances are read at once. A DAG has 10,000 tasks at most: so no more is read than twice what is
/// shown, whatever older versions had.
const RUNS_AT_ONCE: usize = 25;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Most runs to return; more than 365 are never returned, nor more than make 250,000 cells
    #[param(minimum = 0, default = 25)]
    limit: Option<u32>,
    /// The newest run is due at this moment or before
    run_after_lte: Option<When>,
    /// Only what comes after this run, which is the last of the page before: runs that are older, or due at the same
    /// moment and made before it
    before_run_id: Option<String>,
    #[serde(default)]
    run_type: Vec<String>,
    #[serde(default)]
    state: Vec<String>,
    /// With the start and end of each task instance
    #[param(default = false)]
    times: Option<bool>,
}

#[derive(Serialize, ToSchema)]
struct GridResponse {
    /// In the order of the DAG, a group before its members; what the newest version no longer has comes last
    tasks: Vec<GridTask>,
    /// The newest first
    runs: Vec<GridRun>,
    /// There are older runs
    has_more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct GridTask {
    id: String,
    label: String,
    kind: GridKind,
    /// The id of the group around it
    parent: Option<String>,
    /// How many groups are around it
    depth: u32,
    /// Null for a group, and for what is not in the newest version
    operator: Option<String>,
    is_mapped: bool,
    /// The newest version does not have it
    is_removed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum GridKind {
    Task,
    Group,
}

#[derive(Serialize, ToSchema)]
struct GridRun {
    run_id: String,
    state: DagRunState,
    run_type: DagRunType,
    run_after: When,
    #[schema(required = true)]
    logical_date: Option<When>,
    #[schema(required = true)]
    data_interval_end: Option<When>,
    #[schema(required = true)]
    queued_at: Option<When>,
    #[schema(required = true)]
    start_date: Option<When>,
    #[schema(required = true)]
    end_date: Option<When>,
    version_number: i64,
    has_note: bool,
    /// A letter for each task of `tasks`, groups left out: `.` nothing decided, `s` success, `f` failed, `r` running, `q` queued, `c` scheduled, `k` skipped,
    /// `u` upstream_failed, `y` up_for_retry, `e` up_for_reschedule, `d` deferred, `t` restarting, `x` removed, `-` not in
    /// this run
    states: String,
    /// Numbers of tries, in the same order; 0 = none
    tries: Vec<u32>,
    /// Milliseconds since 1970, with `times` only
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    starts: Option<Vec<Option<i64>>>,
    /// Milliseconds since 1970, with `times` only
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ends: Option<Vec<Option<i64>>>,
}

/// What a grid has in a column, in the order of its rows.
#[derive(Clone, Debug)]
struct Column {
    letters: Vec<u8>,
    tries: Vec<u32>,
    /// Empty without times.
    starts: Vec<Option<i64>>,
    ends: Vec<Option<i64>>,
}

/// Letters of states, those that are shown first when one cell stands for several task instances first.
const LETTERS: &[u8] = b"fuyeqcdrt.skx-";
/// There is no such task instance.
const NOTHING: u8 = b'-';

fn letter(state: TaskState) -> u8 {
    match state {
        TaskState::NoStatus => b'.',
        TaskState::Scheduled => b'c',
        TaskState::Queued => b'q',
        TaskState::Running => b'r',
        TaskState::Success => b's',
        TaskState::Failed => b'f',
        TaskState::Skipped => b'k',
        TaskState::UpstreamFailed => b'u',
        TaskState::UpForRetry => b'y',
        TaskState::UpForReschedule => b'e',
        // Neither is produced by this version.
        TaskState::Deferred | TaskState::AwaitingInput => b'd',
        TaskState::Restarting => b't',
        TaskState::Removed => b'x',
    }
}

impl Column {
    fn new(rows: usize, is_timed: bool) -> Self {
        let times = if is_timed { rows } else { 0 };
        Self { letters: vec![NOTHING; rows], tries: vec![0; rows], starts: vec![None; times], ends: vec![None; times] }
    }

    /// Enters a task instance; of several in one row, the one that matters most is shown.
    fn put(&mut self, row: usize, cell: &GridCell<'_>) {
        let rank = |letter: u8| LETTERS.iter().position(|known| *known == letter);
        let new = letter(cell.state);
        if rank(new) < rank(self.letters[row]) {
            self.letters[row] = new;
        }
        self.tries[row] = self.tries[row].max(cell.try_number);
        if let (Some(start), Some(end)) = (self.starts.get_mut(row), self.ends.get_mut(row)) {
            // The first start, and the last end; `None` is the smallest.
            *start = start.map_or(cell.started_at, |start| Some(cell.started_at.map_or(start, |new| new.min(start))));
            *end = (*end).max(cell.ended_at);
        }
    }
}

impl GridRun {
    fn new(run: RunRow, column: Column, is_timed: bool) -> Self {
        Self {
            run_id: run.run_id,
            state: run.state.into(),
            run_type: run.run_type.into(),
            run_after: When(run.run_after),
            logical_date: run.logical_date.map(When),
            data_interval_end: run.interval_end.map(When),
            queued_at: Some(When(run.queued_at)),
            start_date: run.started_at.map(When),
            end_date: run.ended_at.map(When),
            version_number: run.version_number,
            has_note: run.has_note,
            states: column.letters.into_iter().map(char::from).collect(),
            tries: column.tries,
            starts: is_timed.then_some(column.starts),
            ends: is_timed.then_some(column.ends),
        }
    }
}

impl GridTask {
    fn removed(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            label: id.to_owned(),
            kind: GridKind::Task,
            parent: None,
            depth: 0,
            operator: None,
            is_mapped: false,
            is_removed: true,
        }
    }
}

/// A row of a DAG: the index of a task, or of a group.
#[derive(Clone, Copy, Debug)]
enum Row {
    Task(usize),
    Group(usize),
}

/// Returns the rows of a DAG. A group stands where its first task does, with its members below it; one without any is
/// left out.
fn rows_of(dag: &Dag) -> Vec<GridTask> {
    let mut first: Vec<Option<usize>> = vec![None; dag.groups.len()];
    let mut within: HashMap<Option<usize>, Vec<(usize, Row)>> = HashMap::new();
    for (at, task) in dag.tasks.iter().enumerate() {
        within.entry(task.group).or_default().push((at, Row::Task(at)));
        let mut around = task.group;
        while let Some(group) = around {
            first[group].get_or_insert(at);
            around = dag.groups[group].parent;
        }
    }
    for (at, group) in dag.groups.iter().enumerate() {
        if let Some(first) = first[at] {
            within.entry(group.parent).or_default().push((first, Row::Group(at)));
        }
    }
    for members in within.values_mut() {
        // The last is taken first.
        members.sort_unstable_by_key(|(first, _)| std::cmp::Reverse(*first));
    }
    let mut rows = Vec::with_capacity(dag.tasks.len() + dag.groups.len());
    let mut open = vec![None];
    while let Some(group) = open.last().copied() {
        let Some((_, row)) = within.get_mut(&group).and_then(Vec::pop) else {
            open.pop();
            continue;
        };
        let parent = group.map(|group| dag.groups[group].id.clone());
        let depth = u32::try_from(open.len() - 1).unwrap_or(u32::MAX);
        let (is_mapped, is_removed) = (false, false);
        rows.push(match row {
            Row::Task(at) => {
                let task = &dag.tasks[at];
                GridTask {
                    id: task.id.to_string(),
                    label: task.display_name.clone().unwrap_or_else(|| task.id.to_string()),
                    kind: GridKind::Task,
                    operator: Some(task.operator.clone()),
                    parent,
                    depth,
                    is_mapped,
                    is_removed,
                }
            }
            Row::Group(at) => {
                open.push(Some(at));
                let group = &dag.groups[at];
                GridTask {
                    id: group.id.clone(),
                    label: group.display_name.clone().unwrap_or_else(|| group.id.clone()),
                    kind: GridKind::Group,
                    operator: None,
                    parent,
                    depth,
                    is_mapped,
                    is_removed,
                }
            }
        });
    }
    rows
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_grid))
}

/// The tasks of a DAG in its last runs
#[utoipa::path(get, path = "/ui/dags/{dag_id}/grid", tag = "User interface", params(("dag_id" = String, Path), Asked),
    responses((status = 200, body = GridResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        Refusals))]
async fn get_grid(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let states = list::states(&asked.state)?;
    let types = list::types(&asked.run_type)?;
    let dag = find::dag(&app, &dag_id).await?;
    let version = app.dags.read(&app.store, dag.version_id).await?;
    let before = match &asked.before_run_id {
        Some(run_id) => Some(find::run(&app, &dag_id, run_id).await?.run).map(|run| (run.run_after, run.key)),
        None => None,
    };
    let shown = usize::try_from(asked.limit.unwrap_or(RUNS).min(RUNS_MAX)).unwrap_or(usize::MAX);
    let limit = shown.min((CELLS_MAX / version.dag.tasks.len().max(1)).max(1));
    let mut runs = match types {
        Some(types) if types.is_empty() => Vec::new(),
        types => {
            let wanted = DagRunFilter {
                dags: Some(vec![dag_id]),
                states,
                types: types.unwrap_or_default(),
                run_after: Range { lte: asked.run_after_lte.map(|when| when.0), ..Range::default() },
                ..DagRunFilter::default()
            };
            // One more than is shown tells whether there is more.
            app.store.grid_runs(&wanted, before, u32::try_from(limit + 1).unwrap_or(u32::MAX)).await?
        }
    };
    let mut has_more = runs.len() > limit;
    runs.truncate(limit);
    let is_timed = asked.times.unwrap_or(false);
    let keys: Vec<RunKey> = runs.iter().map(|run| run.key).collect();
    let (mut found, mut cells, mut read) = (Vec::new(), 0, 0);
    for some in keys.chunks(RUNS_AT_ONCE) {
        let columns = app.store.grid_columns(some, is_timed).await?;
        cells += columns.iter().map(|column| u64::from(column.count)).sum::<u64>();
        found.extend(columns);
        read += some.len();
        if cells >= CELLS_MAX as u64 {
            break;
        }
    }
    has_more |= read < runs.len();
    runs.truncate(read);
    away::json(move || Ok(grid(&version.dag, runs, &found, is_timed, has_more)?)).await
}

/// Puts a grid together. Older versions had other tasks: when they make it too large, the older runs are left out.
fn grid(
    dag: &Dag,
    mut runs: Vec<RunRow>,
    found: &[GridColumn],
    is_timed: bool,
    has_more: bool,
) -> Result<GridResponse, StoreError> {
    let mut tasks = rows_of(dag);
    let in_order = tasks.iter().filter(|row| row.kind == GridKind::Task);
    let mut rows: HashMap<String, usize> = in_order.enumerate().map(|(at, row)| (row.id.clone(), at)).collect();
    let of_run: HashMap<RunKey, &GridColumn> = found.iter().map(|column| (column.run, column)).collect();
    let cells_of = |run: &RunRow| of_run.get(&run.key).into_iter().flat_map(|column| column.cells());

    let mut removed = BTreeSet::new();
    let mut shown = 0;
    for run in &runs {
        let mut new = BTreeSet::new();
        for cell in cells_of(run) {
            let id = cell?.task_id;
            if !rows.contains_key(id) && !removed.contains(id) {
                new.insert(id);
            }
        }
        if shown > 0 && (rows.len() + removed.len() + new.len()) * (shown + 1) > CELLS_MAX {
            break;
        }
        removed.extend(new);
        shown += 1;
    }
    let has_more = has_more || shown < runs.len();
    runs.truncate(shown);
    for id in removed {
        rows.insert(id.to_owned(), rows.len());
        tasks.push(GridTask::removed(id));
    }

    let mut columns = Vec::with_capacity(runs.len());
    for run in &runs {
        let mut column = Column::new(rows.len(), is_timed);
        for cell in cells_of(run) {
            let cell = cell?;
            if let Some(row) = rows.get(cell.task_id) {
                column.put(*row, &cell);
            }
        }
        columns.push(column);
    }
    let runs = runs.into_iter().zip(columns).map(|(run, column)| GridRun::new(run, column, is_timed)).collect();
    Ok(GridResponse { tasks, runs, has_more })
}
