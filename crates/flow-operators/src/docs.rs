//! The page about the operators, written from their types.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Registry, sensor::COMMON};

/// Returns the page in Markdown.
pub fn page(registry: &Registry) -> String {
    let mut page = String::from(
        "# Operators\n\n\
         Written from the operators' own types by `UPDATE_EXPECT=1 cargo test -p flow-operators`; do not edit.\n\n\
         A parameter marked *templated* may hold `{{ … }}`, `{$t: …}`, `{$x: …}` and `{$f: …}`. Durations are `90` (seconds),\n\
         `30s`, `10m`, `1h30m`, `2d` or `PT5M`.\n\n",
    );
    let mut line = |text: &str| {
        page.push_str(text);
        page.push('\n');
    };
    line("| `uses` | what it does |");
    line("|---|---|");
    for entry in registry.entries() {
        line(&format!("| [`{0}`](#{0}) | {1} |", entry.spec.name, entry.spec.summary));
    }
    for entry in registry.entries() {
        let spec = &entry.spec;
        line(&format!("\n## {}\n\n{}\n", spec.name, spec.summary));
        if !spec.class.is_empty() {
            line(&format!("In Airflow: `{}`.\n", spec.class));
        }
        let schema = (spec.schema)();
        line(&table(&schema, spec.templated, |name| !spec.is_sensor || !COMMON.contains(&name)));
        if spec.is_sensor {
            line("It also takes what [all sensors take](#all-sensors).\n");
        }
        line(&format!("```yaml\n{}```", indented(entry.example)));
    }
    line(
        "\n## All sensors\n\nA sensor looks, and if what it waits for is not there it looks again later. Between two looks it holds no worker",
    );
    line("slot, and the wait survives a restart.\n");
    if let Some(sensor) = registry.entries().iter().find(|entry| entry.spec.is_sensor) {
        let schema = (sensor.spec.schema)();
        line(table(&schema, &[], |name| COMMON.contains(&name)).trim_end());
    }
    page
}

fn table(schema: &Value, templated: &[&str], is_shown: impl Fn(&str) -> bool) -> String {
    let mut table = String::new();
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if !is_shown(name) {
            continue;
        }
        if table.is_empty() {
            table.push_str("| parameter | type | default | templated | |\n|---|---|---|---|---|\n");
        }
        let default = match field.get("default") {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            None | Some(Value::Null) => "–".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let mark = if templated.contains(&name.as_str()) { "yes" } else { "" };
        let words = field["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` | {} | {default} | {mark} | {words} |", kind(field));
    }
    if table.is_empty() { "It takes no parameters.\n".to_owned() } else { table }
}

/// Names a field's type in a word or two.
fn kind(field: &Value) -> String {
    if field["format"] == "duration" {
        return "duration".to_owned();
    }
    if let Some(words) = field["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(ways) = field["anyOf"].as_array().or(field["oneOf"].as_array()) {
        let mut kinds: Vec<_> = ways.iter().filter(|way| way["type"] != "null").map(kind).collect();
        kinds.dedup();
        return kinds.join(", ");
    }
    let word = |name: &str| match name {
        "string" => "text",
        "integer" | "number" => "number",
        "boolean" => "true or false",
        "array" => "list",
        "object" => "map",
        _ => "",
    };
    if let Some(constant) = field["const"].as_str() {
        return format!("`{constant}`");
    }
    let kinds: Vec<_> = match &field["type"] {
        Value::String(name) => vec![word(name)],
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).map(word).filter(|word| !word.is_empty()).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["anything"],
    };
    if kinds.is_empty() { "anything".to_owned() } else { kinds.join(" or ") }
}

/// Makes the example an item of `tasks`.
fn indented(example: &str) -> String {
    let mut text = String::from("tasks:\n");
    for (number, line) in example.lines().enumerate() {
        let mark = if number == 0 { "  - " } else { "    " };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", format!("{mark}{line}").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_page_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators.md");
        let page = page(&crate::all());
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "docs/operators.md is stale: run UPDATE_EXPECT=1 cargo test -p flow-operators");
    }

    #[test]
    fn every_field_says_what_it_is_for() {
        for entry in crate::all().entries() {
            for (name, field) in (entry.spec.schema)()["properties"].as_object().unwrap() {
                assert!(field["description"].is_string(), "{}: {name}", entry.spec.name);
                assert!(!kind(field).is_empty(), "{}: {name}: {field}", entry.spec.name);
            }
        }
    }
}
