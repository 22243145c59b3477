//! `uses`: which operator a task names, and what that operator's arguments are called.

use std::sync::Arc;

use super::{Cx, keys};
use crate::{
    catalog::{Catalog, OperatorSpec},
    dag::{nearest, place::Place, yaml::Entry},
};

/// What is known of an operator's arguments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Names of its arguments.
    pub(crate) names: Vec<String>,
    /// The JSON schema of all of them.
    pub(crate) schema: serde_json::Value,
}

/// Airflow's classes that Flow has no operator for, and what to use instead. By the last segment.
const INSTEAD: &[(&str, &str)] = &[
    ("PythonOperator", "use `python` with a `script` or `file`; it runs in a process of its own"),
    ("PythonVirtualenvOperator", "use `python` with `requirements`"),
    ("ExternalPythonOperator", "use `python` with `python: /path/to/interpreter`"),
    ("BranchPythonOperator", "use `branch` with `choose`"),
    ("BranchExternalPythonOperator", "use `branch` with `choose`"),
    ("BranchPythonVirtualenvOperator", "use `branch` with `choose`"),
    ("ShortCircuitOperator", "use `short_circuit` with `condition`"),
    ("PythonSensor", "use `bash_sensor` with a command that succeeds when it is time"),
    ("DockerOperator", "use `bash` with `docker run …`"),
    ("KubernetesPodOperator", "use `bash` with `kubectl run …`"),
    ("SSHOperator", "use `bash` with `ssh …`"),
    ("SFTPOperator", "use `bash` with `sftp …`"),
    ("SparkSubmitOperator", "use `bash` with `spark-submit …`"),
    ("PostgresOperator", "use `sql`"),
    ("MySqlOperator", "use `sql`"),
    ("SqliteOperator", "use `sql`"),
    ("SimpleHttpOperator", "use `http`"),
    ("DummyOperator", "use `empty`"),
    ("DateTimeSensorAsync", "use `datetime_sensor`; no waiting sensor holds a slot"),
    ("TimeSensorAsync", "use `time_sensor`; no waiting sensor holds a slot"),
    ("TimeDeltaSensorAsync", "use `time_delta_sensor`; no waiting sensor holds a slot"),
    ("SubDagOperator", "use `task_groups`, or `trigger_dag`"),
];

