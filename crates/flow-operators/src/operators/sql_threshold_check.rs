//! Checks that a query's value is within bounds.

use anyhow::anyhow;
use flow_clients::sql::Parameters;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::sql::yes;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{does_not_hold, first, number},
    values::{Flag, Scalar},
};

/// `uses: sql_threshold_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlThresholdCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// A query whose first value is a number.
    sql: String,
    /// The least that passes: a number, or a query for one.
    min_threshold: Scalar,
    /// The most that passes: a number, or a query for one.
    max_threshold: Scalar,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
    /// Let `retries` count for a check that does not hold.
    #[serde(default = "yes")]
    retry_on_failure: Flag,
}

impl Operator for SqlThresholdCheck {
    const NAME: &'static str = "sql_threshold_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLThresholdCheckOperator";
    const SUMMARY: &'static str = "Fails unless a query's value is within two bounds, which may be queries too.";
    const TEMPLATED: &'static [&'static str] = &["sql", "min_threshold", "max_threshold", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: not_too_few
uses: sql_threshold_check
with:
  conn_id: warehouse
  sql: SELECT count(*) FROM sales WHERE day = '{{ ds }}'
  min_threshold: SELECT 0.8 * avg(rows) FROM daily_counts
  max_threshold: 1000000
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let value = self.number(cx, &self.sql, "sql").await?;
        let least = self.bound(cx, &self.min_threshold.0, "min_threshold").await?;
        let most = self.bound(cx, &self.max_threshold.0, "max_threshold").await?;
        if !(least..=most).contains(&value) {
            let words = format!("the check does not hold: {value} is not within {least} and {most}");
            return Err(does_not_hold(words, self.retry_on_failure.0));
        }
        cx.say(Stream::Info, &format!("holds: {value} is within {least} and {most}"));
        Ok(Done::success(json!({ "result": value, "min_threshold": least, "max_threshold": most })))
    }
}

impl SqlThresholdCheck {
    async fn bound(&self, cx: &TaskContext, written: &str, name: &str) -> Result<f64, OperatorError> {
        match written.trim().parse() {
            Ok(number) => Ok(number),
            Err(_) => self.number(cx, written, name).await,
        }
    }

    async fn number(&self, cx: &TaskContext, sql: &str, name: &str) -> Result<f64, OperatorError> {
        let row = first(cx, &self.conn_id, self.database.as_deref(), sql, &Parameters::None).await?;
        let cell = row.and_then(|row| row.into_iter().next());
        let cell = cell.ok_or_else(|| OperatorError::retry(anyhow!("the query of `{name}` returned no rows")))?;
        let found = number(&cell);
        found.ok_or_else(|| {
            let value: Value = cell.into_json();
            OperatorError::retry(anyhow!("the query of `{name}` returned {value}, which is no number"))
        })
    }
}
