//! What should change now: five pure functions over facts.
//!
//! Nothing here waits, fails or asks. Same facts and time, same answer. The shells that read the facts and
//! write the answers are in `flow-runtime` and `flow-store`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    dag::{CallbackEvent, Dag},
    id::{DagId, RunId, RunKey, TaskId, TaskIx},
    run::{Attempt, DagRun, DataInterval, Previous, TaskInstance},
    state::{RunState, RunType, TaskState},
    time::Timestamp,
};

/// Everything that is known about one run.
#[derive(Clone, Copy, Debug)]
pub struct RunView<'a> {
    /// The version the run is pinned to.
    pub dag: &'a Dag,
    pub run: &'a DagRun,
    /// Sorted by (task, map index).
    pub tasks: &'a [TaskInstance],
    /// Tasks that the version lacks, and that the run has from an earlier one: their indexes go on after the DAG's.
    pub gone: &'a [TaskId],
    /// Beside `tasks`: the attempt that is alive or not yet decided upon.
    pub attempts: &'a [Option<Attempt>],
    /// `None`: there is no earlier run, or no task asks for it.
    pub previous: Option<&'a Previous>,
    /// How many tries a task may lose to the infrastructure.
    pub max_infrastructure_retries: u32,
}

impl<'a> RunView<'a> {
    /// Returns the task's id at a position of `tasks`.
    ///
    /// # Panics
    ///
    /// When there is no such position, or its index is neither the DAG's nor in `gone`: a mistake of ours.
    pub fn task_id(&self, at: usize) -> &'a TaskId {
        let ix = self.tasks[at].task.index();
        match self.dag.tasks.get(ix) {
            Some(task) => &task.id,
            None => &self.gone[ix - self.dag.tasks.len()],
        }
    }
}

/// Why a task instance is `removed` when its task is gone.
const GONE: &str = "this version of the DAG has no such task";

/// What should change in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// In the order of `tasks`.
    pub changes: Vec<Change>,
    /// The run's new state, if it changes.
    pub run: Option<RunChange>,
    /// Attempts that are ended from outside (their lease ran out, or nobody took them and nobody should), by position in `tasks`.
    pub given_up: Vec<usize>,
    /// Attempts whose outcome has been used or no longer matters, by position in `tasks`.
    pub settled: Vec<usize>,
    /// The earliest moment when time alone could change the answer. A lease that is taken later is not known
    /// here: who takes it asks for a look at its end.
    pub wake_at: Option<Timestamp>,
    /// The run after this one may depend on what changed.
    pub wake_next_run: bool,
    /// What the DAG asks to be done about it; delivered by others, at least once.
    pub callbacks: Vec<DueCallbacks>,
}

/// The callbacks of one event of a task instance or run are due.
#[derive(Clone, Debug, PartialEq)]
pub struct DueCallbacks {
    pub event: CallbackEvent,
    /// Position in [`RunView::tasks`]; `None` = they are the run's.
    pub at: Option<usize>,
    /// The try that it is about; how often the run was cleared.
    pub number: u32,
    /// What went wrong, in words; empty when nothing did.
    pub exception: String,
}

/// One task instance moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Position in [`RunView::tasks`].
    pub at: usize,
    /// The state it is expected to be in.
    pub from: TaskState,
    /// The whole task instance afterwards.
    pub to: TaskInstance,
    /// Why, in words, for the event log; empty when the state says it all.
    pub why: String,
}

/// The run moves.
#[derive(Clone, Debug, PartialEq)]
pub struct RunChange {
    pub from: RunState,
    pub to: RunState,
    pub why: String,
}

/// What the timetable needs to know of the past.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunHistory {
    /// The latest run made by the timetable.
    pub last: Option<LastRun>,
    /// Runs that are queued or running, of any type but backfill.
    pub active: u32,
    /// When a run of any type but backfill last ended. Asked for with `overlap_policy: skip` only.
    pub busy_until: Option<Timestamp>,
    /// When the DAG was first seen, or last unpaused if later.
    pub enabled_at: Option<Timestamp>,
}

