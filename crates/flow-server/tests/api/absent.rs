//! What Airflow has and Flow does not.

use serde_json::{Value, json};

use crate::{client::Api, support::both, world::at};

const DAG: &str = "dag_id: x\nschedule: null\ntasks: [{ id: a, uses: empty }]\n";

both! {
    async fn lists_are_empty(api: Api) {
        for (path, key) in [
            ("assets?name_pattern=x&limit=3", "assets"),
            ("assets/7/queuedEvents", "queued_events"),
            ("backfills?dag_id=x", "backfills"),
            ("plugins", "plugins"),
            ("dags/~/dagRuns/~/hitlDetails", "hitl_details"),
        ] {
            let body = api.get(&format!("/api/v2/{path}")).await.expect(200);
            assert_eq!(body, json!({ key: [], "total_entries": 0 }), "{path}");
        }
        api.get("/api/v2/assets?limit=x").await.expect(422);
        api.get("/api/v2/assets/events?timestamp_gte=yesterday").await.expect(422);
        api.get("/api/v2/backfills").await.expect(422);
    }

    async fn what_is_named_is_not_there(api: Api) {
        let missing = api.get("/api/v2/assets/7").await.expect(404);
        assert_eq!(missing, json!({ "detail": "asset `7` does not exist" }));
        api.get("/api/v2/assets/seven").await.expect(422);
        api.delete("/api/v2/assets/7/queuedEvents").await.expect(404);
        api.post("/api/v2/assets/7/materialize", &Value::Null).await.expect(404);
        api.post("/api/v2/assets/7/materialize", &json!({ "conf": 3 })).await.expect(422);
    }

    async fn changes_are_refused_with_a_sentence(api: Api) {
        let body = json!({ "dag_id": "x", "from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-02T00:00:00Z" });
        let refused = api.post("/api/v2/backfills", &body).await.expect(501);
        assert!(refused["detail"].as_str().unwrap().contains("no backfills"), "{refused}");
        api.post("/api/v2/backfills", &json!({ "dag_id": "x" })).await.expect(422);
        api.post("/api/v2/backfills", &Value::Null).await.expect(422);
    }

    async fn what_the_path_names_must_be_there(api: Api) {
        api.w.save("x.yaml", DAG, at(1)).await;
        let run = api.w.trigger("x", at(2)).await.run.run_id.to_string();
        let path = |dag: &str, run: &str, task: &str| format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}");
        let links = api.get(&format!("{}/links", path("x", &run, "a"))).await.expect(200);
        assert_eq!(links, json!({ "extra_links": {}, "total_entries": 0 }));
        for (path, word) in [
            (path("y", &run, "a"), "dag `y`"),
            (path("x", "two", "a"), "dag run `two`"),
            (path("x", &run, "b"), "task `b`"),
        ] {
            let body = api.get(&format!("{path}/links")).await.expect(404);
            assert_eq!(body["detail"], format!("{word} does not exist"));
        }
        let state = format!("{}/state-store", path("x", &run, "a"));
        api.delete(&state).await.expect(204);
        api.get(&format!("{state}/k")).await.expect(404);
    }
}
