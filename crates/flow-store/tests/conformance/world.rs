//! A database with DAGs in it, and short words for what schedulers and workers do.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use flow_core::{
    Outcome, RunKey, RunState, TaskState, Timestamp,
    catalog::{Catalog, OperatorSpec},
    dag::{Severity, Source, parse},
    engine::{Decision, RunChange, decide, hand_out},
};
use flow_store::{
    Claimed, DagCache, DagSave, FileSave, Report, RunDecision, RunFacts, RunRow, Store, StoreError, TaskRow,
    TriggerOutcome, TriggerRun, Tx,
};
use serde_json::{Value, json};

pub(crate) use flow_core::engine::testing::{at, failed};

use crate::support::{Database, Raw};

/// Two tasks, one after the other.
pub(crate) const CHAIN: &str =
    "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: b, uses: work, needs: [a] }\n";

/// How long leases are.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// A database and what belongs to it.
#[derive(Clone)]
pub(crate) struct World {
    pub db: Database,
    pub store: Store,
    pub dags: DagCache,
}

impl From<Database> for World {
    fn from(db: Database) -> Self {
        Self { store: db.store.clone(), dags: DagCache::new(catalog()), db }
    }
}

/// Operators that take anything.
pub(crate) fn catalog() -> Arc<Catalog> {
    let work = OperatorSpec {
        name: "work",
        class: "",
        summary: "",
        templated: &["text"],
        is_sensor: false,
        is_branch: false,
        is_inline: false,
        check: |_| Vec::new(),
        schema: || json!({}),
    };
    let bash = OperatorSpec { name: "bash", ..work.clone() };
    Arc::new(Catalog::new(vec![work.clone(), bash, OperatorSpec { name: "empty", is_inline: true, ..work }]))
}

impl World {
    /// Saves a file as the watcher of the DAG folder would.
    pub(crate) async fn save(&self, path: &str, text: &str, now: Timestamp) -> Vec<DagSave> {
        let mut tx = self.store.begin().await.unwrap();
        let saved = save(&mut tx, path, text, now).await;
        tx.commit().await.unwrap();
        saved
    }

    /// Saves [`CHAIN`].
    pub(crate) async fn with_chain(self) -> Self {
        assert_eq!(self.save("chain.yaml", CHAIN, at(0)).await, [DagSave::New]);
        self
    }

    /// Triggers a run of a DAG.
    pub(crate) async fn trigger(&self, dag_id: &str, now: Timestamp) -> RunRow {
        match self.store.trigger(&self.dags, &request(dag_id), now).await.unwrap() {
            TriggerOutcome::Created(row) => row,
            TriggerOutcome::Exists(row) => panic!("there is one already: {row:?}"),
        }
    }

    /// Starts a queued run, and decides upon it.
    pub(crate) async fn start(&self, run: RunKey, now: Timestamp) {
        let mut tx = self.store.begin().await.unwrap();
        let facts = facts(&mut tx, self, run).await;
        let start = Decision {
            run: Some(RunChange { from: RunState::Queued, to: RunState::Running, why: String::new() }),
            ..Decision::default()
        };
        tx.apply(&[RunDecision::new(&facts.view(), &start, None)], now).await.unwrap();
        tx.commit().await.unwrap();
        self.decide(run, now).await;
    }

    /// Decides upon a run.
    pub(crate) async fn decide(&self, run: RunKey, now: Timestamp) -> Decision {
        let mut tx = self.store.begin().await.unwrap();
        let facts = facts(&mut tx, self, run).await;
        let decision = decide(&facts.view(), now);
        tx.apply(&[RunDecision::new(&facts.view(), &decision, None)], now).await.unwrap();
        tx.commit().await.unwrap();
        decision
    }

