//! A world for one attempt in tests: a log that remembers, services that answer what they are told to.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use flow_core::{
    Dag, DagId, RunId, RunState, TaskId, Timestamp,
    dag::Source,
    run::{Failure, Outcome},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::context::{
    Afterwards, BoxFuture, ExternalRun, Finished, Identity, LogSink, RunQuery, Services, Stream, TaskContext,
    TriggerRequest, Triggered,
};

/// The real time.
pub(crate) fn now() -> Timestamp {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap())
}

/// Remembers the last MiB of each stream, and how much there was.
#[derive(Default)]
pub(crate) struct Log {
    streams: Mutex<BTreeMap<u8, (Vec<u8>, u64)>>,
}

impl LogSink for Log {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut streams = self.streams.lock().unwrap();
        let (kept, total) = streams.entry(stream as u8).or_default();
        *total += bytes.len() as u64;
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(1 << 20);
        kept.drain(..surplus);
    }
}

/// What the services answer, and what they were asked.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) is_latest: bool,
    pub(crate) is_paused: bool,
    pub(crate) state: Value,
    pub(crate) connections: BTreeMap<String, Value>,
    /// By DAG; a DAG that is absent does not exist.
    pub(crate) runs: BTreeMap<String, Vec<ExternalRun>>,
    pub(crate) requests: Vec<TriggerRequest>,
}

struct Fake(Arc<Mutex<Answers>>);

impl Services for Fake {
    fn trigger(&self, request: TriggerRequest) -> BoxFuture<'_, Result<Triggered, String>> {
        let mut answers = self.0.lock().unwrap();
        answers.requests.push(request.clone());
        let is_paused = answers.is_paused;
        let answer = match answers.runs.get_mut(request.dag_id.as_str()) {
            None => Triggered::NoSuchDag,
            Some(_) if is_paused && request.refuse_paused => Triggered::Paused,
            Some(runs) => {
                let run_id = RunId::from(request.run_id.unwrap());
                let same = |run: &&ExternalRun| {
                    run.run_id == run_id || (run.logical_date.is_some() && run.logical_date == request.logical_date)
                };
                match runs.iter().find(same) {
                    Some(run) if request.reset => Triggered::Reset(run.run_id.clone()),
                    Some(run) => Triggered::Exists(run.run_id.clone()),
                    None => {
                        let (state, logical_date) = (RunState::Queued, request.logical_date);
                        runs.push(ExternalRun { run_id: run_id.clone(), state, logical_date, tasks: vec![] });
                        Triggered::Created(run_id)
                    }
                }
            }
        };
        Box::pin(async { Ok(answer) })
    }

    fn dag_exists<'a>(&'a self, dag_id: &'a DagId) -> BoxFuture<'a, Result<bool, String>> {
        let exists = self.0.lock().unwrap().runs.contains_key(dag_id.as_str());
        Box::pin(async move { Ok(exists) })
    }

    fn run<'a>(&'a self, dag_id: &'a DagId, query: RunQuery) -> BoxFuture<'a, Result<Option<ExternalRun>, String>> {
        let answers = self.0.lock().unwrap();
        let is_it = |run: &&ExternalRun| match &query {
            RunQuery::ById(id) => &run.run_id == id,
            RunQuery::ByLogicalDate(date) => run.logical_date == Some(*date),
        };
        let found = answers.runs.get(dag_id.as_str()).and_then(|runs| runs.iter().find(is_it).cloned());
        Box::pin(async { Ok(found) })
    }

    fn is_latest_run(&self) -> BoxFuture<'_, Result<bool, String>> {
        let is_latest = self.0.lock().unwrap().is_latest;
        Box::pin(async move { Ok(is_latest) })
    }

    fn state(&self) -> Value {
        self.0.lock().unwrap().state.clone()
    }

    fn connection<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Value>, String>> {
        let connection = self.0.lock().unwrap().connections.get(id).cloned();
        Box::pin(async { Ok(connection) })
    }
}

/// Everything around one attempt.
pub(crate) struct World {
    pub(crate) cx: TaskContext,
    pub(crate) services: Arc<Mutex<Answers>>,
    pub(crate) folder: TempDir,
    log: Arc<Log>,
}

