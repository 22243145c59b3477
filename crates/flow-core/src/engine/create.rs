//! `due_runs`: which runs does the timetable ask for, given what has run and how the DAG is configured?
//!
//! The answer depends on facts only: asked twice, or by two schedulers, it is the same, and a run that exists is
//! never asked for again. That is why a schedule without a start date counts from when the DAG was first seen
//! (`enabled_at`), not from the time of asking, and why nothing at or before the last run is ever due, whatever
//! the clock says.

use std::time::Duration;

use super::{NewRun, NewRuns, RunHistory};
use crate::{
    dag::{Dag, OverlapPolicy},
    id::RunId,
    state::RunType,
    time::Timestamp,
    timetable::{Moment, RunImmediately, Series, Timetable, series::Hang},
};

/// Most runs made in one go; the rest follows at once, in further goes, so that no transaction grows without bound.
const MOST_AT_ONCE: usize = 100;

/// Moments whose logical date has been used, after a schedule's data interval was changed; each is a step to skip.
const MOST_USED_DATES: usize = 10_000;

/// Says which runs are due, and when to ask again.
pub fn due_runs(dag: &Dag, history: &RunHistory, now: Timestamp) -> NewRuns {
    match &dag.timetable {
        // Messages make runs where they are read.
        Timetable::Null | Timetable::Kafka(_) => NewRuns::default(),
        Timetable::Once => single(dag, history, now, once(dag, history, now)),
        Timetable::Continuous => continuous(dag, history, now),
        Timetable::CronTrigger { .. }
        | Timetable::CronInterval { .. }
        | Timetable::DeltaTrigger { .. }
        | Timetable::DeltaInterval { .. }
        | Timetable::Events { .. } => match Plan::new(dag, history, now) {
            Some(plan) => periodic(dag, history, now, &plan),
            None => NewRuns::default(),
        },
    }
}

/// Lists the runs that the timetable plans, oldest first: those that are due already (all of them with catchup, else
/// the newest), then those to come, without end where the schedule has none: take as many as you need. Limits and
/// overlaps are not looked at. For "what would unpausing do" and "what comes next".
pub fn planned_runs<'a>(dag: &'a Dag, history: &RunHistory, now: Timestamp) -> impl Iterator<Item = NewRun> + use<'a> {
    let (single, plan) = match &dag.timetable {
        Timetable::Null | Timetable::Kafka(_) => (None, None),
        Timetable::Once => (once(dag, history, now), None),
        Timetable::Continuous if history.active > 0 => (None, None),
        Timetable::Continuous => (again(dag, history, now), None),
        Timetable::CronTrigger { .. }
        | Timetable::CronInterval { .. }
        | Timetable::DeltaTrigger { .. }
        | Timetable::DeltaInterval { .. }
        | Timetable::Events { .. } => (None, Plan::new(dag, history, now)),
    };
    let first = plan.as_ref().and_then(|plan| match plan.newest_only {
        true => plan.newest(now).or_else(|| plan.after(now)),
        false => plan.first(),
    });
    let next = move |moment: &Moment| plan.as_ref().and_then(|plan| plan.after(moment.run_after));
    std::iter::successors(single.or(first), next).map(new_run)
}

/// Runs at the moments of a series.
fn periodic(dag: &Dag, history: &RunHistory, now: Timestamp, plan: &Plan<'_>) -> NewRuns {
    if plan.newest_only {
        let due = plan.newest(now).filter(|due| !is_passed_over(dag, history, due));
        let next = plan.after(now);
        let next = || next.map(new_run);
        let Some(due) = due else { return NewRuns { next: next(), ..NewRuns::default() } };
        return match dag.overlap_policy {
            OverlapPolicy::Skip if history.active > 0 => NewRuns { next: next(), ..NewRuns::default() },
            OverlapPolicy::CancelRunning if history.active > 0 => {
                NewRuns { is_blocked: true, cancel_active: true, ..NewRuns::default() }
            }
            OverlapPolicy::Queue | OverlapPolicy::Skip | OverlapPolicy::CancelRunning if room(dag, history) == 0 => {
                NewRuns { is_blocked: true, ..NewRuns::default() }
            }
            OverlapPolicy::Queue | OverlapPolicy::Skip | OverlapPolicy::CancelRunning => {
                NewRuns { runs: vec![new_run(due)], next: next(), ..NewRuns::default() }
            }
        };
    }
    let room = room(dag, history);
    let mut runs = Vec::new();
    let mut coming = plan.first();
    while let Some(moment) = coming.filter(|moment| moment.run_after <= now) {
        if runs.len() == room {
            return NewRuns { runs, is_blocked: true, ..NewRuns::default() };
        }
        if runs.len() == MOST_AT_ONCE {
            break;
        }
        runs.push(new_run(moment));
        coming = plan.after(moment.run_after);
    }
    NewRuns { runs, next: coming.map(new_run), ..NewRuns::default() }
}

