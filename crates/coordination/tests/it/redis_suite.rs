//! The Redis implementation passes the shared suite, on a private server.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{AsyncCommands as _, Script, aio::MultiplexedConnection, cmd};
use switchyard_coordination::{
    Coordination, HealthDigest, Invalidation, PinKey, Rate, RateKey, coordination_test_suite,
    redis::{Redis, RedisSettings},
    test_suite::Deployment,
};
use switchyard_domain::{clock::Timestamp, id::NodeId};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{manual_clock::ManualClock, pins::pin_to, redis_server::RedisServer};

struct TwoNodes {
    nodes: [Arc<Redis>; 2],
    control: MultiplexedConnection,
    _listeners: JoinSet<()>,
    _server: RedisServer,
}

#[async_trait]
impl Deployment for TwoNodes {
    fn nodes(&self) -> [Arc<dyn Coordination>; 2] {
        self.nodes.clone().map(|node| node as Arc<dyn Coordination>)
    }

    async fn now(&self) -> Timestamp {
        let (seconds, micros): (i64, i64) = cmd("TIME")
            .query_async(&mut self.control.clone())
            .await
            .expect("the server answers");
        Timestamp::from_micros(seconds * 1_000_000 + micros)
    }

    async fn age(&self, by: Duration) {
        let age_all = Script::new(
            r"for _, key in ipairs(redis.call('KEYS', '*')) do
                local left = redis.call('PTTL', key) - tonumber(ARGV[1])
                redis.call('PEXPIRE', key, left)
            end",
        );
        let by_ms = u64::try_from(by.as_millis()).expect("a short time");
        let mut control = self.control.clone();
        let _: () = age_all
            .arg(by_ms)
            .invoke_async(&mut control)
            .await
            .expect("a valid script");
    }
}

async fn two_nodes() -> TwoNodes {
    let server = RedisServer::start();
    let mut listeners = JoinSet::new();
    let mut nodes = Vec::new();
    for number in 1..=2 {
        let (node, listener) = Redis::new(
            &server.address(),
            NodeId::from_uuid(Uuid::from_u128(number)),
            Arc::new(ManualClock::default()),
            // A busy machine must not fail a test about something else.
            RedisSettings {
                deadline: Duration::from_secs(10),
                ..RedisSettings::default()
            },
        )
        .expect("a valid address");
        let mut news = node.subscribe();
        listeners.spawn(listener.run());
        assert_eq!(
            news.next().await,
            Some(Invalidation::Everything),
            "the listener is in contact"
        );
        nodes.push(Arc::new(node));
    }
    let client = redis::Client::open(server.address()).expect("a valid address");
    let control = client
        .get_multiplexed_async_connection()
        .await
        .expect("the server answers");
    let nodes = nodes
        .try_into()
        .unwrap_or_else(|_| unreachable!("two nodes were made"));
    TwoNodes {
        nodes,
        control,
        _listeners: listeners,
        _server: server,
    }
}

coordination_test_suite!(two_nodes);

#[tokio::test]
async fn a_server_that_forgot_its_scripts_and_keys_goes_on() {
    let deployment = two_nodes().await;
    let [here, _] = deployment.nodes();
    let limit = Rate {
        permits: 1,
        per: Duration::from_secs(24 * 3_600),
    };
    let bucket = RateKey::new("key", "a");
    let now = deployment.now().await;
    assert!(
        here.take(&bucket, limit, now)
            .await
            .expect("contact")
            .allowed
    );
    assert!(
        !here
            .take(&bucket, limit, now)
            .await
            .expect("contact")
            .allowed
    );
    let mut control = deployment.control.clone();
    let _: () = cmd("SCRIPT")
        .arg("FLUSH")
        .query_async(&mut control)
        .await
        .expect("it may");
    assert!(
        !here
            .take(&bucket, limit, now)
            .await
            .expect("contact")
            .allowed
    );
    let _: () = cmd("FLUSHALL")
        .query_async(&mut control)
        .await
        .expect("it may");
    assert!(
        here.take(&bucket, limit, now)
            .await
            .expect("contact")
            .allowed
    );
}

#[tokio::test]
async fn everything_kept_there_runs_out() {
    let deployment = two_nodes().await;
    let [here, _] = deployment.nodes();
    let pin = pin_to("m|a");
    let key = PinKey::from_digest([7; 32]);
    here.set_pin(&key, &pin, Duration::from_secs(1))
        .await
        .expect("contact");
    let limit = Rate {
        permits: 1,
        per: Duration::from_secs(1),
    };
    let bucket = RateKey::new("key", "a");
    here.take(&bucket, limit, deployment.now().await)
        .await
        .expect("contact");

    here.publish_health(&HealthDigest::default(), Duration::from_secs(1))
        .await
        .expect("contact");

    let mut control = deployment.control.clone();
    let names: Vec<String> = control.keys("*").await.expect("it may");
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        assert!(
            name.starts_with("switchyard:"),
            "{name} could belong to anyone"
        );
        let left_ms: i64 = control.pttl(&name).await.expect("it may");
        assert!(left_ms > 0, "{name} would stay for ever");
    }
}
