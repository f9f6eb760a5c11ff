//! A body of this dialect forwarded to an upstream of this dialect: the members we own are
//! replaced or left out, all others are copied byte for byte.

use std::borrow::Cow;

use serde_json::value::RawValue;
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    message::{Part, Role},
    request::ChatRequest,
};

use super::{
    Sampling, ThinkingStyle, UpstreamTraits,
    body::{Choice, Thinking},
    stop_sequences,
    thinking::{ThinkingPlan, is_own_reasoning},
    tools, unsupported,
};
use crate::{
    anthropic_messages::{
        foreign_reasoning,
        object_writer::{ObjectWriter, separate, write_object},
    },
    cache_marks::{
        Places, turn_before_newest, write_marked_content, write_marked_list, write_marked_message,
    },
    json::{RawObject, Text, wire_object},
};

/// Members that are ours, or that no provider of this dialect takes.
const OURS: [&str; 20] = [
    "models",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "provider",
    "providerOptions",
    "route",
    "plugins",
    "transforms",
    "preset",
    "session_id",
    "user",
    "trace",
    "usage",
    "debug",
    "prompt_cache_key",
    // Another family's; where it means anything it is for keeping prompts longer.
    "prompt_cache_retention",
    "speed",
    // It names an end user of the caller's to a third party.
    "metadata",
    // Written where `output_config` is.
    "output_format",
];

/// Splices the request's own body.
pub(super) fn splice(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    let body = request.origin.body.expose();
    let members: RawObject<'_> = serde_json::from_slice(body).map_err(|_| {
        Failure::new(
            FailureKind::BadRequest,
            "the request body is not a JSON object",
        )
    })?;
    if ends_with_assistant(request) && !traits.accepts_prefill {
        return Err(unsupported(
            "the model does not continue an assistant message",
        ));
    }
    let max_tokens = request
        .max_output_tokens
        .unwrap_or(traits.max_output_tokens)
        .max(1);
    let thinking = SplicedThinking::of(request, traits, &members, max_tokens)?;
    let places = super::places(request, traits);
    let marks_messages = places.turn.is_some() || places.end.is_some();
    let mut out = Vec::with_capacity(body.len() + 128);
    write_object(&mut out, |object| {
        if let Some(version) = traits.host.version() {
            object.value("anthropic_version", version);
        }
        if traits.host.names_model() {
            object.value("model", &traits.model);
        }
        object.value("max_tokens", &max_tokens);
        if request.stream && traits.host.names_stream() {
            object.raw("stream", "true");
        }
        for (key, value) in &members.0 {
            match key as &str {
                "tools" if places.after_tools => {
                    object.write(key, |out| write_marked_list(out, value));
                }
                "system" if places.instructions.is_some() => {
                    object.write(key, |out| write_marked_content(out, value));
                }
                "messages" if marks_messages || holds_foreign_reasoning(request) => {
                    object.array(key, |out| write_messages(out, value, places));
                }
                _ => write_member(object, request, traits, &thinking, (key, value)),
            }
        }
        thinking.write(object);
        write_sampling(object, &Sampling::of(request, traits, thinking.is_on));
    });
    Ok(out)
}

/// Copies a member, unless it is written elsewhere, dropped or in need of a change.
fn write_member(
    object: &mut ObjectWriter<'_>,
    request: &ChatRequest,
    traits: &UpstreamTraits,
    thinking: &SplicedThinking<'_>,
    (key, value): (&str, &RawValue),
) {
    match key {
        "model" | "max_tokens" | "stream" => {}
        "thinking" | "output_config" | "temperature" | "top_p" | "top_k" => {}
        ours if OURS.contains(&ours) => {}
        foreign if !traits.host.takes(foreign) => {}
        _ if value.get() == "null" => {}
        "stop_sequences" if stop_sequences(request).len() < request.stop.len() => {
            object.value(key, &stop_sequences(request));
        }
        "tool_choice" if thinking.is_on && !traits.allows_forced_tool_with_thinking => {
            match tools::encode_choice(request, traits, true) {
                Some(choice @ Choice::Auto { .. }) => object.value(key, &choice),
                _ => object.raw(key, value.get()),
            }
        }
        "service_tier" => {
            if matches!(value.get(), r#""auto""# | r#""standard_only""#) {
                object.raw(key, value.get());
            }
        }
        _ => object.raw(key, value.get()),
    }
}

