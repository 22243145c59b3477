//! Chooses downstream tasks by the answer of a query.

use anyhow::anyhow;
use flow_clients::sql::Cell;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::branch::follow;
use crate::{
    context::TaskContext,
    operator::{Done, Operator, OperatorError},
    sql::{first, is_true, parameters, show},
    values::OneOrMany,
};

/// `uses: branch_sql`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchSql {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    #[serde(default = "BranchSql::conn_id")]
    conn_id: String,
    /// A query. Its first value decides: true or false, a number (0 is false), or a text such as `yes`, `no`, `on`, `off`.
    sql: String,
    /// The task, or tasks, to go on with when it is true.
    follow_task_ids_if_true: OneOrMany,
    /// The task, or tasks, to go on with when it is false.
    follow_task_ids_if_false: OneOrMany,
    /// Values for the query's placeholders, as in `sql`.
    #[serde(default)]
    parameters: Option<Value>,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
}

impl Operator for BranchSql {
    const NAME: &'static str = "branch_sql";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.BranchSQLOperator";
    const SUMMARY: &'static str = "Chooses its downstream tasks by the answer of a query; the others are skipped.";
    const TEMPLATED: &'static [&'static str] = &["sql", "parameters", "conn_id", "database"];
    const IS_BRANCH: bool = true;
    const EXAMPLE: &'static str = "\
id: anything_new
uses: branch_sql
with:
  conn_id: warehouse
  sql: SELECT count(*) > 0 FROM inbox
  follow_task_ids_if_true: work
  follow_task_ids_if_false: [rest]
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let parameters = parameters(self.parameters.clone())?;
        let row = first(cx, &self.conn_id, self.database.as_deref(), &self.sql, &parameters).await?;
        let row = row.ok_or_else(|| {
            OperatorError::retry(anyhow!("the query returned no rows: there is nothing to decide by"))
        })?;
        let decided = row.first().and_then(decide).ok_or_else(|| {
            OperatorError::retry(anyhow!("the query returned {}, which is neither true nor false", show(&row)))
        })?;
        follow(cx, if decided { &self.follow_task_ids_if_true } else { &self.follow_task_ids_if_false })
    }
}

impl BranchSql {
    fn conn_id() -> String {
        "default_conn_id".to_owned()
    }
}

fn decide(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "y" | "yes" | "1" | "on" => Some(true),
            "false" | "f" | "n" | "no" | "0" | "off" => Some(false),
            _ => None,
        },
        Cell::Bool(_) | Cell::Int(_) | Cell::Unsigned(_) | Cell::Float(_) | Cell::Decimal(_) => Some(is_true(cell)),
        Cell::Null | Cell::Json(_) | Cell::Bytes(_) => None,
    }
}
