//! Runs: lists, one of them, triggering and deleting.

use flow_core::{RunState, Timestamp};
use flow_server::{Logs as _, LogsOf};
use flow_store::{ActionError, RunFilter, RunRow, StoreError, TriggerOutcome, TriggerRun};
use flow_traces::Parent;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Home, if_there};
use crate::{client::Declined, context::Cx, output::Refusal};

/// A run, for programs: Airflow's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunView {
    pub(crate) dag_id: String,
    pub(crate) dag_run_id: String,
    pub(crate) state: RunState,
    pub(crate) run_type: String,
    pub(crate) logical_date: Option<Timestamp>,
    pub(crate) run_after: Timestamp,
    pub(crate) start_date: Option<Timestamp>,
    pub(crate) end_date: Option<Timestamp>,
    pub(crate) duration: Option<f64>,
    pub(crate) conf: Value,
}

/// A run that someone wants.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) dag_id: &'a str,
    pub(crate) run_id: Option<&'a str>,
    pub(crate) logical_date: Option<Timestamp>,
    pub(crate) conf: Value,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Triggered {
    Created(RunView),
    /// There is a run of this id or logical date already: this one, if it is known.
    Exists(Option<String>),
}

impl RunView {
    fn of(row: &RunRow) -> Self {
        let run = &row.run;
        Self {
            dag_id: run.dag_id.to_string(),
            dag_run_id: run.run_id.to_string(),
            state: run.state,
            run_type: run.run_type.to_string(),
            logical_date: run.logical_date,
            run_after: run.run_after,
            start_date: run.started_at,
            end_date: run.ended_at,
            duration: None,
            conf: run.conf.clone(),
        }
        .timed()
    }

    /// Says how long it took, by this side's arithmetic; a server counts on for one that runs.
    fn timed(mut self) -> Self {
        self.duration = self.start_date.zip(self.end_date).map(|(start, end)| end.since(start).as_secs_f64());
        self
    }
}

impl Home {
    /// The latest runs, of one DAG or of all.
    pub(crate) async fn runs(
        &self,
        dag_id: Option<&str>,
        state: Option<RunState>,
        limit: u32,
    ) -> anyhow::Result<Vec<RunView>> {
        match self {
            Self::Local(parts) => {
                let filter = RunFilter { dag_id: dag_id.map(str::to_owned), state };
                Ok(parts.store.list_runs(&filter, limit).await?.iter().map(RunView::of).collect())
            }
            Self::Remote(client) => {
                let mut query = vec![("order_by", "-id".into())];
                if dag_id.is_some() {
                    query.insert(0, ("order_by", "-run_after".into()));
                }
                if let Some(state) = state {
                    query.push(("state", state.as_str().into()));
                }
                let path = ["api", "v2", "dags", dag_id.unwrap_or("~"), "dagRuns"];
                let runs: Vec<RunView> = client.list(&path, &query, "dag_runs", limit).await?;
                Ok(runs.into_iter().map(RunView::timed).collect())
            }
        }
    }

    /// One run.
    pub(crate) async fn run(&self, dag_id: &str, run_id: &str) -> anyhow::Result<Option<RunView>> {
        match self {
            Self::Local(parts) => Ok(parts.store.run(dag_id, run_id).await?.as_ref().map(RunView::of)),
            Self::Remote(client) => {
                let run: Option<RunView> = client.find(&["api", "v2", "dags", dag_id, "dagRuns", run_id]).await?;
                Ok(run.map(RunView::timed))
            }
        }
    }

