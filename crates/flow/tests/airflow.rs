//! The documents in `airflow/documents` end in Flow as they ended in the real Airflow.
//!
//! `airflow/record.py` ran them there and wrote `airflow/golden.json`; `make airflow-golden` does it again, these
//! tests need no Airflow. `airflow/differences.json` has what differs on purpose: a value that Flow has instead, and
//! why. One that does not differ any more is an error too, so the list stays true.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use flow_store::{RunFilter, Store};
use serde_json::{Value, json};

/// How long all documents together may take; on a quiet machine they need a few seconds.
const PATIENCE: Duration = Duration::from_secs(120);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/airflow")
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

/// A command of Flow with its own home, and the folder `WORLD` in which tasks leave their marks.
fn flow(home: &Path, args: &[&str]) -> Command {
    let world = home.join("world");
    std::fs::create_dir_all(&world).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command.args(args).arg("--home").arg(home).current_dir(home).env_clear().stdin(Stdio::null());
    command.env("HOME", home).env("WORLD", world).env("TZ", "UTC").env("PATH", std::env::var_os("PATH").unwrap());
    command
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is there.
#[track_caller]
fn wait_for<T>(what: &str, until: Instant, mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The arguments that give a DAG the run that it had in Airflow.
fn run_args(runs: &Value, dag: &str) -> Vec<String> {
    let mut args = vec!["--logical-date".to_owned(), runs["logical_date"].as_str().unwrap().to_owned()];
    if let Some(conf) = runs["conf"].get(dag) {
        args.extend(["--conf".to_owned(), conf.to_string()]);
    }
    args
}

/// What `golden.json` says with the differences over it, and a line for each difference that is none.
fn expected() -> (Value, Vec<String>) {
    let (mut expected, mut stale) = (read("golden.json"), Vec::new());
    for (path, difference) in read("differences.json").as_object().unwrap() {
        assert!(difference["why"].as_str().is_some_and(|why| !why.is_empty()), "{path} needs a reason");
        let Some(place) = expected.pointer_mut(path) else {
            stale.push(format!("{path} is not in golden.json"));
            continue;
        };
        if *place == difference["flow"] {
            stale.push(format!("{path} is the same in both"));
        }
        *place = difference["flow"].clone();
    }
    (expected, stale)
}

/// Every leaf of `a` that is another one in `b`, a line each.
fn compare(path: &str, airflow: &Value, flow: &Value, lines: &mut Vec<String>) {
    if let (Value::Object(a), Value::Object(b)) = (airflow, flow) {
        for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
            compare(&path, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), lines);
        }
    } else if airflow != flow {
        lines.push(format!("{path}: expected {airflow}, found {flow}"));
    }
}

#[track_caller]
fn check(expected: &Value, found: &Value, mut lines: Vec<String>) {
    compare("", expected, found, &mut lines);
    assert!(lines.is_empty(), "{} lines:\n{}", lines.len(), lines.join("\n"));
}

/// The facts of a run, in the shape of `golden.json`.
async fn facts(store: &Store, dag: &str, run_id: &str) -> Option<Value> {
    let filter = RunFilter { dag_id: Some(dag.to_owned()), state: None };
    let rows = store.list_runs(&filter, 10).await.unwrap();
    let row = rows.into_iter().find(|row| row.run.run_id.as_str() == run_id)?;
    if !row.run.state.is_finished() {
        return None;
    }
    let mut tasks = BTreeMap::new();
    for task in store.tasks(row.run.key).await.unwrap() {
        let pushed = store.xcom(row.run.key, &task.task_id, "return_value").await.unwrap();
        let xcom: Vec<Value> = pushed.into_iter().map(|(_, value)| value).collect();
        let facts = json!({ "state": task.state, "try_number": task.try_number, "xcom": xcom });
        tasks.insert(task.task_id.clone(), facts);
    }
    Some(json!({ "run_state": row.run.state, "tasks": tasks }))
}

