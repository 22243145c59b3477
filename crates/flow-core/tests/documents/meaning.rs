//! Good documents: what they mean.

use std::time::Duration;

use flow_core::dag::{Arg, DagAccess, Dialect, OverlapPolicy, RetryOn, file_references};
use serde_json::json;

use super::support::{argument, drawn, good, read, read_with, shown, task};

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn a_document_with_everything_is_understood() {
    let dag = good(
        "dag_id: daily.sales-1\ndag_display_name: Daily sales\ndescription: Loads\ndoc_md: '# Sales'\n\
         tags: [sales, etl, sales, 2024]\nowner_links: {me: 'https://example.com'}\nschedule: null\n\
         timezone: Europe/Berlin\nstart_date: 2026-01-01\nend_date: 2026-07-01T12:00:00Z\ncatchup: true\n\
         catchup_window: 2d\nmax_active_runs: 1\nmax_active_tasks: 2\nmax_consecutive_failed_dag_runs: 3\n\
         dagrun_timeout: 1h30m\nfail_fast: true\nis_paused_upon_creation: false\n\
         render_template_as_native_obj: true\noverlap_policy: skip\n\
         params: {plain: [1], region: {default: eu, enum: [eu, us], description: Which}}\n\
         tasks: [{id: a}]\n",
    );
    assert_eq!(dag.id.as_str(), "daily.sales-1");
    assert_eq!(dag.dialect, Dialect::Flow);
    assert_eq!(dag.display_name.as_deref(), Some("Daily sales"));
    assert_eq!(dag.tags, ["2024", "etl", "sales"]);
    assert_eq!(dag.timezone, "Europe/Berlin");
    assert_eq!(dag.start_date.unwrap().to_string(), "2025-12-31T23:00:00Z");
    assert_eq!(dag.end_date.unwrap().to_string(), "2026-07-01T12:00:00Z");
    assert_eq!(dag.catchup_window, Some(seconds(2 * 86_400)));
    assert_eq!((dag.max_active_runs, dag.max_active_tasks, dag.max_consecutive_failed_dag_runs), (1, 2, 3));
    assert_eq!(dag.dagrun_timeout, Some(seconds(5_400)));
    assert!(dag.catchup && dag.fail_fast && dag.render_template_as_native_obj);
    assert_eq!(dag.is_paused_upon_creation, Some(false));
    assert_eq!(dag.overlap_policy, OverlapPolicy::Skip);
    assert_eq!(dag.params["plain"].default, Some(json!([1])));
    assert_eq!(dag.params["region"].default, Some(json!("eu")));
    assert_eq!(dag.params["region"].schema["enum"], json!(["eu", "us"]));
    assert_eq!(dag.params["region"].description.as_deref(), Some("Which"));
}

#[test]
fn defaults_are_airflows() {
    let dag = good("tasks: [{id: a}]\n");
    assert_eq!(dag.id.as_str(), "nightly", "the file's stem");
    assert_eq!((dag.max_active_runs, dag.max_active_tasks, dag.max_consecutive_failed_dag_runs), (16, 16, 0));
    assert!(!dag.catchup && !dag.fail_fast);
    let task = &dag.tasks[0];
    assert_eq!((task.operator.as_str(), task.is_inline), ("empty", true));
    assert_eq!((task.owner.as_str(), task.pool.as_str(), task.queue.as_str()), ("airflow", "default_pool", "default"));
    assert_eq!((task.retry.retries, task.retry.delay, task.pool_slots), (0, seconds(300), 1));
    assert!(task.do_xcom_push && !task.multiple_outputs && !task.depends_on_past);
}

