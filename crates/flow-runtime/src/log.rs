//! Logs of attempts: where they are, how they are written and read.
//!
//! `ROOT/dag_id=…/run_id=…/task_id=…[/map_index=…]/attempt=N.log`, plain text, a line each:
//! `2026-01-01T00:00:00.123Z OUT   - text`. The tags: `OUT` and `ERR` are the task's streams, `INFO`, `WARN` and
//! `ERROR` are Flow's own words. `↳` begins the rest of a line that was folded or broken into. Writing is [`sink`],
//! what a line looks like [`lines`], secrets [`flow_core::mask`], reading [`read`]. What is old is packed ([`packed`]) and
//! removed ([`sweep`]); a second place for it is [`remote`]. Knows nothing of tasks and their states.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use flow_core::{DagId, RunId};
use flow_operators::Identity;

use crate::Clock;

mod flusher;
mod lines;
mod packed;
mod path;
mod read;
mod remote;
mod ship;
mod sink;
mod sweep;
mod upload;

pub use flow_core::mask::{MASK, Masker};
pub use lines::CONTINUATION;
pub use path::LogId;
pub use read::{Chunk, Follow, MAX_CHUNK, read_range, tail};
pub use remote::RemoteLogs;
pub use sink::AttemptLog;
pub use sweep::{Keep, Sweeper, Swept};
pub use upload::{UploadState, Uploader};

/// Most characters of a line before it is folded.
pub const MAX_LINE: usize = 64 * 1024;

/// Time after which output is in the file at the latest; what a `kill -9` can cost.
pub const PERIOD: Duration = Duration::from_millis(100);

/// Files that stay open between writes.
const MAX_OPEN: usize = 256;

/// Most attempts that are listed of one task instance.
const MAX_ATTEMPTS: usize = 10_000;

/// The logs below one folder. Cheap to clone.
#[derive(Clone)]
pub struct LogStore {
    inner: Arc<Inner>,
}

/// What the logs of a store share.
pub(crate) struct Inner {
    root: PathBuf,
    max_line: usize,
    max_open: usize,
    /// Bytes that the log of an attempt may have; 0 = any number.
    max_attempt: AtomicU64,
    period: Duration,
    clock: Clock,
    flusher: flusher::Flusher,
    /// Each log is to be sent somewhere.
    queue: OnceLock<remote::Queue>,
    /// Each line goes there too.
    shipper: OnceLock<Arc<ship::Shipper>>,
    open_files: AtomicUsize,
    lost_bytes: AtomicU64,
    write_errors: AtomicU64,
    is_failing: AtomicBool,
}

/// A log that exists. `path` is that of the plain file, whether the log is packed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptFile {
    pub try_number: u32,
    pub path: PathBuf,
    pub bytes: u64,
}

