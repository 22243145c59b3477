//! Messages of Kafka that make runs.
//!
//! One reader for each connection, topic and group, in one process at a time. A batch makes a run of every DAG that
//! wants it, and the offsets move on in that same transaction: whatever dies, no message is lost, and none makes a
//! second run. Where the broker is away, the reader tries again; nothing else waits for it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use flow_clients::kafka::{self, Consumer, Message, Reading, no_notes};
use flow_core::{
    DagId, RunId, RunType,
    timetable::{KafkaSchedule, Timetable},
};
use flow_operators::kafka::{ValueFormat, names};
use flow_store::{CachedDag, CreateRun, KafkaOffsets, KafkaReader, KafkaTopic, StoreError};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::{task::JoinHandle, time::sleep};
use tracing::{debug, info, warn};

use crate::{Node, Workshop, settings};

/// How often the DAGs are asked what they want.
const LOOK: Duration = Duration::from_secs(1);

/// A reader that is silent for so long is taken for dead.
const LEASE: Duration = Duration::from_secs(30);

/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(8);

/// How long a reader waits whose DAGs have as many runs as they may.
const FULL: Duration = Duration::from_millis(300);

/// How often it is asked whether the topic has more partitions.
const GROWTH: Duration = Duration::from_secs(60);

/// How often the broker is asked where a topic ends, for whoever measures.
const ENDS: Duration = Duration::from_secs(30);

/// And how long it may take.
const ENDS_MAX: Duration = Duration::from_secs(5);

/// The longest pause between tries.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Most bytes of a run's configuration.
const CONF_MAX: usize = 256 << 10;

/// Bytes of a configuration without its messages: names, which may be escaped.
const CONF_FRAME: usize = 6 << 10;

/// Bytes of a configuration for a partition that messages are of.
const CONF_PARTITION: usize = 128;

/// Longest wait for the group's coordinator.
const TELL: Duration = Duration::from_secs(1);
/// Longest part of a run's id that tells where its messages are.
const ID_MAX: usize = 160;

/// What a reader brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Want {
    messages: usize,
    wait: Duration,
    from_beginning: bool,
}

