//! Lists of task instances begin where few rows are, on SQLite, which looks where it is told.

use flow_core::{RunKey, TaskState};
use sqlx::{AssertSqlSafe, Row, SqlSafeStr};

use crate::{Order, Store, TaskFilter, TaskOrder, db::Db, with_task_key};

/// What a list is called, its filter and order, and what its plan says.
type Case = (&'static str, TaskFilter, Vec<Order<TaskOrder>>, &'static [&'static str]);

/// Returns the steps of the plan for a page.
async fn plan(store: &Store, filter: &TaskFilter, orders: &[Order<TaskOrder>]) -> String {
    let orders = with_task_key(orders);
    let way = store.way(filter, &orders).await.unwrap();
    let (text, _) = store.task_instances(filter, &orders, way).statement(50, 0);
    let Db::Sqlite { read, .. } = &store.db else { unreachable!("it is SQLite") };
    let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")).into_sql_str();
    let rows = sqlx::query(text).fetch_all(read).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_list_begins_where_few_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let all = TaskFilter::default;
    let state = |state| TaskFilter { states: Some(vec![state]), ..all() };
    let dag = || Some(vec!["d".to_owned()]);
    let by = |by| vec![Order { by, is_descending: true }];
    let cases: [Case; 9] = [
        (
            "of a run",
            TaskFilter { run: Some(RunKey(1)), ..all() },
            vec![],
            &["SEARCH r USING INTEGER PRIMARY KEY", "SEARCH t USING PRIMARY KEY"],
        ),
        ("all", all(), vec![], &["SCAN r", "SEARCH t USING PRIMARY KEY (run=?)"]),
        ("by run_after", all(), by(TaskOrder::RunAfter), &["dag_run_by_run_after"]),
        ("by start", all(), by(TaskOrder::StartedAt), &["task_instance_started"]),
        ("running", state(TaskState::Running), vec![], &["dag_run_active"]),
        ("not begun", state(TaskState::NoStatus), by(TaskOrder::StartedAt), &["dag_run_active"]),
        ("failed", state(TaskState::Failed), vec![], &["task_instance_failed", "SEARCH r USING INTEGER PRIMARY KEY"]),
        (
            "failed of a DAG",
            TaskFilter { dags: dag(), ..state(TaskState::Failed) },
            vec![],
            &["task_instance_failed_of_dag"],
        ),
        (
            "of a DAG",
            TaskFilter { dags: dag(), ..all() },
            vec![],
            &["dag_run_of_dag", "SEARCH t USING PRIMARY KEY (run=?)"],
        ),
    ];
    for (name, filter, orders, expected) in cases {
        let steps = plan(&store, &filter, &orders).await;
        for part in expected {
            assert!(steps.contains(part), "{name}: {steps}");
        }
        // What is few may be sorted; what is not is read in order, but for the tasks of one run.
        let is_few = filter.states.is_some();
        let sorts = steps.replace("USE TEMP B-TREE FOR LAST", "").replace("USE TEMP B-TREE FOR RIGHT PART", "");
        assert!(is_few || !sorts.contains("USE TEMP B-TREE"), "{name}: {steps}");
    }
}
