//! `/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries`

use flow_core::Outcome;
use flow_server::Role;
use flow_store::Report;
use serde_json::{Value, json};

use crate::{
    client::Api,
    support::both,
    task_instances::{chain, encode},
    world::{at, report},
};

const OF_A: &str = "/api/v2/dags/chain/dagRuns/one/taskInstances/a/xcomEntries";
const ALL: &str = "/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries";

fn keys(answer: &Value) -> Vec<String> {
    let entries = answer["xcom_entries"].as_array().unwrap();
    assert_eq!(answer["total_entries"], entries.len());
    entries
        .iter()
        .map(|entry| format!("{}.{}.{}", entry["run_id"], entry["task_id"], entry["key"]).replace('"', ""))
        .collect()
}

both! {
    async fn what_tasks_wrote_is_listed_and_shown(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let run = api.w.trigger("chain", at(10)).await;
        let claimed = api.w.running(run.run.key, "w", at(11)).await.remove(0);
        let xcoms = vec![("return_value".to_owned(), json!({ "rows": [1, 2] })), ("note".to_owned(), json!("hi"))];
        api.w.finish(Report { xcoms, ..report(&claimed, Outcome::Success, at(12)) }).await;
        let run_id = run.run.run_id.as_str();
        let path = format!("/api/v2/dags/chain/dagRuns/{}/taskInstances/a/xcomEntries", encode(run_id));

        let all = api.get(&path).await.expect(200);
        assert_eq!(keys(&all), [format!("{run_id}.a.note"), format!("{run_id}.a.return_value")]);
        let expected = json!({
            "key": "note", "timestamp": "2026-01-01T00:00:12Z", "logical_date": "2026-01-01T00:00:10Z", "map_index": -1,
            "task_id": "a", "dag_id": "chain", "run_id": run_id, "dag_display_name": "chain", "task_display_name": "a",
            "run_after": "2026-01-01T00:00:10Z",
        });
        assert_eq!(all["xcom_entries"][0], expected);

        let one = api.get(&format!("{path}/return_value")).await.expect(200);
        assert_eq!(one["value"], json!({ "rows": [1, 2] }));
        let text = api.get(&format!("{path}/return_value?stringify=true&deserialize=false")).await.expect(200);
        assert_eq!(text["value"], r#"{"rows":[1,2]}"#);
        assert_eq!(api.get(&format!("{path}/note?stringify=true")).await.expect(200)["value"], "hi");
        for path in [format!("{path}/nope"), format!("{path}/note?map_index=3")] {
            api.get(&path).await.expect(404);
        }

        for (query, expected) in [
            ("", 2),
            ("xcom_key=note", 1),
            ("xcom_key_pattern=OT", 1),
            ("xcom_key_prefix_pattern=ret", 1),
            ("dag_display_name_pattern=hain", 2),
            ("dag_display_name_prefix_pattern=x", 0),
            ("run_id_prefix_pattern=manual", 2),
            ("task_id_pattern=b", 0),
            ("map_index=-1", 2),
            ("map_index=-1&map_index_filter=2", 0),
            ("map_index_filter=0", 0),
            ("logical_date_gte=2026-01-01T00:00:11Z", 0),
            ("run_after_lte=2026-01-01T00:00:11Z", 2),
            ("order_by=-key", 2),
            ("order_by=logical_date&order_by=timestamp", 2),
        ] {
            let found = api.get(&format!("{ALL}?{query}")).await.expect(200);
            assert_eq!(keys(&found).len(), expected, "{query}");
        }
        api.get(&format!("{ALL}?order_by=value")).await.expect(400);
        api.get("/api/v2/dags/nope/dagRuns/~/taskInstances/~/xcomEntries").await.expect(404);
        api.get("/api/v2/dags/chain/dagRuns/nope/taskInstances/a/xcomEntries").await.expect(404);
    }

    async fn people_may_write_them(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        chain(&api, "one", 10).await;
        let made = api.post(OF_A, &json!({ "key": "k", "value": [1, null] })).await.expect(201);
        assert_eq!((&made["value"], &made["timestamp"]), (&json!([1, null]), &json!("2026-01-01T00:16:40Z")));
        api.post(OF_A, &json!({ "key": "k", "value": 2 })).await.expect(409);
        assert_eq!(api.patch(&format!("{OF_A}/k"), &json!({ "value": "a\0b" })).await.expect(200)["value"], "a\0b");
        api.patch(&format!("{OF_A}/nope"), &json!({ "value": 1 })).await.expect(404);
        assert_eq!(api.w.count("event", "kind = 'update_xcom_entry' AND task_id = 'a' AND who = 'admin'").await, 2);

        let large = json!({ "key": "large", "value": "x".repeat(200_000) });
        api.post(OF_A, &large).await.expect(201);
        api.post(OF_A, &json!({ "key": "larger", "value": "x".repeat(300_000) })).await.expect(422);
        let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
        api.post(OF_A, &json!({ "key": "deep", "value": deep })).await.expect(422);
        for body in [json!({ "key": "", "value": 1 }), json!({ "key": "k" }), json!({ "key": "a\0", "value": 1 }), json!([])] {
            api.post(OF_A, &body).await.expect(422);
        }
        let missing = "/api/v2/dags/chain/dagRuns/one/taskInstances/nope/xcomEntries";
        api.post(missing, &json!({ "key": "k", "value": 1 })).await.expect(404);
        api.post(OF_A, &json!({ "key": "k", "value": 1, "map_index": 4 })).await.expect(404);
        api.as_role(Role::User).post(OF_A, &json!({ "key": "u", "value": 1 })).await.expect(403);

        api.delete(&format!("{OF_A}/k")).await.expect(204);
        api.delete(&format!("{OF_A}/k")).await.expect(404);
        api.delete(&format!("{OF_A}/a%00b")).await.expect(422);
    }
}
