//! `flow connections`: where other systems are, and how to log in to them.

use std::{path::PathBuf, process::ExitCode};

use flow_core::connection::{Connection, check_extra, check_id};
use serde_json::{Map, Value};

use super::transfer::{self, Form, OnExisting};
use crate::{
    ask,
    config::near,
    context::Cx,
    home::{ConnectionParts, ConnectionView, Home},
    output::{Cell, Refusal},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow connections set warehouse --conn-type postgres --host db --login me --password-stdin < password.txt
  flow connections test warehouse
  flow connections import connections.json

Tasks see FLOW_CONN_WAREHOUSE (or AIRFLOW_CONN_WAREHOUSE) of their worker's environment before what is set here.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All connections, without their secrets
    #[command(after_help = "Examples:\n  flow connections list\n  flow connections list -o json")]
    List,
    /// One connection
    #[command(
        after_help = "Examples:\n  flow connections get warehouse\n  flow connections get warehouse --show-secrets"
    )]
    Get {
        /// The connection's id
        id: String,
        /// Show the password and the secrets of `extra` too
        #[arg(long)]
        show_secrets: bool,
    },
    /// Make one, from a URI, JSON or parts; or change the parts that are given
    #[command(after_help = "Examples:
  flow connections set api http://https://api.example/v1
  flow connections set warehouse < uri.txt
  flow connections set warehouse --host db2 --port 5433")]
    Set(Box<Set>),
    /// Forget one
    #[command(after_help = "Examples:\n  flow connections delete warehouse --yes")]
    Delete {
        /// The connection's id
        id: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Connect and log in from here, and say what failed
    #[command(after_help = "Examples:\n  flow connections test warehouse")]
    Test {
        /// The connection's id
        id: String,
    },
    /// Set all that a file names: Airflow's JSON, YAML, or .env
    #[command(
        after_help = "Examples:\n  flow connections import connections.json\n  flow connections import old.env --on-existing skip"
    )]
    Import {
        /// {"id": "URI"} or {"id": {"conn_type": …}}, or lines id=URI; - = stdin
        file: PathBuf,
        /// What to do with ids that are there
        #[arg(long, value_name = "WHAT", default_value = "overwrite")]
        on_existing: OnExisting,
    },
    /// Write all, secrets in the clear, as JSON, YAML or .env
    #[command(
        after_help = "Examples:\n  flow connections export connections.json\n  flow connections export --format env"
    )]
    Export {
        /// The file, which only you may read [default: stdout]
        file: Option<PathBuf>,
        /// [default: as the file is called, else JSON]
        #[arg(long, visible_alias = "file-format")]
        format: Option<Form>,
    },
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The connection's id
    id: String,
    /// A URI such as postgres://me:secret@db:5432/sales, or JSON; - = stdin [default: stdin, unless parts are given]
    whole: Option<String>,
    /// postgres, http, …
    #[arg(long, value_name = "TYPE")]
    conn_type: Option<String>,
    /// What it is for
    #[arg(long, visible_alias = "conn-description", value_name = "TEXT")]
    description: Option<String>,
    /// Name or address of the other system
    #[arg(long, visible_alias = "conn-host")]
    host: Option<String>,
    /// Port of the other system
    #[arg(long, visible_alias = "conn-port")]
    port: Option<u16>,
    /// Who logs in
    #[arg(long, visible_alias = "conn-login", value_name = "USER")]
    login: Option<String>,
    /// Read the password from stdin, so that it stands in no history
    #[arg(long)]
    password_stdin: bool,
    /// The password, for all to see in the list of processes; better: --password-stdin
    #[arg(long, visible_alias = "conn-password", conflicts_with = "password_stdin", value_name = "TEXT")]
    password: Option<String>,
    /// Database, or what the type calls so
    #[arg(long, visible_alias = "conn-schema", value_name = "NAME")]
    schema: Option<String>,
    /// A JSON object
    #[arg(long, visible_alias = "conn-extra", value_name = "JSON")]
    extra: Option<String>,
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List => {
            let views = home.connections().await?;
            cx.out.list(&views, &["CONNECTION", "TYPE", "HOST", "PORT", "LOGIN", "SCHEMA", "DESCRIPTION"], |view| {
                vec![
                    view.connection_id.clone().into(),
                    view.conn_type.clone().into(),
                    Cell::maybe(view.host.clone()),
                    Cell::maybe(view.port),
                    Cell::maybe(view.login.clone()),
                    Cell::maybe(view.schema.clone()),
                    Cell::maybe(view.description.clone()),
                ]
            })?;
        }
        Command::Get { id, show_secrets } => match home.connection(&id, show_secrets).await? {
            Some(view) => show(cx, &view)?,
            None => return Err(no_such_connection(&home, &id).await),
        },
        Command::Set(given) => set(cx, &home, *given).await?,
        Command::Delete { id, yes } => {
            if home.connection(&id, false).await?.is_none() {
                return Err(no_such_connection(&home, &id).await);
            }
            if !yes && !ask::is_possible() {
                let refusal = Refusal::usage(format!("without connection `{id}`, tasks that use it fail"));
                return Err(refusal.help("if you mean it: --yes").into());
            }
            if !yes && !ask::yes(&format!("Delete connection `{id}`? Tasks that use it will fail."))? {
                return Ok(ExitCode::FAILURE);
            }
            if !home.delete_connection(cx, &id).await? {
                return Err(no_such_connection(&home, &id).await);
            }
            cx.out.remark(&format!("deleted connection {id}"))?;
        }
        Command::Test { id } => {
            let Some((status, message)) = home.test_connection(cx, &id).await? else {
                return Err(no_such_connection(&home, &id).await);
            };
            let tested = serde_json::json!({ "connection_id": id, "status": status, "message": message });
            cx.out.list_or(&tested, &[message], |message| vec![message.clone().into()])?;
            return Ok(if status { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Import { file, on_existing } => {
            let mut wanted = Vec::new();
            for (id, value) in transfer::read(&file)? {
                check_id(&id).map_err(|words| Refusal::failed(format!("`{id}`: {words}")))?;
                wanted.push(Connection::from_json(&id, &value).map_err(Refusal::failed)?);
            }
            home.import_connections(cx, wanted, on_existing).await?.show(cx)?;
        }
        Command::Export { file, format } => {
            let is_env = format == Some(Form::Env)
                || format.is_none()
                    && file.as_ref().is_some_and(|path| path.to_string_lossy().to_lowercase().ends_with(".env"));
            let mut found = Map::new();
            for known in home.connections().await? {
                let Some(made) = home.whole_connection(&known.connection_id).await? else { continue };
                let mut value = made.to_json();
                if let Some(fields) = value.as_object_mut() {
                    fields.shift_remove("conn_id");
                }
                let value = if is_env { Value::from(made.to_uri()) } else { value };
                found.insert(made.id, value);
            }
            transfer::write(cx, file.as_deref(), format, found)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(cx: &Cx, home: &Home, given: Set) -> anyhow::Result<()> {
    let id = given.id;
    check_id(&id).map_err(Refusal::usage)?;
    let has_parts = given.password_stdin
        || given.port.is_some()
        || [
            &given.conn_type,
            &given.description,
            &given.host,
            &given.login,
            &given.password,
            &given.schema,
            &given.extra,
        ]
        .iter()
        .any(|part| part.is_some());
    let whole = match given.whole {
        Some(text) if text != "-" => Some(text),
        Some(_) if given.password_stdin => {
            return Err(Refusal::usage("stdin can give the whole connection or its password, not both").into());
        }
        None if has_parts => None,
        Some(_) | None => Some(transfer::value_of_stdin(cx, "a URI or JSON")?),
    };
    let password = match given.password_stdin {
        true => Some(transfer::value_of_stdin(cx, "the password")?),
        false => given.password,
    };
    if let Some(extra) = &given.extra {
        check_extra(extra).map_err(Refusal::usage)?;
    }
    let whole = match whole {
        Some(text) => Some(Connection::parse(&id, &text).map_err(Refusal::usage)?),
        None => None,
    };
    let parts = ConnectionParts {
        conn_type: given.conn_type,
        description: given.description,
        host: given.host,
        port: given.port,
        login: given.login,
        schema: given.schema,
        password,
        extra: given.extra,
    };
    let is_new = home.set_connection(cx, &id, whole, &parts).await?;
    cx.out.remark(&format!("{} connection {id}", if is_new { "made" } else { "changed" }))?;
    Ok(())
}

fn show(cx: &Cx, view: &ConnectionView) -> anyhow::Result<()> {
    let properties: Vec<(&str, Cell)> = vec![
        ("connection", view.connection_id.clone().into()),
        ("type", view.conn_type.clone().into()),
        ("description", Cell::maybe(view.description.clone())),
        ("host", Cell::maybe(view.host.clone())),
        ("port", Cell::maybe(view.port)),
        ("login", Cell::maybe(view.login.clone())),
        ("password", Cell::maybe(view.password.clone())),
        ("schema", Cell::maybe(view.schema.clone())),
        ("extra", Cell::maybe(view.extra.clone())),
        ("uri", Cell::maybe(view.uri.clone())),
    ];
    let properties = properties.into_iter().filter(|(_, cell)| !cell.is_empty()).collect();
    cx.out.one(view, properties)?;
    Ok(())
}

async fn no_such_connection(home: &Home, id: &str) -> anyhow::Error {
    let known = home.connections().await.unwrap_or_default().into_iter().map(|view| view.connection_id);
    let refusal = Refusal::failed(format!("connection `{id}` does not exist"));
    refusal
        .help(match near(id, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow connections list; make it: flow connections set {id} URI"),
        })
        .into()
}
