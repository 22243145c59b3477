//! `decide`: one pass over one run. To be written.

use super::{Decision, RunView};
use crate::{dag::Dag, run::DagRun, time::Timestamp};

/// Says what should change in a run, and when to look again.
pub fn decide(view: &RunView<'_>, now: Timestamp) -> Decision {
    let _ = (view, now);
    Decision::default()
}

/// Says which of a DAG's queued runs (oldest first) may start while `running` others are under way, by position.
pub fn start_runs(dag: &Dag, queued: &[DagRun], running: u32) -> Vec<usize> {
    let _ = (dag, queued, running);
    Vec::new()
}
