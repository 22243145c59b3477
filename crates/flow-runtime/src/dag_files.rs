//! The DAG folder: which files are in it, and which have changed since the last look.
//!
//! [`DagFolder::scan`] compares the folder with what it knew; [`watch()`] tells when a look is worth it. Knows nothing of
//! DAGs beyond which other files a file names; what the texts mean is for `flow_core::dag`.
//!
//! A folder that vanishes or cannot be read is a problem, not an empty folder: what it held stays as it was.

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use flow_core::Timestamp;

use crate::Clock;

mod edit;
mod read;
mod walk;
mod watch;

pub use edit::{DagFile, Editor, FileError, Listed};
pub use watch::{Poke, Watch, watch};

/// Stands for the DAG folder itself in [`FileChange::path`].
pub const FOLDER: &str = ".";

/// Time stamps of files are this coarse at worst; a file touched more recently is compared by content again.
const COARSE: Duration = Duration::from_secs(2);

/// A file this young may still be in the middle of being written.
const FRESH: Duration = Duration::from_millis(100);

/// What is too much.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a DAG file, and of each file that it names.
    pub file_bytes: u64,
    /// DAG files in the folder.
    pub files: usize,
    /// Every so many scans all contents are compared, for file systems whose time stamps cannot be trusted.
    pub full_check_every: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1024 * 1024, files: 20_000, full_check_every: 12 }
    }
}

/// One thing that differs from the last scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path below the DAG folder, with `/`; [`FOLDER`] for the folder itself.
    pub path: String,
    pub kind: ChangeKind,
}

/// What is different about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added or changed, or a file that it names was, or its problem is over.
    Changed(Content),
    /// It is gone, and its problem with it.
    Removed,
    /// It cannot be read. What it held before still counts.
    Problem(Problem),
}

/// A DAG file and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub text: String,
    /// The files that `$f` names: for `flow_core::dag::Source`.
    pub files: BTreeMap<String, Result<String, String>>,
    /// SHA-256 of text and files, hexadecimal.
    pub hash: String,
    /// It was written just before it was read: if it makes no sense, [`DagFolder::recheck`] it before complaining.
    pub is_fresh: bool,
}

/// Why a file or folder cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Fits after the path: "is larger than …".
    pub sentence: String,
    /// Line and column, from 1, when the problem has a place.
    pub place: Option<(usize, usize)>,
}

impl Problem {
    fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), place: None }
    }
}

/// Reads one DAG file, wherever it is, and what it names. Blocks.
///
/// # Errors
///
/// Why it cannot be read.
pub fn read_file(path: &Path, limits: Limits) -> Result<Content, Problem> {
    let read = read::dag_file(Path::new("."), path, limits.file_bytes, flow_core::dag::file_references)?;
    Ok(Content { text: read.text, files: read.files, hash: read.hash, is_fresh: !read.is_whole })
}

/// A folder of DAG files, and what is known of it.
pub struct DagFolder {
    root: PathBuf,
    limits: Limits,
    clock: Clock,
    references: fn(&str) -> Vec<String>,
    known: BTreeMap<String, Known>,
    scans: u64,
    /// File system of the folder when its files were last seen.
    device: Option<u64>,
}

/// A path that was reported.
struct Known {
    stamp: Option<Stamp>,
    references: Vec<Reference>,
    /// The stamps say for sure whether it has changed.
    is_settled: bool,
    state: State,
}

enum State {
    /// Hash of its content.
    Good(String),
    Bad(Problem),
    /// To be reported again, whatever it holds.
    Recheck,
}

/// What changes when a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    device: u64,
    inode: u64,
}

/// A file that a DAG file names, when it was last read.
struct Reference {
    path: PathBuf,
    stamp: Option<Stamp>,
}

