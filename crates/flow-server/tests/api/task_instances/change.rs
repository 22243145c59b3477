//! Saying how task instances ended.

use flow_server::Role;
use serde_json::{Value, json};

use super::{GROUPS, chain, encode, names};
use crate::{client::Api, support::both, world::at};

async fn three_runs(api: Api) -> Api {
    let api = Api { w: api.w.clone().with_chain().await, ..api };
    for (run_id, second) in [("one", 10), ("two", 20), ("three", 30)] {
        chain(&api, run_id, second).await;
    }
    api
}

const TWO: &str = "/api/v2/dags/chain/dagRuns/two/taskInstances";

fn states(answer: &Value) -> Vec<(String, String)> {
    names(answer).into_iter().map(|(run, task, state)| (format!("{run}.{task}"), state.unwrap_or_default())).collect()
}

both! {
    async fn a_task_is_marked_and_given_a_note(api: Api) {
        let api = three_runs(api).await;
        let body = json!({ "new_state": "failed", "note": "it was wrong" });
        let would = api.patch(&format!("{TWO}/b/dry_run"), &body).await.expect(200);
        assert_eq!(states(&would), [("two.b".into(), "success".into())]);
        let done = api.patch(&format!("{TWO}/b"), &body).await.expect(200);
        assert_eq!(states(&done), [("two.b".into(), "failed".into())]);
        assert_eq!((&done["task_instances"][0]["note"], &done["total_entries"]), (&json!("it was wrong"), &json!(1)));
        let again = json!({ "new_state": "failed", "note": "once more" });
        api.patch(&format!("{TWO}/b"), &again).await.expect(409);
        assert_eq!(api.w.count("task_instance", "note = 'once more'").await, 0);
        let events = "kind = 'task_state' AND task_id = 'b' AND state = 'failed' AND who = 'admin'";
        assert_eq!(api.w.count("event", events).await, 1);

        // Only what the mask names counts, and a null takes the note away.
        let body = json!({ "new_state": "success", "note": null });
        let done = api.patch(&format!("{TWO}/b?update_mask=note"), &body).await.expect(200);
        assert_eq!(states(&done), [("two.b".into(), "failed".into())]);
        assert_eq!(done["task_instances"][0]["note"], Value::Null);
        let done = api.patch(&format!("{TWO}/b/-1"), &json!({ "new_state": "skipped" })).await.expect(200);
        assert_eq!(states(&done), [("two.b".into(), "skipped".into())]);

        for body in [
            json!({ "new_state": "running" }),
            json!({ "new_state": "nope" }),
            json!({ "note": "x".repeat(1_001) }),
            json!({ "nope": 1 }),
            json!([]),
        ] {
            api.patch(&format!("{TWO}/b"), &body).await.expect(422);
        }
        api.patch(&format!("{TWO}/nope"), &json!({ "new_state": "failed" })).await.expect(404);
        api.patch(&format!("{TWO}/b/3"), &json!({ "new_state": "failed" })).await.expect(404);
        api.patch("/api/v2/dags/chain/dagRuns/nope/taskInstances/b", &json!({ "new_state": "failed" })).await.expect(404);
        api.as_role(Role::Viewer).patch(&format!("{TWO}/b"), &json!({ "new_state": "failed" })).await.expect(403);
        api.patch(&format!("{TWO}/b"), &json!({ "note": "a\0b" })).await.expect(200);
    }

    async fn a_mark_reaches_other_runs_and_other_tasks(api: Api) {
        let api = three_runs(api).await;
        let past = json!({ "new_state": "failed", "include_past": true, "include_downstream": true });
        let would = api.patch(&format!("{TWO}/a/dry_run"), &past).await.expect(200);
        let expected = ["two.a", "two.b", "one.a", "one.b"].map(|name| (name.to_owned(), "success".to_owned()));
        assert_eq!(states(&would), expected);
        let all = json!({ "new_state": "failed", "include_past": true, "include_future": true });
        api.patch(&format!("{TWO}/a"), &all).await.expect(200);
        assert_eq!(api.w.count("task_instance", "task_id = 'a' AND state = 'failed'").await, 3);
        assert_eq!(api.w.count("task_instance", "task_id = 'b' AND state = 'success'").await, 3);
        api.w.meddle("UPDATE dag_run SET logical_date = NULL WHERE run_id = 'two'").await;
        api.patch(&format!("{TWO}/b"), &all).await.expect(400);
    }

    async fn a_group_is_marked_as_a_whole(api: Api) {
        api.w.save("g.yaml", GROUPS, at(0)).await;
        let run = api.w.trigger("grouped", at(1)).await;
        let path = format!("/api/v2/dags/grouped/dagRuns/{}/taskGroupInstances", encode(run.run.run_id.as_str()));
        let body = json!({ "new_state": "skipped" });
        let tasks = |answer: &Value| names(answer).into_iter().map(|(_, task, _)| task).collect::<Vec<_>>();
        let would = api.patch(&format!("{path}/outer/dry_run"), &body).await.expect(200);
        assert_eq!(tasks(&would), ["x", "y"]);
        assert_eq!(api.w.count("task_instance", "state = 'skipped'").await, 0);
        let done = api.patch(&format!("{path}/inner"), &body).await.expect(200);
        assert_eq!(tasks(&done), ["y"]);
        assert_eq!(done["task_instances"][0]["state"], "skipped");
        api.patch(&format!("{path}/inner"), &body).await.expect(409);
        let noted = api.patch(&format!("{path}/outer"), &json!({ "note": "all of it" })).await.expect(200);
        assert_eq!(noted["total_entries"], 2);
        assert_eq!(api.w.count("task_instance", "note = 'all of it'").await, 2);
        api.patch(&format!("{path}/nope"), &body).await.expect(404);
        api.patch(&format!("{path}/nope/dry_run"), &body).await.expect(404);
    }

    async fn many_changes_go_in_one_request(api: Api) {
        let api = three_runs(api).await;
        let body = json!({ "actions": [
            { "action": "update", "entities": [
                { "task_id": "a", "new_state": "failed" },
                { "task_id": "a", "dag_run_id": "one", "dag_id": "chain", "map_index": -1, "new_state": "failed", "note": "n" },
                { "task_id": "nope", "new_state": "failed" },
            ] },
            { "action": "update", "action_on_non_existence": "skip", "entities": [{ "task_id": "nope", "new_state": "failed" }] },
            { "action": "create", "entities": [{ "task_id": "z" }] },
            { "action": "delete", "entities": ["b", { "task_id": "b", "dag_run_id": "three" }, "nope"] },
        ] });
        let done = api.patch(TWO, &body).await.expect(200);
        assert_eq!(done["update"]["success"], json!(["chain.two.a[-1]", "chain.one.a[-1]"]));
        assert_eq!(done["update"]["errors"][0]["status_code"], 404);
        assert_eq!(done["update"]["errors"].as_array().unwrap().len(), 1);
        assert_eq!(done["create"]["errors"][0]["status_code"], 405);
        assert_eq!(done["delete"]["success"], json!(["chain.two.b[-1]", "chain.three.b[-1]"]));
        assert_eq!(done["delete"]["errors"].as_array().unwrap().len(), 1);

        let all = "/api/v2/dags/~/dagRuns/~/taskInstances";
        let vague = json!({ "actions": [{ "action": "update", "entities": [{ "task_id": "a", "new_state": "success" }] }] });
        let done = api.patch(all, &vague).await.expect(200);
        assert_eq!(done["update"]["errors"][0]["status_code"], 400);
        api.patch(all, &json!({ "actions": [{ "action": "explode", "entities": [] }] })).await.expect(422);
    }
}
