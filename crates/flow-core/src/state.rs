//! States of runs and task instances, Airflow's names for them, and the arrows between them.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word used in YAML, SQL, JSON and on screen.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::state::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::state::UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::state::UnknownWord { word: word.to_owned(), known: &[$($word),+] }),
                }
            }
        }
    };
}
pub(crate) use words;

/// A word that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {}", known.join(", "))]
pub struct UnknownWord {
    /// What was written.
    pub word: String,
    /// What could have been written.
    pub known: &'static [&'static str],
}

words!(
    /// Where a task instance stands.
    TaskState {
        /// Nothing has been decided yet. `null` in the API.
        NoStatus = "no_status",
        /// It may start as soon as its pool and limits allow.
        Scheduled = "scheduled",
        /// It has its slots and waits for a worker.
        Queued = "queued",
        /// A worker holds a lease on it.
        Running = "running",
        /// Done.
        Success = "success",
        /// Failed, with no tries left.
        Failed = "failed",
        /// Passed over.
        Skipped = "skipped",
        /// Never started, because of an upstream task.
        UpstreamFailed = "upstream_failed",
        /// Failed, and waits for its next try.
        UpForRetry = "up_for_retry",
        /// A sensor between two looks.
        UpForReschedule = "up_for_reschedule",
        /// Waits for an event outside (not produced by this version).
        Deferred = "deferred",
        /// Waits for a person (not produced by this version).
        AwaitingInput = "awaiting_input",
        /// Cleared while running: its attempt is being ended, then it starts afresh.
        Restarting = "restarting",
        /// Its task is no longer in the DAG, or not meant for this date.
        Removed = "removed",
    }
);

words!(
    /// Where a run stands.
    RunState {
        /// Waits for `max_active_runs`.
        Queued = "queued",
        /// Its tasks are being scheduled.
        Running = "running",
        /// Every leaf succeeded or was skipped.
        Success = "success",
        /// A leaf failed, or the run was cancelled or took too long.
        Failed = "failed",
    }
);

words!(
    /// What made a run.
    RunType {
        /// The timetable.
        Scheduled = "scheduled",
        /// A person or a program.
        Manual = "manual",
        /// A backfill.
        Backfill = "backfill",
        /// An asset's update.
        AssetTriggered = "asset_triggered",
    }
);

words!(
    /// When a task may start, given its upstream tasks.
    TriggerRule {
        /// All upstream tasks succeeded.
        AllSuccess = "all_success",
        /// All failed or are `upstream_failed`.
        AllFailed = "all_failed",
        /// All are done.
        AllDone = "all_done",
        /// All are done, none was skipped, one succeeded.
        AllDoneMinOneSuccess = "all_done_min_one_success",
        /// All are done, and the setup tasks among them succeeded.
        AllDoneSetupSuccess = "all_done_setup_success",
        /// One has succeeded.
        OneSuccess = "one_success",
        /// One has failed or is `upstream_failed`.
        OneFailed = "one_failed",
        /// One has succeeded or failed.
        OneDone = "one_done",
        /// All are done, none failed.
        NoneFailed = "none_failed",
        /// All are done, none failed, one succeeded.
        NoneFailedMinOneSuccess = "none_failed_min_one_success",
        /// All are done, none was skipped.
        NoneSkipped = "none_skipped",
        /// All were skipped.
        AllSkipped = "all_skipped",
        /// At once.
        Always = "always",
    }
);

impl TaskState {
    /// Says whether nothing more will happen unless a person asks.
    pub fn is_finished(self) -> bool {
        use TaskState::*;
        match self {
            Success | Failed | Skipped | UpstreamFailed | Removed => true,
            NoStatus | Scheduled | Queued | Running | UpForRetry | UpForReschedule | Deferred | AwaitingInput
            | Restarting => false,
        }
    }

    /// Says whether it counts as a failure, as Airflow's `failed_states`.
    pub fn is_failure(self) -> bool {
        matches!(self, TaskState::Failed | TaskState::UpstreamFailed)
    }

