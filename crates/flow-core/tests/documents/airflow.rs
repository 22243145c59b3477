//! Documents in Airflow's own dialect: as strict and as lenient as Airflow.

use std::time::Duration;

use flow_core::dag::{AIRFLOW_SCHEMA, Arg, Dialect};
use serde_json::json;

use super::support::{argument, good, read, shown};

const BASH: &str = "airflow.providers.standard.operators.bash.BashOperator";
const FILE_SENSOR: &str = "airflow.providers.standard.sensors.filesystem.FileSensor";

fn document(rest: &str) -> String {
    format!("$schema: {AIRFLOW_SCHEMA}\n{rest}")
}

/// Checks the first complaint of a document.
#[track_caller]
fn refused(rest: &str, expected: &str) {
    let parsed = read(&document(rest));
    assert_eq!(shown(&parsed).first().map(String::as_str), Some(expected), "in\n{rest}");
    assert!(parsed.dags.is_empty());
}

#[test]
fn plain_strings_are_literal_and_marked_ones_templates() {
    let dag = good(&document(&format!(
        "dag_id: d\ntasks:\n- id: x\n  uses: {BASH}\n  with:\n    bash_command: echo {{{{ ds }}}}\n    cwd: {{$t: '{{{{ ds }}}}'}}\n"
    )));
    assert_eq!(dag.dialect, Dialect::Airflow);
    assert_eq!(argument(&dag.tasks[0], "bash_command"), Some(&Arg::Value(json!("echo {{ ds }}"))));
    assert_eq!(argument(&dag.tasks[0], "cwd"), Some(&Arg::Template { source: "{{ ds }}".to_owned() }));
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    let dag = good(&document(
        "dag_id: d\ncatchup: no\nstart_date: 2026-01-01\nparams: {a: yes, b: 010, c: 1_000, d: {default: 5}}\ntasks:\n- {id: x, retries: 010}\n",
    ));
    let values: Vec<_> = dag.params.values().map(|param| param.value()).collect();
    assert_eq!(values, [json!(true), json!(8), json!(1000), json!({"default": 5})], "a parameter is never a schema");
    assert_eq!(dag.tasks[0].retry.retries, 8);
    assert_eq!(dag.start_date.unwrap().to_string(), "2026-01-01T00:00:00Z");
    refused(
        "dag_id: d\nparams: {a: 2026-01-01}\n",
        "3:13 a parameter cannot be a date, and `2026-01-01` without quotes is one (put it in quotes)",
    );
}

#[test]
fn what_only_the_flow_dialect_has_is_refused() {
    for key in ["timezone: UTC", "task_groups: {}", "catchup_window: 1d", "overlap_policy: skip"] {
        let name = key.split(':').next().unwrap();
        let expected = format!(
            "3:1 `{name}` belongs to the Flow dialect; Airflow's documents do not have it (remove `$schema` to write in the Flow dialect)"
        );
        refused(&format!("dag_id: d\n{key}\n"), &expected);
    }
    refused(
        "dag_id: d\ndefault_args: {retries: 1}\n",
        "3:1 `default_args` belongs to the Flow dialect; Airflow's documents do not have it (use `templates` with `extends` instead, or remove `$schema`)",
    );
    for key in
        ["if: 'x'", "group: g", "expand: {}", "retry_on: {}", "setup: true", "inlets: []", "on_failure_callback: []"]
    {
        let name = key.split(':').next().unwrap();
        let expected = format!(
            "5:3 `{name}` belongs to the Flow dialect; Airflow's documents do not have it (remove `$schema` to write in the Flow dialect)"
        );
        refused(&format!("dag_id: d\ntasks:\n- id: x\n  {key}\n"), &expected);
    }
}

#[test]
fn operators_go_by_their_full_class_path_only() {
    for name in ["bash", "BashOperator"] {
        let expected =
            format!("5:9 in the Airflow dialect `uses` takes a full class path, not `{name}` (write `{BASH}`)");
        refused(&format!("dag_id: d\ntasks:\n- id: x\n  uses: {name}\n"), &expected);
    }
    refused(
        "dag_id: d\ntasks:\n- id: x\n  uses: branch\n",
        "5:9 in the Airflow dialect `uses` takes a full class path, not `branch` (Airflow has no operator like `branch`; remove `$schema` to use it)",
    );
}

