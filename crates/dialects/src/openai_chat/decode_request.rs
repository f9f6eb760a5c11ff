//! A client's body becomes a request, or a mistake with its place.

mod format;
mod message;
mod part;
mod reasoning;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde_json::value::RawValue;
use switchyard_domain::{
    model::{Modalities, Modality, Parameter, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    message::{Message, Part, Role},
    request::{ChatRequest, Dialect, Origin, Sampling},
    tool::{ResponseFormat, ToolChoice},
};

use super::wire_request::WireRequest;
use crate::{
    error::DecodeError,
    extensions::{ExtensionFields, Extensions},
    json::{self, Text},
};

pub(super) use reasoning::read_details;

/// Messages a request may have.
const MESSAGES_MAX: usize = 4_096;
/// Stop sequences a request may have.
const STOP_MAX: usize = 4;
/// Alternatives per position a request may ask for.
const TOP_LOGPROBS_MAX: u32 = 20;
/// How verbose an answer may be asked to be.
const VERBOSITIES: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];

/// Decodes the body of a chat completion request.
pub fn decode_request(body: Bytes) -> Result<ChatRequest, DecodeError> {
    json::check_shape(&body)?;
    let mut wire: WireRequest<'_> = json::parse(&body)?;
    let extensions = extension_fields(&wire).decode()?;
    let (model, fallback_models) = extensions.split_models(wire.model.take())?;
    let (messages, input_modalities) = decode_messages(&mut wire)?;
    let tools = format::decode_tools(wire.tools.take().unwrap_or_default())?;
    let tool_choice = format::decode_tool_choice(wire.tool_choice, &tools)?;
    let response_format = format::decode_response_format(wire.response_format)?;
    let sampling = decode_sampling(&wire)?;
    let stop = decode_stop(wire.stop)?;
    check_rest(&wire)?;
    let mut parameters = parameters_present(&wire, &extensions);
    parameters = parameters
        .with_if(!stop.is_empty(), Parameter::Stop)
        .with_if(!tools.is_empty(), Parameter::Tools)
        .with_if(
            needs_tool_choice(tool_choice.as_ref()),
            Parameter::ToolChoice,
        )
        .with_if(
            !matches!(response_format, ResponseFormat::Text),
            Parameter::ResponseFormat,
        )
        .with_if(
            matches!(response_format, ResponseFormat::JsonSchema(_)),
            Parameter::StructuredOutputs,
        );
    Ok(ChatRequest {
        model,
        fallback_models,
        context_window_fallbacks: extensions.context_window_fallbacks,
        content_policy_fallbacks: extensions.content_policy_fallbacks,
        router: extensions.router,
        messages,
        tools,
        tool_choice,
        parallel_tool_calls: wire.parallel_tool_calls,
        sampling,
        max_output_tokens: wire.max_completion_tokens.or(wire.max_tokens),
        stop,
        response_format,
        reasoning: extensions.reasoning,
        verbosity: wire.verbosity.as_deref().map(str::to_owned),
        output_modalities: decode_modalities(wire.modalities.as_deref())?,
        stream: wire.stream.unwrap_or(false),
        automatic_cache: wire
            .cache_control
            .map(|mark| part::cache_mark(&mark).map_err(|error| error.within("cache_control")))
            .transpose()?,
        session_id: extensions.session_id,
        prompt_cache_key: extensions.prompt_cache_key,
        user: extensions.user,
        service_tier: extensions.service_tier,
        provider: extensions.provider,
        supplied_credentials: extensions.supplied_credentials,
        parameters,
        input_modalities,
        origin: Origin {
            dialect: Dialect::OpenAiChat,
            body: Private::new(body.clone()),
        },
    })
}

fn extension_fields<'a>(wire: &'a WireRequest<'_>) -> ExtensionFields<'a> {
    ExtensionFields {
        model: wire.model.as_deref().map(Cow::Borrowed),
        provider: wire.provider,
        provider_options: wire.provider_options,
        models: wire.models,
        fallbacks: wire.fallbacks,
        context_window_fallbacks: wire.context_window_fallbacks,
        content_policy_fallbacks: wire.content_policy_fallbacks,
        route: wire.route,
        session_id: wire.session_id,
        service_tier: wire.service_tier,
        user: wire.user,
        metadata: wire.metadata,
        trace: wire.trace,
        preset: wire.preset,
        prompt_cache_key: wire.prompt_cache_key,
        plugins: wire.plugins,
        transforms: wire.transforms,
        reasoning: wire.reasoning,
        include_reasoning: wire.include_reasoning,
        reasoning_effort: wire.reasoning_effort,
    }
}

