//! A build without Kafka: everything answers how to get it.

use std::{collections::BTreeMap, convert::Infallible, future::ready, time::Duration};

use flow_core::connection::Connection;

use super::{Created, NewTopic, Notes, Offsets, Polled, Reading, Record, Topic, TopicSetting, Writing, Written};
use crate::{ClientError, Result};

/// Reads messages.
pub struct Consumer(Infallible);
/// Writes messages.
pub struct Producer(Infallible);
/// The messages that one task writes.
pub struct Sending(Infallible);
/// Makes, lists and deletes topics.
pub struct Admin(Infallible);
/// Which member of a group a consumer is.
pub struct GroupMetadata(Infallible);
/// Somebody who is told what goes wrong.
pub struct Telling(Infallible);

fn absent() -> ClientError {
    ClientError::settings(
        "this build of Flow cannot speak to Kafka: take one that can, or build it with the feature `kafka` (needs a C \
         compiler, make and the headers of OpenSSL): `cargo build --release --features kafka`",
    )
}

macro_rules! none {
    ($type:ident, async { $($name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)* }) => {
        #[expect(clippy::missing_errors_doc, reason = "nobody can call it: there is none of them")]
        impl $type {
            $(
                /// As with the feature `kafka`.
                pub async fn $name(&self, $($arg: $kind),*) -> Result<$answer> {
                    $(let _ = $arg;)*
                    let never: Infallible = ready(self.0).await;
                    match never {}
                }
            )*
        }
    };
}

none!(Consumer, async {
    partitions(topic: &str) -> Vec<i32>;
    subscribe(topics: &[String]) -> ();
    assign(offsets: &Offsets) -> ();
    poll(most: usize, wait: Duration) -> Polled;
    check() -> ();
    commit(offsets: &Offsets) -> ();
    committed(partitions: &[(String, i32)]) -> Offsets;
    watermarks(topic: &str, partition: i32) -> (i64, i64);
    offsets_since(partitions: &[(String, i32)], millis: i64) -> Offsets;
});

none!(Producer, async {
    check(topic: &str) -> usize;
    begin() -> ();
    send_offsets(offsets: &Offsets, group: GroupMetadata) -> ();
    commit() -> ();
    abort() -> ();
});

none!(Sending, async {
    send(record: &Record) -> ();
    flush() -> Written;
});

none!(Admin, async {
    brokers(patience: Duration, refused: Duration) -> Vec<(i32, String)>;
    topics() -> Vec<Topic>;
    topic(name: &str) -> Topic;
    watermarks(name: &str) -> BTreeMap<i32, (i64, i64)>;
    settings(name: &str) -> Vec<TopicSetting>;
    create(topic: &NewTopic) -> Created;
    add_partitions(name: &str, count: usize) -> ();
    delete(name: &str) -> bool;
});

impl Consumer {
    /// Says how to get it.
    ///
    /// # Errors
    ///
    /// Always.
    pub async fn open(_: &Connection, _: &Reading, _: Notes) -> Result<Self> {
        ready(Err(absent())).await
    }

    /// As with the feature `kafka`.
    pub fn hush(&self) {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    pub fn has_joined(&self) -> bool {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    ///
    /// # Errors
    ///
    /// Never: there is none.
    pub fn assignment(&self) -> Result<Vec<(String, i32)>> {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    ///
    /// # Errors
    ///
    /// Never: there is none.
    pub fn group_metadata(&self) -> Result<GroupMetadata> {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    pub async fn close(self) {
        let never: Infallible = ready(self.0).await;
        match never {}
    }
}

impl Producer {
    /// Says how to get it.
    ///
    /// # Errors
    ///
    /// Always.
    pub async fn open(_: &Connection, _: &Writing) -> Result<Self> {
        ready(Err(absent())).await
    }

    /// As with the feature `kafka`.
    pub fn is_dead(&self) -> bool {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    ///
    /// # Errors
    ///
    /// Never: there is none.
    pub fn sending(&self, _: Notes) -> Result<Sending> {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    pub async fn close(self) {
        let never: Infallible = ready(self.0).await;
        match never {}
    }
}

impl Admin {
    /// Says how to get it.
    ///
    /// # Errors
    ///
    /// Always.
    pub async fn open(_: &Connection) -> Result<Self> {
        ready(Err(absent())).await
    }

    /// As with the feature `kafka`.
    pub fn telling(&self, _: Notes) -> Telling {
        match self.0 {}
    }

    /// As with the feature `kafka`.
    pub fn is_dead(&self) -> bool {
        match self.0 {}
    }
}
