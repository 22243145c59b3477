//! One pass: everything that is due, looked at once, in one transaction.
//!
//! Reports go in, DAGs that are due are taken, their timetables asked, their runs started and decided upon, slots
//! handed out, and attempts claimed for this process's own worker, if it has one. Compares no states: what
//! should happen is decided in `flow_core::engine`. If anything fails, nothing has happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use flow_core::{
    DagId, RunKey, RunState, RunType, Timestamp,
    dag::OverlapPolicy,
    engine::{self, Decision, Edit, LastRun, NewRun, NewRuns, Room, RunChange, RunHistory},
};
use flow_store::{
    CachedDag, Claimed, CreateRun, DagCache, DagRow, DueDag, Plan, Report, RunDecision, RunFacts, RunRow, Signal,
    Store, StoreError, Tx,
};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::measure::Times;

/// Bounds of one pass, so that a transaction stays short.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// DAGs a pass.
    pub dags: u32,
    /// Requests for looks at runs a pass.
    pub runs: u32,
    /// Tries a task may lose to the infrastructure.
    pub max_infrastructure_retries: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { dags: 64, runs: 256, max_infrastructure_retries: 3 }
    }
}

/// The worker of this process, for whom a pass claims attempts.
#[derive(Clone, Debug)]
pub struct Claimer<'a> {
    pub worker: &'a str,
    pub hostname: &'a str,
    pub queues: &'a [String],
    pub free: usize,
    pub lease_until: Timestamp,
    /// Also say which of its attempts should go on.
    pub check_kept: bool,
}

/// A sign of life: written before anything is decided, so that a process never takes itself for dead.
#[derive(Clone, Copy, Debug)]
pub struct Beat<'a> {
    pub process: &'a str,
    /// Until then its attempts are its own.
    pub lease_until: Timestamp,
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct Passed {
    /// DAGs looked at.
    pub dags: usize,
    /// Attempts for this process's worker, with their runs.
    pub claimed: Vec<(Claimed, RunRow)>,
    /// Reports that were refused, by position: those attempts had been given up.
    pub refused: Vec<usize>,
    /// With `check_kept`: the worker's attempts that should go on.
    pub kept: Option<Vec<flow_store::Kept>>,
    pub times: Times,
}

/// Rounds of starting runs after others have ended, within a pass.
const ROUNDS: usize = 4;
/// Waiting task instances looked at together.
const PAGE: usize = 256;
/// The same while all that were looked at got in, as long as no more slots are free.
const PAGE_MIN: usize = 16;
/// Moments passed over in one go because they have a run that the timetable did not make.
const MOST_USED_DATES: usize = 1_000;
/// How long a run waits whose DAG's text cannot be read any more.
const BROKEN: std::time::Duration = std::time::Duration::from_secs(60);

