//! Load: workers with a connection each, asking one after another or to a timetable.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    histogram::Histogram,
    target::{Bodies, Kind, Target},
};

/// An answer that takes longer has failed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const END_MARK: &[u8] = b"data: [DONE]";

/// What a load came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) elapsed: Duration,
    /// From the moment a request was due until its last byte.
    pub(crate) latency: Histogram,
    /// From the moment a request was due until its first byte of body.
    pub(crate) first_byte: Histogram,
    /// The last failure's description, for whoever has to find out.
    pub(crate) last_failure: Option<String>,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.elapsed = self.elapsed.max(other.elapsed);
        self.latency.merge(&other.latency);
        self.first_byte.merge(&other.first_byte);
        if other.last_failure.is_some() {
            self.last_failure.clone_from(&other.last_failure);
        }
    }
}

/// When workers ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timetable {
    /// Each worker asks again as soon as it was answered.
    Closed,
    /// So many requests per second in all, whether answered or not.
    Open { per_second: u32 },
}

/// Asks with `workers` connections for `duration`; what is under way then is awaited.
pub(crate) async fn apply(
    target: &Target,
    kind: Kind,
    timetable: Timetable,
    workers: u32,
    duration: Duration,
) -> Tally {
    let start = Instant::now();
    let (target, bodies) = (Arc::new(target.clone()), Bodies::new());
    let mut running = JoinSet::new();
    for number in 0..workers {
        let worker = Worker {
            target: Arc::clone(&target),
            bodies: bodies.clone(),
            kind,
            connection: None,
            tally: Tally::default(),
        };
        running.spawn(async move {
            match timetable {
                Timetable::Closed => worker.ask_until(start + duration).await,
                Timetable::Open { per_second } => {
                    let every = Duration::from_secs(1) / per_second;
                    worker
                        .ask_on_time(start, every, (number, workers), duration)
                        .await
                }
            }
        });
    }
    let mut tally = Tally::default();
    while let Some(finished) = running.join_next().await {
        match finished {
            Ok(worker) => tally.merge(&worker),
            Err(error) => tally.last_failure = Some(error.to_string()),
        }
    }
    tally.elapsed = start.elapsed();
    tally
}

struct Worker {
    target: Arc<Target>,
    bodies: Bodies,
    kind: Kind,
    connection: Option<Connection>,
    tally: Tally,
}

impl Worker {
    async fn ask_until(mut self, end: Instant) -> Tally {
        while Instant::now() < end {
            self.ask(Instant::now()).await;
        }
        self.tally
    }

    /// Request `n` of all is due at `start + n × every`; this worker takes each `share.1`th.
    async fn ask_on_time(
        mut self,
        start: Instant,
        every: Duration,
        share: (u32, u32),
        duration: Duration,
    ) -> Tally {
        let (mut turn, step) = share;
        while every * turn < duration {
            let due = start + every * turn;
            // A late wake-up is the load's own fault and not counted; a request that could not
            // be sent because the one before it was still unanswered is counted from its due time.
            let due = if Instant::now() < due {
                sleep_until(due).await;
                Instant::now()
            } else {
                due
            };
            self.ask(due).await;
            turn += step;
        }
        self.tally
    }

    async fn ask(&mut self, due: Instant) {
        let answered = timeout(ANSWER_TIMEOUT, self.answer()).await;
        let answered = answered.unwrap_or_else(|_| Err(io::Error::other("no answer in time")));
        match answered {
            Ok(first_byte) => {
                self.tally.completed += 1;
                self.tally.latency.record(micros(due.elapsed()));
                self.tally
                    .first_byte
                    .record(micros(first_byte.duration_since(due)));
            }
            Err(error) => {
                self.tally.failed += 1;
                self.tally.last_failure = Some(error.to_string());
                self.connection = None;
            }
        }
    }

    /// Reads one answer to its end; says when its first byte came.
    async fn answer(&mut self) -> io::Result<Instant> {
        let connection = match &mut self.connection {
            Some(connection) if connection.sender.is_ready() => connection,
            empty => empty.insert(Connection::open(&self.target).await?),
        };
        let request = self.target.request(&self.bodies, self.kind);
        let response = connection
            .sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let status = response.status();
        let mut body = response.into_body();
        let (mut first_byte, mut tail) = (None, Bytes::new());
        while let Some(frame) = body.frame().await {
            first_byte.get_or_insert_with(Instant::now);
            if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
                tail = data;
            }
        }
        if !status.is_success() {
            let text = String::from_utf8_lossy(&tail)
                .chars()
                .take(300)
                .collect::<String>();
            return Err(io::Error::other(format!("{status}: {text}")));
        }
        if self.kind == Kind::Stream && memchr::memmem::find(&tail, END_MARK).is_none() {
            return Err(io::Error::other("the stream ended without its end mark"));
        }
        first_byte.ok_or_else(|| io::Error::other("the answer was empty"))
    }
}

/// A connection and the task that drives it, which ends with it.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What breaks here is seen by whoever reads the answer.
            let _ = connection.await;
        });
        let mut connection = Self {
            sender,
            _driver: driver,
        };
        connection.sender.ready().await.map_err(io::Error::other)?;
        Ok(connection)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
