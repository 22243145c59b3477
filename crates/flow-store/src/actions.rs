//! What people and programs ask for: triggering a run, and changing one.
//!
//! The same for the command line, the API and operators. What an edit changes is decided in
//! `flow_core::engine::edit` and written like any other decision.

pub(crate) mod tasks;

use std::collections::HashSet;

use flow_core::{
    DagId, RunId, RunType, TaskState, Timestamp,
    dag::params::{BadParam, with_conf},
    engine::{Edit, LastRun, NewRun, Reason, Refused, RunHistory, edit, explain, explain_dispatch, planned_runs},
    run::DataInterval,
};
use serde_json::Value;

pub use tasks::{EditedRun, NoteFor, RunsAsked, Stopped, TaskChange, TaskEdit};

use crate::{
    CachedDag, CreateRun, DagCache, DagRow, RunDecision, RunRow, Store, StoreError, TaskRow, Tx, looks::at_once,
    rows::can_be_kept,
};

/// Tries to find a run id that is free, for runs triggered in the same microsecond.
const RUN_ID_TRIES: u64 = 100;

/// Times to change something when a worker or the scheduler changes the same in between.
const TRIES: u32 = 4;

/// How many params a refusal names.
const PARAMS_NAMED: usize = 8;

/// A run that someone wants.
#[derive(Clone, Debug)]
pub struct TriggerRun<'a> {
    pub dag_id: &'a str,
    /// `None` = `manual__<logical date>`.
    pub run_id: Option<&'a str>,
    /// `None` = now.
    pub logical_date: Option<Timestamp>,
    /// Not before this moment; `None` = at once.
    pub run_after: Option<Timestamp>,
    /// An object that fits the DAG's params; null = none.
    pub conf: &'a Value,
    pub triggered_by: &'a str,
    pub user: Option<&'a str>,
    pub note: Option<&'a str>,
    /// The span that asks for it: the text of a `traceparent` header.
    pub caller: Option<&'a str>,
}

/// How a run that someone wants is dated, beyond [`TriggerRun::logical_date`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dating {
    /// The timetable knows the data interval of the logical date.
    #[default]
    Timetable,
    /// This is the data interval.
    Interval(DataInterval),
    /// The run has neither.
    None,
}

/// What became of a request to make a run.
#[derive(Clone, Debug)]
pub enum TriggerOutcome {
    Created(RunRow),
    /// There is a run of this id or logical date already.
    Exists(RunRow),
}

/// What an edit changed, or would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub task_id: String,
    pub map_index: i32,
    pub from: TaskState,
    pub to: TaskState,
}

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("{0}")]
    Invalid(String),
    /// What is there is in the way, and is so until someone mends it.
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Stopped(Box<Stopped>),
}

impl From<Stopped> for ActionError {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(Box::new(stopped))
    }
}

impl ActionError {
    /// Says whether someone else was faster, so that the same may work in a fresh transaction.
    fn is_race(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(_)))
    }
}

/// A change of a run and a note on it, in one transaction.
#[derive(Clone, Debug)]
pub struct RunChange<'a> {
    pub edit: Option<&'a Edit>,
    /// `Some(None)` takes it away.
    pub note: Option<Option<&'a str>>,
}

impl Store {
    /// Makes a run.
    ///
    /// # Errors
    ///
    /// When the DAG does not exist or is stale, the request makes no sense, or the database does.
    pub async fn trigger(
        &self,
        dags: &DagCache,
        request: &TriggerRun<'_>,
        now: Timestamp,
    ) -> Result<TriggerOutcome, ActionError> {
        let mut tx = self.begin().await?;
        let outcome = tx.trigger(dags, request, now).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Makes a run with these dates.
    ///
    /// # Errors
    ///
    /// As [`Store::trigger`].
    pub async fn trigger_dated(
        &self,
        dags: &DagCache,
        request: &TriggerRun<'_>,
        dating: Dating,
        now: Timestamp,
    ) -> Result<TriggerOutcome, ActionError> {
        let mut tx = self.begin().await?;
        let outcome = tx.trigger_dated(dags, request, dating, now).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Changes a run. `pin_latest`: what is cleared runs with the DAG's current version. With `dry_run` nothing
    /// is changed.
    ///
    /// # Errors
    ///
    /// When the run does not exist, the edit is refused, or the database does.
    pub async fn edit_run(
        &self,
        dags: &DagCache,
        (dag_id, run_id): (&str, &str),
        request: &Edit,
        options: EditOptions<'_>,
        now: Timestamp,
    ) -> Result<Vec<Edited>, ActionError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut tx = self.begin().await?;
            match tx.edit_run(dags, (dag_id, run_id), request, options, now).await {
                Err(error) if error.is_race() && tries < TRIES => tx.rollback().await?,
                edited => {
                    let edited = edited?;
                    if options.dry_run {
                        tx.rollback().await?;
                    } else {
                        tx.commit().await?;
                    }
                    return Ok(edited);
                }
            }
        }
    }

