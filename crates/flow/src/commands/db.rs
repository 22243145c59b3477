//! `flow db`: the database's schema, health and size.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use flow_core::{DagId, RunId, Timestamp};
use flow_store::{Cleaned, CleanupPlan, CleanupStep, ROWS_COUNTED, Rotated, RotationStep, Schema, Store, TableSize};
use indicatif::ProgressBar;
use serde::Serialize;

use super::dags::duration_arg;
use crate::{
    config::sqlite_path,
    context::Cx,
    home::Home,
    node::{self, Parts},
    output::Cell,
};

/// Rows that go in one transaction.
const BATCH: u32 = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow db migrate
  flow db check
  flow db clean --older-than 90d --dry-run")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Bring the schema up to this version of Flow
    #[command(after_help = "Examples:\n  flow db migrate\n  flow db migrate --dry-run")]
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Connect, and say what is there: kind, schema, sizes
    #[command(after_help = "Examples:\n  flow db check\n  flow db check -o json")]
    Check,
    /// Remove finished runs with all that belongs to them, old events, and versions that nothing uses
    #[command(
        after_help = "Examples:\n  flow db clean --older-than 90d\n  flow db clean --older-than 4w --dag tutorial --dry-run"
    )]
    Clean {
        /// Age of the end of a run from which it goes
        #[arg(long, value_name = "DURATION", value_parser = duration_arg)]
        older_than: Duration,
        /// Only this DAG's runs, events and versions
        #[arg(long, value_name = "DAG")]
        dag: Option<String>,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
    /// Encrypt variables and connections with a new key, while others work
    #[command(after_help = "Examples:
  flow db rotate-key

Without FLOW_SECRET_KEY, secret.key in the home gets a new key. With it, put the new key before the old one on every
host, with a comma between, restart, run this once, then take the old key away. If this is stopped half-way, run it
again.")]
    RotateKey,
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Migrate { dry_run } => migrate(cx, dry_run).await,
        Command::Check => check(cx).await,
        Command::Clean { older_than, dag, dry_run } => clean(cx, older_than, dag, dry_run).await,
        Command::RotateKey => rotate_key(cx).await,
    }
}

#[derive(Debug, Serialize)]
struct Migration {
    database: String,
    /// 0 = empty, or not there yet.
    from: i64,
    to: i64,
    dry_run: bool,
}

