//! `flow callbacks`, on the database and over the network: what is listed, and what can be tried again.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "others need Python")]
mod place;

use std::{
    fs,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use place::Flow;

/// A callback that waits for a file to be there, one that nobody can deliver, and one of the whole run.
const DAG: &str = "\
dag_id: tell
on_success_callback:
  - { uses: bash, with: { bash_command: echo the run is over } }
tasks:
  - id: work
    on_success_callback:
      - uses: bash
        with: { bash_command: 'test -e \"$HOME/open\" || { echo \"the gate is shut\" >&2; exit 1; }', append_env: true }
      - { uses: email, with: { to: nobody } }
";

const SOON: Duration = Duration::from_secs(60);

/// Calls `flow` on the database, or over the network with a token.
fn call(flow: &Flow, args: &[&str], token: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
    command.args(args).env_clear().env("HOME", flow.folder()).current_dir(flow.folder()).stdin(Stdio::null());
    if let Some(token) = token {
        command.env("HOME", "/nonexistent").env("FLOW_TOKEN", token);
        command.env("FLOW_SERVER", format!("http://{}", flow.address));
    }
    command.output().unwrap()
}

#[track_caller]
fn ok(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
}

fn list(flow: &Flow, args: &[&str]) -> Vec<Value> {
    let args = [&["callbacks", "list", "-o", "json"], args].concat();
    serde_json::from_str(&ok(&call(flow, &args, None))).unwrap()
}

/// Asks until the answer is right.
#[track_caller]
fn until(flow: &Flow, args: &[&str], is_right: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let found = list(flow, args);
        if is_right(&found) {
            return found;
        }
        assert!(began.elapsed() < SOON, "{args:?} still says {found:?}\n{}", flow.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A Flow whose DAG has run, and a token for it.
fn told() -> (Flow, String) {
    let mail = ("FLOW_CONN_SMTP_DEFAULT".to_owned(), "smtp://127.0.0.1:1/?from_email=flow@example.org".to_owned());
    let flow = Flow::start_beside(&[("tell.yaml", DAG)], &[mail]);
    let token = flow.token();
    let run = json!({ "dag_run_id": "one", "logical_date": null });
    flow.post("/api/v2/dags/tell/dagRuns", &token, &run.to_string());
    (flow, token)
}

/// Has the next try of a callback be its last, and at once: ten of them take more than an hour.
fn last_try(flow: &Flow, id: &Value) {
    let file = flow.folder().join(".flow/flow.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(SOON);
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let query = sqlx::query("UPDATE callback SET tries = 9 WHERE id = $1").bind(id.as_i64());
        assert_eq!(query.execute(&mut database).await.unwrap().rows_affected(), 1);
    });
    ok(&call(flow, &["callbacks", "retry", &id.to_string()], None));
}

#[test]
fn nothing_to_tell_is_an_empty_list() {
    let flow = Flow::start_beside(&[("tell.yaml", DAG)], &[]);
    let token = flow.token();
    for token in [None, Some(token.as_str())] {
        assert_eq!(ok(&call(&flow, &["callbacks", "list", "-o", "json"], token)).trim(), "[]");
        assert_eq!(ok(&call(&flow, &["callbacks", "list", "-o", "plain"], token)), "");
        refused(
            &call(&flow, &["callbacks", "retry", "42"], token),
            1,
            &["error: callback 42 does not exist", "flow callbacks list"],
        );
    }
    refused(&call(&flow, &["callbacks", "retry", "first"], None), 2, &["'first'"]);
    refused(&call(&flow, &["callbacks", "list", "--state", "lost"], None), 2, &["pending, failing, delivered, failed"]);
    refused(&call(&flow, &["callbacks", "list", "--limit", "0"], None), 2, &["0 is not in 1..=500"]);
    refused(&call(&flow, &["callbacks", "list", "--run", "one"], None), 2, &["DAG_ID"]);
}

#[test]
fn what_became_of_callbacks_is_listed_and_those_that_wait_or_failed_are_tried_again() {
    let (flow, token) = told();
    let have_failed = |found: &[Value]| found.len() == 2 && found.iter().all(|one| one["error"].is_string());
    let found = until(&flow, &["--state", "failing"], have_failed);
    let of = |operator: &str| found.iter().find(|one| one["operator"] == operator).unwrap();
    let waiting = of("bash");
    assert_eq!((&waiting["dag_id"], &waiting["dag_run_id"]), (&json!("tell"), &json!("one")));
    assert_eq!((&waiting["task_id"], &waiting["event"]), (&json!("work"), &json!("success")));
    assert_eq!(waiting["operator"], "bash");
    assert!(waiting["log"].as_str().unwrap().contains("the gate is shut"), "{waiting}");
    assert!(waiting["next_try_at"].is_string() && waiting["ended_at"].is_null(), "{waiting}");
    last_try(&flow, &of("email")["callback_id"]);
    let failed = &until(&flow, &["--state", "failed"], |found| found.len() == 1)[0];
    assert!(failed["error"].as_str().unwrap().contains("`nobody` is no mail address"), "{failed}");
    let delivered = &until(&flow, &["--state", "delivered"], |found| found.len() == 1)[0];
    assert_eq!((&delivered["task_id"], &delivered["error"]), (&Value::Null, &Value::Null));

    // Both ways say the same, and narrow it down alike.
    for more in [&[][..], &["tell"], &["tell", "--run", "one", "--task", "work"], &["other"], &["--limit", "1"]] {
        let args = [&["callbacks", "list", "-o", "json"], more].concat();
        let both = || (ok(&call(&flow, &args, None)), ok(&call(&flow, &args, Some(&token))));
        // The one that waits may be tried in between; not twice in a row.
        let is_same = (0..2).map(|_| both()).any(|(here, there)| here == there);
        assert!(is_same, "{more:?}: {:?}", both());
    }
    assert_eq!(list(&flow, &["tell", "--task", "work"]).len(), 2);
    assert_eq!((list(&flow, &["other"]).len(), list(&flow, &["--limit", "1"]).len()), (0, 1));
    let table = ok(&call(&flow, &["callbacks", "list"], None));
    assert!(table.contains("TRIES") && table.contains("`nobody` is no mail address"), "{table}");
    assert_eq!(ok(&call(&flow, &["callbacks", "list", "-o", "plain"], None)).lines().count(), 3);

    // The gate is opened, and the callback need not wait for its time.
    fs::write(flow.folder().join("open"), "").unwrap();
    let id = waiting["callback_id"].to_string();
    let shown = ok(&call(&flow, &["callbacks", "retry", &id, "-o", "json"], Some(&token)));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["callback_id"], waiting["callback_id"]);
    let is_through = |found: &[Value]| found.iter().any(|one| one["callback_id"] == waiting["callback_id"]);
    until(&flow, &["tell", "--state", "delivered"], is_through);
    let again = call(&flow, &["callbacks", "retry", &id], None);
    refused(&again, 1, &[&format!("callback {id} was delivered: there is nothing to try again")]);

    // One that failed begins anew, with all of its tries.
    let id = failed["callback_id"].to_string();
    let shown = ok(&call(&flow, &["callbacks", "retry", &id], None));
    assert!(shown.contains("tell") && shown.contains("email"), "{shown}");
    let is_anew = |found: &[Value]| found.len() == 1 && found[0]["tries"] == 1 && found[0]["ended_at"].is_null();
    until(&flow, &["--state", "pending"], is_anew);
    assert!(list(&flow, &["--state", "failed"]).is_empty());
}
