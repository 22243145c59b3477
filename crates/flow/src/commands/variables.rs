//! `flow variables`: values for templates, encrypted in the database.

use std::{path::PathBuf, process::ExitCode};

use serde_json::{Map, Value, json};

use super::transfer::{self, OnExisting};
use crate::{
    ask,
    config::near,
    context::Cx,
    home::{Home, VariableWish},
    output::Refusal,
};

/// Longest key, as in Airflow.
const KEY_MAX: usize = 250;

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

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List => {
            cx.out.list(&home.variables().await?, &["KEY", "VALUE", "DESCRIPTION"], |view| {
                let value = view.value.clone().unwrap_or_else(|| "(its key is not here)".to_owned());
                vec![view.key.clone().into(), value.into(), view.description.clone().unwrap_or_default().into()]
            })?;
        }
        Command::Get { key, show_secrets } => {
            let Some(view) = home.variable(&key, show_secrets).await? else {
                return Err(no_such_variable(&home, &key).await);
            };
            let value = view.value.clone().unwrap_or_default();
            // The value and nothing else, as in Airflow: for `$(…)`.
            cx.out.list_or(&view, &[value], |value| vec![value.clone().into()])?;
        }
        Command::Set { key, value, description } => {
            check_key(&key)?;
            let value = match value {
                Some(value) if value != "-" => value,
                Some(_) | None => transfer::value_of_stdin(cx, "the value")?,
            };
            let wish = VariableWish { key, value: value.into(), description };
            home.set_variable(cx, &wish).await?;
            cx.out.remark(&format!("set variable {}", wish.key))?;
        }
        Command::Delete { key, yes } => {
            // Not read: what no key decrypts is deleted like any other.
            if !home.variables().await?.iter().any(|known| known.key == key) {
                return Err(no_such_variable(&home, &key).await);
            }
            if !yes && !ask::is_possible() {
                let refusal = Refusal::usage(format!("without variable `{key}`, tasks that read it fail"));
                return Err(refusal.help("if you mean it: --yes").into());
            }
            if !yes && !ask::yes(&format!("Delete variable `{key}`? Tasks that read it will fail."))? {
                return Ok(ExitCode::FAILURE);
            }
            if !home.delete_variable(cx, &key).await? {
                return Err(no_such_variable(&home, &key).await);
            }
            cx.out.remark(&format!("deleted variable {key}"))?;
        }
        Command::Import { file, on_existing } => {
            let mut wanted = Vec::new();
            for (key, value) in transfer::read(&file)? {
                check_key(&key)?;
                let (value, description) = taken_apart(value);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                wanted.push(VariableWish { key, value: text.into(), description });
            }
            home.import_variables(cx, wanted, on_existing).await?.show(cx)?;
        }
        Command::Export { file } => {
            let mut found = Map::new();
            for known in home.variables().await? {
                let Some(row) = home.variable(&known.key, true).await? else { continue };
                let value = Value::from(row.value);
                let described = row.description.map(|text| json!({ "value": value, "description": text }));
                found.insert(row.key, described.unwrap_or(value));
            }
            transfer::write(cx, file.as_deref(), None, found)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn no_such_variable(home: &Home, key: &str) -> anyhow::Error {
    let known = home.variables().await.unwrap_or_default().into_iter().map(|view| view.key);
    let refusal = Refusal::failed(format!("variable `{key}` does not exist"));
    refusal
        .help(match near(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow variables list; make it: flow variables set {key} VALUE"),
        })
        .into()
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

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.trim().is_empty() || key.chars().count() > KEY_MAX || key.chars().any(char::is_control) {
        let words =
            format!("the key of a variable must have 1 to {KEY_MAX} characters, none of them a control character");
        return Err(Refusal::usage(words));
    }
    Ok(())
}
