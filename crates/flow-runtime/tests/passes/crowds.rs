//! Many DAGs and runs at once: more than one pass takes.

use flow_core::RunState;

use crate::{
    support::both,
    world::{World, at},
};

both! {
    async fn more_dags_than_a_pass_takes_are_all_served(w: World) {
        for number in 0..150 {
            w.save(&format!("dag_id: d{number:03}\nschedule: '* * * * *'\nstart_date: 2026-01-01\ntasks: [{{ id: a, uses: work }}]\n")).await;
        }
        w.settle().await;
        w.clock.set(at(60));
        w.settle().await;
        for number in 0..150 {
            assert_eq!(w.states(&format!("d{number:03}")).await, [RunState::Success; 2]);
        }
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(120)));
    }

    async fn more_runs_than_a_pass_takes_are_all_served(w: World) {
        w.save("dag_id: d\nmax_active_runs: 50\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: empty, needs: [a] }\n").await;
        for _ in 0..400 {
            w.clock.advance(std::time::Duration::from_micros(1));
            w.trigger("d").await;
        }
        w.settle().await;
        assert_eq!(w.states("d").await, [RunState::Success; 400]);
        w.assert_all_quiet().await;
    }
}
