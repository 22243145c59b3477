//! What a request that cannot be served is answered: a status and `{"detail": …}` with a sentence, as in Airflow.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use flow_store::{ActionError, StoreError};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Why a request was not served.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: Value,
    /// Seconds until it is worth another try.
    retry_after: Option<u64>,
}

/// The body of an answer that is an error.
#[derive(Serialize, ToSchema)]
#[schema(as = HTTPExceptionResponse)]
pub(crate) struct ErrorBody {
    /// A sentence.
    detail: Value,
}

/// The body of an answer to a request that makes no sense.
#[derive(Serialize, ToSchema)]
#[schema(as = HTTPValidationError)]
pub(crate) struct InvalidBody {
    detail: Vec<InvalidPart>,
}

/// A part of a request that makes no sense.
#[derive(Serialize, ToSchema)]
#[schema(as = ValidationError)]
pub(crate) struct InvalidPart {
    /// Where: `["query", "limit"]`.
    loc: Vec<Value>,
    msg: String,
    r#type: String,
    /// Always null: what was sent may be a secret
    input: Value,
    ctx: serde_json::Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Value::String(detail.into()), retry_after: None }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns what is said: a text, or a list of places.
    pub(crate) fn detail(&self) -> &Value {
        &self.detail
    }

    /// 400: understood, and refused.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: nobody is known by this.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: known, and not allowed.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404, in words such as "dag `x` does not exist".
    pub(crate) fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} `{name}` does not exist"))
    }

    /// 404, in these words.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn no_such_address() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this address")
    }

    /// 409: someone was faster, or it exists already.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 409 with `Retry-After`: a part is done, and asking again does more.
    pub(crate) fn again(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(0), ..Self::conflict(detail) }
    }

    /// 409 with the body that Airflow gives when something exists already.
    pub(crate) fn exists(message: impl Into<String>) -> Self {
        let detail = json!({
            "reason": "Unique constraint violation",
            "statement": "hidden",
            "orig_error": "hidden",
            "message": message.into(),
        });
        Self { status: StatusCode::CONFLICT, detail, retry_after: None }
    }

    /// Says whether it is about who asks, and not about a server in trouble.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_client_error()
    }

    /// 422: a part of the request makes no sense. `place`: `["body", "conf"]`.
    pub(crate) fn invalid(place: &[&str], message: impl Into<String>) -> Self {
        let detail = json!([{ "loc": place, "msg": message.into(), "type": "value_error", "input": null, "ctx": {} }]);
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail, retry_after: None }
    }

    /// 429: too often; `wait` in seconds.
    pub(crate) fn too_many(wait: u64, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 503: not now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// 501: Airflow has it, this version of Flow does not.
    pub(crate) fn not_implemented(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, detail)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            StoreError::Conflict(_) => Self::conflict(error.to_string()),
            StoreError::Inconsistent { .. } => {
                tracing::error!(%error, "a row cannot be understood");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            StoreError::TooMuch => Self::bad_request(error.to_string()),
            // Says which key is missing, and where it belongs.
            StoreError::Key(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            StoreError::Unusable(_) | StoreError::Database(_) => {
                tracing::warn!(%error, "a request could not be served");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again in a moment")
            }
        }
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Store(error) => error.into(),
            ActionError::Refused(refused) => Self::bad_request(refused.to_string()),
            ActionError::Invalid(problem) => Self::bad_request(problem),
            ActionError::Conflict(problem) => Self::conflict(problem),
            ActionError::Stopped(stopped) if stopped.dry_run => Self::bad_request(stopped.to_string()),
            ActionError::Stopped(stopped) => Self::conflict(stopped.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "detail": self.detail }))).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(axum::http::header::WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, wait.into());
        }
        response
    }
}
