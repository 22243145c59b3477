//! One attempt, from claim to report.
//!
//! Fills in the arguments, runs the operator under its time limits, masks what must not be seen, and says how it
//! ended. Whether a failed attempt is tried again is decided in `flow_core::engine`.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flow_clients::Clients;
use flow_core::{
    Outcome, Task, TaskIx, TaskState,
    dag::{Arg, CallbackEvent, Dialect},
    run::{Failure, FailureCause},
    template::{self, Context},
};
use flow_operators::{Afterwards, Finished, Identity, LogSink, Registry, Stream, TaskContext};
use flow_store::{CachedDag, Claimed, DagCache, Report, RunRow, Store};
use flow_traces::Ids;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{scratch::Scratch, services::AttemptServices};
use crate::{
    Clock,
    log::{AttemptLog, LogStore, MASK, Masker},
};

/// Most bytes of XComs that one attempt may leave; a value by itself may have 256 KiB.
const XCOMS_MAX: usize = 4 * 1024 * 1024;

/// What every attempt of a worker shares.
#[derive(Clone)]
pub struct Workshop {
    pub store: Store,
    pub dags: DagCache,
    pub registry: Arc<Registry>,
    /// What stays open between attempts.
    pub clients: Clients,
    pub logs: LogStore,
    pub clock: Clock,
    /// The process's id in the database.
    pub worker: String,
    pub kill_grace: Duration,
    /// Folders to work in, each emptied afterwards.
    pub scratch: Arc<Scratch>,
    /// The DAG folder, `None` when this host does not have it.
    pub dag_folder: Option<PathBuf>,
    /// What is hidden in every log, whatever the task asks for.
    pub masker: Masker,
    /// Names the spans of attempts, when runs are traced.
    pub traces: Option<Ids>,
}

impl Workshop {
    /// Returns the folder that a DAG file is in on this host.
    pub(crate) fn folder_of(&self, file: &str) -> Option<PathBuf> {
        let folder = self.dag_folder.as_ref()?;
        Some(match Path::new(file).parent() {
            Some(below) => folder.join(below),
            None => folder.clone(),
        })
    }
}

/// Why an attempt is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Its task instance has moved on, or it was given up.
    Request,
    /// The worker shuts down, or has lost its lease.
    Worker,
}

/// Ends an attempt from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ender {
    token: CancellationToken,
    by: Arc<Mutex<Option<EndedBy>>>,
}

impl Ender {
    pub(crate) fn end(&self, by: EndedBy) {
        self.by.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(by);
        self.token.cancel();
    }

    fn ended_by(&self) -> Option<EndedBy> {
        *self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs an attempt to its end and says how it ended. Never fails: what goes wrong is an outcome.
/// What is to be done once that is written down goes into `afterwards`.
pub(crate) async fn run(shop: Workshop, claimed: Claimed, row: RunRow, ender: Ender, afterwards: Afterwards) -> Report {
    let mut report = Report {
        key: claimed.key.clone(),
        dag_id: claimed.dag_id.clone(),
        token: claimed.token,
        outcome: Outcome::Cancelled,
        xcoms: Vec::new(),
        rendered: Value::Null,
        memory: Value::Null,
        ended_at: shop.clock.now(),
    };
    match shop.dags.read(&shop.store, row.version_id).await {
        Ok(dag) => match dag.task_ix(&claimed.key.task_id) {
            Some(ix) => {
                Bench {
                    shop: &shop,
                    claimed: &claimed,
                    row: &row,
                    dag: &dag,
                    ix,
                    ender: &ender,
                    afterwards: &afterwards,
                }
                .work(&mut report)
                .await
            }
            None => report.outcome = failed("its task is not in this version of the DAG".to_owned(), false),
        },
        Err(error) => report.outcome = Outcome::Lost { why: format!("cannot read its DAG: {error}") },
    }
    report.ended_at = shop.clock.now();
    report
}

fn failed(message: String, may_retry: bool) -> Outcome {
    Outcome::Failed { failure: Failure::new(message, FailureCause::Other, may_retry) }
}

/// One attempt with everything it needs at hand.
struct Bench<'a> {
    shop: &'a Workshop,
    claimed: &'a Claimed,
    row: &'a RunRow,
    dag: &'a Arc<CachedDag>,
    ix: TaskIx,
    ender: &'a Ender,
    afterwards: &'a Afterwards,
}

impl Bench<'_> {
    fn task(&self) -> &Task {
        self.dag.dag.task(self.ix)
    }

