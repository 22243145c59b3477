//! Waits until a query's answer is true.

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    context::{Stream, TaskContext},
    operator::OperatorError,
    sensor::{Look, Sensor},
    sql::{first, is_true, parameters, show},
    values::{Expr, Flag},
};

/// `uses: sql_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlSensor {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// A query. What it waits for is there when the first value of its first row is not 0, false, empty or null.
    sql: String,
    /// Values for the query's placeholders, as in `sql`.
    #[serde(default)]
    parameters: Option<Value>,
    /// An expression instead, over `value` (the first of the first row) and `row` (all of them): `value >= 100`.
    #[serde(default)]
    success: Option<Expr>,
    /// An expression like `success`; when it holds, the task fails.
    #[serde(default)]
    failure: Option<Expr>,
    /// Fail when there is no row, instead of waiting for one.
    #[serde(default)]
    fail_on_empty: Flag,
}

impl Sensor for SqlSensor {
    const NAME: &'static str = "sql_sensor";
    const CLASS: &'static str = "airflow.providers.common.sql.sensors.sql.SqlSensor";
    const SUMMARY: &'static str = "Waits until a query's answer is true.";
    const TEMPLATED: &'static [&'static str] = &["sql", "parameters", "conn_id"];
    const EXAMPLE: &'static str = "\
id: sales_are_in
uses: sql_sensor
with:
  conn_id: warehouse
  sql: SELECT count(*) FROM sales WHERE day = '{{ ds }}'
  success: value >= 100
  poke_interval: 5m
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let parameters = parameters(self.parameters.clone())?;
        let row = first(cx, &self.conn_id, None, &self.sql, &parameters).await?;
        let Some(row) = row else {
            return Ok(match self.fail_on_empty.0 {
                true => Look::Failed("the query returned no rows, and `fail_on_empty` is set".to_owned()),
                false => Look::NotYet,
            });
        };
        cx.say(Stream::Info, &format!("the row is {}", show(&row)));
        let is_met = row.first().is_some_and(is_true);
        let shown = show(&row);
        let values: Vec<Value> = row.into_iter().map(flow_clients::sql::Cell::into_json).collect();
        let mut names = Map::new();
        names.insert("value".to_owned(), values.first().cloned().unwrap_or_default());
        names.insert("row".to_owned(), Value::Array(values));
        if let Some(failure) = &self.failure
            && holds(failure, &names, "failure")?
        {
            return Ok(Look::Failed(format!("`failure` holds: the row is {shown}")));
        }
        let is_met = match &self.success {
            Some(success) => holds(success, &names, "success")?,
            None => is_met,
        };
        Ok(if is_met { Look::Met(Value::Null) } else { Look::NotYet })
    }
}

fn holds(expression: &Expr, names: &Map<String, Value>, field: &str) -> Result<bool, OperatorError> {
    let compiled = expression.compile().map_err(|error| OperatorError::fatal(anyhow!("`{field}`: {error}")))?;
    compiled.holds(names).map_err(|error| OperatorError::fatal(anyhow!("`{field}`: {error}")))
}
