//! `flow users`: who may log in, and as what.

use std::{
    io::{IsTerminal as _, Read as _},
    process::ExitCode,
};

use flow_server::{Role, check_new_password, check_user_name, hash_password, random_password};
use flow_store::{Event, NewUser, Page, StoreError, User, UserChange};
use serde::Serialize;

use crate::{
    ask,
    config::near,
    context::Cx,
    node::Parts,
    output::{Cell, Refusal},
};

/// Most users that are listed.
const LISTED: u32 = 10_000;
/// Longest password that is read.
const PASSWORD_BYTES: u64 = 4_096;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow users list
  flow users set ada --role Op
  flow users set ada --password-stdin < password.txt

Roles, each with the rights of those before it: Viewer, User, Op, Admin.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All users
    #[command(after_help = "Examples:\n  flow users list\n  flow users list -o json")]
    List,
    /// One user
    #[command(after_help = "Examples:\n  flow users get ada")]
    Get {
        /// The user's name
        name: String,
    },
    /// Make a user, or change a role or password
    #[command(after_help = "Examples:
  flow users set ada --role Op                       a new user gets a random password, shown once
  flow users set ada --password-stdin < password.txt
  flow users set ada --role Viewer
  flow users set ada --inactive

A new password ends the user's sessions and tokens; another role counts at once.")]
    Set {
        /// The user's name
        name: String,
        /// Viewer, User, Op or Admin; a new user needs one
        #[arg(long)]
        role: Option<Role>,
        /// Read the password from stdin
        #[arg(long, conflicts_with = "new_password")]
        password_stdin: bool,
        /// Make a random password, and show it
        #[arg(long)]
        new_password: bool,
        /// They may log in
        #[arg(long, conflicts_with = "inactive")]
        active: bool,
        /// They may not log in any more
        #[arg(long)]
        inactive: bool,
    },
    /// Forget a user; their sessions and tokens end
    #[command(after_help = "Examples:\n  flow users delete ada --yes")]
    Delete {
        /// The user's name
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// A user, for programs: the API's names.
#[derive(Debug, Serialize)]
struct View {
    username: String,
    role: String,
    is_active: bool,
    created_at: String,
    last_login_at: Option<String>,
    /// A random password that was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl View {
    fn of(user: &User) -> Self {
        Self {
            username: user.name.clone(),
            role: user.role.clone(),
            is_active: user.is_active,
            created_at: moment(user.created_at),
            last_login_at: user.last_login_at.map(moment),
            password: None,
        }
    }
}

/// Writes a moment of a row.
pub(super) fn moment(micros: i64) -> String {
    flow_core::Timestamp::from_micros(micros).to_string()
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_database(cx).await?;
    match args.command {
        Command::List => {
            let views: Vec<View> = all(&parts).await?.iter().map(View::of).collect();
            cx.out.list(&views, &["USER", "ROLE", "ACTIVE", "LAST LOGIN"], |view| {
                vec![
                    view.username.clone().into(),
                    view.role.clone().into(),
                    (if view.is_active { "yes" } else { "no" }).into(),
                    Cell::maybe(view.last_login_at.as_ref()),
                ]
            })?;
        }
        Command::Get { name } => show(cx, View::of(&find(&parts, &name).await?))?,
        Command::Set { name, role, password_stdin, new_password, active, inactive } => {
            let given = match (password_stdin, new_password) {
                (true, _) => Given::Typed(read_password()?),
                (_, true) => Given::Random,
                _ => Given::None,
            };
            let is_active = (active || inactive).then_some(active);
            set(cx, &parts, &name, role, given, is_active).await?;
        }
        Command::Delete { name, yes } => {
            let user = find(&parts, &name).await?;
            if !yes && !ask::is_possible() {
                return Err(Refusal::usage(format!("deleting user `{name}` ends their sessions and tokens"))
                    .help("if you mean it: --yes")
                    .into());
            }
            if !yes && !ask::yes(&format!("Delete user `{name}` ({}), with their tokens?", user.role))? {
                return Ok(ExitCode::FAILURE);
            }
            let mut tx = parts.store.begin().await?;
            tx.delete_user(&user).await.map_err(refusal)?;
            tx.tell(&[told("user_deleted", &name)], cx.now()).await?;
            tx.commit().await?;
            cx.out.remark(&format!("deleted user {name}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a new password comes from.
enum Given {
    None,
    Typed(String),
    Random,
}

async fn set(
    cx: &Cx,
    parts: &Parts,
    name: &str,
    role: Option<Role>,
    given: Given,
    is_active: Option<bool>,
) -> anyhow::Result<()> {
    let before = parts.store.user(name).await?;
    if before.is_none() {
        check_user_name(name).map_err(Refusal::usage)?;
    }
    let (password, shown) = match given {
        Given::Typed(password) => (Some(password), None),
        Given::None if before.is_some() => (None, None),
        Given::None | Given::Random => {
            let password = random_password().map_err(Refusal::failed)?;
            (Some(password.clone()), Some(password))
        }
    };
    let hash = match password {
        Some(password) => {
            check_new_password(&password).map_err(Refusal::usage)?;
            Some(tokio::task::spawn_blocking(move || hash_password(&password)).await?.map_err(Refusal::failed)?)
        }
        None => None,
    };
    let mut tx = parts.store.begin().await?;
    match (&before, role) {
        (Some(user), role) => {
            let change = UserChange { role: role.map(Role::as_str), password: hash.as_deref(), is_active };
            tx.change_user(user, &change, cx.now()).await.map_err(refusal)?;
            tx.tell(&[told("user_changed", name)], cx.now()).await?;
        }
        (None, Some(role)) => {
            let password = hash.as_deref().unwrap_or_default();
            let user = NewUser { name, role: role.as_str(), password, is_active: is_active.unwrap_or(true) };
            tx.add_user(&user, cx.now()).await.map_err(refusal)?;
            tx.tell(&[told("user_created", name)], cx.now()).await?;
        }
        (None, None) => {
            let refusal = Refusal::usage(format!("user `{name}` does not exist, and a new one needs a role"));
            return Err(refusal.help(format!("flow users set {name} --role Viewer (or User, Op, Admin)")).into());
        }
    }
    tx.commit().await?;
    show(cx, View { password: shown, ..View::of(&find(parts, name).await?) })
}

fn show(cx: &Cx, view: View) -> anyhow::Result<()> {
    let mut properties: Vec<(&str, Cell)> = vec![
        ("user", view.username.clone().into()),
        ("role", view.role.clone().into()),
        ("active", (if view.is_active { "yes" } else { "no" }).into()),
        ("created", view.created_at.clone().into()),
        ("last login", Cell::maybe(view.last_login_at.as_ref())),
    ];
    if let Some(password) = &view.password {
        properties.push(("password", password.clone().into()));
    }
    cx.out.one(&view, properties)?;
    Ok(())
}

/// Reads a password: what stdin holds, without the end of the line.
fn read_password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        // What is typed would be on the screen.
        return Err(Refusal::usage("a password is not read from a terminal")
            .help("pass it on: flow users set NAME --password-stdin < FILE; or let Flow make one: --new-password")
            .into());
    }
    let mut text = String::new();
    stdin.lock().take(PASSWORD_BYTES).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

pub(super) async fn all(parts: &Parts) -> anyhow::Result<Vec<User>> {
    let orders = [flow_store::Order { by: flow_store::UserOrder::Name, is_descending: false }];
    Ok(parts.store.list_users(&[], &orders, Page { limit: LISTED, offset: 0 }).await?.rows)
}

pub(super) async fn find(parts: &Parts, name: &str) -> anyhow::Result<User> {
    if let Some(user) = parts.store.user(name).await? {
        return Ok(user);
    }
    let known = all(parts).await.unwrap_or_default();
    let refusal = Refusal::failed(format!("user `{name}` does not exist"));
    Err(refusal
        .help(match near(name, known.into_iter().map(|user| user.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow users list; make one: flow users set {name} --role ROLE"),
        })
        .into())
}

/// Says a conflict as it is, without advice to try again.
fn refusal(error: StoreError) -> anyhow::Error {
    if let StoreError::Conflict(why) = error { Refusal::failed(why).into() } else { error.into() }
}

/// Returns what the audit log says.
pub(super) fn told(kind: &'static str, what: &str) -> Event {
    Event { kind, detail: Some(format!("{what}, from the command line")), ..Event::default() }
}
