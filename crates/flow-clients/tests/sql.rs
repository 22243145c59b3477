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

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn json_rows(session: &mut Session, sql: &str, parameters: Value) -> Value {
    let rows = session.all(sql, &Parameters::of(parameters).unwrap(), 100).await.unwrap();
    rows.into_iter().map(|row| row.into_iter().map(Cell::into_json).collect::<Value>()).collect()
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
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
        assert!(begun.elapsed() < Duration::from_secs(60));
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
            assert!(looks < 1_200, "the statement still runs");
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
    }
    // What speaks, but not as a database does.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("postgres://me@127.0.0.1:{}/x", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut caller, b"hello").await.unwrap();
    });
    let (_, words) = flow_clients::test(&Connection::parse("db", &uri).unwrap()).await;
    assert!(words.contains("does not speak as Postgres at 127.0.0.1") && !words.contains("sqlx"), "{words}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no.db");
    std::fs::write(&file, "no database at all ".repeat(100)).unwrap();
    let connection = Connection::from_json("db", &json!({"conn_type": "sqlite", "host": file})).unwrap();
    let (_, words) = flow_clients::test(&connection).await;
    assert!(words.contains("no.db: file is not a database"), "{words}");
    let connection = Connection::from_json("db", &json!({"conn_type": "sqlite", "host": "/nowhere/x.db"})).unwrap();
    let error = Database::new(&connection).unwrap().session().await.unwrap_err();
    assert!(error.message.contains("must exist"), "{error}");
}

/// Each expression, and what its value is in JSON.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn check_values(place: &Place, cases: &[(&str, Value)]) {
    for (expression, expected) in cases {
        let mut session = place.database.session().await.unwrap();
        let found = json_rows(&mut session, &format!("SELECT {expression}"), json!(null)).await;
        assert_eq!(found, json!([[expected]]), "{expression}");
    }
}

#[tokio::test]
async fn values_of_postgres_are_read() {
    let Some(place) = Place::postgres().await else { return };
    let mut session = place.database.session().await.unwrap();
    run(&mut session, "CREATE TYPE mood AS ENUM ('sad', 'ok')").await;
    drop(session);
    check_values(
        &place,
        &[
            ("true", json!(true)),
            ("1::smallint + 32766::smallint", json!(32767)),
            ("9223372036854775807", json!(i64::MAX)),
            ("1.1::real", json!(1.1)),
            ("0.1::float8 + 0.2::float8", json!(0.30000000000000004)),
            ("'NaN'::float8", json!("NaN")),
            ("12345678901234567890.123456789", json!("12345678901234567890.123456789")),
            ("0.00001234::numeric", json!(0.00001234)),
            ("-10000.5::numeric(12,4)", json!(-10000.5)),
            ("100000000::numeric", json!(100_000_000)),
            ("0::numeric", json!(0)),
            ("'x'::char(3) || '|'", json!("x|")),
            ("'ok'::mood", json!("ok")),
            ("DATE '2026-02-28'", json!("2026-02-28")),
            ("TIME '01:02:03.5'", json!("01:02:03.500000")),
            ("TIMETZ '01:02:03+02'", json!("01:02:03+02:00")),
            ("TIMESTAMP '1999-12-31 23:59:59'", json!("1999-12-31T23:59:59")),
            ("TIMESTAMPTZ '2026-01-01 00:00:00+01'", json!("2025-12-31T23:00:00+00:00")),
            ("INTERVAL '1 year 2 days 3 hours'", json!("P1Y2DT3H")),
            ("'00000000-0000-0000-0000-00000000000a'::uuid", json!("00000000-0000-0000-0000-00000000000a")),
            ("'{\"b\": [1, 2.5]}'::jsonb", json!({"b": [1, 2.5]})),
            ("'[null]'::json", json!([null])),
            ("'\\xDEAD'::bytea", json!("\\xdead")),
            ("ARRAY[[1,2],[3,NULL]]", json!([[1, 2], [3, null]])),
            ("ARRAY['a','b']", json!(["a", "b"])),
            ("'{}'::int[]", json!([])),
            ("ARRAY['ok'::mood]", json!(["ok"])),
            ("ROW(1, 'x', NULL)", json!([1, "x", null])),
            ("'10.0.0.0/8'::cidr", json!("10.0.0.0/8")),
            ("'::1'::inet", json!("::1")),
            ("B'101'", json!("101")),
            ("'12.34'::money::numeric", json!(12.34)),
            ("NULL", json!(null)),
        ],
    )
    .await;
    let mut session = place.database.session().await.unwrap();
    let error = session.all("SELECT '(1,2)'::point", &Parameters::None, 1).await.unwrap_err();
    assert!(error.message.contains("write `::text` behind the column"), "{error}");
    drop(session);
    let mut session = place.database.session().await.unwrap();
    let parameters = json!([[1, 2], {"a": 1}, "ok", "2026-01-01", null, 5, 1.5, true]);
    let sql = "SELECT 2 = ANY($1::int[]), $2::jsonb -> 'a', $3::mood, $4::date + 1, $5::int, $6 + 1, $7 * 2, NOT $8";
    let found = json_rows(&mut session, sql, parameters).await;
    assert_eq!(found, json!([[true, 1, "ok", "2026-01-02", null, 6, 3.0, false]]));
}

#[tokio::test]
async fn values_of_mysql_are_read() {
    let Some(place) = Place::mysql().await else { return };
    check_values(
        &place,
        &[
            ("TRUE", json!(1)),
            ("CAST(18446744073709551615 AS UNSIGNED)", json!(u64::MAX)),
            ("CAST('12.50' AS DECIMAL(20, 10))", json!(12.5)),
            ("CAST('12345678901234567890.5' AS DECIMAL(30, 5))", json!("12345678901234567890.50000")),
            ("1e100", json!(1e100)),
            ("'ä'", json!("ä")),
            ("x'00ff'", json!("\\x00ff")),
            ("DATE '2026-02-28'", json!("2026-02-28")),
            ("TIMESTAMP '2026-02-28 01:02:03'", json!("2026-02-28T01:02:03")),
            ("TIME '-01:02:03'", json!("-01:02:03")),
            ("JSON_OBJECT('a', 1)", json!("{\"a\": 1}")),
            ("NULL", json!(null)),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_function_leaves_in_a_session_is_found_by_nobody() {
    for place in Place::each().await {
        let (function, left) = match place.database.kind() {
            DatabaseKind::Postgres => (
                "CREATE FUNCTION leaves() RETURNS integer LANGUAGE plpgsql AS \
                 'BEGIN PERFORM set_config(''flow.left'', ''7'', false); CREATE TEMPORARY TABLE scratch (n integer); RETURN 1; END'",
                "SELECT NULLIF(current_setting('flow.left', true), '')",
            ),
            DatabaseKind::MySql => (
                "CREATE FUNCTION leaves() RETURNS INTEGER DETERMINISTIC \
                 BEGIN SET @left = 7; CREATE TEMPORARY TABLE scratch (n INTEGER); RETURN 1; END",
                "SELECT @left",
            ),
            DatabaseKind::Sqlite => continue,
        };
        run(&mut place.database.session().await.unwrap(), function).await;
        for _ in 0..3 {
            let mut session = place.database.session().await.unwrap();
            assert_eq!(json_rows(&mut session, "SELECT leaves()", json!(null)).await, json!([[1]]));
        }
        let mut session = place.database.session().await.unwrap();
        assert_eq!(json_rows(&mut session, left, json!(null)).await, json!([[null]]), "{:?}", place.database.kind());
    }
}
