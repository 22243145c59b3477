//! Dates, times of day and weekdays in a DAG's time zone.

use std::{collections::BTreeSet, fmt};

use anyhow::anyhow;
use flow_core::Timestamp;
use jiff::{
    Zoned,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::{context::TaskContext, operator::OperatorError};

/// Returns the DAG's time zone.
pub(crate) fn zone(cx: &TaskContext) -> Result<TimeZone, OperatorError> {
    TimeZone::get(&cx.timezone)
        .map_err(|_| OperatorError::fatal(anyhow!("the time zone `{}` is not known", cx.timezone)))
}

/// Returns the zone whose date and weekday count: the DAG's; in the Airflow dialect UTC, as there.
pub(crate) fn zone_of_dates(cx: &TaskContext) -> Result<TimeZone, OperatorError> {
    if cx.airflow_dialect { Ok(TimeZone::UTC) } else { zone(cx) }
}

/// Returns the moment a branch or sensor compares with: now, or the run's date.
pub(crate) fn moment(cx: &TaskContext, use_task_logical_date: bool) -> Timestamp {
    if use_task_logical_date { cx.identity.logical_date.unwrap_or(cx.identity.run_after) } else { (cx.clock)() }
}

/// Reads a moment as users write it: ISO-8601; without an offset in `zone`; a date is its midnight.
pub(crate) fn parse_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Some(moment);
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Some(Timestamp::from_jiff(zoned.timestamp()));
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0))).ok()?;
    at(civil, zone)
}

/// Returns the moment a clock in `zone` shows this; in a gap or overlap of daylight saving the compatible one.
pub(crate) fn at(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(Timestamp::from_jiff)
}

/// Returns what a clock in `zone` shows at a moment.
pub(crate) fn civil(moment: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_datetime(moment.to_jiff())
}

/// A time of day: `07:30`, `07:30:15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub Time);

impl TimeOfDay {
    /// Reads a time of day.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // Only a clock's face: no date, no zone.
        let is_time = text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.');
        is_time.then(|| text.parse::<Time>().ok().map(Self)).flatten()
    }
}

/// A moment, or a time of day on the day it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub String);

/// Weekdays, by name: one or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weekdays(pub BTreeSet<i8>);

impl Weekdays {
    /// Says whether a date falls on one of them.
    pub fn contain(&self, weekday: Weekday) -> bool {
        self.0.contains(&weekday.to_monday_one_offset())
    }

    fn number(name: &str) -> Option<i8> {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let at = names.iter().position(|known| known.eq_ignore_ascii_case(name.trim()))?;
        i8::try_from(at + 1).ok()
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Weekdays;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a weekday such as `Monday`, or a list of weekdays")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Weekdays, E> {
                let number = Weekdays::number(name).ok_or_else(|| E::custom(no_weekday(name)))?;
                Ok(Weekdays(BTreeSet::from([number])))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Weekdays, A::Error> {
                let mut days = BTreeSet::new();
                while let Some(name) = seq.next_element::<String>()? {
                    days.insert(Weekdays::number(&name).ok_or_else(|| de::Error::custom(no_weekday(&name)))?);
                }
                Ok(Weekdays(days))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn no_weekday(name: &str) -> String {
    format!("must be a weekday such as `Monday`, not `{name}`")
}

impl JsonSchema for Weekdays {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Weekdays".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("must be a time of day such as `07:30`, not `{text}`")))
    }
}

impl JsonSchema for TimeOfDay {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeOfDay".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["07:30"] })
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if TimeOfDay::parse(&text).is_some() || parse_moment(&text, &TimeZone::UTC).is_some() {
            Ok(Self(text))
        } else {
            let message =
                format!("must be a time of day such as `07:30`, or a moment such as `2026-01-01T07:30`, not `{text}`");
            Err(de::Error::custom(message))
        }
    }
}

impl JsonSchema for Target {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["07:30", "2026-01-01T07:30"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_offset_is_in_the_zone() {
        check("2026-07-01T07:30:00Z", Some("2026-07-01T07:30:00Z"));
        check("2026-07-01T07:30", Some("2026-07-01T05:30:00Z"));
        check("2026-07-01 07:30:00", Some("2026-07-01T05:30:00Z"));
        check("2026-07-01T07:30:00+01:00", Some("2026-07-01T06:30:00Z"));
        check("2026-07-01", Some("2026-06-30T22:00:00Z"));
        check("2026-03-29T02:30", Some("2026-03-29T01:30:00Z")); // inside the gap
        check("tomorrow", None);
        check("", None);
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(parse_moment(text, &berlin).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_time_of_day_has_no_date_and_no_zone() {
        assert!(TimeOfDay::parse("07:30").is_some());
        assert!(TimeOfDay::parse("07:30:15.5").is_some());
        assert!(TimeOfDay::parse("7").is_none());
        assert!(TimeOfDay::parse("25:00").is_none());
        assert!(TimeOfDay::parse("2026-01-01T07:30").is_none());
        assert!(TimeOfDay::parse("07:30Z").is_none());
    }

    #[test]
    fn weekdays_are_read_by_their_full_names() {
        let read = |value| serde_json::from_value::<Weekdays>(value).map(|days| days.0.into_iter().collect::<Vec<_>>());
        assert_eq!(read(serde_json::json!("MONDAY")).unwrap(), [1]);
        assert_eq!(read(serde_json::json!(["Saturday", "sunday"])).unwrap(), [6, 7]);
        let error = read(serde_json::json!("Mon")).unwrap_err();
        assert_eq!(error.to_string(), "must be a weekday such as `Monday`, not `Mon`");
    }
}
