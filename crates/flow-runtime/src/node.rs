//! A process of Flow: scheduler, worker, or both in one, on one database.
//!
//! One loop waits for a reason to look, makes a pass, and starts what the pass claimed. Beside it: the heartbeat,
//! the watch over processes that died, the DAG folder, and the ear for other processes.

use std::{collections::BTreeSet, time::Duration};

use flow_core::{
    Outcome, Timestamp,
    run::{Failure, FailureCause},
};
use flow_store::{Process, Report, Signal, StoreError, Tx};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::{debug, error, info, warn};

use crate::{
    Clock, Stop, callbacks, host, kafka,
    measure::Measures,
    pass::{self, Beat, Bounds, Claimer, Passed},
    worker::{Slots, Workshop},
};

/// What a process does, and how.
#[derive(Clone)]
pub struct Node {
    pub me: Process,
    /// Looks at DAGs and runs.
    pub schedules: bool,
    pub bounds: Bounds,
    /// Runs attempts: (slots, queues).
    pub work: Option<(usize, Vec<String>)>,
    pub shop: Workshop,
    /// What it tells of itself.
    pub measures: Measures,
    /// How long a silent worker is believed to be alive.
    pub lease: Duration,
    pub heartbeat: Duration,
    /// How long running attempts may finish after the first signal.
    pub drain: Duration,
    /// How often to look without a reason: the safety net.
    pub poll: Duration,
    /// No other process works on this database: whoever is written down as alive is dead.
    pub is_alone: bool,
}

/// Between looks when another scheduler holds all that is due.
const CONTENDED: Duration = Duration::from_millis(10);
/// Passes that fail in a row before DAGs are looked at one by one.
const CONFLICTS_PATIENCE: u32 = 6;
/// How long a DAG waits that looking fails at.
const ASIDE: Duration = Duration::from_secs(10);
/// Conflicts after which the pause between tries grows no more.
const CONFLICTS_MAX: u32 = 10;
/// Between a look after which nothing is known and the next.
const AGAIN: Duration = Duration::from_millis(100);
/// A call that the database does not answer is given up after the lease, or this if it is longer.
const PATIENCE_MIN: Duration = Duration::from_secs(60);
/// How often other processes of this machine are looked at.
const WATCH: Duration = Duration::from_secs(1);
/// Reports delivered in one transaction.
const REPORTS: usize = 512;
/// Reports in a pass from which on tasks end so fast that more are gathered before the next.
const FLOOD: usize = 4;
/// For so long at most: what a task may be late by while many others end.
const GATHER: Duration = Duration::from_millis(5);
/// The longest pause between tries while the database is away.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long processes that ended are remembered.
const REMEMBER: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long undelivered reports are offered to a database that is away, at the end.
const LAST_WORDS: Duration = Duration::from_secs(10);

