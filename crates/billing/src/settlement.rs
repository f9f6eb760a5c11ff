//! The final word on one generation: what was used, what it cost, which holds it consumed. A
//! settlement is written to the node's journal before the caller sees the end of the answer, and
//! posted to the ledger from there, once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, GenerationId, LeaseId, WorkspaceId},
    money::UsdNanos,
    price_list::PriceList,
    provider::ProviderSlug,
    tokens::{TokenUsage, UsageSource},
};

use crate::fund::FundId;

/// A generation with everything the books keep of it. Holds no prompt and no completion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settlement {
    /// The generation; settling is idempotent by it.
    pub generation_id: GenerationId,
    /// Who pays.
    pub account_id: AccountId,
    /// Where the key lives.
    pub workspace_id: WorkspaceId,
    /// Which key asked.
    pub api_key_id: ApiKeyId,
    /// When the request was admitted; its month, its windows and its price windows follow from it.
    pub admitted_at: Timestamp,
    /// When the last byte came.
    pub finished_at: Timestamp,
    /// What was asked for and how.
    pub request: RequestFacts,
    /// What served; `None` when no endpoint did.
    pub served: Option<ServedFacts>,
    /// What was used.
    pub usage: TokenUsage,
    /// Who counted.
    pub usage_source: UsageSource,
    /// What it costs.
    pub charge: Charge,
    /// The leases whose holds the charge consumes.
    pub holds: Vec<ConsumedHold>,
    /// Every try, in order.
    pub attempts: Vec<AttemptFacts>,
    /// The routing decision record, a JSON object.
    pub decision: Option<Box<RawValue>>,
    /// What the generation's receipt will say, a JSON object, where its workspace asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<RawValue>>,
}

/// Facts of the request, for the generation lookup and for analytics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestFacts {
    /// The model as asked for.
    pub requested_model: String,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// `completions`, as the generation lookup names the API.
    pub api_type: String,
    /// The caller's session, if it named one.
    pub session_id: Option<String>,
    /// The caller's end-user id.
    pub external_user: Option<String>,
    /// The app's address, from `HTTP-Referer`.
    pub http_referer: Option<String>,
    /// The app's name, from `X-Title`.
    pub app_title: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's own request id.
    pub request_id: Option<String>,
    /// Media parts in the prompt.
    pub media_prompt: u32,
}

/// Facts of the endpoint that served and of how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedFacts {
    /// The model that answered, never an alias.
    pub model: String,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Its provider.
    pub provider: ProviderSlug,
    /// The provider's display name.
    pub provider_name: String,
    /// The customer's credential, when one served.
    pub byok_credential_id: Option<CredentialId>,
    /// The provider's own id of the answer.
    pub upstream_id: Option<String>,
    /// Normalised finish reason.
    pub finish_reason: Option<String>,
    /// The provider's own finish reason.
    pub native_finish_reason: Option<String>,
    /// The tier that served.
    pub service_tier: Option<String>,
    /// The caller left before the end.
    pub cancelled: bool,
    /// From dispatch to the first token, in milliseconds.
    pub latency_ms: Option<u64>,
    /// From dispatch to the last byte, in milliseconds.
    pub generation_time_ms: Option<u64>,
    /// Content hash of the prices used.
    pub price_snapshot_id: Arc<str>,
    /// The prices used, so that the charge can be recomputed.
    pub prices: Arc<PriceList>,
}

/// What a generation costs and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Charge {
    /// What the account is charged in total: inference and tools, rounded once.
    pub total: UsdNanos,
    /// The part for inference.
    pub inference: UsdNanos,
    /// The part for tools we ran.
    pub tools: UsdNanos,
    /// The list price of the tokens, whoever paid for them.
    pub list: UsdNanos,
    /// The input side of `list`.
    pub list_prompt: UsdNanos,
    /// The output side of `list`; prompt and completion add up to it.
    pub list_completion: UsdNanos,
    /// What caching saved against plain input prices; negative when cache writes cost more.
    pub cache_discount: UsdNanos,
    /// Tokens were not charged: no answer came, or it ended in an error.
    pub insured: bool,
}

/// A hold that a charge uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedHold {
    /// The fund that is spent from.
    pub fund: FundId,
    /// The lease it was reserved under.
    pub lease: LeaseId,
}

/// One try at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFacts {
    /// From 1.
    pub number: u32,
    /// Where it went.
    pub endpoint_id: EndpointId,
    /// Its provider.
    pub provider: ProviderSlug,
    /// Whether a customer's credential was used.
    pub is_byok: bool,
    /// When it was sent.
    pub started_at: Timestamp,
    /// How long it took until it was over, in milliseconds.
    pub duration_ms: u64,
    /// To the first token, in milliseconds.
    pub first_token_ms: Option<u64>,
    /// The provider's HTTP status, when it answered.
    pub status: Option<u16>,
    /// What went wrong: a failure kind's name; `None` when it served.
    pub failure: Option<String>,
}

impl Settlement {
    /// Names the ledger transaction; the same generation always has the same name.
    pub fn idempotency_key(&self) -> String {
        format!("gen:{}:settle", self.generation_id)
    }
}
