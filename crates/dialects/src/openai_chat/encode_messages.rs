//! The conversation as `messages`, written from the internal form.

use switchyard_interchange::{
    failure::{Failure, FailureKind},
    message::{
        CacheLife, CacheMark, MediaSource, Message, Part, Reasoning, ReasoningContent, Role,
        ToolCall, ToolResult,
    },
};

use super::{
    encode_request::{CacheMarks, ReasoningStyle, UpstreamTraits},
    write::{Array, Object},
};
use crate::cache_marks::Places;

/// What stands in a tool message whose result is media only.
const MEDIA_RESULT_TEXT: &str = "The result is attached to the next message.";

/// Writes all messages, with cache marks at `places`. Media in tool results move to a user message
/// after the results, because tool messages hold text only.
pub(super) fn write_messages(
    out: &mut Vec<u8>,
    messages: &[Message],
    places: Places,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let mut list = Array::start(out);
    let mut moved: Vec<&Part> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let mark = places.ends_at(index).then_some(SHORT);
        let results = message.parts.iter().filter_map(|part| match part {
            Part::ToolResult(result) => Some(result),
            _ => None,
        });
        let mut rest = message
            .parts
            .iter()
            .filter(|part| !matches!(part, Part::ToolResult(_)));
        let only_results = rest.next().is_none() && !message.parts.is_empty();
        for result in results {
            // A result after the media of earlier ones: they wait until all calls are answered.
            write_tool_result(&mut list, result, mark, traits)?;
            moved.extend(
                result
                    .content
                    .iter()
                    .filter(|part| !matches!(part, Part::Text { .. })),
            );
        }
        if only_results {
            continue;
        }
        if message.role == Role::User {
            let moved = std::mem::take(&mut moved);
            write_user(&mut list, message, &moved, mark, traits)?;
            continue;
        }
        write_moved(&mut list, &mut moved, traits)?;
        if message.role == Role::Assistant {
            write_assistant(&mut list, message, traits)?;
        } else {
            write_spoken(&mut list, message, mark, traits)?;
        }
    }
    write_moved(&mut list, &mut moved, traits)?;
    list.end();
    Ok(())
}

/// The mark that the router places.
pub(super) const SHORT: CacheMark = CacheMark {
    life: CacheLife::Short,
};

/// A cache mark as the last field of a part or tool.
pub(super) fn write_cache_mark(object: &mut Object<'_>, mark: CacheMark) {
    let json = match mark.life {
        CacheLife::Short => r#"{"type":"ephemeral"}"#,
        CacheLife::OneHour => r#"{"type":"ephemeral","ttl":"1h"}"#,
    };
    object.literal("cache_control", json);
}

/// The mark of a part in the endpoint's spelling; a life is not carried to one that has no word
/// for it.
fn write_part_mark(object: &mut Object<'_>, mark: CacheMark, traits: &UpstreamTraits) {
    match traits.cache_marks {
        CacheMarks::None => {}
        CacheMarks::Blocks | CacheMarks::Everywhere => write_cache_mark(object, mark),
        CacheMarks::Breakpoints => {
            object.literal("prompt_cache_breakpoint", r#"{"mode":"explicit"}"#);
        }
    }
}

fn unsupported(message: &str) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}

fn write_moved(
    list: &mut Array<'_>,
    moved: &mut Vec<&Part>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut object = list.object();
    object.string("role", "user");
    write_content(object.key("content"), &std::mem::take(moved), None, traits)?;
    object.end();
    Ok(())
}

fn write_tool_result(
    list: &mut Array<'_>,
    result: &ToolResult,
    mark: Option<CacheMark>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let texts: Vec<&Part> = result
        .content
        .iter()
        .filter(|part| matches!(part, Part::Text { .. }))
        .collect();
    let mut object = list.object();
    object.string("role", "tool");
    object.string("tool_call_id", &result.call_id);
    if texts.is_empty() && !result.content.is_empty() {
        object.string("content", MEDIA_RESULT_TEXT);
    } else {
        let mark = mark.or(result.cache);
        write_content(object.key("content"), &texts, mark, traits)?;
    }
    object.end();
    Ok(())
}

/// A user turn, behind the media that tool results before it left over.
fn write_user(
    list: &mut Array<'_>,
    message: &Message,
    moved: &[&Part],
    mark: Option<CacheMark>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let mut parts = moved.to_vec();
    parts.extend(
        message
            .parts
            .iter()
            .filter(|part| !matches!(part, Part::ToolResult(_))),
    );
    let mut object = list.object();
    object.string("role", "user");
    object.optional_string("name", message.name.as_deref());
    write_content(object.key("content"), &parts, mark, traits)?;
    object.end();
    Ok(())
}

