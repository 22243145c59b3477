//! Waits for another DAG, a group of its tasks, or some of its tasks.

use std::collections::BTreeSet;

use anyhow::anyhow;
use flow_core::{DagId, RunState, TaskState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::bash;
use crate::{
    context::{ExternalRun, RunQuery, TaskContext},
    operator::OperatorError,
    sensor::{Look, Sensor},
    values::Span,
};

/// `uses: external_task_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalTaskSensor {
    /// The DAG to wait for.
    external_dag_id: String,
    /// One task of it.
    #[serde(default)]
    external_task_id: Option<String>,
    /// Several tasks of it.
    #[serde(default)]
    external_task_ids: Option<Vec<String>>,
    /// A group of its tasks.
    #[serde(default)]
    external_task_group_id: Option<String>,
    /// States that end the wait well; without it `[success]`.
    #[serde(default)]
    allowed_states: Option<Vec<String>>,
    /// States that make this task skipped.
    #[serde(default)]
    skipped_states: Option<Vec<String>>,
    /// States that make this task fail; with `soft_fail` skipped.
    #[serde(default)]
    failed_states: Option<Vec<String>>,
    /// Look at the run that is this much earlier than this one.
    #[serde(default)]
    execution_delta: Option<Span>,
    /// Fail at once when there is no such DAG, or its run has no such task.
    #[serde(default)]
    check_existence: bool,
}

impl Sensor for ExternalTaskSensor {
    const NAME: &'static str = "external_task_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.external_task.ExternalTaskSensor";
    const SUMMARY: &'static str = "Waits for another DAG's run of the same logical date, or for tasks of it.";
    const TEMPLATED: &'static [&'static str] =
        &["external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id"];
    const EXAMPLE: &'static str = "\
id: sales_are_loaded
uses: external_task_sensor
with:
  external_dag_id: daily_sales
  external_task_id: load
  failed_states: [failed, upstream_failed]
  execution_delta: 1h
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let wanted = self.wanted()?;
        let states = self.states(&wanted)?;
        let dag_id = DagId::new(&self.external_dag_id);
        let date = cx.identity.logical_date.unwrap_or(cx.identity.run_after);
        let date = self.execution_delta.map_or(date, |delta| date - delta.duration());
        let run = cx.services.run(&dag_id, RunQuery::ByLogicalDate(date)).await.map_err(OperatorError::service)?;
        bash::say(cx, &format!("looking at {} of DAG `{dag_id}`, logical date {date}", wanted.describe()));
        if self.check_existence {
            let exists = run.is_some() || cx.services.dag_exists(&dag_id).await.map_err(OperatorError::service)?;
            if !exists {
                return Err(OperatorError::fatal(anyhow!("DAG `{dag_id}` does not exist")));
            }
            if let Some(missing) = run.as_ref().and_then(|run| wanted.missing(run)) {
                return Err(OperatorError::fatal(anyhow!("{missing} of DAG `{dag_id}` does not exist")));
            }
        }
        let Some(run) = run else { return Ok(Look::NotYet) };
        Ok(judge(&wanted, &run, &states, &dag_id))
    }
}

/// What is waited for.
#[derive(Debug, PartialEq)]
enum Wanted {
    Run,
    Tasks(BTreeSet<String>),
    Group(String),
}

