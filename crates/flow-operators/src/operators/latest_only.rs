//! Goes on only in the latest run.

use flow_core::run::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
};

/// `uses: latest_only`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatestOnly {}

impl Operator for LatestOnly {
    const NAME: &'static str = "latest_only";
    const CLASS: &'static str = "airflow.providers.standard.operators.latest_only.LatestOnlyOperator";
    const SUMMARY: &'static str =
        "Skips its direct downstream tasks unless the run is the latest of its schedule; a manual run always goes on.";
    const IS_BRANCH: bool = true;
    const EXAMPLE: &'static str = "\
id: only_now
uses: latest_only
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let (goes_on, sentence) = if cx.identity.is_manual {
            (true, "this run was made by hand: going on\n")
        } else if cx.services.is_latest_run().await.map_err(OperatorError::service)? {
            (true, "this is the latest run: going on\n")
        } else {
            (false, "this is not the latest run: skipping what is directly downstream\n")
        };
        cx.log.write(Stream::Info, sentence.as_bytes());
        if goes_on || cx.downstream.is_empty() {
            let follow = if goes_on { cx.downstream.clone() } else { Vec::new() };
            let ids: Vec<_> = follow.iter().map(|id| id.as_str()).collect();
            return Ok(Done::success(json!(ids)));
        }
        Ok(Done::new(Outcome::Branch { follow: Vec::new() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_latest_run_and_a_manual_one_go_on() {
        for (is_manual, is_latest) in [(false, true), (true, false), (true, true)] {
            let mut world = World::new();
            world.downstream(&["a", "b"]);
            world.cx.identity.is_manual = is_manual;
            world.services.lock().unwrap().is_latest = is_latest;
            let finished = world.run("latest_only", json!({})).await;
            assert_eq!(finished.outcome(), &Outcome::Success);
            assert_eq!(finished.result(), Some(&json!(["a", "b"])));
        }
    }

    #[tokio::test]
    async fn an_older_run_skips() {
        let mut world = World::new();
        world.downstream(&["a"]);
        let finished = world.run("latest_only", json!({})).await;
        assert_eq!(finished.outcome(), &Outcome::Branch { follow: vec![] });
        assert_eq!(finished.result(), None);
    }
}
