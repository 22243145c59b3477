//! How the runs of a DAG ended, day by day.

use flow_core::Timestamp;

use crate::{
    Store, StoreError,
    db::{on, statements},
    rows::to_list,
};

/// How many runs of a day are in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// Which of the days, from 0.
    pub day: usize,
    pub success: u64,
    pub failed: u64,
    pub running: u64,
    pub queued: u64,
}

statements! {
    both CUT = "SELECT run_after FROM dag_run WHERE dag_id = $1 AND run_after >= $2 AND run_after < $3
        ORDER BY run_after DESC, id DESC LIMIT 1 OFFSET $4";
    // Each of these is counted in an index that holds all it takes, and is named in the words of the index: to read the state
    // of each run would cost many times as much.
    each BY_DAY = [
        "SELECT CAST(c.value ->> 0 AS BIGINT),
            (SELECT COUNT(*) FROM dag_run r WHERE r.dag_id = $2
                AND r.run_after >= CAST(c.value ->> 1 AS BIGINT) AND r.run_after < CAST(c.value ->> 2 AS BIGINT)),
            (SELECT COUNT(*) FROM dag_run r WHERE r.dag_id = $2 AND r.state = 'failed'
                AND r.run_after >= CAST(c.value ->> 1 AS BIGINT) AND r.run_after < CAST(c.value ->> 2 AS BIGINT)),
            (SELECT COUNT(*) FROM dag_run r WHERE r.dag_id = $2 AND r.state IN ('queued', 'running') AND r.state = 'running'
                AND r.run_after >= CAST(c.value ->> 1 AS BIGINT) AND r.run_after < CAST(c.value ->> 2 AS BIGINT)),
            (SELECT COUNT(*) FROM dag_run r WHERE r.dag_id = $2 AND r.state IN ('queued', 'running') AND r.state = 'queued'
                AND r.run_after >= CAST(c.value ->> 1 AS BIGINT) AND r.run_after < CAST(c.value ->> 2 AS BIGINT))
         FROM", ""
    ];
}

impl Store {
    /// Counts the newest runs of a DAG, about `most` at most, by the day on which they were due, and says whether they are
    /// all. A day goes from one of `bounds` to the next.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_runs_by_day(
        &self,
        dag_id: &str,
        bounds: &[Timestamp],
        most: u32,
    ) -> Result<(Vec<DayCount>, bool), StoreError> {
        let bounds: Vec<i64> = bounds.iter().map(|bound| bound.as_micros()).collect();
        let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else { return Ok((Vec::new(), true)) };
        let cut: Option<i64> = on!(read self, CUT, |text, conn| {
            sqlx::query_scalar(text)
                .bind(dag_id)
                .bind(first)
                .bind(last)
                .bind(i64::from(most))
                .fetch_optional(conn)
                .await?
        });
        let from = cut.map_or(*first, |cut| cut + 1);
        let days: Vec<(usize, i64, i64)> = bounds
            .windows(2)
            .enumerate()
            .map(|(at, day)| (at, day[0].max(from), day[1]))
            .filter(|(_, start, end)| start < end)
            .collect();
        let rows: Vec<(i64, i64, i64, i64, i64)> = on!(read self, BY_DAY, |text, conn| {
            sqlx::query_as(text).bind(to_list(&days)).bind(dag_id).fetch_all(conn).await?
        });
        let counted = |(day, all, failed, running, queued): (i64, i64, i64, i64, i64)| DayCount {
            day: usize::try_from(day).unwrap_or(0),
            success: (all - failed - running - queued).unsigned_abs(),
            failed: failed.unsigned_abs(),
            running: running.unsigned_abs(),
            queued: queued.unsigned_abs(),
        };
        Ok((rows.into_iter().filter(|row| row.1 > 0).map(counted).collect(), cut.is_none()))
    }
}
