//! The lists of the API: a file a resource, each with its filters, its orders and its rows.

mod connections;
mod import_errors;
pub(crate) mod pools;
mod variables;
pub(crate) mod versions;

pub use connections::{ConnectionFilter, ConnectionOrder};
pub use import_errors::{ImportErrorFilter, ImportErrorOrder};
pub use pools::PoolFilter;
pub use variables::{VariableFilter, VariableOrder};
pub use versions::VersionLine;