/// A system or developer turn.
fn write_spoken(
    list: &mut Array<'_>,
    message: &Message,
    mark: Option<CacheMark>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let role = match message.role {
        Role::Developer if traits.developer_role => "developer",
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool | Role::Assistant => "user",
    };
    let mut object = list.object();
    object.string("role", role);
    object.optional_string("name", message.name.as_deref());
    write_content(
        object.key("content"),
        &message.parts.iter().collect::<Vec<_>>(),
        mark,
        traits,
    )?;
    object.end();
    Ok(())
}

fn write_assistant(
    list: &mut Array<'_>,
    message: &Message,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let spoken: Vec<&Part> = message
        .parts
        .iter()
        .filter(|part| matches!(part, Part::Text { .. }))
        .collect();
    let calls: Vec<&ToolCall> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
        .collect();
    let refusal = message.parts.iter().find_map(|part| match part {
        Part::Refusal { text } => Some(text.expose().as_str()),
        _ => None,
    });
    let mut object = list.object();
    object.string("role", "assistant");
    object.optional_string("name", message.name.as_deref());
    write_history_reasoning(&mut object, message, !calls.is_empty(), traits);
    match (spoken.is_empty(), refusal) {
        // Only OpenAI has a field for it; for every model it is what the assistant said.
        (true, Some(refusal)) => object.string("content", refusal),
        (true, None) if calls.is_empty() || !traits.null_content_ok => object.string("content", ""),
        (true, None) => object.literal("content", "null"),
        (false, _) => write_answer(object.key("content"), &spoken, traits)?,
    }
    if !calls.is_empty() {
        write_calls(object.key("tool_calls"), &calls);
    }
    object.end();
    Ok(())
}

fn write_calls(out: &mut Vec<u8>, calls: &[&ToolCall]) {
    let mut list = Array::start(out);
    for call in calls {
        let mut object = list.object();
        object.string("id", &call.id);
        object.string("type", "function");
        let mut function = Object::start(object.key("function"));
        function.string("name", &call.name);
        let arguments = call.arguments.expose().trim();
        function.string(
            "arguments",
            if arguments.is_empty() {
                "{}"
            } else {
                arguments
            },
        );
        function.end();
        object.end();
    }
    list.end();
}

/// Reasoning of earlier turns, for the hosts that want it back.
fn write_history_reasoning(
    object: &mut Object<'_>,
    message: &Message,
    calls_tools: bool,
    traits: &UpstreamTraits,
) {
    let blocks: Vec<&Reasoning> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning(block) => Some(block),
            _ => None,
        })
        .collect();
    if blocks.is_empty() {
        return;
    }
    match traits.reasoning_style {
        ReasoningStyle::OpenRouter => {
            let mut list = Array::start(object.key("reasoning_details"));
            for (index, block) in blocks.into_iter().enumerate() {
                write_reasoning_detail(list.item(), block, index);
            }
            list.end();
        }
        // Inside a tool loop the text is demanded back; elsewhere some models refuse it.
        ReasoningStyle::ThinkingToggle if calls_tools => {
            let text: String = blocks.iter().filter_map(|block| readable(block)).collect();
            if !text.is_empty() {
                object.string("reasoning_content", &text);
            }
        }
        ReasoningStyle::ThinkingToggle | ReasoningStyle::Effort | ReasoningStyle::None => {}
    }
}

/// The text of a reasoning block that can be read.
pub(super) fn readable(block: &Reasoning) -> Option<&str> {
    match &block.content {
        ReasoningContent::Text { text, .. } | ReasoningContent::Summary { text } => {
            Some(text.expose())
        }
        ReasoningContent::Encrypted { .. } => None,
    }
}

/// One entry of `reasoning_details`.
pub(super) fn write_reasoning_detail(out: &mut Vec<u8>, block: &Reasoning, index: usize) {
    let mut object = Object::start(out);
    match &block.content {
        ReasoningContent::Text { text, signature } => {
            object.string("type", "reasoning.text");
            object.string("text", text.expose());
            object.optional_string("signature", signature.as_deref());
        }
        ReasoningContent::Summary { text } => {
            object.string("type", "reasoning.summary");
            object.string("summary", text.expose());
        }
        ReasoningContent::Encrypted { data } => {
            object.string("type", "reasoning.encrypted");
            object.string("data", data.expose());
        }
    }
    object.optional_string("id", block.id.as_deref());
    object.string("format", &block.format);
    object.integer("index", index);
    object.end();
}

