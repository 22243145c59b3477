//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

mod import_errors;
pub(crate) mod versions;

pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use versions::VersionLine;
