//! Schedules: at which moments do they ask for a run?
//!
//! A [`Timetable`] knows moments, not runs: which of them are due, given what has already run and how the DAG is
//! configured, is decided in [`crate::engine::create`]. The words users write are in docs/reference/schedules.md.

use serde::Serialize;

use crate::{dag::Dialect, run::DataInterval, time::Timestamp};

mod cron;
mod describe;
mod fields;
mod read;
pub(crate) mod series;
mod step;

pub use cron::Cron;
pub(crate) use series::Series;
pub use step::Step;

/// A checked schedule. Serializes to its meaning: the same for two ways of writing it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Timetable {
    /// Never by itself.
    Null,
    /// Once, as soon as possible.
    Once,
    /// Again as soon as the last run has ended.
    Continuous,
    /// At the moments of one or several cron expressions.
    CronTrigger {
        /// At least one. All in the same time zone.
        crons: Vec<Cron>,
        /// How much data a run covers, up to its moment.
        interval: Step,
        run_immediately: RunImmediately,
    },
    /// At the end of each interval between two moments of a cron expression.
    CronInterval { cron: Cron },
    /// Again and again, this far apart.
    DeltaTrigger {
        delta: Step,
        /// How much data a run covers, up to its moment.
        interval: Step,
    },
    /// At the end of each interval of this length.
    DeltaInterval { delta: Step },
    /// At these moments.
    Events {
        /// Sorted, without repeats.
        dates: Vec<Timestamp>,
        /// Runs by hand cover the latest event instead of the moment they are asked for.
        restrict_to_events: bool,
        description: Option<String>,
    },
    /// For each batch of messages in a topic of Kafka.
    Kafka(KafkaSchedule),
}

/// Which messages make runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KafkaSchedule {
    /// The connection.
    pub kafka_config_id: String,
    pub topic: String,
    /// DAGs with the same connection, topic and group get the same batches.
    pub group_id: String,
    /// Most messages in a batch.
    pub max_messages: u64,
    /// How long a batch that has a message waits for more, in milliseconds.
    pub max_wait: u64,
    /// Where the group begins when it has never read: with the first message that is there, else with the next.
    pub from_beginning: bool,
}

/// How the words for a schedule by Kafka begin, and no others.
pub const KAFKA_WORDS: &str = "for each batch of messages in Kafka";

/// Whether the moment before a DAG was first seen counts, when the DAG has no start date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunImmediately {
    /// No: the first run is at the next moment.
    #[default]
    No,
    /// Yes, however long ago it was.
    Yes,
    /// Yes, if it was not longer ago than this many seconds.
    Within(u64),
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

impl Moment {
    /// A run at `end` that covers `start` to `end`; Airflow dates it by the start.
    pub(crate) fn of(start: Timestamp, end: Timestamp) -> Self {
        Self { run_after: end, logical_date: start, data_interval: DataInterval { start, end } }
    }
}

impl Timetable {
    /// Reads the value of `schedule`. `timezone` is the DAG's, where the schedule names none.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(value: &serde_json::Value, timezone: &str, dialect: Dialect) -> Result<Self, ScheduleError> {
        read::read(value, timezone, dialect)
    }

    /// Returns the first moment whose run is due strictly after `after`.
    ///
    /// Schedules that hang on what has already run have no moments of their own: `None` for `@once` and
    /// `@continuous`; an interval counts from `after`.
    pub fn next_after(&self, after: Timestamp) -> Option<Moment> {
        let series = self.series(after)?;
        series.due_at_or_after(Timestamp::from_micros(after.as_micros() + 1))
    }

    /// Returns the last moment whose run is due strictly before `before`; an interval counts back from `before`.
    pub fn prev_before(&self, before: Timestamp) -> Option<Moment> {
        if let Self::DeltaTrigger { delta, .. } | Self::DeltaInterval { delta } = self {
            return self.series(delta.before(delta.before(before)))?.due_before(before);
        }
        self.series(before)?.due_before(before)
    }

    /// Lists the moments after `after`, without end where the schedule has none: take as many as you need.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Moment> + '_ {
        std::iter::successors(self.next_after(after), |moment| self.next_after(moment.run_after))
    }

    /// Returns the data interval of a run that somebody asks for at `at`.
    pub fn manual_interval(&self, at: Timestamp) -> DataInterval {
        let exact = DataInterval { start: at, end: at };
        match self {
            Self::Null | Self::Once | Self::Continuous | Self::Kafka(_) => exact,
            Self::CronTrigger { interval, .. } | Self::DeltaTrigger { interval, .. } => {
                DataInterval { start: interval.before(at), end: at }
            }
            Self::DeltaInterval { delta } => DataInterval { start: delta.before(at), end: at },
            Self::CronInterval { .. } => {
                let last = self.prev_before(Timestamp::from_micros(at.as_micros() + 1));
                last.map_or(exact, |moment| moment.data_interval)
            }
            Self::Events { dates, restrict_to_events, .. } => {
                let last = dates.partition_point(|date| *date <= at).saturating_sub(1);
                match dates.get(last) {
                    Some(date) if *restrict_to_events => DataInterval { start: *date, end: *date },
                    Some(_) | None => exact,
                }
            }
        }
    }

    /// Says the schedule in words, for lists: "at 03:00 every day, Europe/Berlin".
    pub fn describe(&self) -> String {
        describe::describe(self)
    }

    /// Returns the schedule as briefly as it can be written, as Airflow's `timetable_summary`; `None` = no schedule.
    pub fn summary(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Once => "@once".to_owned(),
            Self::Continuous => "@continuous".to_owned(),
            Self::CronTrigger { crons, .. } => crons.iter().map(Cron::text).collect::<Vec<_>>().join(", "),
            Self::CronInterval { cron } => cron.text().to_owned(),
            Self::DeltaTrigger { delta, .. } | Self::DeltaInterval { delta } => delta.to_string(),
            Self::Events { description: Some(description), .. } => description.clone(),
            Self::Events { dates, .. } => format!("{} events", dates.len()),
            Self::Kafka(kafka) => format!("Kafka: {}", kafka.topic),
        })
    }

    /// Returns the name of the class that it is in Airflow.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Null => "airflow.timetables.simple.NullTimetable",
            Self::Once => "airflow.timetables.simple.OnceTimetable",
            Self::Continuous => "airflow.timetables.simple.ContinuousTimetable",
            Self::CronTrigger { crons, .. } if crons.len() > 1 => {
                "airflow.timetables.trigger.MultipleCronTriggerTimetable"
            }
            Self::CronTrigger { .. } => "airflow.timetables.trigger.CronTriggerTimetable",
            Self::CronInterval { .. } => "airflow.timetables.interval.CronDataIntervalTimetable",
            Self::DeltaTrigger { .. } => "airflow.timetables.trigger.DeltaTriggerTimetable",
            Self::DeltaInterval { .. } => "airflow.timetables.interval.DeltaDataIntervalTimetable",
            Self::Events { .. } => "airflow.timetables.events.EventsTimetable",
            // What Airflow makes of a queue that is watched.
            Self::Kafka(_) => "airflow.timetables.simple.AssetTriggeredTimetable",
        }
    }

    /// Says whether it asks for runs again and again, so that a span of the past has some.
    pub fn is_periodic(&self) -> bool {
        !matches!(self, Self::Null | Self::Once | Self::Continuous | Self::Kafka(_))
    }

    /// Returns the moments, for schedules that have any. Intervals count from `anchor`.
    pub(crate) fn series(&self, anchor: Timestamp) -> Option<Series<'_>> {
        Series::of(self, anchor)
    }
}

#[cfg(test)]
mod tests;
