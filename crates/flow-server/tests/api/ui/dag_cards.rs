//! The list of DAGs.

use flow_server::{Role, Who};
use serde_json::{Value, json};

use super::{SECRET, claim, each, end, run};
use crate::{client::Api, support::both, world::at};

const NIGHTLY: &str = "
dag_id: nightly
dag_display_name: Every night
description: the first
schedule: 0 2 * * *
timezone: Europe/Berlin
start_date: 2026-01-01
catchup: false
tags: [red, blue]
tasks:
  - { id: one, uses: work, owner: ann }
  - { id: two, uses: work, owner: bob, needs: [one] }
  - { id: three, uses: work, owner: bob, needs: [two] }
";
const OTHER: &str = "{ dag_id: other, schedule: 5m, tags: [red], tasks: [{ id: t, uses: work }] }";

async fn with_dags(api: &Api) {
    for (path, text) in [("in/nightly.yaml", NIGHTLY), ("other.yaml", OTHER), ("secret.yaml", SECRET)] {
        api.w.save(path, text, at(0)).await;
    }
    assert_eq!(api.w.store.import_errors().await.unwrap(), []);
}

/// Two runs of `nightly`: one failed, one under way.
async fn with_runs(api: &Api) {
    with_dags(api).await;
    let first = run(api, "nightly", "r1", 10).await;
    let one = api.w.running(first, "w", at(11)).await;
    end(api, first, &one, &["one"], 12).await;
    let second = run(api, "nightly", "r2", 20).await;
    let one = api.w.running(second, "w", at(21)).await;
    end(api, second, &one, &[], 22).await;
    claim(api, 23).await;
}

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let cards = api.get(&format!("/ui/dags?{query}")).await.expect(200);
    each(&cards["dags"], "dag_id").into_iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

