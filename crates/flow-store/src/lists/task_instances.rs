//! Task instances, of one run, of a DAG or of all.
//!
//! There are ten times as many as runs, and they change all the time, so they have few indexes. A list therefore
//! begins where the fewest rows are, see [`Way`]; what is left to a walk through history ends by [`crate::lanes`].

use flow_core::{RunKey, TaskState, Timestamp};

use crate::{
    COUNTED_MAX, Key, Listed, Order, Page, Pattern, Place, Range, Store, StoreError, Stretch,
    db::{Db, on, statements},
    lists::SKEW_MICROS,
    rows::to_list,
    select::Select,
};

/// Which task instances a list shows. What is empty or `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Of this run.
    pub run: Option<RunKey>,
    pub dags: Option<Vec<String>>,
    /// And of none of these.
    pub hidden_dags: Vec<String>,
    pub run_ids: Option<Vec<String>>,
    pub tasks: Option<Vec<String>>,
    pub states: Option<Vec<TaskState>>,
    pub pools: Option<Vec<String>>,
    pub queues: Option<Vec<String>>,
    pub operators: Option<Vec<String>>,
    /// Numbers of versions.
    pub versions: Option<Vec<i64>>,
    pub tries: Option<Vec<i64>>,
    pub map_indexes: Option<Vec<i64>>,
    pub is_mapped: bool,
    pub dags_like: Vec<Pattern>,
    pub runs_like: Vec<Pattern>,
    pub tasks_like: Vec<Pattern>,
    pub pools_like: Vec<Pattern>,
    pub queues_like: Vec<Pattern>,
    pub operators_like: Vec<Pattern>,
    pub map_indexes_like: Vec<Pattern>,
    pub run_after: Range<Timestamp>,
    pub logical_date: Range<Timestamp>,
    pub started_at: Range<Timestamp>,
    pub ended_at: Range<Timestamp>,
    /// See [`TaskLine::updated_at`].
    pub updated_at: Range<Timestamp>,
    /// In seconds, of what has ended.
    pub duration: Range<f64>,
}

/// What task instances are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrder {
    /// In the order in which their runs were made.
    Run,
    TaskId,
    MapIndex,
    State,
    StartedAt,
    EndedAt,
    Duration,
    TryNumber,
    Operator,
    LogicalDate,
    RunAfter,
    IntervalStart,
    IntervalEnd,
}

/// A task instance with what lists show of its run.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TaskLine {
    pub run: i64,
    pub dag_id: String,
    pub run_id: String,
    pub logical_date: Option<i64>,
    pub run_after: i64,
    pub interval_start: Option<i64>,
    pub interval_end: Option<i64>,
    pub version_id: i64,
    pub task_id: String,
    pub map_index: i64,
    pub state: String,
    pub try_number: i64,
    pub max_tries: i64,
    pub scheduled_at: Option<i64>,
    pub queued_at: Option<i64>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub operator: String,
    pub pool: String,
    pub pool_slots: i64,
    pub priority_weight: i64,
    pub queue: String,
    pub hostname: Option<String>,
    pub note: Option<String>,
}

const COLUMNS: &str = "t.run, r.dag_id, r.run_id, r.logical_date, r.run_after, r.interval_start, r.interval_end, r.version_id, \
    t.task_id, t.map_index, t.state, t.try_number, t.max_tries, t.scheduled_at, t.queued_at, t.started_at, t.ended_at, t.operator, \
    t.pool, t.pool_slots, t.priority_weight, t.queue, t.hostname, t.note";

/// When something last happened to it that has a column: one of its own would be one more write for each change.
const UPDATED_AT: &str = "COALESCE(t.ended_at, t.started_at, t.queued_at, t.scheduled_at, r.queued_at)";
const DURATION: &str = "(t.ended_at - t.started_at)";

impl TaskOrder {
    /// What ends every order: together they are unique.
    const LAST: [Self; 3] = [Self::Run, Self::TaskId, Self::MapIndex];

