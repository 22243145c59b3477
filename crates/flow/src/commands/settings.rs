//! `flow config`: the settings in force, and where each came from.

use std::process::ExitCode;

use serde_json::Value;

use crate::{config::Shown, context::Cx, output::Cell};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow config show
  flow config show -o json")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Every setting, its value and where it came from
    #[command(after_help = "Examples:
  flow config show
  flow config show -o json

Passwords are masked.")]
    Show,
}

pub(crate) fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let Command::Show = args.command;
    cx.out.list(&cx.config.shown(), &["setting", "value", "source", "place"], row)?;
    if cx.config.file.is_none() {
        cx.out.remark(&format!("\nThere is no {}.", cx.config.home.join("flow.toml").display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(shown: &Shown) -> Vec<Cell> {
    let value = match &shown.value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => shown.value.to_string(),
    };
    vec![shown.name.clone().into(), value.into(), shown.source.into(), Cell::maybe(shown.place.as_ref())]
}
