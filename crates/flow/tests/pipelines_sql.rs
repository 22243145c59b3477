//! The example pipelines with databases, run as a reader of their README would, against real servers.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use flow_clients::sql::{Cell, Database, Parameters};
use flow_core::connection::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

static MADE: AtomicUsize = AtomicUsize::new(0);

/// A database of its own, where there is a server for it.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
async fn database(variable: &str) -> Option<Connection> {
    let Ok(url) = std::env::var(variable) else {
        println!("skipped: {variable} is not set");
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).join("dags");
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
async fn a_log_is_loaded_into_postgres_and_a_second_run_takes_its_place() {
    let Some(connection) = database("FLOW_TEST_POSTGRES_URL").await else { return };
    let data = TempDir::new().unwrap();
    for _ in 0..2 {
        run("shell_etl_postgres", "FLOW_CONN_WEB", &connection, data.path());
        let found = rows(&connection, "SELECT count(*), min(at)::date, max(at)::date FROM visit").await;
        assert_eq!(found, json!([[480, "2026-02-03", "2026-02-03"]]));
        assert!(is_empty(data.path(), "shell_etl_postgres"));
    }
}

#[tokio::test]
async fn toll_data_become_one_table_on_every_database() {
    let data = TempDir::new().unwrap();
    let value = json!({"conn_type": "sqlite", "host": data.path().join("toll.db"), "extra": {"create": true}});
    let sqlite = Connection::from_json("db", &value).unwrap();
    let servers = [database("FLOW_TEST_POSTGRES_URL").await, database("FLOW_TEST_MYSQL_URL").await];
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
