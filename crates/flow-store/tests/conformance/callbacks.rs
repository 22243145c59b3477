//! Callbacks: written with the change that they are about, taken by one at a time, and given back by the dead.

use std::sync::Arc;

use flow_core::{
    Outcome,
    dag::{About, CallbackEvent, Notifications},
};
use flow_store::{
    CALLBACK_TRIES, CALLBACKS_OF_A_KIND, CallbackFilter, CallbackLine, CallbackReport, ClaimedCallback, CleanupPlan,
    Key, Place,
};

use crate::{
    support::both,
    world::{LEASE, World, at, failed, report},
};

const ALARMS: &str = "\
dag_id: alarms
on_failure_callback: [{ uses: bash }]
tasks:
  - { id: a, uses: work, on_failure_callback: [{ uses: bash }, { uses: bash }], on_execute_callback: [{ uses: bash }] }
";

impl World {
    /// Runs a DAG with callbacks to its bad end.
    async fn alarmed(&self) -> i64 {
        self.alarmed_as("alarms").await
    }

    async fn alarmed_as(&self, dag_id: &str) -> i64 {
        self.save(&format!("{dag_id}.yaml"), &ALARMS.replace("alarms", dag_id), at(0)).await;
        let run = self.trigger(dag_id, at(1)).await.run.key;
        let claimed = self.running(run, "w1", at(2)).await;
        assert!(self.finish(report(&claimed[0], failed(), at(3))).await);
        self.decide(run, at(4)).await;
        run.0
    }

    async fn take(&self, limit: usize, seconds: u64) -> Vec<ClaimedCallback> {
        let now = at(seconds);
        self.store.claim_callbacks("w1", limit, now + LEASE, now).await.unwrap()
    }

    async fn lines(&self, filter: &CallbackFilter) -> Vec<CallbackLine> {
        self.store.list_callbacks(filter, 100, None).await.unwrap().rows
    }
}

fn done(claimed: &ClaimedCallback) -> CallbackReport {
    CallbackReport {
        id: claimed.id,
        tries: claimed.tries,
        error: None,
        again_at: None,
        hold_up: None,
        log: "said".to_owned(),
    }
}

