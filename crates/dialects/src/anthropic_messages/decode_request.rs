//! A client's `POST /messages` body becomes a [`ChatRequest`].

mod agent_session;
mod content;
mod controls;
mod wire;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashSet};

use bytes::Bytes;
use switchyard_domain::{
    model::{Modalities, Modality, Parameter, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    message::Message,
    preferences::RequestedTier,
    request::{ChatRequest, Dialect, Origin, Sampling},
    tool::{ResponseFormat, Tool},
};

use self::wire::{MetadataWire, RequestWire, ToolWire};
use crate::{
    error::DecodeError,
    extensions::{ExtensionFields, Extensions},
    json::{self, Text},
};

/// Turns a conversation may have.
const MESSAGES_MAX: usize = 4_096;
/// Tools a request may offer.
const TOOLS_MAX: usize = 1_024;
/// Characters of a tool's name.
const TOOL_NAME_CHARS_MAX: usize = 128;

/// Decodes a request body. Fields nobody here knows are kept in the origin for upstreams of the
/// same dialect.
pub fn decode_request(body: Bytes) -> Result<ChatRequest, DecodeError> {
    json::check_shape(&body)?;
    let wire: RequestWire<'_> = json::parse(&body)?;
    let extensions = decode_extensions(&wire)?;
    let (model, fallback_models) =
        extensions.split_models(wire.model.as_deref().map(str::to_owned))?;
    let sampling = decode_sampling(&wire)?;
    if wire.max_tokens == Some(0) {
        return Err(DecodeError::invalid("max_tokens", "must be at least 1"));
    }
    if wire
        .mcp_servers
        .as_ref()
        .is_some_and(|servers| !servers.is_empty())
    {
        return Err(DecodeError::unsupported(
            "mcp_servers",
            "MCP connectors are not offered here",
        ));
    }
    let (messages, input_modalities) = decode_messages(&wire)?;
    let tools = decode_tools(wire.tools.as_deref().unwrap_or_default())?;
    let (tool_choice, parallel_tool_calls) =
        controls::decode_tool_choice(wire.tool_choice.as_ref(), &tools)?;
    let (reasoning, verbosity) = controls::decode_reasoning(&wire)?;
    let response_format = controls::decode_response_format(&wire)?;
    let stop = owned(wire.stop_sequences.as_deref().unwrap_or_default());
    let automatic_cache = content::decode_cache(wire.cache_control.as_ref())
        .map_err(|error| error.within("cache_control"))?;
    let (stream, max_output_tokens) = (wire.stream.unwrap_or(false), wire.max_tokens);
    let service_tier = decode_tier(&wire, extensions.service_tier)?;
    let user_id = user_id(wire.metadata.as_ref());
    let session_id = extensions
        .session_id
        .or_else(|| agent_session::of(user_id?));
    let user = extensions.user.or_else(|| user_id.map(str::to_owned));
    let mut request = ChatRequest {
        model,
        fallback_models,
        context_window_fallbacks: extensions.context_window_fallbacks,
        content_policy_fallbacks: extensions.content_policy_fallbacks,
        router: extensions.router,
        messages,
        tools,
        tool_choice,
        parallel_tool_calls,
        sampling,
        max_output_tokens,
        stop,
        response_format,
        reasoning,
        verbosity,
        output_modalities: Modalities::EMPTY,
        stream,
        automatic_cache,
        session_id,
        prompt_cache_key: extensions.prompt_cache_key,
        user,
        service_tier,
        provider: extensions.provider,
        supplied_credentials: extensions.supplied_credentials,
        parameters: extensions.parameters,
        input_modalities,
        origin: Origin {
            dialect: Dialect::AnthropicMessages,
            body: Private::new(body),
        },
    };
    request.parameters = request.parameters.union(parameters_of(&request));
    Ok(request)
}

/// The fields every front format shares.
fn decode_extensions(wire: &RequestWire<'_>) -> Result<Extensions, DecodeError> {
    let fields = ExtensionFields {
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
        trace: wire.trace,
        preset: wire.preset,
        prompt_cache_key: wire.prompt_cache_key,
        plugins: wire.plugins,
        transforms: wire.transforms,
        ..ExtensionFields::default()
    };
    fields.decode()
}

fn decode_messages(wire: &RequestWire<'_>) -> Result<(Vec<Message>, Modalities), DecodeError> {
    let turns = wire.messages.as_deref().unwrap_or_default();
    if turns.is_empty() {
        return Err(DecodeError::invalid(
            "messages",
            "must hold at least one message",
        ));
    }
    if turns.len() > MESSAGES_MAX {
        return Err(DecodeError::too_large(
            "messages",
            format!("at most {MESSAGES_MAX} messages"),
        ));
    }
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if let Some(system) = &wire.system {
        let system = content::decode_system(system).map_err(|error| error.within("system"))?;
        messages.extend(system);
    }
    for (index, turn) in turns.iter().enumerate() {
        content::decode_turn(turn, &mut messages)
            .map_err(|error| error.within(format_args!("messages[{index}]")))?;
    }
    let modalities = messages
        .iter()
        .fold(Modalities::EMPTY.with(Modality::Text), |set, message| {
            set.union(content::modalities(&message.parts))
        });
    Ok((messages, modalities))
}

fn decode_tools(tools: &[ToolWire<'_>]) -> Result<Vec<Tool>, DecodeError> {
    if tools.len() > TOOLS_MAX {
        return Err(DecodeError::too_large(
            "tools",
            format!("at most {TOOLS_MAX} tools"),
        ));
    }
    let mut names: HashSet<&str> = HashSet::with_capacity(tools.len());
    let mut decoded = Vec::with_capacity(tools.len());
    for (index, tool) in tools.iter().enumerate() {
        let at = |error: DecodeError| error.within(format_args!("tools[{index}]"));
        if !tool.name.as_deref().is_none_or(|name| names.insert(name)) {
            return Err(at(DecodeError::invalid(
                "name",
                "is taken by an earlier tool",
            )));
        }
        decoded.push(decode_tool(tool).map_err(at)?);
    }
    Ok(decoded)
}

fn decode_tool(tool: &ToolWire<'_>) -> Result<Tool, DecodeError> {
    if let Some(kind) = tool.kind.as_deref()
        && kind != "custom"
    {
        let kind: String = kind.chars().take(64).collect();
        return Err(DecodeError::unsupported(
            "type",
            format!("`{kind}` tools are not offered here; only custom tools are"),
        ));
    }
    let name = tool.name.as_deref().unwrap_or_default();
    if name.is_empty() || name.chars().count() > TOOL_NAME_CHARS_MAX {
        return Err(DecodeError::invalid(
            "name",
            format!("needs 1 to {TOOL_NAME_CHARS_MAX} characters"),
        ));
    }
    if tool
        .input_schema
        .is_some_and(|schema| !schema.get().starts_with('{'))
    {
        return Err(DecodeError::invalid("input_schema", "expected an object"));
    }
    Ok(Tool {
        name: name.to_owned(),
        description: tool.description.as_deref().map(str::to_owned),
        parameters: tool.input_schema.map(ToOwned::to_owned),
        strict: tool.strict,
        cache: content::decode_cache(tool.cache_control.as_ref())
            .map_err(|error| error.within("cache_control"))?,
    })
}

fn decode_sampling(wire: &RequestWire<'_>) -> Result<Sampling, DecodeError> {
    // Wider than this dialect's own 0 to 1, because other families may serve; encoding clamps.
    in_range("temperature", wire.temperature, 2.0)?;
    in_range("top_p", wire.top_p, 1.0)?;
    Ok(Sampling {
        temperature: wire.temperature,
        top_p: wire.top_p,
        top_k: wire.top_k,
        ..Sampling::default()
    })
}

fn in_range(path: &str, value: Option<f64>, max: f64) -> Result<(), DecodeError> {
    if value.is_none_or(|value| (0.0..=max).contains(&value)) {
        return Ok(());
    }
    Err(DecodeError::invalid(
        path,
        format!("must be between 0 and {max}"),
    ))
}

/// The parameters an endpoint must support to serve the request as it is meant.
fn parameters_of(request: &ChatRequest) -> Parameters {
    let has_schema = matches!(request.response_format, ResponseFormat::JsonSchema(_));
    Parameters::EMPTY
        .with_if(request.max_output_tokens.is_some(), Parameter::MaxTokens)
        .with_if(
            request.sampling.temperature.is_some(),
            Parameter::Temperature,
        )
        .with_if(request.sampling.top_p.is_some(), Parameter::TopP)
        .with_if(request.sampling.top_k.is_some(), Parameter::TopK)
        .with_if(!request.stop.is_empty(), Parameter::Stop)
        .with_if(has_schema, Parameter::ResponseFormat)
        .with_if(has_schema, Parameter::StructuredOutputs)
        .with_if(!request.tools.is_empty(), Parameter::Tools)
        .with_if(request.tool_choice.is_some(), Parameter::ToolChoice)
        .with_if(
            request.parallel_tool_calls.is_some(),
            Parameter::ParallelToolCalls,
        )
        .with_if(
            controls::asks_to_reason(&request.reasoning),
            Parameter::Reasoning,
        )
        .with_if(request.verbosity.is_some(), Parameter::Verbosity)
}

/// `speed` is this dialect's own word for the fast tier; a stated tier wins over it.
fn decode_tier(
    wire: &RequestWire<'_>,
    stated: Option<RequestedTier>,
) -> Result<Option<RequestedTier>, DecodeError> {
    let fast = match wire.speed.as_deref() {
        None | Some("standard") => None,
        Some("fast") => Some(RequestedTier::Priority),
        Some(_) => return Err(DecodeError::invalid("speed", "expected standard or fast")),
    };
    Ok(stated.or(fast))
}

fn user_id<'a>(metadata: Option<&'a MetadataWire<'_>>) -> Option<&'a str> {
    metadata?.user_id.as_deref().filter(|user| !user.is_empty())
}

fn owned(texts: &[Text<'_>]) -> Vec<String> {
    texts
        .iter()
        .map(|text| text.0.clone().into_owned())
        .collect()
}
