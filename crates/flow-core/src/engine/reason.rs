//! `explain`: why is a task instance where it is?
//!
//! Runs the very pass that [`super::decide`] runs and puts its answer into words, so that "why is this not
//! running?" cannot disagree with what the scheduler does. What is known only outside the run (how full a pool
//! is) comes from [`super::explain_dispatch`].

use jiff::tz::TimeZone;

use super::{
    GONE, Reason, RunView,
    pass::{Cause, Pass, PastBlock, Pulse, Ruling},
    trigger_rule,
};
use crate::{
    dag::Task,
    id::TaskIx,
    run::TaskInstance,
    state::{RunState, TaskState, TriggerRule},
    time::Timestamp,
};

/// How many tasks a sentence names before it only counts them.
const NAMES_MAX: usize = 3;

/// Says why the task instance at a position of the view is where it is. Never empty for a position that exists.
pub fn explain(view: &RunView<'_>, at: usize, now: Timestamp) -> Vec<Reason> {
    let Some(before) = view.tasks.get(at) else { return Vec::new() };
    let Some(task) = view.dag.tasks.get(before.task.index()) else {
        return vec![reason("removed", format!("removed: {GONE}"))];
    };
    let teller = Teller { view, pass: Pass::surveyed(view, now), now, zone: zone(view), task, at };
    teller.tell(before)
}

struct Teller<'a> {
    view: &'a RunView<'a>,
    pass: Pass<'a>,
    now: Timestamp,
    zone: TimeZone,
    task: &'a Task,
    at: usize,
}