/// A reader at work; dropped, it stops.
struct Reader {
    want: Want,
    task: JoinHandle<()>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps a reader for each topic that DAGs want. In a scheduler it does not end; elsewhere there is nothing to do.
pub(crate) async fn watch(node: &Node) {
    if !node.schedules {
        return;
    }
    let mut readers: BTreeMap<KafkaTopic, Reader> = BTreeMap::new();
    loop {
        match wanted(node).await {
            Ok(wanted) => {
                let gone: Vec<KafkaTopic> =
                    readers.keys().filter(|topic| !wanted.contains_key(topic)).cloned().collect();
                // One that ended by a mistake of ours is begun anew.
                readers.retain(|topic, reader| wanted.get(topic) == Some(&reader.want) && !reader.task.is_finished());
                for topic in gone {
                    // What nobody wants has no problem.
                    note(node, &topic, None).await;
                }
                for (topic, want) in wanted {
                    readers.entry(topic.clone()).or_insert_with(|| {
                        let node = node.clone();
                        Reader { want, task: tokio::spawn(async move { read_on(&node, &topic, want).await }) }
                    });
                }
            }
            Err(error) => debug!(%error, "could not ask which topics of Kafka are wanted"),
        }
        sleep(LOOK).await;
    }
}

fn topic_of(kafka: &KafkaSchedule) -> KafkaTopic {
    KafkaTopic {
        connection: kafka.kafka_config_id.clone(),
        topic: kafka.topic.clone(),
        group_id: kafka.group_id.clone(),
    }
}

/// A DAG that wants messages: paused, it wants them later.
struct Reads {
    dag_id: String,
    is_paused: bool,
    cached: Arc<CachedDag>,
    kafka: KafkaSchedule,
}

/// The DAGs that want messages. One that cannot be read is passed over: it is complained of elsewhere.
async fn dags(shop: &Workshop) -> Result<Vec<Reads>, StoreError> {
    let mut found = Vec::new();
    for row in shop.store.kafka_readers().await? {
        if let Ok(cached) = shop.dags.read(&shop.store, row.version_id).await {
            found.extend(reads(row, cached));
        }
    }
    Ok(found)
}

/// The DAGs that want messages of one topic: all of them, or an error. The offsets are theirs together, so that without
/// one of them nothing may move on.
async fn dags_of(shop: &Workshop, topic: &KafkaTopic) -> Result<Vec<Reads>, String> {
    let mut found = Vec::new();
    for row in shop.store.kafka_readers().await.map_err(sentence)? {
        match shop.dags.read(&shop.store, row.version_id).await {
            Ok(cached) => found.extend(reads(row, cached).filter(|reads| topic_of(&reads.kafka) == *topic)),
            Err(error) if row.schedule == words(topic) => {
                return Err(format!("DAG `{}` wants these messages too, and cannot be read: {error}", row.dag_id));
            }
            Err(_) => {}
        }
    }
    Ok(found)
}

fn reads(row: KafkaReader, cached: Arc<CachedDag>) -> Option<Reads> {
    let Timetable::Kafka(kafka) = &cached.dag.timetable else { return None };
    let kafka = kafka.clone();
    Some(Reads { dag_id: row.dag_id, is_paused: row.is_paused, cached, kafka })
}

/// The words for a schedule by this topic.
fn words(KafkaTopic { connection, topic, group_id }: &KafkaTopic) -> String {
    let kafka = KafkaSchedule {
        kafka_config_id: connection.clone(),
        topic: topic.clone(),
        group_id: group_id.clone(),
        // The words do not say them.
        max_messages: 0,
        max_wait: 0,
        from_beginning: false,
    };
    Timetable::Kafka(kafka).describe()
}

/// What is wanted of each topic: where DAGs share one, the smallest batches. A topic whose DAGs are all paused is not
/// wanted.
async fn wanted(node: &Node) -> Result<BTreeMap<KafkaTopic, Want>, StoreError> {
    let mut wanted: BTreeMap<KafkaTopic, Want> = BTreeMap::new();
    let all = dags(&node.shop).await?;
    let awake: BTreeSet<KafkaTopic> =
        all.iter().filter(|reads| !reads.is_paused).map(|reads| topic_of(&reads.kafka)).collect();
    for Reads { kafka, .. } in all {
        let topic = topic_of(&kafka);
        if !awake.contains(&topic) {
            continue;
        }
        let want = Want {
            messages: usize::try_from(kafka.max_messages).unwrap_or(usize::MAX),
            wait: Duration::from_millis(kafka.max_wait),
            from_beginning: kafka.from_beginning,
        };
        let all = wanted.entry(topic).or_insert(want);
        all.messages = all.messages.min(want.messages);
        all.wait = all.wait.min(want.wait);
        all.from_beginning |= want.from_beginning;
    }
    Ok(wanted)
}

/// Reads a topic until nobody wants it any more, whatever goes wrong.
async fn read_on(node: &Node, topic: &KafkaTopic, want: Want) {
    let mut told = None;
    let mut backoff = Duration::from_secs(1);
    loop {
        let mut reader = Turn {
            node,
            topic,
            want,
            offsets: KafkaOffsets::new(),
            surplus: VecDeque::new(),
            beaten: Instant::now(),
            is_well: false,
            ends: Default::default(),
        };
        let ended = reader.read().await;
        let was_well = reader.is_well;
        if was_well {
            backoff = Duration::from_secs(1);
            told = None;
        }
        match ended {
            // Another process has it.
            Ok(()) => sleep(LOOK).await,
            Err(problem) => {
                node.measures.kafka_failure(topic);
                if told.as_ref() != Some(&problem) {
                    let KafkaTopic { topic, group_id, connection } = topic;
                    warn!(topic, group_id, connection, problem, "messages make no runs; trying again");
                    note(node, reader.topic, Some(&problem)).await;
                    told = Some(problem);
                }
                sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
        }
    }
}

/// Writes down what is wrong, for those who ask.
async fn note(node: &Node, topic: &KafkaTopic, problem: Option<&str>) {
    let noted = async {
        let mut tx = node.shop.store.begin().await?;
        tx.note_kafka_problem(topic, problem).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        debug!(%error, "could not write down what is wrong with a topic");
    }
}

fn sentence(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// One time of reading, from taking the lease on.
struct Turn<'a> {
    node: &'a Node,
    topic: &'a KafkaTopic,
    want: Want,
    /// What the database has.
    offsets: KafkaOffsets,
    /// What did not fit into the batch before.
    surplus: VecDeque<Message>,
    beaten: Instant,
    is_well: bool,
    /// Where its partitions end, and when that was asked.
    ends: (BTreeMap<i32, i64>, Option<Instant>),
}

impl Turn<'_> {
    /// Reads until the lease is another's.
    async fn read(&mut self) -> Result<(), String> {
        let (node, topic) = (self.node, self.topic);
        let mut tx = node.shop.store.begin().await.map_err(sentence)?;
        let now = node.shop.clock.now();
        let leased = tx.lease_kafka_topic(topic, &node.me.id, now + LEASE, now).await.map_err(sentence)?;
        tx.commit().await.map_err(sentence)?;
        let Some(offsets) = leased else { return Ok(()) };
        (self.offsets, self.beaten) = (offsets, Instant::now());
        let consumer = self.open().await?;
        note(node, topic, None).await;
        info!(topic = topic.topic, group_id = topic.group_id, "messages of Kafka make runs");
        self.is_well = true;
        let began = Instant::now();
        let partitions = self.offsets.len();
        loop {
            while !self.has_room().await? {
                if !self.beat().await? {
                    return Ok(());
                }
                self.tell_lag(&consumer).await;
                sleep(FULL).await;
            }
            self.tell_lag(&consumer).await;
            let batch = self.batch(&consumer).await?;
            if !self.beat().await? {
                return Ok(());
            }
            if !batch.is_empty() {
                if !self.make_runs(&batch).await? {
                    return Ok(());
                }
                self.tell_group(&consumer).await;
            } else if began.elapsed() > GROWTH {
                let found = consumer.partitions(&topic.topic).await.map_err(sentence)?;
                if found.len() != partitions {
                    return Ok(());
                }
            }
        }
    }

    /// Tells Kafka how far was read, for those who look at the group's lag; what counts is in the database. A group whose
    /// coordinator is away would hold up the beat for longer than the lease: then it is told with the next batch.
    async fn tell_group(&self, consumer: &Consumer) {
        let offsets = self.kafka_offsets();
        match tokio::time::timeout(TELL, consumer.commit(&offsets)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "Kafka was not told how far was read"),
            Err(_) => debug!("Kafka was not told how far was read: its coordinator does not answer"),
        }
    }

