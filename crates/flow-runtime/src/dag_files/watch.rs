//! Tells when a look at the DAG folder is worth it.
//!
//! Events of the file system, gathered until it is quiet, and a slow beat for where there are none (network file
//! systems, too many folders to watch, links that lead elsewhere). Knows nothing of what is in the folder.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::walk::IGNORE_FILES;

/// A file is not looked at before nothing has happened for so long, since it may be half written…
const QUIET: Duration = Duration::from_millis(120);

/// …but at the latest after this, since something else may never be quiet.
const PATIENCE: Duration = Duration::from_millis(400);

/// Least time between two looks.
const GAP: Duration = Duration::from_millis(300);

/// How often it is checked that the watched folder is still the one at its path.
const CHECK: Duration = Duration::from_secs(1);

/// When watching failed, it is tried again after this.
const RETRY: Duration = Duration::from_secs(60);

/// Why to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poke {
    /// Something has happened in the folder, or to it.
    Event,
    /// Nothing is known to have happened for the length of the interval.
    Interval,
}

/// Pokes whoever looks at the folder. Ends when dropped.
pub struct Watch {
    pokes: mpsc::Receiver<Poke>,
    task: JoinHandle<()>,
}

/// Watches a folder, which need not exist yet. Must be called within a tokio runtime.
pub fn watch(root: impl Into<PathBuf>, scan_interval: Duration) -> Watch {
    let (sender, pokes) = mpsc::channel(1);
    let task = tokio::spawn(Eyes::new(root.into()).run(sender, scan_interval));
    Watch { pokes, task }
}

