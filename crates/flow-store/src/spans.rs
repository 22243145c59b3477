//! What traces say of runs and tries that have ended.

use flow_core::{DagId, Outcome, RunId, RunKey, RunState, RunType, Timestamp};

use crate::{
    AttemptKey, Store, StoreError,
    db::{on, statements},
    rows::{count, json, moment, to_list, word},
};

/// A try that a worker had taken, and that is over.
#[derive(Clone, Debug)]
pub struct EndedTry {
    pub key: AttemptKey,
    pub dag_id: String,
    pub run_id: String,
    /// How often its run has been cleared.
    pub clear_number: u32,
    /// Empty when its task instance is gone.
    pub operator: String,
    pub pool: String,
    pub queue: String,
    pub worker: Option<String>,
    pub hostname: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: Outcome,
    /// A worker had taken the try before this one, too.
    pub is_retry: bool,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct EndedRun {
    pub key: RunKey,
    pub dag_id: DagId,
    pub run_id: RunId,
    pub run_type: RunType,
    pub state: RunState,
    pub logical_date: Option<Timestamp>,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// How often it has been cleared.
    pub clear_number: u32,
    pub triggered_by: String,
    /// The span that asked for it: the text of a `traceparent` header.
    pub caller: Option<String>,
    /// The number of its DAG's version.
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct RawTry {
    run: i64,
    task_id: String,
    map_index: i64,
    try_number: i64,
    dag_id: String,
    run_id: String,
    clear_number: i64,
    operator: Option<String>,
    pool: String,
    queue: String,
    worker: Option<String>,
    hostname: Option<String>,
    started_at: i64,
    ended_at: i64,
    outcome: String,
    before: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RawRun {
    id: i64,
    dag_id: String,
    run_id: String,
    run_type: String,
    state: String,
    logical_date: Option<i64>,
    started_at: i64,
    ended_at: i64,
    clear_number: i64,
    triggered_by: String,
    caller: Option<String>,
    number: i64,
}

statements! {
    each TRIES = [
        "SELECT a.run, a.task_id, a.map_index, a.try_number, a.dag_id, r.run_id, r.clear_number, t.operator, a.pool, a.queue,
            a.worker, a.hostname, a.started_at, a.ended_at, a.outcome, p.started_at AS before
         FROM",
        "JOIN attempt a ON a.run = CAST(c.value ->> 0 AS BIGINT) AND a.task_id = c.value ->> 1
            AND a.map_index = CAST(c.value ->> 2 AS BIGINT) AND a.try_number = CAST(c.value ->> 3 AS BIGINT)
         JOIN dag_run r ON r.id = a.run
         LEFT JOIN task_instance t ON t.run = a.run AND t.task_id = a.task_id AND t.map_index = a.map_index
         LEFT JOIN attempt p ON p.run = a.run AND p.task_id = a.task_id AND p.map_index = a.map_index
            AND p.try_number = a.try_number - 1
         WHERE a.started_at IS NOT NULL AND a.outcome IS NOT NULL"
    ];
    each RUNS = [
        "SELECT r.id, r.dag_id, r.run_id, r.run_type, r.state, r.logical_date, r.started_at, r.ended_at, r.clear_number,
            r.triggered_by, r.caller, v.number
         FROM",
        "JOIN dag_run r ON r.id = CAST(c.value AS BIGINT) JOIN dag_version v ON v.id = r.version_id
         WHERE r.started_at IS NOT NULL AND r.state IN ('success', 'failed')"
    ];
    split BORN = {
        sqlite: "SELECT CAST(strftime('%s', installed_on) AS INTEGER) FROM _sqlx_migrations WHERE version = 1",
        postgres: "SELECT CAST(EXTRACT(EPOCH FROM installed_on) * 1000000 AS BIGINT) FROM _sqlx_migrations WHERE version = 1"
    };
}

impl Store {
    /// Returns what tells this database from others: the moment when it was made.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn born(&self) -> Result<i64, StoreError> {
        Ok(on!(read self, BORN, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?))
    }

    /// Returns tries that have ended, of those that are named; those that are gone are left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn ended_tries(&self, keys: &[AttemptKey]) -> Result<Vec<EndedTry>, StoreError> {
        let keys: Vec<_> = keys.iter().map(|key| (key.run, &key.task_id, key.map_index, key.try_number)).collect();
        let raw: Vec<RawTry> =
            on!(read self, TRIES, |text, conn| sqlx::query_as(text).bind(to_list(&keys)).fetch_all(conn).await?);
        raw.into_iter()
            .map(|raw| {
                let outcome = json("attempt", "outcome", format!("{}/{}", raw.run, raw.task_id), &raw.outcome)?;
                Ok(EndedTry {
                    key: crate::attempts::key_of((raw.run, raw.task_id, raw.map_index, raw.try_number)),
                    dag_id: raw.dag_id,
                    run_id: raw.run_id,
                    clear_number: count(raw.clear_number),
                    operator: raw.operator.unwrap_or_default(),
                    pool: raw.pool,
                    queue: raw.queue,
                    worker: raw.worker,
                    hostname: raw.hostname,
                    started_at: Timestamp::from_micros(raw.started_at),
                    ended_at: Timestamp::from_micros(raw.ended_at),
                    outcome,
                    is_retry: raw.before.is_some(),
                })
            })
            .collect()
    }

    /// Returns runs that have ended, of those that are named; those that are gone or go on are left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn ended_runs(&self, keys: &[RunKey]) -> Result<Vec<EndedRun>, StoreError> {
        let raw: Vec<RawRun> =
            on!(read self, RUNS, |text, conn| sqlx::query_as(text).bind(to_list(&keys)).fetch_all(conn).await?);
        raw.into_iter()
            .map(|raw| {
                let name = format!("{}/{}", raw.dag_id, raw.run_id);
                Ok(EndedRun {
                    key: RunKey(raw.id),
                    run_type: word("dag_run", "run_type", &name, &raw.run_type)?,
                    state: word("dag_run", "state", &name, &raw.state)?,
                    logical_date: moment(raw.logical_date),
                    started_at: Timestamp::from_micros(raw.started_at),
                    ended_at: Timestamp::from_micros(raw.ended_at),
                    clear_number: count(raw.clear_number),
                    triggered_by: raw.triggered_by,
                    caller: raw.caller,
                    version: raw.number,
                    dag_id: DagId::from(raw.dag_id),
                    run_id: RunId::from(raw.run_id),
                })
            })
            .collect()
    }
}
