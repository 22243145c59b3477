//! Every small world: what holds whatever the rule, the states and the facts.

use std::collections::BTreeMap;

use flow_core::{
    Outcome, RunState, TaskState, TriggerRule,
    engine::{
        Edit, Room, Selection, Waiting, decide,
        dispatch::in_order,
        explain, hand_out,
        testing::{DagBuilder, Facts, at, each, failed},
        trigger_rule::{Tally, Verdict, judge},
    },
    id::RunKey,
    run::{Attempt, Skips},
};

const FINISHED: [TaskState; 5] =
    [TaskState::Success, TaskState::Failed, TaskState::Skipped, TaskState::UpstreamFailed, TaskState::Removed];

#[test]
fn once_all_upstream_is_finished_no_rule_waits() {
    each(|choose| {
        let rule = choose.pick(TriggerRule::ALL);
        let upstream: Vec<_> = (0..choose.below(5)).map(|_| choose.pick(&FINISHED)).collect();
        assert_ne!(judge(rule, Tally::of(upstream.iter().copied())), Verdict::Wait, "{rule} {upstream:?}");
    });
}

#[test]
fn a_rule_counts_and_does_not_look_at_the_order() {
    each(|choose| {
        let rule = choose.pick(TriggerRule::ALL);
        let upstream: Vec<_> = (0..3).map(|_| choose.pick(TaskState::ALL)).collect();
        let reversed = upstream.iter().rev().copied();
        assert_eq!(judge(rule, Tally::of(upstream.iter().copied())), judge(rule, Tally::of(reversed)));
    });
}

/// A rule may decide before all upstream is finished only if the rest cannot make it regret: having said `Run`
/// or that it is hopeless, it may change its mind about the reason, never about whether it could have run.
#[test]
fn what_is_decided_early_stays_right_to_start_or_not() {
    // These look for one event; once it has happened, more of them change nothing.
    let early = [TriggerRule::OneSuccess, TriggerRule::OneFailed, TriggerRule::OneDone, TriggerRule::Always];
    each(|choose| {
        let rule = choose.pick(TriggerRule::ALL);
        let known: Vec<_> = (0..2).map(|_| choose.pick(&FINISHED)).collect();
        let before = judge(rule, Tally::of(known.iter().copied().chain([TaskState::Running])));
        let after = judge(rule, Tally::of(known.iter().copied().chain([choose.pick(&FINISHED)])));
        match before {
            Verdict::Wait => {}
            Verdict::Run => {
                assert!(early.contains(&rule), "{rule} ran before its time: {known:?}");
                assert_eq!(after, Verdict::Run, "{rule} {known:?}");
            }
            Verdict::Settle(_) => assert_ne!(after, Verdict::Run, "{rule} gave up too early: {known:?}"),
        }
    });
}

/// The rules written a second time, each as one sentence over finished upstream tasks. Slow and obvious.
fn may_run(rule: TriggerRule, upstream: &[TaskState]) -> bool {
    use TaskState::*;
    let any = |states: &[TaskState]| upstream.iter().any(|state| states.contains(state));
    let counted: Vec<_> = upstream.iter().filter(|&&state| state != Removed).collect();
    let all = |states: &[TaskState]| counted.iter().all(|state| states.contains(state));
    match rule {
        TriggerRule::Always | TriggerRule::AllDone | TriggerRule::AllDoneSetupSuccess => true,
        TriggerRule::AllSuccess => all(&[Success]),
        TriggerRule::AllFailed => all(&[Failed, UpstreamFailed]),
        TriggerRule::AllDoneMinOneSuccess => !any(&[Skipped]) && any(&[Success]),
        TriggerRule::OneSuccess => any(&[Success]),
        TriggerRule::OneFailed => any(&[Failed, UpstreamFailed]),
        TriggerRule::OneDone => any(&[Success, Failed]),
        TriggerRule::NoneFailed => !any(&[Failed, UpstreamFailed]),
        TriggerRule::NoneFailedMinOneSuccess => !any(&[Failed, UpstreamFailed]) && any(&[Success]),
        TriggerRule::NoneSkipped => !any(&[Skipped]),
        TriggerRule::AllSkipped => all(&[Skipped]),
    }
}

