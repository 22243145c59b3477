//! Writing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flow_core::connection::Connection;
use rdkafka::{
    Message as _,
    client::ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
    statistics::Statistics,
    types::RDKafkaErrorCode as Code,
};
use tokio::sync::Notify;

use super::{
    GroupMetadata, SLICE, Stop, Trust, bad_settings, blocking, close_elsewhere, config, errors, list_of, until,
    watcher::Watcher,
};
use crate::{
    ClientError, Kind, Result,
    kafka::{Acks, Notes, Offsets, PATIENCE, Record, Settings, Writing, Written, unknown_topic},
};

/// How long one call about a transaction may block.
const TRANSACTION_SLICE: Duration = Duration::from_secs(3);

/// How long a transaction's beginning and end may take.
const TRANSACTION_PATIENCE: Duration = Duration::from_secs(60);

/// How long a topic may take to be made by the broker itself, where it does that.
const TOPIC_PATIENCE: Duration = Duration::from_secs(2);

/// Writes messages. Many may do so at once, each with a [`Sending`] of its own. Dropped, it is closed elsewhere.
pub struct Producer {
    writer: Option<Arc<Writer>>,
    trust: Trust,
}

type Writer = ThreadedProducer<Ears>;

/// Hears errors and deliveries.
#[derive(Default)]
struct Ears {
    watcher: Watcher,
}

impl ClientContext for Ears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.watcher.log(level, facility, message);
    }
    fn stats(&self, _: Statistics) {}
    fn error(&self, error: KafkaError, reason: &str) {
        self.watcher.error(error, reason);
    }
}

impl ProducerContext for Ears {
    type DeliveryOpaque = Arc<Tally>;

    fn delivery(&self, delivered: &DeliveryResult<'_>, tally: Self::DeliveryOpaque) {
        let mut counts = tally.lock();
        counts.settled += 1;
        match delivered {
            Ok(message) => {
                self.watcher.is_well();
                counts.written.messages += 1;
                *counts.written.partitions.entry(message.partition()).or_default() += 1;
            }
            Err((error, message)) => {
                if counts.failed.is_none() {
                    let doing = format!("write to topic `{}`", message.topic());
                    counts.failed = Some(self.watcher.explain(&doing, error));
                }
            }
        }
        drop(counts);
        tally.changed.notify_waiters();
    }
}

/// What became of the messages of one sending.
#[derive(Debug, Default)]
struct Tally {
    counts: Mutex<Counts>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    settled: u64,
    written: Written,
    failed: Option<ClientError>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages that one task writes. Dropped, what is still queued may be written or not.
pub struct Sending {
    writer: Arc<Writer>,
    tally: Arc<Tally>,
    listener: u64,
    trust: Trust,
}

impl Producer {
    /// Makes one. With a transactional id, the transactions that an earlier producer of that name left open are
    /// aborted, and it is fenced off.
    ///
    /// # Errors
    ///
    /// Settings that make no sense; with transactions: no answer.
    pub async fn open(connection: &Connection, writing: &Writing) -> Result<Self> {
        let mut settings = Settings::of(connection)?;
        settings.set(
            "acks",
            match writing.acks {
                Acks::None => "0",
                Acks::Leader => "1",
                Acks::All => "all",
            },
        );
        settings.set("enable.idempotence", writing.is_idempotent || writing.transactional_id.is_some());
        if let Some(id) = &writing.transactional_id {
            settings.set("transactional.id", id);
        }
        if let Some(compression) = &writing.compression {
            settings.set("compression.type", compression);
        }
        // As Java's clients do: whoever writes, the same key goes to the same partition.
        settings.default("partitioner", "murmur2_random");
        settings.default("client.id", "flow");
        settings.default("linger.ms", 5);
        settings.default("message.timeout.ms", if writing.transactional_id.is_some() { 50_000 } else { 120_000 });
        settings.default("queue.buffering.max.kbytes", 65_536);
        settings.default("socket.keepalive.enable", true);
        let writer: Writer =
            blocking(move |_| config(&settings).create_with_context(Ears::default()).map_err(bad_settings)).await?;
        let producer = Self { writer: Some(Arc::new(writer)), trust: Trust::default() };
        if writing.transactional_id.is_some() {
            producer
                .transact("begin to write in transactions", |writer| writer.init_transactions(TRANSACTION_SLICE))
                .await?;
        }
        Ok(producer)
    }

