//! `flow variables`: values for templates, encrypted in the database.

use std::{path::PathBuf, process::ExitCode};

use flow_core::secret::{Secret, redact_variable};
use flow_store::{Page, Variable, VariableFilter};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::transfer::{self, Imported, OnExisting};
use crate::{ask, config::near, context::Cx, node::Parts, output::Refusal};

/// Longest key, as in Airflow.
const KEY_MAX: usize = 250;
/// Rows that are read at once.
const PAGE: u32 = 1_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow variables set region eu
  flow variables get region
  flow variables import variables.json

Tasks see FLOW_VAR_REGION (or AIRFLOW_VAR_REGION) of their worker's environment before what is set here.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All variables; values that look secret are hidden
    #[command(after_help = "Examples:\n  flow variables list\n  flow variables list -o json")]
    List,
    /// The value of one
    #[command(after_help = "Examples:\n  flow variables get region\n  flow variables get api_key --show-secrets")]
    Get {
        /// The variable's key
        key: String,
        /// Show what looks secret too
        #[arg(long)]
        show_secrets: bool,
    },
    /// Make one, or change it
    #[command(
        after_help = "Examples:\n  flow variables set region eu --description 'where we are'\n  flow variables set api_key < key.txt"
    )]
    Set {
        /// The variable's key
        key: String,
        /// Its value [default: what stdin gives, which stands in no history]
        value: Option<String>,
        /// What it is for [default: as it is]
        #[arg(long)]
        description: Option<String>,
    },
    /// Forget one
    #[command(after_help = "Examples:\n  flow variables delete region --yes")]
    Delete {
        /// The variable's key
        key: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Set all that a file names: Airflow's JSON, or YAML
    #[command(
        after_help = "Examples:\n  flow variables import variables.json\n  flow variables import variables.yaml --on-existing skip"
    )]
    Import {
        /// {"key": value} or {"key": {"value": …, "description": …}}; - = stdin
        file: PathBuf,
        /// What to do with keys that are there
        #[arg(long, visible_alias = "action-on-existing-key", value_name = "WHAT", default_value = "overwrite")]
        on_existing: OnExisting,
    },
    /// Write all, secrets in the clear, as JSON or YAML
    #[command(
        after_help = "Examples:\n  flow variables export variables.json\n  flow variables export > variables.json"
    )]
    Export {
        /// The file, which only you may read [default: stdout]
        file: Option<PathBuf>,
    },
}

/// A variable, for programs: Airflow's names.
#[derive(Debug, Serialize)]
struct View {
    key: String,
    value: Option<String>,
    description: Option<String>,
}

