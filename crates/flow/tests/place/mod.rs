//! A running Flow with a home of its own, seen from outside; and Python environments that stay between test runs.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
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
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

/// How long a start may take.
const START: Duration = Duration::from_secs(60);

/// A running `flow standalone`; it ends with the test.
pub(crate) struct Flow {
    folder: TempDir,
    child: Child,
    /// The Postgres database, if it has one.
    database: Option<String>,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
}

impl Flow {
    /// Starts with these DAG files, and waits until each of them has been read.
    pub(crate) fn start(dags: &[(&str, &str)]) -> Self {
        Self::start_with(dags, &[])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_with(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        Self::start_on(files, environment, database())
    }

    /// The same on SQLite.
    pub(crate) fn start_beside(files: &[(&str, &str)], environment: &[(String, String)]) -> Self {
        let environment: Vec<_> = environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        Self::start_on(files, &environment, None)
    }

    fn start_on(files: &[(&str, &str)], environment: &[(&str, &str)], database: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("dags").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let said = File::create(folder.path().join("said")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command
            .args(["standalone", "--port", "0", "--drain", "1s"])
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .env("FLOW_DATA", folder.path().join("files"))
            .env("FLOW__WEB__EDIT_DAGS", "true")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said);
        if let Some(url) = &database {
            command.env("FLOW_DATABASE_URL", url);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()));
        // Whoever writes must never wait for us to read.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.unwrap().trim_end_matches('/').to_owned();
        let flow = Self { folder, child, database, address };
        let token = flow.token();
        let dags = files.iter().filter(|(name, _)| name.ends_with(".yaml") || name.ends_with(".yml")).count();
        let began = Instant::now();
        while flow.get("/api/v2/dags?limit=1000", &token)["total_entries"] != json!(dags) {
            assert!(began.elapsed() < START, "the DAGs are not there: {}", flow.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        flow
    }

    /// `flow` with the same home and database.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.folder())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        if let Some(url) = &self.database {
            command.env("FLOW_DATABASE_URL", url);
        }
        command
    }

    /// Returns the first password of `admin`.
    pub(crate) fn password(&self) -> String {
        let path = self.folder.path().join(".flow/admin_password");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).trim().to_owned()
    }

    /// Logs `admin` in, and returns a bearer token.
    pub(crate) fn token(&self) -> String {
        let body = json!({ "username": "admin", "password": self.password() }).to_string();
        let answer = self.post("/auth/token", "", &body);
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// Asks for a page of JSON.
    pub(crate) fn get(&self, path: &str, token: &str) -> Value {
        self.ask(&format!(
            "GET {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n",
            self.address
        ))
    }

    /// Posts JSON.
    pub(crate) fn post(&self, path: &str, token: &str, body: &str) -> Value {
        self.send("POST", path, token, body)
    }

    /// Sends JSON.
    pub(crate) fn send(&self, method: &str, path: &str, token: &str, body: &str) -> Value {
        self.ask(&format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    fn ask(&self, request: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        // HTTP/1.0 has no chunks.
        let json = body.find('{').zip(body.rfind('}')).map(|(from, to)| &body[from..=to]);
        serde_json::from_str(json.unwrap_or("null")).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Returns the folder that it runs in; its home is `.flow` in there.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns all rows of each table of a Postgres database as text; of SQLite nothing, for that is a file.
    pub(crate) fn tables(&self) -> Vec<(String, String)> {
        let Some(url) = &self.database else { return Vec::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut server = sqlx::PgConnection::connect(url).await.unwrap();
            let names: Vec<String> =
                sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
                    .fetch_all(&mut server)
                    .await
                    .unwrap();
            let mut tables = Vec::new();
            for name in names {
                let rows = format!("SELECT coalesce(string_agg(t::text, E'\n'), '') FROM \"{name}\" t");
                let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut server).await.unwrap();
                tables.push((name, rows));
            }
            tables
        })
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Returns what the process said on stderr.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// Makes a Postgres database of its own, where there is a server for it; else Flow takes SQLite.
fn database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("FLOW_TEST_POSTGRES_URL").ok()?;
    let name = format!("flow_place_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut server = sqlx::PgConnection::connect(&url).await.unwrap();
        for statement in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut server).await.unwrap();
        }
    });
    let (start, rest) = url.rsplit_once('/').unwrap();
    let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    Some(format!("{start}/{name}{options}"))
}

/// Returns a Python that has these packages, in an environment below `target/` that is made once; `None`, said aloud,
/// where there is no Python to make one with.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn python(test: &str, name: &str, packages: &[&str]) -> Option<PathBuf> {
    if Command::new("python3").args(["-c", "import venv, ensurepip"]).output().is_ok_and(|done| done.status.success()) {
        return Some(environment(name, packages));
    }
    println!("skipped: {test} (there is no python3 with venv)");
    assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    None
}

fn environment(name: &str, packages: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let made = root.join(name);
    if !made.join("complete").exists() {
        let _ = fs::remove_dir_all(&made);
        fs::create_dir_all(&root).unwrap();
        run(Command::new("python3").args(["-m", "venv"]).arg(&made));
        run(Command::new(made.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(packages));
        fs::write(made.join("complete"), packages.join("\n")).unwrap();
    }
    made.join("bin")
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
