//! A settled generation as it is looked up.

use serde_json::value::RawValue;
use switchyard_billing::settlement::{
    AttemptFacts, Charge, RequestFacts, ServedFacts, last_is_byok,
};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, GenerationId, WorkspaceId},
    money::UsdNanos,
    tokens::{TokenUsage, UsageSource},
};

/// Everything the books keep of a generation: its settlement without the holds it consumed.
#[derive(Debug, Clone)]
pub struct GenerationView {
    /// Its id.
    pub generation_id: GenerationId,
    /// Who paid.
    pub account_id: AccountId,
    /// Where the key lives.
    pub workspace_id: WorkspaceId,
    /// Which key asked.
    pub api_key_id: ApiKeyId,
    /// When the request was admitted; the lookup's `created_at`.
    pub admitted_at: Timestamp,
    /// When the last byte came.
    pub finished_at: Timestamp,
    /// What was asked for and how.
    pub request: RequestFacts,
    /// What served, with the prices that applied; `None` when no endpoint did.
    pub served: Option<ServedFacts>,
    /// What was used.
    pub usage: TokenUsage,
    /// Who counted.
    pub usage_source: UsageSource,
    /// What it cost.
    pub charge: Charge,
    /// Every try, in order.
    pub attempts: Vec<AttemptFacts>,
    /// The routing decision record, a JSON object.
    pub decision: Option<Box<RawValue>>,
}

impl GenerationView {
    /// Whether a customer's own credential served, stored or supplied by the request.
    pub fn is_byok(&self) -> bool {
        self.served.as_ref().is_some_and(|served| {
            served.byok_credential_id.is_some() || last_is_byok(&self.attempts)
        })
    }
}

/// Which generations to walk through, and from where on.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Whose; `None` is everybody's.
    pub account: Option<AccountId>,
    /// Admitted from then on.
    pub since: Timestamp,
    /// Admitted before then.
    pub until: Timestamp,
    /// The last one seen.
    pub after: Option<(Timestamp, GenerationId)>,
    /// How many at most.
    pub limit: u32,
}

/// A settled generation's routing decision and what came of it.
#[derive(Debug, Clone)]
pub struct DecidedGeneration {
    /// Its id.
    pub generation_id: GenerationId,
    /// Who paid.
    pub account_id: AccountId,
    /// Where the key lives.
    pub workspace_id: WorkspaceId,
    /// Which key asked.
    pub api_key_id: ApiKeyId,
    /// When the request was admitted.
    pub admitted_at: Timestamp,
    /// What served; `None` when nothing did.
    pub endpoint_id: Option<EndpointId>,
    /// The customer's own credential that served, if one did.
    pub byok_credential_id: Option<CredentialId>,
    /// What it cost.
    pub charge: UsdNanos,
    /// The routing decision record, a JSON object.
    pub decision: Option<Box<RawValue>>,
}
