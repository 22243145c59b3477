//! Pictures of DAGs. Pure: data in, text out.
//!
//! [`picture`] takes from a DAG what is drawn, [`layout`] finds places, [`svg`], [`ascii`] and [`dot`] write.

pub(crate) mod ascii;
pub(crate) mod dot;
pub(crate) mod layout;
pub(crate) mod picture;
pub(crate) mod svg;
