//! `flow completions`: what a shell needs to complete commands.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{cli::Cli, context::Cx};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow completions bash > ~/.local/share/bash-completion/completions/flow
  flow completions zsh > ~/.zfunc/_flow
  flow completions fish > ~/.config/fish/completions/flow.fish")]
pub(crate) struct Args {
    /// bash, zsh, fish, elvish or powershell
    #[arg(hide_possible_values = true)]
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "flow", &mut script);
    cx.out.raw(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
