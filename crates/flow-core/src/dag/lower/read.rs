//! Typed readers: one value of a key, or a complaint that says what was expected and what is there.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use super::{Cx, Named};
use crate::{
    dag::{
        place::Place,
        yaml::{Entry, Node, Value},
    },
    state::UnknownWord,
    time::{self, Timestamp},
};

/// Names what was written, for "not …".
pub(super) fn describe(node: &Node) -> String {
    let short = |text: &str| {
        let line = text.lines().next().unwrap_or_default();
        let cut: String = line.chars().take(40).collect();
        if cut.len() < text.trim_end().len() { format!("`{cut}…`") } else { format!("`{cut}`") }
    };
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Whole(_) | Value::Float(_) => match &node.spelling {
            Some(spelling) => short(spelling),
            None => "a tagged value".to_owned(),
        },
        Value::Text(text) if text.is_empty() => "an empty text".to_owned(),
        Value::Text(text) | Value::Plain(text) => short(text),
        Value::Date(text) => format!("the date `{text}`"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

impl Cx<'_, '_, '_> {
    /// Complains that a key's value is not what it must be.
    pub(super) fn wrong(&mut self, entry: &Entry, expected: &str) {
        self.wrong_with(entry, expected, None);
    }

    pub(super) fn wrong_with(&mut self, entry: &Entry, expected: &str, help: Option<String>) {
        let message = format!("`{}` must be {expected}, not {}", entry.key, describe(&entry.value));
        self.error_with(entry.place(), message, help);
    }

    /// Reads text. In the Flow dialect a number is taken as it is spelled.
    pub(super) fn text(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text_of(&entry.value);
        if text.is_none() {
            let quotes =
                matches!(entry.value.value, Value::Bool(_) | Value::Whole(_) | Value::Float(_) | Value::Date(_));
            self.wrong_with(entry, "text", quotes.then(|| "put it in quotes".to_owned()));
        }
        text
    }

    pub(super) fn text_of(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Plain(text) => Some(text.clone()),
            Value::Whole(_) | Value::Float(_) if !self.is_airflow() => node.spelling.as_deref().map(str::to_owned),
            Value::Whole(_) | Value::Float(_) => None,
            Value::Date(_) | Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(super) fn boolean(&mut self, entry: &Entry) -> Option<bool> {
        if let Value::Bool(value) = entry.value.value {
            return Some(value);
        }
        let word = entry.value.text().unwrap_or_default().to_lowercase();
        let help = match word.as_str() {
            "yes" | "on" | "y" => Some("write `true`".to_owned()),
            "no" | "off" | "n" => Some("write `false`".to_owned()),
            _ => None,
        };
        self.wrong_with(entry, "`true` or `false`", help);
        None
    }

    /// Reads a whole number that is at least `least`.
    pub(super) fn whole(&mut self, entry: &Entry, least: u32) -> Option<u32> {
        let expected = match least {
            0 => "a whole number, 0 or more".to_owned(),
            _ => format!("a whole number, {least} or more"),
        };
        if self.is_airflow() && least == 0 && entry.value.whole().is_some_and(|number| number < 0) {
            // Airflow takes fewer than none, and means none.
            return Some(0);
        }
        let Some(number) = entry.value.whole().filter(|number| *number >= i64::from(least)) else {
            self.wrong(entry, &expected);
            return None;
        };
        let number = u32::try_from(number).ok();
        if number.is_none() {
            self.wrong(entry, "a whole number below 2^32");
        }
        number
    }

    /// Reads any whole number.
    pub(super) fn integer(&mut self, entry: &Entry) -> Option<i64> {
        let number = entry.value.whole();
        if number.is_none() {
            self.wrong(entry, "a whole number");
        }
        number
    }

    /// Reads one of a closed list of words.
    pub(super) fn word<T: FromStr<Err = UnknownWord>>(&mut self, entry: &Entry) -> Option<T> {
        let text = self.text(entry)?;
        match text.parse() {
            Ok(word) => Some(word),
            Err(unknown) => {
                let help = self.meant_or_known(&text, unknown.known, 20);
                self.error_with(entry.place(), format!("`{}` cannot be `{text}`", entry.key), help);
                None
            }
        }
    }

    /// Reads a duration. `plain_number`: the Airflow dialect takes a number of seconds here.
    pub(super) fn duration(&mut self, entry: &Entry, plain_number: bool) -> Option<Duration> {
        const EXPECTED: &str = "a duration such as `5m`, `1h30m` or `PT5M`";
        let seconds =
            |number: f64| Duration::try_from_secs_f64(number).ok().filter(|span| span.as_secs() < MAX_SECONDS);
        let numbers_fit = plain_number || !self.is_airflow();
        let read = match &entry.value.value {
            Value::Whole(number) if numbers_fit => u64::try_from(*number).ok().map(Duration::from_secs),
            Value::Float(number) if numbers_fit => seconds(*number),
            Value::Text(text) if self.is_airflow() => airflow_duration(text),
            Value::Text(text) => match time::parse_duration(text) {
                Ok(span) => Some(span),
                Err(why) => {
                    self.error(entry.place(), format!("`{}` {why}", entry.key));
                    return None;
                }
            },
            Value::Null | Value::Bool(_) | Value::Whole(_) | Value::Float(_) => None,
            Value::Date(_) | Value::Plain(_) | Value::List(_) | Value::Map(_) => None,
        };
        match read.filter(|span| span.as_secs() < MAX_SECONDS) {
            Some(span) => Some(span),
            None => {
                let help = (!numbers_fit && matches!(entry.value.value, Value::Whole(_) | Value::Float(_)))
                    .then(|| "in the Airflow dialect a plain number is no duration here; write `90s`".to_owned());
                self.wrong_with(entry, EXPECTED, help);
                None
            }
        }
    }

    /// Reads a moment; without an offset it is in the DAG's zone.
    pub(super) fn moment(&mut self, entry: &Entry) -> Option<Timestamp> {
        const EXPECTED: &str = "a date or time such as `2026-01-01` or `2026-01-01T06:00:00+01:00`";
        let Some(text) = entry.value.text_or_date() else {
            self.wrong(entry, EXPECTED);
            return None;
        };
        let zone = if time::is_zone(&self.zone) { self.zone.as_str() } else { "UTC" };
        match time::parse_time(text, zone) {
            Ok(moment) => Some(moment),
            Err(why) => {
                self.error(entry.place(), format!("`{}` {why}", entry.key));
                None
            }
        }
    }

    /// Reads a list of texts, with the place of each.
    pub(super) fn names(&mut self, entry: &Entry) -> Option<Vec<Named>> {
        let Some(items) = entry.value.list() else {
            let help = entry.value.text().map(|text| format!("write `[{text}]`"));
            self.wrong_with(entry, "a list of texts", help);
            return None;
        };
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            match self.text_of(item) {
                Some(name) => names.push(Named { name, place: item.place.or(entry.key_place) }),
                None => {
                    let message = format!("`{}` must be a list of texts, and this is {}", entry.key, describe(item));
                    self.error(item.place.or(entry.key_place), message);
                }
            }
        }
        Some(names)
    }

    /// Reads `needs`. A name that is repeated counts once.
    pub(super) fn needs(&mut self, entry: &Entry) -> Vec<Named> {
        let mut names = self.names(entry).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut repeated = None;
        names.retain(|named| {
            let is_new = seen.insert(named.name.clone());
            if !is_new && repeated.is_none() {
                repeated = Some(named.clone());
            }
            is_new
        });
        if let Some(Named { name, place }) = repeated {
            self.complaints.warning(place, format!("`{name}` is named twice in `{}`", entry.key), None);
        }
        names
    }

    /// Reads a map; an empty value is an empty map.
    pub(super) fn map<'n>(&mut self, entry: &'n Entry) -> Option<&'n [Entry]> {
        if entry.value.is_null() && !self.is_airflow() {
            return Some(&[]);
        }
        let entries = entry.value.map();
        if entries.is_none() {
            self.wrong(entry, "a map");
        }
        entries
    }

    /// Turns any value into JSON; complains about numbers that JSON does not have.
    pub(super) fn json(&mut self, node: &Node) -> serde_json::Value {
        let mut strange = Vec::new();
        let value = to_json(node, &mut strange);
        for place in strange {
            self.error(place, "infinity and not-a-number cannot be used here");
        }
        value
    }
}

