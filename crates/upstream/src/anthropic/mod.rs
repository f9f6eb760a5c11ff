//! Providers that speak Anthropic's Messages.

pub(crate) mod quirks;

use switchyard_dialects::anthropic_messages::encode_request;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{
    address::Address,
    call::Call,
    prepared::{Prepared, Reading, Sent, header_secret, post, with_body},
    registry::base_url,
};

/// The API version every request must name.
pub(crate) const VERSION: &str = "2023-06-01";

pub(crate) fn prepare(call: Call<'_>) -> Result<Prepared, Failure> {
    let body = encode_request(call.request, &quirks::traits(call.endpoint))?;
    let address = Address::listed(base_url(&call), "/messages")?;
    let egress = address.egress();
    let request = post(address, call)
        .header("x-api-key", header_secret("", call.credential.expose())?)
        .header("anthropic-version", VERSION);
    Ok(Prepared {
        request: with_body(request, body)?,
        egress,
        reading: Reading::plain(Dialect::AnthropicMessages),
        sent: Sent::Credential,
    })
}
