//! Who may start: the step of a pass that goes through the graph in topological order.

use super::{Pass, Pulse, end};
use crate::{
    dag::{CallbackEvent, Task},
    engine::trigger_rule::{Tally, Verdict, judge},
    id::{TaskId, TaskIx},
    run::{DagRun, Skips},
    state::{RunType, TaskState},
};

/// What stands between a task and its start, as far as its run knows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) enum Ruling {
    /// Its trigger rule says that it is too early.
    Wait,
    /// The run before this one has not come far enough.
    Past(PastBlock),
    /// It may start.
    Run,
    /// It never will.
    Settle(TaskState, Cause),
}

/// Why a task never starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Cause {
    /// Its trigger rule.
    Rule,
    /// This task decided so.
    SkippedBy(TaskIx),
    /// The run's logical date is outside the task's dates.
    Date,
}

/// What is missing in the run before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum PastBlock {
    /// The same task.
    Task(TaskState),
    /// A task directly downstream of it.
    Downstream(TaskIx, TaskState),
}

/// Who skipped a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct SkippedBy {
    task: TaskIx,
    /// It skipped everything downstream of itself.
    all: bool,
}

impl Pass<'_> {
    /// Judges every task that has not started. Says whether anything may still move by itself.
    pub(super) fn schedule(&mut self) -> bool {
        let mut is_moving = false;
        for ix in (0..self.view.dag.tasks.len()).map(TaskIx::from) {
            self.count(ix);
        }
        for ix in (0..self.view.dag.tasks.len()).map(TaskIx::from) {
            let mut ruling = None;
            let (start, end) = (self.starts[ix.index()], self.starts[ix.index() + 1]);
            for place in start..end {
                let at = self.order[place];
                if self.may_be_judged(at) {
                    let ruling = ruling.get_or_insert_with(|| self.ruling(ix));
                    is_moving |= self.follow(at, &self.view.dag.tasks[ix.index()], ruling);
                } else {
                    is_moving |= !self.state(at).is_finished();
                }
            }
            if ruling.is_some() {
                self.count(ix);
            }
            self.mark_skips(ix);
        }
        is_moving
    }

    pub(super) fn count(&mut self, ix: TaskIx) {
        self.tallies[ix.index()] = Tally::of(self.instances(ix).iter().map(|&at| self.state(at)));
    }

    /// Says whether the upstream tasks may still decide about a task instance. What already has its slots, or
    /// waits for them, can only be skipped by a task that decides about its downstream.
    fn may_be_judged(&self, at: usize) -> bool {
        use TaskState::*;
        match self.state(at) {
            NoStatus | UpForRetry | UpForReschedule => true,
            Scheduled => self.skipper(at).is_some(),
            Queued => self.skipper(at).is_some() && self.pulse(at) != Pulse::Alive,
            Running | Success | Failed | Skipped | UpstreamFailed | Deferred | AwaitingInput | Restarting | Removed => {
                false
            }
        }
    }

    fn skipper(&self, at: usize) -> Option<SkippedBy> {
        self.skipped.get(self.view.tasks[at].task.index()).copied().flatten()
    }

    /// Says what stands between a task and its start.
    pub(in crate::engine) fn ruling(&self, ix: TaskIx) -> Ruling {
        let task = self.view.dag.task(ix);
        if !is_meant_for(task, self.view.run) {
            return Ruling::Settle(TaskState::Removed, Cause::Date);
        }
        if let Some(by) = self.skipped[ix.index()] {
            return Ruling::Settle(TaskState::Skipped, Cause::SkippedBy(by.task));
        }
        match judge(task.trigger_rule, self.upstream(task)) {
            Verdict::Wait => Ruling::Wait,
            Verdict::Settle(state) => Ruling::Settle(state, Cause::Rule),
            Verdict::Run => self.past_block(task).map_or(Ruling::Run, Ruling::Past),
        }
    }

    /// Counts a task's upstream task instances.
    pub(in crate::engine) fn upstream(&self, task: &Task) -> Tally {
        let mut sum = Tally::default();
        for up in &task.upstream {
            sum += self.tallies[up.index()];
        }
        sum
    }

    /// A task that the run before did not have, or not for its date, blocks nothing: this is its first time.
    fn past_block(&self, task: &Task) -> Option<PastBlock> {
        use TaskState::*;
        if !task.depends_on_past && !task.wait_for_downstream {
            return None;
        }
        let previous = self.view.previous?;
        let missing =
            |id: &TaskId| previous.tasks.get(id).filter(|state| !matches!(state, Success | Skipped | Removed));
        if let Some(&state) = missing(&task.id) {
            return Some(PastBlock::Task(state));
        }
        if !task.wait_for_downstream || !previous.tasks.contains_key(&task.id) {
            return None;
        }
        task.downstream
            .iter()
            .find_map(|&down| missing(&self.view.dag.task(down).id).map(|&state| PastBlock::Downstream(down, state)))
    }

    /// Moves a task instance as its ruling says. Says whether it may still move by itself.
    fn follow(&mut self, at: usize, task: &Task, ruling: &Ruling) -> bool {
        match ruling {
            Ruling::Wait => return false,
            Ruling::Past(_) => return true,
            Ruling::Settle(state, cause) => {
                self.end(at, *state, self.now);
                if let Cause::SkippedBy(by) = cause {
                    let text = format!("skipped by `{}`", self.view.dag.task(*by).id);
                    self.explain(at, text);
                }
                return false;
            }
            Ruling::Run => {}
        }
        let due = self.instance(at).next_at;
        if let Some(due) = due.filter(|&due| self.now < due) {
            self.wake(due);
            return true;
        }
        if self.pulse(at) == Pulse::Alive {
            return true;
        }
        let now = self.now;
        let instance = self.edit(at);
        let goes_on = instance.state == TaskState::UpForReschedule;
        instance.next_at = None;
        instance.ended_at = None;
        if !goes_on {
            instance.try_number = instance.try_number.saturating_add(1);
            instance.started_at = None;
        }
        instance.state = TaskState::Scheduled;
        if task.is_inline {
            instance.started_at = Some(now);
            end(instance, TaskState::Success, now);
            self.call_back(at, CallbackEvent::Success, "");
        }
        !task.is_inline
    }

    /// Notes whom a task's instances skip.
    pub(super) fn mark_skips(&mut self, ix: TaskIx) {
        let task = self.view.dag.task(ix);
        if self.skipped[ix.index()].is_some_and(|by| by.all) {
            self.skip_all(task, self.skipped[ix.index()].expect("checked above").task);
        }
        for place in self.starts[ix.index()]..self.starts[ix.index() + 1] {
            let at = self.order[place];
            let instance = self.next[at].as_ref().unwrap_or(&self.view.tasks[at]);
            if instance.state != TaskState::Success {
                continue;
            }
            match &instance.skips {
                Skips::None => {}
                Skips::Everything => self.skip_all(task, ix),
                Skips::AllBut(follow) => {
                    let mut follow: Vec<&TaskId> = follow.iter().collect();
                    follow.sort_unstable();
                    for &down in &task.downstream {
                        if follow.binary_search(&&self.view.dag.task(down).id).is_err() {
                            self.skipped[down.index()].get_or_insert(SkippedBy { task: ix, all: false });
                        }
                    }
                }
            }
        }
    }

    fn skip_all(&mut self, task: &Task, by: TaskIx) {
        for &down in &task.downstream {
            match &mut self.skipped[down.index()] {
                Some(SkippedBy { all: true, .. }) => {}
                slot => *slot = Some(SkippedBy { task: by, all: true }),
            }
        }
    }
}

/// Says whether a task takes part in a run of this date. A backfill takes every task, as in Airflow.
fn is_meant_for(task: &Task, run: &DagRun) -> bool {
    run.run_type == RunType::Backfill
        || run.logical_date.is_none_or(|date| {
            task.start_date.is_none_or(|start| start <= date) && task.end_date.is_none_or(|end| date <= end)
        })
}
