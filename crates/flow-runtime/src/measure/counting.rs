//! Counts what transactions have changed, after they have: the witness of the store.
//!
//! Handles are kept by task, DAG and operator, so that a change costs a look into a map and some additions.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flow_core::{
    DagId, TaskId, TaskState,
    catalog::{Catalog, OperatorSpec},
};
use flow_metrics::{
    Counter, Metrics, Timer,
    declared::{
        CALLBACK_FAILURES, CALLBACKS_ENDED, DATABASE_TRANSACTION, RUN_DURATION, RUN_FIRST_TASK_DELAY,
        RUN_FIRST_TASK_START, RUN_SCHEDULE_DELAY, RUNS_CREATED, TASK_DURATION, TASK_FAILURES, TASK_FINISHES,
        TASK_QUEUED_DURATION, TASK_SCHEDULED_DURATION, TASK_STARTS, TASK_SUCCESSES, TASKS_CREATED, TASKS_REMOVED,
        TASKS_RESTORED, TRIES_LOST, TRIES_ORPHANED,
    },
};
use flow_store::{Happening, Witness};

/// Tasks whose handles are kept; those of others are looked up each time.
const KEPT: usize = 5_000;

/// States in which a try is over, in the order of [`OfTask::finishes`].
const OVER: [TaskState; 6] = [
    TaskState::Success,
    TaskState::Failed,
    TaskState::Skipped,
    TaskState::UpstreamFailed,
    TaskState::UpForRetry,
    TaskState::UpForReschedule,
];

/// Counts what has happened.
#[derive(Debug)]
pub struct Counting {
    metrics: Metrics,
    /// What Airflow calls operators, by their names.
    classes: HashMap<String, String>,
    kept: Mutex<Kept>,
    transaction: Timer,
    lost: Counter,
    orphaned: Counter,
}

/// The handles that are kept.
#[derive(Debug, Default)]
struct Kept {
    tasks: HashMap<DagId, HashMap<TaskId, OfTask>>,
    /// How many tasks there are in it.
    number: usize,
    operators: HashMap<String, OfOperator>,
}

/// The handles of a task, each made when it is first wanted: most tasks are never skipped.
#[derive(Debug, Default)]
struct OfTask {
    starts: Option<Counter>,
    finishes: [Option<Counter>; OVER.len()],
    duration: Option<Timer>,
    scheduled: Option<Timer>,
    queued: Option<Timer>,
}

/// The handles of an operator.
#[derive(Debug)]
struct OfOperator {
    successes: Counter,
    failures: Counter,
    created: Counter,
}

impl Kept {
    fn task(&mut self, dag_id: &DagId, task_id: &TaskId) -> &mut OfTask {
        // What is kept is no more worth than what is new: all of it is looked up again.
        if self.number >= KEPT && !self.tasks.get(dag_id).is_some_and(|tasks| tasks.contains_key(task_id)) {
            self.tasks.clear();
            self.number = 0;
        }
        let number = &mut self.number;
        self.tasks.entry(dag_id.clone()).or_default().entry(task_id.clone()).or_insert_with(|| {
            *number += 1;
            OfTask::default()
        })
    }
}

impl Counting {
    /// Counts into these metrics; operators go by the names of their classes in Airflow.
    pub fn new(metrics: Metrics, catalog: &Catalog) -> Self {
        let class = |class: &'static str| class.rsplit('.').next().filter(|name| !name.is_empty());
        // What rarely happens is there from the start: an alert about what grows would miss the first time otherwise.
        for state in ["delivered", "failed"] {
            metrics.add(&CALLBACKS_ENDED, &[state], 0);
        }
        let named = |spec: &OperatorSpec| Some((spec.name.to_owned(), class(spec.class)?.to_owned()));
        Self {
            classes: catalog.all().iter().filter_map(named).collect(),
            kept: Mutex::default(),
            transaction: metrics.timer(&DATABASE_TRANSACTION, &[]),
            lost: metrics.counter(&TRIES_LOST, &[]),
            orphaned: metrics.counter(&TRIES_ORPHANED, &[]),
            metrics,
        }
    }

