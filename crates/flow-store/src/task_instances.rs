//! Task instances: their rows, and writing what was decided about them.

use std::{borrow::Cow, sync::Arc};

use flow_core::{
    DagRun, RunKey, RunState, TaskId, TaskInstance, TaskIx, TaskState, Timestamp,
    dag::{About, Dag, Task},
    engine::{Change, Decision, DueCallbacks, RunView},
    run::Skips,
};
use serde_json::{Value, json};

use crate::{
    CachedDag, Event, Happening, Signal, Store, StoreError, Tx,
    attempts::AttemptKey,
    callbacks,
    db::{on, statements},
    error::conflict,
    looks::at_once,
    rows::{count, json, list_of, micros, moment, to_json, to_list, word},
};

/// What is written of a task when its run is made: a list in JSON. Kept as text: of 10,000 tasks there are as many.
#[derive(Clone, Debug)]
pub struct TaskSeed {
    row: Box<str>,
    operator: Arc<str>,
}

impl TaskSeed {
    /// Takes what dispatch needs to know from the DAG, so that handing out slots reads one table.
    pub fn new(dag: &Dag, task: &Task, state: TaskState) -> Self {
        let row = json!([
            task.id,
            -1,
            state.as_str(),
            task.retry.retries,
            task.operator,
            task.pool,
            task.pool_slots,
            task.priority_weight,
            task.queue,
            dag.max_active_tasks,
            task.max_active_tis_per_dag,
            task.max_active_tis_per_dagrun,
        ]);
        Self { row: to_list(&row).into(), operator: task.operator.as_str().into() }
    }

    /// Returns the operator's short name.
    pub(crate) fn operator(&self) -> &str {
        &self.operator
    }

    /// Makes the seeds of a new run's tasks.
    pub fn of(dag: &Dag) -> Vec<Self> {
        dag.tasks.iter().map(|task| Self::new(dag, task, TaskState::NoStatus)).collect()
    }
}

/// A task instance by name, before its place in the DAG is known.
#[derive(Clone, Debug)]
pub struct TaskRow {
    pub run: RunKey,
    pub task_id: String,
    pub map_index: i32,
    pub state: TaskState,
    pub try_number: u32,
    pub max_tries: u32,
    pub lost: u32,
    pub next_at: Option<Timestamp>,
    pub scheduled_at: Option<Timestamp>,
    pub queued_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub skips: Skips,
    pub operator: String,
    pub pool: String,
    pub pool_slots: u32,
    pub priority_weight: i64,
    pub queue: String,
    pub hostname: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    run: i64,
    task_id: String,
    map_index: i64,
    state: String,
    try_number: i64,
    max_tries: i64,
    lost: i64,
    next_at: Option<i64>,
    scheduled_at: Option<i64>,
    queued_at: Option<i64>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    skips: Option<String>,
    operator: String,
    pool: String,
    pool_slots: i64,
    priority_weight: i64,
    queue: String,
    hostname: Option<String>,
}

impl TryFrom<Raw> for TaskRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let name = || format!("{}/{}", raw.run, raw.task_id);
        Ok(Self {
            run: RunKey(raw.run),
            map_index: i32::try_from(raw.map_index).unwrap_or(-1),
            state: word("task_instance", "state", name(), &raw.state)?,
            try_number: count(raw.try_number),
            max_tries: count(raw.max_tries),
            lost: count(raw.lost),
            next_at: moment(raw.next_at),
            scheduled_at: moment(raw.scheduled_at),
            queued_at: moment(raw.queued_at),
            started_at: moment(raw.started_at),
            ended_at: moment(raw.ended_at),
            skips: match &raw.skips {
                Some(text) => json("task_instance", "skips", name(), text)?,
                None => Skips::None,
            },
            operator: raw.operator,
            pool: raw.pool,
            pool_slots: count(raw.pool_slots),
            priority_weight: raw.priority_weight,
            queue: raw.queue,
            hostname: raw.hostname,
            task_id: raw.task_id,
        })
    }
}

