//! Events, and forgetting old history.

use flow_core::{RunState, engine::Edit};
use flow_store::{Cleaned, CleanupPlan, CleanupStep, EditOptions, Event, EventFilter, EventOrder, Order, Page};

use crate::{
    support::both,
    world::{CHAIN, World, at},
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
        assert_eq!(w.store.first_event().await.unwrap(), first[0].id);
        let some = w.store.events_among(&[rest[2].id, first[0].id, 777_777]).await.unwrap();
        assert_eq!(some.iter().map(|event| event.id).collect::<Vec<_>>(), [first[0].id, rest[2].id]);
        let one = &rest[0];
        assert_eq!((one.kind.as_str(), one.at, one.dag_id.as_deref(), one.who.as_deref()), ("test", at(3).as_micros(), None, None));
    }

    async fn the_events_of_a_run_are_all_found(w: World) {
        let w = w.with_chain().await;
        let hour = 3_600;
        let mut names = Vec::new();
        for second in [1, 10 * hour, 20 * hour] {
            let row = w.trigger("chain", at(second)).await;
            let name = row.run.run_id.to_string();
            let request = Edit::MarkRun { state: RunState::Success };
            w.store.edit_run(&w.dags, ("chain", &name), &request, EditOptions::default(), at(second + 5)).await.unwrap();
            names.push(name);
        }
        // Somebody does something to the first, long after its end.
        let mut tx = w.store.begin().await.unwrap();
        let note = Event { kind: "note", dag_id: Some("chain".to_owned()), run_id: Some(names[0].clone()), ..Event::default() };
        tx.tell(&[note], at(30 * hour)).await.unwrap();
        tx.commit().await.unwrap();
        let list = async |run_id: &str, is_descending| {
            let filter = EventFilter { dag_id: Some("chain".to_owned()), run_id: Some(run_id.to_owned()), ..EventFilter::default() };
            let orders = [Order { by: EventOrder::Id, is_descending }];
            let found = w.store.list_events(&filter, &orders, Page { limit: 100, offset: 0 }).await.unwrap();
            assert_eq!(found.total, found.rows.len() as u64);
            found.rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        for name in &names {
            let all = w.numbers(&format!("SELECT id FROM event WHERE run_id = '{name}' ORDER BY id")).await;
            assert!(all.len() > 2);
            assert_eq!(list(name, false).await, all);
            assert_eq!(list(name, true).await, all.iter().rev().copied().collect::<Vec<_>>());
        }
        // Nothing is known any more of a run that is gone, but for its events.
        let before = list(&names[1], false).await;
        w.meddle(&format!("DELETE FROM dag_run WHERE run_id = '{}'", names[1])).await;
        assert_eq!(list(&names[1], false).await, before);
        assert!(list("none\0", false).await.is_empty());
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
        let plan = CleanupPlan { before: at(60), dag_id: None, batch: 2, dry_run: true };
        let would = w.store.clean(&plan, |_| panic!("a dry run forgets nothing")).await.unwrap();
        assert_eq!(would.runs, 5);
        assert_eq!(w.count("dag_run", "TRUE").await, 8);
        let plan = CleanupPlan { dry_run: false, ..plan };
        let (mut steps, mut events_gone) = (Vec::new(), 0);
        let cleaned = w.store.clean(&plan, |step| match step {
            CleanupStep::Runs(names) => steps.push(names.to_vec()),
            CleanupStep::Events(number) => events_gone += number,
            CleanupStep::Versions(number) => assert_eq!(number, 0, "the one there is in use"),
        });
        let cleaned = cleaned.await.unwrap();
        assert_eq!((cleaned, events_gone), (would, would.events));
        assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(steps[0][0].0, "chain");
        assert!(steps[0][0].1.contains("00:00:01"), "oldest first: {steps:?}");
        assert_eq!(w.count("dag_run", "TRUE").await, 3);
        assert_eq!(w.count("task_instance", "TRUE").await, 6);
        assert!(w.store.run("chain", active.run.run_id.as_str()).await.unwrap().is_some(), "active runs are not old");
        assert_eq!(w.count("event", &format!("at < {}", at(60).as_micros())).await, 0);
        w.trigger("chain", at(100)).await;
        assert!(w.store.last_event().await.unwrap() > events, "numbers go on");
        let again = w.store.clean(&plan, |_| ()).await.unwrap();
        assert_eq!(again, Cleaned::default());
    }

    async fn forgetting_may_be_about_one_dag(w: World) {
        let w = w.with_chain().await;
        w.save("other.yaml", "schedule: null\ntasks: [{ id: a }]\n", at(0)).await;
        for dag_id in ["chain", "other"] {
            for second in 1..=3 {
                let row = w.trigger(dag_id, at(second)).await;
                let request = Edit::MarkRun { state: RunState::Failed };
                let name = (dag_id, row.run.run_id.as_str());
                w.store.edit_run(&w.dags, name, &request, EditOptions::default(), at(second)).await.unwrap();
            }
        }
        let events = |dag_id: &str| format!("dag_id = '{dag_id}'");
        let before = (w.count("event", &events("chain")).await, w.count("event", &events("other")).await);
        let plan = CleanupPlan { before: at(60), dag_id: Some("other".to_owned()), batch: 2, dry_run: true };
        let would = w.store.clean(&plan, |_| ()).await.unwrap();
        let cleaned = w.store.clean(&CleanupPlan { dry_run: false, ..plan }, |_| ()).await.unwrap();
        assert_eq!((cleaned, cleaned.runs, cleaned.events), (would, 3, before.1.unsigned_abs()));
        assert_eq!(w.count("dag_run", "TRUE").await, 3);
        assert_eq!((w.count("event", &events("chain")).await, w.count("event", &events("other")).await), (before.0, 0));
        let latest = w.store.latest_run_states().await.unwrap();
        assert_eq!(latest.into_iter().collect::<Vec<_>>(), [("chain".to_owned(), RunState::Failed)]);
        let sizes = w.store.table_sizes().await.unwrap();
        assert!(sizes.iter().any(|size| (size.table, size.rows) == ("dag_run", 3)), "{sizes:?}");
        assert!(w.store.bytes().await.unwrap() > 0);
    }

    async fn a_run_that_is_cleared_meanwhile_keeps_its_logs(w: World) {
        if w.db.is_sqlite() {
            return; // One writer at a time: nobody clears a run in the middle.
        }
        let w = w.with_chain().await;
        let mut names = Vec::new();
        for second in 1..=3 {
            let row = w.trigger("chain", at(second)).await;
            let request = Edit::MarkRun { state: RunState::Success };
            let name = ("chain", row.run.run_id.as_str());
            w.store.edit_run(&w.dags, name, &request, EditOptions::default(), at(second * 10)).await.unwrap();
            names.push(row.run.run_id.to_string());
        }
        let mut other = w.db.raw().await;
        let clear = "UPDATE dag_run SET state = 'queued', ended_at = NULL WHERE run_id =";
        other.run(&format!("BEGIN; {clear} '{}'", names[1])).await.unwrap();
        let cleaning = tokio::spawn({
            let store = w.store.clone();
            async move {
                let plan = CleanupPlan { before: at(60), dag_id: None, batch: 2, dry_run: false };
                let mut gone = Vec::new();
                let cleaned = store.clean(&plan, |step| {
                    if let CleanupStep::Runs(names) = step {
                        gone.extend(names.iter().map(|(_, run)| run.clone()));
                    }
                });
                (cleaned.await.unwrap().runs, gone)
            }
        });
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while w.numbers(waiting).await != [1] {
            tokio::task::yield_now().await;
        }
        other.run("COMMIT").await.unwrap();
        let (runs, gone) = cleaning.await.unwrap();
        assert_eq!((runs, gone), (2, vec![names[0].clone(), names[2].clone()]), "and the rest is forgotten all the same");
        assert!(w.store.run("chain", &names[1]).await.unwrap().is_some());
    }

    async fn versions_that_nothing_uses_are_forgotten(w: World) {
        let text = |number: u64| CHAIN.replace("uses: work }", &format!("uses: work, retries: {number} }}"));
        let finish = async |run_id: &str, now| {
            let request = Edit::MarkRun { state: RunState::Success };
            w.store.edit_run(&w.dags, ("chain", run_id), &request, EditOptions::default(), now).await.unwrap();
        };
        w.save("other.yaml", &CHAIN.replace("chain", "other"), at(0)).await;
        w.save("other.yaml", &text(1).replace("chain", "other"), at(1)).await;
        for number in 1..=6 {
            w.save("chain.yaml", &text(number), at(number * 10)).await;
            match number {
                // One that goes, one that stays, one that has not ended; 4 and 5 have no run, 5 is too young.
                1 => finish(w.trigger("chain", at(11)).await.run.run_id.as_str(), at(12)).await,
                2 => finish(w.trigger("chain", at(21)).await.run.run_id.as_str(), at(70)).await,
                3 => drop(w.trigger("chain", at(31)).await),
                _ => {}
            }
        }
        w.save("chain.yaml", &format!("# a comment\n{}", text(6)), at(65)).await;
        let versions = async || w.numbers("SELECT number FROM dag_version WHERE dag_id = 'chain' ORDER BY number").await;
        let plan = CleanupPlan { before: at(45), dag_id: Some("chain".to_owned()), batch: 2, dry_run: true };
        let would = w.store.clean(&plan, |_| ()).await.unwrap();
        assert_eq!((would.runs, would.versions), (1, 2));
        assert_eq!(versions().await, [1, 2, 3, 4, 5, 6]);
        let mut told = 0;
        let plan = CleanupPlan { dry_run: false, ..plan };
        let cleaned = w.store.clean(&plan, |step| {
            if let CleanupStep::Versions(number) = step {
                told += number;
            }
        });
        assert_eq!((cleaned.await.unwrap(), told), (would, 2));
        assert_eq!(versions().await, [2, 3, 5, 6]);
        assert_eq!(w.count("dag_version", "dag_id = 'other'").await, 2, "it was about another one");
        assert_eq!(w.count("dag_source", "TRUE").await, 6, "a text for each version");
        let plan = CleanupPlan { before: at(1_000), dag_id: None, ..plan };
        assert_eq!(w.store.clean(&plan, |_| ()).await.unwrap().versions, 3);
        assert_eq!(versions().await, [3, 6], "what runs, and what is next");
        assert_eq!(w.count("dag_source", "TRUE").await, 3);
        assert_eq!(w.store.clean(&plan, |_| ()).await.unwrap(), Cleaned::default());
        w.save("chain.yaml", &text(7), at(2_000)).await;
        assert_eq!(versions().await, [3, 6, 7], "numbers go on");
        assert!(w.trigger("chain", at(2_001)).await.version_id > 0);
    }

    async fn a_text_that_is_about_to_be_used_is_not_forgotten(w: World) {
        if w.db.is_sqlite() {
            return; // One writer at a time.
        }
        let w = w.with_chain().await;
        w.save("chain.yaml", &format!("# a comment\n{CHAIN}"), at(1)).await;
        assert_eq!(w.count("dag_source", "TRUE").await, 2);
        let mut tx = w.store.begin().await.unwrap();
        crate::world::save(&mut tx, "chain.yaml", CHAIN, at(2)).await;
        let plan = CleanupPlan { before: at(60), dag_id: None, batch: 10, dry_run: false };
        w.store.clean(&plan, |_| ()).await.unwrap();
        tx.commit().await.unwrap();
        let version = w.store.dag("chain").await.unwrap().unwrap().version_id;
        assert_eq!(w.store.version(version).await.unwrap().text, CHAIN);
        w.store.clean(&plan, |_| ()).await.unwrap();
        assert_eq!(w.count("dag_source", "TRUE").await, 1);
    }
}
