//! What a running task may ask of the rest of Flow, answered from the store.

use std::sync::{Arc, Mutex, PoisonError};

use flow_core::{
    DagId, DagRun, TaskId, Timestamp,
    engine::{Edit, Selection},
    secret::secrets_of_variable,
    template::Facts,
};
use flow_operators::{
    Services,
    context::{BoxFuture, ExternalRun, ExternalTask, RunQuery, TriggerRequest, Triggered},
};
use flow_store::{ActionError, DagCache, EditOptions, RunRow, Store, StoreError, TriggerOutcome, TriggerRun};
use serde_json::Value;
use tokio::runtime::Handle;

use super::attempt::mask_value;
use crate::{Clock, log::Masker, settings};

/// Is told each secret before anything can be done with it.
pub(crate) type OnSecret = Box<dyn Fn(&[String]) + Send + Sync>;

/// Answers the questions of one attempt.
pub(crate) struct AttemptServices {
    pub(crate) store: Store,
    pub(crate) dags: DagCache,
    pub(crate) clock: Clock,
    pub(crate) run: Arc<DagRun>,
    pub(crate) memory: Value,
    /// What is hidden whatever the task asks for.
    pub(crate) masker: Masker,
    /// Secrets that were handed out; the attempt's log masks them.
    pub(crate) secrets: Arc<Mutex<Vec<String>>>,
    pub(crate) on_secret: OnSecret,
    /// Tells whoever reads the log.
    pub(crate) say: Box<dyn Fn(&str) + Send + Sync>,
    pub(crate) handle: Handle,
}

impl AttemptServices {
    fn hide(&self, found: Vec<String>) {
        if !found.is_empty() {
            (self.on_secret)(&found);
            self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        }
    }

    /// Returns what hides every secret that the attempt has been given so far.
    pub(crate) fn masker(&self) -> Masker {
        self.masker.with(self.secrets.lock().unwrap_or_else(PoisonError::into_inner).iter())
    }

    /// The environment comes first, as in Airflow.
    async fn find_connection(&self, id: &str) -> Result<Option<Value>, String> {
        let found = match settings::connection(id)? {
            Some(connection) => connection,
            None => match self.store.connection(id).await.map_err(sentence)? {
                Some(row) => row.whole().map_err(sentence)?,
                None => return Ok(None),
            },
        };
        self.hide(found.secrets());
        Ok(Some(found.to_json()))
    }

    async fn find_variable(&self, key: &str) -> Result<Option<String>, String> {
        let found = match settings::variable(key) {
            Some(text) => text,
            None => match self.store.variable(key).await.map_err(sentence)? {
                Some(row) => row.value.map_err(|why| why.to_string())?.into_exposed(),
                None => return Ok(None),
            },
        };
        self.hide(secrets_of_variable(key, &found));
        Ok(Some(found))
    }

    /// Hides secrets in a request for a run: what it says is kept, and shown to whoever may see the run.
    fn masked(&self, mut request: TriggerRequest) -> TriggerRequest {
        let masker = self.masker();
        let conf = mask_value(request.conf.clone(), &masker);
        if conf != request.conf {
            (self.say)(
                "the conf of the run holds a secret: the run gets `***` in its place; let its tasks read the variable or \
                 the connection themselves",
            );
        }
        request.conf = conf;
        request.note = request.note.map(|note| masker.mask(&note).into_owned());
        request.run_id = request.run_id.map(|run_id| masker.mask(&run_id).into_owned());
        request
    }

