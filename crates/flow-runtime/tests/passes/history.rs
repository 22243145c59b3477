//! A pass costs the same with a long history.

use std::time::{Duration, Instant};

use crate::{support::both, world::World};

/// Runs in the past, with ten tasks each.
const RUNS: u32 = 20_000;

/// Returns the time of a run of three tasks, the best of several.
async fn cost(w: &World) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..15 {
        w.advance(1);
        let row = w.trigger("chain").await;
        let started = Instant::now();
        w.settle().await;
        best = best.min(started.elapsed());
        assert_eq!(w.seen(&row).await, "success: a success, b success, c success");
    }
    best
}

both! {
    async fn a_pass_costs_the_same_with_two_hundred_thousand_finished_tasks(w: World) {
        w.save("dag_id: chain\ntasks:\n  - { id: a, uses: work, depends_on_past: true }\n  - { id: b, uses: work, needs: [a] }\n  - { id: c, uses: work, needs: [b] }\n").await;
        w.trigger("chain").await;
        w.settle().await;
        let before = cost(&w).await;
        let numbers = |most: u32| {
            if w.db.is_sqlite() {
                format!("(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {most}) SELECT n FROM s) s")
            } else {
                format!("(SELECT n FROM generate_series(1, {most}) AS g (n)) s")
            }
        };
        w.meddle(&format!(
            "INSERT INTO dag_run (id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at,
                started_at, ended_at, conf, version_id, triggered_by)
             SELECT 1000000 + n, 'chain', 'old' || n, 'scheduled', 'success', n, n, n, n, n, n, n, '{{}}', (SELECT MIN(id) FROM dag_version), 'x'
             FROM {runs};
             INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, started_at, ended_at, operator, pool,
                pool_slots, priority_weight, queue, sort_date, max_active_tasks)
             SELECT 1000000 + s.n, 't' || t.n, -1, 'chain', 'success', 1, 0, 0, s.n, s.n, 'work', 'default_pool', 1, 1, 'default', s.n, 16
             FROM {runs}, {tasks};
             INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight, queued_at, worker,
                started_at, lease_until, ended_at, outcome, settled)
             SELECT run, task_id, map_index, 1, 1, dag_id, pool, 1, queue, 1, sort_date, 'w0', sort_date, sort_date, sort_date, '{{\"outcome\":\"success\"}}', TRUE
             FROM task_instance WHERE run > 1000000;
             INSERT INTO event (at, kind, dag_id, run_id, task_id, state)
             SELECT sort_date, 'task_state', dag_id, 'old', task_id, 'success' FROM task_instance WHERE run > 1000000;
             ANALYZE;",
            runs = numbers(RUNS),
            tasks = numbers(10).replace(") s", ") t"),
        ))
        .await;
        assert!(w.numbers("SELECT COUNT(*) FROM task_instance").await[0] > 200_000);
        let after = cost(&w).await;
        // The figures are of a busy machine: a look through history would cost many times as much.
        assert!(after < before * 2 + Duration::from_millis(20), "before {before:?}, after {after:?}");
    }
}