/// What each state means.
#[derive(Debug)]
struct States {
    allowed: Vec<String>,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl ExternalTaskSensor {
    fn wanted(&self) -> Result<Wanted, OperatorError> {
        let several = self.external_task_ids.as_ref().filter(|ids| !ids.is_empty());
        match (&self.external_task_id, several, &self.external_task_group_id) {
            (None, None, None) => Ok(Wanted::Run),
            (Some(id), None, None) => Ok(Wanted::Tasks(BTreeSet::from([id.clone()]))),
            (None, Some(ids), None) => {
                let set: BTreeSet<_> = ids.iter().cloned().collect();
                if set.len() != ids.len() {
                    return Err(OperatorError::fatal(anyhow!("`external_task_ids` names a task twice")));
                }
                Ok(Wanted::Tasks(set))
            }
            (None, None, Some(id)) => Ok(Wanted::Group(id.clone())),
            _ => Err(OperatorError::fatal(anyhow!(
                "give only one of `external_task_id`, `external_task_ids` and `external_task_group_id`"
            ))),
        }
    }

    fn states(&self, wanted: &Wanted) -> Result<States, OperatorError> {
        let list = |states: &Option<Vec<String>>| states.clone().unwrap_or_default();
        let mut allowed = list(&self.allowed_states);
        if allowed.is_empty() {
            allowed.push("success".to_owned());
        }
        let states = States { allowed, skipped: list(&self.skipped_states), failed: list(&self.failed_states) };
        let mut seen = BTreeSet::new();
        for word in states.allowed.iter().chain(&states.skipped).chain(&states.failed) {
            let error = match wanted {
                Wanted::Run => word.parse::<RunState>().err(),
                Wanted::Tasks(_) | Wanted::Group(_) => word.parse::<TaskState>().err(),
            };
            if let Some(error) = error {
                return Err(OperatorError::fatal(anyhow!(error)));
            }
            if !seen.insert(word) {
                return Err(OperatorError::fatal(anyhow!(
                    "state `{word}` stands twice in `allowed_states`, `skipped_states` and `failed_states`"
                )));
            }
        }
        Ok(states)
    }
}

impl Wanted {
    fn describe(&self) -> String {
        match self {
            Wanted::Run => "the run".to_owned(),
            Wanted::Tasks(ids) => ids.iter().map(|id| format!("task `{id}`")).collect::<Vec<_>>().join(", "),
            Wanted::Group(id) => format!("task group `{id}`"),
        }
    }

    /// Names what the run does not have.
    fn missing(&self, run: &ExternalRun) -> Option<String> {
        match self {
            Wanted::Run => None,
            Wanted::Tasks(ids) => {
                let has = |id: &String| run.tasks.iter().any(|task| task.task_id.as_str() == id);
                ids.iter().find(|id| !has(id)).map(|id| format!("task `{id}`"))
            }
            Wanted::Group(id) => {
                (!run.tasks.iter().any(|task| task.groups.contains(id))).then(|| format!("task group `{id}`"))
            }
        }
    }
}

/// Failed states come first, then skipped ones, as in Airflow. One task of several is enough for those; a group
/// counts when all its tasks do.
fn judge(wanted: &Wanted, run: &ExternalRun, states: &States, dag_id: &DagId) -> Look {
    let has = |list: &[String], state: &str| list.iter().any(|word| word == state);
    let all = |list: &[String]| match wanted {
        Wanted::Run => has(list, run.state.as_str()),
        Wanted::Tasks(ids) => ids.iter().all(|id| {
            let mut of_task = run.tasks.iter().filter(|task| task.task_id.as_str() == id).peekable();
            of_task.peek().is_some() && of_task.all(|task| has(list, task.state.as_str()))
        }),
        Wanted::Group(id) => {
            let mut of_group = run.tasks.iter().filter(|task| task.groups.contains(id)).peekable();
            of_group.peek().is_some() && of_group.all(|task| has(list, task.state.as_str()))
        }
    };
    let some = |list: &[String]| match wanted {
        Wanted::Tasks(ids) => {
            run.tasks.iter().any(|task| ids.contains(task.task_id.as_str()) && has(list, task.state.as_str()))
        }
        Wanted::Run | Wanted::Group(_) => all(list),
    };
    let what = wanted.describe();
    if some(&states.failed) {
        Look::Failed(format!("{what} of DAG `{dag_id}` is in one of `failed_states`"))
    } else if some(&states.skipped) {
        Look::Skip(format!("{what} of DAG `{dag_id}` is in one of `skipped_states`: skipped"))
    } else if all(&states.allowed) {
        Look::Met(Value::Null)
    } else {
        Look::NotYet
    }
}

#[cfg(test)]
mod tests {
    use flow_core::{RunId, TaskId};
    use serde_json::json;

    use super::*;
    use crate::{context::ExternalTask, testing::World};

    /// A world in which DAG `other` has a run on this one's date.
    fn world(state: RunState, tasks: &[(&str, i32, TaskState, &[&str])]) -> World {
        let world = World::new();
        let run = ExternalRun {
            run_id: RunId::new("r"),
            state,
            logical_date: world.cx.identity.logical_date,
            tasks: tasks
                .iter()
                .map(|(id, map_index, state, groups)| ExternalTask {
                    task_id: TaskId::new(id),
                    map_index: *map_index,
                    state: *state,
                    groups: groups.iter().map(|&group| group.to_owned()).collect(),
                })
                .collect(),
        };
        world.services.lock().unwrap().runs.insert("other".to_owned(), vec![run]);
        world
    }

