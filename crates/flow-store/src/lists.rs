//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

mod connections;
pub(crate) mod dags;
mod import_errors;
pub(crate) mod pools;
mod processes;
mod runs;
mod variables;
pub(crate) mod versions;

pub use connections::{ConnectionFilter, ConnectionOrder};
pub use dags::{DagFilter, DagLine, DagOrder, MissingPool, RunCount};
pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use pools::PoolFilter;
pub use processes::{ProcessFilter, ProcessOrder};
pub use runs::{DagRunFilter, DagRunOrder, with_run_id};
pub use variables::{VariableFilter, VariableOrder};
pub use versions::{VersionLine, VersionOrder};
