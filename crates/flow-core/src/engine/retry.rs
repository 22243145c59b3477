//! Is a failure worth another try, and when?
//!
//! Chance is derived: the jitter comes from a hash of the task, its run and the try, so that deciding again
//! gives the same moment on every machine. The counting of tries is in [`super::pass`].

use std::time::Duration;

use crate::{
    dag::RetryPolicy,
    run::{Failure, FailureCause},
};

/// The longest that a back-off may grow to.
const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Says whether a failure is of a kind that another try may cure.
///
/// With `retry_on`, what is not listed fails at once; a time-out or a failure without a code cannot be listed.
pub fn is_worthwhile(policy: &RetryPolicy, failure: &Failure) -> bool {
    failure.may_retry
        && policy.retry_on.as_ref().is_none_or(|on| match &failure.cause {
            FailureCause::ExitCode(code) => on.exit_codes.contains(code),
            FailureCause::HttpStatus(status) => on.http_status.contains(status),
            FailureCause::SqlState(state) => on.sqlstate.contains(state),
            FailureCause::Timeout | FailureCause::Other => false,
        })
}

/// Returns how long to wait after the failure of a try: what the policy says, or longer when the other side asks for
/// more; `max_delay` and a day cap what it may ask for.
pub fn pause(policy: &RetryPolicy, failure: &Failure, try_number: u32, salt: &[&str]) -> Duration {
    let asked = Duration::from_secs(failure.retry_after_seconds.unwrap_or(0).into());
    delay(policy, try_number, salt).max(asked.min(longest(policy)))
}

fn longest(policy: &RetryPolicy) -> Duration {
    policy.max_delay.unwrap_or(DELAY_MAX).min(DELAY_MAX)
}

