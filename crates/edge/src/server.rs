//! The accept loop. Ours rather than axum's, because slow headers, floods of streams and floods of
//! connections need limits that only the connection knows.

mod linger;
mod stall;

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router, body::Body, extract::ConnectInfo, response::Response, routing::future::RouteFuture,
};
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use self::{
    linger::{Followed, Lingering, Unread},
    stall::PromptReader,
};
use crate::limits::{
    ACCEPT_BACKOFF, CONNECTIONS_PER_ADDRESS_MAX, H2_PING_INTERVAL, H2_PING_TIMEOUT,
    H2_RESETS_LOCAL_MAX, H2_RESETS_PENDING_MAX, H2_SEND_BUFFER_BYTES, H2_STREAMS_MAX,
    HEADER_BYTES_MAX, HEADER_TIMEOUT,
};

/// Serves `router` until `shutdown`; then accepts nothing more, tells clients to go elsewhere
/// (`Connection: close`, GOAWAY) and waits for answers in flight. Connections that outlive `grace`
/// are cut. Returns when none is left.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    grace: Duration,
) {
    let server = Arc::new(Server {
        builders: Builders {
            http1: builder().http1_only(),
            http2: builder().http2_only(),
            either: builder(),
        },
        router,
        draining: shutdown,
        cut: CancellationToken::new(),
        connections: Arc::default(),
    });
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = server.draining.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = Place::take(&server.connections, peer.ip()) {
                    tasks.spawn(Arc::clone(&server).connection(stream, peer, place));
                }
            }
            Err(error) if is_peers_doing(&error) => {}
            Err(error) => {
                // Usually out of file descriptors: others must close first.
                tracing::warn!(error = %error, "a connection could not be accepted");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if timeout(grace, tasks.wait()).await.is_err() {
        tracing::warn!(
            left = tasks.len(),
            "the grace is over; cutting the connections left"
        );
        server.cut.cancel();
        tasks.wait().await;
    }
}

fn is_peers_doing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        // Also the size of one read: a body is read in pieces of it.
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_pending_accept_reset_streams(H2_RESETS_PENDING_MAX)
        .max_local_error_reset_streams(H2_RESETS_LOCAL_MAX)
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .max_send_buf_size(H2_SEND_BUFFER_BYTES)
        .keep_alive_interval(H2_PING_INTERVAL)
        .keep_alive_timeout(H2_PING_TIMEOUT);
    builder
}

/// One builder for each way a connection can begin.
struct Builders {
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
    either: Builder<TokioExecutor>,
}

impl Builders {
    /// The builder for what a client's first bytes say. hyper can find that out by itself, but it
    /// reads the first bytes apart for that, and then needs a second read and a read buffer twice
    /// as large for every connection; so it is left to it only where the first bytes are too few.
    fn for_opening(&self, opening: &[u8]) -> &Builder<TokioExecutor> {
        const HTTP2: &[u8] = b"PRI * HTTP/2.0";
        let compared = opening.len().min(HTTP2.len());
        if opening[..compared] != HTTP2[..compared] {
            &self.http1
        } else if compared == HTTP2.len() {
            &self.http2
        } else {
            &self.either
        }
    }
}

struct Server {
    builders: Builders,
    router: Router,
    draining: CancellationToken,
    cut: CancellationToken,
    connections: Arc<Connections>,
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Place) {
        let _place = place;
        // Events are small and must leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection went before it was served");
            return;
        }
        let mut opening = [0; 16];
        let peeked = tokio::select! {
            peeked = timeout(HEADER_TIMEOUT, stream.peek(&mut opening)) => peeked,
            () = self.cut.cancelled() => return,
            () = self.draining.cancelled() => return,
        };
        let Ok(Ok(length @ 1..)) = peeked else {
            return;
        };
        let builder = self.builders.for_opening(&opening[..length]);
        let has_asked = Arc::new(AtomicBool::new(false));
        let unread = Unread::default();
        // The reader's patience bounds the lingering, too.
        let stream = TokioIo::new(PromptReader::new(Lingering::new(stream, &unread)));
        let service = Requests {
            router: self.router.clone(),
            has_asked: Arc::clone(&has_asked),
            unread,
            peer: ConnectInfo(peer.ip()),
        };
        let mut connection = pin!(builder.serve_connection(stream, service));
        let mut patience = pin!(sleep(HEADER_TIMEOUT));
        let (mut is_impatient, mut is_draining) = (true, false);
        loop {
            tokio::select! {
                biased;
                result = &mut connection => {
                    if let Err(error) = result {
                        tracing::debug!(error = %error, peer.port = peer.port(), "a connection broke");
                    }
                    return;
                }
                () = self.cut.cancelled() => return,
                () = self.draining.cancelled(), if !is_draining => {
                    is_draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                // Before the first bytes decide the protocol, no timer of hyper's runs.
                () = &mut patience, if is_impatient => {
                    is_impatient = false;
                    if !has_asked.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        }
    }
}

/// The router as hyper calls it.
struct Requests {
    router: Router,
    has_asked: Arc<AtomicBool>,
    unread: Unread,
    /// The address at the other end, which goes among the request's extensions.
    peer: ConnectInfo<IpAddr>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn call(&self, request: Request<Incoming>) -> RouteFuture<Infallible> {
        self.has_asked.store(true, Ordering::Relaxed);
        let mut request = request.map(|body| Followed::new(body, &self.unread));
        request.extensions_mut().insert(self.peer);
        self.router.clone().call(request)
    }
}

/// Open connections by address.
#[derive(Default)]
struct Connections(Mutex<HashMap<IpAddr, usize>>);

/// One of an address's places, given back when dropped.
struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Place {
    fn take(connections: &Arc<Connections>, address: IpAddr) -> Option<Self> {
        let mut by_address = connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(address).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(Self {
            connections: Arc::clone(connections),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self
            .connections
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
