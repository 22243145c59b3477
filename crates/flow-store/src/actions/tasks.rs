//! What people ask of task instances, in one run or in many.
//!
//! Many runs are changed in steps of [`STEP`], each a transaction: a kill in between leaves every run either changed
//! as a whole or not at all, and the earlier steps done. To clear those again would double their work, so whoever asks
//! says how long it may take, and is told where to go on.

use std::{
    fmt,
    time::{Duration, Instant},
};

use flow_core::{
    RunKey, TaskId, TaskState, Timestamp,
    engine::{Edit, Refused, Selection},
};

use super::{ActionError, EditOptions, Edited, TRIES};
use crate::{
    CachedDag, DagCache, Event, RunRow, Store, StoreError, TaskRow, Tx,
    db::{on, statements},
    rows::to_list,
};

/// Most runs that one request changes.
const RUNS_MAX: usize = 10_000;
/// Runs of one transaction.
const STEP: usize = 20;

/// What a person asks of task instances of a DAG.
#[derive(Clone, Debug)]
pub struct TaskEdit<'a> {
    pub dag_id: &'a str,
    pub runs: RunsAsked<'a>,
    /// `None` = all; a map index alone, or all of the task.
    pub tasks: Option<Vec<(TaskId, Option<i32>)>>,
    /// The tasks of this group instead.
    pub group: Option<&'a str>,
    pub upstream: bool,
    pub downstream: bool,
    pub change: TaskChange,
    /// A note for what is changed.
    pub note: Option<&'a str>,
    /// Another for these, of the run that was named; kept if anything is changed.
    pub note_for: Option<NoteFor<'a>>,
    /// Only say what would be changed.
    pub dry_run: bool,
    /// No run is begun after so long; the first always is.
    pub time: Duration,
    pub who: Option<&'a str>,
}

/// A note for task instances, changed or not.
#[derive(Clone, Copy, Debug)]
pub struct NoteFor<'a> {
    pub tasks: &'a [(RunKey, &'a str, i32)],
    /// `None`: it is taken away.
    pub note: Option<&'a str>,
}

/// Where an edit stopped because it took too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub done: usize,
    pub of: usize,
    pub dry_run: bool,
    /// Whether the same request may be asked again: what was marked is not marked twice, but what was cleared has run.
    pub is_repeatable: bool,
    /// The logical date of the last run that was done.
    pub up_to: Option<Timestamp>,
    /// The logical dates of the first and the last that was not.
    pub left: Option<(Timestamp, Timestamp)>,
    /// How many of those that were not done have none.
    pub undated: usize,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, of, .. } = self;
        if self.dry_run {
            return write!(f, "this takes too long: {done} of {of} runs were looked at; ask for fewer, by dates");
        }
        write!(f, "this took too long: {done} of {of} runs are done")?;
        if let Some(date) = self.up_to {
            write!(f, ", up to the logical date {}", date.to_isoformat())?;
        }
        if self.is_repeatable {
            return f.write_str(", the others are as they were; ask the same again for the rest");
        }
        f.write_str(
            ", the others are as they were; do not ask the same again, which would clear what was done once more.",
        )?;
        if let Some((first, last)) = self.left {
            let (first, last) = (first.to_isoformat(), last.to_isoformat());
            write!(f, " To go on, ask with `start_date` {first} and `end_date` {last}")?;
            f.write_str(", without `dag_run_id`, `include_past` and `include_future`.")?;
        }
        match self.undated {
            0 => Ok(()),
            many => write!(f, " Those without a logical date ({many}) are left; clear each by its `dag_run_id`."),
        }
    }
}

/// Which runs it is about.
#[derive(Clone, Copy, Debug)]
pub enum RunsAsked<'a> {
    /// One, and those before and after it by logical date if asked for.
    Of { run_id: &'a str, past: bool, future: bool },
    /// Those with a logical date in between; without bounds, all.
    Between { from: Option<Timestamp>, to: Option<Timestamp> },
}