statements! {
    each INSERT = [
        "INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, operator, pool, pool_slots,
            priority_weight, queue, sort_date, max_active_tasks, max_per_dag, max_per_run)
         SELECT $2, c.value ->> 0, CAST(c.value ->> 1 AS BIGINT), $3, c.value ->> 2, 0, CAST(c.value ->> 3 AS BIGINT), 0,
            c.value ->> 4, c.value ->> 5, CAST(c.value ->> 6 AS BIGINT), CAST(c.value ->> 7 AS BIGINT), c.value ->> 8, $4,
            CAST(c.value ->> 9 AS BIGINT), CAST(c.value ->> 10 AS BIGINT), CAST(c.value ->> 11 AS BIGINT)
         FROM", "WHERE TRUE ON CONFLICT DO NOTHING"
    ];
    each OF_RUNS = [
        "SELECT run, task_id, map_index, state, try_number, max_tries, lost, next_at, scheduled_at, queued_at, started_at, ended_at,
            skips, operator, pool, pool_slots, priority_weight, queue, hostname
         FROM task_instance WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM", ") ORDER BY run, task_id, map_index"
    ];
    both OF_RUN = "SELECT run, task_id, map_index, state, try_number, max_tries, lost, next_at, scheduled_at, queued_at, started_at,
            ended_at, skips, operator, pool, pool_slots, priority_weight, queue, hostname
         FROM task_instance WHERE run = $1 AND task_id = $2 AND map_index = $3";
    split PACKED = {
        sqlite: "SELECT run, json_group_array(json_array(task_id, map_index, state, try_number, max_tries, lost, next_at, started_at,
                ended_at, skips))
            FROM task_instance WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM json_each($1) AS c) GROUP BY run",
        postgres: "SELECT run, CAST(json_agg(json_build_array(task_id, map_index, state, try_number, max_tries, lost, next_at, started_at,
                ended_at, skips)) AS TEXT)
            FROM task_instance WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS c (value)) GROUP BY run"
    };
    each APPLY = [
        "UPDATE task_instance SET
            state = c.value ->> 4,
            try_number = CAST(c.value ->> 5 AS BIGINT),
            max_tries = CAST(c.value ->> 6 AS BIGINT),
            lost = CAST(c.value ->> 7 AS BIGINT),
            next_at = CAST(c.value ->> 8 AS BIGINT),
            started_at = CAST(c.value ->> 9 AS BIGINT),
            ended_at = CAST(c.value ->> 10 AS BIGINT),
            skips = c.value ->> 11,
            scheduled_at = CASE WHEN c.value ->> 4 = 'scheduled' THEN $2 ELSE scheduled_at END,
            queued_at = CASE WHEN c.value ->> 4 IN ('scheduled', 'no_status') THEN NULL ELSE queued_at END
         FROM",
        "WHERE task_instance.run = CAST(c.value ->> 0 AS BIGINT)
            AND task_instance.task_id = c.value ->> 1
            AND task_instance.map_index = CAST(c.value ->> 2 AS BIGINT)
            AND task_instance.state = c.value ->> 3"
    ];
    each SET_RUN = [
        "UPDATE dag_run SET state = c.value ->> 2,
            started_at = CASE c.value ->> 2 WHEN 'running' THEN $2 WHEN 'queued' THEN NULL ELSE COALESCE(started_at, $2) END,
            ended_at = CASE WHEN c.value ->> 2 IN ('success', 'failed') THEN $2 END,
            queued_at = CASE c.value ->> 2 WHEN 'queued' THEN $2 ELSE queued_at END,
            clear_number = clear_number + CASE c.value ->> 2 WHEN 'queued' THEN 1 ELSE 0 END
         FROM", "WHERE dag_run.id = CAST(c.value ->> 0 AS BIGINT) AND dag_run.state = c.value ->> 1"
    ];
    each ASK_TIMETABLE = [
        "UPDATE dag SET is_blocked = FALSE, due_at = $2
         FROM", "WHERE dag.dag_id = c.value ->> 0 AND dag.is_blocked AND NOT dag.is_paused AND NOT dag.is_stale"
    ];
    both REMOVE = "DELETE FROM task_instance WHERE run = $1 AND task_id = $2 AND map_index = $3";
}

