//! One connection to a server, or to a file, whichever database it is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, MySqlConnection,
    PgConnection, SqlSafeStr as _, SqliteConnection, Statement as _,
    mysql::MySqlDatabaseError,
    postgres::{PgCopyIn, PgDatabaseError},
};

use super::{
    Cell, DatabaseKind, failure, mysql,
    options::{Options, Target},
    postgres, sqlite,
    text::{Bound, first_word},
};
use crate::{ClientError, Result};

/// Longest that a connection without work may take to say that it lives, and a server to stop a statement.
const SOON: Duration = Duration::from_secs(5);

/// Instructions of SQLite's machine between two looks at whether to stop: some microseconds.
const SQLITE_STEPS: i32 = 10_000;

/// A connection. Dropping it closes it.
pub(crate) struct Conn {
    pub(crate) inner: Inner,
    /// The server's name for it, to stop it by.
    backend: u64,
    /// Tells SQLite to stop.
    stop: Arc<AtomicBool>,
}

pub(crate) enum Inner {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conn({})", self.backend)
    }
}

/// What a statement gives: rows, and at its end how many were changed.
pub(crate) type Items<'c> = BoxStream<'c, sqlx::Result<Either<u64, Vec<Cell>>>>;

/// A statement under way.
pub(crate) struct Started<'c> {
    /// As the server has it, for errors.
    pub(crate) sql: String,
    /// `None`: not known before the first row.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) items: Items<'c>,
}

impl Conn {
    /// Connects and logs in.
    pub(crate) async fn connect(target: &Target) -> Result<Self> {
        let made = tokio::time::timeout(target.timeout, Self::open(&target.options)).await;
        let seconds = target.timeout.as_secs_f64();
        let made = made.map_err(|_| {
            ClientError::unavailable(format!(
                "connection `{}`: no answer from {} within {seconds} s",
                target.id, target.address
            ))
        })?;
        made.map_err(|error| failure::of_connecting(error, &target.address, &target.id))
    }

