//! `decide`: one pass over one run.
//!
//! Four steps over the same working copy: what the attempts came to, whether the run is over before its time,
//! who may start (in topological order, so that a skip or a failure runs through the whole graph at once), and
//! whether the run has ended. What was decided becomes a [`Decision`] in [`Pass::into_decision`].
//!
//! `explain` runs the same pass and asks it about one task; see [`super::reason`].

mod attempts;
#[cfg(test)]
mod callbacks_tests;
mod starts;
#[cfg(test)]
mod tests;

pub(super) use attempts::{Pulse, end, pulse, restart};
use starts::SkippedBy;
pub(super) use starts::{Cause, PastBlock, Ruling};

use super::{Change, Decision, DueCallbacks, RunChange, RunView, trigger_rule::Tally};
use crate::{
    dag::{CallbackEvent, Dag, Task},
    id::TaskIx,
    run::{Attempt, DagRun, TaskInstance},
    state::{RunState, TaskState},
    time::Timestamp,
};

/// Says what should change in a run, and when to look again.
///
/// A run that is `queued` or has ended stays as it is; only attempts that nobody needs are cleaned up.
pub fn decide(view: &RunView<'_>, now: Timestamp) -> Decision {
    Pass::of(view, now).into_decision()
}

/// Says which of a DAG's queued runs (oldest first) may start while `running` others are under way, by position.
pub fn start_runs(dag: &Dag, queued: &[DagRun], running: u32) -> Vec<usize> {
    let free = usize::try_from(dag.max_active_runs.saturating_sub(running)).unwrap_or(usize::MAX);
    (0..queued.len().min(free)).collect()
}

/// Says whether a DAG is to be paused because its latest runs all failed. `last_states`: its runs that have
/// ended, newest first.
pub fn pauses_dag(dag: &Dag, last_states: &[RunState]) -> bool {
    let most = usize::try_from(dag.max_consecutive_failed_dag_runs).unwrap_or(usize::MAX);
    most > 0 && last_states.len() >= most && last_states[..most].iter().all(|&state| state == RunState::Failed)
}

/// The working copy of one pass.
pub(super) struct Pass<'a> {
    view: RunView<'a>,
    now: Timestamp,
    /// Positions in `view.tasks`, grouped by task.
    order: Vec<usize>,
    /// Where each task's group begins in `order`; one more than there are tasks.
    starts: Vec<usize>,
    /// What has changed so far, by position.
    next: Vec<Option<TaskInstance>>,
    /// Why, for those that need words.
    why: Vec<(usize, String)>,
    /// By task, as far as the pass has come.
    tallies: Vec<Tally>,
    skipped: Vec<Option<SkippedBy>>,
    /// What the DAG asks to be done.
    callbacks: Vec<DueCallbacks>,
    /// A task ended in failure in this very pass.
    has_failed: bool,
    run: Option<RunChange>,
    wake_at: Option<Timestamp>,
}

impl<'a> Pass<'a> {
    /// Makes a pass.
    pub(super) fn of(view: &RunView<'a>, now: Timestamp) -> Self {
        let mut pass = Self::new(view, now);
        if view.run.state == RunState::Running {
            pass.settle_attempts();
            pass.stop_early();
            let is_moving = pass.schedule();
            pass.end_run(is_moving);
            pass.call_back_run();
        }
        pass
    }

    /// The same, with counts and skips even when the run is not under way, for those who only look.
    pub(super) fn surveyed(view: &RunView<'a>, now: Timestamp) -> Self {
        let mut pass = Self::of(view, now);
        if view.run.state != RunState::Running {
            for ix in (0..view.dag.tasks.len()).map(TaskIx::from) {
                pass.count(ix);
                pass.mark_skips(ix);
            }
        }
        pass
    }

    fn new(view: &RunView<'a>, now: Timestamp) -> Self {
        let (order, starts) = group(view);
        Self {
            view: *view,
            now,
            order,
            starts,
            next: vec![None; view.tasks.len()],
            why: Vec::new(),
            tallies: vec![Tally::default(); view.dag.tasks.len()],
            skipped: vec![None; view.dag.tasks.len()],
            callbacks: Vec::new(),
            has_failed: false,
            run: None,
            wake_at: None,
        }
    }

