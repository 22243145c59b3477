//! A Flow to measure: `flow standalone` of the built binary in a home of its own, on a database of its own.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use flow_core::{RunState, Timestamp};
use flow_store::{DagCache, RunFilter, RunRow, Store, TriggerRun};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};
use tempfile::TempDir;

use crate::{bare::SLOTS, until};

/// The binary that is measured.
const BINARY: &str = env!("CARGO_BIN_EXE_flow");
/// No workload takes longer.
const MOST: Duration = Duration::from_secs(120);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(5);

/// Where Flow keeps its state.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite,
    /// A server that may be used, and a database in it from which others can be made.
    Postgres(String),
}

/// An empty database.
pub(crate) struct Place {
    pub(crate) url: String,
    folder: TempDir,
    server: Option<(String, String)>,
}

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "Postgres",
        }
    }

    /// Picks by database.
    pub(crate) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// Makes an empty database in a fresh folder.
    pub(crate) async fn fresh(&self) -> anyhow::Result<Place> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::Builder::new().prefix("flow-bench.").tempdir()?;
        match self {
            Self::Sqlite => {
                Ok(Place { url: format!("sqlite:{}", folder.path().join("flow.db").display()), folder, server: None })
            }
            Self::Postgres(server) => {
                let name = format!("flow_bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
                let mut conn = PgConnection::connect(server).await.context("cannot use FLOW_TEST_POSTGRES_URL")?;
                conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
                conn.close().await?;
                let (address, rest) = server.rsplit_once('/').context("FLOW_TEST_POSTGRES_URL names no database")?;
                let options = rest.split_once('?').map(|(_, options)| format!("?{options}")).unwrap_or_default();
                Ok(Place { url: format!("{address}/{name}{options}"), folder, server: Some((server.clone(), name)) })
            }
        }
    }
}

impl Place {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it.
    pub(crate) async fn leave(self) -> anyhow::Result<()> {
        if let Some((server, name)) = self.server {
            let mut conn = PgConnection::connect(&server).await?;
            conn.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await?;
            conn.close().await?;
        }
        Ok(())
    }
}

/// A home with DAG files, in which Flow can be started.
pub(crate) struct Home {
    pub(crate) place: Place,
    port: u16,
}

/// A running `flow standalone`.
pub(crate) struct Flow {
    child: Child,
    pub(crate) store: Store,
    dags: DagCache,
}

impl Home {
    pub(crate) async fn new(database: &Database) -> anyhow::Result<Self> {
        let place = database.fresh().await?;
        std::fs::create_dir(place.folder().join("dags"))?;
        // Free now; nobody else on this machine hurries to take it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self { place, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Writes a DAG file.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.dag_file(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
    }

    pub(crate) fn dag_file(&self, name: &str) -> PathBuf {
        self.place.folder().join("dags").join(format!("{name}.yaml"))
    }

    /// `flow` with this home.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command
            .env("FLOW_HOME", self.place.folder())
            .env("FLOW_DATABASE_URL", &self.place.url)
            .current_dir(self.place.folder())
            .stdin(Stdio::null());
        command
    }

    /// Starts `flow standalone` and does not wait for anything.
    pub(crate) fn spawn(&self) -> anyhow::Result<Child> {
        self.spawn_with(&[])
    }

    fn spawn_with(&self, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
        let said = File::options().create(true).append(true).open(self.place.folder().join("standalone.log"))?;
        let port = self.port.to_string();
        let slots = SLOTS.to_string();
        self.command()
            .envs(settings.iter().copied())
            .args(["standalone", "--port", &port, "--workers", &slots, "--drain", "1s"])
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("cannot start `{BINARY}`"))
    }

    /// Starts `flow standalone` and waits until it says that it is healthy.
    pub(crate) async fn start(&self) -> anyhow::Result<Flow> {
        self.start_with(&[]).await
    }

    /// The same, with these environment variables.
    pub(crate) async fn start_with(&self, settings: &[(&str, &str)]) -> anyhow::Result<Flow> {
        let child = self.spawn_with(settings)?;
        self.healthy().await?;
        self.beside(child).await
    }

    /// Waits until the web server says that database and scheduler are there.
    pub(crate) async fn healthy(&self) -> anyhow::Result<()> {
        let every = Duration::from_millis(2);
        until("healthy", every, MOST, async || {
            Ok(self.health().is_ok_and(|body| body["scheduler"]["status"] == "healthy"))
        })
        .await
    }

    fn health(&self) -> anyhow::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /api/v2/monitor/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(serde_json::from_str(body)?)
    }

    /// Opens the database beside a process.
    pub(crate) async fn beside(&self, child: Child) -> anyhow::Result<Flow> {
        let store = Store::open(&self.place.url).await?;
        let dags = DagCache::new(Arc::new(flow_operators::all().catalog()));
        Ok(Flow { child, store, dags })
    }

    /// What the process has said, for when something went wrong.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.place.folder().join("standalone.log")).unwrap_or_default()
    }
}

