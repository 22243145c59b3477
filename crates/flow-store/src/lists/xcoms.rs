//! XComs, of a task instance or of many, and what people do to them.

use flow_core::{RunKey, Timestamp};
use serde_json::{Value, json};

use crate::{
    Listed, Order, Page, Pattern, Range, Store, StoreError,
    db::{on, statements},
    rows::{can_be_kept, to_json, to_list},
    select::Select,
};

/// Which XComs a list shows. What is empty or `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct XComFilter {
    pub run: Option<RunKey>,
    pub dag: Option<String>,
    pub hidden_dags: Vec<String>,
    pub run_id: Option<String>,
    pub task: Option<String>,
    pub key: Option<String>,
    pub map_index: Option<i64>,
    pub keys_like: Vec<Pattern>,
    pub dag_names_like: Vec<Pattern>,
    pub runs_like: Vec<Pattern>,
    pub tasks_like: Vec<Pattern>,
    pub logical_date: Range<Timestamp>,
    pub run_after: Range<Timestamp>,
}

/// What XComs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XComOrder {
    Run,
    Dag,
    RunId,
    Task,
    MapIndex,
    Key,
    At,
    LogicalDate,
    RunAfter,
}

/// An XCom without its value.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct XComLine {
    pub run: i64,
    pub dag_id: String,
    pub run_id: String,
    pub logical_date: Option<i64>,
    pub run_after: i64,
    pub version_id: i64,
    pub task_id: String,
    pub map_index: i64,
    pub key: String,
    pub at: i64,
}

const COLUMNS: &str =
    "x.run, r.dag_id, r.run_id, r.logical_date, r.run_after, r.version_id, x.task_id, x.map_index, x.key, x.at";
/// SQLite looks at tables in this order: the runs are sorted already.
const FROM: &str = "dag_run AS r CROSS JOIN xcom AS x";
const DAG_NAME: &str = "(SELECT COALESCE(d.display_name, d.dag_id) FROM dag d WHERE d.dag_id = r.dag_id)";

impl XComOrder {
    fn expression(self) -> &'static str {
        match self {
            Self::Run => "r.id",
            Self::Dag => "r.dag_id",
            Self::RunId => "r.run_id",
            Self::Task => "x.task_id",
            Self::MapIndex => "x.map_index",
            Self::Key => "x.key",
            Self::At => "x.at",
            Self::LogicalDate => "r.logical_date",
            Self::RunAfter => "r.run_after",
        }
    }
}

statements! {
    both VALUE = "SELECT value FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3 AND key = $4";
    each CREATE = [
        "INSERT INTO xcom (run, task_id, map_index, key, value, at)
         SELECT CAST(c.value ->> 0 AS BIGINT), c.value ->> 1, CAST(c.value ->> 2 AS BIGINT), c.value ->> 3, c.value ->> 4,
            CAST(c.value ->> 5 AS BIGINT)
         FROM",
        "WHERE TRUE ON CONFLICT DO NOTHING"
    ];
    each UPDATE = [
        "UPDATE xcom SET value = c.value ->> 4, at = CAST(c.value ->> 5 AS BIGINT) FROM",
        "WHERE xcom.run = CAST(c.value ->> 0 AS BIGINT) AND xcom.task_id = c.value ->> 1
            AND xcom.map_index = CAST(c.value ->> 2 AS BIGINT) AND xcom.key = c.value ->> 3"
    ];
    both DELETE = "DELETE FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3 AND key = $4";
}

/// Names an XCom.
#[derive(Clone, Copy, Debug)]
pub struct XComKey<'a> {
    pub run: RunKey,
    pub task_id: &'a str,
    pub map_index: i32,
    pub key: &'a str,
}

impl XComKey<'_> {
    fn row(self, value: &Value, now: Timestamp) -> String {
        to_list(&json!([[self.run, self.task_id, self.map_index, self.key, to_json(value), now.as_micros()]]))
    }
}

/// What came of writing an XCom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XComWritten {
    Done,
    /// There is one of this name already, or there is none to change.
    NotSo,
    /// Its value is nested too deeply to be read again.
    TooDeep,
}

impl Store {
    /// Returns a page of XComs, those of the newest run first when nothing else is said.
    ///
    /// # Errors
    ///
    /// When the database does, or it takes too long to find them.
    pub async fn list_xcoms(
        &self,
        filter: &XComFilter,
        orders: &[Order<XComOrder>],
        page: Page,
    ) -> Result<Listed<XComLine>, StoreError> {
        self.xcom_lines(filter, orders).list(self, page).await
    }

