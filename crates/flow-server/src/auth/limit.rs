//! How often someone may try: logins with a growing pause after each failure, tokens at a steady rate. In memory, a
//! process each, and bounded: when there are too many names, the oldest are forgotten.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flow_core::Timestamp;

/// Most names that are remembered.
const NAMES_MAX: usize = 10_000;
/// After so long without a failure all is forgiven.
const FORGET: Duration = Duration::from_secs(15 * 60);

/// A pause after failures, twice as long each time.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// Failures without a pause.
    free: u32,
    longest: Duration,
    names: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Backoff {
    pub(crate) fn new(free: u32, longest: Duration) -> Self {
        Self { free, longest, names: Mutex::default() }
    }

    /// Begins a try, which counts as failed until [`Self::succeeded`]: so those that are made at once count too.
    ///
    /// # Errors
    ///
    /// Seconds to wait.
    pub(crate) fn begin(&self, name: &str, now: Timestamp) -> Result<(), u64> {
        let mut names = self.names();
        make_room(&mut names, |failures| failures.last, now);
        let failures = names.entry(name.to_owned()).or_insert(Failures { count: 0, last: now, until: now });
        if failures.until > now {
            return Err(seconds(failures.until.since(now)));
        }
        if now.since(failures.last) > FORGET {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if let Some(over) = failures.count.checked_sub(self.free + 1) {
            let pause = Duration::from_secs(1 << over.min(20)).min(self.longest);
            failures.until = now + pause;
        }
        Ok(())
    }

    /// Says whether one has to wait, and counts nothing.
    ///
    /// # Errors
    ///
    /// Seconds to wait.
    pub(crate) fn check(&self, name: &str, now: Timestamp) -> Result<(), u64> {
        match self.names().get(name) {
            Some(failures) if failures.until > now => Err(seconds(failures.until.since(now))),
            Some(_) | None => Ok(()),
        }
    }

    /// Says whether there have been more failures than are free.
    pub(crate) fn is_over(&self, name: &str) -> bool {
        self.names().get(name).is_some_and(|failures| failures.count > self.free)
    }

    /// Takes back what the try counted; `all`: and every failure before.
    pub(crate) fn succeeded(&self, name: &str, all: bool) {
        let mut names = self.names();
        if all {
            names.remove(name);
        } else if let Some(failures) = names.get_mut(name) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count <= self.free {
                failures.until = failures.last;
            }
        }
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many at once, and then so many a second.
#[derive(Debug)]
pub(crate) struct Rate {
    burst: f64,
    a_second: f64,
    names: Mutex<HashMap<String, (f64, Timestamp)>>,
}

impl Rate {
    pub(crate) fn new(burst: u32, a_second: u32) -> Self {
        Self { burst: f64::from(burst), a_second: f64::from(a_second), names: Mutex::default() }
    }

    /// Says whether one more would be too many; seconds to wait then.
    pub(crate) fn check(&self, name: &str, now: Timestamp) -> Result<(), u64> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let left = names.get(name).map_or(self.burst, |entry| self.left(*entry, now));
        if left < 1.0 { Err(1) } else { Ok(()) }
    }

    /// Counts one.
    pub(crate) fn count(&self, name: &str, now: Timestamp) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut names, |(_, at)| *at, now);
        let entry = names.entry(name.to_owned()).or_insert((self.burst, now));
        *entry = ((self.left(*entry, now) - 1.0).max(0.0), now);
    }

    fn left(&self, (left, at): (f64, Timestamp), now: Timestamp) -> f64 {
        self.burst.min(left + now.since(at).as_secs_f64() * self.a_second)
    }
}

/// Forgets what is long ago when there are too many; and then the older half, if that is not enough.
fn make_room<T>(names: &mut HashMap<String, T>, last: impl Fn(&T) -> Timestamp, now: Timestamp) {
    if names.len() < NAMES_MAX {
        return;
    }
    names.retain(|_, entry| now.since(last(entry)) <= FORGET);
    if names.len() < NAMES_MAX {
        return;
    }
    let mut moments: Vec<Timestamp> = names.values().map(&last).collect();
    moments.sort_unstable();
    let middle = moments[moments.len() / 2];
    names.retain(|_, entry| last(entry) > middle);
}

/// Returns the name under which an address is counted: of IPv6 the network that one customer has.
pub(crate) fn name_of(address: Option<IpAddr>) -> String {
    match address {
        None => String::new(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn each_failure_after_the_free_ones_doubles_the_pause() {
        let backoff = Backoff::new(2, Duration::from_secs(5));
        for _ in 0..3 {
            assert_eq!(backoff.begin("ada", at(0)), Ok(()));
        }
        assert_eq!(backoff.begin("ada", at(0)), Err(1));
        assert_eq!(backoff.begin("eve", at(0)), Ok(()), "someone else");
        assert_eq!(backoff.begin("ada", at(1)), Ok(()));
        assert_eq!(backoff.begin("ada", at(1)), Err(2));
        assert_eq!(backoff.begin("ada", at(3)), Ok(()));
        assert_eq!(backoff.begin("ada", at(4)), Err(3));
        assert_eq!(backoff.begin("ada", at(7)), Ok(()));
        assert_eq!(backoff.begin("ada", at(7)), Err(5), "no longer than the longest");
        assert_eq!(backoff.begin("ada", at(7 + 16 * 60)), Ok(()));
        assert_eq!(backoff.begin("ada", at(7 + 16 * 60)), Ok(()), "forgiven");
    }

    #[test]
    fn who_succeeds_starts_anew() {
        let backoff = Backoff::new(1, Duration::from_secs(60));
        for _ in 0..20 {
            assert_eq!(backoff.begin("ada", at(0)), Ok(()));
            backoff.succeeded("ada", true);
        }
        assert_eq!(backoff.begin("host", at(0)), Ok(()));
        for _ in 0..20 {
            assert_eq!(backoff.begin("host", at(0)), Ok(()));
            backoff.succeeded("host", false);
        }
        assert_eq!(backoff.begin("host", at(0)), Ok(()));
        assert_eq!(backoff.begin("host", at(0)), Err(1), "what failed before still counts");
    }

    #[test]
    fn a_rate_is_a_burst_and_then_so_many_a_second() {
        let rate = Rate::new(3, 2);
        for _ in 0..3 {
            assert_eq!(rate.check("a", at(0)), Ok(()));
            rate.count("a", at(0));
        }
        assert_eq!((rate.check("a", at(0)), rate.check("b", at(0))), (Err(1), Ok(())));
        assert_eq!(rate.check("a", at(1)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let backoff = Backoff::new(1, Duration::from_secs(60));
        let rate = Rate::new(3, 2);
        for number in 0..30_000 {
            let now = at(number / 1_000);
            assert_eq!(backoff.begin(&number.to_string(), now), Ok(()));
            rate.count(&number.to_string(), now);
        }
        assert!(backoff.names().len() <= NAMES_MAX && rate.names.lock().unwrap().len() <= NAMES_MAX);
    }

    #[test]
    fn an_address_is_counted_by_who_has_it() {
        assert_eq!(name_of(Some("1.2.3.4".parse().unwrap())), "1.2.3.4");
        assert_eq!(
            name_of(Some("2001:db8:1:2::5".parse().unwrap())),
            name_of(Some("2001:db8:1:2:9::".parse().unwrap()))
        );
    }
}
