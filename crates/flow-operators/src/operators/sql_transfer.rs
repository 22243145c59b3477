//! Copies the rows of a query from one database into a table of another.

use anyhow::anyhow;
use flow_clients::sql::{Cell, DatabaseKind, Insert, OnConflict, Parameters, Session, split};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::sql_load::{Conflict, on_conflict};
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{close, open_both, or_cancelled, parameters, say_statement},
    values::OneOrMany,
};

/// Rows on their way at a time, unless `page_size` says otherwise.
const PAGE_SIZE: u32 = 1_000;

/// And bytes, unless one row has more.
const PAGE_BYTES: usize = 4 << 20;

/// `uses: sql_transfer`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlTransfer {
    /// The connection that is read.
    source_conn_id: String,
    /// The connection that is written.
    destination_conn_id: String,
    /// A query whose rows are copied.
    sql: String,
    /// Values for the query's placeholders, as in `sql`.
    #[serde(default)]
    parameters: Option<Value>,
    /// The table that takes the rows.
    destination_table: String,
    /// The table's columns, one for each of the query; by default they are called as in the query.
    #[serde(default)]
    columns: Vec<String>,
    /// Statements that run at the destination before, in the same transaction.
    #[serde(default)]
    preoperator: Option<OneOrMany>,
    /// Statements that run at the destination afterwards, in the same transaction.
    #[serde(default)]
    postoperator: Option<OneOrMany>,
    /// What becomes of a row whose key is there already; as in `sql_load`.
    #[serde(default)]
    on_conflict: Conflict,
    /// The columns of the key, for `on_conflict: update`.
    #[serde(default)]
    conflict_columns: Vec<String>,
    /// How many rows are on their way at a time; fewer where they have more than 4 MiB together.
    #[serde(default = "SqlTransfer::page_size")]
    #[schemars(range(min = 1, max = 100_000))]
    page_size: u32,
}

impl Operator for SqlTransfer {
    const NAME: &'static str = "sql_transfer";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.generic_transfer.GenericTransfer";
    const SUMMARY: &'static str = "Copies the rows of a query from one database into a table of another, in one transaction. The result is their number.";
    const TEMPLATED: &'static [&'static str] = &[
        "source_conn_id",
        "destination_conn_id",
        "sql",
        "parameters",
        "destination_table",
        "preoperator",
        "postoperator",
        "page_size",
    ];
    const EXAMPLE: &'static str = "\
id: copy_orders
uses: sql_transfer
with:
  source_conn_id: shop
  sql: SELECT id, customer, amount FROM orders WHERE day = '{{ ds }}'
  destination_conn_id: warehouse
  destination_table: orders
  preoperator: DELETE FROM orders WHERE day = '{{ ds }}'
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let on_conflict = on_conflict(self.on_conflict, &self.conflict_columns)?;
        let (mut source, mut destination) = open_both(cx, &self.source_conn_id, &self.destination_conn_id).await?;
        let done = or_cancelled(cx, self.copy(cx, &mut source, &mut destination, on_conflict)).await;
        let done = close(source, done).await;
        close(destination, done).await
    }
}

impl SqlTransfer {
    fn page_size() -> u32 {
        PAGE_SIZE
    }

    async fn copy(
        &self,
        cx: &TaskContext,
        source: &mut Session,
        destination: &mut Session,
        on_conflict: OnConflict,
    ) -> Result<Done, OperatorError> {
        let (from, to) = (source.kind(), destination.kind());
        let parameters = parameters(self.parameters.clone())?;
        let most = usize::try_from(self.page_size.clamp(1, 100_000)).unwrap_or(1);
        destination.begin().await?;
        run_all(cx, destination, self.preoperator.as_ref()).await?;
        say_statement(cx, &self.sql);
        let mut rows = source.rows(&self.sql, &parameters).await?;
        let columns = if self.columns.is_empty() { rows.columns().to_vec() } else { self.columns.clone() };
        if columns.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`sql` returns no rows: it is no query")));
        }
        let insert = Insert { table: self.destination_table.clone(), columns, on_conflict };
        let mut count = 0_u64;
        let (mut page, mut size) = (Vec::new(), 0);
        loop {
            let row = rows.next().await?;
            let is_end = row.is_none();
            if let Some(row) = row {
                size += row.iter().map(Cell::size).sum::<usize>();
                page.push(row.into_iter().map(|cell| fitting(cell, from, to)).collect::<Vec<_>>());
            }
            if page.len() >= most || size >= PAGE_BYTES || (is_end && !page.is_empty()) {
                count += page.len() as u64;
                size = 0;
                destination.insert(&insert, std::mem::take(&mut page)).await?;
            }
            if is_end {
                break;
            }
        }
        run_all(cx, destination, self.postoperator.as_ref()).await?;
        destination.commit().await?;
        cx.say(Stream::Info, &format!("{count} rows copied into {}", self.destination_table));
        Ok(Done::success(count))
    }
}

/// Runs statements of the user's around the rows.
pub(super) async fn run_all(
    cx: &TaskContext,
    session: &mut Session,
    statements: Option<&OneOrMany>,
) -> Result<(), OperatorError> {
    let texts = statements.map(|statements| statements.items.as_slice()).unwrap_or_default();
    let kind = session.kind();
    for sql in texts.iter().flat_map(|text| split(kind, text)) {
        say_statement(cx, &sql);
        let changed = session.execute(&sql, &Parameters::None).await?;
        cx.say(Stream::Info, &format!("{changed} rows changed"));
    }
    Ok(())
}

/// A moment as MySQL takes it: without the offset, which is that of UTC, as its session is.
fn fitting(cell: Cell, from: DatabaseKind, to: DatabaseKind) -> Cell {
    let Cell::Text(text) = &cell else { return cell };
    if to != DatabaseKind::MySql || from == DatabaseKind::Sqlite || !text.is_ascii() || text.len() > 32 {
        return cell;
    }
    match text.strip_suffix("+00:00") {
        Some(time) if time.len() >= 19 && time.as_bytes()[10] == b'T' && time.as_bytes()[4] == b'-' => {
            Cell::Text(time.replacen('T', " ", 1))
        }
        Some(_) | None => cell,
    }
}
