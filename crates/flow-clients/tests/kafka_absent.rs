//! A build without the feature `kafka`: everything that needs it says how to get it.
#![cfg(not(feature = "kafka"))]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::sync::Arc;

use flow_clients::{
    ClientError,
    kafka::{Admin, Consumer, Producer, Reading, Writing},
};
use flow_core::connection::Connection;

#[tokio::test]
async fn a_build_without_kafka_says_how_to_get_it() {
    let connection = Connection::parse("kafka_default", "kafka://me:hunter2@127.0.0.1:9092").unwrap();
    let check = |error: ClientError| {
        assert!(error.message.contains("build it with the feature `kafka`"), "{error}");
        assert!(!error.may_retry() && !error.message.contains("hunter2"), "{error}");
    };
    check(Consumer::open(&connection, &Reading::default(), Arc::new(|_: &str| {})).await.err().unwrap());
    check(Producer::open(&connection, &Writing::default()).await.err().unwrap());
    check(Admin::open(&connection).await.err().unwrap());
    let (works, words) = flow_clients::test(&connection).await;
    assert!(!works && words.contains("build it with the feature `kafka`"), "{words}");
}
