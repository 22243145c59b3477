//! Which logs of attempts are, or may yet be, written to.

use crate::{
    Store, StoreError,
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
}
