//! What people do with the binary, from the first start to cleaning up: real processes, a real database, real tasks.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, process::CommandExt},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

/// How long anything may take before a test gives up.
const SOON: Duration = Duration::from_secs(30);

/// A home and a DAG folder of their own.
struct Place {
    folder: TempDir,
    /// A database that is not in the home.
    database: Option<String>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("dags")).unwrap();
        Self { folder, database: None }
    }

    /// Runs statements on the Postgres server of the tests.
    async fn serve(url: &str, statements: &[String]) {
        let mut server = sqlx::PgConnection::connect(url).await.unwrap();
        for statement in statements {
            sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut server).await.unwrap();
        }
    }

    /// A place with an empty Postgres database of its own; `None` when there is no server to be used.
    async fn on_postgres() -> Option<Self> {
        let url = std::env::var("FLOW_TEST_POSTGRES_URL").ok()?;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("flow_journeys_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self::serve(&url, &[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")])
            .await;
        let (start, rest) = url.rsplit_once('/').unwrap();
        let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
        Some(Self { database: Some(format!("{start}/{name}{options}")), ..Self::new() })
    }

    /// Drops the database of its own.
    async fn drop_database(&self) {
        let server = std::env::var("FLOW_TEST_POSTGRES_URL").unwrap();
        let url = self.database.as_ref().unwrap();
        let name = url.rsplit_once('/').unwrap().1.split('?').next().unwrap();
        Self::serve(&server, &[format!("DROP DATABASE {name} WITH (FORCE)")]).await;
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join("dags").join(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TMPDIR", self.path());
        command.stdin(Stdio::null());
        if let Some(url) = &self.database {
            command.env("FLOW_DATABASE_URL", url);
        }
        command
    }

    fn flow(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must end well; returns what it said.
    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let output = self.flow(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        out(&output)
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["-o", "json"]].concat())).unwrap()
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], code: i32, words: &[&str]) {
        check_refused(&self.flow(args), code, words);
    }

    /// Asks until the answer is right. Each look starts a process, so it never spins.
    #[track_caller]
    fn wait(&self, args: &[&str], is_right: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.json(args);
            if is_right(&answer) {
                return answer;
            }
            assert!(began.elapsed() < SOON, "{args:?} still says {answer:#}");
        }
    }

    /// Starts everything, and waits until its web server listens.
    fn standalone(&self) -> Process {
        self.server(&["standalone", "--port", "0", "--drain", "1s"])
    }

    /// Starts a process with a web server, and waits until it listens.
    fn server(&self, args: &[&str]) -> Process {
        let mut child = self.command(args);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()));
        // Whoever writes must never wait for us to read.
        std::thread::spawn(move || lines.for_each(drop));
        Process { child, address: address.unwrap() }
    }
}

/// Sends a request with a body to a server, and returns the answer: head and body.
fn ask(address: &str, request: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const AS_JSON: &str = "Content-Type: application/json\r\n";

/// A process that ends with the test.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn check_refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    for word in words {
        assert!(err(output).contains(word), "no `{word}` in: {}", err(output));
    }
}

const DAGS: &str = "
dag_id: good
tags: [etl]
schedule: null
params: { region: { default: eu, enum: [eu, us] } }
tasks:
  - { id: first, uses: bash, with: { bash_command: 'echo \"day {{ ds }}\"; echo done' } }
  - { id: second, uses: bash, needs: [first], with: { bash_command: 'echo got {{ ti.xcom_pull(task_ids=\"first\") }}' } }
---
dag_id: bad
schedule: null
tasks:
  - { id: breaks, uses: bash, with: { bash_command: 'exit 3' } }
  - { id: after, needs: [breaks] }
  - { id: asks, uses: trigger_dag, with: { trigger_dag_id: good, conf: { region: mars } } }
---
dag_id: slow
schedule: null
tasks:
  - { id: sleeps, uses: bash, with: { bash_command: 'sleep 100' } }
---
dag_id: daily
schedule: '@daily'
start_date: 2026-01-01
end_date: 2026-01-10
catchup: true
is_paused_upon_creation: true
tasks:
  - { id: only }
";

const RUN: &str = "manual__2026-02-03T00:00:00+00:00";

