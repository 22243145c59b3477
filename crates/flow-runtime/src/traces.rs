//! Traces: when a transaction of this process has ended a run or a try, its span is read from the database and sent.
//!
//! What commits never waits: it leaves names in a bounded queue. A collector that is away fills the queue, and what no
//! longer fits is counted and forgotten.

use std::{sync::Arc, time::Duration};

use flow_core::{
    Outcome, RunKey, RunState,
    run::{Failure, FailureCause},
};
use flow_metrics::{Counter, Metrics, declared::SPANS};
use flow_store::{AttemptKey, EndedRun, EndedTry, Happening, Store, StoreError, Witness};
use flow_traces::{Export, Ids, Parent, Span, Status, Value};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Names of what has ended that wait to be read; what does not fit is forgotten.
const WAITING: usize = 8192;
/// Most spans that are sent at once.
const BATCH: usize = 512;
/// How long a batch waits for more.
const LINGER: Duration = Duration::from_secs(1);
/// How often a batch is tried; with the pauses this bridges the restart of a collector.
const TRIES: u32 = 4;
/// The pause after a first try; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(2);
/// How long what is left is still sent when the process ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Something that has ended.
#[derive(Debug)]
enum Ended {
    Run(RunKey),
    Try(AttemptKey),
}

/// Is told what has ended.
#[derive(Debug)]
struct Ears {
    queue: Sender<Ended>,
    lost: Counter,
}

impl Witness for Ears {
    fn committed(&self, happened: &[Happening], _took: Duration) {
        let hear = |ended| {
            if self.queue.try_send(ended).is_err() {
                self.lost.add(1);
            }
        };
        for happening in happened {
            if let Happening::RunEnded { run, .. } = happening {
                hear(Ended::Run(*run));
            } else if let Happening::TriesEnded(keys) = happening {
                keys.iter().for_each(|key| hear(Ended::Try(key.clone())));
            }
        }
    }
}

/// Sends spans of what this process ends.
#[derive(Debug)]
pub struct Tracer {
    store: Store,
    ids: Ids,
    export: Box<dyn Export>,
    queue: Receiver<Ended>,
    sent: Counter,
    lost: Counter,
    is_away: bool,
}

impl Tracer {
    /// Begins to listen to the transactions of the store that is returned.
    pub fn new(store: Store, ids: Ids, export: Box<dyn Export>, metrics: &Metrics) -> (Store, Self) {
        let (sender, queue) = channel(WAITING);
        let counter = |state| metrics.counter(&SPANS, &[state]);
        let (sent, lost) = (counter("sent"), counter("lost"));
        let heard = store.clone().with_witness(Arc::new(Ears { queue: sender, lost: lost.clone() }));
        (heard, Self { store, ids, export, queue, sent, lost, is_away: false })
    }

