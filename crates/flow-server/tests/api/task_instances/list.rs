//! Lists, by offset and by cursor.

use flow_core::Outcome;
use serde_json::{Value, json};

use super::{chain, fail_first, names};
use crate::{
    client::Api,
    support::both,
    world::{at, report},
};

const ALL: &str = "/api/v2/dags/~/dagRuns/~/taskInstances";

/// Two runs that succeeded, one whose first task failed, one that has not begun.
async fn runs(api: Api) -> Api {
    let api = Api { w: api.w.clone().with_chain().await, ..api };
    chain(&api, "one", 10).await;
    chain(&api, "two", 20).await;
    let bad = api.w.trigger("chain", at(30)).await;
    fail_first(&api, bad.run.key, 31).await;
    api.w.trigger("chain", at(40)).await;
    api
}

async fn count(api: &Api, query: &str) -> u64 {
    let answer = api.get(&format!("{ALL}?{query}")).await.expect(200);
    let listed = answer["task_instances"].as_array().unwrap().len() as u64;
    assert_eq!(answer["total_entries"], json!(listed), "{query}");
    listed
}

fn ids(task_instances: &[Value]) -> Vec<String> {
    task_instances.iter().map(|one| format!("{}.{}", one["dag_run_id"], one["task_id"])).collect()
}

