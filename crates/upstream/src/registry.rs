//! The provider families: one line each.
//!
//! A family is a folder with a function that turns a [`Call`] into a [`Prepared`] request. That is
//! all there is to it, so a family may do in whatever order it needs:
//!
//! - **Where to**: [`Address::listed`] for an address that stands in the catalogue;
//!   [`Address::filled`] where the credential fills `{placeholders}` in it (those that the family
//!   names in [`Family::placeholders`]); [`Address::named`] where the credential names the host.
//!   Each knows under which egress rules it is dialled.
//! - **With what**: headers on top of [`post`], secrets among them by [`header_secret`]. The body is
//!   encoded before, so a signature may cover it and the address. Whatever secret goes out that is
//!   not the stored credential itself is named in [`Sent::Parts`], to be blotted out of errors.
//! - **What comes back**: a [`Reading`], the dialect and its framing.
//!
//! A family that has to ask for something first, such as an access token, makes [`prepare`] await it:
//! what it remembers between requests is a field of [`HttpUpstream`] that comes in with [`Means`], and it
//! asks through [`Transport::exchange`], under the same egress rules as any request.
//!
//! [`Address::listed`]: crate::address::Address::listed
//! [`Address::filled`]: crate::address::Address::filled
//! [`Address::named`]: crate::address::Address::named
//! [`HttpUpstream`]: crate::http::HttpUpstream
//! [`Reading`]: crate::prepared::Reading
//! [`Sent::Parts`]: crate::prepared::Sent::Parts
//! [`Transport::exchange`]: crate::transport::Transport::exchange
//! [`header_secret`]: crate::prepared::header_secret
//! [`post`]: crate::prepared::post

#[cfg(test)]
pub(crate) mod alone;

use switchyard_catalog::{snapshot::Family, wire_format::WireFormat};
use switchyard_domain::clock::Clock;
use switchyard_interchange::failure::Failure;

use crate::{
    anthropic, azure, bedrock,
    call::Call,
    openai_compatible,
    prepared::Prepared,
    transport::Transport,
    vertex::{self, AccessTokens},
};

/// What a family may need beside the call.
pub(crate) struct Means<'m> {
    pub(crate) clock: &'m dyn Clock,
    pub(crate) transport: &'m Transport,
    pub(crate) access_tokens: &'m AccessTokens,
}

/// Writes the request for an endpoint, the way its family wants it.
pub(crate) async fn prepare(call: Call<'_>, means: Means<'_>) -> Result<Prepared, Failure> {
    let family = call.endpoint.provider().family;
    match family.expect("a vetted endpoint is callable, and that needs a family") {
        Family::OpenAiCompatible => openai_compatible::prepare(call),
        Family::Anthropic => anthropic::prepare(call),
        Family::Azure => azure::prepare(call),
        Family::Bedrock => bedrock::prepare(call, means.clock),
        Family::Vertex => {
            // Waiting for a token takes room that other families' requests need not carry about.
            Box::pin(vertex::prepare(call, means.access_tokens, means.transport)).await
        }
    }
}

/// The catalogue's address of an endpoint.
pub(crate) fn base_url<'a>(call: &Call<'a>) -> &'a str {
    let base_url = call.endpoint.endpoint().base_url.as_deref();
    base_url.expect("a vetted endpoint is callable, and that needs an address")
}

/// What the provider calls an endpoint's model.
pub(crate) fn provider_model_id<'a>(call: &Call<'a>) -> &'a str {
    let id = call.endpoint.endpoint().provider_model_id.as_deref();
    id.expect("a vetted endpoint is callable, and that needs an upstream id")
}

/// A format of those that the catalogue says an endpoint's model is served in.
pub(crate) fn spoken(format: Option<WireFormat>) -> WireFormat {
    format.expect("a vetted endpoint is callable, and that needs a format we speak")
}
