//! A run over time: every try of every task instance.

use std::collections::{BTreeMap, HashMap};

use axum::{extract::State, response::Response};
use flow_core::{TaskIx, TaskState};
use flow_store::{TaskBrief, TryBrief};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{Refusals, find},
    away,
    error::ErrorBody,
    extract::Path,
    wire::When,
};

/// Most earlier tries of a run that are shown.
const TRIES_MAX: u32 = 50_000;

#[derive(Serialize, ToSchema)]
struct GanttResponse {
    /// By task in the order of the DAG, then by try. What has not begun has a bar without times
    bars: Vec<GanttBar>,
    /// Otherwise there are more tries than 50,000: those of some tasks are left out, except for the latest
    is_complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct GanttBar {
    task_id: String,
    /// -1 = not mapped
    map_index: i64,
    /// 0 = it was never scheduled
    try_number: u32,
    /// Of this try; `no_status`: nothing has been decided yet
    #[schema(value_type = String)]
    state: &'static str,
    queued_when: Option<When>,
    start_date: Option<When>,
    end_date: Option<When>,
}

impl GanttBar {
    /// How the latest try is.
    fn now(task: TaskBrief) -> Self {
        Self {
            task_id: task.task_id,
            map_index: task.map_index,
            try_number: task.try_number,
            state: task.state.as_str(),
            queued_when: task.queued_at.map(When),
            start_date: task.started_at.map(When),
            end_date: task.ended_at.map(When),
        }
    }

    /// How an earlier try was.
    fn before(one: TryBrief) -> Self {
        Self {
            state: state_of(one.outcome.as_deref()).as_str(),
            task_id: one.task_id,
            map_index: one.map_index,
            try_number: one.try_number,
            queued_when: Some(When(one.queued_at)),
            start_date: one.started_at.map(When),
            end_date: one.ended_at.map(When),
        }
    }
}

/// Says how a try ended, by the word of its outcome.
fn state_of(outcome: Option<&str>) -> TaskState {
    match outcome {
        Some("success" | "branch" | "short_circuit") => TaskState::Success,
        Some("skipped") => TaskState::Skipped,
        Some("reschedule") => TaskState::UpForReschedule,
        // Failed, cancelled, lost, or what a newer worker calls it.
        Some(_) => TaskState::Failed,
        // Its worker has not said how it ended.
        None => TaskState::Running,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_gantt))
}

/// Every try of a run's task instances
#[utoipa::path(get, path = "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/gantt", tag = "User interface",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path)),
    responses((status = 200, body = GanttResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_gantt(
    State(app): State<App>,
    Path((dag_id, run_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let row = find::run(&app, &dag_id, &run_id).await?;
    let version = app.dags.read(&app.store, row.version_id).await?;
    let tasks = app.store.tasks_in_brief(row.run.key).await?;
    // One more than is shown tells whether there is more.
    let mut tries = app.store.tries_in_brief(row.run.key, TRIES_MAX + 1).await?;
    let most = usize::try_from(TRIES_MAX).unwrap_or(usize::MAX);
    let is_complete = tries.len() <= most;
    tries.truncate(most);
    away::json(move || Ok(GanttResponse { bars: bars(tasks, tries, |task_id| version.task_ix(task_id)), is_complete }))
        .await
}

/// Returns the bars in their order.
fn bars(tasks: Vec<TaskBrief>, tries: Vec<TryBrief>, ix: impl Fn(&str) -> Option<TaskIx>) -> Vec<GanttBar> {
    let mut earlier: HashMap<(String, i64), Vec<TryBrief>> = HashMap::new();
    for one in tries {
        earlier.entry((one.task_id.clone(), one.map_index)).or_default().push(one);
    }
    let mut bars: BTreeMap<(u32, String, i64, u32), GanttBar> = BTreeMap::new();
    for task in tasks {
        let place = ix(&task.task_id).map_or(u32::MAX, |ix| ix.0);
        let key = |try_number: u32| (place, task.task_id.clone(), task.map_index, try_number);
        let latest = key(task.try_number);
        for one in earlier.remove(&(task.task_id.clone(), task.map_index)).unwrap_or_default() {
            bars.insert(key(one.try_number), GanttBar::before(one));
        }
        // What was cleared has not begun again: its latest try is one of the past.
        if task.state != TaskState::NoStatus || !bars.contains_key(&latest) {
            bars.insert(latest, GanttBar::now(task));
        }
    }
    bars.into_values().collect()
}

#[cfg(test)]
mod tests {
    use flow_core::{Outcome, Timestamp, run::Failure, run::FailureCause};

    use super::*;

    #[track_caller]
    fn check(outcome: &Outcome, expected: TaskState) {
        let written = serde_json::to_value(outcome).unwrap();
        assert_eq!(state_of(written["outcome"].as_str()), expected, "{written}");
    }

    #[test]
    fn every_outcome_is_shown_as_a_state() {
        check(&Outcome::Success, TaskState::Success);
        check(&Outcome::Branch { follow: Vec::new() }, TaskState::Success);
        check(&Outcome::ShortCircuit { ignore_trigger_rules: true }, TaskState::Success);
        check(&Outcome::Skipped, TaskState::Skipped);
        check(&Outcome::Reschedule { at: Timestamp::default() }, TaskState::UpForReschedule);
        let failure = Failure::new(String::new(), FailureCause::Timeout, true);
        check(&Outcome::Failed { failure }, TaskState::Failed);
        check(&Outcome::Cancelled, TaskState::Failed);
        check(&Outcome::Lost { why: String::new() }, TaskState::Failed);
        assert_eq!(state_of(None), TaskState::Running);
    }
}
