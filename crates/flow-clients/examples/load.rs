//! How fast a file gets into Postgres, beside `psql \copy`: a million rows, in turns, into the same empty table.
//!
//! `scripts/with-postgres --durable cargo run --release --package flow-clients --no-default-features --example load`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and stops when it cannot be made")]

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use flow_clients::sql::{Database, Delimited, Format, Load, OnConflict, Parameters};
use flow_core::connection::Connection;

const ROWS: u64 = 1_000_000;
const TURNS: usize = 5;

#[tokio::main]
async fn main() {
    let url = std::env::var("FLOW_TEST_POSTGRES_URL").expect("scripts/with-postgres sets FLOW_TEST_POSTGRES_URL");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    write(&path);
    println!("{ROWS} rows, {} MB", fs::metadata(&path).unwrap().len() / 1_000_000);

    let database = Database::new(&Connection::parse("db", &url).unwrap()).unwrap();
    let create = "CREATE TABLE IF NOT EXISTS loaded (id BIGINT, day DATE, at TIMESTAMPTZ, city TEXT, amount NUMERIC(10, 2), note TEXT)";
    let mut session = database.session().await.unwrap();
    session.execute(create, &Parameters::None).await.unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        session.execute("TRUNCATE loaded", &Parameters::None).await.unwrap();
        let theirs_now = psql(&url, &path);
        session.execute("TRUNCATE loaded", &Parameters::None).await.unwrap();
        let ours_now = flow(&database, &path).await;
        println!("turn {}: psql {:.2} s, Flow {:.2} s", turn + 1, theirs_now.as_secs_f64(), ours_now.as_secs_f64());
        ours.push(ours_now);
        theirs.push(theirs_now);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "median: psql {:.0} rows/s, Flow {:.0} rows/s: {:.0} %",
        rate(theirs),
        rate(ours),
        100.0 * theirs.as_secs_f64() / ours.as_secs_f64()
    );
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory is not known here"));
}

async fn flow(database: &Database, path: &Path) -> Duration {
    let begun = Instant::now();
    let mut session = database.begin().await.unwrap();
    let format = Format::Delimited(Delimited { delimiter: b',', quote: Some(b'"'), null: String::new(), header: true });
    let load = Load {
        path: path.to_owned(),
        format,
        skip_lines: 0,
        table: "loaded".to_owned(),
        columns: Vec::new(),
        on_conflict: OnConflict::Error,
        bad_rows_max: 0,
    };
    assert_eq!(session.load(&load).await.unwrap().rows, ROWS);
    session.commit().await.unwrap();
    begun.elapsed()
}

fn psql(url: &str, path: &Path) -> Duration {
    let copy = format!("\\copy loaded from '{}' with (format csv, header true)", path.display());
    let begun = Instant::now();
    let done = Command::new("psql").args(["--quiet", "--no-psqlrc", "--command", &copy, url]).status().unwrap();
    assert!(done.success());
    begun.elapsed()
}

fn write(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    writeln!(file, "id,day,at,city,amount,note").unwrap();
    for id in 0..ROWS {
        let (day, second) = (id % 28 + 1, id % 60);
        let note = if id % 10 == 0 { "\"said \"\"no\"\", twice\"" } else { "nothing to say about this one" };
        let amount = id % 100_000;
        writeln!(
            file,
            "{id},2026-01-{day:02},2026-01-{day:02}T12:30:{second:02}Z,city {},{amount}.25,{note}",
            id % 1_000
        )
        .unwrap();
    }
    file.flush().unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn rate(time: Duration) -> f64 {
    ROWS as f64 / time.as_secs_f64()
}
