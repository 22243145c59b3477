//! What only the user interface asks for.

mod check;
mod files;
mod graph;
