//! How long lists take with 1,000,000 runs behind them; run by hand:
//!
//! `scripts/with-postgres cargo test --release -p flow-store --test history -- --ignored --nocapture --test-threads 1`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

#[path = "support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the suite of the store uses more of it")]
mod support;

use std::time::Instant;

use flow_core::{RunState, Timestamp};
use flow_store::{DagRunFilter, DagRunOrder, Order, Page, Pattern, Place, Range, Store, StoreError, with_run_id};
use support::{Database, Raw};

const RUNS: i64 = 1_000_000;
const TRIES: usize = 20;
const MINUTE: i64 = 60_000_000;

/// Writes runs, one a minute, the last one at [`RUNS`] minutes; one of 500 has failed, none is active.
async fn fill(db: &Database, dags: i64) {
    let mut raw = db.raw().await;
    let (numbers, json_one) = match raw {
        Raw::Sqlite(_) => (
            format!("WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {RUNS})"),
            "'d' || printf('%04d', n % {dags})",
        ),
        Raw::Postgres(_) => (
            format!("WITH g (n) AS (SELECT generate_series(1, {RUNS}::bigint))"),
            "'d' || lpad((n % {dags})::text, 4, '0')",
        ),
    };
    let dag_id = json_one.replace("{dags}", &dags.to_string());
    raw.run("INSERT INTO dag_source VALUES ('s', '', '{}')").await.unwrap();
    raw.run(&format!(
        "INSERT INTO dag_version (dag_id, number, hash, source_hash, file, document, created_at)
         {numbers} SELECT {dag_id}, 1, 'h', 's', 'f', 0, 0 FROM g WHERE n <= {dags}"
    ))
    .await
    .unwrap();
    raw.run(&format!(
        "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at,
            started_at, ended_at, conf, version_id, triggered_by)
         {numbers} SELECT {dag_id}, 'scheduled__2026-01-01T00:00:00.' || n || '+00:00', 'scheduled',
            CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'success' END, n * {MINUTE}, n * {MINUTE}, n * {MINUTE}, n * {MINUTE},
            n * {MINUTE}, n * {MINUTE} + 1, n * {MINUTE} + 2000000, '{{\"number\":' || n || '}}', n % {dags} + 1, 'timetable' FROM g"
    ))
    .await
    .unwrap();
    if matches!(raw, Raw::Postgres(_)) {
        // What autovacuum does by itself before long.
        raw.run("VACUUM ANALYZE").await.unwrap();
    }
}

async fn time<T>(name: &str, mut ask: impl AsyncFnMut() -> Result<T, StoreError>, show: impl Fn(&T) -> String) {
    let mut took = Vec::new();
    let mut last = String::new();
    for _ in 0..TRIES {
        let start = Instant::now();
        last = match ask().await {
            Ok(found) => show(&found),
            Err(error) => error.to_string().chars().take(30).collect(),
        };
        took.push(start.elapsed());
        if took.iter().sum::<std::time::Duration>().as_secs() > 10 {
            break;
        }
    }
    took.sort_unstable();
    let p95 = took[(took.len() * 95 / 100).min(took.len() - 1)];
    let mark = if p95.as_millis() > 100 { "  <-- slow" } else { "" };
    println!("{name:<58} p50 {:>9.2?} p95 {p95:>9.2?}  {last}{mark}", took[took.len() / 2]);
}

fn minutes(from: i64, to: i64) -> Range<Timestamp> {
    let at = |minute: i64| Some(Timestamp::from_micros(minute * MINUTE));
    Range { gte: at(from), lt: at(to), ..Range::default() }
}

