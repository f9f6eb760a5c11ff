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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The caller's end-user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_user: Option<String>,
    /// The app's address, from `HTTP-Referer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_referer: Option<String>,
    /// The app's name, from `X-Title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_title: Option<String>,
    /// The client's `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The client's own request id.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byok_credential_id: Option<CredentialId>,
    /// The provider's own id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<String>,
    /// Normalised finish reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The provider's own finish reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_finish_reason: Option<String>,
    /// The tier that served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// The caller left before the end.
    pub cancelled: bool,
    /// From dispatch to the first token, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// From dispatch to the last byte, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "is_default")]
    pub total: UsdNanos,
    /// The part for inference.
    #[serde(skip_serializing_if = "is_default")]
    pub inference: UsdNanos,
    /// The part for tools we ran.
    #[serde(skip_serializing_if = "is_default")]
    pub tools: UsdNanos,
    /// The list price of the tokens, whoever paid for them.
    #[serde(skip_serializing_if = "is_default")]
    pub list: UsdNanos,
    /// The input side of `list`.
    #[serde(skip_serializing_if = "is_default")]
    pub list_prompt: UsdNanos,
    /// The output side of `list`; prompt and completion add up to it.
    #[serde(skip_serializing_if = "is_default")]
    pub list_completion: UsdNanos,
    /// What caching saved against plain input prices; negative when cache writes cost more.
    #[serde(skip_serializing_if = "is_default")]
    pub cache_discount: UsdNanos,
    /// Tokens were not charged: no answer came, or it ended in an error.
    #[serde(skip_serializing_if = "is_default")]
    pub insured: bool,
}

/// A hold that a charge uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedHold {
    /// The fund that is spent from.
    pub fund: FundId,
    /// The lease it was reserved under.
    pub lease: LeaseId,
    /// What is spent from this fund, where that is not the whole charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<UsdNanos>,
}

impl ConsumedHold {
    /// A hold that the whole charge uses up.
    pub const fn new(fund: FundId, lease: LeaseId) -> Self {
        Self {
            fund,
            lease,
            amount: None,
        }
    }

    /// What is spent from the fund by a settlement that charges `total`.
    pub fn share_of(&self, total: UsdNanos) -> UsdNanos {
        self.amount.unwrap_or(total)
    }
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
    /// Whether it was one that the request itself supplied.
    #[serde(default, skip_serializing_if = "is_default")]
    pub supplied: bool,
    /// When it was sent.
    pub started_at: Timestamp,
    /// How long it took until it was over, in milliseconds.
    pub duration_ms: u64,
    /// To the first token, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// The provider's HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong: a failure kind's name; `None` when it served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What is not said is the default: most amounts of most charges are zero.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settlement {
    /// Names the ledger transaction; the same generation always has the same name.
    pub fn idempotency_key(&self) -> String {
        format!("gen:{}:settle", self.generation_id)
    }

    /// Whether a customer's own credential served, stored or supplied.
    pub fn is_byok(&self) -> bool {
        self.served.as_ref().is_some_and(|served| {
            served.byok_credential_id.is_some() || last_is_byok(&self.attempts)
        })
    }

    /// The list price that counts where traffic on customers' own credentials counts; none where
    /// there was no answer.
    pub fn byok_list_price(&self) -> UsdNanos {
        if self.is_byok() && !self.charge.insured {
            self.charge.list
        } else {
            UsdNanos::ZERO
        }
    }
}

/// Whether the attempt that answered, which is the last where one did, used a customer's own
/// credential.
pub fn last_is_byok(attempts: &[AttemptFacts]) -> bool {
    attempts.last().is_some_and(|last| last.is_byok)
}
