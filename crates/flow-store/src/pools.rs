//! Pools: how many slots there are, and how many are in use.

use crate::{
    StoreError, Tx,
    db::{on, statements},
};

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Pool {
    pub name: String,
    /// -1 = no limit.
    pub slots: i64,
    pub description: String,
    /// Airflow's; it changes nothing, since nothing in Flow is deferred.
    pub include_deferred: bool,
}

/// A pool and what holds its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUse {
    pub name: String,
    pub slots: i64,
    pub description: String,
    pub include_deferred: bool,
    /// Slots of attempts that a worker has.
    pub running: i64,
    /// Slots of attempts that wait for a worker.
    pub queued: i64,
    /// Slots that are waited for.
    pub scheduled: i64,
}

statements! {
    both ONE = "SELECT name, slots, description, include_deferred FROM pool WHERE name = $1";
    both ADD = "INSERT INTO pool (name, slots, description, include_deferred) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    both SET = "INSERT INTO pool (name, slots, description, include_deferred) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, description = excluded.description,
            include_deferred = excluded.include_deferred";
    both SET_SLOTS = "UPDATE pool SET slots = $2 WHERE name = $1";
    split LOCK = {
        sqlite: "SELECT name FROM pool ORDER BY name",
        postgres: "SELECT name FROM pool ORDER BY name FOR UPDATE"
    };
    both DELETE = "DELETE FROM pool WHERE name = $1";
}

impl Tx {
    /// Locks all pools by name, as [`Tx::room`] does: whoever then changes several in another order waits for nobody.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn lock_pools(&mut self) -> Result<(), StoreError> {
        on!(tx self, LOCK, |text, conn| { sqlx::query(text).execute(conn).await?; });
        Ok(())
    }

    /// Returns a pool.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pool(&mut self, name: &str) -> Result<Option<Pool>, StoreError> {
        Ok(on!(tx self, ONE, |text, conn| sqlx::query_as(text).bind(name).fetch_optional(conn).await?))
    }

    /// Makes a pool; returns whether there was none of this name.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_pool(&mut self, pool: &Pool) -> Result<bool, StoreError> {
        let done = on!(tx self, ADD, |text, conn| {
            sqlx::query(text)
                .bind(&pool.name)
                .bind(pool.slots)
                .bind(&pool.description)
                .bind(pool.include_deferred)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }

    /// Makes a pool, or changes one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn set_pool(&mut self, pool: &Pool) -> Result<(), StoreError> {
        on!(tx self, SET, |text, conn| {
            sqlx::query(text)
                .bind(&pool.name)
                .bind(pool.slots)
                .bind(&pool.description)
                .bind(pool.include_deferred)
                .execute(conn)
                .await?;
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