    /// Changes a run and its note, and returns it as it is then.
    ///
    /// # Errors
    ///
    /// As [`Store::edit_run`].
    pub async fn change_run(
        &self,
        dags: &DagCache,
        (dag_id, run_id): (&str, &str),
        change: &RunChange<'_>,
        options: EditOptions<'_>,
        now: Timestamp,
    ) -> Result<RunRow, ActionError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut tx = self.begin().await?;
            match tx.change_run(dags, (dag_id, run_id), change, options, now).await {
                Err(error) if error.is_race() && tries < TRIES => tx.rollback().await?,
                row => {
                    let row = row?;
                    tx.commit().await?;
                    return Ok(row);
                }
            }
        }
    }
}

/// How many waiting task instances are looked at to say how many are ahead.
const AHEAD: usize = 1_000;

impl Store {
    /// Says why a task instance is where it is, with what the scheduler knows about pools and limits.
    ///
    /// # Errors
    ///
    /// When the database does, or the run's version cannot be read.
    pub async fn explain(
        &self,
        dags: &DagCache,
        row: &RunRow,
        task: &TaskRow,
        max_infrastructure_retries: u32,
        now: Timestamp,
    ) -> Result<Vec<Reason>, StoreError> {
        let dag_id = row.run.dag_id.as_str();
        let dag = self.dag(dag_id).await?.ok_or_else(|| StoreError::no_such("dag", dag_id))?;
        let is_paused = dag.is_paused;
        let mut tx = self.snapshot().await?;
        let mut broken = None;
        let (facts, _) =
            tx.look_at(vec![row.clone()], dags, max_infrastructure_retries, |_, error| broken = Some(error)).await?;
        if let Some(error) = broken {
            return Err(error);
        }
        let Some(facts) = facts.first() else { return Ok(Vec::new()) };
        let view = facts.view();
        let at = (0..view.tasks.len())
            .find(|at| view.task_id(*at).as_str() == task.task_id && view.tasks[*at].map_index == task.map_index);
        let Some(at) = at else { return Ok(Vec::new()) };
        let mut reasons = explain(&view, at, now);
        if task.state == TaskState::Scheduled {
            let room = tx.room_seen().await?;
            let waiting = tx.first_waiting(AHEAD).await?;
            let mine = waiting.iter().position(|other| {
                other.run == row.run.key && other.task_id.as_str() == task.task_id && other.map_index == task.map_index
            });
            if let Some(mine) = mine {
                let ahead = waiting[..mine].iter().filter(|other| other.pool == waiting[mine].pool).count();
                reasons = explain_dispatch(&waiting[mine], &room, ahead);
            }
        }
        if is_paused && !row.run.state.is_finished() && !task.state.is_finished() {
            let text = format!(
                "waiting: dag `{}` is paused; to let it go on: flow dags unpause {}",
                row.run.dag_id, row.run.dag_id
            );
            // Being paused is why the run is queued: it waits for no other.
            reasons.retain(|reason| reason.kind != "run_queued");
            reasons.insert(0, Reason { kind: "paused", text, task: None });
        }
        tx.rollback().await?;
        Ok(reasons)
    }
}

