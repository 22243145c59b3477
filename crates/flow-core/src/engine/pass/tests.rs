//! What one pass decides, rule by rule. Whole stories are in tests/scenarios.

use std::time::Duration;

use TaskState::*;

use super::*;
use crate::{
    engine::testing::{DagBuilder, Facts, at, failed},
    run::{Failure, FailureCause, Outcome, Previous},
    state::{RunType, TriggerRule},
};

/// Asserts the states of all tasks, in order.
#[track_caller]
fn check(facts: &Facts, expected: &[TaskState]) {
    let states: Vec<_> = facts.tasks.iter().map(|instance| instance.state).collect();
    assert_eq!(states, expected);
}

fn chain() -> DagBuilder {
    DagBuilder::new().task("a", &[]).task("b", &["a"]).task("c", &["b"])
}

fn inline(task: &mut Task) {
    task.is_inline = true;
}

fn with_rule(rule: TriggerRule) -> impl FnOnce(&mut Task) {
    move |task| task.trigger_rule = rule
}

fn failure(cause: FailureCause, may_retry: bool) -> Outcome {
    Outcome::Failed { failure: Failure::new("no", cause, may_retry) }
}

#[test]
fn a_queued_run_stays_as_it_is() {
    let mut facts = Facts::new(chain().build());
    facts.run.state = RunState::Queued;
    assert_eq!(facts.decide(at(0)), Decision::default());
}

#[test]
fn a_run_without_tasks_succeeds_at_once() {
    let mut facts = Facts::new(DagBuilder::new().build());
    facts.decide(at(0));
    assert_eq!(facts.run.state, RunState::Success);
}

#[test]
fn a_chain_runs_task_by_task() {
    let mut facts = Facts::new(chain().build());
    facts.decide(at(0));
    check(&facts, &[Scheduled, NoStatus, NoStatus]);
    assert_eq!(facts.tasks[0].try_number, 1);
    facts.play("a", Outcome::Success, at(5));
    check(&facts, &[Success, Scheduled, NoStatus]);
    assert_eq!((facts.tasks[0].started_at, facts.tasks[0].ended_at), (Some(at(5)), Some(at(5))));
    facts.play("b", Outcome::Success, at(6));
    let last = facts.play("c", Outcome::Success, at(7));
    assert_eq!(last.run.map(|change| change.to), Some(RunState::Success));
    assert_eq!(last.wake_at, None);
}

#[test]
fn inline_tasks_of_a_long_chain_all_succeed_in_one_pass() {
    let mut dag = DagBuilder::new().task("t0", &[]).with(inline);
    for n in 1..5000 {
        dag = dag.task(&format!("t{n}"), &[&format!("t{}", n - 1)]).with(inline);
        // Building looks ids up one by one; keep the test about the pass.
        if n == 2000 {
            break;
        }
    }
    let mut facts = Facts::new(dag.build());
    facts.decide(at(9));
    assert_eq!(facts.run.state, RunState::Success);
    for instance in &facts.tasks {
        assert_eq!((instance.state, instance.try_number), (Success, 1));
        assert_eq!((instance.started_at, instance.ended_at), (Some(at(9)), Some(at(9))));
    }
}

