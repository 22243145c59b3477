//! Pools: slots that tasks of any DAG share.

use axum::{extract::State, http::StatusCode};
use flow_store::{Pool, PoolFilter, PoolUse, Signal, StoreError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Refusals,
    bulk::{self, BulkBody, BulkDone, BulkResponse, Entity, check_team, check_text, counts},
};
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
    said::{Words, said},
};

/// The pool that is always there.
const DEFAULT: &str = "default_pool";
/// Longest name, as in Airflow.
const NAME_MAX: usize = 256;
/// Most slots of a pool.
const SLOTS_MAX: i64 = 1_000_000_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    pool_name_pattern: Option<String>,
    pool_name_prefix_pattern: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Mask {
    /// Change only these fields
    #[serde(default)]
    update_mask: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PoolBody {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// -1 = no limit
    #[schema(minimum = -1, maximum = 1_000_000_000)]
    slots: i64,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Kept, and without effect: nothing in Flow is deferred
    #[serde(default)]
    #[schema(value_type = bool)]
    include_deferred: Option<bool>,
    /// There are no teams
    #[serde(default)]
    team_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PoolPatchBody {
    /// The name in the address
    #[serde(default, alias = "name")]
    pool: Option<String>,
    #[serde(default)]
    #[schema(minimum = -1, maximum = 1_000_000_000)]
    slots: Option<i64>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default)]
    include_deferred: Option<bool>,
    /// There are no teams
    #[serde(default)]
    team_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PoolResponse {
    name: String,
    /// -1 = no limit
    slots: i64,
    description: Option<String>,
    include_deferred: bool,
    /// Running and queued
    occupied_slots: i64,
    running_slots: i64,
    queued_slots: i64,
    scheduled_slots: i64,
    /// -1 = no limit
    open_slots: i64,
    /// Always 0: nothing in Flow is deferred
    deferred_slots: i64,
    team_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PoolCollectionResponse {
    pools: Vec<PoolResponse>,
    total_entries: u64,
}

impl From<PoolUse> for PoolResponse {
    fn from(pool: PoolUse) -> Self {
        let occupied = pool.running.saturating_add(pool.queued);
        Self {
            name: pool.name,
            slots: pool.slots,
            description: Some(pool.description).filter(|text| !text.is_empty()),
            include_deferred: pool.include_deferred,
            occupied_slots: occupied,
            running_slots: pool.running,
            queued_slots: pool.queued,
            scheduled_slots: pool.scheduled,
            open_slots: if pool.slots < 0 { -1 } else { pool.slots.saturating_sub(occupied) },
            deferred_slots: 0,
            team_name: None,
        }
    }
}

/// What is to change in a pool.
struct Change<'a> {
    slots: Option<i64>,
    description: Option<&'a Option<String>>,
    include_deferred: Option<bool>,
}

impl Change<'_> {
    fn check(&self, place: &[&str]) -> Result<(), ApiError> {
        if self.slots.is_some_and(|slots| !(-1..=SLOTS_MAX).contains(&slots)) {
            let words = format!("it must be from 0 to {SLOTS_MAX}, or -1 for no limit");
            return Err(ApiError::invalid(&[place, &["slots"]].concat(), words));
        }
        check_text(place, "description", self.description.and_then(|text| text.as_deref()))
    }

    async fn apply(self, tx: &mut Tx, name: &str, mask: &[String]) -> Result<(), ApiError> {
        let mut pool = tx.pool(name).await?.ok_or_else(|| missing(name))?;
        let slots = self.slots.filter(|_| counts(mask, "slots"));
        let description = self.description.filter(|_| counts(mask, "description"));
        let include_deferred = self.include_deferred.filter(|_| counts(mask, "include_deferred"));
        let has_more =
            description.is_some() || mask.iter().any(|field| !["slots", "include_deferred"].contains(&field.trim()));
        if name == DEFAULT && (has_more || slots.is_none() && include_deferred.is_none()) {
            return Err(ApiError::bad_request("Only slots and included_deferred can be modified on Default Pool"));
        }
        pool.slots = slots.unwrap_or(pool.slots);
        pool.include_deferred = include_deferred.unwrap_or(pool.include_deferred);
        if let Some(description) = description {
            pool.description = description.clone().unwrap_or_default();
        }
        Ok(tx.set_pool(&pool).await?)
    }
}

impl PoolBody {
    fn pool(&self) -> Pool {
        Pool {
            name: self.name.clone(),
            slots: self.slots,
            description: self.description.clone().flatten().unwrap_or_default(),
            include_deferred: self.include_deferred.unwrap_or_default(),
        }
    }

    fn as_change(&self) -> Change<'_> {
        Change {
            slots: Some(self.slots),
            description: self.description.as_ref(),
            include_deferred: self.include_deferred,
        }
    }
}

impl Entity for PoolBody {
    const MANY: &'static str = "pools";
    const BY: &'static str = "pool names";

    fn id(&self) -> &str {
        &self.name
    }

