//! Lengths of time in templates: `macros.timedelta(days=1)`, and what is between two times.
//!
//! Prints as Python's `timedelta`; the difference of two times prints with its ends, as pendulum's `Interval`.

use std::{cmp::Ordering, fmt, sync::Arc};

use minijinja::{
    Error, State, Value,
    value::{DynObject, Object, ObjectRepr},
};

use super::args::{Args, bad};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Python's limit: 999,999,999 days. Ours is what 64 bits of microseconds hold, some 290,000 years.
const MAX: f64 = 9.0e18;

/// A length of time, which may be negative.
#[derive(Clone, Debug)]
pub(super) struct Span {
    micros: i64,
    /// When it lies between two known times.
    between: Option<Between>,
}

/// The ends of an interval.
#[derive(Clone, Debug)]
pub(super) struct Between {
    /// Both ends, as they print.
    pub(super) ends: (String, String),
    /// Years, months and so on.
    pub(super) parts: jiff::Span,
}

impl Span {
    /// Makes a length of microseconds.
    pub(super) fn from_micros(micros: i64) -> Self {
        Self { micros, between: None }
    }

    /// Makes the length of an interval, with its parts as they print.
    pub(super) fn between(micros: i64, ends: (String, String), parts: jiff::Span) -> Self {
        Self { micros, between: Some(Between { ends, parts }) }
    }

    /// Returns the length in microseconds.
    pub(super) fn micros(&self) -> i64 {
        self.micros
    }

    /// `macros.timedelta(…)`.
    pub(super) fn from_args(args: &[Value]) -> Result<Self, Error> {
        let mut args = Args::new("timedelta", args)?;
        let mut micros = 0.0;
        let mut exact: i64 = 0;
        let units = [
            ("days", DAY),
            ("seconds", SECOND),
            ("microseconds", 1),
            ("milliseconds", 1_000),
            ("minutes", 60 * SECOND),
            ("hours", 3_600 * SECOND),
            ("weeks", 7 * DAY),
        ];
        for (name, unit) in units {
            let amount = args.number(name)?;
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            if amount.fract() == 0.0 && amount.abs() < 1e15 {
                let whole = (amount as i64).checked_mul(unit).and_then(|part| exact.checked_add(part));
                exact = whole.ok_or_else(|| bad("timedelta() is too long"))?;
            } else {
                #[expect(clippy::cast_precision_loss, reason = "a fraction of a unit is not exact anyway")]
                let part = amount * unit as f64;
                micros += part;
            }
        }
        args.finish()?;
        if !micros.is_finite() || micros.abs() > MAX {
            return Err(bad("timedelta() is too long"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked against the limit above")]
        let fraction = micros.round_ties_even() as i64;
        exact.checked_add(fraction).map(Self::from_micros).ok_or_else(|| bad("timedelta() is too long"))
    }

    /// Whole days, rounded down, as Python has it.
    fn days(&self) -> i64 {
        self.micros.div_euclid(DAY)
    }

    fn seconds(&self) -> i64 {
        self.micros.rem_euclid(DAY) / SECOND
    }

    #[expect(clippy::cast_precision_loss, reason = "Python gives a float too")]
    fn total_seconds(&self) -> f64 {
        self.micros as f64 / 1e6
    }

    /// `in_words()`: `2 weeks 13 hours`.
    fn words(&self) -> String {
        match &self.between {
            Some(between) => words(&between.parts),
            None => {
                let clock = self.micros % DAY;
                let parts = jiff::Span::new()
                    .try_days(self.micros / DAY)
                    .unwrap_or_default()
                    .hours(clock / (3600 * SECOND))
                    .minutes(clock / (60 * SECOND) % 60)
                    .seconds(clock / SECOND % 60)
                    .microseconds(clock % SECOND);
                words(&parts)
            }
        }
    }

    /// Writes `repr()`.
    pub(super) fn write_repr(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.between.is_some() {
            return write!(out, "{self}");
        }
        let parts =
            [("days", self.days()), ("seconds", self.seconds()), ("microseconds", self.micros.rem_euclid(SECOND))];
        let parts: Vec<String> = parts.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name}={n}")).collect();
        let text = if parts.is_empty() { "0".to_owned() } else { parts.join(", ") };
        write!(out, "datetime.timedelta({text})")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Between { ends: (start, end), .. }) = &self.between {
            return write!(f, "<Interval [{start} -> {end}]>");
        }
        let days = self.days();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        let seconds = self.seconds();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        match self.micros.rem_euclid(SECOND) {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}

/// Says a span in words, the largest unit first.
fn words(parts: &jiff::Span) -> String {
    let days = i64::from(parts.get_days());
    let units = [
        ("year", i64::from(parts.get_years())),
        ("month", i64::from(parts.get_months())),
        ("week", days / 7),
        ("day", days % 7),
        ("hour", i64::from(parts.get_hours())),
        ("minute", parts.get_minutes()),
        ("second", parts.get_seconds()),
    ];
    let said: Vec<String> = units.iter().filter(|(_, n)| *n != 0).map(|(unit, n)| count(*n, unit)).collect();
    if said.is_empty() {
        let micros = parts.get_milliseconds() * 1000 + parts.get_microseconds();
        return if micros == 0 { "0 microseconds".to_owned() } else { count_fraction(micros) };
    }
    said.join(" ")
}

fn count(n: i64, unit: &str) -> String {
    format!("{n} {unit}{}", if n.abs() == 1 { "" } else { "s" })
}

#[expect(clippy::cast_precision_loss, reason = "fewer than a million")]
fn count_fraction(micros: i64) -> String {
    format!("{:.2} second", micros as f64 / 1e6)
}

impl Object for Span {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "days" => Value::from(if self.between.is_some() { self.micros / DAY } else { self.days() }),
            "seconds" => Value::from(self.seconds()),
            "microseconds" => Value::from(self.micros.rem_euclid(SECOND)),
            _ => return None,
        })
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.micros != 0
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.micros.cmp(&other.downcast_ref::<Self>()?.micros))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let unit = match method {
            "total_seconds" => return Args::new(method, args)?.finish().map(|()| Value::from(self.total_seconds())),
            "in_words" => return Args::new(method, args)?.finish().map(|()| Value::from(self.words())),
            "total_minutes" => return Ok(Value::from(self.total_seconds() / 60.0)),
            "total_hours" => return Ok(Value::from(self.total_seconds() / 3600.0)),
            "total_days" => return Ok(Value::from(self.total_seconds() / 86400.0)),
            "in_seconds" => SECOND,
            "in_minutes" => 60 * SECOND,
            "in_hours" => 3600 * SECOND,
            "in_days" => DAY,
            "in_weeks" => 7 * DAY,
            "in_months" | "in_years" if self.between.is_some() => {
                let parts = self.between.as_ref().map(|between| between.parts).unwrap_or_default();
                let years = i64::from(parts.get_years());
                let months = years * 12 + i64::from(parts.get_months());
                return Ok(Value::from(if method == "in_years" { years } else { months }));
            }
            _ => return Err(bad(format!("a timedelta has no method `{method}`"))),
        };
        Args::new(method, args)?.finish()?;
        Ok(Value::from(self.micros / unit))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
