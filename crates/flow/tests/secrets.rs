//! Variables and connections from the command line: in files, in the database, in tasks, and never in the clear where
//! they should not be.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A home of its own, with a database.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("dags")).unwrap();
        let place = Self { folder };
        place.ok(&["db", "migrate"]);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        said(&self.command(args).output().unwrap())
    }

    /// Runs a command that reads this from stdin.
    #[track_caller]
    fn give(&self, args: &[&str], text: &str) -> String {
        let mut child =
            self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        said(&child.wait_with_output().unwrap())
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["-o", "json"]].concat())).unwrap()
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], code: i32, words: &[&str]) {
        refused(&self.command(args).output().unwrap(), code, words);
    }

    /// Everything in the home, the database and its log among it.
    fn kept(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in fs::read_dir(self.path().join(".flow")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("secret.key") {
                bytes.extend(fs::read(path).unwrap());
            }
        }
        bytes
    }
}

#[track_caller]
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn variables_are_set_shown_and_deleted() {
    let place = Place::new();
    place.ok(&["variables", "set", "region", "eu", "--description", "where"]);
    place.give(&["variables", "set", "api_key"], "hunter2\n");
    assert_eq!(place.ok(&["variables", "get", "region"]), "eu\n");
    assert_eq!(place.ok(&["variables", "get", "api_key"]), "***\n");
    assert_eq!(place.ok(&["variables", "get", "api_key", "--show-secrets"]), "hunter2\n");
    place.ok(&["variables", "set", "region", "us"]);
    let shown = place.json(&["variables", "get", "region"]);
    assert_eq!(shown, json!({ "key": "region", "value": "us", "description": "where" }));
    let all = place.ok(&["variables", "list"]);
    assert!(all.contains("region") && !all.contains("hunter2"), "{all}");
    place.refuses(&["variables", "get", "regoin"], 1, &["variable `regoin` does not exist", "did you mean `region`?"]);
    place.refuses(&["variables", "set", " ", "x"], 2, &["1 to 250 characters"]);
    place.refuses(&["variables", "delete", "region"], 2, &["--yes"]);
    place.ok(&["variables", "delete", "region", "--yes"]);
    place.refuses(&["variables", "delete", "region", "--yes"], 1, &["does not exist"]);

    let key = place.path().join(".flow/secret.key");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!holds(&place.kept(), "hunter2"), "a secret is in the database in the clear");
}

#[test]
fn connections_are_set_from_a_uri_json_or_parts() {
    let place = Place::new();
    place.give(&["connections", "set", "warehouse"], "postgres://me:hunter2@db:5432/sales?api_key=k77-of-sales\n");
    let shown = place.json(&["connections", "get", "warehouse"]);
    assert_eq!((&shown["host"], &shown["port"], &shown["password"]), (&json!("db"), &json!(5432), &json!("***")));
    assert_eq!(shown["extra"], r#"{"api_key":"***"}"#);
    let shown = place.json(&["connections", "get", "warehouse", "--show-secrets"]);
    assert_eq!(shown["uri"], "postgres://me:hunter2@db:5432/sales?api_key=k77-of-sales");
    // Parts change only themselves.
    place.ok(&["connections", "set", "warehouse", "--conn-host", "db2", "--port", "5433"]);
    place.give(&["connections", "set", "warehouse", "--password-stdin"], "hunter2-new\n");
    let shown = place.ok(&["connections", "get", "warehouse", "--show-secrets", "-o", "plain"]);
    assert!(shown.contains("uri\tpostgres://me:hunter2-new@db2:5433/sales?api_key=k77-of-sales\n"), "{shown}");
    place.ok(&["connections", "set", "api", r#"{"conn_type": "http", "host": "h"}"#, "--description", "the API"]);
    let all = place.ok(&["connections", "list"]);
    assert!(all.contains("the API") && !all.contains("hunter2"), "{all}");
    place.refuses(&["connections", "set", "x", "hunter2"], 2, &["is neither a URI"]);
    place.refuses(&["connections", "set", "x", "--host", "h"], 2, &["--conn-type"]);
    place.refuses(&["connections", "set", "a b", "http://h"], 2, &["1 to 200 characters"]);
    place.refuses(&["connections", "set", "x", "http://h", "--extra", "hunter2"], 2, &["must be a JSON object"]);
    place.refuses(&["connections", "get", "apu"], 1, &["did you mean `api`?"]);
    place.refuses(&["connections", "delete", "api"], 2, &["--yes"]);
    place.ok(&["connections", "delete", "api", "--yes"]);
    assert!(
        !holds(&place.kept(), "hunter2") && !holds(&place.kept(), "k77-of-sales"),
        "a secret is in the database in the clear"
    );

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    place.ok(&["connections", "set", "near", &format!("http://me:hunter2@{address}/")]);
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![0; 4096];
        let count = stream.read(&mut asked).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&asked[..count]).into_owned()
    });
    assert!(place.ok(&["connections", "test", "near"]).contains(&format!("GET http://{address}/ answered 200 OK")));
    let asked = server.join().unwrap();
    assert!(asked.to_lowercase().contains("authorization: basic bwu6ahvudgvymg=="), "{asked}");
    let output = place.command(&["connections", "test", "near", "-o", "json"]).output().unwrap();
    let tested: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &tested["status"]), (Some(1), &json!(false)));
}

