//! Changing, clearing and deleting runs.

use flow_core::{RunState, TaskState};
use flow_server::{LogsOf, Role};
use serde_json::{Value, json};

use super::{RUNS, ids};
use crate::{
    client::Api,
    support::both,
    world::{CHAIN, at},
};

/// The chain with one task more.
const LONGER: &str = "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n  - { id: c, uses: work }\n";

/// Returns the states of the tasks of a run.
async fn tasks(api: &Api, run_id: &str) -> Vec<(String, TaskState)> {
    let row = api.w.store.run("chain", run_id).await.unwrap().unwrap();
    api.w.store.tasks(row.run.key).await.unwrap().into_iter().map(|task| (task.task_id, task.state)).collect()
}

both! {
    async fn a_run_is_marked_queued_and_noted(api: Api) {
        let api = api.with_runs(1).await;
        let user = api.as_role(Role::User);
        let one = format!("{RUNS}/r1");
        let failed = user.patch(&one, &json!({ "state": "failed", "note": "no good" })).await.expect(200);
        assert_eq!((&failed["state"], &failed["note"]), (&json!("failed"), &json!("no good")));
        let same = user.patch(&one, &json!({})).await.expect(200);
        assert_eq!(same, failed);
        let masked = user.patch(&format!("{one}?update_mask=note"), &json!({ "state": "success", "note": "" })).await.expect(200);
        assert_eq!((&masked["state"], &masked["note"]), (&json!("failed"), &Value::Null));
        let queued = user.patch(&one, &json!({ "state": "queued" })).await.expect(200);
        assert_eq!((&queued["state"], &queued["end_date"]), (&json!("queued"), &Value::Null));
        assert_eq!(tasks(&api, "r1").await, [("a".into(), TaskState::NoStatus), ("b".into(), TaskState::NoStatus)]);
        user.patch(&one, &json!({ "note": "x" })).await.expect(200);
        assert_eq!(user.patch(&one, &json!({ "note": null })).await.expect(200)["note"], Value::Null);
        assert_eq!(user.patch(&one, &json!({ "note": "a\u{0}b" })).await.expect(200)["note"], "a\u{fffd}b", "Postgres takes no NUL");
        let bulk = json!({ "actions": [{ "action": "update", "entities": [{ "dag_run_id": "r1", "note": "\u{0}" }] }] });
        assert_eq!(user.patch(RUNS, &bulk).await.expect(200)["update"]["errors"], json!([]));
        assert_eq!(user.get(&one).await.expect(200)["note"], "\u{fffd}");
        for body in [json!({ "state": "running" }), json!({ "note": 7 }), json!({ "note": "x".repeat(1_001) }), json!({ "x": 1 })] {
            user.patch(&one, &body).await.expect(422);
        }
        user.patch(&format!("{RUNS}/r7"), &json!({ "state": "failed" })).await.expect(404);
        api.as_role(Role::Viewer).patch(&one, &json!({ "note": "x" })).await.expect(403);
        let events = api.w.store.events_after(0, 1_000).await.unwrap();
        let notes: Vec<_> = events.iter().filter(|event| event.kind == "run_note").collect();
        assert_eq!(notes.len(), 6);
        assert_eq!((notes[0].who.as_deref(), notes[0].detail.as_deref()), (Some("user"), Some("no good")));
        let marked = events.iter().find(|event| event.kind == "run_state" && event.state.as_deref() == Some("failed")).unwrap();
        assert_eq!(marked.who.as_deref(), Some("user"));
    }

    async fn a_run_that_is_not_running_is_deleted(api: Api) {
        let api = api.with_runs(3).await;
        let running = api.w.store.run("chain", "r1").await.unwrap().unwrap();
        api.w.start(running.run.key, at(5)).await;
        api.end("r2", RunState::Success, 9).await;
        let refused = api.delete(&format!("{RUNS}/r1")).await.expect(409);
        assert_eq!(refused["detail"], "The DagRun with dag_id: `chain` and run_id: `r1` cannot be deleted in running state");
        for run_id in ["r2", "r3"] {
            assert_eq!(api.delete(&format!("{RUNS}/{run_id}")).await.expect(204), Value::Null);
            api.delete(&format!("{RUNS}/{run_id}")).await.expect(404);
        }
        assert_eq!(ids(&api.get(RUNS).await.expect(200)), ["r1"]);
        let logs_of = |run_id: &str| LogsOf::Run("chain".into(), run_id.into());
        assert_eq!(api.logs.removed(), [logs_of("r2"), logs_of("r3")]);
        let events = api.w.store.events_after(0, 1_000).await.unwrap();
        let deleted: Vec<_> = events.iter().filter(|event| event.kind == "run_deleted").collect();
        assert_eq!((deleted.len(), deleted[0].who.as_deref()), (2, Some("admin")));
        // The request itself is told as well, also the one that was refused.
        assert_eq!(events.iter().filter(|event| event.kind == "delete_dag_run").count(), 5);
    }

    async fn a_run_is_cleared(api: Api) {
        let api = api.with_runs(1).await;
        api.end("r1", RunState::Failed, 9).await;
        let clear = format!("{RUNS}/r1/clear");
        let dry = api.post(&clear, &json!({})).await.expect(200);
        assert_eq!((&dry["total_entries"], &dry["task_instances"][0]["task_id"]), (&json!(2), &json!("a")));
        assert_eq!((&dry["task_instances"][0]["state"], &dry["task_instances"][1]["dag_version"]["version_number"]), (&json!("skipped"), &json!(1)));
        assert_eq!(api.post(&clear, &json!({ "only_failed": true })).await.expect(200)["total_entries"], 0);
        let none = api.post(&clear, &json!({ "only_failed": true, "dry_run": false })).await.expect(200);
        assert_eq!(none["state"], "failed");
        let done = api.post(&clear, &json!({ "dry_run": false, "note": "again" })).await.expect(200);
        assert_eq!((&done["state"], &done["note"], &done["dag_run_id"]), (&json!("queued"), &json!("again"), &json!("r1")));
        api.post(&format!("{RUNS}/r7/clear"), &json!({})).await.expect(404);
        api.post(&clear, &json!({ "dry_run": 1 })).await.expect(422);
        api.post(&clear, &json!({ "only_new": true, "only_failed": true })).await.expect(422);
    }

    async fn new_tasks_of_the_latest_version_join_an_ended_run(api: Api) {
        let api = api.with_runs(2).await;
        for run_id in ["r1", "r2"] {
            api.end(run_id, RunState::Success, 9).await;
        }
        api.w.save("chain.yaml", LONGER, at(20)).await;
        let clear = format!("{RUNS}/r1/clear");
        let dry = api.post(&clear, &json!({ "only_new": true })).await.expect(200);
        assert_eq!(dry, json!({ "task_instances": [{ "task_id": "c", "task_display_name": "c" }], "total_entries": 1 }));
        let done = api.post(&clear, &json!({ "only_new": true, "dry_run": false })).await.expect(200);
        assert_eq!((&done["state"], &done["dag_versions"][0]["version_number"]), (&json!("queued"), &json!(2)));
        let states = tasks(&api, "r1").await;
        assert_eq!(states[0].1, TaskState::Skipped);
        assert_eq!(states[2], ("c".into(), TaskState::NoStatus));
        // There is nothing new any more.
        assert_eq!(api.post(&clear, &json!({ "only_new": true })).await.expect(200)["total_entries"], 0);

        let clear = format!("{RUNS}/r2/clear");
        let done = api.post(&clear, &json!({ "run_on_latest_version": true, "dry_run": false })).await.expect(200);
        assert_eq!((&done["state"], &done["dag_versions"][0]["version_number"]), (&json!("queued"), &json!(2)));
        assert_eq!(tasks(&api, "r2").await.len(), 3);
    }

    async fn what_a_clear_would_do_is_what_it_does(api: Api) {
        let api = api.with_runs(1).await;
        api.end("r1", RunState::Success, 9).await;
        // `b` is gone, and `c` is new.
        let other = "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: c, uses: work, needs: [a] }\n";
        api.w.save("chain.yaml", other, at(20)).await;
        let clear = format!("{RUNS}/r1/clear");
        let named = |answer: &Value| -> Vec<String> {
            let tasks = answer["task_instances"].as_array().unwrap();
            tasks.iter().map(|task| task["task_id"].as_str().unwrap().to_owned()).collect()
        };
        let before = tasks(&api, "r1").await;
        assert_eq!(named(&api.post(&clear, &json!({})).await.expect(200)), ["a", "b"]);
        let dry = api.post(&clear, &json!({ "run_on_latest_version": true })).await.expect(200);
        assert_eq!(named(&dry), ["a", "c"]);
        assert_eq!((&dry["task_instances"][0]["state"], &dry["task_instances"][1].get("state")), (&json!("skipped"), &None));
        assert_eq!(tasks(&api, "r1").await, before, "nothing has happened");
        api.post(&clear, &json!({ "run_on_latest_version": true, "dry_run": false })).await.expect(200);
        let after: Vec<_> = tasks(&api, "r1").await;
        assert_eq!(after, [("a".into(), TaskState::NoStatus), ("c".into(), TaskState::NoStatus)]);
    }

    async fn several_runs_are_cleared(api: Api) {
        let api = api.with_runs(3).await;
        for run_id in ["r1", "r2"] {
            api.end(run_id, RunState::Success, 9).await;
        }
        let clear = "/api/v2/dags/chain/clearDagRuns";
        let both = json!([{ "dag_run_id": "r1" }, { "dag_run_id": "r2", "dag_id": "chain" }]);
        assert_eq!(api.post(clear, &json!({ "dag_runs": both })).await.expect(200)["total_entries"], 4);
        let missing = json!([{ "dag_run_id": "r1" }, { "dag_run_id": "r7" }]);
        api.post(clear, &json!({ "dag_runs": missing, "dry_run": false })).await.expect(404);
        assert_eq!(api.get(&format!("{RUNS}/r1")).await.expect(200)["state"], "success");
        let done = api.post(clear, &json!({ "dag_runs": both, "dry_run": false })).await.expect(200);
        assert_eq!((ids(&done), &done["dag_runs"][1]["state"]), (vec!["r1", "r2"], &json!("queued")));
        api.post(clear, &json!({})).await.expect(422);
        api.post(clear, &json!({ "partition_key": "x" })).await.expect(400);
        api.post("/api/v2/dags/~/clearDagRuns", &json!({ "dag_runs": [{ "dag_run_id": "r1" }] })).await.expect(400);
    }

    async fn of_what_would_be_cleared_a_part_is_shown(api: Api) {
        let api = api.with_runs(2).await;
        let columns = "dag_id, try_number, max_tries, lost, operator, pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks";
        api.w.meddle(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5999)
             INSERT INTO task_instance (run, task_id, map_index, state, {columns})
             SELECT run, task_id, i, 'scheduled', {columns} FROM task_instance, n WHERE task_id = 'a' AND map_index = -1"
        )).await;
        let runs = json!([{ "dag_run_id": "r1" }, { "dag_run_id": "r2" }]);
        let would = api.post("/api/v2/dags/chain/clearDagRuns", &json!({ "dag_runs": runs })).await.expect(200);
        assert_eq!(would["total_entries"], 12_000, "what has not begun has nothing to be cleared");
        assert_eq!(would["task_instances"].as_array().unwrap().len(), 10_000);
    }

    async fn several_runs_are_changed_and_deleted(api: Api) {
        let api = api.with_runs(4).await;
        api.w.save("other.yaml", &CHAIN.replace("dag_id: chain", "dag_id: other"), at(0)).await;
        let running = api.w.store.run("chain", "r1").await.unwrap().unwrap();
        api.w.start(running.run.key, at(5)).await;
        let actions = json!({ "actions": [
            { "action": "create", "entities": [{ "dag_run_id": "new" }] },
            { "action": "update", "entities": [{ "dag_run_id": "r2", "state": "success", "note": "n" }, { "dag_run_id": "r3", "dag_id": "chain", "state": "failed" }] },
            { "action": "delete", "entities": ["r1", "r4", { "dag_run_id": "r7" }], "action_on_non_existence": "skip" },
        ] });
        let done = api.patch(RUNS, &actions).await.expect(200);
        assert_eq!(done["create"]["errors"][0]["status_code"], 405);
        assert_eq!(done["update"], json!({ "success": ["chain.r2", "chain.r3"], "errors": [] }));
        assert_eq!(done["delete"]["success"], json!(["chain.r4"]));
        assert_eq!(api.logs.removed(), [LogsOf::Run("chain".into(), "r4".into())]);
        assert_eq!(done["delete"]["errors"][0]["status_code"], 409);
        let left = api.get(RUNS).await.expect(200);
        assert_eq!(ids(&left), ["r1", "r2", "r3"]);
        assert_eq!((&left["dag_runs"][1]["state"], &left["dag_runs"][1]["note"]), (&json!("success"), &json!("n")));

        let strict = json!({ "actions": [{ "action": "delete", "entities": ["r2", "r7"] }] });
        let refused = api.patch(RUNS, &strict).await.expect(200);
        assert_eq!(refused["delete"]["success"], json!([]));
        assert_eq!(refused["delete"]["errors"], json!([{
            "error": "The DagRuns with these identifiers: [('chain', 'r7')] were not found", "status_code": 404
        }]));
        assert_eq!((&refused["create"], &refused["update"]), (&Value::Null, &Value::Null));
        let everywhere = "/api/v2/dags/~/dagRuns";
        let wild = json!({ "actions": [{ "action": "delete", "entities": ["r2", { "dag_run_id": "r3", "dag_id": "chain" }] }] });
        let done = api.patch(everywhere, &wild).await.expect(200);
        assert_eq!((&done["delete"]["success"], &done["delete"]["errors"][0]["status_code"]), (&json!(["chain.r3"]), &json!(400)));
        for body in [json!({}), json!({ "actions": [{ "action": "burn", "entities": [] }] }), json!({ "actions": [{ "action": "update", "entities": ["r1"] }] })] {
            api.patch(RUNS, &body).await.expect(422);
        }
    }
}
