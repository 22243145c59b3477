//! Opening a database, bringing its schema up to date, and saying plainly what is wrong with it.

use std::{
    fs::{File, TryLockError},
    path::Path,
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, Executor,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Keyring, Store, StoreError,
    db::Db,
    lanes::{Lanes, Limits},
    notify::Signals,
};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Readers beside the one writer of SQLite.
const SQLITE_READERS: u32 = 4;
/// Enough for a scheduler, a worker's reports and a server's requests at once.
const POSTGRES_CONNECTIONS: u32 = 12;
/// Rows that SQLite's thread hands over at once; fewer cost a change of threads each time.
const SQLITE_ROWS: usize = 1_024;
/// How long a statement waits for another process that holds the SQLite file.
const BUSY: Duration = Duration::from_secs(10);
/// A connection that was used so shortly before is believed to be there.
const FRESH: Duration = Duration::from_secs(1);
/// Every statement has its index. While the statistics of a table that grows fast are behind, the planner takes it
/// for small and reads all of it; and a plan that it thinks dear for that reason is not worth compiling.
const PLANS: &str = "SET enable_seqscan = off; SET jit = off";
/// How long to wait for another process that migrates the same SQLite file.
const MIGRATING: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// A pool that has its first connection by then is taken; otherwise it is found out what keeps it.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Postgres' code for "the database system is starting up".
const STARTING: &str = "57P03";
/// How long to wait for a connection before an error is reported.
const ACQUIRE: Duration = Duration::from_secs(10);

