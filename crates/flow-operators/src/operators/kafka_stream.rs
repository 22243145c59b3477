//! Turns the messages of one topic into messages of another, each exactly once.
//!
//! What is written and how far was read is one transaction of Kafka. Its name follows from the group and the topic: who
//! begins with that name fences off whoever used it before, and ends what was left open.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::anyhow;
use flow_clients::{
    ClientError, Kind,
    kafka::{Acks, Message, Offsets, Producer, Record, Writing},
};
use flow_core::template::Expression;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, json};

use crate::{
    batches::{Batches, Limits, OnBad, compiled, group_of, is_wanted},
    context::{Stream, TaskContext},
    kafka::{ValueFormat, bytes_of, kafka_default, names, notes, place},
    operator::{Done, Operator, OperatorError},
    values::{Expr, Flag, Span},
};

/// Most lines about messages that were passed over, in one attempt.
const LINES_MAX: u64 = 100;

/// How long an attempt that failed may take to abort its transaction; the next of its name does it too.
const ABORT_PATIENCE: Duration = Duration::from_secs(3);

/// `uses: kafka_stream`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaStream {
    /// The connection to Kafka; both topics are there.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topic to read.
    source: String,
    /// The topic to write to.
    sink: String,
    /// The name under which Kafka keeps how far was read. Tasks with the same name and source fence each other off: only
    /// the last that began goes on. Default: `flow.DAG.TASK`, and the map index of a mapped task.
    #[serde(default)]
    group_id: Option<String>,
    /// Where to begin when Kafka has no offset for the group: with the first message that is there, else with those that
    /// come later. Default: true.
    #[serde(default = "yes")]
    from_beginning: Flag,
    /// Only messages for which this expression over `key`, `value` (JSON where it is JSON, else text), `headers`,
    /// `timestamp`, `topic`, `partition` and `offset` holds go on; the others are passed over.
    #[serde(default)]
    filter: Option<Expr>,
    /// The value that is written: an expression over the same names, or a map of expressions, which makes a JSON object.
    /// A text is written as it is, null as no value (a tombstone), the rest as JSON. Default: the value as it came.
    #[serde(default)]
    map: Option<Mapping>,
    /// An expression over the same names that gives the key. Default: the key as it came.
    #[serde(default)]
    key: Option<Expr>,
    /// What a value is: `json`, `text`, or `auto`, JSON where it is an object or a list, else text. Default: `auto`.
    #[serde(default)]
    value_format: ValueFormat,
    /// What becomes of a message for which an expression fails. `fail`: the task fails and names the message. `skip`: it
    /// is passed over with a line in the log. Default: `fail`.
    #[serde(default)]
    on_bad: OnBad,
    /// Most messages that one attempt reads. Default: all that are there when it begins.
    #[serde(default)]
    max_messages: Option<u64>,
    /// How long to go on reading what comes meanwhile, from the attempt's start on. Default: 0, it ends when everything
    /// is read that was there when it began.
    #[serde(default = "no_wait")]
    max_wait: Span,
    /// Most messages in one transaction. Default: 1000.
    #[serde(default = "batch_size")]
    batch_size: u32,
    /// How batches are compressed: `none`, `gzip`, `snappy`, `lz4`, `zstd`. Default: as the connection says
    /// (`compression.type`), else `none`.
    #[serde(default)]
    compression: Option<String>,
}

/// An expression, or a map of them.
#[derive(Clone, Debug)]
enum Mapping {
    One(Expr),
    Fields(BTreeMap<String, Expr>),
}

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Mapping;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression such as `value.temperature`, or a map of expressions")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Mapping, E> {
                Expr::deserialize(de::value::StrDeserializer::new(text)).map(Mapping::One)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Mapping, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, expression)) = map.next_entry()? {
                    fields.insert(name, expression);
                }
                Ok(Mapping::Fields(fields))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Mapping {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mapping".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "object"], "additionalProperties": { "type": "string" } })
    }
}

