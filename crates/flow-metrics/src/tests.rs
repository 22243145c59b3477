use std::{collections::BTreeSet, fmt::Write as _, fs, net::UdpSocket, path::Path};

use super::*;
use crate::{
    absent::{ABSENT, why_absent},
    declared::{ALL, From, TASK_FINISHES, TASK_QUEUED_DURATION, TASKS},
};

/// Airflow 3.3's metrics: name, kind, the name with its labels in it (`-`: none).
const AIRFLOW: &str = include_str!("airflow_names.txt");

fn prometheus(dags_max: usize) -> Metrics {
    Metrics::new(Settings { prometheus: true, statsd: None, dags_max, tasks_max: 100 })
}

#[test]
fn every_metric_of_airflow_is_there_or_has_a_reason_not_to_be() {
    let declared: BTreeSet<&str> = ALL.iter().flat_map(|metric| metric.statsd).map(|name| name.tagged).collect();
    let dotted: BTreeSet<&str> = ALL.iter().flat_map(|metric| metric.statsd).filter_map(|name| name.dotted).collect();
    // A label in a name of ours stands for these words.
    let filled: BTreeSet<String> = declared
        .iter()
        .chain(&dotted)
        .flat_map(|name| {
            let words: &[(&str, &str)] = &[
                ("{result}", "success"),
                ("{result}", "failed"),
                ("{part}", "scheduler"),
                ("{part}", "api_server"),
                ("dagrun.duration.{state}", "dagrun.duration.success"),
                ("dagrun.duration.{state}", "dagrun.duration.failed"),
                ("ti.{state}", "ti.scheduled"),
                ("ti.{state}", "ti.queued"),
                ("ti.{state}", "ti.running"),
                ("dags-folder", "{bundle_name}"),
            ];
            let swapped = words.iter().filter(|(from, _)| name.contains(from));
            let swapped = swapped.map(|(from, to)| name.replace(from, to));
            std::iter::once((*name).to_owned()).chain(swapped).collect::<Vec<_>>()
        })
        .collect();
    for line in AIRFLOW.lines() {
        let [name, kind, legacy] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let is_absent = why_absent(name).is_some();
        assert!(filled.contains(name) != is_absent, "{name}: declared {}, absent {is_absent}", filled.contains(name));
        // With one kind of worker, its class is in no name.
        let is_named = legacy == "-" || legacy.contains("{executor_class_name}") || filled.contains(legacy);
        assert!(is_absent || is_named, "{legacy}");
        let metric = ALL.iter().find(|metric| metric.statsd.iter().any(|known| known.tagged == name));
        let is_kind = metric.is_none_or(|metric| kind == format!("{:?}", metric.kind).to_lowercase());
        assert!(is_kind, "{name} is a {kind} in Airflow");
    }
}

#[test]
fn what_is_absent_is_airflows() {
    for pattern in ABSENT.iter().flat_map(|(patterns, _)| *patterns) {
        let is = |name: &str| pattern.strip_suffix('*').map_or(name == *pattern, |start| name.starts_with(start));
        assert!(AIRFLOW.lines().any(|line| is(line.split(' ').next().unwrap())), "{pattern}");
    }
}

#[test]
fn what_is_counted_is_rendered() {
    let metrics = prometheus(2);
    metrics.add(&TASK_FINISHES, &["d", "t", "success"], 2);
    metrics.took(&TASK_QUEUED_DURATION, &["d", "t"], Duration::from_millis(30));
    metrics.keep_house();
    let text = metrics.render().unwrap();
    assert!(text.contains("flow_task_finishes_total{dag_id=\"d\",task_id=\"t\",state=\"success\"} 2\n"), "{text}");
    assert!(text.contains("# HELP flow_task_finishes_total Moves of task instances"), "{text}");
    assert!(text.contains("flow_task_queued_duration_seconds_bucket{dag_id=\"d\",le=\"0.1\"} 1\n"), "{text}");
}

#[test]
fn gauges_that_become_one_are_added_up() {
    let metrics = prometheus(1);
    let found = [("a", 1.0), ("b", 2.0), ("c", 4.0)];
    metrics.found(&TASKS, found.map(|(dag, number)| (vec!["queued", "default", dag, "t"], number)));
    let text = metrics.render().unwrap();
    let line = |dag: &str, task: &str, number: &str| {
        format!(
            "flow_task_instances{{state=\"queued\",queue=\"default\",dag_id=\"{dag}\",task_id=\"{task}\"}} {number}\n"
        )
    };
    assert!(text.contains(&line("a", "t", "1")), "{text}");
    assert!(text.contains(&line("other", "other", "6")), "{text}");
}

#[test]
fn off_is_nothing() {
    let metrics = Metrics::new(Settings { prometheus: false, statsd: None, dags_max: 1, tasks_max: 1 });
    assert!(!metrics.is_on() && metrics.render().is_none());
    metrics.add(&TASK_FINISHES, &["d", "t", "success"], 1);
}

