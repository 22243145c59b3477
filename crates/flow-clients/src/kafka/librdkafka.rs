//! Kafka by librdkafka. Everything that blocks runs on a thread of its own, in slices short enough that it ends soon
//! after nobody waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel, error::KafkaError, topic_partition_list::TopicPartitionList};

use super::{Offsets, Settings};
use crate::{ClientError, Kind, Result};

mod admin;
mod consumer;
mod errors;
mod producer;
mod watcher;

pub use admin::{Admin, Telling};
pub use consumer::{Consumer, GroupMetadata};
pub use producer::{Producer, Sending};

/// Longest that a call into the library may block.
const SLICE: Duration = Duration::from_millis(200);

/// Tells work that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Whether a client may be kept. One that left somebody without an answer may never find its way back to a broker; a
/// fresh one begins anew.
#[derive(Clone, Debug, Default)]
struct Trust {
    is_lost: Arc<AtomicBool>,
}

impl Trust {
    fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    /// Does something; trust is lost when no broker answers, also when nobody waits so long.
    async fn doing<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        struct Pending<'a>(Option<&'a Trust>);
        impl Drop for Pending<'_> {
            fn drop(&mut self) {
                if let Some(trust) = self.0 {
                    trust.lose();
                }
            }
        }
        let mut pending = Pending(Some(self));
        let done = work.await;
        if !matches!(&done, Err(ClientError { kind: Kind::Unavailable, .. })) {
            pending.0 = None;
        }
        done
    }
}

/// Runs work that blocks; dropped, it asks the work to stop.
async fn blocking<T: Send + 'static>(work: impl FnOnce(&Stop) -> Result<T> + Send + 'static) -> Result<T> {
    let stop = Stop::default();
    let _guard = StopOnDrop(stop.clone());
    match tokio::task::spawn_blocking(move || work(&stop)).await {
        Ok(done) => done,
        Err(error) => Err(ClientError::unavailable(format!("the work with Kafka broke off: {error}"))),
    }
}

/// Closes something of the library where nobody waits: that may take seconds.
fn close_elsewhere<T: Send + 'static>(closed: T) {
    let spawned = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(move || drop(closed));
    // Without a thread there is nothing better than closing it here, which dropping the closure has done.
    drop(spawned);
}

/// Tries again until it works, nobody waits any more, or time is up. `step` blocks for a slice at most; `Err(None)` is
/// "not yet".
fn until<T>(
    patience: Duration,
    stop: &Stop,
    mut step: impl FnMut() -> std::result::Result<T, Option<ClientError>>,
    too_late: impl FnOnce() -> ClientError,
) -> Result<T> {
    let began = Instant::now();
    loop {
        match step() {
            Ok(done) => return Ok(done),
            Err(Some(error)) => return Err(error),
            Err(None) => {}
        }
        if stop.is_asked() {
            return Err(ClientError::unavailable("ended before Kafka answered"));
        }
        if began.elapsed() >= patience {
            return Err(too_late());
        }
    }
}

fn config(settings: &Settings) -> ClientConfig {
    let mut config: ClientConfig = settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // Why a connection broke is said at this level; it goes to the watcher.
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// A mistake in the settings; never says a value, it might be a secret.
fn bad_settings(error: KafkaError) -> ClientError {
    ClientError::settings(if let KafkaError::ClientConfig(_, _, name, _) = error {
        format!("`{name}` is no setting of Kafka's client, or its value is none of those allowed")
    } else {
        format!("the settings for Kafka do not fit: {error}")
    })
}

fn list_of(offsets: &Offsets) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for ((topic, partition), offset) in offsets {
        list.add_partition_offset(topic, *partition, rdkafka::Offset::from_raw(*offset))
            .map_err(|error| ClientError::settings(format!("offset {offset} of `{topic}` does not fit: {error}")))?;
    }
    Ok(list)
}
