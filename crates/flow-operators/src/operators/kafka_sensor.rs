//! Waits for a message.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use flow_clients::{
    ClientError,
    kafka::{Consumer, Message, Offsets, Reading},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    kafka::{ValueFormat, kafka_default, known_topics, names, notes, place, store_beginnings},
    operator::OperatorError,
    sensor::{Look, Sensor},
    values::{Expr, OneOrMany},
    xcom,
};

/// Most messages that are taken at once.
const BATCH: usize = 1_000;

/// Longest time of one look; the next goes on where it ended, if there is a group.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Longest silence within a look: what is there comes sooner.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// `uses: kafka_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaSensor {
    /// The connection to Kafka.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topics: one, or a list.
    topics: OneOrMany,
    /// The group under whose name offsets are stored: each message is seen once, and the next sensor of the group goes on
    /// behind the one that was found. The sensor reads every partition, whoever else is in the group. Default: `group.id`
    /// of the connection, else none: each look sees everything from the beginning of the wait on.
    #[serde(default)]
    group_id: Option<String>,
    /// Where to begin when nothing is stored: with the first message that is there, not with the first that is written
    /// after the first wait of the group has begun. Default: false.
    #[serde(default)]
    from_beginning: bool,
    /// An expression over `key`, `value`, `headers`, `timestamp` (ISO 8601), `topic`, `partition` and `offset`, such as
    /// `value.status == "done"`. Default: any message will do.
    #[serde(default)]
    filter: Option<Expr>,
    /// How values are read; as in `kafka_consume`. Default: `auto`.
    #[serde(default)]
    value_format: ValueFormat,
}

/// The deepest message that can be kept: the database takes a little more.
const DEEPEST: usize = 90;

fn is_deeper(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| is_deeper(item, left - 1)),
        Value::Object(fields) => left == 0 || fields.values().any(|item| is_deeper(item, left - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

impl Sensor for KafkaSensor {
    const NAME: &'static str = "kafka_sensor";
    const CLASS: &'static str = "airflow.providers.apache.kafka.sensors.kafka.AwaitMessageSensor";
    const SUMMARY: &'static str = "Waits for a message in Kafka topics; the message is the result.";
    const TEMPLATED: &'static [&'static str] = &["topics", "group_id"];
    const EXAMPLE: &'static str = "\
id: upload_is_done
uses: kafka_sensor
with:
  topics: uploads
  group_id: \"{{ dag.dag_id }}\"
  filter: value.file == 'orders.csv' and value.status == 'done'
  poke_interval: 10s
  timeout: 2h
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            look = self.search(cx) => look,
        }
    }
}