impl Store {
    /// Returns the task instances of a run in the order of its DAG.
    ///
    /// # Errors
    ///
    /// When the database does, or the run's version cannot be read.
    pub async fn tasks_in_order(&self, dags: &DagCache, row: &RunRow) -> Result<Vec<TaskRow>, StoreError> {
        let dag = dags.read(self, row.version_id).await?;
        let mut tasks = self.tasks(row.run.key).await?;
        tasks.sort_by_key(|task| (dag.task_ix(&task.task_id).map_or(u32::MAX, |ix| ix.0), task.map_index));
        Ok(tasks)
    }
}

/// Most runs that are counted before a DAG is unpaused.
pub const BACKLOG_MAX: usize = 10_000;

/// Runs of a DAG that are due as soon as it is unpaused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The DAG makes up for the past.
    pub has_catchup: bool,
    /// How many; one more than [`BACKLOG_MAX`] when there are more.
    pub due: usize,
    /// The first four of them.
    pub first: Vec<RunId>,
    /// The last of them, when all were counted.
    pub last: Option<RunId>,
}

impl Store {
    /// Says which runs a paused DAG would make if it were unpaused now.
    ///
    /// # Errors
    ///
    /// When the database does, or the DAG's version cannot be read.
    pub async fn backlog(&self, dags: &DagCache, row: &DagRow, now: Timestamp) -> Result<Backlog, StoreError> {
        if row.is_stale || !row.is_paused {
            return Ok(Backlog::default());
        }
        let cached = dags.read(self, row.version_id).await?;
        // That is what unpausing writes down.
        let history = self.run_history(&row.dag_id, now).await?;
        let due = planned_runs(&cached.dag, &history, now).take_while(|run| run.run_after <= now);
        let planned: Vec<NewRun> = due.take(BACKLOG_MAX + 1).collect();
        Ok(Backlog {
            has_catchup: cached.dag.catchup,
            due: planned.len(),
            first: planned.iter().take(4).map(|run| run.run_id.clone()).collect(),
            last: planned.last().filter(|_| planned.len() <= BACKLOG_MAX).map(|run| run.run_id.clone()),
        })
    }

    /// Returns what a timetable needs to know of the past; overlaps are not looked at. For [`planned_runs`].
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run_history(&self, dag_id: &str, enabled_at: Timestamp) -> Result<RunHistory, StoreError> {
        let last = self.latest_scheduled_run(dag_id).await?;
        let mut tx = self.snapshot().await?;
        let active = tx.count_active_runs(&[dag_id]).await?.remove(dag_id).unwrap_or_default();
        tx.rollback().await?;
        Ok(RunHistory {
            last: last.and_then(|row| {
                Some(LastRun {
                    logical_date: row.run.logical_date?,
                    data_interval: row.run.data_interval?,
                    run_after: row.run.run_after,
                    ended_at: row.run.ended_at,
                })
            }),
            active: active.0 + active.1,
            busy_until: None,
            enabled_at: Some(enabled_at),
        })
    }
}

/// How an edit is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct EditOptions<'a> {
    pub dry_run: bool,
    pub pin_latest: bool,
    pub who: Option<&'a str>,
}

impl Tx {
    /// Makes a run, inside a transaction.
    ///
    /// # Errors
    ///
    /// As [`Store::trigger`].
    pub async fn trigger(
        &mut self,
        dags: &DagCache,
        request: &TriggerRun<'_>,
        now: Timestamp,
    ) -> Result<TriggerOutcome, ActionError> {
        self.trigger_dated(dags, request, Dating::Timetable, now).await
    }

