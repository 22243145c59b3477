//! The command line: global flags and the list of commands. Each command's own arguments are in its module.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{commands::*, config::remote::RemoteFlags, output::Format};

/// Runs DAGs of tasks: Airflow's ideas, one small binary.
#[derive(Debug, Parser)]
#[command(
    name = "flow",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:
  flow standalone                            scheduler, worker and web server in one process
  flow dags check                            every mistake in the DAG folder
  flow trigger tutorial --wait               run a DAG once, and wait for its end
  flow tasks explain tutorial latest sleep   why is this task not running?

Each command has its own --help with examples."
)]
pub(crate) struct Cli {
    /// Folder of everything Flow keeps [default: $FLOW_HOME, else ~/.flow]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) home: Option<PathBuf>,

    /// Settings file [default: flow.toml in the home]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,

    /// How answers are printed
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        help_heading = "Global options",
        hide_possible_values = true,
        help = "How answers are printed: table, json, yaml or plain"
    )]
    pub(crate) output: Option<Format>,

    /// Work over the network, on this Flow server [default: $FLOW_SERVER]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub(crate) server: Option<String>,

    /// Its token; others on this machine can see it: better --token-file
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "Global options")]
    token: Option<String>,

    /// File with its token [default: the token in $FLOW_TOKEN]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options", conflicts_with = "token")]
    token_file: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Returns what is said about a server.
    pub(crate) fn remote(&self) -> RemoteFlags {
        RemoteFlags {
            server: self.server.clone(),
            token: self.token.as_deref().map(Into::into),
            token_file: self.token_file.clone(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process
    Standalone(standalone::Args),
    /// Run a scheduler, any number of them on one Postgres
    Scheduler(scheduler::Args),
    /// Run a worker, any number of them on any hosts
    Worker(worker::Args),
    /// Run the web server: API and screens
    Web(web::Args),
    /// Look after the database: migrate, check, clean, rotate-key
    Db(db::Args),
    /// Look at home, database, disk, clocks, DAG files; say what is wrong and what to do
    Doctor(doctor::Args),
    /// DAGs: list, show, check, test, pause, draw
    Dags(dags::Args),
    /// Start a run of a DAG
    Trigger(trigger::Args),
    /// Runs: list, show, wait, clear, mark, cancel
    Runs(runs::Args),
    /// Task instances: list, log, explain, clear, mark
    Tasks(tasks::Args),
    /// Runs of the past: create, list, pause, cancel
    #[command(hide = true)]
    Backfill(backfill::Args),
    /// Mails and other things that DAGs ask for when something happens: list, retry
    Callbacks(callbacks::Args),
    /// Limits shared by tasks: list, get, set, delete, import, export
    Pools(pools::Args),
    /// Values for templates: list, get, set, delete, import, export
    Variables(variables::Args),
    /// Logins to other systems: list, get, set, delete, test, import, export
    Connections(connections::Args),
    /// Kafka from the shell: topics, produce, consume
    Kafka(kafka::Args),
    /// People who may log in: list, get, set, delete
    Users(users::Args),
    /// Keys for programs: list, create, delete
    Tokens(tokens::Args),
    /// JSON schemas, for editors and programs
    Schema(schema::Args),
    /// The settings in force
    Config(settings::Args),
    /// Completions for a shell
    Completions(completions::Args),
    /// The version of this binary
    Version(version::Args),
}

impl Command {
    /// Returns the name of a command that works on this machine whatever server there is.
    pub(crate) fn only_here(&self) -> Option<&'static str> {
        match self {
            Self::Standalone(_) => Some("standalone"),
            Self::Scheduler(_) => Some("scheduler"),
            Self::Worker(_) => Some("worker"),
            Self::Web(_) => Some("web"),
            Self::Db(_) => Some("db"),
            Self::Doctor(_) => Some("doctor"),
            Self::Kafka(_) => Some("kafka"),
            Self::Schema(_) => Some("schema"),
            Self::Config(_) => Some("config"),
            Self::Completions(_) => Some("completions"),
            Self::Version(_) => Some("version"),
            Self::Dags(args) => args.only_here(),
            Self::Trigger(_)
            | Self::Runs(_)
            | Self::Tasks(_)
            | Self::Backfill(_)
            | Self::Callbacks(_)
            | Self::Pools(_)
            | Self::Variables(_)
            | Self::Connections(_)
            | Self::Users(_)
            | Self::Tokens(_) => None,
        }
    }

    /// Returns the settings that flags of this command set: name, text, flag.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut flags = Flags::default();
        match self {
            Self::Standalone(args) => args.set(&mut flags),
            Self::Scheduler(args) => args.set(&mut flags),
            Self::Worker(args) => args.set(&mut flags),
            Self::Web(args) => args.set(&mut flags),
            Self::Dags(args) => args.set(&mut flags),
            Self::Db(_)
            | Self::Doctor(_)
            | Self::Trigger(_)
            | Self::Runs(_)
            | Self::Tasks(_)
            | Self::Backfill(_)
            | Self::Callbacks(_)
            | Self::Pools(_)
            | Self::Variables(_)
            | Self::Connections(_)
            | Self::Users(_)
            | Self::Tokens(_)
            | Self::Kafka(_)
            | Self::Schema(_)
            | Self::Config(_)
            | Self::Completions(_)
            | Self::Version(_) => {}
        }
        flags.0
    }

    /// Returns what this command takes where nothing is set, instead of the default.
    pub(crate) fn defaults(&self) -> &'static [(&'static str, &'static str)] {
        // Whoever starts everything in one process wants to see it run.
        if matches!(self, Self::Standalone(_)) { &[("core.dags_are_paused_at_creation", "false")] } else { &[] }
    }
}

