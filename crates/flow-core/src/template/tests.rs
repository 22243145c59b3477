//! Templates and what they render to.
//!
//! `parity.json` holds templates and what the real Airflow makes of them with the same context; it was
//! written by a script that ran Airflow's own environment.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    dag::{Dialect, OverlapPolicy, Param, RetryPolicy, Task},
    run::DataInterval,
    state::{RunState, RunType, TriggerRule},
    timetable::Timetable,
};

mod bounds;

/// A store that answers from memory and counts how often it is asked.
#[derive(Default)]
struct Answers {
    asked: AtomicUsize,
}

impl Facts for Answers {
    fn xcom(&self, task: &TaskId, key: &str, map_index: Option<i32>) -> Result<Option<Json>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(match (task.as_str(), key, map_index) {
            ("extract", "return_value", None) => Some(json!({"rows": 3, "files": ["a", "b"]})),
            ("extract", "return_value", Some(index)) => Some(json!(index * 10)),
            ("extract", "path", None) => Some(json!("/tmp/x")),
            _ => None,
        })
    }

    fn variable(&self, key: &str) -> Result<Option<String>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match key {
            "bucket" => Ok(Some("s3://b".to_owned())),
            "settings" => Ok(Some(r#"{"level": {"name": "high"}, "list": [1, 2]}"#.to_owned())),
            "down" => Err("database is locked".to_owned()),
            _ => Ok(None),
        }
    }

    fn connection(&self, id: &str) -> Result<Option<Json>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok((id == "shop").then(|| {
            json!({"conn_id": "shop", "conn_type": "http", "host": "shop.example", "port": 8080, "login": "u",
                "password": "p", "schema": null, "extra": {"token": "t"}})
        }))
    }

    fn previous_success(&self) -> Result<Option<DagRun>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Some(DagRun {
            data_interval: Some(DataInterval { start: at("2025-12-31T00:00:00Z"), end: at("2026-01-01T00:00:00Z") }),
            started_at: Some(at("2026-01-01T00:00:01Z")),
            ended_at: None,
            ..run()
        }))
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn run() -> DagRun {
    DagRun {
        key: crate::id::RunKey(1),
        dag_id: "sales".into(),
        run_id: "scheduled__2026-01-01T00:00:00+00:00".into(),
        run_type: RunType::Scheduled,
        state: RunState::Running,
        logical_date: Some(at("2026-01-01T00:00:00Z")),
        data_interval: Some(DataInterval { start: at("2026-01-01T00:00:00Z"), end: at("2026-01-15T13:04:05.678901Z") }),
        run_after: at("2026-01-15T13:04:05Z"),
        queued_at: at("2026-01-15T13:04:06Z"),
        started_at: Some(at("2026-01-15T13:04:07Z")),
        ended_at: None,
        conf: json!({"name": "o'brien", "flag": true, "list": ["a", 1, null], "ratio": 0.1, "nested": {"deep": "x"}}),
        clear_number: 0,
    }
}

fn task(id: &str, with: Vec<(String, Arg)>) -> Task {
    Task {
        id: id.into(),
        display_name: None,
        doc_md: None,
        owner: "data-team".to_owned(),
        operator: "bash".to_owned(),
        is_inline: false,
        with,
        group: None,
        upstream: Vec::new(),
        downstream: Vec::new(),
        trigger_rule: TriggerRule::AllSuccess,
        retry: RetryPolicy { retries: 2, ..RetryPolicy::default() },
        execution_timeout: Some(Duration::from_secs(90)),
        depends_on_past: false,
        wait_for_downstream: false,
        pool: "default_pool".to_owned(),
        pool_slots: 1,
        priority_weight: 1,
        queue: "default".to_owned(),
        start_date: None,
        end_date: None,
        max_active_tis_per_dag: None,
        max_active_tis_per_dagrun: None,
        do_xcom_push: true,
        multiple_outputs: false,
        params: BTreeMap::from([("n".to_owned(), Param { default: Some(json!(3)), ..Param::default() })]),
        condition: None,
        callbacks: crate::dag::Callbacks::default(),
    }
}

