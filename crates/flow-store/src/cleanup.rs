//! Forgetting old history, in bounded steps.

use flow_core::Timestamp;

use crate::{
    Store, StoreError,
    db::{on, statements},
};

/// What to forget.
#[derive(Clone, Copy, Debug)]
pub struct CleanupPlan {
    /// Runs that ended before this moment, and events before it.
    pub before: Timestamp,
    /// Rows a transaction.
    pub batch: u32,
    pub dry_run: bool,
}

/// How much was forgotten, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub runs: u64,
    pub events: u64,
}

statements! {
    both OLD_RUNS = "SELECT id, dag_id, run_id FROM dag_run WHERE ended_at < $1 ORDER BY ended_at LIMIT $2";
    both COUNT_OLD_RUNS = "SELECT COUNT(*) FROM dag_run WHERE ended_at < $1";
    both COUNT_OLD_EVENTS = "SELECT COUNT(*) FROM event WHERE at < $1";
    both DROP_RUN = "DELETE FROM dag_run WHERE id = $1 AND ended_at IS NOT NULL";
    both DROP_EVENTS = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < $1 ORDER BY id LIMIT $2)";
}

impl Store {
    /// Forgets old runs with everything that belongs to them, and old events; other work goes on between the steps.
    /// `forgotten` is told the (DAG, run) ids of each step, so that their logs can be removed.
    ///
    /// # Errors
    ///
    /// When the database does; what was forgotten until then stays forgotten.
    pub async fn clean(
        &self,
        plan: CleanupPlan,
        mut forgotten: impl FnMut(&[(String, String)]),
    ) -> Result<Cleaned, StoreError> {
        let before = plan.before.as_micros();
        if plan.dry_run {
            let runs: i64 = on!(read self, COUNT_OLD_RUNS, |text, conn| sqlx::query_scalar(text).bind(before).fetch_one(conn).await?);
            let events: i64 = on!(read self, COUNT_OLD_EVENTS, |text, conn| {
                sqlx::query_scalar(text).bind(before).fetch_one(conn).await?
            });
            return Ok(Cleaned { runs: runs.unsigned_abs(), events: events.unsigned_abs() });
        }
        let mut cleaned = Cleaned::default();
        loop {
            let mut tx = self.begin().await?;
            let old: Vec<(i64, String, String)> = on!(tx tx, OLD_RUNS, |text, conn| {
                sqlx::query_as(text).bind(before).bind(i64::from(plan.batch)).fetch_all(conn).await?
            });
            for (id, ..) in &old {
                cleaned.runs += on!(tx tx, DROP_RUN, |text, conn| {
                    sqlx::query(text).bind(id).execute(conn).await?.rows_affected()
                });
            }
            tx.commit().await?;
            let names: Vec<(String, String)> = old.into_iter().map(|(_, dag, run)| (dag, run)).collect();
            forgotten(&names);
            if names.len() < plan.batch as usize {
                break;
            }
        }
        loop {
            let mut tx = self.begin().await?;
            let dropped = on!(tx tx, DROP_EVENTS, |text, conn| {
                sqlx::query(text).bind(before).bind(i64::from(plan.batch)).execute(conn).await?.rows_affected()
            });
            tx.commit().await?;
            cleaned.events += dropped;
            if dropped < u64::from(plan.batch) {
                return Ok(cleaned);
            }
        }
    }
}
