//! Planning: look up the conversation's pin and ask routing for endpoints, in order.

use std::{sync::Arc, time::Duration};

use switchyard_coordination::PinKey;
use switchyard_domain::{model::ModelId, tenancy::Caller};
use switchyard_interchange::request::ChatRequest;
use switchyard_routing::{
    credentials::{CredentialUse, Credentials, Shared},
    record::WarmRecord,
    select::{Plan, Situation, select},
    stickiness::{Conversation, WarmCache},
};

use crate::{
    App,
    generation::{GenerateError, admit::Admitted},
    policies::StandingPolicy,
};

/// An admitted request with endpoints to try.
pub(super) struct Planned {
    /// Boxed: it is large, and moves from stage to stage.
    pub(super) admitted: Box<Admitted>,
    pub(super) plan: Plan,
    /// What holds whatever the request asks for.
    pub(super) standing: Arc<StandingPolicy>,
    /// Names the conversation, where it named itself.
    pub(super) pin_key: Option<PinKey>,
}

impl App {
    pub(super) async fn plan(&self, admitted: Box<Admitted>) -> Result<Planned, GenerateError> {
        let standing = self.policies.policy_of(&admitted.caller).await?;
        let pin_key = self.pin_key(&admitted.caller, &admitted.chat);
        let pin = match &pin_key {
            Some(key) => self.pinned_endpoint(key).await,
            None => None,
        };
        let catalog = self.catalog.current();
        let health = self.health.snapshot();
        let shelf = self.credentials.shelf();
        let situation = Situation {
            catalog: &catalog,
            credentials: Credentials {
                shared: Shared::Only(shelf.providers()),
                own: &[],
            },
            health: &health,
            policy: &standing.policy,
            pin: pin.as_ref(),
            country: None,
            now: admitted.at,
            seed: self.random.u64(),
        };
        let mut plan = select(&admitted.needs, &situation)
            .map_err(|error| GenerateError::NoCandidates(Box::new(error.into())))?;
        // With these the decision can be made again; the needs follow at its settlement.
        plan.record.warm = pin.as_ref().map(WarmRecord::from);
        plan.record.country = situation.country.map(str::to_owned);
        Ok(Planned {
            admitted,
            plan,
            standing,
            pin_key,
        })
    }

    /// The key of a conversation that named itself. One that can only be told by its opening is
    /// not looked up: that would cost every request a question to coordination.
    pub(crate) fn pin_key(&self, caller: &Caller, chat: &ChatRequest) -> Option<PinKey> {
        let conversation = Conversation::of(chat)?;
        let Conversation::Named(_) = conversation else {
            return None;
        };
        let mut account_secret = [0; 48];
        account_secret[..32].copy_from_slice(&self.settings.sticky_secret);
        account_secret[32..].copy_from_slice(caller.account_id().as_uuid().as_bytes());
        let model = ModelId::new(chat.model.as_str());
        Some(PinKey::from_digest(
            conversation.pin_key(&account_secret, &model),
        ))
    }

    /// Stickiness is a convenience: without coordination the request is routed without it.
    pub(crate) async fn pinned_endpoint(&self, key: &PinKey) -> Option<WarmCache> {
        match self.coordination.pin(key).await {
            Ok(pin) => pin.map(|pin| WarmCache {
                endpoint: pin.endpoint,
                credential: pin
                    .credential
                    .map_or(CredentialUse::Shared, CredentialUse::Own),
                warm_tokens: 0,
                idle: Duration::ZERO,
                ttl: self.settings.sticky_ttl,
                hit_ppm: 1_000_000,
                dearer_turns: 0,
            }),
            Err(degraded) => {
                metrics::counter!("switchyard_coordination_degraded_total", "reason" => degraded.reason())
                    .increment(1);
                None
            }
        }
    }
}
