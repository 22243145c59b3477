//! The binary from the outside: exit codes, streams and what a person reads.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

fn flow(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).stdin(Stdio::null());
    command
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
fn check(args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = flow(folder.path(), args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(out(&output).contains(stdout), "{}", out(&output));
    assert!(err(&output).contains(stderr), "{}", err(&output));
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    check(&[], 2, "", "Usage: flow");
    check(&["dgas"], 2, "", "'dags'");
    check(&["trigger", "a", "--conf", "[1]"], 2, "", "it must be a JSON object");
    check(&["trigger", "a", "--timeout", "5m"], 2, "", "--wait");
    check(&["runs", "list", "--state", "done"], 2, "", "none of queued, running, success, failed");
    check(&["runs", "list", "-n", "0"], 2, "", "0 is not in 1..=100000");
    check(&["dags", "check", "nowhere"], 2, "", "error: there is no file or folder `nowhere`");
    check(&["dags", "next", "--schedule", "@daily", "--timezone", "Mars/Base"], 2, "", "Mars/Base");
    check(&["config", "show", "--config", "no.toml"], 2, "", "error: could not read `");
}

#[test]
fn what_fails_ends_with_1_and_says_a_way_out() {
    check(&["dags", "check"], 1, "", "error: there is no DAG folder `");
    check(&["dags", "check"], 1, "", "  name files or folders, or the folder with --dags\n");
    check(&["dags", "graph", "x"], 1, "", "error: there is no DAG folder `");
}

#[test]
fn a_doctor_says_what_is_wrong_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let found = |args: &[&str], code: i32| -> serde_json::Value {
        let output = flow(folder.path(), &[&["doctor", "-o", "json"], args].concat());
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        serde_json::from_str(out(&output)).unwrap()
    };
    let verdict = |found: &serde_json::Value, check: &str| -> String {
        let mut all = found.as_array().unwrap().iter();
        let one = all.find(|one| one["check"] == check).unwrap_or_else(|| panic!("no {check}: {found}"));
        assert_eq!(one["verdict"] == "ok", one["help"].is_null(), "{one}");
        one["verdict"].as_str().unwrap().to_owned()
    };
    // Nothing is there yet, which is how everybody begins.
    let empty = found(&[], 0);
    assert_eq!([verdict(&empty, "home"), verdict(&empty, "database")], ["warning", "warning"]);
    assert!(!folder.path().join(".flow").exists());

    std::fs::create_dir(folder.path().join("dags")).unwrap();
    assert!(flow(folder.path(), &["db", "migrate"]).status.success());
    let fresh = found(&[], 0);
    for check in ["home", "database", "schema", "secret key", "processes", "DAG files"] {
        assert_eq!(verdict(&fresh, check), "ok", "{check}: {fresh}");
    }

    std::fs::write(folder.path().join("dags/a.yaml"), "dag_id: a\ntasks: [{ id: x, uses: bsh }]\n").unwrap();
    assert_eq!(verdict(&found(&[], 1), "DAG files"), "problem");
    std::fs::remove_file(folder.path().join("dags/a.yaml")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path().join(".flow"), mode).unwrap();
    assert_eq!(verdict(&found(&[], 0), "home"), "warning");

    std::fs::write(
        folder.path().join(".flow/flow.toml"),
        r#"notifications.on_failure_callback = [{ uses = "slack", with = { message = "it failed" } }]
        notifications.on_retry_callback = [{ uses = "http", with = { endpoint = "http://h/", http_conn_id = "hook" } }]"#,
    )
    .unwrap();
    let missing = found(&[], 0);
    assert_eq!(verdict(&missing, "notifications"), "warning");
    assert!(missing.to_string().contains("no connection `hook`, `slack_default`"), "{missing}");
    for id in ["hook", "slack_default"] {
        assert!(flow(folder.path(), &["connections", "set", id, "http://h/x"]).status.success());
    }
    assert_eq!(verdict(&found(&[], 0), "notifications"), "ok");

    assert!(flow(folder.path(), &["variables", "set", "api_key", "hunter2"]).status.success());
    assert_eq!(verdict(&found(&[], 0), "secret key"), "ok");
    std::fs::remove_file(folder.path().join(".flow/secret.key")).unwrap();
    assert_eq!(verdict(&found(&[], 1), "secret key"), "problem");

    let output = command(folder.path(), &["doctor"])
        .env("FLOW_DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/flow")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("Connection refused") && !out(&output).contains("hunter2"), "{}", out(&output));
    assert!(out(&output).contains("database: check `database.url`"), "{}", out(&output));
}

