//! What overviews show: the latest run of each DAG, and how large the database is.

use std::collections::BTreeMap;

use flow_core::{RunState, Timestamp};

use crate::{
    Store, StoreError,
    db::{Sql, on, statements},
    rows::word,
};

/// Rows of a table are counted up to this many.
pub const ROWS_COUNTED: u64 = 1_000_000;

/// How much there is of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub table: &'static str,
    /// At most [`ROWS_COUNTED`], which then means "so many or more".
    pub rows: u64,
}

statements! {
    both LATEST_STATES = "SELECT dag_id, state FROM (
            SELECT d.dag_id, (SELECT r.state FROM dag_run r WHERE r.dag_id = d.dag_id ORDER BY r.run_after DESC, r.id DESC LIMIT 1) AS state
            FROM dag d
        ) AS latest WHERE state IS NOT NULL";
    split BYTES = {
        sqlite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        postgres: "SELECT pg_database_size(current_database())"
    };
    split CLOCK = {
        sqlite: "SELECT CAST(NULL AS INTEGER)",
        postgres: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
    both DAGS = "SELECT COUNT(*) FROM (SELECT 1 FROM dag LIMIT $1) AS c";
    both VERSIONS = "SELECT COUNT(*) FROM (SELECT 1 FROM dag_version LIMIT $1) AS c";
    both RUNS = "SELECT COUNT(*) FROM (SELECT 1 FROM dag_run LIMIT $1) AS c";
    both TASK_INSTANCES = "SELECT COUNT(*) FROM (SELECT 1 FROM task_instance LIMIT $1) AS c";
    both ATTEMPTS = "SELECT COUNT(*) FROM (SELECT 1 FROM attempt LIMIT $1) AS c";
    both XCOMS = "SELECT COUNT(*) FROM (SELECT 1 FROM xcom LIMIT $1) AS c";
    both EVENTS = "SELECT COUNT(*) FROM (SELECT 1 FROM event LIMIT $1) AS c";
}

const TABLES: [(&str, Sql); 7] = [
    ("dag", DAGS),
    ("dag_version", VERSIONS),
    ("dag_run", RUNS),
    ("task_instance", TASK_INSTANCES),
    ("attempt", ATTEMPTS),
    ("xcom", XCOMS),
    ("event", EVENTS),
];

impl Store {
    /// Returns the state of the latest run of each DAG that has one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn latest_run_states(&self) -> Result<BTreeMap<String, RunState>, StoreError> {
        let rows: Vec<(String, String)> =
            on!(read self, LATEST_STATES, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(dag_id, state)| {
                let state = word("dag_run", "state", &dag_id, &state)?;
                Ok((dag_id, state))
            })
            .collect()
    }

    /// Returns how many bytes the database has.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let bytes: i64 = on!(read self, BYTES, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?);
        Ok(bytes.unsigned_abs())
    }

    /// Returns what the clock of the database's host says; `None` when that is this host's.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let now: Option<i64> = on!(read self, CLOCK, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?);
        Ok(now.map(Timestamp::from_micros))
    }

    /// Counts the rows of the tables that grow, each up to [`ROWS_COUNTED`].
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn table_sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let most = i64::try_from(ROWS_COUNTED).unwrap_or(i64::MAX);
        let mut sizes = Vec::with_capacity(TABLES.len());
        for (table, count) in TABLES {
            let rows: i64 =
                on!(read self, count, |text, conn| sqlx::query_scalar(text).bind(most).fetch_one(conn).await?);
            sizes.push(TableSize { table, rows: rows.unsigned_abs() });
        }
        Ok(sizes)
    }
}
