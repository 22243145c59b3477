//! May a task start, given how far its upstream tasks have got?
//!
//! One function, [`judge`], and the counts it needs. The same answer drives scheduling and the
//! "why is this waiting?" page, so there is no second place where these rules are written.

use std::ops::AddAssign;

use crate::state::{TaskState, TriggerRule};

/// What the upstream task instances make of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too early to say.
    Wait,
    /// It may start.
    Run,
    /// It will never start; it ends in this state.
    Settle(TaskState),
}

/// How many upstream task instances there are, and how those that are finished ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub total: u32,
    pub success: u32,
    pub skipped: u32,
    pub failed: u32,
    pub upstream_failed: u32,
    pub removed: u32,
}

impl Tally {
    /// Counts these states.
    pub fn of(states: impl IntoIterator<Item = TaskState>) -> Self {
        let mut tally = Self::default();
        states.into_iter().for_each(|state| tally.count(state));
        tally
    }

    /// Counts one more task instance.
    pub fn count(&mut self, state: TaskState) {
        use TaskState::*;
        self.total += 1;
        match state {
            Success => self.success += 1,
            Skipped => self.skipped += 1,
            Failed => self.failed += 1,
            UpstreamFailed => self.upstream_failed += 1,
            Removed => self.removed += 1,
            NoStatus | Scheduled | Queued | Running | UpForRetry | UpForReschedule | Deferred | AwaitingInput
            | Restarting => {}
        }
    }

    /// Returns how many are finished.
    pub fn finished(self) -> u32 {
        self.success + self.skipped + self.broken() + self.removed
    }

    /// Says whether all are finished.
    pub fn is_done(self) -> bool {
        self.finished() == self.total
    }

    /// Returns how many failed, by themselves or because of others.
    pub fn broken(self) -> u32 {
        self.failed + self.upstream_failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.success += other.success;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.upstream_failed += other.upstream_failed;
        self.removed += other.removed;
    }
}

/// Says what a trigger rule makes of the upstream task instances so far.
///
/// Most rules decide as early as they can: `all_success` gives up at the first failure and does not wait for
/// the rest. What is `removed` counts as finished; the rules that ask for all look only at the others.
pub fn judge(rule: TriggerRule, up: Tally) -> Verdict {
    use TaskState::{Skipped, UpstreamFailed};
    use TriggerRule::*;
    use Verdict::{Run, Settle, Wait};
    if up.total == 0 {
        return Run;
    }
    let done = up.is_done();
    match rule {
        Always => Run,

        AllSuccess if up.broken() > 0 => Settle(UpstreamFailed),
        AllSuccess if up.skipped > 0 => Settle(Skipped),
        AllSuccess if done => Run,

        AllFailed if up.success + up.skipped > 0 => Settle(Skipped),
        AllFailed if done => Run,

        // Without setup tasks, the second asks for no more than the first.
        AllDone | AllDoneSetupSuccess if done => Run,

        // A single skip decides, whatever the rest does; failures do not matter as long as one succeeds.
        AllDoneMinOneSuccess if up.skipped > 0 => Settle(Skipped),
        AllDoneMinOneSuccess if done && up.success > 0 => Run,
        AllDoneMinOneSuccess if done => Settle(UpstreamFailed),

        OneSuccess if up.success > 0 => Run,
        OneSuccess if up.skipped == up.total => Settle(Skipped),
        OneSuccess if done => Settle(UpstreamFailed),

        OneFailed if up.broken() > 0 => Run,
        OneFailed if done => Settle(Skipped),

        // `upstream_failed` has not been done by anyone.
        OneDone if up.success + up.failed > 0 => Run,
        OneDone if done => Settle(Skipped),

        NoneFailed if up.broken() > 0 => Settle(UpstreamFailed),
        NoneFailed if done => Run,

        NoneFailedMinOneSuccess if up.broken() > 0 => Settle(UpstreamFailed),
        NoneFailedMinOneSuccess if up.skipped == up.total => Settle(Skipped),
        NoneFailedMinOneSuccess if done && up.success > 0 => Run,
        NoneFailedMinOneSuccess if done => Settle(UpstreamFailed),

        NoneSkipped if up.skipped > 0 => Settle(Skipped),
        NoneSkipped if done => Run,

        AllSkipped if up.success + up.broken() > 0 => Settle(Skipped),
        AllSkipped if done => Run,

        AllSuccess
        | AllFailed
        | AllDone
        | AllDoneSetupSuccess
        | AllDoneMinOneSuccess
        | OneSuccess
        | OneFailed
        | OneDone
        | NoneFailed
        | NoneFailedMinOneSuccess
        | NoneSkipped
        | AllSkipped => Wait,
    }
}

