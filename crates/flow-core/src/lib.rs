//! The thinking of Flow: what a DAG document means, when runs are due, what happens next.
//!
//! # Map
//!
//! | module | question it answers |
//! |---|---|
//! | [`dag`] | what does this YAML text mean, and what is wrong with it? |
//! | [`timetable`] | at which moments does a schedule ask for a run? |
//! | [`state`] | which states are there, and who may move between them? |
//! | [`run`] | what is known about a run, its task instances and their attempts? |
//! | [`engine`] | what should change now, and when must we look again? |
//! | [`template`] | what do a task's arguments look like for this run? |
//! | [`graph`] | what does a DAG look like: where are its boxes, and which ways do its arrows take? |
//! | [`catalog`] | which operators are there, and which arguments do they take? |
//! | [`connection`], [`secret`] | where is another system, and what of it must nobody see? |
//! | [`mask`] | how are secrets hidden in what is written and said? |
//!
//! # Invariants of this crate
//!
//! - No function reads the clock, the environment, a file or a random number.
//! - Parsing never fails: it returns what it understood and a list of complaints.
//! - A task leaves a finished state only through [`engine::edit()`].
//! - Deciding twice without a change in between changes nothing.

pub mod catalog;
pub mod connection;
pub mod dag;
pub mod engine;
pub mod graph;
pub mod id;
pub mod mask;
pub mod run;
pub mod secret;
pub mod state;
pub mod template;
pub mod time;
pub mod timetable;

pub use dag::{Dag, Task};
pub use id::{DagId, RunId, RunKey, TaskId, TaskIx};
pub use run::{Attempt, DagRun, Outcome, TaskInstance};
pub use state::{RunState, RunType, TaskState, TriggerRule};
pub use time::Timestamp;
