//! Hears the other nodes' news, and says so when some may have been missed.

use std::{future::poll_fn, pin::Pin, time::Duration};

use ::redis::{Client, Msg, RedisError, aio::PubSubStream};
use futures_core::Stream as _;
use switchyard_domain::id::NodeId;
use tokio::time::{Instant, MissedTickBehavior, error::Elapsed, interval_at, sleep, timeout};

use super::wire;
use crate::{Invalidation, invalidation::Bulletin};

/// How often a quiet connection is checked, and how long the check may take. Together with the
/// pause they bound how long a node can go on with a revoked key without knowing: below 5 s.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_DEADLINE: Duration = Duration::from_secs(1);
const PAUSE_BEFORE_RECONNECT: Duration = Duration::from_millis(500);

/// The receiving half of a [`Redis`](super::Redis). Dropping the future of [`run`](Self::run)
/// stops it.
pub struct Listener {
    client: Client,
    channel: String,
    node: NodeId,
    bulletin: Bulletin,
    connect_deadline: Duration,
}

/// Why a connection was given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("no answer in time")]
    TimedOut(#[from] Elapsed),
    #[error(transparent)]
    Failed(#[from] RedisError),
    #[error("the connection was closed")]
    Closed,
}

impl Listener {
    pub(super) fn new(
        client: Client,
        channel: String,
        node: NodeId,
        bulletin: Bulletin,
        connect_deadline: Duration,
    ) -> Self {
        Self {
            client,
            channel,
            node,
            bulletin,
            connect_deadline,
        }
    }

    /// Listens for as long as the future lives, reconnecting whenever contact is lost.
    pub async fn run(self) {
        loop {
            let Err(lost) = self.listen().await;
            tracing::warn!(reason = %lost, "news from other nodes is interrupted");
            sleep(PAUSE_BEFORE_RECONNECT).await;
        }
    }

    async fn listen(&self) -> Result<std::convert::Infallible, Lost> {
        let connected = timeout(self.connect_deadline, async {
            let mut connection = self.client.get_async_pubsub().await?;
            connection.subscribe(&self.channel).await?;
            Ok::<_, RedisError>(connection)
        });
        let (mut sink, mut news) = connected.await??.split();
        // Whatever was said before this moment, this node may have missed.
        self.bulletin.tell(Invalidation::Everything);
        tracing::info!("news from other nodes is arriving");

        let mut check = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Both branches are cancel-safe: a tick and a queue that is only taken from when ready.
            tokio::select! {
                message = next(&mut news) => self.heard(&message.ok_or(Lost::Closed)?),
                _ = check.tick() => timeout(CHECK_DEADLINE, sink.ping::<::redis::Value>())
                    .await?
                    .map(drop)?,
            }
        }
    }

    fn heard(&self, message: &Msg) {
        if let Some(news) = wire::decode_news(self.node, message.get_payload_bytes()) {
            self.bulletin.tell(news);
        }
    }
}

async fn next(news: &mut PubSubStream) -> Option<Msg> {
    poll_fn(|context| Pin::new(&mut *news).poll_next(context)).await
}
