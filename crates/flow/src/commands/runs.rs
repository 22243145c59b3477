//! `flow runs`: look at runs, wait for them, clear, mark, cancel and delete them.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use flow_core::{
    RunState, Timestamp,
    engine::{Edit, Selection},
};
use flow_store::{EditOptions, RunFilter, RunRow};
use indicatif::ProgressBar;
use serde::Serialize;

use super::dags::{State, duration_arg};
use crate::{
    context::Cx,
    node::Parts,
    output::{self, Cell, Refusal},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow runs list tutorial
  flow runs show tutorial latest
  flow runs clear tutorial manual__2026-01-01T00:00:00+00:00 --only-failed")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which run is meant.
#[derive(Debug, clap::Args)]
struct Run {
    /// The DAG's id
    dag: String,
    /// The run's id, or `latest`
    run: String,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Runs, the newest first
    #[command(after_help = "Examples:\n  flow runs list\n  flow runs list tutorial --state failed -n 50")]
    List {
        /// Only this DAG's
        dag: Option<String>,
        /// Only those in this state: queued, running, success, failed
        #[arg(long)]
        state: Option<flow_core::RunState>,
        /// At most so many
        #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// A run and its tasks
    #[command(after_help = "Examples:\n  flow runs show tutorial latest\n  flow runs show tutorial latest -o json")]
    Show(Run),
    /// Wait until a run has ended; exit code 1 if it failed
    #[command(after_help = "Examples:\n  flow runs wait tutorial latest --timeout 1h")]
    Wait {
        #[command(flatten)]
        run: Run,
        /// Wait at most so long
        #[arg(long, value_name = "DURATION", value_parser = duration_arg)]
        timeout: Option<Duration>,
    },
    /// Run a run's tasks again
    #[command(
        after_help = "Examples:\n  flow runs clear tutorial latest\n  flow runs clear tutorial latest --only-failed --dry-run"
    )]
    Clear {
        #[command(flatten)]
        run: Run,
        /// Only what failed, and what was not started because of it
        #[arg(long)]
        only_failed: bool,
        /// On the newest version of the DAG instead of the run's own
        #[arg(long)]
        latest_version: bool,
        /// Only say which tasks would run again
        #[arg(long)]
        dry_run: bool,
    },
    /// Set the state of a run
    #[command(
        after_help = "Examples:\n  flow runs mark success tutorial latest\n  flow runs mark failed tutorial latest"
    )]
    Mark {
        state: State,
        #[command(flatten)]
        run: Run,
    },
    /// End a run: running tasks are stopped, the rest are not started
    #[command(after_help = "Examples:\n  flow runs cancel tutorial latest")]
    Cancel(Run),
    /// Forget a finished run with all that belongs to it
    #[command(after_help = "Examples:\n  flow runs delete tutorial manual__2026-01-01T00:00:00+00:00")]
    Delete(Run),
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { dag, state, limit } => list(cx, dag, state, limit).await,
        Command::Show(Run { dag, run }) => show(cx, &dag, &run).await,
        Command::Wait { run: Run { dag, run }, timeout } => {
            let parts = Parts::of_command(cx).await?;
            let row = find(&parts, &dag, &run).await?;
            wait(cx, &parts, row, timeout).await
        }
        Command::Clear { run, only_failed, latest_version, dry_run } => {
            let clear = Edit::Clear { tasks: Selection::default(), only_failed };
            let options = EditOptions { dry_run, pin_latest: latest_version, who: None };
            edit(cx, &run, &clear, options).await
        }
        Command::Mark { state, run } => {
            let state = match state {
                State::Success => RunState::Success,
                State::Failed => RunState::Failed,
            };
            edit(cx, &run, &Edit::MarkRun { state }, EditOptions::default()).await
        }
        Command::Cancel(run) => edit(cx, &run, &Edit::Cancel, EditOptions::default()).await,
        Command::Delete(Run { dag, run }) => {
            let parts = Parts::of_command(cx).await?;
            let row = find(&parts, &dag, &run).await?;
            let mut tx = parts.store.begin().await?;
            tx.delete_run(&row.run, None, cx.now()).await?;
            tx.commit().await?;
            // Logs of a run that is gone are in nobody's way; the folder may be on another host.
            let _ = std::fs::remove_dir_all(parts.logs.run_folder(&row.run.dag_id, &row.run.run_id));
            cx.out.remark(&format!("deleted {dag} {}", row.run.run_id))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A run, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct RunView {
    dag_id: String,
    dag_run_id: String,
    state: RunState,
    run_type: &'static str,
    logical_date: Option<Timestamp>,
    run_after: Timestamp,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    duration: Option<f64>,
    conf: serde_json::Value,
}

impl RunView {
    /// Takes what is shown of a run.
    pub(crate) fn of(row: &RunRow) -> Self {
        let run = &row.run;
        Self {
            dag_id: run.dag_id.to_string(),
            dag_run_id: run.run_id.to_string(),
            state: run.state,
            run_type: run.run_type.as_str(),
            logical_date: run.logical_date,
            run_after: run.run_after,
            start_date: run.started_at,
            end_date: run.ended_at,
            duration: run.started_at.zip(run.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
            conf: run.conf.clone(),
        }
    }
}

async fn list(cx: &Cx, dag: Option<String>, state: Option<RunState>, limit: u32) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    if let Some(dag) = &dag
        && parts.store.dag(dag).await?.is_none()
    {
        return Err(no_such_dag(&parts, dag).await);
    }
    let filter = RunFilter { dag_id: dag, state };
    let rows = parts.store.list_runs(&filter, limit).await?;
    let views: Vec<RunView> = rows.iter().map(RunView::of).collect();
    print_list(cx, &views)?;
    if views.is_empty() {
        let has_others = state.is_some()
            && !parts.store.list_runs(&RunFilter { state: None, ..filter.clone() }, 1).await?.is_empty();
        let dag = filter.dag_id.as_deref().unwrap_or("DAG");
        cx.out.remark(&match state.filter(|_| has_others) {
            Some(state) => format!("None of the runs is {state}."),
            None => format!("No runs yet. Start one: flow trigger {dag} --wait"),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints runs, one a line.
pub(crate) fn print_list(cx: &Cx, views: &[RunView]) -> anyhow::Result<()> {
    cx.out.list(views, &["DAG", "RUN", "STATE", "STARTED", "TOOK"], |view| {
        vec![
            view.dag_id.clone().into(),
            view.dag_run_id.clone().into(),
            output::run_state(view.state),
            Cell::maybe(view.start_date),
            Cell::maybe(view.duration.map(|seconds| format!("{seconds:.2} s"))),
        ]
    })?;
    Ok(())
}

async fn show(cx: &Cx, dag: &str, run: &str) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    let row = find(&parts, dag, run).await?;
    let tasks = super::tasks::views(&parts, &row).await?;
    if !cx.out.is_for_people() {
        let mut whole = serde_json::to_value(RunView::of(&row))?;
        whole["task_instances"] = serde_json::to_value(&tasks)?;
        cx.out.data(&whole)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(cx, &row)?;
    cx.out.raw("\n")?;
    super::tasks::print(cx, &tasks)?;
    if let Some(words) = held_by_pause(&parts, &row).await? {
        cx.out.remark(&format!("\n{words}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that a run does not go on because its DAG is paused, and what helps.
pub(crate) async fn held_by_pause(parts: &Parts, row: &RunRow) -> anyhow::Result<Option<String>> {
    let dag_id = row.run.dag_id.as_str();
    let is_held = !row.run.state.is_finished() && parts.store.dag(dag_id).await?.is_some_and(|dag| dag.is_paused);
    Ok(is_held.then(|| format!("The DAG is paused, so its run waits: flow dags unpause {dag_id}")))
}

async fn edit(cx: &Cx, run: &Run, request: &Edit, options: EditOptions<'_>) -> anyhow::Result<ExitCode> {
    let parts = Parts::of_command(cx).await?;
    let row = find(&parts, &run.dag, &run.run).await?;
    let edited =
        parts.store.edit_run(&parts.dags, (&run.dag, row.run.run_id.as_str()), request, options, cx.now()).await?;
    super::tasks::print_edited(cx, &edited, options.dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Finds a run by its id or as `latest`.
pub(crate) async fn find(parts: &Parts, dag: &str, run: &str) -> anyhow::Result<RunRow> {
    if parts.store.dag(dag).await?.is_none() {
        return Err(no_such_dag(parts, dag).await);
    }
    let found = if run == "latest" {
        let filter = RunFilter { dag_id: Some(dag.to_owned()), state: None };
        parts.store.list_runs(&filter, 1).await?.into_iter().next()
    } else {
        parts.store.run(dag, run).await?
    };
    found.ok_or_else(|| {
        let refusal = if run == "latest" {
            Refusal::failed(format!("dag `{dag}` has no runs yet")).help(format!("start one: flow trigger {dag}"))
        } else {
            Refusal::failed(format!("dag `{dag}` has no run `{run}`"))
                .help(format!("see its runs: flow runs list {dag}"))
        };
        refusal.into()
    })
}

/// Says that there is no such DAG, and which one may have been meant.
pub(crate) async fn no_such_dag(parts: &Parts, dag: &str) -> anyhow::Error {
    let refusal = Refusal::failed(format!("dag `{dag}` does not exist"));
    let known = parts.store.dags().await.unwrap_or_default();
    let near = crate::config::near(dag, known.into_iter().map(|row| row.dag_id));
    refusal
        .help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "see which there are: flow dags list; mistakes in files: flow dags check".to_owned(),
        })
        .into()
}

/// Prints one run.
pub(crate) fn print(cx: &Cx, row: &RunRow) -> anyhow::Result<()> {
    let view = RunView::of(row);
    cx.out.one(
        &view,
        vec![
            ("dag", view.dag_id.clone().into()),
            ("run", view.dag_run_id.clone().into()),
            ("state", output::run_state(view.state)),
            ("logical date", Cell::maybe(view.logical_date)),
            ("started", Cell::maybe(view.start_date)),
            ("ended", Cell::maybe(view.end_date)),
            ("took", Cell::maybe(view.duration.map(|seconds| format!("{seconds:.2} s")))),
        ],
    )?;
    Ok(())
}

/// Waits until a run has ended, showing how far it is; exit code 1 when it failed or took too long.
pub(crate) async fn wait(
    cx: &Cx,
    parts: &Parts,
    mut row: RunRow,
    timeout: Option<Duration>,
) -> anyhow::Result<ExitCode> {
    let (dag, run) = (row.run.dag_id.clone(), row.run.run_id.clone());
    if let Some(words) = held_by_pause(parts, &row).await? {
        cx.out.note(&words)?;
    }
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    while !row.run.state.is_finished() {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            progress.finish_and_clear();
            let refusal = Refusal::failed(format!("run `{run}` of `{dag}` has not ended in time; it goes on"));
            let tasks = parts.store.tasks(row.run.key).await?;
            let open = tasks.iter().find(|task| !task.state.is_finished());
            return Err(refusal
                .help(match (held_by_pause(parts, &row).await?, open) {
                    (Some(words), _) => words,
                    (None, Some(task)) => format!("see why: flow tasks explain {dag} {run} {}", task.task_id),
                    (None, None) => format!("see why: flow runs show {dag} {run}"),
                })
                .into());
        }
        let tasks = parts.store.tasks(row.run.key).await?;
        let done = tasks.iter().filter(|task| task.state.is_finished()).count();
        progress.set_message(format!("{dag} {run}: {}, {done} of {} tasks done", row.run.state, tasks.len()));
        tokio::time::sleep(LOOK).await;
        row = find(parts, dag.as_str(), run.as_str()).await?;
    }
    progress.finish_and_clear();
    print(cx, &row)?;
    if row.run.state == RunState::Success {
        return Ok(ExitCode::SUCCESS);
    }
    let tasks = parts.store.tasks(row.run.key).await?;
    for task in tasks.iter().filter(|task| task.state == flow_core::TaskState::Failed) {
        cx.out.remark(&format!("failed: {}; see: flow tasks log {dag} {run} {}", task.task_id, task.task_id))?;
    }
    Ok(ExitCode::FAILURE)
}

/// Between two looks at a run that is waited for.
const LOOK: Duration = Duration::from_millis(50);
