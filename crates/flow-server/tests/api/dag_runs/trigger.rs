//! Starting runs by hand.

use flow_server::Role;
use serde_json::{Value, json};

use super::RUNS;
use crate::{client::Api, support::both, world::at};

const WITH_PARAMS: &str = "dag_id: par\nparams:\n  region: { default: eu, type: string, enum: [eu, us] }\ntasks:\n  - { id: a, uses: work }\n";

both! {
    async fn a_run_is_triggered(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let user = api.as_role(Role::User);
        let run = user.post(RUNS, &json!({ "logical_date": null, "conf": { "a": 1 }, "note": "why" })).await.expect(200);
        assert_eq!((&run["state"], &run["run_type"], &run["triggered_by"]), (&json!("queued"), &json!("manual"), &json!("rest_api")));
        assert_eq!((&run["triggering_user_name"], &run["note"], &run["conf"]), (&json!("user"), &json!("why"), &json!({ "a": 1 })));
        assert_eq!((&run["logical_date"], &run["data_interval_start"]), (&Value::Null, &Value::Null));
        assert_eq!((&run["run_after"], &run["dag_run_id"]), (&json!("2026-01-01T00:16:40Z"), &json!("manual__2026-01-01T00:16:40+00:00")));
        // Runs without a date may be as many as one likes.
        let again = user.post(RUNS, &json!({ "logical_date": null })).await.expect(200);
        assert_ne!(again["dag_run_id"], run["dag_run_id"]);

        let dated = json!({
            "dag_run_id": "mine", "logical_date": "2026-01-01T01:00:00+01:00", "run_after": "2026-01-01T02:00:00Z",
            "data_interval_start": "2025-12-31T00:00:00Z", "data_interval_end": "2026-01-01T00:00:00Z"
        });
        let run = user.post(RUNS, &dated).await.expect(200);
        assert_eq!((&run["logical_date"], &run["run_after"]), (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-01T02:00:00Z")));
        assert_eq!((&run["data_interval_start"], &run["data_interval_end"]), (&json!("2025-12-31T00:00:00Z"), &json!("2026-01-01T00:00:00Z")));
        let same_id = user.post(RUNS, &json!({ "dag_run_id": "mine", "logical_date": null })).await.expect(409);
        assert_eq!(same_id["detail"]["reason"], "Unique constraint violation");
        assert_eq!(same_id["detail"]["message"], "dag `chain` has a run `mine` already");
        let same_date = user.post(RUNS, &json!({ "logical_date": "2026-01-01T00:00:00Z" })).await.expect(409);
        assert_eq!(same_date["detail"]["message"], "dag `chain` has a run of 2026-01-01T00:00:00Z already: `mine`");
        let events = api.w.store.events_after(0, 1_000).await.unwrap();
        let told = events.iter().find(|event| event.kind == "run_state" && event.run_id.as_deref() == Some("mine")).unwrap();
        assert_eq!((told.who.as_deref(), told.detail.as_deref()), (Some("user"), Some("triggered by rest_api")));
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        api.w.save("par.yaml", WITH_PARAMS, at(0)).await;
        for body in [
            json!({}),
            json!({ "logical_date": "soon" }),
            json!({ "logical_date": null, "conf": [] }),
            json!({ "logical_date": null, "conf": "x" }),
            json!({ "logical_date": null, "unknown": 1 }),
            json!({ "logical_date": null, "note": "x".repeat(1_001) }),
            json!({ "logical_date": null, "data_interval_start": "2026-01-01T00:00:00Z" }),
            json!({ "logical_date": null, "data_interval_start": "2026-01-02T00:00:00Z", "data_interval_end": "2026-01-01T00:00:00Z" }),
            json!([]),
        ] {
            api.post(RUNS, &body).await.expect(422);
        }
        let deep = (0..101).fold(json!(1), |inner, _| json!([inner]));
        for body in [
            json!({ "logical_date": null, "dag_run_id": "a/b" }),
            json!({ "logical_date": null, "dag_run_id": "" }),
            json!({ "logical_date": null, "dag_run_id": "a\0" }),
            json!({ "logical_date": null, "partition_key": "x" }),
            json!({ "logical_date": null, "conf": { "a": deep } }),
        ] {
            api.post(RUNS, &body).await.expect(400);
        }
        let par = "/api/v2/dags/par/dagRuns";
        let misfit = api.post(par, &json!({ "logical_date": null, "conf": { "region": "moon" } })).await.expect(400);
        assert!(misfit["detail"].as_str().unwrap().contains("`conf` does not fit the params of dag `par`"), "{misfit}");
        api.post(par, &json!({ "logical_date": null, "conf": { "region": "us", "more": "\0" }, "note": "\0" })).await.expect(200);
        api.post("/api/v2/dags/nobody/dagRuns", &json!({ "logical_date": null })).await.expect(404);
        api.as_role(Role::Viewer).post(RUNS, &json!({ "logical_date": null })).await.expect(403);

        let mut tx = api.w.store.begin().await.unwrap();
        tx.pause_dag("chain", "", None, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        api.post(RUNS, &json!({ "logical_date": null })).await.expect(200);
        api.w.meddle("UPDATE dag SET is_stale = TRUE, due_at = NULL").await;
        let stale = api.post(RUNS, &json!({ "logical_date": null })).await.expect(400);
        assert!(stale["detail"].as_str().unwrap().contains("no longer in the DAG folder"), "{stale}");
    }
}
