//! Makes a run of another DAG, and may wait for its end.
//!
//! The run's id is derived from this attempt, so that an attempt that is repeated after its worker died finds
//! the run that it made before. A retry or a clear makes another run.

use std::time::Duration;

use anyhow::anyhow;
use flow_core::{DagId, RunId, RunState, Timestamp, run::Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::bash;
use crate::{
    calendar,
    context::{RunQuery, TaskContext, TriggerRequest, Triggered},
    operator::{Done, Operator, OperatorError},
    values::{Flag, Span},
};

/// The XCom that names the run.
const RUN_ID_KEY: &str = "trigger_run_id";

/// How often a derived logical date is moved on by a microsecond when another run has it.
const DATES_MAX: u32 = 20;

/// `uses: trigger_dag`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerDag {
    /// The DAG to run.
    trigger_dag_id: String,
    /// The new run's id; without it one is made up.
    #[serde(default)]
    trigger_run_id: Option<String>,
    /// The new run's conf: a map, or JSON as text.
    #[serde(default)]
    #[schemars(with = "Option<Map<String, Value>>")]
    conf: Value,
    /// The new run's logical date, in ISO-8601; without it the current time.
    #[serde(default)]
    logical_date: Option<String>,
    /// Do not start the new run earlier. Its logical date is not that moment: without `logical_date`, it is the current time.
    #[serde(default)]
    run_after: Option<String>,
    /// When there is a run of that id or date: clear it and let it run again.
    #[serde(default)]
    reset_dag_run: bool,
    /// Wait for the run's end. Holds no worker slot meanwhile.
    #[serde(default)]
    wait_for_completion: Flag,
    /// Time between two looks while waiting. A number counts seconds.
    #[serde(default = "poke_interval")]
    poke_interval: Span,
    /// States of the run that end the wait well; without it `[success]`.
    #[serde(default)]
    allowed_states: Option<Vec<String>>,
    /// States of the run that make this task fail; without it `[failed]`.
    #[serde(default)]
    failed_states: Option<Vec<String>>,
    /// When there is a run of that id or date: skip this task instead of failing.
    #[serde(default)]
    skip_when_already_exists: Flag,
    /// Fail when the DAG is paused, instead of making a run that waits.
    #[serde(default)]
    fail_when_dag_is_paused: bool,
    /// A note for the run.
    #[serde(default)]
    note: Option<String>,
    /// Accepted for Airflow's sake: waiting never holds a worker slot.
    #[serde(default, rename = "deferrable")]
    _deferrable: bool,
    /// Accepted for Airflow's sake; changes nothing.
    #[serde(default, rename = "openlineage_inject_parent_info")]
    _openlineage_inject_parent_info: bool,
}

fn poke_interval() -> Span {
    Span::seconds(60.0)
}

impl Operator for TriggerDag {
    const NAME: &'static str = "trigger_dag";
    const CLASS: &'static str = "airflow.providers.standard.operators.trigger_dagrun.TriggerDagRunOperator";
    const SUMMARY: &'static str = "Makes a run of another DAG, and may wait for its end.";
    const TEMPLATED: &'static [&'static str] = &[
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
    ];
    const EXAMPLE: &'static str = "\
id: report
uses: trigger_dag
with:
  trigger_dag_id: daily_report
  conf: { day: \"{{ ds }}\" }
  wait_for_completion: true
  poke_interval: 10s
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let allowed = states("allowed_states", self.allowed_states.as_deref().unwrap_or_default(), RunState::Success)?;
        let failed = match self.failed_states.as_deref() {
            Some([]) => Vec::new(),
            given => states("failed_states", given.unwrap_or_default(), RunState::Failed)?,
        };
        let dag_id = DagId::new(&self.trigger_dag_id);
        let made = cx.services.state().get(RUN_ID_KEY).and_then(Value::as_str).map(RunId::new);
        let run_id = match made {
            Some(run_id) => run_id,
            None => match self.trigger(cx, &dag_id).await? {
                Some(run_id) => run_id,
                None => return Ok(Done::skipped()),
            },
        };
        let xcoms = vec![(RUN_ID_KEY.to_owned(), json!(run_id.as_str()))];
        if !self.wait_for_completion.0 {
            return Ok(Done { xcoms, ..Done::new(Outcome::Success) });
        }
        let run = cx.services.run(&dag_id, RunQuery::ById(run_id.clone())).await.map_err(OperatorError::service)?;
        let run = run.ok_or_else(|| OperatorError::retry(anyhow!("run `{run_id}` of DAG `{dag_id}` was deleted")))?;
        if failed.contains(&run.state) {
            return Err(OperatorError::retry(anyhow!("run `{run_id}` of DAG `{dag_id}` is `{}`", run.state)));
        }
        if allowed.contains(&run.state) {
            bash::say(cx, &format!("run `{run_id}` of DAG `{dag_id}` is `{}`", run.state));
            return Ok(Done { xcoms, ..Done::new(Outcome::Success) });
        }
        let at = (cx.clock)() + self.poke_interval.duration().max(Duration::from_millis(10));
        bash::say(cx, &format!("run `{run_id}` of DAG `{dag_id}` is `{}`", run.state));
        Ok(Done { state: json!({ RUN_ID_KEY: run_id.as_str() }), ..Done::new(Outcome::Reschedule { at }) })
    }
}

