//! A thousand connections that are slow in every way there is, on one process that schedules, works and serves: runs
//! go on, and everyone else is served.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![expect(clippy::print_stdout, reason = "measurements are for whoever reads the test's output")]

mod crash {
    #[expect(dead_code, reason = "the crash tests use more of it")]
    pub(crate) mod place;
}

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crash::place::Place;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SLOW_HEADERS: usize = 600;
const SLOW_BODIES: usize = 350;
/// Few: what the kernel keeps for each is memory.
const NOT_READING: usize = 50;

/// How a client is slow.
#[derive(Clone, Copy)]
enum Slow {
    Headers,
    Body,
    NotReading,
}

/// Slow clients, in a thread of their own; each comes back when it is thrown out.
struct Crowd {
    is_over: Arc<AtomicBool>,
    connected: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Crowd {
    fn gather(server: SocketAddr) -> Self {
        let (is_over, connected) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (over, count) = (Arc::clone(&is_over), Arc::clone(&connected));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let all = [(Slow::Headers, SLOW_HEADERS), (Slow::Body, SLOW_BODIES), (Slow::NotReading, NOT_READING)];
                for (slow, number) in all {
                    for _ in 0..number {
                        let (over, count) = (Arc::clone(&over), Arc::clone(&count));
                        tokio::spawn(async move {
                            while !over.load(Ordering::Relaxed) {
                                let _ = dawdle(slow, server, &count).await;
                                tokio::time::sleep(Duration::from_millis(200)).await;
                            }
                        });
                    }
                }
                while !over.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        });
        Self { is_over, connected, thread: Some(thread) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Holds one connection until the server ends it.
async fn dawdle(slow: Slow, server: SocketAddr, connected: &AtomicUsize) -> std::io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(server).await?;
    connected.fetch_add(1, Ordering::Relaxed);
    match slow {
        Slow::Headers => stream.write_all(b"GET /api/v2/version HTTP/1.1\r\nHost: localhost\r\nX-A: ").await?,
        Slow::Body => {
            stream.write_all(b"POST /api/v2/pools HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{").await?
        }
        Slow::NotReading => {
            for _ in 0..100 {
                stream.write_all(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
            }
            // The other end closes: then writing fails.
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(b"G").await?;
            }
        }
    }
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if read? == 0 { return Ok(()) },
            () = tokio::time::sleep(Duration::from_millis(500)) => stream.write_all(b"a").await?,
        }
    }
}

/// Asks for something on a connection of its own; returns the first line of the answer.
fn get(server: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(20))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn a_thousand_slow_connections_are_in_nobodys_way() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(8_192)), hard).unwrap();
    let place = Place::new(None);
    place.add_dag(
        "work",
        "dag_id: work\nmax_active_runs: 100\ntasks:\n  - { id: a, uses: bash, with: { bash_command: 'true' } }\n  \
         - { id: b, uses: bash, needs: [a], with: { bash_command: 'echo done' } }\n",
    );
    let flow = place.start(&["standalone", "--port", "0"]);
    place.wait_for_dags(&["work"]);
    let words = place.words();
    let address = words.split_once("http://").unwrap().1.split_whitespace().next().unwrap();
    let server: SocketAddr = address.parse().unwrap();
    assert_eq!(get(server, "/api/v2/version").unwrap(), "HTTP/1.1 200 OK");

    let crowd = Crowd::gather(server);
    let all = SLOW_HEADERS + SLOW_BODIES + NOT_READING;
    place.wait(Duration::from_secs(60), "the crowd does not gather", || crowd.connected.load(Ordering::Relaxed) >= all);
    let runs: Vec<_> = (0..30).map(|number| ("work".to_owned(), format!("run_{number}"))).collect();
    place.trigger(&runs);
    let mut slowest = Duration::ZERO;
    for _ in 0..40 {
        let started = Instant::now();
        assert_eq!(get(server, "/api/v2/version").unwrap(), "HTTP/1.1 200 OK");
        slowest = slowest.max(started.elapsed());
    }
    place.wait(Duration::from_secs(60), "runs do not end", || {
        let runs = place.runs(false);
        runs.len() == 30 && runs.iter().all(|run| run.state == "success")
    });
    println!("{} connections; slowest answer beside them: {slowest:?}", crowd.connected.load(Ordering::Relaxed));
    // Nor do they hold up its end.
    flow.terminate();
    assert!(flow.wait(Duration::from_secs(30)).success());
    drop(crowd);
}
