//! `flow users` and `tokens`: what belongs to an installation rather than to a DAG. Hidden until they have bodies.

use std::process::ExitCode;

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

group!(UsersArgs, UsersCommand, users, "users",
    "there are no logins yet: leave `web.host` on 127.0.0.1, and let a web server in front of it ask for one",
    "Examples:\n  flow users set ada --role Op", {
    /// Make one, or change its role or password
    Set { name: String, #[arg(long)] role: Option<String>, #[arg(long)] password_stdin: bool },
});

group!(TokensArgs, TokensCommand, tokens, "tokens",
    "there are no logins yet: leave `web.host` on 127.0.0.1, and let a web server in front of it ask for one",
    "Examples:\n  flow tokens create ci --user ada --expires 90d", {
    /// Make one and print it, once
    Create { name: String, #[arg(long)] user: Option<String>, #[arg(long)] expires: Option<String> },
});
