//! Does what DAGs ask to be done: takes callbacks from the outbox, fills in their arguments, runs their operators, and
//! writes down what came of it.
//!
//! At least once: a worker that dies while it is at one leaves it to another. Every try of the same callback carries the
//! same key, by which the other side can tell a repetition.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flow_core::{
    DagRun, Outcome, TaskState, Timestamp,
    dag::{Callback, Callbacks, Dag, Dialect, Notification, Task},
    id::{TaskId, TaskIx},
    template::{self, Context},
};
use flow_operators::{Afterwards, Identity, LogSink, Stream, TaskContext};
use flow_store::{
    CALLBACKS_OF_A_KIND, CachedDag, CallbackReport, ClaimedCallback, RunRow, Signal, StoreError, TaskRow,
    callback_again_at,
};
use serde_json::{Map, Value};
use tokio::{
    runtime::Handle,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    Stop,
    log::Masker,
    worker::{Workshop, attempt::in_words, services::AttemptServices},
};

/// Callbacks that a process is at, at once; of one DAG and operator less.
const AT_ONCE: usize = 4 * CALLBACKS_OF_A_KIND;
/// Longest that one may take.
const LONGEST: Duration = Duration::from_secs(60);
/// The same for a mail: a server that has it all may take two minutes to look through it, and one that is left then
/// sends it all the same, once for each try.
const LONGEST_MAIL: Duration = Duration::from_secs(180);
/// For what it takes beside that: the database, the end of what does not end by itself.
const SPARE: Duration = Duration::from_secs(30);
/// One that fails after so long has hung: others of its DAG and operator would, too.
const HANGS: Duration = Duration::from_secs(10);
/// How long they wait then.
const HOLD_UP: Duration = Duration::from_secs(60);
/// How often to look without a reason.
const POLL: Duration = Duration::from_secs(10);
/// And when what is due is another's, or has no room.
const POLL_SOON: Duration = Duration::from_secs(1);
/// Most bytes of what a try says that are kept: the last ones.
const LOG_MAX: usize = 12 << 10;
/// Longest secret that is found where the kept part begins.
const MARGIN: usize = 4 << 10;

/// Does callbacks until a drain is asked for, and those under way to their end: whoever took them over would do them once
/// more.
pub async fn serve(shop: &Workshop, stop: &Stop) {
    let mut under_way = serve_until_drain(shop, stop).await;
    while under_way.join_next().await.is_some() {}
}

/// Does callbacks until a drain is asked for: from then on it takes no more. Returns those that are still under way, which
/// end when they are dropped.
#[must_use]
pub async fn serve_until_drain(shop: &Workshop, stop: &Stop) -> JoinSet<()> {
    let mut busy = JoinSet::new();
    while !stop.is_draining() {
        let free = AT_ONCE - busy.len();
        let mut pause = POLL_SOON;
        match take(shop, free).await {
            Ok(taken) => {
                if !taken.is_empty() {
                    pause = Duration::from_millis(100);
                }
                for callback in taken {
                    let shop = shop.clone();
                    busy.spawn(async move { finish(&shop, callback).await });
                }
            }
            Err(error) => debug!(%error, "could not look for callbacks"),
        }
        let wait = match shop.store.next_callback().await {
            Ok(Some(due)) => due.since(shop.clock.now()).min(POLL),
            Ok(None) | Err(_) => POLL,
        };
        // With all hands busy there is nothing to look for.
        let wait = if busy.len() >= AT_ONCE { POLL } else { wait.max(pause) };
        tokio::select! {
            () = stop.draining() => {}
            _ = busy.join_next(), if !busy.is_empty() => {}
            () = shop.store.heard(Signal::Callback), if busy.len() < AT_ONCE => {}
            () = sleep(wait) => {}
        }
    }
    busy
}

/// Does everything that is due, one after another. Returns how much that was.
///
/// # Errors
///
/// When the database does.
pub async fn deliver_due(shop: &Workshop) -> Result<usize, StoreError> {
    let mut count = 0;
    loop {
        let taken = take(shop, AT_ONCE).await?;
        if taken.is_empty() {
            return Ok(count);
        }
        for callback in taken {
            finish(shop, callback).await;
            count += 1;
        }
    }
}

async fn take(shop: &Workshop, limit: usize) -> Result<Vec<ClaimedCallback>, StoreError> {
    let now = shop.clock.now();
    shop.store.claim_callbacks(&shop.worker, limit, now + lease(shop.kill_grace), now).await
}

/// How long nobody else takes what a process is at: filling in and doing it may each take the longest.
fn lease(kill_grace: Duration) -> Duration {
    LONGEST + LONGEST_MAIL + kill_grace + SPARE
}

