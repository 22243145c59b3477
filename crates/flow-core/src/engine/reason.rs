//! `explain`: why is a task instance where it is. To be written.

use super::{Reason, RunView};
use crate::time::Timestamp;

/// Says why the task instance at a position of the view is where it is.
pub fn explain(view: &RunView<'_>, at: usize, now: Timestamp) -> Vec<Reason> {
    let _ = (view, at, now);
    Vec::new()
}
