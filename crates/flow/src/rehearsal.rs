//! A run of one DAG without a database: the engine's decisions over facts in memory, real operators around them.
//!
//! [`world`] keeps the facts, [`attempt`] runs one attempt, [`services`] answers what it asks, [`screen`] shows
//! what happens. Here is the loop between them.

mod attempt;
mod screen;
mod services;
mod world;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flow_core::{Dag, DagRun, Outcome, TaskId, Timestamp};
use flow_operators::Registry;
use flow_runtime::{Clock, Stop, log::LogStore};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use screen::Screen;
pub(crate) use world::World;

use attempt::{Ended, Turn};

/// The longest that a retry is waited for, unless the real delays are wanted.
pub(crate) const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

/// What all attempts share.
pub(crate) struct Stage {
    pub(crate) dag: Arc<Dag>,
    /// The other DAGs of the folder.
    pub(crate) others: Vec<Dag>,
    pub(crate) run: Arc<DagRun>,
    pub(crate) registry: Registry,
    pub(crate) clients: flow_clients::Clients,
    pub(crate) logs: LogStore,
    pub(crate) clock: Clock,
    /// Children carry it, so that what is left of them is found.
    pub(crate) worker: String,
    pub(crate) kill_grace: Duration,
    pub(crate) scratch: PathBuf,
    /// Folder of the DAG file.
    pub(crate) file_folder: PathBuf,
    pub(crate) screen: Arc<Screen>,
    pub(crate) results: Results,
}

/// XComs of the run.
#[derive(Debug, Default)]
pub(crate) struct Results(Mutex<BTreeMap<(TaskId, i32, String), Value>>);

impl Results {
    fn get(&self, task: &TaskId, map_index: i32, key: &str) -> Option<Value> {
        let results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.get(&(task.clone(), map_index, key.to_owned())).cloned()
    }

    /// Replaces what a task instance left behind.
    fn put(&self, task: &TaskId, map_index: i32, values: Vec<(String, Value)>) {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.retain(|(id, index, _), _| id != task || *index != map_index);
        results.extend(values.into_iter().map(|(key, value)| ((task.clone(), map_index, key), value)));
    }
}

/// An attempt that is under way.
struct Running {
    try_number: u32,
    cancel: CancellationToken,
}

/// Plays the run to its end, or until it is stopped: the first time it is cancelled in order, the second at once.
///
/// # Errors
///
/// When nothing can be printed any more; by then everything has ended.
pub(crate) async fn play(stage: &Arc<Stage>, mut world: World, slots: usize, stop: &Stop) -> io::Result<World> {
    let mut attempts: JoinSet<Ended> = JoinSet::new();
    let mut running: HashMap<usize, Running> = HashMap::new();
    let mut memories: HashMap<usize, (u32, Value)> = HashMap::new();
    let mut is_stopping = false;
    loop {
        let now = stage.clock.now();
        if stop.is_draining() && !is_stopping {
            is_stopping = true;
            stage.screen.remark("stopping: the run is cancelled; once more to end at once");
            let changes = world.cancel(now);
            stage.screen.changed(&world, &changes, &[]);
        }
        let (changes, wake_at) = world.look(now);
        stage.screen.changed(&world, &changes, &memories.keys().copied().collect::<Vec<_>>());
        for (at, one) in &running {
            if !world.is_running(*at, one.try_number) {
                one.cancel.cancel();
            }
        }
        for at in world.grant(slots.saturating_sub(running.len()), now) {
            let instance = &world.tasks()[at];
            let memory = memories.remove(&at).filter(|(try_number, _)| *try_number == instance.try_number);
            let turn = Turn {
                at,
                task: instance.task,
                map_index: instance.map_index,
                try_number: instance.try_number,
                max_tries: instance.max_tries,
                lost: instance.lost,
                started_at: instance.started_at.unwrap_or(now),
                memory: memory.map_or(Value::Null, |(_, memory)| memory),
                cancel: CancellationToken::new(),
            };
            running.insert(at, Running { try_number: turn.try_number, cancel: turn.cancel.clone() });
            stage.screen.started(&world, at);
            attempts.spawn(attempt::run(stage.clone(), turn));
        }
        let is_over = world.run().state.is_finished() && running.is_empty();
        if is_over || (running.is_empty() && wake_at.is_none()) {
            break;
        }
        tokio::select! {
            biased;
            () = stop.ending() => break,
            () = stop.draining(), if !is_stopping => {}
            Some(ended) = attempts.join_next(), if !attempts.is_empty() => {
                let ended = ended.map_err(io::Error::other)?;
                running.remove(&ended.at);
                stage.screen.ended(ended.at);
                take(stage, &mut world, &mut memories, ended);
            }
            () = until(stage, wake_at) => {}
        }
    }
    // What is dropped kills its processes; what left its group is found by the worker's name.
    attempts.shutdown().await;
    if stop.is_now() {
        let worker = stage.worker.clone();
        let swept = tokio::task::spawn_blocking(move || flow_operators::end_orphans(|id| id == worker)).await;
        // Best effort at the very end: there is nobody left to tell.
        let _ = swept;
    }
    stage.screen.finish()?;
    Ok(world)
}

/// Takes what an attempt left behind.
fn take(stage: &Stage, world: &mut World, memories: &mut HashMap<usize, (u32, Value)>, ended: Ended) {
    let Ended { at, try_number, finished } = ended;
    let instance = &world.tasks()[at];
    let (task, map_index) = (stage.dag.task(instance.task), instance.map_index);
    if !world.is_running(at, try_number) {
        return;
    }
    if matches!(finished.outcome, Outcome::Reschedule { .. }) {
        memories.insert(at, (try_number, finished.state));
    }
    stage.results.put(&task.id, map_index, if task.do_xcom_push { finished.xcoms } else { Vec::new() });
    world.report(at, finished.outcome, stage.clock.now());
}

async fn until(stage: &Stage, moment: Option<Timestamp>) {
    match moment {
        None => std::future::pending().await,
        // A moment more, so that the clock is past it.
        Some(moment) => tokio::time::sleep(moment.since(stage.clock.now()) + Duration::from_millis(1)).await,
    }
}
