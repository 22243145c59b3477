//! Slots: pools, what is in use, who waits, and who gets in.

use flow_core::{RunKey, TaskState};
use flow_store::{Pool, StoreError};

use crate::{
    support::both,
    world::{World, at, report},
};

/// Five tasks beside each other: two in pool `p`, one big one there, one in a pool that does not exist, one in the default pool.
const WIDE: &str = "
dag_id: wide
max_active_tasks: 10
tasks:
  - { id: p1, uses: work, pool: p, priority_weight: 5, weight_rule: absolute }
  - { id: p2, uses: work, pool: p, priority_weight: 4, weight_rule: absolute, max_active_tis_per_dag: 3, max_active_tis_per_dagrun: 2 }
  - { id: big, uses: work, pool: p, pool_slots: 3, priority_weight: 3, weight_rule: absolute }
  - { id: lost, uses: work, pool: nowhere, priority_weight: 9, weight_rule: absolute }
  - { id: plain, uses: work, priority_weight: 1, weight_rule: absolute }
";

async fn wide(w: World, slots: i64) -> (World, RunKey) {
    w.save("wide.yaml", WIDE, at(0)).await;
    set_pool(&w, "p", slots).await;
    let run = w.trigger("wide", at(1)).await.run.key;
    w.start(run, at(2)).await;
    (w, run)
}

