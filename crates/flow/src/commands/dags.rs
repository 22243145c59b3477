//! `flow dags`: DAGs and their files.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use flow_core::Dag;
use serde_json::Value;

use crate::{
    cli::Flags,
    config::{Origin, value},
    context::Cx,
    dag_folder,
    home::Home,
};

mod check;
mod delete;
mod draw;
mod list;
mod next;
mod pause;
mod show;
mod test;

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
    List(list::Args),
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
    #[command(after_help = "Examples:\n  flow dags unpause tutorial\n  flow dags unpause daily_sales --yes")]
    Unpause {
        /// The DAG's id
        dag: String,
        /// Do not ask, however many runs that makes
        #[arg(short, long)]
        yes: bool,
    },
    /// Run a DAG here and now, without a database
    Test(test::Args),
    /// Forget a DAG with all its runs and logs
    #[command(after_help = "Examples:\n  flow dags delete old_report\n  flow dags delete old_report --yes")]
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
    /// As [`crate::cli::Command::only_here`].
    pub(crate) fn only_here(&self) -> Option<&'static str> {
        match &self.command {
            Command::Check(_) => Some("dags check"),
            Command::Test(_) => Some("dags test"),
            Command::List(_)
            | Command::Show { .. }
            | Command::Pause { .. }
            | Command::Unpause { .. }
            | Command::Delete { .. }
            | Command::Graph(_)
            | Command::Next(_) => None,
        }
    }

    pub(crate) fn set(&self, flags: &mut Flags) {
        flags.add_path("dags.folder", self.dags.as_ref(), "--dags");
    }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list::run(&args, cx).await,
        Command::Show { dag } => show::run(&dag, cx).await,
        Command::Check(args) => check::run(&args, cx),
        Command::Pause { dag } => pause::pause(&dag, cx).await,
        Command::Unpause { dag, yes } => pause::unpause(&dag, yes, cx).await,
        Command::Test(args) => test::run(args, cx).await,
        Command::Delete { dag, yes } => delete::run(&dag, yes, cx).await,
        Command::Graph(args) => draw::run(&args, cx).await,
        Command::Next(args) => next::run(&args, cx).await,
    }
}

/// Reads a DAG: from the server if there is one, else from the DAG folder. A folder that is named goes before a server
/// that only the environment names.
async fn read(cx: &Cx, dag_id: &str) -> anyhow::Result<Arc<Dag>> {
    let names_folder = matches!(cx.config.origin("dags.folder"), Origin::Flag(_));
    let is_remote = cx.config.remote.as_ref().is_some_and(|remote| remote.origin.word() == "flag" || !names_folder);
    if is_remote {
        return Ok(Home::open(cx).await?.version(cx, dag_id).await?.0);
    }
    Ok(Arc::new(dag_folder::find(&cx.config.dags.folder, dag_id, &cx.catalog())?))
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
