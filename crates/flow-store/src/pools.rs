//! Pools: how many slots there are, and how many are in use.

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
};

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Pool {
    pub name: String,
    /// -1 = no limit.
    pub slots: i64,
    pub description: String,
}

/// A pool and what holds its slots.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PoolUse {
    pub name: String,
    pub slots: i64,
    pub description: String,
    /// Slots of attempts that a worker has.
    pub running: i64,
    /// Slots of attempts that wait for a worker.
    pub queued: i64,
}

statements! {
    both USE = "SELECT p.name, p.slots, p.description,
            CAST(COALESCE(SUM(CASE WHEN a.worker IS NOT NULL THEN a.pool_slots END), 0) AS BIGINT) AS running,
            CAST(COALESCE(SUM(CASE WHEN a.run IS NOT NULL AND a.worker IS NULL THEN a.pool_slots END), 0) AS BIGINT) AS queued
        FROM pool p
        LEFT JOIN attempt a ON a.pool = p.name AND a.ended_at IS NULL
        GROUP BY p.name, p.slots, p.description
        ORDER BY p.name";
    both SET = "INSERT INTO pool (name, slots, description) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, description = excluded.description";
    both SET_SLOTS = "UPDATE pool SET slots = $2 WHERE name = $1";
    both DELETE = "DELETE FROM pool WHERE name = $1";
}

impl Store {
    /// Returns every pool with what is in use, by name.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pools(&self) -> Result<Vec<PoolUse>, StoreError> {
        Ok(on!(read self, USE, |text, conn| sqlx::query_as(text).fetch_all(conn).await?))
    }
}

impl Tx {
    /// Makes a pool, or changes one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn set_pool(&mut self, pool: &Pool) -> Result<(), StoreError> {
        on!(tx self, SET, |text, conn| {
            sqlx::query(text).bind(&pool.name).bind(pool.slots).bind(&pool.description).execute(conn).await?;
        });
        Ok(())
    }

    /// Changes the number of slots of a pool that exists.
    ///
    /// # Errors
    ///
    /// When the database does, or the pool does not exist.
    pub async fn set_pool_slots(&mut self, name: &str, slots: i64) -> Result<(), StoreError> {
        let done = on!(tx self, SET_SLOTS, |text, conn| {
            sqlx::query(text).bind(name).bind(slots).execute(conn).await?.rows_affected()
        });
        if done == 0 { Err(StoreError::no_such("pool", name)) } else { Ok(()) }
    }

    /// Deletes a pool.
    ///
    /// # Errors
    ///
    /// When the database does, the pool does not exist, or it is `default_pool`.
    pub async fn delete_pool(&mut self, name: &str) -> Result<(), StoreError> {
        if name == "default_pool" {
            return Err(StoreError::Conflict("`default_pool` cannot be deleted".to_owned()));
        }
        let done = on!(tx self, DELETE, |text, conn| sqlx::query(text).bind(name).execute(conn).await?.rows_affected());
        if done == 0 { Err(StoreError::no_such("pool", name)) } else { Ok(()) }
    }
}