#[test]
fn from_a_file_in_a_folder_to_a_run_with_logs_and_back() {
    let place = Place::new();
    place.write("broken.yaml", "tasks: [\n");
    let standalone = place.standalone();
    place.write("all.yaml", DAGS);
    let has_all = |dags: &Value| dags.as_array().is_some_and(|dags| dags.len() == 4);
    let dags = place.wait(&["dags", "list"], has_all);
    assert_eq!((&dags[2]["dag_id"], &dags[2]["tags"][0]["name"]), (&json!("good"), &json!("etl")));
    assert_eq!((&dags[1]["dag_id"], &dags[1]["is_paused"]), (&json!("daily"), &json!(true)));
    // A file with mistakes may be half written: it is reported a moment later.
    let began = Instant::now();
    let list = loop {
        let list = place.ok(&["dags", "list"]);
        if list.contains("1 file has errors: flow dags check") || began.elapsed() > SOON {
            break list;
        }
    };
    assert!(list.contains("at 00:00 every day") && list.ends_with("1 file has errors: flow dags check\n"), "{list}");
    assert!(place.ok(&["dags", "list", "--tag", "etl", "-o", "plain"]).starts_with("good\tnever by itself\t"));

    let output = place.flow(&["trigger", "good", "--wait", "--logical-date", "2026-02-03", "--timeout", "30s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(place.ok(&["tasks", "log", "good", "latest", "first"]).contains("OUT   - day 2026-02-03\n"));
    assert!(place.ok(&["tasks", "log", "good", RUN, "second"]).contains("got done"));
    let tasks = place.json(&["tasks", "list", "good", RUN]);
    assert_eq!((&tasks[0]["state"], &tasks[1]["state"]), (&json!("success"), &json!("success")));
    assert_eq!(place.json(&["tasks", "render", "good", RUN, "second"])["bash_command"], "echo got done");
    let output = place.flow(&["trigger", "good", "--logical-date", "2026-02-03"]);
    check_refused(&output, 1, &["has a run of that id or logical date already", "flow runs clear good manual__2026"]);

    let misfit =
        "`conf` does not fit the params of dag `good`: `region` must be one of `\"eu\"`, `\"us\"`, and is `\"mars\"`";
    place.refuses(&["trigger", "good", "--conf", r#"{"region": "mars"}"#], 1, &[misfit]);

    let output = place.flow(&["trigger", "bad", "--wait", "--timeout", "30s"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(out(&output).contains("flow tasks log bad manual__"), "{output:?}");
    assert!(place.ok(&["tasks", "log", "bad", "latest", "asks"]).contains(misfit));
    assert_eq!(place.json(&["runs", "list", "good"]).as_array().unwrap().len(), 1);
    let reasons = place.json(&["tasks", "explain", "bad", "latest", "after"]);
    assert!(reasons[0]["text"].as_str().is_some_and(|text| text.contains("breaks")), "{reasons}");

    place.ok(&["runs", "clear", "good", RUN]);
    assert_eq!(place.flow(&["runs", "wait", "good", RUN, "--timeout", "30s"]).status.code(), Some(0));
    assert_eq!(place.json(&["tasks", "list", "good", RUN])[0]["try_number"], 2);
    place.ok(&["runs", "mark", "failed", "good", RUN]);
    assert_eq!(place.json(&["runs", "show", "good", RUN])["state"], "failed");
    assert_eq!(place.json(&["dags", "show", "good"])["dag_runs"][0]["state"], "failed");
    assert_eq!(place.json(&["runs", "list", "good", "--state", "success"]), json!([]));
    place.ok(&["runs", "delete", "good", RUN]);
    place.refuses(&["runs", "show", "good", RUN], 1, &["has no run", "flow runs list good"]);

    place.ok(&["trigger", "slow"]);
    let is_running = |tasks: &Value| tasks[0]["state"] == "running";
    place.wait(&["tasks", "list", "slow", "latest"], is_running);
    place.refuses(&["dags", "delete", "slow", "--yes"], 1, &["active run"]);
    place.refuses(&["runs", "delete", "slow", "latest"], 1, &["is still running", "flow runs cancel slow manual__"]);
    place.ok(&["runs", "cancel", "slow", "latest"]);
    assert_eq!(place.flow(&["runs", "wait", "slow", "latest", "--timeout", "30s"]).status.code(), Some(1));

    // Every process of it is still well, and a second one is told so.
    let output = place.flow(&["standalone", "--port", "0"]);
    check_refused(&output, 1, &["another flow works on the database", "choose another `--home`"]);
    let port = standalone.address.rsplit_once(':').unwrap().1;
    check_refused(&Place::new().flow(&["standalone", "--port", port]), 1, &["cannot listen on", "--port"]);
}

#[test]
fn a_dag_is_paused_unpaused_with_its_past_and_forgotten() {
    pause_and_forget(&Place::new());
}

#[tokio::test]
async fn a_dag_is_paused_unpaused_with_its_past_and_forgotten_on_postgres() {
    let Some(place) = Place::on_postgres().await else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    assert!(place.ok(&["db", "migrate", "--dry-run"]).contains("would go from schema 0"));
    assert!(place.ok(&["db", "migrate"]).contains("went from schema 0"));
    assert_eq!(place.json(&["db", "check"])["kind"], "postgres");
    pause_and_forget(&place);
    place.drop_database().await;
}

fn pause_and_forget(place: &Place) {
    let _standalone = place.standalone();
    place.write("all.yaml", DAGS);
    place.wait(&["dags", "list"], |dags| dags.as_array().is_some_and(|dags| dags.len() == 4));
    place.refuses(&["dags", "unpause", "dayly"], 1, &["dag `dayly` does not exist", "did you mean `daily`?"]);
    let said = place.ok(&["dags", "unpause", "daily"]);
    assert!(said.contains("makes 10 runs for the past") && said.contains("scheduled__2026-01-10"), "{said}");
    let all_done = |runs: &Value| {
        runs.as_array().is_some_and(|runs| runs.len() == 10 && runs.iter().all(|run| run["state"] == "success"))
    };
    place.wait(&["runs", "list", "daily"], all_done);
    assert_eq!(place.json(&["dags", "unpause", "daily"])["has_changed"], false);
    assert_eq!(place.json(&["dags", "pause", "daily"])["has_changed"], true);
    assert_eq!(place.json(&["dags", "list", "--paused"])[0]["dag_id"], "daily");
    place.ok(&["trigger", "daily", "--run-id", "waits"]);
    let reasons = place.json(&["tasks", "explain", "daily", "waits", "only"]);
    assert_eq!(reasons[0]["kind"], "paused");
    let output = place.flow(&["runs", "wait", "daily", "waits", "--timeout", "100ms"]);
    check_refused(&output, 1, &["so its run waits: flow dags unpause daily\n", "has not ended in time"]);
    assert!(place.ok(&["runs", "show", "daily", "waits"]).ends_with("so its run waits: flow dags unpause daily\n"));
    assert!(place.ok(&["runs", "list", "daily", "--state", "failed"]).contains("None of the runs is failed."));
    place.ok(&["runs", "cancel", "daily", "waits"]);

    let shown = place.json(&["dags", "show", "good"]);
    assert_eq!(shown["tasks"][1]["upstream_task_ids"], json!(["first"]));
    assert_eq!(shown["tasks"][1]["operator_name"], "bash");

    place.ok(&["trigger", "good", "--wait"]);
    let logs = place.path().join(".flow/logs");
    assert!(logs.join("dag_id=good").is_dir());
    let plan = place.json(&["db", "clean", "--older-than", "0s", "--dag", "good", "--dry-run"]);
    assert_eq!((&plan["runs"], &plan["dry_run"]), (&json!(1), &json!(true)));
    assert_eq!(place.json(&["db", "clean", "--older-than", "0s", "--dag", "good"])["runs"], 1);
    assert!(!logs.join("dag_id=good").exists());
    assert_eq!(place.json(&["runs", "list", "good"]), json!([]));
    assert_eq!(place.json(&["runs", "list", "daily"]).as_array().unwrap().len(), 11);
    assert_eq!(place.json(&["db", "clean", "--older-than", "1h"])["runs"], 0);
    place.refuses(&["db", "clean", "--older-than", "1h", "--dag", "god"], 1, &["did you mean `good`?"]);

    place.refuses(&["dags", "delete", "daily"], 2, &["cannot be taken back", "--yes"]);
    fs::remove_file(place.path().join("dags/all.yaml")).unwrap();
    place.wait(&["dags", "list"], |dags| dags[1]["is_stale"] == true);
    place.ok(&["dags", "delete", "daily", "--yes"]);
    place.refuses(&["dags", "show", "daily"], 1, &["dag `daily` does not exist"]);
}

#[test]
fn pools_are_made_changed_and_deleted() {
    let place = Place::new();
    place.refuses(&["pools", "list"], 1, &["there is no database", "flow standalone"]);
    assert!(place.ok(&["db", "migrate", "--dry-run"]).contains("make it"));
    assert!(!place.path().join(".flow").exists());
    let made = place.json(&["db", "migrate"]);
    assert_eq!((&made["from"], made["to"].as_i64().is_some_and(|to| to > 0)), (&json!(0), true));
    assert!(place.ok(&["db", "migrate"]).contains("up to date"));

    place.ok(&["pools", "set", "warehouse", "4", "--description", "connections"]);
    place.ok(&["pools", "set", "warehouse", "-1"]);
    let pool = place.json(&["pools", "get", "warehouse"]);
    let found = (&pool["slots"], &pool["open_slots"], &pool["description"]);
    assert_eq!(found, (&json!(-1), &json!(-1), &json!("connections")));
    assert!(place.ok(&["pools", "list"]).contains("no limit"));
    assert!(
        place.ok(&["pools", "list", "-o", "plain"]).contains("\nwarehouse\tno limit\t0\t0\tno limit\tconnections\n")
    );
    assert!(place.ok(&["pools", "list", "-o", "yaml"]).contains("- name: warehouse\n"));
    place.refuses(&["pools", "get", "warehuse"], 1, &["did you mean `warehouse`?"]);
    place.refuses(&["pools", "set", "warehouse", "-2"], 2, &["-2"]);
    place.refuses(&["pools", "set", " ", "2"], 2, &["1 to 256 characters"]);
    place.refuses(&["pools", "delete", "default_pool", "--yes"], 1, &["cannot be deleted"]);
    place.refuses(&["pools", "delete", "warehouse"], 2, &["pool `warehouse`", "--yes"]);
    place.ok(&["pools", "delete", "warehouse", "--yes"]);
    place.refuses(&["pools", "delete", "warehouse"], 1, &["pool `warehouse` does not exist"]);

    let health = place.json(&["db", "check"]);
    assert_eq!((&health["kind"], &health["rows"]["dag_run"]), (&json!("sqlite"), &json!(0)));
    assert!(place.ok(&["dags", "list"]).contains("No DAGs yet"));
}

#[test]
fn whoever_opens_another_terminal_is_told_where_everything_is() {
    let place = Place::new();
    let greeting = |command: &mut Command| {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines.take_while(|line| !line.contains("flow tasks log")).collect();
        drop(Process { child, address: String::new() });
        said.join("\n")
    };
    let here = place.path().display().to_string();
    let said = greeting(place.command(&["standalone", "--port", "0"]).env("FLOW_HOME", place.path().join("other")));
    assert!(said.contains(&format!("  export FLOW_HOME={here}/other\n  export PATH=")), "{said}");
    // The folder of the binary is in the way of no other `flow`.
    let folder = Path::new(env!("CARGO_BIN_EXE_flow")).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let paths = [folder].into_iter().chain(std::env::split_paths(&others));
    let said =
        greeting(place.command(&["standalone", "--port", "0"]).env("PATH", std::env::join_paths(paths).unwrap()));
    assert!(said.contains("flow dags list") && !said.contains("export"), "{said}");
    fs::write(place.path().join("file"), "").unwrap();
    let output = place.flow(&["standalone", "--port", "0", "--dags", "file/dags"]);
    check_refused(&output, 1, &["cannot make the DAG folder `", "--dags"]);
    assert_eq!(out(&output), "");
}

#[test]
fn runs_of_a_version_without_the_task_are_passed_over() {
    let place = Place::new();
    let _standalone = place.standalone();
    let dag = |tasks: &str| format!("dag_id: d\ntasks:\n  - {{ id: old }}\n{tasks}");
    place.write("d.yaml", &dag(""));
    place.wait(&["dags", "list"], |dags| dags.as_array().is_some_and(|dags| dags.len() == 1));
    let run = |date: &str| place.ok(&["trigger", "d", "--wait", "--run-id", date, "--logical-date", date]);
    run("2026-01-01");
    place.write("d.yaml", &dag("  - { id: new }\n"));
    place.wait(&["dags", "show", "d"], |shown| shown["tasks"].as_array().is_some_and(|tasks| tasks.len() == 2));
    run("2026-01-02");
    run("2026-01-03");
    let output = place.flow(&["tasks", "clear", "d", "2026-01-03", "new", "--past", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(out(&output).matches("success").count(), 2, "{output:?}");
    assert_eq!(err(&output), "skipped d 2026-01-01: task `new` is not in this DAG\n");
    place.refuses(&["tasks", "clear", "d", "2026-01-01", "new", "--future"], 1, &["has no task `new`"]);
}

#[tokio::test]
async fn a_log_is_followed_through_every_try() {
    let place = Place::new();
    let standalone = place.standalone();
    place.write(
        "d.yaml",
        "
dag_id: d
tasks:
  - id: a
    uses: bash
    retries: 1
    retry_delay: 1s
    with: { bash_command: 'sleep 1; echo this is {{ ti.try_number }}; [ {{ ti.try_number }} -eq 2 ]' }
",
    );
    place.wait(&["dags", "list"], |dags| dags.as_array().is_some_and(|dags| dags.len() == 1));
    place.ok(&["trigger", "d"]);
    let output = place.flow(&["tasks", "log", "d", "latest", "a", "-f"]);
    let text = out(&output);
    assert!(text.contains("this is 1\n") && text.contains("this is 2\n"), "{output:?}");
    assert_eq!((output.status.code(), err(&output)), (Some(0), "try 2:\n".to_owned()));
    let text = place.ok(&["tasks", "log", "d", "latest", "a", "-f", "--try", "1"]);
    assert!(text.contains("this is 1\n") && !text.contains("this is 2\n"), "{text}");
    drop(standalone);

    // Nobody runs it, and then the database fails.
    place.ok(&["trigger", "d", "--run-id", "stays"]);
    let log = place.path().join(".flow/logs/dag_id=d/run_id=stays/task_id=a/attempt=1.log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(log, "first\n").unwrap();
    let mut child = place.command(&["tasks", "log", "d", "stays", "a", "-f"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "first");
    let url = format!("sqlite:{}", place.path().join(".flow/flow.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("ALTER TABLE task_instance RENAME TO gone").execute(&mut database).await.unwrap();
    check_refused(&child.wait_with_output().unwrap(), 1, &["cannot see whether the task goes on"]);
}

#[test]
fn a_dag_is_tried_without_a_database() {
    let place = Place::new();
    place.write("all.yaml", DAGS);
    place.write(
        "more.yaml",
        "
dag_id: more
default_args: { retries: 2, retry_delay: 1h }
tasks:
  - id: flaky
    uses: bash
    with: { bash_command: '[ {{ ti.try_number }} -eq 2 ] && echo {{ params.size }} {{ conn.shop.password }}' }
  - id: looks
    uses: bash_sensor
    with: { bash_command: 'cd {{ dag_run.conf.here }}; [ -e seen ] || { touch seen; exit 1; }', poke_interval: 0.1 }
  - { id: asks, uses: trigger_dag, with: { trigger_dag_id: good, wait_for_completion: true } }
  - { id: reads, uses: bash, needs: [flaky, looks, asks], with: { bash_command: 'echo size {{ ti.xcom_pull(task_ids=\"flaky\") }}' } }
  - { id: waits, needs: [flaky, reads], if: 'params.size < 0' }
",
    );
    let conf = json!({ "size": 7, "here": place.path() }).to_string();
    let args = ["dags", "test", "more", "--conf", &conf, "--logical-date", "2026-02-03"];
    let began = Instant::now();
    let output = place.command(&args).env("FLOW_CONN_SHOP", "http://u:sesame77@host/").output().unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(began.elapsed() < SOON, "a retry of an hour was waited for");
    for line in [
        "flaky : try 2 of 3 (bash)",
        "flaky | 7 ***",
        "looks : not yet; looks again at",
        "asks  : would make run `manual__2026-02-03",
        "reads | size 7 ***",
        "waits : its `if` is false",
        "more manual__2026-02-03T00:00:00+00:00: success",
    ] {
        assert!(text.contains(line), "no `{line}` in:\n{text}");
    }
    assert!(!text.contains("sesame77") && !text.contains('\x1b'), "{text}");
    let logs = text.lines().find_map(|line| line.strip_prefix("logs: ")).unwrap();
    let log = Path::new(logs).join("dag_id=more/run_id=manual__2026-02-03T00:00:00+00:00/task_id=flaky/attempt=2.log");
    assert!(fs::read_to_string(log).unwrap().contains("OUT   - 7 ***"));
    assert!(!place.path().join(".flow").exists(), "it made a home");

    let output = place.flow(&["dags", "test", "bad", "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["state"]), (Some(1), &json!("failed")));
    let states: Vec<&Value> = report["task_instances"].as_array().unwrap().iter().map(|task| &task["state"]).collect();
    assert_eq!(states, [&json!("failed"), &json!("upstream_failed"), &json!("success")]);
    assert!(err(&output).contains("breaks : failed after"), "{output:?}");
    place.refuses(&["dags", "test", "god"], 1, &["there is no DAG `god`", "did you mean `good`?"]);
    place.refuses(&["dags", "test", "good", "--logical-date", "soon"], 2, &["--logical-date"]);
}

/// Says whether a process that a test left a mark in is alive.
fn is_alive(mark: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|words| words.split(|byte| *byte == 0).any(|word| word == mark.as_bytes()))
}

#[test]
#[cfg(target_os = "linux")]
fn ending_a_try_ends_everything_that_it_started() {
    for signals in [1, 2] {
        let place = Place::new();
        let mark = format!("0.{}", std::process::id() + signals);
        let command = format!("trap '' TERM; echo up; sleep 100 & while true; do sleep {mark}; done");
        let dag =
            json!({ "dag_id": "d", "tasks": [{ "id": "a", "uses": "bash", "with": { "bash_command": command } }] });
        place.write("d.yaml", &dag.to_string());
        let mut child = place.command(&["dags", "test", "d"]);
        child.env("FLOW__CORE__KILL_GRACE", if signals == 1 { "100ms" } else { "1h" });
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "a | up"), "the task never started");
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        kill(pid, Signal::SIGINT).unwrap();
        if signals == 2 {
            assert!(lines.any(|line| line.unwrap().contains("sending SIGTERM")), "it was not asked to end first");
            kill(pid, Signal::SIGINT).unwrap();
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
        assert!(!is_alive(&mark), "something is left");
    }
}

#[test]
fn a_reader_that_leaves_early_ends_the_try() {
    let place = Place::new();
    let dag =
        "dag_id: d\ntasks:\n  - { id: a, uses: bash, with: { bash_command: 'while echo y; do sleep 0.05; done' } }\n";
    place.write("d.yaml", dag);
    let mut child = place.command(&["dags", "test", "d"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "a | y"), "the task never started");
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[tokio::test]
async fn a_database_of_a_newer_flow_is_left_alone() {
    let place = Place::new();
    place.ok(&["db", "migrate"]);
    let url = format!("sqlite:{}", place.path().join(".flow/flow.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', TRUE, x'00', 1)";
    sqlx::query(insert).execute(&pool).await.unwrap();
    pool.close().await;
    let words = ["the database has schema 9999", "upgrade flow"];
    for args in [&["dags", "list"][..], &["db", "migrate"], &["db", "check"], &["standalone", "--port", "0"]] {
        place.refuses(args, 1, &words);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Place::new();
    fs::write(place.path().join("file"), "").unwrap();
    let output = place.command(&["standalone", "--port", "0", "--home", "file/home"]).output().unwrap();
    check_refused(&output, 1, &["the home `", "file/home` cannot be written", "--home"]);
    let output = place.command(&["standalone", "--port", "0"]).env("FLOW_DATABASE_URL", "sqlite:no/flow.db").output();
    check_refused(&output.unwrap(), 1, &["no/flow.db"]);
    fs::create_dir_all(place.path().join(".flow")).unwrap();
    fs::write(place.path().join(".flow/flow.db"), "this is no database, and long enough to be sure of it").unwrap();
    place.refuses(&["db", "check"], 1, &["is not a SQLite database"]);
    let output = place.command(&["db", "check"]).env("FLOW__WORKER__SLOST", "1").output().unwrap();
    check_refused(&output, 2, &["did you mean `FLOW__WORKER__SLOTS`?"]);
}

#[test]
fn a_read_only_database_is_named() {
    let place = Place::new();
    place.ok(&["db", "migrate"]);
    // Root may write whatever the permissions say: it has to become somebody else.
    let as_nobody = |args: &[&str]| {
        let mut command = place.command(args);
        if geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        command
    };
    let home = place.path().join(".flow");
    for (path, mode) in [(place.path().to_owned(), 0o755), (home.clone(), 0o555), (home.join("flow.db"), 0o444)] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    if as_nobody(&["version"]).output().is_err() {
        println!("skipped: nobody else may start the binary here");
        return;
    }
    for args in [&["dags", "list"][..], &["pools", "set", "a", "1"]] {
        check_refused(&as_nobody(args).output().unwrap(), 1, &["flow.db` is read-only; give write permission"]);
    }
    check_refused(&as_nobody(&["standalone", "--port", "0"]).output().unwrap(), 1, &["cannot be written", "--home"]);
    fs::set_permissions(home, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn people_and_programs_log_in() {
    let place = Place::new();
    let server = place.standalone();
    let file = place.path().join(".flow/admin_password");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let password = fs::read_to_string(&file).unwrap();
    let log_in = |name: &str, password: &str| {
        let body = json!({ "username": name, "password": password.trim() }).to_string();
        ask(&server.address, "POST /auth/token", AS_JSON, &body)
    };
    assert!(log_in("admin", &password).starts_with("HTTP/1.1 201 "));
    assert!(log_in("admin", "wrong").starts_with("HTTP/1.1 401 "));

    let made = place.json(&["users", "set", "ada", "--role", "Viewer"]);
    let first = made["password"].as_str().unwrap();
    assert!(log_in("ada", first).starts_with("HTTP/1.1 201 "));
    let token = place.json(&["tokens", "create", "ci", "--user", "ada"])["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let me = || ask(&server.address, "GET /auth/me", &bearer, "");
    assert!(me().contains("\"role\":\"Viewer\""), "{}", me());
    place.ok(&["users", "set", "ada", "--role", "Op"]);
    assert!(me().contains("\"role\":\"Op\""), "{}", me());
    let tokens = place.json(&["tokens", "list", "--user", "ada"]);
    assert_eq!((&tokens[0]["name"], &tokens[0]["state"]), (&json!("ci"), &json!("good")));
    assert!(!tokens.to_string().contains(&token) && !tokens[0]["last_used_at"].is_null(), "{tokens}");
    place.ok(&["tokens", "delete", &tokens[0]["id"].to_string()]);
    assert!(me().starts_with("HTTP/1.1 401 "));

    let mut set = place.command(&["users", "set", "ada", "--password-stdin"]);
    let mut set = set.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    set.stdin.take().unwrap().write_all(b"battery staple\n").unwrap();
    assert!(set.wait().unwrap().success());
    assert!(log_in("ada", first).starts_with("HTTP/1.1 401 "));
    assert!(log_in("ada", "battery staple").starts_with("HTTP/1.1 201 "));

    place.refuses(&["users", "set", "eve"], 2, &["a new one needs a role", "--role Viewer"]);
    place.refuses(&["users", "set", "a b", "--role", "Op"], 2, &["letters, digits"]);
    place.refuses(&["users", "get", "adda"], 1, &["did you mean `ada`?"]);
    place.refuses(&["users", "delete", "ada"], 2, &["--yes"]);
    place.refuses(&["users", "delete", "admin", "--yes"], 1, &["the only Admin"]);
    place.refuses(&["tokens", "create", "x"], 2, &["--user NAME"]);
    place.refuses(&["tokens", "delete", "999"], 1, &["flow tokens list"]);
    place.refuses(&["tokens", "delete", "ci"], 2, &["a token has a number", "flow tokens list"]);
    place.ok(&["users", "delete", "ada", "--yes"]);
    assert_eq!(place.json(&["users", "list"]).as_array().unwrap().len(), 1);

    drop(server);
    let server = place.standalone();
    assert_eq!(fs::read_to_string(&file).unwrap(), password, "there is an admin already");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn web_servers_that_start_at_once_make_one_admin() {
    let Some(place) = Place::on_postgres().await else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    place.ok(&["db", "migrate"]);
    let servers: Vec<Process> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(|| place.server(&["web", "--port", "0"]))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(place.json(&["users", "list"]).as_array().unwrap().len(), 1);
    let password = fs::read_to_string(place.path().join(".flow/admin_password")).unwrap();
    let body = json!({ "username": "admin", "password": password.trim() }).to_string();
    for server in &servers {
        let answer = ask(&server.address, "POST /auth/token", AS_JSON, &body);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    drop(servers);
    place.drop_database().await;
}
