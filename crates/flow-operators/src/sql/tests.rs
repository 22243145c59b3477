//! The SQL operators, on SQLite, a real Postgres and a real MariaDB.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use flow_clients::sql::{Cell, Database, DatabaseKind, Parameters};
use flow_core::{
    connection::Connection,
    run::{FailureCause, Outcome},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::testing::{Run, World};

static MADE: AtomicUsize = AtomicUsize::new(0);

/// A world with a database of its own, known as `db`.
struct Place {
    world: World,
    database: Database,
}

impl Place {
    fn of(world: World, connection: &Connection) -> Self {
        world.services.lock().unwrap().connections.insert("db".to_owned(), connection.to_json());
        Self { world, database: Database::new(connection).unwrap() }
    }

    fn sqlite() -> Self {
        let world = World::new();
        let value = json!({"conn_type": "sqlite", "host": world.path("test.db"), "extra": {"create": true}});
        let connection = Connection::from_json("db", &value).unwrap();
        Self::of(world, &connection)
    }

    async fn on_server(variable: &str, script: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("skipped: {variable} is not set ({script} sets it)");
            assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
            return None;
        };
        let mut connection = Connection::parse("db", &url).unwrap();
        let name = format!("o{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut session = Database::new(&connection).unwrap().session().await.unwrap();
        session.execute(&format!("CREATE DATABASE {name}"), &Parameters::None).await.unwrap();
        connection.schema = Some(name);
        Some(Self::of(World::new(), &connection))
    }

    async fn postgres() -> Option<Self> {
        Self::on_server("FLOW_TEST_POSTGRES_URL", "scripts/with-postgres").await
    }

    async fn mysql() -> Option<Self> {
        Self::on_server("FLOW_TEST_MYSQL_URL", "scripts/with-mariadb").await
    }

    async fn each() -> Vec<Self> {
        let mut found = vec![Self::sqlite()];
        found.extend(Self::postgres().await);
        found.extend(Self::mysql().await);
        found
    }

    fn kind(&self) -> DatabaseKind {
        self.database.kind()
    }

    /// Prepares the database, past the operators.
    async fn given(&self, statements: &[&str]) {
        let mut session = self.database.session().await.unwrap();
        for sql in statements {
            session.execute(sql, &Parameters::None).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }

    async fn rows(&self, sql: &str) -> Value {
        let mut session = self.database.session().await.unwrap();
        let rows = session.all(sql, &Parameters::None, 1_000).await.unwrap();
        rows.into_iter().map(|row| row.into_iter().map(Cell::into_json).collect::<Value>()).collect()
    }

    async fn run(&self, operator: &str, mut arguments: Value) -> Run {
        arguments["conn_id"] = json!("db");
        self.world.run(operator, arguments).await
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.world.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

const T: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(40), amount NUMERIC(10, 2))";

#[tokio::test]
async fn rows_are_the_result_and_statements_one_transaction() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let run = place
            .run("sql", json!({"sql": "INSERT INTO t VALUES (1, 'a;b', 1.5); INSERT INTO t VALUES (2, NULL, 2); SELECT * FROM t ORDER BY id"}))
            .await;
        let rows = json!([
            [1, "a;b", 1.5],
            [2, null, if place.kind() == DatabaseKind::Sqlite { json!(2) } else { json!(2.0) }]
        ]);
        assert_eq!(run.result(), Some(&rows), "{:?} {}", place.kind(), place.world.text());
        assert!(place.world.text().contains("1 row changed") && place.world.text().contains("2 rows, "));

        let failed = place
            .run("sql", json!({"sql": "INSERT INTO t VALUES (3, 'c', 3); INSERT INTO t VALUES (1, 'again', 0)"}))
            .await;
        let failure = failed.failed("");
        let state = if place.kind() == DatabaseKind::MySql { "23000" } else { "23505" };
        assert_eq!(failure.cause, FailureCause::SqlState(state.into()));
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[2]]));
        let kept = json!({"autocommit": true, "sql": ["INSERT INTO t VALUES (3, 'c', 3)", "INSERT INTO t VALUES (1, 'again', 0)"]});
        place.run("sql", kept).await.failed("");
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[3]]));

        let by_name = json!({"sql": "SELECT id FROM t WHERE name = %(name)s", "parameters": {"name": "a;b"}});
        assert_eq!(place.run("sql", by_name).await.result(), Some(&json!([[1]])));
        let all = json!({"sql": ["SELECT 1", "DELETE FROM t WHERE id = 3", "SELECT 2"]});
        assert_eq!(place.run("sql", all).await.result(), Some(&json!([[[1]], null, [[2]]])));
        let all = json!({"sql": "SELECT 1; SELECT 2", "return_last": false});
        assert_eq!(place.run("sql", all).await.result(), Some(&json!([[[1]], [[2]]])));
        place.run("sql", json!({"sql": "DELETE FROM t WHERE id > 99"})).await.succeeded_without_result();
        let own = json!({"sql": "BEGIN; INSERT INTO t VALUES (7, 'x', 1); ROLLBACK"});
        place.run("sql", own).await.succeeded_without_result();
        assert_eq!(place.rows("SELECT count(*) FROM t WHERE id = 7").await, json!([[0]]));
        place.run("sql", json!({"sql": "-- nothing"})).await.failed_for_good("holds no statement");
        place
            .run("sql", json!({"sql": "SELECT %s", "parameters": []}))
            .await
            .failed_for_good("asks for the parameter `1`");
        place.run("sql", json!({"sql": "SELECT 1", "parameters": 5})).await.failed_for_good("must be a list");
        assert_eq!(place.run("sql", json!({"sql": "SELECT id FROM t WHERE 1 = 0"})).await.result(), Some(&json!([])));
    }
}