    async fn check(world: &World, more: Value, expected: &str) {
        let mut arguments = json!({ "external_dag_id": "other" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let run = world.run("external_task_sensor", arguments).await;
        assert_eq!(run.word(), expected, "{more}: {run:?}");
    }

    #[tokio::test]
    async fn a_run_is_waited_for() {
        check(&world(RunState::Success, &[]), json!({}), "success").await;
        check(&world(RunState::Running, &[]), json!({}), "waits").await;
        check(&world(RunState::Failed, &[]), json!({}), "waits").await;
        let failed = json!({ "failed_states": ["failed"] });
        check(&world(RunState::Failed, &[]), failed, "failed").await;
        let soft = json!({ "failed_states": ["failed"], "soft_fail": true });
        check(&world(RunState::Failed, &[]), soft, "skipped").await;
        check(&world(RunState::Failed, &[]), json!({ "skipped_states": ["failed"] }), "skipped").await;
        check(&world(RunState::Failed, &[]), json!({ "allowed_states": ["success", "failed"] }), "success").await;
        check(&World::new(), json!({}), "waits").await;
    }

    #[tokio::test]
    async fn tasks_are_waited_for_with_all_their_map_indexes() {
        use TaskState::{Failed, Running, Success};
        let tasks =
            [("a", -1, Success, &[][..]), ("m", 0, Success, &[]), ("m", 1, Running, &[]), ("f", -1, Failed, &[])];
        let world = world(RunState::Running, &tasks);
        check(&world, json!({ "external_task_id": "a" }), "success").await;
        check(&world, json!({ "external_task_id": "m" }), "waits").await;
        check(&world, json!({ "external_task_ids": ["a", "m"] }), "waits").await;
        check(&world, json!({ "external_task_ids": ["a", "f"], "failed_states": ["failed"] }), "failed").await;
        check(&world, json!({ "external_task_ids": ["a", "f"], "skipped_states": ["failed"] }), "skipped").await;
        check(&world, json!({ "external_task_id": "ghost" }), "waits").await;
        check(&world, json!({ "external_task_id": "ghost", "check_existence": true }), "failed for good").await;
    }

    #[tokio::test]
    async fn a_group_counts_when_all_its_tasks_do() {
        use TaskState::{Failed, Success};
        let tasks = [("g.a", -1, Success, &["g"][..]), ("g.b", -1, Failed, &["inner", "g"]), ("c", -1, Failed, &[])];
        let world = world(RunState::Running, &tasks);
        check(&world, json!({ "external_task_group_id": "g" }), "waits").await;
        check(&world, json!({ "external_task_group_id": "g", "failed_states": ["failed"] }), "waits").await;
        check(&world, json!({ "external_task_group_id": "inner", "failed_states": ["failed"] }), "failed").await;
        check(&world, json!({ "external_task_group_id": "g", "allowed_states": ["success", "failed"] }), "success")
            .await;
        check(&world, json!({ "external_task_group_id": "none", "check_existence": true }), "failed for good").await;
    }

    #[tokio::test]
    async fn an_earlier_run_is_found_by_its_distance() {
        let mut world = world(RunState::Success, &[]);
        world.cx.identity.logical_date =
            world.cx.identity.logical_date.map(|date| date + std::time::Duration::from_secs(3_600));
        check(&world, json!({}), "waits").await;
        check(&world, json!({ "execution_delta": "1h" }), "success").await;
    }

    #[tokio::test]
    async fn a_dag_that_does_not_exist_is_noticed_when_asked() {
        check(&World::new(), json!({ "check_existence": true }), "failed for good").await;
        let world = World::new();
        world.services.lock().unwrap().runs.insert("other".to_owned(), vec![]);
        check(&world, json!({ "check_existence": true }), "waits").await;
    }

    #[tokio::test]
    async fn contradictions_fail_for_good() {
        let world = world(RunState::Success, &[]);
        check(&world, json!({ "external_task_id": "a", "external_task_ids": ["b"] }), "failed for good").await;
        check(&world, json!({ "external_task_ids": ["b", "b"] }), "failed for good").await;
        check(&world, json!({ "allowed_states": ["skipped"] }), "failed for good").await;
        check(&world, json!({ "allowed_states": ["success"], "failed_states": ["success"] }), "failed for good").await;
    }
}
