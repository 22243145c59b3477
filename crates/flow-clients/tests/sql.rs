//! SQL databases, against real servers.

use std::time::{Duration, Instant};

use flow_clients::{
    Kind,
    sql::{Cell, Database, DatabaseKind, Insert, OnConflict, Parameters, Session},
};
use flow_core::connection::Connection;
use serde_json::{Value, json};

mod place;
use place::Place;

/// What a task does must be able to move between threads.
#[expect(dead_code, reason = "it is enough that it compiles")]
fn sessions_move_between_threads(database: Database, insert: Insert) {
    fn moves(_: impl Send) {}
    moves(async move {
        let mut session = database.begin().await?;
        session.insert(&insert, Vec::new()).await?;
        session.all("SELECT 1", &Parameters::None, 1).await?;
        session.commit().await
    });
}

async fn json_rows(session: &mut Session, sql: &str, parameters: Value) -> Value {
    let rows = session.all(sql, &Parameters::of(parameters).unwrap(), 100).await.unwrap();
    rows.into_iter().map(|row| row.into_iter().map(Cell::into_json).collect::<Value>()).collect()
}

async fn run(session: &mut Session, sql: &str) -> u64 {
    session.execute(sql, &Parameters::None).await.unwrap()
}

#[tokio::test]
async fn parameters_are_bound_and_rows_come_back() {
    for place in Place::each().await {
        let mut session = place.database.session().await.unwrap();
        run(&mut session, "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(50), day DATE, amount NUMERIC(10, 2))")
            .await;
        let row = json!([1, "it's; -- %s", "2026-02-03", 12.5]);
        let sql = "INSERT INTO t VALUES (%s, %s, %s, %s)";
        assert_eq!(session.execute(sql, &Parameters::of(row).unwrap()).await.unwrap(), 1);
        let found = json_rows(
            &mut session,
            "SELECT * FROM t WHERE day = %(day)s AND name LIKE 'it%%'",
            json!({"day": "2026-02-03"}),
        )
        .await;
        assert_eq!(found, json!([[1, "it's; -- %s", "2026-02-03", 12.5]]), "{:?}", place.database.kind());
        let found = json_rows(&mut session, "SELECT id FROM t WHERE id = ? OR name = ?", json!([1, null])).await;
        assert_eq!(found, json!([[1]]));
        let found = json_rows(&mut session, "SELECT name FROM t WHERE id = :id", json!({"id": 2})).await;
        assert_eq!(found, json!([]));
        let rows = session.rows("SELECT id, name FROM t", &Parameters::None).await.unwrap();
        assert_eq!(rows.columns(), ["id", "name"]);
    }
}

#[tokio::test]
async fn a_transaction_is_held_over_many_statements() {
    for place in Place::each().await {
        let mut session = place.database.session().await.unwrap();
        run(&mut session, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)").await;
        run(&mut session, "CREATE TABLE offsets (topic VARCHAR(20) PRIMARY KEY, next INTEGER)").await;
        run(&mut session, "INSERT INTO offsets VALUES ('a', 0)").await;
        drop(session);
        let insert = |on_conflict| Insert { table: "t".into(), columns: vec!["id".into(), "n".into()], on_conflict };
        let rows = |rows: Value| serde_json::from_value::<Vec<Vec<Value>>>(rows).unwrap();

        let mut session = place.database.begin().await.unwrap();
        assert_eq!(session.insert_json(&insert(OnConflict::Error), rows(json!([[1, 1], [2, 2]]))).await.unwrap(), 2);
        session
            .execute_with("UPDATE offsets SET next = %s WHERE topic = %s", vec![json!(2), json!("a")])
            .await
            .unwrap();
        session.commit().await.unwrap();

        session.begin().await.unwrap();
        let update = insert(OnConflict::Update { key: vec!["id".into()] });
        session.insert_json(&update, rows(json!([[2, 20], [3, 3], [3, 30]]))).await.unwrap();
        session.insert_json(&insert(OnConflict::Ignore), rows(json!([[3, 4], [4, null]]))).await.unwrap();
        session.commit().await.unwrap();
        let found = json_rows(&mut session, "SELECT id, n FROM t ORDER BY id", json!(null)).await;
        assert_eq!(found, json!([[1, 1], [2, 20], [3, 30], [4, null]]), "{:?}", place.database.kind());

        session.begin().await.unwrap();
        session.insert_json(&insert(OnConflict::Ignore), rows(json!([[9, 9]]))).await.unwrap();
        let error = session.insert_json(&insert(OnConflict::Error), rows(json!([[1, 1]]))).await.unwrap_err();
        let state = if session.kind() == DatabaseKind::MySql { "23000" } else { "23505" };
        assert_eq!(error.kind, Kind::SqlState(state.into()), "{error}");
        assert!(session.commit().await.unwrap_err().message.contains("nothing of it is kept"));
        drop(session);

        let mut session = place.database.begin().await.unwrap();
        session.insert_json(&insert(OnConflict::Error), rows(json!([[-1, 1]]))).await.unwrap();
        session.mark().await.unwrap();
        session.insert_json(&insert(OnConflict::Error), rows(json!([[-2, 1]]))).await.unwrap();
        session.insert_json(&insert(OnConflict::Error), rows(json!([[1, 1]]))).await.unwrap_err();
        session.back_to_mark().await.unwrap();
        session.commit().await.unwrap();
        let found = json_rows(&mut session, "SELECT id FROM t WHERE id < 0", json!(null)).await;
        assert_eq!(found, json!([[-1]]), "{:?}", place.database.kind());
        drop(session);

        let mut session = place.database.begin().await.unwrap();
        session.insert_json(&insert(OnConflict::Error), rows(json!([[10, 10]]))).await.unwrap();
        drop(session);
        let mut session = place.database.session().await.unwrap();
        assert_eq!(json_rows(&mut session, "SELECT count(*) FROM t WHERE id > 4", json!(null)).await, json!([[0]]));
    }
}

