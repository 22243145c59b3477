//! Topics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use flow_core::connection::Connection;
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigSource, NewPartitions, NewTopic as Wanted, ResourceSpecifier, TopicReplication,
    },
    consumer::Consumer as _,
    error::KafkaError,
    metadata::MetadataTopic,
    types::RDKafkaErrorCode as Code,
};

use super::{
    SLICE, Stop, Trust, bad_settings, blocking, close_elsewhere, config,
    consumer::{Patience, Reader},
    errors, until,
    watcher::Watcher,
};
use crate::{
    ClientError, Result,
    kafka::{Created, NewTopic, Notes, PATIENCE, Partition, Settings, Topic, TopicSetting, unknown_topic},
};

/// Most settings of a topic that are asked about one by one.
const SETTINGS_MAX: usize = 64;

/// Makes, lists and deletes topics. Dropped, it is closed elsewhere.
pub struct Admin {
    parts: Option<Arc<Parts>>,
    trust: Trust,
}

struct Parts {
    /// It asks; the library's admin client says nothing of why it cannot connect.
    reader: Reader,
    admin: AdminClient<Watcher>,
}

/// A topic as the library shows it.
pub(super) fn topic_of(found: &MetadataTopic) -> Topic {
    let partition = |found: &rdkafka::metadata::MetadataPartition| Partition {
        id: found.id(),
        leader: found.leader(),
        replicas: found.replicas().to_vec(),
        in_sync: found.isr().to_vec(),
    };
    let mut partitions: Vec<Partition> = found.partitions().iter().map(partition).collect();
    partitions.sort_by_key(|partition| partition.id);
    Topic { name: found.name().to_owned(), partitions }
}

impl Admin {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Settings that make no sense.
    pub async fn open(connection: &Connection) -> Result<Self> {
        let mut settings = Settings::of(connection)?;
        // It belongs to no group, whatever the connection says.
        settings.remove("group.id");
        settings.default("client.id", "flow");
        settings.default("socket.keepalive.enable", true);
        let parts = blocking(move |_| {
            let reader = Reader::for_questions(&settings)?;
            let admin = config(&settings).create_with_context(Watcher::default()).map_err(bad_settings)?;
            Ok(Parts { reader, admin })
        })
        .await?;
        Ok(Self { parts: Some(Arc::new(parts)), trust: Trust::default() })
    }

    fn parts(&self) -> Result<Arc<Parts>> {
        self.parts.clone().ok_or_else(|| ClientError::unavailable("the client is closed"))
    }