#[tokio::test]
async fn many_rows_go_into_a_file_and_not_into_the_result() {
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i, 'row, \"' AS words, NULL AS gap, '' AS blank FROM n";
    for place in Place::each().await {
        // MariaDB stops a recursion early by default.
        let sql = if place.kind() == DatabaseKind::MySql {
            numbers.replace("WITH", "SET @@max_recursive_iterations = 100000; WITH")
        } else {
            numbers.to_owned()
        };
        place.run("sql", json!({"sql": sql})).await.failed_for_good("write them to a file with `output_file`");
        let path = place.world.path("out.csv");
        let run = place.run("sql", json!({"sql": sql, "output_file": path})).await;
        assert_eq!(run.result(), Some(&json!(path)), "{run:?}");
        assert_eq!(run.xcom("rows"), Some(&json!(60_000)));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 60_001);
        assert!(text.starts_with("i,words,gap,blank\n1,\"row, \"\"\",,\"\"\n"), "{}", &text[..80]);
        let path = place.world.path("out.jsonl.gz");
        place
            .run("sql", json!({"sql": "SELECT 1 AS a, 'x' AS b", "output_file": path}))
            .await
            .succeeded_with(&path.display().to_string());
        let packed = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&packed.stdout), "{\"a\":1,\"b\":\"x\"}\n");
        let wrong = place.world.path("out.txt");
        place.run("sql", json!({"sql": "SELECT 1", "output_file": wrong})).await.failed_for_good("must end in `.csv`");
        place
            .run("sql", json!({"sql": "SELECT 1", "output_file": "out.csv"}))
            .await
            .failed_for_good("must be a whole path");
        let folder = place.world.path("new/out.csv");
        place
            .run("sql", json!({"sql": "SELECT 1", "output_file": folder}))
            .await
            .succeeded_with(&folder.display().to_string());
        let failing = place.world.path("failing.csv");
        place.run("sql", json!({"sql": "SELECT x FROM nowhere", "output_file": failing})).await.failed("nowhere");
        let left: Vec<_> =
            std::fs::read_dir(place.world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains(".part")), "{left:?}");
    }
}

