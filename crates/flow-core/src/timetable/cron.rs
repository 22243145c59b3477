//! A cron expression in a time zone: its occurrences, forward and backward.
//!
//! `croner` searches on plain wall-clock time only; between two changes of the clocks the offset is constant, and
//! this file walks from one such stretch to the next. What happens at the changes is stated here and nowhere else:
//!
//! - A job at a fixed time of day runs once on each local day. A time that the clocks jump over runs at the first
//!   instant after the jump; a time that they pass twice runs the first time only.
//! - A job with `*` or a step in minute or hour follows the clock: nothing in the gap, both passes.
//!
//! Searching backward is searching forward from earlier and earlier, so both directions agree by construction.

use std::{fmt, sync::Arc};

use croner::{CronComponent, parser};
use jiff::{
    civil,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::fields::{self, Complaint, Field, Fields};
use crate::{
    dag::Dialect,
    time::{Timestamp, clip, zone},
};

/// The last year that is searched. Later than any run; early enough that looking for a day that never comes ends
/// soon, and late enough that each day that does come (29 February, a fifth Monday in it) has come since 1970.
const LAST_YEAR: u16 = 2299;

/// Clocks change at most a few times a year, so a search that has seen this many changes is going nowhere.
const MOST_CHANGES: usize = 4096;

/// A cron expression in a time zone. Cheap to clone.
#[derive(Clone)]
pub struct Cron(Arc<Inner>);

struct Inner {
    /// As it was written, without needless white space.
    text: String,
    /// The same for all ways of writing the same schedule.
    canonical: String,
    zone_name: String,
    zone: TimeZone,
    fields: Fields,
    search: croner::Cron,
    /// There is no such day; looking for it each time would take long.
    never_fires: bool,
}

impl Cron {
    /// Reads an expression or preset.
    pub(super) fn read(text: &str, zone_name: &str, dialect: Dialect) -> Result<Self, Complaint> {
        let zone =
            zone(zone_name).ok_or_else(|| Complaint::new(format!("`{}` is not a known time zone", clip(zone_name))))?;
        let fields = fields::read(text, dialect)?;
        let Fields { minute, hour, day, month, weekday, second, year, .. } = &fields;
        let canonical = [minute, hour, day, month, weekday, second, year].map(Field::canonical).join(" ");
        let search = search(&fields)
            .map_err(|error| Complaint::new(format!("`{}` is not a cron expression: {error}", clip(text))))?;
        let never_fires = search.find_next_occurrence(&civil::date(1970, 1, 1).at(0, 0, 0, 0), true).is_err();
        // Airflow takes an expression that never fires; such a DAG is idle there, and here.
        if never_fires && dialect == Dialect::Flow {
            return Err(Complaint::new(format!("`{}` never fires: there is no such day", clip(text))));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let zone_name = zone_name.to_owned();
        Ok(Self(Arc::new(Inner { text, canonical, zone_name, zone, fields, search, never_fires })))
    }

    /// Returns the expression as it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the time zone's name.
    pub fn zone_name(&self) -> &str {
        &self.0.zone_name
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.0.fields
    }

    /// Returns the other crate's words for it.
    pub(super) fn long_description(&self) -> String {
        self.0.search.describe()
    }

    /// Returns the first occurrence strictly after a moment.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let second = moment.as_micros().div_euclid(1_000_000);
        self.next_second(second).and_then(of_second)
    }

    /// Returns the last occurrence strictly before a moment.
    pub fn prev_before(&self, moment: Timestamp) -> Option<Timestamp> {
        // An occurrence in this very second is before a moment within the second.
        let end = moment.as_micros().div_euclid(1_000_000) + i64::from(moment.as_micros().rem_euclid(1_000_000) > 0);
        let first = Timestamp::MIN.as_micros() / 1_000_000;
        let (mut found, mut window) = (None, 64);
        while found.is_none() {
            let start = end.saturating_sub(window).max(first);
            found = self.next_second(start).filter(|next| *next < end);
            if found.is_none() && start == first {
                return None;
            }
            window *= 8;
        }
        // Nothing lies in [until, end); halve [found, until) while it may hold something later.
        let (mut found, mut until) = (found?, end);
        while found + 1 < until {
            let middle = found + (until - found) / 2;
            match self.next_second(middle - 1).filter(|next| *next < until) {
                Some(later) => found = later,
                None => until = middle,
            }
        }
        of_second(found)
    }

    /// [`Self::next_after`] in whole seconds.
    fn next_second(&self, after: i64) -> Option<i64> {
        let mut from = jiff::Timestamp::from_second(after).ok()?;
        let mut includes_from = false;
        for _ in 0..MOST_CHANGES {
            let offset = self.0.zone.to_offset(from);
            let local = self.search(offset.to_datetime(from), includes_from)?;
            let candidate = offset.to_timestamp(local).ok()?;
            let change = self.0.zone.following(from).next();
            let Some(change) = change.filter(|change| change.timestamp() <= candidate) else {
                if self.0.fields.follows_clock {
                    return Some(candidate.as_second());
                }
                let Some(end) = self.end_of_second_pass(local, offset) else {
                    return Some(candidate.as_second());
                };
                (from, includes_from) = (end, true);
                continue;
            };
            let lands_at = change.offset().to_datetime(change.timestamp());
            let is_in_gap = offset < change.offset() && local < lands_at;
            if is_in_gap && !self.0.fields.follows_clock {
                return Some(change.timestamp().as_second());
            }
            (from, includes_from) = (change.timestamp(), true);
        }
        None
    }

    /// If a local time at this offset is the second passing of that time, returns when the repeated stretch ends.
    fn end_of_second_pass(&self, local: civil::DateTime, offset: Offset) -> Option<jiff::Timestamp> {
        match self.0.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { before, after } if offset == after => {
                let at = offset.to_timestamp(local).ok()?;
                // The change was at most a day ago; its repeated stretch is as long as the clocks were put back.
                let change = self.0.zone.preceding(jiff::Timestamp::from_second(at.as_second() + 1).ok()?).next()?;
                let length = i64::from(before.seconds()) - i64::from(after.seconds());
                let end = jiff::Timestamp::from_second(change.timestamp().as_second() + length).ok()?;
                (end > at).then_some(end)
            }
            AmbiguousOffset::Fold { .. } | AmbiguousOffset::Gap { .. } | AmbiguousOffset::Unambiguous { .. } => None,
        }
    }

    fn search(&self, from: civil::DateTime, inclusive: bool) -> Option<civil::DateTime> {
        if self.0.never_fires {
            return None;
        }
        // An error is the end of the years that are searched.
        self.0.search.find_next_occurrence(&from, inclusive).ok()
    }
}

