//! The request fields that OpenRouter adds to every front format: routing preferences, fallback
//! models, sessions, reasoning control and service tiers.
//!
//! A front decoder collects them raw in [`ExtensionFields`] and has them read in one place, so
//! they mean the same in every format.

mod fallbacks;
mod plugins;
mod preferences;
mod reasoning;

mod capabilities;
mod decimal;
mod gateway;
mod supplied;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use switchyard_domain::model::{Parameter, Parameters};
use switchyard_interchange::{
    preferences::{ProviderPreferences, RequestedTier, RouterOptions},
    request::{ReasoningControl, SuppliedCredential},
};

use crate::{
    error::DecodeError,
    json::{self, RawObject, Text, wire_object},
};

/// Fallback models a request may name.
const MODELS_MAX: usize = 3;
/// Characters of a session id.
const SESSION_ID_CHARS_MAX: usize = 256;
/// Characters of an end-user id or a cache key.
const IDENTIFIER_CHARS_MAX: usize = 1_024;
/// Pairs of `metadata`, and the characters of a key and a value.
const METADATA_PAIRS_MAX: usize = 16;
const METADATA_KEY_CHARS_MAX: usize = 64;
const METADATA_VALUE_CHARS_MAX: usize = 512;

wire_object! {
    /// The extension fields of one body, in JSON. `null` counts as absent.
    strict struct RawFields<'a> {
        "model" => model: Text<'a>,
        "provider" => provider: &'a RawValue,
        "providerOptions" => provider_options: &'a RawValue,
        "models" => models: &'a RawValue,
        "fallbacks" => fallbacks: &'a RawValue,
        "context_window_fallbacks" => context_window_fallbacks: &'a RawValue,
        "content_policy_fallbacks" => content_policy_fallbacks: &'a RawValue,
        "route" => route: &'a RawValue,
        "session_id" => session_id: &'a RawValue,
        "service_tier" => service_tier: &'a RawValue,
        "user" => user: &'a RawValue,
        "metadata" => metadata: &'a RawValue,
        "trace" => trace: &'a RawValue,
        "preset" => preset: &'a RawValue,
        "prompt_cache_key" => prompt_cache_key: &'a RawValue,
        "plugins" => plugins: &'a RawValue,
        "transforms" => transforms: &'a RawValue,
        "reasoning" => reasoning: &'a RawValue,
        "include_reasoning" => include_reasoning: &'a RawValue,
        "reasoning_effort" => reasoning_effort: &'a RawValue,
    }
}

/// The extension fields of one body, in JSON as the client wrote them.
#[derive(Default)]
pub struct ExtensionFields<'a> {
    /// The model asked for, which some of the others are about.
    pub model: Option<Cow<'a, str>>,
    pub provider: Option<&'a RawValue>,
    /// Where Vercel's clients state their wishes.
    pub provider_options: Option<&'a RawValue>,
    pub models: Option<&'a RawValue>,
    /// LiteLLM's and Anthropic's name for `models`.
    pub fallbacks: Option<&'a RawValue>,
    pub context_window_fallbacks: Option<&'a RawValue>,
    pub content_policy_fallbacks: Option<&'a RawValue>,
    /// Deprecated spelling of the sort's partition.
    pub route: Option<&'a RawValue>,
    pub session_id: Option<&'a RawValue>,
    pub service_tier: Option<&'a RawValue>,
    pub user: Option<&'a RawValue>,
    pub metadata: Option<&'a RawValue>,
    pub trace: Option<&'a RawValue>,
    pub preset: Option<&'a RawValue>,
    pub prompt_cache_key: Option<&'a RawValue>,
    pub plugins: Option<&'a RawValue>,
    pub transforms: Option<&'a RawValue>,
    pub reasoning: Option<&'a RawValue>,
    pub include_reasoning: Option<&'a RawValue>,
    pub reasoning_effort: Option<&'a RawValue>,
}

/// What the extension fields say.
#[derive(Debug, Default)]
pub struct Extensions {
    pub provider: ProviderPreferences,
    /// `models`, in order, as written.
    pub models: Vec<String>,
    pub context_window_fallbacks: Vec<String>,
    pub content_policy_fallbacks: Vec<String>,
    pub router: Option<RouterOptions>,
    pub session_id: Option<String>,
    pub service_tier: Option<RequestedTier>,
    pub user: Option<String>,
    pub prompt_cache_key: Option<String>,
    pub supplied_credentials: Vec<SuppliedCredential>,
    pub reasoning: ReasoningControl,
    /// Those of the reasoning parameters that were present.
    pub parameters: Parameters,
}

impl<'a> ExtensionFields<'a> {
    /// Finds the fields at the top level of `body` in a pass of its own, for decoders that do not
    /// collect them on their way.
    pub fn find(body: &'a [u8]) -> Result<Self, DecodeError> {
        let raw: RawFields<'a> = json::parse(body)?;
        Ok(Self {
            model: raw.model.map(|model| model.0),
            provider: raw.provider,
            provider_options: raw.provider_options,
            models: raw.models,
            fallbacks: raw.fallbacks,
            context_window_fallbacks: raw.context_window_fallbacks,
            content_policy_fallbacks: raw.content_policy_fallbacks,
            route: raw.route,
            session_id: raw.session_id,
            service_tier: raw.service_tier,
            user: raw.user,
            metadata: raw.metadata,
            trace: raw.trace,
            preset: raw.preset,
            prompt_cache_key: raw.prompt_cache_key,
            plugins: raw.plugins,
            transforms: raw.transforms,
            reasoning: raw.reasoning,
            include_reasoning: raw.include_reasoning,
            reasoning_effort: raw.reasoning_effort,
        })
    }

