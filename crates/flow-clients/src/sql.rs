//! SQL databases: Postgres, MySQL and MariaDB, SQLite.
//!
//! [`Database::of`] finds the database of a connection; a [`Session`] is one connection to it. What is asked there comes
//! as a stream of [`Cell`]s, in constant memory. A session that is dropped while the server works is not only left: the
//! server is told to stop.
//!
//! | module | question it answers |
//! |---|---|
//! | [`text`] | where do statements end, and where do parameters belong? |
//! | [`session`] | how is one connection asked, and how does it end? |
//! | [`insert`] | how do many rows get into a table, and what if they are there already? |
//! | [`offsets`] | how far has a group read a topic of Kafka, together with what it wrote? |
//! | [`load`], [`records`] | how does a file get into a table? |
//! | [`export`] | how do rows get into a file? |
//! | [`cell`] | what is a value? |
//!
//! ```no_run
//! # async fn example(clients: &flow_clients::Clients, connection: &flow_core::connection::Connection) -> flow_clients::Result<()> {
//! use flow_clients::sql::{Database, Insert, OnConflict, Parameters};
//! use serde_json::json;
//!
//! let database = Database::of(clients, connection).await?;
//! let mut session = database.session().await?;
//! session.begin().await?;
//! let insert = Insert { table: "readings".into(), columns: vec!["id".into()], on_conflict: OnConflict::Error };
//! session.insert(&insert, vec![vec![json!(1).into()], vec![json!(2).into()]]).await?;
//! session.execute("UPDATE offsets SET next = %s", &Parameters::List(vec![json!(3)])).await?;
//! session.commit().await
//! # }
//! ```

use std::{
    cmp::Ordering,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flow_core::connection::Connection;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{ClientError, Clients, Result};

pub mod cell;
mod conn;
pub mod export;
mod failure;
pub mod insert;
pub mod load;
mod mysql;
pub mod offsets;
mod options;
mod postgres;
pub mod records;
pub mod session;
mod sqlite;
pub mod text;
mod times;
mod tls;

pub use cell::Cell;
pub use export::TableWriter;
pub use insert::{Insert, OnConflict, quote, quote_table};
pub use load::{Load, Loaded};
pub use offsets::OffsetsTable;
pub use records::{Delimited, Format};
pub use session::{Rows, Session};
pub use text::{Parameters, split};

use conn::Conn;
use options::Target;

/// Most connections to one database at a time; who comes later waits for one.
const CONNECTIONS_MAX: usize = 8;

/// Most connections that stay open without work.
const IDLE_MAX: usize = 2;

/// A connection that was without work for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Postgres,
    /// MariaDB too.
    MySql,
    Sqlite,
}

impl DatabaseKind {
    /// Returns the kind for a connection's type.
    pub fn of(conn_type: &str) -> Option<Self> {
        match conn_type {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

/// A database, and the connections to it that are open. Cloning it is cheap, and shares them.
#[derive(Clone, Debug)]
pub struct Database {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Target,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    conn: Conn,
    since: Instant,
}

impl Database {
    /// Finds the database of a connection; connects when first asked for a session.
    ///
    /// # Errors
    ///
    /// When the connection is not one of a SQL database, or its settings are wrong.
    pub async fn of(clients: &Clients, connection: &Connection) -> Result<Self> {
        let kept = clients.keep("sql", connection, async { Self::new(connection) }).await?;
        Ok((*kept).clone())
    }

    /// Makes one that is kept nowhere.
    ///
    /// # Errors
    ///
    /// As [`Database::of`].
    pub fn new(connection: &Connection) -> Result<Self> {
        let target = Target::of(connection)?;
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Ok(Self { shared: Arc::new(Shared { target, room, idle: Mutex::default() }) })
    }

    /// Returns which database it is.
    pub fn kind(&self) -> DatabaseKind {
        self.shared.target.kind()
    }

    /// Takes a connection that is free, or makes one. Waits while too many are in use.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, or refuses.
    pub async fn session(&self) -> Result<Session> {
        let permit = self.permits(1).await?;
        self.session_with(permit).await
    }

    /// Takes two sessions for one piece of work, which may be of one database. Whoever took one and then waited for the
    /// other would wait for ever when all do so: room for both is taken at once, or in the same order by everybody.
    ///
    /// # Errors
    ///
    /// As [`Database::session`].
    pub async fn pair(&self, other: &Self) -> Result<(Session, Session)> {
        let place = |database: &Self| Arc::as_ptr(&database.shared).addr();
        let (mine, others) = match place(self).cmp(&place(other)) {
            Ordering::Less => {
                let mine = self.permits(1).await?;
                (mine, other.permits(1).await?)
            }
            Ordering::Greater => {
                let others = other.permits(1).await?;
                (self.permits(1).await?, others)
            }
            Ordering::Equal => {
                let mut both = self.permits(2).await?;
                let others = both.split(1).ok_or_else(closed)?;
                (both, others)
            }
        };
        Ok((self.session_with(mine).await?, other.session_with(others).await?))
    }

    async fn permits(&self, count: u32) -> Result<OwnedSemaphorePermit> {
        self.shared.room.clone().acquire_many_owned(count).await.map_err(|_| closed())
    }

    async fn session_with(&self, permit: OwnedSemaphorePermit) -> Result<Session> {
        while let Some(mut idle) = self.take_idle() {
            if idle.since.elapsed() < IDLE && idle.conn.is_alive().await {
                return Ok(Session::new(self.clone(), idle.conn, permit));
            }
        }
        let conn = Conn::connect(&self.shared.target).await?;
        Ok(Session::new(self.clone(), conn, permit))
    }

    /// Takes a session, and begins a transaction in it.
    ///
    /// # Errors
    ///
    /// As [`Database::session`].
    pub async fn begin(&self) -> Result<Session> {
        let mut session = self.session().await?;
        session.begin().await?;
        Ok(session)
    }

    fn take_idle(&self) -> Option<Idle> {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, conn: Conn) {
        let mut idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < IDLE);
        if idle.len() < IDLE_MAX {
            idle.push(Idle { conn, since: Instant::now() });
        }
    }
}

fn closed() -> ClientError {
    ClientError::unavailable("the database's connections are closed")
}

/// Connects and logs in; says what was tried.
pub(crate) async fn test(connection: &Connection) -> Result<String> {
    let database = Database::new(connection)?;
    let mut session = database.session().await?;
    let sql = match database.kind() {
        DatabaseKind::Postgres => {
            "SELECT 'PostgreSQL ' || current_setting('server_version') || ', database ' || current_database()"
        }
        DatabaseKind::MySql => "SELECT CONCAT(VERSION(), ', database ', COALESCE(DATABASE(), 'none'))",
        // Reads the file: a file that is no database is found out here.
        DatabaseKind::Sqlite => {
            "SELECT 'SQLite ' || sqlite_version() || ', ' || count(*) || ' tables' FROM sqlite_master WHERE type = 'table'"
        }
    };
    let address = &database.shared.target.address;
    let row = session.first(sql, &Parameters::None).await;
    let row = row.map_err(|error| ClientError { message: format!("{address}: {}", error.message), ..error })?;
    let words = row.and_then(|row| row.into_iter().next()).and_then(Cell::into_text).unwrap_or_default();
    Ok(format!("logged in to {address}: {words}"))
}
