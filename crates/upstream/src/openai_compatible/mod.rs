//! Providers that speak OpenAI's Chat Completions.

mod quirks;

use http::{HeaderValue, header::AUTHORIZATION, request::Builder};
use switchyard_dialects::openai_chat::encode_request;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{
    failure::Failure,
    request::{ChatRequest, Dialect},
};
use switchyard_routing::vetted::Vetted;

use crate::{http::header_secret, registry::FamilyCodec};

pub(crate) const CODEC: FamilyCodec = FamilyCodec {
    dialect: Dialect::OpenAiChat,
    path: "/chat/completions",
    authenticate,
    encode,
};

fn authenticate(request: Builder, credential: &Secret<Vec<u8>>) -> Result<Builder, Failure> {
    let value: HeaderValue = header_secret("Bearer ", credential)?;
    Ok(request.header(AUTHORIZATION, value))
}

fn encode(endpoint: &Vetted, request: &ChatRequest) -> Result<Vec<u8>, Failure> {
    encode_request(request, &quirks::traits(endpoint))
}
