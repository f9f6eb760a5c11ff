//! Listens, and plays providers to whoever connects.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};

use crate::{handle::handle, simulator::Simulator};

/// How long [`Server::stop`] lets answers in progress come to their end.
const STOP_GRACE: Duration = Duration::from_secs(1);
/// Out of descriptors or the like: a pause, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Starts to serve on the listener; must be called inside a Tokio runtime.
pub fn serve(listener: TcpListener, simulator: Simulator) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, simulator.clone(), stopped));
    Ok(Server {
        address,
        simulator,
        stop,
        tasks,
    })
}

/// A simulator that listens. Dropping it closes everything at once.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    simulator: Simulator,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address under which it plays `provider`, such as `http://127.0.0.1:4010/p/alpha/v1`.
    pub fn base_url(&self, provider: &str) -> String {
        format!("http://{}/p/{provider}/v1", self.address)
    }

    /// What it plays.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Accepts no more, lets answers in progress end for a moment, then closes what is left.
    pub async fn stop(mut self) {
        // The task is gone when the send fails, and then there is nothing to stop.
        let _ = self.stop.send(());
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn accept(listener: TcpListener, simulator: Simulator, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream, simulator.clone(), &graceful);
                    connections.spawn(connection);
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    // Past the grace, dropping the set closes what is left.
    let _ = timeout(STOP_GRACE, graceful.shutdown()).await;
}

fn connection(
    stream: TcpStream,
    simulator: Simulator,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Small events must leave at once, or the simulator is what gets measured.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let line = Line {
        stream,
        reset: Arc::clone(&reset),
    };
    let service = service_fn(move |request| handle(request, simulator.clone(), Arc::clone(&reset)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(line), service);
    let connection = graceful.watch(connection);
    async move {
        // Broken connections are what this crate is for.
        let _ = connection.await;
    }
}

/// A connection that can be told to end with a reset.
struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Acquire) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
