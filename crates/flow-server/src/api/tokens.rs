//! Tokens for programs. Everyone looks after their own, an Admin after all; a secret is shown once.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use flow_store::{Event, Token};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    access::{By, Role, Who},
    auth,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::Paging,
    wire::When,
};

/// Most characters of a token's name.
const NAME_CHARS: usize = 100;
/// How long a token is good when nothing is said.
const LIFETIME: u32 = 90 * 86_400;
/// Ten years.
const LIFETIME_MAX: u32 = 3_653 * 86_400;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only this user's
    username: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    /// What it is for
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Whose it is to be; for an Admin
    username: Option<String>,
    /// Seconds that it is good; by default 90 days
    #[schema(minimum = 1, maximum = 315_619_200)]
    expires_in: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct TokenResponse {
    id: i64,
    name: String,
    username: String,
    /// How the secret begins
    prefix: String,
    created_at: When,
    /// Null = never
    expires_at: Option<When>,
    /// To a minute
    last_used_at: Option<When>,
    revoked_at: Option<When>,
}

#[derive(Serialize, ToSchema)]
struct TokenCreatedResponse {
    #[serde(flatten)]
    token: TokenResponse,
    /// The secret; it is shown only here
    access_token: String,
}

#[derive(Serialize, ToSchema)]
struct TokenCollectionResponse {
    tokens: Vec<TokenResponse>,
    total_entries: u64,
}

impl From<Token> for TokenResponse {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            username: token.user,
            prefix: token.prefix,
            created_at: When::of_micros(token.created_at),
            expires_at: token.expires_at.map(When::of_micros),
            last_used_at: token.last_used_at.map(When::of_micros),
            revoked_at: token.revoked_at.map(When::of_micros),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_tokens, post_token)).routes(routes!(get_token, delete_token))
}

/// One's own tokens; for an Admin everyone's
#[utoipa::path(get, path = "/api/v2/tokens", tag = "Token", params(Paging, Filter),
    responses((status = 200, body = TokenCollectionResponse), Refusals))]
async fn get_tokens(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<TokenCollectionResponse>, ApiError> {
    let user = match filter.username {
        Some(name) if who.role < Role::Admin && name != who.user => {
            return Err(ApiError::forbidden("these are someone else's; an Admin may see them"));
        }
        Some(name) => Some(name),
        None => (who.role < Role::Admin).then_some(who.user),
    };
    let listed = app.store.list_tokens(user.as_deref(), paging.page()?).await?;
    Ok(axum::Json(TokenCollectionResponse {
        tokens: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// Makes a token; the answer is the only place where its secret is shown
#[utoipa::path(post, path = "/api/v2/tokens", tag = "Token", request_body = TokenBody,
    responses((status = 201, body = TokenCreatedResponse), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody), Refusals))]
async fn post_token(
    State(app): State<App>,
    who: Who,
    Json(body): Json<TokenBody>,
) -> Result<(StatusCode, axum::Json<TokenCreatedResponse>), ApiError> {
    let length = body.name.chars().count();
    if length == 0 || length > NAME_CHARS || body.name.chars().any(char::is_control) {
        return Err(ApiError::invalid(&["body", "name"], format!("a name has 1 to {NAME_CHARS} characters")));
    }
    let seconds = body.expires_in.unwrap_or(LIFETIME);
    if !(1..=LIFETIME_MAX).contains(&seconds) {
        return Err(ApiError::invalid(&["body", "expires_in"], format!("1 to {LIFETIME_MAX} seconds")));
    }
    let name = body.username.unwrap_or_else(|| who.user.clone());
    if who.role < Role::Admin && name != who.user {
        return Err(ApiError::forbidden("an Admin makes tokens for others"));
    }
    if who.by == By::Nothing && name == who.user {
        return Err(ApiError::invalid(&["body", "username"], "nobody is logged in: say whose the token is to be"));
    }
    let user = super::users::find(&app, &name).await?;
    let event = told("token_created", &who, &name, &body.name);
    let lifetime = Duration::from_secs(u64::from(seconds));
    let (id, access_token) = auth::new_token(&app, &user, &body.name, lifetime, event).await?;
    let token = app.store.token(id).await?.ok_or_else(|| ApiError::not_found("token", id))?;
    Ok((StatusCode::CREATED, axum::Json(TokenCreatedResponse { token: token.into(), access_token })))
}

/// A token, without its secret
#[utoipa::path(get, path = "/api/v2/tokens/{token_id}", tag = "Token", params(("token_id" = i64, Path)),
    responses((status = 200, body = TokenResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_token(
    State(app): State<App>,
    who: Who,
    Path(id): Path<i64>,
) -> Result<axum::Json<TokenResponse>, ApiError> {
    Ok(axum::Json(find(&app, &who, id).await?.into()))
}

/// Revokes a token: it is good no more, at once
#[utoipa::path(delete, path = "/api/v2/tokens/{token_id}", tag = "Token", params(("token_id" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), Refusals))]
async fn delete_token(State(app): State<App>, who: Who, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    let token = find(&app, &who, id).await?;
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    if tx.revoke_token(id, now).await? {
        tx.tell(&[told("token_revoked", &who, &token.user, &token.name)], now).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Finds a token that is for this person to see; others' do not exist.
async fn find(app: &App, who: &Who, id: i64) -> Result<Token, ApiError> {
    let token = app.store.token(id).await?.filter(|token| who.role >= Role::Admin || token.user == who.user);
    token.ok_or_else(|| ApiError::not_found("token", id))
}

/// Returns what the audit log says about a token.
fn told(kind: &'static str, who: &Who, user: &str, name: &str) -> Event {
    let from = who.address.map(|address| format!(" from {address}")).unwrap_or_default();
    Event { kind, who: Some(who.user.clone()), detail: Some(format!("`{name}` of {user}{from}")), ..Event::default() }
}