#[test]
fn answers_are_on_stdout_and_for_programs_when_asked() {
    check(&["--version"], 0, "flow 0", "");
    check(&["version", "-o", "json"], 0, "\"version\": \"0", "");
    check(&["version", "-o", "yaml"], 0, "version: \"0", "");
    check(&["config", "show", "-o", "plain"], 0, "\nworker.slots\t16\tdefault\t\n", "");
    check(&["completions", "bash"], 0, "_flow()", "");
    check(&["schema", "dag"], 0, "\"trigger_rule\"", "");
}

#[test]
fn settings_say_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".flow")).unwrap();
    std::fs::write(folder.path().join(".flow/flow.toml"), "[web]\nport = 9000\n").unwrap();
    let mut command = command(folder.path(), &["config", "show", "-o", "json"]);
    let output = command.env("FLOW_DATABASE_URL", "postgres://ada:secret@host/flow").output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let one = |name: &str| shown.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!((&one("web.port")["value"], &one("web.port")["source"]), (&9000.into(), &"file".into()));
    assert_eq!(one("database.url")["value"], "postgres://ada:***@host/flow");
    assert_eq!(one("database.url")["place"], "FLOW_DATABASE_URL");
}

#[test]
fn a_wrong_setting_stops_every_command_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &["version"]).env("FLOW__WEB__PROT", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("did you mean `FLOW__WEB__PORT`?"), "{}", err(&output));
}