#[tokio::test]
async fn a_cancelled_statement_stops_soon_and_leaves_nothing() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let slow = match place.kind() {
            DatabaseKind::Postgres => "SELECT pg_sleep(600)",
            DatabaseKind::MySql => "SELECT SLEEP(600)",
            DatabaseKind::Sqlite => {
                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
            }
        };
        let path = place.world.path("never.csv");
        let cancel = place.world.cx.cancel.clone();
        let log = place.world.cx.log.clone();
        drop(log);
        let begun = std::time::Instant::now();
        let arguments = json!({"sql": format!("INSERT INTO t VALUES (1, 'a', 1); {slow}"), "output_file": path});
        let (run, ()) = tokio::join!(place.run("sql", arguments), async {
            while !place.world.text().contains("1 row changed") {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        });
        assert_eq!(run.outcome(), &Outcome::Cancelled);
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[0]]), "{:?}", place.kind());
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn checks_hold_or_say_what_the_values_are() {
    for place in Place::each().await {
        place.given(&[T, "INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20), (3, NULL, 30)"]).await;
        let check = |sql: &str| json!({ "sql": sql });
        place.run("sql_check", check("SELECT count(*), 'x', 1.5 FROM t")).await.succeeded_without_result();
        place.run("sql_check", check("SELECT 1, 0")).await.failed("the row is (1, 0)");
        place.run("sql_check", check("SELECT NULL")).await.failed("the row is (null)");
        place.run("sql_check", check("SELECT '' FROM t WHERE id = 1")).await.failed("does not hold");
        place.run("sql_check", check("SELECT 1 FROM t WHERE id = 9")).await.failed("no rows");
        place
            .run("sql_check", json!({"sql": "SELECT 0", "retry_on_failure": false}))
            .await
            .failed_for_good("does not hold");

        let value =
            |sql: &str, pass: Value, tolerance: Value| json!({"sql": sql, "pass_value": pass, "tolerance": tolerance});
        place
            .run("sql_value_check", value("SELECT sum(amount) FROM t", json!(60), json!(null)))
            .await
            .succeeded_without_result();
        place
            .run("sql_value_check", value("SELECT avg(amount) FROM t", json!("21"), json!(0.1)))
            .await
            .succeeded_without_result();
        place
            .run("sql_value_check", value("SELECT 79", json!(100), json!(0.2)))
            .await
            .failed("the row is (79), not 100, give or take 0.2");
        place
            .run("sql_value_check", value("SELECT name FROM t WHERE id = 1", json!("a"), json!(null)))
            .await
            .succeeded_without_result();
        place.run("sql_value_check", value("SELECT 'b'", json!("a"), json!(null))).await.failed("not a");

        let bounds = |least: Value, most: Value| json!({"sql": "SELECT max(amount) FROM t", "min_threshold": least, "max_threshold": most});
        let run = place.run("sql_threshold_check", bounds(json!(1), json!("SELECT 3 * min(amount) FROM t"))).await;
        assert_eq!(run.result(), Some(&json!({"result": 30.0, "min_threshold": 1.0, "max_threshold": 30.0})));
        place.run("sql_threshold_check", bounds(json!(31), json!(40))).await.failed("30 is not within 31 and 40");
        place
            .run("sql_threshold_check", bounds(json!("SELECT name FROM t WHERE id = 1"), json!(40)))
            .await
            .failed("is no number");

        let columns = |mapping: Value| json!({"table": "t", "column_mapping": mapping});
        let good = json!({"id": {"unique_check": {"equal_to": 0}, "null_check": {"equal_to": 0}, "distinct_check": {"geq_to": 3}},
            "amount": {"min": {"geq_to": 10}, "max": {"less_than": 29, "tolerance": 0.1}}});
        place.run("sql_column_check", columns(good)).await.succeeded_without_result();
        let bad = json!({"name": {"null_check": {"equal_to": 0}}, "amount": {"max": {"less_than": 30}}});
        place
            .run("sql_column_check", columns(bad))
            .await
            .failed("the greatest value of `amount` is 30: it must be less than 30; the number of nulls of `name` is 1: it must be equal to 0");
        let part = json!({"table": "t", "partition_clause": "id < 3", "column_mapping": {"name": {"null_check": {"equal_to": 0}}}});
        place.run("sql_column_check", part).await.succeeded_without_result();
        let empty = json!({"table": "t", "partition_clause": "id > 9", "accept_none": false, "column_mapping": {"id": {"min": {"geq_to": 0}}}});
        place.run("sql_column_check", empty).await.failed("it is null");

        let checks = |checks: Value| json!({"table": "t", "checks": checks});
        let good = json!({"rows": {"check_statement": "count(*) = 3"}, "positive": {"check_statement": "amount > 0"},
            "named": {"check_statement": "name IS NOT NULL", "partition_clause": "id < 3"}});
        place.run("sql_table_check", checks(good)).await.succeeded_without_result();
        let bad = json!({"small": {"check_statement": "amount < 30"}, "none": {"check_statement": "id > 0", "partition_clause": "id > 9"}});
        place
            .run("sql_table_check", checks(bad))
            .await
            .failed("`none` is null: there are no rows; `small` is not so: amount < 30");
        place.run("sql_table_check", checks(json!({"x": {"check_statement": "nothing = 1"}}))).await.failed("nothing");
    }
}

#[tokio::test]
async fn figures_are_compared_with_those_of_another_day() {
    for place in Place::each().await {
        place
            .given(&[
                "CREATE TABLE days (day DATE, amount INTEGER)",
                "INSERT INTO days VALUES ('2026-01-02', 30), ('2026-01-02', 30), ('2025-12-26', 40)",
            ])
            .await;
        let with = |more: Value| {
            let mut given = json!({"table": "days", "date_filter_column": "day", "metrics_thresholds": {"count(*)": 3, "sum(amount)": 1.6}});
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            given
        };
        place.run("sql_interval_check", with(json!({}))).await.succeeded_without_result();
        let strict = json!({"metrics_thresholds": {"sum(amount)": 1.5}});
        place
            .run("sql_interval_check", with(strict))
            .await
            .failed("sum(amount): 60 on 2026-01-02, 40 on 2025-12-26, a ratio of 1.500");
        let difference = json!({"ratio_formula": "relative_diff", "metrics_thresholds": {"sum(amount)": 0.6}});
        place.run("sql_interval_check", with(difference)).await.succeeded_without_result();
        place.run("sql_interval_check", with(json!({"days_back": -1}))).await.succeeded_without_result();
        place.run("sql_interval_check", with(json!({"days_back": -1, "ignore_zero": false}))).await.failed("no ratio");
    }
}

