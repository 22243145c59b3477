//! Events, and forgetting old history.

use flow_core::{RunState, engine::Edit};
use flow_store::{Cleaned, CleanupPlan, EditOptions, Event};

use crate::{
    support::both,
    world::{World, at},
};

both! {
    async fn events_are_read_from_where_one_left_off(w: World) {
        assert_eq!(w.store.last_event().await.unwrap(), 0);
        let mut tx = w.store.begin().await.unwrap();
        let many: Vec<_> = (0..5)
            .map(|number| Event { kind: "test", detail: Some(number.to_string()), map_index: Some(number), ..Event::default() })
            .collect();
        tx.tell(&many, at(3)).await.unwrap();
        tx.tell(&[], at(3)).await.unwrap();
        tx.commit().await.unwrap();
        let first = w.store.events_after(0, 2).await.unwrap();
        assert_eq!(first.iter().map(|event| event.detail.as_deref().unwrap()).collect::<Vec<_>>(), ["0", "1"]);
        let rest = w.store.events_after(first[1].id, 100).await.unwrap();
        assert_eq!(rest.iter().map(|event| event.map_index.unwrap()).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(rest[2].id, w.store.last_event().await.unwrap());
        assert!(w.store.events_after(rest[2].id, 100).await.unwrap().is_empty());
        let one = &rest[0];
        assert_eq!((one.kind.as_str(), one.at, one.dag_id.as_deref(), one.who.as_deref()), ("test", at(3).as_micros(), None, None));
    }

    async fn old_runs_and_events_are_forgotten_in_steps(w: World) {
        let w = w.with_chain().await;
        for second in 1..=7 {
            let row = w.trigger("chain", at(second)).await;
            let request = Edit::MarkRun { state: RunState::Success };
            let name = ("chain", row.run.run_id.as_str());
            w.store.edit_run(&w.dags, name, &request, EditOptions::default(), at(second * 10)).await.unwrap();
        }
        let active = w.trigger("chain", at(8)).await;
        let events = w.store.last_event().await.unwrap();
        let plan = CleanupPlan { before: at(60), batch: 2, dry_run: true };
        let would = w.store.clean(plan, |_| panic!("a dry run forgets nothing")).await.unwrap();
        assert_eq!(would.runs, 5);
        assert_eq!(w.count("dag_run", "TRUE").await, 8);
        let mut steps = Vec::new();
        let cleaned = w.store.clean(CleanupPlan { dry_run: false, ..plan }, |names| steps.push(names.to_vec())).await.unwrap();
        assert_eq!(cleaned, would);
        assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(steps[0][0].0, "chain");
        assert!(steps[0][0].1.contains("00:00:01"), "oldest first: {steps:?}");
        assert_eq!(w.count("dag_run", "TRUE").await, 3);
        assert_eq!(w.count("task_instance", "TRUE").await, 6);
        assert!(w.store.run("chain", active.run.run_id.as_str()).await.unwrap().is_some(), "active runs are not old");
        assert_eq!(w.count("event", &format!("at < {}", at(60).as_micros())).await, 0);
        w.trigger("chain", at(100)).await;
        assert!(w.store.last_event().await.unwrap() > events, "numbers go on");
        let again = w.store.clean(CleanupPlan { dry_run: false, ..plan }, |_| ()).await.unwrap();
        assert_eq!(again, Cleaned::default());
    }
}
