use std::{cell::Cell, fs::FileTimes};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn id(run: usize, task: usize) -> LogId {
    LogId {
        dag_id: "etl".into(),
        run_id: format!("run{run}").as_str().into(),
        task_id: format!("t{task}").as_str().into(),
        map_index: -1,
    }
}

/// Writes a log of so many bytes, that old.
fn write(root: &Path, id: &LogId, bytes: usize, age: Duration) -> PathBuf {
    let path = id.file(root, 1);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "0123456789abcde\n".repeat(bytes / 16)).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
    path
}

fn in_use(id: &LogId) -> LogInUse {
    LogInUse {
        dag_id: id.dag_id.to_string(),
        run_id: id.run_id.to_string(),
        task_id: id.task_id.to_string(),
        map_index: id.map_index,
        try_number: 1,
    }
}

/// Walks to the end; returns the walk and the number of steps.
fn walk(root: &Path, keep: Keep, cutoff: Option<SystemTime>, held: &Held, step: usize) -> (Walk, usize) {
    let mut walk = Walk::new(root.to_owned(), keep, cutoff);
    let mut steps = 1;
    while !walk.step(step, held, SystemTime::now(), &|| false) {
        steps += 1;
    }
    (walk, steps)
}

#[test]
fn what_is_old_is_packed_then_removed_but_never_what_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let keep = Keep { pack_after: Some(DAY), age: Some(10 * DAY), size: None };
    let fresh = write(root, &id(0, 0), 20_000, Duration::from_secs(10));
    let young = write(root, &id(0, 1), 20_000, DAY / 2);
    let old = write(root, &id(0, 2), 20_000, 2 * DAY);
    let small = write(root, &id(0, 3), 160, 2 * DAY);
    let ancient = write(root, &id(1, 0), 20_000, 11 * DAY);
    let running = write(root, &id(2, 0), 20_000, 11 * DAY);
    let held = Held::new(root, &[in_use(&id(2, 0))]);
    let (walk, _) = walk(root, keep, None, &held, 3);
    assert!(fresh.exists() && young.exists() && small.exists() && running.exists());
    assert!(!old.exists() && packed::packed_path(&old).exists());
    assert!(!ancient.parent().unwrap().parent().unwrap().exists(), "with its folders");
    assert_eq!((walk.swept.looked, walk.swept.packed, walk.swept.removed, walk.swept.failed), (6, 1, 1, 0));
    // A packed log that is old goes too, and is in use by the name of the plain one.
    let keep = Keep { age: Some(DAY), ..keep };
    let held = Held::new(root, &[in_use(&id(2, 0)), in_use(&id(0, 2))]);
    self::walk(root, keep, None, &held, 100);
    assert!(packed::packed_path(&old).exists());
    self::walk(root, keep, None, &Held::default(), 100);
    assert!(!packed::packed_path(&old).exists() && !running.exists());
}

#[test]
fn when_there_is_too_much_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let paths: Vec<PathBuf> = (0..20_u32)
        .map(|number| write(root, &id(0, number as usize), 65_536, number * Duration::from_secs(7200)))
        .collect();
    let keep = Keep { size: Some(10 * 65_536), ..Keep::default() };
    let (first, _) = walk(root, keep, None, &Held::default(), 100);
    assert_eq!((first.swept.removed, first.swept.bytes), (0, 20 * 65_536));
    let held = Held::new(root, &[in_use(&id(0, 19))]);
    let (second, _) = walk(root, keep, first.cutoff(), &held, 100);
    assert_eq!(second.swept.removed, 9);
    let left: Vec<bool> = paths.iter().map(|path| path.exists()).collect();
    assert!(left[..10].iter().all(|is_left| *is_left) && left[19], "{left:?}");
    let (third, _) = walk(root, keep, None, &Held::default(), 100);
    assert!(third.cutoff().is_some(), "what is in use counts");
}

#[test]
fn a_step_looks_at_so_many_entries_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (runs, tasks) = (30, 30);
    for run in 0..runs {
        for task in 0..tasks {
            write(root, &id(run, task), 16, 2 * DAY);
        }
    }
    let keep = Keep { age: Some(DAY), ..Keep::default() };
    let mut walk = Walk::new(root.to_owned(), keep, None);
    let (mut before, mut steps) = (0, 0);
    loop {
        let done = walk.step(40, &Held::default(), SystemTime::now(), &|| false);
        assert!(walk.swept.looked - before <= 40 && walk.stack.len() <= DEPTH);
        before = walk.swept.looked;
        steps += 1;
        if done {
            break;
        }
    }
    // A file, its folder and the end of that folder: three entries a log, at the least.
    assert!(steps >= 3 * runs * tasks / 40, "{steps}");
    assert_eq!(walk.swept.removed, (runs * tasks) as u64);
    assert_eq!(fs::read_dir(root).unwrap().count(), 0);
}

#[test]
fn nothing_else_in_the_folder_is_touched_and_a_stop_ends_the_walk() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let log = write(root, &id(0, 0), 20_000, 2 * DAY);
    let others = [root.join("notes.txt"), log.with_file_name("attempt=1.log.bak"), root.join("attempt=x.log")];
    for other in &others {
        fs::copy(&log, other).unwrap();
        let file = File::options().write(true).open(other).unwrap();
        file.set_times(FileTimes::new().set_modified(SystemTime::now() - 90 * DAY)).unwrap();
    }
    let outside = tempfile::tempdir().unwrap();
    let far = write(outside.path(), &id(0, 0), 20_000, 90 * DAY);
    std::os::unix::fs::symlink(outside.path().join("dag_id=etl"), root.join("dag_id=link")).unwrap();
    let asked = Cell::new(0);
    let stops = || {
        asked.set(asked.get() + 1);
        true
    };
    let keep = Keep { age: Some(DAY), ..Keep::default() };
    assert!(!Walk::new(root.to_owned(), keep, None).step(1000, &Held::default(), SystemTime::now(), &stops));
    assert!(log.exists() && asked.get() == 1);
    walk(root, keep, None, &Held::default(), 1000);
    assert!(!log.exists() && others.iter().all(|other| other.exists()) && far.exists());
}

/// By hand: `FLOW_LOGS=1000000 cargo test -p flow-runtime a_million_old_logs -- --ignored --nocapture`.
#[test]
#[ignore = "writes as many files as FLOW_LOGS says"]
fn a_million_old_logs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let files: usize = std::env::var("FLOW_LOGS").map_or(10_000, |text| text.parse().unwrap());
    for number in 0..files {
        write(root, &id(number / 100, number % 100), 160, 2 * DAY);
    }
    let keep = Keep { age: Some(DAY), ..Keep::default() };
    let mut walk = Walk::new(root.to_owned(), keep, None);
    let (begun, mut longest, mut steps) = (std::time::Instant::now(), Duration::ZERO, 0);
    loop {
        let step = std::time::Instant::now();
        let done = walk.step(STEP, &Held::default(), SystemTime::now(), &|| false);
        longest = longest.max(step.elapsed());
        steps += 1;
        if done {
            break;
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    println!("{files} logs: {steps} steps in {:?}, longest {longest:?}, {memory}", begun.elapsed());
    assert_eq!(walk.swept.removed, files as u64);
}
