//! `flow tasks`: look at a run's task instances, read their logs, ask why, clear and mark them.

use std::{process::ExitCode, time::Duration};

use flow_core::TaskState;

use crate::{
    context::Cx,
    home::{self, Action, Change, Home, Mark, RunView, TaskPlace, TaskView},
    output::{self, Cell, Refusal},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow tasks list tutorial latest
  flow tasks log tutorial latest templated -f
  flow tasks explain tutorial latest sleep
  flow tasks clear tutorial latest sleep --downstream")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which task instance is meant.
#[derive(Debug, clap::Args)]
struct Instance {
    /// The DAG's id
    dag: String,
    /// The run's id, or `latest`
    run: String,
    /// The task's id
    task: String,
    /// Which one, of a mapped task
    #[arg(long, value_name = "N")]
    map_index: Option<i32>,
}

/// What else is touched.
#[derive(Debug, clap::Args)]
struct Reach {
    /// Also what it depends on
    #[arg(long)]
    upstream: bool,
    /// Also what depends on it
    #[arg(long)]
    downstream: bool,
    /// Also in earlier runs
    #[arg(long)]
    past: bool,
    /// Also in later runs
    #[arg(long)]
    future: bool,
    /// Only say what would be touched
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The task instances of a run
    #[command(after_help = "Examples:\n  flow tasks list tutorial latest\n  flow tasks list tutorial latest -o json")]
    List {
        /// The DAG's id
        dag: String,
        /// The run's id, or `latest`
        run: String,
    },
    /// What a task wrote
    #[command(
        after_help = "Examples:\n  flow tasks log tutorial latest templated\n  flow tasks log tutorial latest sleep --try 2 -f"
    )]
    Log {
        #[command(flatten)]
        instance: Instance,
        /// Which try, from 1 [default: the latest; with -f also those that follow]
        #[arg(long = "try", value_name = "N")]
        try_number: Option<u32>,
        /// Go on until the task has ended
        #[arg(short, long)]
        follow: bool,
    },
    /// Run a task again
    #[command(
        after_help = "Examples:\n  flow tasks clear tutorial latest sleep\n  flow tasks clear tutorial latest sleep --downstream --dry-run"
    )]
    Clear {
        #[command(flatten)]
        instance: Instance,
        #[command(flatten)]
        reach: Reach,
    },
    /// Set the state of a task
    #[command(
        after_help = "Examples:\n  flow tasks mark success tutorial latest sleep\n  flow tasks mark failed tutorial latest sleep --downstream"
    )]
    Mark {
        state: Mark,
        #[command(flatten)]
        instance: Instance,
        #[command(flatten)]
        reach: Reach,
    },
    /// A task's arguments as they are for a run
    #[command(after_help = "Examples:\n  flow tasks render tutorial latest templated")]
    Render(Instance),
    /// Why a task runs, waits or does not run
    #[command(after_help = "Examples:\n  flow tasks explain tutorial latest sleep")]
    Explain(Instance),
}

