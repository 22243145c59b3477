//! StatsD over UDP, in Airflow's two dialects: names with the labels in them, or DogStatsD tags.
//!
//! Nobody who measures ever waits: counters and gauges are kept and sent once a second, times are put in a buffer of
//! bounded size, and [`run`] alone has the socket, which never blocks. What does not fit or cannot be sent is dropped
//! and counted. Why no crate does it: docs/decisions/metrics.md.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use regex::Regex;
use tokio::{
    net::lookup_host,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tracing::{debug, info};

use crate::declared::Metric;

/// Where and how to send.
#[derive(Clone, Debug)]
pub struct StatsdSettings {
    pub host: String,
    pub port: u16,
    /// Before every name, with a dot; may be empty.
    pub prefix: String,
    /// DogStatsD tags instead of names with the labels in them.
    pub tags: bool,
    /// When there are any, only names in which one is found are sent, and `block` counts for nothing.
    pub allow: Vec<Regex>,
    /// Names in which one is found are not sent.
    pub block: Vec<Regex>,
}

/// Bytes of a datagram: what goes through an Ethernet in one piece.
const DATAGRAM: usize = 1_432;
/// Bytes of times that wait to be sent: more than a second's worth of the fastest scheduler.
const BUFFER: usize = 1024 * 1024;
/// Longest a name may be, as in Airflow.
const NAME_MAX: usize = 250;
/// Between two looks at the times that wait: short, so that no burst overruns the server's buffer.
const OFTEN: Duration = Duration::from_millis(100);
/// Between two rounds of counters and gauges.
const ROUND: Duration = Duration::from_secs(1);
/// The server's name is looked up again so often, in case it moved.
const LOOK_UP: Duration = Duration::from_secs(60);
/// The same while it has no address.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);
/// Longest that looking it up may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// What goes before and after a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Line {
    head: Arc<str>,
    /// Tags, with what goes before them.
    tail: Arc<str>,
}

