//! Forgetting old history, in bounded steps.

use flow_core::Timestamp;

use crate::{
    Store, StoreError,
    db::{on, statements},
};

/// What to forget.
#[derive(Clone, Debug)]
pub struct CleanupPlan {
    /// Runs that ended before this moment, and events before it.
    pub before: Timestamp,
    /// Only those of this DAG.
    pub dag_id: Option<String>,
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

/// One step of forgetting.
#[derive(Clone, Copy, Debug)]
pub enum CleanupStep<'a> {
    /// These (DAG, run) ids are gone; their logs are the caller's.
    Runs(&'a [(String, String)]),
    /// So many more events are gone.
    Events(u64),
}

statements! {
    both OLD_RUNS = "SELECT id, dag_id, run_id FROM dag_run WHERE ended_at < $1 ORDER BY ended_at LIMIT $2";
    both OLD_RUNS_OF_DAG = "SELECT id, dag_id, run_id FROM dag_run WHERE dag_id = $3 AND ended_at < $1 ORDER BY ended_at LIMIT $2";
    both COUNT_OLD_RUNS = "SELECT COUNT(*) FROM dag_run WHERE ended_at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    both COUNT_OLD_EVENTS = "SELECT COUNT(*) FROM event WHERE at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    both DROP_RUN = "DELETE FROM dag_run WHERE id = $1 AND ended_at IS NOT NULL";
    both DROP_WAKES = "DELETE FROM wake WHERE run = $1";
    both OLD_EVENTS = "SELECT MIN(id), MAX(id) FROM event WHERE at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    both DROP_EVENTS = "DELETE FROM event WHERE id >= $3 AND id < $4 AND at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
}

impl Store {
    /// Forgets old runs with everything that belongs to them, and old events; other work goes on between the steps.
    /// `forgotten` is told of each step.
    ///
    /// # Errors
    ///
    /// When the database does; what was forgotten until then stays forgotten.
    pub async fn clean(
        &self,
        plan: &CleanupPlan,
        mut forgotten: impl FnMut(CleanupStep<'_>),
    ) -> Result<Cleaned, StoreError> {
        let (before, dag_id) = (plan.before.as_micros(), plan.dag_id.as_deref());
        if plan.dry_run {
            let runs: i64 = on!(read self, COUNT_OLD_RUNS, |text, conn| {
                sqlx::query_scalar(text).bind(before).bind(dag_id).fetch_one(conn).await?
            });
            let events: i64 = on!(read self, COUNT_OLD_EVENTS, |text, conn| {
                sqlx::query_scalar(text).bind(before).bind(dag_id).fetch_one(conn).await?
            });
            return Ok(Cleaned { runs: runs.unsigned_abs(), events: events.unsigned_abs() });
        }
        let mut cleaned = Cleaned::default();
        loop {
            let (dropped, tried) = self.drop_old_runs(plan).await?;
            cleaned.runs += dropped.len() as u64;
            forgotten(CleanupStep::Runs(&dropped));
            // A run that could not be dropped would be found again and again.
            if tried < plan.batch as usize || dropped.is_empty() {
                break;
            }
        }
        let range: (Option<i64>, Option<i64>) = on!(read self, OLD_EVENTS, |text, conn| {
            sqlx::query_as(text).bind(before).bind(dag_id).fetch_one(conn).await?
        });
        let (Some(first), Some(last)) = range else { return Ok(cleaned) };
        // By windows of ids: the other events in between are passed over only once.
        let window = i64::from(plan.batch.max(1));
        let mut from = first;
        while from <= last {
            let until = from.saturating_add(window);
            let mut tx = self.begin().await?;
            let dropped = on!(tx tx, DROP_EVENTS, |text, conn| {
                sqlx::query(text).bind(before).bind(dag_id).bind(from).bind(until).execute(conn).await?.rows_affected()
            });
            tx.commit().await?;
            cleaned.events += dropped;
            forgotten(CleanupStep::Events(dropped));
            from = until;
        }
        Ok(cleaned)
    }

    /// Drops one batch of runs. Returns the names of those that are gone, and how many were tried.
    async fn drop_old_runs(&self, plan: &CleanupPlan) -> Result<(Vec<(String, String)>, usize), StoreError> {
        let (before, limit) = (plan.before.as_micros(), i64::from(plan.batch));
        let mut tx = self.begin().await?;
        let old: Vec<(i64, String, String)> = match &plan.dag_id {
            None => on!(tx tx, OLD_RUNS, |text, conn| {
                sqlx::query_as(text).bind(before).bind(limit).fetch_all(conn).await?
            }),
            Some(dag_id) => on!(tx tx, OLD_RUNS_OF_DAG, |text, conn| {
                sqlx::query_as(text).bind(before).bind(limit).bind(dag_id).fetch_all(conn).await?
            }),
        };
        let tried = old.len();
        let mut dropped = Vec::with_capacity(tried);
        for (id, dag, run) in old {
            let gone = on!(tx tx, DROP_RUN, |text, conn| {
                sqlx::query(text).bind(id).execute(conn).await?.rows_affected()
            });
            // A run that was cleared meanwhile stays, with its logs and the request to look at it.
            if gone > 0 {
                on!(tx tx, DROP_WAKES, |text, conn| { sqlx::query(text).bind(id).execute(conn).await?; });
                dropped.push((dag, run));
            }
        }
        tx.commit().await?;
        Ok((dropped, tried))
    }
}
