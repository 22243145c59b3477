//! Clearing task instances.

use serde_json::{Value, json};

use super::{chain, fail_first, names};
use crate::{client::Api, support::both, world::at};

const CLEAR: &str = "/api/v2/dags/chain/clearTaskInstances";

fn tasks(answer: &Value) -> Vec<String> {
    names(answer).into_iter().map(|(run, task, _)| format!("{run}.{task}")).collect()
}

both! {
    async fn a_clear_says_first_what_it_would_do(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let run = chain(&api, "one", 10).await;
        chain(&api, "two", 20).await;
        let would = api.post(CLEAR, &json!({ "dag_run_id": "one" })).await.expect(200);
        assert_eq!(tasks(&would), [""; 0], "only what failed, when nothing else is said");
        let would = api.post(CLEAR, &json!({ "dag_run_id": "one", "only_failed": false })).await.expect(200);
        assert_eq!(tasks(&would), ["one.a", "one.b"]);
        assert_eq!(api.w.count("task_instance", "state = 'no_status'").await, 0);

        let body = json!({
            "dry_run": false, "dag_run_id": "one", "only_failed": false, "task_ids": ["b"], "include_upstream": true, "note": "again",
        });
        let done = api.post(CLEAR, &body).await.expect(200);
        assert_eq!(tasks(&done), ["one.a", "one.b"]);
        assert_eq!((&done["task_instances"][0]["state"], &done["task_instances"][0]["note"]), (&Value::Null, &json!("again")));
        assert_eq!(api.w.numbers(&format!("SELECT COUNT(*) FROM dag_run WHERE id = {run} AND state = 'queued'")).await, [1]);
    }

    async fn tasks_are_named_alone_or_with_a_map_index(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        chain(&api, "one", 10).await;
        let body = |tasks: Value| json!({ "dag_run_id": "one", "only_failed": false, "task_ids": tasks });
        assert_eq!(tasks(&api.post(CLEAR, &body(json!([["a", -1]]))).await.expect(200)), ["one.a"]);
        assert_eq!(tasks(&api.post(CLEAR, &body(json!(["a", ["b", -1]]))).await.expect(200)), ["one.a", "one.b"]);
        api.post(CLEAR, &body(json!([["a", 7]]))).await.expect(404);
        api.post(CLEAR, &body(json!(["nope"]))).await.expect(404);
        for tasks in [json!([]), json!([1]), json!([["a"]]), json!([["a", "b"]])] {
            api.post(CLEAR, &body(tasks)).await.expect(422);
        }
        api.post(CLEAR, &json!({ "dag_run_id": "nope" })).await.expect(404);
        // The same where no run is named.
        let unknown = api.post(CLEAR, &json!({ "task_ids": ["a", "nope"] })).await.expect(404);
        assert_eq!(unknown["detail"], "task `nope` does not exist");
        api.post(CLEAR, &json!({ "task_ids": [["nope", 1]] })).await.expect(404);
        api.post("/api/v2/dags/nope/clearTaskInstances", &json!({})).await.expect(404);
    }

    async fn runs_are_chosen_by_date(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        for (run_id, second) in [("one", 10), ("two", 20), ("three", 30)] {
            chain(&api, run_id, second).await;
        }
        let ask = async |more: Value| {
            let mut body = json!({ "only_failed": false, "task_ids": ["a"] });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            tasks(&api.post(CLEAR, &body).await.expect(200))
        };
        let (ten, twenty) = ("2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z");
        assert_eq!(ask(json!({})).await, ["one.a", "two.a", "three.a"]);
        assert_eq!(ask(json!({ "start_date": twenty })).await, ["two.a", "three.a"]);
        assert_eq!(ask(json!({ "start_date": ten, "end_date": twenty })).await, ["one.a", "two.a"]);
        assert_eq!(ask(json!({ "start_date": twenty, "end_date": twenty, "include_past": true })).await, ["one.a", "two.a"]);
        assert_eq!(ask(json!({ "dag_run_id": "two", "include_future": true })).await, ["two.a", "three.a"]);
        for body in [
            json!({ "start_date": twenty, "end_date": ten }),
            json!({ "start_date": twenty, "dag_run_id": "two" }),
            json!({ "nope": 1 }),
        ] {
            api.post(CLEAR, &body).await.expect(422);
        }
    }

    async fn what_runs_is_left_alone_or_ended_as_asked(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let run = api.w.trigger("chain", at(10)).await;
        api.w.running(run.run.key, "w", at(11)).await;
        let run_id = run.run.run_id.as_str();
        let body = json!({ "dry_run": false, "only_failed": false, "dag_run_id": run_id, "prevent_running_task": true });
        api.post(CLEAR, &body).await.expect(409);
        assert_eq!(api.w.count("task_instance", "state = 'running'").await, 1);
        let body = json!({ "dry_run": false, "only_running": true, "dag_run_id": run_id });
        let done = api.post(CLEAR, &body).await.expect(200);
        assert_eq!(names(&done), [(run_id.to_owned(), "a".into(), Some("restarting".into()))]);
    }

    async fn a_run_may_stay_ended(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let run = api.w.trigger("chain", at(10)).await;
        fail_first(&api, run.run.key, 11).await;
        let body = json!({ "dry_run": false, "reset_dag_runs": false });
        let done = api.post(CLEAR, &body).await.expect(200);
        assert_eq!(done["total_entries"], 2);
        assert_eq!(api.w.count("dag_run", "state = 'failed'").await, 1);
        let cleared = api.w.count("task_instance", "state = 'no_status'").await;
        assert_eq!(cleared, 2);
    }

    async fn what_is_cleared_can_run_with_the_current_version(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        chain(&api, "one", 10).await;
        let more = "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: c, uses: work, needs: [a] }\n";
        api.w.save("chain.yaml", more, at(20)).await;
        let body = |latest: bool| json!({
            "dry_run": false, "only_failed": false, "dag_run_id": "one", "task_ids": ["a"], "run_on_latest_version": latest,
        });
        api.post(CLEAR, &body(false)).await.expect(200);
        let version = "SELECT v.number FROM dag_run r JOIN dag_version v ON v.id = r.version_id";
        assert_eq!(api.w.numbers(version).await, [1]);
        api.post(CLEAR, &body(true)).await.expect(200);
        assert_eq!(api.w.numbers(version).await, [2]);
        assert_eq!(api.w.count("task_instance", "task_id = 'c'").await, 1);
    }
}
