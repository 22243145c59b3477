//! Keeps the database in step with the DAG folder: reads what changed, checks it, and saves versions and errors.
//!
//! A broken file changes nothing but its own import error; a broken database is waited for. What files and folders
//! look like is in [`crate::dag_files`], what a document means in `flow_core::dag`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use flow_core::{
    catalog::Catalog,
    dag::{self, Diagnostic, ParsedDag, Severity, Source},
};
use flow_metrics::Metrics;
use flow_store::{DagSave, FileSave, Signal, Store, StoreError};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::{
    Clock, Stop,
    dag_files::{ChangeKind, Content, DagFolder, FOLDER, FileChange, watch},
    measure,
};

/// Files saved in one transaction.
const BATCH: usize = 100;
/// Before a file that was read in the middle of being written is read again.
const SETTLE: Duration = Duration::from_millis(150);
/// A file that the database refuses is given up after so many tries.
const REFUSALS: u32 = 3;
/// Between tries while the database is away.
const RETRY: Duration = Duration::from_millis(500);

/// What keeps the database in step with a folder.
pub struct FolderSync {
    pub store: Store,
    pub catalog: Arc<Catalog>,
    pub folder: DagFolder,
    pub clock: Clock,
    /// Part of each file's hash, so that another version of Flow reads every file again.
    pub version: String,
    pub paused_at_creation: bool,
    pub scan_interval: Duration,
    pub metrics: Metrics,
}

/// What one look at the folder found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    pub files: usize,
    pub new: usize,
    pub changed: usize,
    pub errors: usize,
}

/// A file that was read and is to be saved.
enum Ready {
    Read { content: Content, hash: String, dags: Vec<ParsedDag>, diagnostics: Vec<Diagnostic>, error_text: String },
    Problem(String),
    Removed,
}

impl FolderSync {
    /// Looks at the folder once, then whenever something changes in it, until asked to stop.
    pub async fn run(mut self, stop: Stop) {
        let mut pokes = watch(self.folder.root().to_owned(), self.scan_interval);
        let mut known = loop {
            match self.store.file_hashes().await {
                Ok(known) => break known,
                Err(error) => warn!(%error, "cannot read which DAG files are known; trying again"),
            }
            if stop.or(tokio::time::sleep(RETRY)).await.is_break() {
                return;
            }
        };
        let mut is_first = true;
        loop {
            self.read_again(&mut known).await;
            let suspects = self.look(&mut known, is_first, &stop).await;
            is_first = false;
            let wait = async {
                if suspects {
                    tokio::time::sleep(SETTLE).await;
                } else {
                    tokio::select! {
                        _ = pokes.next() => {}
                        () = self.asked() => {}
                    }
                }
            };
            if stop.or(wait).await.is_break() {
                return;
            }
        }
    }

    /// Waits until someone wants a file read again. On SQLite whatever another process writes is heard as every
    /// signal; the folder is not searched for that.
    async fn asked(&self) {
        loop {
            self.store.heard(Signal::Files).await;
            if !self.store.files_to_read_again().await.is_ok_and(|paths| paths.is_empty()) {
                return;
            }
        }
    }

    /// Forgets what is known of the files that someone wants read again.
    async fn read_again(&mut self, known: &mut BTreeMap<String, String>) {
        match self.store.files_to_read_again().await {
            Ok(paths) => {
                for path in paths {
                    known.remove(&path);
                    self.folder.recheck(&path);
                }
            }
            Err(error) => warn!(%error, "cannot find out which DAG files are to be read again"),
        }
    }

