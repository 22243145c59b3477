//! Kafka against a real broker (`scripts/with-kafka`), and against librdkafka's mock where faults are made.
//!
//! A test whose broker is missing says that it is skipped.
#![cfg(feature = "kafka")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    collections::BTreeSet,
    slice::from_ref,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use flow_clients::{
    ClientError, Clients, Kind,
    kafka::{
        self, Acks, Admin, BEGINNING, Consumer, Created, END, Message, NewTopic, Offsets, Producer, Reading, Record,
        Writing, no_notes,
    },
};
use flow_core::connection::Connection;
use serde_json::json;

/// A broker without login, or `None`, said aloud.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn broker(test: &str) -> Option<Connection> {
    if let Ok(address) = std::env::var("FLOW_TEST_KAFKA") {
        return Some(connection(&format!("kafka://{address}")));
    }
    println!("skipped: {test} needs a Kafka broker (scripts/with-kafka)");
    assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    None
}

/// The login, its password, the address, and the certificate of the broker with TLS.
fn broker_with_login(test: &str) -> Option<[String; 4]> {
    broker(test)?;
    // A broker of somebody's own need not have one.
    let all = std::env::var("FLOW_TEST_KAFKA_SASL").ok()?;
    let (user, address) = all.rsplit_once('@').unwrap();
    let (login, password) = user.split_once(':').unwrap();
    Some([login, password, address, &std::env::var("FLOW_TEST_KAFKA_CA").unwrap()].map(str::to_owned))
}

fn connection(text: &str) -> Connection {
    Connection::parse("broker", text).unwrap()
}

fn unique(name: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{name}-{}-{}", std::process::id(), now.as_nanos())
}

async fn topic(at: &Connection, name: &str, partitions: i32) -> String {
    let name = unique(name);
    let topic = NewTopic { name: name.clone(), partitions: Some(partitions), ..NewTopic::default() };
    assert_eq!(Admin::open(at).await.unwrap().create(&topic).await.unwrap(), Created::Made);
    name
}

fn record(topic: &str, key: &str, value: &str) -> Record {
    Record {
        topic: topic.to_owned(),
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        ..Record::default()
    }
}

async fn write(at: &Connection, records: &[Record]) -> kafka::Written {
    let producer = Producer::open(at, &Writing { is_idempotent: true, ..Writing::default() }).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    for record in records {
        sending.send(record).await.unwrap();
    }
    sending.flush().await.unwrap()
}

/// Reads until so many have come.
async fn read(consumer: &Consumer, count: usize) -> Vec<Message> {
    let began = Instant::now();
    let mut messages = Vec::new();
    while messages.len() < count {
        assert!(began.elapsed() < Duration::from_secs(120), "only {} of {count} messages came", messages.len());
        messages.extend(consumer.poll(count - messages.len(), Duration::from_secs(1)).await.unwrap().messages);
    }
    messages
}

fn in_group(group: &str) -> Reading {
    Reading { group: Some(group.to_owned()), from_beginning: true, ..Reading::default() }
}

fn text(bytes: &Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.clone().unwrap_or_default()).unwrap()
}

