use std::{
    fs,
    time::{Duration, Instant},
};

use flow_core::Timestamp;
use flow_operators::{LogSink, Stream::*};
use tempfile::TempDir;

use super::*;

pub(super) fn identity(task: &str, try_number: u32) -> Identity {
    Identity {
        dag_id: "etl".into(),
        run_id: "manual__2026-01-01T00:00:00+00:00".into(),
        task_id: task.into(),
        map_index: -1,
        try_number,
        lost: 0,
        max_tries: 1,
        owner: String::new(),
        logical_date: None,
        data_interval: None,
        run_after: Timestamp::default(),
        run_queued_at: Timestamp::default(),
        traceparent: None,
        is_manual: true,
        started_at: Timestamp::default(),
        worker_id: String::new(),
        claim: 1,
        token: String::new(),
    }
}

/// A store in a folder of its own. Its clock stands still, so the lines can be compared.
fn store() -> (TempDir, LogStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::standing_at(Timestamp::from_micros(0));
    let store = LogStore::new(folder.path().join("logs"), clock);
    (folder, store)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().replace("1970-01-01T00:00:00.000Z ", "")
}

/// Waits until something holds; fails after a while.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_line_is_in_the_file_when_the_write_returns() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Stdout, b"hello\n");
    assert_eq!(text(log.path()), "OUT   - hello\n");
    assert!(log.path().ends_with("dag_id=etl/run_id=manual__2026-01-01T00:00:00+00:00/task_id=t/attempt=1.log"));
}

#[test]
fn nothing_logged_makes_no_file() {
    let (_folder, store) = store();
    drop(store.open(&identity("t", 1), Masker::default()));
    assert!(!store.root().exists());
}

#[test]
fn a_busy_log_and_a_prompt_reach_the_file_without_another_write() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::new(["hunter2"]));
    for n in 0..50 {
        log.write(Stdout, format!("line {n}\n").as_bytes());
    }
    log.write(Stdout, b"Password for hun? hun");
    eventually("the prompt is there", || text(log.path()).ends_with("OUT   - line 49\nOUT   - Password for hun? "));
    log.write(Stdout, b"ter2");
    drop(log);
    assert!(text(&store.path(&LogId::of(&identity("t", 1)), 1)).ends_with("Password for hun? ***\n"));
}

#[test]
fn later_looks_of_a_sensor_append_and_a_torn_line_is_ended() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Info, b"Looked");
    drop(log);
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Info, b"Looked again");
    drop(log);
    let path = store.path(&LogId::of(&identity("t", 1)), 1);
    assert_eq!(text(&path), "INFO  - Looked\nINFO  - Looked again\n");
    fs::write(&path, "killed here").expect("written");
    store.open(&identity("t", 1), Masker::default()).write(Info, b"Next");
    assert_eq!(text(&path), "killed here\nINFO  - Next\n");
}

#[test]
fn a_prompt_survives_that_the_file_is_closed_meanwhile() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Stdout, b"one ");
    eventually("the file is closed", || !text(log.path()).is_empty() && store.open_files() == 0);
    log.write(Stdout, b"two\n");
    log.close();
    assert_eq!(text(log.path()), "OUT   - one two\n");
}

