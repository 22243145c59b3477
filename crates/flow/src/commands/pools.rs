//! `flow pools`: limits that tasks of any DAG share.

use std::{path::PathBuf, process::ExitCode};

use flow_store::{Pool, PoolUse, Signal};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::transfer::{self, Imported, OnExisting};

use crate::{
    ask,
    config::near,
    context::Cx,
    home::{Home, PoolView},
    output::{Cell, Refusal},
};

/// Longest name of a pool, as in Airflow.
const NAME_MAX: usize = 256;
/// Most slots of a pool.
const SLOTS_MAX: i64 = 1_000_000_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow pools list
  flow pools set warehouse 4 --description 'connections to the warehouse'")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All pools, and what is in use
    #[command(after_help = "Examples:\n  flow pools list\n  flow pools list -o json")]
    List,
    /// One pool
    #[command(after_help = "Examples:\n  flow pools get default_pool")]
    Get {
        /// The pool's name
        name: String,
    },
    /// Make a pool, or change one
    #[command(after_help = "Examples:\n  flow pools set warehouse 4\n  flow pools set default_pool -1")]
    Set {
        /// The pool's name
        name: String,
        /// How many slots it has; -1 = no limit
        #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1..=SLOTS_MAX))]
        slots: i64,
        /// What it is for [default: as it is]
        #[arg(long)]
        description: Option<String>,
    },
    /// Forget a pool; tasks that name it do not start any more
    #[command(after_help = "Examples:\n  flow pools delete warehouse --yes")]
    Delete {
        /// The pool's name
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Set all that a file names: Airflow's JSON, or YAML
    #[command(
        after_help = "Examples:\n  flow pools import pools.json\n  flow pools import pools.yaml --on-existing skip"
    )]
    Import {
        /// {"name": {"slots": 4, "description": "…", "include_deferred": false}}; - = stdin
        file: PathBuf,
        /// What to do with pools that are there
        #[arg(long, value_name = "WHAT", default_value = "overwrite")]
        on_existing: OnExisting,
    },
    /// Write all as JSON or YAML
    #[command(after_help = "Examples:\n  flow pools export pools.json\n  flow pools export > pools.json")]
    Export {
        /// The file [default: stdout]
        file: Option<PathBuf>,
    },
}

/// A pool in a file: Airflow's names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    slots: i64,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    include_deferred: bool,
}

/// Slots in words.
fn slots(number: i64) -> String {
    if number < 0 { "no limit".to_owned() } else { number.to_string() }
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List => {
            let views = home.pools().await?;
            cx.out.list(&views, &["POOL", "SLOTS", "RUNNING", "QUEUED", "OPEN", "DESCRIPTION"], |view| {
                vec![
                    view.name.clone().into(),
                    slots(view.slots).into(),
                    view.running_slots.to_string().into(),
                    view.queued_slots.to_string().into(),
                    slots(view.open_slots.max(if view.slots < 0 { -1 } else { 0 })).into(),
                    view.description.clone().into(),
                ]
            })?;
        }
        Command::Get { name } => show(cx, &home, &name).await?,
        Command::Set { name, slots, description } => set(cx, &home, &name, slots, description.as_deref()).await?,
        Command::Delete { name, yes } => {
            let used = find(&home, &name).await?.occupied_slots;
            let question = format!("Delete pool `{name}` ({used} of its slots in use)? Tasks that name it will wait.");
            if !yes && !ask::is_possible() {
                return Err(Refusal::usage(format!("deleting pool `{name}` holds up the tasks that name it"))
                    .help("if you mean it: --yes")
                    .into());
            }
            if !yes && !ask::yes(&question)? {
                return Ok(ExitCode::FAILURE);
            }
            if !home.delete_pool(&name).await? {
                return Err(no_such_pool(&home, &name).await);
            }
            cx.out.remark(&format!("deleted pool {name}"))?;
        }
        Command::Import { file, on_existing } => import(cx, home.local()?, transfer::read(&file)?, on_existing).await?,
        Command::Export { file } => {
            let pools = home.local()?.store.pools().await?.into_iter().map(|pool| {
                let PoolUse { name, slots, description, include_deferred, .. } = pool;
                (name, json!({ "slots": slots, "description": description, "include_deferred": include_deferred }))
            });
            transfer::write(cx, file.as_deref(), None, pools.collect())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(cx: &Cx, home: &Home, name: &str, slots: i64, description: Option<&str>) -> anyhow::Result<()> {
    check_name(name)?;
    home.set_pool(name, slots, description).await?;
    show(cx, home, name).await
}

async fn import(cx: &Cx, parts: &crate::node::Parts, all: Map<String, Value>, on_existing: OnExisting) -> anyhow::Result<()> {
    let mut imported = Imported::default();
    // In one transaction: a file is taken whole, or not at all.
    let mut tx = parts.store.begin().await?;
    for (name, value) in all {
        check_name(&name)?;
        let wrong = |why: String| Refusal::failed(format!("pool `{name}`: {why}"));
        let written: Written = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        if !(-1..=SLOTS_MAX).contains(&written.slots) {
            return Err(wrong(format!("`slots` must be from 0 to {SLOTS_MAX}, or -1 for no limit")).into());
        }
        let is_there = tx.pool(&name).await?.is_some();
        if imported.count(is_there, on_existing, &format!("pool `{name}`"))? {
            let description = written.description.unwrap_or_default();
            let (slots, include_deferred) = (written.slots, written.include_deferred);
            tx.set_pool(&Pool { name, slots, description, include_deferred }).await?;
        }
    }
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    imported.show(cx)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let words =
            format!("the name of a pool must have 1 to {NAME_MAX} characters, none of them a control character");
        return Err(Refusal::usage(words));
    }
    Ok(())
}

async fn show(cx: &Cx, home: &Home, name: &str) -> anyhow::Result<()> {
    let view = find(home, name).await?;
    let properties: Vec<(&str, Cell)> = vec![
        ("pool", view.name.clone().into()),
        ("slots", slots(view.slots).into()),
        ("running", view.running_slots.to_string().into()),
        ("queued", view.queued_slots.to_string().into()),
        ("description", view.description.clone().into()),
    ];
    cx.out.one(&view, properties)?;
    Ok(())
}

async fn find(home: &Home, name: &str) -> anyhow::Result<PoolView> {
    match home.pools().await?.into_iter().find(|pool| pool.name == name) {
        Some(pool) => Ok(pool),
        None => Err(no_such_pool(home, name).await),
    }
}

async fn no_such_pool(home: &Home, name: &str) -> anyhow::Error {
    let known = home.pools().await.unwrap_or_default();
    let refusal = Refusal::failed(format!("pool `{name}` does not exist"));
    refusal
        .help(match near(name, known.into_iter().map(|pool| pool.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see which there are: flow pools list; make it: flow pools set {name} SLOTS"),
        })
        .into()
}
