//! Branches on the day of the week.

use schemars::JsonSchema;
use serde::Deserialize;

use super::branch;
use crate::{
    calendar::{self, Weekdays},
    context::TaskContext,
    operator::{Done, Operator, OperatorError},
    values::OneOrMany,
};

/// `uses: branch_day_of_week`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchDayOfWeek {
    /// Tasks to go on with on one of the days.
    follow_task_ids_if_true: OneOrMany,
    /// Tasks to go on with on other days.
    follow_task_ids_if_false: OneOrMany,
    /// The day's full name, or a list of names.
    week_day: Weekdays,
    /// Take the run's logical date instead of today.
    #[serde(default)]
    use_task_logical_date: bool,
}

impl Operator for BranchDayOfWeek {
    const NAME: &'static str = "branch_day_of_week";
    const CLASS: &'static str = "airflow.providers.standard.operators.weekday.BranchDayOfWeekOperator";
    const SUMMARY: &'static str = "Branches on the day of the week, in the DAG's time zone.";
    const IS_BRANCH: bool = true;
    const EXAMPLE: &'static str = "\
id: is_weekend
uses: branch_day_of_week
with:
  week_day: [Saturday, Sunday]
  use_task_logical_date: true
  follow_task_ids_if_true: rest
  follow_task_ids_if_false: work
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        // Airflow takes the logical date in UTC, but today in the DAG's zone.
        let zone = if self.use_task_logical_date { calendar::zone_of_dates(cx)? } else { calendar::zone(cx)? };
        let day = calendar::civil(calendar::moment(cx, self.use_task_logical_date), &zone).date().weekday();
        let chosen =
            if self.week_day.contain(day) { &self.follow_task_ids_if_true } else { &self.follow_task_ids_if_false };
        std::future::ready(branch::follow(cx, chosen)).await
    }
}

#[cfg(test)]
mod tests {
    use flow_core::{Timestamp, run::Outcome};
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn the_day_is_one_of_them_or_not() {
        // A Friday evening in UTC, Saturday in Tokyo.
        check("UTC", false, json!("Friday"), "yes").await;
        check("UTC", false, json!(["saturday", "SUNDAY"]), "no").await;
        check("Asia/Tokyo", false, json!(["saturday", "SUNDAY"]), "yes").await;
        check("Asia/Tokyo", true, json!("Friday"), "yes").await;
    }

    async fn check(zone: &str, airflow: bool, week_day: Value, expected: &str) {
        let mut world = World::new();
        world.downstream(&["yes", "no"]);
        world.cx.timezone = zone.to_owned();
        world.cx.airflow_dialect = airflow;
        world.cx.identity.logical_date = Timestamp::parse_rfc3339("2026-11-20T20:00:00Z");
        let finished = world
            .run(
                "branch_day_of_week",
                json!({
                    "week_day": week_day, "use_task_logical_date": true,
                    "follow_task_ids_if_true": "yes", "follow_task_ids_if_false": "no",
                }),
            )
            .await;
        assert_eq!(finished.outcome(), &Outcome::Branch { follow: vec![expected.into()] }, "{zone} {week_day}");
    }

    #[tokio::test]
    async fn a_day_that_is_none_fails_for_good() {
        let arguments = json!({ "week_day": "Mon", "follow_task_ids_if_true": "a", "follow_task_ids_if_false": "b" });
        World::new().run("branch_day_of_week", arguments).await.failed_for_good("such as `Monday`, not `Mon`");
    }
}
