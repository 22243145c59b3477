//! Reads messages from topics.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use flow_clients::kafka::{Consumer, Message, Offsets, Polled, Reading};
use flow_core::template::Expression;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    context::{Stream, TaskContext},
    kafka::{ValueFormat, kafka_default, known_topics, names, notes, place, store_beginnings},
    operator::{Done, Operator, OperatorError},
    part_file::PartFile,
    values::{Expr, OneOrMany, Span},
};

/// Most messages that are taken at once.
const BATCH: usize = 1_000;

/// How long the group may take to give out its partitions: it waits for members that have gone without a word.
const JOIN_PATIENCE: Duration = Duration::from_secs(60);

/// Most bytes of messages in a result; an XCom takes little more.
const RESULT_MAX: usize = 200 * 1024;

/// `uses: kafka_consume`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaConsume {
    /// The connection to Kafka.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topics: one, or a list.
    topics: OneOrMany,
    /// The group under whose name offsets are stored. Its members share the partitions; the next task of the same group
    /// goes on where this one ended. Default: `group.id` of the connection.
    #[serde(default)]
    group_id: Option<String>,
    /// Where to begin when the group has stored nothing: with the first message that is there. Else only what is written
    /// after the task has started is read; the next task of the group goes on from there, even if no message came.
    /// Default: true.
    #[serde(default = "yes")]
    from_beginning: bool,
    /// The task ends when it has read so many messages. Default: with what was there when the first one came.
    #[serde(default)]
    #[schemars(range(min = 1))]
    max_messages: Option<u64>,
    /// The task ends when no message came for so long. A number counts seconds. Default: 5 s.
    #[serde(default = "max_wait")]
    max_wait: Span,
    /// An expression over `key`, `value`, `headers`, `timestamp` (ISO 8601), `topic`, `partition` and `offset`, such as
    /// `value.temperature > 30`. Messages for which it does not hold are passed over. Default: all are kept.
    #[serde(default)]
    filter: Option<Expr>,
    /// How values are read. `auto`: objects and lists of JSON as what they are, everything else as text. `json`: JSON;
    /// anything else fails the task. `text`: text. Bytes that are no text become `{"$base64": …}`. Default: `auto`.
    #[serde(default)]
    value_format: ValueFormat,
    /// The file that the messages go to. It is there, whole, when the task has ended; one that was there is replaced.
    /// Without it they are in the task's result, as `messages`, 200 KiB at most.
    #[serde(default)]
    output_file: Option<String>,
    /// What a line of the file is. `messages`: JSON with `topic`, `partition`, `offset`, `timestamp`, `key`, `value` and
    /// `headers`. `values`: the value as it was written. `key_value`: key, a tab, value. Default: `messages`.
    #[serde(default)]
    output_format: OutputFormat,
    /// When the group's offsets are stored. `after_write`: when the file is whole and the task's end is written down,
    /// so that no message is lost whatever dies when, though some may be read twice. `never`: the next task reads the
    /// same again.
    #[serde(default)]
    commit: Commit,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum OutputFormat {
    #[default]
    Messages,
    Values,
    KeyValue,
}

/// When offsets are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Commit {
    #[default]
    AfterWrite,
    Never,
}

fn yes() -> bool {
    true
}

fn max_wait() -> Span {
    Span::seconds(5.0)
}

impl Operator for KafkaConsume {
    const NAME: &'static str = "kafka_consume";
    const CLASS: &'static str = "airflow.providers.apache.kafka.operators.consume.ConsumeFromTopicOperator";
    const SUMMARY: &'static str = "Reads messages from Kafka topics, into a file.";
    const TEMPLATED: &'static [&'static str] = &["topics", "group_id", "output_file"];
    const EXAMPLE: &'static str = "\
id: collect
uses: kafka_consume
with:
  topics: readings
  group_id: reports
  filter: value.temperature > 30
  max_messages: 100000
  max_wait: 10s
  output_file: \"/data/hot-{{ ds }}.jsonl\"
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            done = self.work(cx) => done,
        }
    }
}

