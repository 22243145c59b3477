//! The same commands on the database and over the network: what they print, and how they end.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
const SOON: Duration = Duration::from_secs(30);

const GOOD: &str = "dag_id: good
description: Does what it should.
tags: [etl, daily]
default_args: { owner: ada }
params: { region: eu }
tasks:
  - { id: first, uses: bash, with: { bash_command: 'echo region {{ params.region }}; echo second line' } }
  - { id: second, uses: empty, needs: [first] }
  - { id: third, uses: bash, with: { bash_command: 'echo done' }, needs: [second] }
";

const BAD: &str = "dag_id: bad
tasks:
  - { id: fails, uses: bash, with: { bash_command: 'echo oh no; exit 3' } }
  - { id: after, uses: bash, with: { bash_command: 'true' }, needs: [fails] }
";

const PAST: &str = "dag_id: past
schedule: '@daily'
start_date: 2026-01-01
end_date: 2026-01-20
catchup: true
is_paused_upon_creation: true
tasks: [{ id: only, uses: empty }]
";

/// Waits for a file, and says something before and after.
const SLOW: &str = "dag_id: slow
params: { gate: x }
tasks:
  - { id: waits, uses: bash, with: { bash_command: 'echo one; while [ ! -e {{ params.gate }} ]; do sleep 0.05; done; echo two' } }
";

/// A running server in a folder of its own, and its database.
struct Place {
    folder: TempDir,
    server: Child,
    url: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.server.id()).unwrap()), Signal::SIGTERM);
        let _ = self.server.wait();
    }
}

impl Place {
    /// Starts everything with these DAG files, and waits until they are read.
    fn start(dags: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("dags")).unwrap();
        for (name, text) in dags {
            fs::write(folder.path().join("dags").join(name), text).unwrap();
        }
        let mut server = command(folder.path(), &["standalone", "--port", "0", "--drain", "1s"]);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()));
        // Whoever writes must never wait for us to read.
        std::thread::spawn(move || lines.for_each(drop));
        let place = Self { folder, server, url: format!("http://{}", address.unwrap().trim_end_matches('/')) };
        let is_read = |list: &Value| list.as_array().is_some_and(|list| list.len() == dags.len());
        place.until(&["dags", "list"], is_read);
        place
    }

    /// A command on the database.
    fn here(&self, args: &[&str]) -> Output {
        command(self.folder.path(), args).output().unwrap()
    }

    fn over_there(&self, args: &[&str]) -> Command {
        let mut command = command(self.folder.path(), args);
        // Nothing of this place may be found by chance.
        command.env("HOME", "/nonexistent").env("FLOW_HOME", self.folder.path().join("elsewhere"));
        command.current_dir("/").env("FLOW_SERVER", &self.url);
        command
    }

    /// A command over the network, from elsewhere.
    fn there(&self, args: &[&str]) -> Output {
        self.over_there(args).output().unwrap()
    }

    /// Asks until the answer is right. Each look starts a process, so it never spins.
    #[track_caller]
    fn until(&self, args: &[&str], is_right: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let output = self.here(&[args, &["-o", "json"]].concat());
            let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
            if is_right(&answer) {
                return answer;
            }
            assert!(began.elapsed() < SOON, "{args:?} still says {output:?}");
        }
    }

    /// Runs a command that changes nothing on both sides, in every format.
    #[track_caller]
    fn same(&self, args: &[&str]) {
        for format in ["table", "json", "yaml", "plain"] {
            let args = [args, &["-o", format]].concat();
            check_same(&args, &self.here(&args), &self.there(&args), &[]);
        }
    }

    /// Runs a command on both sides, each with its own word for `@`.
    #[track_caller]
    fn twin(&self, args: &[&str], words: [&str; 2]) -> [Output; 2] {
        let with = |word: &str| args.iter().map(|arg| arg.replace('@', word)).collect::<Vec<_>>();
        let [here, there] = words.map(with);
        let here = self.here(&here.iter().map(String::as_str).collect::<Vec<_>>());
        let there = self.there(&there.iter().map(String::as_str).collect::<Vec<_>>());
        check_same(args, &here, &there, &words);
        [here, there]
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("TMPDIR", folder);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// Compares two ends of a command; `words` stand for each other, and moments and spans of time for any.
#[track_caller]
fn check_same(args: &[&str], here: &Output, there: &Output, words: &[&str]) {
    let plain = |bytes: &[u8]| {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for word in words {
            text = text.replace(word, "@");
        }
        if words.is_empty() { text } else { without_times(&text) }
    };
    assert_eq!(plain(&here.stdout), plain(&there.stdout), "{args:?}: {here:?} {there:?}");
    assert_eq!(plain(&here.stderr), plain(&there.stderr), "{args:?}");
    assert_eq!(here.status.code(), there.status.code(), "{args:?}");
}

/// Replaces what differs between two runs of the same DAG: each stretch of digits and what belongs to a time.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive([' ', '\n', '\t', '"', '`']) {
        let is_time = word.starts_with(|c: char| c.is_ascii_digit());
        out.push_str(if is_time { "#" } else { word.trim_end_matches(' ') });
        if word.ends_with('\n') && is_time {
            out.push('\n');
        }
    }
    out
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn check_ok(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_is_looked_at_looks_the_same() {
    let place = Place::start(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("past.yaml", PAST)]);
    fs::write(place.folder.path().join("dags/broken.yaml"), "dag_id: broken\ntasks: 7\n").unwrap();
    let began = Instant::now();
    while !out(&place.here(&["dags", "list"])).contains("1 file has errors") {
        assert!(began.elapsed() < SOON);
    }
    let [here, _] = place.twin(&["trigger", "good", "--run-id", "@", "--wait"], ["one", "two"]);
    check_ok(&here);
    let [here, _] = place.twin(&["trigger", "bad", "--run-id", "@", "--wait"], ["one", "two"]);
    assert_eq!((here.status.code(), out(&here).contains("failed: fails; see: flow tasks log")), (Some(1), true));

    for args in [
        &["dags", "list"][..],
        &["dags", "list", "--tag", "etl"],
        &["dags", "list", "--paused"],
        &["dags", "list", "--tag", "none"],
        &["dags", "show", "good"],
        &["dags", "show", "past"],
        &["dags", "graph", "good"],
        &["dags", "next", "past", "--after", "2026-01-05", "-n", "3"],
        &["runs", "list"],
        &["runs", "list", "good", "-n", "1"],
        &["runs", "list", "--state", "failed"],
        &["runs", "list", "good", "--state", "failed"],
        &["runs", "list", "past"],
        &["runs", "show", "good", "latest"],
        &["runs", "show", "bad", "one"],
        &["runs", "wait", "good", "latest"],
        &["runs", "wait", "bad", "latest"],
        &["tasks", "list", "bad", "latest"],
        &["tasks", "log", "good", "one", "first"],
        &["tasks", "log", "good", "one", "first", "-f"],
        &["tasks", "log", "bad", "one", "fails", "--try", "1"],
        &["tasks", "render", "good", "one", "first"],
        &["tasks", "explain", "bad", "one", "after"],
        &["tasks", "explain", "good", "one", "third"],
        &["runs", "clear", "bad", "one", "--dry-run"],
        &["runs", "clear", "good", "one", "--only-failed", "--dry-run"],
        &["tasks", "clear", "good", "one", "second", "--downstream", "--dry-run"],
        &["tasks", "clear", "good", "two", "second", "--past", "--dry-run"],
        &["tasks", "mark", "failed", "good", "one", "third", "--dry-run"],
        &["pools", "list"],
        &["pools", "get", "default_pool"],
    ] {
        place.same(args);
    }
}