impl Store {
    /// Opens a database: `sqlite:PATH` or `postgres://…`. Makes the SQLite file if it is missing; makes no tables.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] with a sentence that says what to do.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Limits::default()).await
    }

    pub(crate) async fn open_with(url: &str, limits: Limits) -> Result<Self, StoreError> {
        let mut signals = Signals::default();
        let (db, lanes) = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            signals = Signals::beside(path);
            open_sqlite(path, limits).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url, limits).await?
        } else {
            return Err(StoreError::Unusable(
                "the database must be `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`".to_owned(),
            ));
        };
        Ok(Self { db, signals, keyring: Keyring::none(), lanes, witness: None })
    }

    /// Brings the schema up to date, under a lock, each migration in a transaction of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] when the schema is newer than this program, or a migration fails.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let done = match &self.db {
            Db::Sqlite { write, .. } => {
                // sqlx takes a lock on Postgres, but none on SQLite.
                let _lock = self.migration_lock().await?;
                SQLITE.run(write).await
            }
            Db::Postgres { pool } => POSTGRES.run(pool).await,
        };
        done.map_err(explain)
    }

    /// Waits until no other process migrates this SQLite file. Held until dropped.
    async fn migration_lock(&self) -> Result<Option<File>, StoreError> {
        let Some(path) = self.signals.beside_file("migrating") else { return Ok(None) };
        let deadline = tokio::time::Instant::now() + MIGRATING;
        loop {
            let tried = File::options().create(true).write(true).truncate(false).open(&path).map(|file| {
                let locked = file.try_lock();
                (file, locked)
            });
            match tried {
                Ok((file, Ok(()))) => return Ok(Some(file)),
                Ok((_, Err(TryLockError::WouldBlock))) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                Ok((_, Err(TryLockError::WouldBlock))) => {
                    return Err(StoreError::Unusable(
                        "another process has been bringing the database schema up to date for too long; end it, and try again"
                            .to_owned(),
                    ));
                }
                Ok((_, Err(TryLockError::Error(error)))) | Err(error) => {
                    return Err(StoreError::Unusable(format!("cannot lock `{}`: {error}", path.display())));
                }
            }
        }
    }

    /// Says whether the schema is the one this program knows; see [`Schema`].
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let query = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        let found: Result<Option<i64>, sqlx::Error> = match &self.db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(query).fetch_one(read).await,
            Db::Postgres { pool } => sqlx::query_scalar(query).fetch_one(pool).await,
        };
        let known = Self::newest_schema();
        match found {
            Ok(Some(version)) if version == known => Ok(Schema::Current { version }),
            Ok(Some(version)) if version > known => Ok(Schema::Newer { version, known }),
            Ok(version) => Ok(Schema::Older { version: version.unwrap_or(0), known }),
            Err(sqlx::Error::Database(_)) => Ok(Schema::Older { version: 0, known }),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the schema that this program makes.
    pub fn newest_schema() -> i64 {
        SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Says which database it is: `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.db {
            Db::Sqlite { .. } => "sqlite",
            Db::Postgres { .. } => "postgres",
        }
    }

    /// Closes all connections, so that SQLite can fold its log back into the file.
    pub async fn close(&self) {
        self.lanes.close().await;
        match &self.db {
            Db::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres { pool } => pool.close().await,
        }
    }
}

/// How a database's schema compares with this program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The same.
    Current { version: i64 },
    /// Migrations are missing; 0 = empty.
    Older { version: i64, known: i64 },
    /// A newer program has migrated it.
    Newer { version: i64, known: i64 },
}

async fn open_sqlite(path: &str, limits: Limits) -> Result<(Db, Lanes), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(256)
        .row_buffer_size(SQLITE_ROWS)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-16000")
        .disable_statement_logging();
    let unusable = |error: sqlx::Error| StoreError::Unusable(sqlite_sentence(path, &error));
    if path != ":memory:" {
        make_private(Path::new(path));
    }
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await
        .map_err(unusable)?;
    // An immediate transaction that changes nothing finds out now whether the file can be written at all.
    (&write).execute("BEGIN IMMEDIATE; ROLLBACK").await.map_err(unusable)?;
    let options = options.create_if_missing(false).pragma("query_only", "true");
    let lanes = Lanes::sqlite(&options, limits);
    let read = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .test_before_acquire(false)
        .min_connections(0)
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(options);
    Ok((Db::Sqlite { read, write }, lanes))
}

/// Makes a file that only its owner reads: it will hold the hashes of passwords. SQLite gives the files beside it the
/// same mode. One that is there keeps the mode that somebody chose; it is not even opened, as closing it would end the
/// locks that this process has on it. What goes wrong here, SQLite meets again and explains.
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = File::options().create_new(true).write(true).mode(0o600).open(path);
}

async fn open_postgres(url: &str, limits: Limits) -> Result<(Db, Lanes), StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unusable("the database URL is not a valid Postgres URL".to_owned()))?
        .application_name("flow")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    let target = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or(options.get_username())
    );
    let unusable = |why: String| {
        StoreError::Unusable(format!(
            "cannot use the Postgres database at {target}: {why}; check `database.url` and that the server runs"
        ))
    };
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        // A ping costs each transaction; only a connection that was idle is asked, so that after a restart of the
        // server not each of them has to fail once.
        .test_before_acquire(false)
        .before_acquire(|conn, about| Box::pin(async move { Ok(about.idle_for < FRESH || conn.ping().await.is_ok()) }))
        .acquire_timeout(ACQUIRE)
        .after_connect(|conn, _| Box::pin(async move { conn.execute(PLANS).await.map(|_| ()) }))
        .connect_lazy_with(options.clone());
    // A pool tries again and again, and at last says only that it took too long; one connection says why.
    if !matches!(tokio::time::timeout(AT_ONCE, pool.acquire()).await, Ok(Ok(_))) {
        match tokio::time::timeout(ACQUIRE, probe(&options)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(unusable(postgres_reason(&error))),
            Err(_) => return Err(unusable(format!("no answer within {} seconds", ACQUIRE.as_secs()))),
        }
    }
    Ok((Db::Postgres { pool }, Lanes::postgres(&options, PLANS, limits)))
}

/// Finds out whether a connection can be made and set up. A server that is about to start is waited for.
async fn probe(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    loop {
        match PgConnection::connect_with(options).await {
            Ok(mut conn) => {
                conn.execute(PLANS).await?;
                return conn.close().await;
            }
            Err(error) if code_of(&error).as_deref() == Some(STARTING) => tokio::time::sleep(BETWEEN_TRIES).await,
            Err(error) => return Err(error),
        }
    }
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

/// Says why there is no connection. The server's own words do not hold the password.
fn postgres_reason(error: &sqlx::Error) -> String {
    let text = match error.as_database_error() {
        Some(inner) => inner.message().to_owned(),
        None => error.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}

fn sqlite_sentence(path: &str, error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|inner| inner.code()?.parse::<u32>().ok()).map(|code| code & 0xff);
    let folder = Path::new(path).parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    match code {
        Some(5 | 6) => {
            format!("database `{path}` is locked by another program; end it, or point `database.url` elsewhere")
        }
        Some(8) => format!("database `{path}` is read-only; give write permission to it and to its folder `{folder}`"),
        Some(13) => format!("cannot write database `{path}`: the disk is full"),
        Some(14) => format!("cannot open database `{path}`; does its folder `{folder}` exist, and may it be written?"),
        Some(26 | 11) => format!("`{path}` is not a SQLite database, or is damaged"),
        _ => format!("cannot use database `{path}`: {error}"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "sqlx may add errors; each explains itself")]
fn explain(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            StoreError::Unusable(format!(
                "the database has schema {version}, which this version of flow does not know: a newer flow has used it; \
             upgrade flow, or point `database.url` elsewhere"
            ))
        }
        MigrateError::Execute(error) => {
            StoreError::Unusable(format!("cannot bring the database schema up to date: {error}"))
        }
        other => StoreError::Unusable(format!("cannot bring the database schema up to date: {other}")),
    }
}