impl TriggerDag {
    /// Makes the run; `None`: there is one, and that is a reason to skip.
    async fn trigger(&self, cx: &TaskContext, dag_id: &DagId) -> Result<Option<RunId>, OperatorError> {
        let own_id = self.trigger_run_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let derived = derive_run_id(cx);
        let is_derived = own_id.is_none();
        let zone = calendar::zone_of_dates(cx)?;
        let moment = |name: &str, text: Option<&str>| match text.map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => calendar::parse_moment(text, &zone).map(Some).ok_or_else(|| {
                OperatorError::fatal(anyhow!("`{name}` must be a moment such as `2026-01-01T07:30`, not `{text}`"))
            }),
        };
        let given_date = moment("logical_date", self.logical_date.as_deref())?;
        let run_after = moment("run_after", self.run_after.as_deref())?;
        let mut logical_date = match (given_date, run_after) {
            (None, None) => Some((cx.clock)()),
            (given, _) => given,
        };
        // An attempt that is only repeated must not clear the run that it made before.
        let is_repeated = cx.identity.lost > 0;
        let mut request = TriggerRequest {
            dag_id: dag_id.clone(),
            run_id: Some(own_id.unwrap_or(&derived).to_owned()),
            logical_date,
            conf: self.conf()?,
            reset: self.reset_dag_run && !(is_derived && is_repeated),
            refuse_paused: self.fail_when_dag_is_paused,
            run_after,
            note: self.note.clone(),
            caller: cx.identity.traceparent.clone(),
        };
        for _ in 0..DATES_MAX {
            let answer = cx.services.trigger(request.clone()).await.map_err(OperatorError::service)?;
            let existing = match answer {
                Triggered::Created(run_id) => {
                    bash::say(cx, &format!("made run `{run_id}` of DAG `{dag_id}`"));
                    return Ok(Some(run_id));
                }
                Triggered::Reset(run_id) => {
                    bash::say(cx, &format!("cleared run `{run_id}` of DAG `{dag_id}`"));
                    return Ok(Some(run_id));
                }
                Triggered::NoSuchDag => return Err(OperatorError::retry(anyhow!("DAG `{dag_id}` does not exist"))),
                Triggered::Paused => return Err(OperatorError::retry(anyhow!("DAG `{dag_id}` is paused"))),
                Triggered::Exists(run_id) => run_id,
            };
            let is_same_id = request.run_id.as_deref() == Some(existing.as_str());
            if is_same_id && (is_derived || is_repeated) {
                bash::say(cx, &format!("run `{existing}` was made by this task before"));
                return Ok(Some(existing));
            }
            let may_move = !is_same_id && given_date.is_none() && logical_date.is_some();
            if !may_move {
                let what = format!("run `{existing}` of DAG `{dag_id}` exists already");
                if self.skip_when_already_exists.0 {
                    bash::say(cx, &format!("{what}: skipped"));
                    return Ok(None);
                }
                return Err(OperatorError::fatal(anyhow!(what)));
            }
            // Another run was made in the same microsecond.
            logical_date = logical_date.map(|date| date + Duration::from_micros(1));
            request.logical_date = logical_date;
        }
        Err(OperatorError::retry(anyhow!("too many runs of DAG `{dag_id}` are made at the same moment")))
    }

    fn conf(&self) -> Result<Value, OperatorError> {
        let conf = match self.conf.as_str().map(str::trim) {
            Some("") => Value::Null,
            Some(text) => serde_json::from_str(text)
                .map_err(|e| OperatorError::fatal(anyhow!(e).context("`conf` is a text that is not JSON")))?,
            None => self.conf.clone(),
        };
        match conf {
            Value::Null => Ok(json!({})),
            Value::Object(_) => Ok(conf),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(OperatorError::fatal(anyhow!("`conf` must be a map")))
            }
        }
    }
}

/// Derives a run id from this attempt: the same when it is only repeated.
fn derive_run_id(cx: &TaskContext) -> String {
    let id = &cx.identity;
    let date: Timestamp = id.logical_date.unwrap_or(id.run_after);
    let attempt = id.try_number.saturating_sub(id.lost);
    let digest = Sha256::digest(format!("{}\0{}\0{}\0{}\0{attempt}", id.dag_id, id.run_id, id.task_id, id.map_index));
    let tail: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("manual__{}_{tail}", date.to_isoformat())
}

