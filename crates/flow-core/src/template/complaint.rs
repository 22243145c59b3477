//! Says what is wrong with a template, where, and what could be done.
//!
//! Turns the engine's errors into sentences: which name is undefined, whether a near one exists, and which
//! names went away with Airflow 2.

use std::{error::Error as _, ops::Range};

use minijinja::{Error, ErrorKind, Value, value::ValueKind};

use super::{
    TemplateError,
    args::Help,
    filters,
    scope::{self, Root},
};

/// What a complaint is about, as far as it is known beforehand.
pub(super) enum Suspect<'a> {
    Nothing,
    /// What the template could see, to look for near names.
    Root(&'a Value),
    Filter(&'a str),
    Test(&'a str),
    Function(&'a str),
    Statement(&'a str),
}

/// Complains about something that does not exist.
pub(super) fn unknown(suspect: &Suspect<'_>, source: &str, line: usize, range: Option<Range<usize>>) -> TemplateError {
    let (message, help) = match suspect {
        Suspect::Filter(name) => (format!("there is no filter `{name}`"), near(name, filters::NAMES)),
        Suspect::Test(name) => (format!("there is no test `{name}`"), near(name, filters::TESTS)),
        Suspect::Function(name) => {
            let functions = ["range", "dict", "namespace"];
            (format!("there is no function `{name}`"), gone(name).or_else(|| near(name, &functions)))
        }
        Suspect::Statement(name) => (
            format!("`{name}` is not available in templates"),
            Some("put the text into a file beside the DAG and name it with `$f`".to_owned()),
        ),
        Suspect::Nothing | Suspect::Root(_) => ("template cannot work".to_owned(), None),
    };
    TemplateError { message, line, range: within(range, source), argument: None, help }
}

/// Explains an error of the engine.
pub(super) fn explain(error: &Error, source: &str, suspect: &Suspect<'_>) -> TemplateError {
    let detail = error.detail().unwrap_or_default();
    let mut help = error.source().and_then(|source| source.downcast_ref::<Help>()).map(|help| help.0.clone());
    let message = if let Some(name) = undefined_name(detail) {
        let root = match suspect {
            Suspect::Root(root) => Some(*root),
            Suspect::Nothing | Suspect::Filter(_) | Suspect::Test(_) | Suspect::Function(_) | Suspect::Statement(_) => {
                None
            }
        };
        let (message, hint) = explain_undefined(name, root);
        help = help.or(hint);
        message
    } else {
        sentence(error, detail)
    };
    TemplateError {
        message,
        line: error.line().unwrap_or(1).max(1),
        range: within(error.range(), source),
        argument: None,
        help,
    }
}

/// Says the engine's error in our words.
fn sentence(error: &Error, detail: &str) -> String {
    match (error.kind(), detail) {
        (ErrorKind::OutOfFuel, _) => "template takes more than 1,000,000 steps".to_owned(),
        (ErrorKind::UndefinedError, "") => "value is undefined".to_owned(),
        (kind, "") => kind.to_string(),
        (ErrorKind::SyntaxError, detail) => format!("syntax error: {}", detail.trim_end_matches('.')),
        (ErrorKind::UnknownMethod, detail) => match detail.split_once(" has no method named ") {
            Some((kind, method)) => format!("{kind} has no method `{method}`"),
            None => detail.to_owned(),
        },
        (_, detail) => detail.trim_end_matches('.').to_owned(),
    }
}

/// Finds the expression that was undefined in the engine's words.
fn undefined_name(detail: &str) -> Option<&str> {
    let end = detail.find("` is undefined")?;
    let before = detail.get(..end)?;
    before.get(before.rfind('`')? + 1..)
}

/// Explains an undefined expression, such as `params.regoin`.
fn explain_undefined(name: &str, root: Option<&Value>) -> (String, Option<String>) {
    let run = root.and_then(|root| root.downcast_object_ref::<Root>());
    if let Some(root) = run
        && scope::NEEDS_LOGICAL_DATE.contains(&name)
        && !root.has_logical_date()
    {
        let message = format!("`{name}` is undefined: run `{}` has no logical date", root.run_id());
        return (message, Some("trigger it with a logical date, or use `dag_run.run_after`".to_owned()));
    }
    let message = format!("`{name}` is undefined");
    if name == "exception" {
        return (message, Some("only failure callbacks have `exception`".to_owned()));
    }
    if let Some(hint) = gone(name) {
        return (message, Some(hint));
    }
    let by_key = name.strip_suffix("']").and_then(|name| name.rsplit_once("['"));
    let help = match by_key.or_else(|| name.rsplit_once('.')) {
        None => near(name, scope::NAMES),
        Some((parent, last)) => {
            let keys = root.map(|root| keys_of(root, parent)).unwrap_or_default();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            near(last, &keys).or_else(|| match keys.len() {
                0 | 21.. => None,
                _ => Some(format!("`{parent}` has {}", keys.join(", "))),
            })
        }
    };
    (message, help)
}

/// Lists what a dotted path holds, without asking the store.
fn keys_of(root: &Value, path: &str) -> Vec<String> {
    let mut value = root.clone();
    for (depth, part) in path.split('.').enumerate() {
        if depth > 8 || (depth == 0 && matches!(part, "var" | "conn")) {
            return Vec::new();
        }
        match value.get_attr(part) {
            Ok(next) => value = next,
            Err(_) => return Vec::new(),
        }
    }
    if value.kind() != ValueKind::Map {
        return Vec::new();
    }
    let keys = value.try_iter().into_iter().flatten();
    keys.take(1000).filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

/// Names that Airflow 3 took away, and what to write instead.
fn gone(name: &str) -> Option<String> {
    let instead = match name {
        "execution_date" => "logical_date",
        "next_execution_date" => "data_interval_end",
        "prev_execution_date" | "prev_execution_date_success" => "prev_data_interval_start_success",
        "tomorrow_ds" => "macros.ds_add(ds, 1)",
        "yesterday_ds" => "macros.ds_add(ds, -1)",
        "tomorrow_ds_nodash" => "macros.ds_add(ds, 1) | replace('-', '')",
        "yesterday_ds_nodash" => "macros.ds_add(ds, -1) | replace('-', '')",
        "next_ds" => "data_interval_end | ds",
        "next_ds_nodash" => "data_interval_end | ds_nodash",
        "prev_ds" => "prev_data_interval_start_success | ds",
        "prev_ds_nodash" => "prev_data_interval_start_success | ds_nodash",
        _ => return None,
    };
    Some(format!("Airflow 3 took it away; write `{instead}`"))
}

/// Finds a name that the writer may have meant.
fn near(name: &str, names: &[&str]) -> Option<String> {
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let best = names.iter().map(|other| (distance(other), *other)).min()?;
    (best.0 <= (name.chars().count() / 3).max(1)).then(|| format!("did you mean `{}`?", best.1))
}

/// Drops a range that is not one of the source's.
fn within(range: Option<Range<usize>>, source: &str) -> Option<Range<usize>> {
    range.filter(|range| source.get(range.clone()).is_some())
}
