//! Reads what the tasks wrote down, and compares it with what was promised.
//!
//! The order of the lines is the order in which they were written (each with one appending write), so nothing
//! here depends on clocks; only how long something took does.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dags::{self, Pattern},
    place::RunFact,
};

/// A task of a run: DAG, run, task.
pub(crate) type Name = (String, String, String);

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Seconds since 1970.
    pub(crate) at: f64,
    pub(crate) what: String,
    pub(crate) name: Name,
    pub(crate) try_number: u32,
    /// Of a start: the pid of the Flow that has started it. Of a limit: its name.
    pub(crate) extra: String,
}

/// Reads the lines.
pub(crate) fn read(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [at, what, dag, run, task, try_number, _pid, extra] = words[..] else { panic!("half a line: {line}") };
        Line {
            at: at.parse().unwrap(),
            what: what.to_owned(),
            name: (dag.to_owned(), run.to_owned(), task.to_owned()),
            try_number: try_number.parse().unwrap(),
            extra: extra.to_owned(),
        }
    };
    text.lines().map(line).collect()
}

/// Returns the tasks that have started and not ended, at the end of these lines, with the pid of the Flow that has
/// started them.
pub(crate) fn under_way(lines: &[Line]) -> BTreeMap<Name, String> {
    let mut running = BTreeMap::new();
    for line in lines {
        match line.what.as_str() {
            "start" => running.insert(line.name.clone(), line.extra.clone()),
            "end" => running.remove(&line.name),
            _ => None,
        };
    }
    running
}

/// Compares; returns complaints.
pub(crate) fn check(lines: &[Line], runs: &[RunFact]) -> Vec<String> {
    let mut complaints: Vec<String> = Vec::new();
    let mut starts: BTreeMap<(&Name, u32), usize> = BTreeMap::new();
    let mut firsts: BTreeMap<&Name, usize> = BTreeMap::new();
    let mut ends: BTreeMap<(&Name, u32), usize> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        match line.what.as_str() {
            "start" => {
                *starts.entry((&line.name, line.try_number)).or_default() += 1;
                firsts.entry(&line.name).or_insert(at);
            }
            "end" => {
                ends.insert((&line.name, line.try_number), at);
            }
            "overlap" => complaints.push(format!("two attempts at once: {line:?}")),
            "exceeded" => complaints.push(format!("limit `{}` exceeded: {line:?}", line.extra)),
            _ => complaints.push(format!("what is this? {line:?}")),
        }
    }
    complaints.extend(
        starts
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(try_of, count)| format!("{try_of:?} started {count} times")),
    );
    for run in runs {
        let Some(pattern) = dags::pattern(&run.dag_id) else { continue };
        complaints.extend(check_run(pattern, run, &firsts, &ends));
    }
    for pattern in dags::PATTERNS.iter().chain([&dags::TICKS]) {
        complaints.extend(check_active_runs(pattern, lines));
    }
    complaints
}

fn check_run(
    pattern: &Pattern,
    run: &RunFact,
    firsts: &BTreeMap<&Name, usize>,
    ends: &BTreeMap<(&Name, u32), usize>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let what = format!("{} {}", run.dag_id, run.run_id);
    if run.state != pattern.ends {
        complaints.push(format!("{what} is {}, not {}: {:?}", run.state, pattern.ends, run.tasks));
    }
    let name = |task: &str| (run.dag_id.clone(), run.run_id.clone(), task.to_owned());
    for (task, expected) in pattern.tasks {
        let Some((state, try_number)) = run.tasks.get(*task) else {
            complaints.push(format!("{what} has no task {task}"));
            continue;
        };
        if state != expected {
            complaints.push(format!("{what} {task} is {state}, not {expected}"));
        }
        // Those that no other task is ordered with leave no line: `empty`, `branch`, sensors.
        let writes = pattern.order.iter().any(|(a, b)| a == task || b == task) || pattern.order.is_empty();
        if writes && !ends.contains_key(&(&name(task), *try_number)) {
            complaints.push(format!("{what} {task}: try {try_number} is {state}, but it never got to its end"));
        }
    }
    for (up, down) in pattern.order {
        let Some((_, try_number)) = run.tasks.get(*up) else { continue };
        if let (Some(end), Some(start)) = (ends.get(&(&name(up), *try_number)), firsts.get(&name(down)))
            && end > start
        {
            complaints.push(format!("{what}: {down} started before {up} was done"));
        }
    }
    complaints
}

/// From a run's first line to its last it is under way; no more than so many may be so at once.
fn check_active_runs(pattern: &Pattern, lines: &[Line]) -> Vec<String> {
    let mut spans: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.name.0 == pattern.id) {
        spans.entry(&line.name.1).or_insert((at, at)).1 = at;
    }
    let complaint = |first: usize| {
        let active = spans.iter().filter(|(_, (from, to))| *from <= first && first <= *to);
        let runs: Vec<&str> = active.map(|(run, _)| *run).collect();
        (runs.len() > pattern.max_active_runs)
            .then(|| format!("{} runs of {} at once: {runs:?}", runs.len(), pattern.id))
    };
    spans.values().filter_map(|(first, _)| complaint(*first)).collect()
}

/// Returns how long after `since` (seconds since 1970) each of these tasks started again; `None`: not yet.
pub(crate) fn taken_up(lines: &[Line], interrupted: &BTreeSet<Name>, since: f64) -> BTreeMap<Name, Option<f64>> {
    let again = |name: &Name| {
        let start = lines.iter().find(|line| line.what == "start" && line.at >= since && &line.name == name);
        start.map(|line| line.at - since)
    };
    interrupted.iter().map(|name| (name.clone(), again(name))).collect()
}
