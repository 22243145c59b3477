//! Pools, with what holds their slots and what waits for them.

use std::collections::BTreeMap;

use crate::{
    Listed, Page, Pattern, Pool, PoolUse, Store, StoreError,
    db::{on, statements},
    select::Select,
};

/// Which pools a list shows.
#[derive(Clone, Debug, Default)]
pub struct PoolFilter {
    pub names: Vec<Pattern>,
    pub name: Option<String>,
}

statements! {
    both HELD = "SELECT pool,
            CAST(COALESCE(SUM(CASE WHEN worker IS NOT NULL THEN pool_slots END), 0) AS BIGINT) AS running,
            CAST(COALESCE(SUM(CASE WHEN worker IS NULL THEN pool_slots END), 0) AS BIGINT) AS queued
        FROM attempt
        WHERE ended_at IS NULL
        GROUP BY pool";
    // Of more than 100,000 that wait, some are not counted: the answer must not take longer and longer.
    both WAITING = "SELECT pool, CAST(SUM(pool_slots) AS BIGINT) AS slots FROM (
            SELECT pool, pool_slots FROM task_instance WHERE state = 'scheduled' LIMIT 100000
        ) AS waiting
        GROUP BY pool";
}

impl Store {
    /// Returns a page of pools, by name.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_pools(
        &self,
        filter: &PoolFilter,
        is_descending: bool,
        page: Page,
    ) -> Result<Listed<PoolUse>, StoreError> {
        let mut select = Select::new(self, "name, slots, description, include_deferred", "pool");
        for pattern in &filter.names {
            select.looks_like("name", pattern);
        }
        if let Some(name) = &filter.name {
            select.filter("name = ?", [name]);
        }
        select.order_by("name", is_descending);
        let listed: Listed<Pool> = select.list(self, page).await?;
        if listed.rows.is_empty() {
            return Ok(Listed { rows: Vec::new(), total: listed.total, is_counted: listed.is_counted });
        }
        let held: Vec<(String, i64, i64)> =
            on!(read self, HELD, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        let held: BTreeMap<String, (i64, i64)> =
            held.into_iter().map(|(name, running, queued)| (name, (running, queued))).collect();
        let waiting: Vec<(String, i64)> =
            on!(read self, WAITING, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        let waiting: BTreeMap<String, i64> = waiting.into_iter().collect();
        let used = |pool: Pool| {
            let (running, queued) = held.get(&pool.name).copied().unwrap_or_default();
            let scheduled = waiting.get(&pool.name).copied().unwrap_or_default();
            PoolUse {
                name: pool.name,
                slots: pool.slots,
                description: pool.description,
                include_deferred: pool.include_deferred,
                running,
                queued,
                scheduled,
            }
        };
        let rows = listed.rows.into_iter().map(used).collect();
        Ok(Listed { rows, total: listed.total, is_counted: listed.is_counted })
    }

    /// Returns a pool.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pool(&self, name: &str) -> Result<Option<PoolUse>, StoreError> {
        let filter = PoolFilter { name: Some(name.to_owned()), ..PoolFilter::default() };
        Ok(self.list_pools(&filter, false, Page { limit: 1, offset: 0 }).await?.rows.pop())
    }

    /// Returns every pool, by name.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pools(&self) -> Result<Vec<PoolUse>, StoreError> {
        const ALL_OF_THEM: Page = Page { limit: u32::MAX, offset: 0 };
        Ok(self.list_pools(&PoolFilter::default(), false, ALL_OF_THEM).await?.rows)
    }
}
