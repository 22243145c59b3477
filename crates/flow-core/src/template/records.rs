//! The objects that templates ask for fields: `dag`, `task`, `ti`, `dag_run` and a connection.

use std::{sync::Arc, time::Duration};

use minijinja::Value;
use serde_json::Value as Json;

use super::{
    Context,
    args::bad,
    json,
    moment::{utc, utc_or_none},
    scope::{Asked, Record},
    span::Span,
};
use crate::id::TaskIx;

/// `dag`.
pub(super) fn dag(cx: &Context) -> Value {
    let dag = &*cx.dag;
    let mut owners: Vec<&str> = dag.tasks.iter().map(|task| task.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let params: serde_json::Map<String, Json> =
        dag.params.iter().map(|(name, param)| (name.clone(), param.value())).collect();
    let fields = vec![
        ("dag_id", Value::from(dag.id.as_str())),
        ("dag_display_name", Value::from(dag.display_name.as_deref().unwrap_or(dag.id.as_str()))),
        ("description", text(dag.description.as_deref())),
        ("doc_md", text(dag.doc_md.as_deref())),
        ("owner", Value::from(owners.join(", "))),
        ("tags", Value::from(dag.tags.clone())),
        ("timezone", Value::from(dag.timezone.as_str())),
        ("start_date", utc_or_none(dag.start_date)),
        ("end_date", utc_or_none(dag.end_date)),
        ("catchup", Value::from(dag.catchup)),
        ("max_active_runs", Value::from(dag.max_active_runs)),
        ("max_active_tasks", Value::from(dag.max_active_tasks)),
        ("max_consecutive_failed_dag_runs", Value::from(dag.max_consecutive_failed_dag_runs)),
        ("dagrun_timeout", length(dag.dagrun_timeout)),
        ("fail_fast", Value::from(dag.fail_fast)),
        ("render_template_as_native_obj", Value::from(dag.render_template_as_native_obj)),
        ("params", json::from_json(&Json::Object(params))),
        ("task_ids", dag.tasks.iter().map(|task| Value::from(task.id.as_str())).collect()),
    ];
    Record::new(format!("<DAG: {}>", dag.id), fields).into()
}

/// `task`.
pub(super) fn task(cx: &Context) -> Value {
    let dag = &*cx.dag;
    let task = dag.task(cx.task);
    let ids = |tasks: &[TaskIx]| tasks.iter().map(|ix| Value::from(dag.task(*ix).id.as_str())).collect::<Value>();
    let fields = vec![
        ("task_id", Value::from(task.id.as_str())),
        ("task_display_name", Value::from(task.display_name.as_deref().unwrap_or(task.id.as_str()))),
        ("dag_id", Value::from(dag.id.as_str())),
        ("owner", Value::from(task.owner.as_str())),
        ("operator", Value::from(task.operator.as_str())),
        ("task_type", Value::from(task.operator.as_str())),
        ("doc_md", text(task.doc_md.as_deref())),
        ("retries", Value::from(task.retry.retries)),
        ("retry_delay", length(Some(task.retry.delay))),
        ("max_retry_delay", length(task.retry.max_delay)),
        ("execution_timeout", length(task.execution_timeout)),
        ("trigger_rule", Value::from(task.trigger_rule.as_str())),
        ("depends_on_past", Value::from(task.depends_on_past)),
        ("wait_for_downstream", Value::from(task.wait_for_downstream)),
        ("pool", Value::from(task.pool.as_str())),
        ("pool_slots", Value::from(task.pool_slots)),
        ("priority_weight", Value::from(task.priority_weight)),
        ("queue", Value::from(task.queue.as_str())),
        ("start_date", utc_or_none(task.start_date.or(dag.start_date))),
        ("end_date", utc_or_none(task.end_date.or(dag.end_date))),
        ("do_xcom_push", Value::from(task.do_xcom_push)),
        ("multiple_outputs", Value::from(task.multiple_outputs)),
        ("params", json::from_json(&Json::Object(super::params(dag, cx.task, &Json::Null)))),
        ("upstream_task_ids", ids(&task.upstream)),
        ("downstream_task_ids", ids(&task.downstream)),
        ("inlets", Value::from(Vec::<Value>::new())),
        ("outlets", Value::from(Vec::<Value>::new())),
    ];
    Record::new(format!("<Task({}): {}>", task.operator, task.id), fields).into()
}

/// `ti` and `task_instance`.
pub(super) fn task_instance(asked: &Arc<Asked>) -> Value {
    let cx = &asked.cx;
    let id = &cx.dag.task(cx.task).id;
    let fields = vec![
        ("task_id", Value::from(id.as_str())),
        ("dag_id", Value::from(cx.dag.id.as_str())),
        ("run_id", Value::from(cx.run.run_id.as_str())),
        ("try_number", Value::from(cx.try_number)),
        ("max_tries", Value::from(cx.max_tries)),
        ("map_index", Value::from(cx.map_index)),
        ("start_date", utc(cx.now)),
        ("end_date", Value::from(())),
        ("state", Value::from(cx.state.as_str())),
        ("logical_date", utc_or_none(cx.run.logical_date)),
        ("operator", Value::from(cx.dag.task(cx.task).operator.as_str())),
        ("task", task(cx)),
        ("dag_run", dag_run(cx)),
    ];
    let title = format!("<TaskInstance: {}.{id} {} [{}]>", cx.dag.id, cx.run.run_id, cx.state);
    let asked = Arc::clone(asked);
    let record = Record::new(title, fields).with_methods(Arc::new(move |method, args| match method {
        "xcom_pull" => Some(asked.xcom_pull(args)),
        "xcom_push" => Some(Err(bad("templates cannot push XComs; a task's result is one"))),
        _ => None,
    }));
    record.into()
}

/// `dag_run`.
pub(super) fn dag_run(cx: &Context) -> Value {
    let run = &*cx.run;
    let conf = if run.conf.is_null() { Json::Object(serde_json::Map::new()) } else { run.conf.clone() };
    let fields = vec![
        ("dag_id", Value::from(run.dag_id.as_str())),
        ("run_id", Value::from(run.run_id.as_str())),
        ("run_type", Value::from(run.run_type.as_str())),
        ("state", Value::from(run.state.as_str())),
        ("logical_date", utc_or_none(run.logical_date)),
        ("data_interval_start", utc_or_none(run.data_interval.map(|interval| interval.start))),
        ("data_interval_end", utc_or_none(run.data_interval.map(|interval| interval.end))),
        ("run_after", utc(run.run_after)),
        ("queued_at", utc(run.queued_at)),
        ("start_date", utc_or_none(run.started_at)),
        ("end_date", utc_or_none(run.ended_at)),
        ("clear_number", Value::from(run.clear_number)),
        ("conf", json::from_json(&conf)),
    ];
    Record::new(format!("<DagRun {} @ {}>", run.dag_id, run.run_id), fields).into()
}

/// A connection; `extra` is text and `extra_dejson` what it means, as in Airflow.
pub(super) fn connection(id: &str, json: &Json) -> Value {
    let field = |name: &str| json::from_json(json.get(name).unwrap_or(&Json::Null));
    let extra = json.get("extra").unwrap_or(&Json::Null);
    let (written, meant) = match extra {
        Json::String(source) => (Value::from(source.as_str()), serde_json::from_str(source).unwrap_or(Json::Null)),
        Json::Null => (Value::from(()), Json::Null),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            let style = json::Style { ascii: true, ..json::Style::default() };
            (Value::from(json::dumps(extra, style)), extra.clone())
        }
    };
    let meant = if meant.is_object() { meant } else { Json::Object(serde_json::Map::new()) };
    let fields = vec![
        ("conn_id", Value::from(id)),
        ("conn_type", field("conn_type")),
        ("description", field("description")),
        ("host", field("host")),
        ("port", field("port")),
        ("login", field("login")),
        ("password", field("password")),
        ("schema", field("schema")),
        ("extra", written),
        ("extra_dejson", json::from_json(&meant)),
    ];
    // Airflow prints a connection's id only; whatever is secret stays out of careless templates.
    Record::new(id, fields).into()
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::from(()), Value::from)
}

fn length(duration: Option<Duration>) -> Value {
    let micros = duration.map(|duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX));
    micros.map_or(Value::from(()), |micros| Value::from_object(Span::from_micros(micros)))
}