/// A decision about one run with the names that its indexes stand for.
#[derive(Clone, Debug)]
pub struct RunDecision<'a> {
    pub run: &'a DagRun,
    rows: Vec<Value>,
    events: Vec<Event>,
    change: Option<(&'static str, &'static str, String)>,
    /// And whether their task instances move on.
    given_up: Vec<(AttemptKey, bool)>,
    settled: Vec<AttemptKey>,
    wake_at: Option<Timestamp>,
    wake_next_run: bool,
    ends_attempts: bool,
    callbacks: Vec<Value>,
    /// To its task instances and attempts, for a witness.
    pub(crate) happened: Vec<Happening>,
    /// When its first task started, for the witness of its end.
    pub(crate) first_start: Option<Timestamp>,
}

impl<'a> RunDecision<'a> {
    /// Takes a decision about a view. `who`: the user, when it is an edit.
    ///
    /// # Panics
    ///
    /// When the decision contains an arrow that does not exist: a mistake of ours.
    pub fn new(view: &RunView<'a>, decision: &Decision, who: Option<&str>) -> Self {
        let task_id = |at: usize| view.task_id(at).clone();
        let mut rows = Vec::with_capacity(decision.changes.len());
        let mut events = Vec::with_capacity(decision.changes.len() + 1);
        let mut happened = Vec::with_capacity(decision.changes.len());
        let mut ends_attempts = false;
        for change in &decision.changes {
            let to = &change.to;
            assert!(
                change.from == to.state || change.from.may_become(to.state),
                "no such arrow: {} to {}",
                change.from,
                to.state
            );
            ends_attempts |= view.attempts[change.at].as_ref().is_some_and(|attempt| attempt.outcome.is_none());
            let id = task_id(change.at);
            let skips = (to.skips != Skips::None).then(|| to_json(&to.skips));
            rows.push(json!([
                view.run.key,
                id,
                to.map_index,
                change.from.as_str(),
                to.state.as_str(),
                to.try_number,
                to.max_tries,
                to.lost,
                micros(to.next_at),
                micros(to.started_at),
                micros(to.ended_at),
                skips
            ]));
            if change.from != to.state {
                happened.push(moved(view, change, &id));
                events.push(Event {
                    kind: "task_state",
                    dag_id: Some(view.run.dag_id.to_string()),
                    run_id: Some(view.run.run_id.to_string()),
                    task_id: Some(id.to_string()),
                    map_index: Some(to.map_index),
                    try_number: Some(to.try_number),
                    state: Some(to.state.as_str()),
                    detail: (!change.why.is_empty()).then(|| change.why.clone()),
                    who: who.map(str::to_owned),
                    ..Event::default()
                });
            }
        }
        let change = decision.run.as_ref().map(|change| {
            assert!(
                change.from == change.to || change.from.may_become(change.to),
                "no such arrow: {} to {}",
                change.from,
                change.to
            );
            events.push(Event {
                kind: "run_state",
                dag_id: Some(view.run.dag_id.to_string()),
                run_id: Some(view.run.run_id.to_string()),
                state: Some(change.to.as_str()),
                detail: (!change.why.is_empty()).then(|| change.why.clone()),
                who: who.map(str::to_owned),
                ..Event::default()
            });
            (change.from.as_str(), change.to.as_str(), change.why.clone())
        });
        let key = |at: &usize| AttemptKey {
            run: view.run.key,
            task_id: task_id(*at).to_string(),
            map_index: view.tasks[*at].map_index,
            try_number: view.attempts[*at].as_ref().map_or(0, |attempt| attempt.try_number),
        };
        let is_silent = |at: &&usize| {
            view.attempts[**at].as_ref().is_some_and(|attempt| attempt.is_claimed && attempt.outcome.is_none())
        };
        let lost = decision.given_up.iter().filter(is_silent).count();
        happened.extend((lost > 0).then_some(Happening::TriesLost(lost as u64)));
        let ends = decision.run.as_ref().is_some_and(|change| change.to.is_finished());
        Self {
            first_start: if ends { first_start(view, decision) } else { None },
            happened,
            run: view.run,
            rows,
            events,
            change,
            given_up: decision
                .given_up
                .iter()
                .map(|at| (key(at), decision.changes.iter().any(|change| change.at == *at)))
                .collect(),
            settled: decision.settled.iter().map(key).collect(),
            wake_at: decision.wake_at,
            wake_next_run: decision.wake_next_run,
            ends_attempts,
            callbacks: decision.callbacks.iter().flat_map(|due| due_callbacks(view, due)).collect(),
        }
    }