/// Looks at everything that is due, once.
///
/// # Errors
///
/// When the database does, or another process was faster; then nothing has happened.
pub async fn pass(
    store: &Store,
    dags: &DagCache,
    bounds: Bounds,
    reports: &[Report],
    beat: Option<Beat<'_>>,
    claimer: Option<Claimer<'_>>,
    now: Timestamp,
) -> Result<Passed, StoreError> {
    let mut tx = store.begin().await?;
    match within(&mut tx, dags, bounds, reports, beat, claimer, now).await {
        Ok(passed) => {
            tx.commit().await?;
            Ok(passed)
        }
        Err(error) => {
            // Its locks should be gone before the next try. If the database is away, they are.
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

async fn within(
    tx: &mut Tx,
    dags: &DagCache,
    bounds: Bounds,
    reports: &[Report],
    beat: Option<Beat<'_>>,
    claimer: Option<Claimer<'_>>,
    now: Timestamp,
) -> Result<Passed, StoreError> {
    let mut passed = Passed::default();
    if let Some(beat) = beat {
        tx.heartbeat(beat.process, beat.lease_until, now).await?;
    }
    passed.refused = refused(tx.finish_all(reports).await?);
    let due = tx.take_due(now, bounds.dags, bounds.runs).await?;
    passed.dags = due.len();
    Look { tx: &mut *tx, dags, bounds, now, times: &mut passed.times }.at(due).await?;
    let began = Instant::now();
    let queues = hand_out(tx, &mut passed.times, now).await?;
    passed.times.hand_out = (!passed.times.queries.is_empty()).then(|| began.elapsed());
    let mut left_to_others = !queues.is_empty();
    if let Some(claimer) = claimer {
        claim(tx, &claimer, &mut passed, now).await?;
        left_to_others &=
            passed.claimed.len() == claimer.free || queues.iter().any(|queue| !claimer.queues.contains(queue));
    }
    if left_to_others {
        tx.announce(Signal::Work).await?;
    }
    Ok(passed)
}

/// Delivers reports and claims attempts for a worker that does not schedule.
///
/// # Errors
///
/// As [`pass`].
pub async fn work(
    store: &Store,
    reports: &[Report],
    beat: Option<Beat<'_>>,
    claimer: Option<Claimer<'_>>,
    now: Timestamp,
) -> Result<Passed, StoreError> {
    let mut passed = Passed::default();
    let has_room = claimer.as_ref().is_some_and(|claimer| claimer.free > 0 || claimer.check_kept);
    if reports.is_empty() && beat.is_none() && !has_room {
        return Ok(passed);
    }
    let mut tx = store.begin().await?;
    if let Some(beat) = beat {
        tx.heartbeat(beat.process, beat.lease_until, now).await?;
    }
    passed.refused = refused(tx.finish_all(reports).await?);
    if !reports.is_empty() {
        tx.announce(Signal::Look).await?;
    }
    if let Some(claimer) = claimer {
        claim(&mut tx, &claimer, &mut passed, now).await?;
    }
    tx.commit().await?;
    Ok(passed)
}

/// Returns the positions of reports that were not taken.
fn refused(taken: Vec<bool>) -> Vec<usize> {
    taken.into_iter().enumerate().filter_map(|(at, taken)| (!taken).then_some(at)).collect()
}

/// Puts off the DAG that is due first, with its runs. Returns its id, if there was one.
///
/// # Errors
///
/// When the database does.
pub async fn postpone(store: &Store, now: Timestamp, until: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut tx = store.begin().await?;
    let due = tx.take_due(now, 1, u32::MAX).await?;
    for due in &due {
        let later: Vec<_> = due.runs.iter().map(|run| (due.dag.dag_id.clone(), run.0, until)).collect();
        tx.wake(&later).await?;
        if due.ask_timetable {
            tx.plan(&[Plan::later(&due.dag.dag_id, until)]).await?;
        }
    }
    tx.commit().await?;
    Ok(due.into_iter().map(|due| due.dag.dag_id).collect())
}

struct Look<'a> {
    tx: &'a mut Tx,
    dags: &'a DagCache,
    bounds: Bounds,
    now: Timestamp,
    times: &'a mut Times,
}

impl Look<'_> {
    async fn at(&mut self, due: Vec<DueDag>) -> Result<(), StoreError> {
        let asking: Vec<&DueDag> = due.iter().filter(|due| due.ask_timetable).collect();
        self.ask_timetables(&asking).await?;
        let keys: Vec<RunKey> = due.iter().flat_map(|due| due.runs.iter().copied()).collect();
        let rows = self.tx.runs(&keys).await?;
        // A run that is queued may start, and one that has ended or is gone has made room for another.
        let under_way: BTreeSet<RunKey> =
            rows.iter().filter(|row| row.run.state == RunState::Running).map(|row| row.run.key).collect();
        let mut may_start: BTreeSet<String> = due
            .iter()
            .filter(|due| due.runs.iter().any(|run| !under_way.contains(run)))
            .map(|due| due.dag.dag_id.clone())
            .collect();
        // One that has ended may still have attempts that are to be given up or settled.
        let (queued, mut others): (Vec<RunRow>, Vec<RunRow>) =
            rows.into_iter().partition(|row| row.run.state == RunState::Queued);
        let later: Vec<_> = queued
            .iter()
            .filter(|row| row.run.run_after > self.now)
            .map(|row| (row.run.dag_id.to_string(), row.run.key.0, row.run.run_after))
            .collect();
        self.tx.wake(&later).await?;
        for round in 0..ROUNDS {
            others.extend(self.start(&due, &may_start).await?);
            if others.is_empty() {
                return Ok(());
            }
            may_start = self.decide(std::mem::take(&mut others)).await?;
            if round + 1 == ROUNDS {
                for dag_id in &may_start {
                    self.tx.wake_active_runs(dag_id, self.now).await?;
                }
            }
        }
        Ok(())
    }

    /// Decides upon runs that are under way or have attempts left. Returns the DAGs of those that ended.
    async fn decide(&mut self, rows: Vec<RunRow>) -> Result<BTreeSet<String>, StoreError> {
        let facts = self.facts(rows).await?;
        let mut decisions = Vec::with_capacity(facts.len());
        let mut ended = Vec::new();
        let mut broken = Vec::new();
        for facts in &facts {
            let (run, began) = (&facts.row.run, Instant::now());
            // A mistake in the engine must cost one run, not the scheduler.
            let decided = catch_unwind(AssertUnwindSafe(|| {
                let view = facts.view();
                RunDecision::new(&view, &engine::decide(&view, self.now), None)
            }));
            match decided {
                Ok(decision) => {
                    if decision.ends_run() {
                        ended.push(facts);
                    }
                    decisions.push(decision);
                }
                Err(_) => {
                    error!(dag_id = %run.dag_id, run_id = %run.run_id, "could not decide upon this run, a mistake in Flow; it waits");
                    broken.push((run.dag_id.to_string(), run.key.0, self.now + BROKEN));
                }
            }
            self.times.decisions.push((run.dag_id.clone(), began.elapsed()));
        }
        self.tx.apply(&decisions, self.now).await?;
        self.tx.wake(&broken).await?;
        let mut have_room = BTreeSet::new();
        for facts in &ended {
            if !self.pause_if_failing(facts).await? {
                have_room.insert(facts.row.run.dag_id.to_string());
            }
        }
        Ok(have_room)
    }

    async fn facts(&mut self, rows: Vec<RunRow>) -> Result<Vec<RunFacts>, StoreError> {
        let mut broken = Vec::new();
        let facts = self
            .tx
            .facts(rows, self.dags, self.bounds.max_infrastructure_retries, |row, problem| {
                error!(dag_id = %row.run.dag_id, run_id = %row.run.run_id, %problem, "cannot read the DAG of this run; it waits");
                broken.push((row.run.dag_id.to_string(), row.run.key.0, self.now + BROKEN));
            })
            .await?;
        self.tx.wake(&broken).await?;
        Ok(facts)
    }

    /// Starts queued runs of these DAGs as far as `max_active_runs` allows. Returns those that started.
    async fn start(&mut self, due: &[DueDag], dag_ids: &BTreeSet<String>) -> Result<Vec<RunRow>, StoreError> {
        let started = self.may_start(due, dag_ids).await?;
        let facts = self.facts(started).await?;
        let start = Decision {
            run: Some(RunChange { from: RunState::Queued, to: RunState::Running, why: String::new() }),
            ..Decision::default()
        };
        let decisions: Vec<RunDecision<'_>> =
            facts.iter().map(|facts| RunDecision::new(&facts.view(), &start, None)).collect();
        self.tx.apply(&decisions, self.now).await?;
        Ok(facts
            .iter()
            .map(|facts| {
                let mut row = facts.row.clone();
                row.run.state = RunState::Running;
                row.run.started_at = Some(self.now);
                row
            })
            .collect())
    }

    /// Returns the queued runs of these DAGs that `max_active_runs` lets start.
    async fn may_start(&mut self, due: &[DueDag], dag_ids: &BTreeSet<String>) -> Result<Vec<RunRow>, StoreError> {
        let dags: Vec<&DagRow> =
            due.iter().map(|due| &due.dag).filter(|dag| !dag.is_paused && dag_ids.contains(&dag.dag_id)).collect();
        let names: Vec<&str> = dags.iter().map(|dag| dag.dag_id.as_str()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let active = self.tx.count_active_runs(&names).await?;
        // Those with the same limit together: there are few different ones.
        let mut by_limit: BTreeMap<u32, Vec<&DagRow>> = BTreeMap::new();
        for dag in dags {
            if active.get(&dag.dag_id).is_some_and(|(queued, _)| *queued > 0) {
                by_limit.entry(dag.max_active_runs).or_default().push(dag);
            }
        }
        let mut chosen = Vec::new();
        for (limit, dags) in by_limit {
            let names: Vec<&str> = dags.iter().map(|dag| dag.dag_id.as_str()).collect();
            let mut queued: BTreeMap<String, Vec<RunRow>> = BTreeMap::new();
            for row in self.tx.queued_runs(&names, self.now, limit).await? {
                queued.entry(row.run.dag_id.to_string()).or_default().push(row);
            }
            for dag in dags {
                let Some(queued) = queued.remove(&dag.dag_id) else { continue };
                let Some(cached) = self.cached(dag).await? else {
                    self.tx.wake(&[(dag.dag_id.clone(), 0, self.now + BROKEN)]).await?;
                    continue;
                };
                let running = active.get(&dag.dag_id).map_or(0, |(_, running)| *running);
                let runs: Vec<_> = queued.iter().map(|row| row.run.clone()).collect();
                let first = engine::start_runs(&cached.dag, &runs, running);
                chosen.extend(queued.into_iter().enumerate().filter(|(at, _)| first.contains(at)).map(|(_, row)| row));
            }
        }
        Ok(chosen)
    }

    /// Returns a DAG's text, read; `None`, and a word about it, when it cannot be read any more.
    async fn cached(&mut self, dag: &DagRow) -> Result<Option<Arc<CachedDag>>, StoreError> {
        match self.dags.get(self.tx, dag.version_id).await {
            Ok(cached) => Ok(Some(cached)),
            Err(problem @ (StoreError::Inconsistent { .. } | StoreError::NotFound { .. })) => {
                error!(dag_id = dag.dag_id, %problem, "cannot read this DAG; its runs wait");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the runs that timetables ask for, and writes down when to ask again. All DAGs go through the same
    /// steps together, so that a thousand that are due at once cost few statements.
    async fn ask_timetables(&mut self, due: &[&DueDag]) -> Result<(), StoreError> {
        let mut plans = Vec::with_capacity(due.len());
        let mut asked = Vec::with_capacity(due.len());
        let mut histories = self.histories(due).await?;
        for due in due {
            let dag_id = due.dag.dag_id.as_str();
            match self.cached(&due.dag).await? {
                Some(cached) => {
                    let history = histories.remove(dag_id).unwrap_or_default();
                    asked.push(Asked { due, cached, history, new: NewRuns::default() });
                }
                None => plans.push(Plan::later(dag_id, self.now + BROKEN)),
            }
        }
        let skips = |asked: &Asked<'_>| asked.cached.dag.overlap_policy == OverlapPolicy::Skip;
        let skipping: Vec<&str> =
            asked.iter().filter(|asked| skips(asked)).map(|asked| asked.due.dag.dag_id.as_str()).collect();
        let ends = self.tx.last_ends(&skipping).await?;
        for asked in &mut asked {
            asked.history.busy_until = ends.get(&asked.due.dag.dag_id).copied();
        }
        for _ in 0..MOST_USED_DATES {
            if asked.is_empty() {
                break;
            }
            asked = self.make_due_runs(asked, &mut plans).await?;
        }
        plans.extend(asked.iter().map(|asked| Plan::later(&asked.due.dag.dag_id, self.now + BROKEN)));
        self.tx.plan(&plans).await
    }

    /// Asks each timetable once and makes its runs. Those that are settled get a plan; returned are those to be asked
    /// again because somebody else had made a run of the same date.
    async fn make_due_runs<'d>(
        &mut self,
        asked: Vec<Asked<'d>>,
        plans: &mut Vec<Plan<'d>>,
    ) -> Result<Vec<Asked<'d>>, StoreError> {
        let mut making = Vec::with_capacity(asked.len());
        let mut again = Vec::new();
        for mut asked in asked {
            let dag_id = asked.due.dag.dag_id.as_str();
            // A mistake in the engine must cost one DAG, not the scheduler.
            let found =
                catch_unwind(AssertUnwindSafe(|| engine::due_runs(&asked.cached.dag, &asked.history, self.now)));
            let Ok(new) = found else {
                error!(dag_id, "could not work out the schedule of this DAG, a mistake in Flow; it waits");
                plans.push(Plan::later(dag_id, self.now + BROKEN));
                continue;
            };
            if new.cancel_active {
                let before = asked.history.active;
                self.cancel_active(dag_id).await?;
                asked.history = self.histories(&[asked.due]).await?.remove(dag_id).unwrap_or_default();
                if asked.history.active < before {
                    again.push(asked);
                    continue;
                }
            }
            asked.new = new;
            making.push(asked);
        }
        let names: Vec<DagId> = making.iter().map(|asked| DagId::new(&asked.due.dag.dag_id)).collect();
        let conf = serde_json::Value::Object(serde_json::Map::new());
        let wanted: Vec<CreateRun<'_>> = making
            .iter()
            .zip(&names)
            .flat_map(|(asked, dag_id)| asked.new.runs.iter().map(|run| asked.creation(dag_id, run, &conf)))
            .collect();
        let mut made = self.tx.create_runs(&wanted, self.now).await?.into_iter();
        drop(wanted);
        for mut asked in making {
            let mut is_done = true;
            for run in &asked.new.runs {
                if made.next().flatten().is_some() {
                    asked.history.active += 1;
                } else {
                    // Someone has triggered a run for this very date: the moment has its run. The next one is due.
                    warn!(dag_id = asked.due.dag.dag_id, run_id = %run.run_id, "a run of this logical date exists already");
                    is_done = false;
                }
                asked.history.last = last_of(run).or(asked.history.last);
            }
            if is_done {
                plans.push(asked.plan());
            } else {
                again.push(asked);
            }
        }
        Ok(again)
    }

    /// Returns what timetables need to know of the runs of DAGs, but `busy_until`.
    async fn histories(&mut self, due: &[&DueDag]) -> Result<BTreeMap<String, RunHistory>, StoreError> {
        let names: Vec<&str> = due.iter().map(|due| due.dag.dag_id.as_str()).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let active = self.tx.count_active_runs(&names).await?;
        let mut last: BTreeMap<String, LastRun> = BTreeMap::new();
        for row in self.tx.last_scheduled_runs(&names).await? {
            let (Some(logical_date), Some(data_interval)) = (row.run.logical_date, row.run.data_interval) else {
                continue;
            };
            let (run_after, ended_at) = (row.run.run_after, row.run.ended_at);
            last.insert(row.run.dag_id.to_string(), LastRun { logical_date, data_interval, run_after, ended_at });
        }
        let of = |dag: &DagRow| RunHistory {
            last: last.get(&dag.dag_id).copied(),
            active: active.get(&dag.dag_id).map_or(0, |(queued, running)| queued + running),
            busy_until: None,
            enabled_at: Some(dag.enabled_at),
        };
        Ok(due.iter().map(|due| (due.dag.dag_id.clone(), of(&due.dag))).collect())
    }

    async fn cancel_active(&mut self, dag_id: &str) -> Result<(), StoreError> {
        let mut active = self.tx.active_runs(dag_id, self.bounds.runs).await?;
        active.retain(|row| row.run.run_type != RunType::Backfill);
        let facts = self.facts(active).await?;
        let decided: Vec<Decision> =
            facts.iter().filter_map(|facts| engine::edit(&facts.view(), &Edit::Cancel, self.now).ok()).collect();
        let decisions: Vec<RunDecision<'_>> = facts
            .iter()
            .zip(&decided)
            .map(|(facts, decision)| RunDecision::new(&facts.view(), decision, None))
            .collect();
        self.tx.apply(&decisions, self.now).await
    }

    /// Returns whether the DAG is paused now because of its failures.
    async fn pause_if_failing(&mut self, facts: &RunFacts) -> Result<bool, StoreError> {
        let limit = facts.dag.dag.max_consecutive_failed_dag_runs;
        if limit == 0 {
            return Ok(false);
        }
        let dag_id = facts.row.run.dag_id.as_str();
        let states = self.tx.last_run_states(dag_id, limit).await?;
        let pauses = engine::pauses_dag(&facts.dag.dag, &states);
        if pauses {
            let why = format!("its last {limit} runs failed (`max_consecutive_failed_dag_runs`)");
            warn!(dag_id, "paused: {why}");
            self.tx.pause_dag(dag_id, &why, None, self.now).await?;
        }
        Ok(pauses)
    }
}

/// A DAG whose timetable is asked.
struct Asked<'d> {
    due: &'d DueDag,
    cached: Arc<CachedDag>,
    history: RunHistory,
    new: NewRuns,
}

impl<'d> Asked<'d> {
    fn creation<'a>(&'a self, dag_id: &'a DagId, run: &NewRun, conf: &'a serde_json::Value) -> CreateRun<'a> {
        CreateRun {
            dag_id,
            version_id: self.due.dag.version_id,
            run_id: run.run_id.clone(),
            run_type: run.run_type,
            logical_date: run.logical_date,
            data_interval: run.data_interval,
            run_after: run.run_after,
            conf,
            triggered_by: "timetable",
            user: None,
            note: None,
            caller: None,
            tasks: &self.cached.seeds,
        }
    }

    /// Returns when to ask again.
    fn plan(self) -> Plan<'d> {
        let NewRuns { runs, next, is_blocked, .. } = self.new;
        // After a run without a successor that is known (`@continuous`), the end of a run is the time to ask again.
        let is_blocked = is_blocked || (next.is_none() && !runs.is_empty());
        let due_at = next.as_ref().filter(|_| !is_blocked).map(|next| next.run_after);
        Plan { dag_id: &self.due.dag.dag_id, due_at, is_blocked, next }
    }
}

