//! The processes that work on this database: who they are, and whether they are still there.

use std::collections::BTreeMap;

use flow_core::Timestamp;
use serde_json::json;

use crate::{
    Happening, Signal, Store, StoreError, Tx,
    db::{on, statements},
    looks::at_once,
    rows::{count, to_json, to_list},
};

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessKind {
    Standalone,
    Scheduler,
    Worker,
}

impl ProcessKind {
    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Scheduler => "scheduler",
            Self::Worker => "worker",
        }
    }
}

/// A process that works, or worked, on this database.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Process {
    pub id: String,
    pub kind: String,
    pub hostname: String,
    /// Names the running system: two processes with the same one can see each other's pids.
    pub machine: String,
    pub pid: i64,
    /// When the pid was started, in the system's own words; tells a pid used again.
    pub pid_started: String,
    pub slots: i64,
    /// JSON list.
    pub queues: String,
    pub version: String,
    pub started_at: i64,
    pub heartbeat_at: i64,
    pub ended_at: Option<i64>,
}

statements! {
    both INSERT = "INSERT INTO process (id, kind, hostname, machine, pid, pid_started, slots, queues, version, started_at, heartbeat_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
    both ALIVE = "SELECT id, kind, hostname, machine, pid, pid_started, slots, queues, version, started_at, heartbeat_at, ended_at
        FROM process WHERE ended_at IS NULL ORDER BY started_at, id";
    both BEAT = "UPDATE process SET heartbeat_at = $2 WHERE id = $1";
    both EXTEND = "UPDATE attempt SET lease_until = $2 WHERE worker = $1 AND ended_at IS NULL";
    both RENEW = "UPDATE attempt SET lease_until = $1 WHERE worker IS NOT NULL AND ended_at IS NULL AND lease_until < $1";
    both ANY_OVER = "SELECT EXISTS (SELECT 1 FROM attempt WHERE worker IS NOT NULL AND ended_at IS NULL AND lease_until <= $1)";
    both WAKE_OVER = "INSERT INTO wake (dag_id, run, due)
        SELECT DISTINCT a.dag_id, a.run, CAST($1 AS BIGINT) FROM attempt a JOIN dag_run r ON r.id = a.run
        WHERE a.worker IS NOT NULL AND a.ended_at IS NULL AND a.lease_until <= $1 AND r.state IN ('queued', 'running')";
    both LOSE_OVER = "UPDATE attempt SET ended_at = $1, outcome = $2, settled = TRUE
        WHERE worker IS NOT NULL AND ended_at IS NULL AND lease_until <= $1
            AND EXISTS (SELECT 1 FROM dag_run r WHERE r.id = attempt.run AND r.state IN ('success', 'failed'))
        RETURNING run, task_id, map_index, try_number";
    both END = "UPDATE process SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    each LOSE = [
        "UPDATE attempt SET ended_at = $2, outcome = $3
         WHERE ended_at IS NULL AND worker IN (SELECT c.value ->> 0 FROM", ") RETURNING run, dag_id, task_id, map_index, try_number"
    ];
    both RUNNING = "SELECT worker, COUNT(*) FROM attempt WHERE worker IS NOT NULL AND ended_at IS NULL GROUP BY worker";
    both FORGET_OLD = "DELETE FROM process WHERE COALESCE(ended_at, heartbeat_at) < $1";
}

impl Store {
    /// Returns the processes that have not said that they ended.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn processes(&self) -> Result<Vec<Process>, StoreError> {
        Ok(on!(read self, ALIVE, |text, conn| sqlx::query_as(text).fetch_all(conn).await?))
    }

    /// Counts the attempts that each process is at, by its id; one that is at none is left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_running(&self) -> Result<BTreeMap<String, u32>, StoreError> {
        let rows: Vec<(String, i64)> =
            on!(read self, RUNNING, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        Ok(rows.into_iter().map(|(worker, number)| (worker, count(number))).collect())
    }

    /// Says whether the lease of an attempt is over: its worker has been silent for too long.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn is_any_lease_over(&self, now: Timestamp) -> Result<bool, StoreError> {
        Ok(on!(read self, ANY_OVER, |text, conn| sqlx::query_scalar(text).bind(now.as_micros()).fetch_one(conn).await?))
    }
}

