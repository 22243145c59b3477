//! How much there is to do, at one moment: for gauges.
//!
//! Reads what is under way and what waits, by indexes that hold nothing else. What has ended is not looked at, however
//! much there is of it.

use crate::{
    Store, StoreError,
    db::{on, statements},
};

/// What is under way and what waits.
#[derive(Clone, Debug, Default)]
pub struct Load {
    pub tasks: Vec<TaskLoad>,
    /// (name, slots); -1 = no limit.
    pub pools: Vec<(String, i64)>,
    pub runs_queued: i64,
    pub runs_running: i64,
    /// DAGs that are in the folder.
    pub dags: i64,
    pub import_errors: i64,
    /// Callbacks that are still to be done.
    pub callbacks: i64,
}

/// Task instances of one task that are alike.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TaskLoad {
    /// `scheduled`, `queued` or `running`.
    pub state: String,
    pub queue: String,
    pub dag_id: String,
    pub task_id: String,
    pub pool: String,
    pub number: i64,
    /// Of all of them together.
    pub slots: i64,
}

statements! {
    // As in `dispatch`: SQLite would rather read the whole table in the order of its key.
    split UNFINISHED = {
        sqlite: "SELECT state, queue, dag_id, task_id, pool, COUNT(*) AS number, CAST(SUM(pool_slots) AS BIGINT) AS slots FROM (
                SELECT CASE WHEN worker IS NULL THEN 'queued' ELSE 'running' END AS state, queue, dag_id, task_id, pool, pool_slots
                FROM attempt INDEXED BY attempt_alive WHERE ended_at IS NULL
                UNION ALL
                SELECT state, queue, dag_id, task_id, pool, pool_slots
                FROM task_instance INDEXED BY task_instance_waiting WHERE state = 'scheduled'
            ) AS unfinished GROUP BY state, queue, dag_id, task_id, pool",
        postgres: "SELECT state, queue, dag_id, task_id, pool, COUNT(*) AS number, CAST(SUM(pool_slots) AS BIGINT) AS slots FROM (
                SELECT CASE WHEN worker IS NULL THEN 'queued' ELSE 'running' END AS state, queue, dag_id, task_id, pool, pool_slots
                FROM attempt WHERE ended_at IS NULL
                UNION ALL
                SELECT state, queue, dag_id, task_id, pool, pool_slots FROM task_instance WHERE state = 'scheduled'
            ) AS unfinished GROUP BY state, queue, dag_id, task_id, pool"
    };
    both POOLS = "SELECT name, slots FROM pool ORDER BY name";
    both ACTIVE_RUNS = "SELECT state, COUNT(*) FROM dag_run WHERE state IN ('queued', 'running') GROUP BY state";
    both DAGS = "SELECT COUNT(*) FROM dag WHERE NOT is_stale";
    both CALLBACKS = "SELECT COUNT(*) FROM callback WHERE state = 'pending'";
    both ERRORS = "SELECT COUNT(*) FROM import_error";
}

impl Store {
    /// Says how much there is to do.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn load(&self) -> Result<Load, StoreError> {
        let runs: Vec<(String, i64)> =
            on!(read self, ACTIVE_RUNS, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        let of = |state: &str| runs.iter().find(|(found, _)| found == state).map_or(0, |(_, number)| *number);
        Ok(Load {
            tasks: on!(read self, UNFINISHED, |text, conn| sqlx::query_as(text).fetch_all(conn).await?),
            pools: on!(read self, POOLS, |text, conn| sqlx::query_as(text).fetch_all(conn).await?),
            runs_queued: of("queued"),
            runs_running: of("running"),
            dags: on!(read self, DAGS, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?),
            callbacks: on!(read self, CALLBACKS, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?),
            import_errors: on!(read self, ERRORS, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?),
        })
    }
}
