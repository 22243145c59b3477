//! The loops of Flow and what they stand on.
//!
//! Loops read facts, call the core and write decisions. Nothing here knows HTTP or how SQL is spelled.

pub mod clock;
pub mod log;
pub mod pass;
pub mod shutdown;

pub use clock::Clock;
pub use shutdown::Stop;
