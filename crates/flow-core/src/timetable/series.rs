//! The moments of a schedule as one ordered series, whatever they are made of.
//!
//! Knows ticks (cron occurrences, steps from an anchor, listed dates) and how a run hangs on them: at the tick
//! (trigger timetables), or at the end of the interval between two ticks.

use super::{Cron, Moment, Step, Timetable};
use crate::time::Timestamp;

/// The moments of one schedule.
#[derive(Clone, Debug)]
pub(crate) struct Series<'a> {
    ticks: Ticks<'a>,
    pub(crate) hang: Hang,
}

#[derive(Clone, Debug)]
enum Ticks<'a> {
    Crons(&'a [Cron]),
    Grid { anchor: Timestamp, step: Step },
    Dates(&'a [Timestamp]),
}

/// How runs hang on ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hang {
    /// A run at each tick, covering this much before it.
    AtTick { interval: Step },
    /// A run at the end of each interval between ticks.
    AtEnd,
}

impl<'a> Series<'a> {
    pub(super) fn of(timetable: &'a Timetable, anchor: Timestamp) -> Option<Self> {
        let (ticks, hang) = match timetable {
            Timetable::Null | Timetable::Once | Timetable::Continuous | Timetable::Kafka(_) => return None,
            Timetable::CronTrigger { crons, interval, .. } => {
                (Ticks::Crons(crons), Hang::AtTick { interval: *interval })
            }
            Timetable::CronInterval { cron } => (Ticks::Crons(std::slice::from_ref(cron)), Hang::AtEnd),
            Timetable::DeltaTrigger { delta, interval } => {
                (Ticks::Grid { anchor, step: *delta }, Hang::AtTick { interval: *interval })
            }
            Timetable::DeltaInterval { delta } => (Ticks::Grid { anchor, step: *delta }, Hang::AtEnd),
            Timetable::Events { dates, .. } => (Ticks::Dates(dates), Hang::AtTick { interval: Step::default() }),
        };
        Some(Self { ticks, hang })
    }

    /// Returns the first moment whose run is due at or after `from`.
    pub(crate) fn due_at_or_after(&self, from: Timestamp) -> Option<Moment> {
        match self.hang {
            Hang::AtTick { interval } => {
                let tick = self.tick_at_or_after(from)?;
                Some(Moment::of(interval.before(tick), tick))
            }
            Hang::AtEnd => {
                let end = self.tick_at_or_after(from)?;
                match self.tick_before(end) {
                    Some(start) => Some(Moment::of(start, end)),
                    // The grid starts here: its first interval ends one tick later.
                    None => Some(Moment::of(end, self.tick_after(end)?)),
                }
            }
        }
    }

    /// Returns the last moment whose run is due before `to`.
    pub(crate) fn due_before(&self, to: Timestamp) -> Option<Moment> {
        let tick = self.tick_before(to)?;
        Some(match self.hang {
            Hang::AtTick { interval } => Moment::of(interval.before(tick), tick),
            Hang::AtEnd => Moment::of(self.tick_before(tick)?, tick),
        })
    }

    /// Returns the first moment that counts as at or after `from`: the tick of a trigger, the start of an interval.
    pub(crate) fn starting_at_or_after(&self, from: Timestamp) -> Option<Moment> {
        let tick = self.tick_at_or_after(from)?;
        Some(match self.hang {
            Hang::AtTick { interval } => Moment::of(interval.before(tick), tick),
            Hang::AtEnd => Moment::of(tick, self.tick_after(tick)?),
        })
    }

    fn tick_before(&self, to: Timestamp) -> Option<Timestamp> {
        match &self.ticks {
            Ticks::Crons(crons) => crons.iter().filter_map(|cron| cron.prev_before(to)).max(),
            Ticks::Grid { anchor, step } => step.at_or_before(*anchor, Timestamp::from_micros(to.as_micros() - 1)),
            Ticks::Dates(dates) => {
                let at = dates.partition_point(|date| *date < to);
                at.checked_sub(1).and_then(|at| dates.get(at)).copied()
            }
        }
    }

    fn tick_at_or_after(&self, from: Timestamp) -> Option<Timestamp> {
        match &self.ticks {
            Ticks::Crons(crons) => {
                let before = Timestamp::from_micros(from.as_micros() - 1);
                crons.iter().filter_map(|cron| cron.next_after(before)).min()
            }
            Ticks::Grid { anchor, step } => step.at_or_after(*anchor, from),
            Ticks::Dates(dates) => dates.get(dates.partition_point(|date| *date < from)).copied(),
        }
    }

    fn tick_after(&self, tick: Timestamp) -> Option<Timestamp> {
        self.tick_at_or_after(Timestamp::from_micros(tick.as_micros() + 1))
    }
}
