//! Clients that stay open between tasks: one for each connection and kind, bounded in number, closed when idle.

use std::{
    any::Any,
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flow_core::connection::Connection;
use sha2::{Digest, Sha256};
use tokio::{sync::OnceCell, time::Instant};

/// Most clients that stay open; past it, the one that was idle longest goes.
const KEPT_MAX: usize = 64;

/// A client that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(300);

/// The clients of a process. Cloning it is cheap, and shares them.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    slots: Arc<Mutex<HashMap<Key, Slot>>>,
}

/// The kind of client, and a digest of the connection's every field: one that was changed is another.
type Key = (&'static str, [u8; 32]);

type Shared = Arc<dyn Any + Send + Sync>;

#[derive(Debug)]
struct Slot {
    cell: Arc<OnceCell<Shared>>,
    used: Instant,
}

impl Clients {
    /// Returns the client of this kind for a connection; makes it when there is none. Those who ask at once wait for
    /// one making. It is closed when it has been idle for five minutes and nobody holds it.
    ///
    /// # Errors
    ///
    /// What `make` says; the next call tries again.
    pub async fn keep<T, E, F>(&self, kind: &'static str, connection: &Connection, make: F) -> Result<Arc<T>, E>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let cell = self.cell((kind, digest(connection)));
        let made = cell.get_or_try_init(|| async { Ok(Arc::new(make.await?) as Shared) }).await?.clone();
        Ok(made.downcast().unwrap_or_else(|_| unreachable!("a kind of client has one type")))
    }

    /// Keeps this client no longer: the next who asks gets another. Those who hold it may go on.
    pub fn forget<T: Send + Sync + 'static>(&self, kind: &'static str, connection: &Connection, client: &Arc<T>) {
        let key = (kind, digest(connection));
        let mut slots = self.lock();
        // Somebody else may have forgotten it before, and another stands there.
        let is_it = slots.get(&key).and_then(|slot| slot.cell.get()).is_some_and(|kept| {
            let kept: Arc<dyn Any + Send + Sync> = kept.clone();
            kept.downcast::<T>().is_ok_and(|kept| Arc::ptr_eq(&kept, client))
        });
        let forgotten = is_it.then(|| slots.remove(&key));
        drop(slots);
        drop(forgotten);
    }

    /// Closes what has been idle for too long. Called now and then by whoever owns the clients.
    pub fn close_idle(&self) {
        let now = Instant::now();
        let mut closed = Vec::new();
        self.lock().retain(|_, slot| {
            let stays = slot.is_in_use() || now.duration_since(slot.used) < IDLE;
            if !stays {
                closed.push(slot.cell.clone());
            }
            stays
        });
        // Outside the lock: closing may take its time.
        drop(closed);
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Shared>> {
        let now = Instant::now();
        let mut slots = self.lock();
        let mut closed = None;
        if !slots.contains_key(&key) && slots.len() >= KEPT_MAX {
            let idle = slots.iter().filter(|(_, slot)| !slot.is_in_use()).min_by_key(|(_, slot)| slot.used);
            let idle = idle.map(|(key, _)| *key);
            closed = idle.and_then(|key| slots.remove(&key));
        }
        let slot = slots.entry(key).or_insert_with(|| Slot { cell: Arc::default(), used: now });
        slot.used = now;
        let cell = slot.cell.clone();
        drop(slots);
        drop(closed);
        cell
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.cell) > 1 || self.cell.get().is_some_and(|client| Arc::strong_count(client) > 1)
    }
}

fn digest(connection: &Connection) -> [u8; 32] {
    Sha256::digest(connection.to_json().to_string()).into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static MADE: AtomicUsize = AtomicUsize::new(0);

    async fn ask(clients: &Clients, text: &str) -> Result<Arc<usize>, &'static str> {
        let connection = Connection::parse("shop", text).unwrap();
        clients.keep("test", &connection, async { Ok(MADE.fetch_add(1, Ordering::Relaxed)) }).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_made_once_and_closed_when_idle() {
        let clients = Clients::default();
        let first = ask(&clients, "http://a@h/").await.unwrap();
        assert_eq!(ask(&clients, "http://a@h/").await.unwrap(), first);
        assert_ne!(ask(&clients, "http://b@h/").await.unwrap(), first);
        tokio::time::advance(IDLE).await;
        clients.close_idle();
        assert_eq!(ask(&clients, "http://a@h/").await.unwrap(), first, "one that is in use stays");
        let number = *first;
        drop(first);
        tokio::time::advance(IDLE).await;
        clients.close_idle();
        assert_ne!(*ask(&clients, "http://a@h/").await.unwrap(), number);
        for at in 0..KEPT_MAX * 2 {
            ask(&clients, &format!("http://h{at}/")).await.unwrap();
        }
        assert_eq!(clients.lock().len(), KEPT_MAX);
    }

    #[tokio::test]
    async fn one_that_is_forgotten_is_made_anew_once() {
        let clients = Clients::default();
        let connection = Connection::parse("shop", "http://h/").unwrap();
        let first = ask(&clients, "http://h/").await.unwrap();
        clients.forget("test", &connection, &first);
        let second = ask(&clients, "http://h/").await.unwrap();
        assert_ne!(first, second);
        clients.forget("test", &connection, &first);
        assert_eq!(ask(&clients, "http://h/").await.unwrap(), second, "it is another by now");
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let clients = Clients::default();
        let connection = Connection::parse("shop", "http://h/").unwrap();
        let failed = clients.keep::<usize, _, _>("test", &connection, async { Err("no") }).await;
        assert_eq!(failed, Err("no"));
        assert_eq!(clients.keep("test", &connection, async { Ok::<_, ()>(7_usize) }).await, Ok(Arc::new(7)));
    }
}
