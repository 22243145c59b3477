//! `flow users`: who may log in, and as what.

use std::{
    io::{IsTerminal as _, Read as _},
    process::ExitCode,
};

use flow_server::{Role, check_new_password, check_user_name, random_password};

use crate::{
    ask,
    context::Cx,
    home::{Home, UserView, UserWish},
    output::{Cell, Refusal},
};

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

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List => {
            let views = home.users().await?;
            cx.out.list(&views, &["USER", "ROLE", "ACTIVE", "LAST LOGIN"], |view| {
                vec![
                    view.username.clone().into(),
                    view.role.clone().into(),
                    (if view.is_active { "yes" } else { "no" }).into(),
                    Cell::maybe(view.last_login_at.as_ref()),
                ]
            })?;
        }
        Command::Get { name } => show(cx, &find(&home, &name).await?)?,
        Command::Set { name, role, password_stdin, new_password, active, inactive } => {
            let given = match (password_stdin, new_password) {
                (true, _) => Given::Typed(read_password()?),
                (_, true) => Given::Random,
                _ => Given::None,
            };
            let is_active = (active || inactive).then_some(active);
            set(cx, &home, &name, role, given, is_active).await?;
        }
        Command::Delete { name, yes } => {
            let user = find(&home, &name).await?;
            if !yes && !ask::is_possible() {
                return Err(Refusal::usage(format!("deleting user `{name}` ends their sessions and tokens"))
                    .help("if you mean it: --yes")
                    .into());
            }
            if !yes && !ask::yes(&format!("Delete user `{name}` ({}), with their tokens?", user.role))? {
                return Ok(ExitCode::FAILURE);
            }
            if !home.delete_user(cx, &name).await? {
                return Err(home.no_such_user(&name).await);
            }
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
    home: &Home,
    name: &str,
    role: Option<Role>,
    given: Given,
    is_active: Option<bool>,
) -> anyhow::Result<()> {
    check_user_name(name).map_err(Refusal::usage)?;
    let is_new = home.user(name).await?.is_none();
    let (password, shown) = match given {
        Given::Typed(password) => (Some(password), None),
        Given::None if !is_new => (None, None),
        Given::None | Given::Random => {
            let password = random_password().map_err(Refusal::failed)?;
            (Some(password.clone()), Some(password))
        }
    };
    if let Some(password) = &password {
        check_new_password(password).map_err(Refusal::usage)?;
    }
    let wish = UserWish { role, password, is_active };
    match (is_new, role) {
        (false, _) => home.change_user(cx, name, wish).await?,
        (true, Some(role)) => home.add_user(cx, name, role, wish).await?,
        (true, None) => {
            let refusal = Refusal::usage(format!("user `{name}` does not exist, and a new one needs a role"));
            return Err(refusal.help(format!("flow users set {name} --role Viewer (or User, Op, Admin)")).into());
        }
    }
    show(cx, &UserView { password: shown, ..find(home, name).await? })
}

fn show(cx: &Cx, view: &UserView) -> anyhow::Result<()> {
    let mut properties: Vec<(&str, Cell)> = vec![
        ("user", view.username.clone().into()),
        ("role", view.role.clone().into()),
        ("active", (if view.is_active { "yes" } else { "no" }).into()),
        ("created", view.created_at.to_string().into()),
        ("last login", Cell::maybe(view.last_login_at.as_ref())),
    ];
    if let Some(password) = &view.password {
        properties.push(("password", password.clone().into()));
    }
    cx.out.one(view, properties)?;
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

async fn find(home: &Home, name: &str) -> anyhow::Result<UserView> {
    match home.user(name).await? {
        Some(user) => Ok(user),
        None => Err(home.no_such_user(name).await),
    }
}
