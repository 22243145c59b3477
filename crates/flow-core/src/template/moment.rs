//! Times in templates: `logical_date.add(days=1).strftime('%Y')`.
//!
//! They answer to what Airflow users call on them: pendulum's methods, and those of Python's `datetime` and
//! `date`. Arithmetic with `+` and `-` is in [`super::operators`].

use std::{cmp::Ordering, fmt, sync::Arc};

use jiff::{
    ToSpan, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use minijinja::{
    Error, State, Value,
    value::{DynObject, Object, ObjectRepr},
};

use super::{
    args::{Args, bad},
    span::Span,
    strftime::{self, Parts, Zone},
};
use crate::time::Timestamp;

/// A time as a template sees it.
#[derive(Clone, Debug)]
pub(super) enum Moment {
    /// An instant in a zone.
    Zoned(Zoned),
    /// A civil time without a zone, such as `macros.datetime(2026, 1, 1)`.
    Naive(DateTime),
    /// A day.
    Date(Date),
}

/// Makes a template value of an instant, in UTC.
pub(super) fn utc(at: Timestamp) -> Value {
    Value::from_object(Moment::Zoned(at.to_jiff().to_zoned(TimeZone::UTC)))
}

/// Makes a template value of an instant, or `None`.
pub(super) fn utc_or_none(at: Option<Timestamp>) -> Value {
    at.map_or(Value::from(()), utc)
}

/// Turns the time library's complaint into ours.
fn out_of_range(_: jiff::Error) -> Error {
    bad("time lies outside the years 1 to 9999")
}

impl Moment {
    /// The civil time; midnight for a day.
    fn civil(&self) -> DateTime {
        match self {
            Self::Zoned(at) => at.datetime(),
            Self::Naive(at) => *at,
            Self::Date(day) => day.at(0, 0, 0, 0),
        }
    }

    /// What patterns are filled from.
    pub(super) fn parts(&self) -> Parts {
        let zone = match self {
            Self::Zoned(at) => Some(Zone {
                offset: at.offset().seconds(),
                abbreviation: at.strftime("%Z").to_string(),
                name: at.time_zone().iana_name().unwrap_or("UTC").to_owned(),
            }),
            Self::Naive(_) | Self::Date(_) => None,
        };
        Parts { civil: self.civil(), zone, unix: self.micros().div_euclid(1_000_000) }
    }

    /// `strftime` with Python's directives.
    pub(super) fn strftime(&self, pattern: &str) -> String {
        strftime::strftime(&self.parts(), pattern)
    }

    /// ISO 8601 as Python writes it, with a `T` or another separator.
    pub(super) fn isoformat(&self, separator: char) -> String {
        let civil = self.civil();
        let day = format!("{:04}-{:02}-{:02}", civil.year(), civil.month(), civil.day());
        if matches!(self, Self::Date(_)) {
            return day;
        }
        let mut text = format!("{day}{separator}{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second());
        let micros = civil.subsec_nanosecond() / 1000;
        if micros != 0 {
            text.push_str(&format!(".{micros:06}"));
        }
        if let Self::Zoned(at) = self {
            text.push_str(&strftime::offset(at.offset().seconds(), ":"));
        }
        text
    }

    /// Writes `repr()`.
    pub(super) fn write_repr(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let civil = self.civil();
        let day = format!("{}, {}, {}", civil.year(), civil.month(), civil.day());
        let micros = civil.subsec_nanosecond() / 1000;
        match self {
            Self::Date(_) => write!(out, "Date({day})"),
            Self::Naive(_) => {
                write!(out, "datetime.datetime({day}, {}, {}", civil.hour(), civil.minute())?;
                match (civil.second(), micros) {
                    (0, 0) => write!(out, ")"),
                    (second, 0) => write!(out, ", {second})"),
                    (second, micros) => write!(out, ", {second}, {micros})"),
                }
            }
            Self::Zoned(at) => {
                write!(out, "DateTime({day}, {}, {}, {}", civil.hour(), civil.minute(), civil.second())?;
                if micros != 0 {
                    write!(out, ", {micros}")?;
                }
                write!(out, ", tzinfo=Timezone('{}'))", at.time_zone().iana_name().unwrap_or("UTC"))
            }
        }
    }

    /// Moves the time: months first, then days, then the clock.
    fn shifted(&self, by: Shift) -> Result<Self, Error> {
        let mut moved = self.clone();
        let steps = [
            jiff::Span::new().try_months(by.months),
            jiff::Span::new().try_days(by.days),
            jiff::Span::new().try_microseconds(by.micros),
        ];
        for step in steps {
            let step = step.map_err(out_of_range)?;
            moved = match moved {
                Self::Zoned(at) => Self::Zoned(at.checked_add(step).map_err(out_of_range)?),
                Self::Naive(at) => Self::Naive(at.checked_add(step).map_err(out_of_range)?),
                Self::Date(day) => Self::Date(day.checked_add(step).map_err(out_of_range)?),
            };
        }
        if moved.civil().year() < 1 {
            return Err(bad("time lies outside the years 1 to 9999"));
        }
        Ok(moved)
    }

    /// Moves the time by a length: whole days by the calendar, the rest by the clock.
    pub(super) fn plus(&self, span: &Span, sign: i64) -> Result<Self, Error> {
        const DAY: i64 = 86_400_000_000;
        let micros = span.micros().saturating_mul(sign);
        let days = micros.div_euclid(DAY);
        let micros = if matches!(self, Self::Date(_)) { 0 } else { micros.rem_euclid(DAY) };
        self.shifted(Shift { months: 0, days, micros })
    }

    /// Returns `self - earlier`.
    pub(super) fn minus(&self, earlier: &Self) -> Result<Span, Error> {
        match (self, earlier) {
            (Self::Zoned(a), Self::Zoned(b)) => {
                let micros = a.timestamp().as_microsecond() - b.timestamp().as_microsecond();
                let b = b.with_time_zone(a.time_zone().clone());
                let ends = (earlier.isoformat(' '), self.isoformat(' '));
                Ok(Span::between(micros, ends, b.until((jiff::Unit::Year, a)).map_err(out_of_range)?))
            }
            (Self::Naive(a), Self::Naive(b)) => {
                let parts = b.until((jiff::Unit::Microsecond, *a)).map_err(out_of_range)?;
                Ok(Span::from_micros(parts.get_microseconds()))
            }
            (Self::Date(a), Self::Date(b)) => {
                let days = b.until((jiff::Unit::Day, *a)).map_err(out_of_range)?.get_days();
                Ok(Span::from_micros(i64::from(days) * 86_400_000_000))
            }
            (_, _) => Err(bad("cannot subtract a time without a zone from one with a zone, or a date from a time")),
        }
    }

    /// Whether two times can be put in order.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Puts a civil time into the place of this one's.
    fn with_civil(&self, civil: DateTime) -> Result<Self, Error> {
        Ok(match self {
            Self::Zoned(at) => Self::Zoned(civil.to_zoned(at.time_zone().clone()).map_err(out_of_range)?),
            Self::Naive(_) => Self::Naive(civil),
            Self::Date(_) => Self::Date(civil.date()),
        })
    }

    /// `replace(day=1)`.
    fn replaced(&self, args: &[Value]) -> Result<Self, Error> {
        let mut args = Args::new("replace", args)?;
        let civil = self.civil();
        let year = args.int_or("year", civil.year().into())?;
        let month = args.int_or("month", civil.month().into())?;
        let day = args.int_or("day", civil.day().into())?;
        let hour = args.int_or("hour", civil.hour().into())?;
        let minute = args.int_or("minute", civil.minute().into())?;
        let second = args.int_or("second", civil.second().into())?;
        let micro = args.int_or("microsecond", i64::from(civil.subsec_nanosecond() / 1000))?;
        let zone = args.keyword("tzinfo")?;
        args.finish()?;
        let civil = civil_of([year, month, day, hour, minute, second, micro])?;
        match zone {
            None => self.with_civil(civil),
            Some(zone) if zone.is_none() => Ok(Self::Naive(civil)),
            Some(zone) => Ok(Self::Zoned(civil.to_zoned(time_zone(&zone.to_string())?).map_err(out_of_range)?)),
        }
    }

    /// `start_of('month')`, `end_of('month')`.
    fn edge(&self, unit: &str, end: bool) -> Result<Self, Error> {
        let civil = self.civil();
        let midnight = civil.date().at(0, 0, 0, 0);
        let hour = midnight.with().hour(civil.hour());
        let (start, length) = match unit {
            "second" => (civil.with().subsec_nanosecond(0).build(), 1.second()),
            "minute" => (hour.minute(civil.minute()).build(), 1.minute()),
            "hour" => (hour.build(), 1.hour()),
            "day" => (Ok(midnight), 1.day()),
            "week" => (midnight.checked_sub(i64::from(civil.weekday().to_monday_zero_offset()).days()), 1.week()),
            "month" => (midnight.with().day(1).build(), 1.month()),
            "year" => (midnight.with().month(1).day(1).build(), 1.year()),
            _ => {
                return Err(bad(format!("unit `{unit}` is not one of second, minute, hour, day, week, month, year")));
            }
        };
        let start = start.map_err(out_of_range)?;
        if !end {
            return self.with_civil(start);
        }
        let last = match self {
            Self::Date(_) => 1.day(),
            Self::Zoned(_) | Self::Naive(_) => 1.microsecond(),
        };
        let next = start.checked_add(length).and_then(|next| next.checked_sub(last)).map_err(out_of_range)?;
        self.with_civil(next)
    }

    /// `in_timezone('Europe/Berlin')`.
    fn in_zone(&self, name: &str) -> Result<Self, Error> {
        let zone = time_zone(name)?;
        match self {
            Self::Zoned(at) => Ok(Self::Zoned(at.with_time_zone(zone))),
            Self::Naive(at) => {
                let at = at.to_zoned(TimeZone::UTC).map_err(out_of_range)?;
                Ok(Self::Zoned(at.with_time_zone(zone)))
            }
            Self::Date(_) => Err(bad("a date has no time zone")),
        }
    }

    /// Microseconds since 1970; a time without a zone counts as UTC.
    fn micros(&self) -> i64 {
        match self {
            Self::Zoned(at) => at.timestamp().as_microsecond(),
            Self::Naive(_) | Self::Date(_) => {
                self.civil().to_zoned(TimeZone::UTC).map_or(0, |at| at.timestamp().as_microsecond())
            }
        }
    }

    /// Seconds since 1970.
    #[expect(clippy::cast_precision_loss, reason = "Python gives a float too")]
    fn timestamp(&self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// `diff_for_humans()`: `2 days ago`, or against another time `2 days before`.
    pub(super) fn for_humans(&self, other: &Self, is_now: bool) -> Result<String, Error> {
        let span = self.minus(other)?.micros();
        let seconds = span.unsigned_abs() / 1_000_000;
        let days = seconds / 86_400;
        let (count, unit) = match (days, seconds) {
            (365.., _) => (days / 365, "year"),
            (30.., _) => (days / 30, "month"),
            (7.., _) => (days / 7, "week"),
            (1.., _) => (days, "day"),
            (_, 3600..) => (seconds / 3600, "hour"),
            (_, 60..) => (seconds / 60, "minute"),
            (_, _) => (seconds, "second"),
        };
        let text = match (unit, count) {
            ("second", 0..=10) => "a few seconds".to_owned(),
            (_, 1) => format!("1 {unit}"),
            (_, _) => format!("{count} {unit}s"),
        };
        Ok(match (is_now, span > 0) {
            (true, true) => format!("in {text}"),
            (true, false) => format!("{text} ago"),
            (false, true) => format!("{text} after"),
            (false, false) => format!("{text} before"),
        })
    }
}

/// Makes a civil time of year, month, day, hour, minute, second, microsecond.
pub(super) fn civil_of(fields: [i64; 7]) -> Result<DateTime, Error> {
    let [year, month, day, hour, minute, second, micro] = fields;
    let wrong =
        || bad(format!("there is no time {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micro:06}"));
    let small = |n: i64| i8::try_from(n).map_err(|_| wrong());
    let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year)).ok_or_else(wrong)?;
    let nanos = micro.checked_mul(1000).and_then(|n| i32::try_from(n).ok()).ok_or_else(wrong)?;
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, nanos)
        .map_err(|_| wrong())
}

