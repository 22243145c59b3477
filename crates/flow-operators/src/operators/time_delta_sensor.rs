//! Waits for some time after the end of the run's data interval.

use schemars::JsonSchema;
use serde::Deserialize;

use super::datetime_sensor::until;
use crate::{
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
    values::Span,
};

/// `uses: time_delta_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeDeltaSensor {
    /// How long after the data interval's end (without one: after the run was due). A number counts seconds; in
    /// the Airflow dialect minutes, as there.
    delta: Span,
    /// Accepted for Airflow's sake; changes nothing.
    #[serde(default, rename = "end_from_trigger")]
    _end_from_trigger: bool,
}

impl Sensor for TimeDeltaSensor {
    const NAME: &'static str = "time_delta_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.time_delta.TimeDeltaSensor";
    const SUMMARY: &'static str = "Waits for some time after the end of the run's data interval.";
    const TEMPLATED: &'static [&'static str] = &["delta"];
    const EXAMPLE: &'static str = "\
id: let_it_settle
uses: time_delta_sensor
with:
  delta: 20m
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let base = cx.identity.data_interval.map_or(cx.identity.run_after, |interval| interval.end);
        let target = base + self.delta.duration_with_unit(unit(cx));
        std::future::ready(Ok(until(cx, target))).await
    }
}

/// What a bare number counts.
pub(super) fn unit(cx: &TaskContext) -> f64 {
    if cx.airflow_dialect { 60.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flow_core::run::{DataInterval, Outcome};
    use serde_json::{Value, json};

    use crate::testing::{World, now};

    #[tokio::test]
    async fn it_counts_from_the_interval_or_from_when_the_run_was_due() {
        check(json!("20m"), false, 1_200).await;
        check(json!(90), false, 90).await;
        check(json!(90), true, 5_400).await;
        check(json!("90"), true, 5_400).await;
        check(json!("20m"), true, 1_200).await;
    }

    async fn check(delta: Value, airflow: bool, seconds: u64) {
        let mut world = World::new();
        let due = now();
        world.cx.airflow_dialect = airflow;
        world.cx.identity.run_after = due;
        let finished = world.run("time_delta_sensor", json!({ "delta": delta })).await;
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: due + Duration::from_secs(seconds) });

        let end = due - Duration::from_secs(10);
        world.cx.identity.data_interval = Some(DataInterval { start: end - Duration::from_secs(60), end });
        let finished = world.run("time_delta_sensor", json!({ "delta": delta })).await;
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: end + Duration::from_secs(seconds) });
    }
}
