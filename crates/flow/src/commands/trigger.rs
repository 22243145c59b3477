//! `flow trigger`: starts a run of a DAG, and may wait for its end.

use std::{process::ExitCode, time::Duration};

use flow_core::{Timestamp, time::parse_time};
use flow_store::{ActionError, StoreError, TriggerOutcome, TriggerRun};

use super::{
    dags::{duration_arg, object_arg},
    runs,
};
use crate::{context::Cx, node::Parts, output::Refusal};

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
    let parts = Parts::of_command(cx).await?;
    let logical_date = match &args.logical_date {
        Some(text) => Some(date(&parts, &args.dag, text).await?),
        None => None,
    };
    let conf = args.conf.unwrap_or(serde_json::Value::Null);
    let request = TriggerRun {
        dag_id: &args.dag,
        run_id: args.run_id.as_deref(),
        logical_date,
        run_after: None,
        conf: &conf,
        triggered_by: "cli",
        user: None,
        note: None,
    };
    let row = match parts.store.trigger(&parts.dags, &request, cx.now()).await {
        Ok(TriggerOutcome::Created(row)) => row,
        Ok(TriggerOutcome::Exists(row)) => {
            return Err(Refusal::failed(format!(
                "dag `{}` has a run of that id or logical date already: `{}`",
                args.dag, row.run.run_id
            ))
            .help(format!("to run it again: flow runs clear {} {}", args.dag, row.run.run_id))
            .into());
        }
        Err(ActionError::Store(StoreError::NotFound { .. })) => return Err(runs::no_such_dag(&parts, &args.dag).await),
        Err(error) => return Err(error.into()),
    };
    if !args.wait {
        runs::print(cx, &row)?;
        if let Some(words) = runs::held_by_pause(&parts, &row).await? {
            cx.out.remark(&words)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    runs::wait(cx, &parts, row, args.timeout).await
}

/// Reads a logical date, in the DAG's time zone.
async fn date(parts: &Parts, dag_id: &str, text: &str) -> anyhow::Result<Timestamp> {
    let Some(dag) = parts.store.dag(dag_id).await? else { return Err(runs::no_such_dag(parts, dag_id).await) };
    let cached = parts.dags.read(&parts.store, dag.version_id).await?;
    parse_time(text, &cached.dag.timezone).map_err(|problem| Refusal::usage(format!("--logical-date {problem}")).into())
}
