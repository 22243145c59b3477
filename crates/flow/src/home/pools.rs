//! Pools.

use flow_store::{Pool, PoolUse, Signal, StoreError};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Home, if_there};
use crate::client::Declined;

/// A pool, for programs: Airflow's names.
#[derive(Debug, Serialize)]
pub(crate) struct PoolView {
    pub(crate) name: String,
    pub(crate) slots: i64,
    pub(crate) description: String,
    pub(crate) occupied_slots: i64,
    pub(crate) running_slots: i64,
    pub(crate) queued_slots: i64,
    /// -1 = no limit.
    pub(crate) open_slots: i64,
}

/// A pool as a server gives it.
#[derive(Deserialize)]
struct PoolAnswer {
    name: String,
    slots: i64,
    description: Option<String>,
    running_slots: i64,
    queued_slots: i64,
}

impl PoolView {
    fn new(name: String, slots: i64, description: String, running: i64, queued: i64) -> Self {
        let occupied = running.saturating_add(queued);
        Self {
            name,
            slots,
            description,
            occupied_slots: occupied,
            running_slots: running,
            queued_slots: queued,
            open_slots: if slots < 0 { -1 } else { slots.saturating_sub(occupied) },
        }
    }
}

impl From<PoolUse> for PoolView {
    fn from(pool: PoolUse) -> Self {
        Self::new(pool.name, pool.slots, pool.description, pool.running, pool.queued)
    }
}

impl From<PoolAnswer> for PoolView {
    fn from(pool: PoolAnswer) -> Self {
        let description = pool.description.unwrap_or_default();
        Self::new(pool.name, pool.slots, description, pool.running_slots, pool.queued_slots)
    }
}

impl Home {
    /// All pools, by name.
    pub(crate) async fn pools(&self) -> anyhow::Result<Vec<PoolView>> {
        match self {
            Self::Local(parts) => Ok(parts.store.pools().await?.into_iter().map(Into::into).collect()),
            Self::Remote(client) => {
                let query = [("order_by", "name".into())];
                let pools: Vec<PoolAnswer> = client.list(&["api", "v2", "pools"], &query, "pools", u32::MAX).await?;
                Ok(pools.into_iter().map(Into::into).collect())
            }
        }
    }

    /// Makes a pool, or changes one; without a description it keeps its own.
    pub(crate) async fn set_pool(&self, name: &str, slots: i64, description: Option<&str>) -> anyhow::Result<()> {
        match self {
            Self::Local(parts) => {
                let before = parts.store.pools().await?.into_iter().find(|pool| pool.name == name);
                let include_deferred = before.as_ref().is_some_and(|pool| pool.include_deferred);
                let description = description.map(str::to_owned).or(before.map(|pool| pool.description));
                let description = description.unwrap_or_default();
                let pool = Pool { name: name.to_owned(), slots, description, include_deferred };
                let mut tx = parts.store.begin().await?;
                tx.set_pool(&pool).await?;
                // Who waits for slots may have them now.
                tx.announce(Signal::Look).await?;
                tx.commit().await?;
            }
            Self::Remote(client) => {
                if !self.pools().await?.iter().any(|pool| pool.name == name) {
                    let body = json!({ "name": name, "slots": slots, "description": description.unwrap_or_default() });
                    let made = client.send::<Value>(Method::POST, &["api", "v2", "pools"], &[], &body).await;
                    match made {
                        Err(error) if Declined::is(&error, StatusCode::CONFLICT) => {}
                        made => return made.map(|_| ()),
                    }
                }
                let mut query = vec![("update_mask", "slots".into())];
                if description.is_some() {
                    query.push(("update_mask", "description".into()));
                }
                let body = json!({ "slots": slots, "description": description });
                let _: Value = client.send(Method::PATCH, &["api", "v2", "pools", name], &query, &body).await?;
            }
        }
        Ok(())
    }

    /// Forgets a pool; says whether it was there.
    pub(crate) async fn delete_pool(&self, name: &str) -> anyhow::Result<bool> {
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                match tx.delete_pool(name).await {
                    Ok(()) => tx.commit().await?,
                    Err(StoreError::NotFound { .. }) => return Ok(false),
                    Err(error) => return Err(error.into()),
                }
                Ok(true)
            }
            Self::Remote(client) => {
                let path = ["api", "v2", "pools", name];
                let deleted = if_there(client.send::<Value>(Method::DELETE, &path, &[], &Value::Null).await)?;
                Ok(deleted.is_some())
            }
        }
    }
}