/// Returns what a run is to those that come after it.
fn last_of(run: &NewRun) -> Option<LastRun> {
    Some(LastRun {
        logical_date: run.logical_date?,
        data_interval: run.data_interval?,
        run_after: run.run_after,
        ended_at: None,
    })
}

/// Gives the free slots to those that wait, best first, page by page, until nobody else fits. Returns the queues
/// that got something.
async fn hand_out(tx: &mut Tx, times: &mut Times, now: Timestamp) -> Result<BTreeSet<String>, StoreError> {
    let mut queues = BTreeSet::new();
    if !tx.is_anything_waiting().await? {
        return Ok(queues);
    }
    let mut room = tx.room().await?;
    let mut full = Full::default();
    let mut size = room.open_slots().clamp(PAGE_MIN, PAGE);
    loop {
        if room.open_pools().next().is_none() {
            return Ok(queues);
        }
        let began = Instant::now();
        let page = tx.waiting(&room, &full.runs, &full.tasks, &full.run_tasks, size).await?;
        times.queries.push(began.elapsed());
        let waiting: Vec<_> = page.iter().map(|row| row.waiting.clone()).collect();
        let held = room.held.len();
        let granted = engine::hand_out(&waiting, &mut room);
        let rows: Vec<_> = granted.iter().map(|at| &page[*at]).collect();
        tx.grant(&rows, now).await?;
        times.granted += rows.len();
        queues.extend(rows.iter().map(|row| row.queue.clone()));
        let found_more = full.learn(&waiting, &room) || room.held.len() > held;
        if page.len() < size || (granted.is_empty() && !found_more) {
            return Ok(queues);
        }
        if granted.len() < page.len() {
            size = PAGE;
        }
    }
}