#[test]
fn dags_end_as_they_end_in_airflow() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let until = Instant::now() + PATIENCE;
    let ((golden, stale), runs) = (expected(), read("runs.json"));
    let documents = folder().join("documents");
    let mut standalone = flow(home, &["standalone", "--port", "0", "--dags", documents.to_str().unwrap()]);
    let log = std::fs::File::create(home.join("standalone.log")).unwrap();
    let standalone = standalone.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let _standalone = Running(standalone);

    let dags: BTreeSet<&str> = golden["dags"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(dags.len() >= 25, "{}", dags.len());
    wait_for("the DAGs", until, || {
        let listed = flow(home, &["dags", "list", "-o", "json"]).output().unwrap();
        let listed: Value = serde_json::from_slice(&listed.stdout).ok()?;
        let listed: BTreeSet<&str> = listed.as_array()?.iter().filter_map(|dag| dag["dag_id"].as_str()).collect();
        (listed == dags).then_some(())
    });
    for (dag, date) in runs["earlier"].as_object().unwrap() {
        let args = ["trigger", dag, "--wait", "--timeout", "1m", "--logical-date", date.as_str().unwrap()];
        let output = flow(home, &args).output().unwrap();
        assert!(output.status.success(), "{dag}: {output:?}");
    }
    for dag in &dags {
        let output = flow(home, &["trigger", dag]).args(run_args(&runs, dag)).output().unwrap();
        assert!(output.status.success(), "{dag}: {output:?}");
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", home.join("flow.db").display());
    let store = runtime.block_on(Store::open(&url)).unwrap();
    let run_id = format!("manual__{}", runs["logical_date"].as_str().unwrap());
    let mut found = serde_json::Map::new();
    for dag in &dags {
        let facts = wait_for(dag, until, || runtime.block_on(facts(&store, dag, &run_id)));
        found.insert((*dag).to_owned(), facts);
    }
    check(&golden["dags"], &found.into(), stale);
}

#[test]
fn rehearsals_end_as_runs_end_in_airflow() {
    let ((mut golden, _), runs) = (expected(), read("runs.json"));
    let golden = golden["dags"].as_object_mut().unwrap();
    // A rehearsal makes no runs of other DAGs, and knows no earlier ones.
    golden.remove("triggers").unwrap();
    golden.retain(|dag, _| runs["earlier"].get(dag).is_none());
    let documents = folder().join("documents");
    let mut found = serde_json::Map::new();
    for (dag, run) in golden.iter_mut() {
        let home = tempfile::tempdir().unwrap();
        let args = ["dags", "test", dag, "-o", "json", "--dags", documents.to_str().unwrap()];
        let output = flow(home.path(), &args).args(run_args(&runs, dag)).output().unwrap();
        let shown = answer(&output);
        let mut tasks = serde_json::Map::new();
        for task in shown["task_instances"].as_array().unwrap() {
            let facts = json!({ "state": task["state"], "try_number": task["try_number"] });
            tasks.insert(task["task_id"].as_str().unwrap().to_owned(), facts);
        }
        // A rehearsal does not show XComs.
        for task in run["tasks"].as_object_mut().unwrap().values_mut() {
            task.as_object_mut().unwrap().remove("xcom");
        }
        found.insert(dag.clone(), json!({ "run_state": shown["state"], "tasks": tasks }));
    }
    check(&golden.clone().into(), &found.into(), Vec::new());
}

/// The files of a folder about which `flow dags check` complains.
fn refused(home: &Path, name: &str) -> BTreeSet<String> {
    let mut refused = BTreeSet::new();
    for entry in std::fs::read_dir(folder().join(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let output = flow(home, &["dags", "check", path.to_str().unwrap(), "-o", "json"]).output().unwrap();
            if answer(&output)["errors"] != 0 {
                refused.insert(format!("{name}/{}", path.file_name().unwrap().to_str().unwrap()));
            }
        }
    }
    refused
}

#[test]
fn documents_are_refused_that_airflow_refuses() {
    let home = tempfile::tempdir().unwrap();
    let mut found = BTreeSet::new();
    for name in ["documents", "doubtful", "refused"] {
        found.extend(refused(home.path(), name));
    }
    let (golden, _) = expected();
    let accepted = golden["accepted"].as_object().unwrap();
    let expected = accepted.iter().filter(|(_, accepted)| **accepted == json!(false));
    let expected: BTreeSet<String> = expected.map(|(name, _)| name.clone()).collect();
    let wrongly: Vec<&String> = found.difference(&expected).collect();
    let missed: Vec<&String> = expected.difference(&found).collect();
    assert!(
        wrongly.is_empty() && missed.is_empty(),
        "refused here only: {wrongly:#?}\nrefused there only: {missed:#?}"
    );
    assert!(expected.len() >= 25, "{}", expected.len());
}
