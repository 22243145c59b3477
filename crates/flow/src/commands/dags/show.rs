//! `flow dags show`: a DAG, its tasks and its last runs.

use std::process::ExitCode;

use flow_core::{Dag, Task, TaskIx, Timestamp, dag::TaskGroup, time::format_duration};
use serde::Serialize;

use crate::{
    commands::runs,
    context::Cx,
    home::{DagView, Home, RunView},
    output::Cell,
};

/// Runs that are shown.
const RUNS: u32 = 5;

/// A task, for programs: Airflow's names.
#[derive(Debug, Serialize)]
struct TaskView {
    task_id: String,
    operator_name: String,
    owner: String,
    upstream_task_ids: Vec<String>,
    downstream_task_ids: Vec<String>,
    task_group: Option<String>,
    trigger_rule: &'static str,
    retries: u32,
    /// Seconds.
    retry_delay: f64,
    /// Seconds.
    execution_timeout: Option<f64>,
    depends_on_past: bool,
    wait_for_downstream: bool,
    pool: String,
    pool_slots: u32,
    priority_weight: i64,
    queue: String,
    doc_md: Option<String>,
}

impl TaskView {
    fn of(dag: &Dag, task: &Task) -> Self {
        let ids = |list: &[TaskIx]| list.iter().map(|ix| dag.task(*ix).id.to_string()).collect();
        Self {
            task_id: task.id.to_string(),
            operator_name: task.operator.clone(),
            owner: task.owner.clone(),
            upstream_task_ids: ids(&task.upstream),
            downstream_task_ids: ids(&task.downstream),
            task_group: task.group.and_then(|at| dag.groups.get(at)).map(|group: &TaskGroup| group.id.clone()),
            trigger_rule: task.trigger_rule.as_str(),
            retries: task.retry.retries,
            retry_delay: task.retry.delay.as_secs_f64(),
            execution_timeout: task.execution_timeout.map(|limit| limit.as_secs_f64()),
            depends_on_past: task.depends_on_past,
            wait_for_downstream: task.wait_for_downstream,
            pool: task.pool.clone(),
            pool_slots: task.pool_slots,
            priority_weight: task.priority_weight,
            queue: task.queue.clone(),
            doc_md: task.doc_md.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Whole {
    #[serde(flatten)]
    dag: DagView,
    version_number: i64,
    doc_md: Option<String>,
    timezone: String,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    catchup: bool,
    max_active_tasks: u32,
    tasks: Vec<TaskView>,
    dag_runs: Vec<RunView>,
}

pub(super) async fn run(dag_id: &str, cx: &Cx) -> anyhow::Result<ExitCode> {
    let home = Home::open(cx).await?;
    let Some(view) = home.dag(dag_id).await? else { return Err(home.no_such_dag(dag_id).await) };
    let (dag, version_number) = home.version(cx, dag_id).await?;
    let last = home.runs(Some(dag_id), None, RUNS).await?;
    let dag = &*dag;
    let whole = Whole {
        dag: DagView { last_run_state: last.first().map(|run| run.state), ..view },
        version_number,
        doc_md: dag.doc_md.clone(),
        timezone: dag.timezone.clone(),
        start_date: dag.start_date,
        end_date: dag.end_date,
        catchup: dag.catchup,
        max_active_tasks: dag.max_active_tasks,
        tasks: dag.tasks.iter().map(|task| TaskView::of(dag, task)).collect(),
        dag_runs: last,
    };
    if !cx.out.is_for_people() {
        cx.out.list_or(&whole, &whole.tasks, task_row)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut properties = whole.dag.properties();
    properties.extend([
        ("version", Cell::from(whole.version_number.to_string())),
        ("time zone", whole.timezone.clone().into()),
        ("catchup", if dag.catchup { "yes".into() } else { "no".into() }),
        ("time limit", Cell::maybe(dag.dagrun_timeout.map(format_duration))),
    ]);
    properties.retain(|(_, cell)| !cell.is_empty());
    cx.out.one(&whole, properties)?;
    if whole.dag.has_import_errors {
        cx.out.remark("\nIts file has errors; this is its last good version: flow dags check")?;
    }
    cx.out.raw("\n")?;
    cx.out.list(&whole.tasks, &["TASK", "OPERATOR", "AFTER", "TRIGGER RULE", "RETRIES"], task_row)?;
    cx.out.raw("\n")?;
    if whole.dag_runs.is_empty() {
        cx.out.remark(&format!("No runs yet. Start one: flow trigger {dag_id} --wait"))?;
    } else {
        runs::print_list(cx, &whole.dag_runs)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn task_row(task: &TaskView) -> Vec<Cell> {
    vec![
        task.task_id.clone().into(),
        task.operator_name.clone().into(),
        task.upstream_task_ids.join(", ").into(),
        task.trigger_rule.into(),
        task.retries.to_string().into(),
    ]
}
