//! Two schedulers and three workers on one Postgres: processes are killed and connections cut while runs are under
//! way, and the same is promised as for one process.
//!
//! Needs a server: FLOW_TEST_POSTGRES_URL (`scripts/with-postgres`). Each test makes a database of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![expect(clippy::print_stdout, reason = "seeds and measurements are for whoever reads the test's output")]

mod crash {
    pub(crate) mod chance;
    pub(crate) mod dags;
    pub(crate) mod place;
    pub(crate) mod record;
}

use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crash::{
    chance::Chance,
    dags::{PATTERNS, POOL, TICKS},
    place::{Flow, Place, RunFact},
    record,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

const SCHEDULER: &[&str] = &["scheduler"];
const WORKER: &[&str] = &["worker", "--slots", "12"];

/// A database of its own; dropped at the end.
struct Database {
    server: String,
    name: String,
}

impl Database {
    /// `None`, and a word about it, when there is no server.
    fn new() -> Option<Self> {
        let Ok(server) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
            println!("skipped: FLOW_TEST_POSTGRES_URL is not set (scripts/with-postgres sets it)");
            return None;
        };
        let database = Self { server, name: format!("flow_cluster_{}", uuid::Uuid::new_v4().simple()) };
        database.execute(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    fn url(&self) -> String {
        let (base, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = base.rsplit_once('/').unwrap();
        format!("{host}/{}{}{options}", self.name, if options.is_empty() { "" } else { "?" })
    }

    /// Runs a statement on the server.
    fn execute(&self, statement: &str) {
        execute(&self.server, statement);
    }

    /// Cuts every connection to this database.
    fn cut_connections(&self) {
        self.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ));
    }
}

/// Runs a statement on a database.
fn execute(url: &str, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    });
}

