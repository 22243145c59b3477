//! `examples/toll_stream`: events through Kafka into MySQL as they come, each of them once.

use std::time::{Duration, Instant};

use flow_clients::sql::{Cell, Database, Parameters};
use flow_core::connection::Connection;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    bench::{Pipeline, skip},
    broker::Broker,
};

/// How long events may take from Kafka into the table.
const SOON: Duration = Duration::from_secs(90);

/// A MySQL or MariaDB database of its own.
struct Tolls {
    connection: Connection,
    runtime: Runtime,
}

impl Tolls {
    fn make(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var("FLOW_TEST_MYSQL_URL") else {
            skip(test, "MySQL or MariaDB: scripts/with-mariadb COMMAND");
            return None;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut tolls = Self { connection: Connection::parse("tolls", &url).unwrap(), runtime };
        let name = format!("tolls_{}", std::process::id());
        tolls.ask(&format!("CREATE DATABASE {name}"));
        tolls.connection.schema = Some(name);
        Some(tolls)
    }

    fn ask(&self, sql: &str) -> Vec<Vec<Cell>> {
        self.runtime.block_on(async {
            let mut session = Database::new(&self.connection).unwrap().session().await.unwrap();
            session.all(sql, &Parameters::None, 10_000).await.unwrap()
        })
    }

    fn number(&self, sql: &str) -> i64 {
        match self.ask(sql).first().and_then(|row| row.first()) {
            Some(Cell::Int(number)) => *number,
            Some(Cell::Decimal(digits)) => digits.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The table is made by the first run.
    fn has_table(&self) -> bool {
        self.number(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'plaza_totals'",
        ) == 1
    }
}

#[test]
fn each_event_is_in_the_table_once_as_soon_as_it_has_come() {
    let test = "each_event_is_in_the_table_once_as_soon_as_it_has_come";
    let (Some(tolls), Some(broker)) = (Tolls::make(test), Broker::find(test)) else { return };
    // The name of the topic stands in the schedule; what others left in it would count.
    let topics = broker.call(&["topics", "list"], "");
    if topics.contains("toll_events") {
        broker.call(&["topics", "delete", "toll_events"], "");
    }
    broker.call(&["topics", "create", "toll_events", "--partitions", "3"], "");
    let uri = tolls.connection.to_json().to_string();
    let pipeline = Pipeline::start("toll_stream", &[("kafka_default", &broker.uri), ("tolls", &uri)]);
    let folder = pipeline.flow.folder().join("data");
    let drive = |id: &str, vehicles: u32| {
        let conf = json!({ "folder": folder, "vehicles": vehicles });
        pipeline.succeeds("toll_traffic", &json!({ "dag_run_id": id, "logical_date": null, "conf": conf }));
    };
    // A message of each 40 vehicles has no toll.
    let rows = |run: &str| format!("SELECT count(*) FROM passages WHERE event_id LIKE '{run}-%'");
    let wait = |run: &str, expected: i64| {
        let began = Instant::now();
        while !tolls.has_table() || tolls.number(&rows(run)) < expected {
            assert!(began.elapsed() < SOON, "the events of {run} are not there: {}", pipeline.flow.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    drive("first", 2_000);
    wait("first", 1_950);
    drive("second", 40);
    wait("second", 39);
    // The traffic of each minute goes on meanwhile.
    assert_eq!(tolls.number(&rows("first")), 1_950);
    assert_eq!(tolls.number(&rows("second")), 39);
    assert_eq!(tolls.number("SELECT count(*) - count(DISTINCT event_id) FROM passages"), 0);
    let began = Instant::now();
    while tolls.number("SELECT count(*) FROM plaza_totals") < 4 {
        assert!(began.elapsed() < SOON, "there are no totals: {}", pipeline.flow.said());
        std::thread::sleep(Duration::from_millis(100));
    }
}
