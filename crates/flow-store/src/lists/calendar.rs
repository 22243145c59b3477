//! How the runs of a DAG ended, day by day.

use flow_core::{RunState, Timestamp};

use crate::{
    Store, StoreError,
    db::{on, statements},
    rows::{to_list, word},
};

/// How many runs of a day are in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// Which of the days, from 0.
    pub day: usize,
    pub state: RunState,
    pub runs: u64,
}

statements! {
    both CUT = "SELECT run_after FROM dag_run WHERE dag_id = $1 AND run_after >= $2 AND run_after < $3
        ORDER BY run_after DESC, id DESC LIMIT 1 OFFSET $4";
    // A step into the index for each day. Without LATERAL, Postgres may go through all runs, and through all days for each.
    split BY_DAY = {
        sqlite: "SELECT CAST(c.value ->> 0 AS BIGINT), r.state, COUNT(*)
            FROM json_each($1) AS c CROSS JOIN dag_run r WHERE r.dag_id = $2 AND r.run_after >= CAST(c.value ->> 1 AS BIGINT)
                AND r.run_after < CAST(c.value ->> 2 AS BIGINT) GROUP BY 1, 2",
        postgres: "SELECT CAST(c.value ->> 0 AS BIGINT), r.state, r.runs
            FROM jsonb_array_elements($1::jsonb) AS c (value) CROSS JOIN LATERAL (
                SELECT l.state, COUNT(*) AS runs FROM dag_run l WHERE l.dag_id = $2 AND l.run_after >= CAST(c.value ->> 1 AS BIGINT)
                    AND l.run_after < CAST(c.value ->> 2 AS BIGINT) GROUP BY l.state) AS r"
    };
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
        let rows: Vec<(i64, String, i64)> = on!(read self, BY_DAY, |text, conn| {
            sqlx::query_as(text).bind(to_list(&days)).bind(dag_id).fetch_all(conn).await?
        });
        let counted = |(day, state, runs): (i64, String, i64)| {
            let state = word("dag_run", "state", dag_id, &state)?;
            Ok(DayCount { day: usize::try_from(day).unwrap_or(0), state, runs: runs.unsigned_abs() })
        };
        Ok((rows.into_iter().map(counted).collect::<Result<_, StoreError>>()?, cut.is_none()))
    }
}
