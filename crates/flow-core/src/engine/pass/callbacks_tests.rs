//! Which callbacks are due, and when.

use std::time::Duration;

use super::*;
use crate::{
    catalog::{Catalog, OperatorSpec},
    dag::{About, Callback, Notifications},
    engine::{
        Edit, Selection,
        testing::{DagBuilder, Facts, at, failed},
    },
    run::Outcome,
};

/// What [`failed`] says.
const SAID: &str = "command ended with exit code 1";

/// Every event of the task has a callback.
fn asks(task: &mut Task) {
    for &event in CallbackEvent::ALL {
        task.callbacks.0.insert(event, vec![Callback { operator: "bash".to_owned(), with: Vec::new() }]);
    }
}

fn dag() -> DagBuilder {
    DagBuilder::new().task("a", &[]).with(asks).task("b", &["a"]).with(asks)
}

fn asking(mut dag: Dag) -> Facts {
    for event in [CallbackEvent::Success, CallbackEvent::Failure] {
        dag.callbacks.0.insert(event, vec![Callback { operator: "bash".to_owned(), with: Vec::new() }]);
    }
    Facts::new(dag)
}

/// What became due: event, position, number, what went wrong.
fn due(decision: &Decision) -> Vec<(&'static str, Option<usize>, u32, &str)> {
    let callbacks = decision.callbacks.iter();
    callbacks.map(|due| (due.event.as_str(), due.at, due.number, due.exception.as_str())).collect()
}

/// Runs a task's attempt and says what became due.
fn play(facts: &mut Facts, task: &str, outcome: Outcome, now: u64) -> Decision {
    facts.begin(task, at(now));
    let ix = facts.dag.task_ix(&task.into()).unwrap().index();
    facts.report(ix, outcome, at(now));
    facts.decide(at(now))
}

#[test]
fn each_end_of_a_try_has_its_event() {
    let mut facts = asking(dag().build());
    facts.tasks[0].max_tries = 1;
    facts.dag.tasks[0].retry.retries = 1;
    facts.dag.tasks[0].retry.delay = Duration::ZERO;
    assert_eq!(due(&facts.decide(at(0))), []);
    let decision = play(&mut facts, "a", failed(), 1);
    assert_eq!(due(&decision), [("retry", Some(0), 1, SAID)]);
    assert_eq!(due(&facts.decide(at(3))), [], "only once");
    let decision = play(&mut facts, "a", failed(), 3);
    assert_eq!(due(&decision), [("failure", Some(0), 2, SAID), ("failure", None, 0, "`b` is upstream_failed")]);
}

#[test]
fn what_every_dag_calls_back_is_due_where_it_asks_for_nothing_itself() {
    let plain = |name| OperatorSpec {
        name,
        class: "",
        summary: "",
        templated: &[],
        is_sensor: false,
        is_branch: false,
        is_inline: false,
        check: |_| Vec::new(),
        schema: || serde_json::json!({ "type": "object" }),
    };
    let catalog = Catalog::new(vec![plain("bash")]);
    let bash = serde_json::json!({ "uses": "bash", "with": { "bash_command": "true" } });
    let mut all = Notifications::default();
    all.add(About::Tasks, CallbackEvent::Retry, &bash, &catalog).unwrap();
    all.add(About::Runs, CallbackEvent::Failure, &bash, &catalog).unwrap();
    let mut facts = Facts::new(DagBuilder::new().task("a", &[]).build().with_notifications(std::sync::Arc::new(all)));
    facts.tasks[0].max_tries = 1;
    facts.dag.tasks[0].retry.retries = 1;
    facts.dag.tasks[0].retry.delay = Duration::ZERO;
    facts.decide(at(0));
    assert_eq!(due(&play(&mut facts, "a", failed(), 1)), [("retry", Some(0), 1, SAID)]);
    facts.decide(at(3));
    let decision = play(&mut facts, "a", failed(), 3);
    assert_eq!(due(&decision).iter().map(|due| (due.0, due.1)).collect::<Vec<_>>(), [("failure", None)]);
}

#[test]
fn a_skip_of_its_own_counts_and_one_of_others_does_not() {
    let mut facts = asking(dag().build());
    facts.decide(at(0));
    let decision = play(&mut facts, "a", Outcome::Skipped, 1);
    assert_eq!(due(&decision), [("skipped", Some(0), 1, ""), ("success", None, 0, "")]);
}

#[test]
fn a_lost_try_is_one_that_is_tried_again() {
    let mut facts = asking(dag().build());
    facts.max_infrastructure_retries = 1;
    facts.decide(at(0));
    let decision = play(&mut facts, "a", Outcome::Lost { why: "gone".into() }, 1);
    assert_eq!(due(&decision), [("retry", Some(0), 1, "gone")]);
    facts.decide(at(2));
    let decision = play(&mut facts, "a", Outcome::Lost { why: "gone".into() }, 2);
    assert_eq!(due(&decision)[0], ("failure", Some(0), 2, "gone; 1 tries were lost before"));
}

#[test]
fn a_run_that_takes_too_long_fails_and_its_tasks_are_not_asked() {
    let mut facts = asking(dag().build());
    facts.dag.dagrun_timeout = Some(Duration::from_secs(10));
    facts.decide(at(0));
    facts.begin("a", at(1));
    let decision = facts.decide(at(11));
    assert_eq!(due(&decision), [("failure", None, 0, "it took longer than `dagrun_timeout`")]);
}

#[test]
fn a_stopped_run_takes_back_the_try_that_was_promised() {
    let build = DagBuilder::new().task("a", &[]).with(asks).task("b", &[]).with(asks).build();
    let mut facts = asking(build);
    facts.dag.fail_fast = true;
    (facts.tasks[0].max_tries, facts.dag.tasks[0].retry.retries) = (1, 1);
    facts.decide(at(0));
    facts.begin("a", at(1));
    facts.begin("b", at(1));
    facts.report(0, failed(), at(2));
    facts.report(1, failed(), at(2));
    let decision = facts.decide(at(2));
    let expected = [("failure", Some(1), 1, SAID), ("failure", None, 0, "`b` is failed")];
    assert_eq!(due(&decision), expected, "`a` was to be tried again, and is skipped");
}

#[test]
fn what_a_person_marks_calls_nobody_but_the_end_of_the_run_does() {
    let mut facts = asking(dag().build());
    facts.decide(at(0));
    let tasks = Selection::default();
    let edit = facts.edit(&Edit::MarkTasks { tasks, state: TaskState::Failed }, at(1)).unwrap();
    assert_eq!(due(&edit), []);
    assert_eq!(due(&facts.decide(at(1))), [("failure", None, 0, "`b` is failed")]);
    let edit = facts.edit(&Edit::MarkRun { state: RunState::Success }, at(2)).unwrap();
    assert_eq!(due(&edit), []);
}

#[test]
fn a_task_that_needs_no_worker_calls_back_too_and_who_asks_for_nothing_gets_nothing() {
    let build = DagBuilder::new().task("a", &[]).with(asks).task("b", &["a"]).build();
    let mut facts = Facts::new(build);
    facts.dag.tasks[0].is_inline = true;
    assert_eq!(due(&facts.decide(at(0))), [("success", Some(0), 1, "")]);
    assert_eq!(due(&play(&mut facts, "b", failed(), 1)), []);
}
