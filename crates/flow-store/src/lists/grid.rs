//! What the views of a DAG's runs show: the grid, and a run's tries over time.
//!
//! There are tens of thousands of cells in a grid, so the database hands them over as a text for each run: a row for
//! each would cost more than everything else.

use flow_core::{RunKey, RunState, RunType, TaskState, Timestamp};

use crate::{
    DagRunFilter, DagRunOrder, Key, Order, Page, Place, Store, StoreError,
    db::{on, statements},
    rows::{count, moment, to_list, word},
};

/// A run as the head of a column shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridRun {
    pub key: RunKey,
    pub run_id: String,
    pub state: RunState,
    pub run_type: RunType,
    pub run_after: Timestamp,
    pub logical_date: Option<Timestamp>,
    pub interval_end: Option<Timestamp>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub version_number: i64,
    pub has_note: bool,
}

#[derive(sqlx::FromRow)]
struct RawRun {
    id: i64,
    run_id: String,
    state: String,
    run_type: String,
    run_after: i64,
    logical_date: Option<i64>,
    interval_end: Option<i64>,
    queued_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    version_number: i64,
    has_note: bool,
}

const COLUMNS: &str =
    "id, run_id, state, run_type, run_after, logical_date, interval_end, queued_at, started_at, ended_at,
    (SELECT v.number FROM dag_version v WHERE v.id = version_id) AS version_number, note IS NOT NULL AS has_note";

impl TryFrom<RawRun> for GridRun {
    type Error = StoreError;

    fn try_from(raw: RawRun) -> Result<Self, StoreError> {
        Ok(Self {
            key: RunKey(raw.id),
            state: word("dag_run", "state", &raw.run_id, &raw.state)?,
            run_type: word("dag_run", "run_type", &raw.run_id, &raw.run_type)?,
            run_after: Timestamp::from_micros(raw.run_after),
            logical_date: moment(raw.logical_date),
            interval_end: moment(raw.interval_end),
            queued_at: Timestamp::from_micros(raw.queued_at),
            started_at: moment(raw.started_at),
            ended_at: moment(raw.ended_at),
            version_number: raw.version_number,
            has_note: raw.has_note,
            run_id: raw.run_id,
        })
    }
}

/// The task instances of a run.
#[derive(Clone, Debug)]
pub struct GridColumn {
    pub run: RunKey,
    /// How many there are.
    pub count: u32,
    /// As [`CELLS`] or [`TIMED_CELLS`] writes them.
    text: String,
}

/// A task instance in a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridCell<'a> {
    pub task_id: &'a str,
    pub state: TaskState,
    pub try_number: u32,
    /// Milliseconds since 1970, if they were asked for.
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
}

impl GridColumn {
    /// Returns the task instances, by id.
    ///
    /// # Errors
    ///
    /// When one of them cannot be understood.
    pub fn cells(&self) -> impl Iterator<Item = Result<GridCell<'_>, StoreError>> {
        self.text.split(',').map(|cell| {
            // Ids hold neither spaces nor commas.
            let mut parts = cell.split(' ');
            let mut next = || parts.next().unwrap_or_default();
            let (task_id, state, try_number) = (next(), next(), next());
            Ok(GridCell {
                task_id,
                state: word("task_instance", "state", format_args!("{}/{task_id}", self.run), state)?,
                try_number: count(try_number.parse().unwrap_or(0)),
                started_at: next().parse().ok(),
                ended_at: next().parse().ok(),
            })
        })
    }
}

/// A try of a task instance of a run, without what became of it in detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryBrief {
    pub task_id: String,
    pub map_index: i64,
    pub try_number: u32,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The word of [`flow_core::Outcome`].
    pub outcome: Option<String>,
}

/// A task instance of a run as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBrief {
    pub task_id: String,
    pub map_index: i64,
    pub state: TaskState,
    pub try_number: u32,
    pub queued_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