impl Teller<'_> {
    fn tell(&self, before: &TaskInstance) -> Vec<Reason> {
        let after = self.pass.instance(self.at);
        if before.state.is_finished() {
            return vec![self.finished(before)];
        }
        if self.view.run.state == RunState::Queued {
            let most = self.view.dag.max_active_runs;
            let text =
                format!("waiting: its run is queued until fewer than {most} runs are active (`max_active_runs`)");
            return vec![reason("run_queued", text)];
        }
        if self.view.run.state.is_finished() {
            return vec![reason("run_finished", "stopped: its run has ended")];
        }
        if before.state != after.state {
            let mut reasons = vec![reason("next_pass", format!("about to become `{}`", after.state))];
            if after.state.is_finished() {
                reasons.push(self.finished(after));
            }
            return reasons;
        }
        let mut reasons = vec![self.unfinished(before)];
        if self.is_due_later(before) && self.pass.ruling(before.task) != Ruling::Run {
            // The time alone will not start it: its upstream, or the run before, has changed since.
            reasons.push(self.not_started(before));
        }
        reasons
    }

    fn is_due_later(&self, instance: &TaskInstance) -> bool {
        matches!(instance.state, TaskState::UpForRetry | TaskState::UpForReschedule)
            && instance.next_at.is_some_and(|due| self.now < due)
    }

    fn unfinished(&self, instance: &TaskInstance) -> Reason {
        match instance.state {
            TaskState::NoStatus => self.not_started(instance),
            TaskState::UpForRetry | TaskState::UpForReschedule => match instance.next_at {
                Some(due) if self.now < due => self.due(instance, due),
                Some(_) | None => self.not_started(instance),
            },
            TaskState::Scheduled => reason(
                "pool",
                format!("waiting: it may start as soon as pool `{}` and the limits allow", self.task.pool),
            ),
            TaskState::Queued => {
                let text =
                    format!("waiting: it has its slots; no worker of queue `{}` has taken it yet", self.task.queue);
                reason("worker", text)
            }
            TaskState::Running => {
                let since =
                    instance.started_at.map_or(String::new(), |started| format!(", since {}", self.clock(started)));
                reason("running", format!("running: {}{since}", tries(instance)))
            }
            TaskState::Restarting => {
                reason("restarting", "waiting: it was cleared, and its attempt is being ended before it starts afresh")
            }
            TaskState::Deferred => reason("deferred", "waiting: for an event outside"),
            TaskState::AwaitingInput => reason("awaiting_input", "waiting: for a person"),
            TaskState::Success
            | TaskState::Failed
            | TaskState::Skipped
            | TaskState::UpstreamFailed
            | TaskState::Removed => self.finished(instance),
        }
    }

    fn due(&self, instance: &TaskInstance, due: Timestamp) -> Reason {
        let due = self.clock(due);
        if instance.state == TaskState::UpForReschedule {
            return reason("reschedule", format!("waiting: it looks again at {due}"));
        }
        let (next, most) = (instance.try_number.saturating_add(1), instance.max_tries.saturating_add(1));
        reason("retry", format!("waiting: try {next} of {most} starts at {due}"))
    }

    fn not_started(&self, instance: &TaskInstance) -> Reason {
        match self.pass.ruling(instance.task) {
            Ruling::Wait => self.upstream(),
            Ruling::Past(block) => self.past(block),
            Ruling::Settle(state, cause) => self.settled(state, cause),
            Ruling::Run if self.pass.pulse(self.at) == Pulse::Alive => {
                reason("attempt", "waiting: an earlier attempt is still being ended")
            }
            Ruling::Run => reason("next_pass", "about to become `scheduled`"),
        }
    }

    /// "waiting: 2 of 3 upstream tasks are done (`clean` is running, since 02:14)"
    fn upstream(&self) -> Reason {
        let unfinished: Vec<TaskIx> =
            self.task.upstream.iter().copied().filter(|&up| !self.pass.tally(up).is_done()).collect();
        let total = self.task.upstream.len();
        let mut named: Vec<String> = unfinished.iter().take(NAMES_MAX).map(|&up| self.standing(up)).collect();
        if unfinished.len() > NAMES_MAX {
            named.push(format!("and {} more", unfinished.len() - NAMES_MAX));
        }
        let mut text = match (total, total - unfinished.len()) {
            (1, _) => format!("waiting: its upstream task is not done ({})", named.join("; ")),
            (_, done) => {
                let are = if done == 1 { "is" } else { "are" };
                format!("waiting: {done} of {total} upstream tasks {are} done ({})", named.join("; "))
            }
        };
        if self.task.trigger_rule != TriggerRule::AllSuccess {
            let rule = self.task.trigger_rule;
            text.push_str(&format!("; `{rule}` starts it when {}", trigger_rule::asks(rule)));
        }
        Reason { kind: "trigger_rule", text, task: unfinished.first().copied() }
    }

    /// "`clean` is running, since 02:14"
    fn standing(&self, up: TaskIx) -> String {
        let id = &self.view.dag.task(up).id;
        let instances = self.pass.instances(up).iter().map(|&at| self.pass.instance(at));
        let open: Vec<_> = instances.filter(|instance| !instance.state.is_finished()).collect();
        let Some(first) = open.first() else { return format!("`{id}` is done") };
        let of = if self.pass.tally(up).total > 1 { format!("{} of ", open.len()) } else { String::new() };
        let text = match first.state {
            TaskState::NoStatus => "has not started".to_owned(),
            TaskState::Running => match first.started_at {
                Some(started) => format!("is running, since {}", self.clock(started)),
                None => "is running".to_owned(),
            },
            TaskState::UpForRetry | TaskState::UpForReschedule => match first.next_at {
                Some(due) => format!("is `{}`, until {}", first.state, self.clock(due)),
                None => format!("is `{}`", first.state),
            },
            TaskState::Scheduled
            | TaskState::Queued
            | TaskState::Restarting
            | TaskState::Deferred
            | TaskState::AwaitingInput
            | TaskState::Success
            | TaskState::Failed
            | TaskState::Skipped
            | TaskState::UpstreamFailed
            | TaskState::Removed => format!("is {}", first.state),
        };
        format!("{of}`{id}` {text}")
    }

    fn past(&self, block: PastBlock) -> Reason {
        let (text, task) = match block {
            PastBlock::Task(state) => {
                (format!("waiting: `depends_on_past`, and this task is {} in the run before", word(state)), None)
            }
            PastBlock::Downstream(down, state) => {
                let id = &self.view.dag.task(down).id;
                (format!("waiting: `wait_for_downstream`, and `{id}` is {} in the run before", word(state)), Some(down))
            }
        };
        Reason { kind: "depends_on_past", text, task }
    }

    fn finished(&self, instance: &TaskInstance) -> Reason {
        let when = instance.ended_at.map_or(String::new(), |ended| format!(" at {}", self.clock(ended)));
        match instance.state {
            TaskState::Success => reason("success", format!("done: it succeeded{when}")),
            TaskState::Failed => reason("failed", format!("failed: {}{when}", tries(instance))),
            TaskState::Skipped | TaskState::UpstreamFailed | TaskState::Removed => {
                match self.pass.ruling(instance.task) {
                    Ruling::Settle(state, cause) if state == instance.state => self.settled(state, cause),
                    Ruling::Settle(..) | Ruling::Wait | Ruling::Past(_) | Ruling::Run => {
                        reason("ended", format!("ended: it is {}{when}", instance.state))
                    }
                }
            }
            TaskState::NoStatus
            | TaskState::Scheduled
            | TaskState::Queued
            | TaskState::Running
            | TaskState::UpForRetry
            | TaskState::UpForReschedule
            | TaskState::Deferred
            | TaskState::AwaitingInput
            | TaskState::Restarting => self.unfinished(instance),
        }
    }

    fn settled(&self, state: TaskState, cause: Cause) -> Reason {
        match cause {
            Cause::Date => {
                reason("removed", "removed: the run's logical date is outside the task's `start_date` and `end_date`")
            }
            Cause::SkippedBy(by) => Reason {
                kind: "skipped_by",
                text: format!("skipped: `{}` decided so", self.view.dag.task(by).id),
                task: Some(by),
            },
            Cause::Rule => {
                let rule = self.task.trigger_rule;
                let blame = self.task.upstream.iter().copied().find(|&up| {
                    let tally = self.pass.tally(up);
                    match state {
                        TaskState::UpstreamFailed => tally.broken() > 0,
                        TaskState::Skipped => tally.skipped > 0,
                        TaskState::NoStatus
                        | TaskState::Scheduled
                        | TaskState::Queued
                        | TaskState::Running
                        | TaskState::Success
                        | TaskState::Failed
                        | TaskState::UpForRetry
                        | TaskState::UpForReschedule
                        | TaskState::Deferred
                        | TaskState::AwaitingInput
                        | TaskState::Restarting
                        | TaskState::Removed => false,
                    }
                });
                let first = blame.or(self.task.upstream.first().copied());
                let who = first
                    .map_or(String::new(), |up| format!(" (`{}` is {})", self.view.dag.task(up).id, self.ended(up)));
                Reason { kind: "trigger_rule", text: format!("{state}: `{rule}` cannot be met{who}"), task: first }
            }
        }
    }

    /// The worst state of a task's instances, for blame.
    fn ended(&self, up: TaskIx) -> TaskState {
        let states = || self.pass.instances(up).iter().map(|&at| self.pass.instance(at).state);
        states()
            .find(|state| state.is_failure())
            .or_else(|| states().find(|&state| state == TaskState::Skipped))
            .or_else(|| states().next())
            .unwrap_or(TaskState::Removed)
    }

    /// The time of day in the DAG's zone; with the date when it is another day, with seconds when there are any.
    fn clock(&self, moment: Timestamp) -> String {
        let (moment, today) =
            (moment.to_jiff().to_zoned(self.zone.clone()), self.now.to_jiff().to_zoned(self.zone.clone()));
        let day = if moment.date() == today.date() { "" } else { "%Y-%m-%d " };
        let time = if moment.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        moment.strftime(&format!("{day}{time}")).to_string()
    }
}

