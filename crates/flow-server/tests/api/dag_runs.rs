//! `/dags/{dag_id}/dagRuns` and what is below it.

mod change;
mod list;
mod trigger;
mod wait;

use serde_json::Value;

use crate::{client::Api, world::at};

/// Where the runs of the chain are.
const RUNS: &str = "/api/v2/dags/chain/dagRuns";

/// Returns the ids of listed runs.
fn ids(body: &Value) -> Vec<&str> {
    body["dag_runs"].as_array().unwrap().iter().map(|run| run["dag_run_id"].as_str().unwrap()).collect()
}

impl Api {
    /// Saves the chain and makes runs of it, a second apart: `r1`, `r2`, …
    async fn with_runs(self, number: u64) -> Self {
        let w = self.w.clone().with_chain().await;
        for second in 1..=number {
            let run_id = format!("r{second}");
            let request = flow_store::TriggerRun {
                run_id: Some(&run_id),
                logical_date: Some(at(second)),
                ..crate::world::request("chain")
            };
            w.store.trigger(&w.dags, &request, at(second)).await.unwrap();
        }
        self
    }

    /// Ends a run at this second.
    async fn end(&self, run_id: &str, state: flow_core::RunState, second: u64) {
        let edit = flow_core::engine::Edit::MarkRun { state };
        let options = flow_store::EditOptions::default();
        self.w.store.edit_run(&self.w.dags, ("chain", run_id), &edit, options, at(second)).await.unwrap();
    }
}