    /// Makes a run with these dates, inside a transaction.
    ///
    /// # Errors
    ///
    /// As [`Store::trigger`].
    pub async fn trigger_dated(
        &mut self,
        dags: &DagCache,
        request: &TriggerRun<'_>,
        dating: Dating,
        now: Timestamp,
    ) -> Result<TriggerOutcome, ActionError> {
        if !(request.conf.is_null() || request.conf.is_object()) {
            return Err(ActionError::Invalid(
                "`conf` must be a JSON object, such as '{\"region\": \"eu\"}'".to_owned(),
            ));
        }
        if !can_be_kept(request.conf) {
            return Err(ActionError::Invalid("`conf` has lists or objects nested too deeply".to_owned()));
        }
        if let Some(run_id) = request.run_id {
            check_run_id(run_id)?;
        }
        let dag = self.lock_dag(request.dag_id).await?;
        if dag.is_stale {
            return Err(ActionError::Invalid(format!(
                "dag `{}` is no longer in the DAG folder; put its file back to run it",
                dag.dag_id
            )));
        }
        let cached = dags.get(self, dag.version_id).await?;
        let empty = Value::Object(serde_json::Map::new());
        let conf = if request.conf.is_null() { &empty } else { request.conf };
        if let Err(bad) = with_conf(&cached.dag.params, conf) {
            return Err(ActionError::Invalid(misfits(&dag.dag_id, &bad)));
        }
        let dag_id = DagId::new(&dag.dag_id);
        let run_after = request.run_after.map_or(now, |after| after.max(now));
        for step in 0..RUN_ID_TRIES {
            let later = |moment: Timestamp| Timestamp::from_micros(moment.as_micros() + step.cast_signed());
            let logical_date = match dating {
                Dating::None => None,
                Dating::Timetable | Dating::Interval(_) => Some(request.logical_date.unwrap_or_else(|| later(now))),
            };
            let run_id = request.run_id.map_or_else(
                || {
                    let named_after = logical_date.unwrap_or_else(|| later(run_after));
                    RunId::new(format!("manual__{}", named_after.to_isoformat()))
                },
                RunId::new,
            );
            let data_interval = match dating {
                Dating::None => None,
                Dating::Timetable => logical_date.map(|date| cached.dag.timetable.manual_interval(date)),
                Dating::Interval(interval) => Some(interval),
            };
            let created = self
                .create_run(
                    &CreateRun {
                        dag_id: &dag_id,
                        version_id: dag.version_id,
                        run_id: run_id.clone(),
                        run_type: RunType::Manual,
                        logical_date,
                        data_interval,
                        run_after,
                        conf,
                        triggered_by: request.triggered_by,
                        user: request.user,
                        note: request.note,
                        caller: request.caller,
                        tasks: &cached.seeds,
                    },
                    now,
                )
                .await?;
            if created.is_some() {
                self.announce(crate::Signal::Look).await?;
                let row = self.run_by_id(request.dag_id, run_id.as_str()).await?;
                return row.map(TriggerOutcome::Created).ok_or_else(|| StoreError::no_such("run", &run_id).into());
            }
            if let Some(row) = self.run_by_id(request.dag_id, run_id.as_str()).await? {
                if request.run_id.is_some() || request.logical_date.is_some() {
                    return Ok(TriggerOutcome::Exists(row));
                }
            } else if let Some(date) = logical_date
                && let Some(row) = self.run_by_date(request.dag_id, date).await?
                && request.logical_date.is_some()
            {
                return Ok(TriggerOutcome::Exists(row));
            }
        }
        Err(StoreError::Conflict(format!("too many runs of `{}` at the same moment; try again", request.dag_id)).into())
    }

    /// Changes a run, inside a transaction.
    ///
    /// # Errors
    ///
    /// As [`Store::edit_run`].
    pub async fn edit_run(
        &mut self,
        dags: &DagCache,
        (dag_id, run_id): (&str, &str),
        request: &Edit,
        options: EditOptions<'_>,
        now: Timestamp,
    ) -> Result<Vec<Edited>, ActionError> {
        let request = |_: &CachedDag| Ok(request.clone());
        Ok(self.edit_one(dags, (dag_id, run_id), request, false, options, now).await?.1)
    }

    async fn change_run(
        &mut self,
        dags: &DagCache,
        (dag_id, run_id): (&str, &str),
        change: &RunChange<'_>,
        options: EditOptions<'_>,
        now: Timestamp,
    ) -> Result<RunRow, ActionError> {
        if let Some(edit) = change.edit {
            self.edit_run(dags, (dag_id, run_id), edit, options, now).await?;
        }
        let gone = || StoreError::no_such("run", format!("{dag_id}/{run_id}"));
        if let Some(note) = change.note {
            let row = self.run_by_id(dag_id, run_id).await?.ok_or_else(gone)?;
            self.note_run(&row, note, options.who, now).await?;
        }
        Ok(self.run_by_id(dag_id, run_id).await?.ok_or_else(gone)?)
    }

