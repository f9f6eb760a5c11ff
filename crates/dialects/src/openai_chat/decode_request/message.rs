//! One message.

use switchyard_interchange::message::{
    Message, Part, REASONING_UNKNOWN, Reasoning, ReasoningContent, Role, ToolCall, ToolResult,
};

use super::{part, reasoning::read_details};
use crate::{
    error::DecodeError,
    openai_chat::wire_request::{WireContent, WireMessage, WireToolCall},
};

/// Parts a message may have.
const PARTS_MAX: usize = 4_096;

pub(super) fn decode(mut wire: WireMessage<'_>) -> Result<Message, DecodeError> {
    let role = match wire.role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        _ => {
            return Err(DecodeError::invalid(
                "role",
                "expected system, developer, user, assistant or tool",
            ));
        }
    };
    let name = wire.name.take();
    let parts = match role {
        Role::System | Role::Developer | Role::User => decode_content(&mut wire, role)?,
        Role::Tool => vec![decode_tool_result(&mut wire)?],
        Role::Assistant => decode_assistant(&mut wire)?,
    };
    Ok(Message { role, parts, name })
}

/// Content that must be there.
fn decode_content(wire: &mut WireMessage<'_>, role: Role) -> Result<Vec<Part>, DecodeError> {
    match wire.content.take() {
        None => Err(DecodeError::invalid(
            "content",
            "is required: a string or an array of parts",
        )),
        Some(WireContent::Parts(parts)) if parts.is_empty() => Err(DecodeError::invalid(
            "content",
            "must hold at least one part",
        )),
        Some(content) => decode_parts(content, role),
    }
}

fn decode_parts(content: WireContent<'_>, role: Role) -> Result<Vec<Part>, DecodeError> {
    let parts = match content {
        WireContent::Text(text) => return Ok(vec![Part::text(text)]),
        WireContent::Parts(parts) => parts,
    };
    if parts.len() > PARTS_MAX {
        return Err(DecodeError::too_large(
            "content",
            format!("at most {PARTS_MAX} parts"),
        ));
    }
    parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            part::decode(part, role).map_err(|error| error.within(format_args!("content[{index}]")))
        })
        .collect()
}

fn decode_tool_result(wire: &mut WireMessage<'_>) -> Result<Part, DecodeError> {
    let Some(call_id) = wire.tool_call_id.take().filter(|id| !id.is_empty()) else {
        return Err(DecodeError::invalid(
            "tool_call_id",
            "is required in a tool message",
        ));
    };
    let content = match wire.content.take() {
        // An empty result is a result.
        None => Vec::new(),
        Some(content) => decode_parts(content, Role::Tool)?,
    };
    Ok(Part::ToolResult(ToolResult {
        call_id,
        content,
        is_error: false,
        cache: None,
    }))
}

/// Reasoning, then words, then calls: the order in which models produce them.
fn decode_assistant(wire: &mut WireMessage<'_>) -> Result<Vec<Part>, DecodeError> {
    let mut parts = decode_reasoning(wire);
    match wire.content.take() {
        // Models that only call tools often say the empty string beside it.
        Some(WireContent::Text(text)) if text.is_empty() => {}
        Some(content) => parts.extend(decode_parts(content, Role::Assistant)?),
        None => {}
    }
    if let Some(text) = wire.refusal.take().filter(|text| !text.is_empty()) {
        parts.push(Part::Refusal { text: text.into() });
    }
    for (index, call) in wire
        .tool_calls
        .take()
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let call = decode_tool_call(call)
            .map_err(|error| error.within(format_args!("tool_calls[{index}]")))?;
        parts.push(Part::ToolCall(call));
    }
    Ok(parts)
}

fn decode_reasoning(wire: &mut WireMessage<'_>) -> Vec<Part> {
    let details = read_details(wire.reasoning_details.take().unwrap_or_default());
    if !details.is_empty() {
        return details.into_iter().map(Part::Reasoning).collect();
    }
    // Both names carry the same text; where both are sent, one is a copy.
    let text = wire
        .reasoning
        .take()
        .or_else(|| wire.reasoning_content.take());
    text.filter(|text| !text.is_empty())
        .map(|text| {
            Part::Reasoning(Reasoning {
                content: ReasoningContent::Text {
                    text: text.into(),
                    signature: None,
                },
                id: None,
                format: REASONING_UNKNOWN.to_owned(),
            })
        })
        .into_iter()
        .collect()
}

fn decode_tool_call(wire: WireToolCall<'_>) -> Result<ToolCall, DecodeError> {
    if wire.kind.is_some_and(|kind| &*kind != "function") {
        return Err(DecodeError::unsupported(
            "type",
            "only \"function\" calls are known",
        ));
    }
    let Some(id) = wire.id.filter(|id| !id.is_empty()) else {
        return Err(DecodeError::invalid("id", "is required"));
    };
    let Some(function) = wire.function else {
        return Err(DecodeError::invalid("function", "is required"));
    };
    let Some(name) = function.name.filter(|name| !name.is_empty()) else {
        return Err(DecodeError::invalid("function.name", "is required"));
    };
    Ok(ToolCall {
        id,
        name,
        arguments: function.arguments.unwrap_or_default().into(),
        cache: None,
    })
}
