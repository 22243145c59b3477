//! `/importErrors`

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
}
