//! Planning: look up the conversation's pin and ask routing for endpoints, in order.

use std::sync::Arc;

use switchyard_domain::country::CountryCode;
use switchyard_routing::{
    credentials::{Credentials, Shared},
    health::HealthSnapshot,
    record::WarmRecord,
    select::{Plan, Situation, select},
};

use crate::{
    App,
    generation::{GenerateError, OwnSet, admit::Admitted, pin::Pinning},
    policies::StandingPolicy,
};

/// An admitted request with endpoints to try.
pub(super) struct Planned {
    /// Boxed: it is large, and moves from stage to stage.
    pub(super) admitted: Box<Admitted>,
    pub(super) plan: Plan,
    /// How endpoints were doing when the plan was made.
    pub(super) health: Arc<HealthSnapshot>,
    /// Whose credentials it may be served with beside the operator's.
    pub(super) own: OwnSet,
    /// What holds whatever the request asks for.
    pub(super) standing: Arc<StandingPolicy>,
    /// The conversation, if it may stay with an endpoint.
    pub(super) pinning: Option<Pinning>,
}

impl App {
    pub(super) async fn plan(&self, admitted: Box<Admitted>) -> Result<Planned, GenerateError> {
        let standing = self.policies.policy_of(&admitted.caller).await?;
        let Admitted {
            caller,
            chat,
            needs,
            ..
        } = &*admitted;
        let pinning = self.pinning(caller, chat, needs).await;
        let warm = pinning
            .as_ref()
            .and_then(|pinning| self.warm_cache(caller, chat, pinning, admitted.at));
        let catalog = self.catalog.current();
        let own = self
            .own_set(caller, &chat.supplied_credentials, &catalog)
            .await?;
        let health = self.health.snapshot();
        let shelf = self.credentials.shelf();
        let situation = Situation {
            catalog: &catalog,
            credentials: Credentials {
                shared: Shared::Only(shelf.providers()),
                own: own.own(),
            },
            health: &health,
            policy: &standing.policy,
            pin: warm.as_ref(),
            country: admitted.country.as_ref().map(CountryCode::as_str),
            now: admitted.at,
            seed: self.random.u64(),
        };
        let mut plan = select(needs, &situation)
            .map_err(|error| GenerateError::NoCandidates(Box::new(error.into())))?;
        // With these the decision can be made again; the needs follow at its settlement.
        plan.record.warm = warm.as_ref().map(WarmRecord::from);
        plan.record.country = situation.country.map(str::to_owned);
        Ok(Planned {
            admitted,
            plan,
            health,
            own,
            standing,
            pinning,
        })
    }
}
