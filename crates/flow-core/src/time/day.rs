//! Days of the civil calendar, and when they begin in a time zone.

use std::fmt;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use super::Timestamp;

/// A day of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// Reads `2026-01-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = if is_plain { text.parse::<Date>().ok()? } else { return None };
        (date.year() >= 1).then_some(Self(date))
    }

    /// Returns the day on which a moment is in a zone.
    pub fn of(moment: Timestamp, zone: &TimeZone) -> Self {
        Self(zone.to_datetime(moment.to_jiff()).date())
    }

    /// Returns the day so many days later; the last there is when it would be beyond.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days.days()))
    }

    /// Returns how many days later another one is.
    pub fn until(self, later: Self) -> i32 {
        // Both are dates, so that it cannot fail: the span is in days unless more is asked for.
        self.0.until(later.0).map_or(0, |span| span.get_days())
    }

    /// Returns the day's first moment in a zone; where clocks jump over midnight, the one after the jump.
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        let midnight = zone.to_ambiguous_timestamp(self.0.to_datetime(jiff::civil::Time::midnight()));
        midnight.compatible().map_or(Timestamp::MAX, Timestamp::from_jiff)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::zone;

    #[track_caller]
    fn check_start(day: &str, zone_name: &str, expected: &str) {
        assert_eq!(
            Day::parse(day).unwrap().start(&zone(zone_name).unwrap()).to_string(),
            expected,
            "{day} {zone_name}"
        );
    }

    #[test]
    fn a_day_begins_when_it_does_in_its_zone() {
        check_start("2026-03-29", "UTC", "2026-03-29T00:00:00Z");
        check_start("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z");
        check_start("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00Z");
        check_start("2026-06-01", "Asia/Kathmandu", "2026-05-31T18:15:00Z");
        // Midnight is passed over: the day begins at 01:00.
        check_start("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["", "2026-02-29", "2026-1-1", "20260101", "+2026-01-01", "-009999-01-01", "0000-01-01", "2026-01-01T00"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted() {
        let day = |text| Day::parse(text).unwrap();
        assert_eq!(day("2028-02-28").plus(2), day("2028-03-01"));
        assert_eq!(day("2027-12-31").until(day("2028-12-31")), 366);
        assert_eq!(day("2026-01-02").until(day("2026-01-01")), -1);
        assert_eq!(day("9999-12-31").plus(1), day("9999-12-31"));
        assert_eq!(
            Day::of(Timestamp::parse_rfc3339("2026-01-31T23:30:00Z").unwrap(), &zone("Europe/Berlin").unwrap()),
            day("2026-02-01")
        );
        assert_eq!(day("2026-02-01").to_string(), "2026-02-01");
    }
}