fn zone(view: &RunView<'_>) -> TimeZone {
    TimeZone::get(&view.dag.timezone).unwrap_or(TimeZone::UTC)
}

fn reason(kind: &'static str, text: impl Into<String>) -> Reason {
    Reason { kind, text: text.into(), task: None }
}

/// "try 2 of 4"; after a clear of an older try, the count goes on.
fn tries(instance: &TaskInstance) -> String {
    format!("try {} of {}", instance.try_number, instance.max_tries.saturating_add(1).max(instance.try_number))
}

fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::NoStatus => "not started",
        TaskState::Scheduled
        | TaskState::Queued
        | TaskState::Running
        | TaskState::Success
        | TaskState::Failed
        | TaskState::Skipped
        | TaskState::UpstreamFailed
        | TaskState::UpForRetry
        | TaskState::UpForReschedule
        | TaskState::Deferred
        | TaskState::AwaitingInput
        | TaskState::Restarting
        | TaskState::Removed => state.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        engine::testing::{DagBuilder, Facts, at, failed},
        run::{Outcome, Previous},
    };

    #[track_caller]
    fn check(facts: &Facts, id: &str, seconds: u64, expected: &str) {
        let reasons = explain(&facts.view(), facts.position(id), at(seconds));
        let texts: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        assert_eq!(texts.join(" | "), expected);
    }

    fn three() -> Facts {
        let dag = DagBuilder::new()
            .task("extract", &[])
            .task("clean", &[])
            .task("check", &[])
            .task("load", &["extract", "clean", "check"]);
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        facts
    }

    #[test]
    fn a_waiting_task_names_whom_it_waits_for() {
        let mut facts = three();
        facts.play("extract", Outcome::Success, at(1));
        facts.play("check", Outcome::Success, at(2));
        facts.begin("clean", at(8040));
        check(&facts, "load", 8041, "waiting: 2 of 3 upstream tasks are done (`clean` is running, since 02:14)");
        let reasons = explain(&facts.view(), 3, at(8041));
        assert_eq!((reasons[0].kind, reasons[0].task), ("trigger_rule", Some(TaskIx(1))));
    }

    #[test]
    fn other_rules_say_what_they_ask_for() {
        let dag =
            DagBuilder::new().task("a", &[]).task("b", &["a"]).with(|task| task.trigger_rule = TriggerRule::OneFailed);
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        let expected = "waiting: its upstream task is not done (`a` is scheduled); `one_failed` starts it when one of them has failed";
        check(&facts, "b", 1, expected);
    }

    #[test]
    fn only_a_few_names_are_listed() {
        let names = ["a", "b", "c", "d", "e"];
        let mut dag = DagBuilder::new();
        for name in names {
            dag = dag.task(name, &[]);
        }
        let mut facts = Facts::new(dag.task("z", &names).build());
        facts.decide(at(0));
        let expected = "waiting: 0 of 5 upstream tasks are done \
                        (`a` is scheduled; `b` is scheduled; `c` is scheduled; and 2 more)";
        check(&facts, "z", 1, expected);
    }

    #[test]
    fn times_are_in_the_zone_of_the_dag() {
        let mut facts = three();
        facts.dag.timezone = "Europe/Berlin".to_owned();
        facts.begin("clean", at(8040));
        let expected = "running: try 1 of 1, since 03:14";
        check(&facts, "clean", 8041, expected);
        facts.dag.timezone = "no/where".to_owned();
        check(&facts, "clean", 8041, "running: try 1 of 1, since 02:14");
        facts.attempts[1].as_mut().unwrap().lease_until = Some(at(999_999));
        check(&facts, "clean", 90_000, "running: try 1 of 1, since 2026-01-01 02:14");
    }

    #[test]
    fn each_stage_has_its_sentence() {
        let dag = DagBuilder::new().task("a", &[]).with(|task| {
            task.retry.retries = 1;
            task.retry.delay = Duration::from_secs(300);
        });
        let mut facts = Facts::new(dag.build());
        check(&facts, "a", 0, "about to become `scheduled`");
        facts.decide(at(0));
        check(&facts, "a", 0, "waiting: it may start as soon as pool `default_pool` and the limits allow");
        facts.grant(0);
        check(&facts, "a", 0, "waiting: it has its slots; no worker of queue `default` has taken it yet");
        facts.begin("a", at(60));
        check(&facts, "a", 61, "running: try 1 of 2, since 00:01");
        check(&facts, "a", 999, "about to become `scheduled`");
        let mut sensor = facts.clone();
        facts.report(0, failed(), at(65));
        facts.decide(at(65));
        check(&facts, "a", 66, "waiting: try 2 of 2 starts at 00:06:05");
        check(&facts, "a", 365, "about to become `scheduled`");
        sensor.report(0, Outcome::Reschedule { at: at(120) }, at(65));
        sensor.decide(at(65));
        check(&sensor, "a", 66, "waiting: it looks again at 00:02");
        facts.decide(at(365));
        facts.play("a", failed(), at(366));
        check(&facts, "a", 400, "failed: try 2 of 2 at 00:06:06");
    }

    #[test]
    fn a_run_that_is_queued_is_the_reason_for_all_its_tasks() {
        let mut facts = three();
        facts.tasks.iter_mut().for_each(|instance| instance.state = TaskState::NoStatus);
        facts.run.state = RunState::Queued;
        let expected = "waiting: its run is queued until fewer than 16 runs are active (`max_active_runs`)";
        check(&facts, "extract", 1, expected);
    }

    #[test]
    fn what_will_never_run_says_why() {
        let dag = DagBuilder::new()
            .task("bad", &[])
            .task("below", &["bad"])
            .task("branch", &[])
            .task("left", &["branch"])
            .task("end", &["left"])
            .task("late", &[])
            .with(|task| task.start_date = Some(at(9)));
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        facts.play("bad", failed(), at(1));
        facts.play("branch", Outcome::Branch { follow: vec![] }, at(1));
        assert!(facts.run.state.is_finished());
        check(&facts, "below", 2, "upstream_failed: `all_success` cannot be met (`bad` is failed)");
        check(&facts, "left", 2, "skipped: `branch` decided so");
        check(&facts, "end", 2, "skipped: `all_success` cannot be met (`left` is skipped)");
        check(&facts, "late", 2, "removed: the run's logical date is outside the task's `start_date` and `end_date`");
    }

    #[test]
    fn the_run_before_is_named_as_the_reason() {
        let dag = DagBuilder::new().task("a", &[]).with(|task| task.wait_for_downstream = true).task("b", &["a"]);
        let mut facts = Facts::new(dag.build());
        let mut before = |a: TaskState, b: TaskState| {
            let tasks = [("a".into(), a), ("b".into(), b)].into();
            facts.previous = Some(Previous { state: RunState::Running, tasks });
            facts.clone()
        };
        let facts = before(TaskState::Failed, TaskState::Success);
        check(&facts, "a", 0, "waiting: `depends_on_past`, and this task is failed in the run before");
        let dag = facts.dag.clone();
        let mut facts = Facts::new(dag);
        let tasks = [("a".into(), TaskState::Success), ("b".into(), TaskState::NoStatus)].into();
        facts.previous = Some(Previous { state: RunState::Running, tasks });
        check(&facts, "a", 0, "waiting: `wait_for_downstream`, and `b` is not started in the run before");
    }

    #[test]
    fn an_attempt_that_must_end_first_is_named() {
        let mut facts = three();
        facts.begin("extract", at(1));
        facts.tasks[0].state = TaskState::NoStatus;
        check(&facts, "extract", 2, "waiting: an earlier attempt is still being ended");
        facts.tasks[0].state = TaskState::Restarting;
        let expected = "waiting: it was cleared, and its attempt is being ended before it starts afresh";
        check(&facts, "extract", 2, expected);
    }
}
