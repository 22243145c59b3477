//! `flow tokens`: keys for programs. A secret is shown once.

use std::{process::ExitCode, time::Duration};

use flow_core::Timestamp;
use flow_server::token_secret;
use flow_store::{NewToken, Page, Token};
use serde::Serialize;

use super::users;
use crate::{
    config::value::duration,
    context::Cx,
    node::Parts,
    output::{Cell, Refusal},
};

/// Most tokens that are listed.
const LISTED: u32 = 10_000;
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
        /// Whose it is: it may do what they may [default: the only user, if there is one]
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
        id: i64,
    },
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

/// A token, for programs: the API's names.
#[derive(Debug, Serialize)]
struct View {
    id: i64,
    name: String,
    username: String,
    prefix: String,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    /// `good`, `expired` or `revoked`.
    state: &'static str,
    /// The secret, when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

impl View {
    fn of(token: &Token, now: Timestamp) -> Self {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now.as_micros() => "expired",
            (None, _) => "good",
        };
        Self {
            state,
            id: token.id,
            name: token.name.clone(),
            username: token.user.clone(),
            prefix: token.prefix.clone(),
            created_at: users::moment(token.created_at),
            expires_at: token.expires_at.map(users::moment),
            last_used_at: token.last_used_at.map(users::moment),
            revoked_at: token.revoked_at.map(users::moment),
            access_token: None,
        }
    }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_database(cx).await?;
    match args.command {
        Command::List { user } => list(cx, &parts, user.as_deref()).await?,
        Command::Create { name, user, expires } => create(cx, &parts, &name, user.as_deref(), expires).await?,
        Command::Delete { id } => {
            let Some(token) = parts.store.token(id).await? else {
                let refusal = Refusal::failed(format!("token {id} does not exist"));
                return Err(refusal.help("see which there are: flow tokens list").into());
            };
            let mut tx = parts.store.begin().await?;
            let what = format!("`{}` of {}", token.name, token.user);
            if tx.revoke_token(id, cx.now()).await? {
                tx.tell(&[users::told("token_revoked", &what)], cx.now()).await?;
            }
            tx.commit().await?;
            cx.out.remark(&format!("revoked token {id}, {what}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(cx: &Cx, parts: &Parts, user: Option<&str>) -> anyhow::Result<()> {
    if let Some(user) = user {
        users::find(parts, user).await?;
    }
    let listed = parts.store.list_tokens(user, Page { limit: LISTED, offset: 0 }).await?;
    let now = cx.now();
    let views: Vec<View> = listed.rows.iter().map(|token| View::of(token, now)).collect();
    cx.out.list(&views, &["ID", "NAME", "USER", "BEGINS WITH", "STATE", "EXPIRES", "LAST USED"], |view| {
        vec![
            view.id.to_string().into(),
            view.name.clone().into(),
            view.username.clone().into(),
            view.prefix.clone().into(),
            view.state.into(),
            view.expires_at.clone().unwrap_or_else(|| "never".to_owned()).into(),
            Cell::maybe(view.last_used_at.as_ref()),
        ]
    })?;
    Ok(())
}

async fn create(cx: &Cx, parts: &Parts, name: &str, user: Option<&str>, expires: Lifetime) -> anyhow::Result<()> {
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Refusal::usage(format!("the name of a token has 1 to {NAME_CHARS} characters")).into());
    }
    let user = match user {
        Some(user) => users::find(parts, user).await?,
        None => {
            let mut all = users::all(parts).await?;
            match (all.pop(), all.is_empty()) {
                (Some(only), true) => only,
                _ => return Err(Refusal::usage("whose token is it to be?").help("name a user: --user NAME").into()),
            }
        }
    };
    let (secret, hash, prefix) = token_secret().map_err(Refusal::failed)?;
    let now = cx.now();
    let expires_at = match expires {
        Lifetime::Never => None,
        Lifetime::For(span) => Some(now + span),
    };
    let mut tx = parts.store.begin().await?;
    let token = NewToken { user: user.id, name, hash: &hash, prefix: &prefix, expires_at };
    let id = tx.add_token(&token, now).await?;
    tx.tell(&[users::told("token_created", &format!("`{name}` of {}", user.name))], now).await?;
    tx.commit().await?;
    let made = parts.store.token(id).await?.ok_or_else(|| Refusal::failed(format!("token {id} is gone already")))?;
    let view = View { access_token: Some(secret.clone()), ..View::of(&made, now) };
    let properties: Vec<(&str, Cell)> = vec![
        ("id", id.to_string().into()),
        ("name", view.name.clone().into()),
        ("user", view.username.clone().into()),
        ("expires", view.expires_at.clone().unwrap_or_else(|| "never".to_owned()).into()),
        ("token", secret.into()),
    ];
    cx.out.one(&view, properties)?;
    cx.out.remark("Keep the token now: it is shown only once.")?;
    Ok(())
}