#[tokio::test]
async fn what_was_measured_last_is_sent_at_the_end() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let statsd = StatsdSettings {
        host: "127.0.0.1".to_owned(),
        port: server.local_addr().unwrap().port(),
        prefix: String::new(),
        tags: false,
        allow: Vec::new(),
        block: Vec::new(),
    };
    let metrics = Metrics::new(Settings { prometheus: false, statsd: Some(statsd), dags_max: 9, tasks_max: 9 });
    let running = metrics.run();
    metrics.add(&TASK_FINISHES, &["d", "t", "failed"], 1);
    let mut buffer = [0; 2_000];
    // Within a round, without anything that would fill a buffer.
    let size = tokio::task::spawn_blocking(move || server.recv(&mut buffer).map(|size| (size, buffer, server)));
    let (size, buffer, server) = size.await.unwrap().unwrap();
    let mut text = String::from_utf8_lossy(&buffer[..size]).into_owned();
    metrics.add(&TASK_FINISHES, &["d", "t", "failed"], 7);
    running.end().await;
    let mut buffer = [0; 2_000];
    let size = server.recv(&mut buffer).unwrap();
    text += &String::from_utf8_lossy(&buffer[..size]);
    assert!(text.contains("ti.finish:1|c") && text.contains("ti.finish:7|c"), "{text}");
}

/// The page about metrics; `UPDATE_EXPECT=1` writes it.
#[test]
fn the_page_about_metrics_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    let page = page();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let is_fresh = fs::read_to_string(&path).unwrap_or_default() == page;
    assert!(is_fresh, "docs/reference/metrics.md is stale: run UPDATE_EXPECT=1 cargo test -p flow-metrics");
}

const INTRODUCTION: &str = "# Metrics

Written from `crates/flow-metrics/src/declared.rs` by `UPDATE_EXPECT=1 cargo test -p flow-metrics`; do not edit.

Flow tells what it does in two ways at once: to **Prometheus**, which reads `/metrics`, and to **StatsD**, which is sent
datagrams. [How to watch Flow](../how-to/watch-flow.md) says how to set them up, [examples/monitoring](../../examples/monitoring)
has a dashboard, alerts and the files that belong to them, and [`[metrics]`](configuration.md) the settings.

Names in StatsD are Airflow's, with the prefix `airflow` unless `metrics.statsd_prefix` says otherwise; those that begin
with `flow.` Airflow does not have. Without tags, what is counted or timed is sent under both names, with the labels in it
and without; a gauge only under the one with its labels. With `metrics.statsd_datadog_enabled` there is only the first, with
the labels as tags. Times are milliseconds in StatsD and histograms of seconds in Prometheus.

An operator goes by the last part of its Airflow class (`BashOperator`), else by its own name.

**Which process knows what.** A metric comes from where something happened:

| from | process |
|---|---|
| each | every process: `flow standalone`, `scheduler`, `worker`, `web` |
| scheduler | `flow standalone` and each `flow scheduler`, about itself: add them up |
| duty | one of the schedulers at a time, for all of Flow, every few seconds |
| worker | `flow standalone` and each `flow worker` |
| web | `flow standalone` and each `flow web` |
| changer | whoever made the change: schedulers mostly, the web server and workers for what they changed |

`/metrics` of `flow web` shows what this process knows, which is little without a scheduler in it. Schedulers and workers serve
theirs where `metrics.listen` says.

**Counted when committed.** What is counted of tasks and runs is told by the database transaction that did it, once it has
committed. What was dropped and done again counts once. Counters begin at 0 with the process.

**Bounded.** The first `metrics.max_dags` DAGs and `metrics.max_tasks` tasks have series of their own, the rest share those of
`other`; so have pools, queues, operators, files and topics after the first 200 of each. `flow_metrics_folded_total` says whether it happened.
A gauge that is not told for 20 seconds goes away.
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (kind, title) in [(Kind::Counter, "Counters"), (Kind::Timer, "Timers"), (Kind::Gauge, "Gauges")] {
        let _ = writeln!(page, "\n## {title}\n\n| Prometheus | labels | StatsD | from | |\n|---|---|---|---|---|");
        for metric in ALL.iter().filter(|metric| metric.kind == kind) {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let more = metric.more.iter().map(|label| format!("(`{label}`)"));
            let labels: Vec<String> = labels.into_iter().chain(more).collect();
            let names = metric.statsd.iter().flat_map(|name| [Some(name.tagged), name.dotted]).flatten();
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let from = match metric.from {
                From::Each => "each",
                From::Scheduler => "scheduler",
                From::Duty => "duty",
                From::Worker => "worker",
                From::Web => "web",
                From::Changer => "changer",
            };
            let help: Vec<&str> = metric.help.iter().map(|line| line.trim()).collect();
            let (name, labels, names) = (metric.name, labels.join(" "), names.join(" "));
            let _ = writeln!(page, "| `{name}` | {labels} | {names} | {from} | {} |", help.join(" "));
        }
    }
    page.push_str("\nA label in parentheses is in StatsD only: in Prometheus there would be too many series.\n");
    page.push_str("\n## What Airflow has and Flow has not\n\n| Airflow | why |\n|---|---|\n");
    for (names, why) in ABSENT {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "| {} | {why} |", names.join(" "));
    }
    page
}