    /// Says whether there is an arrow from this state to another, whoever owns it.
    ///
    /// One change may go over several arrows at once: a lost try goes from `running` through `up_for_retry` to
    /// `scheduled`, a cleared one from `restarting` through `no_status` to `skipped`.
    pub fn may_become(self, to: Self) -> bool {
        use TaskState::*;
        match (self, to) {
            // Nothing stays where it is by moving, but what is around the state may change (a clear's new tries).
            (_, _) if self == to => true,
            // A task that is gone stays gone; it comes back only with another version, as a fresh row.
            (Removed, _) => false,
            // Not produced by this version, except to leave them by an edit.
            (_, Deferred | AwaitingInput) => false,
            // Except what a worker is at: that has to be ended first.
            (Running, NoStatus) => false,
            // Any edit may send anything back to its beginning, and say how it ended.
            (_, NoStatus | Success | Failed | Skipped) => true,
            // Only what has a worker needs to be ended before it starts afresh.
            (Queued | Running, Restarting) => true,
            (_, Restarting) => false,
            // What has not started, or is between two tries, is judged by its trigger rule.
            (NoStatus | UpForRetry | UpForReschedule | Restarting | Queued | Running, Scheduled | UpstreamFailed) => {
                true
            }
            (_, Scheduled | UpstreamFailed) => false,
            (Scheduled, Queued) => true,
            (_, Queued) => false,
            (Queued, Running) => true,
            (_, Running) => false,
            (Queued | Running, UpForRetry | UpForReschedule) => true,
            (_, UpForRetry | UpForReschedule) => false,
            // A task leaves its run when it is not in the DAG, or not meant for the date.
            (_, Removed) => !self.is_finished(),
        }
    }
}

impl RunState {
    /// Says whether the run has ended.
    pub fn is_finished(self) -> bool {
        matches!(self, RunState::Success | RunState::Failed)
    }

    /// Says whether there is an arrow from this state to another, whoever owns it.
    pub fn may_become(self, to: Self) -> bool {
        use RunState::*;
        match (self, to) {
            // Started, ended, or ended by a person before it started.
            (Queued, Running | Success | Failed) | (Running, Success | Failed) => true,
            // Cleared; or a person knows better how it ended.
            (Success | Failed, Queued) | (Success, Failed) | (Failed, Success) => true,
            (Queued, Queued) | (Running, Running | Queued) => false,
            (Success, Success | Running) | (Failed, Failed | Running) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every arrow of the table; what is not here is refused.
    const ARROWS: &[(TaskState, &[TaskState])] = {
        use TaskState::*;
        &[
            (NoStatus, &[Scheduled, Success, Failed, Skipped, UpstreamFailed, Removed]),
            (Scheduled, &[NoStatus, Queued, Success, Failed, Skipped, Removed]),
            (
                Queued,
                &[
                    NoStatus,
                    Scheduled,
                    Running,
                    Success,
                    Failed,
                    Skipped,
                    UpstreamFailed,
                    UpForRetry,
                    UpForReschedule,
                    Restarting,
                    Removed,
                ],
            ),
            (
                Running,
                &[
                    Scheduled,
                    Success,
                    Failed,
                    Skipped,
                    UpstreamFailed,
                    UpForRetry,
                    UpForReschedule,
                    Restarting,
                    Removed,
                ],
            ),
            (Success, &[NoStatus, Failed, Skipped]),
            (Failed, &[NoStatus, Success, Skipped]),
            (Skipped, &[NoStatus, Success, Failed]),
            (UpstreamFailed, &[NoStatus, Success, Failed, Skipped]),
            (UpForRetry, &[NoStatus, Scheduled, Success, Failed, Skipped, UpstreamFailed, Removed]),
            (UpForReschedule, &[NoStatus, Scheduled, Success, Failed, Skipped, UpstreamFailed, Removed]),
            (Deferred, &[NoStatus, Success, Failed, Skipped, Removed]),
            (AwaitingInput, &[NoStatus, Success, Failed, Skipped, Removed]),
            (Restarting, &[NoStatus, Scheduled, Success, Failed, Skipped, UpstreamFailed, Removed]),
            (Removed, &[]),
        ]
    };

    #[test]
    fn the_arrows_between_task_states_are_these() {
        assert_eq!(ARROWS.len(), TaskState::ALL.len());
        for (from, allowed) in ARROWS {
            for to in TaskState::ALL.iter().filter(|&to| to != from) {
                assert_eq!(from.may_become(*to), allowed.contains(to), "{from} → {to}");
            }
        }
    }

    #[test]
    fn the_arrows_between_run_states_are_these() {
        use RunState::*;
        let allowed = [
            (Queued, Running),
            (Queued, Success),
            (Queued, Failed),
            (Running, Success),
            (Running, Failed),
            (Success, Queued),
            (Failed, Queued),
            (Success, Failed),
            (Failed, Success),
        ];
        for &from in RunState::ALL {
            for &to in RunState::ALL {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from} → {to}");
            }
        }
    }

    #[test]
    fn every_word_reads_back() {
        for &state in TaskState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("nope".parse::<TaskState>().is_err());
    }
}
