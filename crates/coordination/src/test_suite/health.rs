//! Digests of endpoints' health.

use std::{ptr, sync::Arc, time::Duration};

use switchyard_domain::endpoint::EndpointId;

use super::Deployment;
use crate::{
    Coordination, HealthDigest,
    health::{DIGEST_TTL, EndpointDigest, Opening},
};

/// A digest that has something in most fields.
fn digest(turn: u64) -> HealthDigest {
    let mut endpoint = EndpointDigest::new(EndpointId::new("author/model:free|a/fp8"), None);
    endpoint.recent = [90, 7, 2, 1].into();
    endpoint.half_hour.outcomes = [1_000, 7, 2, 1].into();
    endpoint.half_hour.latency = vec![(3, 17), (200, 4)];
    endpoint.tools = [40, 2].into();
    endpoint.benched_ms = Some(turn);
    endpoint.opening = Some(Opening {
        number: turn,
        left_ms: 5_000,
    });
    HealthDigest {
        turn,
        endpoints: vec![endpoint, EndpointDigest::new(EndpointId::new("m|b"), None)],
    }
}

/// The digests that `node` reads.
async fn read(node: &Arc<dyn Coordination>) -> Vec<HealthDigest> {
    let peers = node.health_of_peers().await.expect("contact");
    peers.into_iter().map(|peer| peer.digest).collect()
}

/// What `there` should read when only `here` has published: nothing where they are one node.
fn heard([here, there]: &[Arc<dyn Coordination>; 2], digest: HealthDigest) -> Vec<HealthDigest> {
    let is_one_node = ptr::addr_eq(Arc::as_ptr(here), Arc::as_ptr(there));
    if is_one_node {
        Vec::new()
    } else {
        vec![digest]
    }
}

/// Other nodes read what a node published, whole.
pub async fn a_digest_is_read_by_the_other_nodes(deployment: &impl Deployment) {
    let nodes = deployment.nodes();
    let [here, there] = &nodes;
    assert_eq!(read(there).await, []);
    here.publish_health(&digest(1), DIGEST_TTL)
        .await
        .expect("contact");
    assert_eq!(read(there).await, heard(&nodes, digest(1)));
}

/// A digest replaces the one before.
pub async fn the_last_digest_counts(deployment: &impl Deployment) {
    let nodes = deployment.nodes();
    let [here, there] = &nodes;
    for turn in 1..=3 {
        here.publish_health(&digest(turn), DIGEST_TTL)
            .await
            .expect("contact");
        assert_eq!(read(there).await, heard(&nodes, digest(turn)));
    }
}

/// A node knows what it said itself.
pub async fn nobody_hears_itself(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    here.publish_health(&digest(1), DIGEST_TTL)
        .await
        .expect("contact");
    assert_eq!(read(&here).await, []);
}

/// A digest is gone after its time, not before, and its node can come back.
pub async fn a_node_that_dies_is_forgotten(deployment: &impl Deployment) {
    let nodes = deployment.nodes();
    let [here, there] = &nodes;
    let ttl = Duration::from_secs(60);
    here.publish_health(&digest(1), ttl).await.expect("contact");
    deployment.age(ttl / 2).await;
    assert_eq!(read(there).await, heard(&nodes, digest(1)));
    deployment.age(ttl / 2).await;
    assert_eq!(read(there).await, []);
    assert_eq!(read(there).await, [], "nor is it asked for again");
    here.publish_health(&digest(2), ttl).await.expect("contact");
    assert_eq!(read(there).await, heard(&nodes, digest(2)));
}
