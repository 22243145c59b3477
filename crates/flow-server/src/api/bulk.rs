//! Many changes in one request, as Airflow has them: each action says what became of each of its entities.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::ApiError;

/// Most entities of one request.
pub(crate) const ENTITIES_MAX: usize = 1_000;

/// What happens to what is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkActionOnExistence {
    #[default]
    Fail,
    Skip,
    Overwrite,
}

/// What happens to what is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkActionNotOnExistence {
    #[default]
    Fail,
    Skip,
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BulkActionResponse {
    /// Names of what was done
    pub(crate) success: Vec<String>,
    /// What was not, each with `error` and `status_code`
    #[schema(value_type = Vec<Object>)]
    pub(crate) errors: Vec<Value>,
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BulkResponse {
    pub(crate) create: Option<BulkActionResponse>,
    pub(crate) update: Option<BulkActionResponse>,
    pub(crate) delete: Option<BulkActionResponse>,
}

impl BulkActionResponse {
    /// Adds what came of one entity.
    pub(crate) fn add(&mut self, outcome: Result<Option<String>, ApiError>) {
        match outcome {
            Ok(Some(name)) => self.success.push(name),
            Ok(None) => {}
            Err(error) => {
                self.errors.push(json!({ "error": error.detail_text(), "status_code": error.status().as_u16() }));
            }
        }
    }
}
