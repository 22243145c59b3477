//! One thread that writes what waits: unfinished lines, and what a busy attempt has gathered.
//!
//! It sleeps as long as no log has anything open.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

/// What the thread looks after.
pub(super) trait Flush: Send + Sync {
    /// Writes what waits. Says whether it wants to be asked again.
    fn flush(&self) -> bool;
}

/// The thread, and the logs handed to it.
pub(super) struct Flusher {
    shared: Arc<Shared>,
}

struct Shared {
    period: Duration,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    added: Vec<Weak<dyn Flush>>,
    is_running: bool,
    is_stopped: bool,
}

impl Flusher {
    /// Makes a flusher that asks each log once a period. The thread starts with the first log.
    pub(super) fn new(period: Duration) -> Self {
        Self { shared: Arc::new(Shared { period, queue: Mutex::default(), wake: Condvar::new() }) }
    }

    /// Looks after a log until it says that it has nothing left. Returns false when there is no thread.
    pub(super) fn add(&self, log: Weak<dyn Flush>) -> bool {
        let mut queue = self.shared.lock();
        if !queue.is_running {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("flow-logs".to_owned());
            if let Err(error) = thread.spawn(move || shared.run()) {
                tracing::warn!("cannot start the thread that writes logs: {error}");
                return false;
            }
            queue.is_running = true;
        }
        queue.added.push(log);
        self.shared.wake.notify_one();
        true
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.lock().is_stopped = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut logs: Vec<Weak<dyn Flush>> = Vec::new();
        loop {
            {
                let idle = |queue: &mut Queue| queue.added.is_empty() && logs.is_empty() && !queue.is_stopped;
                let mut queue = self.wake.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
                logs.append(&mut queue.added);
                if queue.is_stopped {
                    return;
                }
            }
            thread::sleep(self.period);
            logs.append(&mut self.lock().added);
            logs.retain(|log| log.upgrade().is_some_and(|log| log.flush()));
        }
    }
}
