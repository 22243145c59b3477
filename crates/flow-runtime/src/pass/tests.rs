//! Passes over a small database: what must never stay stuck, and what must harm only itself.

use std::{collections::BTreeMap, sync::Arc};

use flow_core::{
    Outcome, TaskState,
    dag::{Source, parse},
    run::{Failure, FailureCause},
};
use flow_store::{EditOptions, FileSave, Pool, TriggerOutcome, TriggerRun};
use serde_json::{Value, json};

use super::*;

/// 2026-01-10T00:00:00Z.
const START: i64 = 1_768_003_200_000_000;

struct World {
    store: Store,
    dags: DagCache,
    now: Timestamp,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
        Self::on(store, Some(folder)).await
    }

    async fn on(store: Store, folder: Option<tempfile::TempDir>) -> Self {
        store.migrate().await.unwrap();
        let dags = DagCache::new(Arc::new(flow_operators::all().catalog()));
        Self { store, dags, now: Timestamp::from_micros(START), _folder: folder }
    }

    async fn save(&self, text: &str) {
        let files = BTreeMap::new();
        let parsed = parse(&Source { text, stem: "file", files: files.clone() }, self.dags.catalog());
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let hash = format!("{:?}", parsed.dags[0].hash);
        let path = format!("{}.yaml", parsed.dags[0].dag.id);
        let save = FileSave {
            path: &path,
            hash: &hash,
            source_hash: &hash,
            text,
            files: &files,
            dags: &parsed.dags,
            error_text: "",
            diagnostics: &[],
            paused_at_creation: false,
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.save_file(&save, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn trigger(&self, dag_id: &str, date: Option<&str>) -> RunRow {
        let logical_date = date.map(|date| Timestamp::parse_rfc3339(date).unwrap());
        let request = TriggerRun {
            dag_id,
            run_id: None,
            logical_date,
            run_after: None,
            conf: &Value::Null,
            triggered_by: "test",
            user: None,
            note: None,
            caller: None,
        };
        match self.store.trigger(&self.dags, &request, self.now).await.unwrap() {
            TriggerOutcome::Created(row) => row,
            TriggerOutcome::Exists(row) => panic!("{row:?} exists"),
        }
    }

    /// Passes until nothing is due.
    async fn settle(&self, reports: &[Report]) -> Vec<(Claimed, RunRow)> {
        let mut claimed = Vec::new();
        let mut reports = reports;
        for _ in 0..50 {
            let queues = ["default".to_owned()];
            let claimer = Claimer {
                worker: "me",
                hostname: "here",
                queues: &queues,
                free: 100,
                lease_until: self.now + std::time::Duration::from_secs(300),
                check_kept: false,
            };
            let passed =
                pass(&self.store, &self.dags, Bounds::default(), reports, None, Some(claimer), self.now).await.unwrap();
            reports = &[];
            claimed.extend(passed.claimed);
            let due = self.store.next_due().await.unwrap().at;
            if due.is_none_or(|due| due > self.now) {
                return claimed;
            }
        }
        panic!("something is due for ever");
    }

    async fn cancel(&self, row: &RunRow) {
        let name = (row.run.dag_id.as_str(), row.run.run_id.as_str());
        self.store.edit_run(&self.dags, name, &Edit::Cancel, EditOptions::default(), self.now).await.unwrap();
    }

    async fn state(&self, row: &RunRow) -> RunState {
        self.store.run(row.run.dag_id.as_str(), row.run.run_id.as_str()).await.unwrap().unwrap().run.state
    }

    async fn dates(&self, dag_id: &str) -> Vec<String> {
        let filter = flow_store::RunFilter { dag_id: Some(dag_id.to_owned()), state: None };
        let rows = self.store.list_runs(&filter, 100).await.unwrap();
        let mut dates: Vec<String> =
            rows.iter().map(|row| row.run.logical_date.unwrap().to_string()[..10].to_owned()).collect();
        dates.sort();
        dates
    }
}

fn report(claimed: &Claimed, outcome: Outcome, now: Timestamp) -> Report {
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

const ONE_AT_A_TIME: &str = "
dag_id: one
max_active_runs: 1
tasks:
  - { id: a, uses: bash, with: { bash_command: 'true' } }
";

#[tokio::test]
async fn a_run_that_is_cancelled_lets_the_next_one_start() {
    let world = World::new().await;
    world.save(ONE_AT_A_TIME).await;
    let (first, second) = (world.trigger("one", None).await, world.trigger("one", None).await);
    world.settle(&[]).await;
    assert_eq!((world.state(&first).await, world.state(&second).await), (RunState::Running, RunState::Queued));
    world.cancel(&first).await;
    world.settle(&[]).await;
    assert_eq!((world.state(&first).await, world.state(&second).await), (RunState::Failed, RunState::Running));
}

#[tokio::test]
async fn a_date_that_was_triggered_by_hand_does_not_stop_the_schedule() {
    let world = World::new().await;
    world
        .save(
            "
dag_id: daily
schedule: '0 0 * * *'
start_date: 2026-01-05
catchup: true
max_active_runs: 1
tasks:
  - { id: a, uses: empty }
",
        )
        .await;
    let mut tx = world.store.begin().await.unwrap();
    tx.pause_dag("daily", "", None, world.now).await.unwrap();
    tx.commit().await.unwrap();
    let dates = ["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"];
    for date in dates {
        world.trigger("daily", Some(date)).await;
    }
    let mut tx = world.store.begin().await.unwrap();
    tx.unpause_dag("daily", None, world.now).await.unwrap();
    tx.commit().await.unwrap();
    world.settle(&[]).await;
    let made = world.dates("daily").await;
    assert!(made.contains(&"2026-01-08".to_owned()), "{made:?}");
    assert!(!world.store.dag("daily").await.unwrap().unwrap().is_blocked);
}

#[tokio::test]
async fn a_run_that_takes_the_place_of_another_is_made() {
    let mut world = World::new().await;
    world
        .save(
            "
dag_id: hourly
schedule: '@hourly'
start_date: 2026-01-01
catchup: false
overlap_policy: cancel_running
max_active_runs: 1
tasks:
  - { id: a, uses: bash, with: { bash_command: 'true' } }
",
        )
        .await;
    world.settle(&[]).await;
    for hour in 1..4 {
        world.now = Timestamp::from_micros(START + hour * 3_600_000_000 + 1);
        world.settle(&[]).await;
        let rows = world.store.list_runs(&flow_store::RunFilter::default(), 100).await.unwrap();
        let running: Vec<_> = rows.iter().filter(|row| row.run.state == RunState::Running).collect();
        assert_eq!(running.len(), 1, "hour {hour}");
        assert_eq!(running[0].run.run_after, Timestamp::from_micros(START + hour * 3_600_000_000));
    }
}

#[tokio::test]
async fn what_waits_for_a_big_place_in_one_pool_does_not_hold_up_another_pool() {
    let world = World::new().await;
    let mut tx = world.store.begin().await.unwrap();
    for (name, slots) in [("big", 3), ("other", 5)] {
        tx.set_pool(&Pool { name: name.to_owned(), slots, description: String::new(), include_deferred: false })
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let mut text = "
dag_id: many
max_active_tasks: 1000
tasks:
  - { id: first, uses: bash, with: { bash_command: 'true' }, pool: big, pool_slots: 2, weight_rule: absolute, priority_weight: 9 }
  - { id: wide, uses: bash, with: { bash_command: 'true' }, pool: big, pool_slots: 2, weight_rule: absolute, priority_weight: 8 }
"
    .to_owned();
    for at in 0..2 * PAGE {
        text += &format!(
            "  - {{ id: t{at}, uses: bash, with: {{ bash_command: 'true' }}, pool: big, weight_rule: absolute, priority_weight: 5 }}\n"
        );
    }
    world.save(&text).await;
    world.trigger("many", None).await;
    let names = |claimed: &[(Claimed, RunRow)]| -> Vec<String> {
        claimed.iter().map(|(claimed, _)| claimed.key.task_id.clone()).collect()
    };
    assert_eq!(names(&world.settle(&[]).await), ["first"]);
    world.save(&ONE_AT_A_TIME.replace("bash_command: 'true' }", "bash_command: 'true' }, pool: other")).await;
    world.trigger("one", None).await;
    assert_eq!(names(&world.settle(&[]).await), ["a"]);
}

/// What tasks say may hold anything.
async fn no_result_is_poison(world: World) {
    world.save(ONE_AT_A_TIME).await;
    let row = world.trigger("one", None).await;
    let claimed = world.settle(&[]).await;
    let failure = Failure::new("a\0b \\u0000", FailureCause::Other, false);
    let deep = (0..300).fold(json!(1), |inner, _| json!([inner]));
    let xcoms = vec![("k\0".to_owned(), json!("v\0")), ("deep".to_owned(), deep.clone())];
    let report = Report {
        xcoms,
        memory: deep,
        rendered: json!({"\0": "\0"}),
        ..report(&claimed[0].0, Outcome::Failed { failure }, world.now)
    };
    world.settle(&[report]).await;
    assert_eq!(world.state(&row).await, RunState::Failed);
    let tasks = world.store.tasks(row.run.key).await.unwrap();
    assert_eq!(tasks[0].state, TaskState::Failed);
}

#[tokio::test]
async fn no_result_is_poison_on_sqlite() {
    no_result_is_poison(World::new().await).await;
}

/// A worker that was believed dead gives a sign of life while its attempt is given up.
async fn a_late_sign_of_life_keeps_the_attempt(mut world: World) {
    world.save(&ONE_AT_A_TIME.replace("dag_id: one", "dag_id: late")).await;
    let row = world.trigger("late", None).await;
    assert_eq!(world.settle(&[]).await.len(), 1);
    world.now = world.now + std::time::Duration::from_secs(1_000);
    let mut scheduler = world.store.begin().await.unwrap();
    scheduler.lock_dag("late").await.unwrap();
    let rows = scheduler.runs(&[row.run.key]).await.unwrap();
    let facts = scheduler.facts(rows, &world.dags, 3, |_, error| panic!("{error}")).await.unwrap();
    let view = facts[0].view();
    let decision = engine::decide(&view, world.now);
    assert_eq!(decision.given_up, [0]);
    let mut worker = world.store.begin().await.unwrap();
    worker.heartbeat("me", world.now + std::time::Duration::from_secs(300), world.now).await.unwrap();
    worker.commit().await.unwrap();
    let applied = scheduler.apply(&[RunDecision::new(&view, &decision, None)], world.now).await;
    assert!(matches!(applied, Err(StoreError::Conflict(_))), "{applied:?}");
}

#[tokio::test]
async fn what_only_postgres_can_show() {
    let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    let store = Store::open(&url).await.unwrap();
    // Other tests may use the same server.
    let world = World::on(store.clone(), None).await;
    no_result_is_poison(world).await;
    a_late_sign_of_life_keeps_the_attempt(World::on(store, None).await).await;
}
