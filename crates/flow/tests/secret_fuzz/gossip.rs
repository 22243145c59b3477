//! An HTTP server that says whatever it knows: the secrets are in every answer, in all of its parts.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flow_core::connection::encode;
use serde_json::json;

/// So much is shown of bodies, in characters or bytes.
const SHOWN: [usize; 2] = [300, 1024];

/// An HTTP server; it ends with its process.
pub(crate) struct Gossip {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Gossip {
    pub(crate) fn start(secrets: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let counter = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (secrets, counter) = (secrets.clone(), counter.clone());
                std::thread::spawn(move || {
                    // Whoever hears enough may go in the middle.
                    let _ = answer(stream, &secrets, &counter);
                });
            }
        });
        Self { address, asked }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, secrets: &[String], counter: &AtomicUsize) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    counter.fetch_add(1, Ordering::SeqCst);
    let all = secrets.join(" ");
    let heard = format!("{all}\n{head}\n{}", String::from_utf8_lossy(&body));
    let path = head.split_whitespace().nth(1).unwrap_or("/").split('?').next().unwrap_or("/").to_owned();
    let in_path = encode(&all);
    let header = |name: &str, value: &str| format!("{name}: {value}\r\n");
    let (status, headers, body) = match path.as_str() {
        "/refuse" => ("403 Forbidden", String::new(), heard),
        "/fail" => (
            "500 Oh",
            String::new(),
            // Each secret stands where an answer that is too long is cut: half of it is shown.
            SHOWN.iter().fold(String::new(), |text, shown| {
                let from = shown - secrets[0].chars().count() / 2;
                format!("{text:x<from$}{}", secrets[0])
            }),
        ),
        "/long" => (
            "200 OK",
            String::new(),
            format!("{:x<1$}{2}{2}", "", SHOWN[0] - secrets[0].chars().count() / 2, secrets[0]),
        ),
        "/away" => ("302 Found", header("Location", &format!("/{in_path}?key={in_path}#{in_path}")), heard),
        "/nowhere" => ("302 Found", header("Location", &format!("http://{in_path}@127.0.0.1:1/{in_path}")), heard),
        "/wrong" => ("302 Found", header("Location", &format!("gopher:{in_path}")), heard),
        "/json" => (
            "200 OK",
            header("Content-Type", "application/json"),
            json!({ "it": secrets, all.clone(): { "deep": [heard] }, "next": format!("/refuse?token={in_path}") })
                .to_string(),
        ),
        "/busy" => ("503 Busy", header("Retry-After", &secrets[0]), heard),
        _ => (
            "200 OK",
            header("X-Said", &secrets.join(", ")) + &header("Link", &format!("</{in_path}>; rel=\"next\"")),
            heard,
        ),
    };
    // One that is broken off says more than it sends.
    let more = if path == "/broken" { 10 } else { 0 };
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len() + more);
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}
