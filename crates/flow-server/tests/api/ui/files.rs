//! The files of the DAG folder. That no path leads out of it is tested where the folder is kept.

use axum::http::Method;
use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, support::both, world::CHAIN, world::at};

/// Puts a file into the folder, and what is known of it into the database.
async fn save(api: &Api, path: &str, text: &str) {
    api.dags.put(path, text);
    api.w.save(path, text, at(0)).await;
}

fn hidden(dag_id: &str) -> String {
    format!("dag_id: {dag_id}\naccess_control: {{ ada: [can_read] }}\ntasks: [{{ id: t, uses: work }}]\n")
}

fn paths(body: &Value) -> Vec<&str> {
    body["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect()
}

async fn put(api: &Api, path: &str, body: &Value) -> crate::client::Answer {
    api.send(Method::PUT, &format!("/ui/files/{path}"), body).await
}

both! {
    async fn files_are_listed_with_what_is_known_of_them(api: Api) {
        save(&api, "team/chain.yaml", CHAIN).await;
        save(&api, "broken.yaml", "dag_id: broken\ntasks: 5\n").await;
        let body = api.get("/ui/files").await.expect(200);
        assert_eq!((&body["can_edit"], &body["why_not"]), (&json!(true), &Value::Null));
        assert_eq!(paths(&body), ["broken.yaml", "team/chain.yaml"]);
        assert_eq!(body["files"][1], json!({
            "path": "team/chain.yaml", "size": CHAIN.len(), "modified": body["files"][1]["modified"],
            "dag_ids": ["chain"], "has_errors": false,
        }));
        assert_eq!((&body["files"][0]["dag_ids"], &body["files"][0]["has_errors"]), (&json!([]), &json!(true)));
        *api.dags.obstacle.lock().unwrap() = Some("no folder".to_owned());
        let body = api.get("/ui/files").await.expect(200);
        assert_eq!((&body["can_edit"], &body["why_not"]), (&json!(false), &json!("no folder")));
        let body = api.as_role(Role::User).get("/ui/files").await.expect(200);
        assert_eq!((&body["can_edit"], &body["why_not"]), (&json!(false), &json!("this needs the role Op; you are User")));
    }

    async fn a_file_is_read_saved_and_removed(api: Api) {
        save(&api, "team/chain.yaml", CHAIN).await;
        let file = api.get("/ui/files/team%2Fchain.yaml").await.expect(200);
        assert_eq!((&file["path"], &file["text"]), (&json!("team/chain.yaml"), &json!(CHAIN)));
        let longer = format!("{CHAIN}  - {{ id: c, uses: work, needs: [b] }}\n");
        let saved = put(&api, "team%2Fchain.yaml", &json!({ "text": longer, "etag": file["etag"] })).await.expect(200);
        assert_eq!((api.dags.text("team/chain.yaml"), &saved["etag"]), (Some(longer.clone()), &json!(longer)));
        let late = json!({ "text": CHAIN, "etag": file["etag"] });
        put(&api, "team%2Fchain.yaml", &late).await.expect(409);
        put(&api, "team%2Fchain.yaml", &json!({ "text": CHAIN, "etag": null })).await.expect(409);
        put(&api, "new.yaml", &json!({ "text": "tasks: [{ id: x, uses: work }]\n" })).await.expect(200);
        put(&api, "notes.txt", &json!({ "text": "", "force": true })).await.expect(422);
        api.delete("/ui/files/new.yaml?etag=other").await.expect(409);
        assert_eq!(api.delete("/ui/files/new.yaml").await.expect(204), Value::Null);
        api.delete("/ui/files/new.yaml").await.expect(404);
        api.get("/ui/files/new.yaml").await.expect(404);
    }

    async fn a_text_with_errors_is_saved_only_when_someone_insists(api: Api) {
        let text = "dag_id: x\ntasks:\n  - { id: a, uses: wrk }\n";
        let refused = put(&api, "x.yaml", &json!({ "text": text })).await.expect(400);
        let sentence = refused["detail"].as_str().unwrap();
        assert!(sentence.starts_with("the text has an error on line 3: ") && sentence.contains("`wrk`"), "{sentence}");
        assert_eq!(api.dags.text("x.yaml"), None);
        put(&api, "x.yaml", &json!({ "text": text, "force": true })).await.expect(200);
        assert_eq!(api.dags.text("x.yaml").as_deref(), Some(text));
        put(&api, "y.yaml", &json!({ "text": "x".repeat(1300 * 1024) })).await.expect(413);
    }

    async fn a_file_with_a_hidden_dag_is_not_there(api: Api) {
        save(&api, "secret.yaml", &format!("{}---\n{CHAIN}", hidden("secret"))).await;
        save(&api, "open.yaml", "dag_id: open\ntasks: [{ id: t, uses: work }]\n").await;
        let (user, op) = (api.as_role(Role::User), api.as_role(Role::Op));
        assert_eq!(paths(&user.get("/ui/files").await.expect(200)), ["open.yaml"]);
        let (hidden_file, missing) = (user.get("/ui/files/secret.yaml").await, user.get("/ui/files/none.yaml").await);
        assert_eq!((hidden_file.status, &hidden_file.body), (missing.status, &missing.body));
        hidden_file.expect(404);
        user.get("/ui/files/open.yaml").await.expect(200);
        assert_eq!(paths(&op.get("/ui/files").await.expect(200)), ["open.yaml", "secret.yaml"]);
        op.get("/ui/files/secret.yaml").await.expect(200);
        // What nobody has looked at yet may be anybody's.
        api.dags.put("new.yaml", "dag_id: new\ntasks: [{ id: t, uses: work }]\n");
        user.get("/ui/files/new.yaml").await.expect(403);
        op.get("/ui/files/new.yaml").await.expect(200);
        api.dags.put("open.yaml", &hidden("open"));
        user.get("/ui/files/open.yaml").await.expect(404);
        // With an error in it nobody can say who may see it.
        api.dags.put("open.yaml", &hidden("open").replace("uses: work", "uses: wrk"));
        user.get("/ui/files/open.yaml").await.expect(403);
        op.get("/ui/files/open.yaml").await.expect(200);
    }

    async fn a_change_is_for_op_and_is_written_down(api: Api) {
        save(&api, "chain.yaml", CHAIN).await;
        let body = json!({ "text": CHAIN, "etag": CHAIN });
        put(&api.as_role(Role::User), "chain.yaml", &body).await.expect(403);
        api.as_role(Role::User).delete("/ui/files/chain.yaml").await.expect(403);
        put(&api.as_role(Role::Op), "chain.yaml", &body).await.expect(200);
        let events = api.get("/api/v2/eventLogs?event=put_dag_file").await.expect(200);
        assert_eq!((&events["total_entries"], &events["event_logs"][0]["owner"]), (&json!(1), &json!("op")));
    }

    async fn nothing_changes_where_the_setting_says_no(api: Api) {
        let api = api.without_editing();
        save(&api, "chain.yaml", CHAIN).await;
        let refused = put(&api, "chain.yaml", &json!({ "text": CHAIN, "etag": CHAIN })).await.expect(403);
        assert!(refused["detail"].as_str().unwrap().contains("web.edit_dags"), "{refused}");
        api.delete("/ui/files/chain.yaml").await.expect(403);
        let body = api.get("/ui/files").await.expect(200);
        assert!(body["can_edit"] == false && body["why_not"].as_str().unwrap().contains("web.edit_dags"), "{body}");
        api.get("/ui/files/chain.yaml").await.expect(200);
    }
}