/// Makes one try, and writes down what came of it.
async fn finish(shop: &Workshop, callback: ClaimedCallback) {
    let begun = Instant::now();
    let Tried { done, log, is_foreign } = attempt(shop, &callback).await;
    let error = done.err();
    let now = shop.clock.now();
    if let Some(why) = error.as_ref().filter(|_| is_foreign) {
        match shop.store.pass_on_callback(&callback, why, now).await {
            Ok(true) => return debug!(callback = callback.id, why, "a callback is left to a newer program"),
            Ok(false) => {}
            Err(error) => return warn!(callback = callback.id, %error, "could not leave a callback to a newer program"),
        }
    }
    if let Some(error) = &error {
        warn!(callback = callback.id, tries = callback.tries, error, "a callback failed");
    }
    let again_at = error.as_ref().and_then(|_| callback_again_at(callback.tries, now));
    let hold_up = (error.is_some() && begun.elapsed() >= HANGS).then(|| now + HOLD_UP);
    let report = CallbackReport { id: callback.id, tries: callback.tries, error, again_at, hold_up, log };
    // What cannot be written down is tried again when the lease is over.
    if let Err(error) = shop.store.finish_callback(&report, now).await {
        warn!(callback = callback.id, %error, "could not write down what came of a callback; it is tried again");
    }
}

/// What came of a try, and what it said, secrets masked.
struct Tried {
    done: Result<(), String>,
    log: String,
    /// Nothing was done: this program does not understand what is to be done, the one that wrote it down did.
    is_foreign: bool,
}

/// Why it is not known what is to be done.
enum Unknown {
    Foreign(String),
    Other(String),
}

impl From<StoreError> for Unknown {
    fn from(error: StoreError) -> Self {
        let words = error.to_string();
        if matches!(error, StoreError::Inconsistent { .. }) { Self::Foreign(words) } else { Self::Other(words) }
    }
}

/// Makes one try.
async fn attempt(shop: &Workshop, claimed: &ClaimedCallback) -> Tried {
    let (row, subject, callback) = match look_up(shop, claimed).await {
        Ok(found) => found,
        Err(Unknown::Foreign(message)) => return Tried { done: Err(message), log: String::new(), is_foreign: true },
        Err(Unknown::Other(message)) => return Tried { done: Err(message), log: String::new(), is_foreign: false },
    };
    let tail = Arc::new(Tail::default());
    let services = services(shop, &row, &tail);
    let done = match fill_in(&services, &subject, claimed, shop.clock.now(), &callback).await {
        Ok(arguments) => {
            let cx = context(shop, &row, &subject, claimed, &tail, services.clone());
            operate(shop, &callback.operator, arguments, cx).await
        }
        Err(message) => Err(message),
    };
    // Only now is it known what is secret.
    let masker = services.masker();
    let done = done.map_err(|message| masker.mask(&message).into_owned());
    Tried { done, log: tail.masked(&masker), is_foreign: false }
}

async fn look_up(shop: &Workshop, claimed: &ClaimedCallback) -> Result<(RunRow, Subject, Callback), Unknown> {
    let row = shop.store.run_by_key(claimed.run).await?;
    let row = row.ok_or_else(|| Unknown::Other("its run is gone".to_owned()))?;
    let dag = shop.dags.read(&shop.store, claimed.version_id).await?;
    let tasks = shop.store.tasks(claimed.run).await?;
    let subject = Subject::of(claimed, &dag, &tasks).map_err(Unknown::Other)?;
    let callback = match &claimed.given {
        Some(text) => Notification::read(text, shop.dags.catalog()).map_err(Unknown::Foreign)?,
        None => {
            let found = subject.callbacks.of(claimed.event).get(claimed.place).cloned();
            found.ok_or_else(|| Unknown::Other("this version of its DAG has no such callback".to_owned()))?
        }
    };
    Ok((row, subject, callback))
}

/// What a callback is about.
struct Subject {
    /// With the task in it; a run without tasks gets one that does nothing.
    dag: Arc<Dag>,
    ix: TaskIx,
    state: TaskState,
    try_number: u32,
    max_tries: u32,
    callbacks: Callbacks,
}