    /// Sends until it is cancelled, and then what is left, for a moment.
    pub async fn run(mut self, cancel: CancellationToken) {
        info!(to = self.export.target(), "traces are sent");
        let mut batch = Vec::new();
        loop {
            let heard = cancel.run_until_cancelled(self.hear(&mut batch)).await;
            match heard {
                None => break,
                Some(0) => return,
                Some(_) => {}
            }
            let taken = std::mem::take(&mut batch);
            self.tell(taken, TRIES, &cancel).await;
        }
        self.queue.close();
        let rest = async {
            loop {
                while batch.len() < BATCH
                    && let Ok(ended) = self.queue.try_recv()
                {
                    batch.push(ended);
                }
                if batch.is_empty() {
                    break;
                }
                let taken = std::mem::take(&mut batch);
                self.tell(taken, 1, &CancellationToken::new()).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, rest).await;
    }

    /// Waits for something, and a moment for more. Returns how much there is; 0 when nobody can say any more.
    async fn hear(&mut self, batch: &mut Vec<Ended>) -> usize {
        let heard = self.queue.recv_many(batch, BATCH).await;
        if heard > 0 {
            let more =
                async { while batch.len() < BATCH && self.queue.recv_many(batch, BATCH - batch.len()).await > 0 {} };
            let _ = tokio::time::timeout(LINGER, more).await;
        }
        batch.len()
    }

    /// Reads spans and sends them; gives up after some tries.
    async fn tell(&mut self, ended: Vec<Ended>, tries: u32, cancel: &CancellationToken) {
        let number = ended.len() as u64;
        let spans = match self.spans(ended).await {
            Ok(spans) if spans.is_empty() => return,
            Ok(spans) => spans,
            Err(error) => {
                self.lost.add(number);
                return warn!(%error, "the database did not say what traces should: they miss {number} spans");
            }
        };
        let number = spans.len() as u64;
        let mut pause = PAUSE;
        for number_of_try in 1..=tries {
            match self.export.send(spans.clone()).await {
                Ok(()) => {
                    if std::mem::take(&mut self.is_away) {
                        info!(to = self.export.target(), "traces are sent again");
                    }
                    return self.sent.add(number);
                }
                Err(why) => {
                    if !std::mem::replace(&mut self.is_away, true) {
                        let to = self.export.target();
                        warn!(to, "traces cannot be sent, what does not fit into the queue is lost: {why}");
                    }
                }
            }
            if number_of_try < tries && cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
            pause *= 2;
        }
        self.lost.add(number);
    }

    async fn spans(&self, ended: Vec<Ended>) -> Result<Vec<Span>, StoreError> {
        let (mut runs, mut tries) = (Vec::new(), Vec::new());
        for ended in ended {
            match ended {
                Ended::Run(key) => runs.push(key),
                Ended::Try(key) => tries.push(key),
            }
        }
        let mut spans = Vec::with_capacity(runs.len() + tries.len());
        if !tries.is_empty() {
            spans.extend(self.store.ended_tries(&tries).await?.into_iter().map(|ended| span_of_try(self.ids, ended)));
        }
        if !runs.is_empty() {
            spans.extend(self.store.ended_runs(&runs).await?.into_iter().map(|ended| span_of_run(self.ids, ended)));
        }
        Ok(spans)
    }
}

fn span_of_run(ids: Ids, run: EndedRun) -> Span {
    let trace = ids.run(run.key.0, run.dag_id.as_str(), run.run_id.as_str());
    let mut attributes = vec![
        ("airflow.dag_id", Value::from(run.dag_id.as_str())),
        ("airflow.dag_run.run_id", Value::from(run.run_id.as_str())),
        ("airflow.dag_run.run_type", Value::from(run.run_type.as_str())),
        ("airflow.dag_run.state", Value::from(run.state.as_str())),
        ("airflow.dag_version.version", Value::from(run.version)),
        ("flow.triggered_by", Value::from(run.triggered_by)),
        ("flow.clear_number", Value::from(i64::from(run.clear_number))),
    ];
    attributes.extend(run.logical_date.map(|date| ("airflow.dag_run.logical_date", Value::from(date.to_isoformat()))));
    // The same run, before it was cleared; and what asked for it.
    let before = run.clear_number.checked_sub(1).map(|before| (trace, trace.whole(before)));
    let caller = run.caller.and_then(|text| text.parse::<Parent>().ok()).map(|caller| (caller.trace, caller.span));
    let status = if run.state == RunState::Failed {
        Status::Error { message: "the run failed".to_owned(), kind: "run_failed".to_owned() }
    } else {
        Status::Ok
    };
    Span {
        trace,
        id: trace.whole(run.clear_number),
        parent: None,
        name: format!("dag_run.{}", run.dag_id),
        start: run.started_at.as_micros(),
        end: run.ended_at.as_micros(),
        attributes,
        links: before.into_iter().chain(caller).collect(),
        status,
    }
}

fn span_of_try(ids: Ids, ended: EndedTry) -> Span {
    let key = &ended.key;
    let trace = ids.run(key.run.0, &ended.dag_id, &ended.run_id);
    let span = |number| trace.attempt(&key.task_id, key.map_index, number);
    let mut attributes = vec![
        ("airflow.dag_id", Value::from(ended.dag_id)),
        ("airflow.dag_run.run_id", Value::from(ended.run_id)),
        ("airflow.task_id", Value::from(key.task_id.as_str())),
        ("airflow.task_instance.try_number", Value::from(i64::from(key.try_number))),
        ("airflow.task_instance.map_index", Value::from(i64::from(key.map_index))),
        ("airflow.task_instance.pool", Value::from(ended.pool)),
        ("airflow.task_instance.queue", Value::from(ended.queue)),
        ("flow.operator", Value::from(ended.operator)),
    ];
    let (status, outcome) = end_of(ended.outcome);
    attributes.push(("flow.outcome", Value::from(outcome)));
    attributes.extend(ended.hostname.map(|host| ("host.name", Value::from(host))));
    attributes.extend(ended.worker.map(|worker| ("flow.worker", Value::from(worker))));
    let links = key.try_number.checked_sub(1).filter(|_| ended.is_retry).map(|before| (trace, span(before)));
    Span {
        trace,
        id: span(key.try_number),
        parent: Some(trace.whole(ended.clear_number)),
        name: format!("task_run.{}", key.task_id),
        start: ended.started_at.as_micros(),
        end: ended.ended_at.as_micros(),
        attributes,
        links: links.into_iter().collect(),
        status,
    }
}

/// Returns how a try ended, and the word for it.
fn end_of(outcome: Outcome) -> (Status, &'static str) {
    match outcome {
        Outcome::Success | Outcome::Branch { .. } | Outcome::ShortCircuit { .. } => (Status::Ok, "success"),
        Outcome::Skipped => (Status::Ok, "skipped"),
        Outcome::Failed { failure } => (error_of(failure), "failed"),
        Outcome::Lost { why } => (Status::Error { message: why, kind: "lost".to_owned() }, "lost"),
        Outcome::Cancelled => (Status::Unset, "cancelled"),
        // It was looked at while the sensor's next look was due.
        Outcome::Reschedule { .. } => (Status::Unset, "reschedule"),
    }
}

fn error_of(failure: Failure) -> Status {
    let kind = match failure.cause {
        FailureCause::ExitCode(code) => format!("exit_code {code}"),
        FailureCause::HttpStatus(status) => format!("http_status {status}"),
        FailureCause::SqlState(state) => format!("sql_state {state}"),
        FailureCause::Timeout => "timeout".to_owned(),
        FailureCause::Other => "other".to_owned(),
    };
    Status::Error { message: failure.message, kind }
}
