//! What an attempt still does once its end is written down: then, and only then.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[path = "../../flow-store/tests/support/mod.rs"]
#[expect(dead_code, reason = "the suite of the store uses more of it")]
mod support;
#[path = "../../flow-store/tests/conformance/world.rs"]
#[expect(dead_code, unused_imports, reason = "the suite of the store uses more of it")]
mod world;

use anyhow::anyhow;
use flow_core::dag::{Source, parse};
use flow_operators::{Done, Operator, OperatorError, TaskContext};
use flow_runtime::{
    Clock, Workshop,
    log::{LogStore, Masker},
    worker::{Scratch, Slots},
};
use flow_store::{DagCache, FileSave, Report};
use schemars::JsonSchema;
use serde::Deserialize;
use support::both;
use world::{World, at};

/// How often each name's promise was kept.
static KEPT: Mutex<BTreeMap<String, Arc<AtomicUsize>>> = Mutex::new(BTreeMap::new());

/// `uses: promise`
#[derive(Debug, Deserialize, JsonSchema)]
struct Promise {
    name: String,
    /// Fails in the end.
    fails: bool,
}

impl Operator for Promise {
    const NAME: &'static str = "promise";
    const CLASS: &'static str = "";
    const SUMMARY: &'static str = "Promises something.";
    const EXAMPLE: &'static str = "id: it\nuses: promise\nwith: { name: a, fails: false }\n";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let kept = KEPT.lock().unwrap().entry(self.name).or_default().clone();
        cx.afterwards.add(async move {
            kept.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        if self.fails {
            return std::future::ready(Err(OperatorError::fatal(anyhow!("no")))).await;
        }
        Ok(Done::success(()))
    }
}

/// Runs a promise; `end` is what happens to its report. Returns how often it was kept.
async fn kept(mut w: World, fails: bool, end: impl AsyncFnOnce(&World, &mut Slots, Report)) -> usize {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("promise{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let folder = tempfile::tempdir().unwrap();
    let registry = Arc::new(flow_operators::all().with::<Promise>());
    w.dags = DagCache::new(Arc::new(registry.catalog()));
    let text = format!("dag_id: d\ntasks: [{{id: t, uses: promise, with: {{ name: {name}, fails: {fails} }}}}]\n");
    let parsed = parse(&Source { text: &text, stem: "d", files: BTreeMap::new() }, w.dags.catalog());
    assert_eq!(parsed.diagnostics, []);
    let save = FileSave {
        path: "d.yaml",
        hash: &text,
        source_hash: &text,
        text: &text,
        files: &BTreeMap::new(),
        dags: &parsed.dags,
        error_text: "",
        diagnostics: &[],
        paused_at_creation: false,
    };
    let mut tx = w.store.begin().await.unwrap();
    tx.save_file(&save, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let clock = Clock::system();
    let shop = Workshop {
        store: w.store.clone(),
        dags: w.dags.clone(),
        registry,
        clients: flow_clients::Clients::default(),
        logs: LogStore::new(folder.path().join("logs"), clock.clone()),
        clock: clock.clone(),
        worker: "w".to_owned(),
        kill_grace: Duration::from_secs(1),
        scratch: Arc::new(Scratch::new(&folder.path().join("scratch"), "w")),
        dag_folder: None,
        masker: Masker::default(),
        traces: None,
    };
    let row = w.trigger("d", clock.now()).await;
    let claimed = w.running(row.run.key, "w", clock.now()).await.pop().expect("the task waits for a worker");
    let mut slots = Slots::new(shop, 1);
    slots.start(claimed, row);
    let report = slots.ended().await;
    end(&w, &mut slots, report).await;
    slots.close().await;
    let kept = KEPT.lock().unwrap()[&name].clone();
    kept.load(Ordering::Relaxed)
}

both! {
    async fn it_is_done_once_when_the_end_is_written_down(w: World) {
        let times = kept(w, false, async |w, slots, report| {
            assert!(w.finish(report.clone()).await);
            slots.written(std::slice::from_ref(&report), &[]);
            slots.written(&[report], &[]);
        });
        assert_eq!(times.await, 1);
    }

    async fn nothing_is_done_before(w: World) {
        assert_eq!(kept(w, false, async |_, _, _| ()).await, 0);
    }

    async fn nothing_is_done_for_an_end_that_is_refused(w: World) {
        let times = kept(w, false, async |_, slots, report| {
            slots.written(std::slice::from_ref(&report), &[0]);
            slots.written(&[report], &[]);
        });
        assert_eq!(times.await, 0);
    }

    async fn nothing_is_done_after_a_failure(w: World) {
        let times = kept(w, true, async |w, slots, report| {
            assert!(w.finish(report.clone()).await);
            slots.written(&[report], &[]);
        });
        assert_eq!(times.await, 0);
    }
}