/// How far a task has come.
#[derive(Debug, Default)]
struct Progress {
    /// The next message of each partition that was read from.
    next: Offsets,
    /// Where partitions ended when the first message came.
    goal: Option<Offsets>,
    read: u64,
    kept: u64,
    partitions: BTreeMap<String, BTreeMap<i32, u64>>,
}

impl KafkaConsume {
    async fn work(&self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let mut output = match &self.output_file {
            Some(path) => Output::File(PartFile::begin(cx, path).await?),
            None => Output::Result { messages: Vec::new(), bytes: 0 },
        };
        let topics = self.topics.items.iter().map(|topic| topic.trim().to_owned()).collect::<Vec<_>>();
        if topics.is_empty() || topics.iter().any(String::is_empty) {
            return Err(OperatorError::fatal(anyhow!("`topics` names no topic")));
        }
        let connection = cx.connection(&self.kafka_config_id).await?;
        let reading =
            Reading { group: self.group_id.clone(), from_beginning: self.from_beginning, ..Reading::default() };
        let consumer = Consumer::open(&connection, &reading, notes(cx)).await?;
        let mut places = Vec::new();
        for topic in &topics {
            places.extend(consumer.partitions(topic).await?.into_iter().map(|partition| (topic.clone(), partition)));
        }
        let unstored = self.begin(&consumer, &places).await?;
        consumer.subscribe(&topics).await?;
        let progress = self.read(cx, &consumer, topics.len(), &mut output).await?;
        let messages = output.finish().await?;
        // It stays a member of its group until then, so that no other reads the same meanwhile.
        let next = self.reached(&consumer, &progress, &unstored).await?;
        // The log is at its end when the offsets are stored; what goes wrong then is the error's to tell.
        consumer.hush();
        cx.afterwards.add(async move {
            let stored = consumer.commit(&next).await;
            consumer.close().await;
            stored.map_err(|error| format!("{error}; the next task reads these messages again"))
        });
        cx.say(Stream::Info, &format!("read {}, kept {}", crate::kafka::messages(progress.read), progress.kept));
        let mut result = json!({
            "messages_read": progress.read,
            "messages_kept": progress.kept,
            "partitions": progress.partitions,
        });
        if let Some(messages) = messages {
            result["messages"] = messages.into();
        }
        Ok(Done::success(result))
    }

    /// Stores where the group begins, if that is the end of what is there. Returns what could not be stored yet.
    async fn begin(&self, consumer: &Consumer, places: &[(String, i32)]) -> Result<Offsets, OperatorError> {
        let mut begins = Offsets::new();
        if self.from_beginning || self.commit == Commit::Never {
            return Ok(begins);
        }
        let stored = consumer.committed(places).await?;
        let known = known_topics(&stored);
        for place in places.iter().filter(|place| !stored.contains_key(*place)) {
            let (low, end) = consumer.watermarks(&place.0, place.1).await?;
            begins.insert(place.clone(), if known.contains(&*place.0) { low } else { end });
        }
        if store_beginnings(consumer, &begins).await? {
            begins.clear();
        }
        Ok(begins)
    }

    /// Where the next task of the group goes on.
    async fn reached(
        &self,
        consumer: &Consumer,
        progress: &Progress,
        unstored: &Offsets,
    ) -> Result<Offsets, OperatorError> {
        if self.commit == Commit::Never {
            return Ok(Offsets::new());
        }
        let mut next = progress.next.clone();
        if unstored.is_empty() {
            return Ok(next);
        }
        let mine = consumer.assignment()?;
        let stored = consumer.committed(&mine).await?;
        for place in mine.into_iter().filter(|place| !stored.contains_key(place)) {
            if let Some(begins) = unstored.get(&place) {
                next.entry(place).or_insert(*begins);
            }
        }
        Ok(next)
    }

