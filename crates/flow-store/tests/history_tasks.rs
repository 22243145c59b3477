//! How long lists of task instances and events take with 1,000,000 runs, 10,000,000 task instances and 10,000,000 events;
//! run by hand:
//!
//! `scripts/with-postgres cargo test -p flow-store --test history_tasks -- --ignored --nocapture --test-threads 1`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

#[path = "support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the suite of the store uses more of it")]
mod support;

use std::time::Instant;

use flow_core::{RunKey, TaskState, Timestamp};
use flow_store::{Order, Page, Pattern, Place, Range, StoreError, TaskFilter, TaskOrder, with_task_key};
use support::{Database, Raw};

const RUNS: i64 = 1_000_000;
/// Runs that are under way.
const ACTIVE: i64 = 50;
const DAGS: i64 = 100;
const TRIES: usize = 20;
const MINUTE: i64 = 60_000_000;

/// Writes runs, one a minute, with ten tasks each; one task of 2,000 has failed; the last runs are under way.
async fn fill(db: &Database) {
    let mut raw = db.raw().await;
    let is_sqlite = matches!(raw, Raw::Sqlite(_));
    let g = |most: i64| {
        if is_sqlite {
            format!("WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {most})")
        } else {
            format!("WITH g (n) AS (SELECT generate_series(1, {most}))")
        }
    };
    if is_sqlite {
        raw.run("PRAGMA synchronous = OFF").await.unwrap();
        raw.run("PRAGMA cache_size = -500000").await.unwrap();
    }
    raw.run("INSERT INTO dag_source VALUES ('s', '', '{}')").await.unwrap();
    let many = g(RUNS);
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
         {many} SELECT 'd' || (n % {DAGS} + 1), 'scheduled__2026-01-01T00:00:00.' || n || '+00:00', 'scheduled',
            CASE WHEN n > {RUNS} - {ACTIVE} THEN 'running' WHEN n % 200 = 0 THEN 'failed' ELSE 'success' END,
            n * {MINUTE}, n * {MINUTE}, n * {MINUTE}, n * {MINUTE}, n * {MINUTE}, n * {MINUTE} + 1,
            CASE WHEN n <= {RUNS} - {ACTIVE} THEN n * {MINUTE} + 2000000 END, '{{}}', n % {DAGS} + 1, 'timetable' FROM g"
    ))
    .await
    .unwrap();
    for task in 0..10 {
        raw.run(&format!(
            "INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, started_at, ended_at,
                operator, pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks, hostname)
             SELECT id, 'task_number_{task}', -1, dag_id,
                CASE WHEN state = 'running' THEN '{active}' WHEN id % 200 = 0 AND {task} = 9 THEN 'failed' ELSE 'success' END,
                1, 0, 0, CASE WHEN state <> 'running' OR {task} < 3 THEN queued_at + {task} * 100000 END,
                CASE WHEN state <> 'running' OR {task} < 2 THEN queued_at + {task} * 100000 + 90000 END,
                '{operator}', '{pool}', 1, 1, 'default', run_after, 16, 'host' FROM dag_run",
            active = if task < 2 { "success" } else if task == 2 { "running" } else { "no_status" },
            operator = if task == 0 { "python" } else { "bash" },
            pool = if task == 5 { "special" } else { "default_pool" },
        ))
        .await
        .unwrap();
    }
    raw.run(&format!(
        "INSERT INTO event (at, kind, dag_id, run_id, task_id, map_index, try_number, state, who)
         {} SELECT n * 6000000, CASE WHEN n % 1000 = 0 THEN 'trigger_dag_run' ELSE 'task_state' END, 'd' || ((n / 10) % {DAGS} + 1),
            'scheduled__2026-01-01T00:00:00.' || (n / 10) || '+00:00', 'task_number_' || (n % 10), -1, 1, 'success',
            CASE WHEN n % 1000 = 0 THEN 'ann' END FROM g",
        g(RUNS * 10)
    ))
    .await
    .unwrap();
    raw.run(if is_sqlite { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM ANALYZE" }).await.unwrap();
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
        if took.iter().sum::<std::time::Duration>().as_secs() > 6 {
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

async fn measure(db: Database) {
    let start = Instant::now();
    fill(&db).await;
    println!("{}: filled in {:.1?}", db.store.kind(), start.elapsed());
    tasks(&db).await;
}

async fn tasks(db: &Database) {
    let all = TaskFilter::default;
    let one = || TaskFilter { dags: Some(vec!["d7".to_owned()]), ..all() };
    let by = |by: TaskOrder| vec![Order { by, is_descending: true }];
    let mut cases: Vec<(String, TaskFilter, Vec<Order<TaskOrder>>, u32)> = vec![
        ("of a run".into(), TaskFilter { run: Some(RunKey(777_777)), ..all() }, vec![], 0),
        ("hidden DAG".into(), TaskFilter { hidden_dags: vec!["d8".into()], ..all() }, vec![], 0),
    ];
    for (name, base) in [("all", all()), ("a DAG", one())] {
        let mut add = |what: &str, filter: TaskFilter, orders: Vec<Order<TaskOrder>>, offset: u32| {
            cases.push((format!("{name}: {what}"), filter, orders, offset));
        };
        add("by default", base.clone(), vec![], 0);
        for order in
            [TaskOrder::RunAfter, TaskOrder::StartedAt, TaskOrder::LogicalDate, TaskOrder::EndedAt, TaskOrder::State]
        {
            add(&format!("by {order:?}, latest first"), base.clone(), by(order), 0);
        }
        add("by id, oldest first", base.clone(), vec![Order { by: TaskOrder::Run, is_descending: false }], 0);
        for offset in [10_000, 100_000, 1_000_000] {
            add(&format!("offset {offset}"), base.clone(), vec![], offset);
        }
        for state in [
            TaskState::Success,
            TaskState::Failed,
            TaskState::Running,
            TaskState::Queued,
            TaskState::NoStatus,
            TaskState::UpstreamFailed,
            TaskState::Skipped,
            TaskState::Removed,
        ] {
            let filter = TaskFilter { states: Some(vec![state]), ..base.clone() };
            for order in [TaskOrder::Run, TaskOrder::StartedAt, TaskOrder::RunAfter] {
                add(&format!("{state} by {order:?}"), filter.clone(), by(order), 0);
            }
        }
        let names = |name: &str| Some(vec![name.to_owned()]);
        for (what, filter) in [
            ("task", TaskFilter { tasks: names("task_number_3"), ..base.clone() }),
            ("no such task", TaskFilter { tasks: names("nope"), ..base.clone() }),
            ("pool", TaskFilter { pools: names("special"), ..base.clone() }),
            ("no such pool", TaskFilter { pools: names("nope"), ..base.clone() }),
            ("operator", TaskFilter { operators: names("python"), ..base.clone() }),
            ("run like one", TaskFilter { runs_like: vec![Pattern::Like(vec!["777777+".into()])], ..base.clone() }),
            ("version 1", TaskFilter { versions: Some(vec![1]), ..base.clone() }),
            ("try 1", TaskFilter { tries: Some(vec![1]), ..base.clone() }),
            ("try 2", TaskFilter { tries: Some(vec![2]), ..base.clone() }),
        ] {
            add(what, filter, vec![], 0);
        }
        for (when, from, to) in
            [("lately", RUNS - 1_440, RUNS), ("long ago", 100_000, 101_440), ("in the future", RUNS * 2, RUNS * 3)]
        {
            let range = minutes(from, to);
            for (what, filter) in [
                ("run_after", TaskFilter { run_after: range, ..base.clone() }),
                ("logical_date", TaskFilter { logical_date: range, ..base.clone() }),
                ("start_date", TaskFilter { started_at: range, ..base.clone() }),
                ("end_date", TaskFilter { ended_at: range, ..base.clone() }),
            ] {
                add(&format!("{what} {when}"), filter, vec![], 0);
            }
        }
    }
    for (name, filter, orders, offset) in cases {
        let page = Page { limit: 50, offset };
        time(
            &name,
            async || db.store.list_task_instances(&filter, &orders, page).await,
            |found| format!("{} of {}", found.rows.len(), found.total),
        )
        .await;
    }
    for order in [TaskOrder::Run, TaskOrder::RunAfter, TaskOrder::StartedAt] {
        let orders = with_task_key(&by(order));
        let mut place: Option<Place> = None;
        time(
            &format!("cursor, 20 pages of 1,000 by {order:?}"),
            async || {
                let found = db.store.list_task_instances_from(&all(), &orders, place.as_ref(), 1_000).await?;
                let keys = orders.iter().map(|order| order.by.key(found.rows.last().unwrap())).collect();
                place = Some(Place { keys, is_backward: false });
                Ok(found)
            },
            |found| format!("{} more {}", found.rows.len(), found.has_more),
        )
        .await;
    }
}

/// What is measured does not move between threads.
async fn alone(db: Database) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(measure(db))).await.unwrap();
}

#[test]
#[ignore = "it fills a database with 10,000,000 task instances"]
fn on_sqlite() {
    support::on_sqlite(alone);
}

#[test]
#[ignore = "it fills a database with 10,000,000 task instances"]
fn on_postgres() {
    support::on_postgres("history of tasks", alone);
}
