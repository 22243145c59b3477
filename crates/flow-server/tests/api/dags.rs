//! DAGs and what belongs to them.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderValue, Method, Request, header};
use flow_core::Timestamp;
use flow_server::{AuthConfig, LogsOf, Role};
use serde_json::{Value, json};

use crate::{client::Api, support::both, world::at};

const A: &str = "
dag_id: a
description: the first
owner_links: { ann: 'mailto:ann@example.org' }
schedule: 0 3 * * *
start_date: 2026-01-01
catchup: false
tags: [red, blue]
dagrun_timeout: 90m
params: { size: { type: integer, default: 3, minimum: 1, description: how large }, area: north }
tasks:
  - { id: one, uses: work, owner: ann, retries: 2, retry_delay: 10s, pool: nowhere }
  - { id: two, uses: empty, owner: bob, needs: [one] }
";
const B: &str = "{ dag_id: b, dag_display_name: Bee, schedule: null, tags: [red], tasks: [{ id: t, uses: empty }] }";
const C: &str = "{ dag_id: c_1, schedule: null, tasks: [{ id: t, uses: work }] }";

async fn with_dags(api: Api) -> Api {
    for (path, text) in [("a.yaml", A), ("in/b.yaml", B), ("c.yaml", C)] {
        api.w.save(path, text, at(1)).await;
    }
    assert_eq!(api.w.store.import_errors().await.unwrap(), []);
    api
}

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let body = api.get(&format!("/api/v2/dags?{query}")).await.expect(200);
    let ids: Vec<String> =
        body["dags"].as_array().unwrap().iter().map(|dag| dag["dag_id"].as_str().unwrap().to_owned()).collect();
    if !query.contains("limit") {
        assert_eq!(body["total_entries"], ids.len(), "{query}");
    }
    ids
}

