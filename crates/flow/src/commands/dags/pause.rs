//! `flow dags pause` and `flow dags unpause`.

use std::process::ExitCode;

use flow_core::RunId;
use flow_store::BACKLOG_MAX;
use serde::Serialize;

use crate::{
    ask,
    context::Cx,
    home::{Backlog, DagView, Home},
    output::Cell,
};

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
    let home = Home::open(cx).await?;
    let has_changed = !find(&home, dag_id).await?.is_paused;
    if has_changed {
        home.set_paused(cx, dag_id, true).await?;
    }
    let words = if has_changed {
        "paused: no new runs, and no new tasks of its runs; what runs goes on to its end"
    } else {
        "was paused already"
    };
    print(cx, &Done { dag_id: dag_id.to_owned(), is_paused: true, has_changed, due_runs: 0 }, words)
}

pub(super) async fn unpause(dag_id: &str, is_sure: bool, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let dag = find(&home, dag_id).await?;
    let backlog = if dag.is_paused { home.backlog(cx, dag_id).await? } else { Backlog::default() };
    let makes_up = backlog.has_catchup && backlog.due > 0;
    if makes_up {
        cx.out.remark(&announcement(dag_id, &backlog))?;
    }
    if makes_up && !is_sure && ask::is_possible() && !ask::yes(&format!("Unpause `{dag_id}`?"))? {
        return Ok(ExitCode::FAILURE);
    }
    if dag.is_paused {
        home.set_paused(cx, dag_id, false).await?;
    }
    let words = match (dag.is_paused, dag.is_stale) {
        (false, _) => "was not paused",
        (true, true) => "unpaused; but its file is gone, so nothing starts",
        (true, false) => "unpaused",
    };
    let done = Done { dag_id: dag_id.to_owned(), is_paused: false, has_changed: dag.is_paused, due_runs: backlog.due };
    print(cx, &done, words)
}

async fn find(home: &Home, dag_id: &str) -> anyhow::Result<DagView> {
    match home.dag(dag_id).await? {
        Some(dag) => Ok(dag),
        None => Err(home.no_such_dag(dag_id).await),
    }
}

fn print(cx: &Cx, done: &Done, words: &str) -> anyhow::Result<ExitCode> {
    cx.out.one(done, vec![("dag", Cell::from(done.dag_id.clone())), ("state", words.into())])?;
    Ok(ExitCode::SUCCESS)
}

/// Says how many runs there will be, and which.
fn announcement(dag_id: &str, backlog: &Backlog) -> String {
    let number = match backlog.due {
        1 => "1 run".to_owned(),
        many if many > BACKLOG_MAX => format!("more than {BACKLOG_MAX} runs"),
        many => format!("{many} runs"),
    };
    let mut lines = vec![format!("`{dag_id}` has catchup: unpausing it makes {number} for the past:")];
    let name = |run: &RunId| format!("  {run}");
    if backlog.due > backlog.first.len() {
        lines.extend(backlog.first.iter().take(2).map(name));
        lines.push("  …".to_owned());
        lines.extend(backlog.last.iter().map(name));
    } else {
        lines.extend(backlog.first.iter().map(name));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use flow_core::Timestamp;

    use super::*;

    fn backlog(number: usize) -> Backlog {
        let ids: Vec<RunId> = (0..number)
            .map(|day| {
                let day = i64::try_from(day).unwrap();
                let at = Timestamp::from_micros(1_767_225_600_000_000 + day * 86_400_000_000);
                format!("scheduled__{}", at.to_isoformat()).into()
            })
            .collect();
        let last = ids.last().filter(|_| number <= BACKLOG_MAX).cloned();
        Backlog { has_catchup: true, due: number, first: ids.into_iter().take(4).collect(), last }
    }

    #[track_caller]
    fn check(number: usize, expected: &[&str]) {
        let text = announcement("d", &backlog(number));
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
        assert!(announcement("d", &backlog(30)).contains("makes 30 runs"));
        assert!(announcement("d", &backlog(10_001)).contains("makes more than 10000 runs"));
    }
}
