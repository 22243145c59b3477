//! Reading.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _, Offset, Timestamp, TopicPartitionList,
    client::ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, ConsumerGroupMetadata, Rebalance},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
    statistics::Statistics,
    types::RDKafkaErrorCode as Code,
};

use super::{SLICE, Stop, bad_settings, blocking, close_elsewhere, config, errors, list_of, until, watcher::Watcher};
use crate::{
    ClientError, Result,
    kafka::{Message, Notes, Offsets, PATIENCE, Polled, Reading, Settings, Topic, unknown_topic},
};
use flow_core::connection::Connection;

/// Most bytes that one look brings, give or take a message.
const BYTES_MAX: usize = 8 << 20;

/// The group of a consumer that has none: the library wants a name, and nothing is stored under it.
const NO_GROUP: &str = "flow";

/// Reads messages. Dropped, it is closed elsewhere; [`Consumer::close`] waits for that.
pub struct Consumer {
    reader: Mutex<Option<Arc<Reader>>>,
    has_group: bool,
    /// What another reader is made of.
    settings: Settings,
    notes: Notes,
    was_assigned: AtomicBool,
}

/// Which member of a group a consumer is, for transactions.
pub struct GroupMetadata(pub(super) ConsumerGroupMetadata);

/// How long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) longest: Duration,
    /// When every broker refuses the connection.
    pub(super) refused: Duration,
}

impl From<Duration> for Patience {
    fn from(longest: Duration) -> Self {
        Self { longest, refused: longest }
    }
}

/// The library's consumer, and what it says by itself.
pub(super) struct Reader {
    pub(super) consumer: BaseConsumer<Ears>,
    /// What topics share: most messages have that of the one before.
    name: Mutex<Arc<str>>,
}

/// Hears errors, and when partitions are given out.
#[derive(Default)]
pub(super) struct Ears {
    pub(super) watcher: Watcher,
    has_joined: AtomicBool,
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

impl ConsumerContext for Ears {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.has_joined.store(true, Ordering::Relaxed);
        }
    }
}

impl Reader {
    /// Makes one without a group, for questions.
    pub(super) fn for_questions(settings: &Settings) -> Result<Self> {
        Self::new(settings)
    }

    fn new(settings: &Settings) -> Result<Self> {
        let consumer = config(settings).create_with_context(Ears::default()).map_err(bad_settings)?;
        Ok(Self { consumer, name: Mutex::new("".into()) })
    }

    pub(super) fn watcher(&self) -> &Watcher {
        &self.consumer.context().watcher
    }

    /// Serves what the library wants to say. Only where no message can come.
    pub(super) fn hear(&self) {
        for _ in 0..16 {
            if self.consumer.poll(Duration::ZERO).is_none() {
                return;
            }
        }
    }

    /// Asks again and again, longer each time, until there is an answer, there is no hope, or time is up.
    pub(super) fn ask<T>(
        &self,
        doing: &str,
        patience: impl Into<Patience>,
        stop: &Stop,
        question: impl Fn(Duration) -> std::result::Result<T, KafkaError>,
    ) -> Result<T> {
        let Patience { longest: patience, refused } = patience.into();
        let began = Instant::now();
        let mut slice = SLICE;
        let last = std::cell::RefCell::new(KafkaError::MetadataFetch(Code::OperationTimedOut));
        let step = || {
            let answer = question(slice.min(patience.saturating_sub(began.elapsed()).max(SLICE)));
            slice = (slice * 2).min(Duration::from_secs(4));
            match answer {
                Ok(answer) => {
                    self.watcher().is_well();
                    Ok(answer)
                }
                Err(error) => {
                    if self.is_idle() {
                        self.hear();
                    }
                    if let Some(hopeless) = self.watcher().hopeless(doing) {
                        return Err(Some(hopeless));
                    }
                    let may_pass = error.rdkafka_error_code().is_some_and(errors::may_pass);
                    if !may_pass || (began.elapsed() >= refused && self.watcher().is_refused()) {
                        return Err(Some(self.watcher().explain(doing, &error)));
                    }
                    // A connection that is refused is answered at once.
                    std::thread::sleep(Duration::from_millis(20));
                    *last.borrow_mut() = error;
                    Err(None)
                }
            }
        };
        until(patience, stop, step, || self.watcher().explain(doing, &last.borrow()))
    }

