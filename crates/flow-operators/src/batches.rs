//! Reading topics in batches, from offsets that are kept together with what is made of the messages.
//!
//! Shared by the operators that handle each message exactly once. Where the offsets are is theirs; here is how far one
//! attempt reads, and what is wrong with an offset.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use flow_clients::kafka::{Consumer, Message, Offsets, Polled, Reading};
use flow_core::connection::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    context::{Stream, TaskContext},
    kafka::{known_topics, notes, place},
    operator::OperatorError,
    values::{Expr, Span},
};

/// Most bytes of messages in a batch, give or take one message.
const BYTES_MAX: usize = 8 << 20;

/// How long a batch that has something waits for more.
const LINGER: Duration = Duration::from_millis(50);

/// How long to wait in one go.
const LOOK: Duration = Duration::from_secs(1);

/// How long to wait for one topic of several.
const TURN: Duration = Duration::from_millis(20);

/// No message and no end of the partitions for so long: something is wrong that nobody has said.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What becomes of a message that cannot be handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum OnBad {
    /// The task fails and says which message it is; those of the batches before stay handled.
    #[default]
    Fail,
    /// It is passed over, with a line in the log.
    Skip,
}

/// How far one attempt reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) messages: Option<u64>,
    pub(crate) wait: Duration,
    pub(crate) batch: usize,
}

impl Limits {
    pub(crate) fn new(messages: Option<u64>, wait: Span, batch: u32) -> Result<Self, OperatorError> {
        if batch == 0 || messages == Some(0) {
            return Err(OperatorError::fatal(anyhow!("`batch_size` and `max_messages` must be at least 1")));
        }
        Ok(Self { messages, wait: wait.duration(), batch: batch.min(100_000) as usize })
    }
}

/// The group of a task that names none: one for each DAG, task and map index.
pub(crate) fn group_of(cx: &TaskContext, given: Option<String>) -> Result<String, OperatorError> {
    let identity = &cx.identity;
    let group = match given.filter(|group| !group.is_empty()) {
        Some(group) => group,
        None if identity.map_index < 0 => format!("flow.{}.{}", identity.dag_id, identity.task_id),
        None => format!("flow.{}.{}.{}", identity.dag_id, identity.task_id, identity.map_index),
    };
    if group.chars().count() > 255 {
        return Err(OperatorError::fatal(anyhow!("a group's name has at most 255 characters: set `group_id`")));
    }
    Ok(group)
}

/// Topics that are read up to their end.
pub(crate) struct Batches {
    /// One for each topic: the end of a partition is told without its topic.
    readers: Vec<(String, Consumer)>,
    /// Whose turn it is.
    turn: usize,
    limits: Limits,
    /// First offset that is there, and the next to be written, when it began.
    marks: BTreeMap<(String, i32), (i64, i64)>,
    /// The next offset to be read.
    next: Offsets,
    at_end: BTreeSet<(String, i32)>,
    /// An offset was not there any more.
    is_lost: bool,
    taken: u64,
    began: Instant,
}

