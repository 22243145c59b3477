//! Task instances: those of a run, one's arguments, and why one waits.

use flow_core::{TaskState, Timestamp};
use flow_store::{RunRow, StoreError, TaskRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Home;
use crate::{
    context::Cx,
    node::{self, Parts},
    output::Refusal,
};

/// A task instance, for programs: Airflow's names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskView {
    pub(crate) task_id: String,
    pub(crate) map_index: i32,
    /// `null` = nothing has been decided yet.
    pub(crate) state: Option<TaskState>,
    pub(crate) try_number: u32,
    pub(crate) max_tries: u32,
    pub(crate) operator: String,
    pub(crate) pool: String,
    pub(crate) queue: String,
    pub(crate) hostname: Option<String>,
    pub(crate) queued_when: Option<Timestamp>,
    pub(crate) start_date: Option<Timestamp>,
    pub(crate) end_date: Option<Timestamp>,
    pub(crate) duration: Option<f64>,
}

/// Which task instance of which run.
#[derive(Clone, Debug)]
pub(crate) struct TaskPlace {
    pub(crate) dag_id: String,
    pub(crate) run_id: String,
    pub(crate) task_id: String,
    pub(crate) map_index: i32,
}

/// Why a task instance is where it is, for programs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReasonView {
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl TaskView {
    pub(super) fn of(row: &TaskRow) -> Self {
        Self {
            task_id: row.task_id.clone(),
            map_index: row.map_index,
            state: Some(row.state).filter(|state| *state != TaskState::NoStatus),
            try_number: row.try_number,
            max_tries: row.max_tries,
            operator: row.operator.clone(),
            pool: row.pool.clone(),
            queue: row.queue.clone(),
            hostname: row.hostname.clone(),
            queued_when: row.queued_at,
            start_date: row.started_at,
            end_date: row.ended_at,
            duration: row.started_at.zip(row.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
        }
    }

    /// Says where it stands.
    pub(crate) fn state(&self) -> TaskState {
        self.state.unwrap_or(TaskState::NoStatus)
    }
}

impl TaskPlace {
    /// Returns the path of what a server has to say about it.
    fn path<'a>(&'a self, index: &'a str, what: &'a str) -> [&'a str; 9] {
        ["ui", "dags", &self.dag_id, "dagRuns", &self.run_id, "tasks", &self.task_id, index, what]
    }
}

impl Home {
    /// The task instances of a run in the order of its DAG.
    pub(crate) async fn tasks(&self, dag_id: &str, run_id: &str) -> anyhow::Result<Vec<TaskView>> {
        match self {
            Self::Local(parts) => {
                let row = row(parts, dag_id, run_id).await?;
                Ok(parts.store.tasks_in_order(&parts.dags, &row).await?.iter().map(TaskView::of).collect())
            }
            Self::Remote(client) => client.get(&["ui", "dags", dag_id, "dagRuns", run_id, "tasks"], &[]).await,
        }
    }

    /// A task's arguments: those of its last attempt, else as the next one would see them.
    pub(crate) async fn rendered(&self, place: &TaskPlace) -> anyhow::Result<Value> {
        match self {
            Self::Local(parts) => {
                let (row, task) = both(parts, place).await?;
                if let Some(fields) = parts.store.rendered(row.run.key, &task.task_id, task.map_index).await? {
                    return Ok(fields);
                }
                let fields = node::render(&parts.store, &parts.dags, &parts.clock, row, &task).await;
                fields.map_err(|problem| Refusal::failed(problem).into())
            }
            Self::Remote(client) => client.get(&place.path(&place.map_index.to_string(), "rendered"), &[]).await,
        }
    }

    /// Why a task instance runs, waits or does not run.
    pub(crate) async fn explain(&self, cx: &Cx, place: &TaskPlace) -> anyhow::Result<Vec<ReasonView>> {
        match self {
            Self::Local(parts) => {
                let (row, task) = both(parts, place).await?;
                let retries = cx.config.settings.core.max_infrastructure_retries;
                let reasons = parts.store.explain(&parts.dags, &row, &task, retries, cx.now()).await?;
                let view =
                    |reason: flow_core::engine::Reason| ReasonView { kind: reason.kind.to_owned(), text: reason.text };
                Ok(reasons.into_iter().map(view).collect())
            }
            Self::Remote(client) => client.get(&place.path(&place.map_index.to_string(), "explain"), &[]).await,
        }
    }
}

pub(super) async fn row(parts: &Parts, dag_id: &str, run_id: &str) -> Result<RunRow, StoreError> {
    let row = parts.store.run(dag_id, run_id).await?;
    row.ok_or_else(|| StoreError::NotFound { what: "run", name: format!("{dag_id}/{run_id}") })
}

async fn both(parts: &Parts, place: &TaskPlace) -> Result<(RunRow, TaskRow), StoreError> {
    let row = row(parts, &place.dag_id, &place.run_id).await?;
    let tasks = parts.store.tasks(row.run.key).await?;
    let found = tasks.into_iter().find(|task| task.task_id == place.task_id && task.map_index == place.map_index);
    let task = found.ok_or_else(|| StoreError::NotFound { what: "task instance", name: place.task_id.clone() })?;
    Ok((row, task))
}
