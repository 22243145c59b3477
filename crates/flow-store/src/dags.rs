//! DAGs: what the lists show, and the versions that runs are pinned to.

use flow_core::{Timestamp, engine::NewRun};
use serde_json::{Value, json};

use crate::{
    Event, Store, StoreError, Tx,
    db::{on, statements},
    rows::{count, json, micros, moment, to_list},
};

/// A DAG as the lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DagRow {
    pub dag_id: String,
    /// The version that new runs get.
    pub version_id: i64,
    /// Relative to the DAG folder.
    pub file: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub owners: String,
    pub tags: Vec<String>,
    /// In words.
    pub schedule: String,
    pub max_active_runs: u32,
    pub is_paused: bool,
    /// Its file is gone, or holds it no more.
    pub is_stale: bool,
    pub is_blocked: bool,
    /// First seen, or last unpaused.
    pub enabled_at: Timestamp,
    /// When the timetable is asked next.
    pub due_at: Option<Timestamp>,
    pub next_logical_date: Option<Timestamp>,
    pub next_interval_start: Option<Timestamp>,
    pub next_interval_end: Option<Timestamp>,
    pub next_run_after: Option<Timestamp>,
    pub parsed_at: Timestamp,
}

/// A version of a DAG: enough to read it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub id: i64,
    pub dag_id: String,
    /// From 1.
    pub number: i64,
    pub hash: String,
    pub file: String,
    /// Position of the document in the file.
    pub document: usize,
    pub text: String,
    pub files: std::collections::BTreeMap<String, Result<String, String>>,
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
pub(crate) struct RawDag {
    dag_id: String,
    version_id: i64,
    file: String,
    display_name: Option<String>,
    description: Option<String>,
    owners: String,
    tags: String,
    schedule: String,
    max_active_runs: i64,
    is_paused: bool,
    is_stale: bool,
    is_blocked: bool,
    enabled_at: i64,
    due_at: Option<i64>,
    next_logical_date: Option<i64>,
    next_interval_start: Option<i64>,
    next_interval_end: Option<i64>,
    next_run_after: Option<i64>,
    parsed_at: i64,
}

impl TryFrom<RawDag> for DagRow {
    type Error = StoreError;

