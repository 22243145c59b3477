//! Reading requests: a part that makes no sense is answered 422 with its place, as in Airflow.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
        request::Parts,
    },
};
use serde::de::DeserializeOwned;

use crate::{ApiError, App, access::Who};

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// The query; a key that may be repeated is a `Vec`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// The variable parts of the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        Self::read(request, app).await
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads a body; none at all is null.
    pub(crate) async fn read(request: Request, app: &App) -> Result<Self, ApiError> {
        if !request.headers().contains_key(CONTENT_TYPE) && has_no_body(request.headers()) {
            let missing = |_| ApiError::invalid(&["body"], "this needs a body");
            return serde_json::from_value(serde_json::Value::Null).map(Self).map_err(missing);
        }
        match axum::Json::<serde_json::Value>::from_request(request, app).await {
            // A list would be taken for the fields of an object in their order.
            Ok(axum::Json(serde_json::Value::Array(_))) => {
                Err(ApiError::invalid(&["body"], "the body must be an object"))
            }
            Ok(axum::Json(body)) => {
                serde_json::from_value(body).map(Self).map_err(|error| ApiError::invalid(&["body"], error.to_string()))
            }
            Err(rejection) => Err(match rejection {
                JsonRejection::JsonDataError(error) => ApiError::invalid(&["body"], error.body_text()),
                JsonRejection::JsonSyntaxError(error) => ApiError::invalid(&["body"], error.body_text()),
                JsonRejection::MissingJsonContentType(_) => ApiError::invalid(
                    &["body"],
                    "the body must be JSON, with the header `Content-Type: application/json`",
                ),
                JsonRejection::BytesRejection(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
                }
                other @ (JsonRejection::BytesRejection(_) | _) => ApiError::bad_request(other.body_text()),
            }),
        }
    }
}

/// Says whether a request comes without a body. Its layers, which limit it, do not know.
fn has_no_body(headers: &HeaderMap) -> bool {
    !headers.contains_key(TRANSFER_ENCODING) && headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0")
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        std::future::ready(Self::of(&parts.uri)).await
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// Reads the query of an address.
    pub(crate) fn of(uri: &Uri) -> Result<Self, ApiError> {
        match axum_extra::extract::Query::<T>::try_from_uri(uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let problem = rejection.body_text();
                let problem = problem.strip_prefix("Failed to deserialize query string: ").unwrap_or(&problem);
                let culprit = Self::culprit(uri);
                let place = ["query"].into_iter().chain(culprit.as_deref());
                Err(ApiError::invalid(&place.collect::<Vec<_>>(), problem))
            }
        }
    }

    /// Finds the parameter without which the query could be read: of one that is nested, the reader does not tell.
    fn culprit(uri: &Uri) -> Option<String> {
        let parts: Vec<&str> = uri.query()?.split('&').collect();
        if parts.len() > PARTS_TRIED_MAX {
            return None;
        }
        let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
        let is_read_without = |name_of: &str| {
            let others: Vec<&str> = parts.iter().copied().filter(|part| name(part) != name_of).collect();
            let without = Uri::builder().path_and_query(format!("/?{}", others.join("&"))).build();
            without.is_ok_and(|uri| axum_extra::extract::Query::<T>::try_from_uri(&uri).is_ok())
        };
        parts.iter().map(|part| name(part)).find(|name| is_read_without(name))
    }
}

/// Most parts of a query that are tried out to find the one that is wrong.
const PARTS_TRIED_MAX: usize = 20;

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) => Err(ApiError::invalid(&["path"], rejection.body_text())),
        }
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        // `access::guard` has put it there.
        std::future::ready(
            parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::unauthorized("log in first")),
        )
        .await
    }
}

/// How something is to be answered that is a text as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
}

impl Form {
    /// Reads `Accept`: the first of its types that there is.
    ///
    /// # Errors
    ///
    /// 406 when there is none.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(accept) = headers.get(ACCEPT) else { return Ok(Self::Json) };
        let accept = accept.to_str().unwrap_or_default();
        let form = accept.split(',').find_map(|part| {
            match part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
                "application/json" | "application/*" | "*/*" => Some(Self::Json),
                "text/plain" | "text/*" => Some(Self::Text),
                _ => None,
            }
        });
        form.ok_or_else(|| {
            ApiError::new(StatusCode::NOT_ACCEPTABLE, "this comes as `application/json` or `text/plain`")
        })
    }
}