    /// Reads and checks every field.
    pub fn decode(&self) -> Result<Extensions, DecodeError> {
        if self.preset.is_some() {
            return Err(DecodeError::unsupported(
                "preset",
                "presets are not offered; send the parameters in the request",
            ));
        }
        check_metadata(self.metadata)?;
        if let Some(trace) = self.trace {
            json::parse_at::<RawObject<'_>>("trace", trace)?;
        }
        plugins::check_transforms(self.transforms)?;
        let gateway = gateway::decode(self.provider_options)?;
        let models = fallbacks::models(self)?
            .or(gateway.models)
            .unwrap_or_default();
        let model = self.model.as_deref().filter(|model| !model.is_empty());
        let asked = model.or(models.first().map(String::as_str));
        let typed = |path, list| fallbacks::list(path, list, asked);
        Ok(Extensions {
            provider: preferences::decode(self.provider, self.route, gateway.preferences)?,
            context_window_fallbacks: typed(
                "context_window_fallbacks",
                self.context_window_fallbacks,
            )?,
            content_policy_fallbacks: typed(
                "content_policy_fallbacks",
                self.content_policy_fallbacks,
            )?,
            router: plugins::decode(self.plugins, model, &models)?,
            models,
            session_id: text("session_id", self.session_id, SESSION_ID_CHARS_MAX)?,
            service_tier: decode_service_tier("service_tier", self.service_tier)?
                .or(gateway.service_tier),
            user: text("user", self.user, IDENTIFIER_CHARS_MAX)?.or(gateway.user),
            prompt_cache_key: text(
                "prompt_cache_key",
                self.prompt_cache_key,
                IDENTIFIER_CHARS_MAX,
            )?,
            supplied_credentials: gateway.supplied_credentials,
            reasoning: reasoning::decode(self)?,
            parameters: Parameters::EMPTY
                .with_if(self.reasoning.is_some(), Parameter::Reasoning)
                .with_if(
                    self.include_reasoning.is_some(),
                    Parameter::IncludeReasoning,
                )
                .with_if(self.reasoning_effort.is_some(), Parameter::ReasoningEffort),
        })
    }
}

impl Extensions {
    /// The model to serve and those to fall back to: `model`, then `models` without repetitions.
    /// Without `model` the first of `models` takes its place.
    pub fn split_models(
        &self,
        model: Option<String>,
    ) -> Result<(String, Vec<String>), DecodeError> {
        let model = model.filter(|model| !model.is_empty());
        let Some(first) = model.or_else(|| self.models.first().cloned()) else {
            return Err(DecodeError::invalid(
                "model",
                "is required: send a model id such as \"openai/gpt-4o-mini\"",
            ));
        };
        let mut fallbacks: Vec<String> = Vec::new();
        for model in &self.models {
            if *model != first && !fallbacks.contains(model) {
                fallbacks.push(model.clone());
            }
        }
        Ok((first, fallbacks))
    }
}

fn text(
    path: &str,
    value: Option<&RawValue>,
    chars_max: usize,
) -> Result<Option<String>, DecodeError> {
    let Some(value) = value else { return Ok(None) };
    let text: String = json::parse_at(path, value)?;
    if text.chars().count() > chars_max {
        return Err(DecodeError::invalid(
            path,
            format!("at most {chars_max} characters"),
        ));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn decode_service_tier(
    path: &str,
    value: Option<&RawValue>,
) -> Result<Option<RequestedTier>, DecodeError> {
    let Some(name) = text(path, value, IDENTIFIER_CHARS_MAX)? else {
        return Ok(None);
    };
    match name.as_str() {
        "auto" => Ok(Some(RequestedTier::Auto)),
        "default" | "standard" | "standard_only" => Ok(Some(RequestedTier::Default)),
        "flex" => Ok(Some(RequestedTier::Flex)),
        "priority" | "fast" | "scale" => Ok(Some(RequestedTier::Priority)),
        _ => Err(DecodeError::invalid(
            path,
            "expected auto, default, flex, priority, fast or scale",
        )),
    }
}

fn check_metadata(value: Option<&RawValue>) -> Result<(), DecodeError> {
    let Some(value) = value else { return Ok(()) };
    let pairs: RawObject<'_> = json::parse_at("metadata", value)?;
    if pairs.0.len() > METADATA_PAIRS_MAX {
        return Err(DecodeError::invalid(
            "metadata",
            format!("at most {METADATA_PAIRS_MAX} pairs"),
        ));
    }
    for (key, value) in &pairs.0 {
        if key.chars().count() > METADATA_KEY_CHARS_MAX {
            return Err(DecodeError::invalid(
                "metadata",
                format!("keys have at most {METADATA_KEY_CHARS_MAX} characters"),
            ));
        }
        let path = format!("metadata.{}", &**key);
        let value: Option<json::Text<'_>> = <_>::deserialize(*value)
            .map_err(|_| DecodeError::invalid(&path, "expected a string"))?;
        if value.is_some_and(|text| text.chars().count() > METADATA_VALUE_CHARS_MAX) {
            return Err(DecodeError::invalid(
                &path,
                format!("at most {METADATA_VALUE_CHARS_MAX} characters"),
            ));
        }
    }
    Ok(())
}
