//! `flow scheduler`: starts runs and tasks; several may share one Postgres.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use flow_runtime::Stop;
use flow_store::ProcessKind;

use crate::{
    cli::Flags,
    context::Cx,
    node::{self, Parts},
    own_log,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow scheduler
  flow scheduler --dags /srv/dags")]
pub(crate) struct Args {
    /// Folder of DAG files [default: ./dags if it exists, else dags in the home]
    #[arg(long, value_name = "DIR")]
    dags: Option<PathBuf>,
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
    }
}

pub(crate) async fn run(_args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    own_log::start(cx);
    node::need_postgres(cx, "flow scheduler")?;
    let parts = Parts::of_process(cx).await?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let paused = cx.config.settings.core.dags_are_paused_at_creation;
    let folder = tokio::spawn(parts.folder(cx, paused).run(stop.clone()));
    let ran = parts.run_node(cx, ProcessKind::Scheduler, &stop).await;
    // It looks at the stop between two files.
    let _ = tokio::time::timeout(node::FAREWELL, folder).await;
    parts.store.close().await;
    ran?;
    Ok(ExitCode::SUCCESS)
}
