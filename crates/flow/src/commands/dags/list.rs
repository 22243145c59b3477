//! `flow dags list`: every DAG on a line.

use std::{collections::BTreeSet, process::ExitCode};

use anstyle::AnsiColor;
use flow_core::{RunState, Timestamp};
use flow_store::DagRow;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    context::Cx,
    node::Parts,
    output::{self, Cell},
};

/// Which DAGs are shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flow dags list\n  flow dags list --tag etl -o json")]
pub(crate) struct Args {
    /// Only those with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only those that are paused
    #[arg(long, conflicts_with = "active")]
    paused: bool,
    /// Only those that are not paused
    #[arg(long)]
    active: bool,
}

/// A DAG, for programs: Airflow's names.
#[derive(Debug, Serialize)]
pub(super) struct View {
    dag_id: String,
    dag_display_name: String,
    is_paused: bool,
    /// Its file is gone.
    is_stale: bool,
    description: Option<String>,
    relative_fileloc: String,
    timetable_description: String,
    tags: Vec<Value>,
    owners: Vec<String>,
    max_active_runs: u32,
    has_import_errors: bool,
    last_parsed_time: Timestamp,
    next_dagrun_logical_date: Option<Timestamp>,
    next_dagrun_data_interval_start: Option<Timestamp>,
    next_dagrun_data_interval_end: Option<Timestamp>,
    next_dagrun_run_after: Option<Timestamp>,
    last_run_state: Option<RunState>,
}

impl View {
    pub(super) fn of(row: &DagRow, last: Option<RunState>, broken: &BTreeSet<String>) -> Self {
        let is_planned = !row.is_paused && !row.is_stale;
        let planned = |moment: Option<Timestamp>| moment.filter(|_| is_planned);
        Self {
            dag_id: row.dag_id.clone(),
            dag_display_name: row.display_name.clone().unwrap_or_else(|| row.dag_id.clone()),
            is_paused: row.is_paused,
            is_stale: row.is_stale,
            description: row.description.clone(),
            relative_fileloc: row.file.clone(),
            timetable_description: row.schedule.clone(),
            tags: row.tags.iter().map(|tag| json!({ "name": tag, "dag_id": row.dag_id })).collect(),
            owners: row.owners.split(", ").filter(|owner| !owner.is_empty()).map(str::to_owned).collect(),
            max_active_runs: row.max_active_runs,
            has_import_errors: broken.contains(&row.file),
            last_parsed_time: row.parsed_at,
            next_dagrun_logical_date: planned(row.next_logical_date),
            next_dagrun_data_interval_start: planned(row.next_interval_start),
            next_dagrun_data_interval_end: planned(row.next_interval_end),
            next_dagrun_run_after: planned(row.next_run_after),
            last_run_state: last,
        }
    }

    /// Says in a word whether its schedule is followed.
    fn standing(&self) -> Cell {
        match (self.is_stale, self.is_paused) {
            (true, _) => Cell::coloured("file gone", AnsiColor::Red),
            (false, true) => Cell::coloured("paused", AnsiColor::Yellow),
            (false, false) => Cell::coloured("active", AnsiColor::Green),
        }
    }

    /// What both the list and the page about one DAG say first.
    pub(super) fn properties(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("dag", self.dag_id.clone().into()),
            ("description", Cell::maybe(self.description.clone())),
            ("schedule", self.timetable_description.clone().into()),
            ("state", self.standing()),
            ("next run", Cell::maybe(self.next_dagrun_run_after)),
            ("owners", self.owners.join(", ").into()),
            ("tags", self.tag_names().into()),
            ("file", self.relative_fileloc.clone().into()),
        ]
    }

    fn tag_names(&self) -> String {
        self.tags.iter().filter_map(|tag| tag["name"].as_str()).collect::<Vec<_>>().join(", ")
    }
}

pub(super) async fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    let rows = parts.store.dags().await?;
    let last = parts.store.latest_run_states().await?;
    let broken: BTreeSet<String> = parts.store.import_errors().await?.into_iter().map(|error| error.path).collect();
    let is_wanted = |row: &&DagRow| {
        args.tag.as_ref().is_none_or(|tag| row.tags.contains(tag))
            && (!args.paused || row.is_paused)
            && (!args.active || !(row.is_paused || row.is_stale))
    };
    let views: Vec<View> =
        rows.iter().filter(is_wanted).map(|row| View::of(row, last.get(&row.dag_id).copied(), &broken)).collect();
    cx.out.list(&views, &["DAG", "SCHEDULE", "OWNER", "TAGS", "STATE", "NEXT RUN", "LAST RUN"], |view| {
        vec![
            view.dag_id.clone().into(),
            view.timetable_description.clone().into(),
            view.owners.join(", ").into(),
            view.tag_names().into(),
            view.standing(),
            Cell::maybe(view.next_dagrun_run_after),
            view.last_run_state.map_or_else(|| "".into(), output::run_state),
        ]
    })?;
    if rows.is_empty() {
        cx.out.remark(&format!("No DAGs yet: put YAML files into {}", cx.config.dags.folder.display()))?;
    } else if views.is_empty() {
        cx.out.remark(&format!("None of {} DAGs is like that.", rows.len()))?;
    }
    match broken.len() {
        0 => {}
        1 => cx.out.remark("\n1 file has errors: flow dags check")?,
        many => cx.out.remark(&format!("\n{many} files have errors: flow dags check"))?,
    }
    Ok(ExitCode::SUCCESS)
}
