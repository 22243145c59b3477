//! Writes Kafka's messages into a table, each exactly once.
//!
//! The offsets are kept in the same database, and move on in the transaction that inserts the rows. Whatever dies at
//! whatever moment: either both are there, or neither.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::{
    kafka::{Message, Offsets},
    sql::{Database, Insert, OffsetsTable, OnConflict, Session},
};
use flow_core::{catalog::ArgError, dag::Arg, template::Expression};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    batches::{Batches, Limits, OnBad, compiled, group_of, is_wanted},
    context::{Stream, TaskContext},
    kafka::{ValueFormat, kafka_default, names, place},
    operator::{Done, Operator, OperatorError},
    values::{Expr, Flag, OneOrMany, Span},
};

/// Most lines about messages that were passed over, in one attempt.
const LINES_MAX: u64 = 100;

/// `uses: kafka_to_sql`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaToSql {
    /// The connection to Kafka.
    #[serde(default = "kafka_default")]
    kafka_config_id: String,
    /// The topic to read, or a list of topics.
    topics: OneOrMany,
    /// The name under which the database keeps how far was read. Tasks with the same name share the messages. Default:
    /// `flow.DAG.TASK`, and the map index of a mapped task.
    #[serde(default)]
    group_id: Option<String>,
    /// Where to begin when the database has no offset of a partition: with the first message that is there, else with
    /// those that come later. Default: true.
    #[serde(default = "yes")]
    from_beginning: Flag,
    /// The connection to the database: Postgres, MySQL, MariaDB or SQLite. On MySQL the table must be one with
    /// transactions (InnoDB).
    conn_id: String,
    /// The table that gets the rows.
    table: String,
    /// The columns, each with an expression over `key`, `value` (JSON where it is JSON, else text), `headers`,
    /// `timestamp`, `topic`, `partition` and `offset`.
    columns: BTreeMap<String, Expr>,
    /// Only messages for which this expression holds become rows; the others are passed over.
    #[serde(default)]
    filter: Option<Expr>,
    /// What a value is: `json`, `text`, or `auto`, JSON where it is an object or a list, else text. Default: `auto`.
    #[serde(default)]
    value_format: ValueFormat,
    /// What becomes of a row whose key is there already: `error` fails (as a bad message does), `ignore` leaves the new
    /// row out, `update` puts it in the place of the old one. Default: `error`.
    #[serde(default)]
    on_conflict: Conflict,
    /// The columns of the key, for `on_conflict: update`.
    #[serde(default)]
    conflict_columns: Vec<String>,
    /// What becomes of a message that cannot become a row: an expression fails, or the database refuses its values.
    /// `fail`: the task fails and names the message. `skip`: it is passed over with a line in the log. Default: `fail`.
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
    /// The table that keeps the offsets, in the same database; made when it is missing. Default: `flow_kafka_offsets`.
    #[serde(default = "offsets_table")]
    offsets_table: String,
}

/// What becomes of a row whose key is in the table already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Conflict {
    #[default]
    Error,
    Ignore,
    Update,
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

fn offsets_table() -> String {
    "flow_kafka_offsets".to_owned()
}

impl Operator for KafkaToSql {
    const NAME: &'static str = "kafka_to_sql";
    const SUMMARY: &'static str = "Writes Kafka's messages into a table, each exactly once: rows and offsets change in one \
         transaction of the database.";
    const TEMPLATED: &'static [&'static str] = &["topics", "group_id", "conn_id", "table"];
    const EXAMPLE: &'static str = "\
id: load
uses: kafka_to_sql
with:
  topics: readings
  group_id: warehouse
  conn_id: warehouse
  table: readings
  columns: { station: key, temperature: value.temperature, measured_at: timestamp }
  filter: value.temperature is number
";

    fn complain(given: &[(String, Arg)]) -> Option<ArgError> {
        let given = |name: &str| given.iter().find(|(key, _)| key == name).map(|(_, arg)| arg);
        let is_update = given("on_conflict") == Some(&Arg::Value("update".into()));
        (is_update && given("conflict_columns").is_none()).then(|| ArgError {
            route: vec!["on_conflict".to_owned()],
            message: "`on_conflict: update` needs `conflict_columns`, the columns of the key".to_owned(),
            help: None,
            about_key: false,
        })
    }

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            () = cancel.cancelled() => Err(OperatorError::cancelled()),
            done = self.work(cx) => done,
        }
    }
}