impl Node {
    /// Takes part until asked to stop: ends what dead processes left behind, then looks, works and beats.
    ///
    /// # Errors
    ///
    /// When the database cannot be used at the start; later it may go away and come back.
    pub async fn run(self, stop: Stop) -> Result<(), StoreError> {
        let store = self.shop.store.clone();
        self.bury_the_dead().await?;
        let mut tx = store.begin().await?;
        tx.register(&self.me).await?;
        if self.schedules {
            // The database, or all schedulers, may have been away for longer than a lease.
            tx.renew_leases(self.now() + self.lease).await?;
            tx.wake_everything(self.now()).await?;
        }
        tx.forget_processes(self.now() - REMEMBER).await?;
        tx.commit().await?;
        self.measures.starts();
        let beside = tokio::spawn({
            let (node, stop) = (self.clone(), stop.clone());
            // Nobody makes runs out of messages any more once this process takes no tasks.
            async move {
                let reading = async {
                    let _ = stop.or(kafka::watch(&node)).await;
                };
                tokio::join!(node.shop.store.listen(), node.watch(), reading);
            }
        });
        let mut calling = tokio::spawn({
            let (node, stop) = (self.clone(), stop.clone());
            async move { node.call_back(&stop).await }
        });
        let drain_began = self.serve(&stop).await;
        tokio::select! {
            _ = &mut calling => {}
            () = stop.ending() => {}
            () = tokio::time::sleep_until(drain_began + self.drain) => {}
        }
        calling.abort();
        beside.abort();
        self.shop.scratch.remove();
        match tokio::time::timeout(LAST_WORDS, self.sign_off()).await {
            Ok(Ok(())) => self.measures.ends(),
            Ok(Err(error)) => debug!(%error, "could not write down that this process ends"),
            Err(_) => debug!("could not write down that this process ends: the database does not answer"),
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.shop.clock.now()
    }

    /// Looks and works until a drain is asked for, then until what runs has ended. Returns when the drain began.
    async fn serve(&self, stop: &Stop) -> Instant {
        let (slots, queues) = self.work.clone().unwrap_or_default();
        let mut slots = Slots::new(self.shop.clone(), slots);
        let mut reports: Vec<Report> = Vec::new();
        let mut rhythm = Rhythm::new(self.now());
        let store = &self.shop.store;
        while !stop.is_draining() {
            let is_away = !rhythm.backoff.is_zero();
            tokio::select! {
                () = stop.draining() => break,
                report = slots.ended() => reports.push(report),
                () = store.heard(Signal::Look), if self.schedules && !is_away => {}
                () = store.heard(Signal::Work), if self.work.is_some() && !is_away => {}
                () = store.heard(Signal::Stop), if self.work.is_some() && !is_away => rhythm.check_kept = true,
                () = tokio::time::sleep_until(rhythm.next.min(rhythm.next_beat)) => {}
            }
            if rhythm.reports >= FLOOD && !is_away {
                gather(&mut slots, &mut reports).await;
            }
            while reports.len() < REPORTS
                && let Some(report) = slots.try_ended()
            {
                reports.push(report);
            }
            rhythm.reports = reports.len();
            if is_away && Instant::now() < rhythm.next {
                self.fence(&slots, &mut rhythm);
                continue;
            }
            match self.look(&mut slots, &queues, &reports, &mut rhythm).await {
                Ok(Looked { dags, refused, unknown, wait }) => {
                    if is_away {
                        info!("the database is back");
                    }
                    slots.written(&reports, &refused);
                    for at in refused {
                        let key = &reports[at].key;
                        warn!(task_id = %key.task_id, try_number = key.try_number, "a late report was refused: the attempt had been given up");
                    }
                    reports = unknown;
                    rhythm.backoff = Duration::ZERO;
                    rhythm.conflicts = 0;
                    rhythm.is_narrow &= dags > 0;
                    rhythm.is_fenced = false;
                    rhythm.next = Instant::now() + if reports.is_empty() { wait } else { Duration::ZERO };
                }
                Err(StoreError::Conflict(problem)) => {
                    debug!(problem, "another process was faster; looking again");
                    self.measures.conflict();
                    // A conflict that does not pass must not keep the processor busy.
                    rhythm.conflicts = (rhythm.conflicts + 1).min(CONFLICTS_MAX);
                    rhythm.next = Instant::now() + CONTENDED * (1 << rhythm.conflicts.saturating_sub(3));
                    self.fence(&slots, &mut rhythm);
                    rhythm.next_beat = rhythm.next_beat.max(rhythm.next);
                    self.single_out(&mut rhythm).await;
                }
                Err(error) => {
                    self.measures.database_error(Instant::now() >= rhythm.next_beat);
                    if !error.is_passing() {
                        error!(%error, "the database refused");
                        self.deliver_apart(&mut slots, &mut reports).await;
                        rhythm.conflicts = (rhythm.conflicts + 1).min(CONFLICTS_MAX);
                        self.single_out(&mut rhythm).await;
                    } else if !is_away {
                        warn!(%error, "cannot reach the database; what runs goes on, and outcomes are kept");
                    }
                    rhythm.backoff = (rhythm.backoff * 2).clamp(Duration::from_millis(100), BACKOFF_MAX);
                    rhythm.next = Instant::now() + rhythm.backoff;
                    rhythm.next_beat = rhythm.next;
                    self.fence(&slots, &mut rhythm);
                }
            }
        }
        let drain_began = Instant::now();
        self.drain(stop, slots, reports).await;
        drain_began
    }

    /// After a pass has failed again and again: one DAG may be to blame, and must not keep the others. DAGs are looked
    /// at one by one until nothing is due; one that fails alone waits for a while.
    async fn single_out(&self, rhythm: &mut Rhythm) {
        if !self.schedules || rhythm.conflicts < CONFLICTS_PATIENCE {
            return;
        }
        rhythm.conflicts = 0;
        if !std::mem::replace(&mut rhythm.is_narrow, true) {
            return;
        }
        match pass::postpone(&self.shop.store, self.now(), self.now() + ASIDE).await {
            // Another scheduler has it.
            Ok(dags) if dags.is_empty() => {}
            Ok(dags) => error!(?dags, "looking at this DAG fails again and again; it waits, and others go on"),
            Err(error) => warn!(%error, "could not put the DAG aside that looking fails at"),
        }
    }

    /// Ends what runs when the lease is about to run out and cannot be renewed: someone else may start it then.
    /// Where this is the only process, nobody can.
    fn fence(&self, slots: &Slots, rhythm: &mut Rhythm) {
        let is_late = rhythm.silence(self.now()) + self.margin() >= self.lease;
        if !self.is_alone && !rhythm.is_fenced && slots.running() > 0 && is_late {
            rhythm.is_fenced = true;
            warn!(
                running = slots.running(),
                "the lease runs out and the database is away: ending what runs; it will be tried again"
            );
            slots.hand_back();
        }
    }

    /// What runs is ended so long before the lease runs out.
    fn margin(&self) -> Duration {
        self.shop.kill_grace + self.heartbeat
    }

    /// Makes a pass or delivers reports, and ends what runs should the lease run out before the database answers.
    async fn ask(
        &self,
        slots: &Slots,
        rhythm: &mut Rhythm,
        passing: impl Future<Output = Result<Passed, StoreError>>,
    ) -> Result<Passed, StoreError> {
        if self.is_alone {
            return passing.await;
        }
        let fence_at = rhythm.beaten_at + self.lease.saturating_sub(self.margin());
        let patience = Instant::now() + self.lease.max(PATIENCE_MIN);
        tokio::pin!(passing);
        loop {
            tokio::select! {
                passed = &mut passing => return passed,
                () = tokio::time::sleep_until(fence_at), if !rhythm.is_fenced && slots.running() > 0 => {
                    self.fence(slots, rhythm);
                    // Ended or not worth ending: either way it is not asked again during this call.
                    rhythm.is_fenced = true;
                }
                () = tokio::time::sleep_until(patience) => {
                    return Err(StoreError::Unusable("the database does not answer".to_owned()));
                }
            }
        }
    }

    /// Delivers reports one by one after the database refused them together. One that it refuses by itself becomes a
    /// failure without results: a bad result must cost its task, not everything.
    async fn deliver_apart(&self, slots: &mut Slots, reports: &mut Vec<Report>) {
        let store = &self.shop.store;
        for report in std::mem::take(reports) {
            let error = match pass::work(store, std::slice::from_ref(&report), None, None, self.now()).await {
                Ok(passed) => {
                    slots.written(std::slice::from_ref(&report), &passed.refused);
                    continue;
                }
                Err(error) => error,
            };
            // A standby or a database that lets nobody in may be itself again by the next statement.
            if error.is_about_data() {
                let bare = without_results(&report, &error);
                if pass::work(store, std::slice::from_ref(&bare), None, None, self.now()).await.is_ok() {
                    slots.written(std::slice::from_ref(&bare), &[]);
                    warn!(task_id = %report.key.task_id, %error, "the result of a task cannot be kept; it failed");
                    continue;
                }
            }
            reports.push(report);
        }
    }

    /// Makes a pass, and starts what it claimed.
    async fn look(
        &self,
        slots: &mut Slots,
        queues: &[String],
        reports: &[Report],
        rhythm: &mut Rhythm,
    ) -> Result<Looked, StoreError> {
        let (now, started) = (self.now(), Instant::now());
        // The machine may have slept, or the clock was set: then the leases must be written anew before they are read.
        let silence = rhythm.silence(now);
        let beats = started >= rhythm.next_beat || silence >= self.heartbeat || now < rhythm.beaten;
        let beat = beats.then(|| Beat { process: &self.me.id, lease_until: now + self.lease });
        let claimer = self.work.as_ref().map(|_| Claimer {
            worker: &self.me.id,
            hostname: &self.me.hostname,
            queues,
            free: slots.free(),
            lease_until: now + self.lease,
            // Also with nothing running: a claim whose confirmation was lost is found here.
            check_kept: beats || rhythm.check_kept,
        });
        let bounds = if rhythm.is_narrow { Bounds { dags: 1, ..self.bounds } } else { self.bounds };
        let store = &self.shop.store;
        // After the database was away for long, the leases of workers that live may look as if they had run out:
        // they get the time for a sign of life before anything is decided.
        // (Two heartbeats at least: with fewer, each of its own would begin the wait anew, for ever.)
        if silence >= self.lease.saturating_sub(self.heartbeat) {
            rhythm.holds_until = started + self.heartbeat * 2;
        }
        let holds = started < rhythm.holds_until && !self.is_alone;
        let passing = async {
            if self.schedules && !holds {
                pass::pass(store, &self.shop.dags, bounds, reports, beat, claimer, now).await
            } else {
                pass::work(store, reports, beat, claimer, now).await
            }
        };
        let passed = self.ask(slots, rhythm, passing).await?;
        if beats {
            rhythm.beaten_at = started;
            rhythm.beaten = now;
            rhythm.next_beat = started + self.heartbeat;
            self.shop.clients.close_idle();
            if self.schedules {
                self.measures.scheduler_beats(now);
            }
        }
        rhythm.check_kept = false;
        let Passed { dags, claimed, refused, kept, times } = passed;
        if self.schedules && !holds {
            self.measures.pass(started.elapsed(), &times);
        }
        let mut unknown = Vec::new();
        if let Some(kept) = kept {
            slots.keep_only(&kept);
            // What these very reports have ended is not unknown: the question was asked after they were written.
            unknown = slots.give_back_unknown(&kept, now);
        }
        for (claimed, row) in claimed {
            slots.start(claimed, row);
        }
        if !self.schedules || holds {
            return Ok(Looked { dags, refused, unknown, wait: self.poll });
        }
        // The pass has happened, whatever becomes of this question.
        let Ok(Ok(next)) = tokio::time::timeout(self.heartbeat, store.next_due()).await else {
            return Ok(Looked { dags, refused, unknown, wait: AGAIN });
        };
        let due = next.at;
        let wait = due.map_or(self.poll, |due| due.since(self.now()).min(self.poll));
        // Due already, and yet nothing was taken: another scheduler has it.
        let is_contended = wait.is_zero() && dags == 0 && due.is_some_and(|due| due <= now);
        Ok(Looked { dags, refused, unknown, wait: if is_contended { CONTENDED } else { wait } })
    }

    /// Takes no more work, lets what runs finish for a while, hands the rest back, and delivers every report.
    async fn drain(&self, stop: &Stop, mut slots: Slots, mut reports: Vec<Report>) {
        let mut deadline = Instant::now() + self.drain;
        let (mut handed_back, mut is_ending) = (false, false);
        while slots.running() > 0 || !reports.is_empty() {
            let last = deadline + LAST_WORDS + if slots.running() > 0 { self.shop.kill_grace } else { Duration::ZERO };
            if slots.running() > 0 {
                tokio::select! {
                    report = slots.ended() => reports.push(report),
                    () = stop.ending(), if !is_ending => {}
                    () = tokio::time::sleep_until(if handed_back { last } else { deadline }) => {}
                    () = sleep(self.heartbeat) => {}
                }
                while let Some(report) = slots.try_ended() {
                    reports.push(report);
                }
            }
            let now = Instant::now();
            let ends = stop.is_now() && !is_ending;
            if ends {
                is_ending = true;
                deadline = deadline.min(now);
            }
            if !handed_back && now >= deadline {
                info!(running = slots.running(), "ending what still runs; it will be tried again");
                slots.hand_back();
                handed_back = true;
            }
            if ends {
                self.end_processes(BTreeSet::from([self.me.id.clone()])).await;
            }
            let beat = Beat { process: &self.me.id, lease_until: self.now() + self.lease };
            let delivered = pass::work(&self.shop.store, &reports, Some(beat), None, self.now());
            match tokio::time::timeout(LAST_WORDS, delivered).await {
                Ok(Ok(passed)) => {
                    slots.written(&reports, &passed.refused);
                    reports.clear();
                    if slots.running() > 0 && Instant::now() >= last && handed_back {
                        error!(running = slots.running(), "some tasks do not end; they will be tried again");
                        return self.end_processes(BTreeSet::from([self.me.id.clone()])).await;
                    }
                }
                Ok(Err(_)) | Err(_) if Instant::now() >= last => {
                    error!(outcomes = reports.len(), "could not deliver these outcomes; the tasks will run again");
                    return self.end_processes(BTreeSet::from([self.me.id.clone()])).await;
                }
                Ok(Err(error)) => {
                    if !error.is_passing() {
                        self.deliver_apart(&mut slots, &mut reports).await;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
                Err(_) => {}
            }
        }
        slots.close().await;
    }

    async fn sign_off(&self) -> Result<(), StoreError> {
        let mut tx = self.shop.store.begin().await?;
        // What did not end in time need not wait until its lease runs out.
        tx.bury(std::slice::from_ref(&self.me.id), "its worker was shut down", self.now()).await?;
        tx.leave_kafka_topics(&self.me.id).await?;
        tx.commit().await
    }

    /// Does what DAGs ask to be done; what it needs, workers have.
    async fn call_back(&self, stop: &Stop) {
        if self.work.is_some() {
            callbacks::serve(&self.shop, stop).await;
        }
    }

    /// Looks for processes of this machine that died without a word.
    async fn watch(&self) {
        if self.is_alone {
            return;
        }
        loop {
            sleep(WATCH).await;
            if let Err(error) = self.bury_the_dead().await {
                debug!(%error, "could not look for dead processes");
            }
            if self.schedules
                && let Err(error) = self.look_at_silent().await
            {
                debug!(%error, "could not look for silent workers");
            }
        }
    }

    /// Ends what dead processes left running, then gives their attempts up so that they are tried again.
    async fn bury_the_dead(&self) -> Result<(), StoreError> {
        let others = self.shop.store.processes().await?;
        let dead: BTreeSet<String> = others
            .iter()
            .filter(|other| other.id != self.me.id && (self.is_alone || host::is_known_dead(other, &self.me)))
            .map(|other| other.id.clone())
            .collect();
        if dead.is_empty() {
            return Ok(());
        }
        self.end_processes(dead.clone()).await;
        let mut tx: Tx = self.shop.store.begin().await?;
        let dead: Vec<String> = dead.into_iter().collect();
        let lost = tx.bury(&dead, "its worker died", self.now()).await?;
        for id in &dead {
            tx.leave_kafka_topics(id).await?;
        }
        tx.commit().await?;
        for id in &dead {
            self.shop.scratch.remove_of(id);
        }
        info!(processes = dead.len(), attempts = lost, "took over from processes that died");
        Ok(())
    }

    /// Asks for a look at what silent workers hold: a claim by itself asks for none.
    async fn look_at_silent(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.shop.store, self.now());
        if !store.is_any_lease_over(now).await? {
            return Ok(());
        }
        let mut tx = store.begin().await?;
        tx.look_at_silent(now).await?;
        tx.commit().await
    }

    async fn end_processes(&self, workers: BTreeSet<String>) {
        let ended = tokio::task::spawn_blocking(move || flow_operators::end_orphans(|id| workers.contains(id))).await;
        match ended {
            Ok(Ok(0)) => {}
            Ok(Ok(number)) => info!(number, "ended processes that a dead worker had left behind"),
            Ok(Err(error)) => warn!(%error, "could not look for processes that a dead worker left behind"),
            Err(error) => warn!(%error, "looking for left-over processes went wrong"),
        }
    }
}

/// Waits a moment for more reports as long as more than half of the slots are busy: a pass costs much the same
/// for one as for many.
async fn gather(slots: &mut Slots, reports: &mut Vec<Report>) {
    let until = Instant::now() + GATHER;
    while slots.running() > slots.free()
        && let Ok(report) = tokio::time::timeout_at(until, slots.ended()).await
    {
        reports.push(report);
    }
}

/// When the loop looks and beats next.
struct Rhythm {
    next: Instant,
    next_beat: Instant,
    /// The last sign of life that the database has.
    beaten_at: Instant,
    /// The same by the clock, which goes on while the machine sleeps.
    beaten: Timestamp,
    /// What runs was ended because the lease runs out.
    is_fenced: bool,
    /// One after another.
    conflicts: u32,
    /// Until then nothing is decided.
    holds_until: Instant,
    /// How long to wait while the database is away; zero = it is there.
    backoff: Duration,
    /// Delivered by the last pass.
    reports: usize,
    /// DAGs are looked at one by one.
    is_narrow: bool,
    check_kept: bool,
}

impl Rhythm {
    fn new(clock: Timestamp) -> Self {
        let now = Instant::now();
        Self {
            next: now,
            next_beat: now,
            beaten_at: now,
            beaten: clock,
            is_fenced: false,
            conflicts: 0,
            holds_until: now,
            backoff: Duration::ZERO,
            reports: 0,
            is_narrow: false,
            check_kept: false,
        }
    }

    /// How long the database has not heard of this process, by whichever clock says more.
    fn silence(&self, now: Timestamp) -> Duration {
        self.beaten_at.elapsed().max(now.since(self.beaten))
    }
}

/// What came of a look.
struct Looked {
    /// DAGs that were looked at.
    dags: usize,
    /// Reports that came too late, by position.
    refused: Vec<usize>,
    /// Reports about attempts that this worker holds but does not run.
    unknown: Vec<Report>,
    /// How long nothing is due.
    wait: Duration,
}

/// A report that the database can keep, instead of one that it refuses.
fn without_results(report: &Report, error: &StoreError) -> Report {
    let failure = Failure::new(format!("its result cannot be kept: {error}"), FailureCause::Other, false);
    Report {
        outcome: Outcome::Failed { failure },
        xcoms: Vec::new(),
        rendered: Value::Null,
        memory: Value::Null,
        ..report.clone()
    }
}

/// Returns an id for a process that is unique for ever.
pub fn process_id(clock: &Clock) -> String {
    format!("{}-{}", clock.now().as_micros(), uuid::Uuid::new_v4().simple())
}
