//! Lists with 1,000,000 runs, 10,000,000 task instances and as many events behind them.

use std::time::Instant;

use anyhow::Context as _;
use sqlx::{Connection, Executor, SqliteConnection, postgres::PgConnection};

use super::api::Client;
use crate::{
    Bench,
    flow::{Database, Home},
    report::{Bare, Figure, Target, median, percentile},
};

/// What makes the past; a statement ends with an empty line.
const FILL: &str = include_str!("../history.sql");
/// DAGs that have a past, `d100` and so on.
const DAGS: usize = 100;
/// Times that each list is asked for, in a repeat.
const TRIES: usize = 20;
/// Tasks of the chain that is run without and with a past.
const CHAIN: usize = 20;

/// The lists, by what they are called in the table. Each DAG has 10,000 runs.
const LISTS: &[(&str, &str)] = &[
    ("DAGs", "/api/v2/dags?limit=50"),
    ("DAGs whose last run failed", "/api/v2/dags?limit=50&last_dag_run_state=failed"),
    ("DAG details", "/api/v2/dags/d107/details"),
    ("runs of a DAG", "/api/v2/dags/d107/dagRuns?limit=50&order_by=-run_after"),
    ("runs of a DAG, page 100", "/api/v2/dags/d107/dagRuns?limit=50&offset=5000&order_by=-run_after"),
    ("failed runs of a DAG", "/api/v2/dags/d101/dagRuns?limit=50&state=failed&order_by=-run_after"),
    ("all runs", "/api/v2/dags/~/dagRuns?limit=50&order_by=-run_after"),
    ("all runs by start", "/api/v2/dags/~/dagRuns?limit=50&order_by=-start_date"),
    ("all failed runs", "/api/v2/dags/~/dagRuns?limit=50&state=failed&order_by=-run_after"),
    ("all running runs", "/api/v2/dags/~/dagRuns?limit=50&state=running"),
    (
        "runs of a day",
        "/api/v2/dags/~/dagRuns?limit=50&run_after_gte=1971-01-01T00:00:00Z&run_after_lt=1971-01-02T00:00:00Z",
    ),
    (
        "runs, by the beginning of an id",
        "/api/v2/dags/~/dagRuns?limit=50&run_id_prefix_pattern=scheduled__1970-01-01T00:00:00.77",
    ),
    ("task instances of a run", "/api/v2/dags/d107/dagRuns/RUN/taskInstances?limit=100"),
    ("all task instances", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50"),
    ("all task instances by start", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&order_by=-start_date"),
    ("all failed task instances", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&state=failed"),
    ("all running task instances", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&state=running"),
    ("task instances of a DAG", "/api/v2/dags/d107/dagRuns/~/taskInstances?limit=50"),
    ("failed task instances of a DAG", "/api/v2/dags/d101/dagRuns/~/taskInstances?limit=50&state=failed"),
    ("a task over time", "/api/v2/dags/d107/dagRuns/~/taskInstances?limit=50&task_id=t3"),
    ("events", "/api/v2/eventLogs?limit=50&order_by=-event_log_id"),
    ("events of a DAG", "/api/v2/eventLogs?limit=50&order_by=-event_log_id&dag_id=d107"),
    ("events of a run", "/api/v2/eventLogs?limit=50&dag_id=d107&run_id=RUN"),
    ("DAG statistics", "/api/v2/dagStats?dag_ids=d107"),
    ("pools", "/api/v2/pools"),
    ("the web UI's DAG list", "/ui/dags?limit=50"),
    ("the web UI's grid", "/ui/dags/d107/grid?limit=50"),
    ("the web UI's grid, 365 runs", "/ui/dags/d107/grid?limit=365"),
];

/// Times that it is run, in a repeat.
const CHAINS: usize = 5;

/// Asks for lists; and runs a chain without and with a past.
pub(crate) async fn history(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    for at in 0..DAGS {
        let name = format!("d{}", 100 + at);
        home.write(&name, &chain(&name, 10))?;
    }
    home.write("chain", &chain("chain", CHAIN))?;
    let flow = home.start().await?;
    for name in ["d199", "chain"] {
        flow.knows(name).await?;
    }
    flow.stop().await?;
    bench.say("1,000,000 runs, 10,000,000 task instances and events: minutes");
    let began = Instant::now();
    fill(&bench.database, &home.place.url).await?;
    bench.say(&format!("filled in {:.0} s", began.elapsed().as_secs_f64()));
    let flow = home.start().await?;
    flow.knows("d199").await?;
    let client = Client::new(home).await?;
    let run = "scheduled__1970-01-01T00:00:00.777707%2B00:00";
    let database = bench.database.name();
    for (name, path) in LISTS {
        let path = path.replace("RUN", run);
        let mut samples = Vec::new();
        for _ in 0..bench.repeats {
            let mut took = Vec::new();
            for _ in 0..TRIES {
                let asked = Instant::now();
                client.get(&path).await?;
                took.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            samples.push(percentile(&took, 0.95));
        }
        let what = format!("{name}, p95");
        let target = Some(Target::AtMost(100.0));
        bench.note(Figure { workload: "history", what, database, unit: "ms", samples, bare: None, target });
    }
    // By turns, so that both see the same machine.
    let other = Home::new(&bench.database).await?;
    other.write("chain", &chain("chain", CHAIN))?;
    let without = other.start().await?;
    without.knows("chain").await?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for _ in 0..=bench.repeats * CHAINS {
        before.push(without.burst("chain", 1).await?);
        after.push(flow.burst("chain", 1).await?);
    }
    without.stop().await?;
    other.place.leave().await?;
    flow.stop().await?;
    // The first of each warms up.
    let (before, after) = (median(&before[1..]), after.split_off(1));
    bench.note(Figure {
        workload: "history",
        what: format!("a chain of {CHAIN}, with all that behind it"),
        database,
        unit: "s",
        samples: after,
        bare: Some(Bare { what: "without", value: before, unit: "s" }),
        target: Some(Target::AtMost(before * 1.1)),
    });
    Ok(())
}

fn chain(name: &str, tasks: usize) -> String {
    let mut text = format!("dag_id: {name}\nschedule: null\nmax_active_runs: 1000\ntasks:\n");
    for at in 0..tasks {
        let needs = if at == 0 { String::new() } else { format!("needs: [t{}], ", at - 1) };
        text += &format!("  - {{ id: t{at}, {needs}uses: bash, with: {{ bash_command: 'true' }} }}\n");
    }
    text
}

async fn fill(database: &Database, url: &str) -> anyhow::Result<()> {
    let statements = FILL.split("\n\n").filter(|text| !text.trim().is_empty());
    match database {
        Database::Sqlite => {
            let mut conn = SqliteConnection::connect(url).await?;
            for setting in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"] {
                conn.execute(setting).await?;
            }
            for text in statements {
                conn.execute(text).await.context("cannot fill")?;
            }
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            conn.close().await?;
        }
        Database::Postgres(_) => {
            let mut conn = PgConnection::connect(url).await?;
            for text in statements {
                conn.execute(text).await.context("cannot fill")?;
            }
            // What autovacuum does by itself before long.
            conn.execute("VACUUM ANALYZE").await?;
            conn.close().await?;
        }
    }
    Ok(())
}
