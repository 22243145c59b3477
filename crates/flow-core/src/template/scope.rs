//! What a template sees: `ds`, `dag`, `ti`, `params`, `var`, `conn`, `macros` and the rest.
//!
//! Everything is made when it is asked for, so that a template that names no variable never touches the store.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use minijinja::{
    Error, ErrorKind, State, Value,
    value::{Enumerator, Object},
};
use serde_json::{Map, Value as Json};

use super::{
    Context,
    args::{Args, bad, bad_with_help},
    json,
    macros::Macros,
    moment::{Moment, utc, utc_or_none},
    records,
};
use crate::{dag::Dialect, id::TaskId, run::DagRun};

/// Every name, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "conn",
    "dag",
    "dag_run",
    "data_interval_end",
    "data_interval_start",
    "ds",
    "ds_nodash",
    "inlets",
    "logical_date",
    "macros",
    "outlets",
    "params",
    "prev_data_interval_end_success",
    "prev_data_interval_start_success",
    "prev_end_date_success",
    "prev_start_date_success",
    "run_id",
    "task",
    "task_instance",
    "task_instance_key_str",
    "ti",
    "triggering_asset_events",
    "ts",
    "ts_nodash",
    "ts_nodash_with_tz",
    "var",
];

/// Names that a run without a logical date does not have.
pub(super) const NEEDS_LOGICAL_DATE: &[&str] = &[
    "data_interval_end",
    "data_interval_start",
    "ds",
    "ds_nodash",
    "logical_date",
    "prev_data_interval_end_success",
    "prev_data_interval_start_success",
    "ts",
    "ts_nodash",
    "ts_nodash_with_tz",
];

/// The outermost scope of every template of one attempt.
pub(super) struct Root {
    asked: Arc<Asked>,
    /// Names that only this rendering has.
    extra: Map<String, Json>,
    made: Mutex<BTreeMap<&'static str, Value>>,
}

impl Root {
    /// Makes the scope of an attempt.
    pub(super) fn value(cx: &Context, extra: Map<String, Json>) -> Value {
        let asked = Asked { cx: cx.clone(), previous: OnceLock::new() };
        Value::from_object(Self { asked: Arc::new(asked), extra, made: Mutex::default() })
    }

    /// Says whether the run has a logical date.
    pub(super) fn has_logical_date(&self) -> bool {
        self.asked.cx.run.logical_date.is_some()
    }

    /// The run's id.
    pub(super) fn run_id(&self) -> &str {
        self.asked.cx.run.run_id.as_str()
    }

    /// Makes the value of a name; `None` when it is undefined.
    fn make(&self, name: &str) -> Option<Value> {
        let cx = &self.asked.cx;
        let run = &*cx.run;
        let logical = |write: fn(&Moment) -> String| {
            let moment = Moment::Zoned(run.logical_date?.to_jiff().to_zoned(jiff::tz::TimeZone::UTC));
            Some(Value::from(write(&moment)))
        };
        Some(match name {
            "ds" => logical(|at| at.strftime("%Y-%m-%d"))?,
            "ds_nodash" => logical(|at| at.strftime("%Y%m%d"))?,
            "ts" => logical(|at| at.isoformat('T'))?,
            "ts_nodash" => logical(|at| at.strftime("%Y%m%dT%H%M%S"))?,
            "ts_nodash_with_tz" => logical(|at| at.isoformat('T').replace(['-', ':'], ""))?,
            "logical_date" => utc(run.logical_date?),
            "data_interval_start" => utc(run.data_interval?.start),
            "data_interval_end" => utc(run.data_interval?.end),
            "prev_data_interval_start_success" => {
                run.logical_date?;
                self.asked.previous(|run| Some(run.data_interval?.start))
            }
            "prev_data_interval_end_success" => {
                run.logical_date?;
                self.asked.previous(|run| Some(run.data_interval?.end))
            }
            "prev_start_date_success" => self.asked.previous(|run| run.started_at),
            "prev_end_date_success" => self.asked.previous(|run| run.ended_at),
            "run_id" => Value::from(run.run_id.as_str()),
            "dag" => records::dag(cx),
            "task" => records::task(cx),
            "ti" | "task_instance" => records::task_instance(&self.asked),
            "dag_run" => records::dag_run(cx),
            "params" => json::from_json(&Json::Object(super::params(&cx.dag, cx.task, &run.conf))),
            "var" => Record::new(
                "<var>",
                vec![("value", self.store(Shelf::Variables)), ("json", self.store(Shelf::JsonVariables))],
            )
            .into(),
            "conn" => self.store(Shelf::Connections),
            "inlets" | "outlets" => Value::from(Vec::<Value>::new()),
            "triggering_asset_events" => json::from_json(&Json::Object(Map::new())),
            "macros" => Macros::value(cx.now, cx.seed),
            "task_instance_key_str" => {
                let last = run.logical_date.map_or_else(
                    || run.run_id.as_str().to_owned(),
                    |at| at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%d").to_string(),
                );
                Value::from(format!("{}__{}__{last}", cx.dag.id, cx.dag.task(cx.task).id))
            }
            _ => return None,
        })
    }