/// Everything that stays the same from batch to batch.
struct Writer<'a> {
    cx: &'a TaskContext,
    filter: Option<Expression<'a>>,
    columns: Vec<(&'a str, Expression<'a>)>,
    format: ValueFormat,
    insert: Insert,
    on_bad: OnBad,
    offsets: OffsetsTable,
    topics: &'a [String],
    counts: Counts,
}

/// What became of the messages.
#[derive(Clone, Debug, Default)]
struct Counts {
    messages: u64,
    rows: u64,
    filtered: u64,
    bad: u64,
}

/// A row, and the message it was made of.
struct Row<'m> {
    message: &'m Message,
    values: Vec<Value>,
}

impl KafkaToSql {
    async fn work(&self, cx: &TaskContext) -> Result<Done, OperatorError> {
        let limits = Limits::new(self.max_messages, self.max_wait, self.batch_size)?;
        let group = group_of(cx, self.group_id.clone())?;
        let topics = &self.topics.items;
        let mut writer = self.writer(cx, &group)?;
        let kafka = cx.connection(&self.kafka_config_id).await?;
        let database = Database::of(&cx.clients, &cx.connection(&self.conn_id).await?).await?;
        let mut session = database.session().await?;
        if let Some(engine) = session.without_transactions(&self.table).await? {
            return Err(OperatorError::fatal(anyhow!(
                "table `{0}` has no transactions ({engine}), without them nothing is exactly once: `ALTER TABLE {0} \
                 ENGINE = InnoDB`",
                self.table
            )));
        }
        writer.offsets.make(&mut session).await?;

        let mut batches = Batches::open(cx, &kafka, &group, topics, limits).await?;
        let stored = writer.offsets.read(&mut session, topics).await?;
        let first = batches.begins(&stored, self.from_beginning.0);
        session.begin().await?;
        writer.offsets.begin_at(&mut session, &first).await?;
        session.commit().await?;
        let mut next = writer.offsets.read(&mut session, topics).await?;
        // Between two batches the connection is free for others.
        drop(session);
        batches.go_to(cx, &next, self.on_bad).await?;
        let mut done = Offsets::new();
        while let Some(messages) = batches.next(cx, self.on_bad).await? {
            let mut session = database.session().await?;
            match writer.write(&mut session, &messages, &next).await? {
                Written::Yes => {
                    let behind = Batches::behind(&messages);
                    next.extend(behind.clone());
                    done.extend(behind);
                }
                Written::MovedOn(found) => {
                    cx.say(Stream::Warning, "another attempt of this group has read on: going on behind it");
                    batches.go_to(cx, &found, self.on_bad).await?;
                    next = found;
                }
            }
        }
        // Only for those who look at the group's lag in Kafka; what counts is in the database.
        if let Err(error) = batches.consumer().commit(&done).await {
            cx.say(Stream::Info, &format!("Kafka was not told how far was read: {error}"));
        }
        Ok(writer.counts.done(cx, &next))
    }

    fn writer<'a>(&'a self, cx: &'a TaskContext, group: &str) -> Result<Writer<'a>, OperatorError> {
        if self.columns.is_empty() || self.topics.items.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`topics` and `columns` must name at least one each")));
        }
        let filter = self.filter.as_ref().map(|filter| compiled(filter, "filter")).transpose()?;
        let each = self.columns.iter();
        let columns = each
            .map(|(name, expression)| Ok((name.as_str(), compiled(expression, &format!("columns.{name}"))?)))
            .collect::<Result<_, OperatorError>>()?;
        let on_conflict = match self.on_conflict {
            Conflict::Error => OnConflict::Error,
            Conflict::Ignore => OnConflict::Ignore,
            Conflict::Update => OnConflict::Update { key: self.conflict_columns.clone() },
        };
        Ok(Writer {
            cx,
            filter,
            columns,
            format: self.value_format,
            insert: Insert { table: self.table.clone(), columns: self.columns.keys().cloned().collect(), on_conflict },
            on_bad: self.on_bad,
            offsets: OffsetsTable { table: self.offsets_table.clone(), group: group.to_owned() },
            topics: &self.topics.items,
            counts: Counts::default(),
        })
    }
}

