//! What a checked DAG is.
//!
//! Plain data: no places in the text, no compiled templates. Made by [`parse`] from a document; everything
//! else in Flow reads it. Keys and defaults are those of docs/reference/dag-format.md.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    id::{DagId, TaskId, TaskIx},
    state::{TriggerRule, words},
    time::Timestamp,
    timetable::Timetable,
};

pub mod args;
mod check;
pub mod diagnostic;
mod document;
mod fingerprint;
mod graph;
mod lower;
mod nearest;
mod notifications;
pub mod params;
mod place;
mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use document::{AIRFLOW_SCHEMA, FLOW_SCHEMA, MAX_FILE_BYTES};
pub use notifications::{About, Notification, Notifications};

/// The text of a DAG file and of the files its `$f` references name.
#[derive(Clone, Debug, Default)]
pub struct Source<'a> {
    /// The file's text.
    pub text: &'a str,
    /// The file's name without folder and ending: the default `dag_id` when it holds one document.
    pub stem: &'a str,
    /// Contents of files beside it, by the path as written in `$f`; `Err` = why it could not be read.
    pub files: BTreeMap<String, Result<String, String>>,
}

/// What a DAG file holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The good documents. A document with an error is not among them.
    pub dags: Vec<ParsedDag>,
    /// Every complaint, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A good document.
#[derive(Clone, Debug)]
pub struct ParsedDag {
    pub dag: Dag,
    /// SHA-256 of the meaning, hexadecimal: comments, key order and white space do not count.
    pub hash: String,
    /// Position of the document in the file, from 0.
    pub document: usize,
    /// Line on which the document starts, from 1.
    pub line: usize,
}

/// Lists the paths that a file's `$f` references name, so that a caller can read them for [`parse`].
pub fn file_references(text: &str) -> Vec<String> {
    document::file_references(text)
}

/// Reads a DAG file. Never fails: what is wrong is in the diagnostics.
pub fn parse(source: &Source<'_>, catalog: &crate::catalog::Catalog) -> Parsed {
    document::parse(source, catalog)
}

/// A checked DAG.
#[derive(Clone, Debug, Serialize)]
pub struct Dag {
    pub id: DagId,
    pub dialect: Dialect,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub doc_md: Option<String>,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    pub owner_links: BTreeMap<String, String>,
    /// Who it is there for beside Op and Admin: role or user, and what they may do. `None` = everyone.
    // Left out of the fingerprint when there is none: DAGs without one keep theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control: Option<BTreeMap<String, DagAccess>>,
    pub timetable: Timetable,
    /// IANA name.
    pub timezone: String,
    pub start_date: Option<Timestamp>,
    pub end_date: Option<Timestamp>,
    pub catchup: bool,
    /// How far back catchup reaches; `None` = to `start_date`.
    pub catchup_window: Option<Duration>,
    pub max_active_runs: u32,
    /// Most task instances of one run that may be queued or running at once (Airflow 3 counts per run).
    pub max_active_tasks: u32,
    /// 0 = off.
    pub max_consecutive_failed_dag_runs: u32,
    pub dagrun_timeout: Option<Duration>,
    pub fail_fast: bool,
    pub is_paused_upon_creation: Option<bool>,
    pub params: BTreeMap<String, Param>,
    pub render_template_as_native_obj: bool,
    pub overlap_policy: OverlapPolicy,
    /// What is done when a run ends.
    // Left out of the fingerprint when there are none: DAGs without them keep theirs.
    #[serde(skip_serializing_if = "Callbacks::is_empty")]
    pub callbacks: Callbacks,
    /// What is done besides, for every DAG.
    #[serde(skip)]
    pub notifications: Arc<Notifications>,
    pub groups: Vec<TaskGroup>,
    /// In topological order; ties in the order of the document.
    pub tasks: Vec<Task>,
}

words!(
    /// How a document is read: section 2.1 of the format.
    Dialect {
        /// Flow's own: every key, plain strings are templates.
        Flow = "flow",
        /// Airflow's documents, as strict as Airflow.
        Airflow = "airflow",
    }
);

words!(
    /// What someone may do with a DAG that is not there for everyone.
    DagAccess {
        Read = "can_read",
        /// And read.
        Edit = "can_edit",
    }
);

words!(
    /// What happens when a run is due while another is active.
    OverlapPolicy {
        /// It waits for `max_active_runs`.
        Queue = "queue",
        /// The moment is passed over.
        Skip = "skip",
        /// The active runs are cancelled.
        CancelRunning = "cancel_running",
    }
);

words!(
    /// How `priority_weight` adds up along the graph.
    WeightRule {
        /// Own weight plus that of everything downstream.
        Downstream = "downstream",
        /// Own weight plus that of everything upstream.
        Upstream = "upstream",
        /// Own weight.
        Absolute = "absolute",
    }
);

words!(
    /// A point in the life of a task or run at which callbacks are due.
    CallbackEvent {
        /// A try begins.
        Execute = "execute",
        /// The task, or the run, succeeded.
        Success = "success",
        /// The task, or the run, failed for good.
        Failure = "failure",
        /// A try failed, and there is another one.
        Retry = "retry",
        /// The task passed itself over.
        Skipped = "skipped",
    }
);

/// What is done when a task or run comes to a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Callback {
    /// The operator's short name.
    pub operator: String,
    /// Its arguments.
    pub with: Vec<(String, Arg)>,
}

