//! The only place that reads the clock.
//!
//! Everything else is handed a [`Clock`], so that a test can say what time it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use flow_core::Timestamp;

/// Tells the time. Cheap to clone; clones of a set clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds since 1970 of a clock that is set by hand.
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that stands still until [`Clock::set`] or [`Clock::advance`] moves it.
    pub fn standing_at(moment: Timestamp) -> Self {
        Self { set: Some(Arc::new(AtomicI64::new(moment.as_micros()))) }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        match &self.set {
            Some(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
            None => system_now(),
        }
    }

    /// Moves a standing clock to a moment, which may be earlier. The system's clock is left alone.
    pub fn set(&self, moment: Timestamp) {
        if let Some(micros) = &self.set {
            micros.store(moment.as_micros(), Ordering::SeqCst);
        }
    }

    /// Moves a standing clock forward. The system's clock is left alone.
    pub fn advance(&self, span: Duration) {
        self.set(self.now() + span);
    }
}

/// Returns the system's time, for those who can take only a plain function.
pub fn system_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the clock")]
    let now = jiff::Timestamp::now();
    Timestamp::from_jiff(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_told_and_with_its_clones() {
        let start = Timestamp::from_micros(1_000_000);
        let clock = Clock::standing_at(start);
        let clone = clock.clone();
        assert_eq!(clock.now(), start);
        clone.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), start + Duration::from_secs(5));
        clock.set(start);
        assert_eq!(clone.now(), start);
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        let before = system_now();
        clock.set(Timestamp::MIN);
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.now() >= before);
        assert!(clock.now() < before + Duration::from_secs(1_000));
    }
}