    async fn work(&self, report: &mut Report) {
        let identity = self.identity();
        let log = Arc::new(self.shop.logs.open(&identity, self.shop.masker.clone()));
        let say = |stream: Stream, text: &str| log.write(stream, format!("{text}\n").as_bytes());
        say(
            Stream::Info,
            &format!(
                "try {} of {}: {}.{} ({}), run {}",
                identity.try_number,
                identity.max_tries + 1,
                identity.dag_id,
                identity.task_id,
                self.task().operator,
                identity.run_id
            ),
        );
        let started = self.shop.clock.now();
        if let Err(why) = self.announce().await {
            say(Stream::Warning, &format!("given back: {why}"));
            report.outcome = Outcome::Lost { why };
            return log.close();
        }
        let services = self.services(&log);
        let finished = match self.fill_in(services.clone(), report).await {
            Ok(Some(arguments)) => self.operate(identity, arguments, &log, services.clone()).await,
            Ok(None) => {
                say(Stream::Info, "skipped: its `if` is false");
                Finished { outcome: Outcome::Skipped, xcoms: Vec::new(), state: Value::Null }
            }
            Err(message) => Finished { outcome: failed(message, true), xcoms: Vec::new(), state: Value::Null },
        };
        let masker = services.masker();
        let finished = masked(finished, &masker);
        report.rendered = mask_value(std::mem::take(&mut report.rendered), &masker);
        report.outcome = finished.outcome;
        report.memory = finished.state;
        if self.task().do_xcom_push {
            report.xcoms = finished.xcoms;
        }
        let bytes: usize = report.xcoms.iter().map(|(_, value)| value.to_string().len()).sum();
        if bytes > XCOMS_MAX {
            report.xcoms.clear();
            report.outcome = failed(
                format!("its XComs have {bytes} bytes together, more than {XCOMS_MAX}; write a file and pass its path"),
                false,
            );
        }
        self.say_end(&log, &report.outcome, self.shop.clock.now().since(started));
        log.close();
    }

    /// Has its `on_execute_callback` done. It does not begin unless that is certain to happen.
    async fn announce(&self) -> Result<(), String> {
        let callbacks = self.task().callbacks.of(CallbackEvent::Execute);
        if callbacks.is_empty() {
            return Ok(());
        }
        let key = &self.claimed.key;
        let (task, now) = ((key.task_id.as_str(), key.map_index), self.shop.clock.now());
        let written =
            self.shop.store.begin_callbacks(key.run, task, (key.try_number, self.row.version_id), callbacks, now).await;
        written.map_err(|error| format!("its callbacks could not be written down: {error}"))
    }

    fn identity(&self) -> Identity {
        let (key, run, task) = (&self.claimed.key, &self.row.run, self.task());
        let traceparent = self.shop.traces.map(|ids| {
            let trace = ids.run(key.run.0, run.dag_id.as_str(), run.run_id.as_str());
            trace.parent_of_others(trace.attempt(&key.task_id, key.map_index, key.try_number)).to_string()
        });
        Identity {
            dag_id: run.dag_id.clone(),
            run_id: run.run_id.clone(),
            task_id: task.id.clone(),
            map_index: key.map_index,
            try_number: key.try_number,
            max_tries: self.claimed.max_tries,
            lost: self.claimed.lost,
            owner: task.owner.clone(),
            logical_date: run.logical_date,
            data_interval: run.data_interval,
            run_after: run.run_after,
            run_queued_at: run.queued_at,
            traceparent,
            is_manual: run.run_type == flow_core::RunType::Manual,
            started_at: self.claimed.started_at,
            worker_id: self.shop.worker.clone(),
            claim: u64::try_from(self.claimed.token).unwrap_or_default(),
            token: format!("{}/{}/{}/{}/{}", run.key, key.task_id, key.map_index, key.try_number, self.claimed.token),
        }
    }

