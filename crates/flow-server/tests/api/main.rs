//! The API from the outside of its router, on SQLite and on Postgres. A file a resource.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]
mod client;
#[path = "../../../flow-clients/tests/server/mod.rs"]
mod server;
#[path = "../../../flow-store/tests/support/mod.rs"]
#[expect(dead_code, reason = "the suite of the store uses more of it")]
mod support;
#[path = "../../../flow-store/tests/conformance/world.rs"]
#[expect(dead_code, reason = "the suite of the store uses more of it")]
mod world;

mod absent;
mod access;
mod airflow;
mod command_line;
mod connections;
mod dag_runs;
mod dags;
mod event_logs;
mod events;
mod import_errors;
mod login;
mod logs;
mod metrics;
mod pools;
mod routes;
mod task_instances;
mod ui;
mod variables;
mod web_ui;
mod xcoms;
