//! The pipelines of `examples/`, as people run them: a Flow, the servers that they need, and what is there afterwards.
//! A server that is not there is told of by name, and fails where `FLOW_TEST_ALL` is set.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "pipelines/api_to_warehouse.rs"]
mod api_to_warehouse;
#[path = "pipelines/bench.rs"]
mod bench;
#[path = "pipelines/broker.rs"]
mod broker;
#[path = "pipelines/lakehouse_microbatch.rs"]
mod lakehouse_microbatch;
#[expect(dead_code, reason = "others need Python")]
mod place;
#[path = "pipelines/shell_etl_postgres.rs"]
mod shell_etl_postgres;
#[path = "../../flow-clients/tests/support/sink.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with tests of other crates")]
mod sink;
#[path = "pipelines/temperature_alert.rs"]
mod temperature_alert;
#[path = "pipelines/toll_data.rs"]
mod toll_data;
#[path = "pipelines/toll_stream.rs"]
mod toll_stream;
#[path = "pipelines/weather_kafka.rs"]
mod weather_kafka;
