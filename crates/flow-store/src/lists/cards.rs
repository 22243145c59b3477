//! What the list of DAGs shows of their runs: the last ones of each, and where the tasks of the newest stand.
//!
//! One statement each for all DAGs of a page.

use std::collections::{BTreeMap, HashSet};

use flow_core::{RunKey, RunState, RunType, TaskState, Timestamp};

use crate::{
    Store, StoreError,
    db::{on, statements},
    rows::{count, list_of, moment, to_list, word},
};

/// A run in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunBrief {
    pub key: RunKey,
    pub run_id: String,
    pub state: RunState,
    pub run_type: RunType,
    pub run_after: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

statements! {
    // Without LATERAL, Postgres would rather read all runs.
    split RECENT = {
        sqlite: "SELECT r.dag_id, r.id, r.run_id, r.state, r.run_type, r.run_after, r.started_at, r.ended_at
            FROM json_each($1) AS c CROSS JOIN dag_run r WHERE r.id IN (
                SELECT l.id FROM dag_run l WHERE l.dag_id = c.value ->> 0 ORDER BY l.run_after DESC, l.id DESC LIMIT $2)",
        postgres: "SELECT r.dag_id, r.id, r.run_id, r.state, r.run_type, r.run_after, r.started_at, r.ended_at
            FROM jsonb_array_elements($1::jsonb) AS c (value) CROSS JOIN LATERAL (
                SELECT l.dag_id, l.id, l.run_id, l.state, l.run_type, l.run_after, l.started_at, l.ended_at FROM dag_run l
                WHERE l.dag_id = c.value ->> 0 ORDER BY l.run_after DESC, l.id DESC LIMIT $2) AS r"
    };
    each TASK_STATES = [
        "SELECT t.run, t.state, COUNT(*) FROM",
        "CROSS JOIN task_instance t WHERE t.run = CAST(c.value AS BIGINT) GROUP BY t.run, t.state"
    ];
    each FAVORITES = ["SELECT f.dag_id FROM favorite f WHERE f.who = $2 AND f.dag_id IN (SELECT c.value ->> 0 FROM", ")"];
}

impl Store {
    /// Returns the last runs of DAGs, at most `most` of each, the newest last; a DAG without any is left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn recent_runs(&self, dags: &[&str], most: u32) -> Result<BTreeMap<String, Vec<RunBrief>>, StoreError> {
        type Row = (String, i64, String, String, String, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = on!(read self, RECENT, |text, conn| {
            sqlx::query_as(text).bind(list_of(dags)).bind(i64::from(most)).fetch_all(conn).await?
        });
        let mut found: BTreeMap<String, Vec<RunBrief>> = BTreeMap::new();
        for (dag_id, id, run_id, state, run_type, run_after, started_at, ended_at) in rows {
            let run = RunBrief {
                key: RunKey(id),
                state: word("dag_run", "state", &run_id, &state)?,
                run_type: word("dag_run", "run_type", &run_id, &run_type)?,
                run_after: Timestamp::from_micros(run_after),
                started_at: moment(started_at),
                ended_at: moment(ended_at),
                run_id,
            };
            found.entry(dag_id).or_default().push(run);
        }
        for runs in found.values_mut() {
            runs.sort_unstable_by_key(|run| (run.run_after, run.key));
        }
        Ok(found)
    }

    /// Counts the task instances of runs by state.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_tasks(&self, runs: &[RunKey]) -> Result<BTreeMap<RunKey, BTreeMap<TaskState, u32>>, StoreError> {
        let rows: Vec<(i64, String, i64)> =
            on!(read self, TASK_STATES, |text, conn| sqlx::query_as(text).bind(to_list(&runs)).fetch_all(conn).await?);
        let mut found: BTreeMap<RunKey, BTreeMap<TaskState, u32>> = BTreeMap::new();
        for (run, state, number) in rows {
            let state = word("task_instance", "state", run, &state)?;
            found.entry(RunKey(run)).or_default().insert(state, count(number));
        }
        Ok(found)
    }

    /// Returns those of these DAGs that are favourites of a user.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn favorites(&self, who: &str, dags: &[&str]) -> Result<HashSet<String>, StoreError> {
        let found: Vec<String> = on!(read self, FAVORITES, |text, conn| {
            sqlx::query_scalar(text).bind(list_of(dags)).bind(who).fetch_all(conn).await?
        });
        Ok(found.into_iter().collect())
    }
}
