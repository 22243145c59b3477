//! Attempts: who takes them, who may report, and what a report leaves behind.

use std::time::Duration;

use flow_core::{
    Outcome, RunKey, TaskState,
    engine::{Edit, Selection},
};
use flow_store::{AttemptKey, Claimed, EditOptions, Report, RunRow};
use serde_json::{Value, json};

use crate::{
    support::both,
    world::{LEASE, World, at, failed, report},
};

/// Tasks beside each other: id, priority, queue.
async fn wide(w: World, tasks: &[(&str, u32, &str)]) -> (World, RunRow) {
    let tasks: String = tasks
        .iter()
        .map(|(id, weight, queue)| {
            format!("  - {{ id: {id}, uses: work, weight_rule: absolute, priority_weight: {weight}, queue: {queue}, retries: 2, retry_delay: 10s }}\n")
        })
        .collect();
    w.save("wide.yaml", &format!("dag_id: wide\nmax_active_tasks: 500\ntasks:\n{tasks}"), at(0)).await;
    let row = w.trigger("wide", at(1)).await;
    w.start(row.run.key, at(2)).await;
    w.grant(at(3)).await;
    (w, row)
}

async fn one(w: World) -> (World, RunRow) {
    wide(w, &[("a", 1, "default")]).await
}

fn names(claimed: &[Claimed]) -> Vec<&str> {
    let mut names: Vec<_> = claimed.iter().map(|claimed| claimed.key.task_id.as_str()).collect();
    names.sort_unstable();
    names
}

async fn kept(w: &World, worker: &str) -> Vec<String> {
    let mut tx = w.store.begin().await.unwrap();
    tx.kept_attempts(worker).await.unwrap().into_iter().map(|kept| kept.key.task_id).collect()
}

async fn unsettled(w: &World, run: RunKey) -> Vec<(u32, bool)> {
    let mut tx = w.store.begin().await.unwrap();
    let found: Vec<(AttemptKey, flow_core::Attempt)> = tx.unsettled_attempts(&[run]).await.unwrap();
    found.into_iter().map(|(key, attempt)| (key.try_number, attempt.outcome.is_some())).collect()
}

