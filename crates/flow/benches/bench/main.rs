//! Measures Flow from outside: real processes of the built binary in homes of their own, on SQLite and on Postgres.
//!
//! Each figure stands beside what the bare machine does in the same run. What is measured is in [`work`]; what the
//! figures mean is in docs/reference/performance.md.

mod bare;
mod flow;
mod machine;
mod report;
mod work;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    flow::Database,
    machine::Machine,
    report::{Figure, Report},
};

/// What was asked for, and what has been measured.
pub(crate) struct Bench {
    pub(crate) repeats: usize,
    pub(crate) database: Database,
    pub(crate) bare: bare::Limits,
    pub(crate) report: Report,
}

impl Bench {
    /// Keeps a figure, and says it at once.
    pub(crate) fn note(&mut self, figure: Figure) {
        eprintln!("  {}", figure.line());
        self.report.figures.push(figure);
    }

    /// Says what is going on.
    pub(crate) fn say(&self, text: &str) {
        eprintln!("  {text} …");
    }
}

fn words(name: &str) -> Option<BTreeSet<String>> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.split(',').map(|word| word.trim().to_owned()).collect())
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let started = Instant::now();
    let repeats = match std::env::var("BENCH_REPEATS") {
        Ok(text) => text.parse().context("BENCH_REPEATS must be a number")?,
        Err(_) => 5,
    };
    if repeats == 0 {
        bail!("BENCH_REPEATS must be at least 1");
    }
    let only = words("BENCH_ONLY");
    let known = [work::NAMES, work::LONG].concat();
    if let Some(unknown) = only.iter().flatten().find(|name| !known.contains(&name.as_str())) {
        bail!("BENCH_ONLY: there is no `{unknown}`; there are: {}", known.join(", "));
    }
    let wanted = words("BENCH_DATABASES");
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
    let mut databases = Vec::new();
    if is_wanted("sqlite") {
        databases.push(Database::Sqlite);
    }
    match std::env::var("FLOW_TEST_POSTGRES_URL") {
        Ok(url) if is_wanted("postgres") => databases.push(Database::Postgres(url)),
        Ok(_) => {}
        Err(_) if is_wanted("postgres") => eprintln!("FLOW_TEST_POSTGRES_URL is not set: without Postgres"),
        Err(_) => {}
    }
    let machine = Machine::look()?;
    eprintln!("{}", machine.line());
    let mut report = Report::new(machine, repeats);
    for database in databases {
        eprintln!("{}", database.name());
        let bare = bare::Limits::measure(&database, repeats).await?;
        eprintln!("  {}", bare.line());
        report.bare.push((database.name(), bare.clone()));
        let mut bench = Bench { repeats, database, bare, report };
        for name in &known {
            if only.as_ref().map_or(!work::LONG.contains(name), |only| only.contains(*name)) {
                work::run(name, &mut bench).await.with_context(|| format!("`{name}` on {}", bench.database.name()))?;
            }
        }
        report = bench.report;
    }
    report.took = started.elapsed();
    report.load_after = machine::load();
    println!("{}", report.table());
    let path = PathBuf::from(std::env::var("BENCH_JSON").unwrap_or_else(|_| "bench.json".to_owned()));
    std::fs::write(&path, report.json()).with_context(|| format!("cannot write `{}`", path.display()))?;
    eprintln!("wrote {} after {:.0} s", path.display(), report.took.as_secs_f64());
    Ok(())
}

/// Waits until something is so.
pub(crate) async fn until<F>(what: &str, every: Duration, most: Duration, mut is_so: F) -> anyhow::Result<()>
where
    F: AsyncFnMut() -> anyhow::Result<bool>,
{
    let deadline = Instant::now() + most;
    while !is_so().await? {
        if Instant::now() > deadline {
            bail!("{what}: not within {} s", most.as_secs());
        }
        tokio::time::sleep(every).await;
    }
    Ok(())
}
