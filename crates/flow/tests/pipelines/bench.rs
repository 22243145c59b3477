//! What the tests of pipelines share: an example that runs, and a database beside it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::runtime::Runtime;

use crate::place::Flow;

/// How long a run may take.
const RUN: Duration = Duration::from_secs(120);

/// The folder of an example.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// Says that a test needs what is not there.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn skip(test: &str, needs: &str) {
    println!("skipped: {test} needs {needs}");
    // `make test-sqlite` has some of the servers; `make test-postgres` runs everything once more, with all of them.
    if std::env::var("FLOW_TEST_SERVERS").is_ok_and(|which| which == "some") {
        return;
    }
    assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
}

/// A Flow with an example's DAGs.
pub(crate) struct Pipeline {
    pub(crate) flow: Flow,
    token: String,
}

impl Pipeline {
    /// Starts with the files of the example's folder `dags`, and these connections, by id.
    pub(crate) fn start(name: &str, connections: &[(&str, &str)]) -> Self {
        let folder = example(name).join("dags");
        let mut files = Vec::new();
        collect(&folder, &folder, &mut files);
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let named = |(id, uri): &(&str, &str)| (format!("FLOW_CONN_{}", id.to_uppercase()), (*uri).to_owned());
        let environment: Vec<_> = connections.iter().map(named).collect();
        let flow = Flow::start_beside(&files, &environment);
        let token = flow.token();
        Self { flow, token }
    }

    /// Makes a run, waits for its end, and returns its state and its id.
    pub(crate) fn run(&self, dag: &str, body: &Value) -> (String, String) {
        let runs = format!("/api/v2/dags/{dag}/dagRuns");
        let made = self.flow.post(&runs, &self.token, &body.to_string());
        let id = made["dag_run_id"].as_str().unwrap_or_else(|| panic!("no run: {made}")).to_owned();
        (self.wait(dag, &id), id)
    }

    /// Makes a run that ends well.
    pub(crate) fn succeeds(&self, dag: &str, body: &Value) -> String {
        let (state, id) = self.run(dag, body);
        assert_eq!(state, "success", "{}", self.story(dag, &id));
        id
    }

    /// Returns the first run that the schedule made.
    pub(crate) fn first(&self, dag: &str) -> Value {
        let runs = format!("/api/v2/dags/{dag}/dagRuns?run_type=scheduled");
        let began = Instant::now();
        loop {
            let found = self.flow.get(&runs, &self.token);
            if let Some(run) = found["dag_runs"].get(0) {
                return run.clone();
            }
            assert!(began.elapsed() < RUN, "the schedule makes no run: {}", self.flow.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs all tasks of a run again, to a good end.
    pub(crate) fn again(&self, dag: &str, id: &str) {
        let body = json!({ "dag_run_id": id, "dry_run": false, "only_failed": false, "reset_dag_runs": true });
        let cleared = self.flow.post(&format!("/api/v2/dags/{dag}/clearTaskInstances"), &self.token, &body.to_string());
        assert_ne!(cleared["total_entries"], json!(0), "{cleared}");
        assert_eq!(self.wait(dag, id), "success", "{}", self.story(dag, id));
    }

    /// Waits until a run has ended.
    pub(crate) fn wait(&self, dag: &str, id: &str) -> String {
        let run = format!("/api/v2/dags/{dag}/dagRuns/{}", flow_core::connection::encode(id));
        let began = Instant::now();
        loop {
            let state = self.flow.get(&run, &self.token)["state"].as_str().unwrap_or_default().to_owned();
            if state == "success" || state == "failed" {
                return state;
            }
            assert!(began.elapsed() < RUN, "{state} for too long: {}", self.story(dag, id));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The task instances of a run.
    pub(crate) fn tasks(&self, dag: &str, id: &str) -> Vec<Value> {
        let path = format!("/api/v2/dags/{dag}/dagRuns/{}/taskInstances", flow_core::connection::encode(id));
        self.flow.get(&path, &self.token)["task_instances"].as_array().cloned().unwrap_or_default()
    }

    /// What the log of a try says.
    pub(crate) fn log(&self, dag: &str, id: &str, task: &str, try_number: u64) -> String {
        let run = flow_core::connection::encode(id);
        let path = format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{try_number}");
        self.flow.get(&path, &self.token).to_string()
    }

    /// How far each task of a run came, and what those say that failed.
    fn story(&self, dag: &str, id: &str) -> String {
        let mut story = self.flow.said();
        for task in self.tasks(dag, id) {
            let (name, tries) =
                (task["task_id"].as_str().unwrap_or_default(), task["try_number"].as_u64().unwrap_or(0));
            story.push_str(&format!("\n{name}: {} (try {tries})", task["state"]));
            if task["state"] != json!("success") && tries > 0 {
                story.push_str(&format!("\n{}", self.log(dag, id, name, tries)));
            }
        }
        story
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A Postgres database of its own.
pub(crate) struct Warehouse {
    pub(crate) uri: String,
    runtime: Runtime,
}

impl Warehouse {
    /// Makes one, where there is a server for it.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    pub(crate) fn postgres(test: &str) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
            // `make test` runs everything once more where there is one.
            println!("skipped: {test} needs Postgres: scripts/with-postgres COMMAND");
            return None;
        };
        let name = format!("pipeline_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut server = PgConnection::connect(&url).await.unwrap();
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut server).await.unwrap();
        });
        let (start, rest) = url.rsplit_once('/').unwrap();
        let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
        Some(Self { uri: format!("{start}/{name}{options}"), runtime })
    }

    /// Returns one column of texts.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut session = PgConnection::connect(&self.uri).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut session).await.unwrap()
        })
    }
}

/// A program that serves an example; it ends with the test.
pub(crate) struct Program {
    child: Child,
    /// The first line that it said.
    pub(crate) said: String,
}

impl Program {
    /// Starts it, and waits for its first line; `None`, said aloud, where there is no such program.
    pub(crate) fn start(test: &str, program: &str, args: &[&str]) -> Option<Self> {
        let started =
            Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = started else {
            skip(test, program);
            return None;
        };
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.next().map(Result::unwrap).unwrap_or_default();
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, said })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