/// What becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// They run again.
    Clear {
        only_failed: bool,
        only_running: bool,
        /// Runs that have ended stay so: nothing starts before they are cleared themselves.
        keep_runs: bool,
        /// With the DAG's current version.
        pin_latest: bool,
        /// A conflict when one of them runs.
        not_running: bool,
    },
    /// They ended like this.
    Mark(TaskState),
}

/// What was, or would be, changed in a run.
#[derive(Clone, Debug)]
pub struct EditedRun {
    pub run: RunKey,
    pub run_id: String,
    pub edited: Vec<Edited>,
    /// Why nothing could be: its version has no such task, or it is gone.
    pub skipped: Option<String>,
}

statements! {
    // SQLite keeps a range of `logical_date` to the index only when it is not behind an OR.
    both BETWEEN = "SELECT run_id, logical_date FROM dag_run WHERE dag_id = $1 AND logical_date >= $2 AND logical_date <= $3
        ORDER BY logical_date LIMIT $4";
    both UNDATED = "SELECT run_id, logical_date FROM dag_run WHERE dag_id = $1 AND logical_date IS NULL ORDER BY id LIMIT $2";
    each SET_NOTES = [
        "UPDATE task_instance SET note = $2 FROM",
        "WHERE task_instance.run = CAST(c.value ->> 0 AS BIGINT) AND task_instance.task_id = c.value ->> 1
            AND task_instance.map_index = CAST(c.value ->> 2 AS BIGINT)"
    ];
    both DROP_ATTEMPTS = "DELETE FROM attempt WHERE run = $1 AND task_id = $2 AND map_index = $3";
    both DROP_XCOMS = "DELETE FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3";
    both DROP_RENDERED = "DELETE FROM rendered WHERE run = $1 AND task_id = $2 AND map_index = $3";
}

impl TaskEdit<'_> {
    /// Says what is asked of a run of this version. `is_asked`: the run itself was named, so that what is not there is
    /// a mistake.
    fn of(&self, dag: &CachedDag, is_asked: bool) -> Result<Edit, ActionError> {
        let mut tasks = match self.group {
            Some(group) => Some(tasks_of_group(dag, group)?.into_iter().map(|id| (id, None)).collect()),
            None => self.tasks.clone(),
        };
        if let (false, Some(tasks)) = (is_asked, &mut tasks) {
            tasks.retain(|(id, _): &(TaskId, _)| dag.task_ix(id.as_str()).is_some());
        }
        let tasks = Selection { tasks, upstream: self.upstream, downstream: self.downstream };
        Ok(match self.change {
            TaskChange::Clear { only_running: true, .. } => Edit::ClearRunning { tasks },
            TaskChange::Clear { only_failed, .. } => Edit::Clear { tasks, only_failed },
            TaskChange::Mark(state) => Edit::MarkTasks { tasks, state },
        })
    }
}

/// A run and its logical date.
type DatedRun = (String, Option<i64>);

/// Says where it stopped.
fn stopped(request: &TaskEdit<'_>, runs: &[DatedRun], done: usize) -> Stopped {
    let (before, left) = runs.split_at(done);
    let date = |(_, date): &DatedRun| date.map(Timestamp::from_micros);
    Stopped {
        done,
        of: runs.len(),
        dry_run: request.dry_run,
        is_repeatable: matches!(request.change, TaskChange::Mark(_)),
        up_to: before.iter().rev().find_map(date),
        left: left.iter().find_map(date).zip(left.iter().rev().find_map(date)),
        undated: left.iter().filter(|run| date(run).is_none()).count(),
    }
}

/// Returns the tasks of a group and of the groups in it.
fn tasks_of_group(dag: &CachedDag, group: &str) -> Result<Vec<TaskId>, ActionError> {
    let ids = dag.tasks_of_group(group);
    ids.ok_or_else(|| StoreError::no_such("task group", group).into())
}