    /// Returns whether a file should be looked at again soon.
    async fn look(&mut self, known: &mut BTreeMap<String, String>, is_first: bool, stop: &Stop) -> bool {
        let started = self.clock.now();
        let changes = self.folder.scan();
        measure::looked_at_folder(&self.metrics);
        let mut ready: BTreeMap<String, Ready> = BTreeMap::new();
        let mut suspects = false;
        if is_first && self.folder.is_readable() {
            let present: BTreeSet<&str> = changes.iter().map(|change| change.path.as_str()).collect();
            let gone = known.keys().filter(|path| !present.contains(path.as_str()) && path.as_str() != FOLDER);
            ready.extend(gone.map(|path| (path.clone(), Ready::Removed)));
        }
        for FileChange { path, kind } in changes {
            let prepared = match kind {
                ChangeKind::Removed => Ready::Removed,
                ChangeKind::Problem(problem) => {
                    let place = problem
                        .place
                        .map(|(line, column)| format!("\n  --> {path}:{line}:{column}"))
                        .unwrap_or_default();
                    let subject = if path == FOLDER { "the DAG folder".to_owned() } else { format!("`{path}`") };
                    Ready::Problem(format!("error: {subject} {}{place}\n", problem.sentence))
                }
                ChangeKind::Changed(content) => {
                    let hash = format!("{} {}", self.version, content.hash);
                    if known.get(&path) == Some(&hash) {
                        continue;
                    }
                    let read = self.read(&path, content, hash);
                    if let Ready::Read { content, error_text, .. } = &read
                        && content.is_fresh
                        && !error_text.is_empty()
                    {
                        self.folder.recheck(&path);
                        suspects = true;
                        continue;
                    }
                    read
                }
            };
            ready.insert(path, prepared);
        }
        if ready.is_empty() {
            return suspects;
        }
        let mut synced = Synced { files: ready.len(), ..Synced::default() };
        let was_left_out = |path: &String| known.get(path).is_some_and(String::is_empty);
        let others_changed = ready.keys().any(|path| !was_left_out(path));
        let looked_at: BTreeSet<String> = ready.keys().cloned().collect();
        // What is gone comes first, so that a file under a new name finds its DAGs free.
        let (gone, there): (Vec<_>, Vec<_>) = ready.into_iter().partition(|(_, ready)| matches!(ready, Ready::Removed));
        let ready: Vec<(String, Ready)> = gone.into_iter().chain(there).collect();
        for batch in ready.chunks(BATCH) {
            self.save_in_time(batch, known, &mut synced, stop).await;
        }
        let took = self.clock.now().since(started);
        measure::read_folder(&self.metrics, synced.errors, took);
        info!(
            files = synced.files,
            new = synced.new,
            changed = synced.changed,
            errors = synced.errors,
            ?took,
            "read DAG files"
        );
        if others_changed {
            let left_out = known.iter().filter(|(path, hash)| hash.is_empty() && !looked_at.contains(*path));
            for (path, _) in left_out {
                self.folder.recheck(path);
                suspects = true;
            }
        }
        suspects
    }

    fn read(&self, path: &str, content: Content, hash: String) -> Ready {
        let began = Instant::now();
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let parsed = dag::parse(&Source { text: &content.text, stem, files: content.files.clone() }, &self.catalog);
        let errors: Vec<Diagnostic> =
            parsed.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
        let error_text: String = errors.iter().map(|found| found.render(path, &content.text, false) + "\n").collect();
        measure::read_file(&self.metrics, path, began.elapsed());
        Ready::Read { content, hash, dags: parsed.dags, diagnostics: errors, error_text }
    }

    /// Saves a batch, waiting for the database as long as it takes. A file that cannot be saved for a reason of its
    /// own is told and left out.
    async fn save_in_time(
        &self,
        batch: &[(String, Ready)],
        known: &mut BTreeMap<String, String>,
        synced: &mut Synced,
        stop: &Stop,
    ) {
        let mut refused = 0;
        loop {
            let error = match self.save(batch).await {
                Ok(saved) => {
                    for ((path, ready), dags) in batch.iter().zip(saved) {
                        self.note(path, ready, &dags, known, synced);
                    }
                    return;
                }
                Err(error) => error,
            };
            if !error.is_passing() && batch.len() > 1 {
                for one in batch.chunks(1) {
                    Box::pin(self.save_in_time(one, known, synced, stop)).await;
                }
                return;
            }
            let path = batch.first().map(|(path, _)| path.as_str()).unwrap_or_default();
            warn!(%error, path, "cannot save what was read from DAG files; trying again");
            refused += u32::from(!error.is_passing());
            if refused >= REFUSALS {
                return self.save_refusal(path, batch, &error, known).await;
            }
            if stop.or(tokio::time::sleep(RETRY)).await.is_break() {
                return;
            }
        }
    }

