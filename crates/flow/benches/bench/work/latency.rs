//! Latency: from a trigger, or from a moment in the timetable, to the first task running.
//!
//! The tasks say themselves when they run: a line with the time, written by the shell that was started.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use flow_core::Timestamp;

use crate::{
    Bench, bare,
    flow::{Home, now},
    report::{Bare, Figure, Target, median, percentile},
    until,
};

/// Triggers a repeat.
const TRIGGERS: usize = 20;
/// DAGs that are due at once.
const DAGS: usize = 1_000;
/// Seconds between two moments at which they are due; 60 is a multiple of it.
const PERIOD: i64 = 15;

fn notes(home: &Home) -> PathBuf {
    home.place.folder().join("notes")
}

/// A DAG of one task that notes its run and the time.
fn noting(id: &str, schedule: &str, file: &Path) -> String {
    format!(
        "dag_id: {id}\nschedule: {schedule}\nmax_active_runs: 100\ntasks:\n  - id: note\n    uses: bash\n    with:\n      \
         bash_command: echo \"$FLOW_CTX_DAG_ID $FLOW_CTX_LOGICAL_DATE $EPOCHREALTIME\" >> {}\n",
        file.display()
    )
}

/// Reads the notes: DAG, logical date, when the task ran.
fn read(file: &Path) -> Vec<(String, String, f64)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (dag_id, date) = (words.next()?, words.next()?);
            Some((dag_id.to_owned(), date.to_owned(), words.next()?.parse().ok()?))
        })
        .collect()
}

fn seconds(moment: Timestamp) -> f64 {
    moment.as_micros() as f64 / 1e6
}