/// The callbacks of a task or DAG.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Callbacks(pub BTreeMap<CallbackEvent, Vec<Callback>>);

impl Callbacks {
    /// Returns those of an event.
    pub fn of(&self, event: CallbackEvent) -> &[Callback] {
        self.0.get(&event).map_or(&[], Vec::as_slice)
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

/// A group of tasks: a box in the graph.
#[derive(Clone, Debug, Serialize)]
pub struct TaskGroup {
    pub id: String,
    /// Index into [`Dag::groups`].
    pub parent: Option<usize>,
    pub tooltip: String,
    pub display_name: Option<String>,
}

/// A parameter of a DAG or task, with what is known of its form.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Param {
    /// The value when a run brings none; `None` = a run must bring one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// A JSON schema without `default` and `description`; empty = anything.
    pub schema: serde_json::Map<String, serde_json::Value>,
    pub description: Option<String>,
    /// Where it stands in the document: a form asks in this order, which means nothing else.
    #[serde(skip)]
    pub place: usize,
}

impl Param {
    /// Returns the value when a run brings none; null when it must.
    pub fn value(&self) -> serde_json::Value {
        self.default.clone().unwrap_or_default()
    }
}

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    pub id: TaskId,
    pub display_name: Option<String>,
    pub doc_md: Option<String>,
    pub owner: String,
    /// The operator's short name.
    pub operator: String,
    /// See [`crate::catalog::OperatorSpec::is_inline`]; false when the task has an `if`.
    pub is_inline: bool,
    /// The operator's arguments, in the order of the document.
    pub with: Vec<(String, Arg)>,
    /// Index into [`Dag::groups`].
    pub group: Option<usize>,
    /// Sorted, without repeats: `needs`, those of its groups, and `$x` references.
    pub upstream: Vec<TaskIx>,
    /// Sorted, without repeats.
    pub downstream: Vec<TaskIx>,
    pub trigger_rule: TriggerRule,
    pub retry: RetryPolicy,
    pub execution_timeout: Option<Duration>,
    pub depends_on_past: bool,
    pub wait_for_downstream: bool,
    pub pool: String,
    pub pool_slots: u32,
    /// What dispatch sorts by: `priority_weight` after `weight_rule`.
    pub priority_weight: i64,
    pub queue: String,
    pub start_date: Option<Timestamp>,
    pub end_date: Option<Timestamp>,
    pub max_active_tis_per_dag: Option<u32>,
    pub max_active_tis_per_dagrun: Option<u32>,
    pub do_xcom_push: bool,
    pub multiple_outputs: bool,
    pub params: BTreeMap<String, Param>,
    /// A template expression; falsy = skipped.
    pub condition: Option<String>,
    #[serde(skip_serializing_if = "Callbacks::is_empty")]
    pub callbacks: Callbacks,
}

impl Task {
    /// Makes a task that does nothing, with every default.
    pub fn new(id: TaskId) -> Self {
        Self {
            id,
            display_name: None,
            doc_md: None,
            owner: "airflow".to_owned(),
            operator: String::new(),
            is_inline: false,
            with: Vec::new(),
            group: None,
            upstream: Vec::new(),
            downstream: Vec::new(),
            trigger_rule: TriggerRule::AllSuccess,
            retry: RetryPolicy::default(),
            execution_timeout: None,
            depends_on_past: false,
            wait_for_downstream: false,
            pool: "default_pool".to_owned(),
            pool_slots: 1,
            priority_weight: 1,
            queue: "default".to_owned(),
            start_date: None,
            end_date: None,
            max_active_tis_per_dag: None,
            max_active_tis_per_dagrun: None,
            do_xcom_push: true,
            multiple_outputs: false,
            params: BTreeMap::new(),
            condition: None,
            callbacks: Callbacks::default(),
        }
    }
}

/// When and how often a task is tried again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetryPolicy {
    pub retries: u32,
    pub delay: Duration,
    /// Factor of the exponential back-off; `None` = the delay stays the same.
    pub backoff: Option<f64>,
    /// Never more than 24 hours, whatever is written.
    pub max_delay: Option<Duration>,
    /// What is worth another try; `None` = everything.
    pub retry_on: Option<RetryOn>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 0, delay: Duration::from_secs(300), backoff: None, max_delay: None, retry_on: None }
    }
}

/// Failures that are worth another try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RetryOn {
    pub exit_codes: Vec<i32>,
    pub http_status: Vec<u16>,
    pub sqlstate: Vec<String>,
}

/// An operator's argument, before it is filled in for a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Arg {
    /// A value that is what it is.
    Value(serde_json::Value),
    /// A list with a template or reference somewhere inside.
    List(Vec<Arg>),
    /// A map with a template or reference somewhere inside.
    Map(Vec<(String, Arg)>),
    /// A template, rendered when the attempt starts.
    Template {
        #[serde(rename = "$t")]
        source: String,
    },
    /// An upstream task's result; `key: None` = `return_value`, null when nothing was pushed.
    XCom {
        #[serde(rename = "$x")]
        task: TaskId,
        key: Option<String>,
    },
}

impl Dag {
    /// Finds a task by id. Linear; keep the index if you ask often.
    pub fn task_ix(&self, id: &TaskId) -> Option<TaskIx> {
        self.tasks.iter().position(|task| &task.id == id).map(TaskIx::from)
    }

    /// Returns the task at an index of this version.
    pub fn task(&self, ix: TaskIx) -> &Task {
        &self.tasks[ix.index()]
    }
}
