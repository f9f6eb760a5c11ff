//! A request that came in this dialect: the client's own bytes with the fields exchanged that are
//! ours, so that fields we do not know reach the provider as they were.

use std::fmt;

use memchr::memmem;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use switchyard_domain::model::Parameter;
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    message::{Message, Part, Role},
    request::ChatRequest,
    tool::{ResponseFormat, ToolChoice},
};

use super::{
    CacheMarks, ReasoningStyle, UpstreamTraits,
    parameters::{write_head, write_reasoning, write_response_format, write_tools},
    places,
};
use crate::{
    cache_marks::{Places, write_marked_list, write_marked_message},
    json::Text,
    openai_chat::{
        encode_messages::write_messages,
        write::{Array, Object},
    },
};

/// What becomes of a field of the client's body.
enum Fate {
    /// It means something to us, or nothing to anyone.
    Drop,
    /// Written in its place from the internal form.
    Replace(Ours),
    /// Forwarded as it is.
    Keep,
}

/// The fields that are replaced where they stand.
enum Ours {
    Messages,
    Tools,
    ResponseFormat,
}

pub(super) fn encode(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    let body = request.origin.body.expose();
    let fields: Fields<'_> = serde_json::from_slice(body).map_err(|_| {
        Failure::new(
            FailureKind::BadRequest,
            "the request body is not a JSON object",
        )
    })?;
    let places = places(request, traits);
    let mut out = Vec::with_capacity(body.len() + 256);
    let mut object = Object::start(&mut out);
    write_head(&mut object, request, traits);
    if !forwards_reasoning(traits) {
        write_reasoning(&mut object, request, traits);
    }
    for (name, value) in fields.0 {
        match fate(&name, value, request, traits) {
            Fate::Drop => {}
            Fate::Keep if &*name == "tools" && places.after_tools => {
                write_marked_list(object.key("tools"), value);
            }
            Fate::Keep => object.foreign(&name, value),
            Fate::Replace(Ours::Tools) => write_tools(&mut object, request, places, traits),
            Fate::Replace(Ours::ResponseFormat) => {
                write_response_format(&mut object, &request.response_format, traits);
            }
            Fate::Replace(Ours::Messages) if messages_fit(value, request, traits) => {
                if places.in_messages() {
                    write_marked_messages(object.key("messages"), value, places);
                } else {
                    object.literal("messages", value.get());
                }
            }
            Fate::Replace(Ours::Messages) => {
                write_messages(object.key("messages"), &request.messages, places, traits)?;
            }
        }
    }
    object.end();
    Ok(out)
}

/// The client's own messages with the marks that are due.
fn write_marked_messages(out: &mut Vec<u8>, messages: &RawValue, places: Places) {
    let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
    let mut list = Array::start(out);
    for (index, message) in messages.into_iter().enumerate() {
        if places.ends_at(index) {
            write_marked_message(list.item(), message);
        } else {
            list.item().extend_from_slice(message.get().as_bytes());
        }
    }
    list.end();
}

