use std::{path::Path, time::Duration};

use flow_core::{
    Timestamp,
    catalog::Catalog,
    dag::{Source, parse},
};
use flow_store::{DagCache, FileSave, Store};

use super::*;
use crate::{
    Clock,
    log::{LogStore, Masker},
    worker::Scratch,
};

fn message(partition: i32, offset: i64, value: &str) -> Message {
    Message {
        topic: "orders".into(),
        partition,
        offset,
        timestamp: Some(1_700_000_000_000),
        key: None,
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

fn topic() -> KafkaTopic {
    KafkaTopic { connection: "kafka_default".into(), topic: "orders".into(), group_id: "invoices".into() }
}

/// Cuts messages into batches as a reader does.
fn batches(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut batches = vec![Batch::default()];
    for message in messages {
        if !batches.last().unwrap().has_room_for(&message) {
            batches.push(Batch::default());
        }
        batches.last_mut().unwrap().push(message);
    }
    batches.into_iter().map(|batch| batch.messages).collect()
}

#[test]
fn every_message_is_told_to_a_run_however_many_there_are() {
    let quotes = "\"".repeat(1_500);
    let messages = (0..2_000).map(|n| message(n % 700, i64::from(n), if n % 2 == 0 { &quotes } else { "short" }));
    let batches = batches(messages.collect());
    assert!(batches.len() > 10, "{}", batches.len());
    let mut told = 0;
    for batch in batches {
        let conf = conf(&topic(), &batch, &Ranges::of(&batch));
        assert!(conf.to_string().len() <= CONF_MAX);
        told += conf["messages"].as_array().unwrap().len();
    }
    assert_eq!(told, 2_000);
}

#[test]
fn only_a_message_that_is_too_large_by_itself_is_not_told() {
    let huge = "x".repeat(CONF_MAX);
    let deep = format!("{}{}", "[".repeat(110), "]".repeat(110));
    let all = ["a", &huge, "b", &deep, "c"].into_iter().zip(0..).map(|(value, at)| message(0, at, value));
    let told: Vec<_> = batches(all.collect())
        .iter()
        .map(|batch| conf(&topic(), batch, &Ranges::of(batch))["messages"].as_array().map(Vec::len))
        .collect();
    assert_eq!(told, [Some(1), None, Some(1), None, Some(1)]);
}

fn shop(store: &Store, dags: DagCache, folder: &Path) -> Workshop {
    let clock = Clock::standing_at(Timestamp::from_micros(0));
    Workshop {
        store: store.clone(),
        dags,
        registry: Arc::new(flow_operators::all()),
        clients: flow_clients::Clients::default(),
        logs: LogStore::new(folder.join("logs"), clock.clone()),
        clock,
        worker: "w".to_owned(),
        kill_grace: Duration::from_secs(1),
        scratch: Arc::new(Scratch::new(&folder.join("scratch"), "w")),
        dag_folder: None,
        masker: Masker::default(),
        traces: None,
    }
}

#[tokio::test]
async fn nothing_moves_on_without_a_dag_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let catalog = Arc::new(flow_operators::all().catalog());
    for id in ["a", "b"] {
        let text = format!(
            "dag_id: {id}\nschedule: {{ kafka: {{ topic: orders, group_id: invoices }} }}\ntasks: [{{ id: work, uses: bash, \
             with: {{ bash_command: 'true' }} }}]\n"
        );
        let parsed = parse(&Source { text: &text, stem: id, ..Source::default() }, &catalog);
        let path = format!("{id}.yaml");
        let save = FileSave {
            path: &path,
            hash: &text,
            source_hash: &text,
            text: &text,
            files: &BTreeMap::new(),
            dags: &parsed.dags,
            error_text: "",
            diagnostics: &[],
            paused_at_creation: id == "b",
        };
        let mut tx = store.begin().await.unwrap();
        tx.save_file(&save, Timestamp::from_micros(0)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let other = KafkaTopic { group_id: "others".to_owned(), ..topic() };
    let able = shop(&store, DagCache::new(catalog), folder.path());
    let found = dags_of(&able, &topic()).await.unwrap();
    let found: Vec<_> = found.iter().map(|reads| (reads.dag_id.as_str(), reads.is_paused)).collect();
    assert_eq!(found, [("a", false), ("b", true)]);
    assert!(dags_of(&able, &other).await.unwrap().is_empty());
    // A program that does not know the operator.
    let unable = shop(&store, DagCache::new(Arc::new(Catalog::new(Vec::new()))), folder.path());
    assert!(dags(&unable).await.unwrap().is_empty());
    let error = dags_of(&unable, &topic()).await.err().unwrap();
    assert!(error.contains("DAG `a` wants these messages too, and cannot be read"), "{error}");
    assert!(dags_of(&unable, &other).await.unwrap().is_empty());
}
