//! Keeps the logs in bounds: packs those of finished attempts, removes what is older or more than is to be kept.
//!
//! One process a folder does it, whoever holds the lock in it. It walks lazily, a step at a time with a pause between, so
//! neither memory nor the disk feels how many logs there are. Which logs are in use the database says
//! ([`flow_store::Store::logs_in_use`]), anew for every few seconds of work, and before it has answered nothing is done;
//! beside that, whoever writes a log holds a lock on it, and what was written a minute ago is left alone.

use std::{
    collections::{BTreeMap, HashSet, hash_map::DefaultHasher},
    fs::{self, File},
    hash::{Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use flow_store::{LogInUse, Store};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{LogId, LogStore, packed, path::try_number, remote::Queue};
use crate::Stop;

/// How much is kept, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Logs that nobody wrote to for so long are packed; `None` = never.
    pub pack_after: Option<Duration>,
    /// And so long after, removed; `None` = never.
    pub age: Option<Duration>,
    /// What all logs may take on the disk; the oldest go first. `None` = anything.
    pub size: Option<u64>,
}

/// What a walk over all logs found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that were looked at.
    pub looked: u64,
    /// Bytes on the disk that are left.
    pub bytes: u64,
    pub packed: u64,
    pub removed: u64,
    /// Files that could not be packed or removed.
    pub failed: u64,
}

/// Keeps the logs of one folder in bounds, as long as the process lives.
pub struct Sweeper {
    pub logs: LogStore,
    pub store: Store,
    pub keep: Keep,
}

/// Between two walks.
const EVERY: Duration = Duration::from_secs(600);
/// Before the first one: what starts has better things to do.
const FIRST: Duration = Duration::from_secs(20);
/// Entries of folders in a step.
const STEP: usize = 500;
/// And no step is longer, but for the file that it is at: a disk may take its time for each entry.
const STEP_LONGEST: Duration = Duration::from_secs(1);
/// Between two steps.
const PAUSE: Duration = Duration::from_millis(20);
/// For so long an answer about what is in use is good.
const FRESH: Duration = Duration::from_secs(5);
/// What was written within this time is left alone: longer than [`FRESH`], with room for clocks that differ.
const RECENT: Duration = Duration::from_secs(60);
/// What is left of packing that was interrupted is removed after this time.
const LEFTOVER: Duration = Duration::from_secs(3600);
/// Smaller files take a block of the disk in either form.
const WORTH: u64 = 8 * 1024;
/// Deepest folder: DAG, run, task, index.
const DEPTH: usize = 5;
/// In the folder of all logs: locked by the process that sweeps.
const LOCK: &str = ".sweep-lock";

impl Sweeper {
    /// Sweeps now and then, until a stop is asked for.
    pub async fn run(self, stop: Stop) {
        if self.keep == Keep::default() {
            return;
        }
        let mut pause = FIRST;
        while stop.or(tokio::time::sleep(pause)).await.is_continue() {
            pause = EVERY;
            // Held until the walk has ended; another process may have the next one.
            let Some(_lock) = lock(&self.logs.root().join(LOCK)) else { continue };
            let mut cutoff = None;
            // Twice when there is too much: only the first walk tells what the oldest are.
            for _ in 0..2 {
                match self.sweep(cutoff, &stop).await {
                    Ok(Some(walk)) => {
                        let Swept { packed, removed, failed, bytes, .. } = walk.swept;
                        if packed + removed + failed > 0 {
                            info!(packed, removed, failed, bytes, "old task logs were packed or removed");
                        }
                        cutoff = walk.cutoff();
                    }
                    Ok(None) => return,
                    Err(error) => warn!(%error, "old task logs are left as they are for now"),
                }
                if cutoff.is_none() {
                    break;
                }
            }
        }
    }

    /// Walks over all logs once; `None` when a stop was asked for.
    async fn sweep(&self, cutoff: Option<SystemTime>, stop: &Stop) -> io::Result<Option<Walk>> {
        let root = self.logs.root().to_owned();
        let mut walk = Walk::new(root, self.keep, cutoff);
        let mut held = (Held::default(), None::<Instant>);
        loop {
            if held.1.is_none_or(|asked| asked.elapsed() > FRESH) {
                let in_use = self.store.logs_in_use().await.map_err(io::Error::other)?;
                held = (Held::new(self.logs.root(), &in_use), Some(Instant::now()));
            }
            let (mine, stops) = (held.0, stop.clone());
            let step = move || {
                let done = walk.step(STEP, &mine, SystemTime::now(), &|| stops.is_draining());
                (done, walk, mine)
            };
            let (done, back, mine) = tokio::task::spawn_blocking(step).await.map_err(io::Error::other)?;
            held.0 = mine;
            if done {
                return Ok(Some(back));
            }
            walk = back;
            if stop.or(tokio::time::sleep(PAUSE)).await.is_break() {
                return Ok(None);
            }
        }
    }
}

/// Takes a lock in a folder of logs; `None` when another process has it, or there is no such folder.
pub(super) fn lock(path: &Path) -> Option<File> {
    let file = File::options().create(true).write(true).truncate(false).open(path).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(fs::TryLockError::WouldBlock) => None,
        // A file system without locks. Two that sweep are in each other's way, but harm nothing.
        Err(fs::TryLockError::Error(_)) => Some(file),
    }
}

/// Logs that may not be touched. Kept as hashes: one too many is kept a while longer.
#[derive(Default)]
pub(super) struct Held(HashSet<u64>);