impl Batches {
    /// Connects, and looks where the topics begin and end.
    pub(crate) async fn open(
        cx: &TaskContext,
        connection: &Connection,
        group: &str,
        topics: &[String],
        limits: Limits,
    ) -> Result<Self, OperatorError> {
        let reading = Reading { group: Some(group.to_owned()), is_strict: true, ..Reading::default() };
        let (mut readers, mut marks) = (Vec::new(), BTreeMap::new());
        for topic in topics.iter().collect::<BTreeSet<_>>() {
            let consumer = Consumer::open(connection, &reading, notes(cx)).await?;
            for partition in consumer.partitions(topic).await? {
                marks.insert((topic.clone(), partition), consumer.watermarks(topic, partition).await?);
            }
            readers.push((topic.clone(), consumer));
        }
        if readers.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`topics` names no topic")));
        }
        Ok(Self {
            readers,
            turn: 0,
            limits,
            marks,
            next: Offsets::new(),
            at_end: BTreeSet::new(),
            is_lost: false,
            taken: 0,
            began: Instant::now(),
        })
    }

    /// One of its group, for questions and to store offsets.
    pub(crate) fn consumer(&self) -> &Consumer {
        &self.readers[0].1
    }

    /// The partitions there are.
    pub(crate) fn partitions(&self) -> Vec<(String, i32)> {
        self.marks.keys().cloned().collect()
    }

    /// Where to begin, given what is stored. A partition that came to a topic later is read whole.
    pub(crate) fn begins(&self, stored: &Offsets, from_beginning: bool) -> Offsets {
        let known = known_topics(stored);
        let begin = |(at, (low, high)): (&(String, i32), &(i64, i64))| {
            let first = if from_beginning || known.contains(at.0.as_str()) { *low } else { *high };
            (at.clone(), stored.get(at).copied().unwrap_or(first))
        };
        self.marks.iter().map(begin).collect()
    }

    /// Goes to these offsets; called again, it goes back or ahead. An offset before the first message or behind the
    /// last means that messages are gone.
    pub(crate) async fn go_to(
        &mut self,
        cx: &TaskContext,
        offsets: &Offsets,
        on_bad: OnBad,
    ) -> Result<(), OperatorError> {
        let mut next = Offsets::new();
        for (at, (low, high)) in &self.marks {
            let Some(&offset) = offsets.get(at) else { continue };
            let (topic, partition) = at;
            // Another attempt may have read on since the end was asked for.
            let high = if offset > *high { self.watermarks(at).await?.1 } else { *high };
            if offset > high {
                return Err(OperatorError::fatal(anyhow!(
                    "partition {partition} of `{topic}` ends at offset {high}, and {offset} is the next to be read: was \
                     the topic made again? Then begin with another `group_id`"
                )));
            }
            if offset < *low {
                let gone = format!(
                    "messages {offset} to {} of partition {partition} of `{topic}` were deleted before they were read",
                    low - 1
                );
                if on_bad == OnBad::Fail {
                    return Err(OperatorError::fatal(anyhow!("{gone}; `on_bad: skip` goes on behind them")));
                }
                cx.say(Stream::Warning, &gone);
            }
            next.insert(at.clone(), offset.max(*low));
        }
        for (topic, consumer) in &self.readers {
            let own = next.iter().filter(|(at, _)| at.0 == *topic).map(|(at, offset)| (at.clone(), *offset));
            consumer.assign(&own.collect()).await?;
        }
        self.at_end.clear();
        self.next = next;
        Ok(())
    }

    /// Goes on where it was, when an offset was not there any more: complains of what is gone.
    async fn go_on(&mut self, cx: &TaskContext, on_bad: OnBad) -> Result<(), OperatorError> {
        for at in self.partitions() {
            let (low, end) = self.watermarks(&at).await?;
            if let Some(marks) = self.marks.get_mut(&at) {
                *marks = (low, marks.1.min(end));
            }
        }
        let next = self.next.clone();
        self.go_to(cx, &next, on_bad).await
    }

    async fn watermarks(&self, (topic, partition): &(String, i32)) -> Result<(i64, i64), OperatorError> {
        Ok(self.consumer().watermarks(topic, *partition).await?)
    }

    /// The next offset to be read of each partition that these messages are of.
    pub(crate) fn behind(messages: &[Message]) -> Offsets {
        let each = messages.iter();
        each.map(|message| ((message.topic.to_string(), message.partition), message.offset + 1)).collect()
    }

    /// Waits for messages; `None` when this attempt has read enough.
    pub(crate) async fn next(
        &mut self,
        cx: &TaskContext,
        on_bad: OnBad,
    ) -> Result<Option<Vec<Message>>, OperatorError> {
        let mut batch: Vec<Message> = Vec::new();
        let mut bytes = 0;
        let mut heard = Instant::now();
        loop {
            let left = self.limits.messages.map_or(u64::MAX, |most| most.saturating_sub(self.taken));
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(self.limits.batch - batch.len());
            if most == 0 || bytes >= BYTES_MAX {
                return Ok((!batch.is_empty()).then_some(batch));
            }
            let time_left = self.limits.wait.saturating_sub(self.began.elapsed());
            let wait = match (batch.is_empty(), self.has_read_all()) {
                (true, true) if time_left.is_zero() => return Ok(None),
                (true, true) => time_left.min(LOOK),
                (true, false) => LOOK,
                (false, _) => LINGER,
            };
            let polled = self.poll(most, wait).await?;
            let is_silent = polled.messages.is_empty() && polled.ends.is_empty();
            if !is_silent {
                heard = Instant::now();
            } else if !batch.is_empty() {
                return Ok(Some(batch));
            } else {
                for (_, consumer) in &self.readers {
                    consumer.check().await?;
                }
                if !self.has_read_all() && heard.elapsed() > SILENCE_MAX {
                    return Err(OperatorError::retry(anyhow!(
                        "nothing came from Kafka for {} seconds, though there are messages: is a partition without a leader?",
                        SILENCE_MAX.as_secs()
                    )));
                }
            }
            for message in polled.messages {
                self.take(&message)?;
                bytes += message.key.as_ref().map_or(0, Vec::len) + message.value.as_ref().map_or(0, Vec::len);
                batch.push(message);
            }
            if self.is_lost {
                self.is_lost = false;
                self.go_on(cx, on_bad).await?;
            }
        }
    }

    /// Waits for something from any topic, each in its turn.
    async fn poll(&mut self, most: usize, wait: Duration) -> Result<Polled, OperatorError> {
        let began = Instant::now();
        let count = self.readers.len();
        let mut patience = if count == 1 { wait } else { Duration::ZERO };
        loop {
            for _ in 0..count {
                let (topic, consumer) = &self.readers[self.turn];
                self.turn = (self.turn + 1) % count;
                let polled = consumer.poll(most, patience).await?;
                self.at_end.extend(polled.ends.iter().map(|partition| (topic.clone(), *partition)));
                self.is_lost |= polled.is_lost;
                if polled != Polled::default() {
                    return Ok(polled);
                }
            }
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Polled::default());
            }
            patience = left.min(TURN);
        }
    }

    fn take(&mut self, message: &Message) -> Result<(), OperatorError> {
        let next = self.next.entry((message.topic.to_string(), message.partition)).or_insert(message.offset);
        if message.offset < *next {
            // The client begins again where it finds its offset gone.
            return Err(OperatorError::fatal(anyhow!(
                "{} came though {next} is the next to be read: was the topic made again?",
                place(message)
            )));
        }
        *next = message.offset + 1;
        self.taken += 1;
        Ok(())
    }

    /// Says whether everything was read that was there when it began.
    fn has_read_all(&self) -> bool {
        self.next.iter().all(|(at, next)| {
            self.at_end.contains(at) || self.marks.get(at).is_none_or(|(low, high)| next >= high || low == high)
        })
    }
}

