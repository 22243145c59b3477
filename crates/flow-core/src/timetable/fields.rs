//! The text of a cron expression, field by field, and what is wrong with it.
//!
//! The rules are Vixie's, with the additions that Airflow's users know (`L`, `W`, `#`, ranges that wrap around,
//! seconds and years at the end). What is understood is written down again in plain values, so that two ways
//! of writing a schedule are one schedule, and so that the crate which searches for occurrences ([`super::cron`])
//! only ever sees text it cannot misread.

use std::collections::BTreeSet;

use crate::{dag::Dialect, time::clip};

/// Longer than any expression that a person would write.
const LONGEST: usize = 1000;

/// An expression that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day: Field,
    pub(super) month: Field,
    pub(super) weekday: Field,
    pub(super) second: Field,
    pub(super) year: Field,
    /// There is `*` or a step in minute or hour: the job follows the clock through a change, instead of keeping to
    /// its time of day.
    pub(super) follows_clock: bool,
}

/// One field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    /// Anything goes. For the two day fields: the other one alone decides.
    pub(super) is_star: bool,
    /// `*/n`, for words.
    pub(super) step: Option<u16>,
    pub(super) values: BTreeSet<u16>,
    /// `L`, `LW`, `15W`, `5#2`, `5L`, as the searching crate writes them.
    pub(super) specials: BTreeSet<String>,
}

impl Field {
    /// Writes the field in plain values.
    pub(super) fn canonical(&self) -> String {
        if self.is_star {
            return "*".to_owned();
        }
        let values = self.values.iter().map(u16::to_string);
        values.chain(self.specials.iter().cloned()).collect::<Vec<_>>().join(",")
    }
}

