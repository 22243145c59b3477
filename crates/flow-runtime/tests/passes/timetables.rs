//! Timetables: when runs are made, and when they are not.

use flow_core::{Outcome, RunState};

use crate::{
    support::both,
    world::{World, at},
};

/// A DAG whose one task the worker holds.
async fn minutely(w: &World, keys: &str) {
    w.save(&format!(
        "dag_id: d\nschedule: '* * * * *'\nstart_date: 2026-01-01\n{keys}tasks: [{{ id: a, uses: work }}]\n"
    ))
    .await;
}

/// Returns the minutes of a DAG's runs, oldest first.
async fn minutes(w: &World) -> Vec<i64> {
    let rows = w.runs("d").await;
    rows.iter().map(|row| (row.run.logical_date.unwrap().as_micros() - at(0).as_micros()) / 60_000_000).collect()
}

both! {
    async fn each_moment_has_its_run(w: World) {
        minutely(&w, "").await;
        for minute in 0..5 {
            w.clock.set(at(minute * 60));
            w.settle().await;
            assert_eq!(w.store.next_due().await.unwrap().at, Some(at(minute * 60 + 60)));
        }
        assert_eq!(minutes(&w).await, [0, 1, 2, 3, 4]);
        assert_eq!(w.states("d").await, [RunState::Success; 5]);
        let dag = w.store.dag("d").await.unwrap().unwrap();
        assert_eq!((dag.next_run_after, dag.next_logical_date, dag.due_at), (Some(at(300)), Some(at(300)), Some(at(300))));
    }

    async fn without_catchup_only_the_newest_missed_moment_runs(w: World) {
        w.clock.set(at(600));
        minutely(&w, "").await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [10]);
        w.clock.set(at(1_230));
        w.settle().await;
        assert_eq!(minutes(&w).await, [10, 20]);
    }

    async fn with_catchup_all_run_oldest_first_some_at_a_time(w: World) {
        w.slow("d.a");
        w.clock.set(at(600));
        minutely(&w, "catchup: true\nmax_active_runs: 3\n").await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 1, 2]);
        assert!(w.store.dag("d").await.unwrap().unwrap().is_blocked);
        for done in 1..=11 {
            assert!(w.finish("d.a", Outcome::Success).await);
            assert_eq!(minutes(&w).await.len(), (done + 3).min(11));
        }
        assert_eq!(minutes(&w).await, (0..=10).collect::<Vec<_>>());
        assert_eq!(w.store.next_due().await.unwrap().at.map(|due| due.min(at(660))), Some(at(660)));
    }

    async fn a_blocked_timetable_goes_on_when_a_run_ends(w: World) {
        w.slow("d.a");
        minutely(&w, "max_active_runs: 1\n").await;
        w.settle().await;
        w.clock.set(at(60));
        w.settle().await;
        let dag = w.store.dag("d").await.unwrap().unwrap();
        assert_eq!((minutes(&w).await, dag.is_blocked, dag.due_at), (vec![0], true, None));
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(minutes(&w).await, [0, 1]);
        assert!(!w.store.dag("d").await.unwrap().unwrap().is_blocked);
    }

    async fn a_blocked_timetable_goes_on_when_a_run_is_cancelled_or_deleted(w: World) {
        w.slow("d.a");
        minutely(&w, "max_active_runs: 1\n").await;
        w.settle().await;
        w.clock.set(at(60));
        w.settle().await;
        let first = w.runs("d").await.remove(0);
        w.edit(&first, &flow_core::engine::Edit::Cancel).await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 1]);
    }

    async fn skip_passes_over_moments_while_a_run_is_active(w: World) {
        w.slow("d.a");
        minutely(&w, "overlap_policy: skip\n").await;
        w.settle().await;
        for minute in 1..=3 {
            w.clock.set(at(minute * 60));
            w.settle().await;
            let mut tx = w.store.begin().await.unwrap();
            tx.heartbeat("w1", at(10_000), w.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(minutes(&w).await, [0]);
        w.clock.set(at(200));
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(minutes(&w).await, [0], "what was passed over stays so");
        w.clock.set(at(240));
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 4]);
    }

    async fn skip_passes_over_moments_while_a_run_by_hand_is_active(w: World) {
        minutely(&w, "overlap_policy: skip\n").await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0]);
        w.slow("d.a");
        w.clock.set(at(30));
        w.trigger("d").await;
        w.settle().await;
        for minute in 1..=2 {
            w.clock.set(at(minute * 60));
            w.settle().await;
            let mut tx = w.store.begin().await.unwrap();
            tx.heartbeat("w1", at(10_000), w.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        w.clock.set(at(140));
        assert!(w.finish("d.a", Outcome::Success).await);
        // A new version of the DAG has its timetable asked.
        minutely(&w, "overlap_policy: skip\ntags: [new]\n").await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 0], "the second is the one by hand; what was passed over stays so");
        w.clock.set(at(180));
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 0, 3]);
    }

    async fn cancel_running_ends_the_active_run_and_starts_the_new_one(w: World) {
        w.slow("d.a");
        minutely(&w, "overlap_policy: cancel_running\n").await;
        w.settle().await;
        for minute in 1..=3 {
            w.clock.set(at(minute * 60));
            w.settle().await;
            let mut expected = vec![RunState::Failed; usize::try_from(minute).unwrap()];
            expected.push(RunState::Running);
            assert_eq!(w.states("d").await, expected);
        }
        assert_eq!(minutes(&w).await, [0, 1, 2, 3]);
        assert_eq!(w.kept().await.len(), 1, "the worker is to end the others");
    }

    async fn a_paused_dag_makes_no_runs_and_catches_up_as_it_says(w: World) {
        minutely(&w, "").await;
        w.settle().await;
        w.pause("d", true).await;
        w.clock.set(at(300));
        w.settle().await;
        assert_eq!(minutes(&w).await, [0]);
        w.pause("d", false).await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 5]);
    }

    async fn a_run_triggered_for_a_moment_is_the_moments_run(w: World) {
        minutely(&w, "").await;
        w.settle().await;
        w.clock.set(at(60));
        w.trigger("d").await;
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 1]);
        w.clock.set(at(120));
        w.settle().await;
        assert_eq!(minutes(&w).await, [0, 1, 2]);
    }

    async fn a_dag_runs_once_or_again_and_again(w: World) {
        w.save("dag_id: once\nschedule: '@once'\ntasks: [{ id: a, uses: work }]\n").await;
        w.save("dag_id: again\nschedule: '@continuous'\nmax_active_runs: 1\ntasks: [{ id: a, uses: work }]\n").await;
        w.slow("again.a");
        w.settle().await;
        w.advance(100);
        w.settle().await;
        assert_eq!(w.states("once").await, [RunState::Success]);
        assert_eq!(w.states("again").await, [RunState::Running]);
        w.finish("again.a", Outcome::Success).await;
        assert_eq!(w.states("again").await.len(), 2);
    }
}
