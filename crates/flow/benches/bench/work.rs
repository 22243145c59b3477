//! The workloads, each with the DAGs it needs.

mod api;
mod files;
mod history;
mod latency;
mod metrics;
mod tasks;

use crate::{Bench, flow::Home};

/// Every workload, in the order they run.
pub(crate) const NAMES: &[&str] = &[
    "chain", "parallel", "diamond", "empty", "dispatch", "metrics", "trigger", "start", "files", "idle", "due", "reads",
];

/// Workloads that run only when they are named: they take long.
pub(crate) const LONG: &[&str] = &["history"];

/// Runs a workload on the bench's database.
pub(crate) async fn run(name: &str, bench: &mut Bench) -> anyhow::Result<()> {
    let home = Home::new(&bench.database).await?;
    let done = match name {
        "chain" => tasks::chain(bench, &home).await,
        "parallel" => tasks::parallel(bench, &home).await,
        "diamond" => tasks::diamond(bench, &home).await,
        "empty" => tasks::empty(bench, &home).await,
        "dispatch" => tasks::dispatch(bench, &home).await,
        "metrics" => metrics::metrics(bench, &home).await,
        "trigger" => latency::trigger(bench, &home).await,
        "start" => files::start(bench, &home).await,
        "files" => files::files(bench, &home).await,
        "idle" => files::idle(bench, &home).await,
        "due" => latency::due(bench, &home).await,
        "history" => history::history(bench, &home).await,
        "reads" => api::reads(bench, &home).await,
        other => anyhow::bail!("no workload `{other}`"),
    };
    if done.is_err() {
        let said = home.said();
        let from = said.len().saturating_sub(4_000);
        eprintln!("the end of what Flow said:\n{}", said.get(from..).unwrap_or(&said));
    }
    let left = home.place.leave().await;
    done.and(left)
}
