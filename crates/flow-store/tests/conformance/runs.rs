//! Runs: making, triggering, reading and deleting them.

use std::time::Duration;

use flow_core::{
    DagId, RunId, RunState, RunType, TaskState, Timestamp,
    engine::{Edit, Selection},
    run::DataInterval,
};
use flow_store::{ActionError, CreateRun, EditOptions, RunFilter, RunRow, StoreError, TriggerOutcome, TriggerRun, Tx};
use serde_json::{Value, json};

use crate::{
    support::both,
    world::{World, at, failed, report, request},
};

/// Makes a run of the chain, as the timetable would.
async fn create(tx: &mut Tx, w: &World, run_id: &str, date: Option<Timestamp>) -> Option<flow_core::RunKey> {
    let version_id = w.store.dag("chain").await.unwrap().unwrap().version_id;
    let cached = w.dags.get(tx, version_id).await.unwrap();
    let new = CreateRun {
        dag_id: &DagId::new("chain"),
        version_id,
        run_id: RunId::new(run_id),
        run_type: RunType::Scheduled,
        logical_date: date,
        data_interval: date.map(|date| DataInterval { start: date, end: date + Duration::from_secs(60) }),
        run_after: date.unwrap_or(at(7)),
        conf: &json!({"a": [1, "ü"]}),
        triggered_by: "timetable",
        user: Some("ann"),
        note: Some("by hand"),
        caller: None,
        tasks: &cached.seeds,
    };
    tx.create_run(&new, at(5)).await.unwrap()
}

async fn make(w: &World, run_id: &str, date: Option<Timestamp>) -> Option<flow_core::RunKey> {
    let mut tx = w.store.begin().await.unwrap();
    let made = create(&mut tx, w, run_id, date).await;
    tx.commit().await.unwrap();
    made
}

fn ids(rows: &[RunRow]) -> Vec<&str> {
    rows.iter().map(|row| row.run.run_id.as_str()).collect()
}

/// Starts a run and ends it in this state.
async fn end(w: &World, row: &RunRow, state: RunState, now: Timestamp) {
    let (dag_id, run_id) = (row.run.dag_id.as_str(), row.run.run_id.as_str());
    let request = Edit::MarkRun { state };
    w.store.edit_run(&w.dags, (dag_id, run_id), &request, EditOptions::default(), now).await.unwrap();
}

