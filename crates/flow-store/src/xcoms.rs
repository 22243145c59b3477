//! Small results that tasks hand on.

use flow_core::{RunKey, Timestamp};
use serde_json::Value;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    rows::{json, to_json},
};

statements! {
    both GET = "SELECT map_index, value FROM xcom WHERE run = $1 AND task_id = $2 AND key = $3 ORDER BY map_index";
    both OF_TASK = "SELECT key, value FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3 ORDER BY key";
    both FORGET = "DELETE FROM xcom WHERE run = $1 AND task_id = $2 AND map_index = $3";
    both PUT = "INSERT INTO xcom (run, task_id, map_index, key, value, at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (run, task_id, map_index, key) DO UPDATE SET value = excluded.value, at = excluded.at";
    both RENDERED = "INSERT INTO rendered (run, task_id, map_index, fields) VALUES ($1, $2, $3, $4)
        ON CONFLICT (run, task_id, map_index) DO UPDATE SET fields = excluded.fields";
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
    pub(crate) async fn forget_xcoms(&mut self, run: RunKey, task_id: &str, map_index: i32) -> Result<(), StoreError> {
        on!(tx self, FORGET, |text, conn| {
            sqlx::query(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).execute(conn).await?;
        });
        Ok(())
    }

    pub(crate) async fn put_xcom(
        &mut self,
        (run, task_id, map_index): (RunKey, &str, i32),
        key: &str,
        value: &Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(tx self, PUT, |text, conn| {
            sqlx::query(text)
                .bind(run.0)
                .bind(task_id)
                .bind(i64::from(map_index))
                .bind(crate::rows::text(key).as_ref())
                .bind(to_json(value))
                .bind(now.as_micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub(crate) async fn put_rendered(
        &mut self,
        (run, task_id, map_index): (RunKey, &str, i32),
        fields: &Value,
    ) -> Result<(), StoreError> {
        on!(tx self, RENDERED, |text, conn| {
            sqlx::query(text)
                .bind(run.0)
                .bind(task_id)
                .bind(i64::from(map_index))
                .bind(to_json(fields))
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}