impl CachedDag {
    /// Returns the tasks of a group and of the groups in it; `None` when there is no such group.
    pub fn tasks_of_group(&self, group: &str) -> Option<Vec<TaskId>> {
        let groups = &self.dag.groups;
        let wanted = groups.iter().position(|other| other.id == group)?;
        let is_inside = |mut at: Option<usize>| {
            // A chain of parents is no longer than there are groups.
            for _ in 0..=groups.len() {
                match at {
                    Some(at) if at == wanted => return true,
                    Some(inner) => at = groups.get(inner).and_then(|group| group.parent),
                    None => return false,
                }
            }
            false
        };
        Some(self.dag.tasks.iter().filter(|task| is_inside(task.group)).map(|task| task.id.clone()).collect())
    }
}

impl Store {
    /// Changes task instances, or says what would change; told run by run, the run that was named first.
    ///
    /// # Errors
    ///
    /// When the run that was named, its task or group does not exist, the edit is refused, there are too many runs, it
    /// takes too long, or the database fails. Steps that were done before stay done.
    pub async fn edit_tasks(
        &self,
        dags: &DagCache,
        request: &TaskEdit<'_>,
        now: Timestamp,
    ) -> Result<Vec<EditedRun>, ActionError> {
        let start = Instant::now();
        let (runs, asked) = self.runs_asked(request).await?;
        if let (Some(run_id), false) = (asked, runs.len() == 1) {
            // What is wrong with the run that was named is found before any other is changed.
            let dry = TaskEdit { dry_run: true, ..request.clone() };
            self.edit_step(dags, &dry, (&[(run_id.to_owned(), None)], asked), start, now).await?;
        }
        let mut done = Vec::with_capacity(runs.len());
        for step in runs.chunks(STEP) {
            let edited = self.edit_step(dags, request, (step, asked), start, now).await?;
            let is_whole = edited.len() == step.len();
            done.extend(edited);
            if !is_whole || (done.len() < runs.len() && start.elapsed() >= request.time) {
                return Err(stopped(request, &runs, done.len()).into());
            }
        }
        if let (Some(note), false) = (request.note_for, request.dry_run) {
            let is_named = |run: &&EditedRun| asked == Some(run.run_id.as_str());
            let is_kept = done.iter().filter(is_named).any(|run| !run.edited.is_empty());
            if !is_kept && done.iter().any(|run| !run.edited.is_empty()) {
                self.set_task_notes(request.dag_id, note.tasks, note.note).await?;
            }
        }
        if let Some(at) = done.iter().position(|run| asked == Some(run.run_id.as_str())) {
            done[..=at].rotate_right(1);
        }
        Ok(done)
    }

