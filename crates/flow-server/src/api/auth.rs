//! Logging in and out: sessions for browsers, tokens for programs.

use std::time::Duration;

use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App,
    access::{By, Who},
    auth::{self, Origin},
    error::{ErrorBody, InvalidBody},
    extract::{Json, Query},
};

/// How long a token is good that was got with a password, as in Airflow.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// The same, for a command line.
const LIFETIME_CLI: Duration = Duration::from_secs(3_600);
/// The longest that may be asked for.
const LIFETIME_MAX: u32 = 366 * 86_400;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Next {
    /// Where to go then: a path on this site
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    username: String,
    #[schema(format = Password)]
    password: String,
    /// Seconds that the token is good; by default a day, or an hour for a command line
    #[schema(minimum = 1, maximum = 31_622_400)]
    expires_in: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct LoginResponse {
    access_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SessionBody {
    username: String,
    #[schema(format = Password)]
    password: String,
    /// Where a form goes on to: a path on this site
    next: Option<String>,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct MeResponse {
    /// Null when nobody is, and everyone may come in all the same
    username: Option<String>,
    /// `Viewer`, `User`, `Op` or `Admin`
    role: &'static str,
    /// `session`, `token`, `nothing` or `process`
    by: &'static str,
    /// What a session sends as `X-CSRF-Token` with each change; null without a session
    csrf_token: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogoutBody {
    /// In place of the header `X-CSRF-Token`
    csrf_token: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(create_session))
        .routes(routes!(delete_session))
        .routes(routes!(get_me))
        .routes(routes!(create_token, create_token_of_nobody))
        .routes(routes!(create_token_cli))
}

/// To the page where one logs in
#[utoipa::path(get, path = "/api/v2/auth/login", tag = "Login", security(()), params(Next),
    responses((status = 200, description = "The page itself, for whoever follows"),
        (status = 307, description = "To the page"), (status = 400, body = ErrorBody), (status = 422, body = InvalidBody)))]
async fn login(Query(query): Query<Next>) -> Result<Redirect, ApiError> {
    std::future::ready(()).await;
    let Some(next) = query.next.filter(|next| !next.is_empty()) else { return Ok(Redirect::temporary("/login")) };
    let next = auth::next_path(&next)
        .ok_or_else(|| ApiError::bad_request("`next` must be a path on this site, such as `/`"))?;
    let next: String = next.bytes().map(escaped).collect();
    Ok(Redirect::temporary(&format!("/login?next={next}")))
}

/// To the page where one logs out. A link of another site can lead here, so this itself logs nobody out
#[utoipa::path(get, path = "/api/v2/auth/logout", tag = "Login", security(()),
    responses((status = 200, description = "The page itself, for whoever follows"),
        (status = 307, description = "To the page")))]
async fn logout() -> Redirect {
    std::future::ready(()).await;
    Redirect::temporary("/logout")
}

/// Begins a session: cookies, and for a form the way to `next`
#[utoipa::path(post, path = "/auth/login", tag = "Login", security(()),
    request_body(content((SessionBody = "application/json"), (SessionBody = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = MeResponse), (status = 303, description = "To `next`, after a form"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 422, body = InvalidBody), (status = 429, body = ErrorBody)))]
async fn create_session(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let origin = Origin::of(app.auth.config(), &parts);
    // Nobody shall find themselves logged in as someone else by a page elsewhere.
    auth::check_site(&app, &origin, &parts.headers)?;
    let headers = parts.headers.clone();
    let is_form = is_form(&headers);
    let body: SessionBody = form_or_json(Request::from_parts(parts, body), &app).await?;
    let next = body.next.as_deref().and_then(auth::next_path).unwrap_or("/");
    let known = auth::log_in(&app, &body.username, body.password, &origin).await?;
    let session = auth::begin_session(&app, &known, &origin, &headers).await?;
    let cookies = AppendHeaders(session.cookies.map(|cookie| (header::SET_COOKIE, cookie)));
    if is_form {
        return Ok((cookies, Redirect::to(next)).into_response());
    }
    let user = known.user;
    let role = auth::role(&user.name, &user.role)?;
    let me =
        MeResponse { username: Some(user.name), role: role.as_str(), by: "session", csrf_token: Some(session.csrf) };
    Ok((cookies, axum::Json(me)).into_response())
}

/// Ends the session. Without one it does nothing; tokens are revoked at `/api/v2/tokens`
#[utoipa::path(post, path = "/auth/logout", tag = "Login", security((), ("session" = [])),
    request_body(content((LogoutBody = "application/json"), (LogoutBody = "application/x-www-form-urlencoded"))),
    responses((status = 204, description = "Logged out"), (status = 303, description = "To `/`, after a form"),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody), (status = 422, body = InvalidBody)))]
