//! One module per command. A module has its arguments, `Args`, and its body, `run`.

use std::process::ExitCode;

use crate::{cli::Command, context::Cx, output::Refusal};

pub(crate) mod backfill;
pub(crate) mod callbacks;
pub(crate) mod completions;
pub(crate) mod connections;
pub(crate) mod dags;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod kafka;
pub(crate) mod pools;
pub(crate) mod runs;
pub(crate) mod scheduler;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod standalone;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod transfer;
pub(crate) mod trigger;
pub(crate) mod users;
pub(crate) mod variables;
pub(crate) mod version;
pub(crate) mod web;
pub(crate) mod worker;

/// Runs a command to its end.
pub(crate) async fn run(command: Command, cx: &Cx) -> anyhow::Result<ExitCode> {
    if let Some(remote) = cx.config.remote.as_ref().filter(|remote| remote.origin.word() == "flag")
        && let Some(name) = command.only_here()
    {
        return Err(Refusal::usage(format!("`flow {name}` works on this machine, not on `{}`", remote.shown()))
            .help("leave `--server` out")
            .into());
    }
    match command {
        Command::Standalone(args) => standalone::run(args, cx).await,
        Command::Scheduler(args) => scheduler::run(args, cx).await,
        Command::Worker(args) => worker::run(args, cx).await,
        Command::Web(args) => web::run(args, cx).await,
        Command::Db(args) => db::run(args, cx).await,
        Command::Doctor(args) => doctor::run(args, cx).await,
        Command::Dags(args) => dags::run(args, cx).await,
        Command::Trigger(args) => trigger::run(args, cx).await,
        Command::Runs(args) => runs::run(args, cx).await,
        Command::Tasks(args) => tasks::run(args, cx).await,
        Command::Backfill(args) => backfill::run(args, cx).await,
        Command::Callbacks(args) => callbacks::run(args, cx).await,
        Command::Pools(args) => pools::run(args, cx).await,
        Command::Variables(args) => variables::run(args, cx).await,
        Command::Connections(args) => connections::run(args, cx).await,
        Command::Kafka(args) => kafka::run(args, cx).await,
        Command::Users(args) => users::run(args, cx).await,
        Command::Tokens(args) => tokens::run(args, cx).await,
        Command::Schema(args) => schema::run(args, cx),
        Command::Config(args) => settings::run(args, cx),
        Command::Completions(args) => completions::run(args, cx),
        Command::Version(args) => version::run(args, cx),
    }
}
