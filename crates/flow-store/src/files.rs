//! What the DAG folder holds: versions, stale DAGs and import errors.

use std::collections::{BTreeMap, BTreeSet};

use flow_core::{
    Timestamp,
    dag::{Diagnostic, ParsedDag, Task},
};
use serde_json::json;

use crate::{
    Signal, Store, StoreError, Tx,
    dags::files_json,
    db::{on, statements},
    rows::to_json,
};

/// A file that was read.
#[derive(Clone, Debug)]
pub struct FileSave<'a> {
    /// Relative to the DAG folder, with `/`.
    pub path: &'a str,
    /// Of text, `$f` files and the reader's version: the same one need not be read again.
    pub hash: &'a str,
    /// SHA-256 of text and `$f` files.
    pub source_hash: &'a str,
    pub text: &'a str,
    pub files: &'a BTreeMap<String, Result<String, String>>,
    pub dags: &'a [ParsedDag],
    /// The errors as printed; empty = none. With errors, DAGs of this file that are not in `dags` stay as they are.
    pub error_text: &'a str,
    pub diagnostics: &'a [Diagnostic],
    /// Whether a DAG that is seen for the first time starts paused, unless it says so itself.
    pub paused_at_creation: bool,
}

/// What became of a DAG of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DagSave {
    /// Seen for the first time.
    New,
    /// Its meaning changed: a new version.
    Changed,
    /// As it was.
    Same,
    /// Another file holds a DAG of this id; this one is left out.
    Duplicate,
}

/// A file that has errors.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ImportError {
    pub id: i64,
    pub path: String,
    pub at: i64,
    /// As printed, with code frames.
    pub text: String,
    /// JSON list of `{severity, message, help, line, column}`.
    pub diagnostics: String,
}

statements! {
    both HASHES = "SELECT path, hash FROM dag_file";
    both SAVE_FILE = "INSERT INTO dag_file (path, hash, parsed_at) VALUES ($1, $2, $3)
        ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, parsed_at = excluded.parsed_at";
    // Touches one that is there, so that nobody forgets it before this transaction has said what it is for.
    both SAVE_SOURCE = "INSERT INTO dag_source (hash, text, files) VALUES ($1, $2, $3)
        ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash";
    // What an older Flow wrote lacks the newest column, and is written anew.
    both CURRENT = "SELECT d.file, d.is_stale OR d.timezone IS NULL, v.hash, v.id, v.number, v.source_hash FROM dag d JOIN dag_version v ON v.id = d.version_id WHERE d.dag_id = $1";
    both LAST_NUMBER = "SELECT COALESCE(MAX(number), 0) FROM dag_version WHERE dag_id = $1";
    both INSERT_VERSION = "INSERT INTO dag_version (dag_id, number, hash, source_hash, file, document, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    both TOUCH_VERSION = "UPDATE dag_version SET source_hash = $2, document = $3, file = $4 WHERE id = $1";
    both SAVE_DAG = "INSERT INTO dag (dag_id, version_id, file, display_name, description, owners, tags, schedule, max_active_runs,
            is_paused, is_stale, enabled_at, due_at, parsed_at, max_active_tasks, max_failed_runs, has_task_limits, timetable_class,
            timetable_summary, is_periodic, pools, timezone)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, FALSE, $11, CASE WHEN $10 THEN NULL ELSE CAST($11 AS BIGINT) END, $11,
            $12, $13, $14, $15, $16, $17, $18, $19)
        ON CONFLICT (dag_id) DO UPDATE SET
            version_id = excluded.version_id, file = excluded.file, display_name = excluded.display_name,
            description = excluded.description, owners = excluded.owners, tags = excluded.tags, schedule = excluded.schedule,
            max_active_runs = excluded.max_active_runs, max_active_tasks = excluded.max_active_tasks,
            max_failed_runs = excluded.max_failed_runs, has_task_limits = excluded.has_task_limits,
            timetable_class = excluded.timetable_class, timetable_summary = excluded.timetable_summary,
            is_periodic = excluded.is_periodic, pools = excluded.pools, timezone = excluded.timezone,
            is_stale = FALSE, is_blocked = FALSE, parsed_at = excluded.parsed_at,
            due_at = CASE WHEN dag.is_paused THEN NULL ELSE CAST($11 AS BIGINT) END";
    both OF_FILE = "SELECT dag_id FROM dag WHERE file = $1 AND NOT is_stale";
    both STALE = "UPDATE dag SET is_stale = TRUE, is_blocked = FALSE, due_at = NULL WHERE dag_id = $1";
    both DROP_FILE = "DELETE FROM dag_file WHERE path = $1";
    both SAVE_ERROR = "INSERT INTO import_error (path, at, text, diagnostics) VALUES ($1, $2, $3, $4)
        ON CONFLICT (path) DO UPDATE SET at = excluded.at, text = excluded.text, diagnostics = excluded.diagnostics";
    both DROP_ERROR = "DELETE FROM import_error WHERE path = $1";
    both ERRORS = "SELECT id, path, at, text, diagnostics FROM import_error ORDER BY path";
    both WITH_ERRORS = "SELECT path FROM import_error";
    both READ_AGAIN = "UPDATE dag_file SET hash = 'again' WHERE path = $1";
    both TO_READ_AGAIN = "SELECT path FROM dag_file WHERE hash = 'again'";
    both HAS_FILE = "SELECT COUNT(*) FROM dag_file WHERE path = $1";
}

