//! Metrics: what is measured ([`declared`]), and the two ways out, Prometheus and StatsD.
//!
//! Knows nothing of DAGs or databases: whoever saw something happen takes a handle ([`Metrics::counter`],
//! [`Metrics::timer`]) and adds to it. Nothing here waits, and everything is bounded: the number of names in labels,
//! and what waits to be sent. With both ways out closed a handle does nothing.

pub mod absent;
pub mod declared;
mod names;
mod prometheus;
mod statsd;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use declared::{Kind, Metric};
use names::Names;
use prometheus::Prometheus;
use statsd::{Line, Statsd};
use tokio::task::JoinHandle;

pub use statsd::StatsdSettings;

/// What is measured, and where it goes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Keep what `/metrics` shows.
    pub prometheus: bool,
    pub statsd: Option<StatsdSettings>,
    /// Most DAGs that are told apart.
    pub dags_max: usize,
    /// Most tasks that are told apart, of all DAGs together.
    pub tasks_max: usize,
}

/// Where metrics go. Cheap to clone; clones share.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    prometheus: Option<Prometheus>,
    statsd: Option<Arc<Statsd>>,
    names: Names,
    /// Gauges that hold until they are set again.
    standing: Mutex<Standing>,
}

/// Values by name and labels.
type Standing = BTreeMap<(&'static str, Vec<String>), (&'static Metric, f64)>;

/// Between two rounds of upkeep.
const UPKEEP: Duration = Duration::from_secs(5);

/// What a counter is added to.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    prometheus: Option<metrics::Counter>,
    statsd: Vec<Arc<AtomicU64>>,
}

impl Counter {
    /// Adds.
    pub fn add(&self, number: u64) {
        if let Some(counter) = &self.prometheus {
            counter.increment(number);
        }
        for counter in &self.statsd {
            counter.fetch_add(number, Ordering::Relaxed);
        }
    }
}

/// What a time is told to.
#[derive(Clone, Debug, Default)]
pub struct Timer {
    prometheus: Option<metrics::Histogram>,
    statsd: Option<(Arc<Statsd>, Vec<Line>)>,
}

impl Timer {
    /// Tells how long it took.
    pub fn took(&self, time: Duration) {
        if let Some(histogram) = &self.prometheus {
            histogram.record(time.as_secs_f64());
        }
        if let Some((statsd, lines)) = &self.statsd {
            statsd.time(lines, time);
        }
    }
}

impl Metrics {
    /// Opens the ways out that the settings want; see [`Metrics::run`].
    pub fn new(settings: Settings) -> Self {
        let Settings { prometheus, statsd, dags_max, tasks_max } = settings;
        if !prometheus && statsd.is_none() {
            return Self::default();
        }
        Self(Some(Arc::new(Inner {
            prometheus: prometheus.then(Prometheus::new),
            statsd: statsd.map(|settings| Arc::new(Statsd::new(settings))),
            names: Names::new(dags_max, tasks_max),
            standing: Mutex::default(),
        })))
    }

    /// Measures nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Says whether anything is measured.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Returns what to add to, for these labels in the order of the declaration; [`Metric::more`] comes last.
    pub fn counter(&self, metric: &'static Metric, values: &[&str]) -> Counter {
        debug_assert_eq!(metric.kind, Kind::Counter, "{}", metric.name);
        let Some(inner) = &self.0 else { return Counter::default() };
        let values = &*inner.folded(metric, values);
        Counter {
            prometheus: inner.prometheus.as_ref().map(|prometheus| prometheus.counter(metric, values)),
            statsd: inner
                .statsd
                .as_ref()
                .map(|statsd| statsd.counters(statsd.lines(metric, values, true)))
                .unwrap_or_default(),
        }
    }

    /// Adds.
    pub fn add(&self, metric: &'static Metric, values: &[&str], number: u64) {
        self.counter(metric, values).add(number);
    }

