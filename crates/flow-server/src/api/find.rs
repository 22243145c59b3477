//! What a path names, or 404 in Airflow's words.

use flow_store::{DagRow, RunRow};

use crate::{ApiError, App};

/// Returns a DAG.
///
/// # Errors
///
/// 404 when there is none.
pub(crate) async fn dag(app: &App, dag_id: &str) -> Result<DagRow, ApiError> {
    app.store
        .dag(dag_id)
        .await?
        .ok_or_else(|| ApiError::missing(format!("The DAG with dag_id: `{dag_id}` was not found")))
}

/// Returns a run.
///
/// # Errors
///
/// 404 when there is none.
pub(crate) async fn run(app: &App, dag_id: &str, run_id: &str) -> Result<RunRow, ApiError> {
    // No id holds NUL, and Postgres would refuse to look for it.
    let found =
        if dag_id.contains('\0') || run_id.contains('\0') { None } else { app.store.run(dag_id, run_id).await? };
    found.ok_or_else(|| no_such_run(dag_id, run_id))
}

/// 404: there is no such run.
pub(crate) fn no_such_run(dag_id: &str, run_id: &str) -> ApiError {
    ApiError::missing(format!("The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found"))
}
