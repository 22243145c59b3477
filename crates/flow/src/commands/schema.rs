//! `flow schema`: what DAG files and the REST API look like, for programs.

use std::process::ExitCode;

use crate::{context::Cx, node::VERSION};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow schema dag > flow-dag.schema.json
  flow schema api > openapi.json

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
    /// The OpenAPI document of the REST API
    #[command(
        after_help = "Examples:\n  flow schema api > openapi.json\n\nA running server has it at /openapi.json, and as a page at /docs."
    )]
    Api,
}

pub(crate) fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Dag => cx.out.data(&flow_operators::dag_schema(&flow_operators::all()))?,
        Command::Api => cx.out.data(&serde_json::to_value(flow_server::openapi_document(VERSION))?)?,
    }
    Ok(ExitCode::SUCCESS)
}
