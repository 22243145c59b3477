//! Versions of DAGs, parsed once and kept while they are used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use flow_core::{
    Dag, TaskId, TaskIx,
    catalog::Catalog,
    dag::{Notifications, Severity, Source, parse},
};

use crate::{Store, StoreError, TaskSeed, Tx, VersionRow};

/// Tasks of all versions kept together; the least recently used versions go first.
const TASKS_KEPT: usize = 50_000;
/// What an empty DAG is counted as.
const DAG_WEIGHT: usize = 5;

/// A version of a DAG, ready for use.
#[derive(Debug)]
pub struct CachedDag {
    pub dag: Arc<Dag>,
    pub version_id: i64,
    /// From 1.
    pub number: i64,
    /// What is written of its tasks when a run is made.
    pub seeds: Vec<TaskSeed>,
    /// Some task looks at the run before.
    pub looks_back: bool,
    index: HashMap<TaskId, TaskIx>,
}

impl CachedDag {
    /// Prepares a parsed DAG.
    pub fn new(dag: Arc<Dag>, version_id: i64, number: i64) -> Self {
        Self {
            seeds: TaskSeed::of(&dag),
            looks_back: dag.tasks.iter().any(|task| task.depends_on_past || task.wait_for_downstream),
            index: dag.tasks.iter().enumerate().map(|(at, task)| (task.id.clone(), TaskIx::from(at))).collect(),
            dag,
            version_id,
            number,
        }
    }

    /// Finds a task's place by its id.
    pub fn task_ix(&self, id: &str) -> Option<TaskIx> {
        self.index.get(id).copied()
    }
}

impl VersionRow {
    /// Reads the DAG again from its text.
    ///
    /// # Errors
    ///
    /// What is wrong with it in the eyes of this program.
    pub fn parse(&self, catalog: &Catalog) -> Result<Dag, String> {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let parsed = parse(&Source { text: &self.text, stem, files: self.files.clone() }, catalog);
        let found = parsed.dags.into_iter().find(|parsed| parsed.document == self.document);
        found.map(|found| found.dag).ok_or_else(|| {
            let error = parsed.diagnostics.iter().find(|found| found.severity == Severity::Error);
            error.map_or_else(|| "its document is not there".to_owned(), |found| found.message.clone())
        })
    }
}

/// The versions that are in use. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct DagCache {
    catalog: Arc<Catalog>,
    notifications: Arc<Notifications>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    versions: HashMap<i64, (Arc<CachedDag>, u64)>,
    weight: usize,
    clock: u64,
    hits: u64,
    misses: u64,
}

/// How a [`DagCache`] is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Since the process began.
    pub hits: u64,
    /// Since the process began.
    pub misses: u64,
    /// At hand.
    pub versions: usize,
}

impl Kept {
    fn get(&mut self, id: i64) -> Option<Arc<CachedDag>> {
        self.clock += 1;
        let Some((cached, used)) = self.versions.get_mut(&id) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        *used = self.clock;
        Some(cached.clone())
    }

    fn put(&mut self, cached: Arc<CachedDag>) {
        self.clock += 1;
        self.weight += weight(&cached);
        if let Some((old, _)) = self.versions.insert(cached.version_id, (cached, self.clock)) {
            self.weight -= weight(&old);
        }
        if self.weight > TASKS_KEPT {
            let mut by_use: Vec<(u64, i64)> = self.versions.iter().map(|(id, (_, used))| (*used, *id)).collect();
            by_use.sort_unstable();
            for (_, id) in by_use {
                if self.weight <= TASKS_KEPT * 3 / 4 || self.versions.len() == 1 {
                    break;
                }
                if let Some((old, _)) = self.versions.remove(&id) {
                    self.weight -= weight(&old);
                }
            }
        }
    }
}

fn weight(cached: &CachedDag) -> usize {
    cached.dag.tasks.len() + DAG_WEIGHT
}

impl DagCache {
    /// Makes an empty cache for DAGs with these operators.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, notifications: Arc::default(), kept: Arc::default() }
    }

    /// Gives these callbacks to every DAG that is read from here on.
    #[must_use]
    pub fn with_notifications(self, notifications: Arc<Notifications>) -> Self {
        Self { notifications, ..self }
    }

    /// Returns the operators that DAGs are checked with.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns a version, reading it inside a transaction if it is not at hand.
    ///
    /// # Errors
    ///
    /// When the database does, there is no such version, or this program cannot read its text any more.
    pub async fn get(&self, tx: &mut Tx, version_id: i64) -> Result<Arc<CachedDag>, StoreError> {
        if let Some(cached) = self.kept().get(version_id) {
            return Ok(cached);
        }
        let row = tx.version(version_id).await?;
        self.keep(&row)
    }

    /// Returns a version, reading it outside a transaction if it is not at hand.
    ///
    /// # Errors
    ///
    /// As [`DagCache::get`].
    pub async fn read(&self, store: &Store, version_id: i64) -> Result<Arc<CachedDag>, StoreError> {
        if let Some(cached) = self.kept().get(version_id) {
            return Ok(cached);
        }
        let row = store.version(version_id).await?;
        self.keep(&row)
    }

    /// Says how it is used.
    pub fn usage(&self) -> CacheUse {
        let kept = self.kept();
        CacheUse { hits: kept.hits, misses: kept.misses, versions: kept.versions.len() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, row: &VersionRow) -> Result<Arc<CachedDag>, StoreError> {
        let dag = row.parse(&self.catalog).map_err(|problem| StoreError::Inconsistent {
            table: "dag_version",
            column: "text",
            row: format!("{} version {}", row.dag_id, row.number),
            problem,
        })?;
        let dag = dag.with_notifications(self.notifications.clone());
        let cached = Arc::new(CachedDag::new(Arc::new(dag), row.id, row.number));
        self.kept().put(cached.clone());
        Ok(cached)
    }
}