impl View {
    fn of(row: Variable, show_secrets: bool) -> Self {
        let value = row.value.ok().map(|value| match show_secrets {
            true => value.into_exposed(),
            false => redact_variable(&row.key, value.expose()),
        });
        Self { key: row.key, value, description: row.description }
    }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    match args.command {
        Command::List => {
            let views: Vec<View> = all(&parts).await?.into_iter().map(|row| View::of(row, false)).collect();
            cx.out.list(&views, &["KEY", "VALUE", "DESCRIPTION"], |view| {
                let value = view.value.clone().unwrap_or_else(|| "(its key is not here)".to_owned());
                vec![view.key.clone().into(), value.into(), view.description.clone().unwrap_or_default().into()]
            })?;
        }
        Command::Get { key, show_secrets } => show(cx, &parts, &key, show_secrets).await?,
        Command::Set { key, value, description } => {
            check_key(&key)?;
            let value = match value {
                Some(value) if value != "-" => value,
                Some(_) | None => transfer::value_of_stdin(cx, "the value")?,
            };
            let mut tx = parts.store.begin().await?;
            let before = tx.variable(&key).await?.and_then(|row| row.description);
            let description = description.or(before);
            tx.set_variable(&key, &Secret::from(value), description.as_deref()).await?;
            transfer::tell(&mut tx, "post_variable", &key, cx.now()).await?;
            tx.commit().await?;
            cx.out.remark(&format!("set variable {key}"))?;
        }
        Command::Delete { key, yes } => {
            find(&parts, &key).await?;
            if !yes && !ask::is_possible() {
                let refusal = Refusal::usage(format!("without variable `{key}`, tasks that read it fail"));
                return Err(refusal.help("if you mean it: --yes").into());
            }
            if !yes && !ask::yes(&format!("Delete variable `{key}`? Tasks that read it will fail."))? {
                return Ok(ExitCode::FAILURE);
            }
            let mut tx = parts.store.begin().await?;
            tx.delete_variable(&key).await?;
            transfer::tell(&mut tx, "delete_variable", &key, cx.now()).await?;
            tx.commit().await?;
            cx.out.remark(&format!("deleted variable {key}"))?;
        }
        Command::Import { file, on_existing } => import(cx, &parts, transfer::read(&file)?, on_existing).await?,
        Command::Export { file } => {
            let mut found = Map::new();
            for row in all(&parts).await? {
                let value = Value::from(row.value.map_err(flow_store::StoreError::from)?.into_exposed());
                let described = row.description.map(|text| json!({ "value": value, "description": text }));
                found.insert(row.key, described.unwrap_or(value));
            }
            transfer::write(cx, file.as_deref(), None, found)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(cx: &Cx, parts: &Parts, all: Map<String, Value>, on_existing: OnExisting) -> anyhow::Result<()> {
    let mut imported = Imported::default();
    // In one transaction: a file is taken whole, or not at all.
    let mut tx = parts.store.begin().await?;
    for (key, value) in all {
        check_key(&key)?;
        let (value, described) = taken_apart(value);
        let before = tx.variable(&key).await?;
        if imported.count(before.is_some(), on_existing, &format!("variable `{key}`"))? {
            let description = described.or(before.and_then(|row| row.description));
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            tx.set_variable(&key, &Secret::from(text), description.as_deref()).await?;
            transfer::tell(&mut tx, "post_variable", &key, cx.now()).await?;
        }
    }
    tx.commit().await?;
    imported.show(cx)
}

/// Takes a value with its description apart; an object with anything else in it is a value itself.
fn taken_apart(value: Value) -> (Value, Option<String>) {
    match &value {
        Value::Object(fields)
            if fields.contains_key("value") && fields.keys().all(|key| key == "value" || key == "description") =>
        {
            let description = fields.get("description").and_then(Value::as_str).map(str::to_owned);
            (fields.get("value").cloned().unwrap_or_default(), description)
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            (value, None)
        }
    }
}

async fn show(cx: &Cx, parts: &Parts, key: &str, show_secrets: bool) -> anyhow::Result<()> {
    let row = find(parts, key).await?;
    if let Err(why) = &row.value {
        return Err(Refusal::failed(why.to_string()).into());
    }
    let view = View::of(row, show_secrets);
    let value = view.value.clone().unwrap_or_default();
    // The value and nothing else, as in Airflow: for `$(…)`.
    cx.out.list_or(&view, &[value], |value| vec![value.clone().into()])?;
    Ok(())
}

async fn find(parts: &Parts, key: &str) -> anyhow::Result<Variable> {
    if let Some(row) = parts.store.variable(key).await? {
        return Ok(row);
    }
    let known = all(parts).await?.into_iter().map(|row| row.key);
    let refusal = Refusal::failed(format!("variable `{key}` does not exist"));
    Err(refusal
        .help(match near(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow variables list; make it: flow variables set {key} VALUE"),
        })
        .into())
}

async fn all(parts: &Parts) -> anyhow::Result<Vec<Variable>> {
    let mut found = Vec::new();
    loop {
        let page = Page { limit: PAGE, offset: u32::try_from(found.len()).unwrap_or(u32::MAX) };
        let rows = parts.store.list_variables(&VariableFilter::default(), &[], page).await?.rows;
        let is_last = rows.len() < PAGE as usize;
        found.extend(rows);
        if is_last {
            return Ok(found);
        }
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.trim().is_empty() || key.chars().count() > KEY_MAX || key.chars().any(char::is_control) {
        let words =
            format!("the key of a variable must have 1 to {KEY_MAX} characters, none of them a control character");
        return Err(Refusal::usage(words));
    }
    Ok(())
}
