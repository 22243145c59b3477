//! Lists of runs: filters, orders, places; and what belongs to runs that the API makes.

use flow_core::{RunState, RunType, engine::Edit, run::DataInterval};
use flow_store::{
    COUNTED_MAX, DagRunFilter, DagRunOrder, Dating, EditOptions, Order, Page, Pattern, Place, Range, RunRow,
    TriggerOutcome, TriggerRun, with_run_id,
};
use serde_json::json;

use crate::{
    support::both,
    world::{CHAIN, World, at, request},
};

const ALL: Page = Page { limit: 100, offset: 0 };

/// Makes `r1` to `r6`, a second apart; `r2` and `r5` have failed, in the other order.
async fn with_runs(w: World) -> World {
    let w = w.with_chain().await;
    for second in 1..=6 {
        let run_id = format!("r{second}");
        let conf = json!({ "number": second });
        let wanted = TriggerRun {
            run_id: Some(&run_id),
            logical_date: Some(at(second)),
            conf: &conf,
            user: Some("ann"),
            ..request("chain")
        };
        w.store.trigger(&w.dags, &wanted, at(second)).await.unwrap();
    }
    for (run_id, second) in [("r5", 10), ("r2", 20)] {
        let edit = Edit::MarkRun { state: RunState::Failed };
        w.store.edit_run(&w.dags, ("chain", run_id), &edit, EditOptions::default(), at(second)).await.unwrap();
    }
    w
}

fn ids(rows: &[RunRow]) -> Vec<&str> {
    rows.iter().map(|row| row.run.run_id.as_str()).collect()
}

fn order(by: DagRunOrder, is_descending: bool) -> [Order<DagRunOrder>; 1] {
    [Order { by, is_descending }]
}

async fn check(w: &World, filter: DagRunFilter, expected: &[&str]) {
    let found = w.store.list_dag_runs(&filter, &[], ALL).await.unwrap();
    assert_eq!((ids(&found.rows), found.total), (expected.to_vec(), expected.len() as u64), "{filter:?}");
    let first = w.store.list_dag_runs_from(&filter, &[], None, 100).await.unwrap();
    assert_eq!(
        (ids(&first.rows), first.has_more, first.total),
        (expected.to_vec(), false, Some(expected.len() as u64))
    );
}

