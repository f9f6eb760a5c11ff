//! A complete answer, and an error, as the client reads them.

mod built;
mod spliced;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;
use switchyard_interchange::{
    event::{Completion, Verbatim},
    message::Citation,
    reply::{PublicFailure, ReplyHead, ReplyTail},
    request::Dialect,
};

use super::write::{Array, Object};
use crate::json::RawObject;

/// Writes a chat completion. An answer that came in this format is passed on with our fields in
/// place of the provider's; any other is written from its parts.
pub fn encode_completion(head: &ReplyHead, completion: &Completion, tail: &ReplyTail) -> Vec<u8> {
    let size = completion
        .verbatim
        .as_ref()
        .map_or(1_024, |verbatim| verbatim.json.expose().len());
    let mut out = Vec::with_capacity(size + 1_024);
    let mut object = Object::start(&mut out);
    write_identity(&mut object, head, "chat.completion");
    let verbatim = completion.verbatim.as_ref().and_then(of_this_dialect);
    if let Some(json) = verbatim
        && let Ok(choice) = spliced::write(json, completion)
    {
        choice.append_to(&mut object);
    } else {
        object.literal("system_fingerprint", "null");
        built::write_choice(&mut object, completion);
    }
    write_usage(&mut object, tail);
    object.optional_string("service_tier", tail.service_tier.as_deref());
    if let Some(metadata) = &tail.metadata {
        object.literal("openrouter_metadata", metadata.get());
    }
    object.end();
    out
}

/// Writes the error envelope. `user_id` is the caller's own, where it has one.
pub fn encode_error(failure: &PublicFailure, user_id: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let mut object = Object::start(&mut out);
    write_failure(&mut object, failure);
    object.optional_string("user_id", user_id);
    object.end();
    out
}

/// The bytes of an answer that came in this format.
pub(super) fn of_this_dialect(verbatim: &Verbatim) -> Option<&[u8]> {
    (verbatim.dialect == Dialect::OpenAiChat).then(|| verbatim.json.expose().as_ref())
}

/// The fields that say which answer this is.
pub(super) fn write_identity(object: &mut Object<'_>, head: &ReplyHead, kind: &str) {
    object.string("id", head.generation_id.as_str());
    object.string("object", kind);
    object.integer("created", head.created_seconds);
    object.string("model", &head.model);
    object.string("provider", &head.provider);
}

/// `error`: the union of what documents and clients of the format name. `code` is a number, or
/// typed clients fail on the error instead of reporting it.
pub(super) fn write_failure(object: &mut Object<'_>, failure: &PublicFailure) {
    let mut error = Object::start(object.key("error"));
    error.integer("code", failure.status);
    error.string("message", &failure.message);
    error.string("error_type", failure.error_type);
    error.integer("http_status", failure.status);
    if let Some(availability) = &failure.availability {
        error.literal("availability", availability.get());
    }
    let mut metadata = Object::start(error.key("metadata"));
    metadata.string("error_type", failure.error_type);
    let extra = failure.metadata.as_deref().map(RawValue::get);
    let extra: RawObject<'_> = extra
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    for (name, value) in extra.0 {
        if &*name != "error_type" {
            metadata.foreign(&name, value);
        }
    }
    metadata.end();
    error.end();
}

/// `usage`, with every figure that a known client demands; zeros, never nulls.
pub(super) fn write_usage(object: &mut Object<'_>, tail: &ReplyTail) {
    let tokens = &tail.tokens;
    let mut usage = Object::start(object.key("usage"));
    usage.integer("prompt_tokens", tokens.input_total());
    usage.integer("completion_tokens", tokens.output_total());
    usage.integer("total_tokens", tokens.input_total() + tokens.output_total());
    usage.dollars("cost", tail.cost);
    usage.boolean("is_byok", tail.is_byok);
    let mut cost = Object::start(usage.key("cost_details"));
    cost.dollars("upstream_inference_cost", tail.list_cost);
    cost.dollars("upstream_inference_prompt_cost", tail.list_cost_prompt);
    cost.dollars(
        "upstream_inference_completions_cost",
        tail.list_cost_completion,
    );
    cost.end();
    let mut prompt = Object::start(usage.key("prompt_tokens_details"));
    prompt.integer("cached_tokens", tokens.cache_read);
    prompt.integer(
        "cache_write_tokens",
        tokens.cache_write_5m + tokens.cache_write_1h,
    );
    prompt.integer("audio_tokens", tokens.audio_in);
    prompt.integer("video_tokens", 0_u64);
    prompt.end();
    let mut completion = Object::start(usage.key("completion_tokens_details"));
    completion.integer("reasoning_tokens", tokens.reasoning);
    completion.integer("image_tokens", tokens.image_out);
    completion.integer("audio_tokens", tokens.audio_out);
    completion.end();
    usage.end();
}

/// `annotations` for cited sources.
pub(super) fn write_annotations<'c>(
    object: &mut Object<'_>,
    citations: impl IntoIterator<Item = &'c Citation>,
) {
    let mut list = Array::start(object.key("annotations"));
    for citation in citations {
        let mut annotation = list.object();
        annotation.string("type", "url_citation");
        let mut source = Object::start(annotation.key("url_citation"));
        source.string("url", &citation.url);
        source.optional_string("title", citation.title.as_deref());
        source.optional_string(
            "content",
            citation.content.as_ref().map(|c| c.expose().as_str()),
        );
        for (name, index) in [
            ("start_index", citation.start_index),
            ("end_index", citation.end_index),
        ] {
            if let Some(index) = index {
                source.integer(name, index);
            }
        }
        source.end();
        annotation.end();
    }
    list.end();
}
