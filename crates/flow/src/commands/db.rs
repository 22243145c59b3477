//! `flow db`: the database's schema, health and size.

use std::{process::ExitCode, time::Duration};

use super::dags::duration_arg;
use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow db migrate
  flow db check
  flow db clean --older-than 90d --dry-run")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Bring the schema up to this version of Flow
    #[command(after_help = "Examples:\n  flow db migrate\n  flow db migrate --dry-run")]
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Connect, and say what is there: kind, schema, sizes
    #[command(after_help = "Examples:\n  flow db check\n  flow db check -o json")]
    Check,
    /// Remove finished runs with all that belongs to them
    #[command(
        after_help = "Examples:\n  flow db clean --older-than 90d\n  flow db clean --older-than 4w --dag tutorial --dry-run"
    )]
    Clean {
        /// Age of the end of a run from which it goes
        #[arg(long, value_name = "DURATION", value_parser = duration_arg)]
        older_than: Duration,
        /// Only this DAG's runs
        #[arg(long, value_name = "DAG")]
        dag: Option<String>,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Migrate { dry_run: _ } => cx.not_yet("db migrate").await,
        Command::Check => cx.not_yet("db check").await,
        Command::Clean { older_than: _, dag: _, dry_run: _ } => cx.not_yet("db clean").await,
    }
}
