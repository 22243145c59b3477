//! What a running task may ask of the rest of Flow, answered from memory.
//!
//! Variables and connections are real, from the environment. Other DAGs are not run: what is asked about them is
//! answered as if all had gone well, and the log says so.

use std::sync::{Arc, Mutex, PoisonError};

use flow_core::{
    Dag, DagId, DagRun, RunId, RunState, TaskId, TaskState, Timestamp, secret::secrets_of_variable, template::Facts,
};
use flow_operators::{
    LogSink, Services, Stream,
    context::{BoxFuture, ExternalRun, ExternalTask, RunQuery, TriggerRequest, Triggered},
};
use flow_runtime::settings;
use serde_json::Value;

use super::{Stage, attempt::Tee};

/// Answers the questions of one attempt.
pub(super) struct Answers {
    pub(super) stage: Arc<Stage>,
    pub(super) log: Arc<Tee>,
    pub(super) memory: Value,
    /// Secrets that were handed out.
    pub(super) secrets: Mutex<Vec<String>>,
}

impl Answers {
    fn say(&self, text: &str) {
        self.log.write(Stream::Info, format!("{text}\n").as_bytes());
    }

    fn hide(&self, found: Vec<String>) {
        if !found.is_empty() {
            self.log.add_secrets(&found);
            self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        }
    }

    fn find_connection(&self, id: &str) -> Result<Option<Value>, String> {
        let Some(found) = settings::connection(id)? else { return Ok(None) };
        self.hide(found.secrets());
        Ok(Some(found.to_json()))
    }

    fn dag(&self, id: &DagId) -> Option<&Dag> {
        std::iter::once(&*self.stage.dag).chain(&self.stage.others).find(|dag| &dag.id == id)
    }

    fn make_run(&self, request: TriggerRequest) -> Triggered {
        if self.dag(&request.dag_id).is_none() {
            return Triggered::NoSuchDag;
        }
        let date = request.logical_date.unwrap_or_else(|| self.stage.clock.now());
        let run_id = request.run_id.unwrap_or_else(|| format!("manual__{}", date.to_isoformat()));
        self.say(&format!(
            "would make run `{run_id}` of DAG `{}` with conf {}; a test makes no other runs, and takes it for successful",
            request.dag_id, request.conf
        ));
        Triggered::Created(RunId::from(run_id))
    }

    fn find_run(&self, dag_id: &DagId, query: RunQuery) -> Option<ExternalRun> {
        let dag = self.dag(dag_id)?;
        let (run_id, logical_date) = match query {
            RunQuery::ById(run_id) => (run_id, None),
            RunQuery::ByLogicalDate(date) => (RunId::from(format!("scheduled__{}", date.to_isoformat())), Some(date)),
        };
        self.say(&format!(
            "would look for run `{run_id}` of DAG `{dag_id}`; a test looks at no other runs, and takes it for successful"
        ));
        Some(made_up(dag, run_id, logical_date))
    }
}

/// A run of another DAG in which all went well.
fn made_up(dag: &Dag, run_id: RunId, logical_date: Option<Timestamp>) -> ExternalRun {
    let groups_of = |mut at: Option<usize>| {
        let mut groups = Vec::new();
        while let Some(group) = at.and_then(|at| dag.groups.get(at)) {
            groups.push(group.id.clone());
            at = group.parent;
        }
        groups
    };
    let tasks = dag.tasks.iter().map(|task| ExternalTask {
        task_id: task.id.clone(),
        map_index: -1,
        state: TaskState::Success,
        groups: groups_of(task.group),
    });
    ExternalRun { run_id, state: RunState::Success, logical_date, tasks: tasks.collect() }
}

impl Services for Answers {
    fn trigger(&self, request: TriggerRequest) -> BoxFuture<'_, Result<Triggered, String>> {
        Box::pin(async { Ok(self.make_run(request)) })
    }

    fn dag_exists<'a>(&'a self, dag_id: &'a DagId) -> BoxFuture<'a, Result<bool, String>> {
        Box::pin(async { Ok(self.dag(dag_id).is_some()) })
    }

    fn run<'a>(&'a self, dag_id: &'a DagId, query: RunQuery) -> BoxFuture<'a, Result<Option<ExternalRun>, String>> {
        Box::pin(async { Ok(self.find_run(dag_id, query)) })
    }

    fn is_latest_run(&self) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async { Ok(true) })
    }

    fn state(&self) -> Value {
        self.memory.clone()
    }

    fn connection<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Value>, String>> {
        Box::pin(async move { self.find_connection(id) })
    }
}

impl Facts for Answers {
    fn xcom(&self, task: &TaskId, key: &str, map_index: Option<i32>) -> Result<Option<Value>, String> {
        Ok(self.stage.results.get(task, map_index.unwrap_or(-1), key))
    }

    fn variable(&self, key: &str) -> Result<Option<String>, String> {
        let found = settings::variable(key);
        if let Some(value) = &found {
            self.hide(secrets_of_variable(key, value));
        }
        Ok(found)
    }

    fn connection(&self, id: &str) -> Result<Option<Value>, String> {
        self.find_connection(id)
    }

    fn previous_success(&self) -> Result<Option<DagRun>, String> {
        Ok(None)
    }
}
