//! `examples/lakehouse_microbatch`: batches of events become files by day and kind, and rows.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;

use crate::{
    bench::{Pipeline, Warehouse, skip},
    broker::Broker,
};

const DAG: &str = "lakehouse_microbatch";

fn event(id: u32) -> String {
    let kind = if id.is_multiple_of(2) { "order" } else { "visit" };
    let day = id % 3 + 1;
    json!({ "event_id": id, "happened_at": format!("2026-02-{day:02}T12:00:00Z"), "kind": kind, "customer": "ann, \"a\"", "amount": 1.5 })
        .to_string()
}

/// The files below a folder, by their paths from there on.
fn files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[test]
fn each_batch_becomes_files_and_rows_and_what_is_no_event_is_put_aside() {
    let test = "each_batch_becomes_files_and_rows_and_what_is_no_event_is_put_aside";
    let (Some(warehouse), Some(broker)) = (Warehouse::postgres(test), Broker::find(test)) else { return };
    if !std::process::Command::new("python3").arg("--version").output().is_ok_and(|done| done.status.success()) {
        return skip(test, "python3");
    }
    let topic = broker.topic("events");
    broker.call(&["topics", "create", &topic, "--partitions", "2"], "");
    let pipeline = Pipeline::start(DAG, &[("kafka_default", &broker.uri), ("warehouse", &warehouse.uri)]);
    let folder = pipeline.flow.folder().join("data");
    let run = |id: &str| {
        let conf = json!({ "folder": folder, "topic": topic });
        pipeline.succeeds(DAG, &json!({ "dag_run_id": id, "logical_date": null, "conf": conf }))
    };
    let rows = || warehouse.column("SELECT count(*) || ' ' || count(DISTINCT event_id) FROM events");

    let mut lines: Vec<String> = (0..60).map(event).collect();
    lines.push("no event at all".to_owned());
    lines.push(json!({ "event_id": 1000, "kind": "order" }).to_string());
    lines.push(event(1001).replace("order", "../../etc").replace("visit", "../../etc"));
    broker.call(&["produce", &topic], &lines.join("\n"));
    run("first");
    assert_eq!(rows(), ["60 60"]);
    let mut expected: BTreeSet<String> =
        ["raw/first.jsonl", "rejected/first.csv", "rows/first.csv"].map(str::to_owned).into();
    for day in 1..=3 {
        expected.extend(["order", "visit"].map(|kind| format!("lake/day=2026-02-0{day}/kind={kind}/first.csv")));
    }
    assert_eq!(files(&folder), expected);
    assert_eq!(fs::read_to_string(folder.join("raw/first.jsonl")).unwrap().lines().count(), 63);
    let rejected = fs::read_to_string(folder.join("rejected/first.csv")).unwrap();
    for reason in ["is no object", "lacks happened_at, customer, amount", "has the kind"] {
        assert!(rejected.contains(reason), "{rejected}");
    }
    assert_eq!(warehouse.column("SELECT DISTINCT customer FROM events"), ["ann, \"a\""]);

    // Some that are there already, and new ones.
    broker.call(&["produce", &topic], &(50..70).map(event).collect::<Vec<_>>().join("\n"));
    run("second");
    assert_eq!(rows(), ["70 70"]);
    let sums = "SELECT day || ' ' || sum(events) FROM daily_events GROUP BY day ORDER BY 1";
    assert_eq!(warehouse.column(sums), ["2026-02-01 24", "2026-02-02 23", "2026-02-03 23"]);

    // Nothing new: nothing to load.
    let id = run("third");
    let load = pipeline.tasks(DAG, &id).into_iter().find(|task| task["task_id"] == "load").unwrap();
    assert_eq!(load["state"], "skipped");
    assert_eq!(rows(), ["70 70"]);
}