    /// Finds a run by its id or as `latest`.
    pub(crate) async fn find_run(&self, dag_id: &str, run_id: &str) -> anyhow::Result<RunView> {
        let found = if run_id == "latest" {
            // Where there is no such DAG the list is refused.
            if_there(self.runs(Some(dag_id), None, 1).await)?.and_then(|runs| runs.into_iter().next())
        } else {
            self.run(dag_id, run_id).await?
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if self.dag(dag_id).await?.is_none() {
            return Err(self.no_such_dag(dag_id).await);
        }
        let refusal = if run_id == "latest" {
            Refusal::failed(format!("dag `{dag_id}` has no runs yet")).help(format!("start one: flow trigger {dag_id}"))
        } else {
            Refusal::failed(format!("dag `{dag_id}` has no run `{run_id}`"))
                .help(format!("see its runs: flow runs list {dag_id}"))
        };
        Err(refusal.into())
    }

    /// Makes a run.
    pub(crate) async fn trigger(&self, cx: &Cx, wish: &Wish<'_>) -> anyhow::Result<Triggered> {
        match self {
            Self::Local(parts) => {
                let caller = Parent::of_process().map(|caller| caller.to_string());
                let request = TriggerRun {
                    dag_id: wish.dag_id,
                    run_id: wish.run_id,
                    logical_date: wish.logical_date,
                    run_after: None,
                    conf: &wish.conf,
                    triggered_by: "cli",
                    user: None,
                    note: None,
                    caller: caller.as_deref(),
                };
                match parts.store.trigger(&parts.dags, &request, cx.now()).await {
                    Ok(TriggerOutcome::Created(row)) => Ok(Triggered::Created(RunView::of(&row))),
                    Ok(TriggerOutcome::Exists(row)) => Ok(Triggered::Exists(Some(row.run.run_id.to_string()))),
                    Err(ActionError::Store(StoreError::NotFound { .. })) => Err(self.no_such_dag(wish.dag_id).await),
                    Err(error) => Err(error.into()),
                }
            }
            Self::Remote(client) => {
                // Null would be a run without a logical date.
                let date = wish.logical_date.unwrap_or_else(|| cx.now());
                let body = json!({ "dag_run_id": wish.run_id, "logical_date": date, "conf": wish.conf });
                let path = ["api", "v2", "dags", wish.dag_id, "dagRuns"];
                match client.send::<RunView>(Method::POST, &path, &[], &body).await {
                    Ok(run) => Ok(Triggered::Created(run.timed())),
                    Err(error) if Declined::is(&error, StatusCode::CONFLICT) => {
                        Ok(Triggered::Exists(self.twin(wish).await?))
                    }
                    Err(error) if Declined::is(&error, StatusCode::NOT_FOUND) => {
                        Err(self.no_such_dag(wish.dag_id).await)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Finds the run that is there already, by its id or logical date.
    async fn twin(&self, wish: &Wish<'_>) -> anyhow::Result<Option<String>> {
        if let Some(run_id) = wish.run_id
            && let Some(run) = self.run(wish.dag_id, run_id).await?
        {
            return Ok(Some(run.dag_run_id));
        }
        let (Self::Remote(client), Some(date)) = (self, wish.logical_date) else { return Ok(None) };
        let query = [("logical_date_gte", date.to_string().into()), ("logical_date_lte", date.to_string().into())];
        let path = ["api", "v2", "dags", wish.dag_id, "dagRuns"];
        let runs: Vec<RunView> = client.list(&path, &query, "dag_runs", 1).await?;
        Ok(runs.into_iter().next().map(|run| run.dag_run_id))
    }

    /// Forgets a run that has ended, and its logs.
    pub(crate) async fn delete_run(&self, cx: &Cx, run: &RunView) -> anyhow::Result<()> {
        let (dag_id, run_id) = (run.dag_id.as_str(), run.dag_run_id.as_str());
        // A server cancels a queued run by itself, for clients of Airflow.
        if !run.state.is_finished() {
            return Err(Refusal::failed(format!("run `{run_id}` of `{dag_id}` is still {}", run.state))
                .help(format!("cancel it first: flow runs cancel {dag_id} {run_id}"))
                .into());
        }
        match self {
            Self::Local(parts) => {
                let Some(row) = parts.store.run(dag_id, run_id).await? else { return Ok(()) };
                let mut tx = parts.store.begin().await?;
                tx.delete_run(&row.run, None, cx.now()).await?;
                tx.commit().await?;
                // Logs of a run that is gone are in nobody's way; the folder may be on another host.
                let of = LogsOf::Run(row.run.dag_id.clone(), row.run.run_id.clone());
                let _ = parts.task_logs().remove(&of).await;
            }
            Self::Remote(client) => {
                let path = ["api", "v2", "dags", dag_id, "dagRuns", run_id];
                let _: Value = client.send(Method::DELETE, &path, &[], &Value::Null).await?;
            }
        }
        Ok(())
    }
}