/// Says in words what a rule asks of the upstream tasks, to follow "it may start when".
pub(super) fn asks(rule: TriggerRule) -> &'static str {
    use TriggerRule::*;
    match rule {
        AllSuccess => "all of them have succeeded",
        AllFailed => "all of them have failed",
        AllDone => "all of them are done",
        AllDoneMinOneSuccess => "all of them are done, none was skipped and one has succeeded",
        AllDoneSetupSuccess => "all of them are done and their setup has succeeded",
        OneSuccess => "one of them has succeeded",
        OneFailed => "one of them has failed",
        OneDone => "one of them has succeeded or failed",
        NoneFailed => "all of them are done and none has failed",
        NoneFailedMinOneSuccess => "all of them are done, none has failed and one has succeeded",
        NoneSkipped => "all of them are done and none was skipped",
        AllSkipped => "all of them were skipped",
        Always => "it is asked for",
    }
}

#[cfg(test)]
mod tests {
    use TaskState::*;
    use TriggerRule::*;
    use Verdict::*;

    use super::*;

    #[track_caller]
    fn check(rule: TriggerRule, upstream: &[TaskState], expected: Verdict) {
        assert_eq!(judge(rule, Tally::of(upstream.iter().copied())), expected, "{rule} of {upstream:?}");
    }

    #[test]
    fn without_upstream_every_rule_runs() {
        for &rule in TriggerRule::ALL {
            check(rule, &[], Run);
        }
    }

    #[test]
    fn always_never_waits() {
        check(Always, &[NoStatus, Running], Run);
        check(Always, &[Failed, Skipped], Run);
    }

    #[test]
    fn all_success_waits_runs_or_gives_up_early() {
        check(AllSuccess, &[Success, Running], Wait);
        check(AllSuccess, &[Success, UpForRetry], Wait);
        check(AllSuccess, &[Success, Success], Run);
        check(AllSuccess, &[Success, Removed], Run);
        check(AllSuccess, &[Removed], Run);
        check(AllSuccess, &[Failed, Running], Settle(UpstreamFailed));
        check(AllSuccess, &[UpstreamFailed, NoStatus], Settle(UpstreamFailed));
        check(AllSuccess, &[Skipped, Running], Settle(Skipped));
        check(AllSuccess, &[Skipped, Failed], Settle(UpstreamFailed));
    }

    #[test]
    fn all_failed_is_skipped_at_the_first_success_or_skip() {
        check(AllFailed, &[Failed, Running], Wait);
        check(AllFailed, &[Failed, UpstreamFailed], Run);
        check(AllFailed, &[Failed, Removed], Run);
        check(AllFailed, &[Removed], Run);
        check(AllFailed, &[Success, Running], Settle(Skipped));
        check(AllFailed, &[Skipped, NoStatus], Settle(Skipped));
    }

    #[test]
    fn all_done_asks_only_for_the_end() {
        for rule in [AllDone, AllDoneSetupSuccess] {
            check(rule, &[Failed, Running], Wait);
            check(rule, &[Failed, Skipped, UpstreamFailed, Success, Removed], Run);
        }
    }

