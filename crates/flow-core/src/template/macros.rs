//! `macros`: the helpers Airflow gives to templates.
//!
//! Time and chance come with the context, so the same attempt always renders to the same text.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::tz::TimeZone;
use minijinja::{
    Error, ErrorKind, State, Value,
    value::{Enumerator, Object, ObjectRepr},
};

use super::{
    args::{Args, bad, bad_with_help},
    filters, json,
    moment::{Moment, civil_of, time_zone},
    span::Span,
    strftime,
};
use crate::time::Timestamp;

const NAMES: &[&str] =
    &["datetime", "datetime_diff_for_humans", "ds_add", "ds_format", "json", "random", "time", "timedelta", "uuid"];

/// `macros`.
pub(super) struct Macros {
    now: Timestamp,
    chance: Arc<Chance>,
}

impl Macros {
    /// Makes `macros` for an attempt.
    pub(super) fn value(now: Timestamp, seed: u64) -> Value {
        Value::from_object(Self { now, chance: Arc::new(Chance(AtomicU64::new(seed))) })
    }
}

impl fmt::Debug for Macros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<macros>")
    }
}

impl Object for Macros {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if matches!(key, "yaml" | "dateutil" | "ds_format_locale") {
            return Some(Value::from(bad(format!("`macros.{key}` is not available"))));
        }
        let name = *NAMES.iter().find(|name| **name == key)?;
        Some(Value::from_object(Macro { name, now: self.now, chance: Arc::clone(&self.chance) }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(NAMES)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match self.get_value_by_str(method) {
            Some(found) if NAMES.contains(&method) => found.call(state, args),
            Some(_) => Err(bad(format!("`macros.{method}` is not available"))),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// One of the macros: a function, a module, or both.
struct Macro {
    name: &'static str,
    now: Timestamp,
    chance: Arc<Chance>,
}

impl fmt::Debug for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macros.{}>", self.name)
    }
}

impl Object for Macro {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    /// `macros.datetime.datetime` and the like: modules whose class has the module's name.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        (key == self.name).then(|| Value::from_dyn_object(Arc::clone(self)))
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        match self.name {
            "ds_add" => ds_add(args),
            "ds_format" => ds_format(args),
            "timedelta" => Span::from_args(args).map(Value::from_object),
            "datetime" => datetime(args),
            "random" => {
                Args::new("random", args)?.finish()?;
                Ok(Value::from(self.chance.fraction()))
            }
            "datetime_diff_for_humans" => self.diff_for_humans(args),
            name => Err(bad(format!("`macros.{name}` is a module, not a function"))),
        }
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match (self.name, method) {
            ("datetime", "datetime") | ("random", "random") => self.call(state, args),
            ("datetime", "timedelta") => Span::from_args(args).map(Value::from_object),
            ("datetime", _) => self.datetime_method(method, args),
            ("random", _) => self.chance.method(method, args),
            ("json", "dumps") => dumps(args),
            ("json", "loads") => {
                let mut args = Args::new("loads", args)?;
                let text = args.required("s")?;
                args.finish()?;
                filters::from_json(&text)
            }
            ("uuid", "uuid4" | "uuid1") => {
                Args::new(method, args)?.finish()?;
                Ok(Value::from_object(self.chance.uuid()))
            }
            ("time", "time") => {
                Args::new(method, args)?.finish()?;
                Ok(Value::from(self.now.to_jiff().as_duration().as_secs_f64()))
            }
            _ => Err(bad(format!("`macros.{}` has no `{method}`", self.name))),
        }
    }
}

impl Macro {
    /// `macros.datetime.now()` and its siblings. The server's clock is UTC to us.
    fn datetime_method(&self, method: &str, args: &[Value]) -> Result<Value, Error> {
        let now = self.now.to_jiff().to_zoned(TimeZone::UTC);
        let mut args = Args::new(method, args)?;
        let moment = match method {
            "now" => match args.optional("tz")?.filter(|zone| !zone.is_none()) {
                None => Moment::Naive(now.datetime()),
                Some(zone) => Moment::Zoned(now.with_time_zone(time_zone(&zone.to_string())?)),
            },
            "utcnow" | "today" => Moment::Naive(now.datetime()),
            "strptime" => {
                let text = args.text("date_string")?;
                read(&text, &args.text("format")?)?
            }
            "fromisoformat" => from_iso(&args.text("date_string")?)?,
            "fromtimestamp" | "utcfromtimestamp" => {
                let seconds = args.number("timestamp")?;
                if seconds.is_nan() || seconds.abs() >= 1e12 {
                    return Err(bad("timestamp lies outside the years 1 to 9999"));
                }
                #[expect(clippy::cast_possible_truncation, reason = "checked above")]
                let at = Timestamp::from_micros((seconds * 1e6).round() as i64);
                Moment::Naive(at.to_jiff().to_zoned(TimeZone::UTC).datetime())
            }
            _ => return Err(bad(format!("`macros.datetime` has no `{method}`"))),
        };
        args.finish()?;
        Ok(Value::from_object(moment))
    }

