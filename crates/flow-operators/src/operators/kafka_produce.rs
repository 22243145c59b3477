//! Writes messages to a topic.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use flow_clients::kafka::{self, Acks, Producer, Record, Sending, Writing, Written};
use flow_core::{catalog::ArgError, dag::Arg};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    context::{Stream, TaskContext},
    kafka::{LINE_MAX, LineFormat, bytes_of, kafka_default, notes, record_of, record_of_line},
    operator::{Done, Operator, OperatorError},
    values::{Expr, Scalar},
};

/// Longest time to put a transaction back when the task is cancelled.
const ABORT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// `uses: kafka_produce`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaProduce {
    /// The connection to Kafka.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topic to write to.
    topic: String,
    /// The messages: a list of maps with `key`, `value`, `headers` (a map), `partition` and `timestamp`, all of them
    /// optional; or of values alone. Texts are written as they are, null as no value (a tombstone), the rest as JSON.
    #[serde(default)]
    messages: Option<Vec<Value>>,
    /// A file with a message in each line, instead of `messages`; a relative path is beside the DAG file. It is read as
    /// it is sent: it may be of any size.
    #[serde(default)]
    file: Option<String>,
    /// What a line of `file` is. `messages`: a JSON object as in `messages`; `values`: a value; `key_value`: a key,
    /// `key_separator` and a value. Default: `key_value` where `key_separator` is given; else `messages` for a file
    /// whose name ends in `.jsonl` or `.ndjson`, unless `key_by` is given; else `values`. Empty lines are passed over.
    #[serde(default)]
    file_format: Option<LineFormat>,
    /// What stands between key and value in a line; the first one counts. Default: a tab.
    #[serde(default)]
    key_separator: Option<String>,
    /// An expression over `value` (JSON where it is JSON, else text) that gives the key of each message that has none,
    /// such as `value.station`.
    #[serde(default)]
    key_by: Option<Expr>,
    /// Headers that every message gets, beside its own.
    #[serde(default)]
    headers: BTreeMap<String, Scalar>,
    /// Which brokers must have a message before it counts as written: `all` that keep a copy, `1` (its leader), or `0`
    /// (nobody is asked). Default: `all`.
    #[serde(default)]
    acks: AcksGiven,
    /// Write each message once and in order, also when it has to be sent again. Needs `acks: all`. Default: true with
    /// `acks: all`, else false.
    #[serde(default)]
    idempotent: Option<bool>,
    /// Write all messages in one transaction: readers of committed messages see all of them or none. It must end within
    /// `transaction.timeout.ms` of the connection (one minute).
    #[serde(default)]
    transactional: bool,
    /// How batches are compressed. Default: as the connection says (`compression.type`), else `none`.
    #[serde(default)]
    compression: Option<Compression>,
}

/// Compression that every broker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// `0`, `1` or `all`, as a number or a text.
#[derive(Clone, Copy, Debug, Default)]
struct AcksGiven(Acks);

impl<'de> Deserialize<'de> for AcksGiven {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Scalar::deserialize(deserializer)?;
        match given.0.as_str() {
            "0" => Ok(Self(Acks::None)),
            "1" => Ok(Self(Acks::Leader)),
            "all" | "-1" => Ok(Self(Acks::All)),
            other => Err(serde::de::Error::custom(format!("must be 0, 1 or all, not `{other}`"))),
        }
    }
}

impl JsonSchema for AcksGiven {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Acks".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": ["all", 0, 1, "0", "1", -1] })
    }
}

impl serde::Serialize for AcksGiven {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self.0 {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        })
    }
}

