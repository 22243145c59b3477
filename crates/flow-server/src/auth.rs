//! Who asks: sessions, bearer tokens, and what a DAG's `access_control` lets them see.
//!
//! Each request asks the database for its token or session, by an index: one small query. Nothing is kept in memory, so
//! that whoever is deactivated, or logs out, is out at once, in every process.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flow_core::{Timestamp, dag::DagAccess};
use flow_store::{AccessList, Event, NewToken, StoreError, Tx, User};
use sha2::{Digest as _, Sha256};

use crate::{
    ApiError, App,
    access::{By, Role, Who},
};

mod first;
mod limit;
mod origin;
mod password;

pub use first::make_first_admin;
pub use origin::Network;
pub(crate) use origin::{Origin, next_path};
pub use password::{check_new_password, check_user_name, hash_password, random_password};

/// The cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "flow_session";
/// The cookie that a page reads the CSRF token from.
const CSRF_COOKIE: &str = "flow_csrf";
/// What every secret of a token begins with.
const TOKEN_START: &str = "flow_";
/// What stands for a token where `web.anonymous_role` lets everyone in.
pub(crate) const NO_TOKEN: &str = "flow_anonymous";
/// Characters of a token that are shown, to recognise it by.
const PREFIX_CHARS: usize = 12;
/// Bytes of chance in an id or secret.
const SECRET_BYTES: usize = 32;
/// How exactly it is kept when a token or session was last used: one write for so long.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// What an unknown user is called in the audit log.
const ANONYMOUS: &str = "anonymous";

/// Settings of logins.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// What someone is who has not logged in; `None` = nobody.
    pub anonymous_role: Option<Role>,
    /// Who may say where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// Names under which the server is reached, in small letters.
    pub allowed_hosts: Vec<String>,
    /// Only this machine can reach it.
    pub is_loopback: bool,
    /// A session that is not used for so long is over.
    pub session_idle: Duration,
    /// A session is over after so long, used or not.
    pub session_lifetime: Duration,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            anonymous_role: None,
            trusted_proxies: Vec::new(),
            allowed_hosts: Vec::new(),
            is_loopback: true,
            session_idle: Duration::from_secs(12 * 3_600),
            session_lifetime: Duration::from_secs(7 * 86_400),
        }
    }
}

/// What logins need at hand.
#[derive(Clone, Debug)]
pub struct Auth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: AuthConfig,
    hasher: password::Hasher,
    /// Failed logins: of a user, of a user from one address, of an address.
    of_user: limit::Backoff,
    of_pair: limit::Backoff,
    of_address: limit::Backoff,
    /// Tokens that are none.
    tokens: limit::Rate,
}

impl Auth {
    pub fn new(config: AuthConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            hasher: password::Hasher::default(),
            // Whoever locks someone else out by guessing, does so for a minute.
            of_user: limit::Backoff::new(5, Duration::from_secs(60)),
            of_pair: limit::Backoff::new(5, Duration::from_secs(60)),
            of_address: limit::Backoff::new(20, Duration::from_secs(15 * 60)),
            tokens: limit::Rate::new(200, 10),
        }))
    }

    pub(crate) fn config(&self) -> &AuthConfig {
        &self.0.config
    }

    /// Returns the hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.0.hasher.hash(password).await
    }
}

/// Finds out who asks. `is_write`: a session must also show its CSRF token.
///
/// # Errors
///
/// 401 when nobody is known by what the request brings; 403 when it may come from another site.
pub(crate) async fn identify(app: &App, request: &Parts, is_write: bool) -> Result<Who, ApiError> {
    // A request of this process brings its own.
    if let Some(who) = request.extensions.get::<Who>() {
        return Ok(who.clone());
    }
    let config = app.auth.config();
    let origin = Origin::of(config, request);
    if let Some(secret) = bearer(&request.headers)? {
        if secret != NO_TOKEN || config.anonymous_role.is_none() {
            return by_token(app, secret, &origin).await;
        }
    } else if let Some(id) = session_id(&request.headers)
        && let Some(who) = by_session(app, id, &origin).await?
    {
        if is_write {
            check_site(app, &origin, &request.headers)?;
            check_csrf(id, request.headers.get("x-csrf-token").and_then(|value| value.to_str().ok()))?;
        }
        return Ok(who);
    }
    let role = config.anonymous_role.ok_or_else(|| {
        ApiError::unauthorized(
            "log in first: as a person at `/login`, as a program with a token in `Authorization: Bearer …`",
        )
    })?;
    if is_write {
        check_site(app, &origin, &request.headers)?;
    }
    Ok(Who { user: ANONYMOUS.to_owned(), role, by: By::Nothing, address: origin.address })
}

