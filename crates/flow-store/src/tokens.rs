//! Bearer tokens: kept as the SHA-256 of a secret that only its holder has.

use flow_core::Timestamp;

use crate::{
    Listed, Page, Store, StoreError, Tx,
    db::{on, statements},
    select::Select,
};

/// Most tokens of a user that are still good: a program that asks for one each time must not fill the database.
const GOOD_MAX: i64 = 10_000;
/// How long a token that is no longer good is shown.
const SHOWN_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    pub id: i64,
    /// Whose it is.
    pub user: String,
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    pub created_at: i64,
    /// `None` = never.
    pub expires_at: Option<i64>,
    /// To a minute.
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// A token to be.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    pub user: i64,
    pub name: &'a str,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: &'a str,
    pub prefix: &'a str,
    pub expires_at: Option<Timestamp>,
}

/// What a token that is good stands for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TokenHolder {
    pub id: i64,
    pub user: String,
    pub role: String,
    pub last_used_at: Option<i64>,
}

const COLUMNS: &str =
    "token.id, account.name AS \"user\", token.name, token.prefix, token.created_at, token.expires_at,
    token.last_used_at, token.revoked_at";
const FROM: &str = "token JOIN account ON account.id = token.account";

statements! {
    both HOLDER = "SELECT token.id, account.name AS \"user\", account.role, token.last_used_at
        FROM token JOIN account ON account.id = token.account
        WHERE token.hash = $1 AND token.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > $2) AND account.is_active";
    both USED = "UPDATE token SET last_used_at = $2 WHERE id = $1";
    both ADD = "INSERT INTO token (account, name, hash, prefix, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    both DROP_OLD = "DELETE FROM token WHERE account = $1 AND (expires_at < $2 OR revoked_at < $2)";
    both COUNT_GOOD = "SELECT COUNT(*) FROM token WHERE account = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    both REVOKE = "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    both REVOKE_ALL = "UPDATE token SET revoked_at = $2 WHERE account = $1 AND revoked_at IS NULL";
}

impl Store {
    /// Returns who holds a good token, by the hash of its secret.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn token_holder(&self, hash: &str, now: Timestamp) -> Result<Option<TokenHolder>, StoreError> {
        Ok(on!(read self, HOLDER, |text, conn| {
            sqlx::query_as(text).bind(hash).bind(now.as_micros()).fetch_optional(conn).await?
        }))
    }

    /// Returns a page of tokens, the latest first; `user`: only theirs.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_tokens(&self, user: Option<&str>, page: Page) -> Result<Listed<Token>, StoreError> {
        let mut select = Select::new(self, COLUMNS, FROM);
        if let Some(user) = user {
            select.filter("account.name = ?", [user]);
        }
        select.order_by("token.id", true);
        select.list(self, page).await
    }

    /// Returns a token.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn token(&self, id: i64) -> Result<Option<Token>, StoreError> {
        let mut select = Select::new(self, COLUMNS, FROM);
        select.filter("token.id = ?", [id]);
        Ok(select.fetch(self, Page { limit: 1, offset: 0 }).await?.pop())
    }
}

impl Tx {
    /// Writes down that a token is in use.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn token_used(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, USED, |text, conn| { sqlx::query(text).bind(id).bind(now.as_micros()).execute(conn).await?; });
        Ok(())
    }

    /// Makes a token; returns its number. Forgets old ones of the same user.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the user has too many; or when the database does.
    pub async fn add_token(&mut self, token: &NewToken<'_>, now: Timestamp) -> Result<i64, StoreError> {
        let now = now.as_micros();
        on!(tx self, DROP_OLD, |text, conn| {
            sqlx::query(text).bind(token.user).bind(now - SHOWN_MICROS).execute(conn).await?;
        });
        let good: i64 = on!(tx self, COUNT_GOOD, |text, conn| {
            sqlx::query_scalar(text).bind(token.user).bind(now).fetch_one(conn).await?
        });
        if good >= GOOD_MAX {
            return Err(StoreError::Conflict(format!(
                "there are {good} tokens already; keep one and use it again, or revoke some"
            )));
        }
        Ok(on!(tx self, ADD, |text, conn| {
            sqlx::query_scalar(text)
                .bind(token.user)
                .bind(token.name)
                .bind(token.hash)
                .bind(token.prefix)
                .bind(now)
                .bind(token.expires_at.map(Timestamp::as_micros))
                .fetch_one(conn)
                .await?
        }))
    }

    /// Revokes a token; says whether it was not revoked before.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn revoke_token(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let touched = on!(tx self, REVOKE, |text, conn| {
            sqlx::query(text).bind(id).bind(now.as_micros()).execute(conn).await?.rows_affected()
        });
        Ok(touched > 0)
    }

    pub(crate) async fn revoke_tokens_of(&mut self, user: i64, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, REVOKE_ALL, |text, conn| {
            sqlx::query(text).bind(user).bind(now.as_micros()).execute(conn).await?;
        });
        Ok(())
    }
}
