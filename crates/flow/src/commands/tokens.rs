//! `flow tokens`: keys for programs. A secret is shown once.

use std::{process::ExitCode, time::Duration};

use crate::{
    config::value::duration,
    context::Cx,
    home::{Home, TokenView},
    output::{Cell, Refusal},
};

/// Most characters of a token's name.
const NAME_CHARS: usize = 100;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow tokens create ci --user ada --expires 90d
  flow tokens list
  flow tokens delete 3

A program sends it with each request: Authorization: Bearer flow_…")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All tokens, without their secrets
    #[command(after_help = "Examples:\n  flow tokens list\n  flow tokens list --user ada -o json")]
    List {
        /// Only this user's
        #[arg(long)]
        user: Option<String>,
    },
    /// Make a token and print its secret, once
    #[command(after_help = "Examples:
  flow tokens create ci --user ada --expires 90d
  flow tokens create dashboard --user eve --expires never -o json")]
    Create {
        /// What it is for
        name: String,
        /// Whose it is: it may do what they may [default: over the network you; else the only user]
        #[arg(long)]
        user: Option<String>,
        /// How long it is good: a duration, or never
        #[arg(long, default_value = "90d", value_parser = lifetime)]
        expires: Lifetime,
    },
    /// Revoke a token: it is good no more, at once
    #[command(after_help = "Examples:\n  flow tokens delete 3")]
    Delete {
        /// Its number, from `flow tokens list`
        #[arg(value_parser = number)]
        id: i64,
    },
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "a token has a number; see: flow tokens list".to_owned())
}

/// How long a token is good.
#[derive(Clone, Copy, Debug)]
enum Lifetime {
    Never,
    For(Duration),
}

fn lifetime(text: &str) -> Result<Lifetime, String> {
    if text == "never" {
        return Ok(Lifetime::Never);
    }
    let span = duration(text).filter(|span| *span >= Duration::from_secs(1));
    span.map(Lifetime::For).ok_or_else(|| "must be a duration such as `12h` or `90d`, or `never`".to_owned())
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List { user } => list(cx, &home, user.as_deref()).await?,
        Command::Create { name, user, expires } => create(cx, &home, &name, user, expires).await?,
        Command::Delete { id } => {
            let Some(token) = home.revoke_token(cx, id).await? else {
                let refusal = Refusal::failed(format!("token {id} does not exist"));
                return Err(refusal.help("see which there are: flow tokens list").into());
            };
            cx.out.remark(&format!("revoked token {id}, `{}` of {}", token.name, token.username))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(cx: &Cx, home: &Home, user: Option<&str>) -> anyhow::Result<()> {
    if let Some(user) = user
        && home.user(user).await?.is_none()
    {
        return Err(home.no_such_user(user).await);
    }
    let views = home.tokens(cx, user).await?;
    cx.out.list(&views, &["ID", "NAME", "USER", "BEGINS WITH", "STATE", "EXPIRES", "LAST USED"], |view| {
        vec![
            view.id.to_string().into(),
            view.name.clone().into(),
            view.username.clone().into(),
            view.prefix.clone().into(),
            view.state.clone().into(),
            expiry(view),
            Cell::maybe(view.last_used_at),
        ]
    })?;
    Ok(())
}

async fn create(cx: &Cx, home: &Home, name: &str, user: Option<String>, expires: Lifetime) -> anyhow::Result<()> {
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Refusal::usage(format!("the name of a token has 1 to {NAME_CHARS} characters")).into());
    }
    let user = match (user, home) {
        (Some(user), _) => Some(user),
        (None, Home::Remote(_)) => None,
        (None, Home::Local(_)) => {
            let mut all = home.users().await?;
            match (all.pop(), all.is_empty()) {
                (Some(only), true) => Some(only.username),
                _ => return Err(Refusal::usage("whose token is it to be?").help("name a user: --user NAME").into()),
            }
        }
    };
    let lifetime = match expires {
        Lifetime::Never => None,
        Lifetime::For(span) => Some(span),
    };
    let view = home.add_token(cx, name, user.as_deref(), lifetime).await?;
    let properties: Vec<(&str, Cell)> = vec![
        ("id", view.id.to_string().into()),
        ("name", view.name.clone().into()),
        ("user", view.username.clone().into()),
        ("expires", expiry(&view)),
        ("token", Cell::maybe(view.access_token.as_ref())),
    ];
    cx.out.one(&view, properties)?;
    cx.out.remark("Keep the token now: it is shown only once.")?;
    Ok(())
}

fn expiry(view: &TokenView) -> Cell {
    view.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()).into()
}