impl Flow {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the processor time that the process has used so far, in seconds.
    pub(crate) fn processor_time(&self) -> anyhow::Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let (_, rest) = text.rsplit_once(')').context("no name in stat")?;
        let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.unwrap_or(100);
        Ok(ticks / per_second as f64)
    }

    /// Waits until a DAG is there.
    pub(crate) async fn knows(&self, dag_id: &str) -> anyhow::Result<()> {
        until(dag_id, LOOK, MOST, async || Ok(self.store.dag(dag_id).await?.is_some())).await
    }

    /// Makes a run.
    pub(crate) async fn trigger(&self, dag_id: &str) -> anyhow::Result<()> {
        let request = TriggerRun {
            dag_id,
            run_id: None,
            logical_date: None,
            run_after: None,
            conf: &Value::Null,
            triggered_by: "bench",
            user: None,
            note: None,
            caller: None,
        };
        self.store.trigger(&self.dags, &request, now()).await?;
        Ok(())
    }

    /// Waits until no run of a DAG is under way.
    pub(crate) async fn rests(&self, dag_id: &str) -> anyhow::Result<()> {
        until(dag_id, LOOK, MOST, async || {
            for state in [RunState::Queued, RunState::Running] {
                let filter = RunFilter { dag_id: Some(dag_id.to_owned()), state: Some(state) };
                if !self.store.list_runs(&filter, 1).await?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    /// Returns a DAG's runs, latest first, which must all have succeeded.
    pub(crate) async fn runs(&self, dag_id: &str, number: usize) -> anyhow::Result<Vec<RunRow>> {
        let filter = RunFilter { dag_id: Some(dag_id.to_owned()), state: None };
        let rows = self.store.list_runs(&filter, u32::try_from(number)?).await?;
        ensure!(rows.len() == number, "`{dag_id}` has {} runs, not {number}", rows.len());
        if let Some(row) = rows.iter().find(|row| row.run.state != RunState::Success) {
            bail!("run `{}` of `{dag_id}` is {}", row.run.run_id, row.run.state);
        }
        Ok(rows)
    }

    /// Makes runs while the DAG is paused, lets them go, and returns the seconds from then until all have ended.
    pub(crate) async fn burst(&self, dag_id: &str, runs: usize) -> anyhow::Result<f64> {
        let mut tx = self.store.begin().await?;
        tx.pause_dag(dag_id, "bench", None, now()).await?;
        tx.commit().await?;
        for _ in 0..runs {
            self.trigger(dag_id).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        let mut tx = self.store.begin().await?;
        tx.unpause_dag(dag_id, None, now()).await?;
        tx.commit().await?;
        self.rests(dag_id).await?;
        let seconds = started.elapsed().as_secs_f64();
        self.runs(dag_id, runs).await?;
        Ok(seconds)
    }

    /// Ends it in an orderly way.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.store.close().await;
        end(self.child).await
    }
}

/// Ends a process in an orderly way, and in the other way if that takes too long.
pub(crate) async fn end(mut child: Child) -> anyhow::Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
    let ended = until("the end", LOOK, Duration::from_secs(20), async || Ok(child.try_wait()?.is_some())).await;
    if ended.is_err() {
        child.kill()?;
        child.wait()?;
    }
    ended
}

/// Returns the time.
pub(crate) fn now() -> Timestamp {
    flow_runtime::clock::system_now()
}
