//! Kafka: topics, producers, consumers.
//!
//! The types here are Flow's own; which library speaks to the brokers is the business of one module, `library`, so that
//! another could take its place. Without the feature `kafka` that module answers everything with one sentence.
//!
//! Everything that waits ends when its future is dropped, and nothing is closed where others run: that takes seconds.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use flow_core::connection::Connection;

use crate::{ClientError, Clients, Result};

mod settings;

#[cfg(not(feature = "kafka"))]
mod absent;
#[cfg(feature = "kafka")]
mod librdkafka;

#[cfg(not(feature = "kafka"))]
use absent as library;
#[cfg(feature = "kafka")]
use librdkafka as library;

pub use library::{Admin, Consumer, GroupMetadata, Producer, Sending, Telling};
pub use settings::Settings;

/// Whether this build can speak to Kafka.
pub const IS_BUILT_IN: bool = cfg!(feature = "kafka");

/// How long a broker may take to answer before a task gives up. Also where nothing listens: so it is for some seconds
/// when a broker is started anew, and a task that can wait need not fail for it. It is noted at once.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// How long [`test()`] waits; and where nothing listens: the library has tried each address several times by then.
const TEST_PATIENCE: Duration = Duration::from_secs(6);
const TEST_REFUSED: Duration = Duration::from_secs(3);

/// Where sentences of the client go while it is used: broker down, connection lost. Must not block.
pub type Notes = Arc<dyn Fn(&str) + Send + Sync>;

/// Offsets by topic and partition: each is that of the next message to read.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// An offset: the first that is there.
pub const BEGINNING: i64 = -2;
/// An offset: the next to be written.
pub const END: i64 = -1;
/// An offset: what is stored under the group's name, else as [`Reading::from_beginning`] says.
pub const STORED: i64 = -1000;

/// A message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970; `None` for very old topics.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone: the key is deleted.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A message to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    /// `None`: by the key's hash, as Java's clients do it; without a key, any.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; `None`: now.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// What one look at a consumer brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    pub messages: Vec<Message>,
    /// Partitions whose end was reached, without their topic's name. Topics with transactions end in offsets that no
    /// message has, so that counting offsets alone does not find the end.
    pub ends: Vec<i32>,
    /// An offset that was to be read is not there, and [`Reading::is_strict`]: that partition brings nothing more until
    /// [`Consumer::assign`].
    pub is_lost: bool,
}

/// How a consumer reads.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Its group; offsets are stored under this name. `None`: the connection's `group.id`, else none.
    pub group: Option<String>,
    /// Where to begin when the group has no stored offset (or an offset that is gone): the first message, not the next.
    pub from_beginning: bool,
    /// Its offsets are kept elsewhere: go to no other by itself.
    pub is_strict: bool,
    /// Read messages of open and aborted transactions too.
    pub uncommitted: bool,
}

/// Which brokers must have a message before it counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    #[default]
    All,
}

/// How a producer writes.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    pub acks: Acks,
    /// Each message once and in order, also when the producer has to send again. Needs `Acks::All`.
    pub is_idempotent: bool,
    /// Its transactions' name. Two producers with one name: the older is fenced off.
    pub transactional_id: Option<String>,
    /// `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    pub compression: Option<String>,
}

/// What became of messages that were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub messages: u64,
    /// By partition.
    pub partitions: BTreeMap<i32, u64>,
}

/// A topic, to be made.
#[derive(Clone, Debug, Default)]
pub struct NewTopic {
    pub name: String,
    /// `None`: the broker's default.
    pub partitions: Option<i32>,
    /// `None`: the broker's default.
    pub replication_factor: Option<i32>,
    pub config: BTreeMap<String, String>,
}

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub partitions: Vec<Partition>,
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub id: i32,
    /// The broker that leads it; negative: none.
    pub leader: i32,
    pub replicas: Vec<i32>,
    pub in_sync: Vec<i32>,
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSetting {
    pub name: String,
    pub value: Option<String>,
    /// It is the topic's own, not the broker's default.
    pub is_own: bool,
}

/// What became of a topic that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    Made,
    WasThere,
}

/// Notes that go nowhere.
pub fn no_notes() -> Notes {
    Arc::new(|_| ())
}

/// The producer that is kept for this connection and these settings; made when there is none, or it is of no use any
/// more. Not for transactions.
///
/// # Errors
///
/// Settings that make no sense.
pub async fn kept_producer(clients: &Clients, connection: &Connection, writing: &Writing) -> Result<Arc<Producer>> {
    let mut key = connection.clone();
    // How it writes is part of what it is kept under.
    key.description = Some(format!("{writing:?}"));
    let kept = clients.keep("kafka producer", &key, Producer::open(connection, writing)).await?;
    if !kept.is_dead() {
        return Ok(kept);
    }
    clients.forget("kafka producer", &key, &kept);
    clients.keep("kafka producer", &key, Producer::open(connection, writing)).await
}

/// The admin client that is kept for this connection; made when there is none, or it is of no use any more.
///
/// # Errors
///
/// Settings that make no sense.
pub async fn kept_admin(clients: &Clients, connection: &Connection) -> Result<Arc<Admin>> {
    let kept = clients.keep("kafka admin", connection, Admin::open(connection)).await?;
    if !kept.is_dead() {
        return Ok(kept);
    }
    clients.forget("kafka admin", connection, &kept);
    clients.keep("kafka admin", connection, Admin::open(connection)).await
}

/// Connects and logs in; says what was tried.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    let settings = Settings::of(connection)?;
    let admin = Admin::open(connection).await?;
    let found = admin.brokers(TEST_PATIENCE, TEST_REFUSED).await?;
    let login = match settings.login() {
        Some(login) => format!(", logged in as `{login}`"),
        None => ", without login".to_owned(),
    };
    let brokers = found.iter().map(|(id, address)| format!("{id} at {address}")).collect::<Vec<_>>().join(", ");
    let noun = if found.len() == 1 { "broker" } else { "brokers" };
    Ok(format!("reached {} {noun}{login} ({brokers})", found.len()))
}

/// The sentence for a topic that is not there.
pub fn unknown_topic(topic: &str) -> ClientError {
    ClientError::refused(format!(
        "there is no topic `{topic}`: make it with the operator `kafka_topic` or with `flow kafka topics create {topic}`"
    ))
}
