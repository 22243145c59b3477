//! A process of Flow: scheduler, worker, or both in one, on one database.
//!
//! One loop waits for a reason to look, makes a pass, and starts what the pass claimed. Beside it: the heartbeat,
//! the watch over processes that died, the DAG folder, and the ear for other processes.

use std::{collections::BTreeSet, time::Duration};

use flow_core::Timestamp;
use flow_store::{Process, Report, Signal, StoreError, Tx};
use tokio::time::{Instant, sleep};
use tracing::{debug, error, info, warn};

use crate::{
    Clock, Stop, host,
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
/// How often other processes of this machine are looked at.
const WATCH: Duration = Duration::from_secs(1);
/// Reports delivered in one transaction.
const REPORTS: usize = 512;
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
        let beside = tokio::spawn({
            let node = self.clone();
            async move { tokio::join!(node.shop.store.listen(), node.watch()) }
        });
        self.serve(&stop).await;
        beside.abort();
        if let Err(error) = self.sign_off().await {
            debug!(%error, "could not write down that this process ends");
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.shop.clock.now()
    }

    async fn serve(&self, stop: &Stop) {
        let (slots, queues) = self.work.clone().unwrap_or_default();
        let mut slots = Slots::new(self.shop.clone(), slots);
        let mut reports: Vec<Report> = Vec::new();
        let mut rhythm = Rhythm::new();
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
            while reports.len() < REPORTS
                && let Some(report) = slots.try_ended()
            {
                reports.push(report);
            }
            if is_away && Instant::now() < rhythm.next {
                self.fence(&slots, &rhythm);
                continue;
            }
            match self.look(&mut slots, &queues, &reports, &mut rhythm).await {
                Ok(Looked { refused, unknown, wait }) => {
                    if is_away {
                        info!("the database is back");
                    }
                    for at in refused {
                        let key = &reports[at].key;
                        warn!(task_id = %key.task_id, try_number = key.try_number, "a late report was refused: the attempt had been given up");
                    }
                    reports = unknown;
                    rhythm.backoff = Duration::ZERO;
                    rhythm.next = Instant::now() + if reports.is_empty() { wait } else { Duration::ZERO };
                }
                Err(StoreError::Conflict(problem)) => {
                    debug!(problem, "another process was faster; looking again");
                    rhythm.next = Instant::now() + CONTENDED;
                    rhythm.next_beat = rhythm.next_beat.max(rhythm.next);
                }
                Err(error) => {
                    if !error.is_passing() {
                        error!(%error, "the database refused");
                    } else if !is_away {
                        warn!(%error, "cannot reach the database; what runs goes on, and outcomes are kept");
                    }
                    rhythm.backoff = (rhythm.backoff * 2).clamp(Duration::from_millis(100), BACKOFF_MAX);
                    rhythm.next = Instant::now() + rhythm.backoff;
                    rhythm.next_beat = rhythm.next;
                }
            }
        }
        self.drain(stop, slots, reports).await;
    }

    /// Ends what runs when the lease is about to run out and cannot be renewed: someone else may start it then.
    /// Where this is the only process, nobody can.
    fn fence(&self, slots: &Slots, rhythm: &Rhythm) {
        let margin = self.shop.kill_grace + self.heartbeat;
        if !self.is_alone && slots.running() > 0 && rhythm.beaten_at.elapsed() + margin >= self.lease {
            warn!(
                running = slots.running(),
                "the lease runs out and the database is away: ending what runs; it will be tried again"
            );
            slots.hand_back();
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
        let beats = started >= rhythm.next_beat;
        let beat = beats.then(|| Beat { process: &self.me.id, lease_until: now + self.lease });
        let claimer = self.work.as_ref().map(|_| Claimer {
            worker: &self.me.id,
            hostname: &self.me.hostname,
            queues,
            free: slots.free(),
            lease_until: now + self.lease,
            // Also with nothing running: the confirmation of a claim may have been lost on the way.
            check_kept: beats || rhythm.check_kept,
        });
        let store = &self.shop.store;
        // After the database was away for long, the leases of workers that live may look as if they had run out:
        // they get the time for a sign of life before anything is decided.
        if rhythm.beaten_at.elapsed() >= self.lease / 3 {
            rhythm.holds_until = started + self.heartbeat * 2;
        }
        let holds = started < rhythm.holds_until && !self.is_alone;
        let passed = if self.schedules && !holds {
            pass::pass(store, &self.shop.dags, self.bounds, reports, beat, claimer, now).await?
        } else {
            pass::work(store, reports, beat, claimer, now).await?
        };
        if beats {
            rhythm.beaten_at = started;
            rhythm.next_beat = started + self.heartbeat;
        }
        rhythm.check_kept = false;
        let Passed { dags, claimed, refused, kept } = passed;
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
            return Ok(Looked { refused, unknown, wait: self.poll });
        }
        let due = store.next_due().await?.at;
        let wait = due.map_or(self.poll, |due| due.since(self.now()).min(self.poll));
        // Due already, and yet nothing was taken: another scheduler has it.
        let is_contended = wait.is_zero() && dags == 0 && due.is_some_and(|due| due <= now);
        Ok(Looked { refused, unknown, wait: if is_contended { CONTENDED } else { wait } })
    }

    /// Takes no more work, lets what runs finish for a while, hands the rest back, and delivers every report.
    async fn drain(&self, stop: &Stop, mut slots: Slots, mut reports: Vec<Report>) {
        let deadline = Instant::now() + self.drain;
        let (mut handed_back, mut killed) = (false, false);
        while slots.running() > 0 || !reports.is_empty() {
            if slots.running() > 0 {
                tokio::select! {
                    report = slots.ended() => reports.push(report),
                    () = stop.ending(), if !stop.is_now() => {}
                    () = tokio::time::sleep_until(deadline), if !handed_back => {}
                    () = sleep(self.shop.kill_grace + LAST_WORDS), if handed_back => break,
                    () = sleep(self.heartbeat) => {}
                }
            }
            if !handed_back && (stop.is_now() || Instant::now() >= deadline) {
                info!(running = slots.running(), "ending what still runs; it will be tried again");
                slots.hand_back();
                handed_back = true;
            }
            // Also when the second signal comes while tasks are being ended in their own time.
            if stop.is_now() && !killed {
                self.end_processes(BTreeSet::from([self.me.id.clone()])).await;
                killed = true;
            }
            let beat = Beat { process: &self.me.id, lease_until: self.now() + self.lease };
            match pass::work(&self.shop.store, &reports, Some(beat), None, self.now()).await {
                Ok(_) => reports.clear(),
                Err(error) if slots.running() == 0 && Instant::now() >= deadline + LAST_WORDS => {
                    error!(%error, outcomes = reports.len(), "could not deliver these outcomes; the tasks will run again");
                    return;
                }
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn sign_off(&self) -> Result<(), StoreError> {
        let mut tx = self.shop.store.begin().await?;
        tx.end_process(&self.me.id, self.now()).await?;
        tx.announce(Signal::Look).await?;
        tx.commit().await
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
        tx.commit().await?;
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

/// When the loop looks and beats next.
struct Rhythm {
    next: Instant,
    next_beat: Instant,
    /// The last sign of life that the database has.
    beaten_at: Instant,
    /// Until then nothing is decided.
    holds_until: Instant,
    /// How long to wait while the database is away; zero = it is there.
    backoff: Duration,
    check_kept: bool,
}

impl Rhythm {
    fn new() -> Self {
        let now = Instant::now();
        Self { next: now, next_beat: now, beaten_at: now, holds_until: now, backoff: Duration::ZERO, check_kept: false }
    }
}

/// What came of a look.
struct Looked {
    /// Reports that came too late, by position.
    refused: Vec<usize>,
    /// Reports about attempts that this worker holds but does not run.
    unknown: Vec<Report>,
    /// How long nothing is due.
    wait: Duration,
}

/// Returns an id for a process that is unique for ever.
pub fn process_id(clock: &Clock) -> String {
    format!("{}-{}", clock.now().as_micros(), uuid::Uuid::new_v4().simple())
}
