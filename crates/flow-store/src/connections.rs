//! Connections: where other systems are, and how to log in. Passwords and `extra` are encrypted.

use flow_core::connection::Connection;

use crate::{
    Keyring, Store, StoreError, Tx, Unreadable,
    db::{on, statements},
    keyring::Place,
};

/// A connection, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Without what cannot be read.
    pub connection: Connection,
    pub has_password: bool,
    pub has_extra: bool,
    /// Why the password or `extra` cannot be read.
    pub unreadable: Option<Unreadable>,
}

impl ConnectionRow {
    /// Returns the whole connection.
    ///
    /// # Errors
    ///
    /// When a part of it cannot be read.
    pub fn whole(self) -> Result<Connection, StoreError> {
        match self.unreadable {
            Some(why) => Err(why.into()),
            None => Ok(self.connection),
        }
    }
}

/// A row, as it is written.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    connection_id: String,
    conn_type: String,
    description: Option<String>,
    host: Option<String>,
    login: Option<String>,
    schema: Option<String>,
    port: Option<i64>,
    password: Option<String>,
    extra: Option<String>,
}

/// The columns of [`Row`].
pub(crate) const COLUMNS: &str = "connection_id, conn_type, description, host, login, schema, port, password, extra";

impl Row {
    pub(crate) fn open(self, keyring: &Keyring) -> ConnectionRow {
        let mut unreadable = None;
        let mut part = |column, sealed: &Option<String>| {
            let opened = keyring.open(place(column, &self.connection_id), sealed.as_ref()?);
            opened.map_err(|why| unreadable = Some(why)).ok()
        };
        let (password, extra) = (part("password", &self.password), part("extra", &self.extra));
        ConnectionRow {
            has_password: self.password.is_some(),
            has_extra: self.extra.is_some(),
            unreadable,
            connection: Connection {
                id: self.connection_id,
                conn_type: self.conn_type,
                description: self.description,
                host: self.host,
                login: self.login,
                schema: self.schema,
                port: self.port.and_then(|port| u16::try_from(port).ok()),
                password,
                extra,
            },
        }
    }
}

fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "connection", column, row: id }
}

statements! {
    both ONE = "SELECT connection_id, conn_type, description, host, login, schema, port, password, extra
        FROM connection WHERE connection_id = $1";
    split LOCK_ONE = {
        sqlite: "SELECT connection_id, conn_type, description, host, login, schema, port, password, extra
            FROM connection WHERE connection_id = $1",
        postgres: "SELECT connection_id, conn_type, description, host, login, schema, port, password, extra
            FROM connection WHERE connection_id = $1 FOR UPDATE"
    };
    both ADD = "INSERT INTO connection (connection_id, conn_type, description, host, login, schema, port, password, extra)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    both SET = "INSERT INTO connection (connection_id, conn_type, description, host, login, schema, port, password, extra)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (connection_id) DO UPDATE SET conn_type = excluded.conn_type, description = excluded.description,
            host = excluded.host, login = excluded.login, schema = excluded.schema, port = excluded.port,
            password = excluded.password, extra = excluded.extra";
    both DELETE = "DELETE FROM connection WHERE connection_id = $1";
}

macro_rules! bound {
    ($text:expr, $connection:expr, $password:expr, $extra:expr) => {
        sqlx::query($text)
            .bind(&$connection.id)
            .bind(&$connection.conn_type)
            .bind(&$connection.description)
            .bind(&$connection.host)
            .bind(&$connection.login)
            .bind(&$connection.schema)
            .bind($connection.port.map(i64::from))
            .bind($password)
            .bind($extra)
    };
}

impl Store {
    /// Returns a connection.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn connection(&self, id: &str) -> Result<Option<ConnectionRow>, StoreError> {
        let mut found = self.read_connection(id).await?;
        // The key may have been changed, and forgotten, between reading the row and the key file.
        if matches!(&found, Some(ConnectionRow { unreadable: Some(why), .. }) if why.key.is_some()) {
            found = self.read_connection(id).await?;
        }
        Ok(found)
    }

    async fn read_connection(&self, id: &str) -> Result<Option<ConnectionRow>, StoreError> {
        let row: Option<Row> =
            on!(read self, ONE, |text, conn| sqlx::query_as(text).bind(id).fetch_optional(conn).await?);
        Ok(row.map(|row| row.open(&self.keyring)))
    }
}

impl Tx {
    /// Returns a connection, and keeps others from changing it.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn connection(&mut self, id: &str) -> Result<Option<ConnectionRow>, StoreError> {
        let row: Option<Row> =
            on!(tx self, LOCK_ONE, |text, conn| sqlx::query_as(text).bind(id).fetch_optional(conn).await?);
        Ok(row.map(|row| row.open(&self.keyring)))
    }

    /// Makes a connection; returns whether there was none of this id.
    ///
    /// # Errors
    ///
    /// When the database does, or the key to encrypt with is missing.
    pub async fn add_connection(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let [password, extra] = self.sealed(connection).await?;
        let done = on!(tx self, ADD, |text, conn| {
            bound!(text, connection, password, extra).execute(conn).await?.rows_affected()
        });
        Ok(done > 0)
    }

    /// Makes a connection, or changes one.
    ///
    /// # Errors
    ///
    /// As [`Tx::add_connection`].
    pub async fn set_connection(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let [password, extra] = self.sealed(connection).await?;
        on!(tx self, SET, |text, conn| { bound!(text, connection, password, extra).execute(conn).await?; });
        Ok(())
    }

    /// Deletes a connection; returns whether it was there.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn delete_connection(&mut self, id: &str) -> Result<bool, StoreError> {
        let done = on!(tx self, DELETE, |text, conn| sqlx::query(text).bind(id).execute(conn).await?.rows_affected());
        Ok(done > 0)
    }

    async fn sealed(&mut self, connection: &Connection) -> Result<[Option<String>; 2], StoreError> {
        let row = connection.id.as_str();
        self.seal([
            (place("password", row), connection.password.as_ref()),
            (place("extra", row), connection.extra.as_ref()),
        ])
        .await
    }
}
