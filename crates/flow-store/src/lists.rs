//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

/// How far clocks of hosts may be apart, where one moment is looked for by another.
const SKEW_MICROS: i64 = 3_600_000_000;

pub(crate) mod calendar;
pub(crate) mod cards;
mod connections;
pub(crate) mod dags;
pub(crate) mod events;
pub(crate) mod grid;
mod import_errors;
pub(crate) mod pools;
mod processes;
mod runs;
pub(crate) mod task_instances;
mod variables;
pub(crate) mod versions;
pub(crate) mod xcoms;

pub use calendar::DayCount;
pub use cards::RunBrief;
pub use connections::{ConnectionFilter, ConnectionOrder};
pub use dags::{DagCount, DagFilter, DagLine, DagOrder, MissingPool, RunCount};
pub use events::{EventFilter, EventLine, EventOrder};
pub use grid::{GridCell, GridColumn, GridRun, TaskBrief, TryBrief};
pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use pools::PoolFilter;
pub use processes::{ProcessFilter, ProcessOrder};
pub use runs::{DagRunFilter, DagRunOrder, with_run_id};
pub use task_instances::{TaskFilter, TaskLine, TaskOrder, with_task_key};
pub use variables::{VariableFilter, VariableOrder};
pub use versions::{VersionLine, VersionOrder};
pub use xcoms::{XComFilter, XComKey, XComLine, XComOrder, XComWritten};
