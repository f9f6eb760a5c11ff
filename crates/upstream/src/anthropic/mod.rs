//! Providers that speak Anthropic's Messages.

mod quirks;

use http::request::Builder;
use switchyard_dialects::anthropic_messages::encode_request;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{call::Call, http::header_secret, registry::FamilyCodec};

pub(crate) const CODEC: FamilyCodec = FamilyCodec {
    dialect: Dialect::AnthropicMessages,
    path: "/messages",
    authenticate,
    encode,
    affinity_header: |_| None,
};

/// The API version every request must name.
const VERSION: &str = "2023-06-01";

fn authenticate(request: Builder, credential: &Secret<Vec<u8>>) -> Result<Builder, Failure> {
    Ok(request
        .header("x-api-key", header_secret("", credential)?)
        .header("anthropic-version", VERSION))
}

fn encode(call: Call<'_>) -> Result<Vec<u8>, Failure> {
    encode_request(call.request, &quirks::traits(call.endpoint))
}