#[test]
fn a_task_with_everything_is_understood() {
    let task = task(
        "uses: bash\nwith: {bash_command: x}\nowner: me\nretries: 2\nretry_delay: 90\nretry_exponential_backoff: true\n\
         max_retry_delay: 2d\nexecution_timeout: PT5M\ntrigger_rule: all_done\nwait_for_downstream: true\npool: p\n\
         pool_slots: 2\npriority_weight: 5\nweight_rule: absolute\nqueue: q\nstart_date: 2026-01-01T06:00:00+02:00\n\
         max_active_tis_per_dag: 3\nmax_active_tis_per_dagrun: 4\ndo_xcom_push: false\nmultiple_outputs: true\n\
         params: {a: 1}\ndoc_md: hi\ntask_display_name: X\nif: \"{{ params.a == 1 }}\"\n\
         retry_on: {exit_codes: [1, 2], http_status: [503], sqlstate: ['40001']}\n\
         email_on_failure: false\nsetup: false\ninlets: []\nrun_as_user: null\n",
    );
    assert_eq!(task.owner, "me");
    assert_eq!(task.retry.retries, 2);
    assert_eq!(task.retry.delay, seconds(90));
    assert_eq!(task.retry.backoff, Some(2.0));
    assert_eq!(task.retry.max_delay, Some(seconds(86_400)), "never more than a day");
    let retry_on = RetryOn { exit_codes: vec![1, 2], http_status: vec![503], sqlstate: vec!["40001".to_owned()] };
    assert_eq!(task.retry.retry_on, Some(retry_on));
    assert_eq!(task.execution_timeout, Some(seconds(300)));
    assert!(task.depends_on_past, "follows from wait_for_downstream");
    assert_eq!((task.pool.as_str(), task.pool_slots, task.queue.as_str(), task.priority_weight), ("p", 2, "q", 5));
    assert_eq!(task.start_date.unwrap().to_string(), "2026-01-01T04:00:00Z");
    assert_eq!((task.max_active_tis_per_dag, task.max_active_tis_per_dagrun), (Some(3), Some(4)));
    assert_eq!(task.condition.as_deref(), Some("{{ params.a == 1 }}"));
    assert!(!task.is_inline && !task.do_xcom_push && task.multiple_outputs);
}

#[test]
fn a_task_with_a_condition_needs_someone_to_look_at_it() {
    assert!(task("uses: empty").is_inline);
    assert!(!task("if: 'true'").is_inline);
    assert_eq!(task("if: false").condition.as_deref(), Some("false"));
}

#[test]
fn operators_go_by_name_class_and_its_last_segments() {
    for uses in ["bash", "BashOperator", "bash.BashOperator", "airflow.providers.standard.operators.bash.BashOperator"]
    {
        assert_eq!(task(&format!("uses: {uses}\nwith: {{bash_command: x}}")).operator, "bash", "{uses}");
    }
    assert_eq!(task("uses: null").operator, "empty");
}

#[test]
fn plain_strings_in_templated_fields_are_templates_when_they_hold_one() {
    let task = task(
        "uses: bash\nwith:\n  bash_command: echo {{ ds }}\n  env: {A: plain, B: '{{ ds }}', C: 1.10}\n  skip_on_exit_code: 7",
    );
    assert_eq!(argument(&task, "bash_command"), Some(&Arg::Template { source: "echo {{ ds }}".to_owned() }));
    let env = Arg::Map(vec![
        ("A".to_owned(), Arg::Value(json!("plain"))),
        ("B".to_owned(), Arg::Template { source: "{{ ds }}".to_owned() }),
        ("C".to_owned(), Arg::Value(json!("1.10"))),
    ]);
    assert_eq!(argument(&task, "env"), Some(&env), "numbers keep their spelling where only text fits");
    assert_eq!(argument(&task, "skip_on_exit_code"), Some(&Arg::Value(json!(7))));
}

#[test]
fn markers_mean_what_they_say() {
    let text = "dag_id: d\ntasks:\n- id: a\n- id: x\n  uses: bash\n  with:\n    bash_command: {$f: run.sh}\n    cwd: {$t: {$f: cwd.txt}}\n    \
                env: {R: {$x: a}, K: {$xcom: {task: a, key: k}}, C: {$const: '{{ raw }}'}, T: {$template: '{{ ds }}'}}\n";
    let parsed = read_with(text, &[("run.sh", Ok("echo {{ no }}")), ("cwd.txt", Ok("/{{ ds }}"))]);
    assert_eq!(shown(&parsed), Vec::<String>::new());
    let dag = &parsed.dags[0].dag;
    assert_eq!(drawn(dag), ["a:", "x: a"], "a reference is a dependency");
    let task = &dag.tasks[1];
    assert_eq!(argument(task, "bash_command"), Some(&Arg::Value(json!("echo {{ no }}"))));
    assert_eq!(argument(task, "cwd"), Some(&Arg::Template { source: "/{{ ds }}".to_owned() }));
    let xcom = |key: Option<&str>| Arg::XCom { task: "a".into(), key: key.map(str::to_owned) };
    let env = Arg::Map(vec![
        ("R".to_owned(), xcom(None)),
        ("K".to_owned(), xcom(Some("k"))),
        ("C".to_owned(), Arg::Value(json!("{{ raw }}"))),
        ("T".to_owned(), Arg::Template { source: "{{ ds }}".to_owned() }),
    ]);
    assert_eq!(argument(task, "env"), Some(&env));
}