async fn delete_session(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (origin, headers) = (Origin::of(app.auth.config(), &parts), parts.headers.clone());
    auth::check_site(&app, &origin, &headers)?;
    let is_form = is_form(&headers);
    // Without a body it needs none.
    let has_body = headers.contains_key(header::CONTENT_TYPE);
    let body: LogoutBody =
        if has_body { form_or_json(Request::from_parts(parts, body), &app).await? } else { LogoutBody::default() };
    if let Some(id) = auth::session_id(&headers) {
        end_session(&app, id, body.csrf_token.as_deref(), &origin, &headers).await?;
    }
    let cookies = AppendHeaders(auth::no_cookies(&origin).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(if is_form {
        (cookies, Redirect::to("/")).into_response()
    } else {
        (StatusCode::NO_CONTENT, cookies).into_response()
    })
}

async fn end_session(
    app: &App,
    id: &str,
    csrf: Option<&str>,
    origin: &Origin,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let (now, hash) = ((app.now)(), auth::digest(id));
    let seen_after = now - app.auth.config().session_idle;
    let Some(holder) = app.store.session_holder(&hash, seen_after, now).await? else { return Ok(()) };
    let shown = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    auth::check_csrf(id, csrf.or(shown))?;
    let mut tx = app.store.begin().await?;
    if tx.end_session(&hash).await? {
        tx.tell(&[auth::told("logout", &holder.user, origin, "")], now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Who is logged in, and what a page needs to send changes
#[utoipa::path(get, path = "/auth/me", tag = "Login", responses((status = 200, body = MeResponse), Refusals))]
async fn get_me(who: Who, headers: HeaderMap) -> axum::Json<MeResponse> {
    std::future::ready(()).await;
    let (by, csrf_token) = match who.by {
        By::Session => ("session", auth::session_id(&headers).map(auth::csrf_of)),
        By::Token => ("token", None),
        By::Nothing => ("nothing", None),
        By::Process => ("process", None),
    };
    let username = (who.by != By::Nothing).then_some(who.user);
    axum::Json(MeResponse { username, role: who.role.as_str(), by, csrf_token })
}

/// A token for a name and a password; good for a day
#[utoipa::path(post, path = "/auth/token", tag = "Login", security(()),
    request_body(content((LoginBody = "application/json"), (LoginBody = "application/x-www-form-urlencoded"))),
    responses((status = 201, body = LoginResponse), (status = 401, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, body = InvalidBody), (status = 429, body = ErrorBody)))]
async fn create_token(
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, axum::Json<LoginResponse>), ApiError> {
    token_by_password(&app, request, "login", LIFETIME).await
}

/// The same, good for an hour
#[utoipa::path(post, path = "/auth/token/cli", tag = "Login", security(()),
    request_body(content((LoginBody = "application/json"), (LoginBody = "application/x-www-form-urlencoded"))),
    responses((status = 201, body = LoginResponse), (status = 401, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, body = InvalidBody), (status = 429, body = ErrorBody)))]
async fn create_token_cli(
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, axum::Json<LoginResponse>), ApiError> {
    token_by_password(&app, request, "cli", LIFETIME_CLI).await
}

/// Stands for a token where everyone may come in without one (`web.anonymous_role`)
#[utoipa::path(get, path = "/auth/token", tag = "Login", security(()),
    responses((status = 201, body = LoginResponse), (status = 401, body = ErrorBody)))]
async fn create_token_of_nobody(State(app): State<App>) -> Result<(StatusCode, axum::Json<LoginResponse>), ApiError> {
    std::future::ready(()).await;
    if app.auth.config().anonymous_role.is_none() {
        return Err(ApiError::unauthorized("a token needs a name and a password: POST /auth/token"));
    }
    Ok((StatusCode::CREATED, axum::Json(LoginResponse { access_token: auth::NO_TOKEN.to_owned() })))
}

async fn token_by_password(
    app: &App,
    request: Request,
    name: &'static str,
    lifetime: Duration,
) -> Result<(StatusCode, axum::Json<LoginResponse>), ApiError> {
    let (parts, body) = request.into_parts();
    let origin = Origin::of(app.auth.config(), &parts);
    let body: LoginBody = form_or_json(Request::from_parts(parts, body), app).await?;
    let lifetime = match body.expires_in {
        None => lifetime,
        Some(seconds @ 1..=LIFETIME_MAX) => Duration::from_secs(u64::from(seconds)),
        Some(_) => return Err(ApiError::invalid(&["body", "expires_in"], format!("1 to {LIFETIME_MAX} seconds"))),
    };
    let known = auth::log_in(app, &body.username, body.password, &origin).await?;
    let access_token = auth::begin_token(app, &known, name, lifetime, &origin).await?;
    Ok((StatusCode::CREATED, axum::Json(LoginResponse { access_token })))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Reads a body that a page may send as a form.
async fn form_or_json<T: DeserializeOwned>(request: Request, app: &App) -> Result<T, ApiError> {
    if !is_form(request.headers()) {
        return Json::from_request(request, app).await.map(|Json(body)| body);
    }
    match Form::<T>::from_request(request, app).await {
        Ok(Form(body)) => Ok(body),
        Err(rejection) => match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
            _ => Err(ApiError::invalid(&["body"], "the form must have `username` and `password`, as text")),
        },
    }
}

/// Writes a byte of a path as part of a query.
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
