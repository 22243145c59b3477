//! `edit`: what a person asks for. To be written.

use super::{Decision, Edit, Refused, RunView};
use crate::time::Timestamp;

/// Says what an edit changes.
///
/// # Errors
///
/// A [`Refused`] when the request makes no sense for this run.
pub fn edit(view: &RunView<'_>, request: &Edit, now: Timestamp) -> Result<Decision, Refused> {
    let _ = (view, request, now);
    Ok(Decision::default())
}