fn write_sampling(object: &mut ObjectWriter<'_>, sampling: &Sampling) {
    if let Some(temperature) = sampling.temperature {
        object.value("temperature", &temperature);
    }
    if let Some(top_p) = sampling.top_p {
        object.value("top_p", &top_p);
    }
    if let Some(top_k) = sampling.top_k {
        object.value("top_k", &top_k);
    }
}

wire_object! {
    lenient struct Kind<'a> {
        "type" => kind: Text<'a>,
    }
}

/// The thinking members: as the client wrote them where the model thinks that way, else planned.
struct SplicedThinking<'a> {
    thinking: Option<Cow<'a, str>>,
    /// The client's `output_config`, without the effort where the model knows none.
    config: Vec<(&'a str, &'a str)>,
    effort: Option<&'static str>,
    is_on: bool,
}

impl<'a> SplicedThinking<'a> {
    fn of(
        request: &ChatRequest,
        traits: &UpstreamTraits,
        members: &'a RawObject<'a>,
        max_tokens: u32,
    ) -> Result<Self, Failure> {
        let find = |name: &str| {
            members
                .0
                .iter()
                .find(|(key, _)| &**key == name)
                .map(|(_, value)| *value)
        };
        let client = find("thinking").filter(|thinking| thinking.get() != "null");
        let kind =
            client.and_then(|thinking| serde_json::from_str::<Kind<'_>>(thinking.get()).ok());
        let kind = kind.and_then(|kind| kind.kind);
        let fits = match (kind.as_deref(), traits.thinking) {
            (Some("enabled"), ThinkingStyle::Budget) => {
                // A loop whose thinking we had to take out cannot go on thinking.
                !holds_foreign_reasoning(request)
            }
            (Some("adaptive" | "between_tools"), ThinkingStyle::Adaptive) => true,
            (Some("disabled"), style) => style != ThinkingStyle::None,
            _ => false,
        };
        let mut config = Vec::new();
        if let Some(raw) = find("output_config")
            && let Ok(object) = serde_json::from_str::<RawObject<'a>>(raw.get())
        {
            // Keys are plain words; one with escapes is nobody's and is left behind.
            config.extend(object.0.into_iter().filter_map(|(key, value)| match key.0 {
                Cow::Borrowed(key) => Some((key, value.get())),
                Cow::Owned(_) => None,
            }));
        }
        if let Some(format) = find("output_format")
            && !config.iter().any(|(key, _)| *key == "format")
        {
            config.push(("format", format.get()));
        }
        let knows_effort = traits.thinking == ThinkingStyle::Adaptive;
        if fits && let Some(client) = client {
            if !knows_effort {
                config.retain(|(key, _)| *key != "effort");
            }
            let is_on = kind.as_deref() != Some("disabled");
            return Ok(Self {
                thinking: Some(client.get().into()),
                config,
                effort: None,
                is_on,
            });
        }
        let plan = ThinkingPlan::make(request, traits, max_tokens)?;
        config.retain(|(key, _)| *key != "effort");
        let thinking = plan.thinking.map(|thinking| json_text(&thinking));
        Ok(Self {
            thinking: thinking.map(Cow::Owned),
            config,
            effort: plan.effort.map(|effort| effort.as_str()),
            is_on: plan.is_on(),
        })
    }

    fn write(&self, object: &mut ObjectWriter<'_>) {
        if let Some(thinking) = &self.thinking {
            object.raw("thinking", thinking.as_bytes());
        }
        if self.config.is_empty() && self.effort.is_none() {
            return;
        }
        object.object("output_config", |config| {
            if let Some(effort) = self.effort {
                config.value("effort", effort);
            }
            for (key, value) in &self.config {
                config.raw(key, value);
            }
        });
    }
}

fn json_text(thinking: &Thinking) -> String {
    serde_json::to_string(thinking).expect("writing to memory succeeds, and our keys are strings")
}

fn ends_with_assistant(request: &ChatRequest) -> bool {
    request
        .messages
        .last()
        .is_some_and(|last| last.role == Role::Assistant)
}

/// Whether the conversation holds reasoning that was not made by a model of this dialect.
fn holds_foreign_reasoning(request: &ChatRequest) -> bool {
    request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .any(|part| matches!(part, Part::Reasoning(_)) && !is_own_reasoning(part))
}

wire_object! {
    lenient struct RawTurn<'a> {
        "role" => role: Text<'a>,
        "content" => content: &'a RawValue,
    }
}

