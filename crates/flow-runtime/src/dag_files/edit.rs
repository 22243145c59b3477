//! Reads and changes single DAG files, for people who edit them: never outside of the DAG folder, and never half.
//!
//! A path comes from a request. It is a file below the folder as [`super::DagFolder`] would list it: `*.yaml` or `*.yml`,
//! nothing hidden, nothing that an ignore file names; and links must not lead out.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use flow_core::Timestamp;
use nix::{
    libc,
    unistd::{AccessFlags, access},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Limits, read, walk};

/// Longest path.
const PATH_BYTES_MAX: usize = 1_000;
/// Longest name of a file or folder, as most file systems have it.
const NAME_BYTES_MAX: usize = 255;
/// Deepest folder.
const DEPTH_MAX: usize = 32;

/// The DAG folder of someone who edits. All changes of a process go through one, so that none overtakes another; those of
/// other processes wait for a lock on the folder.
pub struct Editor {
    root: PathBuf,
    limits: Limits,
    changing: Mutex<()>,
}

/// A DAG file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DagFile {
    pub text: String,
    /// SHA-256 of the text, hexadecimal: tells whether it has changed.
    pub etag: String,
}

/// A DAG file in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Below the folder, with `/`.
    pub path: String,
    pub bytes: u64,
    pub modified: Timestamp,
}

/// Why a file cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("the file does not exist")]
    Missing,
    /// It is not as it was read, or there is one already.
    #[error("{0}")]
    Changed(&'static str),
    /// No file may be called so, or hold this.
    #[error("{0}")]
    Refused(String),
    /// The file system says no.
    #[error("{0}")]
    Failed(String),
}

const IS_CHANGED: FileError = FileError::Changed("the file has changed since it was read");

impl Editor {
    /// Looks after a folder, which need not exist.
    pub fn new(root: impl Into<PathBuf>, limits: Limits) -> Self {
        Self { root: root.into(), limits, changing: Mutex::new(()) }
    }

    /// Says why nothing can be changed, if so.
    pub fn obstacle(&self) -> Option<String> {
        let folder = self.root.display();
        if !self.root.is_dir() {
            return Some(format!("the DAG folder `{folder}` is not on the host of the web server"));
        }
        let may_write = access(&self.root, AccessFlags::W_OK | AccessFlags::X_OK);
        may_write
            .err()
            .map(|error| format!("the web server cannot write to the DAG folder `{folder}`: {}", error.desc()))
    }

    /// Lists at most so many DAG files, by path.
    ///
    /// # Errors
    ///
    /// Why the folder cannot be read.
    pub fn list(&self, most: usize) -> Result<Vec<Listed>, String> {
        let about_folder = |problem: String| format!("the DAG folder `{}` {problem}", self.root.display());
        let listing =
            walk::list(&self.root, self.limits.files.min(most)).map_err(|problem| about_folder(problem.sentence))?;
        let root = fs::canonicalize(&self.root).map_err(|error| about_folder(format!("cannot be read: {error}")))?;
        let leads_inside = |path: &Path| fs::canonicalize(path).is_ok_and(|target| target.starts_with(&root));
        // Each folder is followed once, and of its files only the links.
        let mut folders: BTreeMap<PathBuf, bool> = BTreeMap::new();
        let mut is_inside = |path: &str| {
            let path = root.join(path);
            let folder = path.parent().unwrap_or(&root);
            let is_folder_inside = match folders.get(folder) {
                Some(known) => *known,
                None => *folders.entry(folder.to_owned()).or_insert(leads_inside(folder)),
            };
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => leads_inside(&path),
                Ok(_) => is_folder_inside,
                Err(_) => false,
            }
        };
        let listed = listing.files.into_iter().filter(|(path, _)| is_inside(path)).map(|(path, stamp)| Listed {
            path,
            bytes: stamp.bytes,
            modified: Timestamp::from_micros(
                stamp.modified.0.saturating_mul(1_000_000).saturating_add(stamp.modified.1 / 1_000),
            ),
        });
        Ok(listed.collect())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub fn read(&self, path: &str) -> Result<DagFile, FileError> {
        check_path(path)?;
        self.read_target(&self.existing(path)?.ok_or(FileError::Missing)?)
    }