    async fn read(
        &self,
        cx: &TaskContext,
        consumer: &Consumer,
        topics: usize,
        output: &mut Output,
    ) -> Result<Progress, OperatorError> {
        let filter = self.filter.as_ref().map(Expr::compile).transpose();
        let filter = filter.map_err(|error| OperatorError::fatal(anyhow!("`filter`: {error}")))?;
        let most = self.max_messages.unwrap_or(u64::MAX);
        let patience = self.max_wait.duration();
        let mut progress = Progress::default();
        let mut quiet_since = Instant::now();
        let joining_since = Instant::now();
        while progress.read < most {
            let wanted = usize::try_from(most - progress.read).unwrap_or(BATCH).min(BATCH);
            let wait = patience.saturating_sub(quiet_since.elapsed()).min(Duration::from_secs(1));
            let polled = consumer.poll(wanted, wait.max(Duration::from_millis(50))).await?;
            if !consumer.has_joined() {
                quiet_since = Instant::now();
                if joining_since.elapsed() > JOIN_PATIENCE {
                    consumer.check().await?;
                    return Err(OperatorError::retry(anyhow!(
                        "the group has given out no partitions within {} s; is a member of it stuck?",
                        JOIN_PATIENCE.as_secs()
                    )));
                }
                continue;
            }
            if !polled.messages.is_empty() {
                quiet_since = Instant::now();
            }
            for message in &polled.messages {
                self.take(message, filter.as_ref(), &mut progress, output).await?;
            }
            if self.max_messages.is_none() && self.is_at_goal(consumer, topics, &polled, &mut progress).await? {
                break;
            }
            if quiet_since.elapsed() >= patience {
                // Silence may be that of a broker that is away.
                consumer.check().await?;
                if progress.read == 0 {
                    cx.say(Stream::Info, &format!("no message came within {} s", patience.as_secs_f64()));
                }
                break;
            }
        }
        Ok(progress)
    }

    async fn take(
        &self,
        message: &Message,
        filter: Option<&Expression<'_>>,
        progress: &mut Progress,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let at = (message.topic.to_string(), message.partition);
        // After the group has been shared out anew, the library begins where offsets are stored: that is old.
        if progress.next.get(&at).is_some_and(|next| message.offset < *next) {
            return Ok(());
        }
        let names = names(message, self.value_format)?;
        let is_kept = match filter {
            None => true,
            Some(filter) => filter
                .holds(&names)
                .map_err(|error| OperatorError::fatal(anyhow!("`filter` on {}: {error}", place(message))))?,
        };
        if is_kept {
            output.write(message, names, self.output_format).await?;
            progress.kept += 1;
        }
        progress.read += 1;
        *progress.partitions.entry(at.0.clone()).or_default().entry(at.1).or_default() += 1;
        progress.next.insert(at, message.offset + 1);
        Ok(())
    }

    /// Whether everything was read that was there when the first message came.
    async fn is_at_goal(
        &self,
        consumer: &Consumer,
        topics: usize,
        polled: &Polled,
        progress: &mut Progress,
    ) -> Result<bool, OperatorError> {
        if progress.read == 0 {
            return Ok(false);
        }
        let mut goal = match progress.goal.take() {
            Some(goal) => goal,
            None => {
                let mut goal = Offsets::new();
                let places = consumer.assignment()?;
                let stored = consumer.committed(&places).await?;
                for (topic, partition) in places {
                    let (low, end) = consumer.watermarks(&topic, partition).await?;
                    let at = (topic, partition);
                    let begins = stored.get(&at).copied().unwrap_or(if self.from_beginning { low } else { end });
                    if begins < end {
                        goal.insert(at, end);
                    }
                }
                goal
            }
        };
        goal.retain(|at, end| {
            let is_read = progress.next.get(at).is_some_and(|next| next >= end);
            // An end that is told has no topic with it.
            let is_told = topics == 1 && polled.ends.contains(&at.1);
            !is_read && !is_told
        });
        let is_reached = goal.is_empty();
        progress.goal = Some(goal);
        Ok(is_reached)
    }
}

/// Where messages go.
enum Output {
    File(PartFile),
    Result { messages: Vec<Value>, bytes: usize },
}