both! {
    async fn a_dag_is_told_in_full(api: Api) {
        let api = with_dags(api).await;
        let a = api.get("/api/v2/dags/a").await.expect(200);
        assert_eq!(a["fileloc"], "/dags/a.yaml");
        assert_eq!(a["owners"], json!(["ann", "bob"]));
        assert_eq!(a["timetable_summary"], "0 3 * * *");
        assert_eq!(a["timetable_description"], "at 03:00 every day, UTC");
        assert_eq!(a["tags"][0], json!({ "name": "blue", "dag_id": "a", "dag_display_name": "a" }));
        assert_eq!((&a["max_active_tasks"], &a["timetable_periodic"]), (&json!(16), &json!(true)));
        let listed = api.get("/api/v2/dags?dag_id_pattern=a").await.expect(200);
        assert_eq!(listed["dags"][0], a);

        let details = api.get("/api/v2/dags/a/details").await.expect(200);
        for (key, value) in a.as_object().unwrap() {
            assert_eq!(details[key], *value, "{key}");
        }
        assert_eq!(details["dag_run_timeout"], "PT1H30M");
        assert_eq!(details["params"]["size"], json!({
            "__class": "airflow.sdk.definitions.param.Param", "value": 3, "description": "how large",
            "schema": { "type": "integer", "minimum": 1 }, "source": null,
        }));
        let asked: Vec<&String> = details["params"].as_object().unwrap().keys().collect();
        assert_eq!(asked, ["size", "area"], "as the document has them");
        assert_eq!(details["latest_dag_version"]["version_number"], 1);
        assert_eq!(details["active_runs_count"], 0);
        api.w.trigger("a", at(2)).await;
        assert_eq!(api.get("/api/v2/dags/a/details").await.expect(200)["active_runs_count"], 1);
        assert_eq!(api.get("/api/v2/dags/z").await.expect(404), json!({ "detail": "dag `z` does not exist" }));
        api.get("/api/v2/dags/z/details").await.expect(404);
    }

    async fn every_filter_of_the_list_holds(api: Api) {
        let api = with_dags(api).await;
        assert_eq!(ids(&api, "").await, ["a", "b", "c_1"]);
        assert_eq!(ids(&api, "order_by=-dag_id&limit=2").await, ["c_1", "b"]);
        assert_eq!(ids(&api, "order_by=dag_display_name").await, ["b", "a", "c_1"]);
        assert_eq!(ids(&api, "tags=red").await, ["a", "b"]);
        assert_eq!(ids(&api, "tags=red&tags=blue&tags_match_mode=all").await, ["a"]);
        assert_eq!(ids(&api, "tags=blue&tags=none").await, ["a"]);
        assert_eq!(ids(&api, "owners=bob&owners=x%25").await, ["a"]);
        assert_eq!(ids(&api, "owners=bo").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "dag_id_prefix_pattern=c").await, ["c_1"]);
        assert_eq!(ids(&api, "dag_display_name_pattern=BE").await, ["b"]);
        assert_eq!(ids(&api, "timetable_type=airflow.timetables.trigger.CronTriggerTimetable").await, ["a"]);
        assert_eq!(ids(&api, "has_asset_schedule=true").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "bundle_name=other").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "has_import_errors=false&bundle_name=dags-folder").await.len(), 3);
        api.w.save("c.yaml", "dag_id: c_1\ntasks: 7\n", at(3)).await;
        assert_eq!(ids(&api, "has_import_errors=true").await, ["c_1"]);

        let run = api.w.trigger("b", at(10)).await.run.key;
        assert_eq!(ids(&api, "last_dag_run_state=queued").await, ["b"]);
        api.w.start(run, at(11)).await;
        assert_eq!(ids(&api, "dag_run_state=running&dag_run_state=success").await, ["b"]);
        assert_eq!(ids(&api, "dag_run_state=queued&last_dag_run_state=success").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "dag_run_start_date_gte=2026-01-01T00:00:11Z").await, ["b"]);
        assert_eq!(ids(&api, "dag_run_start_date_gt=2026-01-01T00:00:11Z").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "dag_run_end_date_lt=2027-01-01T00:00:00Z").await, ["b"]);
        assert_eq!(ids(&api, "dag_run_end_date_lt=2025-01-01T00:00:00Z").await, [] as [&str; 0]);
        assert_eq!(ids(&api, "order_by=-last_run_start_date&order_by=-dag_id").await, ["b", "c_1", "a"]);
        api.get("/api/v2/dags?dag_run_state=asleep").await.expect(422);
        api.get("/api/v2/dags?tags_match_mode=some").await.expect(422);
        api.get("/api/v2/dags?order_by=secret").await.expect(400);

        let mut tx = api.w.store.begin().await.unwrap();
        tx.remove_file("in/b.yaml", at(20)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ids(&api, "").await, ["a", "c_1"]);
        assert_eq!(ids(&api, "exclude_stale=false").await, ["a", "b", "c_1"]);
    }

    async fn dags_are_paused_one_or_many_at_a_time(api: Api) {
        let api = with_dags(api).await;
        let paused = api.patch("/api/v2/dags/a?update_mask=is_paused", &json!({ "is_paused": true })).await.expect(200);
        assert_eq!(paused["is_paused"], true);
        assert_eq!(ids(&api, "paused=true").await, ["a"]);
        let all = api.patch("/api/v2/dags?dag_id_pattern=~", &json!({ "is_paused": true })).await.expect(200);
        assert_eq!(all["total_entries"], 3);
        assert_eq!(ids(&api, "paused=false").await, [] as [&str; 0]);
        let some = api.patch("/api/v2/dags?tags=red", &json!({ "is_paused": false })).await.expect(200);
        assert_eq!(some["dags"][1]["is_paused"], false);
        assert_eq!(ids(&api, "paused=true").await, ["c_1"]);
        api.patch("/api/v2/dags/a?update_mask=tags", &json!({ "is_paused": true })).await.expect(400);
        api.patch("/api/v2/dags/a", &json!({ "is_paused": "yes" })).await.expect(422);
        api.patch("/api/v2/dags/z", &json!({ "is_paused": true })).await.expect(404);
        api.as_role(Role::Viewer).patch("/api/v2/dags/a", &json!({ "is_paused": true })).await.expect(403);
    }

    async fn a_dag_is_deleted_with_its_history_but_not_under_its_runs(api: Api) {
        let api = with_dags(api).await;
        let run = api.w.trigger("b", at(10)).await.run.key;
        api.delete("/api/v2/dags/b").await.expect(409);
        api.w.start(run, at(11)).await;
        api.w.decide(run, at(12)).await;
        assert_eq!(api.delete("/api/v2/dags/b").await.expect(200), Value::Null);
        api.get("/api/v2/dags/b").await.expect(404);
        api.delete("/api/v2/dags/b").await.expect(404);
        assert_eq!(api.logs.removed(), [LogsOf::Dag("b".into())]);
    }

    async fn a_long_history_is_deleted_in_several_requests(api: Api) {
        /// Ten seconds pass between two looks.
        fn clock() -> Timestamp {
            static LOOKS: AtomicU64 = AtomicU64::new(0);
            at(1_000 + 10 * LOOKS.fetch_add(1, Ordering::Relaxed))
        }
        let api = with_dags(api).await;
        for second in 0..501 {
            api.w.trigger("b", at(second)).await;
        }
        api.w.meddle("UPDATE dag_run SET state = 'success', started_at = run_after, ended_at = run_after").await;
        let slow = Api::with_clock(api.w.clone(), AuthConfig::default(), clock).as_role(Role::User);
        let part = slow.delete("/api/v2/dags/b").await;
        assert_eq!((part.status.as_u16(), &part.headers["retry-after"]), (409, &HeaderValue::from_static("0")));
        assert_eq!(part.body["detail"], "500 runs of `b` are deleted, and it has more; ask again");
        assert_eq!(api.get("/api/v2/dags/b").await.expect(200)["is_paused"], true, "no run comes in between");
        assert_eq!(slow.logs.removed(), []);
        slow.delete("/api/v2/dags/b").await.expect(200);
        assert_eq!(slow.logs.removed(), [LogsOf::Dag("b".into())]);
        api.get("/api/v2/dags/b").await.expect(404);
    }

    async fn a_query_that_makes_no_sense_is_told_with_its_place(api: Api) {
        for (query, place) in [
            ("offset=2&limit=x", json!(["query", "limit"])),
            ("paused=perhaps", json!(["query", "paused"])),
            ("limit=x&offset=y", json!(["query"])),
        ] {
            let refused = api.get(&format!("/api/v2/dags?{query}")).await.expect(422);
            assert_eq!(refused["detail"][0]["loc"], place, "{refused}");
        }
        let many = format!("/api/v2/dags?{}limit=x", "tags=a&".repeat(100));
        assert_eq!(api.get(&many).await.expect(422)["detail"][0]["loc"], json!(["query"]));
    }

    async fn favourites_are_ones_own(api: Api) {
        let api = with_dags(api).await;
        let viewer = api.as_role(Role::Viewer);
        viewer.post("/api/v2/dags/b/favorite", &Value::Null).await.expect(204);
        viewer.post("/api/v2/dags/b/favorite", &Value::Null).await.expect(204);
        assert_eq!(ids(&viewer, "is_favorite=true").await, ["b"]);
        assert_eq!(ids(&viewer, "is_favorite=false").await, ["a", "c_1"]);
        assert_eq!(ids(&api, "is_favorite=true").await, [] as [&str; 0]);
        assert_eq!(viewer.get("/api/v2/dags/b/details").await.expect(200)["is_favorite"], true);
        viewer.post("/api/v2/dags/b/unfavorite", &Value::Null).await.expect(204);
        viewer.post("/api/v2/dags/b/unfavorite", &Value::Null).await.expect(409);
        viewer.post("/api/v2/dags/z/favorite", &Value::Null).await.expect(404);
    }

    async fn tasks_are_told_in_full(api: Api) {
        let api = with_dags(api).await;
        let tasks = api.get("/api/v2/dags/a/tasks?order_by=-task_id").await.expect(200);
        assert_eq!(tasks["total_entries"], 2);
        assert_eq!(tasks["tasks"][0]["task_id"], "two");
        let one = api.get("/api/v2/dags/a/tasks/one").await.expect(200);
        assert_eq!(one, tasks["tasks"][1]);
        let delay = json!({ "__type": "TimeDelta", "days": 0, "seconds": 10, "microseconds": 0 });
        assert_eq!((&one["retry_delay"], &one["retries"]), (&delay, &json!(2)));
        assert_eq!(one["downstream_task_ids"], json!(["two"]));
        assert_eq!(one["template_fields"], json!(["text"]));
        api.get("/api/v2/dags/a/tasks/three").await.expect(404);
        api.get("/api/v2/dags/a/tasks?order_by=colour").await.expect(400);
    }

    async fn texts_and_versions_are_there(api: Api) {
        let api = with_dags(api).await;
        api.w.save("c.yaml", &C.replace("id: t", "id: u"), at(5)).await;
        let versions = api.get("/api/v2/dags/c_1/dagVersions?order_by=-version_number").await.expect(200);
        assert_eq!(versions["total_entries"], 2);
        assert_eq!(versions["dag_versions"][0]["version_number"], 2);
        let first = api.get("/api/v2/dags/c_1/dagVersions/1").await.expect(200);
        assert_eq!(first, versions["dag_versions"][1]);
        api.get("/api/v2/dags/c_1/dagVersions/3").await.expect(404);
        assert_eq!(api.get("/api/v2/dags/~/dagVersions").await.expect(200)["total_entries"], 4);

        let source = api.get("/api/v2/dagSources/c_1?version_number=1").await.expect(200);
        assert_eq!(source["content"], C);
        api.get("/api/v2/dagSources/c_1?version_number=-1").await.expect(404);
        let accept = |kind: &'static str| {
            Request::get("/api/v2/dagSources/c_1?version_number=1").header(header::ACCEPT, kind)
        };
        let text = api.ask(accept("text/plain").body(Default::default()).unwrap()).await;
        assert!(text.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
        api.ask(accept("image/png").body(Default::default()).unwrap()).await.expect(406);
    }

    async fn a_file_is_read_again_by_its_token(api: Api) {
        let api = with_dags(api).await;
        let token = api.get("/api/v2/dags/b").await.expect(200)["file_token"].as_str().unwrap().to_owned();
        let put = async |token: &str| api.send(Method::PUT, &format!("/api/v2/parseDagFile/{token}"), &Value::Null).await;
        put(&token).await.expect(201);
        assert_eq!(api.w.store.files_to_read_again().await.unwrap(), ["in/b.yaml"]);
        // `../secret`, and what is no token.
        put("Li4vc2VjcmV0").await.expect(404);
        // A NUL.
        put("YQBi").await.expect(404);
        let unknown = put("x").await.expect(404);
        put("%00").await.expect(422);

        let text = "dag_id: secret\naccess_control: { ada: [can_read] }\ntasks: [{ id: t }]\n";
        api.w.save("hidden.yaml", text, at(0)).await;
        let token = api.get("/api/v2/dags/secret").await.expect(200)["file_token"].as_str().unwrap().to_owned();
        let path = format!("/api/v2/parseDagFile/{token}");
        let user = api.as_role(flow_server::Role::User);
        assert_eq!(user.send(Method::PUT, &path, &Value::Null).await.expect(404), unknown, "it tells no name");
        let ada = flow_server::Who { user: "ada".to_owned(), ..user.who.clone().unwrap() };
        let ada = Api { who: Some(ada), ..user };
        ada.send(Method::PUT, &path, &Value::Null).await.expect(403);
    }

    async fn tags_counts_and_warnings_are_of_all_dags(api: Api) {
        let api = with_dags(api).await;
        assert_eq!(api.get("/api/v2/dagTags").await.expect(200), json!({ "tags": ["blue", "red"], "total_entries": 2 }));
        let tags = api.get("/api/v2/dagTags?order_by=-name&limit=1&tag_name_pattern=E").await.expect(200);
        assert_eq!(tags, json!({ "tags": ["red"], "total_entries": 2 }));

        api.w.trigger("b", at(10)).await;
        let stats = api.get("/api/v2/dagStats?dag_ids=b&dag_ids=a").await.expect(200);
        assert_eq!(stats["total_entries"], 2);
        assert_eq!(stats["dags"][1]["dag_display_name"], "Bee");
        assert_eq!(stats["dags"][1]["stats"][0], json!({ "state": "queued", "count": 1 }));
        assert_eq!(stats["dags"][0]["stats"][3], json!({ "state": "failed", "count": 0 }));

        let warnings = api.get("/api/v2/dagWarnings").await.expect(200);
        assert_eq!(warnings["total_entries"], 1);
        assert_eq!(warnings["dag_warnings"][0]["warning_type"], "non-existent pool");
        assert_eq!(api.get("/api/v2/dagWarnings?dag_id=b").await.expect(200)["total_entries"], 0);
        let other = api.get("/api/v2/dagWarnings?warning_type=asset%20conflict").await.expect(200);
        assert_eq!(other["total_entries"], 0);
        api.get("/api/v2/dagWarnings?warning_type=x").await.expect(422);
    }

    async fn settings_are_shown_to_those_who_look_after_them(api: Api) {
        let all = api.get("/api/v2/config").await.expect(200);
        assert_eq!(all["sections"][0]["options"][1], json!({ "key": "b", "value": "2", "source": "flag", "place": "--b" }));
        let one = api.get("/api/v2/config?section=web").await.expect(200);
        let port = json!({ "key": "port", "value": "8080", "source": "flag", "place": "--port" });
        assert_eq!(one, json!({ "sections": [{ "name": "web", "options": [port] }] }));
        assert_eq!(api.get("/api/v2/config/section/web/option/port").await.expect(200), one);
        api.get("/api/v2/config?section=x").await.expect(404);
        api.get("/api/v2/config/section/web/option/x").await.expect(404);
        let text = Request::get("/api/v2/config?section=core").header(header::ACCEPT, "text/plain");
        assert_eq!(api.ask(text.body(Default::default()).unwrap()).await.expect(200), "[core]\na = 1\nb = 2\n\n");
        api.as_role(Role::User).get("/api/v2/config").await.expect(403);
    }

    async fn jobs_are_processes(api: Api) {
        let process = flow_store::Process {
            id: "p".to_owned(),
            kind: "worker".to_owned(),
            hostname: "host".to_owned(),
            machine: String::new(),
            pid: 1,
            pid_started: String::new(),
            slots: 1,
            queues: "[]".to_owned(),
            version: "0".to_owned(),
            started_at: at(1).as_micros(),
            heartbeat_at: at(1).as_micros(),
            ended_at: None,
        };
        let mut tx = api.w.store.begin().await.unwrap();
        tx.register(&process).await.unwrap();
        tx.register(&flow_store::Process { id: "q".to_owned(), kind: "standalone".to_owned(), ..process }).await.unwrap();
        tx.end_process("q", at(990)).await.unwrap();
        tx.commit().await.unwrap();
        let jobs = api.get("/api/v2/jobs?order_by=job_type").await.expect(200);
        assert_eq!(jobs["total_entries"], 2);
        assert_eq!((&jobs["jobs"][1]["job_type"], &jobs["jobs"][1]["state"]), (&json!("WorkerJob"), &json!("running")));
        for (query, count) in [
            ("is_alive=true", 0),
            ("is_alive=false", 2),
            ("job_type=SchedulerJob", 1),
            ("job_state=success", 1),
            ("executor_class=x", 0),
            ("end_date_lt=2027-01-01T00:00:00Z", 1),
        ] {
            assert_eq!(api.get(&format!("/api/v2/jobs?{query}")).await.expect(200)["total_entries"], count, "{query}");
        }
    }
}
