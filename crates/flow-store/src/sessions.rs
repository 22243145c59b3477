//! Sessions of browsers: kept as the SHA-256 of an id that only the cookie holds.

use flow_core::Timestamp;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
};

/// Most sessions of a user; the oldest goes when there is one more.
const SESSIONS_MAX: i64 = 100;

/// What a session that is good stands for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionHolder {
    pub user: String,
    pub role: String,
    /// To a minute.
    pub seen_at: i64,
}

statements! {
    both HOLDER = "SELECT account.name AS \"user\", account.role, session.seen_at
        FROM session JOIN account ON account.id = session.account
        WHERE session.hash = $1 AND session.expires_at > $2 AND session.seen_at > $3 AND account.is_active";
    both SEEN = "UPDATE session SET seen_at = $2 WHERE hash = $1";
    both ADD = "INSERT INTO session (hash, account, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)";
    both DROP_OLD = "DELETE FROM session WHERE expires_at <= $1";
    both DROP_MANY = "DELETE FROM session WHERE account = $1 AND created_at < (SELECT created_at FROM session
        WHERE account = $1 ORDER BY created_at DESC LIMIT 1 OFFSET $2)";
    both END = "DELETE FROM session WHERE hash = $1";
    both END_ALL = "DELETE FROM session WHERE account = $1";
}

impl Store {
    /// Returns whose session this is, by the hash of its id, if it is good and was seen after that moment.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn session_holder(
        &self,
        hash: &str,
        seen_after: Timestamp,
        now: Timestamp,
    ) -> Result<Option<SessionHolder>, StoreError> {
        Ok(on!(read self, HOLDER, |text, conn| {
            sqlx::query_as(text)
                .bind(hash)
                .bind(now.as_micros())
                .bind(seen_after.as_micros())
                .fetch_optional(conn)
                .await?
        }))
    }
}

impl Tx {
    /// Begins a session. Forgets those that are over.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_session(
        &mut self,
        hash: &str,
        user: i64,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(tx self, DROP_OLD, |text, conn| { sqlx::query(text).bind(now.as_micros()).execute(conn).await?; });
        on!(tx self, ADD, |text, conn| {
            sqlx::query(text)
                .bind(hash)
                .bind(user)
                .bind(now.as_micros())
                .bind(expires_at.as_micros())
                .execute(conn)
                .await?;
        });
        on!(tx self, DROP_MANY, |text, conn| {
            sqlx::query(text).bind(user).bind(SESSIONS_MAX - 1).execute(conn).await?;
        });
        Ok(())
    }

    /// Writes down that a session is in use.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn session_seen(&mut self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(tx self, SEEN, |text, conn| { sqlx::query(text).bind(hash).bind(now.as_micros()).execute(conn).await?; });
        Ok(())
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn end_session(&mut self, hash: &str) -> Result<bool, StoreError> {
        let touched = on!(tx self, END, |text, conn| sqlx::query(text).bind(hash).execute(conn).await?.rows_affected());
        Ok(touched > 0)
    }

    pub(crate) async fn end_sessions_of(&mut self, user: i64) -> Result<(), StoreError> {
        on!(tx self, END_ALL, |text, conn| { sqlx::query(text).bind(user).execute(conn).await?; });
        Ok(())
    }
}