async fn measure(db: Database, dags: i64) {
    let start = Instant::now();
    fill(&db, dags).await;
    println!("{} {dags} DAGs: filled in {:.1?}", db.store.kind(), start.elapsed());
    let store: &Store = &db.store;
    let all = DagRunFilter::default;
    let one = || DagRunFilter { dags: Some(vec!["d0000".to_owned()]), ..all() };
    let newest = [Order { by: DagRunOrder::RunAfter, is_descending: true }];
    let by_id = [Order { by: DagRunOrder::Id, is_descending: false }];
    let states = |states: &[RunState]| DagRunFilter { states: states.to_vec(), ..all() };
    let mut cases: Vec<(String, DagRunFilter, Vec<Order<DagRunOrder>>, u32)> = vec![
        ("newest".into(), all(), newest.to_vec(), 0),
        ("by id, Airflow's default".into(), all(), by_id.to_vec(), 0),
        ("by id, offset 500,000".into(), all(), by_id.to_vec(), 500_000),
        ("newest, offset 500,000".into(), all(), newest.to_vec(), 500_000),
        ("newest, offset 999,000".into(), all(), newest.to_vec(), 999_000),
        ("newest of a DAG".into(), one(), newest.to_vec(), 0),
        ("of a DAG by id".into(), one(), by_id.to_vec(), 0),
        ("of a DAG by id, offset 5,000".into(), one(), by_id.to_vec(), 5_000),
        (
            "of a DAG that has none".into(),
            DagRunFilter { dags: Some(vec!["nobody".into()]), ..all() },
            by_id.to_vec(),
            0,
        ),
        (
            "of a hidden DAG less".into(),
            DagRunFilter { hidden_dags: vec!["d0000".into()], ..all() },
            newest.to_vec(),
            0,
        ),
    ];
    for (name, base) in [("all", all()), ("a DAG", one())] {
        for state in [RunState::Success, RunState::Failed, RunState::Running, RunState::Queued] {
            let filter = DagRunFilter { states: vec![state], ..base.clone() };
            cases.push((format!("{name}: {state}, newest"), filter.clone(), newest.to_vec(), 0));
            cases.push((format!("{name}: {state}, by id"), filter, by_id.to_vec(), 0));
        }
        cases.push((
            format!("{name}: queued or running"),
            DagRunFilter { states: vec![RunState::Queued, RunState::Running], ..base.clone() },
            newest.to_vec(),
            0,
        ));
        let prefix = |text: &str| vec![Pattern::Prefix(text.to_owned())];
        let like = |text: &str| vec![Pattern::Like(vec![text.to_owned()])];
        for (what, run_ids) in [
            ("run id begins as all do", prefix("scheduled__")),
            ("run id begins as 11,111 do", prefix("scheduled__2026-01-01T00:00:00.77")),
            ("run id begins as none does", prefix("manual__")),
            ("run id like many", like("77")),
            ("run id like one", like("777777+")),
            ("run id like none", like("nobody")),
        ] {
            let filter = DagRunFilter { run_ids, ..base.clone() };
            cases.push((format!("{name}: {what}, newest"), filter.clone(), newest.to_vec(), 0));
            cases.push((format!("{name}: {what}, by id"), filter, by_id.to_vec(), 0));
        }
        for (when, from, to) in [
            ("latest day", RUNS - 1_440, RUNS),
            ("a day long ago", 100_000, 101_440),
            ("the future", RUNS * 2, RUNS * 3),
        ] {
            let range = minutes(from, to);
            for (what, filter) in [
                ("run_after", DagRunFilter { run_after: range, ..base.clone() }),
                ("logical_date", DagRunFilter { logical_date: range, ..base.clone() }),
                ("start_date", DagRunFilter { started_at: range, ..base.clone() }),
                ("end_date", DagRunFilter { ended_at: range, ..base.clone() }),
                ("updated_at", DagRunFilter { updated_at: range, ..base.clone() }),
            ] {
                cases.push((format!("{name}: {what} in {when}, newest"), filter.clone(), newest.to_vec(), 0));
                cases.push((format!("{name}: {what} in {when}, by id"), filter, by_id.to_vec(), 0));
            }
        }
        for order in [DagRunOrder::EndedAt, DagRunOrder::StartedAt, DagRunOrder::LogicalDate, DagRunOrder::Duration] {
            let orders = vec![Order { by: order, is_descending: true }];
            cases.push((format!("{name}: by {order:?}, latest first"), base.clone(), orders, 0));
        }
        cases.push((
            format!("{name}: version 1"),
            DagRunFilter { versions: vec![1], ..base.clone() },
            newest.to_vec(),
            0,
        ));
        cases.push((
            format!("{name}: version 2"),
            DagRunFilter { versions: vec![2], ..base.clone() },
            newest.to_vec(),
            0,
        ));
        let conf = DagRunFilter { conf_contains: vec!["nobody".into()], ..base.clone() };
        cases.push((format!("{name}: conf like none"), conf, newest.to_vec(), 0));
    }
    cases.push(("failed by id, offset 1,000".into(), states(&[RunState::Failed]), by_id.to_vec(), 1_000));
    for (name, filter, orders, offset) in cases {
        let page = Page { limit: 50, offset };
        time(
            &name,
            async || store.list_dag_runs(&filter, &orders, page).await,
            |found| format!("{} of {}", found.rows.len(), found.total),
        )
        .await;
    }
    for (name, orders) in [("newest", newest), ("by id", by_id)] {
        let orders = with_run_id(&orders);
        let mut place: Option<Place> = None;
        time(
            &format!("cursor, 20 pages of 1,000, {name}"),
            async || {
                let found = store.list_dag_runs_from(&all(), &orders, place.as_ref(), 1_000).await?;
                let last = found.rows.last().unwrap();
                let keys = orders.iter().map(|order| order.by.key(last).unwrap()).collect();
                place = Some(Place { keys, is_backward: false });
                Ok(found)
            },
            |found| format!("{} more {}", found.rows.len(), found.has_more),
        )
        .await;
    }
}

/// What is measured does not move between threads.
async fn alone(db: Database, dags: i64) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(measure(db, dags))).await.unwrap();
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn many_dags_on_sqlite() {
    support::on_sqlite(|db| alone(db, 100));
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn one_dag_on_sqlite() {
    support::on_sqlite(|db| alone(db, 1));
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn many_dags_on_postgres() {
    support::on_postgres("many DAGs", |db| alone(db, 100));
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn one_dag_on_postgres() {
    support::on_postgres("one DAG", |db| alone(db, 1));
}