    fn try_from(raw: RawDag) -> Result<Self, StoreError> {
        Ok(Self {
            tags: json("dag", "tags", &raw.dag_id, &raw.tags)?,
            dag_id: raw.dag_id,
            version_id: raw.version_id,
            file: raw.file,
            display_name: raw.display_name,
            description: raw.description,
            owners: raw.owners,
            schedule: raw.schedule,
            max_active_runs: count(raw.max_active_runs),
            is_paused: raw.is_paused,
            is_stale: raw.is_stale,
            is_blocked: raw.is_blocked,
            enabled_at: Timestamp::from_micros(raw.enabled_at),
            due_at: moment(raw.due_at),
            next_logical_date: moment(raw.next_logical_date),
            next_interval_start: moment(raw.next_interval_start),
            next_interval_end: moment(raw.next_interval_end),
            next_run_after: moment(raw.next_run_after),
            parsed_at: Timestamp::from_micros(raw.parsed_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct RawVersion {
    id: i64,
    dag_id: String,
    number: i64,
    hash: String,
    file: String,
    document: i64,
    text: String,
    files: String,
    created_at: i64,
}

/// What is known of the next run of a DAG.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub dag_id: &'a str,
    /// When its timetable is asked again.
    pub due_at: Option<Timestamp>,
    /// A run is due, but must wait until one of those under way has ended.
    pub is_blocked: bool,
    pub next: Option<NewRun>,
}

impl<'a> Plan<'a> {
    /// Asks the timetable again then, and knows no more.
    pub fn later(dag_id: &'a str, due_at: Timestamp) -> Self {
        Self { dag_id, due_at: Some(due_at), is_blocked: false, next: None }
    }

    /// Returns it as `PLAN` takes it apart.
    fn row(&self) -> Value {
        let next = self.next.as_ref();
        let interval = next.and_then(|next| next.data_interval);
        json!([
            self.dag_id,
            micros(self.due_at),
            if self.is_blocked { "blocked" } else { "" },
            micros(next.and_then(|next| next.logical_date)),
            micros(interval.map(|interval| interval.start)),
            micros(interval.map(|interval| interval.end)),
            micros(next.map(|next| next.run_after)),
        ])
    }
}

statements! {
    both LIST = "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
            is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
        FROM dag ORDER BY dag_id";
    both GET = "SELECT dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs, is_paused, is_stale,
            is_blocked, enabled_at, due_at, next_logical_date, next_interval_start, next_interval_end, next_run_after, parsed_at
        FROM dag WHERE dag_id = $1";
    both VERSION = "SELECT v.id, v.dag_id, v.number, v.hash, v.file, v.document, s.text, s.files, v.created_at
        FROM dag_version v JOIN dag_source s ON s.hash = v.source_hash WHERE v.id = $1";
    each PLAN = [
        "UPDATE dag SET due_at = CAST(c.value ->> 1 AS BIGINT), is_blocked = c.value ->> 2 = 'blocked',
            next_logical_date = CAST(c.value ->> 3 AS BIGINT), next_interval_start = CAST(c.value ->> 4 AS BIGINT),
            next_interval_end = CAST(c.value ->> 5 AS BIGINT), next_run_after = CAST(c.value ->> 6 AS BIGINT)
         FROM",
        "WHERE dag.dag_id = c.value ->> 0 AND NOT dag.is_paused AND NOT dag.is_stale"
    ];
    both PAUSE = "UPDATE dag SET is_paused = TRUE, is_blocked = FALSE, due_at = NULL WHERE dag_id = $1 AND NOT is_paused";
    both UNPAUSE = "UPDATE dag SET is_paused = FALSE, is_blocked = FALSE, enabled_at = $2,
            due_at = CASE WHEN is_stale THEN NULL ELSE CAST($2 AS BIGINT) END
        WHERE dag_id = $1 AND is_paused";
    both COUNT_RUNS = "SELECT COUNT(*) FROM dag_run WHERE dag_id = $1 AND state IN ('queued', 'running')";
    both COUNT_ALIVE = "SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL AND dag_id = $1 AND worker IS NOT NULL";
    both DELETE_RUNS = "DELETE FROM dag_run WHERE id IN (SELECT id FROM dag_run WHERE dag_id = $1 LIMIT $2)";
    both DELETE_WAKES = "DELETE FROM wake WHERE dag_id = $1";
    both DELETE_DAG = "DELETE FROM dag WHERE dag_id = $1";
    both DELETE_VERSIONS = "DELETE FROM dag_version WHERE dag_id = $1";
    both DELETE_FAVORITES = "DELETE FROM favorite WHERE dag_id = $1";
    both IN_FILE = "SELECT dag_id FROM dag WHERE file = $1";
    both FORGET_FILE = "DELETE FROM dag_file WHERE path = $1";
}

impl Store {
    /// Returns every DAG by id, stale ones too.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn dags(&self) -> Result<Vec<DagRow>, StoreError> {
        let raw: Vec<RawDag> = on!(read self, LIST, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        raw.into_iter().map(DagRow::try_from).collect()
    }

    /// Returns a DAG.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn dag(&self, dag_id: &str) -> Result<Option<DagRow>, StoreError> {
        let raw: Option<RawDag> =
            on!(read self, GET, |text, conn| sqlx::query_as(text).bind(dag_id).fetch_optional(conn).await?);
        raw.map(DagRow::try_from).transpose()
    }

    /// Counts the runs of a DAG that are queued or running.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_active(&self, dag_id: &str) -> Result<u64, StoreError> {
        let active: i64 =
            on!(read self, COUNT_RUNS, |text, conn| sqlx::query_scalar(text).bind(dag_id).fetch_one(conn).await?);
        Ok(active.unsigned_abs())
    }

    /// Returns the DAGs of a file, stale ones too.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn dags_of_file(&self, file: &str) -> Result<Vec<String>, StoreError> {
        Ok(on!(read self, IN_FILE, |text, conn| sqlx::query_scalar(text).bind(file).fetch_all(conn).await?))
    }

    /// Returns a version with its source.
    ///
    /// # Errors
    ///
    /// When the database does, or there is no such version.
    pub async fn version(&self, id: i64) -> Result<VersionRow, StoreError> {
        let raw: Option<RawVersion> =
            on!(read self, VERSION, |text, conn| sqlx::query_as(text).bind(id).fetch_optional(conn).await?);
        version(raw.ok_or_else(|| StoreError::no_such("dag version", id))?)
    }
}

fn version(raw: RawVersion) -> Result<VersionRow, StoreError> {
    Ok(VersionRow {
        files: json("dag_source", "files", &raw.dag_id, &raw.files)?,
        id: raw.id,
        dag_id: raw.dag_id,
        number: raw.number,
        hash: raw.hash,
        file: raw.file,
        document: usize::try_from(raw.document).unwrap_or(0),
        text: raw.text,
        created_at: Timestamp::from_micros(raw.created_at),
    })
}

impl Tx {
    /// Returns a version with its source.
    ///
    /// # Errors
    ///
    /// When the database does, or there is no such version.
    pub async fn version(&mut self, id: i64) -> Result<VersionRow, StoreError> {
        let raw: Option<RawVersion> =
            on!(tx self, VERSION, |text, conn| sqlx::query_as(text).bind(id).fetch_optional(conn).await?);
        version(raw.ok_or_else(|| StoreError::no_such("dag version", id))?)
    }

