//! What an operator is, and what one attempt of it can end in.
//!
//! Knows nothing of any single operator.

use std::{fmt, future::Future, time::Duration};

use anyhow::anyhow;
use flow_clients::{ClientError, Kind};
use flow_core::{
    catalog::ArgError,
    dag::Arg,
    run::{Failure, FailureCause, Outcome},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::TaskContext;

/// One kind of task. The struct *is* the parameters: it checks the document, runs the task and writes its docs.
pub trait Operator: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The short name, as in `uses: bash`.
    const NAME: &'static str;
    /// Airflow's full class path; empty when Airflow has no such operator.
    const CLASS: &'static str = "";
    /// One sentence.
    const SUMMARY: &'static str;
    /// Parameters that may hold templates and references.
    const TEMPLATED: &'static [&'static str] = &[];
    /// Parameters that name files or folders it needs: relative ones are beside the DAG file.
    const READS: &'static [&'static str] = &[];
    /// It chooses among its direct downstream tasks.
    const IS_BRANCH: bool = false;
    /// The scheduler may mark it done without a worker.
    const IS_INLINE: bool = false;
    /// A task that uses it, in YAML.
    const EXAMPLE: &'static str;

    /// Complains about arguments that are right one by one, but not together.
    fn complain(_given: &[(String, Arg)]) -> Option<ArgError> {
        None
    }

    /// Runs one attempt to its end.
    fn run(self, cx: &mut TaskContext) -> impl Future<Output = Result<Done, OperatorError>> + Send;
}

/// How an attempt that did not fail ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub outcome: Outcome,
    /// The task's result; null is none.
    pub result: Value,
    /// XComs beside the result.
    pub xcoms: Vec<(String, Value)>,
    /// For the next look; only with `Outcome::Reschedule`.
    pub state: Value,
}

impl Done {
    /// Ends with this outcome and no result.
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome, result: Value::Null, xcoms: Vec::new(), state: Value::Null }
    }

    /// Ends well, with a result.
    pub fn success(result: impl Into<Value>) -> Self {
        Self { result: result.into(), ..Self::new(Outcome::Success) }
    }

    /// Ends passed over.
    pub fn skipped() -> Self {
        Self::new(Outcome::Skipped)
    }
}

impl From<ClientError> for OperatorError {
    fn from(error: ClientError) -> Self {
        let may_retry = error.may_retry();
        let cause = match error.kind {
            Kind::Status(status) => FailureCause::HttpStatus(status),
            Kind::SqlState(state) => FailureCause::SqlState(state),
            Kind::Settings | Kind::Unavailable | Kind::Refused | Kind::Fenced => FailureCause::Other,
        };
        let retry_after = error.retry_after;
        Self { end: End::Failed { cause, may_retry, retry_after }, source: anyhow!(error.message) }
    }
}

/// Why an attempt failed, and whether another is worth it.
#[derive(Debug, thiserror::Error)]
#[error("{source:#}")]
pub struct OperatorError {
    end: End,
    source: anyhow::Error,
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    Failed { cause: FailureCause, may_retry: bool, retry_after: Option<Duration> },
    Cancelled,
}

impl OperatorError {
    /// Failed, and another try may go better.
    pub fn retry(source: anyhow::Error) -> Self {
        Self::failed(FailureCause::Other, true, source)
    }

    /// Failed, and another try cannot help.
    pub fn fatal(source: anyhow::Error) -> Self {
        Self::failed(FailureCause::Other, false, source)
    }

    /// A process ended with a code that means failure.
    pub fn exit_code(code: i32, source: anyhow::Error) -> Self {
        Self::failed(FailureCause::ExitCode(code), true, source)
    }

    /// Time ran out for good.
    pub fn timed_out(source: anyhow::Error) -> Self {
        Self::failed(FailureCause::Timeout, false, source)
    }

    /// Ended because it was asked to.
    pub fn cancelled() -> Self {
        Self { end: End::Cancelled, source: anyhow!("cancelled") }
    }

    fn failed(cause: FailureCause, may_retry: bool, source: anyhow::Error) -> Self {
        Self { end: End::Failed { cause, may_retry, retry_after: None }, source }
    }

    /// A sentence from [`crate::context::Services`].
    pub fn service(sentence: impl fmt::Display) -> Self {
        Self::retry(anyhow!("{sentence}"))
    }

    /// Says whether another try may go better.
    pub fn may_retry(&self) -> bool {
        match &self.end {
            End::Failed { may_retry, .. } => *may_retry,
            End::Cancelled => false,
        }
    }

    /// Says whether it was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.end == End::Cancelled
    }

    /// Makes the fact that the engine decides upon.
    pub fn into_outcome(self) -> Outcome {
        let message = self.to_string();
        match self.end {
            End::Cancelled => Outcome::Cancelled,
            End::Failed { cause, may_retry, retry_after } => {
                let seconds = retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
                let failure = Failure::new(message, cause, may_retry);
                Outcome::Failed { failure: Failure { retry_after_seconds: seconds, ..failure } }
            }
        }
    }
}
