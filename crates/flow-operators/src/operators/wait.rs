//! Waits for some time.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{datetime_sensor::until, time_delta_sensor::unit};
use crate::{
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
    values::Span,
};

/// `uses: wait`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// How long after the task's start. A number counts seconds; in the Airflow dialect minutes, as there.
    time_to_wait: Span,
}

impl Sensor for Wait {
    const NAME: &'static str = "wait";
    const CLASS: &'static str = "airflow.providers.standard.sensors.time_delta.WaitSensor";
    const SUMMARY: &'static str = "Waits for some time, without a worker slot.";
    const TEMPLATED: &'static [&'static str] = &["time_to_wait"];
    const ENDS_BY_ITSELF: bool = true;
    const EXAMPLE: &'static str = "\
id: pause
uses: wait
with:
  time_to_wait: 30s
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let target = cx.identity.started_at + self.time_to_wait.duration_with_unit(unit(cx));
        std::future::ready(Ok(until(cx, target))).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flow_core::run::Outcome;
    use serde_json::json;

    use crate::testing::{World, now};

    #[tokio::test]
    async fn it_looks_again_exactly_when_the_time_is_over() {
        let mut world = World::new();
        let finished = world.run("wait", json!({ "time_to_wait": "30s" })).await;
        let target = world.cx.identity.started_at + Duration::from_secs(30);
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: target });
        world.cx.identity.started_at = now() - Duration::from_secs(30);
        world.run("wait", json!({ "time_to_wait": "30s" })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn a_wait_longer_than_the_time_out_is_kept() {
        let world = World::new();
        let finished = world.run("wait", json!({ "time_to_wait": "10d", "timeout": 5 })).await;
        let at = world.cx.identity.started_at + Duration::from_secs(864_000);
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at });
    }
}
