//! Reads a DAG file and the files that it names: bounded, and never outside of its folder.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path},
};

use sha2::{Digest, Sha256};

use super::{Problem, Reference, Stamp};

/// Files that one DAG file may name.
const MAX_REFERENCES: usize = 1_000;

/// Bytes that they may have together.
const MAX_REFERENCED: u64 = 16 * 1024 * 1024;

/// A DAG file as it was read.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) files: BTreeMap<String, Result<String, String>>,
    pub(super) hash: String,
    pub(super) stamp: Stamp,
    pub(super) references: Vec<Reference>,
    /// It did not change while it was read.
    pub(super) is_whole: bool,
}

/// Reads a DAG file with what it names.
pub(super) fn dag_file(
    root: &Path,
    path: &Path,
    max_bytes: u64,
    references: fn(&str) -> Vec<String>,
) -> Result<Read, Problem> {
    let (bytes, stamp, mut is_whole) = bytes(path, max_bytes).map_err(Problem::new)?;
    let text = text(bytes)?;
    let folder = path.parent().unwrap_or(root);
    let named = named(folder, references(&text), max_bytes);
    is_whole &= named.is_whole;
    let hash = hash(&text, &named.files);
    Ok(Read { text, files: named.files, hash, stamp, references: named.references, is_whole })
}

/// Files that a DAG file names.
pub(super) struct Named {
    pub(super) files: BTreeMap<String, Result<String, String>>,
    references: Vec<Reference>,
    /// None of them changed while it was read.
    is_whole: bool,
}

/// Reads the files that a DAG file in this folder names.
pub(super) fn named(folder: &Path, names: Vec<String>, max_bytes: u64) -> Named {
    let mut named = Named { files: BTreeMap::new(), references: Vec::new(), is_whole: true };
    let mut left = MAX_REFERENCED;
    for name in names {
        if named.files.contains_key(&name) {
            continue;
        }
        if named.files.len() >= MAX_REFERENCES {
            let sentence = format!("more than {MAX_REFERENCES} files are named in one DAG file");
            named.files.insert(name, Err(sentence));
            break;
        }
        let content = match check_inside(&name) {
            Ok(()) => {
                let target = folder.join(&name);
                let stamp = Stamp::of(&target);
                named.references.push(Reference { path: target, stamp });
                beside(folder, &name, max_bytes.min(left)).and_then(|(bytes, is_whole)| {
                    named.is_whole &= is_whole;
                    left = left.saturating_sub(bytes.len() as u64);
                    text(bytes).map_err(|problem| match problem.place {
                        Some((line, column)) => format!("{} (line {line}, column {column})", problem.sentence),
                        None => problem.sentence,
                    })
                })
            }
            Err(sentence) => Err(sentence),
        };
        named.files.insert(name, content);
    }
    named
}

/// Reads a file that a DAG file names; links must not lead out of the folder.
fn beside(folder: &Path, name: &str, max_bytes: u64) -> Result<(Vec<u8>, bool), String> {
    let outside = || "is outside of the DAG file's folder".to_owned();
    let folder = fs::canonicalize(folder).map_err(|error| sentence(&error))?;
    let target = fs::canonicalize(folder.join(name)).map_err(|error| sentence(&error))?;
    if !target.starts_with(&folder) {
        return Err(outside());
    }
    bytes(&target, max_bytes).map(|(bytes, _, is_whole)| (bytes, is_whole))
}

/// Refuses what leads out of the folder by its spelling.
fn check_inside(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains('\0') {
        return Err("is not a path".to_owned());
    }
    for part in Path::new(name).components() {
        match part {
            // Where keys and settings are; no DAG file is hidden either.
            Component::Normal(name) if name.as_encoded_bytes().starts_with(b".") => {
                return Err("must not be hidden".to_owned());
            }
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err("must not contain `..`".to_owned()),
            Component::RootDir | Component::Prefix(_) => {
                return Err("must be relative to the DAG file's folder".to_owned());
            }
        }
    }
    Ok(())
}

/// Reads a whole file of at most `max` bytes. Says what it was when reading began, and whether it still was then.
pub(super) fn bytes(path: &Path, max: u64) -> Result<(Vec<u8>, Stamp, bool), String> {
    // Opening a pipe would wait for somebody to write into it.
    let flags = nix::libc::O_NONBLOCK;
    let mut file: File =
        OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| sentence(&error))?;
    let found = file.metadata().map_err(|error| sentence(&error))?;
    if !found.is_file() {
        return Err(if found.is_dir() { "is a folder" } else { "is not a regular file" }.to_owned());
    }
    let too_large = |bytes: u64| Err(format!("is larger than {} ({bytes} bytes)", size(max)));
    if found.len() > max {
        return too_large(found.len());
    }
    let stamp = Stamp::from(&found);
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    (&mut file).take(max + 1).read_to_end(&mut bytes).map_err(|error| sentence(&error))?;
    if bytes.len() as u64 > max {
        return too_large(bytes.len() as u64);
    }
    let is_whole = file.metadata().is_ok_and(|after| Stamp::from(&after) == stamp);
    Ok((bytes, stamp, is_whole))
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes >= MIB && bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

fn sentence(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "does not exist".to_owned();
    }
    format!("cannot be read: {error}")
}

/// Takes bytes as text, or says where they are none.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Problem { sentence: "is UTF-16, not UTF-8; save it as UTF-8".to_owned(), place: Some((1, 1)) };
        }
        let before = String::from_utf8_lossy(&bytes[..good]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let sentence = format!("is not UTF-8: the byte {:#04x} is no character", bytes[good]);
        Problem { sentence, place: Some((line, column)) }
    })
}

fn hash(text: &str, files: &BTreeMap<String, Result<String, String>>) -> String {
    let mut hash = Sha256::new();
    let mut part = |tag: u8, part: &str| {
        hash.update([tag]);
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    };
    part(0, text);
    for (name, content) in files {
        part(1, name);
        match content {
            Ok(text) => part(2, text),
            Err(sentence) => part(3, sentence),
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