    fn xcom_lines(&self, filter: &XComFilter, orders: &[Order<XComOrder>]) -> Select {
        let mut select = Select::new(self, COLUMNS, FROM);
        select.only("x.run = r.id");
        if let Some(run) = filter.run {
            select.filter("r.id = ?", [run.0]);
        }
        let texts = [
            ("r.dag_id", &filter.dag),
            ("r.run_id", &filter.run_id),
            ("x.task_id", &filter.task),
            ("x.key", &filter.key),
        ];
        for (column, value) in texts {
            if let Some(value) = value {
                select.filter(&format!("{column} = ?"), [value]);
            }
        }
        select.none_of("r.dag_id", &filter.hidden_dags);
        if let Some(index) = filter.map_index {
            select.filter("x.map_index = ?", [index]);
        }
        let patterns = [
            ("x.key", &filter.keys_like),
            (DAG_NAME, &filter.dag_names_like),
            ("r.run_id", &filter.runs_like),
            ("x.task_id", &filter.tasks_like),
        ];
        for (column, patterns) in patterns {
            for pattern in patterns {
                select.looks_like(column, pattern);
            }
        }
        select.within("r.logical_date", &filter.logical_date);
        select.within("r.run_after", &filter.run_after);
        let is_ordered = !orders.is_empty();
        for order in orders {
            if order.by == XComOrder::LogicalDate {
                select.order_by(order.by.expression(), order.is_descending);
            } else {
                select.order_by_filled(order.by.expression(), order.is_descending);
            }
        }
        if !orders.iter().any(|order| order.by == XComOrder::Run) {
            select.order_by_filled(XComOrder::Run.expression(), !is_ordered);
        }
        for by in [XComOrder::Task, XComOrder::MapIndex, XComOrder::Key] {
            select.order_by_filled(by.expression(), false);
        }
        select
    }

    /// Returns an XCom and its value.
    ///
    /// # Errors
    ///
    /// When the database does, or the value cannot be read.
    pub async fn xcom_entry(&self, name: XComKey<'_>) -> Result<Option<(XComLine, Value)>, StoreError> {
        let filter = XComFilter {
            run: Some(name.run),
            task: Some(name.task_id.to_owned()),
            key: Some(name.key.to_owned()),
            map_index: Some(i64::from(name.map_index)),
            ..XComFilter::default()
        };
        let found = self.xcom_lines(&filter, &[]).fetch::<XComLine>(self, Page { limit: 1, offset: 0 }).await?.pop();
        let Some(line) = found else { return Ok(None) };
        let text: Option<String> = on!(read self, VALUE, |text, conn| {
            let query = sqlx::query_scalar(text).bind(line.run).bind(&line.task_id).bind(line.map_index).bind(&line.key);
            query.fetch_optional(conn).await?
        });
        let Some(text) = text else { return Ok(None) };
        let row = || format!("{}/{}/{}", line.run, line.task_id, line.key);
        let value = crate::rows::json("xcom", "value", row(), &text)?;
        Ok(Some((line, value)))
    }

    /// Makes an XCom.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn create_xcom(
        &self,
        name: XComKey<'_>,
        value: &Value,
        now: Timestamp,
    ) -> Result<XComWritten, StoreError> {
        self.write_xcom(CREATE, name, value, now).await
    }

    /// Gives an XCom another value.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn update_xcom(
        &self,
        name: XComKey<'_>,
        value: &Value,
        now: Timestamp,
    ) -> Result<XComWritten, StoreError> {
        self.write_xcom(UPDATE, name, value, now).await
    }

    async fn write_xcom(
        &self,
        sql: crate::db::Sql,
        name: XComKey<'_>,
        value: &Value,
        now: Timestamp,
    ) -> Result<XComWritten, StoreError> {
        if !can_be_kept(value) {
            return Ok(XComWritten::TooDeep);
        }
        let mut tx = self.begin().await?;
        let rows = name.row(value, now);
        let touched = on!(tx tx, sql, |text, conn| sqlx::query(text).bind(rows).execute(conn).await?.rows_affected());
        tx.commit().await?;
        Ok(if touched == 1 { XComWritten::Done } else { XComWritten::NotSo })
    }

    /// Deletes an XCom. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn delete_xcom(&self, name: XComKey<'_>) -> Result<bool, StoreError> {
        if [name.task_id, name.key].iter().any(|text| text.contains('\0')) {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        let touched = on!(tx tx, DELETE, |text, conn| {
            let query = sqlx::query(text).bind(name.run.0).bind(name.task_id).bind(i64::from(name.map_index));
            query.bind(name.key).execute(conn).await?.rows_affected()
        });
        tx.commit().await?;
        Ok(touched == 1)
    }
}