impl Operator for KafkaProduce {
    const NAME: &'static str = "kafka_produce";
    const CLASS: &'static str = "airflow.providers.apache.kafka.operators.produce.ProduceToTopicOperator";
    const SUMMARY: &'static str =
        "Writes messages to a Kafka topic, from a list or a file. Messages with the same key go to the same partition.";
    const TEMPLATED: &'static [&'static str] = &["topic", "messages", "file", "headers"];
    const READS: &'static [&'static str] = &["file"];
    const EXAMPLE: &'static str = "\
id: send
uses: kafka_produce
with:
  topic: readings
  messages:
    - { key: berlin, value: { temperature: 21.5, day: \"{{ ds }}\" }, headers: { source: station } }
    - { key: oslo, value: { temperature: -3 } }
  acks: all
  compression: lz4
";

    fn complain(given: &[(String, Arg)]) -> Option<ArgError> {
        let arg = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, arg)| arg);
        // A template may come to nothing: that is known when the task runs.
        let is_sure = |name: &str| matches!(arg(name), Some(Arg::Value(_)));
        let wrong = |route: Vec<String>, message: &str| {
            Some(ArgError { about_key: !route.is_empty(), route, message: message.to_owned(), help: None })
        };
        if is_sure("messages") && is_sure("file") {
            return wrong(vec!["file".to_owned()], "`messages` and `file` exclude each other");
        }
        if arg("messages").or(arg("file")).is_none() {
            return wrong(vec![], "`messages` or `file` must be given");
        }
        None
    }

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        // A template or reference may have come to nothing.
        match (&self.messages, &self.file) {
            (Some(_), Some(_)) => {
                return Err(OperatorError::fatal(anyhow!("`messages` and `file` exclude each other")));
            }
            (None, None) => return Err(OperatorError::fatal(anyhow!("`messages` or `file` must be given"))),
            (Some(_), None) | (None, Some(_)) => {}
        }
        let writing = self.writing(cx)?;
        let cancel = cx.cancel.clone();
        let setup = async {
            let connection = cx.connection(&self.kafka_config_id).await?;
            if writing.transactional_id.is_some() {
                return Ok(std::sync::Arc::new(Producer::open(&connection, &writing).await?));
            }
            Ok::<_, OperatorError>(kafka::kept_producer(&cx.clients, &connection, &writing).await?)
        };
        let producer = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(OperatorError::cancelled()),
            producer = setup => producer?,
        };
        let done = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            done = self.work(cx, &producer) => done,
        };
        if done.is_err() && self.transactional {
            // Else the broker does it, and until then nobody reads past it.
            let _ = tokio::time::timeout(ABORT_PATIENCE, producer.abort()).await;
        }
        let written = done?;
        cx.say(Stream::Info, &format!("wrote {} to `{}`", crate::kafka::messages(written.messages), self.topic));
        let partitions: Map<_, _> =
            written.partitions.iter().map(|(id, count)| (id.to_string(), Value::from(*count))).collect();
        Ok(Done::success(json!({ "messages": written.messages, "partitions": partitions })))
    }
}

impl KafkaProduce {
    fn writing(&self, cx: &TaskContext) -> Result<Writing, OperatorError> {
        let is_idempotent = self.idempotent.unwrap_or(self.acks.0 == Acks::All);
        if (is_idempotent || self.transactional) && self.acks.0 != Acks::All {
            return Err(OperatorError::fatal(anyhow!("`idempotent` and `transactional` need `acks: all`")));
        }
        let compression = self.compression.map(|compression| match compression {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        });
        // The same for every try: an earlier one that is still alive is fenced off.
        let id = &cx.identity;
        let name = format!("flow-{}-{}-{}-{}", id.dag_id, id.run_id, id.task_id, id.map_index);
        Ok(Writing {
            acks: self.acks.0,
            is_idempotent,
            transactional_id: self.transactional.then_some(name),
            compression: compression.map(str::to_owned),
        })
    }

    async fn work(&self, cx: &TaskContext, producer: &Producer) -> Result<Written, OperatorError> {
        // Before the first question: a broker that is away is noted at once.
        let sending = producer.sending(notes(cx))?;
        producer.check(&self.topic).await?;
        if self.transactional {
            producer.begin().await?;
        }
        match (&self.messages, &self.file) {
            (Some(messages), _) => {
                for (at, given) in messages.iter().enumerate() {
                    let wrong =
                        |words: String| OperatorError::fatal(anyhow!("message {} of `messages`: {words}", at + 1));
                    let record = self.complete(record_of(&self.topic, given).map_err(wrong)?).map_err(wrong)?;
                    sending.send(&record).await?;
                }
            }
            (_, Some(file)) => self.send_file(&cx.path_to_read(file)?, &sending).await?,
            (None, None) => {}
        }
        let written = sending.flush().await?;
        if self.transactional {
            producer.commit().await?;
        }
        Ok(written)
    }

    /// Gives a message what all get.
    fn complete(&self, mut record: Record) -> Result<Record, String> {
        if let (Some(key_by), None) = (&self.key_by, &record.key) {
            let value = record.value.as_deref().unwrap_or_default();
            let value = serde_json::from_slice(value).unwrap_or_else(|_| String::from_utf8_lossy(value).into());
            let names = Map::from_iter([("value".to_owned(), value)]);
            let expression = key_by.compile().map_err(|error| format!("`key_by`: {error}"))?;
            let key = expression.evaluate(&names).map_err(|error| format!("`key_by`: {error}"))?;
            record.key = bytes_of(&key)?;
        }
        for (name, value) in &self.headers {
            if !record.headers.iter().any(|(own, _)| own == name) {
                record.headers.push((name.clone(), Some(value.0.clone().into_bytes())));
            }
        }
        Ok(record)
    }

