//! Which DAGs are not there for everyone: their `access_control`.

use std::collections::{BTreeMap, HashSet};

use flow_core::dag::DagAccess;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    rows::{self, to_json, to_list},
};

/// Role or user, and what they may do.
pub type AccessList = BTreeMap<String, DagAccess>;

statements! {
    // An index holds only these; when there are none, it is empty.
    both RESTRICTED = "SELECT dag_id, access FROM dag WHERE access IS NOT NULL";
    both OF_DAG = "SELECT access FROM dag WHERE dag_id = $1";
    each THERE = ["SELECT dag_id FROM dag WHERE dag_id IN (SELECT c.value ->> 0 FROM", ")"];
    both SET = "UPDATE dag SET access = $2 WHERE dag_id = $1";
}

impl Store {
    /// Returns the DAGs that have an `access_control`.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn restricted_dags(&self) -> Result<Vec<(String, AccessList)>, StoreError> {
        let rows: Vec<(String, String)> =
            on!(read self, RESTRICTED, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        rows.into_iter().map(|(dag_id, text)| Ok((dag_id.clone(), list(&dag_id, &text)?))).collect()
    }

    /// Returns the `access_control` of a DAG; the outer `None`: there is no such DAG.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn access_of(&self, dag_id: &str) -> Result<Option<Option<AccessList>>, StoreError> {
        // Postgres would refuse the text; no DAG is called so.
        if dag_id.contains('\0') {
            return Ok(None);
        }
        let found: Option<Option<String>> =
            on!(read self, OF_DAG, |text, conn| sqlx::query_scalar(text).bind(dag_id).fetch_optional(conn).await?);
        found.map(|text| text.map(|text| list(dag_id, &text)).transpose()).transpose()
    }

    /// Returns those of these DAGs that there are.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn dags_among(&self, dag_ids: &[&str]) -> Result<HashSet<String>, StoreError> {
        // Postgres would refuse the text; no DAG is called so.
        let names: Vec<[&str; 1]> = dag_ids.iter().filter(|id| !id.contains('\0')).map(|id| [*id]).collect();
        let found: Vec<String> = on!(read self, THERE, |text, conn| {
            sqlx::query_scalar(text).bind(to_list(&names)).fetch_all(conn).await?
        });
        Ok(found.into_iter().collect())
    }
}

impl Tx {
    pub(crate) async fn set_access(&mut self, dag_id: &str, access: Option<&AccessList>) -> Result<(), StoreError> {
        let text = access.map(to_json);
        on!(tx self, SET, |sql, conn| { sqlx::query(sql).bind(dag_id).bind(text).execute(conn).await?; });
        Ok(())
    }
}

fn list(dag_id: &str, text: &str) -> Result<AccessList, StoreError> {
    let words: BTreeMap<String, String> = rows::json("dag", "access", dag_id, text)?;
    words.into_iter().map(|(name, may)| Ok((name, rows::word("dag", "access", dag_id, &may)?))).collect()
}
