//! Against real processes.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use flow_core::run::Outcome;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Run, World};

/// Runs a command under bash with arguments as given.
async fn bash(world: &World, command: &str) -> Run {
    world.run("bash", json!({ "bash_command": command })).await
}

/// Waits for a file with a number in it.
async fn number_in(path: &Path) -> i32 {
    for _ in 0..2_000 {
        if let Some(number) = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()) {
            return number;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("no number in {}", path.display());
}

fn is_there(pid: i32) -> bool {
    nix::sys::signal::kill(Pid::from_raw(pid), None).is_ok()
}

/// Cancels once a file with a number is there.
async fn cancelled_when(world: &World, command: &str, path: &Path) -> (Run, i32) {
    tokio::join!(bash(world, command), async {
        let pid = number_in(path).await;
        world.cx.cancel.cancel();
        pid
    })
}

#[tokio::test]
async fn output_streams_to_the_log_as_it_comes() {
    let world = World::new();
    let go = world.path("go");
    let command = format!("echo first; until [ -e {} ]; do sleep 0.01; done; echo second", go.display());
    let (run, ()) = tokio::join!(bash(&world, &command), async {
        while world.stdout() != "first\n" {
            sleep(Duration::from_millis(5)).await;
        }
        fs::write(&go, "").unwrap();
    });
    run.succeeded_with("second");
    assert_eq!(world.stdout(), "first\nsecond\n");
}

#[tokio::test]
async fn a_background_process_is_gone_when_the_task_has_ended() {
    let world = World::new();
    let started = Instant::now();
    let run = bash(&world, "sleep 600 & echo $!").await;
    let pid = run.result().unwrap().as_str().unwrap().parse().unwrap();
    assert!(!is_there(pid));
    assert!(started.elapsed() < Duration::from_secs(60), "nobody waits for its end of the pipe");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_daemon_that_forked_twice_is_gone_when_the_task_has_ended() {
    let world = World::new();
    let file = world.path("pid");
    let command = format!(
        "setsid bash -c 'setsid bash -c \"echo \\$\\$ > {0}; exec sleep 600\" >/dev/null 2>&1 </dev/null & disown'; \
         until [ -s {0} ]; do sleep 0.01; done",
        file.display()
    );
    bash(&world, &command).await.succeeded_with("");
    assert!(!is_there(number_in(&file).await));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_process_in_a_session_of_its_own_that_holds_the_pipe_is_gone_too() {
    let world = World::new();
    let file = world.path("pid");
    let command = format!(
        "setsid bash -c 'echo $$ > {0}; sleep 600; true' & until [ -s {0} ]; do sleep 0.01; done",
        file.display()
    );
    let started = Instant::now();
    bash(&world, &command).await.succeeded_with("");
    assert!(!is_there(number_in(&file).await));
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn only_the_attempts_own_orphans_are_ended() {
    let (ours, theirs) = (World::new(), World::new());
    let file = theirs.path("pid");
    let wait = theirs.path("wait");
    let command = format!(
        "(setsid bash -c 'echo $$ > {0}; exec sleep 600' &) ; until [ -e {1} ]; do sleep 0.01; done",
        file.display(),
        wait.display()
    );
    let (other, pid) = tokio::join!(bash(&theirs, &command), async {
        let pid = number_in(&file).await;
        bash(&ours, "sleep 0.01; (sleep 600 &)").await.succeeded_with("");
        assert!(is_there(pid), "another attempt's process was ended");
        fs::write(&wait, "").unwrap();
        pid
    });
    other.succeeded_with("");
    assert!(!is_there(pid));
}

#[tokio::test]
async fn a_cancel_lets_the_task_clean_up() {
    let world = World::new();
    let (pid, out) = (world.path("pid"), world.path("out"));
    let command = format!(
        "trap 'echo cleaned > {1}; exit 0' TERM; echo $$ > {0}; while :; do sleep 0.01; done",
        pid.display(),
        out.display()
    );
    let (run, _) = cancelled_when(&world, &command, &pid).await;
    assert_eq!(run.outcome(), &Outcome::Cancelled);
    assert_eq!(fs::read_to_string(out).unwrap(), "cleaned\n");
}

#[tokio::test]
async fn who_ignores_the_cancel_is_killed_after_the_grace() {
    let world = World::new();
    let pid = world.path("pid");
    let started = Instant::now();
    let command = format!("trap '' TERM; echo $$ > {}; while :; do sleep 0.01; done", pid.display());
    let (run, pid) = cancelled_when(&world, &command, &pid).await;
    assert_eq!(run.outcome(), &Outcome::Cancelled);
    assert!(!is_there(pid));
    assert!(started.elapsed() >= world.cx.kill_grace && started.elapsed() < Duration::from_secs(60));
    assert!(world.text().contains("sending SIGKILL"), "{}", world.text());
}

#[tokio::test]
async fn a_child_has_the_whole_grace_though_its_parent_ended_at_once() {
    let mut world = World::new();
    world.cx.kill_grace = Duration::from_secs(5);
    let (pid, out) = (world.path("pid"), world.path("out"));
    let child = format!(
        "trap \"sleep 0.5; echo cleaned > {1}; exit 0\" TERM; echo $$ > {0}; while :; do sleep 0.01; done",
        pid.display(),
        out.display()
    );
    let (run, _) = cancelled_when(&world, &format!("bash -c '{child}' & wait"), &pid).await;
    assert_eq!(run.outcome(), &Outcome::Cancelled);
    assert_eq!(fs::read_to_string(out).unwrap(), "cleaned\n");
}

#[tokio::test]
async fn an_attempt_that_is_dropped_kills_its_group() {
    let world = World::new();
    let file = world.path("pid");
    let command = format!("echo $$ > {}; sleep 600; true", file.display());
    let pid = tokio::select! {
        run = bash(&world, &command) => panic!("{run:?}"),
        pid = number_in(&file) => pid,
    };
    for _ in 0..1_000 {
        if !is_there(pid) {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("process {pid} is still there");
}

#[tokio::test]
async fn an_attempt_that_is_cancelled_beforehand_starts_nothing() {
    let world = World::new();
    world.cx.cancel.cancel();
    let file = world.path("ran");
    assert_eq!(bash(&world, &format!("touch {}", file.display())).await.outcome(), &Outcome::Cancelled);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_flood_of_output_passes_in_constant_memory() {
    let world = World::new();
    let before = memory();
    let run = bash(&world, "head -c 600000000 /dev/zero | tr '\\0' x; echo; echo done").await;
    run.succeeded_with("done");
    let (_, total) = world.bytes(Stream::Stdout);
    assert_eq!(total, 600_000_006);
    // Half of what passed, because other tests run beside this one.
    assert!(memory() < before + (300 << 20), "{} → {}", before, memory());
}

/// Most bytes this process has held so far.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

#[tokio::test]
async fn binary_output_harms_nothing() {
    let world = World::new();
    let run = bash(&world, r"head -c 1000 /dev/urandom; printf '\nab\xff\0\n'").await;
    run.succeeded_with("ab\\xff\\x00");
    assert_eq!(world.bytes(Stream::Stdout).1, 1_006);
}

#[tokio::test]
async fn streams_are_told_apart_and_the_result_is_from_stdout() {
    let world = World::new();
    bash(&world, "echo out; echo err >&2").await.succeeded_with("out");
    assert_eq!((world.stdout().as_str(), world.stderr().as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn in_the_airflow_dialect_the_result_is_the_last_line_of_both() {
    let mut world = World::new();
    world.cx.airflow_dialect = true;
    bash(&world, "echo out; echo err >&2").await.succeeded_with("err");
    assert_eq!(world.stdout(), "out\nerr\n");
}

#[tokio::test]
async fn a_process_knows_whose_it_is() {
    let mut world = World::new();
    world.cx.identity.try_number = 3;
    let run = bash(&world, "env | grep CTX | sort").await;
    assert_eq!(run.outcome(), &Outcome::Success);
    assert_eq!(
        world.stdout(),
        "AIRFLOW_CTX_DAG_ID=dag\n\
         AIRFLOW_CTX_DAG_OWNER=me\n\
         AIRFLOW_CTX_DAG_RUN_ID=manual__1\n\
         AIRFLOW_CTX_LOGICAL_DATE=2026-01-02T03:04:05+00:00\n\
         AIRFLOW_CTX_MAP_INDEX=-1\n\
         AIRFLOW_CTX_TASK_ID=task\n\
         AIRFLOW_CTX_TRY_NUMBER=3\n\
         FLOW_CTX_DAG_ID=dag\n\
         FLOW_CTX_LOGICAL_DATE=2026-01-02T03:04:05+00:00\n\
         FLOW_CTX_MAP_INDEX=-1\n\
         FLOW_CTX_RUN_ID=manual__1\n\
         FLOW_CTX_TASK_ID=task\n\
         FLOW_CTX_TRY_NUMBER=3\n"
    );
}

#[tokio::test]
async fn a_process_has_no_input() {
    bash(&World::new(), "cat; echo end").await.succeeded_with("end");
}

#[tokio::test]
async fn a_result_may_be_left_as_json() {
    let world = World::new();
    let run = bash(&world, r#"echo '{"a": [1]}' > $FLOW_XCOM; echo line"#).await;
    assert_eq!(run.result(), Some(&json!({ "a": [1] })));
    bash(&World::new(), "echo nonsense > $FLOW_XCOM").await.failed("does not hold JSON");
}

/// Runs a command on a thread that may be left hanging, and gives it a few seconds.
fn in_time(command: &'static str) -> Run {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = sender.send(runtime.block_on(bash(&World::new(), command))); // nobody may be waiting any more
    });
    receiver.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("`{command}` hangs its worker"))
}

#[test]
fn a_result_is_read_from_a_regular_file_only() {
    for command in [
        "mkfifo $FLOW_XCOM",
        "ln -s /dev/null $FLOW_XCOM",
        "ln -s /dev/zero $FLOW_XCOM",
        "echo 1 > other; ln -s other $FLOW_XCOM",
        "mkdir $FLOW_XCOM",
        "exec python3 -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ[\"FLOW_XCOM\"])'",
    ] {
        in_time(command).failed("it is not a regular file");
    }
}

#[test]
fn a_result_without_end_is_not_read() {
    in_time("truncate -s 1T $FLOW_XCOM").failed_for_good("XCom `return_value` is larger than 256 KiB");
    let spaces = "{ head -c 1048575 /dev/zero | tr '\\0' ' '; printf 1; } > $FLOW_XCOM";
    assert_eq!(in_time(spaces).result(), Some(&json!(1)));
    in_time("head -c 1048577 /dev/zero | tr '\\0' ' ' > $FLOW_XCOM").failed_for_good("is larger than 256 KiB");
}

#[tokio::test]
async fn what_cannot_be_started_is_explained() {
    let world = World::new();
    let env: serde_json::Map<String, Value> =
        (0..200).map(|n| (format!("V{n}"), Value::from("x".repeat(100_000)))).collect();
    let run = world.run("bash", json!({ "bash_command": "true", "env": env })).await;
    run.failed_for_good("its arguments and environment are too large; pass large values in a file");
    let run = world.run("bash", json!({ "bash_command": "a\0b" })).await;
    run.failed_for_good("could not start `bash`");
    let run = world.run("bash", json!({ "bash_command": "true", "cwd": "/does/not/exist" })).await;
    run.failed("could not use the working directory `/does/not/exist`");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_a_dead_worker_left_is_ended() {
    let world = World::new();
    let worker = world.cx.identity.worker_id.clone();
    let (mut dead, mut alive) = (left_by(&worker, "exec sleep 600"), left_by("another", "exec sleep 601"));
    while !fs::read_to_string(format!("/proc/{}/cmdline", dead.id().unwrap())).unwrap().starts_with("sleep") {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(crate::end_orphans(|id| id == worker).unwrap(), 1);
    assert_eq!(crate::end_orphans(|id| id == worker).unwrap(), 0);
    assert_eq!(dead.wait().await.unwrap().signal(), Some(9));
    assert_eq!(alive.try_wait().unwrap(), None);
}

/// A process as a worker leaves it. Registered, so that no other test's attempt takes its exit code.
fn left_by(worker: &str, script: &str) -> tokio::process::Child {
    let mut command = tokio::process::Command::new("bash");
    command
        .args(["-c", script])
        .env(orphans::WORKER, worker)
        .env(orphans::ATTEMPT, "none")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    orphans::spawn(&mut command).unwrap().0
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_dead_workers_children_without_environment_are_ended_too() {
    let world = World::new();
    let worker = world.cx.identity.worker_id.clone();
    let file = world.path("pid");
    let script = format!("env -i /bin/sh -c 'echo $$ > {0}; exec sleep 600' & sleep 601; true", file.display());
    let mut leader = left_by(&worker, &script);
    let bare = number_in(&file).await;
    assert!(crate::end_orphans(|id| id == worker).unwrap() >= 2, "the shell and what it started");
    assert_eq!(leader.wait().await.unwrap().signal(), Some(9));
    for _ in 0..1_000 {
        if !is_there(bare) {
            return;
        }
        // It may be ours to reap: an attempt of another test has made us the parent of orphans.
        let _ = nix::sys::wait::waitpid(Pid::from_raw(bare), Some(nix::sys::wait::WaitPidFlag::WNOHANG));
        sleep(Duration::from_millis(2)).await;
    }
    panic!("process {bare} is still there");
}

/// Many at once, with orphans that end by themselves at any moment: nobody's exit code is taken by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_attempts_at_once_keep_their_own_exit_codes() {
    let mut attempts = tokio::task::JoinSet::new();
    for number in 0..150 {
        attempts.spawn(async move {
            let code = number % 50;
            let command = format!("(sleep 0.0{} &); (setsid true &); exit {code}", number % 10);
            let run = bash(&World::new(), &command).await;
            match code {
                0 => assert_eq!(run.outcome(), &Outcome::Success),
                code => assert!(run.failed("exit code").message.ends_with(&format!(" {code}"))),
            }
        });
    }
    while let Some(ended) = attempts.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn no_zombie_of_an_attempt_is_left() {
    let world = World::new();
    let file = world.path("pids");
    // Orphans that end by themselves before the task does, in its group and out of it.
    let one = format!("(bash -c 'echo $$ >> {0}' &); (setsid bash -c 'echo $$ >> {0}' &);", file.display());
    bash(&world, &format!("{} sleep 0.3", one.repeat(5))).await.succeeded_with("");
    for pid in fs::read_to_string(file).unwrap().lines() {
        let parent = fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|stat| {
            stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1).map(str::to_owned))
        });
        assert_ne!(parent, Some(std::process::id().to_string()), "{pid} waits to be reaped");
    }
}

/// Prints what an attempt costs beside a bare spawn: `cargo test -p flow-operators --release -- --ignored cost --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn cost() {
    let rounds = 300;
    let world = World::new();
    fs::create_dir_all(&world.cx.scratch).unwrap();
    bash(&world, "true").await.succeeded_with("");
    let started = Instant::now();
    for _ in 0..rounds {
        tokio::process::Command::new("/bin/bash").args(["-c", "true"]).status().await.unwrap();
    }
    let bare = started.elapsed() / rounds;
    let started = Instant::now();
    for _ in 0..rounds {
        bash(&world, "true").await.succeeded_with("");
    }
    let ours = started.elapsed() / rounds;
    println!("bare {bare:?}, attempt {ours:?}, overhead {:?}", ours.saturating_sub(bare));
}
