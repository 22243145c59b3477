//! JSON Schemas: of each operator's arguments, and of whole DAG documents, for editors and forms.
//!
//! A schema is more lenient than the check of a document: it cannot follow references or render templates.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    Registry,
    sensor::{Patience, Sensor},
};

/// The schema of an operator's arguments.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Value::Object(schema) = &mut schema {
        schema.remove("title");
        schema.remove("description");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

/// The schema of a sensor's arguments, with those of all sensors.
pub(crate) fn of_sensor<T: Sensor>() -> Value {
    let mut schema = of::<T>();
    let mut common = of::<Patience>();
    if let (Some(own), Some(common)) = (schema["properties"].as_object_mut(), common["properties"].as_object_mut()) {
        own.append(common);
    }
    schema
}

/// Returns the JSON Schema of DAG documents in the Flow dialect.
pub fn dag_schema(registry: &Registry) -> Value {
    let mut names: Vec<&str> = Vec::new();
    let mut rules: Vec<Value> = Vec::new();
    for entry in registry.entries() {
        let spec = &entry.spec;
        let mut ways: Vec<&str> = vec![spec.name];
        if !spec.class.is_empty() {
            ways.push(spec.class);
            ways.extend(spec.class.rsplit_once('.').map(|(_, last)| last));
        }
        let mut with = (spec.schema)();
        let required = with.as_object_mut().and_then(|with| with.remove("required"));
        open_arguments(&mut with, spec.templated);
        with["description"] = json!(spec.summary);
        let is_it = json!({ "properties": { "uses": { "enum": ways } }, "required": ["uses"] });
        rules.push(json!({ "if": is_it, "then": { "properties": { "with": with } } }));
        if let Some(required) = required {
            // What a template or a mapping brings is not written in the task itself.
            let elsewhere = ["extends", "expand", "expand_kwargs"].map(|key| json!({ "required": [key] }));
            let alone = json!({ "allOf": [is_it, { "not": { "anyOf": elsewhere } }] });
            let then = json!({ "properties": { "with": { "required": required } }, "required": ["with"] });
            rules.push(json!({ "if": alone, "then": then }));
        }
        names.extend(ways);
    }
    document(&names, &rules)
}

/// Lets templates and references stand where they may.
fn open_arguments(with: &mut Value, templated: &[&str]) {
    let Some(properties) = with["properties"].as_object_mut() else { return };
    for (name, schema) in properties {
        let inner = schema.take();
        let described = inner.get("description").cloned();
        *schema = if templated.contains(&name.as_str()) {
            open(inner)
        } else {
            json!({ "anyOf": [inner, { "$ref": "#/$defs/constant" }] })
        };
        if let Some(described) = described {
            schema["description"] = described;
        }
    }
}

/// A value that may be a template or reference, and so may everything inside it.
fn open(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.values_mut().for_each(|inner| *inner = open(inner.take()));
        }
        for key in ["additionalProperties", "items"] {
            if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
                *inner = open(inner.take());
            }
        }
    }
    json!({ "anyOf": [schema, { "type": "string" }, { "$ref": "#/$defs/reference" }] })
}

