//! What the attempts of a run came to: the first step of a pass, and what is left of them at its end.

use super::Pass;
use crate::{
    dag::{CallbackEvent, Task},
    engine::{GONE, retry},
    run::{Attempt, Failure, Outcome, Skips, TaskInstance},
    state::{RunState, TaskState},
    time::Timestamp,
};

/// How alive an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Pulse {
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
pub(in crate::engine) fn pulse(attempt: Option<&Attempt>, now: Timestamp) -> Pulse {
    match attempt {
        Some(Attempt { outcome: None, is_claimed: false, .. }) => Pulse::Unclaimed,
        Some(Attempt { outcome: None, lease_until: Some(until), .. }) if *until <= now => Pulse::Expired,
        Some(Attempt { outcome: None, .. }) => Pulse::Alive,
        Some(Attempt { outcome: Some(_), .. }) | None => Pulse::None,
    }
}

impl Pass<'_> {
    pub(super) fn settle_attempts(&mut self) {
        use TaskState::*;
        for at in 0..self.view.tasks.len() {
            match (self.view.tasks[at].state, self.task(at)) {
                (state, None) => {
                    if !state.is_finished() {
                        self.end(at, Removed, self.now);
                        self.explain(at, GONE);
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
            Outcome::Success => self.succeed(at, ended),
            Outcome::Branch { follow } => {
                let followed = self.view.dag.followed(task, follow);
                self.edit(at).skips = Skips::AllBut(followed);
                self.succeed(at, ended);
            }
            Outcome::ShortCircuit { ignore_trigger_rules } => {
                self.edit(at).skips = if *ignore_trigger_rules { Skips::Everything } else { Skips::AllBut(Vec::new()) };
                self.succeed(at, ended);
            }
            Outcome::Skipped => {
                self.end(at, Skipped, ended);
                self.call_back(at, CallbackEvent::Skipped, "");
            }
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

    fn succeed(&mut self, at: usize, ended: Timestamp) {
        self.end(at, TaskState::Success, ended);
        self.call_back(at, CallbackEvent::Success, "");
    }

    /// The try failed.
    fn fail(&mut self, at: usize, task: &Task, failure: &Failure, ended: Timestamp) {
        let before = &self.view.tasks[at];
        if before.try_number <= before.max_tries && retry::is_worthwhile(&task.retry, failure) {
            let date = self.view.run.logical_date.map(|date| date.to_string());
            let date = date.as_deref().unwrap_or(self.view.run.run_id.as_str());
            let salt = [self.view.dag.id.as_str(), task.id.as_str(), date];
            self.retry(at, ended, ended + retry::pause(&task.retry, failure, before.try_number, &salt));
            self.call_back(at, CallbackEvent::Retry, &failure.message);
        } else {
            self.has_failed = true;
            self.end(at, TaskState::Failed, ended);
            self.call_back(at, CallbackEvent::Failure, &failure.message);
        }
        self.explain(at, failure.message.as_str());
    }

    /// The try was lost, through no fault of the task.
    fn lose(&mut self, at: usize, why: &str, ended: Timestamp) {
        let most = self.view.max_infrastructure_retries;
        if self.view.tasks[at].lost >= most {
            self.has_failed = true;
            self.end(at, TaskState::Failed, ended);
            let why = format!("{why}; {most} tries were lost before");
            self.call_back(at, CallbackEvent::Failure, &why);
            self.explain(at, why);
            return;
        }
        let instance = self.edit(at);
        instance.lost += 1;
        instance.max_tries = instance.max_tries.saturating_add(1);
        self.retry(at, ended, self.now);
        self.call_back(at, CallbackEvent::Retry, why);
        self.explain(at, format!("{why}; it is tried again"));
    }

    fn retry(&mut self, at: usize, ended: Timestamp, due: Timestamp) {
        let instance = self.edit(at);
        instance.state = TaskState::UpForRetry;
        instance.ended_at = Some(ended);
        instance.next_at = Some(due);
    }

    pub(super) fn end(&mut self, at: usize, state: TaskState, ended: Timestamp) {
        end(self.edit(at), state, ended);
    }

    /// Finds attempts that are over: given up from outside, or with an outcome that has been dealt with.
    pub(super) fn clean_up(&mut self) -> (Vec<usize>, Vec<usize>) {
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

    pub(super) fn wake_for_lease(&mut self, at: usize) {
        if self.pulse(at) == Pulse::Alive
            && let Some(until) = self.attempt(at).and_then(|attempt| attempt.lease_until)
        {
            self.wake(until);
        }
    }
}

/// Ends a task instance.
pub(in crate::engine) fn end(instance: &mut TaskInstance, state: TaskState, ended: Timestamp) {
    instance.state = state;
    instance.ended_at = Some(ended);
    instance.next_at = None;
}

/// Takes a task instance back to its beginning; the count of tries goes on.
pub(in crate::engine) fn restart(instance: &mut TaskInstance) {
    instance.state = TaskState::NoStatus;
    instance.next_at = None;
    instance.started_at = None;
    instance.ended_at = None;
    instance.skips = Skips::None;
}
