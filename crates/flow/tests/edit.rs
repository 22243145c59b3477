//! Editing DAG files over the network: from a text to a DAG that is drawn and runs, and no way out of the folder.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "others need Python")]
mod place;

use std::time::{Duration, Instant};

use place::Flow;
use serde_json::{Value, json};

/// How long a saved file may take to become a DAG.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_dag_is_written_checked_drawn_changed_and_removed() {
    let flow = Flow::start(&[("there.yaml", "tasks: [{ id: only, uses: empty }]\n")]);
    let token = flow.token();
    let text = "tasks:\n  - { id: one, uses: bash, with: { bash_command: 'true' } }\n  - { id: two, needs: [one] }\n";
    let wait_for = |what: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < SOON, "it never came: {}", flow.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let checked = flow.post("/ui/dags/check", &token, &json!({ "path": "team/new.yaml", "text": text }).to_string());
    assert_eq!((&checked["dags"][0]["dag_id"], &checked["diagnostics"]), (&json!("new"), &json!([])), "{checked}");
    let put = |path: &str, body: &Value| flow.send("PUT", &format!("/ui/files/{path}"), &token, &body.to_string());
    let saved = put("team%2Fnew.yaml", &json!({ "text": text }));
    assert!(saved["etag"].is_string(), "{saved}");
    wait_for(&|| flow.get("/ui/dags/new/graph", &token)["nodes"].as_array().is_some_and(|nodes| nodes.len() == 2));

    let longer = format!("{text}  - {{ id: three, needs: [two] }}\n");
    let changed = put("team%2Fnew.yaml", &json!({ "text": longer, "etag": saved["etag"] }));
    assert!(changed["etag"].is_string(), "{changed}");
    let late = put("team%2Fnew.yaml", &json!({ "text": text, "etag": saved["etag"] }));
    assert_eq!(late["detail"], "the file has changed since it was read");
    wait_for(&|| flow.get("/ui/dags/new/graph", &token)["nodes"].as_array().is_some_and(|nodes| nodes.len() == 3));

    let listed = flow.get("/ui/files", &token);
    assert_eq!((&listed["can_edit"], &listed["files"][0]["dag_ids"]), (&json!(true), &json!(["new"])), "{listed}");
    for path in ["..%2Fflow.toml", "..%2Fx.yaml", "%2Fetc%2Fx.yaml", ".hidden%2Fx.yaml", "team%2F..%2F..%2Fx.yaml"] {
        let refused = flow.get(&format!("/ui/files/{path}"), &token);
        assert_eq!(refused["detail"][0]["loc"], json!(["path", "path"]), "{path}: {refused}");
        let refused = put(path, &json!({ "text": text, "force": true }));
        assert_eq!(refused["detail"][0]["loc"], json!(["path", "path"]), "{path}: {refused}");
    }
    flow.send("DELETE", "/ui/files/team%2Fnew.yaml", &token, "");
    wait_for(&|| flow.get("/ui/files", &token)["files"].as_array().is_some_and(|files| files.len() == 1));
    assert!(flow.get("/ui/schema/dag", &token).to_string().contains("bash_command"));
}
