//! Pins to make.

use std::time::Duration;

use switchyard_coordination::Pin;
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId};

/// A pin to `endpoint`.
pub(crate) fn pin_to(endpoint: &str) -> Pin {
    Pin {
        endpoint: EndpointId::new(endpoint),
        credential: None,
        warm_tokens: 2_048,
        touched_at: Timestamp::from_seconds(1_800_000_000),
        ttl: Duration::from_secs(300),
        hit_ppm: 1_000_000,
        dearer_turns: 0,
    }
}