impl Store {
    /// Returns the hash of each file as it was last read, by path.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn file_hashes(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> =
            on!(read self, HASHES, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        Ok(rows.into_iter().collect())
    }

    /// Returns the files that someone wants read again.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn files_to_read_again(&self) -> Result<Vec<String>, StoreError> {
        Ok(on!(read self, TO_READ_AGAIN, |text, conn| sqlx::query_scalar(text).fetch_all(conn).await?))
    }

    /// Returns the paths of files that have errors, in no order.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn files_with_errors(&self) -> Result<Vec<String>, StoreError> {
        Ok(on!(read self, WITH_ERRORS, |text, conn| sqlx::query_scalar(text).fetch_all(conn).await?))
    }

    /// Returns the files that have errors, by path.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn import_errors(&self) -> Result<Vec<ImportError>, StoreError> {
        Ok(on!(read self, ERRORS, |text, conn| sqlx::query_as(text).fetch_all(conn).await?))
    }
}

impl Tx {
    /// Writes down what a file holds. Returns what became of each of its DAGs, in their order.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn save_file(&mut self, save: &FileSave<'_>, now: Timestamp) -> Result<Vec<DagSave>, StoreError> {
        if !save.dags.is_empty() {
            let files = files_json(save.files);
            on!(tx self, SAVE_SOURCE, |text, conn| {
                sqlx::query(text).bind(save.source_hash).bind(save.text).bind(files).execute(conn).await?;
            });
        }
        let mut saved = Vec::with_capacity(save.dags.len());
        let mut duplicates = String::new();
        for parsed in save.dags {
            let outcome = self.save_dag(save, parsed, now).await?;
            if let Err(other) = &outcome {
                use std::fmt::Write as _;
                let _ = writeln!(
                    duplicates,
                    "error: dag `{}` is in `{other}` already; give one of them another `dag_id`\n  --> {}:{}",
                    parsed.dag.id, save.path, parsed.line
                );
            }
            saved.push(outcome.unwrap_or(DagSave::Duplicate));
        }
        if save.error_text.is_empty() {
            let known: Vec<String> =
                on!(tx self, OF_FILE, |text, conn| sqlx::query_scalar(text).bind(save.path).fetch_all(conn).await?);
            for dag_id in known {
                if !save.dags.iter().any(|parsed| parsed.dag.id.as_str() == dag_id) {
                    self.stale(&dag_id, now).await?;
                }
            }
        }
        let errors = format!("{duplicates}{}", save.error_text);
        self.save_error(save.path, &errors, save.diagnostics, now).await?;
        // What another file holds may be this one's later, though nothing in it changes: it is read again.
        let hash = if duplicates.is_empty() { save.hash } else { "" };
        on!(tx self, SAVE_FILE, |text, conn| {
            sqlx::query(text).bind(save.path).bind(hash).bind(now.as_micros()).execute(conn).await?;
        });
        self.announce(Signal::Look).await?;
        Ok(saved)
    }

    /// `Err`: the path of the file that holds a DAG of this id already.
    async fn save_dag(
        &mut self,
        save: &FileSave<'_>,
        parsed: &ParsedDag,
        now: Timestamp,
    ) -> Result<Result<DagSave, String>, StoreError> {
        let dag = &parsed.dag;
        let document = i64::try_from(parsed.document).unwrap_or(0);
        let current: Option<(String, bool, String, i64, i64, String)> = on!(tx self, CURRENT, |text, conn| {
            sqlx::query_as(text).bind(dag.id.as_str()).fetch_optional(conn).await?
        });
        if let Some((file, false, ..)) = &current
            && file != save.path
        {
            let still_there: i64 =
                on!(tx self, HAS_FILE, |text, conn| sqlx::query_scalar(text).bind(file).fetch_one(conn).await?);
            if still_there > 0 {
                return Ok(Err(file.clone()));
            }
        }
        let (version_id, outcome) = match &current {
            Some((file, is_stale, hash, id, _, source)) if *hash == parsed.hash => {
                if source != save.source_hash || file != save.path {
                    on!(tx self, TOUCH_VERSION, |text, conn| {
                        sqlx::query(text)
                            .bind(id)
                            .bind(save.source_hash)
                            .bind(document)
                            .bind(save.path)
                            .execute(conn)
                            .await?;
                    });
                }
                if file == save.path && !is_stale {
                    return Ok(Ok(DagSave::Same));
                }
                (*id, DagSave::Same)
            }
            _ => {
                let number: i64 = on!(tx self, LAST_NUMBER, |text, conn| {
                    sqlx::query_scalar(text).bind(dag.id.as_str()).fetch_one(conn).await?
                });
                let id: i64 = on!(tx self, INSERT_VERSION, |text, conn| {
                    sqlx::query_scalar(text)
                        .bind(dag.id.as_str())
                        .bind(number + 1)
                        .bind(&parsed.hash)
                        .bind(save.source_hash)
                        .bind(save.path)
                        .bind(document)
                        .bind(now.as_micros())
                        .fetch_one(conn)
                        .await?
                });
                (id, if current.is_some() { DagSave::Changed } else { DagSave::New })
            }
        };
        let mut owners: Vec<&str> = dag.tasks.iter().map(|task| task.owner.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        let pools: BTreeSet<&str> = dag.tasks.iter().map(|task| task.pool.as_str()).collect();
        let is_limited =
            |task: &Task| task.max_active_tis_per_dag.is_some() || task.max_active_tis_per_dagrun.is_some();
        let has_limits = dag.tasks.iter().any(is_limited);
        let paused = dag.is_paused_upon_creation.unwrap_or(save.paused_at_creation);
        on!(tx self, SAVE_DAG, |text, conn| {
            sqlx::query(text)
                .bind(dag.id.as_str())
                .bind(version_id)
                .bind(save.path)
                .bind(dag.display_name.as_deref())
                .bind(dag.description.as_deref())
                .bind(owners.join(", "))
                .bind(to_json(&dag.tags))
                .bind(dag.timetable.describe())
                .bind(i64::from(dag.max_active_runs))
                .bind(paused)
                .bind(now.as_micros())
                .bind(i64::from(dag.max_active_tasks))
                .bind(i64::from(dag.max_consecutive_failed_dag_runs))
                .bind(has_limits)
                .bind(dag.timetable.class())
                .bind(dag.timetable.summary())
                .bind(dag.timetable.is_periodic())
                .bind(to_json(&pools))
                .bind(&dag.timezone)
                .execute(conn)
                .await?;
        });
        if current.is_some() || dag.access_control.is_some() {
            self.set_access(dag.id.as_str(), dag.access_control.as_ref()).await?;
        }
        if current.is_some() {
            // It may allow more runs at once than before.
            self.wake_active_runs(dag.id.as_str(), now).await?;
        }
        let kind = match outcome {
            DagSave::New => "dag_created",
            DagSave::Changed | DagSave::Same | DagSave::Duplicate => "dag_changed",
        };
        self.tell_dag(kind, dag.id.as_str(), save.path, None, now).await?;
        Ok(Ok(outcome))
    }

    /// Asks whoever looks after the DAG folder to read a file again soon, though it has not changed. Returns whether
    /// it is known.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn read_file_again(&mut self, path: &str) -> Result<bool, StoreError> {
        let touched =
            on!(tx self, READ_AGAIN, |text, conn| sqlx::query(text).bind(path).execute(conn).await?.rows_affected());
        self.announce(Signal::Files).await?;
        Ok(touched > 0)
    }

    /// Writes down that a file cannot be read at all; its DAGs stay as they are.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn save_problem(
        &mut self,
        path: &str,
        hash: &str,
        problem: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.save_error(path, problem, &[], now).await?;
        on!(tx self, SAVE_FILE, |text, conn| {
            sqlx::query(text).bind(path).bind(hash).bind(now.as_micros()).execute(conn).await?;
        });
        Ok(())
    }

    /// Writes down that a file is gone: its DAGs are stale.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn remove_file(&mut self, path: &str, now: Timestamp) -> Result<(), StoreError> {
        let known: Vec<String> =
            on!(tx self, OF_FILE, |text, conn| sqlx::query_scalar(text).bind(path).fetch_all(conn).await?);
        for dag_id in known {
            self.stale(&dag_id, now).await?;
        }
        on!(tx self, DROP_FILE, |text, conn| { sqlx::query(text).bind(path).execute(conn).await?; });
        on!(tx self, DROP_ERROR, |text, conn| { sqlx::query(text).bind(path).execute(conn).await?; });
        self.announce(Signal::Look).await
    }

    async fn stale(&mut self, dag_id: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, STALE, |text, conn| { sqlx::query(text).bind(dag_id).execute(conn).await?; });
        self.tell_dag("dag_stale", dag_id, "", None, now).await
    }

    async fn save_error(
        &mut self,
        path: &str,
        error: &str,
        diagnostics: &[Diagnostic],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if error.is_empty() {
            on!(tx self, DROP_ERROR, |text, conn| { sqlx::query(text).bind(path).execute(conn).await?; });
            return Ok(());
        }
        let list: Vec<_> = diagnostics
            .iter()
            .map(|found| {
                json!({
                    "severity": format!("{:?}", found.severity).to_lowercase(),
                    "message": found.message,
                    "help": found.help,
                    "line": found.line,
                    "column": found.column,
                })
            })
            .collect();
        on!(tx self, SAVE_ERROR, |text, conn| {
            sqlx::query(text)
                .bind(path)
                .bind(now.as_micros())
                .bind(error)
                .bind(to_json(&list))
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}