#[test]
fn a_failure_runs_through_the_graph_in_one_pass() {
    let mut facts = Facts::new(chain().build());
    facts.decide(at(0));
    facts.play("a", failed(), at(1));
    check(&facts, &[Failed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(facts.run.state, RunState::Failed);
    assert_eq!(facts.tasks[1].try_number, 0);
}

#[test]
fn a_failed_task_with_tries_left_waits_for_its_delay() {
    let dag = DagBuilder::new().task("a", &[]).with(|task| {
        task.retry.retries = 1;
        task.retry.delay = Duration::from_secs(300);
    });
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    let decision = facts.play("a", failed(), at(10));
    check(&facts, &[UpForRetry]);
    assert_eq!(decision.wake_at, Some(at(310)));
    facts.decide(at(309));
    check(&facts, &[UpForRetry]);
    facts.decide(at(310));
    check(&facts, &[Scheduled]);
    assert_eq!(facts.tasks[0].try_number, 2);
    facts.play("a", failed(), at(311));
    check(&facts, &[Failed]);
}

#[test]
fn a_retry_without_delay_is_scheduled_at_once() {
    let dag = DagBuilder::new().task("a", &[]).with(|task| {
        task.retry.retries = 2;
        task.retry.delay = Duration::ZERO;
    });
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    facts.play("a", failed(), at(1));
    check(&facts, &[Scheduled]);
    assert_eq!(facts.tasks[0].try_number, 2);
}

#[test]
fn the_delay_is_counted_from_the_end_of_the_attempt_but_not_from_the_future() {
    for (ended, due) in [(5, 15), (50, 30)] {
        let dag = DagBuilder::new().task("a", &[]).with(|task| {
            task.retry.retries = 1;
            task.retry.delay = Duration::from_secs(10);
        });
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        facts.begin("a", at(1));
        facts.report(0, failed(), at(ended));
        facts.decide(at(20));
        // Due in the past means: scheduled by the same look.
        let expected = if due <= 20 { (Scheduled, None) } else { (UpForRetry, Some(at(due))) };
        assert_eq!((facts.tasks[0].state, facts.tasks[0].next_at), expected);
    }
}

#[test]
fn what_may_not_be_retried_fails_at_once() {
    let dag = DagBuilder::new().task("a", &[]).with(|task| task.retry.retries = 5);
    for (outcome, expected) in [
        (failure(FailureCause::Other, false), Failed),
        (failure(FailureCause::Timeout, true), UpForRetry),
        (failure(FailureCause::ExitCode(1), true), UpForRetry),
    ] {
        let mut facts = Facts::new(dag.clone().build());
        facts.decide(at(0));
        facts.play("a", outcome.clone(), at(1));
        assert_eq!(facts.tasks[0].state, expected, "{outcome:?}");
    }
}

#[test]
fn each_outcome_has_its_state() {
    for (outcome, expected) in [
        (Outcome::Success, Success),
        (Outcome::Branch { follow: vec![] }, Success),
        (Outcome::ShortCircuit { ignore_trigger_rules: true }, Success),
        (Outcome::Skipped, Skipped),
        (Outcome::Reschedule { at: at(60) }, UpForReschedule),
        (Outcome::Reschedule { at: at(1) }, Scheduled),
        (failed(), Failed),
        (Outcome::Cancelled, Scheduled),
        (Outcome::Lost { why: "host gone".into() }, Scheduled),
    ] {
        let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
        facts.decide(at(0));
        let decision = facts.play("a", outcome.clone(), at(1));
        assert_eq!(facts.tasks[0].state, expected, "{outcome:?}");
        assert_eq!(decision.settled, [0], "{outcome:?}");
    }
}

#[test]
fn a_sensor_keeps_its_try_and_its_start_over_many_looks() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    for look in 0..3 {
        facts.play("a", Outcome::Reschedule { at: at(60 * (look + 1)) }, at(60 * look + 1));
        check(&facts, &[UpForReschedule]);
        facts.decide(at(60 * (look + 1)));
        check(&facts, &[Scheduled]);
    }
    facts.play("a", Outcome::Success, at(200));
    assert_eq!((facts.tasks[0].try_number, facts.tasks[0].started_at), (1, Some(at(1))));
}

#[test]
fn a_lost_try_does_not_use_up_retries() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    for lost in 1..=3 {
        facts.play("a", Outcome::Lost { why: "host gone".into() }, at(lost));
        check(&facts, &[Scheduled]);
        assert_eq!(u64::from(facts.tasks[0].lost), lost);
    }
    let decision = facts.play("a", Outcome::Lost { why: "host gone".into() }, at(9));
    check(&facts, &[Failed]);
    assert_eq!(decision.changes[0].why, "host gone; 3 tries were lost before");
}

#[test]
fn a_lost_try_leaves_the_retries_as_they_were() {
    let dag = DagBuilder::new().task("a", &[]).with(|task| {
        task.retry.retries = 1;
        task.retry.delay = Duration::ZERO;
    });
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    facts.play("a", Outcome::Lost { why: "host gone".into() }, at(1));
    facts.play("a", failed(), at(2));
    check(&facts, &[Scheduled]);
    facts.play("a", failed(), at(3));
    check(&facts, &[Failed]);
}