    fn store(&self, shelf: Shelf) -> Value {
        Value::from_object(Store { asked: Arc::clone(&self.asked), shelf })
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<context>")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(value) = self.extra.get(key) {
            return Some(json::from_json(value));
        }
        let name = *NAMES.iter().find(|name| **name == key)?;
        if let Some(value) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(value.clone());
        }
        let value = self.make(name)?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(name, value.clone());
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(NAMES)
    }
}

/// The context, and what the store has answered already.
pub(super) struct Asked {
    pub(super) cx: Context,
    previous: OnceLock<Result<Option<DagRun>, String>>,
}

impl Asked {
    /// A time of the latest successful run; `None` when there is none.
    fn previous(&self, time: impl Fn(&DagRun) -> Option<crate::time::Timestamp>) -> Value {
        match self.previous.get_or_init(|| self.cx.facts.previous_success()) {
            Ok(run) => utc_or_none(run.as_ref().and_then(time)),
            Err(reason) => Value::from(bad(reason.clone())),
        }
    }

    /// `ti.xcom_pull(task_ids=…, key=…, map_indexes=…, default=…)`.
    pub(super) fn xcom_pull(&self, args: &[Value]) -> Result<Value, Error> {
        let mut args = Args::new("xcom_pull", args)?;
        let tasks = args.optional("task_ids")?.filter(|value| !value.is_none());
        let dag = args.optional("dag_id")?.filter(|value| !value.is_none());
        let key = args.optional("key")?.filter(|value| !value.is_none());
        let prior = args.optional("include_prior_dates")?;
        // In Airflow, everything from here on is given by name.
        let indexes = args.keyword("map_indexes")?.filter(|value| !value.is_none());
        let default = args.keyword("default")?.unwrap_or_else(|| Value::from(()));
        let run = args.keyword("run_id")?.filter(|value| !value.is_none());
        args.finish()?;
        let elsewhere = dag.is_some_and(|dag| dag.as_str() != Some(self.cx.dag.id.as_str()))
            || run.is_some_and(|run| run.as_str() != Some(self.cx.run.run_id.as_str()))
            || prior.is_some_and(|prior| prior.is_true());
        if elsewhere {
            return Err(bad("xcom_pull() reads only what tasks of this run have pushed"));
        }
        let key = key.map_or_else(|| "return_value".to_owned(), |key| key.to_string());
        let one = |task: &Value| -> Result<Value, Error> {
            let id = task.as_str().ok_or_else(|| bad(format!("`{task}` is not a task id")))?;
            self.pull_task(id, &key, indexes.as_ref(), &default)
        };
        match tasks {
            None => one(&Value::from(self.cx.dag.task(self.cx.task).id.as_str())),
            Some(tasks) if tasks.as_str().is_some() => one(&tasks),
            Some(tasks) => {
                tasks.try_iter()?.checked().map(|task| one(&task?)).collect::<Result<Vec<_>, _>>().map(Value::from)
            }
        }
    }

