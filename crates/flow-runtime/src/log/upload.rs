//! Sends logs to the remote store when their attempts have ended. One process a folder does it.
//!
//! A store that is away or full costs nobody anything: the queue grows on the disk, and is sent when the store is back.
//! How it stands is in `ROOT/.upload-state`, for whoever wants to show it.

use std::{
    collections::{HashSet, VecDeque},
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flow_metrics::Metrics;
use flow_store::Store;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    LogStore, RemoteLogs,
    remote::Queue,
    sweep::{Held, lock},
};
use crate::{Stop, measure};

/// Between two looks at the queue.
const LOOK: Duration = Duration::from_secs(3);
/// After a failure, doubled by each further one.
const BACKOFF: Duration = Duration::from_secs(2);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// Longest that the last look may take, when the process ends.
const LAST: Duration = Duration::from_secs(20);
/// Logs on their way at once.
const AT_ONCE: usize = 4;
/// Entries of the queue that are looked at together.
const BATCH: usize = 500;
/// Failures in a row after which the store counts as away.
const FAILURES: usize = 3;
/// Most logs that failed and are tried after the others.
const ASIDE: usize = 1000;
/// How long a log that cannot be sent is tried, though others can.
const TRIED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Waiting logs are counted so far.
const COUNTED: u64 = 1_000_000;
/// In the folder of all logs.
const LOCK: &str = ".upload-lock";
const STATE: &str = ".upload-state";

/// How sending logs stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadState {
    /// Logs that wait, those of attempts that run among them.
    pub waiting: u64,
    /// Microseconds since 1970; `None` = it goes well.
    pub failing_since: Option<i64>,
    /// What the store said last, while it fails.
    pub error: Option<String>,
}

/// Sends the logs of one folder, as long as the process lives.
pub struct Uploader {
    pub logs: LogStore,
    pub store: Store,
    pub remote: RemoteLogs,
    /// Where it is told how it goes; [`Uploader::new`] tells nobody.
    pub metrics: Metrics,
    /// Between two looks; [`Uploader::new`] sets what is usual.
    pub look: Duration,
}

/// What came of one log.
enum Sent {
    Delivered,
    /// It is no longer there.
    Gone,
    Failed(io::Error),
}

impl Uploader {
    pub fn new(logs: LogStore, store: Store, remote: RemoteLogs) -> Self {
        Self { logs, store, remote, metrics: Metrics::off(), look: LOOK }
    }

    /// Sends what waits until `ended`: nothing writes logs any more. What the last attempts wrote is sent then, if that does
    /// not take long and nobody asks for an end at once; what is left is sent by the next process.
    pub async fn run(self, stop: Stop, ended: CancellationToken) {
        let mut progress = Progress::default();
        let mut pause = self.look;
        let mut held_lock = None;
        loop {
            let is_last = tokio::select! {
                biased;
                () = ended.cancelled() => true,
                () = tokio::time::sleep(pause) => false,
            };
            pause = self.look;
            if held_lock.is_none() {
                held_lock = lock(&self.logs.root().join(LOCK));
            }
            // Another process sends them.
            if held_lock.is_none() && !is_last {
                continue;
            }
            if is_last {
                if held_lock.is_some() {
                    tokio::select! {
                        biased;
                        () = stop.ending() => {}
                        _ = tokio::time::timeout(LAST, self.look(&mut progress)) => {}
                    }
                }
                return;
            }
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                looked = self.look(&mut progress) => pause = looked,
            }
        }
    }

    /// Sends what waits, and writes down how it stands. Returns when to look again.
    async fn look(&self, progress: &mut Progress) -> Duration {
        let Progress { state, aside, aside_at, in_a_row, backoff } = progress;
        let with_aside = aside_at.is_none_or(|at| at <= Instant::now());
        let walked = self.walk(aside, with_aside).await;
        let now = self.logs.inner.clock.now().as_micros();
        let walked = walked.unwrap_or_else(|error| Walked { failure: Some(error), in_a_row: 1, ..Walked::default() });
        let (delivered, failed) = (walked.delivered, walked.failed);
        if walked.delivered > 0 {
            *backoff = Duration::ZERO;
            tracing::debug!(delivered = walked.delivered, "task logs were sent");
        }
        *in_a_row = if delivered > 0 { walked.in_a_row } else { *in_a_row + walked.in_a_row };
        // Nothing else tells a log that cannot be sent from a store that is away.
        self.give_up(walked.refused, delivered > 0, aside);
        let pause = match walked.failure {
            // Those that failed were not tried.
            None if !with_aside && !aside.is_empty() && delivered == 0 => self.look,
            // One log may be to blame, and keeps no other waiting.
            Some(_) if *in_a_row < FAILURES && state.failing_since.is_none() => {
                *backoff = (*backoff * 2).clamp(BACKOFF.min(self.look), BACKOFF_MAX);
                *aside_at = Some(Instant::now() + *backoff);
                self.look
            }
            None => {
                *backoff = Duration::ZERO;
                if state.failing_since.take().is_some() {
                    info!(store = self.remote.url(), "task logs are sent again");
                }
                state.error = None;
                self.look
            }
            Some(error) => {
                if state.failing_since.is_none() {
                    warn!(store = self.remote.url(), %error, "task logs cannot be sent, they wait on the disk");
                }
                state.failing_since.get_or_insert(now);
                state.error = Some(error.to_string());
                *backoff = (*backoff * 2).clamp(BACKOFF.min(self.look), BACKOFF_MAX);
                *backoff
            }
        };
        let folder = Queue::of(self.logs.root()).folder();
        state.waiting = tokio::task::spawn_blocking(move || count(&folder)).await.unwrap_or_default();
        measure::sent_logs(&self.metrics, delivered, failed, state.waiting);
        if let Err(error) = state.write(self.logs.root()) {
            tracing::debug!(%error, "could not write down how sending logs stands");
        }
        pause
    }
}