impl DagFolder {
    /// Looks after a folder, which need not exist.
    pub fn new(root: impl Into<PathBuf>, limits: Limits, clock: Clock) -> Self {
        Self {
            root: root.into(),
            limits,
            clock,
            references: flow_core::dag::file_references,
            known: BTreeMap::new(),
            scans: 0,
            device: None,
        }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the paths whose content is known, for a caller that compares with what it has stored.
    pub fn good_paths(&self) -> impl Iterator<Item = &str> {
        self.known.iter().filter(|(_, known)| matches!(known.state, State::Good(_))).map(|(path, _)| path.as_str())
    }

    /// Says whether the folder itself could be read at the last scan, so that what is not there is gone.
    pub fn is_readable(&self) -> bool {
        self.scans > 0 && !self.known.get(FOLDER).is_some_and(|known| matches!(known.state, State::Bad(_)))
    }

    /// Makes the next scan report a file again, even if it has not changed.
    pub fn recheck(&mut self, path: &str) {
        if let Some(known) = self.known.get_mut(path) {
            known.state = State::Recheck;
            known.is_settled = false;
        }
    }

    /// Looks at the folder; returns what differs from the last look, in the order of paths. Blocks.
    pub fn scan(&mut self) -> Vec<FileChange> {
        self.scans += 1;
        let is_full = self.limits.full_check_every > 0 && self.scans.is_multiple_of(self.limits.full_check_every);
        let mut changes = Vec::new();
        let listing = match walk::list(&self.root, self.limits.files) {
            Ok(listing) => listing,
            Err(problem) => {
                self.note_problem(&mut changes, FOLDER, None, problem);
                return changes;
            }
        };
        if self.is_unmounted(&listing) {
            let sentence = "is empty and on another file system than before; its DAGs stay as they were until \
                            it holds a DAG file again";
            self.note_problem(&mut changes, FOLDER, None, Problem::new(sentence));
            return changes;
        }
        self.device = Some(listing.device);
        self.forget_missing(&mut changes, &listing);
        for (path, problem) in listing.problems {
            self.note_problem(&mut changes, &path, None, problem);
        }
        for (path, stamp) in listing.files {
            if is_full || !self.is_unchanged(&path, stamp) {
                self.look(&mut changes, &path, stamp);
            }
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    /// An unmounted folder leaves an empty one in its place.
    fn is_unmounted(&self, listing: &walk::Listing) -> bool {
        self.device.is_some_and(|device| device != listing.device)
            && listing.files.is_empty()
            && self.good_paths().next().is_some()
    }

    fn forget_missing(&mut self, changes: &mut Vec<FileChange>, listing: &walk::Listing) {
        let missing: Vec<String> = self.known.keys().filter(|path| listing.lacks(path)).cloned().collect();
        for path in missing {
            self.known.remove(&path);
            changes.push(FileChange { path, kind: ChangeKind::Removed });
        }
    }

    fn is_unchanged(&self, path: &str, stamp: Stamp) -> bool {
        self.known.get(path).is_some_and(|known| {
            known.is_settled
                && known.stamp == Some(stamp)
                && known.references.iter().all(|named| named.stamp == Stamp::of(&named.path))
        })
    }

    fn look(&mut self, changes: &mut Vec<FileChange>, path: &str, stamp: Stamp) {
        let before = self.clock.now();
        let file = self.root.join(path);
        let read = match read::dag_file(&self.root, &file, self.limits.file_bytes, self.references) {
            Ok(read) => read,
            Err(_) if is_gone(&file) => {
                if self.known.remove(path).is_some() {
                    changes.push(FileChange { path: path.to_owned(), kind: ChangeKind::Removed });
                }
                return;
            }
            Err(problem) => return self.note_problem(changes, path, Some(stamp), problem),
        };
        let youngest = read.references.iter().filter_map(|named| named.stamp).chain([read.stamp]);
        let age = youngest.map(|stamp| stamp.age(before)).min().unwrap_or_default();
        let same = matches!(self.known.get(path), Some(Known { state: State::Good(hash), .. }) if *hash == read.hash);
        let known = Known {
            stamp: Some(read.stamp),
            references: read.references,
            is_settled: read.is_whole && age > COARSE,
            state: State::Good(read.hash.clone()),
        };
        self.known.insert(path.to_owned(), known);
        if !same {
            let is_fresh = !read.is_whole || age < FRESH;
            let content = Content { text: read.text, files: read.files, hash: read.hash, is_fresh };
            changes.push(FileChange { path: path.to_owned(), kind: ChangeKind::Changed(content) });
        }
    }

    fn note_problem(&mut self, changes: &mut Vec<FileChange>, path: &str, stamp: Option<Stamp>, problem: Problem) {
        let same = matches!(self.known.get(path), Some(Known { state: State::Bad(before), .. }) if *before == problem);
        // A file that cannot be read is tried at each scan: why it failed may lie outside of it.
        let state = State::Bad(problem.clone());
        let known = Known { stamp, references: Vec::new(), is_settled: false, state };
        self.known.insert(path.to_owned(), known);
        if !same {
            changes.push(FileChange { path: path.to_owned(), kind: ChangeKind::Problem(problem) });
        }
    }
}

/// Says whether a file was removed since it was listed.
fn is_gone(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|found| Self::from(&found))
    }

    /// Returns how long before `now` the file was modified; zero if later.
    fn age(&self, now: Timestamp) -> Duration {
        let (seconds, nanos) = self.modified;
        now.since(Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)))
    }
}

impl From<&std::fs::Metadata> for Stamp {
    fn from(found: &std::fs::Metadata) -> Self {
        Self {
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

#[cfg(test)]
mod tests;
