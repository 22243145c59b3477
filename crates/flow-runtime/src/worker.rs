//! Keeps slots busy: starts what was claimed, ends what should not go on, collects the reports.
//!
//! Knows nothing of trigger rules or retries; see [`attempt`].

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use flow_core::{
    Dag, DagRun, Outcome, TaskIx, TaskState, Timestamp,
    run::{Failure, FailureCause},
    template::{self, Context},
};
use flow_operators::Afterwards;
use flow_store::{AttemptKey, Claimed, DagCache, Kept, Report, RunRow, Store};
use serde_json::Value;
use tokio::{runtime::Handle, sync::mpsc, task::JoinSet};
use tracing::{Instrument, debug, warn};

pub mod attempt;
pub mod scratch;
pub(crate) mod services;

pub use attempt::Workshop;
use attempt::{EndedBy, Ender};
pub use scratch::Scratch;

use crate::{Clock, log::Masker, settings};

/// How long what comes after an attempt's end may take; a process that ends waits for it.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// The slots of this process and what is in them.
pub struct Slots {
    shop: Workshop,
    slots: usize,
    running: HashMap<Kept, (Ender, Afterwards)>,
    reports: mpsc::UnboundedSender<Report>,
    ended: mpsc::UnboundedReceiver<Report>,
    /// What attempts that have ended still do, once that is written down.
    afterwards: HashMap<Kept, Afterwards>,
    closing: JoinSet<()>,
}

impl Slots {
    /// Makes empty slots. There are never more reports than slots, so their channel is bounded by them.
    pub fn new(shop: Workshop, slots: usize) -> Self {
        let (reports, ended) = mpsc::unbounded_channel();
        Self {
            shop,
            slots,
            running: HashMap::new(),
            reports,
            ended,
            afterwards: HashMap::new(),
            closing: JoinSet::new(),
        }
    }

    /// Returns how many attempts could be started.
    pub fn free(&self) -> usize {
        self.slots.saturating_sub(self.running.len())
    }

    /// Returns how many attempts run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Starts an attempt.
    pub fn start(&mut self, claimed: Claimed, row: RunRow) {
        let (ender, afterwards) = (Ender::default(), Afterwards::default());
        let name = Kept { key: claimed.key.clone(), token: claimed.token, dag_id: claimed.dag_id.clone() };
        self.running.insert(name, (ender.clone(), afterwards.clone()));
        let (shop, reports) = (self.shop.clone(), self.reports.clone());
        let span = tracing::debug_span!("attempt", dag_id = %row.run.dag_id, run_id = %row.run.run_id, task_id = %claimed.key.task_id);
        tokio::spawn(
            async move {
                let (clock, name) = (shop.clock.clone(), claimed.clone());
                // A mistake of ours in there must cost this attempt, not its slot for ever.
                let running = tokio::spawn(attempt::run(shop, claimed, row, ender, afterwards).in_current_span());
                let report = running.await.unwrap_or_else(|_| broken(name, clock.now()));
                // The receiver is gone only when the process ends.
                let _ = reports.send(report);
            }
            .instrument(span),
        );
    }

    /// Waits for the next report; its slot is free.
    pub async fn ended(&mut self) -> Report {
        match self.ended.recv().await {
            Some(report) => self.take(report),
            None => std::future::pending().await,
        }
    }

    /// Returns a report that is there already.
    pub fn try_ended(&mut self) -> Option<Report> {
        let report = self.ended.try_recv().ok()?;
        Some(self.take(report))
    }

    fn take(&mut self, report: Report) -> Report {
        let name = name_of(&report);
        if let Some((_, afterwards)) = self.running.remove(&name)
            && !afterwards.is_empty()
            && report.outcome.is_end_well()
        {
            self.afterwards.insert(name, afterwards);
        }
        report
    }

