//! Topics of Kafka whose messages make runs: how far each is read, and who reads it.
//!
//! One process reads a topic at a time: it holds the row's lease. Whoever lost it finds out when it writes, for it
//! writes only what it holds.

use std::collections::BTreeMap;

use flow_core::{Timestamp, timetable::KAFKA_WORDS};

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    rows::{json, to_json},
};

/// The next offset to be read, by partition.
pub type Offsets = BTreeMap<i32, i64>;

/// Which row it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KafkaTopic {
    pub connection: String,
    pub topic: String,
    pub group_id: String,
}

/// A topic with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaTopicRow {
    pub topic: KafkaTopic,
    pub offsets: Offsets,
    pub holder: Option<String>,
    pub problem: Option<String>,
}

/// A DAG that may want messages.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KafkaReader {
    pub dag_id: String,
    pub version_id: i64,
    /// Its schedule in words.
    pub schedule: String,
    pub is_paused: bool,
}

#[derive(sqlx::FromRow)]
struct Raw {
    connection: String,
    topic: String,
    group_id: String,
    offsets: String,
    holder: Option<String>,
    problem: Option<String>,
}

statements! {
    both MAKE = "INSERT INTO kafka_topic (connection, topic, group_id, offsets, lease_until) VALUES ($1, $2, $3, '{}', 0)
        ON CONFLICT DO NOTHING";
    both LEASE = "UPDATE kafka_topic SET holder = $4, lease_until = $5
        WHERE connection = $1 AND topic = $2 AND group_id = $3 AND (holder IS NULL OR holder = $4 OR lease_until <= $6)
        RETURNING offsets";
    both HOLD = "UPDATE kafka_topic SET lease_until = $5
        WHERE connection = $1 AND topic = $2 AND group_id = $3 AND holder = $4 RETURNING offsets";
    both MOVE_ON = "UPDATE kafka_topic SET offsets = $5
        WHERE connection = $1 AND topic = $2 AND group_id = $3 AND holder = $4";
    both TROUBLE = "UPDATE kafka_topic SET problem = $4 WHERE connection = $1 AND topic = $2 AND group_id = $3";
    both LEAVE = "UPDATE kafka_topic SET holder = NULL, lease_until = 0 WHERE holder = $1";
    both LIST = "SELECT connection, topic, group_id, offsets, holder, problem FROM kafka_topic
        ORDER BY connection, topic, group_id";
    // The words are of the schedule; whether it is one by Kafka is seen when the version is read.
    both READERS = "SELECT dag_id, version_id, schedule, is_paused FROM dag WHERE schedule LIKE $1 AND NOT is_stale ORDER BY dag_id";
}

impl Store {
    /// Lists the topics that make runs, or did.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn kafka_topics(&self) -> Result<Vec<KafkaTopicRow>, StoreError> {
        let raw: Vec<Raw> = on!(read self, LIST, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        let row = |raw: Raw| {
            Ok(KafkaTopicRow {
                offsets: json("kafka_topic", "offsets", &raw.topic, &raw.offsets)?,
                topic: KafkaTopic { connection: raw.connection, topic: raw.topic, group_id: raw.group_id },
                holder: raw.holder,
                problem: raw.problem,
            })
        };
        raw.into_iter().map(row).collect()
    }

    /// Lists the DAGs that may want messages, now or when they go on.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn kafka_readers(&self) -> Result<Vec<KafkaReader>, StoreError> {
        let words = format!("{KAFKA_WORDS}%");
        Ok(on!(read self, READERS, |text, conn| sqlx::query_as(text).bind(words).fetch_all(conn).await?))
    }
}

impl Tx {
    /// Takes the lease of a topic, or lengthens it; `None` = another process holds it. Returns how far it is read.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn lease_kafka_topic(
        &mut self,
        topic: &KafkaTopic,
        holder: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Offsets>, StoreError> {
        on!(tx self, MAKE, |text, conn| {
            sqlx::query(text).bind(&topic.connection).bind(&topic.topic).bind(&topic.group_id).execute(conn).await?;
        });
        let found: Option<String> = on!(tx self, LEASE, |text, conn| {
            sqlx::query_scalar(text)
                .bind(&topic.connection)
                .bind(&topic.topic)
                .bind(&topic.group_id)
                .bind(holder)
                .bind(lease_until.as_micros())
                .bind(now.as_micros())
                .fetch_optional(conn)
                .await?
        });
        found.map(|offsets| json("kafka_topic", "offsets", &topic.topic, &offsets)).transpose()
    }

    /// Locks a topic until the transaction ends, and lengthens its lease; `None` = it is another's by now.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn hold_kafka_topic(
        &mut self,
        topic: &KafkaTopic,
        holder: &str,
        lease_until: Timestamp,
    ) -> Result<Option<Offsets>, StoreError> {
        let found: Option<String> = on!(tx self, HOLD, |text, conn| {
            sqlx::query_scalar(text)
                .bind(&topic.connection)
                .bind(&topic.topic)
                .bind(&topic.group_id)
                .bind(holder)
                .bind(lease_until.as_micros())
                .fetch_optional(conn)
                .await?
        });
        found.map(|offsets| json("kafka_topic", "offsets", &topic.topic, &offsets)).transpose()
    }

    /// Writes down how far a topic is read, by the process that holds it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when it is another's; and when the database does.
    pub async fn move_kafka_offsets(
        &mut self,
        topic: &KafkaTopic,
        holder: &str,
        offsets: &Offsets,
    ) -> Result<(), StoreError> {
        let moved = on!(tx self, MOVE_ON, |text, conn| {
            sqlx::query(text)
                .bind(&topic.connection)
                .bind(&topic.topic)
                .bind(&topic.group_id)
                .bind(holder)
                .bind(to_json(offsets))
                .execute(conn)
                .await?
                .rows_affected()
        });
        if moved == 1 {
            return Ok(());
        }
        Err(StoreError::Conflict(format!("topic `{}` is read by another process", topic.topic)))
    }

    /// Writes down what is wrong with a topic; `None` = nothing.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn note_kafka_problem(&mut self, topic: &KafkaTopic, problem: Option<&str>) -> Result<(), StoreError> {
        on!(tx self, TROUBLE, |text, conn| {
            sqlx::query(text)
                .bind(&topic.connection)
                .bind(&topic.topic)
                .bind(&topic.group_id)
                .bind(problem)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Gives up every lease of a process, so that others need not wait.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn leave_kafka_topics(&mut self, holder: &str) -> Result<(), StoreError> {
        on!(tx self, LEAVE, |text, conn| { sqlx::query(text).bind(holder).execute(conn).await?; });
        Ok(())
    }
}
