//! What is known about one run: the facts that decisions are made from.
//!
//! Nothing here changes anything. Rows come from the store, decisions from [`crate::engine`].

use serde::{Deserialize, Serialize};

use crate::{
    id::{DagId, RunId, RunKey, TaskId, TaskIx},
    state::{RunState, RunType, TaskState},
    time::Timestamp,
};

/// A span of time that a run's data covers: from `start`, up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DataInterval {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// One run of a DAG.
#[derive(Clone, Debug, PartialEq)]
pub struct DagRun {
    pub key: RunKey,
    pub dag_id: DagId,
    pub run_id: RunId,
    pub run_type: RunType,
    pub state: RunState,
    pub logical_date: Option<Timestamp>,
    pub data_interval: Option<DataInterval>,
    /// Not before this moment.
    pub run_after: Timestamp,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub conf: serde_json::Value,
    /// How often the run was cleared.
    pub clear_number: u32,
}

/// A task in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInstance {
    pub task: TaskIx,
    /// -1 = not mapped.
    pub map_index: i32,
    pub state: TaskState,
    /// The current try, from 1; 0 = never scheduled. Counted up when it becomes `scheduled`.
    pub try_number: u32,
    /// A failed try with `try_number <= max_tries` is tried again. Starts as the task's `retries`; a clear
    /// sets it to `try_number + retries`, a try lost to the infrastructure adds one.
    pub max_tries: u32,
    /// Tries lost to the infrastructure since the last clear.
    pub lost: u32,
    /// When `up_for_retry` or `up_for_reschedule` is due.
    pub next_at: Option<Timestamp>,
    /// Start of the current try (of its first look, for a sensor).
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// What it decided about tasks downstream, when it succeeded.
    pub skips: Skips,
}

/// What a successful task says about those downstream of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skips {
    /// Nothing.
    #[default]
    None,
    /// Direct downstream tasks that are not in the list are skipped, whatever their trigger rule.
    AllBut(Vec<TaskId>),
    /// Everything downstream is skipped, whatever the trigger rules.
    Everything,
}

/// The latest attempt of a task instance, while it is alive or its outcome has not been decided upon.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub try_number: u32,
    /// A worker has taken it.
    pub is_claimed: bool,
    /// When the worker took it.
    pub started_at: Option<Timestamp>,
    /// Until when a silent worker is believed to be alive; `None` while it waits for a worker.
    pub lease_until: Option<Timestamp>,
    /// How it ended; `None` while it is alive.
    pub outcome: Option<Outcome>,
    pub ended_at: Option<Timestamp>,
}

/// How an attempt ended, in the words of the operator or of the worker around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Done.
    Success,
    /// Done; of its direct downstream tasks only these go on.
    Branch { follow: Vec<TaskId> },
    /// Done; what is downstream is skipped: all of it, or only the direct ones, with their trigger rules deciding on.
    ShortCircuit { ignore_trigger_rules: bool },
    /// Passed over.
    Skipped,
    /// A sensor that wants to look again.
    Reschedule { at: Timestamp },
    /// Failed.
    Failed { failure: Failure },
    /// Ended because it was asked to: cleared, marked, cancelled, or its run is over.
    Cancelled,
    /// Not its fault: the worker died or was shut down. Tried again without using up `retries`.
    Lost { why: String },
}

impl Outcome {
    /// Whether the task is through with its work: it did not fail, and will not look again.
    pub fn is_end_well(&self) -> bool {
        match self {
            Self::Success | Self::Branch { .. } | Self::ShortCircuit { .. } | Self::Skipped => true,
            Self::Reschedule { .. } | Self::Failed { .. } | Self::Cancelled | Self::Lost { .. } => false,
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One sentence, secrets masked.
    pub message: String,
    pub cause: FailureCause,
    /// False: another try cannot help (bad arguments, a sensor's time-out).
    pub may_retry: bool,
    /// The other side asks not to be tried again for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

impl Failure {
    /// Makes a failure after which nobody asks for a pause.
    pub fn new(message: impl Into<String>, cause: FailureCause, may_retry: bool) -> Self {
        Self { message: message.into(), cause, may_retry, retry_after_seconds: None }
    }
}

/// What kind of failure it was; `retry_on` looks at this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// A process ended with this code (128 + n when a signal ended it).
    ExitCode(i32),
    /// A server answered with this status.
    HttpStatus(u16),
    /// A database answered with this state.
    SqlState(String),
    /// `execution_timeout` ran out.
    Timeout,
    /// Anything else.
    Other,
}

/// The run of the same DAG with the logical date before, for `depends_on_past`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    pub state: RunState,
    /// Its task instances by id; a task that was not in the DAG is absent.
    pub tasks: std::collections::BTreeMap<TaskId, TaskState>,
}