/// A trigger from a process with an open connection, as a server has one, then `flow trigger`; again and again, with
/// nothing else going on.
pub(crate) async fn trigger(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("triggers");
    let file = notes(home);
    home.write("note", &noting("note", "null", &file))?;
    let flow = home.start().await?;
    flow.knows("note").await?;
    flow.trigger("note").await?;
    flow.rests("note").await?;
    let mut accepted = (Vec::new(), Vec::new());
    let mut written = (Vec::new(), Vec::new());
    let mut asked = (Vec::new(), Vec::new());
    let mut commands = Vec::new();
    for _ in 0..bench.repeats {
        let mut since_accepted = Vec::new();
        for _ in 0..TRIGGERS {
            let _ = std::fs::remove_file(&file);
            flow.trigger("note").await?;
            let answered_at = seconds(now());
            flow.rests("note").await?;
            let ran_at = read(&file).first().context("the task left no note")?.2;
            since_accepted.push((ran_at - answered_at) * 1e3);
        }
        let (mut since_written, mut since_asked) = (Vec::new(), Vec::new());
        for _ in 0..TRIGGERS {
            let _ = std::fs::remove_file(&file);
            let started = (Instant::now(), seconds(now()));
            let done = home.command().args(["trigger", "note", "-o", "json"]).output()?;
            commands.push(started.0.elapsed().as_secs_f64() * 1e3);
            ensure!(done.status.success(), "flow trigger: {}", String::from_utf8_lossy(&done.stderr));
            flow.rests("note").await?;
            let rows = flow.runs("note", 1).await?;
            let queued_at = rows.first().context("no run")?.run.queued_at;
            let ran_at = read(&file).first().context("the task left no note")?.2;
            since_written.push((ran_at - seconds(queued_at)) * 1e3);
            since_asked.push((ran_at - started.1) * 1e3);
        }
        accepted.0.push(median(&since_accepted));
        accepted.1.push(percentile(&since_accepted, 0.95));
        written.0.push(median(&since_written));
        written.1.push(percentile(&since_written, 0.95));
        asked.0.push(median(&since_asked));
        asked.1.push(percentile(&since_asked, 0.95));
    }
    flow.stop().await?;
    let mut version = Vec::new();
    for _ in 0..TRIGGERS {
        let started = Instant::now();
        home.command().arg("version").output()?;
        version.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let process = || {
        Some(Bare {
            what: "a process and a commit",
            value: bench.bare.process_ms + 1e3 / bench.bare.commits,
            unit: "ms",
        })
    };
    let flow_process = || Some(Bare { what: "`flow version`", value: median(&version), unit: "ms" });
    let figures = [
        ("trigger accepted → first task running, p50", accepted.0, process(), None),
        ("trigger accepted → first task running, p95", accepted.1, process(), Some(Target::AtMost(25.0))),
        ("`flow trigger` begins to write → first task running, p50", written.0, process(), None),
        ("`flow trigger` begins to write → first task running, p95", written.1, process(), None),
        ("`flow trigger` started → first task running, p50", asked.0, flow_process(), None),
        ("`flow trigger` started → first task running, p95", asked.1, flow_process(), None),
        ("`flow trigger`, the command itself", commands, flow_process(), None),
    ];
    for (what, samples, bare, target) in figures {
        let database = bench.database.name();
        bench.note(Figure { workload: "trigger", what: what.to_owned(), database, unit: "ms", samples, bare, target });
    }
    Ok(())
}

/// 1,000 DAGs that are due at the same moment, again and again.
pub(crate) async fn due(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("1,000 DAGs due at once");
    let file = notes(home);
    for at in 0..DAGS {
        let id = format!("due_{at:04}");
        home.write(&id, &noting(&id, &format!("\"* * * * * */{PERIOD}\""), &file))?;
    }
    let flow = home.start().await?;
    flow.knows(&format!("due_{:04}", DAGS - 1)).await?;
    // The first whole moment is the one after the next: the next may be too near.
    let period = PERIOD * 1_000_000;
    let first = (now().as_micros() / period + 2) * period;
    let moments: Vec<Timestamp> =
        (0..i64::try_from(bench.repeats)?).map(|at| Timestamp::from_micros(first + at * period)).collect();
    let last = moments.last().copied().context("no moments")?;
    tokio::time::sleep(last.since(now())).await;
    let expected = DAGS * bench.repeats;
    let is_one_of_them = |date: &str| moments.iter().position(|moment| moment.to_isoformat() == date);
    let most = Duration::from_secs(PERIOD.cast_unsigned());
    let all = until("every DAG has run", Duration::from_millis(250), most, async || {
        Ok(read(&file).iter().filter(|(_, date, _)| is_one_of_them(date).is_some()).count() >= expected)
    })
    .await;
    flow.stop().await?;
    let mut delays = vec![Vec::new(); moments.len()];
    for (_, date, ran_at) in read(&file) {
        if let Some(at) = is_one_of_them(&date) {
            delays[at].push(ran_at - seconds(moments[at]));
        }
    }
    let skipped: Vec<f64> = delays.iter().map(|delays| (DAGS as f64 - delays.len() as f64).max(0.0)).collect();
    if all.is_err() {
        eprintln!("  not every DAG has run in time");
    }
    let bare = bare::side_by_side(DAGS)? * 0.95;
    let bare = || Some(Bare { what: "95 % of 1,000 processes", value: bare, unit: "s" });
    let p95 = delays.iter().map(|delays| percentile(delays, 0.95)).collect();
    let p50 = delays.iter().map(|delays| percentile(delays, 0.5)).collect();
    let figures = [
        ("1,000 DAGs due at once → first task running, p50", "s", p50, None, None),
        ("1,000 DAGs due at once → first task running, p95", "s", p95, bare(), Some(Target::AtMost(2.0))),
        ("of these, not run", "DAGs", skipped, None, Some(Target::AtMost(0.0))),
    ];
    for (what, unit, samples, bare, target) in figures {
        let database = bench.database.name();
        bench.note(Figure { workload: "due", what: what.to_owned(), database, unit, samples, bare, target });
    }
    Ok(())
}