both! {
    async fn a_new_run_has_its_tasks_an_event_and_a_wake(w: World) {
        let w = w.with_chain().await;
        let key = make(&w, "r1", Some(at(60))).await.unwrap();
        let row = w.store.run("chain", "r1").await.unwrap().unwrap();
        assert_eq!((row.run.key, row.run.state, row.run.run_type), (key, RunState::Queued, RunType::Scheduled));
        assert_eq!((row.run.logical_date, row.run.run_after, row.run.queued_at), (Some(at(60)), at(60), at(5)));
        assert_eq!(row.run.data_interval, Some(DataInterval { start: at(60), end: at(120) }));
        assert_eq!((row.run.started_at, row.run.ended_at, row.run.clear_number), (None, None, 0));
        assert_eq!(row.run.conf, json!({"a": [1, "ü"]}));
        assert_eq!((row.triggered_by.as_str(), row.user.as_deref(), row.note.as_deref()), ("timetable", Some("ann"), Some("by hand")));
        let tasks = w.store.tasks(key).await.unwrap();
        let one = w.store.task(key, &tasks[0].task_id, -1).await.unwrap().unwrap();
        assert_eq!((&one.task_id, one.state), (&tasks[0].task_id, tasks[0].state));
        assert!(w.store.task(key, "other", -1).await.unwrap().is_none());
        assert!(w.store.task(key, &tasks[0].task_id, 0).await.unwrap().is_none());
        let seen: Vec<_> = tasks.iter().map(|task| (task.task_id.as_str(), task.map_index, task.state)).collect();
        assert_eq!(seen, [("a", -1, TaskState::NoStatus), ("b", -1, TaskState::NoStatus)]);
        assert_eq!((tasks[0].pool.as_str(), tasks[0].pool_slots, tasks[0].queue.as_str()), ("default_pool", 1, "default"));
        assert_eq!((tasks[0].operator.as_str(), tasks[0].try_number, tasks[0].priority_weight), ("work", 0, 2));
        assert_eq!(w.numbers(&format!("SELECT due FROM wake WHERE run = {}", key.0)).await, [at(60).as_micros()]);
        let last = w.store.events_after(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), last.run_id.as_deref(), last.state.as_deref()), ("run_state", Some("r1"), Some("queued")));
        assert_eq!((last.who.as_deref(), last.at), (Some("ann"), at(5).as_micros()));
    }

    async fn a_run_id_and_a_logical_date_are_used_once(w: World) {
        let w = w.with_chain().await;
        assert!(make(&w, "r1", Some(at(60))).await.is_some());
        let (wakes, events) = (w.count("wake", "TRUE").await, w.store.last_event().await.unwrap());
        assert_eq!(make(&w, "r1", Some(at(120))).await, None);
        assert_eq!(make(&w, "r2", Some(at(60))).await, None);
        assert_eq!(w.count("dag_run", "TRUE").await, 1);
        assert_eq!(w.count("task_instance", "TRUE").await, 2);
        assert_eq!((w.count("wake", "TRUE").await, w.store.last_event().await.unwrap()), (wakes, events));
        assert!(make(&w, "r2", None).await.is_some(), "runs without a date do not meet");
        assert!(make(&w, "r3", None).await.is_some());
    }

    async fn a_transaction_that_is_dropped_or_rolled_back_has_done_nothing(w: World) {
        let w = w.with_chain().await;
        let mut tx = w.store.begin().await.unwrap();
        create(&mut tx, &w, "r1", Some(at(60))).await.unwrap();
        drop(tx);
        let mut tx = w.store.begin().await.unwrap();
        create(&mut tx, &w, "r1", Some(at(60))).await.unwrap();
        tx.rollback().await.unwrap();
        assert!(w.store.run("chain", "r1").await.unwrap().is_none());
        assert_eq!(w.count("wake", "TRUE").await, 0);
    }

    async fn a_trigger_makes_a_manual_run_of_now(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(100)).await;
        assert_eq!(row.run.run_id.as_str(), "manual__2026-01-01T00:01:40+00:00");
        assert_eq!((row.run.run_type, row.run.logical_date, row.run.run_after), (RunType::Manual, Some(at(100)), at(100)));
        assert_eq!(row.run.conf, json!({}));
        assert_eq!(row.version_id, w.store.dag("chain").await.unwrap().unwrap().version_id);
    }

    async fn triggers_in_the_same_microsecond_get_runs_of_their_own(w: World) {
        let w = w.with_chain().await;
        for _ in 0..5 {
            w.trigger("chain", at(100)).await;
        }
        let rows = w.store.list_runs(&RunFilter::default(), 10).await.unwrap();
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0].run.run_id.as_str(), "manual__2026-01-01T00:01:40.000004+00:00");
        assert_eq!(rows[0].run.logical_date, Some(Timestamp::from_micros(at(100).as_micros() + 4)));
    }

    async fn a_trigger_for_a_run_that_exists_says_which(w: World) {
        let w = w.with_chain().await;
        let named = TriggerRun { run_id: Some("mine"), logical_date: Some(at(60)), ..request("chain") };
        let first = w.store.trigger(&w.dags, &named, at(100)).await.unwrap();
        assert!(matches!(first, TriggerOutcome::Created(_)));
        let events = w.store.last_event().await.unwrap();
        for again in [
            TriggerRun { logical_date: Some(at(61)), ..named.clone() },
            TriggerRun { logical_date: None, ..named.clone() },
            TriggerRun { run_id: None, ..named.clone() },
            TriggerRun { run_id: Some("other"), ..named.clone() },
        ] {
            match w.store.trigger(&w.dags, &again, at(101)).await.unwrap() {
                TriggerOutcome::Exists(row) => assert_eq!(row.run.run_id.as_str(), "mine"),
                TriggerOutcome::Created(row) => panic!("made {row:?} for {again:?}"),
            }
        }
        assert_eq!(w.store.last_event().await.unwrap(), events);
    }

    async fn a_trigger_that_makes_no_sense_is_refused(w: World) {
        let w = w.with_chain().await;
        let number = json!(5);
        let invalid = [
            (TriggerRun { conf: &number, ..request("chain") }, "`conf` must be a JSON object"),
            (TriggerRun { run_id: Some(""), ..request("chain") }, "must be 1 to 250 letters"),
            (TriggerRun { run_id: Some("../up"), ..request("chain") }, "run id `../up`"),
            (TriggerRun { run_id: Some("a b"), ..request("chain") }, "run id `a b`"),
        ];
        for (request, expected) in invalid {
            let error = w.store.trigger(&w.dags, &request, at(1)).await.unwrap_err();
            assert!(matches!(&error, ActionError::Invalid(text) if text.contains(expected)), "{error}");
        }
        let long = "x".repeat(251);
        let error = w.store.trigger(&w.dags, &TriggerRun { run_id: Some(&long), ..request("chain") }, at(1)).await.unwrap_err();
        assert!(matches!(error, ActionError::Invalid(_)));
        let error = w.store.trigger(&w.dags, &request("nope"), at(1)).await.unwrap_err();
        assert!(matches!(error, ActionError::Store(StoreError::NotFound { what: "dag", .. })), "{error}");
        let mut tx = w.store.begin().await.unwrap();
        tx.remove_file("chain.yaml", at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let error = w.store.trigger(&w.dags, &request("chain"), at(1)).await.unwrap_err();
        assert!(error.to_string().contains("no longer in the DAG folder"), "{error}");
        assert_eq!(w.count("dag_run", "TRUE").await, 0);
    }

    async fn conf_that_does_not_fit_the_params_is_refused(w: World) {
        w.save(
            "p.yaml",
            "dag_id: p\nparams:\n  day: { type: string, format: date }\n  region: { default: eu, enum: [eu, us] }\n  n: { default: 1, maximum: 5 }\ntasks: [{ id: t }]\n",
            at(0),
        )
        .await;
        let trigger = async |conf: Value| w.store.trigger(&w.dags, &TriggerRun { conf: &conf, ..request("p") }, at(1)).await;
        for (conf, expected) in [
            (Value::Null, "`conf` does not fit the params of dag `p`: `day` is missing, and has no default; it must be of type `string`"),
            (json!({"day": 5}), "`conf` does not fit the params of dag `p`: `day` must be of type `string`, and is `5`"),
            (
                json!({"day": "2026-01-31", "n": 6, "region": "mars"}),
                "`conf` does not fit the params of dag `p`: `n` must be at most 5, and is `6`; `region` must be one of `\"eu\"`, `\"us\"`, and is `\"mars\"`",
            ),
        ] {
            let error = trigger(conf).await.unwrap_err();
            assert!(matches!(&error, ActionError::Invalid(text) if text == expected), "{error}");
        }
        assert_eq!(w.count("dag_run", "TRUE").await, 0);
        let conf = json!({"day": "2026-01-31", "more": [1]});
        let TriggerOutcome::Created(row) = trigger(conf.clone()).await.unwrap() else { panic!() };
        assert_eq!(row.run.conf, conf, "defaults are not written down; other keys may be there");
    }

    async fn a_trigger_for_later_waits_for_its_moment(w: World) {
        let w = w.with_chain().await;
        let later = TriggerRun { run_after: Some(at(500)), ..request("chain") };
        let TriggerOutcome::Created(row) = w.store.trigger(&w.dags, &later, at(100)).await.unwrap() else { panic!() };
        assert_eq!((row.run.run_after, row.run.logical_date), (at(500), Some(at(100))));
        let past = TriggerRun { run_after: Some(at(1)), ..request("chain") };
        let TriggerOutcome::Created(row) = w.store.trigger(&w.dags, &past, at(101)).await.unwrap() else { panic!() };
        assert_eq!(row.run.run_after, at(101));
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.queued_runs(&["chain"], at(499), 10).await.unwrap().len(), 1);
        assert_eq!(tx.queued_runs(&["chain"], at(500), 10).await.unwrap().len(), 2);
    }

    async fn runs_are_found_by_key_id_date_and_neighbour(w: World) {
        let w = w.with_chain().await;
        let mut keys = Vec::new();
        for (run_id, seconds) in [("r3", 180), ("r1", 60), ("r2", 120)] {
            keys.push(make(&w, run_id, Some(at(seconds))).await.unwrap());
        }
        let undated = make(&w, "undated", None).await.unwrap();
        let manual = w.trigger("chain", at(300)).await;
        w.save("other.yaml", "dag_id: other\ntasks: [{ id: t }]\n", at(0)).await;
        w.trigger("other", at(150)).await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(ids(&tx.runs(&keys).await.unwrap()), ["r1", "r2", "r3"]);
        assert_eq!(tx.runs(&[undated, flow_core::RunKey(999)]).await.unwrap().len(), 1);
        assert!(tx.runs(&[]).await.unwrap().is_empty());
        assert_eq!(tx.run_by_id("chain", "r2").await.unwrap().unwrap().run.key, keys[2]);
        assert!(tx.run_by_id("other", "r2").await.unwrap().is_none());
        assert_eq!(tx.run_by_date("chain", at(120)).await.unwrap().unwrap().run.key, keys[2]);
        assert!(tx.run_by_date("chain", at(121)).await.unwrap().is_none());
        let previous = |row: Option<RunRow>| row.map(|row| row.run.run_id.to_string());
        assert_eq!(previous(tx.previous_run("chain", at(180)).await.unwrap()).as_deref(), Some("r2"));
        assert_eq!(previous(tx.previous_run("chain", at(60)).await.unwrap()), None);
        assert_eq!(tx.next_run("chain", at(60)).await.unwrap(), Some(keys[2]));
        assert_eq!(tx.next_run("chain", at(180)).await.unwrap(), Some(manual.run.key));
        assert_eq!(tx.next_run("chain", at(300)).await.unwrap(), None);
        assert_eq!(ids(&tx.last_scheduled_runs(&["chain", "other", "nope"]).await.unwrap()), ["r3"]);
        tx.rollback().await.unwrap();
        assert_eq!(w.store.run_at("chain", at(60)).await.unwrap().unwrap().run.run_id.as_str(), "r1");
        assert_eq!(previous(w.store.latest_scheduled_run("chain").await.unwrap()).as_deref(), Some("r3"));
    }

    async fn runs_made_together_are_those_that_did_not_exist(w: World) {
        let w = w.with_chain().await;
        make(&w, "r1", Some(at(60))).await.unwrap();
        let version_id = w.store.dag("chain").await.unwrap().unwrap().version_id;
        let cached = w.dags.read(&w.store, version_id).await.unwrap();
        let (dag_id, conf) = (DagId::new("chain"), json!({ "a": "\u{0}é" }));
        let new = |run_id: &str, date| CreateRun {
            dag_id: &dag_id,
            version_id,
            run_id: RunId::new(run_id),
            run_type: RunType::Scheduled,
            logical_date: Some(at(date)),
            data_interval: None,
            run_after: at(date),
            conf: &conf,
            triggered_by: "timetable",
            user: Some("ann"),
            note: None,
            caller: None,
            tasks: &cached.seeds,
        };
        let mut tx = w.store.begin().await.unwrap();
        let made = tx.create_runs(&[new("r0", 0), new("r1", 30), new("x", 60), new("r2", 120), new("r2", 121)], at(200)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(made.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true, false]);
        let row = w.store.run("chain", "r2").await.unwrap().unwrap();
        assert_eq!((Some(row.run.key), row.run.logical_date, row.run.queued_at), (made[3], Some(at(120)), at(200)));
        assert_eq!((row.run.conf, row.user.as_deref()), (conf, Some("ann")));
        assert_eq!(w.store.tasks(row.run.key).await.unwrap().len(), cached.seeds.len());
        assert_eq!(w.count("wake", &format!("run = {} AND due = {}", row.run.key.0, at(120).as_micros())).await, 1);
    }

    async fn active_runs_are_counted_without_backfills(w: World) {
        let w = w.with_chain().await;
        for second in 0..4 {
            w.trigger("chain", at(second)).await;
        }
        let rows = w.store.list_runs(&RunFilter::default(), 10).await.unwrap();
        w.start(rows[3].run.key, at(10)).await;
        end(&w, &rows[2], RunState::Success, at(11)).await;
        w.meddle(&format!("UPDATE dag_run SET run_type = 'backfill' WHERE id = {}", rows[1].run.key.0)).await;
        let mut tx = w.store.begin().await.unwrap();
        let counted = tx.count_active_runs(&["chain", "nope"]).await.unwrap();
        assert_eq!(counted.into_iter().collect::<Vec<_>>(), [("chain".to_owned(), (1, 1))]);
        let active: Vec<_> = tx.active_runs("chain", 10).await.unwrap().iter().map(|row| row.run.key).collect();
        assert_eq!(active, [rows[3].run.key, rows[1].run.key, rows[0].run.key]);
        assert_eq!(tx.active_runs("chain", 2).await.unwrap().len(), 2);
        assert_eq!(tx.queued_runs(&["chain"], at(10), 1).await.unwrap().len(), 1);
    }

    async fn lists_show_the_latest_first_and_filter(w: World) {
        let w = w.with_chain().await;
        w.save("other.yaml", "dag_id: other\ntasks: [{ id: t }]\n", at(0)).await;
        let rows = [w.trigger("chain", at(1)).await, w.trigger("other", at(2)).await, w.trigger("chain", at(3)).await];
        end(&w, &rows[0], RunState::Failed, at(4)).await;
        let list = async |dag_id: Option<&str>, state, limit| {
            let filter = RunFilter { dag_id: dag_id.map(str::to_owned), state };
            w.store.list_runs(&filter, limit).await.unwrap().iter().map(|row| row.run.key.0).collect::<Vec<_>>()
        };
        let [one, two, three] = rows.map(|row| row.run.key.0);
        assert_eq!(list(None, None, 10).await, [three, two, one]);
        assert_eq!(list(None, None, 2).await, [three, two]);
        assert_eq!(list(Some("chain"), None, 10).await, [three, one]);
        assert_eq!(list(Some("chain"), Some(RunState::Failed), 10).await, [one]);
        assert_eq!(list(None, Some(RunState::Queued), 10).await, [three, two]);
        assert_eq!(list(Some("nope"), None, 10).await, [0_i64; 0]);
    }

    async fn the_latest_states_and_the_last_success_are_those_of_ended_runs(w: World) {
        let w = w.with_chain().await;
        for (second, state) in [(1, RunState::Success), (2, RunState::Failed), (3, RunState::Failed)] {
            let row = w.trigger("chain", at(second)).await;
            end(&w, &row, state, at(100 - second)).await;
        }
        w.trigger("chain", at(4)).await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.last_run_states("chain", 2).await.unwrap(), [RunState::Success, RunState::Failed]);
        assert_eq!(tx.last_run_states("chain", 9).await.unwrap().len(), 3);
        let ends = tx.last_ends(&["chain", "nope"]).await.unwrap();
        assert_eq!(ends.into_iter().collect::<Vec<_>>(), [("chain".to_owned(), at(99))]);
        tx.rollback().await.unwrap();
        assert_eq!(w.store.previous_success("chain", at(4)).await.unwrap().unwrap().run.logical_date, Some(at(1)));
        assert!(w.store.previous_success("chain", at(1)).await.unwrap().is_none());
    }

    async fn a_run_is_not_deleted_before_it_has_ended(w: World) {
        let w = w.with_chain().await;
        let (queued, running) = (w.trigger("chain", at(1)).await, w.trigger("chain", at(2)).await);
        w.start(running.run.key, at(3)).await;
        let delete = async |row: &RunRow| {
            let mut tx = w.store.begin().await.unwrap();
            let done = tx.delete_run(&row.run, None, at(9)).await;
            if done.is_ok() {
                tx.commit().await.unwrap();
            }
            done
        };
        for (row, state) in [(&queued, "queued"), (&running, "running")] {
            let id = &row.run.run_id;
            let expected = format!("run `{id}` is still {state}; cancel it first: flow runs cancel chain {id}");
            let refused = delete(row).await;
            assert!(matches!(&refused, Err(StoreError::Conflict(text)) if *text == expected), "{refused:?}");
        }
        end(&w, &queued, RunState::Failed, at(4)).await;
        delete(&queued).await.expect("what counts is what it is now, not when it was read");
        let again = delete(&queued).await;
        assert!(matches!(again, Err(StoreError::NotFound { what: "run", .. })), "{again:?}");
        assert_eq!(w.count("dag_run", "TRUE").await, 1);
    }

    async fn a_run_is_not_deleted_while_a_worker_has_one_of_its_tasks(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let run_id = row.run.run_id.as_str().to_owned();
        let delete = async || {
            let mut tx = w.store.begin().await.unwrap();
            let row = tx.run_by_id("chain", &run_id).await.unwrap().unwrap();
            let done = tx.delete_run(&row.run, Some("ann"), at(9)).await;
            if done.is_ok() {
                tx.commit().await.unwrap();
            }
            done
        };
        let claimed = w.running(row.run.key, "w1", at(2)).await;
        assert!(matches!(delete().await, Err(StoreError::Conflict(_))), "running");
        end(&w, &row, RunState::Failed, at(3)).await;
        assert!(matches!(delete().await, Err(StoreError::Conflict(_))), "an attempt is alive");
        assert!(w.finish(report(&claimed[0], failed(), at(4))).await);
        delete().await.unwrap();
        for table in ["dag_run", "task_instance", "attempt", "wake"] {
            assert_eq!(w.count(table, "TRUE").await, 0, "{table}");
        }
        let last = w.store.events_after(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), last.who.as_deref(), last.run_id.as_deref()), ("run_deleted", Some("ann"), Some(&*run_id)));
    }

    async fn clearing_with_the_latest_version_brings_new_tasks_and_drops_old_ones(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        end(&w, &row, RunState::Success, at(2)).await;
        w.save("chain.yaml", "dag_id: chain\ntasks:\n  - { id: b, uses: work }\n  - { id: c, uses: work }\n", at(3)).await;
        let clear = Edit::Clear { tasks: Selection::default(), only_failed: false };
        let name = ("chain", row.run.run_id.as_str());
        let dry = EditOptions { dry_run: true, pin_latest: true, who: None };
        let would = w.store.edit_run(&w.dags, name, &clear, dry, at(4)).await.unwrap();
        assert!(!would.is_empty());
        assert_eq!(w.store.run("chain", name.1).await.unwrap().unwrap().version_id, row.version_id, "a dry run changes nothing");
        let options = EditOptions { dry_run: false, pin_latest: true, who: Some("ann") };
        let edited = w.store.edit_run(&w.dags, name, &clear, options, at(4)).await.unwrap();
        assert_eq!(edited, would);
        let now = w.store.run("chain", name.1).await.unwrap().unwrap();
        assert_ne!(now.version_id, row.version_id);
        assert_eq!((now.run.state, now.run.clear_number, now.run.ended_at), (RunState::Queued, 1, None));
        let tasks: Vec<_> = w.store.tasks(row.run.key).await.unwrap().into_iter().map(|task| (task.task_id, task.state)).collect();
        assert_eq!(tasks, [("b".to_owned(), TaskState::NoStatus), ("c".to_owned(), TaskState::NoStatus)]);
    }

    async fn what_the_latest_version_lacks_is_removed_and_the_run_ends(w: World) {
        let clear = async |w: &World, run_id: &str, task: Option<&str>, now| {
            let tasks = Selection { tasks: task.map(|task| vec![(task.into(), None)]), ..Selection::default() };
            let options = EditOptions { pin_latest: true, ..EditOptions::default() };
            w.store.edit_run(&w.dags, ("d", run_id), &Edit::Clear { tasks, only_failed: false }, options, now).await.unwrap()
        };
        let free = async || {
            let mut tx = w.store.begin().await.unwrap();
            let free = tx.room().await.unwrap().pools["default_pool"];
            tx.rollback().await.unwrap();
            free
        };
        let (old, new) = (
            "dag_id: d\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work }\n  - { id: c, uses: work, needs: [a] }\n",
            "dag_id: d\ntasks:\n  - { id: b, uses: work }\n  - { id: n, uses: work }\n",
        );
        w.save("d.yaml", old, at(0)).await;
        let row = w.trigger("d", at(1)).await;
        let run = row.run.key;
        let run_id = row.run.run_id.as_str();
        // `a` runs, `b` has ended, `c` waits for `a`.
        let claimed = w.running(run, "w1", at(2)).await;
        assert!(w.finish(report(&claimed[1], flow_core::Outcome::Success, at(3))).await);
        w.decide(run, at(3)).await;
        w.save("d.yaml", new, at(4)).await;
        clear(&w, run_id, Some("b"), at(5)).await;
        assert_eq!((w.state(run, "a").await, w.state(run, "n").await), (TaskState::Running, TaskState::NoStatus));
        w.decide(run, at(5)).await;
        assert_eq!((w.state(run, "a").await, w.state(run, "c").await), (TaskState::Removed, TaskState::Removed));
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.kept_attempts("w1").await.unwrap(), [], "its worker is told to end it");
        tx.rollback().await.unwrap();
        // The worker dies instead: its slots come back when the lease has run out.
        assert_eq!(free().await, 127);
        w.decide(run, at(70)).await;
        assert_eq!(free().await, 128);
        // In the queue: nobody takes it any more.
        w.grant(at(71)).await;
        w.save("d.yaml", "dag_id: d\ntasks:\n  - { id: b, uses: work }\n  - { id: a, uses: work }\n", at(72)).await;
        let edited = clear(&w, run_id, None, at(73)).await;
        let removed: Vec<_> = edited.iter().filter(|edited| edited.to == TaskState::Removed).map(|edited| &*edited.task_id).collect();
        assert_eq!(removed, ["n"]);
        assert_eq!(w.state(run, "a").await, TaskState::NoStatus, "it is back");
        w.decide(run, at(73)).await;
        w.grant(at(73)).await;
        for claimed in w.claim("w2", 10, at(74)).await {
            assert!(["a", "b"].contains(&&*claimed.key.task_id), "{claimed:?}");
            assert!(w.finish(report(&claimed, flow_core::Outcome::Success, at(75))).await);
        }
        w.decide(run, at(75)).await;
        let row = w.store.run("d", run_id).await.unwrap().unwrap();
        assert_eq!(row.run.state, RunState::Success);
        let tasks: Vec<_> = w.store.tasks(run).await.unwrap().into_iter().map(|task| (task.task_id, task.state)).collect();
        let expected = [("a", TaskState::Success), ("b", TaskState::Success), ("n", TaskState::Removed)];
        assert_eq!(tasks, expected.map(|(task, state)| (task.to_owned(), state)));
        let removed = w.task(run, "n").await;
        let reasons = w.store.explain(&w.dags, &row, &removed, 3, at(76)).await.unwrap();
        assert_eq!(reasons[0].text, "removed: this version of the DAG has no such task");
    }

    async fn an_edit_of_what_is_not_there_is_refused(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let edit = async |name, request: &Edit| {
            w.store.edit_run(&w.dags, name, request, EditOptions::default(), at(2)).await.unwrap_err()
        };
        let error = edit(("chain", "nope"), &Edit::Cancel).await;
        assert!(matches!(error, ActionError::Store(StoreError::NotFound { what: "run", .. })), "{error}");
        let error = edit(("nope", "nope"), &Edit::Cancel).await;
        assert!(matches!(error, ActionError::Store(StoreError::NotFound { what: "dag", .. })), "{error}");
        let tasks = Selection { tasks: Some(vec![("zzz".into(), None)]), ..Selection::default() };
        let error = edit(("chain", row.run.run_id.as_str()), &Edit::MarkTasks { tasks, state: TaskState::Success }).await;
        assert!(matches!(error, ActionError::Refused(_)), "{error}");
    }

    async fn a_task_says_why_it_waits(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let reasons_in = async |run_id: &str, task: &str| {
            let row = w.store.run("chain", run_id).await.unwrap().unwrap();
            let task = w.task(row.run.key, task).await;
            let reasons = w.store.explain(&w.dags, &row, &task, 3, at(3)).await.unwrap();
            reasons.into_iter().map(|reason| reason.kind).collect::<Vec<_>>()
        };
        let reasons = async |task: &str| reasons_in(row.run.run_id.as_str(), task).await;
        w.start(row.run.key, at(2)).await;
        assert_eq!(reasons("a").await, ["pool"]);
        assert_eq!(reasons("b").await, ["trigger_rule"]);
        let mut tx = w.store.begin().await.unwrap();
        tx.pause_dag("chain", "", None, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(reasons("a").await[0], "paused");
        let queued = w.trigger("chain", at(2)).await;
        assert_eq!(reasons_in(queued.run.run_id.as_str(), "a").await, ["paused"], "it waits for no other run");
        assert_eq!(w.count("attempt", "TRUE").await, 0, "looking changes nothing");
    }

    async fn conf_that_cannot_be_read_names_its_row(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        w.meddle("UPDATE dag_run SET conf = 'nonsense'").await;
        let error = w.store.run("chain", row.run.run_id.as_str()).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "dag_run", column: "conf", .. }), "{error}");
        assert!(error.to_string().contains("chain/manual__"), "{error}");
        assert!(!error.is_passing());
    }

    async fn many_triggers_at_once_are_all_kept(w: World) {
        let w = w.with_chain().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let w = w.clone();
            tasks.spawn(async move { w.store.trigger(&w.dags, &TriggerRun { conf: &Value::Null, ..request("chain") }, at(1)).await.unwrap() });
        }
        let made = tasks.join_all().await;
        assert!(made.iter().all(|outcome| matches!(outcome, TriggerOutcome::Created(_))));
        assert_eq!(w.count("dag_run", "TRUE").await, 20);
    }

    async fn an_explanation_waits_for_nobody(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let task = w.store.tasks(row.run.key).await.unwrap().remove(0);
        // Someone hands out slots of this very DAG.
        let mut busy = w.store.begin().await.unwrap();
        busy.lock_dag("chain").await.unwrap();
        busy.room().await.unwrap();
        let asked = async {
            w.store.explain(&w.dags, &row, &task, 3, at(2)).await.unwrap();
            let dag = w.store.dag("chain").await.unwrap().unwrap();
            w.store.backlog(&w.dags, &flow_store::DagRow { is_paused: true, ..dag }, at(2)).await.unwrap();
        };
        tokio::time::timeout(std::time::Duration::from_secs(4), asked).await.expect("it waits");
        busy.rollback().await.unwrap();
    }
}
