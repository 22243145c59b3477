//! A worker beside a database.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use flow_core::dag::{Severity, Source, parse};
use flow_operators::Registry;
use flow_runtime::{
    Clock, Workshop,
    log::{LogStore, Masker},
    worker::{Scratch, Slots},
};
use flow_store::{DagCache, FileSave, Keyring, Report, RunRow};

use crate::world::{World, at};

/// A worker beside a database, with a folder for its DAGs, logs and keys.
pub(crate) struct Place {
    pub(crate) w: World,
    pub(crate) shop: Workshop,
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn of(mut w: World, registry: Registry, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(registry);
        w.store = w.store.with_keyring(Keyring::in_file(folder.path().join("secret.key")));
        w.dags = DagCache::new(Arc::new(registry.catalog()));
        let shop = Workshop {
            store: w.store.clone(),
            dags: w.dags.clone(),
            registry,
            clients: flow_clients::Clients::default(),
            logs: LogStore::new(folder.path().join("logs"), clock.clone()),
            clock,
            worker: "w".to_owned(),
            kill_grace: Duration::from_secs(1),
            scratch: Arc::new(Scratch::new(&folder.path().join("scratch"), "w")),
            dag_folder: Some(folder.path().to_owned()),
            masker: Masker::default(),
            traces: None,
        };
        Self { w, shop, folder }
    }

    /// Saves a DAG file, as if it had been read in the folder.
    pub(crate) async fn save(&self, path: &str, text: &str) {
        let parsed = parse(&Source { text, stem: "d", files: BTreeMap::new() }, self.w.dags.catalog());
        assert!(parsed.diagnostics.iter().all(|found| found.severity != Severity::Error), "{:?}", parsed.diagnostics);
        let save = FileSave {
            path,
            hash: text,
            source_hash: text,
            text,
            files: &BTreeMap::new(),
            dags: &parsed.dags,
            error_text: "",
            diagnostics: &[],
            paused_at_creation: false,
        };
        let mut tx = self.w.store.begin().await.unwrap();
        tx.save_file(&save, at(0)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes a run and starts the first of its tasks that may start, if any.
    pub(crate) async fn start(&self, dag: &str) -> (RunRow, Option<Slots>) {
        // Sensors count from the moment at which they began.
        let now = self.shop.clock.now();
        let row = self.w.trigger(dag, now).await;
        let claimed = self.w.running(row.run.key, "w", now).await;
        let slots = claimed.into_iter().next().map(|claimed| {
            let mut slots = Slots::new(self.shop.clone(), 1);
            slots.start(claimed, row.clone());
            slots
        });
        (row, slots)
    }

    /// Makes a run, runs the first of its tasks to its end, and decides.
    pub(crate) async fn run(&self, dag: &str) -> (RunRow, Option<Report>) {
        let (row, slots) = self.start(dag).await;
        let Some(mut slots) = slots else { return (row, None) };
        let report = slots.ended().await;
        assert!(self.w.finish(report.clone()).await);
        self.w.decide(row.run.key, self.shop.clock.now()).await;
        (row, Some(report))
    }

    /// Returns all logs, one after the other.
    pub(crate) fn logs(&self) -> String {
        let mut found = String::new();
        let mut folders: Vec<PathBuf> = vec![self.folder.path().join("logs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        found
    }
}
