//! `flow kafka` against a real broker.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// The address of a broker, or `None`, said aloud.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn broker(test: &str) -> Option<String> {
    let address = std::env::var("FLOW_TEST_KAFKA").ok();
    if address.is_none() {
        println!("skipped: {test} needs a Kafka broker (scripts/with-kafka)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    }
    address
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command.arg("kafka").args(args).current_dir(folder).env_clear().env("HOME", folder);
    if let Ok(address) = std::env::var("FLOW_TEST_KAFKA") {
        command.env("FLOW_CONN_KAFKA_DEFAULT", format!("kafka://{address}"));
    }
    command
}

fn flow(folder: &Path, args: &[&str], stdin: &str) -> Output {
    let mut command = command(folder, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn check(folder: &Path, args: &[&str], stdin: &str, code: i32, expected: &str) -> String {
    let done = flow(folder, args, stdin);
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(expected), "{args:?}: {said}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn topics_are_made_written_read_and_deleted() {
    let Some(address) = broker("topics_are_made_written_read_and_deleted") else { return };
    let folder = tempfile::tempdir().unwrap();
    let check =
        |args: &[&str], stdin: &str, code: i32, expected: &str| check(folder.path(), args, stdin, code, expected);
    let name = folder.path().file_name().unwrap().to_string_lossy().replace('.', "t");
    let topic = name.as_str();
    check(&["produce", topic], "x\n", 1, "there is no topic `");
    check(&["consume", topic], "", 1, "there is no topic `");
    let create = ["topics", "create", topic, "--partitions", "2", "--set", "retention.ms=60000"];
    check(&create, "", 0, "made topic");
    check(&create, "", 0, "there is already a topic");
    let more = ["topics", "create", topic, "--partitions", "5", "--replication-factor", "1"];
    check(&more, "", 0, "there is already a topic");
    check(&more, "", 0, ", with 2 partitions, not 5");
    let wrong = ["topics", "create", "other", "--set", "cleanup.policy=delete", "--set", "retention.hours=3"];
    check(&wrong, "", 1, "`retention.hours` is no setting of a topic");
    check(&["topics", "list", "--bootstrap", &address], "", 0, topic);
    check(&["produce", topic, "--key-separator", ":"], "a:{\"n\": 1}\n\nb:2\n", 0, "wrote 2 messages to");
    check(&["produce", topic, "--key-separator", ":"], "no separator\n", 1, "line 1: there is no `:` between");
    let all = ["consume", topic, "--from-beginning", "--max", "2"];
    let shown = check(&[&all[..], &["--key-separator", "="]].concat(), "", 0, "");
    let mut lines: Vec<&str> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a={\"n\": 1}", "b=2"]);
    let json = check(&[&all[..], &["-o", "json"]].concat(), "", 0, "");
    let read: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(read.iter().any(|message| message["key"] == "a" && message["value"]["n"] == 1), "{json}");
    // What was read can be written.
    check(&["produce", topic, "--messages"], &json, 0, "wrote 2 messages to");
    // A bad line keeps none before it away.
    check(&["produce", topic, "--key-separator", ":"], "c:3\nno separator\n", 1, "line 2: there is no `:` between");
    let described = check(&["topics", "describe", topic, "-o", "json"], "", 0, "");
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["config"]["retention.ms"], "60000");
    let partitions = described["partitions"].as_array().unwrap();
    assert_eq!(partitions.iter().map(|found| found["next_offset"].as_i64().unwrap()).sum::<i64>(), 5);
    // A group goes on where it was.
    let group = ["consume", topic, "--from-beginning", "--group", topic, "--timeout", "2s"];
    assert_eq!(check(&[&group[..], &["--max", "3"]].concat(), "", 0, "").lines().count(), 3);
    assert_eq!(check(&group, "", 0, "").lines().count(), 2);
    check(&["produce", topic], "one\n", 0, "wrote 1 message to");
    terminated_by_a_signal(folder.path(), topic);
    check(&["topics", "delete", topic], "", 2, "--yes");
    check(&["topics", "delete", topic, "--yes"], "", 0, "deleted topic");
    check(&["topics", "delete", topic, "--yes"], "", 1, "there is no topic");
}

/// One that is told to end stores how far it came.
fn terminated_by_a_signal(folder: &Path, topic: &str) {
    let group = ["consume", topic, "--from-beginning", "--group", "told"];
    let mut child = command(folder, &group).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..6 {
        lines.next().unwrap().unwrap();
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(check(folder, &[&group[..], &["--timeout", "2s"]].concat(), "", 0, ""), "");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (args, code, expected) in [
        (&["consume", "t", "--timeout", "soon"][..], 2, "must be a time such as `5s`"),
        (&["topics", "create", "t", "--set", "x", "--bootstrap", "127.0.0.1:1"], 2, "must be NAME=VALUE"),
        (&["produce", "t", "--messages", "--key-separator", ":"], 2, "cannot be used with"),
        (&["topics", "list", "--bootstrap", ""], 1, "has no broker"),
        (&["topics", "list", "--connection", "ghost"], 1, "there is no database"),
        (&["topics", "list", "--bootstrap", "127.0.0.1:1"], 1, "Connection refused"),
    ] {
        check(folder.path(), args, "", code, expected);
    }
}
