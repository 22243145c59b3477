//! Writes times by a pattern: Python's `%Y-%m-%d` and pendulum's `YYYY-MM-DD`; reads them by Python's.
//!
//! English names only, as with Python in the C locale. A directive that nobody knows stays as it is.

use std::fmt::Write;

use jiff::{
    civil::{Date, DateTime},
    fmt::strtime::BrokenDownTime,
    tz::{Offset, TimeZone},
};

/// A civil time and, where there is one, its zone: what patterns are filled from.
pub(super) struct Parts {
    pub(super) civil: DateTime,
    pub(super) zone: Option<Zone>,
    /// Seconds since 1970; a time without a zone counts as UTC.
    pub(super) unix: i64,
}

/// The zone of a time.
pub(super) struct Zone {
    /// Seconds east of Greenwich.
    pub(super) offset: i32,
    /// `CET`.
    pub(super) abbreviation: String,
    /// `Europe/Berlin`.
    pub(super) name: String,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Parts {
    fn month_name(&self) -> &'static str {
        MONTHS.get(usize::try_from(self.civil.month() - 1).unwrap_or(0)).copied().unwrap_or_default()
    }

    fn day_name(&self) -> &'static str {
        DAYS.get(usize::try_from(self.civil.weekday().to_monday_zero_offset()).unwrap_or(0))
            .copied()
            .unwrap_or_default()
    }

    /// The hour on a twelve-hour dial.
    fn hour12(&self) -> i8 {
        match self.civil.hour() % 12 {
            0 => 12,
            hour => hour,
        }
    }

    fn micros(&self) -> i32 {
        self.civil.subsec_nanosecond() / 1000
    }

    fn is_morning(&self) -> bool {
        self.civil.hour() < 12
    }

    /// The week of the year when weeks start on the given day; days before the first are week 0.
    fn week(&self, monday_first: bool) -> i16 {
        let weekday = self.civil.weekday();
        let since = if monday_first { weekday.to_monday_zero_offset() } else { weekday.to_sunday_zero_offset() };
        (self.civil.day_of_year() + 6 - i16::from(since)) / 7
    }
}

/// Writes an offset: `+01:00`, or `+0100` without the colon.
pub(super) fn offset(seconds: i32, colon: &str) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// Fills in Python's `strftime` directives.
pub(super) fn strftime(parts: &Parts, pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let before = rest.as_str();
        let mut directive = rest.next();
        let flag = directive.filter(|c| matches!(c, '-' | '_' | '0' | '^' | ':'));
        if flag.is_some() {
            directive = rest.next();
        }
        let text = directive.and_then(|directive| field(parts, directive, flag));
        match (text, directive) {
            (Some(text), _) => out.push_str(&text),
            (None, Some(_)) => {
                out.push('%');
                let used = before.len() - rest.as_str().len();
                out.push_str(before.get(..used).unwrap_or_default());
            }
            (None, None) => {
                out.push('%');
                out.push_str(before);
            }
        }
    }
    out
}

