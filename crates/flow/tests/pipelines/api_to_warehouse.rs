//! `examples/api_to_warehouse`: pages of an API into Postgres, any day at any time, as often as one likes.

use serde_json::{Value, json};

use crate::bench::{Pipeline, Program, Warehouse, example};

const DAG: &str = "api_to_warehouse";

fn day(pipeline: &Pipeline, day: u32) -> Value {
    let folder = pipeline.flow.folder().join("data");
    json!({
        "dag_run_id": format!("day_{day}"),
        "logical_date": format!("2026-02-{day:02}T00:00:00Z"),
        "data_interval_start": format!("2026-02-{day:02}T00:00:00Z"),
        "data_interval_end": format!("2026-02-{:02}T00:00:00Z", day + 1),
        "conf": { "folder": folder },
    })
}

#[test]
fn each_day_is_there_once_however_often_it_is_loaded() {
    let test = "each_day_is_there_once_however_often_it_is_loaded";
    let Some(warehouse) = Warehouse::postgres(test) else { return };
    let script = example(DAG).join("api/server.py");
    let Some(shop) =
        Program::start(test, "python3", &[script.to_str().unwrap(), "--port", "0", "--token", "t0k-of-shop"])
    else {
        return;
    };
    let uri = format!("{}/?bearer_token=t0k-of-shop", shop.said);
    let pipeline = Pipeline::start(DAG, &[("shop", &uri), ("warehouse", &warehouse.uri)]);

    // Yesterday, as soon as Flow runs.
    let run = pipeline.first(DAG);
    assert_eq!(pipeline.wait(DAG, run["dag_run_id"].as_str().unwrap()), "success", "{}", pipeline.flow.said());
    let moment = |name: &str| run[name].as_str().unwrap().to_owned();
    let (start, end) = (moment("data_interval_start"), moment("data_interval_end"));
    let yesterday = format!("SELECT count(*)::text FROM orders WHERE ordered_at >= '{start}' AND ordered_at < '{end}'");
    let found = warehouse.column(&yesterday);
    // An order every 53 minutes.
    assert!(["27", "28"].contains(&found[0].as_str()), "{start} to {end}: {found:?}");

    // Out of order, and one of them twice.
    for number in [3, 1] {
        pipeline.succeeds(DAG, &day(&pipeline, number));
    }
    pipeline.again(DAG, "day_3");
    let days = "SELECT to_char(ordered_at AT TIME ZONE 'UTC', 'DD') || ' ' || count(*) || ' ' || count(DISTINCT order_id)
                FROM orders WHERE ordered_at < '2026-03-01' GROUP BY to_char(ordered_at AT TIME ZONE 'UTC', 'DD') ORDER BY 1";
    assert_eq!(warehouse.column(days), ["01 27 27", "03 27 27"]);
    let sums = "SELECT day || ' ' || sum(orders) || ' ' || (sum(amount) = (SELECT sum(amount) FROM orders
                    WHERE (ordered_at AT TIME ZONE 'UTC')::date = day))
                FROM daily_sales WHERE day < '2026-03-01' GROUP BY day ORDER BY 1";
    assert_eq!(warehouse.column(sums), ["2026-02-01 27 true", "2026-02-03 27 true"]);

    let file = pipeline.flow.folder().join("data/orders_2026-02-01.jsonl");
    let raw = std::fs::read_to_string(file).unwrap();
    assert_eq!(raw.lines().count(), 27);
    assert!(raw.lines().all(|line| line.contains("2026-02-01T")), "{raw}");
    let left = std::fs::read_dir(pipeline.flow.folder().join("data")).unwrap();
    assert!(left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).all(|name| name.ends_with(".jsonl")));
}
