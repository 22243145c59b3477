//! What Flow says about itself is changed while it runs.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "other tests use more of it")]
mod place;

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use place::Flow;
use serde_json::{Value, json};

/// Longest that something may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, flow: &Flow, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not in time\n{}", flow.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the lines of a level.
fn lines(flow: &Flow, level: &str) -> Vec<Value> {
    let said = flow.said();
    let read = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    read.filter(|line| line["level"] == json!(level)).collect()
}

/// Writes the settings and has them read again; returns what is said about that.
fn read_again(flow: &Flow, settings: &str) -> Value {
    let about = |flow: &Flow| {
        let mut all = lines(flow, "INFO");
        all.extend(lines(flow, "WARN"));
        all.retain(|line| line["fields"]["message"].as_str().is_some_and(|text| text.starts_with("SIGHUP")));
        all.sort_by_key(|line| line["timestamp"].as_str().map(str::to_owned));
        all
    };
    let before = about(flow).len();
    fs::write(flow.folder().join(".flow/flow.toml"), settings).unwrap();
    flow.signal(Signal::SIGHUP);
    until("SIGHUP", flow, || about(flow).len() > before);
    about(flow).pop().unwrap()
}

#[test]
fn a_module_says_more_after_sighup_and_a_wrong_level_changes_nothing() {
    let dags = ["a", "b", "c", "d"]
        .map(|name| (format!("{name}.yaml"), format!("dag_id: {name}\ntasks: [{{ id: only, uses: empty }}]\n")));
    let dags: Vec<(&str, &str)> = dags.iter().map(|(name, text)| (&**name, &**text)).collect();
    let flow = Flow::start_with(&dags, &[("FLOW__LOGGING__JSON", "true")]);
    let token = flow.token();
    // A file that is gone is told by one module at `debug`.
    let remove = |name: &str, left: usize| {
        fs::remove_file(flow.folder().join("dags").join(name)).unwrap();
        until("the DAG is gone", &flow, || flow.get("/api/v2/dags", &token)["total_entries"] == json!(left));
    };
    let told = |name: &str| lines(&flow, "DEBUG").iter().any(|line| line["fields"]["path"] == json!(name));

    remove("a.yaml", 3);
    let said = read_again(&flow, "[logging]\nlevel = \"info,flow_runtime::folder=debug\"\n");
    assert_eq!((&said["level"], &said["fields"]["from"]), (&json!("INFO"), &json!("info")), "{said}");
    remove("b.yaml", 2);
    until("the module says more", &flow, || told("b.yaml"));

    let said = read_again(&flow, "[logging]\nlevel = \"info,flow_runtime::folder=loud\"\n");
    assert_eq!(said["level"], json!("WARN"), "{said}");
    let why = said["fields"]["error"].as_str().unwrap();
    assert!(why.contains("flow.toml:2") && why.contains("`logging.level`") && why.contains("loud"), "{why}");
    remove("c.yaml", 1);
    until("it says as much as before", &flow, || told("c.yaml"));

    read_again(&flow, "");
    remove("d.yaml", 0);
    assert!(!told("a.yaml") && !told("d.yaml"), "{}", flow.said());
    let others = lines(&flow, "DEBUG").into_iter().filter(|line| line["target"] != json!("flow_runtime::folder"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<Value>::new());
}
