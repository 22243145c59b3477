//! Reading topics in batches, from offsets that are kept together with what is made of the messages.
//!
//! Shared by the operators that handle each message exactly once. Where the offsets are is theirs; here is how far one
//! attempt reads, and what is wrong with an offset.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use flow_clients::kafka::{Consumer, Message, Offsets, Reading};
use flow_core::connection::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    context::{Stream, TaskContext},
    kafka::{notes, place},
    operator::OperatorError,
    values::{Expr, Span},
};

/// Most bytes of messages in a batch, give or take one message.
const BYTES_MAX: usize = 8 << 20;

/// How long a batch that has something waits for more.
const LINGER: Duration = Duration::from_millis(50);

/// How long to wait in one go.
const LOOK: Duration = Duration::from_secs(1);

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
    consumer: Consumer,
    limits: Limits,
    /// First offset that is there, and the next to be written, when it began.
    marks: BTreeMap<(String, i32), (i64, i64)>,
    /// The next offset to be read.
    next: Offsets,
    at_end: BTreeSet<(String, i32)>,
    /// Ends that were heard of, by a partition's number: which topic's it is is not said.
    ends: BTreeMap<i32, usize>,
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
        let reading = Reading { group: Some(group.to_owned()), from_beginning: true, uncommitted: false };
        let consumer = Consumer::open(connection, &reading, notes(cx)).await?;
        let mut marks = BTreeMap::new();
        for topic in topics {
            for partition in consumer.partitions(topic).await? {
                marks.insert((topic.clone(), partition), consumer.watermarks(topic, partition).await?);
            }
        }
        Ok(Self {
            consumer,
            limits,
            marks,
            next: Offsets::new(),
            at_end: BTreeSet::new(),
            ends: BTreeMap::new(),
            taken: 0,
            began: Instant::now(),
        })
    }

    pub(crate) fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    /// The partitions there are.
    pub(crate) fn partitions(&self) -> Vec<(String, i32)> {
        self.marks.keys().cloned().collect()
    }

    /// Where to begin without stored offsets.
    pub(crate) fn ends(&self, from_beginning: bool) -> Offsets {
        let each = self.marks.iter();
        each.map(|(place, (low, high))| (place.clone(), if from_beginning { *low } else { *high })).collect()
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
            if offset > *high && self.next.is_empty() {
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
        self.consumer.assign(&next).await?;
        self.at_end.clear();
        self.ends.clear();
        self.next = next;
        Ok(())
    }

    /// The next offset to be read of each partition that these messages are of.
    pub(crate) fn behind(messages: &[Message]) -> Offsets {
        let each = messages.iter();
        each.map(|message| ((message.topic.to_string(), message.partition), message.offset + 1)).collect()
    }

    /// Waits for messages; `None` when this attempt has read enough.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Message>>, OperatorError> {
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
            let polled = self.consumer.poll(most, wait).await?;
            self.hear_ends(&polled.ends);
            if !polled.messages.is_empty() || !polled.ends.is_empty() {
                heard = Instant::now();
            } else if !batch.is_empty() {
                return Ok(Some(batch));
            } else {
                self.consumer.check().await?;
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

    fn hear_ends(&mut self, ends: &[i32]) {
        for partition in ends {
            let count = self.ends.entry(*partition).or_default();
            *count += 1;
            let same: Vec<_> = self.next.keys().filter(|(_, number)| number == partition).cloned().collect();
            if *count >= same.len() {
                self.at_end.extend(same);
            }
        }
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