    /// Writes a file, whole or not at all. `etag`: of the text that it takes the place of; `None` = there is none yet.
    /// Returns the one of this text.
    ///
    /// # Errors
    ///
    /// When the file is another than expected, or it cannot be written.
    pub fn write(&self, path: &str, text: &str, etag: Option<&str>) -> Result<String, FileError> {
        check_path(path)?;
        if text.len() as u64 > self.limits.file_bytes {
            return Err(FileError::Refused(format!("the text is larger than {} bytes", self.limits.file_bytes)));
        }
        let _turn = self.turn();
        match (self.existing(path)?, etag) {
            (Some(_), None) => Err(FileError::Changed("there is a file of this name already")),
            (None, Some(_)) => Err(FileError::Changed("the file has been removed since it was read")),
            (Some(target), Some(etag)) => self.replace(&target, text, etag),
            (None, None) => self.create(path, text),
        }?;
        Ok(etag_of(text))
    }

    /// Removes a file. `etag`: of the text that it must hold.
    ///
    /// # Errors
    ///
    /// When there is none, it is another than expected, or it cannot be removed.
    pub fn remove(&self, path: &str, etag: Option<&str>) -> Result<(), FileError> {
        check_path(path)?;
        let _turn = self.turn();
        let target = self.existing(path)?.ok_or(FileError::Missing)?;
        if let Some(etag) = etag
            && self.read_target(&target)?.etag != etag
        {
            return Err(IS_CHANGED);
        }
        // A link goes, what it leads to stays.
        let named = self.root.join(path);
        fs::remove_file(&named).map_err(|error| failed("removed", &error))?;
        keep_folder(named.parent().unwrap_or(&self.root))
    }