    fn pull_task(&self, id: &str, key: &str, indexes: Option<&Value>, default: &Value) -> Result<Value, Error> {
        let task = TaskId::new(id);
        if self.cx.dag.task_ix(&task).is_none() {
            if self.cx.dag.dialect == Dialect::Airflow {
                return Ok(default.clone());
            }
            return Err(bad(format!("xcom_pull() names task `{id}`, which this DAG does not have")));
        }
        let one = |index: Option<i32>| match self.cx.facts.xcom(&task, key, index) {
            Ok(Some(value)) => Ok(json::from_json(&value)),
            Ok(None) => Ok(default.clone()),
            Err(reason) => Err(bad(reason)),
        };
        let index = |value: &Value| {
            let index = value.as_i64().and_then(|index| i32::try_from(index).ok());
            index.ok_or_else(|| bad(format!("`{value}` is not a map index")))
        };
        match indexes {
            None => one(None),
            Some(only) if only.is_number() => one(Some(index(only)?)),
            Some(several) => several
                .try_iter()?
                .checked()
                .map(|item| one(Some(index(&item?)?)))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from),
        }
    }
}

/// Which things of the store are looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shelf {
    Variables,
    JsonVariables,
    Connections,
}

/// `var.value`, `var.json`, `conn`: a name is looked up when it is asked for.
struct Store {
    asked: Arc<Asked>,
    shelf: Shelf,
}

impl Store {
    /// Looks a name up; `None` when there is none.
    fn find(&self, key: &str) -> Result<Option<Value>, Error> {
        let facts = &self.asked.cx.facts;
        match self.shelf {
            Shelf::Variables => Ok(facts.variable(key).map_err(bad)?.map(Value::from)),
            Shelf::JsonVariables => {
                let Some(text) = facts.variable(key).map_err(bad)? else { return Ok(None) };
                let json: Json = serde_json::from_str(&text).map_err(|_| {
                    bad_with_help(
                        format!("variable `{key}` is not JSON"),
                        format!("read it as text with `var.value.{key}`"),
                    )
                })?;
                Ok(Some(json::from_json(&json)))
            }
            Shelf::Connections => Ok(facts.connection(key).map_err(bad)?.map(|json| records::connection(key, &json))),
        }
    }

    fn missing(&self, key: &str) -> Error {
        match self.shelf {
            Shelf::Variables | Shelf::JsonVariables => bad_with_help(
                format!("variable `{key}` does not exist"),
                format!("set it with `flow variables set {key} VALUE`"),
            ),
            Shelf::Connections => bad_with_help(
                format!("connection `{key}` does not exist"),
                format!("add it with `flow connections set {key} URI`"),
            ),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.shelf {
            Shelf::Variables | Shelf::JsonVariables => "<variables>",
            Shelf::Connections => "<connections>",
        })
    }
}

impl Object for Store {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = self.find(key).and_then(|value| value.ok_or_else(|| self.missing(key)));
        Some(found.unwrap_or_else(Value::from))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if method != "get" {
            return Err(bad(format!("{:?} have no method `{method}`", self)));
        }
        let mut args = Args::new("get", args)?;
        let key = args.text(if self.shelf == Shelf::Connections { "conn_id" } else { "key" })?;
        let default = args.optional(if self.shelf == Shelf::Connections { "default_conn" } else { "default_var" })?;
        let default = match default {
            Some(default) => Some(default),
            None => args.keyword("default")?,
        };
        args.finish()?;
        match (self.find(&key)?, default) {
            (Some(value), _) | (None, Some(value)) => Ok(value),
            (None, None) => Err(self.missing(&key)),
        }
    }
}

/// What a record answers to when a method is called.
pub(super) type Methods = Arc<dyn Fn(&str, &[Value]) -> Option<Result<Value, Error>> + Send + Sync>;

/// An object with fields, such as `dag` or `ti`.
pub(super) struct Record {
    title: String,
    fields: Vec<(&'static str, Value)>,
    methods: Option<Methods>,
}

impl Record {
    /// Makes an object; `title` is how it prints.
    pub(super) fn new(title: impl Into<String>, fields: Vec<(&'static str, Value)>) -> Self {
        Self { title: title.into(), fields, methods: None }
    }

    /// Adds methods.
    pub(super) fn with_methods(mut self, methods: Methods) -> Self {
        self.methods = Some(methods);
        self
    }
}

impl From<Record> for Value {
    fn from(record: Record) -> Self {
        Self::from_object(record)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.fields.iter().map(|(name, _)| Value::from(*name)).collect())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let answer = self.methods.as_ref().and_then(|methods| methods(method, args));
        answer.unwrap_or_else(|| match method {
            "get" | "items" | "keys" | "values" => Err(Error::from(ErrorKind::UnknownMethod)),
            _ => Err(bad(format!("{} has no method `{method}`", self.title))),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}
