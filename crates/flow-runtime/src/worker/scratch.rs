//! Folders for attempts to work in, used again as long as they are left empty.
//!
//! Making and removing a folder for each of many short tasks costs more than looking whether one is empty. The
//! folders of a process are below one that bears its id, so that those of a dead one can be removed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The folders of one process.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    free: Mutex<Vec<PathBuf>>,
    named: AtomicUsize,
}

impl Scratch {
    /// Takes a folder below `root` for the process with this id. Makes nothing yet.
    pub fn new(root: &Path, process: &str) -> Self {
        Self { root: root.join(process), free: Mutex::default(), named: AtomicUsize::new(0) }
    }

    /// Returns a folder that is empty or does not exist.
    pub fn take(&self) -> PathBuf {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| self.root.join(self.named.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    /// Takes a folder back, and empties it. May block for as long as removing files does. A folder that cannot be
    /// emptied is not used again.
    pub fn give_back(&self, folder: PathBuf) {
        let emptied = match fs::read_dir(&folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Ok(()),
            Ok(false) => fs::remove_dir_all(&folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        match emptied {
            Ok(()) => self.free.lock().unwrap_or_else(PoisonError::into_inner).push(folder),
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "could not empty the folder of a task"),
        }
    }

    /// Removes the folders of a process that is gone.
    pub fn remove_of(&self, process: &str) {
        let Some(folder) = self.root.parent().map(|root| root.join(process)) else { return };
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, folder = %folder.display(), "could not remove the folders of a dead process");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// Removes the folders of this process.
    pub fn remove(&self) {
        if let Some(process) = self.root.file_name().and_then(|name| name.to_str()) {
            self.remove_of(process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_left_empty_is_used_again() {
        let home = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(home.path(), "me");
        let first = scratch.take();
        fs::create_dir_all(&first).unwrap();
        assert_ne!(scratch.take(), first, "it is in use");
        scratch.give_back(first.clone());
        assert_eq!(scratch.take(), first);
        assert!(first.is_dir());
    }

    #[test]
    fn what_an_attempt_leaves_behind_is_not_there_for_the_next() {
        let home = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(home.path(), "me");
        let folder = scratch.take();
        fs::create_dir_all(folder.join("deep")).unwrap();
        fs::write(folder.join("deep/secret"), "x").unwrap();
        scratch.give_back(folder.clone());
        assert_eq!(scratch.take(), folder);
        assert!(!folder.exists());
    }

    #[test]
    fn only_the_folders_of_the_dead_are_removed() {
        let home = tempfile::tempdir().unwrap();
        let (dead, alive) = (Scratch::new(home.path(), "dead").take(), Scratch::new(home.path(), "alive"));
        fs::create_dir_all(&dead).unwrap();
        let mine = alive.take();
        fs::create_dir_all(&mine).unwrap();
        alive.remove_of("dead");
        assert!(!dead.exists() && mine.exists());
        alive.remove();
        assert!(!mine.exists());
    }
}
