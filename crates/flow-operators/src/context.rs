//! What a running task may know and ask for.
//!
//! An operator sees this and nothing else: not the database, not the scheduler. What it needs from them is in
//! [`Services`], which the runtime implements.

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::anyhow;
use flow_clients::Clients;
use flow_core::{
    Dag, DagId, RunId, RunState, TaskId, TaskState, Timestamp,
    connection::Connection,
    run::{DataInterval, Outcome},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::operator::OperatorError;

/// A future that is handed through a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which attempt this is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub dag_id: DagId,
    pub run_id: RunId,
    pub task_id: TaskId,
    pub map_index: i32,
    pub try_number: u32,
    /// Tries lost to the infrastructure since the last clear: `try_number - lost` stays the same when an
    /// attempt is only repeated.
    pub lost: u32,
    pub max_tries: u32,
    pub owner: String,
    pub logical_date: Option<Timestamp>,
    pub data_interval: Option<DataInterval>,
    pub run_after: Timestamp,
    /// Tells its run from one of the same name in another database, or in this one before it was deleted.
    pub run_queued_at: Timestamp,
    /// The text of a `traceparent` header with which others go on with the trace of this attempt; `None`: nobody traces.
    pub traceparent: Option<String>,
    pub is_manual: bool,
    /// Start of this try: of its first look, for a sensor.
    pub started_at: Timestamp,
    /// Names this process's worker; every child process carries it in `FLOW_WORKER_ID`, so that what a dead
    /// worker left behind can be found and ended.
    pub worker_id: String,
    /// Rises with each claim of the try: a lower one, like an earlier try, is over, whatever it still does.
    pub claim: u64,
    /// Unique per claim of an attempt; children carry it in `FLOW_ATTEMPT`.
    pub token: String,
}

/// Where a line of output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
    /// Flow's own words about the attempt.
    Info,
    Warning,
    Error,
}

/// Takes an attempt's output. Cuts it into lines, masks, folds and stamps it; never blocks for long and
/// never fails: what cannot be written is counted and said once.
pub trait LogSink: Send + Sync + 'static {
    /// Takes bytes as they come; need not end at a line.
    fn write(&self, stream: Stream, bytes: &[u8]);
}

/// A run that a task wants made.
#[derive(Clone, Debug)]
pub struct TriggerRequest {
    pub dag_id: DagId,
    pub run_id: Option<String>,
    pub logical_date: Option<Timestamp>,
    pub conf: Value,
    /// Clear and reuse a run of that id or date.
    pub reset: bool,
    /// Make nothing and answer [`Triggered::Paused`] when the DAG is paused; without it a run is made, and waits.
    pub refuse_paused: bool,
    /// The run must not start earlier; `None` = at once.
    pub run_after: Option<Timestamp>,
    /// A note for the run.
    pub note: Option<String>,
    /// [`Identity::traceparent`] of the task.
    pub caller: Option<String>,
}

/// What became of a [`TriggerRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Triggered {
    Created(RunId),
    /// There is one of that id or date, and it was left alone.
    Exists(RunId),
    /// There was one, and it was cleared.
    Reset(RunId),
    NoSuchDag,
    /// Only with [`TriggerRequest::refuse_paused`].
    Paused,
}

/// Which run of another DAG is asked about.
#[derive(Clone, Debug)]
pub enum RunQuery {
    ById(RunId),
    ByLogicalDate(Timestamp),
}

/// What is known of another DAG's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRun {
    pub run_id: RunId,
    pub state: RunState,
    pub logical_date: Option<Timestamp>,
    /// Task instances with their group's id, if any.
    pub tasks: Vec<ExternalTask>,
}

/// A task of another DAG's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTask {
    pub task_id: TaskId,
    pub map_index: i32,
    pub state: TaskState,
    /// The groups it is in, innermost first.
    pub groups: Vec<String>,
}

/// What an attempt still does once its end is written down, such as telling a queue that its messages are done with: a
/// worker that dies before that has done nothing, and the next try begins where this one did.
///
/// The same for every clone. Only done when the attempt ended well.
#[derive(Clone, Default)]
pub struct Afterwards(Arc<Mutex<Vec<Work>>>);

type Work = BoxFuture<'static, Result<(), String>>;

