//! Opening a database: what is wrong with it is said in a sentence, and migrations are for one at a time.

use flow_store::{Schema, Store, StoreError};
use sqlx::Connection;

use crate::{
    support::both,
    world::{World, at},
};

/// Opens a SQLite file and returns the sentence that says why that is impossible.
async fn refusal(path: &std::path::Path) -> String {
    match Store::open(&format!("sqlite:{}", path.display())).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(StoreError::Unusable(sentence)) => sentence,
        Err(error) => panic!("not a sentence for people: {error:?}"),
    }
}

both! {
    async fn a_migrated_database_is_current(w: World) {
        assert!(matches!(w.store.schema().await.unwrap(), Schema::Current { version } if version > 0));
        w.store.migrate().await.unwrap();
        w.store.ping().await.unwrap();
        assert_eq!(w.store.kind(), if w.db.is_sqlite() { "sqlite" } else { "postgres" });
        let default = w.store.pools().await.unwrap();
        assert_eq!((default.len(), default[0].name.as_str(), default[0].slots), (1, "default_pool", 128));
    }

    async fn a_newer_schema_is_told_from_ours(w: World) {
        w.meddle(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'newer', TRUE, checksum, 1 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
        assert!(matches!(w.store.schema().await.unwrap(), Schema::Newer { version: 9999, .. }));
        let error = w.store.migrate().await.unwrap_err();
        assert!(matches!(&error, StoreError::Unusable(text) if text.contains("newer flow")), "{error}");
        assert!(!error.is_passing());
    }

    async fn an_older_schema_is_told_from_ours(w: World) {
        w.meddle("DELETE FROM _sqlx_migrations WHERE version > 0").await;
        assert!(matches!(w.store.schema().await.unwrap(), Schema::Older { version: 0, .. }));
        w.meddle("DROP TABLE _sqlx_migrations").await;
        assert!(matches!(w.store.schema().await.unwrap(), Schema::Older { version: 0, .. }));
    }

    async fn two_stores_may_migrate_at_once(w: World) {
        let drop_all: String = w.db.raw().await.tables().await.iter().map(|table| format!("DROP TABLE {table} CASCADE;")).collect();
        if w.db.is_sqlite() {
            let path = w.db.folder().join("fresh.db");
            let stores = [open(&path).await, open(&path).await];
            migrate_together(&stores).await;
        } else {
            w.meddle(&drop_all).await;
            let stores = [w.db.another().await, w.db.another().await];
            assert!(matches!(stores[0].schema().await.unwrap(), Schema::Older { version: 0, .. }));
            migrate_together(&stores).await;
        }
    }
}

async fn open(path: &std::path::Path) -> Store {
    Store::open(&format!("sqlite:{}", path.display())).await.unwrap()
}

async fn migrate_together(stores: &[Store; 2]) {
    let (one, two) = tokio::join!(stores[0].migrate(), stores[1].migrate());
    one.unwrap();
    two.unwrap();
    for store in stores {
        assert!(matches!(store.schema().await.unwrap(), Schema::Current { .. }));
        assert_eq!(store.pools().await.unwrap().len(), 1);
        store.close().await;
    }
}

#[tokio::test]
async fn a_url_that_names_no_database_is_refused() {
    for url in ["", "flow.db", "mysql://x/y", "postgres:/oops"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unusable(text) if text.contains("sqlite:PATH")), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_postgres_that_is_not_there_is_told_without_the_password() {
    let error = Store::open("postgres://me:s3cret@127.0.0.1:1/flow").await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/flow") && error.contains("database.url"), "{error}");
    assert!(error.contains("refused"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_postgres_that_refuses_us_is_told_in_its_own_words() {
    let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    let nowhere = url.rsplit_once('/').map(|(server, _)| format!("{server}/no_such_database")).unwrap();
    let error = Store::open(&nowhere).await.unwrap_err().to_string();
    assert!(error.contains(": database \"no_such_database\" does not exist;"), "{error}");
    let address = url.rsplit_once('@').map(|(_, address)| address).unwrap();
    let error = Store::open(&format!("postgres://nobody_known:s3cret@{address}")).await.unwrap_err().to_string();
    // A server that trusts everyone says that there is no such user.
    assert!(error.contains("nobody_known") && !error.contains("pool"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_postgres_that_never_answers_is_not_waited_for_without_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let error = Store::open(&format!("postgres://me@{address}/flow")).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 10 seconds"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let sentence = refusal(&folder.path().join("nowhere/flow.db")).await;
    assert!(sentence.contains("cannot open database") && sentence.contains("nowhere"), "{sentence}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.db");
    std::fs::write(&path, "this is not a database, it is a letter to a friend\n".repeat(200)).unwrap();
    let sentence = refusal(&path).await;
    assert!(sentence.contains("is not a SQLite database"), "{sentence}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.db");
    let store = open(&path).await;
    store.migrate().await.unwrap();
    store.close().await;
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        println!("skipped: this user may write read-only files");
        return;
    }
    let sentence = refusal(&path).await;
    assert!(sentence.contains("is read-only"), "{sentence}");
}

#[tokio::test]
async fn a_write_waits_for_another_process_that_holds_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.db");
    let store = open(&path).await;
    store.migrate().await.unwrap();
    let mut other = sqlx::SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let waits = tokio::spawn({
        let store = store.clone();
        async move {
            let mut tx = store.begin().await.unwrap();
            tx.end_process("x", at(1)).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!waits.is_finished());
    store.dags().await.expect("readers do not wait");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    waits.await.unwrap();
}

#[tokio::test]
async fn what_was_committed_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.db");
    let store = open(&path).await;
    store.migrate().await.unwrap();
    let modes = sqlx::SqliteConnection::connect(path.to_str().unwrap()).await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut modes.unwrap()).await.unwrap();
    assert_eq!(mode, "wal");
    let mut tx = store.begin().await.unwrap();
    tx.set_pool_slots("default_pool", 7).await.unwrap();
    tx.commit().await.unwrap();
    let again = open(&path).await;
    assert_eq!(again.pools().await.unwrap()[0].slots, 7);
    store.close().await;
    assert!(store.ping().await.is_err(), "a closed store says so");
    again.close().await;
}
