//! Limits: pools, runs, tasks, pauses.

use flow_core::{Outcome, RunState};
use flow_store::Pool;

use crate::{
    support::both,
    world::{World, failed},
};

async fn pool(w: &World, name: &str, slots: i64) {
    let mut tx = w.store.begin().await.unwrap();
    tx.set_pool(&Pool { name: name.to_owned(), slots, description: String::new(), include_deferred: false })
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A DAG of tasks beside each other, all held by the worker.
async fn wide(w: &World, id: &str, tasks: usize, keys: &str, task_keys: &str) {
    let list: String = (0..tasks).map(|at| format!("  - {{ id: t{at:04}, uses: work{task_keys} }}\n")).collect();
    w.save(&format!("dag_id: {id}\n{keys}tasks:\n{list}")).await;
    for at in 0..tasks {
        w.slow(&format!("{id}.t{at:04}"));
    }
}

both! {
    async fn a_pool_is_never_exceeded_and_always_used(w: World) {
        pool(&w, "p", 3).await;
        wide(&w, "d", 8, "", ", pool: p").await;
        let row = w.trigger("d").await;
        w.settle().await;
        for done in 0..8 {
            let running = w.held.lock().unwrap().len();
            assert_eq!(running, 3.min(8 - done), "after {done} have ended");
            let task = w.held.lock().unwrap()[0].key.task_id.clone();
            assert!(w.finish(&format!("d.{task}"), Outcome::Success).await);
        }
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }

    async fn a_big_task_gets_its_turn_beside_a_stream_of_small_ones(w: World) {
        pool(&w, "p", 3).await;
        w.save("dag_id: small\ntasks:\n  - { id: a, uses: work, pool: p }\n").await;
        w.save("dag_id: big\ntasks:\n  - { id: b, uses: work, pool: p, pool_slots: 3, priority_weight: 5 }\n").await;
        w.slow("small.a");
        w.slow("big.b");
        w.trigger("small").await;
        w.settle().await;
        w.trigger("big").await;
        w.settle().await;
        for _ in 0..3 {
            w.trigger("small").await;
        }
        w.settle().await;
        assert_eq!(w.started(), ["small.a"], "the others do not overtake it");
        w.finish("small.a", Outcome::Success).await;
        assert_eq!(w.started(), ["big.b"]);
        w.finish("big.b", Outcome::Success).await;
        assert_eq!(w.started().len(), 3);
    }

    async fn a_run_has_no_more_tasks_at_once_than_it_may(w: World) {
        wide(&w, "d", 6, "max_active_tasks: 2\n", "").await;
        w.trigger("d").await;
        w.trigger("d").await;
        w.settle().await;
        assert_eq!(w.held.lock().unwrap().len(), 4, "two in each run");
    }

    async fn a_task_has_no_more_instances_at_once_than_it_may(w: World) {
        wide(&w, "d", 1, "", ", max_active_tis_per_dag: 2").await;
        for _ in 0..5 {
            w.trigger("d").await;
        }
        w.settle().await;
        assert_eq!(w.held.lock().unwrap().len(), 2);
        w.finish("d.t0000", Outcome::Success).await;
        assert_eq!(w.held.lock().unwrap().len(), 2);
    }

    async fn queued_runs_start_when_others_end_oldest_first(w: World) {
        wide(&w, "d", 1, "max_active_runs: 2\n", "").await;
        for _ in 0..4 {
            w.trigger("d").await;
        }
        w.settle().await;
        use RunState::{Queued, Running, Success};
        assert_eq!(w.states("d").await, [Running, Running, Queued, Queued]);
        w.finish("d.t0000", Outcome::Success).await;
        assert_eq!(w.states("d").await, [Success, Running, Running, Queued]);
        w.finish("d.t0000", Outcome::Success).await;
        w.finish("d.t0000", Outcome::Success).await;
        w.finish("d.t0000", Outcome::Success).await;
        assert_eq!(w.states("d").await, [Success; 4]);
    }

    async fn runs_that_end_at_once_all_get_their_turn(w: World) {
        w.save("dag_id: d\nmax_active_runs: 1\ntasks: [{ id: a, uses: empty }]\n").await;
        for _ in 0..20 {
            w.trigger("d").await;
        }
        w.settle().await;
        assert_eq!(w.states("d").await, [RunState::Success; 20]);
    }

    async fn a_paused_dag_starts_nothing_and_goes_on_later(w: World) {
        w.save("dag_id: d\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n").await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        w.pause("d", true).await;
        let second = w.trigger("d").await;
        w.finish("d.a", Outcome::Success).await;
        assert_eq!(w.seen(&row).await, "running: a success, b scheduled", "what runs ends, what waits waits");
        assert_eq!(w.seen(&second).await, "queued: a no_status, b no_status");
        w.pause("d", false).await;
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
        w.finish("d.a", Outcome::Success).await;
        assert_eq!(w.run(&second).await.run.state, RunState::Success);
    }

    async fn a_dag_whose_runs_keep_failing_is_paused(w: World) {
        w.save("dag_id: d\nmax_consecutive_failed_dag_runs: 2\ntasks: [{ id: a, uses: work }]\n").await;
        w.ends("d.a", [failed(), Outcome::Success, failed(), failed()]);
        let is_paused = async || w.store.dag("d").await.unwrap().unwrap().is_paused;
        for expected in [false, false, false, true] {
            w.advance(1);
            w.trigger("d").await;
            w.settle().await;
            assert_eq!(is_paused().await, expected);
        }
        let told = w.store.events_after(0, 1_000).await.unwrap();
        let why = told.iter().find(|event| event.kind == "dag_paused").unwrap().detail.as_deref().unwrap();
        assert!(why.contains("its last 2 runs failed"), "{why}");
    }

    async fn a_full_run_never_blocks_another_dag(w: World) {
        wide(&w, "aaa", 1_000, "max_active_tasks: 1\n", ", priority_weight: 9").await;
        w.save("dag_id: zzz\ntasks: [{ id: a, uses: work }]\n").await;
        w.trigger("aaa").await;
        w.settle().await;
        assert_eq!(w.started(), ["aaa.t0000"]);
        w.advance(1);
        let row = w.trigger("zzz").await;
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }

    async fn a_full_task_never_blocks_another_dag(w: World) {
        for (id, key) in [("aaa", "max_active_tis_per_dag"), ("bbb", "max_active_tis_per_dagrun")] {
            wide(&w, id, 1, "max_active_runs: 400\n", &format!(", priority_weight: 9, {key}: 1")).await;
        }
        for _ in 0..300 {
            w.clock.advance(std::time::Duration::from_micros(1));
            w.trigger("aaa").await;
        }
        w.settle().await;
        assert_eq!(w.started().len(), 1);
        w.save("dag_id: zzz\ntasks: [{ id: a, uses: work }]\n").await;
        let row = w.trigger("zzz").await;
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }

    async fn a_full_held_missing_or_paused_pool_never_blocks_another(w: World) {
        pool(&w, "full", 0).await;
        pool(&w, "held", 3).await;
        wide(&w, "aaa", 300, "max_active_tasks: 500\n", ", pool: full, priority_weight: 9").await;
        wide(&w, "bbb", 300, "max_active_tasks: 500\n", ", pool: nowhere, priority_weight: 9").await;
        wide(&w, "ccc", 300, "max_active_tasks: 500\n", ", pool: held, pool_slots: 2, priority_weight: 9").await;
        wide(&w, "ddd", 300, "max_active_tasks: 500\n", ", pool: held, pool_slots: 9, priority_weight: 9").await;
        wide(&w, "eee", 300, "max_active_tasks: 500\n", ", priority_weight: 9").await;
        for id in ["aaa", "bbb", "ccc", "ddd", "eee"] {
            w.trigger(id).await;
        }
        w.pause("eee", true).await;
        w.settle().await;
        w.advance(1);
        w.save("dag_id: zzz\ntasks: [{ id: a, uses: work }]\n").await;
        let row = w.trigger("zzz").await;
        w.settle().await;
        assert_eq!(w.started(), ["ccc.t0000", "zzz.a"]);
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }
}
