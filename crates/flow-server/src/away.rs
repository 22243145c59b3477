//! Large answers, made away from the threads that serve requests.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::ApiError;

/// Makes an answer and writes it as JSON, on a thread that may be busy.
///
/// # Errors
///
/// Those of `make`; 503 when it did not come to an end.
pub(crate) async fn json<T: Serialize>(
    make: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let made = tokio::task::spawn_blocking(move || {
        serde_json::to_vec(&make()?).map_err(|error| ApiError::unavailable(error.to_string()))
    });
    let body = made.await.map_err(|error| {
        tracing::error!(%error, "what was asked for could not be finished");
        ApiError::unavailable("this could not be finished")
    })??;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

#[cfg(test)]
mod tests {
    use std::thread::{ThreadId, current};

    use axum::body::to_bytes;
    use serde::Serializer;

    use super::*;

    /// Is written as whether that is done on another thread.
    struct Elsewhere(ThreadId);

    impl Serialize for Elsewhere {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bool(current().id() != self.0)
        }
    }

    #[tokio::test]
    async fn an_answer_is_made_and_written_on_another_thread() {
        let here = current().id();
        let answer = json(move || Ok((current().id() != here, Elsewhere(here)))).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(to_bytes(answer.into_body(), 100).await.unwrap(), "[true,true]");
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said() {
        let refused = json(|| Err::<(), _>(ApiError::conflict("no"))).await.unwrap_err();
        assert_eq!(refused.status(), 409);
    }
}
