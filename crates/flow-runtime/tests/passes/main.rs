//! Passes over a real database, with a worker and a clock that do what the test says.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[expect(dead_code, reason = "this suite asks less of a database than the store's own")]
#[path = "../../../flow-store/tests/support/mod.rs"]
mod support;
mod world;

mod crowds;
mod edits;
mod folder;
mod history;
mod limits;
mod schedulers;
mod tasks;
mod timetables;
