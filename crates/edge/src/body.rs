//! Reading a request's body: never more than allowed, never for longer than allowed, never
//! compressed.

use std::mem;

use axum::{
    body::{Body, HttpBody},
    http::{
        HeaderMap,
        header::{CONTENT_ENCODING, CONTENT_LENGTH},
    },
};
use bytes::Bytes;
use http_body_util::BodyExt;
use switchyard_domain::secret::Private;
use switchyard_interchange::{reply::PublicFailure, request::ChatRequest};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{
    error,
    limits::{BODY_BYTES_TRUSTED, BODY_IDLE_TIMEOUT, BODY_TOTAL_TIMEOUT},
};

/// The whole body, of at most `bytes_max`.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, PublicFailure> {
    refuse_encodings(headers)?;
    let declared = declared_length(headers);
    if declared.is_some_and(|length| length > bytes_max as u64) {
        return Err(error::body_too_large(bytes_max));
    }
    let read = collect(body, declared.unwrap_or(0), bytes_max);
    match timeout(BODY_TOTAL_TIMEOUT, read).await {
        Ok(result) => result,
        Err(_elapsed) => Err(error::body_unreadable()),
    }
}

/// Has the body of a request that brings credentials wiped once nobody needs it any more.
pub(crate) fn wipe_secrets(chat: &mut ChatRequest) {
    if !chat.supplied_credentials.is_empty() {
        let body = mem::take(&mut chat.origin.body).into_inner();
        chat.origin.body = Private::new(wiped_at_its_end(body));
    }
}

/// The same bytes, wiped when the last who holds them lets go. Nothing is copied if nobody
/// else holds the bytes, as with bodies that came in pieces. A small one that came in one piece is a
/// part of the connection's own buffer, where the next request overwrites it and nobody can wipe it.
fn wiped_at_its_end(body: Bytes) -> Bytes {
    Bytes::from_owner(Zeroizing::new(Vec::from(body)))
}

/// Decompressing would let a small body become a large one.
fn refuse_encodings(headers: &HeaderMap) -> Result<(), PublicFailure> {
    let is_plain = headers.get_all(CONTENT_ENCODING).iter().all(|value| {
        let value = value.as_bytes().trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    });
    if is_plain {
        Ok(())
    } else {
        Err(error::encoding_unsupported())
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(mut body: Body, declared: u64, bytes_max: usize) -> Result<Bytes, PublicFailure> {
    let Some(first) = next_chunk(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > bytes_max {
        return Err(error::body_too_large(bytes_max));
    }
    // Most requests arrive in one piece: no copy.
    if body.is_end_stream() {
        return Ok(first);
    }
    let trusted = usize::try_from(declared)
        .unwrap_or(usize::MAX)
        .min(BODY_BYTES_TRUSTED);
    let mut whole = Vec::with_capacity(trusted.max(first.len()));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(chunk) = next_chunk(&mut body).await? {
        if whole.len() + chunk.len() > bytes_max {
            return Err(error::body_too_large(bytes_max));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, PublicFailure> {
    loop {
        let frame = match timeout(BODY_IDLE_TIMEOUT, body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => return Err(error::body_unreadable()),
        };
        // Trailers say nothing that is read here.
        if let Ok(data) = frame.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use axum::http::HeaderValue;
    use http_body::Frame;
    use tokio::time::{Instant, Sleep, sleep};

    use super::*;

    /// A client that sends its chunks one per `pause`.
    struct Slow {
        chunks: VecDeque<Bytes>,
        pause: Duration,
        until_next: Pin<Box<Sleep>>,
    }

    impl Slow {
        fn body(chunks: usize, pause: Duration) -> Body {
            Body::new(Self {
                chunks: vec![Bytes::from_static(b"0123456789"); chunks].into(),
                pause,
                until_next: Box::pin(sleep(pause)),
            })
        }
    }

    impl HttpBody for Slow {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.until_next.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let next = Instant::now() + self.pause;
            self.until_next.as_mut().reset(next);
            Poll::Ready(self.chunks.pop_front().map(|chunk| Ok(Frame::data(chunk))))
        }
    }

    fn length(bytes: usize) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from(bytes))])
    }

    async fn status(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<usize, u16> {
        read(headers, body, bytes_max)
            .await
            .map(|bytes| bytes.len())
            .map_err(|e| e.status)
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_end_at_the_limit() {
        let second = Duration::from_secs(1);
        let none = HeaderMap::new();
        assert_eq!(status(&none, Body::from("12345"), 5).await, Ok(5));
        assert_eq!(status(&none, Body::from("123456"), 5).await, Err(413));
        assert_eq!(status(&none, Slow::body(3, second), 30).await, Ok(30));
        assert_eq!(status(&none, Slow::body(4, second), 30).await, Err(413));
        assert_eq!(status(&length(30), Slow::body(3, second), 30).await, Ok(30));
        assert_eq!(status(&none, Body::empty(), 5).await, Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_declared_excess_is_refused_unread() {
        let before = Instant::now();
        assert_eq!(
            status(&length(31), Slow::body(1, Duration::from_secs(1)), 30).await,
            Err(413)
        );
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_bodies_are_given_up() {
        let none = HeaderMap::new();
        let pause = BODY_IDLE_TIMEOUT + Duration::from_secs(1);
        assert_eq!(status(&none, Slow::body(2, pause), 100).await, Err(408));
        // Never idle for long, and still too slow as a whole.
        let pause = BODY_IDLE_TIMEOUT - Duration::from_secs(1);
        assert_eq!(
            status(&none, Slow::body(100, pause), 10_000).await,
            Err(408)
        );
    }

    #[test]
    fn v8_a_body_to_be_wiped_is_not_copied_first() {
        let body = Bytes::from(b"a secret".to_vec());
        let place = body.as_ptr();
        // As when it was decoded, and kept to be passed on.
        let kept = body.clone();
        drop(body);
        let wiped = wiped_at_its_end(kept);
        assert_eq!(wiped.as_ptr(), place);
        assert_eq!(&wiped[..], b"a secret");
    }

    #[tokio::test]
    async fn compressed_bodies_are_refused() {
        for (encoding, expected) in [
            ("gzip", Err(415)),
            ("identity", Ok(2)),
            ("identity, br", Err(415)),
            ("zstd", Err(415)),
        ] {
            let headers =
                HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
            assert_eq!(
                status(&headers, Body::from("{}"), 100).await,
                expected,
                "{encoding}"
            );
        }
    }
}
