//! Variables: values for templates, by key. Encrypted, every one of them.

use flow_core::secret::Secret;

use crate::{
    Keyring, Store, StoreError, Tx, Unreadable,
    db::{on, statements},
    keyring::Place,
};

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub key: String,
    /// Why it cannot be read harms only this one.
    pub value: Result<Secret, Unreadable>,
    pub description: Option<String>,
}

/// A row, as it is written.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    key: String,
    value: String,
    description: Option<String>,
}

impl Row {
    pub(crate) fn open(self, keyring: &Keyring) -> Variable {
        let value = keyring.open(place(&self.key), &self.value);
        Variable { key: self.key, value, description: self.description }
    }
}

fn place(key: &str) -> Place<'_> {
    Place { table: "variable", column: "value", row: key }
}

statements! {
    both ONE = "SELECT key, value, description FROM variable WHERE key = $1";
    split LOCK_ONE = {
        sqlite: "SELECT key, value, description FROM variable WHERE key = $1",
        postgres: "SELECT key, value, description FROM variable WHERE key = $1 FOR UPDATE"
    };
    both ADD = "INSERT INTO variable (key, value, description) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    both SET = "INSERT INTO variable (key, value, description) VALUES ($1, $2, $3)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, description = excluded.description";
    both DESCRIBE = "UPDATE variable SET description = $2 WHERE key = $1";
    both DELETE = "DELETE FROM variable WHERE key = $1";
}

impl Store {
    /// Returns a variable.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn variable(&self, key: &str) -> Result<Option<Variable>, StoreError> {
        let mut found = self.read_variable(key).await?;
        // The key may have been changed, and forgotten, between reading the row and the key file.
        if matches!(&found, Some(Variable { value: Err(why), .. }) if why.key.is_some()) {
            found = self.read_variable(key).await?;
        }
        Ok(found)
    }

    async fn read_variable(&self, key: &str) -> Result<Option<Variable>, StoreError> {
        let row: Option<Row> =
            on!(read self, ONE, |text, conn| sqlx::query_as(text).bind(key).fetch_optional(conn).await?);
        Ok(row.map(|row| row.open(&self.keyring)))
    }
}

impl Tx {
    /// Returns a variable, and keeps others from changing it.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn variable(&mut self, key: &str) -> Result<Option<Variable>, StoreError> {
        let row: Option<Row> =
            on!(tx self, LOCK_ONE, |text, conn| sqlx::query_as(text).bind(key).fetch_optional(conn).await?);
        Ok(row.map(|row| row.open(&self.keyring)))
    }

    /// Makes a variable; returns whether there was none of this key.
    ///
    /// # Errors
    ///
    /// When the database does, or the key to encrypt with is missing.
    pub async fn add_variable(
        &mut self,
        key: &str,
        value: &Secret,
        description: Option<&str>,
    ) -> Result<bool, StoreError> {
        let [sealed] = self.seal([(place(key), Some(value))]).await?;
        let done = on!(tx self, ADD, |text, conn| {
            sqlx::query(text).bind(key).bind(sealed).bind(description).execute(conn).await?.rows_affected()
        });
        Ok(done > 0)
    }

    /// Makes a variable, or changes one.
    ///
    /// # Errors
    ///
    /// As [`Tx::add_variable`].
    pub async fn set_variable(
        &mut self,
        key: &str,
        value: &Secret,
        description: Option<&str>,
    ) -> Result<(), StoreError> {
        let [sealed] = self.seal([(place(key), Some(value))]).await?;
        on!(tx self, SET, |text, conn| {
            sqlx::query(text).bind(key).bind(sealed).bind(description).execute(conn).await?;
        });
        Ok(())
    }

    /// Changes the description of a variable, and nothing else.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn describe_variable(&mut self, key: &str, description: Option<&str>) -> Result<(), StoreError> {
        on!(tx self, DESCRIBE, |text, conn| {
            sqlx::query(text).bind(key).bind(description).execute(conn).await?;
        });
        Ok(())
    }

    /// Deletes a variable; returns whether it was there.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn delete_variable(&mut self, key: &str) -> Result<bool, StoreError> {
        let done = on!(tx self, DELETE, |text, conn| sqlx::query(text).bind(key).execute(conn).await?.rows_affected());
        Ok(done > 0)
    }
}