/// Returns the bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), another) = (all.next(), all.next()) else { return Ok(None) };
    let wrong =
        || ApiError::unauthorized("the header `Authorization` must be `Bearer` and a token; see POST /auth/token");
    let (scheme, secret) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(wrong)?;
    if another.is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(wrong());
    }
    Ok(Some(secret.trim()))
}

async fn by_token(app: &App, secret: &str, origin: &Origin) -> Result<Who, ApiError> {
    let now = (app.now)();
    let place = limit::name_of(origin.address);
    let tokens = &app.auth.0.tokens;
    // Looked up first: a good token is good, whatever else comes from its address.
    let holder = match is_secret(secret.strip_prefix(TOKEN_START)) {
        true => app.store.token_holder(&digest(secret), now).await?,
        false => None,
    };
    let Some(holder) = holder else {
        tokens
            .check(&place, now)
            .map_err(|wait| ApiError::too_many(wait, "too many tokens that are not valid; try again later"))?;
        tokens.count(&place, now);
        return Err(ApiError::unauthorized("the token is not valid: unknown, expired or revoked"));
    };
    if is_stale(holder.last_used_at, now) {
        let mut tx = app.store.begin().await?;
        tx.token_used(holder.id, now).await?;
        tx.commit().await?;
    }
    Ok(Who { role: role(&holder.user, &holder.role)?, user: holder.user, by: By::Token, address: origin.address })
}

async fn by_session(app: &App, id: &str, origin: &Origin) -> Result<Option<Who>, ApiError> {
    let (now, hash) = ((app.now)(), digest(id));
    let seen_after = now - app.auth.config().session_idle;
    let Some(holder) = app.store.session_holder(&hash, seen_after, now).await? else { return Ok(None) };
    if is_stale(Some(holder.seen_at), now) {
        let mut tx = app.store.begin().await?;
        tx.session_seen(&hash, now).await?;
        tx.commit().await?;
    }
    let role = role(&holder.user, &holder.role)?;
    Ok(Some(Who { user: holder.user, role, by: By::Session, address: origin.address }))
}

fn is_stale(seen_at: Option<i64>, now: Timestamp) -> bool {
    seen_at.is_none_or(|at| now.since(Timestamp::from_micros(at)) >= SEEN_EVERY)
}

pub(crate) fn role(user: &str, text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|problem| {
        StoreError::Inconsistent { table: "account", column: "role", row: user.to_owned(), problem }.into()
    })
}

/// Refuses a request that a page of another site has sent.
pub(crate) fn check_site(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<(), ApiError> {
    if origin.is_ours(app.auth.config(), headers) {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "the request comes from a page of another site; if it is ours under another name, add that to `web.allowed_hosts`",
    ))
}

/// Refuses a change by a session that does not show its CSRF token.
pub(crate) fn check_csrf(session: &str, shown: Option<&str>) -> Result<(), ApiError> {
    let right = csrf_of(session);
    let is_right = shown.is_some_and(|shown| {
        // Takes as long wherever they differ.
        shown.len() == right.len() && shown.bytes().zip(right.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    });
    if is_right {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "the CSRF token is missing or wrong: send the cookie `flow_csrf` again as the header `X-CSRF-Token`",
    ))
}

/// Returns the CSRF token of a session. It follows from the session's id, so it is good for that session only and is
/// kept nowhere; the id does not follow from it.
pub(crate) fn csrf_of(session: &str) -> String {
    digest(format!("csrf of {session}"))
}