fn fate(name: &str, value: &RawValue, request: &ChatRequest, traits: &UpstreamTraits) -> Fate {
    match name {
        // Written before everything else.
        "model"
        | "stream"
        | "stream_options"
        | "max_tokens"
        | "max_completion_tokens"
        | "service_tier"
        | "prompt_cache_key" => Fate::Drop,
        "reasoning" | "include_reasoning" | "reasoning_effort" => {
            keep_if(forwards_reasoning(traits))
        }
        // The router's own.
        "provider"
        | "providerOptions"
        | "models"
        | "fallbacks"
        | "context_window_fallbacks"
        | "content_policy_fallbacks"
        | "route"
        | "plugins"
        | "transforms"
        | "session_id"
        | "usage"
        | "trace"
        | "preset"
        | "debug"
        | "structured_outputs"
        | "max_tool_calls"
        | "stop_server_tools_when" => Fate::Drop,
        // One choice per answer; nothing is stored at the provider; end users stay unknown to it.
        "n" | "store" | "user" | "metadata" | "safety_identifier" => Fate::Drop,
        // Superseded by tools years ago.
        "functions" | "function_call" => Fate::Drop,
        "cache_control" => keep_if(traits.cache_marks == CacheMarks::Everywhere),
        "prompt_cache_options" => keep_if(traits.cache_marks == CacheMarks::Breakpoints),
        // Anything but memory is storage.
        "prompt_cache_retention" if traits.zero_retention => {
            keep_if(matches!(value.get(), r#""in_memory""# | r#""in-memory""#))
        }
        // The toggle is in the head where the caller asked through `reasoning`.
        "thinking" if traits.reasoning_style == ReasoningStyle::ThinkingToggle => {
            keep_if(request.reasoning.enabled.is_none())
        }
        "messages" | "prompt" if value.get() == "null" => Fate::Drop,
        "messages" | "prompt" => Fate::Replace(Ours::Messages),
        "tools" if tools_fit(value, request, traits) => Fate::Keep,
        "tools" => Fate::Replace(Ours::Tools),
        // Written with the tools where those are written anew.
        "tool_choice" | "parallel_tool_calls" => keep_if(tool_field_fits(name, request, traits)),
        "response_format" => match &request.response_format {
            ResponseFormat::Text => Fate::Drop,
            ResponseFormat::JsonSchema(_) if !traits.supports(Parameter::StructuredOutputs) => {
                Fate::Replace(Ours::ResponseFormat)
            }
            ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_) => {
                keep_if(traits.supports(Parameter::ResponseFormat))
            }
        },
        _ => match Parameter::from_name(name) {
            Some(parameter) => keep_if(traits.supports(parameter) && value.get() != "null"),
            None => Fate::Keep,
        },
    }
}

/// Whether the endpoint reads the caller's own spelling of reasoning control.
fn forwards_reasoning(traits: &UpstreamTraits) -> bool {
    traits.reasoning_style == ReasoningStyle::OpenRouter && traits.supports_reasoning()
}

fn keep_if(condition: bool) -> Fate {
    if condition { Fate::Keep } else { Fate::Drop }
}

/// Whether the client's own `tools` can be sent.
fn tools_fit(value: &RawValue, request: &ChatRequest, traits: &UpstreamTraits) -> bool {
    let forbidden_by_absence =
        request.tool_choice == Some(ToolChoice::None) && !traits.supports(Parameter::ToolChoice);
    let has_marks = names(value, b"\"cache_control\"") && !traits.cache_marks.on_blocks();
    let says_nothing = request.tools.is_empty();
    let schema_missing = request.tools.iter().any(|tool| tool.parameters.is_none());
    !(forbidden_by_absence || has_marks || says_nothing || schema_missing)
}

fn tool_field_fits(name: &str, request: &ChatRequest, traits: &UpstreamTraits) -> bool {
    let parameter = if name == "tool_choice" {
        Parameter::ToolChoice
    } else {
        Parameter::ParallelToolCalls
    };
    !request.tools.is_empty() && traits.supports(parameter)
}

/// Whether the client's own `messages` can be sent. Looks for quoted key names: inside a string
/// the quotes would be escaped, so a hit is a key, or at worst a string that equals its name.
fn messages_fit(value: &RawValue, request: &ChatRequest, traits: &UpstreamTraits) -> bool {
    if !value.get().starts_with('[') || traits.string_content_only {
        return false;
    }
    let marks = !traits.cache_marks.on_blocks() && names(value, b"\"cache_control\"")
        || traits.cache_marks != CacheMarks::Breakpoints
            && names(value, b"\"prompt_cache_breakpoint\"");
    let reasoning = traits.reasoning_style != ReasoningStyle::OpenRouter
        && [
            &b"\"reasoning\""[..],
            b"\"reasoning_details\"",
            b"\"reasoning_content\"",
        ]
        .into_iter()
        .any(|name| names(value, name));
    !(marks || reasoning)
        && request
            .messages
            .iter()
            .all(|message| message_fits(message, traits))
}

fn message_fits(message: &Message, traits: &UpstreamTraits) -> bool {
    match message.role {
        Role::Developer => traits.developer_role,
        Role::Assistant => {
            let speaks = message
                .parts
                .iter()
                .any(|part| matches!(part, Part::Text { .. }));
            let calls_are_json = message.parts.iter().all(|part| match part {
                Part::ToolCall(call) => !call.arguments.expose().trim().is_empty(),
                _ => true,
            });
            (speaks || traits.null_content_ok) && calls_are_json
        }
        Role::System | Role::User | Role::Tool => true,
    }
}

fn names(value: &RawValue, quoted: &[u8]) -> bool {
    memmem::find(value.get().as_bytes(), quoted).is_some()
}

/// The body's fields in order. Decoding has refused keys given twice already.
struct Fields<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}
