//! Looks: which DAGs and runs are due, and who takes them.

use flow_core::RunKey;
use flow_store::{DueDag, Plan, StoreError};

use crate::{
    support::both,
    world::{CHAIN, World, at, report},
};

fn seen(due: &[DueDag]) -> Vec<(&str, Vec<i64>, bool)> {
    due.iter()
        .map(|due| (due.dag.dag_id.as_str(), due.runs.iter().map(|run| run.0).collect(), due.ask_timetable))
        .collect()
}

/// Two DAGs, `chain` and `other`, of which nothing is due.
async fn two(w: World) -> World {
    let w = w.with_chain().await;
    w.save("other.yaml", &CHAIN.replace("chain", "other"), at(0)).await;
    w.meddle("UPDATE dag SET due_at = NULL; DELETE FROM wake").await;
    w
}

async fn wake(w: &World, wakes: &[(&str, i64, u64)]) {
    let mut tx = w.store.begin().await.unwrap();
    let wakes: Vec<_> = wakes.iter().map(|(dag, run, due)| ((*dag).to_owned(), *run, at(*due))).collect();
    tx.wake(&wakes).await.unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn what_is_due_is_taken_once_by_dag(w: World) {
        let w = two(w).await;
        wake(&w, &[("other", 5, 10), ("chain", 2, 9), ("chain", 1, 10), ("chain", 2, 10)]).await;
        let mut tx = w.store.begin().await.unwrap();
        let due = tx.take_due(at(10), 10, 100).await.unwrap();
        assert_eq!(seen(&due), [("chain", vec![1, 2], false), ("other", vec![5], false)]);
        tx.commit().await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.take_due(at(10), 10, 100).await.unwrap().is_empty());
        assert_eq!(w.store.next_due().await.unwrap().at, None);
    }

    async fn wakes_of_the_future_stay_except_for_runs_that_are_looked_at(w: World) {
        let w = two(w).await;
        wake(&w, &[("chain", 1, 10), ("chain", 1, 99), ("chain", 2, 50), ("other", 5, 11)]).await;
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(10)));
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(seen(&tx.take_due(at(10), 10, 100).await.unwrap()), [("chain", vec![1], false)]);
        tx.commit().await.unwrap();
        assert_eq!(w.numbers("SELECT run FROM wake ORDER BY due").await, [5, 2]);
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(11)));
    }

    async fn taking_is_undone_with_its_transaction(w: World) {
        let w = two(w).await;
        wake(&w, &[("chain", 1, 10)]).await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.take_due(at(10), 10, 100).await.unwrap().len(), 1);
        tx.rollback().await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.take_due(at(10), 10, 100).await.unwrap().len(), 1);
    }

    async fn the_bounds_take_the_earliest_first_and_leave_the_rest(w: World) {
        let w = two(w).await;
        wake(&w, &[("other", 5, 1), ("chain", 1, 2), ("other", 6, 3), ("other", 7, 4)]).await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(seen(&tx.take_due(at(10), 1, 2).await.unwrap()), [("other", vec![5, 6], false)]);
        assert_eq!(seen(&tx.take_due(at(10), 10, 100).await.unwrap()), [("chain", vec![1], false), ("other", vec![7], false)]);
    }

    async fn a_timetable_is_asked_when_it_is_due(w: World) {
        let w = two(w).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.plan(&[Plan::later("chain", at(20))]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(20)));
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.take_due(at(19), 10, 100).await.unwrap().is_empty());
        assert_eq!(seen(&tx.take_due(at(20), 10, 100).await.unwrap()), [("chain", vec![], true)]);
    }

    async fn a_fact_that_arrives_during_a_look_makes_another(w: World) {
        let w = two(w).await;
        wake(&w, &[("chain", 1, 10)]).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.take_due(at(10), 10, 100).await.unwrap();
        let late = tokio::spawn({
            let w = w.clone();
            async move { wake(&w, &[("chain", 1, 10)]).await }
        });
        if !w.db.is_sqlite() {
            // SQLite's one writer waits for the look to end; Postgres' does not.
            late.await.unwrap();
            tx.commit().await.unwrap();
        } else {
            tx.commit().await.unwrap();
            late.await.unwrap();
        }
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(seen(&tx.take_due(at(10), 10, 100).await.unwrap()), [("chain", vec![1], false)]);
    }

    async fn a_dag_that_another_process_holds_is_left_to_it(w: World) {
        let w = two(w).await;
        if w.db.is_sqlite() {
            return; // There is one writer: nobody else can hold anything.
        }
        wake(&w, &[("chain", 1, 10), ("other", 5, 10)]).await;
        let mut holder = w.store.begin().await.unwrap();
        holder.lock_dag("chain").await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(seen(&tx.take_due(at(10), 10, 100).await.unwrap()), [("other", vec![5], false)]);
        tx.commit().await.unwrap();
        holder.rollback().await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(seen(&tx.take_due(at(10), 10, 100).await.unwrap()), [("chain", vec![1], false)]);
    }

    async fn locking_a_dag_waits_for_its_holder(w: World) {
        let w = two(w).await;
        let mut holder = w.store.begin().await.unwrap();
        assert_eq!(holder.lock_dag("chain").await.unwrap().dag_id, "chain");
        let waits = tokio::spawn({
            let w = w.clone();
            async move {
                let mut tx = w.store.begin().await.unwrap();
                tx.lock_dag("chain").await.unwrap().is_paused
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!waits.is_finished());
        holder.pause_dag("chain", "", None, at(1)).await.unwrap();
        holder.commit().await.unwrap();
        assert!(waits.await.unwrap(), "it sees what the holder did");
        let mut tx = w.store.begin().await.unwrap();
        assert!(matches!(tx.lock_dag("nope").await, Err(StoreError::NotFound { what: "dag", .. })));
    }

    async fn active_runs_are_woken_and_ended_ones_are_not(w: World) {
        let w = two(w).await;
        let (one, two, three) = (w.trigger("chain", at(1)).await, w.trigger("chain", at(2)).await, w.trigger("other", at(3)).await);
        w.start(two.run.key, at(4)).await;
        let ended = w.trigger("chain", at(5)).await;
        w.meddle(&format!("UPDATE dag_run SET state = 'failed', ended_at = 1 WHERE id = {}", ended.run.key.0)).await;
        for everything in [false, true] {
            w.meddle("DELETE FROM wake").await;
            let mut tx = w.store.begin().await.unwrap();
            if everything {
                tx.wake_everything(at(9)).await.unwrap();
            } else {
                tx.wake_active_runs("chain", at(9)).await.unwrap();
            }
            tx.commit().await.unwrap();
            let mut expected = vec![one.run.key.0, two.run.key.0];
            expected.extend(everything.then_some(three.run.key.0));
            assert_eq!(w.numbers("SELECT run FROM wake ORDER BY run").await, expected);
            assert!(w.store.next_due().await.unwrap().at.unwrap() <= at(9));
        }
    }

    async fn a_report_wakes_its_run(w: World) {
        let w = w.with_chain().await;
        let run: RunKey = w.trigger("chain", at(1)).await.run.key;
        let claimed = w.running(run, "w1", at(2)).await;
        w.meddle("DELETE FROM wake").await;
        assert!(w.finish(report(&claimed[0], flow_core::Outcome::Success, at(3))).await);
        assert_eq!(w.numbers("SELECT run FROM wake").await, [run.0]);
        let due = w.store.next_due().await.unwrap().at.unwrap();
        assert!(due <= at(3) - std::time::Duration::from_secs(3600), "also for a clock that is an hour behind");
    }
}
