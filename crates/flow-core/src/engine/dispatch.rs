//! `hand_out`: who gets the free slots. To be written.

use super::{Room, Waiting};

/// Says which of the waiting task instances get their slots, by position. `room` is charged for each.
pub fn hand_out(waiting: &[Waiting], room: &mut Room) -> Vec<usize> {
    let _ = (waiting, room);
    Vec::new()
}