    fn writer(&self) -> Result<Arc<Writer>> {
        self.writer.clone().ok_or_else(|| ClientError::unavailable("the producer is closed"))
    }

    /// Finds out whether the broker answers and the topic is there; returns the number of its partitions.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub async fn check(&self, topic: &str) -> Result<usize> {
        self.trust
            .doing(async {
                let writer = self.writer()?;
                let topic = topic.to_owned();
                blocking(move |stop| {
                    let doing = format!("ask for topic `{topic}`");
                    let watcher = &writer.context().watcher;
                    let mut slice = SLICE;
                    let mut last = KafkaError::MetadataFetch(Code::OperationTimedOut);
                    let began = std::time::Instant::now();
                    let step = || {
                        let answer = writer.client().fetch_metadata(Some(&topic), slice);
                        slice = (slice * 2).min(Duration::from_secs(4));
                        let found = match answer {
                            Ok(found) => found,
                            Err(error) => {
                                if let Some(hopeless) = watcher.hopeless(&doing) {
                                    return Err(Some(hopeless));
                                }
                                if !error.rdkafka_error_code().is_some_and(errors::may_pass) {
                                    return Err(Some(watcher.explain(&doing, &error)));
                                }
                                std::thread::sleep(Duration::from_millis(20));
                                last = error;
                                return Err(None);
                            }
                        };
                        let found = found.topics().iter().find(|found| found.name() == topic);
                        match found.map(|found| (found.partitions().len(), found.error().map(Code::from))) {
                            Some((count, None)) => {
                                watcher.is_well();
                                Ok(count)
                            }
                            // A broker that makes topics by itself says this meanwhile.
                            Some((_, Some(code)))
                                if errors::is_unknown_topic(code) || code == Code::LeaderNotAvailable =>
                            {
                                if began.elapsed() >= TOPIC_PATIENCE {
                                    return Err(Some(unknown_topic(&topic)));
                                }
                                std::thread::sleep(SLICE);
                                Err(None)
                            }
                            Some((_, Some(code))) => Err(Some(errors::of_code(&doing, Some(code), &code.to_string()))),
                            None => Err(Some(unknown_topic(&topic))),
                        }
                    };
                    // `last` is changed by the steps, and read when they are over.
                    let done = until(PATIENCE, stop, step, || ClientError::unavailable(""));
                    done.map_err(|error| if error.message.is_empty() { watcher.explain(&doing, &last) } else { error })
                })
                .await
            })
            .await
    }

    /// Whether it cannot write any more: it stopped by itself, heard what waiting does not mend, or left somebody
    /// without an answer. Another may.
    pub fn is_dead(&self) -> bool {
        self.trust.is_lost()
            || self.writer.as_ref().is_none_or(|writer| {
                writer.client().fatal_error().is_some() || writer.context().watcher.hopeless("").is_some()
            })
    }

    /// Starts to send messages; errors of the client are noted until it ends.
    ///
    /// # Errors
    ///
    /// When the producer is closed.
    pub fn sending(&self, notes: Notes) -> Result<Sending> {
        let writer = self.writer()?;
        let listener = writer.context().watcher.listen(notes);
        Ok(Sending { writer, tally: Arc::default(), listener, trust: self.trust.clone() })
    }

    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// When one is open, or this producer is fenced off.
    pub async fn begin(&self) -> Result<()> {
        self.transact("begin a transaction", |writer| writer.begin_transaction()).await
    }