    /// Returns a task instance as it will be.
    pub(super) fn instance(&self, at: usize) -> &TaskInstance {
        self.next[at].as_ref().unwrap_or(&self.view.tasks[at])
    }

    /// Returns the positions of a task's instances.
    pub(super) fn instances(&self, task: TaskIx) -> &[usize] {
        &self.order[self.starts[task.index()]..self.starts[task.index() + 1]]
    }

    /// Returns the count of a task's instances by state.
    pub(super) fn tally(&self, task: TaskIx) -> Tally {
        self.tallies[task.index()]
    }

    /// Returns how alive the attempt at a position is.
    pub(super) fn pulse(&self, at: usize) -> Pulse {
        pulse(self.attempt(at), self.now)
    }

    fn state(&self, at: usize) -> TaskState {
        self.instance(at).state
    }

    fn attempt(&self, at: usize) -> Option<&'a Attempt> {
        self.view.attempts.get(at).and_then(Option::as_ref)
    }

    /// Returns the task of a position, `None` when the DAG has no such task.
    fn task(&self, at: usize) -> Option<&'a Task> {
        self.view.dag.tasks.get(self.view.tasks[at].task.index())
    }

    fn edit(&mut self, at: usize) -> &mut TaskInstance {
        let before = &self.view.tasks[at];
        self.next[at].get_or_insert_with(|| before.clone())
    }

    fn explain(&mut self, at: usize, why: impl Into<String>) {
        self.why.push((at, why.into()));
    }

    /// Notes that what its DAG asks for at this point of a task is due. As in Airflow, that is what its execution
    /// comes to, not what its upstream tasks or a person decide about it.
    fn call_back(&mut self, at: usize, event: CallbackEvent, exception: &str) {
        let is_asked = self.task(at).is_some_and(|task| self.view.dag.calls_back_of(task, event));
        if is_asked {
            let (number, exception) = (self.instance(at).try_number, exception.to_owned());
            self.callbacks.push(DueCallbacks { event, at: Some(at), number, exception });
        }
    }

    /// The same for the end of the run.
    fn call_back_run(&mut self) {
        let Some(change) = &self.run else { return };
        let event = match change.to {
            RunState::Success => CallbackEvent::Success,
            RunState::Failed => CallbackEvent::Failure,
            RunState::Queued | RunState::Running => return,
        };
        if self.view.dag.calls_back(event) {
            let (number, exception) = (self.view.run.clear_number, change.why.clone());
            self.callbacks.push(DueCallbacks { event, at: None, number, exception });
        }
    }

    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    // Step 2: is the run over before its time?

    fn stop_early(&mut self) {
        if self.view.dag.fail_fast && self.has_failed {
            self.stop_tasks(TaskState::Failed, "another task failed, and `fail_fast` is set");
        }
        let Some(limit) = self.view.dag.dagrun_timeout.zip(self.view.run.started_at) else { return };
        let deadline = limit.1 + limit.0;
        if (0..self.view.tasks.len()).all(|at| self.state(at).is_finished()) {
            return;
        }
        if self.now < deadline {
            self.wake(deadline);
            return;
        }
        self.stop_tasks(TaskState::Skipped, "the run took longer than `dagrun_timeout`");
        self.end_as(RunState::Failed, "it took longer than `dagrun_timeout`");
    }

    /// Ends what runs in `running`, and skips the rest.
    fn stop_tasks(&mut self, running: TaskState, why: &str) {
        for at in 0..self.view.tasks.len() {
            if self.state(at).is_finished() {
                continue;
            }
            let is_running = matches!(self.state(at), TaskState::Running | TaskState::Restarting);
            self.end(at, if is_running { running } else { TaskState::Skipped }, self.now);
            self.explain(at, why);
        }
    }

    // Step 4: has the run ended?

    fn end_run(&mut self, is_moving: bool) {
        let tasks = 0..self.view.tasks.len();
        if self.run.is_some() {
            return;
        }
        if !tasks.clone().all(|at| self.state(at).is_finished()) {
            if !is_moving {
                self.stop_tasks(TaskState::Failed, "no task of this run can ever start");
                self.end_as(RunState::Failed, "deadlock: no task of this run can ever start");
            }
            return;
        }
        let is_leaf = |at: usize| self.task(at).is_some_and(|task| task.downstream.is_empty());
        let broken = tasks.filter(|&at| is_leaf(at)).find(|&at| self.state(at).is_failure());
        match broken {
            None => self.end_as(RunState::Success, ""),
            Some(at) => {
                let id = &self.view.dag.task(self.view.tasks[at].task).id;
                let why = format!("`{id}` is {}", self.state(at));
                self.end_as(RunState::Failed, &why);
            }
        }
    }

    fn end_as(&mut self, to: RunState, why: &str) {
        self.run = Some(RunChange { from: self.view.run.state, to, why: why.to_owned() });
    }

    /// Returns the run's state as it will be.
    pub(super) fn run_state(&self) -> RunState {
        self.run.as_ref().map_or(self.view.run.state, |change| change.to)
    }

    // What was decided.

    pub(super) fn into_decision(mut self) -> Decision {
        let (given_up, settled) = self.clean_up();
        // A run that is stopped takes back the next try that had just been promised.
        let stands = |due: &DueCallbacks| {
            due.event != CallbackEvent::Retry || due.at.is_none_or(|at| !self.state(at).is_finished())
        };
        let callbacks = self.callbacks.iter().filter(|due| stands(due)).cloned().collect();
        if self.run_state().is_finished() {
            // Only what is left of its attempts still asks for a look.
            self.wake_at = None;
            for at in 0..self.view.tasks.len() {
                self.wake_for_lease(at);
            }
        }
        let mut why = vec![String::new(); if self.why.is_empty() { 0 } else { self.view.tasks.len() }];
        for (at, text) in self.why.drain(..) {
            why[at] = text;
        }
        let mut changes = Vec::new();
        for (at, to) in self.next.into_iter().enumerate() {
            let before = &self.view.tasks[at];
            if let Some(to) = to.filter(|to| to != before) {
                let why = why.get_mut(at).map(std::mem::take).unwrap_or_default();
                changes.push(Change { at, from: before.state, to, why });
            }
        }
        let wake_next_run = matters_to_next_run(&self.view, &changes);
        Decision { changes, run: self.run, given_up, settled, wake_at: self.wake_at, wake_next_run, callbacks }
    }
}

