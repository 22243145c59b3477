//! What `/metrics` shows: the text format of Prometheus.

use std::{fmt, time::Duration};

use metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;

use crate::declared::{ALL, Kind, Metric};

/// Upper bounds of what tasks and runs take: from what a process costs to a day.
const LONG: [f64; 13] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
/// Upper bounds of waits.
const WAITS: [f64; 11] = [0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3_600.0];
/// Upper bounds of what Flow itself does.
const SHORT: [f64; 12] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A gauge that nobody has set for so long is gone: its pool was deleted, or another process tells it.
const FORGET: Duration = Duration::from_secs(20);

/// What is kept until Prometheus comes for it.
pub(crate) struct Prometheus {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prometheus")
    }
}

static METADATA: Metadata<'static> = Metadata::new("flow", Level::INFO, None);

/// Returns the bounds of a timer's buckets.
fn bounds(metric: &Metric) -> &'static [f64] {
    match metric.name {
        "flow_task_duration_seconds" | "flow_run_duration_seconds" => &LONG,
        name if name.ends_with("_delay_seconds")
            || name.ends_with("_queued_duration_seconds")
            || name.ends_with("_scheduled_duration_seconds") =>
        {
            &WAITS
        }
        _ => &SHORT,
    }
}

impl Prometheus {
    pub(crate) fn new() -> Self {
        let timers = ALL.iter().filter(|metric| metric.kind == Kind::Timer);
        let builder = timers.fold(PrometheusBuilder::new(), |builder, metric| {
            let matcher = Matcher::Full(metric.name.to_owned());
            builder.set_buckets_for_metric(matcher, bounds(metric)).expect("there are bounds for every timer")
        });
        let recorder = builder.idle_timeout(MetricKindMask::GAUGE, Some(FORGET)).build_recorder();
        for metric in ALL {
            let (name, help) = (KeyName::from_const_str(metric.name), SharedString::from(help(metric)));
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Timer => recorder.describe_histogram(name, None, help),
            }
        }
        let handle = recorder.handle();
        Self { recorder, handle }
    }

    pub(crate) fn counter(&self, metric: &'static Metric, values: &[&str]) -> Counter {
        self.recorder.register_counter(&key(metric, values), &METADATA)
    }

    pub(crate) fn timer(&self, metric: &'static Metric, values: &[&str]) -> Histogram {
        self.recorder.register_histogram(&key(metric, values), &METADATA)
    }

    /// Looked up each time: one that was forgotten would be set in vain.
    pub(crate) fn set(&self, metric: &'static Metric, values: &[&str], value: f64) {
        self.recorder.register_gauge(&key(metric, values), &METADATA).set(value);
    }

    /// Times pile up until they are counted into their buckets.
    pub(crate) fn keep_house(&self) {
        self.handle.run_upkeep();
    }

    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }
}

/// Returns what a metric says, on one line.
fn help(metric: &Metric) -> String {
    metric.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn key(metric: &'static Metric, values: &[&str]) -> Key {
    let labels = metric.labels.iter().zip(values);
    let labels: Vec<Label> = labels.map(|(label, value)| Label::new(*label, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}
