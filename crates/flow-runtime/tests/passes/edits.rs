//! What people ask for while the scheduler works.

use flow_core::{
    Outcome, RunState, TaskState,
    engine::{Edit, Selection},
};
use flow_runtime::pass::{Bounds, pass, postpone};
use flow_store::{TriggerOutcome, TriggerRun};
use serde_json::Value;

use crate::{
    support::both,
    world::{World, at, failed, only},
};

const PAIR: &str = "dag_id: d\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n";

fn clear(tasks: Selection) -> Edit {
    Edit::Clear { tasks, only_failed: false }
}

both! {
    async fn a_task_cleared_while_it_runs_is_ended_and_starts_afresh(w: World) {
        w.save(PAIR).await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        w.edit(&row, &clear(only("a"))).await;
        w.settle().await;
        assert_eq!(w.seen(&row).await, "running: a restarting, b no_status");
        assert_eq!(w.kept().await, [""; 0], "the worker is to end it");
        assert!(w.finish("d.a", Outcome::Cancelled).await);
        assert_eq!(w.seen(&row).await, "running: a running, b no_status");
        assert_eq!(w.started(), ["d.a", "d.a"]);
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(w.seen(&row).await, "success: a success, b success");
        w.assert_all_quiet().await;
    }

    async fn an_ended_run_that_is_cleared_runs_again(w: World) {
        w.save(PAIR).await;
        w.ends("d.b", [failed()]);
        let row = w.trigger("d").await;
        w.settle().await;
        assert_eq!(w.seen(&row).await, "failed: a success, b failed");
        w.edit(&row, &Edit::Clear { tasks: Selection::default(), only_failed: true }).await;
        w.advance(5);
        w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success, b success");
        assert_eq!(w.started(), ["d.a", "d.b", "d.b"]);
        let run = w.run(&row).await.run;
        assert_eq!((run.started_at, run.ended_at, run.clear_number), (Some(at(5)), Some(at(5)), 1));
    }

    async fn a_mark_ends_what_runs_and_lets_the_next_start(w: World) {
        w.save(PAIR).await;
        w.slow("d.a");
        let row = w.trigger("d").await;
        w.settle().await;
        w.edit(&row, &Edit::MarkTasks { tasks: only("a"), state: TaskState::Success }).await;
        w.settle().await;
        assert_eq!(w.seen(&row).await, "success: a success, b success");
        assert_eq!(w.kept().await, [""; 0]);
        assert!(w.finish("d.a", failed()).await, "what the ended attempt says changes nothing");
        assert_eq!(w.seen(&row).await, "success: a success, b success");
        w.assert_all_quiet().await;
    }

    async fn a_cancelled_run_ends_and_makes_room_for_the_next(w: World) {
        w.save("dag_id: d\nmax_active_runs: 1\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n").await;
        w.slow("d.a");
        let (first, second) = (w.trigger("d").await, w.trigger("d").await);
        w.settle().await;
        assert_eq!(w.states("d").await, [RunState::Running, RunState::Queued]);
        w.edit(&first, &Edit::Cancel).await;
        w.settle().await;
        assert_eq!(w.seen(&first).await, "failed: a failed, b skipped");
        assert_eq!(w.run(&second).await.run.state, RunState::Running);
        assert!(w.finish("d.a", Outcome::Cancelled).await);
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(w.seen(&second).await, "success: a success, b success");
        w.assert_all_quiet().await;
    }

    async fn a_run_for_later_starts_at_its_moment_though_its_dag_was_paused(w: World) {
        w.save(PAIR).await;
        let request = TriggerRun {
            dag_id: "d",
            run_id: None,
            logical_date: None,
            run_after: Some(at(100)),
            conf: &Value::Null,
            triggered_by: "test",
            user: None,
            note: None,
            caller: None,
        };
        let TriggerOutcome::Created(row) = w.store.trigger(&w.dags, &request, at(0)).await.unwrap() else { panic!() };
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Queued);
        w.pause("d", true).await;
        w.settle().await;
        w.pause("d", false).await;
        w.settle().await;
        w.clock.set(at(99));
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Queued);
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(100)));
        w.clock.set(at(100));
        w.settle().await;
        assert_eq!(w.run(&row).await.run.state, RunState::Success);
    }

    async fn tasks_that_depend_on_the_past_wait_for_the_run_before(w: World) {
        w.save("dag_id: d\ntasks:\n  - { id: a, uses: work, depends_on_past: true }\n").await;
        w.slow("d.a");
        let first = w.trigger("d").await;
        w.advance(1);
        let (second, third) = (w.trigger("d").await, w.trigger("d").await);
        w.settle().await;
        assert_eq!(w.started(), ["d.a"]);
        assert!(w.finish("d.a", Outcome::Success).await);
        assert_eq!(w.started(), ["d.a"], "the end of one starts the next without a timer");
        assert_eq!(w.run(&first).await.run.state, RunState::Success);
        assert!(w.finish("d.a", failed()).await);
        assert_eq!(w.run(&second).await.run.state, RunState::Failed);
        assert_eq!(w.started(), [""; 0], "it failed in the run before");
        assert_eq!(w.run(&third).await.run.state, RunState::Running);
        w.edit(&second, &Edit::MarkTasks { tasks: only("a"), state: TaskState::Success }).await;
        w.settle().await;
        assert_eq!(w.started(), ["d.a"], "marked, it lets the next one go on");
    }

    async fn a_version_that_cannot_be_read_harms_only_its_dag(w: World) {
        w.save(PAIR).await;
        w.save("dag_id: good\nschedule: 1m\nstart_date: 2026-01-01\ntasks: [{ id: a, uses: work }]\n").await;
        let bad = w.trigger("d").await;
        w.meddle("UPDATE dag_source SET text = 'dag_id: d\ntasks: [{ id: a, uses: nonsense }]' WHERE hash LIKE 'd %'").await;
        let mut fresh = w.clone();
        fresh.dags = flow_store::DagCache::new(crate::world::catalog());
        fresh.advance(61);
        fresh.settle().await;
        assert!(fresh.states("good").await.contains(&RunState::Success));
        assert_eq!(fresh.run(&bad).await.run.state, RunState::Queued);
        let next = fresh.store.next_due().await.unwrap().at.unwrap();
        assert!(next > fresh.clock.now(), "it is not looked at all the time");
        // Read again, for instance after an upgrade, it goes on by itself.
        fresh.meddle(&format!("UPDATE dag_source SET text = '{PAIR}' WHERE hash LIKE 'd %'")).await;
        fresh.advance(61);
        fresh.settle().await;
        assert_eq!(fresh.run(&bad).await.run.state, RunState::Success);
    }

    async fn a_row_that_cannot_be_read_can_be_put_aside(w: World) {
        w.save(PAIR).await;
        w.save("dag_id: good\ntasks: [{ id: a, uses: work }]\n").await;
        let bad = w.trigger("d").await;
        w.meddle("UPDATE dag_run SET conf = '{' WHERE dag_id = 'd'").await;
        w.advance(1);
        let good = w.trigger("good").await;
        let now = w.clock.now();
        let one = Bounds { dags: 1, ..Bounds::default() };
        assert!(pass(&w.store, &w.dags, one, &[], None, None, now).await.is_err(), "the one that is due first");
        let aside = postpone(&w.store, now, now + std::time::Duration::from_secs(10)).await.unwrap();
        assert_eq!(aside, ["d"]);
        w.settle().await;
        assert_eq!(w.run(&good).await.run.state, RunState::Success);
        w.meddle("UPDATE dag_run SET conf = '{}' WHERE dag_id = 'd'").await;
        w.advance(11);
        w.settle().await;
        assert_eq!(w.run(&bad).await.run.state, RunState::Success, "it was put off, not lost");
    }
}