/// A complaint: a sentence, and perhaps a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// What a field may hold.
#[derive(Clone, Copy)]
struct Rule {
    name: &'static str,
    low: u16,
    /// Highest value that may be written; for weekdays 7, which is Sunday like 0.
    high: u16,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const MINUTE: Rule = Rule { name: "minute", low: 0, high: 59, names: &[] };
const HOUR: Rule = Rule { name: "hour", low: 0, high: 23, names: &[] };
const DAY: Rule = Rule { name: "day of month", low: 1, high: 31, names: &[] };
const MONTH: Rule = Rule { name: "month", low: 1, high: 12, names: MONTHS };
const WEEKDAY: Rule = Rule { name: "day of week", low: 0, high: 7, names: WEEKDAYS };
const SECOND: Rule = Rule { name: "second", low: 0, high: 59, names: &[] };
const YEAR: Rule = Rule { name: "year", low: 1970, high: 2099, names: &[] };

/// Replaces `@daily` and its kin by what they stand for.
pub(super) fn preset(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@quarterly" => "0 0 1 */3 *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

/// Reads an expression of five fields; a sixth is seconds, a seventh (in Airflow's documents) years.
pub(super) fn read(text: &str, dialect: Dialect) -> Result<Fields, Complaint> {
    if text.len() > LONGEST {
        return Err(Complaint::new(format!("a cron expression may have at most {LONGEST} characters")));
    }
    let upper = preset(text.trim()).unwrap_or(text).to_uppercase();
    let parts: Vec<&str> = upper.split_whitespace().collect();
    let order = "minute, hour, day of month, month, day of week";
    let (minute, hour, day, month, weekday, second, year) = match (parts.as_slice(), dialect) {
        (&[minute, hour, day, month, weekday], _) => (minute, hour, day, month, weekday, "0", "*"),
        (&[minute, hour, day, month, weekday, second], _) => (minute, hour, day, month, weekday, second, "*"),
        (&[minute, hour, day, month, weekday, second, year], Dialect::Airflow) => {
            (minute, hour, day, month, weekday, second, year)
        }
        (&[_, _, _, _, _, _, _], Dialect::Flow) => {
            return Err(Complaint::new(format!("a cron expression has five fields ({order}), this one has 7"))
                .help("to end a schedule, give the DAG an `end_date`"));
        }
        (parts, _) => {
            let message = format!("a cron expression has five fields ({order}), `{}` has {}", clip(text), parts.len());
            return Err(Complaint::new(message).help("a sixth field, at the end, is seconds"));
        }
    };
    let is_strict = dialect == Dialect::Airflow;
    Ok(Fields {
        follows_clock: [minute, hour].iter().any(|field| field.contains(['*', '/'])),
        minute: MINUTE.read(minute, is_strict)?,
        hour: HOUR.read(hour, is_strict)?,
        day: DAY.read(day, is_strict)?,
        month: MONTH.read(month, is_strict)?,
        weekday: WEEKDAY.read(weekday, is_strict)?,
        second: SECOND.read(second, is_strict)?,
        year: YEAR.read(year, is_strict)?,
    })
}

impl Rule {
    fn is(self, other: Self) -> bool {
        self.name == other.name
    }

    /// The highest value there is, once 7 has become 0.
    fn last(self) -> u16 {
        if self.is(WEEKDAY) { 6 } else { self.high }
    }

    fn fold(self, value: u16) -> u16 {
        if self.is(WEEKDAY) { value % 7 } else { value }
    }

    fn read(self, text: &str, is_strict: bool) -> Result<Field, Complaint> {
        let mut field = Field::default();
        let items: Vec<&str> = text.split(',').collect();
        for item in &items {
            if item.is_empty() {
                return Err(Complaint::new(format!("{} has a comma too many in `{}`", self.name, clip(text))));
            }
            self.item(item, &mut field)?;
        }
        if is_strict {
            self.refuse_what_airflow_refuses(&items, &field)?;
        }
        if field.specials.contains("LW") && field.specials.contains("L") {
            return Err(Complaint::new("day of month may have `L` or `LW`, not both"));
        }
        let all = self.low..=self.last();
        let is_day = self.is(DAY) || self.is(WEEKDAY);
        if !is_day && field.specials.is_empty() && all.clone().all(|value| field.values.contains(&value)) {
            field.is_star = true;
        }
        if field.is_star {
            field.values.clear();
            field.specials.clear();
        }
        Ok(field)
    }

    /// Airflow's cron library knows less; a file that is Airflow's must mean there what it means here.
    fn refuse_what_airflow_refuses(self, items: &[&str], field: &Field) -> Result<(), Complaint> {
        let refuse = |what: &str| {
            Err(Complaint::new(format!("{} may not have {what} in Airflow's documents", self.name))
                .help("Flow's own documents allow it: leave out `$schema`"))
        };
        if self.is(DAY) && field.specials.contains("LW") {
            return refuse("`LW`");
        }
        if self.is(DAY) && items.len() > 1 && field.specials.iter().any(|special| special.ends_with('W')) {
            return refuse("`W` in a list");
        }
        if self.is(WEEKDAY) && !field.specials.is_empty() && !field.values.is_empty() {
            return refuse("plain days beside `#` or `L`");
        }
        if self.is(WEEKDAY) && items.iter().any(|item| item.len() > 1 && item.ends_with('L')) {
            return refuse("`5L`; write `L5`");
        }
        Ok(())
    }

    fn item(self, item: &str, field: &mut Field) -> Result<(), Complaint> {
        if item == "*" || (item == "?" && (self.is(DAY) || self.is(WEEKDAY))) {
            field.is_star = true;
            return Ok(());
        }
        if self.is(DAY) && item.contains(['L', 'W']) {
            field.specials.insert(self.special_day(item)?);
            return Ok(());
        }
        if self.is(WEEKDAY) && (item.contains('#') || (item.contains('L') && !item.contains(['-', '/']))) {
            field.specials.insert(self.special_weekday(item)?);
            return Ok(());
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step, item)?)),
            None => (item, None),
        };
        let every = step.unwrap_or(1);
        if range == "*" {
            if every == 1 {
                field.is_star = true;
            } else {
                field.step = step;
                // Airflow's library ends a step over the weekdays at 7, which is Sunday again.
                let values = (self.low..=self.high).step_by(every.into()).map(|value| self.fold(value));
                field.values.extend(values);
            }
            return Ok(());
        }
        match range.split_once('-') {
            Some((from, to)) => self.range(self.value(from, item)?, self.value(to, item)?, every, field),
            None => {
                let from = self.value(range, item)?;
                let to = if step.is_some() { self.last() } else { from };
                self.range(from, to.max(from), every, field)
            }
        }
    }

    /// Adds a range; one whose end comes before its start goes round: `22-2`, `FRI-MON`.
    fn range(self, from: u16, to: u16, every: u16, field: &mut Field) -> Result<(), Complaint> {
        if from <= to {
            field.values.extend((from..=to).step_by(every.into()).map(|value| self.fold(value)));
            return Ok(());
        }
        if self.is(YEAR) {
            return Err(Complaint::new(format!("year cannot go from {from} back to {to}")));
        }
        let size = self.last() - self.low + 1;
        let (from, to) = (self.fold(from) - self.low, self.fold(to) - self.low);
        let length = (to + size - from) % size;
        field.values.extend((0..=length).step_by(every.into()).map(|at| self.low + (from + at) % size));
        Ok(())
    }

    fn step(self, text: &str, item: &str) -> Result<u16, Complaint> {
        match digits(text) {
            Some(0) => Err(Complaint::new(format!("{} has the step 0 in `{}`", self.name, clip(item)))
                .help("a step is at least 1; `*` is every one")),
            Some(step) => Ok(step),
            None => Err(Complaint::new(format!("{} must have a number after `/`, not `{}`", self.name, clip(text)))),
        }
    }

    /// Reads a number or name.
    fn value(self, text: &str, item: &str) -> Result<u16, Complaint> {
        let by_name = || {
            let at = self.names.iter().position(|name| *name == text)?;
            Some(self.low + u16::try_from(at).ok()?)
        };
        let value = digits(text).or_else(by_name).filter(|value| (self.low..=self.high).contains(value));
        value.ok_or_else(|| {
            let inside = if text == item { String::new() } else { format!(" in `{}`", clip(item)) };
            Complaint::new(format!("{} must be {}, not `{}`{inside}", self.name, self.allowed(), clip(text)))
        })
    }

    /// Says which values there are.
    fn allowed(self) -> String {
        let numbers = format!("{} to {}", self.low, self.high);
        match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => {
                format!("{numbers} or {} to {}", first.to_lowercase(), last.to_lowercase())
            }
            _ => numbers,
        }
    }

    /// Reads `L`, `LW`, `15W` or `W15`.
    fn special_day(self, item: &str) -> Result<String, Complaint> {
        if item == "L" || item == "LW" {
            return Ok(item.to_owned());
        }
        let day = item.strip_suffix('W').or_else(|| item.strip_prefix('W'));
        match day.and_then(digits) {
            Some(day) if (1..=31).contains(&day) => Ok(format!("{day}W")),
            _ => Err(Complaint::new(format!("day of month must be 1 to 31, not `{}`", clip(item)))
                .help("`L` is the last day, `15W` the weekday nearest to the 15th, `LW` the last weekday")),
        }
    }

    /// Reads `5#2`, `FRI#2`, `L5` or `5L`.
    fn special_weekday(self, item: &str) -> Result<String, Complaint> {
        if let Some((day, nth)) = item.split_once('#') {
            let day = self.fold(self.value(day, item)?);
            return match digits(nth) {
                Some(nth @ 1..=5) => Ok(format!("{day}#{nth}")),
                _ => Err(Complaint::new(format!(
                    "day of week must have 1 to 5 after `#`, not `{}` in `{}`",
                    clip(nth),
                    clip(item)
                ))
                .help("`5#2` is the second Friday of the month")),
            };
        }
        match item.strip_prefix('L').or_else(|| item.strip_suffix('L')) {
            Some("") | None => Err(Complaint::new("day of week must say which day is last in the month")
                .help("`L5` is the last Friday of the month; `L` alone belongs into day of month")),
            Some(day) => Ok(format!("{}L", self.fold(self.value(day, item)?))),
        }
    }
}

/// Reads up to four decimal digits.
fn digits(text: &str) -> Option<u16> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}