    #[test]
    fn all_done_min_one_success_is_skipped_by_any_skip() {
        check(AllDoneMinOneSuccess, &[Success, Failed, Skipped], Settle(Skipped));
        check(AllDoneMinOneSuccess, &[Skipped, Running], Settle(Skipped));
        check(AllDoneMinOneSuccess, &[Success, Failed, Running], Wait);
        check(AllDoneMinOneSuccess, &[Success, Failed, UpstreamFailed], Run);
        check(AllDoneMinOneSuccess, &[Success, Removed], Run);
        check(AllDoneMinOneSuccess, &[Failed, Failed], Settle(UpstreamFailed));
        check(AllDoneMinOneSuccess, &[Removed], Settle(UpstreamFailed));
    }

    #[test]
    fn one_success_runs_at_the_first_and_gives_up_at_the_end() {
        check(OneSuccess, &[Success, Running], Run);
        check(OneSuccess, &[Failed, Success], Run);
        check(OneSuccess, &[Failed, Running], Wait);
        check(OneSuccess, &[Skipped, Skipped], Settle(Skipped));
        check(OneSuccess, &[Skipped, Failed], Settle(UpstreamFailed));
        check(OneSuccess, &[Skipped, Removed], Settle(UpstreamFailed));
    }

    #[test]
    fn one_failed_runs_at_the_first_failure() {
        check(OneFailed, &[Failed, Running], Run);
        check(OneFailed, &[UpstreamFailed, NoStatus], Run);
        check(OneFailed, &[Success, Running], Wait);
        check(OneFailed, &[Success, Skipped, Removed], Settle(Skipped));
    }

    #[test]
    fn one_done_counts_success_and_failure_only() {
        check(OneDone, &[Failed, Running], Run);
        check(OneDone, &[Success, Running], Run);
        check(OneDone, &[Skipped, Running], Wait);
        check(OneDone, &[Skipped, UpstreamFailed], Settle(Skipped));
    }

    #[test]
    fn none_failed_lets_skips_pass() {
        check(NoneFailed, &[Success, Skipped], Run);
        check(NoneFailed, &[Skipped, Skipped], Run);
        check(NoneFailed, &[Skipped, Removed], Run);
        check(NoneFailed, &[Skipped, Running], Wait);
        check(NoneFailed, &[Failed, Running], Settle(UpstreamFailed));
    }

    #[test]
    fn none_failed_min_one_success_asks_for_one_more() {
        check(NoneFailedMinOneSuccess, &[Success, Skipped], Run);
        check(NoneFailedMinOneSuccess, &[Success, Running], Wait);
        check(NoneFailedMinOneSuccess, &[Skipped, Skipped], Settle(Skipped));
        check(NoneFailedMinOneSuccess, &[Skipped, Removed], Settle(UpstreamFailed));
        check(NoneFailedMinOneSuccess, &[Success, Failed], Settle(UpstreamFailed));
    }

    #[test]
    fn none_skipped_lets_failures_pass() {
        check(NoneSkipped, &[Failed, Success], Run);
        check(NoneSkipped, &[Failed, Running], Wait);
        check(NoneSkipped, &[Skipped, Running], Settle(Skipped));
    }

    #[test]
    fn all_skipped_is_skipped_by_anything_else() {
        check(AllSkipped, &[Skipped, Skipped], Run);
        check(AllSkipped, &[Skipped, Removed], Run);
        check(AllSkipped, &[Skipped, Running], Wait);
        check(AllSkipped, &[Success, Running], Settle(Skipped));
        check(AllSkipped, &[Failed, Skipped], Settle(Skipped));
    }

    #[test]
    fn two_tallies_add_up() {
        let mut sum = Tally::of([Success, Failed, NoStatus]);
        sum += Tally::of([Skipped, Removed, UpstreamFailed]);
        assert_eq!(sum, Tally::of([Success, Failed, NoStatus, Skipped, Removed, UpstreamFailed]));
    }
}
