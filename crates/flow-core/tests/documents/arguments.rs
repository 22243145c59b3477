//! The check of an operator's arguments against its own type.

use std::collections::BTreeMap;

use flow_core::dag::{Arg, args::check_args};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
struct Http {
    endpoint: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    retry: Option<Retry>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    pair: Option<(String, i32)>,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    body: Option<Body>,
    #[serde(default, deserialize_with = "even")]
    even: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Post,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check only")]
struct Retry {
    times: u8,
    #[serde(default)]
    again: Option<Box<Retry>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the check only")]
enum Body {
    Text(String),
    Lines(Vec<String>),
}

fn even<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if number % 2 == 0 { Ok(number) } else { Err(serde::de::Error::custom("must be even")) }
}

/// Turns JSON into arguments; `{"$t": …}` is a template, `{"$x": …}` a reference.
fn arg(value: &Value) -> Arg {
    match value {
        Value::Object(map) if map.contains_key("$t") => Arg::Template { source: "{{ x }}".to_owned() },
        Value::Object(map) if map.contains_key("$x") => Arg::XCom { task: "t".into(), key: None },
        Value::Object(map) => Arg::Map(map.iter().map(|(key, value)| (key.clone(), arg(value))).collect()),
        Value::Array(items) => Arg::List(items.iter().map(arg).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Arg::Value(value.clone()),
    }
}

/// Checks all complaints: "route: message (help)", both with arguments as they stand and as one value.
#[track_caller]
fn check<T: DeserializeOwned>(args: Value, expected: &[&str]) {
    let pairs: Vec<(String, Value)> = args.as_object().cloned().unwrap_or_default().into_iter().collect();
    let as_args: Vec<(String, Arg)> = pairs.iter().map(|(key, value)| (key.clone(), arg(value))).collect();
    let has_open = args.to_string().contains("\"$");
    let as_values: Vec<(String, Arg)> = pairs.into_iter().map(|(key, value)| (key, Arg::Value(value))).collect();
    for args in if has_open { vec![as_args] } else { vec![as_args, as_values] } {
        let shown: Vec<String> = check_args::<T>(&args)
            .into_iter()
            .map(|error| {
                let mark = if error.about_key { "!" } else { "" };
                let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{}{mark}: {}{help}", error.route.join("/"), error.message)
            })
            .collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn good_arguments_have_no_complaints() {
    check::<Http>(json!({"endpoint": "/"}), &[]);
    check::<Http>(
        json!({"endpoint": "/", "method": "POST", "headers": {"a": "b"}, "retry": {"times": 1, "again": {"times": 2}},
               "ports": [1, 2], "pair": ["a", -1], "data": {"x": [null]}, "body": ["a"], "even": 2}),
        &[],
    );
}

#[test]
fn every_unknown_missing_and_wrong_argument_is_found_at_once() {
    check::<Http>(
        json!({"endpont": 1, "method": "PST", "headers": {"a": 1}, "retry": {"times": 300, "x": 1},
               "ports": [1, "b"], "pair": ["a"], "even": 3, "zz": 1}),
        &[
            "endpont!: unknown key `endpont` (did you mean `endpoint`?)",
            "method: `method` cannot be `PST` (did you mean `POST`?)",
            "headers/a: `headers.a` must be text, not `1`",
            "retry/times: `retry.times` must be a whole number from 0 to 255, not `300`",
            "ports/1: `ports[1]` must be a whole number from 0 to 65535, not `b`",
            "pair: `pair` must be a tuple of size 2, and has 1 items",
            "even: `even` must be even",
            "zz!: unknown key `zz`",
            ": `endpoint` is missing",
        ],
    );
}

#[test]
fn nested_keys_have_their_route() {
    check::<Http>(
        json!({"endpoint": "/", "retry": {"times": 1, "agan": 1}}),
        &["retry/agan!: unknown key `retry.agan` (did you mean `again`?)"],
    );
    check::<Http>(json!({"endpoint": "/", "retry": {"again": null}}), &["retry: `times` is missing in `retry`"]);
    check::<Http>(json!({"endpoint": "/", "retry": 5}), &["retry: `retry` must be a map, not `5`"]);
}

#[test]
fn types_with_several_forms_say_which_argument_does_not_fit() {
    check::<Http>(json!({"endpoint": "/", "body": 5}), &["body: `body` has a form that cannot stand here"]);
    check::<Http>(json!({"endpoint": "/", "body": {"$t": 1}}), &[]);
}

#[test]
fn what_a_run_will_know_fits_everything() {
    for open in [json!({"$t": 1}), json!({"$x": 1})] {
        check::<Http>(
            json!({"endpoint": open, "method": open, "headers": open, "retry": open, "ports": open, "pair": open,
                   "data": open, "body": open, "even": open}),
            &[],
        );
        check::<Http>(
            json!({"endpoint": "/", "headers": {"a": open}, "ports": [open, 1], "retry": {"times": open}}),
            &[],
        );
        check::<Http>(
            json!({"endpoint": open, "even": open, "zz": open, "ports": "x"}),
            &["zz!: unknown key `zz`", "ports: `ports` must be a list, not `x`"],
        );
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by the check only")]
struct Sensor {
    path: String,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by the check only")]
struct Common {
    #[serde(default)]
    timeout: Option<u32>,
    #[serde(default)]
    soft_fail: bool,
}

#[test]
fn types_that_flatten_others_still_name_the_argument() {
    check::<Sensor>(
        json!({"path": "/", "timeout": "x"}),
        &["timeout: `timeout` must be a whole number from 0 to 4294967295, not `x`"],
    );
    check::<Sensor>(json!({"timeout": 5, "soft_fail": true}), &[": `path` is missing"]);
}

#[derive(Deserialize)]
struct Nothing;

#[test]
fn an_operator_without_arguments_takes_none() {
    check::<Nothing>(json!({}), &[]);
    check::<Nothing>(json!({"a": 1}), &["a!: unknown key `a`"]);
}
