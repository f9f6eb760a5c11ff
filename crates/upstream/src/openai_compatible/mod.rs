//! Providers that speak OpenAI's Chat Completions.

mod quirks;

use http::{HeaderValue, header::AUTHORIZATION, request::Builder};
use switchyard_dialects::openai_chat::encode_request;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{call::Call, http::header_secret, registry::FamilyCodec};

pub(crate) const CODEC: FamilyCodec = FamilyCodec {
    dialect: Dialect::OpenAiChat,
    path: "/chat/completions",
    authenticate,
    encode,
    affinity_header: quirks::affinity_header,
};

fn authenticate(request: Builder, credential: &Secret<Vec<u8>>) -> Result<Builder, Failure> {
    let value: HeaderValue = header_secret("Bearer ", credential)?;
    Ok(request.header(AUTHORIZATION, value))
}

fn encode(call: Call<'_>) -> Result<Vec<u8>, Failure> {
    encode_request(call.request, &quirks::traits(call))
}
