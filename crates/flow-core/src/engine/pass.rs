//! `decide`: one pass over one run.
//!
//! Four steps over the same working copy: what the attempts came to, whether the run is over before its time,
//! who may start (in topological order, so that a skip or a failure runs through the whole graph at once), and
//! whether the run has ended. What was decided becomes a [`Decision`] in [`Pass::into_decision`].
//!
//! `explain` runs the same pass and asks it about one task; see [`super::reason`].

use crate::{
    dag::{Dag, Task},
    engine::{
        Change, Decision, RunChange, RunView, retry,
        trigger_rule::{Tally, Verdict, judge},
    },
    id::{TaskId, TaskIx},
    run::{Attempt, DagRun, Failure, Outcome, Skips, TaskInstance},
    state::{RunState, RunType, TaskState},
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

/// What stands between a task and its start, as far as its run knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ruling {
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
pub(super) enum Cause {
    /// Its trigger rule.
    Rule,
    /// This task decided so.
    SkippedBy(TaskIx),
    /// The run's logical date is outside the task's dates.
    Date,
}

/// What is missing in the run before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PastBlock {
    /// The same task.
    Task(TaskState),
    /// A task directly downstream of it.
    Downstream(TaskIx, TaskState),
}

/// How alive an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulse {
    /// There is none, or it has ended.
    None,
    /// It waits for a worker.
    Unclaimed,
    /// A worker is believed to be at it.
    Alive,
    /// Its worker fell silent.
    Expired,
}

/// Says how alive an attempt is.
pub(super) fn pulse(attempt: Option<&Attempt>, now: Timestamp) -> Pulse {
    match attempt {
        Some(Attempt { outcome: None, is_claimed: false, .. }) => Pulse::Unclaimed,
        Some(Attempt { outcome: None, lease_until: Some(until), .. }) if *until <= now => Pulse::Expired,
        Some(Attempt { outcome: None, .. }) => Pulse::Alive,
        Some(Attempt { outcome: Some(_), .. }) | None => Pulse::None,
    }
}

/// Who skipped a task.
#[derive(Clone, Copy, Debug)]
struct SkippedBy {
    task: TaskIx,
    /// It skipped everything downstream of itself.
    all: bool,
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

    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    // Step 1: what the attempts came to.

    fn settle_attempts(&mut self) {
        use TaskState::*;
        for at in 0..self.view.tasks.len() {
            match (self.view.tasks[at].state, self.task(at)) {
                (state, None) => {
                    if !state.is_finished() {
                        self.end(at, Removed, self.now);
                    }
                }
                (Queued | Running, Some(task)) => self.settle_attempt(at, task),
                (Restarting, Some(_)) => {
                    if self.pulse(at) != Pulse::Alive {
                        restart(self.edit(at));
                    }
                }
                (
                    NoStatus | Scheduled | Success | Failed | Skipped | UpstreamFailed | UpForRetry | UpForReschedule
                    | Deferred | AwaitingInput | Removed,
                    Some(_),
                ) => {}
            }
        }
    }

    fn settle_attempt(&mut self, at: usize, task: &Task) {
        let before = &self.view.tasks[at];
        let Some(attempt) = self.attempt(at) else {
            // `queued` without an attempt waits for a worker; `running` without one cannot go on.
            if before.state == TaskState::Running {
                self.lose(at, "no worker has it", self.now);
            }
            return;
        };
        match (&attempt.outcome, self.pulse(at)) {
            // Left over from an earlier try: it says nothing about this one.
            (Some(_), _) if attempt.try_number != before.try_number => {
                self.lose(at, "no worker has it", self.now);
            }
            (Some(outcome), _) => self.settle_outcome(at, task, attempt, outcome),
            (None, Pulse::Expired) => self.lose(at, "its worker fell silent", self.now),
            (None, Pulse::Unclaimed) if before.state == TaskState::Running => {
                self.lose(at, "no worker has it", self.now);
            }
            (None, Pulse::None | Pulse::Unclaimed | Pulse::Alive) => {}
        }
    }

    fn settle_outcome(&mut self, at: usize, task: &Task, attempt: &Attempt, outcome: &Outcome) {
        use TaskState::*;
        // A worker whose clock is ahead must not put off a retry.
        let ended = attempt.ended_at.map_or(self.now, |ended| ended.min(self.now));
        let started = attempt.started_at;
        let instance = self.edit(at);
        instance.started_at = instance.started_at.or(started);
        match outcome {
            Outcome::Success => self.end(at, Success, ended),
            Outcome::Branch { follow } => {
                let followed = followed(self.view.dag, task, follow);
                self.edit(at).skips = Skips::AllBut(followed);
                self.end(at, Success, ended);
            }
            Outcome::ShortCircuit { ignore_trigger_rules } => {
                self.edit(at).skips = if *ignore_trigger_rules { Skips::Everything } else { Skips::AllBut(Vec::new()) };
                self.end(at, Success, ended);
            }
            Outcome::Skipped => self.end(at, Skipped, ended),
            Outcome::Reschedule { at: due } => {
                let instance = self.edit(at);
                instance.state = UpForReschedule;
                instance.next_at = Some(*due);
                instance.ended_at = None;
            }
            Outcome::Failed { failure } => self.fail(at, task, failure, ended),
            Outcome::Cancelled => self.lose(at, "it was ended from outside", ended),
            Outcome::Lost { why } => self.lose(at, why, ended),
        }
    }