    fn expression(self) -> &'static str {
        match self {
            Self::Run => "r.id",
            Self::TaskId => "t.task_id",
            Self::MapIndex => "t.map_index",
            Self::State => "t.state",
            Self::StartedAt => "t.started_at",
            Self::EndedAt => "t.ended_at",
            Self::Duration => DURATION,
            Self::TryNumber => "t.try_number",
            Self::Operator => "t.operator",
            Self::LogicalDate => "r.logical_date",
            Self::RunAfter => "r.run_after",
            Self::IntervalStart => "r.interval_start",
            Self::IntervalEnd => "r.interval_end",
        }
    }

    fn may_be_null(self) -> bool {
        match self {
            Self::StartedAt
            | Self::EndedAt
            | Self::Duration
            | Self::LogicalDate
            | Self::IntervalStart
            | Self::IntervalEnd => true,
            Self::Run
            | Self::TaskId
            | Self::MapIndex
            | Self::State
            | Self::TryNumber
            | Self::Operator
            | Self::RunAfter => false,
        }
    }

    /// Returns what a task instance is sorted by, for a [`Place`] beside it.
    pub fn key(self, line: &TaskLine) -> Key {
        let number = |number: Option<i64>| number.map_or(Key::Null, Key::Int);
        match self {
            Self::Run => Key::Int(line.run),
            Self::TaskId => Key::Text(line.task_id.clone()),
            Self::MapIndex => Key::Int(line.map_index),
            Self::State => Key::Text(line.state.clone()),
            Self::StartedAt => number(line.started_at),
            Self::EndedAt => number(line.ended_at),
            Self::Duration => number(line.started_at.zip(line.ended_at).map(|(start, end)| end - start)),
            Self::TryNumber => Key::Int(line.try_number),
            Self::Operator => Key::Text(line.operator.clone()),
            Self::LogicalDate => number(line.logical_date),
            Self::RunAfter => Key::Int(line.run_after),
            Self::IntervalStart => number(line.interval_start),
            Self::IntervalEnd => number(line.interval_end),
        }
    }

    /// Says whether a key is one of this order.
    pub fn fits(self, key: &Key) -> bool {
        let is_text = matches!(self, Self::TaskId | Self::State | Self::Operator);
        match key {
            Key::Null => self.may_be_null(),
            Key::Int(_) => !is_text,
            Key::Text(_) => is_text,
        }
    }
}

/// Ends an order with what is unique. Without any, the newest run comes first, and its tasks by name.
pub fn with_task_key(orders: &[Order<TaskOrder>]) -> Vec<Order<TaskOrder>> {
    let default =
        [Order { by: TaskOrder::Run, is_descending: true }, Order { by: TaskOrder::TaskId, is_descending: false }];
    let orders = if orders.is_empty() { &default } else { orders };
    let is_descending = orders.last().is_some_and(|last| last.is_descending);
    let mut all: Vec<Order<TaskOrder>> = Vec::with_capacity(orders.len() + TaskOrder::LAST.len());
    let last = TaskOrder::LAST.map(|by| Order { by, is_descending });
    for order in orders.iter().chain(&last) {
        // A second time it changes nothing.
        if !all.iter().any(|before| before.by == order.by) {
            all.push(*order);
        }
    }
    all
}

impl TaskLine {
    /// Returns when something last happened to it.
    pub fn updated_at(&self) -> Option<i64> {
        self.ended_at.or(self.started_at).or(self.queued_at).or(self.scheduled_at)
    }
}

/// Where a list begins to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// At one run.
    OneRun,
    /// At the runs that are under way: only they have task instances that have not ended.
    Active,
    /// At the task instances that failed, by the run.
    Failed,
    /// At the failed ones of a DAG.
    FailedOfDag,
    /// At the failed ones of a run, run after run.
    FailedByRun,
    /// At the start of task instances, in this order.
    Started,
    /// At those that started in a span of time: they are few enough to be sorted.
    StartedWithin,
    /// At the runs, in their order.
    Runs,
}

