//! Clearing, marking and cancelling.

use flow_core::{
    RunState, TaskState,
    engine::{Edit, Refused, Selection},
};
use flow_store::{ActionError, EditOptions, StoreError};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Home;
use crate::{client::Declined, context::Cx};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub(crate) enum Action {
    /// Run it again.
    Clear {
        /// Only what failed, and what was not started because of it.
        only_failed: bool,
        /// On the newest version of the DAG instead of the run's own.
        latest_version: bool,
    },
    /// Set its state.
    Mark { state: Mark },
    /// End the run.
    Cancel,
}

/// A state that a person may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    Success,
    Failed,
}

/// To which tasks of a run it is done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reach<'a> {
    /// `None` = the whole run.
    pub(crate) task_id: Option<&'a str>,
    pub(crate) map_index: Option<i32>,
    pub(crate) upstream: bool,
    pub(crate) downstream: bool,
    /// Only say what would be touched.
    pub(crate) dry_run: bool,
}

/// What an edit changed, or would change, for programs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) task_id: String,
    pub(crate) map_index: i32,
    pub(crate) from: TaskState,
    pub(crate) to: TaskState,
}

impl Action {
    fn edit(self, reach: &Reach<'_>) -> Edit {
        let tasks = Selection {
            tasks: reach.task_id.map(|task| vec![(task.into(), reach.map_index)]),
            upstream: reach.upstream,
            downstream: reach.downstream,
        };
        match (self, reach.task_id) {
            (Self::Clear { only_failed, .. }, _) => Edit::Clear { tasks, only_failed },
            (Self::Mark { state: Mark::Success }, None) => Edit::MarkRun { state: RunState::Success },
            (Self::Mark { state: Mark::Failed }, None) => Edit::MarkRun { state: RunState::Failed },
            (Self::Mark { state: Mark::Success }, Some(_)) => Edit::MarkTasks { tasks, state: TaskState::Success },
            (Self::Mark { state: Mark::Failed }, Some(_)) => Edit::MarkTasks { tasks, state: TaskState::Failed },
            (Self::Cancel, _) => Edit::Cancel,
        }
    }
}

impl Home {
    /// Changes a run.
    pub(crate) async fn edit(
        &self,
        cx: &Cx,
        (dag_id, run_id): (&str, &str),
        action: Action,
        reach: &Reach<'_>,
    ) -> anyhow::Result<Vec<Change>> {
        match self {
            Self::Local(parts) => {
                let pin_latest = matches!(action, Action::Clear { latest_version: true, .. });
                let options = EditOptions { dry_run: reach.dry_run, pin_latest, who: None };
                let edit = action.edit(reach);
                let edited = parts.store.edit_run(&parts.dags, (dag_id, run_id), &edit, options, cx.now()).await?;
                let change = |edited: flow_store::Edited| Change {
                    task_id: edited.task_id,
                    map_index: edited.map_index,
                    from: edited.from,
                    to: edited.to,
                };
                Ok(edited.into_iter().map(change).collect())
            }
            Self::Remote(client) => {
                let mut body = serde_json::to_value(action)?;
                if reach.task_id.is_some() {
                    body["task_id"] = json!(reach.task_id);
                    body["map_index"] = json!(reach.map_index);
                    body["upstream"] = json!(reach.upstream);
                    body["downstream"] = json!(reach.downstream);
                }
                let path = ["ui", "dags", dag_id, "dagRuns", run_id, "edit", "preview"];
                let path = if reach.dry_run { &path[..] } else { &path[..6] };
                client.send(Method::POST, path, &[], &body).await
            }
        }
    }

    /// Says whether an edit was refused because the run, or the task in its version of the DAG, is not there.
    pub(crate) fn is_missing(error: &anyhow::Error) -> bool {
        let is_here = matches!(
            error.downcast_ref(),
            Some(
                ActionError::Refused(Refused::NoSuchTask(_) | Refused::NoSuchMapIndex(..))
                    | ActionError::Store(StoreError::NotFound { .. })
            )
        );
        is_here || Declined::is(error, StatusCode::NOT_FOUND)
    }
}
