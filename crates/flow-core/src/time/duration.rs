//! Durations as people write them: `90`, `30s`, `1h30m`, `2d`, `PT5M`.
//!
//! Knows nothing of calendars: a day is 24 hours. Schedules that count months have their own type in
//! [`crate::timetable`], which shares the reading of the text with this one.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::clip;

/// Longer than anything that is meant; short enough that sums of a few never overflow.
const LONGEST: Duration = Duration::from_secs(36_500 * DAY);
const DAY: u64 = 86_400;

/// Reads a duration: seconds as a number, or parts from weeks to seconds (`1w2d3h4m5s`), or ISO-8601 (`P1DT2H`).
///
/// # Errors
///
/// A sentence without subject: "must be a duration such as …, not …".
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("must be a duration such as `5m` or `1h30m`, not `{}`", clip(text));
    let parts = Parts::read(text.trim()).ok_or_else(wrong)?;
    if parts.months > 0 {
        return Err(format!("must have a fixed length: years and months, as in `{}`, do not", clip(text)));
    }
    within_limits(parts.seconds)
}

/// Refuses what is longer than a hundred years.
pub(crate) fn within_limits(seconds: u64) -> Result<Duration, String> {
    let span = Duration::from_secs(seconds);
    if span > LONGEST { Err("must be at most 36500d (a hundred years)".to_owned()) } else { Ok(span) }
}

/// What a written duration adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) months: u32,
    pub(crate) seconds: u64,
}

impl Parts {
    /// Reads either form; `None` when it is neither, or beyond all bounds.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        if let Some(iso) = text.strip_prefix('P') {
            let (date, time) = match iso.split_once('T') {
                Some((_, "")) => return None,
                Some((date, time)) => (date, time),
                None => (iso, ""),
            };
            let mut parts = Self::default();
            parts.add(date, &[('Y', 0, 12), ('M', 0, 1), ('W', 7 * DAY, 0), ('D', DAY, 0)])?;
            parts.add(time, &[('H', 3600, 0), ('M', 60, 0), ('S', 1, 0)])?;
            return (!iso.is_empty()).then_some(parts);
        }
        if let Some(seconds) = number(text) {
            return Some(Self { months: 0, seconds });
        }
        let mut parts = Self::default();
        parts.add(text, &[('w', 7 * DAY, 0), ('d', DAY, 0), ('h', 3600, 0), ('m', 60, 0), ('s', 1, 0)])?;
        (!text.is_empty()).then_some(parts)
    }

    /// Adds `<number><unit>` pairs whose units come in the given order, each at most once.
    fn add(&mut self, mut text: &str, units: &[(char, u64, u32)]) -> Option<()> {
        let mut units = units.iter();
        while !text.is_empty() {
            let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
            let letter = rest.chars().next()?;
            let (_, seconds, months) = units.find(|(unit, ..)| *unit == letter)?;
            let count = number(digits)?;
            self.seconds = self.seconds.checked_add(count.checked_mul(*seconds)?)?;
            self.months = self.months.checked_add(u32::try_from(count).ok()?.checked_mul(*months)?)?;
            text = &rest[letter.len_utf8()..];
        }
        Some(())
    }
}

/// Reads decimal digits; a number that fits nothing is none.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?.filter(|number| *number <= u64::from(u32::MAX))
}

/// Writes a duration briefly: `1h30m`, `2d`, `1.5s`, `250ms`, `0s`. Parts below the microsecond are cut.
pub fn format_duration(span: Duration) -> String {
    let mut text = String::new();
    let mut rest = span.as_secs();
    for (unit, seconds) in [('d', DAY), ('h', 3600), ('m', 60)] {
        if rest >= seconds {
            text.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    let micros = span.subsec_micros();
    if micros == 0 {
        if rest > 0 || text.is_empty() {
            text.push_str(&format!("{rest}s"));
        }
    } else if span.as_secs() == 0 && micros.is_multiple_of(1000) {
        text.push_str(&format!("{}ms", micros / 1000));
    } else {
        text.push_str(format!("{rest}.{micros:06}").trim_end_matches('0'));
        text.push('s');
    }
    text
}

/// An operator's argument that is a span of time: a number of seconds, or a duration in words.
///
/// Nothing at all reads as zero, because arguments are checked with placeholders where templates stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub Duration);

impl From<Duration> for Seconds {
    fn from(span: Duration) -> Self {
        Self(span)
    }
}

impl From<Seconds> for Duration {
    fn from(span: Seconds) -> Self {
        span.0
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_duration(self.0))
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds or a duration such as `5m`")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
        within_limits(seconds).map(Seconds).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
        let seconds = u64::try_from(seconds).map_err(|_| E::custom("must not be negative"))?;
        self.visit_u64(seconds)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
        if seconds.is_nan() || seconds < 0.0 {
            return Err(E::custom("must be a number of seconds that is not negative"));
        }
        let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        within_limits(span.as_secs()).map(|_| Seconds(span)).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
        parse_duration(text).map(Seconds).map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Seconds, E> {
        Ok(Seconds::default())
    }

    fn visit_none<E: de::Error>(self) -> Result<Seconds, E> {
        Ok(Seconds::default())
    }
}
