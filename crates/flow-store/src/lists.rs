//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

/// How far clocks of hosts may be apart, where one moment is looked for by another.
const SKEW_MICROS: i64 = 3_600_000_000;

mod connections;
pub(crate) mod dags;
pub(crate) mod events;
mod import_errors;
pub(crate) mod pools;
mod processes;
mod runs;
pub(crate) mod task_instances;
mod variables;
pub(crate) mod versions;
pub(crate) mod xcoms;

pub use connections::{ConnectionFilter, ConnectionOrder};
pub use dags::{DagFilter, DagLine, DagOrder, MissingPool, RunCount};
pub use events::{EventFilter, EventLine, EventOrder};
pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use pools::PoolFilter;
pub use processes::{ProcessFilter, ProcessOrder};
pub use runs::{DagRunFilter, DagRunOrder, with_run_id};
pub use task_instances::{TaskFilter, TaskLine, TaskOrder, with_task_key};
pub use variables::{VariableFilter, VariableOrder};
pub use versions::{VersionLine, VersionOrder};
pub use xcoms::{XComFilter, XComKey, XComLine, XComOrder, XComWritten};
