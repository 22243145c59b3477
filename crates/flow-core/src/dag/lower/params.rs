//! `params`: default values, and in the Flow dialect what is known of their form.

use std::collections::BTreeMap;

use super::{Cx, read::describe};
use crate::dag::{
    Param,
    params::{broken_pattern, misfit},
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
        for (place, param) in self.map(entry).unwrap_or_default().iter().enumerate() {
            if self.refuse_markers(&param.value) {
                continue;
            }
            let read = match is_schema(&param.value) {
                true if !self.is_airflow() => self.schema(param, needs_defaults),
                _ => {
                    self.refuse_dates(&param.value);
                    Param { default: Some(self.json(&param.value)), ..Param::default() }
                }
            };
            params.insert(param.key.clone(), Param { place, ..read });
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
        let mut default_place = None;
        for part in param.value.entries() {
            match part.key.as_str() {
                "default" => {
                    read.default = Some(self.json(&part.value));
                    default_place = Some(part.place());
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
        if let Some((pattern, why)) = broken_pattern(&read.schema) {
            let message = format!("the pattern `{pattern}` of parameter `{}` cannot be used: {why}", param.key);
            self.error(param.key_place, message);
        }
        match (&read.default, default_place) {
            (Some(default), Some(place)) => {
                if let Some(why) = misfit(default, &read.schema) {
                    self.error(place, format!("the default of parameter `{}` {why}", param.key));
                }
            }
            _ if needs_defaults => {
                let message = format!("parameter `{}` has no `default`, which runs on a schedule need", param.key);
                self.error(param.key_place, message);
            }
            _ => {}
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
