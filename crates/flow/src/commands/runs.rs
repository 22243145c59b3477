//! `flow runs`: look at runs, wait for them, clear, mark, cancel and delete them.

use std::{process::ExitCode, time::Duration};

use super::dags::{State, duration_arg};
use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow runs list tutorial
  flow runs show tutorial latest
  flow runs clear tutorial manual__2026-01-01T00:00:00+00:00 --only-failed")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which run is meant.
#[derive(Debug, clap::Args)]
struct Run {
    /// The DAG's id
    dag: String,
    /// The run's id, or `latest`
    run: String,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Runs, the newest first
    #[command(after_help = "Examples:\n  flow runs list\n  flow runs list tutorial --state failed -n 50")]
    List {
        /// Only this DAG's
        dag: Option<String>,
        /// Only those in this state: queued, running, success, failed
        #[arg(long)]
        state: Option<flow_core::RunState>,
        /// At most so many
        #[arg(short = 'n', long, default_value_t = 25)]
        limit: u32,
    },
    /// A run and its tasks
    #[command(after_help = "Examples:\n  flow runs show tutorial latest\n  flow runs show tutorial latest -o json")]
    Show(Run),
    /// Wait until a run has ended; exit code 1 if it failed
    #[command(after_help = "Examples:\n  flow runs wait tutorial latest --timeout 1h")]
    Wait {
        #[command(flatten)]
        run: Run,
        /// Wait at most so long
        #[arg(long, value_name = "DURATION", value_parser = duration_arg)]
        timeout: Option<Duration>,
    },
    /// Run a run's tasks again
    #[command(
        after_help = "Examples:\n  flow runs clear tutorial latest\n  flow runs clear tutorial latest --only-failed --dry-run"
    )]
    Clear {
        #[command(flatten)]
        run: Run,
        /// Only what failed, and what was not started because of it
        #[arg(long)]
        only_failed: bool,
        /// On the newest version of the DAG instead of the run's own
        #[arg(long)]
        latest_version: bool,
        /// Only say which tasks would run again
        #[arg(long)]
        dry_run: bool,
    },
    /// Set the state of a run
    #[command(
        after_help = "Examples:\n  flow runs mark success tutorial latest\n  flow runs mark failed tutorial latest"
    )]
    Mark {
        state: State,
        #[command(flatten)]
        run: Run,
    },
    /// End a run: running tasks are stopped, the rest are not started
    #[command(after_help = "Examples:\n  flow runs cancel tutorial latest")]
    Cancel(Run),
    /// Forget a finished run with all that belongs to it
    #[command(after_help = "Examples:\n  flow runs delete tutorial manual__2026-01-01T00:00:00+00:00")]
    Delete(Run),
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { dag: _, state: _, limit: _ } => cx.not_yet("runs list").await,
        Command::Show(Run { dag: _, run: _ }) => cx.not_yet("runs show").await,
        Command::Wait { run: _, timeout: _ } => cx.not_yet("runs wait").await,
        Command::Clear { run: _, only_failed: _, latest_version: _, dry_run: _ } => cx.not_yet("runs clear").await,
        Command::Mark { state: _, run: _ } => cx.not_yet("runs mark").await,
        Command::Cancel(_) => cx.not_yet("runs cancel").await,
        Command::Delete(_) => cx.not_yet("runs delete").await,
    }
}
