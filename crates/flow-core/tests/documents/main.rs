//! DAG documents, from text to checked DAG, as a user meets them: what is accepted, what it means, and every
//! complaint with its place.

mod airflow;
mod arguments;
mod callbacks;
mod complaints;
mod graph;
mod limits;
mod meaning;
mod measured;
mod support;
mod templates;
