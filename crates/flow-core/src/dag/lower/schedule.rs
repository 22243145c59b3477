//! `schedule`: hands the value to the timetables, and a complaint back to its place.

use super::{Cx, with::place_of};
use crate::{dag::yaml::Entry, timetable::Timetable};

impl Cx<'_, '_, '_> {
    /// Reads the schedule.
    pub(super) fn schedule(&mut self, entry: &Entry) -> Option<Timetable> {
        if self.refuse_markers(&entry.value) {
            return None;
        }
        if self.is_airflow() {
            let fits = entry.value.is_null() || entry.value.text().is_some() || entry.value.get("uses").is_some();
            if !fits {
                let help = "remove `$schema` to write in the Flow dialect".to_owned();
                self.wrong_with(entry, "a cron text, `null` or `{uses: …, with: …}`", Some(help));
                return None;
            }
        } else if self.is_for_later(entry) {
            return None;
        }
        let before = self.complaints.errors();
        let value = self.json(&entry.value);
        if self.complaints.errors() > before {
            return None;
        }
        match Timetable::parse(&value, &self.zone, self.dialect) {
            Ok(timetable) => Some(timetable),
            Err(error) => {
                let route: Vec<&str> =
                    std::iter::once("schedule").chain(error.route.iter().map(String::as_str)).collect();
                let place = place_of(&[entry], &route, false).unwrap_or_else(|| entry.place());
                self.error_with(place, error.message, error.help);
                None
            }
        }
    }

    /// Refuses schedules that are not built: assets.
    fn is_for_later(&mut self, entry: &Entry) -> bool {
        let mut found = false;
        for part in entry.value.entries() {
            if !matches!(part.key.as_str(), "assets" | "any" | "all") {
                continue;
            }
            found = true;
            if part.value.list().is_some() {
                let message =
                    format!("`{}` cannot be used: this version of Flow does not have schedules on assets", part.key);
                self.error(part.key_place, message);
            } else {
                self.wrong(part, "a list");
            }
        }
        found
    }
}
