//! `/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances`

mod change;
mod clear;
mod list;
mod tries;

use flow_core::{Outcome, RunKey};
use serde_json::{Value, json};

use crate::{
    client::Api,
    support::both,
    world::{at, failed, report, request},
};

/// Two groups, one in the other, and a task behind them.
pub(crate) const GROUPS: &str = "dag_id: grouped
dag_display_name: Grouped tasks
task_groups: { outer: {}, inner: { parent: outer } }
tasks:
  - { id: load, uses: work, task_display_name: Loading }
  - { id: x, uses: work, group: outer, needs: [load] }
  - { id: y, uses: work, group: inner, needs: [load] }
  - { id: last, uses: empty, needs: [outer] }
";

/// Makes a run of `chain` with this id and logical date, in which both tasks succeeded.
pub(crate) async fn chain(api: &Api, run_id: &str, second: u64) -> RunKey {
    use flow_store::{TriggerOutcome, TriggerRun};
    let asked = TriggerRun { run_id: Some(run_id), logical_date: Some(at(second)), ..request("chain") };
    let made = api.w.store.trigger(&api.w.dags, &asked, at(second)).await.unwrap();
    let TriggerOutcome::Created(row) = made else { panic!("it is there already") };
    let run = row.run.key;
    for claimed in api.w.running(run, "w", at(second + 1)).await {
        api.w.finish(report(&claimed, Outcome::Success, at(second + 2))).await;
    }
    api.w.decide(run, at(second + 3)).await;
    api.w.grant(at(second + 3)).await;
    for claimed in api.w.claim("w", 10, at(second + 4)).await {
        api.w.finish(report(&claimed, Outcome::Success, at(second + 5))).await;
    }
    api.w.decide(run, at(second + 6)).await;
    run
}

/// Returns (run, task, state) of every task instance of an answer.
pub(crate) fn names(answer: &Value) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = answer["task_instances"].as_array().unwrap();
    all.iter()
        .map(|one| (text(&one["dag_run_id"]), text(&one["task_id"]), one["state"].as_str().map(str::to_owned)))
        .collect()
}

both! {
    async fn a_task_instance_is_shown_in_full(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        chain(&api, "one", 10).await;
        let path = "/api/v2/dags/chain/dagRuns/one/taskInstances";
        let shown = api.get(&format!("{path}/a")).await.expect(200);
        for (key, value) in [
            ("task_id", json!("a")),
            ("dag_id", json!("chain")),
            ("dag_run_id", json!("one")),
            ("map_index", json!(-1)),
            ("logical_date", json!("2026-01-01T00:00:10Z")),
            ("start_date", json!("2026-01-01T00:00:11Z")),
            ("end_date", json!("2026-01-01T00:00:12Z")),
            ("duration", json!(1.0)),
            ("state", json!("success")),
            ("try_number", json!(1)),
            ("max_tries", json!(0)),
            ("hostname", json!("host")),
            ("pool", json!("default_pool")),
            ("operator", json!("work")),
            ("rendered_map_index", Value::Null),
            ("rendered_fields", json!({})),
            ("note", Value::Null),
            ("trigger", Value::Null),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }
        assert_eq!(shown["dag_version"]["version_number"], 1);
        assert_eq!(shown["id"].as_str().unwrap().len(), 36);
        assert_eq!(api.get(&format!("{path}/a/-1")).await.expect(200), shown);
        api.get(&format!("{path}/a/0")).await.expect(404);
        api.get(&format!("{path}/nope")).await.expect(404);
        api.get("/api/v2/dags/chain/dagRuns/nope/taskInstances/a").await.expect(404);
        api.get(&format!("{path}/a/x")).await.expect(422);
        api.get(&format!("{path}/a%00b")).await.expect(422);
        api.get(&format!("{path}/a/externalLogUrl/1")).await.expect(404);
    }

    async fn names_for_people_are_shown(api: Api) {
        api.w.save("g.yaml", GROUPS, at(0)).await;
        let run = api.w.trigger("grouped", at(1)).await;
        let path = format!("/api/v2/dags/grouped/dagRuns/{}/taskInstances", encode(run.run.run_id.as_str()));
        let shown = api.get(&format!("{path}/load")).await.expect(200);
        assert_eq!((&shown["task_display_name"], &shown["dag_display_name"]), (&json!("Loading"), &json!("Grouped tasks")));
        assert_eq!(shown["state"], Value::Null);
        let group = api.get(&format!("{path}?task_group_id=outer&order_by=task_id")).await.expect(200);
        let ids: Vec<String> = names(&group).into_iter().map(|(_, task, _)| task).collect();
        assert_eq!(ids, ["x", "y"]);
        let none = api.get(&format!("{path}?task_group_id=nope")).await.expect(200);
        assert_eq!(none["total_entries"], 0);
    }

    async fn what_has_ended_can_be_deleted(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        chain(&api, "one", 10).await;
        let busy = api.w.trigger("chain", at(20)).await;
        api.w.start(busy.run.key, at(21)).await;
        let path = "/api/v2/dags/chain/dagRuns/one/taskInstances/a";
        api.delete(path).await.expect(200);
        api.get(path).await.expect(404);
        api.delete(path).await.expect(404);
        let busy = format!("/api/v2/dags/chain/dagRuns/{}/taskInstances/a", encode(busy.run.run_id.as_str()));
        api.delete(&busy).await.expect(409);
        assert_eq!(api.w.count("event", "kind = 'task_deleted' AND who = 'admin'").await, 1);
        api.as_role(flow_server::Role::Viewer).delete(path).await.expect(403);
    }
}

/// Writes a run id for a path.
pub(crate) fn encode(text: &str) -> String {
    text.replace('+', "%2B").replace(':', "%3A")
}

/// Ends the only attempt that a worker is given with a failure.
pub(crate) async fn fail_first(api: &Api, run: RunKey, second: u64) {
    for claimed in api.w.running(run, "w", at(second)).await {
        api.w.finish(report(&claimed, failed(), at(second + 1))).await;
    }
    api.w.decide(run, at(second + 2)).await;
}
