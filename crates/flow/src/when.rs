//! Times as people write them on the command line.

use flow_core::{Timestamp, time};
use jiff::tz::TimeZone;

/// Reads `now`, or a time as in a DAG file; without an offset it is in `zone`.
///
/// # Errors
///
/// A sentence without subject.
pub(crate) fn read(text: &str, zone: &str, now: Timestamp) -> Result<Timestamp, String> {
    if text == "now" { Ok(now) } else { time::parse_time(text, zone) }
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
        let now = Timestamp::from_micros(0);
        assert_eq!(
            read(text, "Europe/Berlin", now).map(|moment| moment.to_string()).ok().as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn a_time_without_offset_is_in_the_zone() {
        check("2026-07-01", Some("2026-06-30T22:00:00Z"));
        check("2026-07-01T12:00", Some("2026-07-01T10:00:00Z"));
        check("2026-07-01T12:00:00+05:30", Some("2026-07-01T06:30:00Z"));
        check("now", Some("1970-01-01T00:00:00Z"));
        check("tomorrow", None);
    }

    #[test]
    fn a_moment_is_shown_as_the_clocks_in_the_zone_do() {
        let moment = Timestamp::parse_rfc3339("2026-03-29T01:00:00Z").unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(show(moment, &zone), "2026-03-29 03:00:00 +02:00 Sun");
    }
}
