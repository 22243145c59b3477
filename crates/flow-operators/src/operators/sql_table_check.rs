//! Checks conditions over a table.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::sql::{Parameters, quote_table};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::sql::yes;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{close, does_not_hold, number, open, or_cancelled, say_statement},
    values::Flag,
};

/// A condition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Condition {
    /// What must hold: for every row, or of all rows, as `count(*) > 0`.
    check_statement: String,
    /// Only rows with this are looked at; after `WHERE`.
    #[serde(default)]
    partition_clause: Option<String>,
}

/// `uses: sql_table_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlTableCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// The table.
    table: String,
    /// Conditions by name, each with a `check_statement`.
    checks: BTreeMap<String, Condition>,
    /// Only rows with this are looked at; after `WHERE`.
    #[serde(default)]
    partition_clause: Option<String>,
    /// Let a condition pass that is null, as one of every row is over an empty table.
    #[serde(default)]
    accept_none: Flag,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
    /// Let `retries` count for a check that does not hold.
    #[serde(default = "yes")]
    retry_on_failure: Flag,
}

impl Operator for SqlTableCheck {
    const NAME: &'static str = "sql_table_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLTableCheckOperator";
    const SUMMARY: &'static str = "Fails unless conditions hold for a table.";
    const TEMPLATED: &'static [&'static str] = &["table", "checks", "partition_clause", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: table
uses: sql_table_check
with:
  conn_id: warehouse
  table: sales
  checks:
    has_rows: { check_statement: count(*) > 0 }
    no_refund_is_positive: { check_statement: amount < 0, partition_clause: kind = 'refund' }
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        if self.checks.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`checks` names no condition")));
        }
        let mut session = open(cx, &self.conn_id, self.database.as_deref()).await?;
        let done = or_cancelled(cx, async {
            let mut broken = Vec::new();
            for (name, check) in &self.checks {
                let partition: Vec<_> = [&self.partition_clause, &check.partition_clause]
                    .into_iter()
                    .flatten()
                    .filter(|clause| !clause.trim().is_empty())
                    .map(|clause| format!("({clause})"))
                    .collect();
                let place = if partition.is_empty() { "" } else { " WHERE " };
                // A condition over all rows is one value here, one over each row many: the least counts.
                let sql = format!(
                    "SELECT MIN(check_result) FROM (SELECT CASE WHEN {} THEN 1 ELSE 0 END AS check_result FROM {}{place}{}) AS checked",
                    check.check_statement,
                    quote_table(session.kind(), &self.table),
                    partition.join(" AND ")
                );
                say_statement(cx, &sql);
                let row = session.first(&sql, &Parameters::None).await?;
                match row.and_then(|row| number(row.first()?)) {
                    Some(1.0) => cx.say(Stream::Info, &format!("holds: {name}")),
                    None if self.accept_none.0 => cx.say(Stream::Info, &format!("no rows: {name}")),
                    None => broken.push(format!("`{name}` is null: there are no rows")),
                    Some(_) => broken.push(format!("`{name}` is not so: {}", check.check_statement)),
                }
            }
            Ok(broken)
        })
        .await;
        let broken = close(session, done).await?;
        if broken.is_empty() {
            return Ok(Done::success(Value::Null));
        }
        Err(does_not_hold(format!("the check does not hold: {}", broken.join("; ")), self.retry_on_failure.0))
    }
}
