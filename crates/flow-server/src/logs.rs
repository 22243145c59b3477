//! Where the logs of tasks come from: what the server asks of whoever keeps them.

use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};

use flow_core::{DagId, RunId, TaskId};

/// Something that is answered later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Names the log of one attempt. The names come from rows of the database, never from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogName {
    pub dag_id: DagId,
    pub run_id: RunId,
    pub task_id: TaskId,
    /// Negative = not mapped.
    pub map_index: i32,
    pub try_number: u32,
    /// Id of the process that ran it, or runs it.
    pub worker: Option<String>,
}

/// Whose logs, of all attempts. The names come from rows of the database, never from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogsOf {
    Dag(DagId),
    Run(DagId, RunId),
    Task {
        dag_id: DagId,
        run_id: RunId,
        task_id: TaskId,
        /// Negative = not mapped.
        map_index: i32,
    },
}

/// A part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPart {
    pub bytes: Vec<u8>,
    /// Position of the first byte.
    pub offset: u64,
    /// Length of the whole log when it was read.
    pub size: u64,
}

/// How copying logs to a second place stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsSent {
    /// Logs that wait, those of attempts that run among them.
    pub waiting: u64,
    /// Microseconds since 1970; `None` = it goes well.
    pub failing_since: Option<i64>,
    pub error: Option<String>,
}

/// Keeps logs. Waiting for files is its own matter: it must not hold up the threads that serve requests.
pub trait Logs: Send + Sync {
    /// Reads at most `max` bytes from a position on; none past the end. `None` when nothing was ever written.
    fn read<'a>(&'a self, log: &'a LogName, offset: u64, max: usize) -> Later<'a, io::Result<Option<LogPart>>>;

    /// Removes logs; none is as good.
    fn remove<'a>(&'a self, of: &'a LogsOf) -> Later<'a, io::Result<()>>;

    /// Says how copying logs to a second place stands; `None` when there is none.
    fn sent(&self) -> Option<LogsSent> {
        None
    }
}

/// Longest that an answer waits until logs are gone; what takes longer goes on after it.
const REMOVAL_WAIT: Duration = Duration::from_secs(5);

/// Removes the logs of what has just been deleted. They are in nobody's way, so a failure is only told.
pub(crate) async fn forget(logs: &Arc<dyn Logs>, of: LogsOf) {
    let logs = Arc::clone(logs);
    let removal = tokio::spawn(async move {
        if let Err(error) = logs.remove(&of).await {
            tracing::warn!(?of, %error, "was deleted, but its logs are still there");
        }
    });
    let _ = tokio::time::timeout(REMOVAL_WAIT, removal).await;
}