    async fn open(options: &Options) -> sqlx::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        // What a statement says may be secret: the driver does not log it.
        let (inner, backend) = match options {
            Options::Postgres(options) => {
                let mut conn = (**options).clone().disable_statement_logging().connect().await?;
                let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut conn).await?;
                (Inner::Postgres(conn), u64::from(backend.unsigned_abs()))
            }
            Options::MySql(options) => {
                let mut conn = (**options).clone().disable_statement_logging().connect().await?;
                let backend: u64 =
                    sqlx::query_scalar("SELECT CAST(CONNECTION_ID() AS UNSIGNED)").fetch_one(&mut conn).await?;
                (Inner::MySql(conn), backend)
            }
            Options::Sqlite(options) => {
                let mut conn = (**options).clone().disable_statement_logging().connect().await?;
                let told = stop.clone();
                conn.lock_handle().await?.set_progress_handler(SQLITE_STEPS, move || !told.load(Ordering::Relaxed));
                (Inner::Sqlite(conn), 0)
            }
        };
        Ok(Self { inner, backend, stop })
    }

    /// Says whether the other side still answers. Statements that were prepared are forgotten: tables may have changed. On
    /// Postgres so is what a function may have left: temporary tables, settings, locks.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let asked = async {
            match &mut self.inner {
                Inner::Postgres(conn) => {
                    conn.clear_cached_statements().await?;
                    conn.execute("DISCARD ALL").await.map(drop)
                }
                // None is kept.
                Inner::MySql(conn) => conn.ping().await,
                Inner::Sqlite(conn) => conn.clear_cached_statements().await,
            }
        };
        matches!(tokio::time::timeout(SOON, asked).await, Ok(Ok(())))
    }

    /// Takes leave of the server, which else logs a client that went away.
    pub(crate) async fn close(self) {
        let closed = async {
            match self.inner {
                Inner::Postgres(conn) => conn.close().await,
                Inner::MySql(conn) => conn.close().await,
                Inner::Sqlite(conn) => conn.close().await,
            }
        };
        // Without an answer it is closed all the same.
        let _ = tokio::time::timeout(SOON, closed).await;
    }

    /// Finds out the types of a statement's columns, as Postgres writes them in a cast; empty for text.
    pub(crate) async fn column_types(&mut self, sql: &str) -> Result<Vec<String>> {
        let Inner::Postgres(conn) = &mut self.inner else { return Ok(Vec::new()) };
        let failed = |error| failure::of_statement(error, sql);
        let prepared = (&mut *conn).prepare(AssertSqlSafe(sql).into_sql_str()).await.map_err(failed)?;
        let mut types = Vec::with_capacity(prepared.columns().len());
        for column in prepared.columns() {
            types.push(postgres::cast(conn, column.type_info()).await.map_err(failed)?);
        }
        Ok(types)
    }

    /// Sends a statement. `again`: it will come again in this session, word for word.
    pub(crate) async fn start(&mut self, bound: Bound, again: bool) -> Result<Started<'_>> {
        match &mut self.inner {
            Inner::Postgres(conn) => {
                let ready = postgres::prepare(conn, bound).await;
                let ready = ready.map_err(|(error, sql)| failure::of_statement(error, &sql))?;
                let query = sqlx::query_with(AssertSqlSafe(ready.sql.clone()), ready.arguments).persistent(again);
                let items = conn.fetch_many(query).map(|item| match item? {
                    Either::Left(done) => Ok(Either::Left(done.rows_affected())),
                    Either::Right(row) => postgres::row(&row).map(Either::Right),
                });
                Ok(Started { sql: ready.sql, columns: Some(ready.columns), items: items.boxed() })
            }
            Inner::MySql(conn) => start_mysql(conn, bound, again).await,
            Inner::Sqlite(conn) => {
                let sql = bound.write(|at| format!("?{}", at + 1));
                let failed = |error| failure::of_statement(error, &sql);
                let prepared = (&mut *conn).prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await.map_err(failed)?;
                let columns = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
                let arguments = sqlite::arguments(bound.values).map_err(failed)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.clone()), arguments).persistent(again);
                let items = conn.fetch_many(query).map(|item| match item? {
                    Either::Left(done) => Ok(Either::Left(done.rows_affected())),
                    Either::Right(row) => sqlite::row(&row).map(Either::Right),
                });
                Ok(Started { sql, columns: Some(columns), items: items.boxed() })
            }
        }
    }

    /// Begins a `COPY … FROM STDIN`.
    pub(crate) async fn copy(&mut self, sql: &str) -> std::result::Result<Copy<'_>, CopyFailed> {
        let Inner::Postgres(conn) = &mut self.inner else {
            return Err(ClientError::refused("only Postgres has COPY").into());
        };
        let inner = conn.copy_in_raw(sql).await.map_err(|error| CopyFailed::of(error, sql))?;
        Ok(Copy { sql: sql.to_owned(), inner })
    }

    /// Stops what it does, on the server too, and closes it.
    pub(crate) async fn kill(self, target: Target) {
        self.stop.store(true, Ordering::Relaxed);
        let backend = self.backend;
        let killed = async {
            match (&target.options, &self.inner) {
                (Options::Postgres(options), Inner::Postgres(_)) => {
                    let mut other = options.connect().await?;
                    let backend = i32::try_from(backend).unwrap_or_default();
                    sqlx::query("SELECT pg_cancel_backend($1)").bind(backend).execute(&mut other).await?;
                    other.close().await
                }
                (Options::MySql(options), Inner::MySql(_)) => {
                    let mut other = options.connect().await?;
                    other.execute(AssertSqlSafe(format!("KILL {backend}")).into_sql_str()).await?;
                    other.close().await
                }
                _ => Ok(()),
            }
        };
        match tokio::time::timeout(SOON, killed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a statement could not be stopped on the server"),
            Err(_) => tracing::debug!("no answer when a statement was to be stopped on the server"),
        }
    }
}