impl Way {
    /// SQLite looks at tables in the order of a CROSS JOIN, and at an index that is named. Postgres counts for itself.
    fn from(self, is_postgres: bool) -> &'static str {
        match self {
            _ if is_postgres => "task_instance AS t JOIN dag_run AS r ON r.id = t.run",
            Self::OneRun | Self::Runs => "dag_run AS r CROSS JOIN task_instance AS t ON t.run = r.id",
            Self::Active => "dag_run AS r INDEXED BY dag_run_active CROSS JOIN task_instance AS t ON t.run = r.id",
            Self::Failed => {
                "task_instance AS t INDEXED BY task_instance_failed CROSS JOIN dag_run AS r ON r.id = t.run"
            }
            Self::FailedOfDag => {
                "task_instance AS t INDEXED BY task_instance_failed_of_dag CROSS JOIN dag_run AS r ON r.id = t.run"
            }
            Self::FailedByRun => {
                "dag_run AS r CROSS JOIN task_instance AS t INDEXED BY task_instance_failed ON t.run = r.id"
            }
            Self::Started | Self::StartedWithin => {
                "task_instance AS t INDEXED BY task_instance_started CROSS JOIN dag_run AS r ON r.id = t.run"
            }
        }
    }

    /// What its index holds, in the words of the index.
    fn condition(self) -> Option<&'static str> {
        match self {
            Self::OneRun | Self::Runs => None,
            Self::Active => Some("r.state IN ('queued', 'running')"),
            Self::Failed | Self::FailedOfDag | Self::FailedByRun => Some("t.state IN ('failed', 'upstream_failed')"),
            Self::Started | Self::StartedWithin => Some("t.started_at IS NOT NULL"),
        }
    }
}

/// So many rows are sorted without a thought.
const FEW: u64 = 5_000;
/// So many are sorted rather than looked for in all of history.
const SOME: i64 = 20_000;

statements! {
    both COUNT_FAILED = "SELECT COUNT(*) FROM (SELECT 1 FROM task_instance WHERE state IN ('failed', 'upstream_failed') LIMIT $1) AS counted";
    both COUNT_STARTED = "SELECT COUNT(*) FROM (SELECT 1 FROM task_instance WHERE started_at >= $1 AND started_at <= $2 LIMIT $3) AS counted";
    both COUNT_RUNS = "SELECT COUNT(*) FROM (SELECT 1 FROM dag_run WHERE dag_id = $1 LIMIT $2) AS counted";
    each RENDERED_OF = [
        "SELECT x.run, x.task_id, x.map_index, x.fields FROM",
        "CROSS JOIN rendered x WHERE x.run = CAST(c.value ->> 0 AS BIGINT) AND x.task_id = c.value ->> 1
            AND x.map_index = CAST(c.value ->> 2 AS BIGINT) AND LENGTH(x.fields) <= $2"
    ];
}

impl Store {
    /// Returns a page of task instances.
    ///
    /// # Errors
    ///
    /// When the database does, or it takes too long to find them.
    pub async fn list_task_instances(
        &self,
        filter: &TaskFilter,
        orders: &[Order<TaskOrder>],
        page: Page,
    ) -> Result<Listed<TaskLine>, StoreError> {
        let orders = with_task_key(orders);
        let way = self.way(filter, &orders).await?;
        if way == Way::Started {
            let rows: Vec<TaskLine> = self.task_instances(filter, &orders, way).fetch(self, page).await?;
            // All of them have started, and those that have not would come after them.
            if rows.len() as u64 == u64::from(page.limit) {
                return self.task_instances(filter, &orders, Way::Runs).counted(self, rows).await;
            }
        }
        let way = if way == Way::Started { Way::Runs } else { way };
        self.task_instances(filter, &orders, way).list(self, page).await
    }

