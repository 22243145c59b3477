//! `flow dags delete`: forgets a DAG with its history, step by step.

use std::{path::Path, process::ExitCode, time::Duration};

use flow_core::{DagId, RunId};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::{ask, commands::runs, context::Cx, node::Parts, output::Refusal};

/// Runs that go in one transaction.
const BATCH: u32 = 200;

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    dag_id: &'a str,
    file_is_there: bool,
}

pub(super) async fn run(dag_id: &str, is_sure: bool, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    let Some(row) = parts.store.dag(dag_id).await? else { return Err(runs::no_such_dag(&parts, dag_id).await) };
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
    let mut steps: u64 = 0;
    loop {
        let mut tx = parts.store.begin().await?;
        let is_gone = tx.delete_dag(dag_id, BATCH, None, cx.now()).await?;
        tx.commit().await?;
        if is_gone {
            break;
        }
        steps += 1;
        progress.set_message(format!("{} runs deleted", steps * u64::from(BATCH)));
    }
    progress.finish_and_clear();
    // Logs of a DAG that is gone are in nobody's way; the folder may be on another host.
    let run_folder = parts.logs.run_folder(&DagId::new(dag_id), &RunId::new("any"));
    if let Some(folder) = run_folder.parent().filter(|folder| *folder != parts.logs.root()) {
        let _ = std::fs::remove_dir_all(folder);
    }
    let file_is_there = !row.is_stale && cx.config.dags.folder.join(Path::new(&row.file)).exists();
    if !cx.out.is_for_people() {
        cx.out.data(&Deleted { dag_id, file_is_there })?;
        return Ok(ExitCode::SUCCESS);
    }
    cx.out.remark(&format!("deleted {dag_id}"))?;
    if file_is_there {
        cx.out.remark(&format!(
            "Its file {} is still there: it becomes a new DAG, without history, when it is next read.",
            row.file
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
