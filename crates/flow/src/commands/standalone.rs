//! `flow standalone`: scheduler, worker and web server in one process.

use std::{path::PathBuf, process::ExitCode};

use crate::{cli::Flags, context::Cx};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow standalone
  flow standalone --dags pipelines --port 9000
  flow standalone --host 0.0.0.0 --workers 8

Stop it with Ctrl-C: running tasks get time to end (worker.drain); once more ends them now.")]
pub(crate) struct Args {
    /// Folder of DAG files [default: ./dags if it exists, else dags in the home]
    #[arg(long, value_name = "DIR")]
    dags: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Most tasks at once [default: 16]
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// Time that running tasks get at shutdown [default: 30s]
    #[arg(long, value_name = "DURATION")]
    drain: Option<String>,
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
        flags.add("web.host", self.host.as_ref(), "--host");
        flags.add("web.port", self.port, "--port");
        flags.add("worker.slots", self.workers, "--workers");
        flags.add("worker.drain", self.drain.as_ref(), "--drain");
    }
}

pub(crate) async fn run(_args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    cx.not_yet("standalone").await
}
