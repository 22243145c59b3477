//! Branches on whether the time lies between two bounds.

use anyhow::anyhow;
use flow_core::{Timestamp, catalog::ArgError, dag::Arg};
use jiff::{ToSpan, civil::DateTime, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::branch;
use crate::{
    calendar::{self, Target, TimeOfDay},
    context::TaskContext,
    operator::{Done, Operator, OperatorError},
    values::OneOrMany,
};

/// `uses: branch_datetime`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchDateTime {
    /// Tasks to go on with when the time lies between the bounds.
    follow_task_ids_if_true: OneOrMany,
    /// Tasks to go on with when it does not.
    follow_task_ids_if_false: OneOrMany,
    /// Not before this: a moment, or a time of day in the DAG's time zone.
    #[serde(default)]
    target_lower: Option<Target>,
    /// Not after this. A time of day earlier than `target_lower` is on the next day.
    #[serde(default)]
    target_upper: Option<Target>,
    /// Compare the run's logical date instead of the current time.
    #[serde(default)]
    use_task_logical_date: bool,
}

impl Operator for BranchDateTime {
    const NAME: &'static str = "branch_datetime";
    const CLASS: &'static str = "airflow.providers.standard.operators.datetime.BranchDateTimeOperator";
    const SUMMARY: &'static str = "Branches on whether the time lies between two bounds.";
    const IS_BRANCH: bool = true;
    const EXAMPLE: &'static str = "\
id: in_the_night
uses: branch_datetime
with:
  target_lower: \"22:00\"
  target_upper: \"06:00\"
  follow_task_ids_if_true: big_load
  follow_task_ids_if_false: small_load
";

    fn complain(given: &[(String, Arg)]) -> Option<ArgError> {
        let is_bound = |key: &str, arg: &Arg| key.starts_with("target_") && *arg != Arg::Value(Value::Null);
        (!given.iter().any(|(key, arg)| is_bound(key, arg))).then(|| ArgError {
            route: Vec::new(),
            message: "give at least one of `target_lower` and `target_upper`".to_owned(),
            help: None,
            about_key: false,
        })
    }

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        if self.target_lower.is_none() && self.target_upper.is_none() {
            return Err(OperatorError::fatal(anyhow!("give at least one of `target_lower` and `target_upper`")));
        }
        let now = calendar::moment(cx, self.use_task_logical_date);
        let today = calendar::civil(now, &calendar::zone_of_dates(cx)?);
        let zone = calendar::zone(cx)?;
        let (lower, upper) = bounds(self.target_lower.as_ref(), self.target_upper.as_ref(), today, &zone)
            .ok_or_else(|| OperatorError::fatal(anyhow!("a bound is outside the years 1 to 9999")))?;
        let is_inside = lower.is_none_or(|lower| lower <= now) && upper.is_none_or(|upper| now <= upper);
        let chosen = if is_inside { &self.follow_task_ids_if_true } else { &self.follow_task_ids_if_false };
        std::future::ready(branch::follow(cx, chosen)).await
    }
}

type Bounds = (Option<Timestamp>, Option<Timestamp>);

/// Puts the bounds on the calendar; `None`: they fall off it.
fn bounds(lower: Option<&Target>, upper: Option<&Target>, today: DateTime, zone: &TimeZone) -> Option<Bounds> {
    let civil = |target: &Target| match TimeOfDay::parse(&target.0) {
        Some(time) => Some(today.date().to_datetime(time.0)),
        None => calendar::parse_moment(&target.0, zone).map(|moment| calendar::civil(moment, zone)),
    };
    let is_time = |target: Option<&Target>| target.is_some_and(|target| TimeOfDay::parse(&target.0).is_some());
    let from = lower.map(civil);
    let mut to = upper.map(civil);
    if let (Some(Some(from)), Some(Some(until))) = (from, to)
        && until < from
        && (is_time(lower) || is_time(upper))
    {
        to = Some(until.checked_add(1.day()).ok());
    }
    // A full moment keeps its offset; going through the clock's face would lose it in an overlap.
    let place = |target: Option<&Target>, civil: Option<Option<DateTime>>| match (target, civil) {
        (Some(target), Some(civil)) => match calendar::parse_moment(&target.0, zone) {
            Some(moment) if Some(calendar::civil(moment, zone)) == civil => Some(Some(moment)),
            Some(_) | None => Some(Some(calendar::at(civil?, zone)?)),
        },
        (None, _) | (_, None) => Some(None),
    };
    Some((place(lower, from)?, place(upper, to)?))
}

#[cfg(test)]
mod tests {
    use flow_core::run::Outcome;
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_time_lies_between_the_bounds_or_not() {
        let zone = "Europe/Berlin"; // two hours ahead of UTC here
        check("2026-07-01T10:00:00Z", zone, Some("11:00"), Some("13:00"), true).await;
        check("2026-07-01T10:00:00Z", zone, Some("12:00"), Some("13:00"), true).await;
        check("2026-07-01T10:00:00Z", zone, Some("12:01"), Some("13:00"), false).await;
        check("2026-07-01T10:00:00Z", zone, Some("22:00"), Some("06:00"), false).await;
        check("2026-07-01T21:00:00Z", zone, Some("22:00"), Some("06:00"), true).await;
        check("2026-07-01T22:30:00Z", zone, Some("00:00"), Some("01:00"), true).await;
        check("2026-07-01T10:00:00Z", zone, None, Some("12:00"), true).await;
        check("2026-07-01T10:00:00Z", zone, Some("12:30"), None, false).await;
        check("2026-07-01T10:00:00Z", zone, Some("2026-07-01T12:00"), Some("2026-07-01T10:00:00Z"), true).await;
        check("2026-07-01T10:00:00Z", zone, Some("2026-07-02"), None, false).await;
    }

    async fn check(now: &str, zone: &str, lower: Option<&str>, upper: Option<&str>, expected: bool) {
        let mut world = World::new();
        world.downstream(&["yes", "no"]);
        world.cx.timezone = zone.to_owned();
        world.cx.identity.logical_date = Timestamp::parse_rfc3339(now);
        let finished = world
            .run(
                "branch_datetime",
                json!({
                    "target_lower": lower, "target_upper": upper, "use_task_logical_date": true,
                    "follow_task_ids_if_true": "yes", "follow_task_ids_if_false": ["no"],
                }),
            )
            .await;
        let follow = vec![if expected { "yes" } else { "no" }.into()];
        assert_eq!(finished.outcome(), &Outcome::Branch { follow }, "{now} {lower:?} {upper:?}");
    }

    #[tokio::test]
    async fn one_bound_at_least_is_needed() {
        let arguments = json!({ "follow_task_ids_if_true": "a", "follow_task_ids_if_false": "b" });
        World::new().run("branch_datetime", arguments).await.failed_for_good("at least one of `target_lower`");
    }
}