    /// The database refuses what is in this file, and only this: that is its import error.
    async fn save_refusal(
        &self,
        path: &str,
        batch: &[(String, Ready)],
        error: &StoreError,
        known: &mut BTreeMap<String, String>,
    ) {
        let saved = async {
            let mut tx = self.store.begin().await?;
            let problem = format!("error: `{path}` cannot be saved: {error}\n");
            tx.save_problem(path, "unreadable", &problem, self.clock.now()).await?;
            tx.commit().await
        };
        if let Err(error) = saved.await {
            warn!(%error, path, "left out until it changes, or until the next start");
        }
        if let Some((path, Ready::Read { hash, .. })) = batch.first() {
            known.insert(path.clone(), hash.clone());
        }
    }

    fn note(
        &self,
        path: &str,
        ready: &Ready,
        dags: &[DagSave],
        known: &mut BTreeMap<String, String>,
        synced: &mut Synced,
    ) {
        let mut fault = None;
        match ready {
            Ready::Read { hash, error_text, .. } => {
                // A file with a DAG that another file holds gets its turn when others change.
                let is_left_out = dags.contains(&DagSave::Duplicate);
                known.insert(path.to_owned(), if is_left_out { String::new() } else { hash.clone() });
                fault = Some(error_text.as_str());
            }
            Ready::Problem(problem) => {
                known.insert(path.to_owned(), "unreadable".to_owned());
                fault = Some(problem.as_str());
            }
            Ready::Removed => {
                known.remove(path);
                debug!(path, "a DAG file is gone");
            }
        }
        if let Some(text) = fault.filter(|text| !text.is_empty()) {
            synced.errors += 1;
            warn!("import error in {path}\n{}", text.trim_end());
        }
        synced.new += dags.iter().filter(|saved| **saved == DagSave::New).count();
        synced.changed += dags.iter().filter(|saved| **saved == DagSave::Changed).count();
    }

    async fn save(&self, batch: &[(String, Ready)]) -> Result<Vec<Vec<DagSave>>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut saved = Vec::with_capacity(batch.len());
        for (path, ready) in batch {
            saved.push(match ready {
                Ready::Read { content, hash, dags, diagnostics, error_text } => {
                    let save = FileSave {
                        path,
                        hash,
                        source_hash: &content.hash,
                        text: &content.text,
                        files: &content.files,
                        dags,
                        error_text,
                        diagnostics,
                        paused_at_creation: self.paused_at_creation,
                    };
                    tx.save_file(&save, now).await?
                }
                Ready::Problem(problem) => {
                    tx.save_problem(path, "unreadable", problem, now).await?;
                    Vec::new()
                }
                Ready::Removed => {
                    tx.remove_file(path, now).await?;
                    Vec::new()
                }
            });
        }
        tx.commit().await?;
        Ok(saved)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::dag_files::Limits;

    async fn sync(store: &Store, root: &Path) -> FolderSync {
        store.migrate().await.unwrap();
        FolderSync {
            store: store.clone(),
            catalog: Arc::new(flow_operators::all().catalog()),
            folder: DagFolder::new(root, Limits::default(), Clock::system()),
            clock: Clock::system(),
            version: "test".to_owned(),
            paused_at_creation: false,
            scan_interval: Duration::from_secs(60),
            metrics: Metrics::off(),
        }
    }

    async fn sqlite(folder: &Path) -> Store {
        Store::open(&format!("sqlite:{}", folder.join("flow.db").display())).await.unwrap()
    }

