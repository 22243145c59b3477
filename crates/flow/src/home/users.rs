//! Users, and tokens for programs.

use std::time::Duration;

use flow_core::Timestamp;
use flow_server::{Role, hash_password, token_secret};
use flow_store::{Event, NewToken, NewUser, Order, Page, StoreError, Token, User, UserChange, UserOrder};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Home, if_there};
use crate::{client::Declined, config::near, context::Cx, output::Refusal};

/// Most entries that are listed.
const LISTED: u32 = 10_000;

/// A user, for programs: the API's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserView {
    pub(crate) username: String,
    pub(crate) role: String,
    pub(crate) is_active: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) last_login_at: Option<Timestamp>,
    /// A random password that was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
}

/// What a user shall become; what is `None` stays.
#[derive(Debug, Default)]
pub(crate) struct UserWish {
    pub(crate) role: Option<Role>,
    pub(crate) password: Option<String>,
    pub(crate) is_active: Option<bool>,
}

/// A token, for programs: the API's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TokenView {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) prefix: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    /// `good`, `expired` or `revoked`.
    #[serde(default)]
    pub(crate) state: String,
    /// The secret, when it was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            username: user.name.clone(),
            role: user.role.clone(),
            is_active: user.is_active,
            created_at: Timestamp::from_micros(user.created_at),
            last_login_at: user.last_login_at.map(Timestamp::from_micros),
            password: None,
        }
    }
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            username: token.user.clone(),
            prefix: token.prefix.clone(),
            created_at: Timestamp::from_micros(token.created_at),
            expires_at: token.expires_at.map(Timestamp::from_micros),
            last_used_at: token.last_used_at.map(Timestamp::from_micros),
            revoked_at: token.revoked_at.map(Timestamp::from_micros),
            state: String::new(),
            access_token: None,
        }
    }
}

impl TokenView {
    /// Says whether it is good now.
    fn judged(mut self, now: Timestamp) -> Self {
        let state = match (self.revoked_at, self.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now => "expired",
            (None, _) => "good",
        };
        state.clone_into(&mut self.state);
        self
    }
}

impl Home {
    /// All users, by name.
    pub(crate) async fn users(&self) -> anyhow::Result<Vec<UserView>> {
        match self {
            Self::Local(parts) => {
                let orders = [Order { by: UserOrder::Name, is_descending: false }];
                let listed = parts.store.list_users(&[], &orders, Page { limit: LISTED, offset: 0 }).await?;
                Ok(listed.rows.iter().map(Into::into).collect())
            }
            Self::Remote(client) => {
                let query = [("order_by", "username".into())];
                client.list(&["api", "v2", "users"], &query, "users", LISTED).await
            }
        }
    }

    /// One user.
    pub(crate) async fn user(&self, name: &str) -> anyhow::Result<Option<UserView>> {
        match self {
            Self::Local(parts) => Ok(parts.store.user(name).await?.as_ref().map(Into::into)),
            Self::Remote(client) => client.find(&["api", "v2", "users", name]).await,
        }
    }

    /// Says that there is no such user, and who may have been meant.
    pub(crate) async fn no_such_user(&self, name: &str) -> anyhow::Error {
        let known = self.users().await.unwrap_or_default();
        let refusal = Refusal::failed(format!("user `{name}` does not exist"));
        refusal
            .help(match near(name, known.into_iter().map(|user| user.username)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("see which there are: flow users list; make one: flow users set {name} --role ROLE"),
            })
            .into()
    }

    /// Makes a user.
    pub(crate) async fn add_user(&self, cx: &Cx, name: &str, role: Role, wish: UserWish) -> anyhow::Result<()> {
        let is_active = wish.is_active.unwrap_or(true);
        match self {
            Self::Local(parts) => {
                let password = hashed(wish.password).await?.unwrap_or_default();
                let user = NewUser { name, role: role.as_str(), password: &password, is_active };
                let mut tx = parts.store.begin().await?;
                tx.add_user(&user, cx.now()).await.map_err(refusal)?;
                tx.tell(&[told("user_created", name)], cx.now()).await?;
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let body = json!({
                    "username": name, "role": role.as_str(), "password": wish.password, "is_active": is_active,
                });
                let _: Value = client.send(Method::POST, &["api", "v2", "users"], &[], &body).await?;
            }
        }
        Ok(())
    }

    /// Changes a user.
    pub(crate) async fn change_user(&self, cx: &Cx, name: &str, wish: UserWish) -> anyhow::Result<()> {
        match self {
            Self::Local(parts) => {
                let Some(user) = parts.store.user(name).await? else { return Err(self.no_such_user(name).await) };
                let password = hashed(wish.password).await?;
                let role = wish.role.map(Role::as_str);
                let change = UserChange { role, password: password.as_deref(), is_active: wish.is_active };
                let mut tx = parts.store.begin().await?;
                tx.change_user(&user, &change, cx.now()).await.map_err(refusal)?;
                tx.tell(&[told("user_changed", name)], cx.now()).await?;
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let mut body = json!({});
                if let Some(role) = wish.role {
                    body["role"] = role.as_str().into();
                }
                if let Some(password) = wish.password {
                    body["password"] = password.into();
                }
                if let Some(is_active) = wish.is_active {
                    body["is_active"] = is_active.into();
                }
                let _: Value = client.send(Method::PATCH, &["api", "v2", "users", name], &[], &body).await?;
            }
        }
        Ok(())
    }