/// Makes the searching crate's form, from text that it reads in one way only.
fn search(fields: &Fields) -> Result<croner::Cron, croner::errors::CronError> {
    let Fields { minute, hour, day, month, weekday, second, year, .. } = fields;
    let text = [second, minute, hour, day, month, weekday, year].map(Field::canonical).join(" ");
    let parser = parser::CronParser::builder().seconds(parser::Seconds::Required).year(parser::Year::Required);
    let mut cron = parser.build().parse(&text)?;
    if year.is_star {
        // Its own list of years goes to 5000, twice the memory and the time.
        let mut years = CronComponent::new(1, LAST_YEAR, 0, 0);
        years.parse("*")?;
        cron.pattern.years = years;
    }
    Ok(cron)
}

fn of_second(second: i64) -> Option<Timestamp> {
    second.checked_mul(1_000_000).map(Timestamp::from_micros)
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?} in {})", self.0.canonical, self.0.zone_name)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        (&self.0.canonical, &self.0.zone_name, self.0.fields.follows_clock)
            == (&other.0.canonical, &other.0.zone_name, other.0.fields.follows_clock)
    }
}

impl Eq for Cron {}

impl Serialize for Cron {
    /// The meaning: two ways of writing the same schedule are the same.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Cron", 3)?;
        out.serialize_field("cron", &self.0.canonical)?;
        out.serialize_field("timezone", &self.0.zone_name)?;
        out.serialize_field("follows_clock", &self.0.fields.follows_clock)?;
        out.end()
    }
}