both! {
    async fn every_filter_lets_through_what_it_says(api: Api) {
        let api = runs(api).await;
        for (query, expected) in [
            ("", 8),
            ("state=success", 4),
            ("state=failed", 1),
            ("state=upstream_failed&state=failed", 2),
            ("state=failed&state=success", 5),
            ("state=none", 2),
            ("state=no_status&state=success", 6),
            ("state=running", 0),
            ("state=removed", 0),
            ("task_id=a", 4),
            ("task_id=nope", 0),
            ("task_id=a&state=failed", 1),
            ("pool=default_pool", 8),
            ("pool=other", 0),
            ("pool_name_pattern=DEFAULT", 8),
            ("pool_name_prefix_pattern=x", 0),
            ("queue=default", 8),
            ("queue_name_pattern=x", 0),
            ("operator=work", 8),
            ("operator_name_prefix_pattern=wo", 8),
            ("operator_name_pattern=empty", 0),
            ("executor=LocalExecutor", 0),
            ("version_number=1", 8),
            ("version_number=2", 0),
            ("try_number=1", 5),
            ("try_number=0&try_number=1", 8),
            ("map_index=-1", 8),
            ("map_index=0", 0),
            ("rendered_map_index_pattern=1", 0),
            ("run_id_pattern=one", 2),
            ("run_id_prefix_pattern=manual__", 4),
            ("dag_id_pattern=HAI", 8),
            ("dag_id_prefix_pattern=x", 0),
            ("task_display_name_pattern=B", 4),
            ("task_display_name_prefix_pattern=b", 4),
            ("run_after_gte=2026-01-01T00:00:20Z", 6),
            ("run_after_gt=2026-01-01T00:00:20Z", 4),
            ("logical_date_lt=2026-01-01T00:00:20Z", 2),
            ("logical_date_lte=2026-01-01T00:00:20%2B00:00", 4),
            ("start_date_gte=2026-01-01T00:00:12Z&start_date_lt=2026-01-01T00:00:22Z", 2),
            ("end_date_gt=2026-01-01T00:00:25Z", 2),
            ("updated_at_gte=2026-01-01T00:00:40Z", 2),
            ("duration_gte=1", 5),
            ("duration_gt=1.5", 0),
            ("duration_lt=0.5", 0),
        ] {
            assert_eq!(count(&api, query).await, expected, "{query}");
        }
        for query in ["state=nope", "limit=-1", "try_number=x", "run_after_gte=yesterday", "duration_gt=NaN", "offset=99999999"] {
            api.get(&format!("{ALL}?{query}")).await.expect(422);
        }
        api.get(&format!("{ALL}?order_by=password")).await.expect(400);
        api.get("/api/v2/dags/~/dagRuns/one/taskInstances").await.expect(400);
        api.get("/api/v2/dags/nope/dagRuns/~/taskInstances").await.expect(404);
        api.get("/api/v2/dags/chain/dagRuns/nope/taskInstances").await.expect(404);
        let of_dag = api.get("/api/v2/dags/chain/dagRuns/~/taskInstances?state=failed").await.expect(200);
        assert_eq!(of_dag["total_entries"], 1);
        let of_run = api.get("/api/v2/dags/chain/dagRuns/one/taskInstances").await.expect(200);
        let expected = [("one", "a"), ("one", "b")].map(|(run, task)| (run.into(), task.into(), Some("success".into())));
        assert_eq!(names(&of_run), expected);
    }

    async fn every_order_sorts_and_its_pages_fit_together(api: Api) {
        let api = runs(api).await;
        for order in [
            "id", "task_id", "state", "duration", "start_date", "end_date", "map_index", "try_number", "logical_date", "run_after",
            "data_interval_start", "data_interval_end", "rendered_map_index", "operator",
        ] {
            for sign in ["", "-"] {
                let whole = api.get(&format!("{ALL}?order_by={sign}{order}")).await.expect(200);
                let whole = whole["task_instances"].as_array().unwrap().clone();
                assert_eq!(whole.len(), 8, "{order}");
                let values: Vec<&Value> = whole.iter().map(|one| &one[order]).filter(|value| value.is_string()).collect();
                let is_sorted = |pair: &[&Value]| {
                    let (a, b) = (pair[0].as_str(), pair[1].as_str());
                    order == "id" || if sign.is_empty() { a <= b } else { a >= b }
                };
                assert!(values.windows(2).all(is_sorted), "{sign}{order}: {values:?}");
                let mut by_offset = Vec::new();
                for offset in [0, 3, 6] {
                    let page = api.get(&format!("{ALL}?order_by={sign}{order}&limit=3&offset={offset}")).await.expect(200);
                    by_offset.extend(page["task_instances"].as_array().unwrap().clone());
                }
                assert_eq!(ids(&by_offset), ids(&whole), "{sign}{order}");

                let (mut cursor, mut forth, mut last) = (String::new(), Vec::new(), Value::Null);
                loop {
                    let page = api.get(&format!("{ALL}?order_by={sign}{order}&limit=3&cursor={cursor}")).await.expect(200);
                    forth.extend(page["task_instances"].as_array().unwrap().clone());
                    assert_eq!(page["previous_cursor"].is_null(), cursor.is_empty());
                    assert_eq!((&page["total_entries"], &page["total_entries_limit"]), (&json!(8), &json!(10_000)));
                    last = if page["previous_cursor"].is_null() { last } else { page["previous_cursor"].clone() };
                    match page["next_cursor"].as_str() {
                        Some(next) => next.clone_into(&mut cursor),
                        None => break,
                    }
                }
                assert_eq!(ids(&forth), ids(&whole), "{sign}{order}");

                let mut back = whole[6..].to_vec();
                while let Some(cursor) = last.as_str() {
                    let page = api.get(&format!("{ALL}?order_by={sign}{order}&limit=3&cursor={cursor}")).await.expect(200);
                    back.splice(0..0, page["task_instances"].as_array().unwrap().clone());
                    last = page["previous_cursor"].clone();
                }
                assert_eq!(ids(&back), ids(&whole), "{sign}{order}");
            }
        }
        api.get(&format!("{ALL}?cursor=x")).await.expect(400);
        let page = api.get(&format!("{ALL}?cursor=&limit=1")).await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        api.get(&format!("{ALL}?order_by=state&cursor={cursor}")).await.expect(400);
    }

    async fn many_filters_go_in_a_body(api: Api) {
        let api = runs(api).await;
        let path = format!("{ALL}/list");
        let all = api.post(&path, &json!({})).await.expect(200);
        assert_eq!(all["total_entries"], 8);
        let some = json!({
            "dag_ids": ["chain"], "dag_run_ids": ["one", "two"], "task_ids": ["b"], "state": ["success", null],
            "pool": ["default_pool"], "run_after_gte": "2026-01-01T00:00:15Z", "order_by": "-start_date", "page_limit": 5, "page_offset": 0,
        });
        let some = api.post(&path, &some).await.expect(200);
        assert_eq!(names(&some), [("two".into(), "b".into(), Some("success".into()))]);
        assert_eq!(api.post(&path, &json!({ "dag_ids": [] })).await.expect(200)["total_entries"], 0);
        api.post(&path, &json!({ "nope": 1 })).await.expect(422);
        api.post(&path, &json!({ "state": ["nope"] })).await.expect(422);
        api.post("/api/v2/dags/chain/dagRuns/~/taskInstances/list", &json!({})).await.expect(422);
    }

    async fn no_task_is_mapped_yet(api: Api) {
        let api = runs(api).await;
        let path = "/api/v2/dags/chain/dagRuns/one/taskInstances";
        api.get(&format!("{path}/a/listMapped")).await.expect(404);
        api.w.meddle("UPDATE task_instance SET map_index = 0 WHERE task_id = 'a'").await;
        let mapped = api.get(&format!("{path}/a/listMapped?state=success")).await.expect(200);
        assert_eq!(mapped["total_entries"], 1);
        assert_eq!(mapped["task_instances"][0]["rendered_map_index"], "0");
        api.get(&format!("{path}/nope/listMapped")).await.expect(404);
    }

    async fn arguments_are_shown_as_the_attempt_saw_them(api: Api) {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let run = api.w.trigger("chain", at(10)).await;
        let claimed = api.w.running(run.run.key, "w", at(11)).await.remove(0);
        let rendered = json!({ "text": "as it was" });
        api.w.finish(flow_store::Report { rendered: rendered.clone(), ..report(&claimed, Outcome::Success, at(12)) }).await;
        let shown = api.get(&format!("{ALL}?task_id=a")).await.expect(200);
        assert_eq!(shown["task_instances"][0]["rendered_fields"], rendered);
    }
}