impl Subject {
    /// As in Airflow, what a run calls back sees a task of it as well: one that failed, else the last one.
    fn of(claimed: &ClaimedCallback, dag: &CachedDag, tasks: &[TaskRow]) -> Result<Self, String> {
        let row = match &claimed.task_id {
            Some(id) => tasks.iter().find(|row| row.task_id == *id && row.map_index == claimed.map_index),
            None => {
                let failed = tasks.iter().filter(|row| row.state == TaskState::Failed).min_by_key(|row| row.ended_at);
                failed.or_else(|| tasks.iter().max_by_key(|row| row.ended_at))
            }
        };
        let found = row.and_then(|row| Some((row, dag.task_ix(&row.task_id)?)));
        let mut shown = dag.dag.clone();
        let (ix, row) = match found {
            Some((row, ix)) => (ix, Some(row)),
            None if claimed.task_id.is_none() => {
                let mut with = (*dag.dag).clone();
                with.tasks.push(Task::new(TaskId::new("")));
                shown = Arc::new(with);
                (TaskIx::from(shown.tasks.len() - 1), None)
            }
            None => return Err("its task is not in this run any more".to_owned()),
        };
        let (callbacks, try_number) = match &claimed.task_id {
            Some(_) => (shown.task(ix).callbacks.clone(), claimed.number),
            None => (dag.dag.callbacks.clone(), row.map_or(0, |row| row.try_number)),
        };
        Ok(Self {
            state: state_at(claimed, row.map_or(TaskState::NoStatus, |row| row.state)),
            try_number,
            max_tries: row.map_or(0, |row| row.max_tries),
            dag: shown,
            ix,
            callbacks,
        })
    }
}

/// The state of the task when it called; it may have moved on since.
fn state_at(claimed: &ClaimedCallback, now: TaskState) -> TaskState {
    use flow_core::dag::CallbackEvent::*;
    match claimed.event {
        _ if claimed.task_id.is_none() => now,
        Execute => TaskState::Running,
        Success => TaskState::Success,
        Failure => TaskState::Failed,
        Retry => TaskState::UpForRetry,
        Skipped => TaskState::Skipped,
    }
}

fn services(shop: &Workshop, row: &RunRow, tail: &Arc<Tail>) -> Arc<AttemptServices> {
    let told = tail.clone();
    Arc::new(AttemptServices {
        store: shop.store.clone(),
        dags: shop.dags.clone(),
        clock: shop.clock.clone(),
        run: Arc::new(row.run.clone()),
        memory: Value::Null,
        masker: shop.masker.clone(),
        secrets: Arc::default(),
        // All that is said is masked when it is known what is secret.
        on_secret: Box::new(|_| ()),
        say: Box::new(move |text| told.write(Stream::Warning, format!("{text}\n").as_bytes())),
        handle: Handle::current(),
    })
}

async fn fill_in(
    services: &Arc<AttemptServices>,
    subject: &Subject,
    claimed: &ClaimedCallback,
    now: Timestamp,
    callback: &Callback,
) -> Result<Map<String, Value>, String> {
    let run: Arc<DagRun> = services.run.clone();
    let cx = Context {
        dag: subject.dag.clone(),
        task: subject.ix,
        run,
        map_index: claimed.map_index,
        try_number: subject.try_number,
        max_tries: subject.max_tries,
        state: subject.state,
        now,
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        facts: services.clone(),
    };
    let exception = Some(claimed.exception.clone()).filter(|text| !text.is_empty()).map_or(Value::Null, Value::from);
    let extra = Map::from_iter([("exception".to_owned(), exception)]);
    let callback = callback.clone();
    // Looking up an XCom or a variable blocks this thread, and a template may take its time.
    let filled = tokio::task::spawn_blocking(move || template::render_callback(&cx, &callback, extra));
    match tokio::time::timeout(LONGEST, filled).await {
        Ok(Ok(filled)) => filled.map_err(in_words),
        Ok(Err(_)) => Err("rendering its arguments went wrong inside Flow".to_owned()),
        Err(_) => Err(format!("its arguments were not filled in within {} s", LONGEST.as_secs())),
    }
}

fn context(
    shop: &Workshop,
    row: &RunRow,
    subject: &Subject,
    claimed: &ClaimedCallback,
    tail: &Arc<Tail>,
    services: Arc<AttemptServices>,
) -> TaskContext {
    let (run, task) = (&row.run, subject.dag.task(subject.ix));
    TaskContext {
        identity: Identity {
            dag_id: run.dag_id.clone(),
            run_id: run.run_id.clone(),
            task_id: task.id.clone(),
            map_index: claimed.map_index,
            try_number: subject.try_number,
            lost: 0,
            max_tries: subject.max_tries,
            owner: task.owner.clone(),
            logical_date: run.logical_date,
            data_interval: run.data_interval,
            run_after: run.run_after,
            run_queued_at: run.queued_at,
            traceparent: None,
            is_manual: run.run_type == flow_core::RunType::Manual,
            started_at: shop.clock.now(),
            worker_id: shop.worker.clone(),
            claim: u64::from(claimed.tries),
            token: format!("callback/{}/{}", claimed.id, claimed.tries),
        },
        log: tail.clone(),
        cancel: CancellationToken::new(),
        services,
        timezone: subject.dag.timezone.clone(),
        clock: crate::clock::system_now,
        clients: shop.clients.clone(),
        dag: subject.dag.clone(),
        downstream: Vec::new(),
        kill_grace: shop.kill_grace,
        delivery: Some(delivery_key(claimed)),
        // A callback has no end that a queue would have to wait for.
        afterwards: Afterwards::default(),
        scratch: shop.scratch.take(),
        file_folder: shop.folder_of(&claimed.file),
        do_xcom_push: false,
        multiple_outputs: false,
        airflow_dialect: subject.dag.dialect == Dialect::Airflow,
    }
}

