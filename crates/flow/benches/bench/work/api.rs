//! The REST API: a steady load of reads while runs are under way, and what it does to them.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::{
    Bench,
    flow::{Flow, Home},
    report::{Bare, Figure, Target, median, percentile},
};

/// Runs under way.
const RUNS: usize = 50;
/// Tasks of each, one after the other.
const TASKS: usize = 8;
/// Requests a second.
const RATE: u32 = 200;
/// What screens and scripts ask for; `RUN` is one of the runs under way.
const READS: &[&str] = &[
    "/api/v2/dags?limit=50&order_by=dag_id",
    "/api/v2/dags/load/details",
    "/api/v2/dags/load/dagRuns?limit=25&order_by=-run_after",
    "/api/v2/dags/~/dagRuns?limit=50&state=running",
    "/api/v2/dags/load/dagRuns/RUN",
    "/api/v2/dags/load/dagRuns/RUN/taskInstances?limit=100",
    "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&state=running",
    "/api/v2/dags/load/dagRuns/RUN/taskInstances/t0000",
    "/api/v2/dags/load/dagRuns/RUN/taskInstances/t0000/logs/1?full_content=true",
    "/api/v2/dags/load/tasks",
    "/api/v2/dagStats?dag_ids=load",
    "/api/v2/pools",
    "/api/v2/eventLogs?limit=25&order_by=-event_log_id",
    "/api/v2/monitor/health",
];

/// Somebody who is logged in.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub(super) async fn new(home: &Home) -> anyhow::Result<Self> {
        // Nothing here uses TLS, but the client will not be made without.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let url = format!("http://127.0.0.1:{}", home.port());
        let password = std::fs::read_to_string(home.place.folder().join("admin_password"))?;
        let body = json!({ "username": "admin", "password": password.trim() });
        let answer = http.post(format!("{url}/auth/token")).json(&body).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        let token = answer["access_token"].as_str().context("no token")?.to_owned();
        Ok(Self { http, url, token })
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = request.send().await?.error_for_status().with_context(|| path.to_owned())?;
        Ok(answer.bytes().await?.to_vec())
    }
}

/// 50 runs by themselves, then 50 runs beside 200 requests a second.
pub(crate) async fn reads(bench: &mut Bench, home: &Home) -> anyhow::Result<()> {
    bench.say("requests while runs are under way");
    let mut text = "dag_id: load\nschedule: null\nmax_active_runs: 1000\nmax_active_tasks: 10000\ntasks:\n".to_owned();
    for at in 0..TASKS {
        let needs = if at == 0 { String::new() } else { format!("needs: [t{:04}], ", at - 1) };
        text += &format!("  - {{ id: t{at:04}, {needs}uses: bash, with: {{ bash_command: 'sleep 0.2' }} }}\n");
    }
    home.write("load", &text)?;
    let flow = home.start().await?;
    flow.knows("load").await?;
    let client = Client::new(home).await?;
    flow.burst("load", 1).await?;
    let run = flow.runs("load", 1).await?.first().context("no run")?.run.run_id.to_string();
    let paths: Vec<String> = READS.iter().map(|path| path.replace("RUN", &run.replace('+', "%2B"))).collect();
    let (mut alone, mut beside, mut p50, mut p95, mut rate) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..bench.repeats {
        alone.push(burst(&flow).await?);
        let began = Instant::now();
        let has_ended = Cell::new(false);
        let (took, delays) = tokio::join!(
            async {
                let took = burst(&flow).await;
                has_ended.set(true);
                took
            },
            load(&client, &paths, &has_ended)
        );
        let (stopped, delays) = (began.elapsed().as_secs_f64(), delays?);
        beside.push(took?);
        rate.push(delays.len() as f64 / stopped);
        p50.push(percentile(&delays, 0.5));
        p95.push(percentile(&delays, 0.95));
    }
    flow.stop().await?;
    ensure!(!p95.is_empty(), "nothing was asked");
    let database = bench.database.name();
    let by_itself = Some(Bare { what: "without the requests", value: median(&alone), unit: "s" });
    let most = median(&alone) * 1.1;
    let figures = [
        ("reads beside 50 runs, p50", "ms", p50, None, None),
        ("reads beside 50 runs, p95", "ms", p95, None, Some(Target::AtMost(50.0))),
        ("reads answered", "per s", rate, None, Some(Target::AtLeast(f64::from(RATE) * 0.95))),
        ("the 50 runs, from first to last", "s", beside, by_itself, Some(Target::AtMost(most))),
    ];
    for (what, unit, samples, bare, target) in figures {
        bench.note(Figure { workload: "reads", what: what.to_owned(), database, unit, samples, bare, target });
    }
    Ok(())
}

async fn burst(flow: &Flow) -> anyhow::Result<f64> {
    flow.burst("load", RUNS).await
}

/// Asks at a steady rate for as long as the runs take, whatever the answers take: a delay counts from when the
/// request was due. Returns the delays, in milliseconds.
async fn load(client: &Client, paths: &[String], has_ended: &Cell<bool>) -> anyhow::Result<Vec<f64>> {
    use futures_util::{StreamExt as _, stream::FuturesUnordered};
    let mut asked = FuturesUnordered::new();
    let mut delays = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut at = 0;
    loop {
        tokio::select! {
            due = ticks.tick(), if !has_ended.get() => {
                let path = &paths[at % paths.len()];
                at += 1;
                asked.push(async move {
                    client.get(path).await?;
                    anyhow::Ok(due.elapsed().as_secs_f64() * 1e3)
                });
            }
            Some(delay) = asked.next(), if !asked.is_empty() => delays.push(delay?),
            else => return Ok(delays),
        }
    }
}
