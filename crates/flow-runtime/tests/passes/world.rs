//! A database, a clock that is set by hand, and a worker that says how its tasks end.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use flow_core::{
    Outcome, RunState, TaskState, Timestamp,
    catalog::{Catalog, OperatorSpec},
    dag::{Severity, Source, parse},
    engine::{Edit, Selection},
};
use flow_runtime::{
    Clock,
    pass::{Bounds, Claimer, Passed, pass},
};
use flow_store::{
    Claimed, DagCache, DagSave, EditOptions, FileSave, Report, RunFilter, RunRow, Store, StoreError, TriggerOutcome,
    TriggerRun,
};
use serde_json::{Value, json};

pub(crate) use flow_core::engine::testing::{at, failed};

use crate::support::Database;

/// How long leases are.
pub(crate) const LEASE: Duration = Duration::from_secs(120);
/// More passes than any case needs: whoever makes more goes round in circles.
const MOST_PASSES: usize = 500;

/// A database, a scheduler and a worker in one.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) dags: DagCache,
    pub(crate) clock: Clock,
    /// How tasks end, by `dag.task`, in the order of their tries; without an entry: well.
    outcomes: Arc<Mutex<BTreeMap<String, VecDeque<Outcome>>>>,
    /// What the worker has and does not finish.
    pub(crate) held: Arc<Mutex<Vec<Claimed>>>,
    /// Tasks, by `dag.task`, that the worker does not finish until it is told so.
    slow: Arc<Mutex<Vec<String>>>,
    /// What was started, in order, as `dag.task`.
    pub(crate) started: Arc<Mutex<Vec<String>>>,
    pub(crate) slots: usize,
}

impl From<Database> for World {
    fn from(db: Database) -> Self {
        Self {
            store: db.store.clone(),
            db,
            dags: DagCache::new(catalog()),
            clock: Clock::standing_at(at(0)),
            outcomes: Arc::default(),
            held: Arc::default(),
            slow: Arc::default(),
            started: Arc::default(),
            slots: 1_000,
        }
    }
}

pub(crate) fn catalog() -> Arc<Catalog> {
    let work = OperatorSpec {
        name: "work",
        class: "",
        summary: "",
        templated: &[],
        is_sensor: false,
        is_branch: false,
        is_inline: false,
        check: |_| Vec::new(),
        schema: || json!({}),
    };
    Arc::new(Catalog::new(vec![work.clone(), OperatorSpec { name: "empty", is_inline: true, ..work }]))
}

