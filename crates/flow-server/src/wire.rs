//! Values as they look in JSON, where they are not what Rust would make of them.

use flow_core::{RunKey, Timestamp};
use flow_store::VersionLine;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

/// A moment: RFC 3339, in UTC when it comes from Flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, format = DateTime)]
#[serde(transparent)]
pub(crate) struct When(pub(crate) Timestamp);

impl From<Timestamp> for When {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl When {
    /// Reads a column of microseconds.
    pub(crate) fn of_micros(micros: i64) -> Self {
        Self(Timestamp::from_micros(micros))
    }
}

/// A span of time, as Airflow writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TimeDelta {
    #[serde(rename = "__type")]
    kind: &'static str,
    days: i64,
    seconds: i64,
    microseconds: i64,
}

impl From<std::time::Duration> for TimeDelta {
    fn from(span: std::time::Duration) -> Self {
        const DAY: u64 = 86_400;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            kind: "TimeDelta",
            days: whole(span.as_secs() / DAY),
            seconds: whole(span.as_secs() % DAY),
            microseconds: i64::from(span.subsec_micros()),
        }
    }
}

/// Returns the id of a task instance. Airflow's clients expect a UUID; Flow has none, so it is made from the name, and
/// is the same every time.
pub(crate) fn task_instance_uuid(run: RunKey, task_id: &str, map_index: i32) -> Uuid {
    let digest = Sha256::digest(format!("{run}/{map_index}/{task_id}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A version of a DAG.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DagVersionResponse {
    id: Uuid,
    version_number: i64,
    dag_id: String,
    bundle_name: Option<&'static str>,
    bundle_version: Option<String>,
    created_at: When,
    dag_display_name: String,
    bundle_url: Option<String>,
}

impl From<&VersionLine> for DagVersionResponse {
    fn from(line: &VersionLine) -> Self {
        Self {
            // A UUID of version 8 that holds the number.
            id: uuid::Builder::from_custom_bytes(u128::from(line.id.unsigned_abs()).to_be_bytes()).into_uuid(),
            version_number: line.number,
            dag_id: line.dag_id.clone(),
            bundle_name: Some(crate::api::BUNDLE),
            bundle_version: None,
            created_at: When::of_micros(line.created_at),
            dag_display_name: line.display_name.clone().unwrap_or_else(|| line.dag_id.clone()),
            bundle_url: None,
        }
    }
}