    /// Makes offsets that a consumer has reached part of the transaction.
    ///
    /// # Errors
    ///
    /// `Kind::Fenced` when another has taken over; else the transaction must be aborted.
    pub async fn send_offsets(&self, offsets: &Offsets, group: GroupMetadata) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = list_of(offsets)?;
        self.transact("store the offsets in the transaction", move |writer| {
            writer.send_offsets_to_transaction(&list, &group.0, TRANSACTION_SLICE)
        })
        .await
    }

    /// Writes what is queued, and commits the transaction.
    ///
    /// # Errors
    ///
    /// `Kind::Fenced` when another has taken over; else it must be aborted. When there was no answer, it may have been
    /// committed.
    pub async fn commit(&self) -> Result<()> {
        self.transact("commit the transaction", |writer| writer.commit_transaction(TRANSACTION_SLICE)).await
    }

    /// Drops what is queued, and aborts the transaction.
    ///
    /// # Errors
    ///
    /// When there is no answer: the broker aborts it by itself later, or the next producer of its name does.
    pub async fn abort(&self) -> Result<()> {
        self.transact("abort the transaction", |writer| writer.abort_transaction(TRANSACTION_SLICE)).await
    }

    /// Does something about a transaction: again, while that may help.
    async fn transact(
        &self,
        doing: &'static str,
        step: impl Fn(&Writer) -> std::result::Result<(), KafkaError> + Send + 'static,
    ) -> Result<()> {
        let writer = self.writer()?;
        blocking(move |stop: &Stop| {
            let watcher = &writer.context().watcher;
            let step = || match step(&writer) {
                Ok(()) => Ok(()),
                Err(error) => {
                    if let Some(hopeless) = watcher.hopeless(doing) {
                        return Err(Some(hopeless));
                    }
                    let (is_again, told) = if let KafkaError::Transaction(error) = &error {
                        let is_again = error.is_retriable() && !error.txn_requires_abort();
                        (is_again, errors::of_code(doing, Some(error.code()), &error.to_string()))
                    } else {
                        let may_pass = error.rdkafka_error_code().is_some_and(errors::may_pass);
                        (may_pass, watcher.explain(doing, &error))
                    };
                    Err((!is_again).then_some(told))
                }
            };
            until(TRANSACTION_PATIENCE, stop, step, || {
                watcher.explain(doing, &KafkaError::Global(Code::OperationTimedOut))
            })
        })
        .await
    }

    /// Closes it. What is queued is dropped.
    pub async fn close(mut self) {
        if let Some(writer) = self.writer.take() {
            // It can only fail by a panic, and then there is nothing left to close.
            let _ = tokio::task::spawn_blocking(move || drop(writer)).await;
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            close_elsewhere(writer);
        }
    }
}

impl Sending {
    /// Queues a message; waits while the queue is full.
    ///
    /// # Errors
    ///
    /// When one before it could not be written, or this one cannot be.
    pub async fn send(&self, record: &Record) -> Result<()> {
        loop {
            let failed = self.tally.lock().failed.clone();
            if let Some(error) = failed {
                return Err(error);
            }
            let changed = self.tally.changed.notified();
            match self.queue(record) {
                Ok(()) => return Ok(()),
                Err(error) if error.rdkafka_error_code() == Some(Code::QueueFull) => {
                    // Others may have filled it, of whose messages nothing is heard here.
                    let _ = tokio::time::timeout(SLICE, changed).await;
                    self.hopeless()?;
                }
                Err(error) => {
                    let doing = format!("write to topic `{}`", record.topic);
                    return Err(self.writer.context().watcher.explain(&doing, &error));
                }
            }
        }
    }

    fn queue(&self, record: &Record) -> std::result::Result<(), KafkaError> {
        let mut queued = BaseRecord::<[u8], [u8], _>::with_opaque_to(&record.topic, self.tally.clone());
        queued.partition = record.partition;
        queued.key = record.key.as_deref();
        queued.payload = record.value.as_deref();
        queued.timestamp = record.timestamp;
        if !record.headers.is_empty() {
            let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_deref() })
            });
            queued.headers = Some(headers);
        }
        // Counted before: its delivery may be heard before the call returns.
        self.tally.lock().sent += 1;
        self.writer.send(queued).map_err(|(error, _)| {
            self.tally.lock().sent -= 1;
            error
        })
    }

    fn hopeless(&self) -> Result<()> {
        self.writer.context().watcher.hopeless("write to Kafka").map_or(Ok(()), Err)
    }

    /// Waits until every message is written, and counts them.
    ///
    /// # Errors
    ///
    /// When one could not be written; others may have been.
    pub async fn flush(&self) -> Result<Written> {
        loop {
            let changed = self.tally.changed.notified();
            {
                let counts = self.tally.lock();
                if let Some(error) = &counts.failed {
                    return Err(error.clone());
                }
                if counts.settled == counts.sent {
                    return Ok(counts.written.clone());
                }
            }
            let _ = tokio::time::timeout(SLICE, changed).await;
            self.hopeless()?;
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.writer.context().watcher.leave(self.listener);
        let counts = self.tally.lock();
        let is_unanswered = |error: &ClientError| error.kind == Kind::Unavailable;
        if counts.settled < counts.sent || counts.failed.as_ref().is_some_and(is_unanswered) {
            self.trust.lose();
        }
    }
}
