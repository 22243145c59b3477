//! Versions of DAGs, without their texts.

use std::collections::BTreeMap;

use crate::{
    Listed, Order, Page, Store, StoreError,
    db::{on, statements},
    rows::to_list,
    select::Select,
};

/// A version of a DAG as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VersionLine {
    pub id: i64,
    pub dag_id: String,
    /// From 1.
    pub number: i64,
    pub created_at: i64,
    /// The DAG's, as it is now.
    pub display_name: Option<String>,
}

/// What versions are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrder {
    Id,
    Number,
    CreatedAt,
}

impl VersionOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "v.id",
            Self::Number => "v.number",
            Self::CreatedAt => "v.created_at",
        }
    }
}

statements! {
    each BY_IDS = [
        "SELECT v.id, v.dag_id, v.number, v.created_at, d.display_name
         FROM dag_version v LEFT JOIN dag d ON d.dag_id = v.dag_id
         WHERE v.id IN (SELECT CAST(c.value AS BIGINT) FROM", ")"
    ];
}

impl Store {
    /// Returns versions by their ids; those that are gone are left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn version_lines(&self, ids: &[i64]) -> Result<BTreeMap<i64, VersionLine>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<VersionLine> =
            on!(read self, BY_IDS, |text, conn| sqlx::query_as(text).bind(to_list(&ids)).fetch_all(conn).await?);
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Returns a page of the versions of a DAG; `None` = of all DAGs but the hidden ones.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_versions(
        &self,
        dag_id: Option<&str>,
        number: Option<i64>,
        hidden: &[String],
        orders: &[Order<VersionOrder>],
        page: Page,
    ) -> Result<Listed<VersionLine>, StoreError> {
        let columns = "v.id, v.dag_id, v.number, v.created_at, d.display_name";
        let mut select = Select::new(self, columns, "dag_version v LEFT JOIN dag d ON d.dag_id = v.dag_id");
        if let Some(dag_id) = dag_id {
            select.filter("v.dag_id = ?", [dag_id]);
        }
        if let Some(number) = number {
            select.filter("v.number = ?", [number]);
        }
        select.none_of("v.dag_id", hidden);
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("v.id", false);
        select.list(self, page).await
    }
}