fn dag(tasks: &str) -> Arc<Dag> {
    let text = format!("dag_id: dag\ntasks: {tasks}\n");
    let source = Source { text: &text, ..Source::default() };
    let parsed = flow_core::dag::parse(&source, &crate::all().catalog());
    assert_eq!(parsed.diagnostics, []);
    Arc::new(parsed.dags.into_iter().next().unwrap().dag)
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let services = Arc::new(Mutex::new(Answers::default()));
        let log = Arc::new(Log::default());
        // As unique as the temporary folder.
        let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        let cx = TaskContext {
            identity: Identity {
                dag_id: DagId::new("dag"),
                run_id: RunId::new("manual__1"),
                task_id: TaskId::new("task"),
                map_index: -1,
                try_number: 1,
                lost: 0,
                max_tries: 0,
                owner: "me".to_owned(),
                logical_date: Timestamp::parse_rfc3339("2026-01-02T03:04:05Z"),
                data_interval: None,
                run_after: now(),
                run_queued_at: now(),
                traceparent: None,
                is_manual: false,
                started_at: now(),
                worker_id: format!("worker-{name}"),
                claim: 1,
                token: format!("token/{name}"),
            },
            log: log.clone(),
            cancel: CancellationToken::new(),
            services: Arc::new(Fake(services.clone())),
            timezone: "UTC".to_owned(),
            clock: now,
            clients: flow_clients::Clients::default(),
            dag: dag("[{id: task}]"),
            downstream: vec![],
            kill_grace: Duration::from_millis(500),
            delivery: None,
            afterwards: Afterwards::default(),
            scratch: folder.path().join("scratch"),
            file_folder: None,
            do_xcom_push: true,
            multiple_outputs: false,
            airflow_dialect: false,
        };
        Self { cx, services, folder, log }
    }

    pub(crate) fn downstream(&mut self, ids: &[&str]) {
        let tasks: Vec<_> = ids.iter().map(|id| format!(", {{id: {id}, needs: [task]}}")).collect();
        self.dag(&format!("[{{id: task}}{}]", tasks.concat()));
    }

    /// Puts the attempt's task, `task`, among other tasks.
    pub(crate) fn dag(&mut self, tasks: &str) {
        self.cx.dag = dag(tasks);
        let task = self.cx.dag.tasks.iter().find(|task| task.id.as_str() == "task").unwrap();
        self.cx.downstream = task.downstream.iter().map(|ix| self.cx.dag.task(*ix).id.clone()).collect();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn run(&self, operator: &str, arguments: Value) -> Run {
        let (run, afterwards) = self.run_unwritten(operator, arguments).await;
        if run.0.outcome.is_end_well() {
            afterwards.run().await.unwrap();
        }
        run
    }

    /// Runs it, and leaves what it does once its end is written down.
    pub(crate) async fn run_unwritten(&self, operator: &str, arguments: Value) -> (Run, Afterwards) {
        let Value::Object(arguments) = arguments else { panic!("arguments are a map") };
        let cx = TaskContext { afterwards: Afterwards::default(), ..self.cx.clone() };
        let afterwards = cx.afterwards.clone();
        (Run(crate::all().run(operator, arguments, cx).await), afterwards)
    }

    pub(crate) fn stdout(&self) -> String {
        self.stream(Stream::Stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        self.stream(Stream::Stderr)
    }

    /// All streams, one after another.
    pub(crate) fn text(&self) -> String {
        let streams = self.log.streams.lock().unwrap();
        streams.values().map(|(kept, _)| String::from_utf8_lossy(kept).into_owned()).collect()
    }

    pub(crate) fn bytes(&self, stream: Stream) -> (Vec<u8>, u64) {
        self.log.streams.lock().unwrap().get(&(stream as u8)).cloned().unwrap_or_default()
    }

    fn stream(&self, stream: Stream) -> String {
        String::from_utf8_lossy(&self.bytes(stream).0).into_owned()
    }
}

/// What an attempt left, with the questions that tests ask.
#[derive(Debug)]
pub(crate) struct Run(pub(crate) Finished);

impl Run {
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.0.outcome
    }

    pub(crate) fn result(&self) -> Option<&Value> {
        self.xcom("return_value")
    }

    pub(crate) fn xcom(&self, wanted: &str) -> Option<&Value> {
        self.0.xcoms.iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
    }

    /// The outcome in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self.outcome() {
            Outcome::Success => "success",
            Outcome::Branch { .. } => "branch",
            Outcome::ShortCircuit { .. } => "short circuit",
            Outcome::Skipped => "skipped",
            Outcome::Reschedule { .. } => "waits",
            Outcome::Failed { failure } if failure.may_retry => "failed",
            Outcome::Failed { .. } => "failed for good",
            Outcome::Cancelled => "cancelled",
            Outcome::Lost { .. } => "lost",
        }
    }

    #[track_caller]
    pub(crate) fn succeeded_without_result(&self) {
        assert_eq!((self.outcome(), &self.0.xcoms), (&Outcome::Success, &vec![]));
    }

    #[track_caller]
    pub(crate) fn succeeded_with(&self, result: &str) {
        assert_eq!((self.outcome(), self.result()), (&Outcome::Success, Some(&json!(result))));
    }

    #[track_caller]
    pub(crate) fn failed(&self, part: &str) -> &Failure {
        let failure = self.failure(part);
        assert!(failure.may_retry, "{failure:?}");
        failure
    }

    #[track_caller]
    pub(crate) fn failed_for_good(&self, part: &str) -> &Failure {
        let failure = self.failure(part);
        assert!(!failure.may_retry, "{failure:?}");
        failure
    }

    #[track_caller]
    fn failure(&self, part: &str) -> &Failure {
        let Outcome::Failed { failure } = self.outcome() else { panic!("did not fail: {self:?}") };
        assert!(failure.message.contains(part), "`{}` does not say `{part}`", failure.message);
        failure
    }
}
