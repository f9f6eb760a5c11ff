//! What a receipt says, and how it is sealed: a body in canonical JSON, the body's hash, and a
//! signature over the hash.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchyard_domain::id::{GenerationId, WorkspaceId};
use switchyard_store::receipts::{ChainHead, SignedReceipt, UnsignedReceipt};
use switchyard_vault::signing::SigningKey;

use super::canonical::{self, NotCanonical, digest, hex};

/// The only version there is.
pub const VERSION: u32 = 1;

/// Stands in every receipt, so that nobody reads more into one than it says.
pub const STATEMENT: &str = "This receipt proves what this gateway attempted under which policy, \
                             not what a provider did with it.";

/// What a receipt says before it has its place in its workspace's chain.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Draft<'a> {
    pub(crate) version: u32,
    pub(crate) generation_id: &'a GenerationId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) issued_at: String,
    pub(crate) admitted_at: String,
    pub(crate) catalog_version: &'a str,
    pub(crate) policy: PolicyClaim,
    pub(crate) attempts: Vec<AttemptClaim>,
    pub(crate) decision_digest: Option<String>,
    pub(crate) statement: &'static str,
}

/// A receipt as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub version: u32,
    pub generation_id: GenerationId,
    pub workspace_id: WorkspaceId,
    /// When the generation was settled. RFC 3339, UTC.
    pub issued_at: String,
    /// When the request was admitted. RFC 3339, UTC.
    pub admitted_at: String,
    /// Its number in its workspace's chain, from 1.
    pub sequence: u64,
    /// The hash of the receipt before it; `None` for the first.
    #[serde(deserialize_with = "stated")]
    pub previous_hash: Option<String>,
    /// The catalogue that the decision read.
    pub catalog_version: String,
    pub policy: PolicyClaim,
    pub attempts: Vec<AttemptClaim>,
    /// SHA-256 over the canonical text of the stored decision record.
    #[serde(deserialize_with = "stated")]
    pub decision_digest: Option<String>,
    pub statement: String,
    /// SHA-256 over the canonical text of everything above.
    pub hash: String,
    /// The key that signed the hash.
    pub key_id: String,
    /// Ed25519, over the bytes of the hash.
    pub signature: String,
}

/// The policy that applied: standing rules of every scope and the request's own together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyClaim {
    /// SHA-256 over the canonical text of the rules, scope by scope.
    pub digest: String,
    /// Zero data retention was demanded of every endpoint that was tried.
    pub zdr: bool,
    /// Training on prompts was denied to every endpoint that was tried.
    pub deny_training: bool,
    /// Where data may be served; `None`: anywhere.
    #[serde(deserialize_with = "stated")]
    pub allowed_data_regions: Option<Vec<String>>,
}

/// One try, with what the catalogue said of its endpoint when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptClaim {
    /// From 1.
    pub number: u32,
    pub endpoint: String,
    /// The provider's slug.
    pub provider: String,
    pub credential: CredentialClaim,
    pub zero_data_retention: bool,
    /// Unknown counts as yes.
    pub may_train: bool,
    /// `None`: not known.
    #[serde(deserialize_with = "stated")]
    pub retains_prompts: Option<bool>,
    /// `None`: not known.
    #[serde(deserialize_with = "stated")]
    pub regions: Option<Vec<String>>,
    /// Its answer is the one that was passed on.
    pub served: bool,
}

/// Whose provider credential was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialClaim {
    /// The operator's.
    Shared,
    /// The customer's own.
    Own,
}

/// A member that may be null but not missing.
fn stated<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// What a receipt has beside what its hash is over.
const SEAL: [&str; 3] = ["hash", "key_id", "signature"];

/// The hash of a receipt's body, whatever hash it states itself.
pub(super) fn body_hash(mut receipt: Map<String, Value>) -> Result<[u8; 32], NotCanonical> {
    for name in SEAL {
        receipt.remove(name);
    }
    canonical::text(&Value::Object(receipt)).map(|text| digest(&text))
}

/// Gives a receipt its place behind `head` and signs it.
pub(super) fn sign(
    receipt: UnsignedReceipt,
    head: Option<ChainHead>,
    key: &SigningKey,
) -> Result<SignedReceipt, NotCanonical> {
    let mut body: Map<String, Value> = serde_json::from_str(&receipt.document)
        .map_err(|error| NotCanonical::NotJson(error.to_string()))?;
    let sequence = head.map_or(1, |head| head.sequence + 1);
    body.insert("sequence".to_owned(), sequence.into());
    let previous = head.map(|head| hex(&head.hash));
    body.insert("previous_hash".to_owned(), previous.into());
    let hash = body_hash(body.clone())?;
    let seal = [
        hex(&hash),
        key.public_key().key_id(),
        key.sign(&hash).to_string(),
    ];
    for (name, value) in SEAL.into_iter().zip(seal) {
        body.insert(name.to_owned(), value.into());
    }
    Ok(SignedReceipt {
        generation_id: receipt.generation_id,
        document: canonical::text(&Value::Object(body))?,
        hash,
    })
}
