//! `params`: default values, and in the Flow dialect what is known of their form.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{Cx, read::describe};
use crate::dag::{
    Param,
    yaml::{Entry, Node, Value},
};

/// Words of JSON Schema that a parameter may use, and Airflow's for its form.
const SCHEMA: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "description_md",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maximum",
    "maxItems",
    "maxLength",
    "minimum",
    "minItems",
    "minLength",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "section",
    "title",
    "type",
    "uniqueItems",
    "values_display",
];

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

impl Cx<'_, '_, '_> {
    /// Reads `params` of a DAG or task. `needs_defaults`: runs start without anyone to fill them in.
    pub(super) fn params(&mut self, entry: &Entry, needs_defaults: bool) -> BTreeMap<String, Param> {
        let mut params = BTreeMap::new();
        for param in self.map(entry).unwrap_or_default() {
            if self.refuse_markers(&param.value) {
                continue;
            }
            let read = match is_schema(&param.value) {
                true if !self.is_airflow() => self.schema(param, needs_defaults),
                _ => {
                    self.refuse_dates(&param.value);
                    Param { default: self.json(&param.value), ..Param::default() }
                }
            };
            params.insert(param.key.clone(), read);
        }
        params
    }

    /// Bare dates in `params` are no JSON; Airflow refuses them.
    fn refuse_dates(&mut self, node: &Node) {
        match &node.value {
            Value::Date(text) => {
                let message = format!("a parameter cannot be a date, and `{text}` without quotes is one");
                self.error_with(node.place, message, "put it in quotes".to_owned());
            }
            Value::List(items) => items.iter().for_each(|item| self.refuse_dates(item)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.refuse_dates(&entry.value)),
            Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) | Value::Text(_) | Value::Plain(_) => {}
        }
    }

    fn schema(&mut self, param: &Entry, needs_defaults: bool) -> Param {
        let mut read = Param::default();
        let mut default = None;
        for part in param.value.entries() {
            match part.key.as_str() {
                "default" => {
                    read.default = self.json(&part.value);
                    default = Some(part);
                }
                "description" => read.description = self.text(part),
                key if SCHEMA.contains(&key) => {
                    if self.schema_word(part) {
                        read.schema.insert(part.key.clone(), self.json(&part.value));
                    }
                }
                _ => {
                    let help = self.did_you_mean(&part.key, SCHEMA.iter().copied().chain(["default", "description"]));
                    self.error_with(part.key_place, format!("unknown key `{}` of a parameter", part.key), help);
                }
            }
        }
        match default {
            Some(default) => {
                if let Some(why) = misfit(&read.default, &read.schema) {
                    let message = format!("the default of parameter `{}` {why}", param.key);
                    self.error(default.place(), message);
                }
            }
            None if needs_defaults => {
                let message = format!("parameter `{}` has no `default`, which runs on a schedule need", param.key);
                self.error(param.key_place, message);
            }
            None => {}
        }
        read
    }

    /// Checks the value of a schema's word; says whether it may be kept.
    fn schema_word(&mut self, part: &Entry) -> bool {
        let value = &part.value.value;
        let expected = match part.key.as_str() {
            "type" => {
                let alone = std::slice::from_ref(&part.value);
                let kinds: &[Node] = part.value.list().unwrap_or(alone);
                let mut fits = true;
                for kind in kinds {
                    // `null` without quotes is meant as the type.
                    if kind.is_null() || kind.text().is_some_and(|text| TYPES.contains(&text)) {
                        continue;
                    }
                    fits = false;
                    let help = kind.text().and_then(|text| self.meant_or_known(text, TYPES, 10));
                    let help = help.or_else(|| self.meant_or_known("", TYPES, 10));
                    self.error_with(kind.place.or(part.key_place), format!("unknown type {}", describe(kind)), help);
                }
                return fits;
            }
            "enum" | "examples" if !matches!(value, Value::List(_)) => "a list",
            "enum" if matches!(value, Value::List(items) if items.is_empty()) => "a list with something in it",
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
                if !matches!(value, Value::Whole(_) | Value::Float(_)) =>
            {
                "a number"
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" if !matches!(value, Value::Whole(0..)) => {
                "a whole number, 0 or more"
            }
            "pattern" | "format" | "title" | "section" if !matches!(value, Value::Text(_)) => "text",
            _ => return true,
        };
        self.wrong(part, expected);
        false
    }
}

/// Says whether a parameter's value describes it, rather than being it.
fn is_schema(node: &Node) -> bool {
    let entries = node.entries();
    entries.iter().any(|entry| entry.key == "default")
        || (!entries.is_empty()
            && entries.iter().all(|entry| entry.key == "description" || SCHEMA.contains(&entry.key.as_str()))
            && entries.iter().any(|entry| entry.key == "type" || entry.key == "enum"))
}

/// Says why a value does not fit a schema; looks at the words that describe one value.
pub(super) fn misfit(value: &Json, schema: &Map<String, Json>) -> Option<String> {
    if let Some(kinds) = schema.get("type") {
        let several = kinds.as_array().map_or(std::slice::from_ref(kinds), Vec::as_slice);
        let kinds: Vec<&str> = several.iter().map(|kind| kind.as_str().unwrap_or("null")).collect();
        if !kinds.iter().any(|kind| is_of_type(value, kind)) {
            return Some(format!("must be of type `{}`, and is `{value}`", kinds.join("` or `")));
        }
    }
    if let Some(Json::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        let shown: Vec<String> = allowed.iter().take(8).map(|one| format!("`{one}`")).collect();
        return Some(format!("must be one of {}, and is `{value}`", shown.join(", ")));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        return Some(format!("must be `{only}`, and is `{value}`"));
    }
    let limit = |key: &str| schema.get(key).and_then(Json::as_f64);
    if let Some(number) = value.as_f64() {
        let beyond = [
            (limit("minimum"), "at least", number < limit("minimum").unwrap_or(number)),
            (limit("maximum"), "at most", number > limit("maximum").unwrap_or(number)),
            (limit("exclusiveMinimum"), "more than", limit("exclusiveMinimum").is_some_and(|least| number <= least)),
            (limit("exclusiveMaximum"), "less than", limit("exclusiveMaximum").is_some_and(|most| number >= most)),
        ];
        for (bound, words, is_beyond) in beyond {
            if let (Some(bound), true) = (bound, is_beyond) {
                return Some(format!("must be {words} {bound}, and is `{value}`"));
            }
        }
    }
    let size = match value {
        Json::String(text) => Some((text.chars().count(), "minLength", "maxLength", "characters")),
        Json::Array(items) => Some((items.len(), "minItems", "maxItems", "items")),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
    };
    if let Some((size, least, most, what)) = size {
        if let Some(least) = limit(least).filter(|least| (size as f64) < *least) {
            return Some(format!("must have at least {least} {what}, and has {size}"));
        }
        if let Some(most) = limit(most).filter(|most| (size as f64) > *most) {
            return Some(format!("must have at most {most} {what}, and has {size}"));
        }
    }
    None
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