both! {
    async fn runs_are_filtered(w: World) {
        let w = with_runs(w).await;
        let all = DagRunFilter::default;
        check(&w, all(), &["r1", "r2", "r3", "r4", "r5", "r6"]).await;
        check(&w, DagRunFilter { dags: Some(vec!["chain".into(), "x".into()]), states: vec![RunState::Failed], ..all() }, &["r2", "r5"]).await;
        check(&w, DagRunFilter { dags: Some(Vec::new()), ..all() }, &[]).await;
        check(&w, DagRunFilter { hidden_dags: vec!["chain".into()], ..all() }, &[]).await;
        check(&w, DagRunFilter { hidden_dags: vec!["other".into()], states: vec![RunState::Queued, RunState::Failed], ..all() },
            &["r1", "r2", "r3", "r4", "r5", "r6"]).await;
        check(&w, DagRunFilter { types: vec![RunType::Scheduled], ..all() }, &[]).await;
        check(&w, DagRunFilter { types: vec![RunType::Manual], versions: vec![1, 2], ended_at: Range { gte: Some(at(11)), ..Range::default() }, ..all() }, &["r2"]).await;
        check(&w, DagRunFilter { run_ids: vec![Pattern::Prefix("r".into()), Pattern::Like(vec!["1".into(), "6".into()])], ..all() }, &["r1", "r6"]).await;
        check(&w, DagRunFilter { users: vec![Pattern::Like(vec!["AN".into()])], started_at: Range { lt: Some(at(20)), ..Range::default() }, ..all() }, &["r5"]).await;
        check(&w, DagRunFilter { conf_contains: vec![r#""number":3"#.into()], ..all() }, &["r3"]).await;
        check(&w, DagRunFilter { updated_at: Range { gt: Some(at(4)), lte: Some(at(10)), ..Range::default() }, ..all() }, &["r5", "r6"]).await;
        check(&w, DagRunFilter { duration: Range { gte: Some(0.0), ..Range::default() }, ..all() }, &["r2", "r5"]).await;
    }

    async fn places_are_found_again_in_every_order(w: World) {
        let w = with_runs(w).await;
        let by = [DagRunOrder::Id, DagRunOrder::RunId, DagRunOrder::State, DagRunOrder::LogicalDate, DagRunOrder::RunAfter, DagRunOrder::StartedAt,
            DagRunOrder::EndedAt, DagRunOrder::UpdatedAt, DagRunOrder::Duration, DagRunOrder::User, DagRunOrder::RunType];
        for (by, is_descending) in by.into_iter().flat_map(|by| [(by, false), (by, true)]) {
            let orders = order(by, is_descending);
            let whole = w.store.list_dag_runs(&DagRunFilter::default(), &orders, ALL).await.unwrap();
            for (at, row) in whole.rows.iter().enumerate() {
                let keys: Vec<_> = with_run_id(&orders).iter().map(|order| order.by.key(row).unwrap()).collect();
                assert!(with_run_id(&orders).iter().zip(&keys).all(|(order, key)| order.by.fits(key)));
                let after = Place { keys: keys.clone(), is_backward: false };
                let found = w.store.list_dag_runs_from(&DagRunFilter::default(), &orders, Some(&after), 2).await.unwrap();
                let end = (at + 3).min(whole.rows.len());
                assert_eq!((ids(&found.rows), found.has_more), (ids(&whole.rows[at + 1..end]), at + 3 < 6), "{by:?} {is_descending} after {at}");
                let before = Place { keys, is_backward: true };
                let found = w.store.list_dag_runs_from(&DagRunFilter::default(), &orders, Some(&before), 2).await.unwrap();
                assert_eq!((ids(&found.rows), found.has_more), (ids(&whole.rows[at.saturating_sub(2)..at]), at > 2), "{by:?} {is_descending} before {at}");
            }
            for offset in 0..7 {
                let found = w.store.list_dag_runs(&DagRunFilter::default(), &orders, Page { limit: 2, offset }).await.unwrap();
                let start = (offset as usize).min(6);
                assert_eq!((ids(&found.rows), found.total), (ids(&whole.rows[start..(start + 2).min(6)]), 6), "{by:?} {is_descending}");
            }
        }
    }

    /// More than are counted: then the page is found in another way.
    async fn of_very_many_runs_the_page_is_the_same(w: World) {
        let w = w.with_chain().await;
        let numbers = if w.db.is_sqlite() {
            "WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 11000)"
        } else {
            "WITH g (n) AS (SELECT generate_series(1, 11000))"
        };
        w.meddle(&format!(
            "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, run_after, queued_at, started_at, ended_at, conf, version_id, triggered_by)
             {numbers} SELECT 'chain', 'r' || n, 'scheduled', 'success', n, n, n, n, n, '{{}}', (SELECT MAX(id) FROM dag_version), 'timetable' FROM g"
        ))
        .await;
        let newest = order(DagRunOrder::RunAfter, true);
        let searches = [
            DagRunFilter { run_ids: vec![Pattern::Prefix("r".into())], ..DagRunFilter::default() },
            DagRunFilter { run_ids: vec![Pattern::Like(vec!["r1%".into(), "9".into(), "0".into(), "5".into(), "7".into(), "3".into(), "2".into(), "4".into(), "6".into(), "8".into()])], ..DagRunFilter::default() },
            DagRunFilter { started_at: Range { gte: Some(flow_core::Timestamp::from_micros(1)), ..Range::default() }, ..DagRunFilter::default() },
            DagRunFilter::default(),
        ];
        for filter in searches {
            let found = w.store.list_dag_runs(&filter, &newest, Page { limit: 2, offset: 1 }).await.unwrap();
            assert_eq!((ids(&found.rows), found.total), (vec!["r10999", "r10998"], COUNTED_MAX), "{filter:?}");
            let first = w.store.list_dag_runs_from(&filter, &newest, None, 2).await.unwrap();
            assert_eq!((ids(&first.rows), first.has_more, first.total), (vec!["r11000", "r10999"], true, Some(COUNTED_MAX)));
        }
    }

    async fn a_run_may_be_without_dates(w: World) {
        let w = w.with_chain().await;
        let mut made = Vec::new();
        for _ in 0..2 {
            let TriggerOutcome::Created(row) =
                w.store.trigger_dated(&w.dags, &request("chain"), Dating::None, at(5)).await.unwrap()
            else {
                panic!("runs without dates are never in each other's way")
            };
            assert_eq!((row.run.logical_date, row.run.data_interval, row.run.run_after), (None, None, at(5)));
            made.push(row);
        }
        assert_eq!(made[0].run.run_id.as_str(), "manual__2026-01-01T00:00:05+00:00");
        assert_ne!(made[0].run.run_id, made[1].run.run_id);
        let interval = DataInterval { start: at(1), end: at(2) };
        let wanted = TriggerRun { logical_date: Some(at(9)), ..request("chain") };
        let TriggerOutcome::Created(row) =
            w.store.trigger_dated(&w.dags, &wanted, Dating::Interval(interval), at(5)).await.unwrap()
        else {
            panic!("there is no such run")
        };
        assert_eq!((row.run.logical_date, row.run.data_interval), (Some(at(9)), Some(interval)));
        // They run like any other.
        w.running(made[0].run.key, "w1", at(6)).await;
    }

    async fn a_note_is_written_and_told(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let before = w.store.last_event().await.unwrap();
        for note in [Some("a\0b"), Some("a\u{fffd}b"), None] {
            let mut tx = w.store.begin().await.unwrap();
            let row = tx.run_by_id("chain", row.run.run_id.as_str()).await.unwrap().unwrap();
            tx.note_run(&row, note, Some("ann"), at(2)).await.unwrap();
            tx.commit().await.unwrap();
            let now = w.store.run("chain", row.run.run_id.as_str()).await.unwrap().unwrap();
            assert_eq!(now.note, note.map(|text| text.replace('\0', "\u{fffd}")));
        }
        let told = w.store.events_after(before, 10).await.unwrap();
        let told: Vec<_> = told.iter().map(|event| (event.kind.as_str(), event.detail.as_deref(), event.who.as_deref())).collect();
        assert_eq!(told, [("run_note", Some("a\u{fffd}b"), Some("ann")), ("run_note", Some("removed"), Some("ann"))]);
    }

    async fn an_ended_run_goes_on_with_tasks_that_are_new(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        let name = ("chain", row.run.run_id.as_str());
        let end = Edit::MarkRun { state: RunState::Success };
        w.store.edit_run(&w.dags, name, &end, EditOptions::default(), at(2)).await.unwrap();
        w.save("chain.yaml", &format!("{CHAIN}  - {{ id: c, uses: work }}\n"), at(3)).await;
        let new = flow_core::engine::Selection { tasks: Some(vec![("c".into(), None)]), ..Default::default() };
        let clear = Edit::Clear { tasks: new, only_failed: false };
        let options = EditOptions { pin_latest: true, ..EditOptions::default() };
        w.store.edit_run(&w.dags, name, &clear, options, at(4)).await.unwrap();
        assert_eq!(w.store.run(name.0, name.1).await.unwrap().unwrap().run.state, RunState::Queued);
    }
}
