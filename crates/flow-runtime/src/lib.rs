//! The loops of Flow and what they stand on.
//!
//! Loops read facts, call the core and write decisions; see HOUSE_STYLE 3. Nothing here knows HTTP or SQL.

pub mod clock;
pub mod dag_files;
pub mod log;
pub mod shutdown;

pub use clock::Clock;
pub use shutdown::Stop;
