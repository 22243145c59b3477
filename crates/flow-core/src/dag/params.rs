//! Values of params against their JSON schemas: the defaults of a document, and the `conf` of a run.
//!
//! The words of JSON Schema that describe a value, as Airflow's checker reads them; there are no references between
//! schemas, so a check is no deeper than the document. Formats that are not known here are not checked, as there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use regex::Regex;
use serde_json::{Map, Value as Json};

use super::Param;

/// How much of a value a sentence shows.
const SHOWN: usize = 80;
/// How many values of an `enum` a sentence names.
const NAMED: usize = 8;

/// A param that has no value it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParam {
    pub name: String,
    /// Goes on after the name: `must be of type …`.
    pub why: String,
}

impl fmt::Display for BadParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.why)
    }
}

/// Returns a DAG's params with what a run's `conf` says instead. Keys of `conf` that are no params are kept: every key
/// of it is a param to the tasks.
///
/// # Errors
///
/// Each param whose value does not fit its schema, and each that has neither a value in `conf` nor a default.
pub fn with_conf(params: &BTreeMap<String, Param>, conf: &Json) -> Result<Map<String, Json>, Vec<BadParam>> {
    let none = Map::new();
    let conf = conf.as_object().unwrap_or(&none);
    let mut values = Map::new();
    let mut bad = Vec::new();
    for (name, param) in params {
        let why = match conf.get(name).or(param.default.as_ref()) {
            None => Some(format!("is missing, and has no default{}", expected(&param.schema))),
            Some(value) => {
                values.insert(name.clone(), value.clone());
                misfit(value, &param.schema)
            }
        };
        bad.extend(why.map(|why| BadParam { name: name.clone(), why }));
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    values.extend(conf.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(values)
}

/// Says what a param that is missing should be.
fn expected(schema: &Map<String, Json>) -> String {
    if let Some(Json::Array(allowed)) = schema.get("enum") {
        return format!("; it must be one of {}", one_of(allowed));
    }
    if schema.contains_key("type") {
        return format!("; it must be of type `{}`", kinds(schema).join("` or `"));
    }
    String::new()
}

/// Says why a value does not fit a schema.
pub(super) fn misfit(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    misfit_of_kind(value, schema)
        .or_else(|| misfit_of_number(value, schema))
        .or_else(|| misfit_of_size(value, schema))
        .or_else(|| misfit_of_text(value.as_str()?, schema))
        .or_else(|| misfit_of_list(value.as_array()?, schema))
        .or_else(|| misfit_of_map(value.as_object()?, schema))
        .or_else(|| misfit_of_choice(value, schema))
}

fn misfit_of_kind(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    if schema.contains_key("type") {
        let kinds = kinds(schema);
        if !kinds.iter().any(|kind| is_of_type(value, kind)) {
            return Some(format!("must be of type `{}`, and is {}", kinds.join("` or `"), shown(value)));
        }
    }
    if let Some(Json::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        return Some(format!("must be one of {}, and is {}", one_of(allowed), shown(value)));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        return Some(format!("must be {}, and is {}", shown(only), shown(value)));
    }
    None
}

fn misfit_of_number(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    let number = value.as_f64()?;
    let limit = |key: &str| schema.get(key).and_then(Json::as_f64);
    let beyond = [
        (limit("minimum"), "at least", number < limit("minimum").unwrap_or(number)),
        (limit("maximum"), "at most", number > limit("maximum").unwrap_or(number)),
        (limit("exclusiveMinimum"), "more than", limit("exclusiveMinimum").is_some_and(|least| number <= least)),
        (limit("exclusiveMaximum"), "less than", limit("exclusiveMaximum").is_some_and(|most| number >= most)),
        (limit("multipleOf"), "a multiple of", limit("multipleOf").is_some_and(|step| (number / step).fract() != 0.0)),
    ];
    for (bound, words, is_beyond) in beyond {
        if let (Some(bound), true) = (bound, is_beyond) {
            return Some(format!("must be {words} {bound}, and is {}", shown(value)));
        }
    }
    None
}

fn misfit_of_size(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    let limit = |key: &str| schema.get(key).and_then(Json::as_f64);
    let (size, least, most, what) = match value {
        Json::String(text) => (text.chars().count(), "minLength", "maxLength", "characters"),
        Json::Array(items) => (items.len(), "minItems", "maxItems", "items"),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => return None,
    };
    if let Some(least) = limit(least).filter(|least| (size as f64) < *least) {
        return Some(format!("must have at least {least} {what}, and has {size}"));
    }
    if let Some(most) = limit(most).filter(|most| (size as f64) > *most) {
        return Some(format!("must have at most {most} {what}, and has {size}"));
    }
    None
}

fn misfit_of_text(text: &str, schema: &Map<String, Json>) -> Option<String> {
    let word = |key: &str| schema.get(key).and_then(Json::as_str);
    // Anywhere in the text, as JSON Schema has it. One that is no pattern is a complaint about the document.
    if let Some(pattern) = word("pattern")
        && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        return Some(format!("must match `{pattern}`, and is {}", shown_text(text)));
    }
    let format = word("format")?;
    let (fits, example) = match format {
        "date" => (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(), "`2026-01-31`"),
        "date-time" => (text.parse::<jiff::Timestamp>().is_ok(), "`2026-01-31T07:30:00Z`"),
        "time" => (is_time(text), "`07:30:00`"),
        "email" => (text.contains('@'), "`ann@example.org`"),
        "ipv4" => (text.parse::<Ipv4Addr>().is_ok(), "`192.0.2.1`"),
        "ipv6" => (text.parse::<Ipv6Addr>().is_ok(), "`2001:db8::1`"),
        "uuid" => (is_uuid(text), "`01890a5d-ac96-774b-bcce-b302099a8057`"),
        _ => return None,
    };
    (!fits).then(|| format!("must be of format `{format}` such as {example}, and is {}", shown_text(text)))
}

/// With seconds; with or without an offset.
fn is_time(text: &str) -> bool {
    let has_seconds = text.as_bytes().get(2) == Some(&b':') && text.as_bytes().get(5) == Some(&b':');
    has_seconds
        && (text.parse::<jiff::civil::Time>().is_ok()
            || format!("1970-01-01T{text}").parse::<jiff::Timestamp>().is_ok())
}

fn is_uuid(text: &str) -> bool {
    let mut lengths = [8, 4, 4, 4, 12].into_iter();
    text.split('-').all(|part| lengths.next() == Some(part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && lengths.next().is_none()
}

fn misfit_of_list(items: &[Json], schema: &Map<String, Json>) -> Option<String> {
    if schema.get("uniqueItems") == Some(&Json::Bool(true)) {
        let mut seen = BTreeSet::new();
        if let Some(twice) = items.iter().find(|item| !seen.insert(item.to_string())) {
            return Some(format!("must have each item only once, and has {} twice", shown(twice)));
        }
    }
    let of_items = schema.get("items")?;
    items.iter().enumerate().find_map(|(at, item)| Some(inside(&format!("[{at}]"), &misfit_of(item, of_items)?)))
}

fn misfit_of_map(map: &Map<String, Json>, schema: &Map<String, Json>) -> Option<String> {
    if let Some(Json::Array(required)) = schema.get("required")
        && let Some(missing) = required.iter().filter_map(Json::as_str).find(|key| !map.contains_key(*key))
    {
        return Some(format!("must have the key `{missing}`"));
    }
    let known = schema.get("properties").and_then(Json::as_object);
    map.iter().find_map(|(key, value)| match known.and_then(|known| known.get(key)) {
        Some(of_key) => Some(inside(&format!(".{key}"), &misfit_of(value, of_key)?)),
        None => {
            let others = schema.get("additionalProperties")?;
            if others == &Json::Bool(false) {
                return Some(format!("must not have the key {}", shown_text(key)));
            }
            Some(inside(&format!(".{key}"), &misfit_of(value, others)?))
        }
    })
}

fn misfit_of_choice(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    let among = |key: &str| schema.get(key).and_then(Json::as_array);
    if let Some(why) = among("allOf").and_then(|all| all.iter().find_map(|one| misfit_of(value, one))) {
        return Some(why);
    }
    if let Some(any) = among("anyOf") {
        let mut why = None;
        for one in any {
            why = misfit_of(value, one);
            if why.is_none() {
                break;
            }
        }
        if any.len() == 1 {
            return why;
        }
        if why.is_some() {
            return Some(format!("must fit one of the forms in `anyOf`, and is {}", shown(value)));
        }
    }
    if let Some(of) = among("oneOf") {
        let fitting = of.iter().filter(|one| misfit_of(value, one).is_none()).count();
        if fitting != 1 {
            return Some(format!("must fit exactly one of the forms in `oneOf`, and fits {fitting}: {}", shown(value)));
        }
    }
    if schema.get("not").is_some_and(|not| misfit_of(value, not).is_none()) {
        return Some(format!("must not have the form in `not`, and is {}", shown(value)));
    }
    None
}

/// A schema inside a schema may be `true` or `false` too.
fn misfit_of(value: &Json, schema: &Json) -> Option<String> {
    match schema {
        Json::Object(schema) => misfit(value, schema),
        Json::Bool(false) => Some("is not allowed".to_owned()),
        Json::Null | Json::Bool(true) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

/// Puts a place in front; places inside one another become one path.
fn inside(place: &str, why: &str) -> String {
    match why.strip_prefix("at `") {
        Some(deeper) => format!("at `{place}{deeper}"),
        None => format!("at `{place}` {why}"),
    }
}

/// Finds a pattern that is none, here or in a schema inside. Returns it with the reason.
pub(super) fn broken_pattern(schema: &Map<String, Json>) -> Option<(String, String)> {
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
        && let Err(error) = Regex::new(pattern)
    {
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        return Some((pattern.to_owned(), why.to_owned()));
    }
    let mut inner: Vec<&Json> =
        ["items", "additionalProperties", "not"].iter().filter_map(|key| schema.get(*key)).collect();
    inner.extend(["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten());
    inner.extend(schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::values));
    inner.into_iter().filter_map(Json::as_object).find_map(broken_pattern)
}

fn kinds(schema: &Map<String, Json>) -> Vec<&str> {
    let Some(kinds) = schema.get("type") else { return Vec::new() };
    let several = kinds.as_array().map_or(std::slice::from_ref(kinds), Vec::as_slice);
    several.iter().map(|kind| kind.as_str().unwrap_or("null")).collect()
}

fn is_of_type(value: &Json, kind: &str) -> bool {
    match kind {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => true,
    }
}

fn one_of(allowed: &[Json]) -> String {
    let named: Vec<String> = allowed.iter().take(NAMED).map(shown).collect();
    let more = if allowed.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}

fn shown(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn shown_text(text: &str) -> String {
    shown(&Json::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: Json, good: &[Json], bad: &[(Json, &str)]) {
        let words = schema.as_object().unwrap();
        for value in good {
            assert_eq!(misfit(value, words), None, "{schema}");
        }
        for (value, expected) in bad {
            assert_eq!(misfit(value, words).as_deref(), Some(*expected), "{schema}");
        }
    }

    #[test]
    fn a_value_fits_its_type_and_its_choices() {
        check(
            json!({"type": "integer"}),
            &[json!(1), json!(1.0)],
            &[(json!("1"), "must be of type `integer`, and is `\"1\"`")],
        );
        check(
            json!({"type": ["string", "null"]}),
            &[json!("x"), json!(null)],
            &[(json!([]), "must be of type `string` or `null`, and is `[]`")],
        );
        check(
            json!({"enum": ["eu", 1]}),
            &[json!("eu"), json!(1)],
            &[(json!("us"), "must be one of `\"eu\"`, `1`, and is `\"us\"`")],
        );
        check(json!({"const": true}), &[json!(true)], &[(json!(false), "must be `true`, and is `false`")]);
        let many: Vec<_> = (0..9).collect();
        let words = "must be one of `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, …, and is `9`";
        check(json!({"enum": many}), &[json!(8)], &[(json!(9), words)]);
    }

    #[test]
    fn a_number_keeps_its_bounds() {
        check(
            json!({"minimum": 1, "maximum": 5}),
            &[json!(1), json!(5), json!("a text has no bounds")],
            &[(json!(0.5), "must be at least 1, and is `0.5`"), (json!(6), "must be at most 5, and is `6`")],
        );
        check(
            json!({"exclusiveMinimum": 1, "exclusiveMaximum": 5}),
            &[json!(1.5)],
            &[(json!(1), "must be more than 1, and is `1`"), (json!(5), "must be less than 5, and is `5`")],
        );
        check(json!({"multipleOf": 5}), &[json!(0), json!(15)], &[(json!(7), "must be a multiple of 5, and is `7`")]);
    }

    #[test]
    fn a_text_keeps_its_length_pattern_and_format() {
        check(
            json!({"minLength": 2, "maxLength": 3}),
            &[json!("äö"), json!(7)],
            &[
                (json!("ä"), "must have at least 2 characters, and has 1"),
                (json!("abcd"), "must have at most 3 characters, and has 4"),
            ],
        );
        check(
            json!({"pattern": "^a+$"}),
            &[json!("aa"), json!(1)],
            &[(json!("ab"), "must match `^a+$`, and is `\"ab\"`")],
        );
        check(json!({"pattern": "b"}), &[json!("abc")], &[(json!("ac"), "must match `b`, and is `\"ac\"`")]);
        for (format, good, bad) in [
            ("date", "2026-02-28", "2026-02-30"),
            ("date", "2024-02-29", "2026-01-01T00:00:00"),
            ("date-time", "2026-01-31T07:30:00+01:00", "2026-01-31T07:30:00"),
            ("date-time", "2026-01-31T07:30:00.5Z", "yesterday"),
            ("time", "07:30:00", "7:30"),
            ("time", "07:30:00+01:00", "25:00:00"),
            ("email", "ann@example.org", "ann"),
            ("ipv4", "192.0.2.1", "192.0.2"),
            ("ipv6", "::1", "192.0.2.1"),
            ("uuid", "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce"),
        ] {
            let schema = json!({"format": format});
            let words = schema.as_object().unwrap();
            assert_eq!(misfit(&json!(good), words), None, "{format}");
            let why = misfit(&json!(bad), words).unwrap();
            assert!(why.starts_with(&format!("must be of format `{format}` such as `")), "{why}");
            assert!(why.ends_with(&format!(", and is `\"{bad}\"`")), "{why}");
        }
        check(json!({"format": "multiline"}), &[json!("whatever")], &[]);
    }

    #[test]
    fn what_is_inside_is_named_by_its_place() {
        check(
            json!({"items": {"type": "integer"}, "minItems": 1, "maxItems": 2, "uniqueItems": true}),
            &[json!([1, 2]), json!({"a list": "only"})],
            &[
                (json!([]), "must have at least 1 items, and has 0"),
                (json!([1, 2, 3]), "must have at most 2 items, and has 3"),
                (json!([1, 1]), "must have each item only once, and has `1` twice"),
                (json!([1, "x"]), "at `[1]` must be of type `integer`, and is `\"x\"`"),
            ],
        );
        let day = json!({"properties": {"hours": {"items": {"maximum": 23}}}, "required": ["hours"], "additionalProperties": false});
        check(
            day,
            &[json!({"hours": [0, 23]})],
            &[
                (json!({}), "must have the key `hours`"),
                (json!({"hours": [0, 24]}), "at `.hours[1]` must be at most 23, and is `24`"),
                (json!({"hours": [], "min": 1}), "must not have the key `\"min\"`"),
            ],
        );
        check(
            json!({"additionalProperties": {"type": "string"}}),
            &[json!({"a": "b"})],
            &[(json!({"a": 1}), "at `.a` must be of type `string`, and is `1`")],
        );
    }

    #[test]
    fn schemas_are_combined() {
        let (small, even) = (json!({"maximum": 10}), json!({"multipleOf": 2}));
        check(json!({"allOf": [small, even]}), &[json!(4)], &[(json!(3), "must be a multiple of 2, and is `3`")]);
        check(
            json!({"anyOf": [small, even]}),
            &[json!(3), json!(12)],
            &[(json!(13), "must fit one of the forms in `anyOf`, and is `13`")],
        );
        check(
            json!({"oneOf": [small, even]}),
            &[json!(3), json!(12)],
            &[(json!(4), "must fit exactly one of the forms in `oneOf`, and fits 2: `4`")],
        );
        check(json!({"not": even}), &[json!(3)], &[(json!(4), "must not have the form in `not`, and is `4`")]);
        check(json!({"items": false}), &[json!([])], &[(json!([1]), "at `[0]` is not allowed")]);
    }

    #[test]
    fn a_long_value_is_not_repeated_in_full() {
        let schema = json!({"type": "integer"});
        let why = misfit(&json!("ü".repeat(1_000_000)), schema.as_object().unwrap()).unwrap();
        assert!(why.len() < 300 && why.ends_with("ü…`"), "{why}");
    }

    #[test]
    fn a_pattern_that_is_none_is_found_wherever_a_schema_may_be() {
        let find = |schema: Json| broken_pattern(schema.as_object().unwrap()).map(|(pattern, _)| pattern);
        assert_eq!(find(json!({"pattern": "("})).as_deref(), Some("("));
        assert_eq!(find(json!({"items": {"anyOf": [{"pattern": "ok"}, {"pattern": "["}]}})).as_deref(), Some("["));
        assert_eq!(find(json!({"properties": {"pattern": {"pattern": "*"}}})).as_deref(), Some("*"));
        assert_eq!(find(json!({"const": {"pattern": "("}, "properties": {"pattern": {}}})), None);
    }

    fn params() -> BTreeMap<String, Param> {
        let param = |default: Option<Json>, schema: Json| Param {
            default,
            schema: schema.as_object().unwrap().clone(),
            description: None,
            place: 0,
        };
        BTreeMap::from([
            ("region".to_owned(), param(Some(json!("eu")), json!({"enum": ["eu", "us"]}))),
            ("day".to_owned(), param(None, json!({"type": "string", "format": "date"}))),
            ("any".to_owned(), param(None, json!({}))),
            ("none".to_owned(), param(Some(json!(null)), json!({}))),
        ])
    }

    #[test]
    fn conf_goes_over_the_defaults_and_may_hold_more() {
        let merged = with_conf(&params(), &json!({"day": "2026-01-31", "any": null, "more": [1]})).unwrap();
        let expected = json!({"any": null, "day": "2026-01-31", "none": null, "region": "eu", "more": [1]});
        assert_eq!(Json::Object(merged), expected);
        let merged = with_conf(&BTreeMap::new(), &Json::Null).unwrap();
        assert!(merged.is_empty());
    }

    #[test]
    fn every_param_that_does_not_fit_is_named() {
        let complaints = |conf: Json| -> Vec<String> {
            with_conf(&params(), &conf).unwrap_err().iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            complaints(Json::Null),
            [
                "`any` is missing, and has no default",
                "`day` is missing, and has no default; it must be of type `string`"
            ]
        );
        assert_eq!(
            complaints(json!({"any": 1, "day": "today", "region": "mars"})),
            [
                "`day` must be of format `date` such as `2026-01-31`, and is `\"today\"`",
                "`region` must be one of `\"eu\"`, `\"us\"`, and is `\"mars\"`"
            ]
        );
    }
}
