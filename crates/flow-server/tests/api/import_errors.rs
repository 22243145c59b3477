//! `/importErrors`

use flow_server::{Role, Who};
use serde_json::json;

use crate::{client::Api, support::both, world::at};

both! {
    async fn files_that_cannot_be_read_are_listed(api: Api) {
        for path in ["b.yaml", "a.yaml"] {
            api.w.save(path, "dag_id: x\ntasks: 7\n", at(1)).await;
        }
        let all = api.get("/api/v2/importErrors?order_by=filename").await.expect(200);
        assert_eq!(all["total_entries"], 2);
        assert_eq!(all["import_errors"][0]["filename"], "a.yaml");
        assert_eq!(all["import_errors"][0]["timestamp"], "2026-01-01T00:00:01Z");

        let id = all["import_errors"][1]["import_error_id"].as_i64().unwrap();
        let one = api.get(&format!("/api/v2/importErrors/{id}")).await.expect(200);
        assert_eq!(one, all["import_errors"][1]);
        let missing = api.get("/api/v2/importErrors/777").await.expect(404);
        assert_eq!(missing, json!({ "detail": "import error `777` does not exist" }));

        let some = api.get("/api/v2/importErrors?filename_pattern=B.y&limit=1").await.expect(200);
        assert_eq!(some["import_errors"][0]["filename"], "b.yaml");
        api.get("/api/v2/importErrors?limit=x").await.expect(422);
        api.get("/api/v2/importErrors?order_by=password").await.expect(400);
    }

    async fn errors_show_no_lines_of_hidden_dags(api: Api) {
        let broken = "dag_id: x\ntasks: 7 # s3cret\n";
        for (dag_id, access) in [("closed", "{ ada: [can_read] }"), ("open", "{ User: [can_read] }")] {
            let text = format!("dag_id: {dag_id}\naccess_control: {access}\ntasks: [{{ id: t }}]\n");
            api.w.save(&format!("{dag_id}.yaml"), &text, at(0)).await;
        }
        for path in ["closed.yaml", "new.yaml", "open.yaml"] {
            api.w.save(path, broken, at(1)).await;
        }
        let seen = async |role: Role, name: &str| {
            let as_role = api.as_role(role);
            let who = Who { user: name.to_owned(), ..as_role.who.clone().unwrap() };
            let api = Api { who: Some(who), ..as_role };
            let listed = api.get("/api/v2/importErrors?order_by=-stack_trace&order_by=filename").await.expect(200);
            let rows = listed["import_errors"].as_array().unwrap();
            assert_eq!(listed["total_entries"], rows.len());
            assert_eq!(api.get("/api/v2/importErrors?limit=1").await.expect(200)["total_entries"], rows.len());
            let mut seen = Vec::new();
            for id in 1..=3 {
                let answer = api.get(&format!("/api/v2/importErrors/{id}")).await;
                let listed = rows.iter().find(|row| row["import_error_id"] == id);
                assert_eq!(listed, (answer.status == 200).then_some(&answer.body));
                if let Some(row) = listed {
                    let name = row["filename"].as_str().unwrap().trim_end_matches(".yaml");
                    seen.push((name.to_owned(), row["stack_trace"].as_str().unwrap().contains("s3cret")));
                }
            }
            seen.sort();
            seen
        };
        let rows = |rows: &[(&str, bool)]| rows.iter().map(|(name, all)| ((*name).to_owned(), *all)).collect::<Vec<_>>();
        assert_eq!(seen(Role::Viewer, "eve").await, rows(&[("new", false)]));
        assert_eq!(seen(Role::User, "eve").await, rows(&[("new", false), ("open", true)]));
        assert_eq!(seen(Role::Viewer, "ada").await, rows(&[("closed", true), ("new", false)]));
        for role in [Role::Op, Role::Admin] {
            assert_eq!(seen(role, "eve").await, rows(&[("closed", true), ("new", true), ("open", true)]));
        }
    }
}
