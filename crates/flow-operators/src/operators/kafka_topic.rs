//! Makes or deletes a topic.

use std::collections::BTreeMap;

use flow_clients::kafka::{self, Admin, Created, NewTopic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    context::{Stream, TaskContext},
    kafka::{kafka_default, notes},
    operator::{Done, Operator, OperatorError},
    values::Scalar,
};

/// `uses: kafka_topic`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaTopic {
    /// The connection to Kafka.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topic's name.
    topic: String,
    /// Whether the topic is to be there or not. One that is there already is left as it is, but for partitions that it
    /// lacks.
    #[serde(default)]
    state: State,
    /// Number of partitions. Default: the broker's for a new topic. An old one can only get more of them, and then the
    /// same key may go elsewhere.
    #[serde(default)]
    #[schemars(range(min = 1))]
    partitions: Option<u32>,
    /// On how many brokers each message is kept. Default: the broker's.
    #[serde(default)]
    #[schemars(range(min = 1))]
    replication_factor: Option<u16>,
    /// Settings of a new topic by Kafka's names, such as `retention.ms`.
    #[serde(default)]
    config: BTreeMap<String, Scalar>,
}

/// What a topic is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum State {
    #[default]
    Present,
    Absent,
}

impl Operator for KafkaTopic {
    const NAME: &'static str = "kafka_topic";
    const SUMMARY: &'static str = "Makes a Kafka topic if it is not there, or deletes it.";
    const TEMPLATED: &'static [&'static str] = &["topic", "config"];
    const EXAMPLE: &'static str = "\
id: readings
uses: kafka_topic
with:
  topic: readings
  partitions: 6
  replication_factor: 3
  config: { retention.ms: 604800000, cleanup.policy: delete }
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

impl KafkaTopic {
    async fn work(self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let connection = cx.connection(&self.kafka_config_id).await?;
        let admin = kafka::kept_admin(&cx.clients, &connection).await?;
        let _telling = admin.telling(notes(cx));
        match self.state {
            State::Present => self.make(cx, &admin).await,
            State::Absent => {
                let was_there = admin.delete(&self.topic).await?;
                let words = if was_there { "deleted" } else { "there is no" };
                cx.say(Stream::Info, &format!("{words} topic `{}`", self.topic));
                Ok(Done::success(json!({ "topic": self.topic, "deleted": was_there })))
            }
        }
    }

    async fn make(self, cx: &TaskContext, admin: &Admin) -> Result<Done, OperatorError> {
        let wanted = NewTopic {
            name: self.topic.clone(),
            partitions: self.partitions.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            replication_factor: self.replication_factor.map(i32::from),
            config: self.config.into_iter().map(|(name, value)| (name, value.0)).collect(),
        };
        let created = admin.create(&wanted).await?;
        let mut found = admin.topic(&self.topic).await?;
        let count = found.partitions.len();
        match created {
            Created::Made => cx.say(Stream::Info, &format!("made topic `{}` with {count} partitions", self.topic)),
            Created::WasThere => {
                cx.say(Stream::Info, &format!("topic `{}` is there, with {count} partitions", self.topic));
                let wanted_count = self.partitions.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX));
                if wanted_count > count {
                    admin.add_partitions(&self.topic, wanted_count).await?;
                    cx.say(Stream::Info, &format!("it has {wanted_count} partitions from here on"));
                    found = admin.topic(&self.topic).await?;
                } else if wanted_count > 0 && wanted_count < count {
                    cx.say(Stream::Warning, "Kafka cannot take partitions away: it keeps those it has");
                }
                let own = admin.settings(&self.topic).await?;
                for (name, value) in &wanted.config {
                    let is =
                        own.iter().find(|setting| &setting.name == name).and_then(|setting| setting.value.as_ref());
                    if is != Some(value) {
                        let is = is.map_or("not set", String::as_str);
                        cx.say(Stream::Warning, &format!("its `{name}` is {is}, not {value}; it is left as it is"));
                    }
                }
            }
        }
        let replicas = found.partitions.iter().map(|partition| partition.replicas.len()).max();
        Ok(Done::success(json!({
            "topic": self.topic,
            "created": created == Created::Made,
            "partitions": found.partitions.len(),
            "replication_factor": replicas,
        })))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{kafka::tests::broker, testing::World};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_topic_is_made_once_grown_and_deleted() {
        let world = World::new();
        let Some(topic) = broker("a_topic_is_made_once_grown_and_deleted", &world) else { return };
        let with = |partitions: u32, retention: u32| json!({ "topic": topic, "partitions": partitions, "config": { "retention.ms": retention } });
        let result = |created: bool, partitions: u32| json!({ "topic": topic, "created": created, "partitions": partitions, "replication_factor": 1 });
        let run = world.run("kafka_topic", with(2, 1000)).await;
        assert_eq!(run.result(), Some(&result(true, 2)), "{run:?}");
        let run = world.run("kafka_topic", with(2, 2000)).await;
        assert_eq!(run.result(), Some(&result(false, 2)));
        assert!(world.text().contains("its `retention.ms` is 1000, not 2000; it is left as it is"), "{}", world.text());
        world.run("kafka_topic", with(3, 1000)).await;
        world.run("kafka_topic", with(1, 1000)).await;
        assert!(world.text().contains("it has 3 partitions from here on"), "{}", world.text());
        assert!(world.text().contains("cannot take partitions away"), "{}", world.text());
        let absent = json!({ "topic": topic, "state": "absent" });
        for was_there in [true, false] {
            let run = world.run("kafka_topic", absent.clone()).await;
            assert_eq!(run.result(), Some(&json!({ "topic": topic, "deleted": was_there })));
        }
        world.run("kafka_topic", json!({ "topic": "no good" })).await.failed_for_good("a name has letters");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broker_that_is_away_is_told_of_before_the_task_gives_up() {
        let world = World::new();
        let away = json!({ "conn_type": "kafka", "host": "127.0.0.1", "port": 1 });
        world.services.lock().unwrap().connections.insert("kafka_default".to_owned(), away);
        let cancel = world.cx.cancel.clone();
        let told = tokio::time::timeout(std::time::Duration::from_secs(120), async {
            while !world.text().contains("Connection refused") {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            cancel.cancel();
        });
        let (run, told) = tokio::join!(world.run("kafka_topic", json!({ "topic": "t" })), told);
        told.unwrap();
        // On a slow machine it may have given up before it was cancelled.
        assert!(["cancelled", "failed"].contains(&run.word()), "{run:?}");
    }
}
