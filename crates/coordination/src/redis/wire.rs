//! What lies in Redis and travels through it. Nodes of two versions share both during a deploy: a
//! field may be added at any time, and where the meaning changes the version goes up, which makes
//! the other side do without.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, CredentialId, NodeId},
};

use crate::{HealthDigest, Invalidation, Pin, health::EndpointDigest};

/// The pin format that this version writes and reads. Another one is no pin.
const PIN_VERSION: u8 = 2;

#[derive(Serialize, Deserialize)]
struct PinRecord {
    v: u8,
    endpoint: EndpointId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialId>,
    warm_tokens: u64,
    touched_at: Timestamp,
    ttl_ms: u64,
    hit_ppm: u32,
    dearer_turns: u8,
    turns: u32,
}

pub(super) fn encode_pin(pin: &Pin) -> Vec<u8> {
    let record = PinRecord {
        v: PIN_VERSION,
        endpoint: pin.endpoint.clone(),
        credential: pin.credential,
        warm_tokens: pin.warm_tokens,
        touched_at: pin.touched_at,
        ttl_ms: u64::try_from(pin.ttl.as_millis()).unwrap_or(u64::MAX),
        hit_ppm: pin.hit_ppm,
        dearer_turns: pin.dearer_turns,
        turns: pin.turns,
    };
    serde_json::to_vec(&record).expect("a pin is texts and numbers, which JSON can always hold")
}

pub(super) fn decode_pin(bytes: &[u8]) -> Option<Pin> {
    let record: PinRecord = serde_json::from_slice(bytes).ok()?;
    (record.v == PIN_VERSION).then_some(Pin {
        endpoint: record.endpoint,
        credential: record.credential,
        warm_tokens: record.warm_tokens,
        touched_at: record.touched_at,
        ttl: Duration::from_millis(record.ttl_ms),
        hit_ppm: record.hit_ppm,
        dearer_turns: record.dearer_turns,
        turns: record.turns,
    })
}

/// The digest format, the meaning of histogram bins included. Another one is no digest.
const HEALTH_VERSION: u8 = 1;

#[derive(Serialize)]
struct HealthRecord<'a> {
    v: u8,
    turn: u64,
    endpoints: &'a [EndpointDigest],
}

#[derive(Deserialize)]
struct HealthHead {
    v: u8,
    turn: u64,
}

#[derive(Deserialize)]
struct HealthBody {
    endpoints: Vec<EndpointDigest>,
}

/// What does not fit is cut off at the end.
pub(super) fn encode_health(digest: &HealthDigest) -> Vec<u8> {
    let mut kept = digest.endpoints.len().min(HealthDigest::ENDPOINTS_MAX);
    loop {
        let record = HealthRecord {
            v: HEALTH_VERSION,
            turn: digest.turn,
            endpoints: &digest.endpoints[..kept],
        };
        let bytes = serde_json::to_vec(&record)
            .expect("a digest is texts and numbers, which JSON can always hold");
        if bytes.len() <= HealthDigest::BYTES_MAX || kept == 0 {
            return bytes;
        }
        kept /= 2;
    }
}

pub(super) fn decode_health(bytes: &[u8]) -> Option<HealthDigest> {
    if bytes.len() > HealthDigest::BYTES_MAX {
        return None;
    }
    let HealthHead { v, turn } = serde_json::from_slice(bytes).ok()?;
    if v != HEALTH_VERSION {
        return None;
    }
    let HealthBody { mut endpoints } = serde_json::from_slice(bytes).ok()?;
    endpoints.truncate(HealthDigest::ENDPOINTS_MAX);
    Some(HealthDigest { turn, endpoints })
}

#[derive(Serialize, Deserialize)]
struct NewsMessage {
    from: NodeId,
    #[serde(flatten)]
    what: WhatChanged,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "changed", rename_all = "snake_case")]
enum WhatChanged {
    ApiKey {
        lookup_id: String,
    },
    ProviderCredential {
        credential_id: CredentialId,
    },
    OwnCredential {
        account_id: AccountId,
        credential_id: CredentialId,
    },
    Policy {
        account_id: AccountId,
    },
    Catalog,
    Everything,
}

pub(super) fn encode_news(from: NodeId, news: &Invalidation) -> Vec<u8> {
    let what = match news {
        Invalidation::ApiKey { lookup_id } => WhatChanged::ApiKey {
            lookup_id: lookup_id.to_string(),
        },
        Invalidation::ProviderCredential { credential_id } => WhatChanged::ProviderCredential {
            credential_id: *credential_id,
        },
        Invalidation::OwnCredential {
            account_id,
            credential_id,
        } => WhatChanged::OwnCredential {
            account_id: *account_id,
            credential_id: *credential_id,
        },
        Invalidation::Policy { account_id } => WhatChanged::Policy {
            account_id: *account_id,
        },
        Invalidation::Catalog => WhatChanged::Catalog,
        Invalidation::Everything => WhatChanged::Everything,
    };
    serde_json::to_vec(&NewsMessage { from, what })
        .expect("news is a few texts, which JSON can always hold")
}

