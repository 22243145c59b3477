//! `examples/shell_etl_postgres`: a log into Postgres, each day once.

use serde_json::json;

use crate::bench::{Pipeline, Warehouse};

const DAG: &str = "shell_etl_postgres";

#[test]
fn a_day_that_is_loaded_again_takes_its_own_place() {
    let Some(warehouse) = Warehouse::postgres("a_day_that_is_loaded_again_takes_its_own_place") else { return };
    let pipeline = Pipeline::start(DAG, &[("web", &warehouse.uri)]);
    for day in ["2026-02-03", "2026-02-04"] {
        pipeline.succeeds(DAG, &json!({ "dag_run_id": day, "logical_date": format!("{day}T00:00:00Z") }));
    }
    pipeline.again(DAG, "2026-02-03");
    let days = "SELECT (at AT TIME ZONE 'UTC')::date || ' ' || count(*) FROM visit
                WHERE at >= '2026-02-01' AND at < '2026-03-01' GROUP BY (at AT TIME ZONE 'UTC')::date ORDER BY 1";
    assert_eq!(warehouse.column(days), ["2026-02-03 480", "2026-02-04 480"]);
    for name in ["20260203T000000", "20260204T000000"] {
        assert!(!pipeline.flow.folder().join("files").join(DAG).join(name).exists(), "{name} was not cleaned up");
    }
}

#[test]
fn a_run_whose_load_fails_is_no_success() {
    let Some(warehouse) = Warehouse::postgres("a_run_whose_load_fails_is_no_success") else { return };
    // Too small for any place but the middle of the map.
    warehouse
        .column("CREATE TABLE visit (at TIMESTAMPTZ, latitude NUMERIC(2, 1), longitude NUMERIC(2, 1), visitor TEXT)");
    let pipeline = Pipeline::start(DAG, &[("web", &warehouse.uri)]);
    let (state, id) = pipeline.run(DAG, &json!({ "logical_date": "2026-02-03T00:00:00Z" }));
    let tasks = pipeline.tasks(DAG, &id);
    let of = |name: &str| tasks.iter().find(|task| task["task_id"] == json!(name)).unwrap()["state"].clone();
    assert_eq!((state.as_str(), of("clean_up"), of("loaded")), ("failed", json!("success"), json!("upstream_failed")));
}
