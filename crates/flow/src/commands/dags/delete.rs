//! `flow dags delete`: forgets a DAG with its history, step by step.

use std::{process::ExitCode, time::Duration};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::{ask, context::Cx, home::Home, output::Refusal};

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    dag_id: &'a str,
    file_is_there: bool,
}

pub(super) async fn run(dag_id: &str, is_sure: bool, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let Some(dag) = home.dag(dag_id).await? else { return Err(home.no_such_dag(dag_id).await) };
    if !is_sure {
        if !ask::is_possible() {
            return Err(Refusal::usage(format!("deleting `{dag_id}` with all its runs and logs cannot be taken back"))
                .help("if you mean it: --yes")
                .into());
        }
        if !ask::yes(&format!("Delete `{dag_id}` with all its runs and logs?"))? {
            return Ok(ExitCode::FAILURE);
        }
    }
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    home.delete_dag(cx, dag_id, |words| progress.set_message(words)).await?;
    progress.finish_and_clear();
    let file_is_there = home.has_file(cx, &dag);
    if !cx.out.is_for_people() {
        cx.out.data(&Deleted { dag_id, file_is_there })?;
        return Ok(ExitCode::SUCCESS);
    }
    cx.out.remark(&format!("deleted {dag_id}"))?;
    if file_is_there {
        cx.out.remark(&format!(
            "Its file {} is still there: it becomes a new DAG, without history, when it is next read.",
            dag.relative_fileloc
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