    /// Returns the state that the run moves to.
    pub(crate) fn becomes(&self) -> Option<RunState> {
        self.change.as_ref().and_then(|(_, to, _)| to.parse().ok())
    }

    /// Says whether the run ends with this decision.
    pub fn ends_run(&self) -> bool {
        matches!(self.change, Some((_, "success" | "failed", _)))
    }
}

/// Returns a move of a task instance, for a witness.
fn moved(view: &RunView<'_>, change: &Change, task_id: &TaskId) -> Happening {
    let to = &change.to;
    let task = view.dag.tasks.get(to.task.index());
    let attempt = view.attempts[change.at].as_ref();
    let has_tried = attempt.is_some_and(|attempt| attempt.outcome.is_some());
    let is_inline = task.is_some_and(|task| task.is_inline) && change.from == TaskState::NoStatus;
    let times = to.started_at.zip(to.ended_at).filter(|_| has_tried);
    Happening::TaskMoved {
        dag_id: view.run.dag_id.clone(),
        task_id: task_id.clone(),
        operator: task.map(|task| task.operator.clone()).unwrap_or_default(),
        from: change.from,
        to: to.state,
        is_own: has_tried || is_inline,
        took: times.map(|(started, ended)| ended.since(started)),
    }
}

/// Returns when the first task of a run started; of those that were tried once, for the others have forgotten it.
fn first_start(view: &RunView<'_>, decision: &Decision) -> Option<Timestamp> {
    let changed = decision.changes.iter().map(|change| &change.to);
    let once = view.tasks.iter().chain(changed).filter(|task| task.try_number <= 1);
    once.filter_map(|task| task.started_at).min()
}

/// What is written of callbacks that a decision made due.
fn due_callbacks(view: &RunView<'_>, due: &DueCallbacks) -> Vec<Value> {
    let (task, own, about) = match due.at {
        None => (None, &view.dag.callbacks, About::Runs),
        Some(at) => {
            let instance = &view.tasks[at];
            let Some(task) = view.dag.tasks.get(instance.task.index()) else { return Vec::new() };
            (Some((task.id.as_str(), instance.map_index)), &task.callbacks, About::Tasks)
        }
    };
    let all = view.dag.notifications.of(about, due.event);
    let caller = callbacks::Caller { run: view.run.key, task, number: due.number };
    callbacks::rows(caller, due.event, own.of(due.event), all, &due.exception)
}

impl Tx {
    pub(crate) async fn insert_task_instances(
        &mut self,
        run: RunKey,
        dag_id: &str,
        sort_date: Timestamp,
        seeds: &[TaskSeed],
    ) -> Result<(), StoreError> {
        let rows: Vec<&str> = seeds.iter().map(|seed| &*seed.row).collect();
        let rows = format!("[{}]", rows.join(","));
        on!(tx self, INSERT, |text, conn| {
            sqlx::query(text)
                .bind(rows.as_str())
                .bind(run.0)
                .bind(dag_id)
                .bind(sort_date.as_micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Adds task instances to a run that is pinned to another version; those that exist are left alone.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_task_instances(&mut self, run: &DagRun, seeds: &[TaskSeed]) -> Result<(), StoreError> {
        self.insert_task_instances(run.key, run.dag_id.as_str(), run.logical_date.unwrap_or(run.run_after), seeds).await
    }

    /// Deletes a task instance, for the version that its run is now pinned to.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn remove_task_instance(&mut self, run: RunKey, task_id: &str, map_index: i32) -> Result<(), StoreError> {
        on!(tx self, REMOVE, |text, conn| {
            sqlx::query(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).execute(conn).await?;
        });
        Ok(())
    }

    /// Returns the task instances of runs, sorted by run, task and map index.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn task_rows(&mut self, runs: &[RunKey]) -> Result<Vec<TaskRow>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let raw: Vec<Raw> =
            on!(tx self, OF_RUNS, |text, conn| sqlx::query_as(text).bind(to_list(&runs)).fetch_all(conn).await?);
        raw.into_iter().map(TaskRow::try_from).collect()
    }

    /// Returns what the engine needs to know of the task instances of runs: for each run a text for [`unpack`]. A row
    /// each would cost more than everything else in a look at a big run.
    pub(crate) async fn packed_tasks(&mut self, runs: &[RunKey]) -> Result<Vec<(i64, String)>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(tx self, PACKED, |text, conn| sqlx::query_as(text).bind(to_list(&runs)).fetch_all(conn).await?))
    }

