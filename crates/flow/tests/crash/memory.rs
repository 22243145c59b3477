//! The memory of `flow standalone` over many tasks.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use super::place::{Flow, Place};

/// A run of many tasks, of which two are processes.
fn many(tasks: usize) -> String {
    let mut text = String::from(
        "dag_id: many\nmax_active_runs: 4\nmax_active_tasks: 1000\ntasks:\n  - { id: first, uses: bash, with: { bash_command: echo begin } }\n",
    );
    for number in 0..tasks - 2 {
        writeln!(text, "  - {{ id: t{number}, needs: [first] }}").unwrap();
    }
    text.push_str("  - { id: last, uses: bash, needs: [first], with: { bash_command: echo end } }\n");
    text
}

#[test]
fn memory_stays_flat_over_many_finished_tasks() {
    const TASKS: usize = 250;
    let runs = if crate::is_soak() { 4_000 } else { 400 };
    let place = Place::new(None);
    place.add_dag("many", &many(TASKS));
    let flow = place.start(&["standalone", "--port", "0"]);
    place.wait_for_dags(&["many"]);
    let wanted: Vec<(String, String)> = (0..runs).map(|number| ("many".to_owned(), format!("run-{number}"))).collect();
    let began = Instant::now();
    place.trigger(&wanted);
    let mut early = None;
    let mut samples: Vec<u64> = Vec::new();
    place.wait(Duration::from_secs(1_200), "not all has ended", || {
        let ended = place.runs(false).iter().filter(|run| run.is_over()).count();
        if early.is_none() && ended * 10 >= runs * 3 {
            early = Some((ended, rss(&flow)));
        }
        if ended * 10 >= runs * (samples.len() + 1) {
            samples.push(rss(&flow));
        }
        ended == runs
    });
    let (ended, early) = early.unwrap();
    let late = rss(&flow);
    println!(
        "{} tasks in {:.0?}: {early} KiB after {ended} of {runs} runs, {late} KiB at the end; at each tenth {samples:?}",
        runs * TASKS,
        began.elapsed()
    );
    assert!(place.runs(false).iter().all(|run| run.state == "success"));
    assert!(late < early + early / 4 + 10 * 1024, "{early} KiB after {ended} of {runs} runs, {late} KiB at the end");
}

/// Returns the memory that a process holds, in KiB.
fn rss(flow: &Flow) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", flow.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