#[test]
fn a_silent_worker_is_believed_until_its_lease_runs_out() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    facts.begin("a", at(1));
    let waiting = facts.decide(at(120));
    assert_eq!((waiting.changes.as_slice(), waiting.wake_at), (&[] as &[Change], Some(at(121))));
    let lost = facts.decide(at(121));
    assert_eq!(lost.given_up, [0]);
    check(&facts, &[Scheduled]);
    assert_eq!((facts.tasks[0].try_number, facts.tasks[0].lost, facts.tasks[0].max_tries), (2, 1, 1));
}

#[test]
fn a_task_that_runs_without_an_attempt_is_lost_and_one_that_is_queued_waits() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("b", &[]).build());
    facts.tasks[0].state = Running;
    facts.tasks[1].state = Queued;
    facts.decide(at(0));
    check(&facts, &[Scheduled, Queued]);
}

#[test]
fn a_late_outcome_of_an_earlier_try_says_nothing_about_this_one() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    facts.begin("a", at(1));
    facts.report(0, Outcome::Success, at(2));
    facts.tasks[0].try_number = 2;
    facts.decide(at(3));
    check(&facts, &[Scheduled]);
}

#[test]
fn no_second_attempt_starts_while_the_first_is_alive() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    facts.begin("a", at(1));
    facts.tasks[0].state = NoStatus;
    let decision = facts.decide(at(2));
    check(&facts, &[NoStatus]);
    assert_eq!(decision.wake_at, Some(at(121)));
    let mut ended = facts.clone();
    ended.report(0, Outcome::Cancelled, at(3));
    assert_eq!(ended.decide(at(3)).settled, [0]);
    check(&ended, &[Scheduled]);
    assert_eq!(facts.decide(at(121)).given_up, [0]);
    check(&facts, &[Scheduled]);
}

#[test]
fn an_unclaimed_attempt_is_given_up_when_its_task_is_not_queued() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("b", &[]).build());
    facts.decide(at(0));
    facts.grant(0);
    facts.grant(1);
    facts.tasks[0].state = Success;
    let decision = facts.decide(at(1));
    assert_eq!(decision.given_up, [0]);
    check(&facts, &[Success, Queued]);
}

#[test]
fn attempts_of_a_run_that_has_ended_are_still_cleaned_up() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("b", &[]).build());
    facts.decide(at(0));
    facts.begin("a", at(1));
    facts.begin("b", at(1));
    facts.tasks[0].state = Success;
    facts.tasks[1].state = Success;
    let decision = facts.decide(at(2));
    assert_eq!((facts.run.state, decision.wake_at), (RunState::Success, Some(at(121))));
    facts.report(0, Outcome::Cancelled, at(3));
    assert_eq!(facts.decide(at(3)).settled, [0]);
    let decision = facts.decide(at(121));
    assert_eq!((decision.given_up.as_slice(), decision.wake_at), (&[1][..], None));
}

#[test]
fn a_restarting_task_starts_afresh_when_its_attempt_has_ended() {
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build());
    facts.decide(at(0));
    facts.begin("a", at(1));
    facts.tasks[0].state = Restarting;
    facts.decide(at(2));
    check(&facts, &[Restarting]);
    facts.report(0, Outcome::Success, at(3));
    facts.decide(at(3));
    check(&facts, &[Scheduled]);
    assert_eq!((facts.tasks[0].try_number, facts.tasks[0].started_at), (2, None));
}

#[test]
fn a_branch_skips_what_it_does_not_follow_even_under_all_done() {
    let dag = DagBuilder::new()
        .task("branch", &[])
        .task("left", &["branch"])
        .task("right", &["branch"])
        .with(with_rule(TriggerRule::AllDone))
        .task("join", &["left", "right"])
        .with(with_rule(TriggerRule::NoneFailedMinOneSuccess));
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    let decision = facts.play("branch", Outcome::Branch { follow: vec!["left".into()] }, at(1));
    check(&facts, &[Success, Scheduled, Skipped, NoStatus]);
    assert_eq!(decision.changes[2].why, "skipped by `branch`");
    facts.play("left", Outcome::Success, at(2));
    check(&facts, &[Success, Success, Skipped, Scheduled]);
}

#[test]
fn a_join_beside_the_branch_it_follows_goes_on() {
    let dag = DagBuilder::new().task("branch", &[]).task("left", &["branch"]).task("join", &["branch", "left"]);
    for (follow, expected) in [("left", NoStatus), ("join", NoStatus)] {
        let mut facts = Facts::new(dag.clone().build());
        facts.decide(at(0));
        facts.play("branch", Outcome::Branch { follow: vec![follow.into()] }, at(1));
        // Following `join` alone skips `left`, and `all_success` then skips `join` after all.
        assert_eq!(facts.state("join"), if follow == "left" { expected } else { Skipped });
        assert_eq!(facts.state("left"), if follow == "left" { Scheduled } else { Skipped });
    }
}

