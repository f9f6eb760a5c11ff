//! Providers that speak OpenAI's Chat Completions.

pub(crate) mod quirks;

use http::header::AUTHORIZATION;
use switchyard_dialects::openai_chat::encode_request;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{
    address::Address,
    call::Call,
    prepared::{Prepared, Reading, Sent, header_secret, post, with_body},
    registry::base_url,
};

pub(crate) fn prepare(call: Call<'_>) -> Result<Prepared, Failure> {
    let body = encode_request(call.request, &quirks::traits(call))?;
    let address = Address::listed(base_url(&call), "/chat/completions")?;
    let egress = address.egress();
    let mut request = post(address, call);
    if let Some(hint) = call.affinity
        && let Some(header) = quirks::affinity_header(call.endpoint)
    {
        request = request.header(header, hint);
    }
    let bearer = header_secret("Bearer ", call.credential.expose())?;
    Ok(Prepared {
        request: with_body(request.header(AUTHORIZATION, bearer), body)?,
        egress,
        reading: Reading::plain(Dialect::OpenAiChat),
        sent: Sent::Credential,
    })
}
