//! What the command line asks for over the network.

use flow_core::{RunState, TaskState};
use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, support::both, world::at};

/// Runs once a day, and makes up for the past.
const DAILY: &str = "dag_id: daily\nschedule: '@daily'\nstart_date: 2025-12-20\ncatchup: true\ntasks: [{ id: z, uses: work }, { id: a, uses: work, needs: [z] }]\n";

/// Returns the API on a database with a run of a chain, and the run's address.
async fn with_run(mut api: Api) -> (Api, String) {
    api.w = api.w.clone().with_chain().await;
    let row = api.w.trigger("chain", at(10)).await;
    let address = format!("/ui/dags/chain/dagRuns/{}", row.run.run_id.as_str().replace('+', "%2B"));
    (api, address)
}

both! {
    async fn the_tasks_of_a_run_come_in_the_order_of_their_dag(api: Api) {
        api.w.save("daily.yaml", DAILY, at(0)).await;
        let row = api.w.trigger("daily", at(10)).await;
        let run = row.run.run_id.as_str().replace('+', "%2B");
        let tasks = api.get(&format!("/ui/dags/daily/dagRuns/{run}/tasks")).await.expect(200);
        let ids: Vec<&Value> = tasks.as_array().unwrap().iter().map(|task| &task["task_id"]).collect();
        assert_eq!(ids, ["z", "a"]);
        assert_eq!(tasks[0]["state"], Value::Null);
        assert_eq!(tasks[0]["operator"], "work");
        api.get("/ui/dags/daily/dagRuns/none/tasks").await.expect(404);
        assert_eq!(api.get("/ui/dags/lastRunStates").await.expect(200), json!({ "daily": "queued" }));
    }

    async fn an_edit_says_what_it_changes_and_a_preview_changes_nothing(api: Api) {
        let (api, run) = with_run(api).await;
        let mark = json!({ "action": "mark", "state": "success", "task_id": "a" });
        let expected = json!([{ "task_id": "a", "map_index": -1, "from": "no_status", "to": "success" }]);
        assert_eq!(api.post(&format!("{run}/edit/preview"), &mark).await.expect(200), expected);
        assert_eq!(api.post(&format!("{run}/edit"), &mark).await.expect(200), expected);
        assert_eq!(api.post(&format!("{run}/edit"), &mark).await.expect(200), json!([]));

        let downstream = json!({ "action": "clear", "task_id": "a", "downstream": true });
        let cleared = api.post(&format!("{run}/edit"), &downstream).await.expect(200);
        assert_eq!(cleared[0]["from"], "success");
        let ended = api.post(&format!("{run}/edit"), &json!({ "action": "cancel" })).await.expect(200);
        assert_ne!(ended, json!([]));
        let rows = api.w.store.list_runs(&flow_store::RunFilter::default(), 10).await.unwrap();
        assert_eq!(rows[0].run.state, RunState::Failed);
        let tasks = api.w.store.tasks(rows[0].run.key).await.unwrap();
        assert!(tasks.iter().all(|task| task.state != TaskState::Success), "{tasks:?}");
    }

    async fn an_edit_that_makes_no_sense_is_refused(api: Api) {
        let (api, run) = with_run(api).await;
        let edit = format!("{run}/edit");
        let none = api.post(&edit, &json!({ "action": "clear", "task_id": "none" })).await.expect(404);
        assert_eq!(none["detail"], "task `none` is not in this DAG");
        api.post(&edit, &json!({ "action": "clear", "task_id": "a", "map_index": 7 })).await.expect(404);
        api.post(&edit, &json!({ "action": "mark", "task_id": "a" })).await.expect(422);
        api.post(&edit, &json!({ "action": "mark", "state": "running" })).await.expect(422);
        api.post(&edit, &json!({ "action": "cancel", "task_id": "a" })).await.expect(422);
        api.post(&edit, &json!({ "action": "cancel", "taks_id": "a" })).await.expect(422);
        api.post("/ui/dags/chain/dagRuns/none/edit", &json!({ "action": "cancel" })).await.expect(404);
        api.as_role(Role::Viewer).post(&edit, &json!({ "action": "cancel" })).await.expect(403);
        api.as_role(Role::Viewer).post(&format!("{edit}/preview"), &json!({ "action": "cancel" })).await.expect(403);
        api.as_role(Role::User).post(&format!("{edit}/preview"), &json!({ "action": "cancel" })).await.expect(200);
    }

    async fn a_task_says_why_it_waits_and_what_its_arguments_are(api: Api) {
        let (api, run) = with_run(api).await;
        let reasons = api.get(&format!("{run}/tasks/b/-1/explain")).await.expect(200);
        assert!(reasons[0]["text"].is_string() && reasons[0]["kind"].is_string(), "{reasons}");
        assert_eq!(api.get(&format!("{run}/tasks/b/-1/rendered")).await.expect(200), json!({ "text": "of b" }));
        for what in ["explain", "rendered"] {
            api.get(&format!("{run}/tasks/b/3/{what}")).await.expect(404);
            api.get(&format!("{run}/tasks/b/x/{what}")).await.expect(422);
        }
    }

    async fn a_paused_dag_says_what_is_due(api: Api) {
        api.w.save("daily.yaml", DAILY, at(0)).await;
        let none = json!({ "has_catchup": false, "due": 0, "first": [], "last": null });
        assert_eq!(api.get("/ui/dags/daily/backlog").await.expect(200), none);
        let mut tx = api.w.store.begin().await.unwrap();
        tx.pause_dag("daily", "", None, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let backlog = api.get("/ui/dags/daily/backlog").await.expect(200);
        assert_eq!((&backlog["has_catchup"], &backlog["due"]), (&true.into(), &13.into()));
        assert_eq!(backlog["first"][0], "scheduled__2025-12-20T00:00:00+00:00");
        assert_eq!(backlog["last"], "scheduled__2026-01-01T00:00:00+00:00");
        api.get("/ui/dags/none/backlog").await.expect(404);
    }

    async fn a_dag_is_read_again_from_its_document(api: Api) {
        let (api, run) = with_run(api).await;
        api.w.save("chain.yaml", "dag_id: chain\ntasks: [{ id: only, uses: work }]\n", at(20)).await;
        let newest = api.get("/ui/dags/chain/document").await.expect(200);
        assert_eq!((&newest["version_number"], &newest["file"]), (&2.into(), &"chain.yaml".into()));
        assert!(newest["text"].as_str().unwrap().contains("only"), "{newest}");
        let id = run.rsplit('/').next().unwrap();
        let pinned = api.get(&format!("/ui/dags/chain/document?dag_run_id={id}")).await.expect(200);
        assert_eq!(pinned["version_number"], 1);
        api.get("/ui/dags/chain/document?dag_run_id=none").await.expect(404);
        api.get("/ui/dags/chain/document?dag_run_id=%00").await.expect(404);
        api.get("/ui/dags/none/document").await.expect(404);
    }
}