#[test]
fn what_a_branch_skips_is_skipped_again_after_a_clear() {
    let dag = DagBuilder::new().task("branch", &[]).task("left", &["branch"]).task("right", &["branch"]);
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    facts.play("branch", Outcome::Branch { follow: vec!["left".into()] }, at(1));
    facts.tasks[2].state = NoStatus;
    facts.decide(at(2));
    assert_eq!(facts.state("right"), Skipped);
}

#[test]
fn a_branch_skips_what_is_scheduled_or_queued_but_not_what_runs() {
    let dag = DagBuilder::new().task("branch", &[]).task("x", &["branch"]).with(with_rule(TriggerRule::Always));
    for (stage, expected) in [(0, Skipped), (1, Skipped), (2, Running)] {
        let mut facts = Facts::new(dag.clone().build());
        facts.decide(at(0));
        check(&facts, &[Scheduled, Scheduled]);
        if stage > 0 {
            facts.grant(1);
        }
        if stage > 1 {
            facts.begin("x", at(1));
        }
        let decision = facts.play("branch", Outcome::Branch { follow: vec![] }, at(2));
        assert_eq!(facts.tasks[1].state, expected);
        assert_eq!(decision.given_up, if stage == 1 { vec![1] } else { vec![] });
    }
}

#[test]
fn a_short_circuit_skips_everything_or_lets_trigger_rules_decide_on() {
    let dag = DagBuilder::new()
        .task("gate", &[])
        .task("a", &["gate"])
        .task("b", &["a"])
        .with(with_rule(TriggerRule::AllDone))
        .task("c", &["b"])
        .with(with_rule(TriggerRule::Always));
    for (ignore_trigger_rules, expected) in
        [(true, [Success, Skipped, Skipped, Skipped]), (false, [Success, Skipped, Scheduled, Scheduled])]
    {
        let mut facts = Facts::new(dag.clone().build());
        facts.run.state = RunState::Running;
        facts.tasks[3].state = NoStatus;
        facts.decide(at(0));
        facts.play("gate", Outcome::ShortCircuit { ignore_trigger_rules }, at(1));
        check(&facts, &expected);
    }
}

#[test]
fn the_first_event_decides() {
    let dag = DagBuilder::new().task("f", &[]).task("s", &[]).task("x", &["f", "s"]);
    for (first, second, expected) in [("f", "s", UpstreamFailed), ("s", "f", Skipped)] {
        let mut facts = Facts::new(dag.clone().build());
        facts.decide(at(0));
        for id in [first, second] {
            let outcome = if id == "f" { failed() } else { Outcome::Skipped };
            facts.play(id, outcome, at(1));
            assert_eq!(facts.state("x"), expected);
        }
    }
}

#[test]
fn depends_on_past_waits_for_the_same_task_in_the_run_before() {
    let dag = DagBuilder::new().task("a", &[]).with(|task| task.depends_on_past = true).build();
    for (before, expected) in [
        (None, Scheduled),
        (Some(None), Scheduled),
        (Some(Some(Success)), Scheduled),
        (Some(Some(Skipped)), Scheduled),
        (Some(Some(Removed)), Scheduled),
        (Some(Some(Failed)), NoStatus),
        (Some(Some(UpstreamFailed)), NoStatus),
        (Some(Some(Running)), NoStatus),
        (Some(Some(NoStatus)), NoStatus),
    ] {
        let mut facts = Facts::new(dag.clone());
        facts.previous = before.map(|state| Previous {
            state: RunState::Running,
            tasks: state.map(|state| ("a".into(), state)).into_iter().collect(),
        });
        facts.decide(at(0));
        assert_eq!(facts.tasks[0].state, expected, "{before:?}");
        assert_eq!(facts.run.state, RunState::Running);
    }
}

