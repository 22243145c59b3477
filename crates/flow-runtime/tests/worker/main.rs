//! What a worker does with an attempt, from the claim to the report: real operators, a real database, real logs.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "../../../flow-clients/tests/support/sink.rs"]
#[expect(unreachable_pub, reason = "shared with tests of other crates")]
mod sink;
#[path = "../../../flow-store/tests/support/mod.rs"]
#[expect(dead_code, reason = "the suite of the store uses more of it")]
mod support;
#[path = "../../../flow-store/tests/conformance/world.rs"]
#[expect(dead_code, unused_imports, reason = "the suite of the store uses more of it")]
mod world;

mod place;

mod afterwards;
mod beside;
mod callbacks;
mod masking;