    /// Has done what was left until these reports were written down; of those that were refused, by position, nothing.
    pub fn written(&mut self, reports: &[Report], refused: &[usize]) {
        while self.closing.try_join_next().is_some() {}
        if self.afterwards.is_empty() {
            return;
        }
        for (at, report) in reports.iter().enumerate() {
            let Some(afterwards) = self.afterwards.remove(&name_of(report)) else { continue };
            if refused.contains(&at) || !report.outcome.is_end_well() {
                continue;
            }
            let task_id = report.key.task_id.clone();
            self.closing.spawn(async move {
                match tokio::time::timeout(AFTERWARDS, afterwards.run()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => warn!(%task_id, error, "a task ended well, but what comes after went wrong"),
                    Err(_) => warn!(%task_id, "a task ended well, but what comes after takes too long"),
                }
            });
        }
    }

    /// Waits for what is done after attempts have ended; it has an end.
    pub async fn close(&mut self) {
        while self.closing.join_next().await.is_some() {}
    }

    /// Ends every attempt that is not among those that should go on.
    pub fn keep_only(&self, kept: &[Kept]) {
        let kept: HashSet<&Kept> = kept.iter().collect();
        for (name, (ender, _)) in &self.running {
            if !kept.contains(name) {
                debug!(task_id = %name.key.task_id, "ending an attempt that should not go on");
                ender.end(EndedBy::Request);
            }
        }
    }

    /// Gives back attempts that this worker holds in the database but does not run: a claim was committed whose
    /// confirmation was lost on the way.
    pub fn give_back_unknown(&self, kept: &[Kept], now: Timestamp) -> Vec<Report> {
        let unknown = kept.iter().filter(|name| !self.running.contains_key(name));
        unknown
            .map(|name| Report {
                key: name.key.clone(),
                dag_id: name.dag_id.clone(),
                token: name.token,
                outcome: Outcome::Lost { why: "its worker never started it".to_owned() },
                xcoms: Vec::new(),
                rendered: Value::Null,
                memory: Value::Null,
                ended_at: now,
            })
            .collect()
    }

    /// Ends every attempt; they are given back and tried again.
    pub fn hand_back(&self) {
        for (ender, _) in self.running.values() {
            ender.end(EndedBy::Worker);
        }
    }

    /// Lists what runs.
    pub fn names(&self) -> impl Iterator<Item = &AttemptKey> {
        self.running.keys().map(|name| &name.key)
    }
}

fn name_of(report: &Report) -> Kept {
    Kept { key: report.key.clone(), token: report.token, dag_id: report.dag_id.clone() }
}

/// The report about an attempt during which Flow itself went wrong.
fn broken(claimed: Claimed, now: Timestamp) -> Report {
    let failure = Failure::new("Flow itself went wrong while it ran", FailureCause::Other, true);
    Report {
        key: claimed.key,
        dag_id: claimed.dag_id,
        token: claimed.token,
        outcome: Outcome::Failed { failure },
        xcoms: Vec::new(),
        rendered: Value::Null,
        memory: Value::Null,
        ended_at: now,
    }
}

/// Fills in the arguments of a task for a run, outside any attempt; secrets are masked.
///
/// # Errors
///
/// A sentence that names the argument and the line.
pub async fn render(
    store: &Store,
    dags: &DagCache,
    clock: &Clock,
    run: DagRun,
    dag: &Arc<Dag>,
    task: TaskIx,
    try_number: u32,
) -> Result<Value, String> {
    let run = Arc::new(run);
    let facts = Arc::new(services::AttemptServices {
        store: store.clone(),
        dags: dags.clone(),
        clock: clock.clone(),
        run: run.clone(),
        memory: Value::Null,
        masker: Masker::new(settings::secrets_of_environment()),
        secrets: Arc::default(),
        on_secret: Box::new(|_| ()),
        say: Box::new(|_| ()),
        handle: Handle::current(),
    });
    let cx = Context {
        dag: dag.clone(),
        task,
        run,
        map_index: -1,
        try_number,
        max_tries: dag.task(task).retry.retries,
        state: TaskState::Running,
        now: clock.now(),
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        facts: facts.clone(),
    };
    let rendered = tokio::task::spawn_blocking(move || template::render(&cx)).await;
    let masker = facts.masker();
    let fields = rendered
        .map_err(|_| "rendering went wrong inside Flow".to_owned())?
        .map_err(|error| masker.mask(&attempt::in_words(error)).into_owned())?;
    Ok(attempt::mask_value(Value::Object(fields), &masker))
}