#[test]
fn wait_for_downstream_looks_at_the_direct_downstream_too() {
    let dag = chain().dag(|dag| dag.tasks[0].wait_for_downstream = true).build();
    for (a, b, c, expected) in [
        (Success, Success, Running, Scheduled),
        (Success, Running, NoStatus, NoStatus),
        (Running, Success, Success, NoStatus),
        (Success, Failed, UpstreamFailed, NoStatus),
    ] {
        let mut facts = Facts::new(dag.clone());
        let tasks = [("a".into(), a), ("b".into(), b), ("c".into(), c)].into();
        facts.previous = Some(Previous { state: RunState::Running, tasks });
        facts.decide(at(0));
        assert_eq!(facts.tasks[0].state, expected, "{a} {b} {c}");
    }
}

#[test]
fn the_next_run_is_woken_by_what_it_waits_for_and_by_nothing_else() {
    let past = |ix: usize| move |dag: &mut Dag| dag.tasks[ix].depends_on_past = true;
    let downstream = |dag: &mut Dag| dag.tasks[0].wait_for_downstream = true;
    for (dag, expected) in [
        (chain().build(), false),
        (chain().dag(past(1)).build(), true),
        (chain().dag(past(2)).build(), false),
        (chain().dag(downstream).build(), true),
    ] {
        let mut facts = Facts::new(dag);
        facts.decide(at(0));
        facts.play("a", Outcome::Success, at(1));
        let decision = facts.play("b", Outcome::Success, at(2));
        assert_eq!(decision.wake_next_run, expected);
    }
}

#[test]
fn a_task_that_must_be_skipped_does_not_wait_for_the_past() {
    let dag = chain().dag(|dag| dag.tasks[1].depends_on_past = true).build();
    let mut facts = Facts::new(dag);
    facts.previous = Some(Previous { state: RunState::Failed, tasks: [("b".into(), Failed)].into() });
    facts.decide(at(0));
    facts.play("a", Outcome::Skipped, at(1));
    check(&facts, &[Skipped, Skipped, Skipped]);
}

#[test]
fn fail_fast_ends_what_runs_and_skips_the_rest() {
    let dag = DagBuilder::new()
        .dag(|dag| dag.fail_fast = true)
        .task("bad", &[])
        .task("running", &[])
        .task("queued", &[])
        .task("done", &[])
        .task("retrying", &[])
        .with(|task| task.retry.retries = 1)
        .task("below", &["bad"]);
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    facts.play("done", Outcome::Success, at(1));
    facts.play("retrying", failed(), at(1));
    facts.begin("running", at(1));
    facts.grant(2);
    let decision = facts.play("bad", failed(), at(2));
    check(&facts, &[Failed, Failed, Skipped, Success, Skipped, Skipped]);
    assert_eq!((facts.run.state, decision.given_up.as_slice()), (RunState::Failed, &[2][..]));
}

#[test]
fn after_fail_fast_the_run_follows_its_leaves() {
    let mut facts = Facts::new(chain().dag(|dag| dag.fail_fast = true).build());
    facts.decide(at(0));
    facts.play("a", failed(), at(1));
    check(&facts, &[Failed, Skipped, Skipped]);
    assert_eq!(facts.run.state, RunState::Success);
}

#[test]
fn a_run_that_takes_too_long_fails_and_skips_what_is_left() {
    let dag = DagBuilder::new()
        .dag(|dag| dag.dagrun_timeout = Some(Duration::from_secs(60)))
        .task("done", &[])
        .task("running", &[])
        .task("below", &["running"]);
    let mut facts = Facts::new(dag.build());
    assert_eq!(facts.decide(at(0)).wake_at, Some(at(60)));
    facts.play("done", Outcome::Success, at(1));
    facts.begin("running", at(1));
    facts.decide(at(59));
    assert_eq!(facts.run.state, RunState::Running);
    facts.decide(at(60));
    check(&facts, &[Success, Skipped, Skipped]);
    assert_eq!(facts.run.state, RunState::Failed);
}

#[test]
fn a_run_whose_last_task_ended_in_time_does_not_fail_because_nobody_looked() {
    let dag = DagBuilder::new().dag(|dag| dag.dagrun_timeout = Some(Duration::from_secs(60))).task("a", &[]);
    let mut facts = Facts::new(dag.build());
    facts.decide(at(0));
    facts.play("a", Outcome::Success, at(61));
    assert_eq!(facts.run.state, RunState::Success);
}

