//! Checks a query's first row against a value.

use anyhow::anyhow;
use flow_clients::sql::Cell;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::sql::yes;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{does_not_hold, first, number, parameters, show},
    values::{Flag, Scalar},
};

/// `uses: sql_value_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlValueCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// A query. Every value of its first row is compared.
    sql: String,
    /// What the values must be: a number, or a text.
    pass_value: Scalar,
    /// How far a number may be away, as a part of `pass_value`: with `0.1`, 90 to 110 pass for 100.
    #[serde(default)]
    tolerance: Option<f64>,
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

impl Operator for SqlValueCheck {
    const NAME: &'static str = "sql_value_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLValueCheckOperator";
    const SUMMARY: &'static str = "Fails unless a query's first row has a certain value, exactly or nearly.";
    const TEMPLATED: &'static [&'static str] = &["sql", "parameters", "pass_value", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: about_a_thousand
uses: sql_value_check
with:
  conn_id: warehouse
  sql: SELECT count(*) FROM sales
  pass_value: 1000
  tolerance: 0.1
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let parameters = parameters(self.parameters.clone())?;
        let row = first(cx, &self.conn_id, self.database.as_deref(), &self.sql, &parameters).await?;
        let row = row.ok_or_else(|| OperatorError::retry(anyhow!("the query returned no rows")))?;
        let pass = self.pass_value.0.trim();
        if !row.iter().all(|cell| passes(cell, pass, self.tolerance)) {
            let nearly = self.tolerance.map(|part| format!(", give or take {part} of it")).unwrap_or_default();
            let words = format!("the check does not hold: the row is {}, not {pass}{nearly}", show(&row));
            return Err(does_not_hold(words, self.retry_on_failure.0));
        }
        cx.say(Stream::Info, &format!("holds: the row is {}", show(&row)));
        Ok(Done::success(Value::Null))
    }
}

fn passes(cell: &Cell, pass: &str, tolerance: Option<f64>) -> bool {
    let Ok(wanted) = pass.parse::<f64>() else {
        return cell.clone().into_text().is_some_and(|text| text == pass);
    };
    let Some(value) = number(cell) else { return false };
    match tolerance {
        // A negative number turns the bounds around.
        Some(part) => {
            let bounds = (wanted * (1.0 - part), wanted * (1.0 + part));
            (bounds.0.min(bounds.1)..=bounds.0.max(bounds.1)).contains(&value)
        }
        None => value == wanted,
    }
}