#[tokio::test]
async fn errors_keep_the_server_s_words_and_its_state() {
    for place in Place::each().await {
        let mut session = place.database.session().await.unwrap();
        let (missing, syntax) = match place.database.kind() {
            DatabaseKind::Postgres | DatabaseKind::Sqlite => ("42P01", "42601"),
            DatabaseKind::MySql => ("42S02", "42000"),
        };
        for (sql, state, words) in [("SELECT 1,\n x FROM nowhere", missing, "nowhere"), ("SELEKT 1", syntax, "SELEKT")]
        {
            let error = session.execute(sql, &Parameters::None).await.unwrap_err();
            assert_eq!(error.kind, Kind::SqlState(state.into()), "{error}");
            assert!(error.message.contains(words), "{error}");
        }
        assert_eq!(json_rows(&mut session, "SELECT 1", json!(null)).await, json!([[1]]));
    }
}

#[tokio::test]
async fn a_statement_that_is_dropped_stops_on_the_server() {
    for place in Place::each().await {
        let slow = match place.database.kind() {
            DatabaseKind::Postgres => "SELECT pg_sleep(600)",
            DatabaseKind::MySql => "SELECT SLEEP(600)",
            DatabaseKind::Sqlite => {
                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
            }
        };
        let mut session = place.database.session().await.unwrap();
        let begun = Instant::now();
        let waited = tokio::time::timeout(Duration::from_millis(300), session.execute(slow, &Parameters::None)).await;
        assert!(waited.is_err());
        session.abandon().await;
        assert!(begun.elapsed() < Duration::from_secs(5));
        let asked = match place.database.kind() {
            DatabaseKind::Postgres => {
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active'"
            }
            DatabaseKind::MySql => {
                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(600)%'"
            }
            DatabaseKind::Sqlite => continue,
        };
        let mut session = place.database.session().await.unwrap();
        let mut looks = 0;
        while json_rows(&mut session, asked, json!(null)).await != json!([[0]]) {
            looks += 1;
            assert!(looks < 100, "the statement still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_reached_says_so() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for kind in ["postgres", "mysql"] {
        let connection = Connection::parse("db", &format!("{kind}://me:hunter2@127.0.0.1:{closed}/x")).unwrap();
        let error = Database::new(&connection).unwrap().session().await.unwrap_err();
        assert!(error.message.contains("could not reach") && error.message.contains("connection `db`"), "{error}");
        assert!(error.may_retry() && !error.message.contains("hunter2"));
        // Takes the connection and says nothing.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection =
            Connection::parse("db", &format!("{kind}://me@127.0.0.1:{port}/x?connect_timeout=0.2")).unwrap();
        let error = Database::new(&connection).unwrap().session().await.unwrap_err();
        assert!(error.message.contains("no answer from") && error.message.contains("within 0.2 s"), "{error}");
    }
    for place in [Place::postgres().await, Place::mysql().await].into_iter().flatten() {
        let mut wrong = place.connection.clone();
        wrong.password = Some("wrong".into());
        let error = Database::new(&wrong).unwrap().session().await.unwrap_err();
        assert!(error.message.contains("check `login` and `password`"), "{error}");
        let mut wrong = place.connection.clone();
        wrong.schema = Some("no_such".into());
        let error = Database::new(&wrong).unwrap().session().await.unwrap_err();
        assert!(error.message.contains("`schema` of the connection"), "{error}");
        let mut wrong = place.connection.clone();
        wrong.extra = Some(r#"{"sslmode": "require"}"#.into());
        let error = Database::new(&wrong).unwrap().session().await.unwrap_err();
        assert!(error.message.contains("TLS with") && error.message.contains("`sslmode`"), "{error}");
    }
    let connection = Connection::from_json("db", &json!({"conn_type": "sqlite", "host": "/nowhere/x.db"})).unwrap();
    let error = Database::new(&connection).unwrap().session().await.unwrap_err();
    assert!(error.message.contains("must exist"), "{error}");
}
