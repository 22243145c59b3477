//! The files of the DAG folder: what the server asks of whoever keeps them.

use std::collections::BTreeMap;

use flow_core::Timestamp;

use crate::Later;

/// A DAG file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DagFile {
    pub text: String,
    /// Tells whether the text has changed.
    pub etag: String,
}

/// A DAG file in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DagFileLine {
    /// Below the DAG folder, with `/`.
    pub path: String,
    pub bytes: u64,
    pub modified: Timestamp,
}

/// The DAG files, and why none of them can be changed, if so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DagFileList {
    pub files: Vec<DagFileLine>,
    pub obstacle: Option<String>,
}

/// Why a DAG file cannot be read or changed; each is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DagFileError {
    Missing(String),
    /// It is not as it was read, or there is one already.
    Changed(String),
    /// No file may be called so, or hold this.
    Refused(String),
    /// It is there, and cannot be read or written.
    Failed(String),
}

/// Texts of files by the name under which a DAG file names them, or why there are none.
pub type NamedFiles = BTreeMap<String, Result<String, String>>;

/// Keeps the DAG folder. Paths come from requests: whoever keeps it lets none of them lead out. Waiting for files is its
/// own matter: it must not hold up the threads that serve requests.
pub trait DagFiles: Send + Sync {
    /// Lists at most so many files, by path.
    fn list(&self, most: usize) -> Later<'_, DagFileList>;

    fn read<'a>(&'a self, path: &'a str) -> Later<'a, Result<DagFile, DagFileError>>;

    /// Writes a file, whole or not at all, in the place of the text with this `etag`; `None` = there is none yet. Returns
    /// the `etag` of the text.
    fn write<'a>(
        &'a self,
        path: &'a str,
        text: &'a str,
        etag: Option<&'a str>,
    ) -> Later<'a, Result<String, DagFileError>>;

    fn remove<'a>(&'a self, path: &'a str, etag: Option<&'a str>) -> Later<'a, Result<(), DagFileError>>;

    /// Reads the files that a text names with `$f`, as if it were the DAG file at `path`.
    fn named<'a>(&'a self, path: Option<&'a str>, names: Vec<String>) -> Later<'a, Result<NamedFiles, DagFileError>>;
}
