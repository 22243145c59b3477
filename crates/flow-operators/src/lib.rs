//! Operators: one file each, and the list of them.
//!
//! # Map
//!
//! | module | question it answers |
//! |---|---|
//! | [`operators`] | what does each `uses` do? |
//! | [`operator`] | what is an operator, and how can an attempt end? |
//! | [`sensor`] | when does a waiting task look again, and when does it give up? |
//! | [`process`] | how is a child process run, and how does nothing of it remain? |
//! | [`kafka`] | what is a message in JSON? |
//! | [`batches`] | how far does an attempt read a topic, and from where? |
//! | `sql` | how does a session with a database end with its attempt? |
//! | [`context`] | what may a running task know and ask for? |
//! | [`exchange`] | what does a task send to an HTTP server, and what do expressions see of the answer? |
//! | [`schema`] | what does a DAG document look like, for editors? |
//! | [`docs`] | what does the page about the operators say? |
//!
//! # Invariants of this crate
//!
//! - An operator sees its [`TaskContext`] and nothing else: no database, no scheduler.
//! - A panic of an operator is a failed attempt.
//! - When an attempt has ended, no process that it started is left.

use std::{any::Any, time::Duration};

use anyhow::anyhow;
use flow_core::catalog::{Catalog, OperatorSpec};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

pub mod arguments;
mod batches;
pub mod calendar;
pub mod context;
pub mod docs;
pub mod exchange;
pub mod kafka;
pub mod operator;
pub mod operators;
mod part_file;
pub mod process;
pub mod schema;
pub mod sensor;
#[cfg(test)]
#[path = "../../flow-clients/tests/server/mod.rs"]
mod server;
mod sql;
#[cfg(test)]
mod testing;
pub mod values;
pub mod xcom;

pub use context::{Afterwards, Finished, Identity, LogSink, Services, Stream, TaskContext};
pub use operator::{Done, Operator, OperatorError};
pub use process::orphans::end_orphans;
pub use schema::dag_schema;
pub use sensor::Sensor;

use context::BoxFuture;

/// How much longer than `kill_grace` an operator may take to end when it is asked to.
const CANCEL_SLACK: Duration = Duration::from_secs(5);

/// Returns every operator.
pub fn all() -> Registry {
    Registry::default()
        .with::<operators::bash::Bash>()
        .with_sensor::<operators::bash_sensor::BashSensor>()
        .with::<operators::branch::Branch>()
        .with::<operators::branch_datetime::BranchDateTime>()
        .with::<operators::branch_day_of_week::BranchDayOfWeek>()
        .with::<operators::branch_sql::BranchSql>()
        .with_sensor::<operators::datetime_sensor::DateTimeSensor>()
        .with_sensor::<operators::day_of_week_sensor::DayOfWeekSensor>()
        .with::<operators::email::Email>()
        .with::<operators::empty::Empty>()
        .with_sensor::<operators::external_task_sensor::ExternalTaskSensor>()
        .with_sensor::<operators::file_sensor::FileSensor>()
        .with::<operators::http::Http>()
        .with_sensor::<operators::http_sensor::HttpSensor>()
        .with::<operators::kafka_consume::KafkaConsume>()
        .with::<operators::kafka_produce::KafkaProduce>()
        .with_sensor::<operators::kafka_sensor::KafkaSensor>()
        .with::<operators::kafka_stream::KafkaStream>()
        .with::<operators::kafka_to_sql::KafkaToSql>()
        .with::<operators::kafka_topic::KafkaTopic>()
        .with::<operators::latest_only::LatestOnly>()
        .with::<operators::python::Python>()
        .with::<operators::short_circuit::ShortCircuit>()
        .with::<operators::slack::Slack>()
        .with::<operators::sql::Sql>()
        .with::<operators::sql_check::SqlCheck>()
        .with::<operators::sql_column_check::SqlColumnCheck>()
        .with::<operators::sql_interval_check::SqlIntervalCheck>()
        .with::<operators::sql_load::SqlLoad>()
        .with_sensor::<operators::sql_sensor::SqlSensor>()
        .with::<operators::sql_table_check::SqlTableCheck>()
        .with::<operators::sql_threshold_check::SqlThresholdCheck>()
        .with::<operators::sql_transfer::SqlTransfer>()
        .with::<operators::sql_value_check::SqlValueCheck>()
        .with_sensor::<operators::time_delta_sensor::TimeDeltaSensor>()
        .with_sensor::<operators::time_sensor::TimeSensor>()
        .with::<operators::trigger_dag::TriggerDag>()
        .with_sensor::<operators::wait::Wait>()
}

