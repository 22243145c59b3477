//! What only the user interface asks for.

mod graph;
