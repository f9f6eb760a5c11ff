//! What is measured: each scenario applies one load to one way and watches its process.

use std::{io, time::Duration};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    load::{Connection, Tally, Timetable, apply},
    proc::{self, ThreadTimes},
    simulated::CHUNKS_PER_STREAM,
    target::{Bodies, Kind, Target},
};

/// Work that goes on after the last answer (records, settlement) is counted up to here.
const SETTLE: Duration = Duration::from_millis(300);
const STREAM_OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Streams that are being opened at a time.
const OPENING_MAX: usize = 64;

/// The loads that are applied in every round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scenario {
    /// Whole answers, as fast as they come.
    Closed,
    /// Whole answers at a fixed rate.
    Open,
    /// Streams at a model's pace.
    Stream,
}

impl Scenario {
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::Stream];
    pub(crate) const CONNECTIONS: u32 = 16;
    pub(crate) const OPEN_PER_SECOND: u32 = 1_000;
    pub(crate) const OPEN_CONNECTIONS: u32 = 64;
    pub(crate) const STREAMS: u32 = 48;

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed_loop",
            Self::Open => "open_loop",
            Self::Stream => "stream",
        }
    }

    /// Units of work in one completed request: what processor time is divided by.
    pub(crate) const fn units_per_request(self) -> u64 {
        match self {
            Self::Closed | Self::Open => 1,
            Self::Stream => CHUNKS_PER_STREAM,
        }
    }

    /// Applies the load for `duration`.
    pub(crate) async fn measure(self, target: &Target, duration: Duration) -> io::Result<Measured> {
        let before = target.pid.map(ThreadTimes::of).transpose()?;
        let tally = match self {
            Self::Closed => {
                apply(
                    target,
                    Kind::Whole,
                    Timetable::Closed,
                    Self::CONNECTIONS,
                    duration,
                )
                .await
            }
            Self::Open => {
                let timetable = Timetable::Open {
                    per_second: Self::OPEN_PER_SECOND,
                };
                apply(
                    target,
                    Kind::Whole,
                    timetable,
                    Self::OPEN_CONNECTIONS,
                    duration,
                )
                .await
            }
            Self::Stream => {
                apply(
                    target,
                    Kind::Stream,
                    Timetable::Closed,
                    Self::STREAMS,
                    duration,
                )
                .await
            }
        };
        sleep(SETTLE).await;
        let after = target.pid.map(ThreadTimes::of).transpose()?;
        let cpu = before
            .zip(after)
            .map(|(before, after)| after.since(&before));
        Ok(Measured { tally, cpu })
    }
}

/// One load on one way.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) tally: Tally,
    /// Processor time spent by the watched process.
    pub(crate) cpu: Option<Duration>,
}

/// Memory of a process, idle and holding streams open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) streams: usize,
    pub(crate) before_bytes: u64,
    pub(crate) holding_bytes: u64,
}

impl Held {
    pub(crate) fn bytes_per_stream(&self) -> f64 {
        let grown = self.holding_bytes.saturating_sub(self.before_bytes);
        grown as f64 / self.streams.max(1) as f64
    }
}

/// Opens streams, waits until each has said something, and weighs the process.
pub(crate) async fn hold_streams(
    target: &Target,
    pid: u32,
    streams: usize,
    hold: Duration,
) -> io::Result<Held> {
    let before_bytes = proc::resident_bytes(pid)?;
    let mut opening = JoinSet::new();
    let mut open = Vec::with_capacity(streams);
    for _ in 0..streams {
        if opening.len() == OPENING_MAX {
            open.extend(next_opened(&mut opening).await?);
        }
        let target = target.clone();
        opening.spawn(async move { timeout(STREAM_OPEN_TIMEOUT, OpenStream::open(&target)).await });
    }
    while let Some(stream) = next_opened(&mut opening).await? {
        open.push(stream);
    }
    let streams = open.len();
    // All of them are read on, as clients would.
    let mut reading = JoinSet::new();
    for stream in open {
        reading.spawn(stream.read_on());
    }
    sleep(hold).await;
    let holding_bytes = proc::resident_bytes(pid)?;
    reading.shutdown().await;
    sleep(SETTLE).await;
    Ok(Held {
        streams,
        before_bytes,
        holding_bytes,
    })
}

type Opening = Result<io::Result<OpenStream>, tokio::time::error::Elapsed>;

async fn next_opened(opening: &mut JoinSet<Opening>) -> io::Result<Option<OpenStream>> {
    let Some(opened) = opening.join_next().await else {
        return Ok(None);
    };
    let opened = opened?.map_err(|_| io::Error::other("a stream did not open in time"))?;
    opened.map(Some)
}

/// A stream that has begun. Dropping it closes the connection.
struct OpenStream {
    body: Incoming,
    _connection: Connection,
}

impl OpenStream {
    async fn open(target: &Target) -> io::Result<Self> {
        let mut connection = Connection::open(target).await?;
        let request = target.request(&Bodies::new(), Kind::Stream);
        let response = connection
            .sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!(
                "a stream was refused: {}",
                response.status()
            )));
        }
        let mut body = response.into_body();
        body.frame()
            .await
            .ok_or_else(|| io::Error::other("a stream ended at once"))?
            .map_err(io::Error::other)?;
        Ok(Self {
            body,
            _connection: connection,
        })
    }

    async fn read_on(mut self) {
        while let Some(Ok(_)) = self.body.frame().await {}
    }
}
