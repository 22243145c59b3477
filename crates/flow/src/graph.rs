//! Pictures of DAGs as text. Pure: data in, text out.
//!
//! What is drawn and where is found out in `flow_core::graph`; [`svg`], [`ascii`] and [`dot`] write.

pub(crate) mod ascii;
pub(crate) mod dot;
pub(crate) mod svg;

#[cfg(test)]
pub(crate) mod testing;
