//! Waits until a shell command succeeds.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::bash;
use crate::{
    context::TaskContext,
    operator::OperatorError,
    process,
    sensor::{Look, Sensor},
    values::Env,
};

/// `uses: bash_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BashSensor {
    /// The command, given to `bash -c`; exit code 0 means "it is there".
    bash_command: String,
    /// Environment variables. Given, they are the whole environment.
    #[serde(default)]
    env: Option<Env>,
    /// The exit code that means "not yet"; any other but 0 then fails the task for good. Without it every code
    /// but 0 means "not yet".
    #[serde(default)]
    retry_exit_code: Option<i32>,
    /// Accepted for Airflow's sake; must be `utf-8`.
    #[serde(default = "bash::output_encoding")]
    output_encoding: String,
}

impl Sensor for BashSensor {
    const NAME: &'static str = "bash_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.bash.BashSensor";
    const SUMMARY: &'static str = "Waits until a shell command succeeds.";
    const TEMPLATED: &'static [&'static str] = &["bash_command", "env"];
    const EXAMPLE: &'static str = "\
id: server_is_up
uses: bash_sensor
with:
  bash_command: nc -z localhost 5432
  poke_interval: 10s
  timeout: 15m
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        bash::check_encoding(&self.output_encoding)?;
        let command = bash::command(cx, self.bash_command.clone(), self.env.clone(), false)?;
        let ended = process::run(cx, &command).await?;
        match (ended.code, self.retry_exit_code) {
            (0, _) => Ok(Look::Met(Value::Null)),
            (code, Some(retry)) if code != retry => {
                Err(OperatorError::fatal(anyhow!("the command ended with {}", ended.describe())))
            }
            _ => {
                bash::say(cx, &format!("the command ended with {}", ended.describe()));
                Ok(Look::NotYet)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_core::run::Outcome;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_command_that_succeeds_ends_the_wait() {
        World::new().run("bash_sensor", json!({ "bash_command": "true" })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn any_other_code_means_not_yet() {
        let finished = World::new().run("bash_sensor", json!({ "bash_command": "exit 3" })).await;
        assert!(matches!(finished.outcome(), Outcome::Reschedule { .. }), "{finished:?}");
    }

    #[tokio::test]
    async fn with_a_retry_code_the_others_fail_for_good() {
        let of = |command: &str| json!({ "bash_command": command, "retry_exit_code": 3 });
        let not_yet = World::new().run("bash_sensor", of("exit 3")).await;
        assert!(matches!(not_yet.outcome(), Outcome::Reschedule { .. }), "{not_yet:?}");
        World::new().run("bash_sensor", of("exit 4")).await.failed_for_good("exit code 4");
    }

    #[tokio::test]
    async fn with_soft_fail_such_a_failure_skips() {
        let finished = World::new()
            .run("bash_sensor", json!({ "bash_command": "exit 4", "retry_exit_code": 3, "soft_fail": true }))
            .await;
        assert_eq!(finished.outcome(), &Outcome::Skipped);
    }
}