/// What became of a batch.
enum Written {
    Yes,
    /// The offsets are elsewhere by now: nothing was written.
    MovedOn(Offsets),
}

impl Writer<'_> {
    /// Writes a batch and its offsets, unless somebody else has read on since `expected`.
    async fn write(
        &mut self,
        session: &mut Session,
        messages: &[Message],
        expected: &Offsets,
    ) -> Result<Written, OperatorError> {
        let mut counts = self.counts.clone();
        let rows = self.rows(messages, &mut counts)?;
        let behind = Batches::behind(messages);
        session.begin().await?;
        let found = self.offsets.lock(session, self.topics).await?;
        if behind.keys().any(|at| found.get(at) != expected.get(at)) {
            session.rollback().await?;
            return Ok(Written::MovedOn(found));
        }
        let values = rows.iter().map(|row| row.values.clone()).collect();
        let written = match session.insert_json(&self.insert, values).await {
            Ok(_) => rows.len(),
            Err(error) if error.is_about_a_row() => {
                // Some row is bad: which? The transaction is of no use any more; the lock is taken again.
                session.rollback().await?;
                session.begin().await?;
                let found = self.offsets.lock(session, self.topics).await?;
                if behind.keys().any(|at| found.get(at) != expected.get(at)) {
                    session.rollback().await?;
                    return Ok(Written::MovedOn(found));
                }
                self.write_with_care(session, &rows, &mut counts).await?
            }
            Err(error) => return Err(error.into()),
        };
        self.offsets.store(session, &behind).await?;
        session.commit().await?;
        counts.messages += messages.len() as u64;
        counts.rows += written as u64;
        self.counts = counts;
        Ok(Written::Yes)
    }

    /// Makes rows of messages.
    fn rows<'m>(&self, messages: &'m [Message], counts: &mut Counts) -> Result<Vec<Row<'m>>, OperatorError> {
        let mut rows = Vec::with_capacity(messages.len());
        for message in messages {
            match self.row(message) {
                Ok(Some(values)) => rows.push(Row { message, values }),
                Ok(None) => counts.filtered += 1,
                Err(sentence) => self.bad(message, &sentence, counts)?,
            }
        }
        Ok(rows)
    }

    fn row(&self, message: &Message) -> Result<Option<Vec<Value>>, String> {
        let names = names(message, self.format).map_err(|error| error.to_string())?;
        if !is_wanted(self.filter.as_ref(), &names)? {
            return Ok(None);
        }
        let value = |(name, expression): &(&str, Expression<'_>)| {
            expression.evaluate(&names).map_err(|error| format!("column `{name}`: {error}"))
        };
        self.columns.iter().map(value).collect::<Result<_, _>>().map(Some)
    }

    /// Fails because of a message, or passes over it.
    fn bad(&self, message: &Message, sentence: &str, counts: &mut Counts) -> Result<(), OperatorError> {
        if self.on_bad == OnBad::Fail {
            let place = place(message);
            return Err(OperatorError::fatal(anyhow!(
                "{place}: {sentence} (`on_bad: skip` passes over such messages)"
            )));
        }
        counts.bad += 1;
        if counts.bad <= LINES_MAX {
            self.cx.say(Stream::Warning, &format!("passed over {}: {sentence}", place(message)));
        } else if counts.bad == LINES_MAX + 1 {
            self.cx.say(Stream::Warning, "passed over more messages; they are only counted");
        }
        Ok(())
    }

    /// Inserts rows of which some are bad: halves them until the bad ones are alone. Returns how many were inserted.
    async fn write_with_care(
        &self,
        session: &mut Session,
        rows: &[Row<'_>],
        counts: &mut Counts,
    ) -> Result<usize, OperatorError> {
        let mut written = 0;
        let mut parts = vec![rows];
        while let Some(part) = parts.pop() {
            session.mark().await?;
            let values = part.iter().map(|row| row.values.clone()).collect();
            match session.insert_json(&self.insert, values).await {
                Ok(_) => written += part.len(),
                Err(error) if error.is_about_a_row() => {
                    session.back_to_mark().await?;
                    match part {
                        [] => {}
                        [row] => self.bad(row.message, &error.message, counts)?,
                        _ => {
                            let (left, right) = part.split_at(part.len() / 2);
                            // The left one first: order decides which of two with the same key is the bad one.
                            parts.extend([right, left]);
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }
}

impl Counts {
    fn done(&self, cx: &TaskContext, next: &Offsets) -> Done {
        let Self { messages, rows, filtered, bad } = self;
        let sentence = format!("{messages} messages read: {rows} rows written, {filtered} filtered out, {bad} bad");
        cx.say(Stream::Info, &sentence);
        let mut offsets: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
        for ((topic, partition), offset) in next {
            offsets.entry(topic).or_default().insert(partition.to_string(), *offset);
        }
        Done::success(
            json!({ "messages": messages, "rows": rows, "filtered": filtered, "bad": bad, "next_offsets": offsets }),
        )
    }
}

#[cfg(test)]
mod tests {
    use flow_clients::sql::{Cell, Parameters};
    use flow_core::connection::Connection;

    use super::*;
    use crate::{kafka::tests::broker, testing::World};

    /// The databases that are there, each with a table of its own: (connection, table).
    fn databases(world: &World, test: &str) -> Vec<(String, Database)> {
        let file = json!({ "conn_type": "sqlite", "host": world.path("test.db"), "extra": { "create": true } });
        let mut found = vec![("sqlite", Connection::from_json("sqlite", &file).unwrap())];
        for (id, variable) in [("postgres", "FLOW_TEST_POSTGRES_URL"), ("mysql", "FLOW_TEST_MYSQL_URL")] {
            match std::env::var(variable) {
                Ok(url) => found.push((id, Connection::parse(id, &url).unwrap())),
                Err(_) => {
                    println!("skipped: {test} on {id} needs {variable}");
                    assert!(
                        std::env::var_os("FLOW_TEST_ALL").is_none(),
                        "FLOW_TEST_ALL is set: nothing may be skipped"
                    );
                }
            }
        }
        let mut databases = Vec::new();
        for (id, connection) in found {
            world.services.lock().unwrap().connections.insert(id.to_owned(), connection.to_json());
            databases.push((id.to_owned(), Database::new(&connection).unwrap()));
        }
        databases
    }

    async fn make(database: &Database, table: &str) {
        let mut session = database.session().await.unwrap();
        let sql = format!("CREATE TABLE {table} (name VARCHAR(20) PRIMARY KEY, n INTEGER)");
        session.execute(&sql, &Parameters::None).await.unwrap();
    }

    async fn rows(database: &Database, table: &str) -> Vec<Vec<Value>> {
        let mut session = database.session().await.unwrap();
        let sql = format!("SELECT name, n FROM {table} ORDER BY name");
        let rows = session.all(&sql, &Parameters::None, 10_000).await.unwrap();
        rows.into_iter().map(|row| row.into_iter().map(Cell::into_json).collect()).collect()
    }

    async fn send(world: &World, topic: &str, messages: Value) {
        let made = world.run("kafka_topic", json!({ "topic": topic, "partitions": 3 })).await;
        assert_eq!(made.word(), "success", "{made:?}");
        let sent = world.run("kafka_produce", json!({ "topic": topic, "messages": messages })).await;
        assert_eq!(sent.word(), "success", "{sent:?}");
    }

    fn numbered(range: std::ops::Range<u32>) -> Value {
        range.map(|n| json!({ "key": format!("k{n:05}"), "value": { "n": n } })).collect()
    }

    fn given(topic: &str, id: &str, table: &str) -> Value {
        json!({
            "topics": topic, "group_id": format!("{topic}-{id}"), "conn_id": id, "table": table, "batch_size": 7,
            "columns": { "name": "key", "n": "value.n" },
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_message_becomes_one_row() {
        let world = World::new();
        let Some(topic) = broker("each_message_becomes_one_row", &world) else { return };
        send(&world, &topic, numbered(0..50)).await;
        let table = topic.replace('-', "_");
        for (id, database) in databases(&world, "each_message_becomes_one_row") {
            make(&database, &table).await;
            let mut given = given(&topic, &id, &table);
            given["filter"] = json!("value.n != 3");
            given["max_messages"] = json!(20);
            let done = world.run("kafka_to_sql", given.clone()).await;
            assert_eq!(done.word(), "success", "{id}: {done:?}");
            assert_eq!(done.result().unwrap()["messages"], 20, "{id}");
            given.as_object_mut().unwrap().remove("max_messages");
            let done = world.run("kafka_to_sql", given.clone()).await;
            assert_eq!(done.result().unwrap()["messages"], 30, "{id}: {done:?}");
            // What was written is not read again, whatever Kafka thinks of the group.
            let done = world.run("kafka_to_sql", given).await;
            assert_eq!(done.result().unwrap()["messages"], 0, "{id}: {done:?}");
            let expected: Vec<_> =
                (0..50).filter(|n| *n != 3).map(|n| vec![json!(format!("k{n:05}")), json!(n)]).collect();
            assert_eq!(rows(&database, &table).await, expected, "{id}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_attempts_at_once_write_nothing_twice() {
        let world = World::new();
        let Some(topic) = broker("two_attempts_at_once_write_nothing_twice", &world) else { return };
        send(&world, &topic, numbered(0..500)).await;
        let table = topic.replace('-', "_");
        for (id, database) in databases(&world, "two_attempts_at_once_write_nothing_twice") {
            let mut session = database.session().await.unwrap();
            // No key that would hide a second row.
            let sql = format!("CREATE TABLE {table} (name VARCHAR(20), n INTEGER)");
            session.execute(&sql, &Parameters::None).await.unwrap();
            drop(session);
            let given = given(&topic, &id, &table);
            let attempts = tokio::join!(
                world.run("kafka_to_sql", given.clone()),
                world.run("kafka_to_sql", given.clone()),
                world.run("kafka_to_sql", given)
            );
            for done in [attempts.0, attempts.1, attempts.2] {
                assert_eq!(done.word(), "success", "{id}: {done:?}");
            }
            let expected: Vec<_> = (0..500).map(|n| vec![json!(format!("k{n:05}")), json!(n)]).collect();
            assert_eq!(rows(&database, &table).await, expected, "{id}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bad_message_is_named_or_passed_over() {
        let world = World::new();
        let Some(topic) = broker("a_bad_message_is_named_or_passed_over", &world) else { return };
        let messages = json!([
            { "key": "a", "value": { "n": 1 }, "partition": 0 },
            { "key": "b", "value": "no JSON", "partition": 0 },
            { "key": "c", "value": { "n": 3 }, "partition": 0 },
            { "key": "a", "value": { "n": 4 }, "partition": 0 },
            { "key": "much too long for the column of this table", "value": { "n": 5 }, "partition": 0 },
            { "key": "f", "value": { "n": 6 }, "partition": 0 },
        ]);
        send(&world, &topic, messages).await;
        let table = topic.replace('-', "_");
        for (id, database) in databases(&world, "a_bad_message_is_named_or_passed_over") {
            make(&database, &table).await;
            let mut given = given(&topic, &id, &table);
            let failed = world.run("kafka_to_sql", given.clone()).await;
            failed.failed_for_good(&format!("message 1 of partition 0 of `{topic}`: column `n`: "));
            assert_eq!(rows(&database, &table).await, Vec::<Vec<Value>>::new(), "{id}");
            given["filter"] = json!("value is mapping");
            let failed = world.run("kafka_to_sql", given.clone()).await;
            failed.failed_for_good(&format!("message 3 of partition 0 of `{topic}`: "));
            given["on_bad"] = json!("skip");
            let done = world.run("kafka_to_sql", given).await;
            // SQLite takes a text of any length.
            let bad = if id == "sqlite" { 1 } else { 2 };
            assert_eq!(done.result().unwrap()["bad"], bad, "{id}: {done:?}\n{}", world.text());
            let names: Vec<_> = rows(&database, &table).await.into_iter().map(|row| row[0].clone()).collect();
            let long = "much too long for the column of this table";
            let expected = if id == "sqlite" { json!(["a", "c", "f", long]) } else { json!(["a", "c", "f"]) };
            assert_eq!(json!(names), expected, "{id}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_work_says_what_to_do() {
        let world = World::new();
        let Some(topic) = broker("what_cannot_work_says_what_to_do", &world) else { return };
        for (id, database) in databases(&world, "what_cannot_work_says_what_to_do") {
            let failed = world.run("kafka_to_sql", given("nothing-there", &id, "t")).await;
            failed.failed("there is no topic `nothing-there`");
            if topic.len() > 1 && id == "sqlite" {
                send(&world, &topic, numbered(0..3)).await;
            }
            let failed = world.run("kafka_to_sql", given(&topic, &id, "no_such_table")).await;
            failed.failed("no_such_table");
            drop(database);
        }
    }
}