both! {
    async fn a_failure_makes_its_callbacks_due_with_the_change_itself(w: World) {
        w.alarmed().await;
        let due = w.take(10, 5).await;
        let seen: Vec<_> = due.iter().map(|one| (one.event, one.task_id.as_deref(), one.number, one.place, one.tries)).collect();
        let a = Some("a");
        let failure = CallbackEvent::Failure;
        assert_eq!(seen, [(failure, a, 1, 0, 1), (failure, a, 1, 1, 1), (failure, None, 0, 0, 1)]);
        assert_eq!((due[0].exception.as_str(), due[2].exception.as_str()), ("command ended with exit code 1", "`a` is failed"));
        assert_eq!(w.take(10, 6).await, [], "nobody else gets them");
    }

    async fn what_every_dag_calls_back_comes_after_its_own_with_what_is_to_be_done(w: World) {
        let mut all = Notifications::default();
        let bash = serde_json::json!({ "uses": "bash" });
        for (about, event) in [(About::Runs, CallbackEvent::Failure), (About::Tasks, CallbackEvent::Failure)] {
            all.add(about, event, &bash, w.dags.catalog()).unwrap();
        }
        let w = World { dags: w.dags.clone().with_notifications(Arc::new(all)), ..w };
        w.alarmed().await;
        let mut due = w.take(10, 5).await;
        for one in due.clone() {
            w.store.finish_callback(&done(&one), at(6)).await.unwrap();
        }
        // No more than so many of a kind at once.
        due.extend(w.take(10, 6).await);
        let seen: Vec<_> = due.iter().map(|one| (one.task_id.as_deref(), one.place, one.given.as_deref())).collect();
        let (a, given) = (Some("a"), Some("{\"uses\":\"bash\"}"));
        assert_eq!(seen, [(a, 0, None), (a, 1, None), (a, 2, given), (None, 0, None), (None, 1, given)]);
    }

    async fn what_is_not_asked_for_writes_nothing(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let claimed = w.running(run, "w1", at(2)).await;
        w.finish(report(&claimed[0], Outcome::Success, at(3))).await;
        w.decide(run, at(4)).await;
        assert_eq!((w.count("callback", "TRUE").await, w.store.next_callback().await.unwrap()), (0, None));
    }

    async fn the_same_event_is_written_once(w: World) {
        w.save("alarms.yaml", ALARMS, at(0)).await;
        let run = w.trigger("alarms", at(1)).await.run;
        let dag = w.dags.read(&w.store, w.store.run("alarms", run.run_id.as_str()).await.unwrap().unwrap().version_id).await.unwrap();
        let callbacks = dag.dag.tasks[0].callbacks.of(CallbackEvent::Execute);
        for _ in 0..3 {
            w.store.begin_callbacks(run.key, ("a", -1), (1, dag.version_id), callbacks, at(2)).await.unwrap();
        }
        assert_eq!(w.count("callback", "event = 'execute'").await, 1);
        w.store.begin_callbacks(run.key, ("a", -1), (2, dag.version_id), callbacks, at(2)).await.unwrap();
        assert_eq!(w.count("callback", "event = 'execute'").await, 2);
    }

    async fn one_is_that_of_the_version_that_the_attempt_began_with(w: World) {
        w.save("alarms.yaml", ALARMS, at(0)).await;
        let row = w.trigger("alarms", at(1)).await;
        let dag = w.dags.read(&w.store, row.version_id).await.unwrap();
        let callbacks = dag.dag.tasks[0].callbacks.of(CallbackEvent::Execute);
        w.save("alarms.yaml", &format!("{ALARMS}  - {{ id: z, uses: work }}\n"), at(2)).await;
        let newer = w.store.dag("alarms").await.unwrap().unwrap().version_id;
        assert_ne!(newer, row.version_id);
        w.meddle(&format!("UPDATE dag_run SET version_id = {newer}")).await;
        w.store.begin_callbacks(row.run.key, ("a", -1), (1, row.version_id), callbacks, at(3)).await.unwrap();
        let claimed = w.take(10, 5).await.pop().unwrap();
        assert_eq!((claimed.version_id, claimed.file.as_str()), (row.version_id, "alarms.yaml"));
    }

    async fn one_that_is_not_understood_keeps_no_other_waiting(w: World) {
        w.alarmed().await;
        let all = w.take(100, 5).await;
        w.meddle("UPDATE callback SET due = 0, worker = NULL").await;
        w.meddle(&format!("UPDATE callback SET event = 'renamed' WHERE id = {}", all[0].id)).await;
        let rest: Vec<i64> = w.take(100, 6).await.iter().map(|claimed| claimed.id).collect();
        assert_eq!(rest, all[1..].iter().map(|claimed| claimed.id).collect::<Vec<_>>());
        let line = async || {
            let filter = CallbackFilter { id: Some(all[0].id), ..CallbackFilter::default() };
            w.lines(&filter).await.pop().unwrap()
        };
        // A newer program finds all its tries, and when it is due.
        let found = line().await;
        assert_eq!((found.state.as_str(), found.tries, found.due), ("pending", 1, at(16).as_micros()));
        assert!(found.error.is_some_and(|words| words.contains("renamed")));
        // None has come: from now on each costs a try, and in the end it fails.
        w.take(100, 4_000).await;
        let found = line().await;
        assert_eq!((found.state.as_str(), found.tries, found.due), ("pending", 2, at(4_020).as_micros()));
        for round in 2..=9 {
            w.take(100, round * 10_000).await;
        }
        let found = line().await;
        assert_eq!((found.state.as_str(), found.tries), ("failed", 10));
        assert!(found.error.is_some_and(|words| words.contains("renamed")));
    }

    async fn one_that_is_left_to_a_newer_program_has_used_up_no_try(w: World) {
        w.alarmed().await;
        let claimed = w.take(1, 5).await.pop().unwrap();
        assert!(w.store.pass_on_callback(&claimed, "what is `pigeon`?", at(6)).await.unwrap());
        assert!(!w.store.pass_on_callback(&claimed, "again", at(6)).await.unwrap());
        w.take(100, 6).await;
        assert_eq!(w.take(100, 15).await, []);
        let again = w.take(100, 16).await.pop().unwrap();
        assert_eq!((again.id, again.tries), (claimed.id, 1));
        // A late answer to a claim that ran out changes nothing.
        let third = w.take(100, 16 + LEASE.as_secs()).await.into_iter().find(|found| found.id == claimed.id).unwrap();
        assert!(!w.store.pass_on_callback(&again, "late", at(99)).await.unwrap());
        assert!(w.store.finish_callback(&done(&third), at(100)).await.unwrap());
        // After an hour it is nobody else's.
        let old = w.take(100, 5_000).await.pop().unwrap();
        assert!(!w.store.pass_on_callback(&old, "what is `pigeon`?", at(5_000)).await.unwrap());
    }

    async fn a_claim_that_ran_out_is_anyones_and_its_late_answer_is_refused(w: World) {
        w.alarmed().await;
        let first = w.take(1, 5).await.pop().unwrap();
        assert_eq!(w.take(10, 6).await.len(), 2);
        let again = w.take(10, 5 + LEASE.as_secs()).await;
        assert_eq!((again.len(), again[0].id, again[0].tries), (1, first.id, 2));
        assert!(!w.store.finish_callback(&done(&first), at(70)).await.unwrap());
        assert!(w.store.finish_callback(&done(&again[0]), at(70)).await.unwrap());
        assert!(!w.store.finish_callback(&done(&again[0]), at(71)).await.unwrap());
        let line = w.lines(&CallbackFilter { id: Some(first.id), ..CallbackFilter::default() }).await.pop().unwrap();
        assert_eq!((line.state.as_str(), line.tries, line.log.as_deref()), ("delivered", 2, Some("said")));
        assert_eq!(line.ended_at, Some(at(70).as_micros()));
    }

    async fn what_a_dead_worker_was_at_is_due_after_a_pause(w: World) {
        w.alarmed().await;
        assert_eq!(w.take(2, 5).await.len(), 2);
        let mut tx = w.store.begin().await.unwrap();
        tx.bury(&["w1".to_owned()], "it died", at(6)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.take(10, 15).await.len(), 1, "it may be what killed it");
        assert_eq!(w.take(10, 16).await.len(), 2);
    }

    async fn one_that_kills_every_worker_fails(w: World) {
        w.alarmed().await;
        let filter = CallbackFilter { id: Some(w.take(1, 5).await[0].id), ..CallbackFilter::default() };
        let others = w.take(10, 5).await;
        for other in &others {
            w.store.finish_callback(&done(other), at(5)).await.unwrap();
        }
        let mut seconds = 5;
        for tries in 2..=CALLBACK_TRIES {
            let mut tx = w.store.begin().await.unwrap();
            tx.bury(&["w1".to_owned()], "it died", at(seconds)).await.unwrap();
            tx.commit().await.unwrap();
            seconds += 3_600;
            assert_eq!(w.take(10, seconds).await[0].tries, tries);
        }
        assert_eq!(w.take(10, seconds + 3_600).await, []);
        let line = w.lines(&filter).await.pop().unwrap();
        assert_eq!((line.state.as_str(), line.tries), ("failed", i64::from(CALLBACK_TRIES)));
        assert!(line.error.unwrap().contains("died"));
        assert!(w.store.retry_callback(line.id, at(seconds + 3_601)).await.unwrap());
        assert_eq!(w.take(10, seconds + 3_601).await[0].tries, 1);
    }

    async fn a_flood_of_one_dag_leaves_room_for_others(w: World) {
        for _ in 0..3 {
            w.alarmed().await;
        }
        let quiet = w.alarmed_as("quiet").await;
        let taken = w.take(5, 5).await;
        assert_eq!(taken.iter().filter(|one| one.run.0 == quiet).count(), 2, "by turns: {taken:?}");
        assert_eq!(w.take(100, 5).await.iter().filter(|one| one.run.0 == quiet).count(), 1);
        assert_eq!(w.take(100, 5).await, [], "a worker is at no more than a few of a kind");
        assert_eq!(w.store.claim_callbacks("w2", 100, at(65), at(5)).await.unwrap().len(), CALLBACKS_OF_A_KIND);
    }

    async fn when_one_hangs_others_like_it_wait(w: World) {
        w.alarmed().await;
        w.alarmed_as("quiet").await;
        let first = w.take(1, 5).await.pop().unwrap();
        let report = CallbackReport { error: Some("late".to_owned()), again_at: Some(at(30)), hold_up: Some(at(60)), ..done(&first) };
        assert!(w.store.finish_callback(&report, at(20)).await.unwrap());
        let taken = w.take(10, 20).await;
        assert_eq!((taken.len(), taken.iter().all(|one| one.run != first.run)), (3, true), "{taken:?}");
        assert_eq!(w.take(10, 59).await.len(), 0);
        assert_eq!(w.take(10, 60).await.len(), 3);
    }

    async fn one_that_fails_waits_then_fails_for_good_and_can_be_tried_again(w: World) {
        w.alarmed().await;
        let claimed = w.take(1, 5).await.pop().unwrap();
        let bad = |again| CallbackReport { error: Some("no\0pe".to_owned()), again_at: again, ..done(&claimed) };
        assert!(w.store.finish_callback(&bad(Some(at(50))), at(6)).await.unwrap());
        w.take(10, 7).await;
        assert_eq!(w.store.next_callback().await.unwrap(), Some(at(50)));
        assert!(w.store.retry_callback(claimed.id, at(8)).await.unwrap(), "it need not wait");
        let claimed = w.take(10, 8).await.pop().unwrap();
        assert_eq!(claimed.tries, 2);
        assert!(!w.store.retry_callback(claimed.id, at(9)).await.unwrap(), "somebody is at it");
        let bad = CallbackReport { error: Some("no".to_owned()), ..done(&claimed) };
        assert!(w.store.finish_callback(&bad, at(9)).await.unwrap());
        let failed = CallbackFilter { state: Some("failed".to_owned()), ..CallbackFilter::default() };
        assert_eq!(w.lines(&failed).await[0].error.as_deref(), Some("no"));
        assert!(w.store.retry_callback(claimed.id, at(10)).await.unwrap());
        assert_eq!((w.lines(&failed).await.len(), w.take(10, 10).await[0].tries), (0, 1));
        assert!(!w.store.retry_callback(999, at(10)).await.unwrap());
    }

    async fn a_list_shows_what_it_is_asked_for_page_by_page(w: World) {
        w.alarmed().await;
        w.alarmed().await;
        let run_id = w.db.raw().await.texts("SELECT run_id FROM dag_run ORDER BY id").await;
        let mine = CallbackFilter { dag_id: Some("alarms".to_owned()), run_id: Some(run_id[0].clone()), ..CallbackFilter::default() };
        assert_eq!(w.lines(&mine).await.len(), 3);
        assert_eq!(w.lines(&CallbackFilter { task_id: Some(String::new()), ..mine.clone() }).await.len(), 1);
        assert_eq!(w.lines(&CallbackFilter { task_id: Some("a".to_owned()), map_index: Some(-1), ..mine }).await.len(), 2);
        let hidden = CallbackFilter { hidden_dags: vec!["alarms".to_owned()], ..CallbackFilter::default() };
        assert_eq!(w.lines(&hidden).await.len(), 0);
        let all = CallbackFilter::default();
        let page = w.store.list_callbacks(&all, 4, None).await.unwrap();
        assert_eq!((page.rows.len(), page.has_more, page.total), (4, true, Some(6)));
        assert!(page.rows.is_sorted_by(|a, b| a.id > b.id));
        let place = Place { keys: vec![Key::Int(page.rows[3].id)], is_backward: false };
        let page = w.store.list_callbacks(&all, 4, Some(&place)).await.unwrap();
        assert_eq!((page.rows.len(), page.has_more), (2, false));
    }

    async fn they_go_with_their_run(w: World) {
        w.alarmed().await;
        let plan = CleanupPlan { before: at(1_000), dag_id: None, batch: 10, dry_run: false };
        w.store.clean(&plan, |_| ()).await.unwrap();
        assert_eq!(w.count("callback", "TRUE").await, 0);
    }
}