    /// Whether no message can come, so that polling takes none away.
    fn is_idle(&self) -> bool {
        // One without a group has none, and says so by an error.
        let is_empty =
            |list: std::result::Result<TopicPartitionList, KafkaError>| list.map_or(true, |list| list.count() == 0);
        is_empty(self.consumer.assignment()) && is_empty(self.consumer.subscription())
    }

    /// Asks for a topic.
    pub(super) fn topic(&self, name: &str, patience: Duration, stop: &Stop) -> Result<Topic> {
        let doing = format!("ask for topic `{name}`");
        let metadata = self.ask(&doing, patience, stop, |slice| self.consumer.fetch_metadata(Some(name), slice))?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name).ok_or_else(|| unknown_topic(name))?;
        match found.error().map(Code::from) {
            None => Ok(super::admin::topic_of(found)),
            Some(code) if errors::is_unknown_topic(code) => Err(unknown_topic(name)),
            Some(code) => Err(errors::of_code(&doing, Some(code), &code.to_string())),
        }
    }

    /// Asks for the first offset that is there, and the next to be written.
    pub(super) fn watermarks(&self, topic: &str, partition: i32, stop: &Stop) -> Result<(i64, i64)> {
        let doing = format!("ask for the offsets of `{topic}`");
        self.ask(&doing, PATIENCE, stop, |slice| self.consumer.fetch_watermarks(topic, partition, slice))
    }

    fn poll(&self, most: usize, wait: Duration, stop: &Stop) -> Result<Polled> {
        let began = Instant::now();
        let mut polled = Polled::default();
        let mut bytes = 0;
        loop {
            let left = wait.saturating_sub(began.elapsed());
            let has_some = !polled.messages.is_empty() || !polled.ends.is_empty();
            match self.consumer.poll(if has_some { Duration::ZERO } else { left.min(SLICE) }) {
                None if has_some || left.is_zero() || stop.is_asked() => return Ok(polled),
                None => {}
                Some(Ok(message)) => {
                    bytes += message.payload_len() + message.key_len();
                    polled.messages.push(self.owned(&message));
                    if self.watcher().is_ill() {
                        self.watcher().is_well();
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => polled.ends.push(partition),
                Some(Err(error)) if error.rdkafka_error_code() == Some(Code::AutoOffsetReset) => {
                    polled.is_lost = true;
                    return Ok(polled);
                }
                Some(Err(error)) => {
                    let may_pass = error.rdkafka_error_code().is_some_and(errors::may_pass);
                    if let Some(hopeless) = self.watcher().hopeless("read from Kafka") {
                        return Err(hopeless);
                    }
                    if !may_pass {
                        return Err(self.watcher().explain("read from Kafka", &error));
                    }
                }
            }
            if polled.messages.len() >= most || bytes >= BYTES_MAX {
                return Ok(polled);
            }
        }
    }

    fn owned(&self, message: &BorrowedMessage<'_>) -> Message {
        let mut name = self.name.lock().unwrap_or_else(PoisonError::into_inner);
        if &**name != message.topic() {
            *name = message.topic().into();
        }
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        Message {
            topic: name.clone(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: match message.timestamp() {
                Timestamp::NotAvailable => None,
                Timestamp::CreateTime(at) | Timestamp::LogAppendTime(at) => Some(at).filter(|at| *at >= 0),
            },
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
        }
    }
}

impl Consumer {
    /// Makes one. It reads nothing until it is told what.
    ///
    /// # Errors
    ///
    /// Settings that make no sense.
    pub async fn open(connection: &Connection, reading: &Reading, notes: Notes) -> Result<Self> {
        let mut settings = Settings::of(connection)?;
        if let Some(group) = &reading.group {
            settings.set("group.id", group);
        }
        let has_group = settings.get("group.id").is_some_and(|group| !group.is_empty());
        settings.default("group.id", NO_GROUP);
        settings.set("enable.auto.commit", false);
        settings.set("enable.auto.offset.store", false);
        settings.set("enable.partition.eof", true);
        settings.set(
            "auto.offset.reset",
            match (reading.is_strict, reading.from_beginning) {
                (true, _) => "error",
                (false, true) => "earliest",
                (false, false) => "latest",
            },
        );
        settings.set("isolation.level", if reading.uncommitted { "read_uncommitted" } else { "read_committed" });
        settings.default("client.id", "flow");
        settings.default("socket.timeout.ms", 20_000);
        settings.default("socket.keepalive.enable", true);
        settings.default("fetch.wait.max.ms", 100);
        // What is read ahead is bounded by bytes.
        settings.default("queued.max.messages.kbytes", 16_384);
        settings.default("fetch.max.bytes", 16 << 20);
        let reader = Mutex::new(Some(Self::connect(&settings, &notes).await?));
        Ok(Self { reader, has_group, settings, notes, was_assigned: AtomicBool::new(false) })
    }

    async fn connect(settings: &Settings, notes: &Notes) -> Result<Arc<Reader>> {
        let settings = settings.clone();
        let reader = blocking(move |_| Reader::new(&settings)).await?;
        reader.watcher().listen(notes.clone());
        Ok(Arc::new(reader))
    }

    fn reader(&self) -> Result<Arc<Reader>> {
        self.place().clone().ok_or_else(|| ClientError::unavailable("the consumer is closed"))
    }

    fn place(&self) -> MutexGuard<'_, Option<Arc<Reader>>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader, &Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reader = self.reader()?;
        blocking(move |stop| work(&reader, stop)).await
    }

    /// Lists a topic's partitions; the way to find out whether the broker answers and the topic is there.
    ///
    /// # Errors
    ///
    /// When there is no such topic, or no answer.
    pub async fn partitions(&self, topic: &str) -> Result<Vec<i32>> {
        let topic = topic.to_owned();
        let found = self.blocking(move |reader, stop| reader.topic(&topic, PATIENCE, stop)).await?;
        Ok(found.partitions.iter().map(|partition| partition.id).collect())
    }

    /// Reads these topics together with the rest of its group: each partition goes to one of them.
    ///
    /// # Errors
    ///
    /// When it has no group.
    pub async fn subscribe(&self, topics: &[String]) -> Result<()> {
        if !self.has_group {
            return Err(ClientError::settings("no group is given, and the connection has no `group.id`"));
        }
        let topics = topics.to_vec();
        self.blocking(move |reader, _| {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            reader.consumer.subscribe(&names).map_err(|error| reader.watcher().explain("subscribe", &error))
        })
        .await
    }

    /// Whether its group has given it its partitions (it may be none).
    pub fn has_joined(&self) -> bool {
        self.reader().is_ok_and(|reader| reader.consumer.context().has_joined.load(Ordering::Relaxed))
    }

    /// The partitions it reads at present.
    ///
    /// # Errors
    ///
    /// When it is closed.
    pub fn assignment(&self) -> Result<Vec<(String, i32)>> {
        let reader = self.reader()?;
        let list = reader.consumer.assignment().map_err(|error| reader.watcher().explain("read", &error))?;
        Ok(list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect())
    }

    /// Reads these partitions from these offsets on, whatever others do; called again, it goes there. Special offsets:
    /// [`crate::kafka::BEGINNING`], [`crate::kafka::END`], [`crate::kafka::STORED`].
    ///
    /// # Errors
    ///
    /// When it is closed.
    pub async fn assign(&self, offsets: &Offsets) -> Result<()> {
        let list = list_of(offsets)?;
        // A second assignment while the library still stops the first makes it abort the process (librdkafka, up to
        // 2.15: its issue 5573). Each reader gets one only.
        if self.was_assigned.swap(true, Ordering::Relaxed) {
            let fresh = Self::connect(&self.settings, &self.notes).await?;
            if let Some(stale) = self.place().replace(fresh) {
                stale.watcher().hush();
                close_elsewhere(stale);
            }
        }
        self.blocking(move |reader, _| {
            reader.consumer.assign(&list).map_err(|error| reader.watcher().explain("read these partitions", &error))
        })
        .await
    }

    /// Waits for messages, and brings at most so many: those that are there, as soon as there is one. Empty: none came,
    /// or no partition was given out yet. Dropped before its end, it may take messages with it: close the consumer then,
    /// or go back with [`Consumer::assign`].
    ///
    /// # Errors
    ///
    /// What waiting does not mend. A broker that is away is only noted: [`Consumer::check`] says whether it still is.
    pub async fn poll(&self, most: usize, wait: Duration) -> Result<Polled> {
        self.blocking(move |reader, stop| reader.poll(most, wait, stop)).await
    }

    /// Says whether the brokers are away: to be asked when no message came.
    ///
    /// # Errors
    ///
    /// When they are.
    pub async fn check(&self) -> Result<()> {
        if !self.reader()?.watcher().is_ill() {
            return Ok(());
        }
        self.blocking(|reader, stop| {
            let answer = reader.ask("reach Kafka", PATIENCE, stop, |slice| reader.consumer.fetch_metadata(None, slice));
            answer.map(drop)
        })
        .await
    }

    /// Stores offsets under the group's name, and waits until they are.
    ///
    /// # Errors
    ///
    /// `Kind::Fenced` when the group has given the partitions to another.
    pub async fn commit(&self, offsets: &Offsets) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        if !self.has_group {
            return Err(ClientError::settings("there is no group to store offsets for: set `group_id`"));
        }
        let list = list_of(offsets)?;
        self.blocking(move |reader, _| {
            let done = reader.consumer.commit(&list, CommitMode::Sync);
            done.map_err(|error| reader.watcher().explain("store the offsets", &error))
        })
        .await
    }

    /// Looks up what is stored under the group's name; partitions without a stored offset are left out.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn committed(&self, partitions: &[(String, i32)]) -> Result<Offsets> {
        let partitions = partitions.to_vec();
        self.blocking(move |reader, stop| {
            let found = reader.ask("ask for stored offsets", PATIENCE, stop, |slice| {
                let mut list = TopicPartitionList::with_capacity(partitions.len());
                for (topic, partition) in &partitions {
                    list.add_partition(topic, *partition);
                }
                let found = reader.consumer.committed_offsets(list, slice)?;
                found.elements().iter().try_for_each(|element| element.error())?;
                Ok(found)
            })?;
            let mut offsets = Offsets::new();
            for element in found.elements() {
                if let Offset::Offset(offset) = element.offset() {
                    offsets.insert((element.topic().to_owned(), element.partition()), offset);
                }
            }
            Ok(offsets)
        })
        .await
    }

    /// Looks up a partition's first offset and the one after its last.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no such partition.
    pub async fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64)> {
        let topic = topic.to_owned();
        self.blocking(move |reader, stop| reader.watermarks(&topic, partition, stop)).await
    }

    /// Looks up the offsets of the first messages from this moment on; a partition that has none stands at its end.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no such partition.
    pub async fn offsets_since(&self, partitions: &[(String, i32)], millis: i64) -> Result<Offsets> {
        let wanted: Offsets = partitions.iter().map(|place| (place.clone(), millis.max(0))).collect();
        self.blocking(move |reader, stop| {
            let found = reader.ask("ask for offsets by time", PATIENCE, stop, |slice| {
                let list = list_of(&wanted).map_err(|_| KafkaError::OffsetFetch(Code::InvalidArgument))?;
                let found = reader.consumer.offsets_for_times(list, slice)?;
                found.elements().iter().try_for_each(|element| element.error())?;
                Ok(found)
            })?;
            let mut offsets = Offsets::new();
            for element in found.elements() {
                let (topic, partition) = (element.topic(), element.partition());
                let offset = match element.offset() {
                    Offset::Offset(offset) => offset,
                    Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => {
                        reader.watermarks(topic, partition, stop)?.1
                    }
                };
                offsets.insert((topic.to_owned(), partition), offset);
            }
            Ok(offsets)
        })
        .await
    }

    /// Which member of its group it is, for [`super::Producer::send_offsets`].
    ///
    /// # Errors
    ///
    /// When it has no group.
    pub fn group_metadata(&self) -> Result<GroupMetadata> {
        let reader = self.reader()?;
        let found = reader.consumer.group_metadata().filter(|_| self.has_group);
        found.map(GroupMetadata).ok_or_else(|| ClientError::settings("there is no group: set `group_id`"))
    }

    /// Says no more to its notes, whatever goes wrong: for whoever writes them down, it is over.
    pub fn hush(&self) {
        if let Some(reader) = &*self.place() {
            reader.watcher().hush();
        }
    }

    /// Leaves its group and closes; others take over its partitions at once.
    pub async fn close(self) {
        self.hush();
        let reader = self.place().take();
        if let Some(reader) = reader {
            // It can only fail by a panic, and then there is nothing left to close.
            let _ = tokio::task::spawn_blocking(move || drop(reader)).await;
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.hush();
        let reader = self.place().take();
        if let Some(reader) = reader {
            close_elsewhere(reader);
        }
    }
}
