//! The settings in force. Secrets are masked before they get here.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App, Setting,
    error::ErrorBody,
    extract::{Form, Path, Query},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    section: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Config {
    sections: Vec<ConfigSection>,
}

#[derive(Serialize, ToSchema)]
struct ConfigSection {
    name: String,
    options: Vec<ConfigOption>,
}

#[derive(Serialize, ToSchema)]
struct ConfigOption {
    key: String,
    value: String,
    /// Where it comes from: `default`, `file`, `env` or `flag`
    source: &'static str,
    /// The file and line, variable or flag
    place: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_config)).routes(routes!(get_config_value))
}

/// Every setting, as JSON or as text
#[utoipa::path(get, path = "/api/v2/config", tag = "Config", params(Filter),
    responses((status = 200, content((Config = "application/json"), (String = "text/plain"))),
        (status = 404, body = ErrorBody), (status = 406, body = ErrorBody), Refusals))]
async fn get_config(
    State(app): State<App>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = Form::of(&headers)?;
    answer(&app, form, |setting| filter.section.as_ref().is_none_or(|section| *section == setting.section))
        .ok_or_else(|| missing(format!("section `{}`", filter.section.as_deref().unwrap_or_default())))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/config/section/{section}/option/{option}", tag = "Config",
    params(("section" = String, Path), ("option" = String, Path)),
    responses((status = 200, content((Config = "application/json"), (String = "text/plain"))),
        (status = 404, body = ErrorBody), (status = 406, body = ErrorBody), Refusals))]
async fn get_config_value(
    State(app): State<App>,
    Path((section, option)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = Form::of(&headers)?;
    answer(&app, form, |setting| setting.section == section && setting.key == option)
        .ok_or_else(|| missing(format!("option `{section}.{option}`")))
}

fn missing(what: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is no {what}"))
}

/// `None` = there is no such setting.
fn answer(app: &App, form: Form, is_wanted: impl Fn(&Setting) -> bool) -> Option<Response> {
    let mut sections: Vec<ConfigSection> = Vec::new();
    for setting in app.about.settings.iter().filter(|setting| is_wanted(setting)) {
        let Setting { key, value, source, place, .. } = setting.clone();
        let option = ConfigOption { key, value, source, place };
        match sections.last_mut().filter(|section| section.name == setting.section) {
            Some(section) => section.options.push(option),
            None => sections.push(ConfigSection { name: setting.section.clone(), options: vec![option] }),
        }
    }
    if sections.is_empty() {
        return None;
    }
    Some(match form {
        Form::Json => Json(Config { sections }).into_response(),
        Form::Text => {
            let section = |section: &ConfigSection| {
                let options = section.options.iter().map(|option| format!("{} = {}\n", option.key, option.value));
                format!("[{}]\n{}\n", section.name, options.collect::<String>())
            };
            sections.iter().map(section).collect::<String>().into_response()
        }
    })
}