/// With `skip`, a moment that came while a run was active is gone for good; also when it was not the timetable's.
fn is_passed_over(dag: &Dag, history: &RunHistory, due: &Moment) -> bool {
    dag.overlap_policy == OverlapPolicy::Skip && history.busy_until.is_some_and(|end| due.run_after < end)
}

fn room(dag: &Dag, history: &RunHistory) -> usize {
    let limit = if dag.timetable == Timetable::Continuous { dag.max_active_runs.min(1) } else { dag.max_active_runs };
    usize::try_from(limit.saturating_sub(history.active)).unwrap_or(usize::MAX)
}

/// A schedule that plans one run at a time.
fn single(dag: &Dag, history: &RunHistory, now: Timestamp, moment: Option<Moment>) -> NewRuns {
    match moment {
        None => NewRuns::default(),
        Some(moment) if moment.run_after > now => NewRuns { next: Some(new_run(moment)), ..NewRuns::default() },
        Some(_) if room(dag, history) == 0 => NewRuns { is_blocked: true, ..NewRuns::default() },
        Some(moment) => NewRuns { runs: vec![new_run(moment)], ..NewRuns::default() },
    }
}

/// `@once`: at the start date, or when the DAG was first seen.
fn once(dag: &Dag, history: &RunHistory, now: Timestamp) -> Option<Moment> {
    let at = start_date(dag).unwrap_or_else(|| seen_at(history, now));
    (history.last.is_none() && end_date(dag).is_none_or(|end| at <= end)).then(|| Moment::of(at, at))
}

fn continuous(dag: &Dag, history: &RunHistory, now: Timestamp) -> NewRuns {
    if history.active > 0 {
        return NewRuns { is_blocked: true, ..NewRuns::default() };
    }
    single(dag, history, now, again(dag, history, now))
}

/// `@continuous`: when the last run has ended, covering the time since its own interval's end.
fn again(dag: &Dag, history: &RunHistory, now: Timestamp) -> Option<Moment> {
    let start_date = start_date(dag);
    let moment = match history.last {
        None => {
            let seen_at = seen_at(history, now);
            let start = start_date.unwrap_or(seen_at);
            Moment::of(start, start.max(seen_at))
        }
        Some(last) => {
            let after_last = Timestamp::from_micros(last.run_after.max(last.logical_date).as_micros() + 1);
            let start = start_date.map_or(last.data_interval.end, |date| date.max(last.data_interval.end));
            let end = last.ended_at.unwrap_or(now).max(start).max(after_last);
            let moment = Moment::of(start, end);
            // The first run of a DAG without start date covers no time, and the next would have its date.
            if start > last.logical_date { moment } else { Moment { logical_date: end, ..moment } }
        }
    };
    end_date(dag).is_none_or(|end| moment.run_after <= end).then_some(moment)
}

/// The moments of a series that may become runs.
#[derive(Debug)]
struct Plan<'a> {
    series: Series<'a>,
    /// No moment is due before this.
    due_from: Timestamp,
    /// No tick (for data intervals: no start) lies before this.
    tick_from: Timestamp,
    /// No logical date is at or before this: it has been used.
    used: Option<Timestamp>,
    /// No tick lies after this.
    until: Option<Timestamp>,
    /// Of what was missed only the newest counts.
    newest_only: bool,
    /// Moments before this one were not missed: the DAG was not there.
    missed_from: Timestamp,
}

impl<'a> Plan<'a> {
    fn new(dag: &'a Dag, history: &RunHistory, now: Timestamp) -> Option<Self> {
        // Skipping and cancelling are about one run at a time; to work off a backlog beside that makes no sense.
        let newest_only = !dag.catchup || dag.overlap_policy != OverlapPolicy::Queue;
        let seen_at = seen_at(history, now);
        let start_date = start_date(dag);
        let series = dag.timetable.series(anchor(dag, history, now, newest_only))?;
        let mut due_from = match (history.last, start_date) {
            (Some(last), _) => just_after(last.run_after),
            (None, None) => first_due(dag, history, &series, seen_at),
            // Listed moments of the past are no standing order: without catchup they stay in the past.
            (None, Some(_)) if newest_only && matches!(dag.timetable, Timetable::Events { .. }) => seen_at,
            (None, Some(_)) => Timestamp::MIN,
        };
        if let (false, Some(window)) = (newest_only, dag.catchup_window) {
            due_from = due_from.max(now - window);
        }
        Some(Self {
            series,
            due_from,
            tick_from: start_date.unwrap_or(Timestamp::MIN),
            used: history.last.map(|last| last.logical_date),
            until: end_date(dag),
            newest_only,
            missed_from: if history.last.is_some() { Timestamp::MIN } else { seen_at },
        })
    }

    /// Returns the first moment of all.
    fn first(&self) -> Option<Moment> {
        self.from(self.due_from)
    }

    /// Returns the first moment that is due after `then`.
    fn after(&self, then: Timestamp) -> Option<Moment> {
        self.from(just_after(then).max(self.due_from))
    }