fn values(messages: &[Message]) -> BTreeSet<String> {
    messages.iter().map(|message| text(&message.value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_made_described_and_deleted() {
    let Some(at) = broker("topics_are_made_described_and_deleted") else { return };
    let admin = Admin::open(&at).await.unwrap();
    let name = unique("made");
    let config = [("retention.ms".to_owned(), "60000".to_owned())].into();
    let wanted = NewTopic { name: name.clone(), partitions: Some(3), replication_factor: Some(1), config };
    assert_eq!(admin.create(&wanted).await.unwrap(), Created::Made);
    assert_eq!(admin.create(&wanted).await.unwrap(), Created::WasThere);
    assert_eq!(admin.topic(&name).await.unwrap().partitions.len(), 3);
    assert!(admin.topics().await.unwrap().iter().any(|topic| topic.name == name));
    let settings = admin.settings(&name).await.unwrap();
    let own: Vec<_> = settings.iter().filter(|setting| setting.is_own).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].name.as_str(), own[0].value.as_deref()), ("retention.ms", Some("60000")));
    write(&at, &[record(&name, "a", "1"), record(&name, "a", "2")]).await;
    let marks = admin.watermarks(&name).await.unwrap();
    assert_eq!(marks.values().map(|(low, high)| high - low).sum::<i64>(), 2);
    admin.add_partitions(&name, 5).await.unwrap();
    let began = Instant::now();
    while admin.topic(&name).await.unwrap().partitions.len() != 5 {
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    assert!(admin.delete(&name).await.unwrap());
    assert!(!admin.delete(&name).await.unwrap());
    assert_eq!(admin.topic(&name).await.unwrap_err(), kafka::unknown_topic(&name));
    let many = NewTopic { name: name.clone(), replication_factor: Some(7), ..NewTopic::default() };
    assert!(admin.create(&many).await.unwrap_err().message.contains("as many brokers as replicas"));
    let odd = NewTopic { name: "not a name!".to_owned(), ..NewTopic::default() };
    assert!(admin.create(&odd).await.unwrap_err().message.contains("a name has letters"));
    let odd = NewTopic { name, config: [("no.such".to_owned(), "1".to_owned())].into(), ..NewTopic::default() };
    assert!(admin.create(&odd).await.unwrap_err().message.contains("is no setting of a topic"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_with_key_headers_and_time() {
    let Some(at) = broker("what_is_written_is_read_with_key_headers_and_time") else { return };
    let topic = topic(&at, "whole", 4).await;
    let whole = Record {
        topic: topic.clone(),
        partition: Some(2),
        timestamp: Some(1_700_000_000_123),
        key: Some(b"k".to_vec()),
        value: Some(vec![0, 255, 1]),
        headers: vec![("a".into(), Some(b"1".to_vec())), ("a".into(), None)],
    };
    let tombstone = Record { value: None, key: Some(b"gone".to_vec()), headers: vec![], ..whole.clone() };
    let written = write(&at, &[whole.clone(), tombstone.clone()]).await;
    assert_eq!(written.partitions, [(2, 2)].into());
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    consumer.assign(&[((topic.clone(), 2), BEGINNING)].into()).await.unwrap();
    let messages = read(&consumer, 2).await;
    let first = &messages[0];
    assert_eq!(
        (&*first.topic, first.partition, first.offset, first.timestamp),
        (topic.as_str(), 2, 0, whole.timestamp)
    );
    assert_eq!((&first.key, &first.value, &first.headers), (&whole.key, &whole.value, &whole.headers));
    assert_eq!((&messages[1].key, &messages[1].value), (&tombstone.key, &None));
    assert_eq!(consumer.watermarks(&topic, 2).await.unwrap(), (0, 2));
    // There and back again.
    consumer.assign(&[((topic.clone(), 2), 1)].into()).await.unwrap();
    assert_eq!(read(&consumer, 1).await[0].offset, 1);
    consumer.assign(&[((topic.clone(), 2), END)].into()).await.unwrap();
    let polled = consumer.poll(10, Duration::from_secs(5)).await.unwrap();
    assert_eq!((polled.messages.len(), polled.ends), (0, vec![2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_goes_to_the_same_partition() {
    let Some(at) = broker("the_same_key_goes_to_the_same_partition") else { return };
    let topic = topic(&at, "keys", 5).await;
    let records: Vec<_> = (0..500).map(|at| record(&topic, &format!("key {}", at % 50), &at.to_string())).collect();
    assert_eq!(write(&at, &records).await.messages, 500);
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    let offsets: Offsets = (0..5).map(|partition| ((topic.clone(), partition), BEGINNING)).collect();
    consumer.assign(&offsets).await.unwrap();
    let messages = read(&consumer, 500).await;
    let places: BTreeSet<_> = messages.iter().map(|message| (text(&message.key), message.partition)).collect();
    assert_eq!(places.len(), 50);
    // Where Java's clients put it: murmur2 of the key, its sign bit off, modulo five.
    let of = |key: &str| places.iter().find(|(found, _)| found == key).unwrap().1;
    assert_eq!(of("key 0"), i32::try_from(murmur2(b"key 0") % 5).unwrap());
}

/// The hash of Java's clients, with the sign bit off.
fn murmur2(data: &[u8]) -> u32 {
    let m: u32 = 0x5bd1_e995;
    let mut h: u32 = 0x9747_b28c ^ u32::try_from(data.len()).unwrap();
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(m);
        k ^= k >> 24;
        h = h.wrapping_mul(m) ^ k.wrapping_mul(m);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * at);
        }
        h = h.wrapping_mul(m);
    }
    h = (h ^ (h >> 13)).wrapping_mul(m);
    (h ^ (h >> 15)) & 0x7fff_ffff
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_where_it_stored() {
    let Some(at) = broker("a_group_goes_on_where_it_stored") else { return };
    let topic = topic(&at, "stored", 1).await;
    let group = unique("group");
    write(&at, &(0..10).map(|at| record(&topic, "k", &at.to_string())).collect::<Vec<_>>()).await;
    let consumer = Consumer::open(&at, &in_group(&group), no_notes()).await.unwrap();
    let place = (topic.clone(), 0);
    assert_eq!(consumer.committed(from_ref(&place)).await.unwrap(), Offsets::new());
    consumer.subscribe(from_ref(&topic)).await.unwrap();
    assert_eq!(read(&consumer, 4).await.len(), 4);
    assert!(consumer.has_joined());
    assert_eq!(consumer.assignment().unwrap(), from_ref(&place));
    consumer.commit(&[(place.clone(), 4)].into()).await.unwrap();
    assert_eq!(read(&consumer, 2).await.len(), 2);
    consumer.close().await;
    // What was read and not stored comes again.
    let consumer = Consumer::open(&at, &in_group(&group), no_notes()).await.unwrap();
    assert_eq!(consumer.committed(from_ref(&place)).await.unwrap(), [(place, 4)].into());
    consumer.subscribe(&[topic]).await.unwrap();
    assert_eq!(values(&read(&consumer, 6).await), (4..10).map(|at| at.to_string()).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_all_or_nothing_and_the_older_producer_is_fenced_off() {
    let test = "a_transaction_is_all_or_nothing_and_the_older_producer_is_fenced_off";
    let Some(at) = broker(test) else { return };
    let (source, sink) = (topic(&at, "source", 1).await, topic(&at, "sink", 1).await);
    let group = unique("group");
    write(&at, &[record(&source, "k", "1"), record(&source, "k", "2")]).await;
    let writing = Writing { transactional_id: Some(unique("transaction")), ..Writing::default() };
    let reader = Consumer::open(&at, &in_group(&group), no_notes()).await.unwrap();
    let place = (source.clone(), 0);
    reader.assign(&[(place.clone(), BEGINNING)].into()).await.unwrap();
    let messages = read(&reader, 2).await;
    let older = Producer::open(&at, &writing).await.unwrap();
    let sending = older.sending(no_notes()).unwrap();
    older.begin().await.unwrap();
    sending.send(&record(&sink, "k", "aborted")).await.unwrap();
    sending.flush().await.unwrap();
    older.send_offsets(&[(place.clone(), 1)].into(), reader.group_metadata().unwrap()).await.unwrap();
    older.abort().await.unwrap();
    assert_eq!(reader.committed(from_ref(&place)).await.unwrap(), Offsets::new());
    older.begin().await.unwrap();
    for message in &messages {
        sending.send(&record(&sink, "k", &format!("+{}", text(&message.value)))).await.unwrap();
    }
    older.send_offsets(&[(place.clone(), 2)].into(), reader.group_metadata().unwrap()).await.unwrap();
    older.commit().await.unwrap();
    assert_eq!(reader.committed(from_ref(&place)).await.unwrap(), [(place, 2)].into());
    // The older one writes again, and does not come to its end.
    older.begin().await.unwrap();
    sending.send(&record(&sink, "k", "late")).await.unwrap();
    let newer = Producer::open(&at, &writing).await.unwrap();
    let error = older.commit().await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced, "{error}");
    newer.begin().await.unwrap();
    newer.commit().await.unwrap();
    let judge = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    judge.assign(&[((sink.clone(), 0), BEGINNING)].into()).await.unwrap();
    let (mut seen, mut ends) = (Vec::new(), 0);
    while ends == 0 {
        let polled = judge.poll(100, Duration::from_secs(5)).await.unwrap();
        seen.extend(polled.messages);
        ends += polled.ends.len();
    }
    assert_eq!(seen.iter().map(|message| text(&message.value)).collect::<Vec<_>>(), ["+1", "+2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_write_works() {
    let Some(at) = broker("each_way_to_write_works") else { return };
    let topic = topic(&at, "ways", 1).await;
    let clients = Clients::default();
    let ways = [
        (Acks::None, false, None),
        (Acks::Leader, false, Some("gzip")),
        (Acks::All, false, Some("snappy")),
        (Acks::All, true, Some("lz4")),
        (Acks::All, true, Some("zstd")),
    ];
    for (acks, is_idempotent, compression) in ways {
        let writing =
            Writing { acks, is_idempotent, compression: compression.map(str::to_owned), transactional_id: None };
        let producer = kafka::kept_producer(&clients, &at, &writing).await.unwrap();
        assert_eq!(producer.check(&topic).await.unwrap(), 1);
        let sending = producer.sending(no_notes()).unwrap();
        for at in 0..100 {
            sending.send(&record(&topic, "k", &format!("{acks:?} {compression:?} {at}"))).await.unwrap();
        }
        assert_eq!(sending.flush().await.unwrap().messages, 100);
    }
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    consumer.assign(&[((topic, 0), BEGINNING)].into()).await.unwrap();
    assert_eq!(values(&read(&consumer, 500).await).len(), 500);
    let odd = Writing { compression: Some("brotli".to_owned()), ..Writing::default() };
    let error = Producer::open(&at, &odd).await.err().unwrap();
    assert!(error.message.contains("compression.type") && !error.may_retry(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_and_a_topic_that_is_not_there_are_named() {
    let test = "a_message_that_is_too_large_and_a_topic_that_is_not_there_are_named";
    let Some(at) = broker(test) else { return };
    let topic = topic(&at, "large", 1).await;
    let producer = Producer::open(&at, &Writing::default()).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    let large = Record { topic: topic.clone(), value: Some(vec![b'x'; 2 << 20]), ..Record::default() };
    let error = sending.send(&large).await.unwrap_err();
    assert!(error.message.contains("message.max.bytes") && !error.may_retry(), "{error}");
    assert_eq!(sending.flush().await.unwrap().messages, 0);
    // The client lets it pass, the broker does not.
    let lax = json!({ "host": "h", "extra": {
        "bootstrap.servers": std::env::var("FLOW_TEST_KAFKA").unwrap(), "message.max.bytes": 9_000_000 } });
    let producer = Producer::open(&connection(&lax.to_string()), &Writing::default()).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    sending.send(&large).await.unwrap();
    let error = sending.flush().await.unwrap_err();
    assert!(error.message.contains("max.message.bytes"), "{error}");
    let ghost = unique("ghost");
    assert_eq!(producer.check(&ghost).await.unwrap_err(), kafka::unknown_topic(&ghost));
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    assert_eq!(consumer.partitions(&ghost).await.unwrap_err(), kafka::unknown_topic(&ghost));
    let error = consumer.subscribe(&[ghost]).await.unwrap_err();
    assert!(error.message.contains("no group"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_work_or_are_refused_and_tls_must_fit() {
    let Some([login, password, address, ca]) = broker_with_login("logins_work_or_are_refused_and_tls_must_fit") else {
        return;
    };
    let plain = std::env::var("FLOW_TEST_KAFKA").unwrap();
    let of = |address: &str, password: &str, extra: serde_json::Value| {
        let mut extra = extra;
        extra["bootstrap.servers"] = address.into();
        connection(&json!({ "conn_type": "kafka", "login": login, "password": password, "extra": extra }).to_string())
    };
    let tls = |mechanism: &str| json!({ "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "ssl.ca.location": ca });
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let (works, words) = flow_clients::test(&of(&address, &password, tls(mechanism))).await;
        assert!(works && words.contains("logged in as `flow`"), "{words}");
        let (works, words) = flow_clients::test(&of(&address, "hunter2", tls(mechanism))).await;
        assert!(!works && words.contains("refuses the login") && !words.contains("hunter2"), "{words}");
    }
    let unknown = json!({ "security.protocol": "SASL_SSL" });
    let cases = [
        (of(&address, &password, unknown), "TLS failed"),
        // The broker hangs up, in the handshake or before it.
        (of(&plain, &password, tls("PLAIN")), "security.protocol"),
        (of(&address, &password, json!({ "security.protocol": "SASL_PLAINTEXT" })), "security.protocol"),
        (connection(&format!("kafka://{address}")), "security.protocol"),
        (of(&address, &password, json!({ "security.protocol": "no" })), "`security.protocol` is no setting"),
        (connection("kafka://no-such-host.invalid"), "is the broker's name right?"),
        (connection("kafka://127.0.0.1:1"), "Connection refused"),
    ];
    let mut tried = tokio::task::JoinSet::new();
    for (at, expected) in cases {
        let password = password.clone();
        tried.spawn(async move {
            let began = Instant::now();
            let (works, words) = flow_clients::test(&at).await;
            assert!(!works && words.contains(expected) && !words.contains(&password), "{expected}: {words}");
            assert!(began.elapsed() < Duration::from_secs(20), "{words}");
        });
    }
    tried.join_all().await;
    let (works, words) = flow_clients::test(&connection(&format!("kafka://{plain}"))).await;
    assert!(works && words.contains("1 broker, without login"), "{words}");
}

/// The library's settings for TLS with a certificate of our own.
const OWN: [&str; 2] = ["ssl.certificate.location", "ssl.key.location"];

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_a_certificate_lets_nobody_in_without() {
    if broker_with_login("a_broker_that_wants_a_certificate_lets_nobody_in_without").is_none() {
        return;
    }
    // A broker of somebody's own need not have such a door.
    let Ok(address) = std::env::var("FLOW_TEST_KAFKA_MUTUAL") else { return };
    let certificate = std::env::var("FLOW_TEST_KAFKA_CA").unwrap();
    let key = std::path::Path::new(&certificate).with_file_name("key.pem").display().to_string();
    let mut extra = json!({ "bootstrap.servers": address, "security.protocol": "SSL", "ssl.ca.location": certificate });
    let of = |extra: &serde_json::Value| connection(&json!({ "conn_type": "kafka", "extra": extra }).to_string());
    // That it is hopeless is known long before.
    let patience = Duration::from_secs(120);
    let asked = Admin::open(&of(&extra)).await.unwrap().brokers(patience, patience).await;
    let words = asked.unwrap_err().message;
    assert!(words.contains("TLS failed") && OWN.iter().all(|setting| words.contains(setting)), "{words}");
    for (setting, file) in OWN.into_iter().zip([&certificate, &key]) {
        extra[setting] = file.as_str().into();
    }
    let at = of(&extra);
    assert_eq!(Admin::open(&at).await.unwrap().brokers(patience, patience).await.unwrap().len(), 1);
    let topic = topic(&at, "mutual", 1).await;
    assert_eq!(write(&at, &[record(&topic, "a", "1")]).await.messages, 1);
}

/// A server that takes connections and never answers.
async fn silent() -> (tokio::net::TcpListener, Connection) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = connection(&format!("kafka://{}", listener.local_addr().unwrap()));
    (listener, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_refused_is_told_before_patience_ends() {
    let admin = Admin::open(&connection("kafka://127.0.0.1:1")).await.unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let telling = admin.telling(Arc::new(move |note: &str| to.lock().unwrap().push(note.to_owned())));
    let asked = admin.brokers(Duration::from_secs(3600), Duration::from_secs(1));
    let error = tokio::time::timeout(Duration::from_secs(120), asked).await.unwrap().unwrap_err();
    assert!(error.message.contains("Connection refused; is the broker up, and the address right?"), "{error}");
    assert!(said.lock().unwrap().iter().any(|note| note.contains("Connection refused")));
    drop(telling);
    let_go(&said).await;
}

/// Waits until nobody has the notes any more: who is told just now still has them.
async fn let_go(said: &Arc<Mutex<Vec<String>>>) {
    let began = Instant::now();
    while Arc::strong_count(said) > 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "its notes are kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_closed_a_consumer_is_told_no_more() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let notes: kafka::Notes = Arc::new(move |note: &str| to.lock().unwrap().push(note.to_owned()));
    let consumer = Consumer::open(&connection("kafka://127.0.0.1:1"), &in_group("g"), notes).await.unwrap();
    // Who stops asking is told nothing; the words are in the consumer then.
    let _ = tokio::time::timeout(Duration::from_millis(300), consumer.partitions("x")).await;
    drop(consumer);
    let_go(&said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up() {
    let (_listener, at) = silent().await;
    let began = Instant::now();
    let (works, words) = flow_clients::test(&at).await;
    assert!(!works && began.elapsed() < Duration::from_secs(20), "{words}");
    let began = Instant::now();
    let consumer = Consumer::open(&at, &in_group("g"), no_notes()).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(300), consumer.partitions("x")).await;
    assert!(asked.is_err() && began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_and_comes_back_loses_nothing() {
    let mock = rdkafka::mocking::MockCluster::new(1).unwrap();
    mock.create_topic("events", 1, 1).unwrap();
    let at = connection(&format!("kafka://{}", mock.bootstrap_servers()));
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let producer = Producer::open(&at, &Writing { is_idempotent: true, ..Writing::default() }).await.unwrap();
    let sending = producer.sending(Arc::new(move |note: &str| to.lock().unwrap().push(note.to_owned()))).unwrap();
    sending.send(&record("events", "k", "before")).await.unwrap();
    sending.flush().await.unwrap();
    mock.broker_down(1).unwrap();
    let began = Instant::now();
    while said.lock().unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was said of a broker that is down");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    sending.send(&record("events", "k", "meanwhile")).await.unwrap();
    let flushed = tokio::time::timeout(Duration::from_millis(500), sending.flush()).await;
    assert!(flushed.is_err(), "a broker that is down took a message");
    mock.broker_up(1).unwrap();
    assert_eq!(sending.flush().await.unwrap().messages, 2);
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    consumer.assign(&[(("events".to_owned(), 0), BEGINNING)].into()).await.unwrap();
    let read: Vec<_> = read(&consumer, 2).await.iter().map(|message| text(&message.value)).collect();
    assert_eq!(read, ["before", "meanwhile"]);
    mock.broker_down(1).unwrap();
    let began = Instant::now();
    let error: ClientError = loop {
        assert!(began.elapsed() < Duration::from_secs(120), "it is not noticed that the broker is down");
        assert!(consumer.poll(1, Duration::from_millis(100)).await.unwrap().messages.is_empty());
        if let Err(error) = consumer.check().await {
            break error;
        }
    };
    assert!(error.may_retry() && error.message.contains("is the broker up"), "{error}");
}

/// The broker, after one whose name nobody knows.
fn beside_a_stranger(at: &Connection) -> Connection {
    let servers = format!("no-such-host.invalid:9092,{}:{}", at.host.as_deref().unwrap(), at.port.unwrap());
    // Else the library asks one of them, by chance, and the other only when that is of no use.
    let extra = json!({ "bootstrap.servers": servers, "enable.sparse.connections": "false" });
    let whole = json!({ "conn_type": "kafka", "extra": extra });
    Connection::from_json("broker", &whole).unwrap()
}

/// Waits until the client has said this.
async fn wait_for(said: &Mutex<Vec<String>>, words: &str) {
    let began = Instant::now();
    while !said.lock().unwrap().iter().any(|note| note.contains(words)) {
        assert!(began.elapsed() < Duration::from_secs(120), "nobody says `{words}`: {:?}", said.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broker_whose_name_is_unknown_stops_nobody() {
    let Some(at) = broker("one_broker_whose_name_is_unknown_stops_nobody") else { return };
    let topic = topic(&at, "beside", 1).await;
    let at = beside_a_stranger(&at);
    let clients = Clients::default();
    let writing = Writing { is_idempotent: true, ..Writing::default() };
    let said = Arc::new(Mutex::new(Vec::new()));
    let notes = |said: &Arc<Mutex<Vec<String>>>| -> kafka::Notes {
        let said = said.clone();
        Arc::new(move |note: &str| said.lock().unwrap().push(note.to_owned()))
    };
    let producer = kafka::kept_producer(&clients, &at, &writing).await.unwrap();
    // What went wrong before somebody listens is not said again for 30 s.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sending = producer.sending(notes(&said)).unwrap();
    wait_for(&said, "no-such-host.invalid").await;
    for n in 0..3 {
        sending.send(&record(&topic, "a", &n.to_string())).await.unwrap();
        assert_eq!(sending.flush().await.unwrap().messages, n + 1);
    }
    let again = kafka::kept_producer(&clients, &at, &writing).await.unwrap();
    assert!(Arc::ptr_eq(&producer, &again));
    let said = Arc::new(Mutex::new(Vec::new()));
    let consumer = Consumer::open(&at, &in_group(&unique("g")), notes(&said)).await.unwrap();
    consumer.assign(&[((topic.clone(), 0), BEGINNING)].into()).await.unwrap();
    let mut read = 0;
    let began = Instant::now();
    while read < 3 || !said.lock().unwrap().iter().any(|note| note.contains("no-such-host.invalid")) {
        read += consumer.poll(1, Duration::from_millis(200)).await.unwrap().messages.len();
        assert!(began.elapsed() < Duration::from_secs(120));
    }
    consumer.check().await.unwrap();
    consumer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_producer_without_hope_is_replaced() {
    let clients = Clients::default();
    let at = connection("kafka://no-such-host.invalid:9092");
    let first = kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap();
    let error = first.check("any").await.unwrap_err();
    assert!(error.message.contains("is the broker's name right?"), "{error}");
    let second = kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_is_gone_is_told_to_who_keeps_offsets() {
    let Some(at) = broker("an_offset_that_is_gone_is_told_to_who_keeps_offsets") else { return };
    let topic = topic(&at, "gone", 1).await;
    write(&at, &[record(&topic, "a", "1")]).await;
    let look = async |is_strict: bool| {
        let reading = Reading { is_strict, ..in_group(&unique("g")) };
        let consumer = Consumer::open(&at, &reading, no_notes()).await.unwrap();
        consumer.assign(&[((topic.clone(), 0), 100)].into()).await.unwrap();
        let began = Instant::now();
        loop {
            let polled = consumer.poll(1, Duration::from_secs(1)).await.unwrap();
            if polled.is_lost || !polled.messages.is_empty() {
                consumer.close().await;
                return polled.is_lost;
            }
            assert!(began.elapsed() < Duration::from_secs(120));
        }
    };
    assert!(look(true).await);
    assert!(!look(false).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_client_that_left_somebody_without_an_answer_is_replaced() {
    let (_listener, at) = silent().await;
    let clients = Clients::default();
    let admin = kafka::kept_admin(&clients, &at).await.unwrap();
    let producer = kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap();
    // The task's own time is up before the client's.
    let short = Duration::from_millis(100);
    assert!(tokio::time::timeout(short, admin.topics()).await.is_err());
    assert!(tokio::time::timeout(short, producer.check("x")).await.is_err());
    assert!(!Arc::ptr_eq(&admin, &kafka::kept_admin(&clients, &at).await.unwrap()));
    let again = kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap();
    assert!(!Arc::ptr_eq(&producer, &again));
    let sending = again.sending(no_notes()).unwrap();
    sending.send(&record("x", "k", "v")).await.unwrap();
    drop(sending);
    assert!(!Arc::ptr_eq(&again, &kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_client_is_kept_while_all_is_well_and_not_after_its_broker_was_away() {
    let mock = rdkafka::mocking::MockCluster::new(1).unwrap();
    mock.create_topic("events", 1, 1).unwrap();
    let at = connection(&format!("kafka://{}", mock.bootstrap_servers()));
    let clients = Clients::default();
    let admin = kafka::kept_admin(&clients, &at).await.unwrap();
    admin.topic("events").await.unwrap();
    let producer = kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap();
    let sending = producer.sending(no_notes()).unwrap();
    sending.send(&record("events", "k", "v")).await.unwrap();
    sending.flush().await.unwrap();
    drop(sending);
    assert!(Arc::ptr_eq(&admin, &kafka::kept_admin(&clients, &at).await.unwrap()));
    assert!(Arc::ptr_eq(&producer, &kafka::kept_producer(&clients, &at, &Writing::default()).await.unwrap()));
    mock.broker_down(1).unwrap();
    let began = Instant::now();
    while !admin.is_dead() {
        assert!(began.elapsed() < Duration::from_secs(120), "it is not noticed that the broker is away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    mock.broker_up(1).unwrap();
    let other = kafka::kept_admin(&clients, &at).await.unwrap();
    assert!(!Arc::ptr_eq(&admin, &other));
    other.topic("events").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_broker_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = connection(&format!("kafka://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut caller, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let (works, words) = flow_clients::test(&at).await;
    assert!(!works && words.contains("does not answer as a broker does"), "{words}");
}
