//! Numbers of events that were skipped. Pure.
//!
//! Postgres gives numbers when rows are written, and shows rows when they are committed: whoever reads "what came
//! after number 7" may see 9 while 8 is still to come. Each number that is skipped is asked for again, for a while.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a skipped number is asked for; no transaction of Flow is open for longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most numbers that are asked for at once.
pub(super) const MOST: u32 = 10_000;

/// Which numbers are missing, and since when.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    missing: BTreeMap<i64, Instant>,
}

impl Gaps {
    /// Notes the numbers between `last` and the end of `seen`, which is sorted, that are not in it. Says whether all
    /// of them could be kept.
    pub(super) fn note(&mut self, last: i64, seen: &[i64], now: Instant) -> bool {
        let mut next = last + 1;
        for &id in seen {
            let room = (MOST as usize).saturating_sub(self.missing.len());
            let span = usize::try_from(id - next).unwrap_or(0);
            if span > room {
                return false;
            }
            self.missing.extend((next..id).map(|missing| (missing, now)));
            next = id + 1;
        }
        true
    }

    /// Returns the numbers to ask for, and forgets those that were waited for long enough.
    pub(super) fn wanted(&mut self, now: Instant) -> Vec<i64> {
        self.missing.retain(|_, since| now.saturating_duration_since(*since) <= PATIENCE);
        self.missing.keys().copied().collect()
    }

    /// A number has come.
    pub(super) fn close(&mut self, id: i64) {
        self.missing.remove(&id);
    }

    pub(super) fn clear(&mut self) {
        self.missing.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_asked_for_until_it_comes_or_is_given_up() {
        let start = Instant::now();
        let mut gaps = Gaps::default();
        assert!(gaps.note(7, &[8, 10, 13], start));
        assert_eq!(gaps.wanted(start), [9, 11, 12]);
        gaps.close(11);
        assert!(gaps.note(13, &[], start));
        assert!(gaps.note(13, &[15], start + PATIENCE));
        assert_eq!(gaps.wanted(start + PATIENCE), [9, 12, 14]);
        assert_eq!(gaps.wanted(start + PATIENCE + Duration::from_secs(1)), [14]);
    }

    #[test]
    fn the_list_of_what_is_missing_is_bounded() {
        let mut gaps = Gaps::default();
        assert!(!gaps.note(0, &[i64::MAX], Instant::now()));
        assert!(gaps.note(0, &[10_001], Instant::now()));
        assert!(!gaps.note(10_001, &[10_003], Instant::now()));
        assert_eq!(gaps.wanted(Instant::now()).len(), 10_000);
    }
}
