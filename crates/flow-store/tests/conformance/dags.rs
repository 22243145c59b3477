//! DAGs: pausing, planning, versions and deleting.

use flow_core::{
    RunState,
    engine::{Edit, NewRun},
    run::DataInterval,
    state::RunType,
};
use flow_store::{DagCache, EditOptions, Plan, StoreError};

use crate::{
    support::both,
    world::{CHAIN, World, at, catalog},
};

both! {
    async fn a_dag_shows_what_its_document_says(w: World) {
        let text = "dag_id: d\ndag_display_name: Dee\ndescription: Does it\ntags: [b, a]\nschedule: '@daily'\nmax_active_runs: 3\n\
            tasks:\n  - { id: x, owner: zoe }\n  - { id: y, owner: ann }\n  - { id: z, owner: zoe }\n";
        w.save("sub/d.yaml", text, at(5)).await;
        let dag = w.store.dag("d").await.unwrap().unwrap();
        assert_eq!((dag.dag_id.as_str(), dag.file.as_str(), dag.display_name.as_deref()), ("d", "sub/d.yaml", Some("Dee")));
        assert_eq!((dag.description.as_deref(), dag.owners.as_str(), dag.max_active_runs), (Some("Does it"), "ann, zoe", 3));
        assert_eq!(dag.tags, ["a", "b"]);
        assert!(!dag.schedule.is_empty());
        assert_eq!((dag.is_paused, dag.is_stale, dag.is_blocked), (false, false, false));
        assert_eq!((dag.enabled_at, dag.due_at, dag.parsed_at, dag.next_run_after), (at(5), Some(at(5)), at(5), None));
        assert!(w.store.dag("nope").await.unwrap().is_none());
    }

    async fn dags_are_listed_by_id(w: World) {
        for id in ["c", "a", "b"] {
            w.save(&format!("{id}.yaml"), &CHAIN.replace("chain", id), at(0)).await;
        }
        assert_eq!(w.store.dags().await.unwrap().iter().map(|dag| dag.dag_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    async fn pausing_stops_the_timetable_and_unpausing_asks_it_anew(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        let mut tx = w.store.begin().await.unwrap();
        tx.plan(&[Plan { dag_id: "chain", due_at: None, is_blocked: true, next: None }]).await.unwrap();
        assert!(tx.pause_dag("chain", "too many failures", Some("ann"), at(2)).await.unwrap());
        assert!(!tx.pause_dag("chain", "", None, at(3)).await.unwrap(), "it is paused already");
        assert!(!tx.pause_dag("nope", "", None, at(3)).await.unwrap());
        tx.commit().await.unwrap();
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.is_paused, dag.is_blocked, dag.due_at, dag.enabled_at), (true, false, None, at(0)));
        let last = w.store.events_after(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), last.detail.as_deref(), last.who.as_deref()), ("dag_paused", Some("too many failures"), Some("ann")));
        w.meddle("DELETE FROM wake").await;
        let mut tx = w.store.begin().await.unwrap();
        tx.plan(&[Plan::later("chain", at(9))]).await.unwrap();
        assert!(tx.unpause_dag("chain", Some("ann"), at(10)).await.unwrap());
        assert!(!tx.unpause_dag("chain", None, at(11)).await.unwrap());
        tx.commit().await.unwrap();
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.is_paused, dag.due_at, dag.enabled_at), (false, Some(at(10)), at(10)));
        assert_eq!(w.numbers("SELECT run FROM wake").await, [run.0], "its runs go on");
    }

    async fn a_plan_is_written_down(w: World) {
        let w = w.with_chain().await;
        let next = NewRun {
            run_id: "r".into(),
            run_type: RunType::Scheduled,
            logical_date: Some(at(10)),
            data_interval: Some(DataInterval { start: at(11), end: at(12) }),
            run_after: at(13),
        };
        let plan = async |due_at, is_blocked, next| {
            let mut tx = w.store.begin().await.unwrap();
            tx.plan(&[Plan { dag_id: "chain", due_at, is_blocked, next }, Plan::later("nope", at(1))]).await.unwrap();
            tx.commit().await.unwrap();
            w.store.dag("chain").await.unwrap().unwrap()
        };
        let dag = plan(Some(at(13)), false, Some(next)).await;
        assert_eq!((dag.due_at, dag.is_blocked, dag.next_logical_date), (Some(at(13)), false, Some(at(10))));
        assert_eq!((dag.next_interval_start, dag.next_interval_end, dag.next_run_after), (Some(at(11)), Some(at(12)), Some(at(13))));
        let dag = plan(None, true, None).await;
        assert_eq!((dag.due_at, dag.is_blocked, dag.next_run_after), (None, true, None));
    }

    async fn a_stale_dag_stays_unscheduled_when_it_is_unpaused(w: World) {
        let w = w.with_chain().await;
        let mut tx = w.store.begin().await.unwrap();
        tx.pause_dag("chain", "", None, at(1)).await.unwrap();
        tx.remove_file("chain.yaml", at(1)).await.unwrap();
        tx.unpause_dag("chain", None, at(2)).await.unwrap();
        tx.plan(&[Plan::later("chain", at(5))]).await.unwrap();
        tx.commit().await.unwrap();
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.is_stale, dag.is_paused, dag.due_at), (true, false, None));
    }

    async fn a_version_can_be_read_again(w: World) {
        let w = w.with_chain().await;
        let id = w.store.dag("chain").await.unwrap().unwrap().version_id;
        let version = w.store.version(id).await.unwrap();
        assert_eq!((version.id, version.dag_id.as_str(), version.number, version.file.as_str()), (id, "chain", 1, "chain.yaml"));
        assert_eq!((version.text.as_str(), version.document, version.created_at, version.files.len()), (CHAIN, 0, at(0), 0));
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.version(id).await.unwrap(), version);
        assert!(matches!(tx.version(999).await, Err(StoreError::NotFound { what: "dag version", .. })));
        tx.rollback().await.unwrap();
        assert!(matches!(w.store.version(999).await, Err(StoreError::NotFound { .. })));
    }

    async fn the_cache_reads_a_version_once_and_shares_it(w: World) {
        let w = w.with_chain().await;
        let id = w.store.dag("chain").await.unwrap().unwrap().version_id;
        let cache = DagCache::new(catalog());
        let read = cache.read(&w.store, id).await.unwrap();
        assert_eq!((read.version_id, read.number, read.seeds.len(), read.looks_back), (id, 1, 2, false));
        assert_eq!((read.task_ix("b").map(|ix| ix.index()), read.task_ix("zzz")), (Some(1), None));
        w.meddle("UPDATE dag_source SET text = 'nonsense: ['").await;
        assert_eq!(cache.clone().read(&w.store, id).await.unwrap().number, 1, "it is at hand");
        let mut tx = w.store.begin().await.unwrap();
        assert!(cache.get(&mut tx, id).await.is_ok());
        let fresh = DagCache::new(catalog());
        let error = fresh.get(&mut tx, id).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "dag_version", .. }), "{error}");
        assert!(matches!(fresh.get(&mut tx, 999).await, Err(StoreError::NotFound { .. })));
        assert!(cache.catalog().by_name("work").is_some());
    }

    async fn a_dag_with_active_runs_is_not_deleted(w: World) {
        let w = w.with_chain().await;
        w.trigger("chain", at(1)).await;
        let mut tx = w.store.begin().await.unwrap();
        let error = tx.delete_dag("chain", 10, None, at(2)).await.unwrap_err();
        assert!(error.to_string().contains("has 1 active run"), "{error}");
        drop(tx);
        let mut tx = w.store.begin().await.unwrap();
        assert!(matches!(tx.delete_dag("nope", 10, None, at(2)).await, Err(StoreError::NotFound { what: "dag", .. })));
    }

    async fn a_dag_whose_task_a_worker_still_has_is_not_deleted(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        w.running(row.run.key, "w1", at(2)).await;
        let name = ("chain", row.run.run_id.as_str());
        w.store.edit_run(&w.dags, name, &Edit::Cancel, EditOptions::default(), at(3)).await.unwrap();
        let mut tx = w.store.begin().await.unwrap();
        assert!(matches!(tx.delete_dag("chain", 10, None, at(4)).await, Err(StoreError::Conflict(_))));
    }

    async fn a_dag_is_deleted_in_steps_with_all_that_is_its_own(w: World) {
        let w = w.with_chain().await;
        w.save("other.yaml", &CHAIN.replace("chain", "other"), at(0)).await;
        let kept = w.trigger("other", at(1)).await;
        for second in 0..5 {
            let row = w.trigger("chain", at(second)).await;
            let request = Edit::MarkRun { state: RunState::Success };
            w.store.edit_run(&w.dags, ("chain", row.run.run_id.as_str()), &request, EditOptions::default(), at(9)).await.unwrap();
        }
        let mut steps = Vec::new();
        loop {
            let mut tx = w.store.begin().await.unwrap();
            let gone = tx.delete_dag("chain", 2, Some("ann"), at(10)).await.unwrap();
            tx.commit().await.unwrap();
            steps.push((w.count("dag_run", "dag_id = 'chain'").await, gone));
            let is_paused = w.store.dag("chain").await.unwrap().map(|dag| dag.is_paused);
            assert_eq!(is_paused, (!gone).then_some(true), "no run comes between two steps");
            if gone {
                break;
            }
        }
        assert_eq!(steps, [(3, false), (1, false), (0, true)]);
        for table in ["dag", "dag_version", "wake", "task_instance"] {
            assert_eq!(w.count(table, "dag_id = 'chain'").await, 0, "{table}");
            assert!(w.count(table, "dag_id = 'other'").await > 0, "{table}");
        }
        assert!(!w.store.file_hashes().await.unwrap().contains_key("chain.yaml"), "its file makes a new DAG at the next start");
        assert!(w.store.run("other", kept.run.run_id.as_str()).await.unwrap().is_some());
        let last = w.store.events_after(0, 1_000).await.unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), last.who.as_deref()), ("dag_deleted", Some("ann")));
    }
}
