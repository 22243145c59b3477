//! Kafka's offsets in somebody's own database, so that they change together with the rows that were made of messages.
//!
//! One table, a row for each group, topic and partition. Whoever writes rows locks these first, and finds the offsets
//! where they were left; what another has taken meanwhile shows.

use super::{Cell, DatabaseKind, Insert, OnConflict, Parameters, Session, quote_table};
use crate::{ClientError, Kind, Result, kafka::Offsets};

/// Most partitions of one topic.
const PARTITIONS_MAX: usize = 100_000;

/// The offsets of one group, in one table.
#[derive(Clone, Debug)]
pub struct OffsetsTable {
    /// As people write it: `flow_kafka_offsets`, `etl.flow_kafka_offsets`.
    pub table: String,
    pub group: String,
}

impl OffsetsTable {
    /// Makes the table when there is none.
    ///
    /// # Errors
    ///
    /// When it is missing and cannot be made: then the words say by which statement it can.
    pub async fn make(&self, session: &mut Session) -> Result<()> {
        if self.is_there(session).await.is_ok() {
            return Ok(());
        }
        let made = self.statement(session.kind());
        if let Err(error) = session.execute(&made, &Parameters::None).await {
            // Somebody else may have made it meanwhile.
            return self.is_there(session).await.map_err(|_| ClientError {
                message: format!("the table for offsets cannot be made: {error}; make it with: {made}"),
                ..error
            });
        }
        Ok(())
    }

    async fn is_there(&self, session: &mut Session) -> Result<()> {
        let sql = format!("SELECT 1 FROM {} WHERE 1 = 0", quote_table(session.kind(), &self.table));
        session.execute(&sql, &Parameters::None).await.map(|_| ())
    }

    fn statement(&self, kind: DatabaseKind) -> String {
        let table = quote_table(kind, &self.table);
        // A group is what it is, letter by letter; and without transactions there is no use in it.
        let (text, end) = match kind {
            DatabaseKind::MySql => (" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " ENGINE = InnoDB"),
            DatabaseKind::Postgres | DatabaseKind::Sqlite => ("", ""),
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (group_id VARCHAR(255){text} NOT NULL, topic VARCHAR(249){text} NOT \
             NULL, topic_partition INTEGER NOT NULL, next_offset BIGINT NOT NULL, PRIMARY KEY (group_id, topic, \
             topic_partition)){end}"
        )
    }

    /// Puts these offsets where there are none.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn begin_at(&self, session: &mut Session, offsets: &Offsets) -> Result<()> {
        let insert = Insert {
            table: self.table.clone(),
            columns: ["group_id", "topic", "topic_partition", "next_offset"].map(str::to_owned).to_vec(),
            on_conflict: OnConflict::Ignore,
        };
        let row = |((topic, partition), offset): (&(String, i32), &i64)| {
            vec![
                Cell::Text(self.group.clone()),
                Cell::Text(topic.clone()),
                Cell::Int((*partition).into()),
                Cell::Int(*offset),
            ]
        };
        session.insert(&insert, offsets.iter().map(row).collect()).await.map(|_| ())
    }

    /// Reads the offsets of these topics.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn read(&self, session: &mut Session, topics: &[String]) -> Result<Offsets> {
        self.select(session, topics, "").await
    }

    /// Reads the offsets of these topics, and locks them until the transaction ends: who asks meanwhile waits.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn lock(&self, session: &mut Session, topics: &[String]) -> Result<Offsets> {
        // A transaction of SQLite is alone.
        let lock = if session.kind() == DatabaseKind::Sqlite { "" } else { " FOR UPDATE" };
        self.select(session, topics, lock).await
    }

    async fn select(&self, session: &mut Session, topics: &[String], lock: &str) -> Result<Offsets> {
        let sql = format!(
            "SELECT topic_partition, next_offset FROM {} WHERE group_id = %s AND topic = %s ORDER BY topic_partition{lock}",
            quote_table(session.kind(), &self.table)
        );
        let mut offsets = Offsets::new();
        // In one order, so that two never wait for each other.
        let mut topics: Vec<&String> = topics.iter().collect();
        topics.sort();
        for topic in topics {
            let names = Parameters::List(vec![self.group.as_str().into(), topic.as_str().into()]);
            for row in session.all(&sql, &names, PARTITIONS_MAX).await? {
                let [Cell::Int(partition), Cell::Int(offset)] = row.as_slice() else {
                    return Err(self.strange());
                };
                let partition = i32::try_from(*partition).map_err(|_| self.strange())?;
                offsets.insert((topic.clone(), partition), *offset);
            }
        }
        Ok(offsets)
    }

    fn strange(&self) -> ClientError {
        ClientError::new(Kind::Settings, format!("the table `{}` holds something else than offsets", self.table))
    }

    /// Moves these offsets on. The caller has locked them.
    ///
    /// # Errors
    ///
    /// When one is not there; and what the database says.
    pub async fn store(&self, session: &mut Session, offsets: &Offsets) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET next_offset = %s WHERE group_id = %s AND topic = %s AND topic_partition = %s",
            quote_table(session.kind(), &self.table)
        );
        for ((topic, partition), offset) in offsets {
            let values = vec![(*offset).into(), self.group.as_str().into(), topic.as_str().into(), (*partition).into()];
            let changed = session.execute(&sql, &Parameters::List(values)).await?;
            if changed != 1 {
                return Err(ClientError::refused(format!(
                    "the offset of partition {partition} of `{topic}` is gone from the table `{}`",
                    self.table
                )));
            }
        }
        Ok(())
    }
}

impl Session {
    /// Says which of these tables does not take part in transactions; only MySQL has such.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn without_transactions(&mut self, table: &str) -> Result<Option<String>> {
        if self.kind() != DatabaseKind::MySql {
            return Ok(None);
        }
        let name = table.replace(['`', '"'], "");
        let (schema, name) = match name.rsplit_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
            None => (None, name),
        };
        let sql = "SELECT t.ENGINE FROM information_schema.TABLES t \
                   JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
                   WHERE t.TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND t.TABLE_NAME = %s AND e.TRANSACTIONS <> 'YES'";
        let names = Parameters::List(vec![schema.into(), name.into()]);
        let found = self.first(sql, &names).await?;
        Ok(found.and_then(|row| row.into_iter().next()).and_then(Cell::into_text))
    }
}