#[test]
fn a_template_where_none_is_rendered_is_pointed_out() {
    let parsed = read("dag_id: d\ntasks:\n- id: x\n  uses: file_sensor\n  with: {filepath: x, timeout: '{{ 5 }}'}\n");
    assert_eq!(
        shown(&parsed),
        [
            "5:32 warning: `timeout` is not a templated argument: this stays as it is written (write `{$const: …}` to say that it is meant so)"
        ]
    );
    assert_eq!(parsed.dags.len(), 1);
}

#[test]
fn files_that_may_be_read_are_listed_once() {
    let text = "tasks:\n- id: a\n  with: {x: {$f: b.sql}, y: [{$file: a.sql}, {$t: {$f: b.sql}}], z: {$f: ../no}}\n---\nbroken: [\n";
    assert_eq!(file_references(text), ["a.sql", "b.sql"]);
}

#[test]
fn templates_and_defaults_merge_and_the_task_wins() {
    let dag = good(
        "dag_id: d\ndefault_args: {retries: 1, owner: all, pool: default, cwd: /tmp, start_date: 2026-01-01}\n\
         templates:\n  base: {uses: bash, retries: 2, needs: [a], with: {bash_command: one, append_env: true}}\n  \
         more: {extends: base, retries: 3, with: {bash_command: two}}\n\
         tasks:\n- id: a\n- {id: b, extends: more}\n- {id: c, extends: [base, more], needs: [b], retries: 4, with: {cwd: /c}}\n",
    );
    assert_eq!(drawn(&dag), ["a:", "b: a", "c: b"], "own `needs` replace those of a template");
    let facts: Vec<_> = dag.tasks.iter().map(|task| (task.owner.as_str(), task.retry.retries)).collect();
    assert_eq!(facts, [("all", 1), ("all", 3), ("all", 4)]);
    assert_eq!(argument(&dag.tasks[1], "bash_command"), Some(&Arg::Value(json!("two"))));
    assert_eq!(argument(&dag.tasks[1], "append_env"), Some(&Arg::Value(json!(true))));
    assert_eq!(argument(&dag.tasks[1], "cwd"), Some(&Arg::Value(json!("/tmp"))), "for operators that take it");
    assert_eq!(argument(&dag.tasks[2], "cwd"), Some(&Arg::Value(json!("/c"))));
    assert_eq!(argument(&dag.tasks[0], "cwd"), None);
    assert_eq!(dag.start_date.unwrap().to_string(), "2026-01-01T00:00:00Z", "taken from default_args");
}

#[test]
fn yaml_merges_and_aliases_work() {
    let dag = good(
        "dag_id: d\ntemplates:\n  base: &base {retries: 2, pool: p}\n  other: &other {pool: q, queue: q}\n\
         tasks:\n- {<<: *base, id: a}\n- {id: b, <<: [*base, *other], retries: 1}\n",
    );
    let facts: Vec<_> =
        dag.tasks.iter().map(|task| (task.retry.retries, task.pool.as_str(), task.queue.as_str())).collect();
    assert_eq!(facts, [(2, "p", "default"), (1, "p", "q")]);
}

#[test]
fn yes_no_and_dates_are_text_in_the_flow_dialect() {
    let dag = good("dag_id: d\nparams: {a: yes, b: 010, c: 2026-01-01, d: 1e3, e: 0x10, f: ~}\ntasks: [{id: x}]\n");
    let values: Vec<_> = dag.params.values().map(|param| param.value()).collect();
    assert_eq!(values, [json!("yes"), json!(10), json!("2026-01-01"), json!(1000.0), json!(16), json!(null)]);
}

