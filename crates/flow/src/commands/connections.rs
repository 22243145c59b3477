//! `flow connections`: where other systems are, and how to log in to them.

use std::{path::PathBuf, process::ExitCode};

use flow_core::{
    connection::{Connection, check_extra, check_id},
    secret::{MASK, Secret, without_password},
};
use flow_store::{ConnectionFilter, ConnectionRow, Page};
use serde::Serialize;
use serde_json::{Map, Value};

use super::transfer::{self, Form, Imported, OnExisting};
use crate::{
    ask,
    config::near,
    context::Cx,
    node::Parts,
    output::{Cell, Refusal},
};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

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
    /// Find out whether its host can be reached from here; the login is not tried
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

/// A connection, for programs: Airflow's names.
#[derive(Debug, Serialize)]
struct View {
    connection_id: String,
    conn_type: String,
    description: Option<String>,
    host: Option<String>,
    login: Option<String>,
    schema: Option<String>,
    port: Option<u16>,
    password: Option<String>,
    extra: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

impl View {
    fn of(row: ConnectionRow, show_secrets: bool) -> Self {
        let made = row.connection;
        let hidden = |is_there: bool| is_there.then(|| MASK.to_owned());
        let shown = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let (password, extra, host, uri) = if show_secrets {
            (shown(&made.password), shown(&made.extra), made.host.clone(), Some(made.to_uri()))
        } else {
            let extra = made.redacted_extra().or_else(|| hidden(row.has_extra));
            (hidden(row.has_password), extra, made.host.as_deref().map(without_password), None)
        };
        Self {
            connection_id: made.id,
            conn_type: made.conn_type,
            description: made.description,
            host,
            login: made.login,
            schema: made.schema,
            port: made.port,
            password,
            extra,
            uri,
        }
    }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    match args.command {
        Command::List => {
            let views: Vec<View> = all(&parts).await?.into_iter().map(|row| View::of(row, false)).collect();
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
        Command::Get { id, show_secrets } => {
            let row = find(&parts, &id).await?;
            if let Some(why) = row.unreadable.as_ref().filter(|_| show_secrets) {
                return Err(Refusal::failed(why.to_string()).into());
            }
            show(cx, View::of(row, show_secrets))?;
        }
        Command::Set(given) => set(cx, &parts, *given).await?,
        Command::Delete { id, yes } => {
            find(&parts, &id).await?;
            if !yes && !ask::is_possible() {
                let refusal = Refusal::usage(format!("without connection `{id}`, tasks that use it fail"));
                return Err(refusal.help("if you mean it: --yes").into());
            }
            if !yes && !ask::yes(&format!("Delete connection `{id}`? Tasks that use it will fail."))? {
                return Ok(ExitCode::FAILURE);
            }
            let mut tx = parts.store.begin().await?;
            tx.delete_connection(&id).await?;
            transfer::tell(&mut tx, "delete_connection", &id, cx.now()).await?;
            tx.commit().await?;
            cx.out.remark(&format!("deleted connection {id}"))?;
        }
        Command::Test { id } => {
            // Only the address counts here.
            let (status, message) = flow_server::reach(&find(&parts, &id).await?.connection).await;
            let tested = serde_json::json!({ "connection_id": id, "status": status, "message": message });
            cx.out.list_or(&tested, &[message], |message| vec![message.clone().into()])?;
            return Ok(if status { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Import { file, on_existing } => import(cx, &parts, transfer::read(&file)?, on_existing).await?,
        Command::Export { file, format } => {
            let is_env = format == Some(Form::Env)
                || format.is_none()
                    && file.as_ref().is_some_and(|path| path.to_string_lossy().to_lowercase().ends_with(".env"));
            let mut found = Map::new();
            for row in all(&parts).await? {
                let made = row.whole()?;
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

async fn set(cx: &Cx, parts: &Parts, given: Set) -> anyhow::Result<()> {
    check_id(&given.id).map_err(Refusal::usage)?;
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
    let mut tx = parts.store.begin().await?;
    let before = tx.connection(&given.id).await?;
    let is_new = before.is_none();
    let description = before.as_ref().and_then(|row| row.connection.description.clone());
    let mut made = match whole {
        Some(text) => {
            let mut made = Connection::parse(&given.id, &text).map_err(Refusal::usage)?;
            made.description = made.description.or(description);
            made
        }
        None => match before {
            Some(row) => row.whole()?,
            None => Connection { id: given.id.clone(), ..Connection::default() },
        },
    };
    if let Some(conn_type) = given.conn_type {
        made.conn_type = conn_type;
    }
    let put = |part: Option<String>, into: &mut Option<String>| {
        if let Some(text) = part {
            *into = Some(text).filter(|text| !text.is_empty());
        }
    };
    put(given.description, &mut made.description);
    put(given.host, &mut made.host);
    put(given.login, &mut made.login);
    put(given.schema, &mut made.schema);
    made.port = given.port.or(made.port);
    if let Some(password) = password {
        made.password = Some(password).filter(|text| !text.is_empty()).map(Secret::from);
    }
    if let Some(extra) = given.extra {
        check_extra(&extra).map_err(Refusal::usage)?;
        made.extra = Some(extra).filter(|text| !text.is_empty()).map(Secret::from);
    }
    check(&made)?;
    tx.set_connection(&made).await?;
    transfer::tell(&mut tx, "post_connection", &made.id, cx.now()).await?;
    tx.commit().await?;
    cx.out.remark(&format!("{} connection {}", if is_new { "made" } else { "changed" }, made.id))?;
    Ok(())
}

async fn import(cx: &Cx, parts: &Parts, all: Map<String, Value>, on_existing: OnExisting) -> anyhow::Result<()> {
    let mut imported = Imported::default();
    // In one transaction: a file is taken whole, or not at all.
    let mut tx = parts.store.begin().await?;
    for (id, value) in all {
        check_id(&id).map_err(|words| Refusal::failed(format!("`{id}`: {words}")))?;
        let made = Connection::from_json(&id, &value).map_err(Refusal::failed)?;
        check(&made)?;
        let is_there = tx.connection(&id).await?.is_some();
        if imported.count(is_there, on_existing, &format!("connection `{id}`"))? {
            tx.set_connection(&made).await?;
            transfer::tell(&mut tx, "post_connection", &id, cx.now()).await?;
        }
    }
    tx.commit().await?;
    imported.show(cx)
}

fn check(made: &Connection) -> Result<(), Refusal> {
    if made.conn_type.trim().is_empty() {
        return Err(Refusal::usage(format!("connection `{}` needs a type", made.id))
            .help("give it with --conn-type, such as postgres"));
    }
    let texts = [
        Some(&made.conn_type),
        made.description.as_ref(),
        made.host.as_ref(),
        made.login.as_ref(),
        made.schema.as_ref(),
    ];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(Refusal::usage(format!("connection `{}` holds the character NUL", made.id)));
    }
    Ok(())
}

fn show(cx: &Cx, view: View) -> anyhow::Result<()> {
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
    cx.out.one(&view, properties)?;
    Ok(())
}

async fn find(parts: &Parts, id: &str) -> anyhow::Result<ConnectionRow> {
    if let Some(row) = parts.store.connection(id).await? {
        return Ok(row);
    }
    let known = all(parts).await?.into_iter().map(|row| row.connection.id);
    let refusal = Refusal::failed(format!("connection `{id}` does not exist"));
    Err(refusal
        .help(match near(id, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow connections list; make it: flow connections set {id} URI"),
        })
        .into())
}

async fn all(parts: &Parts) -> anyhow::Result<Vec<ConnectionRow>> {
    let mut found = Vec::new();
    loop {
        let page = Page { limit: PAGE, offset: u32::try_from(found.len()).unwrap_or(u32::MAX) };
        let rows = parts.store.list_connections(&ConnectionFilter::default(), &[], page).await?.rows;
        let is_last = rows.len() < PAGE as usize;
        found.extend(rows);
        if is_last {
            return Ok(found);
        }
    }
}