both! {
    async fn a_card_tells_all_that_the_screen_shows(api: Api) {
        with_runs(&api).await;
        api.post("/api/v2/dags/nightly/favorite", &Value::Null).await.expect(204);
        api.w.meddle("UPDATE dag SET next_run_after = 1767229200000000 WHERE dag_id <> 'secret'").await;
        let cards = api.get("/ui/dags?limit=1").await.expect(200);
        let moment = |second: u32| format!("2026-01-01T00:00:{second}Z");
        assert_eq!(cards, json!({
            "dags": [{
                "dag_id": "nightly", "dag_display_name": "Every night", "description": "the first", "is_paused": false,
                "is_favorite": true, "has_import_errors": false, "tags": ["blue", "red"], "owners": ["ann", "bob"],
                "file": "in/nightly.yaml", "schedule": "0 2 * * *", "schedule_words": "at 02:00 every day, Europe/Berlin",
                "timezone": "Europe/Berlin", "next_run": "2026-01-01T01:00:00Z", "can_edit": true,
                "recent_runs": [
                    { "run_id": "r1", "state": "failed", "run_type": "manual", "run_after": moment(10),
                        "start_date": moment(11), "end_date": moment(12) },
                    { "run_id": "r2", "state": "running", "run_type": "manual", "run_after": moment(20),
                        "start_date": moment(21), "end_date": null },
                ],
                "task_states": { "success": 1, "running": 1, "no_status": 1 },
            }],
            "total_entries": 3,
            "counts": { "all": 3, "active": 3, "paused": 0 },
        }));
    }

    async fn a_dag_without_runs_has_a_card(api: Api) {
        with_dags(&api).await;
        let cards = api.get("/ui/dags?dag_id_pattern=other").await.expect(200);
        let card = &cards["dags"][0];
        assert_eq!((&card["recent_runs"], &card["task_states"]), (&json!([]), &Value::Null));
        assert_eq!((&card["schedule_words"], &card["timezone"]), (&json!("every 5m"), &json!("UTC")));
        assert_eq!((&card["dag_display_name"], &card["is_favorite"]), (&json!("other"), &json!(false)));
    }

    async fn a_paused_dag_has_no_next_run(api: Api) {
        with_dags(&api).await;
        api.w.meddle("UPDATE dag SET next_run_after = 1767229200000000").await;
        api.patch("/api/v2/dags/other", &json!({ "is_paused": true })).await.expect(200);
        let cards = api.get("/ui/dags").await.expect(200);
        assert_eq!(each(&cards["dags"], "is_paused"), [false, true, false]);
        assert_eq!(cards["dags"][1]["next_run"], Value::Null);
        assert_ne!(cards["dags"][0]["next_run"], Value::Null);
    }

    async fn the_number_of_last_runs_is_chosen(api: Api) {
        with_dags(&api).await;
        for second in 1..=40 {
            run(&api, "other", &format!("r{second:02}"), second).await;
        }
        let runs = async |query: &str| {
            let cards = api.get(&format!("/ui/dags?dag_id_pattern=other&{query}")).await.expect(200);
            assert_eq!(cards["dags"][0]["task_states"], json!({ "no_status": 1 }), "{query}");
            each(&cards["dags"][0]["recent_runs"], "run_id").into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(runs("").await.len(), 14);
        assert_eq!(runs("runs=2").await, ["r39", "r40"]);
        assert_eq!(runs("runs=1000").await.len(), 30);
        assert_eq!(runs("runs=0").await, [""; 0]);
    }

    async fn filters_orders_and_pages_are_those_of_the_list_of_dags(api: Api) {
        with_runs(&api).await;
        assert_eq!(ids(&api, "").await, ["nightly", "other", "secret"]);
        assert_eq!(ids(&api, "order_by=-dag_id&limit=1&offset=1").await, ["other"]);
        assert_eq!(ids(&api, "tags=red").await, ["nightly", "other"]);
        assert_eq!(ids(&api, "owners=ann").await, ["nightly"]);
        assert_eq!(ids(&api, "dag_display_name_pattern=NIGHT").await, ["nightly"]);
        assert_eq!(ids(&api, "last_dag_run_state=running").await, ["nightly"]);
        assert_eq!(ids(&api, "is_favorite=true").await, [""; 0]);
        assert_eq!(ids(&api, "bundle_name=none").await, [""; 0]);
        api.w.save("other.yaml", "dag_id: other\ntasks: 7\n", at(30)).await;
        assert_eq!(ids(&api, "has_import_errors=true").await, ["other"]);

        let counts = async |query: &str| api.get(&format!("/ui/dags?{query}")).await.expect(200)["counts"].clone();
        api.patch("/api/v2/dags/other", &json!({ "is_paused": true })).await.expect(200);
        assert_eq!(counts("").await, json!({ "all": 3, "active": 2, "paused": 1 }));
        assert_eq!(counts("paused=true&limit=0").await, json!({ "all": 3, "active": 2, "paused": 1 }));
        assert_eq!(counts("tags=red").await, json!({ "all": 2, "active": 1, "paused": 1 }));
        assert_eq!(counts("bundle_name=none").await, json!({ "all": 0, "active": 0, "paused": 0 }));
        assert_eq!(api.get("/ui/dags?paused=true").await.expect(200)["total_entries"], 1);
    }

    async fn a_hidden_dag_is_not_there_and_not_counted(api: Api) {
        with_runs(&api).await;
        let user = api.as_role(Role::User);
        let cards = user.get("/ui/dags").await.expect(200);
        assert_eq!(each(&cards["dags"], "dag_id"), ["nightly", "other"]);
        assert_eq!(each(&cards["dags"], "can_edit"), [true, true]);
        assert_eq!((&cards["total_entries"], &cards["counts"]["all"]), (&json!(2), &json!(2)));
        // She may read it, and no more.
        let ada = Who { user: "ada".to_owned(), ..user.who.clone().unwrap() };
        let ada = Api { who: Some(ada), ..user };
        let cards = ada.get("/ui/dags").await.expect(200);
        assert_eq!(each(&cards["dags"], "dag_id"), ["nightly", "other", "secret"]);
        assert_eq!(each(&cards["dags"], "can_edit"), [true, true, false]);
        let cards = api.as_role(Role::Viewer).get("/ui/dags").await.expect(200);
        assert_eq!(each(&cards["dags"], "can_edit"), [false, false]);
        assert_eq!(each(&api.get("/ui/dags").await.expect(200)["dags"], "can_edit"), [true, true, true]);
        api.as_nobody().get("/ui/dags").await.expect(401);
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        for (query, place) in [
            ("runs=x", "runs"),
            ("runs=-1", "runs"),
            ("limit=x", "limit"),
            ("paused=perhaps", "paused"),
            ("dag_run_state=asleep", "dag_run_state"),
            ("offset=2000000", "offset"),
        ] {
            let refused = api.get(&format!("/ui/dags?{query}")).await.expect(422);
            assert_eq!(refused["detail"][0]["loc"], json!(["query", place]), "{refused}");
        }
        api.get("/ui/dags?order_by=secret").await.expect(400);
    }
}
