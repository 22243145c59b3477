//! What every command is given: the configuration, the way to print, the current time.

use flow_core::{Timestamp, catalog::Catalog};

use crate::{
    cli::Cli,
    config::{Config, Surroundings},
    output::{Output, Refusal},
};

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Cx {
    pub(crate) config: Config,
    /// What the configuration was read from, to read it again.
    pub(crate) around: Surroundings,
    pub(crate) out: Output,
}

impl Cx {
    /// Puts it together from the command line and what is around the process.
    pub(crate) fn new(cli: &Cli) -> anyhow::Result<Self> {
        let around = Surroundings {
            home: cli.home.clone(),
            file: cli.config.clone(),
            remote: cli.remote(),
            flags: cli.command.settings(),
            defaults: cli.command.defaults(),
            ..Surroundings::of_process()
        };
        Ok(Self { config: Config::load(&around)?, around, out: Output::new(cli.output.unwrap_or_default()) })
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> Timestamp {
        flow_runtime::clock::system_now()
    }

    /// Returns the operators of this build.
    pub(crate) fn catalog(&self) -> Catalog {
        flow_operators::all().catalog()
    }

    /// Ends a command whose body is not written yet; says what does the same.
    pub(crate) async fn not_yet(&self, command: &str, instead: &str) -> anyhow::Result<std::process::ExitCode> {
        std::future::ready(()).await;
        Err(Refusal::failed(format!("`flow {command}` is not part of this version")).help(instead).into())
    }
}