fn decode_messages(wire: &mut WireRequest<'_>) -> Result<(Vec<Message>, Modalities), DecodeError> {
    let messages = match (wire.messages.take(), wire.prompt) {
        (Some(messages), None) => messages,
        (Some(_), Some(_)) => {
            return Err(DecodeError::invalid(
                "prompt",
                "goes without `messages`: send either",
            ));
        }
        (None, Some(prompt)) => {
            let text: String = json::parse_at("prompt", prompt)?;
            let message = Message {
                role: Role::User,
                parts: vec![Part::text(text)],
                name: None,
            };
            return Ok((vec![message], Modalities::EMPTY.with(Modality::Text)));
        }
        (None, None) => {
            return Err(DecodeError::invalid(
                "messages",
                "is required: send at least one message",
            ));
        }
    };
    if messages.is_empty() {
        return Err(DecodeError::invalid(
            "messages",
            "must hold at least one message",
        ));
    }
    if messages.len() > MESSAGES_MAX {
        return Err(DecodeError::too_large(
            "messages",
            format!("at most {MESSAGES_MAX} messages"),
        ));
    }
    let mut modalities = Modalities::EMPTY;
    let mut decoded = Vec::with_capacity(messages.len());
    for (index, message) in messages.into_iter().enumerate() {
        let message = message::decode(message)
            .map_err(|error| error.within(format_args!("messages[{index}]")))?;
        modalities = modalities.union(part::modalities_of(&message.parts));
        decoded.push(message);
    }
    Ok((decoded, modalities))
}

fn decode_sampling(wire: &WireRequest<'_>) -> Result<Sampling, DecodeError> {
    Ok(Sampling {
        temperature: within("temperature", wire.temperature, 0.0, 2.0)?,
        top_p: within("top_p", wire.top_p, 0.0, 1.0)?,
        top_k: wire.top_k,
        min_p: within("min_p", wire.min_p, 0.0, 1.0)?,
        top_a: within("top_a", wire.top_a, 0.0, 1.0)?,
        frequency_penalty: within("frequency_penalty", wire.frequency_penalty, -2.0, 2.0)?,
        presence_penalty: within("presence_penalty", wire.presence_penalty, -2.0, 2.0)?,
        repetition_penalty: within("repetition_penalty", wire.repetition_penalty, 0.0, 2.0)?,
        seed: wire.seed,
    })
}

fn within(path: &str, value: Option<f64>, low: f64, high: f64) -> Result<Option<f64>, DecodeError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => Err(DecodeError::invalid(
            path,
            format!("expected a number from {low} to {high}"),
        )),
        _ => Ok(value),
    }
}

fn decode_stop(stop: Option<&RawValue>) -> Result<Vec<String>, DecodeError> {
    let Some(stop) = stop else {
        return Ok(Vec::new());
    };
    let sequences: Vec<String> = if stop.get().starts_with('"') {
        vec![json::parse_at("stop", stop)?]
    } else {
        json::parse_at("stop", stop)?
    };
    if sequences.len() > STOP_MAX {
        return Err(DecodeError::invalid(
            "stop",
            format!("at most {STOP_MAX} sequences"),
        ));
    }
    Ok(sequences
        .into_iter()
        .filter(|sequence| !sequence.is_empty())
        .collect())
}