/// Who is known to be at its limit, so that the next page does not show it.
#[derive(Default)]
struct Full {
    runs: Vec<RunKey>,
    tasks: Vec<(DagId, flow_core::TaskId)>,
    run_tasks: Vec<(RunKey, flow_core::TaskId)>,
}

impl Full {
    fn learn(&mut self, waiting: &[engine::Waiting], room: &Room) -> bool {
        let mut runs: BTreeMap<RunKey, ()> = BTreeMap::new();
        let mut tasks: BTreeMap<(DagId, flow_core::TaskId), ()> = BTreeMap::new();
        let mut run_tasks: BTreeMap<(RunKey, flow_core::TaskId), ()> = BTreeMap::new();
        for row in waiting {
            let by_task = (row.dag_id.clone(), row.task_id.clone());
            let by_run_task = (row.run, row.task_id.clone());
            if room.by_run.get(&row.run).is_some_and(|used| *used >= row.max_active_tasks) {
                runs.insert(row.run, ());
            }
            if row
                .max_active_tis_per_dag
                .is_some_and(|most| room.by_task.get(&by_task).is_some_and(|used| *used >= most))
            {
                tasks.insert(by_task, ());
            }
            if row
                .max_active_tis_per_dagrun
                .is_some_and(|most| room.by_run_task.get(&by_run_task).is_some_and(|used| *used >= most))
            {
                run_tasks.insert(by_run_task, ());
            }
        }
        let before = self.runs.len() + self.tasks.len() + self.run_tasks.len();
        self.runs.extend(runs.into_keys().filter(|key| !self.runs.contains(key)).collect::<Vec<_>>());
        self.tasks.extend(tasks.into_keys().filter(|key| !self.tasks.contains(key)).collect::<Vec<_>>());
        self.run_tasks.extend(run_tasks.into_keys().filter(|key| !self.run_tasks.contains(key)).collect::<Vec<_>>());
        self.runs.len() + self.tasks.len() + self.run_tasks.len() > before
    }
}

