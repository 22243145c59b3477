//! What lasts longer than a request: streams of events and of logs. How many there are, who may still see them,
//! and that they end with the server.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::request::Parts;
use flow_store::Store;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiError, App,
    access::{By, Role, Who},
    auth,
};

mod gaps;
mod hub;

pub(crate) use hub::{Hub, LOOK_BACK, Said, Told};

/// How often it is asked whether a stream's user still exists, is logged in, and may see what they watch.
pub(crate) const RENEW: Duration = Duration::from_secs(5);
/// Of all streams, the share that one user may have.
const SHARE: usize = 4;
/// Searches in logs at the same time.
const SEARCHES: usize = 2;

/// What is shared by all streams of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live {
    pub(crate) hub: Hub,
    /// Fires when the server is asked to end.
    pub(crate) closing: CancellationToken,
    pub(crate) searches: Arc<Semaphore>,
    seats: Arc<Seats>,
}

#[derive(Debug)]
struct Seats {
    most: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A stream's place among the others; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    user: String,
    seats: Arc<Seats>,
}

impl Live {
    /// Begins with no stream; there will be at most `streams_max`.
    pub fn new(store: Store, streams_max: usize) -> Self {
        Self {
            hub: Hub::new(store),
            closing: CancellationToken::new(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            seats: Arc::new(Seats { most: streams_max.max(1), taken: Mutex::default() }),
        }
    }

    /// Takes a place for a stream.
    ///
    /// # Errors
    ///
    /// 429 when there are too many, in all or of this user.
    pub(crate) fn seat(&self, who: &Who) -> Result<Seat, ApiError> {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_user = taken.get(&who.user).copied().unwrap_or(0);
        if all >= self.seats.most || of_user >= self.seats.most.div_ceil(SHARE) {
            return Err(ApiError::too_many(10, "too many streams are open; close one, or try again later"));
        }
        taken.insert(who.user.clone(), of_user + 1);
        Ok(Seat { user: who.user.clone(), seats: Arc::clone(&self.seats) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

/// What a stream's user may see; asked again and again, for it may change while the stream goes on.
pub(crate) struct Access {
    app: App,
    /// The request, without what was found out about it.
    request: Parts,
    who: Who,
    /// The DAG that the stream is about, if it is about one.
    dag_id: Option<String>,
    hidden: HashSet<String>,
    /// DAGs that there are, as far as it was asked since the last look.
    there: HashSet<String>,
    renewed_at: Instant,
}

impl Access {
    /// # Errors
    ///
    /// When the user may not see the DAG.
    pub(crate) async fn new(app: &App, request: &Parts, who: Who, dag_id: Option<String>) -> Result<Self, ApiError> {
        let mut request = request.clone();
        if who.by != By::Process {
            request.extensions.remove::<Who>();
        }
        let mut access = Self {
            app: app.clone(),
            request,
            who,
            dag_id,
            hidden: HashSet::new(),
            there: HashSet::new(),
            renewed_at: Instant::now(),
        };
        access.look().await?;
        Ok(access)
    }

    /// Says whether the stream may go on. Asks at most every [`RENEW`].
    pub(crate) async fn may_go_on(&mut self) -> bool {
        if self.renewed_at.elapsed() < RENEW {
            return true;
        }
        let renewed = match auth::identify(&self.app, &self.request, false).await {
            Ok(who) => {
                self.who = who;
                self.look().await
            }
            Err(error) => Err(error),
        };
        self.renewed_at = Instant::now();
        // A database that does not answer takes nothing away.
        renewed.map_or_else(|error| !error.is_refusal(), |()| true)
    }

    /// Finds out anew which DAGs are hidden.
    pub(crate) async fn look(&mut self) -> Result<(), ApiError> {
        if let Some(dag_id) = &self.dag_id {
            auth::check_dag(&self.app, &self.who, dag_id, false).await?;
        }
        self.there.clear();
        self.hidden = auth::hidden_dags(&self.app, &self.who).await?.into_iter().collect();
        Ok(())
    }

    /// Finds out which of these DAGs there are, where it matters. Those that were deleted are shown to no one below Op:
    /// who might see them is not known any more.
    pub(crate) async fn look_for(&mut self, dag_ids: impl Iterator<Item = &str>) -> Result<(), ApiError> {
        if self.who.role >= Role::Op {
            return Ok(());
        }
        let asked: HashSet<&str> = dag_ids.filter(|dag_id| !self.there.contains(*dag_id)).collect();
        if !asked.is_empty() {
            let asked: Vec<&str> = asked.into_iter().collect();
            let found = self.app.store.dags_among(&asked).await?;
            self.there.extend(found);
        }
        Ok(())
    }

    /// Says whether they may see what is about this DAG, or about none; [`Self::look_for`] comes first.
    pub(crate) fn shows(&self, dag_id: Option<&str>) -> bool {
        self.who.role >= Role::Op
            || dag_id.is_some_and(|dag_id| self.there.contains(dag_id) && !self.hidden.contains(dag_id))
    }
}