/// The latest run made by the timetable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastRun {
    pub logical_date: Timestamp,
    pub data_interval: DataInterval,
    pub run_after: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
}

/// Runs that are due, and when to ask again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewRuns {
    /// Oldest first.
    pub runs: Vec<NewRun>,
    /// When the next one is due; `None`: never, or not before another run ends (`is_blocked`).
    pub next: Option<NewRun>,
    /// A run is due, but `max_active_runs` are active: ask again when one ends.
    pub is_blocked: bool,
    /// The overlap policy wants the active runs cancelled.
    pub cancel_active: bool,
}

/// A run to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    pub run_id: RunId,
    pub run_type: RunType,
    pub logical_date: Option<Timestamp>,
    pub data_interval: Option<DataInterval>,
    pub run_after: Timestamp,
}

/// A task instance that is `scheduled` and waits for its slots.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub run: RunKey,
    pub dag_id: DagId,
    pub task_id: TaskId,
    pub map_index: i32,
    pub pool: String,
    pub pool_slots: u32,
    pub priority_weight: i64,
    pub logical_date: Timestamp,
    pub max_active_tasks: u32,
    pub max_active_tis_per_dag: Option<u32>,
    pub max_active_tis_per_dagrun: Option<u32>,
}

/// Free slots, and what is in use. "In use" = granted and not yet ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Room {
    /// Free slots by pool; a pool that is absent does not exist. Negative after a pool was made smaller.
    pub pools: BTreeMap<String, i64>,
    /// All slots by pool, free or not. Where a pool is absent, a big task of it does not hold back small ones.
    pub pool_sizes: BTreeMap<String, i64>,
    /// Pools whose free slots are kept for a big task that is next in line; written by [`hand_out`], so that it
    /// can be called page by page.
    pub held: BTreeSet<String>,
    /// In use per run.
    pub by_run: BTreeMap<RunKey, u32>,
    /// In use per DAG and task, all runs.
    pub by_task: BTreeMap<(DagId, TaskId), u32>,
    /// In use per run and task (map indexes).
    pub by_run_task: BTreeMap<(RunKey, TaskId), u32>,
}

/// What a person asks of one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Run these again, from the start.
    Clear { tasks: Selection, only_failed: bool },
    /// End the attempts of those that run, and run them again.
    ClearRunning { tasks: Selection },
    /// Say how these ended.
    MarkTasks { tasks: Selection, state: TaskState },
    /// Say how the run ended; running tasks are ended too.
    MarkRun { state: RunState },
    /// End the run: it failed, what is running is ended, what has not started is skipped.
    Cancel,
}

/// Which task instances an edit is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// `None` = all tasks of the run.
    pub tasks: Option<Vec<(TaskId, Option<i32>)>>,
    pub upstream: bool,
    pub downstream: bool,
}

/// Why an edit was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    #[error("task `{0}` is not in this DAG")]
    NoSuchTask(TaskId),
    #[error("task `{0}` has no map index {1} in this run")]
    NoSuchMapIndex(TaskId, i32),
    #[error("a task instance cannot be marked `{0}`; choose success, failed or skipped")]
    NotAMark(TaskState),
    #[error("a run cannot be marked `{0}`; choose success or failed")]
    NotARunMark(RunState),
}

/// Why a task instance is where it is. [`std::fmt::Display`] says it in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// A word for programs: `trigger_rule`, `depends_on_past`, `pool`, `retry`, …
    pub kind: &'static str,
    /// A sentence for people.
    pub text: String,
    /// The task it is about, if another one is to blame.
    pub task: Option<TaskIx>,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

pub mod create;
pub mod dispatch;
pub mod edit;
mod pass;
pub mod reason;
pub mod retry;
#[doc(hidden)]
pub mod testing;
pub mod trigger_rule;

pub use create::{due_runs, planned_runs};
pub use dispatch::{explain_dispatch, hand_out};
pub use edit::edit;
pub use pass::{decide, pauses_dag, start_runs};
pub use reason::explain;
