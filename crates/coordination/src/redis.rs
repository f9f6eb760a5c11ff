//! Coordination through Redis, for deployments of many nodes.
//!
//! All calls share one multiplexed connection. Its driver task matches replies to calls in order
//! and throws away the reply of a call that nobody waits for any more, so a cancelled or timed-out
//! call cannot hand its answer to the next one.
//!
//! Every call has a deadline, and a breaker stops asking a Redis that keeps failing. News arrives
//! on a second connection, held by [`Listener`]; whoever builds a [`Redis`] runs it in a task.

mod listener;
mod wire;

use std::{future::Future, sync::Arc, time::Duration};

use ::redis::{
    Client, IntoConnectionInfo, RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cmd, pipe,
};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::NodeId,
};

pub use self::listener::Listener;
use crate::{
    Coordination, Degraded, HealthDigest, Invalidation, Invalidations, PeerHealth, Pin, PinKey,
    Rate, RateDecision, RateKey,
    breaker::Breaker,
    invalidation::Bulletin,
    rate::{from_millis, hex, millis},
};

/// How far a node's clock is believed when it differs from the Redis server's.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);

/// How many other nodes are listened to.
const PEERS_MAX: usize = 256;

/// How long the list of nodes stays when none publishes any more.
const HEALTH_INDEX_TTL_MS: u64 = 60_000;

/// Which Redis, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    /// What all keys and channels start with, so that deployments can share a server.
    pub prefix: String,
    /// How long one call may take; 100 ms unless there is a reason.
    pub deadline: Duration,
    /// How long connecting may take.
    pub connect_deadline: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            prefix: "switchyard".to_owned(),
            deadline: Duration::from_millis(100),
            connect_deadline: Duration::from_secs(1),
        }
    }
}

/// Why no [`Redis`] could be built. An unreachable server is no reason.
#[derive(Debug, thiserror::Error)]
pub enum RedisSettingsError {
    /// The address does not parse. (It is not repeated: it may hold a password.)
    #[error("the Redis address is not of the form redis://[user:password@]host[:port][/database]")]
    Address(#[source] ::redis::RedisError),
    /// The client refused its settings.
    #[error("the Redis client could not be set up")]
    Client(#[source] ::redis::RedisError),
}

/// The implementation over Redis.
pub struct Redis {
    client: Client,
    connection: ArcSwap<ConnectionManager>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    bulletin: Bulletin,
    take: Script,
    node: NodeId,
    settings: RedisSettings,
}

impl Redis {
    /// Prepares to use the server at `address` (`redis://…`) without contacting it: a node starts
    /// whether Redis is up or not. The [`Listener`] must be run, by a task that lives as long as
    /// the node; without it this node hears only its own news. Needs a Tokio runtime.
    pub fn new(
        address: &str,
        node: NodeId,
        clock: Arc<dyn Clock>,
        settings: RedisSettings,
    ) -> Result<(Self, Listener), RedisSettingsError> {
        let info = address
            .into_connection_info()
            .map_err(RedisSettingsError::Address)?;
        let client = Client::open(info).map_err(RedisSettingsError::Client)?;
        let connection = connect(&client, &settings).map_err(RedisSettingsError::Client)?;
        let bulletin = Bulletin::new();
        let listener = Listener::new(
            client.clone(),
            channel(&settings.prefix),
            node,
            bulletin.clone(),
            settings.connect_deadline,
        );
        let this = Self {
            client,
            connection: ArcSwap::from_pointee(connection),
            breaker: Breaker::default(),
            clock,
            bulletin,
            take: Script::new(include_str!("../scripts/take.lua")),
            node,
            settings,
        };
        Ok((this, listener))
    }

    fn pin_name(&self, key: &PinKey) -> String {
        format!("{}:pin:{}", self.settings.prefix, hex(key.as_bytes()))
    }

    /// One call under the breaker and the deadline.
    async fn call<T, F>(&self, query: impl FnOnce(ConnectionManager) -> F) -> Result<T, Degraded>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.breaker.admits(self.clock.monotonic()) {
            return Err(Degraded::BreakerOpen);
        }
        let connection = ConnectionManager::clone(&self.connection.load());
        let failure = match tokio::time::timeout(self.settings.deadline, query(connection)).await {
            Ok(Ok(answer)) => {
                self.breaker.succeeded();
                return Ok(answer);
            }
            Ok(Err(error)) if !error.is_timeout() => Degraded::Failed(Arc::new(error)),
            Ok(Err(_)) | Err(_) => Degraded::TimedOut {
                deadline_ms: u64::try_from(self.settings.deadline.as_millis()).unwrap_or(u64::MAX),
            },
        };
        if self.breaker.failed(self.clock.monotonic()) {
            self.replace_connection();
        }
        Err(failure)
    }

    /// A connection into the void keeps timing out until the kernel gives it up, many minutes
    /// later; the next probe gets a new one.
    fn replace_connection(&self) {
        match connect(&self.client, &self.settings) {
            Ok(connection) => self.connection.store(Arc::new(connection)),
            Err(error) => tracing::warn!(%error, "the Redis connection could not be replaced"),
        }
    }
}

#[async_trait]
impl Coordination for Redis {
    async fn pin(&self, key: &PinKey) -> Result<Option<Pin>, Degraded> {
        let name = self.pin_name(key);
        let stored: Option<Vec<u8>> = self
            .call(|mut connection| async move {
                cmd("GET").arg(name).query_async(&mut connection).await
            })
            .await?;
        // What another version of this program wrote, and this one cannot read, is no pin.
        Ok(stored.and_then(|bytes| wire::decode_pin(&bytes)))
    }

