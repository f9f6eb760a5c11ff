//! Parts of messages as content blocks.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use switchyard_interchange::{
    failure::Failure,
    message::{CacheMark, MediaSource, Part, ReasoningContent, ToolCall},
};

use super::{
    body::{Block, Source},
    thinking::is_own_reasoning,
    unsupported,
};

/// Image types and what their base64 starts with. The provider compares the bytes with the
/// declared type, and callers often declare the wrong one.
const IMAGE_TYPES: [(&str, &str); 4] = [
    ("image/png", "iVBORw0KGgo"),
    ("image/jpeg", "/9j/"),
    ("image/gif", "R0lGOD"),
    ("image/webp", "UklGR"),
];

/// Whether the dialect would refuse the text for having nothing in it.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// A part that a person or a tool gave; `None` when there is nothing in it.
pub(super) fn encode_given(part: &Part, same_dialect: bool) -> Result<Option<Block<'_>>, Failure> {
    match part {
        Part::Text { text, cache } => Ok(text_block(text.expose(), *cache)),
        Part::Refusal { text } => Ok(text_block(text.expose(), None)),
        Part::Image { source, cache, .. } => Ok(Some(Block::Image {
            source: image_source(source, same_dialect)?,
            cache_control: cache.map(Into::into),
        })),
        Part::File {
            source,
            filename,
            cache,
        } => Ok(Some(Block::Document {
            source: document_source(source, same_dialect)?,
            title: filename.as_deref().filter(|title| !title.is_empty()),
            cache_control: cache.map(Into::into),
        })),
        Part::Audio { .. } => Err(unsupported("the model does not take audio")),
        Part::Video { .. } => Err(unsupported("the model does not take video")),
        Part::ToolCall(_) | Part::Reasoning(_) | Part::ToolResult(_) => Err(unsupported(
            "a part of a message stands where its role does not allow it",
        )),
    }
}

/// A part that a model answered, tool calls aside; `None` when it is empty or foreign reasoning.
pub(super) fn encode_answered(
    part: &Part,
    keeps_reasoning: bool,
) -> Result<Option<Block<'_>>, Failure> {
    match part {
        Part::Text { text, cache } => Ok(text_block(text.expose(), *cache)),
        Part::Refusal { text } => Ok(text_block(text.expose(), None)),
        Part::Reasoning(_) if !keeps_reasoning || !is_own_reasoning(part) => Ok(None),
        Part::Reasoning(reasoning) => Ok(match &reasoning.content {
            ReasoningContent::Text { text, signature } => Some(Block::Thinking {
                thinking: text.expose(),
                signature: signature.as_deref().unwrap_or_default(),
            }),
            ReasoningContent::Encrypted { data } => Some(Block::RedactedThinking {
                data: data.expose(),
            }),
            ReasoningContent::Summary { .. } => None,
        }),
        Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_) => Err(unsupported(
            "the model does not take media in an assistant message",
        )),
    }
}

/// A tool call under the id the conversation gave it.
pub(super) fn encode_call(call: &ToolCall, id: String) -> Result<Block<'_>, Failure> {
    let arguments = match call.arguments.expose().trim() {
        "" | "null" => "{}",
        arguments => arguments,
    };
    let not_an_object =
        || unsupported("the arguments of an earlier tool call are not a JSON object");
    let input: &RawValue = serde_json::from_str(arguments).map_err(|_| not_an_object())?;
    if !input.get().starts_with('{') {
        return Err(not_an_object());
    }
    Ok(Block::ToolUse {
        id,
        name: &call.name,
        input,
        cache_control: call.cache.map(Into::into),
    })
}

fn text_block(text: &str, cache: Option<CacheMark>) -> Option<Block<'_>> {
    (!is_blank(text)).then(|| Block::Text {
        text: Cow::Borrowed(text),
        cache_control: cache.map(Into::into),
    })
}

fn image_source(source: &MediaSource, same_dialect: bool) -> Result<Source<'_>, Failure> {
    let MediaSource::Inline { media_type, data } = source else {
        return remote_source(source, same_dialect);
    };
    let data = data.expose();
    let of = |fits: &dyn Fn(&str, &str) -> bool| {
        IMAGE_TYPES
            .iter()
            .find(|(name, start)| fits(name, start))
            .map(|(name, _)| *name)
    };
    let by_content = of(&|_, start| data.starts_with(start));
    match by_content.or_else(|| of(&|name, _| name == media_type)) {
        Some(media_type) => Ok(Source::Base64 { media_type, data }),
        None => Err(unsupported(
            "the model takes PNG, JPEG, GIF and WebP images only",
        )),
    }
}

fn document_source(source: &MediaSource, same_dialect: bool) -> Result<Source<'_>, Failure> {
    let MediaSource::Inline { media_type, data } = source else {
        return remote_source(source, same_dialect);
    };
    let data = data.expose();
    if media_type == "application/pdf" {
        return Ok(Source::Base64 { media_type, data });
    }
    if media_type.starts_with("text/") {
        let text = STANDARD
            .decode(data)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else {
            return Err(unsupported("a text document is not UTF-8 in base64"));
        };
        return Ok(Source::Text {
            media_type: "text/plain",
            data: text,
        });
    }
    Err(unsupported(
        "the model takes PDF and plain text documents only",
    ))
}

/// A source that is not inline. A file handle means something only to the provider that gave it.
fn remote_source(source: &MediaSource, same_dialect: bool) -> Result<Source<'_>, Failure> {
    match source {
        MediaSource::Url(url) => Ok(Source::Url { url: url.expose() }),
        MediaSource::ProviderFile(file_id) if same_dialect => Ok(Source::File { file_id }),
        MediaSource::ProviderFile(_) => Err(unsupported(
            "a file of another provider's store cannot be read here",
        )),
        MediaSource::Inline { media_type, data } => Ok(Source::Base64 {
            media_type,
            data: data.expose(),
        }),
    }
}