#[test]
fn a_log_that_was_moved_or_removed_is_begun_again() {
    let (folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Stdout, b"before\n");
    let moved = folder.path().join("moved");
    fs::rename(log.path(), &moved).expect("moved");
    eventually("a new file", || {
        log.write(Stdout, b"after\n");
        log.flush();
        log.path().exists()
    });
    assert!(text(&moved).starts_with("OUT   - before\n"));
    assert_eq!(text(log.path()), "OUT   - after\n");
    fs::remove_dir_all(store.root()).expect("removed");
    eventually("a new folder", || {
        log.write(Stdout, b"again\n");
        log.flush();
        log.path().exists()
    });
    assert_eq!((store.write_errors(), store.lost_bytes()), (0, 0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_harms_no_task_and_the_gap_is_told() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    fs::create_dir_all(log.path().parent().expect("a parent")).expect("made");
    std::os::unix::fs::symlink("/dev/full", log.path()).expect("linked");
    log.write(Stdout, b"first\n");
    assert_eq!((store.write_errors(), store.lost_bytes()), (1, 0));
    let line = format!("{}\n", "x".repeat(1_000));
    for _ in 0..5_000 {
        log.write(Stdout, line.as_bytes());
        assert!(log.buffered() <= 600 * 1024, "{}", log.buffered());
    }
    assert!(store.lost_bytes() > 4_000_000, "{}", store.lost_bytes());
    fs::remove_file(log.path()).expect("removed");
    eventually("there is room again", || {
        log.flush();
        log.path().exists()
    });
    log.write(Stdout, b"last\n");
    let lost = store.lost_bytes();
    drop(log);
    let text = text(&store.path(&LogId::of(&identity("t", 1)), 1));
    assert!(text.starts_with("OUT   - first\nOUT   - xxx"), "{}", &text[..100]);
    // A slow machine may find room more than once, and lose something in between: each gap is told.
    let gap = |line: &str| {
        let (bytes, why) = line.split_once("WARN  - ")?.1.split_once(" bytes of output could not be written here: ")?;
        why.starts_with("No space left on device").then(|| bytes.parse::<u64>().expect("a number"))
    };
    assert_eq!(text.lines().filter_map(gap).sum::<u64>(), lost, "{}", &text[text.len() - 3_000..]);
    assert!(text.ends_with("OUT   - last\n"));
    assert!(store.write_errors() < 100, "{}", store.write_errors());
}

#[test]
fn a_folder_that_cannot_be_made_loses_the_log_but_says_how_much() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("logs"), "in the way").expect("written");
    let store = LogStore::new(folder.path().join("logs"), Clock::system());
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Stdout, b"hello\n");
    drop(log);
    assert_eq!(store.lost_bytes(), "1970-01-01T00:00:00.000Z OUT   - hello\n".len() as u64);
    assert!(store.write_errors() > 0);
}

#[test]
fn secrets_can_be_added_while_it_is_written() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::new(["first"]));
    log.add_secrets(["second"]);
    log.write(Stdout, b"first second third\n");
    assert_eq!(text(log.path()), "OUT   - *** *** third\n");
    assert_eq!(log.masker().mask("second"), "***");
}

#[test]
fn no_split_of_a_secret_over_time_and_writes_reaches_the_file() {
    let (_folder, store) = store();
    let secret = "s3cret-of-some-length";
    for at in 1..secret.len() {
        let log = store.open(&identity(&format!("t{at}"), 1), Masker::new([secret]));
        log.write(Stdout, &secret.as_bytes()[..at]);
        log.flush();
        assert_eq!(text(log.path()), "", "split at {at}");
        log.write(Stdout, &secret.as_bytes()[at..]);
        log.close();
        assert_eq!(text(log.path()), "OUT   - ***\n", "split at {at}");
    }
}

#[test]
fn more_logs_than_files_may_be_open_are_all_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::standing_at(Timestamp::from_micros(0));
    let store = LogStore::with_limits(folder.path().to_owned(), clock, MAX_LINE, 8);
    let logs: Vec<_> = (0..100).map(|n| store.open(&identity(&format!("t{n}"), 1), Masker::default())).collect();
    for round in 0..3 {
        for log in &logs {
            log.write(Stdout, format!("{round}\n").as_bytes());
            assert!(store.open_files() <= 9);
        }
    }
    for log in logs {
        log.close();
        assert_eq!(text(log.path()), "OUT   - 0\nOUT   - 1\nOUT   - 2\n");
    }
    assert_eq!(store.open_files(), 0);
}

#[test]
fn many_writers_of_one_log_never_mix_their_lines() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    std::thread::scope(|scope| {
        for stream in [Stdout, Stderr] {
            let log = &log;
            scope.spawn(move || {
                for n in 0..2_000 {
                    log.write(stream, format!("{n} begins ").as_bytes());
                    log.write(stream, b"and ends\n");
                }
            });
        }
    });
    log.close();
    let text = text(log.path());
    for tag in ["OUT   - ", "ERR   - "] {
        let flat = text.lines().filter_map(|line| line.strip_prefix(tag)).collect::<Vec<_>>().join("\n");
        let flat = flat.replace(&format!("\n{CONTINUATION}"), "");
        let expected: Vec<_> = (0..2_000).map(|n| format!("{n} begins and ends")).collect();
        assert_eq!(flat, expected.join("\n"));
    }
}