/// Finds a zone by its IANA name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Error> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| bad(format!("there is no time zone `{name}`")))
}

/// How far to move a time.
#[derive(Default)]
struct Shift {
    months: i64,
    days: i64,
    micros: i64,
}

impl Shift {
    /// The arguments of `add` and `subtract`.
    fn from_args(function: &str, args: &[Value], sign: i64) -> Result<Self, Error> {
        let mut args = Args::new(function, args)?;
        let mut shift = Self::default();
        for unit in ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "microseconds"] {
            let Some(value) = args.optional(unit)? else { continue };
            let whole = || value.as_i64().filter(|_| value.is_number()).map(|amount| amount.saturating_mul(sign));
            let wrong = || bad(format!("{function}() wants a whole number for `{unit}`, not {value}"));
            let (place, scale) = match unit {
                "years" => (&mut shift.months, 12),
                "months" => (&mut shift.months, 1),
                "weeks" => (&mut shift.days, 7),
                "days" => (&mut shift.days, 1),
                "hours" => (&mut shift.micros, 3_600_000_000),
                "minutes" => (&mut shift.micros, 60_000_000),
                "seconds" => (&mut shift.micros, 1_000_000),
                _ => (&mut shift.micros, 1),
            };
            let amount = match whole() {
                Some(amount) => amount.saturating_mul(scale),
                None if unit == "seconds" && value.is_number() => {
                    let seconds = f64::try_from(value.clone()).ok().filter(|n| n.abs() < 1e12).ok_or_else(wrong)?;
                    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
                    let micros = (seconds * 1e6).round() as i64;
                    micros.saturating_mul(sign)
                }
                None => return Err(wrong()),
            };
            *place = place.saturating_add(amount);
        }
        args.finish()?;
        Ok(shift)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.isoformat(' '))
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let civil = self.civil();
        let date_part = match key {
            "year" => i64::from(civil.year()),
            "month" => i64::from(civil.month()),
            "day" => i64::from(civil.day()),
            "day_of_week" => i64::from(civil.weekday().to_monday_zero_offset()),
            "day_of_year" => i64::from(civil.day_of_year()),
            "week_of_year" => i64::from(civil.date().iso_week_date().week()),
            "days_in_month" => i64::from(civil.days_in_month()),
            "week_of_month" => i64::from(
                (civil.day()
                    + civil.date().with().day(1).build().map_or(0, |first| first.weekday().to_monday_zero_offset())
                    + 6)
                    / 7,
            ),
            "quarter" => i64::from((civil.month() + 2) / 3),
            _ => return self.clock_attribute(key, civil),
        };
        Some(Value::from(date_part))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let rank = |moment: &Self| match moment {
            Self::Date(_) => 0,
            Self::Naive(_) => 1,
            Self::Zoned(_) => 2,
        };
        Some(match (&**self, other) {
            (Self::Zoned(a), Self::Zoned(b)) => a.timestamp().cmp(&b.timestamp()),
            (a, b) => rank(a).cmp(&rank(b)).then_with(|| a.civil().cmp(&b.civil())),
        })
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let moment = |moment: Result<Self, Error>| moment.map(Value::from_object);
        match method {
            "add" => return moment(self.shifted(Shift::from_args(method, args, 1)?)),
            "subtract" => return moment(self.shifted(Shift::from_args(method, args, -1)?)),
            "replace" | "set" => return moment(self.replaced(args)),
            _ => {}
        }
        let mut args = Args::new(method, args)?;
        let result = match method {
            "strftime" => Value::from(self.strftime(&args.text("format")?)),
            "format" => Value::from(strftime::tokens(&self.parts(), &args.text("fmt")?)),
            "isoformat" => {
                let separator = args.optional("sep")?.and_then(|text| text.as_str()?.chars().next());
                Value::from(self.isoformat(separator.unwrap_or('T')))
            }
            "date" => Value::from_object(Self::Date(self.civil().date())),
            "time" => Value::from(self.strftime("%H:%M:%S")),
            "naive" => Value::from_object(Self::Naive(self.civil())),
            "weekday" => Value::from(self.civil().weekday().to_monday_zero_offset()),
            "isoweekday" => Value::from(self.civil().weekday().to_monday_one_offset()),
            "timestamp" => Value::from(self.timestamp()),
            "start_of" => return moment(self.edge(&args.text("unit")?, false)),
            "end_of" => return moment(self.edge(&args.text("unit")?, true)),
            "in_timezone" | "in_tz" | "astimezone" => return moment(self.in_zone(&args.text("tz")?)),
            "to_date_string" => Value::from(self.strftime("%F")),
            "to_time_string" => Value::from(self.strftime("%T")),
            "to_datetime_string" => Value::from(self.strftime("%F %T")),
            "to_iso8601_string" => {
                let text = self.isoformat('T');
                Value::from(text.strip_suffix("+00:00").map_or(text.clone(), |text| format!("{text}Z")))
            }
            "diff" => {
                let other = self.other(&mut args, "dt")?;
                let absolute = args.optional("abs")?.is_none_or(|yes| yes.is_true());
                let span = other.minus(self)?;
                Value::from_object(if absolute && span.micros() < 0 { self.minus(&other)? } else { span })
            }
            "to_rfc3339_string" | "to_atom_string" | "to_w3c_string" => Value::from(self.isoformat('T')),
            "to_formatted_date_string" => Value::from(self.strftime("%b %d, %Y")),
            "to_day_datetime_string" => Value::from(strftime::tokens(&self.parts(), "ddd, MMM D, YYYY h:mm A")),
            "to_rfc822_string" => Value::from(self.strftime("%a, %d %b %y %H:%M:%S %z")),
            "to_rfc1123_string" | "to_rfc2822_string" | "to_rss_string" => {
                Value::from(self.strftime("%a, %d %b %Y %H:%M:%S %z"))
            }
            "to_cookie_string" => Value::from(self.strftime("%A, %d-%b-%Y %H:%M:%S %Z")),
            "at" => {
                let hour = args.int("hour")?;
                let (minute, second) = (args.int_or("minute", 0)?, args.int_or("second", 0)?);
                let micro = args.int_or("microsecond", 0)?;
                args.finish()?;
                let day = self.civil();
                let [year, month, day] = [day.year().into(), day.month().into(), day.day().into()];
                return moment(self.with_civil(civil_of([year, month, day, hour, minute, second, micro])?));
            }
            "is_leap_year" => Value::from(self.civil().in_leap_year()),
            "diff_for_humans" => Value::from(self.for_humans(&self.other(&mut args, "other")?, false)?),
            _ => return Err(bad(format!("a time has no method `{method}`"))),
        };
        args.finish()?;
        Ok(result)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl Moment {
    /// Attributes that a day does not have.
    fn clock_attribute(&self, key: &str, civil: DateTime) -> Option<Value> {
        if matches!(self, Self::Date(_)) {
            return None;
        }
        Some(match (key, self) {
            ("hour", _) => Value::from(civil.hour()),
            ("minute", _) => Value::from(civil.minute()),
            ("second", _) => Value::from(civil.second()),
            ("microsecond", _) => Value::from(civil.subsec_nanosecond() / 1000),
            ("int_timestamp", Self::Zoned(at)) => Value::from(at.timestamp().as_second()),
            ("float_timestamp", Self::Zoned(_)) => Value::from(self.timestamp()),
            ("timezone_name" | "timezone" | "tz" | "tzinfo", Self::Zoned(at)) => {
                Value::from(at.time_zone().iana_name().unwrap_or("UTC"))
            }
            ("offset", Self::Zoned(at)) => Value::from(at.offset().seconds()),
            (_, _) => return None,
        })
    }

    /// An argument that must be a time.
    fn other(&self, args: &mut Args<'_>, name: &str) -> Result<Self, Error> {
        let value = args.required(name)?;
        value.downcast_object_ref::<Self>().cloned().ok_or_else(|| bad(format!("`{name}` is not a time")))
    }
}