    /// Returns task instances beside a place, which has a key for each of [`with_task_key`]; `None` = the first ones.
    ///
    /// # Errors
    ///
    /// As [`Store::list_task_instances`].
    pub async fn list_task_instances_from(
        &self,
        filter: &TaskFilter,
        orders: &[Order<TaskOrder>],
        place: Option<&Place>,
        limit: u32,
    ) -> Result<Stretch<TaskLine>, StoreError> {
        let orders = with_task_key(orders);
        let way = self.way(filter, &orders).await?;
        let may_be_started = place.is_none_or(|place| !place.is_backward && place.keys.first() != Some(&Key::Null));
        if way == Way::Started && may_be_started {
            let mut found: Stretch<TaskLine> =
                self.task_instances(filter, &orders, way).stretch(self, place, limit).await?;
            if found.has_more {
                if found.total.is_some_and(|total| total < COUNTED_MAX) {
                    found.total = match self.task_instances(filter, &orders, Way::Runs).count(self).await {
                        Ok(total) => Some(total),
                        Err(StoreError::TooMuch) => None,
                        Err(error) => return Err(error),
                    };
                }
                return Ok(found);
            }
        }
        let way = if way == Way::Started { Way::Runs } else { way };
        self.task_instances(filter, &orders, way).stretch(self, place, limit).await
    }