#[test]
fn only_leaves_decide_how_a_run_ended() {
    let rules = [
        (TriggerRule::AllDone, Outcome::Success, RunState::Success),
        (TriggerRule::AllDone, failed(), RunState::Failed),
        (TriggerRule::AllDone, Outcome::Skipped, RunState::Success),
    ];
    for (rule, outcome, expected) in rules {
        let dag = DagBuilder::new().task("a", &[]).task("b", &["a"]).with(with_rule(rule));
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        facts.play("a", failed(), at(1));
        facts.play("b", outcome, at(2));
        assert_eq!(facts.run.state, expected);
    }
}

#[test]
fn a_task_outside_its_dates_is_removed_and_does_not_count_downstream() {
    for (start, end, run_type, expected) in [
        (Some(1), None, RunType::Scheduled, Removed),
        (Some(0), Some(0), RunType::Scheduled, Scheduled),
        (None, Some(0), RunType::Manual, Scheduled),
        (Some(1), None, RunType::Backfill, Scheduled),
    ] {
        let dag = DagBuilder::new()
            .task("a", &[])
            .with(|task| (task.start_date, task.end_date) = (start.map(at), end.map(at)))
            .task("b", &["a"]);
        let mut facts = Facts::new(dag.build());
        facts.run.run_type = run_type;
        facts.decide(at(5));
        assert_eq!(facts.tasks[0].state, expected);
        assert_eq!(facts.tasks[1].state, if expected == Removed { Scheduled } else { NoStatus });
    }
}

#[test]
fn a_task_instance_without_a_task_is_removed() {
    let mut facts = Facts::new(chain().build());
    facts.dag.tasks.truncate(1);
    facts.dag.tasks[0].downstream.clear();
    facts.decide(at(0));
    check(&facts, &[Scheduled, Removed, Removed]);
    facts.play("a", Outcome::Success, at(1));
    assert_eq!(facts.run.state, RunState::Success);
}

#[test]
fn all_instances_of_a_mapped_task_count() {
    let dag = DagBuilder::new().task("m", &[]).task("x", &["m"]).with(with_rule(TriggerRule::AllDone));
    let mut facts = Facts::mapped(dag.build(), &[3, 1]);
    facts.decide(at(0));
    check(&facts, &[Scheduled, Scheduled, Scheduled, NoStatus]);
    for place in 0..3 {
        assert_eq!(facts.tasks[3].state, NoStatus);
        facts.grant(place);
        facts.claim(place, at(1), at(100));
        facts.report(place, if place == 1 { failed() } else { Outcome::Success }, at(2));
        facts.decide(at(2));
    }
    check(&facts, &[Success, Failed, Success, Scheduled]);
}

#[test]
fn a_deadlocked_run_fails_instead_of_hanging() {
    let mut dag = DagBuilder::new().task("a", &[]).task("b", &["a"]).build();
    dag.tasks[0].upstream.push(TaskIx(1));
    dag.tasks[1].downstream.push(TaskIx(0));
    let mut facts = Facts::new(dag);
    let decision = facts.decide(at(0));
    assert_eq!(facts.run.state, RunState::Failed);
    assert!(decision.run.is_some_and(|change| change.why.starts_with("deadlock")));
}

#[test]
fn start_runs_takes_the_oldest_up_to_the_limit() {
    let dag = DagBuilder::new().dag(|dag| dag.max_active_runs = 3).build();
    let queued = vec![Facts::new(dag.clone()).run; 5];
    for (running, expected) in [(0, vec![0, 1, 2]), (2, vec![0]), (3, vec![]), (9, vec![])] {
        assert_eq!(start_runs(&dag, &queued, running), expected);
    }
    assert_eq!(start_runs(&dag, &queued[..1], 0), [0]);
}

#[test]
fn a_dag_is_paused_when_its_latest_runs_all_failed() {
    use RunState::{Failed, Success};
    for (most, states, expected) in [
        (0, vec![Failed, Failed], false),
        (2, vec![Failed], false),
        (2, vec![Failed, Failed], true),
        (2, vec![Failed, Failed, Success], true),
        (2, vec![Failed, Success, Failed], false),
        (2, vec![Success, Failed, Failed], false),
    ] {
        let dag = DagBuilder::new().dag(|dag| dag.max_consecutive_failed_dag_runs = most).build();
        assert_eq!(pauses_dag(&dag, &states), expected, "{most} {states:?}");
    }
}
