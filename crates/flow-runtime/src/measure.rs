//! What this process measures: what its transactions changed ([`Counting`]), how long its loop takes ([`Measures`]), and
//! how much there is to do ([`gauges`]).
//!
//! The only place of the runtime that knows which metric a fact belongs to. Metrics are declared in
//! `flow_metrics::declared`.

mod counting;
pub mod gauges;

use std::time::Duration;

use flow_core::{DagId, Timestamp};
use flow_metrics::{
    Counter, Metrics, Timer,
    declared::{
        DAG_FILE_ERRORS, DAG_FILE_READ, DAG_FOLDER_LOOKS, DAG_FOLDER_READ, DATABASE_ERRORS, HEARTBEAT_FAILURES,
        KAFKA_FAILURES, KAFKA_LAG, KAFKA_MESSAGES, LOG_UPLOADS, LOG_UPLOADS_WAITING, PROCESS_ENDS, PROCESS_STARTS,
        RUN_DECISION, SCHEDULER_CONFLICTS, SCHEDULER_HAND_OUT, SCHEDULER_HEARTBEAT_AT, SCHEDULER_HEARTBEATS,
        SCHEDULER_PASS, SCHEDULER_WAITING_QUERY, TASKS_EXECUTABLE,
    },
};

use flow_store::KafkaTopic;

pub use counting::Counting;

/// How long the parts of a pass took, and what came of them.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Of each run that was decided upon.
    pub decisions: Vec<(DagId, Duration)>,
    /// Of handing out slots, if anybody waited.
    pub hand_out: Option<Duration>,
    /// Of reading who waits, page by page.
    pub queries: Vec<Duration>,
    /// Task instances that got their slots.
    pub granted: usize,
}

/// What a process tells of itself.
#[derive(Clone, Debug)]
pub struct Measures {
    metrics: Metrics,
    job: &'static str,
    pass: Timer,
    hand_out: Timer,
    query: Timer,
    conflicts: Counter,
    errors: Counter,
}

impl Measures {
    /// Takes handles to what is measured often. `job`: what Airflow calls such a process.
    pub fn new(metrics: Metrics, job: &'static str) -> Self {
        Self {
            job,
            pass: metrics.timer(&SCHEDULER_PASS, &[]),
            hand_out: metrics.timer(&SCHEDULER_HAND_OUT, &[]),
            query: metrics.timer(&SCHEDULER_WAITING_QUERY, &[]),
            conflicts: metrics.counter(&SCHEDULER_CONFLICTS, &[]),
            errors: metrics.counter(&DATABASE_ERRORS, &[]),
            metrics,
        }
    }

    /// The process begins.
    pub fn starts(&self) {
        self.metrics.add(&PROCESS_STARTS, &[self.job], 1);
    }

    /// The process ends.
    pub fn ends(&self) {
        self.metrics.add(&PROCESS_ENDS, &[self.job], 1);
    }

    /// A look at everything that is due has been made.
    pub(crate) fn pass(&self, took: Duration, times: &Times) {
        if !self.metrics.is_on() {
            return;
        }
        self.pass.took(took);
        if let Some(hand_out) = times.hand_out {
            self.hand_out.took(hand_out);
        }
        for query in &times.queries {
            self.query.took(*query);
        }
        for (dag_id, decision) in &times.decisions {
            self.metrics.took(&RUN_DECISION, &[dag_id.as_str()], *decision);
        }
        if times.granted > 0 {
            self.metrics.hold(&TASKS_EXECUTABLE, &[], number(times.granted));
        }
    }

    /// Somebody else was faster.
    pub(crate) fn conflict(&self) {
        self.conflicts.add(1);
    }

    /// The database does not answer, or refuses. `is_silent`: a sign of life was due.
    pub(crate) fn database_error(&self, is_silent: bool) {
        self.errors.add(1);
        if is_silent {
            self.metrics.add(&HEARTBEAT_FAILURES, &[self.job], 1);
        }
    }

    /// The database has this scheduler's sign of life.
    pub(crate) fn scheduler_beats(&self, now: Timestamp) {
        self.metrics.add(&SCHEDULER_HEARTBEATS, &[], 1);
        self.metrics.hold(&SCHEDULER_HEARTBEAT_AT, &[], seconds(now));
    }
}

impl Measures {
    /// Messages of Kafka have made runs.
    pub(crate) fn kafka_messages(&self, topic: &KafkaTopic, messages: usize) {
        self.metrics.add(&KAFKA_MESSAGES, &names(topic), messages as u64);
    }

    /// Reading a topic broke off.
    pub(crate) fn kafka_failure(&self, topic: &KafkaTopic) {
        self.metrics.add(&KAFKA_FAILURES, &names(topic), 1);
    }

    /// So many messages of a topic wait.
    pub(crate) fn kafka_lag(&self, topic: &KafkaTopic, messages: u64) {
        let messages = usize::try_from(messages).unwrap_or(usize::MAX);
        self.metrics.found(&KAFKA_LAG, [(names(topic).to_vec(), number(messages))]);
    }

    /// Says whether anybody wants to know.
    pub(crate) fn is_on(&self) -> bool {
        self.metrics.is_on()
    }
}

fn names(topic: &KafkaTopic) -> [&str; 2] {
    [&topic.topic, &topic.group_id]
}

/// Logs were sent to the remote store, or not; so many wait.
pub(crate) fn sent_logs(metrics: &Metrics, delivered: u64, failed: u64, waiting: u64) {
    metrics.add(&LOG_UPLOADS, &["success"], delivered);
    metrics.add(&LOG_UPLOADS, &["failed"], failed);
    metrics.hold(&LOG_UPLOADS_WAITING, &[], number(usize::try_from(waiting).unwrap_or(usize::MAX)));
}

/// A look at the DAG folder has been made.
pub(crate) fn looked_at_folder(metrics: &Metrics) {
    metrics.add(&DAG_FOLDER_LOOKS, &[], 1);
}

/// Files that changed have been read.
pub(crate) fn read_folder(metrics: &Metrics, errors: usize, took: Duration) {
    metrics.add(&DAG_FILE_ERRORS, &[], errors as u64);
    metrics.hold(&DAG_FOLDER_READ, &[], took.as_secs_f64());
}

/// A file has been read and checked.
pub(crate) fn read_file(metrics: &Metrics, path: &str, took: Duration) {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    metrics.took(&DAG_FILE_READ, &[stem], took);
}

/// Returns a moment in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "a microsecond is more than a gauge can show")]
fn seconds(moment: Timestamp) -> f64 {
    moment.as_micros() as f64 / 1e6
}

/// Returns a number of things as a gauge has it.
#[expect(clippy::cast_precision_loss, reason = "there are fewer than a float can count")]
fn number(things: usize) -> f64 {
    things as f64
}