    /// Forgets a user with their sessions and tokens; says whether there was one.
    pub(crate) async fn delete_user(&self, cx: &Cx, name: &str) -> anyhow::Result<bool> {
        match self {
            Self::Local(parts) => {
                let Some(user) = parts.store.user(name).await? else { return Ok(false) };
                let mut tx = parts.store.begin().await?;
                tx.delete_user(&user).await.map_err(refusal)?;
                tx.tell(&[told("user_deleted", name)], cx.now()).await?;
                tx.commit().await?;
                Ok(true)
            }
            Self::Remote(client) => {
                let path = ["api", "v2", "users", name];
                Ok(if_there(client.send::<Value>(Method::DELETE, &path, &[], &Value::Null).await)?.is_some())
            }
        }
    }

    /// Tokens without their secrets, of one user or of all.
    pub(crate) async fn tokens(&self, cx: &Cx, user: Option<&str>) -> anyhow::Result<Vec<TokenView>> {
        let tokens: Vec<TokenView> = match self {
            Self::Local(parts) => {
                let listed = parts.store.list_tokens(user, Page { limit: LISTED, offset: 0 }).await?;
                listed.rows.iter().map(Into::into).collect()
            }
            Self::Remote(client) => {
                let query: Vec<_> = user.map(|name| ("username", name.into())).into_iter().collect();
                client.list(&["api", "v2", "tokens"], &query, "tokens", LISTED).await?
            }
        };
        let now = cx.now();
        Ok(tokens.into_iter().map(|token| token.judged(now)).collect())
    }

    /// Makes a token; it is good for so long, or until it is revoked. `user`: `None` = whoever asks the server.
    pub(crate) async fn add_token(
        &self,
        cx: &Cx,
        name: &str,
        user: Option<&str>,
        lifetime: Option<Duration>,
    ) -> anyhow::Result<TokenView> {
        let now = cx.now();
        match self {
            Self::Local(parts) => {
                let user = user.unwrap_or_default();
                let Some(user) = parts.store.user(user).await? else { return Err(self.no_such_user(user).await) };
                let (secret, hash, prefix) = token_secret().map_err(Refusal::failed)?;
                let expires_at = lifetime.map(|span| now + span);
                let mut tx = parts.store.begin().await?;
                let token = NewToken { user: user.id, name, hash: &hash, prefix: &prefix, expires_at };
                let id = tx.add_token(&token, now).await?;
                tx.tell(&[told("token_created", &format!("`{name}` of {}", user.name))], now).await?;
                tx.commit().await?;
                let made = parts.store.token(id).await?;
                let made = made.ok_or_else(|| Refusal::failed(format!("token {id} is gone already")))?;
                Ok(TokenView { access_token: Some(secret), ..TokenView::from(&made).judged(now) })
            }
            Self::Remote(client) => {
                let Some(span) = lifetime else {
                    return Err(Refusal::usage("a token that never expires is made on the server's host only")
                        .help("give it a lifetime, such as `--expires 365d`")
                        .into());
                };
                let mut body = json!({ "name": name, "expires_in": span.as_secs() });
                if let Some(user) = user {
                    body["username"] = user.into();
                }
                let made = client.send::<TokenView>(Method::POST, &["api", "v2", "tokens"], &[], &body).await;
                match (made, user) {
                    (Ok(made), _) => Ok(made.judged(now)),
                    (Err(error), Some(user)) if Declined::is(&error, StatusCode::NOT_FOUND) => {
                        Err(self.no_such_user(user).await)
                    }
                    (Err(error), _) => Err(error),
                }
            }
        }
    }

    /// Revokes a token; returns it, or `None` when there is no such token.
    pub(crate) async fn revoke_token(&self, cx: &Cx, id: i64) -> anyhow::Result<Option<TokenView>> {
        match self {
            Self::Local(parts) => {
                let Some(token) = parts.store.token(id).await? else { return Ok(None) };
                let what = format!("`{}` of {}", token.name, token.user);
                let mut tx = parts.store.begin().await?;
                if tx.revoke_token(id, cx.now()).await? {
                    tx.tell(&[told("token_revoked", &what)], cx.now()).await?;
                }
                tx.commit().await?;
                Ok(Some((&token).into()))
            }
            Self::Remote(client) => {
                let number = id.to_string();
                let path = ["api", "v2", "tokens", number.as_str()];
                let token: Option<TokenView> = client.find(&path).await?;
                if token.is_some() {
                    let _: Value = client.send(Method::DELETE, &path, &[], &Value::Null).await?;
                }
                Ok(token)
            }
        }
    }
}

async fn hashed(password: Option<String>) -> anyhow::Result<Option<String>> {
    let Some(password) = password else { return Ok(None) };
    Ok(Some(tokio::task::spawn_blocking(move || hash_password(&password)).await?.map_err(Refusal::failed)?))
}

/// Says a conflict as it is, without advice to try again.
fn refusal(error: StoreError) -> anyhow::Error {
    if let StoreError::Conflict(why) = error { Refusal::failed(why).into() } else { error.into() }
}

/// Returns what the audit log says.
fn told(kind: &'static str, what: &str) -> Event {
    Event { kind, detail: Some(format!("{what}, from the command line")), ..Event::default() }
}
