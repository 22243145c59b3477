//! Gauges: how much there is to do, and how full the disk is, every few seconds.
//!
//! Of all schedulers one asks the database, for all of them: the oldest that is alive ([`is_on_duty`]). That is no lock:
//! for some seconds there may be two, or none.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use flow_core::Timestamp;
use flow_metrics::{
    Metrics,
    declared::{
        BUILD_INFO, CALLBACKS_PENDING, DAG_CACHE_HITS, DAG_CACHE_MISSES, DAG_CACHE_SIZE, DAG_IMPORT_ERRORS, DAGS,
        DISK_FREE, DISK_SIZE, EXECUTOR_OPEN_SLOTS, EXECUTOR_QUEUED_TASKS, EXECUTOR_RUNNING_TASKS, POOL_OPEN_SLOTS,
        POOL_QUEUED_SLOTS, POOL_RUNNING_SLOTS, POOL_SCHEDULED_SLOTS, POOL_STARVING_TASKS, RUNS_QUEUED, RUNS_RUNNING,
        SCHEDULERS, TASKS, TASKS_STARVING, WORKERS,
    },
};
use flow_store::{CacheUse, DagCache, Load, Process, Store, StoreError};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::number;
use crate::Clock;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// A look that takes long is made less often: it takes this part of the time, unless that were too seldom.
const PART: u32 = 20;
/// Though never so seldom that what was told is forgotten in between (`flow_metrics`: after 20 seconds).
const SELDOM: Duration = Duration::from_secs(9);
/// A database that does not answer for so long is asked again at the next look.
const PATIENCE: Duration = Duration::from_secs(10);
/// A scheduler that is silent for longer is not on duty.
const SILENT: Duration = Duration::from_secs(30);

/// What a process looks at.
#[derive(Clone, Debug)]
pub struct Gauges {
    pub metrics: Metrics,
    pub store: Store,
    pub dags: DagCache,
    pub clock: Clock,
    /// `scheduler`, `worker` or `api_server`.
    pub part: &'static str,
    /// The process's id in the database, when it schedules.
    pub scheduler: Option<String>,
    /// How long a silent worker is believed to be alive.
    pub lease: Duration,
    /// Where things are kept, by name.
    pub places: Vec<(&'static str, PathBuf)>,
    pub version: &'static str,
}

impl Gauges {
    /// Looks every few seconds, until it is dropped.
    pub async fn run(self) {
        if !self.metrics.is_on() {
            return;
        }
        self.metrics.hold(&BUILD_INFO, &[self.version], 1.0);
        // A place that does not answer, such as a network file system, must not keep the others.
        tokio::join!(self.watch_database(), self.watch_disk());
    }

    async fn watch_database(&self) {
        let (mut before, mut told) = (CacheUse::default(), Told::default());
        loop {
            self.cache(&mut before);
            let began = Instant::now();
            match timeout(PATIENCE, self.on_duty(&mut told)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "could not find out how much there is to do"),
                Err(_) => debug!("could not find out how much there is to do: the database does not answer"),
            }
            sleep((began.elapsed() * PART).clamp(EVERY, SELDOM)).await;
        }
    }

    async fn watch_disk(&self) {
        loop {
            let places = self.places.clone();
            let found = tokio::task::spawn_blocking(move || room_in(&places)).await.unwrap_or_default();
            for (place, free, size) in found {
                self.metrics.found(&DISK_FREE, [(vec![place], free)]);
                self.metrics.found(&DISK_SIZE, [(vec![place], size)]);
            }
            sleep(EVERY).await;
        }
    }

    fn cache(&self, before: &mut CacheUse) {
        let now = self.dags.usage();
        self.metrics.add(&DAG_CACHE_HITS, &[self.part], now.hits - before.hits);
        self.metrics.add(&DAG_CACHE_MISSES, &[self.part], now.misses - before.misses);
        self.metrics.found(&DAG_CACHE_SIZE, [(vec![self.part], number(now.versions))]);
        *before = now;
    }

    async fn on_duty(&self, told: &mut Told) -> Result<(), StoreError> {
        let Some(me) = &self.scheduler else { return Ok(()) };
        let processes = self.store.processes().await?;
        let now = self.clock.now();
        if is_on_duty(me, &processes, now) {
            let slots = tell_processes(&self.metrics, &processes, self.lease, now);
            told.tell(&self.metrics, &self.store.load().await?, slots);
        } else {
            *told = Told::default();
        }
        Ok(())
    }
}