    /// Changes some runs in one transaction, as many as there is time for and at least one; once more when a worker or
    /// the scheduler was faster.
    async fn edit_step(
        &self,
        dags: &DagCache,
        request: &TaskEdit<'_>,
        (runs, asked): (&[DatedRun], Option<&str>),
        start: Instant,
        now: Timestamp,
    ) -> Result<Vec<EditedRun>, ActionError> {
        let mut tries = 0;
        'again: loop {
            tries += 1;
            let mut tx = self.begin().await?;
            let mut done = Vec::with_capacity(runs.len());
            for (run_id, _) in runs {
                if !done.is_empty() && start.elapsed() >= request.time {
                    break;
                }
                let is_asked = asked == Some(run_id.as_str());
                match tx.edit_tasks_of(dags, request, (run_id, is_asked), now).await {
                    Err(error) if error.is_race() && tries < TRIES => {
                        tx.rollback().await?;
                        continue 'again;
                    }
                    edited => done.push(edited?),
                }
            }
            if request.dry_run {
                tx.rollback().await?;
            } else {
                tx.commit().await?;
            }
            return Ok(done);
        }
    }

    /// Finds the runs, by logical date and then those without one, and which of them was named.
    async fn runs_asked<'a>(&self, request: &TaskEdit<'a>) -> Result<(Vec<DatedRun>, Option<&'a str>), ActionError> {
        let dag_id = request.dag_id;
        let (mut runs, bounds, asked) = match request.runs {
            RunsAsked::Of { run_id, past, future } => {
                let row = self.run(dag_id, run_id).await?;
                let row = row.ok_or_else(|| StoreError::no_such("run", format!("{dag_id}/{run_id}")))?;
                match (past || future, row.run.logical_date) {
                    (false, date) => (vec![(run_id.to_owned(), date.map(Timestamp::as_micros))], None, Some(run_id)),
                    (true, None) => {
                        return Err(ActionError::Invalid(format!(
                            "run `{run_id}` has no logical date, so no run is before or after it"
                        )));
                    }
                    (true, Some(date)) => {
                        let bounds = (if past { None } else { Some(date) }, if future { None } else { Some(date) });
                        (Vec::new(), Some(bounds), Some(run_id))
                    }
                }
            }
            RunsAsked::Between { from, to } => (Vec::new(), Some((from, to)), None),
        };
        let Some((from, to)) = bounds else { return Ok((runs, asked)) };
        let most = i64::try_from(RUNS_MAX + 1).unwrap_or(i64::MAX);
        let (first, last) = (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX));
        let dated: Vec<DatedRun> = on!(read self, BETWEEN, |text, conn| {
            let query = sqlx::query_as(text).bind(dag_id).bind(first.as_micros()).bind(last.as_micros());
            query.bind(most).fetch_all(conn).await.map_err(StoreError::from)?
        });
        runs.extend(dated);
        if asked.is_none() && from.is_none() && to.is_none() {
            let undated: Vec<DatedRun> = on!(read self, UNDATED, |text, conn| {
                sqlx::query_as(text).bind(dag_id).bind(most).fetch_all(conn).await.map_err(StoreError::from)?
            });
            runs.extend(undated);
        }
        if runs.len() > RUNS_MAX {
            return Err(ActionError::Invalid(format!(
                "this is about more than {RUNS_MAX} runs of `{dag_id}`; do it in parts, by dates"
            )));
        }
        Ok((runs, asked))
    }

    /// Gives task instances a note, or takes it away.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn set_task_notes(
        &self,
        dag_id: &str,
        tasks: &[(RunKey, &str, i32)],
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.lock_dag_if_any(dag_id).await?;
        tx.set_task_notes(tasks, note).await?;
        tx.commit().await
    }

    /// Deletes a task instance of a run that has ended, with its attempts and results; its events stay. Returns its run
    /// and itself as they were.
    ///
    /// # Errors
    ///
    /// When it does not exist, its run is under way, a worker still has an attempt of it, or the database does.
    pub async fn delete_task_instance(
        &self,
        (dag_id, run_id): (&str, &str),
        (task_id, map_index): (&str, i32),
        who: Option<&str>,
        now: Timestamp,
    ) -> Result<(RunRow, TaskRow), StoreError> {
        let mut tx = self.begin().await?;
        tx.lock_dag_if_any(dag_id).await?;
        let missing = || StoreError::no_such("task instance", format!("{dag_id}/{run_id}/{task_id}[{map_index}]"));
        let row = tx.run_by_id(dag_id, run_id).await?.ok_or_else(missing)?;
        let run = row.run.key;
        let rows = tx.task_rows(&[run]).await?;
        let is_it = |task: &TaskRow| task.task_id == task_id && task.map_index == map_index;
        let task = rows.into_iter().find(is_it).ok_or_else(missing)?;
        if !row.run.state.is_finished() {
            return Err(StoreError::Conflict(format!(
                "run `{run_id}` is still {}; a task instance is deleted when its run has ended",
                row.run.state
            )));
        }
        let attempts = tx.unsettled_attempts(&[run]).await?;
        let is_alive = attempts
            .iter()
            .any(|(key, attempt)| key.task_id == task_id && key.map_index == map_index && attempt.ended_at.is_none());
        if is_alive {
            return Err(StoreError::Conflict(format!("a worker is still at `{task_id}`; wait until it has ended")));
        }
        for statement in [DROP_ATTEMPTS, DROP_XCOMS, DROP_RENDERED] {
            on!(tx tx, statement, |text, conn| {
                sqlx::query(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).execute(conn).await?;
            });
        }
        tx.remove_task_instance(run, task_id, map_index).await?;
        tx.tell(
            &[Event {
                kind: "task_deleted",
                dag_id: Some(dag_id.to_owned()),
                run_id: Some(run_id.to_owned()),
                task_id: Some(task_id.to_owned()),
                map_index: Some(map_index),
                who: who.map(str::to_owned),
                ..Event::default()
            }],
            now,
        )
        .await?;
        tx.commit().await?;
        Ok((row, task))
    }
}

