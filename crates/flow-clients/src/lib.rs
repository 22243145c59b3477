//! Clients of other systems: HTTP servers, SQL databases, Kafka, mail servers.
//!
//! # Map
//!
//! | module | question it answers |
//! |---|---|
//! | [`http`] | how is an HTTP server asked? |
//! | [`sql`] | how is a database asked, and how do rows get in and out? |
//! | [`kafka`] | how do messages get in and out? |
//! | [`mail`] | how is a mail sent? |
//! | [`kept`] | which clients stay open between two tasks, and for how long? |
//! | [`mod@test`] | does a connection work? |
//! | [`error`] | what can go wrong, and may another try help? |
//!
//! # Invariants of this crate
//!
//! - It knows connections, not tasks: no DAG, no run, no log.
//! - Nothing waits without a bound, and nothing that an answer holds is kept in memory whole unless it is bounded.
//! - An error never holds a password.

pub mod error;
mod fit;
pub mod http;
pub mod kafka;
pub mod kept;
pub mod mail;
mod reach;
pub mod sql;
pub mod test;

pub use error::{ClientError, Kind, Result};
pub use kept::Clients;
pub use test::test;
