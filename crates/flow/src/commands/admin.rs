//! `flow variables` and `connections`: what belongs to an installation rather than to a DAG. Hidden until they
//! have bodies.

use std::{path::PathBuf, process::ExitCode};

use crate::context::Cx;

macro_rules! group {
    ($Args:ident, $Command:ident, $run:ident, $word:literal, $instead:literal, $examples:literal, { $($(#[$attr:meta])* $extra:ident { $($(#[$fattr:meta])* $field:ident: $type:ty),* $(,)? }),* $(,)? }) => {
        #[derive(Debug, clap::Args)]
        #[command(after_help = $examples)]
        pub(crate) struct $Args {
            #[command(subcommand)]
            command: $Command,
        }

        #[derive(Debug, clap::Subcommand)]
        enum $Command {
            /// All of them
            List,
            /// One of them
            Get { name: String },
            /// Forget one
            Delete { name: String },
            $($(#[$attr])* $extra { $($(#[$fattr])* $field: $type),* }),*
        }

        pub(crate) async fn $run(args: $Args, cx: &Cx) -> anyhow::Result<ExitCode> {
            match args.command {
                $Command::List => cx.not_yet(concat!($word, " list"), $instead).await,
                $Command::Get { name: _ } => cx.not_yet(concat!($word, " get"), $instead).await,
                $Command::Delete { name: _ } => cx.not_yet(concat!($word, " delete"), $instead).await,
                $($Command::$extra { $($field: _),* } => cx.not_yet($word, $instead).await),*
            }
        }
    };
}

group!(VariablesArgs, VariablesCommand, variables, "variables",
    "set it in the environment of the processes that run tasks: FLOW_VAR_REGION=eu (or AIRFLOW_VAR_REGION)",
    "Examples:\n  flow variables set region eu", {
    /// Make one, or change it
    Set { name: String, value: String, #[arg(long)] description: Option<String> },
    /// Set all that a JSON file names
    Import { file: PathBuf },
    /// Write all as JSON
    Export { file: Option<PathBuf> },
});

group!(ConnectionsArgs, ConnectionsCommand, connections, "connections",
    "set it in the environment of the processes that run tasks: FLOW_CONN_WAREHOUSE=postgres://… (or AIRFLOW_CONN_WAREHOUSE)",
    "Examples:\n  flow connections test warehouse", {
    /// Make one, or change it, from a URI or JSON
    Set { name: String, value: String },
    /// Really connect
    Test { name: String },
    /// Set all that a JSON file names
    Import { file: PathBuf },
    /// Write all as JSON
    Export { file: Option<PathBuf> },
});