impl Tx {
    /// Of a DAG that is gone its runs may be left.
    async fn lock_dag_if_any(&mut self, dag_id: &str) -> Result<(), StoreError> {
        match self.lock_dag(dag_id).await {
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn edit_tasks_of(
        &mut self,
        dags: &DagCache,
        request: &TaskEdit<'_>,
        (run_id, is_asked): (&str, bool),
        now: Timestamp,
    ) -> Result<EditedRun, ActionError> {
        let (keep_runs, pin_latest, not_running) = match request.change {
            TaskChange::Clear { keep_runs, pin_latest, not_running, .. } => (keep_runs, pin_latest, not_running),
            TaskChange::Mark(_) => (false, false, false),
        };
        let options = EditOptions { dry_run: request.dry_run, pin_latest, who: request.who };
        let make = |dag: &CachedDag| request.of(dag, is_asked);
        let done = self.edit_one(dags, (request.dag_id, run_id), make, keep_runs, options, now).await;
        let (row, edited) = match done {
            // Another version of the DAG, or deleted meanwhile: the other runs are changed all the same.
            Err(
                error @ (ActionError::Refused(Refused::NoSuchTask(_) | Refused::NoSuchMapIndex(..))
                | ActionError::Store(StoreError::NotFound { .. })),
            ) if !is_asked => {
                let skipped = Some(error.to_string());
                return Ok(EditedRun { run: RunKey(0), run_id: run_id.to_owned(), edited: Vec::new(), skipped });
            }
            other => other?,
        };
        if not_running && let Some(running) = edited.iter().find(|edited| edited.from == TaskState::Running) {
            return Err(ActionError::Conflict(format!("task `{}` of run `{run_id}` is running", running.task_id)));
        }
        if let (Some(note), false) = (request.note, request.dry_run) {
            let tasks: Vec<(RunKey, &str, i32)> =
                edited.iter().map(|edited| (row.run.key, edited.task_id.as_str(), edited.map_index)).collect();
            self.set_task_notes(&tasks, Some(note)).await?;
        }
        if let (Some(note), true, false) = (request.note_for, is_asked && !edited.is_empty(), request.dry_run) {
            self.set_task_notes(note.tasks, note.note).await?;
        }
        Ok(EditedRun { run: row.run.key, run_id: run_id.to_owned(), edited, skipped: None })
    }

    /// Gives task instances a note, or takes it away. Their DAG is locked.
    async fn set_task_notes(&mut self, tasks: &[(RunKey, &str, i32)], note: Option<&str>) -> Result<(), StoreError> {
        if tasks.is_empty() {
            return Ok(());
        }
        // Postgres cannot keep NUL.
        let note = note.map(|note| note.replace('\0', "\u{fffd}"));
        on!(tx self, SET_NOTES, |text, conn| {
            sqlx::query(text).bind(to_list(&tasks)).bind(note).execute(conn).await?;
        });
        Ok(())
    }
}