    fn operator<'k>(&self, kept: &'k mut Kept, name: &str) -> &'k OfOperator {
        if !kept.operators.contains_key(name) {
            let class = self.classes.get(name).map_or(name, String::as_str);
            let operator = OfOperator {
                successes: self.metrics.counter(&TASK_SUCCESSES, &[class]),
                failures: self.metrics.counter(&TASK_FAILURES, &[class]),
                created: self.metrics.counter(&TASKS_CREATED, &[class]),
            };
            if kept.operators.len() >= KEPT {
                kept.operators.clear();
            }
            kept.operators.insert(name.to_owned(), operator);
        }
        &kept.operators[name]
    }

    fn count(&self, kept: &mut Kept, happening: &Happening) {
        let metrics = &self.metrics;
        match happening {
            Happening::RunCreated { dag_id, run_type, tasks } => {
                metrics.add(&RUNS_CREATED, &[dag_id.as_str(), run_type.as_str()], 1);
                for (operator, number) in tasks {
                    self.operator(kept, operator).created.add(*number);
                }
            }
            Happening::RunStarted { dag_id, late } => {
                if let Some(late) = late {
                    metrics.took(&RUN_SCHEDULE_DELAY, &[dag_id.as_str()], *late);
                }
            }
            Happening::RunEnded { dag_id, state, took, first_task, first_task_late, run: _ } => {
                metrics.took(&RUN_DURATION, &[dag_id.as_str(), state.as_str()], *took);
                if let Some(late) = first_task_late {
                    metrics.took(&RUN_FIRST_TASK_DELAY, &[dag_id.as_str()], *late);
                }
                if let Some(after) = first_task {
                    metrics.took(&RUN_FIRST_TASK_START, &[dag_id.as_str()], *after);
                }
            }
            Happening::TaskQueued { dag_id, task_id, waited } => {
                let timer = || metrics.timer(&TASK_SCHEDULED_DURATION, &[dag_id.as_str(), task_id.as_str()]);
                kept.task(dag_id, task_id).scheduled.get_or_insert_with(timer).took(*waited);
            }
            Happening::TaskStarted { dag_id, task_id, waited } => {
                let (task, names) = (kept.task(dag_id, task_id), [dag_id.as_str(), task_id.as_str()]);
                task.starts.get_or_insert_with(|| metrics.counter(&TASK_STARTS, &names)).add(1);
                task.queued.get_or_insert_with(|| metrics.timer(&TASK_QUEUED_DURATION, &names)).took(*waited);
            }
            Happening::TaskMoved { dag_id, task_id, operator, from, to, is_own, took } => {
                self.task_moved(kept, (dag_id, task_id), *from, *to, *took);
                if *is_own && !operator.is_empty() {
                    let operator = self.operator(kept, operator);
                    if *to == TaskState::Success {
                        operator.successes.add(1);
                    } else if matches!(to, TaskState::Failed | TaskState::UpForRetry) {
                        operator.failures.add(1);
                    }
                }
            }
            Happening::CallbackTried { dag_id, has_failed, is_over } => {
                if *has_failed {
                    metrics.add(&CALLBACK_FAILURES, &[dag_id.as_str()], 1);
                }
                if *is_over {
                    metrics.add(&CALLBACKS_ENDED, &[if *has_failed { "failed" } else { "delivered" }], 1);
                }
            }
            // Of traces.
            Happening::TriesEnded(_) => {}
            Happening::TriesLost(number) => self.lost.add(*number),
            Happening::TriesOrphaned(number) => self.orphaned.add(*number),
        }
    }

    fn task_moved(
        &self,
        kept: &mut Kept,
        (dag_id, task_id): (&DagId, &TaskId),
        from: TaskState,
        to: TaskState,
        took: Option<Duration>,
    ) {
        let (metrics, names) = (&self.metrics, [dag_id.as_str(), task_id.as_str()]);
        if let Some(at) = OVER.iter().position(|state| *state == to) {
            let task = kept.task(dag_id, task_id);
            let finishes = || metrics.counter(&TASK_FINISHES, &[names[0], names[1], to.as_str()]);
            task.finishes[at].get_or_insert_with(finishes).add(1);
            if let Some(took) = took {
                task.duration.get_or_insert_with(|| metrics.timer(&TASK_DURATION, &names)).took(took);
            }
        } else if to == TaskState::Removed {
            metrics.add(&TASKS_REMOVED, &names[..1], 1);
        }
        if from == TaskState::Removed {
            metrics.add(&TASKS_RESTORED, &names[..1], 1);
        }
    }
}