impl Tx {
    /// Writes down that a process has started.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn register(&mut self, process: &Process) -> Result<(), StoreError> {
        on!(tx self, INSERT, |text, conn| {
            sqlx::query(text)
                .bind(&process.id)
                .bind(&process.kind)
                .bind(&process.hostname)
                .bind(&process.machine)
                .bind(process.pid)
                .bind(&process.pid_started)
                .bind(process.slots)
                .bind(&process.queues)
                .bind(&process.version)
                .bind(process.started_at)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Says that a process is alive, and lengthens the leases of its attempts.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn heartbeat(&mut self, process: &str, lease_until: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, BEAT, |text, conn| {
            sqlx::query(text).bind(process).bind(now.as_micros()).execute(conn).await?;
        });
        on!(tx self, EXTEND, |text, conn| {
            sqlx::query(text).bind(process).bind(lease_until.as_micros()).execute(conn).await?;
        });
        Ok(())
    }

    /// Begins every lease anew: after a time in which nobody could say that they are alive.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn renew_leases(&mut self, lease_until: Timestamp) -> Result<(), StoreError> {
        on!(tx self, RENEW, |text, conn| { sqlx::query(text).bind(lease_until.as_micros()).execute(conn).await?; });
        Ok(())
    }

    /// Asks for a look at the runs of attempts whose leases are over. Those of runs that have ended are given up
    /// here: nobody decides upon such runs any more, and they hold slots.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn look_at_silent(&mut self, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, WAKE_OVER, |text, conn| { sqlx::query(text).bind(now.as_micros()).execute(conn).await?; });
        let outcome = to_json(&json!({ "outcome": "lost", "why": "its worker has not been heard of" }));
        let lost = on!(tx self, LOSE_OVER, |text, conn| {
            sqlx::query_as(text).bind(now.as_micros()).bind(outcome).fetch_all(conn).await?
        });
        self.tries_ended(lost);
        self.announce(Signal::Look).await
    }

    /// Gives up the attempts of processes that are known to be dead, and writes down that they are.
    /// Returns the number of attempts.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn bury(&mut self, dead: &[String], why: &str, now: Timestamp) -> Result<usize, StoreError> {
        if dead.is_empty() {
            return Ok(0);
        }
        let list: Vec<[&str; 1]> = dead.iter().map(|id| [id.as_str()]).collect();
        let outcome = to_json(&json!({ "outcome": "lost", "why": why }));
        let lost: Vec<(i64, String, String, i64, i64)> = on!(tx self, LOSE, |text, conn| {
            sqlx::query_as(text).bind(to_list(&list)).bind(now.as_micros()).bind(outcome).fetch_all(conn).await?
        });
        let wakes: Vec<(String, i64, Timestamp)> =
            lost.iter().map(|(run, dag, ..)| (dag.clone(), *run, at_once(now))).collect();
        self.wake(&wakes).await?;
        self.announce(Signal::Look).await?;
        self.release_callbacks(dead, now).await?;
        for id in dead {
            self.end_process(id, now).await?;
        }
        self.witness(|| (!lost.is_empty()).then_some(Happening::TriesOrphaned(lost.len() as u64)));
        let orphaned = lost.len();
        self.tries_ended(lost.into_iter().map(|(run, _, task, map, number)| (run, task, map, number)).collect());
        Ok(orphaned)
    }

    /// Writes down that a process has ended.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn end_process(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, END, |text, conn| { sqlx::query(text).bind(id).bind(now.as_micros()).execute(conn).await?; });
        Ok(())
    }

    /// Forgets processes that ended, or fell silent, before a moment.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn forget_processes(&mut self, before: Timestamp) -> Result<(), StoreError> {
        on!(tx self, FORGET_OLD, |text, conn| { sqlx::query(text).bind(before.as_micros()).execute(conn).await?; });
        Ok(())
    }
}
