//! The calendar: how the runs of each day ended, and what is planned.

use axum::extract::State;
use flow_core::{
    Timestamp,
    engine::planned_runs,
    time::{Day, is_zone, zone},
};
use flow_store::{DagRow, DayCount};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    api::{Refusals, find},
    error::ErrorBody,
    extract::{Path, Query},
};

/// Most days at once: a leap year.
const DAYS_MAX: i32 = 366;
/// Most runs that are counted.
const RUNS_MAX: u32 = 100_000;
/// Most runs that are planned.
const PLANNED_MAX: usize = 10_000;
/// How far the plan reaches.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(366 * 86_400);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The first day; when nothing is said, 365 days before the last
    #[param(example = "2026-01-01")]
    from: Option<String>,
    /// The last day, at most 366 days in all; when nothing is said, 365 days after the first, or today
    #[param(example = "2026-12-31")]
    to: Option<String>,
    /// The IANA name of the zone whose days they are
    #[param(default = "UTC")]
    timezone: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CalendarResponse {
    /// Those on which there is something, the first first
    days: Vec<CalendarDay>,
    /// Whether all was counted: at most 100,000 runs are, the newest, and the next 10,000 of the plan
    is_complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct CalendarDay {
    /// `2026-11-20`
    date: String,
    states: DayStates,
    /// Runs that the timetable will make, at most 366 days from now
    planned: u64,
}

/// How many runs that were due on a day are in which state
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
struct DayStates {
    success: u64,
    failed: u64,
    running: u64,
    queued: u64,
}

/// Days in a zone.
#[derive(Clone, Debug)]
struct Days {
    first: Day,
    /// The start of each day, and of the one after the last.
    bounds: Vec<Timestamp>,
}

impl Asked {
    fn days(&self, now: Timestamp) -> Result<Days, ApiError> {
        let name = self.timezone.as_deref().unwrap_or("UTC");
        let zone = zone(name).filter(|_| is_zone(name)).ok_or_else(|| {
            let problem = "there is no such time zone; name one such as `Europe/Berlin`";
            ApiError::invalid(&["query", "timezone"], problem)
        })?;
        let read = |place: &str, text: &str| {
            Day::parse(text).ok_or_else(|| ApiError::invalid(&["query", place], "must be a day such as `2026-01-31`"))
        };
        let from = self.from.as_deref().map(|text| read("from", text)).transpose()?;
        let to = self.to.as_deref().map(|text| read("to", text)).transpose()?;
        let (first, last) = match (from, to) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, from.plus(DAYS_MAX - 1)),
            (None, to) => {
                let to = to.unwrap_or_else(|| Day::of(now, &zone));
                (to.plus(1 - DAYS_MAX), to)
            }
        };
        let number = first.until(last) + 1;
        if number < 1 {
            return Err(ApiError::invalid(&["query", "to"], "must not be before `from`"));
        }
        if number > DAYS_MAX {
            return Err(ApiError::invalid(
                &["query", "to"],
                format!("at most {DAYS_MAX} days after `from`, the first included"),
            ));
        }
        Ok(Days { first, bounds: (0..=number).map(|day| first.plus(day).start(&zone)).collect() })
    }
}

impl Days {
    /// Returns which of the days a moment is on.
    fn find(&self, moment: Timestamp) -> Option<usize> {
        let after = self.bounds.partition_point(|bound| *bound <= moment);
        after.checked_sub(1).filter(|_| after < self.bounds.len())
    }
}

/// Returns when the timetable will make runs before `until`, those that are due already too. It may take a while, and so it
/// is worked out beside everything else.
async fn planned(app: &App, dag: &DagRow, now: Timestamp, until: Timestamp) -> Result<Vec<Timestamp>, ApiError> {
    if dag.is_paused || dag.is_stale {
        return Ok(Vec::new());
    }
    let version = app.dags.read(&app.store, dag.version_id).await?;
    let history = app.store.run_history(&dag.dag_id, dag.enabled_at).await?;
    let plan = move || {
        let due = planned_runs(&version.dag, &history, now).map(|run| run.run_after);
        due.take_while(|due| *due < until).take(PLANNED_MAX + 1).collect()
    };
    tokio::task::spawn_blocking(plan).await.map_err(|_| ApiError::unavailable("the plan could not be worked out"))
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_calendar))
}

/// The runs of a DAG, counted by the day on which they were due
#[utoipa::path(get, path = "/ui/dags/{dag_id}/calendar", tag = "User interface",
    params(("dag_id" = String, Path), Asked),
    responses((status = 200, body = CalendarResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_calendar(
    State(app): State<App>,
    Path(dag_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<axum::Json<CalendarResponse>, ApiError> {
    let now = (app.now)();
    let days = asked.days(now)?;
    let dag = find::dag(&app, &dag_id).await?;
    let (counts, is_all) = app.store.count_runs_by_day(&dag_id, &days.bounds, RUNS_MAX).await?;
    let end = days.bounds.last().copied().unwrap_or(now).min(now + AHEAD);
    let mut planned = planned(&app, &dag, now, end).await?;
    let is_whole_plan = planned.len() <= PLANNED_MAX;
    planned.truncate(PLANNED_MAX);

    let mut states = vec![(DayStates::default(), 0); days.bounds.len()];
    for count in counts {
        if let Some((states, _)) = states.get_mut(count.day) {
            let DayCount { success, failed, running, queued, .. } = count;
            *states = DayStates { success, failed, running, queued };
        }
    }
    for due in planned {
        if let Some(day) = days.find(due) {
            states[day].1 += 1;
        }
    }
    let shown = |(day, (states, planned)): (i32, (DayStates, u64))| CalendarDay {
        date: days.first.plus(day).to_string(),
        states,
        planned,
    };
    let days = (0..).zip(states).filter(|(_, day)| *day != Default::default()).map(shown).collect();
    Ok(axum::Json(CalendarResponse { days, is_complete: is_all && is_whole_plan }))
}