#[tokio::test]
async fn a_query_decides_which_tasks_go_on() {
    for mut place in Place::each().await {
        place.world.downstream(&["a", "b"]);
        let followed = async |sql: &str| {
            let run = place
                .run(
                    "branch_sql",
                    json!({"sql": sql, "follow_task_ids_if_true": "a", "follow_task_ids_if_false": ["b"]}),
                )
                .await;
            if let Outcome::Branch { follow } = run.outcome() {
                Ok(follow[0].to_string())
            } else {
                Err(format!("{run:?}"))
            }
        };
        for (sql, expected) in [
            ("SELECT 1 > 0", "a"),
            ("SELECT 0", "b"),
            ("SELECT 'yes'", "a"),
            ("SELECT 'Off'", "b"),
            ("SELECT 1.5", "a"),
        ] {
            assert_eq!(followed(sql).await.unwrap(), expected, "{sql}");
        }
        assert!(followed("SELECT 'perhaps'").await.unwrap_err().contains("neither true nor false"));
        assert!(followed("SELECT 1 WHERE 1 = 0").await.unwrap_err().contains("nothing to decide by"));
    }
}

#[tokio::test]
async fn a_sensor_waits_for_a_true_value() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let word = async |more: Value| place.run("sql_sensor", more).await.word();
        assert_eq!(word(json!({"sql": "SELECT count(*) FROM t"})).await, "waits");
        assert_eq!(word(json!({"sql": "SELECT id FROM t"})).await, "waits");
        assert_eq!(word(json!({"sql": "SELECT id FROM t", "fail_on_empty": true})).await, "failed");
        assert_eq!(word(json!({"sql": "SELECT %s", "parameters": ["x"]})).await, "success");
        assert_eq!(word(json!({"sql": "SELECT 5", "success": "value >= 6"})).await, "waits");
        assert_eq!(word(json!({"sql": "SELECT 5, 2", "success": "value >= 5 and row[1] == 2"})).await, "success");
        assert_eq!(word(json!({"sql": "SELECT 5", "failure": "value == 5"})).await, "failed");
        assert_eq!(word(json!({"sql": "SELECT x FROM nowhere"})).await, "failed");
    }
}

#[tokio::test]
async fn a_file_is_loaded_whole_or_not_at_all() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let good = place.file("good.csv", "id,name,amount\n1,\"a, \"\"b\"\"\n\\x\",1.5\n2,,2\r\n3,\"\",\n");
        let run = place.run("sql_load", json!({"table": "t", "file": good})).await;
        assert_eq!(run.result(), Some(&json!(3)), "{:?} {run:?}", place.kind());
        let rows = place.rows("SELECT name FROM t ORDER BY id").await;
        assert_eq!(rows, json!([["a, \"b\"\n\\x"], [null], [""]]), "{:?}", place.kind());

        let short = place.file("short.csv", "id,name,amount\n10,a,1\n11,b\n");
        place
            .run("sql_load", json!({"table": "t", "file": short}))
            .await
            .failed("line 3: the row has 2 fields, not 3; it is: 11 | b");
        let again = place.file("again.csv", "10,a,1\n2,b,1\n");
        let arguments = |file: &str, more: Value| {
            let mut given = json!({"table": "t", "file": file, "header": false});
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            given
        };
        place.run("sql_load", arguments(&again, json!({}))).await.failed("again.csv`, line 2");
        if place.kind() != DatabaseKind::Sqlite {
            let wrong = place.file("wrong.csv", "id,name,amount\n10,\"a\nb\",1\n11,b,much\n");
            place.run("sql_load", json!({"table": "t", "file": wrong})).await.failed("wrong.csv`, line 4");
            assert!(
                place
                    .run("sql_load", json!({"table": "t", "file": wrong}))
                    .await
                    .failed("amount")
                    .message
                    .contains("much")
            );
            let skip =
                json!({"table": "t", "file": wrong, "bad_rows": "skip", "preoperator": "DELETE FROM t WHERE id = 10"});
            let run = place.run("sql_load", skip).await;
            assert_eq!((run.result(), run.xcom("bad_rows")), (Some(&json!(1)), Some(&json!(1))), "{run:?}");
            assert!(place.world.text().contains("left out: ") && place.world.text().contains("line 4"));
            place.given(&["DELETE FROM t WHERE id = 10"]).await;
        }
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[3]]), "{:?}", place.kind());

        place.run("sql_load", arguments(&again, json!({"on_conflict": "ignore"}))).await;
        assert_eq!(
            place.rows("SELECT id, name FROM t ORDER BY id").await,
            json!([[1, "a, \"b\"\n\\x"], [2, null], [3, ""], [10, "a"]])
        );
        let update = place.file("update.csv", "3,x,1\n3,y,2\n4,z,3\n");
        let run = place
            .run("sql_load", arguments(&update, json!({"on_conflict": "update", "conflict_columns": ["id"]})))
            .await;
        assert_eq!(run.result(), Some(&json!(3)), "{run:?}");
        assert_eq!(
            place.rows("SELECT id, name FROM t WHERE id IN (3, 4) ORDER BY id").await,
            json!([[3, "y"], [4, "z"]])
        );
        place
            .run("sql_load", arguments(&update, json!({"on_conflict": "update"})))
            .await
            .failed_for_good("needs `conflict_columns`");
    }
}

