//! Looks: which DAGs and runs are due, and taking them for this process.

use flow_core::{RunKey, Timestamp};

use crate::{
    Store, StoreError, Tx,
    dags::{DagRow, RawDag},
    db::{on, statements},
    rows::{moment, to_list},
};

/// A DAG that is this transaction's own until it ends, with what is to be looked at.
#[derive(Clone, Debug)]
pub struct DueDag {
    pub dag: DagRow,
    /// Runs that someone asked to be looked at.
    pub runs: Vec<RunKey>,
    /// Its timetable should be asked.
    pub ask_timetable: bool,
}

/// When there is something to look at next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextDue {
    pub at: Option<Timestamp>,
}

statements! {
    each WAKE = [
        "INSERT INTO wake (dag_id, run, due) SELECT c.value ->> 0, CAST(c.value ->> 1 AS BIGINT), CAST(c.value ->> 2 AS BIGINT) FROM",
        "WHERE TRUE"
    ];
    both DUE = "SELECT dag_id FROM (
            SELECT dag_id, due FROM (SELECT dag_id, due FROM wake WHERE due <= $1 ORDER BY due LIMIT $3) AS woken
            UNION ALL
            SELECT dag_id, due FROM (SELECT dag_id, due_at AS due FROM dag WHERE due_at <= $1 ORDER BY due_at LIMIT $3) AS planned
        ) AS candidate
        GROUP BY dag_id ORDER BY MIN(due), dag_id LIMIT $2";
    split LOCK = {
        sqlite: "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
                is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
            FROM dag WHERE dag_id IN (SELECT c.value ->> 0 FROM json_each($1) AS c) ORDER BY dag_id",
        postgres: "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
                is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
            FROM dag WHERE dag_id IN (SELECT c.value ->> 0 FROM jsonb_array_elements($1::jsonb) AS c (value))
            ORDER BY dag_id FOR UPDATE SKIP LOCKED"
    };
    split LOCK_ONE = {
        sqlite: "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
                is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
            FROM dag WHERE dag_id = $1",
        postgres: "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
                is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
            FROM dag WHERE dag_id = $1 FOR UPDATE"
    };
    // Postgres takes a list of its own making for long, and would rather read the whole table; an array it looks up.
    split TAKE = {
        sqlite: "DELETE FROM wake WHERE id IN (
                SELECT w.id FROM wake w WHERE w.due <= $2 AND w.dag_id IN (SELECT c.value ->> 0 FROM json_each($1) AS c)
                ORDER BY w.due, w.id LIMIT $3)
            RETURNING dag_id, run",
        postgres: "DELETE FROM wake WHERE id = ANY (ARRAY(
                SELECT w.id FROM wake w
                WHERE w.due <= $2 AND w.dag_id IN (SELECT c.value ->> 0 FROM jsonb_array_elements($1::jsonb) AS c (value))
                ORDER BY w.due, w.id LIMIT $3))
            RETURNING dag_id, run"
    };
    split TAKE_LATER = {
        sqlite: "DELETE FROM wake WHERE run IN (SELECT CAST(c.value AS BIGINT) FROM json_each($1) AS c)",
        postgres: "DELETE FROM wake
            WHERE run = ANY (ARRAY(SELECT CAST(c.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS c (value)))"
    };
    both NEXT = "SELECT MIN(due) FROM (SELECT MIN(due) AS due FROM wake UNION ALL SELECT MIN(due_at) AS due FROM dag WHERE due_at IS NOT NULL) AS next";
    both WAKE_ACTIVE = "INSERT INTO wake (dag_id, run, due) SELECT dag_id, id, $2 FROM dag_run WHERE dag_id = $1 AND state IN ('queued', 'running')";
    both WAKE_ALL_ACTIVE = "INSERT INTO wake (dag_id, run, due) SELECT dag_id, id, $1 FROM dag_run WHERE state IN ('queued', 'running')";
}

/// Dates a request for a look at once: so far back that the clocks of two hosts, or one that was set back, do not put
/// it off. All of them are dated back alike, so that they stay in order.
pub(crate) fn at_once(now: Timestamp) -> Timestamp {
    now - CLOCKS_DIFFER
}

