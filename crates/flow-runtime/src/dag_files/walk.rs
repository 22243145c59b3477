//! Lists the DAG files of a folder. Opens none of them.
//!
//! `*.yaml` and `*.yml`, in all folders below, through links, without hidden ones and what `.flowignore` and
//! `.airflowignore` name. `.gitignore` does not count: generated DAGs are often not in git.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use ignore::WalkBuilder;

use super::{FOLDER, Problem, Stamp};

/// Files with patterns of what to leave out; the later wins.
pub(super) const IGNORE_FILES: [&str; 2] = [".airflowignore", ".flowignore"];

/// Deeper folders are a mistake.
const MAX_DEPTH: usize = 64;

/// Entries of all kinds for each DAG file that is allowed: a home folder by mistake must end, too.
const ENTRIES_PER_FILE: usize = 10;

/// What is in the folder.
#[derive(Default)]
pub(super) struct Listing {
    /// DAG files by path.
    pub(super) files: Vec<(String, Stamp)>,
    pub(super) problems: Vec<(String, Problem)>,
    /// Folders that could not be read.
    unread: Vec<String>,
    /// Not everything was looked at.
    is_cut: bool,
    /// All paths above.
    seen: BTreeSet<String>,
    pub(super) device: u64,
}

impl Listing {
    /// Says whether a path is certainly not there.
    pub(super) fn lacks(&self, path: &str) -> bool {
        let is_unread = || {
            self.unread
                .iter()
                .any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        !self.seen.contains(path) && (path == FOLDER || !self.is_cut && !is_unread())
    }

    fn problem(&mut self, path: String, sentence: impl Into<String>) {
        if self.seen.insert(path.clone()) {
            self.problems.push((path, Problem::new(sentence)));
        }
    }
}

/// Lists a folder; the error is about the folder itself.
pub(super) fn list(root: &Path, max_files: usize) -> Result<Listing, Problem> {
    let kept = "; its DAGs stay as they were until it is back";
    let found = fs::metadata(root).map_err(|error| {
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        let what = if is_missing { "does not exist".to_owned() } else { format!("cannot be looked at ({error})") };
        Problem::new(what + kept)
    })?;
    if !found.is_dir() {
        return Err(Problem::new(format!("is not a folder{kept}")));
    }
    fs::read_dir(root).map_err(|error| Problem::new(format!("cannot be read ({error}){kept}")))?;

    let mut listing = Listing { device: found.dev(), ..Listing::default() };
    let mut walk = walk(root);
    walk.sort_by_file_name(|a, b| a.cmp(b));
    let max_entries = max_files.saturating_mul(ENTRIES_PER_FILE);
    for (count, entry) in walk.build().enumerate() {
        if count > max_entries {
            listing.is_cut = true;
            listing
                .problem(FOLDER.to_owned(), format!("holds more than {max_entries} files; the rest is not looked at"));
            break;
        }
        match entry {
            Ok(entry) => {
                if let Some(error) = entry.error() {
                    note_ignore_error(&mut listing, root, error);
                }
                if !is_dag_file(entry.path()) || entry.depth() == 0 {
                    continue;
                }
                if listing.files.len() >= max_files {
                    listing.is_cut = true;
                    let sentence = format!("holds more than {max_files} DAG files; the rest is not read");
                    listing.problem(FOLDER.to_owned(), sentence);
                    break;
                }
                note_file(&mut listing, root, entry.path());
            }
            Err(error) => note_error(&mut listing, root, &error),
        }
    }
    Ok(listing)
}

/// Walks through a folder, past what is hidden and what the ignore files name.
fn walk(root: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).hidden(true).follow_links(true).max_depth(Some(MAX_DEPTH));
    for name in IGNORE_FILES {
        walk.add_custom_ignore_filename(name);
    }
    walk
}