/// Returns SHA-256 in hexadecimal, as it is kept of a secret. A secret's 256 bits of chance need no slow hash.
pub(crate) fn digest(secret: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    Sha256::digest(secret).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Says whether it looks as [`new_secret`] makes them.
fn is_secret(text: Option<&str>) -> bool {
    text.is_some_and(|text| {
        text.len() == SECRET_BYTES * 4 / 3 + 1
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

fn new_secret() -> Result<String, ApiError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::unavailable(format!("no random numbers: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the id of the session that a request brings.
pub(crate) fn session_id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, id)| id).filter(|id| is_secret(Some(id)))
}

/// A session that has just begun.
pub(crate) struct NewSession {
    pub(crate) csrf: String,
    pub(crate) cookies: [String; 2],
}

/// Logs a user in: begins a session, and ends the one that the browser had.
pub(crate) async fn begin_session(
    app: &App,
    known: &Known,
    origin: &Origin,
    headers: &HeaderMap,
) -> Result<NewSession, ApiError> {
    let now = (app.now)();
    let user = &known.user;
    let mut tx = app.store.begin().await?;
    known.enter(&mut tx, now).await?;
    if let Some(old) = session_id(headers) {
        tx.end_session(&digest(old)).await?;
    }
    let session = add_session(app, &mut tx, user, origin).await?;
    tx.tell(&[told("login", &user.name, origin, "")], now).await?;
    tx.commit().await?;
    Ok(session)
}

/// Adds a session, under an id that nobody could know before.
pub(crate) async fn add_session(app: &App, tx: &mut Tx, user: &User, origin: &Origin) -> Result<NewSession, ApiError> {
    let (id, now, lifetime) = (new_secret()?, (app.now)(), app.auth.config().session_lifetime);
    tx.add_session(&digest(&id), user.id, now + lifetime, now).await?;
    let csrf = csrf_of(&id);
    let (age, secure) = (lifetime.as_secs(), if origin.is_https { "; Secure" } else { "" });
    // Lax: whoever follows a link to a run from elsewhere is logged in; changes need the token besides.
    let rest = format!("Path=/; SameSite=Lax; Max-Age={age}{secure}");
    let cookies = [format!("{SESSION_COOKIE}={id}; HttpOnly; {rest}"), format!("{CSRF_COOKIE}={csrf}; {rest}")];
    Ok(NewSession { csrf, cookies })
}

/// Returns cookies that take the place of those of a session, and are over.
pub(crate) fn no_cookies(origin: &Origin) -> [String; 2] {
    let secure = if origin.is_https { "; Secure" } else { "" };
    let rest = format!("Path=/; SameSite=Lax; Max-Age=0{secure}");
    [format!("{SESSION_COOKIE}=; HttpOnly; {rest}"), format!("{CSRF_COOKIE}=; {rest}")]
}

/// Makes a token for a user. Returns its number and secret.
pub(crate) async fn new_token(
    app: &App,
    user: &User,
    name: &str,
    lifetime: Duration,
    event: Event,
) -> Result<(i64, String), ApiError> {
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    let made = add_token(&mut tx, user, name, now + lifetime, now).await?;
    tx.tell(&[event], now).await?;
    tx.commit().await?;
    Ok(made)
}

/// Logs a user in with a token. Returns its secret.
pub(crate) async fn begin_token(
    app: &App,
    known: &Known,
    name: &str,
    lifetime: Duration,
    origin: &Origin,
) -> Result<String, ApiError> {
    let now = (app.now)();
    let mut tx = app.store.begin().await?;
    known.enter(&mut tx, now).await?;
    let (_, secret) = add_token(&mut tx, &known.user, name, now + lifetime, now).await?;
    tx.tell(&[told("login", &known.user.name, origin, "for a token")], now).await?;
    tx.commit().await?;
    Ok(secret)
}

async fn add_token(
    tx: &mut Tx,
    user: &User,
    name: &str,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(i64, String), ApiError> {
    let (secret, hash, prefix) = token_secret().map_err(ApiError::unavailable)?;
    let token = NewToken { user: user.id, name, hash: &hash, prefix: &prefix, expires_at: Some(expires_at) };
    Ok((tx.add_token(&token, now).await?, secret))
}

/// Makes the secret of a token. Returns it, its hash, and the part that may be shown.
///
/// # Errors
///
/// When the system gives no random numbers.
pub fn token_secret() -> Result<(String, String, String), String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    let secret = format!("{TOKEN_START}{}", URL_SAFE_NO_PAD.encode(bytes));
    Ok((secret.clone(), digest(&secret), secret[..PREFIX_CHARS].to_owned()))
}

/// A user whose password was right, and the hash that said so.
pub(crate) struct Known {
    pub(crate) user: User,
    hash: String,
}

impl Known {
    /// Lets them in, unless their password has changed since it was checked: that ended what they had.
    pub(crate) async fn enter(&self, tx: &mut Tx, now: Timestamp) -> Result<(), ApiError> {
        if tx.logged_in(self.user.id, &self.hash, now).await? { Ok(()) } else { Err(wrong_password()) }
    }
}

fn wrong_password() -> ApiError {
    ApiError::unauthorized("the user name or the password is wrong")
}

/// Finds the user with this name and password.
///
/// # Errors
///
/// 401 when there is none, or they may not log in: which of these is not said. 429 after too many failures.
pub(crate) async fn log_in(app: &App, name: &str, password: String, origin: &Origin) -> Result<Known, ApiError> {
    let now = (app.now)();
    let known = name.chars().take(NAME_CHARS).collect::<String>().to_lowercase();
    let Inner { of_user, of_pair, of_address, .. } = &*app.auth.0;
    let place = limit::name_of(origin.address);
    let pair = format!("{known} {place}");
    let too_many = |wait| ApiError::too_many(wait, "too many failed logins; try again later");
    of_address.begin(&place, now).map_err(too_many)?;
    if let Err(wait) = of_pair.begin(&pair, now) {
        of_address.succeeded(&place, false);
        return Err(too_many(wait));
    }
    // What one address adds to the user's count is bounded: alone it cannot keep the user out elsewhere.
    let begun = if of_pair.is_over(&pair) { of_user.check(&known, now) } else { of_user.begin(&known, now) };
    if let Err(wait) = begun {
        of_pair.succeeded(&pair, false);
        of_address.succeeded(&place, false);
        return Err(too_many(wait));
    }
    let user = app.store.user(name).await?.filter(|user| user.is_active);
    let hash = match &user {
        Some(user) => app.store.password_of(user.id).await?,
        None => None,
    };
    let is_right = app.auth.0.hasher.is_right(password, hash.clone()).await?;
    let Some((user, hash)) = user.zip(hash).filter(|_| is_right) else {
        let mut tx = app.store.begin().await?;
        tx.tell(&[told("login_failed", name, origin, "")], now).await?;
        tx.commit().await?;
        return Err(wrong_password());
    };
    of_user.succeeded(&known, true);
    of_pair.succeeded(&pair, true);
    of_address.succeeded(&place, false);
    Ok(Known { user, hash })
}

/// Characters of a user name that are kept in the audit log and in memory.
const NAME_CHARS: usize = 100;

/// Returns what the audit log says about a login.
pub(crate) fn told(kind: &'static str, user: &str, origin: &Origin, detail: &str) -> Event {
    let from = origin.address.map(|address| format!("from {address}"));
    let detail: Vec<&str> =
        [detail, from.as_deref().unwrap_or_default()].into_iter().filter(|text| !text.is_empty()).collect();
    Event {
        kind,
        who: Some(user.chars().take(NAME_CHARS).collect()),
        detail: (!detail.is_empty()).then(|| detail.join(" ")),
        ..Event::default()
    }
}

/// Says whether a DAG is there for someone, by its `access_control`.
///
/// # Errors
///
/// 404 when they may not read it, in the words for a DAG that does not exist: whether it does is theirs to know who may
/// read it. For the same reason a DAG that really does not exist is answered here, before anything else of the request
/// is looked at. 403 when they may read it, and it is a change.
pub(crate) async fn check_dag(app: &App, who: &Who, dag_id: &str, is_write: bool) -> Result<(), ApiError> {
    if who.role >= Role::Op {
        return Ok(());
    }
    let missing = || ApiError::not_found("dag", dag_id);
    let Some(list) = app.store.access_of(dag_id).await?.ok_or_else(missing)? else { return Ok(()) };
    match may(&list, who) {
        None => Err(missing()),
        Some(DagAccess::Read) if is_write => {
            Err(ApiError::forbidden(format!("you may read dag `{dag_id}`, and not change it")))
        }
        Some(DagAccess::Read | DagAccess::Edit) => Ok(()),
    }
}

/// Returns the DAGs that a list must not show to someone.
///
/// # Errors
///
/// When the database does.
pub(crate) async fn hidden_dags(app: &App, who: &Who) -> Result<Vec<String>, ApiError> {
    dags_with(app, who, None).await
}

/// Returns the DAGs that someone may see, and not change.
///
/// # Errors
///
/// When the database does.
pub(crate) async fn read_only_dags(app: &App, who: &Who) -> Result<Vec<String>, ApiError> {
    dags_with(app, who, Some(DagAccess::Read)).await
}

/// Returns the DAGs that someone may do this with, of those that are not there for everyone.
async fn dags_with(app: &App, who: &Who, access: Option<DagAccess>) -> Result<Vec<String>, ApiError> {
    if who.role >= Role::Op {
        return Ok(Vec::new());
    }
    let restricted = app.store.restricted_dags().await?;
    Ok(restricted.into_iter().filter(|(_, list)| may(list, who) == access).map(|(dag_id, _)| dag_id).collect())
}

/// Says whether a DAG with this `access_control` is there for someone.
pub(crate) fn may_read(list: Option<&AccessList>, who: &Who) -> bool {
    who.role >= Role::Op || list.is_none_or(|list| may(list, who).is_some())
}

/// Returns what a list gives to someone: by their name or by their role, whichever is more.
fn may(list: &AccessList, who: &Who) -> Option<DagAccess> {
    let by_name = list.get(&who.user).copied().filter(|_| who.by != By::Nothing);
    by_name.max(list.get(who.role.as_str()).copied())
}