fn context_of(with: Vec<(String, Arg)>) -> Context {
    let dag = Dag {
        id: "sales".into(),
        dialect: Dialect::Flow,
        display_name: None,
        description: Some("Loads sales".to_owned()),
        doc_md: None,
        tags: vec!["etl".to_owned()],
        owner_links: BTreeMap::new(),
        access_control: None,
        timetable: Timetable::Null,
        timezone: "UTC".to_owned(),
        start_date: None,
        end_date: None,
        catchup: false,
        catchup_window: None,
        max_active_runs: 16,
        max_active_tasks: 16,
        max_consecutive_failed_dag_runs: 0,
        dagrun_timeout: None,
        fail_fast: false,
        is_paused_upon_creation: None,
        params: BTreeMap::from([
            ("region".to_owned(), Param { default: Some(json!("eu")), ..Param::default() }),
            ("n".to_owned(), Param { default: Some(json!(1)), ..Param::default() }),
        ]),
        render_template_as_native_obj: false,
        overlap_policy: OverlapPolicy::Queue,
        groups: Vec::new(),
        callbacks: crate::dag::Callbacks::default(),
        notifications: Default::default(),
        tasks: vec![Task { params: BTreeMap::new(), ..task("extract", Vec::new()) }, task("load", with)],
    };
    Context {
        dag: Arc::new(dag),
        task: TaskIx(1),
        run: Arc::new(run()),
        map_index: -1,
        try_number: 2,
        max_tries: 2,
        state: crate::state::TaskState::Running,
        now: at("2026-01-15T13:04:08Z"),
        seed: 7,
        facts: Arc::new(Answers::default()),
    }
}

fn context() -> Context {
    context_of(Vec::new())
}

fn change_run(mut cx: Context, change: impl FnOnce(&mut DagRun)) -> Context {
    change(Arc::make_mut(&mut cx.run));
    cx
}

fn manual() -> Context {
    change_run(context(), |run| {
        run.run_id = "manual__x".into();
        run.logical_date = None;
        run.data_interval = None;
        run.conf = Json::Null;
    })
}

fn template(source: &str) -> Arg {
    Arg::Template { source: source.to_owned() }
}

#[track_caller]
fn renders(source: &str, expected: &str) {
    match render_text(source, &context()) {
        Ok(text) => assert_eq!(text, expected, "{source}"),
        Err(error) => panic!("{source}: {error:?}"),
    }
}

#[track_caller]
fn fails(cx: &Context, source: &str, message: &str, help: Option<&str>) {
    match render_text(source, cx) {
        Ok(text) => panic!("{source} rendered to {text:?}"),
        Err(error) => {
            assert_eq!(error.message, message, "{source}");
            assert_eq!(error.help.as_deref(), help, "{source}");
        }
    }
}