    /// Looks until nothing is suspect.
    async fn look(sync: &mut FolderSync, known: &mut BTreeMap<String, String>) {
        for _ in 0..10 {
            if !sync.look(known, false, &Stop::new()).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the folder never comes to rest");
    }

    async fn dag(store: &Store, dag_id: &str) -> (String, bool) {
        let dag = store.dag(dag_id).await.unwrap().unwrap();
        (dag.file, dag.is_stale)
    }

    const TEXT: &str = "dag_id: x\ntasks: [{ id: a, uses: empty }]\n";

    #[tokio::test]
    async fn a_file_with_a_new_name_keeps_its_dags() {
        let (home, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = sqlite(home.path()).await;
        let (mut sync, mut known) = (sync(&store, root.path()).await, BTreeMap::new());
        fs::write(root.path().join("z.yaml"), TEXT).unwrap();
        look(&mut sync, &mut known).await;
        assert_eq!(dag(&store, "x").await, ("z.yaml".to_owned(), false));
        fs::rename(root.path().join("z.yaml"), root.path().join("a.yaml")).unwrap();
        look(&mut sync, &mut known).await;
        assert_eq!(dag(&store, "x").await, ("a.yaml".to_owned(), false));
        assert_eq!(store.import_errors().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_someone_asks() {
        let (home, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = sqlite(home.path()).await;
        let (mut sync, mut known) = (sync(&store, root.path()).await, BTreeMap::new());
        fs::write(root.path().join("a.yaml"), TEXT).unwrap();
        look(&mut sync, &mut known).await;
        let before = store.file_hashes().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(tx.read_file_again("a.yaml").await.unwrap());
        assert!(!tx.read_file_again("../b.yaml").await.unwrap());
        tx.commit().await.unwrap();
        store.heard(Signal::Files).await;
        assert_ne!(store.file_hashes().await.unwrap(), before);
        sync.read_again(&mut known).await;
        look(&mut sync, &mut known).await;
        assert_eq!(store.file_hashes().await.unwrap(), before);
        assert_eq!(store.files_to_read_again().await.unwrap(), [] as [String; 0]);
    }

    #[tokio::test]
    async fn what_others_write_does_not_make_it_look_at_the_folder() {
        let (home, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (store, other) = (sqlite(home.path()).await, sqlite(home.path()).await);
        let (mut sync, mut known) = (sync(&store, root.path()).await, BTreeMap::new());
        fs::write(root.path().join("a.yaml"), TEXT).unwrap();
        look(&mut sync, &mut known).await;
        let ears = tokio::spawn({
            let store = store.clone();
            async move { store.listen().await }
        });
        let mut asked = Box::pin(sync.asked());
        store.signal(Signal::Files);
        let mut tx = other.begin().await.unwrap();
        tx.tell(&[flow_store::Event { kind: "test", ..Default::default() }], Clock::system().now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut asked).await.is_err());
        let mut tx = other.begin().await.unwrap();
        assert!(tx.read_file_again("a.yaml").await.unwrap());
        tx.commit().await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect("another process asked for a file");
        ears.abort();
    }

    #[tokio::test]
    async fn the_second_file_with_a_dag_takes_over_when_the_first_is_gone() {
        let (home, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = sqlite(home.path()).await;
        let (mut sync, mut known) = (sync(&store, root.path()).await, BTreeMap::new());
        for name in ["a.yaml", "b.yaml"] {
            fs::write(root.path().join(name), TEXT).unwrap();
        }
        look(&mut sync, &mut known).await;
        assert_eq!(dag(&store, "x").await, ("a.yaml".to_owned(), false));
        assert_eq!(store.import_errors().await.unwrap().len(), 1);
        fs::remove_file(root.path().join("a.yaml")).unwrap();
        look(&mut sync, &mut known).await;
        assert_eq!(dag(&store, "x").await, ("b.yaml".to_owned(), false));
        assert_eq!(store.import_errors().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_file_that_the_database_refuses_keeps_no_other_out() {
        let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
            println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
            return;
        };
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(&url).await.unwrap();
        let (mut sync, mut known) = (sync(&store, root.path()).await, BTreeMap::new());
        let bad = "dag_id: refused\ndescription: \"a\\0b\"\ntasks: [{ id: a, uses: empty }]\n";
        fs::write(root.path().join("refused.yaml"), bad).unwrap();
        fs::write(root.path().join("welcome.yaml"), TEXT.replace("x", "welcome")).unwrap();
        look(&mut sync, &mut known).await;
        assert!(store.dag("welcome").await.unwrap().is_some());
        let errors = store.import_errors().await.unwrap();
        assert_eq!(errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(), ["refused.yaml"]);
    }
}
