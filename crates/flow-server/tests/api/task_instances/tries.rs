//! Tries, and why a task does not start.

use flow_core::Outcome;
use serde_json::{Value, json};

use super::{encode, fail_first};
use crate::{
    client::Api,
    support::both,
    world::{at, report},
};

const RETRIED: &str = "dag_id: retried\ntasks:\n  - { id: a, uses: work, retries: 1, retry_delay: 1m }\n  - { id: b, uses: work, needs: [a] }\n";

both! {
    async fn each_try_is_kept_with_how_it_ended(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        let run = api.w.trigger("retried", at(1)).await;
        let path = format!("/api/v2/dags/retried/dagRuns/{}/taskInstances", encode(run.run.run_id.as_str()));
        let tries = async || {
            let all = api.get(&format!("{path}/a/tries")).await.expect(200);
            let list = all["task_instances"].as_array().unwrap();
            assert_eq!(all["total_entries"], json!(list.len()));
            list.iter().map(|one| (one["try_number"].as_i64().unwrap(), one["state"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(tries().await, [(0, Value::Null)]);
        fail_first(&api, run.run.key, 2).await;
        assert_eq!(tries().await, [(1, json!("up_for_retry"))]);
        api.w.decide(run.run.key, at(70)).await;
        api.w.grant(at(70)).await;
        assert_eq!(tries().await, [(1, json!("failed")), (2, json!("queued"))]);
        let claimed = api.w.claim("w", 1, at(71)).await.remove(0);
        api.w.finish(report(&claimed, Outcome::Success, at(73))).await;
        api.w.decide(run.run.key, at(73)).await;
        assert_eq!(tries().await, [(1, json!("failed")), (2, json!("success"))]);

        let first = api.get(&format!("{path}/a/tries/1")).await.expect(200);
        assert_eq!((&first["start_date"], &first["end_date"]), (&json!("2026-01-01T00:00:02Z"), &json!("2026-01-01T00:00:03Z")));
        assert_eq!((&first["hostname"], &first["duration"]), (&json!("host"), &json!(1.0)));
        assert_eq!(first["dag_version"]["version_number"], 1);
        assert_eq!(api.get(&format!("{path}/a/-1/tries/1")).await.expect(200), first);
        api.get(&format!("{path}/a/tries/3")).await.expect(404);
        api.get(&format!("{path}/nope/tries")).await.expect(404);
        assert_eq!(api.get(&format!("{path}/a/-1/tries")).await.expect(200)["total_entries"], 2);

        // Cleared, it has not begun again: what was is all there is.
        let clear = json!({ "dry_run": false, "only_failed": false, "task_ids": ["a"] });
        api.post("/api/v2/dags/retried/clearTaskInstances", &clear).await.expect(200);
        assert_eq!(tries().await, [(1, json!("failed")), (2, json!("success"))]);
    }

    async fn what_waits_says_what_for(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        let run = api.w.trigger("retried", at(1)).await;
        let path = format!("/api/v2/dags/retried/dagRuns/{}/taskInstances", encode(run.run.run_id.as_str()));
        let reasons = async |task: &str| {
            let found = api.get(&format!("{path}/{task}/dependencies")).await.expect(200);
            assert_eq!(found, api.get(&format!("{path}/{task}/-1/dependencies")).await.expect(200));
            let list = found["dependencies"].as_array().unwrap().clone();
            list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(reasons("b").await, ["run_queued"]);
        api.w.running(run.run.key, "w", at(2)).await;
        assert_eq!(reasons("a").await, [""; 0], "it runs");
        assert_eq!(reasons("b").await, ["trigger_rule"]);
        api.get(&format!("{path}/nope/dependencies")).await.expect(404);
    }
}