    async fn make_run(&self, request: TriggerRequest) -> Result<Triggered, String> {
        let request = self.masked(request);
        let dag_id = request.dag_id.as_str();
        let Some(dag) = self.store.dag(dag_id).await.map_err(sentence)?.filter(|dag| !dag.is_stale) else {
            return Ok(Triggered::NoSuchDag);
        };
        if request.refuse_paused && dag.is_paused {
            return Ok(Triggered::Paused);
        }
        let wanted = TriggerRun {
            dag_id,
            run_id: request.run_id.as_deref(),
            logical_date: request.logical_date,
            run_after: request.run_after,
            conf: &request.conf,
            triggered_by: "operator",
            user: None,
            note: request.note.as_deref(),
            caller: request.caller.as_deref(),
        };
        match self.store.trigger(&self.dags, &wanted, self.clock.now()).await {
            Ok(TriggerOutcome::Created(row)) => Ok(Triggered::Created(row.run.run_id)),
            Ok(TriggerOutcome::Exists(row)) if request.reset => self.reset(&row).await,
            Ok(TriggerOutcome::Exists(row)) => Ok(Triggered::Exists(row.run.run_id)),
            Err(ActionError::Store(StoreError::NotFound { .. })) => Ok(Triggered::NoSuchDag),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn reset(&self, row: &RunRow) -> Result<Triggered, String> {
        let clear = Edit::Clear { tasks: Selection::default(), only_failed: false };
        let name = (row.run.dag_id.as_str(), row.run.run_id.as_str());
        self.store
            .edit_run(&self.dags, name, &clear, EditOptions::default(), self.clock.now())
            .await
            .map_err(|error| error.to_string())?;
        Ok(Triggered::Reset(row.run.run_id.clone()))
    }

    async fn find_run(&self, dag_id: &DagId, query: RunQuery) -> Result<Option<ExternalRun>, String> {
        let found = match query {
            RunQuery::ById(run_id) => self.store.run(dag_id.as_str(), run_id.as_str()).await,
            RunQuery::ByLogicalDate(date) => self.store.run_at(dag_id.as_str(), date).await,
        };
        let Some(row) = found.map_err(sentence)? else { return Ok(None) };
        let cached = self.dags.read(&self.store, row.version_id).await.map_err(sentence)?;
        let groups_of = |task_id: &str| {
            let mut groups = Vec::new();
            let mut at = cached.task_ix(task_id).and_then(|ix| cached.dag.task(ix).group);
            while let Some(group) = at.and_then(|at| cached.dag.groups.get(at)) {
                groups.push(group.id.clone());
                at = group.parent;
            }
            groups
        };
        let tasks = self.store.tasks(row.run.key).await.map_err(sentence)?;
        Ok(Some(ExternalRun {
            run_id: row.run.run_id,
            state: row.run.state,
            logical_date: row.run.logical_date,
            tasks: tasks
                .into_iter()
                .map(|task| ExternalTask {
                    groups: groups_of(&task.task_id),
                    task_id: TaskId::from(task.task_id),
                    map_index: task.map_index,
                    state: task.state,
                })
                .collect(),
        }))
    }

    /// The latest that the timetable has asked for: there is no later scheduled run, and no later moment has come.
    async fn is_latest(&self) -> Result<bool, String> {
        let Some(date) = self.run.logical_date else { return Ok(true) };
        let dag_id = self.run.dag_id.as_str();
        let latest = self.store.latest_scheduled_run(dag_id).await.map_err(sentence)?;
        if latest.and_then(|row| row.run.logical_date).is_some_and(|latest| latest > date) {
            return Ok(false);
        }
        let Some(row) = self.store.dag(dag_id).await.map_err(sentence)? else { return Ok(true) };
        let cached = self.dags.read(&self.store, row.version_id).await.map_err(sentence)?;
        Ok(cached.dag.timetable.next_after(self.run.run_after).is_none_or(|next| next.run_after > self.clock.now()))
    }
}

fn sentence(error: StoreError) -> String {
    error.to_string()
}

impl Services for AttemptServices {
    fn trigger(&self, request: TriggerRequest) -> BoxFuture<'_, Result<Triggered, String>> {
        Box::pin(self.make_run(request))
    }

    fn dag_exists<'a>(&'a self, dag_id: &'a DagId) -> BoxFuture<'a, Result<bool, String>> {
        Box::pin(async {
            Ok(self.store.dag(dag_id.as_str()).await.map_err(sentence)?.is_some_and(|dag| !dag.is_stale))
        })
    }

    fn run<'a>(&'a self, dag_id: &'a DagId, query: RunQuery) -> BoxFuture<'a, Result<Option<ExternalRun>, String>> {
        Box::pin(self.find_run(dag_id, query))
    }

    fn is_latest_run(&self) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(self.is_latest())
    }

    fn state(&self) -> Value {
        self.memory.clone()
    }

    fn connection<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Value>, String>> {
        Box::pin(self.find_connection(id))
    }
}

impl Facts for AttemptServices {
    fn xcom(&self, task: &TaskId, key: &str, map_index: Option<i32>) -> Result<Option<Value>, String> {
        let found = self.handle.block_on(self.store.xcom(self.run.key, task.as_str(), key)).map_err(sentence)?;
        Ok(match map_index {
            Some(wanted) => found.into_iter().find(|(at, _)| *at == wanted).map(|(_, value)| value),
            None if found.iter().all(|(at, _)| *at < 0) => found.into_iter().next().map(|(_, value)| value),
            None => Some(Value::Array(found.into_iter().map(|(_, value)| value).collect())),
        })
    }

    fn variable(&self, key: &str) -> Result<Option<String>, String> {
        self.handle.block_on(self.find_variable(key))
    }

    fn connection(&self, id: &str) -> Result<Option<Value>, String> {
        self.handle.block_on(self.find_connection(id))
    }

    fn previous_success(&self) -> Result<Option<DagRun>, String> {
        let date = self.run.logical_date.unwrap_or(Timestamp::MAX);
        let found =
            self.handle.block_on(self.store.previous_success(self.run.dag_id.as_str(), date)).map_err(sentence)?;
        Ok(found.map(|row| row.run))
    }
}
