//! The provider families: one line each.

use http::request::Builder;
use switchyard_catalog::snapshot::Family;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{failure::Failure, request::Dialect};
use switchyard_routing::vetted::Vetted;

use crate::{anthropic, call::Call, openai_compatible};

/// What a family knows: how to write a request for an endpoint.
pub(crate) struct FamilyCodec {
    pub(crate) dialect: Dialect,
    /// Appended to the endpoint's base URL.
    pub(crate) path: &'static str,
    /// Adds the credential and the family's own headers. Fails when the credential cannot be a
    /// header value.
    pub(crate) authenticate: fn(Builder, &Secret<Vec<u8>>) -> Result<Builder, Failure>,
    pub(crate) encode: fn(Call<'_>) -> Result<Vec<u8>, Failure>,
    /// The header in which an endpoint looks for [`Call::affinity`], if it does in any.
    pub(crate) affinity_header: fn(&Vetted) -> Option<&'static str>,
}

/// The codec of a family.
pub(crate) fn codec(family: Family) -> &'static FamilyCodec {
    match family {
        Family::OpenAiCompatible => &openai_compatible::CODEC,
        Family::Anthropic => &anthropic::CODEC,
    }
}
