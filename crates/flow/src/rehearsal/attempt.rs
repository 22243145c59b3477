//! One attempt of a rehearsal: fills in the arguments, runs the operator under its time limit, says how it ended.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flow_core::{
    Outcome, RunType, TaskIx, TaskState, Timestamp,
    dag::Dialect,
    run::{Failure, FailureCause},
    template::{self, Context},
};
use flow_operators::{Afterwards, Finished, Identity, LogSink, Stream, TaskContext};
use flow_runtime::{
    log::{AttemptLog, Masker},
    settings,
    worker::attempt::{in_words, masked},
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{Screen, Stage, services::Answers};

/// Longest line that is shown; the log has all of it.
const LINE_MAX: usize = 64 * 1024;

/// What is left out at the end of a line that was cut, so that half a secret is never shown.
const CUT: usize = 8 * 1024;

/// Which attempt it is.
pub(super) struct Turn {
    pub(super) at: usize,
    pub(super) task: TaskIx,
    pub(super) map_index: i32,
    pub(super) try_number: u32,
    pub(super) max_tries: u32,
    pub(super) lost: u32,
    pub(super) started_at: Timestamp,
    pub(super) memory: Value,
    pub(super) cancel: CancellationToken,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) at: usize,
    pub(super) try_number: u32,
    pub(super) finished: Finished,
}

/// Runs an attempt to its end. Never fails: what goes wrong is an outcome.
pub(super) async fn run(stage: Arc<Stage>, turn: Turn) -> Ended {
    let identity = identity(&stage, &turn);
    let task = stage.dag.task(turn.task);
    let base = Masker::new(settings::secrets_of_environment());
    let file = stage.logs.open(&identity, base.clone());
    let log = Arc::new(Tee::new(file, stage.screen.clone(), turn.at));
    if turn.memory.is_null() {
        log.say(Stream::Info, &format!("try {} of {} ({})", turn.try_number, turn.max_tries + 1, task.operator));
    }
    let started = stage.clock.now();
    let answers = Arc::new(Answers {
        stage: stage.clone(),
        log: log.clone(),
        memory: turn.memory.clone(),
        secrets: Mutex::default(),
    });
    let mut finished = match fill_in(&stage, &turn, answers.clone()).await {
        Ok(Some(arguments)) => operate(&stage, &turn, identity, arguments, &log, answers.clone()).await,
        Ok(None) => {
            log.say(Stream::Info, "its `if` is false");
            left(Outcome::Skipped)
        }
        Err(message) => left(failed(message, FailureCause::Other)),
    };
    let masker = base.with(answers.secrets.lock().unwrap_or_else(PoisonError::into_inner).iter());
    finished = masked(finished, &masker);
    log.say_end(&finished.outcome, stage.clock.now().since(started));
    log.close();
    Ended { at: turn.at, try_number: turn.try_number, finished }
}

fn left(outcome: Outcome) -> Finished {
    Finished { outcome, xcoms: Vec::new(), state: Value::Null }
}

fn failed(message: String, cause: FailureCause) -> Outcome {
    Outcome::Failed { failure: Failure::new(message, cause, true) }
}

fn identity(stage: &Stage, turn: &Turn) -> Identity {
    let (run, task) = (&stage.run, stage.dag.task(turn.task));
    Identity {
        dag_id: run.dag_id.clone(),
        run_id: run.run_id.clone(),
        task_id: task.id.clone(),
        map_index: turn.map_index,
        try_number: turn.try_number,
        lost: turn.lost,
        max_tries: turn.max_tries,
        owner: task.owner.clone(),
        logical_date: run.logical_date,
        data_interval: run.data_interval,
        run_after: run.run_after,
        run_queued_at: run.queued_at,
        traceparent: None,
        is_manual: run.run_type == RunType::Manual,
        started_at: turn.started_at,
        worker_id: stage.worker.clone(),
        claim: 1,
        token: uuid::Uuid::now_v7().to_string(),
    }
}

/// Fills in the arguments; `None` when the task's `if` is false.
async fn fill_in(stage: &Stage, turn: &Turn, facts: Arc<Answers>) -> Result<Option<Map<String, Value>>, String> {
    let cx = Context {
        dag: stage.dag.clone(),
        task: turn.task,
        run: stage.run.clone(),
        map_index: turn.map_index,
        try_number: turn.try_number,
        max_tries: turn.max_tries,
        state: TaskState::Running,
        now: stage.clock.now(),
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        facts,
    };
    // A template may take its time.
    let filled = tokio::task::spawn_blocking(move || {
        if template::goes_ahead(&cx)? { template::render(&cx).map(Some) } else { Ok(None) }
    });
    filled.await.map_err(|_| "rendering its arguments went wrong inside Flow".to_owned())?.map_err(in_words)
}

