//! Callbacks that every DAG has by a setting, in a real Flow.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "other tests use more of it")]
mod place;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use place::Flow;
use serde_json::{Value, json};

const SILENT: &str = "dag_id: silent
tasks:
  - { id: t, uses: bash, with: { bash_command: exit 3 }, retries: 1, retry_delay: 0 }
  - { id: after, uses: empty, needs: [t] }
";
const LOUD: &str = "dag_id: loud
on_failure_callback: [{ uses: bash, with: { bash_command: 'echo \"own {{ dag.dag_id }}\" >> FILE' } }]
tasks: [{ id: t, uses: bash, with: { bash_command: exit 4 } }]
";
const FINE: &str = "dag_id: fine
tasks: [{ id: t, uses: empty }]
";
/// In the dialect that has no callbacks of its own.
const THEIRS: &str = "$schema: https://airflow.apache.org/schemas/dag/2026-10-30.json
dag_id: theirs
tasks:
  - { id: t, uses: airflow.providers.standard.operators.bash.BashOperator, with: { bash_command: exit 5 } }
";
/// Longest that something may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a line.
fn line(file: &Path, words: &str) -> String {
    let command = format!("echo \"{words}\" >> {}", file.display());
    json!([{ "uses": "bash", "with": { "bash_command": command } }]).to_string()
}

#[test]
fn every_dag_calls_back_what_the_settings_say_besides_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    let loud = LOUD.replace("FILE", &file.display().to_string());
    let settings = [
        ("FLOW__NOTIFICATIONS__ON_FAILURE_CALLBACK", line(&file, "run {{ dag.dag_id }} {{ run_id }}")),
        (
            "FLOW__NOTIFICATIONS__ON_TASK_FAILURE_CALLBACK",
            line(&file, "task {{ ti.dag_id }}.{{ ti.task_id }} {{ ti.try_number }}: {{ exception }}"),
        ),
        (
            "FLOW__NOTIFICATIONS__ON_RETRY_CALLBACK",
            line(&file, "again {{ ti.dag_id }}.{{ ti.task_id }} {{ ti.try_number }} {{ ti.state }}"),
        ),
        ("FLOW__NOTIFICATIONS__ON_SUCCESS_CALLBACK", line(&file, "well {{ dag.dag_id }}")),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let dags = [("silent.yaml", SILENT), ("loud.yaml", &*loud), ("fine.yaml", FINE), ("theirs.yaml", THEIRS)];
    let flow = Flow::start_with(&dags, &settings);
    let token = flow.token();
    for dag in ["silent", "loud", "fine", "theirs"] {
        let body = json!({ "dag_run_id": "r", "logical_date": null }).to_string();
        flow.post(&format!("/api/v2/dags/{dag}/dagRuns"), &token, &body);
    }
    let mut expected = [
        "again silent.t 1 up_for_retry",
        "task silent.t 2: the command ended with exit code 3",
        "run silent r",
        "own loud",
        "task loud.t 1: the command ended with exit code 4",
        "run loud r",
        "task theirs.t 1: the command ended with exit code 5",
        "run theirs r",
        "well fine",
    ];
    expected.sort_unstable();
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        if lines == expected {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{lines:#?}\n{}", flow.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    // They are in the outbox like any other.
    let callbacks = |query: &str| flow.get(&format!("/ui/callbacks?{query}"), &token)["callbacks"].clone();
    let count = |found: Value| found.as_array().unwrap().len();
    while count(callbacks("state=delivered")) < expected.len() {
        assert!(began.elapsed() < PATIENCE, "{}", callbacks(""));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(count(callbacks("dag_id=silent&dag_run_id=r")), 3);
    // What belongs to no version makes none.
    let versions = flow.get("/api/v2/dags/silent/dagVersions", &token)["total_entries"].clone();
    assert_eq!(versions, json!(1));
}
