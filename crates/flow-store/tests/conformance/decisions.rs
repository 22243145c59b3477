//! Facts for the engine, and writing what it decided.

use flow_core::{
    Outcome, RunState, TaskState,
    engine::{Change, Decision, RunChange},
};
use flow_store::{RunDecision, StoreError};

use crate::{
    support::both,
    world::{World, at, facts, failed, report},
};

const LOOKS_BACK: &str =
    "dag_id: back\ntasks:\n  - { id: a, uses: work, depends_on_past: true }\n  - { id: b, uses: work }\n";

both! {
    async fn facts_are_in_the_order_of_the_dag_with_attempts_beside_them(w: World) {
        w.save("d.yaml", "dag_id: d\ntasks:\n  - { id: z, uses: work }\n  - { id: a, uses: work, needs: [z] }\n  - { id: m, uses: work }\n", at(0)).await;
        let run = w.trigger("d", at(1)).await.run.key;
        w.start(run, at(2)).await;
        w.grant(at(3)).await;
        w.meddle("UPDATE attempt SET priority_weight = 99 WHERE task_id = 'm'").await;
        w.claim("w1", 1, at(4)).await;
        let mut tx = w.store.begin().await.unwrap();
        let facts = facts(&mut tx, &w, run).await;
        let view = facts.view();
        let seen: Vec<_> = view
            .tasks
            .iter()
            .zip(view.attempts)
            .map(|(ti, attempt)| (view.dag.task(ti.task).id.as_str(), ti.state, attempt.as_ref().map(|attempt| attempt.is_claimed)))
            .collect();
        let expected = [("z", TaskState::Queued, Some(false)), ("a", TaskState::NoStatus, None), ("m", TaskState::Running, Some(true))];
        for expected in expected {
            assert!(seen.contains(&expected), "{seen:?}");
        }
        assert!(view.tasks.is_sorted_by_key(|ti| (ti.task, ti.map_index)));
        assert_eq!((view.run.key, view.max_infrastructure_retries), (run, 3));
        assert!(view.previous.is_none());
    }

    async fn a_run_that_looks_back_is_told_of_the_one_before(w: World) {
        w.save("back.yaml", LOOKS_BACK, at(0)).await;
        let (first, second) = (w.trigger("back", at(1)).await.run.key, w.trigger("back", at(2)).await.run.key);
        let claimed = w.running(first, "w1", at(3)).await;
        let a = claimed.iter().find(|claimed| claimed.key.task_id == "a").unwrap();
        assert!(w.finish(report(a, failed(), at(4))).await);
        w.decide(first, at(5)).await;
        let mut tx = w.store.begin().await.unwrap();
        let second_facts = facts(&mut tx, &w, second).await;
        let previous = second_facts.view().previous.unwrap();
        assert_eq!((previous.state, previous.tasks["a"], previous.tasks["b"]), (RunState::Running, TaskState::Failed, TaskState::Running));
        assert!(facts(&mut tx, &w, first).await.view().previous.is_none());
    }

    async fn a_task_that_ends_wakes_the_run_that_looks_back_at_it(w: World) {
        w.save("back.yaml", LOOKS_BACK, at(0)).await;
        let (first, second) = (w.trigger("back", at(1)).await.run.key, w.trigger("back", at(2)).await.run.key);
        w.running(first, "w1", at(3)).await;
        w.meddle("DELETE FROM wake").await;
        for (task, expected) in [("b", vec![]), ("a", vec![second.0])] {
            let claimed = w.numbers(&format!("SELECT token FROM attempt WHERE task_id = '{task}'")).await[0];
            let key = flow_store::AttemptKey { run: first, task_id: task.to_owned(), map_index: -1, try_number: 1 };
            let report = flow_store::Report {
                key,
                dag_id: "back".to_owned(),
                token: claimed,
                outcome: Outcome::Success,
                xcoms: Vec::new(),
                rendered: serde_json::Value::Null,
                memory: serde_json::Value::Null,
                ended_at: at(4),
            };
            assert!(w.finish(report).await);
            w.meddle("DELETE FROM wake").await;
            w.decide(first, at(5)).await;
            assert_eq!(w.numbers(&format!("SELECT run FROM wake WHERE run <> {}", first.0)).await, expected, "{task}");
        }
    }

    async fn tasks_that_are_gone_are_removed_and_their_attempts_settled(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let claimed = w.running(run, "w1", at(2)).await;
        assert!(w.finish(report(&claimed[0], Outcome::Success, at(3))).await);
        w.meddle("UPDATE attempt SET task_id = 'gone'").await;
        w.meddle("UPDATE task_instance SET task_id = 'gone' WHERE task_id = 'a'").await;
        w.decide(run, at(4)).await;
        assert_eq!((w.state(run, "gone").await, w.count("attempt", "NOT settled").await), (TaskState::Removed, 0));
    }

    async fn attempts_without_a_task_instance_are_settled(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let claimed = w.running(run, "w1", at(2)).await;
        assert!(w.finish(report(&claimed[0], Outcome::Success, at(3))).await);
        w.meddle("DELETE FROM task_instance WHERE task_id = 'a'").await;
        w.decide(run, at(4)).await;
        assert_eq!(w.count("attempt", "NOT settled").await, 0);
    }

    async fn an_attempt_that_was_superseded_is_settled(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let claimed = w.running(run, "w1", at(2)).await;
        assert!(w.finish(report(&claimed[0], failed(), at(3))).await);
        w.meddle(
            "INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight, queued_at, settled)
             SELECT run, task_id, map_index, 2, 0, dag_id, pool, pool_slots, queue, priority_weight, queued_at, FALSE FROM attempt",
        )
        .await;
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        assert_eq!(known.view().attempts.iter().flatten().map(|attempt| attempt.try_number).collect::<Vec<_>>(), [2]);
        tx.commit().await.unwrap();
        assert_eq!(w.numbers("SELECT try_number FROM attempt WHERE NOT settled").await, [2]);
    }

    async fn a_run_whose_version_cannot_be_read_harms_only_itself(w: World) {
        let w = w.with_chain().await;
        w.save("other.yaml", "dag_id: other\ntasks: [{ id: t }]\n", at(0)).await;
        let (bad, good) = (w.trigger("chain", at(1)).await, w.trigger("other", at(1)).await);
        w.meddle("UPDATE dag_source SET text = 'dag_id: chain\ntasks: [{ id: a, uses: nonsense }]' WHERE hash LIKE 'dag_id: chain%'").await;
        let fresh = flow_store::DagCache::new(crate::world::catalog());
        let mut tx = w.store.begin().await.unwrap();
        let rows = tx.runs(&[bad.run.key, good.run.key]).await.unwrap();
        let mut told = Vec::new();
        let facts = tx.facts(rows, &fresh, 3, |row, error| told.push((row.run.key, error.to_string()))).await.unwrap();
        assert_eq!(facts.iter().map(|facts| facts.row.run.key).collect::<Vec<_>>(), [good.run.key]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, bad.run.key);
        assert!(told[0].1.contains("chain version 1") && told[0].1.contains("nonsense"), "{}", told[0].1);
    }

    async fn a_decision_from_a_state_that_is_not_there_does_nothing(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.running(run, "w1", at(2)).await;
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        let mut to = known.view().tasks[1].clone();
        to.state = TaskState::Scheduled;
        let good = Change { at: 1, from: TaskState::NoStatus, to, why: String::new() };
        let mut to = known.view().tasks[0].clone();
        to.state = TaskState::Queued;
        let stale = Change { at: 0, from: TaskState::Scheduled, to, why: String::new() };
        let decision = Decision { changes: vec![stale, good], wake_at: Some(at(9)), ..Decision::default() };
        let error = tx.apply(&[RunDecision::new(&known.view(), &decision, None)], at(3)).await.unwrap_err();
        assert!(matches!(&error, StoreError::Conflict(_)) && error.is_passing(), "{error}");
        drop(tx);
        assert_eq!(w.state(run, "b").await, TaskState::NoStatus);
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        let start = RunChange { from: RunState::Queued, to: RunState::Running, why: String::new() };
        let decision = Decision { run: Some(start), ..Decision::default() };
        let error = tx.apply(&[RunDecision::new(&known.view(), &decision, None)], at(3)).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "a run that is not queued does not start");
    }

    async fn a_run_is_started_ended_and_queued_again(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let run = row.run.key;
        let seen = async || {
            let row = w.store.run("chain", row.run.run_id.as_str()).await.unwrap().unwrap().run;
            (row.state, row.queued_at, row.started_at, row.ended_at, row.clear_number)
        };
        let change = async |from: RunState, to: RunState, second: u64| {
            let mut tx = w.store.begin().await.unwrap();
            let known = facts(&mut tx, &w, run).await;
            let decision = Decision { run: Some(RunChange { from, to, why: "so".to_owned() }), ..Decision::default() };
            let decision = RunDecision::new(&known.view(), &decision, Some("ann"));
            assert_eq!(decision.ends_run(), to.is_finished());
            tx.apply(&[decision], at(second)).await.unwrap();
            tx.commit().await.unwrap();
        };
        use RunState::*;
        assert_eq!(seen().await, (Queued, at(1), None, None, 0));
        change(Queued, Running, 2).await;
        assert_eq!(seen().await, (Running, at(1), Some(at(2)), None, 0));
        w.meddle("UPDATE dag SET due_at = NULL, is_blocked = TRUE").await;
        change(Running, Failed, 3).await;
        assert_eq!(seen().await, (Failed, at(1), Some(at(2)), Some(at(3)), 0));
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.due_at, dag.is_blocked), (Some(at(3)), false), "a run that ends may make room for the next");
        change(Failed, Success, 4).await;
        assert_eq!(seen().await, (Success, at(1), Some(at(2)), Some(at(4)), 0));
        w.meddle("DELETE FROM wake").await;
        change(Success, Queued, 5).await;
        assert_eq!(seen().await, (Queued, at(5), None, None, 1));
        assert_eq!(w.numbers("SELECT run FROM wake").await, [run.0], "and it is looked at");
        let last = w.store.events_after(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((last.state.as_deref(), last.detail.as_deref(), last.who.as_deref()), (Some("queued"), Some("so"), Some("ann")));
    }

    async fn everything_the_engine_knows_of_a_task_is_kept(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.start(run, at(2)).await;
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        let mut to = known.view().tasks[0].clone();
        to.state = TaskState::Success;
        (to.try_number, to.max_tries, to.lost) = (7, 8, 2);
        (to.next_at, to.started_at, to.ended_at) = (Some(at(11)), Some(at(12)), Some(at(13)));
        to.skips = flow_core::run::Skips::AllBut(vec!["b".into()]);
        let from = known.view().tasks[0].state;
        let decision = Decision { changes: vec![Change { at: 0, from, to: to.clone(), why: String::new() }], ..Decision::default() };
        tx.apply(&[RunDecision::new(&known.view(), &decision, None)], at(3)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(facts(&mut tx, &w, run).await.view().tasks[0], to);
    }

    async fn times_follow_the_state(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.start(run, at(2)).await;
        w.grant(at(3)).await;
        let task = w.task(run, "a").await;
        assert_eq!((task.scheduled_at, task.queued_at, task.started_at), (Some(at(2)), Some(at(3)), None));
        w.claim("w1", 1, at(4)).await;
        assert_eq!(w.task(run, "a").await.started_at, Some(at(4)));
    }

    async fn attempts_that_nobody_needs_are_given_up(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.start(run, at(2)).await;
        w.grant(at(3)).await;
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        let give_up = Decision { given_up: vec![0], ..Decision::default() };
        tx.apply(&[RunDecision::new(&known.view(), &give_up, None)], at(4)).await.unwrap();
        tx.commit().await.unwrap();
        let found = w.store.tries(run, "a", -1).await.unwrap().pop().unwrap();
        assert_eq!((found.outcome, found.ended_at), (Some(Outcome::Cancelled), Some(at(4))));
        assert_eq!(w.count("attempt", "NOT settled").await, 0);
        assert!(w.claim("w1", 9, at(5)).await.is_empty());
    }

    async fn an_attempt_whose_worker_is_alive_is_not_given_up(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.running(run, "w1", at(2)).await;
        let mut tx = w.store.begin().await.unwrap();
        let known = facts(&mut tx, &w, run).await;
        let give_up = Decision { given_up: vec![0], ..Decision::default() };
        tx.apply(&[RunDecision::new(&known.view(), &give_up, None)], at(4)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.count("attempt", "ended_at IS NULL").await, 1, "the lease holds until it has run out");
    }

    async fn events_come_in_the_order_of_what_happened(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let mut claimed = w.running(run, "w1", at(2)).await;
        while let Some(next) = claimed.pop() {
            assert!(w.finish(report(&next, Outcome::Success, at(3))).await);
            w.decide(run, at(3)).await;
            w.grant(at(3)).await;
            claimed = w.claim("w1", 9, at(3)).await;
        }
        let events = w.store.events_after(0, 100).await.unwrap();
        let told: Vec<_> = events
            .iter()
            .filter(|event| event.kind.ends_with("_state"))
            .map(|event| format!("{} {}", event.task_id.as_deref().unwrap_or("run"), event.state.as_deref().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                "run queued", "run running", "a scheduled", "a queued", "a running", "a success", "b scheduled", "b queued",
                "b running", "b success", "run success"
            ]
        );
        assert!(events.is_sorted_by_key(|event| event.id));
    }

    async fn a_task_row_is_added_once_and_removed(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let run = row.run.key;
        w.start(run, at(2)).await;
        let mut tx = w.store.begin().await.unwrap();
        let cached = w.dags.get(&mut tx, row.version_id).await.unwrap();
        tx.remove_task_instance(run, "b", -1).await.unwrap();
        assert_eq!(tx.task_rows(&[run]).await.unwrap().len(), 1);
        tx.add_task_instances(&row.run, &cached.seeds).await.unwrap();
        let rows = tx.task_rows(&[run]).await.unwrap();
        let states: Vec<_> = rows.iter().map(|task| (task.task_id.as_str(), task.state)).collect();
        assert_eq!(states, [("a", TaskState::Scheduled), ("b", TaskState::NoStatus)], "what is there is left alone");
        assert!(tx.task_rows(&[]).await.unwrap().is_empty());
    }
}
