//! DAGs and runs for tests: a builder, and a store of one run in memory.
//!
//! [`Facts`] does what the real store does with a decision, and nothing else; it checks each arrow on the way.

use serde_json::Value;

use super::{Decision, Edit, Refused, RunView, decide, edit};
use crate::{
    dag::{Dag, Dialect, OverlapPolicy, RetryPolicy, Task},
    id::{RunKey, TaskIx},
    run::{Attempt, DagRun, Outcome, Previous, Skips, TaskInstance},
    state::{RunState, RunType, TaskState, TriggerRule},
    time::Timestamp,
    timetable::Timetable,
};

mod choices;

pub use choices::{Choices, each};

/// Returns the moment that many seconds after midnight of 2026-01-01, UTC.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000) + std::time::Duration::from_secs(seconds)
}

/// Makes DAGs task by task.
#[derive(Clone, Debug)]
pub struct DagBuilder {
    dag: Dag,
}

impl DagBuilder {
    /// Starts a DAG without tasks and with every default.
    #[expect(clippy::new_without_default, reason = "a DAG without tasks is a beginning, not a default")]
    pub fn new() -> Self {
        let timetable = Timetable::parse(&Value::Null, "UTC", Dialect::Flow).expect("null is a schedule");
        Self {
            dag: Dag {
                id: "d".into(),
                dialect: Dialect::Flow,
                display_name: None,
                description: None,
                doc_md: None,
                tags: Vec::new(),
                owner_links: Default::default(),
                access_control: None,
                timetable,
                timezone: "UTC".to_owned(),
                start_date: None,
                end_date: None,
                catchup: false,
                catchup_window: None,
                max_active_runs: 16,
                max_active_tasks: 16,
                max_consecutive_failed_dag_runs: 0,
                dagrun_timeout: None,
                fail_fast: false,
                is_paused_upon_creation: None,
                params: Default::default(),
                render_template_as_native_obj: false,
                overlap_policy: OverlapPolicy::Queue,
                groups: Vec::new(),
                callbacks: crate::dag::Callbacks::default(),
                notifications: Default::default(),
                tasks: Vec::new(),
            },
        }
    }

    /// Adds a task after those it needs.
    ///
    /// # Panics
    ///
    /// When one of `needs` has not been added before.
    #[must_use]
    pub fn task(mut self, id: &str, needs: &[&str]) -> Self {
        let ix = TaskIx::from(self.dag.tasks.len());
        let mut upstream: Vec<TaskIx> = needs
            .iter()
            .map(|&id| self.dag.task_ix(&id.into()).unwrap_or_else(|| panic!("no task `{id}` to need")))
            .collect();
        upstream.sort_unstable();
        upstream.dedup();
        for up in &upstream {
            self.dag.tasks[up.index()].downstream.push(ix);
        }
        self.dag.tasks.push(Task {
            id: id.into(),
            display_name: None,
            doc_md: None,
            owner: "flow".to_owned(),
            operator: "bash".to_owned(),
            is_inline: false,
            with: Vec::new(),
            group: None,
            upstream,
            downstream: Vec::new(),
            trigger_rule: TriggerRule::AllSuccess,
            retry: RetryPolicy::default(),
            execution_timeout: None,
            depends_on_past: false,
            wait_for_downstream: false,
            pool: "default_pool".to_owned(),
            pool_slots: 1,
            priority_weight: 1,
            queue: "default".to_owned(),
            start_date: None,
            end_date: None,
            max_active_tis_per_dag: None,
            max_active_tis_per_dagrun: None,
            do_xcom_push: true,
            multiple_outputs: false,
            params: Default::default(),
            condition: None,
            callbacks: crate::dag::Callbacks::default(),
        });
        self
    }

    /// Changes the task that was added last.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Task)) -> Self {
        change(self.dag.tasks.last_mut().expect("add a task first"));
        self
    }

    /// Changes the DAG.
    #[must_use]
    pub fn dag(mut self, change: impl FnOnce(&mut Dag)) -> Self {
        change(&mut self.dag);
        self
    }

    /// Returns the DAG.
    pub fn build(self) -> Dag {
        self.dag
    }
}

/// One run and everything known about it.
#[derive(Clone, Debug)]
pub struct Facts {
    pub dag: Dag,
    pub run: DagRun,
    pub tasks: Vec<TaskInstance>,
    pub attempts: Vec<Option<Attempt>>,
    pub previous: Option<Previous>,
    pub max_infrastructure_retries: u32,
}

impl Facts {
    /// Makes a run that has just been started, at [`at`]`(0)`.
    pub fn new(dag: Dag) -> Self {
        let copies = vec![1; dag.tasks.len()];
        Self::mapped(dag, &copies)
    }

    /// The same, with that many instances of each task; 1 = not mapped.
    pub fn mapped(dag: Dag, copies: &[i32]) -> Self {
        let mut tasks = Vec::new();
        for (ix, task) in dag.tasks.iter().enumerate() {
            let indexes = if copies[ix] == 1 { -1..0 } else { 0..copies[ix] };
            tasks.extend(indexes.map(|map_index| TaskInstance {
                task: ix.into(),
                map_index,
                state: TaskState::NoStatus,
                try_number: 0,
                max_tries: task.retry.retries,
                lost: 0,
                next_at: None,
                started_at: None,
                ended_at: None,
                skips: Skips::None,
            }));
        }
        let run = DagRun {
            key: RunKey(1),
            dag_id: dag.id.clone(),
            run_id: "r".into(),
            run_type: RunType::Manual,
            state: RunState::Running,
            logical_date: Some(at(0)),
            data_interval: None,
            run_after: at(0),
            queued_at: at(0),
            started_at: Some(at(0)),
            ended_at: None,
            conf: Value::Null,
            clear_number: 0,
        };
        let attempts = vec![None; tasks.len()];
        Self { dag, run, tasks, attempts, previous: None, max_infrastructure_retries: 3 }
    }

