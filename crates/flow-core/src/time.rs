//! Instants, durations and time zones.
//!
//! An instant is microseconds since 1970 in UTC, the precision that both databases keep. Civil time and
//! zones are `jiff`'s, with the bundled time zone database (see docs/decisions).

use std::{fmt, ops, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub mod day;
pub mod duration;
pub mod zone;

pub use day::Day;
pub use duration::{Seconds, format_duration, parse_duration};
pub use zone::{is_zone, tzdb_version, zone, zone_names};

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first representable moment (year 1).
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last representable moment (year 9999).
    pub const MAX: Self = Self(253_402_207_200_999_999);

    /// Makes a moment of microseconds since 1970, clamped to the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Returns microseconds since 1970.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the moment for `jiff`.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Takes a moment from `jiff`, cutting below the microsecond.
    pub fn from_jiff(moment: jiff::Timestamp) -> Self {
        Self::from_micros(moment.as_microsecond())
    }

    /// Returns the time from `earlier` to `self`, zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 with an offset; see [`parse_time`] for what users may write.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(Self::from_jiff)
    }

    /// Writes the moment as Airflow writes it in run ids: `2026-01-01T00:00:00+00:00`.
    pub fn to_isoformat(self) -> String {
        let text = self.to_string();
        format!("{}+00:00", text.trim_end_matches('Z'))
    }
}

impl ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with `Z`; microseconds only when there are any, and then all six digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
        let form = if self.0.rem_euclid(1_000_000) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%6fZ" };
        f.pad(&zoned.strftime(form).to_string())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_rfc3339(&text)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is not a time such as 2026-01-01T00:00:00Z")))
    }
}

/// Reads a time as people write it: ISO-8601 with or without offset; a date alone is its midnight.
///
/// Without an offset the time is one in `zone`. A time that the clocks jump over counts from before the jump
/// (02:30 becomes 03:30); one that they pass twice is its first passing.
///
/// # Errors
///
/// A sentence without subject: "must be a time such as …, not …".
pub fn parse_time(text: &str, zone: &str) -> Result<Timestamp, String> {
    let wrong = || format!("must be a time such as `2026-01-31` or `2026-01-31T06:00:00+01:00`, not `{}`", clip(text));
    let trimmed = text.trim();
    if trimmed.len() > 64 || !trimmed.starts_with(|first: char| first.is_ascii_digit()) || trimmed.contains('[') {
        return Err(wrong());
    }
    if let Ok(moment) = trimmed.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_jiff(moment));
    }
    let civil = trimmed.parse::<jiff::civil::DateTime>().map_err(|_| wrong())?;
    if civil.year() < 1 || has_offset(trimmed) {
        return Err(wrong());
    }
    let zone = self::zone(zone).ok_or_else(|| format!("needs a known time zone, `{}` is none", clip(zone)))?;
    let moment = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| wrong())?;
    Ok(Timestamp::from_jiff(moment))
}

/// Says whether something like an offset follows the time of day.
///
/// The civil parser skips an offset it has read; what the parser for instants has refused must not pass here.
fn has_offset(text: &str) -> bool {
    let time = text.get(10..).unwrap_or("");
    time.contains(['Z', 'z', '+']) || time.contains('-')
}

/// Shortens text for a message.
pub(crate) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
