//! A home of its own for a test: the DAG folder, the processes of Flow, and what they leave behind.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use flow_runtime::clock::system_now;
use flow_store::{DagCache, Pool, RunFilter, Store, TriggerRun};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// A folder with everything of one test. The DAG folder, the home and what tasks write are in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) url: String,
}

/// A run and its tasks, as the database has them.
#[derive(Debug)]
pub(crate) struct RunFact {
    pub(crate) dag_id: String,
    pub(crate) run_id: String,
    pub(crate) state: String,
    /// State and try by task.
    pub(crate) tasks: BTreeMap<String, (String, u32)>,
}

impl RunFact {
    pub(crate) fn is_over(&self) -> bool {
        self.state == "success" || self.state == "failed"
    }
}

impl Place {
    /// Makes a place on SQLite, or on the database given.
    pub(crate) fn new(url: Option<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("flow-crash.").tempdir().unwrap();
        for name in ["dags", "home", "locks", "marks"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("task.sh"), include_str!("task.sh")).unwrap();
        File::create(folder.path().join("effects")).unwrap();
        let url = url.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("home/flow.db").display()));
        Self { folder, url }
    }

    /// Returns a path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a DAG into the DAG folder.
    pub(crate) fn add_dag(&self, id: &str, text: &str) {
        let hidden = self.path(&format!("dags/.{id}.new"));
        fs::write(&hidden, text).unwrap();
        fs::rename(hidden, self.path(&format!("dags/{id}.yaml"))).unwrap();
    }

    /// Makes a command of Flow in this place.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("FLOW_HOME", self.path("home"))
            .env("FLOW_DATABASE_URL", &self.url)
            .env("FLOW__DAGS__FOLDER", self.path("dags"))
            .env("FLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION", "false")
            .env("FLOW__CORE__MAX_INFRASTRUCTURE_RETRIES", "100000")
            .env("FLOW__CORE__KILL_GRACE", "1s")
            .env("CRASH", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts a process of Flow that stays; its words go to a file, one for all.
    pub(crate) fn start(&self, args: &[&str]) -> Flow {
        self.spawn(&mut self.command(args))
    }

    /// Starts a command that [`Place::command`] has made, as [`Place::start`] does.
    pub(crate) fn spawn(&self, command: &mut Command) -> Flow {
        let words = File::options().create(true).append(true).open(self.path("flow.log")).unwrap();
        Flow { child: command.stdout(words.try_clone().unwrap()).stderr(words).spawn().unwrap() }
    }

    /// Asks the database something.
    pub(crate) fn ask<T, F: Future<Output = T>>(&self, question: impl FnOnce(Store) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&self.url).await.unwrap();
            let answer = question(store.clone()).await;
            store.close().await;
            answer
        })
    }

    /// Triggers runs without the command line, which is quicker: (DAG, run).
    pub(crate) fn trigger(&self, wanted: &[(String, String)]) {
        self.ask(|store| async move {
            let dags = DagCache::new(Arc::new(flow_operators::all().catalog()));
            for (dag_id, run_id) in wanted {
                let request = TriggerRun {
                    dag_id,
                    run_id: Some(run_id),
                    logical_date: None,
                    run_after: None,
                    conf: &serde_json::Value::Null,
                    triggered_by: "test",
                    user: None,
                    note: None,
                    caller: None,
                };
                store.trigger(&dags, &request, system_now()).await.unwrap();
            }
        });
    }

    /// Makes the pool that the DAGs use.
    pub(crate) fn make_pool(&self, name: &str, slots: i64) {
        let pool = Pool { name: name.to_owned(), slots, description: String::new(), include_deferred: false };
        self.ask(|store| async move {
            let mut tx = store.begin().await.unwrap();
            tx.set_pool(&pool).await.unwrap();
            tx.commit().await.unwrap();
        });
    }

    /// Pauses a DAG.
    pub(crate) fn pause(&self, dag_id: &str) {
        self.ask(|store| async move {
            let mut tx = store.begin().await.unwrap();
            tx.pause_dag(dag_id, "the test ends", None, system_now()).await.unwrap();
            tx.commit().await.unwrap();
        });
    }

    /// Returns every run there is, with its tasks if asked.
    pub(crate) fn runs(&self, with_tasks: bool) -> Vec<RunFact> {
        self.ask(|store| async move {
            let mut facts = Vec::new();
            for row in store.list_runs(&RunFilter::default(), 1_000_000).await.unwrap() {
                let tasks = if with_tasks { store.tasks(row.run.key).await.unwrap() } else { Vec::new() };
                facts.push(RunFact {
                    dag_id: row.run.dag_id.to_string(),
                    run_id: row.run.run_id.to_string(),
                    state: row.run.state.as_str().to_owned(),
                    tasks: tasks
                        .into_iter()
                        .map(|task| (task.task_id, (task.state.as_str().to_owned(), task.try_number)))
                        .collect(),
                });
            }
            facts
        })
    }

    /// Waits until the DAGs are known.
    pub(crate) fn wait_for_dags(&self, ids: &[&str]) {
        self.wait(Duration::from_secs(60), "the DAGs are not there", || {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            self.ask(|store| async move {
                for id in ids {
                    if !store.dag(&id).await.is_ok_and(|dag| dag.is_some()) {
                        return false;
                    }
                }
                true
            })
        });
    }

    /// Waits for a fact.
    #[track_caller]
    pub(crate) fn wait(&self, at_most: Duration, otherwise: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + at_most;
        while !is_so() {
            assert!(Instant::now() < deadline, "{otherwise} after {at_most:?}\n{}", self.last_words());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What tasks have written down.
    pub(crate) fn effects(&self) -> String {
        fs::read_to_string(self.path("effects")).unwrap()
    }

    /// What Flow said about itself.
    pub(crate) fn words(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("flow.log")).unwrap_or_default()).into_owned()
    }

    fn last_words(&self) -> String {
        let words = self.words();
        let lines: Vec<&str> = words.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Asserts that no process of a task is left, waiting a little for those that are just ending.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        self.wait(Duration::from_secs(10), "processes of tasks are left", || {
            let left = leftovers(self.folder.path());
            if !left.is_empty() {
                println!("left: {left:?}");
            }
            left.is_empty()
        });
    }
}

impl Place {
    /// Kills every process of a task.
    pub(crate) fn kill_tasks(&self) {
        for (pid, _) in leftovers(self.folder.path()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill_tasks();
        // What happened is wanted then.
        if std::thread::panicking() || std::env::var_os("FLOW_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            println!("everything of this test is in {}", self.folder.path().display());
        }
    }
}

/// Lists the processes of tasks of a place, with their command lines.
fn leftovers(place: &Path) -> Vec<(i32, String)> {
    let mark = format!("CRASH={}", place.display());
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let has =
            |wanted: &str| environ.split(|byte| *byte == 0).any(|variable| variable.starts_with(wanted.as_bytes()));
        has(&mark) && has("FLOW_WORKER_ID=")
    })
    .map(|pid| (pid, fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")))
    .collect()
}

/// A process of Flow. Killed when it is dropped.
pub(crate) struct Flow {
    child: Child,
}

impl Flow {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// `kill -9`. It must have been alive until now.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended by itself: {ended:?}");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        kill(self.pid(), Signal::SIGTERM).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self, at_most: Duration) -> ExitStatus {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end within {at_most:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