/// Returns how long the policy waits after the failure of a try, counted from 1.
///
/// With a factor: `ceil(delay × factor^(try - 1))`, plus less than that again, at most `max_delay` and a day.
/// `salt` names the task and its run.
fn delay(policy: &RetryPolicy, try_number: u32, salt: &[&str]) -> Duration {
    let Some(factor) = policy.backoff.filter(|&factor| factor > 0.0 && factor != 1.0) else {
        return policy.delay;
    };
    let power = i32::try_from(try_number.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = (policy.delay.as_secs_f64() * factor.powi(power)).ceil();
    // Infinity and NaN (0 × ∞) come out at the ends of the range.
    let base = if grown >= DELAY_MAX.as_secs_f64() { DELAY_MAX.as_secs() } else { (grown as u64).max(1) };
    let jitter = hash(salt, try_number) % base;
    Duration::from_secs(base.saturating_add(jitter)).min(longest(policy))
}

/// FNV-1a, finished with a mix so that the low bits depend on every byte.
fn hash(salt: &[&str], try_number: u32) -> u64 {
    let bytes = salt.iter().flat_map(|part| part.bytes().chain([b'#'])).chain(try_number.to_le_bytes());
    let mut hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::RetryOn;

    const SALT: [&str; 3] = ["dag", "task", "2026-01-01T00:00:00Z"];

    fn policy(delay: u64, backoff: Option<f64>, max: Option<u64>) -> RetryPolicy {
        RetryPolicy {
            retries: 3,
            delay: Duration::from_secs(delay),
            backoff,
            max_delay: max.map(Duration::from_secs),
            retry_on: None,
        }
    }

    #[track_caller]
    fn check_range(policy: &RetryPolicy, try_number: u32, from: u64, to: u64) {
        let seconds = delay(policy, try_number, &SALT).as_secs();
        assert!((from..=to).contains(&seconds), "try {try_number}: {seconds} not in {from}..={to}");
    }

    #[test]
    fn without_a_factor_the_delay_stays_the_same() {
        for try_number in [1, 2, 50] {
            check_range(&policy(300, None, None), try_number, 300, 300);
            check_range(&policy(300, Some(1.0), None), try_number, 300, 300);
        }
    }

    #[test]
    fn with_a_factor_the_delay_grows_up_to_twice_the_base() {
        let policy = policy(10, Some(2.0), None);
        check_range(&policy, 1, 10, 19);
        check_range(&policy, 2, 20, 39);
        check_range(&policy, 5, 160, 319);
    }

    #[test]
    fn a_fraction_of_a_second_is_rounded_up() {
        let mut policy = policy(0, Some(1.5), None);
        check_range(&policy, 1, 1, 1);
        policy.delay = Duration::from_millis(1500);
        check_range(&policy, 1, 2, 3);
    }

    #[test]
    fn the_delay_is_capped() {
        check_range(&policy(10, Some(2.0), Some(60)), 30, 60, 60);
        check_range(&policy(10, Some(2.0), None), 30, 86_400, 86_400);
        check_range(&policy(10, Some(2.0), Some(90_000)), 30, 86_400, 86_400);
    }

    #[test]
    fn the_other_side_may_ask_for_more_and_not_for_less() {
        let asked = |policy: &RetryPolicy, seconds: Option<u32>| {
            let failure =
                Failure { retry_after_seconds: seconds, ..Failure::new("busy", FailureCause::HttpStatus(429), true) };
            pause(policy, &failure, 1, &SALT).as_secs()
        };
        let plain = policy(60, None, None);
        assert_eq!(asked(&plain, None), 60);
        assert_eq!(asked(&plain, Some(5)), 60);
        assert_eq!(asked(&plain, Some(90)), 90);
        assert_eq!(asked(&plain, Some(u32::MAX)), 86_400);
        assert_eq!(asked(&policy(60, None, Some(70)), Some(90)), 70);
        assert_eq!(asked(&policy(60, None, Some(10)), Some(90)), 60);
        assert_eq!(asked(&policy(10, Some(2.0), Some(3_600)), Some(600)), 600);
    }

    #[test]
    fn no_factor_and_no_try_number_overflows() {
        for factor in [f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, f64::NAN, -1.0, 0.0, 1e300] {
            for delay_seconds in [0, 1, u64::MAX] {
                for try_number in [0, 1, 2, 1000, u32::MAX] {
                    let policy = policy(delay_seconds, Some(factor), None);
                    let waited = delay(&policy, try_number, &SALT);
                    assert!(waited == policy.delay || waited <= DELAY_MAX, "{factor} {delay_seconds} {try_number}");
                }
            }
        }
    }

    #[test]
    fn the_jitter_is_the_same_on_every_machine_and_differs_between_tasks_and_tries() {
        let policy = policy(1000, Some(2.0), None);
        assert_eq!(delay(&policy, 1, &SALT), delay(&policy, 1, &SALT));
        let of = |task: &str| delay(&policy, 1, &["dag", task, "r"]).as_secs();
        let distinct: std::collections::BTreeSet<_> = (0..100).map(|n| of(&n.to_string())).collect();
        assert!(distinct.len() > 80, "{} of 100", distinct.len());
        // A change of the hash would move the retries of running installations.
        assert_eq!(hash(&["dag", "task"], 1), 15_273_605_946_011_001_439);
        assert_ne!(hash(&["dag", "task"], 1), hash(&["dagt", "ask"], 1));
    }

    #[test]
    fn retry_on_lets_only_what_is_listed_be_tried_again() {
        let on = RetryOn { exit_codes: vec![75], http_status: vec![503], sqlstate: vec!["40001".into()] };
        let listed = RetryPolicy { retry_on: Some(on), ..policy(1, None, None) };
        let check = |policy: &RetryPolicy, cause: FailureCause, may_retry: bool, expected: bool| {
            let failure = Failure::new("no", cause, may_retry);
            assert_eq!(is_worthwhile(policy, &failure), expected, "{failure:?}");
        };
        for (cause, expected) in [
            (FailureCause::ExitCode(75), true),
            (FailureCause::ExitCode(1), false),
            (FailureCause::HttpStatus(503), true),
            (FailureCause::HttpStatus(500), false),
            (FailureCause::SqlState("40001".into()), true),
            (FailureCause::SqlState("23505".into()), false),
            (FailureCause::Timeout, false),
            (FailureCause::Other, false),
        ] {
            check(&listed, cause.clone(), true, expected);
            check(&listed, cause.clone(), false, false);
            check(&policy(1, None, None), cause.clone(), true, true);
            check(&policy(1, None, None), cause, false, false);
        }
    }
}