/// Says whether a scheduler is the oldest of those that are alive. `processes`: the oldest first.
fn is_on_duty(me: &str, processes: &[Process], now: Timestamp) -> bool {
    let mut alive = processes.iter().filter(|process| process.kind != "worker" && is_heard(process, SILENT, now));
    alive.next().is_some_and(|first| first.id == me)
}

fn is_heard(process: &Process, silence: Duration, now: Timestamp) -> bool {
    now.since(Timestamp::from_micros(process.heartbeat_at)) <= silence
}

/// Returns how many slots the workers have.
fn tell_processes(metrics: &Metrics, processes: &[Process], lease: Duration, now: Timestamp) -> i64 {
    let schedulers = processes.iter().filter(|process| process.kind != "worker" && is_heard(process, SILENT, now));
    let works = |process: &&Process| process.slots > 0 && is_heard(process, lease, now);
    let slots: Vec<i64> = processes.iter().filter(works).map(|process| process.slots).collect();
    metrics.found(&SCHEDULERS, [(vec![], number(schedulers.count()))]);
    metrics.found(&WORKERS, [(vec![], number(slots.len()))]);
    slots.iter().sum()
}

/// What was told last, so that what is there no more is told once as nothing.
#[derive(Debug, Default)]
struct Told {
    tasks: BTreeMap<[String; 4], f64>,
}

impl Told {
    fn tell(&mut self, metrics: &Metrics, load: &Load, slots: i64) {
        self.tell_tasks(metrics, load);
        tell_pools(metrics, load);
        let sum = |state: &str| load.tasks.iter().filter(|task| task.state == state).map(|task| task.number).sum();
        let (queued, running): (i64, i64) = (sum("queued"), sum("running"));
        for (gauge, value) in [
            (&EXECUTOR_QUEUED_TASKS, queued),
            (&EXECUTOR_RUNNING_TASKS, running),
            (&EXECUTOR_OPEN_SLOTS, (slots - running).max(0)),
            (&RUNS_QUEUED, load.runs_queued),
            (&RUNS_RUNNING, load.runs_running),
            (&DAGS, load.dags),
            (&DAG_IMPORT_ERRORS, load.import_errors),
            (&CALLBACKS_PENDING, load.callbacks),
        ] {
            metrics.found(gauge, [(Vec::new(), float(value))]);
        }
    }

    fn tell_tasks(&mut self, metrics: &Metrics, load: &Load) {
        let mut tasks: BTreeMap<[String; 4], f64> = std::mem::take(&mut self.tasks)
            .into_iter()
            .filter(|(_, number)| *number > 0.0)
            .map(|(names, _)| (names, 0.0))
            .collect();
        for task in &load.tasks {
            let names = [&task.state, &task.queue, &task.dag_id, &task.task_id].map(String::clone);
            *tasks.entry(names).or_default() += float(task.number);
        }
        metrics.found(
            &TASKS,
            tasks.iter().map(|(names, number)| (names.iter().map(String::as_str).collect::<Vec<_>>(), *number)),
        );
        self.tasks = tasks;
    }
}

fn tell_pools(metrics: &Metrics, load: &Load) {
    let mut starving_in_all = 0;
    for (name, slots) in &load.pools {
        let of = |state: &'static str| load.tasks.iter().filter(move |task| task.pool == *name && task.state == state);
        let used = |state| of(state).map(|task| task.slots).sum::<i64>();
        let (queued, running) = (used("queued"), used("running"));
        let open = (*slots >= 0).then(|| slots - queued - running);
        let starving =
            if open.is_some_and(|open| open <= 0) { of("scheduled").map(|task| task.number).sum() } else { 0 };
        starving_in_all += starving;
        for (gauge, value) in [
            (&POOL_QUEUED_SLOTS, queued),
            (&POOL_RUNNING_SLOTS, running),
            (&POOL_SCHEDULED_SLOTS, used("scheduled")),
            (&POOL_STARVING_TASKS, starving),
        ] {
            metrics.found(gauge, [(vec![name.as_str()], float(value))]);
        }
        if let Some(open) = open {
            metrics.found(&POOL_OPEN_SLOTS, [(vec![name.as_str()], float(open))]);
        }
    }
    metrics.found(&TASKS_STARVING, [(Vec::new(), float(starving_in_all))]);
}