    /// Does work that blocks; trust is lost when no broker answers.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader, &Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let parts = self.parts()?;
        self.trust.doing(blocking(move |stop| work(&parts.reader, stop))).await
    }

    /// Notes what goes wrong, as long as the answer lives.
    pub fn telling(&self, notes: Notes) -> Telling {
        let listener = self.parts.clone().map(|parts| (parts.reader.watcher().listen(notes), parts));
        Telling(listener)
    }

    /// Whether it has been without an answer, or lost a broker since the last one. Another may be luckier, and is made
    /// at once.
    pub fn is_dead(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| {
            parts.reader.hear();
            self.trust.is_lost() || parts.reader.watcher().has_trouble()
        })
    }

    /// Lists the brokers with their addresses.
    ///
    /// # Errors
    ///
    /// When none answers within `patience`; within `refused`, when every one of them refuses the connection.
    pub async fn brokers(&self, patience: Duration, refused: Duration) -> Result<Vec<(i32, String)>> {
        let patience = Patience { longest: patience, refused };
        self.ask(move |reader, stop| {
            let found =
                reader.ask("reach Kafka", patience, stop, |slice| reader.consumer.fetch_metadata(None, slice))?;
            let brokers = found.brokers().iter();
            Ok(brokers.map(|broker| (broker.id(), format!("{}:{}", broker.host(), broker.port()))).collect())
        })
        .await
    }

    /// Lists the topics by name, Kafka's own among them (`__consumer_offsets`).
    ///
    /// # Errors
    ///
    /// When no broker answers.
    pub async fn topics(&self) -> Result<Vec<Topic>> {
        self.ask(|reader, stop| {
            let found =
                reader.ask("list the topics", PATIENCE, stop, |slice| reader.consumer.fetch_metadata(None, slice))?;
            let mut topics: Vec<Topic> = found.topics().iter().map(topic_of).collect();
            topics.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(topics)
        })
        .await
    }

    /// Asks for one topic.
    ///
    /// # Errors
    ///
    /// When there is none, or no answer.
    pub async fn topic(&self, name: &str) -> Result<Topic> {
        let name = name.to_owned();
        self.ask(move |reader, stop| reader.topic(&name, PATIENCE, stop)).await
    }

    /// Looks up, by partition, the first offset that is there and the next to be written.
    ///
    /// # Errors
    ///
    /// When there is no such topic, or no answer.
    pub async fn watermarks(&self, name: &str) -> Result<BTreeMap<i32, (i64, i64)>> {
        let name = name.to_owned();
        self.ask(move |reader, stop| {
            let topic = reader.topic(&name, PATIENCE, stop)?;
            let each = topic.partitions.iter();
            each.map(|partition| Ok((partition.id, reader.watermarks(&name, partition.id, stop)?))).collect()
        })
        .await
    }

    /// Lists a topic's settings.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn settings(&self, name: &str) -> Result<Vec<TopicSetting>> {
        self.trust.doing(self.find_settings(name)).await
    }

    async fn find_settings(&self, name: &str) -> Result<Vec<TopicSetting>> {
        let parts = self.parts()?;
        let doing = format!("ask for the settings of `{name}`");
        let asked = [ResourceSpecifier::Topic(name)];
        let answers = parts.admin.describe_configs(asked.iter(), &options()).await;
        let answers = answers.map_err(|error| errors::explain(&doing, &error))?;
        let mut found = Vec::new();
        for answer in answers {
            let answer = answer.map_err(|code| errors::of_code(&doing, Some(code), &code.to_string()))?;
            found.extend(answer.entries.into_iter().map(|entry| TopicSetting {
                is_own: entry.source == ConfigSource::DynamicTopic,
                name: entry.name,
                value: entry.value.filter(|_| !entry.is_sensitive),
            }));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Makes a topic, and waits until it can be written to.
    ///
    /// # Errors
    ///
    /// What the broker says.
    pub async fn create(&self, topic: &NewTopic) -> Result<Created> {
        self.trust.doing(self.make(topic)).await
    }

    async fn make(&self, topic: &NewTopic) -> Result<Created> {
        let parts = self.parts()?;
        // The admin client waits in silence for a broker that is away; this says what is wrong.
        self.brokers(PATIENCE, PATIENCE).await?;
        let doing = format!("make topic `{}`", topic.name);
        match ask_to_make(&parts, &doing, topic, &options()).await? {
            Some(Code::TopicAlreadyExists) => return Ok(Created::WasThere),
            Some(Code::InvalidConfig) => {
                let name = refused_setting(&parts, &doing, topic).await;
                return Err(errors::of_code(&doing, Some(Code::InvalidConfig), &about_setting(name)));
            }
            Some(code) => return Err(errors::of_code(&doing, Some(code), &advice(code))),
            None => {}
        }
        let name = topic.name.clone();
        blocking(move |stop| {
            let step = || match parts.reader.topic(&name, PATIENCE, stop) {
                Ok(found) if !found.partitions.is_empty() && found.partitions.iter().all(|part| part.leader >= 0) => {
                    Ok(())
                }
                Ok(_) | Err(_) => {
                    std::thread::sleep(SLICE / 4);
                    Err(None)
                }
            };
            until(PATIENCE, stop, step, || unknown_topic(&name))
        })
        .await?;
        Ok(Created::Made)
    }

    /// Gives a topic more partitions, up to this number.
    ///
    /// # Errors
    ///
    /// What the broker says.
    pub async fn add_partitions(&self, name: &str, count: usize) -> Result<()> {
        self.trust.doing(self.grow(name, count)).await
    }

    async fn grow(&self, name: &str, count: usize) -> Result<()> {
        let parts = self.parts()?;
        let doing = format!("add partitions to topic `{name}`");
        let wanted = NewPartitions::new(name, count);
        let answers = parts.admin.create_partitions([&wanted], &options()).await;
        match outcome(&doing, answers)? {
            Some((_, code)) => Err(errors::of_code(&doing, Some(code), &advice(code))),
            None => Ok(()),
        }
    }

    /// Deletes a topic; says whether there was one.
    ///
    /// # Errors
    ///
    /// What the broker says.
    pub async fn delete(&self, name: &str) -> Result<bool> {
        self.trust.doing(self.remove(name)).await
    }

    async fn remove(&self, name: &str) -> Result<bool> {
        let parts = self.parts()?;
        self.brokers(PATIENCE, PATIENCE).await?;
        let doing = format!("delete topic `{name}`");
        let answers = parts.admin.delete_topics(&[name], &options()).await;
        match outcome(&doing, answers)? {
            Some((_, code)) if errors::is_unknown_topic(code) => return Ok(false),
            Some((_, code)) => return Err(errors::of_code(&doing, Some(code), &advice(code))),
            None => {}
        }
        let name = name.to_owned();
        blocking(move |stop| {
            let step = || match parts.reader.topic(&name, PATIENCE, stop) {
                Err(error) if error == unknown_topic(&name) => Ok(true),
                Ok(_) | Err(_) => {
                    std::thread::sleep(SLICE / 4);
                    Err(None)
                }
            };
            until(PATIENCE, stop, step, || {
                ClientError::unavailable(format!("topic `{name}` is marked to be deleted, and still there"))
            })
        })
        .await
    }
}

/// Somebody who is told what goes wrong. Dropped, nobody is any more.
#[must_use]
pub struct Telling(Option<(u64, Arc<Parts>)>);

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some((listener, parts)) = self.0.take() {
            parts.reader.watcher().leave(listener);
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            close_elsewhere(parts);
        }
    }
}

