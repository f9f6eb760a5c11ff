//! Answers that come before the question is over. A refusal (too large, no such key) is written
//! while the client still sends; closing then would make the system answer the rest with a reset,
//! and a reset throws away what the client has not read yet: the refusal itself. So the rest is
//! read and forgotten for a while, as RFC 9112 section 9.6 asks.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::HttpBody;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::limits::LINGER_SILENCE_MAX;

/// Whether a client is still to send the rest of a body. Shared by a connection and its requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    fn set(&self, is_unread: bool) {
        self.0.store(is_unread, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request's body that says when it has been read.
pub(super) struct Followed {
    body: Incoming,
    unread: Unread,
}

impl Followed {
    pub(super) fn new(body: Incoming, unread: &Unread) -> Self {
        unread.set(!body.is_end_stream());
        Self {
            body,
            unread: unread.clone(),
        }
    }
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.unread.set(false);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that is closed only when its other end has nothing more to send, or pauses for
/// [`LINGER_SILENCE_MAX`].
pub(super) struct Lingering<S> {
    stream: S,
    unread: Unread,
    /// Runs while the rest of a body is awaited.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, unread: &Unread) -> Self {
        Self {
            stream,
            unread: unread.clone(),
            patience: None,
        }
    }
}

impl<S: AsyncRead + Unpin> Lingering<S> {
    /// Reads on until the end, an error or a pause that is too long.
    fn forget_the_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.patience = None,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep(LINGER_SILENCE_MAX)));
        patience.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // For a socket this sends the end at once, and again does nothing.
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.unread.get() {
            ready!(self.forget_the_rest(cx));
        }
        Poll::Ready(Ok(()))
    }
}
