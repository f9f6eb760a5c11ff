//! A [`Completion`] or a failure becomes the body a client gets.

use serde_json::value::RawValue;
use switchyard_interchange::{
    event::{Completion, Finish, FinishReason, Verbatim},
    message::{Citation, Part, REASONING_ANTHROPIC, Reasoning, ReasoningContent, ToolCall},
    reply::{PublicFailure, ReplyHead, ReplyTail},
    request::Dialect,
};

use super::{
    foreign_reasoning::{self, Kind},
    object_writer::{ObjectWriter, separate, write_object},
    stop_reason, usage,
};
use crate::json::RawObject;

/// Encodes a complete answer. One that came in this dialect is spliced.
pub fn encode_completion(head: &ReplyHead, completion: &Completion, tail: &ReplyTail) -> Vec<u8> {
    if let Some(Verbatim {
        dialect: Dialect::AnthropicMessages,
        json,
    }) = &completion.verbatim
        && let Ok(members) = serde_json::from_slice::<RawObject<'_>>(json.expose())
    {
        let mut out = Vec::with_capacity(json.expose().len() + 512);
        splice(&mut out, head, &members, tail);
        return out;
    }
    let mut out = Vec::with_capacity(1_024);
    write_object(&mut out, |message| {
        write_head(message, head);
        message.array("content", |out| write_parts(out, completion));
        write_stop(message, &completion.finish);
        message.object("usage", |object| write_usage(object, tail, None));
        write_metadata(message, tail);
    });
    out
}

fn splice(out: &mut Vec<u8>, head: &ReplyHead, members: &RawObject<'_>, tail: &ReplyTail) {
    let has = |name: &str| members.0.iter().any(|(key, _)| &**key == name);
    write_object(out, |message| {
        write_head(message, head);
        for (key, value) in &members.0 {
            match &**key {
                "id" | "type" | "role" | "model" | "provider" | "openrouter_metadata" => {}
                "usage" => message.object("usage", |object| write_usage(object, tail, Some(value))),
                key => message.raw(key, value.get()),
            }
        }
        write_missing(message, members);
        if !has("usage") {
            message.object("usage", |object| write_usage(object, tail, None));
        }
        write_metadata(message, tail);
    });
}

/// What every message of ours starts with.
pub(super) fn write_head(message: &mut ObjectWriter<'_>, head: &ReplyHead) {
    message.value("id", head.generation_id.as_str());
    message.value("type", "message");
    message.value("role", "assistant");
    message.value("model", &head.model);
    message.value("provider", &head.provider);
}

/// Members that clients insist on and older providers leave out.
pub(super) fn write_missing(message: &mut ObjectWriter<'_>, members: &RawObject<'_>) {
    for (required, empty) in [
        ("content", "[]"),
        ("stop_reason", "null"),
        ("stop_sequence", "null"),
        ("stop_details", "null"),
        ("container", "null"),
    ] {
        if !members.0.iter().any(|(key, _)| &**key == required) {
            message.raw(required, empty);
        }
    }
}

fn write_stop(message: &mut ObjectWriter<'_>, finish: &Finish) {
    message.value("stop_reason", stop_reason::encode(finish.reason));
    message.value("stop_sequence", &stop_sequence(finish));
    message.raw("stop_details", "null");
    message.raw("container", "null");
}

/// The stop sequence that was hit, where that ended the answer.
pub(super) fn stop_sequence(finish: &Finish) -> Option<&str> {
    finish
        .stop_sequence
        .as_deref()
        .filter(|_| finish.reason == FinishReason::StopSequence)
}

/// Our counts and cost, and of the provider's usage whatever else it holds.
pub(super) fn write_usage(
    usage: &mut ObjectWriter<'_>,
    tail: &ReplyTail,
    stated: Option<&RawValue>,
) {
    usage::write_counts(usage, &tail.tokens, tail.service_tier.as_deref());
    let stated: RawObject<'_> = stated
        .and_then(|stated| serde_json::from_str(stated.get()).ok())
        .unwrap_or_default();
    for (key, value) in &stated.0 {
        if !usage::OUR_KEYS.contains(&&**key) {
            usage.raw(key, value.get());
        }
    }
    for nullable in ["server_tool_use", "inference_geo"] {
        if !stated.0.iter().any(|(key, _)| &**key == nullable) {
            usage.raw(nullable, "null");
        }
    }
    usage::write_cost(usage, tail);
}

/// The router's account of itself, when the caller asked for it.
pub(super) fn write_metadata(object: &mut ObjectWriter<'_>, tail: &ReplyTail) {
    if let Some(metadata) = &tail.metadata {
        object.raw("openrouter_metadata", metadata.get());
    }
}

