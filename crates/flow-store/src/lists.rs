//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

mod import_errors;
mod runs;
pub(crate) mod versions;

pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use runs::{DagRunFilter, DagRunOrder, with_run_id};
pub use versions::VersionLine;