    /// Connects, and goes to where the group was.
    async fn open(&mut self) -> Result<Consumer, String> {
        let (node, topic) = (self.node, self.topic);
        let id = &topic.connection;
        let connection = match settings::connection(id)? {
            Some(connection) => connection,
            None => match node.shop.store.connection(id).await.map_err(sentence)? {
                Some(row) => row.whole().map_err(sentence)?,
                None => return Err(format!("there is no connection `{id}`: make it with `flow connections`")),
            },
        };
        let reading = Reading { group: Some(topic.group_id.clone()), is_strict: true, ..Reading::default() };
        let consumer = Consumer::open(&connection, &reading, no_notes()).await.map_err(sentence)?;
        let is_first = self.offsets.is_empty();
        let mut begins = self.offsets.clone();
        for partition in consumer.partitions(&topic.topic).await.map_err(sentence)? {
            let (low, high) = consumer.watermarks(&topic.topic, partition).await.map_err(sentence)?;
            match begins.get(&partition).copied() {
                // A partition that was added later is read whole.
                None => {
                    let begin = if is_first && !self.want.from_beginning { high } else { low };
                    begins.insert(partition, begin);
                }
                Some(offset) if offset < low => {
                    warn!(
                        topic = topic.topic,
                        partition,
                        from = offset,
                        to = low - 1,
                        "messages were deleted before they made runs"
                    );
                    begins.insert(partition, low);
                }
                // Which of its messages have made runs is not known any more: a person has to say.
                Some(offset) if offset > high => {
                    return Err(format!(
                        "partition {partition} of `{}` ends at offset {high}, and {offset} is the next to be read: was the \
                         topic made again, or is it another cluster? Then give the schedule another `group_id`",
                        topic.topic
                    ));
                }
                Some(_) => {}
            }
        }
        if begins != self.offsets {
            // Where it begins counts from here on, whatever comes meanwhile.
            let mut tx = node.shop.store.begin().await.map_err(sentence)?;
            tx.move_kafka_offsets(topic, &node.me.id, &begins).await.map_err(sentence)?;
            tx.commit().await.map_err(sentence)?;
            self.offsets = begins;
        }
        consumer.assign(&self.kafka_offsets()).await.map_err(sentence)?;
        Ok(consumer)
    }

    fn kafka_offsets(&self) -> kafka::Offsets {
        self.offsets.iter().map(|(partition, offset)| ((self.topic.topic.clone(), *partition), *offset)).collect()
    }

