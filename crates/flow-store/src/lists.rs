//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

pub(crate) mod dags;
mod import_errors;
mod processes;
pub(crate) mod versions;

pub use dags::{DagFilter, DagLine, DagOrder, MissingPool, RunCount};
pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use processes::{ProcessFilter, ProcessOrder};
pub use versions::{VersionLine, VersionOrder};