impl KafkaSensor {
    async fn search(&self, cx: &TaskContext) -> Result<Look, OperatorError> {
        let connection = cx.connection(&self.kafka_config_id).await?;
        let has_group = self.group_id.is_some()
            || flow_clients::kafka::Settings::of(&connection)?.get("group.id").is_some_and(|group| !group.is_empty());
        let reading = Reading { group: self.group_id.clone(), from_beginning: true, ..Reading::default() };
        let consumer = Consumer::open(&connection, &reading, notes(cx)).await?;
        let mut places = Vec::new();
        for topic in &self.topics.items {
            places.extend(consumer.partitions(topic).await?.into_iter().map(|partition| (topic.clone(), partition)));
        }
        if places.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`topics` names no topic")));
        }
        let (mut next, begins) = self.begin(cx, &consumer, &places, has_group).await?;
        let mut goal = Offsets::new();
        for (topic, partition) in places {
            let (low, end) = consumer.watermarks(&topic, partition).await?;
            let at = (topic, partition);
            let begins = next.entry(at.clone()).or_insert(low);
            *begins = (*begins).max(low);
            if *begins < end {
                goal.insert(at, end);
            }
        }
        let before = next.clone();
        let found = self.find(&consumer, &mut next, goal).await?;
        let Some(found) = found else {
            if has_group && next != before {
                consumer.commit(&next).await?;
            } else if has_group {
                // What comes between this wait and the next is seen by the next.
                store_beginnings(&consumer, &begins).await?;
            }
            consumer.close().await;
            return Ok(Look::NotYet);
        };
        let message = Value::Object(names(&found, self.value_format)?);
        xcom::check_sizes(&[(xcom::RETURN_VALUE.to_owned(), message.clone())])?;
        cx.say(Stream::Info, &format!("found {}", place(&found)));
        if !has_group {
            consumer.close().await;
            return Ok(Look::Met(message));
        }
        // Once its offset is stored nobody sees it again: what fails the task must do so before.
        if is_deeper(&message, DEEPEST) {
            let place = place(&found);
            return Err(OperatorError::fatal(anyhow!(
                "{place} is nested more than {DEEPEST} deep, and cannot be kept"
            )));
        }
        // The log is at its end when the offsets are stored; what goes wrong then is the error's to tell.
        consumer.hush();
        cx.afterwards.add(async move {
            let stored = pass(&consumer, next).await;
            consumer.close().await;
            stored.map_err(|error| format!("{error}; the next sensor of the group sees this message again"))
        });
        Ok(Look::Met(message))
    }

    /// Where each partition is read from, as far as that is not its beginning; and those of them that are not stored.
    async fn begin(
        &self,
        cx: &TaskContext,
        consumer: &Consumer,
        places: &[(String, i32)],
        has_group: bool,
    ) -> Result<(Offsets, Offsets), OperatorError> {
        let mut begins = Offsets::new();
        let mut next = if has_group { consumer.committed(places).await? } else { Offsets::new() };
        let known = known_topics(&next);
        let is_new = |place: &&(String, i32)| !next.contains_key(*place) && !known.contains(&*place.0);
        let missing: Vec<_> = places.iter().filter(is_new).cloned().collect();
        if !missing.is_empty() && !self.from_beginning {
            let began = cx.identity.started_at.as_micros() / 1_000;
            begins = consumer.offsets_since(&missing, began).await?;
            next.extend(begins.clone());
        }
        Ok((next, begins))
    }

    /// Looks for the message up to the goal, and moves `next` behind what was seen.
    async fn find(
        &self,
        consumer: &Consumer,
        next: &mut Offsets,
        mut goal: Offsets,
    ) -> Result<Option<Message>, OperatorError> {
        if goal.is_empty() {
            return Ok(None);
        }
        let filter = self.filter.as_ref().map(Expr::compile).transpose();
        let filter = filter.map_err(|error| OperatorError::fatal(anyhow!("`filter`: {error}")))?;
        let from =
            next.iter().filter(|(at, _)| goal.contains_key(*at)).map(|(at, offset)| (at.clone(), *offset)).collect();
        consumer.assign(&from).await?;
        let began = Instant::now();
        let mut heard = Instant::now();
        while !goal.is_empty() && began.elapsed() < LOOK_MAX {
            let polled = consumer.poll(BATCH, Duration::from_secs(1)).await?;
            for message in polled.messages {
                heard = Instant::now();
                let is_it = match &filter {
                    None => true,
                    Some(filter) => filter
                        .holds(&names(&message, self.value_format)?)
                        .map_err(|error| OperatorError::fatal(anyhow!("`filter` on {}: {error}", place(&message))))?,
                };
                next.insert((message.topic.to_string(), message.partition), message.offset + 1);
                if is_it {
                    return Ok(Some(message));
                }
            }
            let is_one = self.topics.items.len() == 1;
            goal.retain(|at, end| next[at] < *end && !(is_one && polled.ends.contains(&at.1)));
            if heard.elapsed() > SILENCE_MAX {
                consumer.check().await?;
                break;
            }
        }
        Ok(None)
    }
}