async fn migrate(cx: &Cx, dry_run: bool) -> anyhow::Result<ExitCode> {
    let url = &cx.config.settings.database.url;
    let database = crate::config::masked(url);
    let is_there = sqlite_path(url).is_none_or(Path::exists);
    if !is_there && dry_run {
        cx.out.one(
            &Migration { database: database.clone(), from: 0, to: Store::newest_schema(), dry_run },
            vec![("database", database.into()), ("would", "make it, with every table".into())],
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    if !is_there {
        node::make_home(&cx.config.home)?;
    }
    let store = Store::open(url).await?;
    let (from, to) = match store.schema().await? {
        Schema::Current { version } => (version, version),
        Schema::Older { version, known } => (version, known),
        Schema::Newer { version, known } => return Err(node::newer_schema(version, known)),
    };
    if from != to && !dry_run {
        // Another process that works on the file must not find its tables changed under it.
        let _lock = node::lock_database(cx)?;
        store.migrate().await?;
    }
    store.close().await;
    let words = match (from == to, dry_run) {
        (true, _) => format!("is up to date: schema {to}"),
        (false, true) => format!("would go from schema {from} to {to}"),
        (false, false) => format!("went from schema {from} to {to}"),
    };
    let migration = Migration { database: database.clone(), from, to, dry_run };
    cx.out.one(&migration, vec![("database", database.into()), ("schema", words.into())])?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Health {
    database: String,
    kind: &'static str,
    schema: i64,
    answer_ms: f64,
    /// The key of variables and connections, when there are any.
    secret_key: Option<String>,
    secret_key_is_here: bool,
    bytes: u64,
    rows: serde_json::Map<String, serde_json::Value>,
}

async fn check(cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_database(cx).await?;
    let started = Instant::now();
    parts.store.ping().await?;
    let answer_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let schema = match parts.store.schema().await? {
        Schema::Current { version } | Schema::Older { version, .. } | Schema::Newer { version, .. } => version,
    };
    let (bytes, sizes) = (parts.store.bytes().await?, parts.store.table_sizes().await?);
    let secret_key = parts.store.current_key().await?;
    let missing = parts.store.check_key().await.err();
    let health = Health {
        secret_key_is_here: secret_key.is_some() && missing.is_none(),
        secret_key,
        database: crate::config::masked(&cx.config.settings.database.url),
        kind: parts.store.kind(),
        schema,
        answer_ms,
        bytes,
        rows: sizes.iter().map(|size| (size.table.to_owned(), size.rows.into())).collect(),
    };
    let mut properties: Vec<(&str, Cell)> = vec![
        ("database", health.database.clone().into()),
        ("kind", health.kind.into()),
        ("schema", format!("{schema}, as this flow needs it").into()),
        ("answers after", format!("{answer_ms:.1} ms").into()),
        ("size", format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)).into()),
    ];
    if let Some(id) = &health.secret_key {
        let words = missing.map_or_else(|| format!("{id}, which is here"), |error| format!("{id}, missing: {error}"));
        properties.push(("secret key", words.into()));
    }
    properties.extend(sizes.iter().map(|size| (size.table, Cell::from(rows(*size)))));
    cx.out.one(&health, properties)?;
    Ok(ExitCode::SUCCESS)
}

/// `1 run`, `2 runs`
fn many(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn rows(size: TableSize) -> String {
    let more = if size.rows >= ROWS_COUNTED { ", or more" } else { "" };
    format!("{}{more}", many(size.rows, "row"))
}

#[derive(Debug, Serialize)]
struct Rotation {
    key: String,
    changed: u64,
    resumed: bool,
    unreadable: Vec<String>,
    dropped: Vec<String>,
}

async fn rotate_key(cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_database(cx).await?;
    parts.check_key().await?;
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    let rotated = parts
        .store
        .rotate_key(|step| {
            if let RotationStep::Changed(number) = step {
                progress.set_message(format!("{} encrypted again", many(number, "row")));
            }
        })
        .await;
    progress.finish_and_clear();
    let Rotated { to, is_resumed, changed, unreadable, dropped } =
        rotated.context("stopped half-way; run the command again to go on")?;
    let rotation = Rotation { key: to, changed, resumed: is_resumed, unreadable, dropped };
    let mut properties: Vec<(&str, Cell)> = vec![
        ("key", rotation.key.clone().into()),
        ("encrypted again", many(changed, "row").into()),
        ("not needed any more", rotation.dropped.join(", ").into()),
    ];
    if is_resumed {
        properties.push(("note", "this finished a change that was stopped; run it again for another key".into()));
    }
    if !rotation.unreadable.is_empty() {
        properties.push(("unreadable", rotation.unreadable.join(", ").into()));
    }
    if cx.config.secret_key.is_some() && rotation.dropped.is_empty() {
        properties.push(("note", "FLOW_SECRET_KEY holds one key only: put a new one before it to change it".into()));
    }
    cx.out.one(&rotation, properties)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Cleaning {
    before: Timestamp,
    dag_id: Option<String>,
    runs: u64,
    events: u64,
    dag_versions: u64,
    dry_run: bool,
}

async fn clean(cx: &Cx, older_than: Duration, dag_id: Option<String>, dry_run: bool) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_database(cx).await?;
    if let Some(dag) = &dag_id
        && parts.store.dag(dag).await?.is_none()
    {
        return Err(Home::Local(Box::new(parts)).no_such_dag(dag).await);
    }
    let micros = i64::try_from(older_than.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(cx.now().as_micros().saturating_sub(micros));
    let plan = CleanupPlan { before, dag_id: dag_id.clone(), batch: BATCH, dry_run };
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    let (mut runs_gone, mut events_gone) = (0_u64, 0_u64);
    let cleaned = parts
        .store
        .clean(&plan, |step| {
            match step {
                CleanupStep::Runs(names) => {
                    runs_gone += names.len() as u64;
                    for (dag, run) in names {
                        // Logs of a run that is gone are in nobody's way; the folder may be on another host.
                        let folder = parts.logs.run_folder(&DagId::new(dag), &RunId::new(run));
                        let _ = std::fs::remove_dir_all(&folder);
                        // Goes only when it is empty.
                        let _ = folder.parent().map(std::fs::remove_dir);
                    }
                }
                CleanupStep::Events(number) => events_gone += number,
                CleanupStep::Versions(_) => {}
            }
            progress.set_message(format!("{runs_gone} runs, {events_gone} events removed"));
        })
        .await;
    progress.finish_and_clear();
    let cleaned = cleaned.map_err(|error| {
        anyhow::Error::new(error)
            .context(format!("stopped after {runs_gone} runs and {events_gone} events; run the command again to go on"))
    })?;
    let words = if dry_run { "would be removed" } else { "removed" };
    let Cleaned { runs, events, versions } = cleaned;
    let cleaning = Cleaning { before, dag_id, runs, events, dag_versions: versions, dry_run };
    cx.out.one(
        &cleaning,
        vec![
            ("ended before", before.to_string().into()),
            (
                words,
                format!("{}, {}, {}", many(runs, "run"), many(events, "event"), many(versions, "DAG version")).into(),
            ),
        ],
    )?;
    Ok(ExitCode::SUCCESS)
}