#[test]
fn several_documents_are_several_dags() {
    let parsed = read("# first\ndag_id: a\ntasks: [{id: x}]\n---\n\ndag_id: b\ntasks: [{id: x}]\n...\n");
    assert_eq!(shown(&parsed), Vec::<String>::new());
    let facts: Vec<_> = parsed.dags.iter().map(|dag| (dag.dag.id.as_str(), dag.document, dag.line)).collect();
    assert_eq!(facts, [("a", 0, 2), ("b", 1, 6)]);
}

#[test]
fn one_bad_document_does_not_spoil_the_others() {
    let parsed = read("dag_id: a\nretries: 1\ntasks: [{id: x}]\n---\ndag_id: b\ntasks: [{id: x}]\n");
    assert_eq!(parsed.dags.iter().map(|dag| dag.dag.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(shown(&parsed).len(), 1);
}

#[track_caller]
fn hash(text: &str) -> String {
    let parsed = read(text);
    assert_eq!(shown(&parsed), Vec::<String>::new(), "in\n{text}");
    parsed.dags[0].hash.clone()
}

#[test]
fn the_hash_is_of_the_meaning() {
    let first = hash(
        "dag_id: d\ntags: [a, b]\ntasks:\n- id: x\n  uses: bash\n  retries: 1\n  retry_delay: 5m\n  with: {bash_command: 'echo {{ ds }}', cwd: /tmp}\n",
    );
    let same = [
        "# comment\ntasks:\n- with: {cwd: /tmp, bash_command: \"echo {{ ds }}\"}\n  retry_delay: 300\n  retries: 1\n  uses: BashOperator\n  id: x\n\ntags: [b, a]\ndag_id: d\n",
    ];
    for text in same {
        assert_eq!(hash(text), first, "in\n{text}");
    }
    let others = [
        "dag_id: d\ntags: [a, b]\ntasks:\n- id: x\n  uses: bash\n  retries: 2\n  with: {bash_command: 'echo {{ ds }}', cwd: /tmp}\n",
        "dag_id: d\ntags: [a, b]\ntasks:\n- id: x\n  uses: bash\n  retries: 1\n  with: {bash_command: {$const: 'echo {{ ds }}'}, cwd: /tmp}\n",
        "dag_id: d\ntags: [a]\ntasks:\n- id: x\n  uses: bash\n  retries: 1\n  with: {bash_command: 'echo {{ ds }}', cwd: /tmp}\n",
    ];
    for text in others {
        assert_ne!(hash(text), first, "in\n{text}");
    }
    assert_eq!(first.len(), 64);
    let groups =
        |order: &str, key: &str| format!("dag_id: d\ntask_groups: {{{order}}}\ntasks:\n- {{id: x, {key}: b}}\n");
    assert_eq!(hash(&groups("a: {}, b: {}", "group")), hash(&groups("b: {}, a: {}", "group")));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = "\u{feff}dag_id: d\r\ntasks:\r\n- id: x\r\n  uses: bash\r\n  with:\r\n    bash_command: |\r\n      one\r\n      two\r\n";
    let dag = good(text);
    assert_eq!(argument(&dag.tasks[0], "bash_command"), Some(&Arg::Value(json!("one\ntwo\n"))));
    let parsed = read("\u{feff}dag_id: d\r\ntasks:\r\n- id: x\r\n  pol: y\r\n");
    assert_eq!(shown(&parsed), ["4:3 unknown key `pol` of a task (did you mean `pool`?)"]);
}

#[test]
fn access_is_the_most_that_is_given_and_part_of_the_meaning() {
    let access = |text: &str| {
        let parsed = read(&format!("dag_id: d\n{text}\ntasks: [{{id: a}}]\n"));
        (parsed.dags[0].dag.access_control.clone(), parsed.dags[0].hash.clone())
    };
    let (none, plain) = access("");
    let (some, named) = access("access_control: {User: [can_read], ada: [can_edit, can_read], eve: []}");
    assert_eq!(none, None);
    let expected = [("User".to_owned(), DagAccess::Read), ("ada".to_owned(), DagAccess::Edit)];
    assert_eq!(some, Some(expected.into()));
    let (nobody, empty) = access("access_control: {}");
    assert_eq!(nobody, Some(Default::default()));
    assert!(plain != named && plain != empty && named != empty);
}
