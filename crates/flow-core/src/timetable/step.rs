//! Steps of a fixed interval, some of which count calendar months: `5m`, `PT1H`, `P1M`.
//!
//! Months are added in UTC, and a day that a month does not have becomes its last one.

use std::time::Duration;

use serde::Serialize;

use crate::time::{
    Timestamp, clip,
    duration::{Parts, within_limits},
    format_duration,
};

/// Months of a century; with the limit on durations no sum leaves the years that exist by much.
const LONGEST_MONTHS: u32 = 1200;

/// How far it is from one moment to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    months: u32,
    #[serde(serialize_with = "as_seconds")]
    span: Duration,
}

/// A step's fixed part is part of a schedule's meaning as whole seconds.
fn as_seconds<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(span.as_secs())
}

impl Step {
    /// Makes a step of whole seconds.
    ///
    /// # Errors
    ///
    /// A sentence without subject when it is too long.
    pub(super) fn of_seconds(seconds: u64) -> Result<Self, String> {
        Ok(Self { months: 0, span: within_limits(seconds)? })
    }

    /// Reads a step as text.
    ///
    /// # Errors
    ///
    /// A sentence without subject.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let parts = Parts::read(text.trim())
            .ok_or_else(|| format!("must be a duration such as `5m`, `PT1H` or `P1M`, not `{}`", clip(text)))?;
        if parts.months > LONGEST_MONTHS {
            return Err("must be at most a hundred years".to_owned());
        }
        Ok(Self { months: parts.months, span: within_limits(parts.seconds)? })
    }

    /// Says whether it leads nowhere.
    pub(super) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Says whether it is the same length everywhere, without months.
    pub(crate) fn has_fixed_length(self) -> bool {
        self.months == 0
    }

    /// Returns the moment one step later.
    pub(super) fn after(self, moment: Timestamp) -> Timestamp {
        self.shift(moment, 1)
    }

    /// Returns the moment one step earlier.
    pub(crate) fn before(self, moment: Timestamp) -> Timestamp {
        self.shift(moment, -1)
    }

    fn shift(self, moment: Timestamp, sign: i32) -> Timestamp {
        let whole = i64::try_from(self.span.as_micros()).unwrap_or(i64::MAX).saturating_mul(i64::from(sign));
        let months = i32::try_from(self.months).unwrap_or(i32::MAX).saturating_mul(sign);
        let moved = if months == 0 { moment } else { by_months(moment, months) };
        Timestamp::from_micros(moved.as_micros().saturating_add(whole))
    }

    /// Returns the first moment at or after `from` on the grid that starts at `anchor`.
    pub(crate) fn at_or_after(self, anchor: Timestamp, from: Timestamp) -> Option<Timestamp> {
        let found = if from <= anchor {
            anchor
        } else if self.months == 0 {
            let (length, apart) = self.measure(anchor, from)?;
            Timestamp::from_micros(from.as_micros().checked_add((length - apart % length) % length)?)
        } else {
            let last = self.walk(anchor, from);
            if last == from { last } else { self.after(last) }
        };
        (found >= from && found < Timestamp::MAX).then_some(found)
    }

    /// Returns the last moment at or before `to` on the grid that starts at `anchor`.
    pub(crate) fn at_or_before(self, anchor: Timestamp, to: Timestamp) -> Option<Timestamp> {
        if to < anchor {
            return None;
        }
        if self.months == 0 {
            let (length, apart) = self.measure(anchor, to)?;
            return Some(Timestamp::from_micros(to.as_micros() - apart % length));
        }
        Some(self.walk(anchor, to))
    }

    /// Returns the length of a step, and how far `to` is from `anchor`, in microseconds.
    fn measure(self, anchor: Timestamp, to: Timestamp) -> Option<(i64, i64)> {
        let length = i64::try_from(self.span.as_micros()).ok().filter(|length| *length > 0)?;
        Some((length, to.as_micros().checked_sub(anchor.as_micros())?))
    }

    /// Walks from `anchor` to the last grid moment at or before `to`, month by month: the day a short month cuts
    /// off stays cut off, so the grid depends on the way. A step has at least one month here, so that is at
    /// most 120,000 turns from the first year to the last.
    fn walk(self, anchor: Timestamp, to: Timestamp) -> Timestamp {
        let mut at = anchor;
        loop {
            let next = self.after(at);
            if next > to || next <= at {
                return at;
            }
            at = next;
        }
    }
}

fn by_months(moment: Timestamp, months: i32) -> Timestamp {
    let civil = jiff::tz::Offset::UTC.to_datetime(moment.to_jiff());
    let moved = civil
        .checked_add(jiff::Span::new().months(months))
        .ok()
        .and_then(|civil| jiff::tz::Offset::UTC.to_timestamp(civil).ok());
    let end = if months > 0 { Timestamp::MAX } else { Timestamp::MIN };
    moved.map_or(end, Timestamp::from_jiff)
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.months, self.span.is_zero()) {
            (0, _) => f.write_str(&format_duration(self.span)),
            (1, true) => f.write_str("month"),
            (12, true) => f.write_str("year"),
            (months, true) if months % 12 == 0 => write!(f, "{} years", months / 12),
            (months, true) => write!(f, "{months} months"),
            (months, false) => write!(f, "{months} months and {}", format_duration(self.span)),
        }
    }
}
