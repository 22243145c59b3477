//! Waits for a day of the week.

use jiff::ToSpan;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    calendar::{self, Weekdays},
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
};

/// `uses: day_of_week_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DayOfWeekSensor {
    /// The day's full name, or a list of names.
    week_day: Weekdays,
    /// Take the run's logical date instead of today.
    #[serde(default)]
    use_task_logical_date: bool,
}

impl Sensor for DayOfWeekSensor {
    const NAME: &'static str = "day_of_week_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.weekday.DayOfWeekSensor";
    const SUMMARY: &'static str = "Waits for a day of the week, in the DAG's time zone.";
    const EXAMPLE: &'static str = "\
id: on_monday
uses: day_of_week_sensor
with:
  week_day: Monday
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let zone = calendar::zone_of_dates(cx)?;
        let day = calendar::civil(calendar::moment(cx, self.use_task_logical_date), &zone).date();
        if self.week_day.contain(day.weekday()) {
            return std::future::ready(Ok(Look::Met(Value::Null))).await;
        }
        if self.use_task_logical_date {
            return Ok(Look::NotYet); // the date will not change: this waits for its time-out, as in Airflow
        }
        let next = (1..=7)
            .filter_map(|days| day.checked_add(days.days()).ok())
            .find(|day| self.week_day.contain(day.weekday()))
            .and_then(|day| calendar::at(day.to_datetime(jiff::civil::Time::midnight()), &zone));
        Ok(next.map_or(Look::NotYet, Look::NotBefore))
    }
}

#[cfg(test)]
mod tests {
    use flow_core::{Timestamp, run::Outcome};
    use jiff::{civil::Weekday, tz::TimeZone};
    use serde_json::json;

    use crate::testing::{World, now};

    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    fn name(day: Weekday) -> &'static str {
        DAYS[usize::try_from(day.to_monday_zero_offset()).unwrap()]
    }

    #[tokio::test]
    async fn it_looks_again_when_the_day_begins() {
        let tomorrow = now().to_jiff().to_zoned(TimeZone::UTC).tomorrow().unwrap();
        let finished = World::new().run("day_of_week_sensor", json!({ "week_day": name(tomorrow.weekday()) })).await;
        let midnight = Timestamp::from_jiff(tomorrow.start_of_day().unwrap().timestamp());
        assert_eq!(finished.outcome(), &Outcome::Reschedule { at: midnight });
    }

    #[tokio::test]
    async fn today_ends_the_wait() {
        World::new().run("day_of_week_sensor", json!({ "week_day": DAYS })).await.succeeded_without_result();
    }

    #[tokio::test]
    async fn the_logical_date_counts_when_asked() {
        let mut world = World::new();
        world.cx.identity.logical_date = Timestamp::parse_rfc3339("2026-11-20T20:00:00Z");
        let of = |day: &str| json!({ "week_day": day, "use_task_logical_date": true });
        world.run("day_of_week_sensor", of("Friday")).await.succeeded_without_result();
        let finished = world.run("day_of_week_sensor", of("Monday")).await;
        assert!(matches!(finished.outcome(), Outcome::Reschedule { .. }), "{finished:?}");
    }
}
