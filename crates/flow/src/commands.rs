//! One module per command. A module has its arguments, `Args`, and its body, `run`.

use std::process::ExitCode;

use crate::{cli::Command, context::Cx};

pub(crate) mod admin;
pub(crate) mod backfill;
pub(crate) mod completions;
pub(crate) mod connections;
pub(crate) mod dags;
pub(crate) mod db;
pub(crate) mod pools;
pub(crate) mod runs;
pub(crate) mod scheduler;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod standalone;
pub(crate) mod tasks;
pub(crate) mod transfer;
pub(crate) mod trigger;
pub(crate) mod variables;
pub(crate) mod version;
pub(crate) mod web;
pub(crate) mod worker;

/// Runs a command to its end.
pub(crate) async fn run(command: Command, cx: &Cx) -> anyhow::Result<ExitCode> {
    match command {
        Command::Standalone(args) => standalone::run(args, cx).await,
        Command::Scheduler(args) => scheduler::run(args, cx).await,
        Command::Worker(args) => worker::run(args, cx).await,
        Command::Web(args) => web::run(args, cx).await,
        Command::Db(args) => db::run(args, cx).await,
        Command::Dags(args) => dags::run(args, cx).await,
        Command::Trigger(args) => trigger::run(args, cx).await,
        Command::Runs(args) => runs::run(args, cx).await,
        Command::Tasks(args) => tasks::run(args, cx).await,
        Command::Backfill(args) => backfill::run(args, cx).await,
        Command::Pools(args) => pools::run(args, cx).await,
        Command::Variables(args) => variables::run(args, cx).await,
        Command::Connections(args) => connections::run(args, cx).await,
        Command::Users(args) => admin::users(args, cx).await,
        Command::Tokens(args) => admin::tokens(args, cx).await,
        Command::Schema(args) => schema::run(args, cx),
        Command::Config(args) => settings::run(args, cx),
        Command::Completions(args) => completions::run(args, cx),
        Command::Version(args) => version::run(args, cx),
    }
}
