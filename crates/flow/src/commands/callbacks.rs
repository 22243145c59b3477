//! `flow callbacks`: what DAGs asked to be done, and what has become of it.

use std::process::ExitCode;

use crate::{
    context::Cx,
    home::{CallbackView, CallbackWish, Home},
    output::Cell,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow callbacks list --state failed
  flow callbacks retry 42")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The latest callbacks
    #[command(
        after_help = "Examples:\n  flow callbacks list\n  flow callbacks list sales --state failed\n  flow callbacks list -o json"
    )]
    List {
        /// Only those of this DAG
        dag_id: Option<String>,
        /// Only those of this run of it
        #[arg(long, value_name = "RUN", requires = "dag_id")]
        run: Option<String>,
        /// Only those of this task
        #[arg(long, value_name = "TASK")]
        task: Option<String>,
        /// Only those that wait, that are tried again (failing), that are delivered, or that were given up (failed)
        #[arg(long, value_parser = ["pending", "failing", "delivered", "failed"])]
        state: Option<String>,
        /// How many
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Try a callback again that failed, or that waits for its next try
    #[command(after_help = "Examples:\n  flow callbacks retry 42")]
    Retry {
        /// Its number, as in the list
        id: i64,
    },
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List { dag_id, run, task, state, limit } => {
            let wish = CallbackWish { dag_id, run_id: run, task_id: task, state };
            let views = home.callbacks(&wish, limit).await?;
            cx.out.list(&views, &["ID", "DAG", "RUN", "TASK", "EVENT", "USES", "STATE", "TRIES", "ERROR"], row)?;
        }
        Command::Retry { id } => {
            let view = home.retry_callback(cx, id).await?;
            cx.out.one(
                &view,
                vec![
                    ("callback", view.callback_id.to_string().into()),
                    ("dag", view.dag_id.clone().into()),
                    ("run", view.dag_run_id.clone().into()),
                    ("task", Cell::maybe(view.task_id.clone())),
                    ("uses", view.operator.clone().into()),
                    ("state", view.state.clone().into()),
                ],
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: &CallbackView) -> Vec<Cell> {
    // What a server said may have lines.
    let error = view.error.as_deref().and_then(|error| error.lines().next());
    vec![
        view.callback_id.to_string().into(),
        view.dag_id.clone().into(),
        view.dag_run_id.clone().into(),
        Cell::maybe(view.task_id.clone()),
        view.event.clone().into(),
        view.operator.clone().into(),
        view.state.clone().into(),
        view.tries.to_string().into(),
        Cell::maybe(error),
    ]
}