fn yes() -> Flag {
    Flag(true)
}

fn no_wait() -> Span {
    Span::seconds(0.0)
}

fn batch_size() -> u32 {
    1_000
}

impl Operator for KafkaStream {
    const NAME: &'static str = "kafka_stream";
    const SUMMARY: &'static str = "Filters and changes the messages of one Kafka topic and writes them to another, each \
         exactly once: what is written and how far was read is one transaction of Kafka.";
    const TEMPLATED: &'static [&'static str] = &["source", "sink", "group_id"];
    const EXAMPLE: &'static str = "\
id: extremes
uses: kafka_stream
with:
  source: readings
  sink: extreme_readings
  filter: value.temperature < -10 or value.temperature > 35
  map: { station: value.station, temperature: value.temperature, seen_at: timestamp }
  key: value.station
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            done = self.work(cx) => done,
        }
    }
}

/// What is written of a message.
enum Turned<'a> {
    AsItCame,
    One(Expression<'a>),
    Fields(Vec<(&'a str, Expression<'a>)>),
}

/// Everything that stays the same from message to message.
struct Turner<'a> {
    cx: &'a TaskContext,
    sink: &'a str,
    filter: Option<Expression<'a>>,
    value: Turned<'a>,
    key: Option<Expression<'a>>,
    format: ValueFormat,
    on_bad: OnBad,
    counts: Counts,
}

/// What became of the messages.
#[derive(Clone, Debug, Default)]
struct Counts {
    messages: u64,
    written: u64,
    filtered: u64,
    bad: u64,
}

impl KafkaStream {
    async fn work(&self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let limits = Limits::new(self.max_messages, self.max_wait, self.batch_size)?;
        let group = group_of(cx, self.group_id.clone())?;
        if self.source == self.sink {
            return Err(OperatorError::fatal(anyhow!("`source` and `sink` are the same topic: it would never end")));
        }
        let mut turner = self.turner(cx)?;
        let kafka = cx.connection(&self.kafka_config_id).await?;
        let mut batches = Batches::open(cx, &kafka, &group, std::slice::from_ref(&self.source), limits).await?;
        let writing = Writing {
            acks: Acks::All,
            is_idempotent: true,
            // No topic has a `/`: no other group and topic have this name.
            transactional_id: Some(format!("flow.{group}/{}", self.source)),
            compression: self.compression.clone(),
        };
        // What an attempt before this one left open is ended by this; only then do the offsets stand still.
        let producer = Producer::open(&kafka, &writing).await?;
        producer.check(&self.sink).await?;
        let stored = batches.consumer().committed(&batches.partitions()).await?;
        let mut next = batches.begins(&stored, self.from_beginning.0);
        let is_first = stored.len() < next.len();
        batches.go_to(cx, &next, self.on_bad).await?;
        if is_first && !self.from_beginning.0 {
            // Else an attempt that ends before its first batch would leave no trace of where it began.
            self.transact(&producer, &batches, &next, &[], cx).await?;
        }
        while let Some(messages) = batches.next(cx, self.on_bad).await? {
            let mut counts = turner.counts.clone();
            let records = turner.records(&messages, &mut counts)?;
            let behind = Batches::behind(&messages);
            self.transact(&producer, &batches, &behind, &records, cx).await?;
            counts.messages += messages.len() as u64;
            counts.written += records.len() as u64;
            turner.counts = counts;
            next.extend(behind);
        }
        producer.close().await;
        Ok(turner.counts.done(cx, &next))
    }