async fn set_pool(w: &World, name: &str, slots: i64) {
    let mut tx = w.store.begin().await.unwrap();
    tx.set_pool(&Pool { name: name.to_owned(), slots, description: "a pool".to_owned(), include_deferred: false })
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Returns the ids of those that wait, as the store shows them.
async fn waiting(
    w: &World,
    full_runs: &[RunKey],
    full_tasks: &[&str],
    full_run_tasks: &[(RunKey, &str)],
) -> Vec<String> {
    let mut tx = w.store.begin().await.unwrap();
    let room = tx.room().await.unwrap();
    let tasks: Vec<_> = full_tasks.iter().map(|task| ("wide".into(), (*task).into())).collect();
    let run_tasks: Vec<_> = full_run_tasks.iter().map(|(run, task)| (*run, (*task).into())).collect();
    let page = tx.waiting(&room, full_runs, &tasks, &run_tasks, 100).await.unwrap();
    page.into_iter().map(|row| row.waiting.task_id.to_string()).collect()
}

both! {
    async fn those_who_wait_come_best_first_with_all_that_dispatch_asks(w: World) {
        let (w, run) = wide(w, 10).await;
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.is_anything_waiting().await.unwrap());
        let room = tx.room().await.unwrap();
        let page = tx.waiting(&room, &[], &[], &[], 100).await.unwrap();
        let ids: Vec<_> = page.iter().map(|row| row.waiting.task_id.as_str()).collect();
        assert_eq!(ids, ["p1", "p2", "big", "plain"], "and none of a pool that does not exist");
        let p2 = &page[1];
        assert_eq!((p2.waiting.run, p2.waiting.dag_id.as_str(), p2.waiting.map_index), (run, "wide", -1));
        assert_eq!((p2.waiting.pool.as_str(), p2.waiting.pool_slots, p2.waiting.priority_weight), ("p", 1, 4));
        assert_eq!((p2.waiting.max_active_tis_per_dag, p2.waiting.max_active_tis_per_dagrun), (Some(3), Some(2)));
        assert_eq!((p2.waiting.max_active_tasks, p2.waiting.logical_date), (10, at(1)));
        assert_eq!((p2.queue.as_str(), p2.try_number), ("default", 1));
        assert_eq!(tx.waiting(&room, &[], &[], &[], 2).await.unwrap().len(), 2);
    }

    async fn those_known_to_be_at_their_limit_are_left_out(w: World) {
        let (w, run) = wide(w, 10).await;
        assert_eq!(waiting(&w, &[run], &[], &[]).await, [""; 0]);
        assert_eq!(waiting(&w, &[RunKey(99)], &["p1", "plain"], &[(run, "big"), (RunKey(99), "p2")]).await, ["p2"]);
    }

    async fn equal_priority_goes_by_date_then_dag(w: World) {
        for dag in ["zeta", "alpha"] {
            w.save(&format!("{dag}.yaml"), &format!("dag_id: {dag}\ntasks: [{{ id: {dag}_t, uses: work }}]\n"), at(0)).await;
        }
        for (dag, second) in [("alpha", 9), ("zeta", 5), ("alpha", 5)] {
            let run = w.trigger(dag, at(second)).await.run.key;
            w.start(run, at(10)).await;
        }
        assert_eq!(waiting(&w, &[], &[], &[]).await, ["alpha_t", "zeta_t", "alpha_t"]);
    }

    async fn a_paused_dags_tasks_do_not_wait(w: World) {
        let (w, _) = wide(w, 10).await;
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.pause_dag("wide", "", None, at(3)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(waiting(&w, &[], &[], &[]).await, [""; 0]);
    }

    async fn room_is_what_no_attempt_holds(w: World) {
        let (w, run) = wide(w, 4).await;
        assert_eq!(w.grant(at(3)).await, ["p1", "p2", "plain"], "the big one has to wait for its third slot");
        assert_eq!(w.claim("w1", 1, at(4)).await[0].key.task_id, "p1");
        let mut tx = w.store.begin().await.unwrap();
        let room = tx.room().await.unwrap();
        assert_eq!((room.pools["p"], room.pools["default_pool"]), (2, 127), "queued ones count like running ones");
        assert_eq!((room.pool_sizes["p"], room.pool_sizes["default_pool"]), (4, 128));
        assert!(!room.pools.contains_key("nowhere"));
        assert_eq!(room.by_run[&run], 3);
        assert_eq!(room.by_task[&("wide".into(), "p1".into())], 1);
        assert_eq!(room.by_run_task[&(run, "p2".into())], 1);
        tx.rollback().await.unwrap();
        let uses = w.store.pools().await.unwrap();
        let p = uses.iter().find(|pool| pool.name == "p").unwrap();
        assert_eq!((p.slots, p.running, p.queued, p.description.as_str()), (4, 1, 1, "a pool"));
        assert_eq!(uses.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>(), ["default_pool", "p"]);
    }

    async fn an_ended_attempt_gives_its_slots_back(w: World) {
        let (w, run) = wide(w, 3).await;
        assert_eq!(w.grant(at(3)).await, ["p1", "p2", "plain"]);
        for claimed in w.claim("w1", 9, at(4)).await {
            assert!(w.finish(report(&claimed, flow_core::Outcome::Success, at(5))).await);
        }
        w.decide(run, at(6)).await;
        assert_eq!(w.grant(at(7)).await, ["big"]);
        assert_eq!(w.state(run, "big").await, TaskState::Queued);
    }

    async fn a_pool_made_smaller_has_less_than_nothing_until_tasks_end(w: World) {
        let (w, _) = wide(w, 10).await;
        assert_eq!(w.grant(at(3)).await.len(), 4);
        let mut tx = w.store.begin().await.unwrap();
        tx.set_pool_slots("p", 2).await.unwrap();
        assert_eq!(tx.room().await.unwrap().pools["p"], -3);
        tx.commit().await.unwrap();
        let run = w.trigger("wide", at(4)).await.run.key;
        w.start(run, at(5)).await;
        assert_eq!(waiting(&w, &[], &[], &[]).await, ["plain"]);
    }

    async fn minus_one_is_a_pool_without_limit_and_nought_a_closed_one(w: World) {
        let (w, _) = wide(w, -1).await;
        assert_eq!(waiting(&w, &[], &[], &[]).await.len(), 4);
        set_pool(&w, "p", 0).await;
        assert_eq!(waiting(&w, &[], &[], &[]).await, ["plain"]);
        set_pool(&w, "p", -1).await;
        assert_eq!(w.grant(at(3)).await, ["p1", "p2", "big", "plain"]);
    }

    async fn a_grant_queues_an_attempt_and_tells_it(w: World) {
        let (w, run) = wide(w, 1).await;
        assert_eq!(w.grant(at(3)).await, ["p1", "plain"]);
        let task = w.task(run, "p1").await;
        assert_eq!((task.state, task.queued_at, task.try_number), (TaskState::Queued, Some(at(3)), 1));
        let tries = w.store.tries(run, "p1", -1).await.unwrap();
        assert_eq!(tries.len(), 1);
        assert_eq!((tries[0].queued_at, tries[0].started_at, tries[0].worker.as_deref()), (at(3), None, None));
        let told = w.store.events_after(0, 100).await.unwrap();
        let queued: Vec<_> = told.iter().filter(|event| event.state.as_deref() == Some("queued") && event.kind == "task_state").collect();
        assert_eq!(queued.iter().map(|event| event.task_id.as_deref().unwrap()).collect::<Vec<_>>(), ["p1", "plain"]);
        assert!(queued.iter().all(|event| event.run_id.as_deref().is_some_and(|id| id.starts_with("manual__"))));
        assert!(!w.store.begin().await.unwrap().is_anything_waiting().await.unwrap() || w.state(run, "p2").await == TaskState::Scheduled);
    }

    async fn a_grant_of_what_does_not_wait_any_more_does_nothing(w: World) {
        let (w, run) = wide(w, 10).await;
        let mut tx = w.store.begin().await.unwrap();
        let room = tx.room().await.unwrap();
        let page = tx.waiting(&room, &[], &[], &[], 100).await.unwrap();
        tx.rollback().await.unwrap();
        w.meddle("UPDATE task_instance SET state = 'no_status' WHERE task_id = 'p2'").await;
        let mut tx = w.store.begin().await.unwrap();
        let error = tx.grant(&page.iter().collect::<Vec<_>>(), at(3)).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)) && error.is_passing(), "{error}");
        drop(tx);
        assert_eq!(w.state(run, "p1").await, TaskState::Scheduled);
        assert_eq!(w.count("attempt", "TRUE").await, 0);
    }

    async fn one_process_at_a_time_hands_out_slots(w: World) {
        let (w, _) = wide(w, 10).await;
        let mut first = w.store.begin().await.unwrap();
        first.room().await.unwrap();
        let second = tokio::spawn({
            let w = w.clone();
            async move { w.grant(at(3)).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!second.is_finished());
        first.rollback().await.unwrap();
        assert_eq!(second.await.unwrap().len(), 4);
    }

    async fn pools_are_made_changed_and_deleted(w: World) {
        set_pool(&w, "p", 3).await;
        set_pool(&w, "p", 5).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.set_pool_slots("default_pool", 7).await.unwrap();
        assert!(matches!(tx.set_pool_slots("nope", 7).await, Err(StoreError::NotFound { what: "pool", .. })));
        assert!(matches!(tx.delete_pool("nope").await, Err(StoreError::NotFound { what: "pool", .. })));
        assert!(matches!(tx.delete_pool("default_pool").await, Err(StoreError::Conflict(_))));
        tx.commit().await.unwrap();
        let slots = async || w.store.pools().await.unwrap().into_iter().map(|pool| (pool.name, pool.slots)).collect::<Vec<_>>();
        assert_eq!(slots().await, [("default_pool".to_owned(), 7), ("p".to_owned(), 5)]);
        let mut tx = w.store.begin().await.unwrap();
        tx.delete_pool("p").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(slots().await, [("default_pool".to_owned(), 7)]);
        let mut tx = w.store.begin().await.unwrap();
        let nonsense = Pool { name: "q".to_owned(), slots: -2, description: String::new(), include_deferred: false };
        assert!(matches!(tx.set_pool(&nonsense).await, Err(StoreError::Database(_))));
    }
}
