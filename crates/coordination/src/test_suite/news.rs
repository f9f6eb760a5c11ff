//! Invalidations.

use super::Deployment;
use crate::{Invalidation, Invalidations};

fn revoked(lookup_id: &str) -> Invalidation {
    Invalidation::ApiKey {
        lookup_id: lookup_id.into(),
    }
}

async fn next(news: &mut Invalidations) -> Invalidation {
    let deadline = std::time::Duration::from_secs(20);
    tokio::time::timeout(deadline, news.next())
        .await
        .expect("news must arrive")
        .expect("the publisher is still there")
}

/// Every subscriber on every node hears each piece of news once and in order, from its
/// subscription on.
pub async fn every_node_hears_once(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    let (mut first, mut second) = (here.subscribe(), there.subscribe());
    let said = [
        revoked("a"),
        Invalidation::OwnCredential {
            account_id: "acct_00000000000000000000000000000001"
                .parse()
                .expect("an id"),
            credential_id: "cred_00000000000000000000000000000002"
                .parse()
                .expect("an id"),
        },
        Invalidation::Catalog,
    ];
    for news in &said {
        here.publish(news.clone()).await.expect("contact");
    }
    for news in [&mut first, &mut second] {
        for expected in &said {
            assert_eq!(next(news).await, *expected);
        }
    }
    let mut late = there.subscribe();
    there.publish(revoked("b")).await.expect("contact");
    for news in [&mut first, &mut second, &mut late] {
        assert_eq!(next(news).await, revoked("b"));
    }
}

/// News that cannot be kept for a slow subscriber is replaced by the order to flush.
pub async fn a_slow_subscriber_must_flush(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let mut slow = here.subscribe();
    for number in 0..1_000 {
        here.publish(revoked(&number.to_string()))
            .await
            .expect("contact");
    }
    assert_eq!(next(&mut slow).await, Invalidation::Everything);
    // After the flush it hears what is still kept, up to the latest.
    let mut last = next(&mut slow).await;
    while last != revoked("999") {
        assert_ne!(last, Invalidation::Everything);
        last = next(&mut slow).await;
    }
}