const CLOCKS_DIFFER: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// How many wakes are read to find the DAGs that are due; more are found at the next look.
const CANDIDATES: i64 = 2_000;

impl Tx {
    /// Takes DAGs that are due, and the runs of theirs that someone asked to be looked at: the rows of these
    /// DAGs are locked, and the requests are gone when this transaction commits. Facts that arrive meanwhile
    /// make requests of their own. DAGs that another process holds are left to it.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn take_due(&mut self, now: Timestamp, dags: u32, runs: u32) -> Result<Vec<DueDag>, StoreError> {
        let ids: Vec<String> = on!(tx self, DUE, |text, conn| {
            sqlx::query_scalar(text)
                .bind(now.as_micros())
                .bind(i64::from(dags))
                .bind(CANDIDATES)
                .fetch_all(conn)
                .await?
        });
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
        let locked: Vec<RawDag> =
            on!(tx self, LOCK, |text, conn| sqlx::query_as(text).bind(to_list(&list)).fetch_all(conn).await?);
        if locked.is_empty() {
            // Others hold them.
            return Ok(Vec::new());
        }
        let mut due: Vec<DueDag> = locked
            .into_iter()
            .map(|raw| {
                let dag = DagRow::try_from(raw)?;
                let ask_timetable = dag.due_at.is_some_and(|due| due <= now);
                Ok(DueDag { dag, runs: Vec::new(), ask_timetable })
            })
            .collect::<Result<_, StoreError>>()?;
        let held: Vec<[&str; 1]> = due.iter().map(|due| [due.dag.dag_id.as_str()]).collect();
        let taken: Vec<(String, i64)> = on!(tx self, TAKE, |text, conn| {
            sqlx::query_as(text)
                .bind(to_list(&held))
                .bind(now.as_micros())
                .bind(i64::from(runs))
                .fetch_all(conn)
                .await?
        });
        let mut keys: Vec<i64> = taken.iter().map(|(_, run)| *run).collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            on!(tx self, TAKE_LATER, |text, conn| {
                sqlx::query(text).bind(to_list(&keys)).execute(conn).await?;
            });
        }
        for (dag_id, run) in taken {
            if let Ok(at) = due.binary_search_by(|due| due.dag.dag_id.as_str().cmp(&dag_id)) {
                due[at].runs.push(RunKey(run));
            }
        }
        for due in &mut due {
            due.runs.sort_unstable();
            due.runs.dedup();
        }
        Ok(due)
    }

    /// Takes one DAG for this transaction, waiting for whoever holds it.
    ///
    /// # Errors
    ///
    /// When the database does, or there is no such DAG.
    pub async fn lock_dag(&mut self, dag_id: &str) -> Result<DagRow, StoreError> {
        let raw: Option<RawDag> =
            on!(tx self, LOCK_ONE, |text, conn| sqlx::query_as(text).bind(dag_id).fetch_optional(conn).await?);
        raw.ok_or_else(|| StoreError::no_such("dag", dag_id))?.try_into()
    }

    /// Asks for a look at every queued and running run of a DAG.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn wake_active_runs(&mut self, dag_id: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, WAKE_ACTIVE, |text, conn| {
            sqlx::query(text).bind(dag_id).bind(at_once(now).as_micros()).execute(conn).await?;
        });
        self.announce(crate::Signal::Look).await
    }

    /// Asks for a look at every queued and running run there is: what a scheduler does when it starts.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn wake_everything(&mut self, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, WAKE_ALL_ACTIVE, |text, conn| {
            sqlx::query(text).bind(at_once(now).as_micros()).execute(conn).await?;
        });
        self.announce(crate::Signal::Look).await
    }
}

impl Store {
    /// Returns when something is due next; in the past when it is due already.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn next_due(&self) -> Result<NextDue, StoreError> {
        let at: Option<i64> = on!(read self, NEXT, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?);
        Ok(NextDue { at: moment(at) })
    }
}