    /// Reads the files that a text names with `$f`, as if it were the file at `path`.
    ///
    /// # Errors
    ///
    /// When no DAG file could be there.
    pub fn named(
        &self,
        path: Option<&str>,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, Result<String, String>>, FileError> {
        path.map_or(Ok(()), check_path)?;
        let folder = path.and_then(|path| Path::new(path).parent()).map_or(self.root.clone(), |at| self.root.join(at));
        let missing = |why: &str| names.iter().map(|name| (name.clone(), Err(why.to_owned()))).collect();
        let Ok(root) = fs::canonicalize(&self.root) else {
            return Ok(missing("cannot be read: there is no DAG folder"));
        };
        match fs::canonicalize(&folder) {
            Ok(folder) if folder.starts_with(&root) => Ok(read::named(&folder, names, self.limits.file_bytes).files),
            Ok(_) => Ok(missing("is outside of the DAG folder")),
            Err(_) => Ok(missing("does not exist")),
        }
    }

    /// Waits until nobody else changes the folder, here or on another process of this host.
    fn turn(&self) -> Turn<'_> {
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = File::open(&self.root).and_then(|folder| folder.lock().map(|()| folder));
        if let Err(error) = &locked
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the DAG folder cannot be locked: other web servers may write over a change");
        }
        Turn { _changing: changing, _folder: locked.ok() }
    }

    /// Returns where the file at a path really is; `None` when there is none.
    fn existing(&self, path: &str) -> Result<Option<PathBuf>, FileError> {
        let named = self.root.join(path);
        let target = match fs::canonicalize(&named) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&named).is_err() => {
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FileError::Refused("the path is a link to something that does not exist".to_owned()));
            }
            Err(error) => return Err(failed("looked at", &error)),
        };
        let root = fs::canonicalize(&self.root).map_err(|error| failed("looked at", &error))?;
        // What leads out of the folder, or is none of its DAG files, is not there.
        if !target.starts_with(&root) || !walk::holds(&self.root, Path::new(path)) {
            return Err(FileError::Missing);
        }
        Ok(Some(target))
    }

    fn read_target(&self, target: &Path) -> Result<DagFile, FileError> {
        let sentence = |problem: String| FileError::Failed(format!("the file {problem}"));
        let (bytes, ..) = read::bytes(target, self.limits.file_bytes).map_err(sentence)?;
        let text = read::text(bytes).map_err(|problem| sentence(problem.sentence))?;
        Ok(DagFile { etag: etag_of(&text), text })
    }

    fn replace(&self, target: &Path, text: &str, etag: &str) -> Result<(), FileError> {
        let rights = fs::metadata(target).map_err(|error| failed("looked at", &error))?.permissions();
        let folder = target.parent().unwrap_or(&self.root);
        // Nobody reads it before it has the rights of the file.
        let draft = Draft::write(folder, text, 0o600)?;
        fs::set_permissions(&draft.path, rights).map_err(|error| failed("written", &error))?;
        // As late as it can be: whoever writes to the file beside us asks nobody.
        if self.read_target(target)?.etag != etag {
            return Err(IS_CHANGED);
        }
        fs::rename(&draft.path, target).map_err(|error| failed("written", &error))?;
        keep_folder(folder)
    }

    fn create(&self, path: &str, text: &str) -> Result<(), FileError> {
        let root = fs::canonicalize(&self.root).map_err(|error| failed("written", &error))?;
        let named = self.root.join(path);
        let folder = named.parent().unwrap_or(&self.root);
        // Folders are made only below what is inside.
        let there = folder.ancestors().find(|above| above.exists()).unwrap_or(&self.root);
        let is_inside = |folder: &Path| fs::canonicalize(folder).is_ok_and(|found| found.starts_with(&root));
        let outside = || FileError::Refused("the path leads out of the DAG folder".to_owned());
        if !is_inside(there) {
            return Err(outside());
        }
        fs::create_dir_all(folder).map_err(|error| failed("written", &error))?;
        if !is_inside(folder) {
            return Err(outside());
        }
        let draft = Draft::write(folder, text, 0o666)?;
        match fs::hard_link(&draft.path, &named) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(IS_CHANGED),
            // Not whole at once, but never over another.
            Err(error) if lacks_links(&error) => Draft::at(named.clone(), text, 0o666)?.keep(),
            Err(error) => return Err(failed("written", &error)),
        }
        drop(draft);
        if !walk::holds(&self.root, Path::new(path)) {
            let _ = fs::remove_file(&named);
            return Err(FileError::Refused("`.flowignore` or `.airflowignore` leaves this file out".to_owned()));
        }
        // The new folders are names in others.
        folder.ancestors().take_while(|above| above.starts_with(there)).try_for_each(keep_folder)
    }
}

/// Nobody else changes the folder.
struct Turn<'a> {
    _changing: MutexGuard<'a, ()>,
    /// Locked until it is closed.
    _folder: Option<File>,
}