impl Output {
    async fn write(
        &mut self,
        message: &Message,
        names: Map<String, Value>,
        format: OutputFormat,
    ) -> Result<(), OperatorError> {
        match self {
            Self::Result { messages, bytes } => {
                let value = Value::Object(names);
                *bytes += value.to_string().len();
                if *bytes > RESULT_MAX {
                    return Err(OperatorError::fatal(anyhow!(
                        "the messages take more than {} KiB: give an `output_file`, or fewer `max_messages`",
                        RESULT_MAX >> 10
                    )));
                }
                messages.push(value);
                Ok(())
            }
            Self::File(file) => {
                let value = message.value.as_deref().unwrap_or_default();
                let mut line = match format {
                    OutputFormat::Messages => Value::Object(names).to_string().into_bytes(),
                    OutputFormat::Values => value.to_vec(),
                    OutputFormat::KeyValue => [message.key.as_deref().unwrap_or_default(), b"\t", value].concat(),
                };
                line.push(b'\n');
                file.write(&line).await
            }
        }
    }

    /// Makes the file whole, on the disk; else gives back the messages.
    async fn finish(self) -> Result<Option<Vec<Value>>, OperatorError> {
        match self {
            Self::File(file) => file.finish().await.map(|_| None),
            Self::Result { messages, .. } => Ok(Some(messages)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use flow_clients::kafka::{Consumer, Reading, no_notes};
    use flow_core::connection::Connection;
    use serde_json::{Value, json};

    use crate::{
        kafka::tests::broker,
        testing::{Run, World},
    };

    async fn produce(world: &World, topic: &str, messages: Value) {
        let run = world.run("kafka_produce", json!({ "topic": topic, "messages": messages })).await;
        assert_eq!(run.word(), "success", "{run:?}");
    }

    fn lines(world: &World, name: &str) -> Vec<String> {
        fs::read_to_string(world.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_task_of_a_group_reads_what_is_new() {
        let world = World::new();
        let Some(topic) = broker("each_task_of_a_group_reads_what_is_new", &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 2 })).await;
        produce(
            &world,
            &topic,
            json!([{ "key": "a", "value": { "n": 1 }, "partition": 0 }, { "value": { "n": 2 }, "partition": 1 }]),
        )
        .await;
        let consume = |more: Value| {
            let mut given =
                json!({ "topics": topic, "group_id": topic, "max_wait": 2, "output_file": world.path("out.jsonl") });
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.run("kafka_consume", given)
        };
        let run = consume(json!({ "commit": "never" })).await;
        let counts = |read: u64, kept: u64, partitions: Value| json!({ "messages_read": read, "messages_kept": kept, "partitions": partitions });
        assert_eq!(run.result(), Some(&counts(2, 2, json!({ topic.clone(): { "0": 1, "1": 1 } }))), "{run:?}");
        // Nothing was stored: the same again. The filter lets one through.
        let run = consume(json!({ "filter": "value.n > 1 and partition == 1 and key is none" })).await;
        assert_eq!(run.result(), Some(&counts(2, 1, json!({ topic.clone(): { "0": 1, "1": 1 } }))), "{run:?}");
        let found: Value = serde_json::from_str(&lines(&world, "out.jsonl")[0]).unwrap();
        assert_eq!(
            (&found["value"], &found["topic"], &found["offset"]),
            (&json!({ "n": 2 }), &json!(topic), &json!(0))
        );
        // Now they are stored.
        let run = consume(json!({})).await;
        assert_eq!(run.result(), Some(&counts(0, 0, json!({}))), "{run:?}");
        assert_eq!(lines(&world, "out.jsonl"), Vec::<String>::new());
        produce(
            &world,
            &topic,
            json!([{ "key": "k", "value": "x" }, { "key": "k", "value": "y" }, { "key": "k", "value": "z" }]),
        )
        .await;
        let run = consume(json!({ "max_messages": 2, "output_format": "key_value" })).await;
        assert_eq!(run.result().unwrap()["messages_read"], 2, "{run:?}");
        assert_eq!(lines(&world, "out.jsonl"), ["k\tx", "k\ty"]);
        let run = consume(json!({ "output_format": "values" })).await;
        assert_eq!((run.word(), lines(&world, "out.jsonl")), ("success", vec!["z".to_owned()]));
        // No file: they are in the result. Another group begins with the first.
        let run = world.run("kafka_consume", json!({ "topics": [topic], "group_id": format!("{topic}-2") })).await;
        assert_eq!(run.result().unwrap()["messages"].as_array().unwrap().len(), 5, "{run:?}");
        let late = json!({ "topics": topic, "group_id": format!("{topic}-3"), "from_beginning": false, "max_wait": 1 });
        let run = world.run("kafka_consume", late).await;
        assert_eq!(run.result().unwrap()["messages"], json!([]), "{run:?}");
        assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1, "parts are left");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_group_that_begins_at_the_end_loses_nothing_between_two_tasks() {
        let world = World::new();
        let test = "a_group_that_begins_at_the_end_loses_nothing_between_two_tasks";
        let Some(topic) = broker(test, &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 3 })).await;
        produce(&world, &topic, json!(["old", "older", "oldest"])).await;
        let consume = |group: &str, more: Value| {
            let mut given = json!({ "topics": topic, "group_id": format!("{topic}-{group}"), "from_beginning": false });
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.run("kafka_consume", given)
        };
        let read = |run: &Run| run.result().unwrap_or_else(|| panic!("{run:?}"))["messages_read"].clone();
        let soon = || json!({ "max_wait": 1 });
        assert_eq!(read(&consume("a", soon()).await), 0);
        assert_eq!(read(&consume("never", json!({ "max_wait": 1, "commit": "never" })).await), 0);
        // One that fails has begun, too.
        let output = json!({ "max_wait": 1, "output_file": world.path("out") });
        let given = json!({ "topics": topic, "group_id": format!("{topic}-b"), "from_beginning": false });
        let given: Value =
            given.as_object().unwrap().clone().into_iter().chain(output.as_object().unwrap().clone()).collect();
        let (run, afterwards) = world.run_unwritten("kafka_consume", given).await;
        assert_eq!(read(&run), 0);
        drop(afterwards);
        // Somebody else is in this group, who reads another topic: nothing can be stored from outside.
        let other = format!("{topic}-other");
        world.run("kafka_topic", json!({ "topic": other })).await;
        let member = Member::join(&format!("{topic}-c"), &other).await;
        assert_eq!(read(&consume("c", soon()).await), 0);
        drop(member);
        produce(&world, &topic, json!([1, 2, 3])).await;
        for group in ["a", "b", "c"] {
            // As long as it takes: it ends with the third.
            let run = consume(group, json!({ "max_messages": 3, "max_wait": "120s" })).await;
            assert_eq!(read(&run), 3, "group {group}");
        }
        assert_eq!(read(&consume("never", soon()).await), 0);
        // A partition that came to the topic between two tasks is read whole.
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 4 })).await;
        produce(&world, &topic, json!([{ "value": "grown", "partition": 3 }])).await;
        assert_eq!(read(&consume("a", json!({ "max_messages": 1, "max_wait": "120s" })).await), 1);
    }

    /// A member of a group beside the tasks, as long as it lives.
    struct Member(tokio::task::JoinHandle<()>);

    impl Member {
        async fn join(group: &str, topic: &str) -> Self {
            let address = std::env::var("FLOW_TEST_KAFKA").unwrap();
            let at = Connection::parse("k", &format!("kafka://{address}")).unwrap();
            let reading = Reading { group: Some(group.to_owned()), ..Reading::default() };
            let consumer = Consumer::open(&at, &reading, no_notes()).await.unwrap();
            consumer.subscribe(&[topic.to_owned()]).await.unwrap();
            let joined = tokio::time::timeout(Duration::from_secs(120), async {
                while !consumer.has_joined() {
                    consumer.poll(1, Duration::from_millis(100)).await.unwrap();
                }
            });
            joined.await.unwrap();
            // It must go on asking, or the group waits for it.
            Self(tokio::spawn(async move {
                loop {
                    let _ = consumer.poll(1, Duration::from_millis(100)).await;
                }
            }))
        }
    }

    impl Drop for Member {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_read_in_vain_is_read_again() {
        let world = World::new();
        let Some(topic) = broker("what_was_read_in_vain_is_read_again", &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic })).await;
        produce(&world, &topic, json!([{ "value": 1 }, { "value": 2 }])).await;
        let given = json!({ "topics": topic, "group_id": topic, "max_wait": 2 });
        let read = |run: &Run| run.result().unwrap()["messages_read"].clone();
        // Its worker dies when all is read, before that is written down.
        let (run, afterwards) = world.run_unwritten("kafka_consume", given.clone()).await;
        assert_eq!(read(&run), 2, "{run:?}");
        drop(afterwards);
        assert_eq!(read(&world.run("kafka_consume", given.clone()).await), 2);
        assert_eq!(read(&world.run("kafka_consume", given).await), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_goes_wrong_is_named_and_leaves_file_and_offsets_as_they_were() {
        let world = World::new();
        let test = "what_goes_wrong_is_named_and_leaves_file_and_offsets_as_they_were";
        let Some(topic) = broker(test, &world) else { return };
        let out = world.path("out.jsonl");
        fs::write(&out, "old").unwrap();
        let with = |more: Value| {
            let mut given = json!({ "topics": topic, "group_id": topic, "output_file": out, "max_wait": "3s" });
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            given
        };
        world.run("kafka_consume", with(json!({}))).await.failed("there is no topic");
        world.run("kafka_topic", json!({ "topic": topic })).await;
        produce(
            &world,
            &topic,
            json!([{ "value": { "n": 1 } }, { "value": "binary" }, { "value": { "$base64": "/wA=" } }]),
        )
        .await;
        for (more, expected) in [
            (json!({ "group_id": null }), "no group is given"),
            (json!({ "topics": [] }), "names no topic"),
            (json!({ "output_file": "here.jsonl" }), "must be a whole path"),
            (json!({ "filter": "value.m > 1" }), "`filter` on message 0 of partition 0"),
            (json!({ "value_format": "json" }), "the value of message 1 of partition 0"),
        ] {
            world.run("kafka_consume", with(more)).await.failed_for_good(expected);
        }
        assert_eq!(fs::read_to_string(&out).unwrap(), "old");
        assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1, "parts are left");
        let run = world.run("kafka_consume", with(json!({}))).await;
        assert_eq!(run.result().unwrap()["messages_read"], 3, "{run:?}");
        assert!(lines(&world, "out.jsonl")[2].contains("{\"$base64\":\"/wA=\"}"));
        let large: Vec<Value> = (0..3).map(|_| json!("x".repeat(100_000))).collect();
        produce(&world, &topic, large.into()).await;
        let result = json!({ "topics": topic, "group_id": topic });
        world.run("kafka_consume", result).await.failed_for_good("give an `output_file`");
        let unreachable = json!({ "conn_type": "kafka", "host": "127.0.0.1", "port": 1 });
        world.services.lock().unwrap().connections.insert("off".to_owned(), unreachable);
        world.run("kafka_consume", with(json!({ "kafka_config_id": "off" }))).await.failed("Connection refused");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_endless_stream_ends_where_it_was_and_a_cancelled_task_at_once() {
        let world = World::new();
        let test = "an_endless_stream_ends_where_it_was_and_a_cancelled_task_at_once";
        let Some(topic) = broker(test, &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic })).await;
        produce(&world, &topic, json!(["first"])).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let writer = async {
            while !stop.is_cancelled() {
                produce(&world, &topic, json!(["more", "and more"])).await;
            }
        };
        let reader = async {
            let given = json!({ "topics": topic, "group_id": topic, "output_file": world.path("out") });
            let run = world.run("kafka_consume", given).await;
            stop.cancel();
            run
        };
        let (run, ()) = tokio::join!(reader, writer);
        assert_eq!(run.word(), "success", "{run:?}");
        let cancel = world.cx.cancel.clone();
        let given = json!({ "topics": topic, "group_id": topic, "max_messages": 1_000_000, "max_wait": "1h", "output_file": world.path("never") });
        let began = std::time::Instant::now();
        let has_begun = tokio::time::timeout(Duration::from_secs(120), async {
            // The half-written file says that it has begun.
            while fs::read_dir(world.folder.path()).unwrap().count() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            cancel.cancel();
        });
        let (run, has_begun) = tokio::join!(world.run("kafka_consume", given), has_begun);
        has_begun.unwrap();
        assert_eq!(run.word(), "cancelled");
        assert!(began.elapsed() < Duration::from_secs(180));
        assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1, "parts are left");
    }
}