/// One directive; `None` when there is none of this name.
fn field(parts: &Parts, directive: char, flag: Option<char>) -> Option<String> {
    let civil = parts.civil;
    let iso = civil.date().iso_week_date();
    let number = |value: i64, width: usize| match flag {
        Some('-') => value.to_string(),
        Some('_') => format!("{value:width$}"),
        _ => format!("{value:0width$}"),
    };
    let spaced = |value: i64| match flag {
        Some('-') => value.to_string(),
        Some('0') => format!("{value:02}"),
        _ => format!("{value:2}"),
    };
    let zone = parts.zone.as_ref();
    let text = match directive {
        'a' => parts.day_name().get(..3).unwrap_or_default().to_owned(),
        'A' => parts.day_name().to_owned(),
        'b' | 'h' => parts.month_name().get(..3).unwrap_or_default().to_owned(),
        'B' => parts.month_name().to_owned(),
        'c' => strftime(parts, "%a %b %e %H:%M:%S %Y"),
        'C' => number(i64::from(civil.year()) / 100, 2),
        'd' => number(civil.day().into(), 2),
        'D' | 'x' => strftime(parts, "%m/%d/%y"),
        'e' => spaced(civil.day().into()),
        'f' => format!("{:06}", parts.micros()),
        'F' => strftime(parts, "%Y-%m-%d"),
        'g' => number(i64::from(iso.year()).rem_euclid(100), 2),
        'G' => number(iso.year().into(), 4),
        'H' => number(civil.hour().into(), 2),
        'I' => number(parts.hour12().into(), 2),
        'j' => number(civil.day_of_year().into(), 3),
        'k' => spaced(civil.hour().into()),
        'l' => spaced(parts.hour12().into()),
        'm' => number(civil.month().into(), 2),
        'M' => number(civil.minute().into(), 2),
        'n' => "\n".to_owned(),
        'p' => if parts.is_morning() { "AM" } else { "PM" }.to_owned(),
        'P' => if parts.is_morning() { "am" } else { "pm" }.to_owned(),
        'r' => strftime(parts, "%I:%M:%S %p"),
        'R' => strftime(parts, "%H:%M"),
        's' => parts.unix.to_string(),
        'S' => number(civil.second().into(), 2),
        't' => "\t".to_owned(),
        'T' | 'X' => strftime(parts, "%H:%M:%S"),
        'u' => civil.weekday().to_monday_one_offset().to_string(),
        'U' => number(parts.week(false).into(), 2),
        'V' => number(iso.week().into(), 2),
        'w' => civil.weekday().to_sunday_zero_offset().to_string(),
        'W' => number(parts.week(true).into(), 2),
        'y' => number(i64::from(civil.year()).rem_euclid(100), 2),
        'Y' => civil.year().to_string(),
        'z' => zone.map_or_else(String::new, |zone| offset(zone.offset, if flag == Some(':') { ":" } else { "" })),
        'Z' => zone.map_or_else(String::new, |zone| zone.abbreviation.clone()),
        '%' => "%".to_owned(),
        _ => return None,
    };
    Some(if flag == Some('^') { text.to_uppercase() } else { text })
}

/// Pendulum's tokens, longest first so that the first that fits is the right one.
const TOKENS: [&str; 44] = [
    "SSSSSS", "SSSSS", "YYYY", "MMMM", "DDDD", "dddd", "SSSS", "MMM", "DDD", "ddd", "SSS", "YY", "MM", "DD", "Do",
    "Mo", "HH", "hh", "mm", "ss", "SS", "ZZ", "zz", "Qo", "LTS", "LT", "LLLL", "LLL", "LL", "Y", "M", "D", "d", "E",
    "H", "h", "m", "s", "S", "X", "x", "Z", "z", "A",
];