#[tokio::test]
async fn files_of_every_kind_are_loaded() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let load = async |file: &str, more: Value| {
            let mut given = json!({"table": "t", "file": file, "preoperator": "DELETE FROM t"});
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let run = place.run("sql_load", given).await;
            if run.outcome() == &Outcome::Success {
                return place.rows("SELECT id, name FROM t ORDER BY id").await;
            }
            json!(format!("{run:?}"))
        };
        let both = json!([[1, "a"], [2, null]]);
        let file = place.file("a.tsv", "1\ta\n2\t\\N\n");
        assert_eq!(load(&file, json!({"header": false, "columns": ["id", "name"], "null": "\\N"})).await, both);
        let file = place.file("a.txt", "# made by hand\nname|id|junk\na|1|x\n|2|y\n");
        assert_eq!(load(&file, json!({"delimiter": "|", "skip_lines": 1, "columns": ["id", "name"]})).await, both);
        let file = place.file("a.jsonl", "{\"id\": 1, \"name\": \"a\"}\n{\"name\": null, \"id\": 2}\n");
        assert_eq!(load(&file, json!({})).await, both);
        let packed = place.world.path("b.csv.gz");
        let plain = place.file("b.csv", "id,name\n1,a\n2,\n");
        let done = std::process::Command::new("gzip").arg("-k").arg(&plain).status().unwrap();
        assert!(done.success());
        assert_eq!(load(&packed.display().to_string(), json!({})).await, both);
        // Nothing is left of what was there, and the other way round.
        let bad = place.file("bad.jsonl", "{\"id\": 1, \"name\": \"a\"}\nno json\n{\"id\": 2, \"nome\": 1}\n");
        let words = load(&bad, json!({})).await.to_string();
        assert!(words.contains("line 2: is no JSON"), "{words}");
        assert_eq!(place.rows("SELECT id, name FROM t ORDER BY id").await, both);
        assert_eq!(load(&bad, json!({"bad_rows": "skip"})).await, json!([[1, "a"]]));
        let words = load(&bad, json!({"bad_rows": "skip", "bad_rows_max": 1})).await.to_string();
        assert!(
            words.contains("more than 1 rows are bad") && words.contains("there is no column for `nome`"),
            "{words}"
        );
        for (file, more, expected) in [
            (place.file("empty.csv", ""), json!({}), "the file is empty"),
            (place.world.path("none.csv").display().to_string(), json!({}), "cannot be read"),
            (place.world.folder.path().display().to_string(), json!({}), "is no file"),
            (place.file("h.csv", "1,2\n"), json!({"columns": ["id", "name"]}), "the header has no `id` (it has: 1, 2)"),
            (place.file("c.csv", "id,nome\n1,a\n"), json!({}), "nome"),
            (place.file("d.csv", "id,name\n1,a\n"), json!({"table": "nowhere"}), "nowhere"),
            (place.file("e.csv", "id,name\n1,\"a\n"), json!({}), "line 2: a quote is opened and never closed"),
            (place.file("f.csv", "id,name\n1,a\n"), json!({"delimiter": "::"}), "one ASCII character"),
            (plain.clone(), json!({"postoperator": "SELECT x FROM nowhere"}), "nowhere"),
        ] {
            let words = load(&file, more).await.to_string();
            assert!(words.contains(expected), "{words} does not say {expected}");
        }
        let binary = place.world.path("g.csv");
        std::fs::write(&binary, b"id,name\n1,a\n2,\xff\xfe\n").unwrap();
        let words = load(&binary.display().to_string(), json!({})).await.to_string();
        assert!(words.contains("line 3") && words.contains("UTF"), "{words}");
        let words = load(&place.file("z.csv.gz", "id\n1\n"), json!({})).await.to_string();
        assert!(words.contains("is no gzip, though"), "{words}");
        assert_eq!(place.rows("SELECT id, name FROM t ORDER BY id").await, json!([[1, "a"]]));
    }
}

