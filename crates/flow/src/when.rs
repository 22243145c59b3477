//! Times as people write them on the command line.

use flow_core::Timestamp;
use jiff::{civil, tz::TimeZone};

/// Reads ISO-8601: with an offset as it is, without one in `zone`; a date is its midnight; `now` is `now`.
pub(crate) fn read(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    if text == "now" {
        return Some(now);
    }
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Some(moment);
    }
    let civil: civil::DateTime =
        text.parse().ok().or_else(|| text.parse::<civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    let moment = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    Some(Timestamp::from_jiff(moment))
}

/// Shows a moment as the clocks in `zone` do: `2026-03-29 03:00:00 +02:00 Sun`.
pub(crate) fn show(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z %a").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Timestamp::from_micros(0);
        assert_eq!(read(text, &zone, now).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_time_without_offset_is_in_the_zone() {
        check("2026-07-01", Some("2026-06-30T22:00:00Z"));
        check("2026-07-01T12:00", Some("2026-07-01T10:00:00Z"));
        check("2026-07-01 12:00:30", Some("2026-07-01T10:00:30Z"));
        check("2026-07-01T12:00:00Z", Some("2026-07-01T12:00:00Z"));
        check("2026-07-01T12:00:00+05:30", Some("2026-07-01T06:30:00Z"));
        check("now", Some("1970-01-01T00:00:00Z"));
        check("tomorrow", None);
        check("2026-13-01", None);
    }
}
