//! Where lists are read: beside everything else, and for a bounded time.
//!
//! A filter that no index serves may have to look at all of history. Every list first tries in the quick lane, where
//! nothing stays for long; what does not end there is tried once more in the long lane, which has little room and a
//! longer limit. So neither the rest of Flow nor other lists wait for someone's search, and each search ends.

use std::time::{Duration, Instant};

use sqlx::{
    AssertSqlSafe, Executor, FromRow, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow},
};

use crate::{StoreError, select::Arg};

/// How long a statement may take in the quick lane.
const QUICK: Duration = Duration::from_millis(250);
/// How long one may take in the long lane.
const LONG: Duration = Duration::from_secs(5);
/// How long one waits for a place in the long lane.
const WAIT: Duration = Duration::from_secs(3);
/// How long one waits for a place in the quick lane: so long only when the database does not answer.
const CONNECT: Duration = Duration::from_secs(10);
/// Connections of the quick lane.
const QUICK_PLACES: u32 = 3;
/// Connections of the long lane.
const LONG_PLACES: u32 = 1;
/// Steps of SQLite's machine between two looks at the clock: well under a millisecond.
const STEPS: i32 = 4_000;
/// SQLite's code for a statement that was interrupted.
const INTERRUPTED: &str = "9";
/// Postgres' code for a statement that took longer than `statement_timeout`.
const CANCELED: &str = "57014";

/// How long statements may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) quick: Duration,
    pub(crate) long: Duration,
    pub(crate) wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quick: QUICK, long: LONG, wait: WAIT }
    }
}

/// The connections that lists are read with; made when they are first used.
#[derive(Clone, Debug)]
pub(crate) enum Lanes {
    Sqlite { quick: SqlitePool, long: SqlitePool, limits: Limits },
    Postgres { quick: PgPool, long: PgPool },
}

impl Lanes {
    pub(crate) fn sqlite(options: &SqliteConnectOptions, limits: Limits) -> Self {
        // Lists jump about in history; a large cache of their own would only cost memory.
        let options = options.clone().pragma("cache_size", "-4000");
        let pool = |places: u32, wait: Duration| {
            SqlitePoolOptions::new()
                .max_connections(places)
                .test_before_acquire(false)
                .acquire_timeout(wait)
                .connect_lazy_with(options.clone())
        };
        Self::Sqlite { quick: pool(QUICK_PLACES, CONNECT), long: pool(LONG_PLACES, limits.wait), limits }
    }

    /// `set_up` is what every connection is told first.
    pub(crate) fn postgres(options: &PgConnectOptions, set_up: &'static str, limits: Limits) -> Self {
        let pool = |places: u32, wait: Duration, limit: Duration| {
            // What a plan should be depends on the arguments, above all on the limit.
            let text = format!(
                "{set_up}; SET plan_cache_mode = force_custom_plan; SET statement_timeout = {}",
                limit.as_millis()
            );
            PgPoolOptions::new()
                .max_connections(places)
                .acquire_timeout(wait)
                .after_connect(move |conn, _| {
                    let text = text.clone();
                    Box::pin(async move { conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map(|_| ()) })
                })
                .connect_lazy_with(options.clone())
        };
        Self::Postgres {
            quick: pool(QUICK_PLACES, CONNECT, limits.quick),
            long: pool(LONG_PLACES, limits.wait, limits.long),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { quick, long, .. } => tokio::join!(quick.close(), long.close()),
            Self::Postgres { quick, long } => tokio::join!(quick.close(), long.close()),
        };
    }

    /// Runs a statement, in the long lane if it must.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMuch`] when it takes too long there as well, or others are in the way.
    pub(crate) async fn fetch<T>(&self, text: &str, args: &[Arg]) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        match self.fetch_quick(text, args).await {
            Err(StoreError::TooMuch) => {}
            done => return done,
        }
        let done = match self {
            Self::Sqlite { long, limits, .. } => on_sqlite(long, limits.long, text, args).await,
            Self::Postgres { long, .. } => on_postgres(long, text, args).await,
        };
        done.map_err(|error| {
            // The lane is full. That the database does not answer at all was found out in the other.
            if matches!(error, sqlx::Error::PoolTimedOut) { StoreError::TooMuch } else { bounded(error) }
        })
    }

    /// Runs a statement in the quick lane only.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMuch`] when it takes too long.
    pub(crate) async fn fetch_quick<T>(&self, text: &str, args: &[Arg]) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let done = match self {
            Self::Sqlite { quick, limits, .. } => on_sqlite(quick, limits.quick, text, args).await,
            Self::Postgres { quick, .. } => on_postgres(quick, text, args).await,
        };
        done.map_err(bounded)
    }
}

macro_rules! run {
    ($text:expr, $args:expr, $conn:expr) => {{
        // Texts are put together by `select` from texts of this crate.
        let mut query = sqlx::query_as(AssertSqlSafe($text.to_owned()));
        for arg in $args {
            query = match arg {
                Arg::Int(number) => query.bind(*number),
                Arg::Real(number) => query.bind(*number),
                Arg::Text(text) => query.bind(text.as_str()),
            };
        }
        query.fetch_all($conn).await
    }};
}

async fn on_sqlite<T>(pool: &SqlitePool, limit: Duration, text: &str, args: &[Arg]) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let mut conn = pool.acquire().await?;
    let deadline = Instant::now() + limit;
    // Whoever has the connection next sets a handler of their own.
    conn.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < deadline);
    run!(text, args, &mut *conn)
}

async fn on_postgres<T>(pool: &PgPool, text: &str, args: &[Arg]) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    run!(text, args, pool)
}

fn bounded(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|inner| inner.code());
    match code.as_deref() {
        Some(INTERRUPTED | CANCELED) => StoreError::TooMuch,
        _ => error.into(),
    }
}
