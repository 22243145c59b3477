//! `flow backfill`: runs of the past. Hidden until it has a body.

use std::process::ExitCode;

use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow backfill create daily_sales --from 2026-01-01 --to 2026-01-31 --dry-run
  flow backfill list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which moments that have a run already are run again.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Reprocess {
    None,
    Failed,
    Completed,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make the runs of a span of time
    #[command(
        after_help = "Examples:\n  flow backfill create daily_sales --from 2026-01-01 --to 2026-01-31 --max-active-runs 2"
    )]
    Create {
        /// The DAG's id
        dag: String,
        /// First logical date
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Last logical date
        #[arg(long, value_name = "TIME")]
        to: String,
        /// Only say which runs would be made
        #[arg(long)]
        dry_run: bool,
        /// Most of its runs at once
        #[arg(long, value_name = "N")]
        max_active_runs: Option<u32>,
        /// What happens at moments that have a run
        #[arg(long, value_enum, default_value = "none")]
        reprocess: Reprocess,
    },
    /// Backfills and how far they are
    #[command(after_help = "Examples:\n  flow backfill list")]
    List,
    /// Start no more runs for the time being
    #[command(after_help = "Examples:\n  flow backfill pause 3")]
    Pause {
        /// The backfill's number
        id: i64,
    },
    /// Start no more runs
    #[command(after_help = "Examples:\n  flow backfill cancel 3")]
    Cancel {
        /// The backfill's number
        id: i64,
    },
}

/// What makes runs of the past in this version.
const INSTEAD: &str = "one date: flow trigger DAG --logical-date DATE; all since `start_date`: write `catchup: true`, \
                       and flow dags unpause DAG";

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Create { dag: _, from: _, to: _, dry_run: _, max_active_runs: _, reprocess: _ } => {
            cx.not_yet("backfill create", INSTEAD).await
        }
        Command::List => cx.not_yet("backfill list", INSTEAD).await,
        Command::Pause { id: _ } => cx.not_yet("backfill pause", INSTEAD).await,
        Command::Cancel { id: _ } => cx.not_yet("backfill cancel", INSTEAD).await,
    }
}