/// Returns the bytes that are free and all there are, of each place that is there. Places that are one disk are told each.
fn room_in(places: &[(&'static str, PathBuf)]) -> Vec<(&'static str, f64, f64)> {
    let room = |path: &PathBuf| {
        let found = nix::sys::statvfs::statvfs(path).ok()?;
        let bytes =
            |blocks: u64| float(i64::try_from(blocks.saturating_mul(found.fragment_size())).unwrap_or(i64::MAX));
        Some((bytes(found.blocks_available()), bytes(found.blocks())))
    };
    places.iter().filter_map(|(name, path)| room(path).map(|(free, size)| (*name, free, size))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than a float can count")]
fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use flow_metrics::Settings;
    use flow_store::TaskLoad;

    use super::*;

    fn process(id: &str, kind: &str, heard: i64) -> Process {
        Process {
            id: id.to_owned(),
            kind: kind.to_owned(),
            hostname: String::new(),
            machine: String::new(),
            pid: 1,
            pid_started: String::new(),
            slots: 4,
            queues: "[]".to_owned(),
            version: String::new(),
            started_at: 0,
            heartbeat_at: heard * 1_000_000,
            ended_at: None,
        }
    }

    #[test]
    fn the_oldest_scheduler_that_is_heard_of_is_on_duty() {
        let now = Timestamp::from_micros(100_000_000);
        let processes = [
            process("w", "worker", 99),
            process("silent", "scheduler", 60),
            process("a", "scheduler", 95),
            process("b", "standalone", 99),
        ];
        let on_duty = |me: &str| is_on_duty(me, &processes, now);
        assert_eq!(["w", "silent", "a", "b"].map(on_duty), [false, false, true, false]);
    }

    fn tasks(state: &str, pool: &str, number: i64, slots: i64) -> TaskLoad {
        let [queue, dag_id, task_id] = ["default", "d", "t"].map(str::to_owned);
        TaskLoad { state: state.to_owned(), queue, dag_id, task_id, pool: pool.to_owned(), number, slots }
    }

    #[test]
    fn what_is_over_is_told_as_nothing_and_a_full_pool_starves() {
        let metrics = Metrics::new(Settings { prometheus: true, statsd: None, dags_max: 5, tasks_max: 5 });
        let mut told = Told::default();
        let pools = vec![("small".to_owned(), 4), ("endless".to_owned(), -1)];
        let busy = Load {
            tasks: vec![
                tasks("running", "small", 2, 4),
                tasks("scheduled", "small", 3, 6),
                tasks("scheduled", "endless", 1, 1),
            ],
            pools: pools.clone(),
            ..Load::default()
        };
        told.tell(&metrics, &busy, 16);
        let text = metrics.render().unwrap();
        for line in [
            "flow_pool_open_slots{pool_name=\"small\"} 0",
            "flow_pool_starving_tasks{pool_name=\"small\"} 3",
            "flow_pool_scheduled_slots{pool_name=\"endless\"} 1",
            "flow_tasks_starving 3",
            "flow_executor_open_slots 14",
            "flow_task_instances{state=\"scheduled\",queue=\"default\",dag_id=\"d\",task_id=\"t\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
        assert!(!text.contains("flow_pool_open_slots{pool_name=\"endless\"}"));
        told.tell(&metrics, &Load { pools, ..Load::default() }, 0);
        let text = metrics.render().unwrap();
        assert!(
            text.contains("flow_task_instances{state=\"running\",queue=\"default\",dag_id=\"d\",task_id=\"t\"} 0\n"),
            "{text}"
        );
        told.tell(&metrics, &Load::default(), 0);
        assert!(told.tasks.is_empty(), "what is nothing is not told for ever: {told:?}");
    }

    #[test]
    fn a_disk_has_room() {
        let folder = tempfile::tempdir().unwrap();
        let found = room_in(&[("home", folder.path().to_owned()), ("logs", folder.path().join("missing"))]);
        let [(place, free, size)] = found[..] else { panic!("{found:?}") };
        assert!(place == "home" && 0.0 <= free && free <= size, "{found:?}");
    }
}
