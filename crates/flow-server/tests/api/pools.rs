//! `/pools`

use std::time::Duration;

use flow_server::Role;
use flow_store::Signal;
use serde_json::json;

use crate::{client::Api, support::both, world::at};

const PATH: &str = "/api/v2/pools";

both! {
    async fn a_pool_is_made_shown_changed_and_deleted(api: Api) {
        let made = api.post(PATH, &json!({ "name": "crunch", "slots": 4, "include_deferred": true })).await.expect(201);
        assert_eq!(made, json!({
            "name": "crunch", "slots": 4, "description": null, "include_deferred": true, "occupied_slots": 0, "running_slots": 0,
            "queued_slots": 0, "scheduled_slots": 0, "open_slots": 4, "deferred_slots": 0, "team_name": null,
        }));
        let one = format!("{PATH}/crunch");
        assert_eq!(api.get(&one).await.expect(200), made);
        api.post(PATH, &json!({ "name": "crunch", "slots": 5 })).await.expect(409);
        let changed = api.patch(&one, &json!({ "pool": "crunch", "slots": -1, "description": "d" })).await.expect(200);
        assert_eq!((&changed["slots"], &changed["open_slots"], &changed["description"]), (&json!(-1), &json!(-1), &json!("d")));
        assert_eq!(changed["include_deferred"], true);
        let body = json!({ "slots": 7, "description": null });
        let changed = api.patch(&format!("{one}?update_mask=slots"), &body).await.expect(200);
        assert_eq!((&changed["slots"], &changed["description"]), (&json!(7), &json!("d")));
        api.patch(&one, &json!({ "pool": "other" })).await.expect(400);
        api.patch(&format!("{PATH}/nope"), &json!({ "slots": 1 })).await.expect(404);
        api.delete(&one).await.expect(204);
        api.delete(&one).await.expect(404);
        api.get(&one).await.expect(404);
    }

    async fn the_default_pool_stays(api: Api) {
        let one = format!("{PATH}/default_pool");
        assert_eq!(api.delete(&one).await.expect(400), json!({ "detail": "Default Pool can't be deleted" }));
        api.patch(&one, &json!({})).await.expect(400);
        api.patch(&one, &json!({ "slots": 3, "description": "mine" })).await.expect(400);
        api.patch(&format!("{one}?update_mask=description"), &json!({ "slots": 3 })).await.expect(400);
        let changed = api.patch(&format!("{one}?update_mask=slots"), &json!({ "slots": 3, "description": "mine" })).await.expect(200);
        assert_eq!((&changed["slots"], &changed["description"]), (&json!(3), &json!("Default pool")));
        let body = json!({ "actions": [{ "action": "delete", "entities": ["default_pool"] }] });
        assert_eq!(api.patch(PATH, &body).await.expect(200)["delete"]["errors"][0]["status_code"], 400);
    }

    async fn what_is_in_use_is_counted(api: Api) {
        let dag = "dag_id: wide\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work }\n  - { id: c, uses: work, pool: full, pool_slots: 2 }\n";
        api.post(PATH, &json!({ "name": "full", "slots": 0 })).await.expect(201);
        api.w.save("wide.yaml", dag, at(0)).await;
        let run = api.w.trigger("wide", at(1)).await.run.key;
        api.w.start(run, at(1)).await;
        api.w.grant(at(1)).await;
        assert_eq!(api.w.claim("w", 1, at(1)).await.len(), 1);
        let all = api.get(PATH).await.expect(200);
        let numbers = |at: usize| {
            ["occupied_slots", "running_slots", "queued_slots", "scheduled_slots", "open_slots"].map(|name| all["pools"][at][name].as_i64().unwrap())
        };
        assert_eq!((numbers(0), numbers(1)), ([2, 1, 1, 0, 126], [0, 0, 0, 2, 0]));
    }

    async fn pools_are_listed(api: Api) {
        for name in ["b/1", "a 1"] {
            api.post(PATH, &json!({ "name": name, "slots": 1 })).await.expect(201);
        }
        let names = async |query: &str| {
            let all = api.get(&format!("{PATH}?{query}")).await.expect(200);
            all["pools"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("order_by=-name").await, ["default_pool", "b/1", "a 1"]);
        assert_eq!(names("pool_name_pattern=%251").await, ["a 1", "b/1"]);
        assert_eq!(names("pool_name_prefix_pattern=d").await, ["default_pool"]);
        api.get(&format!("{PATH}/b%2F1")).await.expect(200);
        api.get(&format!("{PATH}?order_by=slots")).await.expect(400);
        for path in [format!("{PATH}/a%00")] {
            api.get(&path).await.expect(422);
            api.delete(&path).await.expect(422);
            api.patch(&path, &json!({ "slots": 1 })).await.expect(422);
        }
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        for body in [
            json!({ "name": "a" }),
            json!({ "slots": 1 }),
            json!({ "name": " ", "slots": 1 }),
            json!({ "name": "a\n", "slots": 1 }),
            json!({ "name": "x".repeat(257), "slots": 1 }),
            json!({ "name": "a", "slots": -2 }),
            json!({ "name": "a", "slots": 1_000_000_001 }),
            json!({ "name": "a", "slots": 1.5 }),
            json!({ "name": "a", "slots": 1, "team_name": "x" }),
            json!({ "name": "a", "slots": 1, "description": "\u{0}" }),
        ] {
            api.post(PATH, &body).await.expect(422);
        }
        api.patch(&format!("{PATH}/default_pool"), &json!({ "slots": -7 })).await.expect(422);
        api.patch(&format!("{PATH}/default_pool"), &json!({ "team_name": "x" })).await.expect(422);
        let many = |number: usize| json!({ "action": "delete", "entities": vec!["a"; number] });
        for path in [PATH, "/api/v2/variables", "/api/v2/connections"] {
            api.patch(path, &json!({ "actions": [many(500), many(500)] })).await.expect(200);
            api.patch(path, &json!({ "actions": [many(500), many(501)] })).await.expect(422);
            api.patch(path, &json!({ "actions": vec![many(0); 1_001] })).await.expect(422);
        }
    }

    async fn a_change_wakes_those_who_wait_for_slots(api: Api) {
        let heard = async || tokio::time::timeout(Duration::from_secs(5), api.w.store.heard(Signal::Look)).await.is_ok();
        for change in [
            api.post(PATH, &json!({ "name": "crunch", "slots": 4 })).await,
            api.patch(&format!("{PATH}/crunch"), &json!({ "slots": 5 })).await,
            api.delete(&format!("{PATH}/crunch")).await,
        ] {
            assert!(change.status.is_success());
        }
        assert!(heard().await);
        api.as_role(Role::Viewer).get(PATH).await.expect(200);
        api.as_role(Role::User).post(PATH, &json!({ "name": "x", "slots": 4 })).await.expect(403);
    }
}
