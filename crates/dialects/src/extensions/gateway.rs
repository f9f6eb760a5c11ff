//! `providerOptions.gateway`: the routing wishes of clients that were written for Vercel's AI
//! Gateway, read into the same preferences as the `provider` object.
//!
//! As there, keys that are not known are no mistake; what is known is checked. The whole
//! `providerOptions` stays here, whatever else it holds.

use serde_json::value::RawValue;
use switchyard_interchange::{
    preferences::{Caching, DataCollection, ProviderPreferences, RequestedTier, Sort, SortKey},
    request::SuppliedCredential,
};

use super::{capabilities, decode_service_tier, fallbacks, preferences, supplied, text};
use crate::{
    error::DecodeError,
    json::{self, Text, wire_object},
};

/// Characters of a user's id there.
const USER_CHARS_MAX: usize = 256;

/// Providers that have another name there; the others have ours.
const PROVIDERS: [(&str, &str); 7] = [
    ("bedrock", "amazon-bedrock"),
    // Gemini's own API; Vertex is a provider of its own.
    ("google", "google-ai-studio"),
    ("togetherai", "together"),
    ("vertex", "google-vertex"),
    // Claude on Vertex, which some of its clients name apart.
    ("vertexAnthropic", "google-vertex"),
    ("voyage", "voyageai"),
    ("zai", "z-ai"),
];

wire_object! {
    strict struct WireProviderOptions<'a> {
        "gateway" => gateway: WireGateway<'a>,
    }
}

wire_object! {
    /// `providerOptions.gateway`, as far as it is heeded.
    strict struct WireGateway<'a> {
        "order" => order: Vec<String>,
        "only" => only: Vec<String>,
        "sort" => sort: Text<'a>,
        "models" => models: &'a RawValue,
        "user" => user: &'a RawValue,
        "zeroDataRetention" => zero_data_retention: bool,
        "disallowPromptTraining" => disallow_prompt_training: bool,
        "has" => has: Vec<String>,
        "caching" => caching: Text<'a>,
        "byok" => byok: &'a RawValue,
        "providerTimeouts" => provider_timeouts: WireTimeouts<'a>,
        "serviceTier" => service_tier: &'a RawValue,
    }
}

wire_object! {
    strict struct WireTimeouts<'a> {
        /// There it is for the caller's own credentials; here for all.
        "byok" => byok: &'a RawValue,
    }
}

/// What `providerOptions.gateway` says.
#[derive(Default)]
pub(super) struct Gateway {
    pub(super) preferences: ProviderPreferences,
    /// `None`: not stated.
    pub(super) models: Option<Vec<String>>,
    pub(super) user: Option<String>,
    pub(super) service_tier: Option<RequestedTier>,
    pub(super) supplied_credentials: Vec<SuppliedCredential>,
}

/// Reads `providerOptions`.
pub(super) fn decode(options: Option<&RawValue>) -> Result<Gateway, DecodeError> {
    let Some(options) = options else {
        return Ok(Gateway::default());
    };
    let wire: WireProviderOptions<'_> = json::parse_at("providerOptions", options)?;
    match wire.gateway {
        Some(gateway) => {
            decode_gateway(gateway).map_err(|error| error.within("providerOptions.gateway"))
        }
        None => Ok(Gateway::default()),
    }
}

fn decode_gateway(wire: WireGateway<'_>) -> Result<Gateway, DecodeError> {
    let timeouts = wire.provider_timeouts.and_then(|timeouts| timeouts.byok);
    let preferences = ProviderPreferences {
        order: preferences::slugs("order", wire.order)?.map(renamed),
        only: preferences::slugs("only", wire.only)?.map(renamed),
        sort: wire.sort.as_deref().map(decode_sort).transpose()?,
        zdr: wire.zero_data_retention.unwrap_or(false),
        data_collection: (wire.disallow_prompt_training == Some(true))
            .then_some(DataCollection::Deny),
        has: capabilities::decode("has", wire.has)?,
        caching: decode_caching(wire.caching.as_deref())?,
        first_token_timeouts_ms: preferences::first_token_timeouts(
            "providerTimeouts.byok",
            timeouts,
            our_name,
        )?,
        ..ProviderPreferences::default()
    };
    Ok(Gateway {
        preferences,
        models: wire
            .models
            .map(|models| fallbacks::ids("models", models))
            .transpose()?,
        user: text("user", wire.user, USER_CHARS_MAX)?,
        service_tier: decode_service_tier("serviceTier", wire.service_tier)?,
        supplied_credentials: supplied::decode("byok", wire.byok, our_name)?,
    })
}

fn decode_sort(name: &str) -> Result<Sort, DecodeError> {
    let by = match name {
        "cost" => SortKey::Price,
        "ttft" => SortKey::Latency,
        "tps" => SortKey::Throughput,
        _ => return Err(DecodeError::invalid("sort", "expected cost, ttft or tps")),
    };
    Ok(Sort {
        by,
        partition: Default::default(),
    })
}

fn decode_caching(name: Option<&str>) -> Result<Caching, DecodeError> {
    match name {
        None => Ok(Caching::AsMarked),
        Some("auto") => Ok(Caching::Auto),
        Some(_) => Err(DecodeError::invalid("caching", "expected auto")),
    }
}

fn renamed(slugs: Vec<String>) -> Vec<String> {
    slugs.iter().map(|slug| our_name(slug)).collect()
}

/// A provider by our name, with the region or variant behind it, where there is one.
fn our_name(slug: &str) -> String {
    let (provider, rest) = match slug.find('/') {
        Some(slash) => slug.split_at(slash),
        None => (slug, ""),
    };
    PROVIDERS
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(provider))
        .map_or_else(|| slug.to_owned(), |(_, ours)| format!("{ours}{rest}"))
}