    /// Hands out slots to those that wait, once. Returns who got them.
    pub(crate) async fn grant(&self, now: Timestamp) -> Vec<String> {
        let mut tx = self.store.begin().await.unwrap();
        let mut room = tx.room().await.unwrap();
        let page = tx.waiting(&room, &[], &[], &[], 1_000).await.unwrap();
        let waiting: Vec<_> = page.iter().map(|row| row.waiting.clone()).collect();
        let granted: Vec<_> = hand_out(&waiting, &mut room).into_iter().map(|at| &page[at]).collect();
        tx.grant(&granted, now).await.unwrap();
        tx.commit().await.unwrap();
        granted.iter().map(|row| row.waiting.task_id.to_string()).collect()
    }

    /// Takes attempts for a worker that serves the default queue.
    pub(crate) async fn claim(&self, worker: &str, limit: usize, now: Timestamp) -> Vec<Claimed> {
        let mut tx = self.store.begin().await.unwrap();
        let queues = ["default".to_owned()];
        let claimed = tx.claim((worker, "host"), &queues, limit, now + LEASE, now).await.unwrap();
        tx.commit().await.unwrap();
        claimed
    }

    /// Starts a run and brings its first tasks to a worker.
    pub(crate) async fn running(&self, run: RunKey, worker: &str, now: Timestamp) -> Vec<Claimed> {
        self.start(run, now).await;
        self.grant(now).await;
        self.claim(worker, 100, now).await
    }

    /// Delivers a report; returns whether it was taken.
    pub(crate) async fn finish(&self, report: Report) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let taken = tx.finish(&report).await.unwrap();
        tx.commit().await.unwrap();
        taken
    }

    /// Returns the state of a task.
    pub(crate) async fn state(&self, run: RunKey, task_id: &str) -> TaskState {
        self.task(run, task_id).await.state
    }

    /// Returns a task's row.
    pub(crate) async fn task(&self, run: RunKey, task_id: &str) -> TaskRow {
        self.store
            .tasks(run)
            .await
            .unwrap()
            .into_iter()
            .find(|task| task.task_id == task_id)
            .expect("a task of the run")
    }

    /// Asks about one thing with a connection beside the store.
    pub(crate) async fn numbers(&self, text: &str) -> Vec<i64> {
        self.db.raw().await.numbers(text).await
    }

    /// Counts the rows of a table that a condition holds for.
    pub(crate) async fn count(&self, table: &str, condition: &str) -> i64 {
        self.numbers(&format!("SELECT COUNT(*) FROM {table} WHERE {condition}")).await[0]
    }

    /// Changes rows behind the store's back.
    pub(crate) async fn meddle(&self, text: &str) {
        let mut raw: Raw = self.db.raw().await;
        raw.run(text).await.unwrap();
    }
}

/// Asks for a run of a DAG, now and without anything special.
pub(crate) fn request(dag_id: &str) -> TriggerRun<'_> {
    TriggerRun {
        dag_id,
        run_id: None,
        logical_date: None,
        run_after: None,
        conf: &Value::Null,
        triggered_by: "test",
        user: None,
        note: None,
        caller: None,
    }
}

/// Says that an attempt ended well.
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

/// Reads the facts of one run.
pub(crate) async fn facts(tx: &mut Tx, w: &World, run: RunKey) -> RunFacts {
    let rows = tx.runs(&[run]).await.unwrap();
    let broken = |row: &RunRow, error: StoreError| panic!("cannot read {row:?}: {error}");
    tx.facts(rows, &w.dags, 3, broken).await.unwrap().pop().expect("the run is there")
}

/// Saves a file inside a transaction.
pub(crate) async fn save(tx: &mut Tx, path: &str, text: &str, now: Timestamp) -> Vec<DagSave> {
    let stem = path.rsplit('/').next().unwrap().trim_end_matches(".yaml");
    let parsed = parse(&Source { text, stem, files: BTreeMap::new() }, &catalog());
    let errors: Vec<_> = parsed.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
    let error_text: String = errors.iter().map(|found| found.render(path, text, false)).collect();
    let save = FileSave {
        path,
        hash: text,
        source_hash: text,
        text,
        files: &BTreeMap::new(),
        dags: &parsed.dags,
        error_text: &error_text,
        diagnostics: &errors,
        paused_at_creation: false,
    };
    tx.save_file(&save, now).await.unwrap()
}