both! {
    async fn the_best_are_claimed_first_then_the_oldest(w: World) {
        let (w, _) = wide(w, &[("low", 1, "default"), ("high", 9, "default"), ("mid", 5, "default"), ("also_mid", 5, "default")]).await;
        w.meddle("UPDATE attempt SET queued_at = queued_at + 1 WHERE task_id = 'also_mid'").await;
        for expected in ["high", "mid", "also_mid", "low"] {
            assert_eq!(names(&w.claim("w1", 1, at(4)).await), [expected]);
        }
        assert!(w.claim("w1", 1, at(4)).await.is_empty());
    }

    async fn a_worker_takes_only_from_its_queues(w: World) {
        let (w, _) = wide(w, &[("a", 1, "default"), ("b", 1, "gpu"), ("c", 1, "big")]).await;
        let claim = async |queues: &[&str]| {
            let queues: Vec<String> = queues.iter().map(|queue| (*queue).to_owned()).collect();
            let mut tx = w.store.begin().await.unwrap();
            let claimed = tx.claim(("w1", "host"), &queues, 9, at(60), at(4)).await.unwrap();
            tx.commit().await.unwrap();
            claimed.into_iter().map(|claimed| claimed.key.task_id).collect::<Vec<_>>()
        };
        assert_eq!(claim(&[]).await, [""; 0]);
        assert_eq!(claim(&["gpu"]).await, ["b"]);
        let mut rest = claim(&["gpu", "big", "default"]).await;
        rest.sort_unstable();
        assert_eq!(rest, ["a", "c"]);
    }

    async fn the_log_of_an_attempt_is_in_use_until_it_cannot_go_on(w: World) {
        let (w, row) = one(w).await;
        let in_use = async || {
            let logs = w.store.logs_in_use().await.unwrap();
            let mut found: Vec<_> = logs.into_iter().map(|log| (log.dag_id, log.run_id, log.task_id, log.map_index, log.try_number)).collect();
            found.dedup();
            found
        };
        let name = ("wide".to_owned(), row.run.run_id.to_string(), "a".to_owned(), -1, 1);
        w.claim("w1", 9, at(4)).await;
        assert_eq!(in_use().await, std::slice::from_ref(&name));
        // Between two looks of a sensor the attempt has ended, but goes on under the same number.
        w.meddle("UPDATE attempt SET ended_at = 5, outcome = '{\"outcome\":\"cancelled\"}', settled = TRUE").await;
        w.meddle("UPDATE task_instance SET state = 'up_for_reschedule', next_at = 5").await;
        assert_eq!(in_use().await, std::slice::from_ref(&name));
        w.meddle("UPDATE task_instance SET state = 'success', ended_at = 5").await;
        assert_eq!(in_use().await, []);
        // The run has ended, but a worker is still at it.
        w.meddle("UPDATE dag_run SET state = 'failed', ended_at = 5").await;
        w.meddle("UPDATE attempt SET ended_at = NULL, outcome = NULL").await;
        assert_eq!(in_use().await, [name]);
    }

    async fn a_claim_starts_the_task_and_says_all_the_worker_needs(w: World) {
        let (w, row) = one(w).await;
        w.meddle("DELETE FROM wake").await;
        let claimed = w.claim("w1", 9, at(4)).await.pop().unwrap();
        assert_eq!(claimed.key, AttemptKey { run: row.run.key, task_id: "a".to_owned(), map_index: -1, try_number: 1 });
        assert_eq!((claimed.dag_id.as_str(), claimed.started_at, claimed.max_tries, claimed.lost), ("wide", at(4), 2, 0));
        assert_eq!(claimed.memory, Value::Null);
        let task = w.task(row.run.key, "a").await;
        assert_eq!((task.state, task.started_at, task.hostname.as_deref()), (TaskState::Running, Some(at(4)), Some("host")));
        let found = w.store.tries(row.run.key, "a", -1).await.unwrap().pop().unwrap();
        assert_eq!((found.worker.as_deref(), found.hostname.as_deref(), found.started_at), (Some("w1"), Some("host"), Some(at(4))));
        let last = w.store.events_after(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((last.task_id.as_deref(), last.state.as_deref(), last.try_number), (Some("a"), Some("running"), Some(1)));
        assert_eq!(last.run_id.as_deref(), Some(row.run.run_id.as_str()));
        assert_eq!(w.numbers("SELECT due FROM wake").await, [(at(4) + LEASE).as_micros()], "someone looks when the lease ends");
    }

    async fn two_workers_never_claim_the_same(w: World) {
        let ids: Vec<String> = (0..60).map(|number| format!("t{number:02}")).collect();
        let tasks: Vec<_> = ids.iter().map(|id| (id.as_str(), 1, "default")).collect();
        let (w, _) = wide(w, &tasks).await;
        let mut workers = tokio::task::JoinSet::new();
        for number in 0..4 {
            let w = w.clone();
            workers.spawn(async move {
                let mut taken = Vec::new();
                let mut empty = 0;
                while empty < 3 {
                    let claimed = w.claim(&format!("w{number}"), 3, at(4)).await;
                    empty = if claimed.is_empty() { empty + 1 } else { 0 };
                    taken.extend(claimed.into_iter().map(|claimed| claimed.key.task_id));
                }
                taken
            });
        }
        let mut taken = workers.join_all().await.concat();
        taken.sort_unstable();
        assert_eq!(taken, ids);
    }

    async fn what_another_transaction_is_claiming_is_passed_over(w: World) {
        let (w, _) = wide(w, &[("a", 9, "default"), ("b", 1, "default")]).await;
        if w.db.is_sqlite() {
            return; // There is one writer: claims come one after the other.
        }
        let queues = ["default".to_owned()];
        let mut first = w.store.begin().await.unwrap();
        assert_eq!(names(&first.claim(("w1", "h"), &queues, 1, at(60), at(4)).await.unwrap()), ["a"]);
        assert_eq!(names(&w.claim("w2", 9, at(4)).await), ["b"]);
        first.rollback().await.unwrap();
        assert_eq!(names(&w.claim("w2", 9, at(4)).await), ["a"]);
    }

    async fn a_task_cleared_while_it_was_queued_is_not_run(w: World) {
        let (w, row) = one(w).await;
        let clear = Edit::Clear { tasks: Selection::default(), only_failed: false };
        let name = ("wide", row.run.run_id.as_str());
        w.store.edit_run(&w.dags, name, &clear, EditOptions::default(), at(4)).await.unwrap();
        assert!(w.claim("w1", 9, at(5)).await.is_empty());
        // The same, when the clear and the claim do not know of each other.
        w.decide(row.run.key, at(6)).await;
        w.grant(at(7)).await;
        w.meddle("UPDATE task_instance SET state = 'no_status'").await;
        assert!(w.claim("w1", 9, at(8)).await.is_empty());
        assert_eq!(w.state(row.run.key, "a").await, TaskState::NoStatus);
        assert_eq!(w.count("attempt", "ended_at IS NULL").await, 0, "and it holds no slot");
    }

    async fn the_token_grows_with_each_claim_of_a_try(w: World) {
        let (w, row) = one(w).await;
        let first = w.claim("w1", 9, at(4)).await.pop().unwrap();
        assert!(w.finish(report(&first, Outcome::Reschedule { at: at(10) }, at(5))).await);
        w.decide(row.run.key, at(6)).await;
        assert_eq!(w.state(row.run.key, "a").await, TaskState::UpForReschedule);
        w.decide(row.run.key, at(10)).await;
        w.grant(at(10)).await;
        let second = w.claim("w2", 9, at(11)).await.pop().unwrap();
        assert_eq!(second.key, first.key);
        assert!(second.token > first.token);
        assert_eq!(second.started_at, at(4), "a sensor's try begins with its first look");
        assert!(!w.finish(report(&first, Outcome::Success, at(12))).await, "the report of an earlier claim");
        assert!(w.finish(report(&second, Outcome::Success, at(12))).await);
        assert!(!w.finish(report(&second, failed(), at(13))).await, "a second report");
        let found = w.store.tries(row.run.key, "a", -1).await.unwrap().pop().unwrap();
        assert_eq!((found.outcome, found.ended_at), (Some(Outcome::Success), Some(at(12))));
    }

    async fn a_report_after_the_attempt_was_given_up_leaves_nothing(w: World) {
        let (w, row) = one(w).await;
        let claimed = w.claim("w1", 9, at(4)).await.pop().unwrap();
        w.decide(row.run.key, at(4) + LEASE).await;
        assert_ne!(w.state(row.run.key, "a").await, TaskState::Running);
        w.meddle("DELETE FROM wake").await;
        let late = Report { xcoms: vec![("k".to_owned(), json!(1))], rendered: json!({}), ..report(&claimed, Outcome::Success, at(70)) };
        assert!(!w.finish(late).await);
        assert!(w.store.xcoms(row.run.key, "a", -1).await.unwrap().is_empty());
        assert_eq!(w.store.rendered(row.run.key, "a", -1).await.unwrap(), None);
        assert_eq!(w.count("wake", "TRUE").await, 0);
        assert!(matches!(w.store.tries(row.run.key, "a", -1).await.unwrap()[0].outcome, Some(Outcome::Lost { .. })));
    }

    async fn a_report_brings_xcoms_and_rendered_fields(w: World) {
        let (w, row) = one(w).await;
        let claimed = w.claim("w1", 9, at(4)).await.pop().unwrap();
        let value = json!({"text": "ü\"\n", "big": 9_007_199_254_740_993_i64, "list": [null, true, 1.5]});
        let full = Report {
            xcoms: vec![("return_value".to_owned(), value.clone()), ("k".to_owned(), Value::Null)],
            rendered: json!({"bash_command": "echo ***"}),
            ..report(&claimed, Outcome::Success, at(5))
        };
        assert!(w.finish(full).await);
        let run = row.run.key;
        assert_eq!(w.store.xcom(run, "a", "return_value").await.unwrap(), [(-1, value.clone())]);
        assert_eq!(w.store.xcoms(run, "a", -1).await.unwrap(), [("k".to_owned(), Value::Null), ("return_value".to_owned(), value)]);
        assert!(w.store.xcom(run, "a", "other").await.unwrap().is_empty());
        assert!(w.store.xcom(run, "b", "k").await.unwrap().is_empty());
        assert_eq!(w.store.rendered(run, "a", -1).await.unwrap(), Some(json!({"bash_command": "echo ***"})));
    }

    async fn a_new_try_replaces_the_xcoms_of_the_one_before(w: World) {
        let (w, row) = one(w).await;
        let run = row.run.key;
        let first = w.claim("w1", 9, at(4)).await.pop().unwrap();
        let xcoms = vec![("old".to_owned(), json!(1)), ("both".to_owned(), json!(1))];
        assert!(w.finish(Report { xcoms, ..report(&first, failed(), at(5)) }).await);
        w.decide(run, at(5)).await;
        assert_eq!(w.state(run, "a").await, TaskState::UpForRetry);
        w.decide(run, at(15)).await;
        w.grant(at(15)).await;
        let second = w.claim("w1", 9, at(16)).await.pop().unwrap();
        assert_eq!(second.key.try_number, 2);
        assert!(w.finish(Report { xcoms: vec![("both".to_owned(), json!(2))], ..report(&second, Outcome::Success, at(17)) }).await);
        assert_eq!(w.store.xcoms(run, "a", -1).await.unwrap(), [("both".to_owned(), json!(2))]);
        let tries = w.store.tries(run, "a", -1).await.unwrap();
        assert_eq!(tries.iter().map(|found| (found.try_number, found.failure().is_some())).collect::<Vec<_>>(), [(1, true), (2, false)]);
    }

    async fn a_sensor_keeps_its_memory_between_looks_and_not_between_tries(w: World) {
        let (w, row) = one(w).await;
        let run = row.run.key;
        let mut now = 4;
        let mut look = async |outcome: Outcome, memory: Value, wait: u64| {
            let claimed = w.claim("w1", 9, at(now)).await.pop().unwrap();
            let before = claimed.memory.clone();
            assert!(w.finish(Report { memory, ..report(&claimed, outcome, at(now)) }).await);
            w.decide(run, at(now)).await;
            now += wait;
            w.decide(run, at(now)).await;
            w.grant(at(now)).await;
            before
        };
        assert_eq!(look(Outcome::Reschedule { at: at(10) }, json!({"n": 1}), 10).await, Value::Null);
        assert_eq!(look(Outcome::Reschedule { at: at(20) }, json!({"n": 2}), 10).await, json!({"n": 1}));
        assert_eq!(look(failed(), json!({"n": 3}), 20).await, json!({"n": 2}));
        assert_eq!(look(Outcome::Success, Value::Null, 1).await, Value::Null, "a new try begins without memory");
        assert_eq!(w.state(run, "a").await, TaskState::Success);
    }

    async fn reports_are_judged_one_by_one(w: World) {
        let (w, row) = wide(w, &[("a", 3, "default"), ("b", 2, "default"), ("c", 1, "default")]).await;
        let claimed = w.claim("w1", 9, at(4)).await;
        let of = |task: &str| claimed.iter().find(|claimed| claimed.key.task_id == task).unwrap();
        let with = |task: &str, outcome: Outcome, value: Value| Report {
            xcoms: vec![("k".to_owned(), json!("overwritten")), ("k".to_owned(), value)],
            ..report(of(task), outcome, at(5))
        };
        let stale = Report { token: of("b").token + 1, ..with("b", Outcome::Success, json!("nonsense")) };
        let reports = [
            with("c", Outcome::Success, json!(3)),
            stale,
            with("a", Outcome::Success, json!(1)),
            with("a", failed(), json!("too late")),
            Report { rendered: json!({"text": "x".repeat(2 * 1024 * 1024)}), ..with("b", failed(), json!(2)) },
        ];
        w.meddle("DELETE FROM wake").await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.finish_all(&reports).await.unwrap(), [true, false, true, false, true]);
        assert!(tx.finish_all(&[]).await.unwrap().is_empty());
        tx.commit().await.unwrap();
        let run = row.run.key;
        for (task, value) in [("a", 1), ("b", 2), ("c", 3)] {
            assert_eq!(w.store.xcoms(run, task, -1).await.unwrap(), [("k".to_owned(), json!(value))], "{task}");
        }
        assert!(w.store.rendered(run, "b", -1).await.unwrap().is_some());
        assert_eq!(w.store.tries(run, "a", -1).await.unwrap()[0].outcome, Some(Outcome::Success));
        assert_eq!(w.numbers("SELECT DISTINCT run FROM wake").await, [run.0], "and the run is looked at");
    }

    async fn a_worker_keeps_what_still_runs(w: World) {
        let (w, row) = wide(w, &[("a", 1, "default"), ("b", 1, "default"), ("c", 1, "default"), ("d", 1, "default")]).await;
        let claimed = w.claim("w1", 9, at(4)).await;
        let of = |task: &str| claimed.iter().find(|claimed| claimed.key.task_id == task).unwrap();
        assert_eq!(kept(&w, "w1").await.len(), 4);
        assert_eq!(kept(&w, "w2").await, [""; 0]);
        assert!(w.finish(report(of("a"), Outcome::Success, at(5))).await);
        let only = |task: &str| Selection { tasks: Some(vec![(task.into(), None)]), ..Selection::default() };
        let edits = [Edit::Clear { tasks: only("b"), only_failed: false }, Edit::MarkTasks { tasks: only("c"), state: TaskState::Success }];
        for edit in edits {
            w.store.edit_run(&w.dags, ("wide", row.run.run_id.as_str()), &edit, EditOptions::default(), at(6)).await.unwrap();
        }
        assert_eq!(w.state(row.run.key, "b").await, TaskState::Restarting);
        assert_eq!(kept(&w, "w1").await, ["d"]);
        let mut tx = w.store.begin().await.unwrap();
        let found = tx.kept_attempts("w1").await.unwrap().pop().unwrap();
        assert_eq!((found.token, found.dag_id.as_str()), (of("d").token, "wide"));
    }

    async fn attempts_are_unsettled_until_the_scheduler_has_used_them(w: World) {
        let (w, row) = one(w).await;
        let run = row.run.key;
        assert_eq!(unsettled(&w, run).await, [(1, false)]);
        let claimed = w.claim("w1", 9, at(4)).await.pop().unwrap();
        assert!(w.finish(report(&claimed, failed(), at(5))).await);
        assert_eq!(unsettled(&w, run).await, [(1, true)]);
        w.decide(run, at(6)).await;
        assert_eq!(unsettled(&w, run).await, []);
        assert_eq!(unsettled(&w, RunKey(99)).await, []);
    }

    async fn a_heartbeat_lengthens_the_leases_of_its_own_attempts(w: World) {
        let (w, row) = wide(w, &[("a", 9, "default"), ("b", 1, "default")]).await;
        w.claim("w1", 1, at(4)).await;
        w.claim("w2", 1, at(4)).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.heartbeat("w1", at(500), at(10)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.numbers("SELECT lease_until FROM attempt ORDER BY task_id").await, [at(500).as_micros(), (at(4) + LEASE).as_micros()]);
        w.decide(row.run.key, at(4) + LEASE + Duration::from_secs(1)).await;
        assert_eq!(w.state(row.run.key, "a").await, TaskState::Running);
        assert_ne!(w.state(row.run.key, "b").await, TaskState::Running);
    }
}