/// Says whether a path below the folder is one of its DAG files. Looks only at what is on the way there.
pub(super) fn holds(root: &Path, path: &Path) -> bool {
    let target = root.join(path);
    let mut walk = walk(root);
    let on_the_way = target.clone();
    walk.filter_entry(move |entry| on_the_way.starts_with(entry.path()));
    is_dag_file(&target)
        && walk
            .build()
            .filter_map(Result::ok)
            .any(|entry| entry.path() == target && fs::metadata(entry.path()).is_ok_and(|found| found.is_file()))
}

fn note_file(listing: &mut Listing, root: &Path, path: &Path) {
    let (name, is_utf8) = relative(root, path);
    let found = match fs::metadata(path) {
        Ok(found) => found,
        // Removed since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return listing.problem(name, format!("cannot be looked at: {error}")),
    };
    if found.is_dir() {
        return;
    }
    if !found.is_file() {
        return listing.problem(name, "is not a regular file");
    }
    if !is_utf8 {
        return listing.problem(name, "has a name that is not UTF-8; rename it");
    }
    if listing.seen.insert(name.clone()) {
        listing.files.push((name, Stamp::from(&found)));
    }
}

fn note_error(listing: &mut Listing, root: &Path, error: &ignore::Error) {
    let (path, cause) = cause(error);
    let Some(path) = path else {
        listing.is_cut = true;
        return listing.problem(FOLDER.to_owned(), format!("cannot be read wholly: {cause}"));
    };
    let (name, _) = relative(root, &path);
    if name.split('/').any(|part| part.starts_with('.')) {
        return;
    }
    let is_missing = error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
    if is_missing {
        // Either a link to nothing, or removed since it was listed.
        if is_dag_file(&path) && fs::symlink_metadata(&path).is_ok() {
            listing.problem(name, "is a link to something that does not exist");
        }
        return;
    }
    listing.unread.push(name.clone());
    listing.problem(name, cause);
}

fn note_ignore_error(listing: &mut Listing, root: &Path, error: &ignore::Error) {
    let (path, cause) = cause(error);
    let name = path.map_or_else(|| FOLDER.to_owned(), |path| relative(root, &path).0);
    listing.problem(name, format!("holds a pattern that cannot be used: {cause}"));
}

/// Returns the path that an error is about, and its innermost reason.
fn cause(error: &ignore::Error) -> (Option<PathBuf>, String) {
    match error {
        ignore::Error::Partial(errors) => match errors.first() {
            Some(first) => cause(first),
            None => (None, error.to_string()),
        },
        ignore::Error::WithPath { path, err } => {
            let (inner, reason) = cause(err);
            (inner.or_else(|| Some(path.clone())), reason)
        }
        ignore::Error::WithDepth { err, .. } => cause(err),
        ignore::Error::WithLineNumber { line, err } => {
            let (path, reason) = cause(err);
            (path, format!("line {line}: {reason}"))
        }
        ignore::Error::Loop { ancestor, child } => {
            (Some(child.clone()), format!("is a link to `{}`, a folder that it is in", ancestor.display()))
        }
        ignore::Error::Io(error) => {
            // The outer ones repeat the path.
            let mut innermost: &dyn std::error::Error = error;
            while let Some(source) = innermost.source() {
                innermost = source;
            }
            (None, format!("cannot be read: {innermost}"))
        }
        ignore::Error::Glob { .. } | ignore::Error::UnrecognizedFileType(_) | ignore::Error::InvalidDefinition => {
            (None, error.to_string())
        }
    }
}

pub(super) fn is_dag_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// Returns the path below `root` with `/`, and whether it is UTF-8.
fn relative(root: &Path, path: &Path) -> (String, bool) {
    let below = path.strip_prefix(root).unwrap_or(path);
    let is_utf8 = below.to_str().is_some();
    let parts: Vec<_> = below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        })
        .collect();
    (if parts.is_empty() { FOLDER.to_owned() } else { parts.join("/") }, is_utf8)
}