/// What waits to be sent.
#[derive(Debug)]
pub(crate) struct Statsd {
    settings: StatsdSettings,
    counters: Mutex<HashMap<Line, Arc<AtomicU64>>>,
    /// Those that were set since the last round.
    gauges: Mutex<HashMap<Line, f64>>,
    times: Mutex<Vec<u8>>,
    dropped: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Statsd {
    pub(crate) fn new(settings: StatsdSettings) -> Self {
        let prefix = word(&settings.prefix);
        Self {
            settings: StatsdSettings { prefix, ..settings },
            counters: Mutex::default(),
            gauges: Mutex::default(),
            times: Mutex::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Returns what a metric is called with these labels, as far as the lists let it through. `plain`: in dotted names
    /// also the name without labels, which sums up what is added and would mix up what is set.
    pub(crate) fn lines(&self, metric: &Metric, values: &[&str], plain: bool) -> Vec<Line> {
        let labels = || metric.labels.iter().chain(metric.more).copied().zip(values.iter().copied());
        let mut lines = Vec::new();
        for name in metric.statsd {
            if self.settings.tags {
                let tags: Vec<String> = labels().map(|(label, value)| format!("{label}:{}", tag(value))).collect();
                let tail = if tags.is_empty() { String::new() } else { format!("|#{}", tags.join(",")) };
                lines.extend(self.line(&fill(name.tagged, labels()), &tail));
                continue;
            }
            // `{…}` in a plain name tells apart what the plain name would mix up otherwise.
            if plain || metric.labels.is_empty() || name.tagged.contains('{') && name.dotted.is_none() {
                lines.extend(self.line(&fill(name.tagged, labels()), ""));
            }
            lines.extend(name.dotted.and_then(|dotted| self.line(&fill(dotted, labels()), "")));
        }
        lines
    }

    fn line(&self, name: &str, tail: &str) -> Option<Line> {
        let StatsdSettings { prefix, allow, block, .. } = &self.settings;
        let small = name.to_lowercase();
        let is_wanted = if allow.is_empty() {
            !block.iter().any(|pattern| pattern.is_match(&small))
        } else {
            allow.iter().any(|pattern| pattern.is_match(&small))
        };
        let mut head = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        // All of it is ASCII.
        head.truncate(NAME_MAX);
        is_wanted.then(|| Line { head: head.into(), tail: tail.into() })
    }

    /// Returns what is added to, one for each name.
    pub(crate) fn counters(&self, lines: Vec<Line>) -> Vec<Arc<AtomicU64>> {
        let mut counters = lock(&self.counters);
        lines.into_iter().map(|line| counters.entry(line).or_default().clone()).collect()
    }

    pub(crate) fn set(&self, lines: Vec<Line>, value: f64) {
        lock(&self.gauges).extend(lines.into_iter().map(|line| (line, value)));
    }

    pub(crate) fn time(&self, lines: &[Line], time: Duration) {
        let mut times = lock(&self.times);
        if times.len() > BUFFER {
            self.dropped.fetch_add(lines.len() as u64, Ordering::Relaxed);
            return;
        }
        // Whole numbers: writing a fraction down would cost more than all the rest.
        let micros = time.saturating_add(Duration::from_nanos(500)).as_micros();
        for line in lines {
            put(&mut times, line, format_args!("{}.{:03}|ms", micros / 1_000, micros % 1_000));
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }

    /// Takes what was counted and set since the last round.
    fn round(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (line, counter) in lock(&self.counters).iter() {
            let number = counter.swap(0, Ordering::Relaxed);
            if number > 0 {
                put(&mut out, line, format_args!("{number}|c"));
            }
        }
        for (line, value) in lock(&self.gauges).drain() {
            // With a sign it would be a change of the value that is there.
            if value < 0.0 && !self.settings.tags {
                put(&mut out, &line, format_args!("0|g"));
            }
            put(&mut out, &line, format_args!("{value}|g"));
        }
        out
    }

    /// Sends lines, as many in a datagram as fit.
    fn send(&self, socket: Option<&UdpSocket>, lines: &[u8]) {
        let mut rest = lines;
        while !rest.is_empty() {
            let fits = if rest.len() <= DATAGRAM {
                rest.len()
            } else {
                // A line by itself may be longer: it is sent all the same.
                let end = rest[..DATAGRAM].iter().rposition(|byte| *byte == b'\n');
                end.or_else(|| rest.iter().position(|byte| *byte == b'\n')).map_or(rest.len(), |end| end + 1)
            };
            let (datagram, others) = rest.split_at(fits);
            let sent = match socket {
                Some(socket) => socket.send(datagram.strip_suffix(b"\n").unwrap_or(datagram)),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            if sent.is_err() {
                let lost = datagram.iter().filter(|byte| **byte == b'\n').count();
                self.dropped.fetch_add(lost as u64, Ordering::Relaxed);
            }
            rest = others;
        }
    }

    fn send_times(&self, socket: Option<&UdpSocket>) {
        let times = std::mem::take(&mut *lock(&self.times));
        self.send(socket, &times);
    }
}

/// Sends until it is dropped.
pub(crate) async fn run(statsd: Arc<Statsd>) {
    let mut ticks = interval(OFTEN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut outlet = Outlet { statsd, socket: None, address: None, look_up_at: Instant::now() };
    let mut round_at = Instant::now() + ROUND;
    loop {
        ticks.tick().await;
        let now = Instant::now();
        if now >= outlet.look_up_at {
            outlet.look_up().await;
        }
        outlet.statsd.send_times(outlet.socket.as_ref());
        if now >= round_at {
            round_at = now + ROUND;
            outlet.send_round();
        }
    }
}

/// The way out; what is left is sent when it goes.
struct Outlet {
    statsd: Arc<Statsd>,
    socket: Option<UdpSocket>,
    address: Option<SocketAddr>,
    look_up_at: Instant,
}

impl Outlet {
    fn send_round(&self) {
        let lines = self.statsd.round();
        self.statsd.send(self.socket.as_ref(), &lines);
    }

    /// Finds the server, and connects when it is elsewhere than before.
    async fn look_up(&mut self) {
        let StatsdSettings { host, port, .. } = &self.statsd.settings;
        let found = timeout(LOOK_UP_MAX, lookup_host((host.as_str(), *port))).await;
        let address = found.ok().and_then(Result::ok).and_then(|mut found| found.next());
        if address.is_some() && address != self.address {
            match address.map(connect) {
                Some(Ok(socket)) => {
                    info!(host, port, "sending metrics to StatsD");
                    (self.socket, self.address) = (Some(socket), address);
                }
                Some(Err(error)) => debug!(%error, host, "cannot send metrics to StatsD"),
                None => {}
            }
        }
        if address.is_none() {
            debug!(host, "the StatsD server has no address");
        }
        self.look_up_at = Instant::now() + if self.socket.is_some() { LOOK_UP } else { LOOK_UP_AGAIN };
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.statsd.send_times(self.socket.as_ref());
        self.send_round();
    }
}

fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    socket.connect(address)?;
    Ok(socket)
}

fn put(out: &mut Vec<u8>, line: &Line, value: std::fmt::Arguments<'_>) {
    out.extend_from_slice(line.head.as_bytes());
    out.push(b':');
    // Writing into memory does not fail.
    let _ = out.write_fmt(value);
    out.extend_from_slice(line.tail.as_bytes());
    out.push(b'\n');
}

/// Puts values into a name.
fn fill<'a>(template: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut name = template.to_owned();
    if name.contains('{') {
        for (label, value) in labels {
            name = name.replace(&format!("{{{label}}}"), &word(value));
        }
    }
    name
}

/// Returns a value as a part of a name: what a server might take apart becomes `_`.
fn word(value: &str) -> String {
    value.chars().map(|c| if c.is_ascii_alphanumeric() || "-_./".contains(c) { c } else { '_' }).collect()
}

/// Returns a value as it may stand in a tag.
fn tag(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || ",|:#".contains(c) { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared;

    fn statsd(tags: bool, allow: &[&str], block: &[&str]) -> Statsd {
        let read = |list: &[&str]| list.iter().map(|text| Regex::new(text).unwrap()).collect();
        Statsd::new(StatsdSettings {
            host: "127.0.0.1".to_owned(),
            port: 1,
            prefix: "airflow".to_owned(),
            tags,
            allow: read(allow),
            block: read(block),
        })
    }

    fn names(statsd: &Statsd, metric: &'static Metric, values: &[&str], plain: bool) -> Vec<String> {
        statsd.lines(metric, values, plain).iter().map(|line| format!("{}{}", line.head, line.tail)).collect()
    }

    #[test]
    fn a_name_has_its_labels_in_it_or_behind_it() {
        let values = ["a.b", "load it", "success"];
        assert_eq!(
            names(&statsd(false, &[], &[]), &declared::TASK_FINISHES, &values, true),
            ["airflow.ti.finish", "airflow.ti.finish.a.b.load_it.success"]
        );
        assert_eq!(
            names(&statsd(true, &[], &[]), &declared::TASK_FINISHES, &["a", "x|y", "success"], true),
            ["airflow.ti.finish|#dag_id:a,task_id:x_y,state:success"]
        );
    }

    #[test]
    fn a_gauge_without_tags_has_no_name_that_others_share() {
        let dotted = statsd(false, &[], &[]);
        assert_eq!(names(&dotted, &declared::POOL_OPEN_SLOTS, &["p"], false), ["airflow.pool.open_slots.p"]);
        assert_eq!(
            names(&dotted, &declared::DAG_CACHE_SIZE, &["worker"], false),
            ["airflow.worker.dag_bag.cache_size"]
        );
        assert_eq!(names(&dotted, &declared::DAGS, &[], false), ["airflow.dagbag_size"]);
    }

    #[test]
    fn the_list_of_what_is_let_through_goes_before_the_other() {
        let both = statsd(false, &["^ti", "pool"], &["ti"]);
        assert_eq!(names(&both, &declared::TASK_STARTS, &["D", "t"], true).len(), 2);
        assert!(names(&both, &declared::DAGS, &[], true).is_empty());
        let block = statsd(false, &[], &["dagbag"]);
        assert!(names(&block, &declared::DAGS, &[], true).is_empty());
        assert_eq!(names(&block, &declared::TASK_STARTS, &["D", "t"], true).len(), 2);
    }

    #[test]
    fn a_round_has_every_count_once_and_negative_values_whole() {
        let statsd = statsd(false, &[], &[]);
        for counter in statsd.counters(statsd.lines(&declared::SCHEDULER_HEARTBEATS, &[], true)) {
            counter.fetch_add(3, Ordering::Relaxed);
        }
        statsd.set(statsd.lines(&declared::POOL_OPEN_SLOTS, &["p"], false), -2.0);
        let text = String::from_utf8(statsd.round()).unwrap();
        assert_eq!(
            text,
            "airflow.scheduler_heartbeat:3|c\nairflow.pool.open_slots.p:0|g\nairflow.pool.open_slots.p:-2|g\n"
        );
        assert!(statsd.round().is_empty());
    }

    #[test]
    fn datagrams_hold_whole_lines_and_what_has_no_server_is_counted() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = connect(server.local_addr().unwrap()).unwrap();
        let statsd = statsd(false, &[], &[]);
        let lines = statsd.lines(&declared::TASK_DURATION, &["dag", "task"], true);
        for _ in 0..100 {
            statsd.time(&lines, Duration::from_nanos(1_007_499));
        }
        statsd.send_times(Some(&socket));
        let (mut found, mut buffer) = (0, [0; 2_000]);
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        while found < 200 {
            let size = server.recv(&mut buffer).unwrap();
            assert!(size <= DATAGRAM);
            let text = std::str::from_utf8(&buffer[..size]).unwrap();
            assert!(text.lines().all(|line| line.ends_with(":1.007|ms")), "{text}");
            found += text.lines().count();
        }
        assert_eq!((found, statsd.dropped()), (200, 0));
        statsd.time(&lines, Duration::ZERO);
        statsd.send_times(None);
        assert_eq!(statsd.dropped(), 2);
    }

    #[test]
    fn times_that_nobody_sends_are_bounded() {
        let statsd = statsd(false, &[], &[]);
        let lines = statsd.lines(&declared::TASK_DURATION, &["dag", "task"], true);
        for _ in 0..40_000 {
            statsd.time(&lines, Duration::ZERO);
        }
        assert!(lock(&statsd.times).len() < BUFFER + 1_000);
        assert!(statsd.dropped() > 0);
    }
}
