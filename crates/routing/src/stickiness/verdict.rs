//! What became of a pin: kept, or left and why.

use serde::Serialize;
use switchyard_domain::endpoint::EndpointId;

use crate::{
    credentials::CredentialUse,
    record::{CandidateRecord, DecisionRecord},
};

/// Where a prompt cache is: a cache belongs to the provider's account, so to the credential, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheHome {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whose credential it is called with.
    #[serde(skip_serializing_if = "CredentialUse::is_shared")]
    pub credential: CredentialUse,
}

/// What a decision does about a conversation's pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum PinVerdict {
    /// There was no pin, and a success at the first candidate may set one.
    Initialize,
    /// The conversation stays.
    Retain {
        /// Turns in a row, this one included, for which another endpoint would have been markedly
        /// cheaper. To be stored with the pin, and stated in the next turn's
        /// [`WarmCache`](super::WarmCache).
        #[serde(skip_serializing_if = "is_zero")]
        dearer_turns: u8,
    },
    /// The conversation moves.
    Switch {
        /// Where it was.
        from: CacheHome,
        /// Where it goes.
        to: CacheHome,
        /// Why.
        reason: SwitchReason,
        /// The expected cost of this request where it goes, less that where it was; below 0 it
        /// saves. `None`: the old endpoint is no longer in the catalogue.
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_cost_nanos: Option<i64>,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero(turns: &u8) -> bool {
    *turns == 0
}

/// Why a conversation moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchReason {
    /// It was silent for too long.
    Expired,
    /// The old endpoint, or its credential, may not serve this request.
    Filtered,
    /// The old endpoint is down.
    Down,
    /// The old endpoint fails too often for what its cache saves.
    Degraded,
    /// Another endpoint was more than a tenth cheaper for two turns in a row.
    Cheaper,
    /// What goes before a warm cache may serve: a prioritized credential, an earlier model, an
    /// endpoint that meets the caller's thresholds.
    Outranked,
    /// The old endpoint was tried, and failed.
    Failed,
}

impl SwitchReason {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Filtered => "filtered",
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Cheaper => "cheaper",
            Self::Outranked => "outranked",
            Self::Failed => "failed",
        }
    }
}

impl PinVerdict {
    /// The number of turns to store with the pin.
    pub fn dearer_turns(&self) -> u8 {
        match self {
            Self::Retain { dearer_turns } => *dearer_turns,
            Self::Initialize | Self::Switch { .. } => 0,
        }
    }

    /// The verdict once it is known which candidate of the plan answered. Where the first one did,
    /// it is the decision's own.
    pub fn once_served(record: &DecisionRecord, served: &CacheHome) -> Option<Self> {
        let decided = record.pin_verdict.clone()?;
        let first = record.candidates.iter().find(|row| row.rank == Some(0))?;
        if is_at(first, served) {
            return Some(decided);
        }
        let (from, reason, extra_cost_nanos) = match decided {
            Self::Initialize => return Some(Self::Initialize),
            Self::Retain { .. } => {
                let home = CacheHome {
                    endpoint: first.endpoint.clone(),
                    credential: first.credential,
                };
                (home, SwitchReason::Failed, Some(0))
            }
            Self::Switch { from, .. } if from == *served => {
                return Some(Self::Retain { dearer_turns: 0 });
            }
            Self::Switch {
                from,
                reason,
                extra_cost_nanos,
                ..
            } => (from, reason, extra_cost_nanos),
        };
        let cost = |row: &CandidateRecord| row.expected_cost_nanos;
        let answered = record.candidates.iter().find(|row| is_at(row, served));
        let further = answered
            .and_then(cost)
            .zip(cost(first))
            .map(|(there, first)| there.saturating_sub(first));
        Some(Self::Switch {
            from,
            to: served.clone(),
            reason,
            extra_cost_nanos: extra_cost_nanos
                .zip(further)
                .map(|(decided, further)| decided.saturating_add(further)),
        })
    }
}

fn is_at(row: &CandidateRecord, home: &CacheHome) -> bool {
    row.rank.is_some() && row.endpoint == home.endpoint && row.credential == home.credential
}
