//! `flow dags test`: one run of a DAG in the foreground, without a database.

use std::{fs, os::unix::fs::DirBuilderExt, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use flow_core::{DagRun, RunId, RunKey, RunState, RunType, TaskState, Timestamp, dag::params::with_conf};
use flow_runtime::{
    Clock, Stop,
    log::{LogId, LogStore},
};
use serde::Serialize;
use serde_json::Value;

use super::object_arg;
use crate::{
    context::Cx,
    dag_folder::{self, Found},
    output::{self, Cell, Refusal},
    rehearsal::{self, RETRY_DELAY_MAX, Results, Screen, Stage, World},
    when,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags test tutorial
  flow dags test daily_sales --conf '{\"region\": \"us\"}' --logical-date 2026-01-01

Every task really runs. Nothing is remembered but the logs, in a temporary folder. Runs of other DAGs are not made,
and taken for successful. A retry waits a second at most. Ctrl-C ends everything.")]
pub(crate) struct Args {
    /// The DAG's id
    dag: String,
    /// Values for the run, a JSON object
    #[arg(long, value_name = "JSON", value_parser = object_arg)]
    conf: Option<Value>,
    /// The run's logical date, in the DAG's time zone if it has no offset [default: now]
    #[arg(long, value_name = "TIME")]
    logical_date: Option<String>,
    /// Wait as long before a retry as the DAG says
    #[arg(long)]
    real_delays: bool,
}

/// How a task ended, for programs: Airflow's names.
#[derive(Debug, Serialize)]
struct TaskView {
    task_id: String,
    /// `null` = nothing was decided.
    state: Option<TaskState>,
    try_number: u32,
    operator: String,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    duration: Option<f64>,
    log: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    dag_id: String,
    dag_run_id: String,
    state: RunState,
    logical_date: Option<Timestamp>,
    conf: Value,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    logs: PathBuf,
    task_instances: Vec<TaskView>,
}

pub(super) async fn run(args: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let settings = &cx.config.settings;
    let Found { dag, folder: file_folder, others } =
        dag_folder::find_among(&settings.dags.folder, &args.dag, &cx.catalog())?;
    let conf = args.conf.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if let Err(bad) = with_conf(&dag.params, &conf) {
        let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
        let what = format!("`conf` does not fit the params of dag `{}`: {}", dag.id, bad.join("; "));
        return Err(Refusal::failed(what).into());
    }
    let now = cx.now();
    let logical_date = match &args.logical_date {
        None => now,
        Some(text) => when::read(text, &dag.timezone, now)
            .map_err(|problem| Refusal::usage(format!("--logical-date {problem}")))?,
    };
    let run = DagRun {
        key: RunKey(0),
        dag_id: dag.id.clone(),
        run_id: RunId::from(format!("manual__{}", logical_date.to_isoformat())),
        run_type: RunType::Manual,
        state: RunState::Running,
        logical_date: Some(logical_date),
        data_interval: Some(dag.timetable.manual_interval(logical_date)),
        run_after: now,
        queued_at: now,
        started_at: Some(now),
        ended_at: None,
        conf,
        clear_number: 0,
    };
    let folder = make_folder()?;
    let (dag, clock, stop) = (Arc::new(dag), Clock::system(), Stop::new());
    tokio::spawn(stop.listen().context("cannot take over the signals")?);
    let stage = Arc::new(Stage {
        dag: dag.clone(),
        others,
        run: Arc::new(run.clone()),
        registry: flow_operators::all(),
        clients: flow_clients::Clients::default(),
        logs: LogStore::new(folder.join("logs"), clock.clone()),
        clock,
        worker: format!("test-{}", uuid::Uuid::now_v7()),
        kill_grace: settings.core.kill_grace,
        scratch: folder.join("scratch"),
        file_folder,
        screen: Arc::new(Screen::new(&dag, cx.out.colour, !cx.out.is_for_people(), stop.clone())),
        results: Results::default(),
    });
    let retry_delay_max = (!args.real_delays).then_some(RETRY_DELAY_MAX);
    let world = World::new(dag, run, settings.core.max_infrastructure_retries, retry_delay_max);
    let slots = usize::try_from(settings.worker.slots.0).unwrap_or(usize::MAX);
    let played = rehearsal::play(&stage, world, slots, &stop).await;
    // Best effort: every attempt has removed its own part.
    let _ = fs::remove_dir_all(&stage.scratch);
    let world = played?;
    print(cx, &stage.logs, &world)?;
    Ok(if world.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes a new folder that only this user can read.
fn make_folder() -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("flow-test-{}", uuid::Uuid::now_v7()));
    let made = fs::DirBuilder::new().mode(0o700).create(&folder);
    made.with_context(|| format!("cannot make the folder `{}` for logs", folder.display()))?;
    Ok(folder)
}

fn print(cx: &Cx, logs: &LogStore, world: &World) -> anyhow::Result<()> {
    let run = world.run();
    let tasks: Vec<TaskView> = world
        .tasks()
        .iter()
        .map(|instance| {
            let task = world.dag().task(instance.task);
            let id = LogId {
                dag_id: run.dag_id.clone(),
                run_id: run.run_id.clone(),
                task_id: task.id.clone(),
                map_index: instance.map_index,
            };
            let log = logs.path(&id, instance.try_number);
            TaskView {
                task_id: task.id.to_string(),
                state: Some(instance.state).filter(|state| *state != TaskState::NoStatus),
                try_number: instance.try_number,
                operator: task.operator.clone(),
                start_date: instance.started_at,
                end_date: instance.ended_at,
                duration: instance.started_at.zip(instance.ended_at).map(|(start, end)| end.since(start).as_secs_f64()),
                log: log.exists().then_some(log),
            }
        })
        .collect();
    let report = Report {
        dag_id: run.dag_id.to_string(),
        dag_run_id: run.run_id.to_string(),
        state: run.state,
        logical_date: run.logical_date,
        conf: run.conf.clone(),
        start_date: run.started_at,
        end_date: run.ended_at,
        logs: logs.root().to_owned(),
        task_instances: tasks,
    };
    let row = |view: &TaskView| {
        vec![
            Cell::from(view.task_id.clone()),
            output::task_state(view.state.unwrap_or(TaskState::NoStatus)),
            view.try_number.to_string().into(),
            view.operator.clone().into(),
            Cell::maybe(view.duration.map(|seconds| format!("{seconds:.2} s"))),
        ]
    };
    if !cx.out.is_for_people() {
        cx.out.list_or(&report, &report.task_instances, row)?;
        return Ok(());
    }
    cx.out.raw("\n")?;
    cx.out.list(&report.task_instances, &["TASK", "STATE", "TRY", "OPERATOR", "TOOK"], row)?;
    cx.out.remark(&format!(
        "\n{} {}: {}\nlogs: {}",
        report.dag_id,
        report.dag_run_id,
        report.state,
        report.logs.display()
    ))?;
    Ok(())
}
