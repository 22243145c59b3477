//! The JSON schema of DAG files in Flow's dialect.
//!
//! The keys of documents and tasks are listed here, the arguments of operators come from the operators. It helps
//! editors complete and check; what a file really means, and every error, is `flow_core::dag`'s business.

use flow_core::{TriggerRule, catalog::Catalog};
use serde_json::{Map, Value, json};

/// Keys of a document: name, definition.
fn dag_keys() -> Vec<(&'static str, Value)> {
    vec![
        ("$schema", json!({"type": "string"})),
        (
            "dag_id",
            json!({"type": "string", "pattern": "^[A-Za-z0-9_.-]+$", "maxLength": 250, "description": "Unique name. Default: the file's name without its ending."}),
        ),
        ("dag_display_name", text("Name on screen.")),
        ("description", text("One line about the DAG.")),
        ("doc_md", text("What the DAG is for, in Markdown.")),
        ("tags", list_of(json!({"type": "string"}), "Words to find it by.")),
        (
            "owner_links",
            json!({"type": "object", "additionalProperties": {"type": "string"}, "description": "A link for each owner."}),
        ),
        ("schedule", json!({"$ref": "#/$defs/schedule"})),
        ("timezone", text("IANA name such as Europe/Berlin. Default: UTC.")),
        ("start_date", time("No run before this.")),
        ("end_date", time("No run after this.")),
        ("catchup", flag("Make up for every missed moment, not only the newest. Default: false.")),
        ("catchup_window", duration("How far back catchup reaches.")),
        ("max_active_runs", count("Most runs at once. Default: 16.")),
        ("max_active_tasks", count("Most tasks of a run at once. Default: 16.")),
        ("max_consecutive_failed_dag_runs", whole("Pause the DAG after so many failed runs in a row. 0: never.")),
        ("dagrun_timeout", duration("A run that takes longer is failed.")),
        ("fail_fast", flag("The first failure ends the run.")),
        ("is_paused_upon_creation", flag("Paused when it is first seen.")),
        (
            "overlap_policy",
            json!({"enum": ["queue", "skip", "cancel_running"], "description": "What happens when a run is due while others are active."}),
        ),
        (
            "params",
            json!({"type": "object", "description": "Values a run may be given: a default, or a JSON schema with one."}),
        ),
        (
            "default_args",
            json!({"type": "object", "description": "Keys for every task that does not have them itself."}),
        ),
        ("render_template_as_native_obj", flag("Templates keep numbers, lists and maps.")),
        (
            "templates",
            json!({"type": "object", "additionalProperties": {"type": "object"}, "description": "Pieces of tasks, for `extends`."}),
        ),
        ("task_groups", json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/group"}})),
        ("tasks", list_of(json!({"$ref": "#/$defs/task"}), "What there is to do.")),
        ("on_success_callback", json!({"$ref": "#/$defs/callbacks"})),
        ("on_failure_callback", json!({"$ref": "#/$defs/callbacks"})),
        ("deadline", json!({})),
    ]
}

/// Keys of a task: name, definition.
fn task_keys() -> Vec<(&'static str, Value)> {
    let rules: Vec<&str> = TriggerRule::ALL.iter().map(|rule| rule.as_str()).collect();
    let mut keys = vec![
        ("id", json!({"type": "string", "maxLength": 250, "description": "Unique in its DAG."})),
        ("uses", json!({"type": ["string", "null"], "description": "The operator. Default: empty."})),
        ("with", json!({"type": "object", "description": "The operator's arguments."})),
        ("needs", json!({"$ref": "#/$defs/names", "description": "Tasks and groups that must be done before."})),
        (
            "extends",
            json!({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/names"}], "description": "Templates it starts from."}),
        ),
        ("group", text("The group it is in.")),
        (
            "if",
            json!({"type": ["string", "boolean"], "description": "An expression; when it is falsy the task is skipped."}),
        ),
        ("expand", json!({"type": "object"})),
        ("expand_kwargs", json!({})),
        ("setup", flag("Prepares something that a teardown removes.")),
        ("teardown", flag("Cleans up, whatever happened before.")),
        ("task_display_name", text("Name on screen.")),
        ("doc_md", text("What the task is for, in Markdown.")),
        ("owner", text("Who looks after it.")),
        ("retries", whole("How often a failed task is tried again. Default: 0.")),
        ("retry_delay", duration("Wait before the next try. Default: 300 s.")),
        (
            "retry_exponential_backoff",
            json!({"type": ["number", "boolean"], "description": "Factor by which the wait grows; true is 2."}),
        ),
        ("max_retry_delay", duration("Longest wait.")),
        (
            "retry_on",
            json!({"type": "object", "properties": {"exit_codes": list_of(json!({"type": "integer"}), ""), "http_status": list_of(json!({"type": "integer"}), ""), "sqlstate": list_of(json!({"type": "string"}), "")}, "additionalProperties": false, "description": "Failures worth another try; others fail at once."}),
        ),
        ("execution_timeout", duration("A try that takes longer has failed.")),
        (
            "trigger_rule",
            json!({"enum": rules, "description": "When it may start, given its upstream tasks. Default: all_success."}),
        ),
        ("depends_on_past", flag("Only when the same task of the run before succeeded.")),
        ("wait_for_downstream", flag("Only when what follows the same task of the run before succeeded too.")),
        ("pool", text("Pool it takes slots from. Default: default_pool.")),
        ("pool_slots", count("How many. Default: 1.")),
        (
            "priority_weight",
            json!({"type": "integer", "description": "The higher, the sooner it gets a slot. Default: 1."}),
        ),
        ("weight_rule", json!({"enum": ["downstream", "upstream", "absolute"]})),
        ("queue", text("Queue of the workers that may run it. Default: default.")),
        ("start_date", time("Not part of runs before this.")),
        ("end_date", time("Not part of runs after this.")),
        ("max_active_tis_per_dag", count("Most of this task at once, over all runs.")),
        ("max_active_tis_per_dagrun", count("Most of this task at once in a run.")),
        ("do_xcom_push", flag("Keep its result. Default: true.")),
        ("multiple_outputs", flag("Keep each key of its result as one.")),
        ("inlets", json!({"type": "array"})),
        ("outlets", json!({"type": "array"})),
        ("params", json!({"type": "object"})),
        ("map_index_template", text("Name of each mapped instance.")),
        ("run_as_user", text("")),
        ("email", json!({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/names"}]})),
        ("email_on_failure", flag("")),
        ("email_on_retry", flag("")),
    ];
    for name in [
        "on_execute_callback",
        "on_failure_callback",
        "on_success_callback",
        "on_retry_callback",
        "on_skipped_callback",
    ] {
        keys.push((name, json!({"$ref": "#/$defs/callbacks"})));
    }
    keys
}

/// Returns the schema.
pub(super) fn schema(catalog: &Catalog) -> Value {
    let mut defs = Map::new();
    let names = json!({"type": "array", "items": {"type": "string"}});
    defs.insert("names".to_owned(), names);
    defs.insert(
        "duration".to_owned(),
        json!({"type": ["string", "number"], "examples": ["30s", "5m", "1h30m", "PT5M"]}),
    );
    defs.insert("time".to_owned(), json!({"type": "string", "examples": ["2026-01-01", "2026-01-01T03:00:00+01:00"]}));
    defs.insert("callbacks".to_owned(), json!({"type": ["array", "object"]}));
    defs.insert("schedule".to_owned(), schedule());
    let group = json!({"type": ["object", "null"], "additionalProperties": false, "properties": {
        "tooltip": text("Shown when pointed at."), "display_name": text("Name on screen."),
        "parent": text("The group it is in."), "needs": {"$ref": "#/$defs/names"}}});
    defs.insert("group".to_owned(), group);
    defs.insert("task".to_owned(), task(catalog));
    for operator in catalog.all() {
        defs.insert(format!("with_{}", operator.name), inlined((operator.schema)(), operator.name, operator.summary));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A DAG of Flow",
        "type": "object",
        "required": ["tasks"],
        "additionalProperties": false,
        "properties": object(dag_keys()),
        "$defs": defs,
    })
}

fn task(catalog: &Catalog) -> Value {
    let mut keys = object(task_keys());
    let mut known: Vec<Value> = vec![Value::Null];
    known.extend(catalog.all().iter().map(|operator| Value::from(operator.name)));
    known.extend(catalog.all().iter().filter(|operator| !operator.class.is_empty()).map(|one| Value::from(one.class)));
    if let Some(uses) = keys.get_mut("uses").and_then(Value::as_object_mut) {
        // Shortened class paths are right as well, so this completes but does not forbid.
        uses.insert("examples".to_owned(), Value::from(known));
    }
    let arguments: Vec<Value> = catalog
        .all()
        .iter()
        .map(|operator| {
            let names: Vec<&str> = [operator.name, operator.class].into_iter().filter(|name| !name.is_empty()).collect();
            let with = json!({"$ref": format!("#/$defs/with_{}", operator.name)});
            json!({"if": {"properties": {"uses": {"enum": names}}, "required": ["uses"]}, "then": {"properties": {"with": with}}})
        })
        .collect();
    let mut task = json!({"type": "object", "required": ["id"], "additionalProperties": false, "properties": keys});
    if !arguments.is_empty() {
        task["allOf"] = Value::from(arguments);
    }
    task
}

/// Takes an operator's schema into this one: without its own `$schema`, its references pointing to their place
/// here, nothing required (a template of `extends` may have it) and room for `$t`, `$x`, `$f` in every argument.
fn inlined(mut schema: Value, name: &str, summary: &str) -> Value {
    repoint(&mut schema, &format!("#/$defs/with_{name}/$defs/"));
    if let Some(fields) = schema.as_object_mut() {
        for key in ["$schema", "title", "required"] {
            fields.remove(key);
        }
        fields.insert("description".to_owned(), Value::from(summary));
        if let Some(arguments) = fields.get_mut("properties").and_then(Value::as_object_mut) {
            for (_, argument) in arguments.iter_mut() {
                let plain = argument.take();
                let description = plain.get("description").cloned().unwrap_or_default();
                let marked = json!({"type": "object", "minProperties": 1, "patternProperties": {"^\\$": {}}, "additionalProperties": false});
                *argument = json!({"description": description, "anyOf": [plain, marked, {"type": "string", "pattern": "\\{[{%]"}]});
            }
        }
    }
    schema
}

fn repoint(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                let target =
                    field.as_str().filter(|_| key == "$ref").and_then(|target| target.strip_prefix("#/$defs/"));
                match target {
                    Some(rest) => *field = Value::from(format!("{place}{rest}")),
                    None => repoint(field, place),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| repoint(item, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn schedule() -> Value {
    json!({
        "description": "When it runs: cron, a preset, an interval, a list of crons, or a timetable.",
        "anyOf": [
            {"type": "null"},
            {"type": "string", "examples": ["0 3 * * *", "@daily", "@hourly", "@once", "5m"]},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "object", "required": ["uses"], "properties": {"uses": {"type": "string"}, "with": {"type": "object"}}},
            {"type": "object", "minProperties": 1, "properties": {"assets": {}, "any": {}, "all": {}, "kafka": {}}, "additionalProperties": false},
        ],
    })
}

fn object(keys: Vec<(&'static str, Value)>) -> Map<String, Value> {
    keys.into_iter().map(|(name, definition)| (name.to_owned(), definition)).collect()
}

fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

fn flag(about: &str) -> Value {
    json!({"type": "boolean", "description": about})
}

fn count(about: &str) -> Value {
    json!({"type": "integer", "minimum": 1, "description": about})
}

fn whole(about: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": about})
}

fn duration(about: &str) -> Value {
    json!({"$ref": "#/$defs/duration", "description": about})
}

fn time(about: &str) -> Value {
    json!({"$ref": "#/$defs/time", "description": about})
}

fn list_of(items: Value, about: &str) -> Value {
    json!({"type": "array", "items": items, "description": about})
}

#[cfg(test)]
mod tests {
    use flow_core::catalog::OperatorSpec;

    use super::*;

    fn bash() -> OperatorSpec {
        OperatorSpec {
            name: "bash",
            class: "airflow.BashOperator",
            summary: "Runs a command.",
            templated: &[],
            is_sensor: false,
            is_branch: false,
            is_inline: false,
            check: |_| Vec::new(),
            schema: || json!({"$schema": "x", "type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}),
        }
    }

    #[test]
    fn an_operators_arguments_are_taken_in() {
        let schema = schema(&Catalog::new(vec![bash()]));
        let with = &schema["$defs"]["with_bash"];
        assert_eq!(with["properties"]["a"]["anyOf"][0]["$ref"], "#/$defs/with_bash/$defs/A");
        assert_eq!(with.get("required"), None);
        assert_eq!(schema["$defs"]["task"]["allOf"][0]["then"]["properties"]["with"]["$ref"], "#/$defs/with_bash");
    }

    #[test]
    fn every_reference_has_a_target() {
        let schema = schema(&Catalog::new(vec![bash()]));
        let mut references = Vec::new();
        collect(&schema, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let target = schema.pointer(reference.trim_start_matches('#'));
            assert!(target.is_some(), "{reference}");
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    if let (true, Some(target)) = (key == "$ref", field.as_str()) {
                        references.push(target.to_owned());
                    }
                    collect(field, references);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
