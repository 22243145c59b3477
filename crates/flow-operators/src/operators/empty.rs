//! Does nothing.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    context::TaskContext,
    operator::{Done, Operator, OperatorError},
};

/// `uses: empty`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

impl Operator for Empty {
    const NAME: &'static str = "empty";
    const CLASS: &'static str = "airflow.providers.standard.operators.empty.EmptyOperator";
    const SUMMARY: &'static str = "Does nothing; joins or forks other tasks.";
    const IS_INLINE: bool = true;
    const EXAMPLE: &'static str = "\
id: done
needs: [load_a, load_b]
";

    async fn run(self, _: &mut TaskContext) -> Result<Done, OperatorError> {
        std::future::ready(Ok(Done::success(()))).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn it_succeeds_and_leaves_nothing() {
        let world = World::new();
        world.run("empty", json!({})).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn it_takes_no_arguments() {
        let finished = World::new().run("empty", json!({ "what": 1 })).await;
        finished.failed_for_good("what");
    }
}