/// The frame around tasks: every key of a DAG.
fn document(names: &[&str], rules: &[Value]) -> Value {
    let mut dag = keys(&[
        (
            "dag_id",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]+$", "maxLength": 250 }),
            "Unique id; by default the file's name.",
        ),
        ("dag_display_name", text(), "Name to show."),
        ("description", text(), "One line for lists."),
        ("doc_md", text(), "Documentation in Markdown."),
        ("tags", json!({ "type": "array", "items": { "type": "string" } }), "Words to find it by."),
        ("owner_links", json!({ "type": "object", "additionalProperties": { "type": "string" } }), "Links for owners."),
        (
            "access_control",
            json!({
                "type": "object",
                "additionalProperties": { "type": "array", "items": { "enum": ["can_read", "can_edit"] } },
            }),
            "Roles and users that may see it, and what they may do; by default everyone, as their role allows.",
        ),
        (
            "schedule",
            json!({ "type": ["string", "number", "array", "object", "null"] }),
            "When it runs: cron, an interval, a preset, a timetable, messages of Kafka.",
        ),
        ("timezone", text(), "IANA name; by default UTC."),
        ("start_date", time(), "No run before this."),
        ("end_date", time(), "No run after this."),
        ("catchup", flag(), "Make up for missed runs; by default only the latest."),
        ("catchup_window", span(), "How far back catchup reaches."),
        ("max_active_runs", count(1), "Runs at once; by default 16."),
        ("max_active_tasks", count(1), "Tasks of one run at once; by default 16."),
        ("max_consecutive_failed_dag_runs", count(0), "Pause after so many failed runs; 0 is never."),
        ("dagrun_timeout", span(), "A run that takes longer fails."),
        ("fail_fast", flag(), "The first failure ends the run."),
        ("is_paused_upon_creation", flag(), "Start paused."),
        ("params", json!({ "type": "object" }), "Parameters of a run, with their defaults."),
        ("default_args", json!({ "$ref": "#/$defs/task_arguments" }), "Task arguments for all tasks."),
        ("render_template_as_native_obj", flag(), "Templates yield values, not text."),
        (
            "templates",
            json!({ "type": "object", "additionalProperties": { "type": "object" } }),
            "Fragments for `extends`.",
        ),
        (
            "task_groups",
            json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/task_group" } }),
            "Boxes of tasks.",
        ),
        ("tasks", json!({ "type": "array", "items": { "$ref": "#/$defs/task" } }), "The tasks."),
        ("on_success_callback", callbacks(), "What to do when a run succeeds."),
        ("on_failure_callback", callbacks(), "What to do when a run fails."),
        ("deadline", json!({}), "When a run is late."),
        (
            "overlap_policy",
            json!({ "enum": ["queue", "skip", "cancel_running"] }),
            "What happens to a run that is due while another is active.",
        ),
    ]);
    dag.insert("$schema".to_owned(), text());
    let mut task_arguments = task_arguments();
    let own = keys(&[
        ("id", json!({ "type": "string", "maxLength": 250 }), "Unique in its DAG."),
        ("uses", json!({ "type": ["string", "null"], "examples": names }), "The operator; by default `empty`."),
        ("with", json!({ "type": "object" }), "The operator's arguments."),
        ("needs", json!({ "type": ["array", "string"], "items": { "type": "string" } }), "Upstream tasks and groups."),
        (
            "extends",
            json!({ "type": ["array", "string"], "items": { "type": "string" } }),
            "Fragments of `templates`, the last one wins.",
        ),
        ("group", text(), "The task group it is in."),
        ("if", json!({ "type": ["string", "boolean"] }), "An expression; when it does not hold, the task is skipped."),
        ("expand", json!({ "type": "object" }), "One task instance for each value."),
        ("expand_kwargs", json!({ "type": ["array", "object"] }), "One task instance for each map."),
        ("setup", flag(), "Makes what its teardown removes."),
        ("teardown", flag(), "Runs whatever happened."),
    ]);
    let arguments = task_arguments.clone();
    task_arguments.extend(own);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A DAG of Flow",
        "type": "object",
        "properties": dag,
        "required": ["tasks"],
        "additionalProperties": false,
        "$defs": {
            "task": {
                "type": "object", "properties": task_arguments, "required": ["id"], "additionalProperties": false,
                "allOf": rules,
            },
            "callback": {
                "type": "object",
                "properties": {
                    "uses": { "type": "string", "examples": ["email", "http", "slack", "bash"] },
                    "with": { "type": "object" },
                },
                "required": ["uses"],
                "additionalProperties": false,
                "allOf": rules,
            },
            "task_arguments": { "type": "object", "properties": arguments, "additionalProperties": false },
            "task_group": {
                "type": "object",
                "properties": {
                    "tooltip": text(), "display_name": text(), "parent": text(),
                    "needs": { "type": "array", "items": { "type": "string" } },
                },
                "additionalProperties": false,
            },
            "constant": {
                "type": "object", "properties": { "$const": {} }, "required": ["$const"], "additionalProperties": false,
            },
            "reference": {
                "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
                "properties": {
                    "$t": { "$ref": "#/$defs/template" }, "$template": { "$ref": "#/$defs/template" },
                    "$x": { "$ref": "#/$defs/xcom" }, "$xcom": { "$ref": "#/$defs/xcom" },
                    "$f": text(), "$file": text(), "$const": {},
                },
            },
            "template": {
                "anyOf": [text(), { "type": "object", "properties": { "$f": text(), "$file": text() }, "additionalProperties": false }],
            },
            "xcom": {
                "anyOf": [text(), {
                    "type": "object", "properties": { "task": text(), "key": text() }, "required": ["task"],
                    "additionalProperties": false,
                }],
            },
        },
    })
}