/// Asks for a topic; returns why there is none.
async fn ask_to_make(parts: &Parts, doing: &str, topic: &NewTopic, options: &AdminOptions) -> Result<Option<Code>> {
    let replication = TopicReplication::Fixed(topic.replication_factor.unwrap_or(-1));
    let mut wanted = Wanted::new(&topic.name, topic.partitions.unwrap_or(-1), replication);
    for (name, value) in &topic.config {
        wanted = wanted.set(name, value);
    }
    let answers = parts.admin.create_topics([&wanted], options).await;
    Ok(outcome(doing, answers)?.map(|(_, code)| code))
}

/// Finds the setting that the broker refuses, of which the library does not tell its words: asks about each.
async fn refused_setting<'t>(parts: &Parts, doing: &str, topic: &'t NewTopic) -> Option<&'t str> {
    for (name, value) in topic.config.iter().take(SETTINGS_MAX) {
        let alone = NewTopic { config: [(name.clone(), value.clone())].into(), ..topic.clone() };
        let asked = ask_to_make(parts, doing, &alone, &options().validate_only(true)).await;
        if matches!(asked, Ok(Some(Code::InvalidConfig))) {
            return Some(name);
        }
    }
    None
}

fn about_setting(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("`{name}` is no setting of a topic, or its value is none of those allowed"),
        None => format!("{}; the settings do not fit together", Code::InvalidConfig),
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// The one answer about one topic: nothing, or why not.
fn outcome(
    doing: &str,
    answers: std::result::Result<Vec<rdkafka::admin::TopicResult>, KafkaError>,
) -> Result<Option<(String, Code)>> {
    let answers = answers.map_err(|error| errors::explain(doing, &error))?;
    Ok(answers.into_iter().find_map(std::result::Result::err))
}

fn advice(code: Code) -> String {
    let more = if code == Code::InvalidReplicationFactor {
        "; there must be at least as many brokers as replicas"
    } else if code == Code::InvalidTopic {
        "; a name has letters, digits, `.`, `_` and `-`, and at most 249 of them"
    } else {
        ""
    };
    format!("{code}{more}")
}