wire_object! {
    lenient struct RawBlock<'a> {
        "type" => kind: Text<'a>,
        "signature" => signature: Text<'a>,
        "data" => data: Text<'a>,
    }
}

/// Copies messages without their foreign reasoning, with the cache mark that is due. A turn that
/// held nothing else goes too; the provider joins its neighbours.
fn write_messages(out: &mut Vec<u8>, messages: &RawValue, places: Places) {
    let start = out.len();
    let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
    let roles = messages.iter().map(|message| role_of(message));
    let turn = turn_before_newest(roles).filter(|_| places.turn.is_some());
    let end = messages
        .len()
        .checked_sub(1)
        .filter(|_| places.end.is_some());
    for (index, message) in messages.into_iter().enumerate() {
        let rollback = out.len();
        separate(out, start);
        if [turn, end].contains(&Some(index)) {
            write_marked_message(out, message);
        } else if !write_own_message(out, message) {
            out.truncate(rollback);
        }
    }
}

fn role_of(message: &RawValue) -> Role {
    let turn: RawTurn<'_> = serde_json::from_str(message.get()).unwrap_or_default();
    match turn.role.as_deref() {
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some(_) | None => Role::User,
    }
}

/// Copies a message without its foreign reasoning; false when nothing was left.
fn write_own_message(out: &mut Vec<u8>, message: &RawValue) -> bool {
    let turn: RawTurn<'_> = serde_json::from_str(message.get()).unwrap_or_default();
    let blocks = turn
        .content
        .map(|content| serde_json::from_str::<Vec<&RawValue>>(content.get()));
    let (Some("assistant"), Some(Ok(blocks))) = (turn.role.as_deref(), blocks) else {
        out.extend_from_slice(message.get().as_bytes());
        return true;
    };
    let kept: Vec<&RawValue> = blocks
        .into_iter()
        .filter(|block| !is_foreign_block(block))
        .collect();
    if kept.is_empty() {
        return false;
    }
    let members: RawObject<'_> = serde_json::from_str(message.get()).unwrap_or_default();
    write_object(out, |object| {
        for (key, value) in &members.0 {
            if &**key == "content" {
                object.array(key, |out| {
                    let start = out.len();
                    for block in &kept {
                        separate(out, start);
                        out.extend_from_slice(block.get().as_bytes());
                    }
                });
            } else {
                object.raw(key, value.get());
            }
        }
    });
    true
}

fn is_foreign_block(block: &RawValue) -> bool {
    let block: RawBlock<'_> = serde_json::from_str(block.get()).unwrap_or_default();
    match block.kind.as_deref() {
        Some("thinking") => {
            foreign_reasoning::is_foreign(block.signature.as_deref().unwrap_or_default())
        }
        Some("redacted_thinking") => {
            foreign_reasoning::is_foreign(block.data.as_deref().unwrap_or_default())
        }
        _ => false,
    }
}
