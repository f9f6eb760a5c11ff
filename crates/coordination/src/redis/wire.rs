//! What lies in Redis and travels through it. Nodes of two versions share both during a deploy,
//! so fields are only ever added.

use serde::{Deserialize, Serialize};
use switchyard_domain::{
    endpoint::EndpointId,
    id::{AccountId, CredentialId, NodeId},
};

use crate::{Invalidation, Pin};

#[derive(Serialize, Deserialize)]
struct PinRecord {
    endpoint: EndpointId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialId>,
}

pub(super) fn encode_pin(pin: &Pin) -> Vec<u8> {
    let record = PinRecord {
        endpoint: pin.endpoint.clone(),
        credential: pin.credential,
    };
    serde_json::to_vec(&record).expect("a pin is two texts, which JSON can always hold")
}

pub(super) fn decode_pin(bytes: &[u8]) -> Option<Pin> {
    let PinRecord {
        endpoint,
        credential,
    } = serde_json::from_slice(bytes).ok()?;
    Some(Pin {
        endpoint,
        credential,
    })
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
    ApiKey { lookup_id: String },
    ProviderCredential { credential_id: CredentialId },
    Policy { account_id: AccountId },
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
        WhatChanged::Policy { account_id } => Invalidation::Policy { account_id },
        WhatChanged::Catalog => Invalidation::Catalog,
        WhatChanged::Everything => Invalidation::Everything,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

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

    #[test]
    fn unreadable_pins_are_no_pins() {
        assert_eq!(decode_pin(br#"{"endpoint":7}"#), None);
        assert_eq!(
            decode_pin(br#"{"endpoint":"m|t","credential":"acct_1"}"#),
            None
        );
        let newer = decode_pin(br#"{"endpoint":"m|t","warmth":3}"#).expect("a readable pin");
        assert_eq!(
            newer,
            Pin {
                endpoint: EndpointId::new("m|t"),
                credential: None
            }
        );
    }
}
