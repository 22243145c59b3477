//! From a document's `with`, or from rendered values, to an operator's struct.

use anyhow::anyhow;
use flow_core::{
    catalog::ArgError,
    dag::{Arg, args::check_args},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    operator::{Operator, OperatorError},
    sensor::{COMMON, Patience, Sensor},
};

/// Checks an operator's arguments when a document is read.
pub(crate) fn check<T: Operator>(args: &[(String, Arg)]) -> Vec<ArgError> {
    let mut errors = check_args::<T>(args);
    if errors.is_empty() {
        errors.extend(T::complain(args));
    }
    errors
}

/// The same for a sensor: its own arguments and those of all sensors.
pub(crate) fn check_sensor<T: Sensor>(args: &[(String, Arg)]) -> Vec<ArgError> {
    let (common, own): (Vec<_>, Vec<_>) = args.iter().cloned().partition(|(key, _)| COMMON.contains(&key.as_str()));
    let mut errors = check_args::<T>(&own);
    for error in errors.iter_mut().filter(|error| error.about_key && error.help.is_none()) {
        // The sensor's own type does not know the names that all sensors take.
        let near = error.route.first().and_then(|key| nearest(key, COMMON));
        error.help = near.map(|name| format!("did you mean `{name}`?"));
    }
    errors.extend(check_args::<Patience>(&common));
    let is_true = |name: &str| common.iter().any(|(key, arg)| key == name && *arg == Arg::Value(Value::Bool(true)));
    if is_true("soft_fail") && is_true("never_fail") {
        errors.push(ArgError {
            route: vec!["never_fail".to_owned()],
            message: "`soft_fail` and `never_fail` exclude each other".to_owned(),
            help: None,
            about_key: true,
        });
    }
    let order = |error: &ArgError| args.iter().position(|(key, _)| Some(key) == error.route.first());
    errors.sort_by_key(order);
    errors
}

fn nearest(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let closeness = |name: &str| strsim::normalized_damerau_levenshtein(written, name);
    known.iter().copied().filter(|name| closeness(name) >= 0.7).max_by(|a, b| closeness(a).total_cmp(&closeness(b)))
}

/// Reads rendered arguments.
pub(crate) fn read<T: DeserializeOwned>(given: Value) -> Result<T, OperatorError> {
    serde_json::from_value(given).map_err(|e| OperatorError::fatal(anyhow!(e).context("bad arguments")))
}

/// Reads a sensor's rendered arguments.
pub(crate) fn read_sensor<T: Sensor>(given: Map<String, Value>) -> Result<(T, Patience), OperatorError> {
    let (common, own): (Map<_, _>, Map<_, _>) = given.into_iter().partition(|(key, _)| COMMON.contains(&key.as_str()));
    Ok((read(Value::Object(own))?, read(Value::Object(common))?))
}
