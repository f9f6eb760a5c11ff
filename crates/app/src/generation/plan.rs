//! Planning: look up the conversation's pin and ask routing for endpoints, in order.

use std::{sync::Arc, time::Duration};

use switchyard_coordination::PinKey;
use switchyard_domain::{country::CountryCode, model::ModelId};
use switchyard_routing::{
    credentials::{CredentialUse, Credentials, Shared},
    health::HealthSnapshot,
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
    /// How endpoints were doing when the plan was made.
    pub(super) health: Arc<HealthSnapshot>,
    /// Names the conversation, where it named itself.
    pub(super) pin_key: Option<PinKey>,
}

impl App {
    pub(super) async fn plan(&self, admitted: Box<Admitted>) -> Result<Planned, GenerateError> {
        let pin_key = self.pin_key(&admitted);
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
            policy: &self.policy,
            pin: pin.as_ref(),
            country: admitted.country.as_ref().map(CountryCode::as_str),
            now: admitted.at,
            seed: self.random.u64(),
        };
        let plan = select(&admitted.needs, &situation)
            .map_err(|error| GenerateError::NoCandidates(Box::new(error.into())))?;
        Ok(Planned {
            admitted,
            plan,
            health,
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
        let account_secret = self.account_secret(admitted);
        let model = ModelId::new(admitted.chat.model.as_str());
        Some(PinKey::from_digest(
            conversation.pin_key(&account_secret, &model),
        ))
    }

    /// Stickiness is a convenience: without coordination the request is routed without it.
    async fn pinned_endpoint(&self, key: &PinKey) -> Option<WarmCache> {
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
                lifetime: self.settings.sticky_ttl,
                // Each conversation finds a successor of its own.
                prefix_digest: key
                    .as_bytes()
                    .iter()
                    .take(8)
                    .fold(0, |digest, byte| (digest << 8) | u64::from(*byte)),
            }),
            Err(degraded) => {
                metrics::counter!("switchyard_coordination_degraded_total", "reason" => degraded.reason())
                    .increment(1);
                None
            }
        }
    }
}
