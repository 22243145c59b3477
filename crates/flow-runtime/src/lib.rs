//! The loops of Flow and what they stand on.
//!
//! Loops read facts, call the core and write decisions. Nothing here knows HTTP or how SQL is spelled.

pub mod callbacks;
pub mod clock;
pub mod dag_files;
pub mod folder;
pub mod host;
mod kafka;
pub mod log;
pub mod measure;
pub mod node;
pub mod pass;
pub mod settings;
pub mod shutdown;
pub mod traces;
pub mod worker;

pub use clock::Clock;
pub use node::Node;
pub use shutdown::Stop;
pub use traces::Tracer;
pub use worker::Workshop;