#[test]
fn templates_render_as_in_airflow() {
    let table: Vec<(String, String)> = serde_json::from_str(include_str!("parity.json")).unwrap();
    assert!(table.len() >= 60);
    let cx = context();
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(source, expected)| match render_text(source, &cx) {
            Ok(text) if text == *expected => None,
            Ok(text) => Some(format!("{source}\n  airflow: {expected:?}\n  ours:    {text:?}")),
            Err(error) => Some(format!("{source}\n  airflow: {expected:?}\n  ours:    {error:?}")),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_store_knows_is_looked_up() {
    renders("{{ ti.xcom_pull(task_ids='extract').rows }}", "3");
    renders("{{ ti.xcom_pull('extract') }}", "{'rows': 3, 'files': ['a', 'b']}");
    renders("{{ task_instance.xcom_pull(task_ids='extract', key='path') }}", "/tmp/x");
    renders("{{ ti.xcom_pull(task_ids=['extract', 'load']) }}", "[{'rows': 3, 'files': ['a', 'b']}, None]");
    renders("{{ ti.xcom_pull(task_ids='extract', map_indexes=2) }}", "20");
    renders("{{ ti.xcom_pull(task_ids='extract', map_indexes=[0, 1]) }}", "[0, 10]");
    renders("{{ ti.xcom_pull(task_ids='extract', key='none', default='d') }}", "d");
    renders("{{ ti.xcom_pull() }}", "None");
    renders("{{ var.value.bucket }}/{{ var.value.get('bucket') }}/{{ var.value['bucket'] }}", "s3://b/s3://b/s3://b");
    renders("{{ var.value.get('none', 'd') }} {{ var.json.get('none', {'a': 1}).a }}", "d 1");
    renders("{{ var.json.settings.level.name }} {{ var.json.settings.list[1] }}", "high 2");
    renders(
        "{{ conn.shop.host }}:{{ conn.shop.port }} {{ conn.shop.schema }} {{ conn.shop.extra_dejson.token }}",
        "shop.example:8080 None t",
    );
    renders("{{ conn.shop.extra }} {{ conn.get('shop').login }} {{ conn.shop }}", "{\"token\": \"t\"} u shop");
    renders(
        "{{ prev_data_interval_start_success }} {{ prev_start_date_success | ts }} {{ prev_end_date_success }}",
        "2025-12-31 00:00:00+00:00 2026-01-01T00:00:01+00:00 None",
    );
}

#[test]
fn the_store_is_asked_only_for_what_a_template_names() {
    let answers = Arc::new(Answers::default());
    let cx = Context { facts: Arc::clone(&answers) as Arc<dyn Facts>, ..context() };
    let source = "{{ ds }} {{ dag.dag_id }} {{ ti.task_id }} {{ params.region }} {{ macros.ds_add(ds, 1) }}";
    assert!(render_text(source, &cx).is_ok());
    assert_eq!(answers.asked.load(Ordering::Relaxed), 0);
    assert!(render_text("{{ prev_start_date_success }}{{ prev_end_date_success }}", &cx).is_ok());
    assert_eq!(answers.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn objects_have_the_fields_that_airflow_users_ask_for() {
    renders(
        "{{ dag }} {{ task }} {{ dag.owner }} {{ dag.tags }} {{ dag.description }}",
        "<DAG: sales> <Task(bash): load> data-team ['etl'] Loads sales",
    );
    renders(
        "{{ task.operator }} {{ task.trigger_rule }} {{ task.retry_delay }} {{ task.execution_timeout }}",
        "bash all_success 0:05:00 0:01:30",
    );
    renders(
        "{{ ti.max_tries }} {{ ti.run_id == run_id }} {{ ti.start_date | ts }}",
        "2 True 2026-01-15T13:04:08+00:00",
    );
    renders(
        "{{ dag_run.logical_date | ds }} {{ dag_run.run_after | ts }} {{ dag_run.start_date | ds }} {{ dag_run.end_date }}",
        "2026-01-01 2026-01-15T13:04:05+00:00 2026-01-15 None",
    );
    renders("{{ inlets }}{{ outlets }}{{ triggering_asset_events }}", "[][]{}");
}

#[test]
fn time_and_chance_come_from_the_context() {
    renders("{{ macros.datetime.now() }} {{ macros.datetime.utcnow().year }}", "2026-01-15 13:04:08 2026");
    renders("{{ macros.time.time() }}", "1768482248.0");
    renders("{{ macros.datetime_diff_for_humans(logical_date) }}", "2 weeks ago");
    let source = "{{ macros.random() }} {{ macros.uuid.uuid4() }} {{ macros.random.randint(1, 6) }} {{ macros.random.choice('abc') }}";
    let text = render_text(source, &context()).unwrap();
    assert_eq!(text, render_text(source, &context()).unwrap());
    assert_ne!(text, render_text(source, &Context { seed: 8, ..context() }).unwrap());
    let uuid = text.split(' ').nth(1).unwrap();
    assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'4'), "{uuid}");
    renders("{% for i in range(100) %}{{ '' if 1 <= macros.random.randint(1, 6) <= 6 else 'out' }}{% endfor %}", "");
}

#[test]
fn filters_of_our_own_work() {
    renders(
        "{{ \"it's\" | shquote }} {{ 'plain-1.csv' | shquote }} {{ '' | shquote }} {{ ['a b', 'c'] | shquote }}",
        "'it'\"'\"'s' plain-1.csv '' 'a b' c",
    );
    renders("{{ ('{\"a\": [1, 2.5]}' | fromjson).a }}", "[1, 2.5]");
    renders("{{ none | ds }} {{ prev_end_date_success | ts }}", "None None");
}

#[test]
fn every_suggested_filter_and_test_exists() {
    for name in filters::NAMES {
        assert!(program::exists("filter", name), "{name}");
    }
    for name in filters::TESTS {
        assert!(program::exists("test", name), "{name}");
    }
}

#[test]
fn an_undefined_name_is_an_error_that_says_which() {
    let cx = context();
    fails(&cx, "{{ sd }}", "`sd` is undefined", Some("did you mean `ds`?"));
    fails(&cx, "{{ params.regoin }}", "`params.regoin` is undefined", Some("did you mean `region`?"));
    fails(&cx, "{{ dag_run.conf.nam }}", "`dag_run.conf.nam` is undefined", Some("did you mean `name`?"));
    fails(
        &cx,
        "{{ dag_run.conf['zzzzzz'] }}",
        "`dag_run.conf['zzzzzz']` is undefined",
        Some("`dag_run.conf` has name, flag, list, ratio, nested"),
    );
    fails(&cx, "{{ missing.field }}", "`missing` is undefined", None);
    fails(&cx, "{% if missing %}x{% endif %}", "`missing` is undefined", None);
    fails(&cx, "{% for x in missing %}x{% endfor %}", "`missing` is undefined", None);
    fails(&cx, "{{ missing + 1 }}", "`missing` is undefined", None);
    fails(&cx, "{{ 'a' ~ missing }}", "`missing` is undefined", None);
    fails(&cx, "{{ missing | ds }}", "`missing` is undefined", None);
    fails(&cx, "{{ missing | upper }}", "`missing` is undefined", None);
    fails(&cx, "{{ missing | tojson }}", "`missing` is undefined", None);
    fails(&cx, "{{ missing > 1 }}", "`missing` is undefined", None);
    fails(&cx, "{{ missing.method() }}", "`missing` is undefined", None);
    fails(&cx, "{{ macros.ds_add(missing, 1) }}", "`missing` is undefined", None);
    fails(&cx, "{{ [missing] | join }}", "`missing` is undefined", None);
    fails(&cx, "{{ exception }}", "`exception` is undefined", Some("only failure callbacks have `exception`"));
    fails(
        &cx,
        "{{ execution_date }}",
        "`execution_date` is undefined",
        Some("Airflow 3 took it away; write `logical_date`"),
    );
}

#[test]
fn a_run_without_a_logical_date_says_so() {
    let cx = manual();
    let help = Some("trigger it with a logical date, or use `dag_run.run_after`");
    for name in scope::NEEDS_LOGICAL_DATE {
        let message = format!("`{name}` is undefined: run `manual__x` has no logical date");
        fails(&cx, &format!("{{{{ {name} }}}}"), &message, help);
    }
    assert_eq!(
        render_text("{{ ds | default('none') }} {{ dag_run.conf }} {{ dag_run.logical_date }}", &cx).unwrap(),
        "none {} None"
    );
    assert_eq!(render_text("{{ task_instance_key_str }}", &cx).unwrap(), "sales__load__manual__x");
}

#[test]
fn missing_variables_and_connections_say_how_to_set_them() {
    let cx = context();
    fails(
        &cx,
        "{{ var.value.nope }}",
        "variable `nope` does not exist",
        Some("set it with `flow variables set nope VALUE`"),
    );
    fails(
        &cx,
        "{{ var.value.get('nope') }}",
        "variable `nope` does not exist",
        Some("set it with `flow variables set nope VALUE`"),
    );
    fails(
        &cx,
        "{{ var.json.bucket }}",
        "variable `bucket` is not JSON",
        Some("read it as text with `var.value.bucket`"),
    );
    fails(
        &cx,
        "{{ conn.nope.host }}",
        "connection `nope` does not exist",
        Some("add it with `flow connections set nope URI`"),
    );
    fails(&cx, "{{ conn.shop.hots }}", "`conn.shop.hots` is undefined", None);
    fails(&cx, "{{ var.value.down }}", "database is locked", None);
}

#[test]
fn calls_that_cannot_work_say_why() {
    let cx = context();
    fails(&cx, "{{ ti.xcom_pull('extarct') }}", "xcom_pull() names task `extarct`, which this DAG does not have", None);
    fails(
        &cx,
        "{{ ti.xcom_pul('extract') }}",
        "<TaskInstance: sales.load scheduled__2026-01-01T00:00:00+00:00 [running]> has no method `xcom_pul`",
        None,
    );
    let mut airflow = context();
    Arc::make_mut(&mut airflow.dag).dialect = Dialect::Airflow;
    assert_eq!(render_text("{{ ti.xcom_pull('extarct') }}", &airflow).as_deref(), Ok("None"));
    fails(&cx, "{{ ti.xcom_push('k', 1) }}", "templates cannot push XComs; a task's result is one", None);
    fails(&cx, "{{ logical_date + 1 }}", "`+` does not go with a time and a number", None);
    fails(&cx, "{{ logical_date > '2026' }}", "`>` does not go with a time and a string", None);
    fails(&cx, "{{ 1 + 'a' }}", "`+` does not go with a number and a string", None);
    fails(&cx, "{{ none + 1 }}", "`+` does not go with None and a number", None);
    fails(&cx, "{{ logical_date.add(days='x') }}", "add() wants a whole number for `days`, not x", None);
    fails(&cx, "{{ logical_date.add(dayz=1) }}", "add(): unknown keyword argument 'dayz'", None);
    fails(&cx, "{{ logical_date.add(years=9000) }}", "time lies outside the years 1 to 9999", None);
    fails(&cx, "{{ logical_date.subtract(years=3000) }}", "time lies outside the years 1 to 9999", None);
    fails(&cx, "{{ logical_date.add(years=9223372036854775807) }}", "time lies outside the years 1 to 9999", None);
    fails(&cx, "{{ logical_date.in_timezone('Mars') }}", "there is no time zone `Mars`", None);
    fails(&cx, "{{ logical_date.foo() }}", "a time has no method `foo`", None);
    fails(&cx, "{{ macros.ds_add('01.02.2026', 1) }}", "time `01.02.2026` does not match format `%Y-%m-%d`", None);
    fails(&cx, "{{ macros.datetime(2026, 2, 30) }}", "there is no time 2026-02-30 00:00:00.000000", None);
    fails(&cx, "{{ macros.yaml.dump(1) }}", "`macros.yaml` is not available", None);
    fails(&cx, "{{ macros.timedelta(days=1e300) }}", "timedelta() is too long", None);
    fails(&cx, "{{ 7 % 0 }}", "modulo by zero", None);
}

#[track_caller]
fn refuses(source: &str, message: &str, line: usize, place: Option<&str>, help: Option<&str>) {
    let error = check(source).expect_err(source);
    assert_eq!(error.message, message, "{source}");
    assert_eq!(error.line, line, "{source}");
    assert_eq!(error.range.map(|range| &source[range]), place, "{source}");
    assert_eq!(error.help.as_deref(), help, "{source}");
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    refuses("a\n{{ ds | uper }}", "there is no filter `uper`", 2, Some("uper"), Some("did you mean `upper`?"));
    refuses("{{ 1 is od }}", "there is no test `od`", 1, Some("od"), Some("did you mean `odd`?"));
    refuses("{{ rang(3) }}", "there is no function `rang`", 1, Some("rang(3)"), Some("did you mean `range`?"));
    refuses("{{ ds", "syntax error: unexpected end of input, expected end of variable block", 1, Some("ds"), None);
    refuses("{% if x %}", "syntax error: unexpected end of input, expected end of block", 1, Some("%}"), None);
    refuses(
        "{% include 'x' %}",
        "`include` is not available in templates",
        1,
        Some("include 'x'"),
        Some("put the text into a file beside the DAG and name it with `$f`"),
    );
    assert_eq!(
        check("{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1) }}{% for i in [1] recursive %}{{ loop([]) }}{% endfor %}"),
        Ok(())
    );
    assert_eq!(check("{{ anything.at.all() | default(1) }} plain"), Ok(()));
    assert_eq!(check("no template } {"), Ok(()));
}

#[test]
fn an_expression_sees_its_own_names_and_nothing_else() {
    let names = serde_json::json!({ "status": 200, "body": { "items": [1, 2] } });
    let names = names.as_object().unwrap();
    let of = |source| Expression::new(source).unwrap().evaluate(names);
    assert_eq!(of("body['items']").unwrap(), serde_json::json!([1, 2]));
    assert_eq!(of("{{ status + 1 }}").unwrap(), 201);
    assert!(Expression::new("status == 200 and body['items']|length == 2").unwrap().holds(names).unwrap());
    assert!(!Expression::new("''").unwrap().holds(names).unwrap());
    assert_eq!(of("{{ statsu + 1 }}").unwrap_err().message, "`statsu` is undefined");
    assert!(of("ds").is_err());
    assert_eq!(of("body.itmes.x").unwrap_err().help.as_deref(), Some("did you mean `items`?"));
    assert!(Expression::new("status ==").is_err());
}

#[test]
fn expressions_may_stand_bare_or_in_braces() {
    assert_eq!(check_expression("params.n > 2"), Ok(()));
    assert_eq!(check_expression("{{ params.n > 2 }}"), Ok(()));
    let source = "\n {{ x | nope }}";
    let error = check_expression(source).unwrap_err();
    assert_eq!((error.line, &source[error.range.unwrap()]), (2, "nope"));
    assert!(check_expression("{{ a }} and {{ b }}").is_err());
    assert!(check_expression("a b").is_err());
    assert!(check_expression("").is_err());
}

#[track_caller]
fn goes(condition: &str, expected: bool) {
    let mut cx = context();
    Arc::make_mut(&mut cx.dag).tasks[1].condition = Some(condition.to_owned());
    assert_eq!(goes_ahead(&cx), Ok(expected), "{condition}");
}

#[test]
fn a_task_goes_ahead_when_its_condition_is_truthy() {
    assert_eq!(goes_ahead(&context()), Ok(true));
    goes("params.n > 2", true);
    goes("{{ params.n > 3 }}", false);
    goes("{{- dag_run.conf.flag -}}", true);
    goes("ti.xcom_pull(task_ids='extract').rows", true);
    goes("none", false);
    goes("''", false);
    goes("[]", false);
    goes("logical_date.weekday() in [5, 6]", false);
    goes("logical_date", true);
    let mut cx = context();
    Arc::make_mut(&mut cx.dag).tasks[1].condition = Some("parms.n".to_owned());
    let error = goes_ahead(&cx).unwrap_err();
    assert_eq!((error.message.as_str(), error.argument.as_deref()), ("`parms` is undefined", Some("if")));
    assert_eq!(error.help.as_deref(), Some("did you mean `params`?"));
}

#[test]
fn arguments_are_filled_in_wherever_templates_stand() {
    let cx = context_of(vec![
        ("bash_command".to_owned(), template("echo {{ ds }}\n")),
        ("retries".to_owned(), Arg::Value(json!(3))),
        (
            "env".to_owned(),
            Arg::Map(vec![
                ("B".to_owned(), template("{{ params.n }}")),
                ("A".to_owned(), Arg::List(vec![Arg::Value(json!("{{ raw }}")), template("{{ run_id }}")])),
            ]),
        ),
        ("rows".to_owned(), Arg::XCom { task: "extract".into(), key: None }),
        ("nothing".to_owned(), Arg::XCom { task: "load".into(), key: None }),
    ]);
    let rendered = render(&cx).unwrap();
    let text = serde_json::to_string(&rendered).unwrap();
    assert_eq!(
        text,
        r#"{"bash_command":"echo 2026-01-01","retries":3,"env":{"B":"3","A":["{{ raw }}","scheduled__2026-01-01T00:00:00+00:00"]},"rows":{"rows":3,"files":["a","b"]},"nothing":null}"#
    );
    let shown: Vec<String> = rendered_fields(&cx).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, ["bash_command", "env", "rows", "nothing"]);
}

#[test]
fn errors_name_the_argument() {
    let inner = Arg::Map(vec![("PATH".to_owned(), Arg::List(vec![Arg::Value(json!(1)), template("a\n\n{{ nope }}")]))]);
    let error = render(&context_of(vec![("env".to_owned(), inner)])).unwrap_err();
    assert_eq!(error.argument.as_deref(), Some("env.PATH[1]"));
    assert_eq!((error.line, error.message.as_str()), (3, "`nope` is undefined"));
    assert_eq!(error.range, Some(6..10));
    let missing = Arg::XCom { task: "extract".into(), key: Some("no".to_owned()) };
    let error = render(&context_of(vec![("data".to_owned(), missing)])).unwrap_err();
    assert_eq!(error.message, "task `extract` pushed nothing under the key `no`");
    assert_eq!(error.argument.as_deref(), Some("data"));
}

#[track_caller]
fn native(source: &str, expected: Json) {
    let mut cx = context_of(vec![("a".to_owned(), template(source))]);
    Arc::make_mut(&mut cx.dag).render_template_as_native_obj = true;
    assert_eq!(render(&cx).map(|map| map["a"].clone()), Ok(expected), "{source}");
}

#[test]
fn native_templates_keep_their_type() {
    native("{{ params.n }}", json!(3));
    native("{{ dag_run.conf.list }}", json!(["a", 1, null]));
    native("{{ ti.xcom_pull(task_ids='extract') }}", json!({"rows": 3, "files": ["a", "b"]}));
    native("{{ none }}", Json::Null);
    native("{{ [1, 2] | map('string') }}", json!(["1", "2"]));
    native("{{ logical_date }}", json!("2026-01-01T00:00:00+00:00"));
    native("{{ 1.5 }}", json!(1.5));
    native("n={{ params.n }}", json!("n=3"));
    native("plain", json!("plain"));
}

#[test]
fn params_are_the_dags_then_the_tasks_then_the_confs() {
    let cx = context();
    let of = |conf: Json| Json::Object(params(&cx.dag, cx.task, &conf));
    assert_eq!(of(Json::Null), json!({"region": "eu", "n": 3}));
    assert_eq!(of(json!({"n": 9, "new": true})), json!({"region": "eu", "n": 9, "new": true}));
    assert_eq!(Json::Object(params(&cx.dag, TaskIx(0), &json!({}))), json!({"region": "eu", "n": 1}));
}

#[test]
fn callbacks_can_have_more_names() {
    let extra = json!({"exception": "exit code 1", "ds": "other"}).as_object().cloned().unwrap();
    assert_eq!(render_text_with("{{ exception }} {{ ds }}", &context(), extra).unwrap(), "exit code 1 other");
}

#[test]
fn text_without_marks_is_taken_as_it_is() {
    renders("echo $HOME ${x} }} %} # \\n", "echo $HOME ${x} }} %} # \\n");
    renders("one\n", "one");
    renders("", "");
}

#[test]
fn nothing_exhausts_the_stack() {
    let cx = context();
    let many = |text: &str| text.repeat(5000);
    let too_long = [
        format!("{{{{ 1{} }}}}", many(" | string")),
        format!("{{{{ 1{} }}}}", many(" + 1")),
        format!("{{{{ a{} }}}}", many(".a")),
        format!("{{{{ a{} }}}}", many("[0]")),
        format!("{{{{ a{} }}}}", many("(0, 1)")),
        format!("{{{{ a{} }}}}", many("[0:1]")),
        format!("{{{{ {} 1 }}}}", many("not ")),
        format!("{{{{ {} 1 }}}}", many("-")),
        format!("{{{{ 1{} }}}}", many(" and 1")),
        format!("{{{{ 1{} }}}}", many(" is odd")),
        format!("{{{{ 1{} }}}}", many(" if 1 else 1")),
        format!("{{{{ 1{} }}}}", many(" ** 1")),
        format!("{{% if 1{} %}}{{% endif %}}", many(" ~ 1")),
        format!("{{{{ {}1{} }}}}", many("["), many("]")),
        format!("{{{{ {}1{} }}}}", many("("), many(")")),
        format!("{{{{ {}1{} }}}}", many("{'a': "), many("}")),
        format!("{{{{ {}1{} }}}}", many("f("), many(")")),
        format!("{}{}", many("{% if 1 %}"), many("{% endif %}")),
        format!("{}{}", many("{% for a in b %}"), many("{% endfor %}")),
        format!("{}{}", many("{% filter upper %}"), many("{% endfilter %}")),
        format!("{{% if 0 %}}{}{{% endif %}}", many("{% elif 0 %}")),
    ];
    for source in &too_long {
        assert!(check(source).is_err(), "{}", &source[..40]);
    }
    assert!(check_expression(&format!("1{}", many(" + 1"))).is_err());
    for step in ["[ns.l]", "{'a': ns.l}", "(ns.l,)", "[ns.l, ns.l]"] {
        let source = format!(
            "{{% set ns = namespace(l=1) %}}{{% for j in range(100) %}}{{% for i in range(1000) %}}{{% set ns.l = {step} %}}{{% endfor %}}{{% endfor %}}"
        );
        assert!(render_text(&source, &cx).is_err(), "{step}");
    }
    let lazy = "{% set ns = namespace(l=[1]) %}{% for j in range(50) %}{% for i in range(1000) %}{% set ns.l = ns.l[0:] %}{% endfor %}{% endfor %}{{ ns.l }}";
    assert_eq!(render_text(lazy, &cx).map_err(|error| error.message), Ok("[1]".to_owned()));
    let flat = format!("{{{{ [{}] | length }}}}", "params.n + 1, ".repeat(5000));
    assert_eq!(render_text(&flat, &cx).as_deref(), Ok("5000"));
}

#[test]
fn no_single_step_makes_too_much_or_panics() {
    let cx = context();
    for source in [
        "{{ '%999999999999d' % 5 }}",
        "{{ '%*d' % (999999999, 5) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ [1] | slice(9999999999) | list }}",
        "{{ [1] | batch(999999999, 'x') | list }}",
        "{{ 'x' | indent(999999999999) }}",
        "{{ 'x' | indent(width=999999999999) }}",
        "{{ ('x' * 100000).replace('x', 'y' * 100000) }}",
        "{{ ('x' * 100000) | replace('x', 'y' * 100000) }}",
        "{{ ('x' * 100000).replace('', 'y' * 100000) }}",
        "{{ 'x'.ljust(100000, 'long') }}",
        "{{ range(9999999999) | list }}",
        "{{ macros.random.randint(-9223372036854775808) }}",
        "{{ macros.random.choice([]) }}",
        "{{ macros.ds_add(ds, 9223372036854775807) }}",
        "{{ macros.timedelta(days=9223372036854775807) }}",
        "{{ macros.datetime.fromtimestamp(1e300) }}",
        "{{ logical_date.replace(year=99999) }}",
        "{{ logical_date.replace(microsecond=9223372036854775807) }}",
        "{{ logical_date.add(seconds=1e300) }}",
        "{{ logical_date.add(months=9223372036854775807, years=9223372036854775807) }}",
        "{{ macros.datetime(9999, 12, 31).end_of('year').add(microseconds=1) }}",
        "{{ macros.datetime(1, 1, 1) - macros.timedelta(days=1) }}",
        "{{ macros.datetime.strptime('x', '%Q') }}",
        "{{ 2 ** 9999999999 }}",
        "{{ params.n * 9223372036854775807 }}",
        "{{ params.n + 9223372036854775807 }}",
        "{{ 0 - params.n - 9223372036854775807 }}",
        "{{ 'é'.zfill('x') }}",
    ] {
        match render_text(source, &cx) {
            Ok(text) => panic!("{source} rendered to {} bytes", text.len()),
            Err(error) => assert!(!error.message.is_empty(), "{source}"),
        }
    }
    renders(
        "{{ logical_date.strftime('%') }} {{ logical_date.strftime('%-') }} {{ logical_date.strftime('%é%-é') }}",
        "% %- %é%-é",
    );
    renders("{{ logical_date.format('[é') }} {{ logical_date.format('\\é[]') }}", "[é é");
    renders("{{ macros.timedelta(days=100000000).total_days() }}", "100000000.0");
}

#[test]
fn no_soup_of_tokens_panics() {
    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{{-",
        "-%}",
        " ",
        "\n",
        "é",
        "'",
        "\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        "|",
        "~",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "==",
        "<",
        "in",
        "not",
        "and",
        "if",
        "else",
        "endif",
        "for",
        "x",
        "endfor",
        "set",
        "=",
        "macro",
        "endmacro",
        "is",
        "defined",
        "ds",
        "logical_date",
        "macros",
        "timedelta",
        "params",
        "ti",
        "xcom_pull",
        "0",
        "1",
        "9223372036854775807",
        "1.5",
        "none",
        "true",
        "'a'",
        "range",
        "sort",
        "join",
        "map",
        "default",
        "raw",
        "endraw",
        "block",
        "call",
        "filter",
        "upper",
        "strftime",
        "add",
        "days",
        "{{ ds }}",
        "{{ logical_date.",
        "{% for x in [1, 2] %}",
        "{% endfor %}",
        "{% if x %}",
        "{% endif %}",
        "\\",
        "_",
    ];
    let cx = context();
    let mut state: u64 = 1;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let mut rendered = 0;
    for _ in 0..20_000 {
        let length = next(12) + 1;
        let body: Vec<&str> = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
        let source = if next(2) == 0 { format!("{{{{ {} }}}}", body.join(" ")) } else { body.concat() };
        match render_text(&source, &cx) {
            Ok(_) => rendered += 1,
            Err(error) => {
                assert!(!error.message.is_empty(), "{source}");
                assert!(error.range.is_none_or(|range| source.get(range).is_some()), "{source}");
            }
        }
        let _ = check_expression(&source);
    }
    assert!(rendered > 100, "{rendered}");
}