    fn check(&self, place: &[&str]) -> Result<(), ApiError> {
        let length = self.name.chars().count();
        if self.name.trim().is_empty() || length > NAME_MAX || self.name.chars().any(char::is_control) {
            let words = format!("it must have 1 to {NAME_MAX} characters, none of them a control character");
            return Err(ApiError::invalid(&[place, &["name"]].concat(), words));
        }
        self.as_change().check(place)?;
        check_team(place, self.team_name.as_deref())
    }

    async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
        tx.lock_pools().await
    }

    async fn exists(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
        Ok(tx.pool(id).await?.is_some())
    }

    async fn put(&self, tx: &mut Tx) -> Result<(), ApiError> {
        Ok(tx.set_pool(&self.pool()).await?)
    }

    async fn change(&self, tx: &mut Tx, mask: &[String]) -> Result<(), ApiError> {
        self.as_change().apply(tx, &self.name, mask).await
    }

    async fn remove(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
        if id == DEFAULT {
            return Err(ApiError::bad_request("Default Pool can't be deleted"));
        }
        Ok(tx.delete_pool(id).await?)
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found("pool", name)
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_pools, post_pool, bulk_pools)).routes(routes!(
        get_pool,
        patch_pool,
        delete_pool
    ))
}

/// Names of columns that the list may be sorted by: they all mean the name.
const ORDERS: [(&str, ()); 3] = [("name", ()), ("pool", ()), ("id", ())];

/// Pools, and what is in use
#[utoipa::path(get, path = "/api/v2/pools", tag = "Pool", params(Paging, Filter),
    responses((status = 200, body = PoolCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_pools(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<PoolCollectionResponse>, ApiError> {
    let names = page::patterns(filter.pool_name_pattern.as_deref(), filter.pool_name_prefix_pattern.as_deref());
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let is_descending = orders.first().is_some_and(|order| order.is_descending);
    let wanted = PoolFilter { names, name: None };
    let listed = app.store.list_pools(&wanted, is_descending, paging.page()?).await?;
    Ok(axum::Json(PoolCollectionResponse {
        pools: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// Make a pool
#[utoipa::path(post, path = "/api/v2/pools", tag = "Pool", request_body = PoolBody,
    responses((status = 201, body = PoolResponse), (status = 409, body = ErrorBody), Refusals))]
async fn post_pool(
    State(app): State<App>,
    Json(body): Json<PoolBody>,
) -> Result<(StatusCode, Words, axum::Json<PoolResponse>), ApiError> {
    body.check(&["body"])?;
    let mut tx = app.store.begin().await?;
    if !tx.add_pool(&body.pool()).await? {
        return Err(ApiError::conflict(format!("the pool `{}` exists already", body.name)));
    }
    // Who waits for slots may have them now.
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    let words = said(format!("added pool {}", body.name));
    Ok((StatusCode::CREATED, words, show(&app, &body.name).await?))
}

/// Make, change and delete pools
#[utoipa::path(patch, path = "/api/v2/pools", tag = "Pool", request_body = BulkBody<PoolBody>,
    responses((status = 200, body = BulkResponse), Refusals))]
async fn bulk_pools(State(app): State<App>, Json(body): Json<BulkBody<PoolBody>>) -> Result<BulkDone, ApiError> {
    Ok(bulk::run(&app, body).await?.done("pool"))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/pools/{pool_name}", tag = "Pool", params(("pool_name" = String, Path)),
    responses((status = 200, body = PoolResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_pool(State(app): State<App>, Path(name): Path<String>) -> Result<axum::Json<PoolResponse>, ApiError> {
    show(&app, &name).await
}

/// Change a pool; of `default_pool` only `slots` and `include_deferred`
#[utoipa::path(patch, path = "/api/v2/pools/{pool_name}", tag = "Pool",
    params(("pool_name" = String, Path), Mask), request_body = PoolPatchBody,
    responses((status = 200, body = PoolResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn patch_pool(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(mask): Query<Mask>,
    Json(body): Json<PoolPatchBody>,
) -> Result<axum::Json<PoolResponse>, ApiError> {
    if body.pool.as_ref().is_some_and(|given| *given != name) {
        return Err(ApiError::bad_request("Invalid body, pool name from request body doesn't match uri parameter"));
    }
    if name.contains('\0') {
        return Err(missing(&name));
    }
    check_team(&["body"], body.team_name.as_deref())?;
    let change =
        Change { slots: body.slots, description: body.description.as_ref(), include_deferred: body.include_deferred };
    change.check(&["body"])?;
    let mut tx = app.store.begin().await?;
    change.apply(&mut tx, &name, &mask.update_mask).await?;
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    show(&app, &name).await
}

/// Delete a pool; tasks that name it do not start any more
#[utoipa::path(delete, path = "/api/v2/pools/{pool_name}", tag = "Pool", params(("pool_name" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn delete_pool(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    if name.contains('\0') {
        return Err(missing(&name));
    }
    let mut tx = app.store.begin().await?;
    PoolBody::remove(&mut tx, &name).await?;
    tx.announce(Signal::Look).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, name: &str) -> Result<axum::Json<PoolResponse>, ApiError> {
    let found = app.store.pool(name).await?.ok_or_else(|| missing(name))?;
    Ok(axum::Json(found.into()))
}
