//! `flow worker`: runs tasks; any number of them, on any hosts.

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
  flow worker
  flow worker --queues default,heavy --slots 4")]
pub(crate) struct Args {
    /// Queues to take tasks from, with commas between them [default: default]
    #[arg(long, value_name = "NAMES")]
    queues: Option<String>,
    /// Most tasks at once [default: 16]
    #[arg(long, value_name = "N")]
    slots: Option<u32>,
    /// Folder of DAG files, for tasks that use files beside theirs
    #[arg(long, value_name = "DIR")]
    dags: Option<PathBuf>,
    /// Time that running tasks get at shutdown [default: 30s]
    #[arg(long, value_name = "DURATION")]
    drain: Option<String>,
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
        flags.add("worker.queues", self.queues.as_ref(), "--queues");
        flags.add("worker.slots", self.slots, "--slots");
        flags.add("worker.drain", self.drain.as_ref(), "--drain");
    }
}

pub(crate) async fn run(_args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    own_log::start(cx);
    node::need_postgres(cx, "flow worker")?;
    let parts = Parts::of_process(cx).await?;
    let stop = Stop::new();
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let ran = parts.run_node(cx, ProcessKind::Worker, &stop).await;
    parts.store.close().await;
    ran?;
    Ok(ExitCode::SUCCESS)
}
