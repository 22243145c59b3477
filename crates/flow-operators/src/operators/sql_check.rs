//! Checks that every value of a query's first row is true.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::sql::yes;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{does_not_hold, first, is_true, parameters, show},
    values::Flag,
};

/// `uses: sql_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// A query. Its first row must be there, and none of its values 0, false, empty or null.
    sql: String,
    /// Values for the query's placeholders, as in `sql`.
    #[serde(default)]
    parameters: Option<Value>,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
    /// Let `retries` count for a check that does not hold.
    #[serde(default = "yes")]
    retry_on_failure: Flag,
}

impl Operator for SqlCheck {
    const NAME: &'static str = "sql_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLCheckOperator";
    const SUMMARY: &'static str = "Fails unless every value of a query's first row is true.";
    const TEMPLATED: &'static [&'static str] = &["sql", "parameters", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: has_rows
uses: sql_check
with:
  conn_id: warehouse
  sql: SELECT count(*) FROM sales WHERE day = '{{ ds }}'
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let parameters = parameters(self.parameters)?;
        let row = first(cx, &self.conn_id, self.database.as_deref(), &self.sql, &parameters).await?;
        let row = row.ok_or_else(|| OperatorError::retry(anyhow!("the query returned no rows")))?;
        if !row.iter().all(is_true) {
            return Err(does_not_hold(
                format!("the check does not hold: the row is {}", show(&row)),
                self.retry_on_failure.0,
            ));
        }
        cx.say(Stream::Info, &format!("holds: the row is {}", show(&row)));
        Ok(Done::success(Value::Null))
    }
}