pub(crate) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    match args.command {
        Command::List { dag, run } => {
            let run = home.find_run(&dag, &run).await?;
            print(cx, &home.tasks(&dag, &run.dag_run_id).await?)?;
        }
        Command::Log { instance, try_number, follow } => log(cx, &home, &instance, try_number, follow).await?,
        Command::Clear { instance, reach } => {
            let action = Action::Clear { only_failed: false, latest_version: false };
            edit(cx, &home, &instance, &reach, action).await?;
        }
        Command::Mark { state, instance, reach } => {
            edit(cx, &home, &instance, &reach, Action::Mark { state }).await?;
        }
        Command::Render(instance) => {
            let (_, _, place) = find(&home, &instance).await?;
            cx.out.fields(&home.rendered(&place).await?)?;
        }
        Command::Explain(instance) => {
            let (_, _, place) = find(&home, &instance).await?;
            let reasons = home.explain(cx, &place).await?;
            if cx.out.is_for_people() {
                for reason in &reasons {
                    cx.out.raw(&format!("{}\n", reason.text))?;
                }
            } else {
                cx.out.list(&reasons, &[], |reason| vec![reason.kind.clone().into(), reason.text.clone().into()])?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints task instances.
pub(crate) fn print(cx: &Cx, views: &[TaskView]) -> anyhow::Result<()> {
    cx.out.list(views, &["TASK", "STATE", "TRY", "OPERATOR", "STARTED", "TOOK"], |view| {
        let name =
            if view.map_index < 0 { view.task_id.clone() } else { format!("{}[{}]", view.task_id, view.map_index) };
        vec![
            name.into(),
            output::task_state(view.state()),
            view.try_number.to_string().into(),
            view.operator.clone().into(),
            Cell::maybe(view.start_date),
            Cell::maybe(view.duration.map(|seconds| format!("{seconds:.2} s"))),
        ]
    })?;
    Ok(())
}

/// Prints what an edit changed, or would change.
pub(crate) fn print_changes(cx: &Cx, changes: &[Change], dry_run: bool) -> anyhow::Result<()> {
    if changes.is_empty() && cx.out.is_for_people() {
        cx.out.remark("Nothing to change.")?;
        return Ok(());
    }
    cx.out.list(changes, &["TASK", "FROM", "TO"], |change| {
        vec![change.task_id.clone().into(), output::task_state(change.from), output::task_state(change.to)]
    })?;
    if dry_run {
        cx.out.remark("Nothing was changed (--dry-run).")?;
    }
    Ok(())
}

/// Finds a task instance of a run.
async fn find(home: &Home, instance: &Instance) -> anyhow::Result<(RunView, TaskView, TaskPlace)> {
    let run = home.find_run(&instance.dag, &instance.run).await?;
    let tasks = home.tasks(&instance.dag, &run.dag_run_id).await?;
    let wanted = instance.map_index.unwrap_or(-1);
    let found = tasks.iter().find(|task| task.task_id == instance.task && task.map_index == wanted).cloned();
    let Some(task) = found else {
        let near = crate::config::near(&instance.task, tasks.iter().map(|task| task.task_id.clone()));
        let refusal =
            Refusal::failed(format!("run `{}` of `{}` has no task `{}`", run.dag_run_id, instance.dag, instance.task));
        return Err(refusal
            .help(near.map_or_else(
                || format!("see its tasks: flow tasks list {} {}", instance.dag, instance.run),
                |near| format!("did you mean `{near}`?"),
            ))
            .into());
    };
    let place = TaskPlace {
        dag_id: instance.dag.clone(),
        run_id: run.dag_run_id.clone(),
        task_id: task.task_id.clone(),
        map_index: task.map_index,
    };
    Ok((run, task, place))
}

async fn log(cx: &Cx, home: &Home, instance: &Instance, try_number: Option<u32>, follow: bool) -> anyhow::Result<()> {
    let (_, task, place) = find(home, instance).await?;
    let wanted = try_number.unwrap_or_else(|| task.try_number.max(1));
    let is_open = follow && !task.state().is_finished();
    if !home.write_log(&place, wanted, is_open, |bytes| cx.out.bytes(bytes)).await? {
        let refusal = Refusal::failed(format!("task `{}` has no log of try {wanted}", task.task_id));
        let help = if task.state() == TaskState::NoStatus || task.try_number == 0 {
            format!(
                "it has not started; see why: flow tasks explain {} {} {}",
                instance.dag, instance.run, task.task_id
            )
        } else if task.operator == "empty" {
            "an `empty` task does nothing, so it writes nothing".to_owned()
        } else {
            format!("it was run by {}; its log is kept there", task.hostname.as_deref().unwrap_or("another host"))
        };
        return Err(refusal.help(help).into());
    }
    if !follow || try_number.is_some() {
        return Ok(());
    }
    let mut number = wanted;
    loop {
        // Another try may come yet: after a retry's delay, or because somebody clears the task.
        loop {
            match home.standing(&place).await? {
                Some(now) if now.try_number > number => break,
                Some(now) if !now.is_finished() => tokio::time::sleep(NEXT_TRY_LOOK).await,
                Some(_) | None => return Ok(()),
            }
        }
        number += 1;
        cx.out.note(&format!("try {number}:"))?;
        home.write_log(&place, number, true, |bytes| cx.out.bytes(bytes)).await?;
    }
}

async fn edit(cx: &Cx, home: &Home, instance: &Instance, reach: &Reach, action: Action) -> anyhow::Result<()> {
    let (run, task, _) = find(home, instance).await?;
    let mut wanted = vec![run.dag_run_id.clone()];
    if reach.past || reach.future {
        let mut others = home.runs(Some(&instance.dag), None, RUNS_MAX + 1).await?;
        if others.len() > RUNS_MAX as usize {
            others.truncate(RUNS_MAX as usize);
            cx.out.note(&format!("`{}` has more runs: only the newest {RUNS_MAX} are looked at", instance.dag))?;
        }
        wanted.extend(
            others
                .into_iter()
                .filter(|other| {
                    (reach.past && other.logical_date < run.logical_date)
                        || (reach.future && other.logical_date > run.logical_date)
                })
                .map(|other| other.dag_run_id),
        );
    }
    let scope = home::Reach {
        task_id: Some(&task.task_id),
        map_index: instance.map_index,
        upstream: reach.upstream,
        downstream: reach.downstream,
        dry_run: reach.dry_run,
    };
    for run_id in &wanted {
        let changes = match home.edit(cx, (&instance.dag, run_id), action, &scope).await {
            // Another version of the DAG, or deleted meanwhile: the other runs are changed all the same.
            Err(error) if Home::is_missing(&error) && *run_id != run.dag_run_id => {
                cx.out.note(&format!("skipped {} {run_id}: {error}", instance.dag))?;
                continue;
            }
            other => other?,
        };
        if wanted.len() > 1 {
            cx.out.remark(&format!("{} {run_id}", instance.dag))?;
        }
        print_changes(cx, &changes, reach.dry_run)?;
    }
    Ok(())
}

/// Most runs that `--past` and `--future` reach.
const RUNS_MAX: u32 = 10_000;

/// Between two looks for a task's next try.
const NEXT_TRY_LOOK: Duration = Duration::from_millis(250);
