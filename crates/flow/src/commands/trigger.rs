//! `flow trigger`: starts a run of a DAG, and may wait for its end.

use std::{process::ExitCode, time::Duration};

use flow_core::{Timestamp, time::parse_time};

use super::{
    dags::{duration_arg, object_arg},
    runs,
};
use crate::{
    context::Cx,
    home::{Home, Triggered, Wish},
    output::Refusal,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow trigger tutorial
  flow trigger tutorial --wait --timeout 10m
  flow trigger daily_sales --conf '{\"region\": \"us\"}' --logical-date 2026-01-01

With --wait the exit code is 0 when the run succeeded, and 1 when it failed or took too long.")]
pub(crate) struct Args {
    /// The DAG's id
    dag: String,
    /// Values for the run, a JSON object; they go over the DAG's params
    #[arg(long, value_name = "JSON", value_parser = object_arg)]
    conf: Option<serde_json::Value>,
    /// The run's id [default: manual__ and the time]
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// The run's logical date, in the DAG's time zone if it has no offset
    #[arg(long, value_name = "TIME")]
    logical_date: Option<String>,
    /// Wait until the run has ended
    #[arg(long)]
    wait: bool,
    /// Wait at most so long
    #[arg(long, value_name = "DURATION", value_parser = duration_arg, requires = "wait")]
    timeout: Option<Duration>,
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let logical_date = match &args.logical_date {
        Some(text) => Some(date(&home, cx, &args.dag, text).await?),
        None => None,
    };
    let wish = Wish {
        dag_id: &args.dag,
        run_id: args.run_id.as_deref(),
        logical_date,
        conf: args.conf.unwrap_or(serde_json::Value::Null),
    };
    let run = match home.trigger(cx, &wish).await? {
        Triggered::Created(run) => run,
        Triggered::Exists(which) => {
            let name = which.as_ref().map_or_else(String::new, |id| format!(": `{id}`"));
            let which = which.unwrap_or_else(|| "RUN".to_owned());
            return Err(Refusal::failed(format!(
                "dag `{}` has a run of that id or logical date already{name}",
                args.dag
            ))
            .help(format!("to run it again: flow runs clear {} {which}", args.dag))
            .into());
        }
    };
    if !args.wait {
        runs::print(cx, &run)?;
        if let Some(words) = runs::held_by_pause(&home, &run).await? {
            cx.out.remark(&words)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    runs::wait(cx, &home, run, args.timeout).await
}

/// Reads a logical date, in the DAG's time zone.
async fn date(home: &Home, cx: &Cx, dag_id: &str, text: &str) -> anyhow::Result<Timestamp> {
    let (dag, _) = home.version(cx, dag_id).await?;
    parse_time(text, &dag.timezone).map_err(|problem| Refusal::usage(format!("--logical-date {problem}")).into())
}