    /// `macros.datetime_diff_for_humans(a, b)`.
    fn diff_for_humans(&self, args: &[Value]) -> Result<Value, Error> {
        let mut args = Args::new("datetime_diff_for_humans", args)?;
        let at = args.required("dt")?;
        let since = args.optional("since")?.filter(|since| !since.is_none());
        args.finish()?;
        let time = |value: &Value| {
            value.downcast_object_ref::<Moment>().cloned().ok_or_else(|| bad(format!("`{value}` is not a time")))
        };
        let text = match since {
            Some(since) => time(&at)?.for_humans(&time(&since)?, false)?,
            None => {
                let now = self.now.to_jiff().to_zoned(TimeZone::UTC);
                time(&at)?.for_humans(&Moment::Zoned(now), true)?
            }
        };
        Ok(Value::from(text))
    }
}

/// Text, or a time as text.
fn day_text(args: &mut Args<'_>) -> Result<String, Error> {
    args.text("ds")
}

/// `macros.ds_add(ds, days)`.
fn ds_add(args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("ds_add", args)?;
    let day = day_text(&mut args)?;
    let days = args.int("days")?;
    args.finish()?;
    if days == 0 {
        return Ok(Value::from(day));
    }
    let moved = read(&day, "%Y-%m-%d")?.plus(&Span::from_micros(days.saturating_mul(86_400_000_000)), 1)?;
    Ok(Value::from(moved.strftime("%Y-%m-%d")))
}

/// `macros.ds_format(ds, input_format, output_format)`.
fn ds_format(args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("ds_format", args)?;
    let day = day_text(&mut args)?;
    let input = args.text("input_format")?;
    let output = args.text("output_format")?;
    args.finish()?;
    Ok(Value::from(read(&day, &input)?.strftime(&output)))
}

/// Reads a time by a pattern.
fn read(text: &str, pattern: &str) -> Result<Moment, Error> {
    let (civil, zone) = strftime::strptime(text, pattern).map_err(bad)?;
    match zone {
        None => Ok(Moment::Naive(civil)),
        Some(zone) => civil.to_zoned(zone).map(Moment::Zoned).map_err(|_| bad("time lies outside the years 1 to 9999")),
    }
}

/// Reads ISO 8601, with or without an offset or a time of day.
fn from_iso(text: &str) -> Result<Moment, Error> {
    let wrong = || bad_with_help(format!("`{text}` is not a time"), "write it as 2026-01-31T12:00:00");
    let has_offset = text.get(10..).is_some_and(|clock| clock.contains(['+', '-', 'Z', 'z']));
    if !has_offset {
        return text.parse().map(Moment::Naive).map_err(|_| wrong());
    }
    let pieces = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(text).map_err(|_| wrong())?;
    let offset = text.get(10..).and_then(|clock| clock.rfind(['+', '-']).and_then(|at| clock.get(at..)));
    let zone = match offset {
        None => TimeZone::UTC,
        Some(offset) => {
            let read = jiff::fmt::strtime::BrokenDownTime::parse("%:z", offset)
                .or_else(|_| jiff::fmt::strtime::BrokenDownTime::parse("%z", offset))
                .map_err(|_| wrong())?;
            read.offset().filter(|offset| !offset.is_zero()).map_or(TimeZone::UTC, TimeZone::fixed)
        }
    };
    Ok(Moment::Zoned(pieces.to_zoned(zone)))
}

/// `macros.datetime(2026, 1, 31, 12)`.
fn datetime(args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("datetime", args)?;
    let mut fields = [args.int("year")?, args.int("month")?, args.int("day")?, 0, 0, 0, 0];
    for (field, name) in fields.iter_mut().skip(3).zip(["hour", "minute", "second", "microsecond"]) {
        *field = args.int_or(name, 0)?;
    }
    args.finish()?;
    civil_of(fields).map(|civil| Value::from_object(Moment::Naive(civil)))
}

/// `macros.json.dumps(value, indent=…, sort_keys=…, ensure_ascii=…)`.
fn dumps(args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("dumps", args)?;
    let value = args.required("obj")?;
    let indent = args.keyword("indent")?.and_then(|indent| indent.as_usize()).map(|indent| indent.min(16));
    let sort_keys = args.keyword("sort_keys")?.is_some_and(|yes| yes.is_true());
    let ascii = args.keyword("ensure_ascii")?.is_none_or(|yes| yes.is_true());
    args.finish()?;
    Ok(Value::from(json::dumps(&json::to_json(&value)?, json::Style { sort_keys, indent, ascii })))
}

/// Pseudo-random numbers from the attempt's seed (SplitMix64).
struct Chance(AtomicU64);

impl Chance {
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn fraction(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound`, which is not zero.
    fn below(&self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.next()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    fn method(&self, method: &str, args: &[Value]) -> Result<Value, Error> {
        let mut args = Args::new(method, args)?;
        let result = match method {
            "randint" | "randrange" => {
                let first = args.int("a")?;
                let (low, high) = match (method, args.optional("b")?) {
                    (_, None) => (0, first.saturating_sub(1)),
                    ("randint", Some(high)) => (first, high.as_i64().unwrap_or(first)),
                    (_, Some(high)) => (first, high.as_i64().unwrap_or(first).saturating_sub(1)),
                };
                let room = high.checked_sub(low).and_then(|room| u64::try_from(room).ok());
                let room = room.ok_or_else(|| bad(format!("{method}() has nothing to choose from")))?;
                Value::from(low.saturating_add_unsigned(self.below(room.saturating_add(1))))
            }
            "uniform" => {
                let low = args.number("a")?;
                let high = args.number("b")?;
                Value::from(low + (high - low) * self.fraction())
            }
            "choice" => {
                let items: Vec<Value> = args.required("seq")?.try_iter()?.checked().collect::<Result<_, _>>()?;
                let index = usize::try_from(self.below(items.len().max(1) as u64)).unwrap_or(0);
                items.get(index).cloned().ok_or_else(|| bad("choice() has nothing to choose from"))?
            }
            _ => return Err(bad(format!("`macros.random` has no `{method}`"))),
        };
        args.finish()?;
        Ok(result)
    }

    fn uuid(&self) -> Uuid {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        Uuid((bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62))
    }
}

/// A random UUID.
struct Uuid(u128);

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
        write!(f, "{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
    }
}

impl Object for Uuid {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "hex").then(|| Value::from(format!("{:032x}", self.0)))
    }
}
