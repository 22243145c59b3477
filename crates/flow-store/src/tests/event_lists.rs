//! Lists of the events of a DAG and of a run do not sort what they can read in order.

use flow_core::Timestamp;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr};

use super::plans::with_args;
use crate::{EventFilter, EventOrder, Order, Store, db::Db, lists::events::Way};

/// Returns the lists of a DAG with many events, and of a run, as statements without arguments.
pub(super) async fn statements(store: &Store) -> Vec<(String, String)> {
    let one = || EventFilter { dag_id: Some("d7".to_owned()), ..EventFilter::default() };
    let at = |micros| Some(Timestamp::from_micros(micros));
    let run = EventFilter { run_id: Some("r206".to_owned()), ..one() };
    let cases = [
        ("of a DAG", one(), Way::Any),
        ("of a DAG before", EventFilter { before: at(7_000_000_000), ..one() }, Way::Any),
        ("of a DAG after", EventFilter { after: at(7), ..one() }, Way::Any),
        ("of a task", EventFilter { task_id: Some("t1".to_owned()), ..one() }, Way::Any),
        ("of a run", run, Way::Run { begin: 1_000, end: 9_000 }),
    ];
    let mut found = Vec::new();
    for (name, filter, way) in cases {
        for is_descending in [false, true] {
            let order = Order { by: EventOrder::Id, is_descending };
            let select = store.events(&filter, &[order], way).await.unwrap();
            let (text, args) = select.statement(50, 0);
            found.push((format!("{name}, down {is_descending}"), with_args(&text, &args)));
        }
    }
    found
}

#[tokio::test]
async fn lists_of_a_dag_read_an_index_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let Db::Sqlite { read, .. } = &store.db else { unreachable!("it is SQLite") };
    for (name, text) in statements(&store).await {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")).into_sql_str();
        let rows = sqlx::query(explain).fetch_all(read).await.unwrap();
        let steps = rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>().join("; ");
        assert!(steps.contains("INDEX event_of_dag (dag_id=?"), "{name}: {steps}");
        if name.starts_with("of a run") {
            assert!(steps.contains("event_of_dag (dag_id=? AND rowid>? AND rowid<?)"), "{name}: {steps}");
            assert!(steps.contains("event_rare_of_run (run_id=?)"), "{name}: {steps}");
        } else {
            assert!(!steps.contains("TEMP B-TREE"), "{name}: {steps}");
        }
    }
}
