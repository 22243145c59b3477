//! `flow dags pause` and `flow dags unpause`.

use std::process::ExitCode;

use flow_core::{
    Timestamp,
    engine::{LastRun, NewRun, RunHistory, planned_runs},
};
use flow_store::{DagRow, Signal};
use serde::Serialize;

use crate::{ask, commands::runs, context::Cx, node::Parts, output::Cell};

/// Most runs that are counted before a DAG is unpaused.
const RUNS_COUNTED: usize = 10_000;

/// What was done, for programs.
#[derive(Debug, Serialize)]
struct Done {
    dag_id: String,
    is_paused: bool,
    has_changed: bool,
    /// Runs that are due at once; counted up to 10,000.
    due_runs: usize,
}

pub(super) async fn pause(dag_id: &str, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    find(&parts, dag_id).await?;
    let mut tx = parts.store.begin().await?;
    let has_changed = tx.pause_dag(dag_id, "", None, cx.now()).await?;
    tx.commit().await?;
    let words = if has_changed {
        "paused: no new runs, and no new tasks of its runs; what runs goes on to its end"
    } else {
        "was paused already"
    };
    print(cx, &Done { dag_id: dag_id.to_owned(), is_paused: true, has_changed, due_runs: 0 }, words)
}

pub(super) async fn unpause(dag_id: &str, is_sure: bool, cx: &Cx) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    let row = find(&parts, dag_id).await?;
    let now = cx.now();
    let (has_catchup, due) = if row.is_paused { due_runs(&parts, &row, now).await? } else { (false, Vec::new()) };
    let makes_up = has_catchup && !due.is_empty();
    if makes_up {
        cx.out.remark(&announcement(dag_id, &due))?;
    }
    if makes_up && !is_sure && ask::is_possible() && !ask::yes(&format!("Unpause `{dag_id}`?"))? {
        return Ok(ExitCode::FAILURE);
    }
    let mut tx = parts.store.begin().await?;
    let has_changed = tx.unpause_dag(dag_id, None, now).await?;
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    let words = match (has_changed, row.is_stale) {
        (false, _) => "was not paused",
        (true, true) => "unpaused; but its file is gone, so nothing starts",
        (true, false) => "unpaused",
    };
    print(cx, &Done { dag_id: dag_id.to_owned(), is_paused: false, has_changed, due_runs: due.len() }, words)
}

async fn find(parts: &Parts, dag_id: &str) -> anyhow::Result<DagRow> {
    match parts.store.dag(dag_id).await? {
        Some(row) => Ok(row),
        None => Err(runs::no_such_dag(parts, dag_id).await),
    }
}

fn print(cx: &Cx, done: &Done, words: &str) -> anyhow::Result<ExitCode> {
    cx.out.one(done, vec![("dag", Cell::from(done.dag_id.clone())), ("state", words.into())])?;
    Ok(ExitCode::SUCCESS)
}

/// Says whether a DAG makes up for the past, and which of its runs are due as soon as it is unpaused, oldest first;
/// one more than are counted if there are more.
async fn due_runs(parts: &Parts, row: &DagRow, now: Timestamp) -> anyhow::Result<(bool, Vec<NewRun>)> {
    if row.is_stale {
        return Ok((false, Vec::new()));
    }
    let cached = parts.dags.read(&parts.store, row.version_id).await?;
    let last = parts.store.latest_scheduled_run(&row.dag_id).await?;
    let mut tx = parts.store.begin().await?;
    let (queued, running) = tx.count_active_runs(&[row.dag_id.as_str()]).await?.remove(&row.dag_id).unwrap_or_default();
    tx.rollback().await?;
    let history = RunHistory {
        last: last.and_then(|row| {
            Some(LastRun {
                logical_date: row.run.logical_date?,
                data_interval: row.run.data_interval?,
                run_after: row.run.run_after,
                ended_at: row.run.ended_at,
            })
        }),
        active: queued + running,
        // Overlaps are not looked at.
        busy_until: None,
        // That is what unpausing writes down.
        enabled_at: Some(now),
    };
    let mut planned = planned_runs(&cached.dag, &history, now, RUNS_COUNTED + 1);
    planned.retain(|run| run.run_after <= now);
    Ok((cached.dag.catchup, planned))
}

/// Says how many runs there will be, and which.
fn announcement(dag_id: &str, due: &[NewRun]) -> String {
    let number = match due.len() {
        1 => "1 run".to_owned(),
        many if many > RUNS_COUNTED => format!("more than {RUNS_COUNTED} runs"),
        many => format!("{many} runs"),
    };
    let mut lines = vec![format!("`{dag_id}` has catchup: unpausing it makes {number} for the past:")];
    let name = |run: &NewRun| format!("  {}", run.run_id);
    match due {
        [first, second, .., last] if due.len() > 4 => {
            lines.extend([name(first), name(second), "  …".to_owned()]);
            if due.len() <= RUNS_COUNTED {
                lines.push(name(last));
            }
        }
        _ => lines.extend(due.iter().map(name)),
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(number: i64) -> Vec<NewRun> {
        (0..number)
            .map(|day| {
                let at = Timestamp::from_micros(1_767_225_600_000_000 + day * 86_400_000_000);
                NewRun {
                    run_id: format!("scheduled__{}", at.to_isoformat()).into(),
                    run_type: flow_core::RunType::Scheduled,
                    logical_date: Some(at),
                    data_interval: None,
                    run_after: at,
                }
            })
            .collect()
    }

    #[track_caller]
    fn check(number: i64, expected: &[&str]) {
        let text = announcement("d", &runs(number));
        let found: Vec<&str> =
            text.lines().skip(1).map(|line| line.trim().trim_end_matches("T00:00:00+00:00")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn many_runs_are_named_by_the_first_and_the_last() {
        check(1, &["scheduled__2026-01-01"]);
        check(2, &["scheduled__2026-01-01", "scheduled__2026-01-02"]);
        check(30, &["scheduled__2026-01-01", "scheduled__2026-01-02", "…", "scheduled__2026-01-30"]);
        check(10_001, &["scheduled__2026-01-01", "scheduled__2026-01-02", "…"]);
        assert!(announcement("d", &runs(30)).contains("makes 30 runs"));
        assert!(announcement("d", &runs(10_001)).contains("makes more than 10000 runs"));
    }
}