#[test]
fn what_is_refused_is_refused_in_the_same_words() {
    let place = Place::start(&[("good.yaml", GOOD)]);
    check_ok(&place.there(&["trigger", "good", "--run-id", "one", "--logical-date", "2026-02-03", "--wait"]));
    for args in [
        &["dags", "show", "goood"][..],
        &["dags", "pause", "nothing-like-it"],
        &["dags", "delete", "goood", "--yes"],
        &["dags", "delete", "good"],
        &["trigger", "goood"],
        &["trigger", "good", "--run-id", "one"],
        &["trigger", "good", "--logical-date", "2026-02-03"],
        &["trigger", "good", "--logical-date", "yesterday"],
        &["trigger", "good", "--run-id", "not/legal"],
        &["trigger", "good", "--conf", "{\"region\": 7, \"other\": [[]]}", "--run-id", "one"],
        &["runs", "list", "goood"],
        &["runs", "show", "good", "none"],
        &["runs", "show", "goood", "latest"],
        &["runs", "show", "good", ".."],
        &["runs", "delete", "good", "none"],
        &["tasks", "list", "good", "none"],
        &["tasks", "log", "good", "one", "frist"],
        &["tasks", "log", "good", "one", "second"],
        &["tasks", "log", "good", "one", "first", "--try", "9"],
        &["tasks", "explain", "good", "one", "first", "--map-index", "3"],
        &["pools", "get", "default_pol"],
        &["pools", "delete", "none", "--yes"],
        &["pools", "delete", "default_pool"],
        &["pools", "set", "", "3"],
    ] {
        let here = place.here(args);
        check_same(args, &here, &place.there(args), &[]);
        assert_ne!(here.status.code(), Some(0), "{args:?}: {here:?}");
    }
}

