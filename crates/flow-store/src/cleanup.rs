//! Forgetting old history, in bounded steps.

use flow_core::Timestamp;

use crate::{
    Store, StoreError,
    db::{Sql, on, statements},
    rows::to_list,
};

/// What to forget.
#[derive(Clone, Debug)]
pub struct CleanupPlan {
    /// Runs that ended before this moment, events before it, and versions of DAGs that are older and that nothing uses.
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
    /// Versions of DAGs; texts that no version has go with them.
    pub versions: u64,
}

/// One step of forgetting.
#[derive(Clone, Copy, Debug)]
pub enum CleanupStep<'a> {
    /// These (DAG, run) ids are gone; their logs are the caller's.
    Runs(&'a [(String, String)]),
    /// So many more events are gone.
    Events(u64),
    /// So many more versions of DAGs are gone.
    Versions(u64),
}

statements! {
    both OLD_RUNS = "SELECT id, dag_id, run_id FROM dag_run WHERE ended_at < $1 ORDER BY ended_at LIMIT $2";
    both OLD_RUNS_OF_DAG = "SELECT id, dag_id, run_id FROM dag_run WHERE dag_id = $3 AND ended_at < $1 ORDER BY ended_at LIMIT $2";
    both COUNT_OLD_RUNS = "SELECT COUNT(*) FROM dag_run WHERE ended_at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    both COUNT_OLD_EVENTS = "SELECT COUNT(*) FROM event WHERE at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    both DROP_RUN = "DELETE FROM dag_run WHERE id = $1 AND ended_at IS NOT NULL";
    both DROP_WAKES = "DELETE FROM wake WHERE run = $1";
    both OLD_EVENTS = "SELECT MIN(id), MAX(id) FROM event WHERE at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
    // As it will be when the old runs are gone.
    both COUNT_OLD_VERSIONS = "SELECT COUNT(*) FROM dag_version
        WHERE created_at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_version.dag_id = $2)
            AND NOT EXISTS (SELECT 1 FROM dag WHERE dag.version_id = dag_version.id)
            AND NOT EXISTS (SELECT 1 FROM dag_run
                WHERE dag_run.version_id = dag_version.id AND (dag_run.ended_at IS NULL OR dag_run.ended_at >= $1))";
    both VERSIONS = "SELECT (SELECT MIN(id) FROM dag_version), (SELECT MAX(id) FROM dag_version)";
    both DROP_VERSIONS = "DELETE FROM dag_version
        WHERE id >= $3 AND id < $4 AND created_at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_version.dag_id = $2)
            AND NOT EXISTS (SELECT 1 FROM dag WHERE dag.version_id = dag_version.id)
            AND NOT EXISTS (SELECT 1 FROM dag_run WHERE dag_run.version_id = dag_version.id)";
    // Locked, and looked at by the next statement: a file that is being saved may be about to refer to one.
    split SOURCES = {
        sqlite: "SELECT hash FROM dag_source WHERE hash > $1 ORDER BY hash LIMIT $2",
        postgres: "SELECT hash FROM dag_source WHERE hash > $1 ORDER BY hash LIMIT $2 FOR UPDATE SKIP LOCKED"
    };
    each DROP_SOURCES = [
        "DELETE FROM dag_source WHERE hash IN (SELECT c.value ->> 0 FROM",
        ") AND NOT EXISTS (SELECT 1 FROM dag_version WHERE dag_version.source_hash = dag_source.hash)"
    ];
    both DROP_EVENTS = "DELETE FROM event WHERE id >= $3 AND id < $4 AND at < $1 AND (CAST($2 AS TEXT) IS NULL OR dag_id = $2)";
}

impl Store {
    /// Forgets old runs with everything that belongs to them, old events, and versions that nothing uses any more; other
    /// work goes on between the steps.
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
            let versions: i64 = on!(read self, COUNT_OLD_VERSIONS, |text, conn| {
                sqlx::query_scalar(text).bind(before).bind(dag_id).fetch_one(conn).await?
            });
            return Ok(Cleaned {
                runs: runs.unsigned_abs(),
                events: events.unsigned_abs(),
                versions: versions.unsigned_abs(),
            });
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
        for (from, until) in windows(range, plan.batch) {
            let dropped = self.drop_window(DROP_EVENTS, plan, from, until).await?;
            cleaned.events += dropped;
            forgotten(CleanupStep::Events(dropped));
        }
        let range: (Option<i64>, Option<i64>) =
            on!(read self, VERSIONS, |text, conn| sqlx::query_as(text).fetch_one(conn).await?);
        for (from, until) in windows(range, plan.batch) {
            let dropped = self.drop_window(DROP_VERSIONS, plan, from, until).await?;
            cleaned.versions += dropped;
            forgotten(CleanupStep::Versions(dropped));
        }
        self.drop_sources(plan.batch).await?;
        Ok(cleaned)
    }

    /// Drops what is old and has a number from `from` to before `until`. Returns how much that was.
    async fn drop_window(&self, statement: Sql, plan: &CleanupPlan, from: i64, until: i64) -> Result<u64, StoreError> {
        let (before, dag_id) = (plan.before.as_micros(), plan.dag_id.as_deref());
        let mut tx = self.begin().await?;
        let dropped = on!(tx tx, statement, |text, conn| {
            sqlx::query(text).bind(before).bind(dag_id).bind(from).bind(until).execute(conn).await?.rows_affected()
        });
        tx.commit().await?;
        Ok(dropped)
    }

    /// Drops the texts that no version has, whatever their age: a comment that was changed leaves one behind.
    async fn drop_sources(&self, batch: u32) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let mut tx = self.begin().await?;
            let page: Vec<String> = on!(tx tx, SOURCES, |text, conn| {
                sqlx::query_scalar(text).bind(&after).bind(i64::from(batch.max(1))).fetch_all(conn).await?
            });
            let Some(last) = page.last() else { return tx.rollback().await };
            let hashes: Vec<[&str; 1]> = page.iter().map(|hash| [hash.as_str()]).collect();
            on!(tx tx, DROP_SOURCES, |text, conn| {
                sqlx::query(text).bind(to_list(&hashes)).execute(conn).await?;
            });
            tx.commit().await?;
            after.clone_from(last);
        }
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

/// Cuts what lies between the first and the last number into windows: what stays in between is passed over only once.
fn windows(range: (Option<i64>, Option<i64>), batch: u32) -> impl Iterator<Item = (i64, i64)> {
    let window = i64::from(batch.max(1));
    let (first, last) = range.0.zip(range.1).unwrap_or((0, -1));
    std::iter::successors(Some(first), move |from| from.checked_add(window))
        .take_while(move |from| *from <= last)
        .map(move |from| (from, from.saturating_add(window)))
}
