//! Users: who may log in, and as what. One Admin who can log in always stays.
//!
//! Knows roles as words, and passwords as hashes that others made.

use flow_core::Timestamp;

use crate::{
    Listed, Order, Page, Pattern, Store, StoreError, Tx,
    db::{on, statements},
    select::Select,
};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    pub id: i64,
    pub name: String,
    /// `Viewer`, `User`, `Op` or `Admin`.
    pub role: String,
    pub is_active: bool,
    pub created_at: i64,
    pub last_login_at: Option<i64>,
}

/// A user to be.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    pub name: &'a str,
    pub role: &'a str,
    /// The hash.
    pub password: &'a str,
    pub is_active: bool,
}

/// What changes of a user; `None` = stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    pub role: Option<&'a str>,
    /// The hash.
    pub password: Option<&'a str>,
    pub is_active: Option<bool>,
}

/// What users are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrder {
    Id,
    Name,
    Role,
    CreatedAt,
    LastLoginAt,
}

impl UserOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Role => "role",
            Self::CreatedAt => "created_at",
            Self::LastLoginAt => "last_login_at",
        }
    }
}

const COLUMNS: &str = "id, name, role, is_active, created_at, last_login_at";

statements! {
    both GET = "SELECT id, name, role, is_active, created_at, last_login_at FROM account WHERE name = $1";
    both PASSWORD = "SELECT password FROM account WHERE id = $1";
    both HAS_ANY = "SELECT EXISTS (SELECT 1 FROM account)";
    both ADD = "INSERT INTO account (name, folded, role, password, is_active, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING RETURNING id";
    // Of two processes that do it at once, the second waits for the first, and then finds the name taken.
    both ADD_FIRST = "INSERT INTO account (name, folded, role, password, is_active, created_at)
        SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM account)
        ON CONFLICT DO NOTHING RETURNING id";
    both CHANGE = "UPDATE account SET role = COALESCE($2, role), password = COALESCE($3, password), is_active = COALESCE($4, is_active)
        WHERE id = $1";
    both DELETE = "DELETE FROM account WHERE id = $1";
    both LOGGED_IN = "UPDATE account SET last_login_at = $2 WHERE id = $1 AND password = $3 AND is_active";
    // Locked: two Admins who remove each other at once would leave none.
    split ADMINS = {
        sqlite: "SELECT id FROM account WHERE role = 'Admin' AND is_active ORDER BY id",
        postgres: "SELECT id FROM account WHERE role = 'Admin' AND is_active ORDER BY id FOR UPDATE"
    };
}

impl Store {
    /// Returns a user.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        // Postgres would refuse the text; no user is called so.
        if name.contains('\0') {
            return Ok(None);
        }
        Ok(on!(read self, GET, |text, conn| sqlx::query_as(text).bind(name).fetch_optional(conn).await?))
    }

    /// Returns the hash of a user's password.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn password_of(&self, user: i64) -> Result<Option<String>, StoreError> {
        Ok(on!(read self, PASSWORD, |text, conn| sqlx::query_scalar(text).bind(user).fetch_optional(conn).await?))
    }

    /// Says whether there is any user.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(on!(read self, HAS_ANY, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?))
    }

    /// Returns a page of users.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_users(
        &self,
        names: &[Pattern],
        orders: &[Order<UserOrder>],
        page: Page,
    ) -> Result<Listed<User>, StoreError> {
        let mut select = Select::new(self, COLUMNS, "account");
        for pattern in names {
            select.looks_like("name", pattern);
        }
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("id", false);
        select.list(self, page).await
    }
}

impl Tx {
    /// Makes a user; returns its number.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when there is one of this name, in whatever case; or when the database does.
    pub async fn add_user(&mut self, user: &NewUser<'_>, now: Timestamp) -> Result<i64, StoreError> {
        let id: Option<i64> = on!(tx self, ADD, |text, conn| {
            sqlx::query_scalar(text)
                .bind(user.name)
                .bind(user.name.to_lowercase())
                .bind(user.role)
                .bind(user.password)
                .bind(user.is_active)
                .bind(now.as_micros())
                .fetch_optional(conn)
                .await?
        });
        id.ok_or_else(|| StoreError::Conflict(format!("user `{}` exists already", user.name)))
    }

    /// Makes a user if there is none at all; returns its number.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_first_user(&mut self, user: &NewUser<'_>, now: Timestamp) -> Result<Option<i64>, StoreError> {
        Ok(on!(tx self, ADD_FIRST, |text, conn| {
            sqlx::query_scalar(text)
                .bind(user.name)
                .bind(user.name.to_lowercase())
                .bind(user.role)
                .bind(user.password)
                .bind(user.is_active)
                .bind(now.as_micros())
                .fetch_optional(conn)
                .await?
        }))
    }

    /// Changes a user. A new password ends their tokens and sessions; who may not log in any more has no session left.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when no Admin would be left; or when the database does.
    pub async fn change_user(
        &mut self,
        user: &User,
        change: &UserChange<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if change.role.is_some_and(|role| role != "Admin") || change.is_active == Some(false) {
            self.keep_an_admin_without(user).await?;
        }
        let touched = on!(tx self, CHANGE, |text, conn| {
            sqlx::query(text)
                .bind(user.id)
                .bind(change.role)
                .bind(change.password)
                .bind(change.is_active)
                .execute(conn)
                .await?
                .rows_affected()
        });
        if touched == 0 {
            return Err(StoreError::no_such("user", &user.name));
        }
        if change.password.is_some() {
            self.revoke_tokens_of(user.id, now).await?;
        }
        if change.password.is_some() || change.is_active == Some(false) {
            self.end_sessions_of(user.id).await?;
        }
        Ok(())
    }

    /// Deletes a user with all their sessions and tokens.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when no Admin would be left; or when the database does.
    pub async fn delete_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.keep_an_admin_without(user).await?;
        let touched =
            on!(tx self, DELETE, |text, conn| sqlx::query(text).bind(user.id).execute(conn).await?.rows_affected());
        if touched == 0 { Err(StoreError::no_such("user", &user.name)) } else { Ok(()) }
    }

    /// Writes down that a user has logged in. Returns false when they may no longer: `password`, the hash that was
    /// checked, is not theirs any more. Holds the row, so that the password stays until the transaction ends.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn logged_in(&mut self, user: i64, password: &str, now: Timestamp) -> Result<bool, StoreError> {
        let touched = on!(tx self, LOGGED_IN, |text, conn| {
            sqlx::query(text).bind(user).bind(now.as_micros()).bind(password).execute(conn).await?.rows_affected()
        });
        Ok(touched > 0)
    }

    async fn keep_an_admin_without(&mut self, user: &User) -> Result<(), StoreError> {
        let admins: Vec<i64> = on!(tx self, ADMINS, |text, conn| sqlx::query_scalar(text).fetch_all(conn).await?);
        if admins == [user.id] {
            let name = &user.name;
            return Err(StoreError::Conflict(format!(
                "`{name}` is the only Admin who can log in; make someone else Admin first"
            )));
        }
        Ok(())
    }
}