    /// Tells how many messages wait. The broker is asked now and then; between that only what has been read is new.
    /// When there is no answer, reading goes on.
    async fn tell_lag(&mut self, consumer: &Consumer) {
        if !self.node.measures.is_on() {
            return;
        }
        if self.ends.1.is_none_or(|asked| asked.elapsed() > ENDS) {
            let ask = async {
                let mut ends = BTreeMap::new();
                for partition in self.offsets.keys() {
                    let (_, end) = consumer.watermarks(&self.topic.topic, *partition).await.ok()?;
                    ends.insert(*partition, end);
                }
                Some(ends)
            };
            let ends = tokio::time::timeout(ENDS_MAX, ask).await.ok().flatten();
            self.ends = (ends.unwrap_or_default(), Some(Instant::now()));
        }
        if self.ends.0.is_empty() {
            return;
        }
        let left = |(partition, next): (&i32, &i64)| {
            let end = self.ends.0.get(partition).unwrap_or(next);
            u64::try_from(end - next).unwrap_or_default()
        };
        self.node.measures.kafka_lag(self.topic, self.offsets.iter().map(left).sum());
    }

    /// Says that it lives, now and then; false = the lease is another's.
    async fn beat(&mut self) -> Result<bool, String> {
        if self.beaten.elapsed() < BEAT {
            return Ok(true);
        }
        let node = self.node;
        let mut tx = node.shop.store.begin().await.map_err(sentence)?;
        let until = node.shop.clock.now() + LEASE;
        let held = tx.hold_kafka_topic(self.topic, &node.me.id, until).await.map_err(sentence)?;
        tx.commit().await.map_err(sentence)?;
        self.beaten = Instant::now();
        Ok(held.is_some())
    }

    /// Whether every DAG may have another run: one that is paused may have none.
    async fn has_room(&self) -> Result<bool, String> {
        let shop = &self.node.shop;
        for Reads { dag_id, is_paused, cached, .. } in dags_of(shop, self.topic).await? {
            if is_paused {
                return Ok(false);
            }
            let active = shop.store.count_active(&dag_id).await.map_err(sentence)?;
            if active >= u64::from(cached.dag.max_active_runs) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for messages: for the first a while, then for as many as are wanted and a run can be told, as long as is
    /// wanted.
    async fn batch(&mut self, consumer: &Consumer) -> Result<Vec<Message>, String> {
        let mut batch = Batch::default();
        while let Some(message) = self.surplus.pop_front() {
            if batch.messages.len() >= self.want.messages || !batch.has_room_for(&message) {
                self.surplus.push_front(message);
                return Ok(batch.messages);
            }
            batch.push(message);
        }
        let mut first = (!batch.messages.is_empty()).then(Instant::now);
        loop {
            let wait = match first {
                None => BEAT / 2,
                Some(first) => self.want.wait.saturating_sub(Instant::elapsed(&first)).min(BEAT / 2),
            };
            let is_over = first.is_some() && wait.is_zero();
            let is_full = batch.messages.len() >= self.want.messages || !self.surplus.is_empty();
            if is_over || is_full || self.beaten.elapsed() > LEASE / 2 {
                return Ok(batch.messages);
            }
            let most = self.want.messages - batch.messages.len();
            let polled = consumer.poll(most, wait).await.map_err(sentence)?;
            if polled.is_lost {
                return Err("messages that were to be read are not there any more; looking again".to_owned());
            }
            if polled.messages.is_empty() && polled.ends.is_empty() {
                consumer.check().await.map_err(sentence)?;
                if first.is_none() {
                    return Ok(batch.messages);
                }
            }
            for message in polled.messages {
                let next = self.offsets.get(&message.partition).copied().unwrap_or(0);
                if message.offset < next {
                    return Err("offsets went back: was the topic made again?".to_owned());
                }
                first.get_or_insert_with(Instant::now);
                if self.surplus.is_empty() && batch.has_room_for(&message) {
                    batch.push(message);
                } else {
                    self.surplus.push_back(message);
                }
            }
        }
    }

    /// Makes a run of each DAG, and moves the offsets on; false = the topic is another's, or nobody wants it.
    async fn make_runs(&mut self, batch: &[Message]) -> Result<bool, String> {
        let (node, topic) = (self.node, self.topic);
        let readers = dags_of(&node.shop, topic).await?;
        let ranges = Ranges::of(batch);
        let conf = conf(topic, batch, &ranges);
        let run_id = RunId::new(run_id(topic, batch, &ranges));
        let now = node.shop.clock.now();
        let mut tx = node.shop.store.begin().await.map_err(sentence)?;
        let held = tx.hold_kafka_topic(topic, &node.me.id, now + LEASE).await.map_err(sentence)?;
        if held.as_ref() != Some(&self.offsets) {
            return Ok(false);
        }
        let mut wanting = Vec::new();
        for Reads { dag_id, cached, .. } in &readers {
            let dag = tx.lock_dag(dag_id).await.map_err(sentence)?;
            // One whose file has changed just now is asked again with its new words.
            if !dag.is_paused && !dag.is_stale && dag.version_id == cached.version_id {
                wanting.push((DagId::new(dag_id.as_str()), cached));
            }
        }
        if wanting.len() < readers.len() || wanting.is_empty() {
            return Ok(false);
        }
        let new: Vec<CreateRun<'_>> = wanting
            .iter()
            .map(|(dag_id, cached)| CreateRun {
                dag_id,
                version_id: cached.version_id,
                run_id: run_id.clone(),
                run_type: RunType::AssetTriggered,
                logical_date: None,
                data_interval: None,
                run_after: now,
                conf: &conf,
                triggered_by: "kafka",
                user: None,
                note: None,
                caller: None,
                tasks: &cached.seeds,
            })
            .collect();
        let made = tx.create_runs(&new, now).await.map_err(sentence)?;
        if made.iter().any(Option::is_none) {
            warn!(%run_id, topic = topic.topic, "there is a run of these messages already");
        }
        let mut offsets = self.offsets.clone();
        offsets.extend(batch.iter().map(|message| (message.partition, message.offset + 1)));
        tx.move_kafka_offsets(topic, &node.me.id, &offsets).await.map_err(sentence)?;
        tx.commit().await.map_err(sentence)?;
        node.measures.kafka_messages(topic, batch.len());
        (self.offsets, self.beaten) = (offsets, Instant::now());
        Ok(true)
    }
}

/// Messages that one run can be told.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    partitions: BTreeSet<i32>,
    bytes: usize,
}

impl Batch {
    /// Whether one more fits. One that fits into no configuration is a batch of its own.
    fn has_room_for(&self, message: &Message) -> bool {
        self.messages.is_empty() || self.bytes.saturating_add(self.size(message)) <= CONF_MAX - CONF_FRAME
    }

