//! Messages as JSON and back; and a broker for the tests of operators.

use flow_clients::kafka::{BEGINNING, Consumer, Offsets, Reading, no_notes};
use flow_core::connection::Connection;

use super::*;
use crate::testing::World;

/// A name for a topic on a broker that the connection `kafka_default` leads to, or `None`, said aloud.
pub(crate) fn broker(test: &str, world: &World) -> Option<String> {
    let Ok(address) = std::env::var("FLOW_TEST_KAFKA") else {
        println!("skipped: {test} needs a Kafka broker (scripts/with-kafka)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
        return None;
    };
    let connection = json!({ "conn_type": "kafka", "extra": { "bootstrap.servers": address } });
    world.services.lock().unwrap().connections.insert(kafka_default(), connection);
    Some(format!("flow{}", world.cx.identity.token.replace(|c: char| !c.is_ascii_alphanumeric(), "-")))
}

/// Everything that is in a topic and committed.
pub(crate) async fn messages_of(topic: &str) -> Vec<Map<String, Value>> {
    let at = Connection::parse("k", &format!("kafka://{}", std::env::var("FLOW_TEST_KAFKA").unwrap())).unwrap();
    let consumer = Consumer::open(&at, &Reading::default(), no_notes()).await.unwrap();
    let partitions = consumer.partitions(topic).await.unwrap();
    let all: Offsets = partitions.iter().map(|partition| ((topic.to_owned(), *partition), BEGINNING)).collect();
    consumer.assign(&all).await.unwrap();
    let (mut messages, mut ends) = (Vec::new(), std::collections::BTreeSet::new());
    while ends.len() < partitions.len() {
        let polled = consumer.poll(1_000, std::time::Duration::from_secs(5)).await.unwrap();
        messages.extend(polled.messages.iter().map(|message| names(message, ValueFormat::Auto).unwrap()));
        ends.extend(polled.ends);
    }
    messages
}

fn message(value: &[u8]) -> Message {
    Message {
        topic: "t".into(),
        partition: 1,
        offset: 7,
        timestamp: Some(1_700_000_000_000),
        key: Some(b"k".to_vec()),
        value: Some(value.to_vec()),
        headers: vec![("h".to_owned(), Some(b"1".to_vec())), ("n".to_owned(), None)],
    }
}

#[test]
fn a_message_becomes_names() {
    assert_eq!(
        Value::Object(names(&message(b"{\"a\": 1}"), ValueFormat::Auto).unwrap()),
        json!({ "topic": "t", "partition": 1, "offset": 7, "timestamp": "2023-11-14T22:13:20.000Z", "key": "k",
                "value": { "a": 1 }, "headers": { "h": "1", "n": null } })
    );
    let value = |bytes: &[u8], format| names(&message(bytes), format).map(|names| names["value"].clone());
    for (bytes, format, expected) in [
        (&b"12"[..], ValueFormat::Auto, json!("12")),
        (b"12", ValueFormat::Json, json!(12)),
        (b"[1]", ValueFormat::Auto, json!([1])),
        (b"[1]", ValueFormat::Text, json!("[1]")),
        (b"{odd", ValueFormat::Auto, json!("{odd")),
        (b"\xff\x00", ValueFormat::Auto, json!({ "$base64": "/wA=" })),
    ] {
        assert_eq!(value(bytes, format).unwrap(), expected);
    }
    let error = value(b"odd", ValueFormat::Json).unwrap_err().to_string();
    assert!(error.starts_with("the value of message 7 of partition 1 of `t` is no JSON"), "{error}");
}

#[test]
fn what_was_read_can_be_written() {
    for value in [&b"{\"a\":1}"[..], b"text", b"\xff"] {
        let read = message(value);
        let record = record_of("u", &Value::Object(names(&read, ValueFormat::Auto).unwrap())).unwrap();
        assert_eq!((record.key, record.value, record.headers), (read.key, read.value, read.headers));
        assert_eq!((record.partition, record.timestamp), (None, read.timestamp));
    }
}

#[test]
fn a_message_is_a_map_or_its_value() {
    let value = |given: Value| record_of("t", &given).map(|record| record.value);
    assert_eq!(value(json!("x")).unwrap(), Some(b"x".to_vec()));
    assert_eq!(value(json!(1.5)).unwrap(), Some(b"1.5".to_vec()));
    assert_eq!(value(json!(null)).unwrap(), None);
    assert_eq!(value(json!({ "key": "k" })).unwrap(), None);
    assert_eq!(value(json!({ "value": { "a": [1] } })).unwrap(), Some(b"{\"a\":[1]}".to_vec()));
    assert_eq!(record_of("t", &json!({ "partition": 3 })).unwrap().partition, Some(3));
    for (given, expected) in [
        (json!({ "temperature": 3 }), "a message has no `temperature`"),
        (json!({ "partition": -1 }), "`partition` must be"),
        (json!({ "timestamp": "soon" }), "`timestamp` must be"),
        (json!({ "headers": [1] }), "`headers` must be"),
        (json!({ "value": { "$base64": "?" } }), "must hold base64"),
    ] {
        let error = record_of("t", &given).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
