//! Databases for tests: a Postgres database, a MariaDB database and a SQLite file, each of its own.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests; one that is skipped says so")]

use std::sync::atomic::{AtomicUsize, Ordering};

use flow_clients::sql::{Database, Parameters};
use flow_core::connection::Connection;
use serde_json::json;
use tempfile::TempDir;

static MADE: AtomicUsize = AtomicUsize::new(0);

/// A database that is dropped with its server, or its folder.
pub(crate) struct Place {
    pub(crate) connection: Connection,
    pub(crate) database: Database,
    _folder: Option<TempDir>,
}

impl Place {
    fn of(connection: Connection, folder: Option<TempDir>) -> Self {
        let database = Database::new(&connection).unwrap();
        Self { connection, database, _folder: folder }
    }

    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let value = json!({"conn_type": "sqlite", "host": path, "extra": {"create": true}});
        Self::of(Connection::from_json("db", &value).unwrap(), Some(folder))
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Self::on_server("FLOW_TEST_POSTGRES_URL", "scripts/with-postgres").await
    }

    pub(crate) async fn mysql() -> Option<Self> {
        Self::on_server("FLOW_TEST_MYSQL_URL", "scripts/with-mariadb").await
    }

    async fn on_server(variable: &str, script: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("skipped: {variable} is not set ({script} sets it)");
            assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
            return None;
        };
        let mut connection = Connection::parse("db", &url).unwrap();
        let server = Database::new(&connection).unwrap();
        let name = format!("t{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut session = server.session().await.unwrap();
        session.execute(&format!("CREATE DATABASE {name}"), &Parameters::None).await.unwrap();
        connection.schema = Some(name);
        Some(Self::of(connection, None))
    }

    /// All three, as far as they are there.
    pub(crate) async fn each() -> Vec<Self> {
        let mut found = vec![Self::sqlite()];
        found.extend(Self::postgres().await);
        found.extend(Self::mysql().await);
        found
    }
}