#[test]
fn every_rule_says_what_its_sentence_says() {
    each(|choose| {
        let rule = choose.pick(TriggerRule::ALL);
        let upstream: Vec<_> = (0..1 + choose.below(4)).map(|_| choose.pick(&FINISHED)).collect();
        let verdict = judge(rule, Tally::of(upstream.iter().copied()));
        assert_eq!(verdict == Verdict::Run, may_run(rule, &upstream), "{rule} {upstream:?}");
    });
}

/// Two upstream tasks and one below them, in every state, with every attempt and outcome.
fn small_world(choose: &mut flow_core::engine::testing::Choices) -> Facts {
    let rule = choose.pick(TriggerRule::ALL);
    let dag = DagBuilder::new().task("a", &[]).task("b", &["a"]).with(|task| task.trigger_rule = rule).build();
    let mut facts = Facts::new(dag);
    facts.max_infrastructure_retries = 1;
    facts.tasks[0].state = choose.pick(TaskState::ALL);
    facts.tasks[0].try_number = 1;
    facts.tasks[0].lost = choose.pick(&[0, 1]);
    facts.tasks[1].state = choose.pick(TaskState::ALL);
    facts.tasks[1].try_number = 1;
    facts.tasks[0].skips = choose.pick(&[Skips::None, Skips::AllBut(vec![]), Skips::Everything]);
    for place in 0..2 {
        if matches!(facts.tasks[place].state, TaskState::UpForRetry | TaskState::UpForReschedule) {
            facts.tasks[place].next_at = choose.pick(&[None, Some(at(5)), Some(at(15))]);
        }
    }
    facts.attempts[0] = attempt(choose);
    facts
}

fn attempt(choose: &mut flow_core::engine::testing::Choices) -> Option<Attempt> {
    let outcomes = [
        None,
        Some(Outcome::Success),
        Some(failed()),
        Some(Outcome::Skipped),
        Some(Outcome::Reschedule { at: at(20) }),
        Some(Outcome::Branch { follow: vec![] }),
        Some(Outcome::ShortCircuit { ignore_trigger_rules: true }),
        Some(Outcome::Cancelled),
        Some(Outcome::Lost { why: "gone".into() }),
    ];
    let claimed = |lease, outcome| Attempt {
        try_number: 1,
        is_claimed: true,
        started_at: Some(at(1)),
        lease_until: Some(at(lease)),
        outcome,
        ended_at: None,
    };
    match choose.below(4) {
        0 => None,
        1 => Some(Attempt { is_claimed: false, started_at: None, lease_until: None, ..claimed(0, None) }),
        2 => Some(claimed(10, None)),
        _ => Some(claimed(60, choose.pick(&outcomes))),
    }
}

