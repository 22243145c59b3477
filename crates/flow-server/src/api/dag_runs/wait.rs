//! Waiting until a run has ended: a line of JSON at a time.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use flow_core::{RunKey, RunState};
use flow_store::StoreError;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::{
    ApiError, App, Who,
    api::{Refusals, events::mark_live, find},
    error::ErrorBody,
    extract::{Path, Query},
    live::{Access, Seat},
};

/// Between two lines.
const INTERVAL: std::ops::RangeInclusive<f64> = 0.1..=3_600.0;
/// How often the run is looked at; its end is told at once.
const LOOK: Duration = Duration::from_millis(250);
/// The longest wait. Whoever wants to wait longer asks again.
const LIFE: Duration = Duration::from_secs(60 * 60);
/// Most tasks whose results are asked for.
const RESULTS_MAX: usize = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// Seconds between two lines
    #[param(exclusive_minimum = 0)]
    interval: f64,
    /// Tasks whose results the last line holds
    #[serde(default)]
    result: Vec<String>,
}

/// A line.
#[derive(Serialize)]
struct Line {
    state: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    results: BTreeMap<String, Value>,
}

/// Waits until a run has ended: one JSON object a line, with `state` and at last `results`
#[utoipa::path(get, path = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/wait", tag = "DagRun",
    params(("dag_id" = String, Path), ("dag_run_id" = String, Path), Wait),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody), Refusals))]
pub(super) async fn wait_dag_run_until_finished(
    State(app): State<App>,
    who: Who,
    request: Parts,
    Path((dag_id, run_id)): Path<(String, String)>,
    Query(wait): Query<Wait>,
) -> Result<Response, ApiError> {
    if wait.interval.is_nan() || wait.interval <= 0.0 {
        return Err(ApiError::invalid(&["query", "interval"], "Input should be greater than 0"));
    }
    if wait.result.len() > RESULTS_MAX {
        return Err(ApiError::invalid(&["query", "result"], format!("at most {RESULTS_MAX} of them")));
    }
    let row = find::run(&app, &dag_id, &run_id).await?;
    let seat = app.live.seat(&who)?;
    let access = Access::new(&app, &request, who, Some(dag_id.clone())).await?;
    let now = Instant::now();
    let waiter = Waiter {
        access,
        closing: app.live.closing.clone(),
        app,
        name: (dag_id, run_id),
        key: row.run.key,
        interval: Duration::from_secs_f64(wait.interval.clamp(*INTERVAL.start(), *INTERVAL.end())),
        results: wait.result,
        next_line: now,
        end: now + LIFE,
        _seat: seat,
    };
    let lines = stream::unfold(Some(waiter), |waiter| async move {
        let mut waiter = waiter?;
        let (line, is_last) = waiter.line().await?;
        Some((Ok::<_, Infallible>(line), (!is_last).then_some(waiter)))
    });
    // Whoever compresses it asks once more after the end.
    let mut response = Body::from_stream(lines.fuse()).into_response();
    mark_live(&mut response, "application/x-ndjson");
    Ok(response)
}

struct Waiter {
    app: App,
    access: Access,
    closing: CancellationToken,
    name: (String, String),
    key: RunKey,
    interval: Duration,
    results: Vec<String>,
    next_line: Instant,
    end: Instant,
    _seat: Seat,
}

impl Waiter {
    /// Waits for the next line, and says whether it is the last one. `None` = there is nothing more to say.
    async fn line(&mut self) -> Option<(Bytes, bool)> {
        loop {
            if self.closing.is_cancelled() || !self.access.may_go_on().await {
                return None;
            }
            let state = match self.state().await {
                Ok(state) => state?,
                // The database is away for a moment; who waits need not know.
                Err(error) if error.is_passing() => {
                    self.pause(LOOK).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot tell more about a run");
                    return None;
                }
            };
            let now = Instant::now();
            let is_last = state.is_finished() || now >= self.end;
            if is_last || now >= self.next_line {
                self.next_line = now + self.interval;
                let results = if state.is_finished() { self.collected().await } else { BTreeMap::new() };
                let mut line = serde_json::to_vec(&Line { state: state.as_str(), results }).ok()?;
                line.push(b'\n');
                return Some((line.into(), is_last));
            }
            self.pause(LOOK.min(self.next_line - now)).await;
        }
    }

    /// Waits, unless the server ends.
    async fn pause(&self, time: Duration) {
        // Either is looked at afterwards.
        let _ = self.closing.run_until_cancelled(sleep(time)).await;
    }

    /// Returns the state; `None` = someone has deleted the run.
    async fn state(&self) -> Result<Option<RunState>, StoreError> {
        if Instant::now() >= self.end + LOOK {
            return Ok(None);
        }
        let row = self.app.store.run(&self.name.0, &self.name.1).await?;
        Ok(row.filter(|row| row.run.key == self.key).map(|row| row.run.state))
    }

    /// Returns the results that were asked for and are there; those of a mapped task as a list.
    async fn collected(&self) -> BTreeMap<String, Value> {
        let mut results = BTreeMap::new();
        for task_id in &self.results {
            let found = match self.app.store.xcom(self.key, task_id, "return_value").await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "cannot read a result");
                    continue;
                }
            };
            let is_mapped = !matches!(found.as_slice(), [(-1, _)]);
            let mut values: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
            let value = match (is_mapped, values.pop()) {
                (_, None) => continue,
                (false, Some(value)) => value,
                (true, Some(last)) => {
                    values.push(last);
                    Value::Array(values)
                }
            };
            results.insert(task_id.clone(), value);
        }
        results
    }
}
