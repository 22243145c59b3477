//! `/connections`

use flow_core::{connection::Connection, secret::Secret};
use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, server, support::both};

const PATH: &str = "/api/v2/connections";

fn body() -> Value {
    json!({ "connection_id": "warehouse", "conn_type": "postgres", "host": "db", "login": "me", "password": "hunter2",
            "schema": "sales", "port": 5432, "extra": "{\"api_key\": \"k77\", \"sslmode\": \"off\"}" })
}

/// Reads the connection itself, as a task does.
async fn whole(api: &Api, id: &str) -> Connection {
    api.w.store.connection(id).await.unwrap().unwrap().whole().unwrap()
}

async fn password(api: &Api, id: &str) -> Option<String> {
    whole(api, id).await.password.map(Secret::into_exposed)
}

both! {
    async fn a_connection_is_made_shown_and_deleted_and_its_secrets_never_leave(api: Api) {
        let made = api.post(PATH, &body()).await.expect(201);
        assert_eq!(made, json!({
            "connection_id": "warehouse", "conn_type": "postgres", "description": null, "host": "db", "login": "me",
            "schema": "sales", "port": 5432, "password": "***", "extra": r#"{"api_key":"***","sslmode":"off"}"#, "team_name": null,
        }));
        let one = format!("{PATH}/warehouse");
        assert_eq!(api.get(&one).await.expect(200), made);
        assert_eq!(api.get(PATH).await.expect(200), json!({ "connections": [made], "total_entries": 1 }));
        assert_eq!(password(&api, "warehouse").await.as_deref(), Some("hunter2"));
        api.post(PATH, &body()).await.expect(409);
        let bare = api.post(PATH, &json!({ "connection_id": "bare", "conn_type": "http" })).await.expect(201);
        assert_eq!((&bare["password"], &bare["extra"]), (&json!(null), &json!(null)));
        api.delete(&one).await.expect(204);
        api.delete(&one).await.expect(404);
        api.get(&one).await.expect(404);
        api.get(&format!("{PATH}/a%00")).await.expect(422);
    }

    async fn what_comes_back_hidden_keeps_its_value(api: Api) {
        let mut shown = api.post(PATH, &body()).await.expect(201);
        let before = whole(&api, "warehouse").await;
        shown["host"] = json!("db2");
        shown["extra"] = json!(r#"{"api_key":"***","sslmode":"on"}"#);
        api.patch(&format!("{PATH}/warehouse"), &shown).await.expect(200);
        let after = whole(&api, "warehouse").await;
        assert_eq!((after.host.as_deref(), &after.password), (Some("db2"), &before.password));
        assert_eq!(after.extra.unwrap().expose(), r#"{"api_key":"k77","sslmode":"on"}"#);
        // Nothing is there to keep.
        let new = json!({ "connection_id": "new", "conn_type": "http", "password": "***" });
        api.post(PATH, &new).await.expect(422);
    }

    async fn a_change_is_of_what_was_given_and_of_what_the_mask_names(api: Api) {
        api.post(PATH, &body()).await.expect(201);
        let one = format!("{PATH}/warehouse");
        let change = json!({ "connection_id": "warehouse", "conn_type": "mysql", "host": "other", "password": "new77" });
        let changed = api.patch(&format!("{one}?update_mask=host&update_mask=port"), &change).await.expect(200);
        assert_eq!((&changed["host"], &changed["conn_type"], &changed["port"]), (&json!("other"), &json!("postgres"), &json!(5432)));
        assert_eq!(password(&api, "warehouse").await.as_deref(), Some("hunter2"));
        let changed = api.patch(&one, &change).await.expect(200);
        assert_eq!((&changed["conn_type"], &changed["login"]), (&json!("mysql"), &json!("me")));
        assert_eq!(password(&api, "warehouse").await.as_deref(), Some("new77"));
        let change = json!({ "connection_id": "warehouse", "conn_type": "mysql", "password": null, "extra": null });
        let changed = api.patch(&one, &change).await.expect(200);
        assert_eq!((&changed["password"], &changed["extra"]), (&json!(null), &json!(null)));
        api.patch(&one, &json!({ "connection_id": "x", "conn_type": "mysql" })).await.expect(400);
        api.patch(&format!("{PATH}/x"), &json!({ "connection_id": "x", "conn_type": "mysql" })).await.expect(404);
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        for body in [
            json!({ "connection_id": "a" }),
            json!({ "connection_id": "a b", "conn_type": "http" }),
            json!({ "connection_id": "", "conn_type": "http" }),
            json!({ "connection_id": "x".repeat(201), "conn_type": "http" }),
            json!({ "connection_id": "a", "conn_type": "http\u{0}" }),
            json!({ "connection_id": "a", "conn_type": "http", "host": "\u{0}" }),
            json!({ "connection_id": "a", "conn_type": "http", "port": 65536 }),
            json!({ "connection_id": "a", "conn_type": "http", "port": -1 }),
            json!({ "connection_id": "a", "conn_type": "http", "extra": "[]" }),
            json!({ "connection_id": "a", "conn_type": "http", "extra": "words" }),
            json!({ "connection_id": "a", "conn_type": "http", "team_name": "b" }),
            json!({ "connection_id": "a", "conn_type": "http", "uri": "b" }),
        ] {
            let answer = api.post(PATH, &body).await;
            assert!(!answer.body.to_string().contains("hunter2"));
            answer.expect(422);
        }
    }

    async fn many_are_made_changed_and_deleted_at_once(api: Api) {
        api.post(PATH, &body()).await.expect(201);
        let body = json!({ "actions": [
            { "action": "create", "action_on_existence": "overwrite", "entities": [
                { "connection_id": "warehouse", "conn_type": "mysql", "password": "***" }, { "connection_id": "b", "conn_type": "http" }] },
            { "action": "update", "update_mask": ["host"], "entities": [{ "connection_id": "b", "conn_type": "x", "host": "h" }] },
            { "action": "update", "entities": [{ "connection_id": "b", "conn_type": "x", "password": "***" }] },
            { "action": "delete", "entities": ["nope"] },
        ] });
        let done = api.patch(PATH, &body).await.expect(200);
        assert_eq!(done["create"], json!({ "success": ["warehouse", "b"], "errors": [] }));
        assert_eq!(done["update"]["success"], json!(["b", "b"]));
        assert_eq!(done["delete"]["errors"][0]["error"], "The connections with these connection_ids: {'nope'} were not found.");
        let over = whole(&api, "warehouse").await;
        assert_eq!((over.conn_type.as_str(), over.host, over.extra), ("mysql", None, None));
        assert_eq!(over.password.unwrap().expose(), "hunter2");
        assert_eq!(whole(&api, "b").await.host.as_deref(), Some("h"));
    }

    async fn a_connection_is_tested_and_the_answer_says_what_was_tried(api: Api) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let body = json!({ "connection_id": "new", "conn_type": "ssh", "host": "127.0.0.1", "port": port, "password": "hunter2" });
        let tested = api.post(&format!("{PATH}/test"), &body).await.expect(200);
        assert_eq!(tested, json!({ "status": true, "message": format!("reached 127.0.0.1:{port}; the login was not tried") }));
        let body = json!({ "connection_id": "new", "conn_type": "aws" });
        let tested = api.post(&format!("{PATH}/test"), &body).await.expect(200);
        assert_eq!(tested["status"], false);
        assert!(tested["message"].as_str().unwrap().contains("has no host"));
        assert_eq!(api.get(PATH).await.expect(200)["total_entries"], 0);
        api.post(&format!("{PATH}/defaults"), &Value::Null).await.expect(204);
        api.post(&format!("{PATH}/enqueue-test"), &body).await.expect(501);
        api.get(&format!("{PATH}/enqueue-test")).await.expect(404);
        let told = api.get("/api/v2/eventLogs?event=test_connection").await.expect(200);
        assert_eq!(told["total_entries"], 2);
        assert!(!told.to_string().contains("hunter2"));
    }

    /// The login is `me:right`; nothing but that is answered with 200.
    async fn stored_secrets_are_tried_with_what_is_stored_and_nothing_else(api: Api) {
        let server = server::Server::start(|asked| match asked.header("authorization") {
            Some("Basic bWU6cmlnaHQ=") if asked.header("x-api-key") == Some("k77") => server::Reply::new(200, ""),
            _ => server::Reply::new(401, ""),
        })
        .await;
        let thief = server::Server::start(|_| server::Reply::new(200, "")).await;
        let (port, elsewhere) = (server.port(), thief.port());
        let stored = json!({
            "connection_id": "shop", "conn_type": "http", "host": "127.0.0.1", "port": port, "login": "me",
            "password": "right", "extra": "{\"X-Api-Key\": \"k77\", \"timeout\": 5}",
        });
        api.post(PATH, &stored).await.expect(201);
        let shown = api.get(&format!("{PATH}/shop")).await.expect(200);
        assert_eq!(shown["extra"], "{\"X-Api-Key\":\"***\",\"timeout\":5}");
        let test = async |changes: Value| {
            let mut body = shown.clone();
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let tested = api.post(&format!("{PATH}/test"), &body).await.expect(200);
            (tested["status"] == true, tested["message"].as_str().unwrap().to_owned())
        };
        for same in [json!({}), json!({ "description": "x" }), json!({ "password": null }), json!({ "password": "hunter2" })] {
            let (works, words) = test(same.clone()).await;
            let is_right = same.get("password").is_none();
            assert_eq!(works, is_right, "{same}: {words}");
            assert!(words.contains(if is_right { "answered 200 OK" } else { "401 Unauthorized: the login is wrong" }), "{words}");
        }
        let bare = json!({ "connection_id": "shop", "conn_type": "http" });
        assert_eq!(api.post(&format!("{PATH}/test"), &bare).await.expect(200)["status"], true);
        let asked = server.asked().len();
        for (change, field) in [
            (json!({ "port": elsewhere }), "password"),
            (json!({ "host": "localhost" }), "password"),
            (json!({ "schema": "https" }), "password"),
            (json!({ "conn_type": "https" }), "password"),
            (json!({ "login": "you" }), "password"),
            (json!({ "extra": format!("{{\"proxy\": \"http://127.0.0.1:{elsewhere}\"}}") }), "password"),
            (json!({ "extra": "{\"verify\": false, \"X-Api-Key\": \"***\"}", "password": "mine" }), "extra"),
            (json!({ "extra": "{\"verify\": false, \"Other\": \"***\"}", "password": "mine" }), "extra"),
            (json!({ "port": elsewhere, "password": "mine" }), "extra"),
            (json!({ "port": elsewhere, "password": "mine", "extra": "***" }), "extra"),
            (json!({ "port": elsewhere, "extra": "{}" }), "password"),
            (json!({ "port": elsewhere, "extra": "{}", "password": "***" }), "password"),
        ] {
            let (works, words) = test(change.clone()).await;
            assert!(!works && words.contains(&format!("give `{field}` again, or save first")), "{change}: {words}");
        }
        assert_eq!((server.asked().len(), thief.asked().len()), (asked, 0));
        let (works, _) = test(json!({ "port": elsewhere, "password": "mine", "extra": "{}" })).await;
        assert!(works);
        let heard = format!("{:?}", thief.asked());
        assert!(!heard.contains("k77") && !heard.contains("bWU6cmlnaHQ="), "{heard}");

        let embedded = json!({ "connection_id": "inside", "conn_type": "http", "host": format!("http://me:right@127.0.0.1:{port}") });
        api.post(PATH, &embedded).await.expect(201);
        let mut body = api.get(&format!("{PATH}/inside")).await.expect(200);
        body["extra"] = json!(format!("{{\"proxy\": \"http://127.0.0.1:{elsewhere}\"}}"));
        let tested = api.post(&format!("{PATH}/test"), &body).await.expect(200);
        assert!(tested["message"].as_str().unwrap().contains("give `host` again"), "{tested}");
    }

    async fn what_the_environment_sets_comes_first(api: Api) {
        let body = json!({ "connection_id": "of_environment", "conn_type": "http", "host": "127.0.0.1", "port": 2 });
        let tested = api.post(&format!("{PATH}/test"), &body).await.expect(200);
        let words = tested["message"].as_str().unwrap();
        assert!(words.contains("give `password` again") && words.contains("the environment of the web server"), "{words}");
        let bare = json!({ "connection_id": "of_environment", "conn_type": "http" });
        let tested = api.post(&format!("{PATH}/test"), &bare).await.expect(200);
        let words = tested["message"].as_str().unwrap();
        assert!(words.starts_with("nothing answers at 127.0.0.1:1") && words.contains("the environment"), "{words}");
    }

    async fn connections_are_for_those_who_look_after_them(api: Api) {
        for role in [Role::Viewer, Role::User] {
            api.as_role(role).get(PATH).await.expect(403);
            api.as_role(role).post(&format!("{PATH}/test"), &body()).await.expect(403);
        }
        api.as_role(Role::Op).get(PATH).await.expect(200);
    }

    async fn one_that_cannot_be_read_harms_only_itself(api: Api) {
        api.post(PATH, &body()).await.expect(201);
        api.w.meddle("UPDATE connection SET password = 'f1:00:AAAA', extra = 'f1:00:AAAA'").await;
        let shown = api.get(&format!("{PATH}/warehouse")).await.expect(200);
        assert_eq!((&shown["host"], &shown["password"], &shown["extra"]), (&json!("db"), &json!("***"), &json!("***")));
        api.patch(&format!("{PATH}/warehouse"), &shown).await.expect(503);
        api.patch(&format!("{PATH}/warehouse"), &body()).await.expect(200);
        assert_eq!(password(&api, "warehouse").await.as_deref(), Some("hunter2"));
    }
}
