//! A small catalogue of operators, and helpers that know how documents are read.

use flow_core::{
    Dag,
    catalog::{Catalog, OperatorSpec},
    dag::{self, Arg, Parsed, Severity, Source, args::check_args},
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
pub(crate) struct Bash {
    bash_command: String,
    #[serde(default)]
    env: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default)]
    append_env: bool,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    skip_on_exit_code: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
struct Branch {
    choose: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
struct FileSensor {
    filepath: String,
    #[serde(default)]
    poke_interval: Option<serde_json::Value>,
    #[serde(default)]
    timeout: Option<serde_json::Value>,
    #[serde(default)]
    mode: Option<Mode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
struct Email {
    to: serde_json::Value,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    html_content: Option<String>,
    #[serde(default)]
    conn_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Poke,
    Reschedule,
}

/// The catalogue: `empty`, `bash`, `email`, `branch`, `file_sensor`.
pub(crate) fn catalog() -> Catalog {
    let plain = OperatorSpec {
        name: "empty",
        class: "airflow.providers.standard.operators.empty.EmptyOperator",
        summary: "Does nothing.",
        templated: &[],
        is_sensor: false,
        is_branch: false,
        is_inline: true,
        check: check_args::<Empty>,
        schema: || json!({"type": "object", "properties": {}}),
    };
    Catalog::new(vec![
        plain.clone(),
        OperatorSpec {
            name: "bash",
            class: "airflow.providers.standard.operators.bash.BashOperator",
            templated: &["bash_command", "env", "cwd"],
            is_inline: false,
            check: check_args::<Bash>,
            schema: || {
                json!({"type": "object", "properties": {
                    "bash_command": {"type": "string"},
                    "env": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
                    "append_env": {"type": "boolean"},
                    "cwd": {"type": ["string", "null"]},
                    "skip_on_exit_code": {"type": ["integer", "null"]},
                }})
            },
            ..plain.clone()
        },
        OperatorSpec {
            name: "email",
            class: "airflow.providers.smtp.operators.smtp.EmailOperator",
            templated: &["to", "subject", "html_content"],
            is_inline: false,
            check: check_args::<Email>,
            schema: || {
                json!({"type": "object", "properties": {
                    "to": {"type": ["string", "array"]}, "subject": {"type": "string"},
                    "html_content": {"type": "string"}, "conn_id": {"type": "string"},
                }})
            },
            ..plain.clone()
        },
        OperatorSpec {
            name: "branch",
            class: "",
            templated: &["choose"],
            is_branch: true,
            is_inline: false,
            check: check_args::<Branch>,
            schema: || json!({"type": "object", "properties": {"choose": {}}}),
            ..plain.clone()
        },
        OperatorSpec {
            name: "file_sensor",
            class: "airflow.providers.standard.sensors.filesystem.FileSensor",
            templated: &["filepath"],
            is_sensor: true,
            is_inline: false,
            check: check_args::<FileSensor>,
            schema: || json!({"type": "object", "properties": {"filepath": {"type": "string"}, "mode": {}}}),
            ..plain
        },
    ])
}

/// Reads a text as the file `nightly.yaml`.
pub(crate) fn read(text: &str) -> Parsed {
    read_with(text, &[])
}

/// Reads a text with files beside it.
pub(crate) fn read_with(text: &str, files: &[(&str, Result<&str, &str>)]) -> Parsed {
    let files =
        files.iter().map(|(path, content)| ((*path).to_owned(), content.map(str::to_owned).map_err(str::to_owned)));
    let source = Source { text, stem: "nightly", files: files.collect() };
    dag::parse(&source, &catalog())
}

/// Returns the one DAG of a text that has no complaints.
#[track_caller]
pub(crate) fn good(text: &str) -> Dag {
    let mut parsed = read(text);
    assert_eq!(shown(&parsed), Vec::<String>::new(), "in\n{text}");
    assert_eq!(parsed.dags.len(), 1, "one DAG in\n{text}");
    parsed.dags.remove(0).dag
}

/// Checks all complaints of a text: "line:column message (help)", warnings and notes marked.
#[track_caller]
pub(crate) fn complains(text: &str, expected: &[&str]) {
    let parsed = read(text);
    assert_eq!(shown(&parsed), expected, "in\n{text}");
    for complaint in &parsed.diagnostics {
        let frame = complaint.render("dags/nightly.yaml", text, false);
        assert!(frame.contains(&complaint.message), "{frame}");
    }
    if parsed.diagnostics.iter().any(|complaint| complaint.severity == Severity::Error) {
        assert!(parsed.dags.is_empty(), "a document with an error is not used:\n{text}");
    }
}

/// Checks that one of the complaints about a task's keys is this; the task is `x` and stands on line 3.
#[track_caller]
pub(crate) fn task_complains(keys: &str, expected: &str) {
    let text = format!("dag_id: d\ntasks:\n- id: x\n{}", indent(keys));
    complains(&text, &[expected]);
}

/// Returns the task `x` with these keys.
#[track_caller]
pub(crate) fn task(keys: &str) -> dag::Task {
    good(&format!("dag_id: d\ntasks:\n- id: x\n{}", indent(keys))).tasks.remove(0)
}

fn indent(keys: &str) -> String {
    keys.lines().map(|line| format!("  {line}\n")).collect()
}

/// Writes complaints one a line.
pub(crate) fn shown(parsed: &Parsed) -> Vec<String> {
    let lines = parsed.diagnostics.iter().map(|complaint| {
        let kind = match complaint.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
            Severity::Note => "note: ",
        };
        let help = complaint.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}:{} {kind}{}{help}", complaint.line, complaint.column, complaint.message)
    });
    lines.collect()
}

/// Returns an argument of a task.
pub(crate) fn argument<'t>(task: &'t dag::Task, name: &str) -> Option<&'t Arg> {
    task.with.iter().find(|(key, _)| key == name).map(|(_, arg)| arg)
}

/// Returns tasks as "id: upstream, upstream".
pub(crate) fn drawn(dag: &Dag) -> Vec<String> {
    dag.tasks
        .iter()
        .map(|task| {
            let upstream: Vec<&str> = task.upstream.iter().map(|ix| dag.task(*ix).id.as_str()).collect();
            format!("{}: {}", task.id, upstream.join(", ")).trim_end().to_owned()
        })
        .collect()
}
