//! Callbacks.

use flow_server::Role;
use flow_store::CallbackReport;
use serde_json::{Value, json};

use crate::{
    client::Api,
    support::both,
    world::{LEASE, at, failed, report},
};

const ALARMS: &str = "\
dag_id: alarms
on_failure_callback: [{ uses: bash }]
tasks:
  - { id: a, uses: work, on_failure_callback: [{ uses: bash }] }
";

/// Runs a DAG to its bad end; its first callback has failed.
async fn alarmed(api: &Api) {
    let w = &api.w;
    w.save("alarms.yaml", ALARMS, at(0)).await;
    let run = w.trigger("alarms", at(1)).await.run.key;
    let claimed = w.running(run, "w1", at(2)).await;
    assert!(w.finish(report(&claimed[0], failed(), at(3))).await);
    w.decide(run, at(4)).await;
    let taken = w.store.claim_callbacks("w1", 1, at(5) + LEASE, at(5)).await.unwrap().pop().unwrap();
    let report = CallbackReport {
        id: taken.id,
        tries: 1,
        error: Some("no".to_owned()),
        again_at: None,
        hold_up: None,
        log: "said".to_owned(),
    };
    assert!(w.store.finish_callback(&report, at(6)).await.unwrap());
}

fn ids(answer: &Value) -> Vec<i64> {
    answer["callbacks"].as_array().unwrap().iter().map(|one| one["callback_id"].as_i64().unwrap()).collect()
}

both! {
    async fn they_are_listed_with_what_has_become_of_them(api: Api) {
        alarmed(&api).await;
        let api = api.as_role(Role::Viewer);
        let all = api.get("/ui/callbacks").await.expect(200);
        assert_eq!((ids(&all), &all["next"], &all["total_entries"]), (vec![2, 1], &Value::Null, &json!(2)));
        let run_id = all["callbacks"][0]["dag_run_id"].clone();
        let failed = json!({
            "callback_id": 1, "dag_id": "alarms", "dag_run_id": run_id, "task_id": "a", "map_index": -1, "number": 1,
            "event": "failure", "operator": "bash", "state": "failed", "tries": 1, "next_try_at": null, "error": "no",
            "log": "said", "created_at": at(4).to_string(), "ended_at": at(6).to_string(),
        });
        assert_eq!(all["callbacks"][1], failed);
        assert_eq!((&all["callbacks"][0]["task_id"], &all["callbacks"][0]["next_try_at"]), (&Value::Null, &json!(at(4).to_string())));
        for (query, expected) in [
            ("state=failed", vec![1]),
            ("state=failing", vec![]),
            ("state=delivered", vec![]),
            ("task_id=a", vec![1]),
            ("dag_id=alarms&limit=1", vec![2]),
            ("before=2", vec![1]),
            ("dag_id=other", vec![]),
            ("dag_id=alarms&dag_run_id=none", vec![]),
        ] {
            assert_eq!(ids(&api.get(&format!("/ui/callbacks?{query}")).await.expect(200)), expected, "{query}");
        }
        assert_eq!(api.get("/ui/callbacks?limit=1").await.expect(200)["next"], json!(2));
        api.get("/ui/callbacks?state=lost").await.expect(422);
        api.as_nobody().get("/ui/callbacks").await.expect(401);
    }

    async fn one_that_failed_may_be_tried_again(api: Api) {
        alarmed(&api).await;
        api.as_role(Role::User).post("/ui/callbacks/1/retry", &json!({})).await.expect(403);
        let op = api.as_role(Role::Op);
        let again = op.post("/ui/callbacks/1/retry", &json!({})).await.expect(200);
        assert_eq!((&again["state"], &again["tries"]), (&json!("pending"), &json!(0)));
        // It waits for its next try, but the last one did not work.
        assert_eq!(ids(&op.get("/ui/callbacks?state=failing").await.expect(200)), vec![1]);
        assert_eq!(ids(&op.get("/ui/callbacks?state=pending").await.expect(200)), vec![2, 1]);
        op.post("/ui/callbacks/99/retry", &json!({})).await.expect(404);
        for taken in op.w.store.claim_callbacks("w1", 10, at(2_000), at(1_500)).await.unwrap() {
            op.post(&format!("/ui/callbacks/{}/retry", taken.id), &json!({})).await.expect(409);
            let report = CallbackReport { id: taken.id, tries: taken.tries, error: None, again_at: None, hold_up: None, log: String::new() };
            op.w.store.finish_callback(&report, at(1_501)).await.unwrap();
            op.post(&format!("/ui/callbacks/{}/retry", taken.id), &json!({})).await.expect(409);
        }
    }

    async fn those_of_a_dag_that_is_hidden_are_hidden(api: Api) {
        api.w.save("alarms.yaml", ALARMS, at(0)).await;
        alarmed(&api).await;
        api.w.save("alarms.yaml", &ALARMS.replace("tasks:", "access_control: { ann: [can_read] }\ntasks:"), at(7)).await;
        assert_eq!(ids(&api.as_role(Role::Viewer).get("/ui/callbacks").await.expect(200)), Vec::<i64>::new());
        assert_eq!(ids(&api.as_role(Role::Op).get("/ui/callbacks").await.expect(200)).len(), 2);
    }
}