    /// Writes decisions: changes, run states, attempts, wakes and events. The DAGs' rows must be locked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a row is not in the state that the decision expects: drop the transaction.
    pub async fn apply(&mut self, decisions: &[RunDecision<'_>], now: Timestamp) -> Result<(), StoreError> {
        let rows: Vec<&Value> = decisions.iter().flat_map(|decision| &decision.rows).collect();
        if !rows.is_empty() {
            let touched = on!(tx self, APPLY, |text, conn| {
                sqlx::query(text).bind(to_list(&rows)).bind(now.as_micros()).execute(conn).await?.rows_affected()
            });
            if touched != rows.len() as u64 {
                return Err(conflict(APPLY, rows.len(), touched));
            }
        }
        for must_all in [true, false] {
            let given_up = decisions.iter().flat_map(|decision| &decision.given_up);
            let keys: Vec<&AttemptKey> =
                given_up.filter(|(_, has_moved)| *has_moved == must_all).map(|(key, _)| key).collect();
            self.give_up(&keys, must_all, now).await?;
        }
        let settled: Vec<&AttemptKey> = decisions.iter().flat_map(|decision| &decision.settled).collect();
        self.settle(&settled).await?;
        self.set_runs(decisions, now).await?;
        let mut wakes = Vec::new();
        for decision in decisions {
            let (run, dag_id) = (decision.run, decision.run.dag_id.as_str());
            if matches!(&decision.change, Some((_, "queued", _))) {
                wakes.push((dag_id.to_owned(), run.key.0, at_once(now)));
            }
            if let Some(due) = decision.wake_at {
                wakes.push((dag_id.to_owned(), run.key.0, due));
            }
            if decision.wake_next_run
                && let Some(date) = run.logical_date
                && let Some(next) = self.next_run(dag_id, date).await?
            {
                wakes.push((dag_id.to_owned(), next.0, at_once(now)));
            }
        }
        self.wake(&wakes).await?;
        let callbacks: Vec<Value> = decisions.iter().flat_map(|decision| &decision.callbacks).cloned().collect();
        self.insert_callbacks(&callbacks, now).await?;
        let events: Vec<Event> = decisions.iter().flat_map(|decision| decision.events.iter().cloned()).collect();
        self.tell(&events, now).await?;
        self.witness(|| decisions.iter().flat_map(|decision| decision.happenings(now)));
        if decisions.iter().any(|decision| decision.ends_attempts) {
            self.announce(Signal::Stop).await?;
        }
        Ok(())
    }
}

impl Tx {
    /// Writes the states of the runs themselves.
    async fn set_runs(&mut self, decisions: &[RunDecision<'_>], now: Timestamp) -> Result<(), StoreError> {
        let changed: Vec<Value> = decisions
            .iter()
            .filter_map(|decision| {
                let (from, to, _) = decision.change.as_ref()?;
                Some(json!([decision.run.key, from, to]))
            })
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        let touched = on!(tx self, SET_RUN, |text, conn| {
            sqlx::query(text).bind(to_list(&changed)).bind(now.as_micros()).execute(conn).await?.rows_affected()
        });
        if touched != changed.len() as u64 {
            return Err(conflict(SET_RUN, changed.len(), touched));
        }
        let ended: Vec<&str> = decisions
            .iter()
            .filter(|decision| decision.ends_run())
            .map(|decision| decision.run.dag_id.as_str())
            .collect();
        self.make_room(&ended, now).await
    }

    /// Runs of these DAGs are under way no more: a timetable that waited for that is asked.
    pub(crate) async fn make_room(&mut self, dags: &[&str], now: Timestamp) -> Result<(), StoreError> {
        if dags.is_empty() {
            return Ok(());
        }
        on!(tx self, ASK_TIMETABLE, |text, conn| {
            sqlx::query(text).bind(list_of(dags)).bind(now.as_micros()).execute(conn).await?;
        });
        Ok(())
    }
}

impl Store {
    /// Returns the task instances of a run, by task and map index.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn tasks(&self, run: RunKey) -> Result<Vec<TaskRow>, StoreError> {
        let raw: Vec<Raw> =
            on!(read self, OF_RUNS, |text, conn| sqlx::query_as(text).bind(to_list(&[run])).fetch_all(conn).await?);
        raw.into_iter().map(TaskRow::try_from).collect()
    }

