//! Is everything there? Airflow's health body.

use std::time::Duration;

use axum::{Json, extract::State};
use flow_core::Timestamp;
use flow_store::Process;
use serde_json::{Value, json};

use crate::App;

/// A scheduler that is silent for longer is unhealthy, as in Airflow.
const SILENT: Duration = Duration::from_secs(30);

/// `GET /api/v2/monitor/health`: always 200; the states are in the body.
pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    let processes = app.store.processes().await;
    let is_there = processes.is_ok();
    let scheduler = latest_heartbeat(processes.as_deref().unwrap_or_default());
    let now = (app.now)();
    let is_alive = scheduler.is_some_and(|at| now.since(at) <= SILENT);
    let word = |is_healthy: bool| if is_healthy { "healthy" } else { "unhealthy" };
    Json(json!({
        "metadatabase": { "status": word(is_there) },
        "scheduler": { "status": word(is_there && is_alive), "latest_scheduler_heartbeat": scheduler },
        "triggerer": { "status": null, "latest_triggerer_heartbeat": null },
        "dag_processor": { "status": word(is_there && is_alive), "latest_dag_processor_heartbeat": scheduler },
    }))
}

/// Returns when a scheduler was last heard of.
fn latest_heartbeat(processes: &[Process]) -> Option<Timestamp> {
    let schedulers = processes.iter().filter(|process| process.kind != "worker");
    schedulers.map(|process| Timestamp::from_micros(process.heartbeat_at)).max()
}