/// Evaluates a filter.
pub(crate) fn is_wanted(
    filter: Option<&flow_core::template::Expression<'_>>,
    names: &Map<String, Value>,
) -> Result<bool, String> {
    filter.map_or(Ok(true), |filter| filter.holds(names).map_err(|error| format!("`filter`: {error}")))
}

/// Compiles an expression that was checked when the file was read.
pub(crate) fn compiled<'s>(
    expression: &'s Expr,
    argument: &str,
) -> Result<flow_core::template::Expression<'s>, OperatorError> {
    expression.compile().map_err(|error| OperatorError::fatal(anyhow!("`{argument}`: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{kafka::tests::broker, testing::World};

    async fn open(world: &World, topics: &[String]) -> Batches {
        let limits = Limits::new(None, Span::seconds(0.0), 10).unwrap();
        let kafka = world.cx.connection("kafka_default").await.unwrap();
        Batches::open(&world.cx, &kafka, &topics[0], topics, limits).await.unwrap()
    }

    async fn produce(world: &World, topic: &str, count: usize) {
        let messages = vec!["x"; count];
        let run = world.run("kafka_produce", json!({ "topic": topic, "messages": messages })).await;
        assert_eq!(run.word(), "success", "{run:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_offset_behind_the_end_is_looked_at_again_before_anybody_complains() {
        let world = World::new();
        let name = "an_offset_behind_the_end_is_looked_at_again_before_anybody_complains";
        let Some(topic) = broker(name, &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 1 })).await;
        let at = (topic.clone(), 0);
        let mut batches = open(&world, std::slice::from_ref(&topic)).await;
        // Another attempt reads on meanwhile.
        produce(&world, &topic, 3).await;
        batches.go_to(&world.cx, &[(at.clone(), 3)].into(), OnBad::Fail).await.unwrap();
        assert_eq!(batches.next(&world.cx, OnBad::Fail).await.unwrap(), None);
        let error = batches.go_to(&world.cx, &[(at.clone(), 4)].into(), OnBad::Fail).await.unwrap_err().to_string();
        assert!(error.contains("ends at offset 3, and 4 is the next"), "{error}");
        // It was there when it was looked at, and is not when it is read.
        batches.marks.insert(at.clone(), (0, 200));
        batches.go_to(&world.cx, &[(at.clone(), 100)].into(), OnBad::Fail).await.unwrap();
        let error = batches.next(&world.cx, OnBad::Fail).await.unwrap_err().to_string();
        assert!(error.contains("ends at offset 3, and 100 is the next"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn partitions_that_come_later_are_read_whole() {
        let world = World::new();
        let Some(topic) = broker("partitions_that_come_later_are_read_whole", &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 2 })).await;
        let (old, new) = ((topic.clone(), 0), (topic.clone(), 1));
        let mut batches = open(&world, std::slice::from_ref(&topic)).await;
        batches.marks.insert(new.clone(), (3, 9));
        assert_eq!(batches.begins(&Offsets::new(), false)[&new], 9);
        assert_eq!(batches.begins(&Offsets::new(), true)[&new], 3);
        let begins = batches.begins(&[(old.clone(), 7)].into(), false);
        assert_eq!((begins[&old], begins[&new]), (7, 3));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_topics_are_all_read_to_their_end() {
        let world = World::new();
        let Some(topic) = broker("several_topics_are_all_read_to_their_end", &world) else { return };
        let topics = [format!("{topic}-a"), format!("{topic}-b")];
        for name in &topics {
            world.run("kafka_topic", json!({ "topic": name, "partitions": 1 })).await;
        }
        produce(&world, &topics[1], 25).await;
        let mut batches = open(&world, &topics).await;
        let begins = batches.begins(&Offsets::new(), true);
        batches.go_to(&world.cx, &begins, OnBad::Fail).await.unwrap();
        // The end of one topic, told however often, is not that of the other.
        batches.at_end.insert((topics[0].clone(), 0));
        assert!(!batches.has_read_all());
        let mut read = 0;
        while let Some(messages) = batches.next(&world.cx, OnBad::Fail).await.unwrap() {
            read += messages.len();
        }
        assert_eq!(read, 25);
        assert!(batches.next[&(topics[1].clone(), 0)] == 25);
    }
}