/// Collects settings that flags set.
#[derive(Debug, Default)]
pub(crate) struct Flags(Vec<(&'static str, String, &'static str)>);

impl Flags {
    /// Adds a setting if the flag was given.
    pub(crate) fn add(&mut self, setting: &'static str, value: Option<impl ToString>, flag: &'static str) {
        if let Some(value) = value {
            self.0.push((setting, value.to_string(), flag));
        }
    }

    /// Adds a folder; it is relative to the working folder, not the home.
    pub(crate) fn add_path(&mut self, setting: &'static str, path: Option<&PathBuf>, flag: &'static str) {
        self.add(setting, path.map(|path| path.to_string_lossy()), flag);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Calls `look` with every command that is shown, and its path.
    fn each(command: &clap::Command, path: &str, look: &mut dyn FnMut(&clap::Command, &str)) {
        look(command, path);
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            each(inner, &format!("{path} {}", inner.get_name()), look);
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_flow_fits_a_screen() {
        let help = Cli::command().render_help().to_string();
        assert!(help.lines().count() <= 48, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }

    #[test]
    fn every_command_has_examples_that_are_read_without_complaint() {
        let mut root = Cli::command();
        root.build();
        each(&root, "flow", &mut |command, path| {
            let Some(examples) = command.get_after_help().map(ToString::to_string) else {
                panic!("`{path}` has no examples");
            };
            let lines: Vec<&str> = examples.lines().map(str::trim).filter(|line| line.starts_with("flow ")).collect();
            assert!(!lines.is_empty(), "`{path}` has no examples");
            for line in lines {
                let words = line.split("  ").next().unwrap_or(line).split(['<', '>']).next().unwrap_or(line).trim_end();
                if let Err(error) = Cli::try_parse_from(split(words)) {
                    panic!("the help of `{path}` has a wrong example: {line}\n{error}");
                }
            }
        });
    }

    /// Splits a line as a shell would, as far as single quotes go.
    fn split(line: &str) -> Vec<String> {
        let mut words: Vec<String> = vec![String::new()];
        let mut is_quoted = false;
        for c in line.chars() {
            match c {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                other => words.last_mut().unwrap().push(other),
            }
        }
        words
    }
}
