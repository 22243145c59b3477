//! Starting runs by hand.

use axum::{extract::State, http::HeaderMap};
use flow_core::run::DataInterval;
use flow_store::{Dating, TriggerOutcome, TriggerRun};
use flow_traces::Parent;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{DAGRunResponse, note, shown};
use crate::{
    ApiError, App, Who,
    api::{Refusals, find},
    error::ErrorBody,
    extract::{Json, Path},
    wire::When,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerDAGRunPostBody {
    dag_run_id: Option<String>,
    data_interval_start: Option<When>,
    data_interval_end: Option<When>,
    /// Null = a run without a logical date
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    logical_date: Option<When>,
    /// Not before this moment
    run_after: Option<When>,
    #[schema(value_type = Option<Object>)]
    conf: Option<serde_json::Map<String, Value>>,
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// Runs have no partitions: must be null
    partition_key: Option<String>,
}

/// Starts a run by hand
#[utoipa::path(post, path = "/api/v2/dags/{dag_id}/dagRuns", tag = "DagRun", params(("dag_id" = String, Path),
        ("traceparent" = Option<String>, Header, description = "The span that asks for the run: traces link the run to it")),
    request_body = TriggerDAGRunPostBody,
    responses((status = 200, body = DAGRunResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), Refusals))]
pub(super) async fn trigger_dag_run(
    State(app): State<App>,
    who: Who,
    Path(dag_id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<TriggerDAGRunPostBody>,
) -> Result<axum::Json<DAGRunResponse>, ApiError> {
    let dating = match (body.data_interval_start, body.data_interval_end) {
        (None, None) if body.logical_date.is_none() => Dating::None,
        (None, None) => Dating::Timetable,
        (Some(When(start)), Some(When(end))) => {
            if start > end {
                return Err(ApiError::invalid(
                    &["body", "data_interval_start"],
                    "must not be after `data_interval_end`",
                ));
            }
            // Without a logical date there is no interval either, as in Airflow.
            if body.logical_date.is_none() { Dating::None } else { Dating::Interval(DataInterval { start, end }) }
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(ApiError::invalid(
                &["body"],
                "Either both data_interval_start and data_interval_end must be provided or both must be None",
            ));
        }
    };
    if body.partition_key.is_some() {
        return Err(ApiError::bad_request("runs have no partitions; leave `partition_key` out"));
    }
    let note = match &body.note {
        Some(text) => note(&["body", "note"], text)?.map(|text| text.replace('\0', "\u{fffd}")),
        None => None,
    };
    find::dag(&app, &dag_id).await?;
    let caller = headers.get("traceparent").and_then(|text| text.to_str().ok()?.parse::<Parent>().ok());
    let caller = caller.map(|parent| parent.to_string());
    let conf = body.conf.map_or(Value::Null, Value::Object);
    let request = TriggerRun {
        dag_id: &dag_id,
        run_id: body.dag_run_id.as_deref(),
        logical_date: body.logical_date.map(|when| when.0),
        run_after: body.run_after.map(|when| when.0),
        conf: &conf,
        triggered_by: "rest_api",
        user: Some(&who.user),
        note: note.as_deref(),
        caller: caller.as_deref(),
    };
    match app.store.trigger_dated(&app.dags, &request, dating, (app.now)()).await? {
        TriggerOutcome::Created(row) => Ok(axum::Json(shown(&app, row).await?)),
        TriggerOutcome::Exists(row) => Err(ApiError::exists(match body.logical_date {
            Some(When(date)) if Some(date) == row.run.logical_date => {
                format!("dag `{dag_id}` has a run of {date} already: `{}`", row.run.run_id)
            }
            Some(_) | None => format!("dag `{dag_id}` has a run `{}` already", row.run.run_id),
        })),
    }
}
