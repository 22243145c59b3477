//! `flow scheduler`: starts runs and tasks; several may share one Postgres.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use flow_runtime::Stop;
use flow_store::ProcessKind;

use crate::{
    cli::Flags,
    context::Cx,
    metrics::Beside,
    node::{self, Parts},
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
    node::start_logging(cx);
    node::need_postgres(cx, "flow scheduler")?;
    let parts = Parts::of_process(cx).await?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let paused = cx.config.settings.core.dags_are_paused_at_creation;
    let folder = tokio::spawn(parts.folder(cx, paused).run(stop.clone()));
    let node = parts.node(cx, ProcessKind::Scheduler);
    let beside = Beside::start(cx, &parts, Some((ProcessKind::Scheduler, &node.me.id)), &stop).await?;
    let ran = node.run(stop.clone()).await;
    stop.drain();
    // It looks at the stop between two files.
    let _ = tokio::time::timeout(node::FAREWELL, folder).await;
    beside.end().await;
    parts.store.close().await;
    ran?;
    Ok(ExitCode::SUCCESS)
}
