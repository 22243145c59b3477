//! `kafka_to_sql`, `kafka_stream` and schedules by Kafka under `kill -9` at random moments: every message is there exactly
//! once at the end.
//!
//! A real broker (`scripts/with-kafka`), and every database that is there: SQLite always, Postgres and MariaDB where
//! FLOW_TEST_POSTGRES_URL and FLOW_TEST_MYSQL_URL name one. The tables have no key that would hide a second row.
//! FLOW_SEED plays the same chances again, FLOW_SOAK=1 more of them.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![expect(clippy::print_stdout, reason = "seeds and measurements are for whoever reads the test's output")]
#![expect(dead_code, reason = "the place is made for other tests")]

#[path = "crash/chance.rs"]
mod chance;
#[path = "crash/place.rs"]
mod place;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use chance::Chance;
use flow_clients::{
    kafka::{Admin, BEGINNING, Consumer, NewTopic, Offsets, Producer, Reading, Record, Writing, no_notes},
    sql::{Cell, Database, Parameters},
};
use flow_core::connection::Connection;
use flow_store::RunFilter;
use place::{Flow, Place};

/// Partitions of each topic.
const PARTITIONS: i32 = 3;

/// The DAGs that messages make runs of.
const WATCHING: [&str; 2] = ["watch", "watch_too"];

/// Messages a second, while there is killing.
const RATE: u64 = 150;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A database of the test, and the table in it.
struct Table {
    id: &'static str,
    connection: Connection,
    database: Database,
    name: String,
}

impl Table {
    async fn make(id: &'static str, connection: Connection, name: &str) -> Self {
        let database = Database::new(&connection).unwrap();
        let mut session = database.session().await.unwrap();
        let sql =
            format!("CREATE TABLE {name} (n BIGINT, doubled BIGINT, topic_partition INTEGER, message_offset BIGINT)");
        session.execute(&sql, &Parameters::None).await.unwrap();
        Self { id, connection, database, name: name.to_owned() }
    }

    async fn count(&self) -> i64 {
        let mut session = self.database.session().await.unwrap();
        let sql = format!("SELECT count(*) FROM {}", self.name);
        let row = session.first(&sql, &Parameters::None).await.unwrap().unwrap();
        let [Cell::Int(count)] = row.as_slice() else { panic!("{row:?}") };
        *count
    }

    /// What is wrong with the rows for the numbers from 0 to `sent`.
    async fn complaints(&self, sent: u64) -> Vec<String> {
        let mut session = self.database.session().await.unwrap();
        let sql = format!("SELECT n, doubled FROM {} ORDER BY n", self.name);
        let rows = session.all(&sql, &Parameters::None, 10_000_000).await.unwrap();
        let mut counts = BTreeMap::new();
        let mut complaints = Vec::new();
        for row in rows {
            let [Cell::Int(n), Cell::Int(doubled)] = row.as_slice() else { panic!("{row:?}") };
            *counts.entry(*n as u64).or_insert(0) += 1;
            if *doubled != n * 2 {
                complaints.push(format!("{}: {doubled} is not twice {n}", self.id));
            }
        }
        complaints.extend(not_once(self.id, &counts, sent));
        complaints
    }
}

fn not_once(who: &str, counts: &BTreeMap<u64, i32>, sent: u64) -> Vec<String> {
    let wrong = (0..sent).map(|n| (n, counts.get(&n).copied().unwrap_or(0))).filter(|(_, count)| *count != 1);
    let mut complaints: Vec<String> = wrong.map(|(n, count)| format!("{who}: {n} is there {count} times")).collect();
    complaints.extend(counts.keys().filter(|n| **n >= sent).map(|n| format!("{who}: {n} was never sent")));
    complaints
}

/// A topic made for this test.
async fn topic(broker: &Connection, name: &str) -> String {
    let name = format!("{name}-{}", std::process::id());
    let wanted = NewTopic { name: name.clone(), partitions: Some(PARTITIONS), ..NewTopic::default() };
    Admin::open(broker).await.unwrap().create(&wanted).await.unwrap();
    name
}