/// An assistant's words: one string, because its texts are pieces of one answer.
fn write_answer(
    out: &mut Vec<u8>,
    parts: &[&Part],
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let marked = parts
        .iter()
        .any(|part| matches!(part, Part::Text { cache: Some(_), .. }));
    // OpenAI takes no breakpoints on what the model said.
    if marked && traits.cache_marks.on_blocks() && !traits.string_content_only {
        return write_parts(out, parts, None, traits);
    }
    let text: String = parts.iter().filter_map(|part| text_of(part)).collect();
    super::write::string(out, &text);
    Ok(())
}

/// Content as a string where it is one unmarked text or the host takes nothing else, as parts
/// otherwise. `mark` goes on the end.
fn write_content(
    out: &mut Vec<u8>,
    parts: &[&Part],
    mark: Option<CacheMark>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let marks = |cache: &Option<CacheMark>| {
        cache.or(mark).is_some() && traits.cache_marks != CacheMarks::None
    };
    match parts {
        [] => super::write::string(out, ""),
        [Part::Text { text, cache }] if !marks(cache) || text.expose().trim().is_empty() => {
            super::write::string(out, text.expose());
        }
        _ if traits.string_content_only => {
            if parts.iter().any(|part| text_of(part).is_none()) {
                return Err(unsupported("this endpoint takes text only"));
            }
            let texts: Vec<&str> = parts.iter().filter_map(|part| text_of(part)).collect();
            super::write::string(out, &texts.join("\n"));
        }
        _ => return write_parts(out, parts, mark, traits),
    }
    Ok(())
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => Some(text.expose()),
        _ => None,
    }
}

fn write_parts(
    out: &mut Vec<u8>,
    parts: &[&Part],
    mark: Option<CacheMark>,
    traits: &UpstreamTraits,
) -> Result<(), Failure> {
    let mut list = Array::start(out);
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let mut object = list.object();
        let own = write_part(&mut object, part)?;
        if let Some(mark) = own.or(mark.filter(|_| is_last)) {
            write_part_mark(&mut object, mark, traits);
        }
        object.end();
    }
    list.end();
    Ok(())
}

fn write_part(object: &mut Object<'_>, part: &Part) -> Result<Option<CacheMark>, Failure> {
    match part {
        Part::Text { text, cache } => {
            object.string("type", "text");
            object.string("text", text.expose());
            return Ok(*cache);
        }
        Part::Refusal { text } => {
            object.string("type", "text");
            object.string("text", text.expose());
        }
        Part::Image {
            source,
            detail,
            cache,
        } => {
            object.string("type", "image_url");
            let mut image = Object::start(object.key("image_url"));
            image.string(
                "url",
                &address(source, "an image in a provider's file store")?,
            );
            image.optional_string("detail", detail.as_deref());
            image.end();
            return Ok(*cache);
        }
        Part::Video { source } => {
            object.string("type", "video_url");
            let mut video = Object::start(object.key("video_url"));
            video.string(
                "url",
                &address(source, "a video in a provider's file store")?,
            );
            video.end();
        }
        Part::Audio { data, format } => {
            object.string("type", "input_audio");
            let mut audio = Object::start(object.key("input_audio"));
            audio.string("data", data.expose());
            audio.string("format", format);
            audio.end();
        }
        Part::File {
            source,
            filename,
            cache,
        } => {
            object.string("type", "file");
            let mut file = Object::start(object.key("file"));
            file.optional_string("filename", filename.as_deref());
            match source {
                MediaSource::ProviderFile(id) => file.string("file_id", id),
                MediaSource::Url(_) | MediaSource::Inline { .. } => {
                    file.string("file_data", &address(source, "a stored file")?);
                }
            }
            file.end();
            return Ok(*cache);
        }
        Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_) => {
            return Err(unsupported(
                "a tool call, tool result or reasoning in the wrong message",
            ));
        }
    }
    Ok(None)
}

/// The address or data URL of media.
fn address(source: &MediaSource, stored: &str) -> Result<String, Failure> {
    match source {
        MediaSource::Url(url) => Ok(url.expose().clone()),
        MediaSource::Inline { media_type, data } => {
            Ok(format!("data:{media_type};base64,{}", data.expose()))
        }
        MediaSource::ProviderFile(_) => {
            Err(unsupported(&format!("this endpoint cannot read {stored}")))
        }
    }
}
