//! Orderly shutdown of `flow standalone`, and what it does to tasks: those that need not long are finished, the rest
//! are handed back; the second signal ends everything at once.

use std::{collections::BTreeMap, time::Duration};

use super::place::{Flow, Place};

/// Tasks that end soon, late, or only by force; without retries. `QUICK` is how long the first try of `quick` works.
const DRAINED: &str = r#"
dag_id: drained
tasks:
  - { id: quick, uses: bash, retries: 0, with: { bash_command: '. "$CRASH/task.sh"; if once quick; then sleep QUICK; fi; work 0' } }
  - id: slow
    uses: bash
    retries: 0
    with: { bash_command: '. "$CRASH/task.sh"; if once slow; then setsid sleep 600 & sleep 600; fi; work 0' }
  - id: stubborn
    uses: bash
    retries: 0
    with: { bash_command: '. "$CRASH/task.sh"; if once stubborn; then trap "" TERM; while :; do sleep 600; done; fi; work 0' }
  - { id: after, uses: bash, retries: 0, needs: [quick, slow, stubborn], with: { bash_command: '. "$CRASH/task.sh"; work 0' } }
"#;

/// `quick` ends within the time for draining.
const ENDS: &str = "3";
/// `quick` is still at work when Flow ends, however slow the machine.
const IS_INTERRUPTED: &str = "30";

/// Starts Flow with these settings and the three tasks.
fn start(place: &Place, quick: &str, settings: &[(&str, &str)]) -> Flow {
    place.add_dag("drained", &DRAINED.replace("QUICK", quick));
    let mut command = place.command(&["standalone", "--port", "0"]);
    let flow = place.spawn(command.envs(settings.iter().copied()));
    place.wait_for_dags(&["drained"]);
    place.trigger(&[("drained".to_owned(), "one".to_owned())]);
    place.wait(Duration::from_secs(60), "the three tasks do not start", || {
        place.effects().lines().filter(|line| line.contains(" start ")).count() == 3
    });
    flow
}

/// After a restart the run succeeds, and these were the tries.
#[track_caller]
fn check_heals(place: &Place, tries: [(&str, u32); 4]) {
    place.assert_nothing_left();
    let flow = place.start(&["standalone", "--port", "0"]);
    place.wait(Duration::from_secs(60), "the run does not end", || place.runs(false)[0].is_over());
    let runs = place.runs(true);
    let expected: BTreeMap<String, (String, u32)> =
        tries.iter().map(|(task, tried)| ((*task).to_owned(), ("success".to_owned(), *tried))).collect();
    assert_eq!((&runs[0].state[..], &runs[0].tasks), ("success", &expected));
    assert!(!place.effects().contains(" overlap "), "{}", place.effects());
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(60)).success());
    place.assert_nothing_left();
}

#[test]
fn a_first_sigterm_lets_tasks_finish_and_hands_back_the_rest() {
    let place = Place::new(None);
    let flow = start(&place, ENDS, &[("FLOW__WORKER__DRAIN", "8s")]);
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(60)).success());
    check_heals(&place, [("quick", 1), ("slow", 2), ("stubborn", 2), ("after", 1)]);
}

#[test]
fn nothing_new_is_started_after_a_sigterm() {
    let place = Place::new(None);
    let flow = start(&place, ENDS, &[("FLOW__WORKER__DRAIN", "8s")]);
    flow.terminate();
    std::thread::sleep(Duration::from_secs(1));
    place.trigger(&[("drained".to_owned(), "two".to_owned())]);
    assert!(flow.wait(Duration::from_secs(60)).success());
    assert!(!place.effects().contains(" two "), "{}", place.effects());
    place.assert_nothing_left();
}

#[test]
fn a_second_sigterm_ends_everything_at_once() {
    let place = Place::new(None);
    let flow = start(&place, IS_INTERRUPTED, &[("FLOW__WORKER__DRAIN", "10m"), ("FLOW__CORE__KILL_GRACE", "10m")]);
    flow.terminate();
    std::thread::sleep(Duration::from_millis(500));
    flow.terminate();
    flow.wait(Duration::from_secs(30));
    check_heals(&place, [("quick", 2), ("slow", 2), ("stubborn", 2), ("after", 1)]);
}

#[test]
fn a_second_sigterm_does_not_wait_for_tasks_that_are_being_ended() {
    let place = Place::new(None);
    let flow = start(&place, IS_INTERRUPTED, &[("FLOW__WORKER__DRAIN", "1s"), ("FLOW__CORE__KILL_GRACE", "10m")]);
    flow.terminate();
    place.wait(Duration::from_secs(30), "it does not hand back", || place.words().contains("will be tried again"));
    flow.terminate();
    flow.wait(Duration::from_secs(30));
    check_heals(&place, [("quick", 2), ("slow", 2), ("stubborn", 2), ("after", 1)]);
}