impl Witness for Counting {
    fn committed(&self, happened: &[Happening], took: Duration) {
        self.transaction.took(took);
        if happened.is_empty() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for happening in happened {
            self.count(&mut kept, happening);
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_metrics::Settings;

    use super::*;

    fn counting(dags_max: usize) -> Counting {
        let metrics = Metrics::new(Settings { prometheus: true, statsd: None, dags_max, tasks_max: 10 });
        Counting::new(metrics, &flow_operators::all().catalog())
    }

    fn moved(dag: &str, operator: &str, to: TaskState, is_own: bool) -> Happening {
        let took = is_own.then_some(Duration::from_secs(2));
        let (dag_id, task_id, from) = (DagId::new(dag), TaskId::new("t"), TaskState::Running);
        Happening::TaskMoved { dag_id, task_id, operator: operator.to_owned(), from, to, is_own, took }
    }

    #[track_caller]
    fn shows(counting: &Counting, lines: &[&str]) {
        let text = counting.metrics.render().unwrap();
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "no `{line}` in\n{text}");
        }
    }

    #[test]
    fn operators_go_by_airflows_names_and_marks_are_nobodys_success() {
        let counting = counting(5);
        let happened = [
            moved("d", "bash", TaskState::Success, true),
            moved("d", "bash", TaskState::UpForRetry, true),
            moved("d", "bash", TaskState::Success, false),
            moved("d", "", TaskState::Failed, false),
        ];
        counting.committed(&happened, Duration::from_millis(1));
        shows(
            &counting,
            &[
                "flow_task_successes_total{operator_name=\"BashOperator\"} 1",
                "flow_task_failures_total{operator_name=\"BashOperator\"} 1",
                "flow_task_finishes_total{dag_id=\"d\",task_id=\"t\",state=\"success\"} 2",
                "flow_task_finishes_total{dag_id=\"d\",task_id=\"t\",state=\"up_for_retry\"} 1",
                "flow_task_duration_seconds_sum{dag_id=\"d\",task_id=\"t\"} 4",
                "flow_database_transaction_duration_seconds_count 1",
            ],
        );
    }

    #[test]
    fn callbacks_that_fail_are_counted_and_their_end_is() {
        let counting = counting(5);
        shows(&counting, &["flow_callbacks_ended_total{state=\"failed\"} 0"]);
        let tried = |has_failed, is_over| Happening::CallbackTried { dag_id: DagId::new("d"), has_failed, is_over };
        counting.committed(&[tried(true, false), tried(true, true), tried(false, true)], Duration::ZERO);
        shows(
            &counting,
            &[
                "flow_callback_failures_total{dag_id=\"d\"} 2",
                "flow_callbacks_ended_total{state=\"delivered\"} 1",
                "flow_callbacks_ended_total{state=\"failed\"} 1",
            ],
        );
    }

    #[test]
    fn many_dags_do_not_make_many_series() {
        let counting = counting(2);
        for at in 0..KEPT + 10 {
            counting.committed(&[moved(&format!("d{at}"), "bash", TaskState::Success, true)], Duration::ZERO);
        }
        let rest =
            format!("flow_task_finishes_total{{dag_id=\"other\",task_id=\"other\",state=\"success\"}} {}", KEPT + 8);
        shows(&counting, &[&rest]);
        let kept = counting.kept.lock().unwrap();
        assert!(kept.number <= KEPT && kept.tasks.len() <= KEPT);
    }

    #[test]
    fn a_task_that_leaves_its_dag_and_comes_back_is_counted() {
        let counting = counting(5);
        let back = Happening::TaskMoved {
            dag_id: DagId::new("d"),
            task_id: TaskId::new("t"),
            operator: "bash".to_owned(),
            from: TaskState::Removed,
            to: TaskState::NoStatus,
            is_own: false,
            took: None,
        };
        counting.committed(&[moved("d", "bash", TaskState::Removed, false), back], Duration::ZERO);
        shows(&counting, &["flow_tasks_removed_total{dag_id=\"d\"} 1", "flow_tasks_restored_total{dag_id=\"d\"} 1"]);
    }
}