    /// Returns one task instance.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn task_instance(
        &self,
        run: RunKey,
        task_id: &str,
        map_index: i64,
    ) -> Result<Option<TaskLine>, StoreError> {
        let filter = TaskFilter {
            run: Some(run),
            tasks: Some(vec![task_id.to_owned()]),
            map_indexes: Some(vec![map_index]),
            ..TaskFilter::default()
        };
        let select = self.task_instances(&filter, &with_task_key(&[]), Way::OneRun);
        Ok(select.fetch(self, Page { limit: 1, offset: 0 }).await?.pop())
    }

    /// Returns the arguments of these task instances (run, task, map index) as their latest attempts saw them, those
    /// that are longer than `bytes_max` left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn rendered_of(
        &self,
        tasks: &[(i64, &str, i64)],
        bytes_max: i64,
    ) -> Result<Vec<((i64, String, i64), String)>, StoreError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(i64, String, i64, String)> = on!(read self, RENDERED_OF, |text, conn| {
            sqlx::query_as(text).bind(to_list(&tasks)).bind(bytes_max).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(run, task, map_index, fields)| ((run, task, map_index), fields)).collect())
    }

    /// Finds where the fewest rows are.
    pub(crate) async fn way(&self, filter: &TaskFilter, orders: &[Order<TaskOrder>]) -> Result<Way, StoreError> {
        if filter.run.is_some() {
            return Ok(Way::OneRun);
        }
        let first = orders.first().map_or(TaskOrder::Run, |order| order.by);
        let is_of_few_dags = filter.dags.as_ref().is_some_and(|dags| !dags.is_empty());
        if let Some(states) = filter.states.as_ref().filter(|states| !states.is_empty()) {
            if states.iter().all(|state| !state.is_finished()) {
                return Ok(Way::Active);
            }
            if states.iter().all(|state| state.is_failure()) {
                if is_of_few_dags {
                    return Ok(Way::FailedOfDag);
                }
                if first == TaskOrder::Run || self.counted(COUNT_FAILED, None).await? <= FEW {
                    return Ok(Way::Failed);
                }
                if first == TaskOrder::RunAfter {
                    return Ok(Way::FailedByRun);
                }
            }
        }
        let started = &filter.started_at;
        if !started.is_open() {
            let from = started.gte.or(started.gt).unwrap_or(Timestamp::MIN).as_micros();
            let to = started.lte.or(started.lt).unwrap_or(Timestamp::MAX).as_micros();
            let found: i64 = on!(read self, COUNT_STARTED, |text, conn| {
                sqlx::query_scalar(text).bind(from).bind(to).bind(SOME).fetch_one(conn).await?
            });
            if found < SOME {
                return Ok(Way::StartedWithin);
            }
        }
        let is_from_last = orders.first().is_some_and(|order| order.is_descending);
        if first == TaskOrder::StartedAt && is_from_last {
            let one = filter.dags.as_ref().and_then(|dags| dags.first());
            let is_small = match one {
                Some(dag_id) => self.counted(COUNT_RUNS, Some(dag_id)).await? <= FEW,
                None => false,
            };
            return Ok(if is_small { Way::Runs } else { Way::Started });
        }
        Ok(Way::Runs)
    }

    async fn counted(&self, sql: crate::db::Sql, dag_id: Option<&str>) -> Result<u64, StoreError> {
        let most = FEW.cast_signed() + 1;
        let number: i64 = on!(read self, sql, |text, conn| {
            let query = sqlx::query_scalar(text);
            let query = if let Some(dag_id) = dag_id { query.bind(dag_id) } else { query };
            query.bind(most).fetch_one(conn).await?
        });
        Ok(number.unsigned_abs())
    }

    pub(crate) fn task_instances(&self, filter: &TaskFilter, orders: &[Order<TaskOrder>], way: Way) -> Select {
        let is_postgres = matches!(self.db, Db::Postgres { .. });
        let mut select = Select::new(self, COLUMNS, way.from(is_postgres));
        if let Some(condition) = way.condition() {
            select.only(condition);
        }
        if let Some(run) = filter.run {
            select.filter("r.id = ?", [run.0]);
            select.filter("t.run = ?", [run.0]);
        }
        if let Some(dags) = &filter.dags {
            let column = if way == Way::FailedOfDag { "t.dag_id" } else { "r.dag_id" };
            select.one_of(column, dags);
        }
        select.none_of("r.dag_id", &filter.hidden_dags);
        let lists: [(&'static str, &Option<Vec<String>>); 5] = [
            ("r.run_id", &filter.run_ids),
            ("t.task_id", &filter.tasks),
            ("t.pool", &filter.pools),
            ("t.queue", &filter.queues),
            ("t.operator", &filter.operators),
        ];
        for (column, values) in lists {
            if let Some(values) = values {
                select.one_of(column, values);
            }
        }
        if let Some(states) = &filter.states {
            select.one_of("t.state", states.iter().map(|state| state.as_str()));
        }
        if let Some(numbers) = &filter.versions {
            let marks = vec!["?"; numbers.len()].join(", ");
            select.filter(
                &format!("EXISTS (SELECT 1 FROM dag_version v WHERE v.id = r.version_id AND v.number IN ({marks}))"),
                numbers.iter().copied(),
            );
        }
        if let Some(tries) = &filter.tries {
            select.one_of("t.try_number", tries.iter().copied());
        }
        if let Some(indexes) = &filter.map_indexes {
            select.one_of("t.map_index", indexes.iter().copied());
        }
        if filter.is_mapped || !filter.map_indexes_like.is_empty() {
            select.only("t.map_index >= 0");
        }
        let patterns: [(&str, &[Pattern]); 7] = [
            ("r.dag_id", &filter.dags_like),
            ("r.run_id", &filter.runs_like),
            ("t.task_id", &filter.tasks_like),
            ("t.pool", &filter.pools_like),
            ("t.queue", &filter.queues_like),
            ("t.operator", &filter.operators_like),
            ("CAST(t.map_index AS TEXT)", &filter.map_indexes_like),
        ];
        for (column, patterns) in patterns {
            for pattern in patterns {
                select.looks_like(column, pattern);
            }
        }
        select.within("r.run_after", &filter.run_after);
        select.within("r.logical_date", &filter.logical_date);
        select.within("t.started_at", &filter.started_at);
        select.within("t.ended_at", &filter.ended_at);
        select.within(UPDATED_AT, &filter.updated_at);
        select.within(DURATION, &filter.duration.map(|seconds| seconds * 1e6));
        // Nothing starts before its run is due, by the clock of another host: so whole runs are passed over.
        for bound in [filter.started_at.lte, filter.started_at.lt].into_iter().flatten() {
            select.filter("r.run_after <= ?", [bound.as_micros().saturating_add(SKEW_MICROS)]);
        }
        // Whatever the way, its order can be read from where it begins.
        let run = if matches!(way, Way::Failed | Way::FailedOfDag) { "t.run" } else { "r.id" };
        for order in orders {
            let expression = if order.by == TaskOrder::Run { run } else { order.by.expression() };
            if order.by.may_be_null() && !(way == Way::Started && order.by == TaskOrder::StartedAt) {
                select.order_by(expression, order.is_descending);
            } else {
                select.order_by_filled(expression, order.is_descending);
            }
        }
        select
    }
}
