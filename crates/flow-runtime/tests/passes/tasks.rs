//! One run: chains, retries, leases, time-outs.

use flow_core::{Outcome, RunState, TaskState};

use crate::{
    support::both,
    world::{LEASE, World, at, failed, report},
};

const CHAIN: &str = "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n  - { id: c, uses: work, needs: [b] }\n";
const RETRIED: &str = "dag_id: d\ntasks:\n  - { id: a, uses: work, retries: 2, retry_delay: 60s }\n  - { id: b, uses: work, needs: [a] }\n";

both! {
    async fn a_chain_runs_one_after_the_other_without_a_timer(w: World) {
        w.save(CHAIN).await;
        let row = w.trigger("chain").await;
        let passes = w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success, b success, c success");
        assert_eq!(w.started(), ["chain.a", "chain.b", "chain.c"]);
        assert!(passes <= 5, "one pass a task, and one or two around: {passes}");
        let run = w.run(&row).await.run;
        assert_eq!((run.started_at, run.ended_at), (Some(at(0)), Some(at(0))));
        assert!(w.store.next_due().await.unwrap().at.is_none_or(|due| due > at(0)));
        w.assert_all_quiet().await;
    }

    async fn a_dag_without_work_ends_in_its_first_pass(w: World) {
        w.save("dag_id: e\ntasks:\n  - { id: a, uses: empty }\n  - { id: b, uses: empty, needs: [a] }\n").await;
        let row = w.trigger("e").await;
        w.pass(&[]).await.unwrap();
        assert_eq!(w.seen(&row).await, "success: a success, b success");
    }

    async fn a_failed_task_is_tried_again_after_its_delay(w: World) {
        w.save(RETRIED).await;
        w.ends("d.a", [failed(), failed()]);
        let row = w.trigger("d").await;
        for tries in 1..=2 {
            w.settle().await;
            assert_eq!(w.seen(&row).await, "running: a up_for_retry, b no_status");
            assert_eq!(w.started().len(), 1, "try {tries}");
            w.advance(59);
            w.settle().await;
            assert!(w.started().is_empty(), "too early");
            assert_eq!(w.store.next_due().await.unwrap().at, Some(w.clock.now() + std::time::Duration::from_secs(1)));
            w.advance(1);
        }
        w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success, b success");
        assert_eq!(w.store.tries(row.run.key, "a", -1).await.unwrap().len(), 3);
        w.assert_all_quiet().await;
    }

    async fn without_tries_left_the_run_fails(w: World) {
        w.save(RETRIED).await;
        w.ends("d.a", [failed(), failed(), failed()]);
        let row = w.trigger("d").await;
        for _ in 0..3 {
            w.settle().await;
            w.advance(60);
        }
        assert_eq!(w.seen(&row).await, "failed: a failed, b upstream_failed");
    }

    async fn a_sensor_looks_again_at_its_time_and_holds_no_slot_meanwhile(w: World) {
        w.save("dag_id: s\ntasks: [{ id: a, uses: work }]\n").await;
        w.ends("s.a", [Outcome::Reschedule { at: at(30) }, Outcome::Reschedule { at: at(60) }]);
        let row = w.trigger("s").await;
        w.settle().await;
        assert_eq!(w.seen(&row).await, "running: a up_for_reschedule");
        w.assert_all_quiet().await;
        w.clock.set(at(30));
        w.settle().await;
        w.clock.set(at(60));
        w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success");
        assert_eq!(w.store.tries(row.run.key, "a", -1).await.unwrap().len(), 1, "all looks are one try");
    }

    async fn a_silent_worker_loses_its_task_and_its_late_report_is_refused(w: World) {
        w.save("dag_id: d\ntasks: [{ id: a, uses: work }]\n").await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        let silent = w.held.lock().unwrap().pop().unwrap();
        w.advance(LEASE.as_secs() - 1);
        w.settle().await;
        assert_eq!(w.state(&row, "a").await, TaskState::Running);
        w.advance(1);
        w.settle().await;
        assert_eq!(w.state(&row, "a").await, TaskState::Running, "another try, at once, without retries");
        assert_eq!(w.started().len(), 2);
        let passed = w.pass(&[report(&silent, Outcome::Success, w.clock.now())]).await.unwrap();
        assert_eq!(passed.refused, [0]);
        assert_eq!(w.state(&row, "a").await, TaskState::Running);
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(w.seen(&row).await, "success: a success");
        let tries = w.store.tries(row.run.key, "a", -1).await.unwrap();
        assert!(matches!(tries[0].outcome, Some(Outcome::Lost { .. })));
        w.assert_all_quiet().await;
    }

    async fn a_heartbeat_keeps_a_long_task_from_being_lost(w: World) {
        w.save("dag_id: d\ntasks: [{ id: a, uses: work }]\n").await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        for _ in 0..5 {
            w.advance(100);
            let mut tx = w.store.begin().await.unwrap();
            tx.heartbeat("w1", w.clock.now() + LEASE, w.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            w.settle().await;
        }
        assert_eq!(w.started().len(), 1);
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }

    async fn tries_lost_too_often_fail_the_task(w: World) {
        w.save("dag_id: d\ntasks: [{ id: a, uses: work }]\n").await;
        w.ends("d.a", std::iter::repeat_n(Outcome::Lost { why: "shut down".to_owned() }, 9));
        let row = w.trigger("d").await;
        w.settle().await;
        assert_eq!(w.seen(&row).await, "failed: a failed");
        assert_eq!(w.started().len(), 4, "the first and three more");
    }

    async fn a_run_that_takes_too_long_is_ended_with_what_runs(w: World) {
        w.save("dag_id: d\ndagrun_timeout: 300\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n").await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        for _ in 0..3 {
            w.advance(99);
            let mut tx = w.store.begin().await.unwrap();
            tx.heartbeat("w1", w.clock.now() + LEASE, w.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            w.settle().await;
        }
        assert_eq!(w.run(&row).await.run.state, RunState::Running);
        w.advance(3);
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Failed);
        assert_eq!(w.state(&row, "b").await, TaskState::Skipped);
        assert_eq!(w.kept().await, [""; 0], "the worker is to end it");
        assert!(w.finish("d.a", Outcome::Cancelled).await);
        w.assert_all_quiet().await;
    }

    async fn a_worker_that_dies_with_a_task_of_an_ended_run_holds_no_slot_for_ever(w: World) {
        w.save("dag_id: d\ntasks: [{ id: a, uses: work }]\n").await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        w.edit(&row, &flow_core::engine::Edit::Cancel).await;
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Failed);
        w.advance(LEASE.as_secs());
        w.settle().await;
        w.assert_all_quiet().await;
    }

    async fn tasks_beside_each_other_start_in_one_pass(w: World) {
        w.save("dag_id: d\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work }\n  - { id: c, uses: work, needs: [a, b] }\n").await;
        let row = w.trigger("d").await;
        let passed = w.pass(&[]).await.unwrap();
        assert_eq!(passed.claimed.len(), 2);
        assert!(passed.claimed.iter().all(|(_, run)| run.run.key == row.run.key));
        let reports = w.work(passed.claimed.into_iter().map(|(claimed, _)| claimed).collect());
        w.pass(&reports[..1]).await.unwrap();
        assert_eq!(w.state(&row, "c").await, TaskState::NoStatus);
        let passed = w.pass(&reports[1..]).await.unwrap();
        assert_eq!(passed.claimed.len(), 1, "the outcome and the next claim are one transaction");
    }
}
