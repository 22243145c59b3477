//! `flow schema`: JSON schemas.

use std::process::ExitCode;

use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow schema dag > flow-dag.schema.json

An editor with YAML support completes and checks a DAG file that begins with
  # yaml-language-server: $schema=flow-dag.schema.json")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The schema of DAG files, with every operator of this binary
    #[command(after_help = "Examples:\n  flow schema dag > flow-dag.schema.json")]
    Dag,
}

pub(crate) fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let Command::Dag = args.command;
    let schema = flow_operators::dag_schema(&flow_operators::all());
    cx.out.data(&schema)?;
    Ok(ExitCode::SUCCESS)
}