#[test]
fn there_are_no_colours_in_a_file_or_pipe() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dags")).unwrap();
    std::fs::write(folder.path().join("dags/latin.yaml"), b"a: \xe4\n").unwrap();
    let output = flow(folder.path(), &["dags", "check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("not UTF-8") && !out(&output).contains('\x1b'), "{}", out(&output));
    assert!(out(&output).ends_with("1 file, no DAGs: 1 error, no warnings\n"), "{}", out(&output));
    let output = flow(folder.path(), &["dags", "check", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["errors"]), (Some(1), &1.into()));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        command(folder.path(), &["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), ""));
}

#[test]
fn the_example_dags_have_no_mistakes_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let dags = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dags");
    let dags = dags.to_str().unwrap();
    let output = flow(folder.path(), &["dags", "check", dags, "-o", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["problems"]), (Some(0), &serde_json::json!([])));
    let ids: Vec<&str> = report["dags"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(ids.len() >= 9, "{ids:?}");
    for id in ids {
        for format in ["ascii", "svg", "dot"] {
            let output = flow(folder.path(), &["dags", "graph", "--dags", dags, id, "--format", format]);
            assert_eq!((output.status.code(), err(&output)), (Some(0), ""), "{id} as {format}");
            assert!(!out(&output).trim().is_empty(), "{id} as {format}");
        }
        let output = flow(folder.path(), &["dags", "next", "--dags", dags, id]);
        assert_eq!((output.status.code(), err(&output)), (Some(0), ""), "{id}");
    }
}

#[test]
fn every_mistake_of_a_file_is_shown_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dags")).unwrap();
    let text = "tasks:\n  - { id: a, uses: bahs }\n  - { id: b, uses: bash, need: [a] }\n";
    std::fs::write(folder.path().join("dags/bad.yaml"), text).unwrap();
    let output = flow(folder.path(), &["dags", "check", "-o", "plain"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).starts_with("dags/bad.yaml:2:20\terror\tunknown operator `bahs`"), "{}", out(&output));
    assert!(out(&output).contains("\ndags/bad.yaml:3:26\terror\tunknown key `need`"), "{}", out(&output));
}

#[test]
fn moments_of_a_schedule_follow_the_clocks_of_its_zone() {
    let args = ["dags", "next", "--schedule", "30 2 * * *", "--timezone", "Europe/Berlin"];
    let folder = tempfile::tempdir().unwrap();
    let output = flow(folder.path(), &[&args[..], &["--after", "2026-03-28", "-n", "3", "-o", "plain"]].concat());
    let expected = "2026-03-28 02:30:00 +01:00 Sat\t2026-03-28T01:30:00Z\t\n\
                    2026-03-29 03:00:00 +02:00 Sun\t2026-03-29T01:00:00Z\t\n\
                    2026-03-30 02:30:00 +02:00 Mon\t2026-03-30T00:30:00Z\t\n";
    assert_eq!(out(&output), expected);
}

#[test]
fn a_dag_that_has_not_begun_is_due_from_its_start_date_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dags")).unwrap();
    #[track_caller]
    fn check(folder: &Path, schedule: &str, more: &[&str], expected: &[&str]) {
        let text =
            format!("schedule: {schedule}\nstart_date: 2040-01-05\nend_date: 2040-01-07\ntasks: [{{ id: a }}]\n");
        std::fs::write(folder.join("dags/later.yaml"), text).unwrap();
        let output = flow(folder, &[&["dags", "next", "later", "-n", "9", "-o", "json"], more].concat());
        let due: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let moments: Vec<&str> = due.as_array().unwrap().iter().map(|due| due["run_after"].as_str().unwrap()).collect();
        assert_eq!(moments, expected, "{schedule}");
    }
    let days = ["2040-01-05T00:00:00Z", "2040-01-06T00:00:00Z", "2040-01-07T00:00:00Z"];
    check(folder.path(), "'@daily'", &[], &days);
    check(folder.path(), "'@daily'", &["--after", "2040-01-04T12:00:00"], &days);
    check(folder.path(), "'@daily'", &["--after", "2040-01-06T00:00:00"], &days[2..]);
    check(folder.path(), "1d", &[], &days);
    check(folder.path(), "'@once'", &[], &days[..1]);
}

#[test]
fn a_graph_is_data_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dags")).unwrap();
    let text = "task_groups: { g: {} }\ntasks:\n  - { id: a }\n  - { id: b, group: g, needs: [a] }\n";
    std::fs::write(folder.path().join("dags/d.yaml"), text).unwrap();
    let output = flow(folder.path(), &["dags", "graph", "d", "-o", "json"]);
    let graph: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(graph["edges"], serde_json::json!([{ "source_id": "a", "target_id": graph["nodes"][1]["id"] }]));
    assert_eq!((&graph["nodes"][0]["operator"], &graph["nodes"][1]["task_group"]), (&"empty".into(), &"g".into()));
    assert!(out(&flow(folder.path(), &["dags", "graph", "d", "-o", "yaml"])).starts_with("dag_id: d\n"));
    let output = flow(folder.path(), &["dags", "graph", "d", "-o", "json", "--format", "svg"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn what_is_not_there_yet_says_what_to_use_instead() {
    check(&["backfill", "list"], 1, "", "flow trigger DAG --logical-date DATE");
}

#[test]
fn a_server_that_is_none_is_said_so_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    for args in
        [&["dags", "list"][..], &["trigger", "a"], &["runs", "list"], &["pools", "list"], &["dags", "graph", "a"]]
    {
        let output = command(folder.path(), args).env("FLOW_SERVER", "http://u:sesame@host:1/").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(err(&output).contains("`FLOW_SERVER`: `http://u:***@host:1/` has a login in it"), "{}", err(&output));
    }
}

#[test]
fn what_works_on_this_machine_only_takes_no_server() {
    let server = ["--server", "http://127.0.0.1:1"];
    for args in [&["db", "check"][..], &["standalone"], &["dags", "check"], &["schema", "dag"], &["config", "show"]] {
        let words = format!("works on this machine, not on `{}`", server[1]);
        check(&[args, &server].concat(), 2, "", &words);
    }
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &["schema", "dag"]).env("FLOW_SERVER", server[1]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    check(&["dags", "next", "--schedule", "@daily", "-n", "1"], 0, "00:00:00", "");
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_a_way_out() {
    let server = ["--server", "http://127.0.0.1:1"];
    check(&[&["runs", "list"], &server[..]].concat(), 1, "", "error: cannot reach the server `http://127.0.0.1:1`: ");
    check(&[&["runs", "list"], &server[..]].concat(), 1, "", "(--server, FLOW_SERVER)");
    check(&["runs", "list", "--server", "here"], 2, "", "flag `--server`: `here` is not the address of a server");
    check(
        &[&["runs", "list", "--token", "a", "--token-file", "b"], &server[..]].concat(),
        2,
        "",
        "cannot be used with",
    );
    check(&[&["runs", "list", "--token-file", "none"], &server[..]].concat(), 2, "", "No such file");
}

/// Documents in Markdown blocks that begin with a key of a DAG.
fn documents(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| block.contains("\ntasks:") && !block.starts_with(' ')).map(ToOwned::to_owned).collect()
}

#[test]
fn what_the_pages_tell_a_newcomer_to_write_is_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for page in ["README.md", "docs/tutorial.md"] {
        let documents = documents(&std::fs::read_to_string(root.join(page)).unwrap());
        assert!(!documents.is_empty(), "{page} has no DAG");
        for document in documents {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("a.yaml"), &document).unwrap();
            let output = flow(folder.path(), &["dags", "check", "a.yaml"]);
            assert_eq!(output.status.code(), Some(0), "{page}:\n{}", out(&output));
        }
    }
}
