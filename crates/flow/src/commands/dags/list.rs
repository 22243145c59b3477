//! `flow dags list`: every DAG on a line.

use std::process::ExitCode;

use anstyle::AnsiColor;

use crate::{
    context::Cx,
    home::{DagView, Home},
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

impl DagView {
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
        self.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

pub(super) async fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let all = home.dags().await?;
    let number = all.len();
    let is_wanted = |dag: &DagView| {
        args.tag.as_ref().is_none_or(|tag| dag.tags.iter().any(|known| known.name == *tag))
            && (!args.paused || dag.is_paused)
            && (!args.active || !(dag.is_paused || dag.is_stale))
    };
    let views: Vec<DagView> = all.into_iter().filter(is_wanted).collect();
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
    if number == 0 {
        let folder = match &home {
            Home::Local(_) => cx.config.dags.folder.display().to_string(),
            Home::Remote(_) => "the server's DAG folder".to_owned(),
        };
        cx.out.remark(&format!("No DAGs yet: put YAML files into {folder}"))?;
    } else if views.is_empty() {
        cx.out.remark(&format!("None of {} DAGs is like that.", number))?;
    }
    match home.broken_files().await? {
        0 => {}
        1 => cx.out.remark("\n1 file has errors: flow dags check")?,
        many => cx.out.remark(&format!("\n{many} files have errors: flow dags check"))?,
    }
    Ok(ExitCode::SUCCESS)
}