fn write_parts(out: &mut Vec<u8>, completion: &Completion) {
    let start = out.len();
    let last_text = completion
        .parts
        .iter()
        .rposition(|part| matches!(part, Part::Text { .. }));
    for (index, part) in completion.parts.iter().enumerate() {
        // Offsets do not say which block they are in once texts are apart; the last one closes
        // the answer, so it carries all of them.
        let citations = if Some(index) == last_text {
            &completion.citations[..]
        } else {
            &[]
        };
        let rollback = out.len();
        separate(out, start);
        if !write_part(out, part, citations) {
            out.truncate(rollback);
        }
    }
}

/// Writes a part as a block; false when this dialect has no block for it.
fn write_part(out: &mut Vec<u8>, part: &Part, citations: &[Citation]) -> bool {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => {
            write_object(out, |block| {
                block.value("type", "text");
                block.value("text", text.expose());
                if citations.is_empty() {
                    block.raw("citations", "null");
                } else {
                    block.array("citations", |out| {
                        let start = out.len();
                        for citation in citations {
                            separate(out, start);
                            write_citation(out, citation);
                        }
                    });
                }
            });
        }
        Part::Reasoning(reasoning) => write_reasoning(out, reasoning),
        Part::ToolCall(call) => write_call(out, call),
        Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolResult(_) => return false,
    }
    true
}

/// A citation of a page, in the only shape of this dialect that has an address.
pub(super) fn write_citation(out: &mut Vec<u8>, citation: &Citation) {
    write_object(out, |object| {
        object.value("type", "web_search_result_location");
        object.value("url", &citation.url);
        object.value("title", &citation.title);
        let cited = citation
            .content
            .as_ref()
            .map(|content| content.expose().as_str());
        object.value("cited_text", cited.unwrap_or_default());
        object.value("encrypted_index", "");
    });
}

fn write_reasoning(out: &mut Vec<u8>, reasoning: &Reasoning) {
    let is_own = reasoning.format == REASONING_ANTHROPIC;
    let (format, id) = (reasoning.format.as_str(), reasoning.id.as_deref());
    let (text, signature) = match &reasoning.content {
        ReasoningContent::Encrypted { data } => {
            let data = if is_own {
                data.expose().clone()
            } else {
                foreign_reasoning::wrap(Kind::Encrypted, format, id, Some(data.expose()))
            };
            write_object(out, |block| {
                block.value("type", "redacted_thinking");
                block.value("data", &data);
            });
            return;
        }
        ReasoningContent::Text {
            text,
            signature: Some(signature),
        } if is_own => (text, signature.clone()),
        ReasoningContent::Text { text, signature } => (
            text,
            foreign_reasoning::wrap(Kind::Text, format, id, signature.as_deref()),
        ),
        ReasoningContent::Summary { text } => (
            text,
            foreign_reasoning::wrap(Kind::Summary, format, id, None),
        ),
    };
    write_object(out, |block| {
        block.value("type", "thinking");
        block.value("thinking", text.expose());
        block.value("signature", &signature);
    });
}

fn write_call(out: &mut Vec<u8>, call: &ToolCall) {
    write_object(out, |block| {
        block.value("type", "tool_use");
        block.value("id", &call.id);
        block.value("name", &call.name);
        let arguments = call.arguments.expose();
        match serde_json::from_str::<&RawValue>(arguments) {
            Ok(input) if input.get().starts_with('{') => block.raw("input", input.get()),
            // Cut or malformed: an object is due, so the text goes into one.
            _ if arguments.trim().is_empty() || arguments.trim() == "null" => {
                block.raw("input", "{}");
            }
            _ => block.object("input", |input| input.value("_raw", arguments)),
        }
        block.object("caller", |caller| caller.value("type", "direct"));
    });
}

/// Encodes a failure, as a response body or as the data of an `error` event.
pub fn encode_error(failure: &PublicFailure, request_id: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_object(&mut out, |body| {
        body.value("type", "error");
        body.object("error", |error| {
            error.value("type", error_name(failure));
            error.value("message", &failure.message);
            error.value("error_type", failure.error_type);
            if let Some(metadata) = &failure.metadata {
                error.raw("metadata", metadata.get());
            }
            if let Some(availability) = &failure.availability {
                error.raw("availability", availability.get());
            }
        });
        body.value("request_id", &request_id);
    });
    out
}

/// This dialect's name for a failure: by its type, and by its status for types without one.
fn error_name(failure: &PublicFailure) -> &'static str {
    match (failure.error_type, failure.status) {
        ("authentication", _) | (_, 401) => "authentication_error",
        ("payment_required", _) | (_, 402) => "billing_error",
        ("permission_denied", _) | (_, 403) => "permission_error",
        ("not_found" | "image_not_found", _) | (_, 404) => "not_found_error",
        ("rate_limit_exceeded", _) | (_, 429) => "rate_limit_error",
        ("provider_overloaded", _) | (_, 503 | 529) => "overloaded_error",
        ("timeout", _) | (_, 408 | 504 | 524) => "timeout_error",
        (_, 400..=499) => "invalid_request_error",
        _ => "api_error",
    }
}