impl World {
    /// Saves a file `<dag_id>.yaml` that begins with `dag_id: …`.
    pub(crate) async fn save(&self, text: &str) -> DagSave {
        let id = text.trim_start().strip_prefix("dag_id: ").and_then(|rest| rest.lines().next()).expect("a dag_id");
        let path = format!("{id}.yaml");
        let parsed = parse(&Source { text, stem: id, files: BTreeMap::new() }, &catalog());
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = format!("{id} {:x}", hasher.finish());
        let save = FileSave {
            path: &path,
            hash: &hash,
            source_hash: &hash,
            text,
            files: &BTreeMap::new(),
            dags: &parsed.dags,
            error_text: "",
            diagnostics: &[],
            paused_at_creation: false,
        };
        let mut tx = self.store.begin().await.unwrap();
        let saved = tx.save_file(&save, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        saved[0]
    }

    pub(crate) async fn trigger(&self, dag_id: &str) -> RunRow {
        let request = TriggerRun {
            dag_id,
            run_id: None,
            logical_date: None,
            run_after: None,
            conf: &Value::Null,
            triggered_by: "test",
            user: None,
            note: None,
            caller: None,
        };
        match self.store.trigger(&self.dags, &request, self.clock.now()).await.unwrap() {
            TriggerOutcome::Created(row) => row,
            TriggerOutcome::Exists(row) => panic!("there is one already: {row:?}"),
        }
    }

    /// Says how the tries of a task end.
    pub(crate) fn ends(&self, task: &str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.outcomes.lock().unwrap().insert(task.to_owned(), outcomes.into_iter().collect());
    }

    /// Lets the worker hold a task until [`World::finish`].
    pub(crate) fn slow(&self, task: &str) {
        self.slow.lock().unwrap().push(task.to_owned());
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Makes one pass.
    pub(crate) async fn pass(&self, reports: &[Report]) -> Result<Passed, StoreError> {
        self.pass_as("w1", reports).await
    }

    pub(crate) async fn pass_as(&self, worker: &str, reports: &[Report]) -> Result<Passed, StoreError> {
        let now = self.clock.now();
        let claimer = Claimer {
            worker,
            hostname: "host",
            queues: &["default".to_owned()],
            free: self.slots.saturating_sub(self.held.lock().unwrap().len()),
            lease_until: now + LEASE,
            check_kept: true,
        };
        pass(&self.store, &self.dags, Bounds::default(), reports, None, Some(claimer), now).await
    }

    /// Makes passes and ends tasks until nothing is due at this moment. Returns the passes.
    pub(crate) async fn settle(&self) -> usize {
        let mut reports = Vec::new();
        for number in 0..MOST_PASSES {
            let passed = self.pass(&reports).await.unwrap();
            assert!(passed.refused.is_empty(), "refused: {:?}", passed.refused);
            reports = self.work(passed.claimed.into_iter().map(|(claimed, _)| claimed).collect());
            let due = self.store.next_due().await.unwrap().at;
            if reports.is_empty() && due.is_none_or(|due| due > self.clock.now()) {
                return number + 1;
            }
        }
        panic!("{MOST_PASSES} passes, and still something is due");
    }

    /// Starts what was claimed, and ends what is not slow.
    pub(crate) fn work(&self, claimed: Vec<Claimed>) -> Vec<Report> {
        let mut reports = Vec::new();
        for claimed in claimed {
            let name = format!("{}.{}", claimed.dag_id, claimed.key.task_id);
            self.started.lock().unwrap().push(name.clone());
            if self.slow.lock().unwrap().contains(&name) {
                self.held.lock().unwrap().push(claimed);
                continue;
            }
            let outcome = self.outcomes.lock().unwrap().get_mut(&name).and_then(VecDeque::pop_front);
            reports.push(report(&claimed, outcome.unwrap_or(Outcome::Success), self.clock.now()));
        }
        reports
    }

    /// Ends the oldest held attempt of a task. Returns whether the report was taken.
    pub(crate) async fn finish(&self, task: &str, outcome: Outcome) -> bool {
        let claimed = {
            let mut held = self.held.lock().unwrap();
            let found = held.iter().position(|held| format!("{}.{}", held.dag_id, held.key.task_id) == task);
            held.remove(found.unwrap_or_else(|| panic!("the worker does not have `{task}`")))
        };
        let passed = self.pass(&[report(&claimed, outcome, self.clock.now())]).await.unwrap();
        let reports = self.work(passed.claimed.into_iter().map(|(claimed, _)| claimed).collect());
        for report in reports {
            self.pass(&[report]).await.unwrap();
        }
        self.settle().await;
        passed.refused.is_empty()
    }

    /// Returns what was started since the last time, as `dag.task`.
    pub(crate) fn started(&self) -> Vec<String> {
        std::mem::take(&mut *self.started.lock().unwrap())
    }

    /// Returns a run as it is now.
    pub(crate) async fn run(&self, row: &RunRow) -> RunRow {
        self.store.run(row.run.dag_id.as_str(), row.run.run_id.as_str()).await.unwrap().expect("the run is there")
    }

    /// Returns a run's state and those of its tasks, such as `running: a success, b queued`.
    pub(crate) async fn seen(&self, row: &RunRow) -> String {
        let tasks = self.store.tasks(row.run.key).await.unwrap();
        let tasks: Vec<_> = tasks.iter().map(|task| format!("{} {}", task.task_id, task.state)).collect();
        format!("{}: {}", self.run(row).await.run.state, tasks.join(", "))
    }

    /// Returns the states of a DAG's runs, oldest first.
    pub(crate) async fn states(&self, dag_id: &str) -> Vec<RunState> {
        self.runs(dag_id).await.into_iter().map(|row| row.run.state).collect()
    }

    /// Returns a DAG's runs, oldest first.
    pub(crate) async fn runs(&self, dag_id: &str) -> Vec<RunRow> {
        let filter = RunFilter { dag_id: Some(dag_id.to_owned()), state: None };
        let mut rows = self.store.list_runs(&filter, 1_000).await.unwrap();
        rows.reverse();
        rows
    }

    pub(crate) async fn state(&self, row: &RunRow, task_id: &str) -> TaskState {
        let tasks = self.store.tasks(row.run.key).await.unwrap();
        tasks.iter().find(|task| task.task_id == task_id).expect("a task of the run").state
    }

    pub(crate) async fn edit(&self, row: &RunRow, request: &Edit) {
        let name = (row.run.dag_id.as_str(), row.run.run_id.as_str());
        self.store.edit_run(&self.dags, name, request, EditOptions::default(), self.clock.now()).await.unwrap();
    }

    /// Says which of the worker's attempts should go on.
    pub(crate) async fn kept(&self) -> Vec<String> {
        let passed = self.pass(&[]).await.unwrap();
        assert!(passed.claimed.is_empty(), "{:?}", passed.claimed);
        passed.kept.unwrap().into_iter().map(|kept| kept.key.task_id).collect()
    }

    pub(crate) async fn pause(&self, dag_id: &str, is_paused: bool) {
        let mut tx = self.store.begin().await.unwrap();
        if is_paused {
            tx.pause_dag(dag_id, "", None, self.clock.now()).await.unwrap();
        } else {
            tx.unpause_dag(dag_id, None, self.clock.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(crate) async fn numbers(&self, text: &str) -> Vec<i64> {
        self.db.raw().await.numbers(text).await
    }

    pub(crate) async fn meddle(&self, text: &str) {
        self.db.raw().await.run(text).await.unwrap();
    }

    /// Checks what must hold whenever nothing runs: nobody holds slots, and nothing waits to be settled.
    pub(crate) async fn assert_all_quiet(&self) {
        assert_eq!(self.numbers("SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL").await, [0], "slots are held");
        assert_eq!(self.numbers("SELECT COUNT(*) FROM attempt WHERE NOT settled").await, [0], "outcomes are not used");
    }
}

pub(crate) fn report(claimed: &Claimed, outcome: Outcome, now: Timestamp) -> Report {
    Report {
        key: claimed.key.clone(),
        dag_id: claimed.dag_id.clone(),
        token: claimed.token,
        outcome,
        xcoms: Vec::new(),
        rendered: Value::Null,
        memory: Value::Null,
        ended_at: now,
    }
}

/// Names one task for an edit.
pub(crate) fn only(task: &str) -> Selection {
    Selection { tasks: Some(vec![(task.into(), None)]), ..Selection::default() }
}