statements! {
    each CELLS = [
        "SELECT run, COUNT(*), STRING_AGG(task_id || ' ' || state || ' ' || try_number, ',')
         FROM task_instance WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM", ") GROUP BY run"
    ];
    each TIMED_CELLS = [
        "SELECT run, COUNT(*), STRING_AGG(task_id || ' ' || state || ' ' || try_number || ' ' || COALESCE(CAST(started_at / 1000 AS TEXT), '')
            || ' ' || COALESCE(CAST(ended_at / 1000 AS TEXT), ''), ',')
         FROM task_instance WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM", ") GROUP BY run"
    ];
    both TASKS = "SELECT task_id, map_index, state, try_number, queued_at, started_at, ended_at FROM task_instance WHERE run = $1";
    split TRIES = {
        sqlite: "SELECT task_id, map_index, try_number, queued_at, started_at, ended_at, outcome ->> 'outcome'
            FROM attempt WHERE run = $1 ORDER BY task_id, map_index, try_number LIMIT $2",
        postgres: "SELECT task_id, map_index, try_number, queued_at, started_at, ended_at, outcome::json ->> 'outcome'
            FROM attempt WHERE run = $1 ORDER BY task_id, map_index, try_number LIMIT $2"
    };
}

impl Store {
    /// Returns runs for a grid, the newest first. `before`: only those that come after this run in that order.
    ///
    /// # Errors
    ///
    /// As [`Store::list_dag_runs`].
    pub async fn grid_runs(
        &self,
        filter: &DagRunFilter,
        before: Option<(Timestamp, RunKey)>,
        limit: u32,
    ) -> Result<Vec<GridRun>, StoreError> {
        let newest = Order { by: DagRunOrder::RunAfter, is_descending: true };
        let mut select = self.dag_runs(filter, &[newest]);
        select.read(COLUMNS);
        if let Some((run_after, key)) = before {
            let keys = vec![Key::Int(run_after.as_micros()), Key::Int(key.0)];
            select = select.beside(&Place { keys, is_backward: false });
        }
        let rows: Vec<RawRun> = select.fetch(self, Page { limit, offset: 0 }).await?;
        rows.into_iter().map(GridRun::try_from).collect()
    }

    /// Returns the task instances of runs; a run without any is left out. `is_timed`: with their times.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn grid_columns(&self, runs: &[RunKey], is_timed: bool) -> Result<Vec<GridColumn>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let statement = if is_timed { TIMED_CELLS } else { CELLS };
        let rows: Vec<(i64, i64, String)> =
            on!(read self, statement, |text, conn| sqlx::query_as(text).bind(to_list(&runs)).fetch_all(conn).await?);
        let column = |(run, cells, text)| GridColumn { run: RunKey(run), count: count(cells), text };
        Ok(rows.into_iter().map(column).collect())
    }

    /// Returns the task instances of a run, in no order.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn tasks_in_brief(&self, run: RunKey) -> Result<Vec<TaskBrief>, StoreError> {
        type Row = (String, i64, String, i64, Option<i64>, Option<i64>, Option<i64>);
        let rows: Vec<Row> =
            on!(read self, TASKS, |text, conn| sqlx::query_as(text).bind(run.0).fetch_all(conn).await?);
        let brief = |(task_id, map_index, state, try_number, queued_at, started_at, ended_at): Row| {
            Ok(TaskBrief {
                state: word("task_instance", "state", format_args!("{run}/{task_id}"), &state)?,
                task_id,
                map_index,
                try_number: count(try_number),
                queued_at: moment(queued_at),
                started_at: moment(started_at),
                ended_at: moment(ended_at),
            })
        };
        rows.into_iter().map(brief).collect()
    }

    /// Returns the tries of a run's task instances by task, map index and number, at most `most`.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn tries_in_brief(&self, run: RunKey, most: u32) -> Result<Vec<TryBrief>, StoreError> {
        type Row = (String, i64, i64, i64, Option<i64>, Option<i64>, Option<String>);
        let rows: Vec<Row> = on!(read self, TRIES, |text, conn| {
            sqlx::query_as(text).bind(run.0).bind(i64::from(most)).fetch_all(conn).await?
        });
        let brief = |(task_id, map_index, try_number, queued_at, started_at, ended_at, outcome): Row| TryBrief {
            task_id,
            map_index,
            try_number: count(try_number),
            queued_at: Timestamp::from_micros(queued_at),
            started_at: moment(started_at),
            ended_at: moment(ended_at),
            outcome,
        };
        Ok(rows.into_iter().map(brief).collect())
    }
}
