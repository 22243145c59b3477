//! The accept loop: who may hold a connection, and for how long.
//!
//! Slow clients cost a connection each and no more: headers, bodies and reading all have time limits; when there are
//! too many connections the one that has been waiting longest without a request makes room, or else the one whose
//! answer takes longest, unless it is a stream: those have seats. Connections are bounded so that the rest of the process
//! always finds file descriptors.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{App, router};

/// Longest that headers may take to come; also how long a connection is kept for a next request.
const HEADERS: Duration = Duration::from_secs(10);
/// A client that takes nothing for so long is dropped.
const STALL: Duration = Duration::from_secs(30);
/// An answer that takes longer makes room for others when there is none.
const SLOW: Duration = Duration::from_secs(60);
/// After being asked to end, what requests get to finish.
const FAREWELL: Duration = Duration::from_secs(5);
/// After accepting failed, which it does when there are no file descriptors left.
const TROUBLE: Duration = Duration::from_millis(100);
/// Largest headers of a request.
const HEADER_BYTES_MAX: usize = 32 * 1024;
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From one address.
    pub per_address: usize,
}

/// Serves until `stop` is ready, then finishes the requests at hand, for a while; streams end at once.
///
/// # Errors
///
/// None for now: a listener that fails is tried again.
pub async fn serve(
    listener: TcpListener,
    app: App,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = app.live.closing.clone();
    serve_router(listener, router(app), limits, closing, stop).await;
    Ok(())
}

/// Serves what a router has, as [`serve`] does.
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    closing: CancellationToken,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let connections = Arc::new(Connections { limits, next: Mutex::default(), open: Mutex::default() });
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Connections::admit(&connections, peer.ip()) {
                Some(place) => {
                    tasks.spawn(hold(stream, peer, router.clone(), place, closing.clone()));
                }
                // Best effort: it is closed in any case.
                None => drop(stream.try_write(FULL)),
            },
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(TROUBLE).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    let all_done = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all_done).await.is_err() {
        tracing::info!("requests that did not finish in time are dropped");
    }
}

/// Serves one connection until it ends.
async fn hold(stream: TcpStream, peer: SocketAddr, router: Router, place: Place, closing: CancellationToken) {
    // Small answers are sent at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALL));
    let place = Arc::new(place);
    let evicted = place.evicted.clone();
    let service =
        service_fn(move |request: hyper::Request<Incoming>| answer(request, peer, router.clone(), Arc::clone(&place)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        // Whatever ends it: the client has gone, was too slow, or spoke something else.
        _ = connection.as_mut() => return,
        () = evicted.cancelled() => return,
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
) -> Result<Response, std::convert::Infallible> {
    let busy = Busy::begin(place);
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    if response.extensions().get::<Lasts>().is_some() {
        busy.0.set(Doing::Streams);
    }
    Ok(response.map(|inner| Body::new(Busily { inner, _busy: busy })))
}

/// Marks an answer as a stream that has a seat: it may last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lasts;

/// All connections.
#[derive(Debug)]
struct Connections {
    limits: Limits,
    next: Mutex<u64>,
    open: Mutex<HashMap<u64, Connection>>,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    doing: Doing,
    since: Instant,
    evicted: CancellationToken,
}

/// What a connection does. Ordered: an earlier one makes room first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    /// It has no request.
    Waits,
    Answers,
    Streams,
}

/// A connection's place among the others; given back when dropped.
#[derive(Debug)]
struct Place {
    number: u64,
    evicted: CancellationToken,
    connections: Arc<Connections>,
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a place for a new connection; `None` when there is no room, and nobody who waits could make it.
    fn admit(connections: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = connections.open();
        let limits = connections.limits;
        let of_address = open.values().filter(|other| other.address == address).count();
        let is_full_for = of_address >= limits.per_address;
        if is_full_for || open.len() >= limits.connections {
            let others = open.iter().filter(|(_, other)| !is_full_for || other.address == address);
            let longest =
                others.filter(|(_, other)| other.may_go()).min_by_key(|(_, other)| (other.doing, other.since));
            let number = *longest?.0;
            let evicted = open.remove(&number)?;
            evicted.evicted.cancel();
        }
        let evicted = CancellationToken::new();
        let number = {
            let mut next = connections.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        open.insert(
            number,
            Connection { address, doing: Doing::Waits, since: Instant::now(), evicted: evicted.clone() },
        );
        Some(Place { number, evicted, connections: Arc::clone(connections) })
    }
}

impl Connection {
    /// Says whether it may make room for another.
    fn may_go(&self) -> bool {
        match self.doing {
            Doing::Waits => true,
            Doing::Answers => self.since.elapsed() >= SLOW,
            Doing::Streams => false,
        }
    }
}

impl Place {
    fn set(&self, doing: Doing) {
        if let Some(connection) = self.connections.open().get_mut(&self.number) {
            (connection.doing, connection.since) = (doing, Instant::now());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

/// A request is being served, from its headers to the end of its answer.
#[derive(Debug)]
struct Busy(Arc<Place>);

impl Busy {
    fn begin(place: Arc<Place>) -> Self {
        place.set(Doing::Answers);
        Self(place)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(Doing::Waits);
    }
}

/// The body of an answer: its connection is busy as long as it is there.
struct Busily {
    inner: Body,
    _busy: Busy,
}

impl HttpBody for Busily {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn connections(all: usize, per_address: usize) -> Arc<Connections> {
        let limits = Limits { connections: all, per_address };
        Arc::new(Connections { limits, next: Mutex::default(), open: Mutex::default() })
    }

    #[test]
    fn who_waits_longest_makes_room() {
        let all = connections(2, 2);
        let first = Arc::new(Connections::admit(&all, address(1)).unwrap());
        let second = Arc::new(Connections::admit(&all, address(2)).unwrap());
        let busy = Busy::begin(Arc::clone(&first));
        let third = Connections::admit(&all, address(3)).unwrap();
        assert!(second.evicted.is_cancelled() && !first.evicted.is_cancelled());
        let _busy_too = Busy::begin(Arc::new(third));
        assert!(Connections::admit(&all, address(4)).is_none(), "who is served is left alone");
        drop(busy);
        assert!(Connections::admit(&all, address(4)).is_some());
        assert!(first.evicted.is_cancelled());
    }

    #[test]
    fn a_slow_answer_makes_room_and_a_stream_does_not() {
        let all = connections(2, 2);
        let first = Arc::new(Connections::admit(&all, address(1)).unwrap());
        let second = Arc::new(Connections::admit(&all, address(1)).unwrap());
        let (stream, _answer) = (Busy::begin(Arc::clone(&first)), Busy::begin(Arc::clone(&second)));
        stream.0.set(Doing::Streams);
        let age = |by: Duration| all.open().values_mut().for_each(|one| one.since -= by);
        age(SLOW / 2);
        assert!(Connections::admit(&all, address(2)).is_none());
        age(SLOW / 2);
        assert!(Connections::admit(&all, address(2)).is_some());
        assert!(second.evicted.is_cancelled() && !first.evicted.is_cancelled());
    }

    #[test]
    fn an_address_makes_room_for_itself() {
        let all = connections(10, 1);
        let other = Connections::admit(&all, address(1)).unwrap();
        let first = Connections::admit(&all, address(2)).unwrap();
        let second = Connections::admit(&all, address(2)).unwrap();
        assert!(first.evicted.is_cancelled() && !second.evicted.is_cancelled() && !other.evicted.is_cancelled());
        drop((first, second));
        assert_eq!(all.open().len(), 1);
    }
}
