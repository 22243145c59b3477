//! Checks figures of a day against those of an earlier one.

use std::collections::BTreeMap;

use anyhow::anyhow;
use flow_clients::sql::{Parameters, quote_table};
use jiff::{ToSpan as _, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::sql::yes;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{close, does_not_hold, number, open, or_cancelled, say_statement},
    values::Flag,
};

/// How two figures are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Ratio {
    /// The larger through the smaller.
    #[default]
    MaxOverMin,
    /// Their difference, as a part of the earlier one.
    RelativeDiff,
}

/// `uses: sql_interval_check`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlIntervalCheck {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// The table that has the figures of all days.
    table: String,
    /// Figures, as in a `SELECT`, and the ratio that each must stay below: `{\"count(*)\": 1.5}`.
    metrics_thresholds: BTreeMap<String, f64>,
    /// The column with the day, as `2026-01-31`.
    #[serde(default = "SqlIntervalCheck::date_filter_column")]
    date_filter_column: String,
    /// How many days the other day is away from the run's logical date; negative: before it.
    #[serde(default = "SqlIntervalCheck::days_back")]
    days_back: i64,
    /// `max_over_min`: the larger through the smaller. `relative_diff`: the difference as a part of the earlier figure.
    #[serde(default)]
    ratio_formula: Ratio,
    /// Let a figure pass that is 0 or missing on one of the days.
    #[serde(default = "yes")]
    ignore_zero: Flag,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
    /// Let `retries` count for a check that does not hold.
    #[serde(default = "yes")]
    retry_on_failure: Flag,
}

impl Operator for SqlIntervalCheck {
    const NAME: &'static str = "sql_interval_check";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLIntervalCheckOperator";
    const SUMMARY: &'static str = "Fails when figures of a table differ too much from those of some days before.";
    const TEMPLATED: &'static [&'static str] = &["table", "metrics_thresholds", "conn_id", "database"];
    const EXAMPLE: &'static str = "\
id: like_last_week
uses: sql_interval_check
with:
  conn_id: warehouse
  table: sales
  date_filter_column: day
  metrics_thresholds: { \"count(*)\": 1.5, \"sum(amount)\": 2 }
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        if self.metrics_thresholds.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`metrics_thresholds` names no figure")));
        }
        let logical = cx.identity.logical_date.map(|date| date.to_string());
        let day: Option<Date> = logical.as_deref().and_then(|date| date.get(..10)?.parse().ok());
        let day = day.ok_or_else(|| OperatorError::fatal(anyhow!("the run has no logical date to compare with")))?;
        let other = day.checked_add(self.days_back.clamp(-3_650_000, 3_650_000).days());
        let other = other.map_err(|_| OperatorError::fatal(anyhow!("`days_back` is too far away")))?;
        let mut session = open(cx, &self.conn_id, self.database.as_deref()).await?;
        let figures: Vec<&str> = self.metrics_thresholds.keys().map(String::as_str).collect();
        let table = quote_table(session.kind(), &self.table);
        let sql = format!("SELECT {} FROM {table} WHERE {} = %s", figures.join(", "), self.date_filter_column);
        say_statement(cx, &sql);
        let done = or_cancelled(cx, async {
            let mut found = Vec::new();
            for day in [day, other] {
                let row = session.first(&sql, &Parameters::List(vec![json!(day.to_string())])).await?;
                found.push(row.unwrap_or_default().iter().map(|cell| number(cell).unwrap_or(0.0)).collect::<Vec<_>>());
            }
            Ok(found)
        })
        .await;
        let found = close(session, done).await?;
        let mut broken = Vec::new();
        for (at, (figure, threshold)) in self.metrics_thresholds.iter().enumerate() {
            let value = |day: usize| found.get(day).and_then(|row: &Vec<f64>| row.get(at)).copied().unwrap_or(0.0);
            let (current, reference) = (value(0), value(1));
            let ratio = self.ratio(current, reference);
            let shown = ratio.map_or("no ratio".to_owned(), |ratio| format!("a ratio of {ratio:.3}"));
            let words =
                format!("{figure}: {current} on {day}, {reference} on {other}, {shown}, allowed below {threshold}");
            cx.say(Stream::Info, &words);
            if !ratio.map_or(self.ignore_zero.0, |ratio| ratio < *threshold) {
                broken.push(words);
            }
        }
        if broken.is_empty() {
            return Ok(Done::success(Value::Null));
        }
        Err(does_not_hold(format!("the check does not hold: {}", broken.join("; ")), self.retry_on_failure.0))
    }
}

impl SqlIntervalCheck {
    fn date_filter_column() -> String {
        "ds".to_owned()
    }

    fn days_back() -> i64 {
        -7
    }

    fn ratio(&self, current: f64, reference: f64) -> Option<f64> {
        if current == 0.0 || reference == 0.0 {
            return None;
        }
        Some(match self.ratio_formula {
            Ratio::MaxOverMin => current.max(reference) / current.min(reference),
            Ratio::RelativeDiff => (current - reference).abs() / reference,
        })
    }
}
