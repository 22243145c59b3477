//! Callbacks and mails: where they may stand, what is checked, and what they mean.

use flow_core::dag::{Arg, Callback, CallbackEvent, CallbackEvent::*};
use serde_json::json;

use crate::support::{good, read, shown, task, task_complains};

fn of(text: &str, event: CallbackEvent) -> Vec<Callback> {
    task(text).callbacks.of(event).to_vec()
}

#[test]
fn every_key_has_its_event() {
    for event in CallbackEvent::ALL {
        let read = of(&format!("on_{event}_callback: [{{uses: bash, with: {{bash_command: 'true'}}}}]\n"), *event);
        let with = vec![("bash_command".to_owned(), Arg::Value(json!("true")))];
        assert_eq!(read, [Callback { operator: "bash".to_owned(), with }]);
    }
    let alone = of("on_failure_callback: {uses: bash, with: {bash_command: 'echo {{ exception }}'}}\n", Failure);
    assert_eq!(alone[0].with[0].1, Arg::Template { source: "echo {{ exception }}".to_owned() });
    let class = "airflow.providers.smtp.operators.smtp.EmailOperator";
    assert_eq!(
        of(&format!("on_failure_callback: [{{uses: {class}, with: {{to: a@b.c}}}}]\n"), Failure)[0].operator,
        "email"
    );
}

#[test]
fn a_task_whose_start_is_watched_goes_to_a_worker() {
    let watch = |event: &str| task(&format!("on_{event}_callback: [{{uses: bash, with: {{bash_command: x}}}}]\n"));
    assert!(watch("success").is_inline);
    assert!(!watch("execute").is_inline);
}

#[test]
fn they_come_from_the_dag_its_defaults_and_its_templates() {
    let dag = good(
        "dag_id: d\non_failure_callback: [{uses: email, with: {to: dag@b.c}}]\n\
         default_args: {on_failure_callback: [{uses: email, with: {to: default@b.c}}]}\n\
         templates: {t: {on_failure_callback: [{uses: email, with: {to: template@b.c}}]}}\n\
         tasks:\n- id: a\n- {id: b, extends: t}\n- {id: c, on_failure_callback: []}\n",
    );
    let to = |callbacks: &[Callback]| callbacks.iter().map(|one| one.with[0].1.clone()).collect::<Vec<_>>();
    let value = |text: &str| vec![Arg::Value(json!(text))];
    assert_eq!(to(dag.callbacks.of(Failure)), value("dag@b.c"));
    assert_eq!(to(dag.tasks[0].callbacks.of(Failure)), value("default@b.c"));
    assert_eq!(to(dag.tasks[1].callbacks.of(Failure)), value("template@b.c"));
    assert_eq!(to(dag.tasks[2].callbacks.of(Failure)), Vec::<Arg>::new());
}

#[test]
fn email_is_for_failures_and_retries_unless_it_says_otherwise() {
    for (keys, failure, retry) in [
        ("email: a@b.c, d@e.f\n", 1, 1),
        ("email: [a@b.c, d@e.f]\nemail_on_retry: false\n", 1, 0),
        ("email_on_failure: false\nemail: [a@b.c, d@e.f]\n", 0, 1),
        ("email: []\n", 0, 0),
        ("email_on_failure: true\n", 0, 0),
        ("email: [a@b.c, d@e.f]\non_failure_callback: [{uses: bash, with: {bash_command: x}}]\n", 2, 1),
    ] {
        let task = task(keys);
        let (failures, retries) = (task.callbacks.of(Failure), task.callbacks.of(Retry));
        assert_eq!((failures.len(), retries.len()), (failure, retry), "{keys}");
        for mail in failures.iter().chain(retries).filter(|callback| callback.operator == "email") {
            assert_eq!(mail.with[0], ("to".to_owned(), Arg::Value(json!(["a@b.c", "d@e.f"]))));
            assert!(matches!(&mail.with[2].1, Arg::Template { source } if source.contains("exception")));
        }
    }
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (keys, expected) in [
        (
            "on_failure_callback: bash",
            "4:24 `on_failure_callback` must be a list, not `bash` (write `[{uses: email, with: {…}}]`)",
        ),
        (
            "on_failure_callback: [bash]",
            "4:25 an entry of `on_failure_callback` must be a map, not `bash` (write `{uses: email, with: {…}}`)",
        ),
        (
            "on_failure_callback: [{with: {}}]",
            "4:25 a callback says what it `uses` (there are: email, http, slack, bash)",
        ),
        (
            "on_failure_callback: [{uses: branch}]",
            "4:32 a callback cannot use `branch` (there are: `email`, `http`, `slack`, `bash`)",
        ),
        ("on_failure_callback: [{uses: emial}]", "4:32 a callback cannot use `emial` (did you mean `email`?)"),
        (
            "on_failure_callback: [{uses: bash, wiht: 1}]",
            "4:38 unknown key `wiht` of a callback (did you mean `with`?)",
        ),
        ("on_failure_callback: [{uses: bash}]", "4:32 `bash_command` is missing"),
        ("on_failure_callback: [{uses: bash, with: {bash_command: '{{ x'}}]", "4:63 template: "),
        (
            "on_failure_callback: [{uses: bash, with: {bash_command: {$x: a}}}]",
            "4:64 a callback cannot refer to a task's result by `$x` (write `{{ ti.xcom_pull(task_ids='a') }}`)",
        ),
        ("email: 1", "4:10 `email` must be an address or a list of them, not `1`"),
        ("email: nobody", "4:10 `nobody` is no mail address"),
    ] {
        let parsed = read(&format!("dag_id: d\ntasks:\n- id: x\n  {keys}\n"));
        let shown = shown(&parsed);
        assert!(shown.iter().any(|line| line.starts_with(expected)), "{keys}: {shown:?}");
        assert!(parsed.dags.is_empty());
    }
    task_complains(
        "on_skiped_callback: []",
        "4:3 unknown key `on_skiped_callback` of a task (did you mean `on_skipped_callback`?)",
    );
}

#[test]
fn what_they_do_is_part_of_the_version() {
    let hash = |keys: &str| read(&format!("dag_id: d\n{keys}\ntasks: []\n")).dags[0].hash.clone();
    let bash =
        |command: &str| hash(&format!("on_success_callback: [{{uses: bash, with: {{bash_command: {command}}}}}]"));
    assert_eq!(hash(""), hash("on_success_callback: []"));
    assert_ne!(hash(""), bash("a"));
    assert_ne!(bash("a"), bash("b"));
    assert_ne!(bash("'{{ ds }}'"), bash("{$const: '{{ ds }}'}"));
}