    fn push(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(self.size(&message));
        self.partitions.insert(message.partition);
        self.messages.push(message);
    }

    /// The bytes that it takes of a configuration; endless when it cannot stand in one.
    fn size(&self, message: &Message) -> usize {
        let place = if self.partitions.contains(&message.partition) { 0 } else { CONF_PARTITION };
        match names(message, ValueFormat::Auto).map(Value::Object) {
            Ok(value) if flow_store::can_be_kept(&json!([[value]])) => value.to_string().len() + 1 + place,
            Ok(_) | Err(_) => usize::MAX,
        }
    }
}

/// Where the messages of a batch are: first and last offset and their number, by partition.
struct Ranges(BTreeMap<i32, (i64, i64, u64)>);

impl Ranges {
    fn of(batch: &[Message]) -> Self {
        let mut ranges = BTreeMap::new();
        for message in batch {
            let range = ranges.entry(message.partition).or_insert((message.offset, message.offset, 0));
            range.1 = message.offset;
            range.2 += 1;
        }
        Self(ranges)
    }
}

/// What a run is told: where its messages are, and the messages themselves. Only a single one may be too large for that.
fn conf(topic: &KafkaTopic, batch: &[Message], Ranges(ranges): &Ranges) -> Value {
    let partitions: Map<String, Value> = ranges
        .iter()
        .map(|(partition, (from, to, count))| {
            (partition.to_string(), json!({ "from": from, "to": to, "count": count }))
        })
        .collect();
    let place = json!({
        "kafka_config_id": topic.connection, "topic": topic.topic, "group_id": topic.group_id,
        "count": batch.len(), "partitions": partitions,
    });
    let messages: Result<Vec<Value>, _> =
        batch.iter().map(|message| names(message, ValueFormat::Auto).map(Value::Object)).collect();
    let conf = json!({ "kafka": place, "messages": messages.unwrap_or_default() });
    if conf.to_string().len() <= CONF_MAX && flow_store::can_be_kept(&conf) {
        return conf;
    }
    json!({ "kafka": place, "messages": null })
}

/// The same messages make the same id: a second run of them cannot be.
fn run_id(topic: &KafkaTopic, batch: &[Message], Ranges(ranges): &Ranges) -> String {
    let each = ranges.iter().map(|(partition, (from, to, _))| format!("{partition}.{from}-{to}"));
    // A topic that was made again has the same offsets, at another time.
    let time = batch.first().and_then(|message| message.timestamp).unwrap_or_default();
    let place = format!("{}_{}_{}_{time}", topic.group_id, topic.topic, each.collect::<Vec<_>>().join("_"));
    let is_plain = place.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let place = if place.len() <= ID_MAX && is_plain {
        place
    } else {
        let digest = Sha256::digest(format!("{}_{place}", topic.connection));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    format!("{}__kafka_{place}", RunType::AssetTriggered)
}

#[cfg(test)]
mod tests;