#[test]
fn in_every_small_world_deciding_is_sound() {
    let mut worlds = 0;
    each(|choose| {
        worlds += 1;
        let mut facts = small_world(choose);
        let before = facts.clone();
        let view = before.view();
        let explained: Vec<_> = (0..2).map(|place| explain(&view, place, at(10))).collect();
        // Checks that each change has its arrow, and that deciding again changes nothing.
        let decision = facts.decide(at(10));
        for (place, reasons) in explained.iter().enumerate() {
            assert!(!reasons.is_empty(), "no reason for {:?}", before.tasks[place]);
            let moves = before.tasks[place].state != facts.tasks[place].state;
            assert_eq!(reasons[0].kind == "next_pass", moves, "{reasons:?} but {decision:?}");
        }
        for change in &decision.changes {
            assert!(!change.from.is_finished(), "{change:?}");
        }
        let all_done = facts.tasks.iter().all(|instance| instance.state.is_finished());
        assert_eq!(facts.run.state.is_finished(), all_done, "{:?}", facts.tasks);
        for place in 0..2 {
            let Some(attempt) = &before.attempts[place] else { continue };
            let is_alive = attempt.outcome.is_none() && attempt.lease_until.is_some_and(|until| until > at(10));
            if is_alive {
                assert!(facts.attempts[place].is_some(), "a live attempt was dropped");
                let starts = matches!(facts.tasks[place].state, TaskState::Scheduled);
                assert!(!starts || before.tasks[place].state == TaskState::Scheduled, "started beside a live attempt");
                assert!(decision.wake_at.is_some(), "nobody looks when the lease runs out");
            }
            assert!(facts.attempts[place].as_ref().is_none_or(|attempt| attempt.outcome.is_none()));
        }
        // Nothing that waits for time alone is forgotten.
        for instance in &facts.tasks {
            let may_start = instance.next_at.is_some_and(|due| due > at(10));
            if may_start && facts.tasks[0].state != TaskState::NoStatus && instance.task.index() == 0 {
                assert!(decision.wake_at.is_some(), "{instance:?}");
            }
        }
    });
    assert!(worlds > 100_000, "only {worlds} worlds");
}

#[test]
fn in_every_small_world_an_edit_is_followed_by_a_sound_pass() {
    let all = Selection::default;
    let edits = [
        Edit::Clear { tasks: all(), only_failed: false },
        Edit::Clear { tasks: all(), only_failed: true },
        Edit::MarkTasks { tasks: all(), state: TaskState::Success },
        Edit::MarkTasks {
            tasks: Selection { tasks: Some(vec![("a".into(), None)]), ..all() },
            state: TaskState::Skipped,
        },
        Edit::MarkRun { state: RunState::Success },
        Edit::Cancel,
    ];
    each(|choose| {
        let edit = choose.pick(&edits);
        let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("b", &["a"]).build());
        facts.tasks[0].state = choose.pick(TaskState::ALL);
        facts.tasks[1].state = choose.pick(TaskState::ALL);
        facts.run.state = choose.pick(RunState::ALL);
        facts.tasks[0].try_number = 1;
        facts.attempts[0] = attempt(choose);
        facts.edit(&edit, at(10)).unwrap();
        let again = facts.clone().edit(&edit, at(10)).unwrap();
        assert_eq!(again.changes, [], "{edit:?} twice");
        facts.start(at(11));
        facts.decide(at(11));
    });
}

#[test]
fn deciding_about_a_queued_run_changes_no_task() {
    each(|choose| {
        let mut facts = small_world(choose);
        facts.run.state = RunState::Queued;
        let decision = decide(&facts.view(), at(10));
        assert_eq!((decision.changes.len(), decision.run), (0, None));
    });
}

#[test]
fn two_upstream_tasks_in_every_state_under_every_rule() {
    each(|choose| {
        let rule = choose.pick(TriggerRule::ALL);
        let dag = DagBuilder::new()
            .task("a", &[])
            .task("b", &[])
            .task("x", &["a", "b"])
            .with(|task| task.trigger_rule = rule)
            .task("y", &["x"])
            .build();
        let mut facts = Facts::new(dag);
        let states = [choose.pick(TaskState::ALL), choose.pick(TaskState::ALL)];
        for (instance, state) in facts.tasks.iter_mut().zip(states) {
            instance.state = state;
            instance.try_number = 1;
        }
        facts.decide(at(1));
        let upstream = [facts.state("a"), facts.state("b")];
        let all_done = upstream.iter().all(|state| state.is_finished());
        let expected = match judge(rule, Tally::of(upstream)) {
            Verdict::Wait => TaskState::NoStatus,
            Verdict::Run => TaskState::Scheduled,
            Verdict::Settle(state) => state,
        };
        assert_eq!(facts.state("x"), expected, "{rule} of {upstream:?}");
        assert_eq!(facts.state("x") == TaskState::Scheduled && all_done, all_done && may_run(rule, &upstream));
        // What settles, settles what is below it in the same pass.
        let below = if expected.is_finished() { expected } else { TaskState::NoStatus };
        assert_eq!(facts.state("y"), below, "below {expected}");
    });
}