impl Uploader {
    /// Takes logs from the queue that have been tried for long; `works`: the store takes others.
    fn give_up(&self, refused: Vec<(PathBuf, PathBuf, io::Error)>, works: bool, aside: &mut HashSet<OsString>) {
        for (entry, below, error) in refused {
            let since = entry.symlink_metadata().and_then(|found| found.modified()).ok();
            let is_old = since.and_then(|since| since.elapsed().ok()).is_some_and(|age| age > TRIED);
            if !is_old || !(works || is_of_host(&error)) {
                continue;
            }
            warn!(store = self.remote.url(), log = %below.display(), %error, "a task log cannot be sent: it stays on this host alone");
            let _ = fs::remove_file(&entry);
            if let Some(name) = entry.file_name() {
                aside.remove(name);
            }
        }
    }
}

/// How far it is, from one look to the next.
#[derive(Default)]
struct Progress {
    state: UploadState,
    /// What failed, and comes after the others.
    aside: HashSet<OsString>,
    /// When those are tried again; `None` = at once.
    aside_at: Option<Instant>,
    /// Failures of the store since its last success.
    in_a_row: usize,
    backoff: Duration,
}

/// What came of going through the queue.
#[derive(Default)]
struct Walked {
    delivered: u64,
    failed: u64,
    failure: Option<io::Error>,
    /// Failures of the store since its last success.
    in_a_row: usize,
    /// Logs that failed: their entry in the queue, where they are, and why.
    refused: Vec<(PathBuf, PathBuf, io::Error)>,
}

impl Uploader {
    /// Goes through the queue once; what failed the last time comes after the others.
    async fn walk(&self, aside: &mut HashSet<OsString>, with_aside: bool) -> io::Result<Walked> {
        let mut walked = Walked::default();
        let had_aside = !aside.is_empty();
        self.pass(aside, &mut walked).await?;
        if with_aside && had_aside && walked.in_a_row < FAILURES {
            aside.clear();
            self.pass(aside, &mut walked).await?;
        }
        Ok(walked)
    }