/// A `COPY … FROM STDIN` under way.
pub(crate) struct Copy<'c> {
    sql: String,
    inner: PgCopyIn<&'c mut PgConnection>,
}

/// Why a `COPY` failed: which of its rows it was, from 1 on, and which column.
#[derive(Debug)]
pub(crate) struct CopyFailed {
    pub(crate) error: ClientError,
    pub(crate) row: Option<u64>,
    pub(crate) column: Option<String>,
}

impl From<ClientError> for CopyFailed {
    fn from(error: ClientError) -> Self {
        Self { error, row: None, column: None }
    }
}

impl CopyFailed {
    fn of(error: sqlx::Error, sql: &str) -> Self {
        // `COPY readings, line 3, column day: "x"`
        let place = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()?.r#where());
        let place = place.and_then(|place| place.lines().find(|line| line.starts_with("COPY ")).map(str::to_owned));
        let Some(place) = place else { return failure::of_statement(error, sql).into() };
        let after = |word: &str| place.split_once(word).map(|(_, rest)| rest);
        let row = after(", line ").and_then(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse().ok()
        });
        let column = after(", column ").and_then(|rest| rest.split(": ").next()).map(str::to_owned);
        Self { error: failure::of_row(error), row, column }
    }
}

impl Copy<'_> {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::result::Result<(), CopyFailed> {
        self.inner.send(bytes).await.map_err(|error| CopyFailed::of(error, &self.sql))?;
        Ok(())
    }

    /// Ends it, and returns how many rows there were.
    pub(crate) async fn finish(self) -> std::result::Result<u64, CopyFailed> {
        let Self { sql, inner } = self;
        inner.finish().await.map_err(|error| CopyFailed::of(error, &sql))
    }

    /// Gives it up, because of this error; what the server found before is the better reason.
    pub(crate) async fn abort(self, error: ClientError) -> std::result::Result<u64, CopyFailed> {
        let Self { sql, inner } = self;
        match inner.abort("the rows cannot be read").await {
            Err(found @ sqlx::Error::Database(_)) => Err(CopyFailed::of(found, &sql)),
            Ok(()) | Err(_) => Err(error.into()),
        }
    }
}

async fn start_mysql(conn: &mut MySqlConnection, bound: Bound, again: bool) -> Result<Started<'_>> {
    /// "This command is not supported in the prepared statement protocol yet"
    const NOT_PREPARED: u16 = 1295;
    let sql = bound.write(|_| "?".to_owned());
    let failed = |error| failure::of_statement(error, &sql);
    // What a procedure answers is known when it does.
    let is_call = first_word(DatabaseKind::MySql, &sql) == "CALL" && bound.values.is_empty();
    let prepared = if is_call {
        None
    } else {
        match (&mut *conn).prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await {
            Ok(prepared) => Some(prepared.columns().iter().map(|column| column.name().to_owned()).collect()),
            Err(sqlx::Error::Database(error))
                if bound.values.is_empty()
                    && error
                        .try_downcast_ref::<MySqlDatabaseError>()
                        .is_some_and(|error| error.number() == NOT_PREPARED) =>
            {
                None
            }
            Err(error) => return Err(failed(error)),
        }
    };
    let is_raw = prepared.is_none();
    let read = |item: sqlx::Result<Either<sqlx::mysql::MySqlQueryResult, sqlx::mysql::MySqlRow>>| match item? {
        Either::Left(done) => Ok(Either::Left(done.rows_affected())),
        Either::Right(row) => mysql::row(&row).map(Either::Right),
    };
    let items: Items<'_> = if is_raw {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_many(conn).map(read).boxed()
    } else {
        let arguments = mysql::arguments(bound.values).map_err(failed)?;
        let query = sqlx::query_with(AssertSqlSafe(sql.clone()), arguments).persistent(again);
        conn.fetch_many(query).map(read).boxed()
    };
    Ok(Started { sql, columns: prepared, items })
}