#[tokio::test]
async fn many_rows_are_loaded_in_batches_and_bad_ones_named() {
    for place in Place::each().await {
        place.given(&[T]).await;
        let line = |at: usize| match at {
            7_000 | 15_000 => format!("{at},b\n"),
            _ => format!("{at},name {at},{at}.25\n"),
        };
        let text: String = std::iter::once("id,name,amount\n".to_owned()).chain((0..20_000).map(line)).collect();
        let file = place.file("many.csv", &text);
        place.run("sql_load", json!({"table": "t", "file": file})).await.failed("line 7002: the row has 2 fields");
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[0]]));
        let run = place.run("sql_load", json!({"table": "t", "file": file, "bad_rows": "skip"})).await;
        assert_eq!(run.result(), Some(&json!(19_998)), "{run:?}");
        assert_eq!(place.rows("SELECT count(*), max(id) FROM t").await, json!([[19_998, 19_999]]));
    }
}

#[tokio::test]
async fn a_row_that_meets_a_lock_is_no_bad_row() {
    for place in Place::each().await {
        let wait = match place.kind() {
            DatabaseKind::Postgres => "SET lock_timeout = '200ms'",
            DatabaseKind::MySql => "SET SESSION innodb_lock_wait_timeout = 1",
            // It locks the whole file.
            DatabaseKind::Sqlite => continue,
        };
        place.given(&[T]).await;
        let mut other = place.database.begin().await.unwrap();
        other.execute("INSERT INTO t VALUES (2, 'mine', 1)", &Parameters::None).await.unwrap();
        let file = place.file("a.csv", "id,name\n1,a\n2,b\n3,c\n");
        let arguments = json!({"table": "t", "file": file, "bad_rows": "skip", "preoperator": wait});
        let run = place.run("sql_load", arguments.clone()).await;
        let words = &run.failed("timeout").message;
        assert!(words.contains("another transaction holds what it needs"), "{words}");
        other.rollback().await.unwrap();
        assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[0]]), "{:?}", place.kind());
        assert_eq!(place.run("sql_load", arguments).await.result(), Some(&json!(3)));
    }
}

#[tokio::test]
async fn a_statement_that_the_server_ends_is_named_without_its_parameters() {
    for place in Place::each().await {
        let (limit, slow, setting) = match place.kind() {
            DatabaseKind::Postgres => ("SET statement_timeout = '200ms'", "pg_sleep(600)", "`statement_timeout`"),
            DatabaseKind::MySql => ("SET SESSION max_statement_time = 0.2", "SLEEP(600)", "`max_statement_time`"),
            // It knows no such limit.
            DatabaseKind::Sqlite => continue,
        };
        let sql = format!("{limit}; SELECT {slow}, %(word)s; SELECT 1");
        let arguments = json!({"sql": sql, "parameters": {"word": "hunter2"}, "autocommit": true});
        let run = place.run("sql", arguments).await;
        let words = &run.failed("statement 2 of 3: ").message;
        for expected in ["; if it took too long", setting, &format!("; the statement: SELECT {slow}, ")] {
            assert!(words.contains(expected), "{words}");
        }
        assert!(!words.contains("hunter2"), "{words}");
    }
}

#[tokio::test]
async fn a_preoperator_that_commits_leaves_the_rows_one_transaction() {
    let Some(place) = Place::mysql().await else { return };
    place.given(&[T, "INSERT INTO t VALUES (99, 'old', 1)"]).await;
    let lines: String = (0..2_500).map(|at| format!("{at},name {at}\n")).collect();
    let good = place.file("good.csv", &format!("id,name\n{lines}"));
    let bad = place.file("bad.csv", &format!("id,name\n{lines}0,again\n"));
    let arguments = |file: &str| json!({"table": "t", "file": file, "preoperator": "TRUNCATE TABLE t"});
    place.run("sql_load", arguments(&bad)).await.failed("line 2502");
    assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[0]]), "nothing is half-loaded");
    assert_eq!(place.run("sql_load", arguments(&good)).await.result(), Some(&json!(2_500)));
    let twice = json!({"sql": ["TRUNCATE TABLE t", "INSERT INTO t (id) VALUES (1)", "INSERT INTO t (id) VALUES (1)"]});
    place.run("sql", twice).await.failed("");
    assert_eq!(place.rows("SELECT count(*) FROM t").await, json!([[0]]));
}

