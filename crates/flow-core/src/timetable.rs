//! Schedules: at which moments do they ask for a run?
//!
//! To be written; the signatures stand.

use serde::Serialize;

use crate::{dag::Dialect, run::DataInterval, time::Timestamp};

/// A checked schedule. (Fields to come.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Timetable {
    /// Never by itself.
    Null,
}

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScheduleError {
    /// Where, from `schedule` down: keys, and indexes as decimal numbers.
    pub route: Vec<String>,
    pub message: String,
    pub help: Option<String>,
}

/// One moment of a timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub run_after: Timestamp,
    pub logical_date: Timestamp,
    pub data_interval: DataInterval,
}

impl Timetable {
    /// Reads the value of `schedule`.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(value: &serde_json::Value, timezone: &str, dialect: Dialect) -> Result<Self, ScheduleError> {
        let _ = (value, timezone, dialect);
        Ok(Self::Null)
    }

    /// Returns the first moment strictly after `after`, for a timetable that depends on nothing else.
    pub fn next_after(&self, after: Timestamp) -> Option<Moment> {
        let _ = after;
        None
    }

    /// Says the schedule in words, for lists: "at 03:00 every day, Europe/Berlin".
    pub fn describe(&self) -> String {
        String::new()
    }
}