impl Held {
    pub(super) fn new(root: &Path, in_use: &[LogInUse]) -> Self {
        let id = |log: &LogInUse| LogId {
            dag_id: log.dag_id.as_str().into(),
            run_id: log.run_id.as_str().into(),
            task_id: log.task_id.as_str().into(),
            map_index: log.map_index,
        };
        Self(in_use.iter().map(|log| hash(&id(log).file(root, log.try_number))).collect())
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        self.0.contains(&hash(path))
    }
}

fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// A walk over all logs, as far as it has come.
pub(super) struct Walk {
    keep: Keep,
    /// Logs that are older are too many.
    cutoff: Option<SystemTime>,
    /// What waits to be sent is not removed.
    queue: Queue,
    stack: Vec<Level>,
    /// Bytes by the time they were written: of the last day by minute, else by hour.
    sizes: BTreeMap<u64, u64>,
    swept: Swept,
}

struct Level {
    path: PathBuf,
    /// Opened at the first look.
    entries: Option<fs::ReadDir>,
    /// Something in it was removed.
    is_changed: bool,
}

impl Walk {
    fn new(root: PathBuf, keep: Keep, cutoff: Option<SystemTime>) -> Self {
        let queue = Queue::of(&root);
        let stack = vec![Level { path: root, entries: None, is_changed: false }];
        Self { keep, cutoff, queue, stack, sizes: BTreeMap::new(), swept: Swept::default() }
    }

    /// Looks at some entries more, for [`STEP_LONGEST`]; says whether it has seen all. What cannot be read is passed
    /// over.
    fn step(&mut self, entries: usize, held: &Held, now: SystemTime, stops: &dyn Fn() -> bool) -> bool {
        let begun = Instant::now();
        for _ in 0..entries {
            let depth = self.stack.len();
            let Some(level) = self.stack.last_mut() else { return true };
            if stops() || begun.elapsed() > STEP_LONGEST {
                return false;
            }
            if level.entries.is_none() {
                level.entries = fs::read_dir(&level.path).ok();
            }
            let Some(entry) = level.entries.as_mut().and_then(Iterator::next) else {
                self.leave();
                continue;
            };
            let Ok(entry) = entry else { continue };
            // Links are not followed.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && depth < DEPTH && entry.file_name().as_encoded_bytes().contains(&b'=') {
                self.stack.push(Level { path: entry.path(), entries: None, is_changed: false });
            } else if metadata.is_file() {
                self.file(&entry.path(), &metadata, held, now, stops);
            }
        }
        self.stack.is_empty()
    }

    /// Goes up; a folder from which something was removed goes too when it is empty.
    fn leave(&mut self) {
        let Some(level) = self.stack.pop() else { return };
        if level.is_changed
            && let Some(parent) = self.stack.last_mut()
            && fs::remove_dir(&level.path).is_ok()
        {
            parent.is_changed = true;
        }
    }

    fn file(&mut self, path: &Path, found: &fs::Metadata, held: &Held, now: SystemTime, stops: &dyn Fn() -> bool) {
        let Ok(modified) = found.modified() else { return };
        let age = now.duration_since(modified).unwrap_or_default();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".log.gz.part") && age > LEFTOVER {
            self.remove(path);
            return;
        }
        if try_number(name).is_none() {
            return;
        }
        self.swept.looked += 1;
        let is_packed = name.ends_with(".gz");
        let log = if is_packed { path.with_extension("") } else { path.to_owned() };
        let is_free = age > RECENT && !held.has(&log);
        let is_old =
            self.keep.age.is_some_and(|most| age > most) || self.cutoff.is_some_and(|cutoff| modified < cutoff);
        if is_free && is_old && !self.queue.has(&log) && self.remove(path) {
            return;
        }
        let mut bytes = found.blocks() * 512;
        if is_free && !is_packed && found.len() >= WORTH && self.keep.pack_after.is_some_and(|after| age > after) {
            match packed::pack(path, stops) {
                Ok(packed::Packing::Done(_, length)) => {
                    self.swept.packed += 1;
                    bytes = length;
                }
                Ok(packed::Packing::Busy | packed::Packing::Stopped) => {}
                Err(error) => self.note(path, &error),
            }
        }
        self.swept.bytes += bytes;
        *self.sizes.entry(bucket(modified, age)).or_default() += bytes;
    }

    fn remove(&mut self, path: &Path) -> bool {
        match fs::remove_file(path) {
            Ok(()) => {
                self.swept.removed += 1;
                if let Some(level) = self.stack.last_mut() {
                    level.is_changed = true;
                }
                true
            }
            Err(error) => {
                self.note(path, &error);
                false
            }
        }
    }

    /// Counts a failure; tells of the first.
    fn note(&mut self, path: &Path, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        if self.swept.failed == 0 {
            warn!(path = %path.display(), %error, "an old task log could not be packed or removed");
        }
        self.swept.failed += 1;
    }

    /// Returns the moment before which logs must go, so that the rest is not too much.
    fn cutoff(&self) -> Option<SystemTime> {
        let most = self.keep.size?;
        let mut sum = 0_u64;
        for (second, bytes) in self.sizes.iter().rev() {
            sum += bytes;
            if sum > most {
                let (bucket, width) = (*second / 2, if second % 2 == 0 { 3600 } else { 60 });
                return Some(UNIX_EPOCH + Duration::from_secs(bucket + width));
            }
        }
        None
    }
}

/// Returns when a bucket of sizes begins, in seconds and doubled; odd = it is a minute long, else an hour.
fn bucket(modified: SystemTime, age: Duration) -> u64 {
    let seconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if age < Duration::from_secs(24 * 3600) { 2 * (seconds - seconds % 60) + 1 } else { 2 * (seconds - seconds % 3600) }
}

#[cfg(test)]
mod tests;
