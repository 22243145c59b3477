//! Lists of runs.

use flow_core::RunState;
use serde_json::{Value, json};

use super::{RUNS, ids};
use crate::{
    client::Api,
    support::both,
    world::{CHAIN, at},
};

/// Lists runs of the chain.
async fn listed(api: &Api, query: &str) -> Value {
    api.get(&format!("{RUNS}?{query}")).await.expect(200)
}

both! {
    async fn a_run_is_shown_in_full(api: Api) {
        let api = api.with_runs(1).await;
        api.end("r1", RunState::Success, 9).await;
        let body = api.get(&format!("{RUNS}/r1")).await.expect(200);
        let version = &body["dag_versions"][0];
        assert_eq!((&version["version_number"], &version["dag_id"]), (&json!(1), &json!("chain")));
        let mut rest = body.clone();
        rest.as_object_mut().unwrap().remove("dag_versions");
        assert_eq!(
            rest,
            json!({
                "dag_run_id": "r1", "dag_id": "chain", "dag_display_name": "chain",
                "logical_date": "2026-01-01T00:00:01Z", "queued_at": "2026-01-01T00:00:01Z",
                "start_date": "2026-01-01T00:00:09Z", "end_date": "2026-01-01T00:00:09Z", "duration": 0.0,
                "data_interval_start": "2026-01-01T00:00:01Z", "data_interval_end": "2026-01-01T00:00:01Z",
                "run_after": "2026-01-01T00:00:01Z", "last_scheduling_decision": "2026-01-01T00:00:09Z",
                "run_type": "manual", "state": "success", "triggered_by": "test", "triggering_user_name": null,
                "conf": {}, "note": null, "bundle_version": null, "partition_key": null, "partition_date": null,
            })
        );
        assert_eq!(listed(&api, "").await["dag_runs"][0], body);
        let missing = api.get(&format!("{RUNS}/r7")).await.expect(404);
        assert_eq!(missing["detail"], "The DagRun with dag_id: `chain` and run_id: `r7` was not found");
        let missing = api.get("/api/v2/dags/nobody/dagRuns").await.expect(404);
        assert_eq!(missing["detail"], "The DAG with dag_id: `nobody` was not found");
    }

    async fn filters_and_orders(api: Api) {
        let api = api.with_runs(5).await;
        api.w.save("other.yaml", &CHAIN.replace("dag_id: chain", "dag_id: other"), at(0)).await;
        let other = api.w.trigger("other", at(6)).await.run.run_id.to_string();
        api.end("r1", RunState::Success, 10).await;
        api.end("r2", RunState::Failed, 20).await;
        let body = json!({
            "logical_date": "2026-01-01T00:00:07Z", "dag_run_id": "x_r7", "conf": { "region": "eu", "n": 1 }, "note": "hi"
        });
        api.post(RUNS, &body).await.expect(200);

        let check = async |query: &str, expected: &[&str]| {
            let body = listed(&api, query).await;
            assert_eq!((ids(&body), &body["total_entries"]), (expected.to_vec(), &json!(expected.len())), "{query}");
        };
        check("", &["r1", "r2", "r3", "r4", "r5", "x_r7"]).await;
        check("state=success", &["r1"]).await;
        check("state=success&state=failed", &["r1", "r2"]).await;
        check("state=queued&order_by=-run_after", &["x_r7", "r5", "r4", "r3"]).await;
        check("state=running", &[]).await;
        check("run_type=manual&state=failed", &["r2"]).await;
        check("run_type=scheduled", &[]).await;
        check("run_type=asset_materialization", &[]).await;
        check("run_id_pattern=R", &["r1", "r2", "r3", "r4", "r5", "x_r7"]).await;
        check("run_id_pattern=r1|r5", &["r1", "r5"]).await;
        check("run_id_prefix_pattern=x_", &["x_r7"]).await;
        check("dag_id_pattern=other", &[]).await;
        check("triggering_user_name_pattern=dmi", &["x_r7"]).await;
        check("triggering_user_name_prefix_pattern=user", &[]).await;
        check("dag_version=1&dag_version=7&run_id_pattern=r2", &["r2"]).await;
        check("dag_version=2", &[]).await;
        check("conf_contains=eu", &["x_r7"]).await;
        check("conf_contains=%22region%22%3A%20%22eu%22", &["x_r7"]).await;
        check("conf_contains=%25", &[]).await;
        check("partition_key_pattern=a", &[]).await;
        check("bundle_version=a", &[]).await;
        check("consuming_asset_pattern=a", &[]).await;
        check("partition_date_gte=2026-01-01", &[]).await;
        check("logical_date_gte=2026-01-01T00:00:02Z&logical_date_lt=2026-01-01T00:00:04Z", &["r2", "r3"]).await;
        check("run_after_gt=2026-01-01T00:00:02Z&run_after_lte=2026-01-01T00:00:04Z", &["r3", "r4"]).await;
        check("start_date_gte=2026-01-01T00:00:11Z", &["r2"]).await;
        check("end_date_lte=2026-01-01T00:00:10Z", &["r1"]).await;
        check("updated_at_gte=2026-01-01T00:00:05Z", &["r1", "r2", "r5", "x_r7"]).await;
        check("updated_at_lt=2026-01-01T00:00:05Z", &["r3", "r4"]).await;
        check("duration_lte=0.5", &["r1", "r2"]).await;
        check("duration_gt=0", &[]).await;
        check("order_by=-end_date&order_by=-id", &["r2", "r1", "x_r7", "r5", "r4", "r3"]).await;
        check("order_by=-state&order_by=dag_run_id", &["r1", "r3", "r4", "r5", "x_r7", "r2"]).await;
        check("order_by=conf&order_by=-run_id", &["x_r7", "r5", "r4", "r3", "r2", "r1"]).await;
        let names = ["id", "dag_id", "run_id", "run_type", "logical_date", "data_interval_start", "data_interval_end", "run_after",
            "queued_at", "start_date", "updated_at", "duration", "triggering_user_name"];
        for name in names {
            for sign in ["", "-"] {
                assert_eq!(ids(&listed(&api, &format!("order_by={sign}{name}")).await).len(), 6, "{sign}{name}");
            }
        }
        let all = api.get("/api/v2/dags/~/dagRuns?order_by=-id&limit=2&offset=1").await.expect(200);
        assert_eq!((ids(&all), &all["total_entries"]), (vec![other.as_str(), "r5"], &json!(7)));
        assert_eq!((&all["total_entries_limit"], &all["next_cursor"]), (&Value::Null, &Value::Null));

        for query in ["state=nonsense", "run_type=x", "run_after_gte=yesterday", "duration_gte=x", "duration_gte=NaN", "duration_lt=-inf", "limit=-1",
            "dag_version=x"] {
            api.get(&format!("{RUNS}?{query}")).await.expect(422);
        }
        api.get(&format!("{RUNS}?order_by=password")).await.expect(400);
        for query in ["run_id_pattern=%00", "conf_contains=%00", "dag_version=9223372036854775807",
            "run_id_prefix_pattern=%F4%8F%BF%BF", "run_id_pattern=%5C", "run_after_gte=0001-01-01T00:00:00Z", "triggering_user_name_pattern=||"] {
            api.get(&format!("{RUNS}?{query}")).await.expect(200);
        }
    }

    async fn pages_by_cursor_go_forth_and_back(api: Api) {
        let api = api.with_runs(7).await;
        for (number, end) in [(2, 20), (5, 15), (6, 15)] {
            api.end(&format!("r{number}"), RunState::Success, end).await;
        }
        for order in ["", "order_by=-run_after", "order_by=-end_date", "order_by=end_date&order_by=-dag_run_id", "order_by=-duration",
            "order_by=state", "order_by=-updated_at", "order_by=triggering_user_name&state=queued", "run_id_pattern=r&order_by=-id"] {
            let whole = listed(&api, order).await;
            let (mut cursor, mut seen, mut pages) = (String::new(), Vec::new(), Vec::new());
            loop {
                let page = listed(&api, &format!("{order}&limit=3&cursor={cursor}")).await;
                assert_eq!(page["total_entries"], whole["total_entries"], "{order}");
                assert_eq!((&page["total_entries_limit"], page["previous_cursor"].is_null()), (&json!(10_000), pages.is_empty()));
                seen.extend(ids(&page).iter().map(|id| (*id).to_owned()));
                pages.push(page.clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = next.to_owned();
            }
            assert_eq!(seen, ids(&whole), "{order}");
            while pages.len() > 1 {
                let back = pages.pop().unwrap()["previous_cursor"].as_str().unwrap().to_owned();
                let page = listed(&api, &format!("{order}&limit=3&cursor={back}")).await;
                let before = pages.last().unwrap();
                assert_eq!((ids(&page), &page["next_cursor"]), (ids(before), &before["next_cursor"]), "{order}");
                assert_eq!(page["previous_cursor"].is_null(), pages.len() == 1, "{order}");
            }
        }
        let cursor = listed(&api, "limit=1&cursor=").await["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(ids(&listed(&api, &format!("limit=1&offset=5&cursor={cursor}")).await), ["r2"]);
        for query in [format!("order_by=-id&cursor={cursor}"), "cursor=x".into(), format!("cursor={cursor}x"), "order_by=conf&cursor=".into()] {
            api.get(&format!("{RUNS}?{query}")).await.expect(400);
        }
    }

    async fn a_body_lists_runs_of_many_dags(api: Api) {
        let api = api.with_runs(4).await;
        api.end("r3", RunState::Failed, 30).await;
        let list = "/api/v2/dags/~/dagRuns/list";
        let check = async |body: Value, expected: &[&str]| {
            let found = api.post(list, &body).await.expect(200);
            assert_eq!((ids(&found), &found["total_entries"]), (expected.to_vec(), &json!(expected.len())), "{body}");
        };
        check(json!({}), &["r1", "r2", "r3", "r4"]).await;
        check(json!({ "dag_ids": ["chain", "nobody"], "states": ["failed", null] }), &["r3"]).await;
        check(json!({ "dag_ids": ["nobody"] }), &[]).await;
        check(json!({ "dag_ids": [], "states": [] }), &["r1", "r2", "r3", "r4"]).await;
        check(json!({ "states": [null] }), &[]).await;
        check(json!({ "order_by": "-run_after", "logical_date_lt": "2026-01-01T00:00:03+00:00" }), &["r2", "r1"]).await;
        check(json!({ "duration_gte": 0, "end_date_gt": "2026-01-01T00:00:29Z", "conf_contains": null }), &["r3"]).await;
        let page = api.post(list, &json!({ "page_limit": 1, "page_offset": 2 })).await.expect(200);
        assert_eq!((ids(&page), &page["total_entries"]), (vec!["r3"], &json!(4)));
        api.post("/api/v2/dags/chain/dagRuns/list", &json!({})).await.expect(422);
        api.post(list, &json!({ "page_limit": -1 })).await.expect(422);
        api.post(list, &json!({ "states": ["nonsense"] })).await.expect(422);
        api.post(list, &json!({ "unknown": 1 })).await.expect(422);
        api.post(list, &json!({ "order_by": "nonsense" })).await.expect(400);
    }
}