impl<'a> Cx<'a, '_, '_> {
    /// Finds the operator that `uses` names; without one it is `empty`.
    pub(super) fn operator(&mut self, uses: Option<&Entry>, id_place: Place) -> Option<&'a OperatorSpec> {
        let catalog: &'a Catalog = self.catalog;
        let Some(entry) = uses.filter(|entry| !entry.value.is_null()) else {
            let empty = catalog.by_name("empty");
            if empty.is_none() {
                self.error(id_place, "a task without `uses` needs the operator `empty`, which is not installed");
            }
            return empty;
        };
        let name = self.text(entry)?;
        if name.is_empty() {
            self.error(entry.place(), "`uses` has no value");
            return None;
        }
        let found = catalog.by_name(&name).or_else(|| catalog.by_class(&name));
        if self.is_airflow() {
            if let Some(spec) = catalog.all().iter().find(|spec| spec.class == name) {
                return Some(spec);
            }
            if let Some(spec) = found {
                let message = format!("in the Airflow dialect `uses` takes a full class path, not `{name}`");
                let help = match spec.class {
                    "" => format!("Airflow has no operator like `{}`; remove `$schema` to use it", spec.name),
                    class => format!("write `{class}`"),
                };
                self.error_with(entry.place(), message, help);
                return None;
            }
        } else if found.is_some() {
            return found;
        }
        self.unknown_operator(entry, &name);
        None
    }

    fn unknown_operator(&mut self, entry: &Entry, name: &str) {
        let last = name.rsplit('.').next().unwrap_or(name);
        let instead = INSTEAD.iter().find(|(class, _)| *class == last).map(|(_, help)| (*help).to_owned());
        let moved = self.catalog.all().iter().find(|spec| spec.class.rsplit('.').next() == Some(last));
        let is_class = name.contains('.') || instead.is_some();
        if is_class && (instead.is_some() || moved.is_none()) {
            let message = format!("Flow has no operator for Airflow's class `{name}`");
            let help = instead.or_else(|| self.near_operator(last));
            self.error_with(entry.place(), message, help);
            return;
        }
        let help = match moved {
            Some(spec) if self.is_airflow() => Some(format!("did you mean `{}`?", spec.class)),
            Some(spec) => Some(format!("did you mean `{}`?", spec.name)),
            None => self.near_operator(name),
        };
        self.error_with(entry.place(), format!("unknown operator `{name}`"), help);
    }

    fn near_operator(&self, name: &str) -> Option<String> {
        let specs = self.catalog.all();
        let names = specs.iter().map(|spec| spec.name);
        let classes = specs.iter().filter_map(|spec| spec.class.rsplit('.').next()).filter(|class| !class.is_empty());
        self.did_you_mean(name, names.clone().chain(classes))
            .or_else(|| Some(format!("there are: {}", nearest::some_of(names, 12))))
    }

    /// Returns what is known of an operator's arguments.
    pub(super) fn facts(&mut self, spec: &OperatorSpec) -> Arc<Facts> {
        let known = self.operators.entry(spec.name).or_insert_with(|| {
            let schema = (spec.schema)();
            let properties = schema.get("properties").and_then(|properties| properties.as_object());
            let mut names: Vec<String> = properties.map(|all| all.keys().cloned().collect()).unwrap_or_default();
            names.extend(spec.templated.iter().map(|name| (*name).to_owned()));
            if spec.is_sensor {
                names.extend(keys::SENSOR.iter().map(|name| (*name).to_owned()));
            }
            names.sort();
            names.dedup();
            Arc::new(Facts { names, schema })
        });
        Arc::clone(known)
    }
}

impl Facts {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// Follows `$ref` in a schema, a few steps at most.
fn resolved<'s>(schema: &'s serde_json::Value, root: &'s serde_json::Value) -> &'s serde_json::Value {
    let mut at = schema;
    for _ in 0..8 {
        let Some(pointer) = at.get("$ref").and_then(|reference| reference.as_str()) else { break };
        let Some(next) = pointer.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else { break };
        at = next;
    }
    at
}

/// Returns the schema of a key of a map.
pub(super) fn of_key<'s>(
    schema: &'s serde_json::Value,
    root: &'s serde_json::Value,
    key: &str,
) -> Option<&'s serde_json::Value> {
    alternatives(schema, root).into_iter().find_map(|schema| {
        schema
            .get("properties")
            .and_then(|properties| properties.get(key))
            .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
    })
}

/// Returns the schema of a list's items.
pub(super) fn of_items<'s>(
    schema: &'s serde_json::Value,
    root: &'s serde_json::Value,
) -> Option<&'s serde_json::Value> {
    alternatives(schema, root).into_iter().find_map(|schema| schema.get("items").filter(|items| items.is_object()))
}

/// Says whether only text (or nothing) fits.
pub(super) fn is_text_only(schema: &serde_json::Value, root: &serde_json::Value) -> bool {
    let all = alternatives(schema, root);
    let kinds = all.iter().map(|schema| match schema.get("type") {
        Some(serde_json::Value::String(kind)) => vec![kind.as_str()],
        Some(serde_json::Value::Array(kinds)) => kinds.iter().filter_map(|kind| kind.as_str()).collect(),
        _ => vec!["?"],
    });
    let kinds: Vec<&str> = kinds.flatten().collect();
    kinds.contains(&"string") && kinds.iter().all(|kind| matches!(*kind, "string" | "null"))
}

/// Returns a schema, or the alternatives it is made of.
fn alternatives<'s>(schema: &'s serde_json::Value, root: &'s serde_json::Value) -> Vec<&'s serde_json::Value> {
    let schema = resolved(schema, root);
    let several = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key).and_then(|list| list.as_array()));
    match several {
        Some(list) => list.iter().map(|one| resolved(one, root)).collect(),
        None => vec![schema],
    }
}
