//! `flow scheduler`: starts runs and tasks; several may share one Postgres.

use std::{path::PathBuf, process::ExitCode};

use crate::{cli::Flags, context::Cx};

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
    cx.not_yet("scheduler").await
}