    /// Writes messages and offsets in one transaction.
    async fn transact(
        &self,
        producer: &Producer,
        batches: &Batches,
        offsets: &Offsets,
        records: &[Record],
        cx: &TaskContext,
    ) -> Result<(), OperatorError> {
        let done = async {
            producer.begin().await?;
            let sending = producer.sending(notes(cx))?;
            for record in records {
                sending.send(record).await?;
            }
            sending.flush().await?;
            producer.send_offsets(offsets, batches.consumer().group_metadata()?).await?;
            producer.commit().await
        };
        let Err(error) = done.await else { return Ok(()) };
        if error.kind == Kind::Fenced {
            return Err(ClientError {
                message: format!(
                    "another attempt with this group and source has begun, and goes on with the messages: {error}"
                ),
                ..error
            }
            .into());
        }
        // Nothing is lost without it: the next attempt aborts what is open, or finds it committed.
        let _ = tokio::time::timeout(ABORT_PATIENCE, producer.abort()).await;
        Err(error.into())
    }

    fn turner<'a>(&'a self, cx: &'a TaskContext) -> Result<Turner<'a>, OperatorError> {
        let value = match &self.map {
            None => Turned::AsItCame,
            Some(Mapping::One(expression)) => Turned::One(compiled(expression, "map")?),
            Some(Mapping::Fields(fields)) => Turned::Fields(
                fields
                    .iter()
                    .map(|(name, expression)| Ok((name.as_str(), compiled(expression, &format!("map.{name}"))?)))
                    .collect::<Result<_, OperatorError>>()?,
            ),
        };
        Ok(Turner {
            cx,
            sink: &self.sink,
            filter: self.filter.as_ref().map(|filter| compiled(filter, "filter")).transpose()?,
            value,
            key: self.key.as_ref().map(|key| compiled(key, "key")).transpose()?,
            format: self.value_format,
            on_bad: self.on_bad,
            counts: Counts::default(),
        })
    }
}

impl Turner<'_> {
    fn records(&self, messages: &[Message], counts: &mut Counts) -> Result<Vec<Record>, OperatorError> {
        let mut records = Vec::with_capacity(messages.len());
        for message in messages {
            match self.record(message) {
                Ok(Some(record)) => records.push(record),
                Ok(None) => counts.filtered += 1,
                Err(sentence) if self.on_bad == OnBad::Fail => {
                    let place = place(message);
                    return Err(OperatorError::fatal(anyhow!(
                        "{place}: {sentence} (`on_bad: skip` passes over such messages)"
                    )));
                }
                Err(sentence) => {
                    counts.bad += 1;
                    if counts.bad <= LINES_MAX {
                        self.cx.say(Stream::Warning, &format!("passed over {}: {sentence}", place(message)));
                    } else if counts.bad == LINES_MAX + 1 {
                        self.cx.say(Stream::Warning, "passed over more messages; they are only counted");
                    }
                }
            }
        }
        Ok(records)
    }

    fn record(&self, message: &Message) -> Result<Option<Record>, String> {
        let names = names(message, self.format).map_err(|error| error.to_string())?;
        if !is_wanted(self.filter.as_ref(), &names)? {
            return Ok(None);
        }
        let evaluated = |name: &str, expression: &Expression<'_>| {
            expression.evaluate(&names).map_err(|error| format!("`{name}`: {error}"))
        };
        let value = match &self.value {
            Turned::AsItCame => message.value.clone(),
            Turned::One(expression) => bytes_of(&evaluated("map", expression)?)?,
            Turned::Fields(fields) => {
                let mut object = Map::new();
                for (name, expression) in fields {
                    object.insert((*name).to_owned(), evaluated(&format!("map.{name}"), expression)?);
                }
                Some(Value::Object(object).to_string().into_bytes())
            }
        };
        let key = match &self.key {
            None => message.key.clone(),
            Some(expression) => bytes_of(&evaluated("key", expression)?)?,
        };
        Ok(Some(Record {
            topic: self.sink.to_owned(),
            partition: None,
            timestamp: message.timestamp,
            key,
            value,
            headers: message.headers.clone(),
        }))
    }
}

