//! Checks columns of a table: nulls, doubles, least and greatest values.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::sql::{Parameters, quote, quote_table};
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

/// What is looked at in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Measure {
    /// How many nulls.
    NullCheck,
    /// How many different values.
    DistinctCheck,
    /// How many values are there more than once.
    UniqueCheck,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
}

/// What a figure must be.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Bounds {
    /// It must be this.
    #[serde(default)]
    equal_to: Option<f64>,
    /// It must be more.
    #[serde(default)]
    greater_than: Option<f64>,
    /// It must be less.
    #[serde(default)]
    less_than: Option<f64>,
    /// It must be this or more.
    #[serde(default)]
    geq_to: Option<f64>,
    /// It must be this or less.
    #[serde(default)]
    leq_to: Option<f64>,
    /// How much further the bounds are, as a part of them.
    #[serde(default)]
    tolerance: Option<f64>,
    /// Only rows with this are looked at; after `WHERE`.
    #[serde(default)]
    partition_clause: Option<String>,
}

/// `uses: sql_column_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlColumnCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// The table.
    table: String,
    /// For each column what is looked at (`null_check`, `distinct_check`, `unique_check`, `min`, `max`) and what that
    /// must be (`equal_to`, `greater_than`, `less_than`, `geq_to`, `leq_to`, with `tolerance`).
    column_mapping: BTreeMap<String, BTreeMap<Measure, Bounds>>,
    /// Only rows with this are looked at; after `WHERE`.
    #[serde(default)]
    partition_clause: Option<String>,
    /// Take a figure that is null, as of an empty table, for 0. Without it such a check fails.
    #[serde(default = "yes")]
    accept_none: Flag,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
    /// Let `retries` count for a check that does not hold.
    #[serde(default = "yes")]
    retry_on_failure: Flag,
}

impl Operator for SqlColumnCheck {
    const NAME: &'static str = "sql_column_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLColumnCheckOperator";
    const SUMMARY: &'static str = "Fails unless columns of a table are as they should be.";
    const TEMPLATED: &'static [&'static str] = &["table", "column_mapping", "partition_clause", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: columns
uses: sql_column_check
with:
  conn_id: warehouse
  table: sales
  partition_clause: day = '{{ ds }}'
  column_mapping:
    id: { null_check: { equal_to: 0 }, unique_check: { equal_to: 0 } }
    amount: { min: { geq_to: 0 }, max: { less_than: 100000, tolerance: 0.1 } }
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        if self.column_mapping.values().all(BTreeMap::is_empty) {
            return Err(OperatorError::fatal(anyhow!("`column_mapping` names no check")));
        }
        let mut session = open(cx, &self.conn_id, self.database.as_deref()).await?;
        let done = or_cancelled(cx, async {
            let kind = session.kind();
            let mut broken = Vec::new();
            for (column, measures) in &self.column_mapping {
                for (measure, bounds) in measures {
                    let partition: Vec<_> = [&self.partition_clause, &bounds.partition_clause]
                        .into_iter()
                        .flatten()
                        .filter(|clause| !clause.trim().is_empty())
                        .map(|clause| format!("({clause})"))
                        .collect();
                    let place = if partition.is_empty() { "" } else { " WHERE " };
                    let (figure, table) = (measure.figure(&quote(kind, column)), quote_table(kind, &self.table));
                    let sql = format!("SELECT {figure} FROM {table}{place}{}", partition.join(" AND "));
                    say_statement(cx, &sql);
                    let row = session.first(&sql, &Parameters::None).await?;
                    let value = row.and_then(|row| number(row.first()?));
                    let value = if self.accept_none.0 { value.or(Some(0.0)) } else { value };
                    let words = format!(
                        "{} of `{column}` is {}",
                        measure.words(),
                        value.map_or("null".to_owned(), |value| value.to_string())
                    );
                    match value.map_or(Some("it is null".to_owned()), |value| bounds.broken(value)) {
                        Some(bound) => broken.push(format!("{words}: {bound}")),
                        None => cx.say(Stream::Info, &format!("holds: {words}")),
                    }
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

impl Measure {
    fn figure(self, column: &str) -> String {
        match self {
            Self::NullCheck => format!("SUM(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END)"),
            Self::DistinctCheck => format!("COUNT(DISTINCT {column})"),
            Self::UniqueCheck => format!("COUNT({column}) - COUNT(DISTINCT {column})"),
            Self::Min => format!("MIN({column})"),
            Self::Max => format!("MAX({column})"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NullCheck => "the number of nulls",
            Self::DistinctCheck => "the number of different values",
            Self::UniqueCheck => "the number of values that are there already",
            Self::Min => "the least value",
            Self::Max => "the greatest value",
        }
    }
}

impl Bounds {
    /// Says which bound a value is outside of.
    fn broken(&self, value: f64) -> Option<String> {
        let part = self.tolerance.unwrap_or(0.0);
        let (low, high) = (1.0 - part, 1.0 + part);
        let nearly = if part > 0.0 { format!(", give or take {part} of it") } else { String::new() };
        let checks = [
            (
                self.equal_to,
                "equal to",
                self.equal_to.is_some_and(|bound| value >= bound * low && value <= bound * high),
            ),
            (self.greater_than, "greater than", self.greater_than.is_some_and(|bound| value > bound * low)),
            (self.less_than, "less than", self.less_than.is_some_and(|bound| value < bound * high)),
            (self.geq_to, "at least", self.geq_to.is_some_and(|bound| value >= bound * low)),
            (self.leq_to, "at most", self.leq_to.is_some_and(|bound| value <= bound * high)),
        ];
        let broken = checks.iter().find(|(bound, _, holds)| bound.is_some() && !holds);
        broken.and_then(|(bound, words, _)| Some(format!("it must be {words} {}{nearly}", (*bound)?)))
    }
}
