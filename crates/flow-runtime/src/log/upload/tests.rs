//! Against a server that speaks as much S3 as is needed, and misbehaves when it is told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use flow_core::Timestamp;
use flow_operators::{LogSink, Stream};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    Clock,
    log::{LogId, Masker},
};

/// How the store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Fine,
    Full,
    /// It takes connections, and never answers.
    Silent,
}

#[derive(Clone)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    mood: Arc<Mutex<Mood>>,
    address: std::net::SocketAddr,
}

impl Bucket {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bucket = Self {
            objects: Arc::default(),
            mood: Arc::new(Mutex::new(Mood::Fine)),
            address: listener.local_addr().unwrap(),
        };
        let mine = bucket.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mine.clone().serve(stream));
            }
        });
        bucket
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let mut words = line.split_whitespace();
            let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
            let (mut length, mut range) = (0, None);
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).await.ok()?;
                let Some((name, value)) = header.trim().split_once(':') else { break };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().ok()?,
                    "range" => range = value.trim().strip_prefix("bytes=").map(str::to_owned),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            let mood = *self.mood.lock().unwrap();
            let answer = match mood {
                Mood::Silent => std::future::pending().await,
                Mood::Full => empty("507 Insufficient Storage"),
                Mood::Fine => self.answer(&method, &path, range.as_deref(), body),
            };
            stream.write_all(&answer).await.ok()?;
        }
    }

    fn answer(&self, method: &str, path: &str, range: Option<&str>, body: Vec<u8>) -> Vec<u8> {
        let mut objects = self.objects.lock().unwrap();
        let (key, query) = path.split_once('?').unwrap_or((path, ""));
        match (method, objects.get(key)) {
            ("POST", _) if query == "uploads" || query == "uploads=" => {
                xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
            }
            ("PUT", _) if query.contains("partNumber=") => {
                let number: usize = query.split(['=', '&']).nth(1).unwrap().parse().unwrap();
                objects.insert(format!("{key}#{number:05}"), body);
                empty("200 OK")
            }
            ("POST", _) => {
                let parts: Vec<String> =
                    objects.keys().filter(|name| name.starts_with(&format!("{key}#"))).cloned().collect();
                let whole = parts.iter().flat_map(|name| objects.remove(name).unwrap()).collect();
                objects.insert(key.to_owned(), whole);
                xml("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
            }
            ("PUT", _) => {
                objects.insert(key.to_owned(), body);
                empty("200 OK")
            }
            (_, None) => empty("404 Not Found"),
            ("HEAD", Some(found)) => head("200 OK", found.len(), "").into_bytes(),
            (_, Some(found)) => {
                let (from, to) = range.unwrap().split_once('-').unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                let part = &found[from..=to];
                let about = format!("Content-Range: bytes {from}-{to}/{}\r\n", found.len());
                [head("206 Partial Content", part.len(), &about).as_bytes(), part].concat()
            }
        }
    }

    fn remote(&self) -> RemoteLogs {
        let options = [
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_REGION", "here".to_owned()),
            ("FLOW_LOGS_AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ENDPOINT", "http://127.0.0.1:1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("PATH", "/nowhere".to_owned()),
        ];
        RemoteLogs::new("s3://bucket/flow", options.map(|(name, value)| (name.to_owned(), value))).unwrap()
    }

    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

fn head(status: &str, length: usize, more: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{more}\r\n"
    )
}

fn empty(status: &str) -> Vec<u8> {
    head(status, 0, "").into_bytes()
}

fn xml(text: &str) -> Vec<u8> {
    format!("{}{text}", head("200 OK", text.len(), "Content-Type: application/xml\r\n")).into_bytes()
}

struct World {
    folder: tempfile::TempDir,
    logs: LogStore,
    store: Store,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = LogStore::new(folder.path().join("logs"), Clock::standing_at(Timestamp::from_micros(0)));
        logs.announce();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("flow.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        Self { folder, logs, store }
    }

    /// Writes the log of an attempt that the database does not know, so it has ended.
    fn log(&self, task: &str, text: &str) -> LogId {
        let identity = crate::log::tests::identity(task, 1);
        let log = self.logs.open(&identity, Masker::default());
        log.write(Stream::Stdout, text.as_bytes());
        log.close();
        LogId::of(&identity)
    }

    fn uploader(&self, remote: RemoteLogs) -> Uploader {
        let look = Duration::from_millis(20);
        Uploader { look, ..Uploader::new(self.logs.clone(), self.store.clone(), remote) }
    }

    fn waiting(&self) -> u64 {
        count(&Queue::of(self.logs.root()).folder())
    }

    fn state(&self) -> UploadState {
        UploadState::read(self.logs.root()).unwrap_or_default()
    }

    fn local(&self, id: &LogId) -> Vec<u8> {
        fs::read(self.logs.path(id, 1)).unwrap()
    }
}

/// Waits until something holds; fails after a while.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), wait).await.is_ok(), "never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_sent_when_its_attempt_has_ended_and_read_by_range() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    let id = world.log("t", "hello\n");
    assert_eq!(world.waiting(), 1);
    let (stop, ended) = (Stop::new(), CancellationToken::new());
    let running = tokio::spawn(world.uploader(bucket.remote()).run(stop.clone(), ended.clone()));
    until("sent", || world.waiting() == 0).await;
    ended.cancel();
    running.await.unwrap();
    let text = world.local(&id);
    assert_eq!(bucket.objects.lock().unwrap().values().next().unwrap(), &text);
    assert!(bucket.keys()[0].starts_with("/bucket/flow/dag_id%3Detl/run_id%3D"), "{:?}", bucket.keys());
    let read = async |offset, max| bucket.remote().read(&id, 1, offset, max).await.unwrap();
    assert_eq!(read(0, 0).await.unwrap().size, text.len() as u64);
    assert_eq!(read(3, 5).await.unwrap().bytes, text[3..8]);
    assert_eq!(read(9999, 5).await.unwrap().bytes, b"");
    assert_eq!(bucket.remote().read(&id, 2, 0, 9).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_attempts_write_is_sent_before_the_process_ends() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    let (stop, ended) = (Stop::new(), CancellationToken::new());
    let mut uploader = world.uploader(bucket.remote());
    uploader.look = Duration::from_secs(3600);
    let running = tokio::spawn(uploader.run(stop.clone(), ended.clone()));
    stop.drain();
    world.log("t", "handed back\n");
    tokio::task::yield_now().await;
    assert!(!running.is_finished(), "it goes on until nothing writes any more");
    ended.cancel();
    running.await.unwrap();
    assert_eq!((world.waiting(), bucket.keys().len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_full_or_away_loses_nothing_and_is_told() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    *bucket.mood.lock().unwrap() = Mood::Full;
    let (stop, ended) = (Stop::new(), CancellationToken::new());
    // Before anybody looks: attempts that the database does not know count as ended, even between their name in the
    // queue and their first line.
    let ids: Vec<LogId> = (0..20).map(|number| world.log(&format!("t{number}"), "hello\n")).collect();
    let running = tokio::spawn(world.uploader(bucket.remote()).run(stop.clone(), ended.clone()));
    until("it fails", || world.state().failing_since.is_some() && world.state().waiting == 20).await;
    assert!(world.state().error.unwrap().contains("507"));
    assert!(ids.iter().all(|id| !world.local(id).is_empty()));
    // The process ends, and another one begins.
    ended.cancel();
    running.await.unwrap();
    *bucket.mood.lock().unwrap() = Mood::Fine;
    let ended = CancellationToken::new();
    let running = tokio::spawn(world.uploader(bucket.remote()).run(stop, ended.clone()));
    until("delivered", || world.waiting() == 0 && world.state() == UploadState::default()).await;
    assert_eq!(bucket.keys().len(), 20);
    ended.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_holds_up_neither_writers_nor_the_end() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    *bucket.mood.lock().unwrap() = Mood::Silent;
    let (stop, ended) = (Stop::new(), CancellationToken::new());
    world.log("t", "hello\n");
    let running = tokio::spawn(world.uploader(bucket.remote()).run(stop.clone(), ended.clone()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = std::time::Instant::now();
    world.log("other", "hello\n");
    stop.now();
    ended.cancel();
    running.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(world.waiting(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_goes_in_parts_from_its_packed_form_too() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    let id = world.log("t", "x");
    let text = "0123456789abcde\n".repeat(20 * 65_536);
    fs::write(world.logs.path(&id, 1), &text).unwrap();
    super::super::packed::pack(&world.logs.path(&id, 1), &|| false).unwrap();
    let mut aside = HashSet::new();
    let walked = world.uploader(bucket.remote()).walk(&mut aside, true).await.unwrap();
    assert_eq!((walked.delivered, walked.failure.map(|error| error.to_string())), (1, None));
    assert!(bucket.objects.lock().unwrap().values().next().unwrap() == text.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_a_store_too_and_what_is_wrong_with_a_place_is_said() {
    let world = World::new().await;
    let other = world.folder.path().join("with space");
    let url = format!("file://{}", other.display()).replace(' ', "%20");
    let walked = world.uploader(RemoteLogs::new(&url, []).unwrap()).walk(&mut HashSet::new(), true).await.unwrap();
    assert!(walked.failure.is_none(), "nothing to send");
    let id = world.log("a/b %é", "hello\n");
    let walked = world.uploader(RemoteLogs::new(&url, []).unwrap()).walk(&mut HashSet::new(), true).await.unwrap();
    assert!(walked.failure.unwrap().to_string().contains("there is no folder"));
    assert!(RemoteLogs::new("s3://key:secret@bucket", []).err().unwrap().contains("no room for secrets"));
    assert!(RemoteLogs::new("nowhere", []).is_err());
    fs::create_dir(&other).unwrap();
    let remote = RemoteLogs::new(&url, []).unwrap();
    world.uploader(remote.clone()).walk(&mut HashSet::new(), true).await.unwrap();
    assert_eq!(fs::read(id.file(&other, 1)).unwrap(), world.local(&id), "under the same name");
    assert_eq!(remote.read(&id, 1, 25, 5).await.unwrap().unwrap().bytes.len(), 5);
    remote.remove(&id.folder(Path::new("")), true).await.unwrap();
    assert_eq!(remote.read(&id, 1, 0, 5).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_alarms_nobody_and_is_given_up_in_the_end() {
    let (world, bucket) = (World::new().await, Bucket::start().await);
    let bad = world.log("bad", "hello\n");
    let path = world.logs.path(&bad, 1);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    for number in 0..3 {
        world.log(&format!("good{number}"), "hello\n");
    }
    let (stop, ended) = (Stop::new(), CancellationToken::new());
    let running = tokio::spawn(world.uploader(bucket.remote()).run(stop, ended.clone()));
    until("the others are delivered", || bucket.keys().len() == 3 && world.waiting() == 1).await;
    assert_eq!(world.state().failing_since, None);
    let entries = fs::read_dir(Queue::of(world.logs.root()).folder()).unwrap();
    for entry in entries.flatten() {
        let touched = std::process::Command::new("touch").args(["-h", "-d", "10 days ago"]).arg(entry.path()).status();
        assert!(touched.unwrap().success());
    }
    until("it is given up", || world.waiting() == 0).await;
    ended.cancel();
    running.await.unwrap();
    assert_eq!(bucket.keys().len(), 3);
}
