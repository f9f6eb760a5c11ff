//! What the other nodes know.

use std::{collections::HashMap, sync::Arc, time::Duration};

use switchyard_coordination::{
    PeerHealth,
    health::{DIGEST_TTL, EndpointDigest},
};
use switchyard_domain::{clock::Timestamp, id::NodeId};
use switchyard_routing::credentials::CredentialUse;

use super::{measured::Measured, record::Key};

/// What the other nodes count, added up.
pub(super) type Others = HashMap<Key, Arc<Measured>>;

/// The other nodes, as last heard of.
#[derive(Debug, Default)]
pub(super) struct Peers {
    nodes: HashMap<NodeId, Peer>,
}

#[derive(Debug)]
struct Peer {
    turn: u64,
    heard_at: Timestamp,
    measured: Vec<(Key, Arc<Measured>)>,
    /// The latest opening of each of its breakers that was followed.
    openings: HashMap<Key, u64>,
}

/// Something that this node should do because of what another said.
#[derive(Debug, PartialEq)]
pub(super) struct Hint {
    pub(super) key: Key,
    /// Leave it alone for so long.
    pub(super) benched: Option<Duration>,
    /// A breaker has just opened, for so long.
    pub(super) opening: Option<Duration>,
}

impl Peers {
    /// Takes note of everyone's latest digest. A node that is not among them is gone.
    pub(super) fn hear(&mut self, peers: Vec<PeerHealth>, now: Timestamp) -> Vec<Hint> {
        let mut hints = Vec::new();
        let mut before = std::mem::take(&mut self.nodes);
        for PeerHealth { node, digest } in peers {
            let known = before.remove(&node);
            // What was heard before is not heard again: its spans would start anew.
            if let Some(known) = known.as_ref().filter(|known| known.turn == digest.turn)
                && now.since(known.heard_at) > DIGEST_TTL
            {
                continue;
            }
            let peer = match known {
                Some(known) if known.turn == digest.turn => known,
                // A turn that goes back is another run of the node; it counts from the beginning.
                Some(known) if known.turn < digest.turn => Peer::listen(
                    digest.turn,
                    &digest.endpoints,
                    known.openings,
                    now,
                    &mut hints,
                ),
                Some(_) | None => Peer::listen(
                    digest.turn,
                    &digest.endpoints,
                    HashMap::new(),
                    now,
                    &mut hints,
                ),
            };
            self.nodes.insert(node, peer);
        }
        hints
    }

    /// Nobody could be heard: who has been silent for too long is gone.
    pub(super) fn hear_nothing(&mut self, now: Timestamp) {
        self.nodes
            .retain(|_, peer| now.since(peer.heard_at) <= DIGEST_TTL);
    }

    pub(super) fn sum(&self) -> Others {
        let mut sum: Others = HashMap::new();
        for (key, measured) in self.nodes.values().flat_map(|peer| &peer.measured) {
            match sum.get_mut(key) {
                Some(known) => Arc::make_mut(known).add(measured),
                None => {
                    sum.insert(key.clone(), Arc::clone(measured));
                }
            }
        }
        sum
    }
}

impl Peer {
    fn listen(
        turn: u64,
        endpoints: &[EndpointDigest],
        mut openings: HashMap<Key, u64>,
        now: Timestamp,
        hints: &mut Vec<Hint>,
    ) -> Self {
        let mut measured = Vec::new();
        for digest in endpoints {
            let key = Key {
                endpoint: digest.endpoint.clone(),
                credential: digest
                    .credential
                    .map_or(CredentialUse::Shared, CredentialUse::Own),
            };
            let opening = digest
                .opening
                .filter(|opening| {
                    openings.insert(key.clone(), opening.number) != Some(opening.number)
                })
                .map(|opening| Duration::from_millis(opening.left_ms));
            let benched = digest.benched_ms.map(Duration::from_millis);
            // How a customer's credential fares is told, but never counted into shared health.
            if key.credential.is_shared()
                && let Some(known) = Measured::of_digest(digest)
            {
                measured.push((key.clone(), Arc::new(known)));
            }
            if opening.is_some() || benched.is_some() {
                hints.push(Hint {
                    key,
                    benched,
                    opening,
                });
            }
        }
        Self {
            turn,
            heard_at: now,
            measured,
            openings,
        }
    }
}