    fn services(&self, log: &Arc<AttemptLog>) -> Arc<AttemptServices> {
        let (masked, told) = (log.clone(), log.clone());
        Arc::new(AttemptServices {
            store: self.shop.store.clone(),
            dags: self.shop.dags.clone(),
            clock: self.shop.clock.clone(),
            run: Arc::new(self.row.run.clone()),
            memory: self.claimed.memory.clone(),
            masker: self.shop.masker.clone(),
            secrets: Arc::default(),
            on_secret: Box::new(move |found| masked.add_secrets(found)),
            say: Box::new(move |text| told.write(Stream::Warning, format!("{text}\n").as_bytes())),
            handle: Handle::current(),
        })
    }

    /// Fills in the arguments; `None` when the task's `if` is false.
    async fn fill_in(
        &self,
        facts: Arc<AttemptServices>,
        report: &mut Report,
    ) -> Result<Option<Map<String, Value>>, String> {
        let task = self.task();
        if task.condition.is_none() && task.with.iter().all(|(_, arg)| matches!(arg, Arg::Value(_))) {
            let literal = |(name, arg): &(String, Arg)| match arg {
                Arg::Value(value) => Some((name.clone(), value.clone())),
                Arg::List(_) | Arg::Map(_) | Arg::Template { .. } | Arg::XCom { .. } => None,
            };
            return Ok(Some(task.with.iter().filter_map(literal).collect()));
        }
        let cx = Context {
            dag: self.dag.dag.clone(),
            task: self.ix,
            run: facts.run.clone(),
            map_index: self.claimed.key.map_index,
            try_number: self.claimed.key.try_number,
            max_tries: self.claimed.max_tries,
            state: TaskState::Running,
            now: self.shop.clock.now(),
            seed: uuid::Uuid::new_v4().as_u64_pair().0,
            facts,
        };
        // Looking up an XCom or a variable blocks this thread, and a template may take its time.
        let filled = tokio::task::spawn_blocking(move || {
            if !template::goes_ahead(&cx)? {
                return Ok(None);
            }
            Ok(Some((template::render(&cx)?, template::rendered_fields(&cx)?)))
        })
        .await
        .map_err(|_| "rendering its arguments went wrong inside Flow".to_owned())?
        .map_err(in_words)?;
        Ok(filled.map(|(arguments, fields)| {
            report.rendered = Value::Object(fields);
            arguments
        }))
    }

