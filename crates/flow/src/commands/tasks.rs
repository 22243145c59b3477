//! `flow tasks`: look at a run's task instances, read their logs, ask why, clear and mark them.

use std::{
    process::ExitCode,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flow_core::{
    RunKey, TaskState, Timestamp,
    engine::{Edit, Refused, Selection},
};
use flow_runtime::log::{Follow, LogId};
use flow_store::{ActionError, EditOptions, Edited, RunFilter, RunRow, Store, StoreError, TaskRow};
use serde::Serialize;

use super::{dags::State, runs};
use crate::{
    context::Cx,
    node::Parts,
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
        state: State,
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
    let parts = Parts::of_command(cx).await?;
    match args.command {
        Command::List { dag, run } => {
            let row = runs::find(&parts, &dag, &run).await?;
            print(cx, &views(&parts, &row).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Log { instance, try_number, follow } => log(cx, &parts, &instance, try_number, follow).await,
        Command::Clear { instance, reach } => {
            let make = |tasks| Edit::Clear { tasks, only_failed: false };
            edit(cx, &parts, &instance, &reach, make).await
        }
        Command::Mark { state, instance, reach } => {
            let state = match state {
                State::Success => TaskState::Success,
                State::Failed => TaskState::Failed,
            };
            edit(cx, &parts, &instance, &reach, |tasks| Edit::MarkTasks { tasks, state }).await
        }
        Command::Render(instance) => render(cx, &parts, &instance).await,
        Command::Explain(instance) => explain(cx, &parts, &instance).await,
    }
}

/// A task instance, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct TaskView {
    task_id: String,
    map_index: i32,
    /// `null` = nothing has been decided yet.
    state: Option<TaskState>,
    try_number: u32,
    max_tries: u32,
    operator: String,
    pool: String,
    queue: String,
    hostname: Option<String>,
    queued_when: Option<Timestamp>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    duration: Option<f64>,
}

impl TaskView {
    fn of(row: &TaskRow) -> Self {
        Self {
            task_id: row.task_id.clone(),
            map_index: row.map_index,
            state: Some(row.state).filter(|state| *state != TaskState::NoStatus),
            try_number: row.try_number,
            max_tries: row.max_tries,
            operator: row.operator.clone(),
            pool: row.pool.clone(),
            queue: row.queue.clone(),
            hostname: row.hostname.clone(),
            queued_when: row.queued_at,
            start_date: row.started_at,
            end_date: row.ended_at,
            duration: row.started_at.zip(row.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
        }
    }
}

/// Returns the task instances of a run in the order of its DAG.
pub(crate) async fn views(parts: &Parts, row: &RunRow) -> anyhow::Result<Vec<TaskView>> {
    let dag = parts.dags.read(&parts.store, row.version_id).await?;
    let mut tasks = parts.store.tasks(row.run.key).await?;
    tasks.sort_by_key(|task| (dag.task_ix(&task.task_id).map_or(u32::MAX, |ix| ix.0), task.map_index));
    Ok(tasks.iter().map(TaskView::of).collect())
}

/// Prints task instances.
pub(crate) fn print(cx: &Cx, views: &[TaskView]) -> anyhow::Result<()> {
    cx.out.list(views, &["TASK", "STATE", "TRY", "OPERATOR", "STARTED", "TOOK"], |view| {
        let name =
            if view.map_index < 0 { view.task_id.clone() } else { format!("{}[{}]", view.task_id, view.map_index) };
        vec![
            name.into(),
            output::task_state(view.state.unwrap_or(TaskState::NoStatus)),
            view.try_number.to_string().into(),
            view.operator.clone().into(),
            Cell::maybe(view.start_date),
            Cell::maybe(view.duration.map(|seconds| format!("{seconds:.2} s"))),
        ]
    })?;
    Ok(())
}

/// Prints what an edit changed, or would change.
pub(crate) fn print_edited(cx: &Cx, edited: &[Edited], dry_run: bool) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct View<'a> {
        task_id: &'a str,
        map_index: i32,
        from: TaskState,
        to: TaskState,
    }
    let views: Vec<View<'_>> = edited
        .iter()
        .map(|edited| View { task_id: &edited.task_id, map_index: edited.map_index, from: edited.from, to: edited.to })
        .collect();
    if views.is_empty() && cx.out.is_for_people() {
        cx.out.remark("Nothing to change.")?;
        return Ok(());
    }
    cx.out.list(&views, &["TASK", "FROM", "TO"], |view| {
        vec![view.task_id.into(), output::task_state(view.from), output::task_state(view.to)]
    })?;
    if dry_run {
        cx.out.remark("Nothing was changed (--dry-run).")?;
    }
    Ok(())
}

/// Finds a task instance of a run.
async fn find(parts: &Parts, instance: &Instance) -> anyhow::Result<(RunRow, TaskRow)> {
    let row = runs::find(parts, &instance.dag, &instance.run).await?;
    let tasks = parts.store.tasks(row.run.key).await?;
    let wanted = instance.map_index.unwrap_or(-1);
    let found = tasks.iter().find(|task| task.task_id == instance.task && task.map_index == wanted).cloned();
    let Some(task) = found else {
        let near = crate::config::near(&instance.task, tasks.iter().map(|task| task.task_id.clone()));
        let refusal =
            Refusal::failed(format!("run `{}` of `{}` has no task `{}`", row.run.run_id, instance.dag, instance.task));
        return Err(refusal
            .help(near.map_or_else(
                || format!("see its tasks: flow tasks list {} {}", instance.dag, instance.run),
                |near| format!("did you mean `{near}`?"),
            ))
            .into());
    };
    Ok((row, task))
}

async fn log(
    cx: &Cx,
    parts: &Parts,
    instance: &Instance,
    try_number: Option<u32>,
    follow: bool,
) -> anyhow::Result<ExitCode> {
    let (row, task) = find(parts, instance).await?;
    let id = LogId {
        dag_id: row.run.dag_id.clone(),
        run_id: row.run.run_id.clone(),
        task_id: task.task_id.clone().into(),
        map_index: task.map_index,
    };
    let wanted = try_number.unwrap_or_else(|| task.try_number.max(1));
    let path = parts.logs.path(&id, wanted);
    if !path.exists() && (!follow || task.state.is_finished()) {
        let refusal = Refusal::failed(format!("task `{}` has no log of try {wanted}", task.task_id));
        let help = if task.state == TaskState::NoStatus || task.try_number == 0 {
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
    if !follow {
        let mut lines = Follow::new(path, 0, || std::future::ready(true));
        while let Some(chunk) = lines.next().await? {
            cx.out.bytes(&chunk)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut number = wanted;
    loop {
        follow_one(cx, parts, row.run.key, &id, number).await?;
        if try_number.is_some() {
            return Ok(ExitCode::SUCCESS);
        }
        // Another try may come yet: after a retry's delay, or because somebody clears the task.
        loop {
            match now(&parts.store, row.run.key, &id).await? {
                Some(now) if now.try_number > number => break,
                Some(now) if !now.state.is_finished() => tokio::time::sleep(NEXT_TRY_LOOK).await,
                Some(_) | None => return Ok(ExitCode::SUCCESS),
            }
        }
        number += 1;
        cx.out.note(&format!("try {number}:"))?;
    }
}

/// Prints the log of one try until the try has ended.
async fn follow_one(cx: &Cx, parts: &Parts, run: RunKey, id: &LogId, number: u32) -> anyhow::Result<()> {
    let failure = Mutex::new(None);
    let mut lines = Follow::new(parts.logs.path(id, number), 0, || async {
        match now(&parts.store, run, id).await {
            Ok(now) => now.is_none_or(|now| {
                now.state.is_finished() || now.try_number > number || now.state == TaskState::UpForRetry
            }),
            Err(error) => {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                true
            }
        }
    });
    while let Some(chunk) = lines.next().await? {
        cx.out.bytes(&chunk)?;
    }
    drop(lines);
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(anyhow::Error::new(error).context("cannot see whether the task goes on")),
        None => Ok(()),
    }
}

/// Looks at a task instance; `None` when it is gone.
async fn now(store: &Store, run: RunKey, id: &LogId) -> Result<Option<TaskRow>, StoreError> {
    let tasks = store.tasks(run).await?;
    Ok(tasks.into_iter().find(|task| task.task_id == id.task_id.as_str() && task.map_index == id.map_index))
}

async fn edit(
    cx: &Cx,
    parts: &Parts,
    instance: &Instance,
    reach: &Reach,
    make: impl Fn(Selection) -> Edit,
) -> anyhow::Result<ExitCode> {
    let (row, task) = find(parts, instance).await?;
    let mut wanted = vec![row.run.run_id.to_string()];
    if reach.past || reach.future {
        let filter = RunFilter { dag_id: Some(instance.dag.clone()), state: None };
        let mut others = parts.store.list_runs(&filter, RUNS_MAX + 1).await?;
        if others.len() > RUNS_MAX as usize {
            others.truncate(RUNS_MAX as usize);
            cx.out.note(&format!("`{}` has more runs: only the newest {RUNS_MAX} are looked at", instance.dag))?;
        }
        wanted.extend(
            others
                .iter()
                .filter(|other| {
                    (reach.past && other.run.logical_date < row.run.logical_date)
                        || (reach.future && other.run.logical_date > row.run.logical_date)
                })
                .map(|other| other.run.run_id.to_string()),
        );
    }
    let selection = Selection {
        tasks: Some(vec![(task.task_id.clone().into(), instance.map_index)]),
        upstream: reach.upstream,
        downstream: reach.downstream,
    };
    let options = EditOptions { dry_run: reach.dry_run, pin_latest: false, who: None };
    for run_id in &wanted {
        let edited = parts
            .store
            .edit_run(&parts.dags, (&instance.dag, run_id), &make(selection.clone()), options, cx.now())
            .await;
        let edited = match edited {
            // Another version of the DAG, or deleted meanwhile: the other runs are changed all the same.
            Err(
                error @ (ActionError::Refused(Refused::NoSuchTask(_) | Refused::NoSuchMapIndex(..))
                | ActionError::Store(StoreError::NotFound { .. })),
            ) if *run_id != row.run.run_id.as_str() => {
                cx.out.note(&format!("skipped {} {run_id}: {error}", instance.dag))?;
                continue;
            }
            other => other?,
        };
        if wanted.len() > 1 {
            cx.out.remark(&format!("{} {run_id}", instance.dag))?;
        }
        print_edited(cx, &edited, reach.dry_run)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn render(cx: &Cx, parts: &Parts, instance: &Instance) -> anyhow::Result<ExitCode> {
    let (row, task) = find(parts, instance).await?;
    if let Some(fields) = parts.store.rendered(row.run.key, &task.task_id, task.map_index).await? {
        cx.out.fields(&fields)?;
        return Ok(ExitCode::SUCCESS);
    }
    let fields = parts.render(row, &task).await?;
    cx.out.fields(&fields)?;
    Ok(ExitCode::SUCCESS)
}

async fn explain(cx: &Cx, parts: &Parts, instance: &Instance) -> anyhow::Result<ExitCode> {
    #[derive(Serialize)]
    struct View {
        kind: &'static str,
        text: String,
    }
    let (row, task) = find(parts, instance).await?;
    let reasons = parts
        .store
        .explain(&parts.dags, &row, &task, cx.config.settings.core.max_infrastructure_retries, cx.now())
        .await?;
    let views: Vec<View> = reasons.into_iter().map(|reason| View { kind: reason.kind, text: reason.text }).collect();
    if cx.out.is_for_people() {
        for view in &views {
            cx.out.raw(&format!("{}\n", view.text))?;
        }
    } else {
        cx.out.list(&views, &[], |view| vec![view.kind.into(), view.text.clone().into()])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Most runs that `--past` and `--future` reach.
const RUNS_MAX: u32 = 10_000;

/// Between two looks for a task's next try.
const NEXT_TRY_LOOK: Duration = Duration::from_millis(250);
