//! Who is told what a transaction has changed, once it has: for metrics and traces.
//!
//! What was dropped, or done again because another process was faster, is told once or not at all. A witness is told
//! after everything is done and must not wait.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use flow_core::{DagId, RunKey, RunState, RunType, TaskId, TaskState, Timestamp};

use crate::{AttemptKey, RunDecision, TaskSeed};

/// Is told what has happened.
pub trait Witness: fmt::Debug + Send + Sync {
    /// A transaction of this process has committed. `took`: from its beginning to its end.
    fn committed(&self, happened: &[Happening], took: Duration);
}

/// All who are told.
#[derive(Debug)]
pub(crate) struct Witnesses(pub(crate) Vec<Arc<dyn Witness>>);

/// Something that was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    RunCreated {
        dag_id: DagId,
        run_type: RunType,
        /// Its task instances, by operator.
        tasks: BTreeMap<String, u64>,
    },
    RunStarted {
        dag_id: DagId,
        /// How late, for the first start of a run that the timetable made.
        late: Option<Duration>,
    },
    RunEnded {
        run: RunKey,
        dag_id: DagId,
        state: RunState,
        took: Duration,
        /// From its start to that of its first task.
        first_task: Option<Duration>,
        /// How late the first task started, when the timetable made the run.
        first_task_late: Option<Duration>,
    },
    /// A task instance got its slots.
    TaskQueued { dag_id: DagId, task_id: TaskId, waited: Duration },
    /// A worker took a task instance.
    TaskStarted { dag_id: DagId, task_id: TaskId, waited: Duration },
    /// Any other move of a task instance.
    TaskMoved {
        dag_id: DagId,
        task_id: TaskId,
        /// Empty when its DAG has no such task.
        operator: String,
        from: TaskState,
        to: TaskState,
        /// By a try that ended, or by the scheduler itself for operators that need no worker; otherwise by somebody's hand
        /// or by what became of others.
        is_own: bool,
        /// How long the try took.
        took: Option<Duration>,
    },
    /// Tries that workers had taken ended, or were given up; a sensor that looks again later is still at its try.
    TriesEnded(Vec<AttemptKey>),
    /// A try to do a callback ended.
    CallbackTried {
        dag_id: DagId,
        has_failed: bool,
        /// There is no other try.
        is_over: bool,
    },
    /// Tries were given up because their worker is silent.
    TriesLost(u64),
    /// Tries were taken from workers that are gone.
    TriesOrphaned(u64),
}

/// Counts task instances by operator.
pub(crate) fn by_operator(seeds: &[TaskSeed]) -> BTreeMap<String, u64> {
    let mut tasks: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds {
        match tasks.get_mut(seed.operator()) {
            Some(number) => *number += 1,
            None => drop(tasks.insert(seed.operator().to_owned(), 1)),
        }
    }
    tasks
}

impl RunDecision<'_> {
    /// Returns what happens when this decision is carried out.
    pub(crate) fn happenings(&self, now: Timestamp) -> impl Iterator<Item = Happening> {
        let run = self.run;
        let is_timetables = run.run_type == RunType::Scheduled && run.clear_number == 0;
        let of_run = match self.becomes() {
            Some(RunState::Running) => {
                let late = is_timetables.then(|| now.since(run.run_after));
                Some(Happening::RunStarted { dag_id: run.dag_id.clone(), late })
            }
            Some(state @ (RunState::Success | RunState::Failed)) => Some(Happening::RunEnded {
                run: run.key,
                dag_id: run.dag_id.clone(),
                state,
                took: run.started_at.map(|started| now.since(started)).unwrap_or_default(),
                first_task: run.started_at.and_then(|started| Some(self.first_start?.since(started))),
                first_task_late: self.first_start.filter(|_| is_timetables).map(|first| first.since(run.run_after)),
            }),
            Some(RunState::Queued) | None => None,
        };
        self.happened.iter().cloned().chain(of_run)
    }
}
