//! Users: who may log in, and as what. Flow's own; Airflow leaves them to its auth managers.

use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header, request::Parts},
    response::AppendHeaders,
};
use flow_store::{Event, NewUser, User, UserChange, UserOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    access::{By, Role, Who},
    auth::{self, Origin, check_new_password, check_user_name},
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
    wire::When,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    username_pattern: Option<String>,
    username_prefix_pattern: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserBody {
    #[schema(pattern = "^[A-Za-z0-9._@+-]{1,100}$")]
    username: String,
    /// `Viewer`, `User`, `Op` or `Admin`
    role: String,
    #[schema(format = Password, min_length = 8, max_length = 512)]
    password: String,
    /// Whether they may log in
    is_active: Option<bool>,
}

/// What changes; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserPatchBody {
    role: Option<String>,
    #[schema(format = Password, min_length = 8, max_length = 512)]
    password: Option<String>,
    /// The password until now: needed by whoever changes their own
    #[schema(format = Password)]
    old_password: Option<String>,
    is_active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
struct UserResponse {
    username: String,
    role: String,
    is_active: bool,
    created_at: When,
    last_login_at: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct UserCollectionResponse {
    users: Vec<UserResponse>,
    total_entries: u64,
}

impl From<User> for UserResponse {
    fn from(user: User) -> Self {
        Self {
            username: user.name,
            role: user.role,
            is_active: user.is_active,
            created_at: When::of_micros(user.created_at),
            last_login_at: user.last_login_at.map(When::of_micros),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_users, post_user)).routes(routes!(get_user, patch_user, delete_user))
}

/// Names of columns that the list may be sorted by.
const ORDERS: [(&str, UserOrder); 5] = [
    ("id", UserOrder::Id),
    ("username", UserOrder::Name),
    ("role", UserOrder::Role),
    ("created_at", UserOrder::CreatedAt),
    ("last_login_at", UserOrder::LastLoginAt),
];

/// All users
#[utoipa::path(get, path = "/api/v2/users", tag = "User", params(Paging, Filter),
    responses((status = 200, body = UserCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_users(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<UserCollectionResponse>, ApiError> {
    let names = page::patterns(filter.username_pattern.as_deref(), filter.username_prefix_pattern.as_deref());
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let listed = app.store.list_users(&names, &orders, paging.page()?).await?;
    Ok(axum::Json(UserCollectionResponse {
        users: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// Makes a user
#[utoipa::path(post, path = "/api/v2/users", tag = "User", request_body = UserBody,
    responses((status = 201, body = UserResponse), (status = 409, body = ErrorBody), (status = 413, body = ErrorBody), Refusals))]
async fn post_user(
    State(app): State<App>,
    who: Who,
    Json(body): Json<UserBody>,
) -> Result<(StatusCode, axum::Json<UserResponse>), ApiError> {
    check_user_name(&body.username).map_err(|why| ApiError::invalid(&["body", "username"], why))?;
    let role = role(&body.role)?;
    check_new_password(&body.password).map_err(|why| ApiError::invalid(&["body", "password"], why))?;
    let (name, now, is_active) = (body.username, (app.now)(), body.is_active.unwrap_or(true));
    let password = app.auth.hash(body.password).await?;
    let mut tx = app.store.begin().await?;
    tx.add_user(&NewUser { name: &name, role: role.as_str(), password: &password, is_active }, now).await?;
    tx.tell(&[told("user_created", &who, &name, &format!("as {}", role.as_str()))], now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(find(&app, &name).await?.into())))
}

/// A user
#[utoipa::path(get, path = "/api/v2/users/{username}", tag = "User", params(("username" = String, Path)),
    responses((status = 200, body = UserResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_user(State(app): State<App>, Path(name): Path<String>) -> Result<axum::Json<UserResponse>, ApiError> {
    Ok(axum::Json(find(&app, &name).await?.into()))
}

/// Changes a user: a role, a password, whether they may log in. A new password ends all tokens and sessions; the session that asked for it gets a new id
#[utoipa::path(patch, path = "/api/v2/users/{username}", tag = "User", params(("username" = String, Path)),
    request_body = UserPatchBody,
    responses((status = 200, body = UserResponse), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody), Refusals))]
async fn patch_user(
    State(app): State<App>,
    who: Who,
    Path(name): Path<String>,
    parts: Parts,
    Json(body): Json<UserPatchBody>,
) -> Result<(AppendHeaders<Vec<(HeaderName, String)>>, axum::Json<UserResponse>), ApiError> {
    let origin = Origin::of(app.auth.config(), &parts);
    let is_own = who.user == name && who.by != By::Nothing;
    if who.role < Role::Admin && (body.role.is_some() || body.is_active.is_some()) {
        return Err(ApiError::forbidden("a role, and who may log in, is for an Admin to change"));
    }
    let role = body.role.as_deref().map(role).transpose()?;
    let user = find(&app, &name).await?;
    let (mut hash, mut checked) = (None, None);
    if let Some(password) = body.password {
        check_new_password(&password).map_err(|why| ApiError::invalid(&["body", "password"], why))?;
        // Whoever finds a browser open must not take it over for good.
        if is_own && who.by != By::Process {
            let old = body.old_password.ok_or_else(|| {
                ApiError::invalid(&["body", "old_password"], "to change one's own password the one until now is needed")
            })?;
            match auth::log_in(&app, &name, old, &origin).await {
                Ok(known) => checked = Some(known),
                Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
                    return Err(ApiError::forbidden("the old password is wrong"));
                }
                Err(error) => return Err(error),
            }
        }
        hash = Some(app.auth.hash(password).await?);
    }
    let said: Vec<&str> = [
        role.map(Role::as_str),
        hash.as_ref().map(|_| "password"),
        body.is_active.map(|is_active| if is_active { "active" } else { "inactive" }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let change = UserChange { role: role.map(Role::as_str), password: hash.as_deref(), is_active: body.is_active };
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    if let Some(known) = checked {
        known.enter(&mut tx, now).await?;
    }
    tx.change_user(&user, &change, now).await?;
    let mut cookies = Vec::new();
    // The session that asked goes on, under a new id.
    if is_own && who.by == By::Session && hash.is_some() {
        let session = auth::add_session(&app, &mut tx, &user, &origin).await?;
        cookies.extend(session.cookies.map(|cookie| (header::SET_COOKIE, cookie)));
    }
    tx.tell(&[told("user_changed", &who, &name, &said.join(", "))], now).await?;
    tx.commit().await?;
    Ok((AppendHeaders(cookies), axum::Json(find(&app, &name).await?.into())))
}

/// Deletes a user, and ends their sessions and tokens
#[utoipa::path(delete, path = "/api/v2/users/{username}", tag = "User", params(("username" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), Refusals))]
async fn delete_user(State(app): State<App>, who: Who, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    let user = find(&app, &name).await?;
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    tx.delete_user(&user).await?;
    tx.tell(&[told("user_deleted", &who, &name, "")], now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(app: &App, name: &str) -> Result<User, ApiError> {
    app.store.user(name).await?.ok_or_else(|| ApiError::not_found("user", name))
}

fn role(text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|why: String| ApiError::invalid(&["body", "role"], why))
}

/// Returns what the audit log says about a user that someone changed.
fn told(kind: &'static str, who: &Who, name: &str, what: &str) -> Event {
    let from = who.address.map(|address| format!(" from {address}")).unwrap_or_default();
    let space = if what.is_empty() { "" } else { ": " };
    Event { kind, who: Some(who.user.clone()), detail: Some(format!("{name}{space}{what}{from}")), ..Event::default() }
}