#[test]
fn what_is_exported_is_imported_elsewhere() {
    let (place, other) = (Place::new(), Place::new());
    place.ok(&["variables", "set", "region", "eu", "--description", "where"]);
    place.ok(&["variables", "set", "sizes", "[1, 2]"]);
    place.ok(&["connections", "set", "warehouse", "postgres://me:hunter2@db:5432/sales?api_key=k77-of-sales"]);
    place.ok(&["connections", "set", "api", r#"{"conn_type": "http", "host": "h", "extra": {"a": 1}}"#]);
    place.ok(&["pools", "set", "crunch", "4"]);
    for (what, file) in [
        ("variables", "v.json"),
        ("variables", "v.yaml"),
        ("connections", "c.json"),
        ("connections", "c.yaml"),
        ("connections", "c.env"),
        ("pools", "p.json"),
    ] {
        // One that others may read does not stay so.
        fs::write(place.path().join(file), "").unwrap();
        place.ok(&[what, "export", file]);
        let path = place.path().join(file);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let path = path.to_str().unwrap();
        let first = other.json(&[what, "import", path, "--on-existing", "skip"]);
        assert_eq!(first["made"].as_i64().unwrap() + first["skipped"].as_i64().unwrap(), 2, "{file}: {first}");
        let again = other.json(&[what, "import", path]);
        assert_eq!(again, json!({ "made": 0, "changed": 2, "skipped": 0 }), "{file}");
        other.refuses(&[what, "import", path, "--on-existing", "fail"], 1, &["exists already; nothing was changed"]);
        assert_eq!(other.ok(&[what, "export"]), place.ok(&[what, "export"]), "{file}");
    }
    // Airflow's own forms.
    let mixed = r#"{"a": "1", "b": {"value": {"x": 1}, "description": "d"}, "c": {"value": 1, "more": 2}}"#;
    other.give(&["variables", "import", "-"], mixed);
    assert_eq!(other.ok(&["variables", "get", "b"]), "{\"x\":1}\n");
    assert_eq!(other.ok(&["variables", "get", "c"]), "{\"value\":1,\"more\":2}\n");
    fs::write(other.path().join("old.env"), "# mine\none=http://h\n\ntwo=redis://h\n").unwrap();
    other.ok(&["connections", "import", "old.env"]);
    assert_eq!(other.json(&["connections", "get", "two"])["conn_type"], "redis");

    // A file with a mistake is not taken at all, and not repeated.
    fs::write(other.path().join("bad.json"), r#"{"ok": "http://h", "bad": "hunter2"}"#).unwrap();
    other.refuses(&["connections", "import", "bad.json"], 1, &["connection `bad` is neither a URI"]);
    other.refuses(&["connections", "get", "ok"], 1, &["does not exist"]);
    fs::write(other.path().join("bad.json"), "{\n\"a\": hunter2}").unwrap();
    other.refuses(&["variables", "import", "bad.json"], 1, &["line 2, column 6: this is not JSON"]);
    fs::write(other.path().join("bad.yaml"), "a: [hunter2").unwrap();
    other.refuses(&["variables", "import", "bad.yaml"], 1, &["this is not YAML"]);
    other.refuses(&["variables", "import", "nowhere.json"], 1, &["could not read `nowhere.json`"]);
    fs::write(other.path().join("bad.json"), r#"{"crunch": {"slots": -2}}"#).unwrap();
    other.refuses(&["pools", "import", "bad.json"], 1, &["`slots` must be from 0"]);
}

#[test]
fn a_home_without_its_key_says_which_one_is_missing() {
    let place = Place::new();
    place.ok(&["variables", "set", "api_key", "hunter2"]);
    let id = place.json(&["db", "check"])["secret_key"].as_str().unwrap().to_owned();
    let key = place.path().join(".flow/secret.key");
    let text = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    for args in [
        &["standalone", "--port", "0"][..],
        &["db", "rotate-key"],
        &["variables", "set", "a", "b"],
        &["variables", "get", "api_key"],
    ] {
        place.refuses(args, 1, &[&id, "FLOW_SECRET_KEY"]);
    }
    assert!(!key.exists(), "another key was made");
    assert_eq!(place.json(&["db", "check"])["secret_key_is_here"], false);
    let given = text.lines().last().unwrap();
    let output = place
        .command(&["variables", "get", "api_key", "--show-secrets"])
        .env("FLOW_SECRET_KEY", given)
        .output()
        .unwrap();
    assert_eq!(said(&output), "hunter2\n");
    let output = place.command(&["variables", "list"]).env("FLOW_SECRET_KEY", "hunter2").output().unwrap();
    refused(&output, 2, &["openssl rand -base64 32"]);
}

struct Standalone(Child);

impl Drop for Standalone {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

#[test]
fn tasks_use_them_hidden_and_the_key_changes_while_they_run() {
    let place = Place::new();
    let dag = "
dag_id: uses
tasks:
  - id: t
    uses: bash
    with:
      bash_command: |
        echo login {{ conn.shop.login }} {{ conn.shop.password }} in {{ var.value.region }} {{ var.value.own }}
        env
        echo ${FLOW_SECRET_KEY:-no key}
";
    fs::write(place.path().join("dags/uses.yaml"), dag).unwrap();
    place.ok(&["connections", "set", "shop", "http://me:hunter2@h/"]);
    place.ok(&["variables", "set", "region", "database"]);
    place.ok(&["variables", "set", "own", "from-database"]);
    let key = fs::read_to_string(place.path().join(".flow/secret.key")).unwrap();
    let mut flow = place.command(&["standalone", "--port", "0"]);
    flow.env("FLOW_VAR_REGION", "environment").env("FLOW_CONN_OTHER", "http://you:sesame77@h/");
    flow.env("FLOW_SECRET_KEY", key.lines().last().unwrap());
    flow.env("AWS_SECRET_ACCESS_KEY", "abrakadabra77").env("FLOW_LOGS_AWS_SECRET_ACCESS_KEY", "simsalabim77");
    let mut child = Standalone(flow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("http://")));
    std::thread::spawn(move || lines.for_each(drop));

    let log = |run: &str| {
        let began = std::time::Instant::now();
        // The DAG folder is read beside the web server.
        while !place.command(&["dags", "show", "uses"]).output().unwrap().status.success() {
            assert!(began.elapsed().as_secs() < 30);
        }
        place.ok(&["trigger", "uses", "--run-id", run, "--wait"]);
        let log = place.ok(&["tasks", "log", "uses", run, "t"]);
        assert!(log.contains("login me *** in environment from-database"), "{log}");
        assert!(log.contains("FLOW_CONN_OTHER=***"), "{log}");
        assert!(log.contains("no key"), "{log}");
        assert!(!log.contains("hunter2") && !log.contains("sesame77") && !log.contains("abrakadabra77"), "{log}");
        assert!(!log.contains("FLOW_LOGS_"), "{log}");
    };
    log("one");
    // That process has the key from its environment: it is given both before the change.
    drop(child);
    let mut flow = place.command(&["standalone", "--port", "0"]);
    flow.env("FLOW_VAR_REGION", "environment").env("FLOW_CONN_OTHER", "http://you:sesame77@h/");
    let mut child = Standalone(flow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("http://")));
    std::thread::spawn(move || lines.for_each(drop));
    let rotated = place.json(&["db", "rotate-key"]);
    assert_eq!((&rotated["changed"], &rotated["resumed"]), (&json!(3), &json!(false)));
    assert_ne!(fs::read_to_string(place.path().join(".flow/secret.key")).unwrap(), key);
    log("two");
    drop(child);
}
