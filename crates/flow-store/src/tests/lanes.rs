//! A search through too much ends, and nobody else waits for it.

use std::time::{Duration, Instant};

use crate::{
    ImportErrorFilter, Page, Store, StoreError,
    lanes::Limits,
    select::{COUNTED_MAX, Select},
};

/// Numbers without end.
const ENDLESS: &str = "(WITH RECURSIVE g (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM g WHERE n < 2000000000) SELECT n FROM g) AS endless";
/// Longer than anything here may take.
const HANGS: Duration = Duration::from_secs(60);
const PAGE: Page = Page { limit: 10, offset: 0 };

/// Finds the numbers that are equal to one.
fn search(store: &Store, number: i64) -> Select {
    let mut select = Select::new(store, "n", ENDLESS);
    select.filter("n = ?", [number]);
    select
}

async fn a_search_without_end_ends(store: &Store) {
    let searching = || async {
        let found = search(store, -1).fetch::<(i64,)>(store, PAGE).await;
        assert!(matches!(found, Err(StoreError::TooMuch)), "{found:?}");
        let counted = search(store, -1).count(store).await;
        assert!(matches!(counted, Err(StoreError::TooMuch)), "{counted:?}");
    };
    let everyone_else = async {
        // Enough of both for each search to be under way.
        for _ in 0..50 {
            let start = Instant::now();
            store.list_import_errors(&ImportErrorFilter::default(), &[], PAGE).await.unwrap();
            assert!(start.elapsed() < Duration::from_secs(5), "a list waited {:?}", start.elapsed());
            store.run("nobody", "none").await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let all = async { tokio::join!(searching(), searching(), searching(), searching(), everyone_else) };
    tokio::time::timeout(HANGS, all).await.expect("each of them ends");
}

async fn a_longer_search_is_tried_once_more(store: &Store) {
    let one = Page { limit: 1, offset: 0 };
    let search_one = search(store, 100_000);
    let found = tokio::time::timeout(HANGS, search_one.fetch::<(i64,)>(store, one)).await.expect("it ends");
    assert_eq!(found.unwrap(), [(100_000,)]);
    // A page that is full is shown, though nobody could count the rest.
    let listed = tokio::time::timeout(HANGS, search_one.list::<(i64,)>(store, one)).await.expect("it ends").unwrap();
    assert_eq!((listed.rows, listed.total, listed.is_counted), (vec![(100_000,)], COUNTED_MAX, false));
    let search_none = search(store, -1);
    let found = tokio::time::timeout(HANGS, search_none.stretch::<(i64,)>(store, None, 1)).await.expect("it ends");
    assert!(matches!(found, Err(StoreError::TooMuch)), "{found:?}");
    let mut all = Select::new(store, "n", ENDLESS);
    all.filter("n > ?", [0_i64]);
    assert_eq!(tokio::time::timeout(HANGS, all.count(store)).await.expect("it ends").unwrap(), COUNTED_MAX);
}

const SHORT: Limits =
    Limits { quick: Duration::from_millis(100), long: Duration::from_millis(300), wait: Duration::from_millis(500) };
const LONG: Limits =
    Limits { quick: Duration::from_millis(1), long: Duration::from_secs(4), wait: Duration::from_secs(5) };

async fn on_sqlite(limits: Limits, case: impl AsyncFnOnce(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("flow.db").display());
    let store = Store::open_with(&url, limits).await.unwrap();
    store.migrate().await.unwrap();
    case(&store).await;
    store.close().await;
}

/// Any database of the server will do: only its own tables are read.
async fn on_postgres(limits: Limits, case: impl AsyncFnOnce(&Store)) {
    let Ok(url) = std::env::var("FLOW_TEST_POSTGRES_URL") else {
        println!("skipped: FLOW_TEST_POSTGRES_URL is not set");
        return;
    };
    let store = Store::open_with(&url, limits).await.unwrap();
    store.migrate().await.unwrap();
    case(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_without_end_ends_on_sqlite() {
    on_sqlite(SHORT, a_search_without_end_ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_without_end_ends_on_postgres() {
    on_postgres(SHORT, a_search_without_end_ends).await;
}

#[tokio::test]
async fn a_longer_search_is_tried_once_more_on_sqlite() {
    on_sqlite(LONG, a_longer_search_is_tried_once_more).await;
}

#[tokio::test]
async fn a_longer_search_is_tried_once_more_on_postgres() {
    on_postgres(LONG, a_longer_search_is_tried_once_more).await;
}