    fn format(&self, file: &Path) -> LineFormat {
        let is_jsonl = file.extension().is_some_and(|end| end == "jsonl" || end == "ndjson");
        match self.file_format {
            Some(format) => format,
            None if self.key_separator.is_some() => LineFormat::KeyValue,
            None if is_jsonl && self.key_by.is_none() => LineFormat::Messages,
            None => LineFormat::Values,
        }
    }

    async fn send_file(&self, path: &PathBuf, sending: &Sending) -> Result<(), OperatorError> {
        let failed = |error: std::io::Error| {
            OperatorError::retry(anyhow!(error).context(format!("could not read `{}`", path.display())))
        };
        let format = self.format(path);
        let separator = self.key_separator.as_deref().unwrap_or("\t");
        let mut lines = BufReader::new(tokio::fs::File::open(path).await.map_err(failed)?);
        let mut line = Vec::new();
        let mut number: u64 = 0;
        loop {
            number += 1;
            line.clear();
            let wrong = |words: String| OperatorError::fatal(anyhow!("line {number} of `{}`: {words}", path.display()));
            if !read_line(&mut lines, &mut line).await.map_err(failed)? {
                return Ok(());
            }
            if line.len() > LINE_MAX {
                return Err(wrong(format!("is longer than {} MiB", LINE_MAX >> 20)));
            }
            if line.is_empty() {
                continue;
            }
            let record = record_of_line(&self.topic, &line, format, separator)
                .and_then(|record| self.complete(record))
                .map_err(wrong)?;
            sending.send(&record).await?;
        }
    }
}

