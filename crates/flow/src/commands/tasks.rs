//! `flow tasks`: look at a run's task instances, read their logs, ask why, clear and mark them.

use std::process::ExitCode;

use super::dags::State;
use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow tasks list tutorial latest
  flow tasks log tutorial latest templated -f
  flow tasks explain tutorial latest sleep
  flow tasks clear tutorial latest sleep --downstream")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which task instance is meant.
#[derive(Debug, clap::Args)]
struct Instance {
    /// The DAG's id
    dag: String,
    /// The run's id, or `latest`
    run: String,
    /// The task's id
    task: String,
    /// Which one, of a mapped task
    #[arg(long, value_name = "N")]
    map_index: Option<i32>,
}

/// What else is touched.
#[derive(Debug, clap::Args)]
struct Reach {
    /// Also what it depends on
    #[arg(long)]
    upstream: bool,
    /// Also what depends on it
    #[arg(long)]
    downstream: bool,
    /// Also in earlier runs
    #[arg(long)]
    past: bool,
    /// Also in later runs
    #[arg(long)]
    future: bool,
    /// Only say what would be touched
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The task instances of a run
    #[command(after_help = "Examples:\n  flow tasks list tutorial latest\n  flow tasks list tutorial latest -o json")]
    List {
        /// The DAG's id
        dag: String,
        /// The run's id, or `latest`
        run: String,
    },
    /// What a task wrote
    #[command(
        after_help = "Examples:\n  flow tasks log tutorial latest templated\n  flow tasks log tutorial latest sleep --try 2 -f"
    )]
    Log {
        #[command(flatten)]
        instance: Instance,
        /// Which try, from 1 [default: the latest]
        #[arg(long = "try", value_name = "N")]
        try_number: Option<u32>,
        /// Go on until the task has ended
        #[arg(short, long)]
        follow: bool,
    },
    /// Run a task again
    #[command(
        after_help = "Examples:\n  flow tasks clear tutorial latest sleep\n  flow tasks clear tutorial latest sleep --downstream --dry-run"
    )]
    Clear {
        #[command(flatten)]
        instance: Instance,
        #[command(flatten)]
        reach: Reach,
    },
    /// Set the state of a task
    #[command(
        after_help = "Examples:\n  flow tasks mark success tutorial latest sleep\n  flow tasks mark failed tutorial latest sleep --downstream"
    )]
    Mark {
        state: State,
        #[command(flatten)]
        instance: Instance,
        #[command(flatten)]
        reach: Reach,
    },
    /// A task's arguments as they are for a run
    #[command(after_help = "Examples:\n  flow tasks render tutorial latest templated")]
    Render(Instance),
    /// Why a task runs, waits or does not run
    #[command(after_help = "Examples:\n  flow tasks explain tutorial latest sleep")]
    Explain(Instance),
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { dag: _, run: _ } => cx.not_yet("tasks list").await,
        Command::Log { instance: _, try_number: _, follow: _ } => cx.not_yet("tasks log").await,
        Command::Clear { instance: _, reach: Reach { upstream: _, downstream: _, past: _, future: _, dry_run: _ } } => {
            cx.not_yet("tasks clear").await
        }
        Command::Mark { state: _, instance: _, reach: _ } => cx.not_yet("tasks mark").await,
        Command::Render(Instance { dag: _, run: _, task: _, map_index: _ }) => cx.not_yet("tasks render").await,
        Command::Explain(_) => cx.not_yet("tasks explain").await,
    }
}