    /// Returns the view that decisions are made from.
    pub fn view(&self) -> RunView<'_> {
        RunView {
            dag: &self.dag,
            run: &self.run,
            tasks: &self.tasks,
            gone: &[],
            attempts: &self.attempts,
            previous: self.previous.as_ref(),
            max_infrastructure_retries: self.max_infrastructure_retries,
        }
    }

    /// Returns the position of a task that is not mapped.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn position(&self, id: &str) -> usize {
        let ix = self.dag.task_ix(&id.into()).unwrap_or_else(|| panic!("no task `{id}`"));
        self.tasks.iter().position(|instance| instance.task == ix).expect("each task has an instance")
    }

    /// Returns the state of a task that is not mapped.
    pub fn state(&self, id: &str) -> TaskState {
        self.tasks[self.position(id)].state
    }

    /// Decides, applies, and checks that deciding again changes nothing.
    ///
    /// # Panics
    ///
    /// When it does, or when a change has no arrow.
    pub fn decide(&mut self, now: Timestamp) -> Decision {
        let decision = decide(&self.view(), now);
        self.apply(&decision, now);
        let again = decide(&self.view(), now);
        let quiet = Decision { wake_at: again.wake_at, ..Decision::default() };
        assert_eq!(again, quiet, "deciding again changed something, after {decision:#?}");
        assert_eq!(again.wake_at, decision.wake_at, "deciding again asks for another moment");
        decision
    }

    /// Asks for an edit and applies it.
    ///
    /// # Errors
    ///
    /// As [`edit()`].
    pub fn edit(&mut self, request: &Edit, now: Timestamp) -> Result<Decision, Refused> {
        let decision = edit(&self.view(), request, now)?;
        self.apply(&decision, now);
        Ok(decision)
    }

    /// Does what the store does with a decision.
    ///
    /// # Panics
    ///
    /// When a change expects another state, or has no arrow.
    pub fn apply(&mut self, decision: &Decision, now: Timestamp) {
        for change in &decision.changes {
            let instance = &mut self.tasks[change.at];
            assert_eq!(instance.state, change.from, "a change expects another state: {change:?}");
            assert!(change.from.may_become(change.to.state), "no such arrow: {change:?}");
            *instance = change.to.clone();
        }
        if let Some(change) = &decision.run {
            assert_eq!(self.run.state, change.from, "a change expects another state: {change:?}");
            assert!(change.from.may_become(change.to), "no such arrow: {change:?}");
            self.run.state = change.to;
            self.run.ended_at = change.to.is_finished().then_some(now);
            if change.to == RunState::Queued {
                self.run.started_at = None;
                self.run.clear_number += 1;
            }
        }
        for &at in decision.given_up.iter().chain(&decision.settled) {
            self.attempts[at] = None;
        }
    }

    /// Starts the run, if it is queued.
    pub fn start(&mut self, now: Timestamp) {
        if self.run.state == RunState::Queued {
            self.run.state = RunState::Running;
            self.run.started_at = Some(now);
        }
    }

    /// Gives a scheduled task instance its slots.
    ///
    /// # Panics
    ///
    /// When it is not scheduled, or still has an attempt.
    pub fn grant(&mut self, at: usize) {
        let instance = &mut self.tasks[at];
        assert_eq!(instance.state, TaskState::Scheduled);
        assert_eq!(self.attempts[at], None, "two attempts of one task at once");
        instance.state = TaskState::Queued;
        self.attempts[at] = Some(Attempt {
            try_number: instance.try_number,
            is_claimed: false,
            started_at: None,
            lease_until: None,
            outcome: None,
            ended_at: None,
        });
    }

    /// Lets a worker take a queued task instance, with a lease.
    ///
    /// # Panics
    ///
    /// When it is not queued.
    pub fn claim(&mut self, at: usize, now: Timestamp, lease_until: Timestamp) {
        let instance = &mut self.tasks[at];
        assert_eq!(instance.state, TaskState::Queued);
        instance.state = TaskState::Running;
        instance.started_at.get_or_insert(now);
        let attempt = self.attempts[at].as_mut().expect("granted with an attempt");
        attempt.is_claimed = true;
        attempt.started_at = Some(now);
        attempt.lease_until = Some(lease_until);
    }

    /// Lets the worker say how it ended. Refused (`false`) when the attempt is not its own any more.
    pub fn report(&mut self, at: usize, outcome: Outcome, now: Timestamp) -> bool {
        match &mut self.attempts[at] {
            Some(attempt) if attempt.is_claimed && attempt.outcome.is_none() => {
                attempt.outcome = Some(outcome);
                attempt.ended_at = Some(now);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Runs a scheduled task through slots, worker and outcome, and decides.
    pub fn play(&mut self, id: &str, outcome: Outcome, now: Timestamp) -> Decision {
        let at = self.position(id);
        self.begin(id, now);
        self.report(at, outcome, now);
        self.decide(now)
    }

    /// Brings a scheduled task to `running`, with a lease of two minutes.
    pub fn begin(&mut self, id: &str, now: Timestamp) {
        let at = self.position(id);
        if self.tasks[at].state == TaskState::Scheduled {
            self.grant(at);
        }
        if self.tasks[at].state == TaskState::Queued {
            self.claim(at, now, now + std::time::Duration::from_secs(120));
        }
    }
}

/// An ordinary failure, worth another try.
pub fn failed() -> Outcome {
    let failure =
        crate::run::Failure::new("command ended with exit code 1", crate::run::FailureCause::ExitCode(1), true);
    Outcome::Failed { failure }
}
