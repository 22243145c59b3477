//! Small results that tasks hand on.

use flow_core::RunKey;
use serde_json::Value;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    rows::{json, to_list},
};

statements! {
    both GET = "SELECT map_index, value FROM xcom WHERE run = $1 AND task_id = $2 AND key = $3 ORDER BY map_index";
    both OF_TASK = "SELECT key, value FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3 ORDER BY key";
    // Most have none, and then only the keys are looked up.
    each FORGET = [
        "DELETE FROM xcom WHERE (run, task_id, map_index, key) IN (SELECT x.run, x.task_id, x.map_index, x.key FROM",
        "CROSS JOIN xcom x
            WHERE x.run = CAST(c.value ->> 0 AS BIGINT) AND x.task_id = c.value ->> 1 AND x.map_index = CAST(c.value ->> 2 AS BIGINT))"
    ];
    each PUT = [
        "INSERT INTO xcom (run, task_id, map_index, key, value, at)
         SELECT CAST(c.value ->> 0 AS BIGINT), c.value ->> 1, CAST(c.value ->> 2 AS BIGINT), c.value ->> 3, c.value ->> 4,
            CAST(c.value ->> 5 AS BIGINT)
         FROM",
        "WHERE TRUE
         ON CONFLICT (run, task_id, map_index, key) DO UPDATE SET value = excluded.value, at = excluded.at"
    ];
    each RENDERED = [
        "INSERT INTO rendered (run, task_id, map_index, fields)
         SELECT CAST(c.value ->> 0 AS BIGINT), c.value ->> 1, CAST(c.value ->> 2 AS BIGINT), c.value ->> 3
         FROM",
        "WHERE TRUE
         ON CONFLICT (run, task_id, map_index) DO UPDATE SET fields = excluded.fields"
    ];
    both GET_RENDERED = "SELECT fields FROM rendered WHERE run = $1 AND task_id = $2 AND map_index = $3";
}

impl Store {
    /// Returns an XCom of every map index, in map order; one entry with -1 for a task that is not mapped.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn xcom(&self, run: RunKey, task_id: &str, key: &str) -> Result<Vec<(i32, Value)>, StoreError> {
        let rows: Vec<(i64, String)> = on!(read self, GET, |text, conn| {
            sqlx::query_as(text).bind(run.0).bind(task_id).bind(key).fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(map_index, value)| {
                let value = json("xcom", "value", format!("{run}/{task_id}/{key}"), &value)?;
                Ok((i32::try_from(map_index).unwrap_or(-1), value))
            })
            .collect()
    }

    /// Returns every XCom of a task instance by key.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn xcoms(&self, run: RunKey, task_id: &str, map_index: i32) -> Result<Vec<(String, Value)>, StoreError> {
        let rows: Vec<(String, String)> = on!(read self, OF_TASK, |text, conn| {
            sqlx::query_as(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(key, value)| Ok((key.clone(), json("xcom", "value", format!("{run}/{task_id}/{key}"), &value)?)))
            .collect()
    }

    /// Returns the arguments as the latest attempt saw them, secrets masked; `None` before its first attempt.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn rendered(&self, run: RunKey, task_id: &str, map_index: i32) -> Result<Option<Value>, StoreError> {
        let row: Option<String> = on!(read self, GET_RENDERED, |text, conn| {
            sqlx::query_scalar(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).fetch_optional(conn).await?
        });
        row.map(|text| json("rendered", "fields", format!("{run}/{task_id}"), &text)).transpose()
    }
}

impl Tx {
    /// Removes the XComs of task instances. `tasks`: run, task, map index.
    pub(crate) async fn forget_xcoms(&mut self, tasks: &[Value]) -> Result<(), StoreError> {
        if tasks.is_empty() {
            return Ok(());
        }
        on!(tx self, FORGET, |text, conn| { sqlx::query(text).bind(to_list(&tasks)).execute(conn).await?; });
        Ok(())
    }

    /// Writes XComs. `rows`: run, task, map index, key, value as text, when; no (run, task, map index, key) twice.
    pub(crate) async fn put_xcoms(&mut self, rows: &[Value]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        on!(tx self, PUT, |text, conn| { sqlx::query(text).bind(to_list(&rows)).execute(conn).await?; });
        Ok(())
    }

    /// Writes arguments as attempts saw them. `rows`: run, task, map index, fields as text; no task instance twice.
    pub(crate) async fn put_rendered(&mut self, rows: &[Value]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        on!(tx self, RENDERED, |text, conn| { sqlx::query(text).bind(to_list(&rows)).execute(conn).await?; });
        Ok(())
    }
}