    /// The try failed.
    fn fail(&mut self, at: usize, task: &Task, failure: &Failure, ended: Timestamp) {
        let before = &self.view.tasks[at];
        if before.try_number <= before.max_tries && retry::is_worthwhile(&task.retry, failure) {
            let date = self.view.run.logical_date.map(|date| date.to_string());
            let date = date.as_deref().unwrap_or(self.view.run.run_id.as_str());
            let salt = [self.view.dag.id.as_str(), task.id.as_str(), date];
            self.retry(at, ended, ended + retry::delay(&task.retry, before.try_number, &salt));
        } else {
            self.has_failed = true;
            self.end(at, TaskState::Failed, ended);
        }
        self.explain(at, failure.message.as_str());
    }

    /// The try was lost, through no fault of the task.
    fn lose(&mut self, at: usize, why: &str, ended: Timestamp) {
        let most = self.view.max_infrastructure_retries;
        if self.view.tasks[at].lost >= most {
            self.has_failed = true;
            self.end(at, TaskState::Failed, ended);
            self.explain(at, format!("{why}; {most} tries were lost before"));
            return;
        }
        let instance = self.edit(at);
        instance.lost += 1;
        instance.max_tries = instance.max_tries.saturating_add(1);
        self.retry(at, ended, self.now);
        self.explain(at, format!("{why}; it is tried again"));
    }

    fn retry(&mut self, at: usize, ended: Timestamp, due: Timestamp) {
        let instance = self.edit(at);
        instance.state = TaskState::UpForRetry;
        instance.ended_at = Some(ended);
        instance.next_at = Some(due);
    }

    fn end(&mut self, at: usize, state: TaskState, ended: Timestamp) {
        end(self.edit(at), state, ended);
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

    // Step 3: who may start?

    /// Judges every task that has not started. Says whether anything may still move by itself.
    fn schedule(&mut self) -> bool {
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

    fn count(&mut self, ix: TaskIx) {
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
    pub(super) fn ruling(&self, ix: TaskIx) -> Ruling {
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
    pub(super) fn upstream(&self, task: &Task) -> Tally {
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
        }
        !task.is_inline
    }

    /// Notes whom a task's instances skip.
    fn mark_skips(&mut self, ix: TaskIx) {
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
        Decision { changes, run: self.run, given_up, settled, wake_at: self.wake_at, wake_next_run }
    }

    /// Finds attempts that are over: given up from outside, or with an outcome that has been dealt with.
    fn clean_up(&mut self) -> (Vec<usize>, Vec<usize>) {
        use TaskState::{Queued, Restarting, Running};
        let (mut given_up, mut settled) = (Vec::new(), Vec::new());
        for at in 0..self.view.tasks.len() {
            let Some(attempt) = self.attempt(at) else { continue };
            // In a run that is not under way, what belongs to an active task instance is left for later.
            let is_active = matches!(self.view.tasks[at].state, Queued | Running | Restarting);
            if is_active && self.view.run.state != RunState::Running {
                continue;
            }
            match self.pulse(at) {
                Pulse::None => settled.extend(attempt.outcome.is_some().then_some(at)),
                Pulse::Expired => given_up.push(at),
                Pulse::Unclaimed if self.state(at) != Queued => given_up.push(at),
                Pulse::Unclaimed => {}
                Pulse::Alive => self.wake_for_lease(at),
            }
        }
        (given_up, settled)
    }

    fn wake_for_lease(&mut self, at: usize) {
        if self.pulse(at) == Pulse::Alive
            && let Some(until) = self.attempt(at).and_then(|attempt| attempt.lease_until)
        {
            self.wake(until);
        }
    }
}

/// Ends a task instance.
pub(super) fn end(instance: &mut TaskInstance, state: TaskState, ended: Timestamp) {
    instance.state = state;
    instance.ended_at = Some(ended);
    instance.next_at = None;
}

/// Takes a task instance back to its beginning; the count of tries goes on.
pub(super) fn restart(instance: &mut TaskInstance) {
    instance.state = TaskState::NoStatus;
    instance.next_at = None;
    instance.started_at = None;
    instance.ended_at = None;
    instance.skips = Skips::None;
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

/// Says whether a task takes part in a run of this date. A backfill takes every task, as in Airflow.
fn is_meant_for(task: &Task, run: &DagRun) -> bool {
    run.run_type == RunType::Backfill
        || run.logical_date.is_none_or(|date| {
            task.start_date.is_none_or(|start| start <= date) && task.end_date.is_none_or(|end| date <= end)
        })
}

/// Names the direct downstream tasks that go on after a branch: those it follows, and those that are
/// downstream of what it follows, so that a join beside its branch is not skipped.
fn followed(dag: &Dag, task: &Task, follow: &[TaskId]) -> Vec<TaskId> {
    let Some(last) = task.downstream.last() else { return Vec::new() };
    let mut names: Vec<&TaskId> = follow.iter().collect();
    names.sort_unstable();
    let mut reached = vec![false; last.index() + 1];
    for ix in 0..reached.len() {
        let candidate = &dag.tasks[ix];
        reached[ix] = names.binary_search(&&candidate.id).is_ok()
            || candidate.upstream.iter().any(|up| reached.get(up.index()).is_some_and(|&is_reached| is_reached));
    }
    task.downstream.iter().filter(|down| reached[down.index()]).map(|&down| dag.task(down).id.clone()).collect()
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

#[cfg(test)]
mod tests;
