//! Throughput: how many tasks go through, and what a task costs over the process it starts.

use std::fmt::Write as _;

use crate::{
    Bench, bare,
    flow::Home,
    report::{Bare, Figure, Target},
};

/// Tasks of the chain.
const CHAIN: usize = 40;
/// Tasks side by side.
const WIDE: usize = 400;
/// Runs of the diamond.
const DIAMONDS: usize = 200;
/// Tasks of the throughput workloads.
pub(super) const MANY: usize = 5_000;
/// The same in runs of a hundred.
pub(super) const RUNS: usize = 50;

pub(super) fn dag(id: &str, tasks: &str) -> String {
    format!("dag_id: {id}\nschedule: null\nmax_active_runs: 1000\nmax_active_tasks: 10000\ntasks:\n{tasks}")
}

/// Tasks that need nothing.
pub(super) fn loose(number: usize, body: &str) -> String {
    (0..number).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "  - {{ id: t{at:04}, {body} }}");
        text
    })
}

const TRUE: &str = "uses: bash, with: { bash_command: 'true' }";
pub(super) const GATE: &str = "uses: short_circuit, with: { condition: true }";

/// 40 tasks one after the other: what is between them.
pub(crate) async fn chain(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("chain of 40");
    let mut tasks = format!("  - {{ id: t0000, {TRUE} }}\n");
    for at in 1..CHAIN {
        let _ = writeln!(tasks, "  - {{ id: t{at:04}, needs: [t{:04}], {TRUE} }}", at - 1);
    }
    home.write("chain", &dag("chain", &tasks))?;
    let flow = home.start().await?;
    flow.knows("chain").await?;
    flow.trigger("chain").await?;
    flow.rests("chain").await?;
    let (mut overhead, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..bench.repeats {
        let bare = bare::one_by_one(CHAIN)? * 1e3 / CHAIN as f64;
        flow.trigger("chain").await?;
        flow.rests("chain").await?;
        let rows = flow.runs("chain", 1).await?;
        let took = rows.iter().find_map(|row| Some(row.run.ended_at?.since(row.run.started_at?).as_secs_f64()));
        overhead.push(took.unwrap_or_default() * 1e3 / CHAIN as f64 - bare);
        alone.push(bare);
    }
    flow.stop().await?;
    bench.note(Figure {
        workload: "chain",
        what: "chain of 40 `bash`: overhead a task".to_owned(),
        database: bench.database.name(),
        unit: "ms",
        samples: overhead,
        bare: Some(Bare { what: "the process alone", value: crate::report::median(&alone), unit: "ms a task" }),
        target: Some(Target::AtMost(bench.database.pick(5.0, 10.0))),
    });
    Ok(())
}

/// 400 processes in one run.
pub(crate) async fn parallel(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("400 in parallel");
    home.write("wide", &dag("wide", &loose(WIDE, TRUE)))?;
    let (samples, bare) = with_processes(bench, home, "wide", 1, WIDE).await?;
    bench.note(Figure {
        workload: "parallel",
        what: format!("{WIDE} `bash -c true` in a run"),
        database: bench.database.name(),
        unit: "tasks/s",
        samples,
        bare: Some(Bare { what: "spawned, as many at once", value: bare, unit: "tasks/s" }),
        target: Some(Target::OfBare(0.7)),
    });
    Ok(())
}

/// 200 runs of five tasks.
pub(crate) async fn diamond(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("200 diamonds");
    let tasks = format!(
        "  - {{ id: a, {TRUE} }}\n  - {{ id: b, needs: [a], {TRUE} }}\n  - {{ id: c, needs: [a], {TRUE} }}\n  \
           - {{ id: d, needs: [a], {TRUE} }}\n  - {{ id: e, needs: [b, c, d], {TRUE} }}\n"
    );
    home.write("diamond", &dag("diamond", &tasks))?;
    let (samples, bare) = with_processes(bench, home, "diamond", DIAMONDS, DIAMONDS * 5).await?;
    bench.note(Figure {
        workload: "diamond",
        what: format!("{DIAMONDS} runs of a diamond of 5 `bash -c true`"),
        database: bench.database.name(),
        unit: "tasks/s",
        samples,
        bare: Some(Bare { what: "spawned, as many at once", value: bare, unit: "tasks/s" }),
        target: None,
    });
    Ok(())
}

/// Returns tasks a second, and processes a second with nothing around them, measured in turn.
async fn with_processes(
    bench: &Bench,
    home: &Home,
    dag_id: &str,
    runs: usize,
    tasks: usize,
) -> anyhow::Result<(Vec<f64>, f64)> {
    let flow = home.start().await?;
    flow.knows(dag_id).await?;
    let (mut samples, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..bench.repeats {
        bare.push(tasks as f64 / bare::side_by_side(tasks)?);
        samples.push(tasks as f64 / flow.burst(dag_id, runs).await?);
    }
    flow.stop().await?;
    Ok((samples, crate::report::median(&bare)))
}

/// 5,000 tasks that are nothing but marks in a graph.
pub(crate) async fn empty(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    let target = Target::AtLeast(bench.database.pick(5_000.0, 2_000.0));
    many(bench, home, ("empty", "`empty`", "uses: empty"), Some(target)).await
}

/// 5,000 tasks that a worker takes, but that start no process: the whole way of a task.
pub(crate) async fn dispatch(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    many(bench, home, ("dispatch", "`short_circuit` (worker, no process)", GATE), None).await
}

async fn many(
    bench: &mut Bench,
    home: &Home,
    (workload, name, body): (&'static str, &str, &str),
    target: Option<Target>,
) -> anyhow::Result<()> {
    home.write("hundred", &dag("hundred", &loose(MANY / RUNS, body)))?;
    home.write("thousands", &dag("thousands", &loose(MANY, body)))?;
    let flow = home.start().await?;
    for (dag_id, runs) in [("hundred", RUNS), ("thousands", 1)] {
        let what = if runs == 1 { format!("{MANY} {name}, one run") } else { format!("{MANY} {name}, {runs} runs") };
        bench.say(&what);
        flow.knows(dag_id).await?;
        let mut samples = Vec::new();
        for _ in 0..bench.repeats {
            samples.push(MANY as f64 / flow.burst(dag_id, runs).await?);
        }
        bench.note(Figure {
            workload,
            what,
            database: bench.database.name(),
            unit: "tasks/s",
            samples,
            bare: Some(Bare { what: "one row each", value: bench.bare.commits, unit: "commits/s" }),
            target,
        });
    }
    flow.stop().await
}
