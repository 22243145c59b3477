//! What an attempt still does once its end is written down: then, and only then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::anyhow;
use flow_operators::{Done, Operator, OperatorError, TaskContext};
use flow_runtime::{Clock, worker::Slots};
use flow_store::Report;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{place::Place, support::both, world::World};

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
async fn kept(w: World, fails: bool, end: impl AsyncFnOnce(&World, &mut Slots, Report)) -> usize {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("promise{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let place = Place::of(w, flow_operators::all().with::<Promise>(), Clock::system());
    let task = format!("{{id: t, uses: promise, with: {{ name: {name}, fails: {fails} }}}}");
    place.save("d.yaml", &format!("dag_id: d\ntasks: [{task}]\n")).await;
    let mut slots = place.start("d").await.1.expect("the task waits for a worker");
    let report = slots.ended().await;
    end(&place.w, &mut slots, report).await;
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
