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

/// Runs a pipeline of `examples/` to its end; returns whether it was a good one, and what was said.
fn run(name: &str, variable: &str, connection: &Connection, data: &Path) -> (bool, String) {
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
    (done.status.success(), said.into_owned())
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

fn sqlite(data: &Path) -> Connection {
    let value = json!({"conn_type": "sqlite", "host": data.join("toll.db"), "extra": {"create": true}});
    Connection::from_json("db", &value).unwrap()
}

#[tokio::test]
async fn a_run_that_loads_nothing_fails_and_is_cleaned_up() {
    let data = TempDir::new().unwrap();
    let connection = sqlite(data.path());
    let mut session = Database::new(&connection).unwrap().session().await.unwrap();
    // No vans.
    let table = "CREATE TABLE toll (row_id INTEGER PRIMARY KEY, a, b, kind CHECK (kind <> 'VAN'), c, d, e, f, g)";
    session.execute(table, &Parameters::None).await.unwrap();
    drop(session);
    let (is_good, said) = run("toll_data", "FLOW_CONN_TOLL", &connection, data.path());
    assert!(!is_good && said.contains("CHECK constraint failed"), "{said}");
    assert_eq!(rows(&connection, "SELECT count(*) FROM toll").await, json!([[0]]));
    assert!(is_empty(data.path(), "toll_data"));
}

#[tokio::test]
async fn toll_data_become_one_table_on_every_database() {
    let data = TempDir::new().unwrap();
    let sqlite = sqlite(data.path());
    let servers = [
        database("FLOW_TEST_POSTGRES_URL", "scripts/with-postgres").await,
        database("FLOW_TEST_MYSQL_URL", "scripts/with-mariadb").await,
    ];
    for connection in [Some(sqlite)].into_iter().chain(servers).flatten() {
        for _ in 0..2 {
            let (is_good, said) = run("toll_data", "FLOW_CONN_TOLL", &connection, data.path());
            assert!(is_good, "{said}");
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
