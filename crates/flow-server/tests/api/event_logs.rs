//! `/eventLogs`

use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, support::both, task_instances::chain, world::at};

const ALL: &str = "/api/v2/eventLogs";

async fn events(api: Api) -> Api {
    let api = Api { w: api.w.clone().with_chain().await, ..api };
    chain(&api, "one", 10).await;
    chain(&api, "two", 20).await;
    let clear = json!({ "dry_run": false, "only_failed": false, "dag_run_id": "one" });
    api.post("/api/v2/dags/chain/clearTaskInstances", &clear).await.expect(200);
    // Somebody logged in: about no DAG.
    let mut tx = api.w.store.begin().await.unwrap();
    let login = flow_store::Event { kind: "login", who: Some("ann".to_owned()), ..flow_store::Event::default() };
    tx.tell(&[login], at(30)).await.unwrap();
    tx.commit().await.unwrap();
    api
}

fn list(answer: &Value) -> &Vec<Value> {
    answer["event_logs"].as_array().unwrap()
}

both! {
    async fn events_are_shown_with_their_run(api: Api) {
        let api = events(api).await;
        let found = api.get(&format!("{ALL}?run_id=two&task_id=b&order_by=-when")).await.expect(200);
        let last = &list(&found)[0];
        for (key, value) in [
            ("event", json!("task_state")),
            ("dag_id", json!("chain")),
            ("run_id", json!("two")),
            ("task_id", json!("b")),
            ("map_index", json!(-1)),
            ("try_number", json!(1)),
            ("extra", json!("success")),
            ("owner", Value::Null),
            ("logical_date", json!("2026-01-01T00:00:20Z")),
            ("when", json!("2026-01-01T00:00:26Z")),
            ("dag_display_name", json!("chain")),
            ("task_display_name", json!("b")),
        ] {
            assert_eq!(last[key], value, "{key}");
        }
        let id = last["event_log_id"].as_i64().unwrap();
        assert_eq!(&api.get(&format!("{ALL}/{id}")).await.expect(200), last);
        api.get(&format!("{ALL}/77777")).await.expect(404);
        api.get(&format!("{ALL}/x")).await.expect(422);
        let asked = api.get(&format!("{ALL}?event=post_clear_task_instances")).await.expect(200);
        assert_eq!((&list(&asked)[0]["owner"], &asked["total_entries"]), (&json!("admin"), &json!(1)));
    }

    async fn a_request_says_what_it_came_to(api: Api) {
        let api = events(api).await;
        let last = async |kind: &str| {
            let found = api.get(&format!("{ALL}?event={kind}&order_by=-when")).await.expect(200);
            list(&found)[0]["extra"].as_str().unwrap().to_owned()
        };
        let words = async |kind: &str| last(kind).await.lines().next().unwrap().to_owned();
        let clear = "cleared 2 task instances\nPOST /api/v2/dags/chain/clearTaskInstances";
        assert!(last("post_clear_task_instances").await.starts_with(clear));
        let edit = "/ui/dags/chain/dagRuns/two/edit";
        api.post(edit, &json!({ "action": "clear", "task_id": "b", "latest_version": true })).await.expect(200);
        assert_eq!(words("edit_dag_run").await, "cleared 1 task instance, with the newest version");
        api.post(edit, &json!({ "action": "cancel" })).await.expect(200);
        assert_eq!(words("edit_dag_run").await, "cancelled the run, 1 task instance");
        api.post(edit, &json!({ "action": "clear", "task_id": "nope" })).await.expect(404);
        assert_eq!(words("edit_dag_run").await, "refused (404 not found)");
        let wrong = api.post(edit, &json!({ "action": "dance" })).await;
        wrong.expect(422);
        assert_eq!(words("edit_dag_run").await, "refused (422 unprocessable entity)");
        let connection = json!({ "connection_id": "lite", "conn_type": "sqlite", "host": "/nowhere/at/all" });
        api.post("/api/v2/connections/test", &connection).await.expect(200);
        assert_eq!(words("test_connection").await, "tested connection lite: it does not work");
        api.post("/api/v2/connections", &connection).await.expect(201);
        assert_eq!(words("post_connection").await, "added connection lite");
        let both = json!({ "actions": [
            { "action": "create", "entities": [{ "key": "a", "value": "1" }, { "key": "b", "value": "1" }] },
            { "action": "delete", "entities": ["a", "c"] },
        ]});
        api.patch("/api/v2/variables", &both).await.expect(200);
        assert_eq!(words("bulk_variables").await, "made 2 variables, refused 1");
    }

    async fn every_filter_lets_through_what_it_says(api: Api) {
        let api = events(api).await;
        let all = api.get(&format!("{ALL}?limit=1000")).await.expect(200);
        let all = list(&all).clone();
        let count = |is_wanted: &dyn Fn(&Value) -> bool| all.iter().filter(|event| is_wanted(event)).count();
        let of = |key: &'static str, value: Value| move |event: &Value| event[key] == value;
        let task = of("event", json!("task_state"));
        let cases: [(&str, usize); 24] = [
            ("dag_id=chain", count(&of("dag_id", json!("chain")))),
            ("dag_id=nope", 0),
            ("run_id=one", count(&of("run_id", json!("one")))),
            ("dag_id=chain&run_id=one", count(&of("run_id", json!("one")))),
            ("dag_id=chain&run_id=one&task_id=a", count(&|event| event["run_id"] == "one" && event["task_id"] == "a")),
            ("task_id=a", count(&of("task_id", json!("a")))),
            ("map_index=-1", count(&of("map_index", json!(-1)))),
            ("try_number=1", count(&of("try_number", json!(1)))),
            ("owner=admin", count(&of("owner", json!("admin")))),
            ("owner=ann", 1),
            ("event=login", 1),
            ("event=task_state", count(&task)),
            ("excluded_events=task_state", count(&|event| !task(event))),
            ("excluded_events=task_state&excluded_events=run_state", count(&|event| !task(event) && event["event"] != "run_state")),
            ("included_events=task_state&included_events=login", count(&task) + 1),
            ("included_events=login", 1),
            ("before=2026-01-01T00:00:20Z", count(&|event| event["when"].as_str() < Some("2026-01-01T00:00:20Z"))),
            ("after=2026-01-01T00:00:20Z", count(&|event| event["when"].as_str() > Some("2026-01-01T00:00:20Z"))),
            ("before=2026-01-01T00:00:20Z&after=2026-01-01T00:00:19Z", 0),
            ("dag_id_pattern=HAI", count(&of("dag_id", json!("chain")))),
            ("run_id_prefix_pattern=tw", count(&of("run_id", json!("two")))),
            ("task_id_pattern=b", count(&of("task_id", json!("b")))),
            ("owner_pattern=nn", 1),
            ("event_prefix_pattern=log", 1),
        ];
        for (query, expected) in cases {
            let found = api.get(&format!("{ALL}?limit=1000&{query}")).await.expect(200);
            assert_eq!(list(&found).len(), expected, "{query}");
            assert_eq!(found["total_entries"], expected, "{query}");
        }
        for order in ["id", "event_log_id", "when", "dttm", "dag_id", "task_id", "run_id", "event", "logical_date", "owner", "extra"] {
            for sign in ["", "-"] {
                for more in ["", "&dag_id=chain", "&excluded_events=task_state&excluded_events=run_state"] {
                    let found = api.get(&format!("{ALL}?limit=1000&order_by={sign}{order}{more}")).await.expect(200);
                    let key = if order == "id" { "event_log_id" } else { order };
                    let values: Vec<Value> = list(&found).iter().map(|event| event[key].clone()).collect();
                    let text = |value: &Value| value.as_str().map(str::to_owned);
                    let is_sorted = |pair: &[Value]| match (pair[0].as_i64(), pair[1].as_i64()) {
                        (Some(a), Some(b)) => (a < b) == sign.is_empty(),
                        _ if sign.is_empty() => text(&pair[0]) <= text(&pair[1]),
                        _ => text(&pair[0]) >= text(&pair[1]),
                    };
                    // Of `extra` the order is the database's, and written out it is another text.
                    if !matches!(order, "extra" | "when" | "dttm") {
                        assert!(values.windows(2).all(is_sorted), "{sign}{order}{more}: {values:?}");
                    }
                    if more.is_empty() {
                        assert_eq!(values.len(), all.len());
                    }
                }
            }
        }
        api.get(&format!("{ALL}?order_by=password")).await.expect(400);
        api.get(&format!("{ALL}?before=x")).await.expect(422);
        api.get(&format!("{ALL}?dag_id=a%00b&owner=%00&event=%00")).await.expect(200);
    }

    async fn what_is_about_no_dag_is_for_operators(api: Api) {
        let api = events(api).await;
        for (role, expected) in [(Role::Viewer, 0), (Role::User, 0), (Role::Op, 1), (Role::Admin, 1)] {
            let found = api.as_role(role).get(&format!("{ALL}?event=login")).await.expect(200);
            assert_eq!(found["total_entries"], expected, "{role:?}");
        }
        let login = api.get(&format!("{ALL}?event=login")).await.expect(200);
        let id = list(&login)[0]["event_log_id"].as_i64().unwrap();
        api.as_role(Role::User).get(&format!("{ALL}/{id}")).await.expect(404);
        api.as_role(Role::Op).get(&format!("{ALL}/{id}")).await.expect(200);
    }
}