/// Reads a line without its end, or what is too long for one; `false` at the end.
async fn read_line(from: &mut (impl AsyncBufReadExt + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    loop {
        let buffer = from.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        from.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
        if line.len() > LINE_MAX {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use serde_json::json;

    use crate::{
        kafka::tests::{broker, messages_of},
        testing::World,
    };

    #[tokio::test]
    async fn arguments_that_do_not_fit_are_refused() {
        let world = World::new();
        for (given, expected) in [
            (json!({ "topic": "t" }), "`messages` or `file` must be given"),
            (json!({ "topic": "t", "messages": [], "file": "x" }), "exclude each other"),
            (json!({ "topic": "t", "messages": [], "acks": 2 }), "must be 0, 1 or all"),
            (json!({ "topic": "t", "messages": [], "acks": 1, "idempotent": true }), "need `acks: all`"),
            (json!({ "topic": "t", "messages": [], "acks": "0", "transactional": true }), "need `acks: all`"),
            (json!({ "topic": "t", "messages": [], "key_by": "value." }), "is no expression"),
        ] {
            world.run("kafka_produce", given).await.failed_for_good(expected);
        }
        world
            .run("kafka_produce", json!({ "topic": "t", "messages": [] }))
            .await
            .failed("no connection `kafka_default`");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn lists_and_files_are_written_in_each_form() {
        let world = World::new();
        let Some(topic) = broker("lists_and_files_are_written_in_each_form", &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic, "partitions": 3 })).await;
        let write = |name: &str, text: &str| {
            fs::write(world.path(name), text).unwrap();
            world.path(name)
        };
        let lines = "{\"key\": \"a\", \"value\": {\"n\": 2}, \"headers\": {\"h\": \"own\"}}\n\n{\"value\": null}\n";
        let cases = [
            (json!({ "messages": [{ "key": "k", "value": "v", "partition": 2 }, "alone", null] }), 3),
            (json!({ "file": write("m.jsonl", lines), "headers": { "h": "all", "n": 1 } }), 2),
            (json!({ "file": write("v.txt", "x:1\r\ny:2\n\nz"), "acks": 0, "compression": "gzip" }), 3),
            (json!({ "file": write("kv.txt", "x:1:2\ny:\n"), "key_separator": ":", "transactional": true }), 2),
            (json!({ "file": write("k.jsonl", "{\"station\": \"oslo\", \"t\": 1}\n"), "key_by": "value.station" }), 1),
        ];
        for (mut given, count) in cases {
            given["topic"] = topic.clone().into();
            let run = world.run("kafka_produce", given.clone()).await;
            assert_eq!(run.word(), "success", "{given}: {run:?}");
            let partitions = run.result().unwrap()["partitions"].as_object().unwrap();
            let sum: u64 = partitions.values().map(|count| count.as_u64().unwrap()).sum();
            assert_eq!((run.result().unwrap()["messages"].as_u64(), sum), (Some(count), count));
        }
        let mut found: Vec<String> = messages_of(&topic)
            .await
            .iter()
            .map(|found| format!("{} {} {}", found["key"], found["value"], found["headers"]))
            .collect();
        found.sort();
        let mut expected = [
            r#""k" "v" {}"#,
            r#"null "alone" {}"#,
            "null null {}",
            r#""a" {"n":2} {"h":"own","n":"1"}"#,
            r#"null null {"h":"all","n":"1"}"#,
            r#"null "x:1" {}"#,
            r#"null "y:2" {}"#,
            r#"null "z" {}"#,
            r#""x" "1:2" {}"#,
            r#""y" "" {}"#,
            r#""oslo" {"station":"oslo","t":1} {}"#,
        ];
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_relative_file_is_beside_the_dag_file() {
        let mut world = World::new();
        let Some(topic) = broker("a_relative_file_is_beside_the_dag_file", &world) else { return };
        world.run("kafka_topic", json!({ "topic": topic })).await;
        fs::create_dir(world.path("data")).unwrap();
        fs::write(world.path("data/readings.txt"), "1\n2\n").unwrap();
        let given = json!({ "topic": topic, "file": "data/readings.txt" });
        let elsewhere = world.run("kafka_produce", given.clone()).await;
        elsewhere.failed_for_good("this worker does not have the DAG folder: write the whole path");
        world.cx.file_folder = Some(world.folder.path().to_owned());
        let run = world.run("kafka_produce", given).await;
        assert_eq!(run.result().map(|result| &result["messages"]), Some(&json!(2)), "{run:?}");
        let found = messages_of(&topic).await;
        assert_eq!(found.iter().map(|found| &found["value"]).collect::<Vec<_>>(), ["1", "2"]);
        let missing = json!({ "topic": topic, "file": "data/none.txt" });
        world.run("kafka_produce", missing).await.failed("could not read");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_written_is_named_and_a_transaction_leaves_nothing() {
        let world = World::new();
        let Some(topic) = broker("what_cannot_be_written_is_named_and_a_transaction_leaves_nothing", &world) else {
            return;
        };
        let ghost = json!({ "topic": topic, "messages": ["x"] });
        world.run("kafka_produce", ghost).await.failed(&format!("there is no topic `{topic}`: make it"));
        world.run("kafka_topic", json!({ "topic": topic })).await;
        fs::write(world.path("odd.jsonl"), "{\"value\": 1}\nodd\n").unwrap();
        for (given, expected) in [
            (json!({ "messages": ["x", { "odd": 1 }] }), "message 2 of `messages`: a message has no `odd`"),
            (json!({ "file": world.path("odd.jsonl") }), "line 2 of `"),
            (json!({ "file": world.path("odd.jsonl"), "key_separator": "|" }), "line 1 of `"),
            (json!({ "file": world.path("odd.jsonl"), "key_by": "value.a.b", "file_format": "values" }), "`key_by`"),
            (json!({ "messages": ["x", "x".repeat(2 << 20)] }), "raise `message.max.bytes`"),
        ] {
            let mut given = given;
            given["topic"] = topic.clone().into();
            given["transactional"] = true.into();
            world.run("kafka_produce", given).await.failed_for_good(expected);
        }
        let missing = json!({ "topic": topic, "file": world.path("missing") });
        world.run("kafka_produce", missing).await.failed("could not read");
        assert_eq!(messages_of(&topic).await.len(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_task_that_waits_for_a_silent_server_ends_at_once_when_cancelled() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent =
            json!({ "conn_type": "kafka", "host": "127.0.0.1", "port": listener.local_addr().unwrap().port() });
        for is_transactional in [true, false] {
            let world = World::new();
            world.services.lock().unwrap().connections.insert("kafka_default".to_owned(), silent.clone());
            let given = json!({ "topic": "t", "messages": ["x"], "transactional": is_transactional });
            let cancel = world.cx.cancel.clone();
            // Until it has connected, there is nothing to wait for.
            let once_connected = async {
                let connected = tokio::time::timeout(Duration::from_secs(60), listener.accept()).await;
                cancel.cancel();
                (connected.unwrap().unwrap(), std::time::Instant::now())
            };
            let (run, (_connection, cancelled)) = tokio::join!(world.run("kafka_produce", given), once_connected);
            assert_eq!(run.word(), "cancelled");
            // A client that nobody stops goes on for 15 seconds.
            assert!(cancelled.elapsed() < Duration::from_secs(10));
        }
    }
}