/// `None` for what this node said itself. News that this version cannot read means everything.
pub(super) fn decode_news(this_node: NodeId, bytes: &[u8]) -> Option<Invalidation> {
    let Ok(NewsMessage { from, what }) = serde_json::from_slice(bytes) else {
        return Some(Invalidation::Everything);
    };
    if from == this_node {
        return None;
    }
    Some(match what {
        WhatChanged::ApiKey { lookup_id } => Invalidation::ApiKey {
            lookup_id: lookup_id.into(),
        },
        WhatChanged::ProviderCredential { credential_id } => {
            Invalidation::ProviderCredential { credential_id }
        }
        WhatChanged::OwnCredential {
            account_id,
            credential_id,
        } => Invalidation::OwnCredential {
            account_id,
            credential_id,
        },
        WhatChanged::Policy { account_id } => Invalidation::Policy { account_id },
        WhatChanged::Catalog => Invalidation::Catalog,
        WhatChanged::Everything => Invalidation::Everything,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::health::Opening;

    fn node(number: u128) -> NodeId {
        NodeId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn news_survives_the_journey_and_skips_its_sender() {
        for news in [
            Invalidation::ApiKey {
                lookup_id: "0123456789abcdef".into(),
            },
            Invalidation::ProviderCredential {
                credential_id: CredentialId::from_uuid(Uuid::from_u128(9)),
            },
            Invalidation::OwnCredential {
                account_id: AccountId::from_uuid(Uuid::from_u128(8)),
                credential_id: CredentialId::from_uuid(Uuid::from_u128(9)),
            },
            Invalidation::Policy {
                account_id: AccountId::from_uuid(Uuid::from_u128(9)),
            },
            Invalidation::Catalog,
            Invalidation::Everything,
        ] {
            let message = encode_news(node(1), &news);
            assert_eq!(decode_news(node(2), &message), Some(news));
            assert_eq!(decode_news(node(1), &message), None);
        }
    }

    #[test]
    fn unreadable_news_flushes_everything() {
        let from_the_future = format!(r#"{{"from":"{}","changed":"guardrail"}}"#, node(1));
        for message in [from_the_future.as_bytes(), b"", b"{", b"\xff"] {
            assert_eq!(
                decode_news(node(2), message),
                Some(Invalidation::Everything)
            );
        }
    }

    fn pin() -> Pin {
        Pin {
            endpoint: EndpointId::new("m|t"),
            credential: Some(CredentialId::from_uuid(Uuid::from_u128(9))),
            warm_tokens: 12_345,
            touched_at: Timestamp::from_micros(1_800_000_000_123_456),
            ttl: Duration::from_millis(300_500),
            hit_ppm: 900_000,
            dearer_turns: 1,
            turns: 7,
        }
    }

    #[test]
    fn a_pin_survives_the_journey_whole() {
        assert_eq!(decode_pin(&encode_pin(&pin())), Some(pin()));
    }

    #[test]
    fn unreadable_pins_are_no_pins() {
        let written = String::from_utf8(encode_pin(&pin())).expect("JSON is text");
        let richer = written.replace("{", r#"{"warmth":3,"#);
        assert_eq!(decode_pin(richer.as_bytes()), Some(pin()), "{richer}");
        for unreadable in [
            written.replace(r#""v":2"#, r#""v":3"#),
            written.replace(r#""v":2,"#, ""),
            written.replace("cred_", "acct_"),
            r#"{"endpoint":"m|t"}"#.to_owned(),
            String::new(),
        ] {
            assert_ne!(unreadable, written);
            assert_eq!(decode_pin(unreadable.as_bytes()), None, "{unreadable}");
        }
    }

    fn digest(endpoints: usize) -> HealthDigest {
        let endpoint = |number: usize| {
            let mut digest = EndpointDigest::new(EndpointId::new(format!("m|{number}")), None);
            digest.recent.failed = 3;
            digest.five_minutes.latency = (0..=255).map(|bin| (bin, u32::MAX)).collect();
            digest.opening = Some(Opening {
                number: 1,
                left_ms: 4_000,
            });
            digest
        };
        HealthDigest {
            turn: 7,
            endpoints: (0..endpoints).map(endpoint).collect(),
        }
    }

    #[test]
    fn a_digest_survives_the_journey_and_is_cut_where_it_is_too_long() {
        assert_eq!(decode_health(&encode_health(&digest(3))), Some(digest(3)));
        let long = encode_health(&digest(5_000));
        assert!(long.len() <= HealthDigest::BYTES_MAX, "{}", long.len());
        let kept = decode_health(&long).expect("it fits").endpoints.len();
        assert!((1..=HealthDigest::ENDPOINTS_MAX).contains(&kept), "{kept}");
        assert_eq!(
            decode_health(&long).expect("it fits").endpoints,
            digest(kept).endpoints,
            "the first are kept"
        );
    }

    #[test]
    fn unreadable_digests_are_no_digests() {
        let written = String::from_utf8(encode_health(&digest(1))).expect("JSON is text");
        let richer = written.replace(r#""turn""#, r#""mood":1,"turn""#);
        assert_eq!(decode_health(richer.as_bytes()), Some(digest(1)));
        for unreadable in [
            written.replace(r#""v":1"#, r#""v":2"#),
            written.replace(r#""v":1,"#, ""),
            written.replace("[0,3,0,0]", "[0,3]"),
            String::new(),
            " ".repeat(HealthDigest::BYTES_MAX) + &written,
        ] {
            assert_ne!(unreadable, written);
            assert_eq!(decode_health(unreadable.as_bytes()), None);
        }
        let from_the_future = br#"{"v":2,"turn":1,"endpoints":{"m|t":[1,2]}}"#;
        assert_eq!(decode_health(from_the_future), None);
    }
}
