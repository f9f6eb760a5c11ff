//! Planning: look up the conversation's pin and ask routing for endpoints, in order.

use switchyard_coordination::PinKey;
use switchyard_domain::{clock::Timestamp, model::ModelId};
use switchyard_routing::{
    credentials::{CredentialUse, Credentials, Shared},
    select::{Plan, Situation, select},
    stickiness::{Conversation, WarmCache},
};

use crate::{
    App,
    generation::{GenerateError, admit::Admitted},
};

/// An admitted request with endpoints to try.
pub(super) struct Planned {
    /// Boxed: it is large, and moves from stage to stage.
    pub(super) admitted: Box<Admitted>,
    pub(super) plan: Plan,
    /// Names the conversation, where it named itself.
    pub(super) pin_key: Option<PinKey>,
}

impl App {
    pub(super) async fn plan(&self, admitted: Box<Admitted>) -> Result<Planned, GenerateError> {
        let pin_key = self.pin_key(&admitted);
        let pin = match &pin_key {
            Some(key) => self.pinned_endpoint(key, admitted.at).await,
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
            policy: &self.policy,
            pin: pin.as_ref(),
            country: None,
            now: admitted.at,
            seed: self.random.u64(),
        };
        let plan = select(&admitted.needs, &situation)
            .map_err(|error| GenerateError::NoCandidates(Box::new(error.into())))?;
        Ok(Planned {
            admitted,
            plan,
            pin_key,
        })
    }

    /// The key of a conversation that named itself. One that can only be told by its opening is
    /// not looked up: that would cost every request a question to coordination.
    fn pin_key(&self, admitted: &Admitted) -> Option<PinKey> {
        let conversation = Conversation::of(&admitted.chat)?;
        let Conversation::Named(_) = conversation else {
            return None;
        };
        let mut account_secret = [0; 48];
        account_secret[..32].copy_from_slice(&self.settings.sticky_secret);
        account_secret[32..].copy_from_slice(admitted.caller.account_id().as_uuid().as_bytes());
        let model = ModelId::new(admitted.chat.model.as_str());
        Some(PinKey::from_digest(
            conversation.pin_key(&account_secret, &model),
        ))
    }

    /// Stickiness is a convenience: without coordination the request is routed without it.
    async fn pinned_endpoint(&self, key: &PinKey, now: Timestamp) -> Option<WarmCache> {
        match self.coordination.pin(key).await {
            Ok(pin) => pin.map(|pin| WarmCache {
                endpoint: pin.endpoint,
                credential: pin
                    .credential
                    .map_or(CredentialUse::Shared, CredentialUse::Own),
                warm_tokens: pin.warm_tokens,
                idle: now.since(pin.touched_at),
                ttl: pin.ttl,
                hit_ppm: pin.hit_ppm,
                dearer_turns: pin.dearer_turns,
            }),
            Err(degraded) => {
                metrics::counter!("switchyard_coordination_degraded_total", "reason" => degraded.reason())
                    .increment(1);
                None
            }
        }
    }
}