#[test]
fn attempts_are_listed_by_number() {
    let (_folder, store) = store();
    let id = LogId::of(&identity("t", 1));
    assert_eq!(store.list_attempts(&id).expect("listed"), []);
    for try_number in [10, 2, 1] {
        store.open(&identity("t", try_number), Masker::default()).write(Info, b"Hi");
    }
    fs::write(id.folder(store.root()).join("notes.txt"), "").expect("written");
    let listed = store.list_attempts(&id).expect("listed");
    assert_eq!(listed.iter().map(|file| file.try_number).collect::<Vec<_>>(), [1, 2, 10]);
    assert_eq!(listed[0].bytes, "1970-01-01T00:00:00.000Z INFO  - Hi\n".len() as u64);
    assert_eq!(listed[0].path, store.path(&id, 1));
}

#[test]
fn the_thread_ends_with_the_store() {
    let (_folder, store) = store();
    let log = store.open(&identity("t", 1), Masker::default());
    log.write(Stdout, b"prompt");
    let inner = Arc::downgrade(&store.inner);
    drop(store);
    assert!(inner.upgrade().is_some());
    drop(log);
    eventually("the store is gone", || inner.upgrade().is_none());
}

#[test]
fn what_is_removed_takes_nothing_else_along() {
    let (_folder, store) = store();
    let id =
        |run: &str, map_index: i32| LogId { dag_id: "etl".into(), run_id: run.into(), task_id: "t".into(), map_index };
    let ids = [id("one", -1), id("one", 0), id("one", 1), id("two", -1)];
    for id in &ids {
        fs::create_dir_all(store.path(id, 1).parent().unwrap()).unwrap();
        fs::write(store.path(id, 1), "text").unwrap();
    }
    let left = || ids.iter().map(|id| store.path(id, 1).exists()).collect::<Vec<_>>();
    store.remove_task(&ids[0]).unwrap();
    assert_eq!(left(), [false, true, true, true]);
    store.remove_task(&ids[1]).unwrap();
    assert_eq!(left(), [false, false, true, true]);
    store.remove_run(&"etl".into(), &"one".into()).unwrap();
    assert_eq!(left(), [false, false, false, true]);
    for _ in 0..2 {
        // None is as good.
        store.remove_dag(&"etl".into()).unwrap();
        store.remove_task(&ids[0]).unwrap();
    }
    assert_eq!((left()[3], store.root().exists()), (false, true));
}

#[test]
fn a_log_that_is_full_takes_one_more_sentence_and_the_last_words() {
    let (_folder, store) = store();
    store.limit(10_000);
    let log = store.open(&identity("t", 1), Masker::default());
    for _ in 0..10_000 {
        log.write(Stdout, b"yes yes yes yes\n");
    }
    log.write(Stderr, b"half");
    log.write(Warning, b"not this\n");
    log.write_last(Error, b"failed after 3 s\n");
    log.close();
    let found = text(log.path());
    let told =
        "WARN  - this log has 10000 bytes (`logging.max_attempt_size`): what comes now is not kept, the task goes on\n";
    assert!(found.ends_with(&format!("yes yes\n{told}ERROR - failed after 3 s\n")), "{}", &found[found.len() - 300..]);
    assert_eq!(found.matches(told).count(), 1);
    assert!(fs::metadata(log.path()).expect("it is there").len() < 11_000);
}

#[test]
fn a_log_that_is_full_is_so_for_the_next_look_too() {
    let (_folder, store) = store();
    store.limit(1_000);
    for _ in 0..2 {
        let log = store.open(&identity("t", 1), Masker::default());
        log.write(Info, b"a look\n");
        log.flush();
        log.write(Stdout, format!("{}\n", "x".repeat(2_000)).as_bytes());
        log.write(Stdout, b"more\n");
    }
    let found = text(&store.path(&LogId::of(&identity("t", 1)), 1));
    assert_eq!((found.matches("xx\n").count(), found.matches("more").count()), (1, 0), "{found}");
    assert!(found.len() < 3_000, "{found}");
}

#[test]
fn half_a_secret_is_not_shown_where_a_log_is_full() {
    let (_folder, store) = store();
    store.limit(1_000);
    let log = store.open(&identity("t", 1), Masker::new(["hunter2-s3cret"]));
    log.write(Stdout, format!("{}\n{}", "x".repeat(800), "y".repeat(200)).as_bytes());
    log.write(Stdout, b"begin hunter2-");
    log.write(Stdout, b"s3cret end\n");
    log.write(Stdout, b"more\n");
    log.close();
    let found = text(log.path());
    assert!(found.contains("what comes now is not kept") && !found.contains("hunter2"), "{found}");
}