/// Fills in pendulum's tokens; text in `[…]` stays as it is.
pub(super) fn tokens(parts: &Parts, pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix('[')
            && let Some((literal, after)) = inner.split_once(']')
        {
            out.push_str(literal);
            rest = after;
        } else if let Some(escaped) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
            out.push(escaped);
            rest = rest.get(1 + escaped.len_utf8()..).unwrap_or_default();
        } else if let Some((token, text)) =
            TOKENS.iter().filter(|token| rest.starts_with(**token)).find_map(|t| Some((t, token(parts, t)?)))
        {
            out.push_str(&text);
            rest = rest.get(token.len()..).unwrap_or_default();
        } else if rest.starts_with('Q') {
            let _ = write!(out, "{}", (parts.civil.month() + 2) / 3);
            rest = rest.get(1..).unwrap_or_default();
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// One token's text.
fn token(parts: &Parts, token: &str) -> Option<String> {
    let civil = parts.civil;
    let zone = parts.zone.as_ref();
    let micros = format!("{:06}", parts.micros());
    let digits = |n: usize| micros.get(..n).unwrap_or_default().to_owned();
    Some(match token {
        "YYYY" => format!("{:04}", civil.year()),
        "YY" => format!("{:02}", civil.year().rem_euclid(100)),
        "Y" => civil.year().to_string(),
        "MMMM" => parts.month_name().to_owned(),
        "MMM" => parts.month_name().get(..3).unwrap_or_default().to_owned(),
        "MM" => format!("{:02}", civil.month()),
        "M" => civil.month().to_string(),
        "Mo" => ordinal(civil.month().into()),
        "DDDD" => format!("{:03}", civil.day_of_year()),
        "DDD" => civil.day_of_year().to_string(),
        "DD" => format!("{:02}", civil.day()),
        "D" => civil.day().to_string(),
        "Do" => ordinal(civil.day().into()),
        "dddd" => parts.day_name().to_owned(),
        "ddd" => parts.day_name().get(..3).unwrap_or_default().to_owned(),
        "d" => civil.weekday().to_sunday_zero_offset().to_string(),
        "E" => civil.weekday().to_monday_one_offset().to_string(),
        "HH" => format!("{:02}", civil.hour()),
        "H" => civil.hour().to_string(),
        "hh" => format!("{:02}", parts.hour12()),
        "h" => parts.hour12().to_string(),
        "mm" => format!("{:02}", civil.minute()),
        "m" => civil.minute().to_string(),
        "ss" => format!("{:02}", civil.second()),
        "s" => civil.second().to_string(),
        "SSSSSS" | "SSSSS" | "SSSS" | "SSS" | "SS" | "S" => digits(token.len()),
        "X" => parts.unix.to_string(),
        "x" => (parts.unix * 1000 + i64::from(parts.micros() / 1000)).to_string(),
        "ZZ" => zone.map_or_else(String::new, |zone| offset(zone.offset, "")),
        "Z" => zone.map_or_else(String::new, |zone| offset(zone.offset, ":")),
        "zz" => zone.map_or_else(String::new, |zone| zone.abbreviation.clone()),
        "z" => zone.map_or_else(String::new, |zone| zone.name.clone()),
        "A" => if parts.is_morning() { "AM" } else { "PM" }.to_owned(),
        "LTS" => tokens(parts, "h:mm:ss A"),
        "LT" => tokens(parts, "h:mm A"),
        "LLLL" => tokens(parts, "dddd, MMMM D, YYYY h:mm A"),
        "LLL" => tokens(parts, "MMMM D, YYYY h:mm A"),
        "LL" => tokens(parts, "MMMM D, YYYY"),
        "Qo" => ordinal(i64::from((civil.month() + 2) / 3)),
        _ => return None,
    })
}

fn ordinal(n: i64) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        (_, _) => "th",
    };
    format!("{n}{ending}")
}

/// Reads a time by Python's `strptime` directives. What the pattern leaves out is 1900-01-01T00:00:00.
pub(super) fn strptime(text: &str, pattern: &str) -> Result<(DateTime, Option<TimeZone>), String> {
    let fail = || format!("time `{text}` does not match format `{pattern}`");
    // Only what Python reads; the library knows more, such as names of zones.
    let mut after_percent = pattern.split('%').skip(1);
    while let Some(rest) = after_percent.next() {
        match rest.chars().next() {
            // `%%`: what follows is plain.
            None => drop(after_percent.next()),
            Some(c) if "aAbBdfHIjmMpSUwWyYzGuVeDFTRhnt:".contains(c) => {}
            Some(c) => return Err(format!("format `{pattern}` has `%{c}`, which cannot be read")),
        }
    }
    let mut read = BrokenDownTime::parse(pattern, text)
        .or_else(|_| BrokenDownTime::parse(pattern.replace("%z", "%:z"), text))
        .or_else(|error| match (pattern.strip_suffix("%z"), text.strip_suffix('Z')) {
            (Some(_), Some(text)) => BrokenDownTime::parse(pattern, format!("{text}+0000")),
            (_, _) => Err(error),
        })
        .map_err(|_| fail())?;
    if read.year().is_none() && read.iso_week_year().is_none() {
        read.set_year(Some(1900)).map_err(|_| fail())?;
    }
    let date = read
        .to_date()
        .or_else(|_| Date::new(read.year().unwrap_or(1900), read.month().unwrap_or(1), read.day().unwrap_or(1)));
    let date = date.map_err(|_| fail())?;
    let hour = read.to_time().unwrap_or_else(|_| jiff::civil::Time::midnight());
    let zone =
        read.offset().map(|offset: Offset| if offset == Offset::UTC { TimeZone::UTC } else { TimeZone::fixed(offset) });
    Ok((date.to_datetime(hour), zone))
}
