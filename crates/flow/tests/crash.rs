//! `flow standalone` killed again and again while runs are under way: nothing is lost, nothing runs twice at once.
//!
//! Everything is looked at from outside: what tasks wrote down and the locks they held (see `crash/task.sh`),
//! processes in /proc, and at the end the database. FLOW_SEED plays the same chances again, FLOW_SOAK=1 more of them.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![expect(clippy::print_stdout, reason = "seeds and measurements are for whoever reads the test's output")]

mod crash {
    pub(crate) mod chance;
    pub(crate) mod dags;
    mod lost_claim;
    mod memory;
    pub(crate) mod place;
    pub(crate) mod record;
    mod shutdown;
}

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crash::{
    chance::Chance,
    dags::{PATTERNS, POOL, TICKS},
    place::{Place, RunFact},
    record,
};

/// Runs that are to be under way at every moment.
const UNDER_WAY: usize = 50;
const STANDALONE: &[&str] = &["standalone", "--port", "0", "--workers", "24"];
/// In this life of so many nobody is killed until everything interrupted is taken up, to see how long it takes.
const LONG_LIFE: usize = 20;

fn is_soak() -> bool {
    std::env::var_os("FLOW_SOAK").is_some()
}

fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Triggers runs by the command line, some of which are killed too.
#[derive(Default)]
struct Triggers {
    number: usize,
    acknowledged: BTreeSet<(String, String)>,
    failures: Vec<String>,
}

impl Triggers {
    fn one(&mut self, place: &Place, may_be_killed: Option<Duration>) {
        let pattern = &PATTERNS[self.number % PATTERNS.len()];
        let run_id = format!("run-{}", self.number);
        self.number += 1;
        let mut child = place
            .command(&["trigger", pattern.id, "--run-id", &run_id])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(after) = may_be_killed {
            std::thread::sleep(after);
            let _ = child.kill();
        }
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            self.acknowledged.insert((pattern.id.to_owned(), run_id));
        } else if may_be_killed.is_none() {
            self.failures.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
}

struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn kill_9_loses_nothing_and_runs_nothing_twice_at_once() {
    let kills = if is_soak() { 2_000 } else { 200 };
    let mut chance = Chance::new("kill_9");
    let place = Place::new(None);
    for pattern in PATTERNS.iter().chain([&TICKS]) {
        place.add_dag(pattern.id, pattern.text);
    }
    let flow = place.start(STANDALONE);
    place.wait_for_dags(&["chain", "diamond", "pooled", "mixed", "failing", "ticks"]);
    place.make_pool(POOL.0, POOL.1);
    let mut triggers = Triggers::default();
    for _ in 0..UNDER_WAY {
        triggers.one(&place, None);
    }
    flow.kill();

    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let mut taken_up = Vec::new();
    let mut slow = Vec::new();
    let triggers = std::thread::scope(|scope| {
        let mut chance_of_triggers = chance.clone();
        let (place, stop) = (&place, &stop);
        let keep_under_way = scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let active = place.runs(false).iter().filter(|run| !run.is_over() && run.dag_id != TICKS.id).count();
                for _ in active..UNDER_WAY {
                    let may_be_killed = (chance_of_triggers.below(8) == 0).then(|| chance_of_triggers.millis(0, 200));
                    triggers.one(place, may_be_killed);
                }
                std::thread::sleep(Duration::from_millis(300));
            }
            triggers
        });
        // Also when something fails here: otherwise the other thread goes on for ever.
        let ending = StopWhenDropped(stop);
        for number in 1..=kills {
            let interrupted = record::under_way(&record::read(&place.effects()));
            let since = seconds_since_1970();
            let flow = place.start(STANDALONE);
            if number % LONG_LIFE == 0 {
                let mut found = Default::default();
                // Those that wait for a place in a limit may have to wait for others.
                let interrupted: BTreeSet<_> =
                    interrupted.into_keys().filter(|(dag, _, _)| dag == "chain" || dag == "mixed").collect();
                let deadline = Instant::now() + Duration::from_secs(30);
                while Instant::now() < deadline {
                    found = record::taken_up(&record::read(&place.effects()), &interrupted, since);
                    if found.values().all(Option::is_some) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                slow.extend(found.iter().filter(|(_, took)| took.is_none()).map(|(name, _)| name.clone()));
                taken_up.extend(found.into_values().flatten());
            } else {
                std::thread::sleep(chance.millis(50, 800));
            }
            flow.kill();
        }
        drop(ending);
        keep_under_way.join().unwrap()
    });
    let killing = began.elapsed();

    let flow = place.start(STANDALONE);
    place.wait(Duration::from_secs(180), "not every run has ended", || {
        place.runs(false).iter().all(|run| run.is_over() || run.dag_id == TICKS.id)
    });
    place.pause(TICKS.id);
    place.wait(Duration::from_secs(60), "not every scheduled run has ended", || {
        place.runs(false).iter().all(RunFact::is_over)
    });
    let runs = place.runs(true);
    let lines = record::read(&place.effects());
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(60)).success());

    taken_up.sort_by(f64::total_cmp);
    let at = |share: f64| taken_up.get(((taken_up.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    println!(
        "{kills} kills in {killing:.0?}, {} runs, {} starts; of {} interrupted tasks, taken up after: \
         median {:.2} s, 95 % {:.2} s, longest {:.2} s; all over after {:.0?}",
        runs.len(),
        lines.iter().filter(|line| line.what == "start").count(),
        taken_up.len(),
        at(0.5),
        at(0.95),
        at(1.0),
        began.elapsed(),
    );
    let mut complaints = record::check(&lines, &runs);
    let present: BTreeSet<(String, String)> = runs.iter().map(|run| (run.dag_id.clone(), run.run_id.clone())).collect();
    complaints.extend(
        triggers.acknowledged.difference(&present).map(|run| format!("{run:?} was acknowledged and is not there")),
    );
    complaints.extend(triggers.failures.iter().map(|words| format!("a trigger failed: {words}")));
    complaints.extend(slow.iter().map(|name| format!("{name:?} was not taken up within 30 s of a restart")));
    complaints.extend(place.words().lines().filter(|line| line.contains("panicked")).map(str::to_owned));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(at(0.5) < 2.0, "what was interrupted is taken up too late: half of it after {:.2} s", at(0.5));
    // On a busy machine a few wait for others.
    assert!(at(0.95) < 10.0, "some of what was interrupted is taken up too late: after {:.2} s", at(0.95));
    place.assert_nothing_left();
}
