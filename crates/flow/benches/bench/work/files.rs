//! 1,000 DAG files, starting, and doing nothing.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use flow_store::Store;

use crate::{
    Bench,
    flow::{self, Home},
    report::{Bare, Figure, Target, median},
    until,
};

/// DAG files.
const FILES: usize = 1_000;
/// Tasks in each.
const TASKS: usize = 10;
/// Between two looks at whether something is visible.
const LOOK: Duration = Duration::from_millis(2);
const MOST: Duration = Duration::from_secs(60);
/// How long an idle Flow is watched, in all.
const IDLE: Duration = Duration::from_secs(20);

fn name(at: usize) -> String {
    format!("dag_{at:04}")
}

/// A DAG file. Without a start date, so that no moment has been missed and nothing runs.
fn text(at: usize, comment: &str) -> String {
    let mut text = format!(
        "dag_id: {}\ndescription: {comment}\nschedule: \"0 3 * * *\"\ntags: [bench]\n\
         default_args: {{ owner: me, retries: 1, retry_delay: 5m }}\ntasks:\n",
        name(at)
    );
    for task in 0..TASKS {
        let needs = if task == 0 { String::new() } else { format!("    needs: [step_{}]\n", task - 1) };
        let _ = write!(
            text,
            "  - id: step_{task}\n    uses: bash\n{needs}    with:\n      bash_command: echo \"{{{{ ds }}}} step {task} of {{{{ dag.dag_id }}}}\"\n"
        );
    }
    text
}

fn write_all(home: &Home) -> anyhow::Result<()> {
    (0..FILES).try_for_each(|at| home.write(&name(at), &text(at, "as it was")))
}

/// Opens the database of a process that may not have made it yet.
async fn open(home: &Home) -> anyhow::Result<Store> {
    let file = home.place.url.strip_prefix("sqlite:");
    until("a database", LOOK, MOST, async || Ok(file.is_none_or(|file| fs::exists(file).unwrap_or(false)))).await?;
    let mut store = Store::open(&home.place.url).await;
    while store.is_err() {
        tokio::time::sleep(LOOK).await;
        store = Store::open(&home.place.url).await;
    }
    Ok(store?)
}

/// Waits until a DAG is there and has this description. Its tables may not be there yet.
async fn visible(store: &Store, dag_id: &str, description: &str) -> anyhow::Result<()> {
    until(dag_id, LOOK, MOST, async || {
        let found = store.dag(dag_id).await.ok().flatten();
        Ok(found.is_some_and(|dag| dag.description.as_deref() == Some(description)))
    })
    .await
}

/// From nothing to all stored; a restart with one file changed; an edit while it runs.
pub(crate) async fn files(bench: &mut Bench, _home: &Home) -> anyhow::Result<()> {
    bench.say("1,000 files");
    let last = name(FILES - 1);
    let (mut cold, mut warm, mut edit, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.repeats {
        let home = Home::new(&bench.database).await?;
        write_all(&home)?;
        let started = Instant::now();
        for at in 0..FILES {
            fs::read(home.dag_file(&name(at)))?;
        }
        bare.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let child = home.spawn()?;
        let store = open(&home).await?;
        // Files are saved in the order of their names.
        visible(&store, &last, "as it was").await?;
        cold.push(started.elapsed().as_secs_f64());
        home.healthy().await?;
        store.close().await;
        flow::end(child).await?;

        home.write(&last, &text(FILES - 1, "changed before the start"))?;
        let started = Instant::now();
        let child = home.spawn()?;
        let store = open(&home).await?;
        visible(&store, &last, "changed before the start").await?;
        warm.push(started.elapsed().as_secs_f64());
        home.healthy().await?;
        tokio::time::sleep(Duration::from_millis(500)).await;

        let path = home.dag_file(&last);
        let started = Instant::now();
        fs::write(&path, text(FILES - 1, "changed while it runs")).context("edit")?;
        visible(&store, &last, "changed while it runs").await?;
        edit.push(started.elapsed().as_secs_f64());
        store.close().await;
        flow::end(child).await?;
        home.place.leave().await?;
    }
    let reading = median(&bare);
    let read = || Some(Bare { what: "reading the files", value: reading, unit: "s" });
    let commit = Some(Bare { what: "a commit", value: 1.0 / bench.bare.commits, unit: "s" });
    let figures = [
        ("1,000 files × 10 tasks, start → all stored", cold, read(), Some(Target::AtMost(3.0))),
        ("the same again, 1 changed, start → it is visible", warm, read(), Some(Target::AtMost(0.3))),
        ("one edit → visible", edit, commit, Some(Target::AtMost(1.0))),
    ];
    for (what, samples, bare, target) in figures {
        let database = bench.database.name();
        bench.note(Figure { workload: "files", what: what.to_owned(), database, unit: "s", samples, bare, target });
    }
    Ok(())
}

/// Start to healthy.
pub(crate) async fn start(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("start");
    let (mut first, mut again, mut version) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.repeats {
        let fresh = Home::new(&bench.database).await?;
        for samples in [&mut first, &mut again] {
            let started = Instant::now();
            let child = fresh.spawn()?;
            fresh.healthy().await?;
            samples.push(started.elapsed().as_secs_f64());
            flow::end(child).await?;
        }
        fresh.place.leave().await?;
        let started = Instant::now();
        home.command().arg("version").output()?;
        version.push(started.elapsed().as_secs_f64());
    }
    for (what, samples) in [("first start → healthy", first), ("start → healthy", again)] {
        bench.note(Figure {
            workload: "start",
            what: what.to_owned(),
            database: bench.database.name(),
            unit: "s",
            samples,
            bare: Some(Bare { what: "`flow version`", value: median(&version), unit: "s" }),
            target: Some(Target::AtMost(0.5)),
        });
    }
    Ok(())
}

/// Nothing to do, with 1,000 DAGs.
pub(crate) async fn idle(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("idle with 1,000 DAGs");
    write_all(home)?;
    let flow = home.start().await?;
    flow.knows(&name(FILES - 1)).await?;
    // A minute of the timetable must not fall into it, and what the start left behind should be over.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    let window = IDLE / u32::try_from(bench.repeats)?;
    for _ in 0..bench.repeats {
        let (before, started) = (flow.processor_time()?, Instant::now());
        tokio::time::sleep(window).await;
        cpu.push((flow.processor_time()? - before) / started.elapsed().as_secs_f64() * 100.0);
        memory.push(resident(flow.pid())?);
    }
    flow.stop().await?;
    let figures = [
        ("idle with 1,000 DAGs: memory (RSS)", "MB", memory, 80.0),
        ("idle with 1,000 DAGs: of a core", "%", cpu, 1.0),
    ];
    for (what, unit, samples, most) in figures {
        let (database, target) = (bench.database.name(), Some(Target::AtMost(most)));
        bench.note(Figure { workload: "idle", what: what.to_owned(), database, unit, samples, bare: None, target });
    }
    Ok(())
}

/// Returns the memory of a process in MB.
fn resident(pid: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.context("no VmRSS")? * 1024.0 / 1e6)
}
