//! A small HTTP server for tests: answers what it is told to, remembers what it was asked, and knows how many
//! connections are open. Included by the tests of other crates.

#![allow(dead_code, clippy::allow_attributes, reason = "not every test asks everything")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
    task::AbortHandle,
};

/// A running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: watch::Sender<usize>,
    accepts: AbortHandle,
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its parameters.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
pub(crate) struct Reply {
    head: String,
    body: Vec<u8>,
    then: Then,
}

enum Then {
    KeepOpen,
    /// Says nothing more, and waits until the other side goes.
    Hang,
    /// Sends the body again and again.
    Repeat,
    Close,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len());
        Self { head, body, then: Then::KeepOpen }
    }

    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::new(200, body.to_string()).with("content-type", "application/json")
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "elsewhere").with("location", to)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// No answer at all.
    pub(crate) fn silence() -> Self {
        Self { head: String::new(), body: Vec::new(), then: Then::Hang }
    }

    /// The start of a body of 1 GiB, then nothing.
    pub(crate) fn hangs(body: &str) -> Self {
        let head = "HTTP/1.1 200 Told\r\ncontent-length: 1073741824\r\n".to_owned();
        Self { head, body: body.into(), then: Then::Hang }
    }

    /// A body without an end.
    pub(crate) fn endless() -> Self {
        let head = "HTTP/1.1 200 Told\r\nconnection: close\r\n".to_owned();
        Self { head, body: vec![b'x'; 64 * 1024], then: Then::Repeat }
    }

    pub(crate) fn set_status(&mut self, status: u16) {
        self.head = self.head.replacen("200", &status.to_string(), 1);
    }

    /// Less of a body than was said.
    pub(crate) fn broken_off() -> Self {
        let head = "HTTP/1.1 200 Told\r\ncontent-length: 1000\r\n".to_owned();
        Self { head, body: b"only this".to_vec(), then: Then::Close }
    }

    /// No HTTP.
    pub(crate) fn raw(bytes: &str) -> Self {
        Self { head: String::new(), body: bytes.into(), then: Then::Close }
    }
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(answer, |stream| async { Some(stream) }).await
    }

    /// Speaks TLS.
    pub(crate) async fn start_tls(
        config: tokio_rustls::rustls::ServerConfig,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Self::listen(answer, move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.ok() }
        })
        .await
    }

    async fn listen<S, F>(
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
        open_stream: impl Fn(tokio::net::TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let open = watch::Sender::new(0);
        let (known, answer) = ((asked.clone(), open.clone()), Arc::new(answer));
        let accepts = tokio::spawn(async move {
            let (asked, open) = known;
            while let Ok((stream, _)) = listener.accept().await {
                open.send_modify(|open| *open += 1);
                let (asked, open, answer) = (asked.clone(), open.clone(), answer.clone());
                let opened = open_stream(stream);
                tokio::spawn(async move {
                    if let Some(stream) = opened.await {
                        let _ = serve(stream, &asked, &*answer).await;
                    }
                    open.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, asked, open, accepts: accepts.abort_handle() }
    }

    /// What it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until this many connections are open.
    pub(crate) async fn open(&self, wanted: usize) {
        let mut open = self.open.subscribe();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), open.wait_for(|open| *open == wanted));
        waited.await.unwrap_or_else(|_| panic!("{} connections are open", *self.open.borrow())).unwrap();
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    asked: &Mutex<Vec<Asked>>,
    answer: &(impl Fn(&Asked) -> Reply + ?Sized),
) -> std::io::Result<()> {
    let mut read = Vec::new();
    while let Some(request) = request(&mut stream, &mut read).await? {
        asked.lock().unwrap().push(request.clone());
        let reply = answer(&request);
        let head = if reply.head.is_empty() { String::new() } else { format!("{}\r\n", reply.head) };
        stream.write_all(head.as_bytes()).await?;
        if request.method != "HEAD" {
            stream.write_all(&reply.body).await?;
        }
        stream.flush().await?;
        match reply.then {
            Then::KeepOpen => {}
            Then::Close => return stream.shutdown().await,
            Then::Repeat => loop {
                stream.write_all(&reply.body).await?;
            },
            Then::Hang => while stream.read(&mut [0; 64]).await? > 0 {},
        }
    }
    if !read.is_empty() {
        stream.write_all(b"HTTP/1.1 400 What\r\nconnection: close\r\n\r\n").await?;
    }
    Ok(())
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    loop {
        if read.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
            return Ok(None);
        }
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let mut lines = head.lines();
            let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
            let mut made = Asked {
                method: first.next().unwrap_or_default(),
                path: first.next().unwrap_or_default(),
                headers: lines.filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.into(), b.into())).collect(),
                body: String::new(),
            };
            let length = made.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
            while read.len() < end + 4 + length {
                if more(stream, read).await? == 0 {
                    return Ok(None);
                }
            }
            made.body = String::from_utf8_lossy(&read[end + 4..end + 4 + length]).into_owned();
            read.drain(..end + 4 + length);
            return Ok(Some(made));
        }
        if more(stream, read).await? == 0 {
            return Ok(None);
        }
    }
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut buffer = [0; 8192];
    let count = stream.read(&mut buffer).await?;
    read.extend_from_slice(&buffer[..count]);
    Ok(count)
}