#[tokio::test]
async fn arrays_are_written_too() {
    let Some(place) = Place::postgres().await else { return };
    let table = "(id INTEGER, tags TEXT[], grid INTEGER[], doc JSONB)";
    place.given(&[&format!("CREATE TABLE a {table}"), &format!("CREATE TABLE b {table}")]).await;
    let file = place.file(
        "a.jsonl",
        "{\"id\": 1, \"tags\": [\"x,\\\"y\", null], \"grid\": [[1, 2], [3, 4]], \"doc\": [1, \"z\"]}\n",
    );
    assert_eq!(place.run("sql_load", json!({"table": "a", "file": file})).await.result(), Some(&json!(1)));
    let arguments = json!({"source_conn_id": "db", "destination_conn_id": "db", "sql": "SELECT * FROM a", "destination_table": "b"});
    assert_eq!(place.world.run("sql_transfer", arguments).await.result(), Some(&json!(1)));
    let expected = json!([[1, ["x,\"y", null], [[1, 2], [3, 4]], [1, "z"]]]);
    for table in ["a", "b"] {
        assert_eq!(place.rows(&format!("SELECT * FROM {table}")).await, expected, "{table}");
    }
}

#[tokio::test]
async fn large_rows_go_in_smaller_statements() {
    for place in Place::each().await {
        let text = if place.kind() == DatabaseKind::MySql { "LONGTEXT" } else { "TEXT" };
        place.given(&[&format!("CREATE TABLE doc (id INTEGER, body {text})")]).await;
        let width = match place.kind() {
            DatabaseKind::Postgres => "repeat('x', 2000000)",
            DatabaseKind::MySql => "REPEAT('x', 2000000)",
            DatabaseKind::Sqlite => "hex(zeroblob(1000000))",
        };
        // Together more than a packet of MariaDB may have.
        let rows: Vec<_> = (0..12).map(|at| format!("SELECT {at}, {width}")).collect();
        let arguments = json!({"source_conn_id": "db", "destination_conn_id": "db", "sql": rows.join(" UNION ALL "),
            "destination_table": "doc", "columns": ["id", "body"]});
        assert_eq!(place.world.run("sql_transfer", arguments).await.result(), Some(&json!(12)), "{:?}", place.kind());
        assert_eq!(place.rows("SELECT count(*), min(length(body)) FROM doc").await, json!([[12, 2_000_000]]));
    }
}

#[tokio::test]
async fn what_a_function_leaves_in_a_session_is_not_found_by_the_next_task() {
    let Some(place) = Place::postgres().await else { return };
    place
        .given(&["CREATE FUNCTION report() RETURNS INTEGER AS $$ BEGIN CREATE TEMP TABLE tmp (id INTEGER); \
            PERFORM set_config('search_path', 'nowhere', false); RETURN 1; END $$ LANGUAGE plpgsql"])
        .await;
    for _ in 0..3 {
        assert_eq!(place.run("sql", json!({"sql": "SELECT public.report()"})).await.result(), Some(&json!([[1]])));
        let path = place.run("sql", json!({"sql": "SELECT current_setting('search_path')"})).await;
        assert_ne!(path.result(), Some(&json!([["nowhere"]])));
    }
}

#[tokio::test]
async fn rows_go_from_one_database_into_another() {
    let places = Place::each().await;
    for from in &places {
        let sqlite = from.kind() == DatabaseKind::Sqlite;
        let time = if from.kind() == DatabaseKind::Postgres { "TIMESTAMPTZ" } else { "DATETIME" };
        from.given(&[
            "DROP TABLE IF EXISTS source",
            &format!("CREATE TABLE source (id INTEGER, name VARCHAR(20), amount NUMERIC(8, 2), at {time})"),
            "INSERT INTO source VALUES (1, 'a', 1.25, '2026-01-02 03:04:05'), (2, NULL, 2, NULL), (3, 'c', -3.5, '2026-01-02 03:04:06')",
        ])
        .await;
        for to in &places {
            let time = if to.kind() == DatabaseKind::Postgres { "TIMESTAMPTZ" } else { "DATETIME" };
            to.given(&[
                "DROP TABLE IF EXISTS target",
                &format!(
                    "CREATE TABLE target (id INTEGER PRIMARY KEY, name VARCHAR(20), amount NUMERIC(8, 2), at {time})"
                ),
            ])
            .await;
            let connection = to.world.services.lock().unwrap().connections["db"].clone();
            from.world.services.lock().unwrap().connections.insert("to".to_owned(), connection);
            let arguments = json!({"source_conn_id": "db", "destination_conn_id": "to", "sql": "SELECT * FROM source", "destination_table": "target",
                "preoperator": "DELETE FROM target", "page_size": 2});
            for _ in 0..2 {
                let run = from.world.run("sql_transfer", arguments.clone()).await;
                assert_eq!(run.result(), Some(&json!(3)), "{:?} to {:?}: {run:?}", from.kind(), to.kind());
            }
            let rows = to.rows("SELECT id, name, amount FROM target ORDER BY id").await;
            let two = if to.kind() == DatabaseKind::Sqlite { json!(2) } else { json!(2.0) };
            assert_eq!(rows, json!([[1, "a", 1.25], [2, null, two,], [3, "c", -3.5]]));
            assert_eq!(
                to.rows("SELECT count(*) FROM target WHERE at >= '2026-01-02 03:04:05'").await,
                json!([[2]]),
                "{sqlite}"
            );
            let again = json!({"source_conn_id": "db", "destination_conn_id": "to", "sql": "SELECT 9, 'x' UNION ALL SELECT 1, 'y'", "destination_table": "target", "columns": ["id", "name"]});
            from.world.run("sql_transfer", again).await.failed("");
            assert_eq!(to.rows("SELECT count(*) FROM target").await, json!([[3]]));
        }
    }
}

