//! Waits until a moment.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    calendar,
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
};

/// `uses: datetime_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateTimeSensor {
    /// The moment, in ISO-8601. Without an offset in the DAG's time zone.
    target_time: String,
}

impl Sensor for DateTimeSensor {
    const NAME: &'static str = "datetime_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.date_time.DateTimeSensor";
    const SUMMARY: &'static str = "Waits until a moment.";
    const TEMPLATED: &'static [&'static str] = &["target_time"];
    const EXAMPLE: &'static str = "\
id: after_eleven
uses: datetime_sensor
with:
  target_time: \"{{ ds }}T11:00:00\"
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        // Airflow reads a time without offset in UTC.
        let target = calendar::parse_moment(&self.target_time, &calendar::zone_of_dates(cx)?).ok_or_else(|| {
            OperatorError::fatal(anyhow!(
                "`target_time` must be a moment such as `2026-01-01T07:30`, not `{}`",
                self.target_time
            ))
        })?;
        std::future::ready(Ok(until(cx, target))).await
    }
}

/// Met from the moment on.
pub(super) fn until(cx: &TaskContext, target: flow_core::Timestamp) -> Look {
    if (cx.clock)() >= target { Look::Met(Value::Null) } else { Look::NotBefore(target) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flow_core::run::Outcome;
    use serde_json::json;

    use crate::testing::{World, now};

    #[tokio::test]
    async fn it_looks_again_exactly_at_the_moment() {
        let target = now() + Duration::from_secs(3_600);
        let finished = World::new().run("datetime_sensor", json!({ "target_time": target.to_string() })).await;
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: target });
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_ends_the_wait() {
        World::new().run("datetime_sensor", json!({ "target_time": "2020-01-01" })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn what_is_no_moment_fails_for_good() {
        let finished = World::new().run("datetime_sensor", json!({ "target_time": "soon" })).await;
        finished.failed_for_good("not `soon`");
    }

    #[tokio::test]
    async fn it_waits_no_longer_than_its_time_out() {
        let mut world = World::new();
        let target = (now() + Duration::from_secs(3_600)).to_string();
        let arguments = json!({ "target_time": target, "timeout": "10m" });
        let finished = world.run("datetime_sensor", arguments.clone()).await;
        let deadline = world.cx.identity.started_at + Duration::from_secs(600);
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: deadline });
        world.cx.identity.started_at = now() - Duration::from_secs(601);
        world.run("datetime_sensor", arguments).await.failed_for_good("timed out");
    }
}