fn states(name: &str, words: &[String], default: RunState) -> Result<Vec<RunState>, OperatorError> {
    if words.is_empty() {
        return Ok(vec![default]);
    }
    let parse = |word: &String| word.parse().map_err(|e| OperatorError::fatal(anyhow!("{name}: {e}")));
    words.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn world() -> World {
        let world = World::new();
        world.services.lock().unwrap().runs.insert("other".to_owned(), vec![]);
        world
    }

    fn run_ids(world: &World) -> Vec<String> {
        world.services.lock().unwrap().runs["other"].iter().map(|run| run.run_id.to_string()).collect()
    }

    fn settle(world: &World, state: RunState) {
        for run in world.services.lock().unwrap().runs.get_mut("other").unwrap() {
            run.state = state;
        }
    }

    #[tokio::test]
    async fn a_run_is_made_with_conf_and_named_in_an_xcom() {
        let world = world();
        let finished =
            world.run("trigger_dag", json!({ "trigger_dag_id": "other", "conf": "{\"a\": 1}", "note": "n" })).await;
        assert_eq!(finished.outcome(), &Outcome::Success);
        assert_eq!(finished.0.xcoms, vec![(RUN_ID_KEY.to_owned(), json!(run_ids(&world)[0]))]);
        let services = world.services.lock().unwrap();
        assert_eq!(services.requests[0].conf, json!({ "a": 1 }));
        assert_eq!(services.requests[0].note.as_deref(), Some("n"));
        assert!(services.requests[0].logical_date.is_some());
    }

    #[tokio::test]
    async fn a_repeated_attempt_makes_no_second_run_and_a_retry_does() {
        let mut world = world();
        let arguments = json!({ "trigger_dag_id": "other", "reset_dag_run": true });
        for (try_number, lost, runs) in [(1, 0, 1), (2, 1, 1), (3, 1, 2), (4, 2, 2), (5, 0, 3)] {
            world.cx.identity.try_number = try_number;
            world.cx.identity.lost = lost;
            let finished = world.run("trigger_dag", arguments.clone()).await;
            assert_eq!(finished.outcome(), &Outcome::Success, "{finished:?}");
            assert_eq!(run_ids(&world).len(), runs, "try {try_number}, {lost} lost");
        }
    }

    #[tokio::test]
    async fn waiting_looks_again_and_triggers_once() {
        let world = world();
        let arguments = json!({ "trigger_dag_id": "other", "wait_for_completion": "True", "poke_interval": "5s" });
        for _ in 0..3 {
            let finished = world.run("trigger_dag", arguments.clone()).await;
            assert!(matches!(finished.outcome(), Outcome::Reschedule { .. }), "{finished:?}");
            world.services.lock().unwrap().state = finished.0.state;
        }
        assert_eq!(world.services.lock().unwrap().requests.len(), 1);
        settle(&world, RunState::Failed);
        world.run("trigger_dag", arguments.clone()).await.failed("is `failed`");
        settle(&world, RunState::Success);
        assert_eq!(world.run("trigger_dag", arguments).await.outcome(), &Outcome::Success);
    }

    #[tokio::test]
    async fn a_run_that_exists_is_left_skipped_or_reset() {
        let world = world();
        let with = |more: Value| {
            let mut arguments = json!({ "trigger_dag_id": "other", "trigger_run_id": "r1" });
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            arguments
        };
        assert_eq!(world.run("trigger_dag", with(json!({}))).await.outcome(), &Outcome::Success);
        world.run("trigger_dag", with(json!({}))).await.failed_for_good("run `r1` of DAG `other` exists already");
        let skipped = world.run("trigger_dag", with(json!({ "skip_when_already_exists": true }))).await;
        assert_eq!(skipped.outcome(), &Outcome::Skipped);
        let reset = world.run("trigger_dag", with(json!({ "reset_dag_run": true }))).await;
        assert_eq!(reset.outcome(), &Outcome::Success);
        assert_eq!(run_ids(&world), ["r1"]);
    }

    #[tokio::test]
    async fn a_given_date_that_is_taken_is_a_failure_and_a_made_up_one_moves_on() {
        let world = world();
        let given = json!({ "trigger_dag_id": "other", "logical_date": "2026-01-01" });
        assert_eq!(world.run("trigger_dag", given.clone()).await.outcome(), &Outcome::Success);
        let mut again = given;
        again["trigger_run_id"] = json!("r2");
        world.run("trigger_dag", again).await.failed_for_good("exists already");
    }

    #[tokio::test]
    async fn what_cannot_be_triggered_is_said() {
        let world = world();
        world.run("trigger_dag", json!({ "trigger_dag_id": "ghost" })).await.failed("DAG `ghost` does not exist");
        let bad = |key: &str, value: Value| json!({ "trigger_dag_id": "other", key: value });
        world.run("trigger_dag", bad("conf", json!([1]))).await.failed_for_good("`conf` must be a map");
        world.run("trigger_dag", bad("conf", json!("{"))).await.failed_for_good("not JSON");
        world.run("trigger_dag", bad("logical_date", json!("soon"))).await.failed_for_good("not `soon`");
        world.run("trigger_dag", bad("allowed_states", json!(["skipped"]))).await.failed_for_good("skipped");
        world.services.lock().unwrap().is_paused = true;
        world.run("trigger_dag", bad("fail_when_dag_is_paused", json!(true))).await.failed("is paused");
    }
}
