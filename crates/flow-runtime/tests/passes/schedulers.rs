//! Several schedulers and workers on one database.

use flow_core::RunState;

use crate::{
    support::both,
    world::{World, report},
};

both! {
    async fn schedulers_beside_each_other_do_everything_once(w: World) {
        w.save("dag_id: d\nmax_active_runs: 3\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n  - { id: c, uses: work, needs: [a] }\n").await;
        w.save("dag_id: e\nmax_active_runs: 2\ntasks:\n  - { id: a, uses: work, pool: p }\n  - { id: b, uses: work, needs: [a], pool: p }\n").await;
        let mut tx = w.store.begin().await.unwrap();
        tx.set_pool(&flow_store::Pool { name: "p".to_owned(), slots: 1, description: String::new(), include_deferred: false }).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..15 {
            w.trigger("d").await;
            w.trigger("e").await;
        }
        let mut schedulers = tokio::task::JoinSet::new();
        for number in 0..3 {
            let w = w.clone();
            schedulers.spawn(async move {
                let worker = format!("w{number}");
                let (mut reports, mut done, mut idle) = (Vec::new(), Vec::new(), 0);
                while idle < 40 {
                    match w.pass_as(&worker, &reports).await {
                        Ok(passed) => {
                            assert!(passed.refused.is_empty());
                            let open: i64 = w.numbers("SELECT CAST(COALESCE(SUM(pool_slots), 0) AS BIGINT) FROM attempt WHERE ended_at IS NULL AND pool = 'p'").await[0];
                            assert!(open <= 1, "{open} slots of a pool of one");
                            idle = if passed.claimed.is_empty() && reports.is_empty() { idle + 1 } else { 0 };
                            done.extend(passed.claimed.iter().map(|(claimed, _)| claimed.key.clone()));
                            reports = passed.claimed.iter().map(|(claimed, _)| report(claimed, flow_core::Outcome::Success, w.clock.now())).collect();
                            if idle > 0 {
                                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                            }
                        }
                        Err(error) if error.is_passing() => idle = 0,
                        Err(error) => panic!("{error}"),
                    }
                }
                done
            });
        }
        let mut done = schedulers.join_all().await.concat();
        done.sort();
        let all = done.len();
        done.dedup();
        assert_eq!((done.len(), all), (15 * 5, 15 * 5), "each task was run, and once");
        for dag in ["d", "e"] {
            assert_eq!(w.states(dag).await, [RunState::Success; 15]);
        }
        w.assert_all_quiet().await;
    }

    async fn a_pass_that_fails_has_done_nothing(w: World) {
        w.save("dag_id: d\ntasks: [{ id: a, uses: work }]\n").await;
        let row = w.trigger("d").await;
        w.meddle("ALTER TABLE pool RENAME TO pools").await;
        assert!(w.pass(&[]).await.is_err());
        w.meddle("ALTER TABLE pools RENAME TO pool").await;
        assert_eq!(w.seen(&row).await, "queued: a no_status");
        w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success");
    }
}