#[test]
fn what_is_changed_is_changed_in_the_same_words() {
    let place = Place::start(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("past.yaml", PAST)]);
    let runs = ["one", "two"];
    check_ok(&place.twin(&["trigger", "good", "--run-id", "@", "--conf", "{\"region\": \"us\"}", "--wait"], runs)[1]);
    place.twin(&["trigger", "bad", "--run-id", "@", "--wait"], runs);
    assert!(out(&place.there(&["tasks", "log", "good", "two", "first"])).contains("region us"));

    check_ok(&place.twin(&["tasks", "mark", "failed", "good", "@", "third"], runs)[1]);
    check_ok(&place.twin(&["runs", "wait", "good", "@"], runs)[1].clone().into_failed());
    check_ok(&place.twin(&["tasks", "clear", "good", "@", "second", "--downstream"], runs)[1]);
    check_ok(&place.twin(&["runs", "wait", "good", "@"], runs)[1]);
    check_ok(&place.twin(&["runs", "mark", "success", "bad", "@"], runs)[1]);
    check_ok(&place.twin(&["runs", "clear", "good", "@", "--latest-version", "-o", "json"], runs)[1]);
    check_ok(&place.twin(&["runs", "wait", "good", "@"], runs)[1]);
    check_ok(&place.twin(&["runs", "cancel", "good", "@"], runs)[1]);
    check_ok(&place.twin(&["runs", "delete", "bad", "@"], runs)[1]);
    assert_eq!(out(&place.here(&["runs", "list", "bad", "-o", "json"])).trim(), "[]");

    let pools = ["blue", "green"];
    check_ok(&place.twin(&["pools", "set", "@", "4", "--description", "for a test"], pools)[1]);
    check_ok(&place.twin(&["pools", "set", "@", "-1", "-o", "json"], pools)[1]);
    check_ok(&place.twin(&["pools", "get", "@"], pools)[1]);
    check_ok(&place.twin(&["pools", "delete", "@", "--yes"], pools)[1]);

    // The same one after the other, for there is only one.
    for args in [&["dags", "pause", "good"][..], &["dags", "pause", "good"], &["dags", "unpause", "good"]] {
        let there = place.there(args);
        check_ok(&there);
        let back = if args[1] == "pause" { "unpause" } else { "pause" };
        if !out(&there).contains("was ") {
            check_ok(&place.here(&["dags", back, "good"]));
        }
        check_same(args, &place.here(args), &there, &[]);
    }
    let there = place.there(&["dags", "unpause", "past"]);
    assert!(out(&there).contains("makes 20 runs for the past:\n  scheduled__2026-01-01T00:00:00+00:00\n"), "{there:?}");
    assert!(out(&there).contains("  …\n  scheduled__2026-01-20T00:00:00+00:00\n"), "{there:?}");
    place.until(&["dags", "show", "past"], |dag| dag["is_paused"] == false);

    fs::remove_file(place.folder.path().join("dags/past.yaml")).unwrap();
    place.until(&["dags", "show", "past"], |dag| dag["is_stale"] == true);
    let deleted = place.there(&["dags", "delete", "past", "--yes"]);
    assert_eq!((deleted.status.code(), out(&deleted).as_str()), (Some(0), "deleted past\n"), "{deleted:?}");
    assert_eq!(place.here(&["dags", "show", "past"]).status.code(), Some(1));
}

#[test]
fn a_log_is_followed_over_the_network() {
    let place = Place::start(&[("slow.yaml", SLOW)]);
    let gate = place.folder.path().join("gate");
    let conf = serde_json::json!({ "gate": gate }).to_string();
    check_ok(&place.there(&["trigger", "slow", "--run-id", "one", "--conf", &conf]));
    let mut follower = place.over_there(&["tasks", "log", "slow", "one", "waits", "-f"]);
    let mut follower = follower.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("one\n") {
        assert_ne!(lines.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    assert!(!seen.contains("two\n"), "{seen}");
    let timed_out = place.there(&["runs", "wait", "slow", "one", "--timeout", "300ms"]);
    assert_eq!(timed_out.status.code(), Some(1));
    assert!(err(&timed_out).contains("see why: flow tasks explain slow one waits"), "{timed_out:?}");
    fs::write(&gate, "").unwrap();
    lines.read_to_string(&mut seen).unwrap();
    assert!(follower.wait().unwrap().success());
    assert_eq!(seen, out(&place.here(&["tasks", "log", "slow", "one", "waits"])));
    assert!(seen.contains("two\n"), "{seen}");
}

trait IntoFailed {
    fn into_failed(self) -> Self;
}

impl IntoFailed for Output {
    /// Takes an end with 1 for the one that was wanted.
    fn into_failed(mut self) -> Self {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        self.status = std::process::ExitStatus::default();
        self
    }
}
