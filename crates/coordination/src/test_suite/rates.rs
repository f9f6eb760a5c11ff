//! Rate limits.

use std::time::Duration;

use switchyard_domain::clock::Timestamp;
use tokio::task::JoinSet;

use super::Deployment;
use crate::{
    Coordination, Rate, RateDecision, RateKey,
    rate::{Window, from_millis, millis},
};

const PER_MS: u64 = 10_000;

fn permits(permits: u32) -> Rate {
    Rate {
        permits,
        per: Duration::from_millis(PER_MS),
    }
}

fn bucket(subject: &str) -> RateKey {
    RateKey::new("suite", subject)
}

/// The start of the window that the deployment stands in.
async fn window_start(deployment: &impl Deployment) -> Timestamp {
    from_millis(millis(deployment.now().await) / PER_MS * PER_MS)
}

fn after(start: Timestamp, ms: u64) -> Timestamp {
    start.plus(Duration::from_millis(ms))
}

async fn take(node: &dyn Coordination, subject: &str, limit: Rate, now: Timestamp) -> RateDecision {
    node.take(&bucket(subject), limit, now)
        .await
        .expect("contact")
}

/// A permit taken at one node is gone at the other, and the count of what is left is right.
pub async fn a_bucket_is_counted_once_for_all_nodes(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    let start = window_start(deployment).await;
    let window_end = after(start, PER_MS);
    for (node, remaining) in [(&here, 2), (&there, 1), (&here, 0)] {
        let decision = take(&**node, "b", permits(3), start).await;
        assert_eq!(
            decision,
            RateDecision {
                allowed: true,
                remaining,
                reset_at: window_end
            }
        );
    }
    for node in [&here, &there] {
        let decision = take(&**node, "b", permits(3), after(start, 5)).await;
        assert!(!decision.allowed);
        assert_eq!(decision.remaining, 0);
    }
}

/// One bucket running dry leaves the others alone.
pub async fn buckets_are_apart(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let start = window_start(deployment).await;
    assert!(take(&*here, "b", permits(1), start).await.allowed);
    assert!(!take(&*here, "b", permits(1), start).await.allowed);
    assert!(take(&*here, "c", permits(1), start).await.allowed);
}

/// However many ask at once, no more than the limit get one.
pub async fn parallel_takers_share_one_limit(deployment: &impl Deployment) {
    let start = window_start(deployment).await;
    let mut takers = JoinSet::new();
    for taker in 0..60 {
        let node = deployment.nodes()[taker % 2].clone();
        takers.spawn(async move { take(&*node, "b", permits(25), start).await.allowed });
    }
    let given = takers
        .join_all()
        .await
        .into_iter()
        .filter(|allowed| *allowed)
        .count();
    assert_eq!(given, 25);
}

/// Zero is a limit, not the absence of one.
pub async fn a_limit_of_zero_gives_nothing(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let start = window_start(deployment).await;
    let decision = take(&*here, "b", permits(0), start).await;
    let reset_at = after(start, PER_MS);
    assert_eq!(
        decision,
        RateDecision {
            allowed: false,
            remaining: 0,
            reset_at
        }
    );
}

/// What was used just before a boundary still counts just after it, and fades linearly.
pub async fn a_burst_across_the_boundary_is_held(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let start = window_start(deployment).await;
    for _ in 0..10 {
        assert!(
            take(&*here, "b", permits(10), after(start, PER_MS - 1))
                .await
                .allowed
        );
    }
    assert!(
        !take(&*here, "b", permits(10), after(start, PER_MS))
            .await
            .allowed
    );
    // Half of the window before has left the last `per`: five permits are back, no more.
    let half_way = after(start, PER_MS + PER_MS / 2);
    for remaining in (0..5).rev() {
        let decision = take(&*here, "b", permits(10), half_way).await;
        assert_eq!((decision.allowed, decision.remaining), (true, remaining));
    }
    assert!(!take(&*here, "b", permits(10), half_way).await.allowed);
    // Two windows on, nothing counts any more.
    let later = after(start, 4 * PER_MS);
    assert_eq!(take(&*here, "b", permits(10), later).await.remaining, 9);
}

/// A refusal says when to come back: then a permit is there, a millisecond earlier none is.
pub async fn reset_at_is_exact(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let start = window_start(deployment).await;
    let limit = permits(3);
    let mut now = start;
    for _ in 0..12 {
        let decision = take(&*here, "b", limit, now).await;
        if decision.allowed {
            continue;
        }
        let just_before = Timestamp::from_micros(decision.reset_at.micros() - 1_000);
        assert!(now <= just_before, "a refusal must point into the future");
        assert!(!take(&*here, "b", limit, just_before).await.allowed);
        assert!(take(&*here, "b", limit, decision.reset_at).await.allowed);
        now = decision.reset_at;
    }
    assert!(now > start, "the limit never refused");
}

/// A clock that jumps back, as far as a node's clock is believed at all, gets no fresh window.
pub async fn a_backward_clock_reopens_nothing(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    let start = window_start(deployment).await;
    for _ in 0..3 {
        assert!(take(&*here, "b", permits(3), start).await.allowed);
    }
    for back_ms in [2 * PER_MS, 5 * PER_MS, 10 * PER_MS, 360 * PER_MS] {
        let earlier =
            Timestamp::from_micros(start.micros() - i64::try_from(back_ms * 1_000).expect("small"));
        assert!(
            !take(&*there, "b", permits(3), earlier).await.allowed,
            "{back_ms} ms back"
        );
    }
}

/// A clock that lags by less than a window uses up what its own window had left, no more.
pub async fn a_lagging_clock_counts_into_its_own_window(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    let start = window_start(deployment).await;
    assert!(
        take(&*here, "b", permits(2), after(start, PER_MS - 2))
            .await
            .allowed
    );
    assert!(
        take(&*here, "b", permits(2), after(start, PER_MS + 9_000))
            .await
            .allowed
    );
    let lagging = after(start, PER_MS - 1);
    let decision = take(&*there, "b", permits(2), lagging).await;
    assert_eq!((decision.allowed, decision.remaining), (true, 0));
    assert_eq!(decision.reset_at, after(start, PER_MS));
    assert!(!take(&*there, "b", permits(2), lagging).await.allowed);
}

/// A long, irregular history is decided exactly as the reference arithmetic decides it.
pub async fn decisions_equal_the_reference(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    let start = window_start(deployment).await;
    let mut reference: Option<Window> = None;
    let mut dice = 0x5EED_u64;
    let mut roll = |sides: u64| {
        // A linear congruential generator is random enough to be irregular, and always the same.
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut now_ms = 0;
    for step in 0..600 {
        now_ms += roll(400);
        let seen_ms = now_ms.saturating_sub(if roll(8) == 0 { roll(30_000) } else { 0 });
        // Stays within what a node's clock is believed.
        let now = after(start, seen_ms % 100_000);
        let per_ms = if roll(60) == 0 { 700 + roll(5) } else { 3_337 };
        let limit = Rate {
            permits: u32::try_from(5 + roll(3)).expect("small"),
            per: Duration::from_millis(per_ms),
        };
        let expected = reference
            .get_or_insert_with(|| Window::starting(limit, now))
            .take(limit, now);
        let node = if step % 2 == 0 { &here } else { &there };
        assert_eq!(
            take(&**node, "b", limit, now).await,
            expected,
            "step {step} at {now}"
        );
    }
}
