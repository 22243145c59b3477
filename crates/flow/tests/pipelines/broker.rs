//! A Kafka broker for pipelines, and `flow kafka` to write to it and read from it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::bench::skip;

/// A broker, with topics of its own by their prefix.
pub(crate) struct Broker {
    address: String,
    pub(crate) uri: String,
    prefix: String,
}

impl Broker {
    /// Finds it, where there is one.
    pub(crate) fn find(test: &str) -> Option<Self> {
        let Ok(address) = std::env::var("FLOW_TEST_KAFKA") else {
            skip(test, "a Kafka broker: scripts/with-kafka COMMAND");
            return None;
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let prefix = format!("pipeline-{}-{}", std::process::id(), now.as_nanos());
        Some(Self { uri: format!("kafka://{address}"), address, prefix })
    }

    /// The name of a topic that nobody else uses.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Calls `flow kafka`; returns what it said.
    pub(crate) fn call(&self, args: &[&str], stdin: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command.arg("kafka").args(args).args(["--bootstrap", &self.address]).env_clear().env("HOME", folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{args:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Everything that is in a topic.
    pub(crate) fn messages(&self, topic: &str) -> Vec<Value> {
        let said = self.call(&["consume", topic, "--from-beginning", "--timeout", "3s", "-o", "json"], "");
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