    async fn operate(
        &self,
        identity: Identity,
        arguments: Map<String, Value>,
        log: &Arc<AttemptLog>,
        services: Arc<AttemptServices>,
    ) -> Finished {
        let (shop, task) = (self.shop, self.task());
        let scratch = shop.scratch.take();
        let cancel = self.ender.token.child_token();
        let dag = &self.dag.dag;
        let cx = TaskContext {
            identity,
            log: log.clone(),
            cancel: cancel.clone(),
            services,
            timezone: dag.timezone.clone(),
            clock: crate::clock::system_now,
            clients: shop.clients.clone(),
            dag: dag.clone(),
            downstream: task.downstream.iter().map(|ix| dag.task(*ix).id.clone()).collect(),
            kill_grace: shop.kill_grace,
            delivery: None,
            afterwards: self.afterwards.clone(),
            scratch: scratch.clone(),
            file_folder: shop.folder_of(&self.claimed.file),
            do_xcom_push: task.do_xcom_push,
            multiple_outputs: task.multiple_outputs,
            airflow_dialect: dag.dialect == Dialect::Airflow,
        };
        let running = shop.registry.run(&task.operator, arguments, cx);
        tokio::pin!(running);
        let mut timed_out = false;
        let mut finished = match task.execution_timeout {
            None => running.await,
            Some(limit) => tokio::select! {
                finished = &mut running => finished,
                () = tokio::time::sleep(limit) => {
                    timed_out = true;
                    log.write_last(Stream::Error, format!("not done after {limit:?} (`execution_timeout`): ending it\n").as_bytes());
                    cancel.cancel();
                    running.await
                }
            },
        };
        shop.scratch.give_back(scratch);
        match self.ender.ended_by() {
            Some(EndedBy::Request) => finished.outcome = Outcome::Cancelled,
            Some(EndedBy::Worker) if is_failure(&finished.outcome) => {
                finished.outcome = Outcome::Lost { why: "its worker was shut down".to_owned() };
            }
            None if timed_out && is_failure(&finished.outcome) => {
                let limit = task.execution_timeout.unwrap_or_default();
                finished.outcome = Outcome::Failed {
                    failure: Failure::new(
                        format!("not done after {limit:?} (`execution_timeout`)"),
                        FailureCause::Timeout,
                        true,
                    ),
                };
            }
            Some(EndedBy::Worker) | None => {}
        }
        finished
    }

    fn say_end(&self, log: &AttemptLog, outcome: &Outcome, took: Duration) {
        let took = format!("{:.3} s", took.as_secs_f64());
        let (stream, text) = match outcome {
            Outcome::Success | Outcome::Branch { .. } | Outcome::ShortCircuit { .. } => {
                (Stream::Info, format!("success after {took}"))
            }
            Outcome::Skipped => (Stream::Info, format!("skipped after {took}")),
            Outcome::Reschedule { at } => (Stream::Info, format!("not yet; looks again at {at}")),
            Outcome::Failed { failure } => (Stream::Error, format!("failed after {took}: {}", failure.message)),
            Outcome::Cancelled => (Stream::Warning, format!("ended on request after {took}")),
            Outcome::Lost { why } => (Stream::Warning, format!("given back after {took}: {why}")),
        };
        log.write_last(stream, format!("{text}\n").as_bytes());
    }
}

fn is_failure(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. } | Outcome::Cancelled | Outcome::Lost { .. })
}

/// Says what is wrong with an argument, and where.
pub fn in_words(error: template::TemplateError) -> String {
    let place =
        error.argument.as_deref().map(|argument| format!("`{argument}`, line {}: ", error.line)).unwrap_or_default();
    let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("{place}{}{help}", error.message)
}

/// Hides secrets in everything that an attempt leaves behind.
pub fn masked(mut finished: Finished, masker: &Masker) -> Finished {
    if masker.is_empty() {
        return finished;
    }
    for (key, value) in &mut finished.xcoms {
        *key = masker.mask(key).into_owned();
        *value = mask_value(std::mem::take(value), masker);
    }
    finished.state = mask_value(finished.state, masker);
    let (Outcome::Failed { failure: Failure { message, .. } } | Outcome::Lost { why: message }) = &mut finished.outcome
    else {
        return finished;
    };
    *message = masker.mask(message).into_owned();
    finished
}

/// Hides secrets in every text of a value.
pub fn mask_value(value: Value, masker: &Masker) -> Value {
    if masker.is_empty() {
        return value;
    }
    match value {
        Value::String(text) => Value::String(masker.mask(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| mask_value(item, masker)).collect()),
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(key, item)| (masker.mask(&key).into_owned(), mask_value(item, masker))).collect(),
        ),
        // Digits within a number are no secret by themselves; a number that is one, is.
        Value::Number(number) if masker.mask(&number.to_string()) == MASK => Value::from(MASK),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