impl Watch {
    /// Waits for the next poke. Those that came since the last call are one. May be dropped while it waits.
    pub async fn next(&mut self) -> Poke {
        match self.pokes.recv().await {
            Some(poke) => poke,
            // The task ends only with the runtime.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells one folder from another that later has its path.
type FolderId = (u64, u64, Option<SystemTime>);

struct Eyes {
    root: PathBuf,
    events: mpsc::Receiver<()>,
    signal: Signal,
    watcher: Option<(RecommendedWatcher, FolderId)>,
    failed_at: Option<Instant>,
}

/// What the file system's thread tells.
#[derive(Clone)]
struct Signal {
    root: PathBuf,
    events: mpsc::Sender<()>,
    /// The folder itself went away, or not all of it is watched.
    is_lost: Arc<AtomicBool>,
}

impl Eyes {
    fn new(root: PathBuf) -> Self {
        let (sender, events) = mpsc::channel(1);
        let signal = Signal { root: root.clone(), events: sender, is_lost: Arc::default() };
        Self { root, events, signal, watcher: None, failed_at: None }
    }

    async fn run(mut self, pokes: mpsc::Sender<Poke>, scan_interval: Duration) {
        let mut check = interval(CHECK.min(scan_interval));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut poked_at = Instant::now();
        loop {
            let poke = tokio::select! {
                Some(()) = self.events.recv() => {
                    self.wait_until_quiet().await;
                    sleep_until(poked_at + GAP).await;
                    Some(Poke::Event)
                }
                _ = check.tick() => {
                    if self.keep_watching().await {
                        Some(Poke::Event)
                    } else {
                        (poked_at.elapsed() >= scan_interval).then_some(Poke::Interval)
                    }
                }
            };
            if let Some(poke) = poke {
                poked_at = Instant::now();
                // When it is full, a poke is on its way already.
                let _ = pokes.try_send(poke);
            }
        }
    }

    async fn wait_until_quiet(&mut self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let step = QUIET.min(until.saturating_duration_since(Instant::now()));
            if timeout(step, self.events.recv()).await.is_err() {
                return;
            }
        }
    }

    /// Watches the folder that is at the path. Says whether that changed, so that something may have been missed.
    async fn keep_watching(&mut self) -> bool {
        let found = tokio::fs::metadata(&self.root).await.ok().filter(std::fs::Metadata::is_dir).map(|found| {
            use std::os::unix::fs::MetadataExt;
            (found.dev(), found.ino(), found.created().ok())
        });
        let is_lost = self.signal.is_lost.swap(false, Ordering::SeqCst);
        let Some(id) = found else { return self.watcher.take().is_some() };
        if !is_lost && self.watcher.as_ref().is_some_and(|(_, watched)| *watched == id) {
            return false;
        }
        if !is_lost && self.watcher.is_none() && self.failed_at.is_some_and(|at| at.elapsed() < RETRY) {
            return false;
        }
        self.watcher = None;
        let signal = self.signal.clone();
        let started = tokio::task::spawn_blocking(move || start(signal)).await;
        match started {
            Ok(Ok(watcher)) => {
                if self.failed_at.take().is_some() {
                    tracing::info!(folder = %self.root.display(), "the DAG folder is watched again");
                }
                self.watcher = Some((watcher, id));
            }
            Ok(Err(error)) => {
                if self.failed_at.replace(Instant::now()).is_none() {
                    let way_out = match error.kind {
                        notify::ErrorKind::MaxFilesWatch => "; raise fs.inotify.max_user_watches",
                        notify::ErrorKind::Generic(_)
                        | notify::ErrorKind::Io(_)
                        | notify::ErrorKind::PathNotFound
                        | notify::ErrorKind::WatchNotFound
                        | notify::ErrorKind::InvalidConfig(_) => "",
                    };
                    tracing::warn!(
                        folder = %self.root.display(),
                        "cannot watch the DAG folder, changes are seen only by looking at intervals: {error}{way_out}"
                    );
                }
            }
            Err(error) => tracing::error!("watching the DAG folder failed: {error}"),
        }
        true
    }
}

fn start(signal: Signal) -> notify::Result<RecommendedWatcher> {
    let root = signal.root.clone();
    let mut watcher = notify::recommended_watcher(move |event| signal.tell(event))?;
    watcher.watch(&root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

impl Signal {
    fn tell(&self, event: notify::Result<Event>) {
        match event {
            Ok(event) => {
                if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(notify::event::ModifyKind::Name(_)))
                    && event.paths.contains(&self.root)
                {
                    self.is_lost.store(true, Ordering::SeqCst);
                }
                if !is_interesting(&self.root, &event) {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(folder = %self.root.display(), "some of the DAG folder is not watched: {error}");
            }
        }
        // When it is full, it is told already.
        let _ = self.events.try_send(());
    }
}

/// Says whether an event may mean that a DAG file has changed. Reading a file is an event too, and must not be.
fn is_interesting(root: &Path, event: &Event) -> bool {
    let is_change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    };
    is_change
        && (event.paths.is_empty() || event.need_rescan() || event.paths.iter().any(|path| !is_hidden(root, path)))
}

/// Says whether a path is in or of a hidden file. Names with two dots are how Kubernetes swaps whole folders.
fn is_hidden(root: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    below.iter().any(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") && !name.starts_with(b"..") && !IGNORE_FILES.iter().any(|file| file.as_bytes() == name)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    /// Never during a test.
    const NEVER: Duration = Duration::from_secs(3_600);

    async fn event(watch: &mut Watch) {
        loop {
            if timeout(SOON, watch.next()).await.expect("a poke") == Poke::Event {
                return;
            }
        }
    }

    /// A folder that is watched: its first poke has come.
    async fn watched() -> (tempfile::TempDir, PathBuf, Watch) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("dags");
        fs::create_dir(&root).expect("made");
        let mut watch = watch(&root, NEVER);
        event(&mut watch).await;
        (folder, root, watch)
    }

    #[tokio::test]
    async fn a_saved_file_pokes_without_a_look() {
        let (_folder, root, mut watch) = watched().await;
        for text in ["a", "b"] {
            let started = std::time::Instant::now();
            fs::write(root.join("a.yaml"), text).expect("written");
            event(&mut watch).await;
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        }
    }

    #[tokio::test]
    async fn a_file_in_a_later_subfolder_pokes() {
        let (_folder, root, mut watch) = watched().await;
        fs::create_dir(root.join("sub")).expect("made");
        event(&mut watch).await;
        fs::write(root.join("sub/a.yaml"), "a").expect("written");
        event(&mut watch).await;
    }

    #[tokio::test]
    async fn a_burst_is_one_or_few_pokes() {
        let (_folder, root, mut watch) = watched().await;
        for n in 0..200 {
            fs::write(root.join(format!("{n}.yaml")), "x").expect("written");
        }
        event(&mut watch).await;
        let mut more = 0;
        while timeout(QUIET + PATIENCE + GAP, watch.next()).await.is_ok() {
            more += 1;
        }
        assert!(more <= 3, "{more} more");
    }

    #[tokio::test]
    async fn reading_and_hidden_files_poke_nobody() {
        let (_folder, root, mut watch) = watched().await;
        fs::create_dir(root.join(".git")).expect("made");
        fs::write(root.join(".git/index"), "x").expect("written");
        fs::read_dir(&root).expect("read");
        fs::read(root.join(".git/index")).expect("read");
        let waited = timeout(PATIENCE + GAP, watch.next()).await;
        assert!(waited.is_err(), "{waited:?}");
    }

    #[tokio::test]
    async fn a_folder_that_was_removed_and_came_back_is_watched_again() {
        let (_folder, root, mut watch) = watched().await;
        fs::remove_dir(&root).expect("removed");
        event(&mut watch).await;
        fs::create_dir(&root).expect("made");
        // One poke when it is watched again; the next is for the file.
        event(&mut watch).await;
        while timeout(CHECK + GAP, watch.next()).await.is_ok() {}
        fs::write(root.join("a.yaml"), "a").expect("written");
        event(&mut watch).await;
    }

    #[tokio::test]
    async fn a_folder_swapped_by_its_link_pokes() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("dags");
        for name in ["one", "two"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        std::os::unix::fs::symlink("one", &link).expect("linked");
        let mut watch = watch(&link, NEVER);
        event(&mut watch).await;
        std::os::unix::fs::symlink("two", folder.path().join("next")).expect("linked");
        fs::rename(folder.path().join("next"), &link).expect("moved");
        event(&mut watch).await;
        fs::write(folder.path().join("two/a.yaml"), "a").expect("written");
        event(&mut watch).await;
    }

    #[tokio::test]
    async fn without_events_the_interval_pokes() {
        let mut watch = watch("/nonexistent/dags", Duration::from_millis(20));
        assert_eq!(timeout(SOON, watch.next()).await.expect("a poke"), Poke::Interval);
        assert_eq!(timeout(SOON, watch.next()).await.expect("a poke"), Poke::Interval);
    }

    #[test]
    fn hidden_means_a_name_with_one_dot() {
        for (path, expected) in [
            ("a.yaml", false),
            ("sub/a.sql", false),
            (".git/index", true),
            ("sub/.a.yaml.swp", true),
            (".flowignore", false),
            ("sub/.airflowignore", false),
            ("..data", false),
        ] {
            assert_eq!(
                is_hidden(Path::new("/x/.flow/dags"), &Path::new("/x/.flow/dags").join(path)),
                expected,
                "{path}"
            );
        }
    }
}