/// Sends numbers one after another until it is told to stop; returns how many.
async fn send(broker: &Connection, topic: &str, stop: &AtomicBool, sent: &AtomicU64) {
    let producer = Producer::open(broker, &Writing { is_idempotent: true, ..Writing::default() }).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..RATE / 10 {
            let n = sent.load(Ordering::Relaxed);
            let record = Record {
                topic: topic.to_owned(),
                key: Some(n.to_string().into_bytes()),
                value: Some(format!("{{\"n\": {n}}}").into_bytes()),
                ..Record::default()
            };
            sending.send(&record).await.unwrap();
            sent.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    sending.flush().await.unwrap();
}

/// How often each number is in a topic, committed.
async fn read(broker: &Connection, topic: &str) -> BTreeMap<u64, i32> {
    let consumer = Consumer::open(broker, &Reading::default(), no_notes()).await.unwrap();
    let all: Offsets = (0..PARTITIONS).map(|partition| ((topic.to_owned(), partition), BEGINNING)).collect();
    consumer.assign(&all).await.unwrap();
    let (mut counts, mut ends) = (BTreeMap::new(), std::collections::BTreeSet::new());
    while ends.len() < all.len() {
        let polled = consumer.poll(10_000, Duration::from_secs(10)).await.unwrap();
        assert!(!polled.messages.is_empty() || !polled.ends.is_empty(), "the topic {topic} cannot be read");
        for message in &polled.messages {
            let text = String::from_utf8(message.value.clone().unwrap()).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let (n, doubled) = (value["n"].as_u64().unwrap(), value["doubled"].as_u64().unwrap());
            assert_eq!(doubled, n * 2, "{text}");
            *counts.entry(n).or_insert(0) += 1;
        }
        ends.extend(polled.ends);
    }
    counts
}

async fn written(admin: &Admin, topic: &str) -> i64 {
    admin.watermarks(topic).await.unwrap().values().map(|(_, high)| high).sum()
}

/// The DAGs: one that turns messages, and one for each table.
fn dags(source: &str, sink: &str, tables: &[Table]) -> Vec<(String, String)> {
    // A new run as soon as the last has ended: attempts begin, go on and end at any moment.
    let head = |id: &str| {
        format!(
            "dag_id: {id}\nschedule: \"@continuous\"\nstart_date: 2026-01-01\nmax_active_runs: 1\ntasks:\n  - id: work\n    retries: 1000\n    retry_delay: 0s\n    "
        )
    };
    let stream = format!(
        "{}uses: kafka_stream\n    with: {{ source: {source}, sink: {sink}, batch_size: 25, max_wait: 3s, \
         map: {{ n: value.n, doubled: value.n * 2 }} }}\n",
        head("turn")
    );
    let mut dags = vec![("turn".to_owned(), stream)];
    for table in tables {
        let id = format!("load_{}", table.id);
        let text = format!(
            "{}uses: kafka_to_sql\n    with: {{ topics: {source}, conn_id: {}, table: {}, batch_size: 25, max_wait: 3s, \
             columns: {{ n: value.n, doubled: value.n * 2, topic_partition: partition, message_offset: offset }} }}\n",
            head(&id),
            table.id,
            table.name
        );
        dags.push((id, text));
    }
    // Two that share what is read.
    for id in WATCHING {
        let text = format!(
            "dag_id: {id}\nschedule: {{ kafka: {{ topic: {source}, group_id: {source}-runs, max_messages: 200, \
             max_wait: 0.3 }} }}\ntasks:\n  - id: work\n"
        );
        dags.push((id.to_owned(), text));
    }
    dags
}

/// How often each number came to a DAG.
fn came(place: &Place) -> BTreeMap<String, BTreeMap<u64, i32>> {
    let mut came: BTreeMap<String, BTreeMap<u64, i32>> = BTreeMap::new();
    for row in
        on_thread(|| place.ask(|store| async move { store.list_runs(&RunFilter::default(), 1_000_000).await.unwrap() }))
    {
        if WATCHING.contains(&row.run.dag_id.as_str()) {
            let counts = came.entry(row.run.dag_id.to_string()).or_default();
            let messages = row.run.conf["messages"].as_array().unwrap();
            assert_eq!(row.run.conf["kafka"]["count"], messages.len());
            for message in messages {
                *counts.entry(message["value"]["n"].as_u64().unwrap()).or_insert(0) += 1;
            }
        }
    }
    came
}

/// The databases that are there.
async fn tables(place: &Place) -> Vec<Table> {
    let name = format!("once_{}", std::process::id());
    let file = |extra: serde_json::Value| {
        let whole = serde_json::json!({ "conn_type": "sqlite", "host": place.path("once.db"), "extra": extra });
        Connection::from_json("sqlite", &whole).unwrap()
    };
    // The test waits for who writes, on a slow disk for long; Flow as long as it does by itself.
    let patient = Table::make("sqlite", file(serde_json::json!({ "create": true, "timeout": 300 })), &name).await;
    let mut tables = vec![Table { connection: file(serde_json::json!({ "create": true })), ..patient }];
    for (id, variable) in [("postgres", "FLOW_TEST_POSTGRES_URL"), ("mysql", "FLOW_TEST_MYSQL_URL")] {
        match std::env::var(variable) {
            Ok(url) => tables.push(Table::make(id, Connection::parse(id, &url).unwrap(), &name).await),
            // `make test` runs everything once more where there is a Postgres.
            Err(_) => {
                println!("skipped: exactly_once on {id} needs {variable}");
                let is_expected = id == "postgres" || std::env::var_os("FLOW_TEST_ALL").is_none();
                assert!(is_expected, "FLOW_TEST_ALL is set: nothing may be skipped");
            }
        }
    }
    tables
}

fn start(place: &Place, broker: &str, tables: &[Table]) -> Flow {
    let mut command = place.command(&["standalone", "--port", "0", "--workers", "8"]);
    command.env("FLOW_CONN_KAFKA_DEFAULT", format!("kafka://{broker}"));
    for table in tables {
        command.env(format!("FLOW_CONN_{}", table.id.to_uppercase()), table.connection.to_json().to_string());
    }
    place.spawn(&mut command)
}

/// Waits for a fact that has to be asked for.
async fn wait(place: &Place, what: &str, at_most: Duration, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        let words = place.words();
        let last: Vec<_> = words.lines().rev().take(40).collect();
        assert!(began.elapsed() < at_most, "{what} after {at_most:?}\n{}", last.join("\n"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn kill_9_loses_no_message_and_doubles_none() {
    let Ok(address) = std::env::var("FLOW_TEST_KAFKA") else {
        println!("skipped: kill_9_loses_no_message_and_doubles_none needs a Kafka broker (scripts/with-kafka)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
        return;
    };
    runtime().block_on(kill(&address));
}

async fn kill(address: &str) {
    let kills: u32 = if std::env::var_os("FLOW_SOAK").is_some() { 1_000 } else { 100 };
    let mut chance = Chance::new("exactly_once");
    let broker = Connection::parse("broker", &format!("kafka://{address}")).unwrap();
    let place = Place::new(None);
    let (source, sink) = (topic(&broker, "once-in").await, topic(&broker, "once-out").await);
    let tables = tables(&place).await;
    for (id, text) in dags(&source, &sink, &tables) {
        place.add_dag(&id, &text);
    }
    let admin = Admin::open(&broker).await.unwrap();
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    let killing = async {
        for number in 0..kills {
            let flow = start(&place, address, &tables);
            // Mostly at work, wherever that is just now; sometimes before it has begun.
            let at_work = (number % 5 != 0).then(|| chance.below(tables.len() as u64 + 1) as usize);
            match at_work.map(|at| at.checked_sub(1).map(|at| &tables[at])) {
                None => {}
                Some(None) => {
                    let before = written(&admin, &sink).await;
                    wait(&place, "nothing is turned", Duration::from_secs(60), async || {
                        written(&admin, &sink).await > before
                    })
                    .await;
                }
                Some(Some(table)) => {
                    let before = table.count().await;
                    let what = format!("no row comes into {}", table.id);
                    wait(&place, &what, Duration::from_secs(60), async || table.count().await > before).await;
                }
            }
            let longest = if at_work.is_some() { 250 } else { 1_500 };
            tokio::time::sleep(chance.millis(0, longest)).await;
            flow.kill();
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(killing, send(&broker, &source, &stop, &sent));
    let sent = sent.load(Ordering::Relaxed);
    let said = format!("{kills} kills in {:.0?}, {sent} messages", began.elapsed());

    let flow = start(&place, address, &tables);
    for table in &tables {
        let what = format!("of {sent} rows, {} were in {}: not all are", table.count().await, table.id);
        wait(&place, &what, Duration::from_secs(120), async || table.count().await >= sent as i64).await;
    }
    let is_all = async || read(&broker, &sink).await.len() as u64 >= sent;
    wait(&place, "not every message is turned", Duration::from_secs(120), is_all).await;
    let have_come =
        async || came(&place).values().filter(|counts| counts.len() as u64 >= sent).count() == WATCHING.len();
    wait(&place, "not every message has made runs", Duration::from_secs(120), have_come).await;
    // What would come twice has time to: each task goes on, and another run begins.
    let before = place_runs(&place);
    let more = before + 2 * (tables.len() + 1);
    wait(&place, "no run begins", Duration::from_secs(60), async || place_runs(&place) > more).await;
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(60)).success());

    let mut complaints = not_once("turned", &read(&broker, &sink).await, sent);
    for table in &tables {
        complaints.extend(table.complaints(sent).await);
    }
    for (dag_id, counts) in came(&place) {
        complaints.extend(not_once(&dag_id, &counts, sent));
    }
    complaints.extend(place.words().lines().filter(|line| line.contains("panicked")).map(str::to_owned));
    println!("{said}; all over after {:.0?}", began.elapsed());
    complaints.truncate(50);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The place has a runtime of its own for each question.
fn place_runs(place: &Place) -> usize {
    on_thread(|| place.runs(false).iter().filter(|run| !WATCHING.contains(&run.dag_id.as_str())).count())
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap()
}

/// Sends these numbers.
async fn send_numbers(broker: &Connection, topic: &str, numbers: std::ops::Range<u64>) {
    let producer = Producer::open(broker, &Writing { is_idempotent: true, ..Writing::default() }).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    for n in numbers {
        let value = Some(format!("{{\"n\": {n}}}").into_bytes());
        sending.send(&Record { topic: topic.to_owned(), value, ..Record::default() }).await.unwrap();
    }
    sending.flush().await.unwrap();
}

#[test]
fn a_broker_that_is_away_is_named_and_a_paused_dag_leaves_messages_where_they_are() {
    let Ok(address) = std::env::var("FLOW_TEST_KAFKA") else {
        println!("skipped: a_broker_that_is_away_is_named… needs a Kafka broker (scripts/with-kafka)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
        return;
    };
    runtime().block_on(async {
        let broker = Connection::parse("broker", &format!("kafka://{address}")).unwrap();
        let place = Place::new(None);
        let topic = topic(&broker, "watched").await;
        for id in WATCHING {
            // Two groups: each reads for itself.
            let text = format!(
                "dag_id: {id}\nschedule: {{ kafka: {{ topic: {topic}, group_id: {id}, max_wait: 0.2 }} }}\ntasks: [{{id: work}}]\n"
            );
            place.add_dag(id, &text);
        }
        send_numbers(&broker, &topic, 0..3).await;
        let flow = start(&place, "127.0.0.1:1", &[]);
        // Before Flow has made its tables there is nothing.
        let problems = || {
            on_thread(|| place.ask(|store| async move { store.kafka_topics().await.unwrap_or_default() }))
                .into_iter()
                .filter_map(|row| row.problem)
                .collect::<Vec<_>>()
        };
        let are_named = async || problems().iter().filter(|problem| problem.contains("127.0.0.1:1")).count() == 2;
        wait(&place, "nobody says that the broker is away", Duration::from_secs(60), are_named).await;
        flow.kill();

        let flow = start(&place, &address, &[]);
        let has = async |dag_id: &str, count: usize| came(&place).get(dag_id).is_some_and(|it| it.len() == count);
        for id in WATCHING {
            wait(&place, "no runs are made", Duration::from_secs(60), async || has(id, 3).await).await;
        }
        assert_eq!(problems(), Vec::<String>::new());
        on_thread(|| place.pause("watch"));
        // A reader looks each second whether it is still wanted.
        tokio::time::sleep(Duration::from_secs(2)).await;
        send_numbers(&broker, &topic, 3..8).await;
        wait(&place, "no runs are made", Duration::from_secs(60), async || has("watch_too", 8).await).await;
        assert!(has("watch", 3).await, "a paused DAG has read messages");
        on_thread(|| {
            place.ask(|store| async move {
                let mut tx = store.begin().await.unwrap();
                tx.unpause_dag("watch", None, flow_runtime::clock::system_now()).await.unwrap();
                tx.commit().await.unwrap();
            });
        });
        wait(&place, "no runs are made", Duration::from_secs(60), async || has("watch", 8).await).await;
        flow.terminate();
        assert!(flow.wait(Duration::from_secs(60)).success());
        for (dag_id, counts) in came(&place) {
            assert_eq!(not_once(&dag_id, &counts, 8), Vec::<String>::new());
        }
    });
}

#[test]
fn dags_that_share_a_group_wait_for_each_other_and_offsets_that_are_gone_stop_them() {
    let Ok(address) = std::env::var("FLOW_TEST_KAFKA") else {
        println!("skipped: dags_that_share_a_group_wait_for_each_other… needs a Kafka broker (scripts/with-kafka)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
        return;
    };
    runtime().block_on(async {
        let broker = Connection::parse("broker", &format!("kafka://{address}")).unwrap();
        let place = Place::new(None);
        let topic = topic(&broker, "shared").await;
        for id in WATCHING {
            let text = format!(
                "dag_id: {id}\nschedule: {{ kafka: {{ topic: {topic}, group_id: both, max_wait: 0.2 }} }}\ntasks: [{{id: work}}]\n"
            );
            place.add_dag(id, &text);
        }
        send_numbers(&broker, &topic, 0..3).await;
        let flow = start(&place, &address, &[]);
        on_thread(|| place.wait_for_dags(&WATCHING));
        let has = async |dag_id: &str, count: usize| came(&place).get(dag_id).is_some_and(|it| it.len() == count);
        for id in WATCHING {
            wait(&place, "no runs are made", Duration::from_secs(60), async || has(id, 3).await).await;
        }
        on_thread(|| place.pause("watch"));
        send_numbers(&broker, &topic, 3..8).await;
        // The reader asks for each batch whether it may; so long it does not.
        for _ in 0..30 {
            assert!(has("watch_too", 3).await, "the offsets have moved on without a DAG that is paused");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        on_thread(|| {
            place.ask(|store| async move {
                let mut tx = store.begin().await.unwrap();
                tx.unpause_dag("watch", None, flow_runtime::clock::system_now()).await.unwrap();
                tx.commit().await.unwrap();
            });
        });
        for id in WATCHING {
            wait(&place, "no runs are made", Duration::from_secs(60), async || has(id, 8).await).await;
        }
        flow.terminate();
        assert!(flow.wait(Duration::from_secs(60)).success());

        // Kafka has lost messages that were read: by an election, or because it is another cluster.
        on_thread(|| {
            place.ask(|store| async move {
                let now = flow_runtime::clock::system_now();
                let row = store.kafka_topics().await.unwrap().remove(0);
                let mut tx = store.begin().await.unwrap();
                tx.lease_kafka_topic(&row.topic, "test", now, now).await.unwrap().unwrap();
                let ahead = row.offsets.iter().map(|(partition, offset)| (*partition, offset + 5)).collect();
                tx.move_kafka_offsets(&row.topic, "test", &ahead).await.unwrap();
                tx.leave_kafka_topics("test").await.unwrap();
                tx.commit().await.unwrap();
            });
        });
        let flow = start(&place, &address, &[]);
        let is_said = async || {
            let rows = on_thread(|| place.ask(|store| async move { store.kafka_topics().await.unwrap() }));
            rows.iter().any(|row| row.problem.as_ref().is_some_and(|it| it.contains("give the schedule another")))
        };
        wait(&place, "nobody says that messages are gone", Duration::from_secs(60), is_said).await;
        flow.kill();
        for (dag_id, counts) in came(&place) {
            assert_eq!(not_once(&dag_id, &counts, 8), Vec::<String>::new());
        }
    });
}
