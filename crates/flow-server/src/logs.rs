//! Where the logs of tasks come from: what the server asks of whoever keeps them.

use std::{future::Future, io, pin::Pin};

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

/// Keeps logs. Waiting for files is its own matter: it must not hold up the threads that serve requests.
pub trait Logs: Send + Sync {
    /// Reads at most `max` bytes from a position on; none past the end. `None` when nothing was ever written.
    fn read<'a>(&'a self, log: &'a LogName, offset: u64, max: usize) -> Later<'a, io::Result<Option<LogPart>>>;
}
