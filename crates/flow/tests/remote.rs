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
    /// Of an Admin.
    token: String,
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
        let url = format!("http://{}", address.unwrap().trim_end_matches('/'));
        let mut place = Self { folder, server, url, token: String::new() };
        place.token = place.new_token("admin");
        let is_read = |list: &Value| list.as_array().is_some_and(|list| list.len() == dags.len());
        place.until(&["dags", "list"], is_read);
        place
    }

    /// A command on the database.
    fn here(&self, args: &[&str]) -> Output {
        command(self.folder.path(), args).output().unwrap()
    }

    /// Makes a token for a user, on the database.
    #[track_caller]
    fn new_token(&self, user: &str) -> String {
        let made = self.here(&["tokens", "create", "test", "--user", user, "-o", "json"]);
        let made: Value = serde_json::from_slice(&made.stdout).unwrap_or_else(|_| panic!("{made:?}"));
        made["access_token"].as_str().unwrap().to_owned()
    }

    fn over_there(&self, args: &[&str]) -> Command {
        let mut command = command(self.folder.path(), args);
        // Nothing of this place may be found by chance.
        command.env("HOME", "/nonexistent").env("FLOW_HOME", self.folder.path().join("elsewhere"));
        command.current_dir("/").env("FLOW_SERVER", &self.url).env("FLOW_TOKEN", &self.token);
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
fn what_is_deleted_is_deleted_with_its_logs() {
    let place = Place::start(&[("good.yaml", GOOD), ("bad.yaml", BAD)]);
    let logs = |path: &str| place.folder.path().join(".flow/logs").join(path).exists();
    let runs = ["one", "two"];
    place.twin(&["trigger", "bad", "--run-id", "@", "--wait"], runs);
    place.twin(&["trigger", "good", "--run-id", "@", "--wait"], runs);
    assert!(logs("dag_id=bad/run_id=one") && logs("dag_id=bad/run_id=two") && logs("dag_id=good"));
    check_ok(&place.twin(&["runs", "delete", "bad", "@"], runs)[1]);
    assert!(!logs("dag_id=bad/run_id=one") && !logs("dag_id=bad/run_id=two"));

    // A run that waits is not deleted, on either side.
    check_ok(&place.here(&["dags", "pause", "bad"]));
    place.twin(&["trigger", "bad", "--run-id", "@"], runs);
    let [refused, _] = place.twin(&["runs", "delete", "bad", "@"], runs);
    assert_eq!((refused.status.code(), err(&refused).contains("is still queued")), (Some(1), true), "{refused:?}");
    assert!(err(&refused).contains("flow runs cancel bad one"), "{refused:?}");
    place.until(&["runs", "show", "bad", "two"], |run| run["state"] == "queued");

    check_ok(&place.there(&["dags", "delete", "good", "--yes"]));
    assert!(!logs("dag_id=good"));
}

#[test]
fn what_is_changed_is_changed_in_the_same_words() {
    let place = Place::start(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("past.yaml", PAST)]);
    let runs = ["one", "two"];
    check_ok(&place.twin(&["trigger", "good", "--run-id", "@", "--conf", "{\"region\": \"us\"}", "--wait"], runs)[1]);
    place.twin(&["trigger", "bad", "--run-id", "@", "--wait"], runs);
    assert!(out(&place.there(&["tasks", "log", "good", "two", "first"])).contains("region us"));

    check_ok(&place.twin(&["tasks", "mark", "failed", "good", "@", "third"], runs)[1]);
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

const HIDDEN: &str = "dag_id: hidden
access_control: {}
tasks: [{ id: only, uses: empty }]
";

#[test]
fn who_may_not_is_told_so() {
    let mut place = Place::start(&[("good.yaml", GOOD), ("hidden.yaml", HIDDEN)]);
    check_ok(&place.there(&["trigger", "hidden", "--run-id", "one", "--wait"]));
    check_ok(&place.here(&["users", "set", "vic", "--role", "Viewer", "--new-password"]));

    let unknown = place.over_there(&["runs", "list"]).env_remove("FLOW_TOKEN").output().unwrap();
    check_refused(&unknown, &["asks who you are", "--token-file"]);
    let unknown = place.there(&["runs", "list", "--token", "flow_wrong-secret"]);
    check_refused(&unknown, &["does not know this token", "flow tokens create"]);
    assert!(!err(&unknown).contains("wrong-secret"), "{unknown:?}");

    let file = place.folder.path().join("token");
    fs::write(&file, format!("{}\n", place.token)).unwrap();
    let admin = place.there(&["runs", "list", "-o", "plain", "--token-file", &file.to_string_lossy()]);
    assert!(out(&admin).starts_with("hidden\tone\tsuccess\t"), "{admin:?}");

    place.token = place.new_token("vic");
    assert_eq!(out(&place.there(&["runs", "list", "-o", "json"])).trim(), "[]");
    assert_eq!(out(&place.there(&["dags", "list", "-o", "plain"])).lines().count(), 1);
    for args in [
        &["dags", "show", "hidden"][..],
        &["dags", "graph", "hidden"],
        &["trigger", "hidden"],
        &["runs", "show", "hidden", "latest"],
        &["runs", "show", "hidden", "one"],
        &["runs", "cancel", "hidden", "one"],
        &["tasks", "log", "hidden", "one", "only"],
    ] {
        let refused = place.there(args);
        let none = place.there(
            &args
                .iter()
                .map(|arg| arg.replace("hidden", "nosuch"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        assert_eq!(err(&refused), err(&none).replace("nosuch", "hidden"), "{args:?}");
        assert_eq!((refused.status.code(), none.status.code()), (Some(1), Some(1)), "{args:?}");
    }
    check_refused(&place.there(&["trigger", "good"]), &["this needs the role User"]);
    check_refused(&place.there(&["users", "list"]), &["this needs the role Admin"]);
    check_refused(&place.there(&["pools", "set", "mine", "3"]), &["this needs the role Op"]);
}

#[test]
fn users_and_tokens_are_looked_after_from_elsewhere() {
    let place = Place::start(&[]);
    let password = place.folder.path().join("password");
    fs::write(&password, "a password that is long enough\n").unwrap();
    let args = |name| ["users", "set", name, "--role", "Viewer", "--password-stdin"];
    let typed = |mut command: Command| command.stdin(fs::File::open(&password).unwrap()).output().unwrap();
    let here = typed(command(place.folder.path(), &args("ada")));
    let there = typed(place.over_there(&args("eve")));
    check_same(&["users", "set"], &here, &there, &["ada", "eve"]);
    check_ok(&there);
    let names = ["ada", "eve"];
    check_ok(&place.twin(&["users", "set", "@", "--role", "Op"], names)[1]);
    check_ok(&place.twin(&["users", "set", "@", "--inactive", "-o", "json"], names)[1]);
    check_ok(&place.twin(&["users", "set", "@", "--active"], names)[1]);
    place.same(&["users", "list"]);
    place.same(&["users", "get", "admin"]);

    let made = place.there(&["tokens", "create", "made there", "--user", "eve", "--expires", "1h", "-o", "json"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap_or_else(|_| panic!("{made:?}"));
    assert_eq!((&made["username"], &made["state"]), (&"eve".into(), &"good".into()));
    let own = place.there(&["tokens", "create", "my own", "-o", "json"]);
    assert!(out(&own).contains("\"username\": \"admin\""), "{own:?}");
    place.same(&["tokens", "list"]);
    place.same(&["tokens", "list", "--user", "eve"]);
    check_ok(&place.there(&["tokens", "delete", &made["id"].to_string()]));
    place.same(&["tokens", "list"]);
    for args in [
        &["users", "get", "admn"][..],
        &["users", "set", "new"],
        &["users", "set", "no spaces", "--role", "User"],
        &["users", "delete", "none", "--yes"],
        &["tokens", "list", "--user", "none"],
        &["tokens", "create", "x", "--user", "none"],
        &["tokens", "delete", "999"],
    ] {
        let here = place.here(args);
        check_same(args, &here, &place.there(args), &[]);
        assert_ne!(here.status.code(), Some(0), "{args:?}: {here:?}");
    }
    check_ok(&place.twin(&["users", "delete", "@", "--yes"], names)[1]);
    let never = place.there(&["tokens", "create", "x", "--expires", "never"]);
    assert_eq!(never.status.code(), Some(2), "{never:?}");
}

/// It ended with 1, and said this.
#[track_caller]
fn check_refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for word in words {
        assert!(err(output).contains(word), "no `{word}` in: {}", err(output));
    }
}

#[test]
fn variables_connections_and_pools_are_looked_after_from_elsewhere() {
    let place = Place::start(&[]);
    let names = ["near", "away"];
    check_ok(&place.twin(&["variables", "set", "@", "eu", "--description", "where"], names)[1]);
    check_ok(&place.twin(&["variables", "set", "@", "us"], names)[1]);
    check_ok(&place.twin(&["variables", "set", "@_password", "hush"], names)[1]);
    check_ok(&place.twin(&["variables", "get", "@", "-o", "json"], names)[1]);
    check_ok(&place.twin(&["variables", "get", "@_password"], names)[1]);
    place.same(&["variables", "list"]);

    let whole = r#"{"conn_type": "postgres", "host": "db", "login": "me", "password": "hush", "port": 5432, "schema": "sales"}"#;
    check_ok(&place.twin(&["connections", "set", "@", whole], names)[1]);
    check_ok(&place.twin(&["connections", "set", "@", "--port", "5433", "--description", "for @"], names)[1]);
    check_ok(&place.twin(&["connections", "get", "@"], names)[1]);
    place.same(&["connections", "list"]);
    let whole = out(&place.here(&["connections", "get", "away", "--show-secrets"]));
    assert!(whole.contains("me:hush@db:5433/sales"), "{whole}");
    place.twin(&["connections", "test", "@"], names);

    let file = place.folder.path().join("some.json");
    let path = file.to_string_lossy().into_owned();
    for (kind, text) in [
        ("variables", "{\"a\": 1, \"near\": {\"value\": \"x\", \"description\": \"d\"}}"),
        ("connections", "{\"a\": \"http://x\", \"near\": {\"conn_type\": \"http\", \"host\": \"y\"}}"),
        ("pools", "{\"a\": {\"slots\": 2}, \"default_pool\": {\"slots\": 64, \"include_deferred\": true}}"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = [kind, "import", path.as_str(), "--on-existing", "fail"];
        check_same(&refused, &place.here(&refused), &place.there(&refused), &[]);
        let import = [kind, "import", path.as_str(), "-o", "json"];
        let there = place.there(&import);
        assert_eq!(
            out(&there).replace(char::is_whitespace, ""),
            "{\"made\":1,\"changed\":1,\"skipped\":0}",
            "{there:?}"
        );
        let skip = [kind, "import", path.as_str(), "--on-existing", "skip"];
        check_same(&skip, &place.here(&skip), &place.there(&skip), &[]);
        place.same(&[kind, "list"]);
    }
    place.same(&["pools", "export"]);
    for args in [
        &["variables", "export"][..],
        &["variables", "get", "near", "--show-secrets"],
        &["connections", "export"],
        &["connections", "get", "near", "--show-secrets"],
    ] {
        let refused = place.there(args);
        assert_eq!((refused.status.code(), out(&refused).as_str()), (Some(2), ""), "{refused:?}");
        assert!(err(&refused).contains("gives out no secrets"), "{refused:?}");
    }
    for args in [
        &["variables", "get", "naer"][..],
        &["variables", "delete", "none", "--yes"],
        &["connections", "get", "naer"],
        &["connections", "delete", "near"],
        &["connections", "test", "none"],
        &["connections", "set", "new", "--host", "x"],
    ] {
        let here = place.here(args);
        check_same(args, &here, &place.there(args), &[]);
        assert_ne!(here.status.code(), Some(0), "{args:?}: {here:?}");
    }
    check_ok(&place.twin(&["variables", "delete", "@", "--yes"], names)[1]);
    check_ok(&place.twin(&["connections", "delete", "@", "--yes"], names)[1]);
}
