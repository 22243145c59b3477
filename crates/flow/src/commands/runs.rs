//! `flow runs`: look at runs, wait for them, clear, mark, cancel and delete them.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use flow_core::{RunState, TaskState};
use indicatif::ProgressBar;

use super::dags::duration_arg;
use crate::{
    context::Cx,
    home::{Action, Home, Mark, Reach, RunView},
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
        state: Mark,
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
            let home = Home::open(cx).await?;
            let run = home.find_run(&dag, &run).await?;
            wait(cx, &home, run, timeout).await
        }
        Command::Clear { run, only_failed, latest_version, dry_run } => {
            edit(cx, &run, Action::Clear { only_failed, latest_version }, dry_run).await
        }
        Command::Mark { state, run } => edit(cx, &run, Action::Mark { state }, false).await,
        Command::Cancel(run) => edit(cx, &run, Action::Cancel, false).await,
        Command::Delete(Run { dag, run }) => {
            let home = Home::open(cx).await?;
            let run = home.find_run(&dag, &run).await?;
            home.delete_run(cx, &run).await?;
            cx.out.remark(&format!("deleted {dag} {}", run.dag_run_id))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(cx: &Cx, dag: Option<String>, state: Option<RunState>, limit: u32) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    if let Some(dag) = &dag
        && home.dag(dag).await?.is_none()
    {
        return Err(home.no_such_dag(dag).await);
    }
    let views = home.runs(dag.as_deref(), state, limit).await?;
    print_list(cx, &views)?;
    if views.is_empty() {
        let has_others = state.is_some() && !home.runs(dag.as_deref(), None, 1).await?.is_empty();
        let dag = dag.as_deref().unwrap_or("DAG");
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
    let home = Home::open(cx).await?;
    let view = home.find_run(dag, run).await?;
    let tasks = home.tasks(dag, &view.dag_run_id).await?;
    if !cx.out.is_for_people() {
        let mut whole = serde_json::to_value(&view)?;
        whole["task_instances"] = serde_json::to_value(&tasks)?;
        cx.out.data(&whole)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(cx, &view)?;
    cx.out.raw("\n")?;
    super::tasks::print(cx, &tasks)?;
    if let Some(words) = held_by_pause(&home, &view).await? {
        cx.out.remark(&format!("\n{words}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that a run does not go on because its DAG is paused, and what helps.
pub(crate) async fn held_by_pause(home: &Home, run: &RunView) -> anyhow::Result<Option<String>> {
    let dag_id = run.dag_id.as_str();
    let is_held = !run.state.is_finished() && home.dag(dag_id).await?.is_some_and(|dag| dag.is_paused);
    Ok(is_held.then(|| format!("The DAG is paused, so its run waits: flow dags unpause {dag_id}")))
}

async fn edit(cx: &Cx, run: &Run, action: Action, dry_run: bool) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let view = home.find_run(&run.dag, &run.run).await?;
    let reach = Reach { dry_run, ..Reach::default() };
    let changes = home.edit(cx, (&run.dag, &view.dag_run_id), action, &reach).await?;
    super::tasks::print_changes(cx, &changes, dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints one run.
pub(crate) fn print(cx: &Cx, view: &RunView) -> anyhow::Result<()> {
    cx.out.one(
        view,
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
    home: &Home,
    mut view: RunView,
    timeout: Option<Duration>,
) -> anyhow::Result<ExitCode> {
    let (dag, run) = (view.dag_id.clone(), view.dag_run_id.clone());
    if let Some(words) = held_by_pause(home, &view).await? {
        cx.out.note(&words)?;
    }
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    let mut pause = LOOK;
    while !view.state.is_finished() {
        let tasks = home.tasks(&dag, &run).await?;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            progress.finish_and_clear();
            let refusal = Refusal::failed(format!("run `{run}` of `{dag}` has not ended in time; it goes on"));
            let open = tasks.iter().find(|task| !task.state().is_finished());
            return Err(refusal
                .help(match (held_by_pause(home, &view).await?, open) {
                    (Some(words), _) => words,
                    (None, Some(task)) => format!("see why: flow tasks explain {dag} {run} {}", task.task_id),
                    (None, None) => format!("see why: flow runs show {dag} {run}"),
                })
                .into());
        }
        let done = tasks.iter().filter(|task| task.state().is_finished()).count();
        progress.set_message(format!("{dag} {run}: {}, {done} of {} tasks done", view.state, tasks.len()));
        let left = deadline.map_or(pause, |deadline| deadline.saturating_duration_since(Instant::now()));
        tokio::time::sleep(pause.min(left)).await;
        if matches!(home, Home::Remote(_)) {
            // A server has others to answer.
            pause = (pause * 3 / 2).min(LOOK_MAX);
        }
        view = home.find_run(&dag, &run).await?;
    }
    progress.finish_and_clear();
    print(cx, &view)?;
    if view.state == RunState::Success {
        return Ok(ExitCode::SUCCESS);
    }
    let tasks = home.tasks(&dag, &run).await?;
    for task in tasks.iter().filter(|task| task.state() == TaskState::Failed) {
        cx.out.remark(&format!("failed: {}; see: flow tasks log {dag} {run} {}", task.task_id, task.task_id))?;
    }
    Ok(ExitCode::FAILURE)
}

/// Between two looks at a run that is waited for.
const LOOK: Duration = Duration::from_millis(50);
/// The longest that it becomes, over the network.
const LOOK_MAX: Duration = Duration::from_secs(2);