    /// Writes down when the timetables of DAGs are to be asked next, and the runs they will then want.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn plan(&mut self, plans: &[Plan<'_>]) -> Result<(), StoreError> {
        if plans.is_empty() {
            return Ok(());
        }
        let list: Vec<Value> = plans.iter().map(Plan::row).collect();
        on!(tx self, PLAN, |text, conn| { sqlx::query(text).bind(to_list(&list)).execute(conn).await?; });
        Ok(())
    }

    /// Stops new runs of a DAG, and new tasks of its runs. Returns whether it was running.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pause_dag(
        &mut self,
        dag_id: &str,
        why: &str,
        who: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let touched =
            on!(tx self, PAUSE, |text, conn| sqlx::query(text).bind(dag_id).execute(conn).await?.rows_affected());
        if touched > 0 {
            self.tell_dag("dag_paused", dag_id, why, who, now).await?;
        }
        Ok(touched > 0)
    }

    /// Lets a DAG go on. Returns whether it was paused.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn unpause_dag(&mut self, dag_id: &str, who: Option<&str>, now: Timestamp) -> Result<bool, StoreError> {
        let touched = on!(tx self, UNPAUSE, |text, conn| {
            sqlx::query(text).bind(dag_id).bind(now.as_micros()).execute(conn).await?.rows_affected()
        });
        if touched > 0 {
            self.wake_active_runs(dag_id, now).await?;
            self.tell_dag("dag_unpaused", dag_id, "", who, now).await?;
        }
        Ok(touched > 0)
    }

    /// Deletes up to `limit` runs of a DAG, and the DAG itself when none is left. Returns whether it is gone; while it
    /// is not, it is paused, so that no new run comes between this step and the next.
    /// Its file, if it is still there, makes a new DAG without history at the next change or start.
    ///
    /// # Errors
    ///
    /// When the database does, a run is under way, or a worker still has a task of one.
    pub async fn delete_dag(
        &mut self,
        dag_id: &str,
        limit: u32,
        who: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let dag = self.lock_dag(dag_id).await?;
        let active: i64 =
            on!(tx self, COUNT_RUNS, |text, conn| sqlx::query_scalar(text).bind(dag_id).fetch_one(conn).await?);
        if active > 0 {
            return Err(StoreError::Conflict(format!(
                "dag `{dag_id}` has {active} active runs; cancel them first (`flow runs cancel`), or wait until they have ended"
            )));
        }
        let alive: i64 =
            on!(tx self, COUNT_ALIVE, |text, conn| sqlx::query_scalar(text).bind(dag_id).fetch_one(conn).await?);
        if alive > 0 {
            return Err(StoreError::Conflict(format!(
                "dag `{dag_id}` still has {alive} running tasks; wait until their workers have ended them"
            )));
        }
        let deleted = on!(tx self, DELETE_RUNS, |text, conn| {
            sqlx::query(text).bind(dag_id).bind(i64::from(limit)).execute(conn).await?.rows_affected()
        });
        if deleted >= u64::from(limit) {
            self.pause_dag(dag_id, "it is being deleted", who, now).await?;
            return Ok(false);
        }
        on!(tx self, DELETE_WAKES, |text, conn| { sqlx::query(text).bind(dag_id).execute(conn).await?; });
        on!(tx self, DELETE_DAG, |text, conn| { sqlx::query(text).bind(dag_id).execute(conn).await?; });
        on!(tx self, DELETE_VERSIONS, |text, conn| { sqlx::query(text).bind(dag_id).execute(conn).await?; });
        on!(tx self, DELETE_FAVORITES, |text, conn| { sqlx::query(text).bind(dag_id).execute(conn).await?; });
        on!(tx self, FORGET_FILE, |text, conn| { sqlx::query(text).bind(&dag.file).execute(conn).await?; });
        self.tell_dag("dag_deleted", dag_id, "", who, now).await?;
        Ok(true)
    }

    pub(crate) async fn tell_dag(
        &mut self,
        kind: &'static str,
        dag_id: &str,
        detail: &str,
        who: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.tell(
            &[Event {
                kind,
                dag_id: Some(dag_id.to_owned()),
                detail: (!detail.is_empty()).then(|| detail.to_owned()),
                who: who.map(str::to_owned),
                ..Event::default()
            }],
            now,
        )
        .await
    }
}

/// Contents of `$f` files as they are kept: `{path: {"Ok": text}}`.
pub(crate) fn files_json(files: &std::collections::BTreeMap<String, Result<String, String>>) -> String {
    serde_json::to_string(&json!(files)).expect("plain data becomes JSON")
}