#[tokio::test]
async fn many_transfers_within_one_database_do_not_wait_for_each_other() {
    for place in Place::each().await {
        place.given(&[T, "CREATE TABLE copy (id INTEGER)", "INSERT INTO t VALUES (1, 'a', 1)"]).await;
        let arguments = json!({"source_conn_id": "db", "destination_conn_id": "db", "sql": "SELECT id FROM t", "destination_table": "copy"});
        let place = Arc::new(place);
        let mut runs: JoinSet<_> = (0..12)
            .map(|_| {
                let (place, arguments) = (place.clone(), arguments.clone());
                async move { place.world.run("sql_transfer", arguments).await }
            })
            .collect();
        while let Some(run) =
            timeout(Duration::from_secs(60), runs.join_next()).await.expect("they wait for each other")
        {
            assert_eq!(run.unwrap().result(), Some(&json!(1)), "{:?}", place.kind());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_reached_says_what_to_do() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("postgres://me:hunter2@127.0.0.1:{closed}/x");
    world
        .services
        .lock()
        .unwrap()
        .connections
        .insert("db".to_owned(), Connection::parse("db", &uri).unwrap().to_json());
    let run = world.run("sql", json!({"conn_id": "db", "sql": "SELECT 1"})).await;
    assert!(!run.failed("could not reach Postgres at 127.0.0.1").message.contains("hunter2"));
    world.run("sql", json!({"conn_id": "other", "sql": "SELECT 1"})).await.failed("there is no connection `other`");
    world.services.lock().unwrap().connections.insert("web".to_owned(), json!({"conn_type": "http", "host": "x"}));
    world.run("sql", json!({"conn_id": "web", "sql": "SELECT 1"})).await.failed_for_good("which is no SQL database");
}

/// Passes on what is said to this address and back, until it is to fall silent: then it only holds its connections.
/// Returns its port.
async fn silent_after(to: String, is_silent: Arc<AtomicBool>, open: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            open.fetch_add(1, Ordering::SeqCst);
            let server = TcpStream::connect(&to).await.unwrap();
            let ((mut asked, mut answered), (mut answers, mut asks)) = (caller.into_split(), server.into_split());
            let (is_silent, open) = (is_silent.clone(), open.clone());
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut asked, &mut asks).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = answers.read(&mut bytes).await {
                    if is_silent.load(Ordering::SeqCst) {
                        std::future::pending::<()>().await;
                    }
                    let _ = answered.write_all(&bytes[..count]).await;
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_keeps_no_task_and_no_connection() {
    for place in Place::each().await {
        let slow = match place.kind() {
            DatabaseKind::Postgres => "SELECT pg_sleep(600)",
            DatabaseKind::MySql => "SELECT SLEEP(600)",
            DatabaseKind::Sqlite => continue,
        };
        let (is_silent, open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut connection = place.world.services.lock().unwrap().connections["db"].clone();
        let port = if place.kind() == DatabaseKind::Postgres { 5432 } else { 3306 };
        let to = format!(
            "{}:{}",
            connection["host"].as_str().unwrap_or("127.0.0.1"),
            connection["port"].as_u64().unwrap_or(port)
        );
        connection["host"] = "127.0.0.1".into();
        connection["port"] = silent_after(to, is_silent.clone(), open.clone()).await.into();
        place.world.services.lock().unwrap().connections.insert("db".to_owned(), connection);
        let run = timeout(Duration::from_secs(120), async {
            let sql = json!({"sql": format!("SELECT 1; {slow}")});
            let (run, ()) = tokio::join!(place.run("sql", sql), async {
                while !place.world.text().contains(&format!("asking: {slow}")) {
                    tokio::task::yield_now().await;
                }
                is_silent.store(true, Ordering::SeqCst);
                place.world.cx.cancel.cancel();
            });
            run
        });
        assert_eq!(run.await.expect("it waits for the server").word(), "cancelled");
        let left = timeout(Duration::from_secs(120), async {
            while open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        left.await.expect("connections are left");
    }
}
