//! No statement of a pass reads through history: each finds its rows by an index, or reads an index that holds only
//! what is under way.

use sqlx::{AssertSqlSafe, Row, SqlSafeStr};

use flow_core::{RunState, RunType, Timestamp};

use crate::{
    DagRunFilter, DagRunOrder, Key, Order, Pattern, Place, Range, Store,
    db::{Db, Sql},
    select::Arg,
};

/// Tables that grow with history, or with what is to come.
const GROWING: &[&str] = &[
    "dag_run",
    "task_instance",
    "attempt",
    "callback",
    "event",
    "xcom",
    "rendered",
    "wake",
    "dag_version",
    "dag_source",
    "token",
    "session",
];

/// Indexes of a part of the rows that history does not add to.
const OF_WHAT_IS_UNDER_WAY: &[&str] = &[
    "task_instance_waiting",
    "attempt_alive",
    "attempt_unsettled",
    "callback_due",
    "dag_run_active",
    "wake_due",
    "wake_run",
];

/// What a pass, a worker's report and a screen's list ask; all the others are about one row, or rare.
fn hot() -> Vec<Sql> {
    let rare = [
        // History as a whole: lists of all DAGs, forgetting, deleting a DAG.
        "COUNT_OLD_EVENTS",
        "COUNT_OLD_VERSIONS",
        // The ends of an index.
        "VERSIONS",
        "OLD_EVENTS",
        "DROP_EVENTS",
        "DELETE_RUNS",
        "LAST",
        "FIRST",
        // Of a DAG that is being deleted; what is to come is little.
        "DELETE_WAKES",
        // Counted up to a limit, when a person asks.
        "RUNS",
        "TASK_INSTANCES",
        "ATTEMPTS",
        "XCOMS",
        "EVENTS",
        "COUNT_FAILED",
        "COUNT_STARTED",
        // Runs that one request is about, up to a limit.
        "ALL_RUNS",
    ];
    let all = [
        crate::access::ALL,
        crate::actions::tasks::ALL,
        crate::attempts::ALL,
        crate::callbacks::ALL,
        crate::cleanup::ALL,
        crate::connections::ALL,
        crate::dags::ALL,
        crate::dispatch::ALL,
        crate::events::ALL,
        crate::lists::calendar::ALL,
        crate::lists::cards::ALL,
        crate::lists::dags::ALL,
        crate::lists::events::ALL,
        crate::lists::grid::ALL,
        crate::lists::pools::ALL,
        crate::lists::task_instances::ALL,
        crate::lists::xcoms::ALL,
        crate::lists::versions::ALL,
        crate::load::ALL,
        crate::looks::ALL,
        crate::overview::ALL,
        crate::pools::ALL,
        crate::processes::ALL,
        crate::rotation::ALL,
        crate::runs::ALL,
        crate::sessions::ALL,
        crate::spans::ALL,
        crate::task_instances::ALL,
        crate::variables::ALL,
        crate::tokens::ALL,
        crate::xcoms::ALL,
    ];
    all.into_iter().flatten().copied().filter(|sql| !rare.contains(&sql.name) && sql.name != "LIST").collect()
}

/// Returns the table that a name in a statement stands for.
fn table_of(name: &str) -> &str {
    match name {
        "t" => "task_instance",
        "a" => "attempt",
        "w" => "wake",
        "r" => "dag_run",
        "d" => "dag",
        "v" => "dag_version",
        "s" => "dag_source",
        "x" => "rendered",
        other => other,
    }
}

