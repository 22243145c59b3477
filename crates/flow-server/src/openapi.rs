//! The OpenAPI document: made from the handlers, kept in docs/reference/openapi.json, served at `/openapi.json`.

use std::sync::OnceLock;

use axum::{extract::State, http::header, response::IntoResponse};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{App, error};

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

/// `GET /openapi.json`; made when someone first asks, for making it takes a while.
pub(crate) async fn show(State(app): State<App>) -> impl IntoResponse {
    static MADE: OnceLock<String> = OnceLock::new();
    std::future::ready(()).await;
    let made = MADE.get_or_init(|| serde_json::to_string(&document(app.version)).unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], made.as_str())
}

/// Returns the document.
pub fn document(version: &str) -> Document {
    let mut document = crate::api::routes().into_openapi();
    version.clone_into(&mut document.info.version);
    document
}