impl Counts {
    fn done(&self, cx: &TaskContext, next: &Offsets) -> Done {
        let Self { messages, written, filtered, bad } = self;
        let sentence = format!("{messages} messages read: {written} written, {filtered} filtered out, {bad} bad");
        cx.say(Stream::Info, &sentence);
        let offsets: BTreeMap<String, i64> =
            next.iter().map(|((_, partition), offset)| (partition.to_string(), *offset)).collect();
        Done::success(
            json!({ "messages": messages, "written": written, "filtered": filtered, "bad": bad, "next_offsets": offsets }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kafka::tests::{broker, messages_of},
        testing::World,
    };

    async fn topics(world: &World, name: &str) -> (String, String) {
        let topics = (format!("{name}-in"), format!("{name}-out"));
        for topic in [&topics.0, &topics.1] {
            let made = world.run("kafka_topic", json!({ "topic": topic, "partitions": 3 })).await;
            assert_eq!(made.word(), "success", "{made:?}");
        }
        topics
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_message_is_turned_once() {
        let world = World::new();
        let Some(name) = broker("each_message_is_turned_once", &world) else { return };
        let (source, sink) = topics(&world, &name).await;
        let messages: Value = (0..40).map(|n| json!({ "key": format!("k{n}"), "value": { "n": n } })).collect();
        let sent = world.run("kafka_produce", json!({ "topic": source, "messages": messages })).await;
        assert_eq!(sent.word(), "success", "{sent:?}");
        let given = json!({
            "source": source, "sink": sink, "group_id": name, "batch_size": 7, "filter": "value.n % 2 == 0",
            "map": { "double": "value.n * 2", "was": "key" }, "key": "'even-' ~ value.n",
        });
        for expected in [40, 0] {
            let done = world.run("kafka_stream", given.clone()).await;
            assert_eq!(done.word(), "success", "{done:?}");
            assert_eq!(done.result().unwrap()["messages"], expected);
        }
        let mut found: Vec<_> =
            messages_of(&sink).await.iter().map(|it| (it["value"]["double"].clone(), it["key"].clone())).collect();
        found.sort_by_key(|(double, _)| double.as_i64());
        let expected: Vec<_> = (0..40).step_by(2).map(|n| (json!(n * 2), json!(format!("even-{n}")))).collect();
        assert_eq!(found, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_there_before_is_passed_over_when_asked() {
        let world = World::new();
        let Some(name) = broker("what_was_there_before_is_passed_over_when_asked", &world) else { return };
        let (source, sink) = topics(&world, &name).await;
        let given = json!({ "source": source, "sink": sink, "from_beginning": false });
        for (value, expected) in [("before", 0), ("after", 1)] {
            let sent = world.run("kafka_produce", json!({ "topic": source, "messages": [value] })).await;
            assert_eq!(sent.word(), "success", "{sent:?}");
            let done = world.run("kafka_stream", given.clone()).await;
            assert_eq!(done.result().unwrap()["messages"], expected, "{done:?}");
        }
        let found: Vec<_> = messages_of(&sink).await.into_iter().map(|it| it["value"].clone()).collect();
        assert_eq!(found, [json!("after")]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bad_message_and_a_missing_topic_are_named() {
        let world = World::new();
        let Some(name) = broker("a_bad_message_and_a_missing_topic_are_named", &world) else { return };
        let (source, sink) = topics(&world, &name).await;
        let messages = json!([{ "value": "odd", "partition": 1 }, { "value": { "n": 1 }, "partition": 1 }]);
        world.run("kafka_produce", json!({ "topic": source, "messages": messages })).await;
        let mut given = json!({ "source": source, "sink": sink, "map": "value.n" });
        let failed = world.run("kafka_stream", given.clone()).await;
        failed.failed_for_good(&format!("message 0 of partition 1 of `{source}`: `map`: "));
        given["on_bad"] = json!("skip");
        let done = world.run("kafka_stream", given.clone()).await;
        assert_eq!(done.result().unwrap()["written"], 1, "{done:?}");
        given["sink"] = json!("nowhere");
        world.run("kafka_stream", given.clone()).await.failed("there is no topic `nowhere`");
        given["sink"] = given["source"].clone();
        world.run("kafka_stream", given).await.failed_for_good("the same topic");
    }
}
