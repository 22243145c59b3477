//! `flow trigger`: starts a run of a DAG, and may wait for its end.

use std::{process::ExitCode, time::Duration};

use super::dags::{duration_arg, object_arg};
use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow trigger tutorial
  flow trigger tutorial --wait --timeout 10m
  flow trigger daily_sales --conf '{\"region\": \"us\"}' --logical-date 2026-01-01

With --wait the exit code is 0 when the run succeeded, and 1 when it failed or took too long.")]
pub(crate) struct Args {
    /// The DAG's id
    dag: String,
    /// Values for the run, a JSON object; they go over the DAG's params
    #[arg(long, value_name = "JSON", value_parser = object_arg)]
    conf: Option<serde_json::Value>,
    /// The run's id [default: manual__ and the time]
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// The run's logical date, in the DAG's time zone if it has no offset
    #[arg(long, value_name = "TIME")]
    logical_date: Option<String>,
    /// Wait until the run has ended
    #[arg(long)]
    wait: bool,
    /// Wait at most so long
    #[arg(long, value_name = "DURATION", value_parser = duration_arg, requires = "wait")]
    timeout: Option<Duration>,
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let Args { dag: _, conf: _, run_id: _, logical_date: _, wait: _, timeout: _ } = args;
    cx.not_yet("trigger").await
}
