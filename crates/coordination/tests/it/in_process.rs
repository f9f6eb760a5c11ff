//! The in-process implementation passes the shared suite, and keeps within its capacity.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use switchyard_coordination::{
    Coordination, PinKey, Rate, RateKey, coordination_test_suite,
    in_process::{Capacity, InProcess},
    test_suite::Deployment,
};
use switchyard_domain::clock::{Clock as _, Timestamp};

use crate::{manual_clock::ManualClock, pins::pin_to};

struct OneNode {
    clock: Arc<ManualClock>,
    node: Arc<InProcess>,
}

#[async_trait]
impl Deployment for OneNode {
    fn nodes(&self) -> [Arc<dyn Coordination>; 2] {
        [self.node.clone(), self.node.clone()]
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn age(&self, by: Duration) {
        self.clock.advance(by);
    }
}

async fn one_node() -> OneNode {
    let clock = Arc::new(ManualClock::default());
    OneNode {
        node: Arc::new(InProcess::new(clock.clone())),
        clock,
    }
}

coordination_test_suite!(one_node);

#[tokio::test]
async fn what_runs_out_first_makes_room() {
    let clock = Arc::new(ManualClock::default());
    let one_shard = Capacity {
        pins: 1,
        buckets: 1,
    };
    let node = InProcess::with_capacity(clock.clone(), one_shard);
    let pin = pin_to("m|a");
    let [first, second] = [1, 2].map(|number| PinKey::from_digest([number; 32]));
    let ttl = Duration::from_secs(60);
    node.set_pin(&first, &pin, ttl)
        .await
        .expect("never degraded");
    node.set_pin(&first, &pin, ttl)
        .await
        .expect("never degraded");
    node.set_pin(&second, &pin, ttl)
        .await
        .expect("never degraded");
    assert_eq!(node.pin(&first).await.expect("never degraded"), None);
    assert_eq!(node.pin(&second).await.expect("never degraded"), Some(pin));

    let limit = Rate {
        permits: 1,
        per: ttl,
    };
    let now = clock.now();
    assert!(node.take_now(&RateKey::new("key", 1), limit, now).allowed);
    assert!(!node.take_now(&RateKey::new("key", 1), limit, now).allowed);
    assert!(node.take_now(&RateKey::new("key", 2), limit, now).allowed);
    assert!(
        node.take_now(&RateKey::new("key", 1), limit, now).allowed,
        "it was forgotten"
    );
}