    async fn set_pin(&self, key: &PinKey, pin: &Pin, ttl: Duration) -> Result<(), Degraded> {
        let (name, value, ttl_ms) = (self.pin_name(key), wire::encode_pin(pin), ttl_ms(ttl));
        self.call(|mut connection| async move {
            cmd("SET")
                .arg(name)
                .arg(value)
                .arg("PX")
                .arg(ttl_ms)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    async fn touch_pin(&self, key: &PinKey, ttl: Duration) -> Result<(), Degraded> {
        let (name, ttl_ms) = (self.pin_name(key), ttl_ms(ttl));
        self.call(|mut connection| async move {
            cmd("PEXPIRE")
                .arg(name)
                .arg(ttl_ms)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    async fn take(
        &self,
        bucket: &RateKey,
        limit: Rate,
        now: Timestamp,
    ) -> Result<RateDecision, Degraded> {
        let mut invocation =
            self.take
                .key(format!("{}:rate:{}", self.settings.prefix, bucket.as_str()));
        invocation
            .arg(limit.permits)
            .arg(limit.per_ms())
            .arg(millis(now))
            .arg(u64::try_from(CLOCK_TOLERANCE.as_millis()).unwrap_or(u64::MAX));
        let (allowed, remaining, reset_at_ms): (u8, u32, u64) = self
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await?;
        Ok(RateDecision {
            allowed: allowed == 1,
            remaining,
            reset_at: from_millis(reset_at_ms),
        })
    }

    async fn publish_health(&self, digest: &HealthDigest, ttl: Duration) -> Result<(), Degraded> {
        let (name, index) = (self.health_name(self.node), self.health_index());
        let (value, ttl_ms) = (wire::encode_health(digest), ttl_ms(ttl));
        let node = self.node.to_string();
        self.call(|mut connection| async move {
            pipe()
                .atomic()
                .cmd("SET")
                .arg(name)
                .arg(value)
                .arg("PX")
                .arg(ttl_ms)
                .ignore()
                .cmd("SADD")
                .arg(&index)
                .arg(node)
                .ignore()
                .cmd("PEXPIRE")
                .arg(&index)
                .arg(HEALTH_INDEX_TTL_MS)
                .ignore()
                .query_async(&mut connection)
                .await
        })
        .await
    }

    async fn health_of_peers(&self) -> Result<Vec<PeerHealth>, Degraded> {
        let index = self.health_index();
        let members: Vec<String> = self
            .call(|mut connection| async move {
                cmd("SMEMBERS")
                    .arg(index)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let peers: Vec<NodeId> = members
            .iter()
            .filter_map(|member| member.parse().ok())
            .filter(|node| *node != self.node)
            .take(PEERS_MAX)
            .collect();
        if peers.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<String> = peers.iter().map(|node| self.health_name(*node)).collect();
        let digests: Vec<Option<Vec<u8>>> = self
            .call(|mut connection| async move {
                cmd("MGET").arg(names).query_async(&mut connection).await
            })
            .await?;
        let gone: Vec<String> = peers
            .iter()
            .zip(&digests)
            .filter(|(_, digest)| digest.is_none())
            .map(|(node, _)| node.to_string())
            .collect();
        if !gone.is_empty() {
            self.forget_peers(gone).await?;
        }
        Ok(peers
            .into_iter()
            .zip(digests)
            .filter_map(|(node, bytes)| {
                let digest = wire::decode_health(&bytes?)?;
                Some(PeerHealth { node, digest })
            })
            .collect())
    }

    async fn publish(&self, what: Invalidation) -> Result<(), Degraded> {
        let message = wire::encode_news(self.node, &what);
        self.bulletin.tell(what);
        let channel = channel(&self.settings.prefix);
        self.call(|mut connection| async move {
            cmd("PUBLISH")
                .arg(channel)
                .arg(message)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    fn subscribe(&self) -> Invalidations {
        self.bulletin.subscribe()
    }
}

impl Redis {
    /// Drops nodes from the index whose digests have run out. One that publishes at this very moment
    /// enters itself again with its next turn.
    async fn forget_peers(&self, gone: Vec<String>) -> Result<(), Degraded> {
        let index = self.health_index();
        self.call(|mut connection| async move {
            cmd("SREM")
                .arg(index)
                .arg(gone)
                .query_async(&mut connection)
                .await
        })
        .await
    }

    fn health_name(&self, node: NodeId) -> String {
        format!("{}:health:{node}", self.settings.prefix)
    }

    /// The nodes that have published a digest.
    fn health_index(&self) -> String {
        format!("{}:health", self.settings.prefix)
    }
}

/// Connecting happens with the first call. The manager is not left to retry by itself: a call that
/// fails starts the next attempt, and the breaker decides how often that may be.
fn connect(client: &Client, settings: &RedisSettings) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_response_timeout(Some(settings.deadline))
        .set_connection_timeout(Some(settings.connect_deadline));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn channel(prefix: &str) -> String {
    format!("{prefix}:news")
}

fn ttl_ms(ttl: Duration) -> u64 {
    // Redis refuses zero, and anything beyond an i64 of milliseconds from now.
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, 365 * 24 * 3_600 * 1_000)
}