impl Afterwards {
    /// Has this done afterwards; its error is a sentence. Dropped without having begun when the end is not taken.
    pub fn add(&self, work: impl Future<Output = Result<(), String>> + Send + 'static) {
        self.lock().push(Box::pin(work));
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Does everything, one after the other.
    ///
    /// # Errors
    ///
    /// The first sentence; what comes after it is not done.
    pub async fn run(&self) -> Result<(), String> {
        let all = std::mem::take(&mut *self.lock());
        for work in all {
            work.await?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Afterwards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Afterwards").field(&self.lock().len()).finish()
    }
}

/// What an operator may ask of the rest of Flow. Errors are sentences; they are worth another try.
pub trait Services: Send + Sync + 'static {
    /// Makes a run of a DAG. Asking twice with the same `run_id` makes one run.
    fn trigger(&self, request: TriggerRequest) -> BoxFuture<'_, Result<Triggered, String>>;
    /// Says whether a DAG exists.
    fn dag_exists<'a>(&'a self, dag_id: &'a DagId) -> BoxFuture<'a, Result<bool, String>>;
    /// Looks up a run of a DAG.
    fn run<'a>(&'a self, dag_id: &'a DagId, query: RunQuery) -> BoxFuture<'a, Result<Option<ExternalRun>, String>>;
    /// Says whether this run is the latest that the timetable has asked for so far (`latest_only`).
    fn is_latest_run(&self) -> BoxFuture<'_, Result<bool, String>>;
    /// What an earlier look of this try kept (sensors, `trigger_dag`), or null.
    fn state(&self) -> Value;
    /// A connection by id, as an object, or `None`.
    fn connection<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Value>, String>>;
}

/// Everything an operator is given beside its arguments.
#[derive(Clone)]
pub struct TaskContext {
    pub identity: Identity,
    pub log: Arc<dyn LogSink>,
    /// Fires when the attempt must end: cancelled, timed out, or the worker shuts down.
    pub cancel: CancellationToken,
    pub services: Arc<dyn Services>,
    /// IANA name of the DAG's time zone.
    pub timezone: String,
    /// The current time.
    pub clock: fn() -> Timestamp,
    /// Clients of other systems, kept between attempts.
    pub clients: Clients,
    /// The version of the DAG that the run is pinned to, for branches.
    pub dag: Arc<Dag>,
    /// Direct downstream tasks.
    pub downstream: Vec<TaskId>,
    /// Between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    /// The same for every try to do this once; the other side can tell a repetition by it (`Idempotency-Key`,
    /// `Message-ID`). `None`: it follows from the identity.
    pub delivery: Option<String>,
    /// What is left to do once the attempt's end is written down.
    pub afterwards: Afterwards,
    /// An empty folder for this attempt, removed afterwards.
    pub scratch: PathBuf,
    /// Folder of the DAG file, `None` when this host does not have it.
    pub file_folder: Option<PathBuf>,
    pub do_xcom_push: bool,
    pub multiple_outputs: bool,
    /// The Airflow dialect reads a bash result from stdout and stderr together.
    pub airflow_dialect: bool,
}

impl TaskContext {
    /// Looks up a connection; its secrets are masked in the log from here on.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub async fn connection(&self, id: &str) -> Result<Connection, OperatorError> {
        let found = self.services.connection(id).await.map_err(OperatorError::service)?;
        let found = found.ok_or_else(|| {
            let variable = format!("FLOW_CONN_{}", id.to_uppercase());
            OperatorError::retry(anyhow!(
                "there is no connection `{id}`: make it with `flow connections set {id} URI`, or set {variable}"
            ))
        })?;
        Connection::from_json(id, &found).map_err(|sentence| OperatorError::fatal(anyhow!(sentence)))
    }

    /// Names what this attempt is to bring about, the same when an attempt is only repeated.
    pub fn key(&self) -> String {
        if let Some(delivery) = &self.delivery {
            return delivery.clone();
        }
        let id = &self.identity;
        digest(&format!("{}/{}", self.name(), id.try_number.saturating_sub(id.lost)), 16)
    }

    /// Names what this is a try of, the same for all of its tries.
    pub(crate) fn subject(&self) -> String {
        digest(self.delivery.as_ref().unwrap_or(&self.name()), 6)
    }

    fn name(&self) -> String {
        let id = &self.identity;
        let queued_at = id.run_queued_at.as_micros();
        format!("{}/{}/{queued_at}/{}/{}", id.dag_id, id.run_id, id.task_id, id.map_index)
    }

    /// Writes a sentence of Flow's own into the log.
    pub fn say(&self, stream: Stream, sentence: &str) {
        self.log.write(stream, format!("{sentence}\n").as_bytes());
    }

    /// The path of a file that is read: relative ones are beside the DAG file.
    ///
    /// # Errors
    ///
    /// When it is relative and this host does not have the DAG file's folder.
    pub fn path_to_read(&self, path: &str) -> Result<PathBuf, OperatorError> {
        let path = Path::new(path);
        match &self.file_folder {
            _ if path.is_absolute() => Ok(path.to_owned()),
            Some(folder) => Ok(folder.join(path)),
            None => Err(OperatorError::fatal(anyhow!(
                "`{}` is beside the DAG file, and this worker does not have the DAG folder: write the whole path",
                path.display()
            ))),
        }
    }

    /// The path of a file that is written: it must be a whole one, for an attempt has no lasting folder of its own.
    ///
    /// # Errors
    ///
    /// When it is relative.
    pub fn path_to_write(&self, path: &str) -> Result<PathBuf, OperatorError> {
        let path = Path::new(path);
        if path.is_absolute() {
            return Ok(path.to_owned());
        }
        Err(OperatorError::fatal(anyhow!(
            "`{}` must be a whole path, from `/` on: where is it to be kept?",
            path.display()
        )))
    }
}

/// The first bytes of a text's digest.
fn digest(text: &str, bytes: usize) -> String {
    Sha256::digest(text).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

/// What an attempt leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub outcome: Outcome,
    /// XComs by key; the result is `return_value`.
    pub xcoms: Vec<(String, Value)>,
    /// For [`Services::state`] at the next look; only with `Outcome::Reschedule`.
    pub state: Value,
}