    /// Returns one task instance of a run. Not mapped: `map_index` is -1.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn task(&self, run: RunKey, task_id: &str, map_index: i32) -> Result<Option<TaskRow>, StoreError> {
        let raw: Option<Raw> = on!(read self, OF_RUN, |text, conn| {
            sqlx::query_as(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).fetch_optional(conn).await?
        });
        raw.map(TaskRow::try_from).transpose()
    }
}

/// A task instance as [`PACKED`] writes it.
#[derive(serde::Deserialize)]
struct Packed<'a>(
    #[serde(borrow)] Cow<'a, str>,
    i64,
    #[serde(borrow)] Cow<'a, str>,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// Reads the task instances of a run, sorted by place and map index, and the names of those tasks that its DAG does not
/// have: their places go on after the DAG's.
pub(crate) fn unpack(run: RunKey, text: &str, dag: &CachedDag) -> Result<(Vec<TaskInstance>, Vec<TaskId>), StoreError> {
    let packed: Vec<Packed<'_>> = json("task_instance", "state", run, text)?;
    let mut instances = Vec::with_capacity(packed.len());
    let mut strays: Vec<(usize, TaskId)> = Vec::new();
    for Packed(id, map_index, state, try_number, max_tries, lost, next_at, started_at, ended_at, skips) in packed {
        let task = dag.task_ix(&id).unwrap_or_else(|| {
            strays.push((instances.len(), TaskId::new(id.as_ref())));
            TaskIx::from(dag.dag.tasks.len())
        });
        let name = || format!("{run}/{id}");
        instances.push(TaskInstance {
            task,
            map_index: i32::try_from(map_index).unwrap_or(-1),
            state: word("task_instance", "state", name(), &state)?,
            try_number: count(try_number),
            max_tries: count(max_tries),
            lost: count(lost),
            next_at: moment(next_at),
            started_at: moment(started_at),
            ended_at: moment(ended_at),
            skips: match &skips {
                Some(text) => json("task_instance", "skips", name(), text)?,
                None => Skips::None,
            },
        });
    }
    let mut gone: Vec<TaskId> = strays.iter().map(|(_, id)| id.clone()).collect();
    gone.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    gone.dedup();
    for (at, id) in strays {
        instances[at].task = place_of(id.as_str(), dag, &gone).unwrap_or(instances[at].task);
    }
    instances.sort_unstable_by_key(|instance| (instance.task, instance.map_index));
    Ok((instances, gone))
}

/// Finds a task's place; `gone` are those of the run that its DAG does not have, sorted.
pub(crate) fn place_of(id: &str, dag: &CachedDag, gone: &[TaskId]) -> Option<TaskIx> {
    dag.task_ix(id).or_else(|| {
        let at = gone.binary_search_by(|other| other.as_str().cmp(id)).ok()?;
        Some(TaskIx::from(dag.dag.tasks.len() + at))
    })
}