    /// Changes a run. `request` is told the version that it goes by; `keep_run`: a run that has ended stays so.
    async fn edit_one(
        &mut self,
        dags: &DagCache,
        (dag_id, run_id): (&str, &str),
        request: impl FnOnce(&CachedDag) -> Result<Edit, ActionError> + Send,
        keep_run: bool,
        options: EditOptions<'_>,
        now: Timestamp,
    ) -> Result<(RunRow, Vec<Edited>), ActionError> {
        let dag = self.lock_dag(dag_id).await?;
        let mut row = self
            .run_by_id(dag_id, run_id)
            .await?
            .ok_or_else(|| StoreError::no_such("run", format!("{dag_id}/{run_id}")))?;
        let pinned = if options.pin_latest { dag.version_id } else { row.version_id };
        let request = request(&*dags.get(self, pinned).await?)?;
        let is_clear = matches!(request, Edit::Clear { .. } | Edit::ClearRunning { .. });
        if options.pin_latest && is_clear && row.version_id != dag.version_id {
            self.pin_latest(dags, &row, dag.version_id).await?;
            row.version_id = dag.version_id;
        }
        let mut broken = None;
        let facts = self.facts(vec![row], dags, 0, |_, error| broken = Some(error)).await?;
        if let Some(error) = broken {
            return Err(error.into());
        }
        let facts = facts.first().ok_or_else(|| StoreError::no_such("run", format!("{dag_id}/{run_id}")))?;
        let view = facts.view();
        let mut decision = edit(&view, &request, now)?;
        if keep_run {
            decision.run = None;
        }
        let edited = decision
            .changes
            .iter()
            .map(|change| Edited {
                task_id: view.task_id(change.at).to_string(),
                map_index: change.to.map_index,
                from: change.from,
                to: change.to.state,
            })
            .collect();
        if !options.dry_run {
            self.apply(&[RunDecision::new(&view, &decision, options.who)], now).await?;
            self.wake(&[(dag_id.to_owned(), facts.row.run.key.0, at_once(now))]).await?;
            self.announce(crate::Signal::Look).await?;
        }
        Ok((facts.row.clone(), edited))
    }

    /// Pins a run to the DAG's current version: new tasks get rows, and so do those that come back; what had ended of
    /// tasks that are gone is deleted. What had not ended becomes `removed`, by the edit or by the next pass.
    async fn pin_latest(&mut self, dags: &DagCache, row: &RunRow, version_id: i64) -> Result<(), StoreError> {
        let cached = dags.get(self, version_id).await?;
        self.pin_run(row.run.key, version_id).await?;
        let unsettled = self.unsettled_attempts(&[row.run.key]).await?;
        let busy: HashSet<(&str, i32)> =
            unsettled.iter().map(|(key, _)| (key.task_id.as_str(), key.map_index)).collect();
        for task in self.task_rows(&[row.run.key]).await? {
            let is_over = match cached.task_ix(&task.task_id) {
                Some(_) => task.state == TaskState::Removed,
                None => task.state.is_finished(),
            };
            // An attempt that a worker has not ended yet is watched through its task instance.
            if is_over && !busy.contains(&(task.task_id.as_str(), task.map_index)) {
                self.remove_task_instance(row.run.key, &task.task_id, task.map_index).await?;
            }
        }
        self.add_task_instances(&row.run, &cached.seeds).await
    }
}

/// Says which params have no value that they may have, and why.
fn misfits(dag_id: &str, bad: &[BadParam]) -> String {
    let named: Vec<String> = bad.iter().take(PARAMS_NAMED).map(ToString::to_string).collect();
    let more = match bad.len().saturating_sub(PARAMS_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("`conf` does not fit the params of dag `{dag_id}`: {}{more}", named.join("; "))
}

/// Run ids stand in paths, URLs and file names.
fn check_run_id(run_id: &str) -> Result<(), ActionError> {
    let is_legal = !run_id.is_empty()
        && run_id.len() <= 250
        && run_id.chars().all(|c| c.is_ascii_alphanumeric() || "_.~:+-".contains(c));
    if is_legal {
        Ok(())
    } else {
        Err(ActionError::Invalid(format!(
            "run id `{}` must be 1 to 250 letters, digits or `_.~:+-`",
            run_id.chars().take(80).collect::<String>()
        )))
    }
}
