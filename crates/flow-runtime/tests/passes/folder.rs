//! The DAG folder and the database: renamed, moved and doubled files.

use std::{path::Path, time::Duration};

use flow_runtime::{
    Clock, Stop,
    dag_files::{DagFolder, Limits},
    folder::FolderSync,
};

use crate::{
    support::both,
    world::{World, catalog},
};

const CHAIN: &str = "dag_id: chain\ntasks: [{ id: a, uses: work }]\n";

/// Waits until something holds.
macro_rules! until {
    ($what:literal, $holds:expr) => {
        let mut looks = 0;
        while !$holds {
            looks += 1;
            assert!(looks < 400, concat!("never: ", $what));
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
}

async fn is_in(w: &World, file: &str) -> bool {
    w.store.dag("chain").await.unwrap().is_some_and(|dag| dag.file == file && !dag.is_stale)
}

fn sync(w: &World, root: &Path) -> (tokio::task::JoinHandle<()>, Stop) {
    let stop = Stop::default();
    let sync = FolderSync {
        store: w.store.clone(),
        catalog: catalog(),
        folder: DagFolder::new(root.to_owned(), Limits::default(), Clock::system()),
        clock: Clock::system(),
        version: "1".to_owned(),
        paused_at_creation: false,
        scan_interval: Duration::from_millis(100),
        metrics: flow_metrics::Metrics::off(),
    };
    (tokio::spawn(sync.run(stop.clone())), stop)
}

both! {
    async fn a_dag_follows_its_document_from_file_to_file(w: World) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("m.yaml"), CHAIN).unwrap();
        let (task, _stop) = sync(&w, folder.path());
        until!("seen", is_in(&w, "m.yaml").await);
        for name in ["a.yaml", "z.yaml"] {
            let from = w.store.dag("chain").await.unwrap().unwrap().file;
            std::fs::rename(path(&from), path(name)).unwrap();
            until!("renamed", is_in(&w, name).await);
            assert!(w.store.import_errors().await.unwrap().is_empty());
        }
        std::fs::write(path("twin.yaml"), format!("# a twin\n{CHAIN}")).unwrap();
        until!("a complaint", w.store.import_errors().await.unwrap().len() == 1);
        assert!(is_in(&w, "z.yaml").await);
        std::fs::remove_file(path("z.yaml")).unwrap();
        until!("taken over", is_in(&w, "twin.yaml").await);
        until!("no complaint", w.store.import_errors().await.unwrap().is_empty());
        task.abort();
    }
}