/// What every task takes beside its operator's arguments.
fn task_arguments() -> Map<String, Value> {
    keys(&[
        ("owner", text(), "Who answers for it."),
        ("retries", count(0), "How often it is tried again."),
        ("retry_delay", span(), "Time before the next try; by default 300 s."),
        (
            "retry_exponential_backoff",
            json!({ "type": ["boolean", "number"] }),
            "Factor by which the delay grows; true is 2.",
        ),
        ("max_retry_delay", span(), "Longest delay."),
        (
            "retry_on",
            json!({
                "type": "object",
                "properties": {
                    "exit_codes": { "type": "array", "items": { "type": "integer" } },
                    "http_status": { "type": "array", "items": { "type": "integer" } },
                    "sqlstate": { "type": "array", "items": { "type": "string" } },
                },
                "additionalProperties": false,
            }),
            "What is worth another try; anything else fails at once.",
        ),
        ("execution_timeout", span(), "A try that takes longer fails."),
        (
            "trigger_rule",
            json!({ "enum": flow_core::TriggerRule::ALL }),
            "When it may start, given its upstream tasks.",
        ),
        ("depends_on_past", flag(), "Wait for its own success in the run before."),
        ("wait_for_downstream", flag(), "Wait for what is directly downstream in the run before."),
        ("pool", text(), "The pool whose slots it takes."),
        ("pool_slots", count(1), "How many."),
        ("priority_weight", json!({ "type": "integer" }), "Higher goes first."),
        ("weight_rule", json!({ "enum": flow_core::dag::WeightRule::ALL }), "How weights add up along the graph."),
        ("queue", text(), "Workers that may take it."),
        ("start_date", time(), "Not for runs before this."),
        ("end_date", time(), "Not for runs after this."),
        ("max_active_tis_per_dag", count(1), "At once in all runs."),
        ("max_active_tis_per_dagrun", count(1), "At once in one run."),
        ("do_xcom_push", flag(), "Keep the result; by default true."),
        ("multiple_outputs", flag(), "One XCom for each key of the result."),
        ("inlets", json!({ "type": "array" }), "Assets it reads."),
        ("outlets", json!({ "type": "array" }), "Assets it writes."),
        ("params", json!({ "type": "object" }), "Parameters for this task."),
        ("doc_md", text(), "Documentation in Markdown."),
        ("task_display_name", text(), "Name to show."),
        ("map_index_template", text(), "Name of a mapped task instance."),
        ("run_as_user", text(), "The user to run as."),
        ("on_execute_callback", callbacks(), "What to do when it starts."),
        ("on_failure_callback", callbacks(), "What to do when it fails."),
        ("on_success_callback", callbacks(), "What to do when it succeeds."),
        ("on_retry_callback", callbacks(), "What to do when it is tried again."),
        ("on_skipped_callback", callbacks(), "What to do when it is skipped."),
        (
            "email",
            json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            "Addresses for the two below.",
        ),
        ("email_on_failure", flag(), "Send mail when it fails."),
        ("email_on_retry", flag(), "Send mail when it is tried again."),
    ])
}

fn keys(rows: &[(&str, Value, &str)]) -> Map<String, Value> {
    rows.iter()
        .map(|(name, schema, description)| {
            let mut schema = schema.clone();
            schema["description"] = json!(description);
            ((*name).to_owned(), schema)
        })
        .collect()
}

/// A list of callbacks, or one.
fn callbacks() -> Value {
    let one = json!({ "$ref": "#/$defs/callback" });
    json!({ "anyOf": [{ "type": "array", "items": one, "maxItems": 20 }, one, { "type": "null" }] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn count(least: u32) -> Value {
    json!({ "type": "integer", "minimum": least })
}

fn span() -> Value {
    json!({ "type": ["string", "number", "null"], "examples": ["5m", "1h30m"] })
}

fn time() -> Value {
    json!({ "type": ["string", "null"], "examples": ["2026-01-01"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_rule_and_every_reference_its_target() {
        let schema = dag_schema(&crate::all());
        let text = schema.to_string();
        for entry in crate::all().entries() {
            assert!(text.contains(&format!("[\"{}\"", entry.spec.name)), "{}", entry.spec.name);
        }
        let mut at = 0;
        while let Some(found) = text[at..].find("#/$defs/") {
            at += found + "#/$defs/".len();
            let name: String = text[at..].chars().take_while(|&c| c != '"').collect();
            assert!(schema["$defs"].get(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn templated_fields_are_fields() {
        for entry in crate::all().entries() {
            let schema = (entry.spec.schema)();
            for name in entry.spec.templated {
                assert!(schema["properties"].get(name).is_some(), "{}: {name}", entry.spec.name);
            }
        }
    }

    #[test]
    fn a_sensor_takes_the_common_arguments() {
        let schema = of_sensor::<crate::operators::wait::Wait>();
        for name in crate::sensor::COMMON {
            assert!(schema["properties"].get(name).is_some(), "{name}");
        }
        let common = of::<Patience>();
        let known: Vec<_> = common["properties"].as_object().unwrap().keys().collect();
        assert_eq!(known, crate::sensor::COMMON);
    }

    #[test]
    fn required_arguments_are_only_required_in_the_task_itself() {
        let schema = dag_schema(&crate::all());
        let rules = schema["$defs"]["task"]["allOf"].as_array().unwrap();
        let bash: Vec<_> = rules.iter().filter(|rule| rule.to_string().contains("\"bash\"")).collect();
        assert_eq!(bash.len(), 2);
        assert_eq!(bash[1]["then"]["properties"]["with"]["required"], json!(["bash_command"]));
    }
}
