//! Instants, durations and time zones.
//!
//! An instant is microseconds since 1970 in UTC, the precision that both databases keep. Civil time and
//! zones are `jiff`'s, with the bundled time zone database (see docs/decisions).

use std::{fmt, ops, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

/// Reads a duration.
///
/// # Errors
///
/// A sentence without subject.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("must be a duration such as `5m` or `1h30m`, not `{text}`");
    let mut total = Duration::ZERO;
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    if text.starts_with('P') {
        let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        return Duration::try_from(span).map_err(|_| wrong());
    }
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0).ok_or_else(wrong)?;
        let amount: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest[digits..].chars().next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return Err(wrong()),
        };
        total = total.saturating_add(Duration::from_secs(amount.saturating_mul(unit)));
        rest = &rest[digits + 1..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

/// Reads a time.
///
/// # Errors
///
/// A sentence without subject.
pub fn parse_time(text: &str, zone: &str) -> Result<Timestamp, String> {
    let wrong = || format!("must be a time such as `2026-01-31` or `2026-01-31T06:00:00+01:00`, not `{text}`");
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_jiff(moment));
    }
    let civil = text.parse::<jiff::civil::DateTime>().map_err(|_| wrong())?;
    let zone = jiff::tz::TimeZone::get(zone).map_err(|_| wrong())?;
    let moment = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| wrong())?;
    Ok(Timestamp::from_jiff(moment))
}

/// Says whether there is such a time zone.
pub fn is_zone(name: &str) -> bool {
    jiff::tz::TimeZone::get(name).is_ok()
}

/// Returns the names of all time zones.
pub fn zone_names() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}
