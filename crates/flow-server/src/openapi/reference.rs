//! The OpenAPI document as a page to read: plain HTML, no scripts.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value};

use crate::access::rules;

const STYLE: &str = ":root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}\
    body{margin:2rem auto;max-width:64rem;padding:0 1rem}h2{margin-top:2.5rem;border-bottom:1px solid #8884}\
    details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.3rem .8rem}summary{cursor:pointer}\
    summary code{overflow-wrap:anywhere}b.m{display:inline-block;min-width:4.5rem;font-family:monospace}\
    .GET{color:#2a7ae2}.POST{color:#2e8b57}.PUT,.PATCH{color:#b8860b}.DELETE{color:#c0392b}\
    table{border-collapse:collapse;width:100%;margin:.4rem 0}th,td{text-align:left;vertical-align:top;padding:.2rem .6rem;\
    border-bottom:1px solid #8883}code{background:#8882;padding:.1rem .3rem;border-radius:3px}\
    nav a{margin-right:.8rem;display:inline-block}small{color:GrayText}";

/// Writes the page.
pub(super) fn page(document: &Value) -> String {
    let needs: BTreeMap<(&str, &str), &str> = rules().map(|[method, path, need, _]| ((method, path), need)).collect();
    let mut by_tag: BTreeMap<&str, String> = BTreeMap::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, operation) in fields(item) {
            let tag = operation["tags"][0].as_str().unwrap_or("Other");
            let method = method.to_uppercase();
            let need = needs.get(&(method.as_str(), path.as_str())).copied().unwrap_or("anyone");
            write_operation(by_tag.entry(tag).or_default(), &method, path, need, operation);
        }
    }
    let mut body = String::new();
    let links: String = by_tag.keys().map(|tag| format!("<a href=\"#{}\">{}</a>", anchor(tag), escape(tag))).collect();
    let info = &document["info"];
    let _ = write!(
        body,
        "<h1>{} <small>{}</small></h1>\n<p>{}</p>\n<p>For programs: <a href=\"/openapi.json\">openapi.json</a>.</p>\n\
         <nav>{links}<a href=\"#schemas\">Schemas</a></nav>\n",
        text(&info["title"]),
        text(&info["version"]),
        text(&info["description"])
    );
    for (tag, operations) in &by_tag {
        let _ = write!(body, "<h2 id=\"{}\">{}</h2>\n{operations}", anchor(tag), escape(tag));
    }
    body.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in fields(&document["components"]["schemas"]) {
        write_schema(&mut body, name, schema);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        text(&info["title"])
    )
}

fn write_operation(out: &mut String, method: &str, path: &str, need: &str, operation: &Value) {
    let _ = write!(
        out,
        "<details id=\"{}\"><summary><b class=\"m {method}\">{method}</b> <code>{}</code> {}</summary>\n\
         <p><small>Needs: {need}</small></p>\n",
        anchor(operation["operationId"].as_str().unwrap_or_default()),
        escape(path),
        text(&operation["summary"])
    );
    if let Some(parameters) = operation["parameters"].as_array().filter(|list| !list.is_empty()) {
        out.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>\n");
        for parameter in parameters {
            let required = if parameter["required"] == true { " *" } else { "" };
            let _ = writeln!(
                out,
                "<tr><td><code>{}</code>{required}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                kind(&parameter["schema"]),
                text(&parameter["description"])
            );
        }
        out.push_str("</table>\n");
    }
    for content in fields(&operation["requestBody"]["content"]) {
        let _ = writeln!(out, "<p>Body: {}</p>", kind(&content.1["schema"]));
    }
    out.push_str("<table><tr><th>Status</th><th>Body</th><th></th></tr>\n");
    for (status, answer) in fields(&operation["responses"]) {
        let kinds: Vec<String> = fields(&answer["content"]).map(|(_, content)| kind(&content["schema"])).collect();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(status),
            kinds.join(" or "),
            text(&answer["description"])
        );
    }
    out.push_str("</table></details>\n");
}

fn write_schema(out: &mut String, name: &str, schema: &Value) {
    let _ = writeln!(out, "<details id=\"schema-{}\"><summary><code>{}</code></summary>", anchor(name), escape(name));
    let _ = writeln!(out, "<p>{}</p>", text(&schema["description"]));
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<(&String, &Value)> = fields(&schema["properties"]).collect();
    if rows.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", kind(schema));
    } else {
        out.push_str("<table><tr><th>Field</th><th>Type</th><th></th></tr>\n");
        for (field, inner) in rows {
            let mark = if required.iter().any(|name| name == field) { " *" } else { "" };
            let words = text(&inner["description"]);
            let _ = writeln!(
                out,
                "<tr><td><code>{}</code>{mark}</td><td>{}</td><td>{words}</td></tr>",
                escape(field),
                kind(inner)
            );
        }
        out.push_str("</table>\n");
    }
    out.push_str("</details>\n");
}

/// Says what a schema is in a few words, with a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{}\">{}</a>", anchor(name), escape(name));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(inner) = schema[key].as_array() {
            return inner.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(text).collect::<Vec<_>>().join(", ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["any"],
    };
    let one = |name: &str| match (name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("string", Some(format)) => escape(format),
        _ => escape(name),
    };
    names.into_iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().map(escape).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Makes a name fit for an address.
fn anchor(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_every_link_is_there() {
        let document = serde_json::to_value(crate::openapi_document("0")).unwrap();
        let page = page(&document);
        for (path, item) in fields(&document["paths"]) {
            assert!(page.contains(&escape(path)), "{path}");
            assert!(!item.is_null());
        }
        assert!(!page.contains("<script"));
        for schema in fields(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("id=\"schema-{}\"", anchor(schema.0))), "{}", schema.0);
        }
        assert!(page.len() < 4 * 1024 * 1024, "{}", page.len());
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn a_kind_is_a_few_words() {
        let of = |text: &str| kind(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"type":["string","null"],"format":"date-time"}"#), "date-time or null");
        assert_eq!(of(r#"{"type":"array","items":{"type":"integer"}}"#), "list of integer");
        assert_eq!(of(r##"{"$ref":"#/components/schemas/X<"}"##), "<a href=\"#schema-X-\">X&lt;</a>");
    }
}