impl LogStore {
    /// Keeps logs below `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>, clock: Clock) -> Self {
        Self::with_limits(root.into(), clock, MAX_LINE, MAX_OPEN)
    }

    fn with_limits(root: PathBuf, clock: Clock, max_line: usize, max_open: usize) -> Self {
        let inner = Inner {
            root,
            max_line,
            max_open,
            max_attempt: AtomicU64::new(0),
            period: PERIOD,
            clock,
            flusher: flusher::Flusher::new(PERIOD),
            queue: OnceLock::new(),
            shipper: OnceLock::new(),
            open_files: AtomicUsize::new(0),
            lost_bytes: AtomicU64::new(0),
            write_errors: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// From now on each log that is written waits to be sent by an [`Uploader`].
    pub fn announce(&self) {
        let _ = self.inner.queue.set(remote::Queue::of(&self.inner.root));
    }

    /// From now on the log of an attempt takes so many bytes at most, and a little; 0 = any number.
    pub fn limit(&self, bytes: u64) {
        self.inner.max_attempt.store(bytes, Ordering::Relaxed);
    }

    /// From now on each line is written as JSON too, into this file.
    pub fn ship(&self, path: PathBuf) {
        let _ = self.inner.shipper.set(Arc::new(ship::Shipper::new(path)));
    }

    /// Returns the folder of all logs.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Returns where the log of an attempt is, whether it exists or not.
    pub fn path(&self, id: &LogId, try_number: u32) -> PathBuf {
        id.file(&self.inner.root, try_number)
    }

    /// Returns where the logs of a DAG are.
    pub fn dag_folder(&self, dag_id: &DagId) -> PathBuf {
        path::dag_folder(&self.inner.root, dag_id)
    }

    /// Returns where the logs of a run are.
    pub fn run_folder(&self, dag_id: &DagId, run_id: &RunId) -> PathBuf {
        path::run_folder(&self.inner.root, dag_id, run_id)
    }

    /// Removes the logs of all runs of a DAG. None is as good.
    ///
    /// # Errors
    ///
    /// When the file system does.
    pub fn remove_dag(&self, dag_id: &DagId) -> io::Result<()> {
        remove(&path::dag_folder(&self.inner.root, dag_id))
    }

    /// Removes the logs of a run. None is as good.
    ///
    /// # Errors
    ///
    /// When the file system does.
    pub fn remove_run(&self, dag_id: &DagId, run_id: &RunId) -> io::Result<()> {
        remove(&self.run_folder(dag_id, run_id))
    }

    /// Removes the logs of a task instance. None is as good.
    ///
    /// # Errors
    ///
    /// When the file system does.
    pub fn remove_task(&self, id: &LogId) -> io::Result<()> {
        if id.map_index >= 0 {
            return remove(&id.folder(&self.inner.root));
        }
        // Those of a mapped task are in folders beside its own.
        for file in self.list_attempts(id)? {
            for path in [packed::packed_path(&file.path), file.path] {
                match std::fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Begins or goes on with the log of an attempt. Touches no file before something is logged.
    pub fn open(&self, identity: &Identity, masker: Masker) -> AttemptLog {
        let path = self.path(&LogId::of(identity), identity.try_number);
        let ship = self.inner.shipper.get().map(|shipper| ship::Ship::new(Arc::clone(shipper), identity));
        AttemptLog::new(Arc::clone(&self.inner), path, masker, ship)
    }

    /// Lists the logs of a task instance by try number.
    pub fn list_attempts(&self, id: &LogId) -> io::Result<Vec<AttemptFile>> {
        let entries = match std::fs::read_dir(id.folder(&self.inner.root)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut found = Vec::new();
        for entry in entries.take(MAX_ATTEMPTS) {
            let entry = entry?;
            let Some(try_number) = entry.file_name().to_str().and_then(path::try_number) else { continue };
            let path = id.file(&self.inner.root, try_number);
            // It may have been removed meanwhile.
            let Ok(file) = read::LogFile::open(&path) else { continue };
            found.push(AttemptFile { try_number, path, bytes: file.size });
        }
        found.sort_by_key(|file| file.try_number);
        found.dedup_by_key(|file| file.try_number);
        Ok(found)
    }

    /// Returns how many bytes of output could not be written.
    pub fn lost_bytes(&self) -> u64 {
        self.inner.lost_bytes.load(Ordering::Relaxed)
    }

    /// Returns how often writing failed.
    pub fn write_errors(&self) -> u64 {
        self.inner.write_errors.load(Ordering::Relaxed)
    }

    /// Returns how many files are open for writing.
    pub fn open_files(&self) -> usize {
        self.inner.open_files.load(Ordering::Relaxed)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl Inner {
    /// Counts a failure; says it once until writing works again.
    fn note_failure(&self, path: &Path, error: &io::Error) {
        self.write_errors.fetch_add(1, Ordering::Relaxed);
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(path = %path.display(), "cannot write task logs, tasks go on: {error}");
        }
    }

    fn note_success(&self) {
        if self.is_failing.load(Ordering::Relaxed) && self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("task logs can be written again");
        }
    }
}

#[cfg(test)]
mod tests;