fn decode_modalities(names: Option<&[Text<'_>]>) -> Result<Modalities, DecodeError> {
    let mut modalities = Modalities::EMPTY;
    for (index, name) in names.unwrap_or_default().iter().enumerate() {
        modalities = modalities.with(match &**name {
            "text" => Modality::Text,
            "image" => Modality::Image,
            "audio" => Modality::Audio,
            _ => {
                return Err(DecodeError::invalid(
                    format!("modalities[{index}]"),
                    "expected text, image or audio",
                ));
            }
        });
    }
    Ok(modalities)
}

/// Checks the fields that the internal form only forwards.
fn check_rest(wire: &WireRequest<'_>) -> Result<(), DecodeError> {
    for (path, limit) in [
        ("max_tokens", wire.max_tokens),
        ("max_completion_tokens", wire.max_completion_tokens),
    ] {
        if limit == Some(0) {
            return Err(DecodeError::invalid(path, "expected at least 1"));
        }
    }
    if let Some(count) = wire.top_logprobs {
        if count > TOP_LOGPROBS_MAX {
            return Err(DecodeError::invalid(
                "top_logprobs",
                format!("expected 0 to {TOP_LOGPROBS_MAX}"),
            ));
        }
        if wire.logprobs != Some(true) && count > 0 {
            return Err(DecodeError::invalid(
                "top_logprobs",
                "needs \"logprobs\": true",
            ));
        }
    }
    if let Some(verbosity) = &wire.verbosity
        && !VERBOSITIES.contains(&&**verbosity)
    {
        return Err(DecodeError::invalid(
            "verbosity",
            format!("expected one of {}", VERBOSITIES.join(", ")),
        ));
    }
    if let Some(options) = wire.stream_options {
        json::parse_at::<json::RawObject<'_>>("stream_options", options)?;
    }
    check_logit_bias(wire.logit_bias)
}

fn check_logit_bias(value: Option<&RawValue>) -> Result<(), DecodeError> {
    let Some(value) = value else { return Ok(()) };
    let biases: BTreeMap<Text<'_>, f64> = json::parse_at("logit_bias", value)?;
    if biases.values().any(|bias| !(-100.0..=100.0).contains(bias)) {
        return Err(DecodeError::invalid(
            "logit_bias",
            "expected numbers from -100 to 100",
        ));
    }
    if biases
        .keys()
        .any(|token| token.is_empty() || !token.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(DecodeError::invalid(
            "logit_bias",
            "expected token ids as keys",
        ));
    }
    Ok(())
}

/// `auto` is what models do anyway.
fn needs_tool_choice(choice: Option<&ToolChoice>) -> bool {
    choice.is_some_and(|choice| *choice != ToolChoice::Auto)
}

fn parameters_present(wire: &WireRequest<'_>, extensions: &Extensions) -> Parameters {
    extensions
        .parameters
        .with_if(wire.temperature.is_some(), Parameter::Temperature)
        .with_if(wire.top_p.is_some(), Parameter::TopP)
        // Zero switches top-k off.
        .with_if(wire.top_k.is_some_and(|top_k| top_k > 0), Parameter::TopK)
        .with_if(wire.min_p.is_some(), Parameter::MinP)
        .with_if(wire.top_a.is_some(), Parameter::TopA)
        .with_if(
            wire.frequency_penalty.is_some(),
            Parameter::FrequencyPenalty,
        )
        .with_if(wire.presence_penalty.is_some(), Parameter::PresencePenalty)
        .with_if(
            wire.repetition_penalty.is_some(),
            Parameter::RepetitionPenalty,
        )
        .with_if(wire.max_tokens.is_some(), Parameter::MaxTokens)
        .with_if(
            wire.max_completion_tokens.is_some(),
            Parameter::MaxCompletionTokens,
        )
        .with_if(wire.logit_bias.is_some(), Parameter::LogitBias)
        .with_if(wire.logprobs == Some(true), Parameter::Logprobs)
        .with_if(
            wire.top_logprobs.is_some_and(|count| count > 0),
            Parameter::TopLogprobs,
        )
        .with_if(wire.prediction.is_some(), Parameter::Prediction)
        .with_if(wire.seed.is_some(), Parameter::Seed)
        .with_if(
            wire.structured_outputs == Some(true),
            Parameter::StructuredOutputs,
        )
        .with_if(
            wire.parallel_tool_calls.is_some(),
            Parameter::ParallelToolCalls,
        )
        .with_if(
            wire.web_search_options.is_some(),
            Parameter::WebSearchOptions,
        )
        .with_if(wire.verbosity.is_some(), Parameter::Verbosity)
}