async fn operate(
    stage: &Stage,
    turn: &Turn,
    identity: Identity,
    arguments: Map<String, Value>,
    log: &Arc<Tee>,
    services: Arc<Answers>,
) -> Finished {
    let (dag, task) = (&stage.dag, stage.dag.task(turn.task));
    let scratch = stage.scratch.join(&identity.token);
    let cancel = turn.cancel.child_token();
    let afterwards = Afterwards::default();
    let cx = TaskContext {
        identity,
        log: log.clone(),
        cancel: cancel.clone(),
        services,
        timezone: dag.timezone.clone(),
        clock: flow_runtime::clock::system_now,
        clients: stage.clients.clone(),
        dag: dag.clone(),
        downstream: task.downstream.iter().map(|ix| dag.task(*ix).id.clone()).collect(),
        kill_grace: stage.kill_grace,
        delivery: None,
        afterwards: afterwards.clone(),
        scratch: scratch.clone(),
        file_folder: Some(stage.file_folder.clone()),
        do_xcom_push: task.do_xcom_push,
        multiple_outputs: task.multiple_outputs,
        airflow_dialect: dag.dialect == Dialect::Airflow,
    };
    let running = stage.registry.run(&task.operator, arguments, cx);
    tokio::pin!(running);
    let limit = task.execution_timeout.unwrap_or(Duration::MAX);
    let mut finished = tokio::select! {
        finished = &mut running => finished,
        () = tokio::time::sleep(limit) => {
            let message = format!("not done after {limit:?} (`execution_timeout`)");
            log.say(Stream::Error, &format!("{message}: ending it"));
            cancel.cancel();
            let mut finished = running.await;
            if matches!(finished.outcome, Outcome::Failed { .. } | Outcome::Cancelled) {
                finished.outcome = failed(message, FailureCause::Timeout);
            }
            finished
        }
    };
    if turn.cancel.is_cancelled() {
        finished.outcome = Outcome::Cancelled;
    }
    if finished.outcome.is_end_well()
        && let Err(error) = afterwards.run().await
    {
        log.say(Stream::Warning, &error);
    }
    // Best effort: an attempt without files never made the folder.
    let _ = tokio::fs::remove_dir_all(&scratch).await;
    finished
}

/// Writes an attempt's output to its log and, line by line, to the screen; secrets are masked in both.
pub(super) struct Tee {
    file: AttemptLog,
    screen: Arc<Screen>,
    at: usize,
    /// Unfinished lines of stdout and stderr.
    open: Mutex<[Line; 2]>,
}

/// The beginning of a line.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// The rest of it is not shown.
    is_cut: bool,
}

impl Tee {
    fn new(file: AttemptLog, screen: Arc<Screen>, at: usize) -> Self {
        Self { file, screen, at, open: Mutex::default() }
    }

    pub(super) fn add_secrets(&self, found: &[String]) {
        self.file.add_secrets(found);
    }

    fn say(&self, stream: Stream, text: &str) {
        self.write(stream, format!("{text}\n").as_bytes());
    }

    fn say_end(&self, outcome: &Outcome, took: Duration) {
        let took = format!("{:.2} s", took.as_secs_f64());
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
        self.say(stream, &text);
    }

    /// Shows unfinished lines and closes the log.
    fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for line in open.iter_mut().filter(|line| !line.bytes.is_empty()) {
            self.show(line);
        }
        self.file.close();
    }

    fn show(&self, line: &mut Line) {
        let text = String::from_utf8_lossy(&line.bytes);
        let masked = self.file.masker().mask(&text).into_owned();
        if line.is_cut {
            let end = masked.floor_char_boundary(masked.len().saturating_sub(CUT));
            self.screen.output(self.at, &format!("{}…", &masked[..end]));
        } else {
            self.screen.output(self.at, &masked);
        }
        *line = Line::default();
    }
}

impl LogSink for Tee {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.file.write(stream, bytes);
        let slot = match stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Info | Stream::Warning | Stream::Error => {
                let text = String::from_utf8_lossy(bytes);
                self.screen.words(self.at, stream, &self.file.masker().mask(text.trim_end()));
                return;
            }
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let line = &mut open[slot];
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, is_whole) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            let room = LINE_MAX - line.bytes.len();
            line.bytes.extend_from_slice(&text[..text.len().min(room)]);
            line.is_cut |= text.len() > room;
            if is_whole {
                self.show(line);
            }
        }
    }
}
