//! Pictures of DAGs that were asked for lately, as they are sent. Bounded by how much is in them; and turns for those who
//! need a thread for a while, to draw one or to read the text of a DAG.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use flow_core::graph::Direction;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::{ApiError, auth};

/// Pictures kept.
const PICTURES_MAX: usize = 64;
/// Bytes of all pictures kept.
const BYTES_MAX: usize = 32 << 20;
/// Pictures that are made at once; others wait, so that pictures never take all of the machine.
const MADE_AT_ONCE: usize = 2;

/// Requests that may wait for their turn with a text in hand.
const LINE_MAX: usize = 32;

/// Which picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// A version of a DAG, which never changes.
    pub(crate) version_id: i64,
    pub(crate) is_down: bool,
    /// Indexes of the groups that are seen folded.
    pub(crate) folded: BTreeSet<usize>,
}

impl Key {
    pub(crate) fn new(version_id: i64, direction: Direction, folded: BTreeSet<usize>) -> Self {
        Self { version_id, is_down: direction == Direction::Down, folded }
    }
}

/// A picture as it is sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) body: Bytes,
    /// Of the body.
    pub(crate) etag: String,
}

impl Sent {
    pub(crate) fn new(body: String) -> Self {
        let etag = format!("\"{}\"", &auth::digest(&body)[..32]);
        Self { body: Bytes::from(body), etag }
    }
}

/// The pictures. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Graphs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Mutex<Kept>,
    makers: Arc<Semaphore>,
    checker: Arc<Semaphore>,
    line: Semaphore,
}

#[derive(Debug, Default)]
struct Kept {
    pictures: HashMap<Key, (Arc<Sent>, u64)>,
    bytes: usize,
    clock: u64,
}

impl Kept {
    fn get(&mut self, key: &Key) -> Option<Arc<Sent>> {
        self.clock += 1;
        let (sent, used) = self.pictures.get_mut(key)?;
        *used = self.clock;
        Some(sent.clone())
    }

    fn put(&mut self, key: Key, sent: Arc<Sent>) {
        self.clock += 1;
        self.bytes += sent.body.len();
        if let Some((old, _)) = self.pictures.insert(key, (sent, self.clock)) {
            self.bytes -= old.body.len();
        }
        // The least recently used go first; one that is larger than all the room is not kept either.
        while self.pictures.len() > PICTURES_MAX || self.bytes > BYTES_MAX {
            let oldest = self.pictures.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((old, _)) = oldest.and_then(|key| self.pictures.remove(&key)) else { return };
            self.bytes -= old.body.len();
        }
    }
}

impl Default for Graphs {
    fn default() -> Self {
        Self(Arc::new(Inner {
            kept: Mutex::default(),
            makers: Arc::new(Semaphore::new(MADE_AT_ONCE)),
            checker: Arc::new(Semaphore::new(1)),
            line: Semaphore::new(LINE_MAX),
        }))
    }
}

impl Graphs {
    /// Returns a picture; `make` is called, on a thread that may be busy, when it is not at hand.
    pub(crate) async fn get(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Sent, String> + Send + 'static,
    ) -> Result<Arc<Sent>, ApiError> {
        if let Some(sent) = self.kept().get(&key) {
            return Ok(sent);
        }
        let turn = self.turn().await?;
        // Whoever was before may have wanted the same.
        if let Some(sent) = self.kept().get(&key) {
            return Ok(sent);
        }
        let made = busy(turn, make).await?.map_err(ApiError::unavailable)?;
        let sent = Arc::new(made);
        self.kept().put(key, sent.clone());
        Ok(sent)
    }

    /// Waits until one more may be made.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.0.makers.clone().acquire_owned().await.map_err(|_| ApiError::unavailable("the server is about to end"))
    }

    /// Waits until a text may be checked: one at a time, and pictures go on meanwhile.
    pub(crate) async fn check_turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.0.checker.clone().acquire_owned().await.map_err(|_| ApiError::unavailable("the server is about to end"))
    }

    /// Stands in line for something that keeps a large text at hand.
    ///
    /// # Errors
    ///
    /// 429 when too many do.
    pub(crate) fn place_in_line(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.0.line.try_acquire().map_err(|_| ApiError::too_many(1, "too many texts are being checked; try again"))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does something that takes a while, away from the threads that serve requests. The turn ends with it, even when nobody
/// waits for it any more, unless it is shared.
pub(crate) async fn busy<T: Send + 'static>(
    turn: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "what was asked for could not be finished");
        ApiError::unavailable("this could not be finished")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version_id: i64) -> Key {
        Key::new(version_id, Direction::Right, BTreeSet::new())
    }

    #[tokio::test]
    async fn what_is_at_hand_is_not_made_again() {
        let graphs = Graphs::default();
        let make = |text: &str| {
            let text = text.to_owned();
            move || Ok(Sent::new(text))
        };
        let first = graphs.get(key(1), make("one")).await.unwrap();
        let again = graphs.get(key(1), make("two")).await.unwrap();
        assert_eq!((first.body.as_ref(), again.body.as_ref()), (&b"one"[..], &b"one"[..]));
        let down = Key::new(1, Direction::Down, BTreeSet::new());
        let other = graphs.get(down, make("two")).await.unwrap();
        assert_ne!(first.etag, other.etag);
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let sent = |bytes: usize| Arc::new(Sent::new("x".repeat(bytes)));
        let mut kept = Kept::default();
        for id in 0..3 {
            kept.put(key(id), sent(BYTES_MAX / 3));
        }
        assert!(kept.get(&key(0)).is_some());
        kept.put(key(3), sent(BYTES_MAX / 3));
        let there: Vec<bool> = (0..4).map(|id| kept.get(&key(id)).is_some()).collect();
        assert_eq!(there, [true, false, true, true]);
        kept.put(key(4), sent(BYTES_MAX + 1));
        assert_eq!((kept.pictures.len(), kept.bytes), (0, 0));
        for id in 0..100 {
            kept.put(key(id), sent(1));
        }
        assert_eq!((kept.pictures.len(), kept.bytes), (PICTURES_MAX, PICTURES_MAX));
    }
}