async fn claim(tx: &mut Tx, claimer: &Claimer<'_>, passed: &mut Passed, now: Timestamp) -> Result<(), StoreError> {
    if claimer.check_kept {
        passed.kept = Some(tx.kept_attempts(claimer.worker).await?);
    }
    if claimer.free == 0 {
        return Ok(());
    }
    let claimed =
        tx.claim((claimer.worker, claimer.hostname), claimer.queues, claimer.free, claimer.lease_until, now).await?;
    passed.claimed = with_runs(tx, claimed).await?;
    Ok(())
}

/// Adds the runs to claimed attempts.
///
/// # Errors
///
/// When the database does.
pub(crate) async fn with_runs(tx: &mut Tx, claimed: Vec<Claimed>) -> Result<Vec<(Claimed, RunRow)>, StoreError> {
    let mut keys: Vec<RunKey> = claimed.iter().map(|claimed| claimed.key.run).collect();
    keys.sort_unstable();
    keys.dedup();
    let runs: BTreeMap<RunKey, RunRow> = tx.runs(&keys).await?.into_iter().map(|row| (row.run.key, row)).collect();
    Ok(claimed
        .into_iter()
        .filter_map(|claimed| {
            let run = runs.get(&claimed.key.run).cloned()?;
            Some((claimed, run))
        })
        .collect())
}

#[cfg(test)]
mod tests;