    fn from(&self, due_from: Timestamp) -> Option<Moment> {
        let by_due = self.series.due_at_or_after(due_from)?;
        let by_tick = self.series.starting_at_or_after(self.tick_from)?;
        let mut moment = if by_tick.run_after > by_due.run_after { by_tick } else { by_due };
        for _ in 0..MOST_USED_DATES {
            if self.used.is_none_or(|used| moment.logical_date > used) {
                return self.is_before_the_end(&moment).then_some(moment);
            }
            moment = self.series.due_at_or_after(just_after(moment.run_after))?;
        }
        None
    }

    /// Returns the newest moment that is due.
    fn newest(&self, now: Timestamp) -> Option<Moment> {
        let mut moment = self.series.due_before(just_after(now))?;
        if !self.is_before_the_end(&moment) {
            // The end came between the last moments and now; those before it count if they were really missed.
            let end = self.until?;
            moment = self.series.due_before(just_after(end))?;
            if moment.run_after < self.missed_from {
                return None;
            }
        }
        let is_new = self.used.is_none_or(|used| moment.logical_date > used);
        (is_new && moment.run_after >= self.due_from && self.tick(&moment) >= self.tick_from).then_some(moment)
    }

    /// What start and end dates are compared with.
    fn tick(&self, moment: &Moment) -> Timestamp {
        match self.series.hang {
            Hang::AtTick { .. } => moment.run_after,
            Hang::AtEnd => moment.data_interval.start,
        }
    }

    fn is_before_the_end(&self, moment: &Moment) -> bool {
        self.until.is_none_or(|end| self.tick(moment) <= end)
    }
}

/// Where the grid of an interval starts.
fn anchor(dag: &Dag, history: &RunHistory, now: Timestamp, newest_only: bool) -> Timestamp {
    let seen_at = seen_at(history, now);
    let start_date = start_date(dag);
    // An interval goes on where the last run's ended, unless the start date has moved beyond that.
    let begins = start_date.max(history.last.map(|last| last.data_interval.end));
    match (&dag.timetable, begins) {
        // Airflow: without catchup, data intervals lie on a grid from 1970, once a whole one is over.
        (Timetable::DeltaInterval { delta }, _) if newest_only && delta.has_fixed_length() => {
            let grid = Timestamp::default();
            match (delta.at_or_before(grid, seen_at.max(now)).map(|end| delta.before(end)), begins) {
                (Some(newest), Some(begins)) if begins > newest => begins,
                (None, begins) => begins.unwrap_or(seen_at),
                (Some(_), _) => grid,
            }
        }
        // A trigger without catchup starts when the DAG is there.
        (Timetable::DeltaTrigger { .. }, Some(date)) if newest_only && history.last.is_none() => date.max(seen_at),
        (_, Some(begins)) => begins,
        (_, None) => seen_at,
    }
}

/// From when on a DAG without start date and without runs has runs.
fn first_due(dag: &Dag, history: &RunHistory, series: &Series<'_>, seen_at: Timestamp) -> Timestamp {
    let run_immediately = match (&dag.timetable, history.enabled_at) {
        (Timetable::CronTrigger { run_immediately, .. }, Some(_)) => *run_immediately,
        // Nobody knows since when: the newest moment counts, or each time of asking would be too late for all.
        (_, None) => RunImmediately::Yes,
        (_, Some(_)) => RunImmediately::No,
    };
    let past = series.due_before(just_after(seen_at)).map(|moment| moment.run_after);
    match (run_immediately, past) {
        (RunImmediately::Yes, Some(past)) => past,
        (RunImmediately::Within(seconds), Some(past)) if seen_at.since(past) <= Duration::from_secs(seconds) => past,
        (RunImmediately::No | RunImmediately::Yes | RunImmediately::Within(_), _) => seen_at,
    }
}

/// When the DAG came into being, as far as schedules are concerned.
fn seen_at(history: &RunHistory, now: Timestamp) -> Timestamp {
    history.enabled_at.unwrap_or(now)
}

/// The DAG's start date; without one, the earliest of its tasks'.
fn start_date(dag: &Dag) -> Option<Timestamp> {
    dag.start_date.or_else(|| dag.tasks.iter().filter_map(|task| task.start_date).min())
}

/// The DAG's end date; without one, the latest of its tasks' if all have one.
fn end_date(dag: &Dag) -> Option<Timestamp> {
    dag.end_date.or_else(|| {
        let ends: Option<Vec<Timestamp>> = dag.tasks.iter().map(|task| task.end_date).collect();
        ends?.into_iter().max()
    })
}

fn just_after(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.as_micros() + 1)
}

fn new_run(moment: Moment) -> NewRun {
    let Moment { run_after, logical_date, data_interval } = moment;
    NewRun {
        run_id: RunId::from(format!("{}__{}", RunType::Scheduled, logical_date.to_isoformat())),
        run_type: RunType::Scheduled,
        logical_date: Some(logical_date),
        data_interval: Some(data_interval),
        run_after,
    }
}

#[cfg(test)]
mod tests;
