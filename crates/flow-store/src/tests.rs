//! Every statement is one that both databases understand.

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::{Store, db::Db};

mod event_lists;
mod lanes;
mod plans;
mod task_lists;

async fn every_statement_prepares(store: Store) {
    store.migrate().await.unwrap();
    let all = [
        crate::access::ALL,
        crate::actions::tasks::ALL,
        crate::attempts::ALL,
        crate::callbacks::ALL,
        crate::cleanup::ALL,
        crate::connections::ALL,
        crate::dags::ALL,
        crate::dispatch::ALL,
        crate::events::ALL,
        crate::files::ALL,
        crate::kafka::ALL,
        crate::lists::calendar::ALL,
        crate::lists::cards::ALL,
        crate::lists::dags::ALL,
        crate::lists::events::ALL,
        crate::lists::grid::ALL,
        crate::lists::pools::ALL,
        crate::lists::task_instances::ALL,
        crate::lists::versions::ALL,
        crate::lists::xcoms::ALL,
        crate::load::ALL,
        crate::log_use::ALL,
        crate::looks::ALL,
        crate::notify::ALL,
        crate::overview::ALL,
        crate::pools::ALL,
        crate::processes::ALL,
        crate::rotation::ALL,
        crate::runs::ALL,
        crate::sessions::ALL,
        crate::spans::ALL,
        crate::task_instances::ALL,
        crate::variables::ALL,
        crate::tokens::ALL,
        crate::users::ALL,
        crate::xcoms::ALL,
    ];
    let mut problems = Vec::new();
    for sql in all.into_iter().flatten() {
        let prepared = match &store.db {
            Db::Sqlite { write, .. } => {
                write.acquire().await.unwrap().prepare(AssertSqlSafe(sql.sqlite).into_sql_str()).await.map(|_| ())
            }
            Db::Postgres { pool } => {
                pool.acquire().await.unwrap().prepare(AssertSqlSafe(sql.postgres).into_sql_str()).await.map(|_| ())
            }
        };
        if let Err(error) = prepared {
            problems.push(format!("{}: {error}", sql.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    every_statement_prepares(store).await;
}

#[tokio::test]
async fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    let url = format!("sqlite:{}", folder.path().join("flow.db").display());
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(["flow.db", "flow.db-wal", "flow.db-shm"].map(mode), [0o600; 3]);
    store.close().await;
    // Whoever wants others to read it says so.
    let shared = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.path().join("flow.db"), shared).unwrap();
    Store::open(&url).await.unwrap().close().await;
    assert_eq!(mode("flow.db"), 0o640);
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    every_statement_prepares(Store::open(&url).await.unwrap()).await;
}
