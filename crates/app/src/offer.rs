//! What the catalogue offers to whoever looks at it: endpoints they could use, and what keeps the others
//! from them.

use std::sync::Arc;

use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
    tenancy::ApiKey,
};
use switchyard_routing::{
    credentials::{Credentials, Shared},
    health::HealthSnapshot,
    offer::offered,
    policy::Policy,
    record::RuledOut,
    select::Situation,
};
pub use switchyard_routing::{offer::Whose, region_includes};

use crate::{
    App, console_key,
    explain::Exclusion,
    own_credentials::{Eligible, Unreadable},
    policies::PolicyError,
};

/// Somebody who looks at the catalogue from within a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Onlooker {
    pub account_id: AccountId,
    pub workspace_id: WorkspaceId,
    pub person_id: PersonId,
}

/// Why it cannot be told what is offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    OwnCredentials(#[from] Unreadable),
}

/// The catalogue with what becomes of each of its endpoints.
#[derive(Debug, Clone)]
pub struct Offer {
    pub catalog: Arc<Catalog>,
    verdicts: Vec<Result<Whose, RuledOut>>,
}

impl App {
    /// What is offered to somebody under their standing policy and with their credentials; to nobody in
    /// particular, whatever can be called at all.
    pub async fn offer(&self, onlooker: Option<Onlooker>) -> Result<Offer, OfferError> {
        let now = self.clock.now();
        let Some(onlooker) = onlooker else {
            return Ok(Offer::to_nobody(self.catalog.current(), now));
        };
        let (account, workspace) = (onlooker.account_id, onlooker.workspace_id);
        let standing = self.policies.policy_at(account, workspace).await?;
        let key = self.such_a_key(&onlooker);
        let own = self.own_credentials.open_to_such(&key).await?;
        let shelf = self.credentials.shelf();
        let credentials = Credentials {
            shared: Shared::Only(shelf.providers()),
            own: own.as_ref().map_or(&[], Eligible::own),
        };
        let catalog = self.catalog.current();
        Ok(Offer::under(catalog, &standing.policy, credentials, now))
    }

    /// The key that the console would ask for them with.
    fn such_a_key(&self, onlooker: &Onlooker) -> ApiKey {
        ApiKey {
            id: ApiKeyId::from_uuid(uuid::Uuid::nil()),
            hash: console_key::hash(onlooker, 0),
            ..console_key::of(onlooker, self.clock.now())
        }
    }
}

impl Offer {
    /// What can be called at all.
    pub fn to_nobody(catalog: Arc<Catalog>, now: Timestamp) -> Self {
        Self::under(catalog, &Policy::default(), Credentials::ALL_SHARED, now)
    }

    fn under(
        catalog: Arc<Catalog>,
        policy: &Policy,
        credentials: Credentials<'_>,
        now: Timestamp,
    ) -> Self {
        let health = HealthSnapshot::default();
        let verdicts = offered(&Situation {
            catalog: &catalog,
            credentials,
            health: &health,
            policy,
            pin: None,
            country: None,
            now,
            seed: 0,
        });
        Self { catalog, verdicts }
    }

    /// Whose credentials an endpoint could be used with, by its index in the catalogue; `None` where a
    /// rule stands against it.
    pub fn whose(&self, endpoint: usize) -> Option<Whose> {
        self.verdicts.get(endpoint)?.as_ref().ok().copied()
    }

    /// What stands against an endpoint.
    pub fn why_not(&self, endpoint: usize) -> Option<Exclusion> {
        let ruled_out = self.verdicts.get(endpoint)?.as_ref().err()?;
        let row = &self.catalog.endpoints[endpoint];
        let provider = self.catalog.provider_of(row);
        let model = self.catalog.model_of(row).id.as_str();
        Some(Exclusion::of(&row.id, &provider.name, model, ruled_out))
    }

    /// What stands against a model of which nothing is left: the rule that removed its last endpoint.
    /// `None` where it can be used, and where it has no endpoints at all.
    pub fn why_nothing(&self, model: &Model) -> Option<Exclusion> {
        let rule = |endpoint: &usize| {
            let verdict = self.verdicts.get(*endpoint)?;
            Some((verdict.as_ref().err()?.rule, *endpoint))
        };
        let ruled_out: Option<Vec<_>> = model.endpoints.iter().map(rule).collect();
        let (_, last) = ruled_out?
            .into_iter()
            .max_by_key(|(rule, endpoint)| (*rule, usize::MAX - endpoint))?;
        self.why_not(last)
    }
}
