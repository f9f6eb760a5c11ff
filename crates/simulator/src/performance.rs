//! Plays an answer to the connection, at its pace, to its end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::{observation::Flight, script::Ending};

/// A response body that waits, falls silent or breaks off as planned.
pub(crate) struct Performance {
    pieces: Pieces,
    ending: Ending,
    before_first: Duration,
    between: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    progress: Progress,
    flight: Option<Flight>,
    reset: Arc<AtomicBool>,
}

/// What is sent: nothing or one piece of known length, or a list.
pub(crate) enum Pieces {
    Whole(Option<Bytes>),
    List { pieces: Arc<[Bytes]>, next: usize },
}

#[derive(PartialEq, Eq)]
enum Progress {
    Due,
    Waiting,
    Waited,
    /// The connection got one more turn to flush before the break.
    Flushed,
}

impl Performance {
    pub(crate) fn new(
        pieces: Pieces,
        ending: Ending,
        flight: Flight,
        reset: Arc<AtomicBool>,
    ) -> Self {
        let mut this = Self {
            pieces,
            ending,
            before_first: Duration::ZERO,
            between: Duration::ZERO,
            timer: None,
            progress: Progress::Due,
            flight: Some(flight),
            reset,
        };
        this.finish_if_done();
        this
    }

    /// One piece, not observed: for the control surface.
    pub(crate) fn unobserved(body: Bytes) -> Self {
        Self {
            pieces: Pieces::Whole(Some(body).filter(|body| !body.is_empty())),
            ending: Ending::InOrder,
            before_first: Duration::ZERO,
            between: Duration::ZERO,
            timer: None,
            progress: Progress::Due,
            flight: None,
            reset: Arc::default(),
        }
    }

    pub(crate) fn paced(mut self, before_first: Duration, between: Duration) -> Self {
        self.before_first = before_first;
        self.between = between;
        self
    }

    fn wait_before_next(&self) -> Duration {
        match &self.pieces {
            Pieces::List { next, .. } if *next > 0 => self.between,
            _ => self.before_first,
        }
    }

    fn is_done(&self) -> bool {
        self.ending == Ending::InOrder && self.pieces.is_empty()
    }

    /// The connection need not ask again after the last piece, so the end is noted with it.
    fn finish_if_done(&mut self) {
        if self.is_done() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.finish();
        }
    }

    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.progress == Progress::Due {
            let wait = self.wait_before_next();
            if wait.is_zero() {
                return Poll::Ready(());
            }
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(Instant::now() + wait),
                None => self.timer = Some(Box::pin(sleep(wait))),
            }
            self.progress = Progress::Waiting;
        }
        if let (Progress::Waiting, Some(timer)) = (&self.progress, &mut self.timer) {
            ready!(timer.as_mut().poll(context));
            self.progress = Progress::Waited;
        }
        Poll::Ready(())
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.ending {
            Ending::InOrder => {
                self.finish();
                Poll::Ready(None)
            }
            // The connection watches for the client's leaving; nothing else can end this.
            Ending::Silence => Poll::Pending,
            Ending::Close | Ending::Reset => {
                if self.progress != Progress::Flushed {
                    self.progress = Progress::Flushed;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                if self.ending == Ending::Reset {
                    self.reset.store(true, Ordering::Release);
                }
                self.finish();
                Poll::Ready(Some(Err(io::Error::other(
                    "the answer breaks off here, as planned",
                ))))
            }
        }
    }
}

impl Body for Performance {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.pieces.is_empty() {
            return this.poll_end(context);
        }
        ready!(this.poll_wait(context));
        this.progress = Progress::Due;
        let piece = this.pieces.take_next();
        this.finish_if_done();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.pieces {
            Pieces::Whole(piece) if self.ending == Ending::InOrder => {
                SizeHint::with_exact(piece.as_ref().map_or(0, |piece| piece.len() as u64))
            }
            _ => SizeHint::default(),
        }
    }
}

impl Pieces {
    fn is_empty(&self) -> bool {
        match self {
            Self::Whole(piece) => piece.is_none(),
            Self::List { pieces, next } => *next >= pieces.len(),
        }
    }

    fn take_next(&mut self) -> Option<Bytes> {
        match self {
            Self::Whole(piece) => piece.take(),
            Self::List { pieces, next } => {
                let piece = pieces.get(*next)?.clone();
                *next += 1;
                Some(piece)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::observation::Observations;

    async fn next(body: &mut Performance) -> Option<io::Result<Bytes>> {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        Some(frame.map(|frame| frame.into_data().expect("no trailers")))
    }

    fn performance(ending: Ending) -> (Performance, Arc<Observations>, Arc<AtomicBool>) {
        let observations = Arc::new(Observations::new());
        let flight = Flight::start(Arc::clone(&observations));
        let reset = Arc::new(AtomicBool::new(false));
        let pieces: Arc<[Bytes]> = ["a", "b", "c"].map(Bytes::from).into();
        let pieces = Pieces::List { pieces, next: 0 };
        let body = Performance::new(pieces, ending, flight, Arc::clone(&reset))
            .paced(Duration::from_secs(5), Duration::from_secs(60));
        (body, observations, reset)
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_come_at_their_pace_and_the_last_one_is_the_end() {
        let (mut body, observations, _) = performance(Ending::InOrder);
        let start = Instant::now();
        for (piece, seconds) in [("a", 5), ("b", 65), ("c", 125)] {
            assert_eq!(observations.counters().borrow().finished, 0);
            let found = next(&mut body).await.expect("a piece").expect("no error");
            assert_eq!(
                (found.as_ref(), start.elapsed().as_secs()),
                (piece.as_bytes(), seconds)
            );
        }
        assert!(body.is_end_stream());
        assert_eq!(observations.counters().borrow().finished, 1);
        assert!(next(&mut body).await.is_none());
        drop(body);
        let counters = *observations.counters().borrow();
        assert_eq!((counters.finished, counters.aborted), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_is_announced_to_the_connection_only_at_its_time() {
        let (mut body, _, reset) = performance(Ending::Reset);
        for _ in 0..3 {
            assert!(next(&mut body).await.expect("a piece").is_ok());
            assert!(!reset.load(Ordering::Acquire) && !body.is_end_stream());
        }
        assert!(next(&mut body).await.expect("an error").is_err());
        assert!(reset.load(Ordering::Acquire));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_early_was_aborted() {
        let (mut body, observations, _) = performance(Ending::InOrder);
        assert!(next(&mut body).await.is_some());
        drop(body);
        let counters = *observations.counters().borrow();
        assert_eq!(
            (counters.finished, counters.aborted, counters.open),
            (0, 1, 0)
        );
    }
}
