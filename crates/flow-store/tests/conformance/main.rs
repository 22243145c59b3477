//! Every public method of the store, on SQLite and on Postgres: one suite, both databases.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "../support/mod.rs"]
mod support;
mod world;

mod attempts;
mod callbacks;
mod dags;
mod decisions;
mod events;
mod files;
mod looks;
mod opening;
mod processes;
mod run_lists;
mod runs;
mod schema;
mod secrets;
mod signals;
mod slots;
mod tasks;
mod users;
