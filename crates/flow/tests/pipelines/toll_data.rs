//! `examples/toll_data`: one table on every database, by `flow dags test`, as its README has it.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use flow_clients::sql::{Cell, Database, Parameters};
use flow_core::connection::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::{example, skip};

static MADE: AtomicUsize = AtomicUsize::new(0);

/// A database of its own, where there is a server for it.
async fn database(variable: &str, script: &str) -> Option<Connection> {
    let Ok(url) = std::env::var(variable) else {
        skip("toll_data_become_one_table_on_every_database", &format!("{variable}: {script} COMMAND"));
        return None;
    };
    let mut connection = Connection::parse("db", &url).unwrap();
    let name = format!("p{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut session = Database::new(&connection).unwrap().session().await.unwrap();
    session.execute(&format!("CREATE DATABASE {name}"), &Parameters::None).await.unwrap();
    connection.schema = Some(name);
    Some(connection)
}

/// Runs a pipeline of `examples/` to its end, which must be a good one.
fn run(name: &str, variable: &str, connection: &Connection, data: &Path) {
    let folder = example(name).join("dags");
    let done = Command::new(env!("CARGO_BIN_EXE_flow"))
        .args(["dags", "test", name, "--logical-date", "2026-02-03"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", data)
        .env("TMPDIR", data)
        .env("FLOW_DATA", data.join("data"))
        .env("FLOW__DAGS__FOLDER", folder)
        .env(variable, connection.to_uri())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {said}");
}

async fn rows(connection: &Connection, sql: &str) -> Value {
    let mut session = Database::new(connection).unwrap().session().await.unwrap();
    let rows = session.all(sql, &Parameters::None, 100).await.unwrap();
    rows.into_iter().map(|row| row.into_iter().map(Cell::into_json).collect::<Value>()).collect()
}

/// Nothing that a run made is left but its database.
fn is_empty(data: &Path, name: &str) -> bool {
    std::fs::read_dir(data.join("data").join(name)).unwrap().next().is_none()
}

#[tokio::test]
async fn toll_data_become_one_table_on_every_database() {
    let data = TempDir::new().unwrap();
    let value = json!({"conn_type": "sqlite", "host": data.path().join("toll.db"), "extra": {"create": true}});
    let sqlite = Connection::from_json("db", &value).unwrap();
    let servers = [
        database("FLOW_TEST_POSTGRES_URL", "scripts/with-postgres").await,
        database("FLOW_TEST_MYSQL_URL", "scripts/with-mariadb").await,
    ];
    for connection in [Some(sqlite)].into_iter().chain(servers).flatten() {
        for _ in 0..2 {
            run("toll_data", "FLOW_CONN_TOLL", &connection, data.path());
            let found = rows(
                &connection,
                "SELECT kind, count(*), count(DISTINCT payment) FROM toll GROUP BY kind ORDER BY kind",
            )
            .await;
            assert_eq!(found, json!([["BUS", 250, 3], ["CAR", 250, 3], ["TRUCK", 250, 3], ["VAN", 250, 3]]));
            assert!(is_empty(data.path(), "toll_data"));
        }
    }
}