/// Stores the offsets behind the message that was found.
async fn pass(consumer: &Consumer, mut next: Offsets) -> Result<(), ClientError> {
    // Another sensor of the group may be further on.
    let stored = consumer.committed(&next.keys().cloned().collect::<Vec<_>>()).await?;
    next.retain(|at, offset| stored.get(at).is_none_or(|stored| stored < offset));
    consumer.commit(&next).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{kafka::tests::broker, testing::World};

    /// A topic that keeps what is old.
    fn for_ever(topic: &str, partitions: u32) -> Value {
        json!({ "topic": topic, "partitions": partitions, "config": { "retention.ms": -1 } })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_waits_for_the_message_that_fits_and_sees_each_once() {
        let world = World::new();
        let Some(topic) = broker("it_waits_for_the_message_that_fits_and_sees_each_once", &world) else { return };
        world.run("kafka_topic", for_ever(&topic, 2)).await;
        let produce = async |messages: Value| {
            let run = world.run("kafka_produce", json!({ "topic": topic, "messages": messages })).await;
            assert_eq!(run.word(), "success", "{run:?}");
        };
        let try_look = async |more: Value, kept: bool| {
            let mut given = json!({ "topics": topic, "filter": "value.status == 'done'" });
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            if !kept {
                // Its end was never written down: whoever comes next sees the message again.
                let (run, afterwards) = world.run_unwritten("kafka_sensor", given).await;
                drop(afterwards);
                return Ok(run.result().map_or(Value::Null, |found| found["value"]["n"].clone()));
            }
            let run = world.run("kafka_sensor", given).await;
            match run.word() {
                "waits" => Ok(Value::Null),
                "success" => Ok(run.result().unwrap()["value"]["n"].clone()),
                _ => Err(format!("{run:?}")),
            }
        };
        let look = async |more: Value| try_look(more, true).await;
        let group = || json!({ "group_id": topic });
        // Written before the wait: not meant, unless asked for.
        let old = "2020-01-01T00:00:00Z";
        produce(json!([{ "value": { "status": "done", "n": 0 }, "timestamp": old }])).await;
        assert_eq!(look(json!({})).await, Ok(Value::Null));
        assert_eq!(look(json!({ "from_beginning": true })).await, Ok(json!(0)));
        assert_eq!(look(group()).await, Ok(Value::Null));
        let done = |n: u32| json!({ "key": "k", "value": { "status": "done", "n": n } });
        produce(json!([{ "value": { "status": "begun", "n": 1 } }, done(2), done(3)])).await;
        assert_eq!(look(json!({})).await, Ok(json!(2)));
        assert_eq!(look(json!({})).await, Ok(json!(2)), "without a group nothing is stored");
        assert_eq!(try_look(group(), false).await, Ok(json!(2)));
        assert_eq!(look(group()).await, Ok(json!(2)));
        assert_eq!(look(group()).await, Ok(json!(3)));
        assert_eq!(look(group()).await, Ok(Value::Null));
        produce(json!(["odd"])).await;
        let error = look(json!({ "value_format": "json" })).await;
        assert!(error.as_ref().is_err_and(|words| words.contains("is no JSON")) || error == Ok(json!(2)), "{error:?}");
        // What fails the task moves no offset.
        let big = json!({ "topics": topic, "group_id": format!("{topic}-2"), "from_beginning": true, "filter": "value.big is defined" });
        produce(json!([{ "value": { "big": "x".repeat(300_000) } }])).await;
        for _ in 0..2 {
            world.run("kafka_sensor", big.clone()).await.failed_for_good("is larger than 256 KiB");
        }
        let deep = (0..95).fold(json!(1), |inner, _| json!([inner]));
        produce(json!([{ "value": { "deep": deep } }])).await;
        let given = json!({ "topics": topic, "group_id": format!("{topic}-2"), "from_beginning": true, "filter": "value.deep is defined" });
        world.run("kafka_sensor", given).await.failed_for_good("is nested more than 90 deep");
        let missing = json!({ "topics": format!("{topic}-ghost") });
        world.run("kafka_sensor", missing).await.failed("there is no topic");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_comes_between_two_waits_is_seen_by_the_second() {
        let world = World::new();
        let Some(topic) = broker("what_comes_between_two_waits_is_seen_by_the_second", &world) else { return };
        world.run("kafka_topic", for_ever(&topic, 2)).await;
        let given = json!({ "topics": topic, "group_id": topic });
        assert_eq!(world.run("kafka_sensor", given.clone()).await.word(), "waits");
        // To the second wait, it is older than its beginning.
        let message = json!([{ "value": "between", "timestamp": "2020-01-01T00:00:00Z" }]);
        let run = world.run("kafka_produce", json!({ "topic": topic, "messages": message })).await;
        assert_eq!(run.word(), "success", "{run:?}");
        let run = world.run("kafka_sensor", given.clone()).await;
        assert_eq!(run.result().map(|found| &found["value"]), Some(&json!("between")), "{run:?}");
        // A partition that came to the topic meanwhile is read whole.
        world.run("kafka_topic", for_ever(&topic, 3)).await;
        let message = json!([{ "value": "grown", "partition": 2, "timestamp": "2020-01-01T00:00:00Z" }]);
        let run = world.run("kafka_produce", json!({ "topic": topic, "messages": message })).await;
        assert_eq!(run.word(), "success", "{run:?}");
        let run = world.run("kafka_sensor", given).await;
        assert_eq!(run.result().map(|found| &found["value"]), Some(&json!("grown")), "{run:?}");
    }
}
