//! `/variables`

use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, support::both};

const PATH: &str = "/api/v2/variables";

async fn make(api: &Api, key: &str, value: &Value) -> Value {
    api.post(PATH, &json!({ "key": key, "value": value })).await.expect(201)
}

/// Reads the value itself, as a task does.
async fn value(api: &Api, key: &str) -> String {
    api.w.store.variable(key).await.unwrap().unwrap().value.unwrap().into_exposed()
}

both! {
    async fn a_variable_is_made_shown_changed_and_deleted(api: Api) {
        let made = api.post(PATH, &json!({ "key": "region", "value": "eu", "description": "where" })).await.expect(201);
        let shown = json!({ "key": "region", "value": "eu", "description": "where", "is_encrypted": true, "team_name": null });
        assert_eq!(made, shown);
        let one = format!("{PATH}/region");
        assert_eq!(api.get(&one).await.expect(200), shown);
        api.post(PATH, &json!({ "key": "region", "value": "us" })).await.expect(409);

        let changed = api.patch(&one, &json!({ "key": "region", "value": "us" })).await.expect(200);
        assert_eq!((&changed["value"], &changed["description"]), (&json!("us"), &json!("where")));
        let body = json!({ "key": "region", "value": "asia", "description": null });
        let masked = api.patch(&format!("{one}?update_mask=description"), &body).await.expect(200);
        assert_eq!((&masked["value"], &masked["description"]), (&json!("us"), &json!(null)));
        api.patch(&one, &json!({ "key": "other", "value": "us" })).await.expect(400);
        api.patch(&format!("{PATH}/nope"), &json!({ "key": "nope", "value": "us" })).await.expect(404);

        api.delete(&one).await.expect(204);
        api.delete(&one).await.expect(404);
        assert_eq!(api.get(&one).await.expect(404), json!({ "detail": "variable `region` does not exist" }));
    }

    async fn what_looks_secret_never_leaves(api: Api) {
        make(&api, "api_key", &json!("hunter2")).await;
        make(&api, "settings", &json!({ "password": "hunter2", "size": 7 })).await;
        make(&api, "address", &json!("postgres://me:hunter2@db/x")).await;
        let all = api.get(PATH).await.expect(200);
        assert!(!all.to_string().contains("hunter2"), "{all}");
        assert_eq!(all["variables"][1]["value"], "***");
        assert_eq!(all["variables"][2]["value"], r#"{"password":"***","size":7}"#);

        // What was shown comes back unchanged, and changes nothing that was hidden.
        for (key, value) in [("api_key", "***"), ("settings", r#"{"password":"***","size":8}"#)] {
            api.patch(&format!("{PATH}/{key}"), &json!({ "key": key, "value": value })).await.expect(200);
        }
        assert_eq!(value(&api, "api_key").await, "hunter2");
        assert_eq!(value(&api, "settings").await, r#"{"password":"hunter2","size":8}"#);
    }

    async fn variables_are_listed(api: Api) {
        for key in ["b/1", "a%1", "a_2"] {
            make(&api, key, &json!("x")).await;
        }
        let keys = async |query: &str| {
            let all = api.get(&format!("{PATH}?{query}")).await.expect(200);
            let keys = all["variables"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_owned());
            (keys.collect::<Vec<_>>(), all["total_entries"].as_u64().unwrap())
        };
        assert_eq!(keys("order_by=-key").await.0, ["b/1", "a_2", "a%1"]);
        assert_eq!(keys("variable_key_prefix_pattern=a&limit=1").await, (vec!["a%1".to_owned()], 2));
        assert_eq!(keys("variable_key_pattern=B%25").await.0, ["b/1"]);
        api.get(&format!("{PATH}?order_by=value")).await.expect(400);
        api.get(&format!("{PATH}/b%2F1")).await.expect(200);
        api.get(&format!("{PATH}/b%00")).await.expect(422);
        api.delete(&format!("{PATH}/b%00")).await.expect(422);
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        for body in [
            json!({ "key": "a" }),
            json!({ "value": "a" }),
            json!({ "key": "", "value": "a" }),
            json!({ "key": "a\u{0}", "value": "a" }),
            json!({ "key": "x".repeat(251), "value": "a" }),
            json!({ "key": "a", "value": "a", "description": "\u{0}" }),
            json!({ "key": "a", "value": "a", "colour": "red" }),
            json!({ "key": "a", "value": "a", "team_name": "b" }),
        ] {
            api.post(PATH, &body).await.expect(422);
        }
        // The value itself may be anything.
        make(&api, "odd", &json!("a\u{0}b")).await;
        assert_eq!(value(&api, "odd").await, "a\0b");
        make(&api, "null", &json!(null)).await;
        assert_eq!(value(&api, "null").await, "null");
    }

    async fn many_are_made_changed_and_deleted_at_once(api: Api) {
        make(&api, "old", &json!("1")).await;
        let body = json!({ "actions": [
            { "action": "create", "entities": [{ "key": "old", "value": "2" }, { "key": "new", "value": "2" }] },
            { "action": "create", "entities": [{ "key": "old", "value": "3" }, { "key": "new", "value": "3" }], "action_on_existence": "skip" },
            { "action": "update", "entities": [{ "key": "gone", "value": "4" }] },
            { "action": "update", "entities": [{ "key": "gone", "value": "4" }, { "key": "old", "value": "4", "description": "d" }],
              "update_mask": ["description"], "action_on_non_existence": "skip" },
        ] });
        assert_eq!(api.patch(PATH, &body).await.expect(200), json!({
            "create": { "success": ["new"], "errors": [{ "error": "The variables with these keys: {'old'} already exist.", "status_code": 409 }] },
            "update": { "success": ["old"], "errors": [{ "error": "The variables with these keys: {'gone'} were not found.", "status_code": 404 }] },
            "delete": null,
        }));
        assert_eq!((value(&api, "old").await, value(&api, "new").await), ("1".to_owned(), "3".to_owned()));

        let body = json!({ "actions": [
            { "action": "create", "entities": [{ "key": "old", "value": "5" }], "action_on_existence": "overwrite" },
            { "action": "delete", "entities": ["gone"] },
            { "action": "delete", "entities": ["gone", { "key": "new", "value": "" }], "action_on_non_existence": "skip" },
        ] });
        let done = api.patch(PATH, &body).await.expect(200);
        assert_eq!((&done["create"]["success"], &done["delete"]["success"]), (&json!(["old"]), &json!(["new"])));
        assert_eq!(done["delete"]["errors"][0]["status_code"], 404);
        assert_eq!(value(&api, "old").await, "5");
        assert_eq!(api.get(PATH).await.expect(200)["total_entries"], 1);

        // Nothing of a request that makes no sense is done.
        let body = json!({ "actions": [
            { "action": "delete", "entities": ["old"] },
            { "action": "create", "entities": [{ "key": "", "value": "5" }] },
        ] });
        api.patch(PATH, &body).await.expect(422);
        api.patch(PATH, &json!({ "actions": [{ "action": "burn", "entities": [] }] })).await.expect(422);
        assert_eq!(value(&api, "old").await, "5");
    }

    async fn variables_are_for_those_who_look_after_them(api: Api) {
        for role in [Role::Viewer, Role::User] {
            api.as_role(role).get(PATH).await.expect(403);
            api.as_role(role).post(PATH, &json!({ "key": "a", "value": "b" })).await.expect(403);
        }
        api.as_role(Role::Op).get(PATH).await.expect(200);
    }

    async fn one_that_cannot_be_read_harms_only_itself(api: Api) {
        make(&api, "a", &json!("1")).await;
        make(&api, "b", &json!("2")).await;
        api.w.meddle("UPDATE variable SET value = 'f1:00:AAAA' WHERE key = 'a'").await;
        let all = api.get(PATH).await.expect(200);
        assert_eq!((&all["variables"][0]["value"], &all["variables"][1]["value"]), (&json!(null), &json!("2")));
        // It can be set again.
        api.patch(&format!("{PATH}/a"), &json!({ "key": "a", "value": "3" })).await.expect(200);
        assert_eq!(value(&api, "a").await, "3");
    }
}
