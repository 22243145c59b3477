//! Reads events once for everyone who watches; reads nothing while nobody does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use flow_core::Timestamp;
use flow_store::{EventRow, Signal, Store, StoreError};
use serde::Serialize;
use tokio::sync::{Mutex, broadcast};

use super::gaps::{Gaps, MOST};
use crate::wire::When;

/// Between two looks when nothing is heard; what another process does is seen after so long.
const LOOK: Duration = Duration::from_millis(200);
/// Between two looks at least, however much happens.
const BREATH: Duration = Duration::from_millis(40);
/// After the database did not answer.
const TROUBLE: Duration = Duration::from_secs(1);
/// Events read at a time.
const PAGE: u32 = 1_000;
/// When so much has happened since the last look, screens are told to load anew instead.
const BEHIND_MAX: i64 = 20_000;
/// Events that a slow watcher may be behind.
const CAPACITY: usize = 4_096;
/// So far behind the newest number some may still be missing when somebody begins to watch Postgres: one transaction
/// may write thousands.
pub(crate) const LOOK_BACK: u32 = MOST;

/// What happened, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: i64,
    pub(crate) dag_id: Option<String>,
    pub(crate) run_id: Option<String>,
    /// It is about a DAG as a whole: who may see it may have changed.
    pub(crate) is_about_dag: bool,
    /// JSON on one line.
    pub(crate) data: Bytes,
}

/// What watchers hear.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Event(Arc<Told>),
    /// The number was skipped before.
    Late(Arc<Told>),
    /// Too much to tell: load everything anew.
    Reload,
}

/// The data of an event. Small: states change, screens fetch what they show.
#[derive(Serialize)]
struct Data<'a> {
    kind: &'a str,
    dag_id: Option<&'a str>,
    run_id: Option<&'a str>,
    task_id: Option<&'a str>,
    map_index: Option<i64>,
    try_number: Option<i64>,
    state: Option<&'a str>,
    at: When,
}

impl From<EventRow> for Told {
    fn from(row: EventRow) -> Self {
        let data = Data {
            kind: &row.kind,
            dag_id: row.dag_id.as_deref(),
            run_id: row.run_id.as_deref(),
            task_id: row.task_id.as_deref(),
            map_index: row.map_index,
            try_number: row.try_number,
            state: row.state.as_deref(),
            at: When(Timestamp::from_micros(row.at)),
        };
        // Plain data becomes JSON, and JSON has no line breaks of its own.
        let data = Bytes::from(serde_json::to_vec(&data).unwrap_or_default());
        let is_about_dag = row.dag_id.is_some() && row.run_id.is_none() && row.task_id.is_none();
        Self { id: row.id, dag_id: row.dag_id, run_id: row.run_id, is_about_dag, data }
    }
}

/// The one reader. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    store: Store,
    said: broadcast::Sender<Said>,
    /// Whether the reader runs; held while it starts and when it ends.
    is_running: Arc<Mutex<bool>>,
    last: Arc<AtomicI64>,
}

impl Hub {
    pub(crate) fn new(store: Store) -> Self {
        let (said, _) = broadcast::channel(CAPACITY);
        Self { store, said, is_running: Arc::default(), last: Arc::default() }
    }

    /// Begins to watch. Returns what will be heard, and the number after which it begins.
    pub(crate) async fn watch(&self) -> Result<(broadcast::Receiver<Said>, i64), StoreError> {
        let mut is_running = self.is_running.lock().await;
        if !*is_running {
            let last = self.store.last_event().await?;
            let mut reader = Reader { hub: self.clone(), last, gaps: Gaps::default() };
            let seen = self.look_back(last).await?;
            reader.begin_at(last, &seen);
            *is_running = true;
            let heard = self.said.subscribe();
            tokio::spawn(reader.run());
            return Ok((heard, last));
        }
        // In this order: what is said between the two is heard, if only to be heard again.
        let heard = self.said.subscribe();
        Ok((heard, self.last.load(Ordering::Acquire)))
    }

    /// Returns the numbers up to `last` that can be seen, where others may not be committed yet.
    async fn look_back(&self, last: i64) -> Result<Vec<i64>, StoreError> {
        if !self.looks_back() {
            return Ok(Vec::new());
        }
        self.store.event_ids_after(last - i64::from(LOOK_BACK), LOOK_BACK).await
    }

    /// Says whether numbers may be seen out of order.
    pub(crate) fn looks_back(&self) -> bool {
        self.store.kind() != "sqlite"
    }
}

struct Reader {
    hub: Hub,
    last: i64,
    gaps: Gaps,
}

impl Reader {
    async fn run(mut self) {
        loop {
            {
                let mut is_running = self.hub.is_running.lock().await;
                if self.hub.said.receiver_count() == 0 {
                    *is_running = false;
                    return;
                }
            }
            let pause = match self.look().await {
                Ok(()) => BREATH,
                Err(error) => {
                    tracing::debug!(%error, "events cannot be read; trying again");
                    TROUBLE
                }
            };
            tokio::time::sleep(pause).await;
            // Woken in vain, or not at all, does no harm.
            let _ = tokio::time::timeout(LOOK - BREATH, self.hub.store.heard(Signal::Event)).await;
        }
    }

    /// Goes to a number, and notes what was not committed yet when those were seen. What was forgotten is asked for
    /// in vain, for a while.
    fn begin_at(&mut self, last: i64, seen: &[i64]) {
        self.gaps.clear();
        let before = (last - i64::from(LOOK_BACK)).max(0);
        let end = seen.partition_point(|id| *id <= last);
        self.gaps.note(before, &seen[..end], Instant::now());
        self.go_to(last);
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let wanted = self.gaps.wanted(Instant::now());
        if !wanted.is_empty() {
            for row in self.hub.store.events_among(&wanted).await? {
                self.gaps.close(row.id);
                self.say(Said::Late(Arc::new(row.into())));
            }
        }
        loop {
            let rows = self.hub.store.events_after(self.last, PAGE).await?;
            let Some(newest) = rows.last().map(|row| row.id) else { return Ok(()) };
            let is_full = rows.len() >= PAGE as usize;
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            if self.hub.looks_back() && !self.gaps.note(self.last, &ids, Instant::now()) {
                self.say(Said::Reload);
            }
            // Before it is said: who begins to watch in between has not missed what was said before.
            self.go_to(newest);
            for row in rows {
                self.say(Said::Event(Arc::new(row.into())));
            }
            if !is_full {
                return Ok(());
            }
            let end = self.hub.store.last_event().await?;
            if end - self.last > BEHIND_MAX {
                // First: if this fails nothing was skipped, and what is seen here is there when screens load.
                let seen = self.hub.look_back(end).await?;
                self.begin_at(end, &seen);
                self.say(Said::Reload);
            }
        }
    }

    fn go_to(&mut self, id: i64) {
        self.last = id;
        self.hub.last.store(id, Ordering::Release);
    }

    fn say(&self, said: Said) {
        // Nobody there any more: the next turn notices.
        let _ = self.hub.said.send(said);
    }
}
