//! The graph of a DAG.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    client::Api,
    support::{both, on_sqlite},
    world::at,
};

const GROUPS: &str = "
dag_id: groups
task_groups: { out: { tooltip: all }, in: { parent: out }, empty: {} }
tasks:
  - { id: start, uses: work }
  - { id: a, uses: work, group: out, needs: [start], task_display_name: First }
  - { id: b, uses: work, group: in, needs: [a], trigger_rule: all_done }
  - { id: end, uses: empty, needs: [out] }
";

/// Returns a field of each element of a list.
fn each<'a>(body: &'a Value, list: &str, field: &str) -> Vec<&'a Value> {
    body[list].as_array().unwrap().iter().map(|one| &one[field]).collect()
}

fn ends(body: &Value) -> Vec<String> {
    let edges = body["edges"].as_array().unwrap().iter();
    edges.map(|edge| format!("{} > {}", edge["from"].as_str().unwrap(), edge["to"].as_str().unwrap())).collect()
}

both! {
    async fn a_graph_has_a_place_for_everything(api: Api) {
        api.w.save("groups.yaml", GROUPS, at(0)).await;
        let body = api.get("/ui/dags/groups/graph").await.expect(200);
        assert_eq!((&body["version_number"], &body["direction"]), (&json!(1), &json!("LR")));
        assert_eq!(each(&body, "nodes", "id"), ["start", "a", "b", "end"]);
        assert_eq!(each(&body, "nodes", "label"), ["start", "First", "b", "end"]);
        assert_eq!(each(&body, "nodes", "parent"), [&Value::Null, &json!("out"), &json!("in"), &Value::Null]);
        assert_eq!(each(&body, "nodes", "operator"), ["work", "work", "work", "empty"]);
        assert_eq!(body["nodes"][2]["trigger_rule"], "all_done");
        assert_eq!(each(&body, "groups", "id"), ["out", "in"]);
        assert_eq!((&body["groups"][1]["parent"], &body["groups"][1]["depth"]), (&json!("out"), &json!(1)));
        assert_eq!(ends(&body), ["start > a", "a > b", "b > end"]);
        let number = |value: &Value| value.as_i64().unwrap();
        let (width, height) = (number(&body["width"]), number(&body["height"]));
        for one in body["nodes"].as_array().unwrap().iter().chain(body["groups"].as_array().unwrap()) {
            assert!(number(&one["x"]) >= 0 && number(&one["x"]) + number(&one["w"]) <= width, "{one}");
            assert!(number(&one["y"]) >= 0 && number(&one["y"]) + number(&one["h"]) <= height, "{one}");
        }
        let (first, edge) = (&body["nodes"][0], &body["edges"][0]["points"]);
        assert_eq!(number(&edge[0][0]), number(&first["x"]) + number(&first["w"]));
        let down = api.get("/ui/dags/groups/graph?direction=TB").await.expect(200);
        assert_eq!(down["direction"], "TB");
        assert!(number(&down["height"]) > number(&down["width"]), "{down}");
    }

    async fn a_folded_group_is_one_box(api: Api) {
        api.w.save("groups.yaml", GROUPS, at(0)).await;
        let body = api.get("/ui/dags/groups/graph?folded=in&folded=nothing").await.expect(200);
        assert_eq!(each(&body, "nodes", "id"), ["start", "a", "in", "end"]);
        let group = &body["nodes"][2];
        assert_eq!((&group["kind"], &group["tasks"], &group["parent"]), (&json!("group"), &json!(1), &json!("out")));
        assert_eq!((&group["operator"], &group["trigger_rule"]), (&Value::Null, &Value::Null));
        let body = api.get("/ui/dags/groups/graph?folded=*").await.expect(200);
        assert_eq!(each(&body, "nodes", "id"), ["start", "out", "end"]);
        assert_eq!((&body["nodes"][1]["tasks"], &body["groups"]), (&json!(2), &json!([])));
        assert_eq!(ends(&body), ["start > out", "out > end"]);
    }

    async fn a_graph_is_of_a_version(api: Api) {
        api.w.save("groups.yaml", GROUPS, at(0)).await;
        api.w.save("groups.yaml", "dag_id: groups\ntasks: [{ id: only, uses: work }]\n", at(1)).await;
        let newest = api.get("/ui/dags/groups/graph").await.expect(200);
        assert_eq!((&newest["version_number"], each(&newest, "nodes", "id").len()), (&json!(2), 1));
        let first = api.get("/ui/dags/groups/graph?version_number=1").await.expect(200);
        assert_eq!((&first["version_number"], each(&first, "nodes", "id").len()), (&json!(1), 4));
        api.get("/ui/dags/groups/graph?version_number=3").await.expect(404);
        api.get("/ui/dags/none/graph").await.expect(404);
        api.get("/ui/dags/groups/graph?direction=RL").await.expect(422);
    }

    async fn at_most_a_thousand_groups_are_named(api: Api) {
        api.w.save("groups.yaml", GROUPS, at(0)).await;
        let many = |count: usize| format!("/ui/dags/groups/graph?{}", vec!["folded=g"; count].join("&"));
        api.get(&many(1_000)).await.expect(200);
        let refused = api.get(&many(1_001)).await.expect(422);
        assert_eq!(refused["detail"][0]["loc"], json!(["query", "folded"]));
    }

    async fn who_has_it_need_not_be_sent_it_again(api: Api) {
        api.w.save("groups.yaml", GROUPS, at(0)).await;
        let first = api.get("/ui/dags/groups/graph").await;
        let etag = first.headers[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.headers[header::CACHE_CONTROL], "private, no-cache");
        let again = api.get_with("/ui/dags/groups/graph", &[("if-none-match", &format!("\"x\", W/{etag}"))]).await;
        assert_eq!((again.status, &again.body), (StatusCode::NOT_MODIFIED, &Value::Null));
        api.get_with("/ui/dags/groups/graph?direction=TB", &[("if-none-match", &etag)]).await.expect(200);
        api.w.save("groups.yaml", "dag_id: groups\ntasks: [{ id: only, uses: work }]\n", at(1)).await;
        api.get_with("/ui/dags/groups/graph", &[("if-none-match", &etag)]).await.expect(200);
    }
}

#[test]
fn a_graph_of_thousands_of_tasks_is_drawn() {
    on_sqlite(async |db| large(Api::from(db)).await);
}

async fn large(api: Api) {
    let mut text = String::from("dag_id: large\ntasks:\n");
    for at in 0..5_000_usize {
        let needs = match at.checked_sub(50) {
            Some(above) => format!(", needs: [t{above}, t{}]", above / 50 * 50 + (at * 7 + 1) % 50),
            None => String::new(),
        };
        text.push_str(&format!("  - {{ id: t{at}, uses: work{needs} }}\n"));
    }
    api.w.save("large.yaml", &text, at(0)).await;
    let body = api.get("/ui/dags/large/graph").await.expect(200);
    assert_eq!(body["nodes"].as_array().unwrap().len(), 5_000);
    assert!(body["edges"].as_array().unwrap().len() > 9_000);
}