impl Database {
    /// Lets nobody in, for so long.
    fn go_away(&self, how_long: Duration) {
        self.execute(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", self.name));
        self.cut_connections();
        std::thread::sleep(how_long);
        self.execute(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Processes on one database.
struct Cluster {
    place: Place,
    schedulers: Vec<Flow>,
    workers: Vec<Flow>,
    acknowledged: BTreeSet<(String, String)>,
    /// When, in seconds since 1970, and what ran there.
    kills: Vec<(f64, BTreeSet<record::Name>)>,
}

impl Cluster {
    fn new(database: &Database) -> Self {
        let place = Place::new(Some(database.url()));
        for pattern in PATTERNS.iter().chain([&TICKS]) {
            place.add_dag(pattern.id, pattern.text);
        }
        // All at once, on an empty database: the schema is made under a lock.
        let schedulers = (0..2).map(|_| place.start(SCHEDULER)).collect();
        let workers = (0..3).map(|_| place.start(WORKER)).collect();
        place.wait_for_dags(&["chain", "diamond", "pooled", "mixed", "failing", "ticks"]);
        place.make_pool(POOL.0, POOL.1);
        Self { place, schedulers, workers, acknowledged: BTreeSet::new(), kills: Vec::new() }
    }

    /// Triggers so many more runs, of every kind.
    fn trigger(&mut self, number: usize) {
        let from = self.acknowledged.len();
        let wanted: Vec<(String, String)> = (from..from + number)
            .map(|at| (PATTERNS[at % PATTERNS.len()].id.to_owned(), format!("run-{at}")))
            .collect();
        self.place.trigger(&wanted);
        self.acknowledged.extend(wanted);
    }

    fn under_way(&self) -> usize {
        self.place.runs(false).iter().filter(|run| !run.is_over() && run.dag_id != TICKS.id).count()
    }

    /// Kills a process of each kind, and starts others in their place after a while.
    fn kill_one_of_each(&mut self, chance: &mut Chance) {
        let scheduler = self.schedulers.remove(chance.below(self.schedulers.len() as u64) as usize);
        let worker = self.workers.remove(chance.below(self.workers.len() as u64) as usize);
        let pid = worker.pid().to_string();
        scheduler.kill();
        worker.kill();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let interrupted = record::under_way(&record::read(&self.place.effects()))
            .into_iter()
            // Those that wait for a place in a limit may have to wait for others.
            .filter(|((dag, _, _), parent)| *parent == pid && (dag == "chain" || dag == "mixed"))
            .map(|(name, _)| name)
            .collect();
        self.kills.push((since, interrupted));
        std::thread::sleep(chance.millis(1_000, 4_000));
        self.schedulers.push(self.place.start(SCHEDULER));
        self.workers.push(self.place.start(WORKER));
    }

    /// Waits for the end of all runs and compares with what was promised.
    fn check(self, what: &str, began: Instant) {
        let Self { place, schedulers, workers, acknowledged, kills } = self;
        place.wait(Duration::from_secs(240), "not every run has ended", || {
            place.runs(false).iter().all(|run| run.is_over() || run.dag_id == TICKS.id)
        });
        place.pause(TICKS.id);
        place.wait(Duration::from_secs(60), "not every scheduled run has ended", || {
            place.runs(false).iter().all(RunFact::is_over)
        });
        let (runs, lines) = (place.runs(true), record::read(&place.effects()));
        let again = kills.iter().flat_map(|(since, names)| record::taken_up(&lines, names, *since).into_values());
        let mut again: Vec<f64> = again.flatten().collect();
        again.sort_by(f64::total_cmp);
        println!(
            "{what}: {} runs, {} starts, all over after {:.0?}; {} interrupted tasks ran again, the last after {:.2?} s",
            runs.len(),
            lines.iter().filter(|line| line.what == "start").count(),
            began.elapsed(),
            again.len(),
            again.last()
        );
        for process in schedulers.iter().chain(&workers) {
            process.terminate();
        }
        for process in schedulers.into_iter().chain(workers) {
            assert!(process.wait(Duration::from_secs(60)).success());
        }
        let mut complaints = record::check(&lines, &runs);
        let present: BTreeSet<(String, String)> =
            runs.iter().map(|run| (run.dag_id.clone(), run.run_id.clone())).collect();
        complaints.extend(acknowledged.difference(&present).map(|run| format!("{run:?} is not there")));
        complaints.extend(place.words().lines().filter(|line| line.contains("panicked")).map(str::to_owned));
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        place.assert_nothing_left();
    }
}

#[test]
fn one_of_each_killed_in_the_middle_loses_nothing() {
    let Some(database) = Database::new() else { return };
    let mut chance = Chance::new("one_of_each_killed");
    let mut cluster = Cluster::new(&database);
    let began = Instant::now();
    let times = if std::env::var_os("FLOW_SOAK").is_some() { 40 } else { 4 };
    for _ in 0..times {
        cluster.trigger(500 / times.min(4));
        std::thread::sleep(chance.millis(300, 2_500));
        cluster.kill_one_of_each(&mut chance);
        cluster.place.wait(Duration::from_secs(240), "it does not go on", || cluster.under_way() < 150);
    }
    cluster.check("killed", began);
}

#[test]
fn cut_connections_stop_nothing() {
    let Some(database) = Database::new() else { return };
    let mut chance = Chance::new("cut_connections");
    let mut cluster = Cluster::new(&database);
    let began = Instant::now();
    for _ in 0..5 {
        cluster.trigger(20);
        for _ in 0..3 {
            std::thread::sleep(chance.millis(0, 1_000));
            database.cut_connections();
        }
        std::thread::sleep(chance.millis(1_000, 4_000));
    }
    cluster.check("cut", began);
}

#[test]
fn a_database_that_is_away_for_longer_than_a_lease_lets_nothing_run_twice_at_once() {
    let Some(database) = Database::new() else { return };
    let place = Place::new(Some(database.url()));
    place.add_dag(
        "long",
        r#"
dag_id: long
tasks:
  - { id: a, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; work 4' } }
  - { id: b, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; work 20' } }
"#,
    );
    let lease = [("FLOW__WORKER__LEASE", "6s"), ("FLOW__WORKER__HEARTBEAT", "2s")];
    let processes: Vec<Flow> = [SCHEDULER, SCHEDULER, WORKER, WORKER]
        .iter()
        .map(|args| place.spawn(place.command(args).envs(lease)))
        .collect();
    place.wait_for_dags(&["long"]);
    place.trigger(&[("long".to_owned(), "one".to_owned())]);
    place.wait(Duration::from_secs(60), "the tasks do not start", || {
        place.effects().lines().filter(|line| line.contains(" start ")).count() == 2
    });
    // So long that schedulers, which look for it more and more seldom, are likely back before the next heartbeats.
    database.go_away(Duration::from_millis(11_500));
    place.wait(Duration::from_secs(60), "the run does not end", || place.runs(false)[0].is_over());
    let runs = place.runs(true);
    assert!(runs[0].tasks.values().all(|(state, _)| state == "success"), "{runs:?}");
    assert!(!place.effects().contains(" overlap "), "{}", place.effects());
    drop(processes);
    place.assert_nothing_left();
}

#[test]
fn what_a_host_ran_that_is_gone_runs_again_when_its_lease_is_over() {
    let Some(database) = Database::new() else { return };
    let place = Place::new(Some(database.url()));
    place.add_dag(
        "far",
        r#"
dag_id: far
tasks:
  - { id: a, uses: bash, with: { bash_command: '. "$CRASH/task.sh"; if once far; then sleep 600; fi; work 0' } }
"#,
    );
    let lease = [("FLOW__WORKER__LEASE", "4s"), ("FLOW__WORKER__HEARTBEAT", "1s")];
    let start = |args| place.spawn(place.command(args).envs(lease));
    let (_scheduler, worker) = (start(SCHEDULER), start(WORKER));
    place.wait_for_dags(&["far"]);
    place.trigger(&[("far".to_owned(), "one".to_owned())]);
    place.wait(Duration::from_secs(60), "the task does not start", || place.effects().contains(" start "));
    // As if it were on another host, where nobody can see that it is dead; and then that host is gone.
    execute(&database.url(), "UPDATE process SET machine = 'elsewhere' WHERE kind = 'worker'");
    worker.kill();
    place.kill_tasks();
    let _another = start(WORKER);
    place.wait(Duration::from_secs(60), "the run does not end", || place.runs(false)[0].is_over());
    assert_eq!(place.runs(true)[0].tasks["a"], ("success".to_owned(), 2));
}