/// Longer spans are typing mistakes, and sums with them would overflow.
const MAX_SECONDS: u64 = 1_000 * 366 * 86_400;

/// Turns a value into JSON; `strange` gets the places of numbers that JSON does not have.
pub(super) fn to_json(node: &Node, strange: &mut Vec<Place>) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Whole(number) => (*number).into(),
        Value::Float(number) => serde_json::Number::from_f64(*number).map_or_else(
            || {
                strange.push(node.place);
                serde_json::Value::Null
            },
            serde_json::Value::Number,
        ),
        Value::Text(text) | Value::Date(text) | Value::Plain(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(|item| to_json(item, strange)).collect(),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value, strange)));
            serde_json::Value::Object(pairs.collect())
        }
    }
}

/// Reads a duration as Airflow's documents write it: `1h30m`, whole numbers, units in order; or ISO 8601 in
/// whole numbers, without years and months.
pub(super) fn airflow_duration(text: &str) -> Option<Duration> {
    match text.strip_prefix('P') {
        None => units(text, &[('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)]),
        Some(iso) => {
            let (date, time) = match iso.split_once('T') {
                Some((date, time)) if !time.is_empty() => (date, Some(time)),
                Some(_) => return None,
                None => (iso, None),
            };
            let days =
                if date.is_empty() { Some(Duration::ZERO) } else { units(date, &[('W', 604_800), ('D', 86_400)]) };
            let clock = time.map_or_else(
                || (!date.is_empty()).then_some(Duration::ZERO),
                |time| units(time, &[('H', 3_600), ('M', 60), ('S', 1)]),
            );
            days?.checked_add(clock?)
        }
    }
}

fn units(text: &str, known: &[(char, u64)]) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut next = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let unit = rest[digits..].chars().next()?;
        let found = known.iter().skip(next).position(|(name, _)| *name == unit)? + next;
        let amount: u64 = rest[..digits].parse().ok()?;
        total = total.checked_add(amount.checked_mul(known[found].1)?)?;
        next = found + 1;
        rest = &rest[digits + unit.len_utf8()..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airflow_durations_have_whole_numbers_and_units_in_order() {
        for (text, seconds) in [
            ("5m", 300),
            ("1h30m", 5400),
            ("1w2d", 777_600),
            ("PT5M", 300),
            ("P1DT6H", 108_000),
            ("P1W", 604_800),
            ("0s", 0),
        ] {
            assert_eq!(airflow_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["90", "1.5h", "30m1h", "5M", "P1M", "P1Y", "PT", "P", "", "PT1.5S", "m", "5 m", "99999999999999999999s"]
        {
            assert_eq!(airflow_duration(text), None, "{text}");
        }
    }
}