/// A file that is written beside the one whose place it will take; it is gone when it was not needed.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// `mode`: rights, less those that the umask takes.
    fn write(folder: &Path, text: &str, mode: u32) -> Result<Self, FileError> {
        // Hidden, and no DAG file: nobody reads it by mistake.
        Self::at(folder.join(format!(".flow-{}.tmp", Uuid::new_v4().simple())), text, mode)
    }

    /// Writes a file that must not be there yet.
    fn at(path: PathBuf, text: &str, mode: u32) -> Result<Self, FileError> {
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let mut file = opened.map_err(|error| {
            let is_there = error.kind() == io::ErrorKind::AlreadyExists;
            if is_there { IS_CHANGED } else { failed("written", &error) }
        })?;
        // From here on it is ours to remove.
        let draft = Self { path };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| failed("written", &error))?;
        Ok(draft)
    }

    /// Lets the file stay where it is.
    fn keep(mut self) {
        self.path.clear();
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // After a rename there is none.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the names in a folder outlive a power cut.
fn keep_folder(folder: &Path) -> Result<(), FileError> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Not every file system can.
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(FileError::Failed(format!("the change is made, but may not outlive a power cut: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says whether a file system has no second names for a file.
fn lacks_links(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP | libc::ENOSYS))
}

fn failed(what: &str, error: &io::Error) -> FileError {
    FileError::Failed(format!("the file cannot be {what}: {error}"))
}

fn etag_of(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Refuses what no DAG file is called.
fn check_path(path: &str) -> Result<(), FileError> {
    let refuse = |why: &str| Err(FileError::Refused(format!("no DAG file can have this path: {why}")));
    if path.is_empty() || path.len() > PATH_BYTES_MAX {
        return refuse("it must have 1 to 1,000 bytes");
    }
    if path.chars().any(|letter| letter.is_control() || letter == '\\') {
        return refuse("it holds a control character or `\\`");
    }
    if path.split('/').count() > DEPTH_MAX {
        return refuse("it is more than 32 folders deep");
    }
    for name in path.split('/') {
        if name.is_empty() || name.starts_with('.') {
            return refuse("it must be relative to the DAG folder, without `..` and hidden names");
        }
        if name.len() > NAME_BYTES_MAX {
            return refuse("a name in it is longer than 255 bytes");
        }
    }
    if !walk::is_dag_file(Path::new(path)) {
        return refuse("it must end in `.yaml` or `.yml`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &str = "dag_id: a\ntasks: [{ id: t }]\n";

    fn editor(files: &[(&str, &str)]) -> (tempfile::TempDir, Editor) {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("dags");
        fs::create_dir(&root).unwrap();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let editor = Editor::new(root, Limits::default());
        (home, editor)
    }

    /// Everything below the home, without folders.
    fn everything(home: &Path) -> Vec<String> {
        let mut waiting = vec![home.to_owned()];
        let mut found = Vec::new();
        while let Some(path) = waiting.pop() {
            if path.is_dir() && !path.is_symlink() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                found.push(path.strip_prefix(home).unwrap().display().to_string());
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_file_is_written_read_changed_and_removed() {
        let (home, editor) = editor(&[]);
        let first = editor.write("team/a.yaml", TEXT, None).unwrap();
        assert_eq!(editor.read("team/a.yaml"), Ok(DagFile { text: TEXT.to_owned(), etag: first.clone() }));
        let second = editor.write("team/a.yaml", "tasks: []\n", Some(&first)).unwrap();
        assert_ne!(first, second);
        let listed = editor.list(10).unwrap();
        assert_eq!((listed[0].path.as_str(), listed[0].bytes, listed.len()), ("team/a.yaml", 10, 1));
        assert_eq!(everything(home.path()), ["dags/team/a.yaml"]);
        editor.remove("team/a.yaml", Some(&second)).unwrap();
        assert_eq!(everything(home.path()), [] as [&str; 0]);
    }

    #[test]
    fn what_has_changed_meanwhile_is_not_written_over() {
        let (home, editor) = editor(&[("a.yaml", TEXT)]);
        let etag = editor.read("a.yaml").unwrap().etag;
        fs::write(home.path().join("dags/a.yaml"), "dag_id: other\n").unwrap();
        assert_eq!(editor.write("a.yaml", "x: 1\n", Some(&etag)), Err(IS_CHANGED));
        assert_eq!(editor.remove("a.yaml", Some(&etag)), Err(IS_CHANGED));
        assert!(matches!(editor.write("a.yaml", "x: 1\n", None), Err(FileError::Changed(_))));
        assert!(matches!(editor.write("b.yaml", "x: 1\n", Some(&etag)), Err(FileError::Changed(_))));
        assert_eq!(editor.read("a.yaml").unwrap().text, "dag_id: other\n");
        assert_eq!(everything(home.path()), ["dags/a.yaml"]);
    }

    #[test]
    fn a_file_keeps_its_rights() {
        let (home, editor) = editor(&[("a.yaml", TEXT)]);
        let path = home.path().join("dags/a.yaml");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let etag = editor.read("a.yaml").unwrap().etag;
        editor.write("a.yaml", "x: 1\n", Some(&etag)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_draft_is_for_nobody_else_and_takes_no_other_file() {
        let (home, _) = editor(&[]);
        let draft = Draft::write(home.path(), "x", 0o600).unwrap();
        assert_eq!(fs::metadata(&draft.path).unwrap().permissions().mode() & 0o777, 0o600);
        let other = Draft::at(draft.path.clone(), "y", 0o600);
        assert!(matches!(other, Err(IS_CHANGED)));
        assert_eq!(fs::read_to_string(&draft.path).unwrap(), "x");
        drop(draft);
        assert_eq!(everything(home.path()), [] as [&str; 0]);
        Draft::at(home.path().join("a.yaml"), "x", 0o666).unwrap().keep();
        assert_eq!(everything(home.path()), ["a.yaml"]);
    }

    #[test]
    fn only_a_lack_of_links_is_no_obstacle() {
        let lacks = [libc::EPERM, libc::EOPNOTSUPP, libc::EACCES, libc::ENOSPC, libc::EEXIST]
            .map(|number| lacks_links(&io::Error::from_raw_os_error(number)));
        assert_eq!(lacks, [true, true, false, false, false]);
    }

    #[test]
    fn another_process_that_changes_the_folder_is_waited_for() {
        let (home, editor) = editor(&[("a.yaml", TEXT)]);
        let etag = editor.read("a.yaml").unwrap().etag;
        // Each opened folder has a lock of its own, as each process has.
        let other = File::open(home.path().join("dags")).unwrap();
        other.lock().unwrap();
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| done.send(editor.write("a.yaml", "late: 1\n", Some(&etag))).unwrap());
            assert!(is_done.recv_timeout(std::time::Duration::from_millis(300)).is_err());
            fs::write(home.path().join("dags/a.yaml"), "first: 1\n").unwrap();
            other.unlock().unwrap();
            assert_eq!(is_done.recv().unwrap(), Err(IS_CHANGED));
        });
        assert_eq!(editor.read("a.yaml").unwrap().text, "first: 1\n");
    }

    #[test]
    fn no_path_leads_out_or_to_what_is_hidden() {
        let (home, editor) = editor(&[("a.yaml", TEXT), (".hidden/b.yaml", TEXT), ("notes.txt", "x")]);
        fs::write(home.path().join("secret.yaml"), "password: x\n").unwrap();
        let before = everything(home.path());
        let long = format!("{}.yaml", "x".repeat(300));
        let deep = format!("{}a.yaml", "d/".repeat(40));
        let paths = [
            "../secret.yaml",
            "x/../../secret.yaml",
            "/etc/passwd.yaml",
            ".hidden/b.yaml",
            "./a.yaml",
            "a//b.yaml",
            "",
            "notes.txt",
            ".yaml",
            "a.yaml/",
            "a\0.yaml",
            "a\n.yaml",
            "..\\secret.yaml",
            &long,
            &deep,
        ];
        for path in paths {
            assert!(matches!(editor.read(path), Err(FileError::Refused(_))), "{path}");
            assert!(matches!(editor.write(path, TEXT, None), Err(FileError::Refused(_))), "{path}");
            assert!(matches!(editor.remove(path, None), Err(FileError::Refused(_))), "{path}");
        }
        assert_eq!(everything(home.path()), before);
    }

    #[test]
    fn links_lead_nowhere_outside() {
        let (home, editor) = editor(&[("in/a.yaml", TEXT)]);
        let (root, outside) = (home.path().join("dags"), home.path().join("outside"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.yaml"), "password: x\n").unwrap();
        symlink(outside.join("secret.yaml"), root.join("link.yaml")).unwrap();
        symlink(&outside, root.join("folder")).unwrap();
        symlink(outside.join("new.yaml"), root.join("nowhere.yaml")).unwrap();
        symlink(root.join("in/a.yaml"), root.join("inner.yaml")).unwrap();
        let before = everything(home.path());
        for path in ["link.yaml", "folder/secret.yaml"] {
            assert_eq!(editor.read(path), Err(FileError::Missing), "{path}");
            assert_eq!(editor.write(path, TEXT, Some("x")), Err(FileError::Missing), "{path}");
            assert_eq!(editor.remove(path, None), Err(FileError::Missing), "{path}");
        }
        for path in ["nowhere.yaml", "folder/new.yaml", "folder/deeper/new.yaml"] {
            assert!(matches!(editor.write(path, TEXT, None), Err(FileError::Refused(_))), "{path}");
        }
        assert_eq!(everything(home.path()), before);
        let paths: Vec<String> = editor.list(10).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["in/a.yaml", "inner.yaml"]);
        // What a link inside leads to is changed; the link stays.
        let etag = editor.read("inner.yaml").unwrap().etag;
        editor.write("inner.yaml", "x: 1\n", Some(&etag)).unwrap();
        assert_eq!(editor.read("in/a.yaml").unwrap().text, "x: 1\n");
        assert!(root.join("inner.yaml").is_symlink());
    }

    #[test]
    fn what_is_ignored_is_not_there() {
        let (home, editor) = editor(&[(".flowignore", "drafts/\n"), ("drafts/a.yaml", TEXT)]);
        assert_eq!(editor.read("drafts/a.yaml"), Err(FileError::Missing));
        assert!(matches!(editor.write("drafts/b.yaml", TEXT, None), Err(FileError::Refused(_))));
        assert_eq!(everything(home.path()), ["dags/.flowignore", "dags/drafts/a.yaml"]);
    }

    #[test]
    fn files_that_a_text_names_are_beside_it() {
        let (home, editor) = editor(&[("team/sql/load.sql", "SELECT"), ("other.txt", "x")]);
        fs::write(home.path().join("secret.txt"), "x").unwrap();
        let names = || vec!["sql/load.sql".to_owned(), "../other.txt".to_owned(), "../../secret.txt".to_owned()];
        let found = editor.named(Some("team/new.yaml"), names()).unwrap();
        assert_eq!(found["sql/load.sql"], Ok("SELECT".to_owned()));
        assert!(found["../other.txt"].is_err() && found["../../secret.txt"].is_err());
        assert!(editor.named(None, names()).unwrap()["sql/load.sql"].is_err());
        fs::write(home.path().join("dags/team/.env"), "x").unwrap();
        let dotted = editor.named(Some("team/new.yaml"), vec![".env".to_owned(), "./sql/load.sql".to_owned()]).unwrap();
        assert_eq!(dotted[".env"], Err("must not be hidden".to_owned()));
        assert_eq!(dotted["./sql/load.sql"], Ok("SELECT".to_owned()));
        assert!(editor.named(Some("none/new.yaml"), names()).unwrap().values().all(Result::is_err));
        assert!(editor.named(Some("../new.yaml"), names()).is_err());
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_obstacle() {
        let home = tempfile::tempdir().unwrap();
        let editor = Editor::new(home.path().join("none"), Limits::default());
        assert!(editor.obstacle().unwrap().contains("is not on the host"));
        assert!(editor.list(10).is_err());
        assert_eq!(editor.read("a.yaml"), Err(FileError::Missing));
        assert!(matches!(editor.write("a.yaml", TEXT, None), Err(FileError::Failed(_))));
        assert_eq!(everything(home.path()), [] as [&str; 0]);
    }
}
