//! Waits until a time of day.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;

use super::datetime_sensor::until;
use crate::{
    calendar::{self, TimeOfDay},
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
};

/// `uses: time_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSensor {
    /// The time of day, on the day the task started, in the DAG's time zone.
    target_time: TimeOfDay,
    /// Accepted for Airflow's sake; changes nothing.
    #[serde(default, rename = "start_from_trigger")]
    _start_from_trigger: bool,
    /// Accepted for Airflow's sake; changes nothing.
    #[serde(default, rename = "end_from_trigger")]
    _end_from_trigger: bool,
}

impl Sensor for TimeSensor {
    const NAME: &'static str = "time_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.time.TimeSensor";
    const SUMMARY: &'static str = "Waits until a time of day, in the DAG's time zone.";
    const EXAMPLE: &'static str = "\
id: after_lunch
uses: time_sensor
with:
  target_time: \"13:30\"
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let zone = calendar::zone(cx)?;
        let day = calendar::civil(cx.identity.started_at, &zone).date();
        let target = calendar::at(day.to_datetime(self.target_time.0), &zone)
            .ok_or_else(|| OperatorError::fatal(anyhow!("the moment is outside the years 1 to 9999")))?;
        std::future::ready(Ok(until(cx, target))).await
    }
}

#[cfg(test)]
mod tests {
    use flow_core::{Timestamp, run::Outcome};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn the_day_is_that_of_the_start_in_the_zone_of_the_dag() {
        let mut world = World::new();
        world.cx.timezone = "Europe/Berlin".to_owned();
        // Half past midnight of the second in Berlin.
        world.cx.identity.started_at = Timestamp::parse_rfc3339("2099-07-01T22:30:00Z").unwrap();
        let finished = world.run("time_sensor", json!({ "target_time": "06:00" })).await;
        let at = Timestamp::parse_rfc3339("2099-07-02T04:00:00Z").unwrap();
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at });
    }

    #[tokio::test]
    async fn a_time_that_has_passed_ends_the_wait() {
        let mut world = World::new();
        world.cx.identity.started_at = Timestamp::parse_rfc3339("2020-07-01T22:30:00Z").unwrap();
        world.run("time_sensor", json!({ "target_time": "23:59:59" })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn what_is_no_time_of_day_fails_for_good() {
        let finished = World::new().run("time_sensor", json!({ "target_time": "25:00" })).await;
        finished.failed_for_good("not `25:00`");
    }
}