#[tokio::test]
async fn no_hot_statement_reads_through_history_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let Db::Sqlite { write, .. } = &store.db else { unreachable!("it is SQLite") };
    let mut conn = write.acquire().await.unwrap();
    let mut problems = Vec::new();
    for sql in hot() {
        let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.sqlite)).into_sql_str();
        for row in sqlx::query(text).fetch_all(&mut *conn).await.unwrap() {
            let step: String = row.get(3);
            let Some(rest) = step.strip_prefix("SCAN ") else { continue };
            let name = rest.split(' ').next().unwrap_or_default();
            let is_small = OF_WHAT_IS_UNDER_WAY.iter().any(|index| rest.ends_with(index));
            if GROWING.contains(&table_of(name)) && !is_small {
                problems.push(format!("{}: {step}\n    {}", sql.name, sql.sqlite));
            }
        }
    }
    // Nor through what the callbacks of a DAG ever were.
    let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", crate::callbacks::HOLD_UP.sqlite)).into_sql_str();
    for row in sqlx::query(text).fetch_all(&mut *conn).await.unwrap() {
        let step: String = row.get(3);
        if step.contains("callback_of_dag") {
            problems.push(format!("HOLD_UP: {step}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The usual lists of runs, each with the words of the index that finds it.
fn usual_lists() -> Vec<(&'static str, DagRunFilter, Order<DagRunOrder>)> {
    let newest = Order { by: DagRunOrder::RunAfter, is_descending: true };
    let by_id = Order { by: DagRunOrder::Id, is_descending: false };
    let all = DagRunFilter::default;
    let one = || DagRunFilter { dags: Some(vec!["d7".to_owned()]), ..all() };
    let day =
        Range { gte: Some(Timestamp::from_micros(500)), lt: Some(Timestamp::from_micros(600)), ..Range::default() };
    let states = |states: &[RunState]| states.to_vec();
    let mut lists = Vec::new();
    for order in [newest, by_id] {
        lists.extend([
            ("all", all(), order),
            ("of a DAG", one(), order),
            ("active", DagRunFilter { states: states(&[RunState::Queued, RunState::Running]), ..all() }, order),
            ("running", DagRunFilter { states: states(&[RunState::Running]), ..all() }, order),
            ("running of a DAG", DagRunFilter { states: states(&[RunState::Running]), ..one() }, order),
            ("run_after", DagRunFilter { run_after: day, ..all() }, order),
            ("run_after of a DAG", DagRunFilter { run_after: day, ..one() }, order),
            ("logical_date", DagRunFilter { logical_date: day, ..all() }, order),
            ("logical_date of a DAG", DagRunFilter { logical_date: day, ..one() }, order),
            ("started_at", DagRunFilter { started_at: day, ..all() }, order),
            ("ended_at", DagRunFilter { ended_at: day, ..all() }, order),
            ("ended_at of a DAG", DagRunFilter { ended_at: day, ..one() }, order),
            ("updated_at", DagRunFilter { updated_at: day, ..all() }, order),
        ]);
    }
    let prefix = vec![Pattern::Prefix("r777".to_owned())];
    lists.extend([
        ("failed", DagRunFilter { states: states(&[RunState::Failed]), ..all() }, newest),
        ("failed of a DAG", DagRunFilter { states: states(&[RunState::Failed]), ..one() }, newest),
        ("succeeded of a DAG", DagRunFilter { states: states(&[RunState::Success]), ..one() }, newest),
        ("by hand", DagRunFilter { types: vec![RunType::Manual], ..all() }, newest),
        ("by hand of a DAG", DagRunFilter { types: vec![RunType::Manual], ..one() }, newest),
        ("run id", DagRunFilter { run_ids: prefix.clone(), ..all() }, newest),
    ]);
    lists
}

/// Returns the statements of a list: of its first page, of one in the midst, and of its length.
fn statements_of(store: &Store, filter: &DagRunFilter, order: Order<DagRunOrder>) -> Vec<(String, Vec<Arg>)> {
    let select = store.dag_runs(filter, &[order]).for_many();
    let keys = crate::with_run_id(&[order]).iter().map(|_| Key::Int(500)).collect();
    let beside = select.beside(&Place { keys, is_backward: false });
    vec![select.statement(50, 0), beside.statement(50, 0), select.count_statement()]
}

#[tokio::test]
async fn no_usual_list_of_runs_reads_through_history_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let Db::Sqlite { write, .. } = &store.db else { unreachable!("it is SQLite") };
    let mut conn = write.acquire().await.unwrap();
    let mut problems = Vec::new();
    for (name, filter, order) in usual_lists() {
        for (text, _) in statements_of(&store, &filter, order) {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")).into_sql_str();
            let rows = sqlx::query(explain).fetch_all(&mut *conn).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.get(3)).collect();
            let sorts = text.contains("id IN (SELECT id FROM dag_run");
            let finds_few = [
                ("by hand", "dag_run_by_hand"),
                ("by hand of a DAG", "dag_run_by_hand_of_dag"),
                ("failed", "dag_run_failed"),
            ];
            if let Some((_, index)) = finds_few.iter().find(|(list, _)| *list == name)
                && !steps.iter().any(|step| step.contains(index))
            {
                problems.push(format!("{name}: {steps:?}\n    {text}"));
            }
            for step in &steps {
                // A walk along the order of the list ends with the page, and a count at its limit.
                let is_walk =
                    !sorts && filter.ended_at.is_open() && filter.started_at.is_open() && filter.logical_date.is_open();
                let reads_all = step.starts_with("SCAN dag_run")
                    && !step.contains("dag_run_active")
                    && !step.contains("dag_run_failed")
                    && !step.contains("dag_run_by_hand")
                    && !is_walk;
                let sorts_all = !sorts && step.contains("TEMP B-TREE");
                if reads_all || sorts_all {
                    problems.push(format!("{name} by {:?}: {steps:?}\n    {text}", order.by));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Puts arguments into a statement: Postgres explains no other one.
pub(super) fn with_args(text: &str, args: &[Arg]) -> String {
    let mut text = text.to_owned();
    for (at, arg) in args.iter().enumerate().rev() {
        let value = match arg {
            Arg::Int(number) => number.to_string(),
            Arg::Real(number) => number.to_string(),
            Arg::Text(word) => format!("'{word}'"),
        };
        text = text.replace(&format!("${}", at + 1), &value);
    }
    text
}

/// Versions, and runs, each with ten tasks: enough for Postgres to prefer an index.
const HISTORY: &str = "
    INSERT INTO dag_source SELECT 's' || n, '', '{}' FROM generate_series(1, 20000) AS g (n);
    INSERT INTO dag_version (dag_id, number, hash, source_hash, file, document, created_at)
        SELECT 'd' || n, 1000, 'h', 's' || n, 'f', 0, 0 FROM generate_series(1, 200) AS g (n);
    INSERT INTO dag (dag_id, version_id, file, owners, tags, schedule, max_active_runs, is_paused, is_stale, enabled_at, due_at, parsed_at)
        SELECT dag_id, id, 'f', '', '[]', '', 1, FALSE, FALSE, 0, id * 1000000, 0 FROM dag_version;
    INSERT INTO dag_version (dag_id, number, hash, source_hash, file, document, created_at)
        SELECT 'd' || n % 200 + 1, n / 200 + 1, 'h', 's' || n, 'f', 0, n FROM generate_series(201, 20000) AS g (n);
    INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, run_after, queued_at, started_at, ended_at, conf, version_id, triggered_by)
        SELECT 'd' || n % 200 + 1, 'r' || n, 'scheduled', 'success', n, n, n, n, n, '{}', n % 200 + 1, 'x' FROM generate_series(1, 20000) AS g (n);
    INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, run_after, queued_at, conf, version_id, triggered_by)
        SELECT 'd' || n, 'now', 'scheduled', 'running', 1000000 + n, n, n, '{}', n, 'x' FROM generate_series(1, 50) AS g (n);
    INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, started_at, ended_at, operator, pool,
            pool_slots, priority_weight, queue, sort_date, max_active_tasks)
        SELECT r.id, 't' || n, -1, r.dag_id, CASE WHEN r.state = 'success' THEN 'success' ELSE 'scheduled' END, 1, 0, 0, 1, 1, 'x',
            'default_pool', 1, 1, 'default', 1, 16 FROM dag_run r, generate_series(1, 10) AS g (n);
    INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight, queued_at, worker,
            started_at, lease_until, ended_at, outcome, settled)
        SELECT run, task_id, map_index, 1, 1, dag_id, pool, 1, queue, 1, 1, 'w', 1, 1, CASE WHEN state = 'success' THEN 1 END,
            CASE WHEN state = 'success' THEN '{}' END, state = 'success' FROM task_instance;
    INSERT INTO callback (run, dag_id, version_id, task_id, map_index, number, event, place, operator, exception, state, tries, due,
            worker, created_at, ended_at)
        SELECT id, dag_id, version_id, 't1', -1, 1, 'failure', 0, 'bash', '',
            CASE WHEN id % 200 = 0 THEN 'pending' WHEN id % 20 = 0 THEN 'failed' ELSE 'delivered' END, 1, id,
            CASE WHEN id % 400 = 0 THEN 'w' END, 1, CASE WHEN id % 200 > 0 THEN 1 END FROM dag_run;
    INSERT INTO event (at, kind, dag_id, run_id)
        SELECT r.queued_at, CASE WHEN r.id % 50 = 0 AND t.task_id = 't1' THEN 'clear' ELSE 'task_state' END, r.dag_id, r.run_id
        FROM task_instance t JOIN dag_run r ON r.id = t.run ORDER BY r.id;
    INSERT INTO xcom SELECT run, task_id, map_index, 'return_value', '1', 1 FROM task_instance;
    INSERT INTO rendered SELECT run, task_id, map_index, '{}' FROM task_instance;
    INSERT INTO wake (dag_id, run, due) SELECT dag_id, id, id * 1000000 FROM dag_run;
    INSERT INTO account (name, folded, role, password, is_active, created_at)
        SELECT 'u' || n, 'u' || n, 'Admin', '', TRUE, 0 FROM generate_series(1, 200) AS g (n);
    INSERT INTO token (account, name, hash, prefix, created_at, expires_at)
        SELECT n % 200 + 1, 't', 'h' || n, 'p', n, n FROM generate_series(1, 20000) AS g (n);
    INSERT INTO session (hash, account, created_at, seen_at, expires_at)
        SELECT 'h' || n, n % 200 + 1, n, n, n FROM generate_series(1, 20000) AS g (n);
    ANALYZE";

#[tokio::test]
async fn no_hot_statement_reads_through_history_on_postgres() {
    let Ok(server) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    let name = format!("flow_plans_{}", std::process::id());
    let store = Store::open(&server).await.unwrap();
    let Db::Postgres { pool } = &store.db else { unreachable!("it is Postgres") };
    let run = async |text: String| sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.unwrap();
    run(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    run(format!("CREATE DATABASE {name}")).await;
    let url = server.rsplit_once('/').map(|(server, _)| format!("{server}/{name}")).unwrap();
    let problems = tokio::spawn(async move { read_through(&url).await }).await;
    run(format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let problems = problems.unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Returns the steps of hot statements that read through a growing table, in a database of this address.
async fn read_through(url: &str) -> Vec<String> {
    let store = Store::open(url).await.unwrap();
    store.migrate().await.unwrap();
    let Db::Postgres { pool } = &store.db else { unreachable!("it is Postgres") };
    let mut conn = pool.acquire().await.unwrap();
    sqlx::raw_sql(HISTORY).execute(&mut *conn).await.unwrap();
    // The plan that is kept for all values, as after a few calls.
    sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut *conn).await.unwrap();
    let mut problems = lists_that_read_through(&store, &mut conn).await;
    for (name, text) in super::event_lists::statements(&store).await {
        let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) {text}")).into_sql_str();
        let plan: serde_json::Value = sqlx::query_scalar(explain).fetch_one(&mut *conn).await.unwrap();
        let plan = plan[0]["Plan"].to_string();
        // An index is read with a condition: by the DAG, by the run, or by number.
        if plan.contains("\"Seq Scan\"") || !plan.contains("\"event_of_dag\"") {
            problems.push(format!("events {name}: {plan}\n    {text}"));
        }
    }
    problems.extend(read_through_with(&mut conn, &|table| table != "wake").await);
    // Of what is to come a part may be so large that reading all is right; an index must be there all the same.
    sqlx::raw_sql("SET enable_seqscan = off").execute(&mut *conn).await.unwrap();
    problems.extend(read_through_with(&mut conn, &|_| true).await);
    drop(conn);
    store.close().await;
    problems
}

async fn lists_that_read_through(store: &Store, conn: &mut sqlx::PgConnection) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, filter, order) in usual_lists() {
        for (text, args) in statements_of(store, &filter, order) {
            let text = with_args(&text, &args);
            let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) {text}")).into_sql_str();
            let plan: serde_json::Value = sqlx::query_scalar(explain).fetch_one(&mut *conn).await.unwrap();
            // Beyond the rows of a page, and of what is under way, an index is read with a condition.
            let rows = plan[0]["Plan"].to_string();
            let is_walk = name != "run id" && !text.contains("id IN (SELECT id FROM dag_run");
            if rows.contains("\"Seq Scan\"")
                || (is_walk && !text.contains("COUNT(*)") && !text.contains("<= ") && rows.contains("\"Sort\""))
            {
                problems.push(format!("{name} by {:?}: {rows}\n    {text}", order.by));
            }
        }
    }
    problems
}

async fn read_through_with(conn: &mut sqlx::PgConnection, counts: &(impl Fn(&str) -> bool + Sync)) -> Vec<String> {
    let mut problems = Vec::new();
    for sql in hot() {
        sqlx::raw_sql(AssertSqlSafe(format!("PREPARE hot AS {}", sql.postgres))).execute(&mut *conn).await.unwrap();
        let count = (1..=20).rev().find(|n| sql.postgres.contains(&format!("${n}"))).unwrap_or(0);
        let nulls = if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) };
        let text = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE hot{nulls}")).into_sql_str();
        let plan: serde_json::Value = sqlx::query_scalar(text).fetch_one(&mut *conn).await.unwrap();
        let mut steps = Vec::new();
        collect(&plan, counts, &mut steps);
        problems.extend(steps.into_iter().map(|step| format!("{}: {step}\n    {}", sql.name, sql.postgres)));
        sqlx::raw_sql("DEALLOCATE hot").execute(&mut *conn).await.unwrap();
    }
    problems
}

/// Finds the steps of a plan that read a growing table without a condition on an index.
fn collect(plan: &serde_json::Value, counts: &impl Fn(&str) -> bool, steps: &mut Vec<String>) {
    let word = |key: &str| plan[key].as_str().unwrap_or_default();
    let index = word("Index Name");
    let is_small = OF_WHAT_IS_UNDER_WAY.contains(&index);
    let reads_all = match word("Node Type") {
        "Seq Scan" => GROWING.contains(&word("Relation Name")) && counts(word("Relation Name")),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            let of = GROWING.iter().find(|table| index.starts_with(&format!("{table}_")));
            plan["Index Cond"].is_null() && !is_small && of.is_some_and(|table| counts(table))
        }
        _ => false,
    };
    if reads_all {
        steps.push(format!("{} {} {index}", word("Node Type"), word("Relation Name")));
    }
    match plan {
        serde_json::Value::Array(list) => list.iter().for_each(|inner| collect(inner, counts, steps)),
        serde_json::Value::Object(fields) => fields.values().for_each(|inner| collect(inner, counts, steps)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}
