//! Pictures of DAGs: what is drawn, and where.
//!
//! [`picture`] takes from a DAG what is drawn, [`layout`] puts it into layers and finds places across them, and
//! [`drawing`] finds places along them and ways for the arrows. How it looks is for whoever draws it: the command line
//! as SVG or letters, the user interface in a browser.

pub mod drawing;
pub mod layout;
pub mod picture;
mod tracks;

pub use drawing::{Direction, Drawing, Rect, draw};
pub use picture::{Arrow, Box, Frame, Member, Picture, outermost};
