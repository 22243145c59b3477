//! `[notifications]`: callbacks of every DAG, from lists of TOML or JSON to what they mean.

use std::collections::BTreeMap;

use flow_core::dag::{About, CallbackEvent, Notifications};
use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use crate::config::{ConfigError, Given, Origin, settings::Notifications as Written};

/// Most callbacks of one setting, as of a key in a DAG.
const MOST: usize = 20;

/// Checks what is written, and says in words what is wrong with it and where.
pub(crate) fn read(written: &Written, given: &BTreeMap<String, Given>) -> Result<Notifications, ConfigError> {
    let all = [
        ("notifications.on_failure_callback", About::Runs, CallbackEvent::Failure, &written.on_failure_callback),
        ("notifications.on_success_callback", About::Runs, CallbackEvent::Success, &written.on_success_callback),
        (
            "notifications.on_task_failure_callback",
            About::Tasks,
            CallbackEvent::Failure,
            &written.on_task_failure_callback,
        ),
        ("notifications.on_retry_callback", About::Tasks, CallbackEvent::Retry, &written.on_retry_callback),
    ];
    let mut notifications = Notifications::default();
    if all.iter().all(|(.., list)| list.0.is_empty()) {
        return Ok(notifications);
    }
    let catalog = flow_operators::all().catalog();
    for (name, about, event, list) in all {
        let refuse = |entry: usize, problem: String| {
            let origin = given.get(name).map_or(Origin::Default, |given| given.origin.clone());
            ConfigError::Callback { origin, name, entry, problem }
        };
        for (at, value) in list.0.iter().enumerate() {
            if at == MOST {
                return Err(refuse(at + 1, format!("there may be {MOST}")));
            }
            notifications.add(about, event, value, &catalog).map_err(|problem| refuse(at + 1, problem))?;
        }
    }
    Ok(notifications)
}

/// Returns what is written in TOML as JSON; `None` when JSON has no such value.
pub(crate) fn json_of(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => Value::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => Value::Number(Number::from_f64(number.as_str().parse().ok()?)?),
        DeValue::Boolean(is) => Value::from(*is),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json_of(item.get_ref())).collect::<Option<Vec<_>>>()?.into(),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| Some((key.get_ref().to_string(), json_of(value.get_ref())?)));
            Value::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
    })
}
