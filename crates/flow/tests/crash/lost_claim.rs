//! An attempt that a worker has taken without knowing it: its claim was written down, the confirmation got lost.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::place::Place;

#[test]
fn an_idle_worker_gives_back_what_it_does_not_know_of() {
    let place = Place::new(None);
    place.add_dag(
        "claimed",
        "dag_id: claimed\ntasks:\n  - { id: a, uses: bash, queue: nobodys, with: { bash_command: 'true' } }\n",
    );
    let mut command = place.command(&["standalone", "--port", "0"]);
    let flow = place.spawn(command.env("FLOW__WORKER__HEARTBEAT", "500ms"));
    place.wait_for_dags(&["claimed"]);
    place.trigger(&[("claimed".to_owned(), "one".to_owned())]);
    let task = || place.runs(true)[0].tasks["a"].clone();
    place.wait(Duration::from_secs(60), "it is not queued", || task().0 == "queued");
    claim(&place);
    // Its next try waits for a worker of that queue again.
    place.wait(Duration::from_secs(60), "it is not given back", || task() == ("queued".to_owned(), 2));
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(60)).success());
}

/// Writes what a claim writes, for the one worker there is.
fn claim(place: &Place) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let path = place.url.strip_prefix("sqlite:").unwrap();
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let attempt = "UPDATE attempt SET worker = (SELECT id FROM process), hostname = '', started_at = queued_at,
            lease_until = queued_at + 1000000000, token = token + 1";
        for statement in [attempt, "UPDATE task_instance SET state = 'running', started_at = queued_at"] {
            assert_eq!(sqlx::query(statement).execute(&mut *tx).await.unwrap().rows_affected(), 1);
        }
        tx.commit().await.unwrap();
    });
}