/// Names this callback to whom it is delivered. The counters of another database, or of this one made anew, come to the
/// same numbers, and what has the name of something else is taken for its repetition.
fn delivery_key(claimed: &ClaimedCallback) -> String {
    format!("flow-callback-{}-{}-{:x}", claimed.id, claimed.run, claimed.created_at.as_micros())
}

/// Runs the operator, for so long at most.
async fn operate(
    shop: &Workshop,
    operator: &str,
    arguments: Map<String, Value>,
    cx: TaskContext,
) -> Result<(), String> {
    let longest = if operator == "email" { LONGEST_MAIL } else { LONGEST };
    let (cancel, scratch) = (cx.cancel.clone(), cx.scratch.clone());
    let running = shop.registry.run(operator, arguments, cx);
    tokio::pin!(running);
    let finished = tokio::select! {
        finished = &mut running => Some(finished),
        () = sleep(longest) => None,
    };
    let outcome = match finished {
        Some(finished) => Ok(finished.outcome),
        None => {
            cancel.cancel();
            running.await;
            Err(format!("not done within {} s: it was ended", longest.as_secs()))
        }
    };
    shop.scratch.give_back(scratch);
    match outcome? {
        Outcome::Success | Outcome::Skipped | Outcome::Branch { .. } | Outcome::ShortCircuit { .. } => Ok(()),
        Outcome::Failed { failure } => Err(failure.message),
        Outcome::Cancelled => Err("it was ended".to_owned()),
        Outcome::Lost { why } => Err(why),
        Outcome::Reschedule { .. } => Err("a callback cannot wait".to_owned()),
    }
}

/// Keeps the end of what a try says.
#[derive(Debug, Default)]
struct Tail {
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl LogSink for Tail {
    fn write(&self, _: Stream, bytes: &[u8]) {
        let said = &mut *self.lock();
        said.bytes.extend_from_slice(bytes);
        // Not each time: moving what stays costs.
        let most = LOG_MAX + MARGIN;
        if said.bytes.len() > 2 * most {
            let surplus = said.bytes.len() - most;
            said.bytes.drain(..surplus);
            said.is_cut = true;
        }
    }
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns it without secrets.
    fn masked(&self, masker: &Masker) -> String {
        let said = self.lock();
        let text = String::from_utf8_lossy(&said.bytes);
        let text = masker.mask(&text);
        // Half a secret may stand where it was cut.
        let from = if said.is_cut { MARGIN } else { 0 }.max(text.len().saturating_sub(LOG_MAX));
        text.get(text.ceil_char_boundary(from)..).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use flow_store::CALLBACK_TRIES;

    use super::*;

    #[test]
    fn tries_are_ever_further_apart_and_end() {
        let now = Timestamp::from_micros(0);
        let waits: Vec<_> =
            (1..=CALLBACK_TRIES).map(|tries| callback_again_at(tries, now).map(|at| at.since(now).as_secs())).collect();
        let expected = [10, 20, 40, 80, 160, 320, 640, 1280, 2560];
        assert_eq!(waits[..9], expected.map(Some));
        assert_eq!(waits[9], None);
    }

    #[test]
    fn a_lease_is_longer_than_filling_in_doing_and_ending_may_take() {
        for seconds in [1, 10, 600] {
            let kill_grace = Duration::from_secs(seconds);
            assert!(lease(kill_grace) > LONGEST + LONGEST_MAIL + kill_grace + Duration::from_secs(5));
        }
    }

    #[test]
    fn the_end_of_what_is_said_stays_and_half_a_secret_does_not() {
        let tail = Tail::default();
        let masker = Masker::new(["hunter2hunter2"]);
        tail.write(Stream::Info, b"short hunter2hunter2\n");
        assert_eq!(tail.masked(&masker), "short ***\n");
        for _ in 0..10_000 {
            tail.write(Stream::Info, b"hunter2hunter2");
        }
        tail.write(Stream::Info, b"the end");
        let text = tail.masked(&masker);
        assert!(text.len() <= LOG_MAX && text.ends_with("***the end") && !text.contains("hunter"), "{text}");
        assert!(tail.lock().bytes.len() <= 2 * (LOG_MAX + MARGIN));
    }
}
