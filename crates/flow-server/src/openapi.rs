//! The OpenAPI document: made from the handlers, kept in docs/reference/openapi.json, served at `/openapi.json`.

use std::{collections::BTreeSet, sync::OnceLock};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse},
};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Object, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder, Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{App, error};

mod reference;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flow API",
        description = "DAGs, runs, task instances and what belongs to them. Paths, bodies and names are those of Airflow's stable REST API v2."
    ),
    components(schemas(error::ErrorBody, error::InvalidBody, error::InvalidPart)),
    modifiers(&Security),
    security(("token" = []), ("session" = []))
)]
pub(crate) struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let parts = document.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        parts.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("flow_session"));
        parts.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The document and the page of it, made when someone first asks.
struct Made {
    json: String,
    page: String,
}

fn made(app: &App) -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    // A process has one version.
    MADE.get_or_init(|| {
        let document = serde_json::to_value(document(app.version)).unwrap_or_default();
        Made { json: document.to_string(), page: reference::page(&document) }
    })
}

/// `GET /openapi.json`
pub(crate) async fn show(State(app): State<App>) -> impl IntoResponse {
    std::future::ready(()).await;
    ([(CONTENT_TYPE, "application/json")], made(&app).json.as_str())
}

/// `GET /docs`
pub(crate) async fn read(State(app): State<App>) -> Html<&'static str> {
    std::future::ready(()).await;
    Html(&made(&app).page)
}

/// Returns the document.
pub fn document(version: &str) -> Document {
    let mut document = crate::api::routes().into_openapi();
    version.clone_into(&mut document.info.version);
    add_common_answers(&mut document);
    tell_what_is_always_there(&mut document);
    document
}

/// Says what any request may be answered.
fn add_common_answers(document: &mut Document) {
    let answer = |words: &str| -> RefOr<Response> {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("HTTPExceptionResponse"))).build();
        ResponseBuilder::new().description(words).content("application/json", body).build().into()
    };
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten();
        for operation in operations {
            let mut common = vec![
                ("400", "Understood, and refused"),
                ("503", "The database does not answer"),
                ("504", "It took too long"),
            ];
            if operation.request_body.is_some() {
                common.push(("413", "The body is too large"));
            }
            for (status, words) in common {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| answer(words));
            }
        }
    }
}

/// Answers that leave out what they have nothing for, as Airflow's do, or what was not asked for; there are very many of
/// them in one.
const LEAVE_OUT: [&str; 2] = ["GridRun", "StructuredLogMessage"];

/// Answers write every field, null where there is nothing; the derived description takes those for optional.
/// Two structures written as one object are described as one.
fn tell_what_is_always_there(document: &mut Document) {
    let asked = asked_for(document);
    let Some(parts) = &mut document.components else { return };
    for (name, schema) in &mut parts.schemas {
        let RefOr::T(schema) = schema else { continue };
        if let Schema::AllOf(all) = schema {
            let mut whole = Object::new();
            for item in &mut all.items {
                if let RefOr::T(Schema::Object(part)) = item {
                    whole.properties.append(&mut part.properties);
                    whole.required.append(&mut part.required);
                }
            }
            if !whole.properties.is_empty() {
                *schema = Schema::Object(whole);
            }
        }
        if let Schema::Object(object) = schema
            && !asked.contains(name)
            && !LEAVE_OUT.contains(&name.as_str())
        {
            object.required = object.properties.keys().cloned().collect();
        }
    }
}

/// Returns the schemas of bodies of requests, with those that they refer to.
fn asked_for(document: &Document) -> BTreeSet<String> {
    let whole = serde_json::to_value(document).unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut left: Vec<&Value> = Vec::new();
    let items = whole["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    for operation in items.filter_map(Value::as_object).flat_map(|item| item.values()) {
        left.push(&operation["requestBody"]);
    }
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                let named = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
                if let Some(name) = named
                    && found.insert(name.to_owned())
                {
                    left.push(&whole["components"]["schemas"][name]);
                }
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every operation with its method and path.
    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let items = document["paths"].as_object().into_iter().flatten();
        let each = |(path, item)| -> Vec<(String, &Value)> {
            let item: &Value = item;
            let operations = item.as_object().into_iter().flatten();
            operations.map(|(method, operation)| (format!("{} {path}", method.to_uppercase()), operation)).collect()
        };
        items.flat_map(each).collect()
    }

    #[test]
    fn every_operation_says_what_it_does_and_answers() {
        let document = serde_json::to_value(document("0")).unwrap();
        let mut complaints = Vec::new();
        for (name, operation) in operations(&document) {
            let mut check = |is_so: bool, complaint: &str| {
                if !is_so {
                    complaints.push(format!("{name} {complaint}"));
                }
            };
            check(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "has no summary");
            check(operation["tags"][0].is_string(), "has no tag");
            let answers = operation["responses"].as_object().unwrap();
            let has = |status: &str| answers.contains_key(status);
            // What there is nothing of, or nothing but a page to go to, says so.
            let ends = answers.keys().any(|status| status.starts_with('2')) || has("307") || has("404") || has("501");
            check(ends, "never ends well");
            check(has("503"), "hides that the database may be away");
            check(!name.contains("{dag_id}") || has("404"), "finds everything");
        }
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    #[test]
    fn an_answer_has_every_field_and_a_body_need_not() {
        let document = serde_json::to_value(document("0")).unwrap();
        let schemas = &document["components"]["schemas"];
        let details = &schemas["DAGDetailsResponse"];
        let fields: Vec<&String> = details["properties"].as_object().unwrap().keys().collect();
        assert_eq!(details["required"], serde_json::json!(fields));
        assert!(fields.len() > 45, "{fields:?}");
        assert_eq!(schemas["CreateAssetEventsBody"]["required"], serde_json::json!(["asset_id"]));
    }

    #[test]
    fn the_kept_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
        let document = document(env!("CARGO_PKG_VERSION"));
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == text,
            "docs/reference/openapi.json is stale: run UPDATE_EXPECT=1 cargo test -p flow-server --lib"
        );
    }
}
