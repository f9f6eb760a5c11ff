//! What a request for a model would be tried with, told to the owner of the credentials: in which
//! order, where, and whose credential.

use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, PersonId, WorkspaceId},
    money::UsdNanos,
    tenancy::{ApiKey, KeyKind},
};
use switchyard_routing::{
    credentials::{CredentialUse, Credentials, Shared},
    record::DecisionRecord,
    select::{NoCandidates, Situation, select},
};
use uuid::Uuid;

use super::exclusion;
use crate::{
    App,
    own_credentials::{OwnCredentialError, ping},
    policies::PolicyError,
};

/// The same seed every time: the draw among what costs alike is not what is asked about.
const SEED: u64 = 0;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum AttemptListError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Credentials(#[from] OwnCredentialError),
}

/// What would be tried, and what would not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptList {
    /// In order.
    pub attempts: Vec<PlannedAttempt>,
    /// Why the others would not, a sentence for each.
    pub ruled_out: Vec<String>,
    /// What a caller would be told, where nothing would be tried.
    pub unavailable: Option<String>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAttempt {
    pub endpoint: EndpointId,
    /// Its provider's display name.
    pub provider: String,
    pub model: String,
    /// The account's own credential; `None` is ours.
    pub credential: Option<CredentialId>,
    pub expected_cost: Option<UsdNanos>,
}

/// A key of a workspace that nothing special holds for.
pub fn any_key_of(
    account_id: AccountId,
    workspace_id: WorkspaceId,
    creator_id: Option<PersonId>,
) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_uuid(Uuid::nil()),
        account_id,
        workspace_id,
        kind: KeyKind::Inference,
        name: String::new(),
        label: String::new(),
        hash: String::new(),
        limit: None,
        expires_at: None,
        disabled: false,
        created_at: Timestamp::default(),
        creator_id,
        shares_limit_of: None,
    }
}

impl App {
    /// What a plain request for a model would be tried with, made with this key.
    pub async fn attempt_list(
        &self,
        key: &ApiKey,
        model: &str,
    ) -> Result<AttemptList, AttemptListError> {
        let standing = self
            .policies
            .policy_for(key.account_id, key.workspace_id, key.id)
            .await?;
        let own = self.own_credentials.choices_for_key(key).await?;
        let catalog = self.catalog.current();
        let (health, shelf) = (self.health.snapshot(), self.credentials.shelf());
        let situation = Situation {
            catalog: &catalog,
            credentials: Credentials {
                shared: Shared::Only(shelf.providers()),
                own: &own,
            },
            health: &health,
            policy: &standing.policy,
            pin: None,
            country: None,
            now: self.clock.now(),
            seed: SEED,
        };
        Ok(match select(&ping(model, None).needs(), &situation) {
            Ok(plan) => AttemptList {
                attempts: attempts(&plan.record),
                ruled_out: ruled_out(&plan.record),
                unavailable: None,
            },
            Err(error) => AttemptList {
                attempts: Vec::new(),
                ruled_out: match &error {
                    NoCandidates::RuledOut { record, .. } => ruled_out(record),
                    _ => Vec::new(),
                },
                unavailable: Some(error.message()),
            },
        })
    }
}

fn attempts(record: &DecisionRecord) -> Vec<PlannedAttempt> {
    let mut planned: Vec<_> = record
        .candidates
        .iter()
        .filter_map(|row| Some((row.rank?, row)))
        .collect();
    planned.sort_by_key(|(rank, _)| *rank);
    let attempt =
        |(_, row): (usize, &switchyard_routing::record::CandidateRecord)| PlannedAttempt {
            endpoint: row.endpoint.clone(),
            provider: row.provider.to_string(),
            model: row.model.to_string(),
            credential: match row.credential {
                CredentialUse::Own(id) => Some(id),
                CredentialUse::Shared | CredentialUse::Supplied(_) => None,
            },
            expected_cost: row.expected_cost_nanos.map(UsdNanos::new),
        };
    planned.into_iter().map(attempt).collect()
}

fn ruled_out(record: &DecisionRecord) -> Vec<String> {
    let rows = record.candidates.iter();
    let mut sentences: Vec<String> = rows
        .filter_map(|row| Some(exclusion(row, row.ruled_out.as_ref()?).text))
        .collect();
    sentences.dedup();
    sentences
}
