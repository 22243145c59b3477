//! Logs of attempts: which are, or may yet be, written to, and which worker serves them.

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
};

/// Names the log of an attempt that has not ended for good.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LogInUse {
    pub dag_id: String,
    pub run_id: String,
    pub task_id: String,
    #[sqlx(try_from = "i64")]
    pub map_index: i32,
    #[sqlx(try_from = "i64")]
    pub try_number: u32,
}

/// Where a worker serves logs.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LogServer {
    pub hostname: String,
    /// `host:port`
    pub address: String,
    /// Signs requests.
    pub secret: String,
}

/// Most logs in use that are told; with more nothing is known.
const MAX: i64 = 500_000;

statements! {
    // An attempt that waits to be rescheduled has ended, but goes on under the same number.
    both IN_USE = "SELECT a.dag_id, r.run_id, a.task_id, a.map_index, a.try_number
        FROM attempt a JOIN dag_run r ON r.id = a.run WHERE a.ended_at IS NULL
        UNION ALL
        SELECT t.dag_id, r.run_id, t.task_id, t.map_index, t.try_number
        FROM dag_run r JOIN task_instance t ON t.run = r.id
        WHERE r.state IN ('queued', 'running') AND t.try_number > 0
            AND t.state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed')
        LIMIT $1";
    both FORGET_SERVERS = "DELETE FROM log_server WHERE process IN (SELECT id FROM process WHERE ended_at IS NOT NULL)";
    both ADD_SERVER = "INSERT INTO log_server (process, address, secret) VALUES ($1, $2, $3)";
    // The worker itself, else others of its host: they have the same folder, or know that there is no such log.
    both SERVERS = "SELECT p.hostname, l.address, l.secret FROM log_server l JOIN process p ON p.id = l.process
        WHERE p.ended_at IS NULL
            AND (p.id = $1 OR p.hostname = (SELECT o.hostname FROM process o WHERE o.id = $1))
        ORDER BY CASE WHEN p.id = $1 THEN 0 ELSE 1 END, p.heartbeat_at DESC LIMIT 3";
}

impl Store {
    /// Returns the logs of attempts that run, or may go on: all others are finished.
    ///
    /// # Errors
    ///
    /// When the database does, or there are too many.
    pub async fn logs_in_use(&self) -> Result<Vec<LogInUse>, StoreError> {
        let found: Vec<LogInUse> =
            on!(read self, IN_USE, |text, conn| sqlx::query_as(text).bind(MAX + 1).fetch_all(conn).await?);
        if found.len() as i64 > MAX { Err(StoreError::TooMuch) } else { Ok(found) }
    }

    /// Returns who may serve the logs that a worker wrote, by its id, the likeliest first. None when its host has gone.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn log_servers(&self, worker: &str) -> Result<Vec<LogServer>, StoreError> {
        Ok(on!(read self, SERVERS, |text, conn| sqlx::query_as(text).bind(worker).fetch_all(conn).await?))
    }
}

impl Tx {
    /// Writes down where a process serves logs; forgets those of processes that have ended.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_log_server(&mut self, process: &str, address: &str, secret: &str) -> Result<(), StoreError> {
        on!(tx self, FORGET_SERVERS, |text, conn| { sqlx::query(text).execute(conn).await?; });
        on!(tx self, ADD_SERVER, |text, conn| {
            sqlx::query(text).bind(process).bind(address).bind(secret).execute(conn).await?;
        });
        Ok(())
    }
}