    /// Returns what to tell times to; labels as for [`Metrics::counter`].
    pub fn timer(&self, metric: &'static Metric, values: &[&str]) -> Timer {
        debug_assert_eq!(metric.kind, Kind::Timer, "{}", metric.name);
        let Some(inner) = &self.0 else { return Timer::default() };
        let values = &*inner.folded(metric, values);
        let lines = inner.statsd.as_ref().map(|statsd| (statsd.clone(), statsd.lines(metric, values, true)));
        Timer {
            prometheus: inner.prometheus.as_ref().map(|prometheus| prometheus.timer(metric, values)),
            statsd: lines.filter(|(_, lines)| !lines.is_empty()),
        }
    }

    /// Tells how long something took.
    pub fn took(&self, metric: &'static Metric, values: &[&str], time: Duration) {
        self.timer(metric, values).took(time);
    }

    /// Sets a gauge to what was found, of each combination of labels. Values whose labels become the same are added up.
    /// Who does not set it again within some seconds knows no more of it: it goes away.
    pub fn found<'a>(&self, metric: &'static Metric, found: impl IntoIterator<Item = (Vec<&'a str>, f64)>) {
        debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
        let Some(inner) = &self.0 else { return };
        let mut sums: BTreeMap<Vec<String>, f64> = BTreeMap::new();
        for (values, value) in found {
            let values = inner.folded(metric, &values).iter().map(|value| (*value).to_owned()).collect();
            *sums.entry(values).or_default() += value;
        }
        for (values, value) in sums {
            inner.set(metric, &values.iter().map(String::as_str).collect::<Vec<_>>(), value);
        }
    }

    /// Sets a gauge that holds until it is set again, or this process ends.
    pub fn hold(&self, metric: &'static Metric, values: &[&str], value: f64) {
        debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
        let Some(inner) = &self.0 else { return };
        let values = inner.folded(metric, values);
        inner.set(metric, &values, value);
        let key = (metric.name, values.iter().map(|value| (*value).to_owned()).collect());
        inner.standing().insert(key, (metric, value));
    }

    /// Returns what Prometheus reads; `None` when nothing is kept for it.
    pub fn render(&self) -> Option<String> {
        self.0.as_ref()?.prometheus.as_ref().map(Prometheus::render)
    }

    /// Keeps house and sends, until the guard is let go.
    #[must_use]
    pub fn run(&self) -> Running {
        let Some(inner) = self.0.clone() else { return Running::default() };
        let mut tasks = Vec::new();
        if let Some(statsd) = inner.statsd.clone() {
            tasks.push(tokio::spawn(statsd::run(statsd)));
        }
        let metrics = self.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                metrics.keep_house();
                tokio::time::sleep(UPKEEP).await;
            }
        }));
        Running(tasks)
    }

    fn keep_house(&self) {
        let Some(inner) = &self.0 else { return };
        if let Some(statsd) = &inner.statsd {
            self.add(&declared::STATSD_DROPPED, &[], statsd.dropped());
        }
        for (label, number) in inner.names.folded_since() {
            self.add(&declared::NAMES_FOLDED, &[label], number);
        }
        let standing = inner.standing().clone();
        for ((_, values), (metric, value)) in &standing {
            inner.set(metric, &values.iter().map(String::as_str).collect::<Vec<_>>(), *value);
        }
        if let Some(prometheus) = &inner.prometheus {
            prometheus.keep_house();
        }
    }
}

impl Inner {
    fn folded<'a>(&self, metric: &'static Metric, values: &[&'a str]) -> Vec<&'a str> {
        debug_assert_eq!(values.len(), metric.labels.len() + metric.more.len(), "{}", metric.name);
        self.names.fold(metric.labels.iter().chain(metric.more).copied().zip(values.iter().copied()))
    }

    fn set(&self, metric: &'static Metric, values: &[&str], value: f64) {
        if let Some(prometheus) = &self.prometheus {
            prometheus.set(metric, values, value);
        }
        if let Some(statsd) = &self.statsd {
            statsd.set(statsd.lines(metric, values, false), value);
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What runs beside a process that measures.
#[derive(Debug, Default)]
pub struct Running(Vec<JoinHandle<()>>);

impl Running {
    /// Ends it; what was measured until now is sent.
    pub async fn end(self) {
        for task in self.0 {
            task.abort();
            // It was asked to end: that it did not end by itself is no news.
            let _ = task.await;
        }
    }
}

#[cfg(test)]
mod tests;