/// The operators of this build.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

/// One operator, its type forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) spec: OperatorSpec,
    pub(crate) example: &'static str,
    reads: &'static [&'static str],
    run: RunFn,
}

type RunFn = fn(Map<String, Value>, TaskContext) -> BoxFuture<'static, Result<Done, OperatorError>>;

impl Registry {
    /// Adds an operator.
    #[must_use]
    pub fn with<T: Operator>(mut self) -> Self {
        self.entries.push(Entry {
            spec: OperatorSpec {
                name: T::NAME,
                class: T::CLASS,
                summary: T::SUMMARY,
                templated: T::TEMPLATED,
                is_sensor: false,
                is_branch: T::IS_BRANCH,
                is_inline: T::IS_INLINE,
                check: arguments::check::<T>,
                schema: schema::of::<T>,
            },
            example: T::EXAMPLE,
            reads: T::READS,
            run: |given, mut cx| {
                Box::pin(async move { arguments::read::<T>(Value::Object(given))?.run(&mut cx).await })
            },
        });
        self
    }

    /// Adds a sensor.
    #[must_use]
    pub fn with_sensor<T: Sensor>(mut self) -> Self {
        self.entries.push(Entry {
            spec: OperatorSpec {
                name: T::NAME,
                class: T::CLASS,
                summary: T::SUMMARY,
                templated: T::TEMPLATED,
                is_sensor: true,
                is_branch: false,
                is_inline: false,
                check: arguments::check_sensor::<T>,
                schema: schema::of_sensor::<T>,
            },
            example: T::EXAMPLE,
            // What a sensor looks for comes later.
            reads: &[],
            run: |given, mut cx| {
                Box::pin(async move {
                    let (sensor, patience) = arguments::read_sensor::<T>(given)?;
                    patience.judge(&sensor, &mut cx).await
                })
            },
        });
        self
    }

    /// Returns what the core needs to know of them.
    pub fn catalog(&self) -> Catalog {
        Catalog::new(self.entries.iter().map(|entry| entry.spec.clone()).collect())
    }

    /// Lists the parameters of an operator that name files or folders it needs.
    pub fn reads(&self, operator: &str) -> &'static [&'static str] {
        self.entries.iter().find(|entry| entry.spec.name == operator).map_or(&[], |entry| entry.reads)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Runs one attempt to its end. Never panics out: a panic of an operator is a failed attempt. Dropped before
    /// its end, it kills what it started. Saying in the log how it ended is the caller's.
    pub async fn run(&self, operator: &str, arguments: Map<String, Value>, cx: TaskContext) -> Finished {
        let (cancel, patience) = (cx.cancel.clone(), cx.kill_grace + CANCEL_SLACK);
        let (do_xcom_push, multiple_outputs) = (cx.do_xcom_push, cx.multiple_outputs);
        let Some(entry) = self.entries.iter().find(|entry| entry.spec.name == operator) else {
            return refuse(OperatorError::fatal(anyhow!("there is no operator `{operator}` on this worker")));
        };
        let mut attempt = JoinSet::new();
        attempt.spawn((entry.run)(arguments, cx));
        let too_late = async {
            cancel.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        let ended = tokio::select! {
            biased;
            ended = attempt.join_next() => ended,
            () = too_late => None,
        };
        let done = match ended {
            Some(Ok(done)) => done,
            Some(Err(error)) if error.is_panic() => {
                Err(OperatorError::retry(anyhow!("operator `{operator}` panicked: {}", words(&*error.into_panic()))))
            }
            Some(Err(_)) | None => Err(OperatorError::cancelled()),
        };
        match done.and_then(|done| finish(done, do_xcom_push, multiple_outputs)) {
            Ok(finished) => finished,
            Err(error) => refuse(error),
        }
    }
}

/// Turns a result into XComs.
fn finish(done: Done, do_xcom_push: bool, multiple_outputs: bool) -> Result<Finished, OperatorError> {
    let Done { outcome, result, mut xcoms, state } = done;
    if do_xcom_push && result != Value::Null {
        xcoms.extend(xcom::from_result(result, multiple_outputs)?);
    }
    xcom::check_sizes(&xcoms)?;
    Ok(Finished { outcome, xcoms, state })
}

fn refuse(error: OperatorError) -> Finished {
    Finished { outcome: error.into_outcome(), xcoms: Vec::new(), state: Value::Null }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
