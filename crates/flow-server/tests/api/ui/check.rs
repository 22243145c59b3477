//! Checking the text of a DAG file.

use axum::http::header;
use flow_server::Role;
use serde_json::{Value, json};

use crate::{client::Api, support::both, world::CHAIN, world::at};

const CHECK: &str = "/ui/dags/check";

async fn check(api: &Api, path: Option<&str>, text: &str) -> Value {
    api.post(CHECK, &json!({ "path": path, "text": text })).await.expect(200)
}

/// Returns severity, message and place of each complaint.
fn complaints(body: &Value) -> Vec<(String, [Option<u64>; 4])> {
    let complaints = body["diagnostics"].as_array().unwrap().iter();
    let place = |one: &Value| ["line", "column", "end_line", "end_column"].map(|key| one[key].as_u64());
    let words = |one: &Value| format!("{}: {}", one["severity"].as_str().unwrap(), one["message"].as_str().unwrap());
    complaints.map(|one| (words(one), place(one))).collect()
}

both! {
    async fn a_good_text_is_drawn(api: Api) {
        let body = check(&api, None, &format!("{CHAIN}---\ndag_id: other\ntasks: [{{ id: x, uses: work }}]\n")).await;
        assert_eq!(body["diagnostics"], json!([]));
        let dags = body["dags"].as_array().unwrap();
        assert_eq!(dags.iter().map(|dag| dag["dag_id"].as_str().unwrap()).collect::<Vec<_>>(), ["chain", "other"]);
        let graph = &dags[0]["graph"];
        assert_eq!((&graph["version_number"], &graph["direction"]), (&Value::Null, &json!("LR")));
        assert_eq!((graph["nodes"].as_array().unwrap().len(), graph["edges"].as_array().unwrap().len()), (2, 1));
        let named = check(&api, Some("team/nightly.yaml"), "tasks: [{ id: x, uses: work }]\n").await;
        assert_eq!(named["dags"][0]["dag_id"], "nightly");
    }

    async fn a_mistake_is_shown_at_its_place(api: Api) {
        let text = "dag_id: x\ntasks:\n  - id: extract\n    uses: work\n  - id: load\n    uses: work\n    needs: [extrct]\n";
        let body = check(&api, None, text).await;
        let place = [Some(7), Some(13), Some(7), Some(19)];
        let message = "error: task `load` depends on `extrct`, which does not exist".to_owned();
        assert_eq!(complaints(&body), [(message, place)]);
        assert!(body["diagnostics"][0]["help"].as_str().unwrap().contains("extract"), "{body}");
        assert_eq!(body["dags"], json!([]));
        let body = check(&api, None, "nothing: here\n").await;
        assert!(complaints(&body)[0].0.starts_with("warning: "), "{body}");
        check(&api, None, "").await;
        check(&api, None, "\u{0}{{{").await;
    }

    async fn a_dag_of_another_file_is_told(api: Api) {
        api.w.save("chain.yaml", CHAIN, at(0)).await;
        assert_eq!(complaints(&check(&api, Some("chain.yaml"), CHAIN).await), []);
        assert_eq!(complaints(&check(&api, None, CHAIN).await), []);
        let twice = complaints(&check(&api, Some("copy.yaml"), CHAIN).await);
        assert_eq!(twice, [("error: DAG `chain` is in `chain.yaml` already".to_owned(), [Some(1), Some(1), Some(1), Some(1)])]);
        api.w.save("chain.yaml", &format!("{CHAIN}access_control: {{ ada: [can_read] }}\n"), at(1)).await;
        let user = api.as_role(Role::User);
        assert_eq!(complaints(&check(&user, Some("copy.yaml"), CHAIN).await), [], "it is hidden from them");
    }

    async fn files_that_are_named_are_looked_for_and_quoted_to_op_and_admin_only(api: Api) {
        let text = "dag_id: x\ntasks: [{ id: t, uses: work, with: { text: { $t: { $f: a.txt } } } }]\n";
        assert!(complaints(&check(&api, None, text).await)[0].0.contains("a.txt"));
        api.dags.put("a.txt", "{{ 'secret' | no_such_filter_secret }}");
        let told = check(&api.as_role(Role::User), None, text).await.to_string();
        assert!(!told.contains("secret"), "{told}");
        assert!(check(&api.as_role(Role::Op), None, text).await.to_string().contains("no_such_filter_secret"));
        let missing = text.replace("a.txt", "none.txt");
        let told = check(&api.as_role(Role::User), None, &missing).await.to_string();
        assert!(told.contains("is not there or cannot be read") && !told.contains("does not exist"), "{told}");
        let missing = check(&api, None, &missing).await.to_string();
        assert!(missing.contains("does not exist"), "{missing}");
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        api.post(CHECK, &json!({ "text": CHAIN, "path": "../x" })).await.expect(422);
        api.post(CHECK, &json!({ "txt": CHAIN })).await.expect(422);
        api.as_role(Role::Viewer).post(CHECK, &json!({ "text": CHAIN })).await.expect(403);
        let large = format!("# {}\n", "x".repeat(1024 * 1024));
        let body = check(&api, None, &large).await;
        assert!(complaints(&body)[0].0.contains("the limit of 1 MiB"), "{body}");
        api.post(CHECK, &json!({ "text": "x".repeat(1300 * 1024) })).await.expect(413);
        // Elsewhere a body is as small as ever.
        api.post("/api/v2/pools", &json!({ "name": "x".repeat(300 * 1024), "slots": 1 })).await.expect(413);
    }

    async fn more_tasks_than_fit_on_a_page_are_not_drawn(api: Api) {
        let tasks: String = (0..6_000).map(|at| format!("- {{ id: t{at} }}\n")).collect();
        let body = check(&api, None, &format!("dag_id: a\ntasks:\n{tasks}---\ndag_id: b\ntasks:\n{tasks}")).await;
        assert_eq!((body["dags"][0]["graph"].is_null(), body["dags"][1]["graph"].is_null()), (false, true));
    }

    async fn dependencies_of_all_dags_of_a_text_count_together(api: Api) {
        let dag = |id: &str, tasks: usize| {
            let group = |group: &str| -> String {
                (0..tasks).map(|at| format!("- {{ id: {group}{at}, group: {group} }}\n")).collect()
            };
            let groups = "task_groups: { g: {}, h: { needs: [g] } }";
            format!("dag_id: {id}\n{groups}\ntasks:\n{}{}", group("g"), group("h"))
        };
        // Few tasks, and more arrows than fit on a page.
        let body = check(&api, None, &dag("a", 320)).await;
        assert_eq!((&body["dags"][0]["dag_id"], &body["dags"][0]["graph"]), (&json!("a"), &Value::Null));
        let body = check(&api, None, &format!("{}---\n{}", dag("a", 720), dag("b", 720))).await;
        assert_eq!((&body["dags"][0]["dag_id"], &body["dags"][1]), (&json!("a"), &Value::Null));
        let told = &complaints(&body)[0].0;
        assert_eq!(told, "error: the DAGs of this file have more than 1000000 dependencies");
    }

    async fn the_schema_is_there_for_editors(api: Api) {
        let schema = api.as_role(Role::Viewer).get("/ui/schema/dag").await;
        assert_eq!(schema.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(schema.expect(200), json!({ "title": "of tests" }));
    }
}
