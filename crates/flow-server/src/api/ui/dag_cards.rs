//! The list of DAGs as the first screen shows it: each with its last runs, and the tasks of the newest.

use std::collections::{BTreeMap, HashSet};

use axum::extract::State;
use flow_core::{RunKey, TaskState};
use flow_store::{DagCount, DagFilter, DagLine, Listed, RunBrief};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, App,
    access::{Role, Who},
    api::{
        Refusals,
        dag_runs::{DagRunState, DagRunType},
        dags,
    },
    auth,
    error::ErrorBody,
    extract::Query,
    page::Paging,
    wire::When,
};

/// Last runs of a card when nothing is said.
const RUNS: u32 = 14;
/// Most of them.
const RUNS_MAX: u32 = 30;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LastRuns {
    /// Last runs of each DAG; more than 30 are never returned
    #[param(minimum = 0, default = 14)]
    runs: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct DagCards {
    dags: Vec<DagCard>,
    /// At most 10,000, which then means "so many or more"
    total_entries: u64,
    counts: DagCounts,
}

/// How many DAGs the filters but `paused` let through
#[derive(Serialize, ToSchema)]
struct DagCounts {
    all: u64,
    active: u64,
    paused: u64,
}

#[derive(Serialize, ToSchema)]
struct DagCard {
    dag_id: String,
    dag_display_name: String,
    description: Option<String>,
    is_paused: bool,
    /// Of the one who asks
    is_favorite: bool,
    has_import_errors: bool,
    tags: Vec<String>,
    owners: Vec<String>,
    /// Relative to the DAG folder
    file: String,
    /// As briefly as it can be written; null = none
    schedule: Option<String>,
    /// The same in words: "at 03:00 every day, Europe/Berlin"
    schedule_words: String,
    /// IANA name
    timezone: String,
    /// When the next run of the timetable is due; null while the DAG is paused
    next_run: Option<When>,
    /// Whether the one who asks may trigger, pause and change it
    can_edit: bool,
    /// The newest last
    recent_runs: Vec<RunCard>,
    /// How many task instances of the newest run are in which state (`no_status`: nothing has been decided yet); null =
    /// there is no run
    task_states: Option<BTreeMap<&'static str, u32>>,
}

#[derive(Serialize, ToSchema)]
struct RunCard {
    run_id: String,
    state: DagRunState,
    run_type: DagRunType,
    run_after: When,
    start_date: Option<When>,
    end_date: Option<When>,
}

impl From<RunBrief> for RunCard {
    fn from(run: RunBrief) -> Self {
        Self {
            run_id: run.run_id,
            state: run.state.into(),
            run_type: run.run_type.into(),
            run_after: When(run.run_after),
            start_date: run.started_at.map(When),
            end_date: run.ended_at.map(When),
        }
    }
}

impl From<DagCount> for DagCounts {
    fn from(count: DagCount) -> Self {
        let (all, paused) = (count.all.unsigned_abs(), count.paused.unsigned_abs());
        Self { all, active: all - paused, paused }
    }
}

/// What is known of the DAGs of a page beside their rows.
struct Beside {
    runs: BTreeMap<String, Vec<RunBrief>>,
    task_states: BTreeMap<RunKey, BTreeMap<TaskState, u32>>,
    favorites: HashSet<String>,
    /// `None` = the one who asks may change nothing.
    read_only: Option<HashSet<String>>,
}

impl Beside {
    /// Asks for it: a constant number of questions, whatever the number of DAGs.
    async fn of(app: &App, who: &Who, lines: &[DagLine], most_runs: u32) -> Result<Self, ApiError> {
        let ids: Vec<&str> = lines.iter().map(|line| line.dag_id.as_str()).collect();
        // The newest run is wanted for its tasks at least.
        let runs = app.store.recent_runs(&ids, most_runs.max(1)).await?;
        let newest: Vec<RunKey> = runs.values().filter_map(|runs| Some(runs.last()?.key)).collect();
        let task_states = app.store.count_tasks(&newest).await?;
        let read_only = match who.role >= Role::User {
            true => Some(auth::read_only_dags(app, who).await?.into_iter().collect()),
            false => None,
        };
        Ok(Self { runs, task_states, favorites: app.store.favorites(&who.user, &ids).await?, read_only })
    }

    fn card(&mut self, line: DagLine, most_runs: u32) -> DagCard {
        let runs = self.runs.remove(&line.dag_id).unwrap_or_default();
        let task_states = runs.last().map(|newest| {
            let counts = self.task_states.remove(&newest.key).unwrap_or_default();
            counts.into_iter().map(|(state, number)| (state.as_str(), number)).collect()
        });
        let too_many = runs.len().saturating_sub(usize::try_from(most_runs).unwrap_or(usize::MAX));
        let is_active = !line.is_paused && !line.is_stale;
        DagCard {
            tags: dags::tags_of(&line),
            owners: dags::owners_of(&line),
            is_favorite: self.favorites.contains(&line.dag_id),
            can_edit: self.read_only.as_ref().is_some_and(|ids| !ids.contains(&line.dag_id)),
            dag_display_name: line.display_name.unwrap_or_else(|| line.dag_id.clone()),
            description: line.description,
            is_paused: line.is_paused,
            has_import_errors: line.has_import_errors,
            file: line.file,
            schedule: line.timetable_summary,
            schedule_words: line.schedule,
            // Not known until the file is read again, after an update of Flow.
            timezone: line.timezone.unwrap_or_else(|| "UTC".to_owned()),
            next_run: line.next_run_after.filter(|_| is_active).map(When::of_micros),
            recent_runs: runs.into_iter().skip(too_many).map(Into::into).collect(),
            task_states,
            dag_id: line.dag_id,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_dag_cards))
}

/// DAGs with their last runs, and how far the newest is
#[utoipa::path(get, path = "/ui/dags", tag = "User interface",
    params(Paging, dags::Filter, dags::ListFilter, LastRuns),
    responses((status = 200, body = DagCards), (status = 400, body = ErrorBody), Refusals))]
async fn get_dag_cards(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<dags::Filter>,
    Query(more): Query<dags::ListFilter>,
    Query(last): Query<LastRuns>,
) -> Result<axum::Json<DagCards>, ApiError> {
    let page = paging.page()?;
    let most_runs = last.runs.unwrap_or(RUNS).min(RUNS_MAX);
    let (wanted, orders) = dags::asked_for(&app, &who, filter, more).await?;
    let (listed, count) = match wanted {
        Some(wanted) => (
            app.store.list_dags(&wanted, &orders, page).await?,
            app.store.count_dags(&DagFilter { is_paused: None, ..wanted }).await?,
        ),
        None => (Listed { rows: Vec::new(), total: 0, is_counted: true }, DagCount { all: 0, paused: 0 }),
    };
    let mut beside = Beside::of(&app, &who, &listed.rows, most_runs).await?;
    Ok(axum::Json(DagCards {
        dags: listed.rows.into_iter().map(|line| beside.card(line, most_runs)).collect(),
        total_entries: listed.total,
        counts: count.into(),
    }))
}
