//! A fresh database for each case, on SQLite and on Postgres, and [`both!`], which runs a case on each.
//!
//! SQLite: a file in a folder of its own. Postgres: a database of its own on the server of `FLOW_TEST_POSTGRES_URL`,
//! copied from one that is migrated once and dropped afterwards; without that variable the case says that it was
//! skipped. Knows nothing of DAGs.

use std::{
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use flow_store::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

/// The variable that names a Postgres server where databases may be made.
const SERVER: &str = "FLOW_TEST_POSTGRES_URL";

/// Declares cases: `both! { async fn the_rule(w: World) { … } }` becomes the tests `the_rule::on_sqlite` and
/// `the_rule::on_postgres`. The parameter's type is made by its `From<Database>`.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident: $type:ty) $body:block)*) => { $(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn case($world: $type) $body

            #[test]
            fn on_sqlite() {
                $crate::support::on_sqlite(|database| case(database.into()));
            }

            #[test]
            fn on_postgres() {
                $crate::support::on_postgres(concat!(module_path!(), "::on_postgres"), |database| case(database.into()));
            }
        }
    )* };
}
pub(crate) use both;

/// A migrated database that is there as long as the case runs.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub store: Store,
    pub url: String,
    folder: Option<Arc<tempfile::TempDir>>,
}

/// A connection beside the store, for what the store does not say.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// Opens the same database again, as another process would.
    pub(crate) async fn another(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// Opens a connection of its own.
    pub(crate) async fn raw(&self) -> Raw {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Raw::Sqlite(SqliteConnection::connect(path).await.unwrap()),
            None => Raw::Postgres(PgConnection::connect(&self.url).await.unwrap()),
        }
    }

    /// Says whether it is SQLite.
    pub(crate) fn is_sqlite(&self) -> bool {
        self.store.kind() == "sqlite"
    }

    /// Returns the folder of the SQLite file.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("only SQLite has a folder").path()
    }
}

impl Raw {
    /// Runs statements without parameters.
    pub(crate) async fn run(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(conn) => conn.execute(sqlx::raw_sql(text)).await.map(drop),
            Self::Postgres(conn) => conn.execute(sqlx::raw_sql(text)).await.map(drop),
        }
    }

    /// Returns one column of numbers.
    pub(crate) async fn numbers(&mut self, text: &str) -> Vec<i64> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
            Self::Postgres(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
        }
    }

    /// Returns one column of texts.
    pub(crate) async fn texts(&mut self, text: &str) -> Vec<String> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
            Self::Postgres(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
        }
    }
}

/// Runs a case on a fresh SQLite file.
pub(crate) fn on_sqlite<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(Database) -> F) {
    runtime().block_on(on_sqlite_beside(case));
}

/// The same, inside another case.
pub(crate) async fn on_sqlite_beside<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(Database) -> F) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let url = format!("sqlite:{}", folder.path().join("flow.db").display());
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    let done = tokio::spawn(case(Database { store: store.clone(), url, folder: Some(folder.clone()) })).await;
    store.close().await;
    if let Err(failed) = done {
        resume_unwind(failed.into_panic());
    }
}

/// Runs a case on a fresh Postgres database.
#[expect(clippy::print_stdout, reason = "a case that is skipped says so")]
pub(crate) fn on_postgres<F: Future<Output = ()> + Send + 'static>(name: &str, case: impl FnOnce(Database) -> F) {
    let Ok(server) = std::env::var(SERVER) else {
        println!("skipped: {name} ({SERVER} is not set)");
        return;
    };
    runtime().block_on(async {
        let copy = copy_of_template(&server).await;
        let url = in_database(&server, &copy);
        let store = Store::open(&url).await.unwrap();
        let done = tokio::spawn(case(Database { store: store.clone(), url, folder: None })).await;
        store.close().await;
        let mut conn = PgConnection::connect(&server).await.unwrap();
        drop_database(&mut conn, &copy).await;
        if let Err(failed) = done {
            resume_unwind(failed.into_panic());
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes a database by copying one that is migrated. That one is named after the schema and stays on the server, so
/// that it is made once; it never has a connection, which would be in the way of copying it.
async fn copy_of_template(server: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut schema = DefaultHasher::new();
    include_str!("../../../../migrations/postgres/0001_initial.sql").hash(&mut schema);
    Store::newest_schema().hash(&mut schema);
    let template = format!("flow_test_template_{:016x}", schema.finish());
    let process = std::process::id();
    let copy = format!("flow_test_{process}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut conn = PgConnection::connect(server).await.unwrap();
    execute(&mut conn, "SELECT pg_advisory_lock(7171717)").await;
    let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_database WHERE datname = $1")
        .bind(&template)
        .fetch_one(&mut conn)
        .await
        .unwrap();
    if found == 0 {
        let unfinished = format!("flow_test_{process}_template");
        execute(&mut conn, &format!("CREATE DATABASE {unfinished}")).await;
        let store = Store::open(&in_database(server, &unfinished)).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        execute(&mut conn, &format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await;
    }
    execute(&mut conn, &format!("CREATE DATABASE {copy} TEMPLATE {template}")).await;
    execute(&mut conn, "SELECT pg_advisory_unlock(7171717)").await;
    copy
}

async fn drop_database(conn: &mut PgConnection, name: &str) {
    execute(conn, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
}

async fn execute(conn: &mut PgConnection, text: &str) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
}

/// Returns the server's URL with another database.
fn in_database(server: &str, name: &str) -> String {
    let (before, query) = server.split_once('?').map_or((server, None), |(before, query)| (before, Some(query)));
    let start = before.find("://").map_or(0, |at| at + 3);
    let base = before[start..].find('/').map_or(before, |at| &before[..start + at]);
    query.map_or_else(|| format!("{base}/{name}"), |query| format!("{base}/{name}?{query}"))
}