fn candidate(name: &str, pool: &str, pool_slots: u32, priority_weight: i64, date: u64) -> Waiting {
    Waiting {
        run: RunKey(1),
        dag_id: "d".into(),
        task_id: name.into(),
        map_index: -1,
        pool: pool.into(),
        pool_slots,
        priority_weight,
        logical_date: at(date),
        max_active_tasks: 100,
        max_active_tis_per_dag: None,
        max_active_tis_per_dagrun: None,
    }
}

#[test]
fn in_every_small_pool_the_slots_go_to_the_first_and_other_pools_do_not_matter() {
    each(|choose| {
        let waiting: Vec<_> = ["a", "b", "c"]
            .map(|name| {
                let pool = choose.pick(&["p", "q"]);
                candidate(name, pool, choose.pick(&[1, 2, 4]), choose.pick(&[0, 1]), 0)
            })
            .into();
        let free = i64::try_from(choose.below(4)).expect("a small number");
        let pools: BTreeMap<_, _> = [("p".to_owned(), free), ("q".to_owned(), 2)].into();
        let pool_sizes: BTreeMap<_, _> = [("p".to_owned(), 3), ("q".to_owned(), 2)].into();
        let room = Room { pools, pool_sizes, ..Room::default() };
        let mut left = room.clone();
        let granted = hand_out(&waiting, &mut left);
        assert!(left.pools.values().all(|&free| free >= 0), "{left:?}");

        let order = in_order(&waiting);
        for (rank, &place) in order.iter().enumerate() {
            if granted.contains(&place) {
                continue;
            }
            let one = &waiting[place];
            let fits = i64::from(one.pool_slots) <= left.pools[&one.pool];
            let is_held = order[..rank].iter().any(|&earlier| {
                let earlier_one = &waiting[earlier];
                earlier_one.pool == one.pool
                    && !granted.contains(&earlier)
                    && i64::from(earlier_one.pool_slots) <= room.pool_sizes[&one.pool]
            });
            assert!(!fits || is_held, "`{}` fits, and nothing holds it: {waiting:?} {room:?}", one.task_id);
        }
        for pool in ["p", "q"] {
            let alone: Vec<usize> = (0..3).filter(|&place| waiting[place].pool == pool).collect();
            let only: Vec<_> = alone.iter().map(|&place| waiting[place].clone()).collect();
            let mut granted_alone: Vec<_> =
                hand_out(&only, &mut room.clone()).into_iter().map(|place| alone[place]).collect();
            let mut granted_here: Vec<_> = granted.iter().copied().filter(|place| alone.contains(place)).collect();
            granted_alone.sort_unstable();
            granted_here.sort_unstable();
            assert_eq!(granted_alone, granted_here);
        }
    });
}

#[test]
fn a_big_task_gets_its_turn_in_a_stream_of_small_ones() {
    let sizes: BTreeMap<_, _> = [("p".to_owned(), 4)].into();
    let mut waiting = vec![candidate("big", "p", 4, 1, 0)];
    // When the tasks that hold slots end.
    let mut ends: Vec<u64> = vec![1, 2, 3];
    for tick in 0..20 {
        ends.retain(|&end| end > tick);
        waiting.extend([0, 1].map(|n| candidate(&format!("small{tick}{n}"), "p", 1, 1, tick + 1)));
        let free = 4 - i64::try_from(ends.len()).expect("a small number");
        let mut room = Room { pools: [("p".to_owned(), free)].into(), pool_sizes: sizes.clone(), ..Room::default() };
        let mut granted = hand_out(&waiting, &mut room);
        if granted.contains(&0) {
            assert!(tick <= 3, "the big task waited until {tick}");
            return;
        }
        granted.sort_unstable();
        for place in granted.into_iter().rev() {
            waiting.remove(place);
            ends.push(tick + 3);
        }
    }
    panic!("the big task never got its turn");
}