#[test]
fn durations_are_as_strict_as_airflows() {
    let task = |key: &str| format!("dag_id: d\ntasks:\n- id: x\n  {key}\n");
    let dag = good(&document(&task("retry_delay: 90\n  execution_timeout: PT5M\n  max_retry_delay: 1h30m")));
    assert_eq!(dag.tasks[0].retry.delay, Duration::from_secs(90));
    assert_eq!(dag.tasks[0].execution_timeout, Some(Duration::from_secs(300)));
    let expected = "must be a duration such as `5m`, `1h30m` or `PT5M`";
    refused(
        &task("execution_timeout: 90"),
        &format!(
            "5:22 `execution_timeout` {expected}, not `90` (in the Airflow dialect a plain number is no duration here; write `90s`)"
        ),
    );
    refused(
        "dag_id: d\ndagrun_timeout: 90\n",
        &format!(
            "3:17 `dagrun_timeout` {expected}, not `90` (in the Airflow dialect a plain number is no duration here; write `90s`)"
        ),
    );
    for text in ["'90'", "1.5h", "30m1h", "5M", "P1M"] {
        let parsed = read(&document(&task(&format!("retry_delay: {text}"))));
        assert!(
            shown(&parsed)[0].starts_with(&format!("5:16 `retry_delay` {expected}")),
            "{text}: {:?}",
            shown(&parsed)
        );
    }
    refused(
        &format!("dag_id: d\ntasks:\n- id: x\n  uses: {FILE_SENSOR}\n  with: {{filepath: x, poke_interval: 5m}}\n"),
        "6:38 `poke_interval` must be a number of seconds, 0 or more, not `5m` (the Airflow dialect takes no `5m` here)",
    );
}

#[test]
fn schedules_have_two_forms() {
    refused(
        "dag_id: d\nschedule: ['0 3 * * *']\n",
        "3:11 `schedule` must be a cron text, `null` or `{uses: …, with: …}`, not a list (remove `$schema` to write in the Flow dialect)",
    );
    refused(
        "dag_id: d\nschedule: {assets: [a]}\n",
        "3:11 `schedule` must be a cron text, `null` or `{uses: …, with: …}`, not a map (remove `$schema` to write in the Flow dialect)",
    );
}

#[test]
fn what_airflow_lets_pass_passes() {
    let dag = good(&document(
        "dag_id: d\nmax_active_runs: 0\ntags: one\nstart_date: 2026-02-01\nend_date: 2026-01-01\n\
         templates: {unused: {retries: soon}}\ntasks:\n- {id: a, retries: -1}\n- {id: b, retries: '2'}\n- {id: c, retries: null}\n",
    ));
    assert_eq!(dag.max_active_runs, 0);
    assert_eq!(dag.tags, ["one"]);
    assert_eq!(dag.tasks.iter().map(|task| task.retry.retries).collect::<Vec<_>>(), [0, 2, 0]);
}

#[test]
fn the_offset_of_the_start_is_the_zone() {
    for (start, zone) in [
        ("2026-01-01", "UTC"),
        ("2026-01-01T00:00:00Z", "UTC"),
        ("2026-01-01T00:00:00+05:30", "Asia/Kolkata"),
        ("2026-01-01T00:00:00+02:00", "Etc/GMT-2"),
        ("'2026-01-01 00:00:00-05:00'", "Etc/GMT+5"),
    ] {
        assert_eq!(
            good(&document(&format!("dag_id: d\nstart_date: {start}\ntasks: [{{id: x}}]\n"))).timezone,
            zone,
            "{start}"
        );
    }
}

#[test]
fn a_file_is_good_or_bad_as_a_whole() {
    let good_one = document("dag_id: a\ntasks: [{id: x}]\n");
    let parsed = read(&format!("{good_one}---\n{}", document("dag_id: b\nnonsense: 1\n")));
    assert_eq!(shown(&parsed)[0], "7:1 unknown key `nonsense` of a DAG");
    assert!(parsed.dags.is_empty());
    let parsed = read(&format!("{good_one}---\ndag_id: b\ntasks: [{{id: x}}]\n"));
    let help = format!("write `$schema: {AIRFLOW_SCHEMA}`, as another document of this file does");
    assert_eq!(shown(&parsed), [format!("5:1 the document has no `$schema` ({help})")]);
    assert!(parsed.dags.is_empty());
}

#[test]
fn the_id_is_required() {
    refused("tasks: [{id: x}]\n", "1:1 the document has no `dag_id` (the Airflow dialect always needs it)");
}
