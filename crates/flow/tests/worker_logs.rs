//! A worker and a web server with folders of their own, on one Postgres: the web server shows what the worker wrote.
//!
//! Needs a server: FLOW_TEST_POSTGRES_URL (`scripts/with-postgres`).

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

const DAG: &str = "dag_id: far
schedule: null
is_paused_upon_creation: false
tasks:
  - id: speak
    uses: bash
    with: { bash_command: 'echo from afar; seq 1 50000' }
";

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn flow(folder: &Path, home: &str, database: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("FLOW_HOME", folder.join(home))
        .env("FLOW_DATABASE_URL", database)
        .env("FLOW_SECRET_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        .env("FLOW__DAGS__FOLDER", folder.join("dags"))
        .env("FLOW__WEB__ANONYMOUS_ROLE", "Admin")
        .env("FLOW__WORKER__LOG_HOST", "127.0.0.1")
        .env("FLOW__WORKER__LOG_LISTEN", "127.0.0.1")
        .env("FLOW__WORKER__LOG_PORT", "0")
        .stdin(Stdio::null());
    command
}

/// Asks the web server; returns the status and the body.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn execute(url: &str, statement: &str) {
    let work = async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

#[test]
fn the_log_of_a_worker_elsewhere_is_read_from_it() {
    let Ok(server) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        // `make test` runs everything once more where there is one.
        println!("skipped: the_log_of_a_worker_elsewhere_is_read_from_it needs FLOW_TEST_POSTGRES_URL");
        return;
    };
    let name = format!("flow_logs_{}", uuid::Uuid::new_v4().simple());
    execute(&server, &format!("CREATE DATABASE {name}"));
    let (base, options) = server.split_once('?').unwrap_or((&server, ""));
    let database = format!("{}/{name}?{options}", base.rsplit_once('/').unwrap().0);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dags")).unwrap();
    std::fs::write(folder.path().join("dags/far.yaml"), DAG).unwrap();
    let run = |home: &str, args: &[&str]| flow(folder.path(), home, &database, args);
    let start = |home: &str, args: &[&str]| Process(run(home, args).stderr(Stdio::null()).spawn().unwrap());

    assert!(run("near", &["db", "migrate"]).output().unwrap().status.success());
    let _scheduler = start("near", &["scheduler"]);
    let mut worker = start("far", &["worker"]);
    let mut web =
        Process(run("near", &["web", "--port", "0"]).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(web.0.stdout.take().unwrap()).lines();
    let address = said.find_map(|line| Some(line.unwrap().split_once(" at http://")?.1.to_owned())).unwrap();
    std::thread::spawn(move || said.for_each(drop));

    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let triggered = run("near", &["trigger", "far", "--run-id", "one", "--wait"]).output().unwrap();
        if triggered.status.success() {
            break;
        }
        assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&triggered.stderr));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(folder.path().join("far/logs/dag_id=far").exists() && !folder.path().join("near/logs/dag_id=far").exists());
    let log = "/api/v2/dags/far/dagRuns/one/taskInstances/speak/logs/1";
    let (status, text) = get(&address, log);
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("from afar") && text.contains(" 50000\n"), "{} bytes", text.len());
    let (_, end) = get(&address, &format!("{log}?tail=2"));
    assert!(text.ends_with(&end) && !end.is_empty());
    let shown = run("near", &["tasks", "log", "far", "one", "speak"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shown.stdout), text);

    // Killed, the worker is still written down as alive for a while.
    worker.0.kill().unwrap();
    worker.0.wait().unwrap();
    let (status, text) = get(&address, log);
    let is_told = status == 503 && text.contains("could not be asked for it at 127.0.0.1:");
    assert!(is_told || (status == 200 && text.contains("is still where it was written")), "{status} {text}");

    drop((web, _scheduler));
    execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
}
