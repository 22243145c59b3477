//! The hash of what a DAG means.
//!
//! SHA-256 over canonical JSON of the checked model: maps sorted by key, groups by id, arguments by name. So
//! comments, white space, the order of keys and the spelling of a value (`5m` or `300`) do not count; anything
//! that could make a run differ does.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Arg, Callback, Callbacks, Dag};

/// Counts up when the model changes so that old hashes must not be taken for new ones.
const VERSION: u32 = 1;

/// Returns the hash, hexadecimal.
pub(crate) fn of(dag: &Dag) -> String {
    let mut value = serde_json::to_value(dag).unwrap_or_default();
    let group_id = |ix: Option<usize>| ix.and_then(|ix| dag.groups.get(ix)).map(|group| group.id.as_str());
    if let Some(tasks) = value.get_mut("tasks").and_then(Value::as_array_mut) {
        for (shown, task) in tasks.iter_mut().zip(&dag.tasks) {
            shown["with"] = map(&task.with);
            shown["group"] = json!(group_id(task.group));
            if !task.callbacks.is_empty() {
                shown["callbacks"] = callbacks(&task.callbacks);
            }
        }
    }
    if !dag.callbacks.is_empty() {
        value["callbacks"] = callbacks(&dag.callbacks);
    }
    let groups = dag.groups.iter().map(|group| {
        let parent = group_id(group.parent);
        (group.id.clone(), json!({"parent": parent, "tooltip": group.tooltip, "display_name": group.display_name}))
    });
    value["groups"] = Value::Object(groups.collect());
    value["model"] = json!(VERSION);
    let mut hasher = Sha256::new();
    // Hashing takes everything; what could fail is a value that JSON cannot hold, and this is one of JSON.
    let _ = serde_json::to_writer(&mut hasher, &canonical(value));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tells a template from a text that looks like one.
fn arg(arg: &Arg) -> Value {
    match arg {
        Arg::Value(value) => json!({ "value": value }),
        Arg::List(items) => json!({ "list": items.iter().map(self::arg).collect::<Vec<_>>() }),
        Arg::Map(pairs) => json!({ "map": map(pairs) }),
        Arg::Template { source } => json!({ "template": source }),
        Arg::XCom { task, key } => json!({ "xcom": task, "key": key }),
    }
}

fn map(pairs: &[(String, Arg)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| (key.clone(), arg(value))).collect())
}

fn callbacks(all: &Callbacks) -> Value {
    let list = |list: &[Callback]| list.iter().map(|one| json!([one.operator, map(&one.with)])).collect::<Value>();
    Value::Object(all.0.iter().map(|(event, some)| (event.as_str().to_owned(), list(some))).collect())
}

/// Sorts the keys of every map.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, canonical(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(pairs))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
