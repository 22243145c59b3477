//! `flow dags`: DAGs and their files.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use serde_json::Value;

use crate::{cli::Flags, config::value, context::Cx};

mod check;
mod draw;
mod next;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags check
  flow dags list
  flow dags graph tutorial --format svg > tutorial.svg
  flow dags next tutorial -n 5
  flow dags test tutorial")]
pub(crate) struct Args {
    /// Folder of DAG files [default: ./dags if it exists, else dags in the home]
    #[arg(long, value_name = "DIR", global = true)]
    dags: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All DAGs
    #[command(after_help = "Examples:\n  flow dags list\n  flow dags list --tag etl -o json")]
    List {
        /// Only those with this tag
        #[arg(long)]
        tag: Option<String>,
        /// Only those that are paused
        #[arg(long, conflicts_with = "active")]
        paused: bool,
        /// Only those that are not paused
        #[arg(long)]
        active: bool,
    },
    /// A DAG, its tasks and its last runs
    #[command(after_help = "Examples:\n  flow dags show tutorial")]
    Show {
        /// The DAG's id
        dag: String,
    },
    /// Every mistake in DAG files; exit code 1 if there is an error
    Check(check::Args),
    /// Stop starting runs of a DAG by its schedule
    #[command(after_help = "Examples:\n  flow dags pause tutorial")]
    Pause {
        /// The DAG's id
        dag: String,
    },
    /// Start runs of a DAG by its schedule again
    #[command(after_help = "Examples:\n  flow dags unpause tutorial")]
    Unpause {
        /// The DAG's id
        dag: String,
    },
    /// Run a DAG here and now, without a database
    #[command(
        after_help = "Examples:\n  flow dags test tutorial\n  flow dags test daily_sales --conf '{\"region\": \"us\"}' --logical-date 2026-01-01"
    )]
    Test {
        /// The DAG's id
        dag: String,
        /// Values for the run, a JSON object
        #[arg(long, value_name = "JSON", value_parser = object_arg)]
        conf: Option<Value>,
        /// The run's logical date, in the DAG's time zone if it has no offset [default: now]
        #[arg(long, value_name = "TIME")]
        logical_date: Option<String>,
    },
    /// Forget a DAG whose file is gone, with all its runs
    #[command(after_help = "Examples:\n  flow dags delete old_report")]
    Delete {
        /// The DAG's id
        dag: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Draw a DAG: as text, as SVG or for Graphviz
    Graph(draw::Args),
    /// When a DAG, or any schedule, is due next
    Next(next::Args),
}

impl Args {
    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
    }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { tag: _, paused: _, active: _ } => cx.not_yet("dags list").await,
        Command::Show { dag: _ } => cx.not_yet("dags show").await,
        Command::Check(args) => check::run(&args, cx),
        Command::Pause { dag: _ } => cx.not_yet("dags pause").await,
        Command::Unpause { dag: _ } => cx.not_yet("dags unpause").await,
        Command::Test { dag: _, conf: _, logical_date: _ } => cx.not_yet("dags test").await,
        Command::Delete { dag: _, yes: _ } => cx.not_yet("dags delete").await,
        Command::Graph(args) => draw::run(&args, cx),
        Command::Next(args) => next::run(&args, cx),
    }
}

/// A state that a person may set.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum State {
    Success,
    Failed,
}

/// Reads a duration on the command line.
pub(crate) fn duration_arg(text: &str) -> Result<Duration, String> {
    value::duration(text).ok_or_else(|| "a duration looks like `30s`, `10m` or `1h30m`".to_owned())
}

/// Reads a JSON object on the command line.
pub(crate) fn object_arg(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it must be a JSON object, such as `{\"region\": \"us\"}`".to_owned()),
        Err(error) => Err(format!("it is not JSON: {error}")),
    }
}
