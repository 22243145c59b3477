//! What the machine does with nothing of Flow around it: spawning processes, and committing transactions.

use std::{
    process::{Command, Stdio},
    str::FromStr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::ensure;
use serde_json::{Value, json};
use sqlx::{
    Connection, Executor,
    postgres::PgConnection,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous},
};

use crate::{flow::Database, report::median};

/// Processes that are spawned at a time in a measurement.
const PROCESSES: usize = 400;
/// As many one after the other as the chain has tasks.
const CHAIN: usize = 40;
/// Transactions that are committed in a measurement.
const COMMITS: usize = 300;
/// The worker slots that Flow gets.
pub(crate) const SLOTS: usize = 16;

/// The machine's own limits.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Milliseconds of one `bash -c true`, one after the other.
    pub(crate) process_ms: f64,
    /// `bash -c true` a second, as many at once as Flow has slots.
    pub(crate) processes: f64,
    /// Transactions of one row a second, one after the other.
    pub(crate) commits: f64,
}

impl Limits {
    pub(crate) async fn measure(database: &Database, repeats: usize) -> anyhow::Result<Self> {
        let mut limits = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..repeats {
            limits.0.push(one_by_one(CHAIN)? / CHAIN as f64 * 1e3);
            limits.1.push(PROCESSES as f64 / side_by_side(PROCESSES)?);
            limits.2.push(commits(database).await?);
        }
        Ok(Self { process_ms: median(&limits.0), processes: median(&limits.1), commits: median(&limits.2) })
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "bare: `bash -c true` {:.2} ms one by one, {:.0}/s with {SLOTS} at once; {:.0} commits/s",
            self.process_ms, self.processes, self.commits
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "process_ms": self.process_ms,
            "processes_per_s": self.processes,
            "processes_at_once": SLOTS,
            "commits_per_s": self.commits,
        })
    }
}

fn spawn() -> anyhow::Result<()> {
    let status = Command::new("bash").args(["-c", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "`bash -c true` failed");
    Ok(())
}

/// Returns the seconds of so many processes one after the other.
pub(crate) fn one_by_one(number: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    for _ in 0..number {
        spawn()?;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Returns the seconds of so many processes, [`SLOTS`] at once.
pub(crate) fn side_by_side(number: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SLOTS)
            .map(|_| {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < number {
                        spawn()?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(_) => anyhow::bail!("a thread that spawns processes panicked"),
        })
    })?;
    Ok(started.elapsed().as_secs_f64())
}

const TABLE: &str = "CREATE TABLE bare (number BIGINT PRIMARY KEY, word TEXT NOT NULL)";
const ROW: &str = include_str!("bare.sql");

/// Commits a row at a time, the way Flow opens the database. Returns transactions a second.
async fn commits(database: &Database) -> anyhow::Result<f64> {
    let place = database.fresh().await?;
    let mut seconds = 0.0;
    match database {
        Database::Sqlite => {
            let options = SqliteConnectOptions::from_str(&place.url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            let mut conn = SqliteConnection::connect_with(&options).await?;
            conn.execute(TABLE).await?;
            for number in 0..COMMITS {
                let started = Instant::now();
                let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
                sqlx::query(ROW).bind(number as i64).execute(&mut *tx).await?;
                tx.commit().await?;
                seconds += started.elapsed().as_secs_f64();
            }
            conn.close().await?;
        }
        Database::Postgres(_) => {
            let mut conn = PgConnection::connect(&place.url).await?;
            conn.execute(TABLE).await?;
            for number in 0..COMMITS {
                let started = Instant::now();
                let mut tx = conn.begin().await?;
                sqlx::query(ROW).bind(number as i64).execute(&mut *tx).await?;
                tx.commit().await?;
                seconds += started.elapsed().as_secs_f64();
            }
            conn.close().await?;
        }
    }
    place.leave().await?;
    Ok(COMMITS as f64 / seconds)
}
