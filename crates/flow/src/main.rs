//! `flow`: one binary for the whole of Flow.
//!
//! Reads the command line, puts the configuration together, hands both to a command and turns what comes back
//! into an exit code: 0 done, 1 failed, 2 asked for in the wrong way. Each command is a module in `commands`.

mod ask;
mod cli;
mod client;
mod commands;
mod config;
mod context;
mod dag_files;
mod dag_folder;
mod descriptors;
mod graph;
mod home;
mod metrics;
mod node;
mod notifications;
mod output;
mod own_log;
mod rehearsal;
mod task_logs;
mod traces;
mod when;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

/// What work that cannot be interrupted gets to finish, when everything else has.
const FAREWELL: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    // Whoever speaks TLS asks for it; the second of two would be refused, and is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = cli::Cli::parse();
    match start(cli) {
        Ok(code) => code,
        // Whoever read our output has seen enough: `flow runs list | head`.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(output::report(&error)),
    }
}

fn start(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    let cx = context::Cx::new(&cli)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(commands::run(cli.command, &cx));
    // A thread that is still reading or searching has nobody left to tell.
    runtime.shutdown_timeout(FAREWELL);
    done
}