    /// Sends what waits and is not put aside, until the store seems to be away.
    async fn pass(&self, aside: &mut HashSet<OsString>, walked: &mut Walked) -> io::Result<()> {
        let root = self.logs.root();
        let folder = Queue::of(root).folder();
        let mut entries = match blocking(move || fs::read_dir(folder)).await? {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        while walked.in_a_row < FAILURES {
            let (looked, rest) = blocking(move || {
                let looked: Vec<fs::DirEntry> = entries.by_ref().take(BATCH).flatten().collect();
                let link = |entry: &fs::DirEntry| (entry.path(), fs::read_link(entry.path()).ok());
                (looked.iter().map(link).collect::<Vec<_>>(), entries)
            })
            .await?;
            entries = rest;
            if looked.is_empty() {
                break;
            }
            let is_aside = |path: &Path| path.file_name().is_some_and(|name| aside.contains(name));
            let links = looked.into_iter().filter(|(path, _)| !is_aside(path));
            let found: Vec<_> = links.filter_map(|(path, below)| Some((path, below?))).collect();
            if found.is_empty() {
                continue;
            }
            // After the queue was read: what is not in use by now has ended.
            let in_use = self.store.logs_in_use().await.map_err(io::Error::other)?;
            let held = Held::new(root, &in_use);
            let ready = found.into_iter().filter(|(_, below)| !held.has(&root.join(below)));
            self.send_all(ready.collect(), aside, walked).await?;
        }
        Ok(())
    }

    async fn send_all(
        &self,
        mut ready: VecDeque<(PathBuf, PathBuf)>,
        aside: &mut HashSet<OsString>,
        walked: &mut Walked,
    ) -> io::Result<()> {
        let mut sending = JoinSet::new();
        while walked.in_a_row < FAILURES {
            while sending.len() < AT_ONCE
                && let Some((entry, below)) = ready.pop_front()
            {
                sending.spawn(send(self.remote.clone(), self.logs.root().to_owned(), entry, below));
            }
            let Some(sent) = sending.join_next().await else { break };
            match sent.map_err(io::Error::other)? {
                (_, _, Sent::Delivered) => (walked.delivered, walked.in_a_row) = (walked.delivered + 1, 0),
                (_, _, Sent::Gone) => {}
                (entry, below, Sent::Failed(error)) => {
                    walked.failed += 1;
                    // A log that cannot be read says nothing about the store.
                    if is_of_host(&error) {
                        walked.failure.get_or_insert_with(|| copy(&error));
                    } else {
                        walked.in_a_row += 1;
                        walked.failure = Some(copy(&error));
                    }
                    walked.refused.push((entry.clone(), below, error));
                    if aside.len() < ASIDE {
                        aside.extend(entry.file_name().map(OsString::from));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Sends one log, and takes it from the queue when the store has confirmed.
async fn send(remote: RemoteLogs, root: PathBuf, entry: PathBuf, below: PathBuf) -> (PathBuf, PathBuf, Sent) {
    // A link leads nowhere else: the queue is a folder that others may write to.
    let is_below = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let sent = match is_below {
        true => remote.send(&root, &below).await,
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let result = match sent {
        Ok(()) => Sent::Delivered,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Sent::Gone,
        Err(error) => Sent::Failed(error),
    };
    if !matches!(result, Sent::Failed(_)) {
        let _ = fs::remove_file(&entry);
    }
    (entry, below, result)
}

/// Whether a failure is the host's: its errors have a number, those of the store have none.
fn is_of_host(error: &io::Error) -> bool {
    error.raw_os_error().is_some() || error.kind() == io::ErrorKind::InvalidData
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Does what reads folders away from the threads that everything else runs on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

fn count(folder: &Path) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.flatten().zip(0..COUNTED).count() as u64)
}

impl UploadState {
    /// Reads how sending the logs of a folder stands; `None` when nothing was ever sent from it.
    pub fn read(root: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&fs::read(root.join(STATE)).ok()?).ok()?;
        Some(Self {
            waiting: value["waiting"].as_u64()?,
            failing_since: value["failing_since"].as_i64(),
            error: value["error"].as_str().map(str::to_owned),
        })
    }

    fn write(&self, root: &Path) -> io::Result<()> {
        if Self::read(root).as_ref() == Some(self) {
            return Ok(());
        }
        let Self { waiting, failing_since, error } = self;
        let text = json!({ "waiting": waiting, "failing_since": failing_since, "error": error }).to_string();
        let part = root.join(format!("{STATE}.part"));
        fs::write(&part, text)?;
        fs::rename(part, root.join(STATE))
    }
}

#[cfg(test)]
mod tests;