/// Says whether the next run of the DAG may depend on one of these changes.
pub(super) fn matters_to_next_run(view: &RunView<'_>, changes: &[Change]) -> bool {
    let asks = |task: &Task| task.depends_on_past || task.wait_for_downstream;
    changes.iter().filter(|change| change.from != change.to.state && change.to.state.is_finished()).any(|change| {
        view.dag
            .tasks
            .get(change.to.task.index())
            .is_some_and(|task| asks(task) || task.upstream.iter().any(|&up| view.dag.task(up).wait_for_downstream))
    })
}

/// Groups the positions of the task instances by task, whatever their order, in linear time.
fn group(view: &RunView<'_>) -> (Vec<usize>, Vec<usize>) {
    let count = view.dag.tasks.len();
    let place = |instance: &TaskInstance| Some(instance.task.index()).filter(|&ix| ix < count);
    let mut starts = vec![0; count + 1];
    for ix in view.tasks.iter().filter_map(place) {
        starts[ix + 1] += 1;
    }
    for ix in 0..count {
        starts[ix + 1] += starts[ix];
    }
    let mut free = starts.clone();
    let mut order = vec![0; starts[count]];
    for (at, ix) in view.tasks.iter().enumerate().filter_map(|(at, instance)| Some((at, place(instance)?))) {
        order[free[ix]] = at;
        free[ix] += 1;
    }
    (order, starts)
}
