//! How long the web UI's questions take with 1,000,000 runs behind them, half of them of one DAG; run by hand:
//!
//! `scripts/with-postgres cargo test --release -p flow-store --test history_screens -- --ignored --nocapture --test-threads 1`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

#[path = "support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the suite of the store uses more of it")]
mod support;

use std::time::{Duration, Instant};

use flow_core::{RunKey, RunState, RunType, Timestamp};
use flow_store::{DagRunFilter, Range, Store, StoreError};
use support::{Database, Raw};

const RUNS: i64 = 1_000_000;
const DAGS: i64 = 100;
/// Runs of `d1` with a hundred tasks instead of two.
const WIDE: i64 = 365;
const TRIES: usize = 20;
const MINUTE: i64 = 60_000_000;

/// Writes runs, one a minute, every second one of `d1`; one of 500 has failed, none is active.
async fn fill(db: &Database) {
    let mut raw = db.raw().await;
    let is_sqlite = matches!(raw, Raw::Sqlite(_));
    let g = |most: i64| match is_sqlite {
        true => format!("WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {most})"),
        false => format!("WITH g (n) AS (SELECT generate_series(1, {most}::bigint))"),
    };
    if is_sqlite {
        raw.run("PRAGMA synchronous = OFF").await.unwrap();
        raw.run("PRAGMA cache_size = -500000").await.unwrap();
    }
    raw.run("INSERT INTO dag_source VALUES ('s', '', '{}')").await.unwrap();
    raw.run(&format!(
        "INSERT INTO dag_version (dag_id, number, hash, source_hash, file, document, created_at)
         {} SELECT 'd' || n, 1, 'h', 's', 'f', 0, 0 FROM g",
        g(DAGS)
    ))
    .await
    .unwrap();
    raw.run(&format!(
        "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at,
            started_at, ended_at, conf, version_id, triggered_by)
         {} SELECT 'd' || CASE WHEN n % 2 = 0 THEN 1 ELSE n % ({DAGS} - 1) + 2 END, 'scheduled__2026-01-01T00:00:00.' || n,
            'scheduled', CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'success' END, n * {MINUTE}, n * {MINUTE}, n * {MINUTE},
            n * {MINUTE}, n * {MINUTE}, n * {MINUTE} + 1, n * {MINUTE} + 2000000, '{{}}', 1, 'timetable' FROM g",
        g(RUNS)
    ))
    .await
    .unwrap();
    for (tasks, runs) in
        [("n <= 2", "TRUE".to_owned()), ("n > 2", format!("dag_id = 'd1' AND id > {RUNS} - {WIDE} * 2"))]
    {
        raw.run(&format!(
            "INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, started_at, ended_at,
                operator, pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks, hostname)
             {} SELECT id, 'task_number_' || n, -1, dag_id, 'success', 1, 0, 0, queued_at, ended_at, 'bash', 'default_pool', 1, 1,
                'default', run_after, 16, 'host' FROM dag_run CROSS JOIN g WHERE {tasks} AND {runs}",
            g(100)
        ))
        .await
        .unwrap();
    }
    raw.run("INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight,
            queued_at, worker, started_at, lease_until, ended_at, outcome, settled)
         SELECT run, task_id, map_index, 1, 1, dag_id, pool, 1, queue, 1, started_at, 'w', started_at, started_at, ended_at,
            '{\"outcome\":\"success\"}', TRUE FROM task_instance").await.unwrap();
    raw.run(if is_sqlite { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM ANALYZE" }).await.unwrap();
}

async fn time<T>(name: &str, mut ask: impl AsyncFnMut() -> Result<T, StoreError>, show: impl Fn(&T) -> usize) {
    let mut took = Vec::new();
    let mut last = 0;
    for _ in 0..TRIES {
        let start = Instant::now();
        last = show(&ask().await.unwrap());
        took.push(start.elapsed());
        if took.iter().sum::<Duration>().as_secs() > 6 {
            break;
        }
    }
    took.sort_unstable();
    let p95 = took[(took.len() * 95 / 100).min(took.len() - 1)];
    let mark = if p95.as_millis() > 100 { "  <-- slow" } else { "" };
    println!("{name:<58} p50 {:>9.2?} p95 {p95:>9.2?}  {last}{mark}", took[took.len() / 2]);
}

async fn measure(db: Database) {
    let start = Instant::now();
    fill(&db).await;
    println!("{}: filled in {:.1?}", db.store.kind(), start.elapsed());
    let store: &Store = &db.store;
    let ids: Vec<String> = (1..=DAGS).map(|n| format!("d{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    time("cards: 14 last runs of 100 DAGs", async || store.recent_runs(&ids, 14).await, |runs| runs.len()).await;
    let newest: Vec<RunKey> =
        store.recent_runs(&ids, 1).await.unwrap().values().map(|runs| runs.last().unwrap().key).collect();
    time("cards: tasks of their newest runs", async || store.count_tasks(&newest).await, |runs| runs.len()).await;
    let one = || DagRunFilter { dags: Some(vec!["d1".to_owned()]), ..DagRunFilter::default() };
    let long_ago = Range { lte: Some(Timestamp::from_micros(1_000 * MINUTE)), ..Range::default() };
    for (name, filter) in [
        ("newest", one()),
        ("long ago", DagRunFilter { run_after: long_ago, ..one() }),
        ("failed", DagRunFilter { states: vec![RunState::Failed], ..one() }),
        ("running", DagRunFilter { states: vec![RunState::Running], ..one() }),
        ("by hand, of which there are none", DagRunFilter { types: vec![RunType::Manual], ..one() }),
    ] {
        time(&format!("grid: 365 runs, {name}"), async || store.grid_runs(&filter, None, 366).await, Vec::len).await;
    }
    let wide: Vec<RunKey> = store.grid_runs(&one(), None, 365).await.unwrap().iter().map(|run| run.key).collect();
    for is_timed in [false, true] {
        time(
            &format!("grid: cells of 365 runs with 100 tasks, timed: {is_timed}"),
            async || store.grid_columns(&wide, is_timed).await,
            |columns| columns.iter().map(|column| column.cells().map(Result::unwrap).count()).sum(),
        )
        .await;
    }
    time("gantt: tasks of a run", async || store.tasks_in_brief(wide[0]).await, Vec::len).await;
    time("gantt: tries of a run", async || store.tries_in_brief(wide[0], 50_000).await, Vec::len).await;
    let bounds: Vec<Timestamp> =
        (0..=366).map(|day| Timestamp::from_micros((RUNS - (366 - day) * 1_440) * MINUTE)).collect();
    for dag_id in ["d1", "d2"] {
        let name = format!("calendar: a year of {dag_id}");
        let count = async || store.count_runs_by_day(dag_id, &bounds, 100_000).await;
        time(&name, count, |(days, _)| days.iter().map(|day| usize::try_from(day.success).unwrap()).sum()).await;
    }
    time("processes: what they are at", async || store.count_running().await, |found| found.len()).await;
}

/// What is measured does not move between threads.
async fn alone(db: Database) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(measure(db))).await.unwrap();
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn on_sqlite() {
    support::on_sqlite(alone);
}

#[test]
#[ignore = "it fills a database with 1,000,000 runs"]
fn on_postgres() {
    support::on_postgres("history for screens", alone);
}
